/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <sys/resource.h>

#include "descriptors.h"

/* An eighth of all, but within reason at both ends. */
static uint64_t reserve(uint64_t files)
{
	uint64_t part = files / 8;

	if (part < 64)
		return files < 128 ? files / 2 : 64;
	return part < 2048 ? part : 2048;
}

uint64_t descriptors_raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	if (limit.rlim_cur < limit.rlim_max) {
		rlim_t soft = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			limit.rlim_cur = soft;
	}
	return limit.rlim_cur < INT_MAX ? limit.rlim_cur : INT_MAX;
}

uint32_t descriptors_clients(uint64_t files, unsigned int each)
{
	uint64_t clients = (files - reserve(files)) / each;

	return clients < 1 ? 1 : clients < 1000000 ? (uint32_t)clients : 1000000;
}

int descriptors_highest_fd(uint64_t files)
{
	return (int)(files - reserve(files) / 2);
}
