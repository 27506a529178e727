/* SPDX-License-Identifier: MIT */
#include "retained.h"

#include "../common/say.h"

#include <stdlib.h>
#include <string.h>

bool retained_init(struct retained *retained)
{
	memset(retained, 0, sizeof(*retained));
	return mquic_message_new(&retained->message) == MQUIC_OK &&
	       mquic_message_set_qos(retained->message, 1) == MQUIC_OK &&
	       mquic_message_set_retain(retained->message, true) == MQUIC_OK;
}

void retained_free(struct retained *retained)
{
	while (retained->first < retained->count)
		free(retained->topics[retained->first++]);
	free(retained->topics);
	mquic_message_free(retained->message);
}

/* Room for one more: what was in front of the first is used before more is asked for. */
static bool make_room(struct retained *retained)
{
	size_t size = retained->size ? retained->size * 2 : 16;
	char **topics;

	if (retained->count < retained->size)
		return true;
	if (retained->first >= retained->size / 2 && retained->first > 0) {
		retained->count -= retained->first;
		memmove(retained->topics, retained->topics + retained->first,
			retained->count * sizeof(*retained->topics));
		retained->first = 0;
		return true;
	}
	topics = realloc(retained->topics, size * sizeof(*topics));
	if (!topics)
		return false;
	retained->topics = topics;
	retained->size = size;
	return true;
}

/* With the pointer, and what the allocator takes. */
static size_t cost(const char *topic)
{
	return strlen(topic) + 40;
}

enum mquic_status retained_add(struct retained *retained, const char *topic)
{
	char *copy;

	if (retained->bytes + cost(topic) > RETAINED_MOST)
		return MQUIC_ERR_LIMIT;
	copy = make_room(retained) ? strdup(topic) : NULL;
	if (!copy)
		return MQUIC_ERR_MEMORY;
	retained->topics[retained->count++] = copy;
	retained->bytes += cost(topic);
	return MQUIC_OK;
}

/* False if the session takes no more now. */
static bool clear(struct retained *retained, struct mquic_session *session, const char *topic)
{
	enum mquic_status status =
		mquic_message_set_topic(retained->message, topic, MQUIC_NUL_TERMINATED);

	if (status == MQUIC_OK)
		status = mquic_session_publish(session, retained->message, NULL);
	if (status == MQUIC_ERR_AGAIN || status == MQUIC_ERR_STATE)
		return false;
	if (status != MQUIC_OK)
		say_warning("A retained message is not removed: %s.", mquic_session_error(session));
	return true;
}

void retained_send(struct retained *retained, struct mquic_session *session)
{
	while (retained->first < retained->count) {
		char *topic = retained->topics[retained->first];

		if (!clear(retained, session, topic))
			return;
		retained->bytes -= cost(topic);
		retained->first++;
		free(topic);
	}
	retained->first = retained->count = 0;
}

bool retained_is_done(const struct retained *retained, const struct mquic_session *session)
{
	return retained->count == 0 && mquic_session_inflight(session) == 0;
}
