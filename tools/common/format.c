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
	"   @X is strftime's %X, @N nanoseconds, @@ an at sign; \\n \\t \\r \\a \\e \\v \\0 \\\\ "
	"as "
	"in C\n";

/* ---- what a message is made of ------------------------------------------- */

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

static void put_payload(FILE *out, const struct mquic_message *message)
{
	size_t len;
	const uint8_t *payload = mquic_message_payload(message, &len);

	put_bytes(out, payload, len);
}

static void put_hex(FILE *out, const struct mquic_message *message, const char *digits)
{
	size_t len;
	const uint8_t *payload = mquic_message_payload(message, &len);

	for (size_t i = 0; i < len; i++) {
		fputc(digits[payload[i] >> 4], out);
		fputc(digits[payload[i] & 15], out);
	}
}

static void put_length(FILE *out, const struct mquic_message *message)
{
	size_t len;

	mquic_message_payload(message, &len);
	fprintf(out, "%zu", len);
}

static void put_correlation_data(FILE *out, const struct mquic_message *message)
{
	size_t len = 0;
	const uint8_t *data = mquic_message_correlation_data(message, &len);

	put_bytes(out, data, len);
}

static void put_topic_alias(FILE *out, const struct mquic_message *message)
{
	uint16_t alias = mquic_message_topic_alias(message);

	if (alias)
		fprintf(out, "%u", (unsigned int)alias);
}

static void put_expiry(FILE *out, const struct mquic_message *message)
{
	uint32_t seconds;

	if (mquic_message_expiry_s(message, &seconds))
		fprintf(out, "%" PRIu32, seconds);
}

static void put_user_properties(FILE *out, const struct mquic_message *message)
{
	const char *name, *value;
	size_t name_len, value_len;

	for (size_t i = 0;
	     mquic_message_user_property(message, i, &name, &name_len, &value, &value_len); i++) {
		if (i > 0)
			fputc(' ', out);
		put_bytes(out, name, name_len);
		fputc(':', out);
		put_bytes(out, value, value_len);
	}
}

static void put_subscription_ids(FILE *out, const struct mquic_message *message)
{
	uint32_t id;

	for (size_t i = 0; (id = mquic_message_subscription_id(message, i)) != 0; i++)
		fprintf(out, "%s%" PRIu32, i > 0 ? " " : "", id);
}

/* ---- sequences ----------------------------------------------------------- */

static const char percent_letters[] = "%tpxXlqrmACDEFPRSIUjJ";
static const char padded_letters[] = "ACEFIlmpRStxX"; /* take a width, as mosquitto_sub's do */
static const char zeroed_letters[] = "AEFlmpSxX";     /* may be padded with zeros */
static const char cut_letters[] = "CIRt";	      /* take a precision */

#define WIDEST 9999

/* What stands between '%' and its letter, that included: %-010.5t */
struct sequence {
	bool left, zeros;
	bool is_cut;
	size_t width, precision;
	char letter;
};

/* What a message is printed with. */
struct printing {
	const struct mquic_message *message;
	struct timespec now;
	bool pretty;
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
	}
	sequence->letter = **at;
	return true;
}

static void put_strftime(FILE *out, const char *format, const struct timespec *now)
{
	char text[256];
	struct tm local;

	localtime_r(&now->tv_sec, &local);
	put_bytes(out, text, strftime(text, sizeof(text), format, &local));
}

/* Prints what the letter stands for, in full. */
static void put_value(FILE *out, char letter, const struct printing *printing)
{
	const struct mquic_message *message = printing->message;
	const struct timespec *now = &printing->now;

	switch (letter) {
	case 't':
		put_text(out, mquic_message_topic, message);
		break;
	case 'p':
		put_payload(out, message);
		break;
	case 'x':
		put_hex(out, message, "0123456789abcdef");
		break;
	case 'X':
		put_hex(out, message, "0123456789ABCDEF");
		break;
	case 'l':
		put_length(out, message);
		break;
	case 'q':
		fprintf(out, "%d", mquic_message_qos(message));
		break;
	case 'r':
		fprintf(out, "%d", mquic_message_retain(message));
		break;
	case 'm':
		fprintf(out, "%u", mquic_message_packet_id(message));
		break;
	case 'A':
		put_topic_alias(out, message);
		break;
	case 'C':
		put_text(out, mquic_message_content_type, message);
		break;
	case 'D':
		put_correlation_data(out, message);
		break;
	case 'E':
		put_expiry(out, message);
		break;
	case 'F':
		fputs(mquic_message_utf8_payload(message) ? "1" : "", out);
		break;
	case 'P':
		put_user_properties(out, message);
		break;
	case 'R':
		put_text(out, mquic_message_response_topic, message);
		break;
	case 'S':
		put_subscription_ids(out, message);
		break;
	case 'I':
		put_strftime(out, "%FT%T%z", now);
		break;
	case 'U':
		fprintf(out, "%" PRIdMAX ".%09ld", (intmax_t)now->tv_sec, now->tv_nsec);
		break;
	case 'j':
	case 'J':
		json_print(
			out, message, now,
			(struct json_style){.parsed = letter == 'J', .pretty = printing->pretty});
		break;
	default:
		fputc(letter, out);
	}
}

static void put_padding(FILE *out, const struct sequence *sequence, size_t used)
{
	bool zeros = sequence->zeros && !sequence->left && strchr(zeroed_letters, sequence->letter);

	for (size_t i = used; i < sequence->width; i++)
		fputc(zeros ? '0' : ' ', out);
}

/* A width counts bytes, as that of printf() does; a cut leaves no half character. */
static void put_field(FILE *out, const struct sequence *sequence, const char *value, size_t len)
{
	if (sequence->is_cut && strchr(cut_letters, sequence->letter))
		len = utf8_cut(value, len, sequence->precision);
	if (!sequence->left)
		put_padding(out, sequence, len);
	put_bytes(out, value, len);
	if (sequence->left)
		put_padding(out, sequence, len);
}

static void put_sequence(FILE *out, const struct sequence *sequence,
			 const struct printing *printing)
{
	char *value = NULL;
	size_t len;
	FILE *memory;

	if ((sequence->width == 0 && !sequence->is_cut) ||
	    !strchr(padded_letters, sequence->letter)) {
		put_value(out, sequence->letter, printing);
		return;
	}
	memory = open_memstream(&value, &len);
	if (memory) {
		put_value(memory, sequence->letter, printing);
		if (fclose(memory) == 0)
			put_field(out, sequence, value, len);
	}
	free(value);
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
	if (*start == '@' ||
	    strchr(*start == '%' ? percent_letters : escape_letters, sequence.letter))
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
