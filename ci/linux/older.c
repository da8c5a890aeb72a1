// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel of Xen's from before 2021, in a page: it calls by the functions of a page that
 * its loader must have written, asks a store, and begins in a segment of data.
 *
 * -DBANNER='"Linux version 5.7.19"' is how old it says that it is, -DSAVES=1 that it must
 * be told of all state; -DDIES ends by a trap without a handler; -DPAGE=EXPRESSION is where
 * the page is said to be.
 */
typedef unsigned long long u64;
typedef unsigned int u32;

#ifndef PAGE
#define PAGE "page"
#endif

asm(".pushsection .note.Xen, \"a\", @note\n"
    ".macro note type value:vararg\n"
    ".balign 4\n.long 4, 2f - 1f, \\type\n.asciz \"Xen\"\n1: \\value\n2: .balign 4\n"
    ".endm\n"
    "note 1 .quad begin\n"
    "note 2 .quad " PAGE "\n"
    "note 3 .quad 0xffffffff80000000\n"
    "note 5 .asciz \"xen-3.0\"\n"
    "note 6 .asciz \"linux\"\n"
    ".popsection\n"
    ".pushsection .text\n.balign 4096\n.globl page\npage: .fill 4096, 1, 0xcc\n.popsection\n"
    ".pushsection .begin, \"aw\", @progbits\n.globl begin\nbegin: mov %rsi, %rdi\ncall work\nud2\n.popsection");

static const char banner[] __attribute__((used)) = BANNER " (its makers)";
extern char page[];

static u64 call(u32 number, u64 a, u64 b, u64 c)
{
	u64 rax, rcx = 0x1111, kept_11;

	/* it is a function: all but RAX is as it was, RCX and R11 too */
	asm volatile("mov $0x2222, %%r11\n\tcall *%[to]\n\tmov %%r11, %[kept]"
		     : "=a" (rax), "+c" (rcx), [kept] "=&r" (kept_11)
		     : [to] "r" (page + 32 * number), "D" (a), "S" (b), "d" (c)
		     : "r11", "memory");
	if (rcx != 0x1111 || kept_11 != 0x2222)
		asm volatile("int3");
	return rax;
}

static u32 length(const char *text)
{
	u32 n = 0;

	while (text[n])
		n++;
	return n;
}

static void say(const char *text)
{
	call(18, 0, length(text), (u64)text);
}

static void end(u32 why)
{
	call(29, 2, (u64)&why, 0);
	__builtin_unreachable();
}

static void demand(int holds, const char *what)
{
	if (holds)
		return;
	say("WRONG: ");
	say(what);
	say("\n");
	end(3);
}

/* --- the store --------------------------------------------------------------- */
struct store {
	char asked[1024], said[1024];
	volatile u32 asked_cons, asked_prod, said_cons, said_prod;
};
struct message {
	u32 type, id, transaction, size;
};

static struct store *store;
static u32 port;

static void send(void)
{
	call(32, 4, (u64)&port, 0);
}

static void put(const void *from, u32 len)
{
	for (u32 i = 0; i < len; i++, store->asked_prod++)
		store->asked[store->asked_prod % 1024] = ((const char *)from)[i];
}

static void ask(u32 type, u32 id, const char *text)
{
	struct message m = { type, id, 7, length(text) + 1 };

	put(&m, sizeof(m));
	put(text, m.size);
}

static void get(void *to, u32 len)
{
	for (u32 i = 0; i < len; i++, store->said_cons++)
		((char *)to)[i] = store->said[store->said_cons % 1024];
}

static void answered(u32 type, u32 id, const char *text)
{
	struct message m;
	char is[16];

	demand(store->said_prod - store->said_cons >= sizeof(m), "an answer");
	get(&m, sizeof(m));
	demand(m.type == type && m.id == id && m.transaction == 7, "an answer's head");
	demand(m.size == length(text) + 1, "an answer's size");
	get(is, m.size);
	for (u32 i = 0; i < m.size; i++)
		demand(is[i] == text[i], "an answer's text");
}

