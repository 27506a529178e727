/* SPDX-License-Identifier: MIT */
/* Who may vouch for whom: every link of a chain, and the constraints of those above it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tls-kit.h"
#include "tls/constraints.h"

/* A server shows "leaf" and up to two above it; the client trusts `trusted`. */
static void show_server(const char *trusted, const char *above, const char *further)
{
	const char *const parts[] = {"leaf", above, further, NULL};

	kit_join("shown", parts);
	kit_settings(&kit_server, NULL, "shown");
	kit_settings(&kit_client, trusted, NULL);
}

static void make_leaf(const char *issuer)
{
	const struct kit_spec leaf = {.name = "leaf", .dns = {"broker.example"}, .issuer = issuer};

	kit_make(&leaf);
}

static void refuses(uint8_t alert, const char *part, const char *other_part)
{
	kit_client_refuses("broker.example", alert, part, other_part);
}

/* ---- Who is pinned, and who is a CA ---------------------------------------- */

START_TEST(pinned_certificate_is_trusted_as_itself_alone)
{
	static const struct kit_spec pinned = {.name = "pinned",
					       .common_name = "pinned",
					       .dns = {"pin.example"},
					       .no_basic = true};

	kit_make(&pinned);
	kit_settings(&kit_server, NULL, "pinned");
	kit_settings(&kit_client, "pinned", NULL);
	kit_accepts("pin.example");
	make_leaf("pinned");
	show_server("pinned", NULL, NULL);
	refuses(GNUTLS_A_UNKNOWN_CA, "CN=pinned signed the server's certificate, but is no CA",
		"CA:TRUE");
	show_server("pinned", "pinned", NULL);
	refuses(GNUTLS_A_UNKNOWN_CA, "is no CA", "CA:TRUE");
}
END_TEST

START_TEST(pinned_client_signs_for_nobody_else)
{
	static const struct kit_spec alice = {
		.name = "lone", .common_name = "alice", .no_basic = true};
	static const struct kit_spec bob = {.name = "bob", .common_name = "bob", .issuer = "lone"};
	static const char *const both[] = {"bob", "lone", NULL};

	kit_make(&alice);
	kit_make(&bob);
	kit_settings(&kit_server, "lone", "server");
	kit_settings(&kit_client, "ca", "lone");
	kit_accepts("broker.example");
	kit_settings(&kit_client, "ca", "bob");
	kit_server_refuses(GNUTLS_A_UNKNOWN_CA, "CN=alice signed the client's certificate",
			   "does not know the CA");
	kit_join("both", both);
	kit_settings(&kit_client, "ca", "both");
	kit_server_refuses(GNUTLS_A_UNKNOWN_CA, "is no CA", "does not know the CA");
}
END_TEST

/* The thief of a pinned key makes a CA of the same name and key, and shows it. */
START_TEST(pinned_certificate_does_not_become_a_ca_by_a_second_one)
{
	static const struct kit_spec pinned = {
		.name = "pinned", .common_name = "pinned", .no_basic = true};
	static const struct kit_spec forged = {
		.name = "forged", .common_name = "pinned", .issuer = "pinned", .ca = true};

	kit_make(&pinned);
	kit_make(&forged);
	make_leaf("forged");
	show_server("pinned", "forged", NULL);
	refuses(GNUTLS_A_UNKNOWN_CA, "CN=pinned", "CA:TRUE");
}
END_TEST

START_TEST(certificate_of_version_1_is_no_ca)
{
	static const struct kit_spec old = {.name = "old", .common_name = "Old CA", .version = 1};

	kit_make(&old);
	make_leaf("old");
	show_server("old", NULL, NULL);
	refuses(GNUTLS_A_UNKNOWN_CA, "CN=Old CA", "CA:TRUE");
}
END_TEST

START_TEST(leaf_signs_nobody)
{
	static const struct kit_spec middle = {
		.name = "middle", .common_name = "middle", .issuer = "ca"};

	kit_make(&middle);
	make_leaf("middle");
	show_server("ca", "middle", NULL);
	refuses(GNUTLS_A_UNKNOWN_CA, "CN=middle", "no CA");
}
END_TEST

