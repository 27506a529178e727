/* SPDX-License-Identifier: MIT */
/* In place of the relay, in a library built with -Dserver=false or -Dmqtt=false. */
#include "session/refusal.h"

enum mquic_status mquic_relay_new(struct mquic_relay **relay, struct mquic_connection *connection,
				  uint64_t connect_timeout_ms, size_t max_connect)
{
	return relay == NULL || connection == NULL ? MQUIC_ERR_INVALID : MQUIC_ERR_UNSUPPORTED;
}

IGNORE(mquic_relay_free, struct mquic_relay *relay)
NOTHING(const char *, "no relay was given", mquic_relay_error, const struct mquic_relay *relay)
NOTHING(struct mquic_connection *, NULL, mquic_relay_connection, const struct mquic_relay *relay)
NOTHING(size_t, 0, mquic_relay_connect_size, const struct mquic_relay *relay)
NOTHING(int, 0, mquic_relay_protocol, const struct mquic_relay *relay)
NO_BYTES(const char *, NULL, mquic_relay_client_id, const struct mquic_relay *relay)
NO_BYTES(const char *, NULL, mquic_relay_username, const struct mquic_relay *relay)
NOTHING(bool, false, mquic_relay_clean_start, const struct mquic_relay *relay)
NOTHING(uint16_t, 0, mquic_relay_keep_alive_s, const struct mquic_relay *relay)
REFUSE(mquic_relay_set_username, struct mquic_relay *relay, const char *name, size_t len)
REFUSE(mquic_relay_open, struct mquic_relay *relay)
REFUSE(mquic_relay_peek, struct mquic_relay *relay, const uint8_t **data, size_t *len)
REFUSE(mquic_relay_consume, struct mquic_relay *relay, size_t len)
REFUSE(mquic_relay_write, struct mquic_relay *relay, const uint8_t *data, size_t len,
       size_t *written)
REFUSE(mquic_relay_finish, struct mquic_relay *relay, const char *reason)
REFUSE(mquic_relay_close, struct mquic_relay *relay, uint64_t code, const char *reason)
IGNORE(mquic_relay_set_userdata, struct mquic_relay *relay, void *userdata)
NOTHING(void *, NULL, mquic_relay_get_userdata, const struct mquic_relay *relay)
