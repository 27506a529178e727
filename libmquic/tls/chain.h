/* SPDX-License-Identifier: MIT */
/*
 * The chain that leads from the peer's certificate to somebody we trust. GnuTLS finds and
 * verifies it; what it does not look at is looked at here, link by link, from the top down.
 */
#ifndef MQUIC_TLS_CHAIN_H
#define MQUIC_TLS_CHAIN_H

#include "tls/session.h"

#include <gnutls/x509.h>

/* As many certificates of a chain as GnuTLS looks at. */
#define CHAIN_MOST 16

/* What is wrong, where a GNUTLS_CERT_... bit alone does not tell. */
enum fault_reason {
	FAULT_OF_STATUS,    /* the bit tells */
	FAULT_PATH_LENGTH,  /* more CAs below `name` than it allows */
	FAULT_KEY_USAGE,    /* `name` signs, but may not sign certificates */
	FAULT_NAMES,        /* `name` may not vouch for these names */
	FAULT_PURPOSE_OF_CA /* `name` may not vouch for servers, or clients */
};

/* The link at which a chain breaks. */
struct tls_fault {
	enum fault_reason reason;
	bool of_leaf;    /* it is the peer's own certificate that is at fault, else `name` */
	char name[56];   /* subject of the certificate at fault, printable */
	char issuer[56]; /* and of its issuer, as it says */
	time_t starts;
	time_t ends;
};

/*
 * Verifies what the peer showed against those we trust and puts the verdict, and where it
 * fails the fault, into the session; names are not compared. `purpose` is the OID of the
 * extended key usage that is needed. False: it cannot be verified at all.
 */
bool chain_verify(struct tls_session *session, const char *purpose);

#endif
