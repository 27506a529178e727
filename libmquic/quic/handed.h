/* SPDX-License-Identifier: MIT */
/* Sockets that somebody else has made, and hands over to listen on. */
#ifndef MQUIC_QUIC_HANDED_H
#define MQUIC_QUIC_HANDED_H

#include "core/error.h"

/* Whether a server can use it; MQUIC_ERR_INVALID with a sentence that says how to mend it. */
enum mquic_status handed_check(int fd, struct error *error);

#endif
