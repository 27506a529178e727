/* SPDX-License-Identifier: MIT */
#include "native.h"

#include <math.h>
#include <poll.h>
#include <time.h>

#include <lauxlib.h>

/* ---- Numbers ------------------------------------------------------------ */

bool native_whole(lua_State *L, int index, double min, double max, int64_t *value)
{
	if (lua_type(L, index) != LUA_TNUMBER)
		return false;
	double number = (double)lua_tonumber(L, index);
	/* Written so that "not a number" is refused as well. */
	if (!(number >= min && number <= max) || floor(number) != number)
		return false;
#if LUA_VERSION_NUM >= 503
	if (lua_isinteger(L, index)) {
		*value = (int64_t)lua_tointeger(L, index);
		return true;
	}
#endif
	*value = (int64_t)number;
	return true;
}

void native_push_whole(lua_State *L, int64_t value)
{
#if LUA_VERSION_NUM >= 503
	lua_pushinteger(L, (lua_Integer)value);
#else
	/* An integer of Lua 5.1 may have 32 bits; a number is exact up to 2^53. */
	lua_pushnumber(L, (lua_Number)value);
#endif
}

double native_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- Fields of a table on top of the stack ------------------------------- */

static void set_whole(lua_State *L, const char *name, int64_t value)
{
	native_push_whole(L, value);
	lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool value)
{
	lua_pushboolean(L, value);
	lua_setfield(L, -2, name);
}

/* Leaves the field out for NULL. */
static void set_bytes(lua_State *L, const char *name, const void *data, size_t len)
{
	if (data == NULL)
		return;
	lua_pushlstring(L, data, len);
	lua_setfield(L, -2, name);
}

/* ---- User properties ------------------------------------------------------ */

/* The packet behind an event, or the message in it: both have user properties. */
typedef bool (*property_reader)(const void *source, size_t index, const char **name,
				size_t *name_len, const char **value, size_t *value_len);

static bool event_property(const void *event, size_t index, const char **name, size_t *name_len,
			   const char **value, size_t *value_len)
{
	return mquic_event_user_property(event, index, name, name_len, value, value_len);
}

static bool message_property(const void *message, size_t index, const char **name, size_t *name_len,
			     const char **value, size_t *value_len)
{
	return mquic_message_user_property(message, index, name, name_len, value, value_len);
}

/* Pairs { name, value } by position, for order and repetition, and values by name. */
static void set_user_properties(lua_State *L, property_reader read, const void *source)
{
	const char *name;
	const char *value;
	size_t name_len;
	size_t value_len;

	if (!read(source, 0, &name, &name_len, &value, &value_len))
		return;
	lua_newtable(L);
	for (size_t i = 0; read(source, i, &name, &name_len, &value, &value_len); i++) {
		lua_createtable(L, 2, 0);
		lua_pushlstring(L, name, name_len);
		lua_rawseti(L, -2, 1);
		lua_pushlstring(L, value, value_len);
		lua_rawseti(L, -2, 2);
		lua_rawseti(L, -2, (int)i + 1);
		lua_pushlstring(L, name, name_len);
		lua_pushlstring(L, value, value_len);
		lua_rawset(L, -3);
	}
	lua_setfield(L, -2, "user_properties");
}

/* ---- Records of events ---------------------------------------------------- */

static void set_subscription_ids(lua_State *L, const struct mquic_message *message)
{
	uint32_t id = mquic_message_subscription_id(message, 0);

	if (id == 0)
		return;
	lua_newtable(L);
	for (size_t i = 0; (id = mquic_message_subscription_id(message, i)) != 0; i++) {
		native_push_whole(L, id);
		lua_rawseti(L, -2, (int)i + 1);
	}
	lua_setfield(L, -2, "subscription_identifiers");
}

