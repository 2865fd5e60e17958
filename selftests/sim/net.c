// SPDX-License-Identifier: GPL-2.0
/*
 * net.c - datagrams between modules
 *
 * Encoded and decoded by the shipped code. The tag is a cheap keyed sum in place of
 * BLAKE2s: it only has to notice a flipped bit here.
 */
#include "sim.h"

#define TAG_KEY	0x5eedc0dedeadbeefull

/* Four lanes: a multiplication need not wait for the one before. */
static u64 sum(u64 h, const u8 *p, size_t len)
{
	u64 lane[4] = { h, ~h, h << 1, h >> 1 };
	u64 w[4];
	u32 i;

	for (; len >= sizeof(w); len -= sizeof(w), p += sizeof(w)) {
		memcpy(w, p, sizeof(w));
		for (i = 0; i < 4; i++) {
			lane[i] = (lane[i] ^ w[i]) * 0x9fb21c651e98df25ull;
			lane[i] ^= lane[i] >> 32;
		}
	}
	for (i = 0; i < 4; i++)
		h = (h ^ lane[i]) * 0x9fb21c651e98df25ull;
	for (; len >= 8; len -= 8, p += 8) {
		u64 w;

		memcpy(&w, p, 8);
		h = (h ^ w) * 0x9fb21c651e98df25ull;
		h ^= h >> 32;
	}
	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

/* Everything but the tag itself. */
static void tag_of(const u8 *p, size_t len, u8 tag[PXS_WIRE_TAG_LEN])
{
	u64 h = sum(TAG_KEY, p, PXS_WIRE_TAG_OFFSET);

	h = sum(h, p + PXS_WIRE_TAG_OFFSET + PXS_WIRE_TAG_LEN,
		len - PXS_WIRE_TAG_OFFSET - PXS_WIRE_TAG_LEN);
	memset(tag, 0, PXS_WIRE_TAG_LEN);
	memcpy(tag, &h, sizeof(h));
}

static void post(struct sim *s, struct sim_node *n, u32 to, const u8 *p, u32 len)
{
	u64 delay = 1 + sim_below(s, s->p.net_ms);
	struct sim_event *e;
	u8 *copy;

	if (sim_has(s, F_LATE) && sim_fault_below(s, F_LATE, 1024) < s->p.late) {
		delay += sim_fault_below(s, F_LATE, 6 * s->p.election);
		sim_count(s, F_LATE);
	}
	copy = malloc(len);
	if (!copy)
		abort();
	memcpy(copy, p, len);
	if (sim_chance(s, F_FLIP, 64))
		copy[sim_fault_below(s, F_FLIP, len)] ^= 1u << sim_fault_below(s, F_FLIP, 8);
	e = sim_post(s, s->now + delay, E_NET, (u8)to, 0);
	e->a = sim_index(s, n);
	e->b = s->sends;
	e->reborn = n->reborn;
	e->data = copy;
	e->len = len;
}

/* @m is complete but for counter and tag. */
void sim_send(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m, const u8 *body)
{
	static u8 buf[PXS_WIRE_MAX];
	struct pxs_wire_hdr *hdr = (struct pxs_wire_hdr *)buf;
	struct pxs_msg msg = *m;
	u32 from = sim_index(s, n);
	u32 to;

	for (to = 0; to < s->p.n && s->node[to].id != m->receiver; to++)
		;
	if (to == s->p.n) {
		sim_fail(s, "node %u sends to a stranger", from);
		return;
	}
	s->stat.datagrams++;
	s->sends++;
	msg.counter = ++n->part[g].counter;
	msg.key_id = 1;
	pxs_wire_build(hdr, &msg);
	if (m->len)
		memcpy(hdr + 1, body, m->len);
	tag_of(buf, PXS_WIRE_HDR_LEN + m->len, hdr->tag);
	if (s->cut[from][to] && !s->healed)
		return;
	if (sim_has(s, F_LOSS) && sim_fault_below(s, F_LOSS, 1024) < s->p.loss) {
		sim_count(s, F_LOSS);
		return;
	}
	post(s, n, to, buf, PXS_WIRE_HDR_LEN + m->len);
	if (sim_has(s, F_DUP) && sim_fault_below(s, F_DUP, 1024) < s->p.dup) {
		sim_count(s, F_DUP);
		post(s, n, to, buf, PXS_WIRE_HDR_LEN + m->len);
	}
}

void sim_deliver(struct sim *s, struct sim_event *e)
{
	const struct pxs_wire_hdr *hdr = (const struct pxs_wire_hdr *)e->data;
	struct sim_node *n = &s->node[e->node];
	u8 tag[PXS_WIRE_TAG_LEN];
	struct sim_part *part;
	struct pxs_msg m;
	int g, fault;

	if (!n->mod.up || (s->cut[e->a][e->node] && !s->healed))
		return;
	if (pxs_wire_parse(hdr, e->len, &m))
		return;
	g = sim_group_index(s, m.group);
	if (g < 0 || !n->part[g].there)
		return;
	part = &n->part[g];
	if (pxs_group_admit(&part->core, &m) || m.key_id != 1)
		return;
	tag_of(e->data, e->len, tag);
	if (memcmp(tag, hdr->tag, sizeof(tag)))
		return;
	fault = pxs_group_trust(&part->core, &m);
	if (fault == PXS_GROUP_STAT_REPLAY && e->b > part->beat[e->a])
		sim_fail(s, "node %u takes a new heartbeat of node %llu for an old one", e->node,
			 U(e->a));
	if (fault)
		return;
	if (m.epoch != part->core.conf.epoch && m.type != PXS_WIRE_LEARN &&
	    m.type != PXS_WIRE_LEARN_REQ &&
	    !(m.type == PXS_WIRE_PREVOTE && m.epoch < part->core.conf.epoch))
		sim_fail(s, "S10: node %u, of epoch %llu, takes %s of epoch %llu", e->node,
			 U(part->core.conf.epoch), sim_wire_name(m.type), U(m.epoch));
	if (m.type == PXS_WIRE_HEARTBEAT || m.type == PXS_WIRE_TRANSFER)
		part->beat[e->a] = max(part->beat[e->a], e->b);
	if (e->reborn)
		sim_fail(s, "S3: node %u listens to node %llu, whose disk was replaced", e->node,
			 U(e->a));
	sim_module_recv(s, n, (u32)g, &m, e->data + PXS_WIRE_HDR_LEN);
}

/* A network may be faster than it was meant to be. */
void sim_deliver_early(struct sim *s, struct sim_node *n, u32 max)
{
	struct sim_event e;
	u32 i;

	for (i = 0; i < s->heap_len && max && !s->failed; i++) {
		if (s->heap[i].type != E_NET || s->heap[i].node != sim_index(s, n))
			continue;
		e = s->heap[i];
		s->heap[i].type = E_NONE;
		s->heap[i].data = NULL;
		sim_deliver(s, &e);
		free(e.data);
		max--;
	}
}
