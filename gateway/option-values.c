/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "option.h"

bool option_fail(char *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, OPTIONS_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return false;
}

static void *field(const struct option *option, const struct option_target *target)
{
	char *place = option->of_listener ? (char *)target->listener : (char *)target->options;

	return place + option->offset;
}

bool option_parse_text(const struct option *option, const char *value,
		       const struct option_target *target, char *error)
{
	char **text = field(option, target);

	free(*text); /* one of all listeners */
	*text = strdup(value);
	return *text != NULL || option_fail(error, "out of memory");
}

/* A file or directory that the broker, by now without root's rights, must be able to read. */
static bool check_readable(const struct option *option, const char *value, char *error)
{
	int fd = open(value, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return option_fail(
			error,
			"plugin_opt_%s: cannot read %s: %s. The user the broker runs as needs "
			"to be able to read it",
			option->name, value, strerror(errno));
	close(fd);
	return true;
}

bool option_parse_readable(const struct option *option, const char *value,
			   const struct option_target *target, char *error)
{
	return check_readable(option, value, error) &&
	       option_parse_text(option, value, target, error);
}

bool option_parse_files(const struct option *option, const char *value,
			const struct option_target *target, char *error)
{
	struct option_files *files = field(option, target);

	if (files->count == OPTIONS_CERTIFICATES_MAX)
		return option_fail(error, "plugin_opt_%s: at most %d can be given", option->name,
				   OPTIONS_CERTIFICATES_MAX);
	if (!check_readable(option, value, error))
		return false;
	files->paths[files->count] = strdup(value);
	return files->paths[files->count++] != NULL || option_fail(error, "out of memory");
}

void option_files_clear(struct option_files *files)
{
	while (files->count > 0)
		free(files->paths[--files->count]);
}

/* The broker leaves the directory it was started in. */
bool option_parse_absolute(const struct option *option, const char *value,
			   const struct option_target *target, char *error)
{
	if (value[0] != '/')
		return option_fail(error, "plugin_opt_%s must be an absolute path, not \"%s\"",
				   option->name, value);
	return option_parse_text(option, value, target, error);
}

/* Its absolute path, for no directory is searched. */
bool option_parse_program(const struct option *option, const char *value,
			  const struct option_target *target, char *error)
{
	if (!option_parse_absolute(option, value, target, error))
		return false;
	return access(value, X_OK) == 0 ||
	       option_fail(error,
			   "plugin_opt_%s: cannot run %s: %s. Name the program mquic-gateway, "
			   "which the broker's user must be able to run",
			   option->name, value, strerror(errno));
}

/* Mosquitto splits its `listener 0 PATH` line at blanks, and bind() takes 107 bytes. */
bool option_parse_handoff(const struct option *option, const char *value,
			  const struct option_target *target, char *error)
{
	size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (value[0] != '/')
		return option_fail(
			error,
			"plugin_opt_%s must be the absolute path of the unix socket in the "
			"broker's \"listener 0 PATH\" line, not \"%s\"",
			option->name, value);
	if (strlen(value) > max)
		return option_fail(
			error, "plugin_opt_%s: the path has %zu bytes, at most %zu are possible",
			option->name, strlen(value), max);
	if (strpbrk(value, " \t") != NULL)
		return option_fail(error, "plugin_opt_%s: the path must not have blanks: \"%s\"",
				   option->name, value);
	return option_parse_text(option, value, target, error);
}

bool option_parse_control(const struct option *option, const char *value,
			  const struct option_target *target, char *error)
{
	size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (strlen(value) > max)
		return option_fail(
			error, "plugin_opt_%s: the path has %zu bytes, at most %zu are possible",
			option->name, strlen(value), max);
	return option_parse_absolute(option, value, target, error);
}

/* It stands in lines and topics. */
bool option_parse_name(const struct option *option, const char *value,
		       const struct option_target *target, char *error)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";
	size_t len = strlen(value);

	if (len == 0 || len >= OPTIONS_NAME_SIZE || strspn(value, allowed) != len)
		return option_fail(error,
				   "plugin_opt_%s must be a name of 1 to %d letters, digits, dots, "
				   "hyphens and underscores, not \"%s\"",
				   option->name, OPTIONS_NAME_SIZE - 1, value);
	memcpy(field(option, target), value, len + 1);
	return true;
}

