/* SPDX-License-Identifier: MIT */
#include "client-options.h"

#include "password.h"
#include "property.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>

#define AT(member)        offsetof(struct client_options, member)
#define NEVER             UINT32_MAX /* MQTT 5.0 3.1.2.11.2: a session that does not expire */
#define DEFAULT_HOST      "localhost"
#define PASSWORD_VARIABLE "MQUIC_PASSWORD"

enum {
	SECRET_OF_COMMAND_LINE,
	SECRET_OF_FILE,
	SECRET_READ
};

static bool keep_secret(struct client_options *options, int which, char *secret)
{
	free(options->secrets[which]);
	options->secrets[which] = secret;
	options->login.password = secret;
	return secret != NULL;
}

/* The command line is seen by all who run ps, so the password does not stay there. */
static bool set_password(void *target, const char *name, struct words *words)
{
	struct client_options *options = target;
	char *text = words_next(words, name, "password");
	int which = options->reading_file ? SECRET_OF_FILE : SECRET_OF_COMMAND_LINE;

	if (!text)
		return false;
	if (!keep_secret(options, which, strdup(text)))
		return say_usage("Out of memory.");
	password_blank(text);
	return true;
}

static bool set_option_file(void *target, const char *name, struct words *words)
{
	if (((struct client_options *)target)->reading_file)
		return say_usage("%s cannot be in a file of options.", name);
	return words_next(words, name, "file") != NULL; /* it was read before */
}

static bool set_url(void *target, const char *name, struct words *words)
{
	struct client_options *options = target;
	char *text = words_next(words, name, "URL");

	if (!text)
		return false;
	url_free(&options->login.url);
	if (!url_parse(&options->login.url, name, text))
		return false;
	url_blank_password(text);
	return true;
}

static bool set_protocol(void *target, const char *name, struct words *words)
{
	struct client_options *options = target;
	const char *text = words_next(words, name, "version");

	if (!text)
		return false;
	options->has_protocol = true;
	if (strcmp(text, "mqttv5") == 0 || strcmp(text, "5") == 0)
		options->protocol = MQUIC_PROTOCOL_MQTT_5;
	else if (strcmp(text, "mqttv311") == 0 || strcmp(text, "311") == 0)
		options->protocol = MQUIC_PROTOCOL_MQTT_3_1_1;
	else if (strcmp(text, "mqttv31") == 0 || strcmp(text, "31") == 0)
		options->protocol = MQUIC_PROTOCOL_MQTT_3_1;
	else
		return say_usage("%s takes mqttv5, mqttv311 or mqttv31 (or 5, 311, 31), not '%s'.",
				 name, text);
	return true;
}

static bool set_expiry(void *target, const char *name, struct words *words)
{
	struct client_options *options = target;
	const char *text = words_next(words, name, "number of seconds");

	if (!text)
		return false;
	options->has_expiry = true;
	if (strcmp(text, "-1") == 0 || strcmp(text, "∞") == 0)
		options->expiry_s = NEVER;
	else if (!options_number(text, 0, UINT32_MAX, &options->expiry_s))
		return say_usage("%s takes seconds from 0 to 4294967295, or -1 for a session that "
				 "does not expire, not '%s'.",
				 name, text);
	return true;
}

static bool set_will_qos(void *target, const char *name, struct words *words)
{
	struct client_options *options = target;
	const char *text = words_next(words, name, "QoS");

	if (!text)
		return false;
	options->has_will_qos = true;
	if (!options_number(text, 0, 2, &options->will_qos))
		return say_usage("%s takes a QoS of 0, 1 or 2, not '%s'.", name, text);
	return true;
}

static bool set_debug(void *target, const char *name, struct words *words)
{
	(void)name;
	(void)words;
	((struct client_options *)target)->debug++;
	say_set_debug(true);
	return true;
}

