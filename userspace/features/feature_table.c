/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that a machine can have or lack ──► how to find out ──► what it means, in plain words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "features/feature_bpf.h"
#include "features/feature_cgroup.h"
#include "features/feature_network.h"
#include "features/feature_process.h"
#include "hooks.h"

#define NO_MAP "programs cannot be loaded"
#define NO_HOOK "programs cannot be attached, so nothing is started"

/* Before the probes that try things in a cgroup comes the one that makes it; before the hooks, the object: once it has
 * been loaded, or refused, the code of each program is together with that of its subprograms. */
const struct feature feature_table[] = {
	{"root", "root", FEATURE_NEEDED, false, probe_root, 0, "programs can be loaded and a cgroup made",
	 "run stops at once; try sudo"},
	{"capabilities", "root's capabilities", FEATURE_NEEDED, true, probe_capabilities, 0,
	 "nothing is kept from root that run uses", "run stops; a container has to be given these"},
	{"null_device", "/dev/null", FEATURE_NEEDED, false, probe_null_device, 0,
	 "stands in for standard files that are closed",
	 "run stops at once; it is made by mknod -m 666 /dev/null c 1 3"},
	{"open_files", "open files", FEATURE_NEEDED, false, probe_open_files, 0, "there is room for those of a run",
	 "run stops at once; the limit can be raised (ulimit -n)"},
	{"cpus", "number of CPUs", FEATURE_NEEDED, false, probe_cpus, 0, "counters are read from each",
	 "run stops; /sys has to be mounted, with devices/system/cpu/possible"},
	{"cgroup2", "cgroup v2", FEATURE_NEEDED, false, probe_cgroup2, 0, "a policy is bound to a cgroup",
	 "there is nothing that a policy could be bound to"},
	{"own_cgroup", "a cgroup of its own", FEATURE_NEEDED, true, probe_own_cgroup, 0,
	 "made for each command, removed at its end", "run stops"},
	{"socket_storage", "maps: storage of sockets", FEATURE_NEEDED, true, probe_map, BPF_MAP_TYPE_SK_STORAGE,
	 "a verdict stays with its connection", NO_MAP},
	{"cgroup_storage", "maps: storage of cgroups", FEATURE_NEEDED, true, probe_cgroup_storage, 0,
	 "one set of programs serves many policies", NO_MAP},
	{"prefix_tries", "maps: prefix tries", FEATURE_NEEDED, true, probe_map, BPF_MAP_TYPE_LPM_TRIE,
	 "address and port rules are looked up, not gone through one by one", NO_MAP},
	{"hashes", "maps: hashes", FEATURE_NEEDED, true, probe_map, BPF_MAP_TYPE_HASH,
	 "hostname rules are looked up, not gone through one by one", NO_MAP},
	{"lru_hashes", "maps: hashes that forget", FEATURE_NEEDED, true, probe_map, BPF_MAP_TYPE_LRU_HASH,
	 "names are bound to addresses", NO_MAP},
	{"arrays", "maps: arrays", FEATURE_NEEDED, true, probe_map, BPF_MAP_TYPE_ARRAY, "settings of a policy", NO_MAP},
	{"arrays_per_cpu", "maps: arrays for each CPU", FEATURE_NEEDED, true, probe_map, BPF_MAP_TYPE_PERCPU_ARRAY,
	 "what was refused and why is counted", NO_MAP},
	{"maps_in_maps", "maps: maps in maps", FEATURE_NEEDED, true, probe_map, BPF_MAP_TYPE_ARRAY_OF_MAPS,
	 "a policy is replaced as a whole", NO_MAP},
	{"mapped_arrays", "maps: arrays in memory", FEATURE_NEEDED, true, probe_mapped_array, 0,
	 "a policy is replaced in one instant", "run stops after loading the programs"},
	{"ring_buffers", "maps: ring buffers", FEATURE_NEEDED, true, probe_map, BPF_MAP_TYPE_RINGBUF,
	 "what was refused is told in order", NO_MAP},
	{"programs", "the programs", FEATURE_NEEDED, true, probe_object, 0, "the kernel verifies and loads them",
	 "run stops; what else is missing here tells why"},
/* clang-format off */
#define X(program, attach_type, key, title, means) \
	{key, "hook: " title, FEATURE_NEEDED, true, probe_hook, attach_type, means, NO_HOOK},
	SNIF_PROGRAMS(X)
#undef X
	/* clang-format on */
	{"pidfd", "process descriptors", FEATURE_NEEDED, false, probe_pidfd, 0, "the command's end is waited for",
	 "no command is started, as its end would not be seen"},
	{"pid_namespace", "PID namespaces", FEATURE_NEEDED, true, probe_pid_namespace, 0,
	 "no process outside has a number for a command", "no command is started, as it could reach other processes"},
	{"confinement", "confinement", FEATURE_NEEDED, true, probe_confinement, 0,
	 "a command can be kept from walking out of the filter", "no command is started, as it could walk out"},
	{"seccomp", "seccomp", FEATURE_NEEDED, true, probe_seccomp, 0,
	 "calls that lead around the filter are refused to the command",
	 "run works with --no-seccomp alone, which leaves ways around"},

	{"sock_destroy", "SOCK_DESTROY", FEATURE_HELPFUL, true, probe_sock_destroy, 0,
	 "a refused connection fails at once",
	 "a refused connection fails only when it times out, after minutes; the module tcp_diag may help"},
	{"landlock", "Landlock's scopes", FEATURE_HELPFUL, false, probe_landlock, 0,
	 "abstract UNIX sockets of processes outside are closed to a command, too",
	 "abstract UNIX sockets of processes outside stay open to a command; signals to its process group are refused"},
	{"jit", "programs as machine code", FEATURE_HELPFUL, true, probe_jit, 0, "each packet costs little",
	 "they are interpreted, so each packet costs more; see net.core.bpf_jit_enable"},
	{"clone_into_cgroup", "clone3() into a cgroup", FEATURE_HELPFUL, true, probe_clone_into, 0,
	 "a command starts in its cgroup", "a process is moved to the cgroup, then becomes the command: no less safe"},
	{"cgroup_kill", "cgroup.kill", FEATURE_HELPFUL, true, probe_cgroup_kill, 0,
	 "what outlives a command is killed at once", "what outlives a command is frozen and killed one by one"},

	{"ipv4", "IPv4", FEATURE_NOTED, false, probe_family, AF_INET, "IPv4 rules matter here",
	 "IPv4 rules have nothing to do here"},
	{"ipv6", "IPv6", FEATURE_NOTED, false, probe_family, AF_INET6, "IPv6 rules matter here",
	 "IPv6 rules have nothing to do here"},
	{"mptcp", "MPTCP", FEATURE_NOTED, false, probe_mptcp, 0, "refused to a command: programs that want it use TCP",
	 "programs that want it use TCP"},
	{"nonlocal_bind", "IPv6 sources of others", FEATURE_NOTED, false, probe_nonlocal_bind, 0,
	 "every program may choose its source: between addresses of this machine a command may choose none",
	 "the kernel asks whether a source is this machine's"},
	{"tcp_fast_open", "TCP Fast Open", FEATURE_NOTED, false, probe_fast_open, 0,
	 "a ClientHello that leaves with the SYN is inspected too", "no ClientHello leaves with a SYN"},
	{"io_uring", "io_uring", FEATURE_NOTED, false, probe_io_uring, 0,
	 "refused to a command; with --no-seccomp it is a way around", "not there to refuse, also with --no-seccomp"},
	{"bpf_statistics", "statistics of programs", FEATURE_NOTED, true, probe_statistics, 0,
	 "what a packet costs can be measured", "what a packet costs cannot be measured"},
	{"bpf_file_system", "bpf file system", FEATURE_NOTED, false, probe_bpf_file_system, 0,
	 "mounted; run does not need it, and a command can only read it", "not mounted; run does not need it"},
	{"kernel_types", "BTF of the kernel", FEATURE_NOTED, false, probe_kernel_types, 0,
	 "there; run does not need it", "not there; run does not need it"},
	{"lockdown", "kernel lockdown", FEATURE_NOTED, false, probe_lockdown, 0, "on; run uses nothing that it refuses",
	 "off, or not to be seen; run uses nothing that it refuses"},
	{"unprivileged_bpf", "BPF for every user", FEATURE_NOTED, false, probe_unprivileged, 0,
	 "users can load programs, but not a command's (seccomp refuses it)", "only root can load programs"},
};

const size_t feature_count = sizeof(feature_table) / sizeof(feature_table[0]);

struct finding feature_found(bool here, const char *format, ...) {
	struct finding finding = {.state = here ? FEATURE_HERE : FEATURE_MISSING};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding.detail, sizeof(finding.detail), format, arguments);
	va_end(arguments);
	return finding;
}

struct finding feature_result(int error) {
	return feature_found(error == 0, "%s", error ? strerror(-error) : "");
}

struct finding feature_descriptor(int fd) {
	if (fd < 0)
		return feature_result(-errno);
	close(fd);
	return feature_result(0);
}
