/* SPDX-License-Identifier: MIT */
/* Lists of certificates that their CAs take back (RFC 5280 section 5). */
#include <gnutls/x509.h>
#include <string.h>

#include "tls/binding.h"
#include "tls/credentials.h"
#include "tls/date.h"
#include "tls/der.h"
#include "tls/file.h"
#include "tls/lifetime.h"

#define OID_DISTRIBUTION_POINT "2.5.29.28"

/* What an issuing distribution point says (RFC 5280 section 5.2.5). */
#define POINT_NAME       DER_CONTEXT(0)
#define POINT_USERS_ONLY 0x81

struct lists {
	gnutls_x509_crl_t *list;
	unsigned int count;
};

/* ---- What is not a whole list -------------------------------------------------- */

/* A list for users' certificates, or from a certain place, is as good as one for all. */
static bool is_whole(gnutls_x509_crl_t list, unsigned int index)
{
	gnutls_datum_t extension;
	gnutls_datum_t rest;
	gnutls_datum_t parts;
	gnutls_datum_t part;
	unsigned char tag;
	bool whole;

	if (gnutls_x509_crl_get_extension_data2(list, index, &extension) != 0)
		return false;
	rest = extension;
	whole = der_take(&rest, &tag, &parts);
	while (whole && der_take(&parts, &tag, &part))
		whole = tag == POINT_NAME || tag == POINT_USERS_ONLY;
	gnutls_free(extension.data);
	return whole;
}

/* RFC 5280 section 5.2: a list with a critical extension that is not known must not be used. */
static bool is_usable(gnutls_x509_crl_t list)
{
	unsigned int critical = 0;
	char oid[128];
	size_t len = sizeof(oid);
	unsigned int i;

	for (i = 0; gnutls_x509_crl_get_extension_info(list, i, oid, &len, &critical) == 0; i++) {
		if (critical && (strcmp(oid, OID_DISTRIBUTION_POINT) != 0 || !is_whole(list, i)))
			return false;
		len = sizeof(oid);
	}
	return true;
}

static enum mquic_status check_usable(const struct lists *lists, const char *path,
				      struct error *error)
{
	unsigned int i;

	for (i = 0; i < lists->count; i++)
		if (!is_usable(lists->list[i]))
			return error_set(error, MQUIC_ERR_TLS,
					 "the revocation list %s is a delta, indirect or partial "
					 "one: fetch the complete list of its CA",
					 tls_file_shown(path));
	return MQUIC_OK;
}

/* ---- Why one was not taken --------------------------------------------------------- */

static enum mquic_status explain_status(gnutls_x509_crl_t list, unsigned int status,
					const char *path, struct error *error)
{
	const char *shown = tls_file_shown(path);
	char date[TLS_DATE_SIZE];

	if (status & GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED)
		return error_set(error, MQUIC_ERR_TLS,
				 "the revocation list %s is outdated since %s: fetch the newest "
				 "from the CA",
				 shown, tls_date(gnutls_x509_crl_get_next_update(list), date));
	if (status & GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE)
		return error_set(error, MQUIC_ERR_TLS,
				 "the revocation list %s is not valid before %s: is the clock here "
				 "right?",
				 shown, tls_date(gnutls_x509_crl_get_this_update(list), date));
	if (status & (GNUTLS_CERT_SIGNER_NOT_CA | GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE))
		return error_set(error, MQUIC_ERR_TLS,
				 "the signer of the revocation list %s may not sign any: its "
				 "certificate must say CA:TRUE and have the key usage cRLSign",
				 shown);
	return error_set(error, MQUIC_ERR_TLS,
			 "the revocation list %s has a signature that does not fit its CA, or is "
			 "too weak: fetch the newest from the CA",
			 shown);
}

static enum mquic_status explain_list(gnutls_x509_trust_list_t trusted, gnutls_x509_crl_t list,
				      const char *path, struct error *error)
{
	gnutls_x509_crt_t issuer = NULL;
	gnutls_datum_t name = {NULL, 0};
	unsigned int status = 0;

	if (gnutls_x509_crl_get_raw_issuer_dn(list, &name) == 0)
		(void)gnutls_x509_trust_list_get_issuer_by_dn(trusted, &name, &issuer, 0);
	gnutls_free(name.data);
	if (issuer == NULL)
		return error_set(error, MQUIC_ERR_TLS,
				 "the revocation list %s is not signed by a CA we trust: put that "
				 "CA into the CA file, or take the list out",
				 tls_file_shown(path));
	(void)gnutls_x509_crl_verify(list, &issuer, 1, 0, &status);
	gnutls_x509_crt_deinit(issuer);
	return status == 0 ? MQUIC_OK : explain_status(list, status, path, error);
}

