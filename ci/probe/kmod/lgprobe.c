// SPDX-License-Identifier: GPL-2.0-only
/*
 * A witness on the Host, for the checks only; never part of lguest.
 *
 * It holds values that no Guest may see or change, touches them on the last
 * instruction before the worlds are switched, compares each CPU's state with
 * what it was while Guests run, reads the test build's count of live
 * allocations when lg.ko goes, can take the window's slot in a process, and
 * can write what a KVM below us writes before a page fault that means "wait".
 */
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/cpu_entry_area.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/xcr.h>
#include <asm/irq_regs.h>
#include <asm/kvm_para.h>
#include <asm/msr.h>

#define CANARY		0x5ec2e75ec2e7c0deull
#define SLOT		256

static volatile u64 canary_data = CANARY;
static volatile u64 *canary_direct, *canary_vmalloc;
static u64 slot_table;

/* The last touch before the switch. */
static unsigned long touches;
static volatile u64 sink;

static u64 *stack_word(int cpu)
{
	return (u64 *)((unsigned long)&get_cpu_entry_area(cpu)->estacks.NMI_stack + 64);
}

static void touch(volatile u64 *p, bool write)
{
	u64 v = *p;

	if (write)
		*p = v;
	sink += v;
}

static int before_switch(struct kprobe *p, struct pt_regs *regs)
{
	struct desc_ptr idt;

	touch(&canary_data, true);
	touch(canary_direct, true);
	touch(canary_vmalloc, true);
	touch(stack_word(smp_processor_id()), true);
	touch((u64 *)get_cpu_gdt_ro(smp_processor_id()) + 2, false);
	store_idt(&idt);
	touch((u64 *)idt.address, false);
	touch((u64 *)before_switch, false);
	touch((u64 *)schedule, false);
	touches++;
	return 0;
}

static struct kprobe kp = {
	.symbol_name = "lg:switch_worlds",
	.pre_handler = before_switch,
};
static bool touching;

/* What must be the same in each interrupt on this CPU. */
static const u32 msrs[] = {
	MSR_EFER, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	MSR_GS_BASE, MSR_TSC_AUX, MSR_IA32_CR_PAT, MSR_IA32_DEBUGCTLMSR,
	MSR_IA32_MISC_ENABLE, MSR_IA32_APICBASE, MSR_IA32_XSS, MSR_MTRRdefType,
	MSR_IA32_PEBS_ENABLE,
};

struct state {
	u64 msr[ARRAY_SIZE(msrs)], cr0, cr4, xcr0;
	struct desc_ptr gdt, idt;
	u64 tss_desc[2];
	u16 tr, cs;
};

struct watcher {
	struct hrtimer timer;
	struct state first;
	unsigned long known;	/* which of msrs[] can be read */
	unsigned long ticks, inside, wrong;
	char last[80];
	bool running;
};
static DEFINE_PER_CPU(struct watcher, watchers);

static void look(struct watcher *w, struct state *s)
{
	int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		if (w->known & (1ul << i))
			s->msr[i] = __rdmsr(msrs[i]);
	s->cr0 = native_read_cr0() & ~X86_CR0_TS;
	s->cr4 = native_read_cr4();
	if (s->cr4 & X86_CR4_OSXSAVE)
		s->xcr0 = xgetbv(0);
	native_store_gdt(&s->gdt);
	store_idt(&s->idt);
	store_tr(s->tr);
	memcpy(s->tss_desc, &get_cpu_gdt_ro(smp_processor_id())[GDT_ENTRY_TSS], 16);
	asm("mov %%cs, %0" : "=r" (s->cs));
}

static void complain(struct watcher *w, const char *what, u64 was, u64 is)
{
	if (!w->wrong++)
		snprintf(w->last, sizeof(w->last), "%s was %#llx is %#llx", what, was, is);
}

