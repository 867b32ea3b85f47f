/* SPDX-License-Identifier: BSD-2-Clause */
/* Real resolvers and real clients ──► an allowed name is found and reached, another is not even asked for. */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../support/lab.h"

#define SERVER "203.0.113.1"
#define ALLOWED "www.lab.test" /* of dnsmasq, an alias of an alias of a name with two addresses */
#define FORBIDDEN "data-that-leaves.evil.test"
#define DEADLINE_MS 8000

#define POLICY_OF(server)                                                                                              \
	"version: 1\n"                                                                                                 \
	"tls: {allow: [" ALLOWED ", allowed.lab.test]}\n"                                                              \
	"direct: {allow: [{host: db.lab.test, proto: tcp, ports: [5432]}]}\n"                                          \
	"dns: {servers: [" server "], bind: require, names: policy, search: [corp.test]}\n"
#define POLICY POLICY_OF(SERVER)

/* Over a file of /etc, in the mount namespace of the test. It is gone with its mount. */
static void mount_text(const char *path, const char *text) {
	const char *file = lab_write("mounted", text);

	assert_int_equal(mount(file, path, NULL, MS_BIND, NULL), 0);
	unlink(file);
}

/* Both have a log of what they were asked. */
static void start_dnsmasq_at(const char *address, const char *port) {
	static char log[128];

	lab_needs("dnsmasq");
	snprintf(log, sizeof(log), "--log-facility=%s/asked", lab_folder());
	lab_start((const char *const[]){"dnsmasq",
					"--keep-in-foreground",
					"--conf-file=/dev/null",
					"--no-resolv",
					"--no-hosts",
					"--user=root",
					"--pid-file=",
					"--bind-interfaces",
					"--listen-address",
					address,
					"--port",
					port,
					"--cname=" ALLOWED ",edge.cdn.test",
					"--cname=edge.cdn.test,node.cdn.test",
					"--host-record=node.cdn.test,192.0.2.1",
					"--host-record=node.cdn.test,192.0.2.2",
					"--host-record=db.lab.test,198.51.100.1",
					"--address=/test/",
					"--log-queries",
					log,
					NULL});
}

static void start_dnsmasq(void) {
	start_dnsmasq_at(SERVER, "53");
}

static void start_unbound(void) {
	char text[2048];

	lab_needs("unbound");
	snprintf(
		text, sizeof(text),
		"server:\n username: \"\"\n chroot: \"\"\n directory: \"%1$s\"\n pidfile: \"\"\n logfile: \"%1$s/asked\"\n"
		" use-syslog: no\n log-queries: yes\n interface: " SERVER "\n access-control: 0.0.0.0/0 allow\n"
		" do-ip6: no\n module-config: \"iterator\"\n num-threads: 1\n local-zone: \"test.\" static\n"
		" local-zone: \"lab.test.\" transparent\n local-data: \"" ALLOWED ". 5 IN A 192.0.2.1\"\n"
		" local-data: \"" ALLOWED ". 5 IN A 192.0.2.2\"\n"
		" local-data: \"db.lab.test. 5 IN A 198.51.100.1\"\nremote-control:\n control-enable: no\n",
		lab_folder());
	lab_start((const char *const[]){"unbound", "-d", "-c", lab_write("unbound.conf", text), NULL});
}

static void await_server(const char *address, uint16_t port) {
	int fd = -1;

	for (int tries = 0; fd < 0 && tries < 100; tries++) {
		fd = lab_dial(address, port);
		if (fd < 0)
			lab_sleep_ms(50);
	}
	assert_true(fd >= 0);
	close(fd);
}

static void enter(const char *resolv_conf) {
	lab_enter();
	mount_text("/etc/resolv.conf", resolv_conf);
	mount_text("/etc/nsswitch.conf", "hosts: files nosuchservice\n"); /* a run has one of its own */
	lab_server(LAB_TLS, "192.0.2.1", 443);
	lab_server(LAB_TLS, "192.0.2.2", 443);
	lab_server(LAB_TLS, "198.51.100.1", 443);
	lab_server(LAB_SINK, "198.51.100.1", 5432);
}

static void begin(void (*resolver)(void)) {
	enter("nameserver " SERVER "\nsearch corp.test\noptions timeout:2 attempts:1\n");
	resolver();
	await_server(SERVER, 53);
}

static int leave(void **state) {
	umount2("/etc/resolv.conf", MNT_DETACH);
	umount2("/etc/nsswitch.conf", MNT_DETACH);
	return lab_leave(state);
}

static void assert_not_asked(void) {
	char path[128];

	snprintf(path, sizeof(path), "%s/asked", lab_folder());
	assert_null(strstr(lab_read(path), "evil"));
}

