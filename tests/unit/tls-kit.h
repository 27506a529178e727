/* SPDX-License-Identifier: MIT */
/* For the tests of tls/: certificates of every sort, and handshakes without sockets. */
#ifndef MQUIC_TESTS_TLS_KIT_H
#define MQUIC_TESTS_TLS_KIT_H

#include <check.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sys/types.h>

#include "tls/tls.h"

#define KIT_DAY 86400L

/* What a certificate says. Strings may be NULL; times are seconds from now. */
struct kit_spec {
	const char *name; /* file name without ending */
	const char *common_name;
	size_t common_name_len;   /* 0: up to the NUL */
	size_t more_common_names; /* so many more times the same */
	const char *second_common_name;
	const char *organization;
	const char *dns[3];
	const char *ip[3];
	const char *uri;
	const char *email;
	const char *alt_names_der; /* the whole extension, in place of the names above */
	size_t alt_names_der_len;
	const char *purpose; /* OID of the extended key usage */
	const char *issuer;  /* name of the CA's file; NULL: self-signed */
	long starts;
	long ends; /* 0: in a year */
	bool ca;
	int path_length;         /* CAs that may be below; 0: no limit, -1: none at all */
	bool no_basic;           /* without basic constraints, so neither CA nor not */
	unsigned int version;    /* 0: 3 */
	unsigned int usage;      /* GNUTLS_KEY_... bits; 0: as a CA or a leaf needs it */
	const char *odd;         /* OID of a critical extension that nobody knows */
	const char *constraints; /* DER of the name constraints */
	size_t constraints_len;
	unsigned int rsa_bits;            /* 0: P-256 */
	gnutls_digest_algorithm_t digest; /* 0: SHA-256 */
};

/* What the usual peers are set to; a test may change them. */
extern struct mquic_settings kit_client;
extern struct mquic_settings kit_server;

/*
 * The fixture: a fresh directory with the CA "ca", its "server" (broker.example, *.wild.example,
 * 127.0.0.1, ::1) and its client "alice", and the stranger's CA "other". kit_client trusts "ca",
 * kit_server is "server" and asks for no certificate.
 */
void kit_open(void);
void kit_close(void);

/* Path of `name` in the directory; valid until kit_close(). */
char *kit_path(const char *name);

/* Writes NAME.crt and NAME.key. */
void kit_make(const struct kit_spec *spec);
/* Writes NAME.crt with the certificates of others, up to NULL, and the first one's key. */
void kit_join(const char *name, const char *const parts[]);
/* Writes NAME.crl of the CA `issuer`, revoking the certificate `victim` (NULL: none). */
void kit_revoke(const char *name, const char *issuer, const char *victim, long next_update);
void kit_write(const char *name, const char *content, mode_t mode);
/* The content, NUL terminated; free() it. */
char *kit_read(const char *name);

/* Settings that point to files of the directory by name; NULL: not set. */
void kit_settings(struct mquic_settings *settings, const char *ca, const char *identity);

/* One handshake in memory. `alert` is what the failing side sent. */
struct kit_handshake {
	struct tls_session *client;
	struct tls_session *server;
	bool complete;
	bool server_failed;
	bool client_failed;
	uint8_t alert;
	struct error client_error;
	struct error server_error;
};

/* Runs a handshake of sessions with these settings. End it with kit_end(). */
void kit_handshake(struct kit_handshake *handshake, const struct mquic_settings *client,
		   const struct mquic_settings *server, const char *server_name);
/* The same with given sessions; one of both may be a GnuTLS session of the test's own. */
void kit_run(struct kit_handshake *handshake, gnutls_session_t client, gnutls_session_t server);
void kit_end(struct kit_handshake *handshake);

/* A session of `settings`, loaded for `role`. */
struct tls_session *kit_session(const struct mquic_settings *settings, enum tls_role role,
				const char *server_name);

/* Expectations: a text says something; loading fails and the sentence says both parts. */
void kit_says(const char *text, const char *part);
void kit_refuses(const struct mquic_settings *settings, enum tls_role role, const char *part,
		 const char *other_part);

/* A handshake of kit_client, dialing `name`, and kit_server is completed ... */
void kit_accepts(const char *name);
/* ... or the client ends it with `alert` and says both parts ... */
void kit_client_refuses(const char *name, uint8_t alert, const char *part, const char *other_part);
/* ... or the server ends it, and each side says its part. */
void kit_server_refuses(uint8_t alert, const char *server_part, const char *client_part);

/* Runs the suite and gives the exit status. */
int kit_main(Suite *suite);

#endif
