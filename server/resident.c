/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "resident.h"

/* In pages: the size of its address space, and what of that is there (proc_pid_statm(5)). */
static uint64_t read_pages(int fd)
{
	char text[128];
	uint64_t size, pages;
	ssize_t got = read(fd, text, sizeof(text) - 1);

	if (got <= 0)
		return 0;
	text[got] = '\0';
	return sscanf(text, "%" SCNu64 " %" SCNu64, &size, &pages) == 2 ? pages : 0;
}

uint64_t resident_bytes(void)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	long page = sysconf(_SC_PAGESIZE);
	uint64_t pages = 0;

	if (fd < 0)
		return 0;
	pages = read_pages(fd);
	close(fd);
	return page > 0 ? pages * (uint64_t)page : 0;
}
