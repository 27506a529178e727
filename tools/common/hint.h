/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_HINT_H
#define TOOLS_HINT_H

/*
 * The library's sentences speak of settings, as a program has them. Puts the option of the tools
 * behind each: "set the CA file (--cafile)". Takes an allocated sentence and returns one.
 */
char *hint_options(char *sentence);

#endif
