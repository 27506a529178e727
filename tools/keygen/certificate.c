/* SPDX-License-Identifier: MIT */
/* X.509 certificates as RFC 5280 wants them. */
#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "keygen.h"

#define SERIAL_LEN 16
#define KEY_ID_LEN 64
#define DAY        ((time_t)86400)
/* Clocks of small devices run late; a certificate made now must already be good for them. */
#define HEAD_START ((time_t)3600)

/* ---- The CA that signs ----------------------------------------------------- */

static bool matches(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
	unsigned char of_certificate[KEY_ID_LEN];
	unsigned char of_key[KEY_ID_LEN];
	size_t certificate_len = sizeof(of_certificate);
	size_t key_len = sizeof(of_key);

	return gnutls_x509_crt_get_key_id(certificate, 0, of_certificate, &certificate_len) == 0 &&
	       gnutls_x509_privkey_get_key_id(key, 0, of_key, &key_len) == 0 &&
	       certificate_len == key_len && memcmp(of_certificate, of_key, key_len) == 0;
}

static bool import_certificate(struct authority *authority, const char *path)
{
	gnutls_datum_t content;
	int rv;

	if (!read_file(path, &content))
		return false;
	rv = gnutls_x509_crt_init(&authority->certificate);
	if (rv == 0)
		rv = gnutls_x509_crt_import(authority->certificate, &content, GNUTLS_X509_FMT_PEM);
	free(content.data);
	if (rv != 0)
		return complain("%s is not a certificate in PEM (%s)", path, gnutls_strerror(rv));
	if (gnutls_x509_crt_get_ca_status(authority->certificate, NULL) <= 0)
		return complain(
			"%s is not the certificate of a CA: name the one that mquic-keygen ca made",
			path);
	if (gnutls_x509_crt_get_expiration_time(authority->certificate) <= time(NULL))
		return complain(
			"the CA certificate %s has expired: make a new CA in another directory",
			path);
	return true;
}

static bool import_key(struct authority *authority, const char *path)
{
	gnutls_datum_t content;
	int rv;

	if (!read_file(path, &content))
		return false;
	rv = gnutls_x509_privkey_init(&authority->key);
	if (rv == 0)
		rv = gnutls_x509_privkey_import2(authority->key, &content, GNUTLS_X509_FMT_PEM,
						 NULL, 0);
	explicit_bzero(content.data, content.size);
	free(content.data);
	if (rv == GNUTLS_E_DECRYPTION_FAILED)
		return complain(
			"%s is protected by a pass phrase: remove it with openssl pkey -in FILE "
			"-out NEWFILE",
			path);
	if (rv != 0)
		return complain("%s is not a private key in PEM (%s)", path, gnutls_strerror(rv));
	return true;
}

bool authority_load(struct authority *authority, const char *cert_path, const char *key_path)
{
	*authority = (struct authority){NULL, NULL};
	if (import_certificate(authority, cert_path) && import_key(authority, key_path)) {
		if (matches(authority->certificate, authority->key))
			return true;
		(void)complain(
			"%s is not the key of the CA %s: name the pair that was made together",
			key_path, cert_path);
	}
	authority_clear(authority);
	return false;
}

void authority_clear(struct authority *authority)
{
	if (authority->certificate != NULL)
		gnutls_x509_crt_deinit(authority->certificate);
	if (authority->key != NULL)
		gnutls_x509_privkey_deinit(authority->key);
	*authority = (struct authority){NULL, NULL};
}

/* ---- A certificate, part by part; each returns GnuTLS' code ------------------ */

/* RFC 5280 section 4.1.2.2: positive and not zero; 126 random bits do not collide. */
static int set_serial(gnutls_x509_crt_t certificate)
{
	unsigned char serial[SERIAL_LEN];
	int rv = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	if (rv != 0)
		return rv;
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);
	return gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial));
}

