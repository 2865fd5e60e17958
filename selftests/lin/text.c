// SPDX-License-Identifier: GPL-2.0
/*
 * text.c - histories as text
 *
 * One operation a line, eight words and perhaps a ninth, blanks between them:
 *
 *	CLIENT CALL RETURN KIND KEY ARGUMENT RESULT SLOT [LEVEL]
 *
 * CLIENT, KEY and values are any words. CALL and RETURN are times of one clock, decimal, in
 * any unit; RETURN is ? when nobody knows whether the operation took effect. SLOT is its
 * position in the log, from 1, or - where the reply does not tell. Lines in any order; empty
 * ones and those that begin with # mean nothing.
 *
 *	KIND	ARGUMENT  RESULT
 *	append	value     ok | no | ?            a log, named KEY; no: certainly not appended
 *	fetch	slot      value | - | ?          what a log holds there; -: nothing, yet
 *	write	value     ok | no | ?            a register
 *	read	-         value | - | ?          SLOT: the last one that it has seen, or 0
 *	cas	old>new   ok | differs | no | ?
 *	entry	value     -                      no operation: what member CLIENT holds in SLOT in
 *	                                         the end; - is a no-op, old>new a cas; times are -
 *
 * The log of register G/K is G, that of one without a slash is -. LEVEL is what a read
 * promises: strong (default), recent:T, near:N, session, eventual; see enum lin_level.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lin.h"
#include "names.h"

#define WORDS	9

static const char *const kinds[] = {
	[LIN_APPEND] = "append", [LIN_FETCH] = "fetch", [LIN_WRITE] = "write",
	[LIN_READ] = "read", [LIN_CAS] = "cas", [LIN_ENTRY] = "entry",
};

static const char *const levels[] = {
	[LIN_STRONG] = "strong", [LIN_RECENT] = "recent:", [LIN_NEAR] = "near:",
	[LIN_SESSION] = "session", [LIN_EVENTUAL] = "eventual",
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* Return: what is wrong, or NULL. */
static const char *take_number(const char *word, uint64_t *n)
{
	uint64_t digit;

	*n = 0;
	if (!*word)
		return "is empty";
	for (; *word; word++) {
		if (!isdigit((unsigned char)*word))
			return "is not a number";
		digit = (uint64_t)(*word - '0');
		if (*n > (LIN_SLOT_MAX - digit) / 10)
			return "is too large";
		*n = *n * 10 + digit;
	}
	return NULL;
}

static uint64_t take_word(struct lin_history *h, const char *word)
{
	return strcmp(word, "-") ? lin_names_id(h->names, word, (uint32_t)strlen(word)) : 0;
}

static const char *take_kind(struct lin_op *op, const char *word)
{
	uint8_t i;

	for (i = 0; i < COUNT(kinds); i++) {
		if (strcmp(kinds[i], word))
			continue;
		op->kind = i;
		op->cas = i == LIN_CAS;
		return NULL;
	}
	return "is not append, fetch, write, read, cas or entry";
}

static const char *take_level(struct lin_op *op, const char *word)
{
	size_t len;
	uint8_t i;

	for (i = 0; i < COUNT(levels); i++) {
		len = strlen(levels[i]);
		if (strncmp(levels[i], word, len))
			continue;
		if (i != LIN_STRONG && op->kind != LIN_READ)
			return "is for reads";
		op->level = i;
		if (levels[i][len - 1] == ':')
			return take_number(word + len, &op->bound);
		return word[len] ? "is not a level" : NULL;
	}
	return "is not strong, recent:T, near:N, session or eventual";
}

static const char *take_call(struct lin_op *op, const char *word)
{
	if (op->kind == LIN_ENTRY)
		return strcmp(word, "-") ? "of an entry is -" : NULL;
	return take_number(word, &op->call);
}

static const char *take_return(struct lin_op *op, const char *word)
{
	const char *bad;

	if (op->kind == LIN_ENTRY)
		return strcmp(word, "-") ? "of an entry is -" : NULL;
	op->ret = LIN_NEVER;
	if (!strcmp(word, "?"))
		return NULL;
	bad = take_number(word, &op->ret);
	if (!bad && op->ret < op->call)
		bad = "is before the call";
	return bad;
}

