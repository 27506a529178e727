/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "launch.h"
#include "../gateway/channel.h"

extern char **environ;

/* Its descriptors. Where the system cannot close the others here, the program does so itself. */
static int add_files(posix_spawn_file_actions_t *files, int channel)
{
	int code = posix_spawn_file_actions_adddup2(files, channel, CHANNEL_FD);

	if (code == 0)
		code = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
	if (code == 0)
		code = posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_WRONLY, 0);
#ifdef HAVE_ADDCLOSEFROM
	if (code == 0)
		code = posix_spawn_file_actions_addclosefrom_np(files, CHANNEL_FD + 1);
#endif
	return code;
}

/* Signals as in a process that nobody has told anything about them. */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t all, none;
	int code;

	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	sigemptyset(&none);
	code = posix_spawnattr_setsigdefault(attributes, &all);
	if (code == 0)
		code = posix_spawnattr_setsigmask(attributes, &none);
	if (code == 0)
		code = posix_spawnattr_setflags(attributes,
						POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	return code;
}

static int spawn(const char *program, int channel, posix_spawnattr_t *attributes, pid_t *pid)
{
	static char option[] = "--worker";
	char *const arguments[] = {(char *)(uintptr_t)program, option, NULL};
	char **variables = environment_of_worker(environ);
	posix_spawn_file_actions_t files;
	int code = variables == NULL ? ENOMEM : posix_spawn_file_actions_init(&files);

	if (code == 0) {
		code = add_files(&files, channel);
		if (code == 0)
			code = posix_spawn(pid, program, &files, attributes, arguments, variables);
		posix_spawn_file_actions_destroy(&files);
	}
	free(variables);
	return code;
}

int launch(const char *program, int channel, pid_t *pid)
{
	posix_spawnattr_t attributes;
	int code = posix_spawnattr_init(&attributes);

	if (code != 0)
		return code;
	code = set_signals(&attributes);
	if (code == 0)
		code = spawn(program, channel, &attributes, pid);
	posix_spawnattr_destroy(&attributes);
	return code;
}

/* ---- In words --------------------------------------------------------------------- */

void launch_say_signal(int number, char *text, size_t size)
{
	static const struct {
		int number;
		const char *name;
	} known[] = {
		{SIGABRT, "SIGABRT"}, {SIGALRM, "SIGALRM"}, {SIGBUS, "SIGBUS"},
		{SIGFPE, "SIGFPE"},   {SIGILL, "SIGILL"},   {SIGKILL, "SIGKILL"},
		{SIGSEGV, "SIGSEGV"}, {SIGSTOP, "SIGSTOP"}, {SIGSYS, "SIGSYS"},
		{SIGTRAP, "SIGTRAP"}, {SIGTSTP, "SIGTSTP"}, {SIGXCPU, "SIGXCPU"},
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].number == number) {
			snprintf(text, size, "%d (%s)", number, known[i].name);
			return;
		}
	snprintf(text, size, "%d", number);
}

void launch_say_end(int status, char *text, size_t size)
{
	char signal_text[32];

	if (WIFSIGNALED(status)) {
		launch_say_signal(WTERMSIG(status), signal_text, sizeof(signal_text));
		snprintf(text, size, "was ended by signal %s", signal_text);
	} else {
		snprintf(text, size, "ended with exit status %d", WEXITSTATUS(status));
	}
}
