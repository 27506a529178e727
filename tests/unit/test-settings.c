/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/settings.h"

static struct mquic_settings *settings;

/* While somebody watches: what strdup() gave and free() did not get back. */
static void *texts[64];
static bool watching;

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
void __real_free(void *block);
void __wrap_free(void *block);

char *__wrap_strdup(const char *text)
{
	char *copy = __real_strdup(text);
	size_t i;

	for (i = 0; watching && i < COUNT(texts); i++)
		if (texts[i] == NULL) {
			texts[i] = copy;
			break;
		}
	return copy;
}

void __wrap_free(void *block)
{
	size_t i;

	for (i = 0; block != NULL && i < COUNT(texts); i++)
		if (texts[i] == block)
			texts[i] = NULL;
	__real_free(block);
}

static size_t texts_alive(void)
{
	size_t alive = 0;
	size_t i;

	for (i = 0; i < COUNT(texts); i++)
		alive += texts[i] != NULL;
	return alive;
}

static void set_up(void)
{
	ck_assert_int_eq(mquic_settings_new(&settings), MQUIC_OK);
}

static void tear_down(void)
{
	mquic_settings_free(settings);
}

static void expect_refusal(enum mquic_status status, const char *part)
{
	ck_assert_int_eq(status, MQUIC_ERR_INVALID);
	ck_assert_msg(strstr(mquic_settings_error(settings), part) != NULL, "\"%s\"",
		      mquic_settings_error(settings));
}

