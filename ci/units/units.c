/* SPDX-License-Identifier: GPL-2.0-only */
/* The Host's small decisions, in user space, at every boundary: see ci/checks/units. */
#include "../proofs/types.h"
#include <stdio.h>
#include <stdlib.h>

#include "guest_memory.h"
#include "sanitise.h"
#include "owner.h"
#include "port.h"

static inline u64 mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)	/* the kernel's */
{
	return (u64)((unsigned __int128)a * b >> shift);
}
#include "clock.h"
#include "refuse.h"
#include "pte.h"
#include "compare.h"

static unsigned long done, bad;

#define CHECK(ok, ...) do {						\
	done++;								\
	if (!(ok) && bad++ < 20) {					\
		printf("%s:%d: ", __func__, __LINE__);			\
		printf(__VA_ARGS__);					\
		putchar('\n');						\
	}								\
} while (0)

#define ULL(x) ((unsigned long long)(x))
#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

/* Every power of two, every usual limit, and what is around them. */
#ifdef __clang__	/* here sums may wrap */
__attribute__((no_sanitize("unsigned-integer-overflow")))
#endif
static size_t interesting(u64 *list)
{
	static const u64 middle[] = {
		0, 0xfff, 0x1000, 0x1800, 0xfffff000, 0x1000000, 0x7fffffffffff,
		0x800000000000, 0x7fffffffffffffff, 0xfffffffffffff000,
		0xffff800000000000, 0xffff880000000000, 0xffffffff80000000,
	};
	size_t n = 0, i;
	int d;

	for (d = -2; d <= 2; d++) {
		for (i = 0; i < 64; i++)
			list[n++] = (1ull << i) + (u64)(int64_t)d;
		for (i = 0; i < LENGTH(middle); i++)
			list[n++] = middle[i] + (u64)(int64_t)d;
	}
	return n;
}

static void test_range(void)
{
	static u64 v[1000];
	size_t n = interesting(v), l, a, i;

	for (l = 0; l < n; l++)
		for (a = 0; a < n; a++) {
			for (i = 0; i < n; i++) {
				bool want = (unsigned __int128)v[a] + v[i] <= v[l];

				CHECK(lguest_range_ok(v[l], v[a], v[i]) == want,
				      "limit %#llx addr %#llx len %#llx", ULL(v[l]), ULL(v[a]), ULL(v[i]));
			}
			/* The last length that fits, and the first that does not. */
			if (v[a] > v[l])
				continue;
			CHECK(lguest_range_ok(v[l], v[a], v[l] - v[a]), "limit %#llx addr %#llx exactly", ULL(v[l]), ULL(v[a]));
			if (v[l] - v[a] != UINT64_MAX)
				CHECK(!lguest_range_ok(v[l], v[a], v[l] - v[a] + 1), "limit %#llx addr %#llx one more", ULL(v[l]), ULL(v[a]));
		}
	for (l = 0; l <= 40; l++)	/* and a small memory without a gap */
		for (a = 0; a <= 42; a++)
			for (i = 0; i <= 42; i++)
				CHECK(lguest_range_ok(l, a, i) == (a + i <= l), "limit %zu addr %zu len %zu", l, a, i);
}

static bool sign_extended(u64 addr)
{
	u64 top = addr >> 47;

	return top == 0 || top == 0x1ffff;
}

static void test_addresses(void)
{
	static u64 v[1000];
	size_t n = interesting(v), i, sel;

	for (i = 0; i < n; i++) {
		CHECK(is_canonical(v[i]) == sign_extended(v[i]), "%#llx", ULL(v[i]));
		for (sel = 0; sel < 0x10000; sel += sel < 0x40 ? 1 : 0x777)
			CHECK(guest_rip_ok(sel, v[i]) == (sel == 0x23 ? v[i] >> 32 == 0 : sign_extended(v[i])),
			      "CS %#zx RIP %#llx", sel, ULL(v[i]));
	}
	for (i = 0; i < 1 << 17; i++)	/* bits 63 to 47, each combination */
		CHECK(is_canonical((u64)i << 47 | 0x123456789ab) == (i == 0 || i == 0x1ffff), "top %#zx", i);
}

