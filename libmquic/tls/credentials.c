/* SPDX-License-Identifier: MIT */
#include "tls/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls/binding.h"
#include "tls/file.h"
#include "tls/lifetime.h"
#include "tls/select.h"

/*
 * TLS 1.3 and nothing else (RFC 9001 section 4.2). AES-128 first: with AES-NI it costs a fifth of
 * ChaCha20 in GnuTLS. X25519 first: the cheapest key exchange. Without the compatibility mode,
 * whose ChangeCipherSpec QUIC forbids (RFC 9001 section 8.4). The profile refuses, in all that a
 * peer shows, RSA below 2048 bits and signatures with SHA-1, as we do in what is our own.
 */
static const char priorities[] =
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
	"-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%DISABLE_TLS13_COMPAT_MODE:"
	"%PROFILE_MEDIUM";

/* As meson.build asks for. */
#define GNUTLS_LEAST "3.7.9"

/* GnuTLS takes no longer one, though RFC 7301 allows 255 bytes. */
#define MAX_ALPN 31

static enum mquic_status keep_alpn(struct tls_credentials *credentials, const char *protocol,
				   struct error *error)
{
	if (protocol == NULL)
		protocol = "mqtt";
	if (protocol[0] == '\0' || strlen(protocol) > MAX_ALPN)
		return error_set(error, MQUIC_ERR_TLS,
				 "the application protocol (ALPN) must have 1 to %d bytes",
				 MAX_ALPN);
	credentials->alpn = strdup(protocol);
	return credentials->alpn != NULL &&
			       binding_add(credentials, "alpn", protocol, strlen(protocol))
		       ? MQUIC_OK
		       : tls_no_memory(error);
}

static enum mquic_status open_keylog(struct tls_credentials *credentials, const char *path,
				     struct error *error)
{
	struct stat about;

	if (path == NULL)
		return MQUIC_OK;
	/* O_NONBLOCK: a FIFO without a reader must not keep us waiting. */
	credentials->keylog_fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (credentials->keylog_fd < 0) {
		(void)error_set_system(error, errno, "cannot write the key log file %s",
				       tls_file_shown(path));
		return MQUIC_ERR_TLS;
	}
	if (fstat(credentials->keylog_fd, &about) != 0 || !S_ISREG(about.st_mode))
		return error_set(error, MQUIC_ERR_TLS, "the key log file %s is not a regular file",
				 tls_file_shown(path));
	return MQUIC_OK;
}

static enum mquic_status make_native(struct tls_credentials *credentials, struct error *error)
{
	int rv;

	if (gnutls_check_version(GNUTLS_LEAST) == NULL)
		return error_set(error, MQUIC_ERR_SYSTEM,
				 "GnuTLS is version %s, and libmquic needs " GNUTLS_LEAST
				 ": install that or a newer one",
				 gnutls_check_version(NULL));
	rv = gnutls_certificate_allocate_credentials(&credentials->native);
	if (rv == 0) {
		/* As old as certificates may be (X.509 version 1), who signs must say CA:TRUE. */
		gnutls_certificate_set_verify_flags(credentials->native,
						    GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT);
		rv = gnutls_priority_init(&credentials->priority, priorities, NULL);
	}
	if (rv == GNUTLS_E_MEMORY_ERROR)
		return tls_no_memory(error);
	if (rv != 0)
		return error_set(error, MQUIC_ERR_TLS,
				 "GnuTLS does not allow TLS 1.3 with AES-GCM here (%s): check the "
				 "system's crypto policy",
				 gnutls_strerror(rv));
	return MQUIC_OK;
}

static enum mquic_status fill(struct tls_credentials *credentials,
			      const struct mquic_settings *settings, struct error *error)
{
	enum mquic_status status = keep_alpn(credentials, settings->alpn, error);

	if (status == MQUIC_OK)
		status = make_native(credentials, error);
	if (status == MQUIC_OK)
		status = tls_trust_load(credentials, settings, error);
	if (status == MQUIC_OK)
		status = tls_identity_load(credentials, settings, error);
	if (status == MQUIC_OK)
		status = open_keylog(credentials, settings->keylog_file, error);
	return status;
}

enum mquic_status tls_credentials_load(struct tls_credentials **credentials,
				       const struct mquic_settings *settings, enum tls_role role,
				       struct error *error)
{
	struct tls_credentials *made = calloc(1, sizeof(*made));
	enum mquic_status status;

	*credentials = NULL;
	if (made == NULL)
		return tls_no_memory(error);
	made->references = 1;
	made->role = role;
	made->keylog_fd = -1;
	made->require_certificate = role == TLS_SERVER && settings->require_certificate;
	made->insecure = role == TLS_CLIENT && settings->insecure;
	made->resumes = settings->resumption;
	status = fill(made, settings, error);
	if (status != MQUIC_OK) {
		tls_credentials_unref(made);
		return status;
	}
	*credentials = made;
	return MQUIC_OK;
}

struct tls_credentials *tls_credentials_ref(struct tls_credentials *credentials)
{
	credentials->references++;
	return credentials;
}

void tls_credentials_unref(struct tls_credentials *credentials)
{
	if (credentials == NULL || --credentials->references > 0)
		return;
	if (credentials->native != NULL)
		gnutls_certificate_free_credentials(credentials->native);
	if (credentials->priority != NULL)
		gnutls_priority_deinit(credentials->priority);
	if (credentials->keylog_fd >= 0)
		(void)close(credentials->keylog_fd);
	lifetime_free(credentials);
	select_free(credentials);
	free(credentials->alpn);
	free(credentials->trust);
	explicit_bzero(credentials->root, sizeof(credentials->root));
	explicit_bzero(credentials->ticket_key, sizeof(credentials->ticket_key));
	free(credentials);
}

enum mquic_status tls_credentials_secret(const struct tls_credentials *credentials,
					 const char *label, uint8_t secret[TLS_SECRET_LEN])
{
	return tls_secret_derive(secret, credentials->root, label);
}
