// SPDX-License-Identifier: GPL-2.0
/*
 * test_cluster.c - what `paxsteer cluster` decides: members, the bundle, texts
 */
#include "unit.h"

#include <inttypes.h>

#include "cli/cluster_conf.h"
#include "platform.h"
#include "store/shards.h"

static char error[BUNDLE_ERROR_MAX];

static bool says(const char *words)
{
	if (strstr(error, words))
		return true;
	NOTE("said: %s", error);
	return false;
}

/* --- members ----------------------------------------------------------------- */

static void member_is(const char *word, unsigned int id, const char *address, const char *store)
{
	char text[PARSE_ENDPOINT_LEN];
	struct bundle_member m;

	CHECK_FATAL(!bundle_member_parse(word, &m, error));
	CHECK_EQ(m.id, id);
	CHECK_STR(format_endpoint(text, &m.address), address);
	CHECK_STR(format_endpoint(text, &m.store), store);
}

static void member_words(void)
{
	member_is("1=10.0.0.1", 1, "10.0.0.1:7400", "10.0.0.1:6379");
	member_is("63=10.0.0.1:7", 63, "10.0.0.1:7", "10.0.0.1:6379");
	member_is("2=10.0.0.1,6380", 2, "10.0.0.1:7400", "10.0.0.1:6380");
	member_is("2=10.0.0.1:7,127.0.0.12:6379", 2, "10.0.0.1:7", "127.0.0.12:6379");
	member_is("3=fd00::1", 3, "[fd00::1]:7400", "[fd00::1]:6379");
	member_is("3=[fd00::1]:7,[fd00::2]:8", 3, "[fd00::1]:7", "[fd00::2]:8");
}

static void member_refused(const char *word, const char *words)
{
	struct bundle_member m;

	if (!CHECK(bundle_member_parse(word, &m, error)))
		NOTE("taken: %s", word);
	if (!CHECK(says(words)))
		NOTE("of: %s", word);
}

static void wrong_members(void)
{
	char longest[600];

	member_refused("10.0.0.1", "is not ID=ADDRESS");
	member_refused("=10.0.0.1", "the id is not 1..63");
	member_refused("0=10.0.0.1", "the id is not 1..63");
	member_refused("64=10.0.0.1", "the id is not 1..63");
	member_refused("0x1=10.0.0.1", "the id is not 1..63");
	member_refused("-1=10.0.0.1", "the id is not 1..63");
	member_refused("111111111111111111111=10.0.0.1", "the id is not 1..63");
	member_refused("1=", "member 1: \"\" is not ADDRESS");
	member_refused("1=node", "member 1: \"node\" is not ADDRESS");
	member_refused("1=10.0.0.1:0", "is not ADDRESS");
	member_refused("1=10.0.0.1:65536", "is not ADDRESS");
	member_refused("1=fd00::1:7400:", "is not ADDRESS");
	member_refused("1=10.0.0.1,", "member 1: store: \"\" is not PORT");
	member_refused("1=10.0.0.1,0", "member 1: store: \"0\" is not PORT");
	member_refused("1=10.0.0.1,65536", "store: \"65536\" is not PORT");
	member_refused("1=10.0.0.1,10.0.0.2", "store: \"10.0.0.2\" is not PORT");
	member_refused("1=10.0.0.1,1,2", "store: \"1,2\" is not PORT");
	member_refused("1=0.0.0.0", "is no machine's address");
	member_refused("1=::", "is no machine's address");
	member_refused("1=10.0.0.1,0.0.0.0:1", "is no machine's address");
	member_refused("1=224.0.0.1", "is not one machine's address");
	member_refused("1=255.255.255.255", "is not one machine's address");
	member_refused("1=ff02::1", "is not one machine's address");
	member_refused("1=fe80::1", "is good on one link only");
	memset(longest, '1', sizeof(longest));
	memcpy(longest, "1=", 2);
	longest[sizeof(longest) - 1] = 0;
	member_refused(longest, "is not ADDRESS");
}

