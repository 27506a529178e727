/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keeper.h"
#include "service.h"
#include "../server/worker.h"

/* How long the main thread waits for the end of the other one. */
#define JOIN_S 2

struct service {
	struct keeper keeper;
	struct worker *worker;
	pthread_t thread;
	bool started;
};

/* ---- What it listens on ------------------------------------------------------- */

/* Names the option that libmquic's sentence is about: that of a file, or else this address. */
static void name_option(const struct options *options, const char *listen, const char *sentence,
			char *error)
{
	const char *file = options_find_file(options, sentence);

	if (file != NULL)
		snprintf(error, OPTIONS_ERROR_SIZE, "plugin_opt_%s: %s", file, sentence);
	else
		snprintf(error, OPTIONS_ERROR_SIZE, "plugin_opt_listen %s: %s", listen, sentence);
}

static bool listen_on(struct service *service, const struct hostport *listen,
		      const struct mquic_settings *settings, char *error)
{
	char text[HOSTPORT_TEXT_SIZE];

	if (worker_listen(service->worker, settings, listen))
		return true;
	hostport_text(listen, text);
	name_option(service->keeper.options, text, worker_error(service->worker), error);
	return false;
}

static bool listen_on_all(struct service *service, char *error)
{
	const struct options *options = service->keeper.options;
	struct mquic_settings *settings = NULL;
	bool good;
	size_t i;

	snprintf(error, OPTIONS_ERROR_SIZE, "out of memory");
	if (options->reset_key_file == NULL)
		log_push(service->keeper.log, MQUIC_LOG_WARNING,
			 "mquic: the broker's user may not read " OPTIONS_RESET_KEY
			 ": after a restart clients will not be told that their connections are "
			 "gone; change its owner, or name another with plugin_opt_reset_key_file");
	good = mquic_settings_new(&settings) == MQUIC_OK && options_apply(options, settings, error);
	for (i = 0; good && i < options->listen_count; i++)
		good = listen_on(service, &options->listen[i], settings, error);
	mquic_settings_free(settings);
	return good;
}

/* ---- Life ---------------------------------------------------------------------- */

static struct worker *make_worker(const struct keeper *keeper)
{
	const struct client_settings settings = {
		.connect_timeout_ms = (uint64_t)keeper->options->connect_timeout_s * 1000,
		.connect_max = HANDOFF_CONNECT_MAX,
		.memory_limit = keeper->options->memory_limit,
		.memory_reached = "plugin_opt_memory_limit is reached",
		.proxy_header = keeper->options->proxy_protocol,
	};

	return worker_new(&keeper->door, &settings);
}

struct service *service_new(const struct options *options, struct identities *identities,
			    struct log_ring *log, int highest_fd, char error[OPTIONS_ERROR_SIZE])
{
	struct service *service = calloc(1, sizeof(*service));

	snprintf(error, OPTIONS_ERROR_SIZE, "no memory or descriptor for the endpoint");
	if (service == NULL)
		return NULL;
	service->keeper.options = options;
	service->keeper.identities = identities;
	service->keeper.log = log;
	service->keeper.highest_fd = highest_fd;
	keeper_init(&service->keeper);
	service->worker = make_worker(&service->keeper);
	if (service->worker == NULL || !listen_on_all(service, error)) {
		service_free(service);
		return NULL;
	}
	worker_say_expiring(service->worker);
	return service;
}

static void *run(void *service)
{
	worker_run(((struct service *)service)->worker);
	return NULL;
}

bool service_start(struct service *service, const struct handoff_terms *terms)
{
	sigset_t all, before;

	service->keeper.terms = *terms;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	service->started = pthread_create(&service->thread, NULL, run, service) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (service->started)
		pthread_setname_np(service->thread, "mquic");
	return service->started;
}

bool service_was_bypassed(const struct service *service)
{
	return keeper_was_bypassed(&service->keeper);
}

void service_reload(struct service *service)
{
	worker_reload(service->worker);
}

void service_tell_expiring(struct service *service)
{
	worker_tell_expiring(service->worker);
}

bool service_stop(struct service *service)
{
	struct timespec until;

	if (!service->started)
		return true;
	worker_stop(service->worker);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += JOIN_S;
	if (pthread_timedjoin_np(service->thread, NULL, &until) != 0)
		return false;
	service->started = false;
	return true;
}

void service_free(struct service *service)
{
	if (service == NULL)
		return;
	worker_free(service->worker);
	free(service);
}
