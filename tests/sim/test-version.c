/* SPDX-License-Identifier: MIT */
/* Servers that do not speak the version of QUIC that a client comes with. */
#include <string.h>

#include "pair.h"
#include "quic/token.h"

#define LISTED_MAX 300

/* What the server in the way answers to version 1. */
static uint32_t listed[LISTED_MAX];
static size_t listed_count;
static unsigned int refused;  /* Initials of version 1 */
static unsigned int admitted; /* of version 2 */

/* What the server says in the handshake that it speaks, NULL: what it likes. */
static const uint32_t *deployed;
static size_t deployed_count;

int __real_ngtcp2_conn_server_new_versioned(ngtcp2_conn **conn, const ngtcp2_cid *dcid,
					    const ngtcp2_cid *scid, const ngtcp2_path *path,
					    uint32_t version, int callbacks_version,
					    const ngtcp2_callbacks *callbacks, int settings_version,
					    const ngtcp2_settings *settings, int params_version,
					    const ngtcp2_transport_params *params,
					    const ngtcp2_mem *mem, void *user_data);
int __wrap_ngtcp2_conn_server_new_versioned(ngtcp2_conn **conn, const ngtcp2_cid *dcid,
					    const ngtcp2_cid *scid, const ngtcp2_path *path,
					    uint32_t version, int callbacks_version,
					    const ngtcp2_callbacks *callbacks, int settings_version,
					    const ngtcp2_settings *settings, int params_version,
					    const ngtcp2_transport_params *params,
					    const ngtcp2_mem *mem, void *user_data);

int __wrap_ngtcp2_conn_server_new_versioned(ngtcp2_conn **conn, const ngtcp2_cid *dcid,
					    const ngtcp2_cid *scid, const ngtcp2_path *path,
					    uint32_t version, int callbacks_version,
					    const ngtcp2_callbacks *callbacks, int settings_version,
					    const ngtcp2_settings *settings, int params_version,
					    const ngtcp2_transport_params *params,
					    const ngtcp2_mem *mem, void *user_data)
{
	ngtcp2_settings changed = *settings;

	changed.available_versions = deployed;
	changed.available_versionslen = deployed_count;
	return __real_ngtcp2_conn_server_new_versioned(
		conn, dcid, scid, path, version, callbacks_version, callbacks, settings_version,
		&changed, params_version, params, mem, user_data);
}

static uint32_t version_of(const struct datagram *datagram)
{
	const uint8_t *at = datagram->data + 1;

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void answer(const struct datagram *initial)
{
	uint8_t packet[64 + 4 * LISTED_MAX];
	ngtcp2_version_cid ids;
	ngtcp2_ssize len;

	(void)ngtcp2_pkt_decode_version_cid(&ids, initial->data, initial->len, QUIC_CID_LEN);
	len = ngtcp2_pkt_write_version_negotiation(packet, sizeof(packet), 0, ids.scid, ids.scidlen,
						   ids.dcid, ids.dcidlen, listed, listed_count);
	ck_assert_int_gt(len, 0);
	sim_inject(pair.sim, &initial->local, &initial->remote, packet, (size_t)len);
}

/* Stands before the server and lets version 1 not through. */
static bool turn_away(struct sim_host *host, const struct datagram *datagram)
{
	(void)host;
	if ((datagram->data[0] & 0x80) == 0)
		return false;
	if (version_of(datagram) != NGTCP2_PROTO_VER_V1) {
		admitted += version_of(datagram) == NGTCP2_PROTO_VER_V2;
		return false;
	}
	refused++;
	answer(datagram);
	return true;
}

static void offer(const uint32_t *versions, size_t count)
{
	memcpy(listed, versions, count * sizeof(*versions));
	listed_count = count;
}

static const uint32_t second[] = {NGTCP2_PROTO_VER_V2};
static const uint32_t both[] = {NGTCP2_PROTO_VER_V1, NGTCP2_PROTO_VER_V2};

static void set_up(void)
{
	pair_open();
	refused = admitted = 0;
	pair.server->intercept = turn_away;
	offer(second, 1);
	deployed = second;
	deployed_count = 1;
	pair_listen();
}

START_TEST(server_of_version_2_alone_is_reached)
{
	struct mquic_stream *stream;
	size_t sent;

	pair_dial();
	/* What is to be sent does not get lost with the first attempt. */
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"hello", 5, &sent), MQUIC_OK);
	pair_wait(pair_is_connected, 2);
	ck_assert_uint_eq(refused, 1);
	ck_assert_uint_gt(admitted, 0);
	ck_assert_uint_eq(pair.ready, 1);
	ck_assert_str_eq(mquic_connection_alpn(pair.dialed), "mqtt");
	ck_assert_str_eq(mquic_connection_alpn(pair.accepted[0]), "mqtt");
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(mquic_stream_bytes_pending(stream), 0);
	ck_assert_uint_eq(pair.client_end.told, 0);
	mquic_stream_free(stream);
}
END_TEST

