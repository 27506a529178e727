/* SPDX-License-Identifier: MIT */
/* What the tools make of MQTT 5 reason codes (MQTT 5.0 section 2.4). */
#ifndef TOOLS_REASON_H
#define TOOLS_REASON_H

#include <mquic.h>

/* The exit code for a CONNACK that refuses, as mosquitto_pub has it: the code on the wire. */
int reason_exit_code(uint8_t reason, enum mquic_protocol protocol);

#endif
