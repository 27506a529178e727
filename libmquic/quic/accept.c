/* SPDX-License-Identifier: MIT */
#include "quic/accept.h"

#include "quic/admission.h"
#include "quic/answer.h"
#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/conductor.h"
#include "quic/listener.h"
#include "quic/newcomers.h"
#include "quic/server.h"
#include "quic/totals.h"

static void admit(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		  const ngtcp2_pkt_hd *hd, const ngtcp2_cid *original)
{
	struct mquic_connection *connection = conductor_new(host);
	struct attempt *attempt;

	if (connection == NULL)
		return;
	connection->listener = wire->listener;
	connection->settings = wire->listener->settings;
	connection->credentials = tls_credentials_ref(wire->listener->credentials);
	state_step(connection, CONNECTION_HANDSHAKE);
	attempt = attempt_new(connection, wire);
	if (attempt == NULL ||
	    !admission_enter(connection, &datagram->remote,
			     original == NULL ? ADDRESS_UNPROVEN : ADDRESS_PROVEN) ||
	    server_begin(attempt, hd, datagram, original) != MQUIC_OK) {
		conductor_destroy(connection);
		return;
	}
	totals_begun(connection);
	attempt_read(attempt, wire, datagram);
}

/* Not yet, or no. `admission` is NULL where its token is no good. */
static void answer(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		   const ngtcp2_pkt_hd *hd, const struct admission *admission)
{
	if (admission == NULL)
		answer_refusal(host, wire, datagram, hd, NGTCP2_INVALID_TOKEN,
			       "invalid Retry token", NULL);
	else if (admission->retry)
		answer_retry(host, wire, datagram, hd);
	else
		answer_refusal(host, wire, datagram, hd, NGTCP2_CONNECTION_REFUSED,
			       admission->objection, admission->setting);
}

void accept_initial(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_pkt_hd *hd)
{
	const struct quic_listener *listener = wire->listener;
	ngtcp2_cid original;
	enum token_verdict verdict = token_check(&listener->secrets, hd, &datagram->remote,
						 endpoint_now(host->endpoint), &original);
	bool proven = verdict == TOKEN_VALID;
	struct admission admission = admission_judge(host, listener->settings, &datagram->remote,
						     proven ? ADDRESS_PROVEN : ADDRESS_UNPROVEN);

	if (verdict == TOKEN_INVALID || admission.retry ||
	    (admission.objection != NULL && admission.gives_way == NULL)) {
		if (newcomers_may_answer(host))
			answer(host, wire, datagram, hd,
			       verdict == TOKEN_INVALID ? NULL : &admission);
		else
			newcomers_keep(host, wire, datagram);
	} else if (!newcomers_may_begin(host)) {
		newcomers_keep(host, wire, datagram);
	} else {
		if (admission.gives_way != NULL)
			conductor_give_way(admission.gives_way, admission.objection);
		admit(host, wire, datagram, hd, proven ? &original : NULL);
	}
}

enum mquic_status mquic_endpoint_accept(struct mquic_endpoint *endpoint,
					struct mquic_connection **connection)
{
	struct quic_host *host;
	struct list *node;

	if (endpoint == NULL)
		return MQUIC_ERR_INVALID;
	if (connection == NULL)
		return error_say(endpoint_error(endpoint), MQUIC_ERR_INVALID,
				 "accepting needs a place for the connection");
	if (endpoint_check_fork(endpoint, endpoint_error(endpoint)) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	host = host_of(endpoint);
	node = host == NULL ? NULL : list_take_first(&host->acceptable);
	if (node == NULL)
		return error_say(endpoint_error(endpoint), MQUIC_ERR_AGAIN,
				 "no connection waits; an event tells when one does");
	*connection = list_entry(node, struct mquic_connection, accept_link);
	(*connection)->owned = true;
	connection_set_waiting(*connection, false); /* its new owner may know better */
	/* Streams may have come before it was accepted: they are told now. */
	(*connection)->streams.fresh = !list_is_empty(&(*connection)->streams.acceptable);
	endpoint_schedule(endpoint, &(*connection)->task);
	return MQUIC_OK;
}
