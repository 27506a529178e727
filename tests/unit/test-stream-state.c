/* SPDX-License-Identifier: MIT */
/* Which steps a stream makes, pair by pair: the pictures of quic/stream-state.h. */
#include "unit.h"

#include "quic/stream.h"

/* A row for each state: x where the state of that column may follow. */
static const char *const life[] = {
	/* WAITING, OPEN, CLOSED, TOLD */
	"-xx-",
	"--x-",
	"---x",
	"----",
};

static const char *const sending[] = {
	/* SEND, FINISHING, DATA_SENT, RESET_SENT, STOPPED */
	"-x-xx", "--xxx", "---x-", "-----", "-----",
};

static const char *const receiving[] = {
	/* RECV, DATA_RECVD, DATA_READ, RESET_RECVD, GIVEN_UP */
	"-x-xx", "--x-x", "----x", "-----", "-----",
};

START_TEST(life_goes_as_drawn)
{
	size_t from;
	size_t to;

	for (from = 0; from < COUNT(life); from++)
		for (to = 0; to < COUNT(life); to++) {
			struct mquic_stream stream = {.life = (enum stream_life)from};
			bool may = life[from][to] == 'x';

			ck_assert_int_eq(stream_live(&stream, (enum stream_life)to), may);
			ck_assert_uint_eq(stream.life, may ? to : from);
		}
}
END_TEST

START_TEST(sending_goes_as_drawn)
{
	size_t from;
	size_t to;

	for (from = 0; from < COUNT(sending); from++)
		for (to = 0; to < COUNT(sending); to++) {
			struct mquic_stream stream = {.sending = (enum stream_sending)from};
			bool may = sending[from][to] == 'x';

			ck_assert_int_eq(stream_step_sending(&stream, (enum stream_sending)to),
					 may);
			ck_assert_uint_eq(stream.sending, may ? to : from);
		}
}
END_TEST

START_TEST(receiving_goes_as_drawn)
{
	size_t from;
	size_t to;

	for (from = 0; from < COUNT(receiving); from++)
		for (to = 0; to < COUNT(receiving); to++) {
			struct mquic_stream stream = {.receiving = (enum stream_receiving)from};
			bool may = receiving[from][to] == 'x';

			ck_assert_int_eq(stream_step_receiving(&stream, (enum stream_receiving)to),
					 may);
			ck_assert_uint_eq(stream.receiving, may ? to : from);
		}
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&life_goes_as_drawn,
		&sending_goes_as_drawn,
		&receiving_goes_as_drawn,
	};

	return unit_run("stream-state", NULL, NULL, tests, COUNT(tests));
}
