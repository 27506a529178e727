/* SPDX-License-Identifier: MIT */
/* What tls/ loads, what it refuses and how it says so. */
#include <check.h>
#include <gnutls/abstract.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls-kit.h"
#include "tls/der.h"

#define NOBODY 65534

/* ---- Loading --------------------------------------------------------------- */

static void refuses_server(const char *part, const char *other_part)
{
	kit_refuses(&kit_server, TLS_SERVER, part, other_part);
}

static void refuses_client(const char *part, const char *other_part)
{
	kit_refuses(&kit_client, TLS_CLIENT, part, other_part);
}

START_TEST(load_needs_a_certificate_to_listen)
{
	kit_settings(&kit_server, NULL, NULL);
	refuses_server("certificate file", "key file");
}
END_TEST

START_TEST(load_names_the_file_that_is_missing)
{
	kit_server.key_file = kit_path("absent.key");
	refuses_server("key file", "absent.key does not exist");
	kit_server.cert_file = kit_path("absent.crt");
	refuses_server("certificate file", "absent.crt does not exist");
	kit_client.ca_file = kit_path("absent-ca.crt");
	refuses_client("CA file", "absent-ca.crt does not exist");
}
END_TEST

START_TEST(load_names_the_user_who_may_not_read)
{
	uid_t before = geteuid();

	if (before == 0)
		ck_assert_int_eq(seteuid(NOBODY), 0);
	else
		ck_assert_int_eq(chmod(kit_server.key_file, 0), 0);
	refuses_server("user ", "may not read");
	ck_assert_int_eq(seteuid(before), 0);
}
END_TEST

START_TEST(load_never_waits_for_a_pipe_or_directory)
{
	kit_server.key_file = kit_path("pipe");
	ck_assert_int_eq(mkfifo(kit_server.key_file, 0600), 0);
	refuses_server("pipe", "regular file");
	kit_server.key_file = kit_path("");
	refuses_server("is a directory", "name a file");
	kit_client.ca_file = kit_path("pipe");
	refuses_client("CA file", "regular file");
	kit_server.cert_file = kit_path("none");
	ck_assert_int_eq(symlink("/dev/zero", kit_server.cert_file), 0);
	refuses_server("certificate file", "device");
}
END_TEST

START_TEST(load_never_reads_huge_files)
{
	kit_write("huge", "", 0600);
	kit_server.key_file = kit_path("huge");
	kit_client.ca_file = kit_server.key_file;
	ck_assert_int_eq(truncate(kit_server.key_file, (2 << 20)), 0);
	refuses_server("key file", "larger than 1024 KiB");
	ck_assert_int_eq(truncate(kit_client.ca_file, (off_t)1 << 40), 0);
	refuses_client("CA file", "larger than 16384 KiB");
}
END_TEST

START_TEST(load_tells_what_is_not_pem)
{
	kit_write("junk", "\x30\x82junk", 0600);
	kit_write("empty", "", 0600);
	kit_client.ca_file = kit_path("junk");
	refuses_client("junk", "no PEM certificate");
	kit_client.ca_file = kit_path("empty");
	refuses_client("CA file", "is empty");
	kit_server.key_file = kit_path("junk");
	refuses_server("key file", "not PEM");
	kit_server.key_file = kit_path("empty");
	refuses_server("key file", "is empty");
	kit_server.cert_file = kit_path("junk");
	refuses_server("certificate file", "not PEM");
	kit_server.cert_file = kit_path("empty");
	refuses_server("certificate file", "is empty");
}
END_TEST

