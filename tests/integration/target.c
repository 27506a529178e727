/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void target_init(struct target *target)
{
	memset(target, 0, sizeof(*target));
	target->host = "127.0.0.1";
	target->port = MQUIC_PORT;
	must(mquic_settings_new(&target->settings), "mquic_settings_new", "");
}

void target_free(struct target *target)
{
	mquic_settings_free(target->settings);
}

const char *option_value(const char *word, const char *name)
{
	size_t len = strlen(name);

	return strncmp(word, name, len) == 0 ? word + len : NULL;
}

int option_number(const char *word, const char *name, uint64_t *number)
{
	const char *value = option_value(word, name);
	char *end;

	if (value == NULL)
		return 0;
	*number = strtoull(value, &end, 10);
	if (end == value || *end != '\0')
		fail("%s wants a number", name);
	return 1;
}

/* A certificate needs its key: both are set once both are known. */
static enum mquic_status set_identity(struct target *target)
{
	if (target->cert == NULL || target->key == NULL)
		return MQUIC_OK;
	return mquic_settings_set_certificate(target->settings, target->cert, target->key);
}

void target_option(struct target *target, const char *word)
{
	struct mquic_settings *settings = target->settings;
	enum mquic_status status = MQUIC_OK;
	const char *value;
	uint64_t number;

	if ((value = option_value(word, "--host=")) != NULL) {
		target->host = value;
	} else if (option_number(word, "--port=", &number)) {
		target->port = (uint16_t)number;
	} else if ((value = option_value(word, "--cafile=")) != NULL) {
		status = mquic_settings_set_ca_file(settings, value);
	} else if ((value = option_value(word, "--cert=")) != NULL) {
		target->cert = value;
		status = set_identity(target);
	} else if ((value = option_value(word, "--key=")) != NULL) {
		target->key = value;
		status = set_identity(target);
	} else if ((value = option_value(word, "--alpn=")) != NULL) {
		status = mquic_settings_set_alpn(settings, value);
	} else if ((value = option_value(word, "--server-name=")) != NULL) {
		status = mquic_settings_set_server_name(settings, value);
	} else if (option_number(word, "--idle-timeout-ms=", &number)) {
		status = mquic_settings_set_idle_timeout_ms(settings, number);
	} else if (option_number(word, "--keep-alive-ms=", &number)) {
		status = mquic_settings_set_keep_alive_ms(settings, number);
	} else if (option_number(word, "--handshake-timeout-ms=", &number)) {
		status = mquic_settings_set_handshake_timeout_ms(settings, number);
	} else if (option_number(word, "--receive-window=", &number)) {
		status = mquic_settings_set_receive_window(settings, number);
	} else {
		fail("unknown option %s", word);
	}
	must(status, word, mquic_settings_error(settings));
}

void fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("fatal: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

void must(enum mquic_status status, const char *call, const char *sentence)
{
	if (status != MQUIC_OK)
		fail("%s: %s (%s)", call, mquic_status_text(status), sentence);
}

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void print_field(const char *name, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	printf(" %s=", name);
	for (size_t i = 0; i < len; i++) {
		if (isalnum(bytes[i]) || (bytes[i] != '\0' && strchr("-._/", bytes[i]) != NULL))
			putchar(bytes[i]);
		else
			printf("%%%02X", bytes[i]);
	}
}

void print_end(const struct mquic_event *event)
{
	const char *text = mquic_event_text(event);

	printf(" status=%d origin=%d code=%llu", mquic_event_status(event),
	       mquic_event_origin(event), (unsigned long long)mquic_event_code(event));
	print_field("text", text, strlen(text));
}
