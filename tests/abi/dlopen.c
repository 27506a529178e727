/* SPDX-License-Identifier: MIT */
/*
 * A program that loads libmquic at run time, as a plugin or a binding does, uses it and
 * unloads it again: nothing of it may stay behind. Speaks TAP.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mquic.h"

static int count;
static int failed;

static void check(const char *name, bool passed)
{
	printf("%s %d - %s\n", passed ? "ok" : "not ok", ++count, name);
	if (!passed)
		failed = 1;
}

/* dlsym() gives an object pointer; ISO C wants the detour (POSIX, dlsym(3)). */
static void find(void *library, const char *name, void *function)
{
	void *symbol = dlsym(library, name);

	memcpy(function, &symbol, sizeof(symbol));
}

static bool works(void *library)
{
	enum mquic_status (*endpoint_new)(struct mquic_endpoint **);
	void (*endpoint_free)(struct mquic_endpoint *);
	enum mquic_status (*endpoint_process)(struct mquic_endpoint *);
	struct mquic_endpoint *endpoint = NULL;
	bool passed;

	find(library, "mquic_endpoint_new", &endpoint_new);
	find(library, "mquic_endpoint_free", &endpoint_free);
	find(library, "mquic_endpoint_process", &endpoint_process);
	if (endpoint_new == NULL || endpoint_free == NULL || endpoint_process == NULL)
		return false;
	passed = endpoint_new(&endpoint) == MQUIC_OK && endpoint_process(endpoint) == MQUIC_OK;
	endpoint_free(endpoint);
	return passed;
}

static bool loads_and_unloads(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	bool passed;

	if (library == NULL) {
		printf("# %s\n", dlerror());
		return false;
	}
	passed = works(library);
	return dlclose(library) == 0 && passed;
}

int main(int argc, char **argv)
{
	const char *(*version)(void);
	void *library;
	bool again = true;

	if (argc != 2) {
		fprintf(stderr, "usage: dlopen LIBRARY\n");
		return 2;
	}
	check("the library loads, works and unloads", loads_and_unloads(argv[1]));
	for (int i = 0; i < 20; i++)
		again = again && loads_and_unloads(argv[1]);
	check("it does so twenty times over", again);
	library = dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD);
	check("nothing keeps it loaded", library == NULL);
	library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (library != NULL) {
		find(library, "mquic_version", &version);
		check("it knows its version", version != NULL && strcmp(version(), "") != 0);
		dlclose(library);
	}
	printf("1..%d\n", count);
	return failed;
}
