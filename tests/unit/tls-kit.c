/* SPDX-License-Identifier: MIT */
#include "tls-kit.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_PATHS 512
#define PIPE_SIZE (64 * 1024)

struct mquic_settings kit_client;
struct mquic_settings kit_server;

static char directory[64];
static char *paths[MAX_PATHS];
static size_t path_count;

/* ---- Files ------------------------------------------------------------------ */

void kit_close(void)
{
	struct dirent *entry;
	DIR *open = opendir(directory);

	ck_assert_ptr_nonnull(open);
	while ((entry = readdir(open)) != NULL)
		if (unlinkat(dirfd(open), entry->d_name, 0) != 0)
			(void)unlinkat(dirfd(open), entry->d_name, AT_REMOVEDIR);
	(void)closedir(open);
	(void)rmdir(directory);
	while (path_count > 0)
		free(paths[--path_count]);
}

char *kit_path(const char *name)
{
	ck_assert_uint_lt(path_count, MAX_PATHS);
	ck_assert_int_ge(asprintf(&paths[path_count], "%s/%s", directory, name), 0);
	return paths[path_count++];
}

static void write_bytes(const char *name, const void *data, size_t len, mode_t mode)
{
	int fd = open(kit_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
}

void kit_write(const char *name, const char *content, mode_t mode)
{
	write_bytes(name, content, strlen(content), mode);
}

char *kit_read(const char *name)
{
	gnutls_datum_t content;
	char *copy;

	ck_assert_int_eq(gnutls_load_file(kit_path(name), &content), 0);
	copy = strndup((const char *)content.data, content.size);
	gnutls_free(content.data);
	ck_assert_ptr_nonnull(copy);
	return copy;
}

static const char *ending(char *buffer, size_t size, const char *name, const char *suffix)
{
	(void)snprintf(buffer, size, "%s%s", name, suffix);
	return buffer;
}

static void write_datum(const char *name, const char *suffix, gnutls_datum_t *content)
{
	char buffer[128];

	write_bytes(ending(buffer, sizeof(buffer), name, suffix), content->data, content->size,
		    0600);
	gnutls_free(content->data);
}

static gnutls_x509_crt_t load_certificate(const char *name)
{
	gnutls_x509_crt_t certificate;
	gnutls_datum_t content;
	char buffer[128];

	ck_assert_int_eq(
		gnutls_load_file(kit_path(ending(buffer, sizeof(buffer), name, ".crt")), &content),
		0);
	ck_assert_int_eq(gnutls_x509_crt_init(&certificate), 0);
	ck_assert_int_eq(gnutls_x509_crt_import(certificate, &content, GNUTLS_X509_FMT_PEM), 0);
	gnutls_free(content.data);
	return certificate;
}

static gnutls_x509_privkey_t load_key(const char *name)
{
	gnutls_x509_privkey_t key;
	gnutls_datum_t content;
	char buffer[128];

	ck_assert_int_eq(
		gnutls_load_file(kit_path(ending(buffer, sizeof(buffer), name, ".key")), &content),
		0);
	ck_assert_int_eq(gnutls_x509_privkey_init(&key), 0);
	ck_assert_int_eq(gnutls_x509_privkey_import(key, &content, GNUTLS_X509_FMT_PEM), 0);
	gnutls_free(content.data);
	return key;
}

/* ---- Certificates -------------------------------------------------------------- */

static gnutls_x509_privkey_t make_key(const struct kit_spec *spec)
{
	gnutls_x509_privkey_t key;

	ck_assert_int_eq(gnutls_x509_privkey_init(&key), 0);
	if (spec->rsa_bits > 0)
		ck_assert_int_eq(
			gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, spec->rsa_bits, 0), 0);
	else
		ck_assert_int_eq(gnutls_x509_privkey_generate(
					 key, GNUTLS_PK_ECDSA,
					 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
				 0);
	return key;
}

static void add_alt_name(gnutls_x509_crt_t certificate, gnutls_x509_subject_alt_name_t type,
			 const char *name)
{
	unsigned char bytes[16];
	const void *data = name;
	size_t len;

	if (name == NULL)
		return;
	len = strlen(name);
	if (type == GNUTLS_SAN_IPADDRESS) {
		len = strchr(name, ':') != NULL ? 16 : 4;
		ck_assert_int_eq(inet_pton(len == 4 ? AF_INET : AF_INET6, name, bytes), 1);
		data = bytes;
	}
	ck_assert_int_eq(gnutls_x509_crt_set_subject_alt_name(
				 certificate, type, data, (unsigned int)len, GNUTLS_FSAN_APPEND),
			 0);
}

static void set_names(gnutls_x509_crt_t certificate, const struct kit_spec *spec)
{
	size_t len = spec->common_name_len;
	size_t i;

	if (spec->common_name != NULL && len == 0)
		len = strlen(spec->common_name);
	if (spec->organization != NULL)
		ck_assert_int_eq(gnutls_x509_crt_set_dn_by_oid(
					 certificate, GNUTLS_OID_X520_ORGANIZATION_NAME, 0,
					 spec->organization,
					 (unsigned int)strlen(spec->organization)),
				 0);
	for (i = 0; spec->common_name != NULL && i <= spec->more_common_names; i++)
		ck_assert_int_eq(
			gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
						      spec->common_name, (unsigned int)len),
			0);
	if (spec->second_common_name != NULL)
		ck_assert_int_eq(gnutls_x509_crt_set_dn_by_oid(
					 certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
					 spec->second_common_name,
					 (unsigned int)strlen(spec->second_common_name)),
				 0);
	for (i = 0; i < 3; i++) {
		add_alt_name(certificate, GNUTLS_SAN_DNSNAME, spec->dns[i]);
		add_alt_name(certificate, GNUTLS_SAN_IPADDRESS, spec->ip[i]);
	}
	add_alt_name(certificate, GNUTLS_SAN_URI, spec->uri);
	add_alt_name(certificate, GNUTLS_SAN_RFC822NAME, spec->email);
	if (spec->alt_names_der != NULL)
		ck_assert_int_eq(gnutls_x509_crt_set_extension_by_oid(certificate, "2.5.29.17",
								      spec->alt_names_der,
								      spec->alt_names_der_len, 0),
				 0);
}

