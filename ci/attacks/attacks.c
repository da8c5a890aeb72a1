/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attacks for which the Launcher must be an enemy as well, or look closely.
 * usage: attacks CASE   see ci/attacks/table; aboard the bench, as root
 */
#include <dirent.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include "tiny.h"

#define PAGES	64
#define DATA	0x3000ul
#define TOUCHED	0x7000ul
#define FRAME	0x8000ul
#define RING	0x9000ul
#define TABLES	0x10000ul	/* level 4, 3, 2, 1 */
#define LEVEL1	(TABLES + 0x3000)
#define TEXT	0xffff800000000000ul
#define CPUS	0xffff800000200000ul
#define VCPUS	0xffff800040000000ul

#define CS32	0x23
#define CS64	0x33

static struct guest g;
static int bad;

__attribute__((format(printf, 1, 2)))
static void wrong(const char *fmt, ...)
{
	va_list args;

	if (bad++ < 10) {
		va_start(args, fmt);
		printf("WRONG: ");
		vprintf(fmt, args);
		printf("\n");
		va_end(args);
	}
}

/* The hypercalls' numbers, where the code below writes them. */
_Static_assert(LHCALL_CONSOLE == 1001 && LHCALL_REPORT == 1002 && LHCALL_SHUTDOWN == 1003 &&
	       LHCALL_PAGING == 1005 && LHCALL_FLUSH == 1006 && LHCALL_INVLPG == 1007 &&
	       LHCALL_DEBUG == 1020 && LHCALL_RING == 1010 && LHCALL_ENTRY == 1011 && LHCALL_USER == 1012 &&
	       LGENTRY_SYSCALL == 0, "mend the code");

