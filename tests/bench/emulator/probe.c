/* SPDX-License-Identifier: MIT */
/*
 * probe: what the emulator's accuracy is checked with.
 *
 *     probe sink PORT                       answers the datagrams that ask for it, counts the
 *                                           others until standard input ends, prints JSON
 *     probe ping HOST PORT COUNT GAP_US     round trips of small datagrams, prints JSON
 *     probe flood HOST PORT COUNT GAP_NS SIZE   sends datagrams of SIZE bytes, headers included
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PACKETS 200000
#define HEADERS     28 /* IPv4 and UDP */
#define PING_BYTES  16

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t at)
{
	struct timespec until = {.tv_sec = (time_t)(at / 1000000000),
				 .tv_nsec = (long)(at % 1000000000)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int die(const char *what)
{
	perror(what);
	return 2;
}

/*
 * The time between arrivals is the slope of a line through the middle ones, so that a sink that
 * was kept waiting for once does not count: the start empties the bucket, the end may be sparse.
 */
static void print_arrivals(const uint64_t *times, size_t count, size_t bytes)
{
	size_t from = count / 4;
	size_t to = count - count / 10;
	double packets = to > from ? (double)(to - from) : 0;
	double middle = (packets - 1) / 2;
	double above = 0;
	double below = 0;

	for (size_t i = from; i < to; i++) {
		double place = (double)(i - from) - middle;

		above += place * (double)(times[i] - times[from]) / 1e9;
		below += place * place;
	}
	printf("{\"received\":%zu,\"seconds\":%.6f,\"packets\":%zu,\"bytes\":%zu}\n", count,
	       below > 0 ? above / below * (packets - 1) : 0.0, below > 0 ? to - 1 - from : 0,
	       bytes);
}

static int sink(uint16_t port)
{
	static uint64_t times[MAX_PACKETS];
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct pollfd fds[2] = {{.fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN},
				{.fd = STDIN_FILENO, .events = POLLIN}};
	uint8_t data[2048];
	size_t count = 0;
	size_t bytes = 0;
	int room = 4 << 20;

	setsockopt(fds[0].fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fds[0].fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return die("probe: bind");
	puts("ready");
	fflush(stdout);
	while (fds[1].revents == 0 && poll(fds, 2, -1) > 0) {
		struct sockaddr_in peer;
		socklen_t peer_len = sizeof(peer);
		ssize_t len;

		while ((len = recvfrom(fds[0].fd, data, sizeof(data), MSG_DONTWAIT,
				       (struct sockaddr *)&peer, &peer_len)) > 0) {
			if (data[0] == 'P') {
				sendto(fds[0].fd, data, (size_t)len, 0, (struct sockaddr *)&peer,
				       peer_len);
			} else if (count < MAX_PACKETS) {
				times[count++] = now_ns();
				bytes = (size_t)len + HEADERS;
			}
		}
	}
	print_arrivals(times, count, bytes);
	return 0;
}

/* Waits for the answer to ping `number`; 0 if there is none within two seconds. */
static uint64_t await(int fd, uint32_t number, uint64_t sent)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	uint8_t data[PING_BYTES];
	uint32_t got;

	while (now_ns() - sent < 2000000000 && poll(&wait, 1, 2000) > 0) {
		if (recv(fd, data, sizeof(data), 0) != PING_BYTES)
			continue;
		memcpy(&got, data + 4, sizeof(got));
		if (got == number)
			return now_ns() - sent;
	}
	return 0;
}

static int ping(int fd, uint32_t count, uint32_t gap_us)
{
	uint64_t *times = calloc(count, sizeof(*times));
	uint8_t data[PING_BYTES] = {'P'};
	size_t got = 0;

	if (times == NULL)
		return die("probe");
	for (uint32_t i = 0; i < count; i++) {
		uint64_t sent = now_ns();
		uint64_t took;

		memcpy(data + 4, &i, sizeof(i));
		if (send(fd, data, sizeof(data), 0) < 0)
			return die("probe: send");
		took = await(fd, i, sent);
		if (took > 0)
			times[got++] = took;
		sleep_until(now_ns() + (uint64_t)gap_us * 1000);
	}
	qsort(times, got, sizeof(*times), by_size);
	printf("{\"sent\":%u,\"received\":%zu,\"min_ms\":%.4f,\"median_ms\":%.4f,\"p90_ms\":%.4f}"
	       "\n",
	       count, got, got > 0 ? (double)times[0] / 1e6 : 0.0,
	       got > 0 ? (double)times[got / 2] / 1e6 : 0.0,
	       got > 0 ? (double)times[got * 9 / 10] / 1e6 : 0.0);
	free(times);
	return 0;
}

static int flood(int fd, uint32_t count, uint64_t gap_ns, size_t size)
{
	uint8_t data[2048] = {'C'};
	uint64_t start = now_ns();

	if (size < HEADERS + 1 || size > sizeof(data))
		return die("probe: SIZE");
	for (uint32_t i = 0; i < count; i++) {
		sleep_until(start + i * gap_ns);
		if (send(fd, data, size - HEADERS, 0) < 0)
			return die("probe: send");
	}
	printf("{\"sent\":%u}\n", count);
	return 0;
}

static int connected(const char *host, const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		exit(die("probe: connect"));
	return fd;
}

int main(int argc, char **argv)
{
	prctl(PR_SET_TIMERSLACK, 1);
	if (argc == 3 && strcmp(argv[1], "sink") == 0)
		return sink((uint16_t)atoi(argv[2]));
	if (argc == 6 && strcmp(argv[1], "ping") == 0)
		return ping(connected(argv[2], argv[3]), (uint32_t)atoi(argv[4]),
			    (uint32_t)atoi(argv[5]));
	if (argc == 7 && strcmp(argv[1], "flood") == 0)
		return flood(connected(argv[2], argv[3]), (uint32_t)atoi(argv[4]),
			     strtoull(argv[5], NULL, 10), strtoul(argv[6], NULL, 10));
	fputs("usage: probe sink PORT | ping HOST PORT COUNT GAP_US | "
	      "flood HOST PORT COUNT GAP_NS SIZE\n",
	      stderr);
	return 2;
}
