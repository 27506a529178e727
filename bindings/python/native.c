/* SPDX-License-Identifier: MIT */
#include "native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Failures ----------------------------------------------------------- */

static _Thread_local native_explain blamed_explain;
static _Thread_local const void *blamed_object;
static _Thread_local const char *blamed_sentence;
static _Thread_local char kept_sentence[256];
static PyObject *make_exception;

void native_blame(native_explain explain, const void *object)
{
	blamed_explain = explain;
	blamed_object = object;
	blamed_sentence = NULL;
}

/* Of an object that will be gone before the exception is made. */
static void keep_sentence(const char *text)
{
	snprintf(kept_sentence, sizeof(kept_sentence), "%s", text);
	blamed_sentence = kept_sentence;
}

PyObject *native_on_failure(PyObject *make)
{
	PyObject *old = make_exception;

	Py_INCREF(make);
	make_exception = make;
	Py_XDECREF(old);
	Py_RETURN_NONE;
}

static const char *sentence(enum mquic_status status)
{
	const char *text = blamed_sentence;

	if (text == NULL && blamed_explain != NULL)
		text = blamed_explain(blamed_object);
	return text == NULL || text[0] == '\0' ? mquic_status_text(status) : text;
}

PyObject *native_status(enum mquic_status status)
{
	PyObject *exception;

	if (status == MQUIC_OK)
		Py_RETURN_NONE;
	if (status == MQUIC_ERR_MEMORY)
		return PyErr_NoMemory();
	if (make_exception == NULL)
		return PyErr_Format(PyExc_RuntimeError, "%s", sentence(status));
	exception = PyObject_CallFunction(make_exception, "is", (int)status, sentence(status));
	if (exception != NULL) {
		PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
		Py_DECREF(exception);
	}
	return NULL;
}

/* ---- Arguments and results ---------------------------------------------- */

bool native_text(struct native_bytes *text, PyObject *object)
{
	Py_ssize_t len = 0;
	char *bytes;

	text->held = false;
	text->data = NULL;
	text->len = 0;
	if (object == Py_None)
		return true;
	if (PyUnicode_Check(object)) {
		text->data = PyUnicode_AsUTF8AndSize(object, &len);
		if (text->data == NULL)
			return false;
	} else if (PyBytes_Check(object)) {
		if (PyBytes_AsStringAndSize(object, &bytes, &len) < 0)
			return false;
		text->data = bytes;
	} else {
		PyErr_SetString(PyExc_TypeError, "text must be str, bytes or None");
		return false;
	}
	text->len = (size_t)len;
	return true;
}

bool native_string(struct native_bytes *string, PyObject *object)
{
	if (!native_text(string, object))
		return false;
	if (string->data == NULL || strlen(string->data) == string->len)
		return true;
	PyErr_SetString(PyExc_ValueError, "there must be no NUL in a name");
	return false;
}

bool native_bytes(struct native_bytes *bytes, PyObject *object)
{
	bytes->held = false;
	if (object == Py_None || PyUnicode_Check(object))
		return native_text(bytes, object);
	if (PyObject_GetBuffer(object, &bytes->buffer, PyBUF_SIMPLE) < 0)
		return false;
	bytes->held = true;
	bytes->data = bytes->buffer.len == 0 ? "" : bytes->buffer.buf;
	bytes->len = (size_t)bytes->buffer.len;
	return true;
}

bool native_room(struct native_bytes *room, PyObject *object)
{
	if (PyObject_GetBuffer(object, &room->buffer, PyBUF_WRITABLE) < 0)
		return false;
	room->held = true;
	room->data = room->buffer.buf;
	room->len = (size_t)room->buffer.len;
	return true;
}

void native_bytes_release(struct native_bytes *bytes)
{
	if (bytes->held)
		PyBuffer_Release(&bytes->buffer);
	bytes->held = false;
}

PyObject *native_append(PyObject *result, PyObject *more)
{
	PyObject *both;

	if (result == Py_None) {
		Py_DECREF(result);
		return more;
	}
	both = more == NULL ? NULL : PyTuple_Pack(2, result, more);
	Py_XDECREF(result);
	Py_XDECREF(more);
	return both;
}

/* ---- Sending and receiving ---------------------------------------------- */

static enum mquic_status fill(struct mquic_message *message, const char *topic, size_t topic_len,
			      const uint8_t *payload, size_t payload_len, int qos, bool retain)
{
	enum mquic_status status = mquic_message_set_topic(message, topic, topic_len);

	if (status == MQUIC_OK && payload_len > 0)
		status = mquic_message_set_payload(message, payload, payload_len);
	if (status == MQUIC_OK)
		status = mquic_message_set_qos(message, qos);
	return status == MQUIC_OK ? mquic_message_set_retain(message, retain) : status;
}

