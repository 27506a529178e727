/* SPDX-License-Identifier: MIT */
/*
 * mquic-pub: publishes over QUIC, with mosquitto_pub's options. One payload, or every line of
 * standard input; it is over when the broker has acknowledged all of QoS 1 and 2.
 */
#include "common/client.h"
#include "common/patience.h"
#include "common/say.h"
#include "common/standard-files.h"
#include "pub/options.h"
#include "pub/payload.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Lines published before the endpoint gets its turn. */
#define BURST 256

struct pub {
	struct pub_options options;
	struct payload payload;
	struct patience patience;
	struct client client;
	size_t unsettled; /* QoS 1 and 2 without their answer */
	bool blocked;     /* WRITABLE will come */
	bool failed;      /* something was not published; the exit code will say so */
	bool stopped;     /* nothing more will be published */
};

/* ---- publishing ---------------------------------------------------------- */

/* Also before CONNACK: a message that is on its way then arrives a round trip earlier. */
static bool can_publish(const struct pub *pub)
{
	enum client_state state = pub->client.state;

	if (pub->options.common.max_inflight && pub->unsettled >= pub->options.common.max_inflight)
		return false;
	return (state == CLIENT_CONNECTING || state == CLIENT_CONNECTED) && !pub->blocked &&
	       !pub->stopped;
}

/* Sends one payload; false if the session takes no more now. */
static bool publish(struct pub *pub, const uint8_t *data, size_t len)
{
	struct mquic_session *session = pub->client.session;
	uint16_t packet_id = 0;
	enum mquic_status status = mquic_message_set_payload(pub->options.message, data, len);

	if (status == MQUIC_OK)
		status = mquic_session_publish(session, pub->options.message, &packet_id);
	if (status == MQUIC_ERR_AGAIN) {
		pub->blocked = true;
		return false;
	}
	if (status == MQUIC_OK) {
		say_debug("Client %s sending PUBLISH (d0, q%u, r%d, m%u, '%s', ... (%zu %s))",
			  client_name(&pub->client), pub->options.common.qos, pub->options.retain,
			  packet_id, pub->options.topic, len, len == 1 ? "byte" : "bytes");
		pub->unsettled += packet_id != 0;
		return true;
	}
	say_error("%s", mquic_session_error(session));
	pub->failed = true;
	/* One line too many bytes long does not stop those behind it; anything else would. */
	pub->stopped = status != MQUIC_ERR_TOO_LARGE;
	return !pub->stopped;
}

static void publish_what_is_there(struct pub *pub)
{
	const uint8_t *data;
	size_t len;

	for (int i = 0; i < BURST && can_publish(pub) && payload_next(&pub->payload, &data, &len);
	     i++)
		if (publish(pub, data, len))
			payload_consume(&pub->payload);
}

static void settled(struct pub *pub, const struct mquic_event *event)
{
	uint16_t packet_id = mquic_event_packet_id(event);
	uint8_t reason = mquic_event_reason(event, 0);
	const char *text = mquic_event_text(event);

	patience_renew(&pub->patience);
	/* Without an identifier: QoS 0, and CONNACK told that the broker does not take it. */
	if (packet_id != 0 && pub->unsettled > 0)
		pub->unsettled--;
	say_debug("Client %s received %s (Mid: %u, RC:%u)", client_name(&pub->client),
		  pub->options.common.qos == 2 ? "PUBCOMP" : "PUBACK", packet_id, reason);
	if (reason < 0x80)
		return;
	say_warning("Publish %u failed: %s%s%s.", packet_id, mquic_reason_text(reason),
		    *text ? ": " : "", text);
	pub->failed = true;
}

static void handle(struct pub *pub, const struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_CONNECTED:
		patience_renew(&pub->patience);
		pub->blocked = false;
		break;
	case MQUIC_EVENT_WRITABLE:
		pub->blocked = false;
		break;
	case MQUIC_EVENT_DELIVERED:
		settled(pub, event);
		break;
	default:
		break;
	}
}

static void pull_events(struct pub *pub)
{
	struct mquic_event *event;

	while ((event = client_next_event(&pub->client)) != NULL) {
		handle(pub, event);
		mquic_event_free(event);
	}
}

static const char *messages_are(size_t count)
{
	return count == 1 ? "message is" : "messages are";
}

