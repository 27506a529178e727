/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "option.h"

bool options_check_listener(const struct listener_options *listener, bool broker_2_1, char *error)
{
	bool has_ca = listener->cafile != NULL || listener->capath != NULL;

	if (listener->certfiles.count != listener->keyfiles.count)
		return option_fail(
			error,
			"plugin_opt_certfile is given %zu times and plugin_opt_keyfile "
			"%zu times: give each certificate its key, in the same order, or "
			"no keys at all if they are next to their certificates",
			listener->certfiles.count, listener->keyfiles.count);
	if (listener->require_certificate && !has_ca)
		return option_fail(error,
				   "plugin_opt_require_certificate is true, but nothing says which "
				   "certificates to trust: add plugin_opt_cafile or "
				   "plugin_opt_capath");
	if (listener->crlfile != NULL && !has_ca)
		return option_fail(error, "plugin_opt_crlfile needs plugin_opt_cafile or "
					  "plugin_opt_capath");
	if (options_ask_certificate(listener) && !listener->require_certificate)
		return option_fail(error,
				   "plugin_opt_use_%s_as_username is true, but clients need "
				   "not show a certificate: add \"plugin_opt_require_certificate "
				   "true\"",
				   listener->use_identity_as_username ? "identity" : "subject");
	if (listener->proxy_protocol && !broker_2_1)
		return option_fail(
			error, "plugin_opt_proxy_protocol needs Mosquitto 2.1: remove the line");
	return true;
}

static bool share_address(const struct listener_options *one, const struct listener_options *other,
			  const struct hostport **shared)
{
	size_t i, j;

	for (i = 0; i < one->listen_count; i++)
		for (j = 0; j < other->listen_count; j++)
			if (one->listen[i].port == other->listen[j].port &&
			    one->listen[i].port != 0 &&
			    strcmp(one->listen[i].host, other->listen[j].host) == 0) {
				*shared = &one->listen[i];
				return true;
			}
	return false;
}

/* Each of two listeners has what is its own. */
static bool check_two(const struct listener_options *one, const struct listener_options *other,
		      char *error)
{
	const struct hostport *shared;
	char text[HOSTPORT_TEXT_SIZE];

	if (strcmp(one->name, other->name) == 0)
		return option_fail(error, "plugin_opt_listener %s is given twice", one->name);
	if (strcmp(one->handoff, other->handoff) == 0)
		return option_fail(
			error,
			"the listeners %s and %s have the same hand-off socket, %s: give "
			"each a \"listener 0\" line of the broker's, and its path with "
			"plugin_opt_handoff",
			one->name, other->name, one->handoff);
	if (!share_address(one, other, &shared))
		return true;
	hostport_text(shared, text);
	return option_fail(error,
			   "the listeners %s and %s have the same address, %s: give each its own "
			   "with plugin_opt_listen",
			   one->name, other->name, text);
}

bool options_check_all(const struct options *options, char *error)
{
	size_t addresses = 0;
	size_t i, j;

	for (i = 0; i < options->listener_count; i++) {
		addresses += options->listeners[i].listen_count;
		for (j = 0; j < i; j++)
			if (!check_two(&options->listeners[j], &options->listeners[i], error))
				return false;
	}
	return addresses <= OPTIONS_ADDRESSES_MAX ||
	       option_fail(error,
			   "plugin_opt_listen: all listeners together have %zu addresses, and %d "
			   "at most can be",
			   addresses, OPTIONS_ADDRESSES_MAX);
}
