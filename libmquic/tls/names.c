/* SPDX-License-Identifier: MIT */
/*
 * GnuTLS' own comparison is not used: it falls back to the common name, takes a wildcard for a
 * part of a label ("*f.example.org"), and an address given as text also matches a DNS name that
 * looks like it. RFC 9525 wants none of it: section 2 leaves out common names, section 6.3 wants
 * a wildcard to be the whole leftmost label.
 */
#include "tls/names.h"

#include <string.h>
#include <strings.h>

#define OID_SUBJECT_ALT_NAME "2.5.29.17"

bool names_read(gnutls_x509_crt_t certificate, gnutls_subject_alt_names_t *list)
{
	gnutls_datum_t extension;
	int rv = gnutls_x509_crt_get_extension_by_oid2(certificate, OID_SUBJECT_ALT_NAME, 0,
						       &extension, NULL);

	*list = NULL;
	if (rv != 0)
		return rv == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
	rv = gnutls_subject_alt_names_init(list);
	if (rv == 0)
		rv = gnutls_x509_ext_import_subject_alt_names(&extension, *list, 0);
	gnutls_free(extension.data);
	if (rv == 0)
		return true;
	if (*list != NULL)
		gnutls_subject_alt_names_deinit(*list);
	*list = NULL;
	return false;
}

bool tls_ascii_name(const char *name, char ascii[TLS_NAME_SIZE])
{
	gnutls_datum_t mapped = {NULL, 0};
	bool other;

	if (gnutls_idna_map(name, (unsigned int)strlen(name), &mapped, 0) != 0)
		return false;
	other = mapped.size < TLS_NAME_SIZE && strcmp((const char *)mapped.data, name) != 0;
	if (other)
		memcpy(ascii, mapped.data, (size_t)mapped.size + 1);
	gnutls_free(mapped.data);
	return other;
}

static bool same_name(const char *text, size_t len, const char *host)
{
	return strlen(host) == len && strncasecmp(text, host, len) == 0;
}

/*
 * "*." stands for one label, and for nothing but a whole one. Two labels must follow: "*.org" is
 * for everybody.
 */
static bool wildcard_covers(const char *text, size_t len, const char *host)
{
	const char *rest = strchr(host, '.');

	if (len < 3 || text[0] != '*' || text[1] != '.' || rest == NULL || rest == host)
		return false;
	if (memchr(text + 2, '.', len - 2) == NULL || text[len - 1] == '.')
		return false;
	return same_name(text + 1, len - 1, rest);
}

/* Lengths are compared, too: a name with a NUL in it is not the part before it. */
static enum names_fit fit_of(const gnutls_datum_t *name, const char *host)
{
	const char *text = (const char *)name->data;

	if (same_name(text, name->size, host))
		return NAMES_EXACT;
	return wildcard_covers(text, name->size, host) ? NAMES_WILDCARD : NAMES_NONE;
}

enum names_fit names_fit(gnutls_subject_alt_names_t list, const char *host)
{
	enum names_fit best = NAMES_NONE;
	gnutls_datum_t name;
	unsigned int type;
	unsigned int i;

	for (i = 0; gnutls_subject_alt_names_get(list, i, &type, &name, NULL) == 0; i++) {
		enum names_fit fit = type == GNUTLS_SAN_DNSNAME ? fit_of(&name, host) : NAMES_NONE;

		if (fit > best)
			best = fit;
	}
	return best;
}

static bool address_covers(const gnutls_datum_t *name, const struct tls_session *session)
{
	return name->size == session->address_len &&
	       memcmp(name->data, session->address, name->size) == 0;
}

static bool any_address_covers(gnutls_subject_alt_names_t list, const struct tls_session *session)
{
	gnutls_datum_t name;
	unsigned int type;
	unsigned int i;

	for (i = 0; gnutls_subject_alt_names_get(list, i, &type, &name, NULL) == 0; i++)
		if (type == GNUTLS_SAN_IPADDRESS && address_covers(&name, session))
			return true;
	return false;
}

bool names_cover(gnutls_x509_crt_t certificate, const struct tls_session *session)
{
	gnutls_subject_alt_names_t list;
	char ascii[TLS_NAME_SIZE];
	bool covered;

	if (!names_read(certificate, &list) || list == NULL)
		return false;
	/* Certificates carry international names in their xn-- form (RFC 9525 section 6.3). */
	if (session->address_len > 0)
		covered = any_address_covers(list, session);
	else if (tls_ascii_name(session->name, ascii))
		covered = names_fit(list, ascii) != NAMES_NONE;
	else
		covered = names_fit(list, session->name) != NAMES_NONE;
	gnutls_subject_alt_names_deinit(list);
	return covered;
}
