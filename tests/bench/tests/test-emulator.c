/* SPDX-License-Identifier: MIT */
/* The emulator's logic, on a clock of our own. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../emulator/heap.h"
#include "../emulator/link.h"
#include "../emulator/nat.h"
#include "../emulator/net.h"

#define MS      1000000ULL
#define PACKETS 20000

static struct link_params params;
static struct link_half half;

static void setup(void)
{
	link_params_init(&params);
	link_half_reset(&half, 7, 3);
}

static enum link_verdict offer(uint64_t now_ns, size_t bytes, uint64_t *due_ns)
{
	return link_offer(&half, &params, true, now_ns, bytes, due_ns);
}

START_TEST(an_idle_link_only_delays)
{
	uint64_t due;

	params.rate_bps = 250000;
	params.delay_ns = 5 * MS;
	ck_assert_int_eq(offer(100 * MS, 1500, &due), LINK_PASS);
	ck_assert_uint_eq(due, 105 * MS);
}
END_TEST

START_TEST(a_busy_link_sends_at_its_rate)
{
	uint64_t first = 0;
	uint64_t due = 0;

	params.rate_bps = 8e6; /* a byte in a microsecond */
	params.queue_packets = 1000;
	for (int i = 0; i < 500; i++) {
		ck_assert_int_eq(offer(0, 986, &due), LINK_PASS);
		if (i == 99)
			first = due;
	}
	ck_assert_uint_eq(due - first, 400 * MS);
}
END_TEST

START_TEST(a_bucket_is_sent_at_once)
{
	uint64_t due = 0;

	params.rate_bps = 8e6;
	for (int i = 0; i < 15; i++) {
		ck_assert_int_eq(offer(0, 986, &due), LINK_PASS);
		ck_assert_uint_eq(due, 0);
	}
	offer(0, 986, &due);
	ck_assert_uint_eq(due, 0);
	offer(0, 986, &due);
	ck_assert_uint_eq(due, MS);
}
END_TEST

START_TEST(a_full_queue_refuses_until_one_leaves)
{
	uint64_t due;

	params.delay_ns = MS;
	params.queue_packets = 2;
	ck_assert_int_eq(offer(0, 100, &due), LINK_PASS);
	ck_assert_int_eq(offer(0, 100, &due), LINK_PASS);
	ck_assert_int_eq(offer(0, 100, &due), LINK_FULL);
	link_leave(&half);
	ck_assert_int_eq(offer(0, 100, &due), LINK_PASS);
}
END_TEST

START_TEST(loss_is_within_three_sigma_for_most_seeds)
{
	int outside = 0;
	uint64_t due;

	params.queue_packets = PACKETS;
	params.loss = 0.05;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		link_half_reset(&half, seed, 1);
		for (int i = 0; i < PACKETS; i++)
			offer(0, 100, &due);
		outside +=
			fabs((double)half.lost - 0.05 * PACKETS) > 3 * sqrt(PACKETS * 0.05 * 0.95);
	}
	ck_assert_int_le(outside, 2);
}
END_TEST

START_TEST(loss_repeats_and_depends_on_seed_and_link)
{
	bool lost[3][200];
	const uint64_t seeds[3] = {7, 7, 8};
	uint64_t due;

	params.loss = 0.3;
	for (int run = 0; run < 3; run++) {
		link_half_reset(&half, seeds[run], 3);
		for (int i = 0; i < 200; i++)
			lost[run][i] = offer((uint64_t)i * MS * (uint64_t)(run + 1), 100, &due) ==
				       LINK_LOST;
	}
	ck_assert_int_eq(memcmp(lost[0], lost[1], sizeof(lost[0])), 0);
	ck_assert_int_ne(memcmp(lost[0], lost[2], sizeof(lost[0])), 0);
	ck_assert(link_chance(7, 3, 1, 5) != link_chance(7, 4, 1, 5));
}
END_TEST

