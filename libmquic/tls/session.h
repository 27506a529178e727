/* SPDX-License-Identifier: MIT */
/* Inside of struct tls_session. Only for this room. */
#ifndef MQUIC_TLS_SESSION_H
#define MQUIC_TLS_SESSION_H

#include <gnutls/gnutls.h>

#include "tls/credentials.h"

/* RFC 1035 section 2.3.4: no host name is longer; 253 and room for a dot and NUL. */
#define TLS_NAME_SIZE 256

struct tls_session {
	struct tls_credentials *credentials;
	gnutls_session_t native;
	char name[TLS_NAME_SIZE]; /* what the client dialed, without trailing dot; "" on servers */
	uint8_t address[16];	  /* the same as bytes, if it is an address literal */
	size_t address_len;	  /* 0: it is a host name */
	/* What GnuTLS compares the peer's certificate with; it keeps the pointer. */
	gnutls_typed_vdata_st demands[2];
	bool verifies; /* a certificate the peer shows must pass */
};

#endif
