/* SPDX-License-Identifier: MIT */
/*
 * GnuTLS compares name constraints, too, but letter case escapes it, and constraints on
 * directory names and URIs it reads and mostly forgets. Whatever is not compared here refuses.
 */
#include "tls/constraints.h"

#include <gnutls/x509-ext.h>
#include <string.h>
#include <strings.h>

#include "tls/der.h"
#include "tls/names.h"

#define OID_NAME_CONSTRAINTS "2.5.29.30"

#define MOST_SUBTREES    128
#define MOST_COMPARISONS 65536
/* Names in a subject of one kind: GnuTLS begins at the first to find each. */
#define MOST_PARTS 64

/* One name of a certificate, or the base of one constraint. */
struct name {
	unsigned int type;
	const char *text;
	size_t len;
};

/* ---- One name and one base ------------------------------------------------ */

static bool ends_in(const struct name *name, const char *base, size_t len)
{
	return name->len >= len && strncasecmp(name->text + name->len - len, base, len) == 0;
}

/* `text` is `base`, or base behind a dot. A leading dot of the base itself changes nothing. */
static bool domain_within(const char *text, size_t len, const char *base, size_t base_len)
{
	const struct name name = {0, text, len};

	if (base_len > 0 && base[0] == '.') {
		base++;
		base_len--;
	}
	if (base_len == 0)
		return true;
	return ends_in(&name, base, base_len) &&
	       (len == base_len || text[len - base_len - 1] == '.');
}

static size_t without_last_dot(const char *text, size_t len)
{
	return len > 0 && text[len - 1] == '.' ? len - 1 : len;
}

/* A wildcard also stands for names one label longer than what is behind it. */
static bool dns_within(const struct name *name, const struct name *base, bool excluded)
{
	size_t len = without_last_dot(name->text, name->len);
	size_t base_len = without_last_dot(base->text, base->len);
	const char *parent = memchr(base->text, '.', base_len);

	if (domain_within(name->text, len, base->text, base_len))
		return true;
	if (!excluded || len < 2 || name->text[0] != '*' || parent == NULL)
		return false;
	parent++;
	return domain_within(name->text + 2, len - 2, parent,
			     base_len - (size_t)(parent - base->text)) &&
	       len - 2 == base_len - (size_t)(parent - base->text);
}

/* A mailbox, all mailboxes of a host, or with a leading dot all hosts below a domain. */
static bool email_within(const struct name *name, const struct name *base)
{
	const char *at = memrchr(name->text, '@', name->len);
	size_t host = at != NULL ? name->len - (size_t)(at + 1 - name->text) : 0;

	if (base->len == 0)
		return true;
	if (memchr(base->text, '@', base->len) != NULL)
		return name->len == base->len && ends_in(name, base->text, base->len);
	if (at == NULL)
		return false;
	if (base->text[0] == '.')
		return host >= base->len && ends_in(name, base->text, base->len);
	return host == base->len && ends_in(name, base->text, base->len);
}

/* The base is an address and a mask of the same length. */
static bool address_within(const struct name *name, const struct name *base)
{
	size_t i;

	if (base->len != 2 * name->len)
		return false;
	for (i = 0; i < name->len; i++)
		if (((name->text[i] ^ base->text[i]) & base->text[name->len + i]) != 0)
			return false;
	return true;
}

/*
 * As RFC 4514 text, most significant part last. Only the very same spelling is the same: too
 * strict for what is permitted, so what is excluded is not asked here.
 */
static bool directory_within(const struct name *name, const struct name *base)
{
	const char *start;

	if (base->len == 0)
		return true;
	if (name->len < base->len)
		return false;
	start = name->text + name->len - base->len;
	if (memcmp(start, base->text, base->len) != 0)
		return false;
	return name->len == base->len ||
	       (start[-1] == ',' && (name->len == base->len + 1 || start[-2] != '\\'));
}

static bool within(const struct name *name, const struct name *base, bool excluded)
{
	switch (name->type) {
	case GNUTLS_SAN_DNSNAME:
		return dns_within(name, base, excluded);
	case GNUTLS_SAN_RFC822NAME:
		return email_within(name, base);
	case GNUTLS_SAN_IPADDRESS:
		return address_within(name, base);
	case GNUTLS_SAN_DN:
		return excluded || directory_within(name, base);
	default:
		return excluded; /* a kind that is not compared */
	}
}

