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

struct alert_text {
	uint8_t alert;
	const char *text;
};

/* clang-format off: one alert, one line below it */
/* A server told us, its client. */
static const struct alert_text from_server[] = {
	{GNUTLS_A_BAD_CERTIFICATE,
	 "the server refuses our certificate as bad: show one made for clients, not revoked, "
	 "with its own key"},
	{GNUTLS_A_UNSUPPORTED_CERTIFICATE,
	 "the server does not support the kind of our certificate: use P-256 or RSA"},
	{GNUTLS_A_CERTIFICATE_REVOKED,
	 "the server says that our certificate has been revoked: get a new one"},
	{GNUTLS_A_CERTIFICATE_EXPIRED,
	 "the server says that our certificate has expired or is not yet valid: renew it; "
	 "are the clocks right?"},
	{GNUTLS_A_CERTIFICATE_UNKNOWN,
	 "the server does not accept our certificate: its log may say why"},
	{GNUTLS_A_UNKNOWN_CA,
	 "the server does not know the CA of our certificate: use one signed by the CA the "
	 "server verifies clients against"},
	{GNUTLS_A_ACCESS_DENIED, "the server knows our certificate but denies access"},
	{GNUTLS_A_DECRYPT_ERROR,
	 "the server could not check our signature: does the key belong to the certificate?"},
	{GNUTLS_A_UNRECOGNIZED_NAME,
	 "the server does not answer to this name: dial the right host or set the server name"},
};

/* A client told us, its server. */
static const struct alert_text from_client[] = {
	{GNUTLS_A_BAD_CERTIFICATE,
	 "the client refuses our certificate: it may have dialed a name that the certificate "
	 "is not for"},
	{GNUTLS_A_UNSUPPORTED_CERTIFICATE,
	 "the client does not support the kind of our certificate: use P-256 or RSA"},
	{GNUTLS_A_CERTIFICATE_REVOKED,
	 "the client says that our certificate has been revoked: get a new one"},
	{GNUTLS_A_CERTIFICATE_EXPIRED,
	 "the client says that our certificate has expired or is not yet valid: renew it; "
	 "are the clocks right?"},
	{GNUTLS_A_CERTIFICATE_UNKNOWN, "the client does not accept our certificate"},
	{GNUTLS_A_UNKNOWN_CA,
	 "the client does not trust the CA of our certificate: it must be given that CA's "
	 "certificate as CA file"},
	{GNUTLS_A_DECRYPT_ERROR,
	 "the client could not check our signature: does the key belong to the certificate?"},
};

/* Said by either side. */
static const struct alert_text from_any[] = {
	{GNUTLS_A_BAD_CERTIFICATE, "the peer's certificate cannot be read: make a new one"},
	{GNUTLS_A_UNSUPPORTED_CERTIFICATE,
	 "the peer's certificate is of a kind that is not supported here: use P-256 or RSA"},
	{GNUTLS_A_DECRYPT_ERROR, "the peer does not prove that it has the key of its certificate: "
				 "do both belong together?"},
	{GNUTLS_A_CLOSE_NOTIFY, "the handshake was ended without a reason"},
	{GNUTLS_A_UNEXPECTED_MESSAGE, "a TLS message came out of order"},
	{GNUTLS_A_HANDSHAKE_FAILURE,
	 "client and server have no TLS version, cipher, key exchange or signature algorithm "
	 "in common"},
	{GNUTLS_A_ILLEGAL_PARAMETER, "a TLS message was malformed"},
	{GNUTLS_A_DECODE_ERROR, "a TLS message was malformed"},
	{GNUTLS_A_PROTOCOL_VERSION, "the peer does not speak TLS 1.3, which QUIC needs"},
	{GNUTLS_A_INSUFFICIENT_SECURITY, "the peer demands stronger algorithms"},
	{GNUTLS_A_INTERNAL_ERROR, "TLS failed with an internal error: the peer's log may say why"},
	{GNUTLS_A_USER_CANCELED, "the handshake was cancelled"},
	{GNUTLS_A_MISSING_EXTENSION, "the peer's TLS offer lacks a part that QUIC needs"},
};
/* clang-format on */

static const char *find_alert(const struct alert_text *table, size_t count, uint8_t alert)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (table[i].alert == alert)
			return table[i].text;
	return NULL;
}

#define FIND_ALERT(table, alert) find_alert(table, sizeof(table) / sizeof((table)[0]), alert)

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
		text = FIND_ALERT(from_server, alert);
	else if (!sent)
		text = FIND_ALERT(from_client, alert);
	if (text == NULL)
		text = FIND_ALERT(from_any, alert);
	if (text != NULL)
		return error_set(error, MQUIC_ERR_TLS, "%s", text);
	return error_set(error, MQUIC_ERR_TLS, "the TLS handshake failed: %s alert %u (%s)",
			 sent ? "we sent" : "the peer sent", alert,
			 name != NULL ? name : "not a known one");
}
