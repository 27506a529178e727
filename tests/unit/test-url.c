/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "mquic.h"
#include "session/url.h"

static struct error error;
static struct url url;

static void parse(const char *text)
{
	ck_assert_msg(url_parse(&url, text, &error) == MQUIC_OK, "%s: %s", text, error.text);
}

static void expect_text(const struct text *text, const char *expected)
{
	if (expected == NULL) {
		ck_assert_ptr_null(text->data);
		return;
	}
	ck_assert_ptr_nonnull(text->data);
	ck_assert_str_eq(text->data, expected);
	ck_assert_uint_eq(text->len, strlen(expected));
}

struct good {
	const char *text;
	const char *host;
	const char *username;
	const char *password;
	uint16_t port;
};

static const struct good good[] = {
	{"mqtt-quic://broker.example", "broker.example", NULL, NULL, 14567},
	{"quic://broker.example:1", "broker.example", NULL, NULL, 1},
	{"MQTT-QUIC://Broker.Example:65535/", "Broker.Example", NULL, NULL, 65535},
	{"quic://[::1]", "::1", NULL, NULL, 14567},
	{"quic://[2001:db8::1]:14568", "2001:db8::1", NULL, NULL, 14568},
	{"quic://ann@host", "host", "ann", NULL, 14567},
	{"quic://ann:secret@host:9", "host", "ann", "secret", 9},
	{"quic://ann:@host", "host", "ann", "", 14567},
	{"quic://:secret@host", "host", "", "secret", 14567},
	{"quic://a%40b:p%3Aw%25@host", "host", "a@b", "p:w%", 14567},
	{"quic://ann:a:b@host", "host", "ann", "a:b", 14567},
	{"quic://a@b@host", "host", "a@b", NULL, 14567},
};

START_TEST(url_gives_its_parts)
{
	parse(good[_i].text);
	expect_text(&url.host, good[_i].host);
	expect_text(&url.username, good[_i].username);
	expect_text(&url.password, good[_i].password);
	ck_assert_uint_eq(url.port, good[_i].port);
	url_clear(&url);
}
END_TEST

struct bad {
	const char *text;
	const char *part; /* of the sentence */
};

static const struct bad bad[] = {
	{"", "mqtt-quic://"},
	{"mqtt://host", "mqtt-quic://"},
	{"host", "mqtt-quic://"},
	{"quic:/host", "mqtt-quic://"},
	{"quic://", "no host"},
	{"quic://:14567", "no host"},
	{"quic://ann@", "no host"},
	{"quic://[]", "no host"},
	{"quic://[::1", "]"},
	{"quic://[::1]14567", "followed by"},
	{"quic://host:", "1 to 65535"},
	{"quic://host:0", "1 to 65535"},
	{"quic://host:65536", "1 to 65535"},
	{"quic://host:99999999999999999999", "1 to 65535"},
	{"quic://host:1x", "1 to 65535"},
	{"quic://host:-1", "1 to 65535"},
	{"quic://host/topic", "ends behind the port"},
	{"quic://host?x", "ends behind the port"},
	{"quic://host#x", "ends behind the port"},
	{"quic://h%4", "hex"},
	{"quic://h%", "hex"},
	{"quic://h%zz", "hex"},
	{"quic://a%4:b@host", "hex"},
	{"quic://a:b%@host", "hex"},
	{"quic://h%00st", "NUL"},
};

START_TEST(url_that_is_wrong_is_refused_in_words)
{
	ck_assert_msg(url_parse(&url, bad[_i].text, &error) == MQUIC_ERR_INVALID, "%s",
		      bad[_i].text);
	ck_assert_msg(strstr(error.text, bad[_i].part) != NULL, "%s: \"%s\"", bad[_i].text,
		      error.text);
	ck_assert_ptr_null(url.host.data);
	ck_assert_ptr_null(url.username.data);
	ck_assert_ptr_null(url.password.data);
}
END_TEST

struct topic {
	const char *text;
	const char *topic; /* NULL: none */
	uint16_t port;
};

