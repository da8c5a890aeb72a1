/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lives of Guests in each of which the kernel fails once: the Nth time that it
 * takes memory, or copies from or to the Launcher, in a call of the device's.
 * See ci/debug-kernel/faults.
 */
#include <elf.h>
#include "tiny.h"

#define PAGES	4096ul

static u8 *mem;
static int nth_fd, bad;
static long rest;		/* so many times more, then it fails; 0: it has */

#define WRONG(...) do { printf("WRONG: " __VA_ARGS__); putchar('\n'); bad++; } while (0)

static void arm(void)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%ld", rest);

	if (rest && pwrite(nth_fd, text, n, 0) != n)
		die("fail-nth");
}

/* To ask how many are left is a copy to the Launcher too, and may be the one that fails. */
static void disarm(void)
{
	char text[16] = "";
	int err = errno;

	if (!rest)
		return;
	if (pread(nth_fd, text, sizeof(text) - 1, 0) > 0)
		rest = atol(text);
	else
		rest = 1;
	if (pwrite(nth_fd, "0", 1, 0) < 0)
		pwrite(nth_fd, "0", 1, 0);
	errno = err;
}

/* Every one of these fails at most once, and does what it should when tried again. */
#define TRY(what, call) ({						\
	long _ret, _was = rest;						\
	arm();								\
	_ret = (call);							\
	disarm();							\
	if (_ret < 0) {							\
		if (!_was || rest)					\
			WRONG("%s: %s, and nothing failed", what, strerror(errno)); \
		else if (errno != ENOMEM && errno != EFAULT)		\
			WRONG("%s: %s", what, strerror(errno));		\
		_ret = (call);						\
		if (_ret < 0)						\
			WRONG("%s, again: %s", what, strerror(errno));	\
	}								\
	_ret; })

static u64 load(const u8 *file)
{
	const Elf64_Ehdr *elf = (const void *)file;
	const Elf64_Phdr *ph = (const void *)(file + elf->e_phoff);
	int i;

	for (i = 0; i < elf->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD)
			memcpy(mem + ph[i].p_paddr, file + ph[i].p_offset, ph[i].p_filesz);
	return elf->e_entry;
}

static void look(const char *name)
{
	char path[80], text[4096];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/lguest/%s", name);
	if (!rest && access(path, F_OK))	/* to be looked at is no Guest's right */
		return;
	fd = TRY(name, open(path, O_RDONLY | O_CLOEXEC));
	if (fd < 0)
		return;
	while (TRY(name, read(fd, text, sizeof(text))) > 0)
		;
	close(fd);
}

/* Returns how it died, or NULL if it came to its end. */
static const char *live(u64 entry, int lives)
{
	struct lguest_version v = { LHREQ_VERSION, LGUEST_VERSION };
	struct lguest_initialize i = { LHREQ_INITIALIZE, (u64)mem, PAGES, entry };
	struct lguest_register r = { LHREQ_GETREG, LGREG_RIP, 0 };
	struct lguest_irq irq = { LHREQ_IRQ, 9, LGLINE_LOW };
	static struct lguest_exit e;
	char name[32];
	u64 rip;
	int fd;

	fd = TRY("open", open("/dev/lguest", O_RDWR | O_CLOEXEC));
	if (fd < 0)
		return "open";
	TRY("version", write(fd, &v, sizeof(v)));
	TRY("initialize", write(fd, &i, sizeof(i)));
	TRY("ask", write(fd, &r, sizeof(r)));
	memset(&e, 0, sizeof(e));
	TRY("answer", read(fd, &e, sizeof(e)));
	memcpy(&rip, &e, sizeof(rip));
	if (rip != entry)
		WRONG("RIP is %#llx, not %#llx", (ull)rip, (ull)entry);
	r = (struct lguest_register) { LHREQ_SETREG, LGREG_R15, 15 };
	TRY("set", write(fd, &r, sizeof(r)));
	TRY("line", write(fd, &irq, sizeof(irq)));
	do {
		memset(&e, 0, sizeof(e));
		if (TRY("run", read(fd, &e, sizeof(e))) < 0)
			break;
	} while (e.kind == LGEXIT_CONSOLE);
	snprintf(name, sizeof(name), "%d-%d/counters", getpid(), lives);
	look(name);
	snprintf(name, sizeof(name), "%d-%d/tables", getpid(), lives);
	look(name);
	arm();
	close(fd);
	disarm();
	if (e.kind == LGEXIT_SHUTDOWN && !e.arg[0])
		return NULL;
	if (e.kind != LGEXIT_DEAD)
		WRONG("exit %u, status %llu", e.kind, (ull)e.arg[0]);
	return e.reason;
}

static void tune(const char *what, const char *name, const char *value)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", what, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(path);
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const faults[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	static u8 file[1 << 20];
	int i, fd, lives = 0, deaths;
	const char *died;
	u64 entry;
	long n;

	setvbuf(stdout, NULL, _IOLBF, 0);
	nth_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0)
		die("fail-nth");
	for (i = 0; i < 3; i++)
		tune(faults[i], "verbose", "0");
	tune("failslab", "ignore-gfp-wait", "N");
	tune("fail_page_alloc", "ignore-gfp-wait", "N");
	tune("fail_page_alloc", "ignore-gfp-highmem", "N");
	tune("fail_page_alloc", "min-order", "0");
	mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		die("mmap");
	for (i = 1; i < argc; i++) {
		fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, file, sizeof(file)) < (long)sizeof(Elf64_Ehdr))
			die(argv[i]);
		close(fd);
		deaths = 0;
		for (n = 1; n < 100000; n++) {
			/* What is not there takes memory, in each life again. */
			madvise(mem, PAGES * PAGE, MADV_DONTNEED);
			entry = load(file);
			rest = n;
			died = live(entry, ++lives);
			if (!died && rest)
				break;
			if (!died)
				continue;
			deaths++;
			if (rest || !(strstr(died, "is not there") || strstr(died, "cannot be written") ||
				      strstr(died, "not in its memory") || strstr(died, "bad ")))
				WRONG("%s, %ld: %s", argv[i], n, died);
		}
		printf("%s: %ld times something failed, and %d times it died of it\n",
		       argv[i], n - 1, deaths);
		if (n < 20)
			WRONG("that is too few");
	}
	return bad != 0;
}