START_TEST(load_tells_what_is_damaged)
{
	kit_write("broken.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		  0600);
	kit_write("broken.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		  0600);
	kit_write("torn.key", "-----BEGIN PRIVATE KEY-----\nAAAA", 0600);
	kit_client.ca_file = kit_path("broken.crt");
	refuses_client("CA file", "cannot be read");
	kit_server.key_file = kit_path("broken.key");
	refuses_server("key file", "damaged");
	kit_server.key_file = kit_path("torn.key");
	refuses_server("key file", "damaged");
	kit_server.cert_file = kit_path("broken.crt");
	refuses_server("certificate file", "damaged");
}
END_TEST

START_TEST(load_notices_swapped_files)
{
	char *cert = kit_server.cert_file;

	kit_server.cert_file = kit_server.key_file;
	refuses_server("certificate file", "mixed up");
	kit_server.cert_file = cert;
	kit_server.key_file = cert;
	refuses_server("key file", "mixed up");
}
END_TEST

START_TEST(load_notices_a_key_of_another_certificate)
{
	kit_server.key_file = kit_path("alice.key");
	refuses_server("alice.key", "does not belong to the certificate");
}
END_TEST

START_TEST(load_notices_a_chain_that_is_upside_down)
{
	static const char *const reversed[] = {"ca", "server", NULL};

	kit_join("shown", reversed);
	kit_server.cert_file = kit_path("shown.crt");
	refuses_server("is number 2 in", "must be the first");
}
END_TEST

/* The certificate `name` as OpenSSL's -trustout writes it, with `settings` behind it. */
static void write_trusted(const char *name, const char *settings, size_t len)
{
	gnutls_datum_t pem;
	gnutls_datum_t der;
	gnutls_datum_t text;
	unsigned char *whole;

	ck_assert_int_eq(gnutls_load_file(kit_path(name), &pem), 0);
	ck_assert_int_eq(gnutls_pem_base64_decode2("CERTIFICATE", &pem, &der), 0);
	whole = gnutls_realloc(der.data, der.size + len);
	ck_assert_ptr_nonnull(whole);
	memcpy(whole + der.size, settings, len);
	der.data = whole;
	der.size += (unsigned int)len;
	ck_assert_int_eq(gnutls_pem_base64_encode2("TRUSTED CERTIFICATE", &der, &text), 0);
	kit_write("trusted.crt", (const char *)text.data, 0600);
	gnutls_free(pem.data);
	gnutls_free(der.data);
	gnutls_free(text.data);
}

START_TEST(load_takes_trusted_certificates_of_openssl)
{
	static const char alias[] = "\x30\x05\x0c\x03"
				    "foo";

	write_trusted("ca.crt", "", 0);
	kit_client.ca_file = kit_path("trusted.crt");
	kit_accepts("broker.example");
	write_trusted("ca.crt", alias, sizeof(alias) - 1);
	kit_accepts("broker.example");
	write_trusted("server.crt", "", 0);
	kit_server.cert_file = kit_path("trusted.crt");
	kit_client.ca_file = kit_path("ca.crt");
	kit_accepts("broker.example");
}
END_TEST

START_TEST(load_refuses_trusted_certificates_with_limits)
{
	static const char trusted[] = "\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
	static const char rejected[] = "\x30\x0c\xa0\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02";

	kit_client.ca_file = kit_path("trusted.crt");
	write_trusted("ca.crt", trusted, sizeof(trusted) - 1);
	refuses_client("TRUSTED CERTIFICATE", "openssl x509");
	write_trusted("ca.crt", rejected, sizeof(rejected) - 1);
	refuses_client("for some uses only", "openssl x509");
	write_trusted("ca.crt", "\x30", 1);
	refuses_client("TRUSTED CERTIFICATE", "openssl x509");
	kit_write("trusted.crt",
		  "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n",
		  0600);
	refuses_client("CA file", "is damaged");
	kit_write("trusted.crt", "-----BEGIN TRUSTED CERTIFICATE-----\nMII", 0600);
	refuses_client("CA file", "is damaged");
}
END_TEST

START_TEST(load_tells_what_else_a_file_holds)
{
	static const struct {
		const char *content;
		const char *part;
	} files[] = {
		{"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", "have a CA sign it"},
		{"-----BEGIN PKCS7-----\nAAAA\n", "openssl pkcs7"},
		{"\x30\x05\x02\x01\x03\x05\x07", "openssl pkcs12"},
		{"\xff\xfe-", "UTF-16"},
		{"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "ssh-keygen"},
		{"-----BEGIN PUBLIC KEY-----\nAAAA\n", "public key only"},
		{"-----BEGIN X509 CRL-----\nAAAA\n", "revocation list only"},
	};
	struct mquic_settings cert = kit_server;
	size_t i;

	kit_client.ca_file = kit_path("odd");
	kit_server.key_file = kit_path("odd");
	cert.cert_file = kit_path("odd");
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		kit_write("odd", files[i].content, 0600);
		refuses_client("CA file", files[i].part);
		refuses_server("key file", files[i].part);
		kit_refuses(&cert, TLS_SERVER, "certificate file", files[i].part);
	}
	kit_client.ca_file = kit_path("ca.key");
	refuses_client("CA file", "holds a private key");
}
END_TEST

START_TEST(load_notices_a_pass_phrase)
{
	kit_write("locked.key",
		  "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE "
		  "KEY-----\n",
		  0600);
	kit_server.key_file = kit_path("locked.key");
	refuses_server("locked.key", "pass phrase");
	kit_write("old.key",
		  "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
		  "DEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n",
		  0600);
	kit_server.key_file = kit_path("old.key");
	refuses_server("old.key", "pass phrase");
}
END_TEST

START_TEST(load_refuses_a_short_rsa_key)
{
	static const struct kit_spec weak = {
		.name = "weak", .common_name = "weak", .issuer = "ca", .rsa_bits = 1024};

	kit_make(&weak);
	kit_settings(&kit_server, NULL, "weak");
	refuses_server("1024 bits", "at least 2048");
}
END_TEST

START_TEST(load_demands_a_ca_for_what_needs_one)
{
	kit_revoke("list", "ca", NULL, KIT_DAY);
	kit_server.crl_file = kit_path("list.crl");
	refuses_server("revocation list", "set a CA file or path");
	kit_server.crl_file = NULL;
	kit_server.require_certificate = true;
	refuses_server("require", "set a CA file or path");
}
END_TEST

START_TEST(load_refuses_a_revocation_list_it_cannot_trust)
{
	kit_revoke("foreign", "other", NULL, KIT_DAY);
	kit_client.crl_file = kit_path("foreign.crl");
	refuses_client("foreign.crl", "not signed by a CA we trust");
	kit_revoke("stale", "ca", NULL, -KIT_DAY);
	kit_client.crl_file = kit_path("stale.crl");
	refuses_client("stale.crl", "outdated");
	kit_client.crl_file = kit_client.ca_file;
	refuses_client("revocation list", "not PEM");
	kit_write("torn.crl", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", 0600);
	kit_client.crl_file = kit_path("torn.crl");
	refuses_client("torn.crl", "cannot be read");
}
END_TEST

START_TEST(load_tells_why_a_revocation_list_is_no_good)
{
	static const struct kit_spec quiet = {.name = "quiet",
					      .common_name = "Quiet CA",
					      .ca = true,
					      .usage = GNUTLS_KEY_KEY_CERT_SIGN};
	static const struct kit_spec twin = {.name = "twin", .common_name = "Test CA", .ca = true};

	kit_revoke("stale", "ca", NULL, -KIT_DAY);
	kit_client.crl_file = kit_path("stale.crl");
	refuses_client("outdated since 20", "fetch the newest");
	kit_make(&twin);
	kit_revoke("forged", "twin", NULL, KIT_DAY);
	kit_client.crl_file = kit_path("forged.crl");
	refuses_client("forged.crl", "signature that does not fit");
	kit_make(&quiet);
	kit_revoke("quiet", "quiet", NULL, KIT_DAY);
	kit_settings(&kit_client, "quiet", NULL);
	kit_client.crl_file = kit_path("quiet.crl");
	refuses_client("quiet.crl", "cRLSign");
}
END_TEST

/* DER of an element: tag, length, and both parts one behind the other. */
static gnutls_datum_t element(unsigned char tag, gnutls_datum_t first, gnutls_datum_t second)
{
	unsigned int len = first.size + second.size;
	gnutls_datum_t made = {gnutls_malloc(len + 4), len + 4};

	ck_assert_ptr_nonnull(made.data);
	made.data[0] = tag;
	made.data[1] = 0x82;
	made.data[2] = (unsigned char)(len >> 8);
	made.data[3] = (unsigned char)len;
	if (len < 0x80) {
		made.data[1] = (unsigned char)len;
		made.size = len + 2;
	} else if (len < 0x100) {
		made.data[1] = 0x81;
		made.data[2] = (unsigned char)len;
		made.size = len + 3;
	}
	memcpy(made.data + made.size - len, first.data, first.size);
	if (second.size > 0)
		memcpy(made.data + made.size - second.size, second.data, second.size);
	return made;
}

static gnutls_datum_t bytes(const char *data, size_t len)
{
	return (gnutls_datum_t){(unsigned char *)(uintptr_t)data, (unsigned int)len};
}

static gnutls_datum_t joined(gnutls_datum_t first, gnutls_datum_t second)
{
	gnutls_datum_t whole = element(0, first, second);

	memmove(whole.data, whole.data + whole.size - first.size - second.size,
		first.size + second.size);
	whole.size = first.size + second.size;
	return whole;
}

static gnutls_datum_t signature_of(const gnutls_datum_t *signed_part)
{
	gnutls_datum_t text = {(unsigned char *)kit_read("ca.key"), 0};
	gnutls_datum_t signature;
	gnutls_privkey_t key;

	text.size = (unsigned int)strlen((const char *)text.data);
	ck_assert_int_eq(gnutls_privkey_init(&key), 0);
	ck_assert_int_eq(gnutls_privkey_import_x509_raw(key, &text, GNUTLS_X509_FMT_PEM, NULL, 0),
			 0);
	ck_assert_int_eq(
		gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, signed_part, &signature), 0);
	gnutls_privkey_deinit(key);
	free(text.data);
	return signature;
}

/*
 * Writes list.crl of "ca" with one critical extension, whose identifier is DER, too: GnuTLS has no
 * call for it, so one is put into a list without any, which is then signed anew.
 */
static void make_list(const char *oid, size_t oid_len, const char *value, size_t len)
{
	static const gnutls_datum_t none = {NULL, 0};
	gnutls_datum_t pem = {(unsigned char *)NULL, 0};
	gnutls_datum_t der;
	gnutls_datum_t rest;
	gnutls_datum_t body;
	gnutls_datum_t unsigned_part;
	gnutls_datum_t parts[10];
	unsigned char tag;
	size_t i;

	kit_revoke("list", "ca", NULL, KIT_DAY);
	pem.data = (unsigned char *)kit_read("list.crl");
	pem.size = (unsigned int)strlen((const char *)pem.data);
	ck_assert_int_eq(gnutls_pem_base64_decode2("X509 CRL", &pem, &der), 0);
	rest = der;
	ck_assert(der_take(&rest, &tag, &body));
	ck_assert(der_take(&body, &tag, &unsigned_part));
	parts[0] = element(0x04, bytes(value, len), none);
	parts[1] = joined(bytes("\x01\x01\xff", 3), parts[0]);
	parts[2] = element(0x06, bytes(oid, oid_len), none);
	parts[3] = element(0x30, parts[2], parts[1]);
	parts[4] = element(0x30, parts[3], none);
	parts[5] = element(0xa0, parts[4], none);
	parts[6] = element(0x30, unsigned_part, parts[5]);
	parts[7] = signature_of(&parts[6]);
	parts[8] = joined(bytes("\0", 1), parts[7]);
	parts[9] = element(0x03, parts[8], none);
	/* ecdsa-with-SHA256 */
	rest = joined(bytes("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12), parts[9]);
	body = element(0x30, parts[6], rest);
	gnutls_free(rest.data);
	ck_assert_int_eq(gnutls_pem_base64_encode2("X509 CRL", &body, &rest), 0);
	kit_write("list.crl", (const char *)rest.data, 0600);
	for (i = 0; i < 10; i++)
		gnutls_free(parts[i].data);
	gnutls_free(rest.data);
	gnutls_free(body.data);
	gnutls_free(der.data);
	free(pem.data);
}

#define DELTA   "\x55\x1d\x1b", 3
#define POINT   "\x55\x1d\x1c", 3
#define UNKNOWN "\x2a\x03\x04", 3

START_TEST(load_takes_whole_revocation_lists_only)
{
	static const char place[] = "\x30\x11\xa0\x0f\xa0\x0d\x86\x0b"
				    "http://a/b/";
	static const char users[] = "\x30\x03\x81\x01\xff";
	static const char cas[] = "\x30\x03\x82\x01\xff";
	static const char indirect[] = "\x30\x03\x84\x01\xff";

	kit_client.crl_file = kit_path("list.crl");
	make_list(DELTA, "\x02\x01\x01", 3);
	refuses_client("list.crl is a delta", "complete list");
	make_list(POINT, cas, sizeof(cas) - 1);
	refuses_client("partial", "complete list");
	make_list(POINT, indirect, sizeof(indirect) - 1);
	refuses_client("indirect", "complete list");
	make_list(POINT, "\x30\x84", 2);
	refuses_client("list.crl", "complete list");
	make_list(UNKNOWN, "\x05\0", 2);
	refuses_client("list.crl", "complete list");
	make_list(POINT, place, sizeof(place) - 1);
	kit_accepts("broker.example");
	make_list(POINT, users, sizeof(users) - 1);
	kit_accepts("broker.example");
}
END_TEST

START_TEST(load_searches_a_ca_path)
{
	struct kit_handshake handshake;

	ck_assert_int_eq(mkdir(kit_path("cas"), 0700), 0);
	kit_client.ca_file = NULL;
	kit_client.ca_path = kit_path("cas");
	refuses_client("CA path", "no PEM certificate");
	kit_write("cas/notes.txt", "not a certificate\n", 0600);
	refuses_client("CA path", "no PEM certificate");
	ck_assert_int_eq(symlink("../ca.crt", kit_path("cas/1.pem")), 0);
	ck_assert_int_eq(symlink("../ca.crt", kit_path("cas/again.pem")), 0);
	ck_assert_int_eq(symlink("../absent", kit_path("cas/dangling.pem")), 0);
	kit_handshake(&handshake, &kit_client, &kit_server, "broker.example");
	ck_assert(handshake.complete);
	kit_end(&handshake);
	kit_client.ca_path = kit_path("ca.crt");
	refuses_client("CA path", "not a directory");
	kit_client.ca_path = kit_path("gone");
	refuses_client("CA path", "gone");
	(void)unlink(kit_path("cas/notes.txt"));
	(void)unlink(kit_path("cas/1.pem"));
	(void)unlink(kit_path("cas/again.pem"));
	(void)unlink(kit_path("cas/dangling.pem"));
}
END_TEST

START_TEST(load_refuses_a_protocol_name_that_gnutls_cannot_carry)
{
	char longest[] = "1234567890123456789012345678901";
	char longer[] = "12345678901234567890123456789012";
	char none[] = "";
	struct kit_handshake handshake;

	kit_client.alpn = longer;
	refuses_client("ALPN", "1 to 31 bytes");
	kit_client.alpn = none;
	refuses_client("ALPN", "1 to 31 bytes");
	kit_client.alpn = longest;
	kit_server.alpn = longest;
	kit_handshake(&handshake, &kit_client, &kit_server, "broker.example");
	ck_assert(handshake.complete);
	kit_end(&handshake);
}
END_TEST

START_TEST(load_keeps_the_fix_behind_a_long_path)
{
	char name[250];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	kit_server.key_file = kit_path(name);
	refuses_server("key file", "does not exist: check");
}
END_TEST

/* ---- What ends ------------------------------------------------------------- */

static struct tls_credentials *load_server(void)
{
	struct tls_credentials *credentials;
	struct error error = {""};

	ck_assert_msg(tls_credentials_load(&credentials, &kit_server, TLS_SERVER, &error) ==
			      MQUIC_OK,
		      "%s", error.text);
	return credentials;
}

/* The server's files have `count` things to say, and the first says both parts. */
static void says_of_ends(uint32_t days, size_t count, const char *part, const char *other_part)
{
	struct tls_credentials *credentials = load_server();
	struct error first = {""};
	struct error sentence;
	size_t i = 0;

	if (tls_credentials_expiring(credentials, days, 0, &first))
		for (i = 1; tls_credentials_expiring(credentials, days, i, &sentence); i++)
			;
	ck_assert_msg(i == count, "%zu sentences: %s", i, first.text);
	kit_says(first.text, part);
	kit_says(first.text, other_part);
	tls_credentials_unref(credentials);
}

static void make_server(long starts, long ends)
{
	const struct kit_spec server = {.name = "server",
					.dns = {"broker.example"},
					.issuer = "ca",
					.starts = starts,
					.ends = ends};

	kit_make(&server);
}

START_TEST(end_of_the_certificate_is_told_in_time)
{
	says_of_ends(21, 0, "", "");
	make_server(-300 * KIT_DAY, 60 * KIT_DAY);
	says_of_ends(90, 1, "server.crt expires on 20", "renew it and reload");
	make_server(-70 * KIT_DAY, 20 * KIT_DAY + 3600);
	says_of_ends(21, 1, "in 20 days", "server.crt");
	says_of_ends(20, 0, "", "");
	make_server(-89 * KIT_DAY, KIT_DAY + 3600);
	says_of_ends(21, 1, "in 1 day:", "server.crt");
	make_server(-90 * KIT_DAY, -KIT_DAY);
	says_of_ends(21, 1, "the certificate", "expired on 20");
}
END_TEST

START_TEST(end_of_a_short_life_is_told_in_its_last_quarter)
{
	make_server(-3 * KIT_DAY, 3 * KIT_DAY);
	says_of_ends(21, 0, "", "");
	make_server(-5 * KIT_DAY, KIT_DAY);
	says_of_ends(21, 1, "server.crt", "expires on");
}
END_TEST

START_TEST(end_of_authorities_and_lists_is_told)
{
	static const struct kit_spec old = {.name = "old",
					    .common_name = "Old CA",
					    .ca = true,
					    .starts = -300 * KIT_DAY,
					    .ends = -KIT_DAY};
	static const struct kit_spec middle = {.name = "middle",
					       .common_name = "Middle CA",
					       .issuer = "ca",
					       .ca = true,
					       .starts = -300 * KIT_DAY,
					       .ends = 4 * KIT_DAY + 3600};
	static const struct kit_spec leaf = {
		.name = "leaf", .dns = {"broker.example"}, .issuer = "middle"};
	static const char *const cas[] = {"ca", "old", NULL};
	static const char *const chain[] = {"leaf", "middle", NULL};

	kit_make(&old);
	kit_join("cas", cas);
	kit_settings(&kit_server, "cas", "server");
	says_of_ends(21, 1, "the CA certificate CN=Old CA in", "cas.crt expired on");
	kit_make(&middle);
	kit_make(&leaf);
	kit_join("shown", chain);
	kit_settings(&kit_server, "ca", "shown");
	says_of_ends(21, 1, "the CA certificate CN=Middle CA in", "in 4 days");
	kit_settings(&kit_server, "ca", "server");
	kit_revoke("list", "ca", NULL, KIT_DAY / 4);
	kit_server.crl_file = kit_path("list.crl");
	says_of_ends(21, 1, "the revocation list", "list.crl expires on");
	kit_revoke("list", "ca", NULL, 30 * KIT_DAY);
	says_of_ends(21, 0, "", "");
}
END_TEST

START_TEST(end_of_a_bundle_is_its_packages_affair)
{
	static const char *const parts[] = {"old", "old", "old", "old", "old", "old",
					    "old", "old", "old", "old", "old", "old",
					    "old", "old", "old", "old", "ca",  NULL};
	static const struct kit_spec old = {
		.name = "old", .ca = true, .starts = -3 * KIT_DAY, .ends = -KIT_DAY};

	kit_make(&old);
	kit_join("bundle", parts);
	kit_settings(&kit_server, "bundle", "server");
	says_of_ends(21, 0, "", "");
}
END_TEST

/* A directory "cas", and a server that takes its authorities from there. */
static void open_directory(void)
{
	ck_assert_int_eq(mkdir(kit_path("cas"), 0700), 0);
	kit_settings(&kit_server, NULL, "server");
	kit_server.ca_path = kit_path("cas");
}

START_TEST(end_of_an_authority_with_two_names_is_told_once)
{
	static const struct kit_spec old = {.name = "old",
					    .common_name = "Old CA",
					    .ca = true,
					    .starts = -3 * KIT_DAY,
					    .ends = -KIT_DAY};

	kit_make(&old);
	open_directory();
	ck_assert_int_eq(symlink("../old.crt", kit_path("cas/old.pem")), 0);
	ck_assert_int_eq(symlink("old.pem", kit_path("cas/0123abcd.0")), 0);
	says_of_ends(21, 1, "the CA certificate CN=Old CA in", "/cas/");
	(void)unlink(kit_path("cas/old.pem"));
	(void)unlink(kit_path("cas/0123abcd.0"));
}
END_TEST

START_TEST(end_of_a_full_directory_is_its_packages_affair)
{
	char name[16];
	char file[32];
	struct kit_spec old = {.name = name,
			       .common_name = name,
			       .ca = true,
			       .starts = -3 * KIT_DAY,
			       .ends = -KIT_DAY};
	int i;

	open_directory();
	for (i = 0; i < 17; i++) {
		(void)snprintf(name, sizeof(name), "cas/%d", i);
		kit_make(&old);
	}
	says_of_ends(21, 0, "", "");
	for (i = 0; i < 17; i++) {
		(void)snprintf(file, sizeof(file), "cas/%d.crt", i);
		(void)unlink(kit_path(file));
		(void)snprintf(file, sizeof(file), "cas/%d.key", i);
		(void)unlink(kit_path(file));
	}
}
END_TEST

/* ---- Secrets --------------------------------------------------------------- */

static void secret_of(const struct mquic_settings *settings, enum tls_role role, const char *label,
		      uint8_t secret[TLS_SECRET_LEN])
{
	struct tls_credentials *credentials;
	struct error error = {""};

	ck_assert_msg(tls_credentials_load(&credentials, settings, role, &error) == MQUIC_OK, "%s",
		      error.text);
	ck_assert_int_eq(tls_credentials_secret(credentials, label, secret), MQUIC_OK);
	tls_credentials_unref(credentials);
}

static void rewrite_as_pkcs8(const char *from, const char *to)
{
	gnutls_x509_privkey_t key;
	gnutls_datum_t text;
	char *content = kit_read(from);

	text.data = (unsigned char *)content;
	text.size = (unsigned int)strlen(content);
	ck_assert_int_eq(gnutls_x509_privkey_init(&key), 0);
	ck_assert_int_eq(gnutls_x509_privkey_import(key, &text, GNUTLS_X509_FMT_PEM), 0);
	free(content);
	ck_assert_int_eq(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
							   GNUTLS_PKCS_PLAIN, &text),
			 0);
	gnutls_x509_privkey_deinit(key);
	kit_write(to, (const char *)text.data, 0600);
	gnutls_free(text.data);
}

START_TEST(secret_outlives_restarts_and_file_formats)
{
	uint8_t first[TLS_SECRET_LEN];
	uint8_t second[TLS_SECRET_LEN];

	secret_of(&kit_server, TLS_SERVER, "reset", first);
	secret_of(&kit_server, TLS_SERVER, "reset", second);
	ck_assert_mem_eq(first, second, sizeof(first));
	rewrite_as_pkcs8("server.key", "rewritten.key");
	kit_server.key_file = kit_path("rewritten.key");
	secret_of(&kit_server, TLS_SERVER, "reset", second);
	ck_assert_mem_eq(first, second, sizeof(first));
}
END_TEST

START_TEST(secret_differs_by_label_and_key)
{
	static const struct kit_spec rsa = {
		.name = "rsa", .common_name = "rsa", .issuer = "ca", .rsa_bits = 2048};
	uint8_t first[TLS_SECRET_LEN];
	uint8_t second[TLS_SECRET_LEN];

	secret_of(&kit_server, TLS_SERVER, "reset", first);
	secret_of(&kit_server, TLS_SERVER, "retry", second);
	ck_assert_mem_ne(first, second, sizeof(first));
	kit_make(&rsa);
	kit_settings(&kit_server, NULL, "rsa");
	secret_of(&kit_server, TLS_SERVER, "reset", second);
	ck_assert_mem_ne(first, second, sizeof(first));
	secret_of(&kit_server, TLS_SERVER, "reset", first);
	ck_assert_mem_eq(first, second, sizeof(first));
}
END_TEST

START_TEST(secret_is_random_without_a_key)
{
	uint8_t first[TLS_SECRET_LEN];
	uint8_t second[TLS_SECRET_LEN];

	secret_of(&kit_client, TLS_CLIENT, "reset", first);
	secret_of(&kit_client, TLS_CLIENT, "reset", second);
	ck_assert_mem_ne(first, second, sizeof(first));
}
END_TEST

static void add_loading(Suite *suite)
{
	TCase *group = tcase_create("loading");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, load_needs_a_certificate_to_listen);
	tcase_add_test(group, load_names_the_file_that_is_missing);
	tcase_add_test(group, load_names_the_user_who_may_not_read);
	tcase_add_test(group, load_never_waits_for_a_pipe_or_directory);
	tcase_add_test(group, load_never_reads_huge_files);
	tcase_add_test(group, load_tells_what_is_not_pem);
	tcase_add_test(group, load_tells_what_is_damaged);
	tcase_add_test(group, load_notices_swapped_files);
	tcase_add_test(group, load_notices_a_key_of_another_certificate);
	tcase_add_test(group, load_notices_a_chain_that_is_upside_down);
	tcase_add_test(group, load_takes_trusted_certificates_of_openssl);
	tcase_add_test(group, load_refuses_trusted_certificates_with_limits);
	tcase_add_test(group, load_tells_what_else_a_file_holds);
	tcase_add_test(group, load_notices_a_pass_phrase);
	tcase_add_test(group, load_refuses_a_short_rsa_key);
	tcase_add_test(group, load_demands_a_ca_for_what_needs_one);
	tcase_add_test(group, load_refuses_a_revocation_list_it_cannot_trust);
	tcase_add_test(group, load_tells_why_a_revocation_list_is_no_good);
	tcase_add_test(group, load_takes_whole_revocation_lists_only);
	tcase_add_test(group, load_searches_a_ca_path);
	tcase_add_test(group, load_refuses_a_protocol_name_that_gnutls_cannot_carry);
	tcase_add_test(group, load_keeps_the_fix_behind_a_long_path);
	suite_add_tcase(suite, group);
}

static void add_ends(Suite *suite)
{
	TCase *group = tcase_create("ends");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, end_of_the_certificate_is_told_in_time);
	tcase_add_test(group, end_of_a_short_life_is_told_in_its_last_quarter);
	tcase_add_test(group, end_of_authorities_and_lists_is_told);
	tcase_add_test(group, end_of_a_bundle_is_its_packages_affair);
	tcase_add_test(group, end_of_an_authority_with_two_names_is_told_once);
	tcase_add_test(group, end_of_a_full_directory_is_its_packages_affair);
	suite_add_tcase(suite, group);
}

static void add_secrets(Suite *suite)
{
	TCase *group = tcase_create("secrets");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, secret_outlives_restarts_and_file_formats);
	tcase_add_test(group, secret_differs_by_label_and_key);
	tcase_add_test(group, secret_is_random_without_a_key);
	suite_add_tcase(suite, group);
}

int main(void)
{
	Suite *suite = suite_create("tls-load");

	add_loading(suite);
	add_ends(suite);
	add_secrets(suite);
	return kit_main(suite);
}
