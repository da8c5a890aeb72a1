// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thread runs a vCPU, others raise its lines: is each interrupt counted
 * that must be?  See ci/checks/events.  Runs aboard the bench, as root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../want.h"

#define PAGE 4096
#define PAGES 16
#define PULSE 5
#define FENCE 7
#define LEVEL 9
#define PATIENCE 20		/* seconds after which an interrupt is lost */
#define ENOUGH 6		/* seconds after which a loaded machine has shown enough */

enum { HALTS, LOOPS, TOGGLES };
static const char *const mode_name[] = { "halts", "loops", "opens and closes" };

/* What the Guest of count.S shares with us. */
struct counts {
	volatile uint64_t mode, sent, seen, pulses, levels, quiet, end, others, fences;
};

static char *memory;
static struct counts *counts;
static int guest;		/* the descriptor */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static bool init(int fd)
{
	return start_guest(fd, memory, PAGES, PAGE);
}

static long line(int fd, uint64_t number, uint64_t state)
{
	struct lguest_irq i = { LHREQ_IRQ, number, state };

	return pwrite(fd, &i, sizeof(i), 0);
}

static void raise_line(uint64_t number, uint64_t state)
{
	WANT(line(guest, number, state) == sizeof(struct lguest_irq), "line %d", (int)number);
}

static void load(void)
{
	int fd = open("/events/count", O_RDONLY);

	memset(memory, 0, PAGES * PAGE);
	WANT(fd >= 0 && read(fd, memory + PAGE, 7 * PAGE) > 0, "/events/count");
	close(fd);
}

/* --- the vCPU's thread -------------------------------------------------- */

static pthread_barrier_t made;
static volatile long interrupted;

static void *vcpu(void *unused)
{
	struct lguest_exit end;
	long n;

	guest = fresh();
	WANT(init(guest), "initialize");
	pthread_barrier_wait(&made);
	while ((n = pread(guest, &end, sizeof(end), 0)) < 0 && errno == EINTR)
		interrupted++;
	WANT(n == sizeof(end) && end.kind == LGEXIT_SHUTDOWN && !end.arg[0],
	     "the Guest ended with %ld, kind %u, %.96s", n, end.kind, end.reason);
	return unused;
}

static pthread_t start(int mode)
{
	pthread_t t;

	load();
	counts->mode = mode;
	pthread_barrier_init(&made, NULL, 2);
	pthread_create(&t, NULL, vcpu, NULL);
	pthread_barrier_wait(&made);
	return t;
}

static void stop(pthread_t t)
{
	counts->end = 1;
	raise_line(PULSE, LGLINE_PULSE);
	pthread_join(t, NULL);
	WANT(!counts->others, "%d interrupts of other lines", (int)counts->others);
	close(guest);
}

/* Wait until a counter is there; whoever comes late is lost. */
static bool reaches(volatile uint64_t *counter, uint64_t value)
{
	double from = now();
	unsigned int n = 0;

	while (*counter < value) {
		if (++n % 16 == 0)
			sched_yield();
		if (n % 1024 == 0 && now() - from > PATIENCE)
			return false;
	}
	return true;
}

static void lost(const char *what, int mode, long i)
{
	WRONG("LOST: %s, a Guest that %s, round %ld: sent %d, seen %d, counted %d and %d", what,
	      mode_name[mode], i, (int)counts->sent, (int)counts->seen, (int)counts->pulses,
	      (int)counts->levels);
	exit(1);		/* nothing will wake the thread any more */
}

/* What was struck before has been told: lower lines come first. */
static void drain(int mode)
{
	uint64_t before = counts->fences;

	raise_line(FENCE, LGLINE_PULSE);
	if (!reaches(&counts->fences, before + 1))
		lost("a fence", mode, 0);
}

/*
 * Anything from no time at all to about what the Guest takes from one count to
 * its next sleep: each moment of its way must have its turn.
 */
static double way = 20e-6;

static void pause_a_little(void)
{
	double until = now() + way * 2 * rand() / RAND_MAX;

	while (now() < until)
		;
}

/* --- strokes, each of which waits for the count of the one before ------- */