/* ---- One name and all constraints ------------------------------------------ */

static bool is_excluded(gnutls_x509_name_constraints_t constraints, const struct name *name)
{
	gnutls_datum_t base;
	unsigned int type;
	unsigned int i;

	for (i = 0; gnutls_x509_name_constraints_get_excluded(constraints, i, &type, &base) == 0;
	     i++) {
		const struct name part = {type, (const char *)base.data, base.size};

		if (type == name->type && within(name, &part, true))
			return true;
	}
	return false;
}

static bool is_permitted(gnutls_x509_name_constraints_t constraints, const struct name *name)
{
	gnutls_datum_t base;
	unsigned int type;
	unsigned int i;
	bool constrained = false;

	for (i = 0; gnutls_x509_name_constraints_get_permitted(constraints, i, &type, &base) == 0;
	     i++) {
		const struct name part = {type, (const char *)base.data, base.size};

		if (type != name->type)
			continue;
		constrained = true;
		if (within(name, &part, false))
			return true;
	}
	return !constrained;
}

static bool allows(gnutls_x509_name_constraints_t constraints, const struct name *name)
{
	return !is_excluded(constraints, name) && is_permitted(constraints, name);
}

/* ---- All names of a certificate ---------------------------------------------- */

static bool allows_alt_names(gnutls_x509_name_constraints_t constraints,
			     gnutls_subject_alt_names_t list, bool *has_dns, bool *has_email)
{
	gnutls_datum_t value;
	unsigned int type;
	unsigned int i;

	for (i = 0; gnutls_subject_alt_names_get(list, i, &type, &value, NULL) == 0; i++) {
		const struct name name = {type, (const char *)value.data, value.size};

		*has_dns = *has_dns || type == GNUTLS_SAN_DNSNAME;
		*has_email = *has_email || type == GNUTLS_SAN_RFC822NAME;
		if (!allows(constraints, &name))
			return false;
	}
	return true;
}

static bool looks_like_host(const char *text, size_t len)
{
	return memchr(text, '.', len) != NULL && memchr(text, ' ', len) == NULL &&
	       memchr(text, '@', len) == NULL;
}

/*
 * Parts of the subject that other programs, if not this one, take for names of a kind: where
 * there is no alternative name, a common name for a DNS name, an emailAddress for a mailbox.
 */
