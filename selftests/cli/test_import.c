// SPDX-License-Identifier: GPL-2.0
/*
 * test_import.c - what ipvsadm 1.31 prints with -Sn, as lines that restore takes
 *
 * The inputs are spelled as ipvsadm's formats have it: "-A %s -s %s", " -p %u", " -M %s",
 * " --pe %s", " -o", " -b ", "-a %s -r %s %s -w %d", " --tun-type %s --tun-port %d %s".
 */
#include "cli/ipvs.h"
#include "fake_kernel.h"
#include "unit.h"

static int import(const char *text)
{
	fake_write(text);
	return run("import", "ipvs", fake_file, NULL);
}

/* Lines in, lines out, and what is said of each; NULL: nothing. */
static const struct {
	const char *in, *out, *said;
} good[] = {
	{ "", "", NULL },
	{ "-A -t 10.0.0.100:80 -s wrr\n-a -t 10.0.0.100:80 -r 10.0.1.1:8080 -m -w 3\n",
	  "service add tcp-10.0.0.100-80 tcp 10.0.0.100:80 mode nat key tuple fill rendezvous\n"
	  "backend add tcp-10.0.0.100-80 10.0.1.1:8080 weight 3\n",
	  ":1: import ipvs: warning: -s wrr becomes consistent hashing" },
	{ "-A -t 10.0.0.1:80 -s rr -p 300 -M 255.255.240.0\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode nat key source/20 fill rendezvous\n",
	  ":1: import ipvs: warning: -p has no timeout here: key source/20" },
	{ "-A -t 10.0.0.1:80 -s mh -p 300\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode nat key source fill maglev\n", "-p has" },
	{ "-A -t [fd00::1]:80 -s rr -p 300 -M 64\n",
	  "service add tcp-fd00__1-80 tcp [fd00::1]:80 mode nat key source/64 fill rendezvous\n",
	  "key source/64" },
	{ "-A -t 10.0.0.1:80 -s rr -p 9 -M 255.0.255.0\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode nat key source fill rendezvous\n",
	  "-M 255.0.255.0 has no equivalent: the whole" },
	{ "-A -u 10.0.0.1:53 -s sh -o\n",
	  "service add udp-10.0.0.1-53 udp 10.0.0.1:53 mode nat key source fill rendezvous\n",
	  "-s sh becomes consistent hashing, fill rendezvous, key source" },
	{ "-A -u 10.0.0.1:53 -s mh -b mh-fallback,mh-port\n",
	  "service add udp-10.0.0.1-53 udp 10.0.0.1:53 mode nat key tuple fill maglev\n",
	  "-s mh: fill maglev, key tuple: another hash, clients move once" },
	{ "-A -u 10.0.0.1:53 -s mh -b flag-1,\n",
	  "service add udp-10.0.0.1-53 udp 10.0.0.1:53 mode nat key source fill maglev\n",
	  "-b flag-1 has no equivalent" },
	{ "-A -u 10.0.0.1:5060 -s rr -p 60 --pe sip\n",
	  "service add udp-10.0.0.1-5060 udp 10.0.0.1:5060 mode nat key source fill rendezvous\n",
	  "--pe sip has no equivalent" },
	{ "-A -t [2001:db8:1111:2222:3333:4444:5555:6666]:443 -s rr\n",
	  "service add tcp6-443-line1 tcp [2001:db8:1111:2222:3333:4444:5555:6666]:443 mode nat "
	  "key tuple fill rendezvous\n", "consistent" },
	/* Forwarding. */
	{ "-A -t 10.0.0.1:80 -s mh\n-a -t 10.0.0.1:80 -r 10.0.1.1:80 -g -w 0\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode dsr key source fill maglev\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.1:80 weight 0\n", "-s mh" },
	{ "-A -t 10.0.0.1:80 -s mh\n-a -t 10.0.0.1:80 -r 10.0.1.1:8080 -w 2\n"
	  "-a -t 10.0.0.1:80 -r 10.0.1.2:8080 -m\n-A -u 10.0.0.1:80 -s mh\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode dsr key source fill maglev\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.1:80 weight 2\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.2:80 weight 1\n"
	  "service add udp-10.0.0.1-80 udp 10.0.0.1:80 mode nat key source fill maglev\n",
	  ":2: import ipvs: warning: -r with port 8080: mode dsr changes no port" },
	{ "-A -t 10.0.0.1:80 -s mh\n-a -t 10.0.0.1:80 -r 10.0.1.1:8080 -m\n"
	  "-a -t 10.0.0.1:80 -r 10.0.1.2:80 -g\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode nat key source fill maglev\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.1:8080 weight 1\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.2:80 weight 1\n",
	  ":3: import ipvs: warning: -g after others: mode nat, as its service's first server" },
	{ "-A -t 10.0.0.1:80 -s mh\n"
	  "-a -t 10.0.0.1:80 -r 10.0.1.1:80 -i -w 65536 --tun-type gue --tun-port 6080 --tun-nocsum\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode tunnel gue tunnel-port 6080 "
	  "key source fill maglev\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.1:80 weight 65535\n", "--tun-nocsum has no" },
	{ "-A -t 10.0.0.1:80 -s mh\n"
	  "-a -t 10.0.0.1:80 -r 10.0.1.1:81 -i --tun-type gue --tun-port 7000 --tun-csum\n"
	  "-a -t 10.0.0.1:80 -r 10.0.1.2:80 -i --tun-type ipip\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode tunnel gue tunnel-port 7000 "
	  "key source fill maglev\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.1:80 weight 1\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.2:80 weight 1\n",
	  ":3: import ipvs: warning: -i after others: mode tunnel gue tunnel-port 7000, as" },
	{ "-A -t 10.0.0.1:80 -s mh\n-a -t 10.0.0.1:80 -r 10.0.1.1:80 -i --tun-type gre\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode tunnel ipip key source fill maglev\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.1:80 weight 1\n",
	  ":2: import ipvs: warning: --tun-type gre has no equivalent: mode tunnel ipip" },
	{ "-A -t 10.0.0.1:80 -s mh\n-a -t 10.0.0.1:80 -r [fd00::2]:80 -i -w 1\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode tunnel ipip key source fill maglev\n"
	  "backend add tcp-10.0.0.1-80 [fd00::2]:80 weight 1\n", "-s mh" },
	{ "-A -t 10.0.0.1:80 -s mh\n-a -t 10.0.0.1:80 -r [fd00::2]:80 -m -w 1\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode nat key source fill maglev\n",
	  ":2: import ipvs: warning: -r [fd00::2]:80, of another family" },
	/* By hand: all services before their servers, or turn by turn. */
	{ "-A -t 10.0.0.1:80 -s mh\n-A -t 10.0.0.2:80 -s mh\n-A -t 10.0.0.3:80 -s mh\n"
	  "-a -t 10.0.0.1:80 -r 10.0.1.1:80 -g\n-a -t 10.0.0.2:80 -r 10.0.1.2:80 -i\n"
	  "-a -t 10.0.0.1:80 -r 10.0.1.3:80 -g\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode dsr key source fill maglev\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.1:80 weight 1\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.3:80 weight 1\n"
	  "service add tcp-10.0.0.2-80 tcp 10.0.0.2:80 mode tunnel ipip key source fill maglev\n"
	  "backend add tcp-10.0.0.2-80 10.0.1.2:80 weight 1\n"
	  "service add tcp-10.0.0.3-80 tcp 10.0.0.3:80 mode nat key source fill maglev\n", "-s mh" },
	/* By hand: long options, ipvsadm's defaults, comments. */
	{ "# x\n--add-service --tcp-service 10.0.0.1:80\n\n"
	  "--add-server -t 10.0.0.1:80 --real-server 10.0.1.1 --masquerading -x 10 -y 5\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode nat key tuple fill rendezvous\n"
	  "backend add tcp-10.0.0.1-80 10.0.1.1:80 weight 1\n",
	  ":4: import ipvs: warning: -y 5 has no equivalent" },
	{ "-A -t 10.0.0.1:80 -s rr -p\n",
	  "service add tcp-10.0.0.1-80 tcp 10.0.0.1:80 mode nat key source fill rendezvous\n",
	  "key source" },
	/* Services that can't be. */
	{ "-A -f 3 -6 -s rr\n-a -f 3 -6 -r [fd00::1]:0 -g -w 1\n-A -f 3 -s rr\n", "",
	  ":2: import ipvs: warning: -r [fd00::1]:0 is left out, as its service is" },
	{ "-A --sctp-service 10.0.0.1:80 -s rr\n", "", "an SCTP service" },
	{ "-A -t 10.0.0.1:0 -s rr -p 1\n", "", ":1: import ipvs: warning: -t 10.0.0.1:0 (a service of "
	  "every port)" },
};

