/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two Guests, their Launchers and two programs, six patterns in all registers,
 * side by side: does each keep its own?  See ci/checks/state.
 * usage: state ROUNDS          do it on one CPU, then on all
 *        state beside FILE     be the background on CPU 0 until killed; FILE appears first
 */
#include <asm/ldt.h>
#include <cpuid.h>
#include <sched.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include "tiny.h"

enum { AVX = 1, PKU = 2, BASES = 4, LINUX = 8, XSAVE = 16 };

struct keep {
	u64 pattern, features, rounds, spin, nr, arg[3], want, flags;
	u64 fsbase, gsbase, pkru, xcr0, oldfs, done;
	u16 ds, es, fcw, pad;
	u64 touch, found;
	u32 mxcsr;
	u8 images[2240 - 192] __attribute__((aligned(64)));
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct keep, touch) == 136 && offsetof(struct keep, images) == 192 &&
	       offsetof(struct keep, mxcsr) == 152, "as keep.S has it");

long keep(struct keep *k);
extern const u8 keep_end[], guest[], guest_end[];

#define ID	0x200000
#define AC	0x40000
#define NT	0x4000
#define DF	0x400
#define STEADY	0x202

#define PAGES	2064		/* the Guest's memory reaches over the watched address */
#define WATCHED	0x804000ul	/* in the Launcher, and elsewhere in the Guest */
#define PARAMS	0x3000ul
#define WORDS	0x5000ul	/* where FS and GS point */

static u64 features, words[6][2] __attribute__((aligned(4096)));
static u64 rounds = 300, spin = 20000;

static const char *const what[] = {
	"", "flags", "FPU control", "MXCSR, x87 or XMM", "YMM", "PKRU", "XCR0", "FS base", "GS base",
	"what FS points to", "what GS points to", "DS", "ES", "FS", "GS", "the answer to its call",
	[64] = "a general register at the start", "flags at the start", "FPU control at the start",
	"MXCSR at the start", "x87 or XMM at the start", "YMM at the start", "PKRU at the start",
};

static int find_features(void)
{
	unsigned int a, b, c, d;

	__cpuid(1, a, b, c, d);
	if (c & 1 << 27)
		features |= XSAVE;
	if (c & 1 << 27 && c & 1 << 28)
		features |= AVX;
	if (a >= 1 && __get_cpuid_max(0, NULL) >= 7) {
		__cpuid_count(7, 0, a, b, c, d);
		if (c & 1 << 4)
			features |= PKU;
	}
	if (getauxval(AT_HWCAP2) & 2)
		features |= BASES;
	printf("the processor has%s%s%s%s\n", features & XSAVE ? " XSAVE" : " no XSAVE",
	       features & AVX ? " AVX" : "", features & PKU ? " protection keys" : "",
	       features & BASES ? " FSGSBASE" : "");
	return 0;
}

/* A pattern for everything, from a number. */
static void fill(struct keep *k, int n, u64 base)
{
	static const u64 flags[] = {
		ID | AC | NT | DF, AC, DF | ID, NT | DF, AC | ID, NT | AC | DF,
	};

	memset(k, 0, sizeof(*k));
	k->pattern = 0x1357924680acebd1ull * (2 * n + 1);
	k->features = features;
	k->rounds = rounds;
	k->spin = spin;
	k->flags = flags[n % 6] | STEADY;
	k->fsbase = base;
	k->gsbase = base + 8;
	k->pkru = 0xfffffffc & (0x2bd6f1a4u * (n + 1));
	k->ds = n & 1 ? 0x2b : 0;
	k->es = n & 2 ? 0x23 : 0x2b;
	k->fcw = n & 1 ? 0x0f7f : 0x067f;
	k->mxcsr = 0x1f80 | (n & 3) << 13;
}