static bool allows_parts(gnutls_x509_name_constraints_t constraints, gnutls_x509_crt_t certificate,
			 const char *oid, unsigned int type)
{
	char text[512];
	unsigned int i;

	for (i = 0; i <= MOST_PARTS; i++) {
		struct name name = {type, text, sizeof(text)};
		int rv = gnutls_x509_crt_get_dn_by_oid(certificate, oid, i, 0, text, &name.len);

		if (rv == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return true;
		if (rv != 0)
			return false;
		if (type == GNUTLS_SAN_DNSNAME && !looks_like_host(text, name.len))
			continue;
		if (!allows(constraints, &name))
			return false;
	}
	return false;
}

static bool allows_subject(gnutls_x509_name_constraints_t constraints,
			   gnutls_x509_crt_t certificate)
{
	gnutls_datum_t text = {NULL, 0};
	struct name name = {.type = GNUTLS_SAN_DN};
	bool allowed;
	int rv = gnutls_x509_crt_get_dn3(certificate, &text, 0);

	if (rv != 0)
		return rv == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; /* it is empty */
	name.text = (const char *)text.data;
	name.len = text.size;
	allowed = text.size == 0 || allows(constraints, &name);
	gnutls_free(text.data);
	return allowed;
}

static bool allows_certificate(gnutls_x509_name_constraints_t constraints,
			       gnutls_x509_crt_t certificate)
{
	gnutls_subject_alt_names_t list;
	bool has_dns = false;
	bool has_email = false;
	bool allowed;

	if (!names_read(certificate, &list))
		return false;
	allowed = allows_subject(constraints, certificate);
	if (allowed && list != NULL)
		allowed = allows_alt_names(constraints, list, &has_dns, &has_email);
	if (allowed && !has_dns)
		allowed = allows_parts(constraints, certificate, GNUTLS_OID_X520_COMMON_NAME,
				       GNUTLS_SAN_DNSNAME);
	if (allowed && !has_email)
		allowed = allows_parts(constraints, certificate, GNUTLS_OID_PKCS9_EMAIL,
				       GNUTLS_SAN_RFC822NAME);
	if (list != NULL)
		gnutls_subject_alt_names_deinit(list);
	return allowed;
}

/* ---- The extension --------------------------------------------------------- */

static bool is_compared(unsigned int type)
{
	return type == GNUTLS_SAN_DNSNAME || type == GNUTLS_SAN_RFC822NAME ||
	       type == GNUTLS_SAN_IPADDRESS || type == GNUTLS_SAN_DN || type == GNUTLS_SAN_URI;
}

typedef int get_subtree(gnutls_x509_name_constraints_t constraints, unsigned int index,
			unsigned int *type, gnutls_datum_t *base);

/* Number of subtrees that GnuTLS has read; (unsigned int)-1 if one is of an unknown kind. */
static unsigned int count_read(gnutls_x509_name_constraints_t constraints, get_subtree *get)
{
	gnutls_datum_t base;
	unsigned int type;
	unsigned int i;

	for (i = 0; get(constraints, i, &type, &base) == 0; i++)
		if (!is_compared(type))
			return (unsigned int)-1;
	return i;
}

static unsigned int count_elements(gnutls_datum_t list)
{
	gnutls_datum_t element;
	unsigned char tag;
	unsigned int count = 0;

	while (der_take(&list, &tag, &element))
		count++;
	return count;
}

/* Number of subtrees that are there, in the list tagged `wanted`. */
static unsigned int count_there(gnutls_datum_t extension, unsigned char wanted)
{
	gnutls_datum_t lists;
	gnutls_datum_t list;
	unsigned char tag;
	unsigned int count = 0;

	if (!der_take(&extension, &tag, &lists))
		return 0;
	while (der_take(&lists, &tag, &list))
		if (tag == wanted)
			count += count_elements(list);
	return count;
}

/* Work grows with names times subtrees, and a hostile CA may write thousands of both. */
static bool are_too_many(const gnutls_datum_t *extension, gnutls_x509_crt_t certificate)
{
	unsigned int subtrees =
		count_there(*extension, DER_CONTEXT(0)) + count_there(*extension, DER_CONTEXT(1));
	gnutls_subject_alt_names_t list;
	unsigned int names = 0;
	unsigned int type;
	gnutls_datum_t name;

	if (subtrees > MOST_SUBTREES || !names_read(certificate, &list))
		return true;
	if (list == NULL)
		return false;
	while (names <= MOST_COMPARISONS &&
	       gnutls_subject_alt_names_get(list, names, &type, &name, NULL) == 0)
		names++;
	gnutls_subject_alt_names_deinit(list);
	return names * subtrees > MOST_COMPARISONS;
}

/*
 * GnuTLS stops at a base that is empty, and says nothing of those behind it: so they are
 * counted.
 */
static bool all_were_read(gnutls_x509_name_constraints_t constraints,
			  const gnutls_datum_t *extension)
{
	return count_read(constraints, gnutls_x509_name_constraints_get_permitted) ==
		       count_there(*extension, DER_CONTEXT(0)) &&
	       count_read(constraints, gnutls_x509_name_constraints_get_excluded) ==
		       count_there(*extension, DER_CONTEXT(1));
}

bool constraints_allow(gnutls_x509_crt_t issuer, gnutls_x509_crt_t certificate)
{
	gnutls_x509_name_constraints_t constraints;
	gnutls_datum_t extension;
	bool allowed = false;

	if (gnutls_x509_crt_get_extension_by_oid2(issuer, OID_NAME_CONSTRAINTS, 0, &extension,
						  NULL) != 0)
		return true;
	if (!are_too_many(&extension, certificate) &&
	    gnutls_x509_name_constraints_init(&constraints) == 0) {
		if (gnutls_x509_ext_import_name_constraints(&extension, constraints, 0) == 0 &&
		    all_were_read(constraints, &extension))
			allowed = allows_certificate(constraints, certificate);
		gnutls_x509_name_constraints_deinit(constraints);
	}
	gnutls_free(extension.data);
	return allowed;
}
