/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel would have said before the Host's small headers. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
