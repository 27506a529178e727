/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "token.h"

/* Six bits each, as in base64url (RFC 4648 section 5): no character that a log would escape. */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

_Static_assert(TOKEN_TEXT_LEN == (TOKEN_BYTES * 8 + 5) / 6, "so many digits for so many bits");

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

void token_text(const struct token *token, char text[TOKEN_TEXT_LEN + 1])
{
	uint32_t bits = 0;
	unsigned int count = 0;
	size_t next = 0;
	size_t i;

	for (i = 0; i < TOKEN_TEXT_LEN; i++) {
		if (count < 6) {
			bits = bits << 8 | (next < TOKEN_BYTES ? token->bytes[next] : 0);
			next++;
			count += 8;
		}
		count -= 6;
		text[i] = digits[bits >> count & 63];
	}
	text[TOKEN_TEXT_LEN] = '\0';
}

bool token_parse(const char *text, struct token *token)
{
	char again[TOKEN_TEXT_LEN + 1];
	uint32_t bits = 0;
	unsigned int count = 0;
	size_t next = 0;
	size_t i;

	if (text == NULL || strlen(text) != TOKEN_TEXT_LEN)
		return false;
	for (i = 0; i < TOKEN_TEXT_LEN; i++) {
		const char *found = strchr(digits, text[i]);

		if (found == NULL)
			return false;
		bits = bits << 6 | (uint32_t)(found - digits);
		count += 6;
		if (count >= 8 && next < TOKEN_BYTES) {
			count -= 8;
			token->bytes[next++] = (uint8_t)(bits >> count);
		}
	}
	/* The last digit has bits to spare: only one way of writing a token is ours. */
	token_text(token, again);
	return strcmp(text, again) == 0;
}
