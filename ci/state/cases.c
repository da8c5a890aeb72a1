/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Odd corners of Linux at which the state of a program hangs, each a program of
 * its own that says what it saw: the same alone and beside Guests on its CPU, or
 * a Guest has left something.  After ideas of the kernel's own tests of this
 * processor.  See ci/checks/state.  usage: cases ROUNDS
 */
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

typedef uint16_t u16;
typedef uint64_t u64;
typedef unsigned long long ull;

static void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(2);
}

static void on(int sig, void (*f)(int, siginfo_t *, void *))
{
	struct sigaction sa = { .sa_sigaction = f, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	if (sigaction(sig, &sa, NULL))
		die("sigaction");
}

/* Long enough that the Host's tick and a Guest come between. */
static void a_while(void)
{
	for (volatile int i = 0; i < 300000; i++)
		;
	sched_yield();
}

static sigjmp_buf back;
static volatile int caught, trap, error;
static volatile u64 steps, at_calls;

static void caught_it(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)info;
	caught = sig;
	trap = c->uc_mcontext.gregs[REG_TRAPNO];
	error = c->uc_mcontext.gregs[REG_ERR];
	siglongjmp(back, 1);
}

/* --- a step across a system call ----------------------------------------- */

static void step(int sig, siginfo_t *info, void *context)
{
	const uint8_t *ip = (void *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)sig;
	steps++;
	at_calls += info->si_code == TRAP_TRACE && ip[0] == 0x0f && ip[1] == 0x05;
}

static void stepping(void)
{
	long got;

	on(SIGTRAP, step);
	steps = at_calls = 0;
	asm volatile("sub	$128, %%rsp\n\t"
		     "pushfq\n\t"
		     "orq	$0x100, (%%rsp)\n\t"
		     "popfq\n\t"
		     "mov	$39, %%eax\n\t"
		     "syscall\n\t"
		     "nop\n\t"
		     "mov	$39, %%eax\n\t"
		     "syscall\n\t"
		     "pushfq\n\t"
		     "andq	$~0x100, (%%rsp)\n\t"
		     "popfq\n\t"
		     "add	$128, %%rsp"
		     : "=a" (got) : : "rcx", "r11", "memory", "cc");
	printf("%llu steps, %llu at a system call, which says %s\n", (ull)steps, (ull)at_calls,
	       got == getpid() ? "my number" : "something else");
	steps = 0;
	a_while();
	printf("%llu steps more\n", (ull)steps);
}

/* A debugger steps through a child. */
static void traced(void)
{
	unsigned long n = 0;
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		asm volatile("int3; mov $500, %%ecx; 1: loop 1b; mov $24, %%eax; syscall; int3"
			     : : : "rax", "rcx", "r11", "memory");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	do {
		n++;
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		waitpid(pid, &status, 0);
	} while (WIFSTOPPED(status) && n < 505);
	printf("%lu steps of a child, and then %#x\n", n, status);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	printf("it ends with %#x\n", status);
}

/* --- a signal's return to odd selectors ----------------------------------- */

static volatile u16 new_cs, new_ss;

static void other_selectors(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	u16 *sel = (u16 *)&c->uc_mcontext.gregs[REG_CSGSFS];

	(void)sig; (void)info;
	if (new_cs)
		sel[0] = new_cs;
	sel[3] = new_ss;
}

static void ldt_entry(int n, int contents, bool present, unsigned int base)
{
	struct user_desc d = {
		.entry_number = n, .base_addr = base, .limit = 0xfffff, .seg_32bit = 1,
		.contents = contents, .limit_in_pages = 1, .seg_not_present = !present, .useable = 1,
	};

	if (syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)))
		die("modify_ldt");
}

