# SPDX-License-Identifier: BSD-2-Clause
# make help tells the targets. V=1 shows the commands. Everything that is built goes to build/.

VERSION := 0.1.0
COMMIT ?= $(shell packaging/commit)

BUILD := build
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/lib/linux-tools/*/bpftool /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
ifeq ($(origin CC),default)
CC := $(shell command -v gcc || command -v cc || command -v clang)
endif
CFLAGS ?= -O2 -g
# DEVELOPER=1, here or in the environment: a warning is an error. Whoever only builds may have a newer compiler.
ERRORS := $(if $(DEVELOPER),-Werror)
WARNINGS := -Wall -Wextra $(ERRORS) -Wshadow -Wstrict-prototypes -Wmissing-prototypes
# what is built does not tell where
SAME_EVERYWHERE := -ffile-prefix-map=$(CURDIR)=.
CPPFLAGS += -D_GNU_SOURCE -DSNIF_SYSCONFDIR='"$(sysconfdir)"' -Iinclude -Iuserspace -I$(BUILD) $(SAME_EVERYWHERE)
MODULES := libbpf libelf zlib yaml-0.1 json-c libseccomp
# what few subcommands need is opened by base/library.c
OPENED := libidn2 libpsl libpcap libsystemd libmicrohttpd ncursesw libcares
LIBS := -pthread $(shell $(PKG_CONFIG) --libs $(MODULES) 2>/dev/null)
TEST_LIBS := $(shell $(PKG_CONFIG) --libs cmocka libcap libssl libcrypto libpcap 2>/dev/null)

# where `make install` puts things, below DESTDIR
prefix ?= $(or $(PREFIX),/usr/local)
bindir ?= $(prefix)/bin
datadir ?= $(prefix)/share
sysconfdir ?= /etc
unitdir ?= $(prefix)/lib/systemd/system
mandir ?= $(datadir)/man
MANIFEST = bindir="$(bindir)" datadir="$(datadir)" mandir="$(mandir)" unitdir="$(unitdir)" packaging/manifest $(BUILD)

# no __pycache__ in the tree
export PYTHONDONTWRITEBYTECODE := 1
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

SOURCES := $(wildcard userspace/*/*.c)
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*_test.c))
E2E := $(patsubst tests/e2e/%.c,%,$(wildcard tests/e2e/*_test.c))
PROG := $(patsubst tests/prog/%.c,%,$(wildcard tests/prog/*_test.c))
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_TIME ?= 10
BENCH_PROGRAMS := $(patsubst bench/%.c,%,$(filter-out %.bpf.c,$(wildcard bench/*.c)))

.PHONY: help deps all arm64 demo test test-slow test-unit test-prog test-clang test-e2e test-evasion test-faults test-soak storm test-servers test-programs test-events test-page test-kernels test-kernels-names test-arm64 test-asan test-valgrind fuzz fuzz-coverage verify verify-baseline lint format bench install uninstall clean libraries FORCE
.DELETE_ON_ERROR:
.PRECIOUS: $(BUILD)/%.o $(BUILD)/asan/%.o $(BUILD)/fuzz/%.o $(BUILD)/bench/%.skel.h

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install what is missing (Debian, Ubuntu); elsewhere: say what to install
	$(Q)tests/deps

all: $(BUILD)/snifence compile_commands.json completions $(if $(shell command -v lowdown 2>/dev/null),manual) ## build build/snifence; installs nothing
	$(Q)$(HAND_BACK)

# what root has built can be built on and removed by who owns the folder
HAND_BACK := tests/hand-back $(BUILD) compile_commands.json
then_hand_back = status=$$?; $(HAND_BACK); exit $$status

libraries: # says which is missing, before a compiler says which header
	$(Q)$(PKG_CONFIG) --print-errors --exists $(MODULES) $(OPENED) || { echo "make deps installs what is missing" >&2; exit 1; }

$(BUILD)/version.h: FORCE | $(BUILD)
	$(Q)echo '#define SNIF_VERSION "$(VERSION)${COMMIT:%= (%)}"' >$@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# the kernel side: one object, and its skeleton for the loader
# <linux/types.h> needs the machine's <asm/types.h>, which clang does not look for when it compiles for BPF
ASM_TYPES := $(filter %/asm/types.h,$(shell printf '\043include <asm/types.h>\n' | $(CC) -M -x c - 2>/dev/null))
# v3, Linux 5.12: without its instructions for 32 bits each such number costs two shifts more
BPF_FLAGS := -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra $(ERRORS) $(SAME_EVERYWHERE) -Iinclude $(SYSROOT:%=--sysroot=%) $(ASM_TYPES:%/asm/types.h=-idirafter %)

$(BUILD)/snifence.bpf.o: bpf/snifence.bpf.c $(wildcard bpf/*.h include/*.h) Makefile | $(BUILD) libraries
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/snifence.skel.h: $(BUILD)/snifence.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name snifence_bpf > $@
	$(Q)printf '\n/* of the object, byte by byte */\n#define SNIFENCE_LAYOUT "%.12s"\n' "$$(sha256sum < $<)" >> $@

# userspace: a library of everything but main.c, which the tests link too; plain, and once more under the sanitizers
define userspace_rules
$(BUILD)/$(1)%.o: %.c $(BUILD)/snifence.skel.h
	$$(call say,CC,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) -std=gnu11 $$(CFLAGS) $(2) $$(WARNINGS) $$(CPPFLAGS) -MMD -MP -c $$< -o $$@

$(BUILD)/$(1)userspace/report/page.o: userspace/report/report_page.css userspace/report/report_page.js

$(BUILD)/$(1)libsnifence.a: $(SOURCES:%.c=$(BUILD)/$(1)%.o)
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^

$(BUILD)/$(1)tests/%_test: $(BUILD)/$(1)tests/%_test.o $(BUILD)/$(1)libsnifence.a $$(patsubst %.c,$(BUILD)/$(1)%.o,$$(wildcard tests/support/*.c))
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(CFLAGS) $(2) $$(LDFLAGS) $$(filter %.o,$$^) $(BUILD)/$(1)libsnifence.a $$(TEST_LIBS) $$(LIBS) -o $$@
endef
$(eval $(call userspace_rules,,))
$(eval $(call userspace_rules,asan/,$(SANITIZE)))

$(BUILD)/userspace/main.o: $(BUILD)/version.h

$(BUILD)/snifence: $(BUILD)/userspace/main.o $(BUILD)/libsnifence.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# and once more for the fuzzers, by clang
FUZZ_FLAGS := -O1 -g $(SANITIZE) -w

$(BUILD)/fuzz/%.o: %.c $(BUILD)/snifence.skel.h
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -std=gnu11 $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(CPPFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/fuzz/libsnifence.a: $(SOURCES:%.c=$(BUILD)/fuzz/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(FUZZ:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%.o $(BUILD)/fuzz/libsnifence.a
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer $(filter %.o,$^) $(BUILD)/fuzz/libsnifence.a $(FUZZ_LIBS) -lssl -lcrypto $(LIBS) -o $@

$(BUILD)/fuzz/differential_fuzz: $(BUILD)/fuzz/tests/evasion/judges.o
$(BUILD)/fuzz/differential_fuzz: FUZZ_LIBS := -lgnutls
$(BUILD)/fuzz/dns_fuzz: FUZZ_LIBS := -lresolv

compile_commands.json: Makefile
	$(Q)tests/compile-commands $(CPPFLAGS) -- $(SOURCES) userspace/main.c > $@

# what the program says of itself: its option tables become completions, and a part of the pages in docs/commands
DESCRIBE := $(patsubst %.c,$(BUILD)/%.o,$(wildcard packaging/describe/*.c))
$(DESCRIBE): $(BUILD)/version.h
$(BUILD)/describe: $(DESCRIBE) $(BUILD)/libsnifence.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=command_line_read,--wrap=command_line_read_flag $^ $(LIBS) -o $@

.PHONY: completions manual docs
completions: $(BUILD)/completions/snifence $(BUILD)/completions/_snifence $(BUILD)/completions/snifence.fish
$(BUILD)/completions/snifence: SHELL_NAME := bash
$(BUILD)/completions/_snifence: SHELL_NAME := zsh
$(BUILD)/completions/snifence.fish: SHELL_NAME := fish
$(BUILD)/completions/%: $(BUILD)/describe
	$(Q)mkdir -p $(@D)
	$(Q)$< $(SHELL_NAME) > $@

docs: $(BUILD)/describe ## put the options of the program, as it is now, into the pages in docs/commands
	$(Q)packaging/refresh-pages $<

COMMANDS := $(filter-out README,$(patsubst docs/commands/%.md,%,$(wildcard docs/commands/*.md)))
manual: $(patsubst %,$(BUILD)/man/%,snifence.1 $(COMMANDS:%=snifence-%.1) snifence-policy.5 snifence-events.5 snifence.8) ## the pages for man(1), in build/man
$(BUILD)/man/snifence-policy.5: policy/README.md
$(BUILD)/man/snifence-policy.5: WHAT := what programs may reach, as a file
$(BUILD)/man/snifence-events.5: userspace/EVENTS.md
$(BUILD)/man/snifence-events.5: WHAT := the log of snifence, line by line
$(BUILD)/man/snifence.8: docs/operations.md
$(BUILD)/man/snifence.8: WHAT := run snifence on a live system
$(BUILD)/man/snifence.1: docs/commands/README.md
$(COMMANDS:%=$(BUILD)/man/snifence-%.1): $(BUILD)/man/snifence-%.1: docs/commands/%.md
$(BUILD)/man/%: packaging/man-page
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)packaging/man-page $(basename $(@F)) $(subst .,,$(suffix $@)) $(filter %.md,$^) $(if $(WHAT),"$(WHAT)") > $@

$(BUILD):
	$(Q)mkdir -p $@

arm64: ## cross-build snifence and its tests for arm64, in build/arm64
	$(Q)tests/cross/build arm64 snifence tests/verify/verify tests/evasion/evasion_test $(UNIT:%=tests/unit/%) $(PROG:%=tests/prog/%) $(E2E:%=tests/e2e/%)

# by another make, which looks for compiler and headers after they are installed
demo: ## install what the build and the demo need, build, and show a guided tour: servers in a namespace, curl confined, a service that runs put under a policy
	$(Q)tests/deps demo
	$(Q)$(MAKE) --no-print-directory -j $$(nproc) all $(BUILD)/tests/demo.d/servers && tests/demo; $(then_hand_back)

$(BUILD)/tests/demo.d/servers: $(BUILD)/tests/demo.d/servers.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $< -pthread -lssl -lcrypto -o $@

test: deps ## install what the tests need, build, and run the tests for every day
	$(Q)$(MAKE) --no-print-directory -j $$(nproc) all && tests/all quick; $(then_hand_back)

test-slow: deps ## those that take long: other kernels and compilers, valgrind, long fuzzing, the bench once through
	$(Q)$(MAKE) --no-print-directory -j $$(nproc) all && tests/all slow; $(then_hand_back)

test-unit: $(UNIT:%=$(BUILD)/tests/unit/%) ## userspace, no privileges
	$(Q)tests/run $^; $(then_hand_back)

test-asan: $(UNIT:%=$(BUILD)/asan/tests/unit/%) ## the same under ASan and UBSan
	$(Q)tests/run $^; $(then_hand_back)

test-valgrind: $(UNIT:%=$(BUILD)/tests/unit/%) ## the same under valgrind
	$(Q)tests/run --valgrind $^; $(then_hand_back)

test-prog: $(PROG:%=$(BUILD)/tests/prog/%) ## the programs by themselves (BPF_PROG_TEST_RUN); root
	$(Q)tests/run $^; $(then_hand_back)

test-clang: ## build with clang 14 and the newest of Debian, CLANGS='clang-19': others; run test-prog with each; root
	$(Q)tests/clangs $(CLANGS)

test-e2e: $(BUILD)/snifence $(E2E:%=$(BUILD)/tests/e2e/%) ## real programs, real sockets; root
	$(Q)tests/run $(filter-out $<,$^); $(then_hand_back)

test-evasion: $(BUILD)/tests/evasion/evasion_test ## what people do to get around it, CASE='B1*': some of it; root
	$(Q)EVASION_CASE='$(CASE)' EVASION_TABLE=$(BUILD)/evasion.txt tests/run $<; status=$$?; cat $(BUILD)/evasion.txt; $(HAND_BACK); exit $$status

$(BUILD)/tests/evasion/evasion_test: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/evasion/*.c tests/support/*.c)) $(BUILD)/libsnifence.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(TEST_LIBS) -lgnutls $(LIBS) -o $@

FAULTS_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/faults/*_test.c))

test-faults: $(BUILD)/snifence $(FAULTS_TESTS) $(BUILD)/tests/faults/allocation.so ## every system call and allocation of run, load, attach, reload, detach, unload and status fails once; FAULTS=n: n of each, chosen by SEED; FAULTS=all: with every error; root
	$(Q)rm -f $(BUILD)/faults.txt
	$(Q)FAULTS_TABLE=$(BUILD)/faults.txt FAULTS='$(FAULTS)' SEED='$(SEED)' FAULTS_RUN='$(FAULTS_RUN)' \
		LIMIT=$${LIMIT:-7200} tests/run $(FAULTS_TESTS); status=$$?; cat $(BUILD)/faults.txt; $(HAND_BACK); exit $$status

FAULTS_PARTS := $(filter-out allocation %_test,$(patsubst tests/faults/%.c,%,$(wildcard tests/faults/*.c)))
$(FAULTS_TESTS): $(FAULTS_PARTS:%=$(BUILD)/tests/faults/%.o)

$(BUILD)/tests/faults/allocation.so: tests/faults/allocation.c tests/faults/allocation.h
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(CFLAGS) $(WARNINGS) -D_GNU_SOURCE -fPIC -shared $< -o $@

SOAK := $(patsubst tests/soak/%.c,$(BUILD)/tests/soak/%,$(wildcard tests/soak/*_test.c))

test-soak: $(BUILD)/snifence $(SOAK) ## thousands of cgroups, reloads and policies one after the other: nothing of them stays; root
	$(Q)LIMIT=1800 tests/run $(SOAK)

NAMES := $(patsubst tests/names/%.c,$(BUILD)/tests/names/%,$(wildcard tests/names/*_test.c))

.PHONY: test-names
test-names: $(BUILD)/snifence $(NAMES) ## resolvers and clients of names, a zone like a content network's, and a flood of lookups; root
	$(Q)tests/names/deps || true
	$(Q)tests/names/build $(BUILD)/tests/names
	$(Q)LIMIT=1800 tests/run $(NAMES); $(then_hand_back)

$(NAMES): %: %.o $(BUILD)/tests/names/zone.o $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c)) $(BUILD)/libsnifence.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(TEST_LIBS) $(LIBS) -o $@

STORM := $(patsubst tests/storm/%.c,%,$(wildcard tests/storm/*_test.c))

storm: $(BUILD)/snifence $(STORM:%=$(BUILD)/tests/storm/%) ## random socket calls against the filter for STORM_TIME seconds (60), from STORM_SEED; check and kernel compared for AGREE_TIME (15), from AGREE_SEED; root
	$(Q)export STORM_TIME='$(STORM_TIME)' STORM_SEED='$(STORM_SEED)' AGREE_TIME='$(AGREE_TIME)' AGREE_SEED='$(AGREE_SEED)'; \
		LIMIT=$$(($(or $(STORM_TIME),60) + $(or $(AGREE_TIME),15) + 120)) tests/run $(filter-out $<,$^); $(then_hand_back)

STORM_PARTS := $(filter-out %_test.c,$(wildcard tests/storm/*.c)) $(wildcard tests/support/*.c)
$(STORM:%=$(BUILD)/tests/storm/%): $(BUILD)/tests/storm/%: $(BUILD)/tests/storm/%.o $(STORM_PARTS:%.c=$(BUILD)/%.o) $(BUILD)/libsnifence.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(TEST_LIBS) $(LIBS) -o $@

test-servers: $(BUILD)/snifence $(BUILD)/tests/servers/hellos ## receivers that read server names by themselves, SEED=n COUNT=n; root
	$(Q)tests/servers/deps || true
	$(Q)SEED='$(or $(SEED),1)' COUNT='$(or $(COUNT),1500)' tests/servers/run $(BUILD)/tests/servers/hellos $<

$(BUILD)/tests/servers/hellos: $(BUILD)/tests/servers/hellos.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $< -o $@

test-programs: $(BUILD)/snifence ## the programs that people use, allowed and refused, WRITE=1: into docs/programs.md, and under a policy that comes later; root
	$(Q)tests/programs/deps || true
	$(Q)tests/programs/run $<
	$(Q)tests/programs/attached $<

test-events: ## the lines of events that the suites before have made, against schema and page
	$(Q)tests/events

test-page: $(BUILD)/snifence ## the page of `snifence report --html`, in headless Chromium
	$(Q)tests/page/deps || true
	$(Q)tests/page/test

.PHONY: test-docs
test-docs: $(BUILD)/snifence completions manual $(BUILD)/describe ## README, docs, man pages and completions against the program
	$(Q)tests/docs; $(then_hand_back)

.PHONY: pictures
pictures: $(BUILD)/snifence ## take the README's pictures of that page anew
	$(Q)tests/page/deps
	$(Q)tests/page/pictures

# They attach and detach so often that of two emulated processors one runs into a static key that the other is patching
# (int3 in inet_create(), a loop in setsockopt()): these have one.
NAMES_EMULATED := attached_names_test dns_forged_test dns_test
# not what takes minutes there and tells of the load that a machine can bear, nor what does not hang on the kernel
E2E_EMULATED := $(filter-out $(NAMES_EMULATED) large_test libraries_test reload_busy_test supervisor_load_test audit_test clients_test elsewhere_test learn_test log_test notice_test resolvers_test top_test,$(E2E))
test-kernels: $(BUILD)/snifence $(PROG:%=$(BUILD)/tests/prog/%) $(E2E_EMULATED:%=$(BUILD)/tests/e2e/%) $(BUILD)/tests/evasion/evasion_test ## the suites prog, e2e and evasion under Debian's kernels, KERNELS="6.1 6.12 6.18", in emulated machines
	$(Q)tests/kernels/test "$(or $(KERNELS),6.1 6.12 6.18)" $(filter-out $<,$^)

test-kernels-names: $(BUILD)/snifence $(NAMES_EMULATED:%=$(BUILD)/tests/e2e/%) ## the tests of lookups there, too
	$(Q)GUEST_CPUS=1 tests/kernels/test "$(or $(KERNELS),6.1 6.12 6.18)" $(filter-out $<,$^)

test-arm64: arm64 ## the suites prog, e2e and evasion under Debian's arm64 kernels, KERNELS="6.1 6.12"; needs qemu-system-arm
	$(Q)ARCH=arm64 tests/kernels/test "$(or $(KERNELS),6.1)" \
		$(patsubst %,$(BUILD)/arm64/%,$(PROG:%=tests/prog/%) $(E2E_EMULATED:%=tests/e2e/%) tests/evasion/evasion_test)

fuzz: $(FUZZ:%=$(BUILD)/fuzz/%) ## each fuzz target for FUZZ_TIME seconds
	$(Q)tests/fuzz/run $(FUZZ_TIME) $^

fuzz-coverage: ## how much of the parser the fuzzers' seeds go through
	$(Q)CLANG=$(CLANG) tests/fuzz/coverage

verify: $(BUILD)/tests/verify/verify ## what the verifier thinks of each program, against the baseline; root, or KERNELS="6.1 6.12"
	$(Q)tests/verify/run $< "$(KERNELS)"

verify-baseline: $(BUILD)/tests/verify/verify ## put what it says now into the baseline; root, or KERNELS="6.1 6.12"
	$(Q)tests/verify/run --refresh $< "$(KERNELS)"

$(BUILD)/tests/verify/verify: $(BUILD)/tests/verify/verify.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $< -lbpf -lelf -lz -o $@

lint: $(BUILD)/snifence.skel.h $(BUILD)/version.h $(BUILD)/tests/verify/verify ## clang-format, cppcheck, clang's warnings, the verifier's budget
	$(Q)tests/lint
	$(Q)if [ "$$(id -u)" = 0 ]; then $(BUILD)/tests/verify/verify tests/verify/baseline.tsv; else echo "  verify: passed over, it needs root"; fi

format: ## clang-format in place
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

# a peer of the bench's that is a program of its own, where libnetfilter_queue is installed
BENCH_PEERS := $(if $(wildcard /usr/include/libnetfilter_queue/libnetfilter_queue.h),$(BUILD)/bench/peers/nfqueue)

bench: all ## what it costs; BENCH='packet/*', ROUNDS=n, QUICK=1; root
	$(Q)$(MAKE) --no-print-directory $(BENCH_PROGRAMS:%=$(BUILD)/bench/%) $(BENCH_PEERS)
	$(Q)command -v gnuplot >/dev/null || bench/deps gnuplot-nox || true
	$(Q)BENCH='$(BENCH)' ROUNDS='$(ROUNDS)' QUICK='$(QUICK)' bench/run $(filter-out report,$(BENCH_PROGRAMS))

.PHONY: bench-deps bench-publish
bench-publish: ## show the last run in README.md and bench/README.md
	$(Q)bench/publish

bench-deps: ## install what the bench compares with, and what draws its charts
	$(Q)bench/deps

$(BUILD)/bench/%.bpf.o: bench/%.bpf.c $(wildcard bpf/*.h include/*.h) Makefile
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/bench/%.skel.h: $(BUILD)/bench/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

BENCH_SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/support/*.c tests/support/*.c))
$(BENCH_SUPPORT): | $(patsubst bench/%.bpf.c,$(BUILD)/bench/%.skel.h,$(wildcard bench/*.bpf.c))

$(BENCH_PROGRAMS:%=$(BUILD)/bench/%): $(BUILD)/bench/%: $(BUILD)/bench/%.o $(BENCH_SUPPORT) $(BUILD)/libsnifence.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(TEST_LIBS) $(LIBS) -lm -o $@

$(BUILD)/bench/peers/nfqueue: $(BUILD)/bench/peers/nfqueue.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lnetfilter_queue -o $@

# what has the program's place in it
PLACED := $(patsubst packaging/%,$(BUILD)/%,$(wildcard packaging/systemd/*.service packaging/oci/hooks.d/*.json))
$(PLACED): $(BUILD)/%: packaging/% FORCE
	$(Q)mkdir -p $(@D)
	$(Q)sed 's,@bindir@,$(bindir),' $< > $@

install: $(BUILD)/snifence completions $(PLACED) ## below DESTDIR, to prefix (/usr/local) and unitdir
	$(Q)$(MANIFEST) | while read -r mode from to; do \
		echo "  $(DESTDIR)$$to"; install -D -m "$$mode" "$$from" "$(DESTDIR)$$to" || exit; \
	done

uninstall: ## remove what `make install` with the same folders has put there
	$(Q)$(MANIFEST) | while read -r mode from to; do rm -fv "$(DESTDIR)$$to"; done
	$(Q)find "$(DESTDIR)$(datadir)/snifence" -depth -type d -empty -delete 2>/dev/null || true

.PHONY: deb
deb: ## a package for Debian and Ubuntu, in build/deb
	$(Q)packaging/deb $(VERSION) "$(COMMIT)"; $(then_hand_back)

# the same for tests, made anew where a source is newer
DEB := $(BUILD)/deb/of-these-sources
$(DEB): $(wildcard $(shell git ls-files 2>/dev/null))
	$(Q)packaging/deb $(VERSION) "$(COMMIT)" && touch $@

.PHONY: test-ci
test-ci: $(BUILD)/snifence $(BUILD)/tests/demo.d/servers ## the GitHub Action and its like, against servers here; root
	$(Q)tests/ci/test; $(then_hand_back)

.PHONY: test-node
test-node: $(BUILD)/snifence $(DEB) ## what the DaemonSet does to its node, and its manifests; root
	$(Q)tests/kubernetes/test $(BUILD)/deb/snifence_$(VERSION)_*.deb; $(then_hand_back)

.PHONY: test-cluster
test-cluster: $(BUILD)/tests/demo.d/servers $(DEB) ## a cluster of Debian's Kubernetes, built once (minutes, 5 GB meanwhile), with packaging/kubernetes; no part of the slow suites; root
	$(Q)tests/cluster/test $(BUILD)/deb/snifence_$(VERSION)_*.deb; $(then_hand_back)

.PHONY: test-machine
test-machine: $(BUILD)/tests/demo.d/servers $(DEB) ## services of the package in a whole machine, emulated, with Debian's systemd and kernel; root
	$(Q)tests/machine/test $(BUILD)/deb/snifence_$(VERSION)_*.deb $(KERNELS); $(then_hand_back)

.PHONY: test-logs
test-logs: $(BUILD)/snifence $(DEB) ## rsyslog and syslog-ng of Debian ship events as packaging/logs says; root
	$(Q)tests/logs/test $(BUILD)/deb/snifence_$(VERSION)_*.deb; $(then_hand_back)

.PHONY: test-systemd test-package test-containers
test-containers: $(BUILD)/snifence $(BUILD)/tests/demo.d/servers $(BUILD)/tests/containers/memlock.so $(DEB) ## containers of the engines that are installed, under the hook; root
	$(Q)tests/containers/deps || true
	$(Q)tests/containers/test $(BUILD)/deb/snifence_$(VERSION)_*.deb; $(then_hand_back)

$(BUILD)/tests/containers/memlock.so: tests/containers/memlock.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(CFLAGS) $(WARNINGS) -D_GNU_SOURCE -fPIC -shared $< -o $@

test-systemd: $(BUILD)/tests/demo.d/servers $(DEB) ## services of the package under a real systemd, of SUITES="bookworm trixie"; root
	$(Q)status=0; for suite in $(or $(SUITES),bookworm); do \
		tests/systemd/test $(BUILD)/deb/snifence_$(VERSION)_*.deb $$suite || status=1; \
	done; $(HAND_BACK); exit $$status

.PHONY: test-install
test-install: all ## make install and uninstall, and that a build does not depend on its place
	$(Q)tests/package/install; $(then_hand_back)

test-package: $(DEB) ## the package installed, upgraded and purged in fresh root file systems of SUITES="bookworm trixie"; root
	$(Q)status=0; for suite in $(or $(SUITES),bookworm trixie); do \
		tests/package/test $(BUILD)/deb/snifence_$(VERSION)_*.deb $$suite || status=1; \
	done; $(HAND_BACK); exit $$status

clean: ## remove what was built
	rm -rf $(BUILD) compile_commands.json
	find tests bench -name __pycache__ -prune -exec rm -rf {} +

-include $(shell find $(BUILD) -path '*/sysroot' -prune -o -type f -name '*.d' -print 2>/dev/null)
