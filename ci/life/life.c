/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can happen to a Guest, its Launcher and its descriptor between birth and
 * death, and to the machine below: see ci/checks/life.  Aboard the bench, as root.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include "../want.h"

typedef uint64_t u64;
typedef unsigned long long ull;

#define PAGE 4096ul
#define PAGES 16
#define MAX 16

extern const char looks[], looks_end[], ticks[], ticks_end[], prints[], prints_end[], asks[], asks_end[];

struct seen { u64 count, back, last; };

static char *memory[MAX];	/* of each Guest, shared with us who watch it */

static volatile struct seen *seen(int n)
{
	return (volatile struct seen *)(memory[n] + 0x2000);
}

static u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static bool init(int fd, int n)
{
	return start_guest(fd, memory[n], PAGES, PAGE);
}

static long set(int fd, u64 reg, u64 value)
{
	struct lguest_register r = { LHREQ_SETREG, reg, value };

	return write(fd, &r, sizeof(r));
}

static long strike(int fd)
{
	struct lguest_irq r = { LHREQ_IRQ, 5, LGLINE_PULSE };

	return write(fd, &r, sizeof(r));
}

static struct lguest_exit end;

static long run(int fd)
{
	return read(fd, &end, sizeof(end));
}

#define ALL	-1

static void go_to(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < 64; i++)
		if (cpu == ALL || i == cpu)
			CPU_SET(i, &set);
	WANT(!sched_setaffinity(pid, sizeof(set), &set), "sched_setaffinity to %d", cpu);
}

/* A Launcher with Guest n, pinned to a CPU or not; it reads for ever. */
#define LAUNCH(n, code, rsi, cpu) launch(n, code, code##_end - code, rsi, cpu)

static void lives(int n, u64 rsi)
{
	int fd = fresh();

	if (!init(fd, n) || set(fd, LGREG_RSI, rsi) <= 0)
		_exit(9);
	while (run(fd) == sizeof(end) && end.kind == LGEXIT_CONSOLE)
		;
	printf("WRONG: Guest %d ended: %s [%s]\n", n, end.reason, strerror(errno));
	fflush(stdout);
	_exit(9);
}

static pid_t launch(int n, const char *code, long size, u64 rsi, int cpu)
{
	pid_t pid;

	memset(memory[n], 0, PAGES * PAGE);
	memcpy(memory[n] + PAGE, code, size);
	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	go_to(0, cpu);
	lives(n, rsi);
	_exit(9);
}

static void nap(long us)
{
	usleep(us);
}

/* It goes round at least so many times more. */
static bool goes_on(int n, u64 more)
{
	u64 from = seen(n)->count;

	for (int i = 0; i < 60000; i++) {
		if (seen(n)->count >= from + more)
			return true;
		nap(1000);
	}
	WRONG("Guest %d stands still at %llu", n, (ull)from);
	return false;
}

static void reap(pid_t pid, int sig)
{
	int status;

	if (sig)
		kill(pid, sig);
	WANT(waitpid(pid, &status, 0) == pid, "waitpid");
	if (sig)
		WANT(WIFSIGNALED(status) && WTERMSIG(status) == sig, "it ends with %#x, and not of signal %d",
		     status, sig);
	else
		WANT(!status, "a child: status %#x", status);
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	err = errno;
	close(fd);
	errno = err;
	return ok;
}

/* --- whose descriptor ------------------------------------------------------- */

static int as_heir(void *fd_)	/* another task, whether with this memory or a copy of it */
{
	int fd = (intptr_t)fd_;
	struct lguest_register get = { LHREQ_GETREG, LGREG_RIP, 0 };

	WANT(run(fd) < 0 && errno == EPERM, "an heir runs it");
	WANT(set(fd, LGREG_RAX, 1) < 0 && errno == EPERM, "an heir sets a register");
	WANT(write(fd, &get, sizeof(get)) < 0 && errno == EPERM, "an heir asks for a register");
	WANT(!init(fd, 0) && errno == EBUSY, "an heir initializes again");
	WANT(strike(fd) > 0, "an heir may strike a line");
	return wrong;
}

static pid_t child(int (*f)(void *), int arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	wrong = 0;
	exit(f((void *)(intptr_t)arg) != 0);
}

static int begins_it(void *fd_)
{
	int fd = (intptr_t)fd_;

	WANT(init(fd, 0) && run(fd) == sizeof(end), "who gets it unused may begin");
	return wrong;
}

static void send_fd(int socket, int fd)
{
	char byte = 0, room[CMSG_SPACE(sizeof(int))] = "";
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	WANT(sendmsg(socket, &m, 0) == 1, "send a descriptor");
}

