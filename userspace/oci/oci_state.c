/* SPDX-License-Identifier: BSD-2-Clause */
/* A container's state, as JSON ──► stage, process, policy. */
#include "oci/oci_state.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/message.h"

#define PREFIX "snifence."

#define SYNCED ".synced"
#define SCOPE ".scope"

enum { MOST_LETTERS = 64, SYNCED_WITHIN_S = 60 };

static int wrong(const char *what) {
	message_error("oci-hook: %s: a container runtime calls this, with a container's state on standard input", what);
	return -EINVAL;
}

/* A member that is a string; NULL when there is none. */
static const char *text_of(struct json_object *object, const char *key) {
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static int read_stage(struct json_object *root, struct oci_state *state) {
	const char *status = text_of(root, "status");
	struct json_object *pid;

	if (status && strcmp(status, "stopped") == 0) {
		state->stage = OCI_STOPPED;
		return 0;
	}
	/* `creating`, or `created` of runtimes that are ahead of themselves: its own process waits for this one */
	if (!status || strncmp(status, "creat", 5) != 0)
		return wrong("the state has no status that is `creating`, `created` or `stopped`");
	if (!json_object_object_get_ex(root, "pid", &pid) || !json_object_is_type(pid, json_type_int) ||
	    json_object_get_int64(pid) <= 1 || json_object_get_int64(pid) > INT_MAX)
		return wrong("the state has no pid (the stage has to be createRuntime)");
	state->pid = (pid_t)json_object_get_int64(pid);
	return 0;
}

/* The namespace as containerd says it, or CRI-O. Where there are both, one is the pod's own word. */
static int read_space(struct json_object *annotations, struct oci_state *state) {
	static const char containerd[] = "io.kubernetes.cri.sandbox-namespace", crio[] = "io.kubernetes.pod.namespace";
	const char *space = text_of(annotations, containerd), *other = text_of(annotations, crio);

	if (space && other && strcmp(space, other) != 0) {
		message_error("oci-hook: %s and %s name two namespaces: remove the one that is written into the pod",
			      containerd, crio);
		return -EINVAL;
	}
	if (!space)
		space = other;
	return space && !(state->space = strdup(space)) ? -ENOMEM : 0;
}

/* One that is misspelt would leave a container open. */
static int read_annotations(struct json_object *root, struct oci_state *state) {
	struct json_object *annotations;

	if (!json_object_object_get_ex(root, "annotations", &annotations) || !annotations)
		return 0;
	if (!json_object_is_type(annotations, json_type_object))
		return wrong("the state's annotations are no object");
	json_object_object_foreach(annotations, key, value) {
		if (strncmp(key, PREFIX, sizeof(PREFIX) - 1) != 0)
			continue;
		if (strcmp(key, OCI_ANNOTATION) != 0 || !json_object_is_type(value, json_type_string)) {
			message_error("oci-hook: there is no annotation %.80s; %s names a policy", key, OCI_ANNOTATION);
			return -EINVAL;
		}
		state->policy = strdup(json_object_get_string(value));
		if (!state->policy)
			return -ENOMEM;
	}
	return read_space(annotations, state);
}

int oci_state_read(const char *text, size_t length, struct oci_state *state) {
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root = NULL;
	int error = 0;

	*state = (struct oci_state){0};
	if (!tokener)
		return -ENOMEM;
	if (length <= INT_MAX)
		root = json_tokener_parse_ex(tokener, text, (int)length);
	json_tokener_free(tokener);
	if (!json_object_is_type(root, json_type_object))
		error = wrong("standard input is no JSON object");
	if (!error && !(text = text_of(root, "id")))
		error = wrong("the state has no id");
	if (!error && !(state->id = strdup(text)))
		error = -ENOMEM;
	if (!error)
		error = read_stage(root, state);
	if (!error)
		error = read_annotations(root, state);
	json_object_put(root);
	if (error)
		oci_state_free(state);
	return error;
}

void oci_state_free(struct oci_state *state) {
	free(state->id);
	free(state->policy);
	free(state->space);
	*state = (struct oci_state){0};
}

/* Letters and digits, and behind the first one also . _ - */
static bool is_name(const char *name) {
	static const char letters[] = "._-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t length = strspn(name, letters);

	return length > 0 && length <= MOST_LETTERS && !name[length] && strchr(letters + 3, name[0]);
}

/* Whether there is such a file: 1 or 0, or -EINVAL after saying why that cannot be told. */
static int is_there(const char *folder, const char *kind, const char *name, char file[PATH_MAX]) {
	snprintf(file, PATH_MAX, "%s/%s%s.yaml", folder, kind, name);
	if (access(file, F_OK) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	message_error("oci-hook: cannot look for %s: %s", file, strerror(errno));
	return -EINVAL;
}

/* Whether what keeps the folder as its source is, if something does, is alive: 1, or -EINVAL after saying why not. */
static int is_synced(const char *folder) {
	char file[PATH_MAX];
	struct stat status;
	long long ago;

	snprintf(file, sizeof(file), "%s/" SYNCED, folder);
	if (stat(file, &status)) {
		if (errno == ENOENT)
			return 1;
		message_error("oci-hook: cannot look for %s: %s", file, strerror(errno));
		return -EINVAL;
	}
	ago = (long long)time(NULL) - status.st_mtime;
	if (llabs(ago) <= SYNCED_WITHIN_S)
		return 1;
	message_error(
		"oci-hook: nothing has kept the policies in %s up to date for %lld seconds: the daemon of this node "
		"has to run for containers that name a policy; without one, remove %s",
		folder, ago, file);
	return -EINVAL;
}

int oci_policy(const char *folder, const struct oci_state *state, char file[PATH_MAX]) {
	const char *name = state->policy;
	int found;

	if (name && !is_name(name)) {
		message_error("oci-hook: %s is the name of a policy in %s, without a path and `.yaml`: letters, "
			      "digits, dots, `_` and `-`",
			      OCI_ANNOTATION, folder);
		return -EINVAL;
	}
	if (name) {
		found = is_there(folder, "", name, file);
		if (found == 0)
			message_error("oci-hook: there is no policy %s: %s is missing", name, file);
		return found == 0 ? -EINVAL : found < 0 ? found : is_synced(folder);
	}
	found = state->space && is_name(state->space) ? is_there(folder, "namespace.", state->space, file) : 0;
	return found ? found : is_there(folder, "", "default", file);
}

static bool ends_with_id(const char *part, size_t length, const char *id) {
	size_t id_length = strlen(id);
	const char *at = part + length - id_length;

	return length >= id_length && strncmp(at, id, id_length) == 0 && (at == part || at[-1] == '-' || at[-1] == ':');
}

/* Whether a part of a path is the id, alone or behind what the runtime puts before it: libpod-ID.scope, cri:ID. */
static bool is_of_container(const char *part, size_t length, const char *id) {
	static const size_t scope = sizeof(SCOPE) - 1;

	return ends_with_id(part, length, id) || (length > scope && strncmp(part + length - scope, SCOPE, scope) == 0 &&
						  ends_with_id(part, length - scope, id));
}

void oci_container_cgroup(char *path, const char *id) {
	char *end = NULL;

	for (char *slash = path; *id && slash && *slash; slash = strchr(slash + 1, '/')) {
		size_t length = strcspn(slash + 1, "/");

		/* `container` below it is podman's own, even where the id is that */
		if (is_of_container(slash + 1, length, id) && !(end && strcmp(slash, "/container") == 0))
			end = slash + 1 + length;
	}
	if (end)
		*end = '\0';
}
