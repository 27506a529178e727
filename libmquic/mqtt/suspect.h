/* SPDX-License-Identifier: MIT */
/*
 * Which of our messages it is that the server hangs up at. MQTT sends what is not acknowledged
 * again on every new connection (section 4.4), so one that a server ends the connection at would
 * come back for ever, and hold up all behind it.
 *
 *     connection ends ──▶ the first packet sent on it behind the last one answered: was it one?
 *         by the server's will          │ PUBLISH or PUBREL of QoS 1 or 2: one ending more for it
 *                                       ▼
 *     fewer than three: a suspect, which travels alone on the next connection, so that only what
 *     ended the connection is ever blamed; any answer to it, or to what came behind it, clears it
 *     three: given up
 */
#ifndef MQUIC_MQTT_SUSPECT_H
#define MQUIC_MQTT_SUSPECT_H

#include "mqtt/inflight.h"

/* So many connections that ended at a message are no accident. */
#define MQTT_ENDINGS_MAX 3

/* The server has answered this one, and so has got past all that was sent before. */
void mqtt_suspect_answered(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing);

/*
 * The server has ended the connection; to be called before mqtt_inflight_lost(). Returns the
 * message to give up, for the caller to settle, or NULL.
 */
struct mqtt_outgoing *mqtt_suspect_ended(struct mqtt_inflight *inflight);

/* Whether this entry of the queue, or any if NULL, must wait because a suspect travels alone. */
bool mqtt_suspect_holds(const struct mqtt_inflight *inflight, const struct mqtt_outgoing *outgoing);

#endif
