/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "guest.h"
#include "keeper.h"

static const struct keeper_listener *listener_of(const struct keeper *keeper,
						 const struct door_pass *pass)
{
	return &keeper->listeners[pass->listener];
}

static bool send_to(const struct keeper *keeper, struct channel_message message)
{
	return channel_send(keeper->channel, &message);
}

/* ---- The end of a client ----------------------------------------------------------- */

static bool tell_gone(const struct keeper *keeper, const struct guest *guest)
{
	return !guest->announced ||
	       send_to(keeper, (struct channel_message){
				       .type = CHANNEL_GONE, .token = guest->token, .fd = -1});
}

static void gone(void *argument, const struct door_pass *pass)
{
	struct keeper *keeper = argument;
	struct guest *guest = pass->guest;

	if (tell_gone(keeper, guest))
		guest_free(guest);
	else
		queue_append(&keeper->leaving, &guest->in_leaving);
}

/* Those that could not be told. False: nor can they now. */
static bool see_off(struct keeper *keeper)
{
	while (!queue_is_empty(&keeper->leaving)) {
		struct guest *guest = QUEUE_MEMBER(keeper->leaving.next, struct guest, in_leaving);

		if (!tell_gone(keeper, guest))
			return false;
		queue_remove(&guest->in_leaving);
		guest_free(guest);
	}
	return true;
}

void keeper_end(struct keeper *keeper)
{
	while (!queue_is_empty(&keeper->leaving)) {
		struct guest *guest = QUEUE_MEMBER(keeper->leaving.next, struct guest, in_leaving);

		queue_remove(&guest->in_leaving);
		guest_free(guest);
	}
	teller_end(&keeper->teller);
}

/* ---- Who comes in -------------------------------------------------------------- */

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
static const char *plain_name(const struct keeper_listener *listener, const struct guest *guest)
{
	if (!listener->terms.names_are_ids || !options_ask_certificate(listener->options))
		return NULL;
	return guest->name;
}

/*
 * One that nobody understands goes to the broker without an identity; it lets nobody in who is not
 * announced. The others are announced by a token in CONNECT, or else when that is sent.
 */
static bool announce(void *argument, const struct mquic_relay *relay, struct door_pass *pass,
		     struct door_refusal *refusal)
{
	struct keeper *keeper = argument;
	const struct keeper_listener *listener = listener_of(keeper, pass);
	struct guest *guest;

	if (mquic_relay_protocol(relay) == 0)
		return true;
	guest = guest_identify(listener->options, relay);
	if (guest == NULL) {
		*refusal = (struct door_refusal){MQUIC_CLOSE_OVERLOADED, "out of memory"};
		return false;
	}
	guest->listener = pass->listener;
	pass->guest = guest;
	if (options_ask_certificate(listener->options))
		pass->known_as = guest->name;
	pass->by_hand = !has_room_for_token(&listener->terms, relay);
	pass->alone = pass->by_hand || (listener->terms.unproven && !listener->taken);
	if (pass->by_hand) {
		pass->username = plain_name(listener, guest);
		return true;
	}
	token_text(&guest->token, keeper->token);
	pass->username = keeper->token;
	return true;
}

/* Tells the plugin, once. False: the channel is full, for the broker has had no time for it. */
static bool introduce(struct keeper *keeper, struct guest *guest)
{
	if (guest == NULL || guest->announced)
		return true;
	/* First those that have left, so that there are never more than there are clients. */
	if (!see_off(keeper))
		return false;
	guest->announced = send_to(keeper, (struct channel_message){
						   .type = CHANNEL_ANNOUNCE,
						   .listener = guest->listener,
						   .number = guest->kind,
						   .token = guest->token,
						   .text = channel_text(guest->name),
						   .more = channel_text(guest->peer),
						   .fd = -1,
					   });
	if (!guest->announced)
		return false;
	free(guest->name);
	guest->name = NULL;
	return true;
}

static enum door_dial dial(void *argument, const struct door_pass *pass, int *fd,
			   struct door_refusal *refusal)
{
	struct keeper *keeper = argument;
	enum handoff_status status = HANDOFF_BUSY;

