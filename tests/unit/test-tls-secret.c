/* SPDX-License-Identifier: MIT */
/* A secret in a file of its own: made once, read ever after, and never half there. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tls-kit.h"

#define TEXT_LEN 65

static struct error error;

static enum mquic_status keep(uint8_t secret[TLS_SECRET_LEN], const char *name)
{
	error.text[0] = '\0';
	return tls_secret_keep(secret, "reset key file", kit_path(name), &error);
}

/* A name in the directory that nothing has yet. */
static const char *fresh(void)
{
	(void)unlink(kit_path("own.key"));
	return "own.key";
}

static void fill(uint8_t secret[TLS_SECRET_LEN], uint8_t value)
{
	memset(secret, value, TLS_SECRET_LEN);
}

static size_t entries(void)
{
	DIR *directory = opendir(kit_path("."));
	size_t count = 0;

	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

START_TEST(secret_is_made_and_then_stays)
{
	const char *name = fresh();
	size_t before = entries();
	uint8_t secret[TLS_SECRET_LEN];
	uint8_t other[TLS_SECRET_LEN];
	struct stat about;
	char *text;

	fill(secret, 0x5a);
	fill(other, 0x11);
	umask(0);
	ck_assert_int_eq(keep(secret, name), MQUIC_OK);
	ck_assert_uint_eq(secret[31], 0x5a);
	ck_assert_int_eq(stat(kit_path(name), &about), 0);
	ck_assert_int_eq(about.st_mode & 07777, 0600);
	text = kit_read(name);
	ck_assert_uint_eq(strlen(text), TEXT_LEN);
	ck_assert_int_eq(strncmp(text, "5a5a5a5a", 8), 0);
	free(text);
	ck_assert_int_eq(keep(other, name), MQUIC_OK);
	ck_assert_mem_eq(other, secret, sizeof(secret));
	ck_assert_uint_eq(entries(), before + 1); /* nothing is left over */
}
END_TEST

START_TEST(file_written_by_hand_is_read)
{
	static const char *const texts[] = {
		"00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\r\n\n",
	};
	uint8_t secret[TLS_SECRET_LEN];

	kit_write("hand.key", texts[_i], 0600);
	ck_assert_int_eq(keep(secret, "hand.key"), MQUIC_OK);
	ck_assert_uint_eq(secret[1], 0x11);
	ck_assert_uint_eq(secret[31], 0xff);
}
END_TEST

START_TEST(file_that_is_something_else_is_named_and_left_alone)
{
	static const char *const texts[] = {
		"",
		"\n",
		"00112233445566778899aabbccddeeff",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeef\n",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0\n",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg\n",
		" 0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
	};
	uint8_t secret[TLS_SECRET_LEN];
	char *after;

	kit_write("other.key", texts[_i], 0600);
	fill(secret, 7);
	ck_assert_int_eq(keep(secret, "other.key"), MQUIC_ERR_TLS);
	kit_says(error.text, "reset key file");
	kit_says(error.text, "64 hexadecimal digits");
	ck_assert_uint_eq(secret[0], 7);
	after = kit_read("other.key");
	ck_assert_str_eq(after, texts[_i]);
	free(after);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
	uint8_t secret[TLS_SECRET_LEN];

	ck_assert_int_eq(mkdir(kit_path("dir.key"), 0700), 0);
	ck_assert_int_eq(keep(secret, "dir.key"), MQUIC_ERR_TLS);
	kit_says(error.text, "directory");
	ck_assert_int_eq(rmdir(kit_path("dir.key")), 0);
	ck_assert_int_eq(mkfifo(kit_path("pipe.key"), 0600), 0);
	ck_assert_int_eq(keep(secret, "pipe.key"), MQUIC_ERR_TLS);
	kit_says(error.text, "pipe");
}
END_TEST

START_TEST(nowhere_to_make_it_leaves_the_secret_as_it_was)
{
	static const char *const names[] = {"no/such/own.key", "ca.crt/own.key"};
	uint8_t secret[TLS_SECRET_LEN];

	fill(secret, 9);
	ck_assert_int_eq(keep(secret, names[_i]), MQUIC_ERR_SYSTEM);
	kit_says(error.text, "cannot be made");
	ck_assert_uint_eq(secret[0], 9);
	ck_assert_uint_eq(secret[31], 9);
}
END_TEST

START_TEST(all_who_make_it_at_once_have_the_same)
{
	enum {
		CHILDREN = 16
	};
	const char *path = kit_path(fresh());
	uint8_t first[TLS_SECRET_LEN];
	uint8_t secret[TLS_SECRET_LEN];
	int pipes[2];
	int i;

	ck_assert_int_eq(pipe(pipes), 0);
	for (i = 0; i < CHILDREN; i++) {
		if (fork() != 0)
			continue;
		fill(secret, (uint8_t)i);
		if (tls_secret_keep(secret, "reset key file", path, &error) != MQUIC_OK ||
		    write(pipes[1], secret, sizeof(secret)) != sizeof(secret))
			_exit(1);
		_exit(0);
	}
	for (i = 0; i < CHILDREN; i++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	for (i = 0; i < CHILDREN; i++) {
		ck_assert_int_eq(read(pipes[0], secret, sizeof(secret)), sizeof(secret));
		if (i == 0)
			memcpy(first, secret, sizeof(first));
		ck_assert_mem_eq(first, secret, sizeof(first));
	}
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

START_TEST(derived_secrets_depend_on_root_and_label)
{
	uint8_t root[TLS_SECRET_LEN];
	uint8_t one[TLS_SECRET_LEN];
	uint8_t two[TLS_SECRET_LEN];

	fill(root, 1);
	ck_assert_int_eq(tls_secret_derive(one, root, "a"), MQUIC_OK);
	ck_assert_int_eq(tls_secret_derive(two, root, "a"), MQUIC_OK);
	ck_assert_mem_eq(one, two, sizeof(one));
	ck_assert_int_eq(tls_secret_derive(two, root, "b"), MQUIC_OK);
	ck_assert_mem_ne(one, two, sizeof(one));
	fill(root, 2);
	ck_assert_int_eq(tls_secret_derive(two, root, "a"), MQUIC_OK);
	ck_assert_mem_ne(one, two, sizeof(one));
}
END_TEST

START_TEST(file_that_anybody_can_get_at_is_found)
{
	static const struct {
		mode_t mode;
		bool exposed;
	} cases[] = {{0600, false}, {0400, false}, {0640, false}, {0660, false}, {0644, true},
		     {0604, true},  {0602, true},  {0666, true},  {0601, false}};
	const char *name = fresh();
	uint8_t secret[TLS_SECRET_LEN];

	fill(secret, 1);
	ck_assert(!tls_secret_is_exposed(kit_path(name)));
	ck_assert_int_eq(keep(secret, name), MQUIC_OK);
	ck_assert(!tls_secret_is_exposed(kit_path(name)));
	ck_assert_int_eq(chmod(kit_path(name), cases[_i].mode), 0);
	ck_assert(tls_secret_is_exposed(kit_path(name)) == cases[_i].exposed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls-secret");
	TCase *group = tcase_create("secret");

	tcase_add_unchecked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, secret_is_made_and_then_stays);
	tcase_add_loop_test(group, file_written_by_hand_is_read, 0, 3);
	tcase_add_loop_test(group, file_that_is_something_else_is_named_and_left_alone, 0, 7);
	tcase_add_test(group, what_cannot_be_read_is_named);
	tcase_add_loop_test(group, nowhere_to_make_it_leaves_the_secret_as_it_was, 0, 2);
	tcase_add_test(group, all_who_make_it_at_once_have_the_same);
	tcase_add_loop_test(group, file_that_anybody_can_get_at_is_found, 0, 9);
	tcase_add_test(group, derived_secrets_depend_on_root_and_label);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