#define CODE(name, text)						\
	extern const u8 name[], name##_end[];				\
	asm(".pushsection .rodata\n" #name ":\n" text "\n" #name "_end:\n.popsection")
#define CALL(n)	"mov $" #n ", %eax; syscall;"
#define BYE	"mov $42, %edi;" CALL(1003) "ud2;"
#define TABLES_ON "mov $0x10000, %edi;" CALL(1005)

/* The same bytes are 32-bit code; there SYSCALL is an invalid opcode. */
CODE(report, "mov $0x3000, %edi;" CALL(1002) BYE);
CODE(flags, "pushf; pop %rbx;" BYE);
CODE(toucher, "mov $1000, %r15d;"
	"1: mov %r15, 0x3000; mov $0x3800, %edi;" CALL(1002)
	"dec %r15d; jnz 1b;" BYE);
CODE(stepper, "push $0x302; popf; nop; nop; ud2");
CODE(wired, "xor %edi, %edi; mov $0x3000, %esi;" CALL(1020)
	"mov $7, %edi; mov $0x90701, %esi;" CALL(1020)	/* eight bytes are written */
	"mov %esp, 0x3000; ud2");
CODE(port, "mov $0x70, %edx; in (%dx), %al; ud2");
CODE(asks_time, "rdtsc; ud2");
CODE(reads, "mov (%rsi), %bl;" BYE);
CODE(writes, "movb $0x5a, (%rsi);" BYE);
CODE(vectors, "pxor %xmm15, %xmm15; pcmpeqb %xmm15, %xmm0; pmovmskb %xmm0, %ebx;"
	"pcmpeqb %xmm15, %xmm7; pmovmskb %xmm7, %ecx; mov %ecx, %r8d;"
	"pcmpeqb %xmm15, %xmm14; pmovmskb %xmm14, %r9d;"
	"stmxcsr 0x3000; mov 0x3000, %r10d;" BYE);
/* A ring that somebody else keeps full. */
CODE(ringer, TABLES_ON "mov $0x9000, %edi;" CALL(1010) BYE);
CODE(bouncer, TABLES_ON
	"xor %edi, %edi; lea 2f(%rip), %rsi;" CALL(1011)
	"mov $0x9000, %edi;" CALL(1010)
	"mov $1000, %r15d;"
	"1: mov $0x8000, %edi;" CALL(1012) "ud2;"
	"2: movq $1006, 0x9000; mov 0x7000, %bl; dec %r15d; jnz 1b;" BYE
	"bouncer_program: mov $99, %eax; mov 0x7000, %bl; syscall; ud2");
extern const u8 bouncer_program[];
#define PROGRAM	(ENTRY + (bouncer_program - bouncer))
CODE(scribbler, "mov $20000, %r15d;"
	"1: rdtsc; imul $0x1e3779b1, %rax, %rcx; mov %ecx, %edx; shr $9, %edx;"
	"and $0x3ff8, %edx; mov %rcx, 0x10000(%rdx); dec %r15d; jnz 1b;" BYE);
CODE(marker, TABLES_ON "mov $3000, %r15d;"
	"1: lock andq $~0x60, 0x13038; mov $0x7000, %edi;" CALL(1007)
	"incb 0x7000; dec %r15d; jnz 1b;" BYE);
CODE(looker, TABLES_ON
	"1: mov 0x7000, %bl; mov $0x3000, %edi; mov $1, %esi;" CALL(1001)
	"mov $0x7000, %edi;" CALL(1007) "jmp 1b");

/* Tables that show all of memory where it is, to kernel and programs. */
static void make_tables(void)
{
	u64 *t = (u64 *)(g.mem + TABLES);
	int i;

	t[0] = TABLES + 0x1007;
	t[512] = TABLES + 0x2007;
	t[1024] = LEVEL1 + 7;
	for (i = 0; i < PAGES; i++)
		t[1536 + i] = i * PAGE + 7;
}

static volatile u64 *entry_of(u64 addr)
{
	return (u64 *)(g.mem + LEVEL1) + addr / PAGE;
}

static void start(const u8 *code, const u8 *end)
{
	guest_open(&g, PAGES);
	memset(g.mem, 0, g.size);
	memcpy(g.mem + ENTRY, code, end - code);
	make_tables();
}

#define START(code)	start(code, code##_end)

static bool is_well(const struct lguest_exit *e)
{
	return e->kind == LGEXIT_SHUTDOWN && e->arg[0] == 42;
}

static void must_be_well(const char *what)
{
	struct lguest_exit e = run(&g);

	if (!is_well(&e))
		wrong("%s: it ended with kind %u, vector %#x: %s", what, e.kind, e.vector, e.reason);
	close(g.fd);
}

/* After what was done to it the Host must still run a decent Guest. */
static void decent(void)
{
	START(report);
	must_be_well("a decent Guest");
}

/* --- what a Launcher may put into a register ----------------------------- */

static const u64 selectors[] = {
	0, 1, 2, 3, 4, 7, 8, 0xb, 0x10, 0x13, 0x18, 0x1b, 0x20, 0x23, 0x28, 0x2b,
	0x30, 0x33, 0x38, 0x3b, 0x40, 0x43, 0x48, 0x4b, 0x50, 0x53, 0x7b, 0x7f,
	0xfff8, 0xffff, 0x10033, 0xffffffffffffffff,
};

static void try_selector(int reg, u64 sel)
{
	struct lguest_exit e;
	u64 is;

	START(report);
	set(&g, reg, sel);
	e = run(&g);
	if (reg == LGREG_CS && sel == CS32 ? e.kind != LGEXIT_DEAD || e.vector != 6 : !is_well(&e))
		wrong("register %d, selector %#llx: kind %u, vector %#x: %s", reg, (ull)sel,
		      e.kind, e.vector, e.reason);
	is = get(&g, LGREG_CS);
	if (is != CS32 && is != CS64)
		wrong("CS is %#llx", (ull)is);
	is = get(&g, LGREG_SS);
	if (is != 0x2b)
		wrong("SS is %#llx", (ull)is);
	close(g.fd);
}

static void case_selectors(void)
{
	static const int regs[] = { LGREG_CS, LGREG_SS, LGREG_DS, LGREG_ES, LGREG_FS, LGREG_GS };
	size_t i, j;

	for (i = 0; i < sizeof(regs) / sizeof(*regs); i++)
		for (j = 0; j < sizeof(selectors) / sizeof(*selectors); j++)
			try_selector(regs[i], selectors[j]);
}

static void case_frames(void)
{
	static const struct { u64 rip, cs; bool address; } tries[] = {
		{ 0x800000000000, CS64, false }, { 0xffff7fffffffffff, CS64, false },
		{ 1ull << 63, CS64, false }, { 0x7fffffffffff, CS64, true },
		{ 0xffff800000000000, CS64, true }, { 0xffffffffffffffff, CS64, true },
		{ 1ull << 32, CS32, false }, { 0xffffffff, CS32, true },
		{ 0x800000000000, 0x10, false }, { VCPUS, 8, true },
	};
	struct lguest_exit e;
	size_t i;

	for (i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		START(report);
		set(&g, LGREG_RIP, tries[i].rip);
		set(&g, LGREG_CS, tries[i].cs);
		set(&g, LGREG_SS, 0x10);
		set(&g, LGREG_RSP, 0x800000000000);
		e = run(&g);
		if (e.kind != LGEXIT_DEAD ||
		    (tries[i].address ? e.vector != 14 : !strstr(e.reason, "is not an address")))
			wrong("RIP %#llx: kind %u, vector %#x: %s", (ull)tries[i].rip, e.kind,
			      e.vector, e.reason);
		close(g.fd);
	}
}

static void case_flags(void)
{
	struct lguest_exit e;
	u64 is;
	int i;

	for (i = 0; i <= 64; i++) {
		START(flags);
		set(&g, LGREG_RFLAGS, i < 64 ? 1ull << i : 0);
		e = run(&g);
		is = get(&g, LGREG_RBX);
		if (i == 8 ? e.kind != LGEXIT_DEAD || e.vector != 1 : !is_well(&e))
			wrong("flag %d: kind %u, vector %#x: %s", i, e.kind, e.vector, e.reason);
		else if (i != 8 && (!(is & 0x200) || is & 0x1ba000 || is >> 22))
			wrong("flag %d: it sees %#llx", i, (ull)is);
		close(g.fd);
	}
}

static void case_bases(void)
{
	static const u64 bases[] = {
		0x800000000000, 0xffff7fffffffffff, 1ull << 63, 0x123456789abcdef0,
		0x7fffffffffff, 0xffff800000000000, TEXT, VCPUS, 0xffffffffffffffff,
	};
	size_t i;
	int reg;

	for (i = 0; i < sizeof(bases) / sizeof(*bases); i++)
		for (reg = LGREG_FS_BASE; reg <= LGREG_GS_BASE; reg++) {
			u64 want = (bases[i] + (1ull << 47)) >> 48 ? 0 : bases[i], is;
			struct lguest_exit e;

			START(report);
			set(&g, reg, bases[i]);
			e = run(&g);
			is = get(&g, reg);
			if (!is_well(&e) || is != want)
				wrong("base %#llx: kind %u, is %#llx: %s", (ull)bases[i], e.kind,
				      (ull)is, e.reason);
			close(g.fd);
		}
}

/* --- debug registers ---------------------------------------------------- */

static int breakpoint(u64 addr, int type, int len)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(a), .bp_type = type,
		.bp_addr = addr, .bp_len = len, .sample_period = 1,
	};
	int fd = syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);

	if (fd < 0)
		wrong("no breakpoint at %#llx: %s", (ull)addr, strerror(errno));
	return fd;
}