static int set_validity(gnutls_x509_crt_t certificate, const struct request *request,
			const struct authority *authority, struct made *made)
{
	time_t now = time(NULL);
	time_t start = now - HEAD_START;
	time_t ca_end;
	int rv;

	made->expires = now + request->days * DAY;
	if (made->expires <= start)
		start = made->expires - DAY;
	if (authority != NULL) {
		ca_end = gnutls_x509_crt_get_expiration_time(authority->certificate);
		made->shortened = ca_end != (time_t)-1 && made->expires > ca_end;
		if (made->shortened)
			made->expires = ca_end;
	}
	rv = gnutls_x509_crt_set_activation_time(certificate, start);
	if (rv != 0)
		return rv;
	return gnutls_x509_crt_set_expiration_time(certificate, made->expires);
}

bool ascii_host(const char *host, char **ascii)
{
	const char *rest = strncmp(host, "*.", 2) == 0 ? host + 2 : host;
	gnutls_datum_t mapped;

	*ascii = NULL;
	if (gnutls_idna_map(rest, (unsigned int)strlen(rest), &mapped, 0) != 0)
		return false;
	if (asprintf(ascii, "%s%s", rest != host ? "*." : "", (const char *)mapped.data) < 0)
		*ascii = NULL;
	gnutls_free(mapped.data);
	return *ascii != NULL;
}

/* DNS and certificates know international names in their xn-- form only. */
static int add_host(gnutls_x509_crt_t certificate, const char *host)
{
	unsigned char bytes[16];
	char *ascii;
	int rv;

	if (inet_pton(AF_INET, host, bytes) == 1)
		return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS,
							    bytes, 4, GNUTLS_FSAN_APPEND);
	if (inet_pton(AF_INET6, host, bytes) == 1)
		return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS,
							    bytes, 16, GNUTLS_FSAN_APPEND);
	if (!ascii_host(host, &ascii))
		return GNUTLS_E_MEMORY_ERROR;
	rv = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, ascii,
						  (unsigned int)strlen(ascii), GNUTLS_FSAN_APPEND);
	free(ascii);
	return rv;
}

