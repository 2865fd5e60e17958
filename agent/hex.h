/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hex.h - what a hexadecimal digit counts
 */
#ifndef PXS_AGENT_HEX_H
#define PXS_AGENT_HEX_H

/* Return: 0..15, or -1: @c is none. */
static inline int pxs_hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif /* PXS_AGENT_HEX_H */
