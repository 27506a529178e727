/* SPDX-License-Identifier: MIT */
/* Packets that break a rule, one rule at a time, and the reason code that names it. */
#include "unit.h"

#include "mqtt-kit.h"

struct vector {
	int version;
	enum mqtt_reason reason;
	const char *bytes;
	const char *rule;
};

/* Reads each, from memory of exactly its size so that the sanitizers see a byte too many. */
static void check(const struct vector *vectors, size_t count)
{
	struct buf_writer writer;
	struct mqtt_packet packet;
	size_t i;

	for (i = 0; i < count; i++) {
		size_t len;
		uint8_t *made = kit_bytes(vectors[i].bytes, &len);
		uint8_t *exact = malloc(len);

		ck_assert_ptr_nonnull(exact);
		for (size_t j = 0; j < len; j++)
			exact[j] = made[j];
		free(made);
		ck_assert_msg(kit_packet(bytes_of(exact, len), &packet), "%s: framing: %s",
			      vectors[i].rule, vectors[i].bytes);
		buf_writer_init(&writer, MQTT_PACKET_MAX);
		ck_assert_msg(kit_again(&writer, &packet, vectors[i].version) == vectors[i].reason,
			      "%s: %s", vectors[i].rule, vectors[i].bytes);
		buf_writer_clear(&writer);
		free(exact);
	}
}

#define MALFORMED MQTT_MALFORMED_PACKET
#define PROTOCOL  MQTT_PROTOCOL_ERROR

