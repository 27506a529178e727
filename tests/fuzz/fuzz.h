/* SPDX-License-Identifier: MIT */
/*
 * What every fuzz target shares. A target is one source with LLVMFuzzerTestOneInput(); it is built
 * twice, with replay.c as an ordinary test and, with -Dfuzz=true, with libFuzzer.
 */
#ifndef MQUIC_TESTS_FUZZ_H
#define MQUIC_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Called by libFuzzer, or by replay.c for each file of the corpus. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input; unlike assert() in release builds, too. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);      \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
