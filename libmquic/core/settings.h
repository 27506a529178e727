/* SPDX-License-Identifier: MIT */
/* How to talk QUIC and TLS: what mquic_settings_* sets and the other rooms read. */
#ifndef MQUIC_CORE_SETTINGS_H
#define MQUIC_CORE_SETTINGS_H

#include "core/error.h"
#include "core/key-pairs.h"
#include "mquic.h"

/* Marks of a setting. */
enum setting_mark {
	SETTING_PLAIN = 0x0,
	SETTING_CREDENTIAL = 0x1, /* TLS credentials are made of it: who shares them agrees in it */
	SETTING_ZERO = 0x2,       /* 0 is below the least and allowed: it turns something off */
	SETTING_NEEDED = 0x4      /* a text that cannot be NULL */
};

/*
 * Every setting, once: kind, name, least and most, default, marks, and its name in sentences. A row
 * makes the field in struct mquic_settings, the public setter with its checks, the default, and
 * that the setting is copied, compared and freed; tests/unit/test-settings.c holds what mquic.h
 * says of it against the row. A text that is "" by default is NULL. The kinds:
 *
 *   PATH      the name of a file or directory, not empty; NULL: none
 *   PAIRED    the same, with a setter of its own hand because two go together
 *   TEXT      least to most bytes
 *   ADDRESS   a numeric address
 *   FLAG      a bool
 *   NUMBER    64 bits     COUNT   32 bits     CHOICE   a public enum, 0 to its last value
 *   OPTIONAL  a NUMBER that may be left alone: its field `NAME_told` says whether it was set
 */
#define SETTINGS(ROW)                                                                              \
	ROW(PATH, ca_file, 0, 0, "", SETTING_CREDENTIAL, "CA file")                                \
	ROW(PATH, ca_path, 0, 0, "", SETTING_CREDENTIAL, "CA directory")                           \
	ROW(PATH, crl_file, 0, 0, "", SETTING_CREDENTIAL, "revocation list file")                  \
	ROW(PAIRED, cert_file, 0, 0, "", SETTING_CREDENTIAL, "certificate file")                   \
	ROW(PAIRED, key_file, 0, 0, "", SETTING_CREDENTIAL, "key file")                            \
	ROW(TEXT, alpn, 1, 31, "mqtt", SETTING_CREDENTIAL | SETTING_NEEDED,                        \
	    "an application protocol (ALPN)")                                                      \
	ROW(PATH, keylog_file, 0, 0, "", SETTING_CREDENTIAL, "key log file")                       \
	ROW(FLAG, require_certificate, 0, 1, 0, SETTING_CREDENTIAL, "")                            \
	ROW(FLAG, insecure, 0, 1, 0, SETTING_CREDENTIAL, "")                                       \
	ROW(FLAG, resumption, 0, 1, 1, SETTING_CREDENTIAL, "")                                     \
	ROW(TEXT, server_name, 1, 255, "", SETTING_PLAIN, "a server name")                         \
	ROW(PATH, reset_key_file, 0, 0, "", SETTING_PLAIN, "reset key file")                       \
	ROW(PATH, ticket_key_file, 0, 0, "", SETTING_PLAIN, "ticket key file")                     \
	ROW(PATH, ticket_file, 0, 0, "", SETTING_PLAIN, "ticket file")                             \
	ROW(ADDRESS, local_address, 0, 0, "", SETTING_PLAIN, "this machine to dial from")          \
	ROW(NUMBER, idle_timeout_ms, 1000, 86400000, 30000, SETTING_ZERO,                          \
	    "the idle timeout in ms")                                                              \
	ROW(NUMBER, handshake_timeout_ms, 100, 600000, 10000, SETTING_PLAIN,                       \
	    "the handshake timeout in ms")                                                         \
	ROW(NUMBER, initial_rtt_ms, 10, 2000, 100, SETTING_PLAIN, "the initial round trip in ms")  \
	ROW(OPTIONAL, keep_alive_ms, 1000, 3600000, 0, SETTING_ZERO,                               \
	    "the QUIC keep-alive interval in ms")                                                  \
	ROW(NUMBER, receive_window, 4096, 1073741824, 262144, SETTING_PLAIN,                       \
	    "the receive window in bytes")                                                         \
	ROW(NUMBER, send_buffer, 4096, 1073741824, 1048576, SETTING_PLAIN,                         \
	    "the send buffer in bytes")                                                            \
	ROW(COUNT, max_streams, 1, 65535, 16, SETTING_PLAIN, "the number of streams")              \
	ROW(COUNT, max_connections, 1, 1000000, 10000, SETTING_PLAIN, "the number of connections") \
	ROW(COUNT, max_connections_per_address, 0, 1000000, 0, SETTING_PLAIN,                      \
	    "the number of connections per address")                                               \
	ROW(COUNT, max_handshakes, 1, 1000000, 1000, SETTING_PLAIN,                                \
	    "the number of handshakes in flight")                                                  \
	ROW(COUNT, worker, 0, 255, 0, SETTING_PLAIN, "the worker's number")                        \
	ROW(COUNT, workers, 1, 256, 1, SETTING_PLAIN, "the number of workers")                     \
	ROW(CHOICE, congestion_control, 0, MQUIC_CONGESTION_BBR, MQUIC_CONGESTION_CUBIC,           \
	    SETTING_PLAIN, "the congestion control (MQUIC_CONGESTION_*)")                          \
	ROW(CHOICE, redundancy, 0, MQUIC_REDUNDANCY_HANDSHAKE, MQUIC_REDUNDANCY_HANDSHAKE,         \
	    SETTING_PLAIN, "the redundancy (MQUIC_REDUNDANCY_*)")                                  \
	ROW(CHOICE, retry, 0, MQUIC_RETRY_NEVER, MQUIC_RETRY_ADAPTIVE, SETTING_PLAIN,              \
	    "the retry policy (MQUIC_RETRY_*)")

