/* SPDX-License-Identifier: MIT */
#include "sim.h"

#include "names.h"

#include "quic/demux.h"
#include "quic/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* More rounds than this at one instant, and an endpoint spins. */
#define ROUNDS_MAX 10000

struct sim_wire {
	struct wire wire;
	struct list link; /* host->wires */
	struct sim_host *host;
	struct address outside;
	bool stranded; /* its address is not the host's any more */
};

struct sim_packet {
	uint64_t at_ns;
	uint64_t number; /* of two at the same time the older goes first */
	bool passed_middle;
	uint8_t ecn;
	struct address from;
	struct address to;
	size_t len;
	uint8_t *data; /* exactly as large, so that reading beyond is noticed */
};

struct sim {
	uint64_t now_ns;
	uint64_t state; /* of the generator */
	struct list hosts;
	struct sim_packet **air; /* a heap, the earliest first */
	size_t air_count;
	size_t air_size;
	uint64_t air_number;
	sim_tap tap;
	void *tap_user;
};

static uint64_t system_state = 1;
static volatile bool allocating; /* the compiler knows calloc, and that it does not look */

bool sim_is_allocating(void)
{
	return allocating;
}

/* SplitMix64 (Steele, Lea and Flood). */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

/* In place of the system's: what the library and GnuTLS draw follows from the seed. */
ssize_t getrandom(void *buffer, size_t len, unsigned int flags)
{
	uint8_t *bytes = buffer;
	size_t i;

	(void)flags;
	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(next_random(&system_state) >> 24);
	return (ssize_t)len;
}

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "sim: %s\n", what);
	abort();
}

static void *allocate(size_t size)
{
	void *made;

	allocating = true;
	made = calloc(1, size);
	allocating = false;
	if (made == NULL)
		die("out of memory");
	return made;
}

uint64_t sim_now(const struct sim *sim)
{
	return sim->now_ns;
}

uint64_t sim_random(struct sim *sim)
{
	return next_random(&sim->state);
}

uint64_t sim_below(struct sim *sim, uint64_t bound)
{
	return bound == 0 ? 0 : sim_random(sim) % bound;
}

static bool chance(struct sim *sim, unsigned int per_thousand)
{
	return per_thousand > 0 && sim_below(sim, 1000) < per_thousand;
}

/* ---- What is in the air --------------------------------------------------- */

static bool earlier(const struct sim_packet *a, const struct sim_packet *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->number < b->number;
}

static void swap(struct sim *sim, size_t a, size_t b)
{
	struct sim_packet *packet = sim->air[a];

	sim->air[a] = sim->air[b];
	sim->air[b] = packet;
}

static void air_put(struct sim *sim, struct sim_packet *packet)
{
	size_t i = sim->air_count++;

	if (i == sim->air_size) {
		sim->air_size = sim->air_size == 0 ? 256 : sim->air_size * 2;
		allocating = true;
		sim->air = realloc(sim->air, sim->air_size * sizeof(struct sim_packet *));
		allocating = false;
		if (sim->air == NULL)
			die("out of memory");
	}
	packet->number = sim->air_number++;
	sim->air[i] = packet;
	for (; i > 0 && earlier(sim->air[i], sim->air[(i - 1) / 2]); i = (i - 1) / 2)
		swap(sim, i, (i - 1) / 2);
}

static struct sim_packet *air_take(struct sim *sim)
{
	struct sim_packet *first = sim->air[0];
	size_t i = 0;

	sim->air[0] = sim->air[--sim->air_count];
	for (;;) {
		size_t least = i;
		size_t child;

		for (child = 2 * i + 1; child <= 2 * i + 2; child++)
			if (child < sim->air_count && earlier(sim->air[child], sim->air[least]))
				least = child;
		if (least == i)
			return first;
		swap(sim, i, least);
		i = least;
	}
}

static void packet_free(struct sim_packet *packet)
{
	free(packet->data);
	free(packet);
}

static struct sim_packet *packet_copy(const struct sim_packet *from)
{
	struct sim_packet *packet = allocate(sizeof(*packet));

	*packet = *from;
	packet->data = allocate(from->len == 0 ? 1 : from->len);
	if (from->len > 0)
		memcpy(packet->data, from->data, from->len);
	return packet;
}

/* ---- Lines ------------------------------------------------------------------ */

