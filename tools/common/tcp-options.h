/* SPDX-License-Identifier: MIT */
/*
 * Options that mosquitto_pub and mosquitto_sub have for TCP, OpenSSL or pre-shared keys: those
 * that ask for what QUIC does anyway are taken, the others refused with advice.
 */
#ifndef TOOLS_TCP_OPTIONS_H
#define TOOLS_TCP_OPTIONS_H

#include "options.h"

/* Their target is of no use, and not NULL. */
extern const struct option_spec tcp_option_specs[];

/* Whether an option, of `len` bytes, is one of these or the port. */
bool tcp_options_concern(const char *option, size_t len);

#endif
