/* SPDX-License-Identifier: MIT */
/*
 * The ticket with which the worker announces a client to the broker's thread. It travels in
 * front of the user name of CONNECT:
 *
 *     qt1! 0123456789abcdef0123456789abcdef 1 alice
 *     ──── ──────────── 128 bits ────────── │ the client's own user name, if the digit is 1
 */
#ifndef MOSQUITTO_PLUGIN_TOKEN_H
#define MOSQUITTO_PLUGIN_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_BYTES    16
#define TOKEN_TEXT_LEN 37 /* prefix, hexadecimal digits, one digit */

struct token {
	uint8_t bytes[TOKEN_BYTES];
};

/* Draws a new one; false if the system has no randomness to give. */
bool token_draw(struct token *token);

/* Whether two are equal; the time does not depend on where they differ. */
bool token_equal(const struct token *a, const struct token *b);

/* Whether a user name starts like one with a token. */
bool token_announced(const char *username);

/*
 * The user name with the token in front; `original` NULL: the client sent none. The caller
 * frees it. NULL: out of memory.
 */
char *token_username(const struct token *token, const char *original, size_t original_len,
		     size_t *len);

/*
 * Takes a user name apart. `*original` points into it, or is NULL if the client sent none.
 * False if it has no well-formed token.
 */
bool token_parse(const char *username, struct token *token, const char **original);

#endif
