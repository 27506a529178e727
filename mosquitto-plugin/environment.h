/* SPDX-License-Identifier: MIT */
/* What of the broker's environment a worker gets: it may hold secrets of others. */
#ifndef MOSQUITTO_PLUGIN_ENVIRONMENT_H
#define MOSQUITTO_PLUGIN_ENVIRONMENT_H

/*
 * The variables of `all` that say how programs are loaded and how their libraries behave, ended by
 * NULL: to be freed, and the texts are those of `all`. NULL: out of memory.
 */
char **environment_of_worker(char *const *all);

#endif
