/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steering.h"

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#endif

/* Where a datagram has the octet that names the worker. */
#define LONG_HEADER 0x80
#define LONG_AT     7
#define SHORT_AT    2

static bool set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/*
 * The second octet of the identifier, whatever the packet: a client's first one is chosen at
 * random, so that new connections spread, and what is sent again goes the same way; all later ones
 * are a worker's choice. What is too short for an identifier goes to the first worker, which drops
 * it. A sender can aim at one worker with what it invents, but then the others have peace.
 */
static bool steer(int fd, unsigned int count)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, LONG_HEADER, 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, LONG_AT),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SHORT_AT),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) == 0;
}

struct place {
	struct sockaddr_storage address;
	socklen_t len;
};

static bool join(int fd, const struct place *place)
{
	if (place->address.ss_family == AF_INET6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))
		return false;
	return set(fd, SOL_SOCKET, SO_REUSEPORT, 1) &&
	       bind(fd, (const struct sockaddr *)&place->address, place->len) == 0;
}

/* -1: errno says why. */
static int open_at(const struct place *place)
{
	int fd = socket(place->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	int code;

	if (fd < 0 || join(fd, place))
		return fd;
	code = errno;
	(void)close(fd);
	errno = code;
	return -1;
}

static void take_back(int *fds, unsigned int made)
{
	int code = errno;

	while (made > 1)
		(void)close(fds[--made]);
	(void)set(fds[0], SOL_SOCKET, SO_REUSEPORT, 0);
	errno = code;
}

bool steering_split(int *fds, unsigned int count)
{
	struct place place = {.len = sizeof(place.address)};
	unsigned int made = 1;

	if (count == 1)
		return true;
	/*
	 * The first one was bound without this, so that the address was nobody else's, another
	 * server of the same user included, which could share it unnoticed.
	 */
	if (getsockname(fds[0], (struct sockaddr *)&place.address, &place.len) != 0 ||
	    !set(fds[0], SOL_SOCKET, SO_REUSEPORT, 1))
		return false;
	while (made < count && (fds[made] = open_at(&place)) >= 0)
		made++;
	if (made == count && steer(fds[0], count))
		return true;
	take_back(fds, made);
	return false;
}
