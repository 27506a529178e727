/* SPDX-License-Identifier: MIT */
/*
 * A session over a carrier that is two buffers in memory: what it needs of a transport is in
 * carrier.h, and nothing else. The test is the server.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "mqtt-kit.h"
#include "mqtt/connect.h"
#include "mqtt/reason.h"
#include "session/session.h"

/* Bytes on their way to one side. */
struct pipe {
	uint8_t bytes[4096];
	size_t from;
	size_t to;
};

/* The second kind of carrier, after QUIC. It brings one lane. */
static struct {
	struct carrier carrier;
	struct carrier_lane lane;
	struct pipe up;   /* to the server */
	struct pipe down; /* to the session */
	size_t room;      /* bytes that `up` may still take */
	size_t acknowledged;
	bool finished; /* the server says no more */
	bool stopped;  /* it wants no more */
	bool lane_open;
	bool alive;
	bool closed;
	char reason[80];
	enum mquic_status dialing; /* what dialing says */
	char host[80];
	uint16_t port;
	uint64_t quiet_ms;
	const struct carrier_user *user;
	void *self;
} memory;

static const struct carrier_kind memory_kind;

static enum mquic_status dial(struct carrier **carrier, const struct carrier_plan *plan,
			      struct error *error)
{
	if (memory.dialing != MQUIC_OK)
		return error_set(error, memory.dialing, "there is no way to %s", plan->host);
	ck_assert(!memory.alive);
	memory.alive = true;
	memory.closed = memory.finished = memory.stopped = false;
	memory.up = memory.down = (struct pipe){.from = 0};
	memory.acknowledged = 0;
	memory.room = sizeof(memory.up.bytes);
	memory.carrier.kind = &memory_kind;
	(void)snprintf(memory.host, sizeof(memory.host), "%s", plan->host);
	memory.port = plan->port;
	memory.quiet_ms = plan->quiet_ms;
	memory.user = plan->user;
	memory.self = plan->self;
	*carrier = &memory.carrier;
	return MQUIC_OK;
}

static void close_memory(struct carrier *carrier, const char *reason)
{
	ck_assert_ptr_eq(carrier, &memory.carrier);
	memory.closed = true;
	(void)snprintf(memory.reason, sizeof(memory.reason), "%s", reason == NULL ? "" : reason);
}

static void free_memory(struct carrier *carrier)
{
	ck_assert_ptr_eq(carrier, &memory.carrier);
	ck_assert(memory.alive);
	ck_assert(!memory.lane_open);
	memory.alive = false;
}

static struct mquic_connection *no_connection(const struct carrier *carrier)
{
	(void)carrier;
	return NULL;
}

static enum mquic_status open_lane(struct carrier_lane **lane, struct carrier *carrier)
{
	ck_assert_ptr_eq(carrier, &memory.carrier);
	if (memory.lane_open)
		return MQUIC_ERR_UNSUPPORTED;
	memory.lane_open = true;
	memory.lane.kind = &memory_kind;
	*lane = &memory.lane;
	return MQUIC_OK;
}

static void close_lane(struct carrier_lane *lane)
{
	ck_assert_ptr_eq(lane, &memory.lane);
	ck_assert(memory.lane_open);
	memory.lane_open = false;
}

static enum mquic_status peek(struct carrier_lane *lane, const uint8_t **data, size_t *len)
{
	ck_assert_ptr_eq(lane, &memory.lane);
	*data = memory.down.bytes + memory.down.from;
	*len = memory.down.to - memory.down.from;
	return *len == 0 && !memory.finished ? MQUIC_ERR_AGAIN : MQUIC_OK;
}

static void consume(struct carrier_lane *lane, size_t len)
{
	ck_assert_ptr_eq(lane, &memory.lane);
	ck_assert_uint_le(len, memory.down.to - memory.down.from);
	memory.down.from += len;
}

