/* SPDX-License-Identifier: MIT */
#include "core/buf.h"

#include <stdlib.h>
#include <string.h>

/* Smallest allocation of a writer. */
#define CAPACITY_MIN 64

/* An empty writer gives memory above this back, so that one large packet leaves no hole. */
#define CAPACITY_KEPT 65536

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void buf_reader_fail(struct buf_reader *reader)
{
	reader->failed = true;
	reader->left = 0;
}

/* The next `len` bytes, or NULL and failure. */
static const uint8_t *take(struct buf_reader *reader, size_t len)
{
	const uint8_t *at = reader->next;

	if (len > reader->left) {
		buf_reader_fail(reader);
		return NULL;
	}
	if (len > 0)
		reader->next += len;
	reader->left -= len;
	return at;
}

uint8_t buf_read_u8(struct buf_reader *reader)
{
	const uint8_t *at = take(reader, 1);

	return at == NULL ? 0 : at[0];
}

uint16_t buf_read_u16(struct buf_reader *reader)
{
	const uint8_t *at = take(reader, 2);

	return at == NULL ? 0 : (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t buf_read_u32(struct buf_reader *reader)
{
	const uint8_t *at = take(reader, 4);

	if (at == NULL)
		return 0;
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

struct bytes buf_read_bytes(struct buf_reader *reader, size_t len)
{
	const uint8_t *at = take(reader, len);

	return bytes_of(at, at == NULL ? 0 : len);
}

struct bytes buf_read_rest(struct buf_reader *reader)
{
	return buf_read_bytes(reader, reader->left);
}

void buf_writer_init(struct buf_writer *writer, size_t limit)
{
	memset(writer, 0, sizeof(*writer));
	writer->limit = limit;
}

void buf_writer_init_counter(struct buf_writer *writer)
{
	buf_writer_init(writer, SIZE_MAX);
	writer->counting = true;
}

void buf_writer_clear(struct buf_writer *writer)
{
	free(writer->data);
	writer->data = NULL;
	writer->start = 0;
	writer->len = 0;
	writer->capacity = 0;
	writer->failed = false;
}

uint8_t *buf_writer_take(struct buf_writer *writer, size_t *len)
{
	uint8_t *data = writer->data;

	if (writer->start > 0)
		memmove(data, data + writer->start, writer->len);
	*len = writer->len;
	writer->data = NULL;
	buf_writer_clear(writer);
	return data;
}

/* Room for `need` bytes behind the content; doubles, so that many small writes stay cheap. */
static bool grow(struct buf_writer *writer, size_t need)
{
	size_t wanted = writer->len + need;
	size_t capacity =
		writer->capacity < writer->limit / 2 ? writer->capacity * 2 : writer->limit;
	uint8_t *data;

	if (writer->start > 0 && writer->start >= writer->len && wanted <= writer->capacity) {
		memcpy(writer->data, writer->data + writer->start, writer->len);
		writer->start = 0;
		return true;
	}
	if (capacity < wanted)
		capacity = wanted;
	if (capacity < CAPACITY_MIN)
		capacity = CAPACITY_MIN;
	/* In place if it can be: what is large is not held twice. */
	data = writer->start == 0 ? realloc(writer->data, capacity) : malloc(capacity);
	if (data == NULL)
		return false;
	if (writer->start > 0) {
		memcpy(data, writer->data + writer->start, writer->len);
		free(writer->data);
	}
	writer->data = data;
	writer->start = 0;
	writer->capacity = capacity;
	return true;
}

static uint8_t *append(struct buf_writer *writer, size_t len)
{
	uint8_t *at = writer->data + writer->start + writer->len;

	writer->len += len;
	return at;
}

/* Rare, and kept apart: saving registers for it would cost each byte that is written. */
__attribute__((cold)) static uint8_t *append_grown(struct buf_writer *writer, size_t len)
{
	if (grow(writer, len))
		return append(writer, len);
	writer->failed = true;
	return NULL;
}

/* Where the next `len` bytes go; NULL if the writer only counts or has failed. */
static uint8_t *reserve(struct buf_writer *writer, size_t len)
{
	if (writer->failed)
		return NULL;
	if (len > writer->limit - writer->len) {
		writer->failed = true;
		return NULL;
	}
	if (writer->counting) {
		writer->len += len;
		return NULL;
	}
	if (len > writer->capacity - writer->start - writer->len)
		return append_grown(writer, len);
	return append(writer, len);
}

void buf_write_u8(struct buf_writer *writer, uint8_t value)
{
	uint8_t *at = reserve(writer, 1);

	if (at != NULL)
		at[0] = value;
}

void buf_write_u16(struct buf_writer *writer, uint16_t value)
{
	uint8_t *at = reserve(writer, 2);

	if (at == NULL)
		return;
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void buf_write_u32(struct buf_writer *writer, uint32_t value)
{
	uint8_t *at = reserve(writer, 4);

	if (at == NULL)
		return;
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

void buf_write_bytes(struct buf_writer *writer, struct bytes bytes)
{
	uint8_t *at;

	if (bytes.len == 0)
		return;
	at = reserve(writer, bytes.len);
	if (at != NULL)
		memcpy(at, bytes.data, bytes.len);
}

struct bytes buf_writer_content(const struct buf_writer *writer)
{
	if (writer->len == 0 || writer->counting)
		return bytes_of(NULL, 0);
	return bytes_of(writer->data + writer->start, writer->len);
}

void buf_writer_consume(struct buf_writer *writer, size_t len)
{
	if (len < writer->len) {
		writer->start += len;
		writer->len -= len;
		return;
	}
	writer->start = 0;
	writer->len = 0;
	if (writer->capacity > CAPACITY_KEPT) {
		free(writer->data);
		writer->data = NULL;
		writer->capacity = 0;
	}
}

void buf_writer_truncate(struct buf_writer *writer, size_t len)
{
	writer->failed = false;
	if (len < writer->len)
		writer->len = len;
}
