/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker.h"
#include "options.h"

/* Where Mosquitto's own unit file makes a directory for it. */
#define DEFAULT_HANDOFF "/run/mosquitto/quic.sock"

/* Bytes. With less hardly a client could be served, more than the upper one is a slip. */
#define MEMORY_LIMIT_MIN (UINT64_C(16) << 20)
#define MEMORY_LIMIT_MAX (UINT64_C(1) << 50)

struct option {
	const char *name;
	bool (*parse)(const struct option *option, const char *value, struct options *options,
		      char *error);
	size_t offset;
	uint32_t min;
	uint32_t max;
};

__attribute__((format(printf, 2, 3))) static bool fail(char *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, OPTIONS_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return false;
}

static void *field(const struct option *option, struct options *options)
{
	return (char *)options + option->offset;
}

/* ---- One parser per kind of value ---------------------------------------- */

static bool parse_text(const struct option *option, const char *value, struct options *options,
		       char *error)
{
	char **text = field(option, options);

	*text = strdup(value);
	return *text != NULL || fail(error, "out of memory");
}

/* A file or directory that the broker, by now without root's rights, must be able to read. */
static bool parse_readable(const struct option *option, const char *value, struct options *options,
			   char *error)
{
	int fd = open(value, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fail(error,
			    "plugin_opt_%s: cannot read %s: %s. The user the broker runs as needs "
			    "to be able to read it",
			    option->name, value, strerror(errno));
	close(fd);
	return parse_text(option, value, options, error);
}

/* The broker leaves the directory it was started in. */
static bool parse_absolute(const struct option *option, const char *value, struct options *options,
			   char *error)
{
	if (value[0] != '/')
		return fail(error, "plugin_opt_%s must be an absolute path, not \"%s\"",
			    option->name, value);
	return parse_text(option, value, options, error);
}

/* Mosquitto splits its `listener 0 PATH` line at blanks, and bind() takes 107 bytes. */
static bool parse_handoff(const struct option *option, const char *value, struct options *options,
			  char *error)
{
	size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (value[0] != '/')
		return fail(error,
			    "plugin_opt_%s must be the absolute path of the unix socket in the "
			    "broker's \"listener 0 PATH\" line, not \"%s\"",
			    option->name, value);
	if (strlen(value) > max)
		return fail(error,
			    "plugin_opt_%s: the path has %zu bytes, at most %zu are possible",
			    option->name, strlen(value), max);
	if (strpbrk(value, " \t") != NULL)
		return fail(error, "plugin_opt_%s: the path must not have blanks: \"%s\"",
			    option->name, value);
	return parse_text(option, value, options, error);
}

static bool parse_flag(const struct option *option, const char *value, struct options *options,
		       char *error)
{
	bool *flag = field(option, options);

	*flag = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
	if (!*flag && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return fail(error, "plugin_opt_%s must be true or false, not \"%s\"", option->name,
			    value);
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

static bool parse_number(const struct option *option, const char *value, struct options *options,
			 char *error)
{
	uint32_t *number = field(option, options);

	if (!read_number(value, option->min, option->max, number))
		return fail(error, "plugin_opt_%s must be a number from %u to %u, not \"%s\"",
			    option->name, option->min, option->max, value);
	return true;
}

static bool parse_memory(const struct option *option, const char *value, struct options *options,
			 char *error)
{
	return read_digits(value, MEMORY_LIMIT_MIN, MEMORY_LIMIT_MAX, field(option, options)) ||
	       fail(error,
		    "plugin_opt_%s must be a number of bytes from %llu (16 MiB) to %llu, not "
		    "\"%s\"",
		    option->name, (unsigned long long)MEMORY_LIMIT_MIN,
		    (unsigned long long)MEMORY_LIMIT_MAX, value);
}

/* Off, or long enough that the server's own PINGs, sent at a third of it, keep a client alive. */
static bool parse_idle_timeout(const struct option *option, const char *value,
			       struct options *options, char *error)
{
	uint32_t *number = field(option, options);

	if (!read_number(value, 0, option->max, number) || (*number > 0 && *number < option->min))
		return fail(error,
			    "plugin_opt_%s must be 0 (never) or a number of seconds from %u to "
			    "%u, not \"%s\"",
			    option->name, option->min, option->max, value);
	return true;
}

static bool parse_congestion(const struct option *option, const char *value,
			     struct options *options, char *error)
{
	enum mquic_congestion_control *choice = field(option, options);

	if (strcmp(value, "cubic") == 0)
		*choice = MQUIC_CONGESTION_CUBIC;
	else if (strcmp(value, "reno") == 0)
		*choice = MQUIC_CONGESTION_RENO;
	else if (strcmp(value, "bbr") == 0)
		*choice = MQUIC_CONGESTION_BBR;
	else
		return fail(error, "plugin_opt_%s must be cubic, reno or bbr, not \"%s\"",
			    option->name, value);
	return true;
}

static bool parse_retry(const struct option *option, const char *value, struct options *options,
			char *error)
{
	enum mquic_retry *retry = field(option, options);

	if (strcmp(value, "adaptive") == 0)
		*retry = MQUIC_RETRY_ADAPTIVE;
	else if (strcmp(value, "always") == 0)
		*retry = MQUIC_RETRY_ALWAYS;
	else if (strcmp(value, "never") == 0)
		*retry = MQUIC_RETRY_NEVER;
	else
		return fail(error, "plugin_opt_%s must be adaptive, always or never, not \"%s\"",
			    option->name, value);
	return true;
}

static bool parse_proxy(const struct option *option, const char *value, struct options *options,
			char *error)
{
	if (strcmp(value, "2") != 0)
		return fail(error,
			    "plugin_opt_%s must be 2, the only version that can be sent, not "
			    "\"%s\"; remove the line to send none",
			    option->name, value);
	options->proxy_protocol = true;
	return true;
}

/* Cuts "192.0.2.1:14567" or "[2001:db8::1]:14567" in two; false if it is neither. */
static bool read_listen(const char *text, struct listen_address *listen)
{
	bool bracketed = text[0] == '[';
	const char *colon = strrchr(text, ':');
	unsigned char binary[16];
	uint32_t port;
	size_t len;

	if (colon == NULL || !read_number(colon + 1, 0, UINT16_MAX, &port))
		return false;
	len = (size_t)(colon - text);
	if (bracketed) {
		if (len < 2 || text[len - 1] != ']')
			return false;
		text++;
		len -= 2;
	}
	if (len >= sizeof(listen->address))
		return false;
	memcpy(listen->address, text, len);
	listen->address[len] = '\0';
	listen->port = (uint16_t)port;
	return inet_pton(bracketed ? AF_INET6 : AF_INET, listen->address, binary) == 1;
}

static bool add_listen(const char *name, const char *text, struct options *options, char *error)
{
	struct listen_address *added = &options->listen[options->listen_count];
	size_t i;

	if (options->listen_count == OPTIONS_LISTEN_MAX)
		return fail(error, "plugin_opt_%s: at most %d addresses can be given", name,
			    OPTIONS_LISTEN_MAX);
	if (!read_listen(text, added))
		return fail(error,
			    "plugin_opt_%s: \"%s\" is not a numeric address with a UDP port, such "
			    "as 0.0.0.0:14567 or [::]:14567",
			    name, text);
	for (i = 0; i < options->listen_count; i++) {
		const struct listen_address *other = &options->listen[i];

		if (added->port != 0 && other->port == added->port &&
		    strcmp(other->address, added->address) == 0)
			return fail(error, "plugin_opt_%s: %s is given twice", name, text);
	}
	options->listen_count++;
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
static bool parse_listen(const struct option *option, const char *value, struct options *options,
			 char *error)
{
	char *list = strdup(value);
	char *rest = list;
	char *item;
	bool good = list != NULL || fail(error, "out of memory");

	while (good && (item = strsep(&rest, ",")) != NULL)
		good = add_listen(option->name, trimmed(item), options, error);
	free(list);
	return good;
}

/* ---- All of them --------------------------------------------------------- */

#define MEMBER(member) .offset = offsetof(struct options, member)
#define FIELD(member)  .name = #member, MEMBER(member)

static const struct option known[] = {
	{.name = "listen", .parse = parse_listen},
	{FIELD(handoff), .parse = parse_handoff},
	{FIELD(certfile), .parse = parse_readable},
	{FIELD(keyfile), .parse = parse_readable},
	{FIELD(cafile), .parse = parse_readable},
	{FIELD(capath), .parse = parse_readable},
	{FIELD(crlfile), .parse = parse_readable},
	{FIELD(require_certificate), .parse = parse_flag},
	{FIELD(use_identity_as_username), .parse = parse_flag},
	{FIELD(max_connections), .parse = parse_number, .min = 1, .max = 1000000},
	{FIELD(max_connections_per_address), .parse = parse_number, .max = 1000000},
	{FIELD(max_handshakes), .parse = parse_number, .min = 1, .max = 1000000},
	{.name = "connect_timeout",
	 MEMBER(connect_timeout_s),
	 .parse = parse_number,
	 .min = 1,
	 .max = 600},
	{.name = "idle_timeout",
	 MEMBER(idle_timeout_s),
	 .parse = parse_idle_timeout,
	 .min = 10,
	 .max = 86400},
	{FIELD(memory_limit), .parse = parse_memory},
	{FIELD(retry), .parse = parse_retry},
	{FIELD(congestion_control), .parse = parse_congestion},
	{FIELD(proxy_protocol), .parse = parse_proxy},
	{FIELD(reset_key_file), .parse = parse_absolute},
	{FIELD(keylog_file), .parse = parse_text},
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

static void set_defaults(struct options *options)
{
	*options = (struct options){
		.max_handshakes = 1000,
		.connect_timeout_s = 10,
		.idle_timeout_s = 3600,
		.retry = MQUIC_RETRY_ADAPTIVE,
		.congestion_control = MQUIC_CONGESTION_CUBIC,
	};
}

/* Options of Mosquitto's TLS listeners that people will carry over and QUIC has no use for. */
static const struct {
	const char *name;
	const char *advice;
} foreign[] = {
	{"port", "give the port in plugin_opt_listen ADDRESS:PORT"},
	{"tls_version", "QUIC always uses TLS 1.3; remove the line"},
	{"ciphers", "QUIC always uses TLS 1.3 ciphers; remove the line"},
	{"ciphers_tls1.3", "the ciphers are not selectable; remove the line"},
	{"dhparamfile", "TLS 1.3 needs no parameters; remove the line"},
	{"psk_hint", "pre-shared keys are not supported; use certificates"},
	{"use_subject_as_username", "only use_identity_as_username is supported"},
	{"use_username_as_clientid",
	 "the user name that listener sees is a token; remove the line"},
};

/* Edit distance (Levenshtein) of two names, for "did you mean"; long names are just far away. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64];
	size_t i, j;

	if (strlen(a) >= 64 || strlen(b) >= 64)
		return SIZE_MAX;
	for (j = 0; j <= strlen(b); j++)
		row[j] = j;
	for (i = 1; i <= strlen(a); i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= strlen(b); j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[strlen(b)];
}

static bool fail_unknown(const char *name, char *error)
{
	const struct option *nearest = NULL;
	size_t best = 4; /* three wrong letters are still a typo */
	size_t i;

	for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (strcmp(foreign[i].name, name) == 0)
			return fail(error, "plugin_opt_%s does not apply to QUIC: %s", name,
				    foreign[i].advice);
	for (i = 0; i < KNOWN_COUNT; i++)
		if (distance(known[i].name, name) < best) {
			nearest = &known[i];
			best = distance(known[i].name, name);
		}
	if (nearest != NULL)
		return fail(error, "plugin_opt_%s is not an option; did you mean plugin_opt_%s?",
			    name, nearest->name);
	return fail(error, "plugin_opt_%s is not an option of this plugin; remove the line", name);
}

static const struct option *find(const char *name)
{
	size_t i;

	for (i = 0; i < KNOWN_COUNT; i++)
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

/* One line; `seen` has a bit per known option. */
static bool parse_one(struct options *options, const struct mosquitto_opt *line, uint32_t *seen,
		      char *error)
{
	const struct option *option = find(line->key);
	char value[4096];
	uint32_t bit;
	size_t len;

	if (option == NULL)
		return fail_unknown(line->key, error);
	bit = UINT32_C(1) << (option - known);
	if ((*seen & bit) != 0 && option->parse != parse_listen)
		return fail(error, "plugin_opt_%s is given twice; remove one of the lines",
			    option->name);
	*seen |= bit;
	len = strlen(line->value);
	while (len > 0 && strchr(" \t\r", line->value[len - 1]) != NULL)
		len--;
	if (len >= sizeof(value))
		return fail(error, "plugin_opt_%s: the value is too long", option->name);
	memcpy(value, line->value, len);
	value[len] = '\0';
	return option->parse(option, value, options, error);
}

/* ---- What need not be said ------------------------------------------------ */

static bool machine_has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool default_listen(struct options *options, char *error)
{
	return add_listen("listen", "0.0.0.0:14567", options, error) &&
	       (!machine_has_ipv6() || add_listen("listen", "[::]:14567", options, error));
}

/* server.key for server.crt. NULL: out of memory. */
static char *same_name_key(const char *certfile, size_t folder)
{
	const char *dot = strrchr(certfile + folder, '.');
	size_t stem = dot != NULL ? (size_t)(dot - certfile) : strlen(certfile);
	char *path;

	return asprintf(&path, "%.*s.key", (int)stem, certfile) < 0 ? NULL : path;
}

/*
 * certbot's privkey.pem for its fullchain.pem and cert.pem, and with the numbers of its archive.
 * *path is NULL for other names. False: out of memory.
 */
static bool certbot_key(const char *certfile, size_t folder, char **path)
{
	static const char *const names[] = {"fullchain", "cert"};
	const char *rest = NULL;
	size_t i;

	*path = NULL;
	for (i = 0; i < sizeof(names) / sizeof(names[0]) && rest == NULL; i++)
		if (strncmp(certfile + folder, names[i], strlen(names[i])) == 0)
			rest = certfile + folder + strlen(names[i]);
	if (rest == NULL || strcmp(rest + strspn(rest, "0123456789"), ".pem") != 0)
		return true;
	if (asprintf(path, "%.*sprivkey%s", (int)folder, certfile, rest) >= 0)
		return true;
	*path = NULL;
	return false;
}

/* Takes the first of both that is there, and says what is wrong with it, or that none is. */
static bool choose_keyfile(struct options *options, char *first, char *second, char *error)
{
	bool use_second = second != NULL && access(first, F_OK) != 0;
	const char *used = use_second ? second : first;

	if (access(used, R_OK) == 0) {
		options->keyfile = strdup(used);
		return options->keyfile != NULL || fail(error, "out of memory");
	}
	if (use_second && access(second, F_OK) != 0)
		return fail(error,
			    "plugin_opt_keyfile is missing, and neither %s nor %s is next to the "
			    "certificate. Name the PEM file of the server's private key",
			    first, second);
	return fail(error,
		    "plugin_opt_keyfile is missing, and %s, next to the certificate, cannot be "
		    "read: %s. Name the PEM file of the server's private key",
		    used, strerror(errno));
}

/* The key next to the certificate. */
static bool default_keyfile(struct options *options, char *error)
{
	const char *slash = strrchr(options->certfile, '/');
	size_t folder = slash != NULL ? (size_t)(slash + 1 - options->certfile) : 0;
	char *first = same_name_key(options->certfile, folder);
	char *second = NULL;
	bool good;

	if (first == NULL || !certbot_key(options->certfile, folder, &second))
		good = fail(error, "out of memory");
	else
		good = choose_keyfile(options, first, second, error);
	free(first);
	free(second);
	return good;
}

/* A quarter of the machine's memory. */
static uint64_t default_memory_limit(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long page_size = sysconf(_SC_PAGE_SIZE);
	uint64_t quarter =
		pages > 0 && page_size > 0 ? (uint64_t)pages * (uint64_t)page_size / 4 : 0;

	return quarter < MEMORY_LIMIT_MIN ? MEMORY_LIMIT_MIN : quarter;
}

/* Whose it is in the usual place, as of a broker that ran as root, must not keep this one down. */
static bool default_reset_key(struct options *options)
{
	bool locked = access(OPTIONS_RESET_KEY, F_OK) == 0 && access(OPTIONS_RESET_KEY, R_OK) != 0;

	if (options->reset_key_file == NULL && !locked)
		options->reset_key_file = strdup(OPTIONS_RESET_KEY);
	return options->reset_key_file != NULL || locked;
}

static bool add_defaults(struct options *options, char *error)
{
	if (options->memory_limit == 0)
		options->memory_limit = default_memory_limit();
	if (options->certfile == NULL)
		return fail(error, "plugin_opt_certfile is missing: name the PEM file of the "
				   "server's certificate");
	if (options->keyfile == NULL && !default_keyfile(options, error))
		return false;
	if (options->handoff == NULL)
		options->handoff = strdup(DEFAULT_HANDOFF);
	if (options->handoff == NULL || !default_reset_key(options))
		return fail(error, "out of memory");
	return options->listen_count > 0 || default_listen(options, error);
}

/* ---- What must not be said together --------------------------------------- */

static bool check_contradictions(const struct options *options, bool broker_2_1, char *error)
{
	bool has_ca = options->cafile != NULL || options->capath != NULL;

	if (options->require_certificate && !has_ca)
		return fail(error, "plugin_opt_require_certificate is true, but nothing says which "
				   "certificates to trust: add plugin_opt_cafile or "
				   "plugin_opt_capath");
	if (options->crlfile != NULL && !has_ca)
		return fail(error, "plugin_opt_crlfile needs plugin_opt_cafile or "
				   "plugin_opt_capath");
	if (options->use_identity_as_username && !options->require_certificate)
		return fail(error, "plugin_opt_use_identity_as_username is true, but clients need "
				   "not show a certificate: add \"plugin_opt_require_certificate "
				   "true\"");
	if (options->proxy_protocol && !broker_2_1)
		return fail(error,
			    "plugin_opt_proxy_protocol needs Mosquitto 2.1: remove the line");
	return true;
}

bool options_parse(struct options *options, const struct mosquitto_opt *given, int count,
		   bool broker_2_1, char error[OPTIONS_ERROR_SIZE])
{
	uint32_t seen = 0;
	int i;

	_Static_assert(KNOWN_COUNT <= 32, "one bit per option");
	set_defaults(options);
	for (i = 0; i < count; i++)
		if (!parse_one(options, &given[i], &seen, error))
			return false;
	return add_defaults(options, error) && check_contradictions(options, broker_2_1, error);
}

void options_clear(struct options *options)
{
	free(options->handoff);
	free(options->certfile);
	free(options->keyfile);
	free(options->cafile);
	free(options->capath);
	free(options->crlfile);
	free(options->reset_key_file);
	free(options->keylog_file);
	set_defaults(options);
}
