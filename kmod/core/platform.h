/* SPDX-License-Identifier: GPL-2.0 */
/*
 * platform.h - what the core needs from the place it runs in
 *
 * The only file under kmod/core that asks whether this is the kernel. Everything
 * else there is freestanding C: a state, an input and a time go in, a decision
 * comes out. Here are the fixed-width types, byte order helpers, the lock that
 * guards memory shared between groups, the reference count of a value buffer,
 * a word that CPUs share without a lock, the keyed hash of a datagram, and the sum of a record.
 */
#ifndef PXS_CORE_PLATFORM_H
#define PXS_CORE_PLATFORM_H

#ifdef __KERNEL__

/*
 * LSNs, slots and ballots are read without the lock that they are written under. In two halves
 * they would be numbers that never were: something not durable could pass for durable (S1).
 */
#ifndef CONFIG_64BIT
#error "paxsteer needs a 64-bit kernel: it reads 64-bit numbers in one piece"
#endif

#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/bug.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/refcount.h>
#include <linux/atomic.h>
#include <linux/crc32c.h>
#include <linux/unaligned.h>	/* shadowed by kmod/compat where it is asm/unaligned.h */
#include <crypto/blake2s.h>	/* shadowed by kmod/compat: its state changed its name */

#define pxs_noinline		noinline
#define pxs_always_inline	__always_inline

/* An invariant that cannot fail unless the code is wrong: said once, never a crash. */
#define pxs_assert(cond)	WARN_ON_ONCE(!(cond))

/* A spinlock that softirq and process context share. Leaf lock: nothing is taken under it. */
struct pxs_lock {
	spinlock_t lock;
};

static inline void pxs_lock_init(struct pxs_lock *l)
{
	spin_lock_init(&l->lock);
}

static inline void pxs_lock(struct pxs_lock *l) __acquires(&l->lock)
{
	spin_lock_bh(&l->lock);
}

static inline void pxs_unlock(struct pxs_lock *l) __releases(&l->lock)
{
	spin_unlock_bh(&l->lock);
}

/* Memory that may be asked for in softirq: may fail, never sleeps. */
static inline void *pxs_alloc(size_t size)
{
	return kmalloc(size, GFP_ATOMIC | __GFP_NOWARN);
}

static inline void pxs_free(void *p)
{
	kfree(p);
}

struct pxs_ref {
	refcount_t count;
};

static inline void pxs_ref_init(struct pxs_ref *r)
{
	refcount_set(&r->count, 1);
}

static inline void pxs_ref_get(struct pxs_ref *r)
{
	refcount_inc(&r->count);
}

/* Return: true when this was the last reference. */
static inline bool pxs_ref_put(struct pxs_ref *r)
{
	return refcount_dec_and_test(&r->count);
}

/* A word that any CPU may replace: read whole, and written only over what was read. */
struct pxs_word {
	atomic64_t v;
};

static inline u64 pxs_word_get(const struct pxs_word *w)
{
	return (u64)atomic64_read(&w->v);
}

/* Return: false when another one was faster. */
static inline bool pxs_word_swap(struct pxs_word *w, u64 was, u64 is)
{
	return (u64)atomic64_cmpxchg(&w->v, (s64)was, (s64)is) == was;
}

/* Control path only: a 64-bit division by a variable. */
static inline u64 pxs_div64(u64 dividend, u64 divisor)
{
	return div64_u64(dividend, divisor);
}

/*
 * Keyed BLAKE2s (RFC 7693) over a message in pieces: a key of 32 bytes, 16 bytes out.
 * init, any number of updates, final. Never fails, any context.
 */
struct pxs_tagger {
	struct blake2s_ctx state;
};

static inline void pxs_tag_init(struct pxs_tagger *t, const u8 *key)
{
	blake2s_init_key(&t->state, 16, key, 32);
}

static inline void pxs_tag_update(struct pxs_tagger *t, const void *data, size_t len)
{
	blake2s_update(&t->state, data, len);
}

static inline void pxs_tag_final(struct pxs_tagger *t, u8 *out)
{
	blake2s_final(&t->state, out);
}

/*
 * CRC-32C as fast as this machine can: *crc, the register as it is (not inverted), goes on over
 * @len bytes. Return: false, and nothing done, where there is nothing better than crc32c.c.
 */
static inline bool pxs_crc32c_machine(u32 *crc, const void *data, size_t len)
{
	*crc = crc32c(*crc, data, (unsigned int)len);
	return true;
}

