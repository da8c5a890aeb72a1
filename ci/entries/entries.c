/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way from ring 3 into ring 0, each in a Guest of its own, against what
 * the processor's manual and the Switcher's tables say must come of it.
 * usage: entries [stride [mode [keeps]]]   see ci/checks/entries
 */
#include <asm/ldt.h>
#include "tiny.h"

#define CODE		0x1000ul	/* what is tried */
#define LAND		0x2000ul	/* where it may lead */
#define DATA		0x3000ul	/* pointers, stacks */
#define PAGES		4

#define CS32		0x23
#define CS64		0x33
#define FLAGS		0x202
#define GDT_LIMIT	80		/* bytes: the Switcher's ten descriptors */

static struct guest g;
static unsigned long tried, bad, shown, excused;

/*
 * QEMU 7.2: far calls and returns in ring 3 fault under SMAP, INT n's error code counts
 * in sixteens, and INT1 is an invalid opcode.
 */
static bool qemu, qemu_smap;

/* What came of it. */
enum { LANDED64 = 0x100, LANDED32, OTHER };
struct end {
	int what;			/* a vector, or one of those */
	u64 error, rip, cr2;
	u64 reg[LGREG_COUNT];
};

static const u8 land[] = {
	0xb8, 0xeb, 3, 0, 0,		/* mov $LHCALL_SHUTDOWN, %eax */
	0x0f, 0x05,			/* syscall */
	0xf4,				/* hlt */
};

static u64 mark(int reg)
{
	return 0x5a5a000000000000ull + reg * 0x0101010101ull;
}

struct try {
	const u8 *code;
	int len;
	u64 cs, rbx, rsp, rflags;
	u64 rax;
};

static struct end attempt(const struct try *t)
{
	struct lguest_exit e;
	struct end end = { .what = OTHER };
	int i;

	guest_open(&g, PAGES);
	memset(g.mem + CODE, 0xf4, 64);
	memcpy(g.mem + CODE, t->code, t->len);
	memcpy(g.mem + LAND, land, sizeof(land));
	for (i = LGREG_RAX; i <= LGREG_R15; i++)
		set(&g, i, mark(i));
	set(&g, LGREG_RAX, t->rax);
	set(&g, LGREG_RBX, t->rbx);
	set(&g, LGREG_RSP, t->rsp ?: DATA + 0x800);
	set(&g, LGREG_RDI, 42);
	set(&g, LGREG_CS, t->cs);
	set(&g, LGREG_RFLAGS, t->rflags ?: FLAGS);
	set(&g, LGREG_FS_BASE, 0x1111111000);
	set(&g, LGREG_GS_BASE, 0x2222222000);
	e = run(&g);
	tried++;
	for (i = 0; i < LGREG_COUNT; i++)
		end.reg[i] = get(&g, i);
	end.rip = e.rip;
	end.error = e.error;
	end.cr2 = e.cr2;
	if (e.kind == LGEXIT_SHUTDOWN && e.arg[0] == 42)
		end.what = LANDED64;
	else if (e.kind == LGEXIT_DEAD && e.vector == 6 && e.rip == LAND + 5)
		end.what = LANDED32;
	else if (e.kind == LGEXIT_DEAD && e.vector < 32)
		end.what = e.vector;
	close(g.fd);
	return end;
}

static void fail(const char *name, u64 n, const struct end *is, int what, u64 error)
{
	if (bad++, shown++ < 12)
		printf("%s %#llx: wanted %#x error %#llx, got %#x error %#llx RIP %#llx CR2 %#llx\n",
		       name, (ull)n, what, (ull)error, is->what, (ull)is->error, (ull)is->rip, (ull)is->cr2);
}

