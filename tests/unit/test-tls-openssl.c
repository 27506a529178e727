/* SPDX-License-Identifier: MIT */
/*
 * Random chains, of which no client may accept one that openssl verify refuses. (The other way
 * round there are some: RFC 9525 and constraints that are not compared are stricter here.)
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls-kit.h"

#define ROUNDS       60
#define ROUNDS_A_KIT 6 /* the kit counts its paths */
#define DEEPEST      3
#define HOST         "a.good.example"

/* A linear congruential generator, so that each machine has the same chains. */
static uint32_t state = 20;

static unsigned int below(unsigned int limit)
{
	state = state * 1664525 + 1013904223;
	return (state >> 16) % limit;
}

static bool in_a_hundred(unsigned int times)
{
	return below(100) < times;
}

struct tower {
	struct kit_spec specs[DEEPEST + 1];
	char names[DEEPEST + 1][16];
	char constraints[DEEPEST + 1][64];
	int depth; /* of the leaf */
};

/* NameConstraints with one DNS name. */
static void constrain(struct kit_spec *spec, char der[64])
{
	static const char *const bases[] = {"good.example", "evil.example", "a.good.example",
					    ".good.example"};
	const char *base = bases[below(4)];
	size_t len = strlen(base);
	const char head[] = {0x30,
			     (char)(len + 6),
			     in_a_hundred(40) ? (char)0xa1 : (char)0xa0,
			     (char)(len + 4),
			     0x30,
			     (char)(len + 2),
			     (char)0x82,
			     (char)len};

	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), base, len);
	spec->constraints = der;
	spec->constraints_len = sizeof(head) + len;
}

static void choose_ca(struct kit_spec *spec, char der[64])
{
	static const unsigned int usages[] = {GNUTLS_KEY_CRL_SIGN, GNUTLS_KEY_DIGITAL_SIGNATURE,
					      GNUTLS_KEY_KEY_CERT_SIGN |
						      GNUTLS_KEY_DIGITAL_SIGNATURE};

	spec->ca = !in_a_hundred(6);
	spec->version = in_a_hundred(4) ? 1 : 3;
	if (spec->ca && !spec->no_basic && in_a_hundred(20))
		spec->path_length = in_a_hundred(50) ? -1 : 1;
	if (in_a_hundred(15))
		spec->usage = usages[below(3)];
	if (in_a_hundred(25))
		constrain(spec, der);
}

static void choose(struct tower *tower, int at)
{
	static const char *const hosts[] = {HOST, "A.GOOD.example", "*.good.example", "*.example",
					    "good.example"};
	struct kit_spec *spec = &tower->specs[at];

	(void)snprintf(tower->names[at], sizeof(tower->names[at]), "level%d", at);
	*spec = (struct kit_spec){.name = tower->names[at],
				  .common_name = tower->names[at],
				  .issuer = at > 0 ? tower->names[at - 1] : NULL,
				  .no_basic = in_a_hundred(6)};
	if (in_a_hundred(25))
		spec->purpose =
			in_a_hundred(60) ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT;
	if (in_a_hundred(4))
		spec->ends = -KIT_DAY;
	if (in_a_hundred(4))
		spec->starts = KIT_DAY;
	if (spec->ends < 0)
		spec->starts = -2 * KIT_DAY;
	if (in_a_hundred(4))
		spec->odd = "1.3.6.1.4.1.99999.1";
	if (at < tower->depth)
		choose_ca(spec, tower->constraints[at]);
	else
		spec->dns[0] = hosts[in_a_hundred(50) ? 0 : below(5)];
}

/* A chain, most of which is shown, and of which mostly the root is trusted. */
static void build(struct tower *tower)
{
	const char *shown[DEEPEST + 2] = {NULL};
	const char *trusted[DEEPEST + 2] = {NULL};
	size_t count = 0;
	int at;

	tower->depth = 1 + (int)below(DEEPEST);
	for (at = 0; at <= tower->depth; at++) {
		choose(tower, at);
		kit_make(&tower->specs[at]);
	}
	shown[count++] = tower->names[tower->depth];
	for (at = tower->depth - 1; at >= 0; at--)
		if (!in_a_hundred(10))
			shown[count++] = tower->names[at];
	kit_join("shown", shown);
	trusted[0] = tower->names[in_a_hundred(80) ? 0 : (int)below((unsigned int)tower->depth)];
	kit_join("trusted", trusted);
	kit_settings(&kit_server, NULL, "shown");
	kit_settings(&kit_client, "trusted", NULL);
}

static bool openssl_accepts(void)
{
	char command[1024];

	(void)snprintf(command, sizeof(command),
		       "openssl verify -partial_chain -auth_level 2 -purpose sslserver "
		       "-verify_hostname " HOST " -CAfile '%s' -untrusted '%s' '%s' >'%s' 2>&1",
		       kit_client.ca_file, kit_server.cert_file, kit_server.cert_file,
		       kit_path("openssl.txt"));
	return system(command) == 0;
}

static bool we_accept(void)
{
	struct kit_handshake handshake;
	bool complete;

	kit_handshake(&handshake, &kit_client, &kit_server, HOST);
	complete = handshake.complete;
	kit_end(&handshake);
	return complete;
}

START_TEST(what_openssl_refuses_is_refused)
{
	struct tower tower;
	int accepted = 0;
	int i;

	if (system("openssl version >/dev/null 2>&1") != 0) {
		(void)printf("# not compared: there is no openssl program here\n");
		return;
	}
	for (i = 0; i < ROUNDS; i++) {
		if (i % ROUNDS_A_KIT == 0 && i > 0) {
			kit_close();
			kit_open();
		}
		build(&tower);
		if (!we_accept())
			continue;
		accepted++;
		if (!openssl_accepts())
			ck_abort_msg("chain %d: %s", i, kit_read("openssl.txt"));
	}
	ck_assert_int_ge(accepted, ROUNDS / 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls-openssl");
	TCase *group = tcase_create("chains");

	tcase_add_checked_fixture(group, kit_open, kit_close);
	tcase_add_test(group, what_openssl_refuses_is_refused);
	tcase_set_timeout(group, 300);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