	if (introduce(keeper, pass->guest))
		status = handoff_dial(listener_of(keeper, pass)->options->handoff, keeper->broker,
				      keeper->highest_fd, fd);
	if (status == HANDOFF_CONNECTED)
		return DOOR_CONNECTED;
	*refusal = (struct door_refusal){MQUIC_CLOSE_OVERLOADED, handoff_text(status)};
	return status == HANDOFF_BUSY ? DOOR_BUSY : DOOR_CLOSED;
}

/* The parts of a message as one, to be freed. */
static uint8_t *joined(const struct msghdr *message, size_t *len)
{
	uint8_t *bytes;
	size_t i;

	*len = 0;
	for (i = 0; i < (size_t)message->msg_iovlen; i++)
		*len += message->msg_iov[i].iov_len;
	bytes = malloc(*len + 1);
	*len = 0;
	for (i = 0; bytes != NULL && i < (size_t)message->msg_iovlen; i++) {
		const struct iovec *part = &message->msg_iov[i];

		if (part->iov_len > 0)
			memcpy(bytes + *len, part->iov_base, part->iov_len);
		*len += part->iov_len;
	}
	return bytes;
}

/* Has the plugin send CONNECT, and know the client by its socket. */
static bool present(void *argument, const struct door_pass *pass, const struct mquic_relay *relay,
		    int fd, const struct msghdr *connect)
{
	const struct keeper *keeper = argument;
	const struct guest *guest = pass->guest;
	const char *id = listener_of(keeper, pass)->terms.names_are_ids
				 ? NULL
				 : mquic_relay_client_id(relay, NULL);
	struct channel_message message = {
		.type = CHANNEL_PRESENT,
		.token = guest->token,
		.fd = fd,
	};
	uint8_t *bytes = joined(connect, &message.more.len);
	bool sent;

	/* The broker makes up an identifier for a client that has none. */
	if (id != NULL && *id != '\0')
		message.text = channel_text(id);
	message.more.data = (const char *)bytes;
	sent = bytes != NULL && send_to(keeper, message);
	free(bytes);
	return sent;
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
 * A broker that lets somebody in without having asked the plugin does so with all of them, under
 * the names of their tokens: then nobody is served. What it was asked is in the channel before the
 * broker answers.
 */
static bool answered(void *argument, const struct door_pass *pass, const uint8_t *data, size_t len,
		     struct door_refusal *refusal)
{
	struct keeper *keeper = argument;
	const struct keeper_listener *listener = listener_of(keeper, pass);
	const struct guest *guest = pass->guest;

	if (!pass->alone || !listener->terms.unproven || !lets_in(data, len))
		return true;
	keeper_attend(keeper, true);
	if (listener->taken)
		return true;
	send_to(keeper, (struct channel_message){.type = CHANNEL_BYPASSED,
						 .listener = guest->listener,
						 .token = guest->token,
						 .fd = -1});
	*refusal = (struct door_refusal){MQUIC_CLOSE_OVERLOADED,
					 "the plugin is not asked about logins"};
	return false;
}

/* Before it hangs up on its clients a broker that ends takes its listeners away. */
static const char *hung_up(void *argument, const struct door_pass *pass)
{
	const struct keeper *keeper = argument;

	return handoff_is_gone(listener_of(keeper, pass)->options->handoff)
		       ? "the broker is shutting down"
		       : NULL;
}

static bool silent(void *argument, const struct door_pass *pass, bool unread,
		   struct door_refusal *refusal)
{
	const struct keeper *keeper = argument;
	const char *end = hung_up(argument, pass);

	/* 2.1 has read all of a small packet by the time it finds it too large. */
	if (end != NULL)
		*refusal = (struct door_refusal){MQUIC_CLOSE_OVERLOADED, end};
	else if (pass->by_hand &&
		 listener_of(keeper, pass)->terms.connect_max < HANDOFF_CONNECT_MAX)
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

/* ---- Lines -------------------------------------------------------------------------- */

static bool send_line(const struct keeper *keeper, enum mquic_log_level level, const char *line)
{
	return send_to(keeper, (struct channel_message){
				       .type = CHANNEL_LINE,
				       .number = level,
				       .text = channel_text(line),
				       .fd = -1,
			       });
}

static void say(void *argument, enum mquic_log_level level, const char *line)
{
	struct keeper *keeper = argument;

	if (*line != '\0' && !send_line(keeper, level, line))
		keeper->unsaid++;
}

/* What there was no room for when it was due. False: there is none yet. */
static bool catch_up(struct keeper *keeper)
{
	char line[64];

	if (keeper->pong_due)
		keeper->pong_due =
			!send_to(keeper, (struct channel_message){.type = CHANNEL_PONG, .fd = -1});
	if (keeper->unsaid == 0)
		return !keeper->pong_due;
	snprintf(line, sizeof(line), "%u log lines were dropped", keeper->unsaid);
	if (send_line(keeper, MQUIC_LOG_WARNING, line))
		keeper->unsaid = 0;
	return keeper->unsaid == 0 && !keeper->pong_due;
}

/* ---- What the plugin says ------------------------------------------------------------- */

static void start(struct keeper *keeper, const struct channel_message *message)
{
	struct keeper_listener *listener = &keeper->listeners[message->listener];

	listener->terms = (struct handoff_terms){
		.connect_max = message->limit,
		.names_are_ids = (message->flags & CHANNEL_NAMES_ARE_IDS) != 0,
		.unproven = (message->flags & CHANNEL_UNPROVEN) != 0,
	};
	listener->started = true;
	keeper->started = true;
	worker_open(keeper->worker, message->listener);
}

/* If there is no room, the plugin shows what it was told before. */
static void tell_counters(const struct keeper *keeper)
{
	struct counters_packet packet;
	struct counters counters;

	worker_count(keeper->worker, &counters);
	counters_pack(&packet, &counters);
	send_to(keeper, (struct channel_message){
				.type = CHANNEL_COUNTERS,
				.more = {(const char *)&packet, sizeof(packet)},
				.fd = -1,
			});
}

static void stop(const struct keeper *keeper, const struct channel_message *message)
{
	if ((message->flags & CHANNEL_REPLACED) != 0)
		worker_leave(keeper->worker);
	else
		worker_stop(keeper->worker);
}

static void heed(struct keeper *keeper, const struct channel_message *message)
{
	switch (message->type) {
	case CHANNEL_START:
		start(keeper, message);
		break;
	case CHANNEL_ORPHANS:
		worker_take_orphans(keeper->worker, message->fd);
		break;
	case CHANNEL_SHUT:
		worker_shut(keeper->worker, message->listener);
		break;
	case CHANNEL_TAKEN:
		keeper->listeners[message->listener].taken = true;
		break;
	case CHANNEL_RELOAD:
		worker_reload(keeper->worker);
		break;
	case CHANNEL_EXPIRING:
		worker_tell_expiring(keeper->worker);
		break;
	case CHANNEL_COUNT:
		tell_counters(keeper);
		break;
	case CHANNEL_LIST:
	case CHANNEL_CLOSE:
		teller_take(&keeper->teller, message);
		break;
	case CHANNEL_PING:
		keeper->pong_due = true;
		break;
	default:
		stop(keeper, message);
		break;
	}
}

/* Without a plugin there is nobody to serve clients for. */
static void listen_to_plugin(struct keeper *keeper)
{
	enum channel_status status;
	struct channel_message message;

	for (;;) {
		status = channel_receive(keeper->channel, false, keeper->packet,
					 sizeof(keeper->packet), &message);
		if (status != CHANNEL_RECEIVED)
			break;
		heed(keeper, &message);
	}
	if (status != CHANNEL_EMPTY)
		worker_stop(keeper->worker);
}

bool keeper_attend(struct keeper *keeper, bool readable)
{
	if (readable)
		listen_to_plugin(keeper);
	return see_off(keeper) && catch_up(keeper) &&
	       (readable || teller_go_on(&keeper->teller, keeper->worker));
}

static bool attend(void *keeper, bool readable)
{
	return keeper_attend(keeper, readable);
}

void keeper_know(struct keeper *keeper, const struct options *options)
{
	size_t i;

	for (i = 0; i < options->listener_count; i++)
		keeper->listeners[i] = (struct keeper_listener){.options = &options->listeners[i]};
}

void keeper_init(struct keeper *keeper)
{
	keeper->started = false;
	keeper->unsaid = 0;
	keeper->pong_due = false;
	queue_init(&keeper->leaving);
	teller_init(&keeper->teller);
	keeper->door = (struct door){
		.keeper = keeper,
		.level = MQUIC_LOG_INFO,
		.fd = keeper->channel,
		.attend = attend,
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
