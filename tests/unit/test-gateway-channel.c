/* SPDX-License-Identifier: MIT */
/* The messages of plugin and worker: what arrives, and what is refused whoever sends it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <mquic.h>

#include "channel.h"
#include "server/counters.h"
#include "unit.h"

static int ends[2]; /* the plugin's and the worker's */
static uint8_t packet[CHANNEL_PACKET_MAX];
static char long_text[CHANNEL_PACKET_MAX];
static struct channel_message got;

static void setup(void)
{
	ck_assert(channel_open(ends));
	memset(long_text, 'x', sizeof(long_text));
}

static void teardown(void)
{
	close(ends[0]);
	close(ends[1]);
}

/* One of each type, as it should be. */
static struct channel_message sample(enum channel_type type)
{
	struct channel_message message = {.type = type, .fd = -1};

	switch (type) {
	case CHANNEL_OPTION:
		message.text = channel_text("listen");
		message.more = channel_text("[::1]:14567");
		break;
	case CHANNEL_SOCKET:
	case CHANNEL_ROLL:
	case CHANNEL_ORPHANS:
	case CHANNEL_LIST:
	case CHANNEL_CLOSE:
		message.fd = ends[0];
		break;
	case CHANNEL_SHARE:
		message.limit = 1;
		message.text = channel_text("0123456789abcdef0123456789abcdef");
		break;
	case CHANNEL_FAILED:
	case CHANNEL_LINE:
		message.text = channel_text("a line");
		break;
	case CHANNEL_ANNOUNCE:
		message.more = channel_text("192.0.2.1:5");
		break;
	case CHANNEL_PRESENT:
		message.text = channel_text("phone");
		message.more = (struct channel_text){"\x10\0\0", 3};
		message.fd = ends[0];
		break;
	case CHANNEL_COUNTERS:
		message.more = (struct channel_text){long_text, sizeof(struct counters_packet)};
		break;
	default:
		break;
	}
	return message;
}

static bool is_of_worker(enum channel_type type)
{
	return type >= CHANNEL_READY;
}

static enum channel_status receive(bool of_worker)
{
	return channel_receive(of_worker ? ends[0] : ends[1], of_worker, packet, sizeof(packet),
			       &got);
}

/* Sends from whom it must not come as well as from whom it may. */
static enum channel_status pass(const struct channel_message *message, bool of_worker)
{
	ck_assert(channel_send(of_worker ? ends[1] : ends[0], message));
	return receive(of_worker);
}

static enum channel_status pass_own(const struct channel_message *message)
{
	return pass(message, is_of_worker(message->type));
}

START_TEST(every_message_arrives)
{
	int type;

	for (type = 0; type < CHANNEL_TYPES; type++) {
		struct channel_message message = sample((enum channel_type)type);

		ck_assert_msg(pass_own(&message) == CHANNEL_RECEIVED, "type %d", type);
		ck_assert_int_eq(got.type, type);
		ck_assert_uint_eq(got.text.len, message.text.len);
		ck_assert_uint_eq(got.more.len, message.more.len);
		ck_assert(got.text.data == NULL || strcmp(got.text.data, message.text.data) == 0);
		ck_assert(got.more.data == NULL ||
			  memcmp(got.more.data, message.more.data, message.more.len) == 0);
		ck_assert_int_eq(got.fd >= 0, message.fd >= 0);
		if (got.fd >= 0)
			close(got.fd);
	}
	ck_assert_int_eq(receive(true), CHANNEL_EMPTY);
}
END_TEST

/* It becomes an index. */
START_TEST(there_are_so_many_listeners_and_no_more)
{
	static const enum channel_type types[] = {CHANNEL_SOCKET,  CHANNEL_PLACES, CHANNEL_START,
						  CHANNEL_SHUT,    CHANNEL_TAKEN,  CHANNEL_ANNOUNCE,
						  CHANNEL_BYPASSED};
	struct channel_message other = sample(CHANNEL_GONE);
	size_t i;

	for (i = 0; i < COUNT(types); i++) {
		struct channel_message message = sample(types[i]);

		message.listener = OPTIONS_LISTENERS_MAX - 1;
		ck_assert_int_eq(pass_own(&message), CHANNEL_RECEIVED);
		ck_assert_uint_eq(got.listener, OPTIONS_LISTENERS_MAX - 1);
		if (got.fd >= 0)
			close(got.fd);
		message.listener = OPTIONS_LISTENERS_MAX;
		ck_assert_int_eq(pass_own(&message), CHANNEL_BROKEN);
	}
	other.listener = 1;
	ck_assert_int_eq(pass_own(&other), CHANNEL_BROKEN);
}
END_TEST

