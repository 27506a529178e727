/* SPDX-License-Identifier: MIT */
#include "reason.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The CONNACK return codes of MQTT 3.1.1 (table 3.1), by the 5.0 codes the library reports. */
static const uint8_t return_codes[] = {0, 0x84, 0x85, 0x88, 0x86, 0x87};

int reason_exit_code(uint8_t reason, enum mquic_protocol protocol)
{
	if (protocol == MQUIC_PROTOCOL_MQTT_5)
		return reason ? reason : 1;
	for (size_t i = 1; i < COUNT(return_codes); i++)
		if (return_codes[i] == reason)
			return (int)i;
	return 1;
}