START_TEST(ca_must_be_allowed_to_sign_certificates)
{
	static const struct kit_spec middle = {.name = "middle",
					       .common_name = "middle",
					       .issuer = "ca",
					       .ca = true,
					       .usage = GNUTLS_KEY_CRL_SIGN};

	kit_make(&middle);
	make_leaf("middle");
	show_server("ca", "middle", NULL);
	refuses(GNUTLS_A_BAD_CERTIFICATE, "CN=middle", "keyCertSign");
}
END_TEST

START_TEST(ca_must_not_be_too_far_up)
{
	static const struct kit_spec top = {
		.name = "top", .common_name = "top", .ca = true, .path_length = -1};
	static const struct kit_spec middle = {
		.name = "middle", .common_name = "middle", .issuer = "top", .ca = true};

	kit_make(&top);
	make_leaf("top");
	show_server("top", NULL, NULL);
	kit_accepts("broker.example");
	kit_make(&middle);
	make_leaf("middle");
	show_server("top", "middle", NULL);
	refuses(GNUTLS_A_BAD_CERTIFICATE, "path length", "chain");
}
END_TEST

START_TEST(ca_for_clients_vouches_for_no_server)
{
	static const struct kit_spec top = {.name = "top",
					    .common_name = "top",
					    .ca = true,
					    .purpose = GNUTLS_KP_TLS_WWW_CLIENT};
	static const struct kit_spec middle = {.name = "middle",
					       .common_name = "middle",
					       .issuer = "ca",
					       .ca = true,
					       .purpose = GNUTLS_KP_TLS_WWW_CLIENT};

	kit_make(&top);
	make_leaf("top");
	show_server("top", NULL, NULL);
	refuses(GNUTLS_A_BAD_CERTIFICATE, "CN=top may not vouch for servers", "serverAuth");
	kit_make(&middle);
	make_leaf("middle");
	show_server("ca", "middle", NULL);
	refuses(GNUTLS_A_BAD_CERTIFICATE, "server", "serverAuth");
}
END_TEST

START_TEST(critical_extension_that_is_unknown_refuses)
{
	static const struct kit_spec leaf = {.name = "leaf",
					     .dns = {"broker.example"},
					     .issuer = "ca",
					     .odd = "1.3.6.1.4.1.99999.1"};
	static const struct kit_spec middle = {.name = "middle",
					       .common_name = "middle",
					       .issuer = "ca",
					       .ca = true,
					       .odd = "1.3.6.1.4.1.99999.1"};

	kit_make(&leaf);
	show_server("ca", NULL, NULL);
	refuses(GNUTLS_A_BAD_CERTIFICATE, "the server's certificate", "critical");
	kit_settings(&kit_client, "leaf", NULL);
	refuses(GNUTLS_A_BAD_CERTIFICATE, "the server's certificate", "critical");
	kit_make(&middle);
	make_leaf("middle");
	show_server("ca", "middle", NULL);
	refuses(GNUTLS_A_BAD_CERTIFICATE, "CN=middle", "critical");
}
END_TEST

/* ---- Weak keys and signatures ------------------------------------------------- */

START_TEST(weak_key_is_refused_wherever_it_is)
{
	static const struct kit_spec weak = {
		.name = "weak", .common_name = "weak", .ca = true, .rsa_bits = 1024};
	static const struct kit_spec middle = {.name = "middle",
					       .common_name = "middle",
					       .issuer = "ca",
					       .ca = true,
					       .rsa_bits = 1024};
	static const struct kit_spec strong = {
		.name = "strong", .common_name = "strong", .ca = true, .rsa_bits = 2048};

	kit_make(&weak);
	make_leaf("weak");
	show_server("weak", NULL, NULL);
	refuses(GNUTLS_A_BAD_CERTIFICATE, "CN=weak", "RSA below 2048 bits");
	kit_make(&middle);
	make_leaf("middle");
	show_server("ca", "middle", NULL);
	refuses(GNUTLS_A_BAD_CERTIFICATE, "CN=middle", "RSA below 2048 bits");
	kit_make(&strong);
	make_leaf("strong");
	show_server("strong", NULL, NULL);
	kit_accepts("broker.example");
}
END_TEST

