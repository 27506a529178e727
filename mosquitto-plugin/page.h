/* SPDX-License-Identifier: MIT */
/*
 * What is counted, as a page for Prometheus on an address of this machine. On the broker's thread,
 * which must not wait for anybody: all sockets are asked without blocking, at most every LOOK_MS,
 * for a few visitors with a time for everything they have to do. See the states of each:
 *
 *          accept            whole            counted          all sent
 *     FREE ──────▶ READING ──────▶ WAITING ──────────▶ WRITING ──────▶ ENDING
 *      ▲              │  no such page ────────────────────▲              │
 *      └──────────────┴── gone, or too late, in each state ──────────────┘
 *
 * Who waits for a place takes that of somebody who has not asked yet, or has got all.
 */
#ifndef MOSQUITTO_PLUGIN_PAGE_H
#define MOSQUITTO_PLUGIN_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics.h"
#include "workers.h"
#include "../gateway/options.h"
#include "../server/http.h"

#define PAGE_VISITORS 8

enum page_state {
	PAGE_FREE,
	PAGE_READING,
	PAGE_WAITING,
	PAGE_WRITING,
	PAGE_ENDING,
};

struct page_visitor {
	enum page_state state;
	int fd;
	uint64_t since_ms;
	uint64_t until_ms;
	bool open_metrics; /* WAITING: it takes that format */
	char request[HTTP_REQUEST_MAX];
	size_t request_len;
	char *answer; /* WRITING */
	size_t answer_len;
	size_t sent;
};

struct page {
	int fd; /* -1: none */
	uint64_t next_ms;
	struct page_visitor visitors[PAGE_VISITORS];
	/* What was rendered last, by format, and of which snapshot. */
	struct {
		char *text;
		size_t len;
		uint64_t taken_ms;
	} texts[2];
};

void page_init(struct page *page);

/* Binds the address, if one is wanted. False: `error` has a sentence. */
bool page_open(struct page *page, const struct options *options, char error[OPTIONS_ERROR_SIZE]);

/* In each round of the broker's loop, while clients are served. */
void page_tick(struct page *page, struct metrics *metrics, struct workers *workers);

/* Hangs up on all. */
void page_end(struct page *page);

#endif