static void compare(struct watcher *w)
{
	struct state now;
	char name[16];
	u16 ldt;
	int i;

	look(w, &now);
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		if (now.msr[i] != w->first.msr[i]) {
			snprintf(name, sizeof(name), "MSR %#x", msrs[i]);
			complain(w, name, w->first.msr[i], now.msr[i]);
		}
#define SAME(field) do { if (now.field != w->first.field)		\
		complain(w, #field, w->first.field, now.field); } while (0)
	SAME(cr0);
	SAME(cr4);
	SAME(xcr0);
	SAME(gdt.address);
	SAME(gdt.size);
	SAME(idt.address);
	SAME(idt.size);
	SAME(tss_desc[0]);
	SAME(tss_desc[1]);
	SAME(tr);
	SAME(cs);
	/* Where the kernel keeps what it believes to be in a register. */
	if (native_get_debugreg(7) != __this_cpu_read(cpu_dr7))
		if ((native_get_debugreg(7) ^ __this_cpu_read(cpu_dr7)) & ~(u64)DR_CONTROL_RESERVED)
			complain(w, "DR7", __this_cpu_read(cpu_dr7), native_get_debugreg(7));
	asm("sldt %0" : "=m" (ldt));
	if (!!ldt != (current->mm && current->active_mm->context.ldt))
		if (current->mm)
			complain(w, "LDT selector", !ldt, ldt);
}

static unsigned long lg_start, lg_end;

static enum hrtimer_restart tick(struct hrtimer *timer)
{
	struct watcher *w = container_of(timer, struct watcher, timer);

	w->ticks++;
	if (lg_start && current->mm && pgd_val(current->mm->pgd[SLOT])) {
		struct pt_regs *regs = get_irq_regs();

		if (regs && regs->ip >= lg_start && regs->ip < lg_end)
			w->inside++;
	}
	compare(w);
	hrtimer_forward_now(timer, ns_to_ktime(2 * NSEC_PER_MSEC));
	return HRTIMER_RESTART;
}

static void start_watch(void *unused)
{
	struct watcher *w = this_cpu_ptr(&watchers);
	u64 v;
	int i;

	if (w->running)
		return;
	memset(w, 0, sizeof(*w));
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		if (!rdmsrl_safe(msrs[i], &v))
			w->known |= 1ul << i;
	look(w, &w->first);
	hrtimer_init(&w->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	w->timer.function = tick;
	w->running = true;
	hrtimer_start(&w->timer, ns_to_ktime(2 * NSEC_PER_MSEC), HRTIMER_MODE_REL_PINNED_HARD);
}

static void stop_watch(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct watcher *w = per_cpu_ptr(&watchers, cpu);

		if (w->running)
			hrtimer_cancel(&w->timer);
		w->running = false;
	}
}

/* The test build's parameter "live", when lg.ko goes, by either way. */
static int goings, live_at_going = -1, allocations_at_going = -1;

static int parameter(struct module *mod, const char *name)
{
	static char buf[PAGE_SIZE] __aligned(PAGE_SIZE);
	int i, v = -1;

	for (i = 0; i < mod->num_kp; i++)
		if (!strcmp(mod->kp[i].name, name) && mod->kp[i].ops->get(buf, &mod->kp[i]) > 0)
			if (kstrtoint(strim(buf), 0, &v))
				v = -1;
	return v;
}

static int on_module(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *mod = data;

	if (strcmp(mod->name, "lg"))
		return NOTIFY_DONE;
	if (state == MODULE_STATE_LIVE) {
		lg_start = (unsigned long)mod->core_layout.base;
		lg_end = lg_start + mod->core_layout.size;
	} else if (state == MODULE_STATE_GOING) {
		goings++;
		live_at_going = parameter(mod, "live");
		allocations_at_going = parameter(mod, "allocations");
		lg_start = lg_end = 0;
	}
	return NOTIFY_DONE;
}

static struct notifier_block nb = { .notifier_call = on_module };

/*
 * Does this processor keep a global translation over a load of CR3?  Map one
 * address to another page behind its back, load CR3, and look what is there.
 */
static int keeps_global(void)
{
	u64 *one = vmalloc(PAGE_SIZE), *other = vmalloc(PAGE_SIZE), seen = 0;
	unsigned int level;
	pte_t *pte, was;

	if (one && other) {
		*one = 1;
		*other = 2;
		pte = lookup_address((unsigned long)one, &level);
		local_irq_disable();
		was = *pte;
		seen = READ_ONCE(*one);
		WRITE_ONCE(pte->pte, lookup_address((unsigned long)other, &level)->pte);
		native_write_cr3(__read_cr3());
		seen = READ_ONCE(*one);
		WRITE_ONCE(pte->pte, was.pte);
		asm volatile("invlpg (%0)" :: "r" (one) : "memory");
		local_irq_enable();
	}
	vfree(one);
	vfree(other);
	return seen == 1;
}

/* Of this CPU: what KVM has to say about the page fault that comes next. */
static struct kvm_vcpu_pv_apf_data __percpu *late;

static void set_late(u32 enabled)
{
	struct kvm_vcpu_pv_apf_data *data = get_cpu_ptr(late);

	data->enabled = enabled;
	data->flags = enabled ? KVM_PV_REASON_PAGE_NOT_PRESENT : 0;
	put_cpu_ptr(late);
}

static void page_came(u32 token)
{
	local_irq_disable();
	kvm_async_pf_task_wake(token);
	local_irq_enable();
}

static ssize_t write(struct file *file, const char __user *in, size_t size, loff_t *off)
{
	char cmd[32] = "";
	unsigned long arg;
	int err = 0;

	if (size >= sizeof(cmd))
		return -EINVAL;
	if (copy_from_user(cmd, in, size))
		return -EFAULT;
	strim(cmd);
	if (!strcmp(cmd, "take")) {
		if (pgd_val(current->mm->pgd[SLOT]))
			return -EBUSY;
		WRITE_ONCE(current->mm->pgd[SLOT], __pgd(slot_table | _PAGE_PRESENT));
	} else if (!strcmp(cmd, "give")) {
		WRITE_ONCE(current->mm->pgd[SLOT], __pgd(0));
	} else if (!strcmp(cmd, "touch")) {
		if (!touching)
			err = register_kprobe(&kp);
		touching = touching || !err;
	} else if (!strcmp(cmd, "untouch")) {
		if (touching)
			unregister_kprobe(&kp);
		touching = false;
	} else if (!strcmp(cmd, "watch")) {
		on_each_cpu(start_watch, NULL, 1);
	} else if (!strcmp(cmd, "unwatch")) {
		stop_watch();
	} else if (sscanf(cmd, "late %lx", &arg) == 1) {
		late = (void __percpu *)arg;
		set_late(1);
	} else if (!strcmp(cmd, "early")) {
		set_late(0);
	} else if (sscanf(cmd, "came %lx", &arg) == 1) {
		page_came(arg);
	} else {
		err = -EINVAL;
	}
	return err ?: size;
}

static ssize_t read(struct file *file, char __user *out, size_t size, loff_t *off)
{
	char *buf = kzalloc(PAGE_SIZE, GFP_KERNEL);
	struct desc_ptr idt;
	int n = 0, cpu;
	ssize_t got;

	if (!buf)
		return -ENOMEM;
	store_idt(&idt);
#define SAY(...) (n += scnprintf(buf + n, PAGE_SIZE - n, __VA_ARGS__))
	SAY("canary %llx\n", CANARY);
	SAY("intact %d\n", canary_data == CANARY && *canary_direct == CANARY && *canary_vmalloc == CANARY);
	SAY("touches %lu\n", touches);
	SAY("keeps %d\n", keeps_global());
	SAY("late %u\n", late ? this_cpu_read(late->flags) : 0);
	SAY("goings %d live %d allocations %d\n", goings, live_at_going, allocations_at_going);
	for_each_online_cpu(cpu) {
		struct watcher *w = per_cpu_ptr(&watchers, cpu);

		SAY("watch %d ticks %lu inside %lu wrong %lu %s\n", cpu, w->ticks, w->inside, w->wrong, w->last);
	}
	/* address, is it writable on the Host, its name */
	SAY("host %lx 1 module data\n", (unsigned long)&canary_data);
	SAY("host %lx 1 direct map\n", (unsigned long)canary_direct);
	SAY("host %lx 1 vmalloc\n", (unsigned long)canary_vmalloc);
	SAY("host %lx 1 NMI stack in the entry area\n", (unsigned long)stack_word(0));
	SAY("host %lx 0 GDT in the entry area\n", (unsigned long)get_cpu_gdt_ro(0) + 16);
	SAY("host %lx 0 IDT in the entry area\n", idt.address);
	SAY("host %lx 1 direct map of the GDT\n", (unsigned long)get_cpu_gdt_rw(0) + 16);
	SAY("host %lx 0 module text\n", (unsigned long)before_switch & ~7ul);
	SAY("host %lx 0 kernel text\n", (unsigned long)schedule & ~7ul);
	SAY("host %lx 1 the Launcher's task\n", (unsigned long)current);
	SAY("host %lx 1 its root\n", (unsigned long)current->mm->pgd);
	SAY("host %lx 1 its kernel stack\n", (unsigned long)&buf & ~7ul);
	got = simple_read_from_buffer(out, size, off, buf, n);
	kfree(buf);
	return got;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE, .read = read, .write = write,
};

static struct miscdevice dev = {
	.minor = MISC_DYNAMIC_MINOR, .name = "lgprobe", .fops = &fops, .mode = 0600,
};

static int __init probe_init(void)
{
	u64 *table = (u64 *)get_zeroed_page(GFP_KERNEL);

	canary_direct = kmalloc(8, GFP_KERNEL);
	canary_vmalloc = vmalloc(PAGE_SIZE);
	if (!table || !canary_direct || !canary_vmalloc)
		return -ENOMEM;	/* and the machine goes down soon anyway */
	*canary_direct = *canary_vmalloc = CANARY;
	slot_table = __pa(table);
	register_module_notifier(&nb);
	return misc_register(&dev);
}

static void __exit probe_exit(void)
{
	misc_deregister(&dev);
	stop_watch();
	if (touching)
		unregister_kprobe(&kp);
	unregister_module_notifier(&nb);
	vfree((void *)canary_vmalloc);
	kfree((void *)canary_direct);
	free_page((unsigned long)__va(slot_table));
}

module_init(probe_init);
module_exit(probe_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("a witness on the Host for lguest's checks");
