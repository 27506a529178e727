/* SPDX-License-Identifier: MIT */
#include "tls/select.h"

#include <gnutls/abstract.h>
#include <stdlib.h>

#include "tls/file.h"
#include "tls/names.h"

/* One of several, in the form that a handshake wants it in. */
struct selectable {
	gnutls_pcert_st *chain;
	unsigned int chain_len;
	gnutls_privkey_t key;
	gnutls_subject_alt_names_t names; /* NULL: it is for no name */
};

/* ---- The choice ------------------------------------------------------------------ */

/* The name that the client dialed, as it was sent, in ASCII; "": it does not say. */
static void read_server_name(gnutls_session_t native, char name[TLS_NAME_SIZE])
{
	size_t len = TLS_NAME_SIZE;
	unsigned int type;

	if (gnutls_server_name_get(native, name, &len, &type, 0) != 0)
		len = 0;
	/* Some send the dot of a name that is complete. */
	if (len > 0 && name[len - 1] == '.')
		len--;
	name[len] = '\0';
}

static const struct selectable *find(const struct tls_credentials *credentials, const char *name)
{
	const struct selectable *best = credentials->selectables;
	enum names_fit best_fit = NAMES_NONE;
	size_t i;

	for (i = 0; i < credentials->selectable_count && name[0] != '\0'; i++) {
		const struct selectable *one = &credentials->selectables[i];
		enum names_fit fit = one->names == NULL ? NAMES_NONE : names_fit(one->names, name);

		if (fit <= best_fit)
			continue;
		best_fit = fit;
		best = one;
	}
	return best;
}

static int choose_certificate(gnutls_session_t native, const gnutls_datum_t *authorities,
			      int authority_count, const gnutls_pk_algorithm_t *algorithms,
			      int algorithm_count, gnutls_pcert_st **chain, unsigned int *chain_len,
			      gnutls_privkey_t *key)
{
	const struct tls_session *session = gnutls_db_get_ptr(native);
	const struct selectable *chosen;
	char name[TLS_NAME_SIZE];

	/* What a server asks clients for: of a server nobody asks it. */
	(void)authorities;
	(void)authority_count;
	(void)algorithms;
	(void)algorithm_count;
	read_server_name(native, name);
	chosen = find(session->credentials, name);
	*chain = chosen->chain;
	*chain_len = chosen->chain_len;
	*key = chosen->key;
	return 0;
}

/* ---- What there is to choose from ----------------------------------------------------- */

static void clear(struct selectable *one)
{
	unsigned int i;

	for (i = 0; i < one->chain_len; i++)
		gnutls_pcert_deinit(&one->chain[i]);
	free(one->chain);
	if (one->key != NULL)
		gnutls_privkey_deinit(one->key);
	if (one->names != NULL)
		gnutls_subject_alt_names_deinit(one->names);
}

static int copy_chain(struct selectable *one, const struct identity *identity)
{
	int rv = 0;

	one->chain = calloc(identity->chain_len, sizeof(*one->chain));
	if (one->chain == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	while (rv == 0 && one->chain_len < identity->chain_len) {
		rv = gnutls_pcert_import_x509(&one->chain[one->chain_len],
					      identity->chain[one->chain_len], 0);
		if (rv == 0)
			one->chain_len++;
	}
	return rv;
}

static int fill(struct selectable *one, const struct identity *identity)
{
	int rv = copy_chain(one, identity);

	if (rv == 0)
		rv = gnutls_privkey_init(&one->key);
	if (rv == 0)
		rv = gnutls_privkey_import_x509(one->key, identity->key,
						GNUTLS_PRIVKEY_IMPORT_COPY);
	if (rv == 0 && !names_read(identity->chain[0], &one->names))
		rv = GNUTLS_E_PARSING_ERROR;
	return rv;
}

enum mquic_status select_add(struct tls_credentials *credentials, const struct identity *identity,
			     const char *path, struct error *error)
{
	struct selectable *larger = reallocarray(
		credentials->selectables, credentials->selectable_count + 1, sizeof(*larger));
	struct selectable one = {NULL, 0, NULL, NULL};
	int rv;

	if (larger == NULL)
		return tls_no_memory(error);
	credentials->selectables = larger;
	rv = fill(&one, identity);
	if (rv != 0) {
		clear(&one);
		return rv == GNUTLS_E_MEMORY_ERROR
			       ? tls_no_memory(error)
			       : error_set(error, MQUIC_ERR_TLS,
					   "cannot use the certificate %s and its key: %s",
					   tls_file_shown(path), gnutls_strerror(rv));
	}
	larger[credentials->selectable_count++] = one;
	gnutls_certificate_set_retrieve_function2(credentials->native, choose_certificate);
	return MQUIC_OK;
}

void select_free(struct tls_credentials *credentials)
{
	while (credentials->selectable_count > 0)
		clear(&credentials->selectables[--credentials->selectable_count]);
	free(credentials->selectables);
	credentials->selectables = NULL;
}