static void odd_returns(void)
{
	static const u16 cs[] = { 0, 0x33, 0x10, 0x2b, 0x07, 0x0f, 0x17, 0xfff7 };
	static const u16 ss[] = { 0x2b, 0x28, 0, 3, 0x10, 0x18, 0x33, 0x0f, 0x17, 0x07, 0xffff };
	volatile u16 now;

	ldt_entry(0, MODIFY_LDT_CONTENTS_CODE, false, 0);
	ldt_entry(1, MODIFY_LDT_CONTENTS_DATA, true, 0);
	ldt_entry(2, MODIFY_LDT_CONTENTS_DATA, false, 0);
	on(SIGUSR1, other_selectors);
	on(SIGSEGV, caught_it);
	on(SIGBUS, caught_it);
	on(SIGILL, caught_it);
	for (unsigned int i = 0; i < sizeof(cs) / 2 + sizeof(ss) / 2; i++) {
		new_cs = i < sizeof(cs) / 2 ? cs[i] : 0;
		new_ss = i < sizeof(cs) / 2 ? 0x2b : ss[i - sizeof(cs) / 2];
		caught = 0;
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
		asm volatile("mov %%ss, %0" : "=r" (now));
		printf("CS %#x SS %#x: %s, signal %d trap %d error %#x, SS is %#x\n", new_cs, new_ss,
		       caught ? "refused" : "accepted", caught, caught ? trap : 0,
		       caught ? error : 0, now);
		asm volatile("mov %0, %%ss" : : "r" (0x2b));
		a_while();
	}
}

/* --- bases under a debugger ------------------------------------------------ */

static u64 base_words[3] = { 0x1111, 0x2222, 0x3333 };

static void traced_bases(void)
{
	struct user_regs_struct r;
	int status;
	pid_t pid = fork();

	if (!pid) {
		u64 at_gs, base;
		u16 sel;

		syscall(SYS_arch_prctl, ARCH_SET_GS, &base_words[0]);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		for (int i = 0; i < 3; i++) {
			asm volatile("mov %%gs, %0" : "=r" (sel));
			if (i < 2)
				asm volatile("mov %%gs:0, %0" : "=r" (at_gs));
			syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
			printf("the child: GS %#x, base %s, there %#llx\n", sel,
			       base >= (u64)base_words && base <= (u64)&base_words[2] ? "in the array" : "elsewhere",
			       i < 2 ? (ull)at_gs : 0ull);
			fflush(stdout);
			a_while();
			raise(SIGSTOP);
		}
		_exit(0);
	}
	for (int i = 0; i < 3; i++) {
		waitpid(pid, &status, 0);
		if (ptrace(PTRACE_GETREGS, pid, 0, &r))
			die("GETREGS");
		printf("the debugger: GS %#llx, base %+lld\n", (ull)r.gs,
		       (long long)(r.gs_base - (u64)base_words));
		a_while();
		if (i == 0)
			ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, gs_base), &base_words[1]);
		if (i == 1) {
			r.gs = 0;
			r.gs_base = (u64)&base_words[2];
			ptrace(PTRACE_SETREGS, pid, 0, &r);
		}
		if (i == 2)
			ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, gs), 0x2b);
		ptrace(PTRACE_CONT, pid, 0, 0);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	printf("it ends with %#x\n", status);
}

/* --- descriptors ------------------------------------------------------------ */

static volatile int phase;
static u16 sel_after[3];

static void *holds_selectors(void *unused)
{
	u16 ds, es, gs;

	asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%gs" : : "r" (0x27));
	phase = 1;
	while (phase == 1)
		a_while();
	asm volatile("mov %%ds, %0; mov %%es, %1; mov %%gs, %2; mov %3, %%ds; mov %3, %%es; mov %3, %%gs"
		     : "=&r" (ds), "=&r" (es), "=&r" (gs) : "r" (0));
	sel_after[0] = ds; sel_after[1] = es; sel_after[2] = gs;
	return unused;
}