static void lines(void)
{
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK_EQ(import(good[i].in), CLI_OK);
		CHECK_STR(said.out, good[i].out);
		if (!CHECK(good[i].said ? !!strstr(said.err, good[i].said) : !*said.err))
			NOTE("%s", said.err);
	}
}

/* Every line that says anything says which line it is about. */
static void every_warning_has_its_line(void)
{
	char *rest, *line;
	size_t i, len;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		import(good[i].in);
		len = strlen(fake_file);
		for (rest = said.err; (line = strsep(&rest, "\n")) && *line;) {
			CHECK(!strncmp(line, "paxsteer: ", 10));
			CHECK(!strncmp(line + 10, fake_file, len) && line[10 + len] == ':');
			CHECK(strstr(line, ": import ipvs: warning: "));
		}
	}
}

/* What comes out goes into restore. */
static void restores(void)
{
	size_t i;
	char *text;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		fake_forget();
		import(good[i].in);
		text = strdup(said.out);
		CHECK_FATAL(text);
		fake_write(text);
		free(text);
		CHECK_EQ(run("restore", fake_file, NULL), CLI_OK);
		CHECK_STR(said.err, "");
		CHECK(fake.services || !*good[i].out);
	}
}

/* Nothing on stdout, and the word that is wrong. */
static void bad(void)
{
	static const struct {
		const char *in, *said;
	} wrong[] = {
		{ "x\n", "\"x\" is not an option" },
		{ "-C\n", "\"-C\" is not an option" },
		{ "-A -t 10.0.0.1:80 -s rr\n-E -t 10.0.0.1:80 -s mh\n", ":2: import ipvs: \"-E\" is not" },
		{ "IP Virtual Server version 1.2.1 (size=4096)\n", "\"IP\" is not an option" },
		{ "-A -a -t 10.0.0.1:80\n", "one of -A and -a" },
		{ "-t 10.0.0.1:80\n", "one of -A and -a" },
		{ "-A -s rr\n", "one of -t, -u" },
		{ "-A -t 10.0.0.1:80 -u 10.0.0.1:80\n", "one of -t, -u" },
		{ "-A -t 10.0.0.1:80 -t 10.0.0.1:80\n", "-t is given twice" },
		{ "-A -t\n", "-t: a value is missing" },
		{ "-A -t 10.0.0.1:80 -s\n", "-s: a value is missing" },
		{ "-A -t 10.0.0.1:80 -w 1\n", "-w does not go with -A" },
		{ "-a -t 10.0.0.1:80 -s rr -r 10.0.0.2:80\n", "-s does not go with -a" },
		{ "-a -t 10.0.0.1:80 -m\n", "-r is missing" },
		{ "-A -t www.example.org:http -s rr\n", "\"www.example.org:http\" is not ADDR:PORT" },
		{ "-A -t 10.0.0.1:80000 -s rr\n", "\"10.0.0.1:80000\" is not" },
		{ "-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.1:80 -s rr\n", ":2: import ipvs: \"-t 10.0.0.1:80\" was" },
		{ "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m\n", "\"-t 10.0.0.1:80\" was not added" },
		{ "-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r web1:80 -m\n", ":2: import ipvs: -r: \"web1:80\"" },
		{ "-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w -1\n", "-w: \"-1\" is not" },
		{ "-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 2147483648\n", "-w: \"21" },
		{ "-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -g\n", "only one of -g" },
		{ "-A -t 10.0.0.1:80 -s rr -p 300 -M 24\n", "-M: \"24\" is not a netmask" },
		{ "-A -t [fd00::1]:80 -s rr -p 300 -M 129\n", "-M: \"129\" is not a netmask" },
		{ "-A -t 10.0.0.1:80 -s rr -p 300s\n", "\"300s\" is not an option" },
		{ "-A -t \"10.0.0.1:80\n", "a quote is not closed" },
	};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CHECK_EQ(import(wrong[i].in), CLI_USAGE);
		CHECK_STR(said.out, "");
		if (!CHECK(strstr(said.err, wrong[i].said)))
			NOTE("%s", said.err);
	}
}