static void set_raw(gnutls_x509_crt_t certificate, const char *oid, const char *der, size_t len)
{
	ck_assert_int_eq(gnutls_x509_crt_set_extension_by_oid(certificate, oid, der, len, 1), 0);
}

static void set_extensions(gnutls_x509_crt_t certificate, const struct kit_spec *spec)
{
	unsigned int usage = spec->usage;
	int path_length = spec->path_length > 0 ? spec->path_length : spec->path_length + 1;

	if (spec->path_length == 0)
		path_length = -1;
	if (!spec->no_basic)
		ck_assert_int_eq(
			gnutls_x509_crt_set_basic_constraints(certificate, spec->ca, path_length),
			0);
	if (usage == 0 && spec->ca)
		usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN;
	if (usage != 0)
		ck_assert_int_eq(gnutls_x509_crt_set_key_usage(certificate, usage), 0);
	if (spec->purpose != NULL)
		ck_assert_int_eq(gnutls_x509_crt_set_key_purpose_oid(certificate, spec->purpose, 0),
				 0);
	if (spec->odd != NULL)
		set_raw(certificate, spec->odd, "\x05\0", 2);
	if (spec->constraints != NULL)
		set_raw(certificate, "2.5.29.30", spec->constraints, spec->constraints_len);
}

static void set_rest(gnutls_x509_crt_t certificate, const struct kit_spec *spec)
{
	time_t now = time(NULL);
	unsigned char serial[8];

	ck_assert_int_eq(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)), 0);
	serial[0] = 1;
	ck_assert_int_eq(
		gnutls_x509_crt_set_version(certificate, spec->version != 0 ? spec->version : 3),
		0);
	ck_assert_int_eq(gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial)), 0);
	ck_assert_int_eq(gnutls_x509_crt_set_activation_time(
				 certificate, now + (spec->starts != 0 ? spec->starts : -3600)),
			 0);
	ck_assert_int_eq(gnutls_x509_crt_set_expiration_time(
				 certificate, now + (spec->ends != 0 ? spec->ends : 365 * KIT_DAY)),
			 0);
	if (spec->version != 1)
		set_extensions(certificate, spec);
}

