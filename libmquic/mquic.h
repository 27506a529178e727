/* SPDX-License-Identifier: MIT */
/**
 * @file mquic.h
 * @brief libmquic: MQTT over QUIC.
 *
 * In one breath: *settings* describe how to talk; an *endpoint* owns the UDP
 * sockets, the clock and one file descriptor; a *connection* is one QUIC
 * connection and a *stream* one ordered pair of byte flows on it; a *session* is
 * an MQTT client on such a connection and a *relay* the server side of one MQTT
 * client; a *message* is what travels and an *event* is what happened.
 *
 * @par The loop
 * Nothing calls back (only the log sink does). Wait until the descriptor of
 * mquic_endpoint_get_fd() is readable, or let mquic_endpoint_wait() wait, then
 * call mquic_endpoint_process() and pull events with
 * mquic_endpoint_next_event() until it returns NULL:
 *
 * @code
 *     while (mquic_endpoint_wait(endpoint, -1) == MQUIC_OK)
 *             while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
 *                     handle(event);
 *                     mquic_event_free(event);
 *             }
 * @endcode
 *
 * @par Threads
 * libmquic shares nothing between endpoints. An endpoint and everything
 * made on it belong to one thread at a time; different endpoints may be used from
 * different threads at once. mquic_endpoint_wakeup() alone may be called from any
 * thread at any time. This rule holds for every call below.
 *
 * All work is done in the threads that call, but for one thing: getaddrinfo() blocks, and only it
 * knows hosts, DNS, multicast DNS and whatever else the system asks for names. So while a host
 * name, not a numeric address, is looked up, a helper thread waits for the answer: one for each
 * name, at most four of an endpoint at a time; further lookups wait their turn. A helper thread
 * blocks all signals, touches nothing of the program's, and ends with its lookup. Freeing a
 * connection, session or endpoint meanwhile is as good as at any time and does not wait: the thread
 * ends by itself when the system has answered. If the endpoint is freed before that, a library
 * that was loaded with dlopen() stays loaded.
 *
 * @par fork()
 * An endpoint and everything made on it belong to the process that made them. In a child of
 * fork() they are dead: every call that would do something answers #MQUIC_ERR_FORKED,
 * mquic_endpoint_next_event() gives NULL and mquic_endpoint_get_fd() -1, nothing is sent,
 * received or said goodbye to, and the parent's connections go on. Freeing them gives memory and
 * the child's copies of descriptors back, unless another thread was just processing: then it
 * does nothing. Settings, messages and subscriptions are as good as before, and a new endpoint
 * can be made. A program that becomes a daemon does so first. A child of vfork() may only exec.
 *
 * @par Ownership
 * What a `_new`, `_open`, `_dial` or `_accept` function hands out is yours until
 * you give it to the matching `_free`, which accepts NULL. Objects may be freed in
 * any order: an object whose parent is gone stays valid, answers
 * #MQUIC_ERR_CLOSED, and is still yours to free. Freeing an object removes its
 * events from the queue. Settings, messages, subscriptions and byte buffers are
 * copied by the call that takes them. A pointer from a getter lives as long as its
 * object, or until the object is changed.
 *
 * @par Text and sizes
 * Text is UTF-8 with a length in bytes; ::MQUIC_NUL_TERMINATED as the length means
 * that the text ends at its first NUL. File names and host names are always NUL
 * terminated. A getter's `len` may be NULL. The unit of a time is in its name
 * (`_ms`, `_s`).
 *
 * @par Errors
 * A function that can fail returns an ::mquic_status: #MQUIC_OK is 0, errors are
 * negative. After an error `mquic_<object>_error()` gives a sentence that says
 * what is wrong and how to mend it: of the object that the call was made on, or that the new
 * one was to be made on. A setter that refuses a value keeps the old one.
 * #MQUIC_ERR_MEMORY can come from any call that allocates and is not repeated below. A
 * library built for a small device may lack the server side or MQTT: then
 * mquic_endpoint_listen(), _listen_fd(), _accept() and _reload(), or what creates sessions,
 * messages, subscriptions, URLs and relays, answer #MQUIC_ERR_UNSUPPORTED. Distributions leave
 * nothing out.
 */
#ifndef MQUIC_H
#define MQUIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what the shared library exports. Since: 0.1 */
#if defined(__GNUC__)
#define MQUIC_API __attribute__((visibility("default")))
#else
#define MQUIC_API
#endif

/** The version of this header: the one a program is compiled with. Since: 0.1 */
#define MQUIC_VERSION_MAJOR 0
/** See ::MQUIC_VERSION_MAJOR. Since: 0.1 */
#define MQUIC_VERSION_MINOR 1
/** See ::MQUIC_VERSION_MAJOR. Since: 0.1 */
#define MQUIC_VERSION_PATCH 0
/**
 * The version of this header as a number that grows, for `#if`: what says `Since: 0.2` is there
 * from 0x000200 on. That of the library at run time is mquic_version(). Since: 0.1
 */
#define MQUIC_VERSION_NUMBER                                                                       \
	(MQUIC_VERSION_MAJOR * 0x10000 + MQUIC_VERSION_MINOR * 0x100 + MQUIC_VERSION_PATCH)

/** Length of text that ends at its first NUL. Since: 0.1 */
#define MQUIC_NUL_TERMINATED ((size_t)-1)

/** UDP port of MQTT over QUIC by convention; IANA has assigned none. Since: 0.1 */
#define MQUIC_PORT 14567

struct mquic_settings;
struct mquic_endpoint;
struct mquic_connection;
struct mquic_stream;
struct mquic_session;
struct mquic_relay;
struct mquic_message;
struct mquic_subscription;
struct mquic_url;
struct mquic_event;

/* ---- Status ------------------------------------------------------------- */

/** Result of a call. New values may be added; treat unknown ones as failure. Since: 0.1 */
enum mquic_status {
	/** Done. */
	MQUIC_OK = 0,
	/** Nothing there yet, or no room now; an event tells when to try again. */
	MQUIC_ERR_AGAIN = -1,
	/** An argument is not acceptable: NULL handle, value out of range, malformed text. */
	MQUIC_ERR_INVALID = -2,
	/** The object is not in a state that allows this call. */
	MQUIC_ERR_STATE = -3,
	/** Out of memory. Nothing was changed. */
	MQUIC_ERR_MEMORY = -4,
	/** The operating system refused; the sentence carries its reason. */
	MQUIC_ERR_SYSTEM = -5,
	/** The object's connection, or the object it was made on, is gone. */
	MQUIC_ERR_CLOSED = -6,
	/** Larger than the peer, the protocol or a setting allows. */
	MQUIC_ERR_TOO_LARGE = -7,
	/** Certificate, key or trust could not be loaded or verified (RFC 9001 section 4). */
	MQUIC_ERR_TLS = -8,
	/** A host name could not be resolved. */
	MQUIC_ERR_RESOLVE = -9,
	/** The peer refused: nothing listens there, or CONNACK carries a refusal. */
	MQUIC_ERR_REFUSED = -10,
	/** The peer broke the rules of QUIC or MQTT. */
	MQUIC_ERR_PROTOCOL = -11,
	/** The peer did not answer in time. */
	MQUIC_ERR_TIMEOUT = -12,
	/** A configured limit on a number of objects is reached. */
	MQUIC_ERR_LIMIT = -13,
	/** Not in this build of the library, which was made without its server side or MQTT. */
	MQUIC_ERR_UNSUPPORTED = -14,
	/** Made before fork(), in the parent process, to which it belongs: make a new one. */
	MQUIC_ERR_FORKED = -15
};

/** A short English name of `status`, such as "timed out"; never NULL. Static. Since: 0.1 */
MQUIC_API const char *mquic_status_text(enum mquic_status status);

/**
 * A few English words for a reason code of MQTT 5.0 section 2.4, such as "not authorized";
 * never NULL. Static. Since: 0.1
 */
MQUIC_API const char *mquic_reason_text(uint8_t reason);

/** The version of the library at run time, "MAJOR.MINOR.PATCH". Static. Since: 0.1 */
MQUIC_API const char *mquic_version(void);

/**
 * Copies `text`, that may come from a peer, for people to read in a line of a log or on a
 * terminal. A '?' stands for each byte that is not UTF-8 and for each character that would end
 * the line, steer a terminal, change the direction of the text around it, or show nothing at
 * all: controls (U+0000 to U+001F, U+007F to U+009F), line and paragraph separators (U+2028,
 * U+2029), bidirectional marks (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069),
 * and invisible ones such as U+00AD, U+200B, U+2060 and U+FEFF. If `quote` is not NUL, that
 * character, such as the one your line has around the copy, becomes a '?' as well, so that the
 * text cannot end its field.
 *
 * At most `size` - 1 bytes are written and a NUL, never half a character; `size` of `len` + 1
 * is always enough. `out` may be `text`. `text` may be NULL for nothing. Returns `out`, or ""
 * if that is NULL or `size` is 0. Works in any thread. Since: 0.1
 */
MQUIC_API const char *mquic_text_printable(char *out, size_t size, const char *text, size_t len,
					   char quote);

/* ---- Settings ------------------------------------------------------------
 * How to talk QUIC and TLS. An inert object: it opens no file and no socket;
 * files named in it are read by the call that uses it.
 */

/** How the sending rate adapts to the path (RFC 9002 section 7). Since: 0.1 */
enum mquic_congestion_control {
	MQUIC_CONGESTION_CUBIC = 0, /**< RFC 9438; the default */
	MQUIC_CONGESTION_RENO = 1,  /**< RFC 9002 */
	MQUIC_CONGESTION_BBR = 2    /**< by a model; for links that lose whatever is sent */
};

/** What is sent once more before anybody knows that it is lost. Since: 0.1 */
enum mquic_redundancy {
	MQUIC_REDUNDANCY_OFF = 0,      /**< nothing */
	MQUIC_REDUNDANCY_HANDSHAKE = 1 /**< flights of the handshake; the default */
};

/** When a server validates an address with Retry (RFC 9000 section 8.1.2). Since: 0.1 */
enum mquic_retry {
	MQUIC_RETRY_ADAPTIVE = 0, /**< from an eighth of the handshakes allowed on; the default */
	MQUIC_RETRY_ALWAYS = 1,   /**< for every new connection; costs one round trip */
	MQUIC_RETRY_NEVER = 2     /**< only where the protocol itself demands it */
};

/** Creates settings with defaults. Free with mquic_settings_free(). Since: 0.1 */
MQUIC_API enum mquic_status mquic_settings_new(struct mquic_settings **settings);
/** Frees settings; NULL is fine. Objects made from them keep their copy. Since: 0.1 */
MQUIC_API void mquic_settings_free(struct mquic_settings *settings);
/** Sentence about the last setter that failed, "" if none did. Since: 0.1 */
MQUIC_API const char *mquic_settings_error(const struct mquic_settings *settings);

