/* SPDX-License-Identifier: MIT */
/* Whom we trust: CA file, CA directory or the system's store, and what has been revoked. */
#include <dirent.h>
#include <errno.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/binding.h"
#include "tls/credentials.h"
#include "tls/lifetime.h"
#include "tls/pem.h"

/*
 * Not GNUTLS_TL_USE_IN_TLS: that would list every CA's name in the server's CertificateRequest. A
 * bundle's names do not fit into what a server may send before the client's address is validated
 * (RFC 9000 section 8.1), and a client with a certificate of another CA would silently show
 * none instead of being told that its CA is unknown.
 */
#define TRUST_FLAGS GNUTLS_TL_NO_DUPLICATES

/* Number of certificates in `content`, all of them trusted now; negative: GnuTLS' code. */
static int add_authorities(struct tls_credentials *credentials, const gnutls_datum_t *content)
{
	gnutls_x509_trust_list_t list;

	gnutls_certificate_get_trust_list(credentials->native, &list);
	return gnutls_x509_trust_list_add_trust_mem(list, content, NULL, GNUTLS_X509_FMT_PEM,
						    TRUST_FLAGS, 0);
}

/* Why no CA came out of a file. `rv`: what GnuTLS said of the certificates in it. */
static enum mquic_status not_a_ca(const gnutls_datum_t *content, const char *path, int rv,
				  struct error *error)
{
	const char *mistaken = tls_pem_mistaken(content);

	if (rv == GNUTLS_E_MEMORY_ERROR)
		return tls_no_memory(error);
	if (content->size == 0)
		return error_set(error, MQUIC_ERR_TLS,
				 "the CA file %s is empty: put the CA's certificate into it",
				 tls_file_shown(path));
	if (tls_pem_has_certificate(content))
		return error_set(
			error, MQUIC_ERR_TLS,
			"a certificate in the CA file %s cannot be read (%s): remove or replace it",
			tls_file_shown(path), gnutls_strerror(rv));
	if (mistaken != NULL)
		return error_set(error, MQUIC_ERR_TLS, "the CA file %s %s", tls_file_shown(path),
				 mistaken);
	if (tls_file_contains(content, "PRIVATE KEY-----"))
		return error_set(error, MQUIC_ERR_TLS,
				 "the CA file %s holds a private key but no certificate: name the "
				 "CA's certificate",
				 tls_file_shown(path));
	return error_set(error, MQUIC_ERR_TLS,
			 "the CA file %s holds no PEM certificate: convert DER with openssl x509 "
			 "-inform DER",
			 tls_file_shown(path));
}

static enum mquic_status load_ca_file(struct tls_credentials *credentials, const char *path,
				      struct error *error)
{
	gnutls_datum_t content;
	enum mquic_status status = tls_pem_read(&content, "CA file", path, TLS_BUNDLE_LIMIT, error);
	int rv = 0;

	if (status != MQUIC_OK)
		return status;
	if (tls_pem_has_certificate(&content))
		rv = add_authorities(credentials, &content);
	if (rv <= 0)
		status = not_a_ca(&content, path, rv, error);
	else if (!lifetime_add_authorities(credentials, &content, path) ||
		 !binding_add(credentials, "authority", content.data, content.size))
		status = tls_no_memory(error);
	tls_file_free(&content);
	return status;
}

struct directory_walk {
	size_t bytes; /* of certificates so far */
	int added;
	int unreadable;
};

/* A CA directory also holds keys, lists, notes and dangling links: they are passed over. */
static enum mquic_status load_ca_entry(struct tls_credentials *credentials, const char *path,
				       struct directory_walk *walk, struct error *error)
{
	gnutls_datum_t content;
	struct error ignored;
	enum mquic_status status =
		tls_pem_read(&content, "CA file", path, TLS_BUNDLE_LIMIT - walk->bytes, &ignored);
	int rv = 0;

	if (status == MQUIC_ERR_MEMORY)
		return tls_no_memory(error);
	if (status != MQUIC_OK) {
		walk->unreadable++;
		return MQUIC_OK;
	}
	if (tls_pem_has_certificate(&content)) {
		walk->bytes += content.size;
		rv = add_authorities(credentials, &content);
	}
	if (rv > 0 && (!lifetime_add_authorities(credentials, &content, path) ||
		       !binding_add(credentials, "authority", content.data, content.size)))
		rv = GNUTLS_E_MEMORY_ERROR;
	tls_file_free(&content);
	if (rv == GNUTLS_E_MEMORY_ERROR)
		return tls_no_memory(error);
	if (rv > 0)
		walk->added += rv;
	else if (rv < 0)
		walk->unreadable++;
	return MQUIC_OK;
}

