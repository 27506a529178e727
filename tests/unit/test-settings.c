/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "core/settings.h"

static struct mquic_settings *settings;

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
	ck_assert_int_eq(settings->congestion_control, MQUIC_CONGESTION_CUBIC);
	ck_assert_int_eq(settings->retry, MQUIC_RETRY_ADAPTIVE);
	ck_assert(!settings->insecure);
	ck_assert(!settings->require_certificate);
	ck_assert_str_eq(mquic_settings_error(settings), "");
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
	static const char *const wrong[] = {"",	     "localhost", "127.0.0.1:80", "127.0.0.1%lo",
					    "1.2.3", "[::1]",	  "::1::",	  "%eth0"};
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

START_TEST(settings_copy_is_deep)
{
	struct mquic_settings *copy;

	ck_assert_int_eq(mquic_settings_set_ca_file(settings, "one"), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_reset_key_file(settings, "key"), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_max_streams(settings, 77), MQUIC_OK);
	copy = settings_copy(settings);
	ck_assert_ptr_nonnull(copy);
	ck_assert_int_eq(mquic_settings_set_ca_file(settings, "two"), MQUIC_OK);
	ck_assert_str_eq(copy->ca_file, "one");
	ck_assert_str_eq(copy->reset_key_file, "key");
	ck_assert_ptr_ne(copy->reset_key_file, settings->reset_key_file);
	ck_assert_str_eq(copy->alpn, "mqtt");
	ck_assert_uint_eq(copy->max_streams, 77);
	mquic_settings_free(copy);
	copy = settings_copy(NULL);
	ck_assert_ptr_nonnull(copy);
	ck_assert_uint_eq(copy->max_streams, 16);
	mquic_settings_free(copy);
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
	int a;
	int b;

	for (a = MQUIC_OK; a >= MQUIC_ERR_FORKED; a--)
		for (b = MQUIC_OK; b > a; b--)
			ck_assert_str_ne(mquic_status_text((enum mquic_status)a),
					 mquic_status_text((enum mquic_status)b));
	ck_assert_str_eq(mquic_status_text((enum mquic_status)1), "unknown status");
	ck_assert_str_eq(mquic_status_text((enum mquic_status) - 16), "unknown status");
	ck_assert_str_eq(mquic_version(), MQUIC_VERSION_STRING);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&settings_numbers_have_the_bounds_of_the_header,
		&settings_have_the_defaults_of_the_header,
		&settings_certificate_and_key_go_together,
		&settings_file_names_are_not_empty,
		&settings_names_are_neither_empty_nor_too_long,
		&settings_local_address_is_numeric,
		&settings_choices_are_those_of_the_header,
		&settings_copy_is_deep,
		&settings_of_none_answer_harmlessly,
		&error_sentences_are_cut_and_never_overflow,
		&every_status_has_a_text_of_its_own,
	};

	return unit_run("settings", set_up, tear_down, tests, COUNT(tests));
}
