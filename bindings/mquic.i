/* SPDX-License-Identifier: MIT */
/*
 * What every language binding shares: mquic.h as it is, its prefixes left off, its handles as
 * classes without members that free themselves, and which parameters belong together.
 *
 * A language's own mquic.i names the module, writes its typemaps for the abstract parameters
 * below, and then includes this file:
 *
 *     (const char *TEXT, size_t TEXT_LEN)             text with its length, or nothing
 *     (const uint8_t *BYTES, size_t BYTES_LEN)        bytes with their length, or nothing
 *     SWIGTYPE **HANDLE_OUT                           a new object, the caller's to free
 *     TYPE *NUMBER_OUT                                a number besides the result
 *
 * What is freed, called back or handed out as a bare pointer is left out; a language that
 * wants it writes a helper of its own in C.
 */
%{
#include <mquic.h>
%}

%include <stdint.i>

%rename("%(strip:[mquic_])s", regextarget = 1) "^mquic_";
%rename("%(strip:[MQUIC_])s", regextarget = 1) "^MQUIC_";

%apply(const char *TEXT, size_t TEXT_LEN) {
	(const char *id, size_t len),
	(const char *name, size_t len),
	(const char *topic, size_t len),
	(const char *filter, size_t len),
	(const char *filter, size_t filter_len),
	(const char *topic, size_t topic_len),
	(const char *text, size_t len),
	(const char *name, size_t name_len),
	(const char *value, size_t value_len),
	(const char *method, size_t method_len)
};
%apply(const uint8_t *BYTES, size_t BYTES_LEN) {
	(const uint8_t *data, size_t len)
};
%apply SWIGTYPE **HANDLE_OUT {
	struct mquic_settings **settings,
	struct mquic_endpoint **endpoint,
	struct mquic_connection **connection,
	struct mquic_stream **stream,
	struct mquic_message **message,
	struct mquic_message **copy,
	struct mquic_subscription **subscription,
	struct mquic_session **session,
	struct mquic_relay **relay
};
%apply uint16_t *NUMBER_OUT { uint16_t *packet_id, uint16_t *bound_port };
%apply uint32_t *NUMBER_OUT { uint32_t *seconds, uint32_t *value };
%apply size_t *NUMBER_OUT { size_t *sent, size_t *written };

/* A handle is freed by its destructor alone, so no second call can free it again. */
%define MQUIC_HANDLE(NAME)
%nodefaultctor mquic_##NAME;
%ignore mquic_##NAME##_free;
struct mquic_##NAME {
};
%extend mquic_##NAME {
	~mquic_##NAME()
	{
		mquic_##NAME##_free($self);
	}
}
%enddef

MQUIC_HANDLE(settings)
MQUIC_HANDLE(endpoint)
MQUIC_HANDLE(connection)
MQUIC_HANDLE(stream)
MQUIC_HANDLE(message)
MQUIC_HANDLE(subscription)
MQUIC_HANDLE(session)
MQUIC_HANDLE(relay)

/* Bindings pull events in batches, with a helper in C; nothing of an event outlives it. */
%rename("$ignore", regextarget = 1, %$isfunction) "^mquic_event_";
%ignore mquic_endpoint_next_event;

/* Languages take URLs apart by ways of their own; sessions take a URL as it is. */
%rename("$ignore", regextarget = 1, %$isfunction) "^mquic_url_";

/* Pointers and calls back are no arguments for a script. */
%ignore MQUIC_NUL_TERMINATED;
%ignore mquic_text_printable; /* native_text_printable() returns the copy */
%ignore mquic_log_sink;
%ignore MQUIC_RESET_NOTE_MAX; /* for several processes at one address */
%ignore mquic_connection_reset_note;
%ignore mquic_endpoint_send_reset;
%ignore mquic_endpoint_set_log;
%rename("$ignore", regextarget = 1, %$isfunction) "_(get|set)_userdata$";

%include "mquic.h"