static u64 hits(int fd)
{
	u64 n = 0;

	if (read(fd, &n, sizeof(n)) != sizeof(n))
		wrong("no count: %s", strerror(errno));
	return n;
}

static void case_breakpoints(void)
{
	static volatile u64 mine;
	struct { u64 addr; int type, len; } at[] = {
		{ DATA, HW_BREAKPOINT_RW, 8 },		/* an address of the Guest's */
		{ CPUS + PAGE, HW_BREAKPOINT_RW, 8 },	/* the CPU's page: its GDT */
		{ VCPUS + PAGE - 8, HW_BREAKPOINT_RW, 8 }, /* the end of a stack */
		{ TEXT, HW_BREAKPOINT_X, 8 },		/* the way in */
	};
	int fd[4], i, own;

	for (i = 0; i < 4; i++)
		fd[i] = breakpoint(at[i].addr, at[i].type, at[i].len);
	START(toucher);
	must_be_well("watched");
	for (i = 0; i < 4; i++) {
		if (fd[i] >= 0 && hits(fd[i]))
			wrong("%llu hits at %#llx", (ull)hits(fd[i]), (ull)at[i].addr);
		close(fd[i]);
	}
	/* and the Host's own still work */
	own = breakpoint((u64)&mine, HW_BREAKPOINT_W, 8);
	START(toucher);
	mine = 1;
	must_be_well("watched");
	mine = 2;
	if (own >= 0 && hits(own) != 2)
		wrong("%llu hits of 2", (ull)hits(own));
	close(own);
}

