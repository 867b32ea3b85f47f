/* SPDX-License-Identifier: BSD-2-Clause */
/* What belongs to a resident instance ──► files in JSON, and back. */
#include "filter/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/message.h"
#include "base/replace.h"

enum { PATH_SIZE = 160, GENERATIONS = 4 /* whose rules are kept; events of older ones have been read long ago */ };

static const char *folder_of(char out[PATH_SIZE], const char *instance) {
	snprintf(out, PATH_SIZE, INSTANCE_ROOT "/%s", instance);
	return out;
}

static const char *file_of(char out[PATH_SIZE], const char *instance, const char *kind, uint64_t number) {
	snprintf(out, PATH_SIZE, INSTANCE_ROOT "/%s/%s-%" PRIu64, instance, kind, number);
	return out;
}

static const char *rules_of(char out[PATH_SIZE], const char *instance, uint32_t number, uint32_t generation) {
	snprintf(out, PATH_SIZE, INSTANCE_ROOT "/%s/rules-%" PRIu32 "-%" PRIu32, instance, number, generation);
	return out;
}

static int begin_file(const char *instance, const char *path, struct replacement *replacement) {
	char folder[PATH_SIZE];

	if (mkdir(folder_of(folder, instance), 0700) && errno != EEXIST)
		return -errno;
	return replace_begin(replacement, path);
}

/* Writes the object and frees it. */
static int put_file(const char *instance, const char *path, struct json_object *object, int error) {
	struct replacement replacement;

	if (!error)
		error = begin_file(instance, path, &replacement);
	if (error) {
		json_object_put(object);
		return error;
	}
	return replace_end(&replacement, json_write(object, 0, replacement.stream));
}

/* NULL with errno set. */
static struct json_object *read_file(const char *path) {
	struct json_object *object;

	errno = 0;
	object = json_object_from_file(path);
	if (!object && errno == 0)
		errno = EBADMSG;
	return object;
}

/* Says what is wrong with a file that is there. Returns the error. */
static int unread(const char *path, int error) {
	if (error == -EBADMSG)
		message_error("%s is damaged: remove it, then detach and attach again what it was of, as `snifence "
			      "status` lists it",
			      path);
	else if (error != -ENOENT)
		message_error("cannot read %s: %s", path, strerror(-error));
	return error;
}

/* ---- members --------------------------------------------------------------------------------------------------- */

static int64_t number_of(const struct json_object *object, const char *key) {
	struct json_object *member;

	return json_object_object_get_ex(object, key, &member) ? json_object_get_int64(member) : 0;
}

/* NULL where there is none. */
static const char *member_text(const struct json_object *object, const char *key) {
	struct json_object *member;

	return json_object_object_get_ex(object, key, &member) ? json_object_get_string(member) : NULL;
}

/* A copy, to be freed; NULL where there is none. No text that is noted is empty and no time 0: json-c makes that of what it
 * has no memory for, without a word. */
static char *text_of(const struct json_object *object, const char *key) {
	const char *text = member_text(object, key);

	return text && *text ? strdup(text) : NULL;
}

/* NULL where there is none; json-c ends the process that asks something else for its length. */
static struct json_object *array_of(const struct json_object *object, const char *key) {
	struct json_object *member;

	return json_object_object_get_ex(object, key, &member) && json_object_is_type(member, json_type_array) ? member
													       : NULL;
}

/* Paths and rules as they are: their bytes are read back. */
static int put_text(struct json_object *object, const char *key, const char *text) {
	return text ? json_put(object, key, json_object_new_string(text)) : 0;
}

/* ---- policies -------------------------------------------------------------------------------------------------- */

static struct json_object *rule_object(const struct rule *rule) {
	struct json_object *object = json_object_new_object();
	int error = put_text(object, "file", rule->file);

	error |= json_put_number(object, "line", rule->line);
	error |= json_put_number(object, "column", rule->column);
	return json_checked(object, error | put_text(object, "text", rule->text));
}

/* An object in a line of its own: a million of them in one take a gigabyte at once. */
static int write_line(struct json_object *object, FILE *out) {
	const char *text = json_text(object);
	int error = text ? 0 : -ENOMEM;

	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(object);
	return error;
}

