/* SPDX-License-Identifier: MIT */
#include "tls/peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tls/names.h"

/* ASN.1 tags of the string types whose bytes are UTF-8 or ASCII (X.680 section 8). */
enum {
	TAG_UTF8_STRING = 12,
	TAG_PRINTABLE_STRING = 19,
	TAG_TELETEX_STRING = 20,
	TAG_IA5_STRING = 22
};

enum mquic_status peer_certificate(struct tls_session *session, gnutls_x509_crt_t *certificate)
{
	unsigned int count = 0;
	const gnutls_datum_t *shown = gnutls_certificate_get_peers(session->native, &count);

	*certificate = NULL;
	if (shown == NULL || count == 0)
		return MQUIC_OK;
	if (gnutls_x509_crt_init(certificate) != 0)
		return MQUIC_ERR_MEMORY;
	if (gnutls_x509_crt_import(*certificate, &shown[0], GNUTLS_X509_FMT_DER) == 0)
		return MQUIC_OK;
	gnutls_x509_crt_deinit(*certificate);
	*certificate = NULL;
	return MQUIC_OK;
}

static bool is_plain_text(const gnutls_x509_ava_st *attribute)
{
	switch (attribute->value_tag) {
	case TAG_UTF8_STRING:
	case TAG_PRINTABLE_STRING:
	case TAG_TELETEX_STRING:
	case TAG_IA5_STRING:
		break;
	default:
		return false;
	}
	return attribute->value.size > 0 &&
	       text_is_utf8((const char *)attribute->value.data, attribute->value.size);
}

/* GnuTLS counts the NUL behind the digits in or not, depending on its version. */
static bool is_common_name(const gnutls_datum_t *oid)
{
	size_t len = strlen(GNUTLS_OID_X520_COMMON_NAME);

	return (oid->size == len || (oid->size == len + 1 && oid->data[len] == '\0')) &&
	       memcmp(oid->data, GNUTLS_OID_X520_COMMON_NAME, len) == 0;
}

/* Counts the common names of `subject` and points `last` at one of them. */
static int find_common_name(gnutls_x509_dn_t subject, gnutls_x509_ava_st *last)
{
	gnutls_x509_ava_st attribute;
	int found = 0;
	int rdn;
	int part;

	for (rdn = 0; gnutls_x509_dn_get_rdn_ava(subject, rdn, 0, &attribute) == 0; rdn++)
		for (part = 0; gnutls_x509_dn_get_rdn_ava(subject, rdn, part, &attribute) == 0;
		     part++) {
			if (!is_common_name(&attribute.oid))
				continue;
			*last = attribute;
			found++;
		}
	return found;
}

enum mquic_status peer_common_name(gnutls_x509_crt_t certificate, char **name)
{
	gnutls_x509_ava_st attribute;
	gnutls_x509_dn_t subject;

	*name = NULL;
	if (gnutls_x509_crt_get_subject(certificate, &subject) != 0)
		return MQUIC_OK;
	if (find_common_name(subject, &attribute) != 1 || !is_plain_text(&attribute))
		return MQUIC_OK;
	*name = strndup((const char *)attribute.value.data, attribute.value.size);
	return *name != NULL ? MQUIC_OK : MQUIC_ERR_MEMORY;
}

enum mquic_status peer_subject(gnutls_x509_crt_t certificate, char **subject)
{
	gnutls_datum_t text = {NULL, 0};
	enum mquic_status status = MQUIC_OK;

	*subject = NULL;
	if (gnutls_x509_crt_get_dn3(certificate, &text, 0) != 0)
		return MQUIC_OK;
	if (text.size > 0 && text_is_utf8((const char *)text.data, text.size)) {
		*subject = strndup((const char *)text.data, text.size);
		if (*subject == NULL)
			status = MQUIC_ERR_MEMORY;
	}
	gnutls_free(text.data);
	return status;
}

enum mquic_status peer_subject_der(gnutls_x509_crt_t certificate, uint8_t **der, size_t *len)
{
	gnutls_datum_t name = {NULL, 0};

	*der = NULL;
	*len = 0;
	if (gnutls_x509_crt_get_raw_dn(certificate, &name) != 0)
		return MQUIC_OK;
	*der = malloc((size_t)name.size + 1);
	if (*der != NULL) {
		memcpy(*der, name.data, name.size);
		*len = name.size;
	}
	gnutls_free(name.data);
	return *der != NULL ? MQUIC_OK : MQUIC_ERR_MEMORY;
}

static char *labelled(const char *label, const gnutls_datum_t *value)
{
	char *text = NULL;

	if (asprintf(&text, "%s:%.*s", label, (int)value->size, (const char *)value->data) < 0)
		return NULL;
	return text;
}

static char *address_name(const gnutls_datum_t *value)
{
	char text[INET6_ADDRSTRLEN];
	char *name = NULL;

	if (inet_ntop(value->size == 4 ? AF_INET : AF_INET6, value->data, text, sizeof(text)) ==
		    NULL ||
	    asprintf(&name, "IP:%s", text) < 0)
		return NULL;
	return name;
}

/* *name stays NULL for a name that is not for us. */
static enum mquic_status alt_name(unsigned int type, const gnutls_datum_t *value, char **name)
{
	const char *label = NULL;

	*name = NULL;
	switch (type) {
	case GNUTLS_SAN_IPADDRESS:
		if (value->size != 4 && value->size != 16)
			return MQUIC_OK;
		*name = address_name(value);
		return *name != NULL ? MQUIC_OK : MQUIC_ERR_MEMORY;
	case GNUTLS_SAN_DNSNAME:
		label = "DNS";
		break;
	case GNUTLS_SAN_URI:
		label = "URI";
		break;
	case GNUTLS_SAN_RFC822NAME:
		label = "email";
		break;
	default:
		return MQUIC_OK;
	}
	if (value->size == 0 || !text_is_utf8((const char *)value->data, value->size))
		return MQUIC_OK;
	*name = labelled(label, value);
	return *name != NULL ? MQUIC_OK : MQUIC_ERR_MEMORY;
}

static enum mquic_status collect(gnutls_subject_alt_names_t list, char ***names, size_t *count)
{
	gnutls_datum_t value;
	enum mquic_status status;
	unsigned int type;
	unsigned int i;
	char **larger;
	char *name;

	for (i = 0; gnutls_subject_alt_names_get(list, i, &type, &value, NULL) == 0; i++) {
		status = alt_name(type, &value, &name);
		if (status != MQUIC_OK)
			return status;
		if (name == NULL)
			continue;
		larger = reallocarray(*names, *count + 1, sizeof(**names));
		if (larger == NULL) {
			free(name);
			return MQUIC_ERR_MEMORY;
		}
		*names = larger;
		larger[(*count)++] = name;
	}
	return MQUIC_OK;
}

enum mquic_status peer_alt_names(gnutls_x509_crt_t certificate, char ***names, size_t *count)
{
	gnutls_subject_alt_names_t list;
	enum mquic_status status;

	*names = NULL;
	*count = 0;
	if (!names_read(certificate, &list) || list == NULL)
		return MQUIC_OK;
	status = collect(list, names, count);
	gnutls_subject_alt_names_deinit(list);
	if (status != MQUIC_OK) {
		peer_alt_names_free(*names, *count);
		*names = NULL;
		*count = 0;
	}
	return status;
}

void peer_alt_names_free(char **names, size_t count)
{
	while (count > 0)
		free(names[--count]);
	free(names);
}
