/* SPDX-License-Identifier: MIT */
/* How to talk QUIC and TLS: what mquic_settings_* sets and the other rooms read. */
#ifndef MQUIC_CORE_SETTINGS_H
#define MQUIC_CORE_SETTINGS_H

#include "core/error.h"
#include "mquic.h"

struct mquic_settings {
	struct error error;
	/* NULL: not set */
	char *ca_file;
	char *ca_path;
	char *crl_file;
	char *cert_file;
	char *key_file;
	char *server_name;
	char *alpn;
	char *keylog_file;
	char *reset_key_file;
	char *local_address;
	bool require_certificate;
	bool insecure;
	uint64_t idle_timeout_ms;
	uint64_t handshake_timeout_ms;
	uint64_t initial_rtt_ms;
	uint64_t keep_alive_ms;
	bool keep_alive_told; /* set by the program, be it to 0 */
	uint64_t receive_window;
	uint64_t send_buffer;
	uint32_t max_streams;
	uint32_t max_connections;
	uint32_t max_connections_per_address;
	uint32_t max_handshakes;
	enum mquic_congestion_control congestion_control;
	enum mquic_retry retry;
};

/* A deep copy; NULL copies the defaults. NULL if out of memory. */
struct mquic_settings *settings_copy(const struct mquic_settings *settings);

#endif
