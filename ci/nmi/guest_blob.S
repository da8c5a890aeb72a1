/* SPDX-License-Identifier: GPL-2.0-only */
	.section .rodata
	.globl	guest, guest_end
	.balign	8
guest:	.incbin	"guest.bin"
guest_end:
	.section .note.GNU-stack, "", @progbits
