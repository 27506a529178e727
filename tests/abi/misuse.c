/* SPDX-License-Identifier: MIT */
/*
 * Wrong calls: each must answer with the status that mquic.h promises and a sentence, and
 * must leave everything as it was. No network is needed. Speaks TAP.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mquic.h"

static int count;
static int failed;

static void check(bool passed, const char *name)
{
	printf("%s %d - %s\n", passed ? "ok" : "not ok", ++count, name);
	if (!passed)
		failed = 1;
}

/* A refusal is the right status and a sentence. */
static void refused(enum mquic_status got, enum mquic_status want, const char *sentence,
		    const char *name)
{
	bool passed = got == want && sentence != NULL && sentence[0] != '\0';

	check(passed, name);
	if (!passed)
		fprintf(stderr, "# %s: status %d (%s), wanted %d; sentence \"%s\"\n", name, got,
			mquic_status_text(got), want, sentence != NULL ? sentence : "(null)");
}

static void free_accepts_null(void)
{
	mquic_settings_free(NULL);
	mquic_endpoint_free(NULL);
	mquic_connection_free(NULL);
	mquic_stream_free(NULL);
	mquic_session_free(NULL);
	mquic_relay_free(NULL);
	mquic_message_free(NULL);
	mquic_subscription_free(NULL);
	mquic_url_free(NULL);
	mquic_event_free(NULL);
	check(true, "every free function accepts NULL");
}

static void texts_are_never_null(void)
{
	bool passed = true;

	for (int status = -20; status <= 1; status++)
		passed = passed && mquic_status_text((enum mquic_status)status) != NULL;
	for (int type = 0; type < 50; type++)
		passed = passed && mquic_event_type_text((enum mquic_event_type)type) != NULL;
	check(passed, "every number has a text");
	check(strcmp(mquic_event_type_text((enum mquic_event_type)12345), "UNKNOWN") == 0,
	      "an unknown event type is called UNKNOWN");
}

static void settings_refuse_what_is_out_of_range(void)
{
	struct mquic_settings *s;
	const char *(*error)(const struct mquic_settings *) = mquic_settings_error;
	char long_name[300];

	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	check(mquic_settings_new(&s) == MQUIC_OK && error(s)[0] == '\0',
	      "fresh settings have no error");
	refused(mquic_settings_set_idle_timeout_ms(s, 999), MQUIC_ERR_INVALID, error(s),
		"an idle timeout of 999 ms is refused");
	check(mquic_settings_set_idle_timeout_ms(s, 0) == MQUIC_OK, "an idle timeout may be off");
	refused(mquic_settings_set_handshake_timeout_ms(s, 0), MQUIC_ERR_INVALID, error(s),
		"a handshake timeout of 0 is refused");
	refused(mquic_settings_set_keep_alive_ms(s, 1), MQUIC_ERR_INVALID, error(s),
		"a keep-alive of 1 ms is refused");
	refused(mquic_settings_set_max_streams(s, 0), MQUIC_ERR_INVALID, error(s),
		"no streams at all are refused");
	refused(mquic_settings_set_receive_window(s, 4095), MQUIC_ERR_INVALID, error(s),
		"a small receive window is refused");
	refused(mquic_settings_set_send_buffer(s, UINT64_MAX), MQUIC_ERR_INVALID, error(s),
		"an endless send buffer is refused");
	refused(mquic_settings_set_max_connections(s, 0), MQUIC_ERR_INVALID, error(s),
		"no connections at all are refused");
	refused(mquic_settings_set_max_connections_per_address(s, 1000001), MQUIC_ERR_INVALID,
		error(s), "too many connections per address are refused");
	refused(mquic_settings_set_max_handshakes(s, 0), MQUIC_ERR_INVALID, error(s),
		"no handshakes at all are refused");
	refused(mquic_settings_set_congestion_control(s, (enum mquic_congestion_control)9),
		MQUIC_ERR_INVALID, error(s), "an unknown congestion control is refused");
	refused(mquic_settings_set_retry(s, (enum mquic_retry)9), MQUIC_ERR_INVALID, error(s),
		"an unknown retry mode is refused");
	refused(mquic_settings_set_alpn(s, ""), MQUIC_ERR_INVALID, error(s),
		"an empty protocol name is refused");
	refused(mquic_settings_set_alpn(s, long_name), MQUIC_ERR_INVALID, error(s),
		"a protocol name of 299 bytes is refused");
	refused(mquic_settings_set_certificate(s, "cert.pem", NULL), MQUIC_ERR_INVALID, error(s),
		"a certificate without key is refused");
	refused(mquic_settings_set_certificate(s, NULL, "key.pem"), MQUIC_ERR_INVALID, error(s),
		"a key without certificate is refused");
	mquic_settings_free(s);
}

/* Their sentence is another one after each call: it must be asked for after that. */
static void message_refused(const struct mquic_message *message, enum mquic_status got,
			    const char *name)
{
	refused(got, MQUIC_ERR_INVALID, mquic_message_error(message), name);
}

