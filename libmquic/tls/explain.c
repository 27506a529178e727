/* SPDX-License-Identifier: MIT */
/* What is wrong with the peer's certificate, in a sentence that also says how to mend it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/text.h"
#include "tls/chain.h"
#include "tls/date.h"
#include "tls/peer.h"
#include "tls/session.h"

#define SHOWN_NAMES  72
#define SHOWN_ISSUER 56
#define SHOWN_FAULT  112

/* A CA of the right name with another key is as unknown as one that is not there. */
#define UNKNOWN_CA                                                                                 \
	(GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_SIGNER_NOT_CA)

static const char *peer_noun(const struct tls_session *session)
{
	return session->credentials->role == TLS_CLIENT ? "server" : "client";
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

/* Whether `wanted` is among the DNS names, or the common name if there are no names at all. */
static bool has_text(gnutls_x509_crt_t certificate, const char *wanted, const char *label)
{
	char **names = NULL;
	char *common_name = NULL;
	size_t count = 0;
	size_t i;
	bool found = false;

	(void)peer_alt_names(certificate, &names, &count);
	for (i = 0; i < count && !found; i++)
		found = strncmp(names[i], label, strlen(label)) == 0 &&
			strcasecmp(names[i] + strlen(label), wanted) == 0;
	if (label[0] == '\0' && count == 0 &&
	    peer_common_name(certificate, &common_name) == MQUIC_OK && common_name != NULL)
		found = strcasecmp(common_name, wanted) == 0;
	free(common_name);
	peer_alt_names_free(names, count);
	return found;
}

static enum mquic_status explain_owner(const struct tls_session *session,
				       gnutls_x509_crt_t certificate, struct error *error)
{
	char names[SHOWN_NAMES * 2];
	char wanted[SHOWN_NAMES];
	const char *kind = session->address_len > 0 ? "IP" : "DNS";

	text_printable(wanted, sizeof(wanted), session->name, strlen(session->name));
	if (has_text(certificate, session->name, ""))
		return error_set(error, MQUIC_ERR_TLS,
				 "the server's certificate has %s as its common name only, which "
				 "does not count: make one with the subject alternative name %s:%s",
				 wanted, kind, wanted);
	if (session->address_len > 0 && has_text(certificate, session->name, "DNS:"))
		return error_set(
			error, MQUIC_ERR_TLS,
			"the server's certificate has %s as a DNS name, and addresses must "
			"be IP names: make one with the subject alternative name IP:%s",
			wanted, wanted);
	list_names(certificate, names);
	return error_set(
		error, MQUIC_ERR_TLS,
		"the server's certificate is for %s, not for %s: dial that name, or set it as "
		"the server name",
		names, wanted);
}

/* The issuer that is missing is that of the last certificate shown, not always of the first. */
static enum mquic_status explain_issuer(const struct tls_session *session,
					gnutls_x509_crt_t certificate, struct error *error)
{
	const struct tls_fault *fault = session->fault;
	char issuer[SHOWN_ISSUER + 8];

	if (gnutls_x509_crt_check_issuer(certificate, certificate) == 1)
		(void)snprintf(issuer, sizeof(issuer), "it is self-signed");
	else if (fault != NULL && fault->issuer[0] != '\0')
		(void)snprintf(issuer, sizeof(issuer), "issuer %s", fault->issuer);
	else
		(void)snprintf(issuer, sizeof(issuer), "it names no issuer");
	return error_set(
		error, MQUIC_ERR_TLS,
		"no CA in %s vouches for the %s's certificate (%s): set the CA file to the CA "
		"that signed it",
		session->credentials->trust, peer_noun(session), issuer);
}

static enum mquic_status explain_signature(const struct tls_session *session,
					   const struct tls_fault *fault, struct error *error)
{
	return error_set(
		error, MQUIC_ERR_TLS,
		"the %s that we trust did not sign the %s's certificate, only its namesake "
		"did: set the CA file to the newest certificate of that CA",
		fault->issuer, peer_noun(session));
}

/* "the server's certificate", or "the CA certificate CN=Old CA above it". */
static const char *at_fault(const struct tls_session *session, char text[SHOWN_FAULT])
{
	const struct tls_fault *fault = session->fault;

	if (fault == NULL || fault->of_leaf)
		(void)snprintf(text, SHOWN_FAULT, "the %s's certificate", peer_noun(session));
	else
		(void)snprintf(text, SHOWN_FAULT, "the CA certificate %s above the %s's",
			       fault->name, peer_noun(session));
	return text;
}

static enum mquic_status explain_time(const struct tls_session *session, bool expired,
				      struct error *error)
{
	const struct tls_fault *fault = session->fault;
	char text[SHOWN_FAULT];
	char date[TLS_DATE_SIZE];

	if (!expired)
		return error_set(error, MQUIC_ERR_TLS,
				 "%s is not valid before %s: is the clock here right?",
				 at_fault(session, text),
				 tls_date(fault != NULL ? fault->starts : (time_t)-1, date));
	return error_set(error, MQUIC_ERR_TLS,
			 "%s expired on %s: renew it there, or set the clock here right",
			 at_fault(session, text),
			 tls_date(fault != NULL ? fault->ends : (time_t)-1, date));
}

static enum mquic_status explain_purpose(const struct tls_session *session, struct error *error)
{
	const struct tls_fault *fault = session->fault;
	bool client = session->credentials->role == TLS_CLIENT;

	if (fault != NULL && fault->reason == FAULT_PURPOSE_OF_CA)
		return error_set(error, MQUIC_ERR_TLS,
				 "the CA certificate %s may not vouch for %ss: its extended key "
				 "usage lacks %s",
				 fault->name, peer_noun(session),
				 client ? "serverAuth" : "clientAuth");
	return error_set(
		error, MQUIC_ERR_TLS,
		"the certificate that the %s shows was not made for a %s: make one with the "
		"extended key usage %s",
		peer_noun(session), peer_noun(session), client ? "serverAuth" : "clientAuth");
}

/* Who signed without being allowed to. */
static enum mquic_status explain_signer(const struct tls_session *session, struct error *error)
{
	const struct tls_fault *fault = session->fault;
	const char *noun = peer_noun(session);

	if (fault == NULL)
		return error_set(error, MQUIC_ERR_TLS,
				 "a certificate above the %s's may not sign it", noun);
	switch (fault->reason) {
	case FAULT_PATH_LENGTH:
		return error_set(error, MQUIC_ERR_TLS,
				 "%s allows fewer CAs below it than the %s's chain has: its path "
				 "length constraint says so",
				 fault->name, noun);
	case FAULT_KEY_USAGE:
		return error_set(error, MQUIC_ERR_TLS,
				 "%s signed a certificate of the %s's chain, but its key usage "
				 "lacks keyCertSign: make that CA anew",
				 fault->name, noun);
	case FAULT_NAMES:
		return error_set(error, MQUIC_ERR_TLS,
				 "the CA %s may not vouch for the names in the %s's certificate: "
				 "its name constraints say so",
				 fault->name, noun);
	default:
		return error_set(error, MQUIC_ERR_TLS,
				 "%s signed the %s's certificate, but is no CA: its certificate "
				 "does not say CA:TRUE, so it is trusted as itself alone",
				 fault->name, noun);
	}
}

static enum mquic_status explain_weak(const struct tls_session *session, struct error *error)
{
	char text[SHOWN_FAULT];

	return error_set(error, MQUIC_ERR_TLS,
			 "%s has a weak key or signature (RSA below 2048 bits, SHA-1, MD5): make a "
			 "new one, best P-256 with SHA-256",
			 at_fault(session, text));
}

static enum mquic_status explain_revoked(const struct tls_session *session, struct error *error)
{
	char text[SHOWN_FAULT];

	return error_set(error, MQUIC_ERR_TLS,
			 "%s has been revoked by its CA: the %s needs a new one",
			 at_fault(session, text), peer_noun(session));
}

static enum mquic_status explain_other(const struct tls_session *session, struct error *error)
{
	gnutls_datum_t text = {NULL, 0};
	enum mquic_status status;
	char fault[SHOWN_FAULT];

	if (session->too_many)
		return error_set(error, MQUIC_ERR_TLS,
				 "the %s shows more than %d certificates: it must leave out those "
				 "that do not lead from its own to a CA",
				 peer_noun(session), CHAIN_MOST);
	if (session->verdict & GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS)
		return error_set(error, MQUIC_ERR_TLS,
				 "%s has an extension that is marked critical and not known here: "
				 "make one without it",
				 at_fault(session, fault));
	if (gnutls_certificate_verification_status_print(session->verdict & ~GNUTLS_CERT_INVALID,
							 GNUTLS_CRT_X509, &text, 0) != 0)
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
		return explain_revoked(session, error);
	if (verdict & GNUTLS_CERT_SIGNER_NOT_CA)
		return explain_signer(session, error);
	if ((verdict & GNUTLS_CERT_SIGNATURE_FAILURE) && session->fault != NULL)
		return explain_signature(session, session->fault, error);
	if (verdict & UNKNOWN_CA)
		return explain_issuer(session, certificate, error);
	if (verdict & GNUTLS_CERT_EXPIRED)
		return explain_time(session, true, error);
	if (verdict & GNUTLS_CERT_NOT_ACTIVATED)
		return explain_time(session, false, error);
	if (verdict & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE)
		return explain_signer(session, error);
	if (verdict & GNUTLS_CERT_UNEXPECTED_OWNER)
		return explain_owner(session, certificate, error);
	if (verdict & GNUTLS_CERT_PURPOSE_MISMATCH)
		return explain_purpose(session, error);
	if (verdict & GNUTLS_CERT_INSECURE_ALGORITHM)
		return explain_weak(session, error);
	return explain_other(session, error);
}

/* In the order of explain_verdict(), so that both ends hear of the same reason. */
uint8_t tls_session_alert(const struct tls_session *session, uint8_t alert)
{
	if (session->verdict & GNUTLS_CERT_REVOKED)
		return GNUTLS_A_CERTIFICATE_REVOKED;
	if (session->verdict & UNKNOWN_CA)
		return GNUTLS_A_UNKNOWN_CA;
	/* RFC 8446 section 6.2: "has expired or is not currently valid". */
	if (session->verdict & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		return GNUTLS_A_CERTIFICATE_EXPIRED;
	return alert;
}

/* GnuTLS judges it before we are asked, and ends the handshake with an alert that says nothing. */
static bool lacks_signing(gnutls_x509_crt_t certificate)
{
	unsigned int usage = 0;

	return gnutls_x509_crt_get_key_usage(certificate, &usage, NULL) == 0 &&
	       (usage & GNUTLS_KEY_DIGITAL_SIGNATURE) == 0;
}

static enum mquic_status explain_certificate(const struct tls_session *session,
					     gnutls_x509_crt_t certificate, uint8_t alert,
					     struct error *error)
{
	if (session->verdict != 0)
		return explain_verdict(session, certificate, error);
	if (lacks_signing(certificate))
		return error_set(error, MQUIC_ERR_TLS,
				 "the %s's certificate may not be used with TLS 1.3: its key usage "
				 "lacks digitalSignature; make one that has it",
				 peer_noun(session));
	return tls_credentials_explain(session->credentials, alert, true, error);
}

enum mquic_status tls_session_explain(struct tls_session *session, uint8_t alert, bool sent,
				      struct error *error)
{
	gnutls_x509_crt_t certificate = NULL;
	enum mquic_status status;

	if (!sent || peer_certificate(session, &certificate) != MQUIC_OK || certificate == NULL)
		return tls_credentials_explain(session->credentials, alert, sent, error);
	status = explain_certificate(session, certificate, alert, error);
	gnutls_x509_crt_deinit(certificate);
	return status;
}
