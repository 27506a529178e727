/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include <signal.h>
#include <stddef.h>

/* What ends a program by default and tells of no fault of its own. */
static const struct {
	int number;
	bool always; /* caught even if the program was started with it ignored */
} endings[] = {
	/*
	 * A shell ignores these two for what it starts in the background; whoever sends one to
	 * such a process means it.
	 */
	{SIGINT, true},
	{SIGQUIT, true},
	{SIGTERM, false},
	/* Ignored by nohup. */
	{SIGHUP, false},
	{SIGALRM, false},
	{SIGUSR1, false},
	{SIGUSR2, false},
	{SIGVTALRM, false},
	{SIGPROF, false},
	{SIGXCPU, false},
#ifdef SIGPWR
	{SIGPWR, false},
#endif
};

#define ENDINGS (sizeof(endings) / sizeof(*endings))

/* A handler gets no pointer of ours, so the one endpoint of the program is known here. */
static struct mquic_endpoint *woken;
static volatile sig_atomic_t seen;

static void on_signal(int number)
{
	(void)number;
	seen = seen + 1;
	mquic_endpoint_wakeup(woken);
}

static void catch (int number, bool always)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct sigaction old;

	sigaction(number, NULL, &old);
	if (always || old.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

void signals_catch(struct mquic_endpoint *endpoint)
{
	woken = endpoint;
	for (size_t i = 0; i < ENDINGS; i++)
		catch (endings[i].number, endings[i].always);
	signal(SIGPIPE, SIG_IGN); /* a closed pipe shows as an error of write() */
}

static void release(int number)
{
	struct sigaction now;

	sigaction(number, NULL, &now);
	if (now.sa_handler == on_signal)
		signal(number, SIG_DFL);
}

void signals_release(void)
{
	for (size_t i = 0; i < ENDINGS; i++)
		release(endings[i].number);
}

unsigned int signals_count(void)
{
	return (unsigned int)seen;
}
