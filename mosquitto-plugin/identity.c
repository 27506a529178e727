/* SPDX-License-Identifier: MIT */
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "identity.h"

/* With the default of at most 10000 clients a chain has some three links. */
#define BUCKETS 4096

enum identity_state {
	IDENTITY_ANNOUNCED,
	IDENTITY_SHOWN,
	IDENTITY_BOUND,
	IDENTITY_LOOSE,
};

struct identity {
	struct identity *next; /* in the chain of its state */
	enum identity_state state;
	struct token token;
	const struct mosquitto *client; /* BOUND: the key */
	int fd;                         /* SHOWN */
	char *client_id;                /* SHOWN: what it must have; NULL: anything */
	struct identity_facts facts;
};

struct identities {
	pthread_mutex_t mutex;
	bool taken;
	struct identity *announced[BUCKETS];
	struct identity *shown;
	struct identity *bound[BUCKETS];
};

struct identities *identities_new(void)
{
	struct identities *table = calloc(1, sizeof(*table));

	if (table != NULL && pthread_mutex_init(&table->mutex, NULL) != 0) {
		free(table);
		return NULL;
	}
	return table;
}

void identities_free(struct identities *table)
{
	if (table == NULL)
		return;
	pthread_mutex_destroy(&table->mutex);
	free(table);
}

/* Tokens are random already. */
static struct identity **token_chain(struct identities *table, const struct token *token)
{
	return &table->announced[(token->bytes[0] << 8 | token->bytes[1]) % BUCKETS];
}

/* Fibonacci hashing: the low bits of heap addresses say little. */
static struct identity **client_chain(struct identities *table, const struct mosquitto *client)
{
	uint64_t mixed = (uint64_t)(uintptr_t)client * UINT64_C(0x9e3779b97f4a7c15);

	return &table->bound[(mixed >> 32) % BUCKETS];
}

static void unlink_from(struct identity **chain, const struct identity *identity)
{
	for (; *chain != NULL; chain = &(*chain)->next)
		if (*chain == identity) {
			*chain = identity->next;
			return;
		}
}

static void link_to(struct identity **chain, struct identity *identity)
{
	identity->next = *chain;
	*chain = identity;
}

static struct identity *find_token(struct identities *table, const struct token *token)
{
	struct identity *at = *token_chain(table, token);

	while (at != NULL && !token_equal(&at->token, token))
		at = at->next;
	return at;
}

static struct identity *find_client(struct identities *table, const struct mosquitto *client)
{
	struct identity *at = *client_chain(table, client);

	while (at != NULL && at->client != client)
		at = at->next;
	return at;
}

/* Takes it out of the chain it is in. */
static void loosen(struct identities *table, struct identity *identity)
{
	if (identity->state == IDENTITY_ANNOUNCED)
		unlink_from(token_chain(table, &identity->token), identity);
	else if (identity->state == IDENTITY_SHOWN)
		unlink_from(&table->shown, identity);
	else if (identity->state == IDENTITY_BOUND)
		unlink_from(client_chain(table, identity->client), identity);
	identity->state = IDENTITY_LOOSE;
}

static void dispose(struct identity *identity)
{
	free(identity->facts.name);
	free(identity->client_id);
	free(identity);
}

struct identity *identity_new(struct identities *table, enum identity_kind kind, const char *name,
			      const char *peer)
{
	struct identity *identity = calloc(1, sizeof(*identity));

	if (identity == NULL)
		return NULL;
	identity->facts.kind = kind;
	snprintf(identity->facts.peer, sizeof(identity->facts.peer), "%s", peer);
	if (name != NULL)
		identity->facts.name = strdup(name);
	if ((name != NULL && identity->facts.name == NULL) || !token_draw(&identity->token)) {
		dispose(identity);
		return NULL;
	}
	pthread_mutex_lock(&table->mutex);
	link_to(token_chain(table, &identity->token), identity);
	pthread_mutex_unlock(&table->mutex);
	return identity;
}

void identity_free(struct identities *table, struct identity *identity)
{
	if (identity == NULL)
		return;
	pthread_mutex_lock(&table->mutex);
	loosen(table, identity);
	pthread_mutex_unlock(&table->mutex);
	dispose(identity);
}

