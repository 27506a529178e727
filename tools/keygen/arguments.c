/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "keygen.h"

#define MAX_DAYS        36500L
#define CA_DAYS         3650L
#define LEAF_DAYS       825L
#define MAX_COMMON_NAME 64 /* RFC 5280 appendix A.1, ub-common-name */
#define MAX_BASE        200
#define MAX_HOST        253

static const char help[] =
	"Usage: mquic-keygen ca     [--dir DIR] [--days N] [--name NAME]\n"
	"       mquic-keygen server [--dir DIR] [--days N] [--out BASE] HOST...\n"
	"       mquic-keygen client [--dir DIR] [--days N] [--out BASE] NAME\n"
	"\n"
	"Makes certificates for MQTT over QUIC or TLS: first a certificate authority (CA) of your\n"
	"own, then, signed by it, a certificate for each server and for each client that is to be\n"
	"known by one. Keys are P-256, readable by their owner only. Nothing is ever overwritten.\n"
	"\n"
	"  ca      writes DIR/ca.crt and DIR/ca.key\n"
	"  server  writes DIR/server.crt and DIR/server.key, good for every HOST: a DNS name\n"
	"          (*.example.org is one) or an IPv4 or IPv6 address, as clients will dial it\n"
	"  client  writes DIR/NAME.crt and DIR/NAME.key; NAME is what the broker takes as user "
	"name\n"
	"\n"
	"  --dir DIR        where the files are and go, made if it is missing; default: .\n"
	"  --days N         days until it expires; default: 3650 for a CA, else 825, and never "
	"longer\n"
	"                   than its CA. A negative number makes one that has expired, for tests\n"
	"  --name NAME      the CA's name in certificates; default: mquic CA\n"
	"  --out BASE       write DIR/BASE.crt and DIR/BASE.key\n"
	"  --ca-cert FILE   sign with this CA; default: DIR/ca.crt\n"
	"  --ca-key FILE    the CA's private key; default: DIR/ca.key\n"
	"  --help           show this\n"
	"  --version        show the version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage.\n"
	"\n"
	"Example: mquic-keygen ca --dir certs && mquic-keygen server --dir certs localhost "
	"127.0.0.1\n";

enum {
	OPTION_DIR = 256,
	OPTION_DAYS,
	OPTION_NAME,
	OPTION_OUT,
	OPTION_CA_CERT,
	OPTION_CA_KEY,
	OPTION_VERSION
};

static const struct option options[] = {
	{"dir", required_argument, NULL, OPTION_DIR},
	{"days", required_argument, NULL, OPTION_DAYS},
	{"name", required_argument, NULL, OPTION_NAME},
	{"out", required_argument, NULL, OPTION_OUT},
	{"ca-cert", required_argument, NULL, OPTION_CA_CERT},
	{"ca-key", required_argument, NULL, OPTION_CA_KEY},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static bool parse_days(const char *text, long *days)
{
	char *end;

	errno = 0;
	*days = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *days == 0 || *days > MAX_DAYS ||
	    *days < -MAX_DAYS)
		return complain("--days %s: give a whole number of days from 1 to %ld", text,
				MAX_DAYS);
	return true;
}

/* A name that could leave the directory, hide, or be taken for an option is refused. */
static bool check_base(const char *base, const char *remedy)
{
	const char *at;

	if (base[0] == '\0' || base[0] == '.' || base[0] == '-' || strlen(base) > MAX_BASE)
		return complain(
			"\"%.64s\" cannot be a file name here: it must not be empty, long, or "
			"start with a dot or dash%s",
			base, remedy);
	for (at = base; *at != '\0'; at++)
		if (*at == '/' || iscntrl((unsigned char)*at))
			return complain(
				"\"%.64s\" cannot be a file name: it has a slash or control "
				"character in it%s",
				base, remedy);
	return true;
}

/* Number of characters of UTF-8 text, (size_t)-1 if it is ill-formed. */
static size_t count_characters(const char *text)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before;
	size_t count;

	if (utf8 == (locale_t)0)
		return (size_t)-1;
	before = uselocale(utf8);
	count = mbstowcs(NULL, text, 0);
	(void)uselocale(before);
	freelocale(utf8);
	return count;
}

static bool check_common_name(const char *name)
{
	size_t characters = count_characters(name);
	const char *at;

	if (characters == 0)
		return complain("the name is empty: give one");
	if (characters == (size_t)-1)
		return complain("the name is not text in UTF-8: choose another");
	for (at = name; *at != '\0'; at++)
		if (iscntrl((unsigned char)*at))
			return complain("the name has control characters in it: choose another");
	if (characters > MAX_COMMON_NAME)
		return complain(
			"\"%.40s...\" is too long for a certificate: use at most %d characters",
			name, MAX_COMMON_NAME);
	return true;
}

