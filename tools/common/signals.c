/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include <signal.h>

/* A handler gets no pointer of ours, so the one endpoint of the program is known here. */
static struct mquic_endpoint *woken;
static volatile sig_atomic_t seen;

static void on_signal(int number)
{
	(void)number;
	seen = seen + 1;
	mquic_endpoint_wakeup(woken);
}

void signals_catch(struct mquic_endpoint *endpoint)
{
	struct sigaction action = {.sa_handler = on_signal};

	woken = endpoint;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN; /* a closed pipe shows as an error of write() */
	sigaction(SIGPIPE, &action, NULL);
}

void signals_release(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

unsigned int signals_count(void)
{
	return (unsigned int)seen;
}