const char *identity_name(const struct identity *identity)
{
	return identity->facts.name;
}

const struct token *identity_token(const struct identity *identity)
{
	return &identity->token;
}

static size_t length_of(const struct msghdr *message)
{
	size_t len = 0;
	size_t i;

	for (i = 0; i < (size_t)message->msg_iovlen; i++)
		len += message->msg_iov[i].iov_len;
	return len;
}

bool identity_show(struct identities *table, struct identity *identity, int fd,
		   const struct msghdr *connect, const char *client_id)
{
	bool sent;

	if (client_id != NULL && (identity->client_id = strdup(client_id)) == NULL)
		return false;
	/* Under the lock: before it is sent the socket is empty as well, and might be anybody's. */
	pthread_mutex_lock(&table->mutex);
	loosen(table, identity);
	sent = sendmsg(fd, connect, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length_of(connect);
	if (sent) {
		identity->fd = fd;
		identity->state = IDENTITY_SHOWN;
		link_to(&table->shown, identity);
	}
	pthread_mutex_unlock(&table->mutex);
	return sent;
}

bool identity_was_taken(struct identities *table, const struct identity *identity)
{
	bool taken;

	pthread_mutex_lock(&table->mutex);
	taken = identity->state == IDENTITY_BOUND || identity->state == IDENTITY_LOOSE;
	pthread_mutex_unlock(&table->mutex);
	return taken;
}

bool identities_were_taken(struct identities *table)
{
	bool taken;

	pthread_mutex_lock(&table->mutex);
	taken = table->taken;
	pthread_mutex_unlock(&table->mutex);
	return taken;
}

static void bind_to(struct identities *table, struct identity *identity,
		    const struct mosquitto *client, struct identity_facts *facts)
{
	struct identity *stale = find_client(table, client);

	if (stale != NULL)
		loosen(table, stale);
	loosen(table, identity);
	identity->client = client;
	identity->state = IDENTITY_BOUND;
	link_to(client_chain(table, client), identity);
	*facts = identity->facts;
	identity->facts.name = NULL;
	table->taken = true;
}

bool identity_take(struct identities *table, const struct token *token,
		   const struct mosquitto *client, struct identity_facts *facts)
{
	struct identity *identity;

	pthread_mutex_lock(&table->mutex);
	identity = find_token(table, token);
	if (identity != NULL)
		bind_to(table, identity, client, facts);
	pthread_mutex_unlock(&table->mutex);
	return identity != NULL;
}

/* Whether the broker has read all that was sent, and has neither answered nor hung up. */
static bool was_just_read(int fd)
{
	struct pollfd watched = {.fd = fd, .events = POLLIN};
	int unread = 0;

	return ioctl(fd, SIOCOUTQ, &unread) == 0 && unread == 0 && poll(&watched, 1, 0) == 0;
}

static bool may_be(const struct identity *identity, const char *client_id)
{
	return identity->client_id == NULL ||
	       (client_id != NULL && strcmp(identity->client_id, client_id) == 0);
}

bool identity_take_shown(struct identities *table, const struct mosquitto *client,
			 const char *client_id, struct identity_facts *facts)
{
	struct identity *identity;

	pthread_mutex_lock(&table->mutex);
	identity = table->shown;
	while (identity != NULL && !(may_be(identity, client_id) && was_just_read(identity->fd)))
		identity = identity->next;
	if (identity != NULL)
		bind_to(table, identity, client, facts);
	pthread_mutex_unlock(&table->mutex);
	return identity != NULL;
}

bool identity_find(struct identities *table, const struct mosquitto *client,
		   enum identity_kind *kind)
{
	const struct identity *identity;

	pthread_mutex_lock(&table->mutex);
	identity = find_client(table, client);
	if (identity != NULL)
		*kind = identity->facts.kind;
	pthread_mutex_unlock(&table->mutex);
	return identity != NULL;
}

void identity_forget(struct identities *table, const struct mosquitto *client)
{
	struct identity *identity;

	pthread_mutex_lock(&table->mutex);
	identity = find_client(table, client);
	if (identity != NULL)
		loosen(table, identity);
	pthread_mutex_unlock(&table->mutex);
}
