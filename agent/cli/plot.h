/* SPDX-License-Identifier: GPL-2.0 */
/*
 * plot.h - how even a table is, as a picture
 */
#ifndef PXS_CLI_PLOT_H
#define PXS_CLI_PLOT_H

#include <stdbool.h>
#include <stdio.h>

struct table;

/* A bar a backend, in lines of width columns or little more, with colours or without. */
void plot_text(FILE *f, const struct table *t, unsigned int width, bool colour);

/* The same as an SVG document. */
void plot_svg(FILE *f, const struct table *t);

#endif /* PXS_CLI_PLOT_H */
