/* SPDX-License-Identifier: MIT */
/* SUBSCRIBE, UNSUBSCRIBE and what answers them. See merge-body.h. */
#include <stdlib.h>
#include <string.h>

#include "mqtt/merge-body.h"
#include "mqtt/topic.h"

/* A request that the broker has yet to answer. */
struct merge_request {
	struct list link;
	uint16_t id; /* the broker's */
	uint8_t slot;
	enum mqtt_type type;
	bool raised;   /* SUBSCRIBE: the broker was asked for a higher QoS */
	uint8_t *kept; /* UNSUBSCRIBE: a byte for each filter, 1: the broker was not asked */
	size_t count;
	size_t section_len;
	uint8_t section[]; /* the filters, as in the packet */
};

static struct bytes section_of(const struct merge_request *request)
{
	return bytes_of(request->section, request->section_len);
}

static void forget(struct merge *merge, struct merge_request *request)
{
	list_remove(&request->link);
	merge->request_count--;
	merge->request_bytes -= request->section_len;
	free(request->kept);
	free(request);
}

void merge_forget_requests(struct merge *merge)
{
	while (!list_is_empty(&merge->requests))
		forget(merge, list_entry(merge->requests.next, struct merge_request, link));
}

static struct merge_request *remember(struct merge *merge, uint16_t id, size_t slot,
				      const struct mqtt_subscribe *asked)
{
	struct merge_request *request = malloc(sizeof(*request) + asked->section.len);

	if (request == NULL) {
		merge->failed = true;
		return NULL;
	}
	memset(request, 0, sizeof(*request));
	request->id = id;
	request->slot = (uint8_t)slot;
	request->type = asked->type;
	request->count = asked->filter_count;
	request->section_len = asked->section.len;
	memcpy(request->section, asked->section.data, asked->section.len);
	list_append(&merge->requests, &request->link);
	merge->request_count++;
	merge->request_bytes += asked->section.len;
	return request;
}

static struct merge_request *find(struct merge *merge, uint16_t id, enum mqtt_type type)
{
	struct list *node;

	for (node = merge->requests.next; node != &merge->requests; node = node->next) {
		struct merge_request *request = list_entry(node, struct merge_request, link);

		if (request->id == id && request->type == type)
			return request;
	}
	return NULL;
}

static uint16_t make_id(struct merge *merge, size_t slot, const struct mqtt_subscribe *asked)
{
	struct merge_request_id request = {
		.slot = (uint8_t)slot,
		.kind = asked->type == MQTT_SUBSCRIBE ? MERGE_SUBSCRIBE : MERGE_UNSUBSCRIBE,
		.client_id = asked->packet_id,
	};
	uint16_t id = merge_make_id(merge, &request);

	merge_blame_without_id(merge, slot, id);
	return id;
}

/* ---- SUBSCRIBE --------------------------------------------------------------------------- */

static void hold_all(struct merge *merge, const struct mqtt_subscribe *asked,
		     struct merge_filter facts)
{
	struct buf_reader walk = buf_reader_of(asked->section);
	struct mqtt_filter filter;

	facts.client_id = mqtt_properties_number(&asked->properties, MQTT_SUBSCRIPTION_ID, 0);
	while (mqtt_subscribe_next(asked, &walk, &filter)) {
		facts.qos = filter.options & MQTT_OPTION_QOS;
		facts.as_published = (filter.options & MQTT_OPTION_AS_PUBLISHED) != 0;
		merge->failed |= !merge_filters_hold(&merge->filters, filter.filter, &facts);
	}
}

/* The filters of an UNSUBSCRIBE are no longer this slot's. */
static void release_all(struct merge *merge, size_t slot, struct bytes section)
{
	struct mqtt_subscribe asked = {.type = MQTT_UNSUBSCRIBE};
	struct buf_reader walk = buf_reader_of(section);
	struct mqtt_filter filter;

	while (mqtt_subscribe_next(&asked, &walk, &filter))
		merge_filters_release(&merge->filters, filter.filter, slot);
}

