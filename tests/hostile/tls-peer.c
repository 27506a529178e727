/* SPDX-License-Identifier: MIT */
/* The hostile peer's TLS: GnuTLS without its record layer, as in RFC 9001 section 4. */
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

#define TRANSPORT_PARAMETERS 0x39

#define PRIORITY                                                                                   \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:-GROUP-ALL:%DISABLE_TLS13_COMPAT_" \
	"MODE:"

static void must(int rv)
{
	if (rv >= 0)
		return;
	(void)fprintf(stderr, "hostile: %s\n", gnutls_strerror(rv));
	abort();
}

void hostile_identity_make(struct hostile_identity *identity, const char *certificate,
			   const char *key)
{
	must(gnutls_certificate_allocate_credentials(&identity->credentials));
	if (certificate != NULL)
		must(gnutls_certificate_set_x509_key_file(identity->credentials, certificate, key,
							  GNUTLS_X509_FMT_PEM));
	must(gnutls_priority_init(&identity->priority, PRIORITY "+GROUP-X25519:+GROUP-SECP256R1",
				  NULL));
	/* A client's key share is for its first group; a server takes but what is not offered. */
	must(gnutls_priority_init(&identity->retry_priority,
				  PRIORITY "+GROUP-FFDHE2048:+GROUP-SECP384R1:+GROUP-SECP256R1",
				  NULL));
}

void hostile_identity_free(struct hostile_identity *identity)
{
	gnutls_certificate_free_credentials(identity->credentials);
	gnutls_priority_deinit(identity->priority);
	gnutls_priority_deinit(identity->retry_priority);
}

/* ---- Transport parameters (RFC 9000 section 18) ------------------------------ */

void params_remove(struct octets *params, uint64_t id)
{
	struct octets_view view = {params->data, params->len, false};

	while (view.left > 0) {
		size_t start = params->len - view.left;
		uint64_t found = view_varint(&view);

		(void)view_take(&view, view_varint(&view));
		if (found == id) {
			octets_cut(params, start, params->len - view.left - start);
			return;
		}
	}
}

void params_put(struct octets *params, uint64_t id, const void *data, size_t len)
{
	octets_varint(params, id);
	octets_varint(params, len);
	octets_put(params, data, len);
}

void params_number(struct octets *params, uint64_t id, uint64_t value)
{
	struct octets number = {.len = 0};

	octets_varint(&number, value);
	params_put(params, id, number.data, number.len);
}

static void fill_params(struct hostile *peer, struct octets *params)
{
	params_number(params, 0x01, 60000);
	params_number(params, 0x04, 1 << 20);
	params_number(params, 0x05, 1 << 18);
	params_number(params, 0x06, 1 << 18);
	params_number(params, 0x07, 1 << 18);
	params_number(params, 0x08, 16);
	params_number(params, 0x09, 3);
	params_number(params, 0x0e, 4);
	params_put(params, 0x0f, peer->own, peer->own_len);
	if (!peer->server)
		return;
	params_put(params, 0x00, peer->original, peer->original_len);
	params_put(params, 0x02, "reset token here", 16);
	if (peer->retried)
		params_put(params, 0x10, peer->retry_source, HOSTILE_CID);
}

static int send_params(gnutls_session_t tls, gnutls_buffer_t to)
{
	struct hostile *peer = gnutls_session_get_ptr(tls);
	struct octets params = {.len = 0};

	fill_params(peer, &params);
	if (peer->on_params != NULL)
		peer->on_params(peer, &params);
	return gnutls_buffer_append_data(to, params.data, params.len);
}

static int receive_params(gnutls_session_t tls, const unsigned char *data, size_t len)
{
	(void)tls;
	(void)data;
	(void)len;
	return 0;
}

/* ---- Messages ------------------------------------------------------------------- */

/* Where the extensions' length stands; 0: a message without. */
static size_t extensions_at(const struct octets *message)
{
	struct octets_view view = {message->data, message->len, false};
	uint64_t type = view_number(&view, 1);

	(void)view_take(&view, 3);
	if (type != GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS) {
		if (type != GNUTLS_HANDSHAKE_CLIENT_HELLO && type != GNUTLS_HANDSHAKE_SERVER_HELLO)
			return 0;
		(void)view_take(&view, 2 + 32);
		(void)view_take(&view, view_number(&view, 1));
		(void)view_take(&view,
				type == GNUTLS_HANDSHAKE_SERVER_HELLO ? 3 : view_number(&view, 2));
		if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO)
			(void)view_take(&view, view_number(&view, 1));
	}
	return view.failed || view.left < 2 ? 0 : message->len - view.left;
}

size_t message_extension(const struct octets *message, uint16_t type)
{
	size_t at = extensions_at(message);
	struct octets_view view = {message->data + at, message->len - at, false};

	if (at == 0)
		return 0;
	(void)view_take(&view, 2);
	while (view.left > 0) {
		size_t start = message->len - view.left;
		uint64_t found = view_number(&view, 2);

		(void)view_take(&view, view_number(&view, 2));
		if (view.failed)
			return 0;
		if (found == type)
			return start;
	}
	return 0;
}

/* After a change: the lengths of message and extensions. */
static void fit_lengths(struct octets *message)
{
	size_t at = extensions_at(message);
	size_t len = message->len - 4;

	message->data[1] = (uint8_t)(len >> 16);
	message->data[2] = (uint8_t)(len >> 8);
	message->data[3] = (uint8_t)len;
	len = message->len - at - 2;
	message->data[at] = (uint8_t)(len >> 8);
	message->data[at + 1] = (uint8_t)len;
}

