/* SPDX-License-Identifier: MIT */
/* URLs of MQTT over QUIC: mqtt-quic://[user[:password]@]host[:port], and quic:// for the same. */
#ifndef MQUIC_SESSION_URL_H
#define MQUIC_SESSION_URL_H

#include "core/error.h"
#include "core/text.h"

/* Parts of a URL, percent escapes resolved; data NULL: not given. Free with url_clear(). */
struct url {
	struct text host; /* without brackets */
	struct text username;
	struct text password;
	uint16_t port; /* MQUIC_PORT if not given */
};

/* MQUIC_ERR_INVALID with a sentence. On failure there is nothing to clear. */
enum mquic_status url_parse(struct url *url, const char *text, struct error *error);
void url_clear(struct url *url);

#endif
