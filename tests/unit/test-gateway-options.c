/* SPDX-License-Identifier: MIT */
/* The plugin's options: what is refused, and that the sentence names it. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/settings.h"
#include "options.h"
#include "unit.h"

static char pem[] = "/tmp/mquic-options-XXXXXX";
static struct options options;
static char error[OPTIONS_ERROR_SIZE];

struct line {
	const char *key;
	const char *value; /* "@": a file that can be read */
};

static const struct line listen_line = {"listen", "127.0.0.1:14567"};
static const struct line handoff_line = {"handoff", "/run/quic.sock"};
static const struct line cert_line = {"certfile", "@"};
static const struct line key_line = {"keyfile", "@"};

static void setup(void)
{
	int fd = mkstemp(pem);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(pem);
	strcpy(pem + strlen(pem) - 6, "XXXXXX");
	options_clear(&options);
}

static bool parse_lines(const struct line *const *lines, int count, bool broker_2_1)
{
	struct option_line given[24];
	int i;

	ck_assert_int_le(count, 24);
	for (i = 0; i < count; i++) {
		given[i].name = lines[i]->key;
		given[i].value = strcmp(lines[i]->value, "@") == 0 ? pem : lines[i]->value;
	}
	options_clear(&options);
	error[0] = '\0';
	return options_parse(&options, given, count, broker_2_1, error);
}

/* The four that say where and as whom, and up to three more. */
static bool parse_with(struct line one, struct line two, struct line three)
{
	const struct line *lines[7] = {&listen_line, &handoff_line, &cert_line, &key_line};
	int count = 4;

	if (one.key != NULL)
		lines[count++] = &one;
	if (two.key != NULL)
		lines[count++] = &two;
	if (three.key != NULL)
		lines[count++] = &three;
	return parse_lines(lines, count, false);
}

#define NONE        ((struct line){NULL, NULL})
#define LINE(k, v)  ((struct line){k, v})
#define PARSE(k, v) parse_with(LINE(k, v), NONE, NONE)
#define REFUSED(k, v, word)                                                                        \
	do {                                                                                       \
		ck_assert_msg(!PARSE(k, v), "%s %s is accepted", k, v);                            \
		ck_assert_msg(strstr(error, "plugin_opt_" k) != NULL, "%s", error);                \
		ck_assert_msg(strstr(error, word) != NULL, "%s", error);                           \
	} while (0)

START_TEST(these_four_are_enough)
{
	ck_assert_msg(parse_with(NONE, NONE, NONE), "%s", error);
	ck_assert_uint_eq(options.listeners[0].listen_count, 1);
	ck_assert_str_eq(options.listeners[0].listen[0].host, "127.0.0.1");
	ck_assert_uint_eq(options.listeners[0].listen[0].port, 14567);
	ck_assert_str_eq(options.listeners[0].handoff, "/run/quic.sock");
	ck_assert_uint_eq(options.listeners[0].connect_timeout_s, 10);
	ck_assert_uint_eq(options.listeners[0].idle_timeout_s, 3600);
	ck_assert_uint_eq(options.listeners[0].max_connections, 0);
	ck_assert_uint_ge(options.memory_limit, 16777216);
	ck_assert(!options.listeners[0].require_certificate);
}
END_TEST

START_TEST(the_certificate_is_missed_by_name)
{
	const struct line *lines[] = {&listen_line, &handoff_line, &key_line};

	ck_assert(!parse_lines(lines, 3, false));
	ck_assert_msg(strstr(error, "plugin_opt_certfile is missing") != NULL, "%s", error);
}
END_TEST

START_TEST(the_worker_has_a_default_and_is_looked_for)
{
	ck_assert(parse_with(NONE, NONE, NONE));
	ck_assert_ptr_nonnull(strstr(options.worker, "/mquic/mquic-gateway"));
	ck_assert(options.sandbox);
	ck_assert(PARSE("worker", "/bin/sh"));
	ck_assert_str_eq(options.worker, "/bin/sh");
	REFUSED("worker", "@", "cannot run");
	REFUSED("worker", "sh", "absolute path");
	ck_assert(PARSE("sandbox", "false"));
	ck_assert(!options.sandbox);
}
END_TEST

