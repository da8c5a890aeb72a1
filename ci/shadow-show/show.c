/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow page tables of the book as they are, in a user program, with a
 * Guest of sixty-four frames: what the chapters show of them is printed here.
 */
#include "../proofs/types.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val) (*(volatile __typeof__(x) *)&(x) = (val))
#include "shadow.c"

#define LIMIT 64u
#define CAP 40u
#define ADDR 0x8080604000ull	/* index 1, 2, 3, 4 */
#define TABLE 0x007ull		/* present, writable, for programs */
#define DONE 0x067ull		/* and accessed, dirty */

static u64 mem[LIMIT][512];
static u64 page_store[CAP + 1][512];
static struct shadow_page pages[CAP + 1], *by_number[CAP + 1];
static struct shadow_frame frames[LIMIT];
static u64 copy[512];
static u64 shown[4][8];
static struct shadow sh = { .limit = LIMIT, .shown = shown, .frames = frames, .pages = by_number,
	.cap = CAP, .copy = copy };
static struct shadow_page *kernel, *user;
static void (*other)(void);	/* what another vCPU does before it comes out */

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void shadow_flush(struct shadow *s)
{
	void (*last)(void) = other;

	other = NULL;
	if (last)
		last();
	say("  every vCPU has come out");
}

bool shadow_read_entry(struct shadow *s, u64 gfn, int index, u64 *entry)
{
	*entry = mem[gfn][index];
	return true;
}

bool shadow_read_table(struct shadow *s, u64 gfn, const u64 *wanted, u64 *entries)
{
	(void)wanted;
	memcpy(entries, mem[gfn], sizeof(mem[gfn]));
	return true;
}

bool shadow_fetch_entry(struct shadow *s, u64 gfn, int index, u64 *entry)
{
	*entry = mem[gfn][index];
	return true;
}

int shadow_replace_entry(struct shadow *s, u64 gfn, int index, u64 old, u64 new)
{
	if (mem[gfn][index] != old)
		return 1;
	mem[gfn][index] = new;
	return 0;
}

static void make_pages(u32 n)
{
	for (; n; n--) {
		u32 i = sh.made + 1;

		pages[i].entries = page_store[i];
		pages[i].addr = 0x10000000ull + i * 0x1000;
		shadow_add_page(&sh, &pages[i]);
	}
}

/* Frames 1 to 4 are tables, 9 is memory; and an address that goes 1, 2, 3, 4. */
static void make_guest(void)
{
	int i;

	for (i = 1; i < 4; i++)
		mem[i][i] = (i + 1) * 0x1000 | TABLE;
	mem[4][4] = 0x9000 | TABLE;
}

static void start(int roots)
{
	make_guest();
	make_pages(20);
	kernel = shadow_root(&sh, 1, 0, 0);
	kernel->busy = true;
	if (roots > 1) {
		user = shadow_root(&sh, 1, ROLE_USER, 0);
		user->busy = true;
	}
}

static enum walk_result walk_to(struct guest_walk *walk, u64 addr, u64 root)
{
	memset(walk, 0, sizeof(*walk));
	return shadow_walk(&sh, walk, true, root, addr);
}

/* The whole of a fault: true if it can be tried again, by which it is done. */
static bool touch_address(struct shadow_page *root, u64 addr, int access)
{
	struct guest_walk walk;
	enum walk_result result = walk_to(&walk, addr, root->gfn);

	if (result != WALK_ON || !walk_allows(&walk, access)) {
		say("  the Guest's own fault, error %d", walk_error(result, access));
		return false;
	}
	shadow_mark(&sh, &walk, access);
	say("  the Guest's tables lead to frame 0x%x", (unsigned int)walk.gfn);
	if (shadow_fill(&sh, root, &walk, 0x80000000ull + (walk.gfn << 12),
			access & FAULT_WRITE)) {
		say("  filled");
		return true;
	}
	say("  the tables have changed: once more");
	return touch_address(root, addr, access);
}

/* What the processor finds. */
static u64 look(struct shadow_page *page, u64 addr)
{
	int i = table_index(addr, page->level);

	if (page->level > 1 && page->slots[i].next)
		return look(sh.pages[page->slots[i].target], addr);
	return page->entries[i];
}

static void show_address(const char *who, struct shadow_page *root, u64 addr)
{
	u64 entry = look(root, addr);

	if (!(entry & PTE_PRESENT))
		say("%s: nothing at 0x%llx", who, (unsigned long long)addr);
	else
		say("%s: 0x%llx is frame 0x%x, %s", who, (unsigned long long)addr,
		    (unsigned int)((entry & PTE_ADDR) - 0x80000000) >> 12,
		    entry & PTE_WRITE ? "writable" : "read-only");
}

static void show_pages(void)
{
	const struct shadow_page *p;
	u32 n;

	for (n = 1; n <= sh.made; n++) {
		p = sh.pages[n];
		if (p->level)
			say("page %2u: frame 0x%x at level %d, %s%s; parents: %u",
			    n, p->gfn, p->level, p->role & ROLE_USER ? "user" : "kernel",
			    p->role & ROLE_DIRECT ? ", direct" : "", p->count);
	}
}

static void show_ring(const char *what, u32 first)
{
	u32 slot = first;

	printf("%s:", what);
	if (!first)
		printf(" nobody");
	else
		do {
			printf(" entry %u of page %u,", slot % 512, slot / 512);
			slot = slot_at(&sh, slot)->next;
		} while (slot != first);
	say(" %s", first ? "and round" : "");
}

/* ---- chapter 581 ---- */

