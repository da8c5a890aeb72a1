/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program's INT3 in the last byte of what can be an address, and a kernel that
 * goes on where it was told: it must be told of a general protection fault there.
 * Its number says: 64-bit code, or 32-bit code.
 */
#include "guest.h"
#include "paging.h"

#define SHARED	(SHARED_TOP << 32)

	.globl	_start
_start:	mov	%rsi, %rbx
	MAKE_TABLES
	movq	$top3 + 7, level4 + 8 * 255
	movq	$top2 + 7, top3 + 8 * 511
	movq	$top1 + 7, top2 + 8 * 511
	movq	$last + 7, top1 + 8 * 511
	movq	$end2 + 7, level3 + 8 * 3
	movq	$end1 + 7, end2 + 8 * 511
	movq	$last + 7, end1 + 8 * 511
	USE_TABLES
	mov	$LGENTRY_TRAP, %edi
	mov	$trap, %esi
	HYPERCALL LHCALL_ENTRY
	movabs	$0x7fffffffffff, %r15
	mov	$LGMODE_USER, %ecx
	test	%rbx, %rbx
	jz	1f
	mov	$0xffffffff, %r15d
	mov	$LGMODE_USER + LGMODE_32, %ecx
1:	movabs	$SHARED, %rax
	mov	%rcx, RESUME_MODE(%rax)
	mov	%r15, RESUME_RIP(%rax)
	movq	$0x202, RESUME_RFLAGS(%rax)
	HYPERCALL LHCALL_RESUME

trap:	movabs	$SHARED, %rax
	inc	%r15			# where the program goes on, or would
	cmpq	$13, EVENT_VECTOR(%rax)
	je	2f
	cmpq	$3, EVENT_VECTOR(%rax)
	jne	wrong
	.irp	n, 0, 8, 16, 24, 32	# mode, on, RIP, RFLAGS, RSP
	mov	EVENT_MODE + \n(%rax), %rcx
	mov	%rcx, RESUME_MODE + \n(%rax)
	.endr
	movq	$0, SHARED_BUSY(%rax)
	HYPERCALL LHCALL_RESUME
2:	dec	%r15
	cmp	%r15, EVENT_RIP(%rax)
	jne	wrong
	cmpq	$0, EVENT_ERROR(%rax)
	jne	wrong
	SHUTDOWN
wrong:	SHUTDOWN 1

	.bss
	.balign	4096
top3:	.skip	4096
top2:	.skip	4096
top1:	.skip	4096
end2:	.skip	4096
end1:	.skip	4096
	.data
	.balign	4096
last:	.skip	4095, 0x90
	int3
