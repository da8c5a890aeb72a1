// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plan of a kernel's memory, asked about everything that can be asked:
 * usage: layout SEED ROUNDS.  Built with ASan and UBSan.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "layout.h"		/* the Launcher's */

#define MOST	(1ULL << 32)
#define MIB	(1ULL << 20)

static int wrong, plans, refusals;
static const struct layout *asked;

static void must(int yes, const char *what)
{
	if (yes)
		return;
	if (wrong++ < 20)
		printf("WRONG: memory %#llx, kernel %#llx, disk %#llx: not (%s)\n",
		       asked->memory, asked->kernel_end, asked->initrd_size, what);
}
#define MUST(x) must(x, #x)

/* What makes a plan a good one, said without the function's own sums. */
static void look(const struct layout *l)
{
	const u64 at[] = { l->kernel_end, l->start_info, l->store, l->console, l->tables, l->stack,
			   l->p2m, l->mapped, l->m2p, l->rom, l->memory };
	u64 disk_end = l->initrd + l->initrd_size, before;

	for (size_t i = 1; i < sizeof(at) / sizeof(*at); i++)
		MUST(at[i - 1] <= at[i]);
	for (size_t i = 1; i + 1 < sizeof(at) / sizeof(*at); i++)
		MUST(at[i] % 4096 == 0);
	MUST(l->start_info - l->kernel_end < 4096);
	MUST(l->store == l->start_info + 4096 && l->console == l->store + 4096);
	MUST(l->tables == l->console + 4096);
	MUST(l->stack == l->tables + (3 + l->leaf_tables) * 4096 && l->p2m == l->stack + 4096);
	MUST(l->mapped % (2 * MIB) == 0 && l->mapped == l->leaf_tables * 2 * MIB);
	MUST(l->mapped >= l->p2m + l->pages * 8);
	MUST(l->leaf_tables && l->mapped <= 1024 * MIB);
	/* one leaf table less would not do */
	before = l->mapped - 2 * MIB;
	MUST(before < ((l->p2m - 4096 + l->pages * 8 + 4095) & ~4095ULL));
	MUST(l->initrd >= l->mapped && disk_end <= l->m2p);
	MUST(l->m2p - disk_end >= 7 * MIB);
	MUST(l->m2p % (2 * MIB) == 0 && l->rom % (2 * MIB) == 0);
	MUST(l->pages == l->m2p / 4096);
	MUST(l->rom - l->m2p >= l->all_pages * 8 && l->rom - l->m2p < l->all_pages * 8 + 2 * MIB);
	MUST(l->all_pages * 4096 == l->rom + 2 * MIB && l->all_pages * 4096 <= l->memory);
	MUST(l->memory - l->all_pages * 4096 < 2 * MIB);
}

static const char *plan(u64 memory, u64 kernel_end, u64 disk, struct layout *l)
{
	*l = (struct layout){ .memory = memory, .kernel_end = kernel_end, .initrd_size = disk };
	return layout_plan(l);
}

static void try(u64 memory, u64 kernel_end, u64 disk)
{
	struct layout l;
	const char *why;
	u64 more, enough;

	asked = &l;
	why = plan(memory, kernel_end, disk, &l);
	MUST(l.memory == memory && l.kernel_end == kernel_end && l.initrd_size == disk);
	if (!why) {
		plans++;
		look(&l);
		return;
	}
	refusals++;
	MUST(!strchr(why, '\n') && strlen(why) < 100);
	if (sscanf(why, "it needs %llu MiB more: try --memory %lluM", &more, &enough) == 2) {
		MUST(enough * MIB <= MOST && enough * MIB > memory);
		MUST(more * MIB >= enough * MIB - memory && (more - 1) * MIB < enough * MIB - memory);
		/* with that it fits, and with a little less it does not */
		MUST(plan(enough * MIB, kernel_end, disk, &l) == NULL);
		look(&l);
		if (enough * MIB - 1 >= memory)
			MUST(plan(enough * MIB - 1, kernel_end, disk, &l) != NULL);
		return;
	}
	MUST(strstr(why, "no Guest has more") || strstr(why, "larger than any Guest"));
	/* and then it is true: not even the largest has room */
	MUST(memory > MOST || plan(MOST, kernel_end, disk, &l) != NULL);
}

static u64 state;

static u64 number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* A size: of any order of magnitude, often near a border. */
static u64 any(void)
{
	u64 n = number() >> (20 + number() % 44);

	switch (number() % 4) {
	case 0: return n;
	case 1: return (n & ~4095ULL) + number() % 3 - 1;
	case 2: return (n & ~(2 * MIB - 1)) + number() % 3 - 1;
	default: return number() % (600 * MIB);
	}
}

int main(int argc, char **argv)
{
	static const u64 border[] = { 0, 1, 4095, 4096, 4097, MIB, 2 * MIB - 1, 2 * MIB, 2 * MIB + 1, 4 * MIB,
		6 * MIB, 14 * MIB, 16 * MIB, 0x4a00000, 0x4a00000 - 1, 0x4a00001, 256 * MIB, 1000 * MIB,
		1024 * MIB, MOST / 2, MOST - 2 * MIB, MOST - 4096, MOST - 1, MOST, MOST + 1, 1ULL << 63, -4096ULL, -1ULL };
	const size_t n = sizeof(border) / sizeof(*border);
	unsigned long long rounds = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
	struct layout l;

	for (size_t i = 0; i < n * n * n; i++)
		try(border[i % n], border[i / n % n], border[i / n / n]);
	state = strtoull(argv[1], NULL, 0) * 2 + 1;
	for (unsigned long long i = 0; i < rounds; i++)
		try(number() % 8 ? (any() & ~4095ULL) % (MOST + 4096) : any(), any(), any());
	/* Debian's kernel in what it gets if nobody says anything, and at the least */
	if (plan(256 * MIB, 0x4a00000, 1 * MIB, &l))
		must(0, "a kernel of 74 MiB in 256");
	printf("%d plans, %d refusals, %d wrong\n", plans, refusals, wrong);
	return wrong || !plans || !refusals;
}