static void test_rflags(void)
{
	const u64 free = 0x254dd5, forced = 0x202;	/* by the manual's table of flags */
	static u64 v[1000];
	size_t n = interesting(v), i, j;
	u64 f;

	for (i = 0; i < 64; i++)
		for (j = 0; j < 64; j++) {
			u64 in = 1ull << i | 1ull << j, out = guest_rflags(in);

			CHECK(out == ((in & free) | forced), "%#llx gave %#llx", ULL(in), ULL(out));
			CHECK(guest_rflags(~in) == ((~in & free) | forced), "%#llx", ULL(~in));
		}
	for (i = 0; i < n; i++)
		CHECK(guest_rflags(v[i]) == ((v[i] & free) | forced), "%#llx", ULL(v[i]));
	for (f = 0; f < 1 << 22; f++)	/* every flag that has a name, in every combination */
		CHECK(guest_rflags(f) == ((f & free) | forced), "%#llx", ULL(f));
}

static void test_entry(void)
{
	const u64 closed = 1 << 8 | 1 << 10 | 1 << 14 | 1 << 16 | 1 << 18;	/* TF DF NT RF AC */
	static u64 v[1000];
	size_t n = interesting(v), i;
	u64 f;

	for (i = 0; i < n; i++) {
		CHECK(entry_rflags(v[i]) == (v[i] & ~closed), "%#llx", ULL(v[i]));
		for (f = 0; f < 256; f++) {	/* a breakpoint has two bits that switch it on */
			u64 on = 0, bit;

			for (bit = 0; bit < 8; bit++)
				on |= (f >> bit & 1) << bit / 2;
			CHECK(guest_debug_status(v[i], f | 0xffff0700) == (v[i] & (1 << 14 | on)),
			      "%#llx, %#llx", ULL(v[i]), ULL(f));
		}
	}
	for (f = 0; f < 1 << 22; f++)
		CHECK(entry_rflags(f) == (f & ~closed), "%#llx", ULL(f));
}

/* By the manual's list of exceptions: which has a Guest, and which nobody that we know of. */
static void test_owners(void)
{
	static const char owners[] = "GGHGGGGG?" "?GGGGA?GGHG" "????????????";
	u64 n;

	for (n = 0; n < 0x1000; n++) {
		char is = "?GAH"[trap_owner(n)];

		CHECK(is == (n < 32 ? owners[n] : n < 256 ? 'H' : '?'), "vector %#llx gave %c", ULL(n), is);
		CHECK(trap_owner(n << 32 | 14) == (n ? OWNER_UNKNOWN : OWNER_ASK), "%#llx", ULL(n));
	}
}

static void test_selectors(void)
{
	static u64 v[1000];
	size_t n = interesting(v), i;
	unsigned int sel;

	for (sel = 0; sel < 0x10000; sel++) {
		u16 cs = guest_cs(sel);
		unsigned int index = sel >> 3, there;

		for (there = 0; there < 8; there++) {	/* each of its own three, or not */
			const u64 own[3] = { there & 1 ? ~0ull : 0, there >> 1 & 1, (u64)there >> 2 << 63 };
			u16 got = guest_selector(sel, own);
			bool ours = !(sel & 4) && ((index >= 4 && index <= 6) ||
				    (index >= 12 && index <= 14 && there >> (index - 12) & 1));

			CHECK(got == (ours ? sel : 0), "selector %#x gave %#x", sel, got);
		}
		CHECK(cs == (sel == 0x23 ? 0x23 : 0x33), "CS %#x gave %#x", sel, cs);
		/* A register holds 64 bits; only the whole of it counts. */
		CHECK(guest_cs(sel | 0x10000) == 0x33, "CS %#x", sel | 0x10000);
	}
	for (i = 0; i < n; i++)
		CHECK(guest_cs(v[i]) == (v[i] == 0x23 ? 0x23 : 0x33), "CS %#llx", ULL(v[i]));
}

