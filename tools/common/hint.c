/* SPDX-License-Identifier: MIT */
#include "hint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The library's words for a setting, and the option that the tools have for it. */
static const struct {
	const char *words;
	const char *option;
} hints[] = {
	{"set it as the server name", "--server-name"},
	{"set the server name", "--server-name"},
	{"cannot be the name of a server; set one that can", "--server-name"},
	{"set the CA file", "--cafile"},
	{"set a CA file", "--cafile"},
	{"set a certificate and its key", "--cert and --key"},
	{"set the maximum packet size", "--max-packet-size"},
	{"set the maximum of properties", "--max-properties"},
	{"of this machine to dial from", "-A"},
	{"which is to be dialed from", "-A"},
	{"the ALPN setting", "--tls-alpn"},
};

static char *insert(char *sentence, size_t at, const char *option)
{
	char *longer;

	if (asprintf(&longer, "%.*s (%s)%s", (int)at, sentence, option, sentence + at) < 0)
		return sentence;
	free(sentence);
	return longer;
}

char *hint_options(char *sentence)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++) {
		const char *found = strstr(sentence, hints[i].words);

		if (found)
			sentence = insert(sentence,
					  (size_t)(found - sentence) + strlen(hints[i].words),
					  hints[i].option);
	}
	return sentence;
}
