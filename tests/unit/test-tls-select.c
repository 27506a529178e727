/* SPDX-License-Identifier: MIT */
/* Which of several certificates a server shows. */
#include <string.h>

#include "core/settings.h"
#include "tls-kit.h"

static void set_up(void)
{
	kit_open();
	kit_make(&(struct kit_spec){.name = "one",
				    .common_name = "one",
				    .dns = {"one.example", "127.0.0.1"},
				    .ip = {"127.0.0.1"},
				    .issuer = "ca"});
	kit_make(&(struct kit_spec){
		.name = "wild", .common_name = "wild", .dns = {"*.two.example"}, .issuer = "ca"});
	kit_make(&(struct kit_spec){.name = "two",
				    .common_name = "two",
				    .dns = {"A.Two.example", "xn--brker-kua.example"},
				    .issuer = "ca"});
	kit_make(&(struct kit_spec){.name = "rsa",
				    .common_name = "rsa",
				    .dns = {"rsa.example"},
				    .rsa_bits = 2048,
				    .issuer = "ca"});
	kit_settings(&kit_server, NULL, "one");
}

static void tear_down(void)
{
	key_pairs_clear(&kit_server.more);
	kit_close();
}

static void add(const char *certificate, const char *key)
{
	ck_assert(key_pairs_add(&kit_server.more, kit_path(certificate), kit_path(key)));
}

static void add_all(void)
{
	add("wild.crt", "wild.key");
	add("two.crt", "two.key");
	add("rsa.crt", "rsa.key");
}

/* Whom a client sees that dials `name`, whether it likes that or not. */
static void expect_shown(const char *name, const char *expected)
{
	struct kit_handshake handshake;
	const gnutls_datum_t *shown;
	gnutls_x509_crt_t certificate;
	char subject[128];
	size_t size = sizeof(subject);
	unsigned int count = 0;

	kit_client.insecure = true;
	kit_handshake(&handshake, &kit_client, &kit_server, name);
	ck_assert_msg(handshake.complete, "%s: %s", name, handshake.client_error.text);
	shown = gnutls_certificate_get_peers(tls_session_native(handshake.client), &count);
	ck_assert_uint_gt(count, 0);
	ck_assert_int_eq(gnutls_x509_crt_init(&certificate), 0);
	ck_assert_int_eq(gnutls_x509_crt_import(certificate, shown, GNUTLS_X509_FMT_DER), 0);
	ck_assert_int_eq(gnutls_x509_crt_get_dn(certificate, subject, &size), 0);
	ck_assert_msg(strcmp(subject, expected) == 0, "%s is shown %s, not %s", name, subject,
		      expected);
	gnutls_x509_crt_deinit(certificate);
	kit_end(&handshake);
	kit_client.insecure = false;
}

START_TEST(each_name_gets_its_certificate)
{
	add_all();
	kit_accepts("one.example");
	kit_accepts("a.two.example");
	kit_accepts("b.two.example");
	kit_accepts("rsa.example");
	kit_accepts("127.0.0.1");
}
END_TEST

START_TEST(the_very_name_goes_before_a_wildcard)
{
	add_all();
	expect_shown("a.two.example", "CN=two");
	expect_shown("b.two.example", "CN=wild");
	expect_shown("b.a.two.example", "CN=one");
	expect_shown("two.example", "CN=one");
}
END_TEST

START_TEST(names_are_the_same_in_any_case_and_with_a_dot)
{
	add_all();
	expect_shown("A.TWO.Example", "CN=two");
	expect_shown("a.two.example.", "CN=two");
	expect_shown("br\xc3\xb6ker.example", "CN=two");
}
END_TEST

/* GnuTLS by itself would show others before a key of RSA-PSS or for want of a name. */
START_TEST(who_says_no_name_or_an_unknown_one_gets_the_first)
{
	kit_settings(&kit_server, NULL, "rsa");
	add("one.crt", "one.key");
	add("wild.crt", "wild.key");
	expect_shown("127.0.0.1", "CN=rsa");
	expect_shown("other.example", "CN=rsa");
	expect_shown("one.example", "CN=one");
}
END_TEST

START_TEST(first_of_two_for_one_name_is_shown)
{
	add("one.crt", "one.key");
	add("server.crt", "server.key");
	kit_accepts("one.example");
	kit_accepts("broker.example");
	kit_accepts("x.wild.example");
}
END_TEST

