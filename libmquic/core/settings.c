/* SPDX-License-Identifier: MIT */
#include "core/settings.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define ONE_DAY_MS 86400000
#define GIBIBYTE   1073741824
#define ALPN_MAX   31 /* what GnuTLS takes */

enum mquic_status mquic_settings_new(struct mquic_settings **settings)
{
	struct mquic_settings *made;

	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	made->alpn = strdup("mqtt");
	if (made->alpn == NULL) {
		free(made);
		return MQUIC_ERR_MEMORY;
	}
	made->idle_timeout_ms = 30000;
	made->handshake_timeout_ms = 10000;
	made->initial_rtt_ms = 100;
	made->receive_window = 262144;
	made->send_buffer = 1048576;
	made->max_streams = 16;
	made->max_connections = 10000;
	made->max_handshakes = 1000;
	*settings = made;
	return MQUIC_OK;
}

void mquic_settings_free(struct mquic_settings *settings)
{
	if (settings == NULL)
		return;
	free(settings->ca_file);
	free(settings->ca_path);
	free(settings->crl_file);
	free(settings->cert_file);
	free(settings->key_file);
	free(settings->server_name);
	free(settings->alpn);
	free(settings->keylog_file);
	free(settings->reset_key_file);
	free(settings->local_address);
	free(settings);
}

static bool replace_string(char **slot, const char *value)
{
	char *copy = NULL;

	if (value != NULL) {
		copy = strdup(value);
		if (copy == NULL)
			return false;
	}
	free(*slot);
	*slot = copy;
	return true;
}

static bool copy_strings(struct mquic_settings *to, const struct mquic_settings *from)
{
	return replace_string(&to->ca_file, from->ca_file) &&
	       replace_string(&to->ca_path, from->ca_path) &&
	       replace_string(&to->crl_file, from->crl_file) &&
	       replace_string(&to->cert_file, from->cert_file) &&
	       replace_string(&to->key_file, from->key_file) &&
	       replace_string(&to->server_name, from->server_name) &&
	       replace_string(&to->alpn, from->alpn) &&
	       replace_string(&to->keylog_file, from->keylog_file) &&
	       replace_string(&to->reset_key_file, from->reset_key_file) &&
	       replace_string(&to->local_address, from->local_address);
}

struct mquic_settings *settings_copy(const struct mquic_settings *settings)
{
	struct mquic_settings *copy;

	if (settings == NULL)
		return mquic_settings_new(&copy) == MQUIC_OK ? copy : NULL;
	copy = malloc(sizeof(*copy));
	if (copy == NULL)
		return NULL;
	*copy = *settings;
	copy->ca_file = NULL;
	copy->ca_path = NULL;
	copy->crl_file = NULL;
	copy->cert_file = NULL;
	copy->key_file = NULL;
	copy->server_name = NULL;
	copy->alpn = NULL;
	copy->keylog_file = NULL;
	copy->reset_key_file = NULL;
	copy->local_address = NULL;
	if (!copy_strings(copy, settings)) {
		mquic_settings_free(copy);
		return NULL;
	}
	return copy;
}

const char *mquic_settings_error(const struct mquic_settings *settings)
{
	return settings == NULL ? "no settings object was given" : settings->error.text;
}

static enum mquic_status set_string(struct mquic_settings *settings, char **slot, const char *value)
{
	if (!replace_string(slot, value))
		return error_set(&settings->error, MQUIC_ERR_MEMORY, "out of memory");
	return MQUIC_OK;
}

static enum mquic_status set_file(struct mquic_settings *settings, char **slot, const char *path,
				  const char *what)
{
	if (path != NULL && path[0] == '\0')
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "the name of the %s is empty: give one, or none at all", what);
	return set_string(settings, slot, path);
}

enum mquic_status mquic_settings_set_ca_file(struct mquic_settings *settings, const char *path)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_file(settings, &settings->ca_file, path, "CA file");
}

enum mquic_status mquic_settings_set_ca_path(struct mquic_settings *settings, const char *path)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_file(settings, &settings->ca_path, path, "CA directory");
}

enum mquic_status mquic_settings_set_crl_file(struct mquic_settings *settings, const char *path)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_file(settings, &settings->crl_file, path, "revocation list file");
}

enum mquic_status mquic_settings_set_certificate(struct mquic_settings *settings,
						 const char *cert_path, const char *key_path)
{
	char *cert = NULL;
	enum mquic_status status;

	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	if ((cert_path == NULL) != (key_path == NULL))
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "certificate file and key file go together: the %s is missing",
				 cert_path == NULL ? "certificate" : "key");
	status = set_file(settings, &cert, cert_path, "certificate file");
	if (status != MQUIC_OK)
		return status;
	status = set_file(settings, &settings->key_file, key_path, "key file");
	if (status != MQUIC_OK) {
		free(cert);
		return status;
	}
	free(settings->cert_file);
	settings->cert_file = cert;
	return MQUIC_OK;
}

enum mquic_status mquic_settings_set_require_certificate(struct mquic_settings *settings,
							 bool require)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	settings->require_certificate = require;
	return MQUIC_OK;
}

enum mquic_status mquic_settings_set_insecure(struct mquic_settings *settings, bool insecure)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	settings->insecure = insecure;
	return MQUIC_OK;
}

enum mquic_status mquic_settings_set_server_name(struct mquic_settings *settings, const char *name)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	if (name != NULL && (name[0] == '\0' || strlen(name) > 255))
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "a server name has 1 to 255 bytes; pass NULL for the dialed host");
	return set_string(settings, &settings->server_name, name);
}

