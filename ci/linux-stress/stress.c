// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs do to a kernel all day, and what only tests do.  Each line that is
 * printed must be the same on the Host and in a Guest: see ci/checks/linux-stress.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static unsigned long seed = 12345;

static unsigned int draw(unsigned int n)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (seed >> 33) % n;
}

static char *map(size_t size, int flags)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		printf("WRONG: no memory for %zu bytes\n", size);
		exit(1);
	}
	return p;
}

static int reap(pid_t pid)
{
	int status = -1;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* --- registers across switches ------------------------------------------------ */

static int sum(int k)
{
	double x = k, y = 0;

	for (long i = 0; i < 400000; i++) {
		x = x * 1.0000001 + 0.5;
		y += x / (i + 1);
		if (x > 1e6)
			x = k;
		if (i % 5000 == 0)
			sched_yield();
	}
	return (long)(y * 1000) & 0xff;
}

static int vector(int k)
{
	unsigned char in[32], out[32];

	for (int turn = 0; turn < 300; turn++) {
		memset(in, k * 50 + turn, sizeof(in));
		in[31] = k;
		asm volatile("vmovdqu %0, %%ymm7" : : "m" (in));
		syscall(SYS_sched_yield);
		asm volatile("vmovdqu %%ymm7, %0" : "=m" (out));
		if (memcmp(in, out, sizeof(in)))
			return 1;
	}
	return 0;
}

/* GS is nobody's in a program, so a kernel that forgets it is not noticed; unless one looks. */
static int base(int k)
{
	unsigned long area[2] = { k, ~k }, seen;

	if (syscall(SYS_arch_prctl, ARCH_SET_GS, area))
		return 1;
	for (int turn = 0; turn < 300; turn++) {
		syscall(SYS_sched_yield);
		asm volatile("mov %%gs:8, %0" : "=r" (seen));
		if (seen != area[1])
			return 1;
	}
	return 0;
}

/* A segment of its own, which 32-bit programs have for their threads: 243 is set_thread_area there. */
static int segment(int k)
{
	struct user_desc *desc = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	unsigned int *area = (unsigned int *)(desc + 1), result, seen, limit = 0;

	area[1] = k * 1000;
	*desc = (struct user_desc) { .entry_number = -1, .base_addr = (unsigned long)area, .limit = 0xfff,
				     .seg_32bit = 1, .useable = 1 };
	asm volatile("int $0x80" : "=a" (result) : "a" (243), "b" (desc) : "memory", "r8", "r9", "r10", "r11");
	if (result)
		return 1;
	asm volatile("mov %0, %%gs; mov %0, %%es" : : "r" (desc->entry_number * 8 + 3));
	syscall(SYS_getppid);			/* before anybody else has run */
	for (int turn = 0; turn < 300; turn++) {
		asm volatile("mov %%gs:4, %0" : "=r" (seen));
		if (seen != area[1]++)
			return 2;
		if (k > 2)				/* and some that sleep, after others without any */
			usleep(100);
		syscall(SYS_sched_yield);
		asm volatile("mov %%es, %0" : "=r" (seen));
		if (seen != desc->entry_number * 8 + 3)
			return 4;
	}
	asm volatile("lsl %1, %0" : "+r" (limit) : "r" (desc->entry_number * 8 + 3));
	return limit == 0xfff ? 0 : 3;
}

/* Four at a time, and how many of them end as they must. */
static int of_four(int (*run)(int), const int *want)
{
	pid_t pid[4];
	int good = 0;

	for (int k = 0; k < 4; k++)
		if (!(pid[k] = fork()))
			_exit(run(k + 1));
	for (int k = 0; k < 4; k++)
		good += reap(pid[k]) == want[k];
	return good;
}

static void registers(void)
{
	static const int well[4];
	int sums[4];

	for (int k = 0; k < 4; k++)
		sums[k] = sum(k + 1);
	printf("registers: %d of 4 sums are the same\n", of_four(sum, sums));
	printf("registers: %d of 4 kept their base\n", of_four(base, well));
	printf("registers: %d of 4 kept their segment\n", of_four(segment, well));
	if (__builtin_cpu_supports("avx"))
		printf("registers: %d of 4 kept their vectors\n", of_four(vector, well));
}

/* --- memory --------------------------------------------------------------------- */

static void copies(void)
{
	char *m = map(1024 * PAGE, MAP_PRIVATE);
	int bad = 0;

	for (int i = 0; i < 1024; i++)
		m[i * PAGE] = i;
	for (int turn = 0; turn < 10; turn++) {
		pid_t pid = fork();

		if (!pid) {
			for (int i = 0; i < 1024; i++) {
				if (m[i * PAGE] != (char)i)
					_exit(1);
				m[i * PAGE] = ~i;
			}
			_exit(0);
		}
		for (int i = 0; i < 1024; i += 3)
			m[i * PAGE + 1] = turn;
		bad += !!reap(pid);
		for (int i = 0; i < 1024; i++)
			bad += m[i * PAGE] != (char)i;
	}
	munmap(m, 1024 * PAGE);
	printf("copies: ten times 4 MiB on write, %d wrong\n", bad);
}

/* Pieces of memory that come, go, move and change their rights; each knows what is in it. */
#define PIECES 24

static void pieces(void)
{
	struct { unsigned char *at; unsigned int pages, mark; } piece[PIECES] = { 0 };
	long bad = 0;

	for (int step = 0; step < 1500; step++) {
		int n = draw(PIECES);

		if (!piece[n].at) {
			piece[n].pages = 1 + draw(40);
			piece[n].mark = draw(200);
			piece[n].at = (void *)map(piece[n].pages * PAGE, MAP_PRIVATE);
			for (unsigned int i = 0; i < piece[n].pages; i++)
				piece[n].at[i * PAGE + i] = piece[n].mark + i;
			continue;
		}
		for (unsigned int i = 0; i < piece[n].pages; i++)
			bad += piece[n].at[i * PAGE + i] != (unsigned char)(piece[n].mark + i);
		switch (draw(4)) {
		case 0:
			munmap(piece[n].at, piece[n].pages * PAGE);
			piece[n].at = NULL;
			break;
		case 1:
			piece[n].at = mremap(piece[n].at, piece[n].pages * PAGE,
					     (piece[n].pages + 8) * PAGE, MREMAP_MAYMOVE);
			for (int i = 0; i < 8; i++, piece[n].pages++)
				piece[n].at[piece[n].pages * (PAGE + 1)] = piece[n].mark + piece[n].pages;
			if (piece[n].pages > 200) {
				munmap(piece[n].at, piece[n].pages * PAGE);
				piece[n].at = NULL;
			}
			break;
		case 2:
			mprotect(piece[n].at, piece[n].pages * PAGE, PROT_READ);
			mprotect(piece[n].at, piece[n].pages * PAGE, PROT_READ | PROT_WRITE);
			break;
		case 3:
			madvise(piece[n].at, piece[n].pages * PAGE, MADV_DONTNEED);
			for (unsigned int i = 0; i < piece[n].pages; i++) {
				bad += piece[n].at[i * PAGE + i] != 0;
				piece[n].at[i * PAGE + i] = piece[n].mark + i;
			}
			break;
		}
	}
	printf("pieces: 1500 steps, %ld wrong\n", bad);
}

/* --- faults ----------------------------------------------------------------------- */

static sigjmp_buf back;
static volatile int signals, last, code;

static void caught(int sig, siginfo_t *info, void *context)
{
	(void)context;
	signals++;
	last = sig;
	code = info->si_code;
	siglongjmp(back, 1);
}

#define TRY(what, ...) do {						\
	last = 0;							\
	code = 0;							\
	if (!sigsetjmp(back, 1)) {					\
		__VA_ARGS__;						\
	}								\
	printf("fault: %s: signal %d, code %d\n", what, last, code);	\
} while (0)

