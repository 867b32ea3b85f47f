/* SPDX-License-Identifier: BSD-2-Clause */
/* What is not as it should be: each one sentence, and what to do about it. */
#ifndef SNIF_FINDINGS_H
#define SNIF_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

/* The word of each kind, for programs. */
#define FINDING_KINDS(X)                                                                                               \
	X(PROGRAM_DIFFERS, "program_differs")                                                                          \
	X(PROGRAM_MISSING, "program_missing")                                                                          \
	X(NOTE_MISSING, "note_missing")                                                                                \
	X(FILE_UNREADABLE, "file_unreadable")                                                                          \
	X(FILE_DIFFERS, "file_differs")                                                                                \
	X(SETTINGS_DIFFER, "settings_differ")                                                                          \
	X(TABLE_MISSING, "table_missing")                                                                              \
	X(ENTRY_DIFFERS, "entry_differs")                                                                              \
	X(HALF_DONE, "half_done")                                                                                      \
	X(NO_POLICY, "no_policy")                                                                                      \
	X(UNIT_RESTARTED, "unit_restarted")                                                                            \
	X(CGROUP_RECREATED, "cgroup_recreated")                                                                        \
	X(CAPABILITY, "capability")                                                                                    \
	X(REACHES_STATE, "reaches_state")                                                                              \
	X(PACKET_SOCKET, "packet_socket")                                                                              \
	X(OLDER_SOCKET, "older_socket")

#define FINDING_KIND(constant, word) FINDING_##constant,
enum finding_kind { FINDING_KINDS(FINDING_KIND) FINDING_KIND_COUNT };
#undef FINDING_KIND

/* The word of a kind, like `entry_differs`. */
const char *finding_word(enum finding_kind kind);

struct finding {
	enum finding_kind kind;
	char *about; /* a cgroup or a file */
	char *text, *advice;
};

struct findings {
	struct finding *items;
	size_t count;
	bool incomplete; /* out of memory, or something could not be looked at: what is told is not all */
};

/* Adds one; `format` is its sentence. */
void findings_add(struct findings *findings, enum finding_kind kind, const char *about, const char *advice,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));

void findings_print(const struct findings *findings);
/* One JSON object. Returns 0 or a negative errno. */
int findings_print_json(const struct findings *findings);

void findings_free(struct findings *findings);

#endif
