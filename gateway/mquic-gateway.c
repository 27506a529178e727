/* SPDX-License-Identifier: MIT */
/*
 * Accepts QUIC clients beside a broker. The plugin starts it with an end of a channel as descriptor
 * 3; see channel.h for what they say to each other, and run.h for how it lives.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "channel.h"
#include "run.h"

/* What one that hangs has left when the broker is gone. */
#define LAST_S 5

static pid_t broker;

/* ---- Descriptors ---------------------------------------------------------------- */

/* The numbers of the standard streams must not become those of something else. */
static void fill_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
}

/* Where the kernel has no close_range(). */
static void close_listed(int first)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		int fd = atoi(entry->d_name);

		if (fd >= first && fd != dirfd(directory))
			close(fd);
	}
	if (directory != NULL)
		closedir(directory);
}

/* What the broker has open is none of ours: its listeners, its files, its clients. */
static void close_others(void)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, CHANNEL_FD + 1, ~0U, 0) == 0)
		return;
#endif
	close_listed(CHANNEL_FD + 1);
}

static bool is_channel(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

/* ---- Signals -------------------------------------------------------------------- */

/*
 * The broker's thread has ended, or somebody has this process go on that was stopped. The channel
 * tells of the end, too, but not one that hangs.
 */
static void on_continued(int number)
{
	(void)number;
	if (getppid() != broker)
		alarm(LAST_S);
}

static void set_signal(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

/*
 * A terminal and systemd tell all processes of the broker to end: the broker is who does, and this
 * one follows. SIGCONT reaches even a process that is stopped.
 */
static void set_signals(void)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2};
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		set_signal(ignored[i], SIG_IGN);
	broker = getppid();
	set_signal(SIGCONT, on_continued);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGCONT, 0, 0, 0);
}

/* ---- Start ---------------------------------------------------------------------- */

static int show(const char *option)
{
	static const char usage[] =
		"Usage: mquic-gateway --worker | --help | --version\n"
		"\n"
		"Accepts MQTT clients over QUIC for a Mosquitto broker. The broker's plugin\n"
		"mosquitto_mquic starts it; it is not to be run by hand.\n"
		"\n"
		"  --worker   serve the plugin at the other end of descriptor 3\n"
		"  --help     this text\n"
		"  --version  the version\n";

	if (strcmp(option, "--version") == 0)
		return puts("mquic-gateway " MQUIC_VERSION_STRING) < 0 ? EXIT_FAILURE
								       : EXIT_SUCCESS;
	if (strcmp(option, "--help") == 0)
		return fputs(usage, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	fputs(usage, stderr);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], "--worker") != 0)
		return show(argc == 2 ? argv[1] : "");
	if (!is_channel(CHANNEL_FD)) {
		fputs("mquic-gateway: descriptor 3 is no channel: only the plugin mosquitto_mquic "
		      "starts a worker\n",
		      stderr);
		return EXIT_FAILURE;
	}
	fill_streams();
	close_others();
	set_signals();
	fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC);
	return gateway_run(CHANNEL_FD) ? EXIT_SUCCESS : EXIT_FAILURE;
}
