/* SPDX-License-Identifier: MIT */
/* libFuzzer's way to change a program of records: whole ones move, and one changes inside. */
#include <string.h>

#include "hostile-program.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
				 size_t second_size, uint8_t *out, size_t max_size,
				 unsigned int seed);

static unsigned int draw(unsigned int *seed, size_t bound)
{
	*seed = *seed * 1103515245U + 12345U;
	return bound == 0 ? 0 : (*seed >> 8) % (unsigned int)bound;
}

static void move_records(uint8_t *data, size_t to, size_t from, size_t count)
{
	memmove(data + to * RECORD_SIZE, data + from * RECORD_SIZE, count * RECORD_SIZE);
}

/* Room for one at `at`; `count` grows. */
static void make_room(uint8_t *data, size_t at, size_t *count)
{
	move_records(data, at + 1, at, *count - at);
	(*count)++;
}

static void change(uint8_t *record, unsigned int *seed)
{
	static const uint8_t edges[] = {0, 1, 2, 3, 4, 7, 8, 16, 63, 64, 127, 128, 254, 255};
	unsigned int byte = 1 + draw(seed, RECORD_SIZE - 1);

	switch (draw(seed, 4)) {
	case 0:
		record[byte] = edges[draw(seed, sizeof(edges))];
		break;
	case 1:
		record[byte] = (uint8_t)(record[byte] + draw(seed, 5) - 2U);
		break;
	case 2:
		record[0] = (uint8_t)draw(seed, ACTIONS);
		break;
	default:
		(void)LLVMFuzzerMutate(record, RECORD_SIZE, RECORD_SIZE);
		break;
	}
}

static size_t mutate_once(uint8_t *data, size_t count, size_t most, unsigned int *seed)
{
	size_t at = draw(seed, count);
	size_t other = draw(seed, count);
	uint8_t copy[RECORD_SIZE];
	size_t i;

	memcpy(copy, data + other * RECORD_SIZE, RECORD_SIZE);
	switch (draw(seed, 6)) {
	case 0:
		if (count == 1)
			return count;
		move_records(data, at, at + 1, count - at - 1);
		return count - 1;
	case 1: /* a copy of another one */
		if (count >= most)
			return count;
		make_room(data, at, &count);
		memcpy(data + at * RECORD_SIZE, copy, RECORD_SIZE);
		return count;
	case 2: /* a new one */
		if (count >= most)
			return count;
		make_room(data, at, &count);
		for (i = 0; i < RECORD_SIZE; i++)
			data[at * RECORD_SIZE + i] = (uint8_t)draw(seed, i == 0 ? ACTIONS : 256);
		return count;
	case 3: /* two change places */
		move_records(data, other, at, 1);
		memcpy(data + at * RECORD_SIZE, copy, RECORD_SIZE);
		return count;
	default:
		change(data + at * RECORD_SIZE, seed);
		return count;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t most = max_size / RECORD_SIZE < RECORDS_MAX ? max_size / RECORD_SIZE : RECORDS_MAX;
	size_t count = size / RECORD_SIZE < most ? size / RECORD_SIZE : most;
	unsigned int times;

	if (most == 0)
		return size;
	if (count == 0) {
		memset(data, 0, RECORD_SIZE);
		data[0] = ACTION_CONNECT;
		count = 1;
	}
	for (times = 1 + draw(&seed, 4); times > 0; times--)
		count = mutate_once(data, count, most, &seed);
	return count * RECORD_SIZE;
}

/* The beginning of one and the end of another. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
				 size_t second_size, uint8_t *out, size_t max_size,
				 unsigned int seed)
{
	size_t head = draw(&seed, first_size / RECORD_SIZE + 1) * RECORD_SIZE;
	size_t tail = draw(&seed, second_size / RECORD_SIZE + 1) * RECORD_SIZE;

	if (head > max_size)
		head = max_size / RECORD_SIZE * RECORD_SIZE;
	if (tail > max_size - head)
		tail = (max_size - head) / RECORD_SIZE * RECORD_SIZE;
	memcpy(out, first, head);
	memcpy(out + head, second + (second_size / RECORD_SIZE * RECORD_SIZE - tail), tail);
	return head + tail;
}
