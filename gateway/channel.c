/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <mquic.h>

#include "channel.h"
#include "../server/counters.h"

/* A length that stands for a text that is not there. */
#define ABSENT UINT32_MAX

/* All packets begin like this; each text follows with a NUL behind it. */
struct head {
	uint32_t type;
	uint32_t flags;
	uint32_t listener;
	uint32_t number;
	uint32_t limit;
	uint32_t text_len;
	uint32_t more_len;
	struct token token;
};

_Static_assert(sizeof(struct head) + 2 <= 64, "CHANNEL_PACKET_MAX has room for it");

/* What a message may and must have. */
struct form {
	bool of_worker;
	bool has_token;
	bool of_one; /* listener */
	bool has_fd;
	bool more_is_binary;
	uint32_t flags;
	uint32_t number_max;
	size_t text_min, text_max; /* max 0: none; min 0: may be missing */
	size_t more_min, more_max;
};

static const struct form forms[CHANNEL_TYPES] = {
	[CHANNEL_OPTION] = {.text_min = 1,
			    .text_max = CHANNEL_OPTION_MAX,
			    .more_min = 0,
			    .more_max = CHANNEL_OPTION_MAX},
	[CHANNEL_SOCKET] = {.of_one = true, .number_max = OPTIONS_LISTEN_MAX - 1, .has_fd = true},
	[CHANNEL_PLACES] = {.of_one = true},
	[CHANNEL_ROLL] = {.has_fd = true},
	[CHANNEL_SHARE] = {.number_max = OPTIONS_WORKERS_MAX - 1,
			   .text_min = CHANNEL_SECRET_LEN,
			   .text_max = CHANNEL_SECRET_LEN},
	[CHANNEL_CONFIGURE] = {.number_max = UINT32_MAX, .flags = CHANNEL_BROKER_2_1},
	[CHANNEL_START] = {.of_one = true, .flags = CHANNEL_NAMES_ARE_IDS | CHANNEL_UNPROVEN},
	[CHANNEL_SHUT] = {.of_one = true},
	[CHANNEL_TAKEN] = {.of_one = true},
	[CHANNEL_ORPHANS] = {.has_fd = true},
	[CHANNEL_RELOAD] = {0},
	[CHANNEL_EXPIRING] = {0},
	[CHANNEL_COUNT] = {0},
	[CHANNEL_LIST] = {.number_max = OPTIONS_WORKERS_MAX, .has_fd = true},
	[CHANNEL_CLOSE] = {.number_max = OPTIONS_WORKERS_MAX, .has_fd = true},
	[CHANNEL_PING] = {0},
	[CHANNEL_STOP] = {.flags = CHANNEL_REPLACED},
	[CHANNEL_READY] = {.of_worker = true},
	[CHANNEL_FAILED] = {.of_worker = true, .text_min = 1, .text_max = CHANNEL_LINE_MAX},
	[CHANNEL_LINE] = {.of_worker = true,
			  .number_max = MQUIC_LOG_DEBUG,
			  .text_min = 1,
			  .text_max = CHANNEL_LINE_MAX},
	[CHANNEL_ANNOUNCE] = {.of_worker = true,
			      .has_token = true,
			      .of_one = true,
			      .number_max = CHANNEL_KINDS - 1,
			      .text_max = CHANNEL_STRING_MAX,
			      .more_min = 1,
			      .more_max = 63},
	[CHANNEL_PRESENT] = {.of_worker = true,
			     .has_token = true,
			     .has_fd = true,
			     .more_is_binary = true,
			     .text_max = CHANNEL_STRING_MAX,
			     .more_min = 1,
			     .more_max = CHANNEL_CONNECT_MAX},
	[CHANNEL_GONE] = {.of_worker = true, .has_token = true},
	[CHANNEL_BYPASSED] = {.of_worker = true, .has_token = true, .of_one = true},
	[CHANNEL_COUNTERS] = {.of_worker = true,
			      .more_is_binary = true,
			      .more_min = sizeof(struct counters_packet),
			      .more_max = sizeof(struct counters_packet)},
	[CHANNEL_PONG] = {.of_worker = true},
};

bool channel_open(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0;
}

pid_t channel_peer(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 ? peer.pid : 0;
}

struct channel_text channel_text(const char *text)
{
	return (struct channel_text){text, text == NULL ? 0 : strlen(text)};
}

/* ---- Sending ------------------------------------------------------------------ */

/* A descriptor on its way. */
union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static void add_fd(struct msghdr *header, union control *control, int fd)
{
	struct cmsghdr *part;

	memset(control, 0, sizeof(*control));
	header->msg_control = control;
	header->msg_controllen = sizeof(*control);
	part = CMSG_FIRSTHDR(header);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(part), &fd, sizeof(fd));
}

static uint32_t sent_length(const struct channel_text *text)
{
	return text->data == NULL ? ABSENT : (uint32_t)text->len;
}

