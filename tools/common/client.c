/* SPDX-License-Identifier: MIT */
#include "client.h"

#include "clock.h"
#include "reason.h"
#include "say.h"
#include "signals.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_PAUSE_MS   1000
#define LONGEST_PAUSE_MS 30000
#define PATIENCE_MS      5000 /* for the goodbye after a signal */

bool client_interrupted(void)
{
	return signals_count() > 0;
}

static void log_line(void *userdata, enum mquic_log_level level, const char *line)
{
	(void)userdata;
	(void)level;
	say_debug("%s", line);
}

/* Something works, but not as it should. */
static void warning_line(void *userdata, enum mquic_log_level level, const char *line)
{
	(void)userdata;
	(void)level;
	say_warning("%s", line);
}

const char *client_name(struct client *client)
{
	const struct client_options *options = client->options;
	size_t len;
	const char *id = mquic_session_client_id(client->session, &len);
	/* One that the broker has assigned must not go on as if it were the rest of the line. */
	char quote = options->login.id || options->login.id_prefix ? '\0' : ' ';

	if (!id || len == 0)
		return "(unnamed)";
	return mquic_text_printable(client->name, sizeof(client->name), id, len, quote);
}

/* ---- set up -------------------------------------------------------------- */

static enum mquic_status set_client_id(struct client *client)
{
	const struct client_options *options = client->options;
	char *id;
	enum mquic_status status;

	if (options->login.id)
		return mquic_session_set_client_id(client->session, options->login.id,
						   MQUIC_NUL_TERMINATED);
	if (!options->login.id_prefix)
		return MQUIC_OK;
	if (asprintf(&id, "%s%ld", options->login.id_prefix, (long)getpid()) < 0)
		return MQUIC_ERR_MEMORY;
	status = mquic_session_set_client_id(client->session, id, MQUIC_NUL_TERMINATED);
	free(id);
	return status;
}

static enum mquic_status add_user_properties(struct client *client)
{
	const struct mquic_message *source = client->options->connect;
	enum mquic_status status = MQUIC_OK;
	const char *name, *value;
	size_t name_len, value_len;

	for (size_t i = 0; !status && mquic_message_user_property(source, i, &name, &name_len,
								  &value, &value_len);
	     i++)
		status = mquic_session_add_user_property(client->session, name, name_len, value,
							 value_len);
	return status;
}

static enum mquic_status set_goodbye(struct client *client)
{
	const struct client_options *options = client->options;
	struct mquic_session *session = client->session;
	enum mquic_status status = MQUIC_OK;
	const char *name, *value;
	size_t name_len, value_len;

	if (options->has_disconnect_expiry)
		status = mquic_session_set_disconnect_expiry_s(session,
							       options->disconnect_expiry_s);
	if (!status && options->disconnect_text)
		status = mquic_session_set_disconnect_text(session, options->disconnect_text,
							   MQUIC_NUL_TERMINATED);
	for (size_t i = 0; !status && mquic_message_user_property(options->disconnect, i, &name,
								  &name_len, &value, &value_len);
	     i++)
		status = mquic_session_add_disconnect_user_property(session, name, name_len, value,
								    value_len);
	return status;
}

static enum mquic_status set_authentication(struct client *client)
{
	const struct client_options *options = client->options;
	const char *data = options->auth_data;

	if (!options->auth_method && !data)
		return MQUIC_OK;
	return mquic_session_set_authentication(client->session, options->auth_method,
						MQUIC_NUL_TERMINATED, (const uint8_t *)data,
						data ? strlen(data) : 0);
}

static enum mquic_status set_mqtt5(struct client *client)
{
	const struct client_options *options = client->options;
	struct mquic_session *session = client->session;
	enum mquic_status status = mquic_session_set_expiry_s(session, options->expiry_s);

	if (!status && options->receive_maximum)
		status = mquic_session_set_receive_maximum(session,
							   (uint16_t)options->receive_maximum);
	if (!status && options->topic_alias_maximum)
		status = mquic_session_set_topic_alias_maximum(
			session, (uint16_t)options->topic_alias_maximum);
	if (!status && options->topic_alias)
		status = mquic_session_set_topic_aliases(session, 1);
	if (!status)
		status = mquic_session_set_problem_information(session,
							       options->problem_information);
	if (!status)
		status = mquic_session_set_response_information(session,
								options->response_information);
	if (!status)
		status = set_authentication(client);
	if (!status)
		status = set_goodbye(client);
	return status ? status : add_user_properties(client);
}

static enum mquic_status set_session(struct client *client)
{
	const struct client_options *options = client->options;
	struct mquic_session *session = client->session;
	enum mquic_status status = mquic_session_set_protocol(session, options->protocol);

