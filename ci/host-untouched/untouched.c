/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * While a Guest fills every register with its own values, do the Launcher, other
 * programs and the kernel keep theirs?  usage: untouched [seconds]
 */
#include <asm/ldt.h>
#include <cpuid.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include "tiny.h"

#define AVX	1
#define PKU	2
#define BASES	4

struct held {
	u64 ymm[16][4];
	u32 mxcsr;
	u16 fcw, pad;
	u64 gsbase, pkru;
	u16 ds, es, gs, pad2;
	u64 fsbase, end[3];
} __attribute__((aligned(64)));

long hold(struct held *in, struct held *out, int features, long spin, long nr, const long *arg);
extern const u8 guest[], guest_end[];

#define GUEST_PAGES	2064		/* the Guest's memory reaches over the watchpoint's address */
#define WATCHED		0x804000ul	/* in the Launcher, and elsewhere in the Guest */

#define PATIENCE	120		/* seconds more, on a busy machine, until all have seen enough */
#define MAX_CPUS	64

static volatile struct {	/* by all processes */
	bool stop;
	u64 reads[MAX_CPUS], counted[MAX_CPUS];
} *all;

static int features, bad;
static u32 seed;

#define WRONG(...) do { if (bad++ < 10) { printf(__VA_ARGS__); putchar('\n'); } } while (0)

static u32 rnd(void)
{
	return seed = seed * 1664525 + 1013904223;
}

static void ldt_entry(int n, u32 base)
{
	struct user_desc d = {
		.entry_number = n, .base_addr = base, .limit = 0xfffff,
		.limit_in_pages = 1, .seg_32bit = 1, .useable = 1,
	};

	if (syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)))
		die("modify_ldt");
}

static u64 fsbase(void)
{
	u64 base;

	asm("mov %%fs:0, %0" : "=r" (base));	/* the C library's pointer to itself */
	return base;
}

/* One round: everything full of numbers, a system call, everything compared. */
static long round_trip(const char *who, long spin, long nr, long a, long b, long c)
{
	/* No base in DS or ES: QEMU 7.2 adds it, even in 64-bit mode and in the kernel. */
	static const u16 selectors[] = { 0, 0x2b, 7, 0x23, 0x33 };
	struct held in = { 0 }, out = { 0 };
	long arg[3] = { a, b, c }, ret;
	int i, j;

	for (i = 0; i < 16; i++)
		for (j = 0; j < 4; j++)
			in.ymm[i][j] = (u64)rnd() << 32 | rnd();
	in.mxcsr = 0x1f80 | (rnd() & 3) << 13;
	in.fcw = 0x37f ^ (rnd() & 0xc00);
	in.gs = rnd() & 0x10000 ? 15 : 0;
	in.gsbase = in.gs ? 0x12345000 : 0x7000000000 + (rnd() & 0xfffffff);
	in.pkru = 0xaaaaaaa8 & rnd();
	in.ds = selectors[(rnd() >> 16) % 5];
	in.es = selectors[(rnd() >> 16) % 5];
	ret = hold(&in, &out, features, spin, nr, arg);
	for (i = 0; i < 16; i++)
		if (memcmp(in.ymm[i], out.ymm[i], features & AVX ? 32 : 16))
			WRONG("%s: YMM%d was %016llx %016llx is %016llx %016llx", who, i,
			      (ull)in.ymm[i][2], (ull)in.ymm[i][0], (ull)out.ymm[i][2], (ull)out.ymm[i][0]);
	if (in.mxcsr != (out.mxcsr & ~0x3fu))
		WRONG("%s: MXCSR was %#x is %#x", who, in.mxcsr, out.mxcsr);
#define SAME(field) do { if (in.field != out.field)			\
		WRONG("%s: " #field " was %#llx is %#llx", who, (ull)in.field, (ull)out.field); } while (0)
	SAME(fcw);
	SAME(ds);
	SAME(es);
	SAME(gs);
	if (features & BASES) {
		SAME(gsbase);
		in.fsbase = fsbase();
		SAME(fsbase);
	}
	if (features & PKU)
		SAME(pkru);
	return ret;
}

/* A watchpoint of this process: how often was it hit? */
static int watch(volatile void *addr)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(a),
		.bp_type = HW_BREAKPOINT_W, .bp_addr = (u64)addr,
		.bp_len = HW_BREAKPOINT_LEN_8, .exclude_kernel = 1,
	};
	int fd = syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);

	if (fd < 0)
		die("a watchpoint");
	return fd;
}