/* Two breakpoints of the Host's, and one of the Guest's where the first of them was. */
static void case_wires(void)
{
	static volatile u64 mine[2];
	int fd[2], i;

	for (i = 0; i < 2; i++)
		fd[i] = breakpoint((u64)&mine[i], HW_BREAKPOINT_W, 8);
	for (i = 0; i < 20; i++) {
		struct lguest_exit e;

		START(wired);
		mine[1]++;	/* not right before mine[0]: QEMU would call that both */
		e = run(&g);
		if (e.kind != LGEXIT_DEAD || e.vector != 1)
			wrong("kind %u, vector %#x: %s", e.kind, e.vector, e.reason);
		mine[0]++;
		close(g.fd);
	}
	for (i = 0; i < 2; i++) {
		if (hits(fd[i]) != 20)
			wrong("%llu hits of the Host's breakpoint %d", (ull)hits(fd[i]), i);
		close(fd[i]);
	}
}

/* A single step leaves a bit in DR6; the next debug trap is one of the Host's kernel. */
static void case_sticky(void)
{
	static u64 mine;
	struct lguest_exit e;
	int fd = breakpoint((u64)&mine, HW_BREAKPOINT_W, 8), pipes[2];
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (pipe(pipes) || write(pipes[1], "01234567", 8) != 8)
		die("pipe");
	START(stepper);
	e = run(&g);
	if (read(pipes[0], &mine, 8) != 8)	/* the kernel writes there */
		die("read");
	if (e.kind != LGEXIT_DEAD || e.vector != 1)
		wrong("kind %u, vector %#x", e.kind, e.vector);
	if (hits(fd) != 1)
		wrong("%llu hits of 1", (ull)hits(fd));
	close(fd);
	close(g.fd);
}

/* --- what a process may have and its Guest must not ------------------------ */

static void must_ask_for_port(const char *what)
{
	struct lguest_exit e;

	START(port);
	e = run(&g);
	if (e.kind != LGEXIT_PORT || e.arg[0] != 0x70)
		wrong("%s: kind %u, vector %#x: %s", what, e.kind, e.vector, e.reason);
	close(g.fd);
}

static void case_ports(void)
{
	must_ask_for_port("no rights");
	if (ioperm(0x70, 2, 1))
		die("ioperm");
	must_ask_for_port("ioperm");
	if (iopl(3))
		die("iopl");
	must_ask_for_port("iopl");
}

static void case_clock(void)
{
	struct lguest_exit e;

	prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0);
	START(asks_time);
	e = run(&g);
	if (e.kind != LGEXIT_DEAD || e.vector != 13)
		wrong("kind %u, vector %#x: %s", e.kind, e.vector, e.reason);
	close(g.fd);
	prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0);
	decent();
}

/* --- what is in what a Guest, and a Launcher, is given ---------------------- */

static void case_leaks(void)
{
	struct lguest_exit e;
	size_t i;
	int reg;

	START(vectors);
	for (reg = LGREG_RAX; reg <= LGREG_R15; reg++) {
		u64 want = reg == LGREG_RDI ? g.size : reg == LGREG_RSP ? g.size - 8 : 0;

		if (get(&g, reg) != want)
			wrong("register %d begins as %#llx", reg, (ull)get(&g, reg));
	}
	asm volatile("pcmpeqb %%xmm0, %%xmm0; movdqa %%xmm0, %%xmm7; movdqa %%xmm0, %%xmm14"
		     ::: "xmm0", "xmm7", "xmm14");
	memset(&e, 0xaa, sizeof(e));
	if (read(g.fd, &e, sizeof(e)) != sizeof(e))
		die("read");
	if (!is_well(&e) || e.arg[1] || e.error || e.cr2 || e.insn_len)
		wrong("the end has more in it than its status");
	for (i = 0; i < sizeof(e.insn); i++)
		if (e.insn[i])
			wrong("byte %zu of an instruction is %#x", i, e.insn[i]);
	for (i = 0; i < sizeof(e.reason); i++)
		if (e.reason[i])
			wrong("byte %zu of a reason is %#x", i, e.reason[i]);
	if (get(&g, LGREG_RBX) != 0xffff || get(&g, LGREG_R8) != 0xffff ||
	    get(&g, LGREG_R9) != 0xffff || get(&g, LGREG_R10) != 0x1f80)
		wrong("it found something in a vector register");
	close(g.fd);
}

