/* SPDX-License-Identifier: MIT */
/* The states of the engine, whose picture is in engine.h. */
#ifndef MQUIC_MQTT_STATE_H
#define MQUIC_MQTT_STATE_H

#include "mqtt/body.h"

/* The only way from one state to another. One that it is in already is no step. */
void engine_step(struct mqtt_engine *engine, enum mqtt_engine_state state);

#endif
