// SPDX-License-Identifier: GPL-2.0
/*
 * test_save.c - save and restore: exact, all or nothing, and never by surprise
 *
 * Each test begins with an empty fake kernel (fake_kernel.h).
 */
#include "cli/names.h"
#include "fake_kernel.h"
#include "unit.h"

#define SEED " seed 000102030405060708090a0b0c0d0e0f\n"

/* Every option, each with values that are not its default. */
static const char all[] =
	"service add a udp 192.0.2.1:53 mode nat key dns fill rendezvous rows 0 cap 20" SEED
	"backend add a 10.0.0.1:53 weight 0 id 0x0000000000000001 state up\n"
	"backend add a 10.0.0.2:53 weight 65535 id 0xffffffffffffffff state drain deadline 604800\n"
	"backend add a 10.0.0.3:1 weight 1 id 0x0000000000000000 state down\n"
	"service add empty tcp 192.0.2.1:65535 mode local key tuple fill maglev rows 65537" SEED
	"service add six tcp [2001:db8::1]:80 mode nat key source/64 fill jump rows 512" SEED
	"backend add six [2001:db8::2]:80 weight 3 id 0x8000000000000000 state up\n"
	"service add p udp 192.0.2.2:1 mode nat key payload 511:1 fill rendezvous rows 131072 cap 0" SEED
	"service add q udp 192.0.2.2:2 mode nat key quic 20 fill rendezvous rows 256 cap 1000 slow-start 3600"
	" bound 1.250 passive 1000/3600" SEED
	"service add r udp 192.0.2.2:3 mode nat key redis fill redis-slots rows 16384" SEED
	"service add k udp 192.0.2.2:4 mode nat key memcached fill ketama rows 0" SEED
	"service add help udp 192.0.2.2:5 mode nat key http-path fill rendezvous rows 0 cap 1" SEED
	"backend add help 10.0.0.1:53 weight 1 id 0x0000000000000009 state up\n"
	"service add s udp 192.0.2.2:6 mode nat key source fill rendezvous rows 0 cap 1" SEED
	"service add h udp 192.0.2.2:7 mode nat key http-host fill rendezvous rows 0 cap 1" SEED
	"service add e udp 192.0.2.3:1 mode nat key tuple fill maglev-envoy rows 0" SEED
	"service add f udp 192.0.2.3:2 mode nat key tuple fill maglev-katran rows 0" SEED
	"service add g udp 192.0.2.3:3 mode nat key tuple fill maglev-cilium rows 16381" SEED
	"service add i udp 192.0.2.3:4 mode nat key tuple fill ipvs-mh rows 251" SEED
	"service add j udp 192.0.2.3:5 mode dsr key tuple fill sticky rows 1024" SEED
	"service add t tcp 192.0.2.3:6 mode tunnel ipip key tuple fill sticky rows 1024" SEED
	"service add u udp 192.0.2.3:7 mode tunnel gue tunnel-port 6081 key tuple fill sticky rows 0"
	SEED
	"service add v tcp 192.0.2.3:8 mode request key redis fill sticky rows 0" SEED;

static const char other[] =
	"service add old udp 192.0.2.9:1 mode nat key tuple fill rendezvous rows 0 cap 20" SEED
	"backend add old 10.0.9.1:1 weight 1 id 0x0000000000000007 state up\n"
	"service add old2 udp 192.0.2.9:2 mode nat key tuple fill rendezvous rows 0 cap 20" SEED;

static int restore(const char *text)
{
	fake_write(text);
	return run("restore", fake_file, NULL);
}

static void check_saves(const char *want)
{
	CHECK_EQ(run("save", NULL), CLI_OK);
	CHECK_STR(said.out, want);
	CHECK_STR(said.err, "");
}

static void round_trip(void)
{
	check_saves("");
	CHECK_EQ(restore(all), CLI_OK);
	CHECK_STR(said.err, "");
	CHECK_STR(said.out, "");
	check_saves(all);
	CHECK_EQ(run("save", "service", "six", NULL), CLI_OK);
	CHECK(!strncmp(said.out, "service add six tcp", 19));
	CHECK(strstr(said.out, "\nbackend add six [2001:db8::2]:80 "));
	CHECK_EQ(run("save", "service", "none", NULL), CLI_REFUSED);
	CHECK_STR(said.out, "");
}

