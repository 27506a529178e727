/* SPDX-License-Identifier: MIT */
#include <linux/sockios.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "identity.h"
#include "../gateway/handoff.h"

/* With the default of at most 10000 clients a chain has some three links. */
#define BUCKET_BITS 12
#define BUCKETS     (1 << BUCKET_BITS)

/*
 * Names of those that have not logged in take so many bytes at most: far more than a crowd with
 * long names needs, and no burden on the broker if a worker says what it likes.
 */
#define NAMES_MAX      16777216
#define NAME_ROOM_EACH 256

enum identity_state {
	IDENTITY_ANNOUNCED,
	IDENTITY_SHOWN,
	IDENTITY_BOUND,
	IDENTITY_LOOSE,
};

struct identity {
	struct identity *by_token; /* the next one in the chain of its token */
	struct identity *next;     /* SHOWN, BOUND: in the chain of its state */
	enum identity_state state;
	unsigned int worker;
	struct token token;
	const struct mosquitto *client; /* BOUND: the key */
	int fd;                         /* SHOWN; else -1 */
	char *client_id;                /* SHOWN: what it must have; NULL: anything */
	size_t bytes;                   /* of its names */
	struct identity_facts facts;
};

/* What one worker has in the table: if it takes all it may, the others still have theirs. */
struct part {
	size_t count;
	size_t bytes; /* of names */
};

struct identities {
	struct token key; /* of the chains of tokens */
	size_t most;      /* of each part */
	size_t bytes_most;
	uint32_t taken; /* a bit for each listener */
	struct part parts[OPTIONS_WORKERS_MAX + 1];
	struct identity *tokens[BUCKETS];
	struct identity *shown;
	struct identity *bound[BUCKETS];
};

struct identities *identities_new(size_t most, unsigned int workers)
{
	struct identities *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->most = most;
	table->bytes_most = NAMES_MAX / workers + NAME_ROOM_EACH * most;
	if (token_draw(&table->key))
		return table;
	free(table);
	return NULL;
}

/* ---- Chains ------------------------------------------------------------------------ */

/*
 * Tokens of a worker that was taken over need not be random, and all in one chain would have the
 * broker walk along it for each message. With odd multipliers that nobody else knows, two share a
 * chain by chance alone, whatever they are: the high bits depend on all of both.
 */
static struct identity **token_chain(struct identities *table, const struct token *token)
{
	uint64_t parts[2], key[2];
	uint64_t mixed;

	memcpy(parts, token->bytes, sizeof(parts));
	memcpy(key, table->key.bytes, sizeof(key));
	mixed = parts[0] * (key[0] | 1) + parts[1] * (key[1] | 1);
	return &table->tokens[mixed >> (64 - BUCKET_BITS)];
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
		at = at->by_token;
	return at;
}

/* A worker has no say in another one's clients. */
static struct identity *find_own(struct identities *table, unsigned int worker,
				 const struct token *token)
{
	struct identity *found = find_token(table, token);

	return found != NULL && found->worker == worker ? found : NULL;
}

static struct identity *find_client(struct identities *table, const struct mosquitto *client)
{
	struct identity *at = *client_chain(table, client);

	while (at != NULL && at->client != client)
		at = at->next;
	return at;
}

/* Takes it out of the chain of its state. The socket is its worker's, which has it, too. */
static void loosen(struct identities *table, struct identity *identity)
{
	if (identity->state == IDENTITY_SHOWN)
		unlink_from(&table->shown, identity);
	else if (identity->state == IDENTITY_BOUND)
		unlink_from(client_chain(table, identity->client), identity);
	identity->state = IDENTITY_LOOSE;
	if (identity->fd >= 0)
		close(identity->fd);
	identity->fd = -1;
}

/* ---- Names ---------------------------------------------------------------------------- */

/* Keeps a copy of `name` for it, NULL for NULL. False: no room. */
static bool keep_name(struct identities *table, struct identity *identity, char **copy,
		      const char *name)
{
	size_t bytes = name != NULL ? strlen(name) : 0;
	struct part *part = &table->parts[identity->worker];

	if (bytes > table->bytes_most - part->bytes)
		return false;
	if (name != NULL && (*copy = strdup(name)) == NULL)
		return false;
	identity->bytes += bytes;
	part->bytes += bytes;
	return true;
}

static void release_names(struct identities *table, struct identity *identity)
{
	free(identity->facts.name);
	free(identity->client_id);
	identity->facts.name = NULL;
	identity->client_id = NULL;
	table->parts[identity->worker].bytes -= identity->bytes;
	identity->bytes = 0;
}

/* ---- Coming and going --------------------------------------------------------------- */

