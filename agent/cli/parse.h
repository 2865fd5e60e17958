/* SPDX-License-Identifier: GPL-2.0 */
/*
 * parse.h - words of the command line to values
 *
 * Pure: no I/O, no allocation, no global state, so that they can be fuzzed. Each returns 0, or
 * -1 and leaves the result untouched.
 */
#ifndef PXS_CLI_PARSE_H
#define PXS_CLI_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARSE_ENDPOINT_LEN	96	/* "[IPv6]:65535 socket " and 20 digits fit, and the NUL */

struct endpoint {
	uint8_t addr[16];	/* network order; the first 4 bytes for IPv4 */
	uint8_t len;		/* 4 or 16 */
	uint16_t port;		/* host order; 0 where none was given */
	uint64_t socket;	/* cookie of the socket bound there that is meant, or 0 */
};

/* Decimal, or hexadecimal with 0x; nothing before or after it; min..max. */
int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *val);

/* Exactly len bytes as 2 * len hex digits. */
int parse_hex(const char *s, uint8_t *buf, size_t len);

/* 1..max bytes as hex digits; *len tells how many. */
int parse_hex_any(const char *s, uint8_t *buf, size_t max, size_t *len);

/* 8-4-4-4-12 hex digits, or 32 without the dashes. */
int parse_uuid(const char *s, uint8_t uuid[16]);

/* "ADDR:PORT", IPv6 as "[ADDR]:PORT"; port 1..65535. Without need_port also "ADDR" and "[ADDR]". */
int parse_endpoint(const char *s, bool need_port, struct endpoint *ep);

/* A cap as thousandths ("20") or percent with at most one decimal ("2%", "2.5%"): 0..1000. */
int parse_permille(const char *s, uint64_t *val);

/* Seconds with at most three decimals ("1", "0.5"), as milliseconds: min..max of these. */
int parse_seconds(const char *s, uint64_t min, uint64_t max, uint64_t *ms);

/* "OFFSET:LEN", both 0..65535. */
int parse_span(const char *s, uint16_t *offset, uint16_t *len);

/* Index of s in names[1..n-1]; names[0] and holes are NULL. Exact words only. */
int parse_name(const char *s, const char *const *names, unsigned int n, uint64_t *val);

/*
 * A key as it stands in a file: 32 bytes, or 64 hex digits with an optional newline.
 * Exactly 32 bytes are always taken as they are.
 */
int parse_key(const uint8_t *buf, size_t len, uint8_t key[32]);

/* Split a line of a batch in place: blanks separate, quotes join, # starts a comment. */
int parse_words(char *line, char **words, int max);

/*
 * The other way: into a buffer of PARSE_ENDPOINT_LEN. Port 0 is left out; a socket's cookie
 * follows as "socket N". Return: buf.
 */
char *format_endpoint(char *buf, const struct endpoint *ep);

/* Into a buffer of 2 * len + 1 characters. Return: buf. */
char *format_hex(char *buf, const uint8_t *data, size_t len);

/* Into a buffer of 37 characters. Return: buf. */
char *format_uuid(char *buf, const uint8_t uuid[16]);

#endif /* PXS_CLI_PARSE_H */