/* All that a worker is told at its start waits in the channel until it reads. */
START_TEST(channel_has_room_for_a_large_configuration)
{
	struct channel_message option = sample(CHANNEL_OPTION);
	struct channel_message handed = sample(CHANNEL_SOCKET);
	struct channel_message places = sample(CHANNEL_PLACES);
	int i;

	option.more = (struct channel_text){long_text, 200};
	for (i = 0; i < OPTIONS_LINES_MAX; i++)
		ck_assert(channel_send(ends[0], &option));
	for (i = 0; i < OPTIONS_ADDRESSES_MAX; i++)
		ck_assert(channel_send(ends[0], &handed));
	for (i = 0; i < OPTIONS_LISTENERS_MAX; i++)
		ck_assert(channel_send(ends[0], &places));
}
END_TEST

START_TEST(nobody_says_what_is_the_others_to_say)
{
	int type;

	for (type = 0; type < CHANNEL_TYPES; type++) {
		struct channel_message message = sample((enum channel_type)type);

		ck_assert_msg(pass(&message, !is_of_worker(message.type)) == CHANNEL_BROKEN,
			      "type %d", type);
	}
}
END_TEST

static int count_fds(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

START_TEST(a_descriptor_comes_only_where_it_belongs)
{
	int before = count_fds();
	int type;

	for (type = 0; type < CHANNEL_TYPES; type++) {
		struct channel_message message = sample((enum channel_type)type);

		message.fd = message.fd >= 0 ? -1 : ends[0];
		ck_assert_msg(pass_own(&message) == CHANNEL_BROKEN, "type %d", type);
		ck_assert_int_eq(count_fds(), before);
	}
}
END_TEST

START_TEST(several_descriptors_are_refused_and_closed)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = {0};
	int fds[8] = {ends[0], ends[0], ends[0], ends[0], ends[1], ends[1], ends[1], ends[1]};
	struct iovec part = {packet, 0};
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int before = count_fds();
	size_t size;

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
	for (size = 0; size < 64; size += 40) {
		part.iov_len = size;
		memset(packet, 0, size);
		ck_assert_int_eq(sendmsg(ends[1], &header, 0), (ssize_t)size);
		ck_assert_int_ne(receive(true), CHANNEL_RECEIVED);
		ck_assert_int_eq(count_fds(), before);
	}
}
END_TEST

/* It ends with something left to read, as one does that cannot serve. */
START_TEST(last_words_are_heard)
{
	struct channel_message question = sample(CHANNEL_PING);
	struct channel_message words = sample(CHANNEL_FAILED);

	ck_assert(channel_send(ends[0], &question));
	ck_assert(channel_send(ends[1], &words));
	close(ends[1]);
	ck_assert_int_eq(receive(true), CHANNEL_RECEIVED);
	ck_assert_int_eq(got.type, CHANNEL_FAILED);
	ck_assert_int_eq(receive(true), CHANNEL_ENDED);
	ends[1] = dup(ends[0]);
}
END_TEST

static void check_text(enum channel_type type, size_t len, enum channel_status expected)
{
	struct channel_message message = sample(type);

	message.text = (struct channel_text){long_text, len};
	ck_assert_msg(pass_own(&message) == expected, "type %d, %zu bytes", type, len);
	if (expected == CHANNEL_RECEIVED && got.fd >= 0)
		close(got.fd);
}

START_TEST(texts_have_an_end)
{
	check_text(CHANNEL_LINE, CHANNEL_LINE_MAX, CHANNEL_RECEIVED);
	check_text(CHANNEL_LINE, CHANNEL_LINE_MAX + 1, CHANNEL_BROKEN);
	check_text(CHANNEL_LINE, 0, CHANNEL_BROKEN);
	check_text(CHANNEL_ANNOUNCE, CHANNEL_STRING_MAX, CHANNEL_RECEIVED);
	check_text(CHANNEL_ANNOUNCE, CHANNEL_STRING_MAX + 1, CHANNEL_BROKEN);
	check_text(CHANNEL_PRESENT, CHANNEL_STRING_MAX, CHANNEL_RECEIVED);
	check_text(CHANNEL_GONE, 1, CHANNEL_BROKEN);
	check_text(CHANNEL_PONG, 0, CHANNEL_BROKEN);
}
END_TEST

START_TEST(the_largest_message_fits)
{
	struct channel_message message = sample(CHANNEL_PRESENT);

	message.text = (struct channel_text){long_text, CHANNEL_STRING_MAX};
	message.more = (struct channel_text){long_text, CHANNEL_CONNECT_MAX};
	ck_assert_int_eq(pass_own(&message), CHANNEL_RECEIVED);
	ck_assert_uint_eq(got.more.len, CHANNEL_CONNECT_MAX);
	close(got.fd);
	message.more.len++;
	ck_assert_int_eq(pass_own(&message), CHANNEL_BROKEN);
}
END_TEST

START_TEST(what_is_missing_is_noticed)
{
	struct channel_message message = sample(CHANNEL_ANNOUNCE);

	ck_assert_int_eq(pass_own(&message), CHANNEL_RECEIVED);
	ck_assert_ptr_null(got.text.data);
	message.more.data = NULL;
	ck_assert_int_eq(pass_own(&message), CHANNEL_BROKEN);
	message = sample(CHANNEL_FAILED);
	message.text.data = NULL;
	ck_assert_int_eq(pass_own(&message), CHANNEL_BROKEN);
}
END_TEST

