/* SPDX-License-Identifier: MIT */
/* Who is believed: names, certificates of both sides, and what is then known of the peer. */
#include <check.h>
#include <string.h>

#include "tls-kit.h"

/* ---- The server's name ----------------------------------------------------- */

START_TEST(name_is_accepted_as_dns_name_wildcard_or_address)
{
	kit_accepts("broker.example");
	kit_accepts("BROKER.example");
	kit_accepts("broker.example.");
	kit_accepts("a.wild.example");
	kit_accepts("127.0.0.1");
	kit_accepts("::1");
	kit_accepts("0:0:0:0:0:0:0:1");
	kit_accepts("::1%lo");
	kit_accepts("::ffff:127.0.0.1");
}
END_TEST

START_TEST(name_that_is_not_listed_is_refused)
{
	kit_client_refuses("other.example", GNUTLS_A_BAD_CERTIFICATE,
			   "is for broker.example, 127.0.0.1", "not for other.example");
	kit_client_refuses("127.0.0.2", GNUTLS_A_BAD_CERTIFICATE, "is for", "not for 127.0.0.2");
	kit_client_refuses("::2", GNUTLS_A_BAD_CERTIFICATE, "is for", "not for ::2");
	kit_client_refuses("a.b.wild.example", GNUTLS_A_BAD_CERTIFICATE, "is for",
			   "not for a.b.wild");
	kit_client_refuses("broker.example.com", GNUTLS_A_BAD_CERTIFICATE, "is for",
			   "not for broker");
}
END_TEST

START_TEST(name_of_an_address_must_be_an_ip_name)
{
	static const struct kit_spec disguised = {
		.name = "disguised",
		.common_name = "127.0.0.1",
		.dns = {"127.0.0.1"},
		.issuer = "ca",
	};
	static const struct kit_spec common = {
		.name = "common", .common_name = "127.0.0.1", .issuer = "ca"};

	kit_make(&disguised);
	kit_settings(&kit_server, NULL, "disguised");
	kit_client_refuses("127.0.0.1", GNUTLS_A_BAD_CERTIFICATE, "has 127.0.0.1 as a DNS name",
			   "IP:127.0.0.1");
	kit_make(&common);
	kit_settings(&kit_server, NULL, "common");
	kit_client_refuses("127.0.0.1", GNUTLS_A_BAD_CERTIFICATE, "as its common name only",
			   "IP:127.0.0.1");
}
END_TEST

/* RFC 9525 section 2. */
START_TEST(name_never_comes_from_the_common_name)
{
	static const struct kit_spec old = {
		.name = "old", .common_name = "old.example", .issuer = "ca"};
	static const struct kit_spec both = {.name = "both",
					     .common_name = "old.example",
					     .dns = {"new.example"},
					     .issuer = "ca"};

	kit_make(&old);
	kit_settings(&kit_server, NULL, "old");
	kit_client_refuses("old.example", GNUTLS_A_BAD_CERTIFICATE, "as its common name only",
			   "DNS:old.example");
	kit_client_refuses("new.example", GNUTLS_A_BAD_CERTIFICATE, "is for old.example",
			   "new.example");
	kit_make(&both);
	kit_settings(&kit_server, NULL, "both");
	kit_accepts("new.example");
	kit_client_refuses("old.example", GNUTLS_A_BAD_CERTIFICATE, "is for new.example",
			   "old.example");
}
END_TEST

