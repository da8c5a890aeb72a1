/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random page tables and random operations on them, by two vCPUs and a Host,
 * against the shadow page tables of the book as they are: see
 * ci/checks/shadow-model.
 *
 * The Guest's memory is an array of frames.  A few of them, the pool, hold
 * random entries and are tables at whichever level the way comes by; only four
 * indices of a table are in use, so that all addresses can be tried.  The
 * processors read nothing but what a processor reads, the entries of the shadow
 * pages, and remember what they have read until they are made to forget.
 */
#include "types.h"
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val) (*(volatile __typeof__(x) *)&(x) = (val))
#include "pte.h"
#include "shadow.h"
#include "shadow.c"

#define ULL(x) ((unsigned long long)(x))
#define LIMIT 1200u		/* frames that the Guest has */
#define POOL 48u		/* of which so many hold entries */
#define VCPUS 2
#define CAP 160u		/* shadow pages */
#define MEMORIES 24		/* what a processor remembers */
#define TABLE_BASE 0x100000ull	/* where shadow pages are in the Host, in pages */
#define HOST_BASE 0x10000000ull	/* where the Guest's frames are, in pages */
#define WINDOW_BASE 0x200000ull	/* where the windows are, in pages */
#define SHARED_BASE 0x300000ull	/* where what leads to the shared pages is */
#define EPOCH 12000		/* steps until everything begins anew */

/* ---- what has been reached, for the report ---- */

#define COUNTERS(X) \
	X(op_instruction, "instructions") \
	X(op_invlpg, "INVLPG") X(op_flush, "flushes by the Guest") \
	X(op_cr3, "loads of CR3") X(op_paging, "paging off or on") \
	X(op_take, "frames taken by the Host") \
	X(take_table, "tables that come back empty") X(take_other, "or as something else") \
	X(take_way, "of them on the way of a fill") \
	X(op_written, "tables written by the Launcher, told") \
	X(op_secret, "tables written by the Launcher, secretly") \
	X(op_entry, "single entries forgotten") X(op_table, "tables freed while live") \
	X(op_evict, "shadow pages taken back") X(op_hole, "fills in our hole refused") \
	X(op_crowd, "crowds that lead to one place") \
	X(op_neighbour, "roots filled while their neighbour may be late") \
	X(op_favourite, "evictions around a table in use") \
	X(op_old_root, "around a root that was in use") \
	X(fill_small, "fills, 4 KiB") X(fill_large, "fills, 2 MiB") \
	X(fill_direct, "fills without paging") \
	X(fill_again, "fills that found the tables changed") \
	X(shown, "frames whose place a slot knew") \
	X(shown_writable, "and frames that a slot allowed to be written") \
	X(kept_right, "slots that may write but for a table") \
	X(root_filled, "slots of a root that came from another one") \
	X(tree, "pages that went with a table above them") \
	X(leaf_user, "accesses by programs") X(leaf_fetch, "fetches") X(leaf_write, "writes") \
	X(fault_missing, "Guest faults: missing") X(fault_reserved, "reserved bit") \
	X(fault_write, "not writable") X(fault_user, "not for programs") \
	X(fault_fetch, "not executable") X(fault_hole, "in our hole") \
	X(fault_forgets, "addresses forgotten by a fault") \
	X(walk_race, "entries changed during a walk") \
	X(stock_empty, "fills without a page in reserve") \
	X(stock_full, "pages too many, given back") \
	X(shared, "ways of a kernel to its shared page") \
	X(shared_not, "ways of a program to where that is not") \
	X(beyond_frame, "ways to a frame that does not exist") \
	X(beyond_table, "ways to a table that does not exist") \
	X(write_table, "Guest writes to shadowed tables") \
	X(write_own, "to tables on the way of the write") \
	X(write_race, "by another vCPU while one is in the Host") \
	X(bytes_1, "of one byte") X(bytes_2, "of two") X(bytes_4, "of four") \
	X(bytes_8, "of eight") X(bytes_16, "of sixteen") \
	X(across_entries, "across two entries") X(across_tables, "across two tables") \
	X(trip, "to entries that have just been walked") \
	X(trip_new, "of tables without a shadow") \
	X(trip_late, "by one who has not been kicked yet") X(op_race, "races prepared") \
	X(mark_race, "entries changed before they were marked") \
	X(host_race, "frames taken during a fill") \
	X(is_recursive, "tables that lead to themselves") \
	X(alias, "aliases: fills of a frame that another leaf shows") \
	X(alias_rights, "and with other rights") \
	X(alias_table, "tables on the way that have several parents") \
	X(is_two_levels, "tables at two levels") X(is_data, "tables mapped as data") \
	X(is_large_data, "tables inside of a large page") \
	X(toggle, "sizes toggled in use") X(retarget, "entries in use led elsewhere") \
	X(revoke, "rights in use taken away") \
	X(remembered, "accesses from memory") X(shortcut, "walks begun half-way") \
	X(stale, "accesses by what is not true any more") \
	X(unsaid, "INVLPGs that need not be said") X(list_full, "tables synced early, since the list was full") \
	X(caught, "or before a page got a new place") X(ring_full, "rings full") \
	X(read_fails, "reads that failed") X(busy_root, "loaded roots passed over") \
	X(taken_root, "loaded roots emptied") X(exact, "states that were exact") \
	X(exact_direct, "addresses compared without paging") \
	X(exact_program, "addresses compared for programs") \
	X(evictions, "evictions") X(unsyncs, "unsyncs") X(resyncs, "resyncs") \
	X(kicks, "kicks")

#define X(name, text) c_##name,
enum { COUNTERS(X) COUNTS };
#undef X
#define X(name, text) text,
static const char *const texts[] = { COUNTERS(X) };
#undef X
static unsigned long count[COUNTS];
static unsigned long made[5][3];	/* by level and role: kernel, programs, direct */
static unsigned long max_reach, max_ring, max_parents, max_pages, max_chain;
static unsigned long checked_slots, checked_addresses, reached_addresses;
static unsigned long checked_roots, shadow_reach, guest_reach, guest_roots;

/* ---- chance ---- */

static u64 seed, chance;
static unsigned long step;
static const char *doing = "nothing";

static u64 any(void)
{
	chance ^= chance >> 12;
	chance ^= chance << 25;
	chance ^= chance >> 27;
	return (chance * 0x2545f4914f6cdd1dull) >> 16;
}

static u32 below(u32 n)
{
	return any() % n;
}

static bool one_in(u32 n)
{
	return !below(n);
}

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	va_list args;

	printf("step %lu, %s: ", step, doing);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\nSEED=%llu repeats it\n", ULL(seed));
	fflush(stdout);
	_Exit(1);
}

/* ---- the Guest's memory, and what was true of it ---- */

static u64 mem[LIMIT][512];
static u64 host[LIMIT];		/* where each frame is, in pages */
static bool ours[LIMIT];	/* and whether the Guest has got it for writing since */
static int pool_of[LIMIT];	/* 1 + number in the pool */
static u32 pool[POOL], pools;
static u32 used[4];		/* the indices in use */
static bool secret[POOL];	/* changed, and nobody has been told */
static u64 secret_since[POOL];

/* A value that an entry had from @begin until @end. */
struct past {
	u64 value, begin, end;
	u32 next;
};

#define PASTS (1u << 18)
static struct past pasts[PASTS];
static u32 n_pasts;
static u32 past_of[POOL][512];
static u64 present_since[POOL][512];	/* when its value has been written */
static u32 with_past[POOL * 512], n_with_past;
static u64 now, last_flush;

static void forget_pasts(void)
{
	u32 i, kept = 0;

	for (i = 0; i < n_with_past; i++) {
		if (secret[with_past[i] / 512])
			with_past[kept++] = with_past[i];
		else
			past_of[with_past[i] / 512][with_past[i] % 512] = 0;
	}
	n_with_past = kept;
	if (!kept)
		n_pasts = 0;
	last_flush = ++now;
}

static void forget_past_of(u32 gfn, u32 index)
{
	if (pool_of[gfn])
		past_of[pool_of[gfn] - 1][index] = 0;
}

static void set_entry(u32 gfn, u32 index, u64 value)
{
	u64 old = mem[gfn][index];
	u32 p = pool_of[gfn] - 1, n;

	if (old == value)
		return;
	now++;
	mem[gfn][index] = value;
	if (n_pasts == PASTS - 1)
		fail("the model has no room for more of the past");
	if (!past_of[p][index])
		with_past[n_with_past++] = p * 512 + index;
	if (n_with_past == POOL * 512)
		fail("the model has no room for more entries");
	n = ++n_pasts;
	pasts[n] = (struct past){ old, present_since[p][index], now, past_of[p][index] };
	past_of[p][index] = n;
	present_since[p][index] = now;
}

/* Somebody has been told: what was true may be believed until the next flush. */
static void tell(u32 gfn)
{
	u32 p = pool_of[gfn] - 1, i, n;

	if (!secret[p])
		return;
	secret[p] = false;
	now++;
	for (i = 0; i < 512; i++)
		for (n = past_of[p][i]; n; n = pasts[n].next)
			if (pasts[n].end > secret_since[p])
				pasts[n].end = now;
}

/* Most tables have a level at which they mostly are; 0 is any. */
static int home[POOL];

static u32 pool_for(int level)
{
	u32 i, p = below(pools);

	for (i = 0; i < 12 && home[p] != level && !one_in(24); i++)
		p = below(pools);
	return pool[p];
}

static u64 random_entry(u32 gfn)
{
	u64 entry = (any() << 20 ^ any()) & 0x7ff0000000000f18ull;	/* what nobody should look at */
	int level = home[pool_of[gfn] - 1];
	bool large;

	if (!level || one_in(24))
		level = 1 + below(4);
	large = level == 2 ? one_in(4) : level == 1 ? one_in(2) : one_in(100);
	if (!one_in(24))
		entry |= 1;
	if (!one_in(10))
		entry |= 2;
	if (!one_in(9))
		entry |= 4;
	if (one_in(2))
		entry |= 0x20;
	if (one_in(2))
		entry |= 0x40;
	if (one_in(14))
		entry |= 1ull << 63;
	if (large)
		entry |= 0x80;
	if (one_in(100))
		entry |= (u64)(one_in(2) ? LIMIT + below(3) : 0xfffffff) << 12;
	else if (level == 2 && large)
		entry |= (u64)below(3) << 21 | (u64)below(2) << 12 | (u64)one_in(30) << 13 << below(8);
	else if (level > 1)
		entry |= (u64)pool_for(level - 1) << 12;
	else if (one_in(2))
		entry |= (u64)pool[below(pools)] << 12;
	else
		entry |= (u64)(below(3) * 512 + used[below(4)] % 176) << 12;
	if (one_in(150))
		entry |= 1ull << (40 + below(12));
	return entry;
}