static void each_is_counted(int mode, long rounds)
{
	uint64_t before = counts->pulses;

	double from = now();
	long i;

	way = 20e-6;
	for (i = 1; i <= rounds && now() - from < ENOUGH * (mode == HALTS ? 3 : 1); i++) {
		if (i == 200 && now() - from < 200 * 500e-6)
			way = (now() - from) / 200;
		pause_a_little();
		counts->sent++;
		raise_line(PULSE, LGLINE_PULSE);
		if (!reaches(&counts->pulses, before + i))
			lost("a stroke", mode, i);
	}
	rounds = i - 1;
	fprintf(stderr, "a Guest that %s: %ld strokes, %.0f us each\n", mode_name[mode], rounds,
		(now() - from) / rounds * 1e6);
	WANT(counts->pulses == before + rounds, "%ld strokes were counted %d times", rounds,
	     (int)(counts->pulses - before));
}

/* --- strokes as fast as can be ------------------------------------------ */

static void last_is_seen(int mode, long rounds)
{
	uint64_t before = counts->pulses;

	for (long i = 0; i < rounds; i++) {
		counts->sent++;
		raise_line(PULSE, LGLINE_PULSE);
	}
	if (!reaches(&counts->seen, counts->sent))
		lost("the last of many strokes", mode, rounds);
	drain(mode);
	WANT(counts->pulses > before && counts->pulses <= before + rounds,
	     "%ld strokes were counted %d times", rounds, (int)(counts->pulses - before));
}

/* --- levels: once if it is blocked, again and again if it is not --------- */

static void held_and_blocked(int mode, long rounds)
{
	double from = now();
	uint64_t before = counts->levels, pulses = counts->pulses;

	counts->quiet = 1;
	for (long i = 1; i <= rounds && now() - from < ENOUGH; i++) {
		pause_a_little();
		raise_line(LEVEL, LGLINE_HIGH);
		if (!reaches(&counts->levels, before + i))
			lost("a level", mode, i);
		raise_line(LEVEL, LGLINE_LOW);
		raise_line(PULSE, LGLINE_PULSE);	/* which unblocks it */
		if (!reaches(&counts->pulses, pulses + i))
			lost("the stroke after a level", mode, i);
		WANT(counts->levels == before + i, "a level was counted %d times",
		     (int)(counts->levels - before - i + 1));
	}
}

static void held_and_told_again(int mode, long rounds)
{
	double from = now();
	counts->quiet = 0;
	for (long i = 1; i <= rounds && now() - from < ENOUGH; i++) {
		uint64_t before = counts->levels, pulses = counts->pulses;

		raise_line(LEVEL, LGLINE_HIGH);
		if (!reaches(&counts->levels, before + 10))
			lost("a level that is held", mode, i);
		raise_line(LEVEL, LGLINE_LOW);
		raise_line(PULSE, LGLINE_PULSE);
		if (!reaches(&counts->pulses, pulses + 1))
			lost("the stroke after a level", mode, i);
		before = counts->levels;
		raise_line(PULSE, LGLINE_PULSE);
		if (!reaches(&counts->pulses, pulses + 2))
			lost("the second stroke after a level", mode, i);
		WANT(counts->levels == before, "a level was counted after it was let go");
	}
}

/* --- who may ------------------------------------------------------------ */

static void mistakes(void)
{
	static const uint64_t bad[] = { LGUEST_LINES, 65, 1ULL << 32, 1ULL << 63, -1 };
	struct lguest_irq i = { LHREQ_IRQ, 1, LGLINE_PULSE };
	int fd = open("/dev/lguest", O_RDWR);

	WANT(line(fd, 1, LGLINE_PULSE) < 0 && errno == EPROTO, "before the version");
	close(fd);
	fd = fresh();
	WANT(line(fd, 1, LGLINE_PULSE) < 0 && errno == EPROTO, "before initialize");
	load();
	WANT(init(fd), "initialize");
	for (int n = 0; n < 5; n++)
		WANT(line(fd, bad[n], LGLINE_PULSE) < 0 && errno == EINVAL, "line %#llx",
		     (unsigned long long)bad[n]);
	WANT(line(fd, 1, LGLINE_COUNT) < 0 && errno == EINVAL, "state 3");
	WANT(line(fd, 1, -1) < 0 && errno == EINVAL, "state -1");
	WANT(line(fd, 1, 1ULL << 32) < 0 && errno == EINVAL, "state 2^32");
	WANT(pwrite(fd, &i, sizeof(i) - 1, 0) < 0 && errno == EINVAL, "a byte too few");
	WANT(pwrite(fd, &i, sizeof(i), 1) < 0 && errno == ENXIO, "vCPU 1");
	WANT(line(fd, LGUEST_LINES - 1, LGLINE_HIGH) > 0, "the last line");
	close(fd);
}

