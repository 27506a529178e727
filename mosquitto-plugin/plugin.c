/* SPDX-License-Identifier: MIT */
/* The broker's entry points, and the events it calls us for. README.md tells the story. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker.h"
#include "control.h"
#include "identity.h"
#include "listeners.h"
#include "log.h"
#include "login.h"
#include "metrics.h"
#include "neighbours.h"
#include "page.h"
#include "../gateway/options.h"
#include "../server/clock.h"
#include "../server/descriptors.h"
#include "workers.h"

#define PLUGIN_VERSION 5

/* As many clients as libmquic takes by default, if there are descriptors for them. */
#define DEFAULT_CONNECTIONS 10000

#define DAY_MS UINT64_C(86400000)

struct plugin {
	mosquitto_plugin_id_t *id;
	struct broker broker;
	struct options options;
	struct identities *identities;
	struct listeners listeners;
	struct login login;
	struct workers *workers;
	struct metrics metrics;
	struct control control;
	struct page page;
	struct option_line *lines; /* of the configuration, which the broker keeps */
	int line_count;
	bool looked_around;    /* at the first TICK, when all plugins are loaded */
	bool out_of_place;     /* the dynamic security plugin is asked before us */
	bool is_last;          /* on_unclaimed_auth() stands behind everybody else */
	uint64_t next_told_ms; /* when certificates that end are spoken of again */
};

/* The broker calls init for each "plugin" line, on the one copy of this file it has loaded. */
static bool loaded;

/* ---- Events -------------------------------------------------------------- */

/* There is nobody to be served any more. */
static void stop_serving(struct plugin *plugin)
{
	control_end(&plugin->control);
	page_end(&plugin->page);
	workers_stop(plugin->workers);
	workers_free(plugin->workers);
	plugin->workers = NULL;
	plugin->login.workers = NULL;
}

static void serve(struct plugin *plugin)
{
	if (plugin->out_of_place)
		listeners_refuse_all(
			&plugin->listeners,
			"the dynamic security plugin is asked before this one, about "
			"tokens in place of users: let this plugin's lines be read first, "
			"from /etc/mosquitto/conf.d/00-mquic.conf for example");
	else
		listeners_tick(&plugin->listeners, plugin->workers);
	if (listeners_are_over(&plugin->listeners))
		stop_serving(plugin);
}

/* What ends while the broker runs for months is told every day until somebody mends it. */
static void tell_daily(struct plugin *plugin)
{
	uint64_t now_ms = clock_ms();

	if (plugin->next_told_ms == 0)
		plugin->next_told_ms = now_ms + DAY_MS;
	if (now_ms < plugin->next_told_ms)
		return;
	plugin->next_told_ms = now_ms + DAY_MS;
	workers_tell_expiring(plugin->workers);
}

/* ---- The end of the chain, with 2.0 ------------------------------------------ */

static int on_unclaimed_auth(int event, void *data, void *userdata)
{
	const struct mosquitto_evt_basic_auth *auth = data;
	const struct plugin *plugin = userdata;

	(void)event;
	return login_unclaimed(&plugin->login, auth->username);
}

/* Behind the password file, too, which the broker puts at the end anew at each RELOAD. */
static void stand_last(struct plugin *plugin)
{
	if (plugin->is_last || broker_is_2_1(&plugin->broker))
		return;
	mosquitto_callback_unregister(plugin->id, MOSQ_EVT_BASIC_AUTH, on_unclaimed_auth, NULL);
	plugin->is_last =
		mosquitto_callback_register(plugin->id, MOSQ_EVT_BASIC_AUTH, on_unclaimed_auth,
					    NULL, plugin) == MOSQ_ERR_SUCCESS;
}

/*
 * Another plugin may pass on a login that without us would be refused for that: then the broker is
 * not open, whatever allow_anonymous says.
 */
static void look_around(struct plugin *plugin)
{
	char name[64];

	plugin->looked_around = true;
	if (!broker_is_2_1(&plugin->broker) && !neighbours_find(name, sizeof(name)))
		listeners_may_be_open(&plugin->listeners);
}

/*
 * RELOAD may have closed the broker. It checked its clients before that could be known, so it is
 * made to check them once more.
 */
static void ask_again(struct plugin *plugin)
{
	if (listeners_ask_again(&plugin->listeners))
		kill(getpid(), SIGHUP);
}

/* ---- More events ------------------------------------------------------------ */

/*
 * Comes in each round of the broker's loop, before (2.1) or after (2.0) clients are served; so
 * it closes the window that RELOAD opens before anybody can slip through. It must stay like
 * that: 2.1 skips rounds for a plugin that asks for a later tick (next_ms).
 */
static int on_tick(int event, void *data, void *userdata)
{
	struct plugin *plugin = userdata;

	(void)event;
	(void)data;
	plugin->login.reloading = false;
	stand_last(plugin);
	if (!plugin->looked_around)
		look_around(plugin);
	if (plugin->workers != NULL) {
		workers_tick(plugin->workers);
		serve(plugin);
	}
	if (listeners_serve(&plugin->listeners)) {
		ask_again(plugin);
		tell_daily(plugin);
		metrics_tick(&plugin->metrics, plugin->workers);
		control_tick(&plugin->control, plugin->workers);
		page_tick(&plugin->page, &plugin->metrics, plugin->workers);
	}
	return MOSQ_ERR_SUCCESS;
}

