/* SPDX-License-Identifier: MIT */
/* Whether a stream can be asked to do something, and the sentence if it cannot. */
#ifndef MQUIC_QUIC_STREAM_CHECK_H
#define MQUIC_QUIC_STREAM_CHECK_H

#include "quic/stream.h"

bool stream_is_over(const struct mquic_stream *stream);
bool stream_is_forked(const struct mquic_stream *stream);

/* Each keeps a sentence for mquic_stream_error(), and returns the status that goes with it. */
enum mquic_status stream_refuse(struct mquic_stream *stream, enum mquic_status status,
				const char *sentence);
/* For arguments that no state could make good; there may be no stream to say it of. */
enum mquic_status stream_misused(struct mquic_stream *stream, const char *sentence);
enum mquic_status stream_refuse_memory(struct mquic_stream *stream);
enum mquic_status stream_refuse_forked(struct mquic_stream *stream);
enum mquic_status stream_refuse_over(struct mquic_stream *stream);

/* MQUIC_OK while the stream can be asked to do something. */
enum mquic_status stream_check_alive(struct mquic_stream *stream);
/* The same before it is given up with a code. */
enum mquic_status stream_check_code(struct mquic_stream *stream, uint64_t code);

#endif