enum mquic_status mquic_settings_set_alpn(struct mquic_settings *settings, const char *protocol)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	if (protocol == NULL || protocol[0] == '\0' || strlen(protocol) > ALPN_MAX)
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "an application protocol (ALPN) has 1 to %d bytes", ALPN_MAX);
	return set_string(settings, &settings->alpn, protocol);
}

enum mquic_status mquic_settings_set_keylog_file(struct mquic_settings *settings, const char *path)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_file(settings, &settings->keylog_file, path, "key log file");
}

enum mquic_status mquic_settings_set_reset_key_file(struct mquic_settings *settings,
						    const char *path)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_file(settings, &settings->reset_key_file, path, "reset key file");
}

/* "192.0.2.1", "2001:db8::1", "fe80::1%eth0" */
static bool is_address(const char *text)
{
	char host[INET6_ADDRSTRLEN];
	struct in6_addr binary;
	size_t len = strcspn(text, "%");

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET6, host, &binary) == 1)
		return true;
	return text[len] == '\0' && inet_pton(AF_INET, host, &binary) == 1;
}

enum mquic_status mquic_settings_set_local_address(struct mquic_settings *settings,
						   const char *address)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	if (address != NULL && !is_address(address))
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "'%s' is not a numeric IPv4 or IPv6 address of this machine to "
				 "dial from",
				 address);
	return set_string(settings, &settings->local_address, address);
}

/* Stores `value` if it is within bounds, or 0 where that means "off". */
static enum mquic_status set_number(struct mquic_settings *settings, uint64_t *slot, uint64_t value,
				    uint64_t least, uint64_t most, bool zero_is_off,
				    const char *what)
{
	if ((value < least || value > most) && !(zero_is_off && value == 0))
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "%s must be %llu to %llu%s, not %llu", what,
				 (unsigned long long)least, (unsigned long long)most,
				 zero_is_off ? ", or 0 for off" : "", (unsigned long long)value);
	*slot = value;
	return MQUIC_OK;
}

static enum mquic_status set_count(struct mquic_settings *settings, uint32_t *slot, uint32_t value,
				   uint32_t least, uint32_t most, const char *what)
{
	uint64_t wide = *slot;
	enum mquic_status status = set_number(settings, &wide, value, least, most, false, what);

	*slot = (uint32_t)wide;
	return status;
}

enum mquic_status mquic_settings_set_idle_timeout_ms(struct mquic_settings *settings,
						     uint64_t timeout_ms)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_number(settings, &settings->idle_timeout_ms, timeout_ms, 1000, ONE_DAY_MS, true,
			  "the idle timeout in ms");
}

enum mquic_status mquic_settings_set_handshake_timeout_ms(struct mquic_settings *settings,
							  uint64_t timeout_ms)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_number(settings, &settings->handshake_timeout_ms, timeout_ms, 100, 600000, false,
			  "the handshake timeout in ms");
}

enum mquic_status mquic_settings_set_initial_rtt_ms(struct mquic_settings *settings,
						    uint64_t rtt_ms)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_number(settings, &settings->initial_rtt_ms, rtt_ms, 10, 2000, false,
			  "the initial round trip in ms");
}

enum mquic_status mquic_settings_set_keep_alive_ms(struct mquic_settings *settings,
						   uint64_t interval_ms)
{
	enum mquic_status status;

	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	status = set_number(settings, &settings->keep_alive_ms, interval_ms, 1000, 3600000, true,
			    "the QUIC keep-alive interval in ms");
	if (status == MQUIC_OK)
		settings->keep_alive_told = true;
	return status;
}

enum mquic_status mquic_settings_set_max_streams(struct mquic_settings *settings, uint32_t streams)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_count(settings, &settings->max_streams, streams, 1, 65535,
			 "the number of streams");
}

enum mquic_status mquic_settings_set_receive_window(struct mquic_settings *settings, uint64_t bytes)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_number(settings, &settings->receive_window, bytes, 4096, GIBIBYTE, false,
			  "the receive window in bytes");
}

enum mquic_status mquic_settings_set_send_buffer(struct mquic_settings *settings, uint64_t bytes)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_number(settings, &settings->send_buffer, bytes, 4096, GIBIBYTE, false,
			  "the send buffer in bytes");
}

enum mquic_status mquic_settings_set_congestion_control(struct mquic_settings *settings,
							enum mquic_congestion_control algorithm)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	if (algorithm != MQUIC_CONGESTION_CUBIC && algorithm != MQUIC_CONGESTION_RENO &&
	    algorithm != MQUIC_CONGESTION_BBR)
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "congestion control %d is not one of MQUIC_CONGESTION_*",
				 (int)algorithm);
	settings->congestion_control = algorithm;
	return MQUIC_OK;
}

enum mquic_status mquic_settings_set_retry(struct mquic_settings *settings, enum mquic_retry retry)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	if (retry != MQUIC_RETRY_ADAPTIVE && retry != MQUIC_RETRY_ALWAYS &&
	    retry != MQUIC_RETRY_NEVER)
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "retry policy %d is not one of MQUIC_RETRY_*", (int)retry);
	settings->retry = retry;
	return MQUIC_OK;
}

enum mquic_status mquic_settings_set_max_connections(struct mquic_settings *settings,
						     uint32_t connections)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_count(settings, &settings->max_connections, connections, 1, 1000000,
			 "the number of connections");
}

enum mquic_status mquic_settings_set_max_connections_per_address(struct mquic_settings *settings,
								 uint32_t connections)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_count(settings, &settings->max_connections_per_address, connections, 0, 1000000,
			 "the number of connections per address");
}

enum mquic_status mquic_settings_set_max_handshakes(struct mquic_settings *settings,
						    uint32_t handshakes)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	return set_count(settings, &settings->max_handshakes, handshakes, 1, 1000000,
			 "the number of handshakes in flight");
}
