/* SPDX-License-Identifier: MIT */
/* -D command name value: MQTT 5 properties on the command line. */
#ifndef TOOLS_PROPERTY_H
#define TOOLS_PROPERTY_H

#include "options.h"

/* The call of -D; the target is a struct client_options. */
bool property_option(void *target, const char *option, struct words *words);

extern const char property_connect_help[];
extern const char property_message_help[];
extern const char property_subscribe_help[];

#endif
