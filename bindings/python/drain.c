/* SPDX-License-Identifier: MIT */
/* Events as tuples: one call from Python for a whole batch of messages. */
#include "native.h"

/* Bytes after which a batch is long enough, and what objects of Python take, more or less. */
#define BATCH_BYTES       1048576
#define EVENT_OVERHEAD    512
#define PROPERTY_OVERHEAD 256

static PyObject *text_of(const char *data, size_t len)
{
	return PyUnicode_DecodeUTF8(data, (Py_ssize_t)len, "replace");
}

static PyObject *bytes_of(const uint8_t *data, size_t len)
{
	return PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)len);
}

/* ---- Properties --------------------------------------------------------- */

/* Puts `value` into the dict, made if it is not there yet; takes the reference. */
static bool put(PyObject **dict, const char *name, PyObject *value)
{
	bool done = false;

	if (value != NULL && *dict == NULL)
		*dict = PyDict_New();
	if (value != NULL && *dict != NULL)
		done = PyDict_SetItemString(*dict, name, value) == 0;
	Py_XDECREF(value);
	return done;
}

static bool put_text(PyObject **dict, const char *name, const char *text, size_t len)
{
	return text == NULL || put(dict, name, text_of(text, len));
}

static bool put_bytes(PyObject **dict, const char *name, const uint8_t *data, size_t len)
{
	return data == NULL || put(dict, name, bytes_of(data, len));
}

/* Adds to a list that is made if it is not there yet; takes the reference. */
static bool add(PyObject **list, PyObject *item)
{
	bool done = false;

	if (item != NULL && *list == NULL)
		*list = PyList_New(0);
	if (item != NULL && *list != NULL)
		done = PyList_Append(*list, item) == 0;
	Py_XDECREF(item);
	return done;
}

static bool add_pair(PyObject **list, const char *name, size_t name_len, const char *value,
		     size_t value_len)
{
	return add(list, Py_BuildValue("(NN)", text_of(name, name_len), text_of(value, value_len)));
}

static bool put_list(PyObject **dict, const char *name, PyObject *list)
{
	return list == NULL || put(dict, name, list);
}

static bool message_user_properties(PyObject **dict, const struct mquic_message *message)
{
	PyObject *list = NULL;
	const char *name, *value;
	size_t name_len, value_len;
	size_t i;

	for (i = 0; mquic_message_user_property(message, i, &name, &name_len, &value, &value_len);
	     i++)
		if (!add_pair(&list, name, name_len, value, value_len)) {
			Py_XDECREF(list);
			return false;
		}
	return put_list(dict, "UserProperty", list);
}

static bool event_user_properties(PyObject **dict, const struct mquic_event *event)
{
	PyObject *list = NULL;
	const char *name, *value;
	size_t name_len, value_len;
	size_t i;

	for (i = 0; mquic_event_user_property(event, i, &name, &name_len, &value, &value_len); i++)
		if (!add_pair(&list, name, name_len, value, value_len)) {
			Py_XDECREF(list);
			return false;
		}
	return put_list(dict, "UserProperty", list);
}

static bool subscription_ids(PyObject **dict, const struct mquic_message *message)
{
	PyObject *list = NULL;
	uint32_t id;
	size_t i;

	for (i = 0; (id = mquic_message_subscription_id(message, i)) != 0; i++)
		if (!add(&list, PyLong_FromUnsignedLong(id))) {
			Py_XDECREF(list);
			return false;
		}
	return put_list(dict, "SubscriptionIdentifier", list);
}

static bool message_properties(PyObject **dict, const struct mquic_message *message)
{
	uint32_t seconds;
	const uint8_t *data;
	const char *text;
	size_t len;

	if (mquic_message_utf8_payload(message) &&
	    !put(dict, "PayloadFormatIndicator", PyLong_FromLong(1)))
		return false;
	if (mquic_message_expiry_s(message, &seconds) &&
	    !put(dict, "MessageExpiryInterval", PyLong_FromUnsignedLong(seconds)))
		return false;
	text = mquic_message_content_type(message, &len);
	if (!put_text(dict, "ContentType", text, len))
		return false;
	text = mquic_message_response_topic(message, &len);
	if (!put_text(dict, "ResponseTopic", text, len))
		return false;
	data = mquic_message_correlation_data(message, &len);
	return put_bytes(dict, "CorrelationData", data, len) && subscription_ids(dict, message) &&
	       message_user_properties(dict, message);
}

