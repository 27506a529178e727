/* SPDX-License-Identifier: MIT */
/* Which clients are meant. */
#ifndef TOOLS_STATUS_CHOICE_H
#define TOOLS_STATUS_CHOICE_H

#include <stdbool.h>

#include "../gateway/control.h"

/* NULL: any. */
struct choice {
	const char *id;
	const char *user;
	const char *address; /* with or without its port */
};

/* Whether an option's text can stand for one of them. False: it has been said why not. */
bool choice_check_text(const char *name, const char *text);
bool choice_check_address(const char *name, const char *text);

/* `facts` as the worker has told them. */
bool choice_has(const struct choice *choice, const struct client_facts *facts);

#endif
