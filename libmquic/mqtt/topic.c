/* SPDX-License-Identifier: MIT */
#include "mqtt/topic.h"

#include <string.h>

#include "core/text.h"
#include "mquic.h"

#define SHARE_PREFIX     "$share/"
#define SHARE_PREFIX_LEN (sizeof(SHARE_PREFIX) - 1)

static bool is_text(struct bytes bytes)
{
	return bytes.len > 0 && bytes.len <= UINT16_MAX &&
	       text_is_utf8((const char *)bytes.data, bytes.len);
}

bool mqtt_topic_is_free_of_wildcards(struct bytes text)
{
	return text.len == 0 || (memchr(text.data, '+', text.len) == NULL &&
				 memchr(text.data, '#', text.len) == NULL);
}

bool mqtt_topic_is_name(struct bytes topic)
{
	return is_text(topic) && mqtt_topic_is_free_of_wildcards(topic);
}

bool mqtt_topic_has_wildcard(struct bytes filter)
{
	return !mqtt_topic_is_free_of_wildcards(filter);
}

bool mqtt_topic_is_shared(struct bytes filter)
{
	return filter.len >= SHARE_PREFIX_LEN &&
	       memcmp(filter.data, SHARE_PREFIX, SHARE_PREFIX_LEN) == 0;
}

/* What precedes the first '/', which is taken too; all of it if there is none. */
static struct bytes take_level(struct buf_reader *reader, bool *last)
{
	const uint8_t *slash = NULL;
	struct bytes level;

	if (reader->left > 0)
		slash = memchr(reader->next, '/', reader->left);
	*last = slash == NULL;
	if (*last)
		return buf_read_rest(reader);
	level = buf_read_bytes(reader, (size_t)(slash - reader->next));
	(void)buf_read_u8(reader);
	return level;
}

static bool wildcards_stand_alone(struct buf_reader *reader)
{
	bool last = false;

	while (!last) {
		struct bytes level = take_level(reader, &last);

		if (mqtt_topic_is_free_of_wildcards(level))
			continue;
		if (level.len != 1 || (level.data[0] == '#' && !last))
			return false;
	}
	return true;
}

bool mqtt_topic_is_filter(struct bytes filter)
{
	struct buf_reader reader = buf_reader_of(filter);
	bool last;

	if (!is_text(filter))
		return false;
	if (mqtt_topic_is_shared(filter)) {
		struct bytes share;

		(void)buf_read_bytes(&reader, SHARE_PREFIX_LEN);
		share = take_level(&reader, &last);
		if (share.len == 0 || last || reader.left == 0 ||
		    !mqtt_topic_is_free_of_wildcards(share))
			return false;
	}
	return wildcards_stand_alone(&reader);
}

static bool is_wildcard(struct bytes level, char wildcard)
{
	return level.len == 1 && level.data[0] == wildcard;
}

static bool starts_with_dollar(const struct buf_reader *reader)
{
	return reader->left > 0 && reader->next[0] == '$';
}

/* Level by level; '#' also stands for the level above it: "a/#" matches "a" (4.7.1.2). */
static bool levels_match(struct buf_reader *filter, struct buf_reader *topic)
{
	bool last_of_filter = false;
	bool last_of_topic = false;

	while (!last_of_topic) {
		struct bytes wanted = take_level(filter, &last_of_filter);
		struct bytes level;

		if (is_wildcard(wanted, '#'))
			return true;
		level = take_level(topic, &last_of_topic);
		if (!is_wildcard(wanted, '+') && !bytes_equal(wanted, level))
			return false;
		if (last_of_filter)
			return last_of_topic;
	}
	return is_wildcard(take_level(filter, &last_of_filter), '#');
}

bool mqtt_topic_matches(struct bytes filter, struct bytes topic)
{
	struct buf_reader wanted = buf_reader_of(filter);
	struct buf_reader given = buf_reader_of(topic);
	bool last;

	if (mqtt_topic_is_shared(filter)) {
		(void)buf_read_bytes(&wanted, SHARE_PREFIX_LEN);
		(void)take_level(&wanted, &last);
	}
	if (starts_with_dollar(&given) && !starts_with_dollar(&wanted))
		return false;
	return levels_match(&wanted, &given);
}

/* ---- For programs ---- */

static struct bytes bytes_of_program(const char *text, size_t len)
{
	return bytes_of(text, text_length(text, len));
}

bool mquic_topic_is_name(const char *topic, size_t len)
{
	return topic != NULL && mqtt_topic_is_name(bytes_of_program(topic, len));
}

bool mquic_topic_is_filter(const char *filter, size_t len)
{
	return filter != NULL && mqtt_topic_is_filter(bytes_of_program(filter, len));
}

bool mquic_topic_matches(const char *filter, size_t filter_len, const char *topic, size_t topic_len)
{
	return mquic_topic_is_filter(filter, filter_len) && mquic_topic_is_name(topic, topic_len) &&
	       mqtt_topic_matches(bytes_of_program(filter, filter_len),
				  bytes_of_program(topic, topic_len));
}
