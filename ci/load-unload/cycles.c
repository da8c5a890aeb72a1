/* SPDX-License-Identifier: GPL-2.0-only */
/* Load, unload, refuse to unload, and every way a Launcher dies: see ci/checks/load-unload. */
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include "tiny.h"

#define LONG	60.0		/* seconds that nothing takes, on the busiest machine */

static int bad, holding[2];

#define WRONG(...) do { printf(__VA_ARGS__); putchar('\n'); bad++; } while (0)

static int insert(void)
{
	int fd = open("/lg/lg.ko", O_RDONLY | O_CLOEXEC), err = 0;

	if (syscall(SYS_finit_module, fd, "", 0))
		err = errno;
	close(fd);
	return err;
}

static int eject(void)
{
	return syscall(SYS_delete_module, "lg", O_NONBLOCK) ? errno : 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* The kernel frees some things later: it may have its time, but all must come. */
static void all_came_back(const char *what, long before)
{
	double start = now();
	long after;

	do
		after = free_kib();
	while (before - after > 512 && now() - start < LONG && !kernel_finds_leaks());
	printf("%s; %ld KiB free before, %ld after\n", what, before, after);
	if (before - after > 512 && !kernel_finds_leaks())
		WRONG("memory is lost");
}

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* A child whose Guest loops for ever; it says when the Guest is there. */
static pid_t looping(int cpu, bool grandchild)
{
	static const u8 loop[] = { 0x48, 0xff, 0xc3, 0xeb, 0xfb };	/* inc %rbx; jmp */
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		die("pipe");
	pid = fork();
	if (pid) {
		close(ready[1]);
		if (read(ready[0], &c, 1) != 1)
			WRONG("no looping Guest");
		close(ready[0]);
		return pid;
	}
	signal(SIGINT, SIG_DFL);
	if (cpu >= 0)
		pin_to(cpu);
	struct guest g = { 0 };

	guest_open(&g, 16);
	memcpy(g.mem + ENTRY, loop, sizeof(loop));
	if (grandchild) {
		close(holding[1]);
		if (!fork()) {	/* holds the Guest's descriptor, as long as we like */
			close(ready[1]);
			if (read(holding[0], &c, 1))
				die("pipe");
			_exit(0);
		}
	}
	if (write(ready[1], "", 1) != 1)
		die("pipe");
	close(ready[1]);
	run(&g);
	_exit(3);
}

static void refused(const char *when)
{
	int err = eject();

	if (err != EWOULDBLOCK && err != EBUSY)
		WRONG("rmmod with %s: %s", when, err ? strerror(err) : "no error");
	if (!err && insert())
		die("insmod");
}

static void gone(pid_t pid, int sig, const char *when)
{
	double start = now();
	int status;

	if (kill(pid, sig) || waitpid(pid, &status, 0) != pid)
		die("kill");
	if (!WIFSIGNALED(status) || WTERMSIG(status) != sig)
		WRONG("%s: status %#x", when, status);
	if (now() - start > LONG)
		WRONG("%s took %.1f s", when, now() - start);
}

static void deaths(int cpus)
{
	pid_t pid, many[4];
	double start;
	int i, fd;

	if (insert())
		die("insmod");
	fd = open("/dev/lguest", O_RDWR | O_CLOEXEC);
	refused("an open device");
	close(fd);

	pid = looping(-1, false);
	usleep(100000);
	refused("a looping Guest");
	gone(pid, SIGKILL, "kill -9");
	pid = looping(-1, false);
	usleep(20000);
	gone(pid, SIGINT, "Ctrl-C");
	pid = looping(-1, false);
	kill(pid, SIGSTOP);
	usleep(20000);
	kill(pid, SIGCONT);
	usleep(20000);
	gone(pid, SIGTERM, "stop, continue, terminate");

	for (i = 0; i < 4; i++)
		many[i] = looping(i % cpus, false);
	usleep(100000);
	refused("four looping Guests");
	for (i = 0; i < 4; i++)
		gone(many[i], i & 1 ? SIGKILL : SIGINT, "one of four");

	/* Its Launcher is dead and its memory map is gone; a child holds it. */
	if (pipe(holding))
		die("pipe");
	pid = looping(-1, true);
	close(holding[0]);
	gone(pid, SIGKILL, "a Launcher with a child");
	refused("a Guest whose Launcher is dead");
	close(holding[1]);	/* and the child lets go */
	start = now();
	while ((i = eject()) && now() - start < LONG)
		usleep(100000);
	if (i)
		WRONG("rmmod at the end: %s", strerror(i));
}

static void power(const char *cpu, const char *on)
{
	int fd = open(cpu, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, on, 1) != 1)
		WRONG("%s %s: %s", cpu, on, strerror(errno));
	close(fd);
}

/* A processor leaves and comes back while Guests run on all. */
static void hotplug(void)
{
	const char *cpu = "/sys/devices/system/cpu/cpu1/online";
	pid_t a, b;
	int i;

	if (access(cpu, F_OK))
		return;
	if (insert())
		die("insmod");
	a = looping(-1, false);
	b = looping(-1, false);
	for (i = 0; i < 3; i++) {
		power(cpu, "0");
		usleep(50000);
		power(cpu, "1");
		usleep(50000);
	}
	gone(a, SIGKILL, "after a processor came and went");
	gone(b, SIGKILL, "after a processor came and went");
	if (eject())
		WRONG("rmmod after a processor came and went");
}

int main(int argc, char **argv)
{
	int cycles = argc > 1 ? atoi(argv[1]) : 1000, i, err, warm = 50;
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	double start = now();
	char what[80];
	long before = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = -warm; i < cycles; i++) {
		if (!i)
			before = free_kib();
		err = insert();
		if (!err)
			err = eject();
		if (err) {
			WRONG("cycle %d: %s", i, strerror(err));
			break;
		}
	}
	snprintf(what, sizeof(what), "%d times loaded and unloaded in %.1f s", cycles, now() - start);
	all_came_back(what, before);
	deaths(cpus);
	hotplug();
	before = free_kib();
	for (i = 0; i < 5; i++)
		deaths(cpus);
	all_came_back("five rounds of dying Launchers", before);
	return bad != 0;
}