/**
 * PEM file of the certificate authorities to trust, in place of the system's.
 * A client verifies the server against it, a server its clients. NULL: the system's
 * store on a client; on a server none, and certificates cannot be asked for. A certificate in
 * it that does not say CA:TRUE is trusted as itself alone and vouches for nobody else
 * (RFC 5280 section 4.2.1.9). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_ca_file(struct mquic_settings *settings,
						       const char *path);
/**
 * Directory of PEM files to trust, like mquic_settings_set_ca_file(). NULL, the default: none.
 * Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_ca_path(struct mquic_settings *settings,
						       const char *path);
/**
 * PEM file of certificate revocation lists; needs a CA file or path. NULL, the default: none.
 * Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_crl_file(struct mquic_settings *settings,
							const char *path);
/**
 * Our own certificate chain and private key, both PEM. Required to listen; on a client
 * it is the identity shown to a server that asks. It takes the place of all that were set or
 * added before. Both NULL: none. One NULL alone is #MQUIC_ERR_INVALID. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_certificate(struct mquic_settings *settings,
							   const char *cert_path,
							   const char *key_path);
/**
 * Server: one more certificate chain with its private key, for other host names. A client is
 * shown the certificate whose subject alternative names have the name that it dials (RFC 6066
 * section 3), by that very name or else by a wildcard, and the one that was set, or added first,
 * if none has or it says no name. All of them are read again by mquic_endpoint_reload(), and
 * watched by mquic_endpoint_expiring(). A client does not use them. One NULL is
 * #MQUIC_ERR_INVALID. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_add_certificate(struct mquic_settings *settings,
							   const char *cert_path,
							   const char *key_path);
/**
 * Server: demand a certificate that a CA file or path vouches for. Off by default.
 * Without it a certificate is asked for when a CA is set, and a client may show none. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_require_certificate(struct mquic_settings *settings,
								   bool require);
/**
 * Client: do **not** verify the server's chain and host name. Anybody on the path can
 * then read and change everything: for experiments only. Off by default. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_insecure(struct mquic_settings *settings,
							bool insecure);
/**
 * Client: the address of this machine to dial from, numeric, for one with several ways out; a
 * link-local one with its zone ("fe80::1%eth0"). Only addresses of a server of the same kind are
 * tried, and a connection does not move to another one of ours. NULL, the default: the system
 * chooses. #MQUIC_ERR_INVALID if it is no numeric address. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_local_address(struct mquic_settings *settings,
							     const char *address);
/**
 * Client: the name to send (SNI, RFC 6066) and to verify, in place of the host that was
 * dialed, 1 to 255 bytes. NULL, the default: that host. It must be among the subject alternative
 * names of the server's certificate (RFC 9525); one with other characters than letters, digits,
 * dots and dashes is verified, but not sent. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_server_name(struct mquic_settings *settings,
							   const char *name);
/**
 * Application protocol (ALPN, RFC 7301), 1 to 31 bytes, "mqtt" by default. Both sides
 * must name the same, and sessions and relays speak MQTT whatever it is. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_alpn(struct mquic_settings *settings,
						    const char *protocol);
/**
 * File to which TLS secrets are appended, for Wireshark (NSS key log format). Whoever reads
 * it can decrypt the traffic. Made with mode 0600. NULL, the default: none. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_keylog_file(struct mquic_settings *settings,
							   const char *path);
/**
 * Server: the file with the key of stateless resets (RFC 9000 section 10.3), by which a server
 * tells clients after a restart that it no longer knows their connections. It is made, with mode
 * 0600, by the first mquic_endpoint_listen(): 64 hexadecimal digits. It belongs to one server:
 * others that have the same key, even if they share its certificate, can be made to cut its
 * clients off (section 21.11); one that any user of the machine can get at is complained of in
 * the log. With NULL, the default, or where none can be made, which is logged, the key lasts as
 * long as the listener. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_reset_key_file(struct mquic_settings *settings,
							      const char *path);
/**
 * Whether a client goes on from an earlier handshake with the same server (resumption, RFC 8446
 * section 2.2), which spares both the certificates and most of the work. On by default. A client
 * keeps a ticket of each server in its endpoint, for as long as the server says, at most 7 days or
 * till the server's certificate expires, and uses it once: for the same name, port and protocol, and
 * where it would trust the same. A server gives one to each client that has shown no certificate:
 * those with one are verified anew each time. Tickets are good for a day. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_resumption(struct mquic_settings *settings,
							  bool resumption);
/**
 * Client: a file for the tickets of mquic_settings_set_resumption(), in place of the endpoint, so
 * that a program that runs for one connection resumes what its last run began; of 32 connections at
 * most. It is made with mode 0600 if it is not there, and several programs may share it. One that
 * is damaged is made anew; one that is something else, or that others may read or change, is not
 * used, and the log tells. Whoever has it can go on with these connections in our place, as far as
 * they need no login. NULL, the default: none. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_ticket_file(struct mquic_settings *settings,
							   const char *path);
/**
 * Server: a file with 32 bytes as hexadecimal digits from which the keys of session tickets are
 * derived; they change every three days, and the last one still counts. Made with mode 0600 if it
 * is not there. With it clients can resume after a restart of the server, and at other machines
 * that have the same file, certificate and CAs. mquic_endpoint_reload() reads it again: replace it
 * now and then, on all machines at about the same time. Whoever has it can go on with the sessions
 * of clients in their place. With NULL, the default, or where none can be made, which is logged, the
 * key is that of mquic_settings_set_server_secret(), or lasts as long as the listener. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_ticket_key_file(struct mquic_settings *settings,
							       const char *path);
/**
 * Server: 32 random bytes from which the keys of stateless resets, of the tokens of Retry and of
 * session tickets are derived (HKDF, RFC 5869), so that processes that serve one address understand
 * each other's, and the successor of one that died tells its clients so. Give all workers of an
 * address the same, and no other server: it could cut their clients off. Make a new one with each
 * start of the server, or keep it as secret as a private key. A file of
 * mquic_settings_set_reset_key_file() or mquic_settings_set_ticket_key_file() goes first, for what
 * it is for. NULL and 0, the default: none. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_server_secret(struct mquic_settings *settings,
							     const uint8_t *data, size_t len);
/**
 * Silence after which a connection is dropped (RFC 9000 section 10.1), 1000 to 86400000 ms,
 * 30000 by default; the smaller of both sides' holds. 0 turns our side's off. A session
 * raises it to 1.5 times its keep-alive. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_idle_timeout_ms(struct mquic_settings *settings,
							       uint64_t timeout_ms);
/** Longest handshake, looking the host's name up included, 100 to 600000 ms, 10000 by default.
 * Since: 0.1 */
MQUIC_API enum mquic_status mquic_settings_set_handshake_timeout_ms(struct mquic_settings *settings,
								    uint64_t timeout_ms);
/**
 * The round trip to expect of a path that nothing is known of (RFC 9002 section 6.2.2), 10 to
 * 2000 ms. A lost first packet is sent again after three times this. 100 by default, where the RFC
 * recommends 333: on lossy links a handshake then takes a third of the time, and on slow ones a
 * packet or two are sent in vain. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_initial_rtt_ms(struct mquic_settings *settings,
							      uint64_t rtt_ms);
/**
 * Send a QUIC PING after this silence, to keep NAT bindings (RFC 9000 section 10.1.2) and to
 * notice a server that was restarted; 0: never, else 1000 to 3600000 ms. Not set, connections
 * send none, and sessions do after 20 s, or half the idle timeout of either side if that is
 * less. A device that sleeps sets 0, and an idle timeout to match. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_keep_alive_ms(struct mquic_settings *settings,
							     uint64_t interval_ms);
/** Bidirectional streams the peer may have open, 1 to 65535, 16 by default. Since: 0.1 */
MQUIC_API enum mquic_status mquic_settings_set_max_streams(struct mquic_settings *settings,
							   uint32_t streams);
/**
 * Bytes that may wait on a stream to be read (flow control, RFC 9000 section 4),
 * 4096 to 1073741824, 262144 by default; a connection may hold four times as many. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_receive_window(struct mquic_settings *settings,
							      uint64_t bytes);
/**
 * Bytes that may wait on a stream to be sent or acknowledged before sending answers
 * #MQUIC_ERR_AGAIN, 4096 to 1073741824, 1048576 by default. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_send_buffer(struct mquic_settings *settings,
							   uint64_t bytes);
/** Congestion control, CUBIC by default. Since: 0.1 */
MQUIC_API enum mquic_status mquic_settings_set_congestion_control(
	struct mquic_settings *settings, enum mquic_congestion_control algorithm);
/**
 * What goes twice. A handshake that loses a packet stands still for several round trips, so each
 * of its flights of up to four datagrams goes once more after 20 ms, if nothing of it was
 * acknowledged by then; the answer to the last of them, MQTT's CONNECT and CONNACK above all, is
 * one of these. Where a round trip is shorter nothing goes twice; elsewhere a handshake takes
 * some 4 kB more. A server sends an address that is not proven copies only in answer to those of
 * the client, and never more than three times what came from there (RFC 9000 section 8.1).
 * Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_redundancy(struct mquic_settings *settings,
							  enum mquic_redundancy redundancy);
/** Server: when to demand Retry. Since: 0.1 */
MQUIC_API enum mquic_status mquic_settings_set_retry(struct mquic_settings *settings,
						     enum mquic_retry retry);
/**
 * Server: connections in all, 1 to 1000000, 10000 by default; more are refused, unless handshakes
 * or connections that were not accepted yet, or whose relay has not seen CONNECT, give way as
 * mquic_settings_set_max_handshakes() says. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_max_connections(struct mquic_settings *settings,
							       uint32_t connections);
/**
 * Server: connections from one address (an IPv6 /64 counts as one), 0 to 1000000; 0, the
 * default, is no limit. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_max_connections_per_address(
	struct mquic_settings *settings, uint32_t connections);
/**
 * Server: handshakes in flight, 1 to 1000000, 1000 by default. Beyond that the oldest handshake of
 * the address with the most gives way to a newcomer: at once if that has four times as many as the
 * newcomer's, else after a quarter of the time for a handshake; until then newcomers are refused.
 * Addresses that are not proven (RFC 9000 section 8.1) give way first. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_max_handshakes(struct mquic_settings *settings,
							      uint32_t handshakes);
/**
 * Server: the number of this worker, where several serve one address, 0 to 255, 0 by default.
 * mquic_settings_set_workers() says how many there are, and what the number is for. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_worker(struct mquic_settings *settings,
						      uint32_t worker);
/**
 * Server: how many workers, each an endpoint with a socket of its own, serve the same address, 1 to
 * 256, 1 by default. With more than one, whoever hands out the datagrams gives each to worker
 * *octet modulo workers*, the octet being that at offset 2 of a datagram whose first bit is 0, and
 * at offset 7 of others: the second octet of the connection identifier it goes to. Identifiers that
 * a worker chooses have 8 octets and name it there, so that a connection stays with its worker
 * whatever the client's address becomes; clients choose their first ones at random. This is the
 * server ID of draft-ietf-quic-load-balancers, not encrypted, in configuration 0: an observer
 * learns which worker serves a client. A worker drops packets of unknown connections that name
 * another one, and answers them with no stateless reset. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_settings_set_workers(struct mquic_settings *settings,
						       uint32_t workers);

/* ---- Endpoint ------------------------------------------------------------ */