/* --- who makes a cluster ------------------------------------------------------- */

static void add(struct bundle *b, const char *word)
{
	if (CHECK(!bundle_member_parse(word, &b->member[b->n], error))) {
		b->member[b->n].incarnation = 0xabc0 + b->n;
		b->n++;
	}
}

static struct bundle three(void)
{
	struct bundle b = { .until = 1000, .user = true, .key_id = BUNDLE_KEY_ID, .groups = 1 };

	memset(b.cluster, 0x11, sizeof(b.cluster));
	memset(b.key, 0x22, sizeof(b.key));
	memset(b.password, 0x33, sizeof(b.password));
	add(&b, "1=10.0.0.1");
	add(&b, "2=10.0.0.2");
	add(&b, "3=10.0.0.3");
	return b;
}

/* One more, beside three of which one is a learner. */
static struct bundle fourth(void)
{
	struct bundle b = three();
	unsigned int i;

	add(&b, "4=10.0.0.4");
	for (i = 0; i < 3; i++)
		b.member[i].joined = 900;
	b.member[2].learner = true;
	b.member[3].learner = true;
	b.adds = 4;
	b.key_id = 7;
	return b;
}

static void with_third(const char *word, const char *words)
{
	struct bundle b = three();

	b.n = 2;
	add(&b, word);
	CHECK(bundle_members_check(&b, error) && says(words));
}

static void who_makes_a_cluster(void)
{
	struct bundle b = three();

	CHECK(!bundle_members_check(&b, error));
	b.n = 2;
	CHECK(bundle_members_check(&b, error) && says("2 members: a cluster begins with 3 or 5"));
	b.n = 3;
	add(&b, "4=10.0.0.4");
	CHECK(bundle_members_check(&b, error) && says("4 members"));
	add(&b, "5=10.0.0.5");
	CHECK(!bundle_members_check(&b, error));
	with_third("1=10.0.0.3", "member 1 is given twice");
	with_third("3=10.0.0.2,1", "members 2 and 3 have the same address 10.0.0.2:7400");
	with_third("3=10.0.0.2:1", "stores of members 2 and 3 have the same address 10.0.0.2:6379");
	with_third("3=fd00::3", "members 1 and 3 have addresses of different families");
}

static void who_may_join(void)
{
	struct bundle b = three();
	unsigned int at = 9;

	CHECK(!bundle_joins(&b, 2, 1000, &at, error) && at == 1);
	at = 9;
	CHECK(bundle_joins(&b, 4, 0, &at, error) && says("member 4 is not in the bundle: it has 1, 2, 3"));
	CHECK(bundle_joins(&b, 2, 1007, &at, error) && says("the bundle has ended 7 seconds ago"));
	b.member[1].joined = 1;
	CHECK(bundle_joins(&b, 2, 5, &at, error) && says("member 2 was made of this bundle before"));
	CHECK_EQ(at, 9);
	CHECK(!bundle_joins(&b, 3, 5, &at, error) && at == 2);
}

static void who_may_be_added(void)
{
	struct bundle b = fourth();
	unsigned int at = 9;

	CHECK(!bundle_members_check(&b, error));
	CHECK(!bundle_joins(&b, 4, 1000, &at, error) && at == 3);
	CHECK(bundle_joins(&b, 2, 5, &at, error) &&
	      says("member 2 is there: the bundle is for member 4"));
	CHECK(bundle_joins(&b, 5, 5, &at, error) && says("member 5 is not in the bundle"));
	b.member[1].joined = 0;
	CHECK(bundle_joins(&b, 2, 5, &at, error) && says("the bundle is for member 4"));
	b.member[3].joined = 1;
	CHECK(bundle_joins(&b, 4, 5, &at, error) && says("member 4 was made of this bundle before"));
	b.member[3].learner = false;
	CHECK(bundle_members_check(&b, error) && says("member 4 is not there as a learner"));
	b.adds = 5;
	CHECK(bundle_members_check(&b, error) && says("member 5 is not there"));
	b = fourth();
	b.member[3].address = b.member[0].address;
	CHECK(bundle_members_check(&b, error) && says("members 1 and 4 have the same address"));
	b = fourth();
	b.member[0] = b.member[3];
	b.n = 2;
	CHECK(bundle_members_check(&b, error) && says("2 members: with one more there are 3 to 7"));
}

