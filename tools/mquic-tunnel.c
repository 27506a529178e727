/* SPDX-License-Identifier: MIT */
/*
 * mquic-tunnel: lets any MQTT client that speaks TCP reach a broker over QUIC. Every TCP
 * connection becomes one QUIC connection with one stream.
 */
#include "common/options.h"
#include "common/say.h"
#include "common/standard-files.h"
#include "common/tcp-options.h"
#include "common/tls-options.h"
#include "common/url.h"
#include "tunnel/tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_LISTEN          "127.0.0.1:1883"
#define DEFAULT_MAX_CONNECTIONS 1000
/* The MQTT clients keep the session alive; this keeps NAT bindings and the connection. */
#define KEEP_ALIVE_MS 15000
/* Enough for a fast link, little enough for a thousand connections at once. */
#define SEND_BUFFER 262144

struct program {
	struct tls_options tls;
	struct url connect;
	const char **listen;
	size_t listen_count;
	uint32_t max_connections;
	struct tunnel tunnel;
};

static const char help_head[] =
	"mquic-tunnel lets MQTT clients that speak TCP reach a broker over QUIC.\n"
	"\n"
	"Usage: mquic-tunnel --connect mqtt-quic://HOST[:PORT] [--listen ADDRESS:PORT] [options]\n"
	"       mquic-tunnel --help | --version\n"
	"\n"
	" --connect : the broker, as a URL. The port defaults to 14567.\n"
	" --listen : where TCP clients come in; may be repeated. Defaults to 127.0.0.1:1883.\n"
	"            This side is not encrypted: better keep it on a loopback address.\n"
	" --max-connections : how many may be open at once, 1 to 100000. Defaults to 1000.\n"
	" -d, --debug : print a line for each connection.\n"
	" --quiet : print no errors.\n";

static const char help_tail[] = "\nIt runs until a signal such as SIGINT or SIGTERM comes, and "
				"then ends with exit code 0;\n1 tells of a failure.\n";

static bool set_connect(void *target, const char *name, struct words *words)
{
	struct program *program = target;
	const char *text = words_next(words, name, "URL");

	if (!text)
		return false;
	if (program->connect.parsed)
		return say_usage("--connect can be given only once.");
	return url_parse(&program->connect, name, text);
}

static bool add_listen(void *target, const char *name, struct words *words)
{
	struct program *program = target;
	const char *text = words_next(words, name, "address");
	const char **longer;

	if (!text)
		return false;
	longer = realloc(program->listen, (program->listen_count + 1) * sizeof(*longer));
	if (!longer)
		return say_usage("Out of memory.");
	longer[program->listen_count++] = text;
	program->listen = longer;
	return true;
}

static bool set_debug(void *target, const char *name, struct words *words)
{
	(void)target;
	(void)name;
	(void)words;
	say_set_debug(true);
	return true;
}

static const struct option_spec specs[] = {
	{NULL, "--connect", OPTION_CALL, 0, 0, 0, set_connect},
	{NULL, "--listen", OPTION_CALL, 0, 0, 0, add_listen},
	{NULL, "--max-connections", OPTION_NUMBER, offsetof(struct program, max_connections), 1,
	 100000, NULL},
	{"-d", "--debug", OPTION_ACTION, 0, 0, 0, set_debug},
	{NULL, "--quiet", OPTION_ACTION, 0, 0, 0, options_quiet},
	{NULL, NULL, 0, 0, 0, 0, NULL},
};

static bool parse_options(struct program *program, struct about *about, int argc, char **argv)
{
	const struct option_table tables[] = {
		{specs, program},
		{tls_option_specs, &program->tls},
		{tcp_option_specs, about},
		{NULL, NULL},
	};

	program->max_connections = DEFAULT_MAX_CONNECTIONS;
	if (!options_parse(tables, about, argc, argv))
		return false;
	if (!program->connect.host)
		return say_usage("You must say where to connect to, with --connect.");
	if (program->connect.username)
		return say_usage("--connect takes no user: the MQTT clients log in themselves.");
	if (program->connect.topic)
		return say_usage("--connect takes no topic.");
	return tls_options_check(&program->tls);
}

static bool listen_everywhere(struct program *program)
{
	if (program->listen_count == 0)
		return tunnel_listen(&program->tunnel, DEFAULT_LISTEN);
	for (size_t i = 0; i < program->listen_count; i++)
		if (!tunnel_listen(&program->tunnel, program->listen[i]))
			return false;
	return true;
}

static bool open_tunnel(struct program *program)
{
	struct tunnel *tunnel = &program->tunnel;

	tunnel->host = program->connect.host;
	tunnel->port = program->connect.port ? program->connect.port : MQUIC_PORT;
	tunnel->max_connections = program->max_connections;
	tunnel->settings = tls_options_settings(&program->tls);
	if (!tunnel->settings)
		return false;
	if (mquic_settings_set_keep_alive_ms(tunnel->settings, KEEP_ALIVE_MS) != MQUIC_OK ||
	    mquic_settings_set_send_buffer(tunnel->settings, SEND_BUFFER) != MQUIC_OK) {
		say_error("%s", mquic_settings_error(tunnel->settings));
		return false;
	}
	return tunnel_open(tunnel) && listen_everywhere(program);
}

static void tear_down(struct program *program)
{
	tunnel_free(&program->tunnel);
	mquic_settings_free(program->tunnel.settings);
	url_free(&program->connect);
	free(program->listen);
}

static void print_help(void)
{
	fputs(help_head, stdout);
	fputs(tls_options_help, stdout);
	fputs(help_tail, stdout);
}

int main(int argc, char **argv)
{
	struct about about = {"mquic-tunnel", print_help, false};
	struct program program = {.tunnel.epoll = -1};
	bool good;

	standard_files_hold();
	say_set_program(about.program);
	good = parse_options(&program, &about, argc, argv) && open_tunnel(&program) &&
	       tunnel_run(&program.tunnel);
	tear_down(&program);
	return good || about.asked ? 0 : 1;
}