static enum mquic_status send_bytes(struct carrier_lane *lane, const uint8_t *data, size_t len,
				    size_t *sent)
{
	ck_assert_ptr_eq(lane, &memory.lane);
	*sent = len < memory.room ? len : memory.room;
	if (memory.stopped)
		return MQUIC_ERR_CLOSED;
	if (len > 0 && memory.room == 0)
		return MQUIC_ERR_AGAIN;
	ck_assert_uint_le(memory.up.to + *sent, sizeof(memory.up.bytes));
	if (*sent > 0)
		memcpy(memory.up.bytes + memory.up.to, data, *sent);
	memory.up.to += *sent;
	memory.room -= *sent;
	return MQUIC_OK;
}

static struct carrier_progress progress(const struct carrier_lane *lane)
{
	ck_assert_ptr_eq(lane, &memory.lane);
	return (struct carrier_progress){
		.taken = memory.up.to,
		.acknowledged = memory.acknowledged,
	};
}

static const struct carrier_kind memory_kind = {
	.dial = dial,
	.close = close_memory,
	.free = free_memory,
	.connection = no_connection,
	.open = open_lane,
	.close_lane = close_lane,
	.peek = peek,
	.consume = consume,
	.send = send_bytes,
	.progress = progress,
};

/* ---- The session, and the server that the test plays ------------------------------------ */

static struct mquic_endpoint *endpoint;
static struct mquic_session *session;

static void set_up(void)
{
	memset(&memory, 0, sizeof(memory));
	ck_assert_int_eq(mquic_endpoint_new(&endpoint), MQUIC_OK);
	ck_assert_int_eq(mquic_session_new(&session, endpoint, NULL), MQUIC_OK);
	session->kind = &memory_kind;
	ck_assert_int_eq(mquic_session_set_client_id(session, "c", 1), MQUIC_OK);
}

static void tear_down(void)
{
	mquic_session_free(session);
	mquic_endpoint_free(endpoint);
	ck_assert(!memory.alive);
}

/* The next event, which is of this type; the caller's to free. */
static struct mquic_event *next(enum mquic_event_type type)
{
	struct mquic_event *event;

	ck_assert_int_eq(mquic_endpoint_process(endpoint), MQUIC_OK);
	event = mquic_endpoint_next_event(endpoint);
	ck_assert_ptr_nonnull(event);
	ck_assert_int_eq(mquic_event_type(event), type);
	ck_assert_ptr_eq(mquic_event_session(event), session);
	return event;
}

static void nothing_happens(void)
{
	ck_assert_int_eq(mquic_endpoint_process(endpoint), MQUIC_OK);
	ck_assert_ptr_null(mquic_endpoint_next_event(endpoint));
}

static void server_says(const char *hex)
{
	size_t len;
	uint8_t *bytes = kit_bytes(hex, &len);

	ck_assert_uint_le(memory.down.to + len, sizeof(memory.down.bytes));
	memcpy(memory.down.bytes + memory.down.to, bytes, len);
	memory.down.to += len;
	free(bytes);
	memory.user->readable(memory.self, &memory.lane);
}

/* The next bytes from the session are these. */
static void server_hears(const char *hex)
{
	size_t len;
	uint8_t *bytes = kit_bytes(hex, &len);

	ck_assert_uint_ge(memory.up.to - memory.up.from, len);
	ck_assert_mem_eq(memory.up.bytes + memory.up.from, bytes, len);
	memory.up.from += len;
	free(bytes);
}

static void server_hears_no_more(void)
{
	ck_assert_uint_eq(memory.up.from, memory.up.to);
}

static void server_hears_connect(void)
{
	struct mqtt_connect connect;

	ck_assert_int_eq(mqtt_connect_parse(&connect, memory.up.bytes, memory.up.to), MQTT_SUCCESS);
	ck_assert_mem_eq(connect.client_id.data, "c", 1);
	memory.up.from = memory.up.to;
}

static void server_acknowledges(void)
{
	memory.acknowledged = memory.up.to;
	memory.user->flushed(memory.self, &memory.lane);
}

static void carrier_ends(enum mquic_status status, enum mquic_origin origin, const char *text)
{
	struct carrier_end end = {
		.status = status,
		.origin = origin,
		.hung_up = origin == MQUIC_ORIGIN_PEER,
	};

	(void)snprintf(end.text, sizeof(end.text), "%s", text);
	memory.user->ended(memory.self, &end);
}