/* --- memory that is not for a Guest ----------------------------------------- */

static u64 mapping(const char *name, u64 *end)
{
	char *text = proc("/proc/self/maps"), *at = strstr(text, name);
	u64 from = 0;

	while (at && at > text && at[-1] != '\n')
		at--;
	if (!at || sscanf(at, "%llx-%llx", (ull *)&from, (ull *)end) != 2)
		wrong("no %s", name);
	return from;
}

static struct lguest_exit at_memory(u8 *mem, u64 size, const u8 *code, const u8 *end, u64 addr)
{
	struct guest h = { .mem = mem, .size = size };
	struct lguest_exit e;

	memcpy(mem + ENTRY, code, end - code);
	guest_open(&h, size / PAGE);
	set(&h, LGREG_RSI, addr);
	e = run(&h);
	close(h.fd);
	return e;
}

#define AT_MEMORY(mem, size, code, addr) at_memory(mem, size, code, code##_end, addr)

static void not_there(const struct lguest_exit *e, const char *what)
{
	if (e->kind != LGEXIT_DEAD || !strstr(e->reason, "of its memory is not there"))
		wrong("%s: kind %u, vector %#x: %s", what, e->kind, e->vector, e->reason);
}

static void case_memory(void)
{
	u64 vvar, vdso, end = 0, none, size;
	struct lguest_exit e;
	u8 copy[PAGE], *mem, *shown;
	volatile u8 *zero = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memfd_create("sealed", 0), i;

	/* our code, then what the kernel keeps for every process */
	vvar = mapping("[vvar]", &none);
	vdso = mapping("[vdso]", &end);
	mem = mmap((void *)(vvar - 4 * PAGE), 4 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (bad)
		return;
	if (mem != (u8 *)vvar - 4 * PAGE) {
		/* It lies at random above the stack, now and then too near: another life, another place. */
		execl("/proc/self/exe", "attacks", "memory", NULL);
		die("exec");
	}
	size = end - (u64)mem;
	memcpy(copy, (void *)vdso, PAGE);
	e = AT_MEMORY(mem, size, reads, vvar - (u64)mem);
	not_there(&e, "a read of vvar");
	e = AT_MEMORY(mem, size, reads, vdso - (u64)mem);
	if (!is_well(&e))
		wrong("a read of the vdso: kind %u: %s", e.kind, e.reason);
	e = AT_MEMORY(mem, size, writes, vdso + 0x40 - (u64)mem);
	not_there(&e, "a write to the vdso");
	if (memcmp(copy, (void *)vdso, PAGE))
		wrong("the vdso of all processes has been changed");

	/* a file that may be read only, and a page of zeroes that all share */
	if (ftruncate(fd, PAGE) || pwrite(fd, "file", 4, 0) != 4)
		die("memfd");
	shown = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mmap(shown + 4 * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		die("mmap");
	e = AT_MEMORY(shown, 5 * PAGE, reads, 4 * PAGE);
	if (!is_well(&e))
		wrong("a read of a file: kind %u: %s", e.kind, e.reason);
	e = AT_MEMORY(shown, 5 * PAGE, writes, 4 * PAGE);
	not_there(&e, "a write to a file");
	if (memcmp(shown + 4 * PAGE, "file", 4))
		wrong("the file has been changed");
	for (i = 0; i < 2; i++) {
		e = i ? AT_MEMORY(shown, 4 * PAGE, writes, 2 * PAGE) :
			AT_MEMORY(shown, 4 * PAGE, reads, 2 * PAGE);
		if (!is_well(&e) || zero[0] || zero[1])
			wrong("the page of zeroes: kind %u, %#x: %s", e.kind, zero[0], e.reason);
	}
	/* and what the Launcher's own keys forbid it */
	i = pkey_alloc(0, PKEY_DISABLE_ACCESS);
	if (i >= 0 && !pkey_mprotect(shown + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, i)) {
		e = AT_MEMORY(shown, 4 * PAGE, reads, 2 * PAGE);
		not_there(&e, "a read of a page with a key");
	}
}

/* --- the window, from the Launcher ------------------------------------------ */

static sigjmp_buf back;

static void on_fault(int sig)
{
	siglongjmp(back, sig);
}

static void case_window(void)
{
	static const u64 at[] = {
		TEXT, CPUS, CPUS + PAGE, VCPUS, VCPUS + PAGE - 8, 0xffff808000000000,
		0xffff808000000008, TEXT + PAGE,
	};
	struct lguest_version v;
	size_t i;
	int how;

	START(report);
	signal(SIGSEGV, on_fault);
	for (i = 0; i < sizeof(at) / sizeof(*at); i++) {
		for (how = 0; how < 3; how++) {
			if (sigsetjmp(back, 1))
				continue;
			if (how == 0)
				(void)*(volatile u8 *)at[i];
			else if (how == 1)
				*(volatile u8 *)at[i] = 0;
			else
				((void (*)(void))at[i])();
			wrong("access %d to %#llx of the window is allowed", how, (ull)at[i]);
		}
		struct iovec to = { &v, 8 }, from = { (void *)at[i], 8 };

		if (write(g.fd, (void *)at[i], sizeof(v)) != -1 || errno != EFAULT)
			wrong("a request at %#llx: %s", (ull)at[i], strerror(errno));
		if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != -1)
			wrong("process_vm_readv() of %#llx works", (ull)at[i]);
		if (mmap((void *)at[i], PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			 -1, 0) != MAP_FAILED)
			wrong("mmap() at %#llx works", (ull)at[i]);
		if (mprotect((void *)(at[i] & -PAGE), PAGE, PROT_READ) != -1)
			wrong("mprotect() of %#llx works", (ull)at[i]);
	}
	/* what it is told goes there neither, and is not lost */
	if (read(g.fd, (void *)VCPUS, PAGE) != -1 || errno != EFAULT)
		wrong("an answer at the window: %s", strerror(errno));
	must_be_well("afterwards");
}

/* --- what others write while the Guest runs ---------------------------------- */

static volatile bool stop;
static volatile u64 *target;
static const u64 *values;
static size_t how_many;
static volatile u64 done_so_far;

static void *poison(void *unused)
{
	(void)unused;
	while (!stop)
		for (size_t i = 0; i < how_many && !stop; i++) {
			*target = values[i];
			done_so_far++;
			if (!(done_so_far % 64))
				sched_yield();
		}
	return NULL;
}

static void with_poison(const char *what, u64 addr, const u64 *list, size_t n)
{
	struct lguest_exit e;
	pthread_t thread;
	int life;

	for (life = 0; life < 6; life++) {
		START(bouncer);
		memcpy(g.mem + FRAME, (u64 []){ PROGRAM, 0x202, 0, 0, 0 }, 40);
		target = (u64 *)(g.mem + addr);
		values = list;
		how_many = n;
		stop = false;
		if (life)
			pthread_create(&thread, NULL, poison, NULL);
		e = run(&g);
		stop = true;
		if (life)
			pthread_join(thread, NULL);
		if (life ? !is_well(&e) && e.kind != LGEXIT_DEAD && e.kind != LGEXIT_DEVICE &&
			   e.kind != LGEXIT_PORT && e.kind != LGEXIT_CONSOLE : !is_well(&e))
			wrong("%s: kind %u, vector %#x: %s", what, e.kind, e.vector, e.reason);
		if (strstr(e.reason, "Switcher"))
			wrong("%s: %s", what, e.reason);
		close(g.fd);
	}
}

static void case_rewritten(void)
{
	u64 rip[] = { PROGRAM, 0x800000000000, PROGRAM, VCPUS, PROGRAM, 1ull << 63 };
	static const u64 rflags[] = { 0x202, 0, ~0ull, 0x3202, 0x20202, 0x302, 0x4202 };
	static const u64 calls[] = { 0, LHCALL_FLUSH, LHCALL_RESUME, LHCALL_PAGING,
		LHCALL_DROP, LHCALL_SHUTDOWN, ~0ull, 1ull << 32 | LHCALL_FLUSH };
	static const u64 leaf[] = { TOUCHED | 7, 0, TOUCHED | 5, 1ull << 39 | 7, 1ull << 45 | 7,
				    0xfffff007, TOUCHED | 0x8000000000000007, LEVEL1 | 7 };
	static const u64 table[] = { LEVEL1 | 7, 0x40000007, LEVEL1 | 7, TABLES | 7, 0x87,
				     1ull << 50 | 7, LEVEL1 | 0x87 };
	static const u64 code[] = { 0x0f9090909090b848, 0xcccccccccccccccc, 0xecececececececec,
				    0x050f000003ebb890, 0xf4f4f4f4f4f4f4f4 };

	with_poison("where to go", FRAME, rip, 6);
	with_poison("its flags", FRAME + 8, rflags, 7);
	with_poison("the ring", RING, calls, 8);
	with_poison("an entry", LEVEL1 + TOUCHED / PAGE * 8, leaf, 8);
	with_poison("a table", TABLES + 0x2000, table, 7);
	with_poison("the root", TABLES, table, 7);
	with_poison("code", ENTRY + (bouncer_end - bouncer) / 2, code, 5);
	decent();
}

static void *refill(void *unused)
{
	volatile u64 *ring = (u64 *)(g.mem + RING);
	u64 round;

	(void)unused;
	/* but not for ever, or nobody could tell */
	for (round = 0; round < 20000000 && !stop; round++) {
		ring[round % 64 * 3] = LHCALL_FLUSH;
		done_so_far = round;
	}
	return NULL;
}

/* How many words of the Guest's have been done, says debugfs. */
static long words_done(void)
{
	static const char root[] = "/sys/kernel/debug/lguest";
	struct dirent *entry;
	char path[300];
	long n = -1;
	DIR *dir;

	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	dir = opendir(root);
	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name) == getpid()) {
			snprintf(path, sizeof(path), "%s/%s/counters", root, entry->d_name);
			n = line_of(path, "hypercalls ");
		}
	if (dir)
		closedir(dir);
	return n;
}

