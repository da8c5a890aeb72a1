/* SPDX-License-Identifier: GPL-2.0-only */
/* A Guest that uses its own memory, and the words it has, against the Host; RSI says how: see ci/attacks/rows. */
#include "guest.h"
#include "paging.h"

#define SHARED	(SHARED_TOP << 32)

	.macro	TELL which, where
	mov	$\which, %edi
	mov	$\where, %esi
	HYPERCALL LHCALL_ENTRY
	.endm
	.macro	GO mode, to, flags=0x202
	movabs	$SHARED, %rax
	movq	$\mode, RESUME_MODE(%rax)
	movq	$\to, RESUME_RIP(%rax)
	movq	$\flags, RESUME_RFLAGS(%rax)
	movq	$0x181000, RESUME_RSP(%rax)
	movq	$0, SHARED_BUSY(%rax)
	HYPERCALL LHCALL_RESUME
	.endm
	.macro	EXPECT vector, mode, rip
	movabs	$SHARED, %rax
	cmpq	$\vector, EVENT_VECTOR(%rax)
	MUST
	cmpq	$\mode, EVENT_MODE(%rax)
	MUST
	cmpq	$\rip, EVENT_RIP(%rax)
	MUST
	.endm

	.globl	_start
_start:	cmp	$(ways_end - ways) / 8, %rsi
	jb	1f
	SHUTDOWN 1
1:	MAKE_TABLES
	mov	$level1, %ecx		/* all of it the kernel's, but for two pages */
2:	andq	$~4, (%rcx)
	add	$8, %ecx
	cmp	$level1 + 4096, %ecx
	jne	2b
	mov	$programs, %ecx
	shr	$12, %ecx
	orq	$4, level1(, %rcx, 8)
	orq	$4, level1 + 8 * 0x180
	mov	$0x17fff8, %esp
	jmp	*ways(, %rsi, 8)
wrong:	CONFESS

	/* A ring in a table: its places are entries, and PAGING, 1005, is one that is present. */
	.macro	RING_IN_TABLE
	movq	$LHCALL_PAGING, level1 + 8 * 0x100
	movq	$level4, level1 + 8 * 0x101
	movq	$0, level1 + 8 * 0x103	/* the second place */
	USE_TABLES
	.endm
ring_and_used:
	RING_IN_TABLE
	mov	0x100000, %al		/* of frame 0; it is marked as used already */
	mov	$level1 + 8 * 0x100, %edi
	HYPERCALL LHCALL_RING
	SHUTDOWN
ring_in_table:
	RING_IN_TABLE
	mov	$level1 + 8 * 0x100, %edi
	HYPERCALL LHCALL_RING
	cmpq	$0, level1 + 8 * 0x100
	MUST
	mov	0x100000, %al
	SHUTDOWN
drops_root:				/* and all below, in use, again and again */
	movq	$level2 + 7, level3 + 8
	USE_TABLES
	mov	$200, %r12d
1:	.irp	t, level4, level3, level2, level1
	mov	$\t, %edi
	HYPERCALL LHCALL_DROP
	mov	%r12d, %ebx
	shl	$12, %ebx
	mov	%rbx, 0x40100000(%rbx)
	cmp	%rbx, 0x100000(%rbx)
	MUST
	.endr
	dec	%r12d
	jnz	1b
	SHUTDOWN
chain:					/* a gigabyte of addresses, one table, one frame */
	mov	$0x120000, %edi
	mov	$0x180007, %eax
	mov	$512, %ecx
	rep stosq
	mov	$0x121000, %edi
	mov	$0x120007, %eax
	mov	$512, %ecx
	rep stosq
	movq	$0x121007, level3 + 8
	USE_TABLES
	mov	$0x40000000, %ebx
	mov	$4000, %r12d
1:	mov	%r12, (%rbx)
	add	$0x3000, %rbx
	dec	%r12d
	jnz	1b
	cmpq	$1, 0x180000
	MUST
	mov	$0x120000, %edi
	HYPERCALL LHCALL_DROP
	mov	$0x121000, %edi
	HYPERCALL LHCALL_DROP
	HYPERCALL LHCALL_FLUSH
	cmpq	$1, 0x40000000
	MUST
	SHUTDOWN
report_in_table:			/* the Host itself writes an entry */
	USE_TABLES
	mov	0x182000, %al
	mov	$level1 + 8 * 0x182, %edi
	HYPERCALL LHCALL_REPORT
	FORGET	0x182000
	mov	0x182000, %al
	SHUTDOWN

	/* RDMSR and WRMSR of everything. */
msrs:	USE_TABLES
	TELL	LGENTRY_TRAP, 3f
	xor	%ebx, %ebx
1:	mov	%ebx, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
4:	rdmsr
	ud2
5:	mov	%ebx, %ecx
6:	wrmsr
	ud2
