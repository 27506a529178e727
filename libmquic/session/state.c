/* SPDX-License-Identifier: MIT */
/* The steps of a session, and what the log has of them. See session.h. */
#include "mqtt/reason.h"
#include "session/session.h"

static const char names[][12] = {
	[SESSION_IDLE] = "IDLE",
	[SESSION_DIALING] = "DIALING",
	[SESSION_CONNECTING] = "CONNECTING",
	[SESSION_CONNECTED] = "CONNECTED",
	[SESSION_LEAVING] = "LEAVING",
	[SESSION_PARTING] = "PARTING",
	[SESSION_ENDED] = "ENDED",
	[SESSION_OVER] = "OVER",
};

void session_step(struct mquic_session *session, enum session_state to)
{
	const struct log *log = endpoint_log(session->endpoint);

	log_step(log, "session", session->number, names[session->state], names[to]);
	session->state = to;
}

bool session_is_active(const struct mquic_session *session)
{
	return session->state != SESSION_IDLE && session->state != SESSION_OVER;
}

void session_settle(struct mquic_session *session)
{
	if (session->state != SESSION_OVER || session->untold)
		return;
	mqtt_engine_told(session->engine);
	session_step(session, SESSION_IDLE);
}

/* Whether a server refuses with this code what CONNECT says, and would refuse it again. */
static bool is_about_connect(uint64_t code)
{
	switch (code) {
	case MQTT_UNSUPPORTED_VERSION:
	case MQTT_CLIENT_ID_NOT_VALID:
	case MQTT_BAD_USERNAME_OR_PASSWORD:
	case MQTT_NOT_AUTHORIZED:
	case MQTT_BAD_AUTHENTICATION_METHOD:
	case MQTT_TOPIC_NAME_INVALID:
	case MQTT_PACKET_TOO_LARGE:
	case MQTT_PAYLOAD_FORMAT_INVALID:
	case MQTT_RETAIN_NOT_SUPPORTED:
	case MQTT_QOS_NOT_SUPPORTED:
		return true;
	default:
		return false;
	}
}

static enum log_culprit culprit(const struct mquic_session *session, const struct mquic_event *last)
{
	if (last->status == MQUIC_ERR_REFUSED && is_about_connect(last->code))
		return LOG_CALLER;
	/* Then it was closed on our side, but not because the program wanted that. */
	if (last->origin == MQUIC_ORIGIN_LOCAL && last->status != MQUIC_ERR_MEMORY &&
	    session->goodbye != GOODBYE_NONE)
		return LOG_PEER;
	return log_culprit_of(last->origin, last->status);
}

void session_step_over(struct mquic_session *session, const struct mquic_event *last)
{
	const struct log *log = endpoint_log(session->endpoint);
	const char *from = names[session->state];
	/* What MQTT ended may have a sentence of the server's, which is a property. */
	const char *sentence = last->origin == MQUIC_ORIGIN_MQTT
				       ? mquic_reason_text((uint8_t)last->code)
				       : mquic_event_text(last);

	session->state = SESSION_OVER;
	if (last->status == MQUIC_OK)
		log_step(log, "session", session->number, from, names[SESSION_OVER]);
	else
		log_step_fault(log, "session", session->number, from, names[SESSION_OVER],
			       culprit(session, last), sentence);
}
