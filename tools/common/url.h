/* SPDX-License-Identifier: MIT */
/* URLs on the command line: mqtt-quic://[user[:password]@]host[:port][/topic], also quic:// */
#ifndef TOOLS_URL_H
#define TOOLS_URL_H

#include <stdbool.h>
#include <stdint.h>

struct mquic_url;

struct url {
	struct mquic_url *parsed; /* the parts below are its; NULL: there is no URL */
	const char *host;
	const char *username, *password, *topic; /* NULL: not in the URL */
	uint16_t port;                           /* 0: not in the URL */
};

/* Takes it apart; false after saying, in the name of `option`, what is wrong. */
bool url_parse(struct url *url, const char *option, const char *text);
/* Overwrites the password in a URL that has been taken apart, where others could read it. */
void url_blank_password(char *text);
void url_free(struct url *url);

#endif