/** Log levels, most urgent first. Since: 0.1 */
enum mquic_log_level {
	MQUIC_LOG_ERROR = 0,   /**< something does not work, and somebody must mend it */
	MQUIC_LOG_WARNING = 1, /**< it works, but not as it should */
	MQUIC_LOG_INFO = 2,    /**< what a server's operator wants to know of clients */
	MQUIC_LOG_DEBUG = 3    /**< every connection that comes and goes */
};

/**
 * Receives one finished line without newline. It must not call into the endpoint that
 * logs. No payload, password or key is ever logged. Since: 0.1
 */
typedef void (*mquic_log_sink)(void *userdata, enum mquic_log_level level, const char *line);

/**
 * Creates an endpoint: an event queue, a clock and one descriptor, no socket yet.
 * It can listen, dial, or both. Errors: #MQUIC_ERR_SYSTEM (no descriptor left). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_endpoint_new(struct mquic_endpoint **endpoint);
/**
 * Frees the endpoint; its connections are closed at once with code 0. Connections, streams,
 * sessions and relays you hold stay yours, closed. Since: 0.1
 */
MQUIC_API void mquic_endpoint_free(struct mquic_endpoint *endpoint);
/** Sentence about the last call on this endpoint that failed, "" if none did. Since: 0.1 */
MQUIC_API const char *mquic_endpoint_error(const struct mquic_endpoint *endpoint);
/**
 * Where log lines up to `level` go; a NULL sink, the default, drops them. A library built
 * without log lines has none. Since: 0.1
 */
MQUIC_API void mquic_endpoint_set_log(struct mquic_endpoint *endpoint, mquic_log_sink sink,
				      enum mquic_log_level level, void *userdata);
/** Attaches a pointer of yours. Since: 0.1 */
MQUIC_API void mquic_endpoint_set_userdata(struct mquic_endpoint *endpoint, void *userdata);
/** The pointer of mquic_endpoint_set_userdata(), NULL before. Since: 0.1 */
MQUIC_API void *mquic_endpoint_get_userdata(const struct mquic_endpoint *endpoint);

/**
 * Binds a UDP socket and accepts QUIC connections on it. May be called several times.
 *
 * @param endpoint who listens.
 * @param settings certificate, key, limits; read now.
 * @param address  a numeric IPv4 or IPv6 address; "0.0.0.0" all of IPv4, "::" all of IPv6 only.
 * @param port     0 lets the system choose.
 * @param bound_port where the port in use is stored; may be NULL.
 *
 * Errors: #MQUIC_ERR_INVALID (address), #MQUIC_ERR_TLS (no or unusable certificate, key or CA),
 * #MQUIC_ERR_SYSTEM (address in use, no permission). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_endpoint_listen(struct mquic_endpoint *endpoint,
						  const struct mquic_settings *settings,
						  const char *address, uint16_t port,
						  uint16_t *bound_port);
/**
 * Accepts QUIC connections on a UDP socket that somebody else has made and bound: systemd (a
 * `.socket` unit, ListenDatagram=), or a parent process. May be called several times.
 *
 * @param endpoint who listens.
 * @param settings as mquic_endpoint_listen() has them.
 * @param fd a socket of IPv4 or of IPv6 alone, bound, not connected, blocking or not. On success it
 *        is the endpoint's: do not use or close it any more, the number may be another's. On
 *        failure it stays yours. Other processes may hold the same socket, but read nothing from it.
 * @param bound_port where the port in use is stored; may be NULL.
 *
 * Buffer sizes and options of the socket are set as mquic_endpoint_listen() would. Errors:
 * #MQUIC_ERR_INVALID (no such socket), #MQUIC_ERR_TLS as there, #MQUIC_ERR_SYSTEM. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_endpoint_listen_fd(struct mquic_endpoint *endpoint,
						     const struct mquic_settings *settings, int fd,
						     uint16_t *bound_port);
/**
 * Reads the certificate, key, CA and revocation files of every listener again. New
 * connections use them, existing ones go on. On #MQUIC_ERR_TLS the old ones stay in
 * use. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_endpoint_reload(struct mquic_endpoint *endpoint);
/**
 * Sends a stateless reset (RFC 9000 section 10.3) to the peer of a connection that is gone with
 * another endpoint, so that it notices at once and not when it next says something. `note` is what
 * mquic_connection_reset_note() made there. This endpoint listens at the same address, as the same
 * worker, with the same reset key file or server secret. The note may be garbage: at worst a small
 * datagram goes to the address in it, once. #MQUIC_ERR_INVALID: it is no note, is about a
 * connection that this endpoint has, or about another address or worker. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_endpoint_send_reset(struct mquic_endpoint *endpoint,
						      const uint8_t *note, size_t len);
/**
 * What the listeners have loaded that has expired or will within `days`: their certificates with
 * those above them, CAs (of files or directories with up to 16), revocation lists. One sentence
 * each, with file, date and fix, at `index` from 0 on; NULL past the last. What lives for less
 * than four times `days` is told in its last quarter only. Good to ask at the start, after
 * mquic_endpoint_reload(), and daily. The text is valid until the next call of this function.
 * Since: 0.1
 */
MQUIC_API const char *mquic_endpoint_expiring(struct mquic_endpoint *endpoint, uint32_t days,
					      size_t index);
/**
 * Takes one connection whose handshake is complete, after #MQUIC_EVENT_ACCEPTABLE. It is
 * yours. #MQUIC_ERR_AGAIN: none waits. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_endpoint_accept(struct mquic_endpoint *endpoint,
						  struct mquic_connection **connection);
/**
 * A descriptor for any event loop; readable means: call mquic_endpoint_process(), or events
 * are waiting. The same for the whole life of the endpoint. Do not read or close it. Since: 0.1
 */
MQUIC_API int mquic_endpoint_get_fd(const struct mquic_endpoint *endpoint);
/**
 * Does what is due: reads datagrams, fires timers, sends. Bounded, never blocks. Needed only
 * when the descriptor is readable. #MQUIC_ERR_SYSTEM: the descriptor is unusable. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_endpoint_process(struct mquic_endpoint *endpoint);
/**
 * Waits up to `timeout_ms` (-1: without limit, 0: not at all) until something is due, then
 * processes. #MQUIC_ERR_TIMEOUT: nothing was due; #MQUIC_ERR_AGAIN: a signal came. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_endpoint_wait(struct mquic_endpoint *endpoint, int timeout_ms);
/**
 * Makes the descriptor readable and a wait return. The one call that any thread, and a
 * signal handler, may make. Since: 0.1
 */
MQUIC_API void mquic_endpoint_wakeup(struct mquic_endpoint *endpoint);
/**
 * The oldest event, yours to free with mquic_event_free(), or NULL when there is none. What
 * was queued for sending meanwhile is sent when NULL is returned. Since: 0.1
 */
MQUIC_API struct mquic_event *mquic_endpoint_next_event(struct mquic_endpoint *endpoint);

/**
 * What mquic_endpoint_statistic() tells, of all connections that the endpoint has or had, dialed
 * and accepted. Those that say *now* go down again, all others only up. Every handshake that is
 * begun is done or has failed at last, and those that failed are counted once more by who erred
 * and once by the reason. Since: 0.1
 */
enum mquic_total {
	MQUIC_TOTAL_CONNECTIONS = 1,                /**< now, handshakes among them */
	MQUIC_TOTAL_MEMORY = 2,                     /**< now: #MQUIC_STATISTIC_MEMORY of all */
	MQUIC_TOTAL_HANDSHAKES_BEGUN = 3,           /**< connections dialed or let in */
	MQUIC_TOTAL_HANDSHAKES_DONE = 4,            /**< complete, the peer is verified */
	MQUIC_TOTAL_HANDSHAKES_FAILED = 5,          /**< over before that */
	MQUIC_TOTAL_FAILED_BY_CALLER = 6,           /**< the program closed it */
	MQUIC_TOTAL_FAILED_BY_PEER = 7,             /**< or the way to it */
	MQUIC_TOTAL_FAILED_BY_SYSTEM = 8,           /**< this machine */
	MQUIC_TOTAL_FAILED_BY_MQUIC = 9,            /**< report these */
	MQUIC_TOTAL_FAILED_TIMEOUT = 10,            /**< no answer, or not all of it in time */
	MQUIC_TOTAL_FAILED_CERTIFICATE = 11,        /**< either side's was not accepted */
	MQUIC_TOTAL_FAILED_ALPN = 12,               /**< no application protocol in common */
	MQUIC_TOTAL_FAILED_TLS = 13,                /**< another alert of TLS */
	MQUIC_TOTAL_FAILED_VERSION = 14,            /**< no version of QUIC in common */
	MQUIC_TOTAL_FAILED_REFUSED = 15,            /**< a limit of the server is reached */
	MQUIC_TOTAL_FAILED_UNREACHABLE = 16,        /**< no such name, nothing there */
	MQUIC_TOTAL_FAILED_CLOSED = 17,             /**< by the peer's program */
	MQUIC_TOTAL_FAILED_ABANDONED = 18,          /**< by ours */
	MQUIC_TOTAL_FAILED_PROTOCOL = 19,           /**< the rules of QUIC were broken */
	MQUIC_TOTAL_FAILED_OTHER = 20,              /**< dropped, out of memory */
	MQUIC_TOTAL_REFUSALS_SENT = 21,             /**< for a limit, no handshake was begun */
	MQUIC_TOTAL_RETRIES_SENT = 22,              /**< Retry (RFC 9000 section 8.1.2) */
	MQUIC_TOTAL_TOKENS_REFUSED = 23,            /**< of Retry: forged, or too old */
	MQUIC_TOTAL_VERSION_NEGOTIATIONS_SENT = 24, /**< RFC 9000 section 6 */
	MQUIC_TOTAL_RESETS_SENT = 25,               /**< stateless (RFC 9000 section 10.3) */
	MQUIC_TOTAL_RESETS_RECEIVED = 26,           /**< that ended a connection */
	MQUIC_TOTAL_DATAGRAMS_SENT = 27,            /**< handed to the system */
	MQUIC_TOTAL_DATAGRAMS_RECEIVED = 28,        /**< those that were dropped, too */
	MQUIC_TOTAL_BYTES_SENT = 29,                /**< UDP payload of these */
	MQUIC_TOTAL_BYTES_RECEIVED = 30,            /**< UDP payload of these */
	MQUIC_TOTAL_DROPPED_UNKNOWN = 31,           /**< of a connection that is not known */
	MQUIC_TOTAL_DROPPED_INVALID = 32,           /**< no QUIC, too short, begins nothing */
	MQUIC_TOTAL_DROPPED_LATE = 33,              /**< of a connection that is over */
	MQUIC_TOTAL_DROPPED_MISDIRECTED = 34,       /**< at one worker, for another */
	MQUIC_TOTAL_PACKETS_LOST = 35,              /**< #MQUIC_STATISTIC_PACKETS_LOST of all */
	MQUIC_TOTAL_MIGRATIONS = 36,                /**< to paths that were validated */
	MQUIC_TOTAL_DROPPED_BUSY = 37,       /**< more than newcomers, or one peer, may take up */
	MQUIC_TOTAL_HANDSHAKES_RESUMED = 38, /**< of those done: with a ticket */
	MQUIC_TOTAL_COPIES_SENT = 39         /**< datagrams sent once more, just in case */
};

