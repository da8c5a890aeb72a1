// SPDX-License-Identifier: GPL-2.0-only
/* kmod/lguest.h against the table of its layout; never run, only compiled. */
#include <stddef.h>
#include "lguest.h"

#define SAME(what, is, want) _Static_assert((long long)(is) == (long long)(want), what " is not " #want)
#define SINCE(what, edition) \
	_Static_assert(LGUEST_VERSION >= (edition), what ": raise LGUEST_VERSION to " #edition)

#define NUMBER(edition, name, value) \
	SINCE(#name, edition); SAME(#name, name, value);
#define STRUCT(edition, type, size) \
	SINCE(#type, edition); SAME("size of " #type, sizeof(struct type), size);
#define FIELD(edition, type, field, offset, size) \
	SINCE(#type "." #field, edition); \
	SAME("offset of " #type "." #field, offsetof(struct type, field), offset); \
	SAME("size of " #type "." #field, sizeof(((struct type *)0)->field), size);

#include "layout"
