/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * long hold(struct held *in, struct held *out, int features, long spin,
 *           long nr, long arg[3]): fill the registers, spin, make one system
 * call, look at the registers again.
 */
#define AVX	1
#define PKU	2
#define BASES	4

#define MXCSR	512
#define FCW	516
#define GSBASE	520
#define PKRU	528
#define DS	536
#define ES	538
#define GS	540
#define FSBASE	544

	.text
	.globl	hold
hold:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rdi, %rbx		/* in */
	mov	%rsi, %rbp		/* out */
	mov	%edx, %r12d		/* features */
	mov	%rcx, %r13		/* spin */
	mov	%r8, %r14		/* nr */
	mov	%r9, %r15		/* arguments */
	ldmxcsr	MXCSR(%rbx)
	fldcw	FCW(%rbx)
	mov	DS(%rbx), %ds
	mov	ES(%rbx), %es
	mov	GS(%rbx), %gs
	test	$BASES, %r12d
	jz	1f
	cmpw	$0, GS(%rbx)
	jne	1f
	mov	GSBASE(%rbx), %rax
	wrgsbase %rax
1:	test	$PKU, %r12d
	jz	2f
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	PKRU(%rbx), %eax
	wrpkru
2:	test	$AVX, %r12d
	jz	3f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	\n * 32(%rbx), %ymm\n
	.endr
	jmp	4f
3:	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	\n * 32(%rbx), %xmm\n
	.endr
4:	dec	%r13
	jns	4b
	mov	(%r15), %rdi
	mov	8(%r15), %rsi
	mov	16(%r15), %rdx
	mov	%r14, %rax
	syscall
	mov	%rax, %r14
	stmxcsr	MXCSR(%rbp)
	fnstcw	FCW(%rbp)
	mov	%ds, DS(%rbp)
	mov	%es, ES(%rbp)
	mov	%gs, GS(%rbp)
	test	$BASES, %r12d
	jz	5f
	rdgsbase %rax
	mov	%rax, GSBASE(%rbp)
	rdfsbase %rax
	mov	%rax, FSBASE(%rbp)
5:	test	$PKU, %r12d
	jz	6f
	xor	%ecx, %ecx
	rdpkru
	mov	%rax, PKRU(%rbp)
	mov	$0x55555554, %eax
	wrpkru
6:	test	$AVX, %r12d
	jz	7f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	%ymm\n, \n * 32(%rbp)
	.endr
	vzeroupper
	jmp	8f
7:	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	%xmm\n, \n * 32(%rbp)
	.endr
8:	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %gs
	ldmxcsr	default_mxcsr(%rip)
	fninit
	mov	%r14, %rax
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
default_mxcsr:
	.long	0x1f80

/*
 * A Guest that fills every register it can reach with its own values and then
 * looks for ever whether they stay.  R15: the features.  Counts at 0x3000.
 */
	.macro	FAIL_UNLESS_EQUAL code
	mov	$\code, %edi
	jne	fail
	.endm
	.balign	16
	.globl	guest, guest_end
guest:
	mov	$0x2b, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	$0x23, %eax
	mov	%eax, %gs
	movabs	$0x0000123456789000, %r8
	movabs	$0xffff888011112222, %r9	/* looks like the Host's */
	test	$BASES, %r15d
	jz	1f
	wrfsbase %r8
	wrgsbase %r9
1:	ldmxcsr	mxcsr(%rip)
	fldcw	fcw(%rip)
	movabs	$0xdeadc0de5ca1ab1e, %r10
	movq	%r10, %xmm0
	punpcklqdq %xmm0, %xmm0
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqa	%xmm0, %xmm\n
	.endr
	test	$AVX, %r15d
	jz	2f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vinsertf128 $1, %xmm\n, %ymm\n, %ymm\n
	.endr
2:	test	$PKU, %r15d
	jz	3f
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$0xfffffffc, %eax
	wrpkru
3:	mov	%ds, %eax
	cmp	$0x2b, %ax
	FAIL_UNLESS_EQUAL 11
	mov	%es, %eax
	cmp	$0x2b, %ax
	FAIL_UNLESS_EQUAL 12
	mov	%fs, %eax
	cmp	$0x2b, %ax
	FAIL_UNLESS_EQUAL 13
	mov	%gs, %eax
	cmp	$0x23, %ax
	FAIL_UNLESS_EQUAL 14
	mov	%ss, %eax
	cmp	$0x2b, %ax
	FAIL_UNLESS_EQUAL 15
	test	$BASES, %r15d
	jz	4f
	rdfsbase %rax
	cmp	%r8, %rax
	FAIL_UNLESS_EQUAL 16
	rdgsbase %rax
	cmp	%r9, %rax
	FAIL_UNLESS_EQUAL 17
4:	stmxcsr	scratch(%rip)
	cmpl	$0x3f80, scratch(%rip)
	FAIL_UNLESS_EQUAL 18
	fnstcw	scratch(%rip)
	cmpw	$0x0f7f, scratch(%rip)
	FAIL_UNLESS_EQUAL 19
	test	$PKU, %r15d
	jz	5f
	xor	%ecx, %ecx
	rdpkru
	cmp	$0xfffffffc, %eax
	FAIL_UNLESS_EQUAL 20
5:	.irp	n, 0, 5, 10, 15
	movq	%xmm\n, %rax
	cmp	%r10, %rax
	FAIL_UNLESS_EQUAL 21
	.endr
	test	$AVX, %r15d
	jz	6f
	vextractf128 $1, %ymm15, scratch(%rip)
	cmp	%r10, scratch(%rip)
	FAIL_UNLESS_EQUAL 22
6:	incq	0x3000
	incq	(%r14)			/* where the Launcher has a watchpoint */
	jmp	3b
fail:	mov	$3, %eax
	syscall
	.balign	16
mxcsr:	.long	0x3f80
fcw:	.long	0x0f7f
scratch: .quad	0, 0
guest_end:
	.section .note.GNU-stack, "", @progbits