static void show_shadow(const char *what, u64 entry, int level)
{
	u64 reserved = pte_reserved(entry, level);

	if (!(entry & PTE_PRESENT) || reserved)
		say("%-26s %d  %016llx  nothing", what, level,
		    (unsigned long long)entry);
	else
		say("%-26s %d  %016llx  %016llx", what, level,
		    (unsigned long long)entry,
		    (unsigned long long)pte_shadow(entry, level));
}

static void show_error(const char *what, u64 entry, int access)
{
	struct guest_walk walk;
	u64 old = mem[4][4];
	enum walk_result result;

	mem[4][4] = entry;
	result = walk_to(&walk, ADDR, 1);
	if (result == WALK_ON && walk_allows(&walk, access))
		say("%-42s goes through", what);
	else
		say("%-42s error %d", what, walk_error(result, access));
	mem[4][4] = old;
}

static void entries(void)
{
	say("what the Guest has        level  its entry         our bits");
	show_shadow("a table", 0x2027, 3);
	show_shadow("memory, written before", 0x9067, 1);
	show_shadow("memory, not written yet", 0x9027, 1);
	show_shadow("read-only, no code", 0x8000000000009065, 1);
	show_shadow("uncached, global, a key", 0x5800000000009f7f, 1);
	show_shadow("in swap, and its place", 0x00000012345678fe, 1);
	show_shadow("a page of 1 GiB", 0xc00000e7, 3);
	show_shadow("memory above 2^40", 0x10000009067, 1);
	say("%s", "");
	make_guest();
	show_error("a program reads", 0x9007, FAULT_USER);
	show_error("a program reads what is the kernel's", 0x9003, FAULT_USER);
	show_error("the kernel writes what is read-only", 0x9005, FAULT_WRITE);
	show_error("it runs what is no code", 0x8000000000009007, FAULT_FETCH);
	show_error("it reads what is not there", 0x9006, 0);
	show_error("it reads through a reserved bit", 0x10000009007, 0);
}

/* ---- chapter 582 ---- */

static void shadows(void)
{
	start(2);
	mem[4][5] = 0x9000 | TABLE;
	mem[5][1] = 0x2000 | TABLE;	/* another process: frame 5, same tables */
	say("two addresses of frame 0x9, and one seen by programs:");
	touch_address(kernel, ADDR, FAULT_WRITE);
	touch_address(kernel, ADDR + 0x1000, 0);
	touch_address(user, ADDR, FAULT_USER);
	say("another process, with the same tables from level 3 on:");
	kernel = shadow_root(&sh, 5, 0, 0);
	kernel->busy = true;
	touch_address(kernel, ADDR, 0);
	show_pages();
	show_ring("frame 0x9", sh.frames[9].slots);
	show_ring("the shadow of frame 0x2", by_number[kernel->slots[1].target]->parents);
	say("the Host takes frame 0x9 away:");
	shadow_forget_frame(&sh, 9);
	show_ring("frame 0x9", sh.frames[9].slots);
}

/* ---- chapter 583 ---- */

static void lead_elsewhere(void)
{
	mem[4][4] = 0xa000 | DONE;
	say("  vCPU 1, on its way out: frame 0xa is there now");
}

static void filling(void)
{
	start(1);
	mem[7][0] = 0x4000 | DONE;	/* vCPU 1's tables show it frame 4, */
	mem[6][0] = 0x7000 | TABLE;	/* which is a table of vCPU 0's */
	mem[8][0] = 0x6000 | TABLE;
	mem[5][0] = 0x8000 | TABLE;
	say("vCPU 1 has frame 0x4 where it can write to it:");
	touch_address(shadow_root(&sh, 5, 0, 1), 0, FAULT_WRITE);
	say("vCPU 0 touches an address that goes through frame 0x4:");
	other = lead_elsewhere;
	touch_address(kernel, ADDR, 0);
	show_address("vCPU 0", kernel, ADDR);
}

/* ---- chapter 584 ---- */

static void changes(void)
{
	u64 self = 0x1000;		/* where the Guest sees its own table */

	start(1);
	mem[1][0] = 0x6000 | TABLE;
	mem[6][0] = 0x7000 | TABLE;
	mem[7][0] = 0x8000 | TABLE;
	mem[8][1] = 0x4000 | TABLE;
	say("the Guest has written the table before it is one:");
	touch_address(kernel, self, FAULT_WRITE);
	show_address("the table", kernel, self);
	say("it is used:");
	touch_address(kernel, ADDR, FAULT_WRITE);
	show_address("the address", kernel, ADDR);
	show_address("the table", kernel, self);
	say("the Guest writes to it, which faults:");
	touch_address(kernel, self, FAULT_WRITE);
	show_address("the table", kernel, self);
	mem[4][4] = 0xa000 | DONE;
	say("it has written: frame 0xa");
	show_address("the address", kernel, ADDR);
	say("it flushes:");
	shadow_sync(&sh);
	shadow_settle(&sh);
	show_address("the address", kernel, ADDR);
	show_address("the table", kernel, self);
	say("it drops the table:");
	shadow_forget_table(&sh, 4);
	shadow_settle(&sh);
	say("frame 0x4 has %s", sh.frames[4].pages ? "a shadow" : "no shadow");
	say("%llu fills, %llu out of step, %llu compared, %llu kicks",
	    (unsigned long long)sh.stats.fills, (unsigned long long)sh.stats.unsyncs,
	    (unsigned long long)sh.stats.resyncs,
	    (unsigned long long)sh.stats.flushes);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "entries"))
		entries();
	else if (!strcmp(what, "shadows"))
		shadows();
	else if (!strcmp(what, "filling"))
		filling();
	else if (!strcmp(what, "changes"))
		changes();
	else
		return 2;
	return 0;
}
