/* SPDX-License-Identifier: MIT */
/* Sessions: what both sides must agree on, alerts, and the key log. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls-kit.h"

/* ---- What both sides agree on ---------------------------------------------- */

START_TEST(protocol_must_be_agreed_on)
{
	char other[] = "mqtt/2";

	kit_client.alpn = other;
	kit_server_refuses(GNUTLS_A_NO_APPLICATION_PROTOCOL, "did not offer", "does not speak");
}
END_TEST

/* A peer of another make: GnuTLS without our room. */
static gnutls_session_t foreign(unsigned int flags, const char *priority, const char *alpn,
				gnutls_certificate_credentials_t *credentials)
{
	gnutls_datum_t protocol = {(unsigned char *)(uintptr_t)alpn, 4};
	gnutls_session_t session;

	ck_assert_int_eq(gnutls_init(&session, flags), 0);
	ck_assert_int_eq(gnutls_certificate_allocate_credentials(credentials), 0);
	if (flags & GNUTLS_SERVER)
		ck_assert_int_eq(gnutls_certificate_set_x509_key_file(
					 *credentials, kit_server.cert_file, kit_server.key_file,
					 GNUTLS_X509_FMT_PEM),
				 0);
	ck_assert_int_eq(gnutls_priority_set_direct(session, priority, NULL), 0);
	ck_assert_int_eq(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, *credentials), 0);
	if (alpn != NULL)
		ck_assert_int_eq(gnutls_alpn_set_protocols(session, &protocol, 1, 0), 0);
	return session;
}

static void end_foreign(gnutls_session_t session, gnutls_certificate_credentials_t credentials)
{
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(credentials);
}

/* Our server with a foreign client; the sentence of our side if it fails. */
static void serve_foreign(const char *priority, const char *alpn, bool complete, uint8_t alert,
			  const char *part)
{
	struct kit_handshake handshake = {.server = kit_session(&kit_server, TLS_SERVER, NULL)};
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session = foreign(GNUTLS_CLIENT, priority, alpn, &credentials);

	kit_run(&handshake, session, tls_session_native(handshake.server));
	ck_assert_int_eq(handshake.complete, complete);
	ck_assert_uint_eq(handshake.alert, alert);
	if (!complete) {
		ck_assert(handshake.server_failed);
		(void)tls_session_explain(handshake.server, handshake.alert, true,
					  &handshake.server_error);
		kit_says(handshake.server_error.text, part);
	}
	end_foreign(session, credentials);
	kit_end(&handshake);
}

START_TEST(client_without_alpn_is_refused)
{
	serve_foreign("NORMAL", "mqtt", true, 0, "");
	serve_foreign("NORMAL", NULL, false, GNUTLS_A_NO_APPLICATION_PROTOCOL, "did not offer");
}
END_TEST

START_TEST(client_with_other_algorithms_is_served_or_told)
{
	serve_foreign("NORMAL:-GROUP-ALL:+GROUP-SECP384R1", "mqtt", true, 0, "");
	serve_foreign("NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305", "mqtt", true, 0, "");
	serve_foreign("NORMAL:-GROUP-ALL:+GROUP-SECP521R1", "mqtt", false,
		      GNUTLS_A_HANDSHAKE_FAILURE, "in common");
	serve_foreign("NORMAL:-VERS-ALL:+VERS-TLS1.2", "mqtt", false, GNUTLS_A_HANDSHAKE_FAILURE,
		      "TLS version");
}
END_TEST

/* Our client with a foreign server. */
static void dial_foreign(const char *priority, const char *alpn, bool complete, const char *part)
{
	struct kit_handshake handshake = {
		.client = kit_session(&kit_client, TLS_CLIENT, "broker.example")};
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session = foreign(GNUTLS_SERVER, priority, alpn, &credentials);

	kit_run(&handshake, tls_session_native(handshake.client), session);
	ck_assert_int_eq(handshake.complete, complete);
	if (!complete) {
		(void)tls_session_explain(handshake.client, handshake.alert,
					  handshake.client_failed, &handshake.client_error);
		kit_says(handshake.client_error.text, part);
	}
	end_foreign(session, credentials);
	kit_end(&handshake);
}

START_TEST(server_without_alpn_is_refused)
{
	dial_foreign("NORMAL", "mqtt", true, "");
	dial_foreign("NORMAL", NULL, false, "does not speak the application protocol \"mqtt\"");
}
END_TEST

START_TEST(server_that_wants_another_group_gets_a_second_hello)
{
	dial_foreign("NORMAL:-GROUP-ALL:+GROUP-SECP384R1", "mqtt", true, "");
	dial_foreign("NORMAL:-GROUP-ALL:+GROUP-SECP521R1", "mqtt", false, "in common");
	dial_foreign("NORMAL:-VERS-ALL:+VERS-TLS1.2", "mqtt", false, "no TLS version");
}
END_TEST

