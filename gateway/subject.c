/* SPDX-License-Identifier: MIT */
#include "subject.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "subject-names.h"

/* More than anybody's subject has. */
#define MAX_PARTS 64

/* Tags of DER (X.690 section 8), those of strings in the only form that DER has. */
enum {
	TAG_OID = 0x06,
	TAG_UTF8_STRING = 0x0c,
	TAG_NUMERIC_STRING = 0x12,
	TAG_PRINTABLE_STRING = 0x13,
	TAG_TELETEX_STRING = 0x14,
	TAG_IA5_STRING = 0x16,
	TAG_UTC_TIME = 0x17,
	TAG_GENERALIZED_TIME = 0x18,
	TAG_VISIBLE_STRING = 0x1a,
	TAG_UNIVERSAL_STRING = 0x1c,
	TAG_BMP_STRING = 0x1e,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31
};

struct bytes {
	const uint8_t *data;
	size_t len;
};

struct element {
	uint8_t tag;
	struct bytes content;
	struct bytes whole; /* tag and length included */
};

/* One attribute, such as the common name. */
struct part {
	size_t set; /* those of one number stand side by side */
	struct bytes type;
	struct element value;
};

struct parts {
	struct part part[MAX_PARTS];
	size_t count;
};

/* ---- Reading ------------------------------------------------------------------------ */

/* Lengths of at most three bytes: no certificate has longer ones. */
static bool read_length(const struct bytes *rest, size_t *used, size_t *len)
{
	size_t count = rest->data[1] & 0x7f;

	*used = 2;
	*len = rest->data[1];
	if (rest->data[1] < 0x80)
		return true;
	if (count == 0 || count > 3 || rest->len < 2 + count)
		return false;
	for (*len = 0; count > 0; count--)
		*len = *len << 8 | rest->data[(*used)++];
	return true;
}

/* Takes the first element off. */
static bool take(struct bytes *rest, struct element *element)
{
	size_t used;
	size_t len;

	if (rest->len < 2 || !read_length(rest, &used, &len) || rest->len - used < len)
		return false;
	element->tag = rest->data[0];
	element->content = (struct bytes){rest->data + used, len};
	element->whole = (struct bytes){rest->data, used + len};
	rest->data += used + len;
	rest->len -= used + len;
	return true;
}

static bool take_tagged(struct bytes *rest, uint8_t tag, struct bytes *content)
{
	struct element element;

	if (!take(rest, &element) || element.tag != tag)
		return false;
	*content = element.content;
	return true;
}

/* AttributeTypeAndValue (RFC 5280 section 4.1.2.4). */
static bool read_part(struct bytes *set, size_t number, struct parts *parts)
{
	struct part *part = &parts->part[parts->count];
	struct bytes pair;

	if (parts->count == MAX_PARTS || !take_tagged(set, TAG_SEQUENCE, &pair) ||
	    !take_tagged(&pair, TAG_OID, &part->type) || !take(&pair, &part->value) ||
	    pair.len != 0)
		return false;
	part->set = number;
	parts->count++;
	return true;
}

static bool read_set(struct bytes *sets, size_t number, struct parts *parts)
{
	struct bytes set;

	if (!take_tagged(sets, TAG_SET, &set) || set.len == 0)
		return false;
	while (set.len > 0)
		if (!read_part(&set, number, parts))
			return false;
	return true;
}

static bool read_name(struct bytes der, struct parts *parts)
{
	struct bytes sets;
	size_t number;

	parts->count = 0;
	if (!take_tagged(&der, TAG_SEQUENCE, &sets) || der.len != 0)
		return false;
	for (number = 0; sets.len > 0; number++)
		if (!read_set(&sets, number, parts))
			return false;
	return parts->count > 0;
}

/* ---- Writing -------------------------------------------------------------------------- */

/* Numbers of seven bits a byte, the first one of two in one (X.690 section 8.19). */
static void write_number(FILE *out, unsigned long long number, bool first)
{
	unsigned long long root = number < 80 ? number / 40 : 2;

	if (first)
		fprintf(out, "%llu.%llu", root, number - root * 40);
	else
		fprintf(out, ".%llu", number);
}

static bool write_oid(FILE *out, const struct bytes *oid)
{
	unsigned long long number = 0;
	bool first = true;
	size_t i;

	for (i = 0; i < oid->len; i++) {
		if (number >> 56 != 0)
			return false;
		number = number << 7 | (oid->data[i] & 0x7f);
		if ((oid->data[i] & 0x80) != 0)
			continue;
		write_number(out, number, first);
		number = 0;
		first = false;
	}
	return oid->len > 0 && (oid->data[oid->len - 1] & 0x80) == 0;
}

