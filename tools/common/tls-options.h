/* SPDX-License-Identifier: MIT */
/* The options for TLS and QUIC that every tool that dials has in common. */
#ifndef TOOLS_TLS_OPTIONS_H
#define TOOLS_TLS_OPTIONS_H

#include "options.h"

#include <mquic.h>

struct tls_options {
	const char *ca_file, *ca_path;
	const char *cert, *key;
	const char *server_name;
	const char *local_address;
	const char *alpn;
	const char *ticket_file;
	const char *keylog_file;
	bool insecure;
	enum mquic_congestion_control congestion_control;
	bool once; /* no redundancy */
};

extern const struct option_spec tls_option_specs[];
/* Their part of --help. */
extern const char tls_options_help[];

/* Whether they go together; says what does not. */
bool tls_options_check(const struct tls_options *options);
/* Settings with these options, NULL after saying why not. */
struct mquic_settings *tls_options_settings(const struct tls_options *options);

#endif
