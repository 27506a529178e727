/* SPDX-License-Identifier: MIT */
/* Why a handshake failed, in a sentence that also says how to mend it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/text.h"
#include "tls/peer.h"
#include "tls/session.h"

#define SHOWN_NAMES 72
#define SHOWN_DATE  32

/* A CA of the right name with another key is as unknown as one that is not there. */
#define UNKNOWN_CA                                                                                 \
	(GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_SIGNER_NOT_CA)

static const char *peer_noun(const struct tls_session *session)
{
	return session->credentials->role == TLS_CLIENT ? "server" : "client";
}

static const char *date_text(time_t when, char text[SHOWN_DATE])
{
	struct tm parts;

	if (when == (time_t)-1 || gmtime_r(&when, &parts) == NULL ||
	    strftime(text, SHOWN_DATE, "%Y-%m-%d %H:%M UTC", &parts) == 0)
		(void)snprintf(text, SHOWN_DATE, "an unknown date");
	return text;
}

/* ---- The verdict on the peer's certificate ------------------------------- */

/* "broker.example, 10.0.0.1 and 3 more"; the common name if there is no other. */
static void list_names(gnutls_x509_crt_t certificate, char text[SHOWN_NAMES * 2])
{
	char printable[SHOWN_NAMES];
	char **names = NULL;
	char *common_name = NULL;
	size_t count = 0;
	size_t used = 0;
	size_t i;

	(void)snprintf(text, SHOWN_NAMES * 2, "nobody");
	(void)peer_alt_names(certificate, &names, &count);
	for (i = 0; i < count; i++) {
		const char *name = strchr(names[i], ':') + 1;

		if (used + strlen(name) + 2 > SHOWN_NAMES)
			break;
		text_printable(printable, sizeof(printable), name, strlen(name));
		used += (size_t)sprintf(text + used, "%s%s", used > 0 ? ", " : "", printable);
	}
	if (i < count)
		(void)sprintf(text + used, "%s%zu %s", used > 0 ? " and " : "", count - i,
			      used > 0 ? "more" : "long names");
	if (count == 0 && peer_common_name(certificate, &common_name) == MQUIC_OK &&
	    common_name != NULL) {
		text_printable(printable, sizeof(printable), common_name, strlen(common_name));
		(void)snprintf(text, SHOWN_NAMES * 2, "%s", printable);
	}
	free(common_name);
	peer_alt_names_free(names, count);
}

static enum mquic_status explain_owner(const struct tls_session *session,
				       gnutls_x509_crt_t certificate, struct error *error)
{
	char names[SHOWN_NAMES * 2];
	char wanted[SHOWN_NAMES];

	list_names(certificate, names);
	text_printable(wanted, sizeof(wanted), session->name, strlen(session->name));
	return error_set(
		error, MQUIC_ERR_TLS,
		"the server's certificate is for %s, not for %s: dial that name, or set it as "
		"the server name",
		names, wanted);
}

static enum mquic_status explain_issuer(const struct tls_session *session,
					gnutls_x509_crt_t certificate, struct error *error)
{
	gnutls_datum_t text = {NULL, 0};
	char issuer[SHOWN_NAMES];

	if (gnutls_x509_crt_check_issuer(certificate, certificate) == 1) {
		(void)snprintf(issuer, sizeof(issuer), "it is self-signed");
	} else if (gnutls_x509_crt_get_issuer_dn3(certificate, &text, 0) == 0) {
		size_t used = (size_t)sprintf(issuer, "issuer ");

		text_printable(issuer + used, sizeof(issuer) - used, (const char *)text.data,
			       text.size);
	} else {
		(void)snprintf(issuer, sizeof(issuer), "it names no issuer");
	}
	gnutls_free(text.data);
	return error_set(
		error, MQUIC_ERR_TLS,
		"no CA in %s vouches for the %s's certificate (%s): set the CA file to the CA "
		"that signed it",
		session->credentials->trust, peer_noun(session), issuer);
}

static enum mquic_status explain_expired(const struct tls_session *session,
					 gnutls_x509_crt_t certificate, struct error *error)
{
	time_t end = gnutls_x509_crt_get_expiration_time(certificate);
	char date[SHOWN_DATE];

	if (end != (time_t)-1 && end > time(NULL))
		return error_set(
			error, MQUIC_ERR_TLS,
			"a CA certificate above the %s's certificate has expired: renew the CA",
			peer_noun(session));
	return error_set(
		error, MQUIC_ERR_TLS,
		"the %s's certificate expired on %s: renew it there, or set the clock here right",
		peer_noun(session), date_text(end, date));
}