static int get_fd(int socket)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	int fd = -1;

	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	WANT(fd >= 0, "get a descriptor");
	return fd;
}

/* A friend gets it over a socket, and keeps it when the sender is dead. */
static void passed_on(void)
{
	int pair[2];
	pid_t sender;
	int fd;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		WRONG("socketpair");
	fflush(stdout);
	sender = fork();
	if (!sender) {
		fd = fresh();
		memset(memory[0], 0, PAGES * PAGE);
		memcpy(memory[0] + PAGE, looks, looks_end - looks);
		init(fd, 0);
		send_fd(pair[0], fd);
		run(fd);
		_exit(9);
	}
	fd = get_fd(pair[1]);
	goes_on(0, 10);
	as_heir((void *)(intptr_t)fd);
	reap(sender, SIGKILL);
	as_heir((void *)(intptr_t)fd);		/* whose task and memory are gone */
	nap(50000);
	as_heir((void *)(intptr_t)fd);
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

static volatile int *go;

static int begins_too(void *fd_)
{
	int fd = (intptr_t)fd_;
	bool got;

	__atomic_fetch_add(go, 1, __ATOMIC_SEQ_CST);
	while (*go < 2)
		sched_yield();
	got = init(fd, 0);
	WANT(got || errno == EBUSY, "the slower of two");
	if (got)
		WANT(run(fd) == sizeof(end), "the faster of two runs it");
	else
		WANT(run(fd) < 0 && errno == EPERM, "the slower of two runs it");
	return wrong ? 2 : got;
}

static void two_race(int rounds)
{
	int first = 0;

	for (int i = 0; i < rounds; i++) {
		int fd = fresh(), a, b, sa, sb;

		*go = 0;
		memset(memory[0], 0, PAGES * PAGE);
		memcpy(memory[0] + PAGE, prints, prints_end - prints);
		fflush(stdout);
		a = fork();
		if (!a)
			_exit(begins_too((void *)(intptr_t)fd));
		b = fork();
		if (!b)
			_exit(begins_too((void *)(intptr_t)fd));
		waitpid(a, &sa, 0);
		waitpid(b, &sb, 0);
		first += sa == 0x100;
		WANT(sa + sb == 0x100, "two at one descriptor: %#x and %#x", sa, sb);
		WANT(run(fd) < 0 && errno == EPERM, "nobody may run what a dead process has made");
		close(fd);
	}
	printf("two processes began one descriptor %d times; %s\n", rounds,
	       first && first < rounds ? "now one was faster, now the other" : "it was always the same one");
}

static void descriptors(char *self)
{
	char number[20], stack[65536];
	int fd = fresh(), kept;
	pid_t pid;

	memset(memory[0], 0, PAGES * PAGE);
	memcpy(memory[0] + PAGE, prints, prints_end - prints);
	reap(child(begins_it, fd), 0);			/* made before the fork, begun after it */
	WANT(!init(fd, 0) && errno == EBUSY && run(fd) < 0 && errno == EPERM, "an heir was faster");
	close(fd);

	fd = fresh();
	WANT(init(fd, 0) && run(fd) == sizeof(end), "a Guest");
	reap(child(as_heir, fd), 0);
	pid = clone(as_heir, stack + sizeof(stack), CLONE_VM | SIGCHLD, (void *)(intptr_t)fd);
	reap(pid, 0);					/* the same memory, another task */
	kept = dup(fd);
	WANT(run(kept) == sizeof(end), "another number for the same file");
	WANT(fcntl(kept, F_SETFD, 0) == 0, "keep it over exec");
	fflush(stdout);
	pid = fork();
	if (!pid) {					/* the same task, other memory */
		close(fd);
		fd = fresh();
		WANT(init(fd, 0) && run(fd) == sizeof(end), "a Guest before exec");
		dup2(fd, 100);				/* and fd itself is closed by exec */
		snprintf(number, sizeof(number), "%d", fd);
		execl(self, self, "heir", number, NULL);
		_exit(9);
	}
	reap(pid, 0);
	WANT(run(fd) == sizeof(end), "and the first one lives");
	close(fd);
	WANT(run(kept) == sizeof(end), "its first number is closed");
	close(kept);
	passed_on();
	two_race(100);
}

/* After exec: the descriptor that was marked is gone, the other of no use. */
static int heir(int closed)
{
	WANT(run(closed) < 0 && errno == EBADF, "O_CLOEXEC");
	as_heir((void *)100);
	return !!wrong;
}

/* --- death ------------------------------------------------------------------ */

static void deaths(int times)
{
	u64 at, after;
	pid_t pid;

	srand(7);
	for (int i = 0; i < times; i++) {
		switch (i % 4) {
		case 0: pid = LAUNCH(0, looks, 0, ALL); break;
		case 1: pid = LAUNCH(0, ticks, 300000, ALL); break;
		case 2: pid = LAUNCH(0, prints, 0, ALL); break;
		default: pid = LAUNCH(0, asks, 0, ALL);
		}
		nap(rand() % 8000);
		reap(pid, SIGKILL);
	}
	printf("%d Launchers killed at any moment\n", times);

	/*
	 * Killed by somebody on its own CPU: the Guest does not run again.  The
	 * memory is shared, so we see it if it does.
	 */
	for (int i = 0; i < 20; i++) {
		go_to(0, 0);
		pid = i & 1 ? LAUNCH(0, asks, 0, 0) : LAUNCH(0, looks, 0, 0);
		goes_on(0, 5);
		nap(rand() % 3000);
		kill(pid, SIGKILL);
		at = seen(0)->count;
		reap(pid, SIGKILL);
		after = seen(0)->count;
		WANT(at == after, "it went round %llu times more after it was killed", (ull)(after - at));
	}
	go_to(0, ALL);
	printf("20 killed from their own processor, and the Guest did nothing more\n");

	pid = LAUNCH(0, looks, 0, ALL);
	for (int i = 0; i < 20; i++) {
		int status;

		goes_on(0, 5);
		kill(pid, SIGSTOP);
		WANT(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status), "it stops");
		at = seen(0)->count;
		nap(20000);
		WANT(at == seen(0)->count, "a stopped Launcher's Guest goes on");
		kill(pid, SIGCONT);
	}
	goes_on(0, 5);
	WANT(!seen(0)->back, "its clock went back");
	reap(pid, SIGTERM);
	printf("20 stopped and continued\n");
}

