/* SPDX-License-Identifier: MIT */
#include "format.h"

#include "json/json.h"
#include "say.h"
#include "utf8.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char format_help[] =
	"\nSequences in the format of -F:\n"
	"   %t topic   %p payload   %x %X payload in hexadecimal   %l length of the payload\n"
	"   %q QoS     %r retained  %m packet identifier           %% a percent sign\n"
	"   %A topic alias   %C content type   %D correlation data   %E message expiry interval\n"
	"   %F payload format   %P user properties   %R response topic   %S subscription "
	"identifiers\n"
	"   %I time as ISO 8601   %U time as seconds since 1970\n"
	"   %j all of it as JSON, the payload as text   %J the payload as the JSON it is\n"
	"   %10t %-10t at least ten wide, right or left   %05l with zeros   %.10t at most ten\n"
	"   %.2x digits in groups of two   %.2:x the same with colons in between\n"
	"   @X is strftime's %X, @N nanoseconds, @@ an at sign; \\n \\t \\r \\a \\e \\v \\0 \\\\ "
	"as "
	"in C\n";

/* ---- what a message is made of ------------------------------------------- */

/* What a message is printed with. */
struct printing {
	const struct mquic_message *message;
	struct timespec now;
	bool pretty;
	size_t group; /* of how many hexadecimal digits, 0: all in one */
	char between; /* two groups */
};

static void put_bytes(FILE *out, const void *data, size_t len)
{
	if (data)
		fwrite(data, 1, len, out);
}

static void put_text(FILE *out, const char *(*get)(const struct mquic_message *, size_t *),
		     const struct mquic_message *message)
{
	size_t len = 0;
	const char *text = get(message, &len);

	put_bytes(out, text, len);
}

static void put_strftime(FILE *out, const char *format, const struct timespec *now)
{
	char text[256];
	struct tm local;

	localtime_r(&now->tv_sec, &local);
	put_bytes(out, text, strftime(text, sizeof(text), format, &local));
}

static void put_percent(FILE *out, const struct printing *printing)
{
	(void)printing;
	fputc('%', out);
}

static void put_topic(FILE *out, const struct printing *printing)
{
	put_text(out, mquic_message_topic, printing->message);
}

static void put_payload(FILE *out, const struct printing *printing)
{
	size_t len;
	const uint8_t *payload = mquic_message_payload(printing->message, &len);

	put_bytes(out, payload, len);
}

static void put_digits(FILE *out, const struct printing *printing, const char *digits)
{
	size_t len;
	const uint8_t *payload = mquic_message_payload(printing->message, &len);

	for (size_t i = 0; i < 2 * len; i++) {
		if (printing->group > 0 && i > 0 && i % printing->group == 0)
			fputc(printing->between, out);
		fputc(digits[i % 2 == 0 ? payload[i / 2] >> 4 : payload[i / 2] & 15], out);
	}
}

static void put_hex(FILE *out, const struct printing *printing)
{
	put_digits(out, printing, "0123456789abcdef");
}

static void put_capital_hex(FILE *out, const struct printing *printing)
{
	put_digits(out, printing, "0123456789ABCDEF");
}

static void put_length(FILE *out, const struct printing *printing)
{
	size_t len;

	mquic_message_payload(printing->message, &len);
	fprintf(out, "%zu", len);
}

static void put_qos(FILE *out, const struct printing *printing)
{
	fprintf(out, "%d", mquic_message_qos(printing->message));
}

static void put_retained(FILE *out, const struct printing *printing)
{
	fprintf(out, "%d", mquic_message_retain(printing->message));
}

static void put_packet_id(FILE *out, const struct printing *printing)
{
	fprintf(out, "%u", mquic_message_packet_id(printing->message));
}

static void put_topic_alias(FILE *out, const struct printing *printing)
{
	uint16_t alias = mquic_message_topic_alias(printing->message);

	if (alias)
		fprintf(out, "%u", (unsigned int)alias);
}

static void put_content_type(FILE *out, const struct printing *printing)
{
	put_text(out, mquic_message_content_type, printing->message);
}

static void put_correlation_data(FILE *out, const struct printing *printing)
{
	size_t len = 0;
	const uint8_t *data = mquic_message_correlation_data(printing->message, &len);

	put_bytes(out, data, len);
}

