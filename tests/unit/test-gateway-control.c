/* SPDX-License-Identifier: MIT */
/* What goes over the socket of mquic-status: both sides look at what the other one says. */
#include <string.h>

#include "control.h"
#include "unit.h"

static struct control_packet packet;

static void setup(void)
{
	memset(&packet, 0, sizeof(packet));
	packet.head.version = CONTROL_VERSION;
}

static void teardown(void)
{
}

static size_t with_clients(uint32_t count)
{
	packet.head.kind = CONTROL_CLIENTS;
	packet.head.count = count;
	return sizeof(packet.head) + count * sizeof(packet.clients[0]);
}

START_TEST(requests_are_looked_at)
{
	struct control_request request = {CONTROL_VERSION, CONTROL_CLOSE, 2, 17};
	struct control_request got;
	uint8_t longer[sizeof(request) + 1] = {0};

	ck_assert(control_read_request(&got, &request, sizeof(request)));
	ck_assert_uint_eq(got.worker, 2);
	ck_assert_uint_eq(got.client, 17);
	ck_assert(!control_read_request(&got, &request, sizeof(request) - 1));
	ck_assert(!control_read_request(&got, &request, 0));
	memcpy(longer, &request, sizeof(request));
	ck_assert(!control_read_request(&got, longer, sizeof(longer)));
	request.wish = 0;
	ck_assert(!control_read_request(&got, &request, sizeof(request)));
	request.wish = CONTROL_RESTART + 1;
	ck_assert(!control_read_request(&got, &request, sizeof(request)));
	request.wish = CONTROL_LIST;
	request.version++;
	ck_assert(!control_read_request(&got, &request, sizeof(request)));
}
END_TEST

START_TEST(answers_have_a_kind_and_a_length)
{
	uint32_t kind;

	for (kind = CONTROL_ASKED; kind <= CONTROL_UNKNOWN; kind++) {
		packet.head.kind = kind;
		ck_assert(control_check_answer(&packet, sizeof(packet.head)) ==
			  (kind != CONTROL_CLIENTS));
		ck_assert(!control_check_answer(&packet, sizeof(packet.head) - 1));
		ck_assert(!control_check_answer(&packet, sizeof(packet.head) + 1));
	}
	packet.head.kind = 0;
	ck_assert(!control_check_answer(&packet, sizeof(packet.head)));
	packet.head.kind = CONTROL_UNKNOWN + 1;
	ck_assert(!control_check_answer(&packet, sizeof(packet.head)));
	packet.head.kind = CONTROL_DONE;
	packet.head.version++;
	ck_assert(!control_check_answer(&packet, sizeof(packet.head)));
}
END_TEST

START_TEST(as_many_clients_as_it_says)
{
	ck_assert(control_check_answer(&packet, with_clients(1)));
	ck_assert(control_check_answer(&packet, with_clients(CONTROL_CLIENTS_MAX)));
	ck_assert(!control_check_answer(&packet, with_clients(0)));
	ck_assert(!control_check_answer(&packet, with_clients(CONTROL_CLIENTS_MAX + 1)));
	ck_assert(!control_check_answer(&packet, with_clients(2) - 1));
	ck_assert(!control_check_answer(&packet, with_clients(UINT32_MAX)));
}
END_TEST

START_TEST(texts_end_within_their_fields)
{
	struct client_facts *last = &packet.clients[2];
	char *const texts[] = {last->address, last->cipher, last->id, last->user};
	const size_t sizes[] = {sizeof(last->address), sizeof(last->cipher), sizeof(last->id),
				sizeof(last->user)};
	size_t i;

	for (i = 0; i < COUNT(texts); i++) {
		memset(texts[i], 'x', sizes[i]);
		ck_assert(!control_check_answer(&packet, with_clients(3)));
		ck_assert(control_check_answer(&packet, with_clients(2)));
		texts[i][sizes[i] - 1] = '\0';
		ck_assert(control_check_answer(&packet, with_clients(3)));
	}
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&requests_are_looked_at,
		&answers_have_a_kind_and_a_length,
		&as_many_clients_as_it_says,
		&texts_end_within_their_fields,
	};

	return unit_run("gateway-control", setup, teardown, tests, COUNT(tests));
}
