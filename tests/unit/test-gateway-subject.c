/* SPDX-License-Identifier: MIT */
/* Subjects as user names. test_plugin_subject.py holds them against the broker's own. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "subject.h"
#include "unit.h"

#define NAME_SIZE 4096

/* A Name under construction: sets of attributes. */
static uint8_t name[NAME_SIZE];
static size_t name_len;

/* ---- Making one ------------------------------------------------------------------------ */

/* Puts tag and length in front of the last `len` bytes. */
static void wrap(uint8_t tag, size_t len)
{
	size_t head = len < 128 ? 2 : 4;

	ck_assert_uint_le(name_len + head, NAME_SIZE);
	memmove(name + name_len - len + head, name + name_len - len, len);
	name[name_len - len] = tag;
	if (head == 2) {
		name[name_len - len + 1] = (uint8_t)len;
	} else {
		name[name_len - len + 1] = 0x82;
		name[name_len - len + 2] = (uint8_t)(len >> 8);
		name[name_len - len + 3] = (uint8_t)len;
	}
	name_len += head;
}

static void append(const void *data, size_t len)
{
	ck_assert_uint_le(name_len + len, NAME_SIZE);
	memcpy(name + name_len, data, len);
	name_len += len;
}

static void add(const char *oid, size_t oid_len, uint8_t tag, const void *value, size_t len)
{
	size_t before = name_len;

	append(oid, oid_len);
	wrap(0x06, oid_len);
	append(value, len);
	wrap(tag, len);
	wrap(0x30, name_len - before);
}

#define OID_C  "\x55\x04\x06"
#define OID_CN "\x55\x04\x03"
#define OID_OU "\x55\x04\x0b"
/* 1.3.6.1.4.1.99999.1, nobody's; 2.999.3, for examples */
#define OID_UNKNOWN "\x2b\x06\x01\x04\x01\x86\x8d\x1f\x01"
#define OID_EXAMPLE "\x88\x37\x03"

#define ADD(oid, tag, value) add(oid, sizeof(oid) - 1, tag, value, sizeof(value) - 1)

/* The set is made of all that was added since `from`. */
static void end_set(size_t from)
{
	wrap(0x31, name_len - from);
}

#define ADD_ALONE(oid, tag, value)                                                                 \
	do {                                                                                       \
		size_t alone = name_len;                                                           \
                                                                                                   \
		ADD(oid, tag, value);                                                              \
		end_set(alone);                                                                    \
	} while (0)

static void check_text(const char *expected)
{
	char *text;

	wrap(0x30, name_len);
	text = subject_text(name, name_len);
	if (expected == NULL)
		ck_assert_ptr_null(text);
	else
		ck_assert_str_eq(text, expected);
	free(text);
	name_len = 0;
}

static void setup(void)
{
	name_len = 0;
}

/* ---- Tests ----------------------------------------------------------------------------- */

START_TEST(the_last_attribute_comes_first)
{
	ADD_ALONE(OID_C, 0x13, "SE");
	ADD_ALONE(OID_OU, 0x0c, "Hall");
	ADD_ALONE(OID_CN, 0x0c, "lamp");
	check_text("CN=lamp,OU=Hall,C=SE");
}
END_TEST

START_TEST(attributes_side_by_side_are_joined)
{
	size_t from;

	ADD_ALONE(OID_C, 0x13, "SE");
	from = name_len;
	ADD(OID_CN, 0x0c, "lamp");
	ADD(OID_OU, 0x0c, "Hall");
	end_set(from);
	check_text("OU=Hall+CN=lamp,C=SE");
}
END_TEST

START_TEST(what_has_a_meaning_is_escaped)
{
	ADD_ALONE(OID_CN, 0x0c, ",+\"\\<>;=#");
	check_text("CN=\\,\\+\\\"\\\\\\<\\>\\;=#");
	ADD_ALONE(OID_CN, 0x0c, " a b ");
	check_text("CN=\\ a b\\ ");
	ADD_ALONE(OID_CN, 0x0c, "#1 #");
	check_text("CN=\\#1 #");
	ADD_ALONE(OID_CN, 0x0c, " ");
	check_text("CN=\\ ");
	ADD_ALONE(OID_CN, 0x0c, "#");
	check_text("CN=#");
	ADD_ALONE(OID_CN, 0x0c, "a\0b\n\x7f");
	check_text("CN=a\\00b\\0A\\7F");
}
END_TEST