/* Always a table, so that msg.properties.content_type never fails. */
static void set_properties(lua_State *L, const struct mquic_message *message)
{
	uint32_t expiry;
	size_t len = 0;

	lua_newtable(L);
	if (mquic_message_utf8_payload(message))
		set_whole(L, "payload_format_indicator", 1);
	if (mquic_message_expiry_s(message, &expiry))
		set_whole(L, "message_expiry_interval", expiry);
	const char *text = mquic_message_content_type(message, &len);
	set_bytes(L, "content_type", text, len);
	text = mquic_message_response_topic(message, &len);
	set_bytes(L, "response_topic", text, len);
	const uint8_t *data = mquic_message_correlation_data(message, &len);
	set_bytes(L, "correlation_data", data, len);
	set_subscription_ids(L, message);
	lua_setfield(L, -2, "properties");
}

static void set_message(lua_State *L, const struct mquic_event *event)
{
	const struct mquic_message *message = mquic_event_message(event);
	size_t len;

	if (message == NULL)
		return;
	const char *topic = mquic_message_topic(message, &len);
	set_bytes(L, "topic", topic, len);
	const uint8_t *payload = mquic_message_payload(message, &len);
	set_bytes(L, "payload", payload, len);
	set_whole(L, "qos", mquic_message_qos(message));
	set_flag(L, "retain", mquic_message_retain(message));
	set_flag(L, "dup", mquic_message_duplicate(message));
	set_whole(L, "packet_id", mquic_message_packet_id(message));
	set_properties(L, message);
	set_user_properties(L, message_property, message);
}

static void set_answer(lua_State *L, const struct mquic_event *event)
{
	size_t count = mquic_event_reason_count(event);

	set_whole(L, "packet_id", mquic_event_packet_id(event));
	set_whole(L, "reason", mquic_event_reason(event, 0));
	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		native_push_whole(L, mquic_event_reason(event, i));
		lua_rawseti(L, -2, (int)i + 1);
	}
	lua_setfield(L, -2, "reasons");
	lua_pushstring(L, mquic_event_text(event));
	lua_setfield(L, -2, "text");
	set_user_properties(L, event_property, event);
}

static void set_auth(lua_State *L, const struct mquic_event *event)
{
	size_t len = 0;
	const uint8_t *data = mquic_event_auth_data(event, &len);

	set_bytes(L, "auth_data", data, len);
}

static void set_end(lua_State *L, const struct mquic_event *event)
{
	set_whole(L, "status", mquic_event_status(event));
	set_whole(L, "origin", mquic_event_origin(event));
	set_whole(L, "code", (int64_t)mquic_event_code(event));
	lua_pushstring(L, mquic_event_text(event));
	lua_setfield(L, -2, "text");
	set_user_properties(L, event_property, event);
}

/* ---- What a server says of itself ----------------------------------------- */

static const struct {
	enum mquic_limit limit;
	bool is_flag;
	const char *name;
} limits[] = {
	{MQUIC_LIMIT_RECEIVE_MAXIMUM, false, "receive_maximum"},
	{MQUIC_LIMIT_MAXIMUM_QOS, false, "maximum_qos"},
	{MQUIC_LIMIT_RETAIN, true, "retain_available"},
	{MQUIC_LIMIT_MAXIMUM_PACKET_SIZE, false, "maximum_packet_size"},
	{MQUIC_LIMIT_TOPIC_ALIAS_MAXIMUM, false, "topic_alias_maximum"},
	{MQUIC_LIMIT_WILDCARDS, true, "wildcard_subscription_available"},
	{MQUIC_LIMIT_SUBSCRIPTION_IDS, true, "subscription_identifier_available"},
	{MQUIC_LIMIT_SHARED, true, "shared_subscription_available"},
	{MQUIC_LIMIT_KEEP_ALIVE_S, false, "server_keep_alive"},
	{MQUIC_LIMIT_SESSION_EXPIRY_S, false, "session_expiry_interval"},
};

