/* SPDX-License-Identifier: MIT */
#include "tls/lifetime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tls/date.h"
#include "tls/file.h"

#define SHOWN_NAME 48
#define DAY        ((time_t)86400)

/* Between a CA's name and its file. */
static const char name_end[] = " in ";

/* ---- What ends ------------------------------------------------------------------ */

/* A client is told by its next handshake. */
static bool is_watched(const struct tls_credentials *credentials)
{
	return credentials->role == TLS_SERVER;
}

/* Takes `what`, which may be NULL for want of memory. */
static bool add(struct tls_credentials *credentials, char *what, const char *fix, time_t starts,
		time_t ends)
{
	struct lifetime *larger;

	if (what == NULL)
		return false;
	if (credentials->lifetime_count == LIFETIME_MOST || ends == (time_t)-1) {
		free(what);
		return true;
	}
	larger = reallocarray(credentials->lifetimes, credentials->lifetime_count + 1,
			      sizeof(*larger));
	if (larger == NULL) {
		free(what);
		return false;
	}
	credentials->lifetimes = larger;
	larger[credentials->lifetime_count++] =
		(struct lifetime){.what = what, .fix = fix, .starts = starts, .ends = ends};
	return true;
}

static bool add_certificate(struct tls_credentials *credentials, gnutls_x509_crt_t certificate,
			    char *what, const char *fix)
{
	return add(credentials, what, fix, gnutls_x509_crt_get_activation_time(certificate),
		   gnutls_x509_crt_get_expiration_time(certificate));
}

static char *name_ca(gnutls_x509_crt_t certificate, const char *path)
{
	gnutls_datum_t name = {NULL, 0};
	char shown[SHOWN_NAME] = "(without a name)";
	char *what;

	if (gnutls_x509_crt_get_dn3(certificate, &name, 0) == 0)
		text_printable(shown, sizeof(shown), (const char *)name.data, name.size);
	gnutls_free(name.data);
	if (asprintf(&what, "the CA certificate %s%s%s", shown, name_end, tls_file_shown(path)) < 0)
		return NULL;
	return what;
}

bool lifetime_add_chain(struct tls_credentials *credentials, const gnutls_x509_crt_t *chain,
			unsigned int count, const char *path)
{
	bool added;
	char *what;
	unsigned int i;

	if (!is_watched(credentials))
		return true;
	if (asprintf(&what, "the certificate %s", tls_file_shown(path)) < 0)
		return false;
	added = add_certificate(credentials, chain[0], what, "renew it and reload");
	for (i = 1; added && i < count; i++)
		added = add_certificate(credentials, chain[i], name_ca(chain[i], path),
					"renew the whole chain and reload");
	return added;
}

/*
 * Directories of CAs have links from hashes to files, so that each certificate is met twice: `what`
 * says the same then, but for the path.
 */
static bool is_known(const struct tls_credentials *credentials, gnutls_x509_crt_t certificate,
		     const char *what)
{
	const char *path = strstr(what, name_end);
	size_t len = path != NULL ? (size_t)(path - what) + strlen(name_end) : strlen(what);
	time_t ends = gnutls_x509_crt_get_expiration_time(certificate);
	size_t i;

	for (i = 0; i < credentials->lifetime_count; i++)
		if (credentials->lifetimes[i].ends == ends &&
		    strncmp(credentials->lifetimes[i].what, what, len) == 0)
			return true;
	return false;
}

static bool add_authority(struct tls_credentials *credentials, gnutls_x509_crt_t certificate,
			  const char *path)
{
	char *what = name_ca(certificate, path);

	if (what != NULL && is_known(credentials, certificate, what)) {
		free(what);
		return true;
	}
	return add_certificate(credentials, certificate, what,
			       "put its successor in its place and reload");
}

bool lifetime_add_authorities(struct tls_credentials *credentials, const gnutls_datum_t *pem,
			      const char *path)
{
	gnutls_x509_crt_t certificates[LIFETIME_MOST_OF_FILE];
	unsigned int count = LIFETIME_MOST_OF_FILE;
	bool added = true;
	unsigned int i;

	if (!is_watched(credentials))
		return true;
	if (gnutls_x509_crt_list_import(certificates, &count, pem, GNUTLS_X509_FMT_PEM,
					GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED) < 0)
		return true;
	for (i = 0; i < count; i++) {
		added = added && add_authority(credentials, certificates[i], path);
		gnutls_x509_crt_deinit(certificates[i]);
	}
	return added;
}

bool lifetime_add_lists(struct tls_credentials *credentials, const gnutls_x509_crl_t *lists,
			unsigned int count, const char *path)
{
	bool added = true;
	unsigned int i;
	char *what;

	for (i = 0; added && is_watched(credentials) && i < count; i++) {
		if (asprintf(&what, "the revocation list %s", tls_file_shown(path)) < 0)
			what = NULL;
		added = add(credentials, what, "fetch the newest from its CA and reload",
			    gnutls_x509_crl_get_this_update(lists[i]),
			    gnutls_x509_crl_get_next_update(lists[i]));
	}
	return added;
}

void lifetime_forget(struct tls_credentials *credentials, size_t count)
{
	while (credentials->lifetime_count > count)
		free(credentials->lifetimes[--credentials->lifetime_count].what);
}

void lifetime_free(struct tls_credentials *credentials)
{
	lifetime_forget(credentials, 0);
	free(credentials->lifetimes);
	credentials->lifetimes = NULL;
}

/* ---- What is to be said ------------------------------------------------------------ */

/*
 * Certificates that live for a week are renewed in their last days, and must not be complained of
 * all week long: so never before the last quarter.
 */
static bool ends_soon(const struct lifetime *lifetime, time_t now, uint32_t days)
{
	time_t notice = (time_t)days * DAY;
	time_t quarter = (lifetime->ends - lifetime->starts) / 4;

	if (lifetime->starts != (time_t)-1 && quarter < notice)
		notice = quarter;
	return lifetime->ends - now < notice;
}

static void say(const struct lifetime *lifetime, time_t now, struct error *sentence)
{
	time_t days = (lifetime->ends - now) / DAY;
	char date[TLS_DATE_SIZE];

	(void)tls_date(lifetime->ends, date);
	if (lifetime->ends < now)
		(void)error_set(sentence, MQUIC_OK, "%s expired on %s: %s", lifetime->what, date,
				lifetime->fix);
	else
		(void)error_set(sentence, MQUIC_OK, "%s expires on %s, in %ld day%s: %s",
				lifetime->what, date, (long)days, days == 1 ? "" : "s",
				lifetime->fix);
}

bool tls_credentials_expiring(const struct tls_credentials *credentials, uint32_t days,
			      size_t index, struct error *sentence)
{
	time_t now = time(NULL);
	size_t i;

	for (i = 0; i < credentials->lifetime_count; i++) {
		if (!ends_soon(&credentials->lifetimes[i], now, days) || index-- > 0)
			continue;
		say(&credentials->lifetimes[i], now, sentence);
		return true;
	}
	return false;
}
