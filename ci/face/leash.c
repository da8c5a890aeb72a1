// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes the Launcher's leash in one child after the other, and pulls: every
 * system call there is, and those that depend on their arguments with good ones
 * and bad ones. What must come back and what must not is listed here, not there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "launcher.h"
#include "leash.h"

#define LAST 480		/* more than any Linux of this book has */

static int wrong, tries;
static pid_t parent;
static char words[4096];

static void no_goodbye(void) { }

static void launchers(void) { leash_take(no_goodbye); }

static const struct {	/* in a page of its own: what the doorkeeper may open */
	char text[4096];
} page __attribute__((aligned(4096))) = { "/dev/null" };

static void keepers(void) { leash_keeper(page.text); }

static void (*take)(void) = launchers;

/* The status of a child that does it on the leash: 0 if it came back. */
static int pull(void (*what)(void *), void *arg)
{
	int ends[2], status;
	ssize_t n, got = 0;
	pid_t pid;

	if (pipe(ends) || (pid = fork()) < 0)
		exit(2);
	if (!pid) {
		dup2(ends[1], 2);
		take();
		what(arg);
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], words + got, sizeof(words) - 1 - got)) > 0)
		got += n;
	words[got] = 0;
	close(ends[0]);
	if (waitpid(pid, &status, 0) != pid)
		exit(2);
	tries++;
	return status;
}

static void must(bool good, const char *what, int status)
{
	if (good)
		return;
	wrong++;
	printf("WRONG: %s: status %#x, %s\n", what, status, words);
}

/* --- by number ------------------------------------------------------------ */
static const int free_ones[] = {
	SYS_pread64, SYS_pwrite64, SYS_read, SYS_write, SYS_poll, SYS_close, SYS_recvmsg, SYS_pipe2,
	SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_set_robust_list, SYS_rseq,
	SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall, SYS_setitimer, SYS_getrandom,
	SYS_getpid, SYS_getpgrp, SYS_exit, SYS_exit_group,
	/* with the arguments of this test, which are all -1 but for the first, or below */
	SYS_clone3, SYS_rt_sigaction, SYS_clone,
};

/* Is it on a list, or one of two where newer kernels have probes that no filter sees? */
static bool is_free(int nr, const int *list, size_t count)
{
	while (count--)
		if (list[count] == nr)
			return true;
	return nr == 335 || nr == 336;
}

static void by_number(void *arg)
{
	syscall(*(int *)arg, -1L, -1L, -1L, -1L, -1L, -1L);
}

static void x32(void *arg)
{
	(void)arg;
	syscall(0x40000000 | SYS_getpid);
}

static void old_door(void *arg)	/* 20 is getpid there, and writev here */
{
	long ret = 20;

	(void)arg;
	asm volatile("int $0x80" : "+a"(ret) : : "memory", "r8", "r9", "r10", "r11");
}

/* --- by arguments --------------------------------------------------------- */
static void *idle(void *arg) { return arg; }

static void good_ones(void *arg)
{
	struct sigaction act = { .sa_handler = SIG_IGN };
	pthread_t thread;
	struct stat st;
	char *p;

	(void)arg;
	p = malloc(300 << 20);
	if (!p)
		_exit(10);
	memset(p, 1, 100);
	free(p);
	p = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_WRITE))
		_exit(11);
	if (pthread_create(&thread, NULL, idle, NULL) || pthread_join(thread, NULL))
		_exit(12);
	if (sigaction(SIGUSR1, &act, NULL) || kill(getpid(), SIGUSR1))
		_exit(13);
	if (fstat(0, &st) || (ioctl(0, TCGETS, p) && errno != ENOTTY))
		_exit(14);
	if (fcntl(2, F_SETFL, O_NONBLOCK) || fprintf(stderr, "%s\n", strerror(EIO)) < 0)
		_exit(15);
	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		_exit(16);
}

static const struct bad {
	const char *what;
	long nr, a, b, c, d;
} bad_ones[] = {
	{ "mmap to execute", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS },
	{ "mmap for everything", SYS_mmap, 0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS },
	{ "mprotect to execute", SYS_mprotect, 0, 4096, PROT_READ | PROT_EXEC, 0 },
	{ "fork by clone", SYS_clone, SIGCHLD, 0, 0, 0 },
	{ "vfork by clone", SYS_clone, SIGCHLD | CLONE_VM | CLONE_VFORK, 0, 0, 0 },
	{ "typing into the terminal", SYS_ioctl, 0, TIOCSTI, 0, 0 },
	{ "the selection of the console", SYS_ioctl, 0, TIOCLINUX, 0, 0 },
	{ "another terminal", SYS_ioctl, 0, TIOCSCTTY, 0, 0 },
	{ "ioctl with a high half", SYS_ioctl, 0, TIOCSTI | 1L << 32, 0, 0 },
	{ "another descriptor", SYS_fcntl, 0, F_DUPFD, 0, 0 },
	{ "a signal for the parent", SYS_kill, 0, 0, 0, 0 },		/* a is filled in */
	{ "a signal for all", SYS_kill, -1, 0, 0, 0 },
	{ "another handler for SIGSYS", SYS_rt_sigaction, SIGSYS, 0, 0, 8 },
	{ "stat by name", SYS_newfstatat, AT_FDCWD, (long)"/etc/passwd", 0, 0 },
	{ "execve", SYS_execve, (long)"/bin/true", 0, 0, 0 },
	{ "openat", SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDONLY, 0 },
	{ "socket", SYS_socket, 1, 1, 0, 0 },
	{ "ptrace", SYS_ptrace, 0, 0, 0, 0 },
	{ "another filter", SYS_seccomp, 1, 0, 0, 0 },
	{ "user namespaces", SYS_unshare, CLONE_NEWUSER, 0, 0, 0 },
};