static void test_segments(void)
{
	const u64 used = 1ull << 40, lng = 1ull << 53;
	static u64 v[1000];
	size_t n = interesting(v), i;
	unsigned int kind;

	for (i = 0; i < n; i++)
		for (kind = 0; kind < 256; kind++) {	/* P, DPL, S, and four of the type */
			u64 desc = (v[i] & ~(0xffull << 40)) | (u64)kind << 40, got = guest_segment(desc);

			if (kind >> 3 != 0x1e)
				CHECK(!got, "%#llx gave %#llx", ULL(desc), ULL(got));
			else
				CHECK(got == ((desc | used) & ~lng), "%#llx gave %#llx", ULL(desc), ULL(got));
		}
	CHECK(segment_base(0xabcdef1234567890) == 0xab123456, "%#llx", ULL(segment_base(0xabcdef1234567890)));
	CHECK(segment_base(0xff0000ffffff0000) == 0xffffffff, "the highest");
	CHECK(!segment_base(0x00ffff000000ffff), "the lowest");
}

static void test_breakpoints(void)
{
	static u64 v[1000];
	size_t n = interesting(v), i;
	u64 fields;

	for (i = 0; i < n; i++)
		CHECK(guest_watch_ok(v[i]) == (v[i] < (1ull << 47) - 4096), "%#llx", ULL(v[i]));
	CHECK(guest_watch_ok(0x7fffffffefff), "the last");
	CHECK(!guest_watch_ok(0x7ffffffff000), "the first that is refused");
	for (i = 0; i < 64; i++)	/* any bit alone, with a write that is watched */
		CHECK(guest_dr7_ok(1ull << i | 1 << 16) == (i < 11 || (i >= 16 && i < 20) || i == 20 || i == 24 || i == 28),
		      "bit %d", (int)i);
	for (fields = 0; fields < 0x10000; fields++) {
		bool ok = true;

		for (i = 0; i < 16; i += 4)
			ok &= (fields >> i & 3) != 2 && (fields >> i & 3 || !(fields >> i & 15));
		CHECK(guest_dr7_ok(fields << 16 | 0x755) == ok, "fields %#llx", ULL(fields));
	}
}

/* What Linux writes into the lower bits: nothing, one of six, or that with bit 11. */
static bool is_linux_pcid(u64 pcid)
{
	return (pcid & ~0x800ull) <= 6;
}

static void test_cr3(void)
{
	const u64 keep = 0x8000000000000000;	/* a fault, if PCIDs are not in use */
	static u64 v[1000];
	size_t n = interesting(v), i;

	for (i = 0; i < n; i++) {
		u64 root = v[i] & 0x000ffffffffff000, cr3 = v[i] & ~keep, pcid;

		/* Without PCIDs there is nothing but the address. */
		CHECK(cr3_for_guest(root, false, false) == root, "root %#llx, no PCIDs", ULL(root));
		CHECK(cr3_for_guest(root, true, false) == root, "root %#llx, no PCIDs, user", ULL(root));
		CHECK(cr3_for_host(cr3, false) == cr3, "CR3 %#llx, no PCIDs", ULL(cr3));
		/* With them the Guest's has a number, a new one, and keeps nothing. */
		pcid = cr3_for_guest(root, false, true) - root;
		CHECK(pcid < 0x1000, "root %#llx: keeps, or leads elsewhere", ULL(root));
		CHECK(!is_linux_pcid(pcid), "root %#llx: PCID %#llx is Linux's", ULL(root), ULL(pcid));
		CHECK(cr3_for_guest(root, true, true) == root + pcid + 1, "root %#llx: its user's", ULL(root));
		CHECK(!is_linux_pcid(pcid + 1), "root %#llx: its user's is Linux's", ULL(root));
		/* The Host's has its own, and keeps. */
		CHECK(cr3_for_host(cr3, true) == (cr3 | keep), "CR3 %#llx", ULL(cr3));
	}
}

