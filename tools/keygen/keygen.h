/* SPDX-License-Identifier: MIT */
/* The parts of mquic-keygen: what was asked for, making certificates, writing files. */
#ifndef MQUIC_TOOLS_KEYGEN_H
#define MQUIC_TOOLS_KEYGEN_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define EXIT_USAGE 2

/* ---- arguments.c ---- */

enum command {
	COMMAND_CA,
	COMMAND_SERVER,
	COMMAND_CLIENT
};

struct request {
	enum command command;
	const char *dir;
	const char *base;    /* files are DIR/BASE.crt and DIR/BASE.key */
	const char *ca_cert; /* NULL: DIR/ca.crt */
	const char *ca_key;
	const char *common_name;
	char **hosts; /* server: names and addresses, not owned */
	size_t host_count;
	long days;
};

enum parse_result {
	PARSE_GO_ON,
	PARSE_DONE, /* help or version has been printed */
	PARSE_WRONG /* and said so */
};

enum parse_result parse_arguments(int argc, char **argv, struct request *request);

/* ---- certificate.c ---- */

/* The CA that signs; native handles, to be freed with authority_clear(). */
struct authority {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
};

struct made {
	gnutls_datum_t certificate; /* PEM, with the issuer if that is an intermediate CA */
	gnutls_datum_t key;         /* PEM, PKCS #8 */
	time_t expires;
	bool shortened; /* to the life of its CA */
};

/* The ASCII form of a host name that may be international; free() it. False: there is none. */
bool ascii_host(const char *host, char **ascii);

bool authority_load(struct authority *authority, const char *cert_path, const char *key_path);
void authority_clear(struct authority *authority);

/* Makes key and certificate; a NULL authority means self-signed. */
bool make_certificate(const struct request *request, const struct authority *authority,
		      struct made *made);
void made_clear(struct made *made);

/* ---- output.c ---- */

/* Reads a regular file of at most 1 MiB; free with free(). */
bool read_file(const char *path, gnutls_datum_t *content);

/*
 * Writes both files or none, and never over anything. The directory is made if it is missing.
 * The paths are for messages, free() them.
 */
bool write_pair(const struct request *request, const struct made *made, char **cert_path,
		char **key_path);

#endif