/* Another process has the descriptor; and then the vCPU's thread is gone. */
static void heirs(void)
{
	pthread_t t = start(HALTS);
	int status;
	pid_t pid = fork();

	if (!pid) {
		wrong = 0;
		each_is_counted(HALTS, 2000);
		_exit(wrong ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	WANT(WIFEXITED(status) && !WEXITSTATUS(status), "another process: status %#x", status);
	counts->end = 1;
	raise_line(PULSE, LGLINE_PULSE);
	pthread_join(t, NULL);
	for (int i = 0; i < 1000; i++)
		raise_line(i % LGUEST_LINES, i % 3);	/* for a vCPU whose thread is no more */
	close(guest);
}

/* Several threads at once, at the same line and at others. */
static void *strikes(void *times)
{
	for (long i = 0; i < (long)times; i++)
		raise_line(PULSE, LGLINE_PULSE);
	return NULL;
}

static void crowd(long rounds)
{
	pthread_t t = start(HALTS), other[3];

	for (long round = 0; round < 10; round++) {
		for (int i = 0; i < 3; i++)
			pthread_create(&other[i], NULL, strikes, (void *)rounds);
		for (int i = 0; i < 3; i++)
			pthread_join(other[i], NULL);
		counts->sent++;
		raise_line(PULSE, LGLINE_PULSE);
		if (!reaches(&counts->seen, counts->sent))
			lost("one after many", HALTS, round);
	}
	stop(t);
}

/* A vCPU that is halted stays so when its thread gets a signal. */
static void nothing(int unused)
{
	(void)unused;
}

static void signals(long rounds)
{
	struct sigaction action = { .sa_handler = nothing };
	struct itimerval often = { { 0, 700 }, { 0, 700 } }, never = { 0 };
	sigset_t set;
	pthread_t t;

	sigaction(SIGALRM, &action, NULL);
	t = start(HALTS);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);	/* so the other thread has them */
	setitimer(ITIMER_REAL, &often, NULL);
	each_is_counted(HALTS, rounds);
	usleep(50000);
	setitimer(ITIMER_REAL, &never, NULL);
	stop(t);
	WANT(interrupted > 10, "only %ld reads were interrupted", interrupted);
}

/* Killed while it sleeps, and while somebody pulls at its lines. */
static void killed(void)
{
	for (int i = 0; i < 12; i++) {
		pid_t pid = fork();

		if (!pid) {
			start(HALTS);
			for (;;)
				raise_line(PULSE, LGLINE_PULSE);
		}
		usleep(20000 + rand() % 20000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	bool alone = sysconf(_SC_NPROCESSORS_ONLN) == 1;	/* then each round costs a turn */
	long rounds = argc > 1 ? atol(argv[1]) : alone ? 4000 : 10000;
	double from = now();

	srand(time(NULL));
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	counts = (struct counts *)(memory + 0x8000);
	mistakes();
	for (int mode = HALTS; mode <= TOGGLES; mode++) {
		pthread_t t = start(mode);

		each_is_counted(mode, mode == HALTS ? rounds : rounds / 10);
		last_is_seen(mode, rounds);
		held_and_blocked(mode, rounds / 10);
		held_and_told_again(mode, rounds / 100);
		stop(t);
		printf("a Guest that %s: %s\n", mode_name[mode], wrong ? "WRONG" : "nothing is lost");
		fflush(stdout);
	}
	heirs();
	crowd(rounds / 20);
	signals(rounds / 10);
	killed();
	fprintf(stderr, "%.0f s\n", now() - from);
	printf("strokes and levels, %d wrong\n", wrong);
	return wrong ? 1 : 0;
}
