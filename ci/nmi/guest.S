/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way out that a Guest can take by itself.  The Launcher (ride.c) fills
 * all registers, chooses a way, and knows what must come of it; a way that
 * comes back is checked here, register by register.
 */
#include "ride.h"

/* begin: where it starts; at: the instruction that leaves; stop: RIP afterwards. */
.macro WAY name, vector=-1, error=0, cr2=0, cs=0x33, flags=0
	.pushsection .ways, "a"
	.quad	begin_\name, at_\name, stop_\name
	.quad	\vector, \error, \cr2, \cs, \flags
	.popsection
	.globl	begin_\name, at_\name, stop_\name
begin_\name:
.endm

/* Go on in 32-bit code at once. */
.macro CODE32
	ljmp	*7f(%rip)
7:	.long	8f
	.word	0x23
	.code32
8:
.endm

	.text
	.globl	begin
begin:	/* the general registers hold their patterns already */
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movdqu	EXPECT + 8 * REGISTERS + 16 * \n, %xmm\n
	.endr
	pushfq
	cmpl	$0, TABLES
	jne	make_tables
have_tables:
	popfq
	jmp	*TARGET

/* For programs there must be tables, all of the memory is theirs, and an entry. */
.macro EACH what, regs:vararg
	.irp	r, \regs
	\what	%\r
	.endr
.endm
make_tables:
	EACH	push, rax, rbx, rcx, rdx, rsi, rdi, r8, r9, r10, r11, rbp, r12, r13, r14, r15
	movq	$ROOT + 0x1007, ROOT
	movq	$ROOT + 0x2007, ROOT + 0x1000
	movq	$ROOT + 0x3007, ROOT + 0x2000
	mov	$7, %eax
	xor	%ecx, %ecx
1:	mov	%rax, ROOT + 0x3000(, %rcx, 8)
	add	$0x1000, %eax
	inc	%ecx
	cmp	$GUEST_PAGES, %ecx
	jne	1b
	mov	$1005, %eax		/* LHCALL_PAGING */
	mov	$ROOT, %edi
	syscall
	.irp	door, 0, 1		/* LGENTRY_SYSCALL and LGENTRY_OTHER */
	mov	$1011, %eax		/* LHCALL_ENTRY */
	mov	$\door, %edi
	mov	$called, %esi
	syscall
	.endr
	mov	$1011, %eax
	mov	$4, %edi		/* LGENTRY_FAULT */
	mov	$faulted, %esi
	syscall
	.irp	page, GUEST_CODE, GUEST_CODE + 0x1000, GUEST_CODE + 0x2000
	cmpb	$0, \page		/* no way finds a gap in its own code */
	.endr
	EACH	pop, r15, r14, r13, r12, rbp, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rbx, rax
	jmp	have_tables

called:	jmp	*CALLED

#define SHARED	0xffff808000000000
#define RESUME	(SHARED + 88)

/* A program's fault: at NOWHERE it is what the way is about, elsewhere a gap. */
#define EVENT	(SHARED + 24)
.macro COPY from, to
	movabs	\from, %rax
	movabs	%rax, \to
.endm
.macro KEEP reg, to
	mov	%\reg, %rax
	movabs	%rax, \to
.endm
faulted:
	pushfq				/* as they came */
	movabs	%rax, RESUME + 40
	mov	$0, %eax
	movabs	%rax, SHARED + 16	/* busy no more */
	movabs	EVENT + 16, %rax
	cmp	$NOWHERE, %rax
	jne	1f
	movabs	RESUME + 40, %rax
	popfq
	jmp	*CALLED
1:	KEEP	rcx, RESUME + 48
	KEEP	r11, RESUME + 56
	KEEP	rdi, RESUME + 64
	KEEP	rsi, SHARED + 2048
	COPY	EVENT + 32, RESUME + 8
	COPY	EVENT + 40, RESUME + 16
	COPY	EVENT + 48, RESUME + 24
	COPY	EVENT + 56, RESUME + 32
	mov	$1, %eax
	movabs	%rax, RESUME
	movabs	EVENT + 8, %rax
	mov	%rax, %rsi
	movabs	EVENT + 16, %rax
	mov	%rax, %rdi
	mov	$1018, %eax		/* LHCALL_FILL */
	syscall
	movabs	SHARED + 2048, %rax
	mov	%rax, %rsi
	mov	$1013, %eax
	syscall

