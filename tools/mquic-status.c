/* SPDX-License-Identifier: MIT */
/* mquic-status: the clients that a broker has over QUIC, at a glance; sends one of them away. */
#include "common/json/clients.h"
#include "common/options.h"
#include "common/say.h"
#include "common/standard-files.h"
#include "status/inquiry.h"
#include "status/table.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/mosquitto/quic.sock" CONTROL_SUFFIX

struct program {
	const char *socket;
	bool json;
	uint32_t watch_s; /* 0: once */
	bool closes;
	uint32_t worker, client; /* which one */
};

static const char help[] =
	"mquic-status shows the clients that a Mosquitto broker of this machine has over QUIC.\n"
	"\n"
	"Usage: mquic-status [--json] [--watch SECONDS] [--socket PATH]\n"
	"       mquic-status --close CLIENT [--socket PATH]\n"
	"       mquic-status --help | --version\n"
	"\n"
	" --json : print an array of JSON objects on one line.\n"
	" -w, --watch : print it again every so many seconds, 1 to 86400, until a signal comes.\n"
	" --close : close the connection of this client, as the first column shows it.\n"
	" --socket : the plugin_opt_control of the broker. Defaults to\n"
	"            /run/mosquitto/quic.sock.control.\n"
	" --quiet : print no errors.\n"
	"\n"
	"Only the broker's user and root may ask. The exit code is 0, or 1 after a failure.\n";

static bool set_close(void *target, const char *name, struct words *words)
{
	struct program *program = target;
	char *text = words_next(words, name, "client");
	char *dot = text != NULL ? strchr(text, '.') : NULL;

	if (text == NULL)
		return false;
	if (dot != NULL)
		*dot = '\0';
	program->closes = true;
	if (dot != NULL && options_number(text, 1, UINT32_MAX, &program->worker) &&
	    options_number(dot + 1, 1, UINT32_MAX, &program->client))
		return true;
	return say_usage("%s takes a client as the first column shows it, such as 1.17.", name);
}

static const struct option_spec specs[] = {
	{NULL, "--json", OPTION_FLAG, offsetof(struct program, json), 0, 0, NULL},
	{"-w", "--watch", OPTION_NUMBER, offsetof(struct program, watch_s), 1, 86400, NULL},
	{NULL, "--close", OPTION_CALL, 0, 0, 0, set_close},
	{NULL, "--socket", OPTION_TEXT, offsetof(struct program, socket), 0, 0, NULL},
	{NULL, "--quiet", OPTION_ACTION, 0, 0, 0, options_quiet},
	{NULL, NULL, 0, 0, 0, 0, NULL},
};

static bool parse_options(struct program *program, struct about *about, int argc, char **argv)
{
	const struct option_table tables[] = {{specs, program}, {NULL, NULL}};

	if (!options_parse(tables, about, argc, argv))
		return false;
	if (program->closes && (program->json || program->watch_s > 0))
		return say_usage("--close goes with neither --json nor --watch.");
	return true;
}

static bool show(const struct program *program)
{
	struct found found;
	bool good = inquiry_list(program->socket, &found);

	if (good && program->json)
		good = json_print_clients(stdout, &found);
	else if (good)
		table_print(stdout, &found);
	found_clear(&found);
	if (good && fflush(stdout) != 0) {
		say_error("Standard output cannot be written.");
		return false;
	}
	return good;
}

static bool act(const struct program *program)
{
	if (program->closes)
		return inquiry_close(program->socket, program->worker, program->client);
	while (show(program)) {
		if (program->watch_s == 0)
			return true;
		sleep(program->watch_s);
	}
	return false;
}

static void print_help(void)
{
	fputs(help, stdout);
}

int main(int argc, char **argv)
{
	struct about about = {"mquic-status", print_help, false};
	struct program program = {.socket = DEFAULT_SOCKET};
	bool good;

	standard_files_hold();
	say_set_program(about.program);
	good = parse_options(&program, &about, argc, argv) && act(&program);
	return good || about.asked ? 0 : 1;
}