void message_remove_extension(struct octets *message, uint16_t type)
{
	size_t at = message_extension(message, type);

	if (at == 0)
		return;
	octets_cut(message, at, 4 + ((size_t)message->data[at + 2] << 8 | message->data[at + 3]));
	fit_lengths(message);
}

void message_rename_extension(struct octets *message, uint16_t type, uint16_t other)
{
	size_t at = message_extension(message, type);

	if (at == 0)
		return;
	message->data[at] = (uint8_t)(other >> 8);
	message->data[at + 1] = (uint8_t)other;
}

static void insert_extension(struct octets *message, size_t at, uint16_t type, const void *data,
			     size_t len)
{
	struct octets extension = {.len = 0};

	octets_number(&extension, type, 2);
	octets_number(&extension, len, 2);
	octets_put(&extension, data, len);
	octets_insert(message, at, extension.data, extension.len);
	fit_lengths(message);
}

void message_add_extension(struct octets *message, uint16_t type, const void *data, size_t len)
{
	size_t at = extensions_at(message);

	if (at != 0)
		insert_extension(message, at + 2, type, data, len);
}

void message_append_extension(struct octets *message, uint16_t type, const void *data, size_t len)
{
	if (extensions_at(message) != 0)
		insert_extension(message, message->len, type, data, len);
}

/* ---- The session ------------------------------------------------------------------ */

static int on_message(gnutls_session_t tls, gnutls_record_encryption_level_t level,
		      gnutls_handshake_description_t type, const void *data, size_t len)
{
	struct hostile *peer = gnutls_session_get_ptr(tls);
	struct octets message = {.len = 0};

	if (type == GNUTLS_HANDSHAKE_CHANGE_CIPHER_SPEC)
		return 0;
	octets_put(&message, data, len);
	if (peer->on_message != NULL)
		peer->on_message(peer, (enum hostile_level)level, &message);
	hostile_say_tls(peer, (enum hostile_level)level, message.data, message.len);
	return 0;
}

static int on_secret(gnutls_session_t tls, gnutls_record_encryption_level_t level,
		     const void *receive, const void *send, size_t len)
{
	struct hostile *peer = gnutls_session_get_ptr(tls);
	struct hostile_stage *stage = &peer->stages[level];

	if (len != PROTECT_SECRET)
		return -1;
	if (receive != NULL)
		protect_set(&stage->receive, receive);
	if (send != NULL)
		protect_set(&stage->send, send);
	return 0;
}

static int on_alert(gnutls_session_t tls, gnutls_record_encryption_level_t level,
		    gnutls_alert_level_t severity, gnutls_alert_description_t alert)
{
	struct hostile *peer = gnutls_session_get_ptr(tls);

	(void)level;
	(void)severity;
	peer->tls_alert = (uint8_t)alert;
	return 0;
}

void peer_tls_open(struct hostile *peer)
{
	static const char name[] = "broker.example";
	unsigned int flags = peer->server ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET
					  : GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP;

	must(gnutls_init(&peer->tls, flags | GNUTLS_NO_TICKETS));
	gnutls_session_set_ptr(peer->tls, peer);
	must(gnutls_priority_set(peer->tls, peer->hello_retry ? peer->identity->retry_priority
							      : peer->identity->priority));
	must(gnutls_credentials_set(peer->tls, GNUTLS_CRD_CERTIFICATE,
				    peer->identity->credentials));
	if (peer->alpn != NULL) {
		const gnutls_datum_t protocol = {(unsigned char *)(uintptr_t)peer->alpn,
						 (unsigned int)strlen(peer->alpn)};

		must(gnutls_alpn_set_protocols(peer->tls, &protocol, 1, 0));
	}
	if (!peer->server)
		must(gnutls_server_name_set(peer->tls, GNUTLS_NAME_DNS, name, sizeof(name) - 1));
	gnutls_handshake_set_secret_function(peer->tls, on_secret);
	gnutls_handshake_set_read_function(peer->tls, on_message);
	gnutls_alert_set_read_function(peer->tls, on_alert);
	if (peer->no_params)
		return;
	must(gnutls_session_ext_register(
		peer->tls, "QUIC transport parameters", TRANSPORT_PARAMETERS, GNUTLS_EXT_TLS,
		receive_params, send_params, NULL, NULL, NULL,
		GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_EE));
}

static void shake(struct hostile *peer)
{
	int rv = gnutls_handshake(peer->tls);

	if (rv == 0)
		peer->complete = true;
	else if (gnutls_error_is_fatal(rv))
		peer->tls_error = rv;
	if (!peer->complete)
		return;
	if (peer->server && !peer->no_done)
		octets_varint(&peer->stages[HOSTILE_APP].queue, FRAME_HANDSHAKE_DONE);
	if (peer->on_confirmed != NULL)
		peer->on_confirmed(peer);
}

void peer_tls_start(struct hostile *peer)
{
	shake(peer);
}

void peer_tls_read(struct hostile *peer, enum hostile_level level, const uint8_t *data, size_t len)
{
	int rv;

	if (peer->tls == NULL || peer->tls_error != 0)
		return;
	rv = gnutls_handshake_write(peer->tls, (gnutls_record_encryption_level_t)level, data, len);
	if (rv < 0 && gnutls_error_is_fatal(rv))
		peer->tls_error = rv;
	else if (!peer->complete)
		shake(peer);
}
