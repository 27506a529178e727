/* SPDX-License-Identifier: MIT */
/*
 * mquic inside a poll() loop that has other things to do: one endpoint carries two sessions,
 * and one descriptor stands for them both. What is typed is published by the first session
 * and comes back through the second.
 *
 *     poll-loop mqtt-quic://localhost ca.crt chat
 */
#include <mquic.h>

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

struct chat {
	struct mquic_endpoint *endpoint;
	struct mquic_session *talker, *listener;
	struct mquic_message *message; /* what the talker sends; its topic is set once */
	bool over;
};

static void handle(struct chat *chat, const struct mquic_event *event)
{
	const char *who = mquic_event_session(event) == chat->talker ? "talker" : "listener";
	const struct mquic_message *message = mquic_event_message(event);

	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_CONNECTED:
		printf("the %s is connected\n", who);
		break;
	case MQUIC_EVENT_MESSAGE:
		printf("the %s hears: %s", who, (const char *)mquic_message_payload(message, NULL));
		break;
	case MQUIC_EVENT_DISCONNECTED:
		printf("the %s is not connected: %s\n", who, mquic_event_text(event));
		chat->over = true;
		break;
	default:
		break;
	}
}

/* Does what is due and pulls until the queue is empty, which also sends what waits. */
static void serve_mquic(struct chat *chat)
{
	struct mquic_event *event;

	if (mquic_endpoint_process(chat->endpoint) != MQUIC_OK)
		chat->over = true;
	while ((event = mquic_endpoint_next_event(chat->endpoint)) != NULL) {
		handle(chat, event);
		mquic_event_free(event);
	}
}

static void serve_terminal(struct chat *chat)
{
	uint8_t line[1024];
	ssize_t len = read(STDIN_FILENO, line, sizeof(line));

	if (len <= 0)
		chat->over = true;
	else if (mquic_message_set_payload(chat->message, line, (size_t)len))
		fprintf(stderr, "%s\n", mquic_message_error(chat->message));
	else if (mquic_session_publish(chat->talker, chat->message, NULL))
		fprintf(stderr, "%s\n", mquic_session_error(chat->talker));
}

static void run(struct chat *chat)
{
	struct pollfd fds[] = {
		{.fd = mquic_endpoint_get_fd(chat->endpoint), .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN},
	};

	while (!chat->over && poll(fds, 2, -1) > 0) {
		if (fds[1].revents)
			serve_terminal(chat);
		serve_mquic(chat);
	}
}

static bool set_up(struct chat *chat, const char *url, const char *ca_file, const char *topic)
{
	struct mquic_settings *settings = NULL;
	bool ready = false;

	if (mquic_settings_new(&settings) || mquic_settings_set_ca_file(settings, ca_file))
		fprintf(stderr, "%s\n", mquic_settings_error(settings));
	else if (mquic_endpoint_new(&chat->endpoint) ||
		 mquic_session_new(&chat->talker, chat->endpoint, settings) ||
		 mquic_session_new(&chat->listener, chat->endpoint, settings))
		fprintf(stderr, "%s\n", mquic_endpoint_error(chat->endpoint));
	else if (mquic_message_new(&chat->message) ||
		 mquic_message_set_topic(chat->message, topic, MQUIC_NUL_TERMINATED))
		fprintf(stderr, "%s\n", mquic_message_error(chat->message));
	else if (mquic_session_connect_url(chat->talker, url))
		fprintf(stderr, "%s\n", mquic_session_error(chat->talker));
	else if (mquic_session_connect_url(chat->listener, url) ||
		 mquic_session_subscribe(chat->listener, topic, MQUIC_NUL_TERMINATED, 0, NULL))
		fprintf(stderr, "%s\n", mquic_session_error(chat->listener));
	else
		ready = true;
	mquic_settings_free(settings);
	return ready;
}

int main(int argc, char **argv)
{
	struct chat chat = {0};
	bool ready;

	if (argc != 4) {
		fprintf(stderr, "usage: poll-loop URL CAFILE TOPIC\n");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	ready = set_up(&chat, argv[1], argv[2], argv[3]);
	if (ready)
		run(&chat);
	mquic_message_free(chat.message);
	mquic_session_free(chat.listener);
	mquic_session_free(chat.talker);
	mquic_endpoint_free(chat.endpoint);
	return ready ? 0 : 1;
}
