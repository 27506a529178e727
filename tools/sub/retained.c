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
	for (size_t i = 0; i < retained->count; i++)
		free(retained->topics[i]);
	free(retained->topics);
	mquic_message_free(retained->message);
}

static bool grow(struct retained *retained)
{
	size_t size = retained->size ? retained->size * 2 : 16;
	char **topics;

	if (retained->count < retained->size)
		return true;
	topics = realloc(retained->topics, size * sizeof(*topics));
	if (!topics)
		return false;
	retained->topics = topics;
	retained->size = size;
	return true;
}

bool retained_add(struct retained *retained, const char *topic)
{
	char *copy = grow(retained) ? strdup(topic) : NULL;

	if (!copy)
		return false;
	retained->topics[retained->count++] = copy;
	return true;
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
	size_t sent = 0;

	if (retained->count == 0)
		return;
	while (sent < retained->count && clear(retained, session, retained->topics[sent]))
		free(retained->topics[sent++]);
	retained->count -= sent;
	memmove(retained->topics, retained->topics + sent,
		retained->count * sizeof(*retained->topics));
}

bool retained_is_done(const struct retained *retained, const struct mquic_session *session)
{
	return retained->count == 0 && mquic_session_inflight(session) == 0;
}
