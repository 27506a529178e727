/* SPDX-License-Identifier: MIT */
/*
 * The file: its name and version, tickets, SHA-256 of all that. GnuTLS believes what it once gave
 * out, down to counts and lengths, so that nothing may reach it that has been damaged.
 */
#include "tls/ticket-file.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "tls/file.h"

static const char magic[] = "mquic tickets 1\n";

#define MAGIC_LEN (sizeof(magic) - 1)
#define DIGEST    32
#define FILE_MOST ((size_t)1 << 20)

/* Who has the lock keeps it for less than a millisecond, unless it is stopped. */
#define TRIES 10

/* ---- What is in it ------------------------------------------------------- */

static void read_ticket(struct buf_reader *reader, struct tls_tickets *tickets)
{
	struct bytes owner = buf_read_bytes(reader, TLS_SECRET_LEN);
	uint64_t until = (uint64_t)buf_read_u32(reader) << 32;
	struct tls_ticket *ticket;
	struct bytes data;
	uint32_t rtt;

	until |= buf_read_u32(reader);
	rtt = buf_read_u32(reader);
	data = buf_read_bytes(reader, buf_read_u16(reader));
	if (reader->failed)
		return;
	ticket = ticket_new(data.len);
	if (ticket == NULL)
		return;
	memcpy(ticket->owner, owner.data, TLS_SECRET_LEN);
	memcpy(ticket->data, data.data, data.len);
	ticket->until_s = until;
	ticket->rtt_us = rtt;
	tickets_put(tickets, ticket);
}

static bool is_whole(const gnutls_datum_t *content)
{
	uint8_t digest[DIGEST];
	size_t len = content->size - DIGEST;

	return content->size >= MAGIC_LEN + DIGEST &&
	       gnutls_hash_fast(GNUTLS_DIG_SHA256, content->data, len, digest) == 0 &&
	       memcmp(digest, content->data + len, DIGEST) == 0;
}

static bool decode(struct tls_tickets *tickets, const gnutls_datum_t *content)
{
	struct buf_reader reader;

	if (!is_whole(content))
		return false;
	reader = buf_reader_of(
		bytes_of(content->data + MAGIC_LEN, content->size - MAGIC_LEN - DIGEST));
	while (reader.left > 0)
		read_ticket(&reader, tickets);
	return !reader.failed;
}

static void write_ticket(struct buf_writer *writer, const struct tls_ticket *ticket)
{
	buf_write_bytes(writer, bytes_of(ticket->owner, TLS_SECRET_LEN));
	buf_write_u32(writer, (uint32_t)(ticket->until_s >> 32));
	buf_write_u32(writer, (uint32_t)ticket->until_s);
	buf_write_u32(writer, ticket->rtt_us < UINT32_MAX ? (uint32_t)ticket->rtt_us : 0);
	buf_write_u16(writer, (uint16_t)ticket->len);
	buf_write_bytes(writer, bytes_of(ticket->data, ticket->len));
}

_Static_assert(TICKET_SIZE_MOST <= UINT16_MAX, "the length of a ticket has 16 bits");
_Static_assert(TICKETS_MOST *(TICKET_SIZE_MOST + 64) < FILE_MOST, "all of them have room");

static bool encode(struct buf_writer *writer, const struct tls_tickets *tickets)
{
	uint8_t digest[DIGEST];
	const struct list *node;

	buf_write_bytes(writer, bytes_of(magic, MAGIC_LEN));
	for (node = tickets->list.next; node != &tickets->list; node = node->next)
		write_ticket(writer, list_entry(node, struct tls_ticket, link));
	if (writer->failed || gnutls_hash_fast(GNUTLS_DIG_SHA256, writer->data + writer->start,
					       writer->len, digest) != 0)
		return false;
	buf_write_bytes(writer, bytes_of(digest, DIGEST));
	return !writer->failed;
}

/* ---- The file itself ------------------------------------------------------ */

static bool fail(struct error *problem, int code, const char *what, const char *path)
{
	(void)error_set_system(problem, code, "cannot %s the ticket file %s", what,
			       tls_file_shown(path));
	return false;
}

/* The name may lead to another file by the time that we have the lock. */
static bool is_current(int fd, const char *path, struct stat *about)
{
	struct stat named;

	return fstat(fd, about) == 0 && stat(path, &named) == 0 && named.st_ino == about->st_ino &&
	       named.st_dev == about->st_dev;
}

