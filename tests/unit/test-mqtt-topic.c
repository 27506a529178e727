/* SPDX-License-Identifier: MIT */
/* Topic names, topic filters, shared subscriptions and topic aliases. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt/alias.h"
#include "mqtt/topic.h"
#include "mquic.h"

static struct bytes text(const char *s)
{
	return bytes_of(s, strlen(s));
}

START_TEST(names_are_text_without_wildcards)
{
	static const char *const good[] = {
		"a", "/", "a/b", "//", " ", "$SYS/x", "\xc3\xbc/\xc3\x9f"};
	static const char *const bad[] = {"", "a/+", "#", "a#b", "\xff", "\xed\xa0\x80"};
	static char longest[65536];
	size_t i;

	for (i = 0; i < COUNT(good); i++)
		ck_assert_msg(mqtt_topic_is_name(text(good[i])), "%s", good[i]);
	for (i = 0; i < COUNT(bad); i++)
		ck_assert_msg(!mqtt_topic_is_name(text(bad[i])), "%s", bad[i]);
	ck_assert(!mqtt_topic_is_name(bytes_of("a\0b", 3)));
	memset(longest, 'x', sizeof(longest));
	ck_assert(mqtt_topic_is_name(bytes_of(longest, 65535)));
	ck_assert(!mqtt_topic_is_name(bytes_of(longest, 65536)));
}
END_TEST

START_TEST(filters_have_wildcards_alone_in_their_level)
{
	static const char *const good[] = {
		"a",      "#",         "+",          "a/#",        "+/+/+",
		"/+",     "+/",        "a/+/#",      "$SYS/#",     "$share/g/#",
		"$share", "$sharex/a", "a/$share/b", "$share/g//", "$share/g/a/+/b",
		"/#",
	};
	static const char *const bad[] = {
		"",          "#/a",        "a#",          "a/#/b",       "+a",       "a+/b",
		"a/b+",      "##",         "++",          "$share/",     "$share/g", "$share/g/",
		"$share//a", "$share/+/a", "$share/g#/a", "$share/g/a#", "\xc0\x80",
	};
	size_t i;

	for (i = 0; i < COUNT(good); i++)
		ck_assert_msg(mqtt_topic_is_filter(text(good[i])), "%s", good[i]);
	for (i = 0; i < COUNT(bad); i++)
		ck_assert_msg(!mqtt_topic_is_filter(text(bad[i])), "%s", bad[i]);
}
END_TEST

START_TEST(filters_tell_what_they_need_of_the_server)
{
	ck_assert(mqtt_topic_has_wildcard(text("a/+")));
	ck_assert(!mqtt_topic_has_wildcard(text("a/b")));
	ck_assert(mqtt_topic_is_shared(text("$share/g/a")));
	ck_assert(!mqtt_topic_is_shared(text("share/g/a")));
	ck_assert(!mqtt_topic_is_shared(text("$shar")));
}
END_TEST

struct pair_of_texts {
	const char *filter;
	const char *topic;
};

START_TEST(filters_match_topics_level_by_level)
{
	static const struct pair_of_texts yes[] = {
		{"a", "a"},
		{"a/b", "a/b"},
		{"/", "/"},
		{"#", "a"},
		{"#", "/"},
		{"#", "a/b/c"},
		{"a/#", "a"},
		{"a/#", "a/"},
		{"a/#", "a/b/c"},
		{"+", "a"},
		{"+/+", "/"},
		{"+/+", "/a"},
		{"/+", "/a"},
		{"a/+", "a/"},
		{"+/b/#", "a/b"},
		{"a/+/c", "a/b/c"},
		{"a//c", "a//c"},
		{"a/+/c", "a//c"},
		{"$SYS/#", "$SYS/uptime"},
		{"$SYS/#", "$SYS"},
		{"$SYS/+", "$SYS/uptime"},
		{"a/+", "a/$b"},
		{"a/#", "a/$b"},
		{"$share/g/a/+", "a/b"},
		{"$share/g/#", "a"},
		{"$share/g/a", "a"},
		{"$share/g//a", "/a"},
		{"$share/g/$SYS/#", "$SYS/a"},
	};
	static const struct pair_of_texts no[] = {
		{"a", "b"},
		{"a", "ab"},
		{"ab", "a"},
		{"a", "a/"},
		{"a/", "a"},
		{"a", "a/b"},
		{"a/b", "a"},
		{"A", "a"},
		{"+", "/a"},
		{"+", "a/b"},
		{"+/+", "a"},
		{"a/+", "a"},
		{"a/+/#", "a"},
		{"a/#", "ab"},
		{"a/#", "b/a"},
		{"#", "$SYS/uptime"},
		{"+/uptime", "$SYS/uptime"},
		{"+", "$SYS"},
		{"/#", "a"},
		{"$share/g/a", "b"},
		{"$share/g/#", "$SYS/a"},
		{"$share/g/a", "$share/g/a"},
		{"a\xc3\xbc", "a\xc3"},
	};
	size_t i;

	for (i = 0; i < COUNT(yes); i++)
		ck_assert_msg(mqtt_topic_matches(text(yes[i].filter), text(yes[i].topic)),
			      "%s should match %s", yes[i].filter, yes[i].topic);
	for (i = 0; i < COUNT(no); i++)
		ck_assert_msg(!mqtt_topic_matches(text(no[i].filter), text(no[i].topic)),
			      "%s should not match %s", no[i].filter, no[i].topic);
}
END_TEST

/* What is invalid may match or not, but is not read beyond its end. */
START_TEST(matching_reads_no_further_than_it_may)
{
	static const char *const odd[] = {
		"", "$share/", "$share/g", "$share/g/", "#/a", "a/#/b", "a#", "$share//", "+a",
	};
	struct bytes none = {NULL, 0};
	size_t i;
	size_t j;

	for (i = 0; i < COUNT(odd); i++)
		for (j = 0; j < COUNT(odd); j++) {
			size_t len = strlen(odd[i]);
			char *filter = malloc(len > 0 ? len : 1); /* ends where it ends */
			struct bytes exact;

			ck_assert_ptr_nonnull(filter);
			memcpy(filter, odd[i], len);
			exact = bytes_of(filter, len);
			(void)mqtt_topic_matches(exact, text(odd[j]));
			(void)mqtt_topic_matches(text(odd[j]), exact);
			(void)mqtt_topic_matches(exact, none);
			(void)mqtt_topic_matches(none, exact);
			free(filter);
		}
	ck_assert(!mqtt_topic_matches(none, text("a")));
	ck_assert(!mqtt_topic_matches(text("a"), none));
}
END_TEST