static const struct topic topics[] = {
	{"mqtt-quic://ann:secret@host", NULL, 0},
	{"mqtt-quic://ann:secret@host/", NULL, 0},
	{"mqtt-quic://ann:secret@host:14567/a", "a", 14567},
	{"QUIC://ann:secret@host:1/a/b", "a/b", 1},
	{"quic://ann:secret@host//", "/", 0},
	{"quic://ann:secret@host/a%2Fb%20c%25", "a/b c%", 0},
	{"quic://ann:secret@host/a/+/#", "a/+/#", 0},
	{"quic://ann:secret@host/a?b@c:d", "a?b@c:d", 0},
};

static void expect(const char *got, const char *expected)
{
	if (expected == NULL)
		ck_assert_ptr_null(got);
	else
		ck_assert_str_eq(got, expected);
}

START_TEST(url_for_programs_has_a_topic)
{
	const struct topic *topic = &topics[_i];
	struct mquic_url *made;

	ck_assert_int_eq(mquic_url_new(&made), MQUIC_OK);
	expect(mquic_url_host(made), NULL);
	ck_assert_msg(mquic_url_parse(made, topic->text) == MQUIC_OK, "%s: %s", topic->text,
		      mquic_url_error(made));
	expect(mquic_url_host(made), "host");
	expect(mquic_url_username(made), "ann");
	expect(mquic_url_password(made), "secret");
	expect(mquic_url_topic(made), topic->topic);
	ck_assert_uint_eq(mquic_url_port(made), topic->port);
	mquic_url_free(made);
}
END_TEST

static const struct bad bad_topics[] = {
	{"quic://host/%zz", "hex"},
	{"quic://host/a%00", "NUL"},
	{"quic://a%00b@host/x", "NUL"},
	{"quic://a:b%00@host/x", "NUL"},
	{"quic://host?x/y", "ends behind the port"},
	{"quic:///x", "no host"},
	{"quic://[::1/x", "']'"},
	{"mqtt://host/x", "mqtt:// is MQTT over TCP, without encryption"},
	{"MQTTS://host/x", "mqtts:// is MQTT over TCP and TLS"},
	{"ssl://host", "ssl:// is MQTT over TCP and TLS"},
	{"ws://host", "ws:// is MQTT over WebSockets"},
	{"wss://host", "14567"},
	{"https://host", "mqtt-quic://"},
	{"mqtt:host", "mqtt-quic://"},
};

START_TEST(url_that_is_wrong_changes_nothing)
{
	struct mquic_url *made;

	ck_assert_int_eq(mquic_url_new(&made), MQUIC_OK);
	ck_assert_int_eq(mquic_url_parse(made, "quic://bob:pass@there:1/x"), MQUIC_OK);
	ck_assert_int_eq(mquic_url_parse(made, bad_topics[_i].text), MQUIC_ERR_INVALID);
	ck_assert_msg(strstr(mquic_url_error(made), bad_topics[_i].part) != NULL, "%s: \"%s\"",
		      bad_topics[_i].text, mquic_url_error(made));
	ck_assert_int_eq(mquic_url_parse(made, NULL), MQUIC_ERR_INVALID);
	expect(mquic_url_host(made), "there");
	expect(mquic_url_username(made), "bob");
	expect(mquic_url_password(made), "pass");
	expect(mquic_url_topic(made), "x");
	ck_assert_uint_eq(mquic_url_port(made), 1);
	mquic_url_free(made);
}
END_TEST

START_TEST(url_error_does_not_repeat_the_password)
{
	ck_assert_int_eq(url_parse(&url, "quic://ann:secret@host:0", &error), MQUIC_ERR_INVALID);
	ck_assert_ptr_null(strstr(error.text, "secret"));
	ck_assert_int_eq(url_parse(&url, "quic://ann:sec/ret@host", &error), MQUIC_ERR_INVALID);
	ck_assert_ptr_null(strstr(error.text, "ret"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("url");
	TCase *group = tcase_create("url");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(group, url_gives_its_parts, 0, COUNT(good));
	tcase_add_loop_test(group, url_that_is_wrong_is_refused_in_words, 0, COUNT(bad));
	tcase_add_loop_test(group, url_for_programs_has_a_topic, 0, COUNT(topics));
	tcase_add_loop_test(group, url_that_is_wrong_changes_nothing, 0, COUNT(bad_topics));
	tcase_add_test(group, url_error_does_not_repeat_the_password);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
