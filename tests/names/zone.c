/* SPDX-License-Identifier: BSD-2-Clause */
/* BIND with a zone, and a resolver ──► names that resolve. */
#include "zone.h"

#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../support/lab.h"

#define AUTHORITY "198.51.100.53"

enum { PATIENCE_SECONDS = 300 };

/* One line for each address and family. */
#define ADDRESSES(name, ttl)                                                                                           \
	name " " ttl " A 192.0.2.1\n" name " " ttl " A 192.0.2.2\n" name " " ttl " A 192.0.2.3\n" name " " ttl         \
	     " A 192.0.2.4\n" name " " ttl " A 192.0.2.5\n" name " " ttl " A 192.0.2.6\n" name " " ttl                 \
	     " A 192.0.2.7\n" name " " ttl " A 192.0.2.8\n" name " " ttl " AAAA 2001:db8::1\n" name " " ttl            \
	     " AAAA 2001:db8::2\n" name " " ttl " AAAA 2001:db8::3\n" name " " ttl " AAAA 2001:db8::4\n" name " " ttl  \
	     " AAAA 2001:db8::5\n" name " " ttl " AAAA 2001:db8::6\n" name " " ttl " AAAA 2001:db8::7\n" name " " ttl  \
	     " AAAA 2001:db8::8\n"
#define CHAIN(name, ttl)                                                                                               \
	name "1.cdn " ttl " CNAME " name "2.cdn\n" name "2.cdn " ttl " CNAME " name "3.cdn\n" name "3.cdn " ttl        \
	     " CNAME " name "4.cdn\n" name "4.cdn " ttl " CNAME " name "5.cdn\n" ADDRESSES(name "5.cdn", ttl)

/* One zone, as BIND that does not recurse follows no alias out of one. */
static const char zone[] =
	"@ 60 SOA ns.lab root.lab 1 60 60 60 1\n@ 60 NS ns.lab\nns.lab 60 A " AUTHORITY "\n"
	"zero.lab 0 CNAME zero1.cdn\nday.lab 86400 CNAME day1.cdn\n"
	"*.wild.lab 0 CNAME zero1.cdn\ntwin.lab 5 A 192.0.2.1\nother.lab 5 A 192.0.2.1\n"
	"db.lab 5 A " ZONE_HOST "\nssh.lab 5 A " ZONE_HOST "\n"
	"mirror.lab 5 A " ZONE_HOST "\nelsewhere.lab 5 A " ZONE_HOST "\n" CHAIN("zero", "0") CHAIN("day", "86400");

/* Over a file of /etc, in the mount namespace of the test. It is gone with its mount. */
static void mount_text(const char *path, const char *text) {
	const char *file = lab_write("mounted", text);

	assert_int_equal(mount(file, path, NULL, MS_BIND, NULL), 0);
	unlink(file);
}

static void start_named(const char *name, const char *options, const char *of_the_zone) {
	char text[4096], file[64];

	snprintf(text, sizeof(text),
		 "options { directory \"%1$s\"; pid-file none; session-keyfile none; listen-on-v6 { none; };\n"
		 " dnssec-validation no; querylog yes; %2$s };\ncontrols { };\n"
		 "logging { channel asked { file \"%1$s/asked.%3$s\"; }; category queries { asked; }; };\n"
		 "zone \"test\" { %4$s };\n",
		 lab_folder(), options, name, of_the_zone);
	snprintf(file, sizeof(file), "%s.conf", name);
	lab_start((const char *const[]){"named", "-f", "-u", "root", "-c", lab_write(file, text), NULL});
}

static void start_authority(void) {
	lab_write("zone", zone);
	start_named("authority", "listen-on { " AUTHORITY "; }; recursion no; rrset-order { order cyclic; };",
		    "type primary; file \"zone\";");
}

static void start_bind(void) {
	start_named("resolver",
		    "listen-on { " ZONE_RESOLVER "; }; recursion yes; allow-query { any; }; allow-recursion { any; };",
		    "type static-stub; server-addresses { " AUTHORITY "; };");
}