static void bring_up(void)
{
	ck_assert_msg(mquic_session_connect(session, "server", 0) == MQUIC_OK, "%s",
		      mquic_session_error(session));
	nothing_happens();
	server_hears_connect();
	memory.user->ready(memory.self);
	server_says("20 03 00 00 00");
	mquic_event_free(next(MQUIC_EVENT_CONNECTED));
}

static void publish(int qos)
{
	struct mquic_message *message;

	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(message, "t", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_payload(message, (const uint8_t *)"p", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_qos(message, qos), MQUIC_OK);
	ck_assert_int_eq(mquic_session_publish(session, message, NULL), MQUIC_OK);
	mquic_message_free(message);
}

/* DISCONNECTED comes, with these facts; nothing comes after it. */
static void expect_end(enum mquic_status status, enum mquic_origin origin, const char *text)
{
	struct mquic_event *event = next(MQUIC_EVENT_DISCONNECTED);

	ck_assert_int_eq(mquic_event_status(event), status);
	ck_assert_int_eq(mquic_event_origin(event), origin);
	ck_assert_str_eq(mquic_event_text(event), text);
	mquic_event_free(event);
	nothing_happens();
}

/* ---- Tests ------------------------------------------------------------------------------- */

START_TEST(session_publishes_over_any_carrier_until_the_peer_ends_it)
{
	struct mquic_event *event;

	bring_up();
	ck_assert_str_eq(memory.host, "server");
	ck_assert_uint_eq(memory.port, 0);
	ck_assert_uint_eq(memory.quiet_ms, 90000);
	publish(1);
	nothing_happens();
	server_hears("32 07 0001 't' 0001 00 'p'");
	server_says("40 02 0001");
	event = next(MQUIC_EVENT_DELIVERED);
	ck_assert_uint_eq(mquic_event_packet_id(event), 1);
	mquic_event_free(event);
	ck_assert_uint_eq(mquic_session_inflight(session), 0);
	carrier_ends(MQUIC_OK, MQUIC_ORIGIN_PEER, "the server went away");
	expect_end(MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, "the server went away");
	ck_assert(!memory.lane_open);
}
END_TEST

START_TEST(message_is_received_in_pieces)
{
	struct mquic_event *event;
	size_t len;

	bring_up();
	server_says("32 07 0001");
	nothing_happens();
	server_says("'t' 0007 00 'p'");
	event = next(MQUIC_EVENT_MESSAGE);
	ck_assert_mem_eq(mquic_message_payload(mquic_event_message(event), &len), "p", 1);
	ck_assert_uint_eq(len, 1);
	mquic_event_free(event);
	nothing_happens();
	server_hears("40 02 0007");
	server_hears_no_more();
}
END_TEST

START_TEST(carrier_without_room_is_waited_for)
{
	bring_up();
	memory.room = 3;
	publish(1);
	nothing_happens();
	server_hears("32 07 00");
	server_hears_no_more();
	memory.room = 100;
	nothing_happens(); /* nobody has said so yet */
	server_hears_no_more();
	memory.user->writable(memory.self, &memory.lane);
	nothing_happens();
	server_hears("01 't' 0001 00 'p'");
}
END_TEST

START_TEST(goodbye_waits_until_the_carrier_has_delivered_it)
{
	bring_up();
	server_acknowledges();
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_OK);
	nothing_happens();
	server_hears("e0 00");
	ck_assert(!memory.closed);
	server_acknowledges();
	nothing_happens();
	ck_assert(memory.closed);
	ck_assert_str_eq(memory.reason, "");
	carrier_ends(MQUIC_OK, MQUIC_ORIGIN_LOCAL, "closed");
	expect_end(MQUIC_OK, MQUIC_ORIGIN_LOCAL, "disconnected");
}
END_TEST

static uint64_t clock_ns;

static uint64_t read_clock(void *unused)
{
	(void)unused;
	return clock_ns;
}

