/* SPDX-License-Identifier: MIT */
/*
 * Files that are there whole or not at all. Each is written under a temporary name and then
 * renamed in a way that fails if the final name is taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "complain.h"
#include "keygen.h"

#define INPUT_LIMIT (1 << 20)

/* ---- Reading ------------------------------------------------------------------- */

static bool read_open(int fd, const char *path, gnutls_datum_t *content)
{
	struct stat about;
	ssize_t got;

	if (fstat(fd, &about) != 0)
		return complain("cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(about.st_mode) || about.st_size > INPUT_LIMIT)
		return complain("%s is not a PEM file: it is no regular file, or too large", path);
	content->data = malloc((size_t)about.st_size + 1);
	if (content->data == NULL)
		return complain("out of memory");
	got = read(fd, content->data, (size_t)about.st_size);
	if (got < 0) {
		free(content->data);
		content->data = NULL;
		return complain("cannot read %s: %s", path, strerror(errno));
	}
	content->data[got] = '\0';
	content->size = (unsigned int)got;
	return true;
}

bool read_file(const char *path, gnutls_datum_t *content)
{
	/* O_NONBLOCK: a FIFO must not keep us waiting for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool done;

	*content = (gnutls_datum_t){NULL, 0};
	if (fd < 0 && errno == ENOENT)
		return complain(
			"%s does not exist: make a CA first with mquic-keygen ca, or name one with "
			"--dir or with --ca-cert and --ca-key",
			path);
	if (fd < 0)
		return complain("cannot read %s: %s", path, strerror(errno));
	done = read_open(fd, path, content);
	(void)close(fd);
	return done;
}

/* ---- Writing ------------------------------------------------------------------- */

static bool write_all(int fd, const gnutls_datum_t *content)
{
	size_t done = 0;
	ssize_t put;

	while (done < content->size) {
		put = write(fd, content->data + done, content->size - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		done += (size_t)put;
	}
	return true;
}

/* A new file DIR/.BASE-XXXXXX with the content, 0600 until it is whole. */
static bool write_temporary(const struct request *request, const gnutls_datum_t *content,
			    mode_t mode, char **path)
{
	bool whole;
	int fd;

	if (asprintf(path, "%s/.%s-XXXXXX", request->dir, request->base) < 0) {
		*path = NULL;
		return complain("out of memory");
	}
	fd = mkostemp(*path, O_CLOEXEC);
	if (fd < 0) {
		(void)complain("cannot write to %s: %s", request->dir, strerror(errno));
		free(*path);
		*path = NULL;
		return false;
	}
	whole = write_all(fd, content) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
	if (close(fd) != 0 || !whole)
		return complain("cannot write to %s: %s", request->dir, strerror(errno));
	return true;
}

/* Some file systems cannot rename without replacing; of those, most can link. */
static bool move(const char *from, const char *to)
{
	/* Not every C library has a function for it. */
	if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno == EINVAL && link(from, to) == 0) {
		(void)unlink(from);
		return true;
	}
	if (errno == EEXIST)
		return complain(
			"%s exists already and is left alone: remove it first, or choose another "
			"place or name",
			to);
	return complain("cannot write %s: %s", to, strerror(errno));
}

struct pair {
	char *cert_temporary;
	char *key_temporary;
	char *cert_path;
	char *key_path;
};

static bool place(const struct request *request, const struct made *made, struct pair *pair)
{
	if (asprintf(&pair->cert_path, "%s/%s.crt", request->dir, request->base) < 0 ||
	    asprintf(&pair->key_path, "%s/%s.key", request->dir, request->base) < 0)
		return complain("out of memory");
	if (!write_temporary(request, &made->certificate, 0644, &pair->cert_temporary) ||
	    !write_temporary(request, &made->key, 0600, &pair->key_temporary))
		return false;
	if (!move(pair->key_temporary, pair->key_path))
		return false;
	if (move(pair->cert_temporary, pair->cert_path))
		return true;
	(void)unlink(pair->key_path); /* ours, and of no use alone */
	return false;
}

static void drop_temporary(char *path)
{
	if (path != NULL)
		(void)unlink(path);
	free(path);
}

/* Ctrl-C must not leave a key without its certificate behind. */
static void hold_signals(sigset_t *before)
{
	sigset_t held;

	(void)sigemptyset(&held);
	(void)sigaddset(&held, SIGINT);
	(void)sigaddset(&held, SIGTERM);
	(void)sigaddset(&held, SIGHUP);
	(void)sigaddset(&held, SIGQUIT);
	(void)sigprocmask(SIG_BLOCK, &held, before);
}

static bool make_directory(const char *path, bool *made)
{
	*made = mkdir(path, 0755) == 0;
	if (*made || errno == EEXIST)
		return true;
	return complain("cannot make the directory %s: %s", path, strerror(errno));
}

bool write_pair(const struct request *request, const struct made *made, char **cert_path,
		char **key_path)
{
	struct pair pair = {NULL, NULL, NULL, NULL};
	bool new_directory;
	sigset_t before;
	bool done;

	if (!make_directory(request->dir, &new_directory))
		return false;
	hold_signals(&before);
	done = place(request, made, &pair);
	drop_temporary(pair.cert_temporary);
	drop_temporary(pair.key_temporary);
	if (!done && new_directory)
		(void)rmdir(request->dir);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (done) {
		*cert_path = pair.cert_path;
		*key_path = pair.key_path;
		return true;
	}
	free(pair.cert_path);
	free(pair.key_path);
	return false;
}