START_TEST(programs_get_the_same_answers)
{
	const size_t nul = MQUIC_NUL_TERMINATED;

	ck_assert(mquic_topic_is_name("a/b", nul));
	ck_assert(mquic_topic_is_name("a/b+", 3));
	ck_assert(!mquic_topic_is_name("a/b+", nul));
	ck_assert(!mquic_topic_is_name("", nul));
	ck_assert(!mquic_topic_is_name("\xff", nul));
	ck_assert(!mquic_topic_is_name("a\0b", 3));
	ck_assert(!mquic_topic_is_name(NULL, 0));
	ck_assert(mquic_topic_is_filter("a/+/#", nul));
	ck_assert(mquic_topic_is_filter("a/#b", 3));
	ck_assert(!mquic_topic_is_filter("a/#b", nul));
	ck_assert(!mquic_topic_is_filter("$share/g", nul));
	ck_assert(!mquic_topic_is_filter(NULL, nul));
	ck_assert(mquic_topic_matches("a/+", nul, "a/b", nul));
	ck_assert(mquic_topic_matches("a/+x", 3, "a/b/c", 3));
	ck_assert(!mquic_topic_matches("a/+", nul, "a/b/c", nul));
	ck_assert(!mquic_topic_matches("#", nul, "$SYS/a", nul));
	/* what is malformed matches nothing */
	ck_assert(!mquic_topic_matches("#/b", nul, "a/b", nul));
	ck_assert(!mquic_topic_matches("#", nul, "a/+", nul));
	ck_assert(!mquic_topic_matches(NULL, 0, "a", 1));
	ck_assert(!mquic_topic_matches("a", 1, NULL, 0));
}
END_TEST

static enum mqtt_reason arrive(struct mqtt_alias_in *aliases, unsigned int alias, const char *topic,
			       struct bytes *resolved)
{
	struct mqtt_publish publish;
	enum mqtt_reason reason;

	mqtt_properties_init(&publish.properties);
	if (alias > 0)
		mqtt_properties_set_number(&publish.properties, MQTT_TOPIC_ALIAS, alias);
	publish.topic = text(topic);
	reason = mqtt_alias_in_resolve(aliases, &publish);
	*resolved = publish.topic;
	return reason;
}