static enum mquic_status walk_directory(struct tls_credentials *credentials, DIR *directory,
					const char *path, struct directory_walk *walk,
					struct error *error)
{
	enum mquic_status status = MQUIC_OK;
	struct dirent *entry;
	char *name;

	while (status == MQUIC_OK && (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&name, "%s/%s", path, entry->d_name) < 0)
			return tls_no_memory(error);
		status = load_ca_entry(credentials, name, walk, error);
		free(name);
	}
	return status;
}

static enum mquic_status load_ca_path(struct tls_credentials *credentials, const char *path,
				      struct error *error)
{
	struct directory_walk walk = {0, 0, 0};
	size_t watched = credentials->lifetime_count;
	enum mquic_status status;
	DIR *directory = opendir(path);

	if (directory == NULL) {
		if (errno == ENOTDIR)
			return error_set(
				error, MQUIC_ERR_TLS,
				"the CA path %s is not a directory: a single file is a CA file",
				tls_file_shown(path));
		(void)error_set_system(error, errno, "cannot open the CA path %s",
				       tls_file_shown(path));
		return MQUIC_ERR_TLS;
	}
	status = walk_directory(credentials, directory, path, &walk, error);
	(void)closedir(directory);
	if (credentials->lifetime_count - watched > LIFETIME_MOST_OF_FILE)
		lifetime_forget(credentials, watched);
	if (status != MQUIC_OK || walk.added > 0)
		return status;
	return error_set(error, MQUIC_ERR_TLS,
			 "no PEM certificate was found in the CA path %s (%d entries of it are no "
			 "readable files)",
			 tls_file_shown(path), walk.unreadable);
}

static enum mquic_status load_system(struct tls_credentials *credentials, struct error *error)
{
	int rv = gnutls_certificate_set_x509_system_trust(credentials->native);

	if (rv > 0 && binding_add(credentials, "authority", "system", 6))
		return MQUIC_OK;
	if (rv > 0 || rv == GNUTLS_E_MEMORY_ERROR)
		return tls_no_memory(error);
	return error_set(error, MQUIC_ERR_TLS,
			 "this system's store of CAs is empty: set a CA file, or install the "
			 "package ca-certificates");
}

static enum mquic_status describe(struct tls_credentials *credentials,
				  const struct mquic_settings *settings, struct error *error)
{
	const char *file = settings->ca_file;
	const char *path = settings->ca_path;
	int rv;

	if (file != NULL && path != NULL)
		rv = asprintf(&credentials->trust, "the CA file %s or the CA path",
			      tls_file_shown(file));
	else if (file != NULL)
		rv = asprintf(&credentials->trust, "the CA file %s", tls_file_shown(file));
	else if (path != NULL)
		rv = asprintf(&credentials->trust, "the CA path %s", tls_file_shown(path));
	else
		rv = asprintf(&credentials->trust, "this system's store of CAs");
	if (rv >= 0)
		return MQUIC_OK;
	credentials->trust = NULL;
	return tls_no_memory(error);
}

enum mquic_status tls_trust_load(struct tls_credentials *credentials,
				 const struct mquic_settings *settings, struct error *error)
{
	bool named = settings->ca_file != NULL || settings->ca_path != NULL;
	enum mquic_status status = describe(credentials, settings, error);

	if (!named && settings->crl_file != NULL)
		return error_set(
			error, MQUIC_ERR_TLS,
			"a revocation list needs the CA that signed it: set a CA file or path");
	if (!named && credentials->require_certificate)
		return error_set(
			error, MQUIC_ERR_TLS,
			"to require client certificates, set a CA file or path to verify them "
			"against");
	if (status == MQUIC_OK && settings->ca_file != NULL)
		status = load_ca_file(credentials, settings->ca_file, error);
	if (status == MQUIC_OK && settings->ca_path != NULL)
		status = load_ca_path(credentials, settings->ca_path, error);
	if (status == MQUIC_OK && settings->crl_file != NULL)
		status = tls_revocation_load(credentials, settings->crl_file, error);
	if (status == MQUIC_OK && !named && credentials->role == TLS_CLIENT &&
	    !credentials->insecure)
		status = load_system(credentials, error);
	if (status == MQUIC_OK && credentials->insecure &&
	    !binding_add(credentials, "insecure", "", 0))
		status = tls_no_memory(error);
	credentials->has_trust = named;
	return status;
}