/* --- the bundle's text --------------------------------------------------------- */

static bool same_bundle(const struct bundle *a, const struct bundle *b)
{
	char x[BUNDLE_TEXT_MAX], y[BUNDLE_TEXT_MAX];

	bundle_format(a, x);
	bundle_format(b, y);
	return !strcmp(x, y);
}

static void there_and_back(void)
{
	struct bundle b = three(), back;
	char text[BUNDLE_TEXT_MAX];
	size_t len = bundle_format(&b, text);

	CHECK_EQ(len, strlen(text));
	CHECK_FATAL(!bundle_parse(text, len, &back, error));
	CHECK(same_bundle(&b, &back) && back.groups == 1);
	CHECK(!memcmp(b.key, back.key, sizeof(b.key)) && back.user && back.until == 1000);
	CHECK_EQ(back.member[2].incarnation, 0xabc2);
	/* the longest */
	b.n = 0;
	b.until = INT64_MAX;
	b.adds = 57;
	b.groups = BUNDLE_GROUPS_MAX;
	while (b.n < BUNDLE_MEMBERS_MAX) {
		char word[64];

		snprintf(word, sizeof(word), "%u=[1111:2222:3333:4444:5555:6666:7777:%u]:65535", b.n + 57,
			 b.n + 8880);
		add(&b, word);
		b.member[b.n - 1].learner = true;
		b.member[b.n - 1].joined = INT64_MAX;
		b.member[b.n - 1].incarnation = UINT64_MAX - b.n;
	}
	len = bundle_format(&b, text);
	CHECK(len < BUNDLE_TEXT_MAX);
	CHECK(!bundle_parse(text, len, &back, error) && same_bundle(&b, &back));
}

static void one_more_there_and_back(void)
{
	struct bundle b = fourth(), back;
	char text[BUNDLE_TEXT_MAX];
	size_t len = bundle_format(&b, text);

	CHECK(strstr(text, "paxsteer-bundle 2\n") && strstr(text, "\nadds 4 key-id 7\n"));
	CHECK_FATAL(!bundle_parse(text, len, &back, error));
	CHECK(same_bundle(&b, &back));
	CHECK(back.adds == 4 && back.key_id == 7 && back.member[3].learner &&
	      !back.member[1].learner);
	b = three();
	bundle_format(&b, text);
	CHECK(!strstr(text, "adds") && !strstr(text, "role"));
	CHECK(!bundle_parse(text, strlen(text), &back, error) && back.key_id == BUNDLE_KEY_ID);
}

static void groups_there_and_back(void)
{
	struct bundle b = three(), back;
	char text[BUNDLE_TEXT_MAX];

	CHECK_EQ(BUNDLE_GROUPS_MAX, PXS_SHARDS_MAX);
	b.groups = BUNDLE_GROUPS_MAX;
	bundle_format(&b, text);
	CHECK(strstr(text, "paxsteer-bundle 3\n") && strstr(text, "\ngroups 16\nmember 1 "));
	CHECK_FATAL(!bundle_parse(text, strlen(text), &back, error));
	CHECK(same_bundle(&b, &back) && back.groups == BUNDLE_GROUPS_MAX);
	b = fourth();
	b.groups = 2;
	bundle_format(&b, text);
	CHECK(strstr(text, "paxsteer-bundle 4\n") && strstr(text, "\ngroups 2\nadds 4 key-id 7\n"));
	CHECK_FATAL(!bundle_parse(text, strlen(text), &back, error));
	CHECK(same_bundle(&b, &back) && back.groups == 2 && back.adds == 4);
}

