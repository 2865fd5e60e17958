// SPDX-License-Identifier: GPL-2.0
/*
 * test_reload.c - SIGHUP: the keys of a changed file, whatever the group does just now
 */
#include "unit_node.h"

#include "../../agent/reload.h"

#define NEW_KEY	"6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c"

static struct pxs_replica replica;
static u32 asked;	/* calls of the datapath */

static int dp_keys(struct pxs_datapath *dp, const struct pxs_group_config *g)
{
	(void)dp;
	(void)g;
	asked++;
	return replica.gone || replica.members.away ? -ENOENT : 0;
}

static const struct pxs_datapath_ops ops = { .keys = dp_keys };
static struct pxs_datapath dp = { .ops = &ops };

static void begin(const char *name)
{
	CHECK_FATAL(node_new_dir(name));
	CHECK_FATAL(node_configure("disk", 1));
	memset(&replica, 0, sizeof(replica));
	replica.id = 1;
	replica.config = &node.config.group[0];
	node.replica = &replica;
	node.nreplicas = 1;
	node.dp = &dp;
	asked = 0;
}

/* The file says that group 1 has the key of file @suffix, with this id; then SIGHUP. */
static void sign_with(const char *suffix, u8 id)
{
	char path[4200], text[16384], *at;
	ssize_t n;
	int fd;

	node_path(".conf", path);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 64);
	close(fd);
	CHECK_FATAL(n > 0);
	text[n] = 0;
	at = strstr(text, ".key\"");
	CHECK_FATAL(at);
	memcpy(at, suffix, 4);
	at = strstr(text, "	self = 2\n");
	CHECK_FATAL(at);
	memmove(at + 12, at, strlen(at) + 1);
	memcpy(at, "	key-id = 0\n", 12);
	at[10] = (char)('0' + id);
	CHECK_FATAL(node_write(".conf", text));
	pxs_reload(&node);
}

static void end(void)
{
	char path[4200];

	node_path(".ney", path);
	unlink(path);
	pxs_config_free(&node.config);
	node_remove_dir();
}

static u8 signs_with(void)
{
	return node.config.group[0].keys.key[0].id;
}

static void keys_are_given_to_the_datapath(void)
{
	begin("given");
	CHECK(node_write(".ney", NEW_KEY));
	sign_with(".ney", 2);
	CHECK_EQ(asked, 1);
	CHECK_EQ(signs_with(), 2);
	end();
}

/* It is on the way to other members: when it is added anew it has the new keys. */
static void a_group_that_is_away_takes_them(void)
{
	begin("away");
	CHECK(node_write(".ney", NEW_KEY));
	replica.members.away = true;
	sign_with(".ney", 2);
	CHECK_EQ(signs_with(), 2);
	CHECK_EQ(node.config.group[0].keys.key[0].bytes[0], 0x6c);
	end();
}

/* Status says which keys members have: who waits for all of them would wait for ever. */
static void who_was_removed_takes_them(void)
{
	begin("removed");
	CHECK(node_write(".ney", NEW_KEY));
	replica.gone = true;
	sign_with(".ney", 2);
	CHECK_EQ(signs_with(), 2);
	end();
}

/* Nobody is asked, so it is seen here: an id never gets another meaning. */
static void an_id_in_use_is_kept(void)
{
	begin("in-use");
	CHECK(node_write(".ney", NEW_KEY));
	replica.members.away = true;
	sign_with(".ney", 1);
	CHECK_EQ(node.config.group[0].keys.key[0].bytes[0], 0x6b);
	end();
}

int main(void)
{
	pxs_report_level(0);	/* what is refused here is not worth reading */
	RUN(keys_are_given_to_the_datapath);
	RUN(a_group_that_is_away_takes_them);
	RUN(who_was_removed_takes_them);
	RUN(an_id_in_use_is_kept);
	return unit_done();
}
