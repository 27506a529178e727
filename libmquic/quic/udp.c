/* SPDX-License-Identifier: MIT */
#include "quic/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quic/host.h"
#include "quic/udp-options.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define BATCH_MESSAGES   8
#define MESSAGE_SIZE     65536
#define CONTROL_SIZE     256
#define BATCHES_PER_TURN 8
#define MAX_SEGMENTS     64
#define ECN_MASK         0x03
/* An IP and a UDP header. */
#define IPV4_HEADERS 28
#define IPV6_HEADERS 48

struct udp_batch {
	struct mmsghdr messages[BATCH_MESSAGES];
	struct iovec vectors[BATCH_MESSAGES];
	struct address remotes[BATCH_MESSAGES];
	_Alignas(struct cmsghdr) uint8_t controls[BATCH_MESSAGES][CONTROL_SIZE];
	uint8_t data[BATCH_MESSAGES][MESSAGE_SIZE];
	size_t filled; /* messages, from the first on, that the kernel has written to */
};

struct udp_socket {
	struct wire wire;
	struct loop_source source;
	struct quic_host *host;
	const struct udp_reader *reader;
	int fd;
	bool connected;
	bool any;      /* bound to a wildcard: source addresses are per datagram */
	bool segments; /* the kernel takes UDP_SEGMENT here */
	bool marks;    /* and ECN marks */
	bool sources;  /* and source addresses: it has taken one */
	bool single;   /* it has no recvmmsg() */
};

struct udp_batch *udp_batch_new(void)
{
	struct udp_batch *batch = malloc(sizeof(*batch));

	if (batch != NULL)
		batch->filled = BATCH_MESSAGES;
	return batch;
}

void udp_batch_free(struct udp_batch *batch)
{
	free(batch);
}

static void batch_prepare(struct udp_batch *batch)
{
	size_t i;

	for (i = 0; i < batch->filled; i++) {
		struct msghdr *header = &batch->messages[i].msg_hdr;

		batch->vectors[i] = (struct iovec){batch->data[i], MESSAGE_SIZE};
		*header = (struct msghdr){
			.msg_name = &batch->remotes[i].of,
			.msg_namelen = sizeof(batch->remotes[i].of),
			.msg_iov = &batch->vectors[i],
			.msg_iovlen = 1,
			.msg_control = batch->controls[i],
			.msg_controllen = CONTROL_SIZE,
		};
	}
}

static int control_int(const struct cmsghdr *control)
{
	int value = 0;

	/* Depending on option and kernel these come as one byte or as an int. */
	if (control->cmsg_len == CMSG_LEN(1))
		return *CMSG_DATA(control);
	memcpy(&value, CMSG_DATA(control), sizeof(value));
	return value;
}

static void read_control(struct msghdr *header, struct datagram *datagram)
{
	struct cmsghdr *control;

	for (control = CMSG_FIRSTHDR(header); control != NULL;
	     control = CMSG_NXTHDR(header, control)) {
		if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_TOS) {
			datagram->ecn = (uint8_t)control_int(control) & ECN_MASK;
		} else if (control->cmsg_level == IPPROTO_IPV6 &&
			   control->cmsg_type == IPV6_TCLASS) {
			datagram->ecn = (uint8_t)control_int(control) & ECN_MASK;
		} else if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
			datagram->segment = (size_t)control_int(control);
		} else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(control), sizeof(info));
			datagram->local.of.in.sin_addr = info.ipi_addr;
		} else if (control->cmsg_level == IPPROTO_IPV6 &&
			   control->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(control), sizeof(info));
			datagram->local.of.in6.sin6_addr = info.ipi6_addr;
		}
	}
}

