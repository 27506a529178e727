/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include <ngtcp2/ngtcp2.h>

#include "quic/random.h"
#include "quic/token.h"

#define SECOND ((uint64_t)1000000000)

static struct token_secrets secrets;
static struct address client;
static struct ngtcp2_pkt_hd hd; /* of the client's first packet */
static struct ngtcp2_cid back;  /* where a Retry sends it */

static void set_up(void)
{
	struct error error;

	memset(secrets.reset, 1, sizeof(secrets.reset));
	memset(secrets.retry, 2, sizeof(secrets.retry));
	ck_assert_int_eq(address_parse(&client, "192.0.2.1", 4433, &error), MQUIC_OK);
	memset(&hd, 0, sizeof(hd));
	hd.version = NGTCP2_PROTO_VER_V1;
	ngtcp2_cid_init(&hd.dcid, (const uint8_t *)"firstdcid0123456", 16);
	ngtcp2_cid_init(&hd.scid, (const uint8_t *)"clientid", 8);
	ngtcp2_cid_init(&back, (const uint8_t *)"comeback", QUIC_CID_LEN);
}

/* ---- Stateless reset ------------------------------------------------------------- */

START_TEST(reset_token_depends_on_identifier_and_secret_alone)
{
	struct token_secrets others = secrets;
	uint8_t one[RESET_TOKEN_LEN];
	uint8_t two[RESET_TOKEN_LEN];
	ngtcp2_cid cid;

	ngtcp2_cid_init(&cid, (const uint8_t *)"abcdefgh", QUIC_CID_LEN);
	ck_assert(token_reset(one, &secrets, &cid));
	ck_assert(token_reset(two, &secrets, &cid));
	ck_assert_mem_eq(one, two, sizeof(one));
	others.reset[31] ^= 1;
	ck_assert(token_reset(two, &others, &cid));
	ck_assert_mem_ne(one, two, sizeof(one));
	cid.data[7] ^= 1;
	ck_assert(token_reset(two, &secrets, &cid));
	ck_assert_mem_ne(one, two, sizeof(one));
}
END_TEST