void kit_make(const struct kit_spec *spec)
{
	gnutls_x509_privkey_t key = make_key(spec);
	gnutls_x509_privkey_t ca_key = spec->issuer != NULL ? load_key(spec->issuer) : key;
	gnutls_x509_crt_t certificate;
	gnutls_x509_crt_t ca;
	gnutls_datum_t text;

	ck_assert_int_eq(gnutls_x509_crt_init(&certificate), 0);
	ca = spec->issuer != NULL ? load_certificate(spec->issuer) : certificate;
	set_names(certificate, spec);
	set_rest(certificate, spec);
	ck_assert_int_eq(gnutls_x509_crt_set_key(certificate, key), 0);
	ck_assert_int_eq(gnutls_x509_crt_sign2(certificate, ca, ca_key,
					       spec->digest != 0 ? spec->digest : GNUTLS_DIG_SHA256,
					       0),
			 0);
	ck_assert_int_eq(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &text), 0);
	write_datum(spec->name, ".crt", &text);
	ck_assert_int_eq(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text), 0);
	write_datum(spec->name, ".key", &text);
	if (spec->issuer != NULL) {
		gnutls_x509_crt_deinit(ca);
		gnutls_x509_privkey_deinit(ca_key);
	}
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key);
}

void kit_join(const char *name, const char *const parts[])
{
	char buffer[128];
	char *key = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *all = open_memstream(&text, &len);
	size_t i;

	ck_assert_ptr_nonnull(all);
	for (i = 0; parts[i] != NULL; i++) {
		char *part = kit_read(ending(buffer, sizeof(buffer), parts[i], ".crt"));

		(void)fputs(part, all);
		free(part);
	}
	(void)fclose(all);
	kit_write(ending(buffer, sizeof(buffer), name, ".crt"), text, 0600);
	key = kit_read(ending(buffer, sizeof(buffer), parts[0], ".key"));
	kit_write(ending(buffer, sizeof(buffer), name, ".key"), key, 0600);
	free(key);
	free(text);
}

void kit_revoke(const char *name, const char *issuer, const char *victim, long next_update)
{
	gnutls_x509_privkey_t ca_key = load_key(issuer);
	gnutls_x509_crt_t ca = load_certificate(issuer);
	time_t now = time(NULL);
	gnutls_x509_crl_t crl;
	gnutls_datum_t text;

	ck_assert_int_eq(gnutls_x509_crl_init(&crl), 0);
	ck_assert_int_eq(gnutls_x509_crl_set_version(crl, 2), 0);
	ck_assert_int_eq(gnutls_x509_crl_set_this_update(crl, now - 2 * KIT_DAY), 0);
	ck_assert_int_eq(gnutls_x509_crl_set_next_update(crl, now + next_update), 0);
	if (victim != NULL) {
		gnutls_x509_crt_t certificate = load_certificate(victim);

		ck_assert_int_eq(gnutls_x509_crl_set_crt(crl, certificate, now - KIT_DAY), 0);
		gnutls_x509_crt_deinit(certificate);
	}
	ck_assert_int_eq(gnutls_x509_crl_sign2(crl, ca, ca_key, GNUTLS_DIG_SHA256, 0), 0);
	ck_assert_int_eq(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &text), 0);
	write_datum(name, ".crl", &text);
	gnutls_x509_crl_deinit(crl);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_privkey_deinit(ca_key);
}

void kit_settings(struct mquic_settings *settings, const char *ca, const char *identity)
{
	char buffer[128];

	memset(settings, 0, sizeof(*settings));
	if (ca != NULL)
		settings->ca_file = kit_path(ending(buffer, sizeof(buffer), ca, ".crt"));
	if (identity != NULL) {
		settings->cert_file = kit_path(ending(buffer, sizeof(buffer), identity, ".crt"));
		settings->key_file = kit_path(ending(buffer, sizeof(buffer), identity, ".key"));
	}
}

/* ---- Handshakes: bytes pushed by one side wait until the other pulls them -------- */

struct pipe {
	unsigned char data[PIPE_SIZE];
	size_t head;
	size_t tail;
};