static void cut_and_change(struct bundle b)
{
	char text[BUNDLE_TEXT_MAX];
	size_t len = bundle_format(&b, text), i;
	struct bundle back;

	for (i = 0; i < len; i++)
		if (!CHECK(bundle_parse(text, i, &back, error)))
			NOTE("cut at %zu", i);
	for (i = 0; i < len; i++) {
		text[i] ^= 1;
		if (!CHECK(bundle_parse(text, len, &back, error)))
			NOTE("changed at %zu", i);
		text[i] ^= 1;
	}
	CHECK(!bundle_parse(text, len, &back, error));
}

static void every_cut_and_every_change(void)
{
	cut_and_change(three());
	cut_and_change(fourth());
}

/* The text of @b with @old, which is not the key, replaced, and a sum that is right. */
static size_t changed_of(struct bundle b, char *text, const char *old, const char *new)
{
	char *at, *end, rest[BUNDLE_TEXT_MAX];
	struct pxs_tagger t;
	u8 sum[16];

	bundle_format(&b, text);
	at = strstr(text, old);
	if (!CHECK(at))
		return 0;
	strcpy(rest, at + strlen(old));
	strcpy(at, new);
	strcat(text, rest);
	end = strstr(text, "sum ");
	pxs_tag_init(&t, b.key);
	pxs_tag_update(&t, text, (size_t)(end - text));
	pxs_tag_final(&t, sum);
	format_hex(end + 4, sum, 16);
	strcat(text, "\n");
	return strlen(text);
}

static size_t changed(char *text, const char *old, const char *new)
{
	return changed_of(three(), text, old, new);
}

static void field_of_refused(struct bundle of, const char *old, const char *new, const char *words)
{
	char text[BUNDLE_TEXT_MAX];
	struct bundle b;
	size_t len = changed_of(of, text, old, new);

	if (!CHECK(bundle_parse(text, len, &b, error) && says(words)))
		NOTE("%s -> %s", old, new);
}

static void field_refused(const char *old, const char *new, const char *words)
{
	field_of_refused(three(), old, new, words);
}

static void wrong_fields_of_one_more(void)
{
	struct bundle b = fourth();

	field_of_refused(b, "adds 4", "adds 0", "line 7: adds: \"0\" is wrong");
	field_of_refused(b, "adds 4", "adds 64", "line 7: adds: \"64\" is wrong");
	field_of_refused(b, "adds 4", "adds 5", "member 5 is not there as a learner");
	field_of_refused(b, "adds 4", "adds 2", "member 2 is not there as a learner");
	field_of_refused(b, "key-id 7", "key-id 256", "line 7: key-id: \"256\" is wrong");
	field_of_refused(b, "key-id 7", "key-it 7", "line 7: key-id:");
	field_of_refused(b, "adds 4 key-id 7\n", "", "line 7: is not adds");
	field_of_refused(b, "role voter", "role leader", "line 8: role: \"leader\" is wrong");
	field_of_refused(b, " role voter", "", "line 8: member: has not 11 words");
	field_of_refused(b, "paxsteer-bundle 2", "paxsteer-bundle 1", "line 7: is not sum");
}