static void bad_one(void *arg)
{
	const struct bad *b = arg;

	syscall(b->nr, b->nr == SYS_kill && !b->a ? (long)parent : b->a, b->b, b->c, b->d, 0L, 0L);
}

static bool ended_in_the_line(int status, long nr)
{
	char line[64];

	snprintf(line, sizeof(line), "may not make system call %4ld: see DIAGNOSTICS in man lguest\n", nr);
	return WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGSYS && strstr(words, line);
}

static void run_out_of_patience(void *arg)
{
	int ends[2];

	(void)arg;
	if (write(1, "", 0) || pipe2(ends, 0))
		_exit(17);
	read(ends[0], arg, 0);
	for (;;)
		poll(NULL, 0, -1);
}

/* --- the doorkeeper ------------------------------------------------------- */
static const int keepers_own[] = { SYS_close, SYS_exit_group, SYS_restart_syscall };

static void keeps(void *arg)
{
	struct msghdr m = { 0 };
	char byte;
	int fd;

	for (int i = 0; i < 3; i++) {
		fd = open(page.text, O_RDWR | O_CLOEXEC);
		if (fd < 0 || close(fd))
			_exit(18);
	}
	read(0, &byte, 0);
	sendmsg(0, &m, MSG_NOSIGNAL);	/* that it is no socket does not matter */
	(void)arg;
}

static const struct bad keepers_bad[] = {
	{ "the same name by another pointer", SYS_openat, AT_FDCWD, (long)"/dev/" "null", O_RDONLY, 0 },
	{ "a pointer into the name", SYS_openat, AT_FDCWD, (long)(page.text + 1), O_RDONLY, 0 },
	{ "the name, and something above it", SYS_openat, AT_FDCWD, (long)page.text + (1L << 32), O_RDONLY, 0 },
	{ "open without at", SYS_open, (long)page.text, O_RDONLY, 0, 0 },
	{ "to read what it has opened", SYS_read, 1, 0, 0, 0 },
	{ "to send it by another way", SYS_sendmsg, 1, 0, 0, 0 },
	{ "to change the name", SYS_mprotect, (long)&page, 4096, PROT_READ | PROT_WRITE, 0 },
	{ "to put another in its place", SYS_mmap, (long)&page, 4096, PROT_READ | PROT_WRITE,
	  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED },
	{ "to move another there", SYS_mremap, 0, 4096, 4096, 3 },
};

static bool killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static int pull_the_keeper(void)
{
	int status, nr, refused = 0;

	take = keepers;
	for (nr = 0; nr < LAST; nr++) {
		if (is_free(nr, keepers_own, sizeof(keepers_own) / sizeof(*keepers_own)))
			continue;
		status = pull(by_number, &nr);
		snprintf(words, sizeof(words), "(the doorkeeper's, number %d)", nr);
		must(killed(status), "a system call by number", status);
		refused++;
	}
	for (size_t i = 0; i < sizeof(keepers_bad) / sizeof(*keepers_bad); i++)
		must(killed(pull(bad_one, (void *)&keepers_bad[i])), keepers_bad[i].what, 0);
	must(killed(pull(x32, NULL)), "the doorkeeper's x32", 0);
	status = pull(old_door, NULL);
	must(killed(status) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV), "the doorkeeper's int 0x80", status);
	status = pull(keeps, NULL);
	must(!status, "what the doorkeeper needs", status);
	take = launchers;
	return refused;
}

/* What the kernel says of a child on the leash. */
static void in_proc(void)
{
	pid_t pid = fork();
	char path[64];
	int ok = 0;
	FILE *f;

	if (!pid) {
		leash_take(no_goodbye);
		run_out_of_patience(NULL);
	}
	for (int i = 0; i < 300 && ok != 31; i++) {
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
		f = fopen(path, "r");
		for (ok = 0; f && fgets(words, sizeof(words), f);) {
			ok |= !strcmp(words, "Seccomp:\t2\n");
			ok |= !strcmp(words, "NoNewPrivs:\t1\n") << 1;
			ok |= !strcmp(words, "CapEff:\t0000000000000000\n") << 2;
			ok |= !strcmp(words, "CapPrm:\t0000000000000000\n") << 3;
			ok |= !strcmp(words, "CapAmb:\t0000000000000000\n") << 4;
		}
		if (f)
			fclose(f);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	must(ok == 31, "what the kernel says of it", ok);
}

int main(void)
{
	int status, refused = 0;

	parent = getpid();
	for (int nr = 0; nr < LAST; nr++) {
		if (is_free(nr, free_ones, sizeof(free_ones) / sizeof(*free_ones)))
			continue;
		status = pull(by_number, &nr);
		snprintf(words + strlen(words), 30, "(number %d)", nr);
		must(ended_in_the_line(status, nr), "a system call by number", status);
		refused++;
	}
	for (size_t i = 0; i < sizeof(bad_ones) / sizeof(*bad_ones); i++) {
		status = pull(bad_one, (void *)&bad_ones[i]);
		must(ended_in_the_line(status, bad_ones[i].nr), bad_ones[i].what, status);
	}
	status = pull(good_ones, NULL);
	must(!status, "what the Launcher needs", status);
	status = pull(x32, NULL);
	must(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "x32", status);
	status = pull(old_door, NULL);
	must(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV), "int 0x80", status);
	in_proc();
	refused += pull_the_keeper();
	printf("%d pulls, %d system calls refused by number, %d wrong\n", tries, refused, wrong);
	return !!wrong;
}
