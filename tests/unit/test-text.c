/* SPDX-License-Identifier: MIT */
/* UTF-8 text: what is well-formed, what is fit to print. */
#include "unit.h"

#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "mquic.h"

struct vector {
	const char *bytes;
	size_t len;
};

#define VECTOR(literal)                                                                            \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

START_TEST(utf8_accepts_what_is_well_formed)
{
	static const struct vector vectors[] = {
		VECTOR(""),
		VECTOR("plain"),
		VECTOR("\x01\x1f\x7f"),
		VECTOR("\xc2\x80"),
		VECTOR("\xdf\xbf"),
		VECTOR("\xe0\xa0\x80"),
		VECTOR("\xed\x9f\xbf"),
		VECTOR("\xee\x80\x80"),
		VECTOR("\xef\xbb\xbf"),
		VECTOR("\xef\xbf\xbf"),
		VECTOR("\xf0\x90\x80\x80"),
		VECTOR("\xf4\x8f\xbf\xbf"),
		VECTOR("A\xf0\xaa\x9b\x94"),
	};
	size_t i;

	for (i = 0; i < COUNT(vectors); i++)
		ck_assert_msg(text_is_utf8(vectors[i].bytes, vectors[i].len), "vector %zu", i);
}
END_TEST

START_TEST(utf8_refuses_what_mqtt_forbids)
{
	static const struct vector vectors[] = {
		VECTOR("\0"),
		VECTOR("a\0b"),
		VECTOR("\x80"),
		VECTOR("\xbf"),
		VECTOR("\xc0\x80"),         /* overlong NUL */
		VECTOR("\xc1\xbf"),         /* overlong */
		VECTOR("\xc2"),             /* cut short */
		VECTOR("\xc2 "),            /* no continuation */
		VECTOR("\xe0\x9f\xbf"),     /* overlong */
		VECTOR("\xe1\x80"),         /* cut short */
		VECTOR("\xed\xa0\x80"),     /* surrogate */
		VECTOR("\xed\xbf\xbf"),     /* surrogate */
		VECTOR("\xf0\x8f\xbf\xbf"), /* overlong */
		VECTOR("\xf4\x90\x80\x80"), /* above U+10FFFF */
		VECTOR("\xf5\x80\x80\x80"),
		VECTOR("\xf8\x88\x80\x80\x80"),
		VECTOR("\xff"),
		VECTOR("good until here\xfe"),
	};
	size_t i;

	for (i = 0; i < COUNT(vectors); i++)
		ck_assert_msg(!text_is_utf8(vectors[i].bytes, vectors[i].len), "vector %zu", i);
}
END_TEST

START_TEST(length_is_given_or_found)
{
	ck_assert_uint_eq(text_length("abc", MQUIC_NUL_TERMINATED), 3);
	ck_assert_uint_eq(text_length("abc", 2), 2);
	ck_assert_uint_eq(text_length("a\0c", 3), 3);
	ck_assert_uint_eq(text_length(NULL, 7), 0);
	ck_assert_uint_eq(text_length(NULL, MQUIC_NUL_TERMINATED), 0);
}
END_TEST

START_TEST(text_is_a_copy_with_a_nul_behind_it)
{
	struct text text = {NULL, 0};
	char source[] = "abcdef";

	ck_assert(text_set(&text, source, 3));
	source[0] = 'x';
	ck_assert_uint_eq(text.len, 3);
	ck_assert_str_eq(text.data, "abc");
	ck_assert(text_set(&text, text.data + 1, 2));
	ck_assert_str_eq(text.data, "bc");
	ck_assert(text_set(&text, "", 0));
	ck_assert_ptr_nonnull(text.data);
	ck_assert(text_set(&text, NULL, 0));
	ck_assert_ptr_null(text.data);
	ck_assert(!text_set(&text, "x", SIZE_MAX));
	text_clear(&text);
}
END_TEST

struct print {
	size_t size;
	const char *in;
	size_t len;
	const char *out;
};