bool option_parse_flag(const struct option *option, const char *value,
		       const struct option_target *target, char *error)
{
	bool *flag = field(option, target);

	*flag = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
	if (!*flag && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return option_fail(error, "plugin_opt_%s must be true or false, not \"%s\"",
				   option->name, value);
	return true;
}

/* Digits only, at most 18 of them: no sign, no blanks, no 0x. */
static bool read_digits(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	const char *at;

	*number = 0;
	for (at = text; *at >= '0' && *at <= '9' && at - text < 18; at++)
		*number = *number * 10 + (uint64_t)(*at - '0');
	return at != text && *at == '\0' && *number >= min && *number <= max;
}

static bool read_number(const char *text, uint32_t min, uint32_t max, uint32_t *number)
{
	uint64_t wide;
	bool good = read_digits(text, min, max, &wide);

	*number = (uint32_t)wide;
	return good;
}

bool option_parse_number(const struct option *option, const char *value,
			 const struct option_target *target, char *error)
{
	uint32_t *number = field(option, target);

	if (!read_number(value, option->min, option->max, number))
		return option_fail(error,
				   "plugin_opt_%s must be a number from %u to %u, not \"%s\"",
				   option->name, option->min, option->max, value);
	return true;
}

/* A processor that we may not use helps nobody. */
static uint32_t count_processors(void)
{
	cpu_set_t ours;
	int count = sched_getaffinity(0, sizeof(ours), &ours) == 0 ? CPU_COUNT(&ours) : 1;

	return count < OPTIONS_WORKERS_MAX ? (uint32_t)count : OPTIONS_WORKERS_MAX;
}

bool option_parse_workers(const struct option *option, const char *value,
			  const struct option_target *target, char *error)
{
	if (strcmp(value, "auto") == 0)
		target->options->workers = count_processors();
	else if (!option_parse_number(option, value, target, error))
		return option_fail(error,
				   "plugin_opt_%s must be auto, for as many as there are "
				   "processors, or a number from %u to %u, not \"%s\"",
				   option->name, option->min, option->max, value);
	return true;
}

bool option_parse_memory(const struct option *option, const char *value,
			 const struct option_target *target, char *error)
{
	return read_digits(value, MEMORY_LIMIT_MIN, MEMORY_LIMIT_MAX, field(option, target)) ||
	       option_fail(
		       error,
		       "plugin_opt_%s must be a number of bytes from %llu (16 MiB) to %llu, not "
		       "\"%s\"",
		       option->name, (unsigned long long)MEMORY_LIMIT_MIN,
		       (unsigned long long)MEMORY_LIMIT_MAX, value);
}

/* Off, or long enough that the server's own PINGs, sent at a third of it, keep a client alive. */
bool option_parse_idle_timeout(const struct option *option, const char *value,
			       const struct option_target *target, char *error)
{
	uint32_t *number = field(option, target);

	if (!read_number(value, 0, option->max, number) || (*number > 0 && *number < option->min))
		return option_fail(
			error,
			"plugin_opt_%s must be 0 (never) or a number of seconds from %u to "
			"%u, not \"%s\"",
			option->name, option->min, option->max, value);
	return true;
}

bool option_parse_congestion(const struct option *option, const char *value,
			     const struct option_target *target, char *error)
{
	enum mquic_congestion_control *choice = field(option, target);

	if (strcmp(value, "cubic") == 0)
		*choice = MQUIC_CONGESTION_CUBIC;
	else if (strcmp(value, "reno") == 0)
		*choice = MQUIC_CONGESTION_RENO;
	else if (strcmp(value, "bbr") == 0)
		*choice = MQUIC_CONGESTION_BBR;
	else
		return option_fail(error, "plugin_opt_%s must be cubic, reno or bbr, not \"%s\"",
				   option->name, value);
	return true;
}

bool option_parse_redundancy(const struct option *option, const char *value,
			     const struct option_target *target, char *error)
{
	enum mquic_redundancy *redundancy = field(option, target);

	if (strcmp(value, "handshake") == 0)
		*redundancy = MQUIC_REDUNDANCY_HANDSHAKE;
	else if (strcmp(value, "off") == 0)
		*redundancy = MQUIC_REDUNDANCY_OFF;
	else
		return option_fail(error, "plugin_opt_%s must be handshake or off, not \"%s\"",
				   option->name, value);
	return true;
}

bool option_parse_retry(const struct option *option, const char *value,
			const struct option_target *target, char *error)
{
	enum mquic_retry *retry = field(option, target);

	if (strcmp(value, "adaptive") == 0)
		*retry = MQUIC_RETRY_ADAPTIVE;
	else if (strcmp(value, "always") == 0)
		*retry = MQUIC_RETRY_ALWAYS;
	else if (strcmp(value, "never") == 0)
		*retry = MQUIC_RETRY_NEVER;
	else
		return option_fail(error,
				   "plugin_opt_%s must be adaptive, always or never, not \"%s\"",
				   option->name, value);
	return true;
}

bool option_parse_proxy(const struct option *option, const char *value,
			const struct option_target *target, char *error)
{
	if (strcmp(value, "2") != 0)
		return option_fail(
			error,
			"plugin_opt_%s must be 2, the only version that can be sent, not "
			"\"%s\"; remove the line to send none",
			option->name, value);
	target->listener->proxy_protocol = true;
	return true;
}

/* Mosquitto's words for the types of lines, of which we have none of type `information`. */
bool option_parse_log_level(const struct option *option, const char *value,
			    const struct option_target *target, char *error)
{
	static const struct {
		const char *word;
		enum mquic_log_level level;
	} words[] = {
		{"error", MQUIC_LOG_ERROR}, {"warning", MQUIC_LOG_WARNING},
		{"notice", MQUIC_LOG_INFO}, {"information", MQUIC_LOG_INFO},
		{"debug", MQUIC_LOG_DEBUG},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(value, words[i].word) == 0) {
			target->options->log_level = words[i].level;
			return true;
		}
	return option_fail(error,
			   "plugin_opt_%s must be error, warning, notice, information or debug, "
			   "not \"%s\"",
			   option->name, value);
}

bool option_add_listen(const char *name, const char *text, struct listener_options *listener,
		       char *error)
{
	struct hostport *added = &listener->listen[listener->listen_count];
	size_t i;

	if (listener->listen_count == OPTIONS_LISTEN_MAX)
		return option_fail(error, "plugin_opt_%s: at most %d addresses can be given", name,
				   OPTIONS_LISTEN_MAX);
	if (!hostport_parse(text, added) || !hostport_is_numeric(added))
		return option_fail(
			error,
			"plugin_opt_%s: \"%s\" is not a numeric address with a UDP port, such "
			"as 0.0.0.0:14567 or [::]:14567",
			name, text);
	for (i = 0; i < listener->listen_count; i++) {
		const struct hostport *other = &listener->listen[i];

		if (added->port != 0 && other->port == added->port &&
		    strcmp(other->host, added->host) == 0)
			return option_fail(error, "plugin_opt_%s: %s is given twice", name, text);
	}
	listener->listen_count++;
	return true;
}

static char *trimmed(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && strchr(" \t", text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	return text;
}

/* A list with commas; the line may also be repeated. */
bool option_parse_listen(const struct option *option, const char *value,
			 const struct option_target *target, char *error)
{
	char *list = strdup(value);
	char *rest = list;
	char *item;
	bool good = list != NULL || option_fail(error, "out of memory");

	while (good && (item = strsep(&rest, ",")) != NULL)
		good = option_add_listen(option->name, trimmed(item), target->listener, error);
	free(list);
	return good;
}
