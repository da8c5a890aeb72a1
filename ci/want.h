/* SPDX-License-Identifier: GPL-2.0-only */
/* For programs aboard the bench that try /dev/lguest: what is wrong is said and counted. */
#ifndef WANT_H
#define WANT_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "start.h"

static int wrong;

#define WRONG(...) do {							\
	printf("WRONG (line %d): ", __LINE__);				\
	printf(__VA_ARGS__);						\
	printf(" [%s]\n", strerror(errno));				\
	fflush(stdout);							\
	wrong++;							\
} while (0)
#define WANT(ok, ...) do { if (!(ok)) WRONG(__VA_ARGS__); } while (0)

/* A descriptor with which everything else can be asked for. */
static int fresh(void)
{
	int fd = open_guest();

	WANT(fd >= 0, "open and version");
	return fd;
}

#endif /* WANT_H */
