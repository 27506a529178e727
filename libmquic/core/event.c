/* SPDX-License-Identifier: MIT */
#include "core/event.h"

#include <stdlib.h>
#include <string.h>

/* What an allocator adds to a block, for its own books and by rounding up. */
#define BLOCK_OVERHEAD 32

void event_queue_init(struct event_queue *queue)
{
	list_init(&queue->events);
	queue->cost = 0;
}

struct mquic_event *event_new(enum mquic_event_type type)
{
	struct mquic_event *event = calloc(1, sizeof(*event));

	if (event != NULL) {
		event->type = type;
		event_charge(event, sizeof(*event));
	}
	return event;
}

void event_charge(struct mquic_event *event, size_t size)
{
	event->cost += size + BLOCK_OVERHEAD;
}

struct event_details *event_details(struct mquic_event *event)
{
	if (event->details != NULL)
		return event->details;
	event->details = calloc(1, sizeof(*event->details));
	if (event->details != NULL)
		event_charge(event, sizeof(*event->details));
	return event->details;
}

void event_set_text(struct mquic_event *event, const char *data, size_t len)
{
	char *text = malloc(len + 1);

	if (text == NULL)
		return;
	text_printable(text, len + 1, data, len);
	event_charge(event, len + 1);
	free(event->text);
	event->text = text;
}

void event_queue_push(struct event_queue *queue, struct mquic_event *event)
{
	list_append(&queue->events, &event->link);
	event->counted = event->cost;
	queue->cost += event->counted;
	if (event->queued != NULL)
		*event->queued = true;
}

static void event_queue_drop(struct event_queue *queue, struct mquic_event *event)
{
	list_remove(&event->link);
	queue->cost -= event->counted;
	if (event->queued != NULL)
		*event->queued = false;
}

struct mquic_event *event_queue_pop(struct event_queue *queue)
{
	struct mquic_event *event;

	if (list_is_empty(&queue->events))
		return NULL;
	event = list_entry(queue->events.next, struct mquic_event, link);
	event_queue_drop(queue, event);
	return event;
}

void event_queue_purge(struct event_queue *queue, const void *owner)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &queue->events) {
		struct mquic_event *event = list_entry(node, struct mquic_event, link);

		if (event->owner != owner)
			continue;
		event_queue_drop(queue, event);
		mquic_event_free(event);
	}
}

static void event_details_free(struct event_details *details)
{
	if (details == NULL)
		return;
	pairs_clear(&details->user_properties);
	free(details->auth_data);
	text_clear(&details->reason_string);
	text_clear(&details->server_reference);
	text_clear(&details->response_information);
	free(details->reasons);
	free(details);
}

void mquic_event_free(struct mquic_event *event)
{
	if (event == NULL)
		return;
	if (event->message != NULL)
		event->message_free(event->message);
	event_details_free(event->details);
	free(event->text);
	free(event);
}

enum mquic_event_type mquic_event_type(const struct mquic_event *event)
{
	return event == NULL ? (enum mquic_event_type)0 : event->type;
}

const char *mquic_event_type_text(enum mquic_event_type type)
{
	switch (type) {
	case MQUIC_EVENT_ACCEPTABLE:
		return "ACCEPTABLE";
	case MQUIC_EVENT_CONNECTION_READY:
		return "CONNECTION_READY";
	case MQUIC_EVENT_CONNECTION_CLOSED:
		return "CONNECTION_CLOSED";
	case MQUIC_EVENT_STREAM_ACCEPTABLE:
		return "STREAM_ACCEPTABLE";
	case MQUIC_EVENT_STREAM_READABLE:
		return "STREAM_READABLE";
	case MQUIC_EVENT_STREAM_WRITABLE:
		return "STREAM_WRITABLE";
	case MQUIC_EVENT_STREAM_CLOSED:
		return "STREAM_CLOSED";
	case MQUIC_EVENT_CONNECTED:
		return "CONNECTED";
	case MQUIC_EVENT_MESSAGE:
		return "MESSAGE";
	case MQUIC_EVENT_DELIVERED:
		return "DELIVERED";
	case MQUIC_EVENT_SUBSCRIBED:
		return "SUBSCRIBED";
	case MQUIC_EVENT_UNSUBSCRIBED:
		return "UNSUBSCRIBED";
	case MQUIC_EVENT_WRITABLE:
		return "WRITABLE";
	case MQUIC_EVENT_AUTH:
		return "AUTH";
	case MQUIC_EVENT_DISCONNECTED:
		return "DISCONNECTED";
	case MQUIC_EVENT_RELAY_CONNECT:
		return "RELAY_CONNECT";
	case MQUIC_EVENT_RELAY_READABLE:
		return "RELAY_READABLE";
	case MQUIC_EVENT_RELAY_WRITABLE:
		return "RELAY_WRITABLE";
	case MQUIC_EVENT_RELAY_CLOSED:
		return "RELAY_CLOSED";
	}
	return "UNKNOWN";
}