/* Whether the line has a place for the packet; sets when it will have left. */
static bool transmit(struct sim *sim, struct sim_link *line, size_t len, uint64_t *left_ns)
{
	*left_ns = sim->now_ns;
	if (line->rate == 0)
		return true;
	if (line->free_at_ns < sim->now_ns)
		line->free_at_ns = sim->now_ns;
	if (line->queue > 0 &&
	    (line->free_at_ns - sim->now_ns) * line->rate / SIM_SECOND + len > line->queue)
		return false;
	line->free_at_ns += len * SIM_SECOND / line->rate;
	*left_ns = line->free_at_ns;
	return true;
}

static void fly(struct sim *sim, const struct sim_link *line, struct sim_packet *packet,
		uint64_t left_ns)
{
	packet->at_ns = left_ns + line->delay_ns;
	if (line->jitter_ns > 0)
		packet->at_ns += sim_below(sim, line->jitter_ns + 1);
	air_put(sim, packet);
}

/* Takes the packet over a line; it is the line's from here on. */
static void pass(struct sim *sim, struct sim_link *line, struct sim_packet *packet)
{
	uint64_t left_ns;

	line->packets++;
	line->bytes += packet->len;
	if ((line->mtu > 0 && packet->len > line->mtu) || chance(sim, line->loss) ||
	    !transmit(sim, line, packet->len, &left_ns)) {
		line->lost++;
		packet_free(packet);
		return;
	}
	if (line->bleach)
		packet->ecn = 0;
	if (packet->ecn != 0 && chance(sim, line->mark)) {
		packet->ecn = 3;
		line->marked++;
	}
	if (chance(sim, line->duplicate))
		fly(sim, line, packet_copy(packet), left_ns);
	fly(sim, line, packet, left_ns);
}

/* ---- Hosts and wires -------------------------------------------------------- */

struct address sim_address(unsigned int number, uint16_t port)
{
	struct address address = {.len = sizeof(struct sockaddr_in)};

	address.of.in.sin_family = AF_INET;
	address.of.in.sin_addr.s_addr = htonl(0x0a000000U + number);
	address.of.in.sin_port = htons(port);
	return address;
}

struct address sim_seen_from_outside(const struct sim_host *host)
{
	return list_entry(host->wires.next, struct sim_wire, link)->outside;
}

static struct sim_wire *wire_at(struct sim *sim, const struct address *address)
{
	struct list *host;
	struct list *wire;

	for (host = sim->hosts.next; host != &sim->hosts; host = host->next) {
		struct list *wires = &list_entry(host, struct sim_host, link)->wires;

		for (wire = wires->next; wire != wires; wire = wire->next) {
			struct sim_wire *found = list_entry(wire, struct sim_wire, link);

			if (address_equal(&found->outside, address))
				return found;
		}
	}
	return NULL;
}

static int wire_send(struct wire *wire, const struct datagram *datagram)
{
	struct sim_wire *from = list_entry(wire, struct sim_wire, wire);
	struct sim_host *host = from->host;
	size_t offset;
	int told = 0;

	if (host->send_error != 0)
		return host->send_error;
	if (from->stranded)
		return EADDRNOTAVAIL;
	for (offset = 0; offset < datagram->len; offset += datagram->segment) {
		struct datagram each = *datagram;
		struct sim_packet packet = {.ecn = datagram->ecn, .from = from->outside};

		each.data += offset;
		each.len = datagram->len - offset;
		if (each.len > datagram->segment)
			each.len = datagram->segment;
		packet.to = datagram->remote;
		packet.len = each.len;
		packet.data = (uint8_t *)(uintptr_t)each.data;
		if (host->up.tells && each.len > host->up.mtu) {
			told = EMSGSIZE;
			continue;
		}
		if (host->sim->tap != NULL)
			host->sim->tap(host->sim->tap_user, host, &each);
		pass(host->sim, &host->up, packet_copy(&packet));
	}
	return told;
}

static size_t wire_largest(const struct wire *wire)
{
	const struct sim_link *line = &list_entry(wire, const struct sim_wire, wire)->host->up;

	return line->tells ? line->mtu : line->known;
}

static bool wire_is_usable(const struct wire *wire)
{
	return !list_entry(wire, const struct sim_wire, wire)->stranded;
}

static void wire_free(struct wire *wire)
{
	struct sim_wire *gone = list_entry(wire, struct sim_wire, wire);

	list_remove(&gone->link);
	free(gone);
}

static struct wire *wire_new(struct sim_host *host, uint16_t port)
{
	struct sim_wire *wire = allocate(sizeof(*wire));

