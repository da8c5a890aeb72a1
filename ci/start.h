/* SPDX-License-Identifier: GPL-2.0-only */
/* For programs aboard the bench that start a Guest by hand: the two requests that every Guest begins with. */
#ifndef START_H
#define START_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>
#include "../kmod/lguest.h"

/* A descriptor with which everything else can be asked for, or -1. */
static inline int open_guest(void)
{
	struct lguest_version v = { LHREQ_VERSION, LGUEST_VERSION };
	int fd = open("/dev/lguest", O_RDWR | O_CLOEXEC);

	if (fd >= 0 && write(fd, &v, sizeof(v)) == sizeof(v))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* It gets these pages and will begin at @entry; if not, errno says why. */
static inline bool start_guest(int fd, void *memory, uint64_t pages, uint64_t entry)
{
	struct lguest_initialize i = { LHREQ_INITIALIZE, (uintptr_t)memory, pages, entry };

	return pwrite(fd, &i, sizeof(i), 0) == sizeof(i);
}

#endif /* START_H */
