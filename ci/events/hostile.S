/* SPDX-License-Identifier: GPL-2.0-only */
/* A Guest that uses interrupts, the timer and the clock wrongly; RSI says how: see ci/events/rows. */
#include "guest.h"

#define SHARED	(SHARED_TOP << 32)

	.text
	.globl	_start
_start:	movabs	$SHARED, %rbx
	cmp	$(ways_end - ways) / 8, %rsi
	jae	wrong
	mov	ways(, %rsi, 8), %rax
	jmp	*%rax
wrong:	SHUTDOWN 99

	.macro	LISTEN
	mov	$LGENTRY_INTERRUPT, %edi
	mov	$told, %esi
	HYPERCALL LHCALL_ENTRY
	.endm
	.macro	TIMER ns
	mov	$\ns, %rdi
	HYPERCALL LHCALL_TIMER
	.endm

yesterday:				/* a difference that went below zero */
	TIMER	-1
	SHUTDOWN
half:	TIMER	0x8000000000000000
	SHUTDOWN
longest:
	LISTEN
	TIMER	0x7fffffffffffffff
	TIMER	0
	TIMER	0x7fffffffffffffff	/* and leaves it running */
	SHUTDOWN
spoils:					/* the whole page, in each interrupt; then goes on as it should */
	LISTEN
	mov	$200, %r15d
1:	TIMER	20000
	HYPERCALL LHCALL_HALT
	dec	%r15d
	jnz	1b
	SHUTDOWN
told:	mov	%rbx, %rdi
	mov	EVENT_RIP(%rbx), %r8
	mov	EVENT_RSP(%rbx), %r9
	rdtsc
	imul	$0x01010101, %rax, %rax
	mov	$512, %ecx
	cld
	rep stosq
	movq	$0, RESUME_MODE(%rbx)
	movq	$0, RESUME_ON(%rbx)
	mov	%r8, RESUME_RIP(%rbx)
	movq	$0x202, RESUME_RFLAGS(%rbx)
	mov	%r9, RESUME_RSP(%rbx)
	movq	$0, SHARED_BLOCKED(%rbx)
	movq	$0, SHARED_BUSY(%rbx)
	HYPERCALL LHCALL_RESUME
nonsense:				/* resumes what it has spoilt */
	mov	$LGENTRY_INTERRUPT, %edi
	mov	$1f, %esi
	HYPERCALL LHCALL_ENTRY
	TIMER	1000
	HYPERCALL LHCALL_HALT
	SHUTDOWN
1:	mov	%rbx, %rdi
	or	$-1, %rax
	mov	$512, %ecx
	rep stosq
	HYPERCALL LHCALL_RESUME
clock:					/* writes over its clock while it is told the time */
	mov	$400000, %r15d
1:	.irp	n, TIME_SEQUENCE, TIME_STAMP, TIME_MONOTONIC, TIME_WALL, TIME_RATE
	rdtsc
	ror	$7, %rax
	mov	%rax, \n(%rbx)
	.endr
	dec	%r15d
	jnz	1b
	SHUTDOWN
deaf:					/* waits for what cannot come: only a signal ends it */
	TIMER	1000000
	HYPERCALL LHCALL_HALT
	SHUTDOWN
busy:	LISTEN
	movq	$1, SHARED_BUSY(%rbx)
	TIMER	1000000
	HYPERCALL LHCALL_HALT
	SHUTDOWN
blocked:
	LISTEN
	movq	$-1, SHARED_BLOCKED(%rbx)
	TIMER	1000000
	HYPERCALL LHCALL_HALT
	SHUTDOWN
storm:	LISTEN
	mov	$5000, %r15d
1:	TIMER	1
	movq	$1, SHARED_ON(%rbx)
	dec	%r15d
	jnz	1b
	SHUTDOWN
nowhere:				/* wants to be entered where nothing is */
	mov	$LGENTRY_INTERRUPT, %edi
	mov	$0x7fff0000, %esi
	HYPERCALL LHCALL_ENTRY
	TIMER	1000
	HYPERCALL LHCALL_HALT
	SHUTDOWN
leaves:	LISTEN				/* is gone when its timer strikes */
	TIMER	800000000
	SHUTDOWN
events:	mov	$1000, %r15d
1:	HYPERCALL LHCALL_EVENTS
	dec	%r15d
	jnz	1b
	SHUTDOWN

	.section .rodata
	.balign	8
ways:	.quad	yesterday, half, longest, spoils, nonsense, clock, storm, nowhere, events
	.quad	deaf, busy, blocked, leaves
ways_end:
