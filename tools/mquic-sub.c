/* SPDX-License-Identifier: MIT */
/*
 * mquic-sub: prints messages received over QUIC, with mosquitto_sub's options. It comes back
 * and subscribes again after a lost connection. Messages of QoS 1 and 2 are acknowledged once
 * they are printed, so what -C leaves behind stays with the broker.
 */
#include "common/client.h"
#include "common/clock.h"
#include "common/format.h"
#include "common/say.h"
#include "common/standard-files.h"
#include "sub/options.h"
#include "sub/retained.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_TIMED_OUT 27 /* as mosquitto_sub */

struct sub {
	struct sub_options options;
	struct client client;
	uint64_t timeout_at_ms;
	uint32_t printed;
	struct retained retained;
	bool left_some; /* that should have been removed, and it was said */
	bool leaving;   /* once retained messages are removed */
	bool mute;      /* printing has failed */
};

/* ---- messages ------------------------------------------------------------ */

static bool is_wanted(const struct sub *sub, const struct mquic_message *message)
{
	const char *topic = mquic_message_topic(message, NULL);

	if (sub->options.no_stale && mquic_message_retain(message))
		return false;
	for (size_t i = 0; i < sub->options.filter_out.count; i++)
		if (mquic_topic_matches(sub->options.filter_out.items[i], MQUIC_NUL_TERMINATED,
					topic, MQUIC_NUL_TERMINATED))
			return false;
	return random() % 1000 < (long)sub->options.keep_permille;
}

/* An empty payload prints nothing, and with -v "(null)", as scripts know it of mosquitto_sub. */
static void print_message(const struct sub *sub, const struct mquic_message *message)
{
	const char *format = sub->options.format;
	size_t len;

	mquic_message_payload(message, &len);
	if (!format && len > 0)
		format = sub->options.verbose ? "%t %p" : "%p";
	else if (!format && sub->options.verbose && !sub->options.no_newline)
		format = "%t (null)";
	if (!format)
		return;
	format_print(stdout, format, sub->options.pretty, message);
	if (!sub->options.no_newline)
		putchar('\n');
}

/* Nobody reads what we print any more, or the disk is full. */
static void output_failed(struct sub *sub)
{
	if (sub->mute)
		return;
	sub->mute = true;
	if (errno != EPIPE)
		say_error("Cannot print: %s.", strerror(errno));
	client_close(&sub->client, 1);
}

static void acknowledge(struct sub *sub, const struct mquic_message *message)
{
	uint16_t packet_id = mquic_message_packet_id(message);

	if (packet_id != 0 && mquic_session_ack(sub->client.session, packet_id, 0) != MQUIC_OK)
		say_warning("Message %u is not acknowledged: %s", packet_id,
			    mquic_session_error(sub->client.session));
}

static void cannot_remove(struct sub *sub, enum mquic_status status)
{
	if (status == MQUIC_ERR_MEMORY)
		say_warning("Out of memory: a retained message is not removed.");
	else if (!sub->left_some)
		say_warning("More retained messages come than the broker lets be removed "
			    "meanwhile: some are left. Run it again for them.");
	sub->left_some = true;
}

/* With --retain-as-published, the empty one that clears comes back with the flag as well. */
static void remove_retained(struct sub *sub, const struct mquic_message *message)
{
	enum mquic_status status;
	size_t len;

	mquic_message_payload(message, &len);
	if (!sub->options.remove_retained || !mquic_message_retain(message) || len == 0)
		return;
	status = retained_add(&sub->retained, mquic_message_topic(message, NULL));
	if (status != MQUIC_OK)
		cannot_remove(sub, status);
}

static void settled(const struct mquic_event *event)
{
	uint8_t reason = mquic_event_reason(event, 0);

	if (reason >= 0x80)
		say_warning("A retained message is not removed: %s.", mquic_reason_text(reason));
}

static void tell_message(struct sub *sub, const struct mquic_message *message)
{
	size_t topic_len, payload_len;
	const char *topic = mquic_message_topic(message, &topic_len);
	char shown[1024];

	mquic_message_payload(message, &payload_len);
	say_debug("Client %s received PUBLISH (d%d, q%d, r%d, m%u, '%s', ... (%zu %s))",
		  client_name(&sub->client), mquic_message_duplicate(message),
		  mquic_message_qos(message), mquic_message_retain(message),
		  mquic_message_packet_id(message),
		  mquic_text_printable(shown, sizeof(shown), topic, topic_len, '\''), payload_len,
		  payload_len == 1 ? "byte" : "bytes");
}

static void handle_message(struct sub *sub, const struct mquic_message *message)
{
	tell_message(sub, message);
	if (sub->client.state != CLIENT_CONNECTED || sub->leaving)
		return; /* on the way out; the broker keeps what is not acknowledged */
	if (sub->options.only_stale && !mquic_message_retain(message)) {
		sub->leaving = true;
		return;
	}
	if (is_wanted(sub, message)) {
		remove_retained(sub, message);
		print_message(sub, message);
		sub->printed++;
		if (mquic_message_qos(message) > 0 && fflush(stdout) != 0) {
			output_failed(sub);
			return;
		}
	}
	acknowledge(sub, message);
	if (sub->options.count != 0 && sub->printed == sub->options.count)
		sub->leaving = true;
}

