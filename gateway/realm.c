/* SPDX-License-Identifier: MIT */
/*
 * The numbers are those of the kernel's interface, which Debian's headers know a part of only: what
 * a kernel does not know is left out by its version.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "realm.h"

/* Rights to files: all up to a version of the interface, and those that are given back. */
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE  (UINT64_C(1) << 2)
#define FS_READ_DIR   (UINT64_C(1) << 3)
#define FS_MAKE_REG   (UINT64_C(1) << 8)
#define FS_TRUNCATE   (UINT64_C(1) << 14)
#define FS_ALL(bits)  ((UINT64_C(1) << (bits)) - 1)

#define NET_TCP   UINT64_C(3) /* to bind and to connect */
#define SCOPE_ALL UINT64_C(3) /* abstract unix sockets, signals */

#define ASK_VERSION       1
#define RULE_PATH_BENEATH 1

/* The request, as long as the newest kernel has it: a shorter one is what older ones know. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

static long create(const struct ruleset *ruleset, size_t size, unsigned int flags)
{
	return syscall(SYS_landlock_create_ruleset, ruleset, size, flags);
}

static long version(void)
{
	return create(NULL, 0, ASK_VERSION);
}

/* What there is to give up in that version. */
static struct ruleset whole(long version)
{
	static const unsigned int bits[] = {13, 14, 15, 15, 16};
	size_t row = version < 5 ? (size_t)version - 1 : 4;

	return (struct ruleset){
		.fs = FS_ALL(bits[row]),
		.net = version >= 4 ? NET_TCP : 0,
		.scoped = version >= 6 ? SCOPE_ALL : 0,
	};
}

static size_t size_of(long version)
{
	return version < 4   ? offsetof(struct ruleset, net)
	       : version < 6 ? offsetof(struct ruleset, scoped)
			     : sizeof(struct ruleset);
}

/* Gives `rights` back to what is below a path. What is not there needs none. */
static bool allow(int ruleset, const char *path, uint64_t rights)
{
	struct path_rule rule = {.allowed = rights, .fd = open(path, O_PATH | O_CLOEXEC)};
	bool good;

	if (rule.fd < 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR;
	good = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
	close(rule.fd);
	return good;
}

/* The same for the directory that a file is in, or for the directory itself. */
static bool allow_around(int ruleset, const char *path, uint64_t rights)
{
	char folder[PATH_MAX];
	struct stat about;
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);

	if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
		return allow(ruleset, path, rights);
	if (len >= sizeof(folder))
		return true;
	memcpy(folder, len > 0 ? path : ".", len > 0 ? len : 1);
	folder[len > 0 ? len : 1] = '\0';
	return allow(ruleset, folder, rights);
}

/* A link is followed: certbot keeps the files elsewhere than their names. */
static bool allow_read(int ruleset, const char *path)
{
	char target[PATH_MAX];
	const uint64_t rights = FS_READ_FILE | FS_READ_DIR;

	return allow_around(ruleset, path, rights) &&
	       (realpath(path, target) == NULL || allow_around(ruleset, target, rights));
}

static bool allow_written(int ruleset, const struct realm *realm, uint64_t known)
{
	const uint64_t rights = FS_WRITE_FILE | FS_MAKE_REG | FS_READ_FILE | FS_TRUNCATE;

	return realm->written == NULL || allow_around(ruleset, realm->written, rights & known);
}

/* What libraries load late, and what a process may know of itself. */
static bool allow_usual(int ruleset)
{
	return allow(ruleset, "/usr", FS_READ_FILE | FS_READ_DIR) &&
	       allow(ruleset, "/proc/self", FS_READ_FILE | FS_READ_DIR);
}

static bool allow_all(int ruleset, const struct realm *realm, uint64_t known)
{
	size_t i;

	for (i = 0; i < realm->count; i++)
		if (!allow_read(ruleset, realm->read[i]))
			return false;
	return allow_usual(ruleset) && allow_written(ruleset, realm, known);
}

bool realm_exists(void)
{
	return version() > 0;
}

bool realm_enter(const struct realm *realm)
{
	long known = version();
	struct ruleset all;
	int ruleset;
	bool good;

	if (known <= 0)
		return true;
	all = whole(known);
	ruleset = (int)create(&all, size_of(known), 0);
	if (ruleset < 0)
		return false;
	good = allow_all(ruleset, realm, all.fs) &&
	       syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	close(ruleset);
	return good;
}
