/* SPDX-License-Identifier: MIT */
#include "core/resolve.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum resolve_state {
	RESOLVE_WAITING,
	RESOLVE_RUNNING,
	RESOLVE_DONE,
	RESOLVE_ABANDONED
};

/*
 * Shared with the helper thread, and by nothing but `state`: the answer is the thread's until it
 * says DONE, what stands above `state` is the owner's.
 */
struct resolve_job {
	struct list link;
	struct lookup *lookup; /* NULL: nobody wants to know any more */
	pthread_t thread;
	bool has_thread;
	_Atomic(enum resolve_state) state;
	struct loop *loop; /* for as long as nobody has said ABANDONED */
	int (*find)(struct addresses *found, const char *host, uint16_t port);
	struct resolve_answer answer;
	uint16_t port;
	const char *other; /* behind the first name; NULL: none */
	char host[];
};

static bool is_unknown(int code)
{
#ifdef EAI_NODATA
	if (code == EAI_NODATA)
		return true;
#endif
	return code == EAI_NONAME;
}

static void look(struct resolve_job *job)
{
	struct resolve_answer *answer = &job->answer;

	answer->code = job->find(&answer->found, job->host, job->port);
	answer->system = errno;
	if (job->other == NULL || !is_unknown(answer->code))
		return;
	/* If that is not known either, the name that was asked for is what people should read of. */
	if (job->find(&answer->found, job->other, job->port) == 0)
		answer->code = 0;
}

void resolve_job_run(struct resolve_job *job)
{
	look(job);
	if (atomic_exchange(&job->state, RESOLVE_DONE) == RESOLVE_ABANDONED)
		free(job);
	else
		loop_wakeup(job->loop); /* who collects waits for the end of this thread */
}

static void *help(void *argument)
{
	(void)pthread_setname_np(pthread_self(), "mquic-resolve");
	resolve_job_run(argument);
	return NULL;
}

static int begin_thread(struct resolver *resolver, struct resolve_job *job)
{
	sigset_t all;
	sigset_t before;
	int code;

	(void)resolver;
	/* A thread inherits what is blocked: signals are for the threads of the program. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&job->thread, NULL, help, job);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	job->has_thread = code == 0;
	return code;
}

static void begin(struct resolver *resolver, struct resolve_job *job)
{
	int code;

	job->loop = resolver->loop;
	job->find = resolver->find;
	atomic_store(&job->state, RESOLVE_RUNNING);
	resolver->running++;
	code = resolver->begin(resolver, job);
	if (code == 0)
		return;
	job->answer =
		(struct resolve_answer){.code = EAI_SYSTEM, .system = code, .no_thread = true};
	atomic_store(&job->state, RESOLVE_DONE);
	loop_wakeup(resolver->loop);
}

static void begin_waiting(struct resolver *resolver)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &resolver->jobs) {
		struct resolve_job *job = list_entry(node, struct resolve_job, link);

		if (resolver->running == RESOLVE_THREADS)
			return;
		if (atomic_load(&job->state) == RESOLVE_WAITING)
			begin(resolver, job);
	}
}

/* Its thread is at its last instructions, if it has not ended. */
static void bury(struct resolve_job *job)
{
	if (job->has_thread)
		(void)pthread_join(job->thread, NULL);
	free(job);
}

static void tell(struct resolve_job *job)
{
	struct lookup *lookup = job->lookup;

	if (lookup == NULL)
		return;
	lookup->job = NULL;
	lookup->done(lookup, &job->answer);
}

/* Takes what is done out of the way of what done() may do to the list. */
static void gather(struct resolver *resolver, struct list *done)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &resolver->jobs) {
		struct resolve_job *job = list_entry(node, struct resolve_job, link);

		if (atomic_load(&job->state) != RESOLVE_DONE)
			continue;
		list_remove(&job->link);
		list_append(done, &job->link);
		resolver->running--;
	}
}

void resolver_collect(struct resolver *resolver)
{
	struct list done;
	struct list *node;

	if (resolver->running == 0)
		return;
	list_init(&done);
	gather(resolver, &done);
	while ((node = list_take_first(&done)) != NULL) {
		struct resolve_job *job = list_entry(node, struct resolve_job, link);

		tell(job);
		bury(job);
	}
	begin_waiting(resolver);
}

