// SPDX-License-Identifier: GPL-2.0-only
/*
 * Make every mistake with /dev/lguest that the agreement knows, and compare
 * errnos.  Runs aboard the bench, as root; one line for each mismatch.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../kmod/lguest.h"

#define PAGE 4096
#define PAGES 16

static int tries, wrong;
static char *memory;		/* PAGES, for Guests */
static char *gone;		/* an address with nothing there */

static const char *name(int error)
{
	return error ? strerrorname_np(error) : "success";
}

/* Compare what a call gave with what it must give: -errno, or a count. */
__attribute__((format(printf, 3, 4)))
static void want(long must, long got, const char *fmt, ...)
{
	va_list args;

	tries++;
	if (got < 0)
		got = -errno;
	if (got == must)
		return;
	wrong++;
	printf("WRONG: ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(": got %ld (%s), must be %ld (%s)\n", got, got < 0 ? name(-got) : "", must,
	       must < 0 ? name(-must) : "");
	fflush(stdout);
}

static int fresh(void)
{
	int fd = open("/dev/lguest", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		perror("/dev/lguest");
		exit(2);
	}
	return fd;
}

static long say_version(int fd, uint64_t version)
{
	struct lguest_version v = { LHREQ_VERSION, version };

	return pwrite(fd, &v, sizeof(v), 0);
}

static struct lguest_initialize good_init(void)
{
	return (struct lguest_initialize){ LHREQ_INITIALIZE, (uintptr_t)memory, PAGES, 0x1000 };
}

static long say_init(int fd, struct lguest_initialize init)
{
	return pwrite(fd, &init, sizeof(init), 0);
}

static long say_reg(int fd, uint64_t req, uint64_t reg, uint64_t value)
{
	struct lguest_register r = { req, reg, value };

	return pwrite(fd, &r, sizeof(r), 0);
}

static long run(int fd)
{
	struct lguest_exit end;

	return pread(fd, &end, sizeof(end), 0);
}

/* A Guest that shuts down at once with the status in RSI. */
static void put_guest(void)
{
	static const unsigned char code[] = {
		0x48, 0x89, 0xf7,			/* mov %rsi, %rdi */
		0xb8, LHCALL_SHUTDOWN & 0xff, LHCALL_SHUTDOWN >> 8, 0, 0,		/* mov $.., %eax */
		0x0f, 0x05, 0x0f, 0x0b,			/* syscall; ud2 */
	};

	memset(memory, 0, PAGES * PAGE);
	memcpy(memory + 0x1000, code, sizeof(code));
}

static int ready(void)
{
	int fd = fresh();

	put_guest();
	want(sizeof(struct lguest_version), say_version(fd, LGUEST_VERSION), "version");
	want(sizeof(struct lguest_initialize), say_init(fd, good_init()), "initialize");
	return fd;
}

static const size_t size_of[] = {
	0, sizeof(struct lguest_version), sizeof(struct lguest_initialize),
	sizeof(struct lguest_register), sizeof(struct lguest_register),
	sizeof(struct lguest_irq),
};

static void sizes(void)
{
	uint64_t buffer[32] = { 0 };
	int fd = ready();

	for (uint64_t req = 0; req < 8; req++)
		for (size_t size = 0; size <= 64; size++) {
			if (req >= 1 && req <= LHREQ_IRQ && size == size_of[req])
				continue;
			buffer[0] = req;
			if (size)
				want(-EINVAL, pwrite(fd, buffer, size, 0),
				     "request %ju of %zu bytes", (uintmax_t)req, size);
		}
	for (int bit = 3; bit < 64; bit++) {
		buffer[0] = 1ULL << bit;
		want(-EINVAL, pwrite(fd, buffer, 24, 0), "request 1<<%d", bit);
	}
	for (size_t size = 1; size < sizeof(struct lguest_exit); size++)
		want(-EINVAL, pread(fd, buffer, size, 0), "read of %zu bytes", size);
	want(sizeof(struct lguest_exit), run(fd), "a run after all that");
	close(fd);
}

static void rung(int number)
{
	(void)number;
}

