// SPDX-License-Identifier: GPL-2.0-only
/* nobody KIB COMMAND...: run it without rights, with so much lockable memory. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rlimit lock;

	if (argc < 3)
		return 2;
	lock.rlim_cur = lock.rlim_max = strtoul(argv[1], NULL, 0) * 1024;
	if (setrlimit(RLIMIT_MEMLOCK, &lock) || setresgid(65534, 65534, 65534) ||
	    setresuid(65534, 65534, 65534)) {
		perror("nobody");
		return 2;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 2;
}
