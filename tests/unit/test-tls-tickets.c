/* SPDX-License-Identifier: MIT */
/* A client's tickets, in memory and in a file. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tls-kit.h"
#include "tls/ticket-file.h"

static struct tls_tickets tickets;
static const char *path;

static void set_up(void)
{
	kit_open();
	tickets_init(&tickets);
	path = kit_path("tickets");
}

static void tear_down(void)
{
	tickets_clear(&tickets);
	kit_close();
}

static const uint8_t *owner(unsigned int who)
{
	static uint8_t bytes[TLS_SECRET_LEN];

	memset(bytes, (int)who, sizeof(bytes));
	return bytes;
}

static struct tls_ticket *ticket(unsigned int who, uint64_t until_s, const char *content)
{
	struct tls_ticket *made = ticket_new(strlen(content));

	ck_assert_ptr_nonnull(made);
	memcpy(made->owner, owner(who), sizeof(made->owner));
	memcpy(made->data, content, made->len);
	made->until_s = until_s;
	made->rtt_us = 12345;
	return made;
}

static void expect(struct tls_ticket *found, const char *content)
{
	if (content == NULL) {
		ck_assert_ptr_null(found);
		return;
	}
	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(found->len, strlen(content));
	ck_assert_mem_eq(found->data, content, found->len);
	ck_assert_uint_eq(found->rtt_us, 12345);
	ticket_free(found);
}

/* ---- Memory ------------------------------------------------------------------------ */

START_TEST(newest_of_the_owner_is_taken_and_gone)
{
	tickets_put(&tickets, ticket(1, 100, "old"));
	tickets_put(&tickets, ticket(2, 100, "other"));
	tickets_put(&tickets, ticket(1, 100, "new"));
	expect(tickets_take(&tickets, owner(3), 50), NULL);
	expect(tickets_take(&tickets, owner(1), 50), "new");
	expect(tickets_take(&tickets, owner(1), 50), "old");
	expect(tickets_take(&tickets, owner(1), 50), NULL);
	expect(tickets_take(&tickets, owner(2), 50), "other");
	ck_assert_uint_eq(tickets.count, 0);
}
END_TEST

START_TEST(ticket_that_is_too_old_goes)
{
	tickets_put(&tickets, ticket(1, 100, "one"));
	tickets_put(&tickets, ticket(2, 200, "two"));
	expect(tickets_take(&tickets, owner(1), 100), NULL);
	ck_assert_uint_eq(tickets.count, 1);
	expect(tickets_take(&tickets, owner(2), 199), "two");
}
END_TEST

START_TEST(oldest_gives_way_to_the_newest)
{
	unsigned int i;

	for (i = 0; i < TICKETS_MOST + 5; i++)
		tickets_put(&tickets, ticket(i, 100, "x"));
	ck_assert_uint_eq(tickets.count, TICKETS_MOST);
	expect(tickets_take(&tickets, owner(4), 1), NULL);
	expect(tickets_take(&tickets, owner(5), 1), "x");
}
END_TEST

/* ---- File -------------------------------------------------------------------------- */

static void put(struct tls_ticket *given, const char *part)
{
	struct error problem;

	ticket_file_put(path, given, &problem);
	if (part != NULL)
		kit_says(problem.text, part);
	else
		ck_assert_str_eq(problem.text, "");
}

static void take(unsigned int who, const char *content, const char *part)
{
	struct error problem;

	expect(ticket_file_take(path, owner(who), 50, &problem), content);
	if (part != NULL)
		kit_says(problem.text, part);
	else
		ck_assert_str_eq(problem.text, "");
}

static mode_t mode_of(void)
{
	struct stat about;

	ck_assert_int_eq(stat(path, &about), 0);
	return about.st_mode & 07777;
}

START_TEST(file_keeps_what_memory_does)
{
	(void)umask(0);
	take(1, NULL, NULL);
	put(ticket(1, 100, "old"), NULL);
	put(ticket(2, 100, "other"), NULL);
	put(ticket(1, 100, "new"), NULL);
	ck_assert_uint_eq(mode_of(), 0600);
	take(1, "new", NULL);
	take(1, "old", NULL);
	take(1, NULL, NULL);
	take(2, "other", NULL);
	put(ticket(3, 50, "too old"), NULL);
	take(3, NULL, NULL);
	ck_assert_uint_eq(mode_of(), 0600);
}
END_TEST

START_TEST(file_holds_so_many)
{
	static char large[TICKET_SIZE_MOST + 1];
	unsigned int i;

	memset(large, 'x', TICKET_SIZE_MOST);
	for (i = 0; i < TICKETS_MOST + 3; i++)
		put(ticket(i, 100, large), NULL);
	take(2, NULL, NULL);
	take(3, large, NULL);
	take(TICKETS_MOST + 2, large, NULL);
}
END_TEST

static void change_byte(long at)
{
	FILE *file = fopen(path, "r+");
	int byte;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
	byte = fgetc(file);
	ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
	ck_assert_int_ne(fputc(byte ^ 1, file), EOF);
	ck_assert_int_eq(fclose(file), 0);
}