#define READ(address) ((void)*(volatile char *)(address))

static void faults(void)
{
	static const int which[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	struct sigaction sa = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
	volatile int zero = 0, one = 1, result = -1;
	stack_t stack = { .ss_sp = map(16 * PAGE, MAP_PRIVATE), .ss_size = 16 * PAGE };
	char *m = map(PAGE, MAP_PRIVATE);

	sigaltstack(&stack, NULL);
	for (unsigned int i = 0; i < sizeof(which) / sizeof(*which); i++)
		sigaction(which[i], &sa, NULL);
	for (int i = 0; i < 200; i++) {
		mprotect(m, PAGE, PROT_READ);
		if (!sigsetjmp(back, 1))
			*(volatile char *)m = 1;
		mprotect(m, PAGE, PROT_READ | PROT_WRITE);
		*(volatile char *)m = 0;
	}
	printf("fault: %d writes to what may be read\n", signals);
	TRY("a division by zero", result = one / zero);
	TRY("no instruction", asm volatile("ud2"));
	TRY("HLT", asm volatile("hlt"));
	TRY("CLI", asm volatile("cli"));
	TRY("a port", asm volatile("inb $0x64, %%al" : : : "rax"));
	TRY("CR3", asm volatile("mov %%cr3, %%rax" : : : "rax"));
	TRY("INT3", asm volatile("int3"));
	TRY("INT 0x20", asm volatile("int $0x20"));
	TRY("a kernel's text", READ(0xffffffff81000000));
	TRY("a kernel's memory", READ(0xffff888001000000));
	TRY("slot 256", READ(0xffff800000000000));
	TRY("slot 257", READ(0xffff808000000000));
	TRY("slot 258", READ(0xffff810000000000));
	TRY("its memory from there", READ(0xffff810140000000));
	TRY("no address", READ(0x8000000000000000));
	TRY("a null pointer", READ(0));
	TRY("text that is none", ((void (*)(void))m)());
	asm volatile("int $0x80" : "=a" (result) : "a" (20) : "memory", "r8", "r9", "r10", "r11");
	printf("INT 0x80 says %s\n", result == getpid() ? "who I am" : "something else");
}

/* --- processes ---------------------------------------------------------------------- */

static void be_traced(void)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
}

