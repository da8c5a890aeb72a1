// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Launcher in a control group of its own: its Guest's shadow pages are charged
 * to the group, and at the group's limit the Guest goes on with the few that it
 * has, and nobody is killed.  See ci/checks/charged.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../start.h"

#define GROUP "/cgroup/guest"
#define PAGE 4096ul
#define STEP (2ul << 20)		/* one table of level 1 for each */
#define STEPS 512ul
#define SHADOW (3 * PAGE)		/* one that is walked, two that say who leads where */
#define RESERVE (4 * 64 * PAGE)		/* the kernel charges in advance, for each of four CPUs */
#define ROUNDS 3
#define ROOM (64 * PAGE)		/* what the limit leaves for more shadow pages */

/* At 0x1000.  It counts in one word of each 2 MiB but the first, in rounds. */
extern const char guest[], guest_end[];
asm(".pushsection .rodata\n"
    "guest:	mov	$3, %r8d\n"	/* ROUNDS */
    "round:	mov	$0x200000, %ebx\n"
    "next:	incq	(%rbx)\n"
    "	add	$0x200000, %rbx\n"
    "	cmp	%rdi, %rbx\n"
    "	jb	next\n"
    "	dec	%r8d\n"
    "	jnz	round\n"
    "	xor	%edi, %edi\n"
    "	mov	$1003, %eax\n"		/* LHCALL_SHUTDOWN */
    "	syscall\n"
    "guest_end:\n"
    ".popsection\n");

static int wrong;

#define CHECK(ok, ...) do {						\
	printf((ok) ? "ok: " : "WRONG: ");				\
	wrong += !(ok);							\
	printf(__VA_ARGS__);						\
	putchar('\n');							\
	fflush(stdout);							\
} while (0)

static bool say(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!done)
		printf("WRONG: cannot write \"%s\" to %s: %s\n", text, name, strerror(errno));
	close(fd);
	return done;
}

/* The number behind a word in a file of the group, or the only number in it. */
static long read_number(const char *file, const char *word)
{
	char name[100], line[200];
	long n = -1;
	FILE *f;

	snprintf(name, sizeof(name), GROUP "/%s", file);
	f = fopen(name, "r");
	while (f && n < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, word, strlen(word)))
			sscanf(line + strlen(word), "%ld", &n);
	if (f)
		fclose(f);
	return n;
}

/* Under a limit of so many bytes more than what there is when the Guest starts. */
static void launch(long limit)
{
	struct lguest_exit end = { 0 };
	long empty, begun, now, full, after;
	char *memory, text[30];
	unsigned long n, odd = 0;
	int fd, max;

	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	memory = mmap(NULL, STEPS * STEP, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	memcpy(memory + PAGE, guest, guest_end - guest);
	/* The Guest's own pages and the process's tables are there before we count. */
	for (n = 1; n < STEPS; n++)
		*(volatile uint64_t *)(memory + n * STEP) = 0;
	fd = open_guest();

	empty = read_number("memory.stat", "kernel ");
	if (!start_guest(fd, memory, STEPS * STEP / PAGE, PAGE))
		CHECK(false, "cannot start: %s", strerror(errno));
	begun = read_number("memory.stat", "kernel ");
	now = read_number("memory.current", "");
	/* To open it later would be charged, too, and at the limit it kills us. */
	max = open(GROUP "/memory.max", O_WRONLY | O_CLOEXEC);
	if (limit) {
		snprintf(text, sizeof(text), "%ld", now + limit);
		say(GROUP "/memory.max", text);
	}
	if (read(fd, &end, sizeof(end)) != sizeof(end))
		CHECK(false, "cannot run: %s", strerror(errno));
	if (limit && write(max, "max", 3) != 3)
		CHECK(false, "cannot take the limit away: %s", strerror(errno));
	close(max);
	full = read_number("memory.stat", "kernel ");
	after = read_number("memory.current", "");
	close(fd);

	for (n = 1; n < STEPS; n++)
		odd += *(volatile uint64_t *)(memory + n * STEP) != ROUNDS;
	CHECK(end.kind == LGEXIT_SHUTDOWN && !end.arg[0] && !odd,
	      "the Guest has counted in %lu places, %lu wrong; kind %u %s", STEPS - 1, odd, end.kind, end.reason);
	CHECK(begun - empty >= (long)(STEPS * STEP / PAGE * 16),
	      "starting it was charged with %ld kB", (begun - empty) >> 10);
	if (limit) {
		CHECK(full - begun <= limit + (long)RESERVE, "in a group with room for %ld kB more it took %ld",
		      limit >> 10, (full - begun) >> 10);
	} else {
		CHECK(full - begun >= (long)((STEPS - 64) * SHADOW), "running it was charged with %ld kB, "
		      "%lu shadow pages have %lu", (full - begun) >> 10, STEPS, STEPS * SHADOW >> 10);
		CHECK(after - now >= (long)((STEPS - 64) * SHADOW - RESERVE), "and the group has grown by %ld kB",
		      (after - now) >> 10);
	}
	now = read_number("memory.stat", "kernel ");
	CHECK(now - empty <= (long)(64 * PAGE), "when it has gone %ld kB are left", (now - empty) >> 10);
	exit(wrong);
}

static void in_the_group(long limit)
{
	long events;
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!say(GROUP "/cgroup.procs", "0"))
			exit(1);
		launch(limit);
	}
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "the Launcher ended with %#x", status);
	events = read_number("memory.events", "max ");
	CHECK(!limit == !events, "the limit was met %ld times", events);
	events = read_number("memory.events", "oom_kill ");
	CHECK(!events, "%ld were killed for it", events);
}

int main(void)
{
	mkdir("/cgroup", 0755);
	if (mount("none", "/cgroup", "cgroup2", 0, NULL) || !say("/cgroup/cgroup.subtree_control", "+memory") ||
	    mkdir(GROUP, 0755)) {
		printf("WRONG: no control groups: %s\n", strerror(errno));
		return 1;
	}
	in_the_group(0);
	in_the_group(ROOM);
	return wrong != 0;
}