static enum mquic_status explain(gnutls_x509_trust_list_t trusted, const struct lists *lists,
				 const char *path, struct error *error)
{
	enum mquic_status status = MQUIC_OK;
	unsigned int i;

	for (i = 0; i < lists->count && status == MQUIC_OK; i++)
		status = explain_list(trusted, lists->list[i], path, error);
	if (status != MQUIC_OK)
		return status;
	return error_set(error, MQUIC_ERR_TLS,
			 "the revocation list %s cannot be verified: fetch the newest from the CA",
			 tls_file_shown(path));
}

/* ---- Loading -------------------------------------------------------------------------- */

static void lists_clear(struct lists *lists)
{
	unsigned int i;

	for (i = 0; i < lists->count; i++)
		gnutls_x509_crl_deinit(lists->list[i]);
	gnutls_free(lists->list);
}

static enum mquic_status unreadable(const char *path, int rv, struct error *error)
{
	if (rv == GNUTLS_E_MEMORY_ERROR)
		return tls_no_memory(error);
	return error_set(error, MQUIC_ERR_TLS, "the revocation list %s cannot be read (%s)",
			 tls_file_shown(path), rv == 0 ? "it is empty" : gnutls_strerror(rv));
}

static enum mquic_status add(struct tls_credentials *credentials, const gnutls_datum_t *content,
			     const struct lists *lists, const char *path, struct error *error)
{
	enum mquic_status status = check_usable(lists, path, error);
	gnutls_x509_trust_list_t trusted;
	int rv;

	if (status != MQUIC_OK)
		return status;
	gnutls_certificate_get_trust_list(credentials->native, &trusted);
	/* An unverified list would let whoever can write the file decide; or be of no effect. */
	rv = gnutls_x509_trust_list_add_trust_mem(
		trusted, NULL, content, GNUTLS_X509_FMT_PEM,
		GNUTLS_TL_VERIFY_CRL | GNUTLS_TL_FAIL_ON_INVALID_CRL, 0);
	if (rv == GNUTLS_E_CRL_VERIFICATION_ERROR)
		return explain(trusted, lists, path, error);
	if (rv <= 0)
		return unreadable(path, rv, error);
	return lifetime_add_lists(credentials, lists->list, lists->count, path)
		       ? MQUIC_OK
		       : tls_no_memory(error);
}

static enum mquic_status load(struct tls_credentials *credentials, const gnutls_datum_t *content,
			      const char *path, struct error *error)
{
	struct lists lists = {NULL, 0};
	enum mquic_status status;
	int rv;

	if (!tls_file_contains(content, "-----BEGIN X509 CRL-----"))
		return error_set(error, MQUIC_ERR_TLS,
				 "the revocation list %s is not PEM: convert it with openssl crl "
				 "-inform DER",
				 tls_file_shown(path));
	rv = gnutls_x509_crl_list_import2(&lists.list, &lists.count, content, GNUTLS_X509_FMT_PEM,
					  0);
	if (rv < 0)
		return unreadable(path, rv, error);
	status = add(credentials, content, &lists, path, error);
	lists_clear(&lists);
	return status;
}

enum mquic_status tls_revocation_load(struct tls_credentials *credentials, const char *path,
				      struct error *error)
{
	gnutls_datum_t content;
	enum mquic_status status =
		tls_file_read(&content, "revocation list", path, TLS_BUNDLE_LIMIT, error);

	if (status != MQUIC_OK)
		return status;
	status = load(credentials, &content, path, error);
	/* A server's is about its clients: those with certificates get no tickets. */
	if (status == MQUIC_OK && credentials->role == TLS_CLIENT &&
	    !binding_add(credentials, "revoked", content.data, content.size))
		status = tls_no_memory(error);
	tls_file_free(&content);
	return status;
}