/* SIGHUP. The options cannot change, but the files they name can. */
static int on_reload(int event, void *data, void *userdata)
{
	struct plugin *plugin = userdata;

	(void)event;
	(void)data;
	/* Before, there is no client of ours to be asked about again. */
	plugin->login.reloading = listeners_serve(&plugin->listeners);
	plugin->is_last = false;
	listeners_reload(&plugin->listeners);
	if (plugin->login.reloading) {
		/* Those that are gone must not be taken for whoever has their place by now. */
		workers_read(plugin->workers);
		workers_reload(plugin->workers);
	}
	return broker_reloaded(&plugin->broker);
}

static int on_basic_auth(int event, void *data, void *userdata)
{
	struct mosquitto_evt_basic_auth *auth = data;
	struct plugin *plugin = userdata;

	(void)event;
	if (plugin->login.reloading)
		stand_last(plugin);
	return login_basic(&plugin->login, auth->client, auth->username);
}

static int on_extended_auth(int event, void *data, void *userdata)
{
	struct mosquitto_evt_extended_auth *auth = data;
	struct plugin *plugin = userdata;

	(void)event;
	return login_extended(&plugin->login, auth->client);
}

/* DISCONNECT, and CLIENT_OFFLINE of 2.1, whose data starts in the same way. */
static int on_gone(int event, void *data, void *userdata)
{
	struct mosquitto_evt_disconnect *gone = data;
	struct plugin *plugin = userdata;

	(void)event;
	login_gone(&plugin->login, gone->client);
	return MOSQ_ERR_SUCCESS;
}

static const struct {
	int event;
	MOSQ_FUNC_generic_callback callback;
	bool only_2_1;
} events[] = {
	{MOSQ_EVT_TICK, on_tick, false},
	{MOSQ_EVT_RELOAD, on_reload, false},
	{MOSQ_EVT_BASIC_AUTH, on_basic_auth, false},
	{MOSQ_EVT_EXT_AUTH_START, on_extended_auth, false},
	{MOSQ_EVT_DISCONNECT, on_gone, false},
	{BROKER_EVENT_CLIENT_OFFLINE, on_gone, true},
};

#define EVENT_COUNT (sizeof(events) / sizeof(events[0]))

static void unregister_events(struct plugin *plugin)
{
	size_t i;

	for (i = 0; i < EVENT_COUNT; i++)
		if (!events[i].only_2_1 || broker_is_2_1(&plugin->broker))
			mosquitto_callback_unregister(plugin->id, events[i].event,
						      events[i].callback, NULL);
	if (!broker_is_2_1(&plugin->broker))
		mosquitto_callback_unregister(plugin->id, MOSQ_EVT_BASIC_AUTH, on_unclaimed_auth,
					      NULL);
}

static bool register_events(struct plugin *plugin)
{
	size_t i;

	for (i = 0; i < EVENT_COUNT; i++)
		if ((!events[i].only_2_1 || broker_is_2_1(&plugin->broker)) &&
		    mosquitto_callback_register(plugin->id, events[i].event, events[i].callback,
						NULL, plugin) != MOSQ_ERR_SUCCESS) {
			unregister_events(plugin);
			return false;
		}
	return true;
}

/* ---- Life ---------------------------------------------------------------- */

/* Each listener gets its part of those that there are. */
static void share_places(struct listener_options *listener, uint32_t most, uint64_t wanted)
{
	uint64_t part = (uint64_t)listener->max_connections * most / wanted;

	listener->max_connections = part > 0 ? (uint32_t)part : 1;
}

/*
 * One descriptor per client, here and in the worker: what is left must do for the broker, or it
 * spins for want of one.
 */
static void limit_clients(struct options *options)
{
	uint64_t files = descriptors_raise_files();
	uint32_t most = descriptors_clients(files, 1);
	uint64_t wanted = 0, named = 0;
	size_t i;

	for (i = 0; i < options->listener_count; i++) {
		uint32_t *limit = &options->listeners[i].max_connections;

		named += *limit;
		if (*limit == 0)
			*limit = DEFAULT_CONNECTIONS;
		wanted += *limit;
	}
	if (named > most)
		log_now(MQUIC_LOG_WARNING,
			"mquic: plugin_opt_max_connections %llu is more than %u file descriptors "
			"allow; %u clients are let in. Raise the broker's limit (LimitNOFILE)",
			(unsigned long long)named, (unsigned int)files, most);
	for (i = 0; i < options->listener_count && wanted > most; i++)
		share_places(&options->listeners[i], most, wanted);
}

/* Of all listeners. */
static size_t count_places(const struct options *options)
{
	size_t places = 0;
	size_t i;

	for (i = 0; i < options->listener_count; i++)
		places += options->listeners[i].max_connections;
	return places;
}

