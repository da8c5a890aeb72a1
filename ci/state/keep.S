/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * long keep(struct keep *): fill every register with a pattern, then spin, look
 * whether all of it is still there, make a call, and so on.  The same code runs
 * in a program, in a Launcher and in a Guest: it knows no address but RDI.
 * Returns 0 or the number of what was not kept.
 */
#define AVX	1
#define PKU	2
#define BASES	4
#define LINUX	8		/* there is a kernel that sets bases, and a C library */
#define XSAVE	16

#define PATTERN	0
#define FEATURES 8
#define ROUNDS	16
#define SPIN	24
#define NR	32
#define WANT	64
#define FLAGS	72
#define FSBASE	80
#define GSBASE	88
#define PKRU	96
#define XCR0	104
#define OLDFS	112
#define DONE	120
#define DS	128
#define ES	130
#define FCW	132
#define TOUCH	136
#define FOUND	144
#define MXCSR	152
#define FIRST	192
#define NOW	704
#define YFIRST	1216
#define YNOW	1728

#define FLAGS_SEEN 0x247700	/* ID AC NT IOPL DF IF TF */

#define ALL	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15

	.macro	IF_NOT feature, to
	testl	$\feature, FEATURES(%rbx)
	jz	\to
	.endm

	.macro	ARCH_PRCTL what
	mov	$158, %eax
	mov	$\what, %edi
	syscall
	.endm

	.macro	SAME code		/* RAX is what was found */
	mov	$\code, %edi
	jne	fail
	.endm

	.text
	.globl	keep
	.balign	16
keep:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rdi, %rbx
	IF_NOT	LINUX, 1f
	lea	OLDFS(%rbx), %rsi
	ARCH_PRCTL 0x1003
	mov	GSBASE(%rbx), %rsi
	ARCH_PRCTL 0x1001
	mov	FSBASE(%rbx), %rsi
	ARCH_PRCTL 0x1002
1:	IF_NOT	BASES, 1f
	mov	FSBASE(%rbx), %rax
	wrfsbase %rax
	mov	GSBASE(%rbx), %rax
	wrgsbase %rax
1:	mov	DS(%rbx), %ds
	mov	ES(%rbx), %es
	IF_NOT	PKU, 1f
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	PKRU(%rbx), %eax
	wrpkru
1:	IF_NOT	XSAVE, 1f
	xor	%ecx, %ecx
	xgetbv
	mov	%eax, XCR0(%rbx)

1:	fninit
	mov	PATTERN(%rbx), %rax
	mov	$8, %ecx
1:	mov	%rax, NOW(%rbx)
	fildq	NOW(%rbx)
	rol	$7, %rax
	loop	1b
	fldcw	FCW(%rbx)
	ldmxcsr	MXCSR(%rbx)
	mov	PATTERN(%rbx), %rax
	.irp	n, ALL
	lea	\n(%rax), %rdx
	movq	%rdx, %xmm\n
	punpcklqdq %xmm\n, %xmm\n
	.endr
	IF_NOT	AVX, 1f
	not	%rax
	.irp	n, ALL
	lea	\n(%rax), %rdx
	mov	%rdx, NOW(%rbx)
	mov	%rdx, NOW + 8(%rbx)
	vinsertf128 $1, NOW(%rbx), %ymm\n, %ymm\n
	.endr
	.irp	n, ALL
	vmovdqa	%ymm\n, YFIRST + 32 * \n(%rbx)
	.endr
1:	fxsave64 FIRST(%rbx)
	mov	ROUNDS(%rbx), %r12
	push	FLAGS(%rbx)
	popfq

round:	mov	SPIN(%rbx), %rcx
1:	dec	%rcx
	jg	1b
	mov	TOUCH(%rbx), %rax
	test	%rax, %rax
	jz	1f
	incq	(%rax)
1:	pushfq
	pop	%rax
	mov	%rax, %rdx
	xor	FLAGS(%rbx), %rdx
	test	$FLAGS_SEEN, %edx
	SAME	1
	fxsave64 NOW(%rbx)
	mov	NOW(%rbx), %rax
	mov	%rax, %rdx
	xor	FIRST(%rbx), %rdx
	shl	$24, %rdx		/* FCW, FSW, FTW */
	SAME	2
	mov	$3, %ecx		/* MXCSR, and then the registers */
1:	mov	NOW(%rbx, %rcx, 8), %rax
	cmp	FIRST(%rbx, %rcx, 8), %rax
	SAME	3
	inc	%ecx
	cmp	$52, %ecx
	jb	1b
	IF_NOT	AVX, 2f
	.irp	n, ALL
	vmovdqa	%ymm\n, YNOW + 32 * \n(%rbx)
	.endr
	xor	%ecx, %ecx
