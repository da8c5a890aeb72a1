// SPDX-License-Identifier: GPL-2.0-only
/*
 * pull as UID GID GROUP COMMAND...: run it as somebody, in one more group
 * pull PID [killed]: make a running process try an execve, as whoever sits in it would
 * pull bare COMMAND...: run it without standard input, output and error
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static int give_up(const char *what)
{
	perror(what);
	return 2;
}

static int as(char **argv)
{
	uid_t uid = atoi(argv[0]);
	gid_t gid = atoi(argv[1]), group = atoi(argv[2]);

	if (setgroups(1, &group) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return give_up("become");
	execvp(argv[3], argv + 3);
	return give_up(argv[3]);
}

static int pull(pid_t pid, bool killed)		/* or may it say something first? */
{
	struct user_regs_struct regs;
	int status;

	/* it stands in a system call, or in the Guest, which is one as well */
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) || ptrace(PTRACE_INTERRUPT, pid, 0, 0) ||
	    waitpid(pid, &status, __WALL) != pid || ptrace(PTRACE_GETREGS, pid, 0, &regs))
		return give_up("attach");
	printf("it stands in system call %ld\n", (long)regs.orig_rax);
	regs.rip -= 2;			/* SYSCALL, once more */
	regs.rax = SYS_execve;
	regs.orig_rax = -1;
	regs.rdi = regs.rsi = regs.rdx = regs.rsp;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) || ptrace(PTRACE_CONT, pid, 0, 0) ||
	    waitpid(pid, &status, __WALL) != pid)
		return give_up("pull");
	if (killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return 0;
	if (killed || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGSYS) {
		printf("WRONG: no SIGSYS, but %#x\n", status);
		return 1;
	}
	if (ptrace(PTRACE_DETACH, pid, 0, SIGSYS))
		return give_up("let go");
	return 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc > 5 && !strcmp(argv[1], "as"))
		return as(argv + 2);
	if (argc > 2 && !strcmp(argv[1], "bare")) {
		close(0);
		close(1);
		close(2);
		execvp(argv[2], argv + 2);
		_exit(2);
	}
	return argc == 2 || argc == 3 ? pull(atoi(argv[1]), argc == 3) : 2;
}
