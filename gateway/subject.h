/* SPDX-License-Identifier: MIT */
/* The subject of a certificate as a user name. */
#ifndef GATEWAY_SUBJECT_H
#define GATEWAY_SUBJECT_H

#include <stddef.h>
#include <stdint.h>

/*
 * The text of an X.501 Name in DER, letter by letter the one that Mosquitto has on a TLS listener
 * with use_subject_as_username: OpenSSL's by XN_FLAG_RFC2253, ASCII throughout, as in
 * "CN=lamp,OU=Hall\, left,C=SE". NULL: it is empty, not DER, or one whose text would be that of
 * another as well; or there is no memory. free() it.
 */
char *subject_text(const uint8_t *der, size_t len);

#endif
