/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest of KVM that keeps its own numbers in the registers of SYSCALL and
 * looks whether they stay, until SIGTERM: see ci/checks/beside-kvm.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

extern const uint8_t code[], code_end[];

/* Real mode is ring 0: all of WRMSR is allowed. */
asm(".pushsection .rodata\n"
    ".code16\n"
    "code:\n"
    "	xorl %edi, %edi\n"
    "1:	movl $0xc0000081, %ecx\n"	/* STAR, LSTAR, CSTAR, SFMASK */
    "2:	movl %edi, %eax\n"
    "	addl %ecx, %eax\n"
    "	xorl %edx, %edx\n"
    "	wrmsr\n"
    "	incl %ecx\n"
    "	cmpl $0xc0000085, %ecx\n"
    "	jne 2b\n"
    "	movl $0xc0000102, %ecx\n"	/* KERNEL_GS_BASE */
    "	movl %edi, %eax\n"
    "	xorl %edx, %edx\n"
    "	wrmsr\n"
    "	movl $20000, %ebx\n"
    "3:	decl %ebx\n"
    "	jnz 3b\n"
    "	movl $0xc0000102, %ecx\n"
    "	rdmsr\n"
    "	cmpl %edi, %eax\n"
    "	jne 5f\n"
    "	movl $0xc0000081, %ecx\n"
    "4:	rdmsr\n"
    "	movl %edi, %esi\n"
    "	addl %ecx, %esi\n"
    "	cmpl %esi, %eax\n"
    "	jne 5f\n"
    "	incl %ecx\n"
    "	cmpl $0xc0000085, %ecx\n"
    "	jne 4b\n"
    "	incl %edi\n"
    "	outb %al, $0x10\n"		/* all is well */
    "	jmp 1b\n"
    "5:	outb %al, $0x11\n"		/* it is not */
    "	jmp 1b\n"
    "code_end:\n"
    ".code64\n"
    ".popsection\n");

static void die(const char *what)
{
	printf("kvm: %s: %s\n", what, strerror(errno));
	exit(2);
}

static volatile sig_atomic_t enough;

static void on_term(int sig)
{
	enough = sig;
}

int main(void)
{
	struct sigaction term = { .sa_handler = on_term };
	int kvm = open("/dev/kvm", O_RDWR), vm, vcpu;
	unsigned long rounds = 0, wrong = 0;
	struct kvm_userspace_memory_region mem = { .memory_size = 0x10000 };
	struct kvm_regs regs = { .rip = 0x1000, .rflags = 2 };
	struct kvm_sregs sregs;
	struct kvm_run *run;
	uint8_t *ram;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (kvm < 0 || (vm = ioctl(kvm, KVM_CREATE_VM, 0)) < 0)
		die("no VM");
	ram = mmap(NULL, mem.memory_size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memcpy(ram + 0x1000, code, code_end - code);
	mem.userspace_addr = (uintptr_t)ram;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &mem) ||
	    (vcpu = ioctl(vm, KVM_CREATE_VCPU, 0)) < 0)
		die("no vCPU");
	run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
		   PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		die("GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) || ioctl(vcpu, KVM_SET_REGS, &regs))
		die("SET_REGS");
	sigaction(SIGTERM, &term, NULL);
	printf("kvm: the guest runs\n");
	while (!enough || rounds < 20) {
		if (ioctl(vcpu, KVM_RUN, 0)) {
			if (errno == EINTR)
				continue;
			die("RUN");
		}
		if (run->exit_reason != KVM_EXIT_IO) {
			printf("kvm: exit %u\n", run->exit_reason);
			return 1;
		}
		rounds++;
		wrong += run->io.port != 0x10;
	}
	printf("kvm: %lu rounds, %lu wrong\n", rounds, wrong);
	return wrong != 0;
}