static void wrong_fields(void)
{
	char text[BUNDLE_TEXT_MAX] = "", more[400];
	struct bundle b;

	CHECK(!bundle_parse(text, changed(text, "until 1000", "until 1001"), &b, error));
	field_refused("paxsteer-bundle 1", "paxsteer-bundle 5",
		      "version: is 5, this program reads versions 1 to 4");
	field_refused("paxsteer-bundle 1", "paxsteer-bundle 4", "line 7: is not groups");
	field_refused("paxsteer-bundle 1", "paxsteer-bundle 3", "line 7: is not groups");
	field_refused("paxsteer-bundle 1", "paxsteer-bundle 2", "line 7: is not adds");
	field_refused("paxsteer-bundle 1", "paxsteer-bundle x", "line 1: version: \"x\" is wrong");
	field_refused("paxsteer-bundle 1", "bundle 1", "is no bundle");
	field_refused("cluster 1", "cluster x", "line 2: cluster:");
	field_refused("cluster 1", "closter 1", "line 2: is not cluster");
	field_refused("until 1000", "until -1", "line 3: until: \"-1\" is wrong");
	field_refused("until 1000", "until 1000 5", "line 3: until: has not 2 words");
	field_refused("until 1000", "until", "line 3: is not until");
	field_refused("datapath user", "datapath none", "line 4: datapath: \"none\" is wrong");
	field_refused("password 33", "password 3", "line 6: password: is not 32 hex digits");
	field_refused("password 33", "password 3x", "line 6: password: is not 32 hex digits");
	field_refused("member 2 ", "member 64 ", "line 8: member: \"64\" is wrong");
	field_refused("member 2 ", "member 1 ", "member 1 is given twice");
	field_refused("2 10.0.0.2:7400", "2 10.0.0.2", "line 8: address: \"10.0.0.2\" is wrong");
	field_refused("2 10.0.0.2:7400", "2 0.0.0.0:7400", "line 8: address:");
	field_refused("2 10.0.0.2:7400", "2 10.0.0.1:7400", "have the same address");
	field_refused("2 10.0.0.2:7400", "2 [fd00::1]:7400", "different families");
	field_refused("store 10.0.0.2", "stone 10.0.0.2", "line 8: store: is missing");
	field_refused("store 10.0.0.2:6379", "store 10.0.0.2:0", "line 8: store:");
	field_refused("0x000000000000abc1", "0", "line 8: incarnation: \"0\" is wrong");
	field_refused("0x000000000000abc1", "0xabc0", "line 8: incarnation: is that of another");
	field_refused("joined 0", "joined x", "line 7: joined:");
	field_refused("joined 0\n", "joined 0 0\n", "line 7: member: has not 9 words");
	field_refused("member 3", "mumber 3", "line 9: is not sum");
	memset(more, 'x', sizeof(more));
	more[sizeof(more) - 1] = 0;
	field_refused("until 1000", strcat(strcpy(text, "until "), more), "line 3: until: is too long");
	memset(text, 'a', sizeof(text));
	CHECK(bundle_parse(text, BUNDLE_TEXT_MAX, &b, error) && says("is larger than a bundle"));
	CHECK(bundle_parse("a\0b", 3, &b, error) && says("a byte of zero"));
	CHECK(bundle_parse("", 0, &b, error) && says("is no bundle"));
	b = three();
	b.groups = 16;
	field_of_refused(b, "groups 16", "groups 17", "line 7: groups: \"17\" is wrong");
	field_of_refused(b, "groups 16", "groups 1", "line 7: groups: \"1\" is wrong");
	field_of_refused(b, "groups 16\n", "", "line 7: is not groups");
	b = fourth();
	b.groups = 2;
	field_of_refused(b, "groups 2\n", "", "line 7: is not groups");
	field_of_refused(b, "adds 4 key-id 7\n", "", "line 8: is not adds");
	field_of_refused(b, "paxsteer-bundle 4", "paxsteer-bundle 3", "line 8: is not sum");
}

static void members_without_end(void)
{
	char text[BUNDLE_TEXT_MAX], line[128];
	struct bundle b = three();
	unsigned int i;

	bundle_format(&b, text);
	*strstr(text, "member 1") = 0;
	for (i = 1; i <= 6; i++) {
		sprintf(line, "member %u 10.0.0.%u:1 store 10.0.0.%u:2 incarnation %u joined 0\n", i, i, i,
			i);
		strcat(text, line);
	}
	CHECK(bundle_parse(text, strlen(text), &b, error) && says("line 12: has more than 5 members"));
}