/* A peer of another make: GnuTLS without our loader, with the certificates of a file. */
struct foreign {
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
};

static void foreign_open(struct foreign *foreign, unsigned int flags, const char *name)
{
	gnutls_datum_t protocol = {(unsigned char *)(uintptr_t) "mqtt", 4};
	gnutls_x509_crt_t chain[20];
	gnutls_x509_privkey_t key;
	unsigned int count = 20;
	char path[64];
	gnutls_datum_t text;

	(void)snprintf(path, sizeof(path), "%s.crt", name);
	ck_assert_int_eq(gnutls_load_file(kit_path(path), &text), 0);
	ck_assert_int_gt(gnutls_x509_crt_list_import(chain, &count, &text, GNUTLS_X509_FMT_PEM, 0),
			 0);
	gnutls_free(text.data);
	(void)snprintf(path, sizeof(path), "%s.key", name);
	ck_assert_int_eq(gnutls_load_file(kit_path(path), &text), 0);
	ck_assert_int_eq(gnutls_x509_privkey_init(&key), 0);
	ck_assert_int_eq(gnutls_x509_privkey_import(key, &text, GNUTLS_X509_FMT_PEM), 0);
	gnutls_free(text.data);
	ck_assert_int_eq(gnutls_init(&foreign->session, flags), 0);
	ck_assert_int_eq(gnutls_certificate_allocate_credentials(&foreign->credentials), 0);
	ck_assert_int_eq(
		gnutls_certificate_set_x509_key(foreign->credentials, chain, (int)count, key), 0);
	ck_assert_int_eq(gnutls_priority_set_direct(foreign->session,
						    "NORMAL:%DEBUG_ALLOW_KEY_USAGE_VIOLATIONS",
						    NULL),
			 0);
	ck_assert_int_eq(gnutls_credentials_set(foreign->session, GNUTLS_CRD_CERTIFICATE,
						foreign->credentials),
			 0);
	ck_assert_int_eq(gnutls_alpn_set_protocols(foreign->session, &protocol, 1, 0), 0);
	while (count > 0)
		gnutls_x509_crt_deinit(chain[--count]);
	gnutls_x509_privkey_deinit(key);
}

static void foreign_close(struct foreign *foreign)
{
	gnutls_deinit(foreign->session);
	gnutls_certificate_free_credentials(foreign->credentials);
}

static void foreign_client_is_refused(const char *name, const char *part)
{
	struct kit_handshake handshake = {.server = kit_session(&kit_server, TLS_SERVER, NULL)};
	struct foreign foreign;

	foreign_open(&foreign, GNUTLS_CLIENT, name);
	kit_run(&handshake, foreign.session, tls_session_native(handshake.server));
	ck_assert(!handshake.complete);
	(void)tls_session_explain(handshake.server, handshake.alert, true, &handshake.server_error);
	kit_says(handshake.server_error.text, part);
	foreign_close(&foreign);
	kit_end(&handshake);
}

static void foreign_server_is_refused(const char *name, const char *part)
{
	struct kit_handshake handshake = {
		.client = kit_session(&kit_client, TLS_CLIENT, "broker.example")};
	struct foreign foreign;

	foreign_open(&foreign, GNUTLS_SERVER, name);
	kit_run(&handshake, tls_session_native(handshake.client), foreign.session);
	ck_assert(!handshake.complete);
	(void)tls_session_explain(handshake.client, handshake.alert, true, &handshake.client_error);
	kit_says(handshake.client_error.text, part);
	foreign_close(&foreign);
	kit_end(&handshake);
}

START_TEST(certificate_must_be_allowed_to_sign_handshakes)
{
	static const struct kit_spec leaf = {.name = "leaf",
					     .dns = {"broker.example"},
					     .issuer = "ca",
					     .usage = GNUTLS_KEY_KEY_AGREEMENT};

	kit_make(&leaf);
	show_server("ca", NULL, NULL);
	kit_refuses(&kit_server, TLS_SERVER, "shown.crt", "digitalSignature");
	foreign_server_is_refused("shown", "the server's certificate may not be used with TLS 1.3");
	kit_settings(&kit_server, "ca", "server");
	foreign_client_is_refused("shown", "the client's certificate may not be used with TLS 1.3");
}
END_TEST

