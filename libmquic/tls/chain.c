/* SPDX-License-Identifier: MIT */
#include "tls/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tls/constraints.h"

/* One run of GnuTLS down a chain: it shows certificate and issuer of each link, top first. */
struct walk {
	struct tls_session *session;
	const gnutls_datum_t *leaf; /* DER */
	const char *purpose;
	gnutls_x509_crt_t above[CHAIN_MOST + 1]; /* the anchor, and all that passed */
	size_t above_count;
	gnutls_x509_crt_t previous; /* what passed last: the issuer of the next link */
	bool complete;              /* the leaf has passed */
};

/*
 * GnuTLS' callback carries no pointer. This one is set while gnutls_certificate_verify_peers()
 * runs, and never outlives that call.
 */
static _Thread_local struct walk *current;

/* ---- The fault --------------------------------------------------------------- */

static void keep_name(char *text, size_t size, gnutls_datum_t *name)
{
	if (name->data != NULL)
		text_printable(text, size, (const char *)name->data, name->size);
	gnutls_free(name->data);
}

static void describe(struct tls_fault *fault, gnutls_x509_crt_t at)
{
	gnutls_datum_t name = {NULL, 0};

	(void)snprintf(fault->name, sizeof(fault->name), "(without a name)");
	if (gnutls_x509_crt_get_dn3(at, &name, 0) == 0)
		keep_name(fault->name, sizeof(fault->name), &name);
	if (gnutls_x509_crt_get_issuer_dn3(at, &name, 0) == 0)
		keep_name(fault->issuer, sizeof(fault->issuer), &name);
	fault->starts = gnutls_x509_crt_get_activation_time(at);
	fault->ends = gnutls_x509_crt_get_expiration_time(at);
}

/*
 * Without memory for it there is a verdict all the same, only with fewer words. GnuTLS tries a
 * second way up after some faults; that this one leads to nobody is no news.
 */
static void keep_fault(struct walk *walk, gnutls_x509_crt_t at, unsigned int status,
		       enum fault_reason reason)
{
	struct tls_session *session = walk->session;

	if (session->fault != NULL && (status & GNUTLS_CERT_SIGNER_NOT_FOUND))
		return;
	if (session->fault == NULL)
		session->fault = calloc(1, sizeof(*session->fault));
	if (session->fault == NULL)
		return;
	*session->fault = (struct tls_fault){.reason = reason};
	session->fault->of_leaf = gnutls_x509_crt_equals2(at, walk->leaf) != 0;
	describe(session->fault, at);
}

static bool in_its_time(gnutls_x509_crt_t certificate)
{
	time_t now = time(NULL);

	return gnutls_x509_crt_get_activation_time(certificate) <= now &&
	       gnutls_x509_crt_get_expiration_time(certificate) >= now;
}

static bool is_weak(gnutls_x509_crt_t certificate)
{
	unsigned int bits = 0;
	int kind = gnutls_x509_crt_get_pk_algorithm(certificate, &bits);

	return kind < 0 || gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)kind, bits) <
				   GNUTLS_SEC_PARAM_MEDIUM;
}

static bool may_sign(gnutls_x509_crt_t issuer)
{
	unsigned int usage = 0;
	int rv = gnutls_x509_crt_get_key_usage(issuer, &usage, NULL);

	return rv == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ||
	       (rv == 0 && (usage & GNUTLS_KEY_KEY_CERT_SIGN) != 0);
}

static bool is_known(const char *oid)
{
	/* What GnuTLS knows of RFC 5280, 3820, 7633. */
	static const char known[][24] = {
		"2.5.29.14",          "2.5.29.15",          "2.5.29.17", "2.5.29.18",
		"2.5.29.19",          "2.5.29.30",          "2.5.29.31", "2.5.29.32",
		"2.5.29.35",          "2.5.29.37",          "2.5.29.54", "1.3.6.1.5.5.7.1.1",
		"1.3.6.1.5.5.7.1.14", "1.3.6.1.5.5.7.1.24",
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], oid) == 0)
			return true;
	return false;
}

