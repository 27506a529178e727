/* SPDX-License-Identifier: MIT */
/* Our own certificate chain and private key. */
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>

#include "tls/binding.h"
#include "tls/credentials.h"
#include "tls/file.h"
#include "tls/lifetime.h"
#include "tls/pem.h"
#include "tls/select.h"

#define MIN_RSA_BITS 2048
#define MAX_CHAIN    16 /* as many as GnuTLS takes */
/* secp256r1; TLS 1.3 signs with no smaller curve (RFC 8446 section 4.2.3). */
#define MIN_EC_BITS 256

#define KEY_ID_LEN 64

static void identity_clear(struct identity *identity)
{
	unsigned int i;

	for (i = 0; i < identity->chain_len; i++)
		gnutls_x509_crt_deinit(identity->chain[i]);
	gnutls_free(identity->chain);
	if (identity->key != NULL)
		gnutls_x509_privkey_deinit(identity->key);
}

/* Why a text that should hold a certificate does not look like one. */
static enum mquic_status not_a_certificate(const gnutls_datum_t *content, const char *path,
					   struct error *error)
{
	const char *mistaken = tls_pem_mistaken(content);

	if (content->size == 0)
		return error_set(error, MQUIC_ERR_TLS,
				 "the certificate file %s is empty: put the certificate into it",
				 tls_file_shown(path));
	if (mistaken != NULL)
		return error_set(error, MQUIC_ERR_TLS, "the certificate file %s %s",
				 tls_file_shown(path), mistaken);
	if (tls_file_contains(content, "PRIVATE KEY-----"))
		return error_set(error, MQUIC_ERR_TLS,
				 "the certificate file %s holds a private key but no certificate: "
				 "are certificate and key mixed up?",
				 tls_file_shown(path));
	return error_set(
		error, MQUIC_ERR_TLS,
		"the certificate file %s is not PEM: convert it with openssl x509 -inform DER",
		tls_file_shown(path));
}

/* Why what looks like a certificate chain cannot be used as one. */
static enum mquic_status not_a_chain(const gnutls_datum_t *content, const char *path, int rv,
				     struct error *error)
{
	unsigned int count = tls_file_count(content, "-----BEGIN CERTIFICATE-----") +
			     tls_file_count(content, "-----BEGIN X509 CERTIFICATE-----");

	if (rv == GNUTLS_E_MEMORY_ERROR)
		return tls_no_memory(error);
	if (count > MAX_CHAIN)
		return error_set(
			error, MQUIC_ERR_TLS,
			"the certificate file %s holds %u certificates, at most %d can be "
			"shown: leave only the server's or client's own and the CAs above it",
			tls_file_shown(path), count, MAX_CHAIN);
	return error_set(error, MQUIC_ERR_TLS,
			 "the certificate file %s is damaged (%s): write it anew",
			 tls_file_shown(path), gnutls_strerror(rv));
}

static enum mquic_status import_chain(struct identity *identity, const gnutls_datum_t *content,
				      const char *path, unsigned int flags, struct error *error)
{
	int rv = gnutls_x509_crt_list_import2(&identity->chain, &identity->chain_len, content,
					      GNUTLS_X509_FMT_PEM, flags);

	if (rv >= 0)
		return MQUIC_OK;
	identity->chain = NULL;
	identity->chain_len = 0;
	return not_a_chain(content, path, rv, error);
}

static enum mquic_status load_chain(struct identity *identity, const char *path, unsigned int flags,
				    struct error *error)
{
	gnutls_datum_t content;
	enum mquic_status status =
		tls_pem_read(&content, "certificate file", path, TLS_FILE_LIMIT, error);

	if (status != MQUIC_OK)
		return status;
	if (!tls_pem_has_certificate(&content))
		status = not_a_certificate(&content, path, error);
	else
		status = import_chain(identity, &content, path, flags, error);
	tls_file_free(&content);
	return status;
}

/* TLS 1.3 always signs with the certificate's key (RFC 8446 section 4.4.2.2). */
static enum mquic_status check_usage(const struct identity *identity, const char *path,
				     struct error *error)
{
	unsigned int usage = 0;

	if (gnutls_x509_crt_get_key_usage(identity->chain[0], &usage, NULL) != 0 ||
	    (usage & GNUTLS_KEY_DIGITAL_SIGNATURE) != 0)
		return MQUIC_OK;
	return error_set(error, MQUIC_ERR_TLS,
			 "the certificate in %s may not be used with TLS 1.3: its key usage lacks "
			 "digitalSignature; make one that has it",
			 tls_file_shown(path));
}