/* What CONNACK says of the server, by the names of paho-mqtt. */
static const struct {
	enum mquic_limit limit;
	const char *name;
} limits[] = {
	{MQUIC_LIMIT_RECEIVE_MAXIMUM, "ReceiveMaximum"},
	{MQUIC_LIMIT_MAXIMUM_QOS, "MaximumQoS"},
	{MQUIC_LIMIT_RETAIN, "RetainAvailable"},
	{MQUIC_LIMIT_MAXIMUM_PACKET_SIZE, "MaximumPacketSize"},
	{MQUIC_LIMIT_TOPIC_ALIAS_MAXIMUM, "TopicAliasMaximum"},
	{MQUIC_LIMIT_WILDCARDS, "WildcardSubscriptionAvailable"},
	{MQUIC_LIMIT_SUBSCRIPTION_IDS, "SubscriptionIdentifierAvailable"},
	{MQUIC_LIMIT_SHARED, "SharedSubscriptionAvailable"},
	{MQUIC_LIMIT_KEEP_ALIVE_S, "ServerKeepAlive"},
	{MQUIC_LIMIT_SESSION_EXPIRY_S, "SessionExpiryInterval"},
};

/* Those that the server has named. */
static bool put_limits(PyObject **dict, const struct mquic_session *session)
{
	uint32_t value;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (mquic_session_limit(session, limits[i].limit, &value) &&
		    !put(dict, limits[i].name, PyLong_FromUnsignedLong(value)))
			return false;
	return true;
}

static bool put_texts(PyObject **dict, const struct mquic_event *event)
{
	size_t len;
	const char *text = mquic_event_reason_string(event, &len);

	if (!put_text(dict, "ReasonString", text, len))
		return false;
	text = mquic_event_server_reference(event, &len);
	if (!put_text(dict, "ServerReference", text, len))
		return false;
	text = mquic_event_response_information(event, &len);
	return put_text(dict, "ResponseInformation", text, len);
}

static bool event_properties(PyObject **dict, const struct mquic_event *event)
{
	size_t len;
	const uint8_t *data = mquic_event_auth_data(event, &len);

	if (mquic_event_type(event) == MQUIC_EVENT_CONNECTED &&
	    !put_limits(dict, mquic_event_session(event)))
		return false;
	return put_texts(dict, event) && put_bytes(dict, "AuthenticationData", data, len) &&
	       event_user_properties(dict, event);
}

/* None stands for nothing; steals what there is. */
static PyObject *or_none(PyObject *object)
{
	if (object != NULL)
		return object;
	Py_INCREF(Py_None);
	return Py_None;
}

/* ---- Events ------------------------------------------------------------- */

/* What the key was given to; connections of a session or relay have events of their own kind. */
static size_t key_of(const struct mquic_event *event)
{
	struct mquic_session *session = mquic_event_session(event);
	struct mquic_relay *relay = mquic_event_relay(event);
	struct mquic_stream *stream = mquic_event_stream(event);
	struct mquic_connection *connection = mquic_event_connection(event);

	if (session != NULL)
		return (size_t)mquic_session_get_userdata(session);
	if (relay != NULL)
		return (size_t)mquic_relay_get_userdata(relay);
	if (stream != NULL)
		return (size_t)mquic_stream_get_userdata(stream);
	return connection == NULL ? 0 : (size_t)mquic_connection_get_userdata(connection);
}

static PyObject *message_tuple(const struct mquic_event *event, size_t *bytes)
{
	const struct mquic_message *message = mquic_event_message(event);
	size_t topic_len;
	size_t payload_len;
	const char *topic = mquic_message_topic(message, &topic_len);
	const uint8_t *payload = mquic_message_payload(message, &payload_len);
	PyObject *properties = NULL;

	if (!message_properties(&properties, message)) {
		Py_XDECREF(properties);
		return NULL;
	}
	*bytes += topic_len + payload_len;
	/* No '#': built by Python 3.13, such a format does not run in 3.11 through abi3. */
	return Py_BuildValue("(inNNiNNiN)", (int)MQUIC_EVENT_MESSAGE, (Py_ssize_t)key_of(event),
			     text_of(topic, topic_len), bytes_of(payload, payload_len),
			     mquic_message_qos(message),
			     PyBool_FromLong(mquic_message_retain(message)),
			     PyBool_FromLong(mquic_message_duplicate(message)),
			     (int)mquic_message_packet_id(message), or_none(properties));
}

