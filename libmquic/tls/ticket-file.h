/* SPDX-License-Identifier: MIT */
/*
 * Tickets in a file, for programs that run for one connection. Several may use it at a time: each
 * change is made on a copy that then takes its place, under a lock. Nobody waits for it long: who
 * does not get it has a full handshake, and that is all.
 */
#ifndef MQUIC_TLS_TICKET_FILE_H
#define MQUIC_TLS_TICKET_FILE_H

#include "tls/tickets.h"

/*
 * As tickets_take() and tickets_put(). A file that is not there is made. One that is something else,
 * or somebody else's, or that others may change or read, is left alone: what they put into it
 * would decide whom we trust. `problem` is a sentence on what is wrong, or "".
 */
struct tls_ticket *ticket_file_take(const char *path, const uint8_t owner[TLS_SECRET_LEN],
				    uint64_t now_s, struct error *problem);
void ticket_file_put(const char *path, struct tls_ticket *ticket, struct error *problem);

#endif
