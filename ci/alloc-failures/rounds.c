/* SPDX-License-Identifier: GPL-2.0-only */
/* Let each allocation fail in turn, and count what is left: see ci/checks/alloc-failures. */
#include "tiny.h"

static int bad;

#define WRONG(...) do { printf(__VA_ARGS__); putchar('\n'); bad++; } while (0)

static int insert(const char *arguments)
{
	int fd = open("/lg/lg.ko", O_RDONLY | O_CLOEXEC), err = 0;

	if (syscall(SYS_finit_module, fd, arguments, 0))
		err = errno;
	close(fd);
	return err;
}

static void eject(void)
{
	if (syscall(SYS_delete_module, "lg", O_NONBLOCK))
		die("rmmod");
}

static long number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 1)
		die(path);
	close(fd);
	return atol(text);
}

static void parameter(const char *name, int value)
{
	char path[80], text[16];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/lg/parameters/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, snprintf(text, sizeof(text), "%d", value)) < 1)
		die(path);
	close(fd);
}

static long live(void)
{
	return number("/sys/module/lg/parameters/live");
}

static long pinned(void)
{
	char one = '1';
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, &one, 1) != 1)
		die("stat_refresh");
	close(fd);
	return line_of("/proc/vmstat", "nr_foll_pin_acquired ") - line_of("/proc/vmstat", "nr_foll_pin_released ");
}

static void going(const char *when)
{
	int goings, left;

	if (sscanf(witness("goings"), "%d live %d", &goings, &left) != 2)
		die("lgprobe");
	if (left)
		WRONG("%s: %d allocations are left", when, left);
}

/* A Guest that touches memory all over, and says goodbye, to see that all still works. */
static void one_guest(struct guest *g, const char *when)
{
	static const u8 bye[] = {
		0x31, 0xc0,				/* xor %eax, %eax */
		0x80, 0x08, 0x01,			/* 1: orb $1, (%rax) */
		0x05, 0x00, 0x00, 0x20, 0x00,		/* add $0x200000, %eax */
		0x48, 0x39, 0xe0,			/* cmp %rsp, %rax */
		0x72, 0xf3,				/* jb 1b */
		0xb8, 0xeb, 3, 0, 0, 0xbf, 7, 0, 0, 0, 0x0f, 0x05,
	};
	struct lguest_exit e;

	memcpy(g->mem + ENTRY, bye, sizeof(bye));
	e = run(g);
	if (e.kind != LGEXIT_SHUTDOWN || e.arg[0] != 7)
		WRONG("%s: exit %u, %s", when, e.kind, e.reason);
	close(g->fd);
}

/* Returns how many allocations a Guest of that many pages takes. */
static int guest_failures(u64 pages, bool count)
{
	struct guest g = { 0 };
	char when[64];
	long before = live(), pins = pinned();
	bool again;
	int n, err;

	for (n = 1; n < 5000; n++) {
		snprintf(when, sizeof(when), "a Guest of %llu pages without allocation %d", (ull)pages, n);
		parameter("allocations", 0);
		parameter("fail_nth", n);
		err = -guest_file(&g);
		again = !err;	/* the same file, after a failure */
		if (!err)
			err = -guest_init(&g, pages);
		parameter("fail_nth", 0);
		if (!err) {
			one_guest(&g, when);
			break;
		}
		if (err != ENOMEM)
			WRONG("%s: %s", when, strerror(err));
		if (again) {
			if (guest_init(&g, pages))
				WRONG("%s: %s, the second time", when, strerror(errno));
			one_guest(&g, when);
		}
		if (count && live() != before)
			WRONG("%s: %ld live before, %ld after", when, before, live());
		if (pinned() != pins)
			WRONG("%s: %ld pages pinned before, %ld after", when, pins, pinned());
		if (line_of("/proc/self/status", "VmPin:") || line_of("/proc/self/status", "VmLck:"))
			WRONG("%s: memory still charged", when);
		guest_open(&g, pages);
		one_guest(&g, when);
	}
	if (count && live() != before)
		WRONG("%llu pages: %ld live before, %ld after", (ull)pages, before, live());
	munmap(g.mem, g.size);
	return n - 1;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 100;
	long before, after, slab, i;
	struct guest g = { 0 };
	char args[32];
	int n, err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (n = 1; n < 1000; n++) {
		snprintf(args, sizeof(args), "fail_nth=%d", n);
		err = insert(args);
		if (!err)
			break;
		if (err != ENOMEM)
			WRONG("loading without allocation %d: %s", n, strerror(err));
		snprintf(args, sizeof(args), "loading without %d", n);
		going(args);
	}
	printf("loading: each of %d allocations failed once\n", n - 1);
	if (n < 5)
		WRONG("that is too few: is this the test build?");
	n = guest_failures(4, false);
	printf("first Guest: each of %d\n", n);
	eject();
	going("unloading after failures");
	if (insert(""))
		die("insmod");
	guest_open(&g, 4);
	one_guest(&g, "first");
	n = guest_failures(4, true);
	printf("Guest of 4 pages: each of %d\n", n);
	n = guest_failures(8192, true);
	printf("Guest of 8192 pages: each of %d\n", n);
	if (n < 10)
		WRONG("that is too few");
	eject();
	going("unloading");

	/* And nothing trickles away over many good and bad rounds. */
	for (i = -1; i < 2; i++) {
		before = free_kib();
		slab = line_of("/proc/meminfo", "SUnreclaim:");
		for (n = 0; n < rounds; n++) {
			snprintf(args, sizeof(args), "fail_nth=%d", n % 8 ? 0 : n % 100 + 1);
			if (insert(args))
				continue;
			if (!guest_try(&g, 4))
				one_guest(&g, "one of many");
			eject();
			going("one of many");
		}
		/* The kernel frees some things later: it may have its time, but all must come. */
		for (err = 0; err < (kernel_finds_leaks() ? 1 : 600); err++) {
			after = free_kib();
			if (before - after <= 1024 && line_of("/proc/meminfo", "SUnreclaim:") - slab <= 512)
				break;
			usleep(100000);
		}
		printf("%d rounds: %ld KiB free before, %ld after; slab %ld, %ld\n", rounds,
		       before, after, slab, line_of("/proc/meminfo", "SUnreclaim:"));
	}
	if (kernel_finds_leaks())
		return bad != 0;
	if (before - after > 1024 || line_of("/proc/meminfo", "SUnreclaim:") - slab > 512)
		WRONG("memory is lost");
	return bad != 0;
}
