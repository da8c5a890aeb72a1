/* SPDX-License-Identifier: GPL-2.0-only */
/* Take the window's slot in this process, then load, start and run: see ci/checks/refusals-live. */
#include "tiny.h"

static int bad;

static void want(const char *what, int is, int wanted)
{
	printf("%s: %s\n", what, is ? strerror(is) : "no error");
	if (is != wanted) {
		printf("  but wanted: %s\n", wanted ? strerror(wanted) : "no error");
		bad++;
	}
}

static int insert(void)
{
	int fd = open("/lg/lg.ko", O_RDONLY | O_CLOEXEC), err = 0;

	if (syscall(SYS_finit_module, fd, "", 0))
		err = errno;
	close(fd);
	return err;
}

int main(void)
{
	static const u8 bye[] = { 0xb8, 0xeb, 3, 0, 0, 0xbf, 7, 0, 0, 0, 0x0f, 0x05 };
	struct lguest_exit e;
	struct guest g = { 0 };

	tell_witness("take");
	want("loading with the window taken", insert(), EPERM);
	tell_witness("give");
	want("loading with the window free", insert(), 0);
	tell_witness("take");
	want("a Guest with the window taken", -guest_try(&g, 4), EADDRINUSE);
	tell_witness("give");
	guest_open(&g, 4);
	memcpy(g.mem + ENTRY, bye, sizeof(bye));
	tell_witness("give");	/* as exec would */
	want("a run without the window", read(g.fd, &e, sizeof(e)) < 0 ? errno : 0, EADDRINUSE);
	close(g.fd);
	guest_open(&g, 4);
	e = run(&g);
	want("and then all is well", e.kind == LGEXIT_SHUTDOWN ? 0 : EIO, 0);
	close(g.fd);
	return bad != 0;
}
