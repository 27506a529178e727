/* SPDX-License-Identifier: MIT */
/* Who has subscribed to what, and for whom a delivery is. See merge-body.h. */
#include <stdlib.h>
#include <string.h>

#include "mqtt/merge-body.h"
#include "mqtt/topic.h"

void merge_filters_clear(struct merge_filters *filters)
{
	size_t i;

	for (i = 0; i < filters->count; i++)
		free(filters->items[i].text);
	free(filters->items);
	memset(filters, 0, sizeof(*filters));
}

struct merge_filter *merge_filters_find(const struct merge_filters *filters, struct bytes text,
					size_t slot)
{
	size_t i;

	for (i = 0; i < filters->count; i++)
		if (filters->items[i].slot == slot &&
		    bytes_equal(merge_filter_text(&filters->items[i]), text))
			return &filters->items[i];
	return NULL;
}

static bool is_anothers(const struct merge_filter *filter, struct bytes text, size_t slot)
{
	return filter->slot != slot && filter->slot != MERGE_NOBODY &&
	       bytes_equal(merge_filter_text(filter), text);
}

bool merge_filters_has_other(const struct merge_filters *filters, struct bytes text, size_t slot)
{
	size_t i;

	for (i = 0; i < filters->count; i++)
		if (is_anothers(&filters->items[i], text, slot))
			return true;
	return false;
}

uint8_t merge_filters_qos_of_others(const struct merge_filters *filters, struct bytes text,
				    size_t slot)
{
	uint8_t highest = 0;
	size_t i;

	for (i = 0; i < filters->count; i++)
		if (filters->items[i].qos > highest && is_anothers(&filters->items[i], text, slot))
			highest = filters->items[i].qos;
	return highest;
}

bool merge_filters_has_room(const struct merge_filters *filters, const struct mqtt_subscribe *more)
{
	return filters->count + more->filter_count <= MERGE_FILTERS_MAX &&
	       filters->bytes + more->section.len <= MERGE_FILTER_BYTES_MAX;
}

void merge_filters_remove(struct merge_filters *filters, size_t at)
{
	filters->bytes -= filters->items[at].len;
	free(filters->items[at].text);
	filters->count--;
	memmove(&filters->items[at], &filters->items[at + 1],
		(filters->count - at) * sizeof(filters->items[0]));
}

void merge_filters_release(struct merge_filters *filters, struct bytes text, size_t slot)
{
	size_t i = 0;

	while (i < filters->count) {
		const struct merge_filter *filter = &filters->items[i];

		if ((slot == MERGE_ANYBODY || filter->slot == slot) &&
		    bytes_equal(merge_filter_text(filter), text))
			merge_filters_remove(filters, i);
		else
			i++;
	}
}

/* The broker has one subscription for a filter, whoever asks: the last one's identifier. */
static void share_route(struct merge_filters *filters, struct bytes text, uint32_t route)
{
	size_t i;

	for (i = 0; i < filters->count; i++)
		if (bytes_equal(merge_filter_text(&filters->items[i]), text))
			filters->items[i].route = route;
}

static bool append(struct merge_filters *filters, const struct merge_filter *made)
{
	struct merge_filter *items = filters->items;

	/* Powers of two, from one on: most clients have few. */
	if ((filters->count & (filters->count - 1)) == 0) {
		size_t room = filters->count == 0 ? 1 : filters->count * 2;

		items = realloc(items, room * sizeof(*items));
		if (items == NULL)
			return false;
		filters->items = items;
	}
	items[filters->count++] = *made;
	filters->bytes += made->len;
	return true;
}

bool merge_filters_hold(struct merge_filters *filters, struct bytes text,
			const struct merge_filter *facts)
{
	struct merge_filter made = *facts;

	made.text = malloc(text.len > 0 ? text.len : 1);
	if (made.text == NULL)
		return false;
	memcpy(made.text, text.data, text.len);
	made.len = (uint32_t)text.len;
	text = merge_filter_text(&made); /* what was given may be what is released */
	merge_filters_release(filters, text, facts->slot);
	share_route(filters, text, facts->route);
	if (append(filters, &made))
		return true;
	free(made.text);
	return false;
}

/* ---- For whom a delivery is ---- */

static void choose(struct merge_choice *choice, const struct merge_filter *filter)
{
	choice->known = true;
	if (filter->slot == MERGE_NOBODY)
		return;
	choice->slots |= 1u << filter->slot;
	choice->client_ids[filter->slot] = filter->client_id;
}

/* A retained message answers one SUBSCRIBE: the oldest that has none yet, or the last. */
static void choose_one(struct merge_choice *choice, const struct merge_filter *filter,
		       const struct merge_filter **best)
{
	if (*best != NULL && ((*best)->request != 0 || filter->slot == MERGE_NOBODY))
		return;
	*best = filter;
	choice->slots = 0;
	choose(choice, filter);
}

void merge_filters_choose_by_route(const struct merge_filters *filters, uint32_t route,
				   struct bytes topic, bool retain, struct merge_choice *choice)
{
	const struct merge_filter *best = NULL;
	size_t i;

	for (i = 0; i < filters->count; i++) {
		const struct merge_filter *filter = &filters->items[i];

		if (filter->route != route || !mqtt_topic_matches(merge_filter_text(filter), topic))
			continue;
		/* The mark is for retained messages alone, unless more was asked for (3.8.3.1). */
		if (retain && !filter->as_published)
			choose_one(choice, filter, &best);
		else
			choose(choice, filter);
	}
}

static bool matches(const struct merge_filter *filter, struct bytes topic, bool shared)
{
	struct bytes text = merge_filter_text(filter);

	return mqtt_topic_is_shared(text) == shared && mqtt_topic_matches(text, topic);
}

void merge_filters_choose_by_topic(const struct merge_filters *filters, struct bytes topic,
				   bool retain, struct merge_choice *choice)
{
	const struct merge_filter *best = NULL;
	size_t i;

	for (i = 0; i < filters->count; i++)
		if (matches(&filters->items[i], topic, false)) {
			if (retain)
				choose_one(choice, &filters->items[i], &best);
			else
				choose(choice, &filters->items[i]);
		}
	/* Of a shared one any member may get the message: only one that is for nobody else. */
	for (i = 0; i < filters->count && choice->slots == 0; i++)
		if (matches(&filters->items[i], topic, true))
			choose(choice, &filters->items[i]);
}