/* Gives one message on, cut where GRO has glued datagrams together. */
static void deliver(struct udp_socket *socket, struct udp_batch *batch, size_t index)
{
	struct msghdr *header = &batch->messages[index].msg_hdr;
	size_t left = batch->messages[index].msg_len;
	struct datagram datagram = {
		.local = socket->wire.local,
		.remote = batch->remotes[index],
		.data = batch->data[index],
		.segment = 0,
	};

	datagram.remote.len = header->msg_namelen;
	read_control(header, &datagram);
	if (datagram.segment == 0)
		datagram.segment = left;
	while (left > 0) {
		datagram.len = left < datagram.segment ? left : datagram.segment;
		socket->reader->receive(socket->host, &socket->wire, &datagram);
		datagram.data += datagram.len;
		left -= datagram.len;
	}
}

/* How many messages were read, -1 and errno if none. */
static int receive(struct udp_socket *socket, struct udp_batch *batch)
{
	ssize_t len;
	int count = -1;

	if (!socket->single)
		count = recvmmsg(socket->fd, batch->messages, BATCH_MESSAGES, MSG_DONTWAIT, NULL);
	/* Where system calls are filtered this may be one of those that are not let through. */
	if (count < 0 && !socket->single && (errno == ENOSYS || errno == EPERM))
		socket->single = true;
	if (!socket->single)
		return count;
	len = recvmsg(socket->fd, &batch->messages[0].msg_hdr, MSG_DONTWAIT);
	if (len < 0)
		return -1;
	batch->messages[0].msg_len = (unsigned int)len;
	return 1;
}

static void read_ready(struct loop_source *source)
{
	struct udp_socket *socket = list_entry(source, struct udp_socket, source);
	struct udp_batch *batch = socket->host->batch;
	int most = BATCHES_PER_TURN * BATCH_MESSAGES;
	int count;

	for (; most > 0; most -= count) {
		int i;

		batch_prepare(batch);
		count = receive(socket, batch);
		batch->filled = count > 0 ? (size_t)count : 1;
		if (count < 0) {
			if (errno != EAGAIN && errno != EINTR)
				socket->reader->failed(socket->host, &socket->wire, errno);
			return;
		}
		for (i = 0; i < count; i++)
			deliver(socket, batch, (size_t)i);
		if (count < BATCH_MESSAGES && !socket->single)
			return;
	}
}

static void put_control(struct msghdr *header, size_t *used, int level, int type, const void *data,
			size_t len)
{
	struct cmsghdr *control = (struct cmsghdr *)((uint8_t *)header->msg_control + *used);

	control->cmsg_level = level;
	control->cmsg_type = type;
	control->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(control), data, len);
	*used += CMSG_SPACE(len);
}