START_TEST(weak_client_is_refused_signed_or_pinned)
{
	static const struct kit_spec signed_weak = {
		.name = "weak", .common_name = "weak", .issuer = "ca", .rsa_bits = 1024};
	static const struct kit_spec pinned_weak = {
		.name = "weak", .common_name = "weak", .rsa_bits = 1024};
	static const struct kit_spec sha1 = {
		.name = "weak", .common_name = "weak", .issuer = "ca", .digest = GNUTLS_DIG_SHA1};

	kit_make(&signed_weak);
	kit_settings(&kit_server, "ca", "server");
	foreign_client_is_refused("weak", "the client's certificate has a weak key");
	kit_make(&pinned_weak);
	kit_settings(&kit_server, "weak", "server");
	foreign_client_is_refused("weak", "the client's certificate has a weak key");
	kit_make(&sha1);
	kit_settings(&kit_server, "ca", "server");
	foreign_client_is_refused("weak", "the client's certificate has a weak key");
}
END_TEST

START_TEST(sha1_signature_is_refused_even_of_a_ca_that_names_itself)
{
	static const struct kit_spec leaf = {.name = "leaf",
					     .common_name = "Test CA",
					     .dns = {"broker.example"},
					     .issuer = "ca",
					     .digest = GNUTLS_DIG_SHA1};
	static const struct kit_spec middle = {.name = "middle",
					       .common_name = "middle",
					       .issuer = "ca",
					       .ca = true,
					       .digest = GNUTLS_DIG_SHA1};

	kit_make(&leaf);
	show_server("ca", NULL, NULL);
	kit_refuses(&kit_server, TLS_SERVER, "shown.crt", "SHA-1");
	kit_make(&middle);
	make_leaf("middle");
	show_server("ca", "middle", NULL);
	kit_refuses(&kit_server, TLS_SERVER, "shown.crt", "SHA-1");
}
END_TEST

/* ---- Times ------------------------------------------------------------------- */

START_TEST(ca_out_of_its_time_is_named_with_its_own_date)
{
	static const struct kit_spec future = {
		.name = "future", .common_name = "Future CA", .ca = true, .starts = 40 * KIT_DAY};
	static const struct kit_spec past = {.name = "past",
					     .common_name = "Past CA",
					     .issuer = "ca",
					     .ca = true,
					     .starts = -2 * KIT_DAY,
					     .ends = -KIT_DAY};
	char date[32];
	time_t when = time(NULL) + 40 * KIT_DAY;
	struct tm parts;

	kit_make(&future);
	make_leaf("future");
	show_server("future", NULL, NULL);
	(void)strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&when, &parts));
	refuses(GNUTLS_A_CERTIFICATE_EXPIRED, "CN=Future CA", date);
	kit_make(&past);
	make_leaf("past");
	show_server("ca", "past", NULL);
	refuses(GNUTLS_A_CERTIFICATE_EXPIRED, "CN=Past CA", "expired on");
}
END_TEST

/* ---- Signatures and missing links ---------------------------------------------- */

START_TEST(missing_link_is_named_by_the_last_certificate_shown)
{
	static const struct kit_spec upper = {
		.name = "upper", .common_name = "Upper CA", .issuer = "other", .ca = true};
	static const struct kit_spec lower = {
		.name = "lower", .common_name = "Lower CA", .issuer = "upper", .ca = true};

	kit_make(&upper);
	kit_make(&lower);
	make_leaf("lower");
	show_server("ca", NULL, NULL);
	refuses(GNUTLS_A_UNKNOWN_CA, "issuer CN=Lower CA", "ca.crt");
	show_server("ca", "lower", "upper");
	refuses(GNUTLS_A_UNKNOWN_CA, "issuer CN=Other CA", "ca.crt");
}
END_TEST