	if (!status)
		status = set_client_id(client);
	if (!status && options->login.username)
		status = mquic_session_set_username(session, options->login.username,
						    MQUIC_NUL_TERMINATED);
	if (!status && options->login.password)
		status = mquic_session_set_password(session,
						    (const uint8_t *)options->login.password,
						    strlen(options->login.password));
	if (!status)
		status = mquic_session_set_keep_alive_s(session, (uint16_t)options->keep_alive_s);
	if (!status)
		status = mquic_session_set_clean_start(session, !options->persistent);
	if (!status)
		status = mquic_session_set_manual_ack(session, options->manual_ack);
	if (!status && options->maximum_packet_size)
		status = mquic_session_set_maximum_packet_size(session,
							       options->maximum_packet_size);
	if (!status && options->maximum_properties)
		status = mquic_session_set_maximum_properties(session, options->maximum_properties);
	if (!status && options->will_topic)
		status = mquic_session_set_will(session, options->will, options->will_delay_s);
	if (!status && options->protocol == MQUIC_PROTOCOL_MQTT_5)
		status = set_mqtt5(client);
	return status;
}

static bool start(struct client *client)
{
	const struct client_options *options = client->options;
	enum mquic_status status;

	say_debug("Client %s sending CONNECT", client_name(client));
	client->state = CLIENT_CONNECTING;
	client->started_us = clock_us();
	status = mquic_session_connect(client->session, options->login.host,
				       (uint16_t)options->login.port);
	return status == MQUIC_OK;
}

static bool open_session(struct client *client)
{
	const struct client_options *options = client->options;
	struct mquic_settings *settings = tls_options_settings(&options->tls);
	enum mquic_status status;

	if (!settings)
		return false;
	status = mquic_session_new(&client->session, client->endpoint, settings);
	mquic_settings_free(settings);
	if (status != MQUIC_OK) {
		say_error("%s", mquic_endpoint_error(client->endpoint));
		return false;
	}
	if (set_session(client) == MQUIC_OK && start(client))
		return true;
	say_error("%s", mquic_session_error(client->session));
	return false;
}

bool client_open(struct client *client, const struct client_options *options)
{
	memset(client, 0, sizeof(*client));
	client->options = options;
	client->result = 1;
	if (mquic_endpoint_new(&client->endpoint) != MQUIC_OK) {
		say_error("Cannot create an endpoint: are too many files open?");
		return false;
	}
	if (options->debug > 1)
		mquic_endpoint_set_log(client->endpoint, log_line, MQUIC_LOG_DEBUG, NULL);
	else
		mquic_endpoint_set_log(client->endpoint, warning_line, MQUIC_LOG_WARNING, NULL);
	signals_catch(client->endpoint);
	if (options->file.path)
		say_debug("Options of %s", options->file.path);
	return open_session(client);
}

void client_free(struct client *client)
{
	signals_release();
	mquic_session_free(client->session);
	mquic_endpoint_free(client->endpoint);
}

/* ---- events -------------------------------------------------------------- */

static void finish(struct client *client, int result)
{
	client->state = CLIENT_OVER;
	client->result = result;
}

static void connected(struct client *client)
{
	const struct mquic_connection *connection = mquic_session_connection(client->session);
	uint64_t handshake_us =
		mquic_connection_statistic(connection, MQUIC_STATISTIC_HANDSHAKE_US);

	say_debug("Client %s received CONNACK (0)", client_name(client));
	say_debug("Connected to %s in %.1f ms (QUIC handshake %.1f ms, %s, %s, %s)",
		  mquic_connection_peer_address(connection),
		  (double)(clock_us() - client->started_us) / 1000, (double)handshake_us / 1000,
		  mquic_connection_resumed(connection) ? "resumed" : "full",
		  mquic_connection_tls_version(connection), mquic_connection_cipher(connection));
	if (client->state != CLIENT_CONNECTING)
		return;
	client->state = CLIENT_CONNECTED;
	client->was_connected = true;
	client->failures = 0;
}

/* Reasons come with and without. */
static const char *full_stop_after(const char *sentence)
{
	size_t len = strlen(sentence);

	return len > 0 && strchr(".?!", sentence[len - 1]) == NULL ? "." : "";
}

static void wait_before_next(struct client *client, const char *why)
{
	uint64_t pause_ms =
		mquic_reconnect_pause_ms(client->failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);

	client->failures++;
	client->state = CLIENT_WAITING;
	client->deadline_ms = clock_ms() + pause_ms;
	say_warning("%s%s Trying again in %.1f s.", why, full_stop_after(why),
		    (double)pause_ms / 1000);
}

static int exit_code(const struct client *client, const struct mquic_event *event)
{
	if (client->state != CLIENT_CONNECTING || mquic_event_origin(event) != MQUIC_ORIGIN_MQTT)
		return 1;
	return reason_exit_code((uint8_t)mquic_event_code(event), client->options->protocol);
}

