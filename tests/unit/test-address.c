/* SPDX-License-Identifier: MIT */
#include "unit.h"

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
	static const char *const wrong[] = {"localhost", "",	      "192.0.2.256",
					    "[::1]",	 "1.2.3.4:5", " 1.2.3.4"};
	struct address address;
	size_t i;

	for (i = 0; i < COUNT(wrong); i++) {
		ck_assert_int_eq(address_parse(&address, wrong[i], 1, &error), MQUIC_ERR_INVALID);
		ck_assert_ptr_nonnull(strstr(error.text, "not a numeric"));
	}
}
END_TEST

START_TEST(address_resolves_names_and_numbers)
{
	struct address found[ADDRESS_CANDIDATES];
	char buffer[ADDRESS_TEXT_SIZE];
	size_t count;

	ck_assert_int_eq(address_resolve(found, &count, "127.0.0.1", 80, &error), MQUIC_OK);
	ck_assert_uint_eq(count, 1);
	address_print(&found[0], buffer);
	ck_assert_str_eq(buffer, "127.0.0.1:80");
	ck_assert_int_eq(address_resolve(found, &count, "::ffff:127.0.0.1", 80, &error), MQUIC_OK);
	address_print(&found[0], buffer);
	ck_assert_str_eq(buffer, "127.0.0.1:80");
	ck_assert_int_eq(address_resolve(found, &count, "localhost", 80, &error), MQUIC_OK);
	ck_assert_uint_ge(count, 1);
	ck_assert_int_ne(address_resolve(found, &count, "no.such.host.invalid", 80, &error),
			 MQUIC_OK);
	ck_assert_ptr_nonnull(strstr(error.text, "no.such.host.invalid"));
	ck_assert_uint_eq(count, 0);
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
		&address_resolves_names_and_numbers,
		&addresses_are_equal_in_family_host_and_port,
		&one_place_is_an_ipv4_address_or_an_ipv6_64,
	};

	return unit_run("address", NULL, NULL, tests, COUNT(tests));
}
