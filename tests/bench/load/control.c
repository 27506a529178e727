/* SPDX-License-Identifier: MIT */
#include "loads.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void control_ready(void)
{
	puts("ready");
	fflush(stdout);
}

bool control_told(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char byte = '\0';

	while (byte != '\n' && poll(&input, 1, 0) > 0)
		if (read(STDIN_FILENO, &byte, 1) <= 0)
			return true;
	return byte == '\n';
}

uint64_t cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}