/* ---- what the Guest's entries mean, written down a second time ---- */

struct meaning {
	bool present, reserved, leaf;
	bool w, u, x, a, d;
	u64 frame;
};

static struct meaning means(u64 e, int level)
{
	struct meaning m = {
		.present = e & 1, .w = e >> 1 & 1, .u = e >> 2 & 1,
		.a = e >> 5 & 1, .d = e >> 6 & 1, .x = !(e >> 63),
		.frame = e << 12 >> 24,
	};

	m.reserved = e >> 40 & 0xfff;
	if (e & 0x80) {
		if (level >= 3)
			m.reserved = true;
		if (level == 2) {
			m.leaf = true;
			m.frame = m.frame / 512 * 512;
			if (e / 0x2000 % 256)
				m.reserved = true;
		}
	}
	if (level == 1)
		m.leaf = true;
	return m;
}

#define MISSING 1
#define RESERVED 2
#define BEYOND 3

struct reference {
	int why;	/* MISSING, RESERVED, BEYOND or 0 */
	bool table;	/* it is a table that is beyond */
	bool past;	/* some entry of the way has been something else */
	bool w, u, x, large;
	u64 gfn;
};

static struct reference reference(u64 cr3, u64 addr)
{
	struct reference r = { .w = true, .u = true, .x = true };
	u64 table = cr3;
	int level, index;

	for (level = 4; level; level--) {
		struct meaning m;

		if (table >= LIMIT) {
			r.why = BEYOND;
			r.table = true;
			return r;
		}
		index = addr >> (3 + 9 * level) & 511;
		r.past |= pool_of[table] && past_of[pool_of[table] - 1][index];
		m = means(mem[table][index], level);
		if (!m.present || m.reserved) {
			r.why = m.present ? RESERVED : MISSING;
			return r;
		}
		r.w &= m.w;
		r.u &= m.u;
		r.x &= m.x;
		table = m.frame;
		if (m.leaf)
			break;
	}
	r.large = level == 2;
	r.gfn = table + (r.large ? addr / 4096 % 512 : 0);
	if (r.gfn >= LIMIT)
		r.why = BEYOND;
	return r;
}

/* ---- the shadow, and the processors ---- */

static struct shadow shadow, *const sh = &shadow;
static struct shadow_frame frames[LIMIT];
static struct shadow_page *pages[CAP + 2], page_store[CAP + 1];
static u64 entry_store[CAP + 1][512], copy[512];
static bool spare[CAP + 2];	/* is on the list of spare pages */
static u32 scarce;		/* one in so many pages cannot be had; 0 is none */

/* What a processor has read on its way from a root. */
struct memory {
	bool known, complete;
	bool program;
	u64 addr;
	int level;		/* the last page on the way is of this level */
	u32 page[5];
	u32 gfn[5];		/* what these pages were then */
	u8 role[5];
	u64 entry[5];
};

static struct vcpu {
	bool paging;
	u32 cr3;
	struct shadow_page *root[2];	/* for the Guest's kernel, its programs */
	struct memory memory[MEMORIES];
	struct { u64 addr, when; } invlpg[8];
	u32 invlpgs;
} vcpus[VCPUS];

static bool calm;		/* no races, no failures now */
static bool locked;
static bool crowding;		/* one ring is being filled */
static bool racing;		/* somebody is waiting to change what is walked */
static bool flushing;		/* because the Guest wants it */
static int in_host;		/* the vCPU that is, -1 if none */
static const struct guest_walk *hot;	/* somebody is on this way */
static int marking;		/* what he does there */
static u32 tables_at[LIMIT];	/* levels at which it is a table, for the report */

static u64 table_at(u64 cr3_or_entry)
{
	return (cr3_or_entry << 12 >> 24) - TABLE_BASE;
}

static u64 gfn_at(u64 entry)
{
	return ((entry << 12 >> 24) - HOST_BASE) % 4096;
}

static void forget_memory(struct vcpu *v)
{
	int i;

	for (i = 0; i < MEMORIES; i++)
		v->memory[i].known = false;
}

static u64 random_address(const struct vcpu *v)
{
	u64 addr = 0;
	int level;

	if (!v->paging) {
		if (one_in(20))
			return (u64)(LIMIT + below(500)) << 12;
		if (one_in(2))
			return (u64)pool[below(pools)] << 12;
		return (u64)below(LIMIT) << 12;
	}
	for (level = 4; level; level--) {
		u32 index = used[below(4)];

		if (level == 4 && index / 2 == 128 && !one_in(6))
			index = 0;
		addr |= (u64)index << (3 + 9 * level);
	}
	return addr >> 47 ? addr | 0xffff000000000000ull : addr;
}

/* Mostly one that leads somewhere. */
static u64 good_address(const struct vcpu *v, int access)
{
	u64 addr = random_address(v);
	int i;

	for (i = 0; v->paging && i < 10 && !one_in(20); i++) {
		struct reference r = reference(v->cr3, addr);

		if (!r.why && addr << 16 >> 59 != 16 && (r.w || !(access & FAULT_WRITE)) &&
		    (r.u || !(access & FAULT_USER)) && (r.x || !(access & FAULT_FETCH)))
			break;
		addr = random_address(v);
	}
	return addr;
}

/* What the kernel roots of a vCPU have for the page that it shares with the Host. */
static u64 shared_entry(const struct vcpu *v)
{
	return (SHARED_BASE + (v - vcpus)) << 12 | 0x67;
}

/* What a processor does with an address; false if it faults. */
static bool processor(struct vcpu *v, u64 addr, int access, u64 *gfn)
{
	bool program = access & FAULT_USER;
	struct memory m = { .program = program, .addr = addr }, *old;
	int level = 4, i;
	bool w = true, x = true;
	u64 e;

	old = NULL;
	for (i = 0; i < MEMORIES; i++) {
		struct memory *t = &v->memory[i];

		if (t->known && t->complete && t->addr == addr && t->program == program)
			old = t;
	}
	if (old && !one_in(4)) {
		for (i = 4; i >= 1; i--) {
			w &= old->entry[i] >> 1 & 1;
			x &= !(old->entry[i] >> 63);
		}
		if ((w || !(access & FAULT_WRITE)) && (x || !(access & FAULT_FETCH))) {
			*gfn = gfn_at(old->entry[1]);
			if (!locked && host[*gfn] != old->entry[1] << 12 >> 24)
				fail("frame %llu is remembered where it is not any more", ULL(*gfn));
			count[c_remembered]++;
			return true;
		}
		w = x = true;
	}
	m.page[4] = v->root[program]->number;
	if (one_in(2)) {	/* begin with what is known of the way */
		struct memory *t = &v->memory[below(MEMORIES)];
		int from = t->level;

		if (t->known && t->program == program && from < 4) {
			while (from < 4 && t->addr >> (12 + 9 * from) != addr >> (12 + 9 * from))
				from++;
			if (from < 4) {
				for (i = 4; i > from; i--) {
					m.page[i] = t->page[i];
					m.gfn[i] = t->gfn[i];
					m.role[i] = t->role[i];
					m.entry[i] = t->entry[i];
					w &= t->entry[i] >> 1 & 1;
					x &= !(t->entry[i] >> 63);
				}
				m.page[from] = t->page[from];
				level = from;
				count[c_shortcut]++;
			}
		}
	}
	for (;; level--) {
		const struct shadow_page *page = pages[m.page[level]];

		m.level = level;
		m.gfn[level] = page->gfn;
		m.role[level] = page->role;
		e = page->entries[addr >> (3 + 9 * level) & 511];
		m.entry[level] = e;
		if (level == 4 && (addr >> 39 & 511) == SHARED_SLOT) {
			if (e != (program && v->paging ? 0 : shared_entry(v)))
				fail("slot %d of a root has %#llx", SHARED_SLOT, ULL(e));
			count[program ? c_shared_not : c_shared]++;
			m.complete = false;
			break;
		}
		if (!(e & 1))
			break;
		if (spare[m.page[level]] && !locked)
			fail("a processor finds an entry in a page that is not used");
		if (!(e & 4)) {
			if (level == 4 && (addr >> 39 & 511) == WINDOW_SLOT)
				break;		/* the window is for ring 0 */
			fail("an entry of level %d is for ring 0", level);
		}
		if (e & ~(0x000ffffffffff000ull | 1ull << 63 | 0x67 | (level == 1 ? SHADOW_WRITE : 0)))
			fail("level %d: entry %#llx has bits of the Guest's", level, ULL(e));
		w &= e >> 1 & 1;
		x &= !(e >> 63);
		if (level == 1)
			break;
		if (table_at(e) - 1 >= sh->made)
			fail("level %d: the way leads to %#llx, which is no shadow page", level, ULL(e));
		m.page[level - 1] = table_at(e);
	}
	m.known = true;
	m.complete = e & 1 && level == 1;
	if (m.complete || (level < 4 && one_in(2)))
		v->memory[below(MEMORIES)] = m;
	if (!m.complete || (access & FAULT_WRITE && !w) || (access & FAULT_FETCH && !x))
		return false;
	*gfn = gfn_at(e);
	if (*gfn >= LIMIT || host[*gfn] != e << 12 >> 24)
		fail("a leaf maps %#llx, which is not the Guest's", ULL(e));
	return true;
}

static void note_change(u32 gfn, u32 index, u64 value)
{
	u64 old = mem[gfn][index];
	u32 n;

	for (n = frames[gfn].pages; n; n = pages[n]->same)
		if (is_table(pages[n]) && pages[n]->slots[index].next) {
			struct meaning a = means(old, pages[n]->level), b = means(value, pages[n]->level);

			count[c_toggle] += a.leaf != b.leaf;
			count[c_retarget] += a.frame != b.frame;
			count[c_revoke] += (a.w && !b.w) || (a.x && !b.x) || (a.u && !b.u);
		}
}

static void see_write(u64 gfn)
{
	if (!has_tables(sh, gfn))
		return;
	count[c_write_table]++;
	if (!locked && !frames[gfn].unsync)
		fail("the Guest writes to table %llu and nobody notices", ULL(gfn));
	if (in_host >= 0)
		count[c_write_race]++;
}

