/* SPDX-License-Identifier: MIT */
/* What the options mean to libmquic. */
#include <stdio.h>
#include <string.h>

#include "options.h"

static enum mquic_status apply_tls(const struct options *options, struct mquic_settings *settings)
{
	enum mquic_status status =
		mquic_settings_set_certificate(settings, options->certfile, options->keyfile);

	if (status == MQUIC_OK && options->cafile != NULL)
		status = mquic_settings_set_ca_file(settings, options->cafile);
	if (status == MQUIC_OK && options->capath != NULL)
		status = mquic_settings_set_ca_path(settings, options->capath);
	if (status == MQUIC_OK && options->crlfile != NULL)
		status = mquic_settings_set_crl_file(settings, options->crlfile);
	if (status == MQUIC_OK)
		status = mquic_settings_set_reset_key_file(settings, options->reset_key_file);
	if (status == MQUIC_OK && options->keylog_file != NULL)
		status = mquic_settings_set_keylog_file(settings, options->keylog_file);
	if (status == MQUIC_OK)
		status = mquic_settings_set_require_certificate(settings,
								options->require_certificate);
	return status;
}

/*
 * A dead client is found by idle_timeout, a live but silent one must not fall to it: MQTT
 * allows subscribers without keep-alive. So PINGs go out at a third of the time.
 */
static enum mquic_status apply_idle(const struct options *options, struct mquic_settings *settings)
{
	uint64_t idle_ms = (uint64_t)options->idle_timeout_s * 1000;
	uint64_t ping_ms = idle_ms / 3 < 3600000 ? idle_ms / 3 : 3600000;
	enum mquic_status status = mquic_settings_set_idle_timeout_ms(settings, idle_ms);

	return status != MQUIC_OK ? status : mquic_settings_set_keep_alive_ms(settings, ping_ms);
}

/* As many as one address may have by itself, wherever a site or a container stands behind it. */
#define FAIR_CONNECTIONS 1000

/*
 * Unless told otherwise no address takes more than half of all places, so that a client that leaks
 * connections leaves room for the others. Where there are few places one may have them all: whole
 * fleets stand behind one NAT.
 */
static uint32_t per_address(const struct options *options)
{
	uint32_t half = options->max_connections / 2;

	if (options->max_connections_per_address != OPTIONS_SHARE)
		return options->max_connections_per_address;
	return half > FAIR_CONNECTIONS ? half : FAIR_CONNECTIONS;
}

static enum mquic_status apply_limits(const struct options *options,
				      struct mquic_settings *settings)
{
	enum mquic_status status =
		mquic_settings_set_max_connections(settings, options->max_connections);

	if (status == MQUIC_OK)
		status = mquic_settings_set_max_connections_per_address(settings,
									per_address(options));
	if (status == MQUIC_OK)
		status = mquic_settings_set_max_handshakes(settings, options->max_handshakes);
	if (status == MQUIC_OK)
		status = mquic_settings_set_retry(settings, options->retry);
	if (status == MQUIC_OK)
		status = mquic_settings_set_congestion_control(settings,
							       options->congestion_control);
	/* What one client that never reads can pin: this, and one read of the unix socket. */
	if (status == MQUIC_OK)
		status = mquic_settings_set_send_buffer(settings, 262144);
	return status;
}

bool options_apply(const struct options *options, struct mquic_settings *settings,
		   char error[OPTIONS_ERROR_SIZE])
{
	enum mquic_status status = apply_tls(options, settings);

	if (status == MQUIC_OK)
		status = apply_idle(options, settings);
	if (status == MQUIC_OK)
		status = apply_limits(options, settings);
	if (status != MQUIC_OK)
		snprintf(error, OPTIONS_ERROR_SIZE, "%s",
			 status == MQUIC_ERR_MEMORY ? "out of memory"
						    : mquic_settings_error(settings));
	return status == MQUIC_OK;
}

const char *options_find_file(const struct options *options, const char *sentence)
{
	const struct {
		const char *name, *value;
	} files[] = {
		{"certfile", options->certfile}, {"keyfile", options->keyfile},
		{"cafile", options->cafile},     {"capath", options->capath},
		{"crlfile", options->crlfile},   {"reset_key_file", options->reset_key_file},
	};
	const char *first = NULL, *found = NULL;
	size_t longest = 0, i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *at = files[i].value == NULL ? NULL : strstr(sentence, files[i].value);
		size_t len = at == NULL ? 0 : strlen(files[i].value);

		/* One name may be the beginning of another. */
		if (len == 0 || (first != NULL && (at > first || (at == first && len <= longest))))
			continue;
		first = at;
		longest = len;
		found = files[i].name;
	}
	return found;
}