void merge_watch_subscribe(struct merge *merge, const struct mqtt_packet *packet)
{
	struct merge_request_id noted = {.slot = 0, .kind = MERGE_SUBSCRIBE};
	struct mqtt_subscribe asked;

	if (mqtt_subscribe_read(&asked, packet, merge->version) != MQTT_SUCCESS)
		return; /* the broker will say so */
	if (packet->type == MQTT_UNSUBSCRIBE) {
		noted.kind = MERGE_UNSUBSCRIBE;
		release_all(merge, 0, asked.section);
	} else if (merge_filters_has_room(&merge->filters, &asked)) {
		hold_all(merge, &asked, (struct merge_filter){.request = asked.packet_id});
	}
	noted.client_id = asked.packet_id;
	merge_note_id(merge, asked.packet_id, &noted);
	if (merge->request_count < MERGE_REQUESTS_MAX &&
	    merge->request_bytes < MERGE_REQUEST_BYTES_MAX)
		(void)remember(merge, asked.packet_id, 0, &asked);
}

/* SUBACK or UNSUBACK from us; the codes, NULL if there was no memory for them, are freed. */
static void answer(struct merge *merge, size_t slot, struct mqtt_suback *said, uint8_t *codes,
		   size_t count)
{
	if (codes == NULL) {
		merge->failed = true;
		return;
	}
	said->reasons = bytes_of(codes, count);
	mqtt_properties_init(&said->properties);
	mqtt_suback_write(&merge->slots[slot].output, said, merge->version);
	merge->failed |= merge->slots[slot].output.failed;
	free(codes);
}

/* More filters than are looked after. */
static void refuse(struct merge *merge, size_t slot, const struct mqtt_subscribe *asked)
{
	uint8_t *codes = malloc(asked->filter_count);
	struct mqtt_suback said = {.type = MQTT_SUBACK, .packet_id = asked->packet_id};

	if (codes != NULL)
		memset(codes,
		       merge->version == MQTT_5 ? MQTT_QUOTA_EXCEEDED : MQTT_UNSPECIFIED_ERROR,
		       asked->filter_count);
	answer(merge, slot, &said, codes, asked->filter_count);
}

static bool has_deep_filter(const struct mqtt_subscribe *asked)
{
	struct buf_reader walk = buf_reader_of(asked->section);
	struct mqtt_filter filter;

	while (mqtt_subscribe_next(asked, &walk, &filter))
		if (merge_is_too_deep(filter.filter))
			return true;
	return false;
}

/* Reads what a stream asks for. False: it is malformed, and has been dealt with. */
static bool read_request(struct merge *merge, size_t slot, const struct mqtt_packet *packet,
			 struct mqtt_subscribe *asked)
{
	enum mqtt_reason reason = mqtt_subscribe_read(asked, packet, merge->version);

	if (reason == MQTT_SUCCESS && slot > 0 && has_deep_filter(asked))
		reason = MQTT_TOPIC_FILTER_INVALID;
	if (reason == MQTT_SUCCESS)
		return true;
	merge_blame(merge, slot, reason);
	if (slot == 0)
		merge_write(merge, &merge->up, packet); /* the broker will say so */
	return false;
}

void merge_take_subscribe(struct merge *merge, size_t slot, const struct mqtt_packet *packet)
{
	struct merge_filter facts = {.slot = (uint8_t)slot};
	struct merge_request *request;
	struct mqtt_subscribe asked;

	if (!read_request(merge, slot, packet, &asked))
		return;
	if (!merge_filters_has_room(&merge->filters, &asked)) {
		refuse(merge, slot, &asked);
		return;
	}
	facts.request = make_id(merge, slot, &asked);
	request = facts.request == 0 ? NULL : remember(merge, facts.request, slot, &asked);
	if (request == NULL)
		return;
	facts.route = merge_next_route(merge);
	hold_all(merge, &asked, facts);
	request->raised = merge_write_subscribe(merge, packet, &asked, &facts);
}

/* ---- UNSUBSCRIBE ------------------------------------------------------------------------- */

/* Whether the broker need not be asked: another stream goes on with the filter. */
static bool leave(struct merge *merge, size_t slot, struct bytes filter)
{
	bool held = merge_filters_find(&merge->filters, filter, slot) != NULL;
	bool other = merge_filters_has_other(&merge->filters, filter, slot);

	merge_filters_release(&merge->filters, filter, held ? slot : MERGE_ANYBODY);
	return held && other;
}

