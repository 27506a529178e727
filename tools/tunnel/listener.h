/* SPDX-License-Identifier: MIT */
/* Where the tunnel's TCP clients come in. */
#ifndef TUNNEL_LISTENER_H
#define TUNNEL_LISTENER_H

#include "tunnel.h"

/* See tunnel_listen(). */
bool listener_open(struct tunnel *tunnel, const char *where);
/* Accepts again after a pause for want of descriptors, if it is time. */
void listener_resume(struct tunnel *tunnel);
void listener_free_all(struct tunnel *tunnel);

#endif