static void plugin_free(struct plugin *plugin)
{
	if (plugin == NULL)
		return;
	workers_free(plugin->workers);
	listeners_end(&plugin->listeners);
	identities_free(plugin->identities);
	control_end(&plugin->control);
	page_end(&plugin->page);
	options_clear(&plugin->options);
	free(plugin->lines);
	free(plugin);
}

/* Whether certificates say who all clients are. */
static bool names_all(const struct options *options)
{
	size_t i;

	for (i = 0; i < options->listener_count; i++)
		if (!options->listeners[i].use_identity_as_username)
			return false;
	return true;
}

/* Those before us are loaded by now. */
static void look_ahead(struct plugin *plugin)
{
	char name[64];
	bool dynamic_security = neighbours_have_dynamic_security(plugin->id);

	/* Where names come from certificates it does not need to be asked about them. */
	plugin->out_of_place = dynamic_security && !names_all(&plugin->options);
	if (!dynamic_security && neighbours_find(name, sizeof(name)))
		log_now(MQUIC_LOG_WARNING,
			"mquic: %s stands before this plugin. If it decides about logins, it sees "
			"tokens in place of user names: let this plugin's lines be read first, "
			"from /etc/mosquitto/conf.d/00-mquic.conf for example",
			name);
}

/* The broker's lines, for whoever knows no broker. */
static bool parse_options(struct plugin *plugin, const struct mosquitto_opt *given, int count,
			  char *error)
{
	int i;

	plugin->lines = calloc((size_t)count + 1, sizeof(*plugin->lines));
	if (plugin->lines == NULL)
		return false;
	plugin->line_count = count;
	for (i = 0; i < count; i++)
		plugin->lines[i] = (struct option_line){given[i].key, given[i].value};
	return options_parse(&plugin->options, plugin->lines, count, broker_is_2_1(&plugin->broker),
			     error);
}

static bool start_workers(struct plugin *plugin, char *error)
{
	const struct workers_order order = {
		.options = &plugin->options,
		.lines = plugin->lines,
		.line_count = plugin->line_count,
		.broker_2_1 = broker_is_2_1(&plugin->broker),
	};

	plugin->workers = workers_new(&order, plugin->identities, error);
	return plugin->workers != NULL;
}

/* Everything that can fail, so that the broker does not start with half a plugin. */
static bool set_up(struct plugin *plugin, const struct mosquitto_opt *given, int count, char *error)
{
	size_t each;

	snprintf(error, OPTIONS_ERROR_SIZE, "out of memory");
	if (!parse_options(plugin, given, count, error))
		return false;
	log_limit(plugin->options.log_level);
	plugin->control.path = plugin->options.control;
	limit_clients(&plugin->options);
	/* Some may be on their way out whose places others have already. */
	each = count_places(&plugin->options) / plugin->options.workers + 1;
	plugin->identities = identities_new(each * 2 + 64, plugin->options.workers);
	if (plugin->identities == NULL || !page_open(&plugin->page, &plugin->options, error) ||
	    !start_workers(plugin, error))
		return false;
	snprintf(error, OPTIONS_ERROR_SIZE, "the broker does not offer the events that are needed");
	return register_events(plugin);
}

int mosquitto_plugin_version(int supported_version_count, const int *supported_versions)
{
	int i;

	for (i = 0; i < supported_version_count; i++)
		if (supported_versions[i] == PLUGIN_VERSION)
			return PLUGIN_VERSION;
	return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
			  struct mosquitto_opt *options, int option_count)
{
	char error[OPTIONS_ERROR_SIZE] = "out of memory";
	struct plugin *plugin;

	if (loaded) {
		log_now(MQUIC_LOG_ERROR, "mquic: the plugin is loaded twice; keep one \"plugin\" "
					 "line and give it several plugin_opt_listen lines");
		return MOSQ_ERR_INVAL;
	}
	plugin = calloc(1, sizeof(*plugin));
	if (plugin != NULL) {
		plugin->id = identifier;
		listeners_init(&plugin->listeners);
		plugin->listeners.options = &plugin->options;
		control_init(&plugin->control);
		page_init(&plugin->page);
		broker_detect(&plugin->broker);
		plugin->metrics.options = &plugin->options;
		plugin->login = (struct login){
			.broker = &plugin->broker,
			.options = &plugin->options,
			.listeners = &plugin->listeners,
		};
	}
	if (plugin == NULL || !set_up(plugin, options, option_count, error)) {
		log_now(MQUIC_LOG_ERROR, "mquic: %s", error);
		plugin_free(plugin);
		return MOSQ_ERR_INVAL;
	}
	plugin->login.identities = plugin->identities;
	plugin->login.workers = plugin->workers;
	look_ahead(plugin);
	loaded = true;
	*userdata = plugin;
	return MOSQ_ERR_SUCCESS;
}

/* 2.1 calls this after a failed init, too, with NULL. */
int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int option_count)
{
	struct plugin *plugin = userdata;

	(void)options;
	(void)option_count;
	if (plugin == NULL)
		return MOSQ_ERR_SUCCESS;
	unregister_events(plugin);
	loaded = false;
	if (plugin->workers != NULL)
		workers_stop(plugin->workers);
	plugin_free(plugin);
	return MOSQ_ERR_SUCCESS;
}
