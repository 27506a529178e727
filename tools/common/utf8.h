/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_UTF8_H
#define TOOLS_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed character at `data` (RFC 3629 section 4); 0 if it is none. */
size_t utf8_character(const uint8_t *data, size_t len);

/* The longest part of at most `most` bytes that does not end within a character. */
size_t utf8_cut(const char *text, size_t len, size_t most);

#endif