static bool is_address(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* One label of a DNS name (RFC 1123 section 2.1), underscores allowed as DNS itself does. */
static bool is_label(const char *label, size_t len)
{
	size_t i;

	if (len == 0 || len > 63 || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	return true;
}

static bool is_dns_name(const char *host)
{
	const char *label = strncmp(host, "*.", 2) == 0 ? host + 2 : host;
	const char *dot;

	if (strlen(host) > MAX_HOST)
		return false;
	while ((dot = strchr(label, '.')) != NULL) {
		if (!is_label(label, (size_t)(dot - label)))
			return false;
		label = dot + 1;
	}
	return is_label(label, strlen(label));
}

/* A DNS name, or one in another script whose ASCII form (RFC 5891) is one. */
static bool is_international_name(const char *host)
{
	const char *at;
	char *ascii;
	bool good;

	for (at = host; *at != '\0'; at++)
		if ((unsigned char)*at < 0x80 && !isalnum((unsigned char)*at) &&
		    strchr("-_.*", *at) == NULL)
			return false; /* IDNA might map it to something else */
	good = ascii_host(host, &ascii) && is_dns_name(ascii);
	free(ascii);
	return good;
}

/* Digits and dots only is a mistyped address, never a host (RFC 1123 section 2.1). */
static bool check_host(const char *host)
{
	if (is_address(host))
		return true;
	if (strspn(host, "0123456789.") == strlen(host) || strchr(host, ':') != NULL)
		return complain(
			"\"%.64s\" is neither a host name nor an address: give it without port "
			"and brackets, such as localhost, 192.0.2.1 or 2001:db8::1",
			host);
	if (!is_international_name(host))
		return complain(
			"\"%.64s\" is not a host name: letters, digits, dashes and dots make one",
			host);
	return true;
}

static bool check_server(struct request *request)
{
	size_t i;

	if (request->host_count == 0)
		return complain(
			"server needs the names or addresses that clients will dial, such as: "
			"mquic-keygen server localhost 127.0.0.1");
	for (i = 0; i < request->host_count; i++)
		if (!check_host(request->hosts[i]))
			return false;
	if (request->base == NULL)
		request->base = "server";
	/* Clients look at the list of hosts; the common name is for people. */
	request->common_name =
		strlen(request->hosts[0]) <= MAX_COMMON_NAME ? request->hosts[0] : "MQTT server";
	return true;
}

static bool check_client(struct request *request)
{
	if (request->host_count != 1)
		return complain(
			"client needs exactly one name, such as: mquic-keygen client alice");
	request->common_name = request->hosts[0];
	request->host_count = 0;
	if (!check_common_name(request->common_name))
		return false;
	if (request->base != NULL)
		return true;
	request->base = request->common_name;
	return check_base(request->base, "; --out BASE gives the files another name");
}

static bool check_ca(struct request *request)
{
	if (request->host_count != 0)
		return complain(
			"ca takes no names of hosts or clients: --name sets the CA's own name");
	if (request->base != NULL || request->ca_cert != NULL || request->ca_key != NULL)
		return complain(
			"--out, --ca-cert and --ca-key are for servers and clients: a CA is always "
			"DIR/ca.crt and DIR/ca.key");
	if (request->common_name == NULL)
		request->common_name = "mquic CA";
	request->base = "ca";
	return check_common_name(request->common_name);
}

static bool check_leaf(struct request *request)
{
	if (request->common_name != NULL)
		return complain(
			"--name is for a CA: servers and clients are named without an option");
	if ((request->ca_cert == NULL) != (request->ca_key == NULL))
		return complain("--ca-cert and --ca-key belong together: give both or none");
	if (request->base != NULL && !check_base(request->base, ""))
		return false;
	return request->command == COMMAND_SERVER ? check_server(request) : check_client(request);
}

static bool find_command(const char *word, enum command *command)
{
	static const char *const words[] = {"ca", "server", "client"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0) {
			*command = (enum command)i;
			return true;
		}
	return complain("\"%.64s\" is not something it can make: say ca, server or client", word);
}

static enum parse_result take_option(int option, struct request *request)
{
	switch (option) {
	case OPTION_DIR:
		request->dir = optarg;
		break;
	case OPTION_DAYS:
		return parse_days(optarg, &request->days) ? PARSE_GO_ON : PARSE_WRONG;
	case OPTION_NAME:
		request->common_name = optarg;
		break;
	case OPTION_OUT:
		request->base = optarg;
		break;
	case OPTION_CA_CERT:
		request->ca_cert = optarg;
		break;
	case OPTION_CA_KEY:
		request->ca_key = optarg;
		break;
	case OPTION_VERSION:
		(void)printf("mquic-keygen %s\n", MQUIC_VERSION_STRING);
		return PARSE_DONE;
	case 'h':
		(void)fputs(help, stdout);
		return PARSE_DONE;
	default:
		return PARSE_WRONG; /* getopt has said why */
	}
	return PARSE_GO_ON;
}

static bool check_request(int argc, char **argv, struct request *request)
{
	if (optind >= argc)
		return complain("say what to make: ca, server or client");
	if (!find_command(argv[optind], &request->command))
		return false;
	if (request->dir[0] == '\0')
		return complain("--dir is empty: name a directory");
	request->hosts = argv + optind + 1;
	request->host_count = (size_t)(argc - optind - 1);
	if (request->days == 0)
		request->days = request->command == COMMAND_CA ? CA_DAYS : LEAF_DAYS;
	return request->command == COMMAND_CA ? check_ca(request) : check_leaf(request);
}

enum parse_result parse_arguments(int argc, char **argv, struct request *request)
{
	enum parse_result result = PARSE_GO_ON;
	int option;

	*request = (struct request){.dir = "."};
	while (result == PARSE_GO_ON &&
	       (option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		result = take_option(option, request);
	if (result == PARSE_GO_ON && !check_request(argc, argv, request))
		result = PARSE_WRONG;
	if (result == PARSE_WRONG)
		(void)fputs("Try: mquic-keygen --help\n", stderr);
	return result;
}