/* Whichever is shown, clients are asked for theirs and judged by the one set of CAs. */
START_TEST(clients_are_judged_alike_under_every_name)
{
	static const char *const names[] = {"one.example", "a.two.example", "rsa.example"};
	size_t i;

	kit_settings(&kit_server, "ca", "one");
	kit_server.require_certificate = true;
	add_all();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct kit_handshake handshake;
		struct tls_facts facts;

		kit_settings(&kit_client, "ca", "alice");
		kit_handshake(&handshake, &kit_client, &kit_server, names[i]);
		ck_assert_msg(handshake.complete, "%s: %s", names[i], handshake.server_error.text);
		ck_assert_int_eq(tls_session_facts(handshake.server, &facts), MQUIC_OK);
		ck_assert_str_eq(facts.common_name, "alice");
		tls_facts_clear(&facts);
		kit_end(&handshake);
		kit_settings(&kit_client, "ca", NULL);
		kit_handshake(&handshake, &kit_client, &kit_server, names[i]);
		ck_assert(handshake.server_failed);
		kit_end(&handshake);
	}
}
END_TEST

START_TEST(certificate_without_names_is_never_chosen)
{
	kit_make(&(struct kit_spec){.name = "bare", .common_name = "bare.example", .issuer = "ca"});
	add("bare.crt", "bare.key");
	expect_shown("bare.example", "CN=one");
}
END_TEST

START_TEST(fault_of_a_later_one_is_told_with_its_file)
{
	add("two.crt", "two.key");
	add("wild.crt", "two.key");
	kit_refuses(&kit_server, TLS_SERVER, "two.key", "wild.crt");
	key_pairs_clear(&kit_server.more);
	add("nowhere.crt", "two.key");
	kit_refuses(&kit_server, TLS_SERVER, "nowhere.crt", "certificate file");
}
END_TEST

START_TEST(end_of_each_is_told)
{
	struct tls_credentials *credentials;
	struct error error;

	kit_make(&(struct kit_spec){.name = "two",
				    .common_name = "two",
				    .dns = {"a.two.example"},
				    .issuer = "ca",
				    .starts = -90 * KIT_DAY,
				    .ends = 5 * KIT_DAY});
	add_all();
	ck_assert_int_eq(tls_credentials_load(&credentials, &kit_server, TLS_SERVER, &error),
			 MQUIC_OK);
	ck_assert(tls_credentials_expiring(credentials, 21, 0, &error));
	kit_says(error.text, "two.crt");
	ck_assert(!tls_credentials_expiring(credentials, 21, 1, &error));
	tls_credentials_unref(credentials);
}
END_TEST

/* What tells an address to prove itself comes from the first key, and stays if others change. */
START_TEST(secrets_come_from_the_first_key)
{
	uint8_t alone[TLS_SECRET_LEN], among[TLS_SECRET_LEN];
	struct tls_credentials *credentials;
	struct error error;

	ck_assert_int_eq(tls_credentials_load(&credentials, &kit_server, TLS_SERVER, &error),
			 MQUIC_OK);
	ck_assert_int_eq(tls_credentials_secret(credentials, "x", alone), MQUIC_OK);
	tls_credentials_unref(credentials);
	add_all();
	ck_assert_int_eq(tls_credentials_load(&credentials, &kit_server, TLS_SERVER, &error),
			 MQUIC_OK);
	ck_assert_int_eq(tls_credentials_secret(credentials, "x", among), MQUIC_OK);
	tls_credentials_unref(credentials);
	ck_assert_mem_eq(alone, among, TLS_SECRET_LEN);
}
END_TEST

START_TEST(client_uses_none_of_the_others)
{
	kit_settings(&kit_server, "ca", "one");
	ck_assert(key_pairs_add(&kit_client.more, "/nowhere.crt", "/nowhere.key"));
	kit_accepts("one.example");
	key_pairs_clear(&kit_client.more);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls-select");
	TCase *tc = tcase_create("choice");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, each_name_gets_its_certificate);
	tcase_add_test(tc, the_very_name_goes_before_a_wildcard);
	tcase_add_test(tc, names_are_the_same_in_any_case_and_with_a_dot);
	tcase_add_test(tc, who_says_no_name_or_an_unknown_one_gets_the_first);
	tcase_add_test(tc, first_of_two_for_one_name_is_shown);
	tcase_add_test(tc, clients_are_judged_alike_under_every_name);
	tcase_add_test(tc, certificate_without_names_is_never_chosen);
	tcase_add_test(tc, fault_of_a_later_one_is_told_with_its_file);
	tcase_add_test(tc, end_of_each_is_told);
	tcase_add_test(tc, secrets_come_from_the_first_key);
	tcase_add_test(tc, client_uses_none_of_the_others);
	suite_add_tcase(suite, tc);
	return kit_main(suite);
}
