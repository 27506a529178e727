/* SPDX-License-Identifier: MIT */
#include "tls/session.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls/resume.h"
#include "tls/tickets.h"

/*
 * Early data is off. To turn it on: GNUTLS_ENABLE_EARLY_DATA together with
 * GNUTLS_NO_END_OF_EARLY_DATA (RFC 9001 section 8.3). A server with a key for tickets enables them.
 */
#define CLIENT_FLAGS (GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP)
#define SERVER_FLAGS (GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET | GNUTLS_NO_TICKETS)

#define SECRET_MAX 64 /* the longest TLS 1.3 secret: SHA-512 */

/* The other fatal and non-fatal codes of GnuTLS all mean that TLS cannot work here. */
static enum mquic_status translate(int rv)
{
	if (rv >= 0)
		return MQUIC_OK;
	return rv == GNUTLS_E_MEMORY_ERROR ? MQUIC_ERR_MEMORY : MQUIC_ERR_TLS;
}

/* RFC 9001 section 8.2. */
#define QUIC_TRANSPORT_PARAMETERS 0x39

static int find_parameters(void *found, unsigned int type, const unsigned char *data,
			   unsigned int len)
{
	(void)data;
	(void)len;
	if (type == QUIC_TRANSPORT_PARAMETERS)
		*(bool *)found = true;
	return 0;
}

/*
 * Without the peer's transport parameters the connection must not be (RFC 9001 section 8.2).
 * Neither GnuTLS nor ngtcp2 looks before they are used: an assertion of ngtcp2 ends the program
 * then.
 */
static int check_parameters(const gnutls_datum_t *extensions, unsigned int flags)
{
	bool found = false;
	int rv = gnutls_ext_raw_parse(&found, find_parameters, extensions, flags);

	if (rv < 0)
		return rv;
	return found ? 0 : GNUTLS_E_MISSING_EXTENSION;
}

/*
 * RFC 9001 section 8.1: without an agreed protocol the connection must not be. GnuTLS'
 * "mandatory" flag looks at the offers only, not at whether there was one.
 */
static int check_alpn(gnutls_session_t native)
{
	gnutls_datum_t protocol;

	if (gnutls_alpn_get_selected_protocol(native, &protocol) != 0)
		return GNUTLS_E_NO_APPLICATION_PROTOCOL;
	return 0;
}

/*
 * Sees the peer's messages before (`GNUTLS_HOOK_PRE`) and after GnuTLS has read them. A server
 * knows the protocol after the client's hello; a client after the encrypted extensions, which the
 * hook sees before they are parsed, so it asks at the server's Finished.
 */
static int check_message(gnutls_session_t native, unsigned int type, unsigned int when,
			 unsigned int incoming, const gnutls_datum_t *message)
{
	if (!incoming)
		return 0;
	if (type == GNUTLS_HANDSHAKE_NEW_SESSION_TICKET)
		return resume_look(gnutls_db_get_ptr(native), when, message);
	if (when == GNUTLS_HOOK_PRE && type == GNUTLS_HANDSHAKE_CLIENT_HELLO)
		return check_parameters(message, GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
	if (when == GNUTLS_HOOK_PRE && type == GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS)
		return check_parameters(message, 0);
	if (when == GNUTLS_HOOK_POST &&
	    (type == GNUTLS_HANDSHAKE_CLIENT_HELLO || type == GNUTLS_HANDSHAKE_FINISHED))
		return check_alpn(native);
	return 0;
}

static size_t append_hex(char *line, size_t used, const gnutls_datum_t *bytes, size_t most)
{
	size_t i;

	for (i = 0; i < bytes->size && i < most; i++)
		used += (size_t)sprintf(line + used, "%02x", bytes->data[i]);
	return used;
}

/*
 * One line of NSS key log format, in one write, so that processes may share the file. Also set
 * when there is no such file: GnuTLS would else obey the environment variable SSLKEYLOGFILE,
 * and secrets must only go where our caller said.
 */
static int write_keylog(gnutls_session_t native, const char *label, const gnutls_datum_t *secret)
{
	/* The session pointer belongs to ngtcp2's helper; the database's is free: we use none. */
	const struct tls_session *session = gnutls_db_get_ptr(native);
	gnutls_datum_t client_random;
	gnutls_datum_t server_random;
	char line[64 + 2 * 32 + 2 * SECRET_MAX + 4];
	size_t used;

	if (session->credentials->keylog_fd < 0)
		return 0;
	gnutls_session_get_random(native, &client_random, &server_random);
	used = (size_t)snprintf(line, 64, "%.60s ", label);
	used = append_hex(line, used, &client_random, 32);
	line[used++] = ' ';
	used = append_hex(line, used, secret, SECRET_MAX);
	line[used++] = '\n';
	if (write(session->credentials->keylog_fd, line, used) < 0)
		return 0; /* a full disk must not end connections over a debugging aid */
	return 0;
}

static int set_alpn(struct tls_session *session)
{
	gnutls_datum_t protocol = {(unsigned char *)session->credentials->alpn,
				   (unsigned int)strlen(session->credentials->alpn)};

	gnutls_handshake_set_hook_function(session->native, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH,
					   check_message);
	return gnutls_alpn_set_protocols(session->native, &protocol, 1, GNUTLS_ALPN_MANDATORY);
}

/*
 * Keeps the name without the dot of a fully qualified one (RFC 6066 section 3: SNI carries none)
 * and without the zone of a link-local address, which means nothing to the peer.
 */
static bool keep_name(struct tls_session *session, const char *name)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	size_t len = strlen(name);
	const char *zone = strchr(name, '%');

	if (strchr(name, ':') != NULL && zone != NULL)
		len = (size_t)(zone - name);
	else if (len > 1 && name[len - 1] == '.')
		len--;
	if (len == 0 || len >= sizeof(session->name))
		return false;
	memcpy(session->name, name, len);
	session->name[len] = '\0';
	if (inet_pton(AF_INET, session->name, session->address) == 1)
		session->address_len = 4;
	else if (inet_pton(AF_INET6, session->name, session->address) == 1)
		session->address_len = 16;
	/* An IPv4 address in IPv6's clothes (RFC 4291 section 2.5.5.2) goes without them. */
	if (session->address_len == 16 && memcmp(session->address, mapped, sizeof(mapped)) == 0) {
		memmove(session->address, session->address + sizeof(mapped), 4);
		session->address_len = 4;
	}
	return true;
}

