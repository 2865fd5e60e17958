/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_conf.h - what one machine of a new cluster needs: where it is, and what stands in it
 *
 * Pure: texts out of a bundle and paths.
 */
#ifndef PXS_CLI_CLUSTER_CONF_H
#define PXS_CLI_CLUSTER_CONF_H

#include "bundle.h"

#define CLUSTER_ETC		"/etc/paxsteer"
#define CLUSTER_JOURNAL		"/var/lib/paxsteer/journal"
#define CLUSTER_UNITS		"/etc/systemd/system"
#define CLUSTER_DIR_MAX		200u	/* bytes of a directory's name */
#define CLUSTER_PATH_MAX	256u	/* of a file's in one of them, with a 0 */
#define CLUSTER_TEXT_MAX	32768u	/* bytes of the configuration, with a 0 */

struct cluster_paths {
	const char *etc;	/* directory of the files below */
	const char *journal;
	const char *socket;	/* NULL: the daemon's default */
	const char *units;	/* directory of systemd's units; NULL: no drop-in is made */
	char conf[CLUSTER_PATH_MAX], key[CLUSTER_PATH_MAX], password[CLUSTER_PATH_MAX];
	char bundle[CLUSTER_PATH_MAX];
	char unit_dir[CLUSTER_PATH_MAX], unit[CLUSTER_PATH_MAX];
};

/*
 * Check the directories' names, and make those of the files. The unit reads /etc/paxsteer: without
 * a directory @units a drop-in is made for a configuration there, and for no other.
 * Return: 0, or -1 with the reason in @error (BUNDLE_ERROR_MAX bytes).
 */
int cluster_paths_make(struct cluster_paths *p, char *error);

/* paxsteerd.conf of member number @self (an index), into CLUSTER_TEXT_MAX bytes. Return: length. */
size_t cluster_conf_format(const struct bundle *b, unsigned int self,
			   const struct cluster_paths *p, char *text);

/* What paxsteerd.service must allow, likewise. */
size_t cluster_unit_format(const struct bundle *b, char *text);

#endif /* PXS_CLI_CLUSTER_CONF_H */
