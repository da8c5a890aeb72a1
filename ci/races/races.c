// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several threads and processes at one device, and one that will not let go:
 * see ci/checks/device-races.  Runs aboard the bench, as root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../want.h"

#define PAGE 4096
#define PAGES 16

static char *memory;

static const unsigned char bye[] = {	/* status from RSI */
	0x48, 0x89, 0xf7, 0xb8, LHCALL_SHUTDOWN & 0xff, LHCALL_SHUTDOWN >> 8, 0, 0, 0x0f, 0x05, 0x0f, 0x0b,
};
static const unsigned char spin[] = { 0xeb, 0xfe };

static void put(const void *code, size_t size)
{
	memset(memory, 0, PAGES * PAGE);
	memcpy(memory + PAGE, code, size);
}

static bool init(int fd, void *mem)
{
	return start_guest(fd, mem, PAGES, PAGE);
}

static long run(int fd)
{
	struct lguest_exit end;

	return pread(fd, &end, sizeof(end), 0);
}

/* A whole life of a Guest, which must not take long. */
static void one_life(const char *when)
{
	struct timespec from, to;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &from);
	put(bye, sizeof(bye));
	fd = fresh();
	WANT(init(fd, memory), "%s: initialize", when);
	WANT(run(fd) == sizeof(struct lguest_exit), "%s: run", when);
	close(fd);
	clock_gettime(CLOCK_MONOTONIC, &to);
	WANT(to.tv_sec - from.tv_sec < 60, "%s: it took %ld s", when, to.tv_sec - from.tv_sec);
}

/* Run something in a child that may never end by itself. */
static pid_t child(void (*what)(int), int arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		wrong = 0;
		what(arg);
		_exit(wrong > 100 ? 100 : wrong);
	}
	return pid;
}

static void reap(pid_t pid, bool kill_it)
{
	int status;

	if (kill_it)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (!kill_it)
		WANT(WIFEXITED(status) && !WEXITSTATUS(status), "a child: status %#x", status);
}

/* --- memory that never comes ------------------------------------------- */

static void *never(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	void *mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register reg = {
		.range = { (uintptr_t)mem, PAGES * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg)) {
		WRONG("userfaultfd");
		return NULL;
	}
	return mem;
}

static void request_never(int unused)
{
	write(fresh(), never(), sizeof(struct lguest_version));
	(void)unused;
}

static void memory_never(int unused)
{
	int fd = fresh();

	WANT(init(fd, never()), "initialize with memory that never comes");
	run(fd);
	(void)unused;
}

static void answer_never(int unused)
{
	int fd = fresh();

	put(bye, sizeof(bye));
	init(fd, memory);
	pread(fd, never(), sizeof(struct lguest_exit), 0);
	(void)unused;
}

static void nobody_waits(void)
{
	void (*const hold[])(int) = { request_never, memory_never, answer_never };

	for (int i = 0; i < 3; i++) {
		pid_t pid = child(hold[i], 0);

		usleep(300000);
		WANT(!waitpid(pid, NULL, WNOHANG), "child %d does not wait", i);
		one_life("while somebody waits for memory");
		reap(pid, true);
		one_life("after somebody waited for memory");
	}
}

/* --- threads that are not programs ------------------------------------- */