START_TEST(reset_is_shorter_than_what_provoked_it)
{
	uint8_t packet[1200];
	uint8_t token[RESET_TOKEN_LEN];
	uint8_t dcid[QUIC_CID_LEN] = {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'};
	ngtcp2_cid cid;
	size_t trigger;

	ngtcp2_cid_init(&cid, dcid, sizeof(dcid));
	ck_assert(token_reset(token, &secrets, &cid));
	for (trigger = 0; trigger < 1300; trigger++) {
		size_t len = token_write_reset(packet, sizeof(packet), &secrets, dcid, trigger);

		if (trigger <= 21) {
			ck_assert_uint_eq(len, 0);
			continue;
		}
		ck_assert_uint_ge(len, 21);
		ck_assert_uint_lt(len, trigger);
		ck_assert_uint_le(len, 100);
		ck_assert_uint_eq(packet[0] & 0xc0, 0x40); /* as any short header */
		ck_assert_mem_eq(packet + len - sizeof(token), token, sizeof(token));
	}
}
END_TEST

/* ---- Retry --------------------------------------------------------------------------- */

static uint8_t retry[1200];

/* Has the server demand Retry, and makes `hd` the packet the client comes back with. */
static void come_back(uint64_t now_ns)
{
	size_t len = token_write_retry(retry, sizeof(retry), &secrets, &hd, &back, &client, now_ns);
	size_t dcid_len;
	size_t scid_len;

	ck_assert_uint_gt(len, 40);
	ck_assert_uint_eq(retry[0] & 0xf0, 0xf0);
	dcid_len = retry[5];
	ck_assert_uint_eq(dcid_len, hd.scid.datalen);
	ck_assert_mem_eq(retry + 6, hd.scid.data, dcid_len);
	scid_len = retry[6 + dcid_len];
	ck_assert_uint_eq(scid_len, QUIC_CID_LEN);
	ck_assert_mem_eq(retry + 7 + dcid_len, back.data, scid_len);
	ngtcp2_cid_init(&hd.dcid, retry + 7 + dcid_len, scid_len);
	hd.token = retry + 7 + dcid_len + scid_len;
	hd.tokenlen = len - (7 + dcid_len + scid_len) - 16; /* the integrity tag */
}

static enum token_verdict judge(const struct address *remote, uint64_t now_ns, ngtcp2_cid *original)
{
	return token_check(&secrets, &hd, remote, now_ns, original);
}

START_TEST(retry_token_proves_address_and_first_identifier)
{
	ngtcp2_cid first = hd.dcid;
	ngtcp2_cid original;

	come_back(100 * SECOND);
	ck_assert_int_eq(judge(&client, 101 * SECOND, &original), TOKEN_VALID);
	ck_assert(ngtcp2_cid_eq(&original, &first));
}
END_TEST

START_TEST(retry_token_is_of_no_use_to_others_or_later)
{
	struct address other = client;
	ngtcp2_cid original;
	ngtcp2_cid kept;

	come_back(100 * SECOND);
	other.of.in.sin_addr.s_addr ^= 1;
	ck_assert_int_eq(judge(&other, 101 * SECOND, &original), TOKEN_INVALID);
	other = client;
	other.of.in.sin_port ^= 1;
	ck_assert_int_eq(judge(&other, 101 * SECOND, &original), TOKEN_INVALID);
	ck_assert_int_eq(judge(&client, 111 * SECOND, &original), TOKEN_INVALID);
	kept = hd.dcid;
	hd.dcid.data[0] ^= 1;
	ck_assert_int_eq(judge(&client, 101 * SECOND, &original), TOKEN_INVALID);
	hd.dcid = kept;
	secrets.retry[0] ^= 1;
	ck_assert_int_eq(judge(&client, 101 * SECOND, &original), TOKEN_INVALID);
	secrets.retry[0] ^= 1;
	ck_assert_int_eq(judge(&client, 101 * SECOND, &original), TOKEN_VALID);
}
END_TEST

START_TEST(changed_retry_token_is_invalid)
{
	ngtcp2_cid original;
	size_t i;

	come_back(100 * SECOND);
	for (i = 1; i < hd.tokenlen; i++) {
		((uint8_t *)(uintptr_t)hd.token)[i] ^= 0x10;
		ck_assert_int_eq(judge(&client, 101 * SECOND, &original), TOKEN_INVALID);
		((uint8_t *)(uintptr_t)hd.token)[i] ^= 0x10;
	}
	hd.tokenlen--;
	ck_assert_int_eq(judge(&client, 101 * SECOND, &original), TOKEN_INVALID);
}
END_TEST

START_TEST(token_of_another_kind_proves_nothing)
{
	ngtcp2_cid original;

	hd.token = (const uint8_t *)"of another server";
	hd.tokenlen = 17;
	ck_assert_int_eq(judge(&client, SECOND, &original), TOKEN_NONE);
	hd.tokenlen = 0;
	ck_assert_int_eq(judge(&client, SECOND, &original), TOKEN_NONE);
}
END_TEST

/* ---- Other answers --------------------------------------------------------------------- */

START_TEST(answers_need_room)
{
	uint8_t packet[1200];
	uint8_t id[20] = {0};

	ck_assert_uint_eq(token_write_retry(packet, 20, &secrets, &hd, &back, &client, SECOND), 0);
	ck_assert_uint_eq(token_write_refusal(packet, 20, &hd, NGTCP2_CONNECTION_REFUSED, "no"), 0);
	ck_assert_uint_eq(token_write_version_negotiation(packet, 20, id, 20, id, 20), 0);
	ck_assert_uint_gt(
		token_write_refusal(packet, sizeof(packet), &hd, NGTCP2_CONNECTION_REFUSED, "no"),
		0);
}
END_TEST

START_TEST(version_negotiation_swaps_identifiers_of_any_length)
{
	uint8_t packet[1200];
	uint8_t id[255];
	size_t len;

	memset(id, 'd', sizeof(id));
	len = token_write_version_negotiation(packet, sizeof(packet), id, 255, id, 3);
	ck_assert_uint_eq(len, 1 + 4 + 1 + 3 + 1 + 255 + 8);
	ck_assert_uint_eq(packet[5], 3);
	ck_assert_uint_eq(packet[9], 255);
}
END_TEST

START_TEST(random_bytes_fill_any_length)
{
	uint8_t bytes[1000] = {0};
	uint8_t none[1000] = {0};

	random_fill(bytes, 0);
	ck_assert_mem_eq(bytes, none, sizeof(bytes));
	random_fill(bytes, sizeof(bytes));
	ck_assert_mem_ne(bytes, none, 32);
	ck_assert_mem_ne(bytes + 968, none, 32);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&reset_token_depends_on_identifier_and_secret_alone,
		&reset_is_shorter_than_what_provoked_it,
		&retry_token_proves_address_and_first_identifier,
		&retry_token_is_of_no_use_to_others_or_later,
		&changed_retry_token_is_invalid,
		&token_of_another_kind_proves_nothing,
		&answers_need_room,
		&version_negotiation_swaps_identifiers_of_any_length,
		&random_bytes_fill_any_length,
	};

	return unit_run("token", set_up, NULL, tests, COUNT(tests));
}