/* ---- subscriptions ------------------------------------------------------- */

static void subscribe(struct sub *sub)
{
	struct mquic_session *session = sub->client.session;
	uint16_t packet_id;

	if (mquic_session_subscribe_all(session, sub->options.subscription, &packet_id) !=
		    MQUIC_OK ||
	    (sub->options.unsubscribe.count > 0 &&
	     mquic_session_unsubscribe_all(session, sub->options.unsubscription, NULL) !=
		     MQUIC_OK)) {
		say_error("%s", mquic_session_error(session));
		client_close(&sub->client, 1);
		return;
	}
	for (size_t i = 0; i < sub->options.topics.count; i++)
		say_debug("Client %s sending SUBSCRIBE (Mid: %u, Topic: %s, QoS: %u)",
			  client_name(&sub->client), packet_id, sub->options.topics.items[i],
			  sub->options.common.qos);
}

static void subscribed(struct sub *sub, const struct mquic_event *event)
{
	size_t granted = 0;

	say_debug("Client %s received SUBACK", client_name(&sub->client));
	for (size_t i = 0; i < mquic_event_reason_count(event) && i < sub->options.topics.count;
	     i++) {
		uint8_t reason = mquic_event_reason(event, i);

		if (reason >= 0x80)
			say_warning("Subscription to '%s' denied: %s.",
				    sub->options.topics.items[i], mquic_reason_text(reason));
		else
			say_debug("Subscribed (mid: %u, topic: %s): %u",
				  mquic_event_packet_id(event), sub->options.topics.items[i],
				  reason);
		granted += reason < 0x80;
	}
	if (granted == 0) {
		say_error("All subscription requests were denied.");
		client_close(&sub->client, 1);
	} else if (sub->options.exit_subscribed) {
		client_close(&sub->client, 0);
	}
}

/* ---- the program --------------------------------------------------------- */

static void handle(struct sub *sub, const struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_CONNECTED:
		subscribe(sub);
		break;
	case MQUIC_EVENT_SUBSCRIBED:
		subscribed(sub, event);
		break;
	case MQUIC_EVENT_DELIVERED:
		settled(event);
		break;
	case MQUIC_EVENT_MESSAGE:
		handle_message(sub, mquic_event_message(event));
		break;
	default:
		break;
	}
}

/* At once, unless something is still to be sent: the broker keeps what comes behind. */
static void leave_when_done(struct sub *sub)
{
	if (sub->client.state != CLIENT_CONNECTED)
		return;
	retained_send(&sub->retained, sub->client.session);
	if (sub->leaving && retained_is_done(&sub->retained, sub->client.session))
		client_close(&sub->client, 0);
}

static void pull_events(struct sub *sub)
{
	struct mquic_event *event;

	while ((event = client_next_event(&sub->client)) != NULL) {
		handle(sub, event);
		mquic_event_free(event);
		leave_when_done(sub);
	}
	if (fflush(stdout) != 0)
		output_failed(sub);
}

static void check_end(struct sub *sub)
{
	if (sub->client.state == CLIENT_OVER || sub->client.state == CLIENT_CLOSING)
		return;
	if (client_interrupted()) {
		client_close(&sub->client, 0);
	} else if (clock_ms() >= sub->timeout_at_ms) {
		say_warning("Timed out.");
		client_close(&sub->client, EXIT_TIMED_OUT);
	}
}

static int run(struct sub *sub)
{
	uint64_t timeout_ms = (uint64_t)sub->options.timeout_s * 1000;

	sub->timeout_at_ms = timeout_ms ? clock_ms() + timeout_ms : CLIENT_NO_DEADLINE;
	while (sub->client.state != CLIENT_OVER) {
		client_wait(&sub->client, -1, sub->timeout_at_ms);
		pull_events(sub);
		check_end(sub);
		pull_events(sub); /* sends acknowledgements, and the goodbye */
	}
	return sub->client.result;
}

static bool set_up(struct sub *sub)
{
	memset(sub, 0, sizeof(*sub));
	srandom((unsigned int)clock_us());
	if (sub_options_init(&sub->options) && retained_init(&sub->retained))
		return true;
	say_error("Out of memory.");
	return false;
}

static void tear_down(struct sub *sub)
{
	client_free(&sub->client);
	retained_free(&sub->retained);
	sub_options_free(&sub->options);
}

int main(int argc, char **argv)
{
	struct about about = {"mquic-sub", sub_options_help, false};
	struct sub sub;
	int result = 1;

	standard_files_hold();
	say_set_program(about.program);
	if (set_up(&sub) && sub_options_parse(&sub.options, &about, argc, argv) &&
	    client_open(&sub.client, &sub.options.common))
		result = run(&sub);
	else if (about.asked)
		result = 0;
	tear_down(&sub);
	return result;
}