static void no_memory(void)
{
	pid_t pid = LAUNCH(0, looks, 0, ALL), other = LAUNCH(1, ticks, 1000000, ALL);
	char path[64];
	int status;

	goes_on(0, 5);
	goes_on(1, 5);
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	WANT(put(path, "1000"), "oom_score_adj");
	WANT(put("/proc/sysrq-trigger", "f"), "sysrq");
	WANT(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	     "the kernel killed somebody else");
	goes_on(1, 5);
	reap(other, SIGKILL);
	printf("killed for lack of memory; the other one went on\n");
}

/* --- processors --------------------------------------------------------------- */

static bool power(int cpu, bool on)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	for (int i = 0; i < 100; i++) {
		if (put(path, on ? "1" : "0"))
			return true;
		if (errno != EBUSY)
			break;
		nap(20000);
	}
	return false;
}

static void all_well(const char *when, int guests, pid_t *pid)
{
	for (int i = 0; i < guests; i++) {
		u64 said;

		if (!goes_on(i, 3)) {
			printf("... %s\n", when);
			continue;
		}
		said = seen(i)->last;
		WANT(said <= now(), "%s: Guest %d's clock is %lld us ahead", when, i, (long long)(said - now()) / 1000);
		WANT(!seen(i)->back, "%s: Guest %d's clock went back %llu times", when, i, (ull)seen(i)->back);
		WANT(waitpid(pid[i], NULL, WNOHANG) == 0, "%s: Launcher %d is gone", when, i);
	}
}

/* Some run, some tick; on CPU 1 and anywhere. */
static int crowd(pid_t *pid)
{
	pid[0] = LAUNCH(0, looks, 0, 1);
	pid[1] = LAUNCH(1, ticks, 2000000, 1);
	pid[2] = LAUNCH(2, looks, 0, ALL);
	pid[3] = LAUNCH(3, ticks, 3000000, ALL);
	pid[4] = LAUNCH(4, asks, 0, 1);
	for (int i = 0; i < 5; i++)
		goes_on(i, 2);
	return 4;		/* the last one has no clock */
}

