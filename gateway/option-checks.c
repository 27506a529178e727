/* SPDX-License-Identifier: MIT */
#include "option.h"

bool options_check(const struct options *options, bool broker_2_1, char *error)
{
	bool has_ca = options->cafile != NULL || options->capath != NULL;

	if (options->require_certificate && !has_ca)
		return option_fail(error,
				   "plugin_opt_require_certificate is true, but nothing says which "
				   "certificates to trust: add plugin_opt_cafile or "
				   "plugin_opt_capath");
	if (options->crlfile != NULL && !has_ca)
		return option_fail(error, "plugin_opt_crlfile needs plugin_opt_cafile or "
					  "plugin_opt_capath");
	if (options_ask_certificate(options) && !options->require_certificate)
		return option_fail(error,
				   "plugin_opt_use_%s_as_username is true, but clients need "
				   "not show a certificate: add \"plugin_opt_require_certificate "
				   "true\"",
				   options->use_identity_as_username ? "identity" : "subject");
	if (options->proxy_protocol && !broker_2_1)
		return option_fail(
			error, "plugin_opt_proxy_protocol needs Mosquitto 2.1: remove the line");
	return true;
}
