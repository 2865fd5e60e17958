// SPDX-License-Identifier: GPL-2.0
/*
 * test_diff.c - what a change would move: whole commands against a table that the core built
 */
#include "cli/names.h"
#include "cli/table.h"
#include "fake_kernel.h"
#include "unit.h"
#include "../../kmod/core/key.h"
#include "../../kmod/core/table.h"

#define SEED	"000102030405060708090a0b0c0d0e0f"

/* The table that the module would have: three backends, the last with weight 2. */
static void make_page(uint64_t wrong)
{
	struct pxs_table_backend be[3] = { { .weight = 1 }, { .weight = 1 }, { .weight = 2 } };
	struct pxs_key_spec key = { .rule = PXS_KEY_PAYLOAD, .offset = 4, .len = 6 };
	struct pxs_table_config cfg = { .fill = PXS_FILL_RENDEZVOUS, .cap = 20, .nrows = 256,
		.proto = 17, .nbackends = 3, .backends = be, .key = pxs_key_word(&key) };
	struct pxs_table_build b;
	struct pxs_table *t;
	uint8_t seed[16];
	const char *why;
	void *scratch;
	uint32_t i;

	for (i = 0; i < 16; i++)
		seed[i] = (uint8_t)i;
	pxs_seed_from_bytes(&cfg.seed, seed);
	for (i = 0; i < 3; i++) {
		be[i].id = i + 1;
		be[i].family = 4;
		be[i].port = 53;
		memcpy(be[i].addr, (uint8_t[]){ 10, 0, 0, (uint8_t)(i + 1) }, 4);
	}
	CHECK(!pxs_table_plan(&cfg, &why));
	t = malloc(pxs_table_size(&cfg));
	scratch = malloc(pxs_table_scratch(&cfg));
	CHECK(!pxs_table_start(&b, &cfg, t, scratch, 3, &why));
	while (pxs_table_step(&b, PXS_TABLE_BUDGET))
		;
	fake.generation = 3;
	fake.page = nlq_msg(PXS_CMD_TABLE_GET);
	nlq_put_u64(fake.page, PXS_A_TABLE_GENERATION, 3);
	nlq_put_u64(fake.page, PXS_A_TABLE_DIGEST, t->digest + wrong);
	nlq_put_u8(fake.page, PXS_A_TABLE_FILL, PXS_FILL_RENDEZVOUS);
	nlq_put_u32(fake.page, PXS_A_TABLE_NROWS, 256);
	nlq_put(fake.page, PXS_A_TABLE_ROWS, t->rows, 256 * sizeof(t->rows[0]));
	free(scratch);
	free(t);
}

static void make_service(void)
{
	fake_write("service add a udp 192.0.2.1:53 key payload 4:6 fill rendezvous rows 256 cap 20 seed "
		   SEED "\n"
		   "backend add a 10.0.0.1:53 weight 1 id 1 state up\n"
		   "backend add a 10.0.0.2:53 weight 1 id 2 state up\n"
		   "backend add a 10.0.0.3:53 weight 2 id 3 state up\n");
	CHECK_EQ(run("restore", fake_file, NULL), CLI_OK);
}

static void changes(void)
{
	make_service();
	make_page(0);
	/* nothing that counts: nothing moves */
	CHECK_EQ(run("-j", "table", "diff", "a", "backend", "set", "10.0.0.1:53", "weight", "1",
		     NULL), CLI_OK);
	CHECK(strstr(said.out, "\"moved_rows\":0,\"moved\":0.0,\"minimum\":0.0"));
	/* down: what it owns, and no more; without a new table */
	CHECK_EQ(run("-j", "table", "diff", "a", "backend", "set", "10.0.0.3:53", "state", "down",
		     NULL), CLI_OK);
	CHECK(strstr(said.out, "\"minimum\":0.5"));
	CHECK(strstr(said.out, "\"weight\":2,\"share_before\":0.5"));
	/* until when what it has stays there moves no row */
	CHECK_EQ(run("-j", "table", "diff", "a", "backend", "set", "10.0.0.3:53", "deadline", "300",
		     "state", "drain", NULL), CLI_OK);
	CHECK(strstr(said.out, "\"minimum\":0.5"));
	CHECK_EQ(run("table", "diff", "a", "backend", "add", "10.0.0.9:53", "deadline", "0", "weight",
		     "3", NULL), CLI_OK);
	CHECK_EQ(run("table", "diff", "a", "backend", "del", "10.0.0.1:53", "backend", "add",
		     "10.0.0.9:53", "weight", "3", "fill", "sticky", NULL), CLI_OK);
	CHECK(strstr(said.out, "\nbefore      rendezvous, 256 rows, digest 0x"));
	CHECK(strstr(said.out, "\nafter       sticky, 256 rows, digest 0x"));
	CHECK(strstr(said.out, "  WEIGHT  NEW WEIGHT   SHARE  NEW SHARE  GAINED    LOST\n"));
	CHECK(strstr(said.out, "10.0.0.9:53  added    up     unchecked       0           3   0.00%     "
		     "50.00%  50.00%   0.00%\n"));
	CHECK(strstr(said.out, "deleted"));
	CHECK(strstr(said.out, "added"));
	nlmsg_free(fake.page);
}

static void refused(const char *text, const char *w1, const char *w2, const char *w3,
		    const char *w4, const char *w5)
{
	CHECK_EQ(run("table", "diff", "a", w1, w2, w3, w4, w5, NULL), CLI_USAGE);
	if (!strstr(said.err, text))
		NOTE("%s", said.err);
	CHECK(strstr(said.err, text));
	CHECK_STR(said.out, "");
}

static void refusals(void)
{
	make_service();
	make_page(0);
	CHECK_EQ(run("table", "diff", "a", NULL), CLI_USAGE);
	CHECK(strstr(said.err, "CHANGE is missing"));
	refused("backend: \"10.0.0.1:53\" is there already", "backend", "add", "10.0.0.1:53", NULL,
		NULL);
	refused("backend: the service has no \"10.9.0.1:53\"", "backend", "del", "10.9.0.1:53", NULL,
		NULL);
	refused("backend: \"move\" is not add, set or del", "backend", "move", "10.0.0.1:53", NULL,
		NULL);
	refused("weight: \"65536\"", "backend", "set", "10.0.0.1:53", "weight", "65536");
	refused("deadline: \"604801\"", "backend", "set", "10.0.0.1:53", "deadline", "604801");
	refused("state: \"gone\"", "backend", "set", "10.0.0.1:53", "state", "gone");
	refused("seed: \"12\" is not 32 hex digits", "seed", "12", NULL, NULL, NULL);
	refused("cap: \"101%\"", "cap", "101%", NULL, NULL, NULL);
	refused("fill: \"best\"", "fill", "best", NULL, NULL, NULL);
	refused("rows is not a power of two", "rows", "257", NULL, NULL, NULL);
	refused("unknown keyword \"key\"", "key", "dns", NULL, NULL, NULL);
	CHECK_EQ(run("table", "diff", "none", "rows", "0", NULL), CLI_REFUSED);
	nlmsg_free(fake.page);
}

/* A module that fills otherwise: no figure is better than a wrong one. */
static void other_version(void)
{
	make_service();
	make_page(1);
	CHECK_EQ(run("table", "diff", "a", "cap", "50", NULL), CLI_NO_KERNEL);
	CHECK(strstr(said.err, "different versions"));
	CHECK_STR(said.out, "");
	nlmsg_free(fake.page);
}

int main(void)
{
	RUN_FRESH(changes);
	RUN_FRESH(refusals);
	RUN_FRESH(other_version);
	fake_end();
	return unit_done();
}