START_TEST(connect_vectors)
{
	static const struct vector vectors[] = {
		{4, MQTT_SUCCESS, "10 0c 0004'MQTT' 04 02 0000 0000", "the smallest"},
		{5, MQTT_SUCCESS, "10 0d 0004'MQTT' 05 02 0000 00 0000", "the smallest of 5.0"},
		{3, MQTT_SUCCESS, "10 0f 0006'MQIsdp' 03 02 0000 0001'c'", "level 3"},
		{4, MQTT_SUCCESS, "10 0c 0004'MQTT' 84 02 0000 0000", "a bridge"},
		{3, MQTT_SUCCESS, "10 0f 0006'MQIsdp' 83 02 0000 0001'c'", "a bridge of level 3"},
		{3, MQTT_SUCCESS, "10 0f 0006'MQIsdp' 03 c2 0000 0001'c'", "3.1: names missing"},
		{3, MQTT_SUCCESS, "10 12 0006'MQIsdp' 03 c2 0000 0001'c' 0001'u'",
		 "3.1: password missing"},
		{3, MALFORMED, "10 10 0006'MQIsdp' 03 c2 0000 0001'c' 00", "3.1: half a length"},
		{4, MALFORMED, "11 0c 0004'MQTT' 04 02 0000 0000", "flags of the header"},
		{4, MALFORMED, "10 0b 0004'MQTT' 04 02 0000 00", "cut short"},
		{4, MALFORMED, "10 00", "nothing at all"},
		{4, MALFORMED, "10 05 0004'MQT'", "half a protocol name"},
		{4, MALFORMED, "10 0d 0004'MQTT' 04 02 0000 0000 00", "bytes behind the end"},
		{4, MQTT_UNSUPPORTED_VERSION, "10 0c 0004'MQTX' 04 02 0000 0000", "another name"},
		{4, MQTT_UNSUPPORTED_VERSION, "10 0c 0004'MQTT' 06 02 0000 0000", "level 6"},
		{4, MQTT_UNSUPPORTED_VERSION, "10 0c 0004'MQTT' 03 02 0000 0000",
		 "level 3 as MQTT"},
		{4, MQTT_UNSUPPORTED_VERSION, "10 0f 0006'MQIsdp' 04 02 0000 0001'c'",
		 "level 4 as MQIsdp"},
		{4, MALFORMED, "10 0c 0004'MQTT' 04 03 0000 0000", "reserved flag"},
		{5, MALFORMED, "10 0d 0004'MQTT' 05 03 0000 00 0000", "reserved flag of 5.0"},
		{4, MALFORMED, "10 0c 0004'MQTT' 04 0a 0000 0000", "will QoS without will"},
		{4, MALFORMED, "10 0c 0004'MQTT' 04 22 0000 0000", "will retain without will"},
		{4, MALFORMED, "10 11 0004'MQTT' 04 1e 0000 0000 0001'w' 0000", "will QoS 3"},
		{4, MQTT_TOPIC_NAME_INVALID, "10 11 0004'MQTT' 04 06 0000 0000 0001'#' 0000",
		 "will topic with a wildcard"},
		{4, MQTT_TOPIC_NAME_INVALID, "10 10 0004'MQTT' 04 06 0000 0000 0000 0000",
		 "empty will topic"},
		{4, MALFORMED, "10 0f 0004'MQTT' 04 06 0000 0000 0001'w'", "will payload missing"},
		{4, MALFORMED, "10 0f 0004'MQTT' 04 42 0000 0000 0001'p'", "3.1.1: password alone"},
		{5, MQTT_SUCCESS, "10 10 0004'MQTT' 05 42 0000 00 0000 0001'p'",
		 "5.0: password alone"},
		{4, MALFORMED, "10 0c 0004'MQTT' 04 82 0000 0000", "user name missing"},
		{4, MALFORMED, "10 0f 0004'MQTT' 04 82 0000 0000 0001 ff", "user name not UTF-8"},
		{4, MALFORMED, "10 0f 0004'MQTT' 04 82 0000 0000 0001 00", "NUL in the user name"},
		{4, MALFORMED, "10 0f 0004'MQTT' 04 02 0000 0003 eda080", "surrogate in the id"},
		{5, PROTOCOL, "10 10 0004'MQTT' 05 02 0000 03 210000 0000", "receive maximum 0"},
		{5, PROTOCOL, "10 12 0004'MQTT' 05 02 0000 05 2700000000 0000",
		 "maximum packet size 0"},
		{5, PROTOCOL, "10 0f 0004'MQTT' 05 02 0000 02 1702 0000", "problem information 2"},
		{5, PROTOCOL, "10 0f 0004'MQTT' 05 02 0000 02 1902 0000", "response information 2"},
		{5, PROTOCOL, "10 17 0004'MQTT' 05 02 0000 0a 1100000001 1100000001 0000",
		 "session expiry twice"},
		{5, PROTOCOL, "10 11 0004'MQTT' 05 02 0000 04 160001'd' 0000",
		 "authentication data without method"},
		{5, MALFORMED, "10 0f 0004'MQTT' 05 02 0000 02 0100 0000",
		 "payload format outside the will"},
		{5, MALFORMED, "10 0f 0004'MQTT' 05 02 0000 02 7f00 0000", "unknown property"},
		{5, MALFORMED, "10 10 0004'MQTT' 05 02 0000 03 a100ff 0000",
		 "overlong property id"},
		{5, MALFORMED, "10 0e 0004'MQTT' 05 02 0000 01 21 0000", "property cut short"},
		{5, MALFORMED, "10 0d 0004'MQTT' 05 02 0000 05 0000", "property length too long"},
		{5, MALFORMED, "10 0e 0004'MQTT' 05 02 0000 8000 0000", "overlong property length"},
		{5, MALFORMED, "10 0c 0004'MQTT' 05 02 0000 0000", "property length missing"},
		{5, MALFORMED, "10 18 0004'MQTT' 05 06 0000 00 0000 05 1100000001 0001'w' 0000",
		 "session expiry in the will"},
		{5, PROTOCOL, "10 17 0004'MQTT' 05 06 0000 00 0000 04 080001'#' 0001'w' 0000",
		 "response topic with a wildcard"},
		{5, MALFORMED, "10 14 0004'MQTT' 05 02 0000 07 260001 ff 0001'v' 0000",
		 "user property not UTF-8"},
	};

	check(vectors, COUNT(vectors));
}
END_TEST

