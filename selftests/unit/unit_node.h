/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_node.h - a whole node with its datapath in the process: member 2 of three of group 1, whose
 * peers are not there
 */
#ifndef UNIT_NODE_H
#define UNIT_NODE_H

#include "unit_journal.h"

#include "../../agent/node.h"

static const char node_conf[] =
	"node {\n"
	"	cluster = \"636c7573-7465-7200-0000-000000000000\"\n"
	"	key-file = \"%1$s.key\"\n"
	"	journal = \"%1$s\"\n"
	"	socket = \"%1$s.sock\"\n"
	"	datapath = \"user\"\n"
	"}\n"
	"group 1 {\n"
	"	self = 2\n"
	"	epoch = %6$u\n"
	"	durability = \"%7$s\"\n"
	"	member 1 { address = \"127.%3$u.%4$u.1:%5$u\" incarnation = \"0x1\" }\n"
	"	member 2 { address = \"127.%3$u.%4$u.2:%5$u\" incarnation = \"0x%2$016llx\" }\n"
	"	member 3 { address = \"127.%3$u.%4$u.3:%5$u\" incarnation = \"0x3\" }\n"
	"}\n";

static struct pxs_node node;
static u64 incarnation;
/* Of this process and node alone: a ring that is gone holds its socket for a moment. */
static unsigned int port = 7411;

static inline void node_path(const char *suffix, char path[4200])
{
	snprintf(path, 4200, "%s%s", dir, suffix);
}

static inline bool node_write(const char *suffix, const char *text)
{
	char path[4200];
	int fd;
	bool good;

	node_path(suffix, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return good;
}

/* A new journal for the next node, and who that is. Return: there is one. */
static inline bool node_new_dir(const char *name)
{
	struct pxs_recovery r;
	char unique[64];

	snprintf(unique, sizeof(unique), "%s-%u", name, ++port);
	new_dir(unique);
	if (recover(&r))
		return false;
	incarnation = r.id.incarnation;
	pxs_recovery_close(&r);
	return true;
}

/* The node's files beside its journal, read: what it is opened with. */
static inline bool node_configure(const char *durability, unsigned int epoch)
{
	char text[16384], path[4200];

	snprintf(text, sizeof(text), node_conf, dir, (unsigned long long)incarnation,
		 (unsigned int)getpid() >> 8 & 255, (unsigned int)getpid() & 255, port, epoch,
		 durability);
	memset(&node, 0, sizeof(node));
	node_path(".conf", path);
	return node_write(".conf", text) &&
	       node_write(".key", "6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b") &&
	       !pxs_config_load(&node.config, path);
}

static inline void node_remove_dir(void)
{
	char path[4200];

	node_path(".conf", path);
	unlink(path);
	node_path(".key", path);
	unlink(path);
	remove_dir();
}

#endif /* UNIT_NODE_H */
