/* SPDX-License-Identifier: MIT */
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

#include "mquic.h"

/* The bytes a lead byte announces, 0 if it cannot start a character (RFC 3629 section 3). */
static size_t sequence_length(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	if (lead < 0xe0)
		return 2;
	return lead < 0xf0 ? 3 : 4;
}

/* Decodes the character at `data`; its length in bytes, 0 if it is ill-formed or cut short. */
static size_t decode(const uint8_t *data, size_t len, uint32_t *character)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	static const uint8_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t size = sequence_length(data[0]);
	uint32_t value;
	size_t i;

	if (size == 0 || size > len)
		return 0;
	value = data[0] & lead_bits[size];
	for (i = 1; i < size; i++) {
		if ((data[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (data[i] & 0x3f);
	}
	if (value < smallest[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*character = value;
	return size;
}

size_t text_length(const char *data, size_t len)
{
	if (data == NULL)
		return 0;
	return len == MQUIC_NUL_TERMINATED ? strlen(data) : len;
}

bool text_set(struct text *text, const char *data, size_t len)
{
	char *copy;

	if (data == NULL) {
		text_clear(text);
		return true;
	}
	if (len == SIZE_MAX)
		return false;
	copy = malloc(len + 1);
	if (copy == NULL)
		return false;
	memcpy(copy, data, len);
	copy[len] = '\0';
	free(text->data);
	text->data = copy;
	text->len = len;
	return true;
}

void text_clear(struct text *text)
{
	free(text->data);
	text->data = NULL;
	text->len = 0;
}

bool text_is_utf8(const char *data, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)data;
	uint32_t character;
	size_t used = 0;

	while (used < len) {
		size_t size;

		if (bytes[used] - 1u < 0x7f) { /* 0x01 to 0x7f: most of what travels */
			used++;
			continue;
		}
		size = decode(bytes + used, len - used, &character);
		if (size == 0 || character == 0)
			return false;
		used += size;
	}
	return true;
}

/*
 * What ends a line, turns the direction of what stands around it, or shows nothing, so that a
 * text looks like another one. Joiners and variation selectors stay: scripts and emoji need them.
 */
static const struct {
	uint32_t first, last;
} unfit[] = {
	{0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},
	{0x61c, 0x61c},     {0x115f, 0x1160},   {0x180e, 0x180e},   {0x200b, 0x200b},
	{0x200e, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164},
	{0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},
	{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff},
};

static bool is_fit(uint32_t character)
{
	size_t i;

	for (i = 0; i < sizeof(unfit) / sizeof(unfit[0]) && character >= unfit[i].first; i++)
		if (character <= unfit[i].last)
			return false;
	return true;
}

static void copy_fit(char *out, size_t size, const char *data, size_t len, char quote)
{
	const uint8_t *bytes = (const uint8_t *)data;
	size_t read = 0;
	size_t written = 0;

	while (read < len) {
		uint32_t character = 0;
		size_t step = decode(bytes + read, len - read, &character);
		bool fit = step > 0 && is_fit(character) && character != (uint8_t)quote;
		size_t need = fit ? step : 1;

		if (written + need > size - 1)
			break;
		if (fit)
			memmove(out + written, bytes + read, step);
		else
			out[written] = '?';
		written += need;
		read += step > 0 ? step : 1;
	}
	out[written] = '\0';
}

void text_printable(char *out, size_t size, const char *data, size_t len)
{
	if (size > 0)
		copy_fit(out, size, data, len, '\0');
}

const char *mquic_text_printable(char *out, size_t size, const char *text, size_t len, char quote)
{
	if (out == NULL || size == 0)
		return "";
	copy_fit(out, size, text, text_length(text, len), quote);
	return out;
}
