/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <mquic.h>

#include "common/say.h"
#include "status/inquiry.h"

/* How long each answer may take, and how many clients there may be. */
#define PATIENCE_MS  10000
#define MOST_CLIENTS 1000000

struct inquiry {
	int fd;
	bool counted;   /* the plugin has told how many were asked */
	uint32_t asked; /* workers */
	uint32_t done;  /* workers */
	bool closed;    /* CLOSE: a client was */
	const struct choice *choice;
	struct found *found;
	struct control_packet packet;
};

/* ---- The socket ---------------------------------------------------------------- */

static bool fail_to_connect(const char *path)
{
	if (errno == EACCES || errno == EPERM)
		say_error("%s: only the broker's user and root may ask there. Try sudo.", path);
	else if (errno == ENOENT || errno == ECONNREFUSED)
		say_error("%s: nobody is there. Does the broker run, with mquic's plugin? --socket "
			  "names another plugin_opt_control.",
			  path);
	else if (errno == EAGAIN)
		say_error("%s: the broker does not answer.", path);
	else
		say_error("%s: %s.", path, strerror(errno));
	return false;
}

static bool dial(struct inquiry *inquiry, const char *path)
{
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path)) {
		say_error("%s: the path of a socket has at most %zu bytes.", path,
			  sizeof(address.sun_path) - 1);
		return false;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	inquiry->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* Where too many wait already, and nobody lets them in, connect() waits as well. */
	if (inquiry->fd < 0 ||
	    setsockopt(inquiry->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
	    connect(inquiry->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return fail_to_connect(path);
	return true;
}

/* The next packet's length, 0 at the end. False: there is none, which is said. */
static bool receive(struct inquiry *inquiry, size_t *len)
{
	struct pollfd watched = {.fd = inquiry->fd, .events = POLLIN};
	ssize_t got;
	int ready;

	do
		ready = poll(&watched, 1, PATIENCE_MS);
	while (ready < 0 && errno == EINTR);
	if (ready == 0) {
		say_error("No answer in %d seconds.", PATIENCE_MS / 1000);
		return false;
	}
	got = recv(inquiry->fd, &inquiry->packet, sizeof(inquiry->packet), MSG_TRUNC);
	/* Who has closed the socket without reading it has not let us in. */
	*len = got < 0 ? 0 : (size_t)got;
	if (*len == 0 ||
	    (*len <= sizeof(inquiry->packet) && control_check_answer(&inquiry->packet, *len)))
		return true;
	say_error("An answer that makes no sense: are mquic-status and the plugin of one version?");
	return false;
}

/* ---- Answers --------------------------------------------------------------------- */

static void make_printable(char *text, size_t size)
{
	char clean[CLIENT_FACTS_TEXT];

	mquic_text_printable(clean, size, text, MQUIC_NUL_TERMINATED, '\0');
	memcpy(text, clean, size);
}

static void keep(struct inquiry *inquiry, struct found_client *client,
		 const struct client_facts *facts)
{
	client->worker = inquiry->packet.head.worker;
	client->facts = *facts;
	make_printable(client->facts.address, sizeof(client->facts.address));
	make_printable(client->facts.cipher, sizeof(client->facts.cipher));
	make_printable(client->facts.id, sizeof(client->facts.id));
	make_printable(client->facts.user, sizeof(client->facts.user));
}

static bool add_clients(struct inquiry *inquiry)
{
	struct found *found = inquiry->found;
	size_t count = inquiry->packet.head.count;
	const struct client_facts *facts = inquiry->packet.clients;
	struct found_client *longer = NULL;
	size_t i;

	if (found != NULL && found->count + count <= MOST_CLIENTS)
		longer = realloc(found->clients, (found->count + count) * sizeof(*longer));
	if (longer == NULL) {
		say_error("More clients than there is memory for.");
		return false;
	}
	found->clients = longer;
	/* As it was told: two may look the same when what cannot be printed is taken out. */
	for (i = 0; i < count; i++)
		if (choice_has(inquiry->choice, &facts[i]))
			keep(inquiry, &longer[found->count++], &facts[i]);
	return true;
}

static bool take(struct inquiry *inquiry)
{
	switch (inquiry->packet.head.kind) {
	case CONTROL_ASKED:
		inquiry->counted = true;
		inquiry->asked = inquiry->packet.head.count;
		return true;
	case CONTROL_CLIENTS:
		return add_clients(inquiry);
	case CONTROL_CLOSED:
		inquiry->closed = true;
		break;
	default:
		break;
	}
	inquiry->done++;
	return true;
}

/* One that has fallen silent, as one that is just started again, must not be taken for none. */
static bool is_whole(const struct inquiry *inquiry)
{
	if (!inquiry->counted)
		say_error("The broker has hung up: more than a few ask at the same time, or it "
			  "ends.");
	else if (inquiry->done < inquiry->asked)
		say_error("%u of %u workers have not answered.", inquiry->asked - inquiry->done,
			  inquiry->asked);
	return inquiry->counted && inquiry->done >= inquiry->asked;
}

static bool gather(struct inquiry *inquiry)
{
	size_t len;

	while (!inquiry->counted || inquiry->done < inquiry->asked) {
		if (!receive(inquiry, &len))
			return false;
		if (len == 0)
			break;
		if (!take(inquiry))
			return false;
	}
	return is_whole(inquiry);
}

static bool inquire(struct inquiry *inquiry, const char *path,
		    const struct control_request *request)
{
	bool good = dial(inquiry, path);

	/* Whether that was taken shows in the answer. */
	if (good)
		(void)send(inquiry->fd, request, sizeof(*request), MSG_NOSIGNAL);
	good = good && gather(inquiry);
	if (inquiry->fd >= 0)
		close(inquiry->fd);
	return good;
}

/* ---- Questions ---------------------------------------------------------------------- */

bool inquiry_list(const char *path, const struct choice *choice, struct found *found)
{
	static struct inquiry inquiry;
	const struct control_request request = {CONTROL_VERSION, CONTROL_LIST, 0, 0};

	*found = (struct found){NULL, 0};
	inquiry = (struct inquiry){.fd = -1, .choice = choice, .found = found};
	return inquire(&inquiry, path, &request);
}

void found_clear(struct found *found)
{
	free(found->clients);
	*found = (struct found){NULL, 0};
}

enum inquiry_end inquiry_close(const char *path, unsigned int worker, unsigned int client)
{
	static struct inquiry inquiry;
	const struct control_request request = {CONTROL_VERSION, CONTROL_CLOSE, worker, client};

	inquiry = (struct inquiry){.fd = -1};
	if (!inquire(&inquiry, path, &request))
		return INQUIRY_FAILED;
	return inquiry.closed ? INQUIRY_CLOSED : INQUIRY_UNKNOWN;
}

bool inquiry_restart(const char *path)
{
	static struct inquiry inquiry;
	const struct control_request request = {CONTROL_VERSION, CONTROL_RESTART, 0, 0};

	inquiry = (struct inquiry){.fd = -1};
	if (!inquire(&inquiry, path, &request))
		return false;
	if (!inquiry.closed)
		say_error("The workers are being replaced already: the broker's log tells how that "
			  "goes.");
	return inquiry.closed;
}