START_TEST(connack_vectors)
{
	static const struct vector vectors[] = {
		{4, MQTT_SUCCESS, "20 02 01 00", "session present"},
		{4, MQTT_SUCCESS, "20 02 00 05", "refused"},
		{5, MQTT_SUCCESS, "20 03 00 87 00", "refused by 5.0"},
		{4, MALFORMED, "21 02 00 00", "flags of the header"},
		{4, MALFORMED, "20 02 02 00", "reserved acknowledge flags"},
		{4, MALFORMED, "20 02 00 06", "return code 6"},
		{4, MALFORMED, "20 01 00", "no return code"},
		{4, MALFORMED, "20 00", "nothing"},
		{4, MALFORMED, "20 03 00 00 00", "bytes behind the end"},
		{5, MALFORMED, "20 02 00 00", "5.0: property length missing"},
		{5, MALFORMED, "20 04 00 00 00 00", "5.0: bytes behind the end"},
		{5, MQTT_SUCCESS, "20 02 00 01", "5.0: refused by a server of 3.1.1"},
		{5, PROTOCOL, "20 02 00 06", "5.0: return code 6"},
		{5, PROTOCOL, "20 03 00 01 00", "5.0: return code of 3.1.1 with properties"},
		{5, MQTT_SUCCESS, "20 03 00 92 00", "5.0: refused with a code of other packets"},
		{5, PROTOCOL, "20 03 00 10 00", "5.0: success of another packet"},
		{4, PROTOCOL, "20 02 01 05", "session present although refused"},
		{5, PROTOCOL, "20 05 00 00 02 2402", "maximum QoS 2"},
		{5, PROTOCOL, "20 05 00 00 02 2502", "retain available 2"},
		{5, PROTOCOL, "20 06 00 00 03 210000", "receive maximum 0"},
		{5, PROTOCOL, "20 08 00 00 05 2700000000", "maximum packet size 0"},
		{5, PROTOCOL, "20 09 00 00 06 130001 130001", "keep-alive twice"},
		{5, MALFORMED, "20 05 00 00 02 1701", "a property of CONNECT"},
		{5, MALFORMED, "20 07 00 00 04 1f0001 ff", "reason string not UTF-8"},
	};

	check(vectors, COUNT(vectors));
}
END_TEST

START_TEST(publish_vectors)
{
	static const struct vector vectors[] = {
		{4, MQTT_SUCCESS, "30 03 0001't'", "the smallest"},
		{5, MQTT_SUCCESS, "30 04 0001't' 00", "the smallest of 5.0"},
		{5, MQTT_SUCCESS, "30 06 0000 03 230001", "an alias in place of the topic"},
		{4, MALFORMED, "36 05 0001't' 0001", "QoS 3"},
		{4, MALFORMED, "38 03 0001't'", "DUP with QoS 0"},
		{4, MALFORMED, "30 00", "nothing"},
		{4, MALFORMED, "30 02 0001", "topic missing"},
		{4, MALFORMED, "32 03 0001't'", "packet identifier missing"},
		{4, MALFORMED, "32 04 0001't' 00", "half a packet identifier"},
		{4, PROTOCOL, "32 05 0001't' 0000", "packet identifier 0"},
		{4, PROTOCOL, "30 02 0000", "empty topic"},
		{5, PROTOCOL, "30 03 0000 00", "empty topic without alias"},
		{4, MQTT_TOPIC_NAME_INVALID, "30 05 0003'a/+'", "+ in the topic"},
		{4, MQTT_TOPIC_NAME_INVALID, "30 03 0001'#'", "# in the topic"},
		{4, MALFORMED, "30 04 0002 c080", "topic not UTF-8"},
		{4, MALFORMED, "30 05 0003'a' 00 'b'", "NUL in the topic"},
		{5, MALFORMED, "30 03 0001't'", "5.0: property length missing"},
		{5, MALFORMED, "30 05 0001't' 02 01", "properties cut short"},
		{5, MQTT_TOPIC_ALIAS_INVALID, "30 07 0001't' 03 230000", "topic alias 0"},
		{5, PROTOCOL, "30 0a 0001't' 06 230001 230001", "topic alias twice"},
		{5, PROTOCOL, "30 06 0001't' 02 0b00", "subscription identifier 0"},
		{5, MQTT_SUCCESS, "30 08 0001't' 04 0b01 0b01", "subscription identifier twice"},
		{5, MALFORMED, "30 09 0001't' 05 0b80808080", "identifier of five bytes"},
		{5, PROTOCOL, "30 06 0001't' 02 0102", "payload format 2"},
		{5, PROTOCOL, "30 08 0001't' 04 0101 0101", "payload format twice"},
		{5, PROTOCOL, "30 08 0001't' 04 080001'+'", "response topic with a wildcard"},
		{5, PROTOCOL, "30 07 0001't' 03 080000", "empty response topic"},
		{5, MALFORMED, "30 09 0001't' 05 1100000001", "a property of CONNECT"},
		{5, MALFORMED, "30 08 0001't' 04 030001 ff", "content type not UTF-8"},
		{5, MQTT_SUCCESS, "30 08 0001't' 04 090001 ff", "correlation data is any bytes"},
	};

	check(vectors, COUNT(vectors));
}
END_TEST