static void write_kept(struct buf_writer *to, const struct mqtt_subscribe *asked,
		       const uint8_t *kept)
{
	struct buf_reader walk = buf_reader_of(asked->section);
	struct mqtt_filter filter;
	size_t i;

	for (i = 0; mqtt_subscribe_next(asked, &walk, &filter); i++)
		if (kept[i] == 0)
			mqtt_write_binary(to, filter.filter);
}

/* UNSUBSCRIBE without the filters that are kept; user properties are for nobody then. */
static void write_some(struct merge *merge, const struct mqtt_subscribe *asked, uint16_t id,
		       const uint8_t *kept)
{
	size_t fixed = merge->version == MQTT_5 ? 3 : 2;
	struct buf_writer section;

	buf_writer_init_counter(&section);
	write_kept(&section, asked, kept);
	mqtt_header_write(&merge->up, MQTT_UNSUBSCRIBE, 2, fixed + section.len);
	buf_write_u16(&merge->up, id);
	if (merge->version == MQTT_5)
		mqtt_properties_write(&merge->up, NULL);
	write_kept(&merge->up, asked, kept);
	merge->failed |= merge->up.failed;
}

/* The codes of the broker, with those put in that it was not asked for. Made for the caller. */
static uint8_t *all_codes(const struct merge_request *request, struct bytes codes)
{
	uint8_t *all = calloc(1, request->count);
	struct buf_reader reader = buf_reader_of(codes);
	size_t i;

	for (i = 0; all != NULL && i < request->count; i++)
		if (request->kept[i] == 0)
			all[i] = buf_read_u8(&reader);
	return all;
}

static void answer_unsubscribe(struct merge *merge, const struct merge_request *request,
			       uint16_t client_id, struct bytes codes)
{
	struct mqtt_suback said = {.type = MQTT_UNSUBACK, .packet_id = client_id};

	answer(merge, request->slot, &said, all_codes(request, codes), request->count);
}

/* Which filters stay; returns how many. */
static size_t leave_all(struct merge *merge, size_t slot, const struct mqtt_subscribe *asked,
			uint8_t *kept)
{
	struct buf_reader walk = buf_reader_of(asked->section);
	struct mqtt_filter filter;
	size_t count = 0;
	size_t i;

	for (i = 0; mqtt_subscribe_next(asked, &walk, &filter); i++) {
		kept[i] = leave(merge, slot, filter.filter);
		count += kept[i];
	}
	return count;
}

void merge_take_unsubscribe(struct merge *merge, size_t slot, const struct mqtt_packet *packet)
{
	struct mqtt_subscribe asked;
	struct merge_request *request;
	uint16_t id;
	size_t kept;

	if (!read_request(merge, slot, packet, &asked))
		return;
	id = make_id(merge, slot, &asked);
	request = id == 0 ? NULL : remember(merge, id, slot, &asked);
	if (request == NULL)
		return;
	request->kept = calloc(1, asked.filter_count);
	if (request->kept == NULL) {
		merge->failed = true;
		return;
	}
	kept = leave_all(merge, slot, &asked, request->kept);
	if (kept == 0) {
		free(request->kept);
		request->kept = NULL;
		merge_write_with_id(merge, &merge->up, packet, 0, id);
	} else if (kept < asked.filter_count) {
		write_some(merge, &asked, id, request->kept);
	} else {
		answer_unsubscribe(merge, request, asked.packet_id, bytes_of(NULL, 0));
		merge_drop_id(merge, id);
		forget(merge, request);
	}
}

/* ---- Answers ----------------------------------------------------------------------------- */

/* Filters that were refused are nobody's; those that were granted are no longer awaited. */
static void settle_subscribe(struct merge *merge, const struct merge_request *request,
			     struct bytes codes)
{
	struct mqtt_subscribe asked = {.type = request->type};
	struct buf_reader walk = buf_reader_of(section_of(request));
	struct buf_reader reader = buf_reader_of(codes);
	struct mqtt_filter filter;

	while (mqtt_subscribe_next(&asked, &walk, &filter)) {
		struct merge_filter *held =
			merge_filters_find(&merge->filters, filter.filter, request->slot);
		uint8_t code = buf_read_u8(&reader);

		if (held == NULL || held->request != request->id)
			continue; /* asked for again meanwhile, or given up */
		held->request = 0;
		if (code >= MQTT_FIRST_ERROR)
			merge_filters_release(&merge->filters, filter.filter, request->slot);
	}
}

