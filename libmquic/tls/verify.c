/* SPDX-License-Identifier: MIT */
/* Whether the peer is who we want to talk to. */
#include <gnutls/x509.h>

#include "tls/chain.h"
#include "tls/names.h"
#include "tls/peer.h"

/* A client's certificate may have any name: what it may do, others decide. */
static void verify_name(struct tls_session *session)
{
	gnutls_x509_crt_t certificate = NULL;

	if (session->credentials->role == TLS_SERVER)
		return;
	if (peer_certificate(session, &certificate) != MQUIC_OK || certificate == NULL ||
	    !names_cover(certificate, session))
		session->verdict |= GNUTLS_CERT_UNEXPECTED_OWNER | GNUTLS_CERT_INVALID;
	if (certificate != NULL)
		gnutls_x509_crt_deinit(certificate);
}

/*
 * GnuTLS' own automatic verification cannot be used: it takes a client without certificate for
 * a failure even where none is required.
 */
static int verify_peer(gnutls_session_t native)
{
	struct tls_session *session = gnutls_db_get_ptr(native);
	unsigned int count = 0;

	if (gnutls_certificate_get_peers(native, &count) == NULL || count == 0)
		return session->credentials->role == TLS_SERVER &&
				       !session->credentials->require_certificate
			       ? 0
			       : GNUTLS_E_CERTIFICATE_REQUIRED;
	if (!chain_verify(session, session->purpose))
		return GNUTLS_E_CERTIFICATE_ERROR;
	verify_name(session);
	session->verified = session->verdict == 0;
	return session->verified ? 0 : GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

/* A certificate that is shown must pass, even where none is required. */
void verify_set_up(struct tls_session *session)
{
	if (session->credentials->insecure)
		return;
	session->purpose = session->credentials->role == TLS_CLIENT ? GNUTLS_KP_TLS_WWW_SERVER
								    : GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_session_set_verify_function(session->native, verify_peer);
}
