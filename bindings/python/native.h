/* SPDX-License-Identifier: MIT */
/*
 * What SWIG's typemaps of mquic.i need, and the few calls where one trip into C does the work
 * of many. Written for Python's limited API, so that it also fits into an abi3 module.
 *
 * A function that returns PyObject * returns NULL with an exception set if it fails.
 */
#ifndef MQUIC_PYTHON_NATIVE_H
#define MQUIC_PYTHON_NATIVE_H

#include <Python.h>

#include <errno.h> /* for what SWIG writes: the limited API does not bring it along */
#include <mquic.h>
#include <stdbool.h>

/* ---- Failures ----------------------------------------------------------- */

typedef const char *(*native_explain)(const void *object);

/* The object whose sentence explains this thread's next failure; NULL: none has one. */
void native_blame(native_explain explain, const void *object);

/* `make_exception(status, sentence)` returns what is raised when a call fails. */
PyObject *native_on_failure(PyObject *make_exception);

/* None for MQUIC_OK, else NULL with the exception set. */
PyObject *native_status(enum mquic_status status);

/* ---- Arguments and results ---------------------------------------------- */

struct native_bytes {
	const void *data;
	size_t len;
	bool held; /* the buffer below has to be released */
	Py_buffer buffer;
};

/* clang-format off */
#define NATIVE_BYTES_NONE {.held = false}
/* clang-format on */

/* str as UTF-8, bytes as they are, None as NULL. They live as long as the object. */
bool native_text(struct native_bytes *text, PyObject *object);

/* The same without NUL, for what ends at one. */
bool native_string(struct native_bytes *string, PyObject *object);

/* Like native_text(), and any other object with a buffer. Release it after the call. */
bool native_bytes(struct native_bytes *bytes, PyObject *object);

/* A buffer that may be written to. */
bool native_room(struct native_bytes *room, PyObject *object);

void native_bytes_release(struct native_bytes *bytes);

/* Adds a result to those there are; takes both references. */
PyObject *native_append(PyObject *result, PyObject *more);

/* ---- Helpers ------------------------------------------------------------ */

/*
 * Processes, then takes up to `limit` events off the endpoint and calls append(), which runs no
 * Python code, with each; the last one, or None. As no signal handler can come between, none is
 * lost. They are tuples
 *
 *     (MESSAGE, key, topic, payload, qos, retain, dup, packet id, properties)
 *     (type, key, packet id, reason codes, session present, status, origin, code, text, properties)
 *
 * where the key is what native_set_*_key() gave the event's object, else 0, and the properties
 * are a dict by paho's names, or None.
 */
PyObject *native_drain(struct mquic_endpoint *endpoint, size_t limit, PyObject *append);

/* Publishes a message that has no properties. */
enum mquic_status native_publish(struct mquic_session *session, const char *topic, size_t topic_len,
				 const uint8_t *payload, size_t payload_len, int qos, bool retain,
				 uint16_t *packet_id);

/* The peer's subject as bytes, None without a certificate. */
PyObject *native_connection_peer_subject_der(struct mquic_connection *connection);

/* mquic_text_printable(), as a str. */
PyObject *native_text_printable(const char *text, size_t len);

/* Takes up to `size` received bytes; b"" is the end. */
PyObject *native_recv(struct mquic_stream *stream, size_t size);
PyObject *native_relay_read(struct mquic_relay *relay, size_t size);

/*
 * Appends log lines up to `level` to `lines`, a list, as (level, line); None: no more. The list
 * must outlive the endpoint or the next call.
 */
PyObject *native_collect_log(struct mquic_endpoint *endpoint, int level, PyObject *lines);

/* The number that stands for an object in native_drain(). */
void native_set_connection_key(struct mquic_connection *connection, size_t key);
void native_set_stream_key(struct mquic_stream *stream, size_t key);
void native_set_session_key(struct mquic_session *session, size_t key);
void native_set_relay_key(struct mquic_relay *relay, size_t key);

#endif