/* RFC 9525 section 6.3. */
START_TEST(name_with_a_wildcard_is_good_for_one_whole_label)
{
	static const struct kit_spec part = {.name = "part",
					     .dns = {"*f.example.org", "f*.example.org", "*.org"},
					     .issuer = "ca"};
	static const struct kit_spec whole = {
		.name = "whole", .dns = {"*.example.org", "a.*.example.org", "*"}, .issuer = "ca"};

	kit_make(&part);
	kit_settings(&kit_server, NULL, "part");
	kit_client_refuses("leaf.example.org", GNUTLS_A_BAD_CERTIFICATE, "is for *f.example.org",
			   "not for leaf.example.org");
	kit_client_refuses("f.example.org", GNUTLS_A_BAD_CERTIFICATE, "is for", "not for");
	kit_client_refuses("fa.example.org", GNUTLS_A_BAD_CERTIFICATE, "is for", "not for");
	kit_client_refuses("example.org", GNUTLS_A_BAD_CERTIFICATE, "is for", "not for");
	kit_make(&whole);
	kit_settings(&kit_server, NULL, "whole");
	kit_accepts("leaf.example.org");
	kit_accepts("LEAF.Example.ORG");
	kit_accepts("xn--br-lka.example.org");
	kit_client_refuses("a.b.example.org", GNUTLS_A_BAD_CERTIFICATE, "is for", "not for");
	kit_client_refuses("example.org", GNUTLS_A_BAD_CERTIFICATE, "is for", "not for");
	kit_client_refuses(".example.org", GNUTLS_A_BAD_CERTIFICATE, "is for", "not for");
	kit_client_refuses("localhost", GNUTLS_A_BAD_CERTIFICATE, "is for", "not for");
}
END_TEST

/* Container networks give such names; GnuTLS servers end the handshake when they are sent. */
START_TEST(name_with_an_underscore_is_verified_and_not_sent)
{
	static const struct kit_spec odd = {
		.name = "odd", .dns = {"my_broker", "x_y.example"}, .issuer = "ca"};

	kit_make(&odd);
	kit_settings(&kit_server, NULL, "odd");
	kit_accepts("my_broker");
	kit_accepts("MY_Broker");
	kit_accepts("x_y.example.");
	kit_client_refuses("your_broker", GNUTLS_A_BAD_CERTIFICATE, "is for my_broker",
			   "not for your_broker");
}
END_TEST

START_TEST(name_in_another_script_is_found_by_its_ascii_form)
{
	static const struct kit_spec odd = {
		.name = "odd", .dns = {"xn--brker-kua.example"}, .issuer = "ca"};

	kit_make(&odd);
	kit_settings(&kit_server, NULL, "odd");
	kit_accepts("br\xc3\xb6ker.example");
	kit_accepts("xn--brker-kua.example");
	kit_client_refuses("broker.example", GNUTLS_A_BAD_CERTIFICATE, "is for xn--brker-kua",
			   "not for");
}
END_TEST

START_TEST(name_list_in_the_sentence_is_bounded)
{
	static const struct kit_spec many = {
		.name = "many",
		.dns = {"a-name-of-forty-characters-or-so.example",
			"b-name-of-forty-characters-or-so.example",
			"c-name-of-forty-characters-or-so.example"},
		.issuer = "ca",
	};

	kit_make(&many);
	kit_settings(&kit_server, NULL, "many");
	kit_client_refuses("x.example", GNUTLS_A_BAD_CERTIFICATE, "and 2 more",
			   "not for x.example");
}
END_TEST

START_TEST(name_that_is_none_is_refused)
{
	struct tls_credentials *credentials;
	struct tls_session *session;
	struct error error;
	char name[300];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(tls_credentials_load(&credentials, &kit_client, TLS_CLIENT, &error),
			 MQUIC_OK);
	ck_assert_int_eq(tls_session_new(&session, credentials, "", NULL), MQUIC_ERR_INVALID);
	ck_assert_ptr_null(session);
	ck_assert_int_eq(tls_session_new(&session, credentials, NULL, NULL), MQUIC_ERR_INVALID);
	ck_assert_int_eq(tls_session_new(&session, credentials, name, NULL), MQUIC_ERR_INVALID);
	ck_assert_int_eq(tls_session_new(&session, credentials, "\xff.example", NULL),
			 MQUIC_ERR_INVALID);
	tls_credentials_unref(credentials);
}
END_TEST

/* ---- The server's certificate ---------------------------------------------- */

START_TEST(server_of_another_ca_is_refused)
{
	kit_settings(&kit_client, "other", NULL);
	kit_client_refuses("broker.example", GNUTLS_A_UNKNOWN_CA, "other.crt", "issuer CN=Test CA");
}
END_TEST

