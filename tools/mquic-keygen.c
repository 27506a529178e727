/* SPDX-License-Identifier: MIT */
/* mquic-keygen: a certificate authority of your own, and certificates signed by it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/standard-files.h"
#include "keygen/complain.h"
#include "keygen/keygen.h"

/* The CA named in the request, else the one in its directory. */
static bool load_authority(const struct request *request, struct authority *authority)
{
	char *cert = NULL;
	char *key = NULL;
	bool loaded;

	if (request->ca_cert != NULL)
		return authority_load(authority, request->ca_cert, request->ca_key);
	if (asprintf(&cert, "%s/ca.crt", request->dir) < 0)
		return complain("out of memory");
	if (asprintf(&key, "%s/ca.key", request->dir) < 0) {
		free(cert);
		return complain("out of memory");
	}
	loaded = authority_load(authority, cert, key);
	free(cert);
	free(key);
	return loaded;
}

static void report_files(const struct request *request, const struct made *made,
			 const char *cert_path, const char *key_path)
{
	char date[32] = "?";
	struct tm parts;
	size_t i;

	if (gmtime_r(&made->expires, &parts) != NULL)
		(void)strftime(date, sizeof(date), "%Y-%m-%d", &parts);
	(void)printf("Wrote %s: certificate of ", cert_path);
	if (request->host_count == 0)
		(void)printf("%s\"%s\"", request->command == COMMAND_CA ? "the CA " : "the client ",
			     request->common_name);
	for (i = 0; i < request->host_count; i++)
		(void)printf("%s%s", i > 0 ? ", " : "the server ", request->hosts[i]);
	(void)printf(", good until %s%s\n", date, made->shortened ? ", when its CA expires" : "");
	(void)printf("Wrote %s: its private key, keep it secret\n", key_path);
}

/* Absolute: other programs, and above all the broker's configuration, start elsewhere. */
static char *absolute(const char *path)
{
	char *whole = realpath(path, NULL);

	return whole != NULL ? whole : strdup(path);
}

static void print_next(const struct request *request, const char *cert, const char *key)
{
	switch (request->command) {
	case COMMAND_CA:
		(void)printf("Next: mquic-keygen server --dir %s HOST, with the names that clients "
			     "dial.\n"
			     "Clients verify the server with --cafile %s\n",
			     request->dir, cert);
		break;
	case COMMAND_SERVER:
		(void)printf(
			"Next, in mosquitto.conf: plugin_opt_certfile %s\n"
			"                     and plugin_opt_keyfile %s\n"
			"The broker's user must be able to read the key: chown mosquitto '%s'\n",
			cert, key, key);
		break;
	case COMMAND_CLIENT:
		(void)printf("Next: mquic-sub or mquic-pub with --cert '%s' --key '%s'\n", cert,
			     key);
		break;
	}
}

static void report_next(const struct request *request, const char *cert_path, const char *key_path)
{
	char *cert = absolute(cert_path);
	char *key = absolute(key_path);

	if (cert != NULL && key != NULL)
		print_next(request, cert, key);
	free(cert);
	free(key);
}

static bool run(const struct request *request)
{
	struct authority authority = {NULL, NULL};
	bool self_signed = request->command == COMMAND_CA;
	char *cert_path;
	char *key_path;
	struct made made;
	bool done;

	if (!self_signed && !load_authority(request, &authority))
		return false;
	done = make_certificate(request, self_signed ? NULL : &authority, &made);
	authority_clear(&authority);
	if (!done)
		return false;
	done = write_pair(request, &made, &cert_path, &key_path);
	if (done) {
		report_files(request, &made, cert_path, key_path);
		report_next(request, cert_path, key_path);
		free(cert_path);
		free(key_path);
	}
	made_clear(&made);
	return done;
}

int main(int argc, char **argv)
{
	struct request request;

	standard_files_hold();
	switch (parse_arguments(argc, argv, &request)) {
	case PARSE_DONE:
		return EXIT_SUCCESS;
	case PARSE_WRONG:
		return EXIT_USAGE;
	case PARSE_GO_ON:
		break;
	}
	return run(&request) ? EXIT_SUCCESS : EXIT_FAILURE;
}