static void come_and_go(int times)
{
	pid_t pid[MAX];
	int n;

	/* Processors that have never been there before, and the module is. */
	for (int cpu = 1; cpu < 4; cpu++) {
		WANT(power(cpu, true), "processor %d comes", cpu);
		pid[0] = LAUNCH(0, looks, 0, cpu);
		pid[1] = LAUNCH(1, ticks, 1000000, cpu);
		all_well("on a late processor", 2, pid);
		reap(pid[0], SIGKILL);
		reap(pid[1], SIGKILL);
	}
	n = crowd(pid);
	for (int i = 0; i < times; i++) {
		int cpu = 1 + i % 3;

		WANT(power(cpu, false), "processor %d goes", cpu);
		all_well("without a processor", n, pid);
		WANT(power(cpu, true), "processor %d comes back", cpu);
		all_well("when it is back", n, pid);
		if (cpu != 1)
			continue;
		/* Linux has moved those that were bound to it; bind them again. */
		for (int k = 0; k < 5; k += k == 1 ? 3 : 1)
			go_to(pid[k], 1);
	}
	for (int i = 0; i < 5; i++)
		reap(pid[i], SIGKILL);
	printf("%d times a processor went and came, under Guests that were bound to it and others\n", times);
}

static void storm(int times)
{
	pid_t pid[MAX];
	int n = crowd(pid), cpus = sysconf(_SC_NPROCESSORS_ONLN);
	u64 before[5];

	for (int i = 0; i < 5; i++)
		before[i] = seen(i)->count;
	for (int i = 0; i < times; i++) {
		go_to(pid[i % 5], i * 7 / 5 % cpus);
	}
	all_well("in a storm", n, pid);
	for (int i = 0; i < 5; i++) {
		goes_on(i, 1);			/* the fifth may not have had its turn yet */
		WANT(seen(i)->count > before[i], "Guest %d has not moved", i);
		reap(pid[i], SIGKILL);
	}
	printf("%d times sent to another processor\n", times);
}

/* --- sleep ------------------------------------------------------------------ */

static void sleeps(void)
{
	static const char *const depth[] = { "freezer", "devices", "platform", "processors", "core" };
	pid_t pid[MAX];
	int n;

	for (int cpu = 1; cpu < 4; cpu++)
		power(cpu, true);
	n = crowd(pid);
	put("/sys/module/suspend/parameters/pm_test_delay", "1");
	for (int i = 0; i < 5; i++) {
		if (!put("/sys/power/pm_test", depth[i]))
			continue;	/* this kernel has no such test */
		for (int k = 0; k < (i ? 1 : 3); k++)
			WANT(put("/sys/power/state", "mem"), "suspend, as far as %s", depth[i]);
		all_well(depth[i], n, pid);
		printf("asleep as far as %s\n", depth[i]);
	}
	put("/sys/power/pm_test", "none");
	for (int i = 0; i < 2; i++) {	/* not light: QEMU's alarm does not end that */
		u64 before[4], mono = now();

		for (int k = 0; k < n; k++)
			before[k] = seen(k)->last;
		put("/sys/class/rtc/rtc0/wakealarm", "0");
		WANT(put("/sys/class/rtc/rtc0/wakealarm", "+3"), "an alarm");
		WANT(put("/sys/power/state", "mem"), "sleep");
		all_well("after a sleep", n, pid);
		for (int k = 0; k < n; k++)
			WANT(seen(k)->last - before[k] < now() - mono + 1000000000,
			     "Guest %d believes that it slept", k);
		printf("asleep, until the alarm\n");
	}
	for (int i = 0; i < 5; i++)
		reap(pid[i], SIGKILL);
}

/* The owner of the Host lets its clock go slower by a tenth. */
static void slow_clock(void)
{
	struct timex t = { .modes = ADJ_TICK, .tick = 9000 };
	pid_t pid[1] = { LAUNCH(0, looks, 0, ALL) };

	goes_on(0, 2);
	WANT(adjtimex(&t) >= 0, "a slow clock");
	for (int i = 0; i < 50; i++)
		goes_on(0, 200);
	WANT(!seen(0)->back, "slow: its clock went back %llu times", (ull)seen(0)->back);
	t.tick = 10000;
	adjtimex(&t);
	reap(pid[0], SIGKILL);
	printf("the Host's clock went slow, and the Guest's not back\n");
}

int main(int argc, char **argv)
{
	go = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < MAX; i++)
		memory[i] = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && !strcmp(argv[1], "heir"))
		return heir(atoi(argv[2]));
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "descriptors"))
			descriptors(argv[0]);
		else if (!strcmp(argv[i], "deaths"))
			deaths(200);
		else if (!strcmp(argv[i], "memory"))
			no_memory();
		else if (!strcmp(argv[i], "processors"))
			come_and_go(30);
		else if (!strcmp(argv[i], "storm"))
			storm(2000);
		else if (!strcmp(argv[i], "sleep"))
			sleeps();
		else if (!strcmp(argv[i], "slow"))
			slow_clock();
		else
			WRONG("no such chapter of life: %s", argv[i]);
	}
	return !!wrong;
}
