/* SPDX-License-Identifier: MIT */
/* What TLS alerts (RFC 8446 section 6) mean here, and what usually helps. */
#include <string.h>

#include "core/text.h"
#include "tls/credentials.h"

#define SHOWN_PROTOCOL 40

static const char *peer_noun(const struct tls_credentials *credentials)
{
	return credentials->role == TLS_CLIENT ? "server" : "client";
}

/* What a server tells us, its client. NULL: we know no more than its name. */
static const char *told_by_server(uint8_t alert)
{
	switch (alert) {
	case GNUTLS_A_BAD_CERTIFICATE:
		return "the server refuses our certificate as bad: show one made for clients, not "
		       "revoked, with its own key";
	case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
		return "the server does not support the kind of our certificate: use P-256 or RSA";
	case GNUTLS_A_CERTIFICATE_REVOKED:
		return "the server says that our certificate has been revoked: get a new one";
	case GNUTLS_A_CERTIFICATE_EXPIRED:
		return "the server says that our certificate has expired or is not yet valid: "
		       "renew it; are the clocks right?";
	case GNUTLS_A_CERTIFICATE_UNKNOWN:
		return "the server does not accept our certificate: its log may say why";
	case GNUTLS_A_UNKNOWN_CA:
		return "the server does not know the CA of our certificate: use one signed by the "
		       "CA the server verifies clients against";
	case GNUTLS_A_ACCESS_DENIED:
		return "the server knows our certificate but denies access";
	case GNUTLS_A_DECRYPT_ERROR:
		return "the server could not check our signature: does the key belong to the "
		       "certificate?";
	case GNUTLS_A_UNRECOGNIZED_NAME:
		return "the server does not answer to this name: dial the right host or set the "
		       "server name";
	default:
		return NULL;
	}
}

/* What a client tells us, its server. NULL: we know no more than its name. */
static const char *told_by_client(uint8_t alert)
{
	switch (alert) {
	case GNUTLS_A_BAD_CERTIFICATE:
		return "the client refuses our certificate: it may have dialed a name that the "
		       "certificate is not for";
	case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
		return "the client does not support the kind of our certificate: use P-256 or RSA";
	case GNUTLS_A_CERTIFICATE_REVOKED:
		return "the client says that our certificate has been revoked: get a new one";
	case GNUTLS_A_CERTIFICATE_EXPIRED:
		return "the client says that our certificate has expired or is not yet valid: "
		       "renew it; are the clocks right?";
	case GNUTLS_A_CERTIFICATE_UNKNOWN:
		return "the client does not accept our certificate";
	case GNUTLS_A_UNKNOWN_CA:
		return "the client does not trust the CA of our certificate: it must be given that "
		       "CA's certificate as CA file";
	case GNUTLS_A_DECRYPT_ERROR:
		return "the client could not check our signature: does the key belong to the "
		       "certificate?";
	default:
		return NULL;
	}
}

/* What either side says. NULL: we know no more than its name. */
static const char *told_by_either(uint8_t alert)
{
	switch (alert) {
	case GNUTLS_A_BAD_CERTIFICATE:
		return "the peer's certificate cannot be read: make a new one";
	case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
		return "the peer's certificate is of a kind that is not supported here: use P-256 "
		       "or RSA";
	case GNUTLS_A_DECRYPT_ERROR:
		return "the peer does not prove that it has the key of its certificate: do both "
		       "belong together?";
	case GNUTLS_A_CLOSE_NOTIFY:
		return "the handshake was ended without a reason";
	case GNUTLS_A_UNEXPECTED_MESSAGE:
		return "a TLS message came out of order";
	case GNUTLS_A_HANDSHAKE_FAILURE:
		return "client and server have no TLS version, cipher, key exchange or signature "
		       "algorithm in common";
	case GNUTLS_A_ILLEGAL_PARAMETER:
	case GNUTLS_A_DECODE_ERROR:
		return "a TLS message was malformed";
	case GNUTLS_A_PROTOCOL_VERSION:
		return "the peer does not speak TLS 1.3, which QUIC needs";
	case GNUTLS_A_INSUFFICIENT_SECURITY:
		return "the peer demands stronger algorithms";
	case GNUTLS_A_INTERNAL_ERROR:
		return "TLS failed with an internal error: the peer's log may say why";
	case GNUTLS_A_USER_CANCELED:
		return "the handshake was cancelled";
	case GNUTLS_A_MISSING_EXTENSION:
		return "the peer's TLS offer lacks a part that QUIC needs";
	default:
		return NULL;
	}
}

static enum mquic_status explain_alpn(const struct tls_credentials *credentials, bool sent,
				      struct error *error)
{
	char protocol[SHOWN_PROTOCOL];

	text_printable(protocol, sizeof(protocol), credentials->alpn, strlen(credentials->alpn));
	if (credentials->role == TLS_SERVER && sent)
		return error_set(
			error, MQUIC_ERR_TLS,
			"the client did not offer the application protocol \"%s\": it speaks "
			"another one, or its ALPN setting differs from ours",
			protocol);
	return error_set(
		error, MQUIC_ERR_TLS,
		"the %s does not speak the application protocol \"%s\": is it the right port, "
		"and is the ALPN setting the same there?",
		peer_noun(credentials), protocol);
}

static enum mquic_status explain_missing_certificate(const struct tls_credentials *credentials,
						     bool sent, struct error *error)
{
	if (sent)
		return error_set(error, MQUIC_ERR_TLS,
				 "the %s showed no certificate, but one is required",
				 peer_noun(credentials));
	if (credentials->has_identity)
		return error_set(error, MQUIC_ERR_TLS,
				 "the server requires a certificate, and ours is not from a CA it "
				 "accepts: use one signed by the CA it verifies clients against");
	return error_set(error, MQUIC_ERR_TLS,
			 "the server requires a client certificate: set a certificate and its key");
}

enum mquic_status tls_credentials_explain(const struct tls_credentials *credentials, uint8_t alert,
					  bool sent, struct error *error)
{
	const char *name = gnutls_alert_get_strname((gnutls_alert_description_t)alert);
	const char *text = NULL;

	if (alert == GNUTLS_A_NO_APPLICATION_PROTOCOL)
		return explain_alpn(credentials, sent, error);
	if (alert == GNUTLS_A_CERTIFICATE_REQUIRED)
		return explain_missing_certificate(credentials, sent, error);
	if (!sent && credentials->role == TLS_CLIENT)
		text = told_by_server(alert);
	else if (!sent)
		text = told_by_client(alert);
	if (text == NULL)
		text = told_by_either(alert);
	if (text != NULL)
		return error_set(error, MQUIC_ERR_TLS, "%s", text);
	return error_set(error, MQUIC_ERR_TLS, "the TLS handshake failed: %s alert %u (%s)",
			 sent ? "we sent" : "the peer sent", alert,
			 name != NULL ? name : "not a known one");
}