START_TEST(every_kind_of_string_becomes_escaped_utf8)
{
	ADD_ALONE(OID_CN, 0x0c, "J\xc3\xbc");
	check_text("CN=J\\C3\\BC");
	ADD_ALONE(OID_CN, 0x14, "J\xfc"); /* TeletexString, which all take for Latin-1 */
	check_text("CN=J\\C3\\BC");
	ADD_ALONE(OID_CN, 0x1e, "\0J\0\xfc\x20\xac"); /* BMPString */
	check_text("CN=J\\C3\\BC\\E2\\82\\AC");
	ADD_ALONE(OID_CN, 0x1c, "\0\0\0J\0\x01\xf6\0"); /* UniversalString */
	check_text("CN=J\\F0\\9F\\98\\80");
	ADD_ALONE(OID_CN, 0x0c, "\xff\xfe"); /* no UTF-8: byte by byte, as OpenSSL has it */
	check_text("CN=\\FF\\FE");
}
END_TEST

START_TEST(what_is_unknown_is_shown_as_it_is)
{
	ADD_ALONE(OID_UNKNOWN, 0x0c, "x");
	check_text("1.3.6.1.4.1.99999.1=#0C0178");
	ADD_ALONE(OID_EXAMPLE, 0x13, "");
	check_text("2.999.3=#1300");
	ADD_ALONE(OID_CN, 0x02, "\x05"); /* INTEGER */
	check_text("CN=#020105");
	ADD_ALONE("\x55\x04\x42", 0x0c, "x"); /* 2.5.4.66, in a gap */
	check_text("2.5.4.66=#0C0178");
}
END_TEST

/* OpenSSL leaves these characters out, so that another subject has the same text. */
START_TEST(what_is_ambiguous_has_no_text)
{
	ADD_ALONE(OID_CN, 0x1e, "\xd8\x3d\0a"); /* half of a pair */
	check_text(NULL);
	ADD_ALONE(OID_CN, 0x1c, "\0\x11\0\0");
	check_text(NULL);
	ADD_ALONE(OID_CN, 0x1e, "\0a\0");
	check_text(NULL);
}
END_TEST

START_TEST(what_is_no_name_has_no_text)
{
	static const char half_a_number[] = "\x55\x84";
	size_t i;

	check_text(NULL);
	ADD_ALONE(half_a_number, 0x0c, "x");
	check_text(NULL);
	ADD_ALONE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 0x0c, "x");
	check_text(NULL);
	append("", 0);
	end_set(0);
	check_text(NULL);
	for (i = 0; i < 65; i++)
		ADD_ALONE(OID_CN, 0x0c, "x");
	check_text(NULL);
}
END_TEST

START_TEST(every_cut_is_refused)
{
	size_t len, whole;

	ADD_ALONE(OID_C, 0x13, "SE");
	ADD_ALONE(OID_CN, 0x0c, "lamp");
	wrap(0x30, name_len);
	whole = name_len;
	for (len = 0; len < whole; len++) {
		uint8_t *copy = malloc(len + 1); /* for those who watch its end */

		memcpy(copy, name, len);
		ck_assert_ptr_null(subject_text(copy, len));
		free(copy);
	}
}
END_TEST

/* With any byte replaced by any other it is a name or none; sanitizers watch. */
START_TEST(any_byte_may_be_anything)
{
	size_t at;
	int value;

	ADD_ALONE(OID_UNKNOWN, 0x1e, "\0a");
	ADD_ALONE(OID_CN, 0x1c, "\0\0\0J");
	wrap(0x30, name_len);
	for (at = 0; at < name_len; at++) {
		uint8_t before = name[at];

		for (value = 0; value < 256; value++) {
			name[at] = (uint8_t)value;
			free(subject_text(name, name_len));
		}
		name[at] = before;
	}
}
END_TEST

START_TEST(a_long_value_is_whole)
{
	static char value[1000];
	char expected[sizeof(value) + 8] = "CN=";
	size_t from = name_len;

	memset(value, 'a', sizeof(value) - 1);
	strcat(expected, value);
	ADD(OID_CN, 0x0c, value);
	end_set(from);
	check_text(expected);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&the_last_attribute_comes_first,    &attributes_side_by_side_are_joined,
		&what_has_a_meaning_is_escaped,     &every_kind_of_string_becomes_escaped_utf8,
		&what_is_unknown_is_shown_as_it_is, &what_is_ambiguous_has_no_text,
		&what_is_no_name_has_no_text,       &every_cut_is_refused,
		&any_byte_may_be_anything,          &a_long_value_is_whole,
	};

	return unit_run("gateway-subject", setup, NULL, tests, COUNT(tests));
}
