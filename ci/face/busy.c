// SPDX-License-Identifier: GPL-2.0-only
/* busy MILLISECONDS [fail]: something that long, as the Launcher tells of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "launcher.h"

int main(int argc, char **argv)
{
	long ms = argc > 1 ? atol(argv[1]) : 0;
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	verbose = true;
	busy("counts sheep");
	while (nanosleep(&left, &left) && errno == EINTR)
		;
	if (argc > 2)
		fail(STATUS_BAD_GUEST, "a sheep is missing: count again");
	busy(NULL);
	chat("%s", "all are there");
	return 0;
}
