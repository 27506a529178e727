/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_TOPIC_H
#define TOOLS_TOPIC_H

#include <stdbool.h>

/* Whether a topic matches a filter with wildcards (MQTT 5.0 section 4.7). */
bool topic_matches(const char *filter, const char *topic);

#endif
