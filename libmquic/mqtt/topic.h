/* SPDX-License-Identifier: MIT */
/* Topic names and topic filters (MQTT 5.0 section 4.7). */
#ifndef MQUIC_MQTT_TOPIC_H
#define MQUIC_MQTT_TOPIC_H

#include "core/buf.h"

/* Whether it can name a topic: 1 to 65535 bytes of UTF-8 without NUL, '+' and '#'. */
bool mqtt_topic_is_name(struct bytes topic);

/* The same for bytes already known to be UTF-8. */
bool mqtt_topic_is_free_of_wildcards(struct bytes text);

/*
 * Whether it is a filter: UTF-8, '+' alone in its level, '#' alone in the last one, and if it
 * starts with "$share/" a share name and a filter behind it (section 4.8.2).
 */
bool mqtt_topic_is_filter(struct bytes filter);

bool mqtt_topic_has_wildcard(struct bytes filter);

/* Whether it is a shared subscription, "$share/...". */
bool mqtt_topic_is_shared(struct bytes filter);

/*
 * Whether a message of this topic is for a subscription with this filter: that of a shared one is
 * what follows the share name, and a wildcard in front means no topic that starts with '$'
 * (section 4.7.2). Both are taken to be valid; what is not matches something or nothing.
 */
bool mqtt_topic_matches(struct bytes filter, struct bytes topic);

#endif