	wire->wire.send = wire_send;
	wire->wire.is_usable = wire_is_usable;
	wire->wire.largest = wire_largest;
	wire->wire.free = wire_free;
	wire->wire.local = sim_address(host->number, port);
	wire->outside = wire->wire.local;
	wire->host = host;
	list_append(&host->wires, &wire->link);
	return &wire->wire;
}

static uint64_t read_clock(void *argument)
{
	const struct sim_host *host = argument;

	return host->clock != NULL ? host->clock(host->sim) : host->sim->now_ns;
}

static enum mquic_status open_wire(struct quic_host *quic, struct wire **wire,
				   const struct address *local, const struct address *remote)
{
	struct sim_host *host = quic->open_argument;

	(void)local;
	(void)remote;
	if (host->open_error != 0)
		return error_set_system(endpoint_error(quic->endpoint), host->open_error,
					"opening a wire");
	*wire = wire_new(host, host->next_port++);
	return MQUIC_OK;
}

static void make_endpoint(struct sim_host *host)
{
	if (mquic_endpoint_new(&host->endpoint) != MQUIC_OK)
		die("no endpoint can be made");
	endpoint_set_clock(host->endpoint, read_clock, host);
	host->quic = host_get(host->endpoint);
	if (host->quic == NULL)
		die("no half of QUIC can be made");
	host->quic->open_wire = open_wire;
	host->quic->open_argument = host;
	names_attach(host->endpoint, &host->sim->now_ns);
}

static struct sim_host *add_host(struct sim *sim, unsigned int number)
{
	struct sim_host *host = allocate(sizeof(*host));

	host->sim = sim;
	host->number = number;
	host->next_port = 40000;
	list_init(&host->wires);
	list_append(&sim->hosts, &host->link);
	return host;
}

struct sim_host *sim_host_new(struct sim *sim, unsigned int number)
{
	struct sim_host *host = add_host(sim, number);

	make_endpoint(host);
	return host;
}

struct sim_host *sim_probe_new(struct sim *sim, unsigned int number, uint16_t port)
{
	struct sim_host *host = add_host(sim, number);

	(void)wire_new(host, port);
	return host;
}

static void free_host(struct sim_host *host)
{
	struct list *node;

	names_detach(host->endpoint);
	mquic_endpoint_free(host->endpoint);
	while ((node = list_take_first(&host->wires)) != NULL)
		free(list_entry(node, struct sim_wire, link)); /* a probe's */
	list_remove(&host->link);
	free(host);
}

void sim_restart(struct sim_host *host)
{
	host->send_error = ENETDOWN;
	names_detach(host->endpoint);
	mquic_endpoint_free(host->endpoint);
	host->send_error = 0;
	make_endpoint(host);
}

enum mquic_status sim_listen(struct sim_host *host, const struct mquic_settings *settings,
			     uint16_t port)
{
	struct wire *wire = wire_new(host, port);
	enum mquic_status status = listener_add(host->quic, settings, wire);

	if (status != MQUIC_OK)
		wire->free(wire);
	return status;
}

void sim_rebind(struct sim_host *host)
{
	struct list *node;

	for (node = host->wires.next; node != &host->wires; node = node->next) {
		struct sim_wire *wire = list_entry(node, struct sim_wire, link);

		wire->outside.of.in.sin_addr.s_addr = htonl(0xc0000200U + host->number);
		wire->outside.of.in.sin_port = htons(host->next_port++);
	}
}

void sim_move(struct sim_host *host, unsigned int number, bool old_stays)
{
	struct list *node;

	host->number = number;
	for (node = host->wires.next; node != &host->wires && !old_stays; node = node->next) {
		struct sim_wire *wire = list_entry(node, struct sim_wire, link);

		wire->stranded = true;
		wire->outside = sim_address(255, 0); /* nobody's */
	}
}

/* ---- Life --------------------------------------------------------------------- */

struct sim *sim_new(uint64_t seed)
{
	struct sim *sim = allocate(sizeof(*sim));

	sim->now_ns = 1000 * SIM_SECOND;
	sim->state = seed;
	list_init(&sim->hosts);
	system_state = ~seed;
	gnutls_rnd_refresh();
	return sim;
}

void sim_free(struct sim *sim)
{
	while (!list_is_empty(&sim->hosts))
		free_host(list_entry(sim->hosts.next, struct sim_host, link));
	names_clear();
	while (sim->air_count > 0)
		packet_free(sim->air[--sim->air_count]);
	free(sim->air);
	free(sim);
}

void sim_set_tap(struct sim *sim, sim_tap tap, void *user)
{
	sim->tap = tap;
	sim->tap_user = user;
}

