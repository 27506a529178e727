/* SPDX-License-Identifier: MIT */
/* Notices when the system's addresses or routes change, by rtnetlink(7). */
#ifndef MQUIC_QUIC_WATCH_H
#define MQUIC_QUIC_WATCH_H

struct quic_host;
struct watch;

/*
 * Has conductor_follow_moves() called after each change, and after many that come together no
 * more often than ten times a second. NULL if the system does not tell: then a client notices
 * when sending fails.
 */
struct watch *watch_new(struct quic_host *host);
void watch_free(struct watch *watch);

#endif