static void list_refused(const struct mquic_subscription *list, enum mquic_status got,
			 const char *name)
{
	refused(got, MQUIC_ERR_INVALID, mquic_subscription_error(list), name);
}

static void messages_refuse_what_is_malformed(void)
{
	struct mquic_message *m;
	const size_t nul = MQUIC_NUL_TERMINATED;

	check(mquic_message_new(&m) == MQUIC_OK, "a message can be made");
	check(mquic_message_set_topic(m, "a/b", nul) == MQUIC_OK, "a topic can be set");
	message_refused(m, mquic_message_set_topic(m, "", nul), "an empty topic is refused");
	message_refused(m, mquic_message_set_topic(m, "a/+", nul), "a + topic is refused");
	message_refused(m, mquic_message_set_topic(m, "#", nul), "a # topic is refused");
	message_refused(m, mquic_message_set_topic(m, "a\0b", 3), "a NUL in a topic is refused");
	message_refused(m, mquic_message_set_topic(m, "\xff\xfe", 2),
			"a topic that is not UTF-8 is refused");
	message_refused(m, mquic_message_set_topic(m, "\xed\xa0\x80", 3),
			"a surrogate in a topic is refused");
	check(strcmp(mquic_message_topic(m, NULL), "a/b") == 0, "a refused topic changes nothing");
	message_refused(m, mquic_message_set_qos(m, 3), "QoS 3 is refused");
	message_refused(m, mquic_message_set_qos(m, -1), "QoS -1 is refused");
	message_refused(m, mquic_message_set_response_topic(m, "a/#", nul),
			"a wildcard in a response topic is refused");
	message_refused(m, mquic_message_set_content_type(m, "\xc0\x80", 2),
			"a content type that is not UTF-8 is refused");
	message_refused(m, mquic_message_add_user_property(m, "\xff", 1, "x", 1),
			"a user property that is not UTF-8 is refused");
	check(mquic_message_payload(m, NULL) != NULL, "a message without payload has one");
	mquic_message_free(m);
}

static void filters_refuse_what_is_malformed(void)
{
	static const char *const bad[] = {"",          "a#",          "#/a",      "a/#/b",
					  "+a",        "a+/b",        "$share/",  "$share/g",
					  "$share/g/", "$share/a+/x", "$share//x"};
	static const char *const good[] = {"#", "+", "a/+/b", "/", "//", "$share/g/t", "$SYS/#"};
	struct mquic_subscription *s;
	bool passed = true;

	check(mquic_subscription_new(&s) == MQUIC_OK, "a subscription can be made");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		enum mquic_status got =
			mquic_subscription_add(s, bad[i], MQUIC_NUL_TERMINATED, 0, 0);

		if (got != MQUIC_ERR_INVALID)
			fprintf(stderr, "# filter \"%s\" is taken: %d\n", bad[i], got);
		passed = passed && got == MQUIC_ERR_INVALID;
	}
	check(passed, "malformed filters are refused");
	passed = true;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		passed = passed &&
			 mquic_subscription_add(s, good[i], MQUIC_NUL_TERMINATED, 2, 0) == MQUIC_OK;
	check(passed, "well-formed filters are taken");
	refused(mquic_subscription_add(s, "a", 1, 3, 0), MQUIC_ERR_INVALID,
		mquic_subscription_error(s), "QoS 3 is refused");
	refused(mquic_subscription_add(s, "a", 1, 0, 0x40), MQUIC_ERR_INVALID,
		mquic_subscription_error(s), "an unknown option is refused");
	list_refused(s, mquic_subscription_set_id(s, 0), "identifier 0 is refused");
	refused(mquic_subscription_set_id(s, 268435456), MQUIC_ERR_INVALID,
		mquic_subscription_error(s), "an identifier that does not fit is refused");
	mquic_subscription_free(s);
}

