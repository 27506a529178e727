/* SPDX-License-Identifier: MIT */
/*
 * What the test clients share: where to connect, how to say that something went wrong, and
 * a way to print bytes on one line.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "mquic.h"

/* Filled from options by target_option(); all strings belong to the command line. */
struct target {
	const char *host;
	uint16_t port;
	struct mquic_settings *settings;
	const char *cert;
	const char *key;
};

/* Defaults: 127.0.0.1, the conventional port, default settings. Exits if out of memory. */
void target_init(struct target *target);
void target_free(struct target *target);

/*
 * Takes `--host=`, `--port=`, `--cafile=`, `--cert=`, `--key=`, `--alpn=`, `--server-name=`,
 * `--idle-timeout-ms=`, `--keep-alive-ms=`, `--handshake-timeout-ms=` or `--receive-window=`; exits
 * on any other word.
 */
void target_option(struct target *target, const char *word);

/* The text behind `name` if `word` starts with it ("--port="), else NULL. */
const char *option_value(const char *word, const char *name);
/* The number behind `name`; `*number` stays as it is if `word` is another option. */
int option_number(const char *word, const char *name, uint64_t *number);

/* Prints `fatal: …` to standard error and exits with 2. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Fails, naming the call and the sentence, unless `status` is MQUIC_OK. */
void must(enum mquic_status status, const char *call, const char *sentence);

/* Milliseconds of a clock that never jumps. */
uint64_t now_ms(void);

/* Prints ` name=` and the bytes, percent-encoded so that they stay one word. */
void print_field(const char *name, const void *data, size_t len);
/* Prints status, origin, code and text of an end event. */
void print_end(const struct mquic_event *event);

#endif
