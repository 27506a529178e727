/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "neighbours.h"

/* The files of what is loaded; looked at later, for the loader is locked while it tells them. */
struct files {
	char **names;
	size_t count;
};

static int collect(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct files *files = argument;
	char **names;

	(void)size;
	if (info->dlpi_name == NULL || *info->dlpi_name == '\0')
		return 0; /* the broker itself */
	names = realloc(files->names, (files->count + 1) * sizeof(*names));
	if (names == NULL)
		return 1;
	files->names = names;
	names[files->count] = strdup(info->dlpi_name);
	return names[files->count++] == NULL;
}

static void forget(struct files *files)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		free(files->names[i]);
	free(files->names);
}

/* Version 5 of the interface, or those before it. */
static bool is_plugin(const char *file)
{
	void *handle = dlopen(file, RTLD_LAZY | RTLD_NOLOAD);
	bool is;

	if (handle == NULL)
		return false;
	is = dlsym(handle, "mosquitto_plugin_init") != NULL ||
	     dlsym(handle, "mosquitto_auth_plugin_init") != NULL;
	dlclose(handle);
	return is;
}

static bool is_self(const char *file)
{
	static const char here;
	Dl_info info;

	return dladdr(&here, &info) != 0 && info.dli_fname != NULL &&
	       strcmp(info.dli_fname, file) == 0;
}

static int ignore(int event, void *data, void *userdata)
{
	(void)event;
	(void)data;
	(void)userdata;
	return MOSQ_ERR_SUCCESS;
}

/* Its topic of control can be had once, among the plugins that see the same clients. */
bool neighbours_have_dynamic_security(mosquitto_plugin_id_t *id)
{
	static const char topic[] = "$CONTROL/dynamic-security/v1";
	int status = mosquitto_callback_register(id, MOSQ_EVT_CONTROL, ignore, topic, NULL);

	if (status == MOSQ_ERR_SUCCESS)
		mosquitto_callback_unregister(id, MOSQ_EVT_CONTROL, ignore, topic);
	return status == MOSQ_ERR_ALREADY_EXISTS;
}

bool neighbours_find(char *name, size_t size)
{
	struct files files = {NULL, 0};
	bool found = false;
	size_t i;

	dl_iterate_phdr(collect, &files);
	for (i = 0; !found && i < files.count; i++) {
		const char *file = files.names[i];
		const char *slash = file != NULL ? strrchr(file, '/') : NULL;

		found = file != NULL && !is_self(file) && is_plugin(file);
		if (found)
			snprintf(name, size, "%s", slash != NULL ? slash + 1 : file);
	}
	forget(&files);
	return found;
}