static void ask_store(void)
{
	static const u32 granted[] = { 4, 5, 7, 11, 12, 13, 14 };
	struct message m = { 2, 99, 7, 3000 };
	static char piece[1000];

	ask(1, 1, "device");			/* a directory */
	ask(2, 2, "memory/target");		/* a value */
	send();
	answered(16, 1, "ENOENT");
	answered(16, 2, "ENOENT");
	ask(2, 3, "cpu/0/availability");
	ask(2, 4, "cpu/0/availabilitY");
	ask(2, 5, "cpu/0/availability.");
	ask(2, 6, "cpu/0");
	ask(1, 7, "cpu/0/availability");
	send();
	answered(2, 3, "online");
	for (u32 i = 4; i < 8; i++)
		answered(16, i, "ENOENT");
	for (u32 i = 0; i < sizeof(granted) / sizeof(*granted); i++) {
		ask(granted[i], 10 + i, "control/shutdown");
		send();
		answered(granted[i], 10 + i, "OK");
	}
	ask(6, 20, "");				/* a transaction */
	send();
	answered(6, 20, "1");
	demand(store->said_prod == store->said_cons, "no more than that");

	/* one that is longer than the ring, in pieces; the first is half a head */
	put(&m, 8);
	send();
	put((char *)&m + 8, 8);
	for (u32 i = 0; i < 3; i++) {
		send();
		demand(store->said_prod == store->said_cons, "no answer before the end");
		put(piece, 1000);
	}
	send();
	answered(16, 99, "ENOENT");

	/* more answers than there is room for */
	for (u32 i = 0; i < 60; i++)
		ask(2, i, "");
	send();
	demand(store->said_prod - store->said_cons == 44 * 23, "as many answers as go in");
	for (u32 i = 0; i < 60; i++) {
		answered(16, i, "ENOENT");
		send();
	}
	demand(store->said_prod == store->said_cons, "each answered once");
}

/* --- and the rest ------------------------------------------------------------ */
static void come_back(void)
{
	/* number 23 goes where a frame says, CS of ring 0 is a kernel; it pushes RCX, R11, RAX */
	asm volatile("mov %%rsp, %%rdx\n\tmov %%ss, %%eax\n\tpush %%rax\n\tpush %%rdx\n\tpushfq\n\t"
		     "push $0x30\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tpush $0\n\t"
		     "mov $0x3333, %%eax\n\tmov $0x1111, %%ecx\n\tmov $0x2222, %%r11d\n\tjmp *%0\n"
		     "1:\tcmp $0x3333, %%eax\n\tjne 2f\n\tcmp $0x1111, %%ecx\n\tjne 2f\n\tcmp $0x2222, %%r11d\n\t"
		     "je 3f\n2:\tint3\n3:"
		     : : "r" (page + 32 * 23) : "rax", "rcx", "rdx", "r11", "memory", "cc");
}

static void look_at_state(void)
{
	u32 a = 0xd, told, c = 0, d, is, a2 = 0xd, c2 = 0, on;

	asm volatile("ud2; .ascii \"xen\"; cpuid" : "+a" (a), "=b" (told), "+c" (c), "=d" (d));
	asm volatile("cpuid" : "+a" (a2), "=b" (is), "+c" (c2), "=d" (d));
	asm volatile("xgetbv" : "=a" (on), "=d" (d) : "c" (0));
	if (!(on & ~0xe7u))
		say("SKIPPED: this Host has no more state than it tells of\n");
	demand(SAVES || !(on & ~0xe7u) ? told == is : told < is, "room for all state, or for what is told of");
}

/* A kernel that is on a program's stack for a moment, with its byte at *not now*. */
static void be_interrupted_there(const char *letter, u64 stack)
{
	static volatile char info[4096] __attribute__((aligned(4096)));
	volatile u64 *time = (volatile u64 *)(info + 48), *noted = (volatile u64 *)(info + 2048);
	u32 timer[3] = { 0, 0, 0 };

	demand(!call(14, (u64)info, *(u64 *)(letter + 40) | 0x63, 2), "the page of events");
	demand(!call(32, 1, (u64)timer, 0) && timer[2], "a timer's port");
	call(15, 1, 0, 0);			/* long ago */
	while (!(*noted >> timer[2] & 1))
		;
	info[1] = 1;				/* the byte */
	*noted = 0;
	call(15, *time + 50000000, 0, 0);
	asm volatile("mov %%rsp, %%r8\n\tmov %1, %%rsp\n1:\tcmpq $0, %0\n\tje 1b\n\tmov %%r8, %%rsp"
		     : : "m" (*noted), "r" (stack) : "r8", "memory", "cc");
	*noted = 0;
}

void work(const char *letter)
{
	say("an older kernel\n");
	for (u32 n = 0; n < 128; n++)
		demand(n == 23 || (*(u32 *)(page + 32 * n + 4) == n && page[32 * n + 3] == (char)0xb8),
		       "each function has its number");
	come_back();
	store = (void *)(0xffffffff80000000 + *(u64 *)(letter + 56) * 4096);
	port = *(u32 *)(letter + 64);
	demand(port, "a port to the store");
	ask_store();
	be_interrupted_there(letter, 0x7ff0);			/* as programs have it, */
	be_interrupted_there(letter, 0x8000000000000000);	/* or may have */
	be_interrupted_there(letter, 0xffffffffbfff0000);
	be_interrupted_there(letter, (u64)page + 4096);
	for (u32 n = 0; n < 128; n++)
		demand(n == 23 || *(u32 *)(page + 32 * n + 4) == n, "a page that a program has named");
	look_at_state();
	say("all is well\n");
#ifdef DIES
	asm volatile("ud2");
#endif
	end(0);
}
