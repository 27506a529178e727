/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "environment.h"

/* A name, or with '*' at its end what names begin with. The manual page tells of them. */
static const char *const kept[] = {
	"LD_LIBRARY_PATH", "LD_PRELOAD",   "GLIBC_TUNABLES", "MALLOC_*",      "GNUTLS_*",
	"ASAN_OPTIONS",    "LSAN_OPTIONS", "TSAN_OPTIONS",   "UBSAN_OPTIONS",
};

static bool is_named(const char *variable, const char *name)
{
	size_t len = strcspn(name, "*");

	return strncmp(variable, name, len) == 0 && (name[len] == '*' || variable[len] == '=');
}

static bool is_kept(const char *variable)
{
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (is_named(variable, kept[i]))
			return true;
	return false;
}

char **environment_of_worker(char *const *all)
{
	size_t count = 0;
	char **some;
	size_t i;

	while (all[count] != NULL)
		count++;
	some = calloc(count + 1, sizeof(*some));
	if (some == NULL)
		return NULL;
	for (i = 0, count = 0; all[i] != NULL; i++)
		if (is_kept(all[i]))
			some[count++] = all[i];
	return some;
}
