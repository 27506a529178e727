/* SPDX-License-Identifier: MIT */
/* What the suites with a hostile peer check in common. */
#ifndef MQUIC_TESTS_EXPECT_H
#define MQUIC_TESTS_EXPECT_H

#include <check.h>

#include "../unit/tls-kit.h"
#include "scene.h"

/* Error codes, RFC 9000 section 20.1. */
#define FLOW_CONTROL_ERROR        0x03
#define STREAM_LIMIT_ERROR        0x04
#define STREAM_STATE_ERROR        0x05
#define FINAL_SIZE_ERROR          0x06
#define FRAME_ENCODING_ERROR      0x07
#define TRANSPORT_PARAMETER_ERROR 0x08
#define CONNECTION_ID_LIMIT_ERROR 0x09
#define PROTOCOL_VIOLATION        0x0a
#define CRYPTO_BUFFER_EXCEEDED    0x0d
#define KEY_UPDATE_ERROR          0x0e
#define CRYPTO_ERROR              0x0100

/* Alerts of TLS, which are added to CRYPTO_ERROR. */
#define ALERT_UNEXPECTED_MESSAGE      10
#define ALERT_MISSING_EXTENSION       109
#define ALERT_NO_APPLICATION_PROTOCOL 120

/* The peer hears of an error of QUIC or TLS, with one of two codes. */
static inline void expect_close_of(struct scene *scene, const char *what, uint64_t code,
				   uint64_t other)
{
	ck_assert_msg(scene_until_closed(scene), "%s: nothing was said; the endpoint: '%s'", what,
		      scene->end.text);
	ck_assert_msg((scene->peer->close_code == code || scene->peer->close_code == other) &&
			      !scene->peer->closed_by_application,
		      "%s: closed with 0x%llx: %s", what,
		      (unsigned long long)scene->peer->close_code, scene->end.text);
}

static inline void expect_close(struct scene *scene, uint64_t code)
{
	expect_close_of(scene, "", code, code);
}

/* The endpoint forgets the connection by itself. */
static inline void finish(struct scene *scene)
{
	ck_assert(scene_close(scene));
}

#endif
