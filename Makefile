# SPDX-License-Identifier: GPL-2.0
#
# Entry points for people. The module's object list is in Kbuild; the agent, the unit tests
# and the simulator have Makefiles of their own. "make help" lists the targets.

# Two ways to build the module:
#   KERNEL=6.1|6.12|newest  Debian's kernels, from the cache (make toolchains), built apart
#                           in build/modules/VERSION; warnings are errors
#   KDIR=... or KVER=...    any prepared kernel tree, built in place (DKMS does this)
KVER	?= $(if $(KERNELRELEASE),$(KERNELRELEASE),$(shell uname -r))
KDIR	?= /lib/modules/$(KVER)/build
KERNELS	?= 6.1 6.12 newest
JOBS	?= $(shell nproc)

PREFIX	?= /usr/local
SBINDIR	?= $(PREFIX)/sbin
LIBDIR	?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR	?= $(PREFIX)/share/man
UNITDIR	?= $(PREFIX)/lib/systemd/system
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
SYSCONFDIR ?= /etc

NAME	:= paxsteer
VERSION	:= $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
TOP	:= $(CURDIR)
KERNELS_SH := selftests/vm/kernels.sh
VM_RUN	:= selftests/vm/run

V	?= 0
ifeq ($(V),1)
Q	:=
SAY	:= @:
else
Q	:= @
SAY	:= @printf '  %-8s %s\n'
MAKEFLAGS += --no-print-directory
endif
export V

.DEFAULT_GOAL := all
.PHONY: all modules modules_clean matrix toolchains debug-kernel deps agent unit sim sim-store \
	mutants fuzz model check results lint vm vm-shell demo bench bench-paxos bench-request bench-steer \
	bench-store \
	bench-tables bench-recovery lin uml-kernel check-long coverage soak \
	dkms-install dkms-remove install uninstall clean distclean help

all: agent modules

# --- module ---------------------------------------------------------------------
ifdef KERNEL
modules:
	$(SAY) MODULE "for $(KERNEL), in build/modules"
	$(Q)$(KERNELS_SH) build $(KERNEL) $(if $(filter 1,$(V)),V=1,-s)
else
modules:
	$(Q)test -e $(KDIR)/Makefile || { \
		echo "no kernel headers in $(KDIR)" >&2; \
		echo "install them (apt-get install linux-headers-amd64) and give KVER= or KDIR=," >&2; \
		echo "or build for one of Debian's kernels: make modules KERNEL=6.1" >&2; exit 1; }
	$(SAY) MODULE "for $(KDIR)"
	$(Q)$(MAKE) -C $(KDIR) M=$(TOP) V=$(V) modules
endif

modules_clean:
	$(Q)test ! -e $(KDIR)/Makefile || $(MAKE) -C $(KDIR) M=$(TOP) V=$(V) clean

matrix:
	$(Q)$(KERNELS_SH) matrix $(KERNELS)

toolchains:
	$(Q)$(KERNELS_SH) fetch $(KERNELS)

# The kernel that finds mistakes: KASAN, lockdep, kmemleak... Then: make vm KERNEL=debug TEST=...
debug-kernel:
	$(Q)$(KERNELS_SH) fetch debug

# The kernel that is a program of this machine, at its speed: make vm KERNEL=uml TEST=...
uml-kernel:
	$(Q)$(KERNELS_SH) fetch uml

deps:
	$(Q)selftests/deps.sh

# --- user space -----------------------------------------------------------------
agent:
	$(Q)$(MAKE) -j$(JOBS) -C agent

unit:
	$(Q)$(MAKE) -j$(JOBS) -C selftests/unit check

# N= schedules from SEED= on, by JOBS= processes. A failure says what to run again: N=1 SEED= LESS=
sim:
	$(Q)$(MAKE) -j$(JOBS) -C selftests/sim run JOBS=$(JOBS) $(if $(N),N=$(N)) \
		$(if $(SEED),SEED=$(SEED)) $(if $(LESS),LESS=$(LESS))

# The store over its logs: transactions, sagas, exactly once; the same words, and one process.
sim-store:
	$(Q)$(MAKE) -j$(JOBS) -C selftests/sim_store run $(if $(N),N=$(N)) $(if $(SEED),SEED=$(SEED))

# The history checker itself; the cluster tests use it.
lin:
	$(Q)$(MAKE) -j$(JOBS) -C selftests/lin check

mutants:
	$(Q)selftests/mutants/run

