/* SPDX-License-Identifier: MIT */
#include "url.h"

#include "say.h"

#include <mquic.h>
#include <string.h>

bool url_parse(struct url *url, const char *option, const char *text)
{
	memset(url, 0, sizeof(*url));
	if (mquic_url_new(&url->parsed) != MQUIC_OK)
		return say_usage("Out of memory.");
	if (mquic_url_parse(url->parsed, text) != MQUIC_OK)
		return say_usage("%s: %s. Expected mqtt-quic://[user[:password]@]host[:port]"
				 "[/topic].",
				 option, mquic_url_error(url->parsed));
	url->host = mquic_url_host(url->parsed);
	url->port = mquic_url_port(url->parsed);
	url->username = mquic_url_username(url->parsed);
	url->password = mquic_url_password(url->parsed);
	url->topic = mquic_url_topic(url->parsed);
	return true;
}

void url_blank_password(char *text)
{
	char *start = strstr(text, "://") + 3;
	char *host = start + strcspn(start, "/");
	char *password;

	while (host > start && *host != '@')
		host--;
	password = memchr(start, ':', (size_t)(host - start));
	if (password)
		memset(password + 1, 'x', (size_t)(host - password - 1));
}

void url_free(struct url *url)
{
	mquic_url_free(url->parsed);
	memset(url, 0, sizeof(*url));
}
