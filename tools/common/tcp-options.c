/* SPDX-License-Identifier: MIT */
#include "tcp-options.h"

#include "say.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *name;
	const char *advice;
} refused[] = {
	{"--ciphers", "QUIC uses the ciphers of TLS 1.3, which are not selectable; leave it out"},
	{"--psk", "pre-shared keys are not supported; use --cafile, or --cert and --key"},
	{"--psk-identity", "pre-shared keys are not supported; use --cafile, or --cert and --key"},
	{"--tls-engine", "engines of OpenSSL are not supported; use a file of --key"},
	{"--tls-engine-kpass-sha1", "engines of OpenSSL are not supported; use a file of --key"},
	{"--proxy", "a SOCKS proxy carries TCP, and QUIC needs UDP"},
	{"--unix",
	 "a socket of the file system carries no QUIC; use mosquitto_pub or mosquitto_sub"},
	{"--no-tls", "it is always encrypted; leave it out"},
	{"--ws", "its clients need no WebSockets; leave it out"},
	{"-S", "SRV records are not looked up; name the host with -h and its UDP port with -p"},
};

static bool refuse(void *target, const char *name, struct words *words)
{
	(void)target;
	(void)words;
	for (size_t i = 0; i < COUNT(refused); i++)
		if (strcmp(refused[i].name, name) == 0)
			return say_usage("%s does not apply to QUIC: %s.", name, refused[i].advice);
	return false;
}

static bool take_no_notice(void *target, const char *name, struct words *words)
{
	(void)target;
	(void)name;
	(void)words;
	return true;
}

static bool check_tls_version(void *target, const char *name, struct words *words)
{
	const char *text = words_next(words, name, "version");

	(void)target;
	if (!text || strcmp(text, "tlsv1.3") == 0)
		return text != NULL;
	return say_usage("%s: QUIC always uses TLS 1.3, not '%s'; leave it out.", name, text);
}

static bool check_keyform(void *target, const char *name, struct words *words)
{
	const char *text = words_next(words, name, "form");

	(void)target;
	if (!text || strcmp(text, "pem") == 0)
		return text != NULL;
	return say_usage("%s: a key is a PEM file here, not '%s'; leave it out.", name, text);
}

const struct option_spec tcp_option_specs[] = {
	{NULL, "--nodelay", OPTION_ACTION, 0, 0, 0, take_no_notice},
	{NULL, "--tls-use-os-certs", OPTION_ACTION, 0, 0, 0, take_no_notice},
	{NULL, "--tls-version", OPTION_CALL, 0, 0, 0, check_tls_version},
	{NULL, "--keyform", OPTION_CALL, 0, 0, 0, check_keyform},
	{NULL, "--ciphers", OPTION_CALL, 0, 0, 0, refuse},
	{NULL, "--psk", OPTION_CALL, 0, 0, 0, refuse},
	{NULL, "--psk-identity", OPTION_CALL, 0, 0, 0, refuse},
	{NULL, "--tls-engine", OPTION_CALL, 0, 0, 0, refuse},
	{NULL, "--tls-engine-kpass-sha1", OPTION_CALL, 0, 0, 0, refuse},
	{NULL, "--proxy", OPTION_CALL, 0, 0, 0, refuse},
	{NULL, "--unix", OPTION_CALL, 0, 0, 0, refuse},
	{NULL, "--no-tls", OPTION_ACTION, 0, 0, 0, refuse},
	{NULL, "--ws", OPTION_ACTION, 0, 0, 0, refuse},
	{"-S", NULL, OPTION_ACTION, 0, 0, 0, refuse},
	{NULL, NULL, 0, 0, 0, 0, NULL},
};

static bool is(const char *name, const char *option, size_t len)
{
	return name && strlen(name) == len && memcmp(name, option, len) == 0;
}

bool tcp_options_concern(const char *option, size_t len)
{
	if (is("-p", option, len) || is("--port", option, len))
		return true;
	for (const struct option_spec *spec = tcp_option_specs; spec->call; spec++)
		if (is(spec->short_name, option, len) || is(spec->long_name, option, len))
			return true;
	return false;
}