/* Those that the server has named. */
static void set_limits(lua_State *L, const struct mquic_session *session)
{
	uint32_t value;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (!mquic_session_limit(session, limits[i].limit, &value))
			continue;
		if (limits[i].is_flag)
			set_flag(L, limits[i].name, value != 0);
		else
			set_whole(L, limits[i].name, value);
	}
}

/* Always a table, as for messages. */
static void set_server_properties(lua_State *L, const struct mquic_event *event)
{
	size_t len = 0;

	lua_newtable(L);
	if (mquic_event_type(event) == MQUIC_EVENT_CONNECTED)
		set_limits(L, mquic_event_session(event));
	const char *text = mquic_event_reason_string(event, &len);
	set_bytes(L, "reason_string", text, len);
	text = mquic_event_server_reference(event, &len);
	set_bytes(L, "server_reference", text, len);
	text = mquic_event_response_information(event, &len);
	set_bytes(L, "response_information", text, len);
	lua_setfield(L, -2, "properties");
}

static void push_record(lua_State *L, const struct mquic_event *event)
{
	lua_newtable(L);
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_MESSAGE:
		set_message(L, event);
		break;
	case MQUIC_EVENT_CONNECTED:
		set_flag(L, "session_present", mquic_event_session_present(event));
		set_answer(L, event);
		set_auth(L, event);
		set_server_properties(L, event);
		break;
	case MQUIC_EVENT_AUTH:
		set_answer(L, event);
		set_auth(L, event);
		set_server_properties(L, event);
		break;
	case MQUIC_EVENT_DELIVERED:
	case MQUIC_EVENT_SUBSCRIBED:
	case MQUIC_EVENT_UNSUBSCRIBED:
		set_answer(L, event);
		break;
	case MQUIC_EVENT_DISCONNECTED:
		set_end(L, event);
		set_server_properties(L, event);
		break;
	case MQUIC_EVENT_CONNECTION_CLOSED:
	case MQUIC_EVENT_STREAM_CLOSED:
	case MQUIC_EVENT_RELAY_CLOSED:
		set_end(L, event);
		break;
	default:
		break;
	}
}

/* ---- Batches of events ---------------------------------------------------- */

/* The innermost object of ours that the event is about, by the tag in its user pointer. */
static uintptr_t tag_of(const struct mquic_event *event)
{
	struct mquic_session *session = mquic_event_session(event);
	struct mquic_relay *relay = mquic_event_relay(event);
	struct mquic_stream *stream = mquic_event_stream(event);
	struct mquic_connection *connection = mquic_event_connection(event);

	if (session != NULL)
		return (uintptr_t)mquic_session_get_userdata(session);
	if (relay != NULL)
		return (uintptr_t)mquic_relay_get_userdata(relay);
	if (stream != NULL)
		return (uintptr_t)mquic_stream_get_userdata(stream);
	if (connection != NULL)
		return (uintptr_t)mquic_connection_get_userdata(connection);
	return 0;
}

/* Lua leaves a C function by longjmp when memory runs out: the event waits in a box then. */
static int free_boxed_event(lua_State *L)
{
	struct mquic_event **box = lua_touserdata(L, 1);

	mquic_event_free(*box);
	*box = NULL;
	return 0;
}

static struct mquic_event **push_box(lua_State *L)
{
	struct mquic_event **box = lua_newuserdata(L, sizeof(struct mquic_event *));

