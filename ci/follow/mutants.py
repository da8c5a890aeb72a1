#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Break the Switcher in one place at a time; some check must see each.

usage: mutants.py [--list] [NAME...]
A mutant is tried by what is quick first: the order of the tables at each
instruction, then some Guests in one boot, then an NMI at each instruction.
"""
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
S, C = "switcher/switcher.S", "kmod/switch.c"

LIDT_IN = "\tlidt\t(CPU_IDT_REG + TABLE_LIMIT)(%rdi)\n"
LTR_IN = "\tmov\t$(GDT_ENTRY_TSS * 8), %eax\n\tltr\t%ax\n"
LGDT_IN = "\tlgdt\t(CPU_GDT_REG + TABLE_LIMIT)(%rdi)\n"
CR3_IN = "\tmov\tVCPU_GUEST_CR3(%rsi), %rax\n\tmov\t%rax, %cr3\n"
CR3_OUT = "\tmov\tCPU_HOST_CR3(%rdi), %rax\n\tmov\t%rax, %cr3\n"
LIDT_OUT = "\tlidt\t(CPU_HOST_IDT + TABLE_LIMIT)(%rdi)\n"
LGDT_RO = "\tlgdt\t(CPU_HOST_GDT_RO + TABLE_LIMIT)(%rdi)\n"
LGDT_RW = "\tlgdt\t(CPU_HOST_GDT_RW + TABLE_LIMIT)(%rdi)\n"
SS_OUT = "\tmov\t$__KERNEL_DS, %eax\n\tmov\t%eax, %ss\n"
GS_OUT = "\tWRITE_MSR MSR_GS_BASE, CPU_HOST_GS_BASE(%rdi)\n"
FIRST_SELECTOR = "\tmov\tVCPU_DS(%rsi), %ds\n"


def move(what, before):
    """Take a step out, and put it in front of another one."""
    return [(what, ""), (before, what + before)]


MUTANTS = {
    # name: (file, replacements); each text must be there exactly once
    "in-lidt-after-ltr": (S, move(LIDT_IN, CR3_IN)),
    "in-ltr-after-cr3": (S, [(LGDT_IN + LTR_IN, LGDT_IN), (FIRST_SELECTOR, LTR_IN + FIRST_SELECTOR)]),
    "in-cr3-before-lgdt": (S, move(CR3_IN, LGDT_IN)),
    "in-no-lgdt": (S, [(LGDT_IN, "")]),
    "in-no-ltr": (S, [(LGDT_IN + LTR_IN, LGDT_IN)]),
    "in-busy": (S, [("\tandb\t$~2, (CPU_GDT + GDT_ENTRY_TSS * 8 + 5)(%rdi)\n", "")]),
    "in-no-lidt": (S, [(LIDT_IN, "")]),
    "out-cr3-after-lgdt": (S, move(CR3_OUT, LGDT_RO)),
    "out-lidt-before-ltr": (S, move(LIDT_OUT, LGDT_RW)),
    "out-lidt-before-gs": (S, move(LIDT_OUT, GS_OUT)),
    "out-gdt-stays-writable": (S, [(LGDT_RO, "")]),
    "out-busy": (S, [("\tandb\t$~2, 5(%rax)		/* not busy, or LTR refuses it */\n", "")]),
    "out-no-ss": (S, [(SS_OUT, "")]),
    "out-no-gs": (S, [(GS_OUT, "")]),
    "no-cld": (S, [("SYM_INNER_LABEL(trap_common, SYM_L_GLOBAL)\n\tcld\n",
                    "SYM_INNER_LABEL(trap_common, SYM_L_GLOBAL)\n")]),
    "no-interrupt-on-the-host": (C, [("\t\tcall_host_interrupt(gate_offset(&idt[vector]));\n", "\t\t;\n")]),
    "sysenter-left-open": (C, [("\tMSR_IA32_SYSENTER_CS,\n", "")]),
    "syscall32-left-open": (C, [("MSR_CSTAR, ", "")]),
    "nmi-no-look-at-the-note": (S, [("\tor\tVCPU_MCE(%rsi), %eax\n\tjnz\trestore_host\n", "")]),
    "nmi-no-vector-beforehand": (S, [("\tmovq\t$VECTOR_ABORTED, (VCPU_REGS + REGS_VECTOR)(%rsi)\n", "")]),
    "nmi-not-noted": (S, [("\tmovl\t$1, VCPU_NMI(%rsi)\n", "")]),
    "nmi-no-restart": (S, [("\tjb\trestore_host\n", "")]),
    "nmi-back-by-iret": (S, [("\tjb\treturn_without_iret\n", "")]),
    "nmi-registers-not-copied": (S, [("\trep movsq\n", "")]),
    "nmi-not-raised": (C, [("\t\tcall_host_interrupt(host_nmi_entry());\n", "")]),
}

GUESTS = """insmod /lg/lg.ko || exit 1
dmesg -n 1
lines() { dmesg | wc -l; }
before=$(lines)
try() { want=$1; shift; timeout -s KILL 20 lguest "$@" >/tmp/out 2>&1; got=$?
	[ $got -eq $want ] || { echo "status $got, not $want: lguest $*"; exit 1; }; }
