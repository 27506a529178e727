/* SPDX-License-Identifier: MIT */
/* The PROXY header. */
#include "server/proxy.h"
#include "unit.h"

START_TEST(the_proxy_header_of_ipv4)
{
	static const uint8_t expected[] = {13,  10, 13,   10,   0,    13,   10,   'Q', 'U', 'I',
					   'T', 10, 0x21, 0x11, 0,    12,   192,  0,   2,   1,
					   10,  0,  0,    1,    0x11, 0x51, 0x38, 0xe7};
	uint8_t header[PROXY_HEADER_MAX];

	ck_assert_uint_eq(proxy_header(header, "192.0.2.1:4433", "10.0.0.1:14567"),
			  sizeof(expected));
	ck_assert_mem_eq(header, expected, sizeof(expected));
}
END_TEST

START_TEST(the_proxy_header_of_ipv6)
{
	uint8_t header[PROXY_HEADER_MAX];

	ck_assert_uint_eq(proxy_header(header, "[fe80::1%eth0]:4433", "[::1]:14567"), 52);
	ck_assert_uint_eq(header[13], 0x21);
	ck_assert_uint_eq(header[15], 36);
	ck_assert_uint_eq(header[16], 0xfe);
	ck_assert_uint_eq(header[31], 1);
	ck_assert_uint_eq(header[48] << 8 | header[49], 4433);
}
END_TEST

START_TEST(addresses_that_are_none_make_no_header)
{
	uint8_t header[PROXY_HEADER_MAX];

	ck_assert_uint_eq(proxy_header(header, "", "10.0.0.1:1"), 0);
	ck_assert_uint_eq(proxy_header(header, "10.0.0.1:1", "[::1]:1"), 0);
	ck_assert_uint_eq(proxy_header(header, "localhost:1", "10.0.0.1:1"), 0);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&the_proxy_header_of_ipv4,
		&the_proxy_header_of_ipv6,
		&addresses_that_are_none_make_no_header,
	};

	return unit_run("server-proxy", NULL, NULL, tests, COUNT(tests));
}
