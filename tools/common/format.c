/* SPDX-License-Identifier: MIT */
#include "format.h"

#include "say.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

const char format_help[] =
	"\nSequences in the format of -F:\n"
	"   %t topic   %p payload   %x %X payload in hexadecimal   %l length of the payload\n"
	"   %q QoS     %r retained  %m packet identifier           %% a percent sign\n"
	"   %C content type   %D correlation data   %E message expiry interval\n"
	"   %F payload format   %P user properties   %R response topic   %S subscription "
	"identifiers\n"
	"   %I time as ISO 8601   %U time as seconds since 1970\n"
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

static const char percent_letters[] = "%tpxXlqrmCDEFPRSIU";

static void put_strftime(FILE *out, const char *format, const struct timespec *now)
{
	char text[256];
	struct tm local;

	localtime_r(&now->tv_sec, &local);
	put_bytes(out, text, strftime(text, sizeof(text), format, &local));
}

static void put_percent(FILE *out, char letter, const struct mquic_message *message,
			const struct timespec *now)
{
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
		fprintf(out, "%d", mquic_message_utf8_payload(message));
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
	default:
		fputc(letter, out);
	}
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

static bool check_sequence(char start, char letter)
{
	const char *known = start == '%' ? percent_letters : escape_letters;

	if (letter == '\0')
		return say_usage("Incomplete format specifier '%c' at the end of -F.", start);
	if (start == '@' || strchr(known, letter))
		return true;
	return say_usage("Invalid format specifier '%c%c' in -F.", start, letter);
}

bool format_check(const char *format)
{
	for (; *format; format++)
		if (strchr("%@\\", *format)) {
			if (!check_sequence(format[0], format[1]))
				return false;
			format++;
		}
	return true;
}

void format_print(FILE *out, const char *format, const struct mquic_message *message)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (; *format; format++) {
		if (*format == '%')
			put_percent(out, *++format, message, &now);
		else if (*format == '@')
			put_time(out, *++format, &now);
		else if (*format == '\\')
			put_escape(out, *++format);
		else
			fputc(*format, out);
	}
}