static void put_expiry(FILE *out, const struct printing *printing)
{
	uint32_t seconds;

	if (mquic_message_expiry_s(printing->message, &seconds))
		fprintf(out, "%" PRIu32, seconds);
}

static void put_payload_format(FILE *out, const struct printing *printing)
{
	fputs(mquic_message_utf8_payload(printing->message) ? "1" : "", out);
}

static void put_user_properties(FILE *out, const struct printing *printing)
{
	const char *name, *value;
	size_t name_len, value_len;

	for (size_t i = 0; mquic_message_user_property(printing->message, i, &name, &name_len,
						       &value, &value_len);
	     i++) {
		if (i > 0)
			fputc(' ', out);
		put_bytes(out, name, name_len);
		fputc(':', out);
		put_bytes(out, value, value_len);
	}
}

static void put_response_topic(FILE *out, const struct printing *printing)
{
	put_text(out, mquic_message_response_topic, printing->message);
}

static void put_subscription_ids(FILE *out, const struct printing *printing)
{
	uint32_t id;

	for (size_t i = 0; (id = mquic_message_subscription_id(printing->message, i)) != 0; i++)
		fprintf(out, "%s%" PRIu32, i > 0 ? " " : "", id);
}

static void put_iso_time(FILE *out, const struct printing *printing)
{
	put_strftime(out, "%FT%T%z", &printing->now);
}

static void put_unix_time(FILE *out, const struct printing *printing)
{
	fprintf(out, "%" PRIdMAX ".%09ld", (intmax_t)printing->now.tv_sec, printing->now.tv_nsec);
}

static void put_json(FILE *out, const struct printing *printing)
{
	json_print(out, printing->message, &printing->now,
		   (struct json_style){.pretty = printing->pretty});
}

static void put_parsed_json(FILE *out, const struct printing *printing)
{
	json_print(out, printing->message, &printing->now,
		   (struct json_style){.parsed = true, .pretty = printing->pretty});
}

/* ---- sequences ----------------------------------------------------------- */

/* What may stand between '%' and a letter, as with mosquitto_sub's; elsewhere it has no effect. */
enum {
	PADDED = 1, /* a width */
	ZEROED = 2, /* zeros to fill it */
	CUT = 4,    /* a precision */
	GROUPED = 8 /* one that stands for the digits of a group */
};

static const struct value {
	char letter;
	unsigned int takes;
	void (*put)(FILE *out, const struct printing *printing);
} values[] = {
	{'%', 0, put_percent},
	{'t', PADDED | CUT, put_topic},
	{'p', PADDED | ZEROED, put_payload},
	{'x', PADDED | ZEROED | GROUPED, put_hex},
	{'X', PADDED | ZEROED | GROUPED, put_capital_hex},
	{'l', PADDED | ZEROED, put_length},
	{'q', 0, put_qos},
	{'r', 0, put_retained},
	{'m', PADDED | ZEROED, put_packet_id},
	{'A', PADDED | ZEROED, put_topic_alias},
	{'C', PADDED | CUT, put_content_type},
	{'D', 0, put_correlation_data},
	{'E', PADDED | ZEROED, put_expiry},
	{'F', PADDED | ZEROED, put_payload_format},
	{'P', 0, put_user_properties},
	{'R', PADDED | CUT, put_response_topic},
	{'S', PADDED | ZEROED, put_subscription_ids},
	{'I', PADDED | CUT, put_iso_time},
	{'U', 0, put_unix_time},
	{'j', 0, put_json},
	{'J', 0, put_parsed_json},
};

/* What a letter stands for; NULL: nothing. */
static const struct value *find_value(char letter)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (values[i].letter == letter)
			return &values[i];
	return NULL;
}

#define WIDEST 9999

/* What may stand between groups of digits. */
static const char separators[] = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~";

/* What stands between '%' and its letter, that included: %-010.5t or %.2:x */
struct sequence {
	bool left, zeros;
	bool is_cut;
	size_t width, precision;
	char separator; /* '\0': none is given */
	char letter;
	const struct value *value; /* NULL: the letter stands for nothing */
};

/* A number of at most WIDEST; false if it is larger. */
static bool read_number(const char **at, size_t *number)
{
	for (*number = 0; isdigit((unsigned char)**at); ++*at) {
		*number = *number * 10 + (size_t)(**at - '0');
		if (*number > WIDEST)
			return false;
	}
	return true;
}