/**
 * A count; 0 for an unknown one. #MQUIC_TOTAL_MEMORY and #MQUIC_TOTAL_PACKETS_LOST look at every
 * connection, so a server with thousands asks for them every few seconds, not every turn. Since: 0.1
 */
MQUIC_API uint64_t mquic_endpoint_statistic(const struct mquic_endpoint *endpoint,
					    enum mquic_total statistic);

/* ---- Event --------------------------------------------------------------- */

/** What happened. Skip types you do not know: later versions add some. Since: 0.1 */
enum mquic_event_type {
	/** Endpoint: connections wait for mquic_endpoint_accept(). */
	MQUIC_EVENT_ACCEPTABLE = 1,
	/** Dialed connection: the handshake is complete and the peer is verified. */
	MQUIC_EVENT_CONNECTION_READY = 2,
	/** Connection: it is over; status, origin, code and text say why. Its last event. */
	MQUIC_EVENT_CONNECTION_CLOSED = 3,
	/** Connection: streams wait for mquic_connection_accept_stream(). */
	MQUIC_EVENT_STREAM_ACCEPTABLE = 4,
	/** Stream: bytes or the end can be read. Read until #MQUIC_ERR_AGAIN. */
	MQUIC_EVENT_STREAM_READABLE = 5,
	/**
	 * Stream: there is room again after #MQUIC_ERR_AGAIN from sending; or the peer reads no
	 * more (STOP_SENDING), and sending, even nothing, answers #MQUIC_ERR_CLOSED.
	 */
	MQUIC_EVENT_STREAM_WRITABLE = 6,
	/** Stream: both directions have ended, or the connection has; code 0: cleanly. */
	MQUIC_EVENT_STREAM_CLOSED = 7,
	/** Session: CONNACK has accepted us. */
	MQUIC_EVENT_CONNECTED = 16,
	/** Session: a message came; mquic_event_message(). */
	MQUIC_EVENT_MESSAGE = 17,
	/**
	 * Session: a QoS 1 or 2 message of ours is settled (packet id, reason code). From 0x80
	 * on, the server has refused this message alone, with whatever code it likes. An error
	 * code also tells that a message queued before CONNACK is not one the server takes;
	 * then for QoS 0 as well, with packet id 0.
	 */
	MQUIC_EVENT_DELIVERED = 18,
	/** Session: answer to SUBSCRIBE (packet id, one reason code per filter). */
	MQUIC_EVENT_SUBSCRIBED = 19,
	/** Session: answer to UNSUBSCRIBE (packet id, one reason code per filter). */
	MQUIC_EVENT_UNSUBSCRIBED = 20,
	/** Session: there is room again after #MQUIC_ERR_AGAIN from publishing, on this
	 * connection or the next. */
	MQUIC_EVENT_WRITABLE = 21,
	/** Session: the server continues authentication; answer with mquic_session_auth(). */
	MQUIC_EVENT_AUTH = 22,
	/** Session: not connected any more, or connecting failed. May be connected again. */
	MQUIC_EVENT_DISCONNECTED = 23,
	/** Relay: the client's CONNECT is here and may be looked at. */
	MQUIC_EVENT_RELAY_CONNECT = 32,
	/** Relay: bytes or the end can be read. Read until #MQUIC_ERR_AGAIN. */
	MQUIC_EVENT_RELAY_READABLE = 33,
	/** Relay: there is room again after #MQUIC_ERR_AGAIN from writing. */
	MQUIC_EVENT_RELAY_WRITABLE = 34,
	/**
	 * Relay: the client is gone; status, origin, code and text say why. Comes only when all
	 * that it sent to an open relay has been consumed, so that its DISCONNECT is not lost.
	 */
	MQUIC_EVENT_RELAY_CLOSED = 35
};

/** Where the end of a connection or session came from. Since: 0.1 */
enum mquic_origin {
	MQUIC_ORIGIN_LOCAL = 0,     /**< we closed it */
	MQUIC_ORIGIN_PEER = 1,      /**< the peer closed it with an application code */
	MQUIC_ORIGIN_TRANSPORT = 2, /**< QUIC; a code of RFC 9000 section 20.1, or 0 */
	MQUIC_ORIGIN_TLS = 3,       /**< the handshake; the code is the TLS alert (RFC 8446) or 0 */
	MQUIC_ORIGIN_MQTT = 4,      /**< MQTT; the code is a reason code */
	MQUIC_ORIGIN_SYSTEM = 5     /**< the operating system; the code is an errno value or 0 */
};

/**
 * What MQTT over QUIC says with the application code that ends a connection (RFC 9000 section
 * 20.2), for mquic_connection_close(), mquic_relay_close() and mquic_event_code(). Since: 0.1
 */
enum mquic_close_code {
	MQUIC_CLOSE_NORMAL = 0,       /**< all is said */
	MQUIC_CLOSE_CONTROL_GONE = 1, /**< the stream that CONNECT came on has ended */
	MQUIC_CLOSE_OVERLOADED = 2 /**< the server cannot serve this client now; come back later */
};

/** The type of the event. Since: 0.1 */
MQUIC_API enum mquic_event_type mquic_event_type(const struct mquic_event *event);
/** The name of a type, such as "CONNECTED"; "UNKNOWN" for others. Static. Since: 0.1 */
MQUIC_API const char *mquic_event_type_text(enum mquic_event_type type);
/** The connection the event belongs to, NULL if none. Not yours. Since: 0.1 */
MQUIC_API struct mquic_connection *mquic_event_connection(const struct mquic_event *event);
/** The stream the event belongs to, NULL if none. Not yours. Since: 0.1 */
MQUIC_API struct mquic_stream *mquic_event_stream(const struct mquic_event *event);
/** The session the event belongs to, NULL if none. Not yours. Since: 0.1 */
MQUIC_API struct mquic_session *mquic_event_session(const struct mquic_event *event);
/** The relay the event belongs to, NULL if none. Not yours. Since: 0.1 */
MQUIC_API struct mquic_relay *mquic_event_relay(const struct mquic_event *event);
/** The message of #MQUIC_EVENT_MESSAGE, else NULL. Lives as long as the event. Since: 0.1 */
MQUIC_API const struct mquic_message *mquic_event_message(const struct mquic_event *event);
/** Takes the message out of the event: yours to free with mquic_message_free(). Since: 0.1 */
MQUIC_API struct mquic_message *mquic_event_take_message(struct mquic_event *event);
/** The number of what it settles, as publishing or subscribing gave it; 0 if none. Since: 0.1 */
MQUIC_API uint16_t mquic_event_packet_id(const struct mquic_event *event);
/** Number of reason codes; 0 if the event has none. Since: 0.1 */
MQUIC_API size_t mquic_event_reason_count(const struct mquic_event *event);
/**
 * The MQTT 5 reason code at `index` (MQTT 5.0 section 2.4); return codes of 3.1.1 are
 * given as their 5.0 counterparts. 0 if there is none. Since: 0.1
 */
MQUIC_API uint8_t mquic_event_reason(const struct mquic_event *event, size_t index);
/** #MQUIC_EVENT_CONNECTED: whether the server kept our session (MQTT 5.0 3.2.2.1.1). Since: 0.1 */
MQUIC_API bool mquic_event_session_present(const struct mquic_event *event);
/** End events: #MQUIC_OK for a clean end, else what kind of failure. Since: 0.1 */
MQUIC_API enum mquic_status mquic_event_status(const struct mquic_event *event);
/** End events: who ended it. Since: 0.1 */
MQUIC_API enum mquic_origin mquic_event_origin(const struct mquic_event *event);
/** End events: the code, in the terms of the origin. Since: 0.1 */
MQUIC_API uint64_t mquic_event_code(const struct mquic_event *event);
/**
 * A sentence for people: why it ended, or the peer's reason string. NUL terminated, "" if
 * none. Text from a peer has control characters replaced. Since: 0.1
 */
MQUIC_API const char *mquic_event_text(const struct mquic_event *event);
/**
 * The server's reason string (MQTT 5.0 3.2.2.3.9 and others) as it came; NULL if none. Only
 * mquic_event_text() is fit to be printed as it is. NUL terminated. Since: 0.1
 */
MQUIC_API const char *mquic_event_reason_string(const struct mquic_event *event, size_t *len);
/**
 * #MQUIC_EVENT_DISCONNECTED: the server to turn to in place of this one, as CONNACK (MQTT 5.0
 * 3.2.2.3.16) or DISCONNECT (3.14.2.2.5) names it: a text for which MQTT has no rules; NULL if
 * none. NUL terminated. Since: 0.1
 */
MQUIC_API const char *mquic_event_server_reference(const struct mquic_event *event, size_t *len);
/**
 * #MQUIC_EVENT_CONNECTED: response information (MQTT 5.0 3.2.2.3.15), NULL if none; see
 * mquic_session_set_response_information(). NUL terminated. Since: 0.1
 */
MQUIC_API const char *mquic_event_response_information(const struct mquic_event *event,
						       size_t *len);
/** #MQUIC_EVENT_AUTH and #MQUIC_EVENT_CONNECTED: authentication data, NULL if none. Since: 0.1 */
MQUIC_API const uint8_t *mquic_event_auth_data(const struct mquic_event *event, size_t *len);
/**
 * The user property at `index` of the packet behind a session's event (MQTT 5.0 2.2.2.2).
 * Returns false past the last one. Text is not NUL terminated. Since: 0.1
 */
MQUIC_API bool mquic_event_user_property(const struct mquic_event *event, size_t index,
					 const char **name, size_t *name_len, const char **value,
					 size_t *value_len);
/** Frees an event and what it carries; NULL is fine. Since: 0.1 */
MQUIC_API void mquic_event_free(struct mquic_event *event);

/* ---- Connection ---------------------------------------------------------- */

