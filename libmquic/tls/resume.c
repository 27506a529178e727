/* SPDX-License-Identifier: MIT */
/*
 * Resumption (RFC 8446 section 2.2). Servers of GnuTLS want a fresh key exchange, so who finds the
 * key of tickets later reads nothing of what was said.
 *
 * A client that has shown a certificate gets no ticket. GnuTLS puts the certificate into it, and
 * takes it out again before it knows whether the client has the ticket's secret: one who has only
 * seen a ticket on the way, and offers it with an age that is too high, gets a full handshake in
 * which the certificate counts as shown. And a certificate that has been revoked since must not
 * come in by the back door.
 */
#include "tls/resume.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tls/binding.h"
#include "tls/peer.h"
#include "tls/tickets.h"

/*
 * Seconds from the full handshake on. GnuTLS derives a new key from ours after three times this, and
 * takes what was made with the last one.
 */
#define LIFETIME_S (24 * 60 * 60)

/* RFC 8446 section 4.6.1: a client keeps none for longer. */
#define LIFETIME_MOST_S (7 * LIFETIME_S)

/* Longer ones would take more than two datagrams of each first flight. */
#define MESSAGE_MOST 2048

/* ---- Server --------------------------------------------------------------- */

int resume_set_up(struct tls_session *session)
{
	struct tls_credentials *credentials = session->credentials;
	gnutls_datum_t key = {credentials->ticket_key, sizeof(credentials->ticket_key)};

	if (!credentials->has_ticket_key)
		return 0;
	gnutls_db_set_cache_expiration(session->native, LIFETIME_S);
	return gnutls_session_ticket_enable_server(session->native, &key);
}

void tls_session_grant(struct tls_session *session)
{
	unsigned int count = 0;

	(void)gnutls_certificate_get_peers(session->native, &count);
	/* Without one the client has a full handshake next time: that is all. */
	if (session->credentials->has_ticket_key && count == 0)
		(void)gnutls_session_ticket_send(session->native, 1, 0);
}

/* ---- Client --------------------------------------------------------------- */

bool tls_session_expect(struct tls_session *session, uint16_t port)
{
	session->expects = session->credentials->resumes &&
			   binding_owner(session->owner, session->credentials, session->name, port);
	return session->expects;
}

const uint8_t *tls_session_owner(const struct tls_session *session)
{
	return session->expects ? session->owner : NULL;
}

void tls_session_offer(struct tls_session *session, const struct tls_ticket *ticket)
{
	/* One that another version of GnuTLS has made is refused here: the handshake is a full one. */
	(void)gnutls_session_set_data(session->native, ticket->data, ticket->len);
}

struct tls_ticket *tls_session_take_ticket(struct tls_session *session)
{
	struct tls_ticket *ticket = session->ticket;

	session->ticket = NULL;
	return ticket;
}

static uint64_t now_s(void)
{
	time_t now = time(NULL);

	return now < 0 ? 0 : (uint64_t)now;
}

/* No longer than the server's certificate, which is not looked at again. 0: not at all. */
static uint64_t good_until(struct tls_session *session)
{
	uint64_t until = now_s() + session->lifetime_s;
	gnutls_x509_crt_t certificate = NULL;
	time_t ends;

	if (session->credentials->insecure)
		return until;
	if (peer_certificate(session, &certificate) != MQUIC_OK || certificate == NULL)
		return 0;
	ends = gnutls_x509_crt_get_expiration_time(certificate);
	gnutls_x509_crt_deinit(certificate);
	return ends != (time_t)-1 && ends > 0 && (uint64_t)ends < until ? (uint64_t)ends : until;
}

static struct tls_ticket *make_ticket(struct tls_session *session, const gnutls_datum_t *data)
{
	struct tls_ticket *ticket;
	uint64_t until = good_until(session);

	if (data->size > TICKET_SIZE_MOST || until == 0)
		return NULL;
	ticket = ticket_new(data->size);
	if (ticket == NULL)
		return NULL;
	memcpy(ticket->data, data->data, data->size);
	memcpy(ticket->owner, session->owner, sizeof(ticket->owner));
	ticket->until_s = until;
	return ticket;
}

static void keep_ticket(struct tls_session *session)
{
	gnutls_datum_t data;

	if (gnutls_session_get_data2(session->native, &data) != 0)
		return;
	ticket_free(session->ticket);
	session->ticket = make_ticket(session, &data);
	explicit_bzero(data.data, data.size);
	gnutls_free(data.data);
}

/* It begins with its lifetime; 0: it is to be dropped. */
static uint32_t read_lifetime(const gnutls_datum_t *message)
{
	uint32_t lifetime;

	if (message->size < 4 || message->size > MESSAGE_MOST)
		return 0;
	lifetime = (uint32_t)message->data[0] << 24 | (uint32_t)message->data[1] << 16 |
		   (uint32_t)message->data[2] << 8 | message->data[3];
	return lifetime < LIFETIME_MOST_S ? lifetime : LIFETIME_MOST_S;
}

int resume_look(struct tls_session *session, unsigned int when, const gnutls_datum_t *message)
{
	if (when == GNUTLS_HOOK_PRE)
		session->lifetime_s = read_lifetime(message);
	else if (session->expects && session->lifetime_s > 0)
		keep_ticket(session);
	return 0;
}

/* What it was then is bound to the ticket: credentials that would judge otherwise have others. */
bool resume_was_verified(const struct tls_session *session)
{
	return session->credentials->role == TLS_CLIENT && !session->credentials->insecure &&
	       gnutls_session_is_resumed(session->native) != 0;
}
