/* SPDX-License-Identifier: MIT */
/*
 * One bounded cursor for reading and one growing buffer for writing. Numbers are big-endian, as
 * in every protocol we speak. Failure is sticky on both sides: a message is read or written in
 * one go and the result looked at once.
 */
#ifndef MQUIC_CORE_BUF_H
#define MQUIC_CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to somebody else. */
struct bytes {
	const uint8_t *data;
	size_t len;
};

/* `len` bytes at `data`. */
static inline struct bytes bytes_of(const void *data, size_t len)
{
	struct bytes bytes = {data, len};

	return bytes;
}

bool bytes_equal(struct bytes a, struct bytes b);

/* ---- Reading ---- */

/* Asked for more than is left it fails, and from then on everything reads as zero or empty. */
struct buf_reader {
	const uint8_t *next;
	size_t left;
	bool failed;
};

static inline struct buf_reader buf_reader_of(struct bytes bytes)
{
	struct buf_reader reader = {bytes.data, bytes.len, false};

	return reader;
}

uint8_t buf_read_u8(struct buf_reader *reader);
uint16_t buf_read_u16(struct buf_reader *reader);
uint32_t buf_read_u32(struct buf_reader *reader);
struct bytes buf_read_bytes(struct buf_reader *reader, size_t len);

/* All that is left. */
struct bytes buf_read_rest(struct buf_reader *reader);

/* Makes the reader fail: what was read makes no sense. */
void buf_reader_fail(struct buf_reader *reader);

/* ---- Writing ---- */

/*
 * A queue of bytes: written at the end, consumed at the front. Out of memory or beyond `limit`
 * bytes it fails and takes nothing more; what was written before the failing call stays. A counting
 * writer stores nothing and only counts, which measures what the same calls would write.
 */
struct buf_writer {
	uint8_t *data; /* the allocation; the content starts at data + start */
	size_t start;
	size_t len; /* of the content */
	size_t capacity;
	size_t limit;
	bool counting;
	bool failed;
};

/* An empty writer that holds at most `limit` bytes; frees nothing. */
void buf_writer_init(struct buf_writer *writer, size_t limit);

/* A counting writer: `len` is the sum of all writes. Needs no clearing. */
void buf_writer_init_counter(struct buf_writer *writer);

/* Frees the content; the writer is empty and has not failed, its limit stays. */
void buf_writer_clear(struct buf_writer *writer);

/* Takes the content, to be released with free(), and leaves the writer empty; NULL if empty. */
uint8_t *buf_writer_take(struct buf_writer *writer, size_t *len);

void buf_write_u8(struct buf_writer *writer, uint8_t value);
void buf_write_u16(struct buf_writer *writer, uint16_t value);
void buf_write_u32(struct buf_writer *writer, uint32_t value);
void buf_write_bytes(struct buf_writer *writer, struct bytes bytes);

/* What is in it; valid until the writer changes. */
struct bytes buf_writer_content(const struct buf_writer *writer);

/* Removes `len` bytes at the front, at most all. */
void buf_writer_consume(struct buf_writer *writer, size_t len);

/* Removes everything after the first `len` bytes and forgets a failure: undoes a partial write. */
void buf_writer_truncate(struct buf_writer *writer, size_t len);

#endif