static void pointers(void)
{
	char *edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct lguest_initialize init;
	void *bad[] = { NULL, gone, (void *)8, (void *)0x7ffffffff000,
			(void *)0xffff800000000000, (void *)0xffffffff81000000, (void *)-8 };
	int fd = ready();

	munmap(edge + PAGE, PAGE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		for (int req = 1; req <= LHREQ_IRQ; req++)
			want(-EFAULT, pwrite(fd, bad[i], size_of[req], 0), "request of %zu from %p",
			     size_of[req], bad[i]);
		want(-EFAULT, pread(fd, bad[i], sizeof(struct lguest_exit), 0), "run into %p", bad[i]);
	}
	for (uint64_t req = 1; req <= LHREQ_IRQ; req++) {	/* the number is there, the rest is not */
		memcpy(edge + PAGE - 8, &req, 8);
		want(-EFAULT, pwrite(fd, edge + PAGE - 8, size_of[req], 0), "request %ju cut by the end",
		     (uintmax_t)req);
	}
	close(fd);

	fd = fresh();
	say_version(fd, LGUEST_VERSION);
	init = good_init();
	for (size_t i = 3; i < sizeof(bad) / sizeof(*bad) - 1; i++) {
		init.mem_base = (uintptr_t)bad[i] & ~(PAGE - 1ULL);
		want(-EFAULT, say_init(fd, init), "memory at %p", bad[i]);
	}
	for (uint64_t pages = 1; pages < PAGES; pages++) {
		init.mem_base = 0x7ffffffff000 - pages * PAGE;
		want(-EFAULT, say_init(fd, init), "memory that leaves the process after %ju pages",
		     (uintmax_t)pages);
	}
	init = good_init();
	for (int i = 1; i < PAGE; i = i * 2 + 1) {
		init.mem_base = (uintptr_t)memory + i;
		want(-EINVAL, say_init(fd, init), "memory at an odd place");
	}
	init = good_init();
	init.pfn_limit = 0;
	want(-EINVAL, say_init(fd, init), "no memory");
	init.pfn_limit = LGUEST_MAX_PAGES + 1;
	want(-EINVAL, say_init(fd, init), "too much memory");
	init.pfn_limit = 1ULL << 52;
	want(-EINVAL, say_init(fd, init), "2^52 pages");
	init.pfn_limit = (1ULL << 52) + PAGES;
	want(-EINVAL, say_init(fd, init), "2^52 + 16 pages");
	init.pfn_limit = -1;
	want(-EINVAL, say_init(fd, init), "2^64 - 1 pages");
	want(sizeof(init), say_init(fd, good_init()), "initialize after ten refusals");
	put_guest();
	want(sizeof(struct lguest_exit), run(fd), "and a run");
	close(fd);
}

/* Initialise with that memory, run: it dies, and the reason says where. */
static void dies_at(void *base, uint64_t page, const char *what)
{
	struct lguest_initialize init = good_init();
	struct lguest_exit end = { 0 };
	char reason[LGUEST_REASON_LEN];
	int fd = fresh();

	say_version(fd, LGUEST_VERSION);
	init.mem_base = (uintptr_t)base;
	want(sizeof(init), say_init(fd, init), "initialize with %s", what);
	want(sizeof(end), pread(fd, &end, sizeof(end), 0), "run with %s", what);
	snprintf(reason, sizeof(reason), "page %#jx of its memory is not there", (uintmax_t)page);
	if (end.kind != LGEXIT_DEAD || strcmp(end.reason, reason)) {
		printf("WRONG: %s: exit %u, \"%.96s\"\n", what, end.kind, end.reason);
		wrong++;
	}
	want(-ENOENT, run(fd), "run it again");
	close(fd);
}

/* Nobody looks for the memory before the Guest touches it. */
static void memory_not_there(void)
{
	static const unsigned char writes[] = {
		0xc6, 0x04, 0x25, 0, 0x20, 0, 0, 1,	/* movb $1, 0x2000 */
		0x0f, 0x0b,				/* ud2 */
	};
	char *own = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(own + PAGE, writes, sizeof(writes));
	mprotect(own, PAGES * PAGE, PROT_READ);
	dies_at(own, 0x2000, "memory that is read-only");
	mprotect(own + 2 * PAGE, PAGE, PROT_NONE);
	dies_at(own, 0x2000, "memory that nobody may touch");
	munmap(own + 2 * PAGE, PAGE);
	dies_at(own, 0x2000, "memory with a hole");
	mprotect(own + PAGE, PAGE, PROT_NONE);
	dies_at(own, 0x1000, "a first page that nobody may touch");
	munmap(own, PAGES * PAGE);
	dies_at(own, 0x1000, "memory that is not there");
}

