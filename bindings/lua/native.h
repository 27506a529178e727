/* SPDX-License-Identifier: MIT */
/*
 * What SWIG cannot write for Lua: numbers that stay whole, events in batches, bytes out, and
 * the little of POSIX that a plain loop needs. A function that returns a count has pushed that
 * many values.
 */
#ifndef MQUIC_LUA_NATIVE_H
#define MQUIC_LUA_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include <mquic.h>

/* Reads a whole number from min to max; false if the value is anything else. */
bool native_whole(lua_State *L, int index, double min, double max, int64_t *value);

/* Pushes a whole number, as an integer where Lua has them. */
void native_push_whole(lua_State *L, int64_t value);

/*
 * Takes up to `max` events off the queue. Pushes nil if there was none, which also sends what
 * was queued meanwhile, else one flat list: tag of the object, type, record, tag, type, ... The
 * tag is 0 for the endpoint itself.
 */
int native_drain(lua_State *L, struct mquic_endpoint *endpoint, int max);

/*
 * Keeps log lines up to a level, of the endpoint whose handle is the first argument, until
 * native_endpoint_lines() asks for them.
 */
void native_endpoint_log(lua_State *L, struct mquic_endpoint *endpoint, int level);

/* Pushes nil, or one flat list of level, line, level, ... and how many lines were dropped. */
int native_endpoint_lines(lua_State *L, struct mquic_endpoint *endpoint);

/*
 * Reads up to `max` bytes of what a stream has received. Pushes them as a string, "" at the
 * end of the stream; or nil and the status.
 */
int native_stream_receive(lua_State *L, struct mquic_stream *stream, int max);

/* The same for the bytes that a relay's client meant for the broker. */
int native_relay_receive(lua_State *L, struct mquic_relay *relay, int max);

/* Pushes the peer's subject, nil without a certificate. */
int native_connection_peer_subject_der(lua_State *L, struct mquic_connection *connection);

/* Pushes the string at `index` as mquic_text_printable() copies it. */
int native_text_printable(lua_State *L, int index);

/*
 * Waits until one of the descriptors in the list at `index` is readable or `timeout` seconds
 * are over; negative: no limit. Pushes a list of the positions that are ready, which is empty
 * after the time or a signal.
 */
int native_poll(lua_State *L, int index, double timeout);

/* Seconds on a clock that nobody sets. */
double native_now(void);

#endif
