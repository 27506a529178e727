/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "subject.h"

void guest_free(struct guest *guest)
{
	free(guest->name);
	free(guest);
}

static struct guest *guest_new(enum channel_kind kind, const char *name, const char *peer)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (guest == NULL)
		return NULL;
	guest->kind = kind;
	snprintf(guest->peer, sizeof(guest->peer), "%s", peer);
	if (name != NULL)
		guest->name = strdup(name);
	if ((name == NULL || guest->name != NULL) && token_draw(&guest->token))
		return guest;
	guest_free(guest);
	return NULL;
}

/* The broker knows no empty user names: such a client is one without. */
static const char *unless_empty(const char *name)
{
	return name != NULL && *name != '\0' ? name : NULL;
}

static struct guest *identify_by_certificate(const struct listener_options *options,
					     const struct mquic_connection *connection,
					     const char *peer)
{
	size_t len;
	const uint8_t *der = mquic_connection_peer_subject_der(connection, &len);
	const char *name = mquic_connection_peer_common_name(connection);
	char *subject = NULL;
	struct guest *guest;

	if (!options->use_identity_as_username)
		name = subject = der == NULL ? NULL : subject_text(der, len);
	name = unless_empty(name);
	guest = guest_new(name != NULL ? CHANNEL_KIND_CERTIFICATE : CHANNEL_KIND_REFUSED, name,
			  peer);
	free(subject);
	return guest;
}

/* Who the client is, as far as its certificate says. */
struct guest *guest_identify(const struct listener_options *options,
			     const struct mquic_relay *relay)
{
	const struct mquic_connection *connection = mquic_relay_connection(relay);
	const char *peer = mquic_connection_peer_address(connection);

	return options_ask_certificate(options)
		       ? identify_by_certificate(options, connection, peer)
		       : guest_new(CHANNEL_KIND_CLIENT,
				   unless_empty(mquic_relay_username(relay, NULL)), peer);
}