/* What `service add` says of each rule, fill and mode is in the text above. */
static void names_all_saved(void)
{
	const struct names *every[] = { &names_mode, &names_fill, &names_key,
		&names_backend_state };
	char word[64];
	size_t i, v;

	for (i = 0; i < sizeof(every) / sizeof(every[0]); i++) {
		for (v = 1; v < every[i]->n; v++) {
			snprintf(word, sizeof(word), " %s", every[i]->name[v]);
			if (!CHECK(strstr(all, word)))
				NOTE("not tried:%s", word);
		}
	}
}

/* The log brings it back. Another service comes before, and one after, in the dump of backends. */
static void agreed_left_out(void)
{
	static const char agreed[] =
		"service add mid udp 192.0.2.9:2 mode nat group 7 key tuple fill rendezvous rows 0\n"
		"backend add mid 10.0.0.9:2 weight 1 id 1 state up\n";
	static const char last[] =
		"service add z tcp 192.0.2.9:3 mode local key tuple fill maglev rows 65537" SEED
		"backend add z 10.0.0.1:3 weight 1 id 0x0000000000000001 state up\n";
	char text[2 * sizeof(other) + sizeof(agreed) + sizeof(last)];

	snprintf(text, sizeof(text), "%s%s%s", other, agreed, last);
	CHECK_EQ(restore(text), CLI_OK);
	snprintf(text, sizeof(text), "%s%s", other, last);
	check_saves(text);
	CHECK_EQ(run("save", "service", "mid", NULL), CLI_OK);
	CHECK_STR(said.out, "");
	/* A seed was drawn for it. */
	CHECK_EQ(run("-j", "service", "show", "mid", NULL), CLI_OK);
	CHECK(strstr(said.out, "\"group\":7"));
	CHECK(!strstr(said.out, "\"seed\":\"\""));
	/* It is not replaced either. */
	fake_write(last);
	CHECK_EQ(run("restore", fake_file, "flush", NULL), CLI_OK);
	CHECK_EQ(run("service", "show", "mid", NULL), CLI_OK);
}

/* What is left is saved, in whole seconds, upwards: also of one that has passed. */
static void deadline_goes_on(void)
{
	static const struct {
		unsigned int took;
		const char *saved;
	} cases[] = {
		{ 0, " state drain deadline 30\n" }, { 1, " state drain deadline 30\n" },
		{ 1000, " state drain deadline 29\n" }, { 29999, " state drain deadline 1\n" },
		{ 30000, " state drain deadline 1\n" },
	};
	char text[sizeof(other) + 256];
	size_t i;

	snprintf(text, sizeof(text), "%s%s", other,
		 "backend add old2 10.0.9.2:1 weight 1 id 8 state drain deadline 30\n"
		 "backend add old2 10.0.9.3:1 weight 1 id 9 state drain deadline 0\n");
	CHECK_EQ(restore(text), CLI_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake.took = cases[i].took;
		CHECK_EQ(run("save", NULL), CLI_OK);
		CHECK(strstr(said.out, cases[i].saved));
		CHECK(strstr(said.out, "10.0.9.3:1 weight 1 id 0x0000000000000009 state drain\n"));
	}
}

static void json(void)
{
	restore(other);
	CHECK_EQ(run("-j", "save", NULL), CLI_OK);
	CHECK(!strncmp(said.out, "{\"command\":\"service add old udp", 31));
	CHECK(strstr(said.out, "state up\"}\n{\"command\""));
}

/* A configuration is not added to by accident, nor thrown away. */
static void occupied(void)
{
	restore(other);
	fake.changes = 0;
	CHECK_EQ(restore(all), CLI_REFUSED);
	CHECK(strstr(said.err, "services already: say flush"));
	CHECK_EQ(fake.changes, 0);
	check_saves(other);

	fake_write("# nothing\n\n");
	CHECK_EQ(run("restore", fake_file, NULL), CLI_REFUSED);
	CHECK_EQ(run("restore", fake_file, "flush", NULL), CLI_REFUSED);
	CHECK(strstr(said.err, "nothing is flushed"));
	check_saves(other);
}

