/* SPDX-License-Identifier: MIT */
#include "emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The device belongs to the namespace we are in when it is made. */
static int make_device(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int tun_open(const char *netns, const char *name)
{
	char path[64];
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int there;
	int fd = -1;
	int error;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (home >= 0 && there >= 0 && setns(there, CLONE_NEWNET) == 0) {
		fd = make_device(name);
		error = errno;
		if (setns(home, CLONE_NEWNET) < 0) {
			perror("emulator: cannot return to the first namespace");
			_exit(2);
		}
		errno = error;
	}
	error = errno;
	close(home);
	close(there);
	errno = error;
	return fd;
}