/* Not only by its name. */
static bool is_self_signed(gnutls_x509_crt_t certificate)
{
	const unsigned int flags = GNUTLS_VERIFY_ALLOW_BROKEN | GNUTLS_VERIFY_DO_NOT_ALLOW_SAME;
	unsigned int status = 0;

	return gnutls_x509_crt_check_issuer(certificate, certificate) != 0 &&
	       gnutls_x509_crt_verify(certificate, &certificate, 1, flags, &status) == 0 &&
	       (status & GNUTLS_CERT_SIGNATURE_FAILURE) == 0;
}

/* Peers refuse it; the signature of a root, which nobody looks at, may be of any age. */
static enum mquic_status check_signatures(const struct identity *identity, const char *path,
					  struct error *error)
{
	unsigned int i;
	int algorithm;

	for (i = 0; i < identity->chain_len; i++) {
		if (is_self_signed(identity->chain[i]))
			continue;
		algorithm = gnutls_x509_crt_get_signature_algorithm(identity->chain[i]);
		if (algorithm < 0 || gnutls_sign_is_secure2((gnutls_sign_algorithm_t)algorithm,
							    GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS))
			continue;
		return error_set(error, MQUIC_ERR_TLS,
				 "certificate %u in %s is signed with %s, which nobody accepts any "
				 "more (SHA-1 or older): have its CA sign it anew with SHA-256",
				 i + 1, tls_file_shown(path),
				 gnutls_sign_get_name((gnutls_sign_algorithm_t)algorithm));
	}
	return MQUIC_OK;
}

static bool is_encrypted(const gnutls_datum_t *content)
{
	return tls_file_contains(content, "BEGIN ENCRYPTED PRIVATE KEY") ||
	       tls_file_contains(content, "Proc-Type: 4,ENCRYPTED");
}

/* Refuses, with the reason, what cannot be a readable private key. */
static enum mquic_status check_key_text(const gnutls_datum_t *content, const char *path,
					struct error *error)
{
	const char *mistaken = tls_pem_mistaken(content);

	if (content->size == 0)
		return error_set(error, MQUIC_ERR_TLS,
				 "the key file %s is empty: put the private key into it",
				 tls_file_shown(path));
	if (is_encrypted(content))
		return error_set(error, MQUIC_ERR_TLS,
				 "the key file %s is protected by a pass phrase: remove it with "
				 "openssl pkey -in FILE -out NEWFILE",
				 tls_file_shown(path));
	if (tls_file_contains(content, "PRIVATE KEY-----") &&
	    !tls_file_contains(content, "BEGIN OPENSSH PRIVATE KEY"))
		return MQUIC_OK;
	if (mistaken != NULL)
		return error_set(error, MQUIC_ERR_TLS, "the key file %s %s", tls_file_shown(path),
				 mistaken);
	if (tls_file_contains(content, "CERTIFICATE-----"))
		return error_set(error, MQUIC_ERR_TLS,
				 "the key file %s holds a certificate but no private key: are "
				 "certificate and key mixed up?",
				 tls_file_shown(path));
	return error_set(error, MQUIC_ERR_TLS,
			 "the key file %s is not PEM: convert it with openssl pkey -inform DER",
			 tls_file_shown(path));
}

/* TLS 1.3 signs with RSA, ECDSA and EdDSA only. */
static enum mquic_status check_key_kind(gnutls_x509_privkey_t key, const char *path,
					struct error *error)
{
	unsigned int bits = 0;

	switch (gnutls_x509_privkey_get_pk_algorithm2(key, &bits)) {
	case GNUTLS_PK_RSA:
	case GNUTLS_PK_RSA_PSS:
		if (bits >= MIN_RSA_BITS)
			return MQUIC_OK;
		return error_set(
			error, MQUIC_ERR_TLS,
			"the RSA key in %s has %u bits, at least %d are needed: make a new key "
			"and certificate, best with P-256",
			tls_file_shown(path), bits, MIN_RSA_BITS);
	case GNUTLS_PK_ECDSA:
		if (bits >= MIN_EC_BITS)
			return MQUIC_OK;
		break;
	case GNUTLS_PK_EDDSA_ED25519:
	case GNUTLS_PK_EDDSA_ED448:
		return MQUIC_OK;
	default:
		break;
	}
	return error_set(error, MQUIC_ERR_TLS,
			 "the key in %s is of a kind that TLS 1.3 cannot use: make a new key and "
			 "certificate, best with P-256",
			 tls_file_shown(path));
}

