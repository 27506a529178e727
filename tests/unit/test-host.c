/* SPDX-License-Identifier: MIT */
/* QUIC's half of an endpoint, and in what order an endpoint tells its children that it goes. */
#include "unit.h"

#include "quic/host.h"

static struct mquic_endpoint *endpoint;

static void set_up(void)
{
	ck_assert_int_eq(mquic_endpoint_new(&endpoint), MQUIC_OK);
}

static void tear_down(void)
{
	mquic_endpoint_free(endpoint);
}

START_TEST(a_host_is_made_when_first_asked_for)
{
	struct quic_host *host;

	ck_assert_ptr_null(host_of(endpoint));
	host = host_get(endpoint);
	ck_assert_ptr_nonnull(host);
	ck_assert_ptr_eq(host_of(endpoint), host);
	ck_assert_ptr_eq(host_get(endpoint), host);
	ck_assert_ptr_eq(host->endpoint, endpoint);
}
END_TEST

START_TEST(what_needs_no_host_makes_none)
{
	struct mquic_connection *connection;
	uint16_t port;

	ck_assert_int_eq(mquic_endpoint_process(endpoint), MQUIC_OK);
	ck_assert_ptr_null(mquic_endpoint_next_event(endpoint));
	ck_assert_int_eq(mquic_endpoint_accept(endpoint, &connection), MQUIC_ERR_AGAIN);
	ck_assert_int_eq(mquic_endpoint_reload(endpoint), MQUIC_OK);
	ck_assert_ptr_null(mquic_endpoint_expiring(endpoint, 30, 0));
	ck_assert_int_eq(mquic_endpoint_listen(endpoint, NULL, NULL, 0, &port), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_connection_dial(&connection, endpoint, NULL, "", 1),
			 MQUIC_ERR_INVALID);
	ck_assert_ptr_null(host_of(endpoint));
}
END_TEST

static struct endpoint_child children[3];
static char told[4];
static size_t count;

static void told_of(struct endpoint_child *child)
{
	told[count++] = (char)('a' + (child - children));
	told[count] = '\0';
}

static void told_otherwise(struct endpoint_child *child)
{
	told_of(child);
}

START_TEST(the_upper_floor_is_told_first)
{
	count = 0;
	children[0].orphan = told_of;
	children[1].orphan = told_of;
	children[2].orphan = told_otherwise;
	endpoint_adopt(endpoint, ENDPOINT_TRANSPORTS, &children[2]);
	endpoint_adopt(endpoint, ENDPOINT_SESSIONS, &children[0]);
	endpoint_adopt(endpoint, ENDPOINT_SESSIONS, &children[1]);
	mquic_endpoint_free(endpoint);
	endpoint = NULL;
	ck_assert_str_eq(told, "abc");
}
END_TEST

START_TEST(a_child_is_known_by_what_it_is_told_with)
{
	children[0].orphan = told_of;
	children[1].orphan = told_otherwise;
	endpoint_adopt(endpoint, ENDPOINT_TRANSPORTS, &children[0]);
	endpoint_adopt(endpoint, ENDPOINT_TRANSPORTS, &children[1]);
	ck_assert_ptr_eq(endpoint_child(endpoint, ENDPOINT_TRANSPORTS, told_otherwise),
			 &children[1]);
	ck_assert_ptr_null(endpoint_child(endpoint, ENDPOINT_SESSIONS, told_otherwise));
	list_remove(&children[1].link);
	ck_assert_ptr_null(endpoint_child(endpoint, ENDPOINT_TRANSPORTS, told_otherwise));
	list_remove(&children[0].link);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&a_host_is_made_when_first_asked_for,
		&what_needs_no_host_makes_none,
		&the_upper_floor_is_told_first,
		&a_child_is_known_by_what_it_is_told_with,
	};

	return unit_run("host", set_up, tear_down, tests, COUNT(tests));
}