START_TEST(ca_of_the_same_name_with_another_key_is_told_apart)
{
	static const struct kit_spec renewed = {
		.name = "renewed", .common_name = "Test CA", .ca = true};

	kit_make(&renewed);
	make_leaf("ca");
	show_server("renewed", NULL, NULL);
	refuses(GNUTLS_A_UNKNOWN_CA, "CN=Test CA that we trust did not sign", "namesake");
}
END_TEST

/* CAs c1 to c15, each signed by the one before, and names for kit_join() from the leaf up. */
static void make_tower(char names[16][8], const char *parts[18])
{
	struct kit_spec middle = {.ca = true};
	int i;

	(void)snprintf(names[0], sizeof(names[0]), "ca");
	for (i = 1; i < 16; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "c%d", i);
		middle.name = names[i];
		middle.common_name = names[i];
		middle.issuer = names[i - 1];
		kit_make(&middle);
	}
	for (i = 0; i < 16; i++)
		parts[i + 1] = names[15 - i];
	parts[0] = "leaf";
	parts[17] = NULL;
}

START_TEST(chain_of_many_is_served_and_of_too_many_is_told)
{
	char names[16][8];
	const char *parts[18];

	make_tower(names, parts);
	make_leaf("c15");
	kit_join("shown", parts); /* the root, too */
	kit_settings(&kit_server, NULL, "shown");
	kit_refuses(&kit_server, TLS_SERVER, "shown.crt", "holds 17 certificates");
	parts[16] = NULL;
	kit_join("shown", parts);
	kit_accepts("broker.example");
}
END_TEST

START_TEST(peer_with_too_many_certificates_is_told)
{
	char names[16][8];
	const char *parts[18];

	make_tower(names, parts);
	make_leaf("c15");
	kit_join("shown", parts);
	foreign_server_is_refused("shown", "the server shows more than 16 certificates");
}
END_TEST

/* ---- Name constraints ----------------------------------------------------------- */

/* Tags of RFC 5280's GeneralName. */
#define EMAIL     "\x81"
#define DNS       "\x82"
#define DIRECTORY "\xa4"
#define URI       "\x86"
#define ADDRESS   "\x87"
#define OTHER_ID  "\x88"

/* O=Good, as a Name. */
#define ORGANIZATION "\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x0a\x0c\x04Good"

struct rule {
	bool excluded;
	const char *tag;
	const char *value;
	size_t len;
};

/* NameConstraints with one subtree; everything is short. */
static size_t write_rule(const struct rule *rule, char der[128])
{
	size_t len = rule->len;
	const char head[] = {0x30,
			     (char)(len + 6),
			     (char)(rule->excluded ? 0xa1 : 0xa0),
			     (char)(len + 4),
			     0x30,
			     (char)(len + 2),
			     rule->tag[0],
			     (char)len};

	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), rule->value, len);
	return sizeof(head) + len;
}

/* A server of "Limited CA", which has these constraints. */
static void show_limited(const char *der, size_t len, const struct kit_spec *leaf)
{
	const struct kit_spec limited = {.name = "limited",
					 .common_name = "Limited CA",
					 .issuer = "ca",
					 .ca = true,
					 .constraints = der,
					 .constraints_len = len};

	kit_make(&limited);
	kit_make(leaf);
	show_server("ca", "limited", NULL);
}

static void show_ruled(const struct rule *rule, const struct kit_spec *leaf)
{
	char der[128];

	show_limited(der, write_rule(rule, der), leaf);
}

static void rule_allows(const struct rule *rule, const struct kit_spec *leaf, const char *host)
{
	show_ruled(rule, leaf);
	kit_accepts(host);
}

static void rule_refuses(const struct rule *rule, const struct kit_spec *leaf, const char *host)
{
	show_ruled(rule, leaf);
	kit_client_refuses(host, GNUTLS_A_BAD_CERTIFICATE, "CA CN=Limited CA may not vouch",
			   "name constraints");
}

#define LEAF(...)                  (&(struct kit_spec){.name = "leaf", .issuer = "limited", __VA_ARGS__})
#define RULE(excluded, tag, value) (&(struct rule){excluded, tag, value, sizeof(value) - 1})

