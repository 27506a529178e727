/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "page.h"
#include "../server/clock.h"
#include "../server/openmetrics.h"

/* How often it is looked whether somebody asks. */
#define LOOK_MS 20

/* How long a visitor may take to ask, to read the answer, and to hang up. */
#define ASK_MS  2000
#define READ_MS 5000
#define END_MS  1000

#define TYPE_PLAIN "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_OPEN  "application/openmetrics-text"

/* ---- Steps ------------------------------------------------------------------------- */

static const char *state_name(enum page_state state)
{
	static const char *const names[] = {
		[PAGE_FREE] = "FREE",       [PAGE_READING] = "READING", [PAGE_WAITING] = "WAITING",
		[PAGE_WRITING] = "WRITING", [PAGE_ENDING] = "ENDING",
	};

	return names[state];
}

/* All changes of state. */
static void step(struct page_visitor *visitor, enum page_state to, uint64_t until_ms)
{
	log_now(MQUIC_LOG_DEBUG, "mquic: reader of metrics: %s → %s", state_name(visitor->state),
		state_name(to));
	visitor->state = to;
	visitor->until_ms = until_ms;
}

static void hang_up(struct page_visitor *visitor)
{
	if (visitor->state == PAGE_FREE)
		return;
	close(visitor->fd);
	free(visitor->answer);
	visitor->answer = NULL;
	step(visitor, PAGE_FREE, 0);
}

void page_init(struct page *page)
{
	memset(page, 0, sizeof(*page));
	page->fd = -1;
}

/* ---- The socket -------------------------------------------------------------------- */

static socklen_t address_of(const struct hostport *listen, struct sockaddr_storage *address)
{
	struct sockaddr_in *four = (struct sockaddr_in *)address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (listen->is_ipv6) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(listen->port);
		inet_pton(AF_INET6, listen->host, &six->sin6_addr);
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(listen->port);
	inet_pton(AF_INET, listen->host, &four->sin_addr);
	return sizeof(*four);
}

