// SPDX-License-Identifier: GPL-2.0
/*
 * faulty.c - a module that misbehaves on request, to test the test runner
 *
 * Never loaded by anything but selftests/vm/selftest.sh. The parameter "what" chooses
 * one fault at load time; those of the second half only a debug kernel notices.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/timer.h>

static char *what = "";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "the name of a fault below, or nothing");

static void fault_warn(void)
{
	WARN_ON(1);
}

static void fault_null(void)
{
	int *nothing = NULL;

	OPTIMIZER_HIDE_VAR(nothing);
	pr_info("%d\n", *nothing);
}

static void fault_atomic(void)
{
	preempt_disable();
	msleep(20);
	preempt_enable();
}

static void fault_hang(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static void fault_panic(void)
{
	panic("asked for");
}

static void fault_stuck(void)
{
	__module_get(THIS_MODULE);
}

static int fault_at_reboot(struct notifier_block *nb, unsigned long event, void *data)
{
	fault_hang();
	return NOTIFY_DONE;
}

static struct notifier_block fault_reboot_nb = {
	.notifier_call = fault_at_reboot,
};

/* Not before all is done: the machine never turns off. */
static void fault_stay(void)
{
	fault_stuck();
	register_reboot_notifier(&fault_reboot_nb);
}

static void fault_beyond(void)
{
	char *p = kmalloc(13, GFP_KERNEL);
	int at = 13;

	OPTIMIZER_HIDE_VAR(at);
	if (p)
		WRITE_ONCE(p[at], 1);
	kfree(p);
}

static void fault_after_free(void)
{
	int *p = kmalloc(sizeof(*p), GFP_KERNEL), *q = p;

	OPTIMIZER_HIDE_VAR(q);
	kfree(p);
	if (q)
		pr_info("%d\n", READ_ONCE(*q));
}

static DEFINE_MUTEX(fault_a);
static DEFINE_MUTEX(fault_b);

static void fault_order(void)
{
	mutex_lock(&fault_a);
	mutex_lock(&fault_b);
	mutex_unlock(&fault_b);
	mutex_unlock(&fault_a);
	mutex_lock(&fault_b);
	mutex_lock(&fault_a);
	mutex_unlock(&fault_a);
	mutex_unlock(&fault_b);
}

static void fault_leak(void)
{
	int i;

	/* Several: a stale pointer somewhere may hide one. */
	for (i = 0; i < 8; i++) {
		void *p = kmalloc(96, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(p);
	}
}

static void fault_shift(void)
{
	int by = 40;

	OPTIMIZER_HIDE_VAR(by);
	pr_info("%d\n", 1 << by);
}

static void fault_tick(struct timer_list *t)
{
}

static void fault_timer(void)
{
	struct timer_list *t = kmalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return;
	timer_setup(t, fault_tick, 0);
	mod_timer(t, jiffies + 60 * HZ);
	kfree(t);
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{ "warn", fault_warn },
	{ "null", fault_null },
	{ "atomic", fault_atomic },
	{ "hang", fault_hang },
	{ "panic", fault_panic },
	{ "stuck", fault_stuck },
	{ "stay", fault_stay },
	{ "beyond", fault_beyond },
	{ "after-free", fault_after_free },
	{ "order", fault_order },
	{ "leak", fault_leak },
	{ "shift", fault_shift },
	{ "timer", fault_timer },
};

static int __init faulty_init(void)
{
	size_t i;

	if (!*what)
		return 0;
	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(what, faults[i].name))
			continue;
		faults[i].make();
		return 0;
	}
	return -EINVAL;
}

static void __exit faulty_exit(void)
{
}

module_init(faulty_init);
module_exit(faulty_exit);
MODULE_DESCRIPTION("Faults on request, for the test runner");
MODULE_LICENSE("GPL");
