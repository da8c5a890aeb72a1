// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Launcher gives up all of its Guest's memory at once, and the Host goes
 * through a million frames for it.  Another thread, which is more important and
 * on the same processor, must get it in between.  See ci/checks/patience.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "../start.h"

#define MEMORY (4ul << 30)
#define ROUNDS 20
#define MS 1000000l

static atomic_long latest;		/* by how much the other thread came late, at worst */

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000l + t.tv_nsec;
}

static int pin(int priority)
{
	struct sched_param p = { .sched_priority = priority };
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	return sched_setaffinity(0, sizeof(first), &first) ||
		(priority && sched_setscheduler(0, SCHED_FIFO, &p));
}

/* Wants its processor once in a millisecond. */
static void *important(void *unused)
{
	long due, late;
	struct timespec t;

	(void)unused;
	if (pin(50))
		return "cannot be important";
	for (due = now();;) {
		due += MS;
		t = (struct timespec){ due / 1000000000l, due % 1000000000l };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		late = now() - due;
		if (late > atomic_load(&latest))
			atomic_store(&latest, late);
		if (late > MS)
			due = now();
	}
	return NULL;
}

int main(void)
{
	char *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int n, best = 1000;
	pthread_t thread;
	long from, took, late;

	if (memory == MAP_FAILED || !start_guest(open_guest(), memory, MEMORY / 4096, 0)) {
		printf("WRONG: cannot start: %s\n", strerror(errno));
		return 1;
	}
	if (pin(0) || pthread_create(&thread, NULL, important, NULL)) {
		printf("WRONG: cannot share a processor: %s\n", strerror(errno));
		return 1;
	}
	for (n = 0; n < ROUNDS; n++) {
		memory[0] = 1;
		usleep(20000);
		atomic_store(&latest, 0);
		from = now();
		madvise(memory, MEMORY, MADV_DONTNEED);
		took = now() - from;
		usleep(5000);			/* what is late is counted when it comes */
		late = atomic_load(&latest);
		if (took < 4 * MS) {
			printf("WRONG: %ld us are too short to show anything\n", took / 1000);
			return 1;
		}
		if (late * 100 / took < best)
			best = late * 100 / took;
	}
	/* A busy machine makes us late, too, but not each time. */
	printf("%s: of the time for %lu frames the other thread has waited %d %%, at best\n",
	       best < 50 ? "ok" : "WRONG", MEMORY / 4096, best);
	return best >= 50;
}