START_TEST(dns_constraints_bind_whatever_the_case)
{
	const struct rule *good = RULE(false, DNS, "good.example");
	const struct rule *not_evil = RULE(true, DNS, "evil.example");

	rule_allows(good, LEAF(.dns = {"a.good.example"}), "a.good.example");
	rule_allows(good, LEAF(.dns = {"good.example"}), "good.example");
	rule_refuses(good, LEAF(.dns = {"notgood.example"}), "notgood.example");
	rule_refuses(good, LEAF(.dns = {"a.good.example", "other.example"}), "a.good.example");
	rule_allows(not_evil, LEAF(.dns = {"good.example"}), "good.example");
	rule_refuses(not_evil, LEAF(.dns = {"a.evil.example"}), "a.evil.example");
	rule_refuses(not_evil, LEAF(.dns = {"a.EVIL.example"}), "a.evil.example");
	rule_refuses(not_evil, LEAF(.dns = {"Evil.Example"}), "evil.example");
	rule_refuses(RULE(true, DNS, "EVIL.example"), LEAF(.dns = {"evil.example"}),
		     "evil.example");
	rule_refuses(RULE(true, DNS, ".evil.example"), LEAF(.dns = {"a.evil.example"}),
		     "a.evil.example");
}
END_TEST

START_TEST(dns_constraints_bind_wildcards)
{
	const struct rule *not_secret = RULE(true, DNS, "secret.good.example");

	rule_refuses(not_secret, LEAF(.dns = {"*.good.example"}), "secret.good.example");
	rule_refuses(not_secret, LEAF(.dns = {"*.secret.good.example"}), "a.secret.good.example");
	rule_allows(not_secret, LEAF(.dns = {"*.other.example"}), "a.other.example");
	rule_allows(RULE(false, DNS, "good.example"), LEAF(.dns = {"*.good.example"}),
		    "a.good.example");
}
END_TEST

START_TEST(dns_constraints_bind_common_names_that_look_like_hosts)
{
	const struct rule *good = RULE(false, DNS, "good.example");

	rule_refuses(good, LEAF(.common_name = "bad.example", .ip = {"127.0.0.1"}), "127.0.0.1");
}
END_TEST

START_TEST(address_constraints_bind)
{
	const struct rule *private = RULE(false, ADDRESS, "\x0a\0\0\0\xff\0\0\0");
	const struct rule *not_local = RULE(true, ADDRESS, "\x7f\0\0\0\xff\0\0\0");

	rule_allows(private, LEAF(.ip = {"10.1.2.3"}), "10.1.2.3");
	rule_refuses(private, LEAF(.ip = {"11.1.2.3"}), "11.1.2.3");
	rule_refuses(private, LEAF(.ip = {"::1"}), "::1");
	rule_refuses(not_local, LEAF(.ip = {"127.1.1.1"}), "127.1.1.1");
	rule_allows(not_local, LEAF(.ip = {"128.1.1.1"}), "128.1.1.1");
}
END_TEST

START_TEST(email_constraints_bind_whatever_the_case)
{
	const struct rule *not_evil = RULE(true, EMAIL, "evil.example");
	const struct rule *below_evil = RULE(true, EMAIL, ".evil.example");

	rule_refuses(not_evil, LEAF(.dns = {"x.example"}, .email = "a@EVIL.example"), "x.example");
	rule_allows(not_evil, LEAF(.dns = {"x.example"}, .email = "a@b.evil.example"), "x.example");
	rule_refuses(below_evil, LEAF(.dns = {"x.example"}, .email = "a@b.Evil.example"),
		     "x.example");
	rule_refuses(RULE(true, EMAIL, "a@x.example"),
		     LEAF(.dns = {"x.example"}, .email = "A@x.example"), "x.example");
}
END_TEST

