// SPDX-License-Identifier: GPL-2.0
/*
 * report.c - log lines of the daemon
 *
 * A line is made in one buffer and written by one write(2), so that lines of the
 * helper thread (spare.c) and of the loop never mix.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum pxs_level report_level = PXS_INFO;

void pxs_report_level(enum pxs_level level)
{
	report_level = level;
}

static const char *level_word(enum pxs_level level)
{
	switch (level) {
	case PXS_ERR:
		return "error";
	case PXS_WARN:
		return "warning";
	case PXS_NOTICE:
		return "notice";
	case PXS_INFO:
		return "info";
	case PXS_DEBUG:
		return "debug";
	}
	return "?";
}

void pxs_report(enum pxs_level level, const char *fmt, ...)
{
	char line[1024];
	size_t len;
	va_list ap;
	int n;

	if (level > report_level)
		return;
	if (isatty(STDERR_FILENO))
		n = snprintf(line, sizeof(line), "paxsteerd: %s: ", level_word(level));
	else
		n = snprintf(line, sizeof(line), "<%d>paxsteerd: ", level);
	len = (size_t)n;
	va_start(ap, fmt);
	n = vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	len += (size_t)n;
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return;		/* nowhere left to say it */
}