static void test_refusals(void)
{
	static const struct host_facts fine = {
		.no_execute = true, .syscall = true, .cpus = 1, .room = 64,
	};
	struct host_facts f;
	const char *said[16], *cures[] = {
		"boot it without Xen", "boot with no5lvl", "without encrypted state",
		"noexec=off", "use an x86-64 one", "boot with ibt=off", "boot with fred=off", "unload its module",
		"nr_cpus=",
	};
	size_t n = 0, i, j;

	CHECK(!refuse_host(&fine), "refuses a good Host");
#define REFUSED(change) do { f = fine; change; said[n++] = refuse_host(&f); } while (0)
	REFUSED(f.kernel_ring = 3);
	REFUSED(f.five_levels = true);
	REFUSED(f.encrypted_state = true);
	REFUSED(f.no_execute = false);
	REFUSED(f.syscall = false);
	REFUSED(f.branch_tracking = true);
	REFUSED(f.events_by_fred = true);
	REFUSED(f.window_taken = true);
	REFUSED(f.cpus = f.room + 1);
	for (i = 0; i < n; i++) {
		CHECK(said[i], "refusal %zu says nothing", i);
		if (!said[i])
			continue;
		printf("  %s\n", said[i]);
		CHECK(strstr(said[i], cures[i]), "no cure (%s) in: %s", cures[i], said[i]);
		CHECK(strstr(said[i], ": "), "cause and cure want a colon: %s", said[i]);
		CHECK(!strchr(said[i], '\n') && strlen(said[i]) < 130, "not one line: %s", said[i]);
		for (j = 0; j < i; j++)
			CHECK(!said[j] || strcmp(said[i], said[j]), "said twice: %s", said[i]);
	}
	f = fine;
	f.cpus = f.room;
	CHECK(!refuse_host(&f), "refuses as many processors as there is room for");
	f = (struct host_facts){ .kernel_ring = 1, .five_levels = true, .cpus = ~0u, .branch_tracking = true };
	CHECK(refuse_host(&f) == said[0], "with everything wrong, Xen comes first");
}

static void test_clock(void)
{
	static u64 v[1000];
	size_t n = interesting(v), i, j;
	u64 khz;

	for (i = 0; i < n; i++)
		CHECK(guest_timer_ok(v[i]) == !(v[i] >> 63), "%#llx", ULL(v[i]));
	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++) {
			unsigned __int128 ns = (unsigned __int128)v[i] * v[j] / 0x100000000;
			u64 want = v[i] >> 63 ? 0 : (u64)ns;

			CHECK(guest_time_passed(v[i], v[j]) == want, "%#llx at %#llx", ULL(v[i]), ULL(v[j]));
		}
	CHECK(guest_time_rate(0) == 0, "nobody knows, and it says so");
	for (khz = 1; khz < 6000000; khz += 1 + khz / 1000) {
		/* A second of ticks must be less than a second, and not by much: 0.2 % */
		u64 ns = guest_time_passed(khz * 1000, guest_time_rate((u32)khz));

		CHECK(ns < 1000000000 - 500000 && ns > 1000000000 - 2000000, "%llu kHz: %llu ns", ULL(khz), ULL(ns));
	}
}

/* Prefixes in the order of the table; what they do is said here in another way than there. */
static const u8 prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3, 0x40, 0x47, 0x48, 0x4f };

static bool ask_port(const u8 *insn, unsigned int len, u64 dx, struct lguest_exit *end)
{
	memset(end, 0xee, sizeof(*end));
	for (int i = 0; i < 15; i++)	/* what has not been read looks like a port */
		end->insn[i] = i & 1 ? 0xed : 0x66;
	memcpy(end->insn, insn, len > 15 ? 15 : len);
	end->insn_len = (u8)len;
	return port_decode(end, dx);
}