static bool demands_the_unknown(gnutls_x509_crt_t certificate)
{
	unsigned int critical = 0;
	char oid[128];
	size_t len = sizeof(oid);
	unsigned int i;

	for (i = 0; gnutls_x509_crt_get_extension_info(certificate, i, oid, &len, &critical) == 0;
	     i++) {
		if (critical && !is_known(oid))
			return true;
		len = sizeof(oid);
	}
	return false;
}

/* Whether a status of GnuTLS is about the issuer of a link, not about what it issued. */
static bool is_of_issuer(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
			 unsigned int status)
{
	if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		return false;
	if (status & (GNUTLS_CERT_SIGNER_NOT_CA | GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE))
		return true;
	if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		return !in_its_time(issuer);
	if (status & GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS)
		return !demands_the_unknown(certificate);
	if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
		return !is_weak(certificate) && is_weak(issuer);
	return false;
}

/* The lowest CA so far that says how many may be below it. */
static void blame_path_length(struct walk *walk, unsigned int status)
{
	size_t i;
	int path_length;

	for (i = walk->above_count; i > 0; i--)
		if (gnutls_x509_crt_get_basic_constraints(walk->above[i - 1], NULL, NULL,
							  &path_length) >= 0 &&
		    path_length >= 0) {
			keep_fault(walk, walk->above[i - 1], status, FAULT_PATH_LENGTH);
			return;
		}
}

/* The highest CA whose constraints the names break; the issuer if only GnuTLS thinks so. */
static void blame_names(struct walk *walk, gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
			unsigned int status)
{
	gnutls_x509_crt_t at = issuer;
	size_t i;

	for (i = walk->above_count; i > 0; i--)
		if (!constraints_allow(walk->above[i - 1], certificate))
			at = walk->above[i - 1];
	keep_fault(walk, at, status, FAULT_NAMES);
}

/* GnuTLS has one bit for all that an issuer may not do. Path lengths it judges without issuer. */
static void blame(struct walk *walk, gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
		  unsigned int status)
{
	bool constraint = (status & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE) != 0;

	if (issuer == NULL && constraint)
		blame_path_length(walk, status);
	else if (issuer == NULL || !is_of_issuer(certificate, issuer, status))
		keep_fault(walk, certificate, status, FAULT_OF_STATUS);
	else if (constraint && may_sign(issuer))
		blame_names(walk, certificate, issuer, status);
	else if (constraint)
		keep_fault(walk, issuer, status, FAULT_KEY_USAGE);
	else
		keep_fault(walk, issuer, status, FAULT_OF_STATUS);
}

/* ---- One link ------------------------------------------------------------------ */

/* A CA without any purpose serves all of them; so does one with "any". */
static bool serves(gnutls_x509_crt_t issuer, const char *purpose)
{
	char oid[128];
	size_t len;
	unsigned int i;
	int rv;

	for (i = 0;; i++) {
		len = sizeof(oid);
		rv = gnutls_x509_crt_get_key_purpose_oid(issuer, i, oid, &len, NULL);
		if (rv != 0)
			return rv == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE && i == 0;
		if (strcmp(oid, purpose) == 0 || strcmp(oid, GNUTLS_KP_ANY) == 0)
			return true;
	}
}

static void refuse(struct walk *walk, gnutls_x509_crt_t at, unsigned int status,
		   enum fault_reason reason)
{
	walk->session->verdict |= status | GNUTLS_CERT_INVALID;
	keep_fault(walk, at, status, reason);
}