START_TEST(incoming_aliases_stand_for_the_last_topic_given)
{
	struct mqtt_alias_in aliases;
	struct bytes topic;

	mqtt_alias_in_init(&aliases, 10);
	ck_assert_int_eq(arrive(&aliases, 0, "plain", &topic), MQTT_SUCCESS);
	ck_assert(bytes_equal(topic, text("plain")));
	ck_assert_int_eq(arrive(&aliases, 3, "", &topic), MQTT_PROTOCOL_ERROR);
	ck_assert_int_eq(arrive(&aliases, 3, "first", &topic), MQTT_SUCCESS);
	ck_assert_int_eq(arrive(&aliases, 3, "", &topic), MQTT_SUCCESS);
	ck_assert(bytes_equal(topic, text("first")));
	ck_assert_int_eq(arrive(&aliases, 3, "second", &topic), MQTT_SUCCESS);
	ck_assert_int_eq(arrive(&aliases, 3, "", &topic), MQTT_SUCCESS);
	ck_assert(bytes_equal(topic, text("second")));
	ck_assert_int_eq(arrive(&aliases, 10, "last", &topic), MQTT_SUCCESS);
	ck_assert_int_eq(arrive(&aliases, 9, "", &topic), MQTT_PROTOCOL_ERROR);
	ck_assert_int_eq(arrive(&aliases, 11, "over", &topic), MQTT_TOPIC_ALIAS_INVALID);
	mqtt_alias_in_clear(&aliases);
	ck_assert_int_eq(arrive(&aliases, 1, "none allowed", &topic), MQTT_TOPIC_ALIAS_INVALID);
}
END_TEST

START_TEST(incoming_aliases_cannot_eat_all_memory)
{
	static char topic[65535];
	struct mqtt_publish publish;
	struct mqtt_alias_in aliases;
	enum mqtt_reason reason = MQTT_SUCCESS;
	uint32_t alias;

	memset(topic, 't', sizeof(topic));
	mqtt_alias_in_init(&aliases, 65535);
	mqtt_properties_init(&publish.properties);
	for (alias = 1; alias < 1000 && reason == MQTT_SUCCESS; alias++) {
		publish.topic = bytes_of(topic, sizeof(topic));
		mqtt_properties_set_number(&publish.properties, MQTT_TOPIC_ALIAS, alias);
		reason = mqtt_alias_in_resolve(&aliases, &publish);
	}
	ck_assert_int_eq(reason, MQTT_QUOTA_EXCEEDED);
	ck_assert_uint_le(aliases.bytes, MQTT_ALIAS_BYTES_MAX);
	mqtt_alias_in_clear(&aliases);
}
END_TEST

START_TEST(outgoing_aliases_go_to_the_first_topics)
{
	struct mqtt_alias_out aliases;
	char topic[32];
	bool known;
	int i;

	mqtt_alias_out_init(&aliases, 100);
	for (i = 1; i <= 100; i++) {
		(void)snprintf(topic, sizeof(topic), "topic/%d", i);
		ck_assert_uint_eq(mqtt_alias_out_find(&aliases, text(topic), &known), i);
		ck_assert(!known);
		mqtt_alias_out_define(&aliases, text(topic));
	}
	ck_assert_uint_eq(mqtt_alias_out_find(&aliases, text("another"), &known), 0);
	mqtt_alias_out_define(&aliases, text("another"));
	ck_assert_uint_eq(mqtt_alias_out_find(&aliases, text("another"), &known), 0);
	for (i = 1; i <= 100; i++) {
		(void)snprintf(topic, sizeof(topic), "topic/%d", i);
		ck_assert_uint_eq(mqtt_alias_out_find(&aliases, text(topic), &known), i);
		ck_assert(known);
	}
	mqtt_alias_out_clear(&aliases);
	ck_assert_uint_eq(mqtt_alias_out_find(&aliases, text("topic/1"), &known), 0);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&names_are_text_without_wildcards,
		&filters_have_wildcards_alone_in_their_level,
		&filters_tell_what_they_need_of_the_server,
		&filters_match_topics_level_by_level,
		&programs_get_the_same_answers,
		&matching_reads_no_further_than_it_may,
		&incoming_aliases_stand_for_the_last_topic_given,
		&incoming_aliases_cannot_eat_all_memory,
		&outgoing_aliases_go_to_the_first_topics,
	};

	return unit_run("mqtt-topic", NULL, NULL, tests, COUNT(tests));
}
