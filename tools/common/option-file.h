/* SPDX-License-Identifier: MIT */
/*
 * Options in files, one a line as mosquitto_pub has them: "-h host", a value as it is to the end
 * of its line, '#' in front of a comment. They are defaults: read them before the command line.
 *
 * Of the files below ~/.config the tool's own is read, or else that of Mosquitto's tool, whose
 * lines about TCP alone are passed over: its port is not QUIC's.
 */
#ifndef TOOLS_OPTION_FILE_H
#define TOOLS_OPTION_FILE_H

#include "options.h"

struct option_file {
	char *path; /* NULL: no file was read */
	char *text; /* options point into it */
};

/* Reads the file at `path`, or if that is NULL one below ~/.config. False after an error. */
bool option_file_read(struct option_file *file, const struct option_table *tables,
		      const char *program, const char *path);
void option_file_free(struct option_file *file);

#endif
