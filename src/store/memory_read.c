/* memory_read.c: the memory store's scan and readers. */
#include "store/memory.h"

#include <stdlib.h>

static struct memory_store *of(struct store *base)
{
	return (struct memory_store *)(void *)base;
}

static struct memory_reader *reader(struct store_reader *base)
{
	return (struct memory_reader *)(void *)base;
}

/* ---- the scan ---- */

struct scan {
	int64_t since;
	store_row_fn fn;
	void *arg;
};

static bool wanted(enum core_kind kind, const void *row, int64_t since)
{
	if (kind == CORE_ROW_RESERVATION)
		return ((const struct core_reservation *)row)->status == CORE_RES_HELD;
	if (kind == CORE_ROW_TICKET)
		return ((const struct core_ticket *)row)->status != CORE_EXPIRED ||
		       ((const struct core_ticket *)row)->issued_at >= since;
	return true;
}

static bool scan_index(struct memory_store *s, enum memory_index index, const struct scan *scan)
{
	enum core_kind kind = memory_index_kind(index);
	for (const struct ordered_node *node = s->index[index].first[0]; node; node = node->next[0])
		if (wanted(kind, node->row, scan->since) && !scan->fn(scan->arg, kind, node->row))
			return false;
	return true;
}

/* The users of the tickets that will follow, each once. */
static bool scan_users(struct memory_store *s, const struct scan *scan)
{
	struct ordered seen = {0};
	bool on = true;
	for (const struct ordered_node *node = s->index[MEM_TICKET].first[0]; node && on; node = node->next[0]) {
		struct ordered_key key = {.a = ((const struct core_ticket *)node->row)->user_id};
		if (!wanted(CORE_ROW_TICKET, node->row, scan->since) || !ordered_put(&seen, key, NULL))
			continue;
		const void *user = ordered_get(&s->index[MEM_USER], key);
		on = !user || scan->fn(scan->arg, CORE_ROW_USER, user);
	}
	ordered_free(&seen);
	return on;
}

enum store_result memory_scan(struct store *base, int64_t since, store_row_fn fn, void *arg)
{
	static const enum memory_index order[] = {MEM_QUEUE, MEM_CONCERT, MEM_SHOW, MEM_SEAT, MEM_RESERVATION};
	struct memory_store *s = of(base);
	struct scan scan = {since, fn, arg};
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (!scan_index(s, order[i], &scan))
			return STORE_OK;
	if (scan_users(s, &scan))
		(void)scan_index(s, MEM_TICKET, &scan);
	return STORE_OK;
}

/* ---- readers ---- */

enum store_result memory_reader_open(struct store *base, struct store_reader **out)
{
	struct memory_reader *r = mem_zero(sizeof *r);
	r->base.ops = base->ops;
	r->store = of(base);
	*out = &r->base;
	return STORE_OK;
}

void memory_reader_close(struct store_reader *base)
{
	free(reader(base));
}

enum store_result memory_reservation(struct store_reader *base, int64_t reservation_id, struct arena *arena,
                                     struct core_reservation *out)
{
	struct memory_store *s = reader(base)->store;
	(void)pthread_mutex_lock(&s->lock);
	const void *row = ordered_get(&s->index[MEM_RESERVATION], (struct ordered_key){.a = reservation_id});
	if (row)
		memory_row_load(CORE_ROW_RESERVATION, row, arena, out);
	(void)pthread_mutex_unlock(&s->lock);
	return row ? STORE_OK : STORE_NONE;
}

/* How many rows from `node` on share the key's `a` (any when `any`), at most `limit`. */
static size_t count_page(const struct ordered_node *node, bool any, int64_t a, int64_t limit)
{
	size_t n = 0;
	for (; node && (int64_t)n < limit && (any || node->key.a == a); node = node->next[0])
		n++;
	return n;
}

/* A page of an index that ends with a negated id, or has a plain one; an array of structs of the kind. */
static void *read_page(struct memory_store *s, enum memory_index index, struct ordered_key from, bool any, int64_t limit,
                       struct arena *arena, size_t *n)
{
	enum core_kind kind = memory_index_kind(index);
	size_t size = core_kind_size(kind);
	const struct ordered_node *node = ordered_from(&s->index[index], from);
	*n = count_page(node, any, from.a, limit);
	char *page = arena_alloc(arena, *n * size + 1);
	for (size_t i = 0; i < *n; i++, node = node->next[0])
		memory_row_load(kind, node->row, arena, page + i * size);
	return page;
}

/* The least negated id of the rows below `before`. */
static int64_t below(int64_t before)
{
	return before > 0 ? 1 - before : INT64_MIN;
}

enum store_result memory_reservations(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit,
                                      struct arena *arena, struct core_reservation **out, size_t *n)
{
	struct memory_store *s = reader(base)->store;
	(void)pthread_mutex_lock(&s->lock);
	*out = read_page(s, MEM_RESERVATION_USER, (struct ordered_key){.a = user_id, .b = below(before)}, false, limit, arena, n);
	(void)pthread_mutex_unlock(&s->lock);
	return STORE_OK;
}

enum store_result memory_entries(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                                 struct core_entry **out, size_t *n)
{
	struct memory_store *s = reader(base)->store;
	(void)pthread_mutex_lock(&s->lock);
	*out = read_page(s, MEM_ENTRY_USER, (struct ordered_key){.a = user_id, .b = below(before)}, false, limit, arena, n);
	(void)pthread_mutex_unlock(&s->lock);
	return STORE_OK;
}

enum store_result memory_audits(struct store_reader *base, int64_t before, int64_t limit, struct arena *arena,
                                struct core_audit **out, size_t *n)
{
	struct memory_store *s = reader(base)->store;
	(void)pthread_mutex_lock(&s->lock);
	*out = read_page(s, MEM_AUDIT_NEWEST, (struct ordered_key){.a = below(before)}, true, limit, arena, n);
	(void)pthread_mutex_unlock(&s->lock);
	return STORE_OK;
}

enum store_result memory_sales(struct store_reader *base, int64_t concert_id, int64_t after, int64_t limit, struct arena *arena,
                               struct store_sale **out, size_t *n)
{
	struct memory_store *s = reader(base)->store;
	(void)pthread_mutex_lock(&s->lock);
	struct core_reservation *page =
	    read_page(s, MEM_RESERVATION_CONCERT, (struct ordered_key){.a = concert_id, .b = after + 1}, false, limit, arena, n);
	*out = arena_alloc(arena, *n * sizeof **out + 1);
	for (size_t i = 0; i < *n; i++) {
		const struct core_user *user = ordered_get(&s->index[MEM_USER], (struct ordered_key){.a = page[i].user_id});
		(*out)[i].reservation = page[i];
		(*out)[i].username = user ? arena_text(arena, user->name) : (struct text){NULL, 0};
	}
	(void)pthread_mutex_unlock(&s->lock);
	return STORE_OK;
}