/* Some bytes are written to a frame that holds entries, or to half of one. */
static void write_bytes(u64 gfn, u32 at, u32 size)
{
	static const u8 bits[] = { 0, 1, 2, 5, 6, 7, 12, 63 };
	u32 n, shift;

	for (; size; size -= n, at += n) {
		u64 old = mem[gfn][at / 8], value, mask;

		shift = at % 8 * 8;
		n = size < 8 - at % 8 ? size : 8 - at % 8;
		mask = (n == 8 ? -1ull : (1ull << n * 8) - 1) << shift;
		value = one_in(3) ? old ^ 1ull << bits[below(8)] : random_entry(gfn);
		value = (old & ~mask) | (value & mask);
		note_change(gfn, at / 8, value);
		set_entry(gfn, at / 8, value);
	}
}

/* As a program would: mostly aligned, sometimes into the next entry. */
static void write_somewhere(u64 gfn, u32 index)
{
	u32 power = one_in(2) ? 3 : below(5), size = 1 << power, at = index * 8;

	if (size < 8)
		at += below(8 / size) * size;
	if (size > 1 && one_in(4))
		at += 8 - at % 8 - (1 + below(size < 8 ? size - 1 : 7));
	if (size == 16 && one_in(2))
		at &= ~15;
	if (at + size > 4096)
		at = 4096 - size;
	count[c_bytes_1 + power]++;
	count[c_across_entries] += size <= 8 && at / 8 != (at + size - 1) / 8;
	write_bytes(gfn, at, size);
}

/* The Guest has written to a frame: does it hold entries? */
static void after_write(u64 gfn, const struct guest_walk *way)
{
	u32 index = used[below(4)];
	int level;

	if (!pool_of[gfn])
		return;
	if (way && one_in(2))
		for (level = 4; level >= way->level && level; level--)
			if (way->table[level] == gfn) {
				index = table_index(way->addr, level);
				count[c_write_own]++;
			}
	see_write(gfn);
	write_somewhere(gfn, index);
}

/* What the other vCPUs do meanwhile: whatever does not fault. */
static void meanwhile(void)
{
	int i, n;

	if (calm)
		return;
	for (i = 0; i < VCPUS; i++) {
		struct vcpu *v = &vcpus[i];

		if (i == in_host || !v->root[0] || !one_in(3))
			continue;
		for (n = 1 + below(4); n; n--) {
			int access = below(2) * FAULT_WRITE | (one_in(3) ? FAULT_USER : 0);
			u64 addr = random_address(v), gfn;
			const struct memory *m = &v->memory[below(MEMORIES)];

			if (m->known && m->complete && !one_in(3)) {
				addr = m->addr;
				access = (access & FAULT_WRITE) | (m->program ? FAULT_USER : 0);
			}
			if (processor(v, addr, access, &gfn) && access & FAULT_WRITE)
				after_write(gfn, hot);
		}
	}
}

/* An address at which a vCPU can write to a frame without a fault; 1 if none. */
static u64 way_to_write(const struct vcpu *v, u32 number, u64 addr, u64 gfn)
{
	const struct shadow_page *page = pages[number];
	u64 found = 1;
	int i;

	for (i = 0; i < 4 && found == 1; i++) {
		u64 a = addr | (u64)used[i] << (3 + 9 * page->level);
		u64 e = page->entries[used[i]];

		if ((e & 7) != 7 || (page->level == 4 && used[i] == SHARED_SLOT))
			continue;
		if (page->level > 1)
			found = way_to_write(v, table_at(e), a, gfn);
		else if (gfn_at(e) == gfn)
			found = a;
	}
	return found >> 47 & 1 && found != 1 ? found | 0xffff000000000000ull : found;
}

/* Does a vCPU remember that it may write to a frame? */
static bool remembers_write(const struct vcpu *v, u64 gfn)
{
	int i;

	for (i = 0; i < MEMORIES; i++) {
		const struct memory *m = &v->memory[i];

		if (m->known && m->complete && gfn_at(m->entry[1]) == gfn &&
		    m->entry[1] & m->entry[2] & m->entry[3] & m->entry[4] & 2)
			return true;
	}
	return false;
}

/* Another vCPU changes an entry of the very way that somebody has just walked. */
static void trip(const struct guest_walk *walk)
{
	static const u8 bits[] = { 0, 1, 5, 5, 6, 6, 12, 63 };
	const struct vcpu *self = &vcpus[in_host];
	const struct vcpu *v = &vcpus[!in_host];
	int level;

	if (calm || !self->paging || !v->paging)
		return;
	for (level = 4; level >= walk->level; level--) {
		u64 table = walk->table[level], entry;
		int index = table_index(walk->addr, level);

		if (!pool_of[table])
			continue;
		if (!remembers_write(v, table)) {
			if (!frames[table].slots ||
			    way_to_write(v, v->root[0]->number, 0, table) == 1)
				continue;
			if (has_tables(sh, table) && !frames[table].unsync)
				fail("the Guest writes to table %llu and nobody notices", ULL(table));
		}
		entry = one_in(4) ? random_entry(table) : mem[table][index] ^ 1ull << bits[below(8)];
		note_change(table, index, entry);
		set_entry(table, index, entry);
		count[c_trip]++;
		count[c_trip_new] += !has_tables(sh, table);
		count[c_trip_late] += locked;
	}
}

/* ---- what shadow.c wants of us ---- */

/* Nobody may remember a page that has become something else. */
static void check_recycled(void)
{
	int i, n, level;

	for (i = 0; i < VCPUS; i++)
		for (n = 0; n < MEMORIES; n++) {
			const struct memory *m = &vcpus[i].memory[n];

			if (!m->known)
				continue;
			for (level = 4; level >= m->level; level--) {
				const struct shadow_page *page = pages[m->page[level]];

				if (page->gfn != m->gfn[level] || page->level != level ||
				    page->role != m->role[level])
					fail("vcpu %d remembers page %u as another", i, page->number);
			}
		}
}

/* What somebody remembers of a table may not be changed without being noticed. */
static void check_given_back(void)
{
	int i, n, level;

	for (i = 0; i < VCPUS; i++)
		for (n = 0; n < MEMORIES; n++) {
			const struct memory *m = &vcpus[i].memory[n];

			for (level = 4; m->known && level >= m->level && level; level--) {
				u32 gfn = m->gfn[level], slot = frames[gfn].slots, first = slot;

				if (m->role[level] & ROLE_DIRECT || frames[gfn].unsync || !slot)
					continue;
				do {
					if (page_of(sh, slot)->entries[slot % 512] & 2)
						fail("frame %u may be written, and is remembered as a table", gfn);
					slot = slot_at(sh, slot)->next;
				} while (slot != first);
			}
		}
}

void shadow_flush(struct shadow *s)
{
	int i;

	(void)s;
	check_recycled();
	check_given_back();
	meanwhile();
	if (hot && one_in(2))
		trip(hot);
	for (i = 0; i < VCPUS; i++)
		forget_memory(&vcpus[i]);
	meanwhile();
	count[c_kicks]++;
}

static bool readable(void)
{
	if (calm || !one_in(40))
		return true;
	count[c_read_fails]++;
	return false;
}

bool shadow_read_entry(struct shadow *s, u64 gfn, int index, u64 *entry)
{
	(void)s;
	check_recycled();
	meanwhile();
	if (gfn >= LIMIT)
		fail("reads a table that is not there");
	*entry = mem[gfn][index];
	return readable();
}

bool shadow_read_table(struct shadow *s, u64 gfn, const u64 *wanted, u64 *entries)
{
	(void)s;
	meanwhile();
	if (gfn >= LIMIT)
		fail("reads a table that is not there");
	if (!flushing)
		count[sh->unsyncs == SHADOW_UNSYNC ? c_list_full : c_caught]++;
	if (!readable())	/* and leaves there what was there */
		return false;
	for (u32 n = sh->frames[gfn].pages; n; n = pages[n]->same)
		for (int i = 0; !(pages[n]->role & ROLE_DIRECT) && i < 8; i++)
			if (pages[n]->used[i] & ~wanted[i])
				fail("compares entries of %#llx that it has not asked for", (unsigned long long)gfn);
	for (int i = 0; i < 512; i++)	/* what is not wanted is wrong */
		entries[i] = mem[gfn][i] ^ (wanted[i / 64] >> i % 64 & 1 ? 0 : ~0ull);
	meanwhile();
	return true;
}

bool shadow_fetch_entry(struct shadow *s, u64 gfn, int index, u64 *entry)
{
	(void)s;
	if (locked)
		fail("fetches under the lock, and may sleep");
	if (gfn >= LIMIT)
		fail("walks through a table that is not there");
	if (one_in(8))
		meanwhile();
	*entry = mem[gfn][index];
	return true;
}

/* A processor has this entry for itself now: whoever was quicker has been. */
int shadow_replace_entry(struct shadow *s, u64 gfn, int index, u64 old, u64 new)
{
	u64 may = 0x20;

	(void)s;
	if (locked)
		fail("marks under the lock, and may sleep");
	if (gfn >= LIMIT)
		fail("marks a table that is not there");
	if (one_in(8))
		meanwhile();
	if (one_in(8))
		trip(hot);
	if (mem[gfn][index] != old) {
		count[c_mark_race]++;
		return 1;
	}
	if (marking & FAULT_WRITE && gfn == hot->table[hot->level] &&
	    (unsigned int)index == table_index(hot->addr, hot->level))
		may |= 0x40;
	if (new & ~mem[gfn][index] & ~may || mem[gfn][index] & ~new)
		fail("marks %#llx as %#llx", ULL(mem[gfn][index]), ULL(new));
	set_entry(gfn, index, new);
	return 0;
}

/* ---- what must hold ---- */

/* What a leaf allows, or will allow when its frame is a table no more. */
static bool may_write(u64 e)
{
	return e & (2 | SHADOW_WRITE);
}

