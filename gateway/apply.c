/* SPDX-License-Identifier: MIT */
/* What the options mean to libmquic. */
#include <stdio.h>
#include <string.h>

#include "options.h"

static enum mquic_status apply_certificates(const struct listener_options *listener,
					    struct mquic_settings *settings)
{
	enum mquic_status status = MQUIC_OK;
	size_t i;

	for (i = 0; status == MQUIC_OK && i < listener->certfiles.count; i++)
		status = mquic_settings_add_certificate(settings, listener->certfiles.paths[i],
							listener->keyfiles.paths[i]);
	return status;
}

static enum mquic_status apply_tls(const struct options *options,
				   const struct listener_options *listener,
				   struct mquic_settings *settings)
{
	enum mquic_status status = apply_certificates(listener, settings);

	if (status == MQUIC_OK && listener->cafile != NULL)
		status = mquic_settings_set_ca_file(settings, listener->cafile);
	if (status == MQUIC_OK && listener->capath != NULL)
		status = mquic_settings_set_ca_path(settings, listener->capath);
	if (status == MQUIC_OK && listener->crlfile != NULL)
		status = mquic_settings_set_crl_file(settings, listener->crlfile);
	if (status == MQUIC_OK)
		status = mquic_settings_set_reset_key_file(settings, options->reset_key_file);
	if (status == MQUIC_OK && options->ticket_key_file != NULL)
		status = mquic_settings_set_ticket_key_file(settings, options->ticket_key_file);
	if (status == MQUIC_OK)
		status = mquic_settings_set_resumption(settings, options->resumption);
	if (status == MQUIC_OK && options->keylog_file != NULL)
		status = mquic_settings_set_keylog_file(settings, options->keylog_file);
	if (status == MQUIC_OK)
		status = mquic_settings_set_require_certificate(settings,
								listener->require_certificate);
	return status;
}

/*
 * A dead client is found by idle_timeout, a live but silent one must not fall to it: MQTT
 * allows subscribers without keep-alive. So PINGs go out at a third of the time.
 */
static enum mquic_status apply_idle(const struct listener_options *listener,
				    struct mquic_settings *settings)
{
	uint64_t idle_ms = (uint64_t)listener->idle_timeout_s * 1000;
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
static uint32_t per_address(const struct listener_options *listener)
{
	uint32_t half = listener->max_connections / 2;

	if (listener->max_connections_per_address != OPTIONS_SHARE)
		return listener->max_connections_per_address;
	return half > FAIR_CONNECTIONS ? half : FAIR_CONNECTIONS;
}

static enum mquic_status apply_limits(const struct listener_options *listener,
				      struct mquic_settings *settings)
{
	enum mquic_status status =
		mquic_settings_set_max_connections(settings, listener->max_connections);

	if (status == MQUIC_OK)
		status = mquic_settings_set_max_connections_per_address(settings,
									per_address(listener));
	if (status == MQUIC_OK)
		status = mquic_settings_set_max_handshakes(settings, listener->max_handshakes);
	if (status == MQUIC_OK)
		status = mquic_settings_set_retry(settings, listener->retry);
	if (status == MQUIC_OK)
		status = mquic_settings_set_congestion_control(settings,
							       listener->congestion_control);
	if (status == MQUIC_OK)
		status = mquic_settings_set_redundancy(settings, listener->redundancy);
	/* What one client that never reads can pin: this, and one read of the unix socket. */
	if (status == MQUIC_OK)
		status = mquic_settings_set_send_buffer(settings, 262144);
	return status;
}

bool options_apply(const struct options *options, const struct listener_options *listener,
		   struct mquic_settings *settings, char error[OPTIONS_ERROR_SIZE])
{
	enum mquic_status status = apply_tls(options, listener, settings);

	if (status == MQUIC_OK)
		status = apply_idle(listener, settings);
	if (status == MQUIC_OK)
		status = apply_limits(listener, settings);
	if (status != MQUIC_OK)
		snprintf(error, OPTIONS_ERROR_SIZE, "%s",
			 status == MQUIC_ERR_MEMORY ? "out of memory"
						    : mquic_settings_error(settings));
	return status == MQUIC_OK;
}

/* Which file a sentence names first. */
struct search {
	const char *sentence;
	const char *first; /* where it does */
	size_t longest;    /* one name may be the beginning of another */
	const char *option;
};

static void look_for(struct search *search, const char *option, const char *path)
{
	const char *at = path == NULL ? NULL : strstr(search->sentence, path);
	size_t len = at == NULL ? 0 : strlen(path);

	if (len == 0 || (search->first != NULL &&
			 (at > search->first || (at == search->first && len <= search->longest))))
		return;
	search->first = at;
	search->longest = len;
	search->option = option;
}

const char *options_find_file(const struct options *options,
			      const struct listener_options *listener, const char *sentence)
{
	struct search search = {.sentence = sentence};
	size_t i;

	for (i = 0; i < listener->certfiles.count; i++) {
		look_for(&search, "certfile", listener->certfiles.paths[i]);
		look_for(&search, "keyfile", listener->keyfiles.paths[i]);
	}
	look_for(&search, "cafile", listener->cafile);
	look_for(&search, "capath", listener->capath);
	look_for(&search, "crlfile", listener->crlfile);
	look_for(&search, "reset_key_file", options->reset_key_file);
	look_for(&search, "ticket_key_file", options->ticket_key_file);
	return search.option;
}
