/* rows.c: the working set of one batch. See rows.h. */
#include "core/rows.h"

#include <assert.h>
#include <string.h>

#define BUCKETS_MIN 64

static uint64_t mix(uint64_t h, uint64_t v)
{
	h ^= v;
	h *= 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 32);
}

static size_t hash_id(const struct core_id *id)
{
	uint64_t h = mix(0x6a617269, (uint64_t)id->kind);
	h = mix(h, (uint64_t)id->a);
	h = mix(h, (uint64_t)id->b);
	for (size_t i = 0; i < id->s.n; i++)
		h = (h ^ (uint8_t)id->s.p[i]) * 0x100000001b3ULL;
	return (size_t)(h ^ (h >> 29));
}

static bool same_id(const struct core_id *x, const struct core_id *y)
{
	return x->kind == y->kind && x->a == y->a && x->b == y->b && text_equal(x->s, y->s);
}

void core_rows_init(struct core_rows *rows, struct arena *arena, size_t expected)
{
	*rows = (struct core_rows){.arena = arena, .buckets = BUCKETS_MIN};
	while (rows->buckets < expected)
		rows->buckets *= 2;
	rows->row_buckets = arena_alloc(arena, rows->buckets * sizeof *rows->row_buckets);
	rows->list_buckets = arena_alloc(arena, rows->buckets * sizeof *rows->list_buckets);
	rows->dirty_last = &rows->dirty_first;
	rows->need_lists_last = &rows->need_lists;
}

static struct core_row *find_row(const struct core_rows *rows, const struct core_id *id)
{
	struct core_row *row = rows->row_buckets[hash_id(id) & (rows->buckets - 1)];
	while (row && !same_id(&row->id, id))
		row = row->chain;
	return row;
}

/* Doubles the table of rows; the table of lists stays, since lists are few. */
static void grow(struct core_rows *rows)
{
	size_t doubled = rows->buckets * 2;
	struct core_row **row_buckets = arena_alloc(rows->arena, doubled * sizeof *row_buckets);
	struct core_list **list_buckets = arena_alloc(rows->arena, doubled * sizeof *list_buckets);
	for (size_t i = 0; i < rows->buckets; i++) {
		for (struct core_row *row = rows->row_buckets[i], *next; row; row = next) {
			next = row->chain;
			size_t to = hash_id(&row->id) & (doubled - 1);
			row->chain = row_buckets[to];
			row_buckets[to] = row;
		}
		for (struct core_list *list = rows->list_buckets[i], *next; list; list = next) {
			next = list->chain;
			size_t to = hash_id(&list->id) & (doubled - 1);
			list->chain = list_buckets[to];
			list_buckets[to] = list;
		}
	}
	rows->row_buckets = row_buckets;
	rows->list_buckets = list_buckets;
	rows->buckets = doubled;
}

static struct core_row *add_row(struct core_rows *rows, const struct core_id *id)
{
	if (rows->row_count >= rows->buckets)
		grow(rows);
	struct core_row *row = arena_alloc(rows->arena, sizeof *row);
	row->id = *id;
	struct core_row **bucket = &rows->row_buckets[hash_id(id) & (rows->buckets - 1)];
	row->chain = *bucket;
	*bucket = row;
	rows->row_count++;
	return row;
}

static struct core_list *find_list(const struct core_rows *rows, const struct core_id *id)
{
	struct core_list *list = rows->list_buckets[hash_id(id) & (rows->buckets - 1)];
	while (list && !same_id(&list->id, id))
		list = list->chain;
	return list;
}

static struct core_list *add_list(struct core_rows *rows, const struct core_id *id)
{
	struct core_list *list = arena_alloc(rows->arena, sizeof *list);
	list->id = *id;
	struct core_list **bucket = &rows->list_buckets[hash_id(id) & (rows->buckets - 1)];
	list->chain = *bucket;
	*bucket = list;
	return list;
}

/* ---- asking ---- */

