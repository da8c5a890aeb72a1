/* SPDX-License-Identifier: GPL-2.0-only */
/* What the Launcher (ride.c) and the Guest (guest.S) agree on. */
#ifndef RIDE_H
#define RIDE_H

#define GUEST_PAGES	16
#define GUEST_CODE	0x1000		/* its table of ways, then its code */
#define GUEST_CODE_END	0x4000
#define TARGET		0x4000		/* where to go, once XMM is filled */
#define DRIVEN		0x4008		/* do not end: the driver will say what next */
#define TABLES	0x4010		/* make page tables first: there will be programs */
#define CALLED	0x4018		/* where the kernel goes when it is called */
#define PROGRAM	0x4020		/* is it a program that checks its registers? */
#define EXPECT		0x4100		/* REGISTERS words, then XMM0-15 */
#define GOT		0x4800		/* the same, as the Guest finds them */
#define REPORT		0x5000
#define STACK		0x7f00
#define ROOT	0x8000		/* four tables */
#define NOWHERE		0x700000	/* outside the Guest's memory */
#define NOWHERE_BUSY	0x700008	/* and touched while the last event has not been read */

#define REGISTERS	26		/* in the order of enum lguest_reg */
#define R_RIP		16
#define R_RFLAGS	17

#define FLAGS		0x244ed7	/* CF PF AF ZF SF IF DF OF NT AC ID: all that may be */

#define NEW_SEGMENTS	0x5e6	/* as way.cr2: the Guest loads others, which must stay */
#define SHORT_CALL	0x5ca	/* a program calls its kernel, which checks */
#define SHORT_RETURN	0x5e7	/* a kernel returns to its program, or itself, and that checks */
#define SHORT_FAULT	0x5e9	/* a program's fault comes to its kernel, which checks */
#define SHORT_OTHER	0x5e8	/* a kernel says a word that is not ours, and checks */
#define OWN_RIGHTS	0x30	/* to a key that nobody uses */
#define CLOSED		0x44400	/* DF NT AC: not in a kernel that has been called */
#define SWITCHER_BUG	0xb06		/* as way.error: the driver will break the Switcher */

#endif /* RIDE_H */
