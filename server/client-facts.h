/* SPDX-License-Identifier: MIT */
/* What can be seen of a client at one moment, as it goes to another process of the same machine. */
#ifndef SERVER_CLIENT_FACTS_H
#define SERVER_CLIENT_FACTS_H

#include <stdint.h>

/* Longer texts are cut off. */
#define CLIENT_FACTS_TEXT 128

struct client_facts {
	uint64_t number;   /* among those of its worker, the oldest has the lowest */
	uint64_t age_ms;   /* since its handshake was complete */
	uint64_t rtt_us;   /* smoothed */
	uint64_t sent;     /* datagrams */
	uint64_t received; /* datagrams */
	uint64_t lost;     /* packets with stream data that were */
	uint64_t queued;   /* bytes from the broker that wait for it, or for its acknowledgement */
	uint64_t memory;   /* bytes */
	uint64_t bytes_sent;
	uint64_t bytes_received;
	uint32_t streams;    /* that are open */
	uint32_t protocol;   /* of MQTT: 3, 4, 5; 0: not known yet */
	uint32_t resumed;    /* 1: its handshake went on from an earlier one. None does yet */
	uint32_t early_data; /* 1: and had early data that was taken. None has yet */
	char address[64];
	char cipher[32];
	char id[CLIENT_FACTS_TEXT];   /* empty before CONNECT, or if it has none */
	char user[CLIENT_FACTS_TEXT]; /* as the broker knows it; empty: none */
};

#endif