static void flush(void)
{
	restore(other);
	fake_write(all);
	CHECK_EQ(run("restore", fake_file, "flush", NULL), CLI_OK);
	CHECK_STR(said.err, "");
	check_saves(all);
	fake_write(other);
	CHECK_EQ(run("restore", fake_file, "flush", NULL), CLI_OK);
	check_saves(other);
}

static void nothing_of_nothing(void)
{
	CHECK_EQ(restore("\n# empty\n"), CLI_OK);
	CHECK_EQ(fake.changes, 0);
	CHECK_EQ(run("restore", "/nonexistent/file", NULL), CLI_USAGE);
}

/* The last line is wrong: the kernel hears of none. */
static void bad_lines(void)
{
	static const struct {
		const char *line, *words;
	} bad[] = {
		{ "service add x udp 192.0.2.1:53 fil maglev\n", ":4: service add: unknown keyword" },
		{ "backend add old 10.0.0.1\n", ":4: backend add: \"10.0.0.1\" is not" },
		{ "service add\n", ":4: service add: NAME is missing" },
		{ "service add help\n", ":4: service add: adds nothing" },
		{ "service del old\n", ":4: \"service del\" is not" },
		{ "service\n", ":4: \"service\" is not" },
		{ "se a x udp 192.0.2.1:53\n", ":4: \"se a\" is not" },
		{ "restore x\n", ":4: \"restore x\" is not" },
		{ "service add 'x\n", ":4: a quote" },
		{ "service add x udp 192.0.2.1:53 mode nat \377\n", ":4: service add: unknown keyword" },
		{ "-A -t 10.0.0.1:80 -s mh\n", ":4: \"-A -t\" is not" },
	};
	char text[2048];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", other, bad[i].line);
		CHECK_EQ(restore(text), CLI_USAGE);
		if (!CHECK(strstr(said.err, bad[i].words)))
			NOTE("%s", said.err);
		CHECK(strstr(said.err, fake_file));
	}
	CHECK_EQ(fake.changes, 0);
	CHECK_EQ(fake.dumps, 0);
}

/* Whichever request is refused, what was there is there afterwards; also if nobody reads why. */
static void refused(void)
{
	unsigned int lines = 15, deletions = 2, i;

	for (i = 1; i <= lines; i++) {
		fake.changes = 0;
		fake.refuse_at = i;
		CHECK_EQ(restore(all), CLI_REFUSED);
		CHECK(strstr(said.err, "nothing is changed"));
		check_saves("");
	}
	fake.refuse_at = 0;
	restore(other);
	fake_write(all);
	fake.pipe = true;
	for (i = deletions + 1; i <= deletions + lines; i++) {
		fake.changes = 0;
		fake.refuse_at = i;
		CHECK_EQ(run("restore", fake_file, "flush", NULL), CLI_REFUSED);
		CHECK(strstr(said.err, "the fake kernel refused"));
		check_saves(other);
	}
	/* The line is named. */
	fake.changes = 0;
	fake.refuse_at = deletions + 3;
	run("restore", fake_file, "flush", NULL);
	CHECK(strstr(said.err, "/file:3: backend add: the fake kernel refused"));
	fake.refuse_at = 0;
	CHECK_EQ(run("restore", fake_file, "flush", NULL), CLI_OK);
	check_saves(all);
}

/* As a process gave it: no line can. */
static void give_socket(const char *service)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_BACKEND_ADD);

	nlq_put_str(msg, PXS_A_BACKEND_SERVICE, service);
	nlq_put(msg, PXS_A_BACKEND_ADDR, (uint8_t[]){ 10, 0, 9, 1 }, 4);
	nlq_put_u16(msg, PXS_A_BACKEND_PORT, htons(1));
	nlq_put_u64(msg, PXS_A_BACKEND_SOCKET, 5);
	nlq_put_u64(msg, PXS_A_BACKEND_WEIGHT, 1);
	nlq_put_u8(msg, PXS_A_BACKEND_STATE, PXS_BACKEND_UP);
	fake_keep(&fake.backend[fake.backends++], msg, PXS_A_BACKEND_SERVICE);
}

