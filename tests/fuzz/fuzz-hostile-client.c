/* SPDX-License-Identifier: MIT */
/* A hostile client at a server of the library; an input is a program (hostile-program.h). */
#include "fuzz.h"

#include "hostile-program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostile_program_run(true, data, size);
	return 0;
}