/* What has no text is shown as it is (RFC 2253 section 2.4). */
static void write_hex(FILE *out, const struct bytes *bytes)
{
	size_t i;

	fputc('#', out);
	for (i = 0; i < bytes->len; i++)
		fprintf(out, "%02X", bytes->data[i]);
}

/* Where in its value a character stands. OpenSSL takes the only one for the last. */
enum place {
	PLACE_FIRST,
	PLACE_INSIDE,
	PLACE_LAST
};

static bool must_be_escaped(uint8_t byte, enum place place)
{
	if (byte == ' ')
		return place != PLACE_INSIDE;
	if (byte == '#')
		return place == PLACE_FIRST;
	return strchr(",+\"\\<>;", byte) != NULL;
}

static void write_byte(FILE *out, uint8_t byte, enum place place)
{
	if (byte < 0x20 || byte >= 0x7f)
		fprintf(out, "\\%02X", byte);
	else if (must_be_escaped(byte, place))
		fprintf(out, "\\%c", byte);
	else
		fputc(byte, out);
}

/* As UTF-8. False: it is no character, and OpenSSL would leave it out. */
static bool write_character(FILE *out, uint32_t character, enum place place)
{
	unsigned int more = character < 0x80      ? 0
			    : character < 0x800   ? 1
			    : character < 0x10000 ? 2
						  : 3;
	static const uint8_t marks[] = {0x00, 0xc0, 0xe0, 0xf0};

	if (character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
		return false;
	write_byte(out, (uint8_t)(marks[more] | character >> 6 * more), place);
	while (more-- > 0)
		write_byte(out, (uint8_t)(0x80 | (character >> 6 * more & 0x3f)), place);
	return true;
}

/* `width` bytes for each character. */
static bool write_characters(FILE *out, const struct bytes *text, size_t width)
{
	size_t i, k;

	if (text->len % width != 0)
		return false;
	for (i = 0; i < text->len; i += width) {
		enum place place = i + width == text->len ? PLACE_LAST
				   : i == 0               ? PLACE_FIRST
							  : PLACE_INSIDE;
		uint32_t character = 0;

		for (k = 0; k < width; k++)
			character = character << 8 | text->data[i + k];
		if (!write_character(out, character, place))
			return false;
	}
	return true;
}

/* Byte by byte, whether it is UTF-8 or not: what is no ASCII is escaped. */
static bool write_utf8(FILE *out, const struct bytes *text)
{
	size_t i;

	for (i = 0; i < text->len; i++)
		write_byte(out, text->data[i],
			   i + 1 == text->len ? PLACE_LAST
			   : i == 0           ? PLACE_FIRST
					      : PLACE_INSIDE);
	return true;
}

static bool write_value(FILE *out, const struct element *value)
{
	switch (value->tag) {
	case TAG_UTF8_STRING:
		return write_utf8(out, &value->content);
	case TAG_NUMERIC_STRING:
	case TAG_PRINTABLE_STRING:
	case TAG_TELETEX_STRING:
	case TAG_IA5_STRING:
	case TAG_UTC_TIME:
	case TAG_GENERALIZED_TIME:
	case TAG_VISIBLE_STRING:
		return write_characters(out, &value->content, 1);
	case TAG_BMP_STRING:
		return write_characters(out, &value->content, 2);
	case TAG_UNIVERSAL_STRING:
		return write_characters(out, &value->content, 4);
	default:
		write_hex(out, &value->whole);
		return true;
	}
}

static bool write_part(FILE *out, const struct part *part)
{
	const char *name = subject_short_name(part->type.data, part->type.len);

	if (name != NULL) {
		fprintf(out, "%s=", name);
		return write_value(out, &part->value);
	}
	if (!write_oid(out, &part->type))
		return false;
	fputc('=', out);
	write_hex(out, &part->value.whole);
	return true;
}

/* The last one first, also of those that stand side by side. */
static bool write_parts(FILE *out, const struct parts *parts)
{
	size_t left;

	for (left = parts->count; left > 0; left--) {
		const struct part *part = &parts->part[left - 1];

		if (left < parts->count)
			fputc(part->set == part[1].set ? '+' : ',', out);
		if (!write_part(out, part))
			return false;
	}
	return true;
}

char *subject_text(const uint8_t *der, size_t len)
{
	struct parts parts;
	char *text = NULL;
	size_t size;
	FILE *out;
	bool good;

	if (!read_name((struct bytes){der, len}, &parts))
		return NULL;
	out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	good = write_parts(out, &parts) && !ferror(out);
	good = fclose(out) == 0 && good;
	if (good)
		return text;
	free(text);
	return NULL;
}