static void interrupted(struct pub *pub)
{
	if (pub->unsettled > 0)
		say_error("Interrupted: %zu %s not acknowledged.", pub->unsettled,
			  messages_are(pub->unsettled));
	else if (!payload_is_over(&pub->payload))
		say_error("Interrupted.");
	pub->stopped = true;
	client_close(&pub->client, 1);
}

/* Whether a broker that is there has acknowledged nothing for too long. */
static bool has_waited_too_long(struct pub *pub)
{
	const struct mquic_connection *connection = mquic_session_connection(pub->client.session);
	bool waiting = pub->client.state == CLIENT_CONNECTED && pub->unsettled > 0;
	uint64_t sent = 0;

	if (waiting)
		sent = mquic_connection_statistic(connection, MQUIC_STATISTIC_BYTES_SENT);
	return patience_is_over(&pub->patience, waiting, sent);
}

static void give_up(struct pub *pub)
{
	say_error("The broker has acknowledged nothing for %u s. --ack-timeout sets how long to "
		  "wait.",
		  pub->patience.limit_s);
	pub->stopped = true;
	client_give_up(&pub->client);
}

/* With QoS 0 a message is over only once a connection has taken it. */
static bool may_end(const struct pub *pub)
{
	return pub->client.state == CLIENT_CONNECTED ||
	       (pub->client.state == CLIENT_WAITING && pub->options.common.qos > 0);
}

/* Parts when there is nothing left to do. */
static void check_end(struct pub *pub)
{
	if (pub->client.state == CLIENT_OVER || pub->client.state == CLIENT_CLOSING)
		return;
	if (client_interrupted())
		interrupted(pub);
	else if (has_waited_too_long(pub))
		give_up(pub);
	else if ((pub->stopped || payload_is_over(&pub->payload)) && may_end(pub) &&
		 mquic_session_inflight(pub->client.session) == 0)
		client_close(&pub->client, pub->failed);
}

/* When to look again although nothing happened. */
static uint64_t next_deadline(struct pub *pub)
{
	uint64_t at_ms = can_publish(pub) ? payload_next_at_ms(&pub->payload) : CLIENT_NO_DEADLINE;
	uint64_t patience_ms = patience_deadline_ms(&pub->patience);

	return patience_ms < at_ms ? patience_ms : at_ms;
}

static bool wants_input(const struct pub *pub)
{
	return pub->options.source == SOURCE_LINES && !pub->payload.lines.over && can_publish(pub);
}

static int run(struct pub *pub)
{
	pub->patience.limit_s = pub->options.ack_timeout_s;
	while (pub->client.state != CLIENT_OVER) {
		int fd = wants_input(pub) ? STDIN_FILENO : -1;

		if (client_wait(&pub->client, fd, next_deadline(pub)) &&
		    !input_read(&pub->payload.lines))
			pub->failed = true;
		pull_events(pub);
		publish_what_is_there(pub);
		check_end(pub);
		pull_events(pub); /* sends what was published, and the goodbye */
	}
	if (pub->unsettled > 0 && !client_interrupted())
		say_error("%zu %s not acknowledged.", pub->unsettled, messages_are(pub->unsettled));
	return pub->client.result;
}

static bool set_up(struct pub *pub)
{
	memset(pub, 0, sizeof(*pub));
	payload_init(&pub->payload, &pub->options);
	if (pub_options_init(&pub->options))
		return true;
	say_error("Out of memory.");
	return false;
}

static bool prepare_message(struct pub *pub)
{
	if (mquic_message_set_qos(pub->options.message, (int)pub->options.common.qos) == MQUIC_OK &&
	    mquic_message_set_retain(pub->options.message, pub->options.retain) == MQUIC_OK)
		return payload_load(&pub->payload);
	say_error("The message cannot be built.");
	return false;
}

static void tear_down(struct pub *pub)
{
	client_free(&pub->client);
	payload_free(&pub->payload);
	pub_options_free(&pub->options);
}

int main(int argc, char **argv)
{
	struct about about = {"mquic-pub", pub_options_help, false};
	struct pub pub;
	int result = 1;

	standard_files_hold();
	say_set_program(about.program);
	if (set_up(&pub) && pub_options_parse(&pub.options, &about, argc, argv) &&
	    prepare_message(&pub) && client_open(&pub.client, &pub.options.common))
		result = run(&pub);
	else if (about.asked)
		result = 0;
	tear_down(&pub);
	return result;
}
