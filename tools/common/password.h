/* SPDX-License-Identifier: MIT */
/* Passwords that do not stand on the command line, where all users of the machine see them. */
#ifndef TOOLS_PASSWORD_H
#define TOOLS_PASSWORD_H

/* The first line of a file, to be freed; NULL after saying what is wrong. */
char *password_from_file(const char *path);

/* Asks for one on the terminal without showing it; NULL after saying why that cannot be. */
char *password_from_terminal(const char *user);

/* Overwrites a word of the command line, as far as that is still possible. */
void password_blank(char *word);

#endif
