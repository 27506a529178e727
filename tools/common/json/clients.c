/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <json-c/json.h>

#include "common/json/clients.h"

static bool add(struct json_object *object, const char *name, struct json_object *value)
{
	if (value != NULL && json_object_object_add(object, name, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static bool add_number(struct json_object *object, const char *name, uint64_t number)
{
	return add(object, name, json_object_new_uint64(number));
}

static bool add_text(struct json_object *object, const char *name, const char *text)
{
	return add(object, name, json_object_new_string(text));
}

static bool add_bool(struct json_object *object, const char *name, bool value)
{
	return add(object, name, json_object_new_boolean(value));
}

static struct json_object *object_of(const struct found_client *client)
{
	const struct client_facts *facts = &client->facts;
	struct json_object *object = json_object_new_object();
	char number[32];

	snprintf(number, sizeof(number), "%u.%" PRIu64, client->worker, facts->number);
	if (object != NULL && add_text(object, "client", number) &&
	    add_number(object, "worker", client->worker) &&
	    add_text(object, "address", facts->address) && add_text(object, "id", facts->id) &&
	    add_text(object, "user", facts->user) && add_text(object, "cipher", facts->cipher) &&
	    add_number(object, "mqtt_level", facts->protocol) &&
	    add_bool(object, "resumed", facts->resumed != 0) &&
	    add_bool(object, "early_data", facts->early_data != 0) &&
	    add_number(object, "age_ms", facts->age_ms) &&
	    add_number(object, "rtt_us", facts->rtt_us) &&
	    add_number(object, "datagrams_sent", facts->sent) &&
	    add_number(object, "datagrams_received", facts->received) &&
	    add_number(object, "packets_lost", facts->lost) &&
	    add_number(object, "bytes_sent", facts->bytes_sent) &&
	    add_number(object, "bytes_received", facts->bytes_received) &&
	    add_number(object, "streams", facts->streams) &&
	    add_number(object, "queued_bytes", facts->queued) &&
	    add_number(object, "memory_bytes", facts->memory))
		return object;
	json_object_put(object);
	return NULL;
}

static struct json_object *array_of(const struct found *found)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; array != NULL && i < found->count; i++) {
		struct json_object *object = object_of(&found->clients[i]);

		if (object != NULL && json_object_array_add(array, object) == 0)
			continue;
		json_object_put(object);
		json_object_put(array);
		array = NULL;
	}
	return array;
}

bool json_print_clients(FILE *out, const struct found *found)
{
	struct json_object *array = array_of(found);
	const char *text =
		array == NULL
			? NULL
			: json_object_to_json_string_ext(
				  array, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text != NULL)
		fprintf(out, "%s\n", text);
	json_object_put(array);
	return text != NULL;
}
