/* SPDX-License-Identifier: MIT */
#include "mqtt/suspect.h"

static struct mqtt_outgoing *outgoing_of(struct list *node)
{
	return list_entry(node, struct mqtt_outgoing, link);
}

void mqtt_suspect_answered(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing)
{
	outgoing->endings = 0;
	if (outgoing->turn > inflight->answered)
		inflight->answered = outgoing->turn;
}

/* What was sent before the last answer is cleared; returns the first behind it, NULL if none. */
static struct mqtt_outgoing *first_unanswered(struct mqtt_inflight *inflight)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &inflight->sent) {
		struct mqtt_outgoing *outgoing = outgoing_of(node);

		if (outgoing->turn > inflight->answered)
			return outgoing;
		if (outgoing->turn > 0)
			outgoing->endings = 0;
	}
	return NULL;
}

struct mqtt_outgoing *mqtt_suspect_ended(struct mqtt_inflight *inflight)
{
	struct mqtt_outgoing *suspect = first_unanswered(inflight);

	/* SUBSCRIBE is not sent again by itself: whoever does so sees what comes of it. */
	if (suspect == NULL || suspect->type != MQTT_PUBLISH)
		return NULL;
	return ++suspect->endings >= MQTT_ENDINGS_MAX ? suspect : NULL;
}

/* Whether a suspect was sent on this connection, and neither it nor one behind it is answered. */
static bool is_suspect_on_its_way(const struct mqtt_inflight *inflight)
{
	const struct mqtt_outgoing *last;

	if (list_is_empty(&inflight->sent))
		return false;
	/* It travels alone, so nothing was sent behind it. */
	last = outgoing_of(inflight->sent.prev);
	return last->message != NULL && last->endings > 0 && last->turn > inflight->answered;
}

bool mqtt_suspect_holds(const struct mqtt_inflight *inflight, const struct mqtt_outgoing *outgoing)
{
	if (is_suspect_on_its_way(inflight))
		return true;
	return outgoing != NULL && outgoing->message != NULL && outgoing->endings > 0 &&
	       inflight->window > 0;
}