START_TEST(server_is_refused_with_the_fix_even_if_all_names_are_long)
{
	static const struct kit_spec ca = {
		.name = "long",
		.common_name = "A Certificate Authority Of A Name That Goes On And On And On",
		.ca = true,
	};
	static const struct kit_spec leaf = {
		.name = "leaf", .dns = {"broker.example"}, .issuer = "long"};
	static const struct kit_spec trusted = {
		.name = "a-ca-file-whose-name-is-so-long-that-a-sentence-has-no-room-for-it",
		.common_name = "Trusted",
		.ca = true,
	};

	kit_make(&ca);
	kit_make(&leaf);
	kit_make(&trusted);
	kit_settings(&kit_server, NULL, "leaf");
	kit_settings(&kit_client, trusted.name, NULL);
	kit_client_refuses("broker.example", GNUTLS_A_UNKNOWN_CA, "no CA in", "that signed it");
}
END_TEST

START_TEST(server_that_signed_itself_is_refused_until_it_is_the_ca_file)
{
	static const struct kit_spec lone = {
		.name = "lone", .common_name = "lone", .dns = {"lone.example"}};

	kit_make(&lone);
	kit_settings(&kit_server, NULL, "lone");
	kit_client_refuses("lone.example", GNUTLS_A_UNKNOWN_CA, "ca.crt", "self-signed");
	kit_settings(&kit_client, "lone", NULL);
	kit_accepts("lone.example");
}
END_TEST

START_TEST(server_out_of_its_time_is_refused)
{
	static const struct kit_spec past = {.name = "past",
					     .dns = {"broker.example"},
					     .issuer = "ca",
					     .starts = -2 * KIT_DAY,
					     .ends = -KIT_DAY};
	static const struct kit_spec future = {
		.name = "future", .dns = {"broker.example"}, .issuer = "ca", .starts = KIT_DAY};

	kit_make(&past);
	kit_settings(&kit_server, NULL, "past");
	kit_client_refuses("broker.example", GNUTLS_A_CERTIFICATE_EXPIRED, "expired on 20",
			   "renew it");
	kit_make(&future);
	kit_settings(&kit_server, NULL, "future");
	kit_client_refuses("broker.example", GNUTLS_A_CERTIFICATE_EXPIRED, "not valid before 20",
			   "clock");
}
END_TEST

START_TEST(server_under_an_expired_ca_is_refused)
{
	static const struct kit_spec old_ca = {.name = "old-ca",
					       .common_name = "Old CA",
					       .ca = true,
					       .starts = -2 * KIT_DAY,
					       .ends = -KIT_DAY};
	static const struct kit_spec leaf = {
		.name = "leaf", .dns = {"broker.example"}, .issuer = "old-ca"};

	kit_make(&old_ca);
	kit_make(&leaf);
	kit_settings(&kit_client, "old-ca", NULL);
	kit_settings(&kit_server, NULL, "leaf");
	kit_client_refuses("broker.example", GNUTLS_A_CERTIFICATE_EXPIRED,
			   "CA certificate CN=Old CA", "renew it");
}
END_TEST

START_TEST(server_that_was_revoked_is_refused)
{
	kit_revoke("list", "ca", "server", KIT_DAY);
	kit_client.crl_file = kit_path("list.crl");
	kit_client_refuses("broker.example", GNUTLS_A_CERTIFICATE_REVOKED, "revoked",
			   "needs a new one");
	kit_revoke("list", "ca", "alice", KIT_DAY);
	kit_accepts("broker.example");
}
END_TEST

START_TEST(server_with_a_client_certificate_is_refused)
{
	static const struct kit_spec wrong = {.name = "wrong",
					      .dns = {"broker.example"},
					      .purpose = GNUTLS_KP_TLS_WWW_CLIENT,
					      .issuer = "ca"};

	kit_make(&wrong);
	kit_settings(&kit_server, NULL, "wrong");
	kit_client_refuses("broker.example", GNUTLS_A_BAD_CERTIFICATE, "not made for a server",
			   "serverAuth");
}
END_TEST