void resolver_init(struct resolver *resolver, struct loop *loop)
{
	resolver->loop = loop;
	resolver->running = 0;
	resolver->find = address_find;
	resolver->begin = begin_thread;
	list_init(&resolver->jobs);
}

/* A program that unloads the library must not pull it from under the feet of a thread. */
static void stay_loaded(void)
{
	static const char here;
	Dl_info library;

	if (dladdr(&here, &library) != 0)
		(void)dlopen(library.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

/* In a child of fork() there is no thread that would want the job, and none to wait for. */
static void let_go(struct resolve_job *job, bool forked)
{
	pthread_t thread = job->thread;
	bool has_thread = job->has_thread;

	if (forked || atomic_load(&job->state) == RESOLVE_WAITING) {
		free(job);
		return;
	}
	if (atomic_exchange(&job->state, RESOLVE_ABANDONED) == RESOLVE_DONE) {
		bury(job);
		return;
	}
	/* From here on the job is its thread's. */
	if (!has_thread)
		return;
	stay_loaded();
	(void)pthread_detach(thread);
}

void resolver_fini(struct resolver *resolver)
{
	bool forked = loop_is_forked(resolver->loop);
	struct list *node;

	while ((node = list_take_first(&resolver->jobs)) != NULL) {
		struct resolve_job *job = list_entry(node, struct resolve_job, link);

		if (job->lookup != NULL)
			job->lookup->job = NULL;
		let_go(job, forked);
	}
	resolver->running = 0;
}

static struct resolve_job *new_job(const char *host, const char *other, uint16_t port)
{
	size_t host_size = strlen(host) + 1;
	size_t other_size = other == NULL ? 0 : strlen(other) + 1;
	struct resolve_job *job = calloc(1, sizeof(*job) + host_size + other_size);

	if (job == NULL)
		return NULL;
	atomic_init(&job->state, RESOLVE_WAITING);
	job->port = port;
	memcpy(job->host, host, host_size);
	if (other != NULL)
		job->other = memcpy(job->host + host_size, other, other_size);
	return job;
}

bool lookup_start(struct lookup *lookup, struct resolver *resolver, const char *host,
		  const char *other, uint16_t port)
{
	struct resolve_job *job = new_job(host, other, port);

	if (job == NULL)
		return false;
	job->lookup = lookup;
	lookup->job = job;
	list_append(&resolver->jobs, &job->link);
	begin_waiting(resolver);
	return true;
}

void lookup_cancel(struct lookup *lookup)
{
	struct resolve_job *job = lookup->job;

	if (job == NULL)
		return;
	lookup->job = NULL;
	job->lookup = NULL;
	if (atomic_load(&job->state) != RESOLVE_WAITING)
		return; /* its thread goes on, and counts until it ends */
	list_remove(&job->link);
	free(job);
}

enum mquic_status resolve_explain(const struct resolve_answer *answer, const char *host,
				  struct error *error)
{
	if (answer->no_thread)
		return error_set_system(error, answer->system,
					"no thread can be started to look up host '%s'; raise the "
					"limit on processes and threads, or give a numeric address",
					host);
	if (answer->code == EAI_SYSTEM)
		return error_set_system(error, answer->system, "looking up host '%s'", host);
	if (answer->code == EAI_MEMORY)
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory for looking up host '%s'",
				 host);
	if (answer->code == EAI_AGAIN)
		return error_set(error, MQUIC_ERR_RESOLVE,
				 "host '%s' cannot be looked up now: %s; is this machine's network "
				 "up, and does its DNS server answer?",
				 host, gai_strerror(answer->code));
	if (answer->code != 0)
		return error_set(error, MQUIC_ERR_RESOLVE,
				 "host '%s' cannot be found: %s; check how it is written, or give "
				 "its address",
				 host, gai_strerror(answer->code));
	return error_set(error, MQUIC_ERR_RESOLVE, "host '%s' has no IP address", host);
}
