/* SPDX-License-Identifier: MIT */
#include "password.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* MQTT 5.0 3.1.3.6: what a password can be. */
#define LONGEST 65535

static char *fail(const char *where, const char *why)
{
	say_error("Cannot read the password from %s: %s.", where, why);
	return NULL;
}

/* The first line of a stream, without its end; NULL: nothing there. */
static char *first_line(FILE *in)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len = getline(&line, &size, in);

	if (len < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

char *password_from_file(const char *path)
{
	FILE *in = fopen(path, "re");
	char *line;

	if (!in)
		return fail(path, strerror(errno));
	/* It may be a pipe whose other lines are messages. */
	setvbuf(in, NULL, _IONBF, 0);
	errno = 0;
	line = first_line(in);
	if (!line)
		fail(path, errno ? strerror(errno) : "it is empty");
	fclose(in);
	if (!line || strlen(line) <= LONGEST)
		return line;
	free(line);
	return fail(path, "its first line is longer than 65535 bytes");
}

/* ---- the terminal -------------------------------------------------------- */

static volatile sig_atomic_t came;

static void on_signal(int number)
{
	came = number;
}

static const int held[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP};

#define HELD (sizeof(held) / sizeof(*held))

/* Has signals interrupt ppoll() alone; `before` and `mask` are what there was. */
static void hold_signals(struct sigaction before[HELD], sigset_t *mask)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < HELD; i++) {
		sigaddset(&blocked, held[i]);
		sigaction(held[i], &action, &before[i]);
	}
	came = 0;
	sigprocmask(SIG_BLOCK, &blocked, mask);
}

static void let_signals_go(const struct sigaction before[HELD], const sigset_t *mask)
{
	for (size_t i = 0; i < HELD; i++)
		sigaction(held[i], &before[i], NULL);
	if (came)
		raise(came); /* it is delivered with the mask of before */
	sigprocmask(SIG_SETMASK, mask, NULL);
}

/* The terminal gives whole lines, so one read() is one line. */
static ssize_t read_line(int terminal, char *line, size_t size, const sigset_t *mask)
{
	struct pollfd readable = {.fd = terminal, .events = POLLIN};
	ssize_t len = -1;

	if (ppoll(&readable, 1, NULL, mask) > 0)
		len = read(terminal, line, size - 1);
	if (len >= 0)
		line[len] = '\0';
	return len;
}

/* With the echo off, which comes on again whatever happens. */
static ssize_t ask(int terminal, const char *user, char *line, size_t size)
{
	struct sigaction before[HELD];
	struct termios shown, hidden;
	sigset_t mask;
	ssize_t len;

	if (tcgetattr(terminal, &shown) != 0)
		return -1;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hold_signals(before, &mask);
	tcsetattr(terminal, TCSAFLUSH, &hidden);
	dprintf(terminal, "Password%s%s: ", user ? " of " : "", user ? user : "");
	len = read_line(terminal, line, size, &mask);
	tcsetattr(terminal, TCSAFLUSH, &shown);
	dprintf(terminal, "\n");
	let_signals_go(before, &mask);
	return len;
}

char *password_from_terminal(const char *user)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char line[4096]; /* longer ones no terminal gives */
	ssize_t len;
	char *password;

	if (terminal < 0)
		return fail("the terminal", "there is none");
	len = ask(terminal, user, line, sizeof(line));
	close(terminal);
	if (len <= 0)
		return fail("the terminal", "nothing was typed");
	line[strcspn(line, "\r\n")] = '\0';
	password = strdup(line);
	explicit_bzero(line, sizeof(line));
	return password ? password : fail("the terminal", strerror(ENOMEM));
}

void password_blank(char *word)
{
	if (*word)
		memset(word + 1, '\0', strlen(word + 1));
	if (*word)
		*word = 'x';
}
