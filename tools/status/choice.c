/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/say.h"
#include "status/choice.h"

#define ADDRESS_SIZE sizeof(((struct client_facts *)NULL)->address)

/* An address in one of its many spellings, and where its port begins. */
struct place {
	int family;
	unsigned char bytes[16];
	const char *port; /* "": none */
};

static bool read_host(const char *host, struct place *place)
{
	memset(place->bytes, 0, sizeof(place->bytes));
	place->family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
	return inet_pton(place->family, host, place->bytes) == 1;
}

/* "192.0.2.1", "192.0.2.1:1", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:1" */
static bool read_place(const char *text, struct place *place)
{
	char host[ADDRESS_SIZE];
	const char *colon = strrchr(text, ':');
	const char *end = text + strlen(text);
	bool has_brackets = text[0] == '[';

	if (has_brackets)
		end = strchr(text, ']');
	else if (colon != NULL && strchr(text, ':') == colon)
		end = colon;
	if (end == NULL || (size_t)(end - text) >= sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(end - text) - has_brackets, text + has_brackets);
	place->port = end + has_brackets;
	return (place->port[0] == '\0' || (place->port[0] == ':' && place->port[1] != '\0')) &&
	       read_host(host, place) && (!has_brackets || place->family == AF_INET6);
}

bool choice_check_text(const char *name, const char *text)
{
	return strlen(text) < CLIENT_FACTS_TEXT ||
	       say_usage("%s: workers tell of no more than %d bytes of a text, which others may "
			 "have as well. Use the first column.",
			 name, CLIENT_FACTS_TEXT - 1);
}

bool choice_check_address(const char *name, const char *text)
{
	struct place place;

	return read_place(text, &place) ||
	       say_usage("%s takes an address, with or without a port, such as 192.0.2.7 or "
			 "[2001:db8::1]:40112.",
			 name);
}

static bool is_at(const char *wanted, const char *address)
{
	struct place one, two;

	return read_place(wanted, &one) && read_place(address, &two) && one.family == two.family &&
	       memcmp(one.bytes, two.bytes, sizeof(one.bytes)) == 0 &&
	       (one.port[0] == '\0' || strcmp(one.port, two.port) == 0);
}

bool choice_has(const struct choice *choice, const struct client_facts *facts)
{
	return (choice->id == NULL || strcmp(choice->id, facts->id) == 0) &&
	       (choice->user == NULL || strcmp(choice->user, facts->user) == 0) &&
	       (choice->address == NULL || is_at(choice->address, facts->address));
}
