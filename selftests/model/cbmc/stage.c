// SPDX-License-Identifier: GPL-2.0
/*
 * stage.c - the stage: from any state that keeps its invariant, any call
 *
 * What the acceptor relies on: an append is refused and changes nothing, or gives the next
 * LSN; the durable point moves only up, only for the present attach epoch, only over what
 * was sent; the next journal must be the same one and may lack nothing that was durable.
 * Bytes are not copied, only where they would go is checked; unit tests look at them.
 */
#include "stage.h"

/* Four credits instead of thousands: the shipped file, made with another number. */
#undef PXS_STAGE_RECORDS
#define PXS_STAGE_RECORDS	4u
#include "../../../kmod/core/stage.c"

#define SIZE	256u		/* bytes of the ring */
#define FLIGHT	PXS_STAGE_RECORDS	/* records in flight at most */
#define FAR	0x3000000000000000ull

#define ENSURE(cond, what)	__CPROVER_assert(cond, what)
#define SUPPOSE(cond)		__CPROVER_assume(cond)

u8 nondet_u8(void);
u16 nondet_u16(void);
u32 nondet_u32(void);
u64 nondet_u64(void);
bool nondet_bool(void);

static struct pxs_stage s, was;
static u8 ring[SIZE];
static u32 length[PXS_STAGE_RECORDS];

/* Not the subject here. */
u32 pxs_crc32c(u32 crc, const void *data, size_t len)
{
	(void)crc;
	(void)data;
	(void)len;
	return nondet_u32();
}

/* What is copied does not matter here, where from and to does. */
void *memcpy(void *to, const void *from, size_t n)
{
	ENSURE(!n || (__CPROVER_r_ok(from, n) && __CPROVER_w_ok(to, n)), "copied within bounds");
	return to;
}

static bool invariant(void)
{
	u64 bytes = 0, sent = 0, i;

	if (s.durable_lsn > s.sent_lsn || s.sent_lsn > s.last_lsn || s.last_lsn > FAR ||
	    s.want_lsn > s.last_lsn || s.last_lsn - s.durable_lsn > FLIGHT || s.tail > FAR ||
	    s.head > FAR || s.sent > FAR)
		return false;
	for (i = s.durable_lsn + 1; i <= s.last_lsn; i++) {
		u32 size = length[i & (PXS_STAGE_RECORDS - 1)];

		if (size < PXS_RECORD_HDR_LEN || size > SIZE)
			return false;
		bytes += size;
		if (i <= s.sent_lsn)
			sent += size;
	}
	return bytes <= SIZE && s.head == s.tail + bytes && s.sent == s.tail + sent &&
	       (s.epoch || (!s.last_lsn && !s.head)) && (!s.attached || s.epoch) &&
	       s.epoch < FAR;
}

static void append(void)
{
	u8 value[8];
	struct pxs_record r = {
		.group = 1, .type = nondet_u8(), .len = nondet_u8(), .lazy = nondet_bool(),
	};
	u64 lsn;

	SUPPOSE(r.len <= sizeof(value));
	/* Nobody stages so many: positions do not wrap. */
	SUPPOSE(s.last_lsn < FAR - 1 && s.head < FAR - SIZE);
	lsn = pxs_stage_append(&s, &r, value);
	ENSURE(lsn == 0 || lsn == was.last_lsn + 1, "the next LSN");
	ENSURE(s.last_lsn == (lsn ? lsn : was.last_lsn), "refused: nothing changes");
	ENSURE(!lsn || (!was.failed && was.epoch), "no record after a failed flush");
	ENSURE(s.durable_lsn == was.durable_lsn && s.sent_lsn == was.sent_lsn,
	       "an append is not durable");
}

static void durable(void)
{
	u64 epoch = nondet_u64(), lsn = nondet_u64();
	int ret = pxs_stage_durable(&s, epoch, lsn);

	ENSURE(ret == 1 || s.durable_lsn == was.durable_lsn, "refused: nothing is durable");
	ENSURE(ret != 1 || (s.durable_lsn == lsn && lsn > was.durable_lsn && lsn <= was.sent_lsn),
	       "durable is what was sent and confirmed");
	ENSURE(ret != 1 || (epoch == was.epoch && was.attached && !was.failed),
	       "confirmed by the agent that is attached");
}

static void attach(void)
{
	u64 incarnation = nondet_u64(), next = nondet_u64();
	s64 ret;

	SUPPOSE(next && next <= FAR && s.epoch < FAR - 1);
	ret = pxs_stage_attach(&s, incarnation, next);
	ENSURE(ret < 0 || (!was.attached && !was.failed && s.attached), "one owner at a time");
	ENSURE(ret < 0 || (ret == (s64)s.epoch && s.epoch == was.epoch + 1), "a new epoch");
	ENSURE(ret < 0 || !was.epoch || (incarnation == was.incarnation &&
	       next > was.durable_lsn && next <= was.last_lsn + 1), "the journal of before");
	ENSURE(ret < 0 || s.durable_lsn == next - 1, "durable is what the journal holds");
	ENSURE(ret >= 0 || s.durable_lsn == was.durable_lsn, "refused: nothing is durable");
}

static void send(void)
{
	u8 buf[SIZE];
	struct pxs_batch b;

	if (nondet_bool())
		pxs_stage_late(&s);
	if (!pxs_stage_due(&s, SIZE, &b)) {
		ENSURE(!was.attached || was.failed || s.sent_lsn == s.last_lsn ||
		       s.hurry_lsn <= s.sent_lsn, "what is hurried, or late, is due");
		ENSURE(!was.attached || was.failed || s.want_lsn <= s.sent_lsn ||
		       s.batch_end[0] > s.durable_lsn, "what is waited for waits only for the disk");
		return;
	}
	ENSURE(!b.lazy || s.want_lsn < b.first_lsn || s.want_lsn >= b.first_lsn + b.count,
	       "what is waited for is no lazy batch");
	pxs_stage_copy(&s, &b, buf);
	pxs_stage_sent(&s, &b);
	ENSURE(s.sent_lsn == was.sent_lsn + b.count && s.sent_lsn <= s.last_lsn, "sent in order");
	ENSURE(s.durable_lsn == was.durable_lsn, "sent is not durable");
}

int main(void)
{
	__CPROVER_havoc_object(&s);
	__CPROVER_havoc_object(ring);
	__CPROVER_havoc_object(length);
	s.ring = ring;
	s.size = SIZE;
	s.length = length;
	/* The code takes differences and low bits of them: 16 bits stand for all. */
	s.durable_lsn = nondet_u16();
	s.sent_lsn = s.durable_lsn + nondet_u8() % (FLIGHT + 1);
	s.last_lsn = s.sent_lsn + nondet_u8() % (FLIGHT + 1);
	s.tail = nondet_u16();
	s.sent = s.tail + nondet_u16();
	s.head = s.sent + nondet_u16();
	SUPPOSE(invariant());
	was = s;
	switch (EVENT) {
	case 0:
		append();
		break;
	case 1:
		durable();
		break;
	case 2:
		attach();
		break;
	case 3:
		send();
		break;
	default:
		if (nondet_bool())
			pxs_stage_detach(&s);
		else
			pxs_stage_fail(&s);
	}
	ENSURE(s.durable_lsn >= was.durable_lsn, "the durable point only rises");
	ENSURE(s.epoch >= was.epoch, "the attach epoch only rises");
	ENSURE(invariant(), "the invariant is kept");
	return 0;
}
