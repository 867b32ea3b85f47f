/* SPDX-License-Identifier: BSD-2-Clause */
/* config.json ──► the same with a hook and an annotation. */
#include "oci/oci_config.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/message.h"
#include "base/replace.h"
#include "oci/oci_state.h"

enum { CONFIG_LIMIT = 16 << 20 };

static const char variable[] = "SNIFENCE_POLICY=";

/* The member of that type, made where it is missing. NULL: no memory, or it is of another type. */
static struct json_object *member(struct json_object *object, const char *key, enum json_type type) {
	struct json_object *value;

	if (json_object_object_get_ex(object, key, &value) && value)
		return json_object_is_type(value, type) ? value : NULL;
	value = type == json_type_array ? json_object_new_array() : json_object_new_object();
	return json_put(object, key, value) ? NULL : value;
}

static int add_hook(struct json_object *hooks, const char *stage, const char *program) {
	struct json_object *list = member(hooks, stage, json_type_array), *hook = json_object_new_object(),
			   *arguments = json_object_new_array();
	int error = list ? 0 : -EINVAL;

	error |= json_add(arguments, json_object_new_string("snifence"));
	error |= json_add(arguments, json_object_new_string("oci-hook"));
	error |= json_put(hook, "path", json_object_new_string(program));
	error |= json_put(hook, "args", arguments);
	if (!list) {
		json_object_put(hook);
		return error;
	}
	return json_add(list, json_checked(hook, error));
}

/* What the container's environment says; `default` where it says nothing. */
static const char *policy_of(struct json_object *config) {
	struct json_object *process, *list;
	size_t count = 0;

	if (json_object_object_get_ex(config, "process", &process) &&
	    json_object_object_get_ex(process, "env", &list) && json_object_is_type(list, json_type_array))
		count = json_object_array_length(list);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));

		if (text && strncmp(text, variable, sizeof(variable) - 1) == 0)
			return text + sizeof(variable) - 1;
	}
	return "default";
}

static int change(struct json_object *config, const char *program) {
	struct json_object *hooks = member(config, "hooks", json_type_object),
			   *annotations = member(config, "annotations", json_type_object);
	int error = hooks && annotations ? 0 : -EINVAL;

	if (!error && !json_object_object_get_ex(annotations, OCI_ANNOTATION, NULL))
		error = json_put(annotations, OCI_ANNOTATION, json_object_new_string(policy_of(config)));
	if (!error)
		error = add_hook(hooks, "createRuntime", program);
	return error ? error : add_hook(hooks, "poststop", program);
}

static int write_config(const char *path, struct json_object *config) {
	const char *text = json_text(config);
	struct replacement file;
	int error = text ? replace_begin(&file, path) : -ENOMEM;

	if (error)
		return error;
	return replace_end(&file, fputs(text, file.stream) < 0 ? -EIO : 0);
}

int oci_config_add_hook(const char *bundle, const char *program) {
	char path[PATH_MAX];
	struct json_object *config = NULL;
	const char *message;
	size_t length;
	char *text;
	int error;

	snprintf(path, sizeof(path), "%s/config.json", bundle);
	text = file_read(path, CONFIG_LIMIT, &length, &message);
	if (!text) {
		message_error("oci-runtime: %s cannot be read: %s", path, message);
		return -EIO;
	}
	config = json_tokener_parse(text);
	free(text);
	error = json_object_is_type(config, json_type_object) ? change(config, program) : -EINVAL;
	if (!error)
		error = write_config(path, config);
	json_object_put(config);
	if (error)
		message_error("oci-runtime: cannot put the hook into %s: %s", path,
			      error == -EINVAL ? "it is no configuration of a container" : strerror(-error));
	return error;
}
