/* SPDX-License-Identifier: MIT */
/*
 * Mosquitto's plugin headers, of 2.0 and of 2.1. The plugin is built with hidden visibility
 * and the headers mark nothing, so the entry points become visible here: what is declared
 * between push and pop keeps default visibility when it is defined.
 */
#ifndef MOSQUITTO_PLUGIN_BROKER_H
#define MOSQUITTO_PLUGIN_BROKER_H

#pragma GCC visibility push(default)
#if __has_include(<mosquitto/broker_plugin.h>)
#include <mosquitto.h>
#else
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#endif
#pragma GCC visibility pop

#include <stdbool.h>

/*
 * What 2.1 knows and the headers of 2.0 do not name. One binary serves both brokers, so the
 * values are spelt out whatever headers it was built with.
 */
enum {
	BROKER_EVENT_CLIENT_OFFLINE = 28,
	BROKER_PLUGIN_IGNORE = 32,
};

/* What differs between brokers at run time. */
struct broker {
	/* The listener's port of a client, 0 for unix sockets; NULL before 2.1. */
	int (*client_port)(const struct mosquitto *client);
};

/* Looks at the broker this process is. */
void broker_detect(struct broker *broker);

static inline bool broker_is_2_1(const struct broker *broker)
{
	return broker->client_port != NULL;
}

/*
 * The answer "not mine" to a login. IGNORE of 2.1 leaves the login as if there were no plugin;
 * with DEFER, all that 2.0 has, only anonymous logins pass if nobody else decides.
 */
static inline int broker_pass(const struct broker *broker)
{
	return broker_is_2_1(broker) ? (int)BROKER_PLUGIN_IGNORE : MOSQ_ERR_PLUGIN_DEFER;
}

/*
 * The answer to RELOAD. 2.0 tells further plugins only after DEFER; 2.1 takes anything but
 * success for an error and ends.
 */
static inline int broker_reloaded(const struct broker *broker)
{
	return broker_is_2_1(broker) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER;
}

#endif
