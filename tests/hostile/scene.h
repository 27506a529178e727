/* SPDX-License-Identifier: MIT */
/*
 * An endpoint of the library, server or client, and a hostile peer, 10 ms apart. Its application
 * accepts connections and streams, and sends back what it reads.
 */
#ifndef MQUIC_TESTS_SCENE_H
#define MQUIC_TESTS_SCENE_H

#include "hostile.h"

#define SCENE_PORT 4433

/* How a connection of the endpoint ended; the first that did. */
struct scene_end {
	unsigned int told;
	enum mquic_status status;
	uint64_t code;
	char text[300];
};

struct scene {
	struct sim *sim;
	struct sim_host *host; /* has the endpoint */
	struct hostile *peer;
	struct mquic_settings *settings;
	struct mquic_connection *connection; /* dialed, or the newest accepted; NULL: over */
	struct mquic_stream *stream;         /* the endpoint's own, if it has opened one */
	bool attacks_server;
	bool lazy; /* the endpoint's program reads nothing */
	unsigned int accepted;
	unsigned int ready;
	struct scene_end end;
};

/* Settings may be changed before scene_begin(), the peer's behaviour, too. */
void scene_open(struct scene *scene, bool attacks_server, uint64_t seed);
/* Listens and has the client speak, or dials. */
void scene_begin(struct scene *scene);
/* Both sides have finished the handshake, and all is quiet. */
void scene_connect(struct scene *scene);
/* Time passes until the peer has heard a close; false: not within a minute. */
bool scene_until_closed(struct scene *scene);
/* The endpoint's program says something on a stream. */
void scene_speak(struct scene *scene, size_t len);
/* Frees all; true if the endpoint had forgotten everything of its connections by itself. */
bool scene_close(struct scene *scene);

#endif