/* The first Guest of an address space, and a timer that rings all the while. */
static void signals(void)
{
	struct sigaction ring = { .sa_handler = rung, .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 150 }, { 0, 150 } };
	int status;

	for (int i = 0; i < 60; i++) {
		if (!fork()) {
			int fd = fresh();

			say_version(fd, LGUEST_VERSION);
			sigaction(SIGALRM, &ring, NULL);
			setitimer(ITIMER_REAL, &often, NULL);
			_exit(say_init(fd, good_init()) != sizeof(struct lguest_initialize));
		}
		wait(&status);
		want(0, status, "initialize while signals come");
	}
}

static void vcpus(void)
{
	static const off_t other[] = { 1, 2, 8, 4095, 4096, 1L << 32, 0x7fffffffffffffff - PAGE };
	struct lguest_version v = { LHREQ_VERSION, LGUEST_VERSION };
	struct lguest_exit end;
	int fd = ready();

	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++) {
		want(-ENXIO, pwrite(fd, &v, sizeof(v), other[i]), "write to vCPU %jd", (intmax_t)other[i]);
		want(-ENXIO, pread(fd, &end, sizeof(end), other[i]), "read from vCPU %jd", (intmax_t)other[i]);
	}
	close(fd);
}

static void orders(void)
{
	int fd = fresh();

	want(-EPROTO, run(fd), "run first");
	want(-EPROTO, say_init(fd, good_init()), "initialize first");
	want(-EPROTO, say_reg(fd, LHREQ_GETREG, 0, 0), "get a register first");
	want(-EPROTO, say_reg(fd, LHREQ_SETREG, 0, 0), "set a register first");
	want(-EPROTO, say_reg(fd, LHREQ_IRQ, 0, LGLINE_PULSE), "strike a line first");
	want(-EPROTONOSUPPORT, say_version(fd, 0), "edition 0");
	want(-EPROTONOSUPPORT, say_version(fd, LGUEST_VERSION + 1), "the next edition");
	want(-EPROTONOSUPPORT, say_version(fd, -1ULL), "edition 2^64 - 1");
	want(-EPROTONOSUPPORT, say_version(fd, 1ULL << 32 | LGUEST_VERSION), "edition 2^32 + ours");
	want(-EPROTO, say_init(fd, good_init()), "initialize after a wrong edition");
	want(sizeof(struct lguest_version), say_version(fd, LGUEST_VERSION), "the right edition");
	want(-EPROTO, run(fd), "run before initialize");
	want(-EPROTO, say_reg(fd, LHREQ_GETREG, 0, 0), "get a register before initialize");
	want(-EPROTO, say_reg(fd, LHREQ_SETREG, 0, 0), "set a register before initialize");
	want(-EPROTO, say_reg(fd, LHREQ_IRQ, 0, LGLINE_PULSE), "strike a line before initialize");
	want(sizeof(struct lguest_initialize), say_init(fd, good_init()), "initialize");
	want(-EBUSY, say_init(fd, good_init()), "initialize twice");
	want(sizeof(struct lguest_exit), run(fd), "run");
	want(-ENOENT, run(fd), "run a dead Guest");
	want(-ENOENT, run(fd), "run it again");
	want(-ENOENT, say_reg(fd, LHREQ_SETREG, LGREG_RAX, 1), "set a register of the dead");
	want(-EBUSY, say_init(fd, good_init()), "initialize the dead");
	want(24, say_reg(fd, LHREQ_IRQ, 0, LGLINE_PULSE), "strike a line of the dead");
	want(sizeof(struct lguest_register), say_reg(fd, LHREQ_GETREG, LGREG_RIP, 0), "ask the dead");
	want(8, run(fd), "and hear the answer");
	want(-ENOENT, run(fd), "and run it once more");
	close(fd);
}

static void registers(void)
{
	uint64_t value, bad[] = { LGREG_COUNT, LGREG_COUNT + 1, 64, 1ULL << 32, -1ULL, 1ULL << 63 };
	struct lguest_exit end;
	int fd = ready();

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		want(-EINVAL, say_reg(fd, LHREQ_GETREG, bad[i], 0), "get register %#jx", (uintmax_t)bad[i]);
		want(-EINVAL, say_reg(fd, LHREQ_SETREG, bad[i], 0), "set register %#jx", (uintmax_t)bad[i]);
	}
	for (int reg = 0; reg <= LGREG_R15; reg++) {
		uint64_t pattern = 0x0123456789abcdef * (reg + 1);

		want(24, say_reg(fd, LHREQ_SETREG, reg, pattern), "set register %d", reg);
		want(24, say_reg(fd, LHREQ_GETREG, reg, 0), "get register %d", reg);
		want(8, pread(fd, &end, sizeof(end), 0), "read register %d", reg);
		memcpy(&value, &end, 8);
		want(1, value == pattern, "register %d keeps %#jx", reg, (uintmax_t)pattern);
	}
	say_reg(fd, LHREQ_SETREG, LGREG_RSI, 77);
	want(sizeof(end), pread(fd, &end, sizeof(end), 0), "run");
	want(1, end.kind == LGEXIT_SHUTDOWN && end.arg[0] == 77, "shut down with 77");
	close(fd);
}

