/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cgroup that nothing is attached to, a /run of the test's own, and snifence's commands, which attach and detach. A
 * test begins with resident_begin() in the place of lab_enter().
 */
#ifndef SNIF_RESIDENT_H
#define SNIF_RESIDENT_H

#include "lab.h"

/* An entry of cmocka's table: the test, then the clean-up. */
#define resident_test(function) cmocka_unit_test_teardown(function, resident_end)

void resident_begin(void);
/* Unloads what is loaded, too. */
int resident_end(void **state);

const struct cgroup *resident_cgroup(void);

/* A policy that allows these names, a YAML list, at all of the lab's IPv4 servers of 192.0.2.0/24. */
#define RESIDENT_ALLOW(names) "version: 1\ntls: {to: [192.0.2.0/24], allow: [" names "]}\ndns: {servers: none}\n"

/* Runs `build/snifence WORD…` to its end. */
struct lab_program *resident_snifence(const char *const words[]);
/* The same; fails unless it ends with this status. */
struct lab_program *resident_expect(int status, const char *const words[]);
#define resident_says(status, ...) resident_expect(status, (const char *const[]){__VA_ARGS__, NULL})
/* The same where it may fail, and often. */
void resident_anyhow(const char *const words[]);
/* A program whose output nobody wants; there can be any number of them in a test. Returns how it ended. */
int resident_run_quietly(const char *const argv[]);

/* What `snifence status --json` says; to be put back (json_object_put). */
struct json_object *resident_status(void);
/* How many entries it has under `policies` or `attachments`. */
size_t resident_count(const char *key);
/* The state of the only attachment; "" where there is none or there are more. The text lasts until the next call. */
const char *resident_state(void);
/* Of the only policy: how often something was decided for this reason. */
int resident_counter(const char *reason);

/* What is wrong where `status` and what can be done in the cgroup do not go together; NULL: nothing. */
const char *resident_untruth(void);

/* Whether anything is pinned whose path is like the pattern. */
bool resident_is_pinned(const char *pattern);
/* What is pinned under this name in the first instance, as a descriptor. */
int resident_pin(const char *name);

/* Runs `function` in a child in a cgroup. Returns what it returns, 0 to 127. */
int resident_inside(const struct cgroup *cgroup, lab_function function, void *argument);
/* The same in two halves. */
pid_t resident_start(const struct cgroup *cgroup, lab_function function, void *argument);
int resident_finish(pid_t pid);

/* A function for it: sends 192.0.2.1:443 a ClientHello for `name`. 0: the server answers; 1: it does not, within what
 * is patience for a refusal that nobody ends; 2: no connection. */
int resident_greet(void *name);
/* Whether that is answered from inside the cgroup. */
bool resident_reaches(const char *name);

#endif
