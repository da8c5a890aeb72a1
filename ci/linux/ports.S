/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks the ports of the old timer, which stands still, and their neighbours, in all three widths. */
#include "guest.h"

	.globl	_start
_start:
	mov	$ports, %ebx
1:	movzwl	(%rbx), %edx
	mov	8(%rbx), %r12			/* what one byte must make of RAX */
	movabs	$0x5a5a5a5a5a5a5a5a, %rax
	in	(%dx), %al
	cmp	%r12, %rax
	jne	wrong
	movabs	$0x5a5a5a5a5a5a5a5a, %rax
	in	(%dx), %ax
	cmp	16(%rbx), %rax
	jne	wrong
	movabs	$0x5a5a5a5a5a5a5a5a, %rax
	in	(%dx), %eax
	cmp	24(%rbx), %rax
	jne	wrong
	add	$32, %ebx
	cmp	$ports_end, %ebx
	jb	1b
	SHUTDOWN
wrong:	SHUTDOWN 1

	.section .rodata
	.macro	STILL port
	.quad	\port, 0x5a5a5a5a5a5a5a00, 0x5a5a5a5a5a5a0000, 0
	.endm
	.macro	EMPTY port
	.quad	\port, 0x5a5a5a5a5a5a5aff, 0x5a5a5a5a5a5affff, 0xffffffff
	.endm
	.balign	8
ports:	EMPTY	0x3f
	STILL	0x40
	STILL	0x41
	STILL	0x42
	STILL	0x43
	EMPTY	0x44
	EMPTY	0x60
	EMPTY	0x61
	EMPTY	0x62
	EMPTY	0
	EMPTY	0xffff
ports_end:
