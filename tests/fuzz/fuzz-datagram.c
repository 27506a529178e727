/* SPDX-License-Identifier: MIT */
/*
 * Datagrams of every sort at a server: what nobody sent, what a client of ours sent but changed,
 * and what looks like a late packet. One server on a simulated network, new for each input; its
 * application accepts connections and streams, and echoes.
 *
 * An input is a list of steps:
 *     0 LEN BYTES PAD       a datagram as it is, or padded to 1300 bytes; 6 is the same
 *     1 OFFSET BYTE ...     the real Initial of a client, OFFSET (16 bits) changed; up to 3 pairs
 *     2 LEN BYTES           a short header with an identifier of a connection, then the bytes
 *     3 VERSION             the real Initial with another version (32 bits)
 *     4 TIME                time passes, in 10 ms
 *     5 -                   a real client connects, opens a stream and says something
 *     7 OFFSET BYTE         one of the client's next packets is changed
 */
#include "fuzz.h"

#include <string.h>

#include "identity.h"
#include "quic/token.h"
#include "sim.h"

#define PORT      4433
#define STEPS_MAX 64

struct input {
	const uint8_t *data;
	size_t left;
};

/* How the next packet of the client is spoilt. */
struct damage {
	bool due;
	uint16_t offset;
	uint8_t value;
};

struct world {
	struct sim *sim;
	struct sim_host *server;
	struct sim_host *client;
	struct mquic_connection *dialed;
	struct mquic_stream *stream;
	struct damage damage;
};

static struct mquic_settings *client_settings;
static struct mquic_settings *server_settings;
static uint8_t initial[1500];
static size_t initial_len;

/* ---- Once -------------------------------------------------------------------------- */

static void capture(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	(void)user;
	(void)from;
	if (initial_len > 0)
		return;
	MUST(datagram->len <= sizeof(initial));
	memcpy(initial, datagram->data, datagram->len);
	initial_len = datagram->len;
}

/* The first packet of a client, from a network without server. */
static void capture_initial(void)
{
	struct sim *sim = sim_new(1);
	struct sim_host *host = sim_host_new(sim, 2);
	struct mquic_connection *connection;

	sim_set_tap(sim, capture, NULL);
	MUST(mquic_connection_dial(&connection, host->endpoint, client_settings, "10.0.0.1",
				   PORT) == MQUIC_OK);
	sim_settle(sim);
	MUST(initial_len >= 1200);
	mquic_connection_free(connection);
	sim_free(sim);
}

static void tidy_up(void)
{
	mquic_settings_free(client_settings);
	mquic_settings_free(server_settings);
}

static void prepare(void)
{
	MUST(mquic_settings_new(&client_settings) == MQUIC_OK);
	MUST(mquic_settings_new(&server_settings) == MQUIC_OK);
	MUST(mquic_settings_set_insecure(client_settings, true) == MQUIC_OK);
	MUST(mquic_settings_set_certificate(server_settings, identity_certificate(),
					    identity_key()) == MQUIC_OK);
	MUST(mquic_settings_set_max_handshakes(server_settings, 16) == MQUIC_OK);
	MUST(mquic_settings_set_max_streams(server_settings, 4) == MQUIC_OK);
	MUST(atexit(tidy_up) == 0);
	capture_initial();
}

/* ---- The server's application -------------------------------------------------------- */

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

static void on_event(struct sim_host *host, struct mquic_event *event)
{
	struct mquic_connection *connection = mquic_event_connection(event);
	struct mquic_stream *stream;

	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_ACCEPTABLE:
		while (mquic_endpoint_accept(host->endpoint, &connection) == MQUIC_OK)
			;
		break;
	case MQUIC_EVENT_STREAM_ACCEPTABLE:
		while (mquic_connection_accept_stream(connection, &stream) == MQUIC_OK)
			;
		break;
	case MQUIC_EVENT_STREAM_READABLE:
		echo(mquic_event_stream(event));
		break;
	case MQUIC_EVENT_STREAM_CLOSED:
		mquic_stream_free(mquic_event_stream(event));
		break;
	case MQUIC_EVENT_CONNECTION_CLOSED:
		mquic_connection_free(connection);
		break;
	default:
		break;
	}
}

/* ---- Steps ---------------------------------------------------------------------------- */

static uint8_t take(struct input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->data++;
}

static uint16_t take_pair(struct input *input)
{
	uint8_t high = take(input);

	return (uint16_t)(high << 8 | take(input));
}

static size_t take_bytes(struct input *input, uint8_t *bytes, size_t size)
{
	size_t len = take(input);

	if (len > input->left)
		len = input->left;
	if (len > size)
		len = size;
	memcpy(bytes, input->data, len);
	input->data += len;
	input->left -= len;
	return len;
}