static off_t size_of(void)
{
	struct stat about;

	ck_assert_int_eq(stat(path, &about), 0);
	return about.st_size;
}

START_TEST(damaged_file_is_told_of_and_made_anew)
{
	off_t at;
	off_t size;

	put(ticket(1, 100, "what a server gave"), NULL);
	size = size_of();
	for (at = 16; at < size; at++) {
		change_byte(at);
		take(1, NULL, "is damaged: it is made anew");
		put(ticket(1, 100, "what a server gave"), "damaged");
		take(1, "what a server gave", NULL);
		put(ticket(1, 100, "what a server gave"), NULL);
	}
}
END_TEST

START_TEST(truncated_file_is_told_of_and_made_anew)
{
	off_t size;

	for (size = 16;; size++) {
		put(ticket(1, 100, "gone"), NULL);
		if (size >= size_of())
			break;
		ck_assert_int_eq(truncate(path, size), 0);
		take(1, NULL, "damaged");
		put(ticket(1, 100, "here"), "damaged");
		take(1, "here", NULL);
	}
}
END_TEST

/* Named by mistake. */
START_TEST(other_file_is_left_as_it_is)
{
	static const char precious[] = "-----BEGIN PRIVATE KEY-----\n";
	char *text;

	kit_write("tickets", precious, 0600);
	put(ticket(1, 100, "x"), "is no ticket file: name another");
	take(1, NULL, "is no ticket file");
	text = kit_read("tickets");
	ck_assert_str_eq(text, precious);
	free(text);
}
END_TEST

START_TEST(file_that_others_can_get_at_is_not_used)
{
	static const mode_t modes[] = {0640, 0620, 0604, 0602};

	put(ticket(1, 100, "x"), NULL);
	ck_assert_int_eq(chmod(path, modes[_i]), 0);
	take(1, NULL, "nobody else may read or change");
	put(ticket(2, 100, "y"), "chmod 600");
	ck_assert_int_eq(chmod(path, 0600), 0);
	take(2, NULL, NULL);
	take(1, "x", NULL);
}
END_TEST

START_TEST(file_of_another_kind_is_not_used)
{
	if (_i == 0) {
		ck_assert_int_eq(mkdir(path, 0700), 0);
		take(1, NULL, "cannot open the ticket file");
		put(ticket(1, 100, "x"), "cannot open the ticket file");
	} else if (_i == 1) {
		ck_assert_int_eq(mkfifo(path, 0600), 0);
		take(1, NULL, "must be a file");
	} else {
		path = kit_path("no/such/tickets");
		put(ticket(1, 100, "x"), "No such file");
	}
}
END_TEST

/* Somebody who has it, and does not let go: a moment later we do without. */
START_TEST(file_that_is_in_use_is_done_without)
{
	int fd;

	put(ticket(1, 100, "x"), NULL);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	take(1, NULL, NULL);
	put(ticket(2, 100, "y"), NULL);
	ck_assert_int_eq(close(fd), 0);
	take(2, NULL, NULL);
	take(1, "x", NULL);
}
END_TEST

/* Each of several processes takes what it puts, and no ticket is had twice or lost half. */
START_TEST(several_processes_share_it)
{
	struct error problem;
	unsigned int child;
	int status;

	for (child = 1; child <= 4; child++) {
		unsigned int i;

		if (fork() != 0)
			continue;
		for (i = 0; i < 100; i++) {
			struct tls_ticket *found;

			ticket_file_put(path, ticket(9, 100, "shared"), &problem);
			if (problem.text[0] != '\0')
				_exit(1);
			found = ticket_file_take(path, owner(9), 50, &problem);
			if (problem.text[0] != '\0' || (found != NULL && found->len != 6))
				_exit(2);
			ticket_free(found);
		}
		_exit(0);
	}
	for (child = 1; child <= 4; child++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	take(8, NULL, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls-tickets");
	TCase *memory = tcase_create("memory");
	TCase *file = tcase_create("file");

	tcase_add_checked_fixture(memory, set_up, tear_down);
	tcase_add_test(memory, newest_of_the_owner_is_taken_and_gone);
	tcase_add_test(memory, ticket_that_is_too_old_goes);
	tcase_add_test(memory, oldest_gives_way_to_the_newest);
	tcase_add_checked_fixture(file, set_up, tear_down);
	tcase_set_timeout(file, 60);
	tcase_add_test(file, file_keeps_what_memory_does);
	tcase_add_test(file, file_holds_so_many);
	tcase_add_test(file, damaged_file_is_told_of_and_made_anew);
	tcase_add_test(file, truncated_file_is_told_of_and_made_anew);
	tcase_add_test(file, other_file_is_left_as_it_is);
	tcase_add_loop_test(file, file_that_others_can_get_at_is_not_used, 0, 4);
	tcase_add_loop_test(file, file_of_another_kind_is_not_used, 0, 3);
	tcase_add_test(file, file_that_is_in_use_is_done_without);
	tcase_add_test(file, several_processes_share_it);
	suite_add_tcase(suite, memory);
	suite_add_tcase(suite, file);
	return kit_main(suite);
}
