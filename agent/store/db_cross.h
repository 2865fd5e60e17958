/* SPDX-License-Identifier: GPL-2.0 */
/*
 * db_cross.h - transactions over several groups in the store: how far each is, who has which key
 *
 * Part of the state, in the transaction of the data that they change. What the states mean and who
 * changes them is twophase.h's.
 *
 * Three tables:
 *   crosses  coordinator (be64), slot of the TX there (be64) -> struct db_cross, the groups that
 *            take part (le32 each; in the coordinator's data alone), and while it is ready the
 *            commands as they stand in the entry: a participant's own, the coordinator's all. Of a
 *            participant that has nothing more to do, by the coordinator | 1 << 63: there may be
 *            many, if another group has no leader
 *   locks    id of a key, as in the table keys -> coordinator (be64), slot (be64)
 *   floors   coordinator (be64) -> slot (le64): all transactions of it below have ended
 */
#ifndef PXS_STORE_DB_CROSS_H
#define PXS_STORE_DB_CROSS_H

#include "db.h"
#include "twophase.h"

struct pxs_cross_rec {
	u64 group;		/* the coordinator */
	u64 slot;
	enum pxs_tx_state state;
	u64 begun;		/* ms of the epoch, in the log's time; 0: not known */
	u32 ngroups;		/* in the coordinator's data: itself first, rising */
	u32 groups[PXS_SHARDS_MAX];
	bool conditional;	/* there are conditions in it (condition.h) */
	struct pxs_str body;	/* lasts until the next change */
};

/* Return: there is one. Otherwise rec->state is PXS_TX_GONE. */
bool pxs_cross_get(struct pxs_db *db, u64 group, u64 slot, struct pxs_cross_rec *rec);

/* The first one of coordinator @group whose slot is at least @slot. Return: there is one. */
bool pxs_cross_from(struct pxs_db *db, u64 group, u64 slot, struct pxs_cross_rec *rec);

/* The first one of it that has nothing more to do here. Return: there is one. */
bool pxs_cross_ended(struct pxs_db *db, u64 group, struct pxs_cross_rec *rec);

/* Write it; its body must not point into the database. In state PXS_TX_GONE: take it away. */
void pxs_cross_put(struct pxs_db *db, const struct pxs_cross_rec *rec);

u64 pxs_cross_floor(struct pxs_db *db, u64 group);
void pxs_cross_set_floor(struct pxs_db *db, u64 group, u64 slot);

/* Has a transaction one of the keys of a command? All of them, if it has none but writes. */
bool pxs_cross_locked(struct pxs_db *db, const struct pxs_command *cmd, u32 argc,
		      const struct pxs_str *argv);
bool pxs_cross_locked_key(struct pxs_db *db, struct pxs_str key);

/*
 * Has one with conditions the key of this id? What held when it was locked must hold when it is
 * decided: time does not go on for it, and it does not expire.
 */
bool pxs_cross_holds_time(struct pxs_db *db, const u8 *id, u32 len);

/* All keys of a command are its from now on; are free again. */
void pxs_cross_lock(struct pxs_db *db, const struct pxs_cross_rec *rec,
		    const struct pxs_command *cmd, u32 argc, const struct pxs_str *argv);
void pxs_cross_unlock(struct pxs_db *db, const struct pxs_command *cmd, u32 argc,
		      const struct pxs_str *argv);

/* db->state.crosses and .locks, as the tables say. */
void pxs_cross_count(struct pxs_db *db);
void pxs_cross_digest(struct pxs_db *db, blake2s_state *state);

#endif /* PXS_STORE_DB_CROSS_H */
