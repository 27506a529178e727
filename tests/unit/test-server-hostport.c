/* SPDX-License-Identifier: MIT */
/* An address and a port in one text. */
#include <string.h>

#include "server/hostport.h"
#include "unit.h"

START_TEST(both_families_are_cut_and_joined)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		bool is_ipv6;
	} cases[] = {
		{"192.0.2.1:14567", "192.0.2.1", 14567, false},
		{"[2001:db8::1]:1", "2001:db8::1", 1, true},
		{"[::]:65535", "::", 65535, true},
		{"0.0.0.0:0", "0.0.0.0", 0, false},
	};
	char text[HOSTPORT_TEXT_SIZE];
	struct hostport got;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		ck_assert_msg(hostport_parse(cases[i].text, &got), "%s", cases[i].text);
		ck_assert_str_eq(got.host, cases[i].host);
		ck_assert_uint_eq(got.port, cases[i].port);
		ck_assert(got.is_ipv6 == cases[i].is_ipv6);
		ck_assert(hostport_is_numeric(&got));
		hostport_text(&got, text);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

START_TEST(what_is_neither_is_refused)
{
	static const char *const texts[] = {
		"",
		"192.0.2.1",
		"192.0.2.1:",
		"192.0.2.1:65536",
		"192.0.2.1:-1",
		"1.2.3.4:1x",
		"[::1]",
		"[::1:1",
		"[:1",
		"]:1]:",
		"1.2.3.4: 1",
		"1.2.3.4:0x1",
		"1.2.3.4:99999999999999999999",
	};
	char text[200];
	struct hostport got;
	size_t i;

	for (i = 0; i < COUNT(texts); i++)
		ck_assert_msg(!hostport_parse(texts[i], &got), "%s", texts[i]);
	memset(text, '1', sizeof(text));
	strcpy(text + 100, ":1");
	ck_assert(!hostport_parse(text, &got));
}
END_TEST

/* They are cut, for whoever knows more, but are no numbers. */
START_TEST(names_and_zones_are_not_numeric)
{
	static const char *const texts[] = {
		"localhost:1", "[fe80::1%eth0]:1", "::1:1", "[192.0.2.1]:1", ":1", "[]:1",
	};
	struct hostport got;
	size_t i;

	for (i = 0; i < COUNT(texts); i++) {
		ck_assert_msg(hostport_parse(texts[i], &got), "%s", texts[i]);
		ck_assert_msg(!hostport_is_numeric(&got), "%s", texts[i]);
	}
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&both_families_are_cut_and_joined,
		&what_is_neither_is_refused,
		&names_and_zones_are_not_numeric,
	};

	return unit_run("server-hostport", NULL, NULL, tests, COUNT(tests));
}
