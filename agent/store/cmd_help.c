// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_help.c - CLIENT HELP and the like: which words may follow
 *
 * In the words of Redis, without what there is not here.
 */
#include <ctype.h>
#include <stdio.h>

#include "command.h"

struct help {
	const char *name;
	const char *lines;	/* each ends in a line break */
};

static const struct help helps[] = {
	{ "client",
	  "GETREDIR\n"
	  "    Return the client ID we are redirecting to when tracking is enabled.\n"
	  "GETNAME\n"
	  "    Return the name of the current connection.\n"
	  "ID\n"
	  "    Return the ID of the current connection.\n"
	  "INFO\n"
	  "    Return information about the current client connection.\n"
	  "KILL <ip:port>\n"
	  "    Kill connection made from <ip:port>.\n"
	  "KILL <option> <value> [<option> <value> [...]]\n"
	  "    Kill connections. Options are:\n"
	  "    * ADDR <ip:port>\n"
	  "      Kill connections made from the specified address\n"
	  "    * LADDR <ip:port>\n"
	  "      Kill connections made to specified local address\n"
	  "    * ID <client-id>\n"
	  "      Kill the connection with this ID.\n"
	  "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)\n"
	  "      Kill connections by type.\n"
	  "    * USER <username>\n"
	  "      Kill connections authenticated by <username>.\n"
	  "    * SKIPME (YES|NO)\n"
	  "      Skip killing current connection (default: yes).\n"
	  "LIST [options ...]\n"
	  "    Return information about client connections. Options:\n"
	  "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)\n"
	  "      Return clients of specified type.\n"
	  "    * ID <client-id> [<client-id> ...]\n"
	  "      Return these clients.\n"
	  "REPLY (ON|OFF|SKIP)\n"
	  "    Control the replies sent to the current connection.\n"
	  "SETNAME <name>\n"
	  "    Assign the name <name> to the current connection.\n" },
	{ "cluster",
	  "INFO\n"
	  "    Return information about the cluster.\n"
	  "KEYSLOT <key>\n"
	  "    Return the hash slot for <key>.\n"
	  "MYID\n"
	  "    Return the node id.\n"
	  "NODES\n"
	  "    Return cluster configuration seen by node. Output format:\n"
	  "    <id> <ip:port> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...\n"
	  "SLOTS\n"
	  "    Return information about slots range mappings. Each range is made of:\n"
	  "    start, end, master and replicas IP addresses, ports and ids\n"
	  "SHARDS\n"
	  "    Return information about slot range mappings and the nodes associated with them.\n" },
	{ "command",
	  "(no subcommand)\n"
	  "    Return details about all Redis commands.\n"
	  "COUNT\n"
	  "    Return the total number of commands in this Redis server.\n"
	  "LIST\n"
	  "    Return a list of all commands in this Redis server.\n"
	  "INFO [<command-name> ...]\n"
	  "    Return details about multiple Redis commands.\n"
	  "    If no command names are given, documentation details for all\n"
	  "    commands are returned.\n"
	  "DOCS [<command-name> ...]\n"
	  "    Return documentation details about multiple Redis commands.\n"
	  "    If no command names are given, documentation details for all\n"
	  "    commands are returned.\n"
	  "GETKEYS <full-command>\n"
	  "    Return the keys from a full Redis command.\n"
	  "GETKEYSANDFLAGS <full-command>\n"
	  "    Return the keys and the access flags from a full Redis command.\n" },
	{ "config",
	  "GET <pattern>\n"
	  "    Return parameters matching the glob-like <pattern> and their values.\n"
	  "SET <directive> <value>\n"
	  "    Set the configuration <directive> to <value>.\n"
	  "RESETSTAT\n"
	  "    Reset statistics reported by the INFO command.\n"
	  "REWRITE\n"
	  "    Rewrite the configuration file.\n" },
	{ "function",
	  "FLUSH [ASYNC|SYNC]\n"
	  "    Delete all the libraries.\n"
	  "LIST\n"
	  "    Return general information on all the libraries.\n" },
	{ "memory",
	  "USAGE <key> [SAMPLES <count>]\n"
	  "    Return memory in bytes used by <key> and its value.\n" },
	{ "object",
	  "ENCODING <key>\n"
	  "    Return the kind of internal representation used in order to store the value\n"
	  "    associated with a <key>.\n"
	  "FREQ <key>\n"
	  "    Return the access frequency index of the <key>. The returned integer is\n"
	  "    proportional to the logarithm of the recent access frequency of the key.\n"
	  "IDLETIME <key>\n"
	  "    Return the idle time of the <key>, that is the approximated number of\n"
	  "    seconds elapsed since the last access to the key.\n"
	  "REFCOUNT <key>\n"
	  "    Return the number of references of the value associated with the specified\n"
	  "    <key>.\n" },
};