/* Go somewhere with all registers as they are; RAX to R11 must be in the page. */
.macro GO_ON rip, on=0, mode=1	/* LGMODE_USER */
	movabs	%rax, RESUME + 40
	mov	$\on, %eax		/* interrupts; and a line is up for which they must be */
	movabs	%rax, RESUME + 8
	movabs	%rax, SHARED + 8
	mov	%rcx, %rax
	movabs	%rax, RESUME + 48
	mov	%r11, %rax
	movabs	%rax, RESUME + 56
	mov	%rdi, %rax
	movabs	%rax, RESUME + 64
	mov	%rsp, %rax
	movabs	%rax, RESUME + 32
	mov	$FLAGS, %eax
	movabs	%rax, RESUME + 24
	mov	$\rip, %eax
	movabs	%rax, RESUME + 16
	mov	$\mode, %eax
	movabs	%rax, RESUME
	mov	$1013, %eax		/* LHCALL_RESUME */
.endm

/* A life that the driver leads. */
WAY driven
at_driven:
stop_driven:
	jmp	again

/* Ways that come back. */
WAY hypercall
at_hypercall:
	syscall
stop_hypercall:
	jmp	check

/* Segments and bases of its own choice, which nobody has told the Launcher's vCPU. */
WAY segments, cr2=NEW_SEGMENTS
	push	%rax
	mov	EXPECT + 160, %ds
	mov	EXPECT + 168, %es
	mov	EXPECT + 176, %fs
	mov	EXPECT + 184, %gs
	mov	EXPECT + 192, %rax
	wrfsbase %rax
	mov	EXPECT + 200, %rax
	wrgsbase %rax
	pop	%rax
at_segments:
	syscall
stop_segments:
	jmp	check

/* Be a program with such rights, whose kernel has all. */
.macro HAVE_RIGHTS rights, busy=0
	GO_ON	1f
	push	%rax
	mov	$\busy, %eax
	movabs	%rax, SHARED + 16
	pop	%rax
	syscall
1:	EACH	push, rax, rcx, rdx
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$\rights, %eax
	wrpkru
	EACH	pop, rdx, rcx, rax
	push	$FLAGS
	popfq
.endm

/* A program's system call, and its kernel's return, both without the Host. */
WAY call, cr2=SHORT_CALL
	movq	$check, CALLED
	HAVE_RIGHTS 0
at_call:
	syscall
stop_call:
	ud2

WAY keys, cr2=SHORT_CALL
	movq	$check, CALLED
	HAVE_RIGHTS OWN_RIGHTS
at_keys:
	syscall
stop_keys:
	ud2

.macro RETURN name, on
WAY \name, cr2=SHORT_RETURN
	mov	%rcx, GOT
	mov	%r11, GOT + 8
	movq	$2f, CALLED
	HAVE_RIGHTS OWN_RIGHTS
	syscall
2:	push	$FLAGS
	popfq
	mov	GOT, %rcx
	mov	GOT + 8, %r11
	movq	$back, CALLED
	GO_ON	stop_\name, \on
at_\name:
	syscall
stop_\name:
	movl	$1, PROGRAM
	jmp	check
.endm
RETURN return, 0
RETURN unusual, 1

/* A program's page fault, without the Host; and with it, as an event has not been read. */
WAY fault, cr2=SHORT_FAULT
	movq	$check, CALLED
	HAVE_RIGHTS OWN_RIGHTS
at_fault:
	movb	$0, NOWHERE
stop_fault:
	ud2

WAY busy, 14, error=6, cr2=NOWHERE_BUSY
	movq	$read, CALLED
	HAVE_RIGHTS OWN_RIGHTS, 1
	movl	$1, PROGRAM
at_busy:
stop_busy:
	movb	$0, NOWHERE_BUSY
	ud2
read:	mov	$0, %eax
	movabs	%rax, SHARED + 16
	jmp	back

/* A word that is not ours, and a kernel that resumes itself, both without the Host. */
WAY other, cr2=SHORT_OTHER
	movq	$check, CALLED
at_other:
	syscall
stop_other:
	ud2

WAY itself, cr2=SHORT_RETURN
	GO_ON	stop_itself, 0, 0