static const char *take_argument(struct lin_history *h, struct lin_op *op, char *word)
{
	char *more = strchr(word, '>');

	if (op->kind == LIN_FETCH) {
		const char *bad = take_number(word, &op->arg);

		return bad ? bad : op->arg ? NULL : "is no slot";
	}
	if (op->kind == LIN_READ)
		return strcmp(word, "-") ? "of a read is -" : NULL;
	if (more && (op->kind == LIN_CAS || op->kind == LIN_ENTRY)) {
		*more = 0;
		op->old = take_word(h, word);
		op->arg = take_word(h, more + 1);
		op->cas = true;
		return op->arg ? NULL : "is no value";
	}
	if (more)
		return "holds a >";
	if (op->kind == LIN_CAS)
		return "is not OLD>NEW";
	op->arg = take_word(h, word);
	return op->arg || op->kind == LIN_ENTRY ? NULL : "is no value";
}

static const char *take_result(struct lin_history *h, struct lin_op *op, const char *word)
{
	bool known = op->ret != LIN_NEVER;

	if (op->kind == LIN_ENTRY)
		return strcmp(word, "-") ? "of an entry is -" : NULL;
	if (known == !strcmp(word, "?"))
		return known ? "is ?, but there is a return" : "but no return";
	if (!known)
		return NULL;
	op->outcome = LIN_DONE;
	if (op->kind == LIN_READ || op->kind == LIN_FETCH) {
		op->value = take_word(h, word);
		return NULL;
	}
	if (!strcmp(word, "no"))
		op->outcome = LIN_REFUSED;
	else if (!strcmp(word, "differs") && op->kind == LIN_CAS)
		op->outcome = LIN_DIFFERS;
	else if (strcmp(word, "ok"))
		return "is not one of this kind";
	return NULL;
}

static const char *take_slot(struct lin_op *op, const char *word)
{
	const char *bad;

	if (!strcmp(word, "-"))
		return op->kind == LIN_ENTRY ? "of an entry is missing" : NULL;
	bad = take_number(word, &op->slot);
	op->empty = !bad && !op->slot;
	if (!bad && !op->slot && op->kind != LIN_READ)
		bad = "begins with 1";
	if (!bad && op->kind == LIN_FETCH)
		bad = "of a fetch is -";
	if (!bad && op->outcome == LIN_REFUSED)
		bad = "of what had no effect is -";
	return bad;
}

static void take_log(struct lin_history *h, struct lin_op *op, const char *key)
{
	const char *slash = strchr(key, '/');

	op->key = (uint32_t)take_word(h, key);
	if (slash)
		op->log = lin_names_id(h->names, key, (uint32_t)(slash - key));
	else if (!lin_is_register(op))
		op->log = op->key;
}

/* Return: the word that is wrong, or NULL. */
static const char *take_line(struct lin_history *h, char **w, int n, const char **bad)
{
	struct lin_op op = { 0 };

	*bad = "a line has 8 or 9 words";
	if (n < WORDS - 1)
		return "";
	*bad = take_kind(&op, w[3]);
	if (*bad)
		return w[3];
	op.client = (uint32_t)take_word(h, w[0]);
	take_log(h, &op, w[4]);
	*bad = take_call(&op, w[1]);
	if (*bad)
		return w[1];
	*bad = take_return(&op, w[2]);
	if (*bad)
		return w[2];
	*bad = take_argument(h, &op, w[5]);
	if (*bad)
		return w[5];
	*bad = take_result(h, &op, w[6]);
	if (*bad)
		return w[6];
	*bad = take_slot(&op, w[7]);
	if (*bad)
		return w[7];
	*bad = n == WORDS ? take_level(&op, w[8]) : NULL;
	if (*bad)
		return w[8];
	op.line = h->ops;
	lin_add(h, &op);
	return NULL;
}

/* An entry of register K, without a slash, belongs to log -. */
static void place_entries(struct lin_history *h)
{
	uint32_t top = 0, i;
	bool *reg;

	for (i = 0; i < h->ops; i++)
		if (h->op[i].key > top)
			top = h->op[i].key;
	reg = lin_alloc(NULL, top + 1, sizeof(*reg));
	memset(reg, 0, top + 1);
	for (i = 0; i < h->ops; i++)
		reg[h->op[i].key] |= lin_is_register(&h->op[i]);
	for (i = 0; i < h->ops; i++)
		if (h->op[i].kind == LIN_ENTRY && reg[h->op[i].key] &&
		    h->op[i].log == h->op[i].key)
			h->op[i].log = 0;
	free(reg);
}

