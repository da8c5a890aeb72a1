# SPDX-License-Identifier: GPL-2.0-only
"""The mutants: name, file, what stands there, what the mutant has instead.

A fifth field, if there is one, says why nothing can tell the mutant from the
original on this bench: such a mutant is run all the same, and must survive.
"""
S, C, H, W, T = ("switcher/switcher.S", "kmod/switch.c", "kmod/sanitise.h",
                 "kmod/window.c", "kmod/traps.c")


def swap(name, file, first, second, why=None):
    return (name, file, first + second, second + first, why)


def drop(name, file, text, why=None):
    return (name, file, text, "", why)


def change(name, file, old, new, why=None):
    return (name, file, old, new, why)


NO_MSR = "QEMU ignores writes of this MSR and reads it as 0; a real processor is needed"
TABLE = [
    # The way in: what is there before LIDT.
    drop("in-no-vcpu", S, "\tmov\t%rsi, CPU_VCPU(%rdi)\n"),
    drop("in-no-cpu", S, "\tmov\t%rdi, VCPU_CPU(%rsi)\n"),
    drop("in-no-aborted", S, "\tmovq\t$VECTOR_ABORTED, (VCPU_REGS + REGS_VECTOR)(%rsi)\n"),
    drop("in-no-host-rsp", S, "\tmov\t%rsp, CPU_HOST_RSP(%rdi)\n"),
    drop("in-no-lidt", S, "\tlidt\t(CPU_IDT_REG + TABLE_LIMIT)(%rdi)\n"),
    change("in-lidt-before-vcpu", S, "\tmov\t%rsi, CPU_VCPU(%rdi)\n\tmov\t%rdi, VCPU_CPU(%rsi)\n",
           "\tlidt\t(CPU_IDT_REG + TABLE_LIMIT)(%rdi)\n\tmov\t%rsi, CPU_VCPU(%rdi)\n\tmov\t%rdi, VCPU_CPU(%rsi)\n"),
    drop("in-no-push", S, "\tpush\t%r14\n\tpush\t%r15\n\tmov\t%rsp, CPU_HOST_RSP(%rdi)\n"),
    # The note.
    drop("note-not-read", S, "\tmov\tVCPU_NMI(%rsi), %eax\n\tor\tVCPU_MCE(%rsi), %eax\n\tjnz\trestore_host\n"),
    drop("note-nmi-not-read", S, "\tmov\tVCPU_NMI(%rsi), %eax\n\tor\tVCPU_MCE(%rsi), %eax\n"),
    change("note-begin-late", S,
           "SYM_INNER_LABEL(switcher_restart_begin, SYM_L_GLOBAL)\n\tmov\tVCPU_NMI(%rsi), %eax\n\tor\tVCPU_MCE(%rsi), %eax\n\tjnz\trestore_host\n",
           "\tmov\tVCPU_NMI(%rsi), %eax\n\tor\tVCPU_MCE(%rsi), %eax\n\tjnz\trestore_host\nSYM_INNER_LABEL(switcher_restart_begin, SYM_L_GLOBAL)\n"),
    change("note-end-early", S,
           "\tlidt\t(CPU_HOST_IDT + TABLE_LIMIT)(%rdi)\nSYM_INNER_LABEL(switcher_restart_end, SYM_L_GLOBAL)\n",
           "SYM_INNER_LABEL(switcher_restart_end, SYM_L_GLOBAL)\n\tlidt\t(CPU_HOST_IDT + TABLE_LIMIT)(%rdi)\n",
           "before LIDT nothing of the Host's is missing any more: returning is as good as beginning again"),
    change("note-end-at-restore", S, "\tlea\tswitcher_restart_end(%rip), %rcx\n", "\tlea\trestore_host(%rip), %rcx\n"),
    change("note-jbe", S, "\tcmp\t%rcx, %rax\n\tjb\t11f\n", "\tcmp\t%rcx, %rax\n\tjbe\t11f\n",
           "at the first instruction the note is not read yet: returning is as good"),
    # The order on the way in.
    swap("in-lgdt-ltr", S, "\tlgdt\t(CPU_GDT_REG + TABLE_LIMIT)(%rdi)\n",
         "\tmov\t$(GDT_ENTRY_TSS * 8), %eax\n\tltr\t%ax\n"),
    change("in-cr3-ltr", S, "\tmov\t$(GDT_ENTRY_TSS * 8), %eax\n\tltr\t%ax\n\n\tmov\tVCPU_GUEST_CR3(%rsi), %rax\n\tmov\t%rax, %cr3\n",
           "\tmov\tVCPU_GUEST_CR3(%rsi), %rax\n\tmov\t%rax, %cr3\n\tmov\t$(GDT_ENTRY_TSS * 8), %eax\n\tltr\t%ax\n"),
    swap("in-lldt-lgdt", S, "\tlldt\t%ax\t\t\t/* zero: no local descriptors */\n",
         "\n\t/* Not busy, or LTR refuses it. */\n\tandb\t$~2, (CPU_GDT + GDT_ENTRY_TSS * 8 + 5)(%rdi)\n\tlgdt\t(CPU_GDT_REG + TABLE_LIMIT)(%rdi)\n",
         "LLDT of a null selector reads no table"),
    drop("in-no-lldt", S, "\tlldt\t%ax\t\t\t/* zero: no local descriptors */\n"),
    drop("in-no-andb", S, "\tandb\t$~2, (CPU_GDT + GDT_ENTRY_TSS * 8 + 5)(%rdi)\n"),
    drop("in-no-lgdt", S, "\tlgdt\t(CPU_GDT_REG + TABLE_LIMIT)(%rdi)\n"),
    drop("in-no-ltr", S, "\tlgdt\t(CPU_GDT_REG + TABLE_LIMIT)(%rdi)\n\tmov\t$(GDT_ENTRY_TSS * 8), %eax\n\tltr\t%ax\n"),
    change("in-bases-before-cr3", S, "\tmov\tVCPU_GUEST_CR3(%rsi), %rax\n\tmov\t%rax, %cr3\n",
           "\tWRITE_MSR MSR_GS_BASE, VCPU_GS_BASE(%rsi)\n\tmov\tVCPU_GUEST_CR3(%rsi), %rax\n\tmov\t%rax, %cr3\n",
           "with our IDT live no handler uses GS, and the way home writes its base"),
    drop("in-no-ds", S, "\tmov\tVCPU_DS(%rsi), %ds\n"),
    drop("in-no-es", S, "\tmov\tVCPU_ES(%rsi), %es\n"),
    drop("in-no-fs", S, "\tmov\tVCPU_FS(%rsi), %fs\n"),
    drop("in-no-gs", S, "\tmov\tVCPU_GS(%rsi), %gs\n"),
    drop("in-no-fs-base", S, "\tWRITE_MSR MSR_FS_BASE, VCPU_FS_BASE(%rsi)\n"),
    drop("in-no-gs-base", S, "\tWRITE_MSR MSR_GS_BASE, VCPU_GS_BASE(%rsi)\n"),
    drop("in-no-kernel-gs", S, "\tmov\t$MSR_KERNEL_GS_BASE, %ecx\n\tmov\t%esi, %eax\n\tmov\t%rsi, %rdx\n\tshr\t$32, %rdx\n\twrmsr\n"),
    drop("in-no-debugctl", S, "\tmov\t$MSR_IA32_DEBUGCTLMSR, %ecx\n\twrmsr\n", NO_MSR),
    # The order on the way home.
    drop("out-no-cr3", S, "\tmov\tCPU_HOST_CR3(%rdi), %rax\n\tmov\t%rax, %cr3\n"),
    drop("out-no-rsp", S, "\tmov\tCPU_HOST_RSP(%rdi), %rsp\n"),
    drop("out-no-ss", S, "\tmov\t$__KERNEL_DS, %eax\n\tmov\t%eax, %ss\n"),
    swap("out-rsp-cr3", S, "\tmov\tCPU_HOST_CR3(%rdi), %rax\n\tmov\t%rax, %cr3\n", "\n\tmov\tCPU_HOST_RSP(%rdi), %rsp\n",
         "nothing is pushed there: what can arrive has a stack of its own"),
    drop("out-no-gs", S, "\txor\t%eax, %eax\n\tmov\t%eax, %gs\n",
         "LOADSEGMENT and LOAD_GS_INDEX of return_to_host set it once more"),
    drop("out-no-gs-base", S, "\tWRITE_MSR MSR_GS_BASE, CPU_HOST_GS_BASE(%rdi)\n"),
    change("out-gs-base-first", S, "\txor\t%eax, %eax\n\tmov\t%eax, %gs\n\tWRITE_MSR MSR_GS_BASE, CPU_HOST_GS_BASE(%rdi)\n",
           "\tWRITE_MSR MSR_GS_BASE, CPU_HOST_GS_BASE(%rdi)\n\txor\t%eax, %eax\n\tmov\t%eax, %gs\n"),
    drop("out-no-lgdt", S, "\tlgdt\t(CPU_HOST_GDT_RW + TABLE_LIMIT)(%rdi)\n"),
    drop("out-no-andb", S, "\tandb\t$~2, 5(%rax)\t\t/* not busy, or LTR refuses it */\n"),
    change("out-no-ltr", S, "\tmov\t$(GDT_ENTRY_TSS * 8), %eax\n\tltr\t%ax\n\tlgdt\t(CPU_HOST_GDT_RO", "\tlgdt\t(CPU_HOST_GDT_RO"),
    swap("out-ltr-lgdt", S, "\tmov\t$(GDT_ENTRY_TSS * 8), %eax\n\tltr\t%ax\n", "\tlgdt\t(CPU_HOST_GDT_RO + TABLE_LIMIT)(%rdi)\n"),
    drop("out-no-lgdt-ro", S, "\tlgdt\t(CPU_HOST_GDT_RO + TABLE_LIMIT)(%rdi)\n"),
    drop("out-no-lldt", S, "\tlldt\tCPU_HOST_LDT(%rdi)\n"),
    change("out-lidt-first", S, "SYM_INNER_LABEL(restore_host, SYM_L_GLOBAL)\n\tmov\tCPU_HOST_CR3(%rdi), %rax\n\tmov\t%rax, %cr3\n",
           "SYM_INNER_LABEL(restore_host, SYM_L_GLOBAL)\n\tlidt\t(CPU_HOST_IDT + TABLE_LIMIT)(%rdi)\n\tmov\tCPU_HOST_CR3(%rdi), %rax\n\tmov\t%rax, %cr3\n"),
    change("out-lidt-before-gs", S, "\txor\t%eax, %eax\n\tmov\t%eax, %gs\n\tWRITE_MSR",
           "\tlidt\t(CPU_HOST_IDT + TABLE_LIMIT)(%rdi)\n\txor\t%eax, %eax\n\tmov\t%eax, %gs\n\tWRITE_MSR"),
    change("out-lidt-before-ltr", S, "\tlgdt\t(CPU_HOST_GDT_RW + TABLE_LIMIT)(%rdi)\n",
           "\tlidt\t(CPU_HOST_IDT + TABLE_LIMIT)(%rdi)\n\tlgdt\t(CPU_HOST_GDT_RW + TABLE_LIMIT)(%rdi)\n"),
    drop("out-no-lidt", S, "\tlidt\t(CPU_HOST_IDT + TABLE_LIMIT)(%rdi)\n"),
    change("out-no-pop", S, "\tpop\t%rbp\n\tpop\t%rbx\n\tret\n", "\tadd\t$8, %rsp\n\tpop\t%rbx\n\tret\n"),
    # What is saved of the Guest.
    change("trap-no-cld", S, "SYM_INNER_LABEL(trap_common, SYM_L_GLOBAL)\n\tcld\n", "SYM_INNER_LABEL(trap_common, SYM_L_GLOBAL)\n"),
    change("trap-no-clac", S, "SYM_INNER_LABEL(switcher_clac1, SYM_L_GLOBAL)\n\tclac\n", "SYM_INNER_LABEL(switcher_clac1, SYM_L_GLOBAL)\n\tnop\n\tnop\n\tnop\n"),
    change("ist-no-cld", S, "ist_common:\n\tcld\n", "ist_common:\n"),
    change("ist-no-clac", S, "SYM_INNER_LABEL(switcher_clac2, SYM_L_GLOBAL)\n\tclac\n", "SYM_INNER_LABEL(switcher_clac2, SYM_L_GLOBAL)\n\tnop\n\tnop\n\tnop\n"),
    drop("trap-believes-rip", S, "\ttestb\t$3, 24(%rsp)\t\t/* vector, error, RIP, CS */\n\tjz\ttrap_in_switcher\n"),
    change("ist-believes-rip", S, "\ttestb\t$3, REGS_CS(%rsp)\n\tjz\tist_in_switcher\n", "\tjmp\tist_in_switcher\n"),
    drop("save-no-cr2", S, "\tmov\t%cr2, %rax\n\tmov\t%rax, VCPU_CR2(%rsi)\n"),
    drop("save-no-ds", S, "\tmov\t%ds, VCPU_DS(%rsi)\n"),
    drop("save-no-es", S, "\tmov\t%es, VCPU_ES(%rsi)\n"),
    drop("save-no-fs", S, "\tmov\t%fs, VCPU_FS(%rsi)\n"),
    drop("save-no-gs", S, "\tmov\t%gs, VCPU_GS(%rsi)\n"),
    drop("save-no-fs-base", S, "\tREAD_MSR MSR_FS_BASE, VCPU_FS_BASE(%rsi)\n"),
    drop("save-no-gs-base", S, "\tREAD_MSR MSR_GS_BASE, VCPU_GS_BASE(%rsi)\n"),
    change("save-no-r15", S, "\tpush\t%r14\n\tpush\t%r15\n.endm\n", "\tpush\t%r14\n\tpush\t%r14\n.endm\n"),
    drop("home-with-rbx", S, "\txor\t%ebx, %ebx\n"),
    drop("home-with-r15", S, "\txor\t%r15d, %r15d\n"),
    # SYSCALL.
    change("syscall-no-swapgs", S, "SYM_INNER_LABEL(switcher_syscall, SYM_L_GLOBAL)\n\tswapgs\n", "SYM_INNER_LABEL(switcher_syscall, SYM_L_GLOBAL)\n"),
    change("syscall-no-swapgs-back", S, "\tswapgs\n\n\tpush\t$__USER_DS\n", "\n\tpush\t$__USER_DS\n"),
    change("syscall32-no-swapgs", S, "SYM_INNER_LABEL(switcher_syscall32, SYM_L_GLOBAL)\n\tswapgs\n", "SYM_INNER_LABEL(switcher_syscall32, SYM_L_GLOBAL)\n"),
    drop("syscall32-no-sub", S, "\tsub\t$2, %rcx\t\t/* a fault points to its instruction */\n"),
    change("syscall32-cs", S, "\tpush\t$__USER32_CS\n", "\tpush\t$__USER_CS\n"),
    # NMI, #MC, #DB.
    drop("ist-nmi-not-noted", S, "\tmovl\t$1, VCPU_NMI(%rsi)\n"),
    drop("ist-mce-not-noted", S, "\tmovl\t$1, VCPU_MCE(%rsi)\n"),
    drop("ist-executing", S, "\tmovl\t$0, REGS_VECTOR(%rsp)\t/* Linux: \"NMI executing\", if it is its stack */\n"),
    drop("ist-iret-inside", S, "\tjb\treturn_without_iret\n"),
    change("ist-range", S, "\tlea\tswitcher_ist_begin(%rip), %rcx\n", "\tlea\tswitcher_ist_end(%rip), %rcx\n"),
    drop("ist-no-dr6", S, "\tmov\t$DR6_RESERVED, %eax\n\tmov\t%rax, %dr6\n"),
    drop("without-iret-flags", S, "\tmov\tREGS_RFLAGS(%rsp), %rax\n\tmov\t%rax, -16(%rdx)\n"),
    drop("without-iret-rax", S, "\tmov\tREGS_RAX(%rsp), %rax\n\tmov\t%rax, -24(%rdx)\n"),
    change("bug-every-time", S, "7:\tjne\t7b\n", "", "a second bug while the first goes home, which no test of ours makes"),
    drop("bug-not-noted", S, "\tmovl\t$1, VCPU_BUG(%rsi)\n"),
    change("irq-160", S, "\taddq\t$160, (%rsp)\n", "\taddq\t$161, (%rsp)\n"),
    # The IDT.
    change("ist-nmi-common", W, "idt[X86_TRAP_NMI].bits.ist = IST_INDEX_NMI + 1", "idt[X86_TRAP_NMI].bits.ist = 0"),
    change("ist-nmi-on-db", W, "idt[X86_TRAP_NMI].bits.ist = IST_INDEX_NMI + 1", "idt[X86_TRAP_NMI].bits.ist = IST_INDEX_DB + 1"),
    change("ist-mce-on-nmi", W, "idt[X86_TRAP_MC].bits.ist = IST_INDEX_MCE + 1", "idt[X86_TRAP_MC].bits.ist = IST_INDEX_NMI + 1"),
    change("ist-db-common", W, "idt[X86_TRAP_DB].bits.ist = IST_INDEX_DB + 1", "idt[X86_TRAP_DB].bits.ist = 0"),
    change("idt-dpl", W, "idt[X86_TRAP_BP].bits.dpl = 3", "idt[X86_TRAP_BP].bits.dpl = 0"),
    change("idt-open", W, "switcher_irqs + 8 * (i - 32)),\n\t\t\t 0, 0);", "switcher_irqs + 8 * (i - 32)),\n\t\t\t 3, 0);"),
    # C: the Host's own.
    drop("c-no-dr7", C, "\tnative_set_debugreg(7, 0);\n"),
    drop("c-no-dr7-back", C, "\tnative_set_debugreg(7, host->dr7);\n"),
    drop("c-no-pkru", C, "\twrite_pkru(vcpu->pkru);\n"),
    drop("c-no-pkru-back", C, "\twrite_pkru(host->pkru);\n"),
    drop("c-no-ds", C, "\tloadsegment(ds, host->ds);\n"),
    drop("c-no-fs", C, "\tloadsegment(fs, host->fs);\n\twrmsrl(MSR_FS_BASE, host->fs_base);\n"),
    drop("c-no-fs-base", C, "\twrmsrl(MSR_FS_BASE, host->fs_base);\n"),
    drop("c-no-kernel-gs", C, "\twrmsrl(MSR_KERNEL_GS_BASE, host->kernel_gs_base);\n"),
    drop("c-no-msrs", C, "\t\tif (guest != host->msr[i])\n\t\t\twrmsrl(entry_msrs[i], guest);\n"),
    drop("c-no-msrs-back", C, "\t\tif (guest_msr(entry_msrs[i], host->msr[i]) != host->msr[i])\n\t\t\twrmsrl(entry_msrs[i], host->msr[i]);\n"),
    drop("c-no-cstar", C, " MSR_CSTAR,"),
    drop("c-no-sysenter", C, "\tMSR_IA32_SYSENTER_CS,\n"),
    drop("c-sfmask-df", C, " | X86_EFLAGS_DF"),
    drop("c-sfmask-ac", C, " | X86_EFLAGS_AC"),
    change("c-sfmask-if", C, "return X86_EFLAGS_IF | X86_EFLAGS_TF", "return X86_EFLAGS_TF"),
    drop("c-no-fpu", C, "\thost_fpu_reload();\n"),
    drop("c-no-nmi", C, "\t\tcall_host_interrupt(host_nmi_entry());\n"),
    drop("c-no-mce", C, "\t\tdo_machine_check(&regs);\n"),
    drop("c-no-int18", C, "\t\tasm volatile(\"int $18\");\n"),
    drop("c-no-irq", C, "\t\tcall_host_interrupt(gate_offset(&idt[vector]));\n"),
    drop("c-no-db-clean", C, "\t\tnative_set_debugreg(6, DR6_RESERVED);\n"),
    drop("c-no-sp0", C, "\tsc->tss.sp0 = page + PAGE_SIZE;\n"),
    change("c-no-pcid", C, "\t\tpcid = SWITCHER_PCID;\n", "\t\tpcid = 0;\n",
           "QEMU flushes at each load of CR3 and has no PCIDs to mix up; ci/checks/bochs has"),
    # C: what a Guest may have.
    change("san-iopl", H, "0x0000000000254dd5", "0x0000000000257dd5"),
    change("san-no-if", H, "0x0000000000000202", "0x0000000000000002"),
    change("san-cs", H, "return cs == USER32_CS ? USER32_CS : USER_CS;", "return cs;"),
    change("san-sel", H, "\t\treturn sel;\n\t}\n\treturn 0;\n", "\t\treturn sel;\n\t}\n\treturn sel;\n"),
    change("trap-bug-silent", T, "WRITE_ONCE(switcher_broken, true);", ""),
]
