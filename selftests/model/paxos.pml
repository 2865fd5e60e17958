/* SPDX-License-Identifier: GPL-2.0 */
/*
 * paxos.pml - SPIN walks through all that three members can do
 *
 * The state is a struct model_world; one transition is one input to one member, done by
 * the shipped code: see member.h for what is abstracted, world.c for the events, rules.c
 * for what must hold. Which input comes next is all that is left to SPIN.
 */
#include "scope.h"

c_decl {
\#include "world.h"
};

c_state "struct model_world w" "Global"

/* SPIN takes a function's name for a side effect: model_can() has none on the state. */
#define E1(n)	:: d_step { c_expr { (*model_can)(&now.w, n) } -> \
			c_code { model_do(&now.w, n); if (model_why[0]) uerror(model_why); } }
init {
	c_code { model_init(&now.w); if (model_why[0]) uerror(model_why); };
end:
	do
#include "events.i"
	od
}
