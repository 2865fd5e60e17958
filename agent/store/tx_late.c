// SPDX-License-Identifier: GPL-2.0
/*
 * tx_late.c - commands about the server or the connection, between MULTI and EXEC
 */
#include "tx_late.h"

#include "store.h"

static struct pxs_request *placeholder(struct pxs_conn *c)
{
	static const u8 word[] = "PING";
	struct pxs_request *r = calloc(1, sizeof(*r) + sizeof(r->argv[0]));

	if (!r)
		return NULL;
	r->argv[0] = (struct pxs_str){ word, sizeof(word) - 1 };
	r->argc = 1;
	r->cmd = pxs_cmd_find(r->argv[0]);
	r->conn = c;
	r->store = c->store;
	r->bytes = sizeof(*r) + sizeof(r->argv[0]);
	return r;
}

struct pxs_request *pxs_late_keep(struct pxs_conn *c, struct pxs_request *copy, u32 place)
{
	struct pxs_request *instead = placeholder(c);
	struct pxs_request **p = &c->late;

	if (!instead)
		return NULL;
	while (*p)
		p = &(*p)->next;
	copy->next = NULL;
	copy->place = place;
	*p = copy;
	return instead;
}

void pxs_late_take(struct pxs_request *exec)
{
	exec->late = exec->conn->late;
	exec->conn->late = NULL;
}

void pxs_late_drop(struct pxs_request **kept)
{
	struct pxs_request *r;

	while ((r = *kept)) {
		*kept = r->next;
		pxs_reply_free(&r->out);
		free(r);
	}
}

/* Bytes of the answer that @s begins with, whose head is the first line; all of it is there. */
static u32 whole(struct pxs_str s)
{
	u64 left = 1;
	const u8 *end;
	u32 at = 0;
	long n;

	for (; left; left--) {
		end = memchr(s.data + at, '\n', s.len - at);
		pxs_assert(end);
		n = max(strtol((const char *)s.data + at + 1, NULL, 10), -1l);
		switch (s.data[at]) {
		case '$':
		case '=':
			end += n >= 0 ? n + 2 : 0;
			break;
		case '%':
			left += 2 * (u64)n;
			break;
		case '*':
		case '~':
			left += n > 0 ? (u64)n : 0;
			break;
		}
		at = (u32)(end - s.data) + 1;
		pxs_assert(at <= s.len);
	}
	return at;
}

static void execute(struct pxs_request *r, struct pxs_reply *to)
{
	struct pxs_stats *stats = &r->conn->store->stats;

	pxs_reply_init(&r->out, r->conn->proto, PXS_CONN_OUT_MAX);
	r->began = pxs_store_steady();
	pxs_session_local(r);
	r->queued = false;
	pxs_stats_answered(stats, r, pxs_store_steady());
	to->failed |= r->out.failed;
	pxs_reply_raw(to, r->out.buf, r->out.len);
	pxs_reply_free(&r->out);
}

void pxs_late_answer(struct pxs_request *exec, struct pxs_reply *to)
{
	struct pxs_str rest = { exec->out.buf, exec->out.len };
	struct pxs_request *late = exec->late;
	u32 i, n, len;

	/* It was too long, and ends anywhere: the client will be cut off. */
	if (exec->out.failed) {
		to->failed |= !to->quiet;
		return;
	}
	/* Else nothing was executed, and the answer says why. */
	if (!rest.len || rest.data[0] != '*' || rest.data[1] == '-') {
		pxs_reply_raw(to, rest.data, rest.len);
		return;
	}
	n = (u32)strtoul((const char *)rest.data + 1, NULL, 10);
	len = (u32)((const u8 *)memchr(rest.data, '\n', rest.len) - rest.data) + 1;
	pxs_reply_raw(to, rest.data, len);
	for (i = 0; i < n; i++) {
		rest = (struct pxs_str){ rest.data + len, rest.len - len };
		len = whole(rest);
		if (!late || late->place != i) {
			pxs_reply_raw(to, rest.data, len);
			continue;
		}
		execute(late, to);
		late = late->next;
	}
}