/* Would this value of the Guest's entry explain what the shadow says? */
static bool explains(const struct shadow_page *page, u32 index, u64 value)
{
	struct meaning m = means(value, page->level);
	u64 e = page->entries[index];
	const struct shadow_page *next;

	if (!m.present || m.reserved || !m.a)
		return false;
	if (page->role & ROLE_USER && !m.u)
		return false;
	if (may_write(e) && !(m.w && (m.d || !m.leaf)))
		return false;
	if (!m.x && !(e >> 63))
		return false;
	if (page->level == 1)
		return m.frame < LIMIT && e << 12 >> 24 == host[m.frame];
	next = pages[table_at(e)];
	return next->gfn == m.frame && next->level == page->level - 1 &&
		next->role == (m.leaf ? ROLE_DIRECT : page->role & ROLE_USER);
}

/*
 * The first moment, not before @since, at which what the shadow says was true; NEVER.
 *
 * A processor reads the entries of a way from the root down, and may remember each
 * until it is told to forget all, or this address.  So an entry is explained if it
 * was true when it was read, and it was read after the one that led to it.  Of a
 * table that has been changed secretly all that it has ever said may be true.
 */
#define NEVER (-1ull)

static u64 true_at(const struct shadow_page *page, u32 index, u64 since)
{
	int p = pool_of[page->gfn] - 1;
	u64 first = NEVER, t;
	u32 n;

	if (page->role & ROLE_DIRECT)
		return since;
	if (explains(page, index, mem[page->gfn][index])) {
		t = p < 0 || secret[p] ? since : present_since[p][index];
		first = t > since ? t : since;
	} else {
		count[c_stale]++;
	}
	for (n = p < 0 ? 0 : past_of[p][index]; n && first > since; n = pasts[n].next) {
		t = pasts[n].begin > since && !secret[p] ? pasts[n].begin : since;
		if ((pasts[n].end > since || secret[p]) && t < first &&
		    explains(page, index, pasts[n].value))
			first = t;
	}
	return first;
}

static bool direct_right(const struct shadow_page *page, u32 index)
{
	u64 e = page->entries[index], gfn;
	const struct shadow_page *next;

	gfn = page->gfn + ((u64)index << 9 * (page->level - 1));
	if (gfn >= LIMIT)
		return false;
	if (page->level == 1)
		return e << 12 >> 24 == host[gfn];
	next = pages[table_at(e)];
	return next->gfn == gfn && next->level == page->level - 1 &&
		next->role == ROLE_DIRECT;
}

static void check_slot(const struct shadow_page *page, u32 index)
{
	const struct shadow_slot *s = &page->slots[index];
	u64 e = page->entries[index];

	checked_slots++;
	if (page->level == 4 && index / 2 == 128) {
		if (s->next)
			fail("a slot in our hole");
		if (e != (index == WINDOW_SLOT ? sh->window[page->role >> 2] :
			  index == SHARED_SLOT && !(page->role & ROLE_USER) ?
			  sh->shared[page->role >> 2] : 0))
			fail("root %u has %#llx at %u", page->number, ULL(e), index);
		return;
	}
	if (!s->next) {
		if (e)
			fail("page %u has an entry at %u without a slot", page->number, index);
		return;
	}
	if ((e & ~(0x000ffffffffff000ull | 1ull << 63 | 2 | (page->level == 1 ? SHADOW_WRITE : 0))) != 0x65)
		fail("level %d: entry %#llx", page->level, ULL(e));
	if (page->level == 1) {
		if (e & 2 && !(e & SHADOW_WRITE))
			fail("table %u, entry %u: it may write, and its own bit does not say so", page->gfn, index);
		if (e & SHADOW_WRITE && !(e & 2) && !has_tables(sh, s->target))
			fail("frame %u is no table, and a right has not been given back", s->target);
		if (e & SHADOW_WRITE && !ours[s->target])
			fail("frame %u may be written, and was got for reading", s->target);
		count[c_kept_right] += e & SHADOW_WRITE && !(e & 2);
		if (s->target >= LIMIT || e << 12 >> 24 != host[s->target])
			fail("slot %u of page %u: frame %u is not at %#llx", index,
			     page->number, s->target, ULL(e));
		if (e & 2 && !frames[s->target].unsync && has_tables(sh, s->target))
			fail("table %u can be written and nobody would notice", s->target);
	} else {
		if (table_at(e) != s->target || s->target - 1 >= sh->made || spare[s->target])
			fail("slot %u of page %u leads nowhere", index, page->number);
	}
	if (page->role & ROLE_DIRECT ? !direct_right(page, index) :
	    true_at(page, index, last_flush) == NEVER)
		fail("table %u, level %d, role %d, entry %u: shadow %#llx, Guest %#llx",
		     page->gfn, page->level, page->role, index, ULL(e),
		     ULL(mem[page->gfn][index]));
}

/*
 * One address, with what the Guest's tables say about it.  If some entry of the
 * way has changed since the last flush, then old and new are both right, at each
 * level: there check_slot() has looked at each entry of the way by itself.
 */
static void compare(const struct vcpu *v, int program, u64 addr, u64 e, bool w, bool x)
{
	struct reference r = { .w = true, .u = true, .x = true, .gfn = addr >> 12 };

	if (v->paging)
		r = reference(v->cr3, addr);
	else if (r.gfn >= LIMIT)
		r.why = BEYOND;
	if (r.past)
		return;
	checked_addresses++;
	count[c_exact_direct] += !v->paging;
	count[c_exact_program] += v->paging && program;
	if (r.why || host[r.gfn] != e << 12 >> 24 || (w && !r.w) || (x && !r.x) ||
	    (program && !r.u))
		fail("address %#llx: shadow %#llx %d %d, Guest %d %llu %d %d", ULL(addr),
		     ULL(e), w, x, r.why, ULL(r.gfn), r.w, r.x);
}

/* Each way from a root. */
static unsigned long reach(const struct vcpu *v, int program, u32 number, u64 addr,
			   bool w, bool x, u64 since)
{
	const struct shadow_page *page = pages[number];
	unsigned long n = 0;
	u64 t;
	int i;

	for (i = 0; i < 4; i++) {
		u64 a = addr | (u64)used[i] << (3 + 9 * page->level);
		u64 e = page->entries[used[i]];
		bool ww = w && may_write(e), xx = x && !(e >> 63);

		if (!(e & 1) || !(e & 4) || (page->level == 4 && used[i] == SHARED_SLOT))
			continue;
		t = true_at(page, used[i], since);
		if (t == NEVER)
			fail("address %#llx, level %d: true once, but not since it can be reached",
			     ULL(a), page->level);
		if (page->level > 1) {
			n += reach(v, program, table_at(e), a, ww, xx, t);
			continue;
		}
		n++;
		compare(v, program, a, e, ww, xx);
	}
	return n;
}

/* After INVLPG an address is as exact as after a flush. */
static void check_address(const struct vcpu *v, u64 addr, u64 when)
{
	int program, level;

	for (program = 0; program < 2; program++) {
		const struct shadow_page *page = v->root[program];
		u64 since = when;

		for (level = 4; level; level--) {
			u32 index = addr >> (3 + 9 * level) & 511;
			u64 e = page->entries[index];

			if (!(e & 1) || !(e & 4) || page->role & ROLE_DIRECT ||
			    (level == 4 && index == SHARED_SLOT))
				break;
			since = true_at(page, index, since);
			if (since == NEVER)
				fail("address %#llx at level %d is not what it was after INVLPG",
				     ULL(addr), level);
			if (level > 1)
				page = pages[table_at(e)];
		}
	}
}

/* Nobody remembers more than the shadow says. */
static void check_memory(const struct vcpu *v)
{
	int n, level;

	for (n = 0; n < MEMORIES; n++) {
		const struct memory *m = &v->memory[n];

		if (!m->known)
			continue;
		for (level = 4; level > m->level || (level && m->complete); level--) {
			u64 then = m->entry[level], is;

			if (spare[m->page[level]] || pages[m->page[level]]->gfn != m->gfn[level])
				fail("a page is remembered that is gone");
			is = pages[m->page[level]]->entries[m->addr >> (3 + 9 * level) & 511];
			if ((then ^ is) & 0x000ffffffffff005ull || then & ~is & 2 || is & ~then & 1ull << 63)
				fail("level %d: %#llx is remembered, %#llx is true", level,
				     ULL(then), ULL(is));
		}
		if (m->page[4] != v->root[m->program]->number)
			fail("another root is remembered");
	}
}

static void find_spare(void)
{
	u32 n, k = 0;

	memset(spare, 0, sizeof(spare));
	for (n = sh->spare; n; n = pages[n]->same) {
		if (spare[n] || n > sh->made)
			fail("the list of spare pages is broken");
		spare[n] = true;
		k++;
	}
	if (k != sh->spares)
		fail("%u spare pages, said to be %u", k, sh->spares);
}

static void check_ring(u32 ring, u32 n, bool leaf, u32 target)
{
	u32 slot = ring, k = 0;

	if (!ring != !n)
		fail("a ring of %u that begins with %u", n, ring);
	if (n > SHADOW_CHAIN)
		fail("a ring of %u", n);
	if (!ring)
		return;
	do {
		const struct shadow_slot *s;

		if (slot / 512 - 1 >= sh->made || spare[slot / 512])
			fail("a ring leads to slot %u", slot);
		s = slot_at(sh, slot);
		if (!s->next || slot_at(sh, s->next)->prev != slot || s->target != target ||
		    (pages[slot / 512]->level == 1) != leaf)
			fail("slot %u is in a ring where it does not belong", slot);
		slot = s->next;
		if (++k > n)
			fail("a ring of more than %u", n);
	} while (slot != ring);
	if (k != n)
		fail("a ring of %u, said to be %u", k, n);
}