START_TEST(offers_are_read_to_their_end)
{
	uint32_t many[LISTED_MAX];
	size_t i;

	for (i = 0; i < LISTED_MAX; i++)
		many[i] = 0xff000000 + (uint32_t)i;
	many[LISTED_MAX - 1] = NGTCP2_PROTO_VER_V2;
	offer(many, LISTED_MAX);
	pair_dial();
	pair_wait(pair_is_connected, 2);
}
END_TEST

START_TEST(server_of_version_2_alone_may_demand_retry)
{
	struct sim_host *strict = sim_host_new(pair.sim, 3);

	mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_ALWAYS);
	strict->on_event = pair.server->on_event;
	strict->intercept = turn_away;
	ck_assert_int_eq(sim_listen(strict, pair.server_settings, PAIR_PORT), MQUIC_OK);
	ck_assert_int_eq(mquic_connection_dial(&pair.dialed, pair.client->endpoint,
					       pair.client_settings, "10.0.0.3", PAIR_PORT),
			 MQUIC_OK);
	pair_wait(pair_is_connected, 2);
	ck_assert_uint_ge(admitted, 2);
}
END_TEST

START_TEST(first_attempt_counts_against_the_time_for_the_handshake)
{
	mquic_settings_set_handshake_timeout_ms(pair.client_settings, 1000);
	pair_dial();
	sim_run(pair.sim, 7 * SIM_MS); /* the offer is on its way */
	pair.server->send_error = 101;
	sim_run(pair.sim, 800 * SIM_MS);
	ck_assert_uint_eq(pair.client_end.told, 0);
	sim_run(pair.sim, 250 * SIM_MS);
	ck_assert_uint_eq(pair.client_end.told, 1);
	ck_assert_int_eq(pair.client_end.status, MQUIC_ERR_TIMEOUT);
}
END_TEST

START_TEST(offer_that_lists_our_version_is_ignored)
{
	offer(both, 2);
	mquic_settings_set_handshake_timeout_ms(pair.client_settings, 2000);
	pair_dial();
	pair_wait(pair_client_is_over, 5);
	ck_assert_int_eq(pair.client_end.status, MQUIC_ERR_TIMEOUT);
	ck_assert_uint_gt(refused, 1);
	ck_assert_uint_eq(admitted, 0);
}
END_TEST

/* Somebody on the path wants version 2, and the server speaks both. */
START_TEST(downgrade_is_noticed)
{
	deployed = both;
	deployed_count = 2;
	pair_dial();
	pair_wait(pair_client_is_over, 5);
	ck_assert_int_eq(pair.client_end.status, MQUIC_ERR_PROTOCOL);
	ck_assert_uint_eq(pair.client_end.code, NGTCP2_VERSION_NEGOTIATION_ERROR);
	ck_assert_uint_eq(pair.ready, 0);
}
END_TEST

static bool offer_once_more(struct sim_host *host, const struct datagram *datagram)
{
	(void)host;
	if ((datagram->data[0] & 0x80) == 0)
		return false;
	refused++;
	answer(datagram);
	return true;
}

START_TEST(one_offer_is_followed)
{
	/* Whatever it is tried with, it offers version 2, or something else. */
	static const uint32_t other[] = {0x1a2a3a4a};

	pair.server->intercept = offer_once_more;
	mquic_settings_set_handshake_timeout_ms(pair.client_settings, 2000);
	pair_dial();
	sim_run(pair.sim, 7 * SIM_MS);
	ck_assert_uint_eq(refused, 1);
	offer(other, 1);
	pair_wait(pair_client_is_over, 5);
	ck_assert_int_eq(pair.client_end.status, MQUIC_ERR_TIMEOUT);
	ck_assert_uint_lt(refused, 20);
}
END_TEST

START_TEST(server_without_any_of_our_versions_is_told)
{
	static const uint32_t other[] = {0x1a2a3a4a, 0xff00001d};

	offer(other, 2);
	pair_dial();
	pair_wait(pair_client_is_over, 1);
	pair_expect_end(&pair.client_end, MQUIC_ERR_PROTOCOL, MQUIC_ORIGIN_TRANSPORT, 0,
			"no QUIC version");
	ck_assert_uint_eq(refused, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-version");
	TCase *group = tcase_create("version");

	tcase_set_timeout(group, 120);
	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, pair_close);
	tcase_add_test(group, server_of_version_2_alone_is_reached);
	tcase_add_test(group, offers_are_read_to_their_end);
	tcase_add_test(group, server_of_version_2_alone_may_demand_retry);
	tcase_add_test(group, first_attempt_counts_against_the_time_for_the_handshake);
	tcase_add_test(group, offer_that_lists_our_version_is_ignored);
	tcase_add_test(group, downgrade_is_noticed);
	tcase_add_test(group, one_offer_is_followed);
	tcase_add_test(group, server_without_any_of_our_versions_is_told);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
