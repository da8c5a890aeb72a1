/* SPDX-License-Identifier: GPL-2.0-only */
/* Load, unload, refuse to unload, and every way a Launcher dies: see ci/checks/load-unload. */
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include "tiny.h"

static int bad;

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

static long meminfo(const char *name)
{
	char text[8192], *at;
	int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC), n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n] = 0;
	at = strstr(text, name);
	return at ? atol(at + strlen(name)) : 0;
}

static long free_kib(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (write(fd, "3", 1) != 1)
		die("drop_caches");
	close(fd);
	usleep(50000);
	return meminfo("MemFree:");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
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
	if (grandchild && !fork()) {	/* holds the Guest's descriptor, and no more */
		close(ready[1]);
		sleep(2);
		_exit(0);
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
	if (now() - start > 5)
		WRONG("%s took %.1f s", when, now() - start);
}

static void deaths(int cpus)
{
	pid_t pid, many[4];
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
	pid = looping(-1, true);
	gone(pid, SIGKILL, "a Launcher with a child");
	refused("a Guest whose Launcher is dead");
	sleep(3);
	i = eject();
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
	long before = 0, after;
	double start = now();

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
	after = free_kib();
	printf("%d times loaded and unloaded in %.1f s; %ld KiB free before, %ld after\n",
	       cycles, now() - start, before, after);
	if (before - after > 512)
		WRONG("memory is lost");
	deaths(cpus);
	hotplug();
	before = free_kib();
	for (i = 0; i < 5; i++)
		deaths(cpus);
	after = free_kib();
	printf("five rounds of dying Launchers; %ld KiB free before, %ld after\n", before, after);
	if (before - after > 512)
		WRONG("memory is lost");
	return bad != 0;
}
