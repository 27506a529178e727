/* SPDX-License-Identifier: MIT */
/* Of whoever starts servers, who need not be one. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "roll.h"

int roll_make(size_t places)
{
	size_t count = places < ROLL_PLACES_MAX ? places : ROLL_PLACES_MAX;
	int fd = memfd_create("mquic-roll", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int code;

	/* Who reads what is no longer there is ended by SIGBUS. */
	if (fd < 0 || (ftruncate(fd, (off_t)(count * sizeof(struct roll_entry))) == 0 &&
		       fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0))
		return fd;
	code = errno;
	close(fd);
	errno = code;
	return -1;
}