static void what_follows_the_sum(void)
{
	char text[BUNDLE_TEXT_MAX];
	struct bundle b = three();

	bundle_format(&b, text);
	strcat(text, "\n");
	CHECK(bundle_parse(text, strlen(text), &b, error) && says("something follows the sum"));
}

/* --- paths and texts ----------------------------------------------------------- */

static void path_refused(const char *path, const char *words)
{
	struct cluster_paths p = { .etc = "/e", .journal = path };

	CHECK(cluster_paths_make(&p, error) && says(words));
}

static void paths(void)
{
	struct cluster_paths p = { .etc = "/etc/paxsteer", .journal = "/j" };
	char longest[300];

	CHECK_FATAL(!cluster_paths_make(&p, error));
	CHECK_STR(p.conf, "/etc/paxsteer/paxsteerd.conf");
	CHECK_STR(p.unit, "/etc/systemd/system/paxsteerd.service.d/cluster.conf");
	p = (struct cluster_paths){ .etc = "/e", .journal = "/j" };
	CHECK(!cluster_paths_make(&p, error) && !p.units);
	p = (struct cluster_paths){ .etc = "/e", .journal = "/j", .units = "u" };
	CHECK(cluster_paths_make(&p, error) && says("units: \"u\" does not begin with /"));
	p = (struct cluster_paths){ .etc = "/e", .journal = "/j", .socket = "/a b" };
	CHECK(cluster_paths_make(&p, error) && says("socket: "));
	path_refused("", "journal: \"\" does not begin with /");
	path_refused("./j", "does not begin with /");
	path_refused("/a b", "has a blank");
	path_refused("/a\"b", "has a blank, a quote");
	path_refused("/${HOME}", "has a blank, a quote");
	path_refused("/a\\b", "has a blank, a quote");
	path_refused("/a\nb", "has a blank, a quote");
	memset(longest, 'a', sizeof(longest));
	*longest = '/';
	longest[201] = 0;
	path_refused(longest, "journal: is longer than 200 bytes");
	longest[200] = 0;
	p = (struct cluster_paths){ .etc = longest, .journal = longest, .units = longest };
	CHECK(!cluster_paths_make(&p, error));
	CHECK_EQ(strlen(p.conf), 200 + strlen("/paxsteerd.conf"));
	CHECK_EQ(strlen(p.unit), 200 + strlen("/paxsteerd.service.d/cluster.conf"));
}

static void configuration(void)
{
	struct cluster_paths p = { .etc = "/etc/paxsteer", .journal = "/j" };
	char text[CLUSTER_TEXT_MAX];
	struct bundle b = three();

	CHECK_FATAL(!cluster_paths_make(&p, error));
	CHECK_EQ(cluster_conf_format(&b, 1, &p, text), strlen(text));
	CHECK(strstr(text, "\tself = 2\n"));
	CHECK(strstr(text, "cluster  = \"11111111-1111-1111-1111-111111111111\""));
	CHECK(strstr(text, "key-file = \"/etc/paxsteer/cluster.key\""));
	CHECK(strstr(text, "datapath = \"user\""));
	CHECK(strstr(text, "member 3 { address = \"10.0.0.3:7400\" incarnation = \"0x000000000000abc2\""
		     " store = \"10.0.0.3:6379\" }"));
	CHECK(strstr(text, "listen        = \"10.0.0.2:6379\""));
	CHECK(!strstr(text, "socket"));
	CHECK(!strstr(text, "2222") && !strstr(text, "3333"));	/* neither key nor password */
}