/* The answer to whoever asked, as far as that is known. */
static void pass_answer(struct merge *merge, const struct mqtt_packet *packet,
			const struct merge_request_id *asker, const struct merge_request *request)
{
	struct buf_writer *output;
	size_t before;

	if (merge->slots == NULL || asker->slot >= MERGE_SLOTS)
		return;
	output = &merge->slots[asker->slot].output;
	before = output->len;
	merge_output_with_id(merge, asker->slot, packet, asker->client_id);
	if (request != NULL && request->raised && output->len > before)
		merge_lower_codes(output, section_of(request), request->count);
}

static void answer_asker(struct merge *merge, const struct mqtt_packet *packet,
			 const struct merge_request_id *asker, const struct merge_request *request)
{
	struct mqtt_suback said;

	if (request != NULL && request->kept != NULL && asker->slot != MERGE_NOBODY &&
	    merge->version == MQTT_5 &&
	    mqtt_suback_read(&said, packet, merge->version) == MQTT_SUCCESS)
		answer_unsubscribe(merge, request, asker->client_id, said.reasons);
	else
		pass_answer(merge, packet, asker, request);
}

void merge_answer_request(struct merge *merge, const struct mqtt_packet *packet)
{
	struct merge_request_id asker;
	struct mqtt_suback answer;
	struct merge_request *request;

	if (mqtt_suback_read(&answer, packet, merge->version) != MQTT_SUCCESS)
		return;
	request = find(merge, answer.packet_id,
		       packet->type == MQTT_SUBACK ? MQTT_SUBSCRIBE : MQTT_UNSUBSCRIBE);
	/* Of what was asked twice with one number the first answer has been passed on. */
	if (merge_find_id(merge, answer.packet_id, &asker) && asker.kind >= MERGE_SUBSCRIBE)
		merge_drop_id(merge, answer.packet_id);
	else
		asker.slot = MERGE_NOBODY;
	if (request != NULL && packet->type == MQTT_SUBACK)
		settle_subscribe(merge, request, answer.reasons);
	else if (request != NULL && asker.slot == MERGE_NOBODY)
		release_all(merge, MERGE_NOBODY, section_of(request));
	answer_asker(merge, packet, &asker, request);
	if (request != NULL)
		forget(merge, request);
}

/* ---- The end of a stream ------------------------------------------------------------------- */

/* UNSUBSCRIBE from us, for one filter. */
static void ask_to_forget(struct merge *merge, struct bytes text)
{
	struct merge_request_id ours = {.slot = MERGE_NOBODY, .kind = MERGE_UNSUBSCRIBE};
	struct mqtt_filter filter = {.filter = text};
	struct mqtt_subscribe asked = {
		.type = MQTT_UNSUBSCRIBE, .filter_count = 1, .filters = &filter};
	struct buf_writer section;

	mqtt_properties_init(&asked.properties);
	asked.packet_id = merge_make_id(merge, &ours);
	buf_writer_init(&section, SIZE_MAX);
	mqtt_write_binary(&section, text);
	asked.section = buf_writer_content(&section);
	if (asked.packet_id == 0 || section.failed ||
	    remember(merge, asked.packet_id, MERGE_NOBODY, &asked) == NULL)
		merge->failed = true;
	else
		mqtt_subscribe_write(&merge->up, &asked, merge->version);
	merge->failed |= merge->up.failed;
	buf_writer_clear(&section);
}

void merge_unsubscribe_all(struct merge *merge, size_t slot)
{
	size_t i = 0;

	while (i < merge->filters.count && !merge->failed) {
		struct merge_filter *filter = &merge->filters.items[i];

		if (filter->slot != slot) {
			i++;
		} else if (merge_filters_has_other(&merge->filters, merge_filter_text(filter),
						   slot)) {
			merge_filters_remove(&merge->filters, i);
		} else {
			/* Until the broker has answered, deliveries for it are for nobody. */
			filter->slot = MERGE_NOBODY;
			filter->request = 0;
			ask_to_forget(merge, merge_filter_text(filter));
		}
	}
}
