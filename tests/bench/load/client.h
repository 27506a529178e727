/* SPDX-License-Identifier: MIT */
/*
 * One MQTT client as the loads see it, over libmquic (QUIC) or libmosquitto (TCP, TLS). All
 * clients of a process share one transport and are driven by one thread.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
	const char *transport; /* quic, tcp, tls */
	const char *host;
	const char *cafile;
	const char *topic;
	const char *congestion; /* QUIC: cubic, reno, bbr */
	uint64_t port;
	uint64_t protocol; /* 4 or 5 */
	uint64_t keep_alive_s;
	uint64_t qos;
	uint64_t size;
	uint64_t count;
	uint64_t window;
	uint64_t publishers;
	uint64_t subscribers;
	uint64_t at_once;
	uint64_t gap_us; /* between messages; 0: as the window allows */
	uint64_t timeout_ms;
	uint64_t hold;  /* transfer: 1 waits to be told */
	uint64_t again; /* idle: 1 has clients that are turned away connect anew */
};

struct client {
	size_t index;
	uint64_t started_ns;
	uint64_t handshake_ns; /* transport ready and secure; 0: not yet */
	uint64_t connack_ns;
	bool ended;
	void *own;   /* of the transport */
	void *owner; /* of the load */
};

/* What a load is told. `why` is NULL at a clean end. */
struct client_events {
	void (*connected)(struct client *client);
	void (*subscribed)(struct client *client);
	void (*message)(struct client *client, const uint8_t *payload, size_t len);
	void (*delivered)(struct client *client);
	void (*ended)(struct client *client, const char *why);
};

struct transport {
	void (*init)(const struct options *options, const struct client_events *events);
	/* Starts connecting; `client_id` is copied. */
	void (*connect)(struct client *client, const char *client_id);
	/* False: no room now, try again after the next run. */
	bool (*publish)(struct client *client, const char *topic, const uint8_t *payload,
			size_t len, int qos);
	void (*subscribe)(struct client *client, const char *filter, int qos);
	void (*disconnect)(struct client *client);
	void (*free)(struct client *client);
	/* Waits up to `timeout_ms` and handles what has come. */
	void (*run)(int timeout_ms);
	void (*fini)(void);
};

extern const struct transport transport_mquic;
extern const struct transport transport_mosquitto;

uint64_t now_ns(void);
/* Prints `load: …` and exits with 2. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