2:	mov	%ebx, %eax
	and	$0xffff, %eax
	inc	%ebx
	cmp	$0x2ff, %eax
	jb	1b
	add	$12, %ebx
	cmp	$0x1fff, %eax
	jb	1b
	xor	%bx, %bx
	add	$0x40000000, %ebx
	cmp	$0x40000000, %ebx	/* 0, Hyper-V's, nobody's, AMD's */
	jne	1b
	SHUTDOWN
3:	movabs	$SHARED, %rax
	cmpq	$13, EVENT_VECTOR(%rax)
	MUST
	cmpq	$0, EVENT_ERROR(%rax)
	MUST
	mov	$5b, %edx
	cmpq	$4b, EVENT_RIP(%rax)
	je	1f
	mov	$2b, %edx
	cmpq	$6b, EVENT_RIP(%rax)
	MUST
1:	movq	$0, SHARED_BUSY(%rax)
	jmp	*%rdx

	/* Exceptions that want a register to be set up. */
unaligned:
	TELL	LGENTRY_TRAP, 1f
	pushq	$0x40202		/* AC */
	popfq
	mov	0x181001, %eax
	SHUTDOWN			/* this processor does not look */
1:	movabs	$SHARED, %rax
	cmpq	$17, EVENT_VECTOR(%rax)
	MUST
	SHUTDOWN
simd:	TELL	LGENTRY_TRAP, 1f
	movl	$0, 0x181000		/* nothing is masked */
	ldmxcsr	0x181000
	pxor	%xmm0, %xmm0
	divps	%xmm0, %xmm0
	SHUTDOWN
1:	movabs	$SHARED, %rax
	cmpq	$19, EVENT_VECTOR(%rax)
	MUST
	SHUTDOWN

	/* What the Host does for its death it would do backwards. */
backwards:
	std
	ud2

	/* With the level that may use ports, and CLI, in the flags. */
asks_for_ports:
	GO	0, 1f, 0x3202
1:	cli
	ud2

	/* A program says each word that is the kernel's. */
program_calls:
	USE_TABLES
	TELL	LGENTRY_SYSCALL, 1f
	xor	%r12d, %r12d
	GO	LGMODE_USER, calls
1:	inc	%r12d
	cmp	$40, %r12d
	je	2f
	lea	LHCALL_CONSOLE - 9(%r12), %rax	/* from 993 to 1031 */
	mov	%rax, frame + 24
	mov	$frame, %edi
	HYPERCALL LHCALL_USER
2:	SHUTDOWN

	/* A program that has found other ways to the kernel's code; R12: which. */
	.macro	FORGE name, vector, rip
\name:	USE_TABLES
	TELL	LGENTRY_TRAP, 1f
	TELL	LGENTRY_SYSCALL, 1f
	GO	LGMODE_USER, \name\()_program
1:	EXPECT	\vector, LGMODE_USER, \rip
	SHUTDOWN
	.endm
	FORGE	by_iret, 14, secret
	FORGE	by_lret, 14, secret
	FORGE	by_jump, 14, secret
	FORGE	by_sysret, 13, by_sysret_program
	FORGE	by_iret_in, 13, by_iret_in_at
by_resume:				/* it writes where the kernel would, and says RESUME */
	USE_TABLES
	TELL	LGENTRY_TRAP, 1f
	TELL	LGENTRY_SYSCALL, 2f
	GO	LGMODE_USER, by_resume_program
1:	movabs	$SHARED, %rax
	cmpq	$14, EVENT_VECTOR(%rax)
	MUST
	mov	EVENT_CR2(%rax), %rcx
	sub	%rax, %rcx
	cmp	$RESUME_MODE, %rcx
	MUST
	GO	LGMODE_USER, by_resume_on
2:	SHUTDOWN
secret:	SHUTDOWN 77

	.section .rodata
	.balign	8
ways:	.quad	ring_and_used, drops_root, chain, report_in_table, msrs, unaligned, simd
	.quad	program_calls, by_iret, by_lret, by_jump, by_sysret, by_iret_in, by_resume
	.quad	ring_in_table, backwards, asks_for_ports
ways_end:
	.data
	.balign	8
frame:	.quad	calls, 0x202, 0x181000, 0, 99
	.text
	.balign	4096
programs:
calls:	syscall
	ud2
by_iret_program:
	mov	$0x181000, %esp
	push	$0x2b
	push	$0x181000
	push	$0x202
	push	$0x33
	push	$secret
	iretq
by_lret_program:
	mov	$0x181000, %esp
	push	$0x33
	push	$secret
	lretq
by_jump_program:
	mov	$secret, %eax
	jmp	*%rax
by_sysret_program:
	sysretq
by_iret_in_program:			/* to the Switcher's own segment */
	mov	$0x181000, %esp
	push	$0x18
	push	$0x181000
	push	$0x202
	push	$0x10
	push	$secret
by_iret_in_at:
	iretq
by_resume_program:
	movabs	$SHARED, %rbx
	movq	$0, RESUME_MODE(%rbx)
	ud2
by_resume_on:
	mov	$LHCALL_RESUME, %eax
	syscall
	ud2
	.balign	4096