const struct option_spec client_option_specs[] = {
	{"-h", "--host", OPTION_TEXT, AT(login.host), 0, 0, NULL},
	{"-p", "--port", OPTION_NUMBER, AT(login.port), 1, 65535, NULL},
	{"-L", "--url", OPTION_CALL, 0, 0, 0, set_url},
	{"-i", "--id", OPTION_TEXT, AT(login.id), 0, 0, NULL},
	{"-I", "--id-prefix", OPTION_TEXT, AT(login.id_prefix), 0, 0, NULL},
	{"-u", "--username", OPTION_TEXT, AT(login.username), 0, 0, NULL},
	{"-P", "--pw", OPTION_CALL, 0, 0, 0, set_password},
	{NULL, "--pw-file", OPTION_TEXT, AT(login.password_file), 0, 0, NULL},
	{NULL, "--pw-prompt", OPTION_FLAG, AT(login.password_prompt), 0, 0, NULL},
	{"-o", NULL, OPTION_CALL, 0, 0, 0, set_option_file},
	{"-V", "--protocol-version", OPTION_CALL, 0, 0, 0, set_protocol},
	{"-k", "--keepalive", OPTION_NUMBER, AT(keep_alive_s), 5, 65535, NULL},
	{"-M", "--max-inflight", OPTION_NUMBER, AT(max_inflight), 1, 65535, NULL},
	{"-q", "--qos", OPTION_NUMBER, AT(qos), 0, 2, NULL},
	{"-c", "--disable-clean-session", OPTION_FLAG, AT(persistent), 0, 0, NULL},
	{"-x", "--session-expiry-interval", OPTION_CALL, 0, 0, 0, set_expiry},
	{"-D", "--property", OPTION_PROPERTY, 0, 0, 0, property_option},
	{"-d", "--debug", OPTION_ACTION, 0, 0, 0, set_debug},
	{NULL, "--max-packet-size", OPTION_NUMBER, AT(maximum_packet_size), 1024, 268435460, NULL},
	{NULL, "--max-properties", OPTION_NUMBER, AT(maximum_properties), 1, 1000000, NULL},
	{NULL, "--quiet", OPTION_ACTION, 0, 0, 0, options_quiet},
	{NULL, "--will-topic", OPTION_TEXT, AT(will_topic), 0, 0, NULL},
	{NULL, "--will-payload", OPTION_TEXT, AT(will_payload), 0, 0, NULL},
	{NULL, "--will-qos", OPTION_CALL, 0, 0, 0, set_will_qos},
	{NULL, "--will-retain", OPTION_FLAG, AT(will_retain), 0, 0, NULL},
	{NULL, NULL, 0, 0, 0, 0, NULL},
};

const char client_options_help[] =
	" -h, --host : host to connect to. Defaults to localhost.\n"
	" -p, --port : UDP port to connect to. Defaults to 14567.\n"
	" -L, --url : user, password, host, port and topic as a URL:\n"
	"      mqtt-quic://[user[:password]@]host[:port]/topic\n"
	" -i, --id : client identifier. Left out, the broker chooses one.\n"
	" -I, --id-prefix : client identifier made of this prefix and the process number.\n"
	" -u, --username : user name.\n"
	" -P, --pw : password. Better one of the next, as others of this machine may see this "
	"one.\n"
	" --pw-file : file whose first line is the password.\n"
	" --pw-prompt : ask for the password on the terminal.\n"
	"      The environment variable MQUIC_PASSWORD may hold it, too.\n"
	" -o : file of options, one a line, in place of ~/.config/mquic-pub or mquic-sub.\n"
	" -V, --protocol-version : protocol version, mqttv5, mqttv311 or mqttv31. Defaults to "
	"mqttv5.\n"
	" -k, --keepalive : keep-alive in seconds, 5 to 65535. Defaults to 60.\n"
	" -M, --max-inflight : messages of QoS 1 and 2 that may be on their way at once, 1 to "
	"65535.\n"
	"      Defaults to as many as the broker takes.\n"
	" -c, --disable-clean-session : ask the broker to keep the session when the client is "
	"away;\n"
	"      needs -i or -I.\n"
	" -x, --session-expiry-interval : seconds the broker keeps the session, -1 for ever. MQTT "
	"5 only.\n"
	"      Defaults to -1 with -c and to 0 without.\n"
	" -d, --debug : print what is going on; given twice, libmquic's own lines as well.\n"
	" -D, --property : add an MQTT 5 property: -D command name value, or for user properties\n"
	"      -D command user-property key value. See below.\n"
	" --max-packet-size : largest packet to take, in bytes. Defaults to 16777216.\n"
	" --max-properties : user properties to take in one message. Defaults to 1000.\n"
	" --quiet : print no errors.\n"
	" --will-topic : topic on which the broker publishes when this client vanishes.\n"
	" --will-payload : what it publishes there. Defaults to nothing.\n"
	" --will-qos : QoS of that message.\n"
	" --will-retain : retain that message.\n";