START_TEST(printable_lets_nothing_forge_a_line)
{
	static const char *const unfit[] = {
		"\n",
		"\r",
		"\x0b",
		"\xc2\x85",
		"\xc2\xad",
		"\xd8\x9c",
		"\xe2\x80\x8b",
		"\xe2\x80\x8e",
		"\xe2\x80\x8f",
		"\xe2\x80\xa8",
		"\xe2\x80\xa9",
		"\xe2\x80\xaa",
		"\xe2\x80\xae",
		"\xe2\x81\xa0",
		"\xe2\x81\xa6",
		"\xe2\x81\xa9",
		"\xef\xbb\xbf",
		"\xef\xbf\xb9",
		"\xef\xbf\xbf",
		"\xe1\xa0\x8e",
		"\xf3\xa0\x80\x81",
		"\xf3\xa0\x81\xbf",
	};
	/* Joiners, variation selectors, a private character, the last one there is. */
	static const char *const fit[] = {
		"\xe2\x80\x8c", "\xe2\x80\x8d", "\xef\xb8\x8f",     "\xee\x80\x80",
		"\xe2\x80\xa7", "\xe2\x80\xaf", "\xf4\x8f\xbf\xbd", "\xe2\x81\xb0",
	};
	char out[8];
	size_t i;

	for (i = 0; i < COUNT(unfit); i++) {
		text_printable(out, sizeof(out), unfit[i], strlen(unfit[i]));
		ck_assert_msg(strcmp(out, "?") == 0, "character %zu stays", i);
	}
	for (i = 0; i < COUNT(fit); i++) {
		text_printable(out, sizeof(out), fit[i], strlen(fit[i]));
		ck_assert_str_eq(out, fit[i]);
	}
}
END_TEST

START_TEST(printable_works_in_place)
{
	char text[] = "a\xe2\x80\xa8"
		      "b\xc3\xbc\n";

	text_printable(text, sizeof(text), text, strlen(text));
	ck_assert_str_eq(text, "a?b\xc3\xbc?");
}
END_TEST

START_TEST(printable_keeps_a_text_within_its_quotes)
{
	char out[32];

	ck_assert_str_eq(mquic_text_printable(out, sizeof(out), "x', user 'admin", 15, '\''),
			 "x?, user ?admin");
	ck_assert_str_eq(mquic_text_printable(out, sizeof(out), "it's\n", MQUIC_NUL_TERMINATED, 0),
			 "it's?");
	ck_assert_str_eq(mquic_text_printable(out, 3, "long", 4, 0), "lo");
	ck_assert_str_eq(mquic_text_printable(out, sizeof(out), NULL, 7, 0), "");
	ck_assert_str_eq(mquic_text_printable(out, 0, "x", 1, 0), "");
	ck_assert_str_eq(mquic_text_printable(NULL, 9, "x", 1, 0), "");
}
END_TEST

static void keep_line(void *userdata, enum mquic_log_level level, const char *line)
{
	(void)level;
	text_printable(userdata, 32, line, strlen(line));
	ck_assert_str_eq(userdata, line);
}

START_TEST(log_lines_and_sentences_are_one_line)
{
	char kept[32] = "";
	struct log log = {.sink = keep_line, .userdata = kept, .level = MQUIC_LOG_INFO};
	struct error error;

	log_line(&log, MQUIC_LOG_INFO, "peer says %s", "a\nb\xe2\x80\xa8");
	ck_assert_str_eq(kept, "peer says a?b?");
	(void)error_set(&error, MQUIC_ERR_TLS, "not for %s", "a\nb\xe2\x80\xae");
	ck_assert_str_eq(error.text, "not for a?b?");
	(void)error_set_system(&error, 0, "file %s", "a\033b");
	ck_assert_ptr_nonnull(strstr(error.text, "file a?b: "));
}
END_TEST

START_TEST(printable_replaces_what_would_harm_a_terminal)
{
	static const struct print prints[] = {
		{32, "plain text", 10, "plain text"},
		{32, "\033[31mred\n", 9, "?[31mred?"},
		{32, "a\0b\x7f", 4, "a?b?"},
		{32,
		 "\xc2\x9b"
		 "31m",
		 5, "?31m"}, /* CSI as U+009B */
		{32, "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
		{32, "bad\xff\xfe", 5, "bad??"},
		{32, "cut\xe2\x82", 5, "cut??"},
		{5, "abcdef", 6, "abcd"},
		{5, "abc\xc3\xbc", 5, "abc"}, /* no half characters */
		{6, "abc\xc3\xbc", 5, "abc\xc3\xbc"},
		{1, "abc", 3, ""},
	};
	char out[32];
	size_t i;

	for (i = 0; i < COUNT(prints); i++) {
		text_printable(out, prints[i].size, prints[i].in, prints[i].len);
		ck_assert_str_eq(out, prints[i].out);
	}
	out[0] = 'x';
	text_printable(out, 0, "abc", 3);
	ck_assert_int_eq(out[0], 'x');
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&utf8_accepts_what_is_well_formed,
		&utf8_refuses_what_mqtt_forbids,
		&length_is_given_or_found,
		&text_is_a_copy_with_a_nul_behind_it,
		&printable_lets_nothing_forge_a_line,
		&printable_works_in_place,
		&log_lines_and_sentences_are_one_line,
		&printable_keeps_a_text_within_its_quotes,
		&printable_replaces_what_would_harm_a_terminal,
	};

	return unit_run("text", NULL, NULL, tests, COUNT(tests));
}
