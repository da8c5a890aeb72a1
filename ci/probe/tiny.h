/* SPDX-License-Identifier: GPL-2.0-only */
/* A Launcher in a page (compile with -D_GNU_SOURCE), for checks that need thousands of Guests a minute. */
#ifndef TINY_H
#define TINY_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lguest.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned long long ull;

#define PAGE	4096ul
#define ENTRY	0x1000ul

static __attribute__((unused)) void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(2);
}

struct guest {
	int fd;
	u8 *mem;
	u64 size;
};

/* Memory is kept from Guest to Guest; the descriptor is what makes one. */
static __attribute__((unused)) int guest_init(struct guest *g, u64 pages)
{
	struct lguest_initialize i = { LHREQ_INITIALIZE, 0, pages, ENTRY };

	if (!g->mem) {
		g->size = pages * PAGE;
		g->mem = mmap(NULL, g->size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (g->mem == MAP_FAILED)
			die("mmap");
	}
	i.mem_base = (u64)g->mem;
	return write(g->fd, &i, sizeof(i)) == sizeof(i) ? 0 : -errno;
}

/* No Guest yet, but it could be one. */
static __attribute__((unused)) int guest_file(struct guest *g)
{
	struct lguest_version v = { LHREQ_VERSION, LGUEST_VERSION };

	g->fd = open("/dev/lguest", O_RDWR | O_CLOEXEC);
	if (g->fd < 0)
		return -errno;
	if (write(g->fd, &v, sizeof(v)) != sizeof(v))
		die("version");
	return 0;
}

static __attribute__((unused)) int guest_try(struct guest *g, u64 pages)
{
	int err = guest_file(g);

	if (err)
		return err;
	err = guest_init(g, pages);
	if (err)
		close(g->fd);
	return err;
}

static __attribute__((unused)) void guest_open(struct guest *g, u64 pages)
{
	errno = -guest_try(g, pages);
	if (errno)
		die("a new Guest");
}

static __attribute__((unused)) void set(struct guest *g, u64 reg, u64 value)
{
	struct lguest_register r = { LHREQ_SETREG, reg, value };

	if (write(g->fd, &r, sizeof(r)) != sizeof(r))
		die("SETREG");
}

static __attribute__((unused)) u64 get(struct guest *g, u64 reg)
{
	struct lguest_register r = { LHREQ_GETREG, reg, 0 };
	struct lguest_exit e;

	if (write(g->fd, &r, sizeof(r)) != sizeof(r) ||
	    read(g->fd, &e, sizeof(e)) != 8)
		die("GETREG");
	memcpy(&r.value, &e, 8);
	return r.value;
}

static __attribute__((unused)) struct lguest_exit run(struct guest *g)
{
	struct lguest_exit e;

	if (read(g->fd, &e, sizeof(e)) != sizeof(e))
		die("read");
	return e;
}

/* What the witness on the Host says: the word after NAME. */
static __attribute__((unused)) const char *witness(const char *name)
{
	static char text[8192];
	char *at = text;
	int fd = open("/dev/lgprobe", O_RDWR | O_CLOEXEC), n;

	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		die("lgprobe");
	close(fd);
	text[n] = 0;
	while (at && strncmp(at, name, strlen(name)))
		at = (at = strchr(at, '\n')) ? at + 1 : NULL;
	return at ? at + strlen(name) + 1 : "";
}

static __attribute__((unused)) void tell_witness(const char *cmd)
{
	int fd = open("/dev/lgprobe", O_RDWR | O_CLOEXEC);

	if (write(fd, cmd, strlen(cmd)) < 0)
		die(cmd);
	close(fd);
}

/* All of a file in /proc, for one question. */
static __attribute__((unused)) char *proc(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC), n = 0, r;

	if (fd < 0)
		die(path);
	while ((r = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += r;
	close(fd);
	text[n] = 0;
	return text;
}

static __attribute__((unused)) long line_of(const char *path, const char *name)
{
	char *at = strstr(proc(path), name);

	if (!at)
		die(name);
	return atol(at + strlen(name));
}

/* A kernel that looks for leaks itself also keeps for a while what was freed: nothing to count. */
static __attribute__((unused)) bool kernel_finds_leaks(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

/*
 * Free memory without the caches.  What the allocator keeps in its lists for
 * each CPU is free too, but MemFree does not count it.
 */
static __attribute__((unused)) long free_kib(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	long pages = 0;
	char *at;

	sync();
	if (write(fd, "3", 1) != 1)
		die("drop_caches");
	close(fd);
	usleep(50000);
	for (at = proc("/proc/zoneinfo"); (at = strstr(at, "  count: ")); at += 9)
		pages += atol(at + 9);
	return line_of("/proc/meminfo", "MemFree:") + pages * (long)PAGE / 1024;
}

#endif /* TINY_H */