static enum mquic_status load_key(struct identity *identity, const char *path, struct error *error)
{
	gnutls_datum_t content;
	enum mquic_status status = tls_file_read(&content, "key file", path, TLS_FILE_LIMIT, error);
	int rv;

	if (status != MQUIC_OK)
		return status;
	status = check_key_text(&content, path, error);
	if (status == MQUIC_OK) {
		rv = gnutls_x509_privkey_init(&identity->key);
		if (rv == 0)
			rv = gnutls_x509_privkey_import(identity->key, &content,
							GNUTLS_X509_FMT_PEM);
		if (rv == GNUTLS_E_MEMORY_ERROR)
			status = tls_no_memory(error);
		else if (rv != 0)
			status = error_set(error, MQUIC_ERR_TLS,
					   "the key file %s is damaged (%s): write it anew",
					   tls_file_shown(path), gnutls_strerror(rv));
	}
	tls_file_free(&content);
	if (status != MQUIC_OK)
		return status;
	return check_key_kind(identity->key, path, error);
}

static void wipe(gnutls_datum_t *datum)
{
	if (datum->data != NULL)
		explicit_bzero(datum->data, datum->size);
	gnutls_free(datum->data);
}

/*
 * The secret number of the key, whatever file format carried it: the scalar of an EC or EdDSA
 * key, the private exponent of an RSA key.
 */
static int raw_secret(gnutls_x509_privkey_t key, gnutls_datum_t *secret)
{
	gnutls_datum_t part[5] = {{NULL, 0}};
	gnutls_ecc_curve_t curve;
	size_t i;
	int rv = gnutls_x509_privkey_export_ecc_raw(key, &curve, &part[0], &part[1], secret);

	if (rv < 0)
		rv = gnutls_x509_privkey_export_rsa_raw(key, &part[0], &part[1], secret, &part[2],
							&part[3], &part[4]);
	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		wipe(&part[i]);
	return rv;
}

static int derive_root(struct tls_credentials *credentials, gnutls_x509_privkey_t key)
{
	static unsigned char salt_text[] = "mquic secrets of a private key, 1";
	gnutls_datum_t salt = {salt_text, sizeof(salt_text) - 1};
	gnutls_datum_t secret = {NULL, 0};
	int rv = raw_secret(key, &secret);

	if (rv == 0)
		rv = gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &secret, &salt, credentials->root);
	wipe(&secret);
	return rv;
}

static bool belongs(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
	unsigned char of_certificate[KEY_ID_LEN];
	unsigned char of_key[KEY_ID_LEN];
	size_t certificate_len = sizeof(of_certificate);
	size_t key_len = sizeof(of_key);

	return gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, of_certificate,
					  &certificate_len) == 0 &&
	       gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key, &key_len) ==
		       0 &&
	       certificate_len == key_len && memcmp(of_certificate, of_key, key_len) == 0;
}

/*
 * The place, from 1 on, of the key's certificate in its file; 0: it is not there. Read again,
 * because a sorted chain has only what leads up from its first certificate.
 */
static unsigned int place_of_key(const struct key_pair *pair, gnutls_x509_privkey_t key)
{
	struct identity unsorted = {NULL, 0, NULL};
	unsigned int place = 0;
	struct error ignored;
	unsigned int i;

	if (load_chain(&unsorted, pair->cert_file, 0, &ignored) != MQUIC_OK)
		return 0;
	for (i = 0; i < unsorted.chain_len && place == 0; i++)
		if (belongs(unsorted.chain[i], key))
			place = i + 1;
	identity_clear(&unsorted);
	return place;
}

static enum mquic_status explain_mismatch(const struct key_pair *pair, gnutls_x509_privkey_t key,
					  struct error *error)
{
	unsigned int place = place_of_key(pair, key);

	if (place > 1)
		return error_set(error, MQUIC_ERR_TLS,
				 "the key's own certificate is number %u in %s and must be the "
				 "first, before the CAs above it: put the file in order",
				 place, tls_file_shown(pair->cert_file));
	return error_set(error, MQUIC_ERR_TLS,
			 "the key in %s does not belong to the certificate in %s: name the pair "
			 "that was made together",
			 tls_file_shown(pair->key_file), tls_file_shown(pair->cert_file));
}

