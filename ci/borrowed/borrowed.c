// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Guest counts in each of its pages, round after round, and looks whether
 * each still holds what it wrote; meanwhile its Launcher and the kernel do to
 * this memory whatever one can do to memory.  See ci/checks/borrowed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../start.h"

#define PAGE 4096
#define PAGES 1024			/* 4 MiB, so that a page of 2 MiB fits */
#define FIRST 32			/* the first page that it counts in */

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* At 0x1000.  Words for the Launcher: round at 0x2000; stop at 0x2008; do not
 * compare at 0x2010; stopped at 0x2018; the wrong page at 0x2020. */
extern const char guest[], guest_end[];
asm(".pushsection .rodata\n"
    "guest:	xor	%r8d, %r8d\n"
    "round:	mov	%r8, 0x2000\n"
    "pause:	mov	0x2008, %rax\n"
    "	mov	%rax, 0x2018\n"
    "	test	%rax, %rax\n"
    "	jnz	pause\n"
    "	mov	%r8, %r9\n"
    "	inc	%r8\n"
    "	mov	$0x20000, %ebx\n"
    "page:	cmp	%r9, (%rbx)\n"
    "	je	good\n"
    "	cmpq	$0, 0x2010\n"
    "	jne	good\n"
    "	mov	%rbx, 0x2020\n"
    "	mov	$1, %edi\n"
    "	mov	$1003, %eax\n"		/* LHCALL_SHUTDOWN */
    "	syscall\n"
    "good:	mov	%r8, (%rbx)\n"
    "	add	$0x1000, %rbx\n"
    "	cmp	%rdi, %rbx\n"
    "	jb	page\n"
    "	jmp	round\n"
    "guest_end:\n"
    ".popsection\n");

static volatile char *memory;
static int wrong;

#define WORD(offset) (*(volatile uint64_t *)(memory + (offset)))
#define WRONG(...) do {							\
	printf("WRONG: ");						\
	printf(__VA_ARGS__);						\
	putchar('\n');							\
	fflush(stdout);							\
	wrong++;							\
} while (0)

/* A Guest in a thread of its own. */
static struct lguest_exit end;
static volatile long ended;
static pthread_t runner;

static void *run(void *unused)
{
	int fd = open_guest();

	if (!start_guest(fd, (void *)memory, PAGES, PAGE)) {
		WRONG("cannot start: %s", strerror(errno));
		ended = -1;
		return NULL;
	}
	ended = read(fd, &end, sizeof(end)) == sizeof(end) ? 1 : -errno;
	close(fd);
	return unused;
}

static bool moves(int rounds)
{
	uint64_t from = WORD(0x2000);
	int i;

	for (i = 0; i < 120000 && !ended; i++) {
		if (WORD(0x2000) >= from + rounds)
			return true;
		usleep(1000);
	}
	return false;
}

static void start(int flags, int fd)
{
	memory = mmap(NULL, PAGES * PAGE + (1 << 21), PROT_READ | PROT_WRITE, flags, fd, 0);
	if (memory == MAP_FAILED) {
		WRONG("no memory: %s", strerror(errno));
		exit(1);
	}
	if (fd < 0)		/* aligned, so that a page of 2 MiB can be made */
		memory = (void *)(((uintptr_t)memory + (1 << 21) - 1) & -(1ul << 21));
	memcpy((void *)memory + PAGE, guest, guest_end - guest);
	ended = 0;
	memset(&end, 0, sizeof(end));
	pthread_create(&runner, NULL, run, NULL);
	if (!moves(2))
		WRONG("the Guest does not move: %s", end.reason);
}

static void stop_counting(bool stop)
{
	int i;

	WORD(0x2008) = stop;
	for (i = 0; stop && i < 120000 && !WORD(0x2018) && !ended; i++)
		usleep(1000);
}