static u64 hits(int fd)
{
	u64 n = 0;

	if (read(fd, &n, 8) != 8)
		die("read a watchpoint");
	return n;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static pid_t worker(int n)
{
	static volatile u64 mine;
	pid_t pid = fork();
	char name[32];
	u64 wrote = 0;
	int fd;

	if (pid)
		return pid;
	seed = 77 * n + 1;
	snprintf(name, sizeof(name), "program %d", n);
	fd = watch(&mine);
	while (!all->stop) {
		round_trip(name, 20000, n & 1 ? SYS_getppid : SYS_sched_yield, 0, 0, 0);
		mine = wrote++;
		if (hits(fd) != wrote) {
			WRONG("%s: %llu writes, %llu hits of its watchpoint", name, (ull)wrote, (ull)hits(fd));
			break;
		}
	}
	printf("%s: %llu rounds, %d wrong\n", name, (ull)wrote, bad);
	_exit(bad != 0);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void launcher(int n)
{
	static const struct itimerval every = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction sa = { .sa_handler = on_alarm };
	struct guest g = { 0 };
	struct lguest_exit e;
	u64 wrote = 0;
	char name[32];
	int fd;

	seed = 991 * n;
	snprintf(name, sizeof(name), "Launcher %d", n);
	sigaction(SIGALRM, &sa, NULL);
	g.size = GUEST_PAGES * PAGE;
	g.mem = mmap((void *)(WATCHED - 0x4000), g.size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (g.mem == MAP_FAILED)
		die("mmap");
	guest_open(&g, GUEST_PAGES);
	memcpy(g.mem + ENTRY, guest, guest_end - guest);
	set(&g, LGREG_R14, WATCHED);
	set(&g, LGREG_R15, features);
	fd = watch((void *)WATCHED);
	setitimer(ITIMER_REAL, &every, NULL);
	while (!all->stop) {
		long ret = round_trip(name, 0, SYS_read, g.fd, (long)&e, sizeof(e));

		if (ret != -EINTR) {
			WRONG("%s: read gave %ld, kind %u status %llu: %s", name, ret, e.kind, (ull)e.arg[0], e.reason);
			break;
		}
		all->reads[n]++;
		all->counted[n] = *(volatile u64 *)(g.mem + 0x3000);
		*(volatile u64 *)WATCHED = wrote++;
		if (hits(fd) != wrote) {
			WRONG("%s: %llu writes, %llu hits of its watchpoint", name, (ull)wrote, (ull)hits(fd));
			break;
		}
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	printf("%s: %llu reads, the Guest went round %llu times, %d wrong\n", name,
	       (ull)all->reads[n], (ull)all->counted[n], bad);
	if (bad)
		all->stop = true;	/* nobody needs to wait for more */
	_exit(bad != 0);
}

/* What the witness saw on a CPU; -1 if it has no such line. */
static int seen(int cpu, unsigned long *inside, unsigned long *wrong, const char **line)
{
	unsigned long ticks;
	char name[32];

	snprintf(name, sizeof(name), "watch %d", cpu);
	*line = witness(name);
	return sscanf(*line, "ticks %lu inside %lu wrong %lu", &ticks, inside, wrong) == 3 ? 0 : -1;
}

/* Have Launchers, Guests and the witness all had their turn? */
static bool enough(int cpus)
{
	unsigned long in, wrong, inside = 0;
	const char *line;
	int i;

	for (i = 0; i < cpus; i++) {
		if (all->reads[i] < 5 || !all->counted[i])
			return false;
		if (!seen(i, &in, &wrong, &line))
			inside += in;
	}
	return inside >= 10;
}

int main(int argc, char **argv)
{
	double until = now() + (argc > 1 ? atof(argv[1]) : 6);
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), i, n = 0, status;
	unsigned int a, b, c, d;
	const char *line;

	setvbuf(stdout, NULL, _IOLBF, 0);
	__cpuid(1, a, b, c, d);
	if (c & (1 << 27) && c & (1 << 28))
		features |= AVX;
	__cpuid_count(7, 0, a, b, c, d);
	if (c & (1 << 4))
		features |= PKU;
	if (getauxval(AT_HWCAP2) & 2)
		features |= BASES;
	printf("features:%s%s%s\n", features & AVX ? " AVX" : "", features & PKU ? " protection keys" : "",
	       features & BASES ? " FSGSBASE" : "");
	ldt_entry(0, 0);
	ldt_entry(1, 0x12345000);
	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED || cpus > MAX_CPUS)
		die("mmap");
	tell_witness("watch");
	for (i = 0; i < 2 * cpus; i++, n++)
		worker(i);
	for (i = 0; i < cpus; i++, n++)
		if (!fork())
			launcher(i);
	while (!all->stop && (now() < until || (!enough(cpus) && now() < until + PATIENCE)))
		usleep(100000);
	if (!all->stop && !enough(cpus)) {
		printf("too few reads, rounds or interrupts of the witness while a Guest ran\n");
		bad++;
	}
	all->stop = true;
	while (n--) {
		if (wait(&status) < 0)
			die("wait");
		if (status)
			bad++;
	}
	tell_witness("unwatch");
	for (i = 0; i < cpus; i++) {
		unsigned long in, wrong;

		if (seen(i, &in, &wrong, &line) || wrong)
			bad++;
		printf("the kernel on CPU %d: %.*s\n", i, (int)strcspn(line, "\n"), line);
	}
	return bad != 0;
}
