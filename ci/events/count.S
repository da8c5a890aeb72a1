/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Guest that counts its interrupts and waits for the next one in one of
 * three ways.  It shares a page with ci/events/events.c, see struct counts
 * there; lines 5, 7 and 9 are told apart.
 */
#include "guest.h"

#define SHARED	(SHARED_TOP << 32)
#define PAGE	0x8000
#define MODE	PAGE
#define SENT	(PAGE + 8)
#define SEEN	(PAGE + 16)
#define PULSES	(PAGE + 24)
#define LEVELS	(PAGE + 32)
#define QUIET	(PAGE + 40)
#define END	(PAGE + 48)
#define OTHERS	(PAGE + 56)
#define FENCES	(PAGE + 64)

	.text
	.globl	_start
_start:	mov	$LGENTRY_INTERRUPT, %edi
	mov	$told, %esi
	HYPERCALL LHCALL_ENTRY
	movabs	$SHARED, %rbx
idle:	movq	$0, SHARED_ON(%rbx)
	cmpq	$0, END
	jne	end
	cmpq	$1, MODE
	je	loops
	cmpq	$2, MODE
	je	toggles
	HYPERCALL LHCALL_HALT
	jmp	idle

loops:	call	opens			/* no word is said in here */
1:	pause
	cmpq	$0, END
	jne	idle
	cmpq	$1, MODE
	je	1b
	jmp	idle

toggles:
	movq	$0, SHARED_ON(%rbx)
	mov	$50, %ecx
1:	dec	%ecx
	jnz	1b
	call	opens
	cmpq	$0, END
	jne	idle
	cmpq	$2, MODE
	je	toggles
	jmp	idle

opens:	movq	$1, SHARED_ON(%rbx)
	mov	SHARED_BLOCKED(%rbx), %rax
	not	%rax
	test	%rax, SHARED_WAITING(%rbx)
	jz	1f
	HYPERCALL LHCALL_EVENTS
1:	ret

end:	SHUTDOWN

told:	movabs	%rax, SHARED + OURS
	movabs	$SHARED, %rax
	mov	%rcx, RESUME_RCX(%rax)
	mov	%r11, RESUME_R11(%rax)
	mov	%rdi, RESUME_RDI(%rax)
	mov	OURS(%rax), %rcx
	mov	%rcx, RESUME_RAX(%rax)
	.irp	n, 0, 8, 16, 24, 32
	mov	EVENT_MODE + \n(%rax), %rcx
	mov	%rcx, RESUME_MODE + \n(%rax)
	.endr
	cmpq	$LGUEST_LINE_VECTOR + 5, EVENT_VECTOR(%rax)
	je	pulse
	cmpq	$LGUEST_LINE_VECTOR + 9, EVENT_VECTOR(%rax)
	je	level
	cmpq	$LGUEST_LINE_VECTOR + 7, EVENT_VECTOR(%rax)
	je	fence
	incq	OTHERS
	jmp	back
fence:	incq	FENCES
	jmp	back
pulse:	andq	$~(1 << 9), SHARED_BLOCKED(%rax)
	incq	PULSES
	mov	SENT, %rdi		/* last: who waits for it may then look at the counts */
	mov	%rdi, SEEN
	jmp	back
level:	cmpq	$0, QUIET
	je	1f
	orq	$1 << 9, SHARED_BLOCKED(%rax)
1:	incq	LEVELS
back:	movq	$0, SHARED_BUSY(%rax)
	HYPERCALL LHCALL_RESUME