static bool kept(const char *who, int n, const struct keep *k, long code)
{
	if (code)
		printf("WRONG: %s %d: %s not kept in round %llu of %llu: %#llx\n", who, n,
		       code > 0 && code < 71 && what[code] ? what[code] : "?",
		       (ull)k->done + 1, (ull)k->rounds, (ull)k->found);
	return !code;
}

static int program(int n)
{
	static struct keep k;
	long code;

	fill(&k, n, (u64)words[n]);
	words[n][0] = words[n][1] = k.pattern;
	k.features |= LINUX;
	k.nr = n & 1 ? SYS_getppid : SYS_sched_yield;
	k.want = n & 1 ? getppid() : 0;
	code = keep(&k);
	return !kept("program", n, &k, code);
}

/* Entry 0 of the table that is the process's own: all of memory. */
static void ldt_entry(void)
{
	struct user_desc d = { .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1, .useable = 1 };

	if (syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)))
		die("modify_ldt");
}

/* A Launcher with pattern n + 1 and its Guest with pattern n. */
static int launcher(int n, bool watched)
{
	static struct lguest_exit e;
	static struct keep k;
	struct guest g = { 0 };
	struct keep *its;
	long code;

	g.size = PAGES * PAGE;
	g.mem = mmap((void *)(WATCHED - 0x4000), g.size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (g.mem == MAP_FAILED)
		die("mmap");
	guest_open(&g, PAGES);
	memcpy(g.mem + ENTRY, guest, guest_end - guest);
	memcpy(g.mem + ENTRY + (guest_end - guest), keep, keep_end - (const u8 *)keep);
	its = (struct keep *)(g.mem + PARAMS);
	fill(its, n, WORDS);
	memcpy(g.mem + WORDS, (u64[]) { its->pattern, its->pattern }, 16);
	its->nr = LHCALL_CONSOLE;
	its->touch = WATCHED;
	if (!(features & BASES)) {	/* it cannot do that itself */
		set(&g, LGREG_FS_BASE, its->fsbase);
		set(&g, LGREG_GS_BASE, its->gsbase);
	}

	fill(&k, n + 1, (u64)words[n]);
	words[n][0] = words[n][1] = k.pattern;
	k.features |= LINUX;
	ldt_entry();
	k.es = 7;
	k.nr = SYS_read;
	k.arg[0] = g.fd;
	k.arg[1] = (u64)&e;
	k.arg[2] = k.want = sizeof(e);
	k.touch = watched ? WATCHED : 0;
	code = keep(&k);
	if (code == 15 && e.kind == LGEXIT_SHUTDOWN)	/* the Guest has found something */
		return !kept("Guest", n, its, e.arg[0]);
	if (e.kind == LGEXIT_DEAD)
		printf("Guest %d died: %s\n", n, e.reason);
	if (!kept("Launcher", n + 1, &k, code))
		return 1;
	e = run(&g);
	if (e.kind != LGEXIT_SHUTDOWN || e.arg[0] || its->done != rounds) {
		printf("WRONG: Guest %d: kind %u, status %llu, %llu rounds, %s\n", n, e.kind,
		       (ull)e.arg[0], (ull)its->done, e.reason);
		return 1;
	}
	return 0;
}

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static pid_t begin(int (*f)(int), int n, int cpu)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (cpu >= 0)
		pin_to(cpu);
	_exit(f(n));
}

static int plain_launcher(int n)
{
	return launcher(n, false);
}

/* Traced: it stops before it begins. */
static int watched_launcher(int n)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	return launcher(n, true);
}

#define DEBUGREG(n) (offsetof(struct user, u_debugreg) + (n) * 8)

/*
 * A debugger watches the Launcher: a store to WATCHED, which its Guest does as
 * often; and instructions at two addresses where only the Guest has any.
 * Each store of the Launcher stops it, and nothing of the Guest's does.
 */