static void deliver(struct sim_wire *wire, const struct sim_packet *packet)
{
	struct sim_host *host = wire->host;
	struct datagram datagram = {
		.local = wire->wire.local,
		.remote = packet->from,
		.ecn = packet->ecn,
		.data = packet->data,
		.len = packet->len,
		.segment = packet->len,
	};

	if (host->intercept != NULL && host->intercept(host, &datagram))
		return;
	if (host->endpoint != NULL)
		demux_receive(host->quic, &wire->wire, &datagram);
	else if (host->on_datagram != NULL)
		host->on_datagram(host, &datagram);
}

static void arrive(struct sim *sim, struct sim_packet *packet)
{
	struct sim_wire *wire = wire_at(sim, &packet->to);

	if (wire != NULL && !packet->passed_middle) {
		packet->passed_middle = true;
		pass(sim, &wire->host->down, packet);
		return;
	}
	if (wire != NULL)
		deliver(wire, packet);
	packet_free(packet);
}

void sim_inject(struct sim *sim, const struct address *from, const struct address *to,
		const uint8_t *data, size_t len)
{
	struct sim_packet packet = {
		.at_ns = sim->now_ns,
		.passed_middle = true,
		.from = *from,
		.to = *to,
		.len = len,
		.data = (uint8_t *)(uintptr_t)data,
	};

	air_put(sim, packet_copy(&packet));
}

void sim_send(struct sim_host *probe, const struct address *to, const uint8_t *data, size_t len)
{
	const struct datagram datagram = {
		.remote = *to,
		.data = data,
		.len = len,
		.segment = len,
	};

	(void)wire_send(&list_entry(probe->wires.next, struct sim_wire, link)->wire, &datagram);
}

/* ---- Time ----------------------------------------------------------------------- */

static bool is_due(const struct sim_host *host)
{
	return host->endpoint != NULL && endpoint_deadline(host->endpoint) <= host->sim->now_ns;
}

/* What a program does when the descriptor is readable. */
static void turn(struct sim_host *host)
{
	struct mquic_event *event;

	endpoint_turn(host->endpoint);
	while ((event = mquic_endpoint_next_event(host->endpoint)) != NULL) {
		if (host->on_event != NULL)
			host->on_event(host, event);
		mquic_event_free(event);
	}
}

static bool turn_all(struct sim *sim)
{
	struct list *node;
	bool any = false;

	for (node = sim->hosts.next; node != &sim->hosts; node = node->next) {
		struct sim_host *host = list_entry(node, struct sim_host, link);

		if (is_due(host)) {
			turn(host);
			any = true;
		}
	}
	return any;
}

void sim_settle(struct sim *sim)
{
	int round;

	for (round = 0; round < ROUNDS_MAX; round++) {
		bool any = false;

		/* All that came at one instant is read before anything is answered. */
		while (sim->air_count > 0 && sim->air[0]->at_ns <= sim->now_ns) {
			arrive(sim, air_take(sim));
			any = true;
		}
		while (names_run(sim->now_ns))
			any = true;
		if (!turn_all(sim) && !any)
			return;
	}
	die("an endpoint does not come to rest");
}

static uint64_t next_deadline(const struct sim *sim)
{
	uint64_t next_ns = sim->air_count > 0 ? sim->air[0]->at_ns : UINT64_MAX;
	const struct list *node;

	for (node = sim->hosts.next; node != &sim->hosts; node = node->next) {
		const struct sim_host *host = list_entry(node, struct sim_host, link);
		uint64_t deadline_ns = host->endpoint == NULL
					       ? UINT64_MAX
					       : timers_next(endpoint_timers(host->endpoint));

		if (deadline_ns < next_ns)
			next_ns = deadline_ns;
	}
	return names_next() < next_ns ? names_next() : next_ns;
}

bool sim_until(struct sim *sim, bool (*done)(void *argument), void *argument, uint64_t limit_ns)
{
	uint64_t end_ns = sim->now_ns + limit_ns;

	for (;;) {
		uint64_t next_ns;

		sim_settle(sim);
		if (done != NULL && done(argument))
			return true;
		next_ns = next_deadline(sim);
		if (next_ns > end_ns) {
			sim->now_ns = end_ns;
			return false;
		}
		sim->now_ns = next_ns;
	}
}

void sim_run(struct sim *sim, uint64_t duration_ns)
{
	(void)sim_until(sim, NULL, NULL, duration_ns);
}