static long set_debugreg(pid_t pid, int n, const volatile void *to)
{
	return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg) + n * sizeof(long), to);
}

static __attribute__((noinline)) void nothing(void) { asm volatile(""); }

static void steps(void)
{
	int status, n = 0;
	pid_t pid = fork();

	if (!pid) {
		be_traced();
		for (volatile int i = 0; i < 50; i++)
			;
		_exit(7);
	}
	waitpid(pid, &status, 0);
	while (n < 5000 && !WIFEXITED(status)) {
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		waitpid(pid, &status, 0);
		n++;
	}
	printf("single steps: %s, then status %d\n", n > 300 && n < 5000 ? "hundreds" : "too few or too many",
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

/* A debugger's tripwires: it watches a word, and what comes next, in each of four. */
static volatile long watched[8];
extern char watched_call[], behind_call[];

static int stumbles(int k)
{
	int status, written = 0, executed = 0;
	pid_t pid = fork();

	if (!pid) {
		be_traced();
		for (int i = 0; i < 20; i++) {
			watched[(k + i) % 8] = i;
			if (i % 4 == 0)
				syscall(SYS_sched_yield);
		}
		nothing();
		_exit(7);
	}
	waitpid(pid, &status, 0);
	if (set_debugreg(pid, 0, &watched[k]) || set_debugreg(pid, 3, nothing) || set_debugreg(pid, 7, (void *)0x90041))
		return 100;
	for (;;) {
		long dr6;

		ptrace(PTRACE_CONT, pid, 0, 0);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			break;
		dr6 = ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, u_debugreg[6]), 0);
		if (dr6 & 8)		/* QEMU may call the last write a hit once more */
			executed++;
		else
			written += dr6 & 1;
	}
	return 10 * written + executed;
}

