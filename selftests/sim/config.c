// SPDX-License-Identifier: GPL-2.0
/*
 * config.c - what the daemon's configuration file would say
 */
#include <stdlib.h>

#include "sim.h"

static void set_address(struct pxs_address *a, u8 id)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a->storage;

	v4->sin_family = AF_INET;
	v4->sin_port = cpu_to_be16(7400);
	v4->sin_addr.s_addr = cpu_to_be32(id);
	a->len = sizeof(*v4);
}

static void fill_group(const struct sim *s, const struct sim_node *n, u32 g,
		       struct pxs_group_config *config)
{
	struct pxs_group_conf *conf = &config->conf;
	u32 i, k, joins = 0;

	*conf = (struct pxs_group_conf){
		.id = s->group[g].id, .epoch = 1, .cluster = "simulated",
		.nmembers = s->group[g].founders, .window = s->p.window,
		.heartbeat_ms = s->p.heartbeat, .election_ms = s->p.election,
		.self = (u8)sim_part_of(s, g, sim_index(s, n)),
		.memory = s->p.memory >> g & 1, .lease_drift = s->p.drift,
		.phase1 = s->group[g].phase1, .phase2 = s->group[g].phase2,
	};
	/* Not one of them yet: it knows whom to ask. */
	if (conf->self >= s->group[g].founders) {
		joins = s->group[g].node[conf->self];
		conf->self = s->group[g].founders;
		conf->learners = 1;
		conf->nmembers++;
	}
	for (i = 0; i < conf->nmembers; i++) {
		k = i == s->group[g].founders ? joins : s->group[g].node[i];
		conf->member[i].id = s->node[k].id;
		conf->member[i].incarnation = s->node[k].known;
		set_address(&config->address[i], s->node[k].id);
	}
	conf->member[conf->self].incarnation = n->incarnation;
}

void sim_configure(const struct sim *s, const struct sim_node *n, struct pxs_node *node)
{
	struct pxs_config *c = &node->config;
	u32 g;

	c->file = "paxsteerd.conf";
	c->journal = "journal";
	memcpy(c->cluster, "simulated", 10);
	c->datapath = PXS_DATAPATH_KERNEL;
	c->flush = s->p.flush;
	c->cache = s->p.cache;
	c->group = calloc(SIM_GROUPS, sizeof(*c->group));
	if (!c->group)
		abort();
	for (g = 0; g < s->p.groups; g++)
		if (sim_part_of(s, g, sim_index(s, n)) >= 0)
			fill_group(s, n, g, &c->group[c->ngroups++]);
}