/* Reads on from behind the '%' to the letter; false if a number is too large. */
static bool read_sequence(const char **at, struct sequence *sequence)
{
	memset(sequence, 0, sizeof(*sequence));
	if (**at == '-') {
		sequence->left = true;
		++*at;
	}
	if (**at == '0') {
		sequence->zeros = true;
		++*at;
	}
	if (!read_number(at, &sequence->width))
		return false;
	if (**at == '.') {
		sequence->is_cut = true;
		++*at;
		if (!read_number(at, &sequence->precision))
			return false;
		if (**at != '\0' && strchr(separators, **at))
			sequence->separator = *(*at)++;
	}
	sequence->letter = **at;
	sequence->value = find_value(sequence->letter);
	if (sequence->separator && sequence->value && !(sequence->value->takes & GROUPED))
		sequence->value = NULL;
	return true;
}

/* A width counts bytes, as that of printf() does; a cut leaves no half character. */
static void put_field(FILE *out, const struct sequence *sequence, const char *text, size_t len)
{
	bool zeros = sequence->zeros && !sequence->left && (sequence->value->takes & ZEROED);

	if (sequence->is_cut && (sequence->value->takes & CUT))
		len = utf8_cut(text, len, sequence->precision);
	if (sequence->left)
		put_bytes(out, text, len);
	for (size_t i = len; i < sequence->width; i++)
		fputc(zeros ? '0' : ' ', out);
	if (!sequence->left)
		put_bytes(out, text, len);
}

static void put_sequence(FILE *out, const struct sequence *sequence, struct printing *printing)
{
	char *text = NULL;
	size_t len;
	FILE *memory;

	printing->group = sequence->precision;
	printing->between = sequence->separator ? sequence->separator : ' ';
	if ((sequence->width == 0 && !sequence->is_cut) || !(sequence->value->takes & PADDED)) {
		sequence->value->put(out, printing);
		return;
	}
	memory = open_memstream(&text, &len);
	if (memory) {
		sequence->value->put(memory, printing);
		if (fclose(memory) == 0)
			put_field(out, sequence, text, len);
	}
	free(text);
}

static void put_time(FILE *out, char letter, const struct timespec *now)
{
	const char format[] = {'%', letter, '\0'};

	if (letter == '@')
		fputc('@', out);
	else if (letter == 'N')
		fprintf(out, "%09ld", now->tv_nsec);
	else
		put_strftime(out, format, now);
}

static const char escape_letters[] = "\\0aenrtv";
static const char escape_values[] = "\\\0\a\033\n\r\t\v";

static void put_escape(FILE *out, char letter)
{
	fputc(escape_values[strchr(escape_letters, letter) - escape_letters], out);
}

/* Checks what is behind the '%', '@' or backslash at `*at`, and leaves `*at` at its end. */
static bool check_sequence(const char **at)
{
	const char *start = (*at)++;
	struct sequence sequence = {.letter = **at};

	if (*start == '%' && !read_sequence(at, &sequence))
		return say_usage("A number behind '%%' in -F can be %d at most.", WIDEST);
	if (sequence.letter == '\0')
		return say_usage("Incomplete format specifier '%s' at the end of -F.", start);
	if (*start == '@' || sequence.value ||
	    (*start == '\\' && strchr(escape_letters, sequence.letter)))
		return true;
	return say_usage("Invalid format specifier '%.*s' in -F.", (int)(*at - start) + 1, start);
}

bool format_check(const char *format)
{
	for (; *format; format++)
		if (strchr("%@\\", *format) && !check_sequence(&format))
			return false;
	return true;
}

void format_print(FILE *out, const char *format, bool pretty, const struct mquic_message *message)
{
	struct printing printing = {.message = message, .pretty = pretty};
	struct sequence sequence;

	clock_gettime(CLOCK_REALTIME, &printing.now);
	for (; *format; format++) {
		if (*format == '%') {
			format++;
			(void)read_sequence(&format, &sequence);
			put_sequence(out, &sequence, &printing);
		} else if (*format == '@') {
			put_time(out, *++format, &printing.now);
		} else if (*format == '\\') {
			put_escape(out, *++format);
		} else {
			fputc(*format, out);
		}
	}
}
