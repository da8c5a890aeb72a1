// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Launcher for tests: each ride is the whole life of one small Guest.
 * The driver stops it in checkpoint(), writes the way that it wants into
 * ride, and reads there what came of the last one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "lguest.h"
#include "ride.h"

_Static_assert(LGREG_COUNT == REGISTERS, "ride.h counts the registers");
_Static_assert(LGREG_RFLAGS == R_RFLAGS, "ride.h orders the registers");

extern const char guest[], guest_end[];
extern const char guest_begin_value[];	/* an address, from the linker */

struct way {
	uint64_t begin, at, stop, vector, error, cr2, cs, flags;
};

volatile struct {
	uint64_t end;		/* the driver has had enough */
	uint64_t reload;	/* unload lg.ko and load it again first */
	uint64_t verdict;	/* 0: all was as it should be */
	uint64_t rides;
	uint64_t driven;	/* one life for many ways, led by the driver */
	struct way way;
	char why[160];		/* if it was not */
} ride;

struct host_state {		/* as nmitest.c fills it */
	uint64_t value[64];
};

static char *mem;
static uint64_t expect[REGISTERS + 32];

static void fail(const char *fmt, ...)
{
	va_list args;

	if (ride.verdict)
		return;
	ride.verdict = 1;
	va_start(args, fmt);
	vsnprintf((char *)ride.why, sizeof(ride.why), fmt, args);
	va_end(args);
}

__attribute__((noinline)) void checkpoint(void)
{
	asm volatile(".globl checkpoint_here\ncheckpoint_here: nop" ::: "memory");
}

static uint64_t pattern(int i)
{
	return 0x9e3779b97f4a7c15 * (i + 1 + ride.rides * 64);
}

/* A register's first value: a pattern wherever the processor takes any. */
static void fill_registers(const struct way *way)
{
	int i;

	for (i = 0; i < REGISTERS + 32; i++)
		expect[i] = pattern(i);
	expect[LGREG_RSP] = STACK;
	expect[LGREG_RIP] = 0;
	expect[LGREG_RFLAGS] = FLAGS;
	expect[LGREG_CS] = 0x33;
	expect[LGREG_SS] = 0x2b;
	expect[LGREG_DS] = 0x23;	/* not what the Launcher has in it */
	expect[LGREG_ES] = 0x23;
	expect[LGREG_FS] = 0x2b;
	expect[LGREG_GS] = 0x33;
	expect[LGREG_FS_BASE] >>= 17;
	expect[LGREG_GS_BASE] = (int64_t)expect[LGREG_GS_BASE] >> 17;
	if (way->vector == ~0ull && way->cr2 != SHORT_OTHER && way->cr2 != SHORT_FAULT) {
		expect[LGREG_RAX] = LHCALL_REPORT;
		expect[LGREG_RDI] = REPORT;
	}
	*(uint64_t *)(mem + TARGET) = way->begin;
	*(uint64_t *)(mem + DRIVEN) = ride.driven;
	*(uint64_t *)(mem + TABLES) = ride.driven || way->cr2 == SHORT_CALL ||
		way->cr2 == SHORT_RETURN || way->cr2 == SHORT_OTHER ||
		way->cr2 == SHORT_FAULT || way->cr2 == NOWHERE_BUSY;
	*(uint64_t *)(mem + PROGRAM) = 0;
}

/* What the Guest must find after the way, if it finds itself alive. */
static void tell_guest(const struct way *way)
{
	uint64_t after[REGISTERS + 32];

	memcpy(after, expect, sizeof(after));
	if (!memcmp((char *)guest + way->at - GUEST_CODE, "\x0f\x05", 2)) {
		after[LGREG_RAX] = 0;
		after[LGREG_RCX] = way->stop;
		after[LGREG_R11] = FLAGS;
	}
	if (way->cr2 == SHORT_CALL || way->cr2 == SHORT_OTHER || way->cr2 == SHORT_FAULT) {
		after[LGREG_RAX] = expect[LGREG_RAX];
		after[LGREG_RFLAGS] &= ~(uint64_t)CLOSED;
	}
	if (way->cr2 == SHORT_RETURN)
		memcpy(after, expect, sizeof(after));
	if (way->cr2 == NEW_SEGMENTS) {
		after[LGREG_DS] = 0x33;
		after[LGREG_ES] = 0x33;
		after[LGREG_FS] = 0x23;
		after[LGREG_GS] = 0x2b;
		after[LGREG_FS_BASE] >>= 1;
		after[LGREG_GS_BASE] = (int64_t)after[LGREG_GS_BASE] >> 1;
	}
	memcpy(mem + EXPECT, after, sizeof(after));
}

