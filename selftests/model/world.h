/* SPDX-License-Identifier: GPL-2.0 */
/*
 * world.h - the state that SPIN stores: which member states, by number
 *
 * Each struct member is kept once (world.c); equal numbers mean equal states.
 */
#ifndef MODEL_WORLD_H
#define MODEL_WORLD_H

#include "scope.h"

struct model_world {
	unsigned int member[MEMBERS];
};

void model_init(struct model_world *w);
int model_can(const struct model_world *w, int event);	/* does it change anything? */
void model_do(struct model_world *w, int event);	/* right after model_can() said so */
extern char model_why[];		/* empty: nothing is broken */

#endif /* MODEL_WORLD_H */
