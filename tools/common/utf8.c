/* SPDX-License-Identifier: MIT */
#include "utf8.h"

/* What the second byte must be behind each lead byte, so that nothing is overlong or too large. */
static const struct {
	uint8_t first_lead, last_lead, least, most;
	size_t length;
} forms[] = {
	{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static size_t length_of(const uint8_t *data, size_t len, size_t form)
{
	if (forms[form].length > len)
		return 0;
	if (forms[form].length > 1 && (data[1] < forms[form].least || data[1] > forms[form].most))
		return 0;
	for (size_t i = 2; i < forms[form].length; i++)
		if ((data[i] & 0xc0) != 0x80)
			return 0;
	return forms[form].length;
}

size_t utf8_character(const uint8_t *data, size_t len)
{
	for (size_t form = 0; form < sizeof(forms) / sizeof(*forms) && len > 0; form++)
		if (data[0] >= forms[form].first_lead && data[0] <= forms[form].last_lead)
			return length_of(data, len, form);
	return 0;
}

size_t utf8_cut(const char *text, size_t len, size_t most)
{
	if (len <= most)
		return len;
	while (most > 0 && ((uint8_t)text[most] & 0xc0) == 0x80)
		most--;
	return most;
}
