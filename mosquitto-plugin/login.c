/* SPDX-License-Identifier: MIT */
/*
 * On the hand-off socket only clients that the worker has announced come in; everywhere else the
 * plugin has no opinion. A `struct mosquitto *` is no identity: the broker frees clients without
 * telling (2.1: no event for one without id) and uses the address again. So a BASIC_AUTH is a
 * new CONNECT that must have been announced, except between RELOAD and the next TICK: there the
 * broker asks about everybody, and reads nothing from anybody.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "login.h"
#include "workers.h"

/* As much of a client's text as one log line shows. */
#define FIELD_SIZE 256

/*
 * Whether the client came through the hand-off socket. Clients of a unix listener have its path
 * for address. A PROXY header replaces it by the client's own, and what is left is that unix
 * listeners have port 0: no other one may have enable_proxy_protocol.
 */
static bool is_handed_off(const struct login *login, const struct mosquitto *client)
{
	const char *address = mosquitto_client_address(client);

	if (address == NULL)
		return false;
	if (!login->options->listeners[0].proxy_protocol)
		return strcmp(address, login->options->listeners[0].handoff) == 0;
	return login->broker->client_port(client) == 0 && address[0] != '/';
}

/* In the quotes of a log line, so no quote of the client's may end them. */
static const char *quotable(char out[FIELD_SIZE], const char *text)
{
	return mquic_text_printable(out, FIELD_SIZE, text, MQUIC_NUL_TERMINATED, '\'');
}

/* Why a client whose certificate was to name it is refused. */
static const char *nameless(const struct listener_options *options)
{
	return options->use_identity_as_username
		       ? "its certificate has no common name to use as user name"
		       : "its certificate has no subject to use as user name";
}

static void log_login(const struct mosquitto *client, const struct identity_facts *facts)
{
	char id[FIELD_SIZE];
	char name[FIELD_SIZE];

	quotable(id, mosquitto_client_id(client));
	quotable(name, facts->name);
	log_now(MQUIC_LOG_INFO, "QUIC %s -> client id '%s', %s%s%s%s", facts->peer, id,
		facts->name != NULL ? "user '" : "no user name", name,
		facts->name != NULL ? "'" : "",
		facts->kind == CHANNEL_KIND_CERTIFICATE ? ", certificate" : "");
}

static bool take(const struct login *login, const struct mosquitto *client, const char *username,
		 struct identity_facts *facts)
{
	struct token token;

	return (token_parse(username, &token) &&
		identity_take(login->identities, &token, client, facts)) ||
	       identity_take_shown(login->identities, client, mosquitto_client_id(client), facts);
}

/*
 * Uses the announcement up, token or socket, and sets the real user name. `username` belongs to
 * the broker and dies with that. A worker announces a client before it sends CONNECT, so if nobody
 * is known by that name, the announcement is still to be read.
 */
static bool admit(struct login *login, struct mosquitto *client, const char *username,
		  enum channel_kind *kind)
{
	struct identity_facts facts;
	bool good = take(login, client, username, &facts);

	if (!good && login->workers != NULL) {
		workers_read(login->workers);
		good = take(login, client, username, &facts);
	}
	if (!good)
		return false;
	if (login->workers != NULL)
		workers_taken(login->workers);
	*kind = facts.kind;
	good = facts.kind != CHANNEL_KIND_REFUSED &&
	       mosquitto_set_username(client, facts.name) == MOSQ_ERR_SUCCESS;
	if (good)
		log_login(client, &facts);
	else
		log_now(MQUIC_LOG_WARNING, "mquic: QUIC client %s is refused: %s", facts.peer,
			facts.kind == CHANNEL_KIND_REFUSED ? nameless(&login->options->listeners[0])
							   : "its user name cannot be set");
	free(facts.name);
	if (!good)
		identity_forget(login->identities, client);
	return good;
}

static int verdict(const struct login *login, enum channel_kind kind)
{
	return kind == CHANNEL_KIND_CERTIFICATE ? MOSQ_ERR_SUCCESS : broker_pass(login->broker);
}

/*
 * After RELOAD. A client that is not in the table is an offline session: it has passed before
 * and will have to again, and a refusal would throw away its queue. With proxy_protocol absent
 * clients of other listeners look the same, for 2.1 forgets the port: they are kept as well.
 */
static int check_again(struct login *login, const struct mosquitto *client)
{
	enum channel_kind kind;

	if (identity_find(login->identities, client, &kind))
		return verdict(login, kind);
	return MOSQ_ERR_SUCCESS;
}

int login_basic(struct login *login, struct mosquitto *client, const char *username)
{
	enum channel_kind kind;

	if (!is_handed_off(login, client))
		return broker_pass(login->broker);
	if (login->reloading)
		return check_again(login, client);
	identity_forget(login->identities, client);
	switch (selftest_login(login->selftest, mosquitto_client_id(client), username)) {
	case SELFTEST_REFUSE:
		return MOSQ_ERR_AUTH;
	case SELFTEST_UNNAME:
		return mosquitto_set_username(client, NULL) == MOSQ_ERR_SUCCESS
			       ? broker_pass(login->broker)
			       : MOSQ_ERR_AUTH;
	default:
		return admit(login, client, username, &kind) ? verdict(login, kind) : MOSQ_ERR_AUTH;
	}
}

/*
 * With 2.0, and a name, only where allow_anonymous is true and nobody else looks at logins. The
 * broker let everybody in there as long as we did not look either.
 */
int login_unclaimed(const struct login *login, const char *username)
{
	return username != NULL && login->selftest->terms.is_open ? MOSQ_ERR_SUCCESS
								  : MOSQ_ERR_PLUGIN_DEFER;
}

int login_extended(struct login *login, struct mosquitto *client)
{
	const char *username = mosquitto_client_username(client);
	enum channel_kind kind;

	if (!is_handed_off(login, client))
		return MOSQ_ERR_PLUGIN_DEFER;
	if (admit(login, client, username, &kind))
		return MOSQ_ERR_PLUGIN_DEFER;
	/* Also asked when a client authenticates anew (MQTT 5.0 section 4.12.1): it is known. */
	return identity_find(login->identities, client, &kind) ? MOSQ_ERR_PLUGIN_DEFER
							       : MOSQ_ERR_AUTH;
}

void login_gone(struct login *login, const struct mosquitto *client)
{
	identity_forget(login->identities, client);
}