bool client_options_init(struct client_options *options)
{
	memset(options, 0, sizeof(*options));
	options->keep_alive_s = 60;
	options->protocol = MQUIC_PROTOCOL_MQTT_5;
	options->problem_information = 1;
	return mquic_message_new(&options->will) == MQUIC_OK &&
	       mquic_message_new(&options->connect) == MQUIC_OK &&
	       mquic_message_new(&options->disconnect) == MQUIC_OK;
}

void client_options_free(struct client_options *options)
{
	mquic_message_free(options->will);
	mquic_message_free(options->connect);
	mquic_message_free(options->disconnect);
	url_free(&options->login.url);
	url_free(&options->defaults.url);
	option_file_free(&options->file);
	for (size_t i = 0; i < sizeof(options->secrets) / sizeof(*options->secrets); i++) {
		if (options->secrets[i])
			explicit_bzero(options->secrets[i], strlen(options->secrets[i]));
		free(options->secrets[i]);
	}
}

/* ---- login --------------------------------------------------------------- */

static int password_sources(const struct login *login)
{
	return (login->password != NULL) + (login->password_file != NULL) + login->password_prompt;
}

/* What a URL says may not be said again by an option of the same place. */
static bool merge_url(struct login *login)
{
	const struct url *url = &login->url;

	if (url->host && login->host)
		return say_usage("-h and -L both name the host. Use one of them.");
	if (url->port && login->port)
		return say_usage("-p and -L both name the port. Use one of them.");
	if (url->username && login->username)
		return say_usage("-u and -L both name the user. Use one of them.");
	if (url->password && login->password)
		return say_usage("-P and -L both hold a password. Use one of them.");
	if (url->host)
		login->host = url->host;
	if (url->port)
		login->port = url->port;
	if (url->username)
		login->username = url->username;
	if (url->password)
		login->password = url->password;
	return password_sources(login) <= 1 ||
	       say_usage("-P, --pw-file, --pw-prompt and the password of -L exclude each other. "
			 "Use one of them.");
}

/* A password of the file is that of its user. */
static bool is_same_user(const struct login *login, const struct login *defaults)
{
	return !login->username || !defaults->username ||
	       strcmp(login->username, defaults->username) == 0;
}

/* Fills in from the file what the command line leaves open, and then what is always there. */
static void take_defaults(struct login *login, const struct login *defaults)
{
	if (password_sources(login) == 0 && is_same_user(login, defaults)) {
		login->password = defaults->password;
		login->password_file = defaults->password_file;
		login->password_prompt = defaults->password_prompt;
	}
	if (!login->username)
		login->username = defaults->username;
	if (!login->id && !login->id_prefix) {
		login->id = defaults->id;
		login->id_prefix = defaults->id_prefix;
	}
	if (!login->host)
		login->host = defaults->host ? defaults->host : DEFAULT_HOST;
	if (!login->port)
		login->port = defaults->port ? defaults->port : MQUIC_PORT;
	if (password_sources(login) == 0 && login->username)
		login->password = getenv(PASSWORD_VARIABLE);
}