/* The bytes of a text and its NUL. */
static struct iovec *add_text(struct iovec *part, const struct channel_text *text)
{
	if (text->data == NULL)
		return part;
	*part++ = (struct iovec){(void *)(uintptr_t)text->data, text->len};
	*part++ = (struct iovec){(void *)(uintptr_t) "", 1};
	return part;
}

bool channel_send(int fd, const struct channel_message *message)
{
	struct head head = {
		.type = (uint32_t)message->type,
		.flags = message->flags,
		.listener = message->listener,
		.number = message->number,
		.limit = message->limit,
		.text_len = sent_length(&message->text),
		.more_len = sent_length(&message->more),
		.token = message->token,
	};
	struct iovec parts[5] = {{&head, sizeof(head)}};
	struct iovec *end = add_text(add_text(parts + 1, &message->text), &message->more);
	struct msghdr header = {.msg_iov = parts, .msg_iovlen = (size_t)(end - parts)};
	union control control;

	if (message->fd >= 0)
		add_fd(&header, &control, message->fd);
	return sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* ---- Reading ------------------------------------------------------------------ */

/* Takes a text from the packet. False: it is not all there, or is no text. */
static bool take_text(const uint8_t **at, const uint8_t *end, uint32_t len, bool is_binary,
		      struct channel_text *text)
{
	const char *data = (const char *)*at;

	*text = (struct channel_text){NULL, 0};
	if (len == ABSENT)
		return true;
	if ((size_t)(end - *at) <= len || data[len] != '\0' ||
	    (!is_binary && memchr(data, '\0', len) != NULL))
		return false;
	*text = (struct channel_text){data, len};
	*at += (size_t)len + 1;
	return true;
}

static bool fits(const struct channel_text *text, size_t min, size_t max)
{
	return text->data == NULL ? min == 0 : max > 0 && text->len >= min && text->len <= max;
}

static bool has_form(const struct channel_message *message, const struct form *form, bool of_worker)
{
	return form->of_worker == of_worker && (message->flags & ~form->flags) == 0 &&
	       message->listener < (form->of_one ? OPTIONS_LISTENERS_MAX : 1) &&
	       message->number <= form->number_max &&
	       fits(&message->text, form->text_min, form->text_max) &&
	       fits(&message->more, form->more_min, form->more_max);
}

bool channel_parse(const uint8_t *packet, size_t size, bool of_worker,
		   struct channel_message *message)
{
	const uint8_t *end = packet + size;
	const uint8_t *at = packet + sizeof(struct head);
	struct head head;

	if (size < sizeof(head))
		return false;
	memcpy(&head, packet, sizeof(head));
	if (head.type >= CHANNEL_TYPES)
		return false;
	*message = (struct channel_message){
		.type = (enum channel_type)head.type,
		.flags = head.flags,
		.listener = head.listener,
		.number = head.number,
		.limit = head.limit,
		.token = head.token,
		.fd = -1,
	};
	return take_text(&at, end, head.text_len, false, &message->text) &&
	       take_text(&at, end, head.more_len, forms[head.type].more_is_binary,
			 &message->more) &&
	       at == end && has_form(message, &forms[head.type], of_worker);
}

/* The first descriptor that came along; what should not be there is closed. */
static int take_fd(struct msghdr *header)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(header);
	int fd;

	if (part == NULL || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS ||
	    part->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(part), sizeof(fd));
	return fd;
}

static enum channel_status judge(const struct msghdr *header, size_t size, bool of_worker,
				 struct channel_message *message, int fd)
{
	/* What does not fit is cut off by the system, and descriptors that do not are closed. */
	bool whole = size > 0 && (header->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;

	if (whole && channel_parse(header->msg_iov->iov_base, size, of_worker, message) &&
	    forms[message->type].has_fd == (fd >= 0)) {
		message->fd = fd;
		return CHANNEL_RECEIVED;
	}
	if (fd >= 0)
		close(fd);
	return CHANNEL_BROKEN;
}

/*
 * Who ends without having read all is told of once, as ECONNRESET, before what it has said: those
 * are the last words, which say why.
 */
bool channel_may_go_on(int code)
{
	return code == EINTR || code == ECONNRESET;
}

enum channel_status channel_receive(int fd, bool of_worker, uint8_t *packet, size_t size,
				    struct channel_message *message)
{
	union control control;
	struct iovec part = {packet, size};
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int)), /* no room for a second one */
	};
	ssize_t got;

	do
		got = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && channel_may_go_on(errno));
	if (got < 0)
		return errno == EAGAIN ? CHANNEL_EMPTY : CHANNEL_ENDED;
	/* An empty packet looks like the end, but may have brought a descriptor. */
	if (got == 0 && header.msg_controllen == 0)
		return CHANNEL_ENDED;
	return judge(&header, (size_t)got, of_worker, message, take_fd(&header));
}