/* Nobody else's value may be in a register, and no register may be lost. */
static void no_leak(const char *name, u64 n, const struct try *t, const struct end *e)
{
	int i;

	for (i = LGREG_RAX; i <= LGREG_R15; i++) {
		u64 want = i == LGREG_RAX ? t->rax : i == LGREG_RBX ? t->rbx : i == LGREG_RDI ? 42 : mark(i);

		if (i == LGREG_RSP)	/* calls and returns move it, a few words */
			want = e->reg[i] / 0x1000 == DATA / 0x1000 ? e->reg[i] : DATA;
		if (e->what == LANDED32 || e->what == LANDED64) {
			if (i == LGREG_RAX)	/* the landing's hypercall; the dead get no answer */
				want = LHCALL_SHUTDOWN;
			if (i == LGREG_RCX && e->what == LANDED64)
				want = e->reg[LGREG_RIP];	/* behind SYSCALL */
			if (i == LGREG_R11 && e->what == LANDED64)
				want = e->reg[i] & ~0xed7ull ? want : e->reg[i];
		}
		/* 32-bit code may drop the upper halves, and the Switcher's UD stub leaves RIP and flags. */
		if (e->what == LANDED32 && (i == LGREG_RCX || i == LGREG_R11))
			if (e->reg[i] >> 32 == 0)
				want = e->reg[i];
		if (e->reg[i] != want && (bad++, shown++ < 12))
			printf("%s %#llx: register %d was %#llx is %#llx\n", name, (ull)n, i, (ull)want, (ull)e->reg[i]);
	}
	if (e->reg[LGREG_CS] != CS32 && e->reg[LGREG_CS] != CS64 && (bad++, shown++ < 12))
		printf("%s %#llx: CS %#llx\n", name, (ull)n, (ull)e->reg[LGREG_CS]);
	if (e->reg[LGREG_RFLAGS] & 0x1a3000 && (bad++, shown++ < 12))
		printf("%s %#llx: RFLAGS %#llx\n", name, (ull)n, (ull)e->reg[LGREG_RFLAGS]);
}

static void expect(const char *name, u64 n, const struct try *t, int what, u64 error, u64 rip)
{
	struct end e = attempt(t);

	/* A page fault of ring 0 on the Guest's stack: no processor does that. */
	if (qemu_smap && e.what == 14 && !(e.error & 4) && e.cr2 / PAGE == DATA / PAGE)
		excused++;
	else if (e.what != what || (what < 32 && (e.error != error || e.rip != rip)))
		fail(name, n, &e, what, error);
	else
		no_leak(name, n, t, &e);
}

/* Where does a far transfer to this selector lead?  Returns what, sets the error. */
static int far(u16 sel, bool returns, u64 *error)
{
	*error = sel & ~3;
	if (sel < 4 || sel & 4 || sel + (8 - sel % 8) > GDT_LIMIT)
		return 13;
	if (returns && (sel & 3) != 3)
		return 13;
	switch (sel >> 3) {
	case CS32 >> 3:
		return LANDED32;
	case CS64 >> 3:
		return LANDED64;
	}
	return 13;
}

static int load(u16 sel, bool ss, u64 *error)
{
	*error = sel & ~3;
	if (sel < 4)
		return ss ? 13 : LANDED64;
	if (sel & 4 || sel + (8 - sel % 8) > GDT_LIMIT)
		return 13;
	if (ss)
		return sel == 0x2b ? LANDED64 : 13;
	switch (sel >> 3) {
	case 4: case 5: case 6:
		return LANDED64;
	}
	return 13;
}

static void put(u64 addr, u64 value, int len)
{
	memcpy(g.mem + addr, &value, len);
}

/* Each selector by each instruction that can take it. */
static void selector(u16 sel)
{
	static const struct { const char *name; u8 code[4]; int len, ptr; } jumps[] = {
		{ "ljmp", { 0xff, 0x2b }, 2, 4 },
		{ "lcall", { 0xff, 0x1b }, 2, 4 },
	}, returns[] = {
		{ "lret", { 0xcb }, 1, 4 },
		{ "lretq", { 0x48, 0xcb }, 2, 8 },
		{ "iret", { 0xcf }, 1, 4 },
		{ "iretq", { 0x48, 0xcf }, 2, 8 },
	};
	static const struct { const char *name; u8 code[16]; int len; } moves[] = {
		{ "mov to DS", { 0x8e, 0xd8 }, 2 }, { "mov to ES", { 0x8e, 0xc0 }, 2 },
		{ "mov to SS", { 0x8e, 0xd0 }, 2 }, { "mov to FS", { 0x8e, 0xe0 }, 2 },
		{ "mov to GS", { 0x8e, 0xe8 }, 2 },
	};
	struct try t = { .cs = CS64 };
	u64 error;
	size_t i;
	int what;
	u8 code[16];

	if (!g.mem) {
		guest_open(&g, PAGES);
		close(g.fd);
	}
	for (i = 0; i < 2; i++) {
		put(DATA, LAND, 4);
		put(DATA + 4, sel, 2);
		t = (struct try){ jumps[i].code, jumps[i].len, CS64, DATA, 0, 0, 5 };
		what = far(sel, false, &error);
		expect(jumps[i].name, sel, &t, what, error, CODE);
	}
	for (i = 0; i < 4; i++) {
		int w = returns[i].ptr;

		put(DATA + 0x400, LAND, w);
		put(DATA + 0x400 + w, sel, w);
		put(DATA + 0x400 + 2 * w, FLAGS, w);
		put(DATA + 0x400 + 3 * w, DATA + 0x800, w);
		put(DATA + 0x400 + 4 * w, 0x2b, w);
		t = (struct try){ returns[i].code, returns[i].len, CS64, 0, DATA + 0x400, 0, 5 };
		what = far(sel, true, &error);
		expect(returns[i].name, sel, &t, what, error, CODE);
	}
	for (i = 0; i < 5; i++) {
		memcpy(code, moves[i].code, moves[i].len);
		memcpy(code + moves[i].len, land, sizeof(land));
		t = (struct try){ code, moves[i].len + sizeof(land), CS64, 0, 0, 0, sel };
		what = load(sel, i == 2, &error);
		expect(moves[i].name, sel, &t, what, error, CODE);
	}
	/* From 32-bit code: the instructions that exist only there. */
	for (i = 0; i < 2; i++) {
		code[0] = i ? 0x9a : 0xea;	/* call, jump */
		memcpy(code + 1, &(u32){ LAND }, 4);
		memcpy(code + 5, &sel, 2);
		t = (struct try){ code, 7, CS32, 0, 0, 0, 5 };
		what = far(sel, false, &error);
		expect(i ? "lcall from 32-bit" : "ljmp from 32-bit", sel, &t, what, error, CODE);
	}
	put(DATA + 0x400, LAND, 4);
	put(DATA + 0x404, sel, 4);
	put(DATA + 0x408, FLAGS, 4);
	t = (struct try){ (const u8 *)"\xcb", 1, CS32, 0, DATA + 0x400, 0, 5 };
	what = far(sel, true, &error);
	expect("lret from 32-bit", sel, &t, what, error, CODE);
}

