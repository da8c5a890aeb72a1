/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Four small Guests, position-independent, each copied to 0x1000.  What they
 * count and see stands at 0x2000: rounds, times that their clock has gone back,
 * what it said last.  RSI is a number from the Launcher.
 */
#define COUNT	0x2000
#define BACK	0x2008
#define LAST	0x2010
#define SHARED	0xffff808000000000
#define EVENT_BUSY	16

#include "numbers.h"

	.macro	CLOCK		/* to RAX; RBX is the shared page */
8:	mov	TIME_SEQUENCE(%rbx), %r8
	lfence
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	sub	TIME_STAMP(%rbx), %rax
	mulq	TIME_RATE(%rbx)
	shrd	$32, %rdx, %rax
	add	TIME_MONOTONIC(%rbx), %rax
	cmp	TIME_SEQUENCE(%rbx), %r8
	jne	8b
	cmp	LAST, %rax
	jae	9f
	incq	BACK
9:	mov	%rax, LAST
	incq	COUNT
	.endm

	.text
	.globl	looks, looks_end, ticks, ticks_end, prints, prints_end, asks, asks_end

/* Looks at its clock for ever. */
looks:	movabs	$SHARED, %rbx
1:	CLOCK
	jmp	1b
looks_end:

/* Sleeps, RSI ns at a time, and looks then. */
ticks:	movabs	$SHARED, %rbx
	mov	%rsi, %r14
	mov	$LGENTRY_INTERRUPT, %edi
	lea	2f(%rip), %rsi
	mov	$LHCALL_ENTRY, %eax
	syscall
1:	mov	%r14, %rdi
	mov	$LHCALL_TIMER, %eax
	syscall
	mov	$LHCALL_HALT, %eax
	syscall
2:	movq	$0, SHARED_BUSY(%rbx)
	CLOCK
	jmp	1b
ticks_end:

/* Comes out to its Launcher for ever, with a text of no bytes. */
prints:	incq	COUNT
	xor	%edi, %edi
	xor	%esi, %esi
	mov	$LHCALL_CONSOLE, %eax
	syscall
	jmp	prints
prints_end:

/* Only goes to the Host and back. */
asks:	incq	COUNT
	mov	$LHCALL_EVENTS, %eax
	syscall
	jmp	asks
asks_end:
	.section .note.GNU-stack, "", @progbits
