/* SPDX-License-Identifier: MIT */
/* A session's part in tickets. Only for this room. */
#ifndef MQUIC_TLS_RESUME_H
#define MQUIC_TLS_RESUME_H

#include "tls/session.h"

/* Has the session of a server whose credentials have a key for it grant and take tickets. */
int resume_set_up(struct tls_session *session);

/* Client: a ticket came; before (`GNUTLS_HOOK_PRE`) and after GnuTLS has read it. */
int resume_look(struct tls_session *session, unsigned int when, const gnutls_datum_t *message);

/* The handshake was one that goes on from an earlier, whose peer had passed. */
bool resume_was_verified(const struct tls_session *session);

#endif