START_TEST(insecure_client_accepts_but_knows_nobody)
{
	struct kit_handshake handshake;
	struct tls_facts facts;

	kit_settings(&kit_client, NULL, NULL);
	kit_client.insecure = true;
	kit_handshake(&handshake, &kit_client, &kit_server, "whoever.example");
	ck_assert(handshake.complete);
	ck_assert_int_eq(tls_session_facts(handshake.client, &facts), MQUIC_OK);
	ck_assert_str_eq(facts.version, "TLS1.3");
	ck_assert_ptr_null(facts.common_name);
	ck_assert_ptr_null(facts.subject);
	ck_assert_uint_eq(facts.alt_name_count, 0);
	tls_facts_clear(&facts);
	kit_end(&handshake);
}
END_TEST

START_TEST(system_store_is_the_client_default)
{
	struct tls_credentials *credentials;
	struct error error = {""};

	kit_settings(&kit_client, NULL, NULL);
	if (tls_credentials_load(&credentials, &kit_client, TLS_CLIENT, &error) != MQUIC_OK) {
		kit_says(error.text, "ca-certificates"); /* a machine without any */
		return;
	}
	tls_credentials_unref(credentials);
	kit_client_refuses("broker.example", GNUTLS_A_UNKNOWN_CA, "this system's store",
			   "set the CA file");
}
END_TEST

/* ---- Facts ----------------------------------------------------------------- */

START_TEST(facts_name_the_verified_server)
{
	struct kit_handshake handshake;
	struct tls_facts facts;

	kit_handshake(&handshake, &kit_client, &kit_server, "broker.example");
	ck_assert(handshake.complete);
	ck_assert_int_eq(tls_session_facts(handshake.client, &facts), MQUIC_OK);
	ck_assert_str_eq(facts.version, "TLS1.3");
	ck_assert_str_eq(facts.cipher, "AES-128-GCM");
	ck_assert_str_eq(facts.alpn, "mqtt");
	ck_assert_str_eq(facts.common_name, "broker.example");
	ck_assert_str_eq(facts.subject, "CN=broker.example");
	ck_assert_uint_eq(facts.subject_der_len, 27);
	ck_assert_mem_eq(facts.subject_der, "\x30\x19\x31\x17\x30\x15\x06\x03\x55\x04\x03", 11);
	ck_assert_mem_eq(facts.subject_der + 13, "broker.example", 14);
	ck_assert_uint_eq(facts.alt_name_count, 4);
	ck_assert_str_eq(facts.alt_names[0], "DNS:broker.example");
	ck_assert_str_eq(facts.alt_names[1], "IP:127.0.0.1");
	ck_assert_str_eq(facts.alt_names[2], "DNS:*.wild.example");
	ck_assert_str_eq(facts.alt_names[3], "IP:::1");
	tls_facts_clear(&facts);
	ck_assert_ptr_null(facts.version);
	ck_assert_int_eq(tls_session_facts(handshake.server, &facts), MQUIC_OK);
	ck_assert_ptr_null(facts.common_name);
	tls_facts_clear(&facts);
	kit_end(&handshake);
}
END_TEST

/* The facts a server, which asks for certificates, has of the client `name`. */
static void facts_of_client(const char *name, struct tls_facts *facts)
{
	struct kit_handshake handshake;

	kit_settings(&kit_client, "ca", name);
	kit_settings(&kit_server, "ca", "server");
	kit_handshake(&handshake, &kit_client, &kit_server, "broker.example");
	ck_assert_msg(handshake.complete, "%s", handshake.server_error.text);
	ck_assert_int_eq(tls_session_facts(handshake.server, facts), MQUIC_OK);
	kit_end(&handshake);
}

START_TEST(facts_name_the_verified_client)
{
	static const struct kit_spec rich = {.name = "rich",
					     .common_name = "J\xc3\xbcrgen, the 1st",
					     .uri = "urn:device:7",
					     .email = "j@example.org",
					     .issuer = "ca"};
	struct tls_facts facts;

	kit_make(&rich);
	facts_of_client("rich", &facts);
	ck_assert_str_eq(facts.common_name, "J\xc3\xbcrgen, the 1st");
	ck_assert_str_eq(facts.subject, "CN=J\xc3\xbcrgen\\, the 1st");
	ck_assert_uint_eq(facts.alt_name_count, 2);
	ck_assert_str_eq(facts.alt_names[0], "URI:urn:device:7");
	ck_assert_str_eq(facts.alt_names[1], "email:j@example.org");
	tls_facts_clear(&facts);
}
END_TEST

