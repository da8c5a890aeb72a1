// SPDX-License-Identifier: GPL-2.0-only
/* The small system's kernel with a first program that starts the attackers. */
#include "small.h"
#include "programs.h"
#include "attacks.h"

static const struct {
	const char *name;
	void (*program)(void);
} attack[] = {
#define LIST(name) { #name, name },
	ATTACKS(LIST)
};

static unsigned int next;

/* In the place of the call that starts by name: the next attacker; -1 if none is left. */
static void call_next(struct registers *r)
{
	struct process *p = NULL;

	if (next < sizeof(attack) / sizeof(*attack))
		p = start_process(attack[next].name, attack[next].program), next++;
	r->rax = p ? p->number : -1ULL;
}

static void (*start_by_name)(struct registers *r);

static void call_start_or_next(struct registers *r)
{
	if (current == processes)
		call_next(r);
	else
		start_by_name(r);
}

void main(u64 memory)
{
	frames_init(memory);
	tables_init();
	doors_init();
	calls_init();
	ticks_init();
	heap_init();
	family_init();
	keyboard_init();
	start_by_name = calls[CALL_START];
	calls[CALL_START] = call_start_or_next;
	start_process("first", first);
	turn();
	resume();
}