/* GnuTLS' code. */
static int bind_certificate(struct tls_credentials *credentials, gnutls_x509_crt_t leaf)
{
	uint8_t digest[TLS_SECRET_LEN];
	size_t len = sizeof(digest);
	int rv = gnutls_x509_crt_get_fingerprint(leaf, GNUTLS_DIG_SHA256, digest, &len);

	if (rv < 0)
		return rv;
	return binding_add(credentials, "certificate", digest, len) ? 0 : GNUTLS_E_MEMORY_ERROR;
}

static enum mquic_status adopt(struct tls_credentials *credentials, const struct identity *identity,
			       const struct key_pair *pair, struct error *error)
{
	/* GnuTLS keeps copies of chain and key. */
	int rv = gnutls_certificate_set_x509_key(credentials->native, identity->chain,
						 (int)identity->chain_len, identity->key);

	if (rv >= 0)
		rv = derive_root(credentials, identity->key);
	if (rv >= 0)
		rv = bind_certificate(credentials, identity->chain[0]);
	if (rv == GNUTLS_E_MEMORY_ERROR)
		return tls_no_memory(error);
	if (rv < 0)
		return error_set(error, MQUIC_ERR_TLS,
				 "cannot use the certificate %s and its key: %s",
				 tls_file_shown(pair->cert_file), gnutls_strerror(rv));
	credentials->has_identity = true;
	return MQUIC_OK;
}

/* Before GnuTLS looks: its codes for what is wrong here say little. */
static enum mquic_status check(const struct identity *identity, const struct key_pair *pair,
			       struct error *error)
{
	enum mquic_status status;

	if (!belongs(identity->chain[0], identity->key))
		return explain_mismatch(pair, identity->key, error);
	status = check_usage(identity, pair->cert_file, error);
	if (status == MQUIC_OK)
		status = check_signatures(identity, pair->cert_file, error);
	return status;
}

static enum mquic_status no_identity(struct tls_credentials *credentials, struct error *error)
{
	if (credentials->role == TLS_SERVER)
		return error_set(error, MQUIC_ERR_TLS,
				 "listening needs a certificate file and a key file: none is set");
	if (gnutls_rnd(GNUTLS_RND_KEY, credentials->root, sizeof(credentials->root)) != 0)
		return error_set(error, MQUIC_ERR_TLS, "the system gives no random numbers");
	return MQUIC_OK;
}

/* The first is who the server is where nobody says whom he wants; the others are chosen by name. */
static enum mquic_status load_pair(struct tls_credentials *credentials, const struct key_pair *pair,
				   bool first, bool choose, struct error *error)
{
	struct identity identity = {NULL, 0, NULL};
	enum mquic_status status =
		load_chain(&identity, pair->cert_file, GNUTLS_X509_CRT_LIST_SORT, error);

	if (status == MQUIC_OK)
		status = load_key(&identity, pair->key_file, error);
	if (status == MQUIC_OK)
		status = check(&identity, pair, error);
	if (status == MQUIC_OK && first)
		status = adopt(credentials, &identity, pair, error);
	if (status == MQUIC_OK && choose)
		status = select_add(credentials, &identity, pair->cert_file, error);
	if (status == MQUIC_OK &&
	    !lifetime_add_chain(credentials, identity.chain, identity.chain_len, pair->cert_file))
		status = tls_no_memory(error);
	identity_clear(&identity);
	return status;
}

enum mquic_status tls_identity_load(struct tls_credentials *credentials,
				    const struct mquic_settings *settings, struct error *error)
{
	const struct key_pair first = {settings->cert_file, settings->key_file};
	/* A client shows its first, whatever the server is called. */
	size_t more = credentials->role == TLS_SERVER ? settings->more.count : 0;
	enum mquic_status status;
	size_t i;

	if (first.cert_file == NULL && first.key_file == NULL)
		return no_identity(credentials, error);
	if (first.cert_file == NULL || first.key_file == NULL)
		return error_set(error, MQUIC_ERR_TLS, "a %s file is set but no %s file: set both",
				 first.cert_file != NULL ? "certificate" : "key",
				 first.cert_file != NULL ? "key" : "certificate");
	status = load_pair(credentials, &first, true, more > 0, error);
	for (i = 0; status == MQUIC_OK && i < more; i++)
		status = load_pair(credentials, &settings->more.all[i], false, true, error);
	return status;
}
