/* SPDX-License-Identifier: MIT */
/*
 * A program that unloads libmquic in the middle of a look-up of a name, whose thread comes back to
 * code that must still be there. This program is the resolver. Speaks TAP.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mquic.h"

#define PATIENCE_S 60

static int entered[2]; /* a byte for each look-up that has begun */
static int gate[2];    /* and for each that may end */
static int count;
static int failed;

static void check(const char *name, bool passed)
{
	printf("%s %d - %s\n", passed ? "ok" : "not ok", ++count, name);
	if (!passed)
		failed = 1;
}

/* The library's call comes here, because a program's symbols stand before those of libc. */
__attribute__((visibility("default"))) int getaddrinfo(const char *restrict host,
						       const char *restrict service,
						       const struct addrinfo *restrict hints,
						       struct addrinfo **restrict found)
{
	char byte = 0;

	(void)host;
	(void)service;
	*found = NULL;
	if (hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME; /* asked first, and not by a thread */
	if (write(entered[1], &byte, 1) != 1 || read(gate[0], &byte, 1) != 1)
		return EAI_FAIL;
	return EAI_NONAME;
}

static bool is_entered(void)
{
	struct pollfd wanted = {.fd = entered[0], .events = POLLIN};
	char byte;

	return poll(&wanted, 1, PATIENCE_S * 1000) == 1 && read(entered[0], &byte, 1) == 1;
}

static bool open_gate(void)
{
	return write(gate[1], "", 1) == 1;
}

static int count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int found = 0;

	while (tasks != NULL && readdir(tasks) != NULL)
		found++;
	if (tasks != NULL)
		closedir(tasks);
	return found - 2; /* . and .. */
}

static bool is_alone(void)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int i;

	for (i = 0; count_threads() > 1 && i < PATIENCE_S * 100; i++)
		nanosleep(&pause, NULL);
	return count_threads() == 1;
}

static struct {
	enum mquic_status (*endpoint_new)(struct mquic_endpoint **);
	void (*endpoint_free)(struct mquic_endpoint *);
	enum mquic_status (*endpoint_wait)(struct mquic_endpoint *, int);
	struct mquic_event *(*next_event)(struct mquic_endpoint *);
	void (*event_free)(struct mquic_event *);
	enum mquic_status (*dial)(struct mquic_connection **, struct mquic_endpoint *,
				  const struct mquic_settings *, const char *, uint16_t);
	void (*connection_free)(struct mquic_connection *);
} mquic;

/* dlsym() gives an object pointer; ISO C wants the detour (POSIX, dlsym(3)). */
static bool find(void *library, const char *name, void *function)
{
	void *symbol = dlsym(library, name);

	memcpy(function, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static void *load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (library != NULL && find(library, "mquic_endpoint_new", &mquic.endpoint_new) &&
	    find(library, "mquic_endpoint_free", &mquic.endpoint_free) &&
	    find(library, "mquic_endpoint_wait", &mquic.endpoint_wait) &&
	    find(library, "mquic_endpoint_next_event", &mquic.next_event) &&
	    find(library, "mquic_event_free", &mquic.event_free) &&
	    find(library, "mquic_connection_dial", &mquic.dial) &&
	    find(library, "mquic_connection_free", &mquic.connection_free))
		return library;
	printf("# %s\n", dlerror());
	return NULL;
}

static bool is_loaded(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);

	if (library != NULL)
		dlclose(library);
	return library != NULL;
}

static bool dial(struct mquic_endpoint **endpoint, struct mquic_connection **connection)
{
	return mquic.endpoint_new(endpoint) == MQUIC_OK &&
	       mquic.dial(connection, *endpoint, NULL, "slow.example", 1) == MQUIC_OK &&
	       is_entered();
}

static bool is_told(struct mquic_endpoint *endpoint)
{
	struct mquic_event *event;

	while ((event = mquic.next_event(endpoint)) == NULL)
		if (mquic.endpoint_wait(endpoint, PATIENCE_S * 1000) != MQUIC_OK)
			return false;
	mquic.event_free(event);
	return true;
}

static void unload_after_it(const char *path)
{
	void *library = load(path);
	struct mquic_endpoint *endpoint;
	struct mquic_connection *connection;

	check("a look-up ends and is told",
	      library != NULL && dial(&endpoint, &connection) && open_gate() && is_told(endpoint));
	if (failed)
		return;
	mquic.connection_free(connection);
	mquic.endpoint_free(endpoint);
	check("the library unloads after it", dlclose(library) == 0 && !is_loaded(path));
}

static void unload_meanwhile(const char *path)
{
	void *library = load(path);
	struct mquic_endpoint *endpoint;
	struct mquic_connection *connection;

	check("a look-up is under way", library != NULL && dial(&endpoint, &connection));
	if (failed)
		return;
	mquic.connection_free(connection);
	mquic.endpoint_free(endpoint);
	check("the library may be unloaded meanwhile", dlclose(library) == 0);
	check("it stays for the thread that comes back", is_loaded(path));
	check("which ends in peace", count_threads() == 2 && open_gate() && is_alone());
}

int main(int argc, char **argv)
{
	if (argc != 2 || pipe(entered) != 0 || pipe(gate) != 0) {
		fprintf(stderr, "usage: dlopen-lookup LIBRARY\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	unload_after_it(argv[1]);
	if (!failed)
		unload_meanwhile(argv[1]);
	printf("1..%d\n", count);
	return failed;
}
