/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page of the Host's that is late: see ci/checks/late-page.
 * usage: late ADDRESS   of apf_reason among the variables of a CPU
 *
 * What KVM does then is done by the witness: it writes its note into the
 * variable, and we let a Guest fault, at an address that is the page's number.
 */
#include <sys/wait.h>
#include <time.h>
#include "tiny.h"

#define LATE	0x12345000ul

static struct guest g;
static int bad;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static const u8 code[] = { 0x0f, 0x05, 0x48, 0x8b, 0x03 };	/* syscall; mov (%rbx), %rax */
	struct lguest_exit e;
	char cmd[32];
	double began;
	pid_t pid;

	snprintf(cmd, sizeof(cmd), "late %s", argc > 1 ? argv[1] : "");
	guest_open(&g, 4);
	memcpy(g.mem + ENTRY, code, sizeof(code));
	set(&g, LGREG_RBX, LATE);
	pid = fork();
	if (!pid) {
		sleep(2);
		tell_witness("came 0x12345000");
		_exit(0);
	}
	/*
	 * It speaks first, so that its code's own gap is filled before the note is there.
	 * That comes after fork(), which opens all gaps again.
	 */
	set(&g, LGREG_RAX, LHCALL_CONSOLE);
	set(&g, LGREG_RDI, ENTRY);
	set(&g, LGREG_RSI, 1);
	e = run(&g);
	if (e.kind != LGEXIT_CONSOLE)
		die("the Guest said nothing");
	tell_witness(cmd);
	if (atoi(witness("late")) != 1)
		die("the note is not there");
	began = now();
	e = run(&g);
	printf("the Guest ended after %.1f s: %s\n", now() - began, e.reason);
	if (now() - began < 1)
		bad += printf("WRONG: it was not waited for the page\n");
	if (atoi(witness("late")))
		bad += printf("WRONG: the note is left for the Host's next page fault\n");
	/* The page is there, and the same fault again is the Guest's own. */
	if (e.kind != LGEXIT_DEAD || e.vector != 14 || e.cr2 != LATE || e.rip != ENTRY + 2)
		bad += printf("WRONG: kind %u vector %u CR2 %#llx RIP %#llx\n",
			      e.kind, e.vector, (ull)e.cr2, (ull)e.rip);
	waitpid(pid, NULL, 0);
	tell_witness("early");
	return !!bad;
}