START_TEST(bursts_keep_their_mean_and_come_together)
{
	uint64_t due;
	uint64_t pairs = 0;
	bool before = false;

	params.queue_packets = PACKETS;
	params.burst_enter = 0.00833;
	params.burst_leave = 0.2;
	params.burst_loss = 0.5;
	for (int i = 0; i < PACKETS; i++) {
		bool lost = offer(0, 100, &due) == LINK_LOST;

		pairs += lost && before;
		before = lost;
	}
	ck_assert_double_eq_tol((double)half.lost / PACKETS, 0.02, 0.004);
	/* Independent losses would come in pairs in 8 cases. */
	ck_assert_uint_gt(pairs, 80);
}
END_TEST

START_TEST(jitter_keeps_the_order)
{
	uint64_t last = 0;
	uint64_t due;

	params.delay_ns = 10 * MS;
	params.jitter_ns = 5 * MS;
	for (uint64_t i = 0; i < 500; i++) {
		ck_assert_int_eq(offer(i * MS, 100, &due), LINK_PASS);
		ck_assert_uint_ge(due, i * MS + 5 * MS);
		ck_assert_uint_le(due, i * MS + 15 * MS);
		ck_assert_uint_ge(due, last);
		last = due;
	}
}
END_TEST

START_TEST(reordered_packets_skip_the_delay)
{
	uint64_t early = 0;
	uint64_t due;

	params.queue_packets = PACKETS;
	params.delay_ns = 10 * MS;
	params.reorder = 0.1;
	for (int i = 0; i < PACKETS; i++) {
		offer(0, 100, &due);
		early += due == 0;
	}
	ck_assert_double_eq_tol((double)early / PACKETS, 0.1, 0.01);
}
END_TEST

START_TEST(parameters_that_make_no_sense_are_refused)
{
	ck_assert(!link_params_set(&params, "loss", 1.5));
	ck_assert(!link_params_set(&params, "loss", -0.1));
	ck_assert(!link_params_set(&params, "delay_ms", NAN));
	ck_assert(!link_params_set(&params, "queue", 0));
	ck_assert(!link_params_set(&params, "colour", 1));
	ck_assert(link_params_set(&params, "loss", 0.5));
}
END_TEST

/* Two hosts on a triangle of switches. */
static struct net *triangle(void)
{
	struct net *net = calloc(1, sizeof(*net));

	net_add_node(net, "a", 1);
	net_add_node(net, "b", 2);
	net_add_node(net, "s0", 0);
	net_add_node(net, "s1", 0);
	net_add_node(net, "s2", 0);
	net_add_link(net, "a", "s0");
	net_add_link(net, "b", "s1");
	net_add_link(net, "s0", "s1");
	net_add_link(net, "s1", "s2");
	net_add_link(net, "s2", "s0");
	net_reset(net, 1);
	return net;
}

START_TEST(routes_are_shortest_and_heal_around_a_failure)
{
	struct net *net = triangle();

	ck_assert_int_eq(net->routes[net_find_node(net, "s0")][2], net_find_link(net, "s0-s1"));
	ck_assert(net_set_up(net, "s0-s1", false));
	ck_assert_int_eq(net->routes[net_find_node(net, "s0")][2], net_find_link(net, "s2-s0"));
	ck_assert(net_set_up(net, "s2", false));
	ck_assert_int_eq(net->routes[net_find_node(net, "s0")][2], -1);
	ck_assert(!net_set_up(net, "s7", false));
	net_reset(net, 1);
	ck_assert_int_eq(net->routes[net_find_node(net, "s0")][2], net_find_link(net, "s0-s1"));
	free(net);
}
END_TEST

START_TEST(names_are_unique_and_links_join_known_nodes)
{
	struct net *net = triangle();

	ck_assert_int_eq(net_add_node(net, "a", 9), -1);
	ck_assert_int_eq(net_add_node(net, "a-name-that-is-far-too-long", 9), -1);
	ck_assert_int_eq(net_add_link(net, "a", "nobody"), -1);
	ck_assert_int_eq(net_add_link(net, "a", "a"), -1);
	free(net);
}
END_TEST

