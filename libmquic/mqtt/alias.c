/* SPDX-License-Identifier: MIT */
#include "mqtt/alias.h"

#include <stdlib.h>
#include <string.h>

void mqtt_alias_in_init(struct mqtt_alias_in *aliases, uint16_t maximum)
{
	memset(aliases, 0, sizeof(*aliases));
	aliases->maximum = maximum;
}

void mqtt_alias_in_clear(struct mqtt_alias_in *aliases)
{
	size_t i;

	for (i = 0; i < aliases->count; i++)
		text_clear(&aliases->topics[i]);
	free(aliases->topics);
	mqtt_alias_in_init(aliases, 0);
}

/* Makes room for `alias`, at least doubling what there was. */
static bool grow_to(struct mqtt_alias_in *aliases, size_t alias)
{
	size_t count = aliases->count * 2;
	struct text *topics;

	if (alias <= aliases->count)
		return true;
	if (count < alias)
		count = alias;
	if (count > aliases->maximum)
		count = aliases->maximum;
	topics = realloc(aliases->topics, count * sizeof(*topics));
	if (topics == NULL)
		return false;
	memset(topics + aliases->count, 0, (count - aliases->count) * sizeof(*topics));
	aliases->topics = topics;
	aliases->count = count;
	return true;
}

static enum mqtt_reason define(struct mqtt_alias_in *aliases, size_t alias, struct bytes topic)
{
	struct text *slot;
	size_t bytes;

	if (!grow_to(aliases, alias))
		return MQTT_QUOTA_EXCEEDED;
	slot = &aliases->topics[alias - 1];
	bytes = aliases->bytes - slot->len + topic.len;
	if (bytes > MQTT_ALIAS_BYTES_MAX || !text_set(slot, (const char *)topic.data, topic.len))
		return MQTT_QUOTA_EXCEEDED;
	aliases->bytes = bytes;
	return MQTT_SUCCESS;
}

enum mqtt_reason mqtt_alias_in_resolve(struct mqtt_alias_in *aliases, struct mqtt_publish *publish)
{
	size_t alias = mqtt_properties_number(&publish->properties, MQTT_TOPIC_ALIAS, 0);
	const struct text *topic;

	if (alias == 0)
		return MQTT_SUCCESS;
	if (alias > aliases->maximum)
		return MQTT_TOPIC_ALIAS_INVALID;
	if (publish->topic.len > 0)
		return define(aliases, alias, publish->topic);
	if (alias > aliases->count || aliases->topics[alias - 1].data == NULL)
		return MQTT_PROTOCOL_ERROR;
	topic = &aliases->topics[alias - 1];
	publish->topic = bytes_of(topic->data, topic->len);
	return MQTT_SUCCESS;
}

struct mqtt_alias_entry {
	struct mqtt_alias_entry *next;
	uint32_t hash;
	uint16_t alias;
	struct text topic;
};

void mqtt_alias_out_init(struct mqtt_alias_out *aliases, uint16_t maximum)
{
	memset(aliases, 0, sizeof(*aliases));
	aliases->maximum = maximum;
}

void mqtt_alias_out_clear(struct mqtt_alias_out *aliases)
{
	size_t i;

	for (i = 0; i < aliases->bucket_count; i++) {
		struct mqtt_alias_entry *entry = aliases->buckets[i];

		while (entry != NULL) {
			struct mqtt_alias_entry *next = entry->next;

			text_clear(&entry->topic);
			free(entry);
			entry = next;
		}
	}
	free(aliases->buckets);
	mqtt_alias_out_init(aliases, 0);
}

/* FNV-1a: the topics are our own application's, so nobody gains by making them collide. */
static uint32_t hash_of(struct bytes topic)
{
	uint32_t hash = 2166136261u;
	size_t i;

	for (i = 0; i < topic.len; i++)
		hash = (hash ^ topic.data[i]) * 16777619u;
	return hash;
}

uint16_t mqtt_alias_out_find(const struct mqtt_alias_out *aliases, struct bytes topic, bool *known)
{
	const struct mqtt_alias_entry *entry = NULL;
	uint32_t hash = hash_of(topic);

	if (aliases->bucket_count > 0)
		entry = aliases->buckets[hash & (aliases->bucket_count - 1)];
	while (entry != NULL &&
	       (entry->hash != hash ||
		!bytes_equal(bytes_of(entry->topic.data, entry->topic.len), topic)))
		entry = entry->next;
	*known = entry != NULL;
	if (entry != NULL)
		return entry->alias;
	return aliases->used < aliases->maximum ? (uint16_t)(aliases->used + 1) : 0;
}

static bool make_buckets(struct mqtt_alias_out *aliases)
{
	size_t count = 1;

	if (aliases->buckets != NULL)
		return true;
	while (count < aliases->maximum)
		count *= 2;
	aliases->buckets = calloc(count, sizeof(*aliases->buckets));
	if (aliases->buckets == NULL)
		return false;
	aliases->bucket_count = count;
	return true;
}

void mqtt_alias_out_define(struct mqtt_alias_out *aliases, struct bytes topic)
{
	struct mqtt_alias_entry *entry;
	struct mqtt_alias_entry **bucket;

	if (aliases->used == aliases->maximum || !make_buckets(aliases))
		return;
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return;
	if (!text_set(&entry->topic, (const char *)topic.data, topic.len)) {
		free(entry);
		return;
	}
	entry->hash = hash_of(topic);
	entry->alias = ++aliases->used;
	bucket = &aliases->buckets[entry->hash & (aliases->bucket_count - 1)];
	entry->next = *bucket;
	*bucket = entry;
}