START_TEST(program_that_does_not_know_of_an_end_may_go_on_although_it_was_cut_short)
{
	clock_ns = endpoint_now(endpoint);
	endpoint_set_clock(endpoint, read_clock, NULL);
	bring_up();
	server_says("00 00");
	nothing_happens();
	ck_assert(!memory.closed);
	clock_ns += 11 * UINT64_C(1000000000); /* and it has acknowledged nothing */
	nothing_happens();
	ck_assert(memory.closed);
	carrier_ends(MQUIC_OK, MQUIC_ORIGIN_LOCAL, "closed");
	ck_assert_int_eq(mquic_endpoint_process(endpoint), MQUIC_OK);
	ck_assert_int_eq(session->state, SESSION_OVER);
	publish(1);
	mquic_event_free(next(MQUIC_EVENT_DISCONNECTED));
	ck_assert_uint_eq(mquic_session_inflight(session), 1);
}
END_TEST

START_TEST(end_of_the_lane_ends_the_carrier)
{
	bring_up();
	memory.finished = true;
	memory.user->readable(memory.self, &memory.lane);
	nothing_happens();
	ck_assert(memory.closed);
	ck_assert_str_eq(memory.reason, "the server ended the stream");
	carrier_ends(MQUIC_OK, MQUIC_ORIGIN_LOCAL, memory.reason);
	expect_end(MQUIC_ERR_CLOSED, MQUIC_ORIGIN_LOCAL, memory.reason);
}
END_TEST

START_TEST(server_that_wants_no_more_ends_the_carrier)
{
	bring_up();
	memory.stopped = true;
	memory.user->writable(memory.self, &memory.lane);
	nothing_happens();
	ck_assert(memory.closed);
	ck_assert_str_eq(memory.reason, "the server wants no more from us");
	carrier_ends(MQUIC_OK, MQUIC_ORIGIN_LOCAL, memory.reason);
	expect_end(MQUIC_ERR_CLOSED, MQUIC_ORIGIN_LOCAL, memory.reason);
}
END_TEST

START_TEST(what_the_carrier_brought_is_read_before_its_end)
{
	bring_up();
	server_says("30 05 0001 't' 00 'p'");
	carrier_ends(MQUIC_OK, MQUIC_ORIGIN_PEER, "gone");
	mquic_event_free(next(MQUIC_EVENT_MESSAGE));
	expect_end(MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, "gone");
}
END_TEST

START_TEST(carrier_that_cannot_set_out_fails_the_call)
{
	memory.dialing = MQUIC_ERR_RESOLVE;
	ck_assert_int_eq(mquic_session_connect(session, "server", 0), MQUIC_ERR_RESOLVE);
	ck_assert_str_eq(mquic_session_error(session), "there is no way to server");
	nothing_happens();
	memory.dialing = MQUIC_OK;
	bring_up();
}
END_TEST

START_TEST(carrier_that_does_not_arrive_is_told)
{
	ck_assert_int_eq(mquic_session_connect(session, "server", 0), MQUIC_OK);
	nothing_happens();
	carrier_ends(MQUIC_ERR_RESOLVE, MQUIC_ORIGIN_SYSTEM, "no such name");
	expect_end(MQUIC_ERR_RESOLVE, MQUIC_ORIGIN_SYSTEM, "no such name");
	bring_up(); /* it may be tried again */
}
END_TEST

START_TEST(session_of_another_carrier_has_no_connection)
{
	ck_assert_ptr_null(mquic_session_connection(session));
	bring_up();
	ck_assert_ptr_null(mquic_session_connection(session));
}
END_TEST

START_TEST(carrier_is_freed_with_its_endpoint)
{
	bring_up();
	mquic_endpoint_free(endpoint);
	endpoint = NULL;
	ck_assert(!memory.alive);
	ck_assert_ptr_null(mquic_session_connection(session));
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_ERR_CLOSED);
}
END_TEST

/* ---- Its steps in the log ---------------------------------------------------------------- */

static char lines[4096];
static char engine_lines[4096];

