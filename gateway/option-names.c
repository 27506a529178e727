/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "option.h"

/* What the listener of the hand-off has as any other; the broker knows it by its own name. */
#define OF_THE_LISTENER "write it without plugin_opt_, under the line of the hand-off listener"

/* Options of Mosquitto's TLS listeners that people will carry over and that are none here. */
static const struct {
	const char *name;
	const char *advice;
} foreign[] = {
	{"port", "give the port in plugin_opt_listen ADDRESS:PORT"},
	{"bind_address", "give the numeric address in plugin_opt_listen ADDRESS:PORT"},
	{"bind_interface", "give the interface's address in plugin_opt_listen ADDRESS:PORT"},
	{"socket_domain",
	 "plugin_opt_listen 0.0.0.0:PORT is IPv4 alone, and [::]:PORT is IPv6 alone"},
	{"protocol", "its clients speak MQTT, not WebSockets or HTTP; remove the line"},
	{"disable_client_cert_date_checks",
	 "no certificate is good before or after its time; remove the line, and renew it"},
	{"accept_protocol_versions", OF_THE_LISTENER},
	{"acl_file", OF_THE_LISTENER},
	{"allow_anonymous", OF_THE_LISTENER},
	{"auto_id_prefix", OF_THE_LISTENER},
	{"listener_allow_anonymous", OF_THE_LISTENER},
	{"max_qos", OF_THE_LISTENER},
	{"max_topic_alias", OF_THE_LISTENER},
	{"max_topic_alias_broker", OF_THE_LISTENER},
	{"mount_point", OF_THE_LISTENER},
	{"password_file", OF_THE_LISTENER},
	{"tls_version", "QUIC always uses TLS 1.3; remove the line"},
	{"ciphers", "QUIC always uses TLS 1.3 ciphers; remove the line"},
	{"ciphers_tls1.3", "the ciphers are not selectable; remove the line"},
	{"dhparamfile", "TLS 1.3 needs no parameters; remove the line"},
	{"psk_hint", "pre-shared keys are not supported; use certificates"},
	{"psk_file", "pre-shared keys are not supported; use certificates"},
	{"tls_keyform", "the key is a PEM file without pass phrase; remove the line"},
	{"tls_engine", "keys are PEM files, not in an engine; remove the line"},
	{"tls_engine_kpass_sha1", "keys are PEM files, not in an engine; remove the line"},
	{"use_username_as_clientid", OF_THE_LISTENER},
};

/* Edit distance (Levenshtein) of two names, for "did you mean"; long names are just far away. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64];
	size_t i, j;

	if (strlen(a) >= 64 || strlen(b) >= 64)
		return SIZE_MAX;
	for (j = 0; j <= strlen(b); j++)
		row[j] = j;
	for (i = 1; i <= strlen(a); i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= strlen(b); j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[strlen(b)];
}

bool option_fail_unknown(const struct option *known, size_t count, const char *name, char *error)
{
	const struct option *nearest = NULL;
	size_t best = 4; /* three wrong letters are still a typo */
	size_t i;

	for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (strcmp(foreign[i].name, name) == 0)
			return option_fail(error, "plugin_opt_%s does not apply to QUIC: %s", name,
					   foreign[i].advice);
	for (i = 0; i < count; i++)
		if (distance(known[i].name, name) < best) {
			nearest = &known[i];
			best = distance(known[i].name, name);
		}
	if (nearest != NULL)
		return option_fail(error,
				   "plugin_opt_%s is not an option; did you mean plugin_opt_%s?",
				   name, nearest->name);
	return option_fail(error, "plugin_opt_%s is not an option of this plugin; remove the line",
			   name);
}
