/* SPDX-License-Identifier: MIT */
/*
 * The one line about a client that has left. Tools read it, so its form is a promise, which
 * doc/operators.md makes: what the client has chosen comes last, and in quotes that it cannot end.
 */
#include <stdio.h>

#include "client.h"

/* Of the texts of a client no more, so that the line stays whole. */
#define ID_SIZE   65
#define USER_SIZE 97

/* Room for the verdict, and for a reason with a code. */
#define WORDS_SIZE 96

/* MQTT 3.1.1 has five reasons (3.2.2.3), all of which are among those of 5.0. */
static uint8_t modern_code(uint8_t code)
{
	static const uint8_t codes[] = {0, 0x84, 0x85, 0x88, 0x86, 0x87};

	return code < sizeof(codes) ? codes[code] : code;
}

static const char *verdict(const struct client *client, char words[WORDS_SIZE])
{
	int code = client->from_broker.connack;

	if (code == PACKETS_NONE)
		return "unanswered";
	if (code == 0)
		return "accepted";
	snprintf(words, WORDS_SIZE, "refused (0x%02x, %s)", (unsigned int)code,
		 mquic_reason_text(modern_code((uint8_t)code)));
	return words;
}

static const char *said(const char *who, int code, char words[WORDS_SIZE])
{
	if (code == 0)
		snprintf(words, WORDS_SIZE, "%s sent DISCONNECT", who);
	else
		snprintf(words, WORDS_SIZE, "%s sent DISCONNECT (0x%02x, %s)", who,
			 (unsigned int)code, mquic_reason_text((uint8_t)code));
	return words;
}

/* Whoever has said good bye has ended it, whatever came after that. */
static const char *reason(const struct client *client, const char *why, char words[WORDS_SIZE])
{
	if (client_is_given_up(client))
		return client->end.refusal.reason;
	if (client->from_client.disconnect != PACKETS_NONE)
		return said("the client", client->from_client.disconnect, words);
	if (client->from_broker.disconnect != PACKETS_NONE)
		return said("the broker", client->from_broker.disconnect, words);
	return why;
}

/* Where there are several listeners, the client's. */
static const char *listener_of(const struct client *client, char words[WORDS_SIZE])
{
	words[0] = '\0';
	if (client->settings->name != NULL)
		snprintf(words, WORDS_SIZE, ", listener %s", client->settings->name);
	return words;
}

/* Strangers come as far as that without a login. */
static void report_stranger(struct client *client, const char *peer, const char *why)
{
	char words[WORDS_SIZE];

	speaker_say_about_client(&client->clients->speaker, MQUIC_LOG_INFO,
				 "QUIC client %s has left: login none%s, %s", peer,
				 listener_of(client, words), why);
}

static void report_guest(struct client *client, const char *peer, const char *why)
{
	const char *user =
		client->user != NULL ? client->user : mquic_relay_username(client->relay, NULL);
	unsigned long long age_ms = client->clients->now_ms - client->accepted_ms;
	char id_text[ID_SIZE], user_text[USER_SIZE], words[WORDS_SIZE], listener[WORDS_SIZE];

	(void)mquic_text_printable(id_text, sizeof(id_text),
				   mquic_relay_client_id(client->relay, NULL), MQUIC_NUL_TERMINATED,
				   '\'');
	(void)mquic_text_printable(user_text, sizeof(user_text), user, MQUIC_NUL_TERMINATED, '\'');
	speaker_say(&client->clients->speaker, MQUIC_LOG_INFO,
		    "QUIC client %s has left: login %s, %llu s%s, id '%s', %s%s%s: %s", peer,
		    verdict(client, words), age_ms / 1000, listener_of(client, listener), id_text,
		    user != NULL ? "user '" : "no user", user_text, user != NULL ? "'" : "", why);
}

void client_report(struct client *client, const char *why)
{
	const struct mquic_connection *connection = mquic_relay_connection(client->relay);
	const char *peer = mquic_connection_peer_address(connection);
	char words[WORDS_SIZE];

	why = reason(client, why, words);
	if (client->state == CLIENT_WAITING)
		report_stranger(client, peer, why);
	else
		report_guest(client, peer, why);
}
