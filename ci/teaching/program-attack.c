// SPDX-License-Identifier: GPL-2.0-only
/* Programs that would like to be more: each of them must end, and alone. */
#include "program.h"
#include "attacks.h"

#define KERNEL	0x200000ULL
#define SHARED	0xffff808000000000ULL
extern const u8 kernel_start[];	/* of its text */
#define ATTACK(name, ...) \
	void name(void) { __VA_ARGS__; say("%s\n", #name " has got through"); quit(); }

ATTACK(read_kernel, *(volatile u64 *)KERNEL)
ATTACK(read_zero, asm volatile("mov 8, %%rax" : : : "rax"))
ATTACK(read_data, *(volatile u64 *)(KERNEL - 4096))
ATTACK(read_text, *(volatile u64 *)kernel_start)
ATTACK(read_shared, *(volatile u64 *)SHARED)
ATTACK(write_shared, *(volatile u64 *)SHARED = 1)
ATTACK(run_shared, asm volatile("jmp *%0" : : "r" (SHARED)))
ATTACK(run_text, asm volatile("jmp *%0" : : "r" (kernel_start)))
ATTACK(spoil_text, *(volatile u8 *)read_kernel = 0x90)
ATTACK(run_stack, u8 code[1] = { 0xc3 }; asm volatile("jmp *%0" : : "r" (code) : "memory"))
ATTACK(run_heap, *(volatile u8 *)AREA = 0xc3; asm volatile("jmp *%0" : : "r" (AREA)))
ATTACK(use_port, asm volatile("inb $0x60, %%al" : : : "rax"))
ATTACK(load_cr3, asm volatile("mov %0, %%cr3" : : "r" (0ULL)))
ATTACK(halt, asm volatile("hlt"))
ATTACK(no_address, *(volatile u64 *)0x8000000000000000ULL)
ATTACK(behind_area, *(volatile u64 *)(AREA + AREA_SIZE))
ATTACK(step, asm volatile("pushfq; orq $0x100, (%%rsp); popfq; nop" : : : "memory", "cc"))
ATTACK(break_point, asm volatile("int3"))
/* A far jump to 32-bit code, and what is no instruction there. */
ATTACK(narrow_fault, asm volatile("ljmpl *1f; 1: .long 2f; .word 0x23; 2: ud2"))

/* Who asks with a stack that is nowhere is answered all the same. */
void no_stack(void)
{
	asm volatile("mov $0x1000, %%esp; mov %0, %%eax; syscall; hlt" : : "i" (CALL_EXIT));
	__builtin_unreachable();
}

/* Flags that a kernel would rather not have: DF, TF, AC, NT. */
void odd_flags(void)
{
	struct info me;
	u64 answer;

	asm volatile("pushfq; orq $0x44500, (%%rsp); popfq; syscall; "
		     "pushfq; andq $~0x44500, (%%rsp); popfq" :
		     "=a" (answer) : "a" (CALL_INFO), "D" (0), "S" (&me) :
		     "rcx", "r11", "memory", "cc");
	quit();
}

/* The same without TF must be answered. */
void direction(void)
{
	struct info me = { .number = 0 };
	u64 answer;

	asm volatile("std; syscall; cld" : "=a" (answer) :
		     "a" (CALL_INFO), "D" (0), "S" (&me) : "rcx", "r11", "memory", "cc");
	say("direction: answer %llu, name %s\n", answer, me.name);
	quit();
}

/* Every number, with arguments that are no good. */
void ask_all(void)
{
	static const u64 bad[] = { 0, 8, 0xfff, KERNEL - 1, KERNEL, SHARED, AREA - 1, AREA + AREA_SIZE - 1,
		AREA + AREA_SIZE, 1ULL << 63, -1ULL, 0x00007ffffffffff8, -4096ULL };
	u64 n = 0, believed = 0;

	for (u64 call = CALL_WRITE; call < CALLS + 3; call++) {
		if (call == CALL_NOW || call == CALL_FRAMES || call == CALL_WAIT)
			continue;
		for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++)
			for (unsigned int j = 0; j < sizeof(bad) / sizeof(*bad); j++, n++)
				believed += ask(call, bad[i], bad[j] ? bad[j] : 2) != -1ULL &&
					!(call == CALL_READ && bad[i] == AREA + AREA_SIZE - 1) &&
					!(call == CALL_INFO && bad[i] <= 8 && bad[j] == AREA + AREA_SIZE - 1);
	}
	ask(-1ULL, 0, 0);
	ask(1ULL << 63, 0, 0);
	say("ask_all: %llu of %llu believed\n", believed, n);
	quit();
}

/* Children without end; the last of them find no room. */
void breed(void)
{
	u64 children = 0;

	while (ask(CALL_START, (u64)"count", 5) != -1ULL)
		children++;
	ask(CALL_WAIT, 0, 0);
	say("breed: %llu children, all gone\n", children);
	quit();
}

/* A buffer that has not been touched is there when the kernel needs it. */
void fresh_buffer(void)
{
	struct info *me = (struct info *)(AREA + 8 * 4096 - 16);
	u64 answer = ask(CALL_INFO, 0, (u64)me);

	say("fresh_buffer: answer %llu, %llu pages\n", answer, me->pages);
	quit();
}

/* Pages that the kernel touches for it count as well. */
void borrow(void)
{
	u64 got = 0;

	for (u64 n = 0; n < 100; n++)
		got += !ask(CALL_INFO, 0, AREA + n * 4096);
	say("borrow: %llu pages\n", got);
	quit();
}

/* What another one has left must be gone; the area's first page is another frame each time. */
void leave_secret(void)
{
	for (u64 n = 0; n < 50; n++)
		*(volatile u64 *)(AREA + n * 4096 + 8) = 0x5ec2e7;
	quit();
}

void find_secret(void)
{
	u64 found = 0;

	for (u64 n = 0; n < 50; n++)
		found += *(volatile u64 *)(AREA + n * 4096 + 8) != 0;
	say("find_secret: %llu found\n", found);
	quit();
}

/* Starts them, one after the other, and looks whether a frame is missing. */
void first(void)
{
	u64 frames = ask(CALL_FRAMES, 0, 0);

	do
		ask(CALL_WAIT, 0, 0);
	while (ask(CALL_START, 0, 0) != -1ULL);
	say("%s\n", ask(CALL_FRAMES, 0, 0) == frames ? "no frame is missing" : "frames are missing");
	quit();
}