enum mquic_status native_publish(struct mquic_session *session, const char *topic, size_t topic_len,
				 const uint8_t *payload, size_t payload_len, int qos, bool retain,
				 uint16_t *packet_id)
{
	struct mquic_message *message;
	enum mquic_status status = mquic_message_new(&message);

	if (status != MQUIC_OK)
		return status;
	status = fill(message, topic, topic_len, payload, payload_len, qos, retain);
	if (status == MQUIC_OK)
		status = mquic_session_publish(session, message, packet_id);
	else
		keep_sentence(mquic_message_error(message));
	mquic_message_free(message);
	return status;
}

static PyObject *copy(const uint8_t *data, size_t len)
{
	return PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)len);
}

PyObject *native_recv(struct mquic_stream *stream, size_t size)
{
	const uint8_t *data;
	size_t len;
	PyObject *bytes;
	enum mquic_status status = mquic_stream_peek(stream, &data, &len);

	if (status != MQUIC_OK)
		return native_status(status);
	len = len < size ? len : size;
	bytes = copy(data, len);
	if (bytes != NULL)
		(void)mquic_stream_consume(stream, len);
	return bytes;
}

PyObject *native_relay_read(struct mquic_relay *relay, size_t size)
{
	const uint8_t *data;
	size_t len;
	PyObject *bytes;
	enum mquic_status status = mquic_relay_peek(relay, &data, &len);

	if (status != MQUIC_OK)
		return native_status(status);
	len = len < size ? len : size;
	bytes = copy(data, len);
	if (bytes != NULL)
		(void)mquic_relay_consume(relay, len);
	return bytes;
}

PyObject *native_connection_peer_subject_der(struct mquic_connection *connection)
{
	size_t len;
	const uint8_t *der = mquic_connection_peer_subject_der(connection, &len);

	return der == NULL ? native_status(MQUIC_OK) : copy(der, len);
}

/* ---- Text --------------------------------------------------------------- */

PyObject *native_text_printable(const char *text, size_t len)
{
	char *copy = text != NULL ? malloc(len + 1) : NULL;
	PyObject *result;

	if (text != NULL && copy == NULL)
		return PyErr_NoMemory();
	result = PyUnicode_FromString(mquic_text_printable(copy, len + 1, text, len, '\0'));
	free(copy);
	return result;
}

/* ---- Log ---------------------------------------------------------------- */

/* Runs no Python code, garbage collection included, so nothing can call into the endpoint. */
static void log_line(void *userdata, enum mquic_log_level level, const char *line)
{
	PyGILState_STATE state = PyGILState_Ensure();
	int collecting = PyGC_Disable();
	PyObject *type, *value, *traceback;
	PyObject *pair;

	PyErr_Fetch(&type, &value, &traceback);
	pair = Py_BuildValue("(iN)", (int)level,
			     PyUnicode_DecodeUTF8(line, (Py_ssize_t)strlen(line), "replace"));
	if (pair == NULL || PyList_Append(userdata, pair) < 0)
		PyErr_Clear(); /* a line less */
	Py_XDECREF(pair);
	PyErr_Restore(type, value, traceback);
	if (collecting)
		PyGC_Enable();
	PyGILState_Release(state);
}

PyObject *native_collect_log(struct mquic_endpoint *endpoint, int level, PyObject *lines)
{
	if (lines == Py_None) {
		mquic_endpoint_set_log(endpoint, NULL, MQUIC_LOG_ERROR, NULL);
	} else if (!PyList_Check(lines)) {
		return PyErr_Format(PyExc_TypeError, "lines must be a list");
	} else {
		mquic_endpoint_set_log(endpoint, log_line, (enum mquic_log_level)level, lines);
	}
	Py_RETURN_NONE;
}

/* ---- Keys --------------------------------------------------------------- */

void native_set_connection_key(struct mquic_connection *connection, size_t key)
{
	mquic_connection_set_userdata(connection, (void *)key);
}

void native_set_stream_key(struct mquic_stream *stream, size_t key)
{
	mquic_stream_set_userdata(stream, (void *)key);
}

void native_set_session_key(struct mquic_session *session, size_t key)
{
	mquic_session_set_userdata(session, (void *)key);
}

void native_set_relay_key(struct mquic_relay *relay, size_t key)
{
	mquic_relay_set_userdata(relay, (void *)key);
}
