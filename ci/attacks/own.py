# SPDX-License-Identifier: GPL-2.0-only
"""The defences, each removed: name, and what stands where with what instead.

Those of the Switcher are mostly in ci/mutants/table.py, which has its own battery;
mutants() gives both by name.
"""
HC, SAN, SW, SH, MMU = ("kmod/hypercalls.c", "kmod/sanitise.h", "kmod/switch.c",
                        "kmod/shadow.c", "kmod/mmu.c")

# What the Switcher does by itself is not asked of the Host.
LONG = (SW, "static bool direct = true;", "static bool direct;")

OWN = {
    # Addresses, selectors, flags.
    "rip-unchecked": [(SAN, "return cs == USER32_CS ? rip <= 0xffffffff : is_canonical(rip);", "return true;")],
    "narrow-unchecked": [(SAN, "return cs == USER32_CS ? rip <= 0xffffffff : is_canonical(rip);",
                          "return cs == USER32_CS || is_canonical(rip);")],
    "base-unchecked": [("kmod/registers.c", "\tif (!is_canonical(vcpu->fs_base))\n\t\tvcpu->fs_base = 0;\n", "")],
    # Two walls: with one of them the attack is still stopped.
    "step-into-ring-0": [(SW, "X86_EFLAGS_IF | X86_EFLAGS_TF | ", "X86_EFLAGS_IF | "),
                         ("kmod/window.c", "\tidt[X86_TRAP_DB].bits.ist = IST_INDEX_DB + 1;\n", "")],
    "io-map-in-tss": [("kmod/window.c", "io_bitmap_base = IO_BITMAP_OFFSET_INVALID", "io_bitmap_base = 0")],
    "fpu-not-entered": [("kmod/run.c", "\thost_fpu_enter(&cpu->fpu);\n", ""),
                        ("kmod/run.c", "\thost_fpu_leave(&cpu->fpu);\n", "")],
    "mf-unowned": [("kmod/owner.h", "case 16 ... 17:", "case 17:")],
    "segment-unseen": [(SAN, "if ((desc & SEGMENT_KIND) != SEGMENT_DATA)", "if (!(desc & SEGMENT_KIND))")],
    "segment-unasked": [(SAN, "return own[(sel >> 3) - OWN_FIRST] ? sel : 0;", "return own ? sel : 0;")],
    "segment-left": [(SW, "\tmemcpy(&sc->gdt[OWN_FIRST], cpu->own, sizeof(cpu->own));\n",
                      "\tfor (int i = 0; i < OWN_SEGMENTS; i++)\n\t\tif (cpu->own[i])\n\t\t\tsc->gdt[OWN_FIRST + i] = cpu->own[i];\n")],
    "watch-anywhere": [(SAN, "return addr < 0x00007ffffffff000;", "return true;")],
    "watch-ports": [(SAN, "(high | length) & ~low", "length & ~low")],
    "watch-for-all": [(SW, "\tfor (i = 0; i < ARRAY_SIZE(host->dr); i++)\n\t\tnative_set_debugreg(i, host->dr[i]);\n", "")],
    "watch-behind": [(SW, "\tif (cpu->dr7 & DR7_ENABLED)\n\t\tnative_set_debugreg(7, 0);\n", ""),
                     (SW, "\tnative_set_debugreg(7, host->dr7);\n", "")],
    # Words.
    "range-wraps": [("kmod/guest_memory.h", "return len <= limit && addr <= limit - len;",
                     "return addr + len <= limit;")],
    "user-calls": [LONG, (HC, "\tif (cpu->user) {\n", "\tif (cpu->user && false) {\n")],
    "entry-unaligned": [(MMU, "\tif (addr % sizeof(entry)) {", "\tif (false) {")],
    "ring-unbounded": [(HC, "cpu->ring && done < LGUEST_RING_PLACES; done++", "cpu->ring; done++")],
    "crash-too-long": [(HC, "if (len >= sizeof(words)) {", "if (len > sizeof(words)) {")],
    "words-unprintable": [(HC, "if (!isascii(words[i]) || !isprint(words[i]))", "if (!words[i])")],
    "marks-blind": [(MMU, "return __try_cmpxchg_user(table_entry(lg, gfn, index), &old, new, fault);",
                     "return put_user(new, table_entry(lg, gfn, index));")],
    "port-for-programs": [("kmod/port.h", "return vector == 13 && !error && !user;", "return vector == 13 && !error;")],
    "mode-unchecked": [LONG, ("kmod/events.c", "\tif (to.mode & LGMODE_USER && !cpu->paging) {", "\tif (false) {")],
    "busy-ignored": [("kmod/events.c", "cpu->entry[entry] && !READ_ONCE(cpu->shared->busy)", "cpu->entry[entry]")],
    "time-unchecked": [("kmod/clock.h", "return ns <= 0x7fffffffffffffff;", "return true;")],
    # Shadows.
    "way-forgotten": [("kmod/shadow.c", "return level < walk->level ? SHADOW_ALL :", "return level != walk->level ? SHADOW_ALL :")],
    "role-lost": [(SH, "page->role & ROLE_USER);\n\treturn get_page_for", "0);\n\treturn get_page_for")],
    "direct-reused": [(SH, "if (page->level == level && page->role == role)",
                       "if (page->level == level && (page->role | ROLE_DIRECT) == (role | ROLE_DIRECT))")],
    "level-blind": [(SH, "if (page->level == level && page->role == role)", "if (page->role == role)")],
    "busy-freed": [(SH, "\tif (page->busy)\n\t\treturn;\n", "")],
    "life-kept": [(SH, "\t\t    may_be_late(sh, path[level - 1]))\n", "\t\t    !sh)\n")],
    "right-kept": [(SH, "const u64 writes = PTE_WRITE | SHADOW_WRITE;", "const u64 writes = PTE_WRITE;")],
    "fault-remembers": [(MMU, "\t\tmmu_flush_address(cpu, cpu->vcpu->cr2);\n", "")],
    "unsync-missed": [(SH, "\tif (write && has_tables(sh, walk->gfn))\n\t\tmark_unsync(sh, walk->gfn);\n", "")],
    "written-unseen": [("kmod/guest_memory.c", "\telse if (len)\n\t\tmmu_written(cpu, addr, len);\n", "")],
    "reserved-ignored": [("kmod/pte.h", "\treturn entry & reserved;", "\treturn 0 & reserved;")],
    "nx-lost": [("kmod/pte.h", "u64 bits = SHADOW_ALL | (entry & PTE_NX);", "u64 bits = SHADOW_ALL;")],
    "all-is-memory": [(MMU, "\tif (shadow_is_memory(&cpu->lg->shadow, walk.gfn))\n", "\tif (true)\n")],
    "write-unasked": [(MMU, "write ? FOLL_WRITE : 0", "0")],
    "one-root": [(MMU, "return cpu->roots[user]->addr;", "return cpu->roots[0]->addr;")],
    "shared-for-all": [(SH, "role & ROLE_USER ? 0 : sh->shared[vcpu]", "sh->shared[vcpu]")],
    # The Switcher's data, not its text: SMEP would not have that, nor SMAP the data.
    "window-open": [("kmod/window.c", "return __sme_pa(page) | flags;",
                     "return __sme_pa(page) | flags | (flags & _PAGE_NX ? _PAGE_USER : 0);"),
                    ("kmod/tables.c", "_PAGE_ACCESSED | user);", "_PAGE_ACCESSED | _PAGE_USER | user);")],
}


def mutants(switcher):
    """All that the table may name: a list of changes for each."""
    every = {name: [(file, old, new)] for name, file, old, new, why in switcher if not why}
    every.update(OWN)
    return every
