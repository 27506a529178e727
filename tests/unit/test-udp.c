/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets on systems that lack what makes QUIC better: old kernels, sandboxes, filters of
 * system calls. Linked so that the calls below come first and can refuse.
 */
#include "tls-kit.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "mquic.h"
#include "unit.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define AMOUNT 300000

/* What the system refuses, and with what. */
struct refusal {
	const char *name;
	bool marks;
	bool segments;
	bool sources;
	bool options;
	bool batches;
	int code;
};

static const struct refusal refusals[] = {
	{.name = "nothing"},
	{.name = "marks", .marks = true, .code = EINVAL},
	{.name = "segments", .segments = true, .code = EINVAL},
	{.name = "segments", .segments = true, .code = EIO},
	{.name = "sources", .sources = true, .code = EINVAL},
	{.name = "batches", .batches = true, .code = ENOSYS},
	{.name = "batches", .batches = true, .code = EPERM},
	{.name = "options", .options = true, .code = ENOPROTOOPT},
	{.name = "all",
	 .marks = true,
	 .segments = true,
	 .sources = true,
	 .options = true,
	 .batches = true,
	 .code = ENOSYS},
	{.name = "all that can be sent along",
	 .marks = true,
	 .segments = true,
	 .sources = true,
	 .code = EOPNOTSUPP},
};

static const struct refusal *refusal;
static unsigned int refused;
static unsigned int sent;
static unsigned int read_singly;

ssize_t __real_sendmsg(int fd, const struct msghdr *header, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags,
		    struct timespec *timeout);
int __real_recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags,
		    struct timespec *timeout);
ssize_t __real_recvmsg(int fd, struct msghdr *header, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags);
int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len);

static int refuse(int code)
{
	refused++;
	errno = code;
	return -1;
}

static bool is_refused(const struct cmsghdr *control)
{
	bool v4 = control->cmsg_level == IPPROTO_IP;
	bool v6 = control->cmsg_level == IPPROTO_IPV6;
	int type = control->cmsg_type;

	if ((v4 && type == IP_TOS) || (v6 && type == IPV6_TCLASS))
		return refusal->marks;
	if ((v4 && type == IP_PKTINFO) || (v6 && type == IPV6_PKTINFO))
		return refusal->sources;
	return control->cmsg_level == IPPROTO_UDP && type == UDP_SEGMENT && refusal->segments;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags)
{
	struct msghdr copy = *header;
	struct cmsghdr *control;

	sent++;
	for (control = CMSG_FIRSTHDR(&copy); control != NULL; control = CMSG_NXTHDR(&copy, control))
		if (is_refused(control))
			return refuse(refusal->code == ENOSYS ? EINVAL : refusal->code);
	return __real_sendmsg(fd, header, flags);
}

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags,
		    struct timespec *timeout)
{
	if (refusal->batches)
		return refuse(refusal->code);
	return __real_recvmmsg(fd, messages, count, flags, timeout);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags)
{
	read_singly++;
	return __real_recvmsg(fd, header, flags);
}

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	if (refusal->options)
		return refuse(refusal->code);
	return __real_setsockopt(fd, level, option, value, len);
}

/* Both ends of a connection, and what came on its stream. */
struct ends {
	struct mquic_endpoint *server;
	struct mquic_endpoint *client;
	struct mquic_connection *accepted;
	struct mquic_connection *dialed;
	struct mquic_stream *in;
	struct mquic_stream *out;
	size_t left;
	size_t received;
};

static void send_rest(struct ends *ends)
{
	static const uint8_t bytes[16384];
	size_t taken;

	while (ends->left > 0 &&
	       mquic_stream_send(ends->out, bytes,
				 ends->left < sizeof(bytes) ? ends->left : sizeof(bytes),
				 &taken) == MQUIC_OK)
		ends->left -= taken;
}

static void receive_all(struct ends *ends)
{
	uint8_t bytes[16384];
	size_t len;

	if (ends->in == NULL)
		(void)mquic_connection_accept_stream(ends->accepted, &ends->in);
	while (ends->in != NULL &&
	       mquic_stream_recv(ends->in, bytes, sizeof(bytes), &len) == MQUIC_OK && len > 0)
		ends->received += len;
}

static void drain(struct ends *ends, struct mquic_endpoint *endpoint)
{
	struct mquic_event *event;

	ck_assert_int_eq(mquic_endpoint_process(endpoint), MQUIC_OK);
	while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
		ck_assert_msg(mquic_event_type(event) != MQUIC_EVENT_CONNECTION_CLOSED, "%s",
			      mquic_event_text(event));
		mquic_event_free(event);
	}
	if (ends->accepted == NULL)
		(void)mquic_endpoint_accept(ends->server, &ends->accepted);
}

static void run(struct ends *ends)
{
	while (ends->received < AMOUNT) {
		drain(ends, ends->client);
		drain(ends, ends->server);
		send_rest(ends);
		if (ends->accepted != NULL)
			receive_all(ends);
		(void)mquic_endpoint_wait(ends->client, 1);
	}
}

static void carry(const char *listen_on, const char *host)
{
	struct mquic_settings *settings;
	struct mquic_settings *trust;
	struct ends ends = {.left = AMOUNT};
	uint16_t port;

	refused = sent = read_singly = 0;
	ck_assert_int_eq(mquic_endpoint_new(&ends.server), MQUIC_OK);
	ck_assert_int_eq(mquic_endpoint_new(&ends.client), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_new(&settings), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_new(&trust), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_ca_file(trust, kit_path("ca.crt")), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_server_name(trust, "broker.example"), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_certificate(settings, kit_path("server.crt"),
							kit_path("server.key")),
			 MQUIC_OK);
	ck_assert_msg(mquic_endpoint_listen(ends.server, settings, listen_on, 0, &port) == MQUIC_OK,
		      "%s", mquic_endpoint_error(ends.server));
	ck_assert_msg(mquic_connection_dial(&ends.dialed, ends.client, trust, host, port) ==
			      MQUIC_OK,
		      "%s", mquic_endpoint_error(ends.client));
	ck_assert_int_eq(mquic_stream_open(&ends.out, ends.dialed), MQUIC_OK);
	run(&ends);
	mquic_stream_free(ends.in);
	mquic_stream_free(ends.out);
	mquic_connection_free(ends.accepted);
	mquic_connection_free(ends.dialed);
	mquic_endpoint_free(ends.client);
	mquic_endpoint_free(ends.server);
	mquic_settings_free(settings);
	mquic_settings_free(trust);
}

START_TEST(what_the_system_lacks_stops_nothing)
{
	refusal = &refusals[_i];
	carry("0.0.0.0", "127.0.0.1");
	ck_assert_msg((refused > 0) == (refusal->code != 0), "%s: refused %u times", refusal->name,
		      refused);
	ck_assert_msg((read_singly > 0) == refusal->batches, "%s", refusal->name);
	/* Asked for once or twice on each socket, not with each packet. */
	if (!refusal->options)
		ck_assert_msg(refused <= 16, "%s: refused %u of %u times", refusal->name, refused,
			      sent);
	carry("::", "::1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("udp");
	TCase *group = tcase_create("udp");

	tcase_set_timeout(group, 0);
	tcase_add_unchecked_fixture(group, kit_open, kit_close);
	tcase_add_loop_test(group, what_the_system_lacks_stops_nothing, 0, (int)COUNT(refusals));
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