START_TEST(facts_take_no_ambiguous_common_name)
{
	static const struct kit_spec nul = {.name = "nul",
					    .common_name = "alice\0.evil",
					    .common_name_len = 11,
					    .issuer = "ca"};
	static const struct kit_spec two = {
		.name = "two", .common_name = "alice", .second_common_name = "bob", .issuer = "ca"};
	static const struct kit_spec bad = {
		.name = "bad", .common_name = "ali\xc3", .issuer = "ca"};
	static const struct kit_spec none = {.name = "none", .uri = "urn:none", .issuer = "ca"};
	const struct kit_spec *const specs[] = {&nul, &two, &bad, &none};
	struct tls_facts facts;
	size_t i;

	for (i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		kit_make(specs[i]);
		facts_of_client(specs[i]->name, &facts);
		ck_assert_msg(facts.common_name == NULL, "%s", specs[i]->name);
		ck_assert_str_eq(facts.version, "TLS1.3");
		tls_facts_clear(&facts);
	}
}
END_TEST

START_TEST(facts_leave_out_ill_formed_alt_names)
{
	/* A registered id, then a NUL in a DNS name, a cut UTF-8 URI, and 3 bytes of address. */
	static const char names[] = "\x30\x20\x88\x02\x2a\x03"
				    "\x82\x03"
				    "a\0b"
				    "\x86\x02"
				    "u\xc3"
				    "\x87\x03"
				    "\x7f\0\0"
				    "\x82\x0c"
				    "good.example";
	static const struct kit_spec odd = {.name = "odd",
					    .common_name = "odd",
					    .alt_names_der = names,
					    .alt_names_der_len = sizeof(names) - 1,
					    .issuer = "ca"};
	struct tls_facts facts;

	kit_make(&odd);
	facts_of_client("odd", &facts);
	ck_assert_str_eq(facts.common_name, "odd");
	ck_assert_uint_eq(facts.alt_name_count, 1);
	ck_assert_str_eq(facts.alt_names[0], "DNS:good.example");
	tls_facts_clear(&facts);
}
END_TEST

/* ---- The client's certificate ---------------------------------------------- */

START_TEST(client_certificate_is_verified_and_known)
{
	struct tls_facts facts;

	facts_of_client("alice", &facts);
	ck_assert_str_eq(facts.common_name, "alice");
	tls_facts_clear(&facts);
	kit_server.require_certificate = true;
	kit_accepts("broker.example");
}
END_TEST

START_TEST(client_certificate_may_be_absent_unless_required)
{
	kit_settings(&kit_server, "ca", "server");
	kit_accepts("broker.example");
	kit_server.require_certificate = true;
	kit_server_refuses(GNUTLS_A_CERTIFICATE_REQUIRED, "the client showed no certificate",
			   "set a certificate and its key");
}
END_TEST

START_TEST(client_certificate_of_another_ca_is_refused_even_if_none_is_required)
{
	static const struct kit_spec mallory = {
		.name = "mallory", .common_name = "alice", .issuer = "other"};

	kit_make(&mallory);
	kit_settings(&kit_client, "ca", "mallory");
	kit_settings(&kit_server, "ca", "server");
	kit_server_refuses(GNUTLS_A_UNKNOWN_CA, "issuer CN=Other CA",
			   "does not know the CA of our");
	kit_server.require_certificate = true;
	kit_server_refuses(GNUTLS_A_UNKNOWN_CA, "ca.crt", "does not know the CA of our");
}
END_TEST