static void netmasks(void)
{
	unsigned int bits;

	CHECK(!ipvs_netmask("255.255.255.255", false, &bits) && bits == 32);
	CHECK(!ipvs_netmask("128.0.0.0", false, &bits) && bits == 1);
	CHECK(!ipvs_netmask("0.0.0.0", false, &bits) && bits == 0);
	CHECK(!ipvs_netmask("127.255.255.255", false, &bits) && bits == 0);
	CHECK(!ipvs_netmask("128", true, &bits) && bits == 128);
	CHECK(ipvs_netmask("0", true, &bits));
	CHECK(ipvs_netmask("255.255.255", false, &bits));
}

static void words(void)
{
	CHECK_EQ(run("import", NULL), CLI_USAGE);
	CHECK(strstr(said.err, "what to import is missing"));
	CHECK_EQ(run("import", "haproxy", NULL), CLI_USAGE);
	CHECK_EQ(run("import", "ipvs", "a", "b", NULL), CLI_USAGE);
	CHECK_EQ(run("import", "ipvs", "/nonexistent/x", NULL), CLI_USAGE);
	CHECK(strstr(said.err, "cannot open \"/nonexistent/x\""));
	CHECK_EQ(run("import", "help", NULL), CLI_OK);
	CHECK(strstr(said.out, "Usage: paxsteer import ipvs"));
	CHECK_EQ(fake.changes, 0);
}

int main(void)
{
	RUN_FRESH(lines);
	RUN_FRESH(every_warning_has_its_line);
	RUN_FRESH(restores);
	RUN_FRESH(bad);
	RUN_FRESH(netmasks);
	RUN_FRESH(words);
	fake_end();
	return unit_done();
}
