/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "quic/table.h"

#define ENTRIES 5000

static struct table table;
static struct table_entry entries[ENTRIES];

static void set_up(void)
{
	const uint64_t secret[2] = {1, 2};

	ck_assert(table_init(&table, secret));
}

static void tear_down(void)
{
	table_fini(&table);
}

static size_t key_of(size_t i, uint8_t key[TABLE_KEY_MAX])
{
	memset(key, 0, TABLE_KEY_MAX);
	key[0] = (uint8_t)i;
	key[1] = (uint8_t)(i >> 8);
	return 2 + i % (TABLE_KEY_MAX - 1);
}

START_TEST(table_finds_what_was_added_and_nothing_else)
{
	uint8_t key[TABLE_KEY_MAX];
	size_t len;
	size_t i;

	for (i = 0; i < ENTRIES; i++) {
		len = key_of(i, key);
		ck_assert_ptr_null(table_find(&table, key, len));
		table_add(&table, &entries[i], key, len);
	}
	ck_assert_uint_eq(table.count, ENTRIES);
	for (i = 0; i < ENTRIES; i++) {
		len = key_of(i, key);
		ck_assert_ptr_eq(table_find(&table, key, len), &entries[i]);
	}
	for (i = 0; i < ENTRIES; i += 2)
		table_remove(&table, &entries[i]);
	for (i = 0; i < ENTRIES; i++) {
		len = key_of(i, key);
		ck_assert_ptr_eq(table_find(&table, key, len), i % 2 == 0 ? NULL : &entries[i]);
	}
	ck_assert_uint_eq(table.count, ENTRIES / 2);
}
END_TEST

START_TEST(table_tells_keys_of_different_length_apart)
{
	table_add(&table, &entries[0], (const uint8_t *)"\0\0\0", 2);
	table_add(&table, &entries[1], (const uint8_t *)"\0\0\0", 3);
	ck_assert_ptr_eq(table_find(&table, (const uint8_t *)"\0\0\0", 2), &entries[0]);
	ck_assert_ptr_eq(table_find(&table, (const uint8_t *)"\0\0\0", 3), &entries[1]);
	ck_assert_ptr_null(table_find(&table, (const uint8_t *)"\0\0\0", 1));
}
END_TEST

START_TEST(table_knows_no_key_that_is_empty_or_too_long)
{
	uint8_t key[TABLE_KEY_MAX + 1] = {0};

	ck_assert_ptr_null(table_find(&table, key, 0));
	ck_assert_ptr_null(table_find(&table, key, sizeof(key)));
	table_remove(&table, &entries[0]); /* it is not there */
	ck_assert_uint_eq(table.count, 0);
}
END_TEST

START_TEST(table_grows_so_that_chains_stay_short)
{
	uint8_t key[TABLE_KEY_MAX];
	size_t longest = 0;
	size_t i;

	for (i = 0; i < ENTRIES; i++) {
		size_t len = key_of(i, key);

		table_add(&table, &entries[i], key, len);
	}
	for (i = 0; i < table.bucket_count; i++) {
		const struct table_entry *entry = table.buckets[i];
		size_t length = 0;

		for (; entry != NULL; entry = entry->next)
			length++;
		if (length > longest)
			longest = length;
	}
	ck_assert_uint_ge(table.bucket_count, ENTRIES / 2);
	ck_assert_uint_le(longest, 12);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&table_finds_what_was_added_and_nothing_else,
		&table_tells_keys_of_different_length_apart,
		&table_knows_no_key_that_is_empty_or_too_long,
		&table_grows_so_that_chains_stay_short,
	};

	return unit_run("table", set_up, tear_down, tests, COUNT(tests));
}