struct mquic_connection *mquic_event_connection(const struct mquic_event *event)
{
	return event == NULL ? NULL : event->connection;
}

struct mquic_stream *mquic_event_stream(const struct mquic_event *event)
{
	return event == NULL ? NULL : event->stream;
}

struct mquic_session *mquic_event_session(const struct mquic_event *event)
{
	return event == NULL ? NULL : event->session;
}

struct mquic_relay *mquic_event_relay(const struct mquic_event *event)
{
	return event == NULL ? NULL : event->relay;
}

const struct mquic_message *mquic_event_message(const struct mquic_event *event)
{
	return event == NULL ? NULL : event->message;
}

struct mquic_message *mquic_event_take_message(struct mquic_event *event)
{
	struct mquic_message *message = event == NULL ? NULL : event->message;

	if (message != NULL)
		event->message = NULL;
	return message;
}

uint16_t mquic_event_packet_id(const struct mquic_event *event)
{
	return event == NULL ? 0 : event->packet_id;
}

size_t mquic_event_reason_count(const struct mquic_event *event)
{
	if (event == NULL)
		return 0;
	if (event->details != NULL && event->details->reason_count > 0)
		return event->details->reason_count;
	return event->has_reason ? 1 : 0;
}

uint8_t mquic_event_reason(const struct mquic_event *event, size_t index)
{
	if (index >= mquic_event_reason_count(event))
		return 0;
	if (event->details != NULL && event->details->reason_count > 0)
		return event->details->reasons[index];
	return event->reason;
}

bool mquic_event_session_present(const struct mquic_event *event)
{
	return event != NULL && event->session_present;
}

enum mquic_status mquic_event_status(const struct mquic_event *event)
{
	return event == NULL ? MQUIC_ERR_INVALID : event->status;
}

enum mquic_origin mquic_event_origin(const struct mquic_event *event)
{
	return event == NULL ? MQUIC_ORIGIN_LOCAL : event->origin;
}

uint64_t mquic_event_code(const struct mquic_event *event)
{
	return event == NULL ? 0 : event->code;
}

const char *mquic_event_text(const struct mquic_event *event)
{
	return event == NULL || event->text == NULL ? "" : event->text;
}

const uint8_t *mquic_event_auth_data(const struct mquic_event *event, size_t *len)
{
	const struct event_details *details = event == NULL ? NULL : event->details;
	bool there = details != NULL && details->auth_data != NULL;

	if (len != NULL)
		*len = there ? details->auth_data_len : 0;
	return there ? details->auth_data : NULL;
}

/* A text of the details, NULL if it, or all of them, is not there. */
static const char *show(const struct text *text, size_t *len)
{
	bool there = text != NULL && text->data != NULL;

	if (len != NULL)
		*len = there ? text->len : 0;
	return there ? text->data : NULL;
}

static const struct event_details *details_of(const struct mquic_event *event)
{
	return event == NULL ? NULL : event->details;
}

const char *mquic_event_reason_string(const struct mquic_event *event, size_t *len)
{
	const struct event_details *details = details_of(event);

	return show(details == NULL ? NULL : &details->reason_string, len);
}

const char *mquic_event_server_reference(const struct mquic_event *event, size_t *len)
{
	const struct event_details *details = details_of(event);

	return show(details == NULL ? NULL : &details->server_reference, len);
}

const char *mquic_event_response_information(const struct mquic_event *event, size_t *len)
{
	const struct event_details *details = details_of(event);

	return show(details == NULL ? NULL : &details->response_information, len);
}

bool mquic_event_user_property(const struct mquic_event *event, size_t index, const char **name,
			       size_t *name_len, const char **value, size_t *value_len)
{
	struct pair_texts texts;

	if (event == NULL || event->details == NULL ||
	    !pairs_get(&event->details->user_properties, index, &texts))
		return false;
	if (name != NULL)
		*name = texts.name;
	if (name_len != NULL)
		*name_len = texts.name_len;
	if (value != NULL)
		*value = texts.value;
	if (value_len != NULL)
		*value_len = texts.value_len;
	return true;
}