static int write_rules(struct json_object *head, const struct policy *policy, FILE *out) {
	int error = write_line(head, out);

	for (size_t i = 1; i < policy->rule_count && !error; i++)
		error = write_line(rule_object(&policy->rules[i]), out);
	return error;
}

static int note_rules(const char *instance, const struct ledger_policy *entry, const struct policy *policy) {
	struct json_object *object = json_object_new_object();
	struct replacement replacement;
	char path[PATH_SIZE];
	int error = put_text(object, "file", policy->file);

	error |= put_text(object, "name", policy->name);
	error |= put_text(object, "sha256", entry->sha256);
	error |= json_put_number(object, "mode", policy->mode);
	error |= json_put_number(object, "rules", policy->rule_count - 1);
	error = error ? -ENOMEM
		      : begin_file(instance, rules_of(path, instance, entry->number, entry->generation), &replacement);
	if (!error)
		return replace_end(&replacement, write_rules(object, policy, replacement.stream));
	json_object_put(object);
	return error;
}

/* Returns how many rules are noted for a number, and the generation of the oldest. */
static size_t count_rules(const char *instance, uint32_t number, uint32_t newest, uint32_t *oldest) {
	char path[PATH_SIZE], start[32];
	DIR *folder = opendir(folder_of(path, instance));
	struct dirent *entry;
	uint32_t generation;
	size_t count = 0;

	*oldest = newest;
	snprintf(start, sizeof(start), "rules-%" PRIu32 "-", number);
	while (folder && (entry = readdir(folder))) {
		if (strncmp(entry->d_name, start, strlen(start)) != 0)
			continue;
		generation = (uint32_t)strtoul(entry->d_name + strlen(start), NULL, 10);
		if (newest - generation > newest - *oldest)
			*oldest = generation;
		count++;
	}
	if (folder)
		closedir(folder);
	return count;
}

/* All but so many. Those of a number are counted: all policies of an instance take generations from one counter. */
static void forget_rules(const char *instance, uint32_t number, uint32_t newest, size_t kept) {
	char path[PATH_SIZE];
	uint32_t oldest;

	while (count_rules(instance, number, newest, &oldest) > kept)
		if (unlink(rules_of(path, instance, number, oldest)))
			break;
}

static struct json_object *paths_object(char *const *paths, size_t count) {
	struct json_object *array = json_object_new_array();
	int error = 0;

	for (size_t i = 0; i < count; i++)
		error |= json_add(array, json_object_new_string(paths[i]));
	return json_checked(array, error);
}

/* Returns 0 or -ENOMEM. */
static int read_paths(const struct json_object *object, struct ledger_policy *entry) {
	struct json_object *array = array_of(object, "beside");
	size_t count = array ? json_object_array_length(array) : 0;

	entry->beside = calloc(count + 1, sizeof(*entry->beside));
	for (; entry->beside && entry->beside_count < count; entry->beside_count++) {
		const char *path = json_object_get_string(json_object_array_get_idx(array, entry->beside_count));

		if (!path || !(entry->beside[entry->beside_count] = strdup(path)))
			return -ENOMEM;
	}
	return entry->beside ? 0 : -ENOMEM;
}

int ledger_note_policy(const char *instance, const struct ledger_policy *entry, const struct policy *policy) {
	struct json_object *object = json_object_new_object();
	char path[PATH_SIZE];
	int error = put_text(object, "file", entry->file), noted;

	error |= put_text(object, "name", entry->name);
	error |= put_text(object, "sha256", entry->sha256);
	error |= put_text(object, "tables", entry->tables);
	error |= json_put_number(object, "generation", entry->generation);
	error |= json_put_number(object, "mode", entry->mode);
	error |= json_put_number(object, "audit", entry->audit);
	error |= json_put_number(object, "since", (uint64_t)entry->since);
	error |= json_put(object, "beside", paths_object(entry->beside, entry->beside_count));
	noted = note_rules(instance, entry, policy);
	error = put_file(instance, file_of(path, instance, "policy", entry->number), object, error ? -ENOMEM : noted);
	if (!error)
		forget_rules(instance, entry->number, entry->generation, GENERATIONS);
	return error;
}

static void read_digest(const struct json_object *object, const char *key, char digest[SHA256_HEX]) {
	const char *text = member_text(object, key);

	snprintf(digest, SHA256_HEX, "%s", text ? text : "");
}

