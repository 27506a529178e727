/* SPDX-License-Identifier: MIT */
/*
 * A worker beside a broker, from its first message to its last:
 *
 *     CONFIGURED ──listens──▶ READY ──START──▶ SERVING ──STOP, or the plugin is gone──▶ OVER
 *         │ cannot: FAILED      │ STOP, or the plugin is gone                             ▲
 *         └─────────────────────┴──────────────────────────────────────────────────────────┘
 */
#ifndef GATEWAY_RUN_H
#define GATEWAY_RUN_H

#include <stdbool.h>

/* Does all of it at this end of a channel. False: it could not, and the plugin knows why. */
bool gateway_run(int channel);

#endif