/** What mquic_connection_statistic() counts; `_US` are microseconds. Since: 0.1 */
enum mquic_statistic {
	MQUIC_STATISTIC_SMOOTHED_RTT_US = 1,   /**< round trip, smoothed (RFC 9002 5.3) */
	MQUIC_STATISTIC_MIN_RTT_US = 2,        /**< smallest round trip seen */
	MQUIC_STATISTIC_RTT_VARIATION_US = 3,  /**< rttvar of RFC 9002 5.3 */
	MQUIC_STATISTIC_CONGESTION_WINDOW = 4, /**< bytes */
	MQUIC_STATISTIC_BYTES_IN_FLIGHT = 5,   /**< bytes sent and not acknowledged */
	MQUIC_STATISTIC_BYTES_SENT = 6,        /**< UDP payload bytes */
	MQUIC_STATISTIC_BYTES_RECEIVED = 7,    /**< UDP payload bytes */
	MQUIC_STATISTIC_PACKETS_SENT = 8,      /**< UDP datagrams */
	MQUIC_STATISTIC_PACKETS_RECEIVED = 9,  /**< UDP datagrams */
	/**
	 * With stream data, declared lost because later ones were acknowledged (RFC 9002 6.1); not
	 * those that were sent again by a probe (6.2).
	 */
	MQUIC_STATISTIC_PACKETS_LOST = 10,
	MQUIC_STATISTIC_HANDSHAKE_US = 11, /**< first packet to handshake complete; 0 before */
	/**
	 * Bytes of memory the connection takes now: its state, what was received and not
	 * consumed, what was sent and not acknowledged; TLS aside, which goes with the handshake.
	 */
	MQUIC_STATISTIC_MEMORY = 12,
	MQUIC_STATISTIC_STREAMS = 13,     /**< open now, the peer's and ours */
	MQUIC_STATISTIC_BYTES_QUEUED = 14 /**< sent on streams and not acknowledged */
};

/**
 * Starts a connection to a server and never blocks. A host name is looked up meanwhile, within
 * the time for the handshake; its addresses, up to 8, families in turn, race (RFC 6724, RFC 8305):
 * the next is tried 250 ms after the one before, or at once when that fails, and the first whose
 * handshake is complete carries the connection. #MQUIC_EVENT_CONNECTION_READY or
 * #MQUIC_EVENT_CONNECTION_CLOSED follows, the latter with #MQUIC_ERR_RESOLVE and
 * #MQUIC_ORIGIN_SYSTEM if there is no such host, else with the most telling failure. Streams may
 * be opened and written at once: their bytes leave when the handshake is complete.
 *
 * Errors, explained by mquic_endpoint_error(): #MQUIC_ERR_INVALID, #MQUIC_ERR_TLS (unusable
 * files), #MQUIC_ERR_SYSTEM (a numeric address that cannot be reached). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_connection_dial(struct mquic_connection **connection,
						  struct mquic_endpoint *endpoint,
						  const struct mquic_settings *settings,
						  const char *host, uint16_t port);
/** Frees the handle; a live connection is closed with code 0. NULL is fine. Since: 0.1 */
MQUIC_API void mquic_connection_free(struct mquic_connection *connection);
/** Sentence about the last call on this connection that failed. Since: 0.1 */
MQUIC_API const char *mquic_connection_error(const struct mquic_connection *connection);
/**
 * Ends the connection at once with an application code (RFC 9000 section 10.2), below 2^62,
 * and a reason of up to 256 bytes, NULL for none. Bytes not yet acknowledged may be lost:
 * finish streams first. #MQUIC_EVENT_CONNECTION_CLOSED follows. #MQUIC_ERR_CLOSED if it is
 * over already. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_connection_close(struct mquic_connection *connection,
						   uint64_t code, const char *reason);
/**
 * Moves a dialed connection to a new socket, whose address the system chooses (RFC 9000 section
 * 9). Streams and sessions go on; the old path stays in use until the server has answered on the
 * new one, which mquic_connection_local_address() then shows. A client does so by itself when the
 * system's addresses or routes change; this is for those who know more.
 *
 * Errors: #MQUIC_ERR_STATE (server side, or the handshake is not complete), #MQUIC_ERR_AGAIN (the
 * server does not allow it, or not yet), #MQUIC_ERR_SYSTEM (no socket), #MQUIC_ERR_CLOSED.
 * Since: 0.1
 */
MQUIC_API enum mquic_status mquic_connection_migrate(struct mquic_connection *connection);
/**
 * Takes a stream the peer opened; yours. They come in the order in which their first packets
 * arrived, which need not be that of mquic_stream_id(). #MQUIC_ERR_AGAIN: none waits. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_connection_accept_stream(struct mquic_connection *connection,
							   struct mquic_stream **stream);
/** Bytes of a reset note at the most. Since: 0.1 */
#define MQUIC_RESET_NOTE_MAX 96
/**
 * Server: a note of `size` bytes at the most, from which mquic_endpoint_send_reset() of another
 * endpoint can end this connection should this process die. It is of this machine and version, holds
 * addresses and the connection identifier that the peer sends to, and no key; make a new one now and
 * then, for both may change. Bytes stored; 0: there is none (a client's, over, not enough room).
 * Since: 0.1
 */
MQUIC_API size_t mquic_connection_reset_note(const struct mquic_connection *connection,
					     uint8_t *note, size_t size);
/** The peer's address, "192.0.2.1:4433" or "[2001:db8::1]:4433"; "" before the name of a host that
 * is dialed is looked up. Since: 0.1 */
MQUIC_API const char *mquic_connection_peer_address(const struct mquic_connection *connection);
/** Our own address on the path in use, written like the peer's; "" before. Since: 0.1 */
MQUIC_API const char *mquic_connection_local_address(const struct mquic_connection *connection);
/** TLS version, "TLS1.3"; "" before the handshake is complete. Since: 0.1 */
MQUIC_API const char *mquic_connection_tls_version(const struct mquic_connection *connection);
/** TLS cipher, "AES-128-GCM"; "" before the handshake is complete. Since: 0.1 */
MQUIC_API const char *mquic_connection_cipher(const struct mquic_connection *connection);
/** The agreed application protocol; "" before the handshake is complete. Since: 0.1 */
MQUIC_API const char *mquic_connection_alpn(const struct mquic_connection *connection);
/** Whether the handshake went on from an earlier one, see mquic_settings_set_resumption(); false
 * before it is complete. Since: 0.1 */
MQUIC_API bool mquic_connection_resumed(const struct mquic_connection *connection);
/**
 * Common name of the peer's verified certificate, NULL if it showed none or has no common
 * name that is one piece of UTF-8 without NUL. Since: 0.1
 */
MQUIC_API const char *mquic_connection_peer_common_name(const struct mquic_connection *connection);
/** Subject of the peer's verified certificate as RFC 4514 text, NULL if none. Since: 0.1 */
MQUIC_API const char *mquic_connection_peer_subject(const struct mquic_connection *connection);
/**
 * The same as the certificate has it, a Name in DER (RFC 5280 section 4.1.2.4), for who must write
 * it in another way, or compare it. Not yours, and valid as long as the connection; `*len` is its
 * length. NULL and 0: the peer showed no certificate. Since: 0.1
 */
MQUIC_API const uint8_t *mquic_connection_peer_subject_der(
	const struct mquic_connection *connection, size_t *len);
/**
 * The subject alternative name at `index`, "DNS:host", "IP:address", "URI:…" or "email:…";
 * NULL past the last. Since: 0.1
 */
MQUIC_API const char *mquic_connection_peer_alt_name(const struct mquic_connection *connection,
						     size_t index);
/** A count or measure; 0 for an unknown one. Stays readable after the end. Since: 0.1 */
MQUIC_API uint64_t mquic_connection_statistic(const struct mquic_connection *connection,
					      enum mquic_statistic statistic);
/** Attaches a pointer of yours. Since: 0.1 */
MQUIC_API void mquic_connection_set_userdata(struct mquic_connection *connection, void *userdata);
/** The pointer of mquic_connection_set_userdata(), NULL before. Since: 0.1 */
MQUIC_API void *mquic_connection_get_userdata(const struct mquic_connection *connection);

/* ---- Stream --------------------------------------------------------------
 * One bidirectional QUIC stream (RFC 9000 section 2): feels like a TCP socket.
 */

/**
 * Opens a stream. It may wait for the handshake or for the peer's stream limit; bytes sent
 * meanwhile wait with it. Errors: #MQUIC_ERR_CLOSED. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_stream_open(struct mquic_stream **stream,
					      struct mquic_connection *connection);
/**
 * Frees the handle. What was sent before mquic_stream_finish() is still delivered; a stream
 * that was not finished is reset with code 0. NULL is fine. Since: 0.1
 */
MQUIC_API void mquic_stream_free(struct mquic_stream *stream);
/** Sentence about the last call on this stream that failed, "" if none did. Since: 0.1 */
MQUIC_API const char *mquic_stream_error(const struct mquic_stream *stream);
/** The stream's connection, NULL once that is freed. Since: 0.1 */
MQUIC_API struct mquic_connection *mquic_stream_connection(const struct mquic_stream *stream);
/** The stream identifier (RFC 9000 section 2.1), -1 while it waits to be opened. Since: 0.1 */
MQUIC_API int64_t mquic_stream_id(const struct mquic_stream *stream);
/**
 * Queues bytes; they are copied. `*sent` gets how many were taken, which is fewer than `len`
 * when the send buffer fills up; then #MQUIC_EVENT_STREAM_WRITABLE follows.
 *
 * Errors: #MQUIC_ERR_AGAIN (buffer full, nothing taken), #MQUIC_ERR_STATE (finished or
 * reset), #MQUIC_ERR_CLOSED (the peer stopped reading, or it is over). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_stream_send(struct mquic_stream *stream, const uint8_t *data,
					      size_t len, size_t *sent);
/**
 * Copies received bytes to `buffer`. `*received` gets the number; 0 with #MQUIC_OK is the
 * end of the stream. Errors: #MQUIC_ERR_AGAIN (nothing yet), #MQUIC_ERR_CLOSED (reset by the
 * peer, or the connection is over and all was read), #MQUIC_ERR_INVALID (`size` is 0). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_stream_recv(struct mquic_stream *stream, uint8_t *buffer,
					      size_t size, size_t *received);
/**
 * Shows the next received bytes without copying; valid until the next call on the stream,
 * except that they may be sent on the same stream first. Same results as mquic_stream_recv().
 * Since: 0.1
 */
MQUIC_API enum mquic_status mquic_stream_peek(struct mquic_stream *stream, const uint8_t **data,
					      size_t *len);
/** Marks `len` bytes of the last peek as read; more is #MQUIC_ERR_INVALID. Since: 0.1 */
MQUIC_API enum mquic_status mquic_stream_consume(struct mquic_stream *stream, size_t len);
/**
 * No more will be sent (FIN); the other direction goes on. #MQUIC_ERR_STATE if reset,
 * #MQUIC_ERR_CLOSED when it is over. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_stream_finish(struct mquic_stream *stream);
/**
 * Gives up sending (RESET_STREAM, RFC 9000 section 19.4); the code is below 2^62.
 * #MQUIC_ERR_CLOSED when it is over. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_stream_reset(struct mquic_stream *stream, uint64_t code);
/**
 * Gives up receiving (STOP_SENDING, RFC 9000 section 19.5); the code is below 2^62.
 * #MQUIC_ERR_CLOSED when it is over. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_stream_stop(struct mquic_stream *stream, uint64_t code);
/** Bytes taken from the application so far. Since: 0.1 */
MQUIC_API uint64_t mquic_stream_bytes_sent(const struct mquic_stream *stream);
/** Bytes given to the application so far. Since: 0.1 */
MQUIC_API uint64_t mquic_stream_bytes_received(const struct mquic_stream *stream);
/** Bytes sent that the peer has not acknowledged, waiting ones included. Since: 0.1 */
MQUIC_API uint64_t mquic_stream_bytes_pending(const struct mquic_stream *stream);
/** Attaches a pointer of yours. Since: 0.1 */
MQUIC_API void mquic_stream_set_userdata(struct mquic_stream *stream, void *userdata);
/** The pointer of mquic_stream_set_userdata(), NULL before. Since: 0.1 */
MQUIC_API void *mquic_stream_get_userdata(const struct mquic_stream *stream);