/* RFC 5280 section 4.2.1: what the holder may do with it. A CA of ours signs leaves only. */
static int set_purpose(gnutls_x509_crt_t certificate, const struct request *request)
{
	bool ca = request->command == COMMAND_CA;
	int rv = gnutls_x509_crt_set_basic_constraints(certificate, ca, ca ? 0 : -1);

	if (rv == 0)
		rv = gnutls_x509_crt_set_key_usage(certificate, ca ? GNUTLS_KEY_KEY_CERT_SIGN |
										GNUTLS_KEY_CRL_SIGN
								   : GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (rv != 0 || ca)
		return rv;
	return gnutls_x509_crt_set_key_purpose_oid(certificate,
						   request->command == COMMAND_SERVER
							   ? GNUTLS_KP_TLS_WWW_SERVER
							   : GNUTLS_KP_TLS_WWW_CLIENT,
						   0);
}

/* Key identifiers let a verifier tell CAs of one name apart (RFC 5280 section 4.2.1.1). */
static int set_key_ids(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer)
{
	unsigned char id[KEY_ID_LEN];
	size_t len = sizeof(id);
	int rv = gnutls_x509_crt_get_key_id(certificate, 0, id, &len);

	if (rv == 0)
		rv = gnutls_x509_crt_set_subject_key_id(certificate, id, len);
	if (rv != 0)
		return rv;
	len = sizeof(id);
	rv = gnutls_x509_crt_get_subject_key_id(issuer, id, &len, NULL);
	if (rv == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return 0; /* a CA made elsewhere may have none */
	if (rv == 0)
		rv = gnutls_x509_crt_set_authority_key_id(certificate, id, len);
	return rv;
}

static int sign(gnutls_x509_crt_t certificate, const struct authority *authority)
{
	gnutls_digest_algorithm_t digest = GNUTLS_DIG_SHA256;
	gnutls_pubkey_t public;
	int rv = gnutls_pubkey_init(&public);

	if (rv != 0)
		return rv;
	/* SHA-256 for our own CAs; one made elsewhere may need another, such as with Ed25519. */
	rv = gnutls_pubkey_import_x509(public, authority->certificate, 0);
	if (rv == 0)
		rv = gnutls_pubkey_get_preferred_hash_algorithm(public, &digest, NULL);
	gnutls_pubkey_deinit(public);
	if (rv != 0)
		return rv;
	return gnutls_x509_crt_sign2(certificate, authority->certificate, authority->key, digest,
				     0);
}

static int fill_in(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key,
		   const struct request *request, const struct authority *authority,
		   struct made *made)
{
	size_t i;
	int rv = gnutls_x509_crt_set_version(certificate, 3);

	if (rv == 0)
		rv = gnutls_x509_crt_set_key(certificate, key);
	if (rv == 0)
		rv = set_serial(certificate);
	if (rv == 0)
		rv = set_validity(certificate, request, authority, made);
	if (rv == 0)
		rv = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
						   request->common_name,
						   (unsigned int)strlen(request->common_name));
	if (rv == 0)
		rv = set_purpose(certificate, request);
	for (i = 0; rv == 0 && i < request->host_count; i++)
		rv = add_host(certificate, request->hosts[i]);
	if (rv == 0)
		rv = set_key_ids(certificate,
				 authority != NULL ? authority->certificate : certificate);
	return rv;
}

/* ---- Key and certificate ------------------------------------------------------ */

/* A server must send the CAs between it and the root, so they belong into its file. */
static int append_intermediate(const struct authority *authority, struct made *made)
{
	gnutls_datum_t issuer;
	unsigned char *joined;
	int rv;

	if (gnutls_x509_crt_check_issuer(authority->certificate, authority->certificate) == 1)
		return 0;
	rv = gnutls_x509_crt_export2(authority->certificate, GNUTLS_X509_FMT_PEM, &issuer);
	if (rv != 0)
		return rv;
	joined = gnutls_realloc(made->certificate.data,
				made->certificate.size + (size_t)issuer.size);
	if (joined != NULL) {
		memcpy(joined + made->certificate.size, issuer.data, issuer.size);
		made->certificate.data = joined;
		made->certificate.size += issuer.size;
	}
	gnutls_free(issuer.data);
	return joined != NULL ? 0 : GNUTLS_E_MEMORY_ERROR;
}

static int make(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key,
		const struct request *request, const struct authority *authority, struct made *made)
{
	const struct authority self = {certificate, key};
	int rv = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);

	if (rv == 0)
		rv = fill_in(certificate, key, request, authority, made);
	if (rv == 0)
		rv = sign(certificate, authority != NULL ? authority : &self);
	if (rv == 0)
		rv = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &made->certificate);
	if (rv == 0 && authority != NULL)
		rv = append_intermediate(authority, made);
	if (rv == 0)
		rv = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
						       GNUTLS_PKCS_PLAIN, &made->key);
	return rv;
}

bool make_certificate(const struct request *request, const struct authority *authority,
		      struct made *made)
{
	gnutls_x509_crt_t certificate = NULL;
	gnutls_x509_privkey_t key = NULL;
	int rv = gnutls_x509_crt_init(&certificate);

	*made = (struct made){.expires = 0};
	if (rv == 0)
		rv = gnutls_x509_privkey_init(&key);
	if (rv == 0)
		rv = make(certificate, key, request, authority, made);
	if (certificate != NULL)
		gnutls_x509_crt_deinit(certificate);
	if (key != NULL)
		gnutls_x509_privkey_deinit(key);
	if (rv == 0)
		return true;
	made_clear(made);
	return complain("cannot make the certificate: %s", gnutls_strerror(rv));
}

void made_clear(struct made *made)
{
	if (made->key.data != NULL)
		explicit_bzero(made->key.data, made->key.size);
	gnutls_free(made->key.data);
	gnutls_free(made->certificate.data);
}
