/* SPDX-License-Identifier: MIT */
#include "mqtt/state.h"

#include <string.h>

/* What the end of a connection, which is OVER and then IDLE, or IDLE at once, means for it. */
static enum engine_parting parting_at(enum mqtt_engine_state state, enum engine_parting before)
{
	if (before == PARTING_ASKED)
		return state == MQTT_ENGINE_IDLE ? PARTING_NONE : PARTING_ASKED;
	return PARTING_UNHEARD;
}

void engine_step(struct mqtt_engine *engine, enum mqtt_engine_state state)
{
	struct engine_steps *steps = &engine->steps;

	if (state == engine->state)
		return;
	engine->state = state;
	if (state == MQTT_ENGINE_OVER || state == MQTT_ENGINE_IDLE)
		engine->parting = parting_at(state, engine->parting);
	/* Nobody asks: the oldest is of no more use than that it once was. */
	if (steps->count == ENGINE_STEPS_MAX) {
		steps->from = steps->to[0];
		memmove(steps->to, steps->to + 1, --steps->count * sizeof(steps->to[0]));
	}
	steps->to[steps->count++] = state;
}

bool mqtt_engine_take_step(struct mqtt_engine *engine, enum mqtt_engine_state *from,
			   enum mqtt_engine_state *to)
{
	struct engine_steps *steps = &engine->steps;

	if (steps->count == 0)
		return false;
	*from = steps->from;
	*to = steps->to[0];
	steps->from = *to;
	memmove(steps->to, steps->to + 1, --steps->count * sizeof(steps->to[0]));
	return true;
}

enum mqtt_engine_state mqtt_engine_state(const struct mqtt_engine *engine)
{
	return engine->state;
}

const char *mqtt_engine_state_name(enum mqtt_engine_state state)
{
	switch (state) {
	case MQTT_ENGINE_IDLE:
		return "IDLE";
	case MQTT_ENGINE_CONNECTING:
		return "CONNECTING";
	case MQTT_ENGINE_CONNECTED:
		return "CONNECTED";
	case MQTT_ENGINE_CLOSING:
		return "CLOSING";
	case MQTT_ENGINE_OVER:
		break;
	}
	return "OVER";
}
