/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include "quic/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"

/* In simulated time, which is cheap while nothing happens. */
#define PATIENCE_S 100000

#define DELAY (5 * SIM_MS)

static struct hostile_identity server_identity;
static struct hostile_identity client_identity;

static void must(enum mquic_status status)
{
	if (status == MQUIC_OK)
		return;
	(void)fprintf(stderr, "scene: status %d\n", status);
	abort();
}

static void forget_identities(void)
{
	hostile_identity_free(&server_identity);
	hostile_identity_free(&client_identity);
}

static void make_identities(void)
{
	if (server_identity.credentials != NULL)
		return;
	hostile_identity_make(&server_identity, identity_certificate(), identity_key());
	hostile_identity_make(&client_identity, NULL, NULL);
	(void)atexit(forget_identities);
}

/* ---- The endpoint's application -------------------------------------------------------- */

static void echo(struct mquic_stream *stream)
{
	const uint8_t *data;
	size_t len;
	size_t sent;

	while (mquic_stream_peek(stream, &data, &len) == MQUIC_OK && len > 0) {
		(void)mquic_stream_send(stream, data, len, &sent);
		(void)mquic_stream_consume(stream, len);
	}
}

static void accept_all(struct scene *scene)
{
	struct mquic_connection *connection;

	while (mquic_endpoint_accept(scene->host->endpoint, &connection) == MQUIC_OK) {
		scene->accepted++;
		scene->connection = connection;
	}
}

/* Those of which the end is not told, because the connection is freed before. */
static void free_streams(struct scene *scene, struct mquic_connection *connection)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &connection->streams.all) {
		struct mquic_stream *stream = list_entry(node, struct mquic_stream, link);

		if (stream == scene->stream)
			scene->stream = NULL;
		if (stream->owned)
			mquic_stream_free(stream);
	}
}

static void ended(struct scene *scene, const struct mquic_event *event)
{
	struct mquic_connection *connection = mquic_event_connection(event);

	if (scene->end.told++ == 0) {
		scene->end.status = mquic_event_status(event);
		scene->end.code = mquic_event_code(event);
		(void)snprintf(scene->end.text, sizeof(scene->end.text), "%s",
			       mquic_event_text(event));
	}
	if (connection == scene->connection)
		scene->connection = NULL;
	free_streams(scene, connection);
	mquic_connection_free(connection);
}

static void stream_closed(struct scene *scene, struct mquic_stream *stream)
{
	if (stream == scene->stream)
		scene->stream = NULL;
	mquic_stream_free(stream);
}

static void on_event(struct sim_host *host, struct mquic_event *event)
{
	struct scene *scene = host->user;
	struct mquic_stream *stream;

	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_ACCEPTABLE:
		accept_all(scene);
		break;
	case MQUIC_EVENT_CONNECTION_READY:
		scene->ready++;
		break;
	case MQUIC_EVENT_STREAM_ACCEPTABLE:
		while (mquic_connection_accept_stream(mquic_event_connection(event), &stream) ==
		       MQUIC_OK)
			;
		break;
	case MQUIC_EVENT_STREAM_READABLE:
		if (!scene->lazy)
			echo(mquic_event_stream(event));
		break;
	case MQUIC_EVENT_STREAM_CLOSED:
		stream_closed(scene, mquic_event_stream(event));
		break;
	case MQUIC_EVENT_CONNECTION_CLOSED:
		ended(scene, event);
		break;
	default:
		break;
	}
}

/* ---- Life -------------------------------------------------------------------------------- */

void scene_open(struct scene *scene, bool attacks_server, uint64_t seed)
{
	struct address server = sim_address(1, SCENE_PORT);

	make_identities();
	memset(scene, 0, sizeof(*scene));
	scene->attacks_server = attacks_server;
	scene->sim = sim_new(seed);
	scene->host = sim_host_new(scene->sim, attacks_server ? 1 : 2);
	scene->host->on_event = on_event;
	scene->host->user = scene;
	scene->host->up.delay_ns = DELAY;
	scene->host->down.delay_ns = DELAY;
	must(mquic_settings_new(&scene->settings));
	if (attacks_server) {
		scene->peer = hostile_client_new(scene->sim, &client_identity, 9, 999, &server);
		must(mquic_settings_set_certificate(scene->settings, identity_certificate(),
						    identity_key()));
		return;
	}
	scene->peer = hostile_server_new(scene->sim, &server_identity, 1, SCENE_PORT);
	must(mquic_settings_set_insecure(scene->settings, true));
	must(mquic_settings_set_server_name(scene->settings, "broker.example"));
}

void scene_begin(struct scene *scene)
{
	if (scene->attacks_server) {
		must(sim_listen(scene->host, scene->settings, SCENE_PORT));
		hostile_start(scene->peer);
		return;
	}
	must(mquic_connection_dial(&scene->connection, scene->host->endpoint, scene->settings,
				   "10.0.0.1", SCENE_PORT));
	sim_settle(scene->sim);
}

static bool is_connected(void *argument)
{
	const struct scene *scene = argument;

	return scene->peer->complete && (scene->ready > 0 || scene->accepted > 0);
}

void scene_connect(struct scene *scene)
{
	scene_begin(scene);
	if (!sim_until(scene->sim, is_connected, scene, 10 * SIM_SECOND)) {
		(void)fprintf(stderr, "scene: not connected: %s, peer: %s, close 0x%llx\n",
			      scene->end.text, gnutls_strerror(scene->peer->tls_error),
			      (unsigned long long)scene->peer->close_code);
		abort();
	}
	sim_run(scene->sim, SIM_SECOND);
}

static bool is_closed(void *argument)
{
	return ((const struct scene *)argument)->peer->closed;
}

bool scene_until_closed(struct scene *scene)
{
	return sim_until(scene->sim, is_closed, scene, 60 * SIM_SECOND);
}

void scene_speak(struct scene *scene, size_t len)
{
	uint8_t bytes[4096] = {0};
	size_t sent;

	if (scene->connection == NULL)
		return;
	if (scene->stream == NULL &&
	    mquic_stream_open(&scene->stream, scene->connection) != MQUIC_OK)
		return;
	(void)mquic_stream_send(scene->stream, bytes, len < sizeof(bytes) ? len : sizeof(bytes),
				&sent);
}

static bool has_forgotten(const struct quic_host *quic)
{
	return list_is_empty(&quic->connections) && quic->places.connections == 0 &&
	       quic->places.handshakes == 0 && quic->routes.count == 0 &&
	       quic->places.addresses.count == 0 && quic->closing_count == 0;
}

bool scene_close(struct scene *scene)
{
	const struct quic_host *quic = scene->host->quic;
	unsigned int i;
	bool clean;

	scene->peer->mute = true;
	/*
	 * A connection may last three probe timeouts in silence, and what remains of it as long
	 * again (RFC 9000 sections 10.1 and 10.2); a peer that answers late makes them as long as
	 * it likes.
	 */
	for (i = 0; i < PATIENCE_S && !has_forgotten(quic); i += 100)
		sim_run(scene->sim, 100 * SIM_SECOND);
	clean = has_forgotten(quic);
	mquic_stream_free(scene->stream);
	mquic_connection_free(scene->connection);
	hostile_free(scene->peer);
	sim_free(scene->sim);
	mquic_settings_free(scene->settings);
	return clean;
}
