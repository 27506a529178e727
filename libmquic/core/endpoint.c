/* SPDX-License-Identifier: MIT */
#include "core/endpoint.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/fork.h"

/* Tasks may schedule tasks (session to connection); more rounds wait for the next turn. */
#define TASK_ROUNDS 4

#define NS_PER_SECOND 1000000000U

struct mquic_endpoint {
	struct error error;
	struct log log;
	void *userdata;

	struct loop loop;
	struct resolver resolver;
	struct timers timers;
	struct event_queue events;
	struct list tasks;
	struct list task_marker; /* bounds a round: what is scheduled meanwhile stands behind it */
	uint64_t now_ns;
	uint64_t turns;                    /* so far, this one included */
	bool processing;                   /* now_ns is the time of this turn */
	uint64_t (*clock)(void *argument); /* CLOCK_MONOTONIC but in simulations */
	void *clock_argument;
	struct list children[ENDPOINT_FLOORS]; /* of struct endpoint_child */
};

static uint64_t monotonic_ns(void *argument)
{
	struct timespec now;

	(void)argument;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

enum mquic_status mquic_endpoint_new(struct mquic_endpoint **endpoint)
{
	struct mquic_endpoint *made;
	int floor;

	if (endpoint == NULL)
		return MQUIC_ERR_INVALID;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	if (loop_init(&made->loop) != 0) {
		free(made);
		return MQUIC_ERR_SYSTEM;
	}
	made->clock = monotonic_ns;
	resolver_init(&made->resolver, &made->loop);
	timers_init(&made->timers);
	event_queue_init(&made->events);
	list_init(&made->tasks);
	for (floor = 0; floor < ENDPOINT_FLOORS; floor++)
		list_init(&made->children[floor]);
	*endpoint = made;
	return MQUIC_OK;
}

static void orphan_all(struct list *children)
{
	struct list *node;

	while ((node = list_take_first(children)) != NULL) {
		struct endpoint_child *child = list_entry(node, struct endpoint_child, link);

		child->orphan(child);
	}
}

void mquic_endpoint_free(struct mquic_endpoint *endpoint)
{
	struct mquic_event *event;
	int floor;

	if (endpoint == NULL || endpoint_is_torn(endpoint))
		return;
	for (floor = ENDPOINT_FLOORS; floor-- > 0;)
		orphan_all(&endpoint->children[floor]);
	while ((event = event_queue_pop(&endpoint->events)) != NULL)
		mquic_event_free(event);
	timers_fini(&endpoint->timers);
	resolver_fini(&endpoint->resolver);
	loop_fini(&endpoint->loop);
	free(endpoint);
}

void endpoint_adopt(struct mquic_endpoint *endpoint, enum endpoint_floor floor,
		    struct endpoint_child *child)
{
	list_append(&endpoint->children[floor], &child->link);
}

struct endpoint_child *endpoint_child(const struct mquic_endpoint *endpoint,
				      enum endpoint_floor floor,
				      void (*orphan)(struct endpoint_child *child))
{
	const struct list *children = &endpoint->children[floor];
	struct list *node;

	for (node = children->next; node != children; node = node->next) {
		struct endpoint_child *child = list_entry(node, struct endpoint_child, link);

		if (child->orphan == orphan)
			return child;
	}
	return NULL;
}

enum mquic_status endpoint_check_fork(const struct mquic_endpoint *endpoint, struct error *error)
{
	if (!loop_is_forked(&endpoint->loop))
		return MQUIC_OK;
	return error_set(error, MQUIC_ERR_FORKED, "%s", FORK_SENTENCE);
}

bool endpoint_is_torn(const struct mquic_endpoint *endpoint)
{
	return endpoint->processing && loop_is_forked(&endpoint->loop);
}

struct timers *endpoint_timers(struct mquic_endpoint *endpoint)
{
	return &endpoint->timers;
}

struct event_queue *endpoint_events(struct mquic_endpoint *endpoint)
{
	return &endpoint->events;
}

struct loop *endpoint_loop(struct mquic_endpoint *endpoint)
{
	return &endpoint->loop;
}

struct resolver *endpoint_resolver(struct mquic_endpoint *endpoint)
{
	return &endpoint->resolver;
}

struct log *endpoint_log(struct mquic_endpoint *endpoint)
{
	return &endpoint->log;
}

struct error *endpoint_error(struct mquic_endpoint *endpoint)
{
	return &endpoint->error;
}

uint64_t endpoint_now(struct mquic_endpoint *endpoint)
{
	uint64_t now_ns;

	if (endpoint->processing)
		return endpoint->now_ns;
	now_ns = endpoint->clock(endpoint->clock_argument);
	if (now_ns > endpoint->now_ns)
		endpoint->now_ns = now_ns;
	return endpoint->now_ns;
}

void endpoint_schedule(struct mquic_endpoint *endpoint, struct task *task)
{
	if (list_is_linked(&task->link))
		return;
	list_append(&endpoint->tasks, &task->link);
	if (!endpoint->processing)
		loop_arm(&endpoint->loop, 0);
}

void endpoint_push(struct mquic_endpoint *endpoint, struct mquic_event *event)
{
	event_queue_push(&endpoint->events, event);
	if (!endpoint->processing)
		loop_arm(&endpoint->loop, 0);
}

static void run_tasks(struct mquic_endpoint *endpoint)
{
	int round;

	for (round = 0; round < TASK_ROUNDS && !list_is_empty(&endpoint->tasks); round++) {
		struct list *node;

		list_append(&endpoint->tasks, &endpoint->task_marker);
		while ((node = list_take_first(&endpoint->tasks)) != &endpoint->task_marker) {
			struct task *task = list_entry(node, struct task, link);

			task->run(task);
		}
	}
}

uint64_t endpoint_turn_number(const struct mquic_endpoint *endpoint)
{
	return endpoint->turns;
}

static void begin(struct mquic_endpoint *endpoint)
{
	endpoint->processing = false;
	(void)endpoint_now(endpoint);
	endpoint->processing = true;
}

uint64_t endpoint_deadline(const struct mquic_endpoint *endpoint)
{
	bool pending = !list_is_empty(&endpoint->events.events) || !list_is_empty(&endpoint->tasks);

	return pending ? 0 : timers_next(&endpoint->timers);
}

/* Readable at once while anything waits, else at the next deadline. */
static void end(struct mquic_endpoint *endpoint)
{
	endpoint->processing = false;
	loop_arm(&endpoint->loop, endpoint_deadline(endpoint));
}

void endpoint_set_clock(struct mquic_endpoint *endpoint, uint64_t (*clock)(void *argument),
			void *argument)
{
	endpoint->clock = clock;
	endpoint->clock_argument = argument;
}

void endpoint_turn(struct mquic_endpoint *endpoint)
{
	begin(endpoint);
	endpoint->turns++;
	resolver_collect(&endpoint->resolver);
	timers_run(&endpoint->timers, endpoint->now_ns);
	run_tasks(endpoint);
	end(endpoint);
}

enum mquic_status mquic_endpoint_process(struct mquic_endpoint *endpoint)
{
	int code;

	if (endpoint == NULL)
		return MQUIC_ERR_INVALID;
	if (endpoint_check_fork(endpoint, &endpoint->error) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	begin(endpoint);
	endpoint->turns++;
	code = loop_dispatch(&endpoint->loop);
	resolver_collect(&endpoint->resolver);
	timers_run(&endpoint->timers, endpoint->now_ns);
	run_tasks(endpoint);
	end(endpoint);
	return code == 0 ? MQUIC_OK
			 : error_set_system(&endpoint->error, code, "polling the endpoint");
}

enum mquic_status mquic_endpoint_wait(struct mquic_endpoint *endpoint, int timeout_ms)
{
	struct pollfd fd;
	int count;

	if (endpoint == NULL)
		return MQUIC_ERR_INVALID;
	if (endpoint_check_fork(endpoint, &endpoint->error) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	fd = (struct pollfd){.fd = endpoint->loop.epoll_fd, .events = POLLIN};
	count = poll(&fd, 1, timeout_ms);
	if (count < 0 && errno == EINTR)
		return error_say(&endpoint->error, MQUIC_ERR_AGAIN,
				 "a signal came while waiting: wait again");
	if (count < 0)
		return error_set_system(&endpoint->error, errno, "waiting for the endpoint");
	if (count == 0)
		return error_say(&endpoint->error, MQUIC_ERR_TIMEOUT, "nothing was due in time");
	return mquic_endpoint_process(endpoint);
}

void mquic_endpoint_wakeup(struct mquic_endpoint *endpoint)
{
	if (endpoint != NULL)
		loop_wakeup(&endpoint->loop);
}

struct mquic_event *mquic_endpoint_next_event(struct mquic_endpoint *endpoint)
{
	struct mquic_event *event;

	if (endpoint == NULL || endpoint_check_fork(endpoint, &endpoint->error) != MQUIC_OK)
		return NULL;
	event = event_queue_pop(&endpoint->events);
	if (event != NULL)
		return event;
	/* The caller has dealt with everything: what it sent meanwhile leaves now, together. */
	begin(endpoint);
	run_tasks(endpoint);
	end(endpoint);
	return event_queue_pop(&endpoint->events);
}

const char *mquic_endpoint_error(const struct mquic_endpoint *endpoint)
{
	return endpoint == NULL ? "no endpoint was given" : endpoint->error.text;
}

void mquic_endpoint_set_log(struct mquic_endpoint *endpoint, mquic_log_sink sink,
			    enum mquic_log_level level, void *userdata)
{
	if (endpoint == NULL)
		return;
	endpoint->log.sink = sink;
	endpoint->log.level = level;
	endpoint->log.userdata = userdata;
}

void mquic_endpoint_set_userdata(struct mquic_endpoint *endpoint, void *userdata)
{
	if (endpoint != NULL)
		endpoint->userdata = userdata;
}

void *mquic_endpoint_get_userdata(const struct mquic_endpoint *endpoint)
{
	return endpoint == NULL ? NULL : endpoint->userdata;
}

int mquic_endpoint_get_fd(const struct mquic_endpoint *endpoint)
{
	return endpoint == NULL || loop_is_forked(&endpoint->loop) ? -1 : endpoint->loop.epoll_fd;
}
