/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "token.h"

static const char prefix[] = "qt1!";
static const char digits[] = "0123456789abcdef";

#define PREFIX_LEN (sizeof(prefix) - 1)
#define FLAG_AT	   (PREFIX_LEN + 2 * (size_t)TOKEN_BYTES)

_Static_assert(FLAG_AT + 1 == TOKEN_TEXT_LEN, "the parts make the whole");

bool token_draw(struct token *token)
{
	ssize_t got;

	/* Up to 256 bytes come whole; only a signal before the pool was ever ready interrupts. */
	do
		got = getrandom(token->bytes, sizeof(token->bytes), 0);
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof(token->bytes);
}

bool token_equal(const struct token *a, const struct token *b)
{
	uint8_t difference = 0;
	size_t i;

	for (i = 0; i < TOKEN_BYTES; i++)
		difference |= a->bytes[i] ^ b->bytes[i];
	return difference == 0;
}

bool token_announced(const char *username)
{
	return username != NULL && strncmp(username, prefix, PREFIX_LEN) == 0;
}

char *token_username(const struct token *token, const char *original, size_t original_len,
		     size_t *len)
{
	char *text;
	char *at;
	size_t i;

	if (original == NULL)
		original_len = 0;
	text = malloc(TOKEN_TEXT_LEN + original_len + 1);
	if (text == NULL)
		return NULL;
	memcpy(text, prefix, PREFIX_LEN);
	at = text + PREFIX_LEN;
	for (i = 0; i < TOKEN_BYTES; i++) {
		*at++ = digits[token->bytes[i] >> 4];
		*at++ = digits[token->bytes[i] & 15];
	}
	*at++ = original != NULL ? '1' : '0';
	if (original_len > 0)
		memcpy(at, original, original_len);
	at[original_len] = '\0';
	*len = TOKEN_TEXT_LEN + original_len;
	return text;
}

static bool parse_digit(char digit, uint8_t *value)
{
	const char *found = digit != '\0' ? strchr(digits, digit) : NULL;

	if (found == NULL)
		return false;
	*value = (uint8_t)(found - digits);
	return true;
}

bool token_parse(const char *username, struct token *token, const char **original)
{
	const char *at;
	size_t i;

	if (!token_announced(username) || strlen(username) < TOKEN_TEXT_LEN)
		return false;
	at = username + PREFIX_LEN;
	for (i = 0; i < TOKEN_BYTES; i++, at += 2) {
		uint8_t high, low;

		if (!parse_digit(at[0], &high) || !parse_digit(at[1], &low))
			return false;
		token->bytes[i] = (uint8_t)(high << 4 | low);
	}
	if (*at != '0' && *at != '1')
		return false;
	*original = *at == '1' ? at + 1 : NULL;
	/* Nothing may follow the digit of a client without user name: we never write that. */
	return *at == '1' || at[1] == '\0';
}