static long by_io_uring(int fd, const void *buf, size_t len)
{
	struct io_uring_params p = { 0 };
	int ring = syscall(SYS_io_uring_setup, 2, &p);
	size_t size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe) +
		      p.sq_off.array + p.sq_entries * 4;
	char *sq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *sqe = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	struct io_uring_cqe *cqe;
	long got;

	if (ring < 0 || sq == MAP_FAILED || sqe == MAP_FAILED) {
		WRONG("io_uring");
		return 0;
	}
	*sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_WRITE, .flags = IOSQE_ASYNC, .fd = fd,
		.addr = (uintptr_t)buf, .len = len,
	};
	*(uint32_t *)(sq + p.sq_off.array) = 0;
	__atomic_fetch_add((uint32_t *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	WANT(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1,
	     "io_uring_enter");
	cqe = (struct io_uring_cqe *)(sq + p.cq_off.cqes);
	got = cqe->res;
	close(ring);
	return got;
}

static void io_workers(void)
{
	struct lguest_initialize i = { LHREQ_INITIALIZE, (uintptr_t)memory, PAGES, PAGE };
	int fd = fresh();
	long got = by_io_uring(fd, &i, sizeof(i));

	WANT(got == -EPERM, "initialize by io_uring gave %ld", got);
	put(bye, sizeof(bye));
	WANT(init(fd, memory) && run(fd) > 0, "and then by hand");
	close(fd);
}

/* --- threads of one program -------------------------------------------- */

static int shared, winners, runs, ready_threads;

static void *all_initialize(void *unused)
{
	bool first;

	__atomic_fetch_add(&ready_threads, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&ready_threads, __ATOMIC_SEQ_CST) < 4)
		sched_yield();
	first = init(shared, memory);
	if (first)
		__atomic_fetch_add(&winners, 1, __ATOMIC_SEQ_CST);
	else
		WANT(errno == EBUSY, "the second of two");
	if (run(shared) > 0)
		__atomic_fetch_add(&runs, 1, __ATOMIC_SEQ_CST);
	else
		WANT(errno == EPERM && !first, "a run by %s", first ? "the winner" : "a loser");
	return unused;
}

static void four_at_once(void)
{
	pthread_t t[4];

	for (int round = 0; round < 50; round++) {
		put(bye, sizeof(bye));
		shared = fresh();
		winners = runs = ready_threads = 0;
		for (int i = 0; i < 4; i++)
			pthread_create(&t[i], NULL, all_initialize, NULL);
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
		WANT(winners == 1 && runs == 1, "%d winners, %d runs", winners, runs);
		WANT(run(shared) < 0 && errno == EPERM, "when its owner is gone");
		close(shared);
	}
}

static void *runs_for_ever(void *unused)
{
	init(shared, memory);
	run(shared);
	return unused;
}

static void close_under_a_reader(int unused)
{
	pthread_t t;

	put(spin, sizeof(spin));
	shared = fresh();
	pthread_create(&t, NULL, runs_for_ever, NULL);
	usleep(200000);
	WANT(!close(shared), "close while it is read");
	memset(memory, 0xcc, PAGES * PAGE);	/* the Guest runs on until it meets this */
	pthread_join(t, NULL);
	(void)unused;
}

static void *unmaps_it(void *from)
{
	usleep(200000);
	munmap(memory + (long)from, PAGES * PAGE - (long)from);
	return NULL;
}

/* All of it goes, or all from there on. */
static void memory_goes(int from)
{
	/* forever: report to the last page of the memory */
	static const unsigned char code[] = {
		0xbf, 0, 0xf0, 0, 0, 0xb8, LHCALL_REPORT & 0xff, LHCALL_REPORT >> 8, 0, 0, 0x0f, 0x05, 0xeb, 0xf2,
	};
	struct lguest_exit end = { 0 };
	int fd = fresh();
	pthread_t t;

	put(code, sizeof(code));
	WANT(init(fd, memory), "initialize");
	pthread_create(&t, NULL, unmaps_it, (void *)(long)from);
	WANT(pread(fd, &end, sizeof(end), 0) == sizeof(end) && end.kind == LGEXIT_DEAD &&
	     (strstr(end.reason, "bad write") ||
	      (!from && strstr(end.reason, "page 0x1000 of its memory is not there"))),
	     "memory that goes from %#x on: %s", from, end.reason);
	pthread_join(t, NULL);
}

static void *replaces_it(void *unused)
{
	char *other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(other, bye, sizeof(bye));
	usleep(200000);
	WANT(mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, memory + PAGE) == memory + PAGE,
	     "mremap");
	return unused;
}

