// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each function of pte.h promises, for the check `proofs`: a function
 * whose answer must be true whatever it is asked.
 *
 * In numbers and in arithmetic, as the manual has them, and not in the names
 * and masks of the header, which may be wrong.
 */
#include "types.h"
#include "pte.h"

#define PROMISE(function, what)	bool function##__##what
#define GIVEN(what)	do { if (!(what)) return true; } while (0)

#define BIT(n, x)	((x) >> (n) & 1)
#define P(x)		BIT(0, x)	/* present */
#define W(x)		BIT(1, x)	/* writable */
#define U(x)		BIT(2, x)	/* for ring 3 */
#define A(x)		BIT(5, x)	/* accessed */
#define D(x)		BIT(6, x)	/* dirty */
#define PS(x)		BIT(7, x)	/* large */
#define G(x)		BIT(8, x)	/* global */
#define XD(x)		BIT(63, x)	/* not executable */
#define FRAME(x)	((x) / 4096 % (1ull << 40))

/* What is being done: bit 1 a write, bit 2 by a program, bit 4 a fetch. */
#define an_access(x)	(((x) & ~22) == 0)
#define a_level(x)	((x) >= 1 && (x) <= 4)
#define a_leaf(x, level)	((level) == 1 || ((level) == 2 && PS(x)))

static inline bool forbidden(u64 x, int level)
{
	if (x >> 40 & 4095)
		return true;
	if (level > 2)
		return PS(x);
	return level == 2 && PS(x) && x / 8192 % 256;
}

/* --- addresses and entries ------------------------------------------------ */

PROMISE(address_is_ours, slots_256_and_257)(u64 addr)
{
	u64 slot = addr / (1ull << 39) % 512;

	return address_is_ours(addr) == (slot == 256 || slot == 257);
}

PROMISE(address_is_ours, the_beginning_of_the_hole)(u64 addr)
{
	GIVEN(addr < 1ull << 47 || addr >= -1ull << 47);
	return address_is_ours(addr) ==
		(addr >= 0xffff800000000000 && addr <= 0xffff80ffffffffff);
}

PROMISE(table_index, exact)(u64 addr, int level)
{
	GIVEN(a_level(level));
	return table_index(addr, level) ==
		addr / (level == 1 ? 1ull << 12 : level == 2 ? 1ull << 21 :
			level == 3 ? 1ull << 30 : 1ull << 39) % 512;
}

PROMISE(table_index, in_the_table)(u64 addr, int level)
{
	GIVEN(a_level(level));
	return table_index(addr, level) < 512;
}

PROMISE(pte_frame, exact)(u64 entry)
{
	return pte_frame(entry) == FRAME(entry);
}

PROMISE(large_frame, exact)(u64 entry)
{
	return large_frame(entry) == FRAME(entry) - FRAME(entry) % 512;
}

PROMISE(pte_is_leaf, exact)(u64 entry, int level)
{
	GIVEN(a_level(level));
	return pte_is_leaf(entry, level) == a_leaf(entry, level);
}

PROMISE(pte_reserved, exact)(u64 entry, int level)
{
	GIVEN(a_level(level));
	return !pte_reserved(entry, level) == !forbidden(entry, level);
}

PROMISE(pte_reserved, its_own_bits)(u64 entry, int level)
{
	GIVEN(a_level(level));
	return (pte_reserved(entry, level) & ~entry) == 0;
}

PROMISE(pte_reserved, frame_has_28_bits)(u64 entry, int level)
{
	GIVEN(a_level(level) && !pte_reserved(entry, level));
	return FRAME(entry) < 1 << 28;
}

/* --- one step ------------------------------------------------------------- */

#define STEP	struct guest_walk walk = { addr, { t0, t1, t2, t3, t4 }, \
			{ t4, t3, t2, t1, t0 }, end, gfn }; \
		enum walk_result result = walk_step(&walk, level, entry)
#define STEP_ARGS	u64 addr, u64 entry, u64 gfn, u64 t0, u64 t1, u64 t2, u64 t3, u64 t4, int end