static void check_everything(void)
{
	unsigned long leaves = 0, parents = 0, n_leaves = 0, n_parents = 0, live = 0;
	u32 n, i, chained = 0, before = 0, unsync = 0;

	for (n = sh->newest; n; n = pages[n]->older) {
		const struct shadow_page *page = pages[n];

		if (spare[n] || page->newer != before || ++live > sh->made)
			fail("the list by age is broken at %u", n);
		before = n;
		for (i = 0; i < 512; i++) {
			check_slot(page, i);
			if (!page->slots[i].next != !(page->used[i / 64] >> i % 64 & 1))
				fail("slot %u of page %u is in use or not, and its bit says else", i, n);
			if (page->slots[i].next) {
				if (page->level == 1)
					leaves++;
				else
					parents++;
			}
		}
		check_ring(page->parents, page->count, false, n);
		n_parents += page->count;
		if (page->count > max_parents)
			max_parents = page->count;
		if (page->busy && page->level != 4)
			fail("page %u is not a root and is busy", n);
	}
	if (sh->made > sh->cap)
		fail("%u pages, and there may be %u", sh->made, sh->cap);
	if (before != sh->oldest || live + sh->spares != sh->made || live != sh->stats.pages)
		fail("%lu pages by age, %u spare, %u made", live, sh->spares, sh->made);
	if (live > max_pages)
		max_pages = live;
	for (n = 1; n <= sh->made; n++)
		for (i = 0; spare[n] && i < 512; i++)
			if (pages[n]->entries[i] || pages[n]->slots[i].next)
				fail("spare page %u is not empty", n);
	for (n = 0; n < LIMIT; n++) {
		u32 k, chain = 0;

		check_ring(frames[n].slots, frames[n].count, true, n);
		n_leaves += frames[n].count;
		if (frames[n].count > max_ring)
			max_ring = frames[n].count;
		for (k = frames[n].pages; k; k = pages[k]->same, chain++)
			if (spare[k] || pages[k]->gfn != n || chain > 40)
				fail("the pages of frame %u are broken", n);
		chained += chain;
		if (chain > max_chain)
			max_chain = chain;
		unsync += frames[n].unsync;
	}
	if (chained != live)
		fail("%lu pages, %u found by frame", live, chained);
	if (leaves != n_leaves || parents != n_parents)
		fail("%lu leaves, in rings %lu; %lu others, in rings %lu", leaves, n_leaves,
		     parents, n_parents);
	for (n = 0; n < VCPUS; n++) {
		for (i = 0; vcpus[n].paging && i < 256; i++) {
			u64 addr = (u64)used[i / 64] << 39 | (u64)used[i / 16 % 4] << 30 |
				(u64)used[i / 4 % 4] << 21 | (u64)used[i % 4] << 12;

			guest_reach += i / 64 != 2 && !reference(vcpus[n].cr3, addr).why;
		}
		guest_roots += vcpus[n].paging;
	}
	if (unsync != sh->unsyncs || unsync > SHADOW_UNSYNC)
		fail("%u tables are unsync, said to be %u", unsync, sh->unsyncs);
	for (i = 0; i < sh->unsyncs; i++)
		if (!frames[sh->unsync[i]].unsync)
			fail("frame %u is in the list, but not unsync", sh->unsync[i]);
}

/* The lock has been given back. */
static void check(void)
{
	unsigned long n;
	u32 p, i;
	int k;

	if (sh->stale)
		fail("stale, and the lock is given back");
	find_spare();
	for (p = sh->newest; p; p = pages[p]->older) {
		const struct shadow_page *page = pages[p];

		if (spare[p])
			fail("page %u is both spare and used", p);
		for (i = 0; i < 4; i++)
			check_slot(page, used[i]);
	}
	for (k = 0; k < VCPUS; k++) {
		const struct vcpu *v = &vcpus[k];
		int program;

		check_memory(v);
		for (program = 0; program < 2; program++) {
			const struct shadow_page *root = v->root[program];
			int role = ROLE_VCPU(k) | (v->paging ? program * ROLE_USER : ROLE_DIRECT);

			if (spare[root->number] || !root->busy || root->level != 4 ||
			    root->gfn != v->cr3 || root->role != role)
				fail("vcpu %d has lost a root", k);
			n = reach(v, program, root->number, 0, true, true, last_flush);
			reached_addresses += n;
			if (!v->paging)
				continue;
			checked_roots++;
			shadow_reach += n;
			if (n > max_reach)
				max_reach = n;
		}
		for (i = 0; v->paging && i < v->invlpgs; i++)
			check_address(v, v->invlpg[i].addr, v->invlpg[i].when);
	}
	if (!n_with_past)
		count[c_exact]++;
	if (step % 32 == 0)
		check_everything();
}

/* ---- what the kernel's side does ---- */

static void add_page(void)
{
	u32 n = sh->made;

	page_store[n].entries = entry_store[n];
	page_store[n].addr = (TABLE_BASE + n + 1) << 12;
	if (shadow_add_page(sh, &page_store[n]) != (n < sh->cap))
		fail("a page too many, or too few: %u of %u", n, sh->cap);
	count[c_stock_full] += n == sh->cap;
	spare[n + 1] = n < sh->cap;
}

/* Without the lock: there may be no memory, and somebody else may stock up too. */
static void stock(u32 want)
{
	u32 tries = 0;

	if (one_in(64))		/* who has asked before, and comes late */
		add_page();
	while (shadow_wants(sh, want)) {
		if (scarce && one_in(scarce))
			break;
		if (one_in(2))
			add_page();
		add_page();
		if (++tries > CAP)
			fail("it never has pages enough: %u of %u", sh->made, sh->cap);
	}
	count[c_stock_empty] += sh->made < sh->cap && sh->spares < SHADOW_SPARE;
}

static void lock(void)
{
	locked = true;
}

static void count_pages(void)
{
	u32 n;

	for (n = sh->newest; n; n = pages[n]->older) {
		const struct shadow_page *page = pages[n];
		u32 was = tables_at[page->gfn];

		if (!spare[n])
			continue;	/* it was there at the last check */
		made[page->level][is_table(page) ? page->role & ROLE_USER : 2]++;
		if (is_table(page)) {
			u32 k;

			for (k = frames[page->gfn].pages; k; k = pages[k]->same)
				if (is_table(pages[k]) && pages[k]->level != page->level)
					was |= 1u << pages[k]->level;
			count[c_is_two_levels] += !!was;
		}
	}
}

static void unlock(void)
{
	shadow_settle(sh);
	count_pages();
	locked = false;
	check();
}

static void new_host(u32 gfn)
{
	host[gfn] += 4096;
	ours[gfn] = false;
}

static void flush(struct vcpu *v)
{
	int was = in_host;

	in_host = v - vcpus;
	flushing = true;
	lock();
	shadow_flushed(sh);
	shadow_settle(sh);
	forget_memory(v);
	forget_pasts();
	vcpus[0].invlpgs = 0;
	vcpus[1].invlpgs = 0;
	unlock();
	flushing = false;
	in_host = was;
}

static void load_roots(struct vcpu *v, bool paging, u32 cr3)
{
	int vcpu = v - vcpus, n, was = in_host;

	in_host = vcpu;
	flushing = true;
	stock(SHADOW_SPARE);
	lock();
	shadow_flushed(sh);
	shadow_load_roots(sh, v->root, cr3, paging, vcpu);
	v->paging = paging;
	v->cr3 = cr3;
	shadow_settle(sh);
	forget_memory(v);
	forget_pasts();
	for (n = 0; n < VCPUS; n++)
		vcpus[n].invlpgs = 0;
	if (vcpus[0].root[0] && vcpus[1].root[0])
		unlock();
	locked = false;
	flushing = false;
	in_host = was;
}

enum outcome { DONE, AGAIN, FAULT };

/* The Guest's own fault: as the reference would have it? */
static void check_fault(const struct vcpu *v, u64 addr, int access, int code, bool beyond)
{
	struct reference r = reference(v->cr3, addr);
	int want = access;

	if (beyond) {
		if (r.why != BEYOND || !r.table)
			fail("address %#llx leads to no table beyond the end", ULL(addr));
		count[c_beyond_table]++;
		return;
	}
	if (r.why == MISSING) {
		count[c_fault_missing]++;
	} else if (r.why == RESERVED) {
		want |= 1 | 8;
		count[c_fault_reserved]++;
	} else {
		bool w = access & FAULT_WRITE && !r.w, u = access & FAULT_USER && !r.u;
		bool x = access & FAULT_FETCH && !r.x;

		want |= 1;
		count[c_fault_write] += w;
		count[c_fault_user] += u;
		count[c_fault_fetch] += x;
		if (!w && !u && !x)
			fail("a fault at %#llx that the Guest has not earned", ULL(addr));
	}
	if (code != want)
		fail("a fault at %#llx: error code %#x, should be %#x", ULL(addr), code, want);
}

/* As the reference would have it, if nobody has changed anything meanwhile? */
static void check_walk(const struct vcpu *v, const struct guest_walk *walk, int access)
{
	struct reference r = reference(v->cr3, walk->addr);

	if ((r.why && r.why != BEYOND) || r.table || r.gfn != walk->gfn ||
	    r.large != (walk->level == 2) || (access & FAULT_WRITE && !r.w) ||
	    (access & FAULT_USER && !r.u) || (access & FAULT_FETCH && !r.x))
		fail("address %#llx leads to %llu, and may %#x", ULL(walk->addr),
		     ULL(walk->gfn), access);
	if (shadow_is_memory(sh, walk->gfn) != !r.why)
		fail("frame %llu is in the Guest's memory, or is not", ULL(walk->gfn));
}

/*
 * A table that the Launcher has thrown away: nobody has written to it, and what it
 * has said may not be believed any more.
 */
static void replace_table(u32 gfn)
{
	bool empty = one_in(4);
	u32 i;

	count[c_take_table] += empty && has_tables(sh, gfn);
	count[c_take_other] += !empty && has_tables(sh, gfn);
	ours[gfn] = false;
	calm = true;
	shadow_forget_frame(sh, gfn);
	shadow_settle(sh);
	calm = false;
	for (i = 0; i < 512; i++)
		set_entry(gfn, i, 0);
	for (i = 0; i < 4 && !empty; i++)
		set_entry(gfn, used[i], random_entry(gfn));
	for (i = 0; i < 512; i++)
		forget_past_of(gfn, i);
	now++;
}

/* For the report: who else shows what has just been filled? */
static void see_aliases(const struct shadow_page *page, u64 addr)
{
	u32 slot, first;

	for (; page->level > 1; page = pages[table_at(page->entries[table_index(addr, page->level)])])
		count[c_alias_table] += is_table(page) && page->count > 1;
	count[c_alias_table] += is_table(page) && page->count > 1;
	first = slot_number(page, table_index(addr, 1));
	slot = slot_at(sh, first)->next;
	count[c_alias] += slot != first;
	for (; slot != first; slot = slot_at(sh, slot)->next)
		if ((pages[slot / 512]->entries[slot % 512] ^ page->entries[first % 512]) & 2) {
			count[c_alias_rights]++;
			break;
		}
}

static int slots_of(const struct shadow_page *page)
{
	int i, n = 0;

	for (i = 0; i < SHADOW_WORDS; i++)
		n += __builtin_popcountll(page->used[i]);
	return n;
}