START_TEST(client_certificate_that_is_expired_or_revoked_is_refused)
{
	static const struct kit_spec past = {.name = "past",
					     .common_name = "past",
					     .issuer = "ca",
					     .starts = -2 * KIT_DAY,
					     .ends = -KIT_DAY};

	kit_make(&past);
	kit_settings(&kit_client, "ca", "past");
	kit_settings(&kit_server, "ca", "server");
	kit_server_refuses(GNUTLS_A_CERTIFICATE_EXPIRED, "the client's certificate expired on",
			   "our certificate has expired");
	kit_revoke("list", "ca", "alice", KIT_DAY);
	kit_settings(&kit_client, "ca", "alice");
	kit_server.crl_file = kit_path("list.crl");
	kit_server_refuses(GNUTLS_A_CERTIFICATE_REVOKED,
			   "the client's certificate has been revoked",
			   "our certificate has been revoked");
}
END_TEST

START_TEST(client_certificate_must_be_made_for_clients)
{
	kit_settings(&kit_client, "ca", "server");
	kit_settings(&kit_server, "ca", "server");
	kit_server_refuses(GNUTLS_A_BAD_CERTIFICATE, "clientAuth", "refuses our certificate");
}
END_TEST

START_TEST(client_certificate_is_not_asked_for_without_a_ca)
{
	struct kit_handshake handshake;
	struct tls_facts facts;

	kit_settings(&kit_client, "ca", "alice");
	kit_handshake(&handshake, &kit_client, &kit_server, "broker.example");
	ck_assert(handshake.complete);
	ck_assert_int_eq(tls_session_facts(handshake.server, &facts), MQUIC_OK);
	ck_assert_ptr_null(facts.common_name);
	tls_facts_clear(&facts);
	kit_end(&handshake);
}
END_TEST

static void add_names(Suite *suite)
{
	TCase *group = tcase_create("names");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, name_is_accepted_as_dns_name_wildcard_or_address);
	tcase_add_test(group, name_that_is_not_listed_is_refused);
	tcase_add_test(group, name_of_an_address_must_be_an_ip_name);
	tcase_add_test(group, name_never_comes_from_the_common_name);
	tcase_add_test(group, name_with_a_wildcard_is_good_for_one_whole_label);
	tcase_add_test(group, name_with_an_underscore_is_verified_and_not_sent);
	tcase_add_test(group, name_in_another_script_is_found_by_its_ascii_form);
	tcase_add_test(group, name_list_in_the_sentence_is_bounded);
	tcase_add_test(group, name_that_is_none_is_refused);
	suite_add_tcase(suite, group);
}

static void add_servers(Suite *suite)
{
	TCase *group = tcase_create("servers");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, server_of_another_ca_is_refused);
	tcase_add_test(group, server_is_refused_with_the_fix_even_if_all_names_are_long);
	tcase_add_test(group, server_that_signed_itself_is_refused_until_it_is_the_ca_file);
	tcase_add_test(group, server_out_of_its_time_is_refused);
	tcase_add_test(group, server_under_an_expired_ca_is_refused);
	tcase_add_test(group, server_that_was_revoked_is_refused);
	tcase_add_test(group, server_with_a_client_certificate_is_refused);
	tcase_add_test(group, insecure_client_accepts_but_knows_nobody);
	tcase_add_test(group, system_store_is_the_client_default);
	suite_add_tcase(suite, group);
}

static void add_facts(Suite *suite)
{
	TCase *group = tcase_create("facts");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, facts_name_the_verified_server);
	tcase_add_test(group, facts_name_the_verified_client);
	tcase_add_test(group, facts_take_no_ambiguous_common_name);
	tcase_add_test(group, facts_leave_out_ill_formed_alt_names);
	suite_add_tcase(suite, group);
}

static void add_clients(Suite *suite)
{
	TCase *group = tcase_create("clients");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, client_certificate_is_verified_and_known);
	tcase_add_test(group, client_certificate_may_be_absent_unless_required);
	tcase_add_test(group, client_certificate_of_another_ca_is_refused_even_if_none_is_required);
	tcase_add_test(group, client_certificate_that_is_expired_or_revoked_is_refused);
	tcase_add_test(group, client_certificate_must_be_made_for_clients);
	tcase_add_test(group, client_certificate_is_not_asked_for_without_a_ca);
	suite_add_tcase(suite, group);
}

int main(void)
{
	Suite *suite = suite_create("tls-verify");

	add_names(suite);
	add_servers(suite);
	add_facts(suite);
	add_clients(suite);
	return kit_main(suite);
}