START_TEST(directory_constraints_bind)
{
	const struct rule *good = RULE(false, DIRECTORY, ORGANIZATION);
	const struct rule *not_good = RULE(true, DIRECTORY, ORGANIZATION);

	rule_refuses(good, LEAF(.common_name = "x", .dns = {"x.example"}), "x.example");
	rule_allows(good, LEAF(.organization = "Good", .common_name = "x", .dns = {"x.example"}),
		    "x.example");
	rule_refuses(good, LEAF(.common_name = "x,O=Good", .dns = {"x.example"}), "x.example");
	rule_allows(good, LEAF(.dns = {"x.example"}), "x.example");
	rule_refuses(not_good, LEAF(.organization = "GOOD", .dns = {"x.example"}), "x.example");
}
END_TEST

START_TEST(constraints_that_are_not_compared_allow_no_name_of_their_kind)
{
	rule_refuses(RULE(false, URI, "good.example"),
		     LEAF(.dns = {"x.example"}, .uri = "https://bad.example/"), "x.example");
	rule_refuses(RULE(true, URI, "bad.example"),
		     LEAF(.dns = {"x.example"}, .uri = "https://bad.example/"), "x.example");
	rule_allows(RULE(false, URI, "good.example"), LEAF(.dns = {"x.example"}), "x.example");
	rule_refuses(RULE(true, OTHER_ID, "\x2a\x03\x04"), LEAF(.dns = {"x.example"}), "x.example");
}
END_TEST

/* GnuTLS stops reading at the empty directory name. */
START_TEST(constraints_behind_one_that_is_not_read_are_not_forgotten)
{
	static const char der[] = "\x30\x1a\xa1\x18\x30\x04\xa4\x02\x30\x00"
				  "\x30\x10\x82\x0c"
				  "evil.example";
	static const char cut[] = "\x30\x05\xa1\x10\x30\x0e\x82";

	show_limited(der, sizeof(der) - 1, LEAF(.dns = {"evil.example"}));
	kit_client_refuses("evil.example", GNUTLS_A_BAD_CERTIFICATE, "CN=Limited CA", "vouch");
	show_limited(cut, sizeof(cut) - 1, LEAF(.dns = {"evil.example"}));
	kit_client_refuses("evil.example", GNUTLS_A_BAD_CERTIFICATE, "CN=Limited CA", "vouch");
}
END_TEST

START_TEST(constraints_by_the_hundred_allow_nobody)
{
	static const char subtree[] = "\x30\x06\x82\x04"
				      "evil";
	char der[8 + 200 * 8];
	size_t len = 8;
	int i;

	for (i = 0; i < 200; i++, len += 8)
		memcpy(der + len, subtree, 8);
	/* Both lengths take two bytes. */
	memcpy(der, "\x30\x82\x06\x44\xa1\x82\x06\x40", 8);
	show_limited(der, len, LEAF(.dns = {"good.example"}));
	kit_client_refuses("good.example", GNUTLS_A_BAD_CERTIFICATE, "CN=Limited CA", "vouch");
	memcpy(der, "\x30\x82\x01\x94\xa1\x82\x01\x90", 8);
	show_limited(der, 8 + 50 * 8, LEAF(.dns = {"good.example"}));
	kit_accepts("good.example");
}
END_TEST

static gnutls_x509_crt_t read_certificate(const char *name)
{
	char *text = kit_read(name);
	gnutls_datum_t pem = {(unsigned char *)text, (unsigned int)strlen(text)};
	gnutls_x509_crt_t certificate;

	ck_assert_int_eq(gnutls_x509_crt_init(&certificate), 0);
	ck_assert_int_eq(gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM), 0);
	free(text);
	return certificate;
}

/* GnuTLS refuses all of these, but asks why all the same. */
static bool allows_common_names(size_t more)
{
	gnutls_x509_crt_t issuer;
	gnutls_x509_crt_t leaf;
	bool allowed;

	show_ruled(RULE(false, DNS, "good.example"),
		   LEAF(.common_name = "x", .more_common_names = more));
	issuer = read_certificate("limited.crt");
	leaf = read_certificate("leaf.crt");
	allowed = constraints_allow(issuer, leaf);
	gnutls_x509_crt_deinit(issuer);
	gnutls_x509_crt_deinit(leaf);
	return allowed;
}

