/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "option.h"

/* Where Mosquitto's own unit file makes a directory for it. */
#define DEFAULT_HANDOFF "/run/mosquitto/quic.sock"

static bool machine_has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool default_listen(struct listener_options *listener, char *error)
{
	return option_add_listen("listen", "0.0.0.0:14567", listener, error) &&
	       (!machine_has_ipv6() || option_add_listen("listen", "[::]:14567", listener, error));
}

/* server.key for server.crt. NULL: out of memory. */
static char *same_name_key(const char *certfile, size_t folder)
{
	const char *dot = strrchr(certfile + folder, '.');
	size_t stem = dot != NULL ? (size_t)(dot - certfile) : strlen(certfile);
	char *path;

	return asprintf(&path, "%.*s.key", (int)stem, certfile) < 0 ? NULL : path;
}

/*
 * certbot's privkey.pem for its fullchain.pem and cert.pem, and with the numbers of its archive.
 * *path is NULL for other names. False: out of memory.
 */
static bool certbot_key(const char *certfile, size_t folder, char **path)
{
	static const char *const names[] = {"fullchain", "cert"};
	const char *rest = NULL;
	size_t i;

	*path = NULL;
	for (i = 0; i < sizeof(names) / sizeof(names[0]) && rest == NULL; i++)
		if (strncmp(certfile + folder, names[i], strlen(names[i])) == 0)
			rest = certfile + folder + strlen(names[i]);
	if (rest == NULL || strcmp(rest + strspn(rest, "0123456789"), ".pem") != 0)
		return true;
	if (asprintf(path, "%.*sprivkey%s", (int)folder, certfile, rest) >= 0)
		return true;
	*path = NULL;
	return false;
}

/* Takes the first of both that is there, and says what is wrong with it, or that none is. */
static bool choose_keyfile(struct option_files *files, char *first, char *second, char *error)
{
	bool use_second = second != NULL && access(first, F_OK) != 0;
	const char *used = use_second ? second : first;

	if (access(used, R_OK) == 0) {
		files->paths[files->count] = strdup(used);
		return files->paths[files->count++] != NULL || option_fail(error, "out of memory");
	}
	if (use_second && access(second, F_OK) != 0)
		return option_fail(
			error,
			"plugin_opt_keyfile is missing, and neither %s nor %s is next to the "
			"certificate. Name the PEM file of the server's private key",
			first, second);
	return option_fail(
		error,
		"plugin_opt_keyfile is missing, and %s, next to the certificate, cannot be "
		"read: %s. Name the PEM file of the server's private key",
		used, strerror(errno));
}

/* The key next to the certificate. */
static bool default_keyfile(const char *certfile, struct option_files *files, char *error)
{
	const char *slash = strrchr(certfile, '/');
	size_t folder = slash != NULL ? (size_t)(slash + 1 - certfile) : 0;
	char *first = same_name_key(certfile, folder);
	char *second = NULL;
	bool good;

	if (first == NULL || !certbot_key(certfile, folder, &second))
		good = option_fail(error, "out of memory");
	else
		good = choose_keyfile(files, first, second, error);
	free(first);
	free(second);
	return good;
}

static bool default_keyfiles(struct listener_options *listener, char *error)
{
	bool good = true;
	size_t i;

	for (i = 0; good && i < listener->certfiles.count; i++)
		good = default_keyfile(listener->certfiles.paths[i], &listener->keyfiles, error);
	return good;
}

/* A quarter of the machine's memory. */
static uint64_t default_memory_limit(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long page_size = sysconf(_SC_PAGE_SIZE);
	uint64_t quarter =
		pages > 0 && page_size > 0 ? (uint64_t)pages * (uint64_t)page_size / 4 : 0;

	return quarter < MEMORY_LIMIT_MIN ? MEMORY_LIMIT_MIN : quarter;
}

/* Whose it is in the usual place, as of a broker that ran as root, must not keep this one down. */
static bool default_reset_key(struct options *options)
{
	bool locked = access(OPTIONS_RESET_KEY, F_OK) == 0 && access(OPTIONS_RESET_KEY, R_OK) != 0;

	if (options->reset_key_file == NULL && !locked)
		options->reset_key_file = strdup(OPTIONS_RESET_KEY);
	return options->reset_key_file != NULL || locked;
}

/* Beside the hand-off socket, which the broker's user can make as well. */
static bool default_control(struct options *options)
{
	if (asprintf(&options->control, "%s" CONTROL_SUFFIX, options->listeners[0].handoff) >= 0)
		return true;
	options->control = NULL;
	return false;
}

/*
 * A plugin that is loaded from a build tree finds the program there, which is of its own making;
 * one that is installed has none beside it.
 */
static char *default_worker(void)
{
	static const char here = 0;
	char *beside = NULL;
	const char *slash;
	Dl_info found;

	if (dladdr(&here, &found) != 0 && (slash = strrchr(found.dli_fname, '/')) != NULL &&
	    asprintf(&beside, "%.*s/../gateway/mquic-gateway", (int)(slash - found.dli_fname),
		     found.dli_fname) >= 0 &&
	    access(beside, X_OK) == 0)
		return beside;
	free(beside);
	return strdup(MQUIC_GATEWAY);
}

bool options_add_listener_defaults(struct listener_options *listener, char *error)
{
	if (listener->certfiles.count == 0)
		return option_fail(error,
				   "plugin_opt_certfile is missing: name the PEM file of the "
				   "server's certificate");
	if (listener->keyfiles.count == 0 && !default_keyfiles(listener, error))
		return false;
	if (listener->handoff == NULL)
		listener->handoff = strdup(DEFAULT_HANDOFF);
	if (listener->handoff == NULL)
		return option_fail(error, "out of memory");
	return listener->listen_count > 0 || default_listen(listener, error);
}

bool options_add_defaults(struct options *options, char *error)
{
	if (options->memory_limit == 0)
		options->memory_limit = default_memory_limit();
	/* Whether it is there turns out when it is started. */
	if (options->worker == NULL)
		options->worker = default_worker();
	return (options->worker != NULL && default_reset_key(options) &&
		(options->control != NULL || default_control(options))) ||
	       option_fail(error, "out of memory");
}