static void note(void *unused, enum mquic_log_level level, const char *line)
{
	char *into = strncmp(line, "mqtt ", 5) == 0 ? engine_lines : lines;
	size_t len = strlen(into);

	(void)unused;
	ck_assert_int_eq(level, MQUIC_LOG_DEBUG);
	(void)snprintf(into + len, sizeof(lines) - len, "%s\n", line);
}

static void listen_to_steps(void)
{
	lines[0] = '\0';
	engine_lines[0] = '\0';
	mquic_endpoint_set_log(endpoint, note, MQUIC_LOG_DEBUG, NULL);
}

START_TEST(each_step_is_a_line_of_the_log)
{
	listen_to_steps();
	bring_up();
	server_acknowledges();
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_OK);
	nothing_happens();
	server_acknowledges();
	nothing_happens();
	carrier_ends(MQUIC_OK, MQUIC_ORIGIN_LOCAL, "closed");
	expect_end(MQUIC_OK, MQUIC_ORIGIN_LOCAL, "disconnected");
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_ERR_STATE);
	ck_assert_str_eq(lines, "session 1: IDLE → DIALING\n"
				"session 1: DIALING → CONNECTING\n"
				"session 1: CONNECTING → CONNECTED\n"
				"session 1: CONNECTED → LEAVING\n"
				"session 1: LEAVING → PARTING\n"
				"session 1: PARTING → ENDED\n"
				"session 1: ENDED → OVER\n"
				"session 1: OVER → IDLE\n");
	/* Its engine is one step ahead: CONNECT is written before there is a carrier. */
	ck_assert_str_eq(engine_lines, "mqtt 1: IDLE → CONNECTING\n"
				       "mqtt 1: CONNECTING → CONNECTED\n"
				       "mqtt 1: CONNECTED → CLOSING\n"
				       "mqtt 1: CLOSING → OVER\n"
				       "mqtt 1: OVER → IDLE\n");
}
END_TEST

START_TEST(step_at_a_fault_says_whose_it_was)
{
	bring_up();
	listen_to_steps();
	carrier_ends(MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, "idle timeout");
	expect_end(MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, "idle timeout");
	ck_assert_str_eq(lines, "session 1: CONNECTED → ENDED\n"
				"session 1: ENDED → OVER (peer: idle timeout)\n");
}
END_TEST

START_TEST(end_of_the_lane_is_the_fault_of_the_peer)
{
	bring_up();
	memory.finished = true;
	memory.user->readable(memory.self, &memory.lane);
	nothing_happens();
	listen_to_steps();
	carrier_ends(MQUIC_OK, MQUIC_ORIGIN_LOCAL, "the server ended the stream");
	expect_end(MQUIC_ERR_CLOSED, MQUIC_ORIGIN_LOCAL, "the server ended the stream");
	ck_assert_str_eq(lines, "session 1: CONNECTED → ENDED\n"
				"session 1: ENDED → OVER (peer: the server ended the stream)\n");
}
END_TEST

START_TEST(wrong_password_is_the_fault_of_the_caller)
{
	ck_assert_int_eq(mquic_session_connect(session, "server", 0), MQUIC_OK);
	memory.user->ready(memory.self);
	server_says("20 03 00 86 00");
	nothing_happens();
	server_acknowledges();
	listen_to_steps();
	nothing_happens();
	carrier_ends(MQUIC_OK, MQUIC_ORIGIN_LOCAL, "closed");
	mquic_event_free(next(MQUIC_EVENT_DISCONNECTED));
	ck_assert_str_eq(lines, "session 1: PARTING → ENDED\n"
				"session 1: ENDED → OVER (caller: bad user name or password)\n");
}
END_TEST

START_TEST(session_is_numbered_on_its_endpoint)
{
	struct mquic_session *other;

	ck_assert_int_eq(mquic_session_new(&other, endpoint, NULL), MQUIC_OK);
	other->kind = &memory_kind;
	listen_to_steps();
	ck_assert_int_eq(mquic_session_connect(other, "server", 0), MQUIC_OK);
	ck_assert_str_eq(lines, "session 2: IDLE → DIALING\n");
	mquic_session_free(other);
}
END_TEST

