/* SPDX-License-Identifier: MIT */
/*
 * mquic.core: the private native half of the Lua module. Statuses stay numbers; lua/mquic/ turns
 * them into nil, message, code. A wrong argument raises an error.
 */
%module mquic_core

%{
#include <string.h>

#include "native.h"
%}

/* ---- Numbers: whole, in range, and never a string that looks like one ------ */

%define WHOLE(TYPE, MIN, MAX)
%typemap(in) TYPE {
	int64_t whole = 0;
	if (!native_whole(L, $input, MIN, MAX, &whole)) {
		lua_pushstring(L, "$symname: argument $argnum must be a whole number in range");
		SWIG_fail;
	}
	$1 = ($1_ltype)whole;
}
%typemap(out) TYPE "native_push_whole(L, (int64_t)$1); SWIG_arg++;"
%enddef

WHOLE(int, -2147483648.0, 2147483647.0)
WHOLE(unsigned int, 0, 4294967295.0)
WHOLE(uint8_t, 0, 255)
WHOLE(uint16_t, 0, 65535)
WHOLE(uint32_t, 0, 4294967295.0)
WHOLE(int64_t, -9007199254740992.0, 9007199254740992.0)
WHOLE(uint64_t, 0, 4611686018427387903.0)
WHOLE(size_t, 0, 4294967295.0)
WHOLE(enum SWIGTYPE, -2147483648.0, 2147483647.0)

/* SWIG's own checks describe any userdata as if it were theirs: these say what they want. */
%typemap(in) bool {
	if (!lua_isboolean(L, $input)) {
		lua_pushstring(L, "$symname: argument $argnum must be true or false");
		SWIG_fail;
	}
	$1 = lua_toboolean(L, $input) != 0;
}
%typemap(in) double {
	if (lua_type(L, $input) != LUA_TNUMBER) {
		lua_pushstring(L, "$symname: argument $argnum must be a number");
		SWIG_fail;
	}
	$1 = (double)lua_tonumber(L, $input);
}

%typemap(in, numinputs = 0) uint16_t *NUMBER_OUT (uint16_t number = 0) "$1 = &number;"
%typemap(in, numinputs = 0) uint32_t *NUMBER_OUT (uint32_t number = 0) "$1 = &number;"
%typemap(in, numinputs = 0) size_t *NUMBER_OUT (size_t number = 0) "$1 = &number;"
%typemap(argout) uint16_t *NUMBER_OUT, uint32_t *NUMBER_OUT, size_t *NUMBER_OUT
	"native_push_whole(L, (int64_t)*$1); SWIG_arg++;"

/* ---- Text and bytes: with their length, or nil ----------------------------- */

%typemap(in) (const char *TEXT, size_t TEXT_LEN), (const uint8_t *BYTES, size_t BYTES_LEN) {
	if (lua_type(L, $input) != LUA_TSTRING && !lua_isnil(L, $input)) {
		lua_pushstring(L, "$symname: argument $argnum must be a string");
		SWIG_fail;
	}
	$1 = ($1_ltype)lua_tolstring(L, $input, &$2);
	if ($1 == NULL)
		$2 = 0;
}

/* Names of files and hosts end at a NUL in C: one inside is refused, not cut. */
%typemap(in) const char * {
	size_t length = 0;
	if (lua_type(L, $input) != LUA_TSTRING && !lua_isnil(L, $input)) {
		lua_pushstring(L, "$symname: argument $argnum must be a string");
		SWIG_fail;
	}
	$1 = ($1_ltype)lua_tolstring(L, $input, &length);
	if ($1 != NULL && strlen($1) != length) {
		lua_pushstring(L, "$symname: argument $argnum holds a NUL byte");
		SWIG_fail;
	}
}

/* What these getters give holds no NUL. */
%typemap(in, numinputs = 0) size_t *len "$1 = NULL;"

/* ---- Handles --------------------------------------------------------------- */

%typemap(in, numinputs = 0) SWIGTYPE **HANDLE_OUT ($*1_ltype handle = NULL) "$1 = &handle;"
%typemap(argout) SWIGTYPE **HANDLE_OUT {
	if (*$1 != NULL)
		SWIG_NewPointerObj(L, *$1, $*1_descriptor, SWIG_POINTER_OWN);
	else
		lua_pushnil(L);
	SWIG_arg++;
}