/* What each prints when it is through; %s is a name. */
static const struct client {
	const char *program;
	const char *const argv[8];
	const char *through;
	bool looks_up; /* and does no more */
} clients[] = {
	{"curl", {"curl", "-sk", "--max-time", "5", "https://%s/"}, "www.lab.test", false},
	{"getent", {"getent", "ahostsv4", "%s"}, "192.0.2.1", true},
	{"python3",
	 {"python3", "-c",
	  "import ssl,socket,sys\nc=ssl._create_unverified_context()\n"
	  "s=c.wrap_socket(socket.create_connection((sys.argv[1],443),5),server_hostname=sys.argv[1])\n"
	  "s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')\nprint(s.recv(4096))",
	  "%s"},
	 "www.lab.test",
	 false},
	{"dig", {"dig", "+short", "+tries=1", "+timeout=2", "%s", "A"}, "192.0.2.1", true},
	{"busybox", {"busybox", "nslookup", "%s", SERVER}, "192.0.2.1", true},
	{"node",
	 {"node", "-e",
	  "const n=process.argv[1];require('dns').resolve4(n,(e,a)=>{if(e){console.error(e.code);process.exit(1)}"
	  "require('https').get({host:a[0],servername:n,path:'/',rejectUnauthorized:false},"
	  "r=>r.on('data',d=>console.log(String(d)))).on('error',()=>process.exit(1))})",
	  "%s"},
	 "www.lab.test",
	 false},
};

static struct lab_program *run_client(const struct client *client, const char *name) {
	const char *argv[9] = {NULL};
	static char url[256];

	for (size_t i = 0; client->argv[i]; i++) {
		const char *place = strstr(client->argv[i], "%s");

		argv[i] = client->argv[i];
		if (!place || strlen(client->argv[i]) > 16)
			continue;
		snprintf(url, sizeof(url), "%.*s%s%s", (int)(place - client->argv[i]), client->argv[i], name,
			 place + 2);
		argv[i] = url;
	}
	return lab_snifence(POLICY, (const char *const[]){"--notify", "off", NULL}, argv);
}

static void try_client(const char *program, void (*resolver)(void)) {
	const struct client *client = clients;
	struct lab_program *run;

	while (strcmp(client->program, program) != 0)
		client++;
	lab_needs(program);
	begin(resolver);
	run = run_client(client, ALLOWED);
	if (!strstr(run->out, client->through))
		fail_msg("%s: %s%s", program, run->out, run->err);
	run = run_client(client, FORBIDDEN);
	assert_null(strstr(run->out, client->through));
	assert_true(run->ms < DEADLINE_MS * lab_slowness());
	assert_not_asked();
}

#define CLIENT(program)                                                                                                \
	static void test_##program##_dnsmasq(void **state) {                                                           \
		(void)state;                                                                                           \
		try_client(#program, start_dnsmasq);                                                                   \
	}                                                                                                              \
	static void test_##program##_unbound(void **state) {                                                           \
		(void)state;                                                                                           \
		try_client(#program, start_unbound);                                                                   \
	}

CLIENT(curl)
CLIENT(getent)
CLIENT(python3)
CLIENT(dig)
CLIENT(busybox)
CLIENT(node)

/* Over TCP, as after an answer that was cut off. */
static void test_over_tcp(void **state) {
	struct lab_program *run;

	(void)state;
	lab_needs("dig");
	begin(start_dnsmasq);
	run = lab_snifence(POLICY, NULL,
			   (const char *const[]){"sh", "-c",
						 "dig +tcp +short " ALLOWED
						 " && curl -sk --max-time 5 --resolve " ALLOWED
						 ":443:192.0.2.2 https://" ALLOWED "/",
						 NULL});
	if (!strstr(run->out, "192.0.2.2\n") || !strstr(run->out, ALLOWED))
		fail_msg("%s%s", run->out, run->err);
}

/* The allowed name at an address of somebody else's, without a lookup and behind one. */
static void test_spoofed_name(void **state) {
	struct lab_program *run;

	(void)state;
	begin(start_dnsmasq);
	run = lab_snifence(POLICY, NULL,
			   (const char *const[]){"sh", "-c",
						 "curl -sk --max-time 5 --resolve " ALLOWED
						 ":443:198.51.100.1 https://" ALLOWED "/; getent ahostsv4 db.lab.test; "
						 "curl -sk --max-time 5 --resolve " ALLOWED
						 ":443:198.51.100.1 https://" ALLOWED "/",
						 NULL});
	assert_null(strstr(run->out, "www.lab.test"));
	assert_non_null(strstr(run->err, "name_not_bound"));
}

/* A port of a name's, by a rule for the name. */
static void test_direct_by_name(void **state) {
	struct lab_program *run;

	(void)state;
	begin(start_dnsmasq);
	run = lab_snifence(POLICY, NULL,
			   (const char *const[]){"python3", "-c",
						 "import socket\n"
						 "socket.create_connection(('db.lab.test', 5432), 5)\nprint('open')\n"
						 "try: socket.create_connection(('db.lab.test', 5433), 5)\n"
						 "except PermissionError: print('refused')",
						 NULL});
	assert_string_equal(run->out, "open\nrefused\n");
}

#define FETCH "curl -sk --max-time 5 https://" ALLOWED "/ && dig +tcp +short " ALLOWED "; getent ahostsv4 " FORBIDDEN