/* What a slot says of a frame's place is true, and a right to write is there. */
static void check_shown(u64 gfn, bool write)
{
	u64 shown = shadow_shown(sh, gfn, write);

	count[c_shown] += shown && !write;
	count[c_shown_writable] += shown && write;
	if (shown && shown != host[gfn] << 12)
		fail("frame %llu is said to be at %#llx", ULL(gfn), ULL(shown));
	if (!shown && sh->frames[gfn].count == 1 && !write)
		fail("nobody says where frame %llu is", ULL(gfn));
	if (!shown || !write || !one_in(16))
		return;
	for (u32 n = 1; n <= sh->made; n++)
		for (int i = 0; pages[n]->level == 1 && i < 512; i++)
			if (pages[n]->slots[i].next && pages[n]->slots[i].target == gfn &&
			    may_write(pages[n]->entries[i]))
				return;
	fail("frame %llu is shown writable nowhere", ULL(gfn));
}

/* What a kernel looks at before it says INVLPG. */
static u64 shown[4][8];

static bool is_shown(u64 addr)
{
	for (int level = 1; level <= 4; level++) {
		u64 index = addr >> (3 + 9 * level) & 511;

		if (shown[level - 1][index / 64] >> index % 64 & 1)
			return true;
	}
	return false;
}

/* From now on an address is as exact as after a flush. */
static void note_forgotten(struct vcpu *v, u64 addr)
{
	if (v->invlpgs == 8) {
		memmove(v->invlpg, v->invlpg + 1, 7 * sizeof(*v->invlpg));
		v->invlpgs = 7;
	}
	v->invlpg[v->invlpgs].addr = addr;
	v->invlpg[v->invlpgs++].when = ++now;
}

/* A processor forgets an address; if nobody says so, the vCPU stays where it is. */
static void forget_address(struct vcpu *v, u64 addr, bool said)
{
	bool was = calm;

	calm = true;	/* or another vCPU might change it before we note the time */
	lock();
	if (said) {
		shadow_forget_address(sh, addr);
		shadow_settle(sh);
		forget_memory(v);
	}
	note_forgotten(v, addr);
	unlock();
	calm = was;
}

static enum outcome page_fault(struct vcpu *v, u64 addr, int access)
{
	enum walk_result result;
	struct guest_walk walk;
	struct shadow_page *root;
	int slots;
	u64 place, then = now;
	int level;
	bool ok;

	memset(&walk, 0xa5, sizeof(walk));

	forget_memory(v);	/* of its next entry */
	if (address_is_ours(addr)) {
		if (v->paging)
			count[c_fault_hole]++;
		return FAULT;
	}
	result = shadow_walk(sh, &walk, v->paging, v->cr3, addr);
	count[c_walk_race] += now != then;
	if (result != WALK_ON || !walk_allows(&walk, access)) {
		if (now == then && v->paging)
			check_fault(v, addr, access, walk_error(result, access),
				    result == WALK_NOWHERE);
		if (now == then && !v->paging && addr >> 12 < LIMIT)
			fail("without paging, %#llx is not there", ULL(addr));
		if (now != then)
			return AGAIN;
		if (result != WALK_NOWHERE) {
			forget_address(v, addr, one_in(2) || is_shown(addr));
			count[c_fault_forgets]++;
		}
		return FAULT;
	}
	if (walk.addr != addr)
		fail("the way of another address");
	if (now == then && v->paging)
		check_walk(v, &walk, access);
	hot = &walk;
	marking = access;
	if (one_in(4))
		meanwhile();
	if (shadow_mark(sh, &walk, access)) {
		hot = NULL;
		return AGAIN;
	}
	for (level = 4; level >= walk.level; level--)
		if (!(walk.entry[level] & 0x20) ||
		    (level == walk.level && access & FAULT_WRITE && !(walk.entry[level] & 0x40)))
			fail("level %d is not marked: %#llx", level, ULL(walk.entry[level]));
	if (!shadow_is_memory(sh, walk.gfn)) {
		if (walk.gfn < LIMIT || !v->paging)
			fail("frame %llu is taken for a device", ULL(walk.gfn));
		count[c_beyond_frame]++;
		hot = NULL;
		return FAULT;
	}
	if (walk.gfn >= LIMIT)
		fail("frame %llu is taken for memory", ULL(walk.gfn));
	place = host[walk.gfn];
	if (one_in(4))
		meanwhile();
	if (racing || one_in(4))
		trip(&walk);
	if (!calm && !crowding && one_in(60)) {
		u32 table = v->paging ? walk.table[walk.level + below(5 - walk.level)] : 0;

		lock();
		if (v->paging && pool_of[table] && one_in(3)) {
			replace_table(table);
			new_host(table);
			count[c_take_way]++;
		} else {
			shadow_forget_frame(sh, walk.gfn);
			new_host(walk.gfn);
		}
		unlock();
	}
	if (place != host[walk.gfn]) {
		count[c_host_race]++;
		hot = NULL;
		return AGAIN;
	}
	stock(SHADOW_SPARE);
	lock();
	check_shown(walk.gfn, access & FAULT_WRITE);
	ours[walk.gfn] |= access & FAULT_WRITE;
	root = v->root[!!(access & FAULT_USER)];
	slots = slots_of(root);
	ok = shadow_fill(sh, root, &walk, place << 12, access & FAULT_WRITE);
	if (slots_of(root) > slots + 1)
		count[c_root_filled] += slots_of(root) - slots - 1;
	unlock();
	hot = NULL;
	if (!ok) {
		count[c_fill_again]++;
		return AGAIN;
	}
	see_aliases(v->root[!!(access & FAULT_USER)], addr);
	count[walk.level == 5 ? c_fill_direct : walk.level == 2 ? c_fill_large : c_fill_small]++;
	if (has_tables(sh, walk.gfn)) {
		count[walk.level == 2 ? c_is_large_data : c_is_data]++;
		for (level = 4; level > 1 && walk.level < 5; level--)
			count[c_is_recursive] += walk.table[level] == walk.table[level - 1];
	}
	return DONE;
}

struct part {
	u64 addr;
	int access;
	u64 gfn;
};

/* One store on two pages: the one half can be seen before the other. */
static void write_across(u64 first, u64 second)
{
	u32 size = 2 << below(4), before = 1 + below(size - 1);

	if (before > 8 || size - before > 8)
		before = size / 2;
	if (pool_of[first]) {
		see_write(first);
		write_bytes(first, 4096 - before, before);
	}
	meanwhile();
	if (pool_of[second]) {
		see_write(second);
		write_bytes(second, 0, size - before);
	}
	count[c_across_tables] += pool_of[first] && pool_of[second];
}

/* One instruction: all of its parts must be there at once. */
static void instruction(struct vcpu *v, struct part *parts, int n)
{
	int tries, i;

	in_host = v - vcpus;
	for (tries = 0; ; tries++) {
		calm = tries > 4;
		if (tries > 40)
			fail("no progress at %#llx, %d parts", ULL(parts->addr), n);
		for (i = 0; i < n; i++) {
			if (!processor(v, parts[i].addr, parts[i].access, &parts[i].gfn)) {
				if (page_fault(v, parts[i].addr, parts[i].access) == FAULT) {
					calm = false;
					in_host = -1;
					return;
				}
				break;
			}
		}
		if (i == n)
			break;
	}
	calm = false;
	in_host = -1;
	for (i = 0; i < n; i++) {
		count[c_leaf_user] += !!(parts[i].access & FAULT_USER);
		count[c_leaf_fetch] += !!(parts[i].access & FAULT_FETCH);
		count[c_leaf_write] += !!(parts[i].access & FAULT_WRITE);
	}
	if (n > 1 && parts[n - 2].access & parts[n - 1].access & FAULT_WRITE) {
		write_across(parts[n - 2].gfn, parts[n - 1].gfn);
	} else if (parts[n - 1].access & FAULT_WRITE) {
		struct guest_walk way = { .addr = parts[n - 1].addr, .table[4] = v->cr3, .level = 1 };
		int level;

		for (level = 4; v->paging && level > 1; level--) {
			struct meaning m = means(mem[way.table[level]][table_index(way.addr, level)], level);

			way.table[level - 1] = m.frame;
			if (m.frame >= LIMIT || m.leaf || !m.present)
				break;
		}
		way.level = v->paging ? level : 5;
		after_write(parts[n - 1].gfn, way.level ? &way : NULL);
	}
}

/* ---- the steps ---- */

static void do_instruction(struct vcpu *v)
{
	int program = one_in(3) ? FAULT_USER : 0, n = 0, i;
	struct part parts[4];

	doing = "instruction";
	if (one_in(3))
		parts[n++].access = program | FAULT_FETCH;
	if (one_in(4))
		parts[n++].access = program;
	if (!n || one_in(2))
		parts[n++].access = program | below(2) * FAULT_WRITE;
	for (i = 0; i < n; i++)
		parts[i].addr = good_address(v, parts[i].access);
	if (parts[n - 1].access & FAULT_WRITE && one_in(4)) {
		parts[n] = parts[n - 1];
		parts[n].addr += 4096;
		n++;
	}
	instruction(v, parts, n);
}

static void do_invlpg(struct vcpu *v)
{
	u64 addr = random_address(v);

	doing = "INVLPG";
	count[c_unsaid] += !is_shown(addr);
	in_host = v - vcpus;
	forget_address(v, addr, is_shown(addr));
	in_host = -1;
}

/* The Launcher has written to a table, and says so. */
static void tell_written(u32 gfn)
{
	lock();
	shadow_written(sh, gfn);
	tell(gfn);
	unlock();
}

static void do_write(bool told)
{
	u32 p = below(pools), gfn = pool[p], index = used[below(4)];
	u64 value = one_in(8) ? mem[gfn][index] ^ 0x80 : random_entry(gfn);

	if (told) {
		doing = "the Launcher writes";
		if (one_in(2)) {
			write_somewhere(gfn, index);
		} else {
			note_change(gfn, index, value);
			set_entry(gfn, index, value);
		}
		tell_written(gfn);
	} else {
		doing = "the Launcher writes secretly";
		if (!secret[p])
			secret_since[p] = now;
		secret[p] = true;
		set_entry(gfn, index, value);
	}
}

/*
 * A Launcher that writes to everything, until the list has no more room.
 * Then the Guest writes, and it is too full in the midst of a fill.
 */
