// SPDX-License-Identifier: GPL-2.0
/*
 * trace.c - where the tracepoints of trace.h live
 */
#include "pxs.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