START_TEST(numbers_have_a_range)
{
	struct channel_message message = sample(CHANNEL_LINE);

	message.number = MQUIC_LOG_DEBUG;
	ck_assert_int_eq(pass_own(&message), CHANNEL_RECEIVED);
	message.number = MQUIC_LOG_DEBUG + 1;
	ck_assert_int_eq(pass_own(&message), CHANNEL_BROKEN);
	message = sample(CHANNEL_ANNOUNCE);
	message.number = CHANNEL_KINDS;
	ck_assert_int_eq(pass_own(&message), CHANNEL_BROKEN);
	message = sample(CHANNEL_SOCKET);
	message.number = OPTIONS_LISTEN_MAX;
	ck_assert_int_eq(pass_own(&message), CHANNEL_BROKEN);
	message = sample(CHANNEL_SHARE);
	message.number = OPTIONS_WORKERS_MAX;
	ck_assert_int_eq(pass_own(&message), CHANNEL_BROKEN);
	message = sample(CHANNEL_START);
	message.flags = CHANNEL_NAMES_ARE_IDS | CHANNEL_UNPROVEN;
	ck_assert_int_eq(pass_own(&message), CHANNEL_RECEIVED);
	message.flags = 8;
	ck_assert_int_eq(pass_own(&message), CHANNEL_BROKEN);
}
END_TEST

START_TEST(a_nul_is_part_of_connect_alone)
{
	struct channel_message message = sample(CHANNEL_LINE);

	message.text = (struct channel_text){"a\0b", 3};
	ck_assert_int_eq(pass_own(&message), CHANNEL_BROKEN);
	message = sample(CHANNEL_PRESENT);
	message.text = (struct channel_text){"a\0b", 3};
	ck_assert_int_eq(pass_own(&message), CHANNEL_BROKEN);
}
END_TEST

/* Each packet cut short, made longer, and with each byte of its head changed. */
START_TEST(bytes_of_any_kind_are_looked_at)
{
	uint8_t raw[256];
	ssize_t size;
	ssize_t i;

	struct channel_message message = sample(CHANNEL_ANNOUNCE);

	message.text = channel_text("alice");
	ck_assert(channel_send(ends[1], &message));
	size = recv(ends[0], raw, sizeof(raw) - 1, 0);
	ck_assert(channel_parse(raw, (size_t)size, true, &got));
	for (i = 0; i < size; i++)
		ck_assert(!channel_parse(raw, (size_t)i, true, &got));
	raw[size] = 0;
	ck_assert(!channel_parse(raw, (size_t)size + 1, true, &got));
	for (i = 0; i < 24; i++) {
		raw[i] ^= 0x80;
		channel_parse(raw, (size_t)size, true, &got);
		channel_parse(raw, (size_t)size, false, &got);
		raw[i] ^= 0x80;
	}
}
END_TEST

START_TEST(a_full_channel_takes_nothing_and_loses_nothing)
{
	struct channel_message message = sample(CHANNEL_LINE);
	unsigned int sent = 0, received = 0;

	while (channel_send(ends[1], &message))
		ck_assert_uint_lt(++sent, 100000);
	while (receive(true) == CHANNEL_RECEIVED)
		received++;
	ck_assert_uint_gt(sent, 100);
	ck_assert_uint_eq(received, sent);
	ck_assert(channel_send(ends[1], &message));
}
END_TEST

START_TEST(the_end_comes_behind_the_last_message)
{
	struct channel_message message = sample(CHANNEL_LINE);

	ck_assert(channel_send(ends[1], &message));
	close(ends[1]);
	ends[1] = -1;
	ck_assert_int_eq(receive(true), CHANNEL_RECEIVED);
	ck_assert_int_eq(receive(true), CHANNEL_ENDED);
	message = sample(CHANNEL_PING);
	ck_assert(!channel_send(ends[0], &message));
}
END_TEST

START_TEST(whoever_made_it_is_known)
{
	ck_assert_int_eq(channel_peer(ends[1]), getpid());
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&every_message_arrives,
		&there_are_so_many_listeners_and_no_more,
		&channel_has_room_for_a_large_configuration,
		&nobody_says_what_is_the_others_to_say,
		&a_descriptor_comes_only_where_it_belongs,
		&several_descriptors_are_refused_and_closed,
		&texts_have_an_end,
		&the_largest_message_fits,
		&what_is_missing_is_noticed,
		&numbers_have_a_range,
		&a_nul_is_part_of_connect_alone,
		&bytes_of_any_kind_are_looked_at,
		&a_full_channel_takes_nothing_and_loses_nothing,
		&the_end_comes_behind_the_last_message,
		&last_words_are_heard,
		&whoever_made_it_is_known,
	};

	return unit_run("gateway-channel", setup, teardown, tests, COUNT(tests));
}