static void tripwires(void)
{
	static const int want[4] = { 31, 31, 31, 31 };
	int status;
	pid_t pid;

	printf("tripwires: %d of 4 were told of each step\n", of_four(stumbles, want));
	pid = fork();
	if (!pid) {
		long result;

		be_traced();
		asm volatile(".globl watched_call, behind_call\n"	/* whoever plays it may have to read it */
			     "watched_call: int $0x80\n"
			     "behind_call: nop" : "=a" (result) : "a" (20) : "memory", "r8", "r9", "r10", "r11");
		_exit(result == getpid() ? 7 : 8);
	}
	waitpid(pid, &status, 0);
	set_debugreg(pid, 0, (void *)((long)watched_call & ~7));
	set_debugreg(pid, 1, (void *)(((long)watched_call & ~7) + 8));
	set_debugreg(pid, 2, behind_call);
	set_debugreg(pid, 7, (void *)0xbb0015);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	printf("behind an INT 0x80: signal %d\n", WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	printf("its bytes are watched: it ends with %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	pid = fork();
	if (!pid) {
		be_traced();
		_exit(7);
	}
	waitpid(pid, &status, 0);
	printf("a kernel's address: %s\n", set_debugreg(pid, 0, (void *)0xffffffff81000000) ? "refused" : "taken");
	printf("a segment that is not there: %s\n", ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.gs), 0x63) ?
	       "refused" : "taken");
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	printf("it ends with %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void handovers(void)
{
	volatile int *turn = (void *)map(PAGE, MAP_SHARED);
	int to[2], from[2], bad = 0;
	char byte = 0;
	pid_t pid;

	if (pipe(to) || pipe(from))
		exit(1);
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 1000; i++) {
			if (read(to[0], &byte, 1) != 1)
				_exit(1);
			++*turn;
			if (write(from[1], &byte, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 1000; i++) {
		++*turn;
		bad += write(to[1], &byte, 1) != 1 || read(from[0], &byte, 1) != 1;
		bad += *turn != 2 * i + 2;
	}
	printf("handovers: 1000 by pipe, %d wrong, status %d\n", bad, reap(pid));
}

static void again(const char *self)
{
	int good = 0;

	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (!pid) {
			execl(self, self, "child", NULL);
			_exit(99);
		}
		good += reap(pid) == 42;
	}
	printf("exec: %d of 100 came to their end\n", good);
}

static volatile long count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *counter(void *unused)
{
	for (int i = 0; i < 5000; i++) {
		pthread_mutex_lock(&lock);
		count++;
		if (i % 50 == 0)
			sched_yield();
		pthread_mutex_unlock(&lock);
	}
	return unused;
}

static volatile int ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

static void threads(void)
{
	struct itimerval often = { { 0, 10000 }, { 0, 10000 } }, never = { 0 };
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, counter, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	printf("threads: they counted to %ld\n", count);
	signal(SIGALRM, tick);
	setitimer(ITIMER_REAL, &often, NULL);
	while (ticks < 20)
		pause();
	setitimer(ITIMER_REAL, &never, NULL);
	printf("timer: 20 ticks\n");
}

/* Its page is in memory or has gone to swap: its kernel has heard of it. */
static int is_there(void *page)
{
	static int pages = -1;
	unsigned long entry;

	if (pages < 0)
		pages = open("/proc/self/pagemap", O_RDONLY);
	return pread(pages, &entry, 8, (unsigned long)page / PAGE * 8) == 8 && entry >> 62;
}

/* More than its control group may have: the rest has to go somewhere else meanwhile. */
#define SWAPPED (12 * 1024)

static void swap(void)
{
	unsigned int *page[SWAPPED];
	char *m = map((size_t)SWAPPED * PAGE, MAP_PRIVATE);
	long bad = 0;

	for (int i = 0; i < SWAPPED; i++) {
		page[i] = (void *)(m + (size_t)i * PAGE);
		page[i][i % 1024] = i;
		bad += !is_there(page[i]);
	}
	for (int turn = 0; turn < 3; turn++)
		for (int i = 0; i < SWAPPED; i++) {
			int n = turn == 1 ? (int)draw(SWAPPED) : i;

			bad += page[n][n % 1024] != (unsigned int)n;
			if (turn == 0)
				page[n][(n + 1) % 1024] = n;
		}
	for (int i = 0; i < SWAPPED; i++)
		bad += page[i][(i + 1) % 1024] != (unsigned int)i;
	printf("swap: 48 MiB, %ld wrong\n", bad);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "swap")) {
		swap();
		return 0;
	}
	if (argc > 1)
		return 42;
	registers();
	copies();
	pieces();
	faults();
	steps();
	tripwires();
	handovers();
	again(argv[0]);
	threads();
	printf("over\n");
	return 0;
}