START_TEST(acknowledgement_vectors)
{
	static const struct vector vectors[] = {
		{5, MQTT_SUCCESS, "40 04 0001 10 00", "PUBACK, empty properties"},
		{4, MALFORMED, "41 02 0001", "PUBACK: flags"},
		{4, MALFORMED, "52 02 0001", "PUBREC: flags"},
		{4, MALFORMED, "60 02 0001", "PUBREL: flags must be 2"},
		{4, MALFORMED, "72 02 0001", "PUBCOMP: flags"},
		{4, MALFORMED, "40 00", "nothing"},
		{4, MALFORMED, "40 01 00", "half a packet identifier"},
		{4, PROTOCOL, "40 02 0000", "packet identifier 0"},
		{5, PROTOCOL, "62 02 0000", "packet identifier 0"},
		{4, MALFORMED, "40 03 0001 00", "3.1.1 has no reason code"},
		{5, MQTT_SUCCESS, "40 03 0001 95", "PUBACK: refused with a code of DISCONNECT"},
		{5, MQTT_SUCCESS, "50 03 0001 95", "PUBREC: refused with a code of DISCONNECT"},
		{5, MQTT_SUCCESS, "40 03 0001 ff", "PUBACK: refused with a code nobody knows"},
		{5, MQTT_SUCCESS, "40 03 0001 92", "PUBACK: refused with a code of PUBREL"},
		{5, PROTOCOL, "50 03 0001 01", "PUBREC: unknown code"},
		{5, PROTOCOL, "62 03 0001 10", "PUBREL: a code of PUBREC"},
		{5, MQTT_SUCCESS, "62 03 0001 80", "PUBREL: an error of PUBREC"},
		{5, MQTT_SUCCESS, "70 03 0001 80", "PUBCOMP: an error of PUBREC"},
		{5, PROTOCOL, "70 03 0001 10", "PUBCOMP: success of PUBREC"},
		{5, MALFORMED, "40 05 0001 00 00 00", "bytes behind the end"},
		{5, MALFORMED, "40 05 0001 00 02 26", "properties cut short"},
		{5, PROTOCOL, "40 0c 0001 00 08 1f0001'a' 1f0001'b'", "reason string twice"},
		{5, MALFORMED, "40 07 0001 00 03 230001", "topic alias"},
	};

	check(vectors, COUNT(vectors));
}
END_TEST

START_TEST(subscribe_vectors)
{
	static const struct vector vectors[] = {
		{4, MQTT_SUCCESS, "82 06 0001 0001'#' 02", "the smallest"},
		{5, MQTT_SUCCESS, "82 07 0001 00 0001'#' 2e", "all options"},
		{4, MALFORMED, "80 06 0001 0001'#' 02", "flags must be 2"},
		{4, PROTOCOL, "82 06 0000 0001'#' 02", "packet identifier 0"},
		{4, PROTOCOL, "82 02 0001", "no filter"},
		{5, PROTOCOL, "82 03 0001 00", "5.0: no filter"},
		{4, MALFORMED, "82 05 0001 0001'#'", "options missing"},
		{4, MALFORMED, "82 06 0001 0001'#' 03", "QoS 3"},
		{4, MALFORMED, "82 06 0001 0001'#' 04", "3.1.1 knows no options"},
		{5, MALFORMED, "82 07 0001 00 0001'#' 03", "5.0: QoS 3"},
		{5, MALFORMED, "82 07 0001 00 0001'#' 40", "5.0: reserved options"},
		{5, PROTOCOL, "82 07 0001 00 0001'#' 30", "5.0: retain handling 3"},
		{5, PROTOCOL, "82 10 0001 00 000a'$share/g/x' 04", "no local on a shared one"},
		{4, MQTT_TOPIC_FILTER_INVALID, "82 07 0001 0002'a#' 00", "malformed filter"},
		{4, MQTT_TOPIC_FILTER_INVALID, "82 05 0001 0000 00", "empty filter"},
		{4, MALFORMED, "82 06 0001 0001 ff 00", "filter not UTF-8"},
		{5, PROTOCOL, "82 09 0001 02 0b00 0001'#' 00", "subscription identifier 0"},
		{5, PROTOCOL, "82 0b 0001 04 0b01 0b02 0001'#' 00", "two subscription identifiers"},
		{5, MALFORMED, "82 04 0001 05 0b", "properties cut short"},
		{4, MALFORMED, "82 01 00", "half a packet identifier"},
		{4, MQTT_SUCCESS, "a2 05 0001 0001'#'", "UNSUBSCRIBE"},
		{4, MALFORMED, "a0 05 0001 0001'#'", "UNSUBSCRIBE: flags must be 2"},
		{4, PROTOCOL, "a2 02 0001", "UNSUBSCRIBE: no filter"},
		{4, MQTT_TOPIC_FILTER_INVALID, "a2 06 0001 0002'#a'",
		 "UNSUBSCRIBE: malformed filter"},
		{5, MALFORMED, "a2 08 0001 02 0b01 0001'#'",
		 "UNSUBSCRIBE: subscription identifier"},
	};

	check(vectors, COUNT(vectors));
}
END_TEST