/* SWIG takes any userdata for one of its own; only what has our metatable is. */
%{
static bool has_metatable(lua_State *L, int index, swig_type_info *type)
{
	swig_lua_class *class = type->clientdata;

	if (class == NULL || lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
		return false;
	SWIG_Lua_get_class_metatable(L, class->fqname);
	bool same = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return same;
}

static void *handle_at(lua_State *L, int index, swig_type_info *type)
{
	if (!has_metatable(L, index, type))
		return NULL;
	return ((swig_lua_userdata *)lua_touserdata(L, index))->ptr;
}
%}

%define LIVE(NAME)
%typemap(in) struct mquic_##NAME *, const struct mquic_##NAME * {
	$1 = handle_at(L, $input, $descriptor);
	if ($1 == NULL) {
		lua_pushstring(L, "$symname: argument $argnum must be a live " #NAME);
		SWIG_fail;
	}
}
%enddef

LIVE(settings)
LIVE(endpoint)
LIVE(connection)
LIVE(stream)
LIVE(message)
LIVE(subscription)
LIVE(session)
LIVE(relay)
%typemap(in) const struct mquic_message *will {
	$1 = handle_at(L, $input, $descriptor);
}

/* ---- Our own functions ------------------------------------------------------ */

/* A count of values that the function has pushed itself. */
%typemap(out) int PUSHED "SWIG_arg += $1;"
%apply int PUSHED { int native_drain, int native_endpoint_lines, int native_stream_receive,
		    int native_relay_receive, int native_connection_peer_subject_der,
		    int native_text_printable, int native_poll };
%typemap(in) int INDEX "$1 = $input;"
%apply int INDEX { int index };

%rename(endpoint_drain) native_drain;
%rename(endpoint_log) native_endpoint_log;
%rename(endpoint_lines) native_endpoint_lines;
%rename(stream_receive) native_stream_receive;
%rename(relay_receive) native_relay_receive;
%rename(connection_peer_subject_der) native_connection_peer_subject_der;
%rename(text_printable) native_text_printable;
%rename(poll) native_poll;
%rename(now) native_now;
int native_drain(lua_State *L, struct mquic_endpoint *endpoint, int max);
void native_endpoint_log(lua_State *L, struct mquic_endpoint *endpoint, int level);
int native_endpoint_lines(lua_State *L, struct mquic_endpoint *endpoint);
int native_stream_receive(lua_State *L, struct mquic_stream *stream, int max);
int native_relay_receive(lua_State *L, struct mquic_relay *relay, int max);
int native_connection_peer_subject_der(lua_State *L, struct mquic_connection *connection);
int native_text_printable(lua_State *L, int index);
int native_poll(lua_State *L, int index, double timeout);
double native_now(void);

%inline %{
/* The tag comes back with the object's events; 0 is the endpoint itself. */
static void session_tag(struct mquic_session *session, uint32_t tag)
{
	mquic_session_set_userdata(session, (void *)(uintptr_t)tag);
}

static void connection_tag(struct mquic_connection *connection, uint32_t tag)
{
	mquic_connection_set_userdata(connection, (void *)(uintptr_t)tag);
}

static void stream_tag(struct mquic_stream *stream, uint32_t tag)
{
	mquic_stream_set_userdata(stream, (void *)(uintptr_t)tag);
}

static void relay_tag(struct mquic_relay *relay, uint32_t tag)
{
	mquic_relay_set_userdata(relay, (void *)(uintptr_t)tag);
}
%}

/*
 * free(handle): now rather than when it is collected. disown(handle): the library has taken it.
 * Any later use is an error.
 */
%native(free) int free_handle(lua_State *L);
%native(disown) int disown_handle(lua_State *L);
%{
static swig_lua_userdata *any_handle(lua_State *L, int index)
{
	for (size_t i = 0; i < swig_module.size; i++)
		if (has_metatable(L, index, swig_types[i]))
			return lua_touserdata(L, index);
	return NULL;
}

static int disown_handle(lua_State *L)
{
	swig_lua_userdata *handle = any_handle(L, 1);

	if (handle != NULL) {
		handle->own = 0;
		handle->ptr = NULL;
	}
	return 0;
}

static int free_handle(lua_State *L)
{
	swig_lua_userdata *handle = any_handle(L, 1);

	if (handle != NULL && handle->own) {
		swig_lua_class *class = handle->type->clientdata;

		class->destructor(handle->ptr);
	}
	return disown_handle(L);
}
%}

/* Bytes and pairs without a length reach Lua through native.c. */
%ignore mquic_connection_peer_subject_der;
%ignore mquic_message_payload;
%ignore mquic_message_correlation_data;
%ignore mquic_message_user_property;
%ignore mquic_stream_recv;
%ignore mquic_stream_peek;
%ignore mquic_stream_consume;
%ignore mquic_relay_peek;
%ignore mquic_relay_consume;

%include "../mquic.i"