int ledger_read_policy(const char *instance, uint32_t number, struct ledger_policy *entry) {
	char path[PATH_SIZE];
	struct json_object *object = read_file(file_of(path, instance, "policy", number));
	int error;

	if (!object)
		return unread(path, -errno);
	*entry = (struct ledger_policy){
		.number = number,
		.generation = (uint32_t)number_of(object, "generation"),
		.file = text_of(object, "file"),
		.name = text_of(object, "name"),
		.mode = (enum snif_mode)number_of(object, "mode"),
		.audit = number_of(object, "audit") != 0,
		.since = number_of(object, "since"),
	};
	read_digest(object, "sha256", entry->sha256);
	read_digest(object, "tables", entry->tables);
	error = read_paths(object, entry);
	json_object_put(object);
	if (!error && entry->file && entry->name && *entry->sha256 && entry->since)
		return 0;
	ledger_policy_free(entry);
	return unread(path, error ? error : -EBADMSG);
}

void ledger_forget_policy(const char *instance, uint32_t number) {
	char path[PATH_SIZE];

	unlink(file_of(path, instance, "policy", number));
	forget_rules(instance, number, 0, 0);
}

int ledger_renew_policy(const char *instance, uint32_t number, uint32_t generation, const char *tables) {
	char path[PATH_SIZE], now[PATH_SIZE];
	struct json_object *object;
	const char *noted;
	int error = 0;

	if (access(rules_of(now, instance, number, generation), F_OK) == 0)
		return 0;
	object = read_file(file_of(path, instance, "policy", number));
	noted = object ? member_text(object, "tables") : NULL;
	if (!noted || strcmp(noted, tables) != 0) {
		error = object || errno == ENOENT ? 0 : -errno;
		json_object_put(object);
		return error;
	}
	if (link(rules_of(path, instance, number, (uint32_t)number_of(object, "generation")), now))
		error = -errno;
	error = error ? error : json_put_number(object, "generation", generation);
	error = put_file(instance, file_of(path, instance, "policy", number), object, error);
	if (!error)
		forget_rules(instance, number, generation, GENERATIONS);
	return error;
}

int ledger_find_policy(const char *instance, const struct filter *filter, const char *file) {
	struct ledger_policy entry;
	int found = 0, error;

	for (uint32_t i = 1; i < SNIF_POLICIES && !found; i++) {
		error = filter_active(filter, i).policy ? ledger_read_policy(instance, i, &entry) : -ENOENT;
		if (error == -ENOENT)
			continue;
		if (error)
			return error;
		if (strcmp(entry.file, file) == 0)
			found = (int)i;
		ledger_policy_free(&entry);
	}
	return found;
}

void ledger_policy_free(struct ledger_policy *entry) {
	for (size_t i = 0; i < entry->beside_count; i++)
		free(entry->beside[i]);
	free(entry->beside);
	free(entry->file);
	free(entry->name);
}

/* Fills in a rule. Returns 0 or -ENOMEM. */
static int read_rule(struct policy *policy, const struct json_object *object, struct rule *rule) {
	char *file = text_of(object, "file"), *text = text_of(object, "text");
	bool same = file && strcmp(file, policy->file) == 0;
	int error = 0;

	/* the texts live as long as the policy */
	rule->file = same ? policy->file : file ? arena_text(&policy->texts, file, strlen(file)) : NULL;
	rule->text = text ? arena_text(&policy->texts, text, strlen(text)) : NULL;
	rule->line = (unsigned)number_of(object, "line");
	rule->column = (unsigned)number_of(object, "column");
	if (!rule->file || !rule->text)
		error = -ENOMEM;
	free(file);
	free(text);
	return error;
}

/* The next line's object; NULL: there is none. */
static struct json_object *read_line(FILE *in) {
	struct json_object *object = NULL;
	char *line = NULL;
	size_t size = 0;

	if (getline(&line, &size, in) > 0)
		object = json_tokener_parse(line);
	free(line);
	return object;
}