static enum mquic_status explain_early(const struct tls_session *session,
				       gnutls_x509_crt_t certificate, struct error *error)
{
	char date[SHOWN_DATE];

	return error_set(error, MQUIC_ERR_TLS,
			 "the %s's certificate is not valid before %s: is the clock here right?",
			 peer_noun(session),
			 date_text(gnutls_x509_crt_get_activation_time(certificate), date));
}

static enum mquic_status explain_purpose(const struct tls_session *session, struct error *error)
{
	bool client = session->credentials->role == TLS_CLIENT;

	return error_set(
		error, MQUIC_ERR_TLS,
		"the certificate that the %s shows was not made for a %s: make one with the "
		"extended key usage %s",
		peer_noun(session), peer_noun(session), client ? "serverAuth" : "clientAuth");
}

static enum mquic_status explain_other(const struct tls_session *session, struct error *error)
{
	gnutls_datum_t text = {NULL, 0};
	enum mquic_status status;

	if (gnutls_certificate_verification_status_print(session->verdict, GNUTLS_CRT_X509, &text,
							 0) != 0)
		return error_set(error, MQUIC_ERR_TLS, "the %s's certificate cannot be verified",
				 peer_noun(session));
	status = error_set(error, MQUIC_ERR_TLS, "the %s's certificate cannot be verified: %s",
			   peer_noun(session), (const char *)text.data);
	gnutls_free(text.data);
	return status;
}

/* The gravest finding first: a revoked certificate is not mended by another host name. */
static enum mquic_status explain_verdict(const struct tls_session *session,
					 gnutls_x509_crt_t certificate, struct error *error)
{
	unsigned int verdict = session->verdict;

	if (verdict & GNUTLS_CERT_REVOKED)
		return error_set(
			error, MQUIC_ERR_TLS,
			"the %s's certificate has been revoked by its CA: the %s needs a new one",
			peer_noun(session), peer_noun(session));
	if (verdict & UNKNOWN_CA)
		return explain_issuer(session, certificate, error);
	if (verdict & GNUTLS_CERT_EXPIRED)
		return explain_expired(session, certificate, error);
	if (verdict & GNUTLS_CERT_NOT_ACTIVATED)
		return explain_early(session, certificate, error);
	if (verdict & GNUTLS_CERT_UNEXPECTED_OWNER)
		return explain_owner(session, certificate, error);
	if (verdict & GNUTLS_CERT_PURPOSE_MISMATCH)
		return explain_purpose(session, error);
	if (verdict & GNUTLS_CERT_INSECURE_ALGORITHM)
		return error_set(
			error, MQUIC_ERR_TLS,
			"the %s's certificate, or a CA above it, uses a weak algorithm or key: "
			"make a new one, best P-256 with SHA-256",
			peer_noun(session));
	return explain_other(session, error);
}

/* ---- Alerts (RFC 8446 section 6) ------------------------------------------ */

struct alert_text {
	uint8_t alert;
	const char *text;
};

/* A server told us, its client. */
static const struct alert_text from_server[] = {
	{GNUTLS_A_BAD_CERTIFICATE, "the server refuses our certificate as bad: show one made for "
				   "clients, not revoked, with its own key"},
	{GNUTLS_A_UNSUPPORTED_CERTIFICATE,
	 "the server does not support the kind of our certificate: "
	 "use P-256 or RSA"},
	{GNUTLS_A_CERTIFICATE_REVOKED,
	 "the server says that our certificate has been revoked: get a "
	 "new one"},
	{GNUTLS_A_CERTIFICATE_EXPIRED,
	 "the server says that our certificate has expired: renew it"},
	{GNUTLS_A_CERTIFICATE_UNKNOWN,
	 "the server does not accept our certificate: its log may say "
	 "why"},
	{GNUTLS_A_UNKNOWN_CA,
	 "the server does not know the CA of our certificate: use one signed by "
	 "the CA the server verifies clients against"},
	{GNUTLS_A_ACCESS_DENIED, "the server knows our certificate but denies access"},
	{GNUTLS_A_DECRYPT_ERROR, "the server could not check our signature: does the key belong to "
				 "the certificate?"},
	{GNUTLS_A_UNRECOGNIZED_NAME,
	 "the server does not answer to this name: dial the right host or "
	 "set the server name"},
};

/* A client told us, its server. */
static const struct alert_text from_client[] = {
	{GNUTLS_A_BAD_CERTIFICATE, "the client refuses our certificate: it may have dialed a name "
				   "that the certificate is not for"},
	{GNUTLS_A_UNSUPPORTED_CERTIFICATE,
	 "the client does not support the kind of our certificate: "
	 "use P-256 or RSA"},
	{GNUTLS_A_CERTIFICATE_REVOKED,
	 "the client says that our certificate has been revoked: get a "
	 "new one"},
	{GNUTLS_A_CERTIFICATE_EXPIRED,
	 "the client says that our certificate has expired: renew it"},
	{GNUTLS_A_CERTIFICATE_UNKNOWN, "the client does not accept our certificate"},
	{GNUTLS_A_UNKNOWN_CA,
	 "the client does not trust the CA of our certificate: it must be given "
	 "that CA's certificate as CA file"},
	{GNUTLS_A_DECRYPT_ERROR, "the client could not check our signature: does the key belong to "
				 "the certificate?"},
};

