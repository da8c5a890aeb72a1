/* SPDX-License-Identifier: GPL-2.0-only */
/* For ci/checks/traced: comes out for each reason, over and over, until somebody ends it. */
#include "guest.h"
#include "paging.h"

#define SHARED	(SHARED_TOP << 32)

	.globl	_start
_start:	MAKE_TABLES
	USE_TABLES
	mov	$LGENTRY_SYSCALL, %edi
	mov	$again, %esi
	HYPERCALL LHCALL_ENTRY
	mov	$LGENTRY_INTERRUPT, %edi
	mov	$tick, %esi
	HYPERCALL LHCALL_ENTRY
	mov	$LGENTRY_TRAP, %edi
	mov	$trap, %esi
	HYPERCALL LHCALL_ENTRY
again:	movabs	$SHARED, %rax
	movq	$0, SHARED_ON(%rax)	# until it halts: the timer may be faster
	mov	$100000, %edi
	HYPERCALL LHCALL_TIMER
	HYPERCALL LHCALL_HALT
	ud2
	mov	$50, %ebx
1:	mov	$0x1111, %edi
	mov	$0x2222, %esi
	HYPERCALL LHCALL_INVLPG
	dec	%ebx
	jnz	1b
	movabs	$SHARED, %rax
	movq	$LGMODE_USER, RESUME_MODE(%rax)
	movq	$0, RESUME_ON(%rax)
	movq	$program, RESUME_RIP(%rax)
	HYPERCALL LHCALL_RESUME
program:
	syscall				# to again, without the Host

trap:	movabs	$SHARED, %rax
	addq	$2, EVENT_RIP(%rax)	# over the UD2
tick:	movabs	%rax, SHARED + OURS	# it may come between two instructions
	movabs	$SHARED, %rax
	mov	OURS(%rax), %rcx
	mov	%rcx, RESUME_RAX(%rax)
	mov	%rdi, RESUME_RDI(%rax)
	.irp	n, 0, 8, 16, 24, 32
	mov	EVENT_MODE + \n(%rax), %rcx
	mov	%rcx, RESUME_MODE + \n(%rax)
	.endr
	movq	$0, SHARED_BUSY(%rax)
	HYPERCALL LHCALL_RESUME