/* What has worked is tried again, unless the reason of its end will be there the next time. */
static bool is_worth_another_try(const struct client *client, const struct mquic_event *event)
{
	if (!client->was_connected || client_interrupted())
		return false;
	return mquic_reconnect_advice(mquic_event_status(event), mquic_event_origin(event),
				      mquic_event_code(event)) == MQUIC_RECONNECT_LATER;
}

static void disconnected(struct client *client, const struct mquic_event *event)
{
	const char *text = mquic_event_text(event);

	if (client->state == CLIENT_OVER)
		return;
	if (client->state == CLIENT_CLOSING && mquic_event_status(event) == MQUIC_OK) {
		finish(client, client->result);
		return;
	}
	if (client->state != CLIENT_CLOSING && is_worth_another_try(client, event)) {
		wait_before_next(client, text);
		return;
	}
	if (client->state == CLIENT_CONNECTING && mquic_event_origin(event) == MQUIC_ORIGIN_MQTT)
		say_debug("Client %s received CONNACK (%d)", client_name(client),
			  exit_code(client, event));
	say_error("%s", text);
	finish(client, exit_code(client, event));
}

/* Nobody here knows what a method wants to hear (MQTT 5.0 section 4.12). */
static void refuse_step(struct client *client)
{
	say_error("The broker asks for a further step of authentication, which -D cannot give.");
	finish(client, 1);
}

struct mquic_event *client_next_event(struct client *client)
{
	struct mquic_event *event = mquic_endpoint_next_event(client->endpoint);

	if (event && mquic_event_type(event) == MQUIC_EVENT_CONNECTED)
		connected(client);
	else if (event && mquic_event_type(event) == MQUIC_EVENT_DISCONNECTED)
		disconnected(client, event);
	else if (event && mquic_event_type(event) == MQUIC_EVENT_AUTH)
		refuse_step(client);
	return event;
}

void client_close(struct client *client, int result)
{
	if (client->state != CLIENT_CONNECTED && client->state != CLIENT_CLOSING) {
		finish(client, result);
		return;
	}
	client->result = result;
	client->deadline_ms = client_interrupted() ? clock_ms() + PATIENCE_MS : CLIENT_NO_DEADLINE;
	if (client->state == CLIENT_CLOSING)
		return;
	say_debug("Client %s sending DISCONNECT", client_name(client));
	client->state = CLIENT_CLOSING;
	if (mquic_session_disconnect(client->session, 0) != MQUIC_OK)
		finish(client, result);
}

void client_give_up(struct client *client)
{
	client_close(client, 1);
	if (client->state == CLIENT_CLOSING)
		client->deadline_ms = clock_ms() + PATIENCE_MS;
}

/* ---- waiting ------------------------------------------------------------- */

static void deadline_passed(struct client *client)
{
	if (client->state == CLIENT_CLOSING) {
		say_error("The broker did not answer the goodbye.");
		finish(client, 1);
	} else if (!start(client)) {
		wait_before_next(client, mquic_session_error(client->session));
	}
}

static bool has_deadline(const struct client *client)
{
	return client->state == CLIENT_WAITING || client->state == CLIENT_CLOSING;
}

static void check_deadline(struct client *client)
{
	if (client->state == CLIENT_CLOSING && signals_count() > 0 &&
	    client->deadline_ms == CLIENT_NO_DEADLINE)
		client->deadline_ms = clock_ms() + PATIENCE_MS;
	if (client->state == CLIENT_CLOSING && signals_count() > 1)
		finish(client, 1);
	else if (has_deadline(client) && clock_ms() >= client->deadline_ms)
		deadline_passed(client);
}

static int poll_timeout(const struct client *client, uint64_t deadline_ms)
{
	uint64_t now_ms = clock_ms();

	if (has_deadline(client) && client->deadline_ms < deadline_ms)
		deadline_ms = client->deadline_ms;
	if (deadline_ms == CLIENT_NO_DEADLINE)
		return -1;
	if (deadline_ms <= now_ms)
		return 0;
	return deadline_ms - now_ms < 3600000 ? (int)(deadline_ms - now_ms) : 3600000;
}

bool client_wait(struct client *client, int fd, uint64_t deadline_ms)
{
	struct pollfd fds[] = {
		{.fd = mquic_endpoint_get_fd(client->endpoint), .events = POLLIN},
		{.fd = fd, .events = POLLIN}, /* poll() skips a negative one */
	};

	if (poll(fds, 2, poll_timeout(client, deadline_ms)) < 0)
		return false; /* a signal; the caller looks again */
	if (fds[0].revents && mquic_endpoint_process(client->endpoint) != MQUIC_OK) {
		say_error("%s", mquic_endpoint_error(client->endpoint));
		finish(client, 1);
	}
	check_deadline(client);
	return fds[1].revents != 0;
}
