/* SPDX-License-Identifier: MIT */
/* mquic-status: the clients that a broker has over QUIC, at a glance; sends one of them away. */
#include "common/json/clients.h"
#include "common/options.h"
#include "common/say.h"
#include "common/standard-files.h"
#include "status/choice.h"
#include "status/inquiry.h"
#include "status/order.h"
#include "status/screen.h"
#include "status/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/mosquitto/quic.sock" CONTROL_SUFFIX

struct program {
	const char *socket;
	bool json;
	uint32_t watch_s; /* 0: once */
	const struct order *order;
	struct choice choice;
	enum {
		CLOSE_NONE,
		CLOSE_ONE,   /* the one with these numbers */
		CLOSE_CHOICE /* all that are meant */
	} closes;
	uint32_t worker, client;
	bool restarts;
};

static const char help[] =
	"mquic-status shows the clients that a Mosquitto broker of this machine has over QUIC.\n"
	"\n"
	"Usage: mquic-status [--json] [--sort COLUMN] [--id ID] [--user USER]\n"
	"                    [--address ADDRESS] [--watch SECONDS] [--socket PATH]\n"
	"       mquic-status --close CLIENT | --close-id ID | --close-address ADDRESS\n"
	"                    [--socket PATH]\n"
	"       mquic-status --restart [--socket PATH]\n"
	"       mquic-status --help | --version\n"
	"\n"
	" --json : print an array of JSON objects on one line.\n"
	" -w, --watch : show it again every so many seconds, 1 to 86400, until a signal comes.\n"
	" --sort : by client, address, age, rtt, loss, streams, queued, memory, user or id;\n"
	"          numbers: the largest first. Defaults to client.\n"
	" --id : only those with this client identifier.\n"
	" --user : only those of this user.\n"
	" --address : only those from this address, or from this port of it.\n"
	" --close : close the connection of this client, as the first column shows it.\n"
	" --close-id : close that of the client with this identifier.\n"
	" --close-address : close all from this address, or the one from this port of it.\n"
	" --restart : replace all workers by new ones, one after the other, while the broker\n"
	"             runs; its log tells how that goes.\n"
	" --socket : the plugin_opt_control of the broker. Defaults to\n"
	"            /run/mosquitto/quic.sock.control.\n"
	" --quiet : print no errors.\n"
	"\n"
	"Only the broker's user and root may ask. The exit code is 0, or 1 after a failure.\n";

/* ---- Options ----------------------------------------------------------------------------- */

/* One thing is closed at a time. */
static bool set_closes(struct program *program, int closes, const char *name)
{
	if (program->closes != CLOSE_NONE)
		return say_usage("%s: only one of --close, --close-id and --close-address goes.",
				 name);
	program->closes = closes;
	return true;
}

static bool set_close(void *target, const char *name, struct words *words)
{
	struct program *program = target;
	char *text = words_next(words, name, "client");
	char *dot = text != NULL ? strchr(text, '.') : NULL;

	if (text == NULL || !set_closes(program, CLOSE_ONE, name))
		return false;
	if (dot != NULL)
		*dot = '\0';
	if (dot != NULL && options_number(text, 1, UINT32_MAX, &program->worker) &&
	    options_number(dot + 1, 1, UINT32_MAX, &program->client))
		return true;
	return say_usage("%s takes a client as the first column shows it, such as 1.17.", name);
}

static bool set_text(const char **field, const char *name, struct words *words, const char *what)
{
	*field = words_next(words, name, what);
	return *field != NULL && choice_check_text(name, *field);
}

static bool set_id(void *target, const char *name, struct words *words)
{
	return set_text(&((struct program *)target)->choice.id, name, words, "client identifier");
}

static bool set_user(void *target, const char *name, struct words *words)
{
	return set_text(&((struct program *)target)->choice.user, name, words, "user name");
}

static bool set_address(void *target, const char *name, struct words *words)
{
	struct program *program = target;

	program->choice.address = words_next(words, name, "address");
	return program->choice.address != NULL &&
	       choice_check_address(name, program->choice.address);
}

static bool set_close_id(void *target, const char *name, struct words *words)
{
	return set_closes(target, CLOSE_CHOICE, name) && set_id(target, name, words);
}

static bool set_close_address(void *target, const char *name, struct words *words)
{
	return set_closes(target, CLOSE_CHOICE, name) && set_address(target, name, words);
}

static bool set_sort(void *target, const char *name, struct words *words)
{
	struct program *program = target;
	const char *text = words_next(words, name, "column");

	if (text == NULL)
		return false;
	program->order = order_find(text);
	return program->order != NULL || say_usage("%s takes %s.", name, order_names());
}

