/* SPDX-License-Identifier: MIT */
/*
 * libmosquitto in one thread of ours: epoll on the sockets of all clients, then its own calls
 * to read and write. What a callback queues on its own client is written when that returns.
 */
#include "client.h"

#include <errno.h>
#include <mosquitto.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 64

struct own {
	struct mosquitto *mosquitto;
	struct client *client;
	int fd;
	bool writing; /* EPOLLOUT is asked for */
	bool leaving;
	struct own *next;
};

static struct {
	const struct options *options;
	const struct client_events *events;
	struct own *all;
	int epoll_fd;
	struct own *handling; /* whose callbacks may be running */
	uint64_t misc_ns;     /* when timers were last looked at */
	bool tls;
} self;

static void must(int rc, const char *call)
{
	if (rc != MOSQ_ERR_SUCCESS)
		fail("%s: %s", call,
		     rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
}

static void init(const struct options *options, const struct client_events *events)
{
	self.options = options;
	self.events = events;
	self.tls = strcmp(options->transport, "tls") == 0;
	self.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	mosquitto_lib_init();
}

static void on_connect(struct mosquitto *mosquitto, void *userdata, int code, int flags,
		       const mosquitto_property *properties)
{
	struct own *own = userdata;

	(void)mosquitto;
	(void)flags;
	(void)properties;
	if (code != 0)
		fail("the broker refused: code %d", code);
	own->client->connack_ns = now_ns();
	if (own->client->handshake_ns == 0)
		own->client->handshake_ns = own->client->connack_ns;
	self.events->connected(own->client);
}

static void on_subscribe(struct mosquitto *mosquitto, void *userdata, int mid, int count,
			 const int *granted)
{
	struct own *own = userdata;

	(void)mosquitto;
	(void)mid;
	(void)count;
	(void)granted;
	self.events->subscribed(own->client);
}

static void on_message(struct mosquitto *mosquitto, void *userdata,
		       const struct mosquitto_message *message)
{
	struct own *own = userdata;

	(void)mosquitto;
	self.events->message(own->client, message->payload, (size_t)message->payloadlen);
}

/* QoS 0 calls it too, when the bytes are written; only QoS 1 and 2 count as delivered. */
static void on_publish(struct mosquitto *mosquitto, void *userdata, int mid)
{
	struct own *own = userdata;

	(void)mosquitto;
	(void)mid;
	if (self.options->qos > 0)
		self.events->delivered(own->client);
}

static void ended(struct own *own, int rc)
{
	if (own->client->ended)
		return;
	own->client->ended = true;
	self.events->ended(own->client, own->leaving ? NULL : mosquitto_strerror(rc));
}

static void on_disconnect(struct mosquitto *mosquitto, void *userdata, int rc)
{
	(void)mosquitto;
	ended(userdata, rc);
}

static void configure(struct own *own)
{
	struct mosquitto *mosquitto = own->mosquitto;

	mosquitto_connect_v5_callback_set(mosquitto, on_connect);
	mosquitto_subscribe_callback_set(mosquitto, on_subscribe);
	mosquitto_message_callback_set(mosquitto, on_message);
	mosquitto_publish_callback_set(mosquitto, on_publish);
	mosquitto_disconnect_callback_set(mosquitto, on_disconnect);
	must(mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION,
				  (int)self.options->protocol),
	     "MOSQ_OPT_PROTOCOL_VERSION");
	must(mosquitto_int_option(mosquitto, MOSQ_OPT_TCP_NODELAY, 1), "MOSQ_OPT_TCP_NODELAY");
	/* The window is ours to keep. */
	must(mosquitto_max_inflight_messages_set(mosquitto, 0), "max_inflight_messages");
	if (self.tls) {
		must(mosquitto_tls_set(mosquitto, self.options->cafile, NULL, NULL, NULL, NULL),
		     "mosquitto_tls_set");
		must(mosquitto_tls_opts_set(mosquitto, 1, "tlsv1.3", NULL),
		     "mosquitto_tls_opts_set");
	}
}

static void watch(struct own *own, int operation)
{
	struct epoll_event event = {.events = EPOLLIN | (own->writing ? EPOLLOUT : 0),
				    .data.ptr = own};

	if (epoll_ctl(self.epoll_fd, operation, own->fd, &event) < 0)
		fail("epoll_ctl: %s", strerror(errno));
}