static int split(char *line, char **w)
{
	char *save = NULL, *word;
	int n = 0;

	for (word = strtok_r(line, " \t\r\n", &save); word;
	     word = strtok_r(NULL, " \t\r\n", &save)) {
		if (n == WORDS)
			return 0;
		w[n++] = word;
	}
	return n;
}

uint32_t lin_read(struct lin_history *h, FILE *in, char *why, size_t room)
{
	const char *bad = NULL, *word;
	char *w[WORDS], *line = NULL;
	uint32_t number = 0;
	size_t size = 0;
	int n;

	if (!h->names)
		h->names = lin_names_new();
	while (!bad && getline(&line, &size, in) > 0) {
		number++;
		if (line[strspn(line, " \t\r\n")] == '#' || !line[strspn(line, " \t\r\n")])
			continue;
		n = split(line, w);
		word = take_line(h, w, n, &bad);
		if (bad)
			snprintf(why, room, *word ? "\"%s\" %s" : "%s%s", word, bad);
		else
			h->op[h->ops - 1].line = number;
	}
	free(line);
	if (!bad && ferror(in)) {
		snprintf(why, room, "cannot be read");
		return number + 1;
	}
	if (bad)
		return number;
	place_entries(h);
	return 0;
}

static const char *name(const struct lin_history *h, uint64_t id, char *buf, size_t room)
{
	if (h->names)
		return lin_names_word(h->names, id);
	if (!id)
		return "-";
	snprintf(buf, room, "%" PRIu64, id);
	return buf;
}

const char *lin_key_name(const struct lin_history *h, uint32_t key, char *buf, size_t room)
{
	return name(h, key, buf, room);
}

static const char *result(const struct lin_history *h, const struct lin_op *op, char *buf,
			  size_t room)
{
	if (op->outcome == LIN_UNKNOWN)
		return "?";
	if (op->kind == LIN_READ || op->kind == LIN_FETCH)
		return name(h, op->value, buf, room);
	return op->outcome == LIN_DONE ? "ok" : op->outcome == LIN_REFUSED ? "no" : "differs";
}

void lin_print(const struct lin_history *h, uint32_t i, char *buf, size_t room)
{
	char client[24], key[24], old[24], value[24], ret[24] = "?", slot[24] = "-";
	const struct lin_op *op = &h->op[i];
	char arg[80], level[40] = "";

	snprintf(arg, sizeof(arg), "%.70s", name(h, op->arg, value, sizeof(value)));
	if (op->kind == LIN_FETCH)
		snprintf(arg, sizeof(arg), "%" PRIu64, op->arg);
	if (op->cas)
		snprintf(arg, sizeof(arg), "%.38s>%.38s", name(h, op->old, old, sizeof(old)),
			 name(h, op->arg, value, sizeof(value)));
	if (op->slot || op->empty)
		snprintf(slot, sizeof(slot), "%" PRIu64, op->slot);
	if (op->kind == LIN_ENTRY) {
		snprintf(buf, room, "%s - - entry %s %s - %s",
			 name(h, op->client, client, sizeof(client)),
			 name(h, op->key, key, sizeof(key)), arg, slot);
		return;
	}
	if (op->level)
		snprintf(level, sizeof(level), " %s", levels[op->level]);
	if (op->level == LIN_RECENT || op->level == LIN_NEAR)
		snprintf(level, sizeof(level), " %s%" PRIu64, levels[op->level], op->bound);
	if (op->ret != LIN_NEVER)
		snprintf(ret, sizeof(ret), "%" PRIu64, op->ret);
	snprintf(buf, room, "%s %" PRIu64 " %s %s %s %s %s %s%s",
		 name(h, op->client, client, sizeof(client)), op->call, ret, kinds[op->kind],
		 name(h, op->key, key, sizeof(key)), arg,
		 result(h, op, value, sizeof(value)), slot, level);
}