/* Which opcode is what, by the manual. */
static void test_port(const u8 *before, unsigned int n, unsigned int size, bool rep)
{
	static const struct { u8 opcode; bool byte, number, out, string; } ports[] = {
		{ 0x6c, 1, 0, 0, 1 }, { 0x6d, 0, 0, 0, 1 }, { 0x6e, 1, 0, 1, 1 }, { 0x6f, 0, 0, 1, 1 },
		{ 0xe4, 1, 1, 0, 0 }, { 0xe5, 0, 1, 0, 0 }, { 0xe6, 1, 1, 1, 0 }, { 0xe7, 0, 1, 1, 0 },
		{ 0xec, 1, 0, 0, 0 }, { 0xed, 0, 0, 0, 0 }, { 0xee, 1, 0, 1, 0 }, { 0xef, 0, 0, 1, 0 },
	};
	struct lguest_exit end, was;
	u8 insn[32];
	unsigned int opcode, i, len;

	memcpy(insn, before, n);
	memset(insn + n, 0xec, sizeof(insn) - n);	/* nothing but the first byte is in the way of a port */
	for (opcode = 0; opcode < 256; opcode++) {
		for (i = 0; i < LENGTH(ports) && ports[i].opcode != opcode; i++)
			;
		if (memchr(prefixes, (int)opcode, sizeof(prefixes)) || (opcode & 0xf0) == 0x40)
			continue;
		insn[n] = (u8)opcode;
		for (len = 0; len < 20; len++) {
			unsigned int needs = n + 1 + (i < LENGTH(ports) && ports[i].number);
			bool is = i < LENGTH(ports) && len >= needs && needs <= 15;

			memset(&was, 0xee, sizeof(was));
			for (int at = 0; at < 15; at++)
				was.insn[at] = at & 1 ? 0xed : 0x66;
			memcpy(was.insn, insn, len > 15 ? 15 : len);
			was.insn_len = (u8)len;
			CHECK(ask_port(insn, len, 0xabcd1234567803f8, &end) == is, "opcode %#x after %u, %u bytes", opcode, n, len);
			if (!is) {
				CHECK(!memcmp(&end, &was, sizeof(end)), "opcode %#x: changed", opcode);
				continue;
			}
			CHECK(end.kind == LGEXIT_PORT && end.insn_len == needs, "opcode %#x: %u bytes", opcode, end.insn_len);
			CHECK(end.arg[0] == (ports[i].number ? 0xec : 0x3f8), "opcode %#x: port %#llx", opcode, ULL(end.arg[0]));
			CHECK(end.arg[1] == ((ports[i].byte ? 1 : size) | (ports[i].out ? LGPORT_OUT : 0) |
			      (ports[i].string ? LGPORT_STRING | (rep ? LGPORT_REP : 0) : 0)),
			      "opcode %#x after %u: %#llx", opcode, n, ULL(end.arg[1]));
			CHECK(!memcmp(end.insn, insn, needs), "opcode %#x: another instruction", opcode);
			for (unsigned int at = needs; at < 15; at++)
				CHECK(!end.insn[at], "opcode %#x: a byte too many", opcode);
			CHECK(end.rip == was.rip && end.cr2 == was.cr2 && end.vector == was.vector && end.error == was.error &&
			      !memcmp(end.reason, was.reason, sizeof(was.reason)), "opcode %#x: not its field", opcode);
		}
	}
}

static void test_ports(void)
{
	u8 before[16];
	unsigned int n, round;
	u64 v;

	srand(1);
	for (round = 0; round < 600; round++) {
		bool half = false, rep = false, wide = false;

		n = round < LENGTH(prefixes) ? 1 : (unsigned int)rand() % 16;
		for (unsigned int i = 0; i < n; i++) {
			before[i] = prefixes[round < LENGTH(prefixes) ? round : (unsigned int)rand() % LENGTH(prefixes)];
			half |= before[i] == 0x66;
			rep |= before[i] == 0xf2 || before[i] == 0xf3;
			wide = before[i] == 0x48 || before[i] == 0x4f;
		}
		test_port(before, n, half && !wide ? 2 : 4, rep);
	}
	test_port(before, 0, 4, false);
	for (v = 0; v < 0x200; v++) {
		CHECK(port_trap(v, 0, false) == (v == 13), "vector %llu", ULL(v));
		CHECK(!port_trap(v, 0, true), "vector %llu of a program", ULL(v));
		CHECK(!port_trap(13, v + 1, false), "error %llu", ULL(v + 1));
		CHECK(!port_trap(13 | (v + 1) << 32, 0, false), "vector %llu", ULL(v));
		CHECK(!port_trap(13, (v + 1) << 32, false), "error %llu", ULL(v));
		struct lguest_exit end;
		u8 in[] = { 0xe4, (u8)v };

		CHECK(ask_port(in, 2, 0, &end) && end.arg[0] == (v & 0xff), "port %#llx", ULL(v));
		CHECK(ask_port((u8 []){ 0xec }, 1, v << 7, &end) && end.arg[0] == v << 7, "port %#llx", ULL(v << 7));
	}
}

