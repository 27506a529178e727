/* SPDX-License-Identifier: MIT */
/*
 * In place of the server side, in a library built with -Dserver=false: the public calls refuse, and
 * what every connection calls in case it is a server's finds nothing to do.
 */
#include "quic/acceptable.h"
#include "quic/admission.h"
#include "quic/answer.h"
#include "quic/body.h"
#include "quic/listener.h"

static enum mquic_status refuse(struct mquic_endpoint *endpoint)
{
	if (endpoint == NULL)
		return MQUIC_ERR_INVALID;
	return error_set(endpoint_error(endpoint), MQUIC_ERR_UNSUPPORTED,
			 "this libmquic was built without its server side: rebuild it with "
			 "-Dserver=true, or use the packaged one");
}

enum mquic_status mquic_endpoint_listen(struct mquic_endpoint *endpoint,
					const struct mquic_settings *settings, const char *address,
					uint16_t port, uint16_t *bound_port)
{
	(void)settings;
	(void)address;
	(void)port;
	(void)bound_port;
	return refuse(endpoint);
}

enum mquic_status mquic_endpoint_listen_fd(struct mquic_endpoint *endpoint,
					   const struct mquic_settings *settings, int fd,
					   uint16_t *bound_port)
{
	(void)settings;
	(void)fd;
	(void)bound_port;
	return refuse(endpoint);
}

enum mquic_status mquic_endpoint_accept(struct mquic_endpoint *endpoint,
					struct mquic_connection **connection)
{
	return connection == NULL ? MQUIC_ERR_INVALID : refuse(endpoint);
}

enum mquic_status mquic_endpoint_reload(struct mquic_endpoint *endpoint)
{
	return refuse(endpoint);
}

size_t mquic_connection_reset_note(const struct mquic_connection *connection, uint8_t *note,
				   size_t size)
{
	(void)connection;
	(void)note;
	(void)size;
	return 0;
}

enum mquic_status mquic_endpoint_send_reset(struct mquic_endpoint *endpoint, const uint8_t *note,
					    size_t len)
{
	(void)note;
	(void)len;
	return refuse(endpoint);
}

const char *mquic_endpoint_expiring(struct mquic_endpoint *endpoint, uint32_t days, size_t index)
{
	(void)endpoint;
	(void)days;
	(void)index;
	return NULL;
}

bool routes_init(struct quic_host *host, const uint64_t secret[2])
{
	(void)host;
	(void)secret;
	return true;
}

void routes_fini(struct quic_host *host)
{
	(void)host;
}

bool admission_init(struct quic_host *host, const uint64_t secret[2])
{
	(void)host;
	(void)secret;
	return true;
}

void admission_fini(struct quic_host *host)
{
	(void)host;
}

void listener_free_all(struct quic_host *host)
{
	(void)host;
}

void listener_receive(struct quic_host *host, struct wire *wire, const struct datagram *datagram)
{
	(void)host;
	(void)wire;
	(void)datagram;
}

void answer_retry(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		  const ngtcp2_pkt_hd *hd)
{
	(void)host;
	(void)wire;
	(void)datagram;
	(void)hd;
}

void acceptable_add(struct mquic_connection *connection)
{
	(void)connection;
}

void admission_proven(struct mquic_connection *connection)
{
	(void)connection;
}

void connection_set_waiting(struct mquic_connection *connection, bool waiting)
{
	(void)connection;
	(void)waiting;
}

void admission_leave(struct mquic_connection *connection)
{
	(void)connection;
}

void admission_handshake_over(struct mquic_connection *connection)
{
	(void)connection;
}

void route_remove_all(struct quic_host *host, struct quic_target *target)
{
	(void)host;
	(void)target;
}

void route_move_all(struct quic_target *from, struct quic_target *to)
{
	(void)from;
	(void)to;
}

/* A server's address does not change under a client. */
void unproven_heard(struct attempt *attempt, const struct datagram *datagram)
{
	(void)attempt;
	(void)datagram;
}

size_t unproven_room(struct attempt *attempt, size_t wanted)
{
	(void)attempt;
	return wanted;
}

void unproven_sent(struct attempt *attempt, const ngtcp2_path *path, size_t len)
{
	(void)attempt;
	(void)path;
	(void)len;
}
