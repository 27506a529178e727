/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "core/list.h"

struct item {
	int value;
	struct list link;
};

static struct list head;
static struct item items[4];

static void set_up(void)
{
	size_t i;

	list_init(&head);
	for (i = 0; i < COUNT(items); i++)
		items[i] = (struct item){.value = (int)i};
}

START_TEST(list_gives_its_nodes_in_the_order_they_came)
{
	struct list *node;
	struct list *following;
	int expected = 0;
	size_t i;

	ck_assert(list_is_empty(&head));
	for (i = 0; i < COUNT(items); i++)
		list_append(&head, &items[i].link);
	list_for_each (node, following, &head)
		ck_assert_int_eq(list_entry(node, struct item, link)->value, expected++);
	ck_assert_int_eq(expected, 4);
	for (expected = 0; (node = list_take_first(&head)) != NULL; expected++)
		ck_assert_int_eq(list_entry(node, struct item, link)->value, expected);
	ck_assert_int_eq(expected, 4);
	ck_assert(list_is_empty(&head));
}
END_TEST

START_TEST(list_lets_the_node_at_hand_go_during_a_walk)
{
	struct list *node;
	struct list *following;
	size_t i;

	for (i = 0; i < COUNT(items); i++)
		list_append(&head, &items[i].link);
	list_for_each (node, following, &head)
		if (list_entry(node, struct item, link)->value % 2 == 0)
			list_remove(node);
	ck_assert_ptr_eq(head.next, &items[1].link);
	ck_assert_ptr_eq(head.next->next, &items[3].link);
	ck_assert_ptr_eq(head.prev, &items[3].link);
}
END_TEST

START_TEST(list_node_knows_whether_it_is_linked)
{
	ck_assert(!list_is_linked(&items[0].link)); /* zero */
	list_remove(&items[0].link);                /* harmless */
	list_append(&head, &items[0].link);
	ck_assert(list_is_linked(&items[0].link));
	list_remove(&items[0].link);
	ck_assert(!list_is_linked(&items[0].link));
	list_remove(&items[0].link); /* twice is harmless, too */
	ck_assert(list_is_empty(&head));
	ck_assert_ptr_null(list_take_first(&head));
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&list_gives_its_nodes_in_the_order_they_came,
		&list_lets_the_node_at_hand_go_during_a_walk,
		&list_node_knows_whether_it_is_linked,
	};

	return unit_run("list", set_up, NULL, tests, COUNT(tests));
}