1:	mov	YNOW(%rbx, %rcx, 8), %rax
	cmp	YFIRST(%rbx, %rcx, 8), %rax
	SAME	4
	inc	%ecx
	cmp	$64, %ecx
	jb	1b
2:	IF_NOT	PKU, 1f
	xor	%ecx, %ecx
	rdpkru
	cmp	PKRU(%rbx), %eax
	SAME	5
1:	IF_NOT	XSAVE, 1f
	xor	%ecx, %ecx
	xgetbv
	cmp	XCR0(%rbx), %eax
	SAME	6
1:	IF_NOT	BASES, 1f
	rdfsbase %rax
	cmp	FSBASE(%rbx), %rax
	SAME	7
	rdgsbase %rax
	cmp	GSBASE(%rbx), %rax
	SAME	8
1:	mov	%fs:0, %rax
	cmp	PATTERN(%rbx), %rax
	SAME	9
	mov	%gs:0, %rax
	cmp	PATTERN(%rbx), %rax
	SAME	10
	mov	%ds, %eax
	cmp	DS(%rbx), %ax
	SAME	11
	mov	%es, %eax
	cmp	ES(%rbx), %ax
	SAME	12
	mov	%fs, %eax
	test	%ax, %ax
	SAME	13
	mov	%gs, %eax
	test	%ax, %ax
	SAME	14
	mov	NR(%rbx), %rax
	mov	NR + 8(%rbx), %rdi
	mov	NR + 16(%rbx), %rsi
	mov	NR + 24(%rbx), %rdx
	syscall
	cmp	WANT(%rbx), %rax
	SAME	15
	incq	DONE(%rbx)
	dec	%r12
	jnz	round
	xor	%edi, %edi

fail:	mov	%edi, %r13d
	mov	%rax, FOUND(%rbx)
	push	$0x202
	popfq
	IF_NOT	AVX, 1f
	vzeroupper
1:	IF_NOT	LINUX, 2f
	IF_NOT	PKU, 1f
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$0x55555554, %eax
	wrpkru
1:	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	OLDFS(%rbx), %rsi
	ARCH_PRCTL 0x1002
	xor	%esi, %esi
	ARCH_PRCTL 0x1001
	fninit
	movl	$0x1f80, MXCSR(%rbx)
	ldmxcsr	MXCSR(%rbx)
2:	mov	%r13d, %eax
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.globl	keep_end
keep_end:

/*
 * Where the Guest begins: what has it been given that is not its own?  Its
 * struct keep is at 0x3000, and the code above comes right behind this.
 */
	.balign	16
	.globl	guest, guest_end
guest:	pushfq
	or	%rbx, %rax
	or	%rcx, %rax
	or	%rdx, %rax
	or	%rsi, %rax
	or	%rbp, %rax
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	or	%r\n, %rax
	.endr
	mov	$0x3000, %ebx
	.macro	CLEAN code
	mov	$\code, %edi
	jne	die
	.endm
	CLEAN	64
	pop	%rax
	cmp	$0x202, %rax
	CLEAN	65
	fxsave64 NOW(%rbx)
	mov	NOW(%rbx), %rax
	shl	$24, %rax		/* FCW, FSW, FTW */
	mov	$0x037f000000, %rdx
	cmp	%rdx, %rax
	CLEAN	66
	mov	NOW + 24(%rbx), %eax
	cmp	$0x1f80, %eax
	CLEAN	67
	mov	$4, %ecx
1:	mov	NOW(%rbx, %rcx, 8), %rax
	test	%rax, %rax
	CLEAN	68
	inc	%ecx
	cmp	$52, %ecx
	jb	1b
	IF_NOT	AVX, 2f
	.irp	n, ALL
	vmovdqa	%ymm\n, YNOW + 32 * \n(%rbx)
	.endr
	xor	%ecx, %ecx
1:	mov	YNOW(%rbx, %rcx, 8), %rax
	test	%rax, %rax
	CLEAN	69
	inc	%ecx
	cmp	$64, %ecx
	jb	1b
2:	IF_NOT	PKU, 1f
	xor	%ecx, %ecx
	rdpkru
	test	%eax, %eax
	CLEAN	70
1:	mov	%rbx, %rdi
	call	guest_end
	mov	%eax, %edi
die:	mov	$1003, %eax		/* LHCALL_SHUTDOWN */
	syscall
	ud2
	.balign	16
guest_end:

	.section .note.GNU-stack, "", @progbits
