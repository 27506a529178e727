/* SPDX-License-Identifier: MIT */
/* The broker's questions about clients, answered on its own thread. */
#ifndef MOSQUITTO_PLUGIN_LOGIN_H
#define MOSQUITTO_PLUGIN_LOGIN_H

#include <stdbool.h>

#include "broker.h"
#include "identity.h"
#include "listeners.h"
#include "../gateway/options.h"

struct workers;

struct login {
	const struct broker *broker;
	const struct options *options;
	struct identities *identities;
	struct workers *workers;     /* who announce clients */
	struct listeners *listeners; /* and their self-tests */
	bool reloading; /* between RELOAD and the next TICK: known clients are asked about again */
};

/* Answers BASIC_AUTH: may this client, with the user name it has now, come in or stay? */
int login_basic(struct login *login, struct mosquitto *client, const char *username);

/* Answers BASIC_AUTH at the end of the chain: everybody, us included, has passed on this login. */
int login_unclaimed(const struct login *login, const char *username);

/* Answers EXT_AUTH_START: sets the user name; the verdict is for the plugin of that method. */
int login_extended(struct login *login, struct mosquitto *client);

/* The client is off line or gone, and the broker may use its address for another one. */
void login_gone(struct login *login, const struct mosquitto *client);

#endif
