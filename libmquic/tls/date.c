/* SPDX-License-Identifier: MIT */
#include "tls/date.h"

#include <stdio.h>

const char *tls_date(time_t when, char text[TLS_DATE_SIZE])
{
	struct tm parts;

	if (when == (time_t)-1 || gmtime_r(&when, &parts) == NULL ||
	    strftime(text, TLS_DATE_SIZE, "%Y-%m-%d %H:%M UTC", &parts) == 0)
		(void)snprintf(text, TLS_DATE_SIZE, "an unknown date");
	return text;
}
