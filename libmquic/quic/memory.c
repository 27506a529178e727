/* SPDX-License-Identifier: MIT */
#include "quic/memory.h"

#include <malloc.h>
#include <stdlib.h>

#include "quic/stream.h"

/* The C library knows the size of each block, so that none need be kept beside it. */
static void *count(struct quic_memory *memory, void *block)
{
	if (block != NULL)
		memory->bytes += malloc_usable_size(block);
	return block;
}

static void *counted_malloc(size_t size, void *self)
{
	return count(self, malloc(size));
}

static void *counted_calloc(size_t number, size_t size, void *self)
{
	return count(self, calloc(number, size));
}

static void counted_free(void *block, void *self)
{
	struct quic_memory *memory = self;

	if (block != NULL)
		memory->bytes -= malloc_usable_size(block);
	free(block);
}

static void *counted_realloc(void *block, size_t size, void *self)
{
	struct quic_memory *memory = self;
	size_t before = block != NULL ? malloc_usable_size(block) : 0;
	void *moved = realloc(block, size);

	/* A failure leaves the old block as it was; size 0 frees it. */
	if (moved == NULL && size > 0)
		return NULL;
	memory->bytes -= before;
	return count(memory, moved);
}

void memory_init(struct quic_memory *memory)
{
	*memory = (struct quic_memory){
		.allocator =
			{
				.user_data = memory,
				.malloc = counted_malloc,
				.free = counted_free,
				.calloc = counted_calloc,
				.realloc = counted_realloc,
			},
	};
}

uint64_t memory_of(const struct mquic_connection *connection)
{
	uint64_t bytes = sizeof(*connection) + connection->memory.bytes + connection->memory.held;
	struct list *node;
	struct list *following;

	list_for_each (node, following, &connection->attempts)
		bytes += sizeof(struct attempt);
	list_for_each (node, following, &connection->streams.all) {
		const struct mquic_stream *stream = list_entry(node, struct mquic_stream, link);

		bytes += sizeof(*stream) + stream->input.len + stream->output.len;
	}
	return bytes;
}