void core_need_row(struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s)
{
	struct core_id id = {kind, a, b, s};
	if (find_row(rows, &id))
		return;
	(void)add_row(rows, &id);
	if (rows->need_row_count == rows->need_row_cap) {
		size_t cap = rows->need_row_cap ? rows->need_row_cap * 2 : 64;
		struct core_id *more = arena_alloc(rows->arena, cap * sizeof *more);
		if (rows->need_row_count)
			memcpy(more, rows->need_rows, rows->need_row_count * sizeof *more);
		rows->need_rows = more;
		rows->need_row_cap = cap;
	}
	rows->need_rows[rows->need_row_count++] = id;
}

void core_need_list(struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s, int64_t more)
{
	struct core_id id = {kind, a, b, s};
	struct core_list *list = find_list(rows, &id);
	if (!list) {
		list = add_list(rows, &id);
		*rows->need_lists_last = list;
		rows->need_lists_last = &list->next_need;
	}
	if (!list->loaded)
		list->limit += more;
}

bool core_rows_needy(const struct core_rows *rows)
{
	return rows->need_row_count > 0 || rows->need_lists;
}

/* ---- loading ---- */

enum core_kind core_row_kind(enum core_kind kind)
{
	switch (kind) {
	case CORE_LIST_USER_NAMED:
		return CORE_ROW_USER;
	case CORE_LIST_QUEUE_NAMED:
		return CORE_ROW_QUEUE;
	case CORE_LIST_LIVE_TICKET:
	case CORE_LIST_LINE:
	case CORE_LIST_DUE_TICKETS:
		return CORE_ROW_TICKET;
	case CORE_LIST_SHOWS_ON:
		return CORE_ROW_SHOW;
	case CORE_LIST_SHOW_SEATS:
	case CORE_LIST_USER_SEATS:
		return CORE_ROW_SEAT;
	case CORE_LIST_DUE_HOLDS:
		return CORE_ROW_RESERVATION;
	case CORE_LIST_DUE_KEYS:
		return CORE_ROW_KEY;
	default:
		return kind;
	}
}

size_t core_kind_size(enum core_kind kind)
{
	static const size_t sizes[CORE_KIND_COUNT] = {
	    [CORE_ROW_USER] = sizeof(struct core_user),
	    [CORE_ROW_QUEUE] = sizeof(struct core_queue),
	    [CORE_ROW_TICKET] = sizeof(struct core_ticket),
	    [CORE_ROW_CONCERT] = sizeof(struct core_concert),
	    [CORE_ROW_SHOW] = sizeof(struct core_show),
	    [CORE_ROW_SEAT] = sizeof(struct core_seat),
	    [CORE_ROW_RESERVATION] = sizeof(struct core_reservation),
	    [CORE_ROW_ENTRY] = sizeof(struct core_entry),
	    [CORE_ROW_KEY] = sizeof(struct core_key_record),
	    [CORE_ROW_AUDIT] = sizeof(struct core_audit),
	};
	assert(kind > 0 && kind < CORE_KIND_COUNT && sizes[kind] > 0);
	return sizes[kind];
}

struct core_id core_id_of(enum core_kind kind, const void *row)
{
	struct core_id id = {.kind = kind};
	switch (kind) {
	case CORE_ROW_USER:
		id.a = ((const struct core_user *)row)->user_id;
		break;
	case CORE_ROW_QUEUE:
		id.a = ((const struct core_queue *)row)->queue_id;
		break;
	case CORE_ROW_TICKET:
		id.a = ((const struct core_ticket *)row)->queue_id;
		id.b = ((const struct core_ticket *)row)->number;
		break;
	case CORE_ROW_CONCERT:
		id.a = ((const struct core_concert *)row)->concert_id;
		break;
	case CORE_ROW_SHOW:
		id.a = ((const struct core_show *)row)->show_id;
		break;
	case CORE_ROW_SEAT:
		id.a = ((const struct core_seat *)row)->show_id;
		id.b = ((const struct core_seat *)row)->seat_number;
		break;
	case CORE_ROW_RESERVATION:
		id.a = ((const struct core_reservation *)row)->reservation_id;
		break;
	case CORE_ROW_ENTRY:
		id.a = ((const struct core_entry *)row)->user_id;
		id.b = ((const struct core_entry *)row)->entry_id;
		break;
	case CORE_ROW_KEY:
		id.a = ((const struct core_key_record *)row)->user_id;
		id.s = ((const struct core_key_record *)row)->key;
		break;
	case CORE_ROW_AUDIT:
		id.a = ((const struct core_audit *)row)->audit_id;
		break;
	default:
		assert(!"a kind of row");
	}
	return id;
}

