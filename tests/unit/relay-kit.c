/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "relay-kit.h"
#include "unit.h"

#define RELAY ((struct mquic_relay *)(void *)&fake.relay)

struct fake fake;

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.protocol = 4;
	fake.write_max = sizeof(fake.written);
	fake.connect_left = strlen(CONNECT);
	strcpy(fake.sent, CONNECT REST);
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
enum mquic_status __wrap_mquic_relay_new(struct mquic_relay **relay,
					 struct mquic_connection *connection, uint64_t timeout_ms,
					 size_t max_connect);
void __wrap_mquic_relay_free(struct mquic_relay *relay);
const char *__wrap_mquic_relay_error(const struct mquic_relay *relay);
struct mquic_connection *__wrap_mquic_relay_connection(const struct mquic_relay *relay);
int __wrap_mquic_relay_protocol(const struct mquic_relay *relay);
const char *__wrap_mquic_relay_client_id(const struct mquic_relay *relay, size_t *len);
const char *__wrap_mquic_relay_username(const struct mquic_relay *relay, size_t *len);
size_t __wrap_mquic_relay_connect_size(const struct mquic_relay *relay);
enum mquic_status __wrap_mquic_relay_set_username(struct mquic_relay *relay, const char *name,
						  size_t len);
enum mquic_status __wrap_mquic_relay_open(struct mquic_relay *relay);
enum mquic_status __wrap_mquic_relay_peek(struct mquic_relay *relay, const uint8_t **data,
					  size_t *len);
enum mquic_status __wrap_mquic_relay_consume(struct mquic_relay *relay, size_t len);
enum mquic_status __wrap_mquic_relay_write(struct mquic_relay *relay, const uint8_t *data,
					   size_t len, size_t *written);
enum mquic_status __wrap_mquic_relay_finish(struct mquic_relay *relay, const char *reason);
enum mquic_status __wrap_mquic_relay_close(struct mquic_relay *relay, uint64_t code,
					   const char *reason);
void __wrap_mquic_relay_set_userdata(struct mquic_relay *relay, void *userdata);
const char *__wrap_mquic_connection_peer_address(const struct mquic_connection *connection);
const char *__wrap_mquic_connection_peer_common_name(const struct mquic_connection *connection);
uint64_t __wrap_mquic_connection_statistic(const struct mquic_connection *connection,
					   enum mquic_statistic statistic);

enum mquic_status __wrap_mquic_relay_new(struct mquic_relay **relay,
					 struct mquic_connection *connection, uint64_t timeout_ms,
					 size_t max_connect)
{
	ck_assert_ptr_eq(connection, CONNECTION);
	fake.connect_timeout_ms = timeout_ms;
	fake.connect_max = max_connect;
	*relay = RELAY;
	return MQUIC_OK;
}

void __wrap_mquic_relay_free(struct mquic_relay *relay)
{
	if (relay != NULL)
		fake.freed++;
}

const char *__wrap_mquic_relay_error(const struct mquic_relay *relay)
{
	(void)relay;
	return "some error";
}

struct mquic_connection *__wrap_mquic_relay_connection(const struct mquic_relay *relay)
{
	(void)relay;
	return CONNECTION;
}

int __wrap_mquic_relay_protocol(const struct mquic_relay *relay)
{
	(void)relay;
	return fake.protocol;
}

const char *__wrap_mquic_relay_client_id(const struct mquic_relay *relay, size_t *len)
{
	(void)relay;
	(void)len;
	return "phone";
}

const char *__wrap_mquic_relay_username(const struct mquic_relay *relay, size_t *len)
{
	(void)relay;
	if (len != NULL)
		*len = fake.username != NULL ? strlen(fake.username) : 0;
	return fake.username;
}

size_t __wrap_mquic_relay_connect_size(const struct mquic_relay *relay)
{
	(void)relay;
	return fake.connect_left;
}

enum mquic_status __wrap_mquic_relay_set_username(struct mquic_relay *relay, const char *name,
						  size_t len)
{
	(void)relay;
	ck_assert_uint_eq(len, strlen(name));
	snprintf(fake.new_username, sizeof(fake.new_username), "%s", name);
	return MQUIC_OK;
}

enum mquic_status __wrap_mquic_relay_open(struct mquic_relay *relay)
{
	(void)relay;
	return MQUIC_OK;
}

enum mquic_status __wrap_mquic_relay_peek(struct mquic_relay *relay, const uint8_t **data,
					  size_t *len)
{
	(void)relay;
	*data = (const uint8_t *)fake.sent;
	*len = fake.connect_left > 0 ? fake.connect_left : strlen(fake.sent);
	return *len > 0 ? MQUIC_OK : MQUIC_ERR_AGAIN;
}

enum mquic_status __wrap_mquic_relay_consume(struct mquic_relay *relay, size_t len)
{
	(void)relay;
	ck_assert_uint_le(len, strlen(fake.sent));
	memmove(fake.sent, fake.sent + len, strlen(fake.sent) - len + 1);
	fake.connect_left -= len < fake.connect_left ? len : fake.connect_left;
	return MQUIC_OK;
}

enum mquic_status __wrap_mquic_relay_write(struct mquic_relay *relay, const uint8_t *data,
					   size_t len, size_t *written)
{
	(void)relay;
	fake.writes++;
	*written = 0;
	if (fake.write_status != MQUIC_OK)
		return fake.write_status;
	*written = len < fake.write_max ? len : fake.write_max;
	ck_assert_uint_lt(fake.written_len + *written, sizeof(fake.written));
	memcpy(fake.written + fake.written_len, data, *written);
	fake.written_len += *written;
	return *written > 0 ? MQUIC_OK : MQUIC_ERR_AGAIN;
}

enum mquic_status __wrap_mquic_relay_finish(struct mquic_relay *relay, const char *reason)
{
	(void)relay;
	fake.finished = true;
	if (reason != NULL)
		snprintf(fake.reason, sizeof(fake.reason), "%s", reason);
	return MQUIC_OK;
}

enum mquic_status __wrap_mquic_relay_close(struct mquic_relay *relay, uint64_t code,
					   const char *reason)
{
	(void)relay;
	fake.closed = true;
	fake.code = code;
	snprintf(fake.reason, sizeof(fake.reason), "%s", reason);
	return MQUIC_OK;
}

void __wrap_mquic_relay_set_userdata(struct mquic_relay *relay, void *userdata)
{
	(void)relay;
	fake.client = userdata;
}

const char *__wrap_mquic_connection_peer_address(const struct mquic_connection *connection)
{
	(void)connection;
	return "192.0.2.1:4433";
}

const char *__wrap_mquic_connection_peer_common_name(const struct mquic_connection *connection)
{
	(void)connection;
	return NULL;
}

uint64_t __wrap_mquic_connection_statistic(const struct mquic_connection *connection,
					   enum mquic_statistic statistic)
{
	(void)connection;
	(void)statistic;
	return 0;
}
/* NOLINTEND(bugprone-reserved-identifier) */