/* What a refused flush cannot put back is said; the next one has nothing of it to lose. */
static void sockets_are_gone(void)
{
	unsigned int deletions = 2;

	restore(other);
	give_socket("old");
	give_socket("old2");
	CHECK_EQ(run("save", NULL), CLI_OK);
	CHECK(strstr(said.out, "# not saved, its process has to give it again: backend of old2 "));
	fake_write(all);
	fake.changes = 0;
	fake.refuse_at = deletions + 1;
	CHECK_EQ(run("restore", fake_file, "flush", NULL), CLI_REFUSED);
	CHECK(!strstr(said.err, "nothing is changed"));
	CHECK(strstr(said.err, "put back, but for 2 sockets that processes gave"));
	check_saves(other);
	fake.changes = 0;
	CHECK_EQ(run("restore", fake_file, "flush", NULL), CLI_REFUSED);
	CHECK(strstr(said.err, "nothing is changed"));
	check_saves(other);
}

static void changes_meanwhile(void)
{
	restore(other);
	fake.changes_under = 3;
	check_saves(other);
	CHECK_EQ(fake.changes_under, 0);
	fake.changes_under = 1000;
	CHECK_EQ(run("save", NULL), CLI_NO_KERNEL);
	CHECK_STR(said.out, "");
	CHECK(strstr(said.err, "changes too fast"));
}

/* A kernel that knows more than this program: no line rather than a wrong one. */
static void unknown_values(void)
{
	struct nl_msg *msg;

	restore(other);
	msg = nlq_msg(PXS_CMD_SERVICE_ADD);
	nlq_put_str(msg, PXS_A_SERVICE_NAME, "new");
	nlq_put_u8(msg, PXS_A_SERVICE_PROTO, 17);
	nlq_put_u8(msg, PXS_A_SERVICE_MODE, PXS_MODE_NAT);
	nlq_put_u8(msg, PXS_A_SERVICE_FILL, 200);
	fake_keep(&fake.service[fake.services++], msg, PXS_A_SERVICE_NAME);
	CHECK_EQ(run("save", NULL), CLI_NO_KERNEL);
	CHECK_STR(said.out, "");
	CHECK(strstr(said.err, "fill 200 is not known"));
}

/* Where a name is all that a command takes, "help" is one too. */
static void a_name_like_any_other(void)
{
	fake_write("service add help udp 192.0.2.1:53\nbackend add help 10.0.0.1:53\n");
	CHECK_EQ(run("restore", fake_file, NULL), CLI_OK);
	CHECK_EQ(run("service", "show", "help", NULL), CLI_OK);
	CHECK(strstr(said.out, "192.0.2.1:53"));
	CHECK_EQ(run("backend", "show", "help", NULL), CLI_OK);
	CHECK(strstr(said.out, "10.0.0.1:53"));
	CHECK_EQ(run("service", "set", "help", NULL), CLI_OK);
	CHECK(strstr(said.out, "Usage: paxsteer service"));
	CHECK_EQ(run("service", "del", "help", NULL), CLI_OK);
	CHECK_STR(said.out, "");
	CHECK_EQ(fake.services, 0);
}

static void words(void)
{
	CHECK_EQ(run("save", "help", NULL), CLI_OK);
	CHECK(strstr(said.out, "Usage: paxsteer save"));
	CHECK_EQ(run("save", "servic", "a", NULL), CLI_USAGE);
	CHECK_EQ(run("save", "service", NULL), CLI_USAGE);
	CHECK_EQ(run("save", "service", "a", "b", NULL), CLI_USAGE);
	CHECK_EQ(run("restore", "help", NULL), CLI_OK);
	CHECK(strstr(said.out, "Usage: paxsteer restore"));
	CHECK_EQ(run("restore", "a", "b", NULL), CLI_USAGE);
	CHECK_EQ(run("restore", "a", "flush", "b", NULL), CLI_USAGE);
	CHECK_EQ(fake.dumps, 0);
}

int main(void)
{
	RUN_FRESH(round_trip);
	RUN_FRESH(names_all_saved);
	RUN_FRESH(agreed_left_out);
	RUN_FRESH(deadline_goes_on);
	RUN_FRESH(json);
	RUN_FRESH(occupied);
	RUN_FRESH(flush);
	RUN_FRESH(nothing_of_nothing);
	RUN_FRESH(bad_lines);
	RUN_FRESH(refused);
	RUN_FRESH(sockets_are_gone);
	RUN_FRESH(changes_meanwhile);
	RUN_FRESH(unknown_values);
	RUN_FRESH(a_name_like_any_other);
	RUN_FRESH(words);
	fake_end();
	return unit_done();
}
