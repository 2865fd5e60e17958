// SPDX-License-Identifier: GPL-2.0
/*
 * note.c - what the core wants the agent to know, until the loop comes round
 */
#include "note.h"

#include <stdlib.h>

struct pxs_note {
	struct pxs_note *next;
	u32 group;
	u8 leader_event;	/* 0: a datagram */
	u64 ballot;
	struct pxs_msg msg;
	u8 body[];
};

void pxs_notes_init(struct pxs_notes *notes)
{
	notes->first = NULL;
	notes->last = &notes->first;
}

void pxs_note_add(struct pxs_notes *notes, u32 group, u8 event, u64 ballot,
		  const struct pxs_msg *m, const u8 *body)
{
	struct pxs_note *n = calloc(1, sizeof(*n) + (m ? m->len : 0));

	if (!n)
		return;		/* like a datagram that was lost */
	n->group = group;
	n->leader_event = event;
	n->ballot = ballot;
	if (m) {
		n->msg = *m;
		memcpy(n->body, body, m->len);
	}
	*notes->last = n;
	notes->last = &n->next;
}

void pxs_notes_tell(struct pxs_notes *notes, const struct pxs_datapath_events *ev)
{
	struct pxs_note *n, *list = notes->first;

	pxs_notes_init(notes);
	for (n = list; n; n = list) {
		list = n->next;
		if (n->leader_event)
			ev->leader(ev->ctx, n->group, n->leader_event, n->ballot);
		else
			ev->recv(ev->ctx, n->group, &n->msg, n->body);
		free(n);
	}
}
