/* SPDX-License-Identifier: MIT */
/*
 * Secrets of a server that outlive it.
 *
 * A secret in a file of its own: 64 hexadecimal digits and a line end. It is made when it is not
 * there, under another name first, so that no crash and no other process ever finds half of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "tls/file.h"
#include "tls/tls.h"

#define DIGITS (2 * TLS_SECRET_LEN)

/* More than a few line ends behind the digits, and it is another file. */
#define FILE_LIMIT ((size_t)4096)

static int digit_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool decode(uint8_t secret[TLS_SECRET_LEN], const unsigned char *text, size_t len)
{
	size_t i;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (len != DIGITS)
		return false;
	for (i = 0; i < DIGITS; i++)
		if (digit_value(text[i]) < 0)
			return false;
	for (i = 0; i < TLS_SECRET_LEN; i++)
		secret[i] = (uint8_t)(digit_value(text[2 * i]) * 16 + digit_value(text[2 * i + 1]));
	return true;
}

static enum mquic_status read_secret(uint8_t secret[TLS_SECRET_LEN], const char *what,
				     const char *path, struct error *error)
{
	gnutls_datum_t content;
	enum mquic_status status = tls_file_read(&content, what, path, FILE_LIMIT, error);

	if (status != MQUIC_OK)
		return status;
	if (!decode(secret, content.data, content.size))
		status = error_set(error, MQUIC_ERR_TLS,
				   "the %s %s does not have %d hexadecimal digits: restore it, or "
				   "remove it and a new one is made",
				   what, tls_file_shown(path), DIGITS);
	tls_file_free(&content);
	return status;
}

static bool write_text(int fd, const uint8_t secret[TLS_SECRET_LEN])
{
	static const char digits[] = "0123456789abcdef";
	char text[DIGITS + 1];
	ssize_t written;
	size_t i;

	for (i = 0; i < TLS_SECRET_LEN; i++) {
		text[2 * i] = digits[secret[i] >> 4];
		text[2 * i + 1] = digits[secret[i] & 15];
	}
	text[DIGITS] = '\n';
	written = write(fd, text, sizeof(text));
	explicit_bzero(text, sizeof(text));
	if (written >= 0 && written != (ssize_t)sizeof(text))
		errno = ENOSPC;
	return written == (ssize_t)sizeof(text) && fsync(fd) == 0;
}

/* Gives it its name unless that is taken. Not every file system has links. */
static bool name_it(const char *temporary, const char *path)
{
	if (link(temporary, path) == 0 || errno == EEXIST)
		return true;
	return rename(temporary, path) == 0;
}

/* False: errno says why. */
static bool make(const uint8_t secret[TLS_SECRET_LEN], const char *path, char *temporary)
{
	int fd = mkstemp(temporary); /* O_EXCL, mode 0600 */
	bool made;
	int code;

	if (fd < 0)
		return false;
	made = write_text(fd, secret) && name_it(temporary, path);
	code = errno;
	(void)close(fd);
	(void)unlink(temporary);
	errno = code;
	return made;
}

static enum mquic_status make_secret(const uint8_t secret[TLS_SECRET_LEN], const char *what,
				     const char *path, struct error *error)
{
	static const char ending[] = ".XXXXXX";
	size_t len = strlen(path);
	char *temporary = malloc(len + sizeof(ending));
	bool made;

	if (temporary == NULL)
		return tls_no_memory(error);
	memcpy(temporary, path, len);
	memcpy(temporary + len, ending, sizeof(ending));
	made = make(secret, path, temporary);
	if (!made)
		(void)error_set_system(error, errno, "the %s %s cannot be made", what,
				       tls_file_shown(path));
	free(temporary);
	return made ? MQUIC_OK : MQUIC_ERR_SYSTEM;
}

enum mquic_status tls_secret_keep(uint8_t secret[TLS_SECRET_LEN], const char *what,
				  const char *path, struct error *error)
{
	struct stat about;

	if (stat(path, &about) != 0) {
		enum mquic_status status = make_secret(secret, what, path, error);

		if (status != MQUIC_OK)
			return status;
	}
	return read_secret(secret, what, path, error);
}

/* Its group may be there for a purpose, such as a broker whose files are root's. */
bool tls_secret_is_exposed(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && (about.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

enum mquic_status tls_secret_derive(uint8_t secret[TLS_SECRET_LEN],
				    const uint8_t root[TLS_SECRET_LEN], const char *label)
{
	/* The casts drop const for GnuTLS' datum, which serves input and output alike. */
	gnutls_datum_t key = {(unsigned char *)(uintptr_t)root, TLS_SECRET_LEN};
	gnutls_datum_t info = {(unsigned char *)(uintptr_t)label, (unsigned int)strlen(label)};

	if (gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &key, &info, secret, TLS_SECRET_LEN) != 0)
		return MQUIC_ERR_TLS;
	return MQUIC_OK;
}
