/* SPDX-License-Identifier: MIT */
#include "reason.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	uint8_t reason;
	bool passing;
	const char *text;
} reasons[] = {
	{0x10, false, "no matching subscribers"},
	{0x11, false, "no subscription existed"},
	{0x80, true, "unspecified error"},
	{0x81, false, "malformed packet"},
	{0x82, false, "protocol error"},
	{0x83, true, "implementation specific error"},
	{0x84, false, "unsupported protocol version"},
	{0x85, false, "client identifier not valid"},
	{0x86, false, "bad user name or password"},
	{0x87, false, "not authorized"},
	{0x88, true, "server unavailable"},
	{0x89, true, "server busy"},
	{0x8a, false, "banned"},
	{0x8b, true, "server shutting down"},
	{0x8c, false, "bad authentication method"},
	{0x8d, true, "keep-alive timeout"},
	{0x8e, false, "session taken over"},
	{0x8f, false, "topic filter invalid"},
	{0x90, false, "topic name invalid"},
	{0x91, false, "packet identifier in use"},
	{0x92, false, "packet identifier not found"},
	{0x93, false, "receive maximum exceeded"},
	{0x94, false, "topic alias invalid"},
	{0x95, false, "packet too large"},
	{0x96, true, "message rate too high"},
	{0x97, true, "quota exceeded"},
	{0x98, false, "administrative action"},
	{0x99, false, "payload format invalid"},
	{0x9a, false, "retain not supported"},
	{0x9b, false, "QoS not supported"},
	{0x9c, false, "use another server"},
	{0x9d, false, "server moved"},
	{0x9e, false, "shared subscriptions not supported"},
	{0x9f, true, "connection rate exceeded"},
	{0xa0, true, "maximum connect time"},
	{0xa1, false, "subscription identifiers not supported"},
	{0xa2, false, "wildcard subscriptions not supported"},
};

/* MQTT 3.1.1 table 3.1, by the 5.0 codes the library reports. */
static const uint8_t connack_3_1_1[] = {0, 0x84, 0x85, 0x88, 0x86, 0x87};

bool reason_is_passing(uint8_t reason)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].reason == reason)
			return reasons[i].passing;
	return false;
}

const char *reason_text(uint8_t reason)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].reason == reason)
			return reasons[i].text;
	return reason < 0x80 ? "success" : "unknown reason";
}

int reason_exit_code(uint8_t reason, enum mquic_protocol protocol)
{
	if (protocol == MQUIC_PROTOCOL_MQTT_5)
		return reason ? reason : 1;
	for (size_t i = 1; i < COUNT(connack_3_1_1); i++)
		if (connack_3_1_1[i] == reason)
			return (int)i;
	return 1;
}
