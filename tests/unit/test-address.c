/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <netdb.h>
#include <string.h>

#include "core/address.h"

static struct error error;

static struct address parsed(const char *text, uint16_t port)
{
	struct address address;

	ck_assert_msg(address_parse(&address, text, port, &error) == MQUIC_OK, "%s", error.text);
	return address;
}

static void expect_print(const char *text, uint16_t port, const char *expected)
{
	struct address address = parsed(text, port);
	char buffer[ADDRESS_TEXT_SIZE];

	address_print(&address, buffer);
	ck_assert_str_eq(buffer, expected);
	ck_assert_uint_eq(address_port(&address), port);
}

START_TEST(address_is_printed_with_its_port)
{
	expect_print("192.0.2.1", 4433, "192.0.2.1:4433");
	expect_print("2001:db8::1", 65535, "[2001:db8::1]:65535");
	expect_print("::", 0, "[::]:0");
	expect_print("::ffff:192.0.2.1", 4433, "192.0.2.1:4433");
	expect_print("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 65535,
		     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}
END_TEST

START_TEST(address_of_none_is_printed_as_nothing)
{
	struct address none = {.len = 0};
	char buffer[ADDRESS_TEXT_SIZE] = "x";

	address_print(&none, buffer);
	ck_assert_str_eq(buffer, "");
}
END_TEST

START_TEST(address_must_be_numeric)
{
	static const char *const wrong[] = {"localhost", "",          "192.0.2.256",
					    "[::1]",     "1.2.3.4:5", " 1.2.3.4"};
	struct address address;
	size_t i;

	for (i = 0; i < COUNT(wrong); i++) {
		ck_assert_int_eq(address_parse(&address, wrong[i], 1, &error), MQUIC_ERR_INVALID);
		ck_assert_ptr_nonnull(strstr(error.text, "not a numeric"));
	}
}
END_TEST

START_TEST(address_is_found_by_name_and_number)
{
	struct addresses found;
	char buffer[ADDRESS_TEXT_SIZE];

	ck_assert_int_eq(address_find(&found, "127.0.0.1", 80), 0);
	ck_assert_uint_eq(found.count, 1);
	address_print(&found.list[0], buffer);
	ck_assert_str_eq(buffer, "127.0.0.1:80");
	ck_assert_int_eq(address_find(&found, "::ffff:127.0.0.1", 80), 0);
	address_print(&found.list[0], buffer);
	ck_assert_str_eq(buffer, "127.0.0.1:80");
	ck_assert_int_eq(address_find(&found, "localhost", 80), 0);
	ck_assert_uint_ge(found.count, 1);
	ck_assert_int_ne(address_find(&found, "no.such.host.invalid", 80), 0);
	ck_assert_uint_eq(found.count, 0);
}
END_TEST

/* What the system is made to say, in its order. glibc frees a list node by node, so that one may be
 * joined of several. */
static const char *const *said;

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **found);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **found);

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **found)
{
	size_t i;

	if (said == NULL)
		return __real_getaddrinfo(host, service, hints, found);
	for (i = 0; said[i] != NULL; i++) {
		ck_assert_int_eq(__real_getaddrinfo(said[i], service, hints, found), 0);
		found = &(*found)->ai_next;
	}
	return 0;
}

static void expect_order(const char *const *given, const char *const *wanted)
{
	struct addresses found;
	char buffer[ADDRESS_TEXT_SIZE];
	size_t i;

	said = given;
	ck_assert_int_eq(address_find(&found, "some.example", 80), 0);
	said = NULL;
	for (i = 0; wanted[i] != NULL; i++) {
		ck_assert_uint_lt(i, found.count);
		address_print(&found.list[i], buffer);
		ck_assert_str_eq(buffer, wanted[i]);
	}
	ck_assert_uint_eq(found.count, i);
}