/*
 * Servers made with GnuTLS end the handshake at a name with other characters, such as the
 * underscores of container names; no server needs it to show its only certificate. So such a name
 * is not sent, but verified all the same.
 */
static bool may_be_sent(const gnutls_datum_t *name)
{
	return strspn((const char *)name->data,
		      "abcdefghijklmnopqrstuvwxyz"
		      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == name->size;
}

static enum mquic_status announce_name(struct tls_session *session)
{
	gnutls_datum_t name;
	int rv = gnutls_idna_map(session->name, (unsigned int)strlen(session->name), &name, 0);

	if (rv == 0) {
		if (may_be_sent(&name))
			rv = gnutls_server_name_set(session->native, GNUTLS_NAME_DNS, name.data,
						    name.size);
		gnutls_free(name.data);
	}
	if (rv == GNUTLS_E_MEMORY_ERROR)
		return MQUIC_ERR_MEMORY;
	return rv < 0 ? MQUIC_ERR_INVALID : MQUIC_OK;
}

static enum mquic_status set_up_client(struct tls_session *session, const char *server_name)
{
	if (server_name == NULL || !keep_name(session, server_name))
		return MQUIC_ERR_INVALID;
	verify_set_up(session);
	return session->address_len > 0 ? MQUIC_OK : announce_name(session);
}

/* With a CA a certificate is asked for. */
static void set_up_server(struct tls_session *session)
{
	if (!session->credentials->has_trust)
		return;
	gnutls_certificate_server_set_request(
		session->native, session->credentials->require_certificate ? GNUTLS_CERT_REQUIRE
									   : GNUTLS_CERT_REQUEST);
	verify_set_up(session);
}

static unsigned int flags_of(const struct tls_credentials *credentials)
{
	if (credentials->role == TLS_SERVER)
		return SERVER_FLAGS;
	return credentials->resumes ? CLIENT_FLAGS : CLIENT_FLAGS | GNUTLS_NO_TICKETS;
}

static enum mquic_status set_up(struct tls_session *session, const char *server_name,
				void *reference)
{
	bool server = session->credentials->role == TLS_SERVER;
	int rv = gnutls_init(&session->native, flags_of(session->credentials));

	if (rv < 0)
		return translate(rv);
	gnutls_session_set_ptr(session->native, reference);
	gnutls_db_set_ptr(session->native, session);
	gnutls_session_set_keylog_function(session->native, write_keylog);
	rv = gnutls_priority_set(session->native, session->credentials->priority);
	if (rv >= 0)
		rv = gnutls_credentials_set(session->native, GNUTLS_CRD_CERTIFICATE,
					    session->credentials->native);
	if (rv >= 0)
		rv = set_alpn(session);
	if (rv >= 0)
		rv = resume_set_up(session);
	if (rv < 0)
		return translate(rv);
	if (!server)
		return set_up_client(session, server_name);
	set_up_server(session);
	return MQUIC_OK;
}

enum mquic_status tls_session_new(struct tls_session **session, struct tls_credentials *credentials,
				  const char *server_name, void *reference)
{
	struct tls_session *made = calloc(1, sizeof(*made));
	enum mquic_status status;

	*session = NULL;
	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	made->credentials = tls_credentials_ref(credentials);
	status = set_up(made, server_name, reference);
	if (status != MQUIC_OK) {
		tls_session_free(made);
		return status;
	}
	*session = made;
	return MQUIC_OK;
}

void tls_session_free(struct tls_session *session)
{
	if (session == NULL)
		return;
	if (session->native != NULL)
		gnutls_deinit(session->native);
	tls_credentials_unref(session->credentials);
	free(session->fault);
	ticket_free(session->ticket);
	free(session);
}

void *tls_session_native(struct tls_session *session)
{
	return session->native;
}
