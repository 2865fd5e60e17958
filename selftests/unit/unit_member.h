/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_member.h - a group at one daemon whose members change: the daemon is not there, only what
 * member.c looks at
 */
#ifndef UNIT_MEMBER_H
#define UNIT_MEMBER_H

#include <errno.h>
#include <stdlib.h>

#include "../../agent/client_proto.h"
#include "../../agent/node.h"
#include "unit.h"

#define INC 100u

static struct pxs_node node;
static struct pxs_replica r;
static struct pxs_group_config conf;

static inline void begin(u8 n, u8 learners, u8 self)
{
	u8 i;
	char text[32];

	memset(&node, 0, sizeof(node));
	memset(&r, 0, sizeof(r));
	memset(&conf, 0, sizeof(conf));
	conf.conf.id = 1;
	conf.conf.epoch = 4;
	conf.conf.nmembers = n;
	conf.conf.learners = learners;
	conf.conf.self = self;
	for (i = 0; i < n; i++) {
		conf.conf.member[i].id = i + 1;
		conf.conf.member[i].incarnation = INC + i;
		snprintf(text, sizeof(text), "10.0.0.%u:7400", i + 1);
		CHECK_EQ(pxs_address_parse(text, &conf.address[i]), 0);
	}
	r.node = &node;
	r.config = &conf;
	r.id = 1;
	r.started = true;
	pxs_members_init(&r);
}

#endif /* UNIT_MEMBER_H */