/* The field of each kind. */
#define SETTING_FIELD_PATH(name)    char *name; /* NULL: not set */
#define SETTING_FIELD_PAIRED(name)  char *name;
#define SETTING_FIELD_TEXT(name)    char *name;
#define SETTING_FIELD_ADDRESS(name) char *name;
#define SETTING_FIELD_FLAG(name)    bool name;
#define SETTING_FIELD_NUMBER(name)  uint64_t name;
#define SETTING_FIELD_OPTIONAL(name)                                                               \
	uint64_t name;                                                                             \
	bool name##_told;
#define SETTING_FIELD_COUNT(name)      uint32_t name;
#define SETTING_FIELD_CHOICE(name)     enum mquic_##name name;
#define SETTING_FIELD(kind, name, ...) SETTING_FIELD_##kind(name)

#define SERVER_SECRET_LEN 32

struct mquic_settings {
	struct error error;
	SETTINGS(SETTING_FIELD)
	struct key_pairs more; /* of a server, behind cert_file and key_file */
	uint8_t server_secret[SERVER_SECRET_LEN];
	bool has_server_secret;
};

#define SETTING_INDEX(kind, name, ...) SETTING_##name,

/* The rows by number. */
enum setting_index {
	SETTINGS(SETTING_INDEX) SETTINGS_COUNT
};

enum setting_kind {
	SETTING_KIND_PATH,
	SETTING_KIND_PAIRED,
	SETTING_KIND_TEXT,
	SETTING_KIND_ADDRESS,
	SETTING_KIND_FLAG,
	SETTING_KIND_NUMBER,
	SETTING_KIND_OPTIONAL,
	SETTING_KIND_COUNT,
	SETTING_KIND_CHOICE
};

/* Without pointers: the table needs no relocation, and is shared by all processes. */
struct setting {
	uint8_t kind; /* enum setting_kind */
	uint8_t marks;
	uint16_t offset; /* of its field */
	uint32_t least;
	uint32_t most;
	uint32_t number; /* the default of one that is no text, ... */
	char text[8];    /* ... and of one that is, empty: NULL */
	char what[44];
};

extern const struct setting settings_rows[SETTINGS_COUNT];

/* Whether the value is a text: a char *, owned by the settings. */
static inline bool setting_is_text(const struct setting *row)
{
	return row->kind <= SETTING_KIND_ADDRESS;
}

/* A deep copy; NULL copies the defaults. NULL if out of memory. */
struct mquic_settings *settings_copy(const struct mquic_settings *settings);

/* Whether the same TLS credentials are made of both. */
bool settings_same_credentials(const struct mquic_settings *a, const struct mquic_settings *b);

#endif