static int watch(pid_t pid)
{
	u64 hits = 0, dr6;
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		die("a traced child");
	if (ptrace(PTRACE_POKEUSER, pid, DEBUGREG(0), WATCHED) ||
	    ptrace(PTRACE_POKEUSER, pid, DEBUGREG(1), ENTRY) ||
	    ptrace(PTRACE_POKEUSER, pid, DEBUGREG(2), ENTRY + (guest_end - guest)) ||
	    ptrace(PTRACE_POKEUSER, pid, DEBUGREG(7), 0x000d0015))
		die("debug registers");
	while (ptrace(PTRACE_CONT, pid, 0, 0) == 0 && waitpid(pid, &status, 0) == pid &&
	       WIFSTOPPED(status)) {
		if (WSTOPSIG(status) != SIGTRAP) {
			printf("WRONG: the watched Launcher has signal %d\n", WSTOPSIG(status));
			kill(pid, SIGKILL);
			continue;
		}
		dr6 = ptrace(PTRACE_PEEKUSER, pid, DEBUGREG(6), 0);
		if ((dr6 & 0x400f) != 1) {
			printf("WRONG: DR6 is %#llx\n", (ull)dr6);
			return 1;
		}
		ptrace(PTRACE_POKEUSER, pid, DEBUGREG(6), 0);
		hits++;
	}
	if (hits != rounds) {
		printf("WRONG: %llu stores, and the debugger saw %llu\n", (ull)rounds, (ull)hits);
		return 1;
	}
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static int all(int cpu)
{
	pid_t pid = begin(watched_launcher, 3, cpu);
	int bad = 0, status, n = 4;

	begin(plain_launcher, 0, cpu);
	begin(plain_launcher, 1, cpu);
	begin(program, 4, cpu);
	begin(program, 5, cpu);
	bad += watch(pid);
	while (n--) {
		if (wait(&status) < 0)
			die("wait");
		bad += !WIFEXITED(status) || WEXITSTATUS(status);
	}
	printf("%s: 3 Guests, 3 Launchers, 2 programs, %llu rounds, %llu stores seen by a debugger: %d wrong\n",
	       cpu < 0 ? "on all processors" : "on one processor", (ull)rounds, (ull)rounds, bad);
	return bad;
}

/* Guests that fill everything, and one that steps through itself, until we are killed. */
static int fillers(int n)
{
	for (;;) {
		pid_t pid = begin(plain_launcher, n, -1);
		int status;

		waitpid(pid, &status, 0);
		if (status)
			return 1;
	}
}

static int stepper(int n)
{
	static const u8 loop[] = { 0x0f, 0x1f, 0x00, 0x0f, 0x31, 0xeb, 0xf9 }; /* nopl (%rax); rdtsc; jmp */

	(void)n;
	for (;;) {
		struct guest g = { 0 };
		struct lguest_exit e;

		guest_open(&g, 16);
		memcpy(g.mem + ENTRY, loop, sizeof(loop));
		set(&g, LGREG_RFLAGS, 0x302);	/* TF: it dies of its first step */
		e = run(&g);
		if (e.kind != LGEXIT_DEAD || e.vector != 1) {
			printf("WRONG: a step: kind %u, %s\n", e.kind, e.reason);
			return 1;
		}
		close(g.fd);
		munmap(g.mem, g.size);
	}
}

int main(int argc, char **argv)
{
	int bad = 0, status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	find_features();
	if (argc > 2 && !strcmp(argv[1], "beside")) {
		rounds = 100;
		pin_to(0);
		begin(fillers, 0, 0);
		begin(fillers, 1, 0);
		begin(stepper, 0, 0);
		usleep(500000);
		close(open(argv[2], O_CREAT | O_WRONLY, 0600));
		wait(&status);		/* nobody ends by himself */
		printf("WRONG: one in the background ended\n");
		return 1;
	}
	if (argc > 1)
		rounds = atoi(argv[1]);
	bad += all(0);
	bad += all(-1);
	return !!bad;
}
