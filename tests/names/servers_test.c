/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules by name for what is not TLS ──► psql, ssh and apt-get reach their servers, under these names alone. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/lab.h"
#include "zone.h"

#define POLICY                                                                                                         \
	"version: 1\n"                                                                                                 \
	"direct:\n"                                                                                                    \
	"  allow:\n"                                                                                                   \
	"    - {host: db.lab.test, proto: tcp, ports: [5432]}\n"                                                       \
	"    - {host: ssh.lab.test, proto: tcp, ports: [22]}\n"                                                        \
	"    - {host: mirror.lab.test, proto: tcp, ports: [80]}\n"                                                     \
	"dns: {servers: [" ZONE_RESOLVER "], bind: require, names: policy, allow: [elsewhere.lab.test]}\n"

enum { START_MS = 60000 };

static void enter(void) {
	zone_enter(&zone_resolvers[0], "options timeout:2\n");
}

static void need_file(const char *pattern, const char *package) {
	const char *const argv[] = {"sh", "-c", "ls $0 >/dev/null 2>&1", pattern, NULL};

	if (lab_run(argv)->status == 0)
		return;
	print_message("skipped: %s is not installed\n", package);
	skip();
}

/* Runs a script, where $LAB is the folder, to its end. */
static void set_up(const char *script) {
	char text[4096];
	struct lab_program *program;

	snprintf(text, sizeof(text), "set -e; LAB=%s; %s", lab_folder(), script);
	program = lab_finish(lab_start((const char *const[]){"sh", "-c", text, NULL}), START_MS * lab_slowness());
	if (program->status)
		fail_msg("%s%s", program->out, program->err);
}

static void start(const char *script) {
	char text[1024];

	snprintf(text, sizeof(text), "LAB=%s; exec %s", lab_folder(), script);
	lab_start((const char *const[]){"sh", "-c", text, NULL});
}

static void await_port(uint16_t port) {
	int fd = -1;

	for (int tries = 0; fd < 0 && tries < 100 * lab_slowness(); tries++) {
		lab_sleep_ms(100);
		fd = lab_dial(ZONE_HOST, port);
	}
	if (fd < 0)
		fail_msg("nothing listens on port %u", port);
	close(fd);
}

static struct lab_program *confined(const char *script) {
	char text[2048];

	snprintf(text, sizeof(text), "LAB=%s; %s", lab_folder(), script);
	return lab_snifence(POLICY, (const char *const[]){"--notify", "off", NULL},
			    (const char *const[]){"sh", "-c", text, NULL});
}

/* By its name it works, and under another name of the same address, or by the address without a lookup, it does not. */
static void expect(const char *works, const char *prints, const char *const refused[]) {
	struct lab_program *run = confined(works);

	if (run->status || !strstr(run->out, prints))
		fail_msg("%s: %s%s", works, run->out, run->err);
	for (; *refused; refused++) {
		run = confined(*refused);
		if (run->status == 0 || strstr(run->out, prints))
			fail_msg("%s: not refused: %s%s", *refused, run->out, run->err);
		assert_non_null(strstr(run->err, " refused"));
		assert_null(strstr(run->err, " 0 refused"));
	}
}

#define PSQL(host) "psql -At 'host=" host " user=lab dbname=postgres connect_timeout=9' -c 'select 6 * 7'"

static void test_psql(void **state) {
	static const char *const refused[] = {PSQL("elsewhere.lab.test"), PSQL(ZONE_HOST), NULL};

	(void)state;
	enter();
	lab_needs("psql");
	lab_needs("setpriv");
	need_file("/usr/lib/postgresql/*/bin/postgres", "postgresql");
	set_up("mkdir $LAB/db; chown 65534 $LAB/db; chmod 700 $LAB/db; cd $LAB/db; "
	       "setpriv --reuid=65534 --clear-groups env LC_ALL=C $(ls -d /usr/lib/postgresql/*/bin | tail -n 1)/initdb "
	       "-D $LAB/db/data -U lab -A trust --no-sync; "
	       "echo 'host all all all trust' >> $LAB/db/data/pg_hba.conf");
	start("setpriv --reuid=65534 --clear-groups env LC_ALL=C $(ls -d /usr/lib/postgresql/*/bin | tail -n 1)/postgres "
	      "-D $LAB/db/data -k $LAB/db -h " ZONE_HOST);
	await_port(5432);
	expect(PSQL("db.lab.test"), "42\n", refused);
}

#define SSH(host)                                                                                                      \
	"ssh -F none -i $LAB/key -o BatchMode=yes -o StrictHostKeyChecking=no -o ConnectTimeout=9 -o "                 \
	"UserKnownHostsFile=$LAB/known root@" host " echo from the other side"

static void test_ssh(void **state) {
	static const char *const refused[] = {SSH("elsewhere.lab.test"), SSH(ZONE_HOST), NULL};

	(void)state;
	enter();
	lab_needs("ssh");
	lab_needs("/usr/sbin/sshd");
	set_up("mkdir -p /run/sshd; ssh-keygen -q -t ed25519 -N '' -f $LAB/host; ssh-keygen -q -t ed25519 -N '' -f $LAB/key");
	start("/usr/sbin/sshd -D -f /dev/null -h $LAB/host -o ListenAddress=" ZONE_HOST
	      " -o PermitRootLogin=yes -o StrictModes=no -o UsePAM=no -o PidFile=none -o AuthorizedKeysFile=$LAB/key.pub");
	await_port(22);
	expect(SSH("ssh.lab.test"), "from the other side", refused);
}

#define APT(host)                                                                                                      \
	"mkdir -p $LAB/lists/partial $LAB/cache; rm -f $LAB/lists/*lab*; "                                             \
	"echo 'deb [trusted=yes arch=all] http://" host "/debian lab main' > $LAB/sources; "                           \
	"apt-get -q update -o Dir::Etc::SourceList=$LAB/sources -o Dir::Etc::SourceParts=/dev/null "                   \
	"-o Dir::State::Lists=$LAB/lists -o Dir::Cache=$LAB/cache -o APT::Sandbox::User=root "                         \
	"-o Acquire::Retries=0 -o APT::Update::Error-Mode=any && ls $LAB/lists"

static void test_apt(void **state) {
	static const char *const refused[] = {APT("elsewhere.lab.test"), APT(ZONE_HOST), NULL};

	(void)state;
	enter();
	lab_needs("apt-get");
	lab_needs("busybox");
	set_up("cd $LAB; mkdir -p site/debian/dists/lab/main/binary-all; cd site/debian/dists/lab; "
	       "printf 'Package: lab-package\\nVersion: 1\\nArchitecture: all\\n\\n' > main/binary-all/Packages; "
	       "printf 'Suite: lab\\nComponents: main\\nArchitectures: all\\nDate: %s\\nSHA256:\\n %s %s "
	       "main/binary-all/Packages\\n' \"$(date -u -R)\" \"$(sha256sum < main/binary-all/Packages | cut -c -64)\" "
	       "\"$(wc -c < main/binary-all/Packages)\" > Release");
	start("busybox httpd -f -p " ZONE_HOST ":80 -h $LAB/site");
	await_port(80);
	expect(APT("mirror.lab.test"), "main_binary-all_Packages", refused);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_psql, zone_leave),
		cmocka_unit_test_teardown(test_ssh, zone_leave),
		cmocka_unit_test_teardown(test_apt, zone_leave),
	};

	return cmocka_run_group_tests_name("servers", tests, NULL, NULL);
}
