/* SPDX-License-Identifier: MIT */
#include "tunnel.h"

#include "../common/clock.h"
#include "../common/say.h"
#include "../common/signals.h"
#include "listener.h"
#include "pipe.h"
#include "watch.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define BATCH 64

/* A connection takes its TCP and its UDP socket; some more are needed for everything else. */
#define FILES_PER_CONNECTION 2
#define FILES_ELSE           32

static void log_line(void *userdata, enum mquic_log_level level, const char *line)
{
	(void)userdata;
	(void)level;
	say_debug("%s", line);
}

/* ---- life ---------------------------------------------------------------- */

/* Running out of descriptors amid a dial refuses clients for no reason they could see. */
static void fit_to_files(struct tunnel *tunnel)
{
	struct rlimit limit;
	rlim_t most;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return;
	most = limit.rlim_cur > FILES_ELSE ? (limit.rlim_cur - FILES_ELSE) / FILES_PER_CONNECTION
					   : 1;
	if (tunnel->max_connections <= most)
		return;
	say_warning("The system lets this program have %lu files open, so %lu connections are the "
		    "most; `ulimit -n` changes that.",
		    (unsigned long)limit.rlim_cur, (unsigned long)most);
	tunnel->max_connections = (uint32_t)most;
}

/*
 * Certificates are read when a connection is made. One that is dropped before it has sent anything
 * tells now what is wrong with them, and not when the first client comes.
 */
static bool check_files(struct tunnel *tunnel)
{
	struct mquic_connection *connection;

	if (mquic_connection_dial(&connection, tunnel->endpoint, tunnel->settings, "127.0.0.1",
				  tunnel->port) == MQUIC_OK) {
		mquic_connection_free(connection);
		return true;
	}
	say_error("%s", mquic_endpoint_error(tunnel->endpoint));
	return false;
}

bool tunnel_open(struct tunnel *tunnel)
{
	fit_to_files(tunnel);
	tunnel->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (tunnel->epoll < 0 || mquic_endpoint_new(&tunnel->endpoint) != MQUIC_OK) {
		say_error("Cannot create an endpoint: are too many files open?");
		return false;
	}
	if (say_is_debug())
		mquic_endpoint_set_log(tunnel->endpoint, log_line, MQUIC_LOG_WARNING, NULL);
	signals_catch(tunnel->endpoint);
	/* No watcher: the endpoint is looked after in every turn. */
	return check_files(tunnel) &&
	       watcher_add(tunnel, mquic_endpoint_get_fd(tunnel->endpoint), NULL, EPOLLIN);
}

void tunnel_free(struct tunnel *tunnel)
{
	while (tunnel->pipes)
		pipe_abort(tunnel->pipes);
	pipe_reap(tunnel);
	listener_free_all(tunnel);
	signals_release();
	mquic_endpoint_free(tunnel->endpoint);
	if (tunnel->epoll >= 0)
		close(tunnel->epoll);
}

bool tunnel_listen(struct tunnel *tunnel, const char *where)
{
	return listener_open(tunnel, where);
}

/* ---- running ------------------------------------------------------------- */

static bool serve_quic(struct tunnel *tunnel)
{
	struct mquic_event *event;

	if (mquic_endpoint_process(tunnel->endpoint) != MQUIC_OK) {
		say_error("%s", mquic_endpoint_error(tunnel->endpoint));
		return false;
	}
	while ((event = mquic_endpoint_next_event(tunnel->endpoint)) != NULL) {
		pipe_handle(event);
		mquic_event_free(event);
	}
	return true;
}

/* Until the earlier of two times, of which 0 means never. */
static int wait_timeout(const struct tunnel *tunnel)
{
	uint64_t now = clock_ms();
	uint64_t until = tunnel->accept_again_ms;

	if (until == 0 || (tunnel->expire_ms != 0 && tunnel->expire_ms < until))
		until = tunnel->expire_ms;
	if (until == 0)
		return -1;
	return until > now ? (int)(until - now) : 0;
}

static bool turn(struct tunnel *tunnel)
{
	struct epoll_event events[BATCH];
	int count = epoll_wait(tunnel->epoll, events, BATCH, wait_timeout(tunnel));

	if (count < 0 && errno != EINTR) {
		say_error("Cannot wait: %s.", strerror(errno));
		return false;
	}
	for (int i = 0; i < count; i++) {
		struct watcher *watcher = events[i].data.ptr;

		if (watcher)
			watcher->ready(watcher, events[i].events);
	}
	if (!serve_quic(tunnel))
		return false;
	if (tunnel->expire_ms != 0 && clock_ms() >= tunnel->expire_ms)
		pipe_expire(tunnel);
	pipe_reap(tunnel);
	return true;
}

/* TCP has told the clients that their bytes were taken: they go on to the broker. */
static bool deliver_the_rest(struct tunnel *tunnel)
{
	unsigned int signals = signals_count();
	struct pipe *pipe, *following;

	listener_free_all(tunnel);
	for (pipe = tunnel->pipes; pipe; pipe = following) {
		following = pipe->next;
		pipe_leave(pipe);
	}
	pipe_reap(tunnel);
	while (tunnel->pipes && signals_count() == signals)
		if (!turn(tunnel))
			return false;
	return true;
}

bool tunnel_run(struct tunnel *tunnel)
{
	while (signals_count() == 0) {
		if (!turn(tunnel))
			return false;
		listener_resume(tunnel);
	}
	return deliver_the_rest(tunnel);
}
