/* SPDX-License-Identifier: MIT */
/* For calls on an object that cannot exist: each answers as it always answers NULL. */
#ifndef MQUIC_SESSION_REFUSAL_H
#define MQUIC_SESSION_REFUSAL_H

#include "mquic.h"

/* Arguments are looked at by none of them. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define NOTHING(type, answer, call, ...)                                                           \
	type call(__VA_ARGS__)                                                                     \
	{                                                                                          \
		return answer;                                                                     \
	}

#define REFUSE(call, ...) NOTHING(enum mquic_status, MQUIC_ERR_INVALID, call, __VA_ARGS__)

#define IGNORE(call, ...)                                                                          \
	void call(__VA_ARGS__)                                                                     \
	{                                                                                          \
	}

#define NO_BYTES(type, answer, call, object)                                                       \
	type call(object, size_t *len)                                                             \
	{                                                                                          \
		if (len != NULL)                                                                   \
			*len = 0;                                                                  \
		return answer;                                                                     \
	}

#endif
