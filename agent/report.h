/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report.h - log lines of the daemon: stderr, one line each, with a level
 *
 * On a terminal a line starts with the level's word; elsewhere with "<N>", which
 * journald understands (sd-daemon(3)).
 */
#ifndef PXS_AGENT_REPORT_H
#define PXS_AGENT_REPORT_H

enum pxs_level {
	PXS_ERR = 3,
	PXS_WARN = 4,
	PXS_NOTICE = 5,
	PXS_INFO = 6,
	PXS_DEBUG = 7,
};

/* Lines above @level are dropped; the default is PXS_INFO. */
void pxs_report_level(enum pxs_level level);

void pxs_report(enum pxs_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define pxs_err(...)	pxs_report(PXS_ERR, __VA_ARGS__)
#define pxs_warn(...)	pxs_report(PXS_WARN, __VA_ARGS__)
#define pxs_notice(...)	pxs_report(PXS_NOTICE, __VA_ARGS__)
#define pxs_info(...)	pxs_report(PXS_INFO, __VA_ARGS__)
#define pxs_debug(...)	pxs_report(PXS_DEBUG, __VA_ARGS__)

#endif /* PXS_AGENT_REPORT_H */