/* Entries as a Guest might write them, most of them with some sense. */
static u64 some_entry(void)
{
	u64 entry = (u64)rand() << 33 ^ (u64)rand() << 12 ^ (u64)rand();

	entry &= rand() % 8 ? 0x800000ffffffffff : ~0ull;
	if (rand() % 4)
		entry &= rand() % 2 ? ~0x80ull : ~0x1fe000ull;
	return rand() % 16 ? entry | 1 : entry;
}

/* Two read the Guest's tables, each in its own way, and come to the same. */
static void test_readings(void)
{
	for (int round = 0; round < 300000; round++) {
		u64 addr = ((u64)rand() << 31 ^ (u64)rand()) & 0xffffffffffff;
		struct reading r = reading_of(addr, 7, true);
		struct guest_walk walk = { .addr = addr };
		enum walk_result result = WALK_ON;
		bool on = true, touched = true;

		for (int level = 4; on; level--) {
			u64 entry = some_entry();

			touched &= !!(entry & PTE_ACCESSED);

			CHECK(r.level == level && reading_index(&r) == table_index(addr, level),
			      "level %d of %#llx", level, ULL(addr));
			result = walk_step(&walk, level, entry);
			on = !is_nonsense(&r, entry) && read_on(&r, entry);
			CHECK(on == (result == WALK_ON && !pte_is_leaf(entry, level)),
			      "level %d, %#llx", level, ULL(entry));
			CHECK(!on || r.frame == walk.table[level - 1], "level %d, %#llx", level, ULL(entry));
			on &= result == WALK_ON && level > 1;
		}
		CHECK(r.there == (result == WALK_ON), "the end of %#llx", ULL(addr));
		CHECK(next_address(&r) == ((addr >> (3 + 9 * r.level)) + 1) << (3 + 9 * r.level), "%#llx", ULL(addr));
		if (!r.there || result != WALK_ON)
			continue;
		CHECK(r.touched == touched, "touched, %#llx", ULL(addr));
		CHECK(r.frame == walk.gfn, "the frame of %#llx", ULL(addr));
		CHECK(r.write == walk_allows(&walk, FAULT_WRITE), "write, %#llx", ULL(addr));
		CHECK(r.user == walk_allows(&walk, FAULT_USER), "user, %#llx", ULL(addr));
		CHECK(r.fetch == walk_allows(&walk, FAULT_FETCH), "fetch, %#llx", ULL(addr));
		CHECK(r.dirty == !!(walk.entry[walk.level] & PTE_DIRTY), "dirty, %#llx", ULL(addr));
	}
	CHECK(reading_of(0x5678, 7, false).there && reading_of(0x5678, 7, false).frame == 5, "no paging");
}

static void test_verdicts(void)
{
	for (int bits = 0; bits < 1 << 10; bits++) {
		struct reading shown = { .there = true, .write = bits & 1, .fetch = bits & 2 };
		struct reading said = { .there = bits & 4, .write = bits & 8, .fetch = bits & 16,
					.user = bits & 32, .touched = bits & 64, .dirty = bits & 128 };
		bool same = bits & 256, program = bits & 512;
		bool good = said.there && same && said.touched && (said.user || !program) &&
			(said.fetch || !shown.fetch) && ((said.write && said.dirty) || !shown.write);

		CHECK(!readings_differ(&shown, &said, same, program) == good, "bits %#x", bits);
	}
}

int main(void)
{
	test_readings();
	test_verdicts();
	test_ports();
	test_clock();
	test_range();
	test_addresses();
	test_rflags();
	test_entry();
	test_owners();
	test_selectors();
	test_segments();
	test_breakpoints();
	test_cr3();
	test_refusals();
	printf("%lu answers compared, %lu wrong\n", done, bad);
	return bad != 0;
}
