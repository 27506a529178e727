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
	/* What the peer's certificate is compared with. */
	gnutls_typed_vdata_st demands[2];
	unsigned int demand_count; /* 0: certificates are not verified */
	unsigned int verdict;	   /* GNUTLS_CERT_... bits against it; 0: none so far */
	bool verified;		   /* the peer showed a certificate and it passed */
};

#endif
