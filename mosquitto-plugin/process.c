/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "log.h"
#include "process.h"
#include "../server/clock.h"

/* The first pause, and the longest one. */
#define PAUSE_MS     100
#define PAUSE_MAX_MS 60000

/* Who lived no longer has had a fault that will come again; who lived so long, none of those. */
#define SHORT_LIFE_MS 2000
#define GOOD_LIFE_MS  60000

/* Its lines in the log: so many at once, and per second after that. Ours keeps to less. */
#define LINES_AT_ONCE 256
#define LINES_PER_S   64

static const char *state_name(enum process_state state)
{
	static const char *const names[] = {
		[PROCESS_RESTING] = "RESTING", [PROCESS_STARTING] = "STARTING",
		[PROCESS_IDLE] = "IDLE",       [PROCESS_SERVING] = "SERVING",
		[PROCESS_OVER] = "OVER",
	};

	return names[state];
}

void process_init(struct process *process, unsigned int number)
{
	*process = (struct process){
		.number = number,
		.channel = -1,
		.roll = -1,
		.orphans = -1,
		.lines = {.at_once = LINES_AT_ONCE, .per_s = LINES_PER_S},
	};
}

void process_step(struct process *process, enum process_state to)
{
	log_now(MQUIC_LOG_DEBUG, "mquic: worker %u: %s → %s", process->number,
		state_name(process->state), state_name(to));
	process->state = to;
	if (to == PROCESS_SERVING)
		process->serving_ms = clock_ms();
}

bool process_tell(const struct process *process, enum channel_type type)
{
	const struct channel_message message = {.type = type, .fd = -1};

	return channel_send(process->channel, &message);
}

/* What the last one said is not this one's. */
static void forget(struct process *process)
{
	process->ended_ms = 0;
	process->pinged = false;
	process->reload_due = false;
	process->expiring_due = false;
	process->taken_told = 0;
	process->started = 0;
	process->shut = 0;
	process->count_due = false;
	process->met = false;
	process->foreign = false;
	process->ready = false;
	process->broken = false;
	process->failure[0] = '\0';
}

int process_start(struct process *process, const char *program)
{
	bool again = process->started_ms != 0;
	int ends[2];
	int code;

	forget(process);
	process->started_ms = clock_ms();
	process->pinged_ms = process->started_ms;
	if (!channel_open(ends))
		return errno;
	code = launch(program, ends[1], &process->pid);
	close(ends[1]);
	if (code != 0) {
		close(ends[0]);
		process->pid = 0;
		return code;
	}
	process->channel = ends[0];
	process->restarts += again;
	process_step(process, PROCESS_STARTING);
	return 0;
}

void process_count(const struct process *process, struct counters *counters)
{
	bool serves = process->state == PROCESS_SERVING;

	*counters = process->counters;
	counters_add(counters, &process->gone);
	counters->at[COUNTER_WORKERS] = serves;
	counters->at[COUNTER_RESTARTS] = process->restarts;
	counters->at[COUNTER_UPTIME] = serves ? (clock_ms() - process->serving_ms) / 1000 : 0;
}

void process_kill(const struct process *process)
{
	if (process->pid > 0)
		kill(process->pid, SIGKILL);
}

/* A worker serves: whoever stops it cannot have meant that nobody may be served. */
static void go_on(const struct process *process, int status)
{
	char text[32];

	launch_say_signal(WSTOPSIG(status), text, sizeof(text));
	log_now(MQUIC_LOG_WARNING, "mquic: worker %u was stopped by signal %s; it is told to go on",
		process->number, text);
	kill(process->pid, SIGCONT);
}

bool process_has_ended(struct process *process, char *text, size_t size)
{
	int status = 0;
	pid_t found = waitpid(process->pid, &status, WNOHANG | WUNTRACED);

	if (found == process->pid && WIFSTOPPED(status)) {
		go_on(process, status);
		return false;
	}
	if (found == 0 || (found < 0 && errno == EINTR))
		return false;
	/* Where the broker was told to ignore its children nobody learns how they end. */
	if (found < 0)
		snprintf(text, size, "has ended");
	else
		launch_say_end(status, text, size);
	process->pid = 0;
	if (process->channel >= 0)
		close(process->channel);
	process->channel = -1;
	return true;
}

static void tell_orphans(struct process *process)
{
	const struct channel_message message = {
		.type = CHANNEL_ORPHANS,
		.fd = process->orphans,
	};

	if (process->orphans < 0 || process->state != PROCESS_SERVING ||
	    !channel_send(process->channel, &message))
		return;
	close(process->orphans);
	process->orphans = -1;
}

void process_tell_due(struct process *process)
{
	if (process->reload_due)
		process->reload_due = !process_tell(process, CHANNEL_RELOAD);
	if (process->expiring_due)
		process->expiring_due = !process_tell(process, CHANNEL_EXPIRING);
	tell_orphans(process);
}

/* One that died before it served has no clients: then there may be those of the one before. */
void process_keep_orphans(struct process *process)
{
	if (process->orphans < 0)
		process->orphans = process->roll;
	else if (process->roll >= 0)
		close(process->roll);
	process->roll = -1;
}

void process_close_rolls(struct process *process)
{
	process_keep_orphans(process);
	if (process->orphans >= 0)
		close(process->orphans);
	process->orphans = -1;
}

/* A quarter more or less: what ends several at once must not start them at once. */
static uint64_t with_jitter(uint64_t pause_ms)
{
	uint32_t noise = 0;

	if (getrandom(&noise, sizeof(noise), GRND_NONBLOCK) != (ssize_t)sizeof(noise))
		noise = UINT32_MAX / 2;
	return pause_ms * 3 / 4 + pause_ms / 2 * noise / UINT32_MAX;
}

/* The pause before the next start, by the last one and the life that followed it. */
static uint64_t next_pause_ms(uint64_t last_ms, uint64_t lived_ms)
{
	uint64_t next_ms = lived_ms < SHORT_LIFE_MS ? last_ms * 2 : last_ms / 2;

	if (next_ms < PAUSE_MS || lived_ms >= GOOD_LIFE_MS)
		return PAUSE_MS;
	return next_ms < PAUSE_MAX_MS ? next_ms : PAUSE_MAX_MS;
}

void process_rest(struct process *process)
{
	uint64_t now_ms = clock_ms();

	process->pause_ms = next_pause_ms(process->pause_ms, now_ms - process->started_ms);
	process->again_ms = now_ms + with_jitter(process->pause_ms);
	process_step(process, PROCESS_RESTING);
}

void process_say_pause(const struct process *process, const char *end)
{
	uint64_t pause_ms = process->again_ms - clock_ms();
	const char *colon = process->failure[0] != '\0' ? ": " : "";
	/* The program was replaced, by an upgrade most likely. */
	const char *advice = process->foreign ? "; restart the broker" : "";

	log_now(MQUIC_LOG_ERROR,
		"mquic: worker %u %s%s%s%s; its clients have to connect anew, it is started again "
		"in %.1f s",
		process->number, end, colon, process->failure, advice, (double)pause_ms / 1000);
}