# One fuzz target, or all, for as long as you like: T=scan SECONDS=36000
fuzz:
	$(Q)$(MAKE) -j$(JOBS) -C selftests/fuzz run $(if $(T),T="$(T)") $(if $(SECONDS),SECONDS=$(SECONDS))

# The acceptor as shipped, under SPIN and CBMC, exhaustively.
model:
	$(Q)$(MAKE) -C selftests/model all

# --- tests ----------------------------------------------------------------------
check: deps
	$(Q)selftests/check.sh

# And what takes hours: the debug kernel, line coverage, a million schedules, planted bugs...
check-long: deps
	$(Q)selftests/check.sh --long

# selftests/RESULTS.md: what check and its like found out on this machine.
results:
	$(Q)selftests/results.sh

# Lines of the module that the kselftests run: KERNEL=debug|uml, some TEST="a b" or all
coverage:
	$(Q)$(MAKE) agent
	$(Q)$(MAKE) -s -C selftests/lin
	$(Q)KERNEL=$(if $(KERNEL),$(KERNEL),debug) selftests/vm/coverage.sh $(TEST)

lint:
	$(Q)selftests/lint/lint.sh

VM_KERNEL := $(if $(KERNEL),$(KERNEL),6.1)
vm:
	$(Q)test -n "$(TEST)" || { echo "make vm TEST=name [KERNEL=6.1|6.12|newest|debug|uml]" >&2; exit 2; }
	$(Q)$(MAKE) modules KERNEL=$(VM_KERNEL)
	$(Q)$(MAKE) agent
	$(Q)if grep -qs '^# runs-on: host' selftests/$(TEST).sh; then \
		KERNEL=$(VM_KERNEL) selftests/$(TEST).sh; \
	else \
		$(VM_RUN) --kernel $(VM_KERNEL) $(VM_ARGS) $(TEST); \
	fi

# An hour of faults under load: SECONDS=3600, SEED=N chooses the same ones again.
soak: SECONDS ?= 3600
soak:
	$(Q)$(MAKE) modules KERNEL=$(VM_KERNEL)
	$(Q)$(MAKE) agent
	$(Q)$(MAKE) -s -C selftests/lin
	$(Q)PXS_SECONDS=$(SECONDS) $(if $(SEED),PXS_SEED=$(SEED)) selftests/vm/run \
		--kernel $(VM_KERNEL) -m 3G -t $$((2 * $(SECONDS) + 600)) selftests/soak.sh

vm-shell:
	$(Q)$(MAKE) modules KERNEL=$(VM_KERNEL)
	$(Q)$(MAKE) agent
	$(Q)$(VM_RUN) --kernel $(VM_KERNEL) $(VM_ARGS) --shell

# HOST=1: on this machine, with its own kernel; otherwise in a virtual one.
demo: deps
	$(Q)$(MAKE) modules $(if $(HOST),,KERNEL=$(VM_KERNEL))
	$(Q)$(MAKE) agent
	$(Q)KERNEL=$(VM_KERNEL) selftests/demo.sh

bench: deps
	$(Q)$(MAKE) modules KERNEL=$(VM_KERNEL)
	$(Q)$(MAKE) agent
	$(Q)KERNEL=$(VM_KERNEL) selftests/bench.sh

bench-steer: deps
	$(Q)$(MAKE) modules KERNEL=$(VM_KERNEL)
	$(Q)$(MAKE) agent
	$(Q)KERNEL=$(VM_KERNEL) selftests/bench_steer.sh

bench-request: deps
	$(Q)$(MAKE) modules KERNEL=$(VM_KERNEL)
	$(Q)$(MAKE) agent
	$(Q)KERNEL=$(VM_KERNEL) selftests/bench_request.sh

bench-paxos: deps
	$(Q)$(MAKE) modules KERNEL=$(VM_KERNEL)
	$(Q)$(MAKE) agent
	$(Q)KERNEL=$(VM_KERNEL) selftests/bench_paxos.sh

bench-store: deps
	$(Q)$(MAKE) modules KERNEL=$(VM_KERNEL)
	$(Q)$(MAKE) agent
	$(Q)KERNEL=$(VM_KERNEL) selftests/bench_store.sh

bench-tables:
	$(Q)$(MAKE) -C selftests/tables run

bench-recovery: deps agent
	$(Q)selftests/bench_recovery.sh

# --- DKMS -----------------------------------------------------------------------
DKMS_SRC := /usr/src/$(NAME)-$(VERSION)