static void expect_fetch(const char *policy) {
	struct lab_program *run = lab_snifence(policy, NULL, (const char *const[]){"sh", "-c", FETCH, NULL});

	if (!strstr(run->out, ALLOWED) || !strstr(run->out, "192.0.2.2\n"))
		fail_msg("%s%s", run->out, run->err);
	assert_non_null(strstr(run->err, "dns_name"));
	assert_not_asked();
}

/* As systemd-resolved has it. */
static void test_on_loopback(void **state) {
	(void)state;
	lab_needs("dig");
	enter("nameserver 127.0.0.53\noptions timeout:2 attempts:1\n");
	start_dnsmasq_at("127.0.0.53", "53");
	await_server("127.0.0.53", 53);
	expect_fetch(POLICY_OF("127.0.0.53"));
}

/* As Docker has it in a container: netfilter sends what goes to port 53 to another one, and back. */
static void test_behind_nat(void **state) {
	static const char rules[] = "table ip snif_nat {\n"
				    " chain output {\n  type nat hook output priority -100\n"
				    "  ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:40053\n"
				    "  ip daddr 127.0.0.11 tcp dport 53 dnat to 127.0.0.11:40053\n }\n"
				    " chain postrouting {\n  type nat hook postrouting priority 100\n"
				    "  ip saddr 127.0.0.11 udp sport 40053 snat to 127.0.0.11:53\n"
				    "  ip saddr 127.0.0.11 tcp sport 40053 snat to 127.0.0.11:53\n }\n}\n";

	(void)state;
	lab_needs("dig");
	lab_needs("nft");
	enter("nameserver 127.0.0.11\noptions timeout:2 attempts:1\n");
	start_dnsmasq_at("127.0.0.11", "40053");
	await_server("127.0.0.11", 40053);
	assert_int_equal(lab_run((const char *const[]){"nft", "-f", lab_write("nat", rules), NULL})->status, 0);
	expect_fetch(POLICY_OF("127.0.0.11"));
}

static int leave_nat(void **state) {
	lab_run((const char *const[]){"nft", "delete", "table", "ip", "snif_nat", NULL});
	return leave(state);
}

/* What /etc/hosts says (that of the lab) counts from the start, for names of the policy. */
static void test_hosts(void **state) {
	struct lab_program *run;

	(void)state;
	begin(start_dnsmasq);
	run = lab_snifence(POLICY, NULL,
			   (const char *const[]){
				   "sh", "-c",
				   "curl -sk --max-time 5 https://allowed.lab.test/; curl -sk --max-time 5 "
				   "--resolve allowed.lab.test:443:192.0.2.2 https://allowed.lab.test/ || echo refused",
				   NULL});
	assert_non_null(strstr(run->out, "allowed.lab.test"));
	assert_non_null(strstr(run->out, "refused\n"));
}

#define CACHE "/run/nscd"

static int connect_to_cache(void) {
	const struct sockaddr_un where = {.sun_family = AF_UNIX, .sun_path = CACHE "/socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
	    error = connect(fd, (const struct sockaddr *)&where, sizeof(where));

	close(fd);
	return error;
}

/* One that looks names up for others: a command asks for itself. */
static void test_cache_beside_it(void **state) {
	const struct sockaddr_un where = {.sun_family = AF_UNIX, .sun_path = CACHE "/socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct lab_program *run;

	(void)state;
	begin(start_dnsmasq);
	mkdir(CACHE, 0755);
	assert_int_equal(mount("cache", CACHE, "tmpfs", 0, NULL), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(connect_to_cache(), 0);
	run = lab_snifence(POLICY, NULL,
			   (const char *const[]){"python3", "-c",
						 "import socket\n"
						 "try: socket.socket(socket.AF_UNIX).connect('" CACHE "/socket')\n"
						 "except OSError as error: print(error.strerror)\n"
						 "print(socket.gethostbyname('db.lab.test'))",
						 NULL});
	assert_string_equal(run->out, "Connection refused\n198.51.100.1\n");
	close(fd);
}

static int leave_cache(void **state) {
	umount2(CACHE, MNT_DETACH);
	rmdir(CACHE);
	return leave(state);
}

int main(void) {
	const struct CMUnitTest tests[] = {
#define TESTS(program)                                                                                                 \
	cmocka_unit_test_teardown(test_##program##_dnsmasq, leave),                                                    \
		cmocka_unit_test_teardown(test_##program##_unbound, leave)
		TESTS(curl),
		TESTS(getent),
		TESTS(python3),
		TESTS(dig),
		TESTS(busybox),
		TESTS(node),
		cmocka_unit_test_teardown(test_over_tcp, leave),
		cmocka_unit_test_teardown(test_spoofed_name, leave),
		cmocka_unit_test_teardown(test_direct_by_name, leave),
		cmocka_unit_test_teardown(test_hosts, leave),
		cmocka_unit_test_teardown(test_cache_beside_it, leave_cache),
		cmocka_unit_test_teardown(test_on_loopback, leave),
		cmocka_unit_test_teardown(test_behind_nat, leave_nat),
	};

	return cmocka_run_group_tests_name("resolvers", tests, NULL, NULL);
}