static const struct help *find(const char *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(helps); i++)
		if (!strcmp(helps[i].name, name))
			return &helps[i];
	return NULL;
}

bool pxs_cmd_has_sub(const struct pxs_command *cmd, struct pxs_str word)
{
	const struct help *h = find(cmd->name);
	const char *p, *end;
	char name[32];

	for (p = h ? h->lines : ""; (end = strchr(p, '\n')); p = end + 1) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, "\n "), p);
		if (pxs_str_is(word, name) && *p != ' ')
			return true;
	}
	return !h || pxs_str_is(word, "HELP");
}

/* Of the line at @p, where it names a word that the one before does not. Return: bytes; 0: none. */
static u32 names_word(const char *p, struct pxs_str before)
{
	u32 len = (u32)strcspn(p, "\n ");

	if (!isupper(*p) || (len == before.len && !memcmp(p, before.data, len)))
		return 0;
	return len;
}

void pxs_cmd_subs(const struct pxs_command *cmd, void (*see)(void *ctx, const char *name),
		  void *ctx)
{
	const struct help *h = find(cmd->name);
	struct pxs_str word = pxs_str("");
	const char *p, *end;
	char name[64];
	u32 len, i, at;

	for (p = h ? h->lines : ""; (end = strchr(p, '\n')); p = end + 1) {
		len = names_word(p, word);
		if (!len)
			continue;
		word = (struct pxs_str){ (const u8 *)p, len };
		at = (u32)sprintf(name, "%s|", cmd->name);
		for (i = 0; i < len; i++)
			name[at++] = (char)tolower(p[i]);
		name[at] = 0;
		see(ctx, name);
	}
	if (!h)
		return;
	sprintf(name, "%s|help", cmd->name);
	see(ctx, name);
}

static void upper(const char *name, char *to)
{
	for (; *name; name++)
		*to++ = (char)(*name - 'a' + 'A');
	*to = 0;
}

static void help(struct pxs_reply *o, const char *name, const char *lines)
{
	const char *end, *p;
	char text[128];
	u32 n = 3;

	for (p = lines; *p; p++)
		n += *p == '\n';
	pxs_reply_array(o, n);
	snprintf(text, sizeof(text), "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
		 name);
	pxs_reply_status(o, text);
	for (p = lines; (end = strchr(p, '\n')); p = end + 1) {
		snprintf(text, sizeof(text), "%.*s", (int)(end - p), p);
		pxs_reply_status(o, text);
	}
	pxs_reply_status(o, "HELP");
	pxs_reply_status(o, "    Prints this help.");
}

void pxs_cmd_other_sub(struct pxs_reply *o, const struct pxs_command *cmd, u32 argc,
		       struct pxs_str word)
{
	const struct help *h = find(cmd->name);
	char name[32];

	upper(cmd->name, name);
	if (h && argc == 2 && pxs_str_is(word, "HELP")) {
		help(o, name, h->lines);
	} else if (h && pxs_str_is(word, "HELP")) {
		snprintf(name, sizeof(name), "%s|help", cmd->name);
		pxs_reply_arity(o, name);
	} else {
		pxs_reply_error(o, "ERR unknown subcommand '%.*s'. Try %s HELP.",
				(int)min(word.len, 128u), (const char *)word.data, name);
	}
}