static bool write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static long read_number(const char *name)
{
	FILE *f = fopen(name, "r");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* Pages that have really gone to the swap. */
static long swapped(void)
{
	char line[100];
	FILE *f = fopen("/proc/vmstat", "r");
	long n = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "pswpout %ld", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/* A child has a copy, and in it nothing moves and everything can be written. */
static void trick_fork(void)
{
	int status, i;
	pid_t pid = fork();

	if (!pid) {
		uint64_t was = WORD(0x2000), page = WORD(FIRST * PAGE);

		for (i = 0; i < 30; i++) {
			usleep(1000);
			if (WORD(0x2000) != was || WORD(FIRST * PAGE) != page)
				_exit(1);
		}
		for (i = FIRST; i < PAGES; i++)
			WORD(i * PAGE) = 0xdead;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status)
		WRONG("after fork the child saw the Guest go on: %#x", status);
}

static void trick_swap(void)
{
	madvise((void *)memory, PAGES * PAGE, MADV_PAGEOUT);
}

static void trick_protect(void)
{
	mprotect((void *)memory + FIRST * PAGE, 64 * PAGE, PROT_READ);
	usleep(1000);
	/* a write meanwhile would have killed it, so it is stopped: see below */
	mprotect((void *)memory + FIRST * PAGE, 64 * PAGE, PROT_READ | PROT_WRITE);
}

static void trick_merge(void)
{
	long shared = -1;
	int i;

	stop_counting(true);	/* now all pages are equal */
	madvise((void *)memory, PAGES * PAGE, MADV_MERGEABLE);
	for (i = 0; i < 2000; i++) {
		shared = read_number("/sys/kernel/mm/ksm/pages_sharing");
		if (shared > 500)
			break;
		usleep(5000);
	}
	if (shared <= 500)
		WRONG("the kernel has merged only %ld pages", shared);
	stop_counting(false);
	if (!moves(3))
		WRONG("after merging it does not move");
	madvise((void *)memory, PAGES * PAGE, MADV_UNMERGEABLE);
}

static void trick_huge(void)
{
	madvise((void *)memory, PAGES * PAGE, MADV_HUGEPAGE);
	madvise((void *)memory, PAGES * PAGE, MADV_COLLAPSE);
	if (!moves(1))
		WRONG("on a large page it does not move");
	madvise((void *)memory, PAGES * PAGE, MADV_NOHUGEPAGE);
	mprotect((void *)memory + 100 * PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static void trick_migrate(void)
{
	write_file("/proc/sys/vm/compact_memory", "1");
}

/* Taken away and given back empty: the Guest finds zeroes. */
static void trick_discard(void)
{
	int i, zeroes = 0;

	stop_counting(true);
	madvise((void *)memory + FIRST * PAGE, (PAGES - FIRST) * PAGE, MADV_DONTNEED);
	for (i = FIRST; i < PAGES; i++)
		zeroes += !WORD(i * PAGE);
	if (zeroes != PAGES - FIRST)
		WRONG("only %d pages are empty", zeroes);
	WORD(0x2010) = 1;
	stop_counting(false);
	if (!moves(2))
		WRONG("after a discard it does not move");
	stop_counting(true);
	WORD(0x2010) = 0;
	for (i = FIRST; i < PAGES; i++)
		if (WORD(i * PAGE) != WORD(0x2000)) {
			WRONG("page %#x: the Launcher sees %llu, not %llu", i,
			      (unsigned long long)WORD(i * PAGE),
			      (unsigned long long)WORD(0x2000));
			break;
		}
	stop_counting(false);
}

static void quiet_protect(void)
{
	stop_counting(true);
	trick_protect();
	stop_counting(false);
}

static void tricks(const char *what, bool anonymous, int rounds)
{
	static const struct { const char *name; void (*play)(void); bool anonymous; } all[] = {
		{ "fork", trick_fork, true }, { "swap", trick_swap, false },
		{ "protect", quiet_protect, false }, { "merge", trick_merge, true },
		{ "huge", trick_huge, true }, { "migrate", trick_migrate, false },
		{ "discard", trick_discard, true },
	};
	unsigned int i;
	int round;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i].anonymous && !anonymous)
			continue;
		for (round = 0; round < rounds && !ended; round++) {
			all[i].play();
			if (!moves(1) && !ended)
				WRONG("%s: %s: the Guest does not move", what, all[i].name);
		}
		if (ended) {
			WRONG("%s: %s: the Guest ended: kind %u, status %llu, %s; page %#llx", what,
			      all[i].name, end.kind, (unsigned long long)end.arg[0], end.reason,
			      (unsigned long long)WORD(0x2020));
			return;
		}
		printf("ok: %s: %s, %d times, round %llu\n", what, all[i].name, rounds,
		       (unsigned long long)WORD(0x2000));
		fflush(stdout);
	}
}

/* What the Guest dies of when its memory is not there any more. */
static void dies(const char *what, void (*take)(void))
{
	int i;

	start(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	take();
	for (i = 0; i < 60000 && !ended; i++)
		usleep(1000);
	if (ended != 1 || end.kind != LGEXIT_DEAD || !strstr(end.reason, "is not there"))
		WRONG("%s: kind %u, %s", what, end.kind, ended ? end.reason : "it lives on");
	else
		printf("ok: %s: %s\n", what, end.reason);
	fflush(stdout);
	if (ended)
		pthread_join(runner, NULL);
	else
		exit(1);
}

static void take_unmap(void) { munmap((void *)memory + 512 * PAGE, PAGE); }
static void take_protect(void) { mprotect((void *)memory + 512 * PAGE, PAGE, PROT_READ); }
static void take_none(void) { mprotect((void *)memory + 512 * PAGE, PAGE, PROT_NONE); }
static void take_move(void)
{
	mremap((void *)memory + 512 * PAGE, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
	       mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static volatile bool churning;

/* All at once, in any order. */
static void *churn(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	while (churning) {
		int from = FIRST + rand_r(&seed) % (PAGES - FIRST - 16);

		switch (rand_r(&seed) % 5) {
		case 0: madvise((void *)memory + from * PAGE, 16 * PAGE, MADV_PAGEOUT); break;
		case 1: madvise((void *)memory, PAGES * PAGE, MADV_COLLAPSE); break;
		case 2: write_file("/proc/sys/vm/compact_memory", "1"); break;
		case 3: trick_fork(); break;
		case 4: mprotect((void *)memory + from * PAGE, PAGE,
				 PROT_READ | PROT_WRITE | PROT_EXEC); break;
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5;
	pthread_t churner[2];
	int fd, i;

	swapon("/dev/ram0", 0);
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "5");
	write_file("/sys/kernel/mm/ksm/pages_to_scan", "2000");
	write_file("/sys/kernel/mm/ksm/run", "1");

	dies("unmapped", take_unmap);
	dies("only to be read", take_protect);
	dies("not even that", take_none);
	dies("moved away", take_move);

	start(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	tricks("private memory", true, rounds);
	if (swapped() < PAGES / 2)
		WRONG("only %ld pages were swapped out", swapped());
	churning = true;
	for (i = 0; i < 2; i++)
		pthread_create(&churner[i], NULL, churn, (void *)(uintptr_t)(i + 1));
	if (!moves(10 * rounds))
		WRONG("in the churn the Guest stops: kind %u, status %llu, %s", end.kind,
		      (unsigned long long)end.arg[0], end.reason);
	churning = false;
	for (i = 0; i < 2; i++)
		pthread_join(churner[i], NULL);
	munmap((void *)memory, PAGES * PAGE);
	pthread_join(runner, NULL);

	fd = memfd_create("guest", 0);
	if (ftruncate(fd, PAGES * PAGE + (1 << 21)))
		WRONG("no file: %s", strerror(errno));
	start(MAP_SHARED, fd);
	tricks("a shared file", false, rounds);
	if (ftruncate(fd, 512 * PAGE))
		WRONG("cannot cut the file");
	for (i = 0; i < 60000 && !ended; i++)
		usleep(1000);
	if (ended != 1 || !strstr(end.reason, "is not there"))
		WRONG("the file was cut: %s", end.reason);
	else
		printf("ok: the file was cut: %s\n", end.reason);
	printf("%ld pages swapped out, %d wrong\n", swapped(), wrong);
	return wrong != 0;
}
