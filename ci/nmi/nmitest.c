// SPDX-License-Identifier: GPL-2.0-only
/*
 * On the Host: counts the NMIs that arrive, in a page whose address it prints,
 * uses the processor's large registers after each, as any interrupt may, and
 * shows the registers of the Host that a switch of worlds might spoil.
 */
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/mce.h>
#include <asm/nmi.h>
#include <asm/pkru.h>
#include <asm/tlbflush.h>

struct notes {
	u64 nmis;		/* handler runs */
	u64 ip;			/* what the last one interrupted */
	u64 mces;
};

static struct notes *notes;

/* An interrupt that comes as soon as it may: what is in XMM is not there to stay. */
static void spoil_xmm(struct irq_work *work)
{
	static const u64 junk[2] = { 0xbadbadbadbadbad, 0xbadbadbadbadbad };

	if (!irq_fpu_usable())
		return;
	kernel_fpu_begin();
	asm volatile("movdqu %0, %%xmm0; movdqu %0, %%xmm7; movdqu %0, %%xmm15" : : "m" (junk));
	kernel_fpu_end();
}

static struct irq_work spoiler = IRQ_WORK_INIT_HARD(spoil_xmm);

static int count_nmi(unsigned int type, struct pt_regs *regs)
{
	notes->ip = regs->ip;
	notes->nmis++;
	irq_work_queue(&spoiler);
	return NMI_HANDLED;
}

static int count_mce(struct notifier_block *nb, unsigned long val, void *data)
{
	notes->mces++;
	return NOTIFY_OK;
}

static struct notifier_block mce_nb = {
	.notifier_call = count_mce,
	.priority = MCE_PRIO_LOWEST,
};

static const u32 msrs[] = {
	MSR_EFER, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	MSR_KERNEL_GS_BASE, MSR_GS_BASE, MSR_FS_BASE, MSR_TSC_AUX,
	MSR_IA32_DEBUGCTLMSR, MSR_IA32_PEBS_ENABLE, MSR_IA32_APICBASE,
	MSR_IA32_CR_PAT, MSR_IA32_MCG_STATUS,
};

static void look(u64 *v)
{
	struct desc_ptr gdt, idt;
	u16 ldt, ss, ds, es, fs, gs;
	u64 val;
	int i;

	preempt_disable();
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		*v++ = rdmsrl_safe(msrs[i], &val) ? 0 : val;
	native_store_gdt(&gdt);
	store_idt(&idt);
	*v++ = gdt.address;
	*v++ = gdt.size;
	*v++ = idt.address;
	*v++ = idt.size;
	*v++ = native_store_tr();
	asm("sldt %0" : "=m" (ldt));
	*v++ = ldt;
	memcpy(v, (void *)gdt.address, GDT_ENTRIES * 8);
	v += GDT_ENTRIES;
	savesegment(ss, ss);
	savesegment(ds, ds);
	savesegment(es, es);
	savesegment(fs, fs);
	savesegment(gs, gs);
	*v++ = ss;
	*v++ = ds;
	*v++ = es;
	*v++ = fs;
	*v++ = gs;
	*v++ = native_get_debugreg(7);
	*v++ = native_get_debugreg(6);
	*v++ = native_read_cr0();
	*v++ = native_read_cr4();
	*v++ = read_pkru();
	*v++ = native_save_fl() & (X86_EFLAGS_AC | X86_EFLAGS_DF | X86_EFLAGS_NT);
	*v++ = __read_cr3() & 0xfff;
	preempt_enable();
}

static ssize_t show(struct file *file, char __user *user, size_t size, loff_t *off)
{
	static u64 state[64];

	BUILD_BUG_ON(ARRAY_SIZE(msrs) + 18 + GDT_ENTRIES > ARRAY_SIZE(state));
	if (size != sizeof(state))
		return -EINVAL;
	/* A breakpoint where nobody comes by, which the Guest must not have and the
	 * Host must keep: it is set before a life (offset 0) and not after it.
	 */
	if (!*off) {
		preempt_disable();
		native_set_debugreg(0, 5);
		native_set_debugreg(7, 0x401);
		preempt_enable();
	}
	look(state);
	return copy_to_user(user, state, size) ? -EFAULT : size;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.read = show,
	.llseek = no_llseek,
};

static struct miscdevice dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "nmitest",
	.fops = &fops,
};

static int __init start(void)
{
	int err;

	notes = (void *)get_zeroed_page(GFP_KERNEL);
	if (!notes)
		return -ENOMEM;
	err = misc_register(&dev);
	if (err)
		goto free;
	err = register_nmi_handler(NMI_LOCAL, count_nmi, 0, "nmitest");
	if (err)
		goto deregister;
	mce_register_decode_chain(&mce_nb);
	pr_alert("nmitest: notes at %llx\n", (u64)virt_to_phys(notes));
	return 0;

deregister:
	misc_deregister(&dev);
free:
	free_page((unsigned long)notes);
	return err;
}

static void __exit stop(void)
{
	native_set_debugreg(7, 0x400);
	mce_unregister_decode_chain(&mce_nb);
	unregister_nmi_handler(NMI_LOCAL, "nmitest");
	irq_work_sync(&spoiler);
	misc_deregister(&dev);
	free_page((unsigned long)notes);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("counts NMIs, for ci/nmi/drive.py");
