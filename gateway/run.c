/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel.h"
#include "configure.h"
#include "confine.h"
#include "keeper.h"
#include "run.h"
#include "../server/descriptors.h"

struct gateway {
	struct keeper keeper;
	struct configuration given;
	struct worker *worker;
	char error[OPTIONS_ERROR_SIZE];
};

static void say(struct gateway *gateway, enum mquic_log_level level, const char *line)
{
	gateway->keeper.door.say(&gateway->keeper, level, line);
}

/* ---- What it listens on ------------------------------------------------------------- */

/* Names the option that libmquic's sentence is about: that of a file, or else this address. */
static bool fail_to_listen(struct gateway *gateway, unsigned int number,
			   const struct hostport *listen)
{
	const struct listener_options *listener = &gateway->given.options.listeners[number];
	const char *sentence = worker_error(gateway->worker, number);
	const char *file = options_find_file(&gateway->given.options, listener, sentence);
	char text[HOSTPORT_TEXT_SIZE], prefix[OPTIONS_PREFIX_SIZE];

	options_prefix(listener, prefix);
	hostport_text(listen, text);
	if (file != NULL)
		snprintf(gateway->error, sizeof(gateway->error), "%splugin_opt_%s: %s", prefix,
			 file, sentence);
	else
		snprintf(gateway->error, sizeof(gateway->error), "%splugin_opt_listen %s: %s",
			 prefix, text, sentence);
	return false;
}

static bool listen_at_addresses(struct gateway *gateway, unsigned int number,
				const struct mquic_settings *settings)
{
	const struct listener_options *listener = &gateway->given.options.listeners[number];
	size_t i;

	for (i = 0; i < listener->listen_count; i++) {
		int *fd = &gateway->given.sockets[number][i];

		if (!worker_listen(gateway->worker, number, settings, &listener->listen[i], *fd))
			return fail_to_listen(gateway, number, &listener->listen[i]);
		*fd = -1;
	}
	return true;
}

static bool listen_on(struct gateway *gateway, unsigned int number)
{
	const struct options *options = &gateway->given.options;
	struct mquic_settings *settings = NULL;
	bool good = mquic_settings_new(&settings) == MQUIC_OK &&
		    options_apply(options, &options->listeners[number], settings, gateway->error) &&
		    configuration_apply(&gateway->given, settings) &&
		    listen_at_addresses(gateway, number, settings);

	mquic_settings_free(settings);
	return good;
}

static bool add_listener(struct gateway *gateway, unsigned int number)
{
	const struct listener_options *options = &gateway->given.options.listeners[number];
	const struct client_settings settings = {
		.listener = number,
		.name = options->name[0] != '\0' ? options->name : NULL,
		.connect_timeout_ms = (uint64_t)options->connect_timeout_s * 1000,
		.connect_max = HANDOFF_CONNECT_MAX,
		.proxy_header = options->proxy_protocol,
	};

	snprintf(gateway->error, sizeof(gateway->error),
		 "no memory or descriptor for the endpoint");
	if (!worker_add(gateway->worker, &settings))
		return false;
	snprintf(gateway->error, sizeof(gateway->error), "out of memory");
	if (configuration_has_sockets(&gateway->given, number))
		return listen_on(gateway, number);
	worker_shut(gateway->worker, number);
	return true;
}

static bool listen_on_all(struct gateway *gateway)
{
	const struct options *options = &gateway->given.options;
	unsigned int i;

	if (options->reset_key_file == NULL)
		say(gateway, MQUIC_LOG_WARNING,
		    "the broker's user may not read " OPTIONS_RESET_KEY
		    ": after a restart clients will not be told that their connections are gone; "
		    "change its owner, or name another with plugin_opt_reset_key_file");
	for (i = 0; i < options->listener_count; i++)
		if (!add_listener(gateway, i))
			return false;
	return true;
}

/* ---- Life ---------------------------------------------------------------------------- */

/* Whoever can read the key can pass for this server. */
static void say_who_reads_the_key(struct gateway *gateway, const char *path)
{
	char line[CHANNEL_LINE_MAX];
	struct stat about;

	if (stat(path, &about) != 0 || (about.st_mode & S_IRWXO) == 0)
		return;
	snprintf(line, sizeof(line),
		 "any user of this machine can get at the private key %s: chmod o= %s", path, path);
	say(gateway, MQUIC_LOG_WARNING, line);
}

static void say_who_reads_the_keys(struct gateway *gateway)
{
	const struct options *options = &gateway->given.options;
	size_t i, j;

	for (i = 0; i < options->listener_count; i++)
		for (j = 0; j < options->listeners[i].keyfiles.count; j++)
			say_who_reads_the_key(gateway, options->listeners[i].keyfiles.paths[j]);
}

static bool make_worker(struct gateway *gateway)
{
	const struct options *options = &gateway->given.options;
	const struct client_limits limits = {
		.memory = options->memory_limit,
		.memory_reached = "plugin_opt_memory_limit is reached",
	};

	snprintf(gateway->error, sizeof(gateway->error), "no memory or descriptor for the worker");
	gateway->keeper.door.level = options->log_level;
	keeper_know(&gateway->keeper, options);
	gateway->worker = worker_new(&gateway->keeper.door, &limits);
	gateway->keeper.worker = gateway->worker;
	if (gateway->worker == NULL)
		return false;
	if (gateway->given.roll >= 0)
		worker_keep_roll(gateway->worker, gateway->given.roll);
	gateway->given.roll = -1;
	return true;
}

static bool set_up(struct gateway *gateway)
{
	if (!configuration_read(&gateway->given, gateway->keeper.channel, gateway->error) ||
	    !make_worker(gateway) || !listen_on_all(gateway))
		return false;
	worker_say_expiring(gateway->worker);
	say_who_reads_the_keys(gateway);
	return confine(&gateway->given, &gateway->keeper, gateway->error);
}

/* Until it may serve clients; false: it never will. */
static bool wait_for_start(struct gateway *gateway)
{
	struct pollfd watched = {.fd = gateway->keeper.channel, .events = POLLIN};

	while (!gateway->keeper.started && !worker_is_stopped(gateway->worker)) {
		if (poll(&watched, 1, -1) < 0 && errno != EINTR)
			return false;
		keeper_attend(&gateway->keeper, true);
	}
	return gateway->keeper.started;
}

static bool live(struct gateway *gateway)
{
	struct channel_message message = {.type = CHANNEL_READY, .fd = -1};

	/* Whoever does not understand this worker cannot be told why by it. */
	if (!configuration_greet(gateway->keeper.channel, gateway->error)) {
		fprintf(stderr, "mquic-gateway: %s\n", gateway->error);
		return false;
	}
	if (!set_up(gateway)) {
		message.type = CHANNEL_FAILED;
		message.text = channel_text(gateway->error);
		channel_send(gateway->keeper.channel, &message);
		return false;
	}
	channel_send(gateway->keeper.channel, &message);
	if (wait_for_start(gateway))
		worker_run(gateway->worker);
	return true;
}

bool gateway_run(int channel)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	bool good;

	if (gateway == NULL)
		return false;
	configuration_init(&gateway->given);
	gateway->keeper.channel = channel;
	/* Whoever has made the channel is who the hand-off socket must lead to. */
	gateway->keeper.broker = channel_peer(channel);
	gateway->keeper.highest_fd = descriptors_highest_fd(descriptors_raise_files());
	keeper_init(&gateway->keeper);
	good = live(gateway);
	worker_free(gateway->worker);
	keeper_end(&gateway->keeper);
	configuration_clear(&gateway->given);
	free(gateway);
	return good;
}
