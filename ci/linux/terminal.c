// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of the Launcher has to do with the terminal, without a Guest:
 * usage: terminal WAY.  Takes the terminal, says "ready", and ends in that way.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "launcher.h"
#include "serial.h"
#include "terminal.h"

static int line = -1;

void serial_listen_to(int fd)
{
	line = fd;
}

static void leave(int signal)
{
	terminal_give_back();
	_exit(128 + signal);
}

/* Shows each byte that has come to the serial line, up to a q. */
static int show(void)
{
	unsigned char byte = 0;

	while (byte != 'q') {
		if (read(line, &byte, 1) != 1) {
			printf("hung up\n");
			return 1;
		}
		printf("%02x ", byte);
		fflush(stdout);
	}
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";

	signal(SIGINT, leave);
	signal(SIGTERM, leave);
	terminal_take(leave);
	if (line < 0) {
		printf("no terminal\n");
		return 3;
	}
	printf("ready\n");
	fflush(stdout);
	if (!strcmp(way, "show"))
		return show();
	if (!strcmp(way, "return"))
		return 0;
	if (!strcmp(way, "fail"))
		fail(STATUS_NO_MACHINE, "on purpose");
	if (!strcmp(way, "again")) {
		terminal_give_back();
		execl("/proc/self/exe", argv[0], "show", NULL);
	}
	if (!strcmp(way, "print"))
		for (;;)
			printf("much\n");
	for (;;)
		pause();
}