static void do_write_all(struct vcpu *v)
{
	struct part store = { .access = FAULT_WRITE };
	u32 p;

	doing = "the Launcher writes everywhere";
	for (p = 0; p < pools && (one_in(16) || sh->unsyncs < SHADOW_UNSYNC); p++) {
		write_somewhere(pool[p], used[below(4)]);
		tell_written(pool[p]);
	}
	for (p = 0; p < 16; p++) {
		store.addr = good_address(v, FAULT_WRITE);
		instruction(v, &store, 1);
	}
}

static void do_forget_entry(void)
{
	u32 p = below(pools), gfn = pool[p], index = used[below(4)];
	u64 value = random_entry(gfn);

	doing = "an entry is set for the Guest";
	note_change(gfn, index, value);
	lock();
	set_entry(gfn, index, value);
	shadow_forget_entry(sh, gfn, index);
	shadow_settle(sh);
	if (!secret[p] && mem[gfn][index] == value)
		forget_past_of(gfn, index);
	unlock();
}

/* Pages that are no roots, and to which nobody leads. */
static unsigned long without_parents(void)
{
	unsigned long n = 0;
	u32 p;

	for (p = sh->newest; p; p = pages[p]->older)
		n += pages[p]->level < 4 && !pages[p]->parents;
	return n;
}

static unsigned long tables_of(u32 gfn)
{
	unsigned long k = 0;
	u32 n;

	for (n = frames[gfn].pages; n; n = pages[n]->same)
		k += is_table(pages[n]);
	return k;
}

/* Mark what can be reached from a page, but not through a table of this frame. */
static void mark_reached(const struct shadow_page *page, u32 gfn, bool *reached)
{
	int i;

	if ((is_table(page) && page->gfn == gfn) || reached[page->number])
		return;
	reached[page->number] = true;
	for (i = next_used(page, 0); page->level > 1 && i < 512; i = next_used(page, i + 1))
		mark_reached(pages[page->slots[i].target], gfn, reached);
}

static void do_forget_table(void)
{
	u32 p = below(pools), gfn = pool[p], n, i;
	unsigned long lone, drops, own;
	bool reached[CAP + 1];

	doing = "a table is freed";
	for (n = frames[gfn].pages; n; n = pages[n]->same)
		if (pages[n]->busy && is_table(pages[n]))
			count[c_taken_root]++;
	lock();
	calm = true;
	lone = without_parents();
	drops = sh->stats.drops;
	own = tables_of(gfn);
	memset(reached, 0, sizeof(reached));
	for (i = 0; i < 2 * VCPUS; i++)
		mark_reached(vcpus[i / 2].root[i % 2], gfn, reached);
	shadow_forget_table(sh, gfn);
	find_spare();
	for (i = 1; i <= sh->made; i++)
		if (reached[i] && spare[i])
			fail("page %u has gone with table %u, and is on another way", i, gfn);
	shadow_settle(sh);
	calm = false;
	drops = sh->stats.drops - drops;
	if (drops > own + SHADOW_TREE)
		fail("%lu pages have gone with table %u, which has %lu", drops, gfn, own);
	if (drops < SHADOW_TREE && without_parents() > lone)
		fail("table %u has been freed and has left pages to which nobody leads", gfn);
	count[c_tree] += drops > own ? drops - own : 0;
	for (i = 0; i < 512; i++)
		forget_past_of(gfn, i);
	for (n = frames[gfn].pages; n; n = pages[n]->same)
		if (is_table(pages[n]) && !pages[n]->busy)
			fail("table %u has been freed and is still there", gfn);
	unlock();
}

static void do_take(void)
{
	u32 gfn = one_in(2) ? pool[below(pools)] : below(LIMIT);

	doing = "the Host takes a frame";
	lock();
	if (pool_of[gfn] && one_in(4)) {
		replace_table(gfn);
	} else {
		shadow_forget_frame(sh, gfn);
		shadow_settle(sh);
	}
	new_host(gfn);
	unlock();
}

static void do_evict(void)
{
	u32 n;

	doing = "a page is taken back";
	count[c_busy_root] += sh->oldest && pages[sh->oldest]->busy;
	lock();
	for (n = 1 + below(3); n; n--)
		shadow_evict(sh);
	unlock();
}

/* The pages from a root to the leaf of an address; false if there is a gap. */
static bool way_of(const struct shadow_page *page, u64 addr, bool *on_it)
{
	memset(on_it, 0, CAP + 1);
	for (;;) {
		u64 e = page->entries[addr >> (3 + 9 * page->level) & 511];

		on_it[page->number] = true;
		if (!(e & 1))
			return false;
		if (page->level == 1)
			return true;
		page = pages[table_at(e)];
	}
}

/* Pages that can be taken back before one of these is. */
static u32 older_than(const bool *these)
{
	u32 n, others = 0;

	for (n = sh->newest; n; n = pages[n]->older)
		others += !pages[n]->busy && !these[n];
	return others;
}

/*
 * What is filled again and again is not taken back, as long as there is anything
 * else; and the root through which it was filled is not the next to go when the
 * Guest has loaded another one.
 */
static void do_favourite(struct vcpu *v)
{
	static bool way[CAP + 1], is[CAP + 1];
	u32 turns = 1 + below(12), others = 0, cr3 = v->cr3;
	u64 addr = good_address(v, 0), before, drops;
	struct shadow_page *root = v->root[0];

	doing = "one table stays in use";
	in_host = v - vcpus;
	calm = true;
	for (; turns; turns--) {
		enum outcome outcome = page_fault(v, addr, 0);

		others = 0;
		if (outcome == AGAIN)
			continue;
		if (outcome == FAULT || !way_of(root, addr, way))
			break;
		others = older_than(way);
		if (!others)
			break;
		lock();
		if (!shadow_evict(sh))
			fail("there is nothing to take back, and there should be %u", others);
		others--;
		if (!way_of(root, addr, is) || memcmp(way, is, sizeof(way)))
			fail("a page of the way to %#llx is taken back, and %u are older",
			     ULL(addr), others);
		unlock();
		count[c_op_favourite]++;
	}
	before = sh->stats.evictions;
	drops = sh->stats.drops;
	if (others > 2 && !turns && v->paging) {
		load_roots(v, true, pool_for(4));
		others -= 2;	/* may be the roots that are loaded now */
		lock();
		while (sh->stats.evictions < before + others && shadow_evict(sh))
			;
		unlock();
		if (sh->stats.evictions <= before + others && sh->stats.drops == drops &&
		    (spare[root->number] || root->level != 4 || root->gfn != cr3))
			fail("root %u is taken back before what is older", root->number);
		count[c_op_old_root]++;
	}
	calm = false;
	in_host = -1;
}

static void do_hole(struct vcpu *v)
{
	struct guest_walk walk = { .addr = (u64)(256 + below(2)) << 39 | 0xffff000000000000ull };
	int i;

	doing = "a fill in our hole";
	if (!v->paging)
		return;
	for (i = 4; i; i--) {
		walk.table[i] = v->cr3;
		walk.entry[i] = mem[v->cr3][table_index(walk.addr, i)];
	}
	walk.level = 1;
	walk.gfn = v->cr3;
	stock(SHADOW_SPARE);
	lock();
	calm = true;
	shadow_fill(sh, v->root[0], &walk, host[walk.gfn] << 12, false);
	calm = false;
	unlock();
	for (i = 256; i < 272; i++)
		check_slot(v->root[0], i);
}

/*
 * One vCPU is about to walk a table that has no shadow yet, and another can write
 * to it without a fault.
 */
static void do_race(struct vcpu *v)
{
	struct vcpu *other = &vcpus[v == vcpus];
	struct part walker = { .access = below(2) * FAULT_WRITE }, writer = { .access = FAULT_WRITE };
	u64 table = v->cr3;
	int level, last = 1 + below(3), i;

	doing = "a race";
	if (!v->paging || !other->paging)
		return;
	walker.addr = good_address(v, walker.access);
	for (level = 4; level > last; level--) {
		struct meaning m = means(mem[table][table_index(walker.addr, level)], level);

		if (!m.present || m.leaf || m.frame >= LIMIT)
			return;
		table = m.frame;
	}
	for (i = 0; i < 100; i++) {
		struct reference r = reference(other->cr3, writer.addr = random_address(other));

		if (!r.why && r.w && r.gfn == table && writer.addr << 16 >> 59 != 16)
			break;
	}
	if (i == 100)
		return;
	lock();
	shadow_forget_table(sh, table);
	unlock();
	flush(other);
	instruction(other, &writer, 1);
	racing = true;
	instruction(v, &walker, 1);
	racing = false;
	count[c_op_race]++;
}

/* So many entries lead to the same place that its ring is full. */
static void do_crowd(void)
{
	const u64 good = 0x67;
	struct vcpu *v = &vcpus[0];
	struct part two[2] = { { 0, FAULT_FETCH, 0 }, { 0, 0, 0 } };
	int level = 1 + below(2);
	u32 t[8], i, k;

	if (pools < 12)
		return;
	doing = "a crowd";
	for (i = 0; i < 8; i++)
		t[i] = pool[i];		/* 0 root, 1 of level 3, 2 or 2..4 of level 2 ... */
	for (i = 0; i < 8; i++)
		for (k = 0; k < 512; k++) {
			u64 value = 0;

			if (i == 0 && k == 0)
				value = (u64)t[1] << 12 | good;
			if (i == 1 && k < 3)
				value = (u64)t[2 + k * (level == 2)] << 12 | good;
			if (level == 1 && i == 2 && k < 3)
				value = (u64)t[3 + k] << 12 | good;
			if (level == 2 && i >= 2 && i <= 4)
				value = (u64)t[6] << 12 | good;
			if (level == 1 && i >= 3 && i <= 5)
				value = (u64)pool[11] << 12 | good;
			if (level == 2 && i == 6)
				value = (u64)pool[11] << 12 | good;
			set_entry(t[i], k, value);
		}
	lock();
	for (i = 0; i < 8; i++) {
		shadow_written(sh, t[i]);
		tell(t[i]);
	}
	shadow_settle(sh);
	locked = false;
	load_roots(v, true, t[0]);
	crowding = true;
	for (i = 0; i < SHADOW_CHAIN + 40; i++) {
		two[0].addr = two[1].addr;
		two[1].addr = (u64)i << (level == 1 ? 12 : 21);
		instruction(v, two, 2);
	}
	crowding = false;
	if (frames[pool[11]].count == SHADOW_CHAIN)
		count[c_ring_full]++;
	find_spare();
	check_everything();
	lock();
	for (i = 0; i < 8; i++) {
		for (k = 0; k < 512; k++)
			set_entry(t[i], k, 0);
		shadow_written(sh, t[i]);
	}
	unlock();
	flush(v);
	for (i = 0; i < 8; i++)
		for (k = 0; k < 4; k++)
			set_entry(t[i], used[k], random_entry(t[i]));
	lock();
	for (i = 0; i < 8; i++)
		shadow_written(sh, t[i]);
	unlock();
	flush(v);
	count[c_op_crowd]++;
}