START_TEST(suback_vectors)
{
	static const struct vector vectors[] = {
		{4, MQTT_SUCCESS, "90 03 0001 80", "SUBACK"},
		{4, MQTT_SUCCESS, "b0 02 0001", "UNSUBACK"},
		{4, MALFORMED, "92 03 0001 00", "flags"},
		{4, PROTOCOL, "90 03 0000 00", "packet identifier 0"},
		{4, MALFORMED, "90 02 0001", "no codes"},
		{4, PROTOCOL, "90 03 0001 03", "3.1.1: code 3"},
		{4, MQTT_SUCCESS, "90 03 0001 87", "3.1.1: refused with a code of 5.0"},
		{5, MQTT_SUCCESS, "90 04 0001 00 95", "refused with a code of DISCONNECT"},
		{5, MQTT_SUCCESS, "b0 04 0001 00 ff", "UNSUBACK: refused with a code nobody knows"},
		{5, PROTOCOL, "90 04 0001 00 11", "a code of UNSUBACK"},
		{5, MALFORMED, "90 03 0001 00", "5.0: no codes"},
		{5, MALFORMED, "90 01 00", "cut short"},
		{4, MALFORMED, "b0 03 0001 00", "3.1.1: UNSUBACK with codes"},
		{5, PROTOCOL, "b0 04 0001 00 01", "a code of SUBACK"},
		{5, MALFORMED, "b0 03 0001 00", "5.0: UNSUBACK without codes"},
	};

	check(vectors, COUNT(vectors));
}
END_TEST

START_TEST(other_vectors)
{
	static const struct vector vectors[] = {
		{4, MQTT_SUCCESS, "c0 00", "PINGREQ"},
		{4, MQTT_SUCCESS, "d0 00", "PINGRESP"},
		{4, MALFORMED, "c1 00", "PINGREQ: flags"},
		{4, MALFORMED, "d0 01 00", "PINGRESP: with a body"},
		{4, MALFORMED, "e1 00", "DISCONNECT: flags"},
		{4, MALFORMED, "e0 01 00", "DISCONNECT: 3.1.1 has no reason"},
		{5, PROTOCOL, "e0 01 01", "DISCONNECT: unknown code"},
		{5, MQTT_SUCCESS, "e0 01 86", "DISCONNECT: a code of CONNACK"},
		{5, MQTT_SUCCESS, "e0 01 ff", "DISCONNECT: an error nobody knows"},
		{5, MALFORMED, "e0 03 00 00 00", "DISCONNECT: bytes behind the end"},
		{5, MALFORMED, "e0 05 00 03 210001", "DISCONNECT: receive maximum"},
		{5, PROTOCOL, "e0 0c 00 0a 1100000001 1100000001", "DISCONNECT: expiry twice"},
		{4, PROTOCOL, "f0 00", "AUTH in 3.1.1"},
		{5, MQTT_SUCCESS, "f0 00", "AUTH: success"},
		{5, PROTOCOL, "f0 01 18", "AUTH: no method"},
		{5, PROTOCOL, "f0 06 18 04 160001'd'", "AUTH: data without method"},
		{5, PROTOCOL, "f0 06 87 04 150001'm'", "AUTH: a code of CONNACK"},
		{5, MALFORMED, "f1 00", "AUTH: flags"},
	};

	check(vectors, COUNT(vectors));
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&connect_vectors,   &connack_vectors, &publish_vectors, &acknowledgement_vectors,
		&subscribe_vectors, &suback_vectors,  &other_vectors,
	};

	return unit_run("mqtt-malformed", NULL, NULL, tests, COUNT(tests));
}
