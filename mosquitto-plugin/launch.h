/* SPDX-License-Identifier: MIT */
/* Starts the program of a worker, and says how one has ended. */
#ifndef MOSQUITTO_PLUGIN_LAUNCH_H
#define MOSQUITTO_PLUGIN_LAUNCH_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Starts the program with this end of a channel, and nothing else of what is open here but the
 * standard error stream, for what only the C library and sanitizers say; of the environment with
 * what environment.h leaves of it. Any time, whatever threads there are. 0, or the error's number.
 */
int launch(const char *program, int channel, pid_t *pid);

/* What waitpid() has said of a process: "was ended by signal 11 (SIGSEGV)". */
void launch_say_end(int status, char *text, size_t size);

/* "19 (SIGSTOP)" */
void launch_say_signal(int number, char *text, size_t size);

#endif