static void write_told(u32 gfn, u32 index, u64 value)
{
	note_change(gfn, index, value);
	set_entry(gfn, index, value);
	tell_written(gfn);
}

/*
 * A root gets its first slot while tables are out of step, and another root leads to
 * the same place; what that one has besides is on a way that the Guest has just made,
 * and was changed before.
 */
static void do_neighbour(void)
{
	const u64 good = 0x67, far = 511ull << 39 | 0xffff000000000000ull;
	struct vcpu *v = &vcpus[0];
	struct part near = { 0, 0, 0 }, other = { far, 0, 0 };
	u32 t[10], i, k;

	if (pools < 12)
		return;
	doing = "a neighbour";
	for (i = 0; i < 10; i++)
		t[i] = pool[i];		/* two roots; 2 to 4, 5 to 7, 8 and 9 are ways */
	for (i = 0; i < 10; i++)
		for (k = 0; k < 512; k++)
			set_entry(t[i], k, 0);
	set_entry(t[0], 0, (u64)t[2] << 12 | good);
	set_entry(t[0], 511, (u64)t[5] << 12 | good);
	set_entry(t[1], 0, (u64)t[2] << 12 | good);
	for (i = 2; i < 9; i++)
		set_entry(t[i], 0, (u64)(i == 4 || i == 7 ? pool[11] : t[i + 1]) << 12 | good);
	set_entry(t[9], 0, (u64)pool[11] << 12 | good);
	for (i = 0; i < 10; i++)
		tell_written(t[i]);
	load_roots(v, true, t[0]);
	instruction(v, &near, 1);
	instruction(v, &other, 1);
	load_roots(v, true, t[1]);
	write_told(t[2], 0, 0);
	in_host = 0;
	forget_address(v, 0, true);
	in_host = -1;
	write_told(t[7], 0, (u64)pool[10] << 12 | good);
	write_told(t[1], 511, (u64)t[5] << 12 | good);
	write_told(t[2], 0, (u64)t[8] << 12 | good);
	instruction(v, &near, 1);
	instruction(v, &other, 1);
	for (i = 0; i < 10; i++) {
		for (k = 0; k < 512; k++)
			set_entry(t[i], k, 0);
		for (k = 0; k < 4; k++)
			set_entry(t[i], used[k], random_entry(t[i]));
		tell_written(t[i]);
	}
	flush(v);
	count[c_op_neighbour]++;
}

static void add_stats(void)
{
	count[c_evictions] += sh->stats.evictions;
	count[c_unsyncs] += sh->stats.unsyncs;
	count[c_resyncs] += sh->stats.resyncs;
}

static u32 flush_every;

static void begin(void)
{
	static const u32 pool_sizes[] = { 4, 12, 24, 48 }, caps[] = { 20, 32, 64, CAP };
	u32 i, k, n;

	memset(sh, 0, sizeof(*sh));
	memset(frames, 0, sizeof(frames));
	memset(page_store, 0, sizeof(page_store));
	memset(entry_store, 0, sizeof(entry_store));
	memset(mem, 0, sizeof(mem));
	memset(pool_of, 0, sizeof(pool_of));
	memset(past_of, 0, sizeof(past_of));
	memset(present_since, 0, sizeof(present_since));
	memset(secret, 0, sizeof(secret));
	memset(vcpus, 0, sizeof(vcpus));
	memset(spare, 0, sizeof(spare));
	n_pasts = n_with_past = 0;
	now = 1;
	last_flush = 1;
	in_host = -1;

	sh->limit = LIMIT;
	sh->shown = shown;
	sh->frames = frames;
	sh->pages = pages;
	sh->copy = copy;
	n = below(4);
	pools = pool_sizes[n];
	sh->cap = n == 3 ? CAP : caps[below(4)];
	scarce = n == 3 || one_in(3) ? 0 : 1 + below(3);
	for (i = 0; i < 20; i++)	/* these every Guest has */
		add_page();
	flush_every = n == 3 ? 800 : 10 + below(60);
	used[0] = 0;
	used[1] = one_in(2) ? 255 : 1;
	used[2] = one_in(4) ? SHARED_SLOT : 256 + below(16);
	used[3] = 511;
	for (i = 0; i < VCPUS; i++)
		sh->window[i] = (WINDOW_BASE + i) << 12 | 3;
	for (i = 0; i < VCPUS; i++)
		sh->shared[i] = (SHARED_BASE + i) << 12 | 0x67;
	for (i = 0; i < LIMIT; i++)
		host[i] = HOST_BASE + i;
	memset(ours, 0, sizeof(ours));
	for (i = 0; i < pools; i++) {
		do
			k = one_in(3) ? below(LIMIT) : below(2) * 512 + used[below(4)];
		while (one_in(3) ? pool_of[k] : pool_of[k = below(LIMIT)]);
		if (i == 3 && !pool_of[512])
			k = 512;	/* a table that can be mistaken for a large page */
		pool[i] = k;
		pool_of[k] = i + 1;
		home[i] = i < 8 ? 4 - i % 4 : one_in(5) ? 0 : 1 + below(4);
	}
	for (i = 0; i < pools; i++)
		for (k = 0; k < 4; k++)
			mem[pool[i]][used[k]] = random_entry(pool[i]);
	for (i = 0; i < VCPUS; i++)
		load_roots(&vcpus[i], true, pool_for(4));
}

static void one_step(void)
{
	struct vcpu *v = &vcpus[below(VCPUS)];
	u32 what = below(1000);

	if (one_in(flush_every)) {
		in_host = v - vcpus;
		if (one_in(2)) {
			doing = "flush";
			count[c_op_flush]++;
			flush(v);
		} else if (one_in(8)) {
			bool paging = !v->paging;

			doing = "paging off or on";
			count[c_op_paging]++;
			load_roots(v, paging, paging ? pool_for(4) : 0);
		} else if (v->paging) {
			doing = "load of CR3";
			count[c_op_cr3]++;
			load_roots(v, true, pool_for(4));
		}
		in_host = -1;
		return;
	}
	if (!v->paging && one_in(300)) {
		doing = "paging on";
		load_roots(v, true, pool_for(4));
		return;
	}
	if (what < 800) {
		count[c_op_instruction]++;
		do_instruction(v);
	} else if (what < 850) {
		count[c_op_invlpg]++;
		do_invlpg(v);
	} else if (what < 870) {
		count[c_op_take]++;
		do_take();
	} else if (what < 940) {
		count[c_op_written]++;
		do_write(true);
	} else if (what < 942) {
		count[c_op_secret]++;
		do_write(false);
	} else if (what < 965) {
		count[c_op_entry]++;
		do_forget_entry();
	} else if (what < 975) {
		count[c_op_table]++;
		do_forget_table();
	} else if (what < 985) {
		count[c_op_evict]++;
		do_evict();
	} else if (what == 989) {
		do_favourite(v);
	} else if (what < 990) {
		count[c_op_hole]++;
		do_hole(v);
	} else if (what > 994) {
		do_race(v);
	} else if (what > 990) {
		do_write_all(v);
	} else if (what == 990 && one_in(6)) {
		do_crowd();
	} else if (what == 990) {
		do_neighbour();
	} else {
		count[c_op_instruction]++;
		do_instruction(v);
	}
}

/* Ten seconds of the processor's time, and it is still the same step? */
static void look_at_step(int number)
{
	static unsigned long last = -1ul;

	(void)number;
	if (step == last)
		fail("it does not end");
	last = step;
}

int main(void)
{
	const struct itimerval often = { { 10, 0 }, { 10, 0 } };
	const char *s = getenv("SEED"), *n = getenv("STEPS");
	unsigned long steps = n ? strtoul(n, NULL, 0) : 1200000;
	int i, level, bad = 0;

	if (!s) {
		FILE *f = fopen("/dev/urandom", "r");
		u32 x = 0;

		if (!f || fread(&x, sizeof(x), 1, f) != 1)
			fail("no chance");
		fclose(f);
		seed = x;
	} else {
		seed = strtoull(s, NULL, 0);
	}
	chance = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
	printf("SEED=%llu, %lu steps\n", ULL(seed), steps);
	fflush(stdout);
	signal(SIGVTALRM, look_at_step);
	setitimer(ITIMER_VIRTUAL, &often, NULL);
	for (step = 0; step < steps; step++) {
		if (step % EPOCH == 0) {
			doing = "begin";
			if (step)
				add_stats();
			begin();
		}
		one_step();
	}
	add_stats();
	for (i = 0; i < COUNTS; i++) {
		printf("%12lu  %s\n", count[i], texts[i]);
		bad += !count[i];
	}
	printf("shadow pages made  %12s%12s%12s\n", "kernel", "programs", "direct");
	for (level = 4; level; level--) {
		printf("           level %d", level);
		for (i = 0; i < 3; i++) {
			printf(" %11lu", made[level][i]);
			bad += !made[level][i];
		}
		printf("\n");
	}
	printf("%12lu  slots compared\n%12lu  addresses reached\n%12lu  addresses compared\n",
	       checked_slots, reached_addresses, checked_addresses);
	printf("of 192 addresses a Guest's root reaches %lu, its shadow %lu, at most %lu\n",
	       guest_reach / guest_roots, shadow_reach / checked_roots, max_reach);
	printf("longest ring of a frame %lu, of a shadow page %lu; shadow pages %lu, of one frame %lu\n",
	       max_ring, max_parents, max_pages, max_chain);
	if (guest_reach / guest_roots < 30 || shadow_reach / checked_roots < 6 ||
	    max_reach < 128) {
		printf("these tables are too poor to prove anything\n");
		bad++;
	}
	if (checked_addresses < reached_addresses / 3) {
		printf("too many of these addresses were not compared\n");
		bad++;
	}
	if (bad)
		printf("%d of these have never happened\n", bad);
	return bad && !getenv("FEW");	/* FEW: in so few steps that may be */
}
