// SPDX-License-Identifier: GPL-2.0
/*
 * key_http.c - host or path of an HTTP/1 request
 *
 * RFC 9112. The host is the target's own if that is absolute (as clients of proxies send
 * it), else the first Host field's: lower case, without port and last dot. The path ends
 * before the query. See key_parse.h for the rules that all parsers keep. No state; any
 * context.
 */
#include "key_parse.h"

/* Take the line off @s, without its end, which must be there. */
static bool next_line(struct pxs_slice *s, struct pxs_slice *line)
{
	u32 i;

	for (i = 0; i < s->len && s->p[i] != '\n'; i++)
		;
	if (i == s->len)
		return false;
	line->p = s->p;
	line->len = i > 0 && s->p[i - 1] == '\r' ? i - 1 : i;
	s->p += i + 1;
	s->len -= i + 1;
	return true;
}

/* Characters of a method, or of a field's name: RFC 9110, 5.6.2. */
static bool is_token(u8 c)
{
	static const char more[] = "!#$%&'*+-.^_`|~";
	u32 i;

	if ((c >= '0' && c <= '9') || (pxs_fold(c) >= 'a' && pxs_fold(c) <= 'z'))
		return true;
	for (i = 0; more[i]; i++)
		if (c == (u8)more[i])
			return true;
	return false;
}

/* The target of the request line at the head of @s; @s goes on at the blank behind it. */
static bool take_target(struct pxs_slice *s, struct pxs_slice *target)
{
	struct pxs_slice method;
	u32 i;

	/* Empty lines in front are to be ignored. */
	while (s->len && (s->p[0] == '\r' || s->p[0] == '\n')) {
		s->p++;
		s->len--;
	}
	if (!s->len || s->p[0] == ' ' || !pxs_next_word(s, &method))
		return false;
	for (i = 0; i < method.len; i++)
		if (!is_token(method.p[i]))
			return false;
	/* One blank between; a line that ends with the target is not HTTP/1. */
	if (s->len < 2 || s->p[0] != ' ' || s->p[1] == ' ')
		return false;
	return pxs_next_word(s, target) && s->p[0] == ' ';
}

static bool starts_with(const struct pxs_slice *s, const char *word, u32 len)
{
	struct pxs_slice head = { s->p, len };

	return s->len >= len && pxs_same_word(&head, word);
}

/* Divide an absolute target into host and path. */
static bool split_absolute(const struct pxs_slice *target, struct pxs_slice *host,
			   struct pxs_slice *path)
{
	u32 from, to;

	if (starts_with(target, "http://", 7))
		from = 7;
	else if (starts_with(target, "https://", 8))
		from = 8;
	else
		return false;
	for (to = from; to < target->len; to++)
		if (target->p[to] == '/' || target->p[to] == '?' || target->p[to] == '#')
			break;
	host->p = target->p + from;
	host->len = to - from;
	path->p = target->p + to;
	path->len = target->len - to;
	return true;
}

/* The value of @line if it is a field @name: RFC 9112, 5. */
static bool field_value(const struct pxs_slice *line, const char *name, u32 name_len,
			struct pxs_slice *value)
{
	if (!starts_with(line, name, name_len) || line->len == name_len ||
	    line->p[name_len] != ':')
		return false;
	value->p = line->p + name_len + 1;
	value->len = line->len - name_len - 1;
	while (value->len && (value->p[0] == ' ' || value->p[0] == '\t')) {
		value->p++;
		value->len--;
	}
	while (value->len && (value->p[value->len - 1] == ' ' || value->p[value->len - 1] == '\t'))
		value->len--;
	return true;
}

bool pxs_key_host(struct pxs_slice host, struct pxs_key_buf *buf, struct pxs_slice *key)
{
	u32 i;

	/* "user@" has no place here, but some send it. */
	for (i = host.len; i > 0; i--) {
		if (host.p[i - 1] != '@')
			continue;
		host.p += i;
		host.len -= i;
		break;
	}
	/* A port is digits behind the last colon, which is not one within [IPv6]. */
	for (i = host.len; i > 0 && host.p[i - 1] >= '0' && host.p[i - 1] <= '9'; i--)
		;
	if (i > 0 && host.p[i - 1] == ':' && (host.p[0] != '[' || (i > 1 && host.p[i - 2] == ']')))
		host.len = i - 1;
	if (host.len && host.p[host.len - 1] == '.')
		host.len--;
	return pxs_key_fold(host, buf, key);
}

bool pxs_key_http_host(struct pxs_slice s, struct pxs_key_buf *buf, struct pxs_slice *key)
{
	struct pxs_slice target, line, host, path;

	if (!take_target(&s, &target))
		return false;
	if (split_absolute(&target, &host, &path))
		return pxs_key_host(host, buf, key);
	if (!next_line(&s, &line))
		return false;
	while (next_line(&s, &line) && line.len)
		if (field_value(&line, "host", 4, &host))
			return pxs_key_host(host, buf, key);
	return false;
}

struct pxs_slice pxs_key_path(struct pxs_slice target)
{
	u32 i;

	for (i = 0; i < target.len && target.p[i] != '?' && target.p[i] != '#'; i++)
		;
	target.len = i;
	return target;
}

bool pxs_key_http_path(struct pxs_slice s, struct pxs_slice *key)
{
	static const u8 slash[] = "/";
	struct pxs_slice target, host;

	if (!take_target(&s, &target))
		return false;
	*key = target;
	if (split_absolute(&target, &host, key) && (!key->len || key->p[0] != '/')) {
		key->p = slash;
		key->len = 1;
		return true;
	}
	/* "*" and the authority of a CONNECT are no path */
	if (!key->len || key->p[0] != '/')
		return false;
	*key = pxs_key_path(*key);
	return true;
}