/* A port of the Guest's kernel: told with nothing moved, as often as it is asked. */
static void ports(void)
{
	static const unsigned char code[] = { 0x66, 0xe7, 0x64, 0x66, 0xf3, 0x6d, 0x90 };
	struct lguest_exit end;
	int fd = ready();

	memcpy(memory + 0x1000, code, sizeof(code));
	for (int i = 0; i < 3; i++) {
		want(sizeof(end), pread(fd, &end, sizeof(end), 0), "run to a port");
		want(1, end.kind == LGEXIT_PORT && end.arg[0] == 0x64 && end.arg[1] == (2 | LGPORT_OUT) &&
		     end.rip == 0x1000 && end.vector == LGUEST_NO_VECTOR && !end.error && !end.cr2, "OUT, time %d", i);
		want(1, end.insn_len == 3 && !memcmp(end.insn, code, 3) && !end.insn[3], "only OUT, time %d", i);
	}
	say_reg(fd, LHREQ_SETREG, LGREG_RDX, 0x12345);
	say_reg(fd, LHREQ_SETREG, LGREG_RIP, end.rip + end.insn_len);
	want(sizeof(end), pread(fd, &end, sizeof(end), 0), "run to the next");
	want(1, end.kind == LGEXIT_PORT && end.arg[0] == 0x2345 && end.arg[1] == (2 | LGPORT_STRING | LGPORT_REP) &&
	     end.rip == 0x1003 && end.insn_len == 3, "REP INS");
	put_guest();
	say_reg(fd, LHREQ_SETREG, LGREG_RIP, 0x1000);
	say_reg(fd, LHREQ_SETREG, LGREG_RSI, 77);
	want(sizeof(end), pread(fd, &end, sizeof(end), 0), "run to the end");
	want(1, end.kind == LGEXIT_SHUTDOWN && end.arg[0] == 77 && !end.insn_len && !end.rip, "and nothing is left");
	close(fd);
}

/* Whatever is set, the Host lives and the Guest dies or ends. */
static void lines(void)
{
	uint64_t bad[] = { LGUEST_LINES, LGUEST_LINES + 1, 255, 1ULL << 32, 1ULL << 32 | 1, 1ULL << 63, -1ULL };
	int fd = ready();

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		want(-EINVAL, say_reg(fd, LHREQ_IRQ, bad[i], LGLINE_PULSE), "line %#jx", (uintmax_t)bad[i]);
		want(-EINVAL, say_reg(fd, LHREQ_IRQ, 1, bad[i]), "state %#jx", (uintmax_t)bad[i]);
	}
	want(-EINVAL, say_reg(fd, LHREQ_IRQ, 1, LGLINE_COUNT), "state %d", LGLINE_COUNT);
	for (int line = 0; line < LGUEST_LINES; line++)
		for (int state = 0; state < LGLINE_COUNT; state++)
			want(24, say_reg(fd, LHREQ_IRQ, line, state), "line %d, state %d", line, state);
	want(sizeof(struct lguest_exit), run(fd), "run a Guest that wants no interrupts");
	close(fd);
}

static void nonsense(void)
{
	static const uint64_t values[] = {
		0, 1, 2, 3, 0x10, 0x13, 0x18, 0x20, 0x23, 0x28, 0x2b, 0x30, 0x33, 0x40, 0x43, 7, 0xf,
		0xffff, 0x202, 0x3202, 0x20202, 0x4302, 0x7fffffffffff, 0x800000000000, 0x1000,
		0x100001000, 0xffff7fffffffffff, 0xffff800000000000, 0xffff800000200000,
		0xffff800040000000, 0xffffffff81000000, 1ULL << 63, -1ULL,
	};
	struct lguest_exit end;

	for (int reg = LGREG_RIP; reg < LGREG_COUNT; reg++)
		for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
			int fd = ready();
			long got = say_reg(fd, LHREQ_SETREG, reg, values[i]);

			want(1, got == 24 || (got < 0 && errno == EINVAL), "set register %d to %#jx",
			     reg, (uintmax_t)values[i]);
			got = pread(fd, &end, sizeof(end), 0);
			want(sizeof(end), got, "run with register %d at %#jx", reg, (uintmax_t)values[i]);
			close(fd);
		}
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		for (size_t j = 0; j < sizeof(values) / sizeof(*values); j++) {
			int fd = ready();

			say_reg(fd, LHREQ_SETREG, LGREG_CS, values[i]);
			say_reg(fd, LHREQ_SETREG, LGREG_SS, values[j]);
			say_reg(fd, LHREQ_SETREG, LGREG_RIP, values[j]);
			want(sizeof(end), run(fd), "run with CS %#jx, SS and RIP %#jx",
			     (uintmax_t)values[i], (uintmax_t)values[j]);
			close(fd);
		}
}