static void case_refilled(void)
{
	struct lguest_exit e;
	pthread_t thread;
	int life;
	long n;

	for (life = 0; life < 10 && !bad; life++) {
		START(ringer);
		stop = false;
		done_so_far = 0;
		pthread_create(&thread, NULL, refill, NULL);
		while (done_so_far < 64)
			sched_yield();
		e = run(&g);
		stop = true;
		pthread_join(thread, NULL);
		if (!is_well(&e))
			wrong("a ring that is never empty: kind %u: %s", e.kind, e.reason);
		/* three words, and before two of them a ring that is full */
		n = words_done();
		if (n < 4 || n > 3 + 2 * 64)
			wrong("%ld words in three hypercalls", n);
		close(g.fd);
	}
}

/* The Host sets bits of an entry while the Launcher counts in others. */
static u64 counted;

static void *count(void *unused)
{
	volatile u64 *entry = entry_of(TOUCHED);
	u64 n = 0;

	(void)unused;
	while (!stop) {
		__atomic_fetch_add(entry, n % 100 < 50 ? 1ull << 52 : -(1ull << 52), __ATOMIC_SEQ_CST);
		n++;
	}
	counted = n % 100 <= 50 ? n % 100 : 100 - n % 100;
	return NULL;
}

static void case_marks(void)
{
	pthread_t thread;
	int life;

	for (life = 0; life < 3; life++) {
		START(marker);
		stop = false;
		pthread_create(&thread, NULL, count, NULL);
		must_be_well("marking");
		stop = true;
		pthread_join(thread, NULL);
		if ((*entry_of(TOUCHED) >> 52 & 0x7f) != counted)
			wrong("%llu was counted, %llu is there: the Host has written over it",
			      (ull)counted, (ull)(*entry_of(TOUCHED) >> 52 & 0x7f));
	}
}

