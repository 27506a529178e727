/* SPDX-License-Identifier: MIT */
/* The options that mquic-pub and mquic-sub have in common. */
#ifndef TOOLS_CLIENT_OPTIONS_H
#define TOOLS_CLIENT_OPTIONS_H

#include "option-file.h"
#include "options.h"
#include "tls-options.h"
#include "url.h"

#include <mquic.h>

/* Whom to talk to, and as whom. */
struct login {
	struct url url;
	const char *host;
	uint32_t port;
	const char *id, *id_prefix;
	const char *username, *password;
	/* Where the password is to come from if it is not there. */
	const char *password_file;
	bool password_prompt;
};

struct client_options {
	struct tls_options tls;
	struct login login;
	struct login defaults; /* what a file says of it */
	struct option_file file;
	char *secrets[3]; /* copies of passwords: of the command line, of the file, read later */
	uint32_t keep_alive_s;
	uint32_t qos;
	uint32_t max_inflight; /* 0: as many as the broker takes */
	uint32_t expiry_s;
	bool has_expiry;
	bool persistent;    /* -c */
	unsigned int debug; /* how often -d was given */
	bool reading_file;  /* options come from a file just now */
	bool manual_ack;    /* the tool acknowledges messages itself */
	enum mquic_protocol protocol;
	bool has_protocol;
	const char *property_option; /* "-D" or "--property" once it was given */

	const char *will_topic, *will_payload;
	uint32_t will_qos;
	uint32_t will_delay_s;
	bool will_retain, has_will_qos;

	/* Where -D puts properties. The tool sets what its own commands are about. */
	struct mquic_message *will;
	struct mquic_message *connect;    /* holds the user properties of CONNECT, nothing else */
	struct mquic_message *disconnect; /* the same of DISCONNECT */
	struct mquic_message *publish;
	struct mquic_subscription *subscribe, *unsubscribe;
	uint32_t receive_maximum, maximum_packet_size, topic_alias_maximum; /* 0: not given */
	uint32_t maximum_properties;                                        /* 0: not given */
	uint32_t problem_information, response_information;                 /* 0 or 1 */
	uint32_t topic_alias; /* of PUBLISH; the session chooses the number itself */
	const char *auth_method, *auth_data;
	const char *disconnect_text;
	uint32_t disconnect_expiry_s;
	bool has_disconnect_expiry;
};

extern const struct option_spec client_option_specs[];
/* Their part of --help. */
extern const char client_options_help[];

/*
 * Reads a file of options, the one that -o names or one below ~/.config, into the tables; false
 * after an error. What it says of the login waits in `defaults`.
 */
bool client_options_read_file(struct client_options *options, const struct option_table *tables,
			      const char *program, int argc, char **argv);

/* Defaults; false when out of memory. */
bool client_options_init(struct client_options *options);
void client_options_free(struct client_options *options);
/*
 * Whether they go together; says what does not. Afterwards host, port and the rest have their
 * final values, the password has been read, and the will has its topic.
 */
bool client_options_check(struct client_options *options);

#endif
