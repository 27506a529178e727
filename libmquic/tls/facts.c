/* SPDX-License-Identifier: MIT */
/* What a finished handshake established. */
#include <stdlib.h>
#include <string.h>

#include "tls/peer.h"
#include "tls/resume.h"
#include "tls/session.h"

static bool keep(char **fact, const char *text)
{
	if (text == NULL)
		return true;
	*fact = strdup(text);
	return *fact != NULL;
}

static enum mquic_status read_parameters(gnutls_session_t native, struct tls_facts *facts)
{
	const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(native));
	const char *cipher = gnutls_cipher_get_name(gnutls_cipher_get(native));
	gnutls_datum_t alpn;

	if (!keep(&facts->version, version) || !keep(&facts->cipher, cipher))
		return MQUIC_ERR_MEMORY;
	if (gnutls_alpn_get_selected_protocol(native, &alpn) != 0)
		return MQUIC_OK;
	facts->alpn = strndup((const char *)alpn.data, alpn.size);
	return facts->alpn != NULL ? MQUIC_OK : MQUIC_ERR_MEMORY;
}

/* Only a certificate that passed says who the peer is; an unverified one says nothing. */
static enum mquic_status read_peer(struct tls_session *session, struct tls_facts *facts)
{
	gnutls_x509_crt_t certificate;
	enum mquic_status status;

	if (!session->verified && !resume_was_verified(session))
		return MQUIC_OK;
	status = peer_certificate(session, &certificate);
	if (status != MQUIC_OK || certificate == NULL)
		return status;
	status = peer_common_name(certificate, &facts->common_name);
	if (status == MQUIC_OK)
		status = peer_subject(certificate, &facts->subject);
	if (status == MQUIC_OK)
		status =
			peer_subject_der(certificate, &facts->subject_der, &facts->subject_der_len);
	if (status == MQUIC_OK)
		status = peer_alt_names(certificate, &facts->alt_names, &facts->alt_name_count);
	gnutls_x509_crt_deinit(certificate);
	return status;
}

enum mquic_status tls_session_facts(struct tls_session *session, struct tls_facts *facts)
{
	enum mquic_status status;

	memset(facts, 0, sizeof(*facts));
	facts->resumed = gnutls_session_is_resumed(session->native) != 0;
	status = read_parameters(session->native, facts);
	if (status == MQUIC_OK)
		status = read_peer(session, facts);
	if (status != MQUIC_OK)
		tls_facts_clear(facts);
	return status;
}

void tls_facts_clear(struct tls_facts *facts)
{
	free(facts->version);
	free(facts->cipher);
	free(facts->alpn);
	free(facts->common_name);
	free(facts->subject);
	free(facts->subject_der);
	peer_alt_names_free(facts->alt_names, facts->alt_name_count);
	memset(facts, 0, sizeof(*facts));
}