struct side {
	gnutls_session_t session;
	struct tls_session *ours; /* NULL: a session of the test's own */
	struct pipe *out;
	struct pipe *in;
	bool done;
	bool failed;
	bool told; /* got an alert */
};

static ssize_t push(gnutls_transport_ptr_t pointer, const void *data, size_t len)
{
	struct side *side = pointer;

	ck_assert_uint_le(side->out->tail + len, PIPE_SIZE);
	memcpy(side->out->data + side->out->tail, data, len);
	side->out->tail += len;
	return (ssize_t)len;
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *data, size_t len)
{
	struct side *side = pointer;
	size_t waiting = side->in->tail - side->in->head;

	if (waiting == 0) {
		gnutls_transport_set_errno(side->session, EAGAIN);
		return -1;
	}
	if (len > waiting)
		len = waiting;
	memcpy(data, side->in->data + side->in->head, len);
	side->in->head += len;
	return (ssize_t)len;
}

static int take_extension(gnutls_session_t session, const unsigned char *data, size_t len)
{
	(void)session;
	(void)data;
	(void)len;
	return 0;
}

static int give_extension(gnutls_session_t session, gnutls_buffer_t to)
{
	(void)session;
	return gnutls_buffer_append_data(to, "x", 1);
}

/* Stands for what the QUIC room has ngtcp2 do: an offer without it is refused. */
static void add_transport_parameters(gnutls_session_t session)
{
	ck_assert_int_eq(
		gnutls_session_ext_register(session, "transport parameters", 0x39, GNUTLS_EXT_TLS,
					    take_extension, give_extension, NULL, NULL, NULL,
					    GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_CLIENT_HELLO |
						    GNUTLS_EXT_FLAG_EE),
		0);
}

static void attach(struct side *side, gnutls_session_t session, struct pipe *out, struct pipe *in)
{
	*side = (struct side){.session = session, .out = out, .in = in};
	add_transport_parameters(session);
	gnutls_transport_set_ptr(session, side);
	gnutls_transport_set_push_function(session, push);
	gnutls_transport_set_pull_function(session, pull);
}

/* As the QUIC room does, only that there ngtcp2 carries the alert. */
static void send_alert(const struct side *side, int rv)
{
	int level;
	int alert = gnutls_error_to_alert(rv, &level);

	if (side->ours != NULL)
		alert = tls_session_alert(side->ours, (uint8_t)alert);
	(void)gnutls_alert_send(side->session, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alert);
}

/* One step; a server may refuse the client's certificate after the client is done. */
static void step(struct side *side, struct kit_handshake *handshake)
{
	unsigned char byte;
	int rv = side->done ? (int)gnutls_record_recv(side->session, &byte, 1)
			    : gnutls_handshake(side->session);

	if (rv == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		handshake->alert = (uint8_t)gnutls_alert_get(side->session);
		side->told = true;
	} else if (rv == 0) {
		side->done = true;
	} else if (gnutls_error_is_fatal(rv)) {
		side->failed = true;
		send_alert(side, rv);
	}
}

void kit_run(struct kit_handshake *handshake, gnutls_session_t client, gnutls_session_t server)
{
	struct pipe *pipes = calloc(2, sizeof(*pipes));
	struct side sides[2];
	int round;

	ck_assert_ptr_nonnull(pipes);
	attach(&sides[0], client, &pipes[0], &pipes[1]);
	attach(&sides[1], server, &pipes[1], &pipes[0]);
	sides[0].ours = handshake->client;
	sides[1].ours = handshake->server;
	for (round = 0; round < 12; round++)
		if (!sides[round % 2].failed && !sides[round % 2].told)
			step(&sides[round % 2], handshake);
	handshake->client_failed = sides[0].failed;
	handshake->server_failed = sides[1].failed;
	handshake->complete = sides[0].done && sides[1].done;
	free(pipes);
}

struct tls_session *kit_session(const struct mquic_settings *settings, enum tls_role role,
				const char *server_name)
{
	struct tls_credentials *credentials;
	struct tls_session *session;
	struct error error = {""};

	ck_assert_msg(tls_credentials_load(&credentials, settings, role, &error) == MQUIC_OK, "%s",
		      error.text);
	ck_assert_int_eq(tls_session_new(&session, credentials, server_name, NULL), MQUIC_OK);
	tls_credentials_unref(credentials); /* the session keeps its own */
	return session;
}