static void configuration_of_several_groups(void)
{
	struct cluster_paths p = { .etc = "/etc/paxsteer", .journal = "/j" };
	char text[CLUSTER_TEXT_MAX];
	struct bundle b = three();
	const char *second;

	CHECK_FATAL(!cluster_paths_make(&p, error));
	cluster_conf_format(&b, 1, &p, text);
	CHECK(!strstr(text, "groups") && !strstr(text, "group 2"));
	b.groups = 3;
	cluster_conf_format(&b, 1, &p, text);
	second = strstr(text, "\ngroup 2 {\n\tself = 2\n\tmember 1 { ");
	CHECK_FATAL(second);
	CHECK(strstr(text, "\tgroups        = {1, 2, 3}\n") < second && !strstr(second, "listen"));
	CHECK(strstr(second, "\ngroup 3 {\n") && !strstr(second, "group 4"));
	/* The most that there can be. */
	b.n = 0;
	while (b.n < BUNDLE_MEMBERS_MAX) {
		char word[128];

		snprintf(word, sizeof(word), "%u=[1111:2222:3333:4444:5555:6666:7777:%u]:65535",
			 b.n + 57, b.n + 8880);
		add(&b, word);
		b.member[b.n - 1].learner = true;
	}
	b.groups = BUNDLE_GROUPS_MAX;
	CHECK(cluster_conf_format(&b, 0, &p, text) < CLUSTER_TEXT_MAX - 1);
	CHECK(!strcmp(text + strlen(text) - strlen(" learner = true }\n}\n"), " learner = true }\n}\n"));
}

static void configuration_of_one_more(void)
{
	struct cluster_paths p = { .etc = "/etc/paxsteer", .journal = "/j" };
	char text[CLUSTER_TEXT_MAX];
	struct bundle b = fourth();

	CHECK_FATAL(!cluster_paths_make(&p, error));
	cluster_conf_format(&b, 3, &p, text);
	CHECK(strstr(text, "\tself = 4\n\tkey-id = 7\n"));
	CHECK(strstr(text, "store = \"10.0.0.2:6379\" }"));
	CHECK(strstr(text, "store = \"10.0.0.3:6379\" learner = true }"));
	CHECK(strstr(text, "store = \"10.0.0.4:6379\" learner = true }"));
	b = three();
	cluster_conf_format(&b, 0, &p, text);
	CHECK(!strstr(text, "learner") && !strstr(text, "key-id"));
}

static void unit(void)
{
	char text[CLUSTER_TEXT_MAX];
	struct bundle b = three();

	cluster_unit_format(&b, text);
	CHECK(strstr(text, "[Service]\nRestrictAddressFamilies=AF_INET AF_INET6\n"));
	CHECK(strstr(text, "IPAddressAllow=any\n"));
	b.n = 0;
	add(&b, "1=10.0.0.1,127.0.0.11:6379");
	add(&b, "2=10.0.0.2,127.0.0.12:6379");
	add(&b, "3=10.0.0.3,[::1]:6379");
	cluster_unit_format(&b, text);
	CHECK(!strstr(text, "any") && strstr(text, "=localhost\n") && strstr(text, "=10.0.0.3\n"));
	b.user = false;
	cluster_unit_format(&b, text);
	CHECK(!strstr(text, "any") && strstr(text, "=localhost\n") && !strstr(text, "10.0.0"));
}

int main(void)
{
	RUN(member_words);
	RUN(wrong_members);
	RUN(who_makes_a_cluster);
	RUN(who_may_join);
	RUN(who_may_be_added);
	RUN(there_and_back);
	RUN(one_more_there_and_back);
	RUN(groups_there_and_back);
	RUN(every_cut_and_every_change);
	RUN(wrong_fields);
	RUN(wrong_fields_of_one_more);
	RUN(members_without_end);
	RUN(what_follows_the_sum);
	RUN(paths);
	RUN(configuration);
	RUN(configuration_of_several_groups);
	RUN(configuration_of_one_more);
	RUN(unit);
	return unit_done();
}
