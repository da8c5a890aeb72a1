// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test build waits between finding a page and showing it to the Guest, and
 * in that time the page is taken away.  The Guest counts in it: if it were shown
 * all the same, it would count in a page that is somebody else's by then, and
 * nobody would see it count any more.  See ci/checks/slow-fill.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../start.h"

#define PAGES 16
#define ROUNDS 25

/* At 0x1000: count to 0x8000 until there is a word at 0x9000. */
extern const char guest[], guest_end[];
asm(".pushsection .rodata\n"
    "guest:	inc	%rax\n"
    "	mov	%rax, 0x8000\n"	/* a write at once, no read before */
    "	cmpq	$0, 0x9000\n"
    "	je	guest\n"
    "	xor	%edi, %edi\n"
    "	mov	$1003, %eax\n"		/* LHCALL_SHUTDOWN */
    "	syscall\n"
    "guest_end:\n"
    ".popsection\n");

static char *memory;
static struct lguest_exit end;

static void *run(void *unused)
{
	int fd = open_guest();

	(void)unused;
	if (!start_guest(fd, memory, PAGES, 4096) || read(fd, &end, sizeof(end)) != sizeof(end))
		printf("WRONG: cannot run: %s\n", strerror(errno));
	close(fd);
	return NULL;
}

static int moves(void)
{
	volatile uint64_t *word = (void *)(memory + 0x8000);
	uint64_t was = *word;
	int n;

	for (n = 0; n < 20000 && !end.kind; n++, usleep(1000))
		if (*word != was)
			return 1;
	return 0;
}

int main(void)
{
	int n, wrong = 0;
	pthread_t thread;

	memory = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(memory + 4096, guest, guest_end - guest);
	pthread_create(&thread, NULL, run, NULL);
	for (n = 0; n < ROUNDS && moves(); n++) {
		madvise(memory + 0x8000, 4096, MADV_DONTNEED);
		usleep(2000 + 1500 * n);		/* in the middle of a fill */
		madvise(memory + 0x8000, 4096, MADV_DONTNEED);
	}
	if (n < ROUNDS || !moves()) {
		printf("WRONG: after %d rounds the Guest counts where nobody sees it; %s\n", n, end.reason);
		wrong = 1;
	}
	*(volatile uint64_t *)(memory + 0x9000) = 1;
	if (wrong)
		return 1;		/* it may not see that word either */
	pthread_join(thread, NULL);
	if (end.kind != LGEXIT_SHUTDOWN || end.arg[0])
		wrong = printf("WRONG: it ended with kind %u: %s\n", end.kind, end.reason);
	else
		printf("ok: %d times a page was taken away while it was about to be shown\n", n);
	return wrong ? 1 : 0;
}