for n in 1 2 3 4; do try 0 guests/hello; done
try 0 --arg 0x602 guests/flags
try 0 --arg 0x40002 guests/flags
try 0 --arg 1 guests/keys
for n in 0 1 2 3; do timeout 20 lguest --arg $n guests/doors >/tmp/out 2>&1
	grep -q died /tmp/out || { cat /tmp/out; exit 1; }; done
lguest guests/spin >/dev/null 2>&1 & sleep 2; kill -INT $!; wait $!
[ "$(lines)" -eq "$before" ] || { dmesg | tail -n 3; exit 1; }
rmmod lg
"""


def build(name, where):
    host = os.path.join(TOP, "build", "src")
    for folder in ("kmod", "switcher"):
        shutil.copytree(os.path.join(host, folder), os.path.join(where, folder))
    path, changes = MUTANTS[name]
    path = os.path.join(where, path)
    with open(path) as f:
        source = "".join(x for x in f if not x.startswith("#line "))
    for old, new in changes:
        if source.count(old) != 1:
            sys.exit("mutants: %s: not there once: %r" % (name, old))
        source = source.replace(old, new)
    with open(path, "w") as f:
        f.write(source)
    kver = os.environ.get("KVER") or subprocess.check_output(
        ["modinfo", "-F", "vermagic", os.path.join(TOP, "kmod", "lg.ko")], text=True).split()[0]
    subprocess.run(["make", "-s", "-C", "/lib/modules/%s/build" % kver
                    if os.path.isdir("/lib/modules/%s/build" % kver)
                    else "/usr/src/linux-headers-" + kver,
                    "M=" + os.path.join(where, "kmod"), "CONFIG_DEBUG_INFO_BTF_MODULES=",
                    "modules"], check=True, capture_output=True)
    return os.path.join(where, "kmod", "lg.ko")


def seen(name):
    """Which check sees it?  None: it lives."""
    with tempfile.TemporaryDirectory(prefix="lguest.mutant.") as tmp:
        module = build(name, tmp)
        script = os.path.join(tmp, "script")
        with open(script, "w") as f:
            f.write(GUESTS)
        checks = [
            ("switch-order", ["ci/checks/switch-order", "--module", module]),
            ("guests", ["ci/boot", "--timeout", "240", "--module", module, "--", script]),
            ("nmi-everywhere", ["ci/checks/nmi-everywhere", "--module", module, "--failures", "1"]),
        ]
        for check, command in checks:
            done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if done.returncode == 77:
                continue
            if done.returncode:
                said = [x for x in done.stdout.splitlines() if x.strip()] or ["status %d" % done.returncode]
                return check, next((x for x in said if "WRONG" in x), said[-1])
        return None


def main():
    names = [x for x in sys.argv[1:] if not x.startswith("-")] or list(MUTANTS)
    if "--list" in sys.argv:
        print("\n".join(names))
        return 0
    living = 0
    for name in names:
        by = seen(name)
        living += not by
        print("%-26s %s" % (name, "LIVES" if not by else "seen by %s: %s" % by), flush=True)
    print("%d mutants of the Switcher, %d seen" % (len(names), len(names) - living))
    return 1 if living else 0


if __name__ == "__main__":
    sys.exit(main())