static PyObject *reason_tuple(const struct mquic_event *event)
{
	size_t count = mquic_event_reason_count(event);
	PyObject *tuple = PyTuple_New((Py_ssize_t)count);
	size_t i;

	for (i = 0; tuple != NULL && i < count; i++) {
		PyObject *code = PyLong_FromLong(mquic_event_reason(event, i));

		if (code == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i, code) < 0) {
			Py_DECREF(tuple);
			return NULL;
		}
	}
	return tuple;
}

static PyObject *plain_tuple(const struct mquic_event *event)
{
	PyObject *properties = NULL;

	if (!event_properties(&properties, event)) {
		Py_XDECREF(properties);
		return NULL;
	}
	return Py_BuildValue(
		"(iniNNiiKsN)", (int)mquic_event_type(event), (Py_ssize_t)key_of(event),
		(int)mquic_event_packet_id(event), reason_tuple(event),
		PyBool_FromLong(mquic_event_session_present(event)), (int)mquic_event_status(event),
		(int)mquic_event_origin(event), (unsigned long long)mquic_event_code(event),
		mquic_event_text(event), or_none(properties));
}

/* What one property takes. */
static size_t property_bytes(PyObject *value)
{
	if (PyList_Check(value))
		return PROPERTY_OVERHEAD * ((size_t)PyList_Size(value) + 1);
	return PROPERTY_OVERHEAD +
	       (PyUnicode_Check(value) ? (size_t)PyUnicode_GetLength(value) : 0);
}

/* What the properties of an event take, which stand last in its tuple. */
static size_t properties_bytes(PyObject *tuple)
{
	PyObject *dict = PyTuple_GetItem(tuple, PyTuple_Size(tuple) - 1);
	PyObject *key;
	PyObject *value;
	Py_ssize_t at = 0;
	size_t bytes = 0;

	if (dict == NULL || !PyDict_Check(dict))
		return 0;
	while (PyDict_Next(dict, &at, &key, &value))
		bytes += property_bytes(value);
	return bytes;
}

/* Takes one event off the endpoint into `last`; false: there is none, or an exception is set. */
static bool take(struct mquic_endpoint *endpoint, PyObject *append, PyObject **last, size_t *bytes)
{
	struct mquic_event *event = mquic_endpoint_next_event(endpoint);
	PyObject *tuple;
	PyObject *done;

	if (event == NULL)
		return false;
	tuple = mquic_event_message(event) != NULL ? message_tuple(event, bytes)
						   : plain_tuple(event);
	mquic_event_free(event);
	if (tuple == NULL)
		return false;
	*bytes += EVENT_OVERHEAD + properties_bytes(tuple);
	Py_XDECREF(*last);
	*last = tuple;
	done = PyObject_CallFunctionObjArgs(append, tuple, NULL);
	Py_XDECREF(done);
	return done != NULL;
}

static PyObject *drain(struct mquic_endpoint *endpoint, size_t limit, PyObject *append)
{
	enum mquic_status status = mquic_endpoint_process(endpoint);
	size_t bytes = 0;
	size_t count = 0;
	PyObject *last = NULL;

	if (status != MQUIC_OK)
		return native_status(status);
	while (count < limit && bytes < BATCH_BYTES && take(endpoint, append, &last, &bytes))
		count++;
	if (!PyErr_Occurred())
		return or_none(last);
	Py_XDECREF(last);
	return NULL;
}

PyObject *native_drain(struct mquic_endpoint *endpoint, size_t limit, PyObject *append)
{
	/* A finaliser that frees what an event points to must wait until the event is read. */
	int collecting = PyGC_Disable();
	PyObject *taken = drain(endpoint, limit, append);

	if (collecting)
		PyGC_Enable();
	return taken;
}