/* Reads what note_rules() has written. Returns 0 or a negative errno. */
static int read_rules(FILE *in, struct policy *policy, char sha256[SHA256_HEX]) {
	struct json_object *object = read_line(in);
	size_t count = object ? (size_t)number_of(object, "rules") : 0;
	int error = object ? 0 : -EBADMSG;

	if (!error) {
		policy->file = text_of(object, "file");
		policy->name = text_of(object, "name");
		policy->mode = (enum snif_mode)number_of(object, "mode");
		policy->rules = calloc(count + 1, sizeof(*policy->rules));
		error = policy->file && policy->name && policy->rules ? 0 : -ENOMEM;
		read_digest(object, "sha256", sha256);
	}
	json_object_put(object);
	for (size_t i = 1; i <= count && !error; i++) {
		object = read_line(in);
		error = object ? read_rule(policy, object, &policy->rules[i]) : -EBADMSG;
		json_object_put(object);
	}
	policy->rule_count = error ? 0 : count + 1;
	return error;
}

struct policy *ledger_rules(const char *instance, uint32_t number, uint32_t generation, char sha256[SHA256_HEX]) {
	char path[PATH_SIZE];
	FILE *in = fopen(rules_of(path, instance, number, generation), "re");
	struct policy *policy = in ? calloc(1, sizeof(*policy)) : NULL;
	int error = policy ? read_rules(in, policy, sha256) : -ENOENT;

	if (in)
		fclose(in);
	if (!error)
		return policy;
	policy_free(policy);
	return NULL;
}

/* ---- attachments ----------------------------------------------------------------------------------------------- */

int ledger_note_attachment(const char *instance, const struct ledger_attachment *entry) {
	struct json_object *object = json_object_new_object();
	char path[PATH_SIZE];
	int error = json_put_number(object, "policy", entry->policy);

	error |= put_text(object, "path", entry->path);
	error |= put_text(object, "unit", entry->unit);
	error |= json_put_number(object, "trial", entry->trial);
	error |= json_put_number(object, "trial_until", (uint64_t)entry->trial_until);
	error |= json_put_number(object, "since", (uint64_t)entry->since);
	return put_file(instance, file_of(path, instance, "cgroup", entry->cgroup_id), object, error ? -ENOMEM : 0);
}

int ledger_read_attachment(const char *instance, uint64_t cgroup_id, struct ledger_attachment *entry) {
	char path[PATH_SIZE];
	struct json_object *object = read_file(file_of(path, instance, "cgroup", cgroup_id));
	int error = 0;

	if (!object)
		return unread(path, -errno);
	*entry = (struct ledger_attachment){
		.cgroup_id = cgroup_id,
		.policy = (uint32_t)number_of(object, "policy"),
		.path = text_of(object, "path"),
		.unit = text_of(object, "unit"),
		.trial = (uint64_t)number_of(object, "trial"),
		.trial_until = number_of(object, "trial_until"),
		.since = number_of(object, "since"),
	};
	if (!entry->path || !entry->since || (!entry->unit && member_text(object, "unit")))
		error = -EBADMSG;
	json_object_put(object);
	if (!error)
		return 0;
	ledger_attachment_free(entry);
	return unread(path, error);
}

void ledger_forget_attachment(const char *instance, uint64_t cgroup_id) {
	char path[PATH_SIZE];

	unlink(file_of(path, instance, "cgroup", cgroup_id));
}

int ledger_attachments(const char *instance, bool (*wanted)(void *context, uint64_t cgroup_id),
		       void (*each)(void *context, const struct ledger_attachment *entry), void *context) {
	char path[PATH_SIZE];
	DIR *folder = opendir(folder_of(path, instance));
	struct ledger_attachment attachment;
	struct dirent *entry;
	uint64_t id;
	int end, error = 0, failed;

	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = next_entry(folder, &error))) {
		/* behind a number: a file that a command which was ended has not put in its place */
		if (sscanf(entry->d_name, "cgroup-%" SCNu64 "%n", &id, &end) != 1 || entry->d_name[end] ||
		    (wanted && !wanted(context, id)))
			continue;
		failed = ledger_read_attachment(instance, id, &attachment);
		if (failed && failed != -ENOENT)
			error = failed;
		if (failed)
			continue;
		each(context, &attachment);
		ledger_attachment_free(&attachment);
	}
	closedir(folder);
	return error;
}

void ledger_attachment_free(struct ledger_attachment *entry) {
	free(entry->path);
	free(entry->unit);
}

void ledger_remove(const char *instance) {
	char path[PATH_SIZE], file[PATH_SIZE + 256];
	DIR *folder = opendir(folder_of(path, instance));
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(file);
	}
	if (folder)
		closedir(folder);
	rmdir(path);
}