bool identity_add(struct identities *table, unsigned int worker, const struct token *token,
		  const struct identity_facts *facts)
{
	struct identity **chain = token_chain(table, token);
	struct identity *identity;

	if (table->parts[worker].count >= table->most || find_token(table, token) != NULL)
		return false;
	identity = calloc(1, sizeof(*identity));
	if (identity == NULL)
		return false;
	identity->worker = worker;
	identity->token = *token;
	identity->fd = -1;
	identity->facts = *facts;
	identity->facts.name = NULL;
	if (!keep_name(table, identity, &identity->facts.name, facts->name)) {
		free(identity);
		return false;
	}
	identity->by_token = *chain;
	*chain = identity;
	table->parts[worker].count++;
	return true;
}

/* Removes the one that `link` leads to. */
static void remove_at(struct identities *table, struct identity **link)
{
	struct identity *identity = *link;

	*link = identity->by_token;
	loosen(table, identity);
	release_names(table, identity);
	table->parts[identity->worker].count--;
	free(identity);
}

void identity_remove(struct identities *table, unsigned int worker, const struct token *token)
{
	struct identity **link = token_chain(table, token);

	while (*link != NULL && !token_equal(&(*link)->token, token))
		link = &(*link)->by_token;
	if (*link != NULL && (*link)->worker == worker)
		remove_at(table, link);
}

/* Those of one worker in one chain, or of all. */
static void drop_from(struct identities *table, struct identity **link, const unsigned int *worker)
{
	while (*link != NULL)
		if (worker == NULL || (*link)->worker == *worker)
			remove_at(table, link);
		else
			link = &(*link)->by_token;
}

void identities_drop(struct identities *table, unsigned int worker)
{
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		drop_from(table, &table->tokens[i], &worker);
}

void identities_free(struct identities *table)
{
	size_t i;

	if (table == NULL)
		return;
	for (i = 0; i < BUCKETS; i++)
		drop_from(table, &table->tokens[i], NULL);
	free(table);
}

/* ---- Shown -------------------------------------------------------------------------- */

static bool send_connect(int fd, const struct channel_text *connect)
{
	return handoff_leads_to(fd, getpid()) &&
	       send(fd, connect->data, connect->len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
		       (ssize_t)connect->len;
}

static bool show(struct identities *table, struct identity *identity,
		 const struct channel_message *message)
{
	if (identity == NULL || identity->state != IDENTITY_ANNOUNCED)
		return false;
	if (!keep_name(table, identity, &identity->client_id, message->text.data))
		return false;
	if (!send_connect(message->fd, &message->more)) {
		loosen(table, identity);
		return false;
	}
	identity->fd = message->fd;
	identity->state = IDENTITY_SHOWN;
	link_to(&table->shown, identity);
	return true;
}

bool identity_show(struct identities *table, unsigned int worker,
		   const struct channel_message *message)
{
	if (show(table, find_own(table, worker, &message->token), message))
		return true;
	shutdown(message->fd, SHUT_RDWR);
	close(message->fd);
	return false;
}

/* ---- Taken --------------------------------------------------------------------------- */

bool identity_is_waiting(struct identities *table, unsigned int worker, unsigned int listener,
			 const struct token *token)
{
	const struct identity *identity = find_own(table, worker, token);

	return identity != NULL && identity->facts.listener == listener &&
	       (identity->state == IDENTITY_ANNOUNCED || identity->state == IDENTITY_SHOWN);
}

bool identities_were_taken(const struct identities *table, unsigned int listener)
{
	return (table->taken & UINT32_C(1) << listener) != 0;
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
	identity->facts.name = NULL; /* the caller's */
	release_names(table, identity);
	table->taken |= UINT32_C(1) << facts->listener;
}

bool identity_take(struct identities *table, const struct token *token,
		   const struct mosquitto *client, struct identity_facts *facts)
{
	struct identity *identity = find_token(table, token);

	if (identity == NULL || identity->state != IDENTITY_ANNOUNCED)
		return false;
	bind_to(table, identity, client, facts);
	return true;
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
	struct identity *identity = table->shown;

	while (identity != NULL && !(may_be(identity, client_id) && was_just_read(identity->fd)))
		identity = identity->next;
	if (identity == NULL)
		return false;
	bind_to(table, identity, client, facts);
	return true;
}

bool identity_find(struct identities *table, const struct mosquitto *client,
		   enum channel_kind *kind)
{
	const struct identity *identity = find_client(table, client);

	if (identity == NULL)
		return false;
	*kind = identity->facts.kind;
	return true;
}

void identity_forget(struct identities *table, const struct mosquitto *client)
{
	struct identity *identity = find_client(table, client);

	if (identity != NULL)
		loosen(table, identity);
}