static bool is_ours(const struct stat *about, const char *path, struct error *problem)
{
	if (S_ISREG(about->st_mode) && about->st_uid == geteuid() &&
	    (about->st_mode & (S_IRWXG | S_IRWXO)) == 0)
		return true;
	(void)error_set(problem, MQUIC_ERR_TLS,
			"the ticket file %s is not used: it must be a file of yours that nobody "
			"else may read or change (chmod 600)",
			tls_file_shown(path));
	return false;
}

/* The lock goes when the descriptor is closed. -1: `problem` says why, or somebody else has it. */
static int lock(const char *path, struct error *problem)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	struct stat about;
	int tries;
	int fd;

	for (tries = 0; tries < TRIES; tries++) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
		if (fd < 0) {
			(void)fail(problem, errno, "open", path);
			return -1;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_current(fd, path, &about)) {
			if (is_ours(&about, path, problem))
				return fd;
			tries = TRIES;
		}
		(void)close(fd);
		if (tries < TRIES)
			(void)nanosleep(&pause, NULL);
	}
	return -1;
}

/* It is empty when it has just been made. */
static bool begins_as_ours(const gnutls_datum_t *content)
{
	return content->size == 0 ||
	       (content->size >= MAGIC_LEN && memcmp(content->data, magic, MAGIC_LEN) == 0);
}

/* False: it is something else, and must stay as it is. */
static bool load(struct tls_tickets *tickets, const char *path, struct error *problem)
{
	gnutls_datum_t content;
	bool ours;

	tickets_init(tickets);
	if (tls_file_read(&content, "ticket file", path, FILE_MOST, problem) != MQUIC_OK)
		return false;
	ours = begins_as_ours(&content);
	if (!ours) {
		(void)error_set(problem, MQUIC_ERR_TLS,
				"%s is no ticket file: name another, or one that is not there yet",
				tls_file_shown(path));
	} else if (content.size > 0 && !decode(tickets, &content)) {
		tickets_clear(tickets);
		(void)error_set(problem, MQUIC_ERR_TLS,
				"the ticket file %s is damaged: it is made anew",
				tls_file_shown(path));
	}
	tls_file_free(&content);
	return ours;
}

static bool write_all(int fd, const struct buf_writer *writer)
{
	ssize_t written = write(fd, writer->data + writer->start, writer->len);

	if (written >= 0 && (size_t)written != writer->len)
		errno = ENOSPC;
	return written >= 0 && (size_t)written == writer->len;
}

/* Beside it first, so that nobody ever finds half of it. */
static bool replace(const struct buf_writer *writer, const char *path, struct error *problem)
{
	char *temporary;
	bool done;
	int fd;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return false;
	fd = mkstemp(temporary); /* mode 0600 */
	done = fd >= 0 && write_all(fd, writer) && rename(temporary, path) == 0;
	if (!done)
		(void)fail(problem, errno, "write", path);
	if (fd >= 0)
		(void)close(fd);
	if (fd >= 0 && !done)
		(void)unlink(temporary);
	free(temporary);
	return done;
}

static bool save(const struct tls_tickets *tickets, const char *path, struct error *problem)
{
	struct buf_writer writer;
	bool done;

	buf_writer_init(&writer, FILE_MOST);
	done = encode(&writer, tickets) && replace(&writer, path, problem);
	if (writer.data != NULL)
		explicit_bzero(writer.data, writer.capacity);
	buf_writer_clear(&writer);
	return done;
}

/* ---- What is done with it -------------------------------------------------- */

struct tls_ticket *ticket_file_take(const char *path, const uint8_t owner[TLS_SECRET_LEN],
				    uint64_t now_s, struct error *problem)
{
	struct tls_ticket *ticket = NULL;
	struct tls_tickets tickets;
	int fd;

	problem->text[0] = '\0';
	fd = lock(path, problem);
	if (fd < 0)
		return NULL;
	if (load(&tickets, path, problem))
		ticket = tickets_take(&tickets, owner, now_s);
	/* What cannot be taken out would be used again. */
	if (ticket != NULL && !save(&tickets, path, problem)) {
		ticket_free(ticket);
		ticket = NULL;
	}
	(void)close(fd);
	tickets_clear(&tickets);
	return ticket;
}

void ticket_file_put(const char *path, struct tls_ticket *ticket, struct error *problem)
{
	struct tls_tickets tickets;
	int fd;

	problem->text[0] = '\0';
	fd = lock(path, problem);
	if (fd < 0) {
		ticket_free(ticket);
		return;
	}
	if (load(&tickets, path, problem)) {
		tickets_put(&tickets, ticket);
		(void)save(&tickets, path, problem);
	} else {
		ticket_free(ticket);
	}
	(void)close(fd);
	tickets_clear(&tickets);
}