static bool read_password(struct client_options *options)
{
	struct login *login = &options->login;

	if (login->password_file)
		return keep_secret(options, SECRET_READ, password_from_file(login->password_file));
	if (login->password_prompt)
		return keep_secret(options, SECRET_READ, password_from_terminal(login->username));
	return true;
}

bool client_options_read_file(struct client_options *options, const struct option_table *tables,
			      const char *program, int argc, char **argv)
{
	const char *path = options_find(tables, "-o", argc, argv);
	bool good;

	/* Help must be there also for those whose file is wrong. */
	if (options_find(tables, "--help", argc, argv) ||
	    options_find(tables, "--version", argc, argv))
		return true;
	options->reading_file = true;
	good = option_file_read(&options->file, tables, program, path) &&
	       merge_url(&options->login);
	options->reading_file = false;
	options->defaults = options->login;
	memset(&options->login, 0, sizeof(options->login));
	return good;
}

/* ---- what goes together -------------------------------------------------- */

static bool check_will(struct client_options *options)
{
	const char *payload = options->will_payload ? options->will_payload : "";

	if (!options->will_topic) {
		if (options->will_payload)
			return say_usage("--will-payload given, but no --will-topic.");
		if (options->has_will_qos)
			return say_usage("--will-qos given, but no --will-topic.");
		if (options->will_retain)
			return say_usage("--will-retain given, but no --will-topic.");
		return true;
	}
	if (mquic_message_set_topic(options->will, options->will_topic, MQUIC_NUL_TERMINATED))
		return say_usage("Invalid --will-topic '%s': it must be UTF-8 and hold no '+' or "
				 "'#'.",
				 options->will_topic);
	if (mquic_message_set_payload(options->will, (const uint8_t *)payload, strlen(payload)) ||
	    mquic_message_set_qos(options->will, (int)options->will_qos) ||
	    mquic_message_set_retain(options->will, options->will_retain))
		return say_usage("The will cannot be built.");
	return true;
}

/* MQTT before 5 has no properties and is stricter about passwords ([MQTT-3.1.2-22]). */
static bool check_protocol(struct client_options *options)
{
	struct login *login = &options->login;

	if (options->protocol == MQUIC_PROTOCOL_MQTT_5)
		return true;
	if (options->property_option)
		return say_usage("%s needs MQTT 5, but -V asks for an older one.",
				 options->property_option);
	if (options->has_expiry)
		return say_usage("-x needs MQTT 5, but -V asks for an older one. Use -c instead.");
	if (password_sources(login) > 0 && !login->username)
		return say_usage("-P without -u needs MQTT 5, but -V asks for an older one.");
	/* Brokers name nobody in 3.1. */
	if (options->protocol == MQUIC_PROTOCOL_MQTT_3_1 && !login->id && !login->id_prefix)
		login->id_prefix = "mquic-";
	return true;
}

static void choose_expiry(struct client_options *options)
{
	if (options->persistent && !options->has_expiry)
		options->expiry_s = NEVER;
	/* DISCONNECT can only change what CONNECT has begun (MQTT 5.0 3.14.2.2.2). */
	if (options->expiry_s == 0)
		options->expiry_s = options->disconnect_expiry_s;
}

bool client_options_check(struct client_options *options)
{
	struct login *login = &options->login;

	if (login->id && login->id_prefix)
		return say_usage("-i and -I argument cannot be used together.");
	if (!merge_url(login))
		return false;
	take_defaults(login, &options->defaults);
	if (options->persistent && !login->id && !login->id_prefix)
		return say_usage("You must provide a client id (-i) if you are using the -c "
				 "option.");
	choose_expiry(options);
	return tls_options_check(&options->tls) && check_protocol(options) && check_will(options) &&
	       read_password(options);
}
