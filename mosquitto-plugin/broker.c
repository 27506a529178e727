/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <string.h>

#include "broker.h"

void broker_detect(struct broker *broker)
{
	void *symbol = dlsym(RTLD_DEFAULT, "mosquitto_client_port");

	/* POSIX promises that this works; ISO C knows no such cast. */
	memcpy(&broker->client_port, &symbol, sizeof(symbol));
}
