// SPDX-License-Identifier: GPL-2.0
/*
 * faulty.c - a module that misbehaves on request, to test the test runner
 *
 * Never loaded by anything but selftests/vm/selftest.sh. The parameter "what" chooses
 * one fault at load time.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/slab.h>

static char *what = "";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "warn, null, atomic, hang, panic, stuck, refuse or nothing");

static int __init faulty_init(void)
{
	int *nothing = NULL;

	OPTIMIZER_HIDE_VAR(nothing);
	if (!strcmp(what, "warn")) {
		WARN_ON(1);
	} else if (!strcmp(what, "null")) {
		pr_info("%d\n", *nothing);
	} else if (!strcmp(what, "atomic")) {
		preempt_disable();
		msleep(20);
		preempt_enable();
	} else if (!strcmp(what, "hang")) {
		local_irq_disable();
		for (;;)
			cpu_relax();
	} else if (!strcmp(what, "panic")) {
		panic("asked for");
	} else if (!strcmp(what, "stuck")) {
		__module_get(THIS_MODULE);
	} else if (!strcmp(what, "refuse")) {
		return -EINVAL;
	}
	return 0;
}

static void __exit faulty_exit(void)
{
}

module_init(faulty_init);
module_exit(faulty_exit);
MODULE_DESCRIPTION("Faults on request, for the test runner");
MODULE_LICENSE("GPL");
