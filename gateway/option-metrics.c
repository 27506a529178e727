/* SPDX-License-Identifier: MIT */
/* plugin_opt_metrics: a file, or an address that nobody outside this machine can reach. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"

#define SCHEME "http://"

static bool is_loopback(const struct hostport *address)
{
	struct in6_addr six;
	struct in_addr four;

	if (address->is_ipv6)
		return inet_pton(AF_INET6, address->host, &six) == 1 &&
		       memcmp(&six, &in6addr_loopback, sizeof(six)) == 0;
	return inet_pton(AF_INET, address->host, &four) == 1 && ntohl(four.s_addr) >> 24 == 127;
}

/* The one name that stands for the same on all machines (RFC 6761 6.3). */
static bool name_address(struct hostport *address)
{
	if (!address->is_ipv6 && strcmp(address->host, "localhost") == 0)
		snprintf(address->host, sizeof(address->host), "127.0.0.1");
	return hostport_is_numeric(address);
}

static bool parse_address(const char *value, struct options *options, char *error)
{
	struct hostport *address = &options->metrics_listen;

	if (address->port != 0)
		return option_fail(error, "plugin_opt_metrics names two addresses; remove one");
	if (!hostport_parse(value, address) || !name_address(address))
		return option_fail(
			error,
			"plugin_opt_metrics must be the absolute path of a file, or an address of "
			"this machine such as http://127.0.0.1:9153, not \"%s\"",
			value);
	if (!is_loopback(address))
		return option_fail(
			error,
			"plugin_opt_metrics: \"%s\" can be reached by others, and whoever asks "
			"there is shown what was counted, without password and TLS: name "
			"127.0.0.1 or [::1], and let a proxy of this machine serve others",
			value);
	return address->port != 0 ||
	       option_fail(error, "plugin_opt_metrics: the port must be a number from 1 to 65535");
}

static bool parse_file(const struct option *option, const char *value, struct options *options,
		       char *error)
{
	if (options->metrics != NULL)
		return option_fail(error, "plugin_opt_%s names two files; remove one",
				   option->name);
	options->metrics = strdup(value);
	return options->metrics != NULL || option_fail(error, "out of memory");
}

/* People give the page's whole address, or no more than what listens. */
bool option_parse_metrics(const struct option *option, const char *value,
			  const struct option_target *target, char *error)
{
	static const char *const endings[] = {"/metrics", "/"};
	char address[HOSTPORT_TEXT_SIZE + 16];
	size_t i, len;

	if (value[0] == '/')
		return parse_file(option, value, target->options, error);
	if (strncmp(value, SCHEME, sizeof(SCHEME) - 1) == 0)
		value += sizeof(SCHEME) - 1;
	snprintf(address, sizeof(address), "%s", value);
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		len = strlen(address);
		if (len > strlen(endings[i]) &&
		    strcmp(address + len - strlen(endings[i]), endings[i]) == 0)
			address[len - strlen(endings[i])] = '\0';
	}
	return parse_address(address, target->options, error);
}
