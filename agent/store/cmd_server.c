// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_server.c - answers about the server and the connection
 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>

void pxs_server_unknown_sub(struct pxs_request *r)
{
	pxs_cmd_other_sub(&r->out, r->cmd, r->argc, r->argv[1]);
}

bool pxs_server_sub(struct pxs_request *r, const char *word, int arity, bool *over)
{
	char name[64];

	if (*over || !pxs_str_is(r->argv[1], word))
		return false;
	*over = true;
	if (arity > 0 ? r->argc == (u32)arity : r->argc >= (u32)-arity)
		return true;
	snprintf(name, sizeof(name), "%s|%s", r->cmd->name, word);
	pxs_reply_arity(&r->out, name);
	return false;
}

/* --- who --------------------------------------------------------------------- */

/* In a time that tells nothing about where they differ. */
static bool same_password(const char *want, struct pxs_str got)
{
	u32 len = (u32)strlen(want);
	u32 differ = len ^ got.len;
	u32 i;

	for (i = 0; i < got.len; i++)
		differ |= got.data[i] ^ (u8)want[len ? i % len : 0];
	return !differ;
}

static bool login(struct pxs_request *r, struct pxs_str user, struct pxs_str password)
{
	const char *want = r->conn->store->config->password;

	if (pxs_str_equal(user, pxs_str("default")) && (!want || same_password(want, password))) {
		r->conn->authenticated = true;
		return true;
	}
	pxs_reply_error(&r->out, "WRONGPASS invalid username-password pair or user is disabled.");
	return false;
}

void pxs_server_auth(struct pxs_request *r)
{
	bool named = r->argc == 3;

	if (r->argc > 3)
		pxs_reply_syntax(&r->out);
	else if (!named && !r->conn->store->config->password)
		pxs_reply_error(&r->out,
				"ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
	else if (login(r, named ? r->argv[1] : pxs_str("default"), r->argv[r->argc - 1]))
		pxs_reply_status(&r->out, "OK");
}

struct hello {
	s64 proto;
	struct pxs_str user;
	struct pxs_str password;
	struct pxs_str name;
	bool auth;
	bool named;
};

static bool parse_hello(struct pxs_request *r, struct hello *h)
{
	u32 i;

	if (r->argc > 1 && !pxs_str_int(r->argv[1], &h->proto)) {
		pxs_reply_error(&r->out, "ERR Protocol version is not an integer or out of range");
		return false;
	}
	if (r->argc > 1 && (h->proto < 2 || h->proto > 3)) {
		pxs_reply_error(&r->out, "NOPROTO unsupported protocol version");
		return false;
	}
	for (i = 2; i < r->argc; i++) {
		if (pxs_str_is(r->argv[i], "AUTH") && r->argc - i > 2) {
			h->auth = true;
			h->user = r->argv[++i];
			h->password = r->argv[++i];
		} else if (pxs_str_is(r->argv[i], "SETNAME") && r->argc - i > 1) {
			h->named = true;
			h->name = r->argv[++i];
			if (!pxs_client_name_holds(r, h->name))
				return false;
		} else {
			pxs_reply_error(&r->out, "ERR Syntax error in HELLO option '%.*s'",
					(int)r->argv[i].len, (const char *)r->argv[i].data);
			return false;
		}
	}
	return true;
}

void pxs_server_hello(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;
	struct hello h = { 0 };

	if (!parse_hello(r, &h) || (h.auth && !login(r, h.user, h.password)))
		return;
	if (!c->authenticated) {
		pxs_reply_error(&r->out,
				"NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
		return;
	}
	if (h.named)
		pxs_client_set_name(c, h.name);
	if (h.proto)
		c->proto = (u8)h.proto;
	r->out.proto = c->proto;
	pxs_reply_map(&r->out, 7);
	pxs_reply_text(&r->out, "server");
	pxs_reply_text(&r->out, "redis");
	pxs_reply_text(&r->out, "version");
	pxs_reply_text(&r->out, PXS_COMPATIBLE);
	pxs_reply_text(&r->out, "proto");
	pxs_reply_int(&r->out, c->proto);
	pxs_reply_text(&r->out, "id");
	pxs_reply_int(&r->out, (s64)c->id);
	pxs_reply_text(&r->out, "mode");
	pxs_reply_text(&r->out, pxs_cluster_known(c->store) ? "cluster" : "standalone");
	pxs_reply_text(&r->out, "role");
	pxs_reply_text(&r->out, pxs_server_leads_any(c->store) ? "master" : "replica");
	pxs_reply_text(&r->out, "modules");
	pxs_reply_array(&r->out, 0);
}

/* --- checkpoints, in Redis's words ------------------------------------------------ */

void pxs_server_bgsave(struct pxs_request *r)
{
	struct pxs_store *s = r->conn->store;
	bool idle = true;
	u32 i;

	for (i = 0; i < pxs_set_count(s); i++)
		idle &= pxs_set_at(s, i)->checkpoint.state == PXS_CHECKPOINT_IDLE;
	if (r->argc > 2 || (r->argc == 2 && !pxs_str_is(r->argv[1], "schedule"))) {
		pxs_reply_syntax(&r->out);
		return;
	}
	if (!idle && r->argc == 1) {
		pxs_reply_error(&r->out, "ERR Background save already in progress");
		return;
	}
	pxs_reply_status(&r->out, idle ? "Background saving started" :
					 "Background saving scheduled");
	for (i = 0; i < pxs_set_count(s); i++)
		pxs_checkpoint_ask(pxs_set_at(s, i), NULL);
}

void pxs_server_lastsave(struct pxs_request *r)
{
	const struct pxs_store *s = r->conn->store;
	u64 made = ~0ull;
	u32 i;

	/* Of several groups, the oldest. */
	for (i = 0; i < pxs_set_count(s); i++)
		made = min(made, pxs_set_at(s, i)->checkpoint.done_made);
	pxs_reply_int(&r->out, (s64)(made / 1000));
}

/* --- WAIT --------------------------------------------------------------------- */

/* A write is answered when a quorum of phase 2 has it: so many other members do. */
void pxs_server_wait(struct pxs_request *r)
{
	const struct pxs_group_conf *conf = &r->conn->store->replica->config->conf;
	s64 replicas, timeout;

	if (!pxs_str_int(r->argv[1], &replicas))
		pxs_reply_not_int(&r->out);
	else if (!pxs_str_int(r->argv[2], &timeout))
		pxs_reply_error(&r->out, "ERR timeout is not an integer or out of range");
	else if (timeout < 0)
		pxs_reply_error(&r->out, "ERR timeout is negative");
	else
		pxs_reply_int(&r->out, pxs_group_phase2(conf).enough - 1);
}