/* 0, or the error's number. */
static int listen_at(struct page *page, const struct hostport *listen_at)
{
	struct sockaddr_storage address;
	socklen_t len = address_of(listen_at, &address);
	const int on = 1;

	page->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* A broker that is restarted must not wait for those that it has hung up on. */
	if (page->fd >= 0 && setsockopt(page->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(page->fd, (const struct sockaddr *)&address, len) == 0 &&
	    listen(page->fd, PAGE_VISITORS) == 0)
		return 0;
	return errno;
}

bool page_open(struct page *page, const struct options *options, char error[OPTIONS_ERROR_SIZE])
{
	char text[HOSTPORT_TEXT_SIZE];
	int code;

	if (options->metrics_listen.port == 0)
		return true;
	hostport_text(&options->metrics_listen, text);
	code = listen_at(page, &options->metrics_listen);
	if (code == 0) {
		log_now(MQUIC_LOG_INFO, "mquic: what is counted is at http://%s" HTTP_PAGE, text);
		return true;
	}
	snprintf(error, OPTIONS_ERROR_SIZE,
		 "plugin_opt_metrics: nobody can listen at %s: %s; name a port that is free", text,
		 strerror(code));
	page_end(page);
	return false;
}

/* ---- Who comes ----------------------------------------------------------------------- */

/* A free one, or that of whoever has been here longest of those that keep others waiting. */
static struct page_visitor *find_place(struct page *page, uint64_t now_ms)
{
	struct page_visitor *found = NULL;
	size_t i;

	for (i = 0; i < PAGE_VISITORS; i++) {
		struct page_visitor *visitor = &page->visitors[i];

		if (visitor->state == PAGE_FREE)
			return visitor;
		if ((visitor->state == PAGE_READING || visitor->state == PAGE_ENDING) &&
		    visitor->since_ms < now_ms &&
		    (found == NULL || visitor->since_ms < found->since_ms))
			found = visitor;
	}
	return found;
}

static void let_in(struct page *page, uint64_t now_ms)
{
	size_t i;

	for (i = 0; i < PAGE_VISITORS; i++) {
		struct page_visitor *place = find_place(page, now_ms);
		int fd = -1;

		if (place != NULL)
			fd = accept4(page->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		hang_up(place);
		place->fd = fd;
		place->since_ms = now_ms;
		place->request_len = 0;
		step(place, PAGE_READING, now_ms + ASK_MS);
	}
}

/* ---- The answer ----------------------------------------------------------------------- */

/* Makes one of it and its head. */
static void answer(struct page_visitor *visitor, enum http_verdict verdict, const char *type,
		   const char *text, size_t len)
{
	char head[HTTP_HEAD_SIZE];
	size_t head_len = http_head(head, verdict, type, len);

	visitor->answer = malloc(head_len + len);
	if (visitor->answer == NULL) {
		hang_up(visitor);
		return;
	}
	memcpy(visitor->answer, head, head_len);
	memcpy(visitor->answer + head_len, text, len);
	visitor->answer_len = head_len + len;
	visitor->sent = 0;
	step(visitor, PAGE_WRITING, clock_ms() + READ_MS);
}

/* Renders what was taken last; however many ask, once. */
static bool render(struct page *page, const struct metrics *metrics, bool open_metrics)
{
	FILE *out;
	bool good;

	if (page->texts[open_metrics].text != NULL &&
	    page->texts[open_metrics].taken_ms == metrics->taken_ms)
		return true;
	free(page->texts[open_metrics].text);
	page->texts[open_metrics].text = NULL;
	out = open_memstream(&page->texts[open_metrics].text, &page->texts[open_metrics].len);
	if (out == NULL)
		return false;
	metrics_write(metrics, out, open_metrics ? METRICS_OPEN : METRICS_PROMETHEUS);
	good = ferror(out) == 0;
	good = fclose(out) == 0 && good;
	page->texts[open_metrics].taken_ms = good ? metrics->taken_ms : 0;
	return good;
}

static void show(struct page *page, struct page_visitor *visitor, const struct metrics *metrics)
{
	bool open_metrics = visitor->open_metrics;
	const char *type = open_metrics ? TYPE_OPEN "; version=1.0.0; charset=utf-8" : TYPE_PLAIN;

	if (render(page, metrics, open_metrics))
		answer(visitor, HTTP_OK, type, page->texts[open_metrics].text,
		       page->texts[open_metrics].len);
	else
		hang_up(visitor);
}

/* ---- What they do ------------------------------------------------------------------------ */

/* Whether there will be more. Nothing yet is no end. */
static bool goes_on(ssize_t done)
{
	return done > 0 || (done < 0 && (errno == EAGAIN || errno == EINTR));
}

static void hear(struct page_visitor *visitor)
{
	size_t room = sizeof(visitor->request) - visitor->request_len;
	ssize_t got = recv(visitor->fd, visitor->request + visitor->request_len, room, 0);
	enum http_verdict verdict;
	const char *text;

	if (!goes_on(got)) {
		hang_up(visitor);
		return;
	}
	if (got < 0)
		return;
	visitor->request_len += (size_t)got;
	verdict = http_judge(visitor->request, visitor->request_len);
	text = http_text(verdict);
	if (verdict == HTTP_OK) {
		visitor->open_metrics =
			http_accepts(visitor->request, visitor->request_len, TYPE_OPEN);
		step(visitor, PAGE_WAITING, clock_ms() + READ_MS);
	} else if (verdict != HTTP_UNFINISHED) {
		answer(visitor, verdict, "text/plain; charset=utf-8", text, strlen(text));
	}
}

static void tell(struct page_visitor *visitor)
{
	size_t left = visitor->answer_len - visitor->sent;
	ssize_t put = send(visitor->fd, visitor->answer + visitor->sent, left, MSG_NOSIGNAL);

	if (!goes_on(put)) {
		hang_up(visitor);
		return;
	}
	if (put > 0)
		visitor->sent += (size_t)put;
	if (visitor->sent < visitor->answer_len)
		return;
	/* Closed with something unread, the answer might not arrive (RFC 9112 9.6). */
	shutdown(visitor->fd, SHUT_WR);
	step(visitor, PAGE_ENDING, clock_ms() + END_MS);
}

static void drain(struct page_visitor *visitor)
{
	if (!goes_on(recv(visitor->fd, visitor->request, sizeof(visitor->request), 0)))
		hang_up(visitor);
}

static void attend(struct page_visitor *visitor, uint64_t now_ms)
{
	if (visitor->state == PAGE_READING)
		hear(visitor);
	if (visitor->state == PAGE_WRITING)
		tell(visitor);
	if (visitor->state == PAGE_ENDING)
		drain(visitor);
	if (visitor->state != PAGE_FREE && now_ms >= visitor->until_ms)
		hang_up(visitor);
}

static void attend_all(struct page *page, uint64_t now_ms)
{
	size_t i;

	for (i = 0; i < PAGE_VISITORS; i++)
		attend(&page->visitors[i], now_ms);
}

static void show_all(struct page *page, struct metrics *metrics, struct workers *workers)
{
	size_t i;

	for (i = 0; i < PAGE_VISITORS; i++)
		if (page->visitors[i].state == PAGE_WAITING && metrics_gather(metrics, workers))
			show(page, &page->visitors[i], metrics);
}

void page_tick(struct page *page, struct metrics *metrics, struct workers *workers)
{
	uint64_t now_ms;

	if (page->fd < 0)
		return;
	now_ms = clock_ms();
	if (now_ms < page->next_ms)
		return;
	page->next_ms = now_ms + LOOK_MS;
	/* Before others take their places. */
	attend_all(page, now_ms);
	let_in(page, now_ms);
	attend_all(page, now_ms);
	show_all(page, metrics, workers);
	attend_all(page, now_ms);
}

void page_end(struct page *page)
{
	size_t i;

	for (i = 0; i < PAGE_VISITORS; i++)
		hang_up(&page->visitors[i]);
	for (i = 0; i < 2; i++)
		free(page->texts[i].text);
	if (page->fd >= 0)
		close(page->fd);
	page_init(page);
}