static void descriptors(void)
{
	static const u16 sel[] = { 0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2b, 0x33, 0x23, 0x10, 0x63, 0x6b, 0x7b };
	unsigned int lar, lsl;
	pthread_t t;
	bool ok;

	ldt_entry(0, MODIFY_LDT_CONTENTS_DATA, true, 0x1000);
	ldt_entry(1, MODIFY_LDT_CONTENTS_CODE, true, 0);
	ldt_entry(2, MODIFY_LDT_CONTENTS_STACK, true, 0x2000);
	ldt_entry(3, MODIFY_LDT_CONTENTS_DATA, false, 0);
	ldt_entry(4, MODIFY_LDT_CONTENTS_DATA, true, 0);
	a_while();
	for (int who = 0; who < 2; who++) {
		for (unsigned int i = 0; i < sizeof(sel) / 2; i++) {
			lar = lsl = 0;
			asm volatile("lar %2, %0; setz %1" : "+r" (lar), "=q" (ok) : "r" ((unsigned int)sel[i]));
			asm volatile("lsl %1, %0" : "+r" (lsl) : "r" ((unsigned int)sel[i]));
			printf("%s %#x: %s %#x limit %#x\n", who ? "heir" : "parent", sel[i], ok ? "rights" : "nothing",
			       lar, lsl);
			a_while();
		}
		fflush(stdout);
		if (!who) {
			pid_t pid = fork();

			if (pid) {
				waitpid(pid, NULL, 0);
				break;
			}
			continue;
		}
		_exit(0);
	}
	if (pthread_create(&t, NULL, holds_selectors, NULL))
		die("thread");
	while (!phase)
		a_while();
	struct user_desc gone = { .entry_number = 4, .read_exec_only = 1, .seg_not_present = 1 };

	if (syscall(SYS_modify_ldt, 0x11, &gone, sizeof(gone)))
		die("modify_ldt");
	a_while();
	phase = 2;
	pthread_join(t, NULL);
	printf("an entry goes while DS, ES and GS show it: %#x %#x %#x\n", sel_after[0], sel_after[1], sel_after[2]);
}

/* --- MOV SS holds a trap back ------------------------------------------------ */

static u16 watched_ss __attribute__((aligned(8)));

static void held_back(void)
{
	static const char *const name[] = { "NOP", "INT3", "INT 0x80", "ICEBP", "SYSCALL", "a step" };

	for (int n = 0; n < 6; n++) {
		int status, stops = 0, traps = 0;
		u64 seen = 0;
		pid_t pid = fork();

		if (!pid) {
			asm volatile("mov %%ss, %0" : "=m" (watched_ss));
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			raise(SIGSTOP);
			switch (n) {
			case 0: asm volatile("mov %0, %%ss; nop" : : "m" (watched_ss)); break;
			case 1: asm volatile("mov %0, %%ss; int3" : : "m" (watched_ss)); break;
			case 2: asm volatile("mov %0, %%ss; int $0x80" : : "m" (watched_ss), "a" (20)); break;
			case 3: asm volatile("mov %0, %%ss; .byte 0xf1" : : "m" (watched_ss)); break;
			case 4: asm volatile("mov %1, %%ss; syscall" : "+a" ((long){39}) : "m" (watched_ss)
					     : "rcx", "r11", "memory"); break;
			case 5: asm volatile("sub $128, %%rsp; pushf; orq $0x100, (%%rsp); popf; mov %0, %%ss; nop; pushf;"
					     "andq $~0x100, (%%rsp); popf; add $128, %%rsp"
					     : : "m" (watched_ss) : "memory", "cc");
			}
			_exit(0);
		}
		waitpid(pid, &status, 0);
		ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[0]), &watched_ss);
		if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[7]), 0x00070001))
			die("DR7");
		while (!ptrace(PTRACE_CONT, pid, 0, 0) && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
		       stops < 20) {
			stops++;
			traps += WSTOPSIG(status) == SIGTRAP;
			seen = seen << 8 | (ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, u_debugreg[6]), 0) & 0xf) |
				(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, u_debugreg[6]), 0) & 0x4000) >> 10;
			ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[6]), 0);
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		printf("%s behind MOV SS with a watched operand: %d stops, %d traps, DR6 %#llx, ends with %#x\n",
		       name[n], stops, traps, (ull)seen, status);
	}
}