static int request(int fd, uint64_t req, uint64_t a, uint64_t b)
{
	uint64_t r[3] = { req, a, b };

	return write(fd, r, req == LHREQ_VERSION ? 16 : 24) < 0;
}

/* The registers of a dead Guest: all as they were. */
static void check_registers(int fd, const struct way *way)
{
	uint64_t got[sizeof(struct lguest_exit) / 8 + 1];
	int i;

	expect[LGREG_RIP] = way->stop;
	expect[LGREG_CS] = way->cs;
	expect[LGREG_RFLAGS] ^= way->flags;
	if (!memcmp(guest + way->at - GUEST_CODE, "\x0f\x05", 2)) {
		expect[LGREG_RCX] = way->stop;	/* SYSCALL32 spoilt them, then failed */
		expect[LGREG_R11] = FLAGS;
	}
	if (way->at == way->stop && way->vector != 18)
		expect[LGREG_RFLAGS] |= 0x10000;	/* RF: a fault */
	for (i = 0; i < REGISTERS; i++) {
		if (request(fd, LHREQ_GETREG, i, 0) ||
		    read(fd, got, sizeof(got)) != 8) {
			fail("cannot read register %d", i);
			return;
		}
		if (i == LGREG_RFLAGS)
			got[0] |= expect[i] & 0x10000;
		if (got[0] != expect[i])
			fail("register %d is %#lx, not %#lx", i, got[0], expect[i]);
	}
}

static void check_death(int fd, const struct lguest_exit *e, const struct way *way)
{
	if (e->kind != LGEXIT_DEAD)
		fail("it ended (%u, %llu) and did not die", e->kind, e->arg[0]);
	else if (e->vector == 6 && !memcmp(e->insn, "\x0f\x34", 2))
		check_registers(fd, way);	/* SYSENTER on AMD */
	else if (e->vector != way->vector || e->error != way->error ||
		 e->rip != way->stop || (e->vector == 14 && e->cr2 != way->cr2))
		fail("it died of %d error %llx rip %llx cr2 %llx: %s", e->vector,
		     e->error, e->rip, e->cr2, e->reason);
	else
		check_registers(fd, way);
}

/* After a bug of the Switcher: no Guest runs any more, not even a new one. */
static void check_refusal(const struct lguest_initialize *init)
{
	struct lguest_exit e;
	int fd = open("/dev/lguest", O_RDWR);

	if (fd < 0 || request(fd, LHREQ_VERSION, LGUEST_VERSION, 0) ||
	    write(fd, init, sizeof(*init)) < 0)
		fail("no second Guest: %m");
	else if (read(fd, &e, sizeof(e)) >= 0 || errno != EIO)
		fail("a Guest runs in spite of a bug of the Switcher");
	if (fd >= 0)
		close(fd);
}

static void one_life(const struct way *way)
{
	struct lguest_initialize init = { LHREQ_INITIALIZE, (uint64_t)mem, GUEST_PAGES, GUEST_CODE };
	struct lguest_exit e;
	int fd = open("/dev/lguest", O_RDWR), i;

	if (fd < 0 || request(fd, LHREQ_VERSION, LGUEST_VERSION, 0) ||
	    write(fd, &init, sizeof(init)) < 0) {
		fail("no Guest: %m");
		goto out;
	}
	memcpy(mem + GUEST_CODE, guest, guest_end - guest);
	fill_registers(way);
	tell_guest(way);
	for (i = 0; i < REGISTERS; i++)
		if (request(fd, LHREQ_SETREG, i, i == LGREG_RIP ? (uint64_t)guest_begin_value : expect[i]))
			fail("cannot set register %d: %m", i);
	memset(&e, 0, sizeof(e));
	if (read(fd, &e, sizeof(e)) != sizeof(e))
		fail("read: %m");
	else if (way->error == SWITCHER_BUG) {
		if (e.kind != LGEXIT_DEAD || !strstr(e.reason, "Switcher"))
			fail("it ended (%u: %s), but not of a bug", e.kind, e.reason);
		check_refusal(&init);
	} else if (way->vector != ~0ull)
		check_death(fd, &e, way);
	else if (e.kind != LGEXIT_SHUTDOWN)
		fail("died of %d error %llx rip %llx cr2 %llx: %s", e.vector,
		     e.error, e.rip, e.cr2, e.reason);
	else if (e.arg[0])
		fail("register %d of the Guest is wrong: %#lx, not %#lx", (int)e.arg[0] - 1,
		     ((uint64_t *)(mem + GOT))[e.arg[0] - 1], ((uint64_t *)(mem + EXPECT))[e.arg[0] - 1]);
out:
	if (fd >= 0)
		close(fd);
}