static const struct option_spec specs[] = {
	{NULL, "--json", OPTION_FLAG, offsetof(struct program, json), 0, 0, NULL},
	{"-w", "--watch", OPTION_NUMBER, offsetof(struct program, watch_s), 1, 86400, NULL},
	{NULL, "--sort", OPTION_CALL, 0, 0, 0, set_sort},
	{NULL, "--id", OPTION_CALL, 0, 0, 0, set_id},
	{NULL, "--user", OPTION_CALL, 0, 0, 0, set_user},
	{NULL, "--address", OPTION_CALL, 0, 0, 0, set_address},
	{NULL, "--close", OPTION_CALL, 0, 0, 0, set_close},
	{NULL, "--close-id", OPTION_CALL, 0, 0, 0, set_close_id},
	{NULL, "--close-address", OPTION_CALL, 0, 0, 0, set_close_address},
	{NULL, "--restart", OPTION_FLAG, offsetof(struct program, restarts), 0, 0, NULL},
	{NULL, "--socket", OPTION_TEXT, offsetof(struct program, socket), 0, 0, NULL},
	{NULL, "--quiet", OPTION_ACTION, 0, 0, 0, options_quiet},
	{NULL, NULL, 0, 0, 0, 0, NULL},
};

static bool is_choosy(const struct choice *choice)
{
	return choice->id != NULL || choice->user != NULL || choice->address != NULL;
}

static bool parse_options(struct program *program, struct about *about, int argc, char **argv)
{
	const struct option_table tables[] = {{specs, program}, {NULL, NULL}};

	if (!options_parse(tables, about, argc, argv))
		return false;
	if (program->closes != CLOSE_NONE && (program->json || program->watch_s > 0))
		return say_usage("--close goes with neither --json nor --watch.");
	if (program->closes == CLOSE_ONE && is_choosy(&program->choice))
		return say_usage(
			"--close says which client; leave --id, --user and --address out.");
	if (program->restarts &&
	    (program->closes != CLOSE_NONE || program->json || program->watch_s > 0))
		return say_usage("--restart goes with none of --close, --json and --watch.");
	return true;
}

/* ---- Showing ----------------------------------------------------------------------------- */

static bool print(const struct program *program, FILE *out, const struct found *found)
{
	if (program->json)
		return json_print_clients(out, found);
	table_print(out, found);
	return true;
}

/* As a whole, so that a terminal does not flicker. */
static bool draw(const struct program *program, const struct found *found, bool first)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool good = out != NULL && print(program, out, found);

	good = (out == NULL || fclose(out) == 0) && good;
	if (good)
		screen_draw(stdout, text, first);
	else
		say_error("Out of memory.");
	free(text);
	return good;
}

static bool show(const struct program *program, bool first)
{
	bool drawn = program->watch_s > 0 && !program->json && screen_is(stdout);
	struct found found;
	bool good = inquiry_list(program->socket, &program->choice, &found);

	if (good) {
		order_sort(program->order, &found);
		good = drawn ? draw(program, &found, first) : print(program, stdout, &found);
	}
	found_clear(&found);
	if (good && fflush(stdout) != 0) {
		say_error("Standard output cannot be written.");
		return false;
	}
	return good;
}

static bool watch(const struct program *program)
{
	bool good = show(program, true);

	while (good && program->watch_s > 0) {
		sleep(program->watch_s);
		good = show(program, false);
	}
	return good;
}

/* ---- Closing ----------------------------------------------------------------------------- */

static bool close_one(const struct program *program)
{
	enum inquiry_end end = inquiry_close(program->socket, program->worker, program->client);

	if (end == INQUIRY_UNKNOWN)
		say_error("There is no client %u.%u.", program->worker, program->client);
	return end == INQUIRY_CLOSED;
}

/* Some may have gone by themselves meanwhile. */
static bool close_all(const struct program *program, const struct found *found)
{
	enum inquiry_end end = INQUIRY_CLOSED;
	size_t i;

	for (i = 0; i < found->count && end != INQUIRY_FAILED; i++) {
		uint64_t number = found->clients[i].facts.number;

		if (number <= UINT32_MAX)
			end = inquiry_close(program->socket, found->clients[i].worker,
					    (unsigned int)number);
	}
	return end != INQUIRY_FAILED;
}

static bool close_choice(const struct program *program)
{
	struct found found;
	bool good = inquiry_list(program->socket, &program->choice, &found);

	if (good && found.count == 0)
		say_error("There is no such client.");
	good = good && found.count > 0 && close_all(program, &found);
	found_clear(&found);
	return good;
}

/* ---- The program ------------------------------------------------------------------------- */

static bool act(const struct program *program)
{
	if (program->restarts)
		return inquiry_restart(program->socket);
	switch (program->closes) {
	case CLOSE_ONE:
		return close_one(program);
	case CLOSE_CHOICE:
		return close_choice(program);
	default:
		return watch(program);
	}
}

static void print_help(void)
{
	fputs(help, stdout);
}

int main(int argc, char **argv)
{
	struct about about = {"mquic-status", print_help, false};
	struct program program = {.socket = DEFAULT_SOCKET, .order = order_find("client")};
	bool good;

	standard_files_hold();
	say_set_program(about.program);
	good = parse_options(&program, &about, argc, argv) && act(&program);
	return good || about.asked ? 0 : 1;
}
