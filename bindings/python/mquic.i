/* SPDX-License-Identifier: MIT */
/*
 * The private module mquic._native: mquic.h for Python, for the layer in mquic/ alone.
 *
 * A status is None or an exception. A handle is a bare pointer that the layer above frees with
 * delete_*() exactly once and forgets; None in its place is NULL, which the library refuses.
 * Bytes are any object with a buffer, or str as UTF-8, and are not copied on the way in.
 */
%module _native

%{
#include "native.h"
%}

/* SWIG 4.3 makes this as late as it throws it away, when no type can be made any more. */
%init %{
	(void)SWIG_globals();
%}

/* ---- Results ------------------------------------------------------------ */

/* Whom to ask for a sentence when a call fails: the handle that came last and is not const. */
%typemap(check) struct mquic_settings *settings
	"native_blame((native_explain)mquic_settings_error, $1);"
%typemap(check) struct mquic_endpoint *endpoint
	"native_blame((native_explain)mquic_endpoint_error, $1);"
%typemap(check) struct mquic_connection *connection
	"native_blame((native_explain)mquic_connection_error, $1);"
%typemap(check) struct mquic_session *session
	"native_blame((native_explain)mquic_session_error, $1);"
%typemap(check) struct mquic_relay *relay
	"native_blame((native_explain)mquic_relay_error, $1);"
%typemap(check) struct mquic_stream *stream
	"native_blame((native_explain)mquic_stream_error, $1);"
%typemap(check) struct mquic_message *message
	"native_blame((native_explain)mquic_message_error, $1);"
%typemap(check) struct mquic_subscription *subscription
	"native_blame((native_explain)mquic_subscription_error, $1);"
%typemap(check) const struct mquic_settings *settings, const struct mquic_message *message,
		const struct mquic_message *will, const struct mquic_subscription *subscription
	""

%typemap(out) enum mquic_status {
	$result = native_status($1);
	if ($result == NULL)
		SWIG_fail;
}

/* A status that is only a number: mquic_status_text() and the like take and give it. */
%typemap(in) enum mquic_status status, enum mquic_event_type type {
	long number = PyLong_AsLong($input);

	if (number == -1 && PyErr_Occurred())
		SWIG_fail;
	$1 = ($1_ltype)number;
}

%typemap(in, numinputs=0) SWIGTYPE **HANDLE_OUT ($*1_ltype made = NULL)
	"$1 = &made;"
%typemap(argout) SWIGTYPE **HANDLE_OUT
	"$result = native_append($result, SWIG_NewPointerObj(*$1, $*1_descriptor, 0));"

%typemap(in, numinputs=0) uint16_t *NUMBER_OUT ($*1_ltype number = 0),
			  uint32_t *NUMBER_OUT ($*1_ltype number = 0),
			  size_t *NUMBER_OUT ($*1_ltype number = 0)
	"$1 = &number;"
%typemap(argout) uint16_t *NUMBER_OUT, uint32_t *NUMBER_OUT, size_t *NUMBER_OUT
	"$result = native_append($result, PyLong_FromSize_t(*$1));"

/* Getters of text: it is NUL terminated, so its length is not needed. */
%typemap(in, numinputs=0) size_t *len "$1 = NULL;"

/* ---- Arguments ---------------------------------------------------------- */

%typemap(in) (const char *TEXT, size_t TEXT_LEN) (struct native_bytes text) {
	if (!native_text(&text, $input))
		SWIG_fail;
	$1 = ($1_ltype)text.data;
	$2 = ($2_ltype)text.len;
}

%typemap(in) (const uint8_t *BYTES, size_t BYTES_LEN)
	     (struct native_bytes bytes = NATIVE_BYTES_NONE) {
	if (!native_bytes(&bytes, $input))
		SWIG_fail;
	$1 = ($1_ltype)bytes.data;
	$2 = ($2_ltype)bytes.len;
}
%typemap(freearg) (const uint8_t *BYTES, size_t BYTES_LEN)
	"native_bytes_release(&bytes$argnum);"

%typemap(in) (uint8_t *buffer, size_t size) (struct native_bytes room = NATIVE_BYTES_NONE) {
	if (!native_room(&room, $input))
		SWIG_fail;
	$1 = ($1_ltype)room.data;
	$2 = ($2_ltype)room.len;
}
%typemap(freearg) (uint8_t *buffer, size_t size)
	"native_bytes_release(&room$argnum);"
%apply size_t *NUMBER_OUT { size_t *received };

/* Names of files and hosts end at a NUL, so there must be none inside. */
%typemap(in) const char * (struct native_bytes string) {
	if (!native_string(&string, $input))
		SWIG_fail;
	$1 = ($1_ltype)string.data;
}
%typemap(freearg) const char * ""

/* ---- What is left out: helpers in native.h do it better ------------------ */

%ignore mquic_endpoint_wait;
%ignore mquic_connection_peer_subject_der;
%ignore mquic_message_payload;
%ignore mquic_message_correlation_data;
%ignore mquic_message_user_property;
%ignore mquic_message_expiry_s;
%ignore mquic_stream_peek;
%ignore mquic_stream_consume;
%ignore mquic_relay_peek;

%include "../mquic.i"

/* ---- Helpers ------------------------------------------------------------ */

%apply (const uint8_t *BYTES, size_t BYTES_LEN) { (const uint8_t *payload, size_t payload_len) };
%apply (const char *TEXT, size_t TEXT_LEN) { (const char *topic, size_t topic_len) };

%rename("%(strip:[native_])s", regextarget = 1) "^native_";
PyObject *native_on_failure(PyObject *make_exception);
PyObject *native_drain(struct mquic_endpoint *endpoint, size_t limit, PyObject *append);
enum mquic_status native_publish(struct mquic_session *session, const char *topic,
				 size_t topic_len, const uint8_t *payload, size_t payload_len,
				 int qos, bool retain, uint16_t *packet_id);
PyObject *native_connection_peer_subject_der(struct mquic_connection *connection);
PyObject *native_text_printable(const char *text, size_t len);
PyObject *native_recv(struct mquic_stream *stream, size_t size);
PyObject *native_relay_read(struct mquic_relay *relay, size_t size);
PyObject *native_collect_log(struct mquic_endpoint *endpoint, int level, PyObject *lines);
void native_set_connection_key(struct mquic_connection *connection, size_t key);
void native_set_stream_key(struct mquic_stream *stream, size_t key);
void native_set_session_key(struct mquic_session *session, size_t key);
void native_set_relay_key(struct mquic_relay *relay, size_t key);
