/* SPDX-License-Identifier: MIT */
#include "identity.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/mquic-identity-XXXXXX";
static char certificate_path[IDENTITY_PATH];
static char key_path[IDENTITY_PATH];
static pid_t maker; /* a test that forks leaves the files to its parent */

static void must(int ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "identity: %s failed\n", what);
	abort();
}

static void write_file(char path[IDENTITY_PATH], const char *name, gnutls_datum_t *pem)
{
	FILE *file;

	(void)snprintf(path, IDENTITY_PATH, "%s/%s", directory, name);
	file = fopen(path, "w");
	must(file != NULL && fwrite(pem->data, pem->size, 1, file) == 1 && fclose(file) == 0,
	     "writing");
	must(chmod(path, 0600) == 0, "chmod");
	gnutls_free(pem->data);
}

static void tidy_up(void)
{
	if (getpid() != maker)
		return;
	(void)unlink(key_path);
	(void)unlink(certificate_path);
	(void)rmdir(directory);
}

static void sign(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
	const unsigned char serial = 1;

	must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
					  0) == 0 &&
		     gnutls_x509_crt_set_version(certificate, 3) == 0 &&
		     gnutls_x509_crt_set_serial(certificate, &serial, 1) == 0 &&
		     gnutls_x509_crt_set_activation_time(certificate, 0) == 0 &&
		     gnutls_x509_crt_set_expiration_time(certificate, 4000000000) == 0 &&
		     gnutls_x509_crt_set_key(certificate, key) == 0 &&
		     gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0) ==
			     0,
	     "signing");
}

static void make(void)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
	gnutls_datum_t pem;

	if (maker != 0)
		return;
	maker = getpid();
	must(mkdtemp(directory) != NULL, "mkdtemp");
	must(gnutls_x509_privkey_init(&key) == 0, "memory");
	must(gnutls_x509_crt_init(&certificate) == 0, "memory");
	sign(certificate, key);
	must(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem) == 0, "export");
	write_file(key_path, "key", &pem);
	must(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem) == 0, "export");
	write_file(certificate_path, "crt", &pem);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key);
	must(atexit(tidy_up) == 0, "atexit");
}

const char *identity_certificate(void)
{
	make();
	return certificate_path;
}

const char *identity_key(void)
{
	make();
	return key_path;
}
