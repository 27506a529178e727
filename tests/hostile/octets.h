/* SPDX-License-Identifier: MIT */
/* Bytes being written, and QUIC's numbers in them (RFC 9000 section 16). */
#ifndef MQUIC_TESTS_OCTETS_H
#define MQUIC_TESTS_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OCTETS_SIZE 6144

/* What has no room any more is left out whole: a fuzzer may ask for too much. */
struct octets {
	size_t len;
	uint8_t data[OCTETS_SIZE];
};

void octets_put(struct octets *octets, const void *data, size_t len);
/* The lowest `bytes` bytes of a number, the highest first. */
void octets_number(struct octets *octets, uint64_t value, size_t bytes);
void octets_varint(struct octets *octets, uint64_t value);
/* The same in at least `bytes` bytes, 1, 2, 4 or 8. */
void octets_wide_varint(struct octets *octets, uint64_t value, size_t bytes);
void octets_zeros(struct octets *octets, size_t count);
/* Removes `count` bytes at `at`, or puts some there. */
void octets_cut(struct octets *octets, size_t at, size_t count);
void octets_insert(struct octets *octets, size_t at, const void *data, size_t len);

/* Bytes being read. Beyond their end is nothing but zeros, and `failed`. */
struct octets_view {
	const uint8_t *data;
	size_t left;
	bool failed;
};

uint64_t view_number(struct octets_view *view, size_t bytes);
uint64_t view_varint(struct octets_view *view);
/* NULL if there are less. */
const uint8_t *view_take(struct octets_view *view, uint64_t len);

#endif
