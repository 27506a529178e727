/* SPDX-License-Identifier: MIT */
#include "tls/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN_PATH  64
#define FIRST_CHUNK 4096

enum mquic_status tls_no_memory(struct error *error)
{
	return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
}

const char *tls_file_shown(const char *path)
{
	size_t len = strlen(path);
	const char *slash;

	if (len <= SHOWN_PATH)
		return path;
	path += len - SHOWN_PATH;
	slash = strchr(path, '/');
	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static enum mquic_status no_permission(const char *what, const char *path, struct error *error)
{
	struct passwd *entry = NULL;
	struct passwd storage;
	char buffer[1024];

	if (getpwuid_r(geteuid(), &storage, buffer, sizeof(buffer), &entry) != 0 || entry == NULL)
		return error_set(error, MQUIC_ERR_TLS,
				 "user %u may not read the %s %s: change its owner or mode",
				 (unsigned int)geteuid(), what, tls_file_shown(path));
	return error_set(error, MQUIC_ERR_TLS,
			 "user %.32s may not read the %s %s: change its owner or mode, also of the "
			 "directories above it",
			 entry->pw_name, what, tls_file_shown(path));
}

static enum mquic_status cannot_read(const char *what, const char *path, int code,
				     struct error *error)
{
	if (code == EACCES || code == EPERM)
		return no_permission(what, path, error);
	if (code == ENOENT || code == ENOTDIR)
		return error_set(error, MQUIC_ERR_TLS,
				 "the %s %s does not exist: check the path and its spelling", what,
				 tls_file_shown(path));
	if (code == ENOMEM)
		return tls_no_memory(error);
	(void)error_set_system(error, code, "cannot read the %s %s", what, tls_file_shown(path));
	return MQUIC_ERR_TLS;
}

static enum mquic_status check_kind(int fd, const char *what, const char *path, size_t limit,
				    struct error *error)
{
	struct stat about;

	if (fstat(fd, &about) != 0)
		return cannot_read(what, path, errno, error);
	if (S_ISDIR(about.st_mode))
		return error_set(error, MQUIC_ERR_TLS,
				 "the %s %s is a directory: name a file in it", what,
				 tls_file_shown(path));
	if (!S_ISREG(about.st_mode))
		return error_set(error, MQUIC_ERR_TLS,
				 "the %s %s is a pipe or device: name a regular file", what,
				 tls_file_shown(path));
	if (about.st_size > 0 && (uint64_t)about.st_size > limit)
		return error_set(error, MQUIC_ERR_TLS,
				 "the %s %s is larger than %zu KiB: is it the right file?", what,
				 tls_file_shown(path), limit / 1024);
	return MQUIC_OK;
}

/* Twice the room; by copying, so that no unwiped piece of a key stays behind as in realloc(). */
static bool grow(gnutls_datum_t *content, size_t *room)
{
	size_t larger = *room == 0 ? FIRST_CHUNK : *room * 2;
	unsigned char *data = malloc(larger + 1);

	if (data == NULL)
		return false;
	if (content->size > 0)
		memcpy(data, content->data, content->size);
	if (content->data != NULL)
		explicit_bzero(content->data, content->size);
	free(content->data);
	content->data = data;
	*room = larger;
	return true;
}

/* A file can grow while it is read, and those of /proc claim to be empty: st_size is no help. */
static enum mquic_status read_all(int fd, gnutls_datum_t *content, const char *what,
				  const char *path, size_t limit, struct error *error)
{
	size_t room = 0;
	ssize_t got;

	for (;;) {
		if (content->size == room && !grow(content, &room))
			return tls_no_memory(error);
		got = read(fd, content->data + content->size, room - content->size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cannot_read(what, path, errno, error);
		if (got == 0)
			break;
		content->size += (unsigned int)got;
		if (content->size > limit)
			return error_set(error, MQUIC_ERR_TLS,
					 "the %s %s is larger than %zu KiB: is it the right file?",
					 what, tls_file_shown(path), limit / 1024);
	}
	content->data[content->size] = '\0';
	return MQUIC_OK;
}

enum mquic_status tls_file_read(gnutls_datum_t *content, const char *what, const char *path,
				size_t limit, struct error *error)
{
	enum mquic_status status;
	int fd;

	content->data = NULL;
	content->size = 0;
	/* O_NONBLOCK: a FIFO must not keep us waiting for a writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return cannot_read(what, path, errno, error);
	status = check_kind(fd, what, path, limit, error);
	if (status == MQUIC_OK)
		status = read_all(fd, content, what, path, limit, error);
	(void)close(fd);
	if (status != MQUIC_OK)
		tls_file_free(content);
	return status;
}

void tls_file_free(gnutls_datum_t *content)
{
	if (content->data != NULL)
		explicit_bzero(content->data, content->size);
	free(content->data);
	content->data = NULL;
	content->size = 0;
}

bool tls_file_contains(const gnutls_datum_t *content, const char *text)
{
	return content->data != NULL &&
	       memmem(content->data, content->size, text, strlen(text)) != NULL;
}

unsigned int tls_file_count(const gnutls_datum_t *content, const char *text)
{
	const unsigned char *at = content->data;
	const unsigned char *end = at + content->size;
	unsigned int count = 0;

	while (at != NULL && (at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL) {
		at += strlen(text);
		count++;
	}
	return count;
}
