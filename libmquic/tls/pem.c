/* SPDX-License-Identifier: MIT */
#include "tls/pem.h"

#include <stdlib.h>
#include <string.h>

#include "tls/der.h"

#define TRUSTED_BEGIN "-----BEGIN TRUSTED CERTIFICATE-----"

/* ---- OpenSSL's trusted certificates ------------------------------------------- */

/* Behind the certificate may be OpenSSL's CertAux: trusted uses, rejected uses, a name. */
static bool has_limits(gnutls_datum_t rest)
{
	gnutls_datum_t settings;
	gnutls_datum_t part;
	unsigned char tag;

	if (rest.size == 0)
		return false;
	if (!der_take(&rest, &tag, &settings))
		return true;
	return der_take(&settings, &tag, &part) && (tag == DER_SEQUENCE || tag == DER_CONTEXT(0));
}

static bool append(gnutls_datum_t *content, const gnutls_datum_t *text)
{
	unsigned char *larger = realloc(content->data, (size_t)content->size + text->size + 2);

	if (larger == NULL)
		return false;
	content->data = larger;
	content->data[content->size++] = '\n';
	memcpy(content->data + content->size, text->data, text->size);
	content->size += text->size;
	content->data[content->size] = '\0';
	return true;
}

static enum mquic_status refuse_limits(const char *what, const char *path, struct error *error)
{
	return error_set(error, MQUIC_ERR_TLS,
			 "the %s %s has a TRUSTED CERTIFICATE for some uses only, and these are "
			 "not obeyed here: write it anew with openssl x509 -in FILE -out NEWFILE",
			 what, tls_file_shown(path));
}

/* Puts the certificate of the block `der` behind all others, as a plain one. */
static enum mquic_status add_plain(gnutls_datum_t *content, gnutls_datum_t der, const char *what,
				   const char *path, struct error *error)
{
	gnutls_datum_t whole = der;
	gnutls_datum_t body;
	gnutls_datum_t text;
	unsigned char tag;
	bool added;

	if (!der_take(&der, &tag, &body) || tag != DER_SEQUENCE)
		return error_set(error, MQUIC_ERR_TLS,
				 "the TRUSTED CERTIFICATE in the %s %s is damaged: write it anew",
				 what, tls_file_shown(path));
	if (has_limits(der))
		return refuse_limits(what, path, error);
	whole.size -= der.size;
	if (gnutls_pem_base64_encode2("CERTIFICATE", &whole, &text) != 0)
		return tls_no_memory(error);
	added = append(content, &text);
	gnutls_free(text.data);
	return added ? MQUIC_OK : tls_no_memory(error);
}

static enum mquic_status make_plain(gnutls_datum_t *content, const char *what, const char *path,
				    struct error *error)
{
	size_t original = content->size;
	size_t at = 0;
	enum mquic_status status = MQUIC_OK;

	while (status == MQUIC_OK) {
		unsigned char *found = memmem(content->data + at, original - at, TRUSTED_BEGIN,
					      strlen(TRUSTED_BEGIN));
		gnutls_datum_t block;
		gnutls_datum_t der;

		if (found == NULL)
			break;
		at = (size_t)(found - content->data);
		block.data = found;
		block.size = (unsigned int)(original - at);
		if (gnutls_pem_base64_decode2("TRUSTED CERTIFICATE", &block, &der) != 0)
			return error_set(
				error, MQUIC_ERR_TLS,
				"the TRUSTED CERTIFICATE in the %s %s is damaged: write it "
				"anew",
				what, tls_file_shown(path));
		status = add_plain(content, der, what, path, error);
		gnutls_free(der.data);
		at += strlen(TRUSTED_BEGIN);
	}
	return status;
}

enum mquic_status tls_pem_read(gnutls_datum_t *content, const char *what, const char *path,
			       size_t limit, struct error *error)
{
	enum mquic_status status = tls_file_read(content, what, path, limit, error);

	if (status == MQUIC_OK && tls_file_contains(content, TRUSTED_BEGIN))
		status = make_plain(content, what, path, error);
	if (status != MQUIC_OK)
		tls_file_free(content);
	return status;
}

/* ---- What else it may be --------------------------------------------------------- */

bool tls_pem_has_certificate(const gnutls_datum_t *content)
{
	return tls_file_contains(content, "-----BEGIN CERTIFICATE-----") ||
	       tls_file_contains(content, "-----BEGIN X509 CERTIFICATE-----");
}

static bool is_utf16(const gnutls_datum_t *content)
{
	return content->size >= 2 && (memcmp(content->data, "\xff\xfe", 2) == 0 ||
				      memcmp(content->data, "\xfe\xff", 2) == 0);
}

/* PFX: a sequence that begins with version 3 (RFC 7292 section 4). */
static bool is_pkcs12(const gnutls_datum_t *content)
{
	gnutls_datum_t rest = *content;
	gnutls_datum_t parts;
	unsigned char tag;

	return der_take(&rest, &tag, &parts) && tag == DER_SEQUENCE && parts.size > 3 &&
	       memcmp(parts.data, "\x02\x01\x03", 3) == 0;
}

const char *tls_pem_mistaken(const gnutls_datum_t *content)
{
	static const struct {
		char label[40];
		char text[80];
	} known[] = {
		{"CERTIFICATE REQUEST-----",
		 "holds a certificate request: have a CA sign it, and name what that gives back"},
		{"-----BEGIN PKCS7-----",
		 "holds PKCS #7: unpack it with openssl pkcs7 -print_certs -in FILE"},
		{"-----BEGIN OPENSSH PRIVATE KEY-----",
		 "holds a key of OpenSSH: make it PKCS #8 with ssh-keygen -p -m PKCS8 -f FILE"},
		{"-----BEGIN PUBLIC KEY-----", "holds a public key only: name another file"},
		{"-----BEGIN X509 CRL-----", "holds a revocation list only: name another file"},
	};
	size_t i;

	if (is_utf16(content))
		return "is text in UTF-16: save it as UTF-8";
	if (is_pkcs12(content))
		return "is PKCS #12: unpack it with openssl pkcs12 -nodes -in FILE";
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (tls_file_contains(content, known[i].label))
			return known[i].text;
	return NULL;
}