START_TEST(socket_and_addresses_have_defaults)
{
	const struct line *lines[] = {&cert_line, &key_line};

	ck_assert_msg(parse_lines(lines, 2, false), "%s", error);
	ck_assert_str_eq(options.listeners[0].handoff, "/run/mosquitto/quic.sock");
	ck_assert_str_eq(options.reset_key_file, "/var/lib/mosquitto/mquic-reset.key");
	ck_assert_uint_ge(options.listeners[0].listen_count, 1);
	ck_assert_str_eq(options.listeners[0].listen[0].host, "0.0.0.0");
	ck_assert_uint_eq(options.listeners[0].listen[0].port, 14567);
}
END_TEST

START_TEST(the_key_is_looked_for_next_to_the_certificate)
{
	const struct line *lines[] = {&cert_line};
	char key[sizeof(pem) + 4];
	int fd;

	snprintf(key, sizeof(key), "%s.key", pem);
	ck_assert(!parse_lines(lines, 1, false));
	ck_assert_msg(strstr(error, "plugin_opt_keyfile is missing") != NULL, "%s", error);
	ck_assert_msg(strstr(error, key) != NULL, "%s", error);

	fd = open(key, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_msg(parse_lines(lines, 1, false), "%s", error);
	ck_assert_str_eq(options.listeners[0].keyfiles.paths[0], key);
	unlink(key);
}
END_TEST

static void make_empty(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

/* Whether `key` in the directory is found for the certificate `cert`; both are made. */
static void finds_key(const char *directory, const char *cert, const char *key)
{
	struct line line = {"certfile", NULL};
	const struct line *lines[] = {&line};
	char cert_path[64];
	char key_path[64];

	snprintf(cert_path, sizeof(cert_path), "%s/%s", directory, cert);
	snprintf(key_path, sizeof(key_path), "%s/%s", directory, key);
	line.value = cert_path;
	make_empty(cert_path);
	ck_assert(!parse_lines(lines, 1, false));
	ck_assert_msg(strstr(error, key_path) != NULL, "%s", error);
	make_empty(key_path);
	ck_assert_msg(parse_lines(lines, 1, false), "%s", error);
	ck_assert_str_eq(options.listeners[0].keyfiles.paths[0], key_path);
	unlink(cert_path);
	unlink(key_path);
}

START_TEST(the_key_is_found_under_the_names_of_certbot)
{
	char directory[] = "/tmp/mquic-options-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(directory));
	finds_key(directory, "fullchain.pem", "privkey.pem");
	finds_key(directory, "cert.pem", "privkey.pem");
	finds_key(directory, "fullchain12.pem", "privkey12.pem");
	finds_key(directory, "fullchain.pem", "fullchain.key");
	finds_key(directory, "certificate.pem", "certificate.key");
	finds_key(directory, "fullchain.crt", "fullchain.key");
	rmdir(directory);
}
END_TEST

START_TEST(unknown_options_are_refused)
{
	REFUSED("colour", "blue", "is not an option");
	REFUSED("cert_file", "/x", "did you mean plugin_opt_certfile?");
	REFUSED("max_connection", "5", "did you mean plugin_opt_max_connections?");
	REFUSED("tls_version", "tlsv1.2", "TLS 1.3");
	REFUSED("tls_keyform", "pem", "PEM file without pass phrase");
	REFUSED("tls_engine", "pkcs11", "not in an engine");
	REFUSED("port", "14567", "plugin_opt_listen");
	REFUSED("a_name_that_is_much_longer_than_any_name_of_an_option_could_reasonably_be", "1",
		"is not an option");
}
END_TEST

START_TEST(what_a_tls_listener_has_besides_leads_to_its_place)
{
	REFUSED("port", "8883", "plugin_opt_listen ADDRESS:PORT");
	REFUSED("bind_address", "localhost", "plugin_opt_listen ADDRESS:PORT");
	REFUSED("bind_interface", "eth0", "plugin_opt_listen ADDRESS:PORT");
	REFUSED("socket_domain", "ipv6", "[::]:PORT");
	REFUSED("protocol", "mqtt", "remove the line");
	REFUSED("ciphers", "ALL", "remove the line");
	REFUSED("ciphers_tls1.3", "TLS_AES_128_GCM_SHA256", "remove the line");
	REFUSED("dhparamfile", "/etc/dh.pem", "remove the line");
	REFUSED("tls_keyform", "engine", "PEM");
	REFUSED("tls_engine", "tpm2tss", "PEM");
	REFUSED("tls_engine_kpass_sha1", "00", "PEM");
	REFUSED("psk_hint", "hint", "certificates");
	REFUSED("psk_file", "/etc/psk", "certificates");
	REFUSED("disable_client_cert_date_checks", "true", "renew it");
	REFUSED("use_username_as_clientid", "true", "without plugin_opt_");
	REFUSED("auto_id_prefix", "x-", "without plugin_opt_");
	REFUSED("mount_point", "m/", "without plugin_opt_, under the line of the hand-off");
	REFUSED("max_qos", "1", "without plugin_opt_");
	REFUSED("max_topic_alias", "5", "without plugin_opt_");
	REFUSED("max_topic_alias_broker", "5", "without plugin_opt_");
	REFUSED("accept_protocol_versions", "5", "without plugin_opt_");
	REFUSED("allow_anonymous", "true", "without plugin_opt_");
	REFUSED("listener_allow_anonymous", "true", "without plugin_opt_");
	REFUSED("password_file", "/etc/passwd", "without plugin_opt_");
	REFUSED("acl_file", "/etc/acl", "without plugin_opt_");
}
END_TEST

START_TEST(a_line_given_twice_is_refused)
{
	REFUSED("handoff", "/run/other.sock", "twice");
	ck_assert(!parse_with(LINE("cafile", "@"), LINE("cafile", "@"), NONE));
	ck_assert_msg(strstr(error, "plugin_opt_cafile is given twice") != NULL, "%s", error);
}
END_TEST

START_TEST(each_certificate_has_its_key)
{
	const struct line *lines[] = {&key_line, &cert_line, &cert_line, &key_line};
	struct mquic_settings *settings;
	int i;

	ck_assert_msg(parse_lines(lines, 4, false), "%s", error);
	ck_assert_uint_eq(options.listeners[0].certfiles.count, 2);
	ck_assert_uint_eq(options.listeners[0].keyfiles.count, 2);
	options.listeners[0].max_connections = 10;
	ck_assert_int_eq(mquic_settings_new(&settings), MQUIC_OK);
	ck_assert(options_apply(&options, &options.listeners[0], settings, error));
	ck_assert_str_eq(settings->cert_file, pem);
	ck_assert_uint_eq(settings->more.count, 1);
	mquic_settings_free(settings);
	for (i = 1; i < 4; i += 2) {
		ck_assert(!parse_lines(lines + (i == 1 ? 1 : 0), 3, false));
		ck_assert_msg(strstr(error, "give each certificate its key") != NULL, "%s", error);
	}
}
END_TEST

START_TEST(certificates_have_a_limit)
{
	const struct line *lines[OPTIONS_CERTIFICATES_MAX + 1];
	int i;

	for (i = 0; i <= OPTIONS_CERTIFICATES_MAX; i++)
		lines[i] = &cert_line;
	ck_assert(!parse_lines(lines, OPTIONS_CERTIFICATES_MAX + 1, false));
	ck_assert_msg(strstr(error, "at most 16 can be given") != NULL, "%s", error);
}
END_TEST

/* ---- Several listeners ------------------------------------------------------------ */

static const struct line first_line = {"listener", "first"};
static const struct line second_line = {"listener", "second"};
static const struct line other_handoff = {"handoff", "/run/other.sock"};
static const struct line other_listen = {"listen", "127.0.0.1:14568"};

START_TEST(each_listener_has_its_own_and_what_all_have)
{
	static const struct line require = {"require_certificate", "true"}, ca = {"cafile", "@"};
	static const struct line limit = {"max_connections", "7"}, less = {"max_connections", "3"};
	static const struct line workers = {"workers", "2"};
	const struct line *lines[] = {&cert_line,  &key_line,    &limit,        &workers,
				      &first_line, &listen_line, &handoff_line, &ca,
				      &require,    &second_line, &other_listen, &other_handoff,
				      &less,       &cert_line,   &key_line};
	const struct listener_options *first = &options.listeners[0];
	const struct listener_options *second = &options.listeners[1];

	ck_assert_msg(parse_lines(lines, 15, false), "%s", error);
	ck_assert_uint_eq(options.listener_count, 2);
	ck_assert_str_eq(first->name, "first");
	ck_assert_str_eq(second->name, "second");
	ck_assert_uint_eq(first->max_connections, 7);
	ck_assert_uint_eq(second->max_connections, 3);
	ck_assert(first->require_certificate && !second->require_certificate);
	ck_assert_ptr_null(second->cafile);
	ck_assert_str_eq(second->handoff, "/run/other.sock");
	ck_assert_uint_eq(second->listen_count, 1);
	/* Its own pair is not one more. */
	ck_assert_uint_eq(second->certfiles.count, 1);
	ck_assert_uint_eq(first->certfiles.count, 1);
	ck_assert_uint_eq(options.workers, 2);
	ck_assert_str_eq(options.control, "/run/quic.sock.control");
}
END_TEST

/* The lines of two listeners, and one more at a place. */
static bool two_with(struct line more, int place)
{
	const struct line *lines[] = {&cert_line,    &key_line,    &first_line,   &listen_line,
				      &handoff_line, &second_line, &other_listen, &other_handoff};
	const struct line *all[9];
	int i;

	for (i = 0; i < 9; i++)
		all[i] = i < place ? lines[i] : i == place ? &more : lines[i - 1];
	return parse_lines(all, 9, false);
}

static void two_refuse(struct line more, int place, const char *part, const char *other_part)
{
	ck_assert_msg(!two_with(more, place), "%s %s at %d", more.key, more.value, place);
	ck_assert_msg(strstr(error, part) != NULL, "%s", error);
	ck_assert_msg(strstr(error, other_part) != NULL, "%s", error);
}

START_TEST(what_stands_at_the_wrong_place_is_refused)
{
	ck_assert_msg(two_with(LINE("retry", "always"), 0), "%s", error);
	ck_assert_int_eq(options.listeners[1].retry, MQUIC_RETRY_ALWAYS);
	ck_assert_msg(two_with(LINE("retry", "always"), 8), "%s", error);
	ck_assert_int_eq(options.listeners[0].retry, MQUIC_RETRY_ADAPTIVE);
	two_refuse(LINE("workers", "2"), 8, "listener second: plugin_opt_workers",
		   "before the first plugin_opt_listener");
	two_refuse(LINE("memory_limit", "99999999"), 4, "listener first: plugin_opt_memory_limit",
		   "for all listeners");
	two_refuse(LINE("listen", "127.0.0.1:1"), 0, "plugin_opt_listen stands before",
		   "behind the plugin_opt_listener line");
	two_refuse(LINE("handoff", "/x"), 1, "plugin_opt_handoff stands before", "no two");
	two_refuse(LINE("retry", "maybe"), 8, "listener second: plugin_opt_retry", "adaptive");
	two_refuse(LINE("retri", "always"), 8, "listener second: ", "plugin_opt_retry?");
	two_refuse(LINE("require_certificate", "true"), 5, "listener first: ", "cafile");
}
END_TEST

START_TEST(listeners_are_told_apart)
{
	two_refuse(LINE("listener", "first"), 8, "plugin_opt_listener first is given twice", "");
	two_refuse(LINE("listener", ""), 8, "must be a name", "");
	two_refuse(LINE("listener", "a b"), 8, "must be a name", "\"a b\"");
	two_refuse(LINE("listener", "a\nb"), 8, "must be a name", "");
	two_refuse(LINE("listener", "123456789012345678901234567890123"), 8, "must be a name",
		   "32 letters");
	/* Without lines of its own it has what others have. */
	two_refuse(LINE("listen", "127.0.0.1:14567"), 8,
		   "the listeners first and second have the "
		   "same address, 127.0.0.1:14567",
		   "plugin_opt_listen");
	/* One without lines of its own has what need not be said. */
	ck_assert_msg(two_with(LINE("listener", "third"), 8), "%s", error);
	ck_assert_str_eq(options.listeners[2].handoff, "/run/mosquitto/quic.sock");
	two_refuse(LINE("handoff", "/run/quic.sock"), 7, "given twice", "plugin_opt_handoff");
}
END_TEST

START_TEST(lines_have_a_limit)
{
	static struct option_line lines[OPTIONS_LINES_MAX + 1];
	int i;

	for (i = 0; i <= OPTIONS_LINES_MAX; i++)
		lines[i] = (struct option_line){"retry", "always"};
	options_clear(&options);
	ck_assert(!options_parse(&options, lines, OPTIONS_LINES_MAX + 1, false, error));
	ck_assert_msg(strstr(error, "129 plugin_opt_ lines") != NULL, "%s", error);
}
END_TEST

START_TEST(listen_takes_lists_and_repetition)
{
	ck_assert_msg(PARSE("listen", "[::1]:1234 , 0.0.0.0:5"), "%s", error);
	ck_assert_uint_eq(options.listeners[0].listen_count, 3);
	ck_assert_str_eq(options.listeners[0].listen[1].host, "::1");
	ck_assert_uint_eq(options.listeners[0].listen[1].port, 1234);
	ck_assert_str_eq(options.listeners[0].listen[2].host, "0.0.0.0");
}
END_TEST

START_TEST(listen_wants_numeric_addresses_with_ports)
{
	REFUSED("listen", "localhost:14567", "localhost:14567");
	REFUSED("listen", "14567", "14567");
	REFUSED("listen", "127.0.0.1", "127.0.0.1");
	REFUSED("listen", "127.0.0.1:1 127.0.0.1:2", "127.0.0.1:1 127.0.0.1:2");
	REFUSED("listen", "127.0.0.1:", "127.0.0.1:");
	REFUSED("listen", "127.0.0.1:65536", "65536");
	REFUSED("listen", "127.0.0.1:+5", "+5");
	REFUSED("listen", "::1:14567", "::1:14567");
	REFUSED("listen", "[127.0.0.1]:1", "[127.0.0.1]:1");
	REFUSED("listen", "[::1:14567", "[::1:14567");
	REFUSED("listen", "[::1]", "[::1]");
	REFUSED("listen", "[::1]:1,,[::1]:2", "\"\"");
	REFUSED("listen", "127.0.0.1:14567", "twice");
	REFUSED("listen",
		"1.1.1.1:1,1.1.1.1:2,1.1.1.1:3,1.1.1.1:4,1.1.1.1:5,1.1.1.1:6,1.1.1.1:7,"
		"1.1.1.1:8,1.1.1.1:9,1.1.1.1:10,1.1.1.1:11,1.1.1.1:12,1.1.1.1:13,"
		"1.1.1.1:14,1.1.1.1:15,1.1.1.1:16",
		"at most 16");
}
END_TEST

static bool parse_handoff(const char *path)
{
	const struct line handoff = {"handoff", path};
	const struct line *lines[] = {&listen_line, &handoff, &cert_line, &key_line};

	return parse_lines(lines, 4, false);
}

static void metrics_are_at(const char *value, const char *where)
{
	char text[HOSTPORT_TEXT_SIZE];

	ck_assert_msg(PARSE("metrics", value), "%s", error);
	ck_assert_ptr_null(options.metrics);
	hostport_text(&options.metrics_listen, text);
	ck_assert_str_eq(text, where);
}

START_TEST(metrics_are_shown_to_this_machine_alone)
{
	static const char *const foreign[] = {
		"0.0.0.0:9153",       "http://192.0.2.1:9153",   "[::]:9153",
		"[2001:db8::1]:9153", "[::ffff:127.0.0.1]:9153",
	};
	static const char *const no_address[] = {
		"",
		"mquic.prom",
		"127.0.0.1",
		"https://127.0.0.1:9153",
		":9153",
		"[::1]",
		"127.0.0.1:x",
		"broker.example.org:9153",
		"[127.0.0.1]:9153",
		"::1:9153",
		"127.0.0.1:70000",
		"127.0.0.1:9153/x",
	};
	size_t i;

	ck_assert(PARSE("metrics", "/var/lib/mquic.prom"));
	ck_assert_str_eq(options.metrics, "/var/lib/mquic.prom");
	ck_assert_uint_eq(options.metrics_listen.port, 0);
	metrics_are_at("127.0.0.1:9153", "127.0.0.1:9153");
	metrics_are_at("http://127.1.2.3:1/", "127.1.2.3:1");
	metrics_are_at("http://[::1]:65535/metrics", "[::1]:65535");
	metrics_are_at("localhost:9153", "127.0.0.1:9153");
	for (i = 0; i < COUNT(foreign); i++)
		REFUSED("metrics", foreign[i], "can be reached by others");
	for (i = 0; i < COUNT(no_address); i++)
		REFUSED("metrics", no_address[i], "such as http://127.0.0.1:9153");
	REFUSED("metrics", "127.0.0.1:0", "from 1 to 65535");
}
END_TEST

START_TEST(metrics_may_be_a_file_and_a_page)
{
	ck_assert(parse_with(LINE("metrics", "/a"), LINE("metrics", "127.0.0.1:1"), NONE));
	ck_assert_str_eq(options.metrics, "/a");
	ck_assert_uint_eq(options.metrics_listen.port, 1);
	ck_assert(!parse_with(LINE("metrics", "/a"), LINE("metrics", "/b"), NONE));
	ck_assert_ptr_nonnull(strstr(error, "two files"));
	ck_assert(!parse_with(LINE("metrics", "[::1]:1"), LINE("metrics", "[::1]:1"), NONE));
	ck_assert_ptr_nonnull(strstr(error, "two addresses"));
}
END_TEST

START_TEST(handoff_is_an_absolute_path_that_bind_can_take)
{
	char path[120] = "/";

	ck_assert(!parse_handoff("quic.sock"));
	ck_assert_ptr_nonnull(strstr(error, "plugin_opt_handoff"));
	ck_assert(!parse_handoff("/run/two words"));
	ck_assert_ptr_nonnull(strstr(error, "blanks"));
	memset(path + 1, 'x', 107);
	ck_assert(!parse_handoff(path));
	ck_assert_ptr_nonnull(strstr(error, "108 bytes"));
	path[107] = '\0';
	ck_assert(parse_handoff(path));
	ck_assert(parse_handoff("/run/blank-behind \t"));
	ck_assert_str_eq(options.listeners[0].handoff, "/run/blank-behind");
}
END_TEST

START_TEST(files_must_be_readable)
{
	REFUSED("cafile", "/nowhere/ca.crt", "/nowhere/ca.crt: No such file");
	REFUSED("capath", "/nowhere", "No such file");
	REFUSED("crlfile", "/nowhere/crl.pem", "No such file");
}
END_TEST

START_TEST(flags_are_written_as_mosquitto_writes_them)
{
	ck_assert(parse_with(LINE("require_certificate", "1"), LINE("cafile", "@"), NONE));
	ck_assert(options.listeners[0].require_certificate);
	ck_assert(PARSE("require_certificate", "false"));
	ck_assert(PARSE("require_certificate", "0"));
	ck_assert(!options.listeners[0].require_certificate);
	REFUSED("require_certificate", "yes", "true or false");
	REFUSED("require_certificate", "True", "true or false");
	REFUSED("use_identity_as_username", "2", "true or false");
}
END_TEST

START_TEST(numbers_are_numbers_and_in_range)
{
	ck_assert(PARSE("max_connections", "1000000"));
	ck_assert_uint_eq(options.listeners[0].max_connections, 1000000);
	REFUSED("max_connections", "0", "from 1 to 1000000");
	REFUSED("max_connections", "1000001", "from 1 to 1000000");
	REFUSED("max_connections", "99999999999999999999", "from 1");
	REFUSED("max_connections", "4294967297", "from 1");
	REFUSED("max_connections", "-1", "from 1");
	REFUSED("max_connections", "ten", "from 1");
	REFUSED("max_connections", "10 ten", "from 1");
	REFUSED("max_connections", "0x10", "from 1");
	ck_assert(PARSE("max_connections_per_address", "0"));
	REFUSED("max_handshakes", "0", "from 1");
	REFUSED("connect_timeout", "0", "from 1 to 600");
	REFUSED("connect_timeout", "601", "from 1 to 600");
	ck_assert(PARSE("sys_interval", "0"));
	REFUSED("sys_interval", "65536", "from 0 to 65535");
	ck_assert(PARSE("idle_timeout", "0"));
	REFUSED("idle_timeout", "9", "from 10 to 86400");
	REFUSED("idle_timeout", "86401", "from 10 to 86400");
	ck_assert(PARSE("memory_limit", "10000000000"));
	ck_assert_uint_eq(options.memory_limit, UINT64_C(10000000000));
	REFUSED("memory_limit", "16777215", "from 16777216 (16 MiB)");
	REFUSED("memory_limit", "1125899906842625", "to 1125899906842624");
	REFUSED("memory_limit", "18446744073709551617", "number of bytes");
	REFUSED("memory_limit", "64M", "number of bytes");
}
END_TEST

START_TEST(workers_are_as_many_as_processors_or_as_said)
{
	ck_assert(parse_with(NONE, NONE, NONE));
	ck_assert_uint_eq(options.workers, 1);
	ck_assert(PARSE("workers", "64"));
	ck_assert_uint_eq(options.workers, 64);
	ck_assert(PARSE("workers", "auto"));
	ck_assert_uint_ge(options.workers, 1);
	ck_assert_uint_le(options.workers, 64);
	REFUSED("workers", "0", "auto");
	REFUSED("workers", "65", "from 1 to 64");
	REFUSED("workers", "Auto", "must be auto");
}
END_TEST

START_TEST(retry_is_one_of_three)
{
	ck_assert(PARSE("retry", "always"));
	ck_assert_int_eq(options.listeners[0].retry, MQUIC_RETRY_ALWAYS);
	ck_assert(PARSE("retry", "never"));
	ck_assert_int_eq(options.listeners[0].retry, MQUIC_RETRY_NEVER);
	ck_assert(PARSE("retry", "adaptive"));
	REFUSED("retry", "sometimes", "adaptive, always or never");
}
END_TEST

START_TEST(congestion_control_is_one_of_three)
{
	ck_assert(PARSE("congestion_control", "bbr"));
	ck_assert_int_eq(options.listeners[0].congestion_control, MQUIC_CONGESTION_BBR);
	ck_assert(PARSE("congestion_control", "reno"));
	ck_assert_int_eq(options.listeners[0].congestion_control, MQUIC_CONGESTION_RENO);
	ck_assert(PARSE("congestion_control", "cubic"));
	ck_assert_int_eq(options.listeners[0].congestion_control, MQUIC_CONGESTION_CUBIC);
	REFUSED("congestion_control", "BBR", "cubic, reno or bbr");
}
END_TEST

START_TEST(log_level_is_one_of_mosquittos_words)
{
	ck_assert(PARSE("retry", "never"));
	ck_assert_int_eq(options.log_level, MQUIC_LOG_INFO);
	ck_assert(PARSE("log_level", "error"));
	ck_assert_int_eq(options.log_level, MQUIC_LOG_ERROR);
	ck_assert(PARSE("log_level", "warning"));
	ck_assert_int_eq(options.log_level, MQUIC_LOG_WARNING);
	ck_assert(PARSE("log_level", "notice"));
	ck_assert_int_eq(options.log_level, MQUIC_LOG_INFO);
	ck_assert(PARSE("log_level", "information"));
	ck_assert_int_eq(options.log_level, MQUIC_LOG_INFO);
	ck_assert(PARSE("log_level", "debug"));
	ck_assert_int_eq(options.log_level, MQUIC_LOG_DEBUG);
	REFUSED("log_level", "info", "error, warning, notice, information or debug");
}
END_TEST

START_TEST(contradictions_are_refused)
{
	REFUSED("require_certificate", "true", "plugin_opt_cafile");
	REFUSED("crlfile", "@", "plugin_opt_cafile");
	REFUSED("use_identity_as_username", "true", "require_certificate");
	ck_assert(!parse_with(LINE("use_identity_as_username", "true"), LINE("cafile", "@"), NONE));
	ck_assert(parse_with(LINE("use_identity_as_username", "true"),
			     LINE("require_certificate", "true"), LINE("cafile", "@")));
	ck_assert(options.listeners[0].use_identity_as_username);
	REFUSED("use_subject_as_username", "true", "use_subject_as_username is true");
	ck_assert(parse_with(LINE("use_subject_as_username", "true"),
			     LINE("require_certificate", "true"), LINE("cafile", "@")));
	ck_assert(options.listeners[0].use_subject_as_username);
}
END_TEST

/* What the limit per address is for libmquic. */
static uint32_t per_address(uint32_t max_connections)
{
	struct mquic_settings *settings;
	uint32_t limit;

	options.listeners[0].max_connections = max_connections;
	ck_assert_int_eq(mquic_settings_new(&settings), MQUIC_OK);
	ck_assert_msg(options_apply(&options, &options.listeners[0], settings, error), "%s", error);
	limit = settings->max_connections_per_address;
	mquic_settings_free(settings);
	return limit;
}

START_TEST(one_address_has_half_of_many_places)
{
	ck_assert(parse_with(NONE, NONE, NONE));
	ck_assert_uint_eq(per_address(100), 1000);
	ck_assert_uint_eq(per_address(2002), 1001);
	ck_assert_uint_eq(per_address(10000), 5000);
	ck_assert_uint_eq(per_address(1000000), 500000);
	ck_assert(PARSE("max_connections_per_address", "7"));
	ck_assert_uint_eq(per_address(10000), 7);
	ck_assert(PARSE("max_connections_per_address", "0"));
	ck_assert_uint_eq(per_address(10000), 0);
}
END_TEST

START_TEST(proxy_protocol_is_for_2_1_and_version_2)
{
	const struct line proxy = {"proxy_protocol", "2"};
	const struct line *lines[] = {&listen_line, &handoff_line, &cert_line, &key_line, &proxy};

	REFUSED("proxy_protocol", "2", "2.1");
	REFUSED("proxy_protocol", "1", "must be 2");
	REFUSED("proxy_protocol", "true", "must be 2");
	ck_assert(parse_lines(lines, 5, true));
	ck_assert(options.listeners[0].proxy_protocol);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&these_four_are_enough,
		&the_certificate_is_missed_by_name,
		&the_worker_has_a_default_and_is_looked_for,
		&socket_and_addresses_have_defaults,
		&the_key_is_looked_for_next_to_the_certificate,
		&the_key_is_found_under_the_names_of_certbot,
		&unknown_options_are_refused,
		&what_a_tls_listener_has_besides_leads_to_its_place,
		&a_line_given_twice_is_refused,
		&each_listener_has_its_own_and_what_all_have,
		&what_stands_at_the_wrong_place_is_refused,
		&listeners_are_told_apart,
		&lines_have_a_limit,
		&each_certificate_has_its_key,
		&certificates_have_a_limit,
		&listen_takes_lists_and_repetition,
		&listen_wants_numeric_addresses_with_ports,
		&metrics_are_shown_to_this_machine_alone,
		&metrics_may_be_a_file_and_a_page,
		&handoff_is_an_absolute_path_that_bind_can_take,
		&files_must_be_readable,
		&flags_are_written_as_mosquitto_writes_them,
		&numbers_are_numbers_and_in_range,
		&workers_are_as_many_as_processors_or_as_said,
		&retry_is_one_of_three,
		&congestion_control_is_one_of_three,
		&log_level_is_one_of_mosquittos_words,
		&contradictions_are_refused,
		&proxy_protocol_is_for_2_1_and_version_2,
		&one_address_has_half_of_many_places,
	};

	return unit_run("gateway-options", setup, teardown, tests, COUNT(tests));
}
