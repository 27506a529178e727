/* SPDX-License-Identifier: MIT */
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