void kit_handshake(struct kit_handshake *handshake, const struct mquic_settings *client,
		   const struct mquic_settings *server, const char *server_name)
{
	memset(handshake, 0, sizeof(*handshake));
	handshake->client = kit_session(client, TLS_CLIENT, server_name);
	handshake->server = kit_session(server, TLS_SERVER, NULL);
	kit_run(handshake, tls_session_native(handshake->client),
		tls_session_native(handshake->server));
	if (handshake->complete)
		return;
	ck_assert_int_eq(tls_session_explain(handshake->client, handshake->alert,
					     handshake->client_failed, &handshake->client_error),
			 MQUIC_ERR_TLS);
	ck_assert_int_eq(tls_session_explain(handshake->server, handshake->alert,
					     handshake->server_failed, &handshake->server_error),
			 MQUIC_ERR_TLS);
}

void kit_end(struct kit_handshake *handshake)
{
	tls_session_free(handshake->client);
	tls_session_free(handshake->server);
}

/* ---- The usual certificates and expectations ---------------------------------- */

void kit_open(void)
{
	static const struct kit_spec ca = {.name = "ca", .common_name = "Test CA", .ca = true};
	static const struct kit_spec other = {
		.name = "other", .common_name = "Other CA", .ca = true};
	static const struct kit_spec broker = {
		.name = "server",
		.common_name = "broker.example",
		.dns = {"broker.example", "*.wild.example"},
		.ip = {"127.0.0.1", "::1"},
		.purpose = GNUTLS_KP_TLS_WWW_SERVER,
		.issuer = "ca",
	};
	static const struct kit_spec alice = {
		.name = "alice",
		.common_name = "alice",
		.purpose = GNUTLS_KP_TLS_WWW_CLIENT,
		.issuer = "ca",
	};

	(void)snprintf(directory, sizeof(directory), "/tmp/mquic-test-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	kit_make(&ca);
	kit_make(&other);
	kit_make(&broker);
	kit_make(&alice);
	kit_settings(&kit_client, "ca", NULL);
	kit_settings(&kit_server, NULL, "server");
}

void kit_says(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "\"%s\" does not say \"%s\"", text, part);
}

void kit_refuses(const struct mquic_settings *settings, enum tls_role role, const char *part,
		 const char *other_part)
{
	struct tls_credentials *credentials;
	struct error error = {""};

	ck_assert_int_eq(tls_credentials_load(&credentials, settings, role, &error), MQUIC_ERR_TLS);
	ck_assert_ptr_null(credentials);
	kit_says(error.text, part);
	kit_says(error.text, other_part);
}

void kit_accepts(const char *name)
{
	struct kit_handshake handshake;

	kit_handshake(&handshake, &kit_client, &kit_server, name);
	ck_assert_msg(handshake.complete, "%s: %s", name, handshake.client_error.text);
	kit_end(&handshake);
}

void kit_client_refuses(const char *name, uint8_t alert, const char *part, const char *other_part)
{
	struct kit_handshake handshake;

	kit_handshake(&handshake, &kit_client, &kit_server, name);
	ck_assert(!handshake.complete);
	ck_assert(handshake.client_failed);
	kit_says(handshake.client_error.text, part);
	kit_says(handshake.client_error.text, other_part);
	ck_assert_uint_eq(handshake.alert, alert);
	kit_says(handshake.server_error.text, "the client ");
	kit_end(&handshake);
}

void kit_server_refuses(uint8_t alert, const char *server_part, const char *client_part)
{
	struct kit_handshake handshake;

	kit_handshake(&handshake, &kit_client, &kit_server, "broker.example");
	ck_assert(!handshake.complete);
	ck_assert(handshake.server_failed);
	ck_assert_uint_eq(handshake.alert, alert);
	kit_says(handshake.server_error.text, server_part);
	kit_says(handshake.client_error.text, client_part);
	kit_end(&handshake);
}

int kit_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
