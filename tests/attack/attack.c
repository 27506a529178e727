/* SPDX-License-Identifier: MIT */
/*
 * attack list: one line for each attack. attack NAME PORT RATE here|aside: attacks 127.0.0.1:PORT
 * with at most RATE packets or other acts a second (0: as many as can be), and no more than the
 * attack itself wants; or sends the same to a socket nobody reads, for what the attacker alone costs
 * the machine. Prints "ready", waits for a line on standard input, attacks until the next one,
 * prints one line of JSON.
 */
#include "attacks.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_MS 3000
/* Acts between looks at what has come. */
#define ACTS_PER_LOOK 16

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

_Noreturn static void fail(const char *what, const char *why)
{
	fprintf(stderr, "attack: %s: %s\n", what, why);
	exit(2);
}

static bool told(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char byte = '\0';

	while (byte != '\n' && poll(&input, 1, 0) > 0)
		if (read(STDIN_FILENO, &byte, 1) <= 0)
			return true;
	return byte == '\n';
}

/* ---- Clients ------------------------------------------------------------------------------ */

struct hostile *crowd_peer(struct crowd *crowd)
{
	wire_source(crowd->attack->many_addresses ? ++crowd->sources : 0);
	return hostile_client_new(NULL, &crowd->identity, 0, 0, &crowd->target);
}

static bool is_connected(const struct hostile *peer)
{
	return peer->complete && peer->handshake_dones > 0;
}

/* Reads until `done`, and says what is lost again. */
static bool wait_for(struct hostile *peer, bool (*done)(const struct hostile *peer))
{
	uint64_t until = now_ns() + (uint64_t)CONNECT_MS * 1000000;

	while (!done(peer) && !peer->closed && now_ns() < until) {
		unsigned int before = peer->datagrams;

		wire_wait(peer, 300);
		wire_read(peer);
		if (peer->datagrams != before || peer->complete)
			continue;
		hostile_resend(peer, HOSTILE_INITIAL);
	}
	return done(peer) && !peer->closed;
}

static bool has_heard(const struct hostile *peer)
{
	return peer->stream_bytes >= 4; /* CONNACK */
}

static bool log_in(struct client *client)
{
	static unsigned int number;
	uint8_t connect[] = {0x10, 22, 0,   4,   'M', 'Q', 'T', 'T', 4,   2,   0,   0,
			     0,    10, 'b', 'a', 'd', '-', '0', '0', '0', '0', '0', '0'};
	struct octets frames = {.len = 0};
	char id[8];

	snprintf(id, sizeof(id), "%06u", number++ % 1000000);
	memcpy(connect + sizeof(connect) - 6, id, 6);
	frame_stream(&frames, 0, 0, connect, sizeof(connect), false);
	client->streams = sizeof(connect);
	hostile_say(client->peer, &frames);
	return wait_for(client->peer, has_heard);
}

static bool come(struct crowd *crowd, struct client *client)
{
	bool good;

	memset(client, 0, sizeof(*client));
	if (crowd->attack->reach == REACH_NOTHING)
		return true;
	client->peer = crowd_peer(crowd);
	hostile_start(client->peer);
	good = wait_for(client->peer, is_connected) &&
	       (crowd->attack->reach == REACH_HANDSHAKE || log_in(client));
	if (crowd->attack->act == NULL)
		client->streams = 1;
	if (good)
		return true;
	crowd->refused++;
	wire_close(client->peer);
	client->peer = NULL;
	return false;
}

/* ---- The attack --------------------------------------------------------------------------- */

/* False: it is not there. */
static bool look(struct crowd *crowd, struct client *client)
{
	if (crowd->attack->reach == REACH_NOTHING)
		return true;
	if (client->peer == NULL)
		return come(crowd, client);
	wire_read(client->peer);
	if (!client->peer->closed)
		return true;
	crowd->ended++;
	crowd->last_code = client->peer->close_code;
	wire_close(client->peer);
	client->peer = NULL;
	return false;
}

static void act(struct crowd *crowd, struct client *client)
{
	struct octets frames;

	if (crowd->attack->act != NULL) {
		crowd->attack->act(crowd, client);
		return;
	}
	frames.len = 0;
	crowd->attack->fill(client, &frames);
	hostile_say(client->peer, &frames);
}

static void pause_until(uint64_t due)
{
	struct timespec at = {(time_t)(due / 1000000000), (long)(due % 1000000000)};

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void attack(struct crowd *crowd, uint64_t rate)
{
	uint64_t began = now_ns();
	uint64_t acts = 0;

	while (acts % ACTS_PER_LOOK != 0 || !told()) {
		struct client *client = &crowd->clients[acts % crowd->count];
		bool there = true;

		if (crowd->count > 1 || acts % ACTS_PER_LOOK == 0)
			there = look(crowd, client);
		if (there && (client->peer != NULL || crowd->attack->reach == REACH_NOTHING))
			act(crowd, client);
		acts++;
		if (rate > 0 && began + acts * 1000000000 / rate > now_ns() + 1000000)
			pause_until(began + acts * 1000000000 / rate);
	}
	printf("{\"seconds\": %.3f, \"acts\": %" PRIu64 ", \"datagrams\": %" PRIu64
	       ", \"ended\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"last_code\": %" PRIu64 "}\n",
	       (double)(now_ns() - began) / 1e9, acts, wire_tally.datagrams, crowd->ended,
	       crowd->refused, crowd->last_code);
	fflush(stdout);
}

static void gather(struct crowd *crowd)
{
	unsigned int i;

	crowd->count = crowd->attack->clients;
	crowd->clients = calloc(crowd->count, sizeof(*crowd->clients));
	if (crowd->clients == NULL)
		fail("the clients", "out of memory");
	for (i = 0; i < crowd->count; i++)
		if (!come(crowd, &crowd->clients[i]))
			fail("a client", "the server does not let it in");
}

static void dismiss(struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < crowd->count; i++)
		if (crowd->clients[i].peer != NULL)
			wire_close(crowd->clients[i].peer);
	free(crowd->clients);
	hostile_identity_free(&crowd->identity);
}

int main(int argc, char **argv)
{
	struct crowd crowd = {0};
	uint64_t rate;

	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		attack_print_all();
		return EXIT_SUCCESS;
	}
	crowd.attack = argc == 5 ? attack_find(argv[1]) : NULL;
	if (crowd.attack == NULL)
		fail("usage", "list | NAME PORT RATE here|aside");
	rate = strtoull(argv[3], NULL, 10);
	(void)prctl(PR_SET_TIMERSLACK, 1);
	crowd.target.len = sizeof(crowd.target.of.in);
	crowd.target.of.in.sin_family = AF_INET;
	crowd.target.of.in.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	crowd.target.of.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	hostile_identity_make(&crowd.identity, NULL, NULL);
	gather(&crowd);
	puts("ready");
	fflush(stdout);
	while (!told())
		pause_until(now_ns() + 10000000);
	wire_divert(strcmp(argv[4], "aside") == 0);
	wire_tally = (struct tally){0};
	if (rate == 0 || (crowd.attack->rate > 0 && crowd.attack->rate < rate))
		rate = crowd.attack->rate;
	attack(&crowd, rate);
	dismiss(&crowd);
	return EXIT_SUCCESS;
}
