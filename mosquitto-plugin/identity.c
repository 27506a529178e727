/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"

/* With the default of at most 10000 clients a chain has some three links. */
#define BUCKETS 4096

struct identity {
	struct identity *next; /* in the chain of its token or of its client */
	struct token token;
	const struct mosquitto *client; /* BOUND: the key; else NULL */
	bool announced;
	struct identity_facts facts;
};

struct identities {
	pthread_mutex_t mutex;
	struct identity *announced[BUCKETS];
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

static void unbind(struct identities *table, struct identity *identity)
{
	unlink_from(client_chain(table, identity->client), identity);
	identity->client = NULL;
}

struct identity *identity_new(struct identities *table, enum identity_kind kind,
			      const char *common_name, const char *peer)
{
	struct identity *identity = calloc(1, sizeof(*identity));

	if (identity == NULL)
		return NULL;
	identity->facts.kind = kind;
	snprintf(identity->facts.peer, sizeof(identity->facts.peer), "%s", peer);
	if (common_name != NULL)
		identity->facts.common_name = strdup(common_name);
	if ((common_name != NULL && identity->facts.common_name == NULL) ||
	    !token_draw(&identity->token)) {
		free(identity->facts.common_name);
		free(identity);
		return NULL;
	}
	identity->announced = true;
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
	if (identity->announced)
		unlink_from(token_chain(table, &identity->token), identity);
	if (identity->client != NULL)
		unbind(table, identity);
	pthread_mutex_unlock(&table->mutex);
	free(identity->facts.common_name);
	free(identity);
}

const struct token *identity_token(const struct identity *identity)
{
	return &identity->token;
}

bool identity_take(struct identities *table, const struct token *token,
		   const struct mosquitto *client, struct identity_facts *facts)
{
	struct identity *identity;
	struct identity *stale;

	pthread_mutex_lock(&table->mutex);
	identity = find_token(table, token);
	if (identity != NULL) {
		stale = find_client(table, client);
		if (stale != NULL)
			unbind(table, stale);
		unlink_from(token_chain(table, token), identity);
		identity->announced = false;
		identity->client = client;
		link_to(client_chain(table, client), identity);
		*facts = identity->facts;
		identity->facts.common_name = NULL;
	}
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
		unbind(table, identity);
	pthread_mutex_unlock(&table->mutex);
}
