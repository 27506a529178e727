/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <string.h>

#include "mquic.h"

static struct {
	const struct options *options;
	const struct client_events *events;
	struct mquic_endpoint *endpoint;
	struct mquic_settings *settings;
	struct mquic_message *message; /* filled anew for each publish */
} self;

static void must(enum mquic_status status, const char *call, const char *sentence)
{
	if (status != MQUIC_OK)
		fail("%s: %s (%s)", call, mquic_status_text(status), sentence);
}

static enum mquic_congestion_control congestion(const char *name)
{
	if (strcmp(name, "reno") == 0)
		return MQUIC_CONGESTION_RENO;
	if (strcmp(name, "bbr") == 0)
		return MQUIC_CONGESTION_BBR;
	return MQUIC_CONGESTION_CUBIC;
}

static void init(const struct options *options, const struct client_events *events)
{
	self.options = options;
	self.events = events;
	must(mquic_endpoint_new(&self.endpoint), "mquic_endpoint_new", "");
	must(mquic_settings_new(&self.settings), "mquic_settings_new", "");
	must(mquic_message_new(&self.message), "mquic_message_new", "");
	must(mquic_settings_set_ca_file(self.settings, options->cafile), "set_ca_file",
	     mquic_settings_error(self.settings));
	must(mquic_settings_set_handshake_timeout_ms(self.settings, 60000), "set_handshake_timeout",
	     mquic_settings_error(self.settings));
	must(mquic_settings_set_congestion_control(self.settings, congestion(options->congestion)),
	     "set_congestion_control", mquic_settings_error(self.settings));
}

static void connect_client(struct client *client, const char *client_id)
{
	struct mquic_session *session;

	client->started_ns = now_ns();
	must(mquic_session_new(&session, self.endpoint, self.settings), "mquic_session_new",
	     mquic_endpoint_error(self.endpoint));
	mquic_session_set_userdata(session, client);
	must(mquic_session_set_client_id(session, client_id, MQUIC_NUL_TERMINATED), "set_client_id",
	     mquic_session_error(session));
	must(mquic_session_set_protocol(session, (enum mquic_protocol)self.options->protocol),
	     "set_protocol", mquic_session_error(session));
	must(mquic_session_set_keep_alive_s(session, (uint16_t)self.options->keep_alive_s),
	     "set_keep_alive", mquic_session_error(session));
	must(mquic_session_connect(session, self.options->host, (uint16_t)self.options->port),
	     "mquic_session_connect", mquic_session_error(session));
	client->own = session;
}

static bool publish(struct client *client, const char *topic, const uint8_t *payload, size_t len,
		    int qos)
{
	enum mquic_status status;

	must(mquic_message_set_topic(self.message, topic, MQUIC_NUL_TERMINATED), "set_topic", "");
	must(mquic_message_set_payload(self.message, payload, len), "set_payload", "");
	must(mquic_message_set_qos(self.message, qos), "set_qos", "");
	status = mquic_session_publish(client->own, self.message, NULL);
	if (status == MQUIC_ERR_AGAIN)
		return false;
	must(status, "mquic_session_publish", mquic_session_error(client->own));
	return true;
}

static void subscribe(struct client *client, const char *filter, int qos)
{
	must(mquic_session_subscribe(client->own, filter, MQUIC_NUL_TERMINATED, qos, NULL),
	     "mquic_session_subscribe", mquic_session_error(client->own));
}

static void disconnect(struct client *client)
{
	must(mquic_session_disconnect(client->own, 0), "mquic_session_disconnect",
	     mquic_session_error(client->own));
}

static void free_client(struct client *client)
{
	mquic_session_free(client->own);
	client->own = NULL;
}

static void connected(struct client *client)
{
	struct mquic_connection *connection = mquic_session_connection(client->own);

	client->connack_ns = now_ns();
	client->handshake_ns =
		client->started_ns +
		mquic_connection_statistic(connection, MQUIC_STATISTIC_HANDSHAKE_US) * 1000;
	self.events->connected(client);
}

static void ended(struct client *client, const struct mquic_event *event)
{
	client->ended = true;
	self.events->ended(client,
			   mquic_event_status(event) == MQUIC_OK ? NULL : mquic_event_text(event));
}

static void handle(const struct mquic_event *event)
{
	struct mquic_session *session = mquic_event_session(event);
	struct client *client = session == NULL ? NULL : mquic_session_get_userdata(session);
	const uint8_t *payload;
	size_t len;

	switch (client == NULL ? 0 : mquic_event_type(event)) {
	case MQUIC_EVENT_CONNECTED:
		connected(client);
		break;
	case MQUIC_EVENT_SUBSCRIBED:
		self.events->subscribed(client);
		break;
	case MQUIC_EVENT_MESSAGE:
		payload = mquic_message_payload(mquic_event_message(event), &len);
		self.events->message(client, payload, len);
		break;
	case MQUIC_EVENT_DELIVERED:
		self.events->delivered(client);
		break;
	case MQUIC_EVENT_DISCONNECTED:
		ended(client, event);
		break;
	default:
		break;
	}
}

static void run(int timeout_ms)
{
	struct mquic_event *event;

	mquic_endpoint_wait(self.endpoint, timeout_ms);
	while ((event = mquic_endpoint_next_event(self.endpoint)) != NULL) {
		handle(event);
		mquic_event_free(event);
	}
}

static void fini(void)
{
	mquic_message_free(self.message);
	mquic_settings_free(self.settings);
	mquic_endpoint_free(self.endpoint);
}

const struct transport transport_mquic = {
	.init = init,
	.connect = connect_client,
	.publish = publish,
	.subscribe = subscribe,
	.disconnect = disconnect,
	.free = free_client,
	.run = run,
	.fini = fini,
};