/* RFC 5280 section 6.1.3: names bind all below, but not a CA's own renewal in between. */
static void check_names(struct walk *walk, gnutls_x509_crt_t certificate)
{
	size_t i;

	if (!walk->complete && gnutls_x509_crt_check_issuer(certificate, certificate) != 0)
		return;
	for (i = 0; i < walk->above_count; i++)
		if (!constraints_allow(walk->above[i], certificate))
			refuse(walk, walk->above[i], GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE,
			       FAULT_NAMES);
}

/*
 * Who does not say CA:TRUE is trusted as itself alone, whoever put it among those we trust
 * (RFC 5280 section 4.2.1.9). GnuTLS is told so by a flag; here it is made sure.
 */
static void check_issuer(struct walk *walk, gnutls_x509_crt_t issuer)
{
	if (gnutls_x509_crt_get_ca_status(issuer, NULL) <= 0)
		refuse(walk, issuer, GNUTLS_CERT_SIGNER_NOT_CA, FAULT_OF_STATUS);
	else if (!may_sign(issuer))
		refuse(walk, issuer, GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, FAULT_KEY_USAGE);
	else if (!serves(issuer, walk->purpose))
		refuse(walk, issuer, GNUTLS_CERT_PURPOSE_MISMATCH, FAULT_PURPOSE_OF_CA);
}

/* GnuTLS may try a second way up: what comes below nobody we have seen starts anew. */
static void start_over(struct walk *walk, gnutls_x509_crt_t anchor)
{
	walk->above_count = 0;
	walk->above[walk->above_count++] = anchor;
	walk->session->verdict = 0;
	free(walk->session->fault);
	walk->session->fault = NULL;
}

/*
 * The peer's own certificate is among those we trust. GnuTLS then asks for nothing but its time and
 * strength, and RFC 5280 section 4.2 forbids to use what demands the unknown.
 */
static void check_pinned(struct walk *walk, gnutls_x509_crt_t certificate)
{
	if (demands_the_unknown(certificate))
		refuse(walk, certificate, GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, FAULT_OF_STATUS);
}

static void check_link(struct walk *walk, gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer)
{
	if (walk->previous == NULL || walk->previous != issuer)
		start_over(walk, issuer);
	walk->previous = certificate;
	walk->complete = gnutls_x509_crt_equals2(certificate, walk->leaf) != 0;
	if (gnutls_x509_crt_equals(certificate, issuer) != 0) {
		check_pinned(walk, certificate);
		return;
	}
	check_issuer(walk, issuer);
	check_names(walk, certificate);
	if (walk->above_count < sizeof(walk->above) / sizeof(walk->above[0]))
		walk->above[walk->above_count++] = certificate;
	else
		refuse(walk, certificate, GNUTLS_CERT_INVALID, FAULT_PATH_LENGTH);
}

static int on_link(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer, gnutls_x509_crl_t list,
		   unsigned int status)
{
	if (status != 0)
		blame(current, certificate, issuer, status);
	else if (list == NULL && issuer != NULL)
		check_link(current, certificate, issuer);
	return 0;
}

/* ---- The chain ------------------------------------------------------------------- */

bool chain_verify(struct tls_session *session, const char *purpose)
{
	gnutls_typed_vdata_st demand = {.type = GNUTLS_DT_KEY_PURPOSE_OID};
	struct walk walk = {.session = session, .purpose = purpose};
	unsigned int verdict = 0;
	unsigned int count = 0;
	int rv;

	session->verdict = 0;
	walk.leaf = gnutls_certificate_get_peers(session->native, &count);
	demand.data = (unsigned char *)(uintptr_t)purpose;
	gnutls_session_set_verify_output_function(session->native, on_link);
	current = &walk;
	rv = gnutls_certificate_verify_peers(session->native, &demand, 1, &verdict);
	current = NULL;
	session->too_many = count > CHAIN_MOST;
	session->verdict |= verdict;
	if (rv < 0 || (session->verdict == 0 && !walk.complete))
		session->verdict |= GNUTLS_CERT_INVALID;
	return rv >= 0;
}