# Always for a named kernel: without -k DKMS would build for the running one.
dkms-install:
	$(Q)test -d /lib/modules/$(KVER)/build || { \
		echo "no headers for $(KVER); give KVER= (there is: $$(ls -m /lib/modules 2>/dev/null))" >&2; exit 1; }
	$(SAY) DKMS "$(NAME) $(VERSION) for $(KVER)"
	$(Q)$(MAKE) dkms-remove
	$(Q)mkdir -p $(DKMS_SRC)
	$(Q)find Kbuild Makefile LICENSE dkms.conf kmod uapi -type f \
		\( -name '*.[ch]' -o -name Kbuild -o -name Makefile -o -name LICENSE -o -name dkms.conf \) \
		-exec cp --parents -t $(DKMS_SRC) {} +
	$(Q)dkms add $(NAME)/$(VERSION) >/dev/null
	$(Q)dkms build $(NAME)/$(VERSION) -k $(KVER) || { \
		cat /var/lib/dkms/$(NAME)/$(VERSION)/build/make.log >&2; \
		$(MAKE) dkms-remove; exit 1; }
	$(Q)dkms install $(NAME)/$(VERSION) -k $(KVER)

# "dkms remove" leaves the sources; they are ours too.
dkms-remove:
	$(Q)test ! -d /var/lib/dkms/$(NAME)/$(VERSION) || dkms remove $(NAME)/$(VERSION) --all
	$(Q)rm -rf $(DKMS_SRC)
	$(Q)rmdir /var/lib/dkms/$(NAME) 2>/dev/null || true

# --- install --------------------------------------------------------------------
# Programs find the library by this host's cache. (As another user, or below DESTDIR: whose it is.)
define renew_cache
	$(Q)test -n "$(DESTDIR)" || [ "$$(id -u)" != 0 ] || ! command -v ldconfig >/dev/null || ldconfig
endef

install: agent
	$(Q)install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)
	$(Q)install -m 755 build/paxsteer build/paxsteerd $(DESTDIR)$(SBINDIR)/
	$(Q)for m in docs/*.[1-9]; do \
		test -f "$$m" || continue; \
		install -D -m 644 "$$m" "$(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}"; \
	done
	$(Q)install -D -m 644 docs/paxsteer-completion.bash $(DESTDIR)$(COMPLETIONDIR)/paxsteer
	$(Q)for u in agent/*.service; do \
		test -f "$$u" || continue; \
		mkdir -p "$(DESTDIR)$(UNITDIR)"; \
		sed 's#/usr/sbin/#$(SBINDIR)/#' "$$u" >"$(DESTDIR)$(UNITDIR)/$${u##*/}"; \
	done
	$(Q)install -D -m 644 agent/paxsteer.sysusers $(DESTDIR)$(SYSUSERSDIR)/paxsteer.conf
	$(Q)test -n "$(DESTDIR)" || [ "$$(id -u)" != 0 ] || \
		! command -v systemd-sysusers >/dev/null || \
		systemd-sysusers $(SYSUSERSDIR)/paxsteer.conf
	$(Q)install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)
	$(Q)install -m 755 build/libpaxsteer.so.0 $(DESTDIR)$(LIBDIR)/
	$(Q)ln -sf libpaxsteer.so.0 $(DESTDIR)$(LIBDIR)/libpaxsteer.so
	$(Q)install -m 644 build/libpaxsteer.a $(DESTDIR)$(LIBDIR)/
	$(Q)install -m 644 agent/lib/paxsteer.h $(DESTDIR)$(INCLUDEDIR)/
	$(Q)sed 's#@PREFIX@#$(PREFIX)#; s#@LIBDIR@#$(LIBDIR)#; s#@INCLUDEDIR@#$(INCLUDEDIR)#; s#@VERSION@#$(VERSION)#' \
		agent/lib/libpaxsteer.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/libpaxsteer.pc
	$(call renew_cache)
	$(SAY) INSTALL "$(DESTDIR)$(SBINDIR)/paxsteer, paxsteerd, $(DESTDIR)$(LIBDIR)/libpaxsteer.so.0"

