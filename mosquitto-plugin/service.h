/* SPDX-License-Identifier: MIT */
/* The thread that speaks QUIC. Made, started and stopped by the main thread. */
#ifndef MOSQUITTO_PLUGIN_SERVICE_H
#define MOSQUITTO_PLUGIN_SERVICE_H

#include <stdbool.h>

#include "../gateway/handoff.h"
#include "identity.h"
#include "log.h"
#include "../gateway/options.h"

struct service;

/*
 * Binds the UDP addresses and reads the keys; no thread yet, datagrams wait in the sockets.
 * What it is given must outlive it. NULL: `error` has a sentence.
 */
struct service *service_new(const struct options *options, struct identities *identities,
			    struct log_ring *log, int highest_fd, char error[OPTIONS_ERROR_SIZE]);

/*
 * Starts the thread, with all signals blocked: they are the broker's. `terms`: what the self-test
 * has found. False: no thread.
 */
bool service_start(struct service *service, const struct handoff_terms *terms);

/* Any time: whether the broker has let a client in without asking the plugin about it. */
bool service_was_bypassed(const struct service *service);

/* Any time: has the thread read certificates and keys again; the outcome is logged. */
void service_reload(struct service *service);

/*
 * Any time: has the thread say which certificates have expired or soon will. It does so by itself
 * at the start and after a reload.
 */
void service_tell_expiring(struct service *service);

/*
 * Ends all connections and the thread, if there is one; takes two seconds at the most. False:
 * the thread does not end, and nothing it uses may be freed.
 */
bool service_stop(struct service *service);

/* Frees a stopped service; NULL is fine. */
void service_free(struct service *service);

#endif
