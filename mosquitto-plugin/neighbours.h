/* SPDX-License-Identifier: MIT */
/* Other plugins of the same broker, which no function of the broker tells of. Main thread only. */
#ifndef MOSQUITTO_PLUGIN_NEIGHBOURS_H
#define MOSQUITTO_PLUGIN_NEIGHBOURS_H

#include <stdbool.h>
#include <stddef.h>

#include "broker.h"

/*
 * Whether another plugin is loaded by now, of whatever version of the interface; `name` gets the
 * file of the first, without its directory.
 */
bool neighbours_find(char *name, size_t size);

/* In init: whether the dynamic security plugin is asked about the same logins, and before us. */
bool neighbours_have_dynamic_security(mosquitto_plugin_id_t *id);

#endif