/* The Launcher turns an entry away from memory, and takes the memory. */
static void case_retargeted(void)
{
	static const u64 to[] = {
		TOUCHED | 7, 0x6007, 0xfee00007, 0x6007, 0, 1ull << 45 | 7, 0x400007, TOUCHED | 5,
	};
	struct lguest_exit e;
	u64 rbx;
	size_t i;
	int take;

	for (take = 0; take < 2; take++)
		for (i = 0; i < sizeof(to) / sizeof(*to); i++) {
			START(looker);
			g.mem[TOUCHED] = 'A';
			g.mem[0x6000] = 'B';
			e = run(&g);
			rbx = get(&g, LGREG_RBX);
			if (e.kind != LGEXIT_CONSOLE || (rbx & 0xff) != 'A')
				wrong("it begins with kind %u and %#llx", e.kind, (ull)rbx);
			*entry_of(TOUCHED) = to[i];
			if (take)
				madvise(g.mem + TOUCHED, PAGE, MADV_DONTNEED);
			e = run(&g);
			rbx = get(&g, LGREG_RBX) & 0xff;
			/* a processor may remember; nobody may see anything else */
			if (e.kind == LGEXIT_CONSOLE ? rbx != (take ? 0 : 'A') && rbx != 'B' :
			    e.kind == LGEXIT_DEVICE ? e.arg[0] != (to[i] & 0xfffffffff000) :
			    e.kind != LGEXIT_DEAD || e.vector != 14)
				wrong("to %#llx, taken %d: kind %u, it sees %#llx: %s", (ull)to[i],
				      take, e.kind, (ull)rbx, e.reason);
			close(g.fd);
		}
}