/* ---- Topic ---------------------------------------------------------------
 * Names and filters of topics (MQTT 5.0 section 4.7). These functions know nothing but their
 * arguments and may be called from any thread.
 */

/**
 * Whether a message can be published to `topic`: 1 to 65535 bytes of UTF-8 without NUL, `+` and
 * `#`. False for NULL. Since: 0.1
 */
MQUIC_API bool mquic_topic_is_name(const char *topic, size_t len);
/**
 * Whether one can subscribe to `filter`: UTF-8 as in a name, with `+` alone in its level and `#`
 * alone in the last one. What starts with `$share/` has the name of a share and a filter behind it
 * (MQTT 5.0 section 4.8.2). False for NULL. Since: 0.1
 */
MQUIC_API bool mquic_topic_is_filter(const char *filter, size_t len);
/**
 * Whether a subscription with `filter` gets messages of `topic`. Of a shared one, what follows the
 * name of the share counts; a wildcard in the first level stands for no topic that starts with `$`
 * (section 4.7.2). False if one of them is malformed. Since: 0.1
 */
MQUIC_API bool mquic_topic_matches(const char *filter, size_t filter_len, const char *topic,
				   size_t topic_len);

/* ---- Message ------------------------------------------------------------- */

/** Creates an empty message: QoS 0, not retained. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_new(struct mquic_message **message);
/** A deep copy. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_copy(struct mquic_message **copy,
					       const struct mquic_message *message);
/** Frees a message; NULL is fine. Since: 0.1 */
MQUIC_API void mquic_message_free(struct mquic_message *message);
/** Sentence about the last call on this message that failed, "" if none did. Since: 0.1 */
MQUIC_API const char *mquic_message_error(const struct mquic_message *message);
/**
 * The topic name, 1 to 65535 bytes of UTF-8 without NUL, `+` and `#` (MQTT 5.0 section 4.7);
 * anything else is #MQUIC_ERR_INVALID. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_message_set_topic(struct mquic_message *message,
						    const char *topic, size_t len);
/** The topic; NUL terminated. `len` may be NULL. "" until set. Since: 0.1 */
MQUIC_API const char *mquic_message_topic(const struct mquic_message *message, size_t *len);
/** The payload, any bytes, up to 268435455 less the header. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_set_payload(struct mquic_message *message,
						      const uint8_t *data, size_t len);
/** The payload; never NULL, followed by a NUL that is not part of it. Since: 0.1 */
MQUIC_API const uint8_t *mquic_message_payload(const struct mquic_message *message, size_t *len);
/** Quality of service, 0, 1 or 2. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_set_qos(struct mquic_message *message, int qos);
/** Quality of service. Since: 0.1 */
MQUIC_API int mquic_message_qos(const struct mquic_message *message);
/** Whether the server keeps it for later subscribers (MQTT 5.0 3.3.1.3). Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_set_retain(struct mquic_message *message, bool retain);
/** The retain flag. Since: 0.1 */
MQUIC_API bool mquic_message_retain(const struct mquic_message *message);
/** Received messages: the server may have sent it before (DUP). Since: 0.1 */
MQUIC_API bool mquic_message_duplicate(const struct mquic_message *message);
/**
 * Received messages: the number to settle it by with mquic_session_ack(), 0 for QoS 0. It is the
 * session's and unique until then; where a server uses one packet identifier on two streams, it
 * is not that of the wire. Since: 0.1
 */
MQUIC_API uint16_t mquic_message_packet_id(const struct mquic_message *message);
/** MQTT 5.0 3.3.2.3.2: the payload is UTF-8 text. Ignored by 3.1.1, like all below. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_set_utf8_payload(struct mquic_message *message,
							   bool utf8);
/** Whether the payload was declared UTF-8. Since: 0.1 */
MQUIC_API bool mquic_message_utf8_payload(const struct mquic_message *message);
/** MQTT 5.0 3.3.2.3.3: lifetime in seconds. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_set_expiry_s(struct mquic_message *message,
						       uint32_t seconds);
/** Gives the message no end of life again. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_clear_expiry(struct mquic_message *message);
/** Reads the lifetime left; false if it has none. Since: 0.1 */
MQUIC_API bool mquic_message_expiry_s(const struct mquic_message *message, uint32_t *seconds);
/** MQTT 5.0 3.3.2.3.9: content type. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_set_content_type(struct mquic_message *message,
							   const char *text, size_t len);
/** The content type, NUL terminated; NULL if none. Since: 0.1 */
MQUIC_API const char *mquic_message_content_type(const struct mquic_message *message, size_t *len);
/** MQTT 5.0 3.3.2.3.5: where to answer; rules of a topic name. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_set_response_topic(struct mquic_message *message,
							     const char *topic, size_t len);
/** The response topic, NUL terminated; NULL if none. Since: 0.1 */
MQUIC_API const char *mquic_message_response_topic(const struct mquic_message *message,
						   size_t *len);
/** MQTT 5.0 3.3.2.3.6: correlation data, up to 65535 bytes. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_set_correlation_data(struct mquic_message *message,
							       const uint8_t *data, size_t len);
/** The correlation data; NULL if none. Since: 0.1 */
MQUIC_API const uint8_t *mquic_message_correlation_data(const struct mquic_message *message,
							size_t *len);
/** MQTT 5.0 3.3.2.3.7: adds one user property; order and repetition are kept. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_add_user_property(struct mquic_message *message,
							    const char *name, size_t name_len,
							    const char *value, size_t value_len);
/** Takes all user properties away, received ones as well. Since: 0.1 */
MQUIC_API enum mquic_status mquic_message_clear_user_properties(struct mquic_message *message);
/** Reads the user property at `index`; false past the last. Since: 0.1 */
MQUIC_API bool mquic_message_user_property(const struct mquic_message *message, size_t index,
					   const char **name, size_t *name_len, const char **value,
					   size_t *value_len);
/**
 * Received messages: the topic alias that the server sent, 0 for none (MQTT 5.0 3.3.2.3.4). The
 * topic is there all the same; publishing the message sends no alias because of it. Since: 0.1
 */
MQUIC_API uint16_t mquic_message_topic_alias(const struct mquic_message *message);
/** Received: the subscription identifier at `index`, 0 past the last (3.3.2.3.8). Since: 0.1 */
MQUIC_API uint32_t mquic_message_subscription_id(const struct mquic_message *message, size_t index);

/* ---- Subscription -------------------------------------------------------- */

/** Options of one filter, MQTT 5.0 section 3.8.3.1; or them. 3.1.1 knows none. Since: 0.1 */
enum mquic_subscribe_option {
	MQUIC_SUBSCRIBE_NO_LOCAL = 0x04,            /**< not what we publish ourselves */
	MQUIC_SUBSCRIBE_RETAIN_AS_PUBLISHED = 0x08, /**< keep the retain flag */
	MQUIC_SUBSCRIBE_RETAINED_IF_NEW = 0x10,     /**< retained ones to a new one only */
	MQUIC_SUBSCRIBE_RETAINED_NEVER = 0x20       /**< no retained messages */
};

/** Creates an empty list of filters, for SUBSCRIBE and UNSUBSCRIBE. Since: 0.1 */
MQUIC_API enum mquic_status mquic_subscription_new(struct mquic_subscription **subscription);
/** Frees it; NULL is fine. Since: 0.1 */
MQUIC_API void mquic_subscription_free(struct mquic_subscription *subscription);
/** Sentence about the last call on this subscription that failed, "" if none did. Since: 0.1 */
MQUIC_API const char *mquic_subscription_error(const struct mquic_subscription *subscription);
/**
 * Adds a topic filter (MQTT 5.0 section 4.7), with the largest QoS wanted and or-ed
 * ::mquic_subscribe_option. #MQUIC_ERR_INVALID: malformed filter or options. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_subscription_add(struct mquic_subscription *subscription,
						   const char *filter, size_t len, int qos,
						   unsigned int options);
/** MQTT 5.0 3.8.2.1.2: identifier that comes back with messages, 1 to 268435455. Since: 0.1 */
MQUIC_API enum mquic_status mquic_subscription_set_id(struct mquic_subscription *subscription,
						      uint32_t id);
/** MQTT 5.0 3.8.2.1.3: adds one user property. Since: 0.1 */
MQUIC_API enum mquic_status mquic_subscription_add_user_property(
	struct mquic_subscription *subscription, const char *name, size_t name_len,
	const char *value, size_t value_len);

/** Takes all user properties away. Since: 0.1 */
MQUIC_API enum mquic_status mquic_subscription_clear_user_properties(
	struct mquic_subscription *subscription);

/* ---- Session -------------------------------------------------------------
 * One MQTT client. It outlives connections: after #MQUIC_EVENT_DISCONNECTED it may be
 * connected again, and messages in flight are sent again as MQTT 5.0 section 4.4 asks. But
 * a message at which the server itself ends three connections is given up, for it would come
 * back for ever: #MQUIC_EVENT_DELIVERED with 0x80, "unspecified error", and a sentence.
 * Events come in their order, also when a connection comes and goes in one turn: until you have
 * taken #MQUIC_EVENT_DISCONNECTED from the queue, publishing, subscribing and acknowledging answer
 * as if the connection had been lost right behind the call.
 * Setters are for a session that is not connected; else they answer #MQUIC_ERR_STATE.
 *
 *     new ──connect──▶ CONNECTING ──CONNECTED──▶ CONNECTED ──disconnect──▶ CLOSING
 *      ▲                   │                        │                        │
 *      └──────────────── DISCONNECTED event ◀───────┴────────────────────────┘
 */

/** The protocol a session speaks; the values are those of the CONNECT packet. Since: 0.1 */
enum mquic_protocol {
	MQUIC_PROTOCOL_MQTT_3_1 = 3,   /**< for old servers; a client identifier must be set */
	MQUIC_PROTOCOL_MQTT_3_1_1 = 4, /**< without properties and most reason codes */
	MQUIC_PROTOCOL_MQTT_5 = 5      /**< the default of sessions */
};

/** Creates a session that is not connected. `settings` are copied, NULL: defaults. Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_new(struct mquic_session **session,
					      struct mquic_endpoint *endpoint,
					      const struct mquic_settings *settings);
/**
 * Frees it. A connected one is cut off without DISCONNECT, so that the server publishes the
 * will: call mquic_session_disconnect() and wait for its event to part in peace. Since: 0.1
 */