static void interrupts(void)
{
	int n, i;

	shown = 0;
	for (n = 0; n < 256; n++)
		for (i = 0; i < 2; i++) {
			u8 code[] = { 0xcd, n };
			struct try t = { code, 2, i ? CS32 : CS64, 0, 0, 0, 5 };
			bool open = n == 3 || n == 4;

			expect(i ? "int from 32-bit" : "int", n, &t, open ? n : 13,
			       open ? 0 : n * (qemu ? 16 : 8) + 2, CODE + (open ? 2 : 0));
		}
	for (i = 0; i < 2; i++) {
		u16 cs = i ? CS32 : CS64;
		struct try t = { (const u8 *)"\xcc", 1, cs, 0, 0, 0, 5 };

		expect("int3", cs, &t, 3, 0, CODE + 1);
		t.code = (const u8 *)"\xf1";
		expect("int1", cs, &t, qemu ? 6 : 1, 0, CODE + !qemu);
		t.code = (const u8 *)"\xce";
		t.rflags = FLAGS | 0x800;
		expect("into", cs, &t, i ? 4 : 6, 0, CODE + (i ? 1 : 0));
	}
}

/* SYSCALL and SYSENTER, with each flag that could follow us into ring 0. */
static void system_calls(void)
{
	static const u64 flags[] = {
		0, 0x1, 0x4, 0x10, 0x40, 0x80, 0x100, 0x400, 0x800, 0x3000, 0x4000,
		0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x3f7dd5,
	};
	size_t f;
	int i;

	for (f = 0; f < sizeof(flags) / sizeof(*flags); f++)
		for (i = 0; i < 2; i++) {
			struct try t = { (const u8 *)"\x0f\x05", 2, i ? CS32 : CS64, 0, 0, FLAGS | flags[f], LHCALL_SHUTDOWN };
			struct end e = attempt(&t);
			bool step = flags[f] & 0x100;

			/* A single step stops behind SYSCALL or not at all: both are allowed. */
			if (i ? e.what != 6 || e.rip != CODE :
			    e.what != LANDED64 && !(step && e.what == 1))
				fail(i ? "syscall from 32-bit" : "syscall", flags[f], &e, i ? 6 : LANDED64, 0);
			t.code = (const u8 *)"\x0f\x34";
			e = attempt(&t);
			if ((e.what != 13 && e.what != 6) || e.error || e.rip != CODE)
				fail(i ? "sysenter from 32-bit" : "sysenter", flags[f], &e, 13, 0);
			else
				no_leak("sysenter", flags[f], &t, &e);
		}
}