/* Every setter of a number: its bounds, and whether 0 is beyond them and still fine. */
#define BOUNDS(name, least, most, zero)                                                            \
	do {                                                                                       \
		ck_assert_int_eq(mquic_settings_set_##name(settings, least), MQUIC_OK);            \
		ck_assert_uint_eq(settings->name, least);                                          \
		ck_assert_int_eq(mquic_settings_set_##name(settings, most), MQUIC_OK);             \
		ck_assert_uint_eq(settings->name, most);                                           \
		expect_refusal(mquic_settings_set_##name(settings, (most) + 1), "must be");        \
		if (!(zero) && (least) > 0)                                                        \
			expect_refusal(mquic_settings_set_##name(settings, (least)-1), "must be"); \
		if ((zero) && (least) > 1)                                                         \
			expect_refusal(mquic_settings_set_##name(settings, 1), "or 0 for off");    \
		ck_assert_uint_eq(settings->name, most); /* the old value stays */                 \
		if (zero)                                                                          \
			ck_assert_int_eq(mquic_settings_set_##name(settings, 0), MQUIC_OK);        \
		ck_assert_int_eq(mquic_settings_set_##name(NULL, most), MQUIC_ERR_INVALID);        \
	} while (0)

START_TEST(settings_numbers_have_the_bounds_of_the_header)
{
	BOUNDS(idle_timeout_ms, 1000U, 86400000U, true);
	BOUNDS(handshake_timeout_ms, 100U, 600000U, false);
	BOUNDS(initial_rtt_ms, 10U, 2000U, false);
	BOUNDS(keep_alive_ms, 1000U, 3600000U, true);
	BOUNDS(max_streams, 1U, 65535U, false);
	BOUNDS(receive_window, 4096U, 1073741824U, false);
	BOUNDS(send_buffer, 4096U, 1073741824U, false);
	BOUNDS(max_connections, 1U, 1000000U, false);
	BOUNDS(max_connections_per_address, 0U, 1000000U, false);
	BOUNDS(max_handshakes, 1U, 1000000U, false);
	BOUNDS(worker, 0U, 255U, false);
	BOUNDS(workers, 1U, 256U, false);
}
END_TEST

START_TEST(settings_have_the_defaults_of_the_header)
{
	ck_assert_str_eq(settings->alpn, "mqtt");
	ck_assert_uint_eq(settings->idle_timeout_ms, 30000);
	ck_assert_uint_eq(settings->handshake_timeout_ms, 10000);
	ck_assert_uint_eq(settings->initial_rtt_ms, 100);
	ck_assert_uint_eq(settings->keep_alive_ms, 0);
	ck_assert_uint_eq(settings->max_streams, 16);
	ck_assert_uint_eq(settings->receive_window, 262144);
	ck_assert_uint_eq(settings->send_buffer, 1048576);
	ck_assert_uint_eq(settings->max_connections, 10000);
	ck_assert_uint_eq(settings->max_connections_per_address, 0);
	ck_assert_uint_eq(settings->max_handshakes, 1000);
	ck_assert_uint_eq(settings->worker, 0);
	ck_assert_uint_eq(settings->workers, 1);
	ck_assert_int_eq(settings->congestion_control, MQUIC_CONGESTION_CUBIC);
	ck_assert_int_eq(settings->retry, MQUIC_RETRY_ADAPTIVE);
	ck_assert(!settings->insecure);
	ck_assert(!settings->require_certificate);
	ck_assert_str_eq(mquic_settings_error(settings), "");
}
END_TEST

START_TEST(settings_take_more_certificates)
{
	struct mquic_settings *copy;

	ck_assert_int_eq(mquic_settings_add_certificate(NULL, "a", "b"), MQUIC_ERR_INVALID);
	expect_refusal(mquic_settings_add_certificate(settings, NULL, NULL), "needs the names");
	expect_refusal(mquic_settings_add_certificate(settings, "a", NULL), "key");
	expect_refusal(mquic_settings_add_certificate(settings, "", "b"), "empty");
	/* The first one is as if it were set. */
	ck_assert_int_eq(mquic_settings_add_certificate(settings, "a", "b"), MQUIC_OK);
	ck_assert_str_eq(settings->cert_file, "a");
	ck_assert_uint_eq(settings->more.count, 0);
	ck_assert_int_eq(mquic_settings_add_certificate(settings, "c", "d"), MQUIC_OK);
	expect_refusal(mquic_settings_add_certificate(settings, NULL, "f"), "certificate");
	expect_refusal(mquic_settings_add_certificate(settings, "e", ""), "empty");
	ck_assert_uint_eq(settings->more.count, 1);
	copy = settings_copy(settings);
	ck_assert_ptr_nonnull(copy);
	ck_assert(settings_same_credentials(copy, settings));
	ck_assert_int_eq(mquic_settings_add_certificate(settings, "e", "f"), MQUIC_OK);
	ck_assert(!settings_same_credentials(copy, settings));
	ck_assert_int_eq(mquic_settings_add_certificate(copy, "e", "g"), MQUIC_OK);
	ck_assert(!settings_same_credentials(copy, settings));
	ck_assert_str_eq(copy->more.all[0].cert_file, "c");
	ck_assert_str_eq(copy->more.all[1].key_file, "g");
	mquic_settings_free(copy);
	/* What is set takes the place of all, unless it is refused. */
	expect_refusal(mquic_settings_set_certificate(settings, "h", NULL), "key");
	ck_assert_uint_eq(settings->more.count, 2);
	ck_assert_int_eq(mquic_settings_set_certificate(settings, "h", "i"), MQUIC_OK);
	ck_assert_uint_eq(settings->more.count, 0);
}
END_TEST

START_TEST(settings_server_secret_has_its_length)
{
	uint8_t secret[33] = "0123456789abcdef0123456789abcdef";
	struct mquic_settings *copy;

	ck_assert_int_eq(mquic_settings_set_server_secret(NULL, secret, 32), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_server_secret(settings, secret, 32), MQUIC_OK);
	expect_refusal(mquic_settings_set_server_secret(settings, secret, 31), "32 bytes, not 31");
	expect_refusal(mquic_settings_set_server_secret(settings, secret, 33), "32 bytes, not 33");
	expect_refusal(mquic_settings_set_server_secret(settings, secret, 0), "32 bytes, not 0");
	expect_refusal(mquic_settings_set_server_secret(settings, NULL, 32), "not 32");
	copy = settings_copy(settings);
	ck_assert(copy->has_server_secret);
	ck_assert_mem_eq(copy->server_secret, secret, 32);
	mquic_settings_free(copy);
	ck_assert_int_eq(mquic_settings_set_server_secret(settings, NULL, 0), MQUIC_OK);
	ck_assert(!settings->has_server_secret);
	ck_assert_mem_ne(settings->server_secret, secret, 32);
}
END_TEST

START_TEST(settings_certificate_and_key_go_together)
{
	ck_assert_int_eq(mquic_settings_set_certificate(settings, "a", "b"), MQUIC_OK);
	expect_refusal(mquic_settings_set_certificate(settings, "c", NULL), "key");
	expect_refusal(mquic_settings_set_certificate(settings, NULL, "c"), "certificate");
	expect_refusal(mquic_settings_set_certificate(settings, "", "c"), "empty");
	expect_refusal(mquic_settings_set_certificate(settings, "c", ""), "empty");
	ck_assert_str_eq(settings->cert_file, "a");
	ck_assert_str_eq(settings->key_file, "b");
	ck_assert_int_eq(mquic_settings_set_certificate(settings, NULL, NULL), MQUIC_OK);
	ck_assert_ptr_null(settings->cert_file);
	ck_assert_ptr_null(settings->key_file);
}
END_TEST

START_TEST(settings_file_names_are_not_empty)
{
	ck_assert_int_eq(mquic_settings_set_ca_file(settings, "ca"), MQUIC_OK);
	expect_refusal(mquic_settings_set_ca_file(settings, ""), "CA file");
	ck_assert_str_eq(settings->ca_file, "ca");
	ck_assert_int_eq(mquic_settings_set_ca_file(settings, NULL), MQUIC_OK);
	ck_assert_ptr_null(settings->ca_file);
	expect_refusal(mquic_settings_set_ca_path(settings, ""), "CA directory");
	expect_refusal(mquic_settings_set_crl_file(settings, ""), "revocation");
	expect_refusal(mquic_settings_set_keylog_file(settings, ""), "key log");
	expect_refusal(mquic_settings_set_reset_key_file(settings, ""), "reset key");
}
END_TEST

START_TEST(settings_names_are_neither_empty_nor_too_long)
{
	char name[257];

	memset(name, 'x', 256);
	name[256] = '\0';
	expect_refusal(mquic_settings_set_server_name(settings, name), "1 to 255");
	expect_refusal(mquic_settings_set_server_name(settings, ""), "1 to 255");
	ck_assert_int_eq(mquic_settings_set_server_name(settings, NULL), MQUIC_OK);
	name[255] = '\0';
	ck_assert_int_eq(mquic_settings_set_server_name(settings, name), MQUIC_OK);
	name[32] = '\0';
	expect_refusal(mquic_settings_set_alpn(settings, name), "1 to 31");
	expect_refusal(mquic_settings_set_alpn(settings, ""), "1 to 31");
	expect_refusal(mquic_settings_set_alpn(settings, NULL), "1 to 31");
	name[31] = '\0';
	ck_assert_int_eq(mquic_settings_set_alpn(settings, name), MQUIC_OK);
}
END_TEST

START_TEST(settings_local_address_is_numeric)
{
	static const char *const wrong[] = {"",      "localhost", "127.0.0.1:80", "127.0.0.1%lo",
					    "1.2.3", "[::1]",     "::1::",        "%eth0"};
	static const char *const right[] = {"127.0.0.1", "::1", "fe80::1%eth0", "2001:db8::7"};
	size_t i;

	for (i = 0; i < COUNT(wrong); i++)
		expect_refusal(mquic_settings_set_local_address(settings, wrong[i]), "numeric");
	for (i = 0; i < COUNT(right); i++)
		ck_assert_int_eq(mquic_settings_set_local_address(settings, right[i]), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_local_address(settings, NULL), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_local_address(NULL, "::1"), MQUIC_ERR_INVALID);
}
END_TEST

START_TEST(settings_choices_are_those_of_the_header)
{
	expect_refusal(
		mquic_settings_set_congestion_control(settings, (enum mquic_congestion_control)3),
		"MQUIC_CONGESTION_");
	expect_refusal(mquic_settings_set_retry(settings, (enum mquic_retry)3), "MQUIC_RETRY_");
	ck_assert_int_eq(mquic_settings_set_retry(settings, MQUIC_RETRY_NEVER), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_congestion_control(settings, MQUIC_CONGESTION_BBR),
			 MQUIC_OK);
}
END_TEST

#define SETTING_NAME(kind, name, ...) #name,

static const char *name_of(const struct setting *row)
{
	static const char *const names[] = {SETTINGS(SETTING_NAME)};

	return names[row - settings_rows];
}

static char **text_of(struct mquic_settings *of, const struct setting *row)
{
	return (char **)(void *)((char *)of + row->offset);
}

/* Changes this setting alone, whatever its setter would say. */
static void change(struct mquic_settings *of, const struct setting *row)
{
	char *field = (char *)of + row->offset;

	if (setting_is_text(row)) {
		free(*text_of(of, row));
		*text_of(of, row) = strdup(name_of(row));
	} else if (row->kind == SETTING_KIND_FLAG) {
		*(bool *)field = !*(bool *)field;
	} else {
		*field = (char)(*field + 1);
	}
}

START_TEST(settings_copy_is_deep_for_every_setting)
{
	struct mquic_settings *copy;
	size_t i;

	for (i = 0; i < SETTINGS_COUNT; i++)
		change(settings, &settings_rows[i]);
	copy = settings_copy(settings);
	ck_assert_ptr_nonnull(copy);
	for (i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *row = &settings_rows[i];
		size_t size = row->kind == SETTING_KIND_FLAG ? sizeof(bool) : sizeof(uint32_t);

		if (!setting_is_text(row)) {
			ck_assert_msg(memcmp((char *)copy + row->offset,
					     (char *)settings + row->offset, size) == 0,
				      "%s is not copied", name_of(row));
			continue;
		}
		ck_assert_str_eq(*text_of(copy, row), name_of(row));
		ck_assert_ptr_ne(*text_of(copy, row), *text_of(settings, row));
	}
	mquic_settings_free(settings);
	ck_assert_str_eq(copy->ca_file, "ca_file");
	settings = copy;
}
END_TEST

START_TEST(settings_copy_of_none_has_the_defaults)
{
	struct mquic_settings *copy = settings_copy(NULL);

	ck_assert_ptr_nonnull(copy);
	ck_assert_uint_eq(copy->max_streams, 16);
	ck_assert_str_eq(copy->alpn, "mqtt");
	mquic_settings_free(copy);
}
END_TEST

START_TEST(settings_free_every_text)
{
	struct mquic_settings *copy;
	size_t expected = 0;
	size_t i;

	for (i = 0; i < SETTINGS_COUNT; i++) {
		expected += setting_is_text(&settings_rows[i]);
		change(settings, &settings_rows[i]);
	}
	watching = true;
	copy = settings_copy(settings);
	ck_assert_uint_eq(texts_alive(), expected);
	mquic_settings_free(copy);
	ck_assert_uint_eq(texts_alive(), 0);
	watching = false;
}
END_TEST

START_TEST(settings_differ_in_credentials_only_by_what_they_are_made_of)
{
	size_t credentials = 0;
	size_t i;

	for (i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *row = &settings_rows[i];
		bool marked = row->marks & SETTING_CREDENTIAL;
		struct mquic_settings *other = settings_copy(settings);

		ck_assert_ptr_nonnull(other);
		ck_assert(settings_same_credentials(settings, other));
		change(other, row);
		ck_assert_msg(settings_same_credentials(settings, other) != marked,
			      "%s alone differs", name_of(row));
		ck_assert_msg(settings_same_credentials(other, settings) != marked,
			      "%s alone differs", name_of(row));
		credentials += marked;
		mquic_settings_free(other);
	}
	ck_assert_uint_eq(credentials, 10);
}
END_TEST

/* ---- What the header says ---- */

/* mquic.h as one line: blanks and the stars of comments are one blank. */
static char *read_header(void)
{
	static char text[262144];
	FILE *file = fopen(MQUIC_HEADER, "r");
	size_t len = 0;
	int c;

	ck_assert_ptr_nonnull(file);
	while ((c = getc(file)) != EOF && len < sizeof(text) - 1) {
		bool blank = c == ' ' || c == '\n' || c == '\t' || c == '*';

		if (!blank || (len > 0 && text[len - 1] != ' '))
			text[len++] = blank ? ' ' : (char)c;
	}
	ck_assert_int_eq(c, EOF);
	fclose(file);
	text[len] = '\0';
	return text;
}

/* Copies what is said directly above `declaration`. */
static void find_words(const char *declaration, char *words, size_t size)
{
	char *header = read_header();
	char *end = strstr(header, declaration);
	char *start = NULL;
	char *at;

	ck_assert_msg(end != NULL, "mquic.h has no \"%s\"", declaration);
	*end = '\0';
	for (at = header; (at = strstr(at, "/ ")) != NULL; at++)
		if (at > header && at[-1] == ' ' && at[2] != ' ' && strstr(at, " /") != NULL)
			start = at;
	ck_assert_ptr_nonnull(start);
	(void)snprintf(words, size, "%s", start);
}

__attribute__((format(printf, 3, 4))) static void expect_words(const struct setting *row,
							       const char *words,
							       const char *format, ...)
{
	char wanted[128];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(wanted, sizeof(wanted), format, args);
	va_end(args);
	ck_assert_msg(strstr(words, wanted) != NULL, "%s: mquic.h does not say \"%s\" but: %s",
		      name_of(row), wanted, words);
}

static bool says_default(const char *words, const char *value)
{
	char by_default[64];
	char the_default[64];

	(void)snprintf(by_default, sizeof(by_default), " %s by default", value);
	(void)snprintf(the_default, sizeof(the_default), " %s, the default", value);
	return strstr(words, by_default) != NULL || strstr(words, the_default) != NULL;
}

static void check_number(const struct setting *row, const char *words)
{
	char value[32];

	(void)snprintf(value, sizeof(value), "%llu", (unsigned long long)row->number);
	expect_words(row, words, " %llu to %llu", (unsigned long long)row->least,
		     (unsigned long long)row->most);
	if (row->marks & SETTING_ZERO)
		ck_assert_msg(strstr(words, " 0 turns ") != NULL || strstr(words, " 0: ") != NULL,
			      "%s: mquic.h does not say what 0 does", name_of(row));
	if (row->kind == SETTING_KIND_OPTIONAL)
		expect_words(row, words, " Not set, ");
	else
		ck_assert_msg(says_default(words, value), "%s: the default is %s, not as in: %s",
			      name_of(row), value, words);
}

static void check_text(const struct setting *row, const char *words)
{
	char value[64];

	if (row->kind == SETTING_KIND_TEXT)
		expect_words(row, words, " %d to %d bytes", (int)row->least, (int)row->most);
	if (row->text[0] == '\0') {
		expect_words(row, words, " NULL");
		return;
	}
	(void)snprintf(value, sizeof(value), "\"%s\"", row->text);
	ck_assert_msg(says_default(words, value), "%s: the default is %s, not as in: %s",
		      name_of(row), value, words);
}

/* The values of the enum, from 0 on; one of them says that it is the default. */
static void check_choice(const struct setting *row)
{
	char wanted[64];
	char *at;
	uint64_t value;

	(void)snprintf(wanted, sizeof(wanted), " enum mquic_%s {", name_of(row));
	at = strstr(read_header(), wanted);
	ck_assert_msg(at != NULL, "mquic.h has no%s", wanted);
	*strchr(at, '}') = '\0';
	for (value = 0; value <= row->most; value++) {
		char *next;

		(void)snprintf(wanted, sizeof(wanted), " = %llu", (unsigned long long)value);
		at = strstr(at, wanted);
		ck_assert_msg(at != NULL, "%s: mquic.h has no value%s", name_of(row), wanted);
		next = strstr(at + 1, " = ");
		if (next != NULL)
			*next = '\0';
		ck_assert_msg((strstr(at, "the default") != NULL) == (value == row->number),
			      "%s: which is the default? %s", name_of(row), at);
		if (next != NULL)
			*next = ' ';
		else
			ck_assert_uint_eq(value, row->most);
	}
}

/* An array of characters that is filled by its text to the last has no NUL. */
START_TEST(settings_have_room_for_their_texts)
{
	size_t i;

	for (i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *row = &settings_rows[i];

		ck_assert_msg(memchr(row->text, '\0', sizeof(row->text)) != NULL &&
				      memchr(row->what, '\0', sizeof(row->what)) != NULL,
			      "%s: a text is too long for the row", name_of(row));
	}
}
END_TEST

START_TEST(settings_are_as_the_header_says)
{
	size_t i;

	for (i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *row = &settings_rows[i];
		char declaration[96];
		char words[2048];

		if (row->kind == SETTING_KIND_PAIRED)
			continue;
		(void)snprintf(declaration, sizeof(declaration),
			       " MQUIC_API enum mquic_status mquic_settings_set_%s(", name_of(row));
		find_words(declaration, words, sizeof(words));
		if (setting_is_text(row))
			check_text(row, words);
		else if (row->kind == SETTING_KIND_FLAG)
			expect_words(row, words, "%s by default.", row->number ? "On" : "Off");
		else if (row->kind == SETTING_KIND_CHOICE)
			check_choice(row);
		else
			check_number(row, words);
	}
}
END_TEST

START_TEST(settings_of_none_answer_harmlessly)
{
	mquic_settings_free(NULL);
	ck_assert_int_eq(mquic_settings_new(NULL), MQUIC_ERR_INVALID);
	ck_assert_ptr_nonnull(mquic_settings_error(NULL));
	ck_assert_int_eq(mquic_settings_set_ca_file(NULL, "x"), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_ca_path(NULL, "x"), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_crl_file(NULL, "x"), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_certificate(NULL, "x", "y"), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_require_certificate(NULL, true), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_insecure(NULL, true), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_server_name(NULL, "x"), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_alpn(NULL, "x"), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_keylog_file(NULL, "x"), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_reset_key_file(NULL, "x"), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_congestion_control(NULL, MQUIC_CONGESTION_BBR),
			 MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_settings_set_retry(NULL, MQUIC_RETRY_NEVER), MQUIC_ERR_INVALID);
}
END_TEST

START_TEST(error_sentences_are_cut_and_never_overflow)
{
	struct error error;
	char longer[1000];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(error_set(&error, MQUIC_ERR_LIMIT, "%s", longer), MQUIC_ERR_LIMIT);
	ck_assert_uint_eq(strlen(error.text), sizeof(error.text) - 1);
	ck_assert_int_eq(error_set_system(&error, ENOENT, "%s", longer), MQUIC_ERR_SYSTEM);
	ck_assert_uint_eq(strlen(error.text), sizeof(error.text) - 1);
	ck_assert_int_eq(error_set_system(&error, ENOENT, "opening %s", "it"), MQUIC_ERR_SYSTEM);
	ck_assert_str_eq(error.text, "opening it: No such file or directory");
}
END_TEST

START_TEST(every_status_has_a_text_of_its_own)
{
	char version[32];
	int a;
	int b;

	for (a = MQUIC_OK; a >= MQUIC_ERR_FORKED; a--)
		for (b = MQUIC_OK; b > a; b--)
			ck_assert_str_ne(mquic_status_text((enum mquic_status)a),
					 mquic_status_text((enum mquic_status)b));
	ck_assert_str_eq(mquic_status_text((enum mquic_status)1), "unknown status");
	ck_assert_str_eq(mquic_status_text((enum mquic_status) - 16), "unknown status");
	ck_assert_str_eq(mquic_version(), MQUIC_VERSION_STRING);
	(void)snprintf(version, sizeof(version), "%d.%d.%d", MQUIC_VERSION_MAJOR,
		       MQUIC_VERSION_MINOR, MQUIC_VERSION_PATCH);
	ck_assert_str_eq(mquic_version(), version);
	ck_assert_int_ge(MQUIC_VERSION_NUMBER, 0x000100);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&settings_numbers_have_the_bounds_of_the_header,
		&settings_have_the_defaults_of_the_header,
		&settings_take_more_certificates,
		&settings_server_secret_has_its_length,
		&settings_certificate_and_key_go_together,
		&settings_file_names_are_not_empty,
		&settings_names_are_neither_empty_nor_too_long,
		&settings_local_address_is_numeric,
		&settings_choices_are_those_of_the_header,
		&settings_copy_is_deep_for_every_setting,
		&settings_copy_of_none_has_the_defaults,
		&settings_free_every_text,
		&settings_differ_in_credentials_only_by_what_they_are_made_of,
		&settings_have_room_for_their_texts,
		&settings_are_as_the_header_says,
		&settings_of_none_answer_harmlessly,
		&error_sentences_are_cut_and_never_overflow,
		&every_status_has_a_text_of_its_own,
	};

	return unit_run("settings", set_up, tear_down, tests, COUNT(tests));
}