uninstall:
	$(Q)rm -f $(DESTDIR)$(SBINDIR)/paxsteer $(DESTDIR)$(SBINDIR)/paxsteerd
	$(Q)for m in docs/*.[1-9]; do rm -f "$(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}"; done
	$(Q)rm -f $(DESTDIR)$(LIBDIR)/libpaxsteer.so $(DESTDIR)$(LIBDIR)/libpaxsteer.so.0 \
		$(DESTDIR)$(LIBDIR)/libpaxsteer.a $(DESTDIR)$(INCLUDEDIR)/paxsteer.h \
		$(DESTDIR)$(LIBDIR)/pkgconfig/libpaxsteer.pc $(DESTDIR)$(COMPLETIONDIR)/paxsteer
	$(call renew_cache)
	$(Q)for u in agent/*.service; do rm -f "$(DESTDIR)$(UNITDIR)/$${u##*/}"; done
	$(Q)rm -f $(DESTDIR)$(SYSUSERSDIR)/paxsteer.conf

# --- housekeeping ---------------------------------------------------------------
clean: modules_clean
	$(SAY) CLEAN .
	$(Q)rm -rf build
	$(Q)find . -path ./.git -prune -o \( -name '*.o' -o -name '.*.cmd' -o -name '*.mod' \
		-o -name '*.mod.c' -o -name '*.ko' \) -type f -exec rm -f {} +
	$(Q)rm -f Module.symvers modules.order .module-common.o

# The cache outside the tree (kernels, compilers) as well.
distclean: clean
	$(Q)rm -rf --one-file-system "$${PAXSTEER_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/paxsteer}"

help:
	@printf '%s\n' \
	'Build' \
	'  all (default)   agent, and the module for the running kernel' \
	'  modules         the module: KERNEL=6.1|6.12|newest (in build/modules), or KVER= or KDIR=' \
	'  matrix          the module for every supported kernel (KERNELS="$(KERNELS)")' \
	'  agent           build/paxsteer, build/paxsteerd and build/libpaxsteer.*' \
	'  deps            install what building and testing need (Debian 12, root)' \
	'  toolchains      fetch kernels, headers and compilers into the cache' \
	'  debug-kernel    build and cache 6.1 with KASAN, lockdep, kmemleak (KERNEL=debug)' \
	'  uml-kernel      build and cache user-mode Linux with lockdep, kmemleak (KERNEL=uml)' \
	'Test' \
	'  check           everything; ends with "N passed, N failed, N skipped"' \
	'  results         write selftests/RESULTS.md from what ran' \
	'  check-long      that, and what takes hours' \
	'  lint            layering, style, static analysis' \
	'  unit            the core in user space, under ASan and UBSan' \
	'  sim             clusters in a deterministic simulator: N=1000 SEED=1 JOBS=2' \
	'  sim-store       likewise the store over its logs: N=200 SEED=1' \
	'  lin             the history checker (linearizability): is it right, and how fast' \
	'  mutants         planted bugs: which are caught, by what, how soon (MUTANTS_VM=1: more)' \
	'  fuzz            one fuzz target, or all: T=scan SECONDS=3600' \
	'  model           the acceptor under SPIN and CBMC' \
	'  vm              one selftest in a virtual machine: TEST=name KERNEL=6.1 VM_ARGS="..."' \
	'  soak            an hour of faults under load, in a machine: SECONDS=3600 SEED=N' \
	'  coverage        lines of the module that the kselftests run: KERNEL=debug TEST="..."' \
	'  vm-shell        a shell in a virtual machine: KERNEL=6.1' \
	'  demo            the guided tour, in a throw-away machine (HOST=1: on this one)' \
	'  bench           what the main path costs, a table of ratios: ROUNDS=7 KERNEL=6.1' \
	'  bench-steer     instructions per packet against IPVS: ROUNDS=3 KERNEL=6.1 PROFILE=0' \
	'  bench-request   TCP by request, beside twemproxy: ROUNDS=5 (minutes)' \
	'  bench-paxos     what an appended value costs: kernel, user, etcd: hours; PXS_SHORT=1: minutes' \
	'  bench-store     commands of the store beside a Redis that flushes and etcd; PXS_SHORT=1: minutes' \
	'  bench-recovery  a daemon behind a long log, beside reading it: VALUES=1000000 ROUNDS=5' \
	'  bench-tables    balance, moves, speed of tables, ours against others (minutes)' \
	'Install' \
	'  dkms-install    add, build and install with DKMS: KVER=version' \
	'  dkms-remove     take it out again' \
	'  install         programs, library and pages (not the module): PREFIX=$(PREFIX) DESTDIR=' \
	'  uninstall       remove them' \
	'Other' \
	'  clean           remove what was built; distclean: the cache too' \
	'  V=1             show the commands'