static void endpoints_explain_what_is_wrong(void)
{
	struct mquic_connection *connection = NULL;
	struct mquic_settings *settings;
	struct mquic_endpoint *e;

	check(mquic_endpoint_new(&e) == MQUIC_OK && mquic_endpoint_get_fd(e) >= 0,
	      "an endpoint has a descriptor");
	check(mquic_settings_new(&settings) == MQUIC_OK, "settings can be made");
	check(mquic_endpoint_next_event(e) == NULL, "a fresh endpoint has no event");
	check(mquic_endpoint_wait(e, 0) == MQUIC_ERR_TIMEOUT, "nothing is due at first");
	mquic_endpoint_wakeup(e);
	check(mquic_endpoint_wait(e, 1000) == MQUIC_OK, "a wake-up ends a wait");
	check(mquic_endpoint_accept(e, &connection) == MQUIC_ERR_AGAIN, "nobody waits at first");
	refused(mquic_endpoint_listen(e, settings, "127.0.0.1", 0, NULL), MQUIC_ERR_TLS,
		mquic_endpoint_error(e), "listening needs a certificate");
	refused(mquic_endpoint_listen(e, settings, "not an address", 0, NULL), MQUIC_ERR_INVALID,
		mquic_endpoint_error(e), "listening needs a numeric address");
	refused(mquic_endpoint_listen_fd(e, settings, -1, NULL), MQUIC_ERR_INVALID,
		mquic_endpoint_error(e), "listening needs a socket");
	refused(mquic_endpoint_listen_fd(e, NULL, 0, NULL), MQUIC_ERR_INVALID,
		mquic_endpoint_error(e), "listening needs settings");
	check(mquic_settings_set_ca_file(settings, "/nowhere/ca.crt") == MQUIC_OK,
	      "settings open no file");
	refused(mquic_connection_dial(&connection, e, settings, "127.0.0.1", 1), MQUIC_ERR_TLS,
		mquic_endpoint_error(e), "dialing names a file that is missing");
	check(strstr(mquic_endpoint_error(e), "/nowhere/ca.crt") != NULL,
	      "the sentence has its name");
	check(connection == NULL, "a failed dial hands out nothing");
	mquic_settings_free(settings);
	mquic_endpoint_free(e);
}

static void urls_are_read_strictly(struct mquic_session *s)
{
	static const char *const bad[] = {"",
					  "localhost",
					  "mqtt://localhost",
					  "mqtt-quic://",
					  "mqtt-quic://localhost:0x10",
					  "mqtt-quic://localhost:65536",
					  "mqtt-quic://[::1",
					  "mqtt-quic://a%zz@localhost"};
	bool passed = true;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		enum mquic_status got = mquic_session_connect_url(s, bad[i]);

		if (got != MQUIC_ERR_INVALID || mquic_session_error(s)[0] == '\0') {
			fprintf(stderr, "# URL \"%s\": %d \"%s\"\n", bad[i], got,
				mquic_session_error(s));
			passed = false;
		}
	}
	check(passed, "malformed URLs are refused with a sentence");
}

static void sessions_know_their_state(void)
{
	struct mquic_endpoint *e = NULL;
	struct mquic_message *m = NULL;
	struct mquic_session *s = NULL;

	check(mquic_endpoint_new(&e) == MQUIC_OK, "an endpoint can be made");
	check(mquic_session_new(&s, e, NULL) == MQUIC_OK, "a session takes default settings");
	check(mquic_message_new(&m) == MQUIC_OK, "a message can be made");
	refused(mquic_session_set_will(s, m, 0), MQUIC_ERR_INVALID, mquic_session_error(s),
		"a will needs a topic");
	check(mquic_message_set_topic(m, "a", 1) == MQUIC_OK, "a topic can be set");
	refused(mquic_session_publish(s, m, NULL), MQUIC_ERR_STATE, mquic_session_error(s),
		"publishing needs a connection");
	refused(mquic_session_subscribe(s, "a", 1, 0, NULL), MQUIC_ERR_STATE,
		mquic_session_error(s), "subscribing needs a connection");
	refused(mquic_session_disconnect(s, 0), MQUIC_ERR_STATE, mquic_session_error(s),
		"disconnecting needs a connection");
	refused(mquic_session_set_protocol(s, (enum mquic_protocol)2), MQUIC_ERR_INVALID,
		mquic_session_error(s), "protocol level 2 is refused");
	refused(mquic_session_set_receive_maximum(s, 0), MQUIC_ERR_INVALID, mquic_session_error(s),
		"a receive maximum of 0 is refused");
	refused(mquic_session_set_maximum_packet_size(s, 100), MQUIC_ERR_INVALID,
		mquic_session_error(s), "a maximum packet size of 100 is refused");
	refused(mquic_session_set_maximum_properties(s, 0), MQUIC_ERR_INVALID,
		mquic_session_error(s), "a maximum of 0 properties is refused");
	refused(mquic_session_set_client_id(s, "\xff", 1), MQUIC_ERR_INVALID,
		mquic_session_error(s), "a client identifier that is not UTF-8 is refused");
	check(mquic_session_connection(s) == NULL, "a fresh session has no connection");
	check(mquic_session_inflight(s) == 0, "a fresh session has nothing in flight");
	urls_are_read_strictly(s);
	mquic_message_free(m);
	/* The parent first: what was made on it stays valid and says that it is closed. */
	mquic_endpoint_free(e);
	check(mquic_session_connect(s, "127.0.0.1", 1) == MQUIC_ERR_CLOSED,
	      "a session whose endpoint is gone is closed");
	mquic_session_free(s);
}

int main(void)
{
	free_accepts_null();
	texts_are_never_null();
	settings_refuse_what_is_out_of_range();
	messages_refuse_what_is_malformed();
	filters_refuse_what_is_malformed();
	endpoints_explain_what_is_wrong();
	sessions_know_their_state();
	printf("1..%d\n", count);
	return failed;
}