START_TEST(families_take_turns)
{
	static const char *const mixed[] = {"2001:db8::1", "2001:db8::2", "2001:db8::3",
					    "192.0.2.1",   "192.0.2.2",   NULL};
	static const char *const mixed_in_turns[] = {"[2001:db8::1]:80", "192.0.2.1:80",
						     "[2001:db8::2]:80", "192.0.2.2:80",
						     "[2001:db8::3]:80", NULL};
	static const char *const v4_first[] = {"192.0.2.1", "192.0.2.2", "2001:db8::1", NULL};
	static const char *const v4_first_in_turns[] = {"192.0.2.1:80", "[2001:db8::1]:80",
							"192.0.2.2:80", NULL};
	static const char *const alone[] = {"192.0.2.2", "192.0.2.1", NULL};
	static const char *const alone_in_turns[] = {"192.0.2.2:80", "192.0.2.1:80", NULL};

	expect_order(mixed, mixed_in_turns);
	expect_order(v4_first, v4_first_in_turns);
	expect_order(alone, alone_in_turns);
}
END_TEST

START_TEST(one_family_does_not_crowd_out_the_other)
{
	static const char *const given[] = {"2001:db8::1", "2001:db8::2", "2001:db8::3",
					    "2001:db8::4", "2001:db8::5", "2001:db8::6",
					    "2001:db8::7", "2001:db8::8", "2001:db8::9",
					    "192.0.2.1",   NULL};
	static const char *const wanted[] = {
		"[2001:db8::1]:80", "192.0.2.1:80",     "[2001:db8::2]:80",
		"[2001:db8::3]:80", "[2001:db8::4]:80", "[2001:db8::5]:80",
		"[2001:db8::6]:80", "[2001:db8::7]:80", NULL};

	expect_order(given, wanted);
}
END_TEST

START_TEST(addresses_are_equal_in_family_host_and_port)
{
	struct address a = parsed("192.0.2.1", 1);
	struct address b = parsed("192.0.2.1", 1);
	struct address other_port = parsed("192.0.2.1", 2);
	struct address other_host = parsed("192.0.2.2", 1);
	struct address v6 = parsed("::1", 1);
	struct address other_v6 = parsed("::2", 1);

	ck_assert(address_equal(&a, &b));
	ck_assert(!address_equal(&a, &other_port));
	ck_assert(!address_equal(&a, &other_host));
	ck_assert(!address_equal(&a, &v6));
	ck_assert(address_equal(&v6, &v6));
	ck_assert(!address_equal(&v6, &other_v6));
}
END_TEST

static bool same_place(const char *one, const char *other)
{
	struct address a = parsed(one, 1);
	struct address b = parsed(other, 2);
	uint8_t prefix_a[ADDRESS_PREFIX_MAX];
	uint8_t prefix_b[ADDRESS_PREFIX_MAX];
	size_t len_a = address_prefix(&a, prefix_a);
	size_t len_b = address_prefix(&b, prefix_b);

	return len_a == len_b && memcmp(prefix_a, prefix_b, len_a) == 0;
}

START_TEST(one_place_is_an_ipv4_address_or_an_ipv6_64)
{
	ck_assert(same_place("192.0.2.1", "192.0.2.1"));
	ck_assert(!same_place("192.0.2.1", "192.0.2.2"));
	ck_assert(same_place("2001:db8::1", "2001:db8::ffff:0:0:1"));
	ck_assert(!same_place("2001:db8::1", "2001:db8:0:1::1"));
	ck_assert(!same_place("4.4.4.4", "404:404::"));
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&address_is_printed_with_its_port,
		&address_of_none_is_printed_as_nothing,
		&address_must_be_numeric,
		&address_is_found_by_name_and_number,
		&families_take_turns,
		&one_family_does_not_crowd_out_the_other,
		&addresses_are_equal_in_family_host_and_port,
		&one_place_is_an_ipv4_address_or_an_ipv6_64,
	};

	return unit_run("address", NULL, NULL, tests, COUNT(tests));
}
