/* SPDX-License-Identifier: MIT */
#include "client-options.h"

#include "property.h"
#include "say.h"

#include <string.h>

#define AT(member)   offsetof(struct client_options, member)
#define NEVER	     UINT32_MAX /* MQTT 5.0 3.1.2.11.2: a session that does not expire */
#define DEFAULT_HOST "localhost"

static bool set_url(void *target, const char *name, struct words *words)
{
	struct client_options *options = target;
	const char *text = words_next(words, name, "URL");

	if (!text)
		return false;
	url_free(&options->url);
	return url_parse(&options->url, name, text);
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
	else
		return say_usage("%s takes mqttv5 (or 5) or mqttv311 (or 311), not '%s'.", name,
				 text);
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
	{"-h", "--host", OPTION_TEXT, AT(host), 0, 0, NULL},
	{"-p", "--port", OPTION_NUMBER, AT(port), 1, 65535, NULL},
	{"-L", "--url", OPTION_CALL, 0, 0, 0, set_url},
	{"-i", "--id", OPTION_TEXT, AT(id), 0, 0, NULL},
	{"-I", "--id-prefix", OPTION_TEXT, AT(id_prefix), 0, 0, NULL},
	{"-u", "--username", OPTION_TEXT, AT(username), 0, 0, NULL},
	{"-P", "--pw", OPTION_TEXT, AT(password), 0, 0, NULL},
	{"-V", "--protocol-version", OPTION_CALL, 0, 0, 0, set_protocol},
	{"-k", "--keepalive", OPTION_NUMBER, AT(keep_alive_s), 5, 65535, NULL},
	{"-q", "--qos", OPTION_NUMBER, AT(qos), 0, 2, NULL},
	{"-c", "--disable-clean-session", OPTION_FLAG, AT(persistent), 0, 0, NULL},
	{"-x", "--session-expiry-interval", OPTION_CALL, 0, 0, 0, set_expiry},
	{"-D", "--property", OPTION_CALL, 0, 0, 0, property_option},
	{"-d", "--debug", OPTION_CALL, 0, 0, 0, set_debug},
	{NULL, "--max-packet-size", OPTION_NUMBER, AT(maximum_packet_size), 1024, 268435460, NULL},
	{NULL, "--quiet", OPTION_CALL, 0, 0, 0, options_quiet},
	{NULL, "--will-topic", OPTION_TEXT, AT(will_topic), 0, 0, NULL},
	{NULL, "--will-payload", OPTION_TEXT, AT(will_payload), 0, 0, NULL},
	{NULL, "--will-qos", OPTION_CALL, 0, 0, 0, set_will_qos},
	{NULL, "--will-retain", OPTION_FLAG, AT(will_retain), 0, 0, NULL},
	{NULL, NULL, 0, 0, 0, 0, NULL},
};

const char client_options_help[] =
	" -h : host to connect to. Defaults to localhost.\n"
	" -p : UDP port to connect to. Defaults to 14567.\n"
	" -L : user, password, host, port and topic as a URL:\n"
	"      mqtt-quic://[user[:password]@]host[:port]/topic\n"
	" -i : client identifier. Left out, the broker chooses one.\n"
	" -I : client identifier made of this prefix and the process number.\n"
	" -u : user name.\n"
	" -P : password.\n"
	" -V : protocol version, mqttv5 or mqttv311. Defaults to mqttv5.\n"
	" -k : keep-alive in seconds, 5 to 65535. Defaults to 60.\n"
	" -c : ask the broker to keep the session when the client is away; needs -i or -I.\n"
	" -x : seconds the broker keeps the session, -1 for ever. MQTT 5 only.\n"
	"      Defaults to -1 with -c and to 0 without.\n"
	" -d : print what is going on; given twice, libmquic's own lines as well.\n"
	" -D : add an MQTT 5 property: -D command name value, or for user properties\n"
	"      -D command user-property key value. See below.\n"
	" --max-packet-size : largest packet to take, in bytes. Defaults to 8388608.\n"
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
	return mquic_message_new(&options->will) == MQUIC_OK &&
	       mquic_message_new(&options->connect) == MQUIC_OK;
}

void client_options_free(struct client_options *options)
{
	mquic_message_free(options->will);
	mquic_message_free(options->connect);
	url_free(&options->url);
}

/* What a URL says may not be said again by an option. */
static bool merge_url(struct client_options *options)
{
	struct url *url = &options->url;

	if (url->host && options->host)
		return say_usage("-h and -L both name the host. Use one of them.");
	if (url->port && options->port)
		return say_usage("-p and -L both name the port. Use one of them.");
	if (url->username && options->username)
		return say_usage("-u and -L both name the user. Use one of them.");
	if (url->password && options->password)
		return say_usage("-P and -L both hold a password. Use one of them.");
	if (url->host)
		options->host = url->host;
	if (url->port)
		options->port = url->port;
	if (url->username)
		options->username = url->username;
	if (url->password)
		options->password = url->password;
	if (!options->host)
		options->host = DEFAULT_HOST;
	if (!options->port)
		options->port = MQUIC_PORT;
	return true;
}

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

/* MQTT 3.1.1 has no properties and is stricter about passwords ([MQTT-3.1.2-22]). */
static bool check_protocol(const struct client_options *options)
{
	if (options->protocol != MQUIC_PROTOCOL_MQTT_3_1_1)
		return true;
	if (options->property_option)
		return say_usage("%s needs MQTT 5, but -V asks for 3.1.1.",
				 options->property_option);
	if (options->has_expiry)
		return say_usage("-x needs MQTT 5, but -V asks for 3.1.1. Use -c instead.");
	if (options->password && !options->username)
		return say_usage("-P without -u needs MQTT 5, but -V asks for 3.1.1.");
	return true;
}

bool client_options_check(struct client_options *options)
{
	if (options->id && options->id_prefix)
		return say_usage("-i and -I argument cannot be used together.");
	if (options->persistent && !options->id && !options->id_prefix)
		return say_usage("You must provide a client id (-i) if you are using the -c "
				 "option.");
	if (options->persistent && !options->has_expiry)
		options->expiry_s = NEVER;
	return tls_options_check(&options->tls) && merge_url(options) && check_protocol(options) &&
	       check_will(options);
}
