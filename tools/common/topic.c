/* SPDX-License-Identifier: MIT */
#include "topic.h"

#include <string.h>

bool topic_matches(const char *filter, const char *topic)
{
	/* MQTT 5.0 4.7.2: topics with $ are not meant by a leading wildcard. */
	if (*topic == '$' && (*filter == '+' || *filter == '#'))
		return false;
	for (;;) {
		size_t level = strcspn(filter, "/");
		size_t length = strcspn(topic, "/");

		if (*filter == '#')
			return true;
		if (!(level == 1 && *filter == '+') &&
		    (level != length || memcmp(filter, topic, level) != 0))
			return false;
		filter += level;
		topic += length;
		if (*topic == '\0') /* "a/#" matches "a" as well (4.7.1.2) */
			return *filter == '\0' || strcmp(filter, "/#") == 0;
		if (*filter == '\0')
			return false;
		filter++;
		topic++;
	}
}
