/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_STANDARD_FILES_H
#define TOOLS_STANDARD_FILES_H

/*
 * To be called first. Standard files that the caller has closed are held by something that
 * refuses to be read or written: the next file or socket would take their numbers, and what is
 * meant for the terminal would be written to it.
 */
void standard_files_hold(void);

#endif