MQUIC_API void mquic_session_free(struct mquic_session *session);
/** Sentence about the last call on this session that failed, "" if none did. Since: 0.1 */
MQUIC_API const char *mquic_session_error(const struct mquic_session *session);
/** Protocol, MQTT 5.0 by default. Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_set_protocol(struct mquic_session *session,
						       enum mquic_protocol protocol);
/**
 * Client identifier, up to 65535 bytes of UTF-8; empty, the default, lets the server choose
 * (3.1.1: only with clean start). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_set_client_id(struct mquic_session *session,
							const char *id, size_t len);
/** The identifier in use: ours, or the one the server assigned. Since: 0.1 */
MQUIC_API const char *mquic_session_client_id(const struct mquic_session *session, size_t *len);
/** User name; NULL for none. Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_set_username(struct mquic_session *session,
						       const char *name, size_t len);
/** Password, any bytes; NULL for none. 3.1.1 demands a user name with it. Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_set_password(struct mquic_session *session,
						       const uint8_t *data, size_t len);
/** Keep-alive in seconds, 0 to 65535, 60 by default; 0 turns it off (3.1.2.10). Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_set_keep_alive_s(struct mquic_session *session,
							   uint16_t seconds);
/**
 * Whether the server forgets what it kept for us (3.1.2.4); true by default. In 3.1.1 it is
 * "clean session" and the state also ends with the connection. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_set_clean_start(struct mquic_session *session,
							  bool clean);
/** MQTT 5.0 3.1.2.11.2: how long the server keeps our session, 0 by default. Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_set_expiry_s(struct mquic_session *session,
						       uint32_t seconds);
/**
 * What the server publishes when we vanish (3.1.2.5), after `delay_s` seconds (5.0 only).
 * NULL for none. The message is copied and must have a topic. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_set_will(struct mquic_session *session,
						   const struct mquic_message *will,
						   uint32_t delay_s);
/**
 * MQTT 5.0 3.1.2.11.3: QoS 1 and 2 messages we take unsettled at once, 1 to 65535, the latter by
 * default. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_set_receive_maximum(struct mquic_session *session,
							      uint16_t maximum);
/**
 * Largest packet we take, 1024 to 268435460 bytes, 16777216 (16 MiB) by default. While it becomes a
 * message, a packet is held twice. MQTT 5.0 tells the server, which then drops a larger message
 * for this client (3.1.2.11.4); in 3.1.1 one ends the session with #MQUIC_ERR_TOO_LARGE. Packets
 * that carry no message may have 1 MiB at most. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_set_maximum_packet_size(struct mquic_session *session,
								  uint32_t bytes);
/**
 * User properties, and subscription identifiers, that we take in one packet, 1 to 1000000, 1000 by
 * default. A message with more is refused with 0x97, "quota exceeded" (QoS 0: dropped), and the
 * log says so; of other packets the rest of the user properties is left out. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_set_maximum_properties(struct mquic_session *session,
								 uint32_t count);
/** Topic aliases the server may use towards us, 0 by default (3.1.2.11.5). Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_set_topic_alias_maximum(struct mquic_session *session,
								  uint16_t maximum);
/** Topic aliases we use towards the server, as far as it allows; 0 by default. Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_set_topic_aliases(struct mquic_session *session,
							    uint16_t aliases);
/** MQTT 5.0 3.1.2.11.8: adds one user property to CONNECT. Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_add_user_property(struct mquic_session *session,
							    const char *name, size_t name_len,
							    const char *value, size_t value_len);
/** Takes all user properties of CONNECT away. Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_clear_user_properties(struct mquic_session *session);
/**
 * MQTT 5.0 3.1.2.11.7: whether the server may send reason strings and user properties with more
 * than PUBLISH, CONNACK and DISCONNECT. On by default. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_set_problem_information(struct mquic_session *session,
								  bool wanted);
/**
 * MQTT 5.0 3.1.2.11.6: ask the server for response information in CONNACK, which it need not
 * send. Off by default. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_set_response_information(struct mquic_session *session,
								   bool wanted);
/** MQTT 5.0 section 4.12: authentication method and first data. NULL method: none. Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_set_authentication(struct mquic_session *session,
							     const char *method, size_t method_len,
							     const uint8_t *data, size_t len);
/**
 * Acknowledge QoS 1 and 2 messages only on mquic_session_ack(). Off by default: they are
 * acknowledged once their event is queued. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_set_manual_ack(struct mquic_session *session,
							 bool manual);
/**
 * Dials and sends CONNECT. #MQUIC_EVENT_CONNECTED or #MQUIC_EVENT_DISCONNECTED follows. Like
 * mquic_connection_dial() it never blocks, and a name is looked up anew each time.
 * Publishing and subscribing may start at once; packets wait for CONNACK. Port 0: ::MQUIC_PORT.
 *
 * Errors: those of mquic_connection_dial(), #MQUIC_ERR_STATE (already connecting or
 * connected), #MQUIC_ERR_INVALID (settings that contradict the protocol). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_connect(struct mquic_session *session, const char *host,
						  uint16_t port);
/**
 * Like mquic_session_connect(), with `mqtt-quic://[user[:password]@]host[:port]`, or `quic://`;
 * percent escapes are understood. User and password, if given, stay set. #MQUIC_ERR_INVALID:
 * malformed URL. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_connect_url(struct mquic_session *session,
						      const char *url);
/**
 * Publishes a copy of the message. `packet_id` (may be NULL) gets the number that
 * #MQUIC_EVENT_DELIVERED will carry, 0 for QoS 0. It is the session's, and no other message or
 * request of the session has it until that event; on the wire it may be another.
 *
 * Errors: #MQUIC_ERR_INVALID (no topic), #MQUIC_ERR_STATE (not connected nor connecting, or
 * closing), #MQUIC_ERR_AGAIN (buffer full or no packet identifier free; #MQUIC_EVENT_WRITABLE
 * follows), #MQUIC_ERR_TOO_LARGE (the server takes no such packet), #MQUIC_ERR_REFUSED (the server
 * announced that it takes no such QoS or no retained messages). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_publish(struct mquic_session *session,
						  const struct mquic_message *message,
						  uint16_t *packet_id);
/** Subscribes to one filter. #MQUIC_EVENT_SUBSCRIBED follows. Errors as for publish. Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_subscribe(struct mquic_session *session,
						    const char *filter, size_t len, int qos,
						    uint16_t *packet_id);
/**
 * Subscribes to several filters at once. Errors as for publish; #MQUIC_ERR_INVALID also for an
 * empty list, and for options and properties with 3.1.1. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_subscribe_all(
	struct mquic_session *session, const struct mquic_subscription *subscription,
	uint16_t *packet_id);
/** Unsubscribes one filter. #MQUIC_EVENT_UNSUBSCRIBED follows. Errors as above. Since: 0.1 */
MQUIC_API enum mquic_status mquic_session_unsubscribe(struct mquic_session *session,
						      const char *filter, size_t len,
						      uint16_t *packet_id);
/**
 * Unsubscribes several filters at once; QoS and options are ignored. Errors as for
 * mquic_session_subscribe_all(). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_unsubscribe_all(
	struct mquic_session *session, const struct mquic_subscription *subscription,
	uint16_t *packet_id);
/**
 * Manual mode: settles a received QoS 1 or 2 message by mquic_message_packet_id() with a reason
 * code, 0 or an error of MQTT 5.0 3.4.2.1, with 3.1.1 only 0. #MQUIC_ERR_INVALID: no such message
 * or code; #MQUIC_ERR_STATE: not connected, for then the server sends it again;
 * #MQUIC_ERR_TOO_LARGE: the server takes no packet of that size (3.2.2.3.6), which ends the
 * connection, since it would wait for ever. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_ack(struct mquic_session *session, uint16_t packet_id,
					      uint8_t reason);
/**
 * Sends AUTH (MQTT 5.0 3.15): reason 0x18 to continue, 0x19 to start again; up to 65535 bytes of
 * data. #MQUIC_ERR_STATE: the server has not asked, or nothing is to be started again. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_auth(struct mquic_session *session, uint8_t reason,
					       const uint8_t *data, size_t len);
/**
 * Sends what is queued and DISCONNECT with a reason code (0; 4 keeps the will), waits until
 * the peer has it all, then closes. #MQUIC_EVENT_DISCONNECTED follows, its status #MQUIC_OK, or
 * #MQUIC_ERR_TIMEOUT if nothing was acknowledged for ten seconds. Errors: #MQUIC_ERR_INVALID (no
 * reason code of a client), #MQUIC_ERR_STATE (not connected, or closing already). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_disconnect(struct mquic_session *session, uint8_t reason);
/**
 * MQTT 5.0 3.14.2.2.2: changes, with each DISCONNECT of ours from now on, how long the server
 * keeps the session. May be set at any time. A session whose expiry is 0 in CONNECT cannot get
 * another: mquic_session_disconnect() then answers #MQUIC_ERR_INVALID. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_set_disconnect_expiry_s(struct mquic_session *session,
								  uint32_t seconds);
/**
 * MQTT 5.0 3.14.2.2.3: a reason for people to read with each DISCONNECT of ours from now on,
 * left out if the server takes no packet that large. NULL: none. May be set at any time.
 * #MQUIC_ERR_INVALID: no UTF-8, or more than 65535 bytes. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_set_disconnect_text(struct mquic_session *session,
							      const char *text, size_t len);
/**
 * MQTT 5.0 3.14.2.2.4: adds one user property to each DISCONNECT of ours from now on, left out
 * like its text. May be set at any time. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_add_disconnect_user_property(
	struct mquic_session *session, const char *name, size_t name_len, const char *value,
	size_t value_len);
/**
 * Takes expiry, text and user properties of DISCONNECT away: the next one has none. May be called
 * at any time. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_session_clear_disconnect_properties(
	struct mquic_session *session);
/** QoS 1 and 2 messages of ours that are not settled. Since: 0.1 */
MQUIC_API size_t mquic_session_inflight(const struct mquic_session *session);
/** Keep-alive in force in seconds: ours, or the server's if it set one. Since: 0.1 */
MQUIC_API uint16_t mquic_session_keep_alive_s(const struct mquic_session *session);
/** What a server says of itself in CONNACK (MQTT 5.0 3.2.2.3). Since: 0.1 */
enum mquic_limit {
	MQUIC_LIMIT_RECEIVE_MAXIMUM = 1,     /**< QoS 1 and 2 messages it takes unsettled */
	MQUIC_LIMIT_MAXIMUM_QOS = 2,         /**< 0, 1 or 2 */
	MQUIC_LIMIT_RETAIN = 3,              /**< 1: it keeps retained messages */
	MQUIC_LIMIT_MAXIMUM_PACKET_SIZE = 4, /**< bytes */
	MQUIC_LIMIT_TOPIC_ALIAS_MAXIMUM = 5, /**< aliases we may use */
	MQUIC_LIMIT_WILDCARDS = 6,           /**< 1: filters may have wildcards */
	MQUIC_LIMIT_SUBSCRIPTION_IDS = 7,    /**< 1: subscriptions may have identifiers */
	MQUIC_LIMIT_SHARED = 8,              /**< 1: subscriptions may be shared */
	MQUIC_LIMIT_KEEP_ALIVE_S = 9,        /**< seconds; ours unless the server sets another */
	MQUIC_LIMIT_SESSION_EXPIRY_S = 10 /**< seconds; what we asked for unless it sets another */
};