static void inject(struct world *world, const uint8_t *data, size_t len)
{
	struct address from = sim_address(9, 999);
	struct address to = sim_address(1, PORT);

	sim_inject(world->sim, &from, &to, data, len);
	sim_settle(world->sim);
}

static void send_changed_initial(struct world *world, struct input *input)
{
	uint8_t packet[sizeof(initial)];
	int changes;

	memcpy(packet, initial, initial_len);
	for (changes = 1 + take(input) % 3; changes > 0; changes--) {
		uint16_t offset = take_pair(input);

		packet[offset % initial_len] = take(input);
	}
	inject(world, packet, initial_len);
}

/* A padded datagram, so that also what must be large is looked at. */
static void send_raw(struct world *world, struct input *input)
{
	uint8_t packet[1300] = {0};
	size_t len = take_bytes(input, packet, sizeof(packet));

	inject(world, packet, take(input) % 2 == 0 ? len : sizeof(packet));
}

static const uint8_t *some_identifier(const struct world *world)
{
	const struct list *connections = &world->server->quic->connections;
	const struct mquic_connection *connection;

	if (list_is_empty(connections))
		return NULL;
	connection = list_entry(connections->next, struct mquic_connection, link);
	if (list_is_empty(&connection->target.routes))
		return NULL;
	return list_entry(connection->target.routes.next, struct quic_route, link)->entry.key;
}

static void send_short(struct world *world, struct input *input)
{
	uint8_t packet[300] = {0x40};
	const uint8_t *identifier = some_identifier(world);

	if (identifier != NULL)
		memcpy(packet + 1, identifier, QUIC_CID_LEN);
	inject(world, packet, 1 + QUIC_CID_LEN + take_bytes(input, packet + 1 + QUIC_CID_LEN, 255));
}

static void send_version(struct world *world, struct input *input)
{
	uint8_t packet[sizeof(initial)];
	size_t i;

	memcpy(packet, initial, initial_len);
	for (i = 1; i <= 4; i++)
		packet[i] = take(input);
	inject(world, packet, initial_len);
}

/* What the client hands to its line may be changed on the way. */
static void spoil(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct world *world = user;

	if (from != world->client || !world->damage.due || datagram->len == 0)
		return;
	world->damage.due = false;
	((uint8_t *)(uintptr_t)datagram->data)[world->damage.offset % datagram->len] =
		world->damage.value;
}

static void say_something(struct world *world)
{
	uint8_t bytes[3000] = {0};
	size_t sent;

	if (world->dialed == NULL)
		MUST(mquic_connection_dial(&world->dialed, world->client->endpoint, client_settings,
					   "10.0.0.1", PORT) == MQUIC_OK);
	if (world->stream == NULL)
		(void)mquic_stream_open(&world->stream, world->dialed);
	(void)mquic_stream_send(world->stream, bytes, sizeof(bytes), &sent);
	sim_run(world->sim, 100 * SIM_MS);
}

static void step(struct world *world, struct input *input)
{
	switch (take(input) % 8) {
	case 0:
	case 6:
		send_raw(world, input);
		break;
	case 1:
		send_changed_initial(world, input);
		break;
	case 2:
		send_short(world, input);
		break;
	case 3:
		send_version(world, input);
		break;
	case 4:
		sim_run(world->sim, take(input) * 10 * SIM_MS);
		break;
	case 5:
		say_something(world);
		break;
	default:
		world->damage.due = true;
		world->damage.offset = take_pair(input);
		world->damage.value = take(input);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct world world = {0};
	const struct quic_host *quic;
	int steps;

	if (initial_len == 0)
		prepare();
	world.sim = sim_new(1);
	world.server = sim_host_new(world.sim, 1);
	world.client = sim_host_new(world.sim, 2);
	world.server->on_event = on_event;
	sim_set_tap(world.sim, spoil, &world);
	MUST(sim_listen(world.server, server_settings, PORT) == MQUIC_OK);
	for (steps = 0; steps < STEPS_MAX && input.left > 0; steps++)
		step(&world, &input);
	mquic_stream_free(world.stream);
	mquic_connection_free(world.dialed);
	/* Whatever came: in the end the server has forgotten it all. */
	sim_run(world.sim, 120 * SIM_SECOND);
	quic = world.server->quic;
	MUST(list_is_empty(&quic->connections));
	MUST(quic->places.connections == 0 && quic->places.handshakes == 0);
	MUST(quic->routes.count == 0 && quic->places.addresses.count == 0);
	sim_free(world.sim);
	return 0;
}
