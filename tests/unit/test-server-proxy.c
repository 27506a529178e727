/* SPDX-License-Identifier: MIT */
/* The PROXY header. */
#include "server/proxy.h"
#include "unit.h"

START_TEST(the_proxy_header_of_ipv4)
{
	static const uint8_t expected[] = {
		13,  10, 13, 10, 0,    13, 10, 'Q', 'U',  'I',  'T',  10,   0x21, 0x11, 0,  30,
		192, 0,  2,  1,  10,   0,  0,  1,   0x11, 0x51, 0x38, 0xe7, 0x20, 0,    15, 1,
		0,   0,  0,  1,  0x21, 0,  7,  'T', 'L',  'S',  'v',  '1',  '.',  '3'};
	uint8_t header[PROXY_HEADER_MAX];

	ck_assert_uint_eq(proxy_header(header, "192.0.2.1:4433", "10.0.0.1:14567", ""),
			  sizeof(expected));
	ck_assert_mem_eq(header, expected, sizeof(expected));
}
END_TEST

START_TEST(the_proxy_header_of_ipv6)
{
	uint8_t header[PROXY_HEADER_MAX];

	ck_assert_uint_eq(proxy_header(header, "[fe80::1%eth0]:4433", "[::1]:14567", ""), 70);
	ck_assert_uint_eq(header[13], 0x21);
	ck_assert_uint_eq(header[15], 54);
	ck_assert_uint_eq(header[16], 0xfe);
	ck_assert_uint_eq(header[31], 1);
	ck_assert_uint_eq(header[48] << 8 | header[49], 4433);
}
END_TEST

START_TEST(the_cipher_is_named)
{
	static const uint8_t expected[] = {0x20, 0,   29,  1,   0,   0,   0,   1,    0x21, 0,  7,
					   'T',  'L', 'S', 'v', '1', '.', '3', 0x23, 0,    11, 'A',
					   'E',  'S', '-', '1', '2', '8', '-', 'G',  'C',  'M'};
	uint8_t header[PROXY_HEADER_MAX];
	const char *peer = "192.0.2.1:4433", *local = "10.0.0.1:14567";
	size_t len = proxy_header(header, peer, local, "AES-128-GCM");

	ck_assert_uint_eq(len, 28 + sizeof(expected));
	ck_assert_uint_eq(header[15], len - 16);
	ck_assert_mem_eq(header + 28, expected, sizeof(expected));
}
END_TEST

START_TEST(no_cipher_is_too_long_for_the_header)
{
	uint8_t header[PROXY_HEADER_MAX];
	const char *cipher = "a-cipher-whose-name-nobody-would-want-to-type";

	ck_assert_uint_eq(proxy_header(header, "[::1]:4433", "[::1]:14567", cipher), 70 + 3 + 32);
	ck_assert_uint_le(70 + 3 + 32, PROXY_HEADER_MAX);
}
END_TEST

START_TEST(addresses_that_are_none_make_no_header)
{
	uint8_t header[PROXY_HEADER_MAX];

	ck_assert_uint_eq(proxy_header(header, "", "10.0.0.1:1", ""), 0);
	ck_assert_uint_eq(proxy_header(header, "10.0.0.1:1", "[::1]:1", ""), 0);
	ck_assert_uint_eq(proxy_header(header, "localhost:1", "10.0.0.1:1", ""), 0);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&the_proxy_header_of_ipv4,
		&the_proxy_header_of_ipv6,
		&the_cipher_is_named,
		&no_cipher_is_too_long_for_the_header,
		&addresses_that_are_none_make_no_header,
	};

	return unit_run("server-proxy", NULL, NULL, tests, COUNT(tests));
}