	*box = NULL;
	if (luaL_newmetatable(L, "mquic event")) {
		lua_pushcfunction(L, free_boxed_event);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return box;
}

int native_drain(lua_State *L, struct mquic_endpoint *endpoint, int max)
{
	struct mquic_event *event = mquic_endpoint_next_event(endpoint);

	if (event == NULL) {
		lua_pushnil(L);
		return 1;
	}
	struct mquic_event **box = push_box(L);
	*box = event;
	lua_newtable(L);
	for (int i = 0; event != NULL && i < max; i++) {
		native_push_whole(L, (int64_t)tag_of(event));
		lua_rawseti(L, -2, 3 * i + 1);
		native_push_whole(L, mquic_event_type(event));
		lua_rawseti(L, -2, 3 * i + 2);
		push_record(L, event);
		lua_rawseti(L, -2, 3 * i + 3);
		mquic_event_free(event);
		*box = NULL;
		*box = event = i + 1 < max ? mquic_endpoint_next_event(endpoint) : NULL;
	}
	return 1;
}

/* ---- Bytes ---------------------------------------------------------------- */

static int push_no_bytes(lua_State *L, enum mquic_status status)
{
	lua_pushnil(L);
	native_push_whole(L, status);
	return 2;
}

/* Bytes are copied before they are marked as read: nothing is lost if there is no memory. */
static size_t push_bytes(lua_State *L, const uint8_t *data, size_t len, int max)
{
	if (len > (size_t)max)
		len = (size_t)max;
	lua_pushlstring(L, data == NULL ? "" : (const char *)data, len);
	return len;
}

int native_stream_receive(lua_State *L, struct mquic_stream *stream, int max)
{
	const uint8_t *data = NULL;
	size_t len = 0;
	enum mquic_status status = mquic_stream_peek(stream, &data, &len);

	if (status != MQUIC_OK)
		return push_no_bytes(L, status);
	mquic_stream_consume(stream, push_bytes(L, data, len, max));
	return 1;
}

int native_relay_receive(lua_State *L, struct mquic_relay *relay, int max)
{
	const uint8_t *data = NULL;
	size_t len = 0;
	enum mquic_status status = mquic_relay_peek(relay, &data, &len);

	if (status != MQUIC_OK)
		return push_no_bytes(L, status);
	mquic_relay_consume(relay, push_bytes(L, data, len, max));
	return 1;
}

int native_connection_peer_subject_der(lua_State *L, struct mquic_connection *connection)
{
	size_t len;
	const uint8_t *der = mquic_connection_peer_subject_der(connection, &len);

	if (der == NULL)
		lua_pushnil(L);
	else
		lua_pushlstring(L, (const char *)der, len);
	return 1;
}

/* ---- Waiting -------------------------------------------------------------- */

static void push_ready(lua_State *L, const struct pollfd *set, int count)
{
	int found = 0;

	lua_newtable(L);
	for (int i = 0; i < count; i++) {
		if (set[i].revents == 0)
			continue;
		native_push_whole(L, i + 1);
		lua_rawseti(L, -2, ++found);
	}
}

int native_text_printable(lua_State *L, int index)
{
	size_t len;
	const char *text = luaL_checklstring(L, index, &len);

	lua_pushstring(L, mquic_text_printable(lua_newuserdata(L, len + 1), len + 1, text, len, 0));
	return 1;
}

int native_poll(lua_State *L, int index, double timeout)
{
	luaL_checktype(L, index, LUA_TTABLE);
#if LUA_VERSION_NUM >= 502
	int count = (int)lua_rawlen(L, index);
#else
	int count = (int)lua_objlen(L, index);
#endif
	struct pollfd *set = lua_newuserdata(L, sizeof(*set) * (size_t)(count > 0 ? count : 1));

	for (int i = 0; i < count; i++) {
		lua_rawgeti(L, index, i + 1);
		set[i] = (struct pollfd){.fd = (int)lua_tonumber(L, -1), .events = POLLIN};
		lua_pop(L, 1);
	}
	/* Up to the next millisecond, else a wait ends just before its time. */
	double wait_ms = timeout < 0 ? -1 : ceil(timeout * 1000);
	if (wait_ms > 3600000)
		wait_ms = 3600000;
	/* A signal ends the wait early, so that Ctrl-C is seen at once. */
	if (poll(set, (nfds_t)count, (int)wait_ms) < 0)
		count = 0;
	push_ready(L, set, count);
	return 1;
}