START_TEST(common_names_by_the_hundred_are_not_looked_through)
{
	ck_assert(allows_common_names(63));
	ck_assert(!allows_common_names(64));
}
END_TEST

START_TEST(constraints_of_a_ca_further_up_bind_too)
{
	static const struct kit_spec middle = {
		.name = "middle", .common_name = "Middle CA", .issuer = "limited", .ca = true};
	static const char *const parts[] = {"leaf", "middle", "limited", NULL};
	char der[128];
	struct kit_spec leaf = *LEAF(.dns = {"EVIL.example"});
	size_t len = write_rule(RULE(true, DNS, "evil.example"), der);

	/* GnuTLS 3.8 finds it before we do, and then the CA in between is named. */
	show_limited(der, len, &leaf);
	leaf.issuer = "middle";
	kit_make(&middle);
	kit_make(&leaf);
	kit_join("shown", parts);
	kit_settings(&kit_server, NULL, "shown");
	kit_client_refuses("evil.example", GNUTLS_A_BAD_CERTIFICATE, " CA may not", "vouch");
	kit_settings(&kit_client, "limited", NULL);
	kit_client_refuses("evil.example", GNUTLS_A_BAD_CERTIFICATE, " CA may not", "vouch");
}
END_TEST

static void add_signers(Suite *suite)
{
	TCase *group = tcase_create("signers");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, pinned_certificate_is_trusted_as_itself_alone);
	tcase_add_test(group, pinned_client_signs_for_nobody_else);
	tcase_add_test(group, pinned_certificate_does_not_become_a_ca_by_a_second_one);
	tcase_add_test(group, certificate_of_version_1_is_no_ca);
	tcase_add_test(group, leaf_signs_nobody);
	tcase_add_test(group, ca_must_be_allowed_to_sign_certificates);
	tcase_add_test(group, ca_must_not_be_too_far_up);
	tcase_add_test(group, ca_for_clients_vouches_for_no_server);
	tcase_add_test(group, critical_extension_that_is_unknown_refuses);
	suite_add_tcase(suite, group);
}

static void add_links(Suite *suite)
{
	TCase *group = tcase_create("links");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, weak_key_is_refused_wherever_it_is);
	tcase_add_test(group, certificate_must_be_allowed_to_sign_handshakes);
	tcase_add_test(group, weak_client_is_refused_signed_or_pinned);
	tcase_add_test(group, sha1_signature_is_refused_even_of_a_ca_that_names_itself);
	tcase_add_test(group, ca_out_of_its_time_is_named_with_its_own_date);
	tcase_add_test(group, missing_link_is_named_by_the_last_certificate_shown);
	tcase_add_test(group, ca_of_the_same_name_with_another_key_is_told_apart);
	tcase_add_test(group, chain_of_many_is_served_and_of_too_many_is_told);
	tcase_add_test(group, peer_with_too_many_certificates_is_told);
	suite_add_tcase(suite, group);
}

static void add_constraints(Suite *suite)
{
	TCase *group = tcase_create("constraints");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, dns_constraints_bind_whatever_the_case);
	tcase_add_test(group, dns_constraints_bind_wildcards);
	tcase_add_test(group, dns_constraints_bind_common_names_that_look_like_hosts);
	tcase_add_test(group, address_constraints_bind);
	tcase_add_test(group, email_constraints_bind_whatever_the_case);
	tcase_add_test(group, directory_constraints_bind);
	tcase_add_test(group, constraints_that_are_not_compared_allow_no_name_of_their_kind);
	tcase_add_test(group, constraints_behind_one_that_is_not_read_are_not_forgotten);
	tcase_add_test(group, constraints_by_the_hundred_allow_nobody);
	tcase_add_test(group, common_names_by_the_hundred_are_not_looked_through);
	tcase_add_test(group, constraints_of_a_ca_further_up_bind_too);
	suite_add_tcase(suite, group);
}

int main(void)
{
	Suite *suite = suite_create("tls-chain");

	add_signers(suite);
	add_links(suite);
	add_constraints(suite);
	return kit_main(suite);
}