/* ---- The rest -------------------------------------------------------------- */

START_TEST(session_shows_the_reference_to_ngtcp2)
{
	struct tls_credentials *credentials;
	struct tls_session *session;
	struct error error;
	int reference;

	ck_assert_int_eq(tls_credentials_load(&credentials, &kit_server, TLS_SERVER, &error),
			 MQUIC_OK);
	ck_assert_int_eq(tls_session_new(&session, credentials, NULL, &reference), MQUIC_OK);
	ck_assert_ptr_eq(gnutls_session_get_ptr(tls_session_native(session)), &reference);
	tls_session_free(session);
	tls_session_free(NULL);
	ck_assert_ptr_eq(tls_credentials_ref(credentials), credentials);
	tls_credentials_unref(credentials);
	tls_credentials_unref(credentials);
	tls_credentials_unref(NULL);
}
END_TEST

START_TEST(every_alert_has_a_sentence)
{
	struct tls_session *ours[] = {kit_session(&kit_client, TLS_CLIENT, "broker.example"),
				      kit_session(&kit_server, TLS_SERVER, NULL)};
	struct tls_credentials *credentials[2];
	struct error error;
	int alert;
	int i;

	ck_assert_int_eq(tls_credentials_load(&credentials[0], &kit_client, TLS_CLIENT, &error), 0);
	ck_assert_int_eq(tls_credentials_load(&credentials[1], &kit_server, TLS_SERVER, &error), 0);
	for (i = 0; i < 4; i++)
		for (alert = 0; alert < 256; alert++) {
			error.text[0] = '\0';
			ck_assert_int_eq(tls_session_explain(ours[i / 2], (uint8_t)alert,
							     i % 2 == 0, &error),
					 MQUIC_ERR_TLS);
			ck_assert_uint_gt(strlen(error.text), 20);
			error.text[0] = '\0';
			ck_assert_int_eq(tls_credentials_explain(credentials[i / 2], (uint8_t)alert,
								 i % 2 == 0, &error),
					 MQUIC_ERR_TLS);
			ck_assert_uint_gt(strlen(error.text), 20);
			ck_assert_uint_lt(strlen(error.text), sizeof(error.text) - 1);
		}
	tls_session_free(ours[0]);
	tls_session_free(ours[1]);
	tls_credentials_unref(credentials[0]);
	tls_credentials_unref(credentials[1]);
}
END_TEST

START_TEST(key_log_goes_only_where_the_settings_say)
{
	struct stat about;
	char *log;

	(void)setenv("SSLKEYLOGFILE", kit_path("environment.log"), 1);
	kit_client.keylog_file = kit_path("keys.log");
	kit_accepts("broker.example");
	kit_accepts("broker.example");
	ck_assert_int_eq(access(kit_path("environment.log"), F_OK), -1);
	ck_assert_int_eq(stat(kit_client.keylog_file, &about), 0);
	ck_assert_int_eq(about.st_mode & 0777, 0600);
	log = kit_read("keys.log");
	ck_assert_int_eq(strncmp(log, "CLIENT_HANDSHAKE_TRAFFIC_SECRET ", 32), 0);
	kit_says(log, "\nSERVER_TRAFFIC_SECRET_0 ");
	ck_assert_uint_gt(strlen(log), 8 * 150); /* both handshakes */
	free(log);
	kit_client.keylog_file = kit_path("no/such/directory");
	kit_refuses(&kit_client, TLS_CLIENT, "key log file", "No such file");
	kit_client.keylog_file = kit_path("pipe");
	ck_assert_int_eq(mkfifo(kit_client.keylog_file, 0600), 0);
	kit_refuses(&kit_client, TLS_CLIENT, "key log file", "pipe");
}
END_TEST

static void add_agreement(Suite *suite)
{
	TCase *group = tcase_create("agreement");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, protocol_must_be_agreed_on);
	tcase_add_test(group, client_without_alpn_is_refused);
	tcase_add_test(group, client_with_other_algorithms_is_served_or_told);
	tcase_add_test(group, server_without_alpn_is_refused);
	tcase_add_test(group, server_that_wants_another_group_gets_a_second_hello);
	suite_add_tcase(suite, group);
}

static void add_session(Suite *suite)
{
	TCase *group = tcase_create("session");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, session_shows_the_reference_to_ngtcp2);
	tcase_add_test(group, every_alert_has_a_sentence);
	tcase_add_test(group, key_log_goes_only_where_the_settings_say);
	suite_add_tcase(suite, group);
}

int main(void)
{
	Suite *suite = suite_create("tls");

	add_agreement(suite);
	add_session(suite);
	return kit_main(suite);
}
