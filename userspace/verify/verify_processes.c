/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of an attached cgroup ──► rights and sockets by which they could get around the filter. */
#include "verify/verify_processes.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/message.h"
#include "cgroup/cgroup_sockets.h"
#include "filter/instance.h"

static const struct {
	int number;
	const char *name;
} capabilities[] = {{CAP_NET_RAW, "CAP_NET_RAW"},
		    {CAP_NET_ADMIN, "CAP_NET_ADMIN"},
		    {CAP_BPF, "CAP_BPF"},
		    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}};

enum { CAPABILITIES = sizeof(capabilities) / sizeof(capabilities[0]) };

struct looking {
	const struct filter *filter;
	/* of each finding, the first process, and how many there are */
	pid_t capable[CAPABILITIES], reaching, packet, old;
	unsigned capable_count[CAPABILITIES], reaching_count, packet_count, old_count;
	/* in the process at hand */
	uint64_t capabilities_here;
	bool reaching_here, packet_here, old_here;
	struct findings *findings;
};

static void note(pid_t *first, unsigned *count, pid_t pid) {
	if ((*count)++ == 0)
		*first = pid;
}

struct rights {
	uint64_t capabilities;
	bool root; /* by one of its uids, as the initial user namespace has them */
};

static struct rights rights_of(pid_t thread) {
	struct rights rights = {0};
	char path[40], line[128];
	unsigned uid[4];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", thread);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Uid: %u %u %u %u", &uid[0], &uid[1], &uid[2], &uid[3]) == 4)
			rights.root = !uid[0] || !uid[1] || !uid[2] || !uid[3];
		if (sscanf(line, "CapPrm: %" SCNx64, &rights.capabilities) == 1)
			break;
	}
	if (file)
		fclose(file);
	return rights;
}

/* Whether what is at this path for the thread is what is there for us, and nothing keeps root from writing to it. */
static bool reaches(pid_t thread, const char *path) {
	char its[64];
	struct stat here, there;
	struct statvfs mount;

	snprintf(its, sizeof(its), "/proc/%d/root%s", thread, path);
	return stat(path, &here) == 0 && stat(its, &there) == 0 && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino && statvfs(its, &mount) == 0 && !(mount.f_flag & ST_RDONLY);
}

/* Nobody saw a TCP connection begin that has no tag. */
static bool is_old(const struct looking *looking, int fd) {
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer), type_size = sizeof(int);
	int type = 0;
	struct snif_tag tag;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) || type != SOCK_STREAM)
		return false;
	if (getpeername(fd, (struct sockaddr *)&peer, &size) ||
	    (peer.ss_family != AF_INET && peer.ss_family != AF_INET6))
		return false;
	return filter_tag(looking->filter, fd, &tag) != 0;
}

static bool is_packet_socket(int fd) {
	int domain = 0;
	socklen_t size = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_PACKET;
}

static void look_at_socket(void *context, pid_t pid, int fd) {
	struct looking *looking = context;

	(void)pid;
	looking->packet_here |= is_packet_socket(fd);
	looking->old_here |= is_old(looking, fd);
}

/* Each has rights, and a root, of its own. */
static void look_at_thread(void *context, pid_t thread) {
	struct looking *looking = context;
	struct rights rights = rights_of(thread);

	looking->capabilities_here |= rights.capabilities;
	if (rights.root && !looking->reaching_here)
		looking->reaching_here = reaches(thread, INSTANCE_ROOT) || reaches(thread, INSTANCE_PINS);
}

static void look_at_sockets(struct looking *looking, pid_t pid) {
	int error = process_each_socket(pid, look_at_socket, looking);

	if (!error)
		return;
	looking->findings->incomplete = true;
	message_error("cannot look at a socket of process %d: %s", pid, process_socket_error(error));
}

static void look_at_process(void *context, pid_t pid) {
	struct looking *looking = context;

	looking->capabilities_here = 0;
	looking->reaching_here = looking->packet_here = looking->old_here = false;
	process_each_thread(pid, look_at_thread, looking);
	look_at_sockets(looking, pid);
	for (int i = 0; i < CAPABILITIES; i++)
		if (looking->capabilities_here >> capabilities[i].number & 1)
			note(&looking->capable[i], &looking->capable_count[i], pid);
	if (looking->reaching_here)
		note(&looking->reaching, &looking->reaching_count, pid);
	if (looking->packet_here)
		note(&looking->packet, &looking->packet_count, pid);
	if (looking->old_here)
		note(&looking->old, &looking->old_count, pid);
}

void verify_processes(const struct filter *filter, const struct inventory_attachment *attachment, int cgroup_fd,
		      struct findings *findings) {
	struct looking looking = {.filter = filter, .findings = findings};
	const char *path = attachment->path;

	cgroup_each_process(cgroup_fd, look_at_process, &looking);
	for (int i = 0; i < CAPABILITIES; i++)
		if (looking.capable_count[i])
			findings_add(findings, FINDING_CAPABILITY, path,
				     "take it away: CapabilityBoundingSet= in a unit, --cap-drop in a container",
				     "%u processes have %s, the first is %d", looking.capable_count[i],
				     capabilities[i].name, looking.capable[i]);
	if (looking.reaching_count)
		findings_add(findings, FINDING_REACHES_STATE, path,
			     "hide it: InaccessiblePaths=" INSTANCE_ROOT " in a unit, as `snifence unit` has it, or "
			     "give it a user of its own",
			     "%u processes of root's can change what is in force by " INSTANCE_ROOT ", the first is %d",
			     looking.reaching_count, looking.reaching);
	if (looking.packet_count)
		findings_add(
			findings, FINDING_PACKET_SOCKET, path, "end it: what it sends passes no filter of a cgroup",
			"%u processes hold a packet socket, the first is %d", looking.packet_count, looking.packet);
	if (looking.old_count)
		findings_add(findings, FINDING_OLDER_SOCKET, path,
			     "what it sends is refused; start it again to have it connect anew",
			     "%u processes hold a connection from before the attachment, the first is %d",
			     looking.old_count, looking.old);
}
