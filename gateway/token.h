/* SPDX-License-Identifier: MIT */
/*
 * The ticket with which the worker announces a client to the broker's thread: 128 random bits,
 * which travel as 22 characters in the place of the user name of CONNECT. The name itself waits
 * in the table of identities.
 */
#ifndef GATEWAY_TOKEN_H
#define GATEWAY_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_BYTES    16
#define TOKEN_TEXT_LEN 22

struct token {
	uint8_t bytes[TOKEN_BYTES];
};

/* Draws a new one; false if the system has no randomness to give. */
bool token_draw(struct token *token);

/* Whether two are equal; the time does not depend on where they differ. */
bool token_equal(const struct token *a, const struct token *b);

/* Writes it as text. */
void token_text(const struct token *token, char text[TOKEN_TEXT_LEN + 1]);

/* Reads what token_text() has written; false if it is anything else. NULL is. */
bool token_parse(const char *text, struct token *token);

#endif
