/* SPDX-License-Identifier: MIT */
/* A queue whose members carry their own links. Not every C library has <sys/queue.h>. */
#ifndef SERVER_QUEUE_H
#define SERVER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

/* The head of a queue, or a link in a member of it. */
struct queue {
	struct queue *previous;
	struct queue *next;
};

/* The structure of `type` that has `link` as its `member`. */
#define QUEUE_MEMBER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void queue_init(struct queue *queue)
{
	queue->previous = queue;
	queue->next = queue;
}

static inline bool queue_is_empty(const struct queue *queue)
{
	return queue->next == queue;
}

static inline void queue_append(struct queue *queue, struct queue *link)
{
	link->previous = queue->previous;
	link->next = queue;
	queue->previous->next = link;
	queue->previous = link;
}

static inline void queue_remove(struct queue *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
}

#endif