/* Two Guests in the same memory: one writes over the other's tables. */
static void *scribble(void *unused)
{
	struct guest h = { .mem = g.mem, .size = g.size };
	struct lguest_exit e;

	(void)unused;
	guest_open(&h, PAGES);
	set(&h, LGREG_RIP, 0x20000);
	e = run(&h);
	if (!is_well(&e))
		wrong("the scribbler: kind %u: %s", e.kind, e.reason);
	close(h.fd);
	return NULL;
}

static void case_siblings(void)
{
	struct lguest_exit e;
	pthread_t thread;
	int life;

	for (life = 0; life < 10; life++) {
		START(bouncer);
		memcpy(g.mem + 0x20000, scribbler, scribbler_end - scribbler);
		memcpy(g.mem + FRAME, (u64 []){ PROGRAM, 0x202, 0, 0, 0 }, 40);
		pthread_create(&thread, NULL, scribble, NULL);
		e = run(&g);
		if (!is_well(&e) && e.kind != LGEXIT_DEAD && e.kind != LGEXIT_DEVICE)
			wrong("kind %u, vector %#x: %s", e.kind, e.vector, e.reason);
		pthread_join(thread, NULL);
		close(g.fd);
	}
	decent();
}

/* A mad Launcher: any number into any register, again and again. */
static void case_registers(void)
{
	u64 x = 88172645463325252ull;
	struct lguest_exit e;
	int n, i;

	for (n = 0; n < 300; n++) {
		START(report);
		for (i = 0; i < LGREG_COUNT; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			if (i != LGREG_RIP || n % 2)
				set(&g, i, x & 1 ? x : x >> (x % 61));
		}
		e = run(&g);
		if (e.kind < LGEXIT_CONSOLE || e.kind > LGEXIT_PORT || strstr(e.reason, "Switcher"))
			wrong("round %d: kind %u: %s", n, e.kind, e.reason);
		close(g.fd);
	}
	decent();
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } cases[] = {
		{ "selectors", case_selectors }, { "frames", case_frames }, { "flags", case_flags },
		{ "bases", case_bases }, { "breakpoints", case_breakpoints },
		{ "wires", case_wires },
		{ "sticky", case_sticky }, { "ports", case_ports }, { "clock", case_clock },
		{ "leaks", case_leaks }, { "memory", case_memory }, { "window", case_window },
		{ "rewritten", case_rewritten }, { "refilled", case_refilled },
		{ "marks", case_marks }, { "retargeted", case_retargeted },
		{ "siblings", case_siblings }, { "registers", case_registers },
	};
	size_t i, known = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (argc == 2 && !strcmp(argv[1], cases[i].name)) {
			known++;
			cases[i].run();
		}
	if (!known)
		wrong("no such case");
	return bad != 0;
}
