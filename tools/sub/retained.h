/* SPDX-License-Identifier: MIT */
/* --remove-retained: clears retained messages by empty ones in their place (MQTT 5.0 3.3.1.3). */
#ifndef SUB_RETAINED_H
#define SUB_RETAINED_H

#include <mquic.h>

#include <stdbool.h>
#include <stddef.h>

/* Bytes of topics that may wait: some 200,000, or 256 of those that are as long as can be. */
#define RETAINED_MOST 16777216

/* Topics that are still to be cleared: those from `first` on. */
struct retained {
	struct mquic_message *message; /* the empty one */
	char **topics;
	size_t first, count, size;
	size_t bytes;
};

bool retained_init(struct retained *retained);
void retained_free(struct retained *retained);

/*
 * Has a topic cleared by retained_send(). MQUIC_ERR_LIMIT: too many wait already; the broker may
 * send more of them at once than it takes answers for.
 */
enum mquic_status retained_add(struct retained *retained, const char *topic);

/* Sends what the session takes now; to be called again after each event. */
void retained_send(struct retained *retained, struct mquic_session *session);

/* Whether all is sent and acknowledged. */
bool retained_is_done(const struct retained *retained, const struct mquic_session *session);

#endif
