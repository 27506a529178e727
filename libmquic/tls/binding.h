/* SPDX-License-Identifier: MIT */
/*
 * What tickets are bound to. A ticket stands for a handshake that was judged by what credentials
 * have: it is good for as long as they would judge the same.
 */
#ifndef MQUIC_TLS_BINDING_H
#define MQUIC_TLS_BINDING_H

#include "tls/credentials.h"

/*
 * Counts a part of the credentials in, in whatever order parts come: a directory has none. `what`
 * tells parts apart. False if crypto fails.
 */
bool binding_add(struct tls_credentials *credentials, const char *what, const void *data,
		 size_t len);

/*
 * Whom a client's tickets lead to: the name and port, and all that the credentials are made of.
 * False if crypto fails.
 */
bool binding_owner(uint8_t owner[TLS_SECRET_LEN], const struct tls_credentials *credentials,
		   const char *name, uint16_t port);

#endif