at_itself:
	syscall
stop_itself:
	jmp	check

WAY spin
at_spin:
	nop
stop_spin:
	jmp	check

check:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movdqu	%xmm\n, GOT + 8 * REGISTERS + 16 * \n
	.endr
	pushfq
	popq	GOT + 8 * R_RFLAGS
	mov	%rax, GOT + 0
	mov	%rbx, GOT + 8
	mov	%rcx, GOT + 16
	mov	%rdx, GOT + 24
	mov	%rsi, GOT + 32
	mov	%rdi, GOT + 40
	mov	%rbp, GOT + 48
	mov	%rsp, GOT + 56
	mov	%r8, GOT + 64
	mov	%r9, GOT + 72
	mov	%r10, GOT + 80
	mov	%r11, GOT + 88
	mov	%r12, GOT + 96
	mov	%r13, GOT + 104
	mov	%r14, GOT + 112
	mov	%r15, GOT + 120
	mov	%cs, GOT + 144
	mov	%ss, GOT + 152
	mov	%ds, GOT + 160
	mov	%es, GOT + 168
	mov	%fs, GOT + 176
	mov	%gs, GOT + 184
	rdfsbase %rax
	mov	%rax, GOT + 192
	rdgsbase %rax
	mov	%rax, GOT + 200
	xor	%ecx, %ecx
	rdpkru				/* where RIP would be: all allowed */
	mov	PROGRAM, %ecx
	imul	$OWN_RIGHTS, %ecx
	not	%ecx
	and	%ecx, %eax		/* but to a program */
	mov	%rax, GOT + 8 * R_RIP
	cld
	cmpl	$0, PROGRAM
	je	back
	movl	$0, PROGRAM
	syscall				/* to CALLED */
back:
	mov	$GOT, %esi
	mov	$EXPECT, %edi
	mov	$(REGISTERS + 32), %ecx
	xor	%eax, %eax
	repe cmpsq
	jne	2f
	xor	%edi, %edi
	cmpl	$0, DRIVEN
	je	leave
	.globl	again, wrong, leave, check
again:	pause				/* all was well: the driver stops here */
	jmp	again
2:	mov	$(REGISTERS + 32), %edi
	sub	%ecx, %edi		/* which one, counted from 1 */
	cmpl	$0, DRIVEN
	je	leave
wrong:	pause				/* or here */
	jmp	wrong
leave:	mov	$1003, %eax		/* LHCALL_SHUTDOWN */
	syscall

/* Ways that end in death. */
WAY divide, 0
at_divide:
stop_divide:
	divb	zero

/* No ICEBP: QEMU 7.2 answers it with #UD. */
WAY step, 1, flags=0x100
	pushq	$(FLAGS + 0x100)
	popfq
at_step:
	nop
stop_step:
	ud2

WAY breakpoint, 3
at_breakpoint:
	int3
stop_breakpoint:
	ud2

WAY undefined, 6
at_undefined:
stop_undefined:
	ud2

WAY protection, 13
at_protection:
stop_protection:
	hlt

/* The manual says 0x402; QEMU 7.2 counts 16 bytes a gate, not 8. */
WAY int80, 13, error=0x802
at_int80:
stop_int80:
	int	$0x80

WAY sysenter, 13
at_sysenter:
stop_sysenter:
	sysenter

WAY page, 14, error=6, cr2=NOWHERE
at_page:
stop_page:
	movb	$0, NOWHERE

WAY x87, 16
	fninit
	fldcw	unmasked
	fldz
	fld1
	fdiv	%st(1), %st
at_x87:
stop_x87:
	fwait

WAY overflow, 4, cs=0x23
	CODE32
at_overflow:
	into
stop_overflow:
	ud2
	.code64

WAY bound, 5, cs=0x23
	CODE32
at_bound:
stop_bound:
	bound	%eax, zero
	.code64

/* From 64-bit code AMD's processors, and QEMU's, refuse it whatever the MSRs say. */
WAY sysenter32, 13, cs=0x23
	CODE32
at_sysenter32:
stop_sysenter32:
	sysenter
	.code64

WAY syscall32, 6, cs=0x23
	CODE32
at_syscall32:
stop_syscall32:
	syscall
	.code64

	.balign	8
zero:	.quad	0
unmasked:
	.word	0x0300