/* Addresses of the Host, which it touches on its way into the Guest. */
static void host_addresses(void)
{
	static const struct { const char *name; u8 code[3]; int len; u64 error; } how[] = {
		{ "read", { 0x48, 0x8b, 0x03 }, 3, 4 },		/* mov (%rbx), %rax */
		{ "write", { 0x48, 0x89, 0x03 }, 3, 6 },	/* mov %rax, (%rbx) */
		{ "add", { 0x48, 0x01, 0x03 }, 3, 6 },		/* add %rax, (%rbx): read or write first */
		{ "run", { 0xff, 0xe3 }, 2, 0x14 },		/* jmp *%rbx */
	};
	char text[8192], *line, *save;
	unsigned int writable;
	int count = 0;
	size_t i;
	u64 addr;

	snprintf(text, sizeof(text), "%s", witness("canary"));
	shown = 0;
	tell_witness("touch");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "host %llx %u", (ull *)&addr, &writable) != 2)
			continue;
		count++;
		for (i = 0; i < 4; i++) {
			struct try t = { how[i].code, how[i].len, CS64, addr, 0, 0, 0x11223344 };
			struct end e = attempt(&t);

			if (e.what != 14 || (e.error & 4) != 4 || (e.error & 0xffe9) ||
			    (i != 2 && (e.error ^ how[i].error) & 2) ||
			    e.cr2 != addr || e.rip != (i == 3 ? addr : CODE)) {
				printf("%s of %s\n", how[i].name, line);
				fail(how[i].name, addr, &e, 14, how[i].error);
			} else {
				no_leak(how[i].name, addr, &t, &e);
			}
		}
	}
	if (count < 10 || !atol(witness("touches"))) {
		printf("only %d addresses, %s touches\n", count, witness("touches"));
		bad++;
	}
	tell_witness("untouch");
	if (atoi(witness("intact")) != 1) {
		printf("a value of the Host was changed\n");
		bad++;
	}
}

/* The call answers with an int in a register for a long. */
static int fill_entry(struct user_desc *d)
{
	long ret = syscall(SYS_modify_ldt, 0x11, d, sizeof(*d));

	return ret == -1 ? -errno : (int)ret;
}

static void fill_ldt(void)
{
	int i, err;

	for (i = 0; i < 64; i++) {
		struct user_desc d = {
			.entry_number = i, .limit = 0xfffff, .limit_in_pages = 1,
			.seg_32bit = i & 1, .contents = i >> 1 & 3,
			.read_exec_only = i >> 3 & 1, .seg_not_present = i >> 4 & 1,
			.base_addr = i & 32 ? (u32)(unsigned long)land : 0, .useable = 1,
		};

		/* Conforming code must not be present, or the kernel refuses. */
		if (d.contents == 3)
			d.seg_not_present = 1;
		err = fill_entry(&d);
		if (err == -EINVAL && !d.seg_32bit) {	/* no 16-bit segments here */
			d.seg_32bit = 1;
			err = fill_entry(&d);
		}
		errno = -err;
		if (err)
			die("modify_ldt");
	}
}

/* Does the Launcher's own LDT still work?  Entry 33: 32-bit data over land[]. */
static void try_ldt(void)
{
	u16 sel = 33 << 3 | 7;
	u32 v = 0;

	asm volatile("mov %1, %%gs; mov %%gs:0, %0; mov %2, %%gs"
		     : "=r" (v) : "r" ((u32)sel), "r" (0));
	if (memcmp(&v, land, 4)) {
		printf("the Launcher's LDT gives %#x\n", v);
		bad++;
	}
}

int main(int argc, char **argv)
{
	unsigned int stride = argc > 1 ? atoi(argv[1]) : 997, sel;

	qemu_smap = argc > 2 && !strcmp(argv[2], "qemu-smap");
	qemu = qemu_smap || (argc > 2 && !strcmp(argv[2], "qemu"));
	setvbuf(stdout, NULL, _IOLBF, 0);
	fill_ldt();
	try_ldt();
	system_calls();
	printf("system calls: %lu tried, %lu wrong\n", tried, bad);
	interrupts();
	printf("and interrupts: %lu tried, %lu wrong\n", tried, bad);
	shown = 0;
	for (sel = 0; sel < 0x78; sel++)
		selector(sel);
	for (; sel < 0x10000; sel += stride)
		selector(sel);
	printf("and selectors: %lu tried, %lu wrong, %lu not judged because of QEMU's SMAP\n",
	       tried, bad, excused);
	host_addresses();
	printf("and addresses of the Host: %lu tried, %lu wrong\n", tried, bad);
	try_ldt();
	if (atoi(witness("keeps"))) {
		printf("this processor keeps global translations over a load of CR3\n");
	} else if (argc > 3) {
		printf("this processor keeps no translation, so the run shows nothing\n");
		bad++;
	}
	return bad != 0;
}
