/* SPDX-License-Identifier: MIT */
/* What is wrong with the peer's certificate, in a sentence that also says how to mend it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/text.h"
#include "tls/peer.h"
#include "tls/session.h"

#define SHOWN_NAMES  72
#define SHOWN_ISSUER 56
#define SHOWN_DATE   32

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
	char issuer[SHOWN_ISSUER];

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
		return tls_credentials_explain(session->credentials, alert, sent, error);
	status = explain_verdict(session, certificate, error);
	gnutls_x509_crt_deinit(certificate);
	return status;
}