/* --- a signal's frame with a spoilt XSAVE header ------------------------------- */

static volatile int spoil;

static void spoiler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	u64 *header = (u64 *)((char *)c->uc_mcontext.fpregs + 512);

	(void)sig; (void)info;
	switch (spoil) {
	case 1: header[1] = 1ull << 62; break;		/* XCOMP_BV */
	case 2: header[3] = ~0ull; break;		/* must be zero */
	case 3: header[0] |= 1ull << 61; break;		/* a feature that is not there */
	case 4: header[0] = 0; break;			/* all as at the start */
	}
}

static void spoilt_header(void)
{
	unsigned int a, b, c, d;
	static u64 x;

	__cpuid(1, a, b, c, d);
	if (!(c & 1 << 27)) {
		printf("no XSAVE here\n");
		return;
	}
	on(SIGUSR1, spoiler);
	on(SIGSEGV, caught_it);
	for (spoil = 0; spoil < 5; spoil++) {
		caught = 0;
		if (!sigsetjmp(back, 1)) {
			asm volatile("movq %1, %%xmm15\n\t"
				     "mov %2, %%edi; mov %3, %%esi; mov $200, %%eax; syscall\n\t"	/* tkill */
				     "movq %%xmm15, %0"
				     : "=r" (x) : "r" (0x1234567887654321), "r" ((int)syscall(SYS_gettid)), "i" (SIGUSR1)
				     : "rax", "rcx", "r11", "rdi", "rsi", "xmm15", "memory");
		}
		printf("spoilt %d: %s, XMM15 is %s\n", spoil, caught ? "SIGSEGV" : "taken",
		       caught ? "lost" : x == 0x1234567887654321 ? "kept" : x ? "WRONG" : "zero");
		a_while();
	}
}

/* --- ports -------------------------------------------------------------------- */

static bool port_works(void)
{
	caught = 0;
	if (!sigsetjmp(back, 1))
		outb(0, 0x80);
	return !caught;
}

static void ports(void)
{
	pid_t pid;

	on(SIGSEGV, caught_it);
	printf("port 0x80: %d", port_works());
	if (ioperm(0x80, 1, 1))
		die("ioperm");
	for (int i = 0; i < 4; i++) {
		printf(" %d", port_works());
		a_while();
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		printf(", the child %d", port_works());
		ioperm(0x80, 1, 0);
		printf(" %d", port_works());
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	printf(", still %d", port_works());
	ioperm(0x80, 1, 0);
	a_while();
	printf(", given back %d", port_works());
	if (iopl(3))
		die("iopl");
	a_while();
	printf(", level 3 %d", port_works());
	iopl(0);
	a_while();
	printf(", level 0 %d\n", port_works());
}

static const struct {
	const char *name;
	void (*f)(void);
} cases[] = {
	{ "a step across a system call", stepping }, { "steps of a child", traced },
	{ "a signal's return to odd selectors", odd_returns }, { "bases under a debugger", traced_bases },
	{ "descriptors", descriptors }, { "MOV SS", held_back },
	{ "a spoilt XSAVE header", spoilt_header }, { "ports", ports },
};

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;
	cpu_set_t set;

	setvbuf(stdout, NULL, _IOFBF, 65536);
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (int r = 0; r < rounds; r++)
		for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			int status;
			pid_t pid;

			printf("--- %s\n", cases[i].name);
			fflush(stdout);
			pid = fork();
			if (!pid) {
				stack_t alt = { .ss_sp = malloc(65536), .ss_size = 65536 };

				sigaltstack(&alt, NULL);
				cases[i].f();
				fflush(stdout);
				_exit(0);
			}
			waitpid(pid, &status, 0);
			if (status)
				printf("status %#x\n", status);
		}
	return 0;
}
