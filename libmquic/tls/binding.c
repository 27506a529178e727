/* SPDX-License-Identifier: MIT */
#include "tls/binding.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

/* A sum: unlike with exclusive or, a file that is there twice does not vanish. */
static void add(uint8_t sum[TLS_SECRET_LEN], const uint8_t part[TLS_SECRET_LEN])
{
	unsigned int carry = 0;
	size_t i;

	for (i = 0; i < TLS_SECRET_LEN; i++) {
		carry += (unsigned int)sum[i] + part[i];
		sum[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

bool binding_add(struct tls_credentials *credentials, const char *what, const void *data,
		 size_t len)
{
	uint8_t part[TLS_SECRET_LEN];

	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, what, strlen(what), data, len, part) != 0)
		return false;
	add(credentials->binding, part);
	return true;
}

bool binding_owner(uint8_t owner[TLS_SECRET_LEN], const struct tls_credentials *credentials,
		   const char *name, uint16_t port)
{
	char text[TLS_NAME_SIZE + 8];
	int len = snprintf(text, sizeof(text), "%s %u", name, (unsigned int)port);

	return gnutls_hmac_fast(GNUTLS_MAC_SHA256, credentials->binding,
				sizeof(credentials->binding), text, (size_t)len, owner) == 0;
}

enum mquic_status tls_credentials_enable_tickets(struct tls_credentials *credentials,
						 const uint8_t root[TLS_SECRET_LEN])
{
	static const char label[] = "mquic session tickets";
	uint8_t info[sizeof(label) + TLS_SECRET_LEN];
	/* The cast drops const for GnuTLS' datum, which serves input and output alike. */
	gnutls_datum_t key = {(unsigned char *)(uintptr_t)root, TLS_SECRET_LEN};
	gnutls_datum_t bound = {info, sizeof(info)};

	if (!credentials->resumes || credentials->require_certificate)
		return MQUIC_OK;
	memcpy(info, label, sizeof(label));
	memcpy(info + sizeof(label), credentials->binding, TLS_SECRET_LEN);
	if (gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &key, &bound, credentials->ticket_key,
			       sizeof(credentials->ticket_key)) != 0)
		return MQUIC_ERR_TLS;
	credentials->has_ticket_key = true;
	return MQUIC_OK;
}
