/* SPDX-License-Identifier: MIT */
/*
 * URLs of MQTT over QUIC: mqtt-quic://[user[:password]@]host[:port][/topic], and quic:// for the
 * same. Everybody's: sessions, tools, and whoever takes one apart by mquic_url_*().
 */
#ifndef MQUIC_SESSION_URL_H
#define MQUIC_SESSION_URL_H

#include "core/error.h"
#include "core/text.h"

/* Parts of a URL, percent escapes resolved; data NULL: not given. Free with url_clear(). */
struct url {
	struct text host; /* without brackets */
	struct text username;
	struct text password;
	struct text topic;
	uint16_t port; /* MQUIC_PORT if not given */
	bool has_port;
};

/* MQUIC_ERR_INVALID with a sentence. On failure there is nothing to clear. */
enum mquic_status url_parse_with_topic(struct url *url, const char *text, struct error *error);
/* The same of a server's URL, which has no topic. */
enum mquic_status url_parse(struct url *url, const char *text, struct error *error);
void url_clear(struct url *url);

#endif