static void start_dnsmasq(void) {
	static char log[128];

	snprintf(log, sizeof(log), "--log-facility=%s/asked.resolver", lab_folder());
	lab_start((const char *const[]){"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
					"--no-hosts", "--user=root", "--pid-file=", "--bind-interfaces",
					"--listen-address=" ZONE_RESOLVER, "--server=/test/" AUTHORITY,
					"--dns-forward-max=5000", "--log-queries", log, NULL});
}

static void start_unbound(void) {
	char text[2048];

	snprintf(
		text, sizeof(text),
		"server:\n username: \"\"\n chroot: \"\"\n directory: \"%1$s\"\n pidfile: \"\"\n"
		" logfile: \"%1$s/asked.resolver\"\n use-syslog: no\n log-queries: yes\n interface: " ZONE_RESOLVER "\n"
		" access-control: 0.0.0.0/0 allow\n do-ip6: no\n module-config: \"iterator\"\n num-threads: 1\n"
		" so-rcvbuf: 4m\n num-queries-per-thread: 4096\n jostle-timeout: 5000\n local-zone: \"test.\" nodefault\n"
		"stub-zone:\n name: \"test\"\n stub-addr: " AUTHORITY "\nremote-control:\n control-enable: no\n",
		lab_folder());
	lab_start((const char *const[]){"unbound", "-d", "-c", lab_write("unbound.conf", text), NULL});
}

const struct zone_resolver zone_resolvers[ZONE_RESOLVERS] = {
	{"dnsmasq", start_dnsmasq}, {"unbound", start_unbound}, {"named", start_bind}};

/* BIND answers as soon as it listens; who asks it does not. */
static void await_answers(void) {
	static const char *const argv[] = {"dig",	    "+short", "+tries=1", "+timeout=1", "@" ZONE_RESOLVER,
					   "twin.lab.test", NULL};

	for (int tries = 0; tries < 30 * lab_slowness(); tries++) {
		if (strcmp(lab_run(argv)->out, "192.0.2.1\n") == 0)
			return;
		lab_sleep_ms(100);
	}
	fail_msg("the resolver does not answer");
}

static void add_addresses(void) {
	static bool added;
	char command[128];

	for (int i = 3; i <= 8 && !added; i++) {
		snprintf(command, sizeof(command),
			 "ip address add 192.0.2.%d/32 dev lo; ip address add 2001:db8::%d/128 dev lo nodad", i, i);
		assert_int_equal(lab_run((const char *const[]){"sh", "-c", command, NULL})->status, 0);
	}
	if (!added)
		lab_run((const char *const[]){"ip", "address", "add", AUTHORITY "/32", "dev", "lo", NULL});
	added = true;
}

void zone_enter(const struct zone_resolver *resolver, const char *more) {
	char text[512];

	lab_enter();
	alarm((unsigned)(PATIENCE_SECONDS * lab_slowness()));
	lab_needs("named");
	lab_needs("dig");
	lab_needs(resolver->program);
	assert_true(lab_allow_files(1 << 14));
	snprintf(text, sizeof(text), "nameserver " ZONE_RESOLVER "\n%s", more);
	mount_text("/etc/resolv.conf", text);
	add_addresses();
	for (int i = 1; i <= 8; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i);
		lab_server(LAB_TLS, text, 443);
		snprintf(text, sizeof(text), "2001:db8::%d", i);
		lab_server(LAB_TLS, text, 443);
	}
	start_authority();
	resolver->start();
	await_answers();
}

int zone_leave(void **state) {
	umount2("/etc/resolv.conf", MNT_DETACH);
	return lab_leave(state);
}

int zone_was_asked(const char *part) {
	char path[128];

	snprintf(path, sizeof(path), "%s/asked.resolver", lab_folder());
	return strstr(lab_read(path), part) != NULL;
}