#else /* !__KERNEL__ */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>
#include <errno.h>
#include <endian.h>
#include <linux/types.h>
#include <blake2.h>		/* libb2 */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

/* Tests, the agent and the simulator stop at a broken invariant; before it spreads. */
#define pxs_assert(cond)	do { if (!(cond)) abort(); } while (0)

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#endif
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define pxs_noinline		__attribute__((__noinline__))
#define pxs_always_inline	inline __attribute__((__always_inline__))
#ifndef fallthrough
#define fallthrough		__attribute__((__fallthrough__))
#endif
#ifndef min
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#endif
#ifndef offsetofend
#define offsetofend(t, m)	(offsetof(t, m) + sizeof(((t *)0)->m))
#endif
#ifndef READ_ONCE
#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#endif

#define cpu_to_be16		htobe16
#define cpu_to_be32		htobe32
#define cpu_to_be64		htobe64
#define be16_to_cpu		be16toh
#define be32_to_cpu		be32toh
#define be64_to_cpu		be64toh
#define cpu_to_le16		htole16
#define cpu_to_le32		htole32
#define cpu_to_le64		htole64
#define le16_to_cpu		le16toh
#define le32_to_cpu		le32toh
#define le64_to_cpu		le64toh

static inline u16 get_unaligned_be16(const void *p)
{
	u16 v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static inline u32 get_unaligned_be32(const void *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline u64 get_unaligned_le64(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* The agent's loop is one thread: there is nothing to lock out. */
struct pxs_lock {
	int unused;
};

static inline void pxs_lock_init(struct pxs_lock *l)
{
	l->unused = 0;
}

static inline void pxs_lock(struct pxs_lock *l)
{
	(void)l;
}

static inline void pxs_unlock(struct pxs_lock *l)
{
	(void)l;
}

static inline void *pxs_alloc(size_t size)
{
	return malloc(size);
}

static inline void pxs_free(void *p)
{
	free(p);
}

struct pxs_ref {
	u32 count;
};

static inline void pxs_ref_init(struct pxs_ref *r)
{
	r->count = 1;
}

static inline void pxs_ref_get(struct pxs_ref *r)
{
	pxs_assert(r->count && r->count != UINT32_MAX);
	r->count++;
}

static inline bool pxs_ref_put(struct pxs_ref *r)
{
	pxs_assert(r->count);
	return --r->count == 0;
}

struct pxs_word {
	u64 v;
};

static inline u64 pxs_word_get(const struct pxs_word *w)
{
	return w->v;
}

static inline bool pxs_word_swap(struct pxs_word *w, u64 was, u64 is)
{
	if (w->v != was)
		return false;
	w->v = is;
	return true;
}

static inline u64 pxs_div64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

struct pxs_tagger {
	blake2s_state state;
};

static inline void pxs_tag_init(struct pxs_tagger *t, const u8 *key)
{
	int ret = blake2s_init_key(&t->state, 16, key, 32);

	pxs_assert(!ret);
}

static inline void pxs_tag_update(struct pxs_tagger *t, const void *data, size_t len)
{
	blake2s_update(&t->state, data, len);
}

static inline void pxs_tag_final(struct pxs_tagger *t, u8 *out)
{
	blake2s_final(&t->state, out, 16);
}

/* A model checker takes no instructions of a machine's own. */
#if defined(__x86_64__) && !defined(__CPROVER__)
#define PXS_CRC32C_SSE42
__attribute__((__target__("sse4.2")))
static inline u32 pxs_crc32c_sse42(u32 crc, const u8 *p, size_t len)
{
	u64 c = crc;

	for (; len >= 8; len -= 8, p += 8)
		c = __builtin_ia32_crc32di(c, get_unaligned_le64(p));
	while (len--)
		c = __builtin_ia32_crc32qi((u32)c, *p++);
	return (u32)c;
}
#endif

static inline bool pxs_crc32c_machine(u32 *crc, const void *data, size_t len)
{
#ifdef PXS_CRC32C_SSE42
	if (__builtin_cpu_supports("sse4.2")) {
		*crc = pxs_crc32c_sse42(*crc, data, len);
		return true;
	}
#endif
	(void)crc;
	(void)data;
	(void)len;
	return false;
}

#endif /* __KERNEL__ */

#endif /* PXS_CORE_PLATFORM_H */