/**
 * What holds for this server by its last CONNACK. True if the server said so; false if it did
 * not, and `*value` is what MQTT then takes for granted, or 0 before the first CONNACK and for a
 * limit that is unknown. The identifier that it assigned is mquic_session_client_id(). Since: 0.1
 */
MQUIC_API bool mquic_session_limit(const struct mquic_session *session, enum mquic_limit limit,
				   uint32_t *value);
/**
 * The QUIC connection in use, for addresses, TLS facts and statistics; NULL before the first, and
 * for a session that goes another way than over QUIC, which a later version may have: be ready
 * for it at any time. Not yours; valid until the next connect. Since: 0.1
 */
MQUIC_API struct mquic_connection *mquic_session_connection(const struct mquic_session *session);
/** Attaches a pointer of yours. Since: 0.1 */
MQUIC_API void mquic_session_set_userdata(struct mquic_session *session, void *userdata);
/** The pointer of mquic_session_set_userdata(), NULL before. Since: 0.1 */
MQUIC_API void *mquic_session_get_userdata(const struct mquic_session *session);

/* ---- URL -----------------------------------------------------------------
 * `mqtt-quic://[user[:password]@]host[:port][/topic]`, or `quic://`, in its parts, for programs
 * that are told by one whom to talk to, and about what. Letter case does not count in the scheme;
 * percent escapes are resolved; an IPv6 address has brackets around it. A topic may have wildcards.
 */

/** A URL that holds nothing yet. Free with mquic_url_free(). Since: 0.1 */
MQUIC_API enum mquic_status mquic_url_new(struct mquic_url **url);
/** Frees it; the password is overwritten. NULL is accepted. Since: 0.1 */
MQUIC_API void mquic_url_free(struct mquic_url *url);
/** What the last failure was about. Valid until the next call. Since: 0.1 */
MQUIC_API const char *mquic_url_error(const struct mquic_url *url);
/**
 * Takes `text` apart. #MQUIC_ERR_INVALID: it is malformed, and the parts are what they were; the
 * sentence repeats nothing of user and password. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_url_parse(struct mquic_url *url, const char *text);
/** The host, without brackets; NULL before a parse. Since: 0.1 */
MQUIC_API const char *mquic_url_host(const struct mquic_url *url);
/** The port; 0 if there is none, as mquic_session_connect() takes it. Since: 0.1 */
MQUIC_API uint16_t mquic_url_port(const struct mquic_url *url);
/** The user name, NULL if there is none. Since: 0.1 */
MQUIC_API const char *mquic_url_username(const struct mquic_url *url);
/** The password, NULL if there is none. Since: 0.1 */
MQUIC_API const char *mquic_url_password(const struct mquic_url *url);
/** The topic behind the first slash, NULL if nothing is there. Since: 0.1 */
MQUIC_API const char *mquic_url_topic(const struct mquic_url *url);

/* ---- Coming back ---------------------------------------------------------
 * For programs that connect again after an end, of a session or of a connection: whether
 * that can help, and how long to wait before it. Works in any thread, and without MQTT.
 */

/** What to do after an end or a failed attempt, by mquic_reconnect_advice(). Since: 0.1 */
enum mquic_reconnect {
	/** Try again after mquic_reconnect_pause_ms(): the cause may be gone by itself. */
	MQUIC_RECONNECT_LATER = 1,
	/** The server sends its clients to another; its words may name that. */
	MQUIC_RECONNECT_ELSEWHERE = 2,
	/** The same again will fail again until somebody changes something, here or there. */
	MQUIC_RECONNECT_NEVER = 3
};

/**
 * What to do after an end, by mquic_event_status(), _origin() and _code() of its event; after a
 * call that failed, by its status, #MQUIC_ORIGIN_LOCAL and 0.
 *
 * By itself passes what MQTT says of a server that is busy, unavailable, shutting down or over
 * a quota or rate (MQTT 5.0 section 2.4: 0x80, 0x83, 0x88, 0x89, 0x8b, 0x8d, 0x96, 0x97, 0x9f,
 * 0xa0; 3.1.1: return code 3); of TLS an internal error, and a certificate that has expired or is
 * not yet valid, for clocks are set and certificates renewed; and all that the network, the
 * system or the peer's QUIC brought about. Elsewhere send 0x9c and 0x9d. Final are the other
 * reasons of MQTT, among them a wrong password, no authorization and a session that was taken
 * over; the other alerts of TLS (RFC 8446 section 6), such as an untrusted certificate; what a
 * setting or a call is wrong with; and an end that we wanted. Since: 0.1
 */
MQUIC_API enum mquic_reconnect mquic_reconnect_advice(enum mquic_status status,
						      enum mquic_origin origin, uint64_t code);
/**
 * How long to wait before the next attempt, in milliseconds: `first_ms`, doubled for each of
 * `failures`, the pauses since there was a connection last, up to `longest_ms`; and by chance up
 * to a quarter more, so that a server that was away is not met by all its clients at once. The
 * largest values are no danger. Since: 0.1
 */
MQUIC_API uint64_t mquic_reconnect_pause_ms(uint32_t failures, uint32_t first_ms,
					    uint32_t longest_ms);

/* ---- Relay ---------------------------------------------------------------
 * The server side of one MQTT client, for whoever carries its bytes to a broker. It shows
 * CONNECT, lets the user name be replaced, and is a byte pipe from then on. If the client opens
 * more streams, it stays one pipe: what comes on them is put together to one MQTT connection, and
 * what the broker says is put on the stream it is for (doc/streams.md). A stream that errs, or
 * does not read, is given up alone.
 *
 *     WAITING ──CONNECT complete──▶ SHOWN ──open──▶ OPEN ──finish/close/lost──▶ CLOSED
 */

/**
 * Makes a relay of an accepted connection and takes ownership of the connection, also of its
 * events. The client must open a stream and send a whole CONNECT within `connect_timeout_ms`
 * (100 to 600000) of at most `max_connect` bytes (64 to 1048576), else it is closed.
 * On failure the connection stays yours: #MQUIC_ERR_INVALID (a limit out of range),
 * #MQUIC_ERR_CLOSED (it is over). Since: 0.1
 */
MQUIC_API enum mquic_status mquic_relay_new(struct mquic_relay **relay,
					    struct mquic_connection *connection,
					    uint64_t connect_timeout_ms, size_t max_connect);
/** Frees it; a live client is cut off with code 0. NULL is fine. Since: 0.1 */
MQUIC_API void mquic_relay_free(struct mquic_relay *relay);
/** Sentence about the last call on this relay that failed. Since: 0.1 */
MQUIC_API const char *mquic_relay_error(const struct mquic_relay *relay);
/** The client's connection; not yours. Since: 0.1 */
MQUIC_API struct mquic_connection *mquic_relay_connection(const struct mquic_relay *relay);
/** Bytes that CONNECT has taken so far, SHOWN: how long it is; 0 once it was read. Since: 0.1 */
MQUIC_API size_t mquic_relay_connect_size(const struct mquic_relay *relay);
/**
 * Protocol level of CONNECT, 3, 4 or 5; 0 before CONNECT, and for one that is malformed or of
 * another version: nothing else is known of it then, and it can only go to the broker as it is,
 * which has an answer to it. Since: 0.1
 */
MQUIC_API int mquic_relay_protocol(const struct mquic_relay *relay);
/** Client identifier of CONNECT, NUL terminated; NULL before CONNECT. Since: 0.1 */
MQUIC_API const char *mquic_relay_client_id(const struct mquic_relay *relay, size_t *len);
/** User name of CONNECT as the client sent it, NUL terminated; NULL if none. Since: 0.1 */
MQUIC_API const char *mquic_relay_username(const struct mquic_relay *relay, size_t *len);
/** Clean start flag of CONNECT. Since: 0.1 */
MQUIC_API bool mquic_relay_clean_start(const struct mquic_relay *relay);
/** Keep-alive of CONNECT in seconds. Since: 0.1 */
MQUIC_API uint16_t mquic_relay_keep_alive_s(const struct mquic_relay *relay);
/**
 * SHOWN only: the user name that the broker will read in CONNECT, up to 65535 bytes of UTF-8.
 * Everything else in the packet stays byte for byte. #MQUIC_ERR_STATE elsewhere,
 * #MQUIC_ERR_TOO_LARGE if CONNECT cannot take it, #MQUIC_ERR_PROTOCOL if it is one of protocol
 * level 0, #MQUIC_ERR_CLOSED when the client is gone, as for all calls below. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_relay_set_username(struct mquic_relay *relay, const char *name,
						     size_t len);
/** SHOWN only, else #MQUIC_ERR_STATE: lets the bytes flow, CONNECT first. Since: 0.1 */
MQUIC_API enum mquic_status mquic_relay_open(struct mquic_relay *relay);
/**
 * OPEN, else #MQUIC_ERR_STATE: shows the next bytes meant for the broker; 0 bytes with #MQUIC_OK:
 * the client has finished. #MQUIC_ERR_AGAIN: nothing yet. Valid until the next call on the
 * relay. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_relay_peek(struct mquic_relay *relay, const uint8_t **data,
					     size_t *len);
/**
 * OPEN: marks `len` bytes of the last peek as read; more is #MQUIC_ERR_INVALID. Not reading is
 * back-pressure. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_relay_consume(struct mquic_relay *relay, size_t len);
/** OPEN: queues bytes from the broker for the client; as mquic_stream_send(). Since: 0.1 */
MQUIC_API enum mquic_status mquic_relay_write(struct mquic_relay *relay, const uint8_t *data,
					      size_t len, size_t *written);
/**
 * OPEN: the broker is done: deliver what is queued, as long as the client acknowledges some of it
 * every five seconds, then end the connection with code 0 and `reason`, a text for people as in
 * mquic_connection_close(), which is copied; NULL: none. #MQUIC_EVENT_RELAY_CLOSED follows.
 * Errors: #MQUIC_ERR_STATE (not OPEN), #MQUIC_ERR_CLOSED (the client is gone), #MQUIC_ERR_INVALID
 * (more than 256 bytes), #MQUIC_ERR_MEMORY: then nothing has changed. Since: 0.1
 */
MQUIC_API enum mquic_status mquic_relay_finish(struct mquic_relay *relay, const char *reason);
/** In any state: cuts the client off at once, like mquic_connection_close(). Since: 0.1 */
MQUIC_API enum mquic_status mquic_relay_close(struct mquic_relay *relay, uint64_t code,
					      const char *reason);
/** Attaches a pointer of yours. Since: 0.1 */
MQUIC_API void mquic_relay_set_userdata(struct mquic_relay *relay, void *userdata);
/** The pointer of mquic_relay_set_userdata(), NULL before. Since: 0.1 */
MQUIC_API void *mquic_relay_get_userdata(const struct mquic_relay *relay);

#ifdef __cplusplus
}
#endif

#endif /* MQUIC_H */
