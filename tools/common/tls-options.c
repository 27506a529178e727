/* SPDX-License-Identifier: MIT */
#include "tls-options.h"

#include "say.h"

#include <string.h>

#define AT(member) offsetof(struct tls_options, member)

static bool set_congestion_control(void *target, const char *name, struct words *words)
{
	enum mquic_congestion_control *choice = &((struct tls_options *)target)->congestion_control;
	const char *text = words_next(words, name, "algorithm");

	if (!text)
		return false;
	if (strcmp(text, "cubic") == 0)
		*choice = MQUIC_CONGESTION_CUBIC;
	else if (strcmp(text, "reno") == 0)
		*choice = MQUIC_CONGESTION_RENO;
	else if (strcmp(text, "bbr") == 0)
		*choice = MQUIC_CONGESTION_BBR;
	else
		return say_usage("%s takes cubic, reno or bbr, not '%s'.", name, text);
	return true;
}

static bool set_redundancy(void *target, const char *name, struct words *words)
{
	struct tls_options *options = target;
	const char *text = words_next(words, name, "word");

	if (!text)
		return false;
	if (strcmp(text, "off") != 0 && strcmp(text, "handshake") != 0)
		return say_usage("%s takes handshake or off, not '%s'.", name, text);
	options->once = strcmp(text, "off") == 0;
	return true;
}

const struct option_spec tls_option_specs[] = {
	{NULL, "--cafile", OPTION_TEXT, AT(ca_file), 0, 0, NULL},
	{NULL, "--capath", OPTION_TEXT, AT(ca_path), 0, 0, NULL},
	{NULL, "--cert", OPTION_TEXT, AT(cert), 0, 0, NULL},
	{NULL, "--key", OPTION_TEXT, AT(key), 0, 0, NULL},
	{NULL, "--insecure", OPTION_FLAG, AT(insecure), 0, 0, NULL},
	{"-A", NULL, OPTION_TEXT, AT(local_address), 0, 0, NULL},
	{NULL, "--server-name", OPTION_TEXT, AT(server_name), 0, 0, NULL},
	{NULL, "--tls-alpn", OPTION_TEXT, AT(alpn), 0, 0, NULL},
	{NULL, "--ticket-file", OPTION_TEXT, AT(ticket_file), 0, 0, NULL},
	{NULL, "--tls-keylog", OPTION_TEXT, AT(keylog_file), 0, 0, NULL},
	{NULL, "--congestion-control", OPTION_CALL, 0, 0, 0, set_congestion_control},
	{NULL, "--redundancy", OPTION_CALL, 0, 0, 0, set_redundancy},
	{NULL, NULL, 0, 0, 0, 0, NULL},
};

const char tls_options_help[] =
	" --cafile : PEM file of the certificate authorities to trust.\n"
	"            Defaults to those the operating system trusts.\n"
	" --capath : directory of PEM files to trust.\n"
	" --cert : PEM file of our certificate, if the server asks for one.\n"
	" --key : PEM file of our private key.\n"
	" --insecure : do not check the server's certificate and host name. Anybody on the way\n"
	"              can then read and change everything: for experiments only.\n"
	" -A : numeric address of this machine to dial from, if it has several ways out.\n"
	" --server-name : name that the server's certificate must be for, if it is not the host\n"
	"                 that is dialed, such as an address or an alias.\n"
	" --tls-alpn : application protocol to ask for. Defaults to mqtt.\n"
	" --ticket-file : file that keeps what the next run comes back with, which spares it most "
	"of\n"
	"                 the handshake. Keep it secret.\n"
	" --tls-keylog : file to append the TLS secrets to, for Wireshark. Whoever reads it can\n"
	"                decrypt the traffic.\n"
	" --congestion-control : cubic, reno or bbr. Defaults to cubic; bbr for links that lose\n"
	"                        packets whatever is sent.\n"
	" --redundancy : handshake or off: whether what is unanswered for 20 ms during the\n"
	"                handshake is sent once more. Defaults to handshake.\n";

bool tls_options_check(const struct tls_options *options)
{
	if (!options->cert != !options->key)
		return say_usage("Both --cert and --key must be given if one of them is.");
	if (options->server_name && (!*options->server_name || strlen(options->server_name) > 255))
		return say_usage("--server-name takes a name of 1 to 255 bytes.");
	if (options->insecure && (options->ca_file || options->ca_path))
		say_warning("--insecure checks no certificate, so --cafile and --capath have no "
			    "effect.");
	return true;
}

static enum mquic_status apply(const struct tls_options *options, struct mquic_settings *settings)
{
	enum mquic_status status = MQUIC_OK;

	if (!status && options->ca_file)
		status = mquic_settings_set_ca_file(settings, options->ca_file);
	if (!status && options->ca_path)
		status = mquic_settings_set_ca_path(settings, options->ca_path);
	if (!status && options->cert)
		status = mquic_settings_set_certificate(settings, options->cert, options->key);
	if (!status && options->server_name)
		status = mquic_settings_set_server_name(settings, options->server_name);
	if (!status && options->local_address)
		status = mquic_settings_set_local_address(settings, options->local_address);
	if (!status && options->alpn)
		status = mquic_settings_set_alpn(settings, options->alpn);
	if (!status && options->ticket_file)
		status = mquic_settings_set_ticket_file(settings, options->ticket_file);
	if (!status && options->keylog_file)
		status = mquic_settings_set_keylog_file(settings, options->keylog_file);
	if (!status)
		status = mquic_settings_set_congestion_control(settings,
							       options->congestion_control);
	if (!status && options->once)
		status = mquic_settings_set_redundancy(settings, MQUIC_REDUNDANCY_OFF);
	if (!status)
		status = mquic_settings_set_insecure(settings, options->insecure);
	return status;
}

struct mquic_settings *tls_options_settings(const struct tls_options *options)
{
	struct mquic_settings *settings;

	if (mquic_settings_new(&settings) != MQUIC_OK) {
		say_error("Out of memory.");
		return NULL;
	}
	if (apply(options, settings) != MQUIC_OK) {
		say_error("%s", mquic_settings_error(settings));
		mquic_settings_free(settings);
		return NULL;
	}
	return settings;
}