static void put_source(struct msghdr *header, size_t *used, const struct address *local)
{
	if (local->of.any.sa_family == AF_INET6) {
		struct in6_pktinfo info = {.ipi6_addr = local->of.in6.sin6_addr};

		put_control(header, used, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	} else {
		struct in_pktinfo info = {.ipi_spec_dst = local->of.in.sin_addr};

		put_control(header, used, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	}
}

static void put_ecn(struct msghdr *header, size_t *used, const struct datagram *datagram)
{
	int value = datagram->ecn;
	bool v6 = datagram->remote.of.any.sa_family == AF_INET6;

	put_control(header, used, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &value,
		    sizeof(value));
}

static int try_send(const struct udp_socket *socket, const struct datagram *datagram,
		    const uint8_t *data, size_t len, bool mark, bool source)
{
	_Alignas(struct cmsghdr) uint8_t controls[CONTROL_SIZE] = {0};
	struct iovec vector = {(void *)(uintptr_t)data, len};
	struct address remote = datagram->remote;
	struct msghdr header = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = controls,
	};
	size_t used = 0;

	if (!socket->connected) {
		header.msg_name = &remote.of;
		header.msg_namelen = remote.len;
	}
	if (source)
		put_source(&header, &used, &datagram->local);
	if (mark)
		put_ecn(&header, &used, datagram);
	if (len > datagram->segment) {
		uint16_t segment = (uint16_t)datagram->segment;

		put_control(&header, &used, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	}
	header.msg_controllen = used;
	if (used == 0)
		header.msg_control = NULL;
	return sendmsg(socket->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

static bool is_refusal(int code)
{
	return code == EINVAL || code == EOPNOTSUPP || code == ENOPROTOOPT;
}

/*
 * Old kernels and sandboxes refuse a packet for the ECN mark or the source address that shall go
 * with it. The packet counts more; what is refused so is left away from then on.
 */
static int send_once(struct udp_socket *socket, const struct datagram *datagram,
		     const uint8_t *data, size_t len)
{
	bool mark = datagram->ecn != 0 && socket->marks;
	int code = try_send(socket, datagram, data, len, mark, socket->any);

	/* Linux says here what a router said of a packet before: this one was not sent yet. */
	if (code == EMSGSIZE)
		code = try_send(socket, datagram, data, len, mark, socket->any);
	if (code == 0)
		socket->sources = socket->any;
	if (!is_refusal(code))
		return code;
	if (mark && try_send(socket, datagram, data, len, false, socket->any) == 0) {
		socket->marks = false;
		return 0;
	}
	/* Where source addresses were taken before, this one is gone. */
	if (socket->any && !socket->sources &&
	    try_send(socket, datagram, data, len, false, false) == 0) {
		socket->any = false;
		return 0;
	}
	return code;
}

/* What is merely not possible now is a lost packet; what tells that nobody is there is not. */
static int worth_telling(int code)
{
	switch (code) {
	case EINVAL: /* so Linux says it of a connected socket */
		return EADDRNOTAVAIL;
	case ECONNREFUSED:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL:
	case EACCES:
	case EPERM:
	case EMSGSIZE:
		return code;
	default:
		return 0;
	}
}

static int send_each(struct udp_socket *socket, const struct datagram *datagram)
{
	size_t offset;
	int told = 0;

	for (offset = 0; offset < datagram->len; offset += datagram->segment) {
		size_t left = datagram->len - offset;
		size_t len = left < datagram->segment ? left : datagram->segment;
		int code = send_once(socket, datagram, datagram->data + offset, len);

		if (worth_telling(code) != 0)
			told = code;
	}
	return told;
}

static int send_datagram(struct wire *wire, const struct datagram *datagram)
{
	struct udp_socket *socket = list_entry(wire, struct udp_socket, wire);
	int code;

	if (loop_is_forked(endpoint_loop(socket->host->endpoint)))
		return 0; /* the socket is the parent's */
	if (datagram->len <= datagram->segment)
		return worth_telling(send_once(socket, datagram, datagram->data, datagram->len));
	if (!socket->segments || datagram->len > MAX_SEGMENTS * datagram->segment)
		return send_each(socket, datagram);
	code = send_once(socket, datagram, datagram->data, datagram->len);
	if (code != EIO && !is_refusal(code))
		return worth_telling(code);
	code = send_each(socket, datagram);
	/* Linux refuses segments that are too large for the way with EINVAL, too. */
	if (code != EMSGSIZE)
		socket->segments = false; /* this path cannot segment */
	return code;
}

/* Only binding another socket tells: this one keeps an address that is gone. */
static bool has_address(const struct wire *wire)
{
	struct address local = wire->local;
	int fd = socket(local.of.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	bool gone;

	if (fd < 0)
		return true;
	if (local.of.any.sa_family == AF_INET6)
		local.of.in6.sin6_port = 0;
	else
		local.of.in.sin_port = 0;
	gone = bind(fd, &local.of.any, local.len) != 0 && errno == EADDRNOTAVAIL;
	(void)close(fd);
	return !gone;
}

/* What is left of the path's MTU, which the kernel knows of a connected socket only. */
static size_t largest(const struct wire *wire)
{
	const struct udp_socket *socket = list_entry(wire, const struct udp_socket, wire);
	bool v6 = wire->local.of.any.sa_family == AF_INET6;
	int headers = v6 ? IPV6_HEADERS : IPV4_HEADERS;
	int mtu = 0;
	socklen_t len = sizeof(mtu);

	if (!socket->connected || getsockopt(socket->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
					     v6 ? IPV6_MTU : IP_MTU, &mtu, &len) != 0)
		return 0;
	return mtu > headers ? (size_t)(mtu - headers) : 0;
}

static void udp_close(struct wire *wire)
{
	struct udp_socket *socket = list_entry(wire, struct udp_socket, wire);

	if (socket->fd >= 0) {
		loop_remove(endpoint_loop(socket->host->endpoint), socket->fd);
		(void)close(socket->fd);
	}
	free(socket);
}

static enum mquic_status open_socket(struct udp_socket *made, const struct address *local,
				     const struct address *remote, struct error *error)
{
	int family = (remote != NULL ? remote : local)->of.any.sa_family;
	char text[ADDRESS_TEXT_SIZE];

	made->connected = remote != NULL;
	made->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
	if (made->fd < 0)
		return error_set_system(error, errno, "opening a UDP socket");
	if (family == AF_INET6)
		udp_options_keep_ipv4_out(made->fd);
	if (local != NULL && bind(made->fd, &local->of.any, local->len) != 0) {
		address_print(local, text);
		return error_set_system(error, errno, "binding UDP %s", text);
	}
	if (remote != NULL && connect(made->fd, &remote->of.any, remote->len) != 0) {
		address_print(remote, text);
		return error_set_system(error, errno, "no way to UDP %s", text);
	}
	return MQUIC_OK;
}

static enum mquic_status start(struct udp_socket *socket, struct error *error)
{
	struct address *local = &socket->wire.local;
	int code;

	local->len = sizeof(local->of);
	if (getsockname(socket->fd, &local->of.any, &local->len) != 0)
		return error_set_system(error, errno, "asking for the local address");
	socket->any = udp_options_set(socket->fd, local, socket->connected);
	code = loop_add(endpoint_loop(socket->host->endpoint), socket->fd, &socket->source);
	return code == 0 ? MQUIC_OK : error_set_system(error, code, "watching a UDP socket");
}

/* Hands it out, or frees it and what it has. */
static enum mquic_status finish(struct udp_socket *made, enum mquic_status status,
				struct wire **wire, struct error *error)
{
	if (status == MQUIC_OK)
		status = start(made, error);
	if (status == MQUIC_OK)
		*wire = &made->wire;
	else
		udp_close(&made->wire);
	return status;
}

static struct udp_socket *socket_new(struct quic_host *host, const struct udp_reader *reader,
				     struct error *error)
{
	struct udp_socket *made = calloc(1, sizeof(*made));

	if (made == NULL) {
		(void)error_set(error, MQUIC_ERR_MEMORY, "out of memory");
		return NULL;
	}
	made->wire.send = send_datagram;
	made->wire.is_usable = has_address;
	made->wire.largest = largest;
	made->wire.free = udp_close;
	made->source.ready = read_ready;
	made->host = host;
	made->reader = reader;
	made->segments = true;
	made->marks = true;
	made->fd = -1;
	return made;
}

enum mquic_status udp_open(struct wire **wire, struct quic_host *host,
			   const struct udp_reader *reader, const struct address *local,
			   const struct address *remote, struct error *error)
{
	struct udp_socket *made = socket_new(host, reader, error);

	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	return finish(made, open_socket(made, local, remote, error), wire, error);
}

enum mquic_status udp_adopt(struct wire **wire, struct quic_host *host,
			    const struct udp_reader *reader, int fd, struct error *error)
{
	struct udp_socket *made = socket_new(host, reader, error);
	enum mquic_status status = MQUIC_OK;

	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	/* The caller's stays as it is whatever goes wrong from here on. */
	made->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (made->fd < 0)
		status = error_set_system(error, errno, "taking over a UDP socket");
	return finish(made, status, wire, error);
}