/* Our own registers, which the Host keeps for us while a Guest has them. */
#define MINE 0x1122334455667788

static void fill_mine(void)
{
	asm volatile("movq %0, %%xmm9; mov %1, %%ds; mov %1, %%es" ::
		     "r"(MINE), "r"(0x2b) : "xmm9");
	syscall(SYS_arch_prctl, ARCH_SET_GS, MINE >> 18);
	if (ride.rides & 1)		/* a selector, or a base */
		asm volatile("mov %0, %%gs" : : "r"(0x2b));
}

static void check_mine(void)
{
	uint64_t xmm, gs, flags;
	uint16_t ds, es, sel;

	asm volatile("movq %%xmm9, %0; mov %%ds, %1; mov %%es, %2; mov %%gs, %3; pushfq; popq %4"
		     : "=r"(xmm), "=r"(ds), "=r"(es), "=r"(sel), "=r"(flags));
	syscall(SYS_arch_prctl, ARCH_GET_GS, &gs);
	if (sel != (ride.rides & 1 ? 0x2b : 0) || gs != (ride.rides & 1 ? 0 : MINE >> 18))
		fail("the Launcher's GS is %#x with base %#lx", sel, gs);
	if (ds != 0x2b || es != 0x2b)
		fail("the Launcher's DS and ES are %#x and %#x", ds, es);
	if (flags & 0x44400)
		fail("the Launcher's RFLAGS are %#lx", flags);
}

/* The Host's own registers, before and after. */
static void look(int fd, struct host_state *s, int after)
{
	memset(s, 0, sizeof(*s));
	if (fd >= 0 && pread(fd, s, sizeof(*s), after) != sizeof(*s))
		fail("nmitest: %m");
}

/* A driven life calls off its #DB before the Host has tidied up DR6. */
#define STATE_DR6 45

static void compare(const struct host_state *a, const struct host_state *b)
{
	int i;

	for (i = 0; i < 64; i++)
		if (a->value[i] != b->value[i] && !(ride.driven && i == STATE_DR6))
			fail("the Host's state %d was %#lx and is %#lx", i, a->value[i], b->value[i]);
}

static void reload(void)
{
	int fd = open("/lg/lg.ko", O_RDONLY);

	if (syscall(SYS_delete_module, "lg", O_NONBLOCK) ||
	    syscall(SYS_finit_module, fd, "", 0))
		fail("reload: %m");
	close(fd);
}

int main(int argc, char **argv)
{
	struct host_state before, after;
	int state = open("/dev/nmitest", O_RDONLY);
	const struct way *w;

	(void)argv;
	/* Give the Host a local descriptor table: the Guest must not have it. */
	syscall(SYS_modify_ldt, 1, &(struct user_desc){ .limit = 1, .seg_32bit = 1, .useable = 1 },
		sizeof(struct user_desc));
	mem = mmap((void *)0x30000000, GUEST_PAGES * 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);
	if (argc > 1) {		/* alone: each way once */
		for (w = (const void *)guest; w->begin; w++) {
			if (!memcmp((char *)guest + w->at - GUEST_CODE, "\xeb", 1))
				continue;	/* the driven one */
			ride.way = *w;
			ride.rides++;
			ride.verdict = 0;
			look(state, &before, 0);
			one_life(w);
			look(state, &after, 1);
			compare(&before, &after);
			printf("way at %#lx: %s\n", w->at, ride.verdict ? (char *)ride.why : "good");
			if (ride.verdict)
				return 1;
		}
		return 0;
	}
	for (;;) {
		checkpoint();
		if (ride.end)
			return ride.verdict != 0;
		ride.verdict = 0;
		ride.rides++;
		if (ride.reload)
			reload();
		fill_mine();
		look(state, &before, 0);
		one_life((const struct way *)&ride.way);
		check_mine();
		look(state, &after, 1);
		compare(&before, &after);
	}
}
