/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "../gateway/channel.h"
#include "../gateway/control.h"
#include "../server/clock.h"

/* How often it is looked whether somebody asks, and how long a visitor may be silent. */
#define LOOK_MS    20
#define SILENCE_MS 1000

void control_init(struct control *control)
{
	size_t i;

	control->fd = -1;
	for (i = 0; i < CONTROL_VISITORS; i++)
		control->visitors[i].fd = -1;
}

/* ---- The socket -------------------------------------------------------------------- */

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Of a broker that was killed: nobody listens there any more. */
static bool is_left_over(const struct sockaddr_un *address)
{
	struct stat about;
	int fd;
	bool refused;

	if (lstat(address->sun_path, &about) != 0 || !S_ISSOCK(about.st_mode))
		return false;
	fd = new_socket();
	refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
		  errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return refused;
}

static int bind_to(int fd, const struct sockaddr_un *address)
{
	const struct sockaddr *any = (const struct sockaddr *)address;

	/* Before it has a name: nobody gets in meanwhile. */
	if (fchmod(fd, S_IRUSR | S_IWUSR) != 0)
		return errno;
	if (bind(fd, any, sizeof(*address)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return errno;
	if (!is_left_over(address) || unlink(address->sun_path) != 0)
		return EADDRINUSE;
	return bind(fd, any, sizeof(*address)) == 0 ? 0 : errno;
}

/* 0, or the error's number. */
static int open_at(struct control *control)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int code, fd;

	if (strlen(control->path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", control->path);
	fd = new_socket();
	if (fd < 0)
		return errno;
	code = bind_to(fd, &address);
	if (code == 0 && listen(fd, CONTROL_VISITORS) != 0)
		code = errno;
	if (code == 0)
		control->fd = fd;
	else
		close(fd);
	return code;
}

/* By now the broker is the user that it will be. */
static void open_once(struct control *control)
{
	int code = open_at(control);

	control->opened = true;
	if (code != 0)
		log_now(MQUIC_LOG_WARNING,
			"mquic: mquic-status will not work: the socket %s cannot be made: %s; "
			"name a path that the broker's user can make one at, with "
			"plugin_opt_control",
			control->path, strerror(code));
}

/* ---- Who asks ------------------------------------------------------------------------ */

static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

/* Those that find no place wait in the socket. */
static void let_in(struct control *control, uint64_t now_ms)
{
	size_t i;

	for (i = 0; i < CONTROL_VISITORS; i++) {
		int fd;

		if (control->visitors[i].fd >= 0)
			continue;
		fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		control->visitors[i].fd = fd;
		control->visitors[i].until_ms = now_ms + SILENCE_MS;
		if (!may_ask(fd)) {
			close(fd);
			control->visitors[i].fd = -1;
		}
	}
}

/* Whether this worker got it; it knows its own number by that. */
static bool ask(const struct workers *workers, unsigned int number,
		const struct control_request *request, int fd)
{
	const struct channel_message message = {
		.type = request->wish == CONTROL_CLOSE ? CHANNEL_CLOSE : CHANNEL_LIST,
		.number = number,
		.limit = request->client,
		.fd = fd,
	};
	int channel = workers_channel(workers, number);

	return channel >= 0 && channel_send(channel, &message);
}

/* This one the plugin answers itself. */
static void restart(struct workers *workers, int fd)
{
	struct control_answer answer = {
		.version = CONTROL_VERSION,
		.kind = CONTROL_ASKED,
		.count = 1,
	};

	(void)send(fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
	answer.kind = workers_replace(workers) ? CONTROL_CLOSED : CONTROL_UNKNOWN;
	answer.count = 0;
	(void)send(fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void pass_on(const struct workers *workers, int fd, const struct control_request *request)
{
	struct control_answer answer = {.version = CONTROL_VERSION, .kind = CONTROL_ASKED};
	unsigned int number;

	for (number = 1; number <= OPTIONS_WORKERS_MAX; number++)
		if ((request->wish == CONTROL_LIST || request->worker == number) &&
		    ask(workers, number, request, fd))
			answer.count++;
	(void)send(fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* False: it has not asked yet. */
static bool heard(struct workers *workers, int fd)
{
	/* One byte more than what it may ask tells of more. */
	uint8_t bytes[sizeof(struct control_request) + 1];
	struct control_request request;
	ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0 || !control_read_request(&request, bytes, (size_t)got))
		return true;
	if (request.wish == CONTROL_RESTART)
		restart(workers, fd);
	else
		pass_on(workers, fd, &request);
	return true;
}

void control_tick(struct control *control, struct workers *workers)
{
	uint64_t now_ms = clock_ms();
	size_t i;

	if (now_ms < control->next_ms)
		return;
	control->next_ms = now_ms + LOOK_MS;
	if (!control->opened)
		open_once(control);
	if (control->fd < 0)
		return;
	let_in(control, now_ms);
	for (i = 0; i < CONTROL_VISITORS; i++) {
		int fd = control->visitors[i].fd;

		if (fd < 0 || (!heard(workers, fd) && now_ms < control->visitors[i].until_ms))
			continue;
		close(fd);
		control->visitors[i].fd = -1;
	}
}

void control_end(struct control *control)
{
	size_t i;

	for (i = 0; i < CONTROL_VISITORS; i++)
		if (control->visitors[i].fd >= 0)
			close(control->visitors[i].fd);
	if (control->fd >= 0) {
		close(control->fd);
		unlink(control->path);
	}
	control_init(control);
}