static void note_handshake(struct own *own)
{
	SSL *ssl;

	if (own->client->handshake_ns != 0 || !self.tls)
		return;
	ssl = mosquitto_ssl_get(own->mosquitto);
	if (ssl != NULL && SSL_is_init_finished(ssl))
		own->client->handshake_ns = now_ns();
}

/* Writes what waits, and has epoll tell when more can go if not all went. */
static void flush(struct own *own)
{
	bool want;

	if (own->client->ended || own == self.handling)
		return;
	if (mosquitto_want_write(own->mosquitto)) {
		int rc = mosquitto_loop_write(own->mosquitto, 1);

		note_handshake(own);
		if (rc != MOSQ_ERR_SUCCESS) {
			ended(own, rc);
			return;
		}
	}
	/* A DISCONNECT that is out has closed the socket. */
	if (own->client->ended)
		return;
	want = mosquitto_want_write(own->mosquitto);
	if (want != own->writing) {
		own->writing = want;
		watch(own, EPOLL_CTL_MOD);
	}
}

static void connect_client(struct client *client, const char *client_id)
{
	struct own *own = calloc(1, sizeof(*own));
	int rc;

	if (own == NULL)
		fail("out of memory");
	own->client = client;
	own->mosquitto = mosquitto_new(client_id, true, own);
	if (own->mosquitto == NULL)
		fail("mosquitto_new: %s", strerror(errno));
	configure(own);
	client->own = own;
	client->started_ns = now_ns();
	rc = mosquitto_connect_bind_v5(own->mosquitto, self.options->host, (int)self.options->port,
				       (int)self.options->keep_alive_s, NULL, NULL);
	if (rc != MOSQ_ERR_SUCCESS) {
		ended(own, rc);
		return;
	}
	/* Without TLS the transport is ready when connect() has returned. */
	if (!self.tls)
		client->handshake_ns = now_ns();
	note_handshake(own);
	own->fd = mosquitto_socket(own->mosquitto);
	own->writing = true;
	watch(own, EPOLL_CTL_ADD);
	own->next = self.all;
	self.all = own;
}

static bool publish(struct client *client, const char *topic, const uint8_t *payload, size_t len,
		    int qos)
{
	struct own *own = client->own;

	if (client->ended)
		return false;
	must(mosquitto_publish(own->mosquitto, NULL, topic, (int)len, payload, qos, false),
	     "mosquitto_publish");
	flush(own);
	return true;
}

static void subscribe(struct client *client, const char *filter, int qos)
{
	struct own *own = client->own;

	must(mosquitto_subscribe(own->mosquitto, NULL, filter, qos), "mosquitto_subscribe");
	flush(own);
}

static void disconnect(struct client *client)
{
	struct own *own = client->own;

	own->leaving = true;
	mosquitto_disconnect(own->mosquitto);
	flush(own);
}

static void free_client(struct client *client)
{
	struct own *own = client->own;

	for (struct own **place = &self.all; *place != NULL; place = &(*place)->next)
		if (*place == own) {
			*place = own->next;
			break;
		}
	mosquitto_destroy(own->mosquitto);
	free(own);
	client->own = NULL;
}

static void handle(struct own *own, uint32_t events)
{
	int rc = MOSQ_ERR_SUCCESS;

	self.handling = own;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		rc = mosquitto_loop_read(own->mosquitto, 1);
		note_handshake(own);
	}
	self.handling = NULL;
	if (rc != MOSQ_ERR_SUCCESS)
		ended(own, rc);
	else
		flush(own);
}

/* Keep-alive; twice a second is plenty. */
static void tend(void)
{
	uint64_t now = now_ns();

	if (now - self.misc_ns < 500000000)
		return;
	self.misc_ns = now;
	for (struct own *own = self.all; own != NULL; own = own->next)
		if (!own->client->ended && mosquitto_loop_misc(own->mosquitto) != MOSQ_ERR_SUCCESS)
			ended(own, MOSQ_ERR_KEEPALIVE);
}

static void run(int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(self.epoll_fd, events, EVENTS, timeout_ms);

	for (int i = 0; i < count; i++)
		handle(events[i].data.ptr, events[i].events);
	tend();
}

static void fini(void)
{
	mosquitto_lib_cleanup();
	close(self.epoll_fd);
}

const struct transport transport_mosquitto = {
	.init = init,
	.connect = connect_client,
	.publish = publish,
	.subscribe = subscribe,
	.disconnect = disconnect,
	.free = free_client,
	.run = run,
	.fini = fini,
};
