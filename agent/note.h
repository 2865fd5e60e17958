/* SPDX-License-Identifier: GPL-2.0 */
/*
 * note.h - what the core wants the agent to know, until the loop comes round
 *
 * Of the user datapath: an event must never come from inside a request. In order.
 */
#ifndef PXS_AGENT_NOTE_H
#define PXS_AGENT_NOTE_H

#include "datapath.h"

struct pxs_note;

struct pxs_notes {
	struct pxs_note *first;
	struct pxs_note **last;
};

void pxs_notes_init(struct pxs_notes *notes);

/* @event 0: the datagram @m with @body; else a change of leader, of @ballot. May be lost. */
void pxs_note_add(struct pxs_notes *notes, u32 group, u8 event, u64 ballot,
		  const struct pxs_msg *m, const u8 *body);

/* Tell all, and forget it. */
void pxs_notes_tell(struct pxs_notes *notes, const struct pxs_datapath_events *ev);

#endif /* PXS_AGENT_NOTE_H */
