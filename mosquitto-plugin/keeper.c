/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "keeper.h"
#include "../gateway/subject.h"

/* ---- Who comes in -------------------------------------------------------------- */

/* The broker knows no empty user names: such a client is one without. */
static const char *unless_empty(const char *name)
{
	return name != NULL && *name != '\0' ? name : NULL;
}

static struct identity *identify_by_name(const struct keeper *keeper,
					 const struct mquic_relay *relay, const char *peer)
{
	return identity_new(keeper->identities, IDENTITY_CLIENT,
			    unless_empty(mquic_relay_username(relay, NULL)), peer);
}

static struct identity *identify_by_certificate(const struct keeper *keeper,
						const struct mquic_connection *connection,
						const char *peer)
{
	size_t len;
	const uint8_t *der = mquic_connection_peer_subject_der(connection, &len);
	const char *name = mquic_connection_peer_common_name(connection);
	char *subject = NULL;
	struct identity *identity;

	if (!keeper->options->use_identity_as_username)
		name = subject = der == NULL ? NULL : subject_text(der, len);
	name = unless_empty(name);
	identity = identity_new(keeper->identities,
				name != NULL ? IDENTITY_CERTIFICATE : IDENTITY_REFUSED, name, peer);
	free(subject);
	return identity;
}

static struct identity *identify(const struct keeper *keeper, const struct mquic_relay *relay)
{
	const struct mquic_connection *connection = mquic_relay_connection(relay);
	const char *peer = mquic_connection_peer_address(connection);

	return options_ask_certificate(keeper->options)
		       ? identify_by_certificate(keeper, connection, peer)
		       : identify_by_name(keeper, relay, peer);
}

/*
 * Whether the broker will take CONNECT with a token in it: it must not become longer than what is
 * known to be taken, unless it is that long by itself, nor may the token become an identifier.
 */
static bool has_room_for_token(const struct handoff_terms *terms, const struct mquic_relay *relay)
{
	size_t size = mquic_relay_connect_size(relay);
	size_t name_len = 0;
	bool has_name = mquic_relay_username(relay, &name_len) != NULL;
	/* The length of a longer packet may take one byte more. */
	size_t longer = size + 1 + (has_name ? 0 : 2) + TOKEN_TEXT_LEN - name_len;

	return !terms->names_are_ids && (longer <= size || longer <= terms->connect_max);
}

/* The name in CONNECT of one who is not known by it: it is the identifier, or nobody reads it. */
static const char *plain_name(const struct keeper *keeper, const struct identity *identity)
{
	if (!keeper->terms.names_are_ids || !options_ask_certificate(keeper->options))
		return NULL;
	return identity_name(identity);
}

/*
 * One that nobody understands goes to the broker without an identity; it lets nobody in who is not
 * announced. The others are announced by a token in CONNECT, or else when that is sent.
 */
static bool announce(void *argument, const struct mquic_relay *relay, struct door_pass *pass,
		     struct door_refusal *refusal)
{
	struct keeper *keeper = argument;
	struct identity *identity;

	if (mquic_relay_protocol(relay) == 0)
		return true;
	identity = identify(keeper, relay);
	if (identity == NULL) {
		*refusal = (struct door_refusal){MQUIC_CLOSE_OVERLOADED, "out of memory"};
		return false;
	}
	pass->guest = identity;
	if (options_ask_certificate(keeper->options))
		pass->known_as = identity_name(identity);
	pass->by_hand = !has_room_for_token(&keeper->terms, relay);
	pass->alone = pass->by_hand ||
		      (keeper->terms.unproven && !identities_were_taken(keeper->identities));
	if (pass->by_hand) {
		pass->username = plain_name(keeper, identity);
		return true;
	}
	token_text(identity_token(identity), keeper->token);
	pass->username = keeper->token;
	return true;
}

static enum door_dial dial(void *argument, const struct door_pass *pass, int *fd,
			   struct door_refusal *refusal)
{
	const struct keeper *keeper = argument;
	enum handoff_status status = handoff_dial(keeper->options->handoff, keeper->highest_fd, fd);

