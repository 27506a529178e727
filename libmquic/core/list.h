/* SPDX-License-Identifier: MIT */
/* Intrusive doubly linked list. A node that is zero or self-linked is in no list. */
#ifndef MQUIC_CORE_LIST_H
#define MQUIC_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev;
	struct list *next;
};

/* The structure of `type` that has `node` as its `member`. */
#define list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Walks `head`; `node` may be removed and freed while at it, `next` must not. */
#define list_for_each(node, following, head)                                                       \
	for ((node) = (head)->next, (following) = (node)->next; (node) != (head);                  \
	     (node) = (following), (following) = (node)->next)

static inline void list_init(struct list *head)
{
	head->prev = head;
	head->next = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline bool list_is_linked(const struct list *node)
{
	return node->next != NULL && node->next != node;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_remove(struct list *node)
{
	if (node->next == NULL)
		return;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* The first node, removed; NULL if there is none. */
static inline struct list *list_take_first(struct list *head)
{
	struct list *node = head->next;

	if (node == head)
		return NULL;
	list_remove(node);
	return node;
}

#endif