/* The checksum over all 16-bit words of a packet is 0xffff when it is right. */
static uint32_t sum_words(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* A UDP packet of 8 bytes of header and 4 of payload, with a right checksum. */
static void make_packet(uint8_t packet[32], uint16_t from, uint16_t to)
{
	uint32_t sum;

	memset(packet, 0, 32);
	packet[0] = 0x45;
	packet[9] = 17;
	packet[20] = (uint8_t)(from >> 8);
	packet[21] = (uint8_t)from;
	packet[22] = (uint8_t)(to >> 8);
	packet[23] = (uint8_t)to;
	packet[25] = 12;
	memcpy(packet + 28, "data", 4);
	sum = 0xffff - sum_words(packet + 20, 12, 0);
	packet[26] = (uint8_t)(sum >> 8);
	packet[27] = (uint8_t)sum;
}

START_TEST(a_nat_maps_there_and_back_with_right_checksums)
{
	struct nat nat = {.active = true};
	uint8_t packet[32];
	uint8_t answer[32];
	uint16_t outside;

	nat_reset(&nat);
	make_packet(packet, 40000, 14567);
	ck_assert(nat_outward(&nat, packet, sizeof(packet)));
	outside = (uint16_t)(packet[20] << 8 | packet[21]);
	ck_assert_uint_ne(outside, 40000);
	ck_assert_uint_eq(sum_words(packet + 20, 12, 0), 0xffff);
	make_packet(answer, 14567, outside);
	ck_assert(nat_inward(&nat, answer, sizeof(answer)));
	ck_assert_uint_eq((unsigned int)(answer[22] << 8 | answer[23]), 40000);
	ck_assert_uint_eq(sum_words(answer + 20, 12, 0), 0xffff);
}
END_TEST

START_TEST(a_nat_that_was_rebound_forgets_and_maps_elsewhere)
{
	struct nat nat = {.active = true};
	uint8_t packet[32];
	uint8_t answer[32];
	uint16_t outside;

	nat_reset(&nat);
	make_packet(packet, 40000, 14567);
	nat_outward(&nat, packet, sizeof(packet));
	outside = (uint16_t)(packet[20] << 8 | packet[21]);
	nat_rebind(&nat);
	make_packet(answer, 14567, outside);
	ck_assert(!nat_inward(&nat, answer, sizeof(answer)));
	make_packet(packet, 40000, 14567);
	ck_assert(nat_outward(&nat, packet, sizeof(packet)));
	ck_assert_uint_ne((unsigned int)(packet[20] << 8 | packet[21]), outside);
}
END_TEST

START_TEST(packets_come_out_by_due_time_and_order)
{
	struct heap heap = {.count = 0};
	uint64_t last_due = 0;
	uint64_t last_order = 0;

	for (uint64_t i = 0; i < 1000; i++) {
		struct packet *packet = heap_packet(&heap);

		packet->due_ns = (uint64_t)(link_chance(1, 1, 1, i) * 50);
		ck_assert(heap_push(&heap, packet));
	}
	for (int i = 0; i < 1000; i++) {
		struct packet *packet = heap_pop(&heap);

		ck_assert(packet->due_ns > last_due ||
			  (packet->due_ns == last_due && (i == 0 || packet->order > last_order)));
		last_due = packet->due_ns;
		last_order = packet->order;
		heap_recycle(&heap, packet);
	}
	ck_assert_ptr_null(heap_pop(&heap));
	heap_clear(&heap);
	free(heap.items);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bench-emulator");
	TCase *tests = tcase_create("emulator");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, an_idle_link_only_delays);
	tcase_add_test(tests, a_busy_link_sends_at_its_rate);
	tcase_add_test(tests, a_bucket_is_sent_at_once);
	tcase_add_test(tests, a_full_queue_refuses_until_one_leaves);
	tcase_add_test(tests, loss_is_within_three_sigma_for_most_seeds);
	tcase_add_test(tests, loss_repeats_and_depends_on_seed_and_link);
	tcase_add_test(tests, bursts_keep_their_mean_and_come_together);
	tcase_add_test(tests, jitter_keeps_the_order);
	tcase_add_test(tests, reordered_packets_skip_the_delay);
	tcase_add_test(tests, parameters_that_make_no_sense_are_refused);
	tcase_add_test(tests, routes_are_shortest_and_heal_around_a_failure);
	tcase_add_test(tests, names_are_unique_and_links_join_known_nodes);
	tcase_add_test(tests, a_nat_maps_there_and_back_with_right_checksums);
	tcase_add_test(tests, a_nat_that_was_rebound_forgets_and_maps_elsewhere);
	tcase_add_test(tests, packets_come_out_by_due_time_and_order);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