	(void)pass;
	if (status == HANDOFF_CONNECTED)
		return DOOR_CONNECTED;
	*refusal = (struct door_refusal){MQUIC_CLOSE_OVERLOADED, handoff_text(status)};
	return status == HANDOFF_BUSY ? DOOR_BUSY : DOOR_CLOSED;
}

/* Announces a client by its socket. */
static bool present(void *argument, const struct door_pass *pass, const struct mquic_relay *relay,
		    int fd, const struct msghdr *connect)
{
	const struct keeper *keeper = argument;
	const char *id = keeper->terms.names_are_ids ? NULL : mquic_relay_client_id(relay, NULL);

	/* The broker makes up an identifier for a client that has none. */
	if (id != NULL && *id == '\0')
		id = NULL;
	return identity_show(keeper->identities, pass->guest, fd, connect, id);
}

/* ---- What the broker says ------------------------------------------------------- */

/* Whether the broker's first words are a CONNACK (3.2) that lets the client in. */
static bool lets_in(const uint8_t *data, size_t len)
{
	size_t at = 1;

	while (at < len && (data[at] & 0x80) != 0)
		at++;
	return len > at + 2 && data[0] == 0x20 && data[at + 2] == 0;
}

/*
 * A broker that lets somebody in without having asked us does so with all of them, under the names
 * of their tokens: then nobody is served.
 */
static bool answered(void *argument, const struct door_pass *pass, const uint8_t *data, size_t len,
		     struct door_refusal *refusal)
{
	struct keeper *keeper = argument;

	if (!pass->alone || !keeper->terms.unproven || !lets_in(data, len) ||
	    identity_was_taken(keeper->identities, pass->guest))
		return true;
	atomic_store(&keeper->bypassed, true);
	*refusal = (struct door_refusal){MQUIC_CLOSE_OVERLOADED,
					 "the plugin is not asked about logins"};
	return false;
}

static bool silent(void *argument, const struct door_pass *pass, bool unread,
		   struct door_refusal *refusal)
{
	const struct keeper *keeper = argument;

	/* 2.1 has read all of a small packet by the time it finds it too large. */
	if (pass->by_hand && keeper->terms.connect_max < HANDOFF_CONNECT_MAX)
		*refusal = (struct door_refusal){
			MQUIC_CLOSE_NORMAL,
			"the broker hung up on CONNECT: it has too many clients, or the packet is "
			"longer than its max_packet_size"};
	else if (unread)
		*refusal = (struct door_refusal){
			MQUIC_CLOSE_OVERLOADED,
			"the broker hung up before it read CONNECT: look at the max_connections of "
			"the hand-off listener"};
	else
		return false;
	return true;
}

/* Before it hangs up on its clients a broker that ends takes its listeners away. */
static const char *hung_up(void *argument, const struct door_pass *pass)
{
	const struct keeper *keeper = argument;

	(void)pass;
	return handoff_is_gone(keeper->options->handoff) ? "the broker is shutting down" : NULL;
}

/* ---- The rest --------------------------------------------------------------------- */

static void gone(void *argument, const struct door_pass *pass)
{
	const struct keeper *keeper = argument;

	identity_free(keeper->identities, pass->guest);
}

static void say(void *argument, enum mquic_log_level level, const char *line)
{
	const struct keeper *keeper = argument;

	log_push(keeper->log, level, "mquic: %s", line);
}

void keeper_init(struct keeper *keeper)
{
	atomic_init(&keeper->bypassed, false);
	keeper->door = (struct door){
		.keeper = keeper,
		.level = keeper->options->log_level,
		.announce = announce,
		.dial = dial,
		.present = present,
		.answered = answered,
		.silent = silent,
		.hung_up = hung_up,
		.gone = gone,
		.say = say,
	};
}

bool keeper_was_bypassed(const struct keeper *keeper)
{
	return atomic_load_explicit(&keeper->bypassed, memory_order_relaxed);
}
