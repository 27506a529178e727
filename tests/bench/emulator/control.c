/* SPDX-License-Identifier: MIT */
/*
 * Commands, one a line; each is answered with "ok", a line of JSON, or "error: …".
 *
 *     host NAME NETNS ADDRESS     a host with a TUN device "bench0" in that namespace
 *     switch NAME                 a switch
 *     link A B                    the link "A-B"
 *     set LINK|* NAME VALUE       a parameter of link.h, for one or every link
 *     nat HOST 0|1                whether the host sits behind a NAT
 *     at MS down|up|rebind NAME   planned, counted from the first packet after a reset
 *     noplan                      forgets what was planned
 *     reset SEED                  everything up, nothing under way, counters at 0
 *     stats                       counters of every link
 *     quit
 */
#include "emulator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 5

static const char *add_host(struct emulator *emulator, char **word)
{
	int address = atoi(word[3]);
	int node;

	if (address < 1 || address > 254)
		return "a host's address is 1 to 254";
	node = net_add_node(&emulator->net, word[1], address);
	if (node < 0)
		return "too many nodes, or the name is taken";
	emulator->tuns[node] = tun_open(word[2], "bench0");
	return emulator->tuns[node] < 0 ? strerror(errno) : NULL;
}

static const char *add_switch(struct emulator *emulator, char **word)
{
	return net_add_node(&emulator->net, word[1], 0) < 0 ? "too many nodes, or the name is taken"
							    : NULL;
}

static const char *add_link(struct emulator *emulator, char **word)
{
	return net_add_link(&emulator->net, word[1], word[2]) < 0
		       ? "unknown node, or too many links"
		       : NULL;
}

static const char *set(struct emulator *emulator, char **word)
{
	bool all = strcmp(word[1], "*") == 0;
	int only = net_find_link(&emulator->net, word[1]);
	char *end;
	double value = strtod(word[3], &end);

	if (!all && only < 0)
		return "unknown link";
	if (*end != '\0')
		return "the value is no number";
	for (int i = 0; i < emulator->net.link_count; i++)
		if ((all || i == only) &&
		    !link_params_set(&emulator->net.links[i].params, word[2], value))
			return "unknown parameter, or a value that makes no sense";
	return NULL;
}

static const char *set_nat(struct emulator *emulator, char **word)
{
	int node = net_find_node(&emulator->net, word[1]);

	if (node < 0)
		return "unknown host";
	emulator->nats[node].active = strcmp(word[2], "1") == 0;
	return NULL;
}

static const char *plan(struct emulator *emulator, char **word)
{
	struct step step = {.after_ns = strtoull(word[1], NULL, 10) * 1000000};
	bool node = net_find_node(&emulator->net, word[3]) >= 0;
	int at = emulator->plan_count;

	if (at == PLAN_STEPS)
		return "the plan is full";
	if (strcmp(word[2], "down") == 0)
		step.kind = STEP_DOWN;
	else if (strcmp(word[2], "up") == 0)
		step.kind = STEP_UP;
	else if (strcmp(word[2], "rebind") == 0 && node)
		step.kind = STEP_REBIND;
	else
		return "down, up, or rebind a host";
	if (!node && net_find_link(&emulator->net, word[3]) < 0)
		return "unknown node or link";
	snprintf(step.name, sizeof(step.name), "%s", word[3]);
	for (; at > 0 && emulator->plan[at - 1].after_ns > step.after_ns; at--)
		emulator->plan[at] = emulator->plan[at - 1];
	emulator->plan[at] = step;
	emulator->plan_count++;
	return NULL;
}

static const char *forget_plan(struct emulator *emulator, char **word)
{
	(void)word;
	emulator->plan_count = 0;
	emulator->plan_done = 0;
	return NULL;
}

static const char *reset(struct emulator *emulator, char **word)
{
	emulator_reset(emulator, strtoull(word[1], NULL, 10));
	return NULL;
}

static const char *quit(struct emulator *emulator, char **word)
{
	(void)word;
	emulator->quit = true;
	return NULL;
}

static void print_half(const struct link_half *half)
{
	printf("{\"offered\":%llu,\"passed\":%llu,\"lost\":%llu,\"full\":%llu,\"down\":%llu}",
	       (unsigned long long)half->number, (unsigned long long)half->passed,
	       (unsigned long long)half->lost, (unsigned long long)half->full,
	       (unsigned long long)half->down);
}

static void print_stats(const struct emulator *emulator)
{
	printf("{\"no_route\":%llu,\"unmapped\":%llu,\"links\":{",
	       (unsigned long long)emulator->no_route, (unsigned long long)emulator->unmapped);
	for (int i = 0; i < emulator->net.link_count; i++) {
		const struct net_link *link = &emulator->net.links[i];

		printf("%s\"%s\":[", i == 0 ? "" : ",", link->name);
		print_half(&link->halves[0]);
		putchar(',');
		print_half(&link->halves[1]);
		putchar(']');
	}
	puts("}}");
}

static const struct command {
	const char *name;
	int words;
	const char *(*run)(struct emulator *emulator, char **word);
} commands[] = {
	{"host", 4, add_host},      {"switch", 2, add_switch},
	{"link", 3, add_link},      {"set", 4, set},
	{"nat", 3, set_nat},        {"at", 4, plan},
	{"noplan", 1, forget_plan}, {"reset", 2, reset},
	{"quit", 1, quit},
};

void emulator_command(struct emulator *emulator, char *line)
{
	char *word[WORDS] = {NULL};
	const char *error = "unknown command, or a wrong number of words";
	int count = 0;

	for (char *rest = line; count < WORDS; count++)
		if ((word[count] = strtok_r(rest, " \t\r\n", &rest)) == NULL)
			break;
	if (count == 1 && strcmp(word[0], "stats") == 0) {
		print_stats(emulator);
		fflush(stdout);
		return;
	}
	for (size_t i = 0; count > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(word[0], commands[i].name) == 0 && count == commands[i].words)
			error = commands[i].run(emulator, word);
	if (error != NULL)
		printf("error: %s\n", error);
	else
		puts("ok");
	fflush(stdout);
}