/* An array is a number for each place, so the level is one of four here. */
#define AT_EACH_LEVEL(function, what) \
static inline bool function##_##what(STEP_ARGS, int level); \
PROMISE(function, what##_1)(STEP_ARGS) \
{ return function##_##what(addr, entry, gfn, t0, t1, t2, t3, t4, end, 1); } \
PROMISE(function, what##_2)(STEP_ARGS) \
{ return function##_##what(addr, entry, gfn, t0, t1, t2, t3, t4, end, 2); } \
PROMISE(function, what##_3)(STEP_ARGS) \
{ return function##_##what(addr, entry, gfn, t0, t1, t2, t3, t4, end, 3); } \
PROMISE(function, what##_4)(STEP_ARGS) \
{ return function##_##what(addr, entry, gfn, t0, t1, t2, t3, t4, end, 4); } \
static inline bool function##_##what(STEP_ARGS, int level)

AT_EACH_LEVEL(walk_step, answer)
{
	STEP;

	if (!P(entry))
		return result == WALK_MISSING;
	return result == (forbidden(entry, level) ? WALK_RESERVED : WALK_ON);
}

AT_EACH_LEVEL(walk_step, writes_down)
{
	u64 was[] = { t0, t1, t2, t3 };
	STEP;
	bool on = result == WALK_ON, leaf = a_leaf(entry, level);

	if (walk.entry[level] != entry || walk.addr != addr)
		return false;
	if (walk.table[level - 1] !=
	    (on && !leaf ? FRAME(entry) : was[level - 1]))
		return false;
	if (on && leaf)
		return walk.level == level;
	return walk.level == end && walk.gfn == gfn;
}

AT_EACH_LEVEL(walk_step, frame)
{
	STEP;

	GIVEN(result == WALK_ON);
	if (!a_leaf(entry, level))
		return walk.table[level - 1] < 1 << 28;
	if (level == 1)
		return walk.gfn == FRAME(entry) && walk.gfn < 1 << 28;
	return walk.gfn / 512 == entry / (1 << 21) % (1 << 19) &&
		walk.gfn % 512 == addr / 4096 % 512;
}

PROMISE(walk_direct, exact)(u64 addr)
{
	struct guest_walk walk;

	walk_direct(&walk, addr);
	return walk.addr == addr && walk.level == 5 && walk.gfn == addr / 4096;
}

/* --- what is allowed ------------------------------------------------------ */

#define WAY_ARGS	u64 any, u64 e4, u64 e3, u64 e2, u64 e1, int access
#define FIVE(x)	{ x, x, x, x, x }
#define FOUR	{ any, e1, e2, e3, e4 }

#define AT_EACH_END(function, what) \
static inline bool function##_##what(WAY_ARGS, int level); \
PROMISE(function, what##_1)(WAY_ARGS) \
{ return function##_##what(any, e4, e3, e2, e1, access, 1); } \
PROMISE(function, what##_2)(WAY_ARGS) \
{ return function##_##what(any, e4, e3, e2, e1, access, 2); } \
static inline bool function##_##what(WAY_ARGS, int level)

AT_EACH_END(walk_allows, exact)
{
	struct guest_walk walk = { any, FIVE(any), FOUR, level, any };
	u64 entry[] = FOUR;
	bool may = true;
	int i;

	for (i = 4; i >= level; i--) {
		if (BIT(1, access) && !W(entry[i]))
			may = false;
		if (BIT(2, access) && !U(entry[i]))
			may = false;
		if (BIT(4, access) && XD(entry[i]))
			may = false;
	}
	return walk_allows(&walk, access) == may;
}

PROMISE(walk_allows, all_without_tables)(WAY_ARGS)
{
	struct guest_walk walk = { any, FIVE(any), FOUR, 5, any };

	return walk_allows(&walk, access);
}

/* Of a leaf at level 1 or 2, and of the tables above it. */
static inline bool marks_right(u64 entry, int access, int level, int end)
{
	struct guest_walk walk = { 0, FIVE(entry), FIVE(~entry), end, 0 };
	u64 marked;

	walk.entry[level] = entry;
	marked = pte_mark(&walk, level, access);
	if ((marked | 0x60) != (entry | 0x60))	/* nothing but the marks */
		return false;
	return A(marked) && D(marked) == (D(entry) ||
					  (BIT(1, access) && level == end));
}

PROMISE(pte_mark, exact)(u64 entry, int access)
{
	return marks_right(entry, access, 4, 1) && marks_right(entry, access, 3, 1) &&
		marks_right(entry, access, 2, 1) && marks_right(entry, access, 1, 1) &&
		marks_right(entry, access, 4, 2) && marks_right(entry, access, 3, 2) &&
		marks_right(entry, access, 2, 2);
}

PROMISE(walk_error, exact)(int result, int access)
{
	GIVEN(result >= WALK_ON && result <= WALK_NOWHERE && an_access(access));
	return walk_error(result, access) == access +
		(result == WALK_MISSING ? 0 : 1) + (result == WALK_RESERVED ? 8 : 0);
}

/* --- what a shadow entry is ----------------------------------------------- */

PROMISE(pte_shadow, only_listed_bits)(u64 entry, int level)
{
	u64 bits;

	GIVEN(a_level(level));
	bits = pte_shadow(entry, level);
	return !G(bits) && !PS(bits) && (bits & ~(1ull << 63)) < 128 &&
		!BIT(3, bits) && !BIT(4, bits);
}

PROMISE(pte_shadow, always_there)(u64 entry, int level)
{
	u64 bits;

	GIVEN(a_level(level));
	bits = pte_shadow(entry, level);
	return P(bits) && U(bits) && A(bits) && D(bits);
}

PROMISE(pte_shadow, write)(u64 entry, int level)
{
	GIVEN(a_level(level));
	return W(pte_shadow(entry, level)) ==
		(W(entry) && (D(entry) || !a_leaf(entry, level)));
}

PROMISE(pte_shadow, fetch)(u64 entry, int level)
{
	GIVEN(a_level(level));
	return XD(pte_shadow(entry, level)) == XD(entry);
}

/* --- and a whole way ------------------------------------------------------ */

static inline u64 step_bits(const struct guest_walk *walk, int level);
#include "step_bits.h"	/* out of shadow.c */

/* As walk_tables() in mmu.c, with its loop unrolled. */
static inline enum walk_result walk_down(struct guest_walk *walk, const u64 *entry)
{
	enum walk_result result;

	walk->level = 0;
	result = walk_step(walk, 4, entry[4]);
	if (result == WALK_ON && !walk->level)
		result = walk_step(walk, 3, entry[3]);
	if (result == WALK_ON && !walk->level)
		result = walk_step(walk, 2, entry[2]);
	if (result == WALK_ON && !walk->level)
		result = walk_step(walk, 1, entry[1]);
	return result;
}

/* What a processor may do with the shadows of a way: all of them, together. */
static inline bool shadows_allow(const struct guest_walk *walk, int access)
{
	u64 all = ~0ull, none = 0;
	int i;

	for (i = 4; i >= 1; i--) {
		all &= step_bits(walk, i);
		none |= step_bits(walk, i);
	}
	return P(all) && U(all) && (W(all) || !BIT(1, access)) &&
		!(XD(none) && BIT(4, access));
}

#define WALK	struct guest_walk walk = { any, FIVE(any), FIVE(any), 0, any }; \
		const u64 entry[] = FOUR; \
		enum walk_result result = walk_down(&walk, entry)

PROMISE(walk_step, comes_to_an_end)(WAY_ARGS)
{
	WALK;

	GIVEN(result == WALK_ON);
	return (walk.level == 1 || walk.level == 2) && walk.gfn < 1 << 28;
}

/* The kernel root shows all of it; what the Guest has clean, for reading. */
AT_EACH_END(step_bits, allow_what_the_way_allows)
{
	WALK;

	GIVEN(result == WALK_ON && walk.level == level && an_access(access));
	walk.level = level;
	return shadows_allow(&walk, access) ==
		(walk_allows(&walk, access & ~4) &&
		 (D(entry[level]) || !BIT(1, access)));
}

/* The user root shows only what has the user bit at every level. */
AT_EACH_END(step_bits, allow_a_program_no_more)
{
	WALK;
	int i;

	GIVEN(result == WALK_ON && walk.level == level && an_access(access));
	walk.level = level;
	for (i = 4; i >= level; i--)
		GIVEN(U(entry[i]));
	GIVEN(shadows_allow(&walk, access));
	return walk_allows(&walk, access | 4);
}

/* The address is the Host's: bits that are added to it change no part of it. */
AT_EACH_END(step_bits, leave_the_address)
{
	struct guest_walk walk = { any, FIVE(any), FOUR, level, any };
	u64 host = any % (1ull << 52) / 4096 * 4096;
	int i;

	for (i = 4; i >= 1; i--) {
		u64 entry = host | step_bits(&walk, i);

		if (FRAME(entry) != host / 4096 || entry % 4096 >= 128 ||
		    BIT(3, entry) || BIT(4, entry) || entry >> 52 & 2047)
			return false;
	}
	return true;
}

/* What is allowed does not fault again once it is marked, and leads there still. */
AT_EACH_END(pte_mark, is_enough)
{
	WALK;
	struct guest_walk again = { any, FIVE(any), FIVE(any), 0, any };
	u64 marked[5] = FIVE(any);
	int i;

	GIVEN(result == WALK_ON && walk.level == level && an_access(access));
	walk.level = level;
	GIVEN(walk_allows(&walk, access));
	for (i = 4; i >= level; i--)
		marked[i] = pte_mark(&walk, i, access);
	if (walk_down(&again, marked) != WALK_ON || again.level != level ||
	    again.gfn != walk.gfn)
		return false;
	again.level = level;
	return walk_allows(&again, access) && shadows_allow(&again, access);
}
