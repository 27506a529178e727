/* SPDX-License-Identifier: MIT */
/* Inside of struct tls_session. Only for this room. */
#ifndef MQUIC_TLS_SESSION_H
#define MQUIC_TLS_SESSION_H

#include <gnutls/gnutls.h>

#include "tls/credentials.h"

struct tls_fault;

struct tls_session {
	struct tls_credentials *credentials;
	gnutls_session_t native;
	char name[TLS_NAME_SIZE]; /* what the client dialed, without trailing dot; "" on servers */
	uint8_t address[16];      /* the same as bytes, if it is an address literal */
	size_t address_len;       /* 0: it is a host name */
	const char *purpose;  /* OID that the peer's certificate must serve; NULL: not verified */
	unsigned int verdict; /* GNUTLS_CERT_... bits on it; 0: none so far */
	struct tls_fault *fault; /* what the verdict is about; NULL: nothing is known */
	bool too_many;           /* the peer showed more certificates than are looked at */
	bool verified;           /* the peer showed a certificate and it passed */

	/* A client's, see tls/resume.h. */
	bool expects; /* a ticket, to be kept for `owner` */
	uint8_t owner[TLS_SECRET_LEN];
	uint32_t lifetime_s;       /* of the ticket that comes */
	struct tls_ticket *ticket; /* that came; NULL: none */
};

/* Has the peer's certificate verified as what the session's credentials demand of it. */
void verify_set_up(struct tls_session *session);

#endif