/* Said by either side. */
static const struct alert_text from_any[] = {
	{GNUTLS_A_CLOSE_NOTIFY, "the handshake was ended without a reason"},
	{GNUTLS_A_UNEXPECTED_MESSAGE, "a TLS message came out of order"},
	{GNUTLS_A_HANDSHAKE_FAILURE,
	 "client and server have no TLS version, cipher, key exchange or signature "
	 "algorithm in common"},
	{GNUTLS_A_ILLEGAL_PARAMETER, "a TLS message was malformed"},
	{GNUTLS_A_DECODE_ERROR, "a TLS message was malformed"},
	{GNUTLS_A_PROTOCOL_VERSION, "the peer does not speak TLS 1.3, which QUIC needs"},
	{GNUTLS_A_INSUFFICIENT_SECURITY, "the peer demands stronger algorithms"},
	{GNUTLS_A_INTERNAL_ERROR, "TLS failed with an internal error: the peer's log may say why"},
	{GNUTLS_A_USER_CANCELED, "the handshake was cancelled"},
	{GNUTLS_A_MISSING_EXTENSION, "the peer's TLS offer lacks a part that QUIC needs"},
};

static const char *find_alert(const struct alert_text *table, size_t count, uint8_t alert)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (table[i].alert == alert)
			return table[i].text;
	return NULL;
}

#define FIND_ALERT(table, alert) find_alert(table, sizeof(table) / sizeof((table)[0]), alert)

static enum mquic_status explain_alpn(const struct tls_session *session, bool sent,
				      struct error *error)
{
	char protocol[SHOWN_NAMES];

	text_printable(protocol, sizeof(protocol), session->credentials->alpn,
		       strlen(session->credentials->alpn));
	if (session->credentials->role == TLS_SERVER && sent)
		return error_set(
			error, MQUIC_ERR_TLS,
			"the client did not offer the application protocol \"%s\": it speaks "
			"another one, or its ALPN setting differs from ours",
			protocol);
	return error_set(
		error, MQUIC_ERR_TLS,
		"the %s does not speak the application protocol \"%s\": is it the right port, "
		"and is the ALPN setting the same there?",
		peer_noun(session), protocol);
}

static enum mquic_status explain_missing_certificate(const struct tls_session *session, bool sent,
						     struct error *error)
{
	if (sent)
		return error_set(error, MQUIC_ERR_TLS,
				 "the %s showed no certificate, but one is required",
				 peer_noun(session));
	if (session->credentials->has_identity)
		return error_set(error, MQUIC_ERR_TLS,
				 "the server requires a certificate, and ours is not from a CA it "
				 "accepts: use one signed by the CA it verifies clients against");
	return error_set(error, MQUIC_ERR_TLS,
			 "the server requires a client certificate: set a certificate and its key");
}

static enum mquic_status explain_alert(const struct tls_session *session, uint8_t alert, bool sent,
				       struct error *error)
{
	const char *name = gnutls_alert_get_strname((gnutls_alert_description_t)alert);
	const char *text = NULL;

	if (alert == GNUTLS_A_NO_APPLICATION_PROTOCOL)
		return explain_alpn(session, sent, error);
	if (alert == GNUTLS_A_CERTIFICATE_REQUIRED)
		return explain_missing_certificate(session, sent, error);
	if (!sent && session->credentials->role == TLS_CLIENT)
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

/* In the order of explain_verdict(), so that both ends hear of the same reason. */
uint8_t tls_session_alert(const struct tls_session *session, uint8_t alert)
{
	if (session->verdict & GNUTLS_CERT_REVOKED)
		return GNUTLS_A_CERTIFICATE_REVOKED;
	if (session->verdict & UNKNOWN_CA)
		return GNUTLS_A_UNKNOWN_CA;
	if (session->verdict & GNUTLS_CERT_EXPIRED)
		return GNUTLS_A_CERTIFICATE_EXPIRED;
	return alert;
}

enum mquic_status tls_session_explain(struct tls_session *session, uint8_t alert, bool sent,
				      struct error *error)
{
	gnutls_x509_crt_t certificate = NULL;
	enum mquic_status status;

	if (!sent || session->verdict == 0 || peer_certificate(session, &certificate) != MQUIC_OK ||
	    certificate == NULL)
		return explain_alert(session, alert, sent, error);
	status = explain_verdict(session, certificate, error);
	gnutls_x509_crt_deinit(certificate);
	return status;
}