/* A Guest that loops for ever finds other code in the same place. */
static void memory_is_replaced(int unused)
{
	struct lguest_exit end = { 0 };
	int fd = fresh();
	pthread_t t;

	put(spin, sizeof(spin));
	WANT(init(fd, memory), "initialize");
	pthread_create(&t, NULL, replaces_it, NULL);
	alarm(20);
	WANT(pread(fd, &end, sizeof(end), 0) == sizeof(end) && end.kind == LGEXIT_SHUTDOWN,
	     "memory that is replaced: exit %u, %s", end.kind, end.reason);
	pthread_join(t, NULL);
	(void)unused;
}

/* What the Guest writes after it has read it is its own: not everybody's page of zeroes. */
static void zeroes_stay(int unused)
{
	static const unsigned char code[] = {
		0x8a, 0x04, 0x25, 0, 0x30, 0, 0,	/* mov 0x3000, %al */
		0xc6, 0x04, 0x25, 0, 0x30, 0, 0, 7,	/* movb $7, 0x3000 */
	};
	char *mem = mmap(NULL, 2 * PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = fresh();

	memcpy(mem + PAGE, code, sizeof(code));
	memcpy(mem + PAGE + sizeof(code), bye, sizeof(bye));
	WANT(init(fd, mem), "initialize");
	WANT(run(fd) == sizeof(struct lguest_exit), "run");
	WANT(mem[3 * PAGE] == 7, "the Launcher does not see what its Guest has written");
	WANT(!mem[PAGES * PAGE], "a page of zeroes has a %d in it", mem[PAGES * PAGE]);
	(void)unused;
}

/* --- the last one to close it is a stranger ----------------------------- */

static void keeps_it(int fd)
{
	usleep(500000);
	WANT(run(fd) < 0 && errno == EPERM, "an heir runs it");
	close(fd);
}

static void dies_first(int unused)
{
	int fd;

	put(bye, sizeof(bye));
	fd = fresh();
	WANT(init(fd, memory), "initialize");
	child(keeps_it, fd);
	(void)unused;
}

/* --- all of it, on all processors, while some come and go --------------- */

static void lives_fast(int seed)
{
	srand(seed);
	for (;;) {
		int a = fresh(), b = fresh();

		put(rand() & 1 ? bye : spin, sizeof(spin));
		init(a, memory);
		if (rand() & 1)
			init(b, memory);
		if (rand() & 1)
			close(a);
		run(b);
		close(a);
		close(b);
	}
}

static void online(int cpu, bool on)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return;
	WANT(write(fd, on ? "1" : "0", 1) == 1 || errno == EBUSY, "%s", path);
	close(fd);
}

static void crowd(int seconds)
{
	time_t end = time(NULL) + seconds;
	int kills = 0, cpu = 0;
	pid_t pid[6];

	for (int i = 0; i < 6; i++)
		pid[i] = child(lives_fast, i);
	while (time(NULL) < end) {
		int i = rand() % 6;

		usleep(rand() % 30000);
		reap(pid[i], true);
		pid[i] = child(lives_fast, rand());
		if (++kills % 8)
			continue;
		cpu = 1 + rand() % 3;
		online(cpu, false);
		usleep(50000);
		online(cpu, true);
	}
	for (int i = 0; i < 6; i++)
		reap(pid[i], true);
	printf("%d killed in %d s\n", kills, seconds);
	one_life("after the crowd");
}

int main(int argc, char **argv)
{
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	one_life("first");
	nobody_waits();
	io_workers();
	four_at_once();
	reap(child(close_under_a_reader, 0), false);
	reap(child(memory_goes, 0), false);
	reap(child(memory_goes, (PAGES - 1) * PAGE), false);
	reap(child(memory_is_replaced, 0), false);
	reap(child(zeroes_stay, 0), false);
	reap(child(dies_first, 0), false);
	usleep(1000000);
	crowd(argc > 1 ? atoi(argv[1]) : 10);
	printf("%d wrong\n", wrong);
	return !!wrong;
}
