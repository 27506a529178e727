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

/* Of listeners' bits, this one's. */
static uint32_t only(unsigned int listener)
{
	return UINT32_C(1) << listener;
}

/*
 * Through which listeners' hand-off socket the client may have come, a bit for each; none: it is not
 * ours. Clients of a unix
 * listener have its path for address. A PROXY header replaces it by the client's own, and what is
 * left is that unix listeners have port 0: no other one may have enable_proxy_protocol. Which of
 * ours it was then its announcement tells.
 */
static uint32_t handed_off_by(const struct login *login, const struct mosquitto *client)
{
	const char *address = mosquitto_client_address(client);
	bool proxied = address != NULL && address[0] != '/' && broker_is_2_1(login->broker) &&
		       login->broker->client_port(client) == 0;
	uint32_t found = 0;
	unsigned int i;

	for (i = 0; address != NULL && i < login->options->listener_count; i++) {
		const struct listener_options *listener = &login->options->listeners[i];

		if (listener->proxy_protocol ? proxied : strcmp(address, listener->handoff) == 0)
			found |= only(i);
	}
	return found;
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

static void log_login(const struct login *login, const struct mosquitto *client,
		      const struct identity_facts *facts)
{
	const char *listener = login->options->listeners[facts->listener].name;
	char id[FIELD_SIZE];
	char name[FIELD_SIZE];

	quotable(id, mosquitto_client_id(client));
	quotable(name, facts->name);
	log_now(MQUIC_LOG_INFO, "QUIC %s -> client id '%s', %s%s%s%s%s%s", facts->peer, id,
		facts->name != NULL ? "user '" : "no user name", name,
		facts->name != NULL ? "'" : "",
		facts->kind == CHANNEL_KIND_CERTIFICATE ? ", certificate" : "",
		listener[0] != '\0' ? ", listener " : "", listener);
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
 * Uses the announcement up, token or socket. A worker announces a client before it sends CONNECT, so
 * if nobody is known by that name, the announcement is still to be read.
 */
static bool find_facts(const struct login *login, const struct mosquitto *client,
		       const char *username, struct identity_facts *facts)
{
	bool good = take(login, client, username, facts);

	if (!good && login->workers != NULL) {
		workers_read(login->workers);
		good = take(login, client, username, facts);
	}
	return good;
}

/* Sets the real user name. */
static bool name_client(const struct login *login, struct mosquitto *client,
			const struct identity_facts *facts)
{
	const struct listener_options *listener = &login->options->listeners[facts->listener];

	if (facts->kind != CHANNEL_KIND_REFUSED &&
	    mosquitto_set_username(client, facts->name) == MOSQ_ERR_SUCCESS) {
		log_login(login, client, facts);
		return true;
	}
	log_now(MQUIC_LOG_WARNING, "mquic: QUIC client %s is refused: %s", facts->peer,
		facts->kind == CHANNEL_KIND_REFUSED ? nameless(listener)
						    : "its user name cannot be set");
	return false;
}

/*
 * Lets in whoever was announced for the listener that it has come by. `username` belongs to the
 * broker and dies with the name that is set.
 */
static bool admit(struct login *login, struct mosquitto *client, uint32_t came_by,
		  const char *username, enum channel_kind *kind)
{
	struct identity_facts facts;
	bool good;

	if (!find_facts(login, client, username, &facts))
		return false;
	if (login->workers != NULL)
		workers_taken(login->workers, facts.listener);
	*kind = facts.kind;
	good = (came_by & only(facts.listener)) != 0 && name_client(login, client, &facts);
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

/* Whether one of the self-tests has made this login. */
static enum selftest_verdict ask_selftests(const struct login *login,
					   const struct mosquitto *client, uint32_t came_by,
					   const char *username)
{
	const char *id = mosquitto_client_id(client);
	enum selftest_verdict verdict = SELFTEST_FOREIGN;
	unsigned int i;

	for (i = 0; verdict == SELFTEST_FOREIGN && i < login->options->listener_count; i++)
		if ((came_by & only(i)) != 0)
			verdict = selftest_login(&login->listeners->all[i].selftest, id, username);
	return verdict;
}

int login_basic(struct login *login, struct mosquitto *client, const char *username)
{
	uint32_t came_by = handed_off_by(login, client);
	enum channel_kind kind;

	if (came_by == 0)
		return broker_pass(login->broker);
	if (login->reloading)
		return check_again(login, client);
	identity_forget(login->identities, client);
	switch (ask_selftests(login, client, came_by, username)) {
	case SELFTEST_REFUSE:
		return MOSQ_ERR_AUTH;
	case SELFTEST_UNNAME:
		return mosquitto_set_username(client, NULL) == MOSQ_ERR_SUCCESS
			       ? broker_pass(login->broker)
			       : MOSQ_ERR_AUTH;
	default:
		return admit(login, client, came_by, username, &kind) ? verdict(login, kind)
								      : MOSQ_ERR_AUTH;
	}
}

/*
 * With 2.0, and a name, only where allow_anonymous is true and nobody else looks at logins. The
 * broker let everybody in there as long as we did not look either.
 */
int login_unclaimed(const struct login *login, const char *username)
{
	return username != NULL && listeners_are_open(login->listeners) ? MOSQ_ERR_SUCCESS
									: MOSQ_ERR_PLUGIN_DEFER;
}

int login_extended(struct login *login, struct mosquitto *client)
{
	const char *username = mosquitto_client_username(client);
	uint32_t came_by = handed_off_by(login, client);
	enum channel_kind kind;

	if (came_by == 0 || admit(login, client, came_by, username, &kind))
		return MOSQ_ERR_PLUGIN_DEFER;
	/* Also asked when a client authenticates anew (MQTT 5.0 section 4.12.1): it is known. */
	return identity_find(login->identities, client, &kind) ? MOSQ_ERR_PLUGIN_DEFER
							       : MOSQ_ERR_AUTH;
}

void login_gone(struct login *login, const struct mosquitto *client)
{
	identity_forget(login->identities, client);
}
