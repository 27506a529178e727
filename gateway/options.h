/* SPDX-License-Identifier: MIT */
/* The plugin_opt_ lines of the configuration: strict, because a typo must not weaken a server. */
#ifndef GATEWAY_OPTIONS_H
#define GATEWAY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mquic.h>

#include "../server/hostport.h"

/* One line, its name without plugin_opt_. */
struct option_line {
	const char *name;
	const char *value;
};

/* Room for one sentence about a wrong option. */
#define OPTIONS_ERROR_SIZE 512

#define OPTIONS_LISTEN_MAX 16

/* More than a machine of today can use for clients of MQTT. */
#define OPTIONS_WORKERS_MAX 64

/* The usual place: the broker's user may write there, and Debian has its persistence there. */
#define OPTIONS_RESET_KEY "/var/lib/mosquitto/mquic-reset.key"

/* That no line has said how many connections one address may have. */
#define OPTIONS_SHARE UINT32_MAX

/* Of one listener. */
#define OPTIONS_CERTIFICATES_MAX 16

/* A bit stands for each. */
#define OPTIONS_LISTENERS_MAX 16

/* Of all listeners together, and lines: the channel to a worker has room for so many. */
#define OPTIONS_ADDRESSES_MAX 32
#define OPTIONS_LINES_MAX     128

/* A listener's name, and its NUL. */
#define OPTIONS_NAME_SIZE 33

struct option_files {
	char *paths[OPTIONS_CERTIFICATES_MAX];
	size_t count;
};

/* What a listener has for itself. */
struct listener_options {
	char name[OPTIONS_NAME_SIZE]; /* empty: it is the only one, and has none */
	struct hostport listen[OPTIONS_LISTEN_MAX];
	size_t listen_count;
	char *handoff;
	struct option_files certfiles; /* as many ... */
	struct option_files keyfiles;  /* ... as of these, in the same order */
	char *cafile;
	char *capath;
	char *crlfile;
	bool require_certificate;
	bool use_identity_as_username;
	bool use_subject_as_username; /* the former goes first, as with Mosquitto */
	bool proxy_protocol;
	uint32_t max_connections;             /* 0: as many as the descriptors allow, up to 10000 */
	uint32_t max_connections_per_address; /* 0: no limit; OPTIONS_SHARE: by max_connections */
	uint32_t max_handshakes;
	uint32_t connect_timeout_s;
	uint32_t idle_timeout_s;
	enum mquic_retry retry;
	enum mquic_congestion_control congestion_control;
	enum mquic_redundancy redundancy;
};

struct options {
	struct listener_options listeners[OPTIONS_LISTENERS_MAX];
	size_t listener_count;
	char *control;         /* the socket of mquic-status */
	char *reset_key_file;  /* NULL: there is one in the usual place that we may not read */
	char *ticket_key_file; /* NULL: the workers have one till the broker ends */
	char *keylog_file;
	char *metrics;                  /* a file for what is counted, NULL: none */
	struct hostport metrics_listen; /* and an address of this machine; port 0: none */
	char *worker;                   /* the program that speaks QUIC */
	uint32_t workers;
	bool sandbox;
	bool resumption;
	uint32_t sys_interval_s;        /* 0: what is counted is not shown */
	uint64_t memory_limit;          /* bytes, of all clients together */
	enum mquic_log_level log_level; /* no lines above it are written */
};

/*
 * Reads all options. `broker_2_1` says whether the broker can do what came with Mosquitto 2.1.
 * On false, `error` holds a sentence that names the option and the remedy. Call options_clear()
 * in either case.
 */
bool options_parse(struct options *options, const struct option_line *given, int count,
		   bool broker_2_1, char error[OPTIONS_ERROR_SIZE]);

/* What stands before a sentence about this listener; empty if it has no name. */
#define OPTIONS_PREFIX_SIZE (OPTIONS_NAME_SIZE + 16)
const char *options_prefix(const struct listener_options *listener,
			   char prefix[OPTIONS_PREFIX_SIZE]);

/* Whether the certificate of a client says which user it is. */
static inline bool options_ask_certificate(const struct listener_options *listener)
{
	return listener->use_identity_as_username || listener->use_subject_as_username;
}

/* Whether an option of this name is a file, or a directory of them, that SIGHUP has read again. */
bool options_is_read_again(const char *name);

/* Frees what the options hold. */
void options_clear(struct options *options);

/*
 * Says to libmquic what is for one of the listeners. False: out of memory, or `error` has libmquic's
 * sentence.
 */
bool options_apply(const struct options *options, const struct listener_options *listener,
		   struct mquic_settings *settings, char error[OPTIONS_ERROR_SIZE]);

/* The option whose file a sentence of libmquic's names first, without its plugin_opt_, or NULL. */
const char *options_find_file(const struct options *options,
			      const struct listener_options *listener, const char *sentence);

#endif