/* All that a session is given to keep, and all that a server may say, has SECRET in it. */
static void give_secrets(void)
{
	static const char secret[] = "SECRET";
	const uint8_t *bytes = (const uint8_t *)secret;
	struct mquic_message *will;

	ck_assert_int_eq(mquic_message_new(&will), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(will, "SECRET/will", 11), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_payload(will, bytes, 6), MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_will(session, will, 0), MQUIC_OK);
	mquic_message_free(will);
	ck_assert_int_eq(mquic_session_set_client_id(session, secret, 6), MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_username(session, secret, 6), MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_password(session, bytes, 6), MQUIC_OK);
	ck_assert_int_eq(mquic_session_add_user_property(session, secret, 6, secret, 6), MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_disconnect_text(session, secret, 6), MQUIC_OK);
}

static void publish_secret(void)
{
	struct mquic_message *message;

	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(message, "SECRET", 6), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_payload(message, (const uint8_t *)"SECRET", 6),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_message_add_user_property(message, "SECRET", 6, "SECRET", 6),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_qos(message, 1), MQUIC_OK);
	ck_assert_int_eq(mquic_session_publish(session, message, NULL), MQUIC_OK);
	mquic_message_free(message);
}

START_TEST(log_has_steps_but_nothing_of_what_they_are_about)
{
	struct mquic_event *event;

	listen_to_steps();
	give_secrets();
	ck_assert_int_eq(mquic_session_connect(session, "server", 0), MQUIC_OK);
	publish_secret();
	nothing_happens();
	memory.user->ready(memory.self);
	server_says("20 03 00 00 00");
	mquic_event_free(next(MQUIC_EVENT_CONNECTED));
	server_says("30 0f 0006 'SECRET' 00 'SECRET'");
	mquic_event_free(next(MQUIC_EVENT_MESSAGE));
	/* DISCONNECT: not authorized, with a reason string and a user property. */
	server_says("e0 1a 87 18 1f 0006 'SECRET' 26 0006 'SECRET' 0004 'name'");
	nothing_happens();
	server_acknowledges();
	nothing_happens();
	carrier_ends(MQUIC_OK, MQUIC_ORIGIN_LOCAL, "closed");
	event = next(MQUIC_EVENT_DISCONNECTED);
	ck_assert_ptr_nonnull(strstr(mquic_event_text(event), "SECRET"));
	mquic_event_free(event);
	ck_assert_ptr_nonnull(strstr(lines, "ENDED → OVER (peer: not authorized)\n"));
	ck_assert_ptr_null(strstr(lines, "SECRET"));
	ck_assert_ptr_nonnull(strstr(engine_lines, "CONNECTED → OVER\n"));
	ck_assert_ptr_null(strstr(engine_lines, "SECRET"));
}
END_TEST

static const TTest *const *const tests[] = {
	&session_publishes_over_any_carrier_until_the_peer_ends_it,
	&message_is_received_in_pieces,
	&carrier_without_room_is_waited_for,
	&goodbye_waits_until_the_carrier_has_delivered_it,
	&program_that_does_not_know_of_an_end_may_go_on_although_it_was_cut_short,
	&end_of_the_lane_ends_the_carrier,
	&server_that_wants_no_more_ends_the_carrier,
	&what_the_carrier_brought_is_read_before_its_end,
	&carrier_that_cannot_set_out_fails_the_call,
	&carrier_that_does_not_arrive_is_told,
	&session_of_another_carrier_has_no_connection,
	&carrier_is_freed_with_its_endpoint,
	&each_step_is_a_line_of_the_log,
	&step_at_a_fault_says_whose_it_was,
	&end_of_the_lane_is_the_fault_of_the_peer,
	&wrong_password_is_the_fault_of_the_caller,
	&session_is_numbered_on_its_endpoint,
	&log_has_steps_but_nothing_of_what_they_are_about,
};

int main(void)
{
	return unit_run("session-carrier", set_up, tear_down, tests, COUNT(tests));
}
