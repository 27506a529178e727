/* SPDX-License-Identifier: MIT */
/* UTF-8 text with a length, as MQTT and the public API carry it. */
#ifndef MQUIC_CORE_TEXT_H
#define MQUIC_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An owned string: `len` bytes and a NUL behind them; data NULL means absent. */
struct text {
	char *data;
	size_t len;
};

/* `len`, or the length up to the NUL if it is MQUIC_NUL_TERMINATED. */
size_t text_length(const char *data, size_t len);

/* Replaces the content with a copy; NULL data clears it. False if out of memory: unchanged. */
bool text_set(struct text *text, const char *data, size_t len);

/* Frees the content and leaves it absent. */
void text_clear(struct text *text);

/*
 * Whether the bytes are well-formed UTF-8 without U+0000 (MQTT 5.0 section 1.5.4: surrogates,
 * overlong forms and values above U+10FFFF are ill-formed).
 */
bool text_is_utf8(const char *data, size_t len);

/*
 * Copies at most size - 1 bytes for people to read, always NUL terminated: ill-formed bytes and
 * what could forge a line become '?', see mquic_text_printable(). `out` may be `data`.
 */
void text_printable(char *out, size_t size, const char *data, size_t len);

#endif
