// SPDX-License-Identifier: GPL-2.0
/*
 * out.c - collecting what a group wants sent and told
 */
#include "out.h"
#include "group.h"

void pxs_out_done(struct pxs_out *out)
{
	u32 i;

	for (i = 0; i < out->nentry; i++)
		pxs_value_put(out->entry[i].value);
	pxs_out_init(out);
}

struct pxs_send *pxs_out_send(struct pxs_group *g, struct pxs_out *out, u8 type, u64 to,
			      u64 ballot, u64 slot)
{
	struct pxs_send *send;

	if (out->nsend == PXS_OUT_SENDS)
		return NULL;
	send = &out->send[out->nsend++];
	send->to = to;
	send->type = type;
	send->count = 0;
	send->ballot = ballot;
	send->slot = slot;
	send->commit = g->commit;
	send->arg = 0;
	send->first = (u16)out->nentry;
	send->entries = 0;
	send->bytes = 0;
	if (to == pxs_group_others(g))
		g->told = g->commit;
	return send;
}

bool pxs_out_add(struct pxs_out *out, u64 slot, const struct pxs_slot *s, u8 flags)
{
	struct pxs_send *send = &out->send[out->nsend - 1];
	u32 size = pxs_wire_entry_size(s->value ? s->value->len : 0);
	struct pxs_out_entry *e;

	if (out->nentry == PXS_OUT_ENTRIES || send->bytes + size > PXS_WIRE_BODY_FULL)
		return false;
	e = &out->entry[out->nentry++];
	e->slot = slot;
	e->ballot = s->ballot;
	e->flags = flags | (s->value ? pxs_value_flags(s->value) : 0);
	e->value = s->value ? pxs_value_get(s->value) : NULL;
	send->bytes += size;
	send->entries++;
	send->count++;
	return true;
}

void pxs_out_body(const struct pxs_out *out, const struct pxs_send *send, u8 *buf)
{
	u32 offset = 0;
	u32 i;

	for (i = 0; i < send->entries; i++) {
		const struct pxs_out_entry *o = &out->entry[send->first + i];
		struct pxs_entry e = {
			.slot = o->slot,
			.ballot = o->ballot,
			.flags = o->flags,
			.len = o->value ? o->value->len : 0,
			.data = o->value ? o->value->data : NULL,
		};

		offset = pxs_wire_put(buf, offset, &e);
	}
}

void pxs_out_msg(const struct pxs_group *g, const struct pxs_send *send, u8 to, struct pxs_msg *m)
{
	memset(m, 0, sizeof(*m));
	m->type = send->type;
	m->sender = g->conf.member[g->conf.self].id;
	m->receiver = g->conf.member[to].id;
	m->count = send->count;
	m->group = g->conf.id;
	m->len = send->bytes;
	memcpy(m->cluster, g->conf.cluster, sizeof(m->cluster));
	m->epoch = g->conf.epoch;
	m->sender_inc = g->conf.member[g->conf.self].incarnation;
	m->receiver_inc = g->conf.member[to].incarnation;
	m->ballot = send->ballot;
	m->slot = send->slot;
	m->commit = send->commit;
	m->arg = send->arg;
}

void pxs_out_refuse(struct pxs_group *g, struct pxs_out *out, u8 to, u64 ballot, u64 slot,
		    u64 higher)
{
	struct pxs_send *send = pxs_out_send(g, out, PXS_WIRE_REFUSE, 1ull << to, ballot, slot);

	if (!send)
		return;
	send->arg = higher;
	g->stat[PXS_GROUP_STAT_REFUSED]++;
}

void pxs_out_leader(struct pxs_out *out, u8 event, u64 ballot)
{
	out->what |= PXS_OUT_LEADER;
	out->leader_event = event;
	out->leader_ballot = ballot;
}