static void must_be_refused(int fd, const char *who)
{
	want(-EPERM, run(fd), "run by %s", who);
	want(-EPERM, say_reg(fd, LHREQ_GETREG, 0, 0), "get a register by %s", who);
	want(-EPERM, say_reg(fd, LHREQ_SETREG, 0, 0), "set a register by %s", who);
	want(24, say_reg(fd, LHREQ_IRQ, 7, LGLINE_PULSE), "strike a line by %s", who);
}

static void *other_thread(void *fd)
{
	must_be_refused(*(int *)fd, "another thread");
	return NULL;
}

static void in_child(void (*what)(int), int arg)
{
	int status, before = wrong;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		what(arg);
		_exit(wrong - before > 100 ? 100 : wrong - before);
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status)) {
		printf("WRONG: a child died of signal %d\n", WTERMSIG(status));
		wrong++;
	} else {
		wrong += WEXITSTATUS(status);
	}
	tries += 3;
}

static void child_uses(int fd)
{
	must_be_refused(fd, "a child");
}

static void child_receives(int sock)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int))]; } control;
	char byte;
	struct iovec io = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(sock, &msg, 0) != 1)
		_exit(99);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	must_be_refused(fd, "a stranger who got it by a socket");
}

static void send_fd(int sock, int fd)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int))]; } control = { 0 };
	struct iovec io = { "x", 1 };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	control.h = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.h), &fd, sizeof(fd));
	if (sendmsg(sock, &msg, 0) != 1)
		perror("sendmsg");
}

static void child_execs(int fd)
{
	char number[16];

	/* The same task, a new address space: initialised here, used over there. */
	say_version(fd, LGUEST_VERSION);
	want(sizeof(struct lguest_initialize), say_init(fd, good_init()), "initialize in a child");
	fcntl(fd, F_SETFD, 0);
	snprintf(number, sizeof(number), "%d", fd);
	execl("/proc/self/exe", "errno", "--inherited", number, NULL);
	_exit(98);
}

static void tasks(void)
{
	int fd = ready(), pair[2];
	pthread_t thread;

	pthread_create(&thread, NULL, other_thread, &fd);
	pthread_join(thread, NULL);
	in_child(child_uses, fd);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	send_fd(pair[0], fd);
	in_child(child_receives, pair[1]);
	want(sizeof(struct lguest_exit), run(fd), "its owner still runs it");
	close(fd);
	fd = fresh();
	in_child(child_execs, fd);
	want(-EPERM, run(fd), "run by the parent of who initialised it");
	close(fd);
}

/* Nothing is locked, so the limit of what may be does not matter. */
static void as_nobody(int unused)
{
	struct rlimit none = { 0, 0 };
	int first, second;

	setrlimit(RLIMIT_MEMLOCK, &none);
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		_exit(97);
	first = ready();
	second = ready();
	want(sizeof(struct lguest_exit), run(first), "run where nothing may be locked");
	want(sizeof(struct lguest_exit), run(second), "run a second one in the same memory");
	(void)unused;
}

static void limits(void)
{
	chmod("/dev/lguest", 0666);
	in_child(as_nobody, 0);
	chmod("/dev/lguest", 0600);
}

static void mode(void)
{
	struct stat st;

	want(0, stat("/dev/lguest", &st), "stat");
	want(0600, st.st_mode & 07777, "the mode of /dev/lguest");
}

int main(int argc, char **argv)
{
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	gone = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(gone, PAGE);
	if (argc == 3 && !strcmp(argv[1], "--inherited")) {
		must_be_refused(atoi(argv[2]), "the same task after exec");
		return wrong > 100 ? 100 : wrong;
	}
	mode();
	sizes();
	pointers();
	memory_not_there();
	signals();
	vcpus();
	orders();
	registers();
	ports();
	lines();
	nonsense();
	tasks();
	limits();
	printf("%d tries, %d wrong\n", tries, wrong);
	return !!wrong;
}