struct core_row *core_rows_put(struct core_rows *rows, struct core_id id, const void *row)
{
	struct core_row *to = find_row(rows, &id);
	if (to && to->known)
		return to;
	if (!to)
		to = add_row(rows, &id);
	to->known = true;
	to->was = arena_copy(rows->arena, row, core_kind_size(id.kind));
	to->now = arena_copy(rows->arena, row, core_kind_size(id.kind));
	return to;
}

void core_rows_put_absent(struct core_rows *rows, struct core_id id)
{
	struct core_row *row = find_row(rows, &id);
	if (!row)
		row = add_row(rows, &id);
	row->known = true;
}

void core_list_add(struct core_rows *rows, struct core_list *list, struct core_row *row)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 8;
		struct core_row **more = arena_alloc(rows->arena, cap * sizeof *more);
		if (list->n)
			memcpy(more, list->rows, list->n * sizeof *more);
		list->rows = more;
		list->cap = cap;
	}
	list->rows[list->n++] = row;
}

void core_rows_loaded(struct core_rows *rows)
{
	for (size_t i = 0; i < rows->need_row_count; i++)
		core_rows_put_absent(rows, rows->need_rows[i]);
	rows->need_row_count = 0;
	for (struct core_list *list = rows->need_lists; list; list = list->next_need)
		list->loaded = true;
	rows->need_lists = NULL;
	rows->need_lists_last = &rows->need_lists;
}

/* ---- deciding ---- */

struct core_row *core_row_find(const struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s)
{
	struct core_id id = {kind, a, b, s};
	struct core_row *row = find_row(rows, &id);
	return row && row->known ? row : NULL;
}

void *core_row_get(const struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s)
{
	struct core_row *row = core_row_find(rows, kind, a, b, s);
	return row ? row->now : NULL;
}

static void mark_dirty(struct core_rows *rows, struct core_row *row)
{
	if (row->dirty)
		return;
	row->dirty = true;
	*rows->dirty_last = row;
	rows->dirty_last = &row->next_dirty;
}

void *core_row_edit(struct core_rows *rows, struct core_row *row)
{
	assert(row->known && row->now);
	mark_dirty(rows, row);
	return row->now;
}

struct core_row *core_row_create(struct core_rows *rows, enum core_kind kind, const void *fresh)
{
	struct core_id id = core_id_of(kind, fresh);
	struct core_row *row = find_row(rows, &id);
	if (!row)
		row = add_row(rows, &id);
	assert(!row->now);
	row->known = true;
	row->now = arena_copy(rows->arena, fresh, core_kind_size(kind));
	mark_dirty(rows, row);
	return row;
}

void core_row_delete(struct core_rows *rows, struct core_row *row)
{
	assert(row->known && row->now);
	row->now = NULL;
	mark_dirty(rows, row);
}

struct core_list *core_list_find(const struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s)
{
	struct core_id id = {kind, a, b, s};
	struct core_list *list = find_list(rows, &id);
	return list && list->loaded ? list : NULL;
}

struct core_list *core_list_make(struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s)
{
	struct core_id id = {kind, a, b, s};
	struct core_list *list = find_list(rows, &id);
	if (!list) {
		list = add_list(rows, &id);
		list->loaded = list->complete = true;
	}
	return list->loaded ? list : NULL;
}

/* ---- saving ---- */

const struct core_row *core_rows_dirty(const struct core_rows *rows)
{
	return rows->dirty_first;
}
