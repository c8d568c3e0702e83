/* memory.c: a store in memory, for tests and simulations: the same contract as the others, with nothing durable. */
#include "store/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct memory_store *of(struct store *base)
{
	return (struct memory_store *)(void *)base;
}

/* ---- indexes ---- */

static bool key_primary(enum core_kind kind, const void *row, struct ordered_key *out)
{
	struct core_id id = core_id_of(kind, row);
	*out = (struct ordered_key){id.a, id.b, 0, 0, id.s};
	return true;
}

static bool key_user_name(const void *row, struct ordered_key *out)
{
	*out = (struct ordered_key){.s = ((const struct core_user *)row)->name};
	return true;
}

static bool key_queue_name(const void *row, struct ordered_key *out)
{
	*out = (struct ordered_key){.s = ((const struct core_queue *)row)->name};
	return true;
}

static bool key_ticket_live(const void *row, struct ordered_key *out)
{
	const struct core_ticket *t = row;
	*out = (struct ordered_key){.a = t->queue_id, .b = t->user_id};
	return t->status != CORE_EXPIRED;
}

static bool key_ticket_line(const void *row, struct ordered_key *out)
{
	const struct core_ticket *t = row;
	*out = (struct ordered_key){.a = t->queue_id, .b = t->number};
	return t->status == CORE_WAITING;
}

static bool key_ticket_due(const void *row, struct ordered_key *out)
{
	const struct core_ticket *t = row;
	*out = (struct ordered_key){.a = t->expires_at, .b = t->queue_id, .c = t->number};
	return t->status == CORE_ACTIVE || t->status == CORE_PASSED;
}

static bool key_show_on(const void *row, struct ordered_key *out)
{
	const struct core_show *s = row;
	*out = (struct ordered_key){.a = s->concert_id, .b = s->date, .c = s->starts_at, .d = s->show_id};
	return true;
}

static bool key_seat_user(const void *row, struct ordered_key *out)
{
	const struct core_seat *s = row;
	*out = (struct ordered_key){.a = s->show_id, .b = s->user_id, .c = s->seat_number};
	return s->user_id != 0;
}

static bool key_reservation_due(const void *row, struct ordered_key *out)
{
	const struct core_reservation *r = row;
	*out = (struct ordered_key){.a = r->held_until, .b = r->reservation_id};
	return r->status == CORE_RES_HELD;
}

static bool key_reservation_user(const void *row, struct ordered_key *out)
{
	const struct core_reservation *r = row;
	*out = (struct ordered_key){.a = r->user_id, .b = -r->reservation_id};
	return true;
}

static bool key_reservation_concert(const void *row, struct ordered_key *out)
{
	const struct core_reservation *r = row;
	*out = (struct ordered_key){.a = r->concert_id, .b = r->reservation_id};
	return true;
}

static bool key_entry_id(const void *row, struct ordered_key *out)
{
	*out = (struct ordered_key){.a = ((const struct core_entry *)row)->entry_id};
	return true;
}

static bool key_entry_user(const void *row, struct ordered_key *out)
{
	const struct core_entry *e = row;
	*out = (struct ordered_key){.a = e->user_id, .b = -e->entry_id};
	return true;
}

static bool key_key_due(const void *row, struct ordered_key *out)
{
	const struct core_key_record *k = row;
	*out = (struct ordered_key){.a = k->created_at, .b = k->user_id, .s = k->key};
	return true;
}

static bool key_audit_newest(const void *row, struct ordered_key *out)
{
	*out = (struct ordered_key){.a = -((const struct core_audit *)row)->audit_id};
	return true;
}

static const struct {
	enum core_kind kind;
	bool (*key)(const void *row, struct ordered_key *out); /* NULL: the row's own key */
} indexes[MEM_INDEXES] = {
    [MEM_USER] = {CORE_ROW_USER, NULL},
    [MEM_USER_NAME] = {CORE_ROW_USER, key_user_name},
    [MEM_QUEUE] = {CORE_ROW_QUEUE, NULL},
    [MEM_QUEUE_NAME] = {CORE_ROW_QUEUE, key_queue_name},
    [MEM_TICKET] = {CORE_ROW_TICKET, NULL},
    [MEM_TICKET_LIVE] = {CORE_ROW_TICKET, key_ticket_live},
    [MEM_TICKET_LINE] = {CORE_ROW_TICKET, key_ticket_line},
    [MEM_TICKET_DUE] = {CORE_ROW_TICKET, key_ticket_due},
    [MEM_CONCERT] = {CORE_ROW_CONCERT, NULL},
    [MEM_SHOW] = {CORE_ROW_SHOW, NULL},
    [MEM_SHOW_ON] = {CORE_ROW_SHOW, key_show_on},
    [MEM_SEAT] = {CORE_ROW_SEAT, NULL},
    [MEM_SEAT_USER] = {CORE_ROW_SEAT, key_seat_user},
    [MEM_RESERVATION] = {CORE_ROW_RESERVATION, NULL},
    [MEM_RESERVATION_DUE] = {CORE_ROW_RESERVATION, key_reservation_due},
    [MEM_RESERVATION_USER] = {CORE_ROW_RESERVATION, key_reservation_user},
    [MEM_RESERVATION_CONCERT] = {CORE_ROW_RESERVATION, key_reservation_concert},
    [MEM_ENTRY] = {CORE_ROW_ENTRY, NULL},
    [MEM_ENTRY_ID] = {CORE_ROW_ENTRY, key_entry_id},
    [MEM_ENTRY_USER] = {CORE_ROW_ENTRY, key_entry_user},
    [MEM_KEY] = {CORE_ROW_KEY, NULL},
    [MEM_KEY_DUE] = {CORE_ROW_KEY, key_key_due},
    [MEM_AUDIT] = {CORE_ROW_AUDIT, NULL},
    [MEM_AUDIT_NEWEST] = {CORE_ROW_AUDIT, key_audit_newest},
};

enum core_kind memory_index_kind(enum memory_index index)
{
	return indexes[index].kind;
}

bool memory_index_key(enum memory_index index, const void *row, struct ordered_key *out)
{
	return indexes[index].key ? indexes[index].key(row, out) : key_primary(indexes[index].kind, row, out);
}

enum memory_index memory_primary(enum core_kind kind)
{
	enum memory_index i = 0;
	while (indexes[i].kind != kind)
		i++;
	return i;
}

static void index_take(struct memory_store *s, enum core_kind kind, const void *row, enum memory_index end)
{
	struct ordered_key key;
	for (enum memory_index i = 0; i < end; i++)
		if (indexes[i].kind == kind && memory_index_key(i, row, &key))
			(void)ordered_take(&s->index[i], key);
}

bool memory_put(struct memory_store *s, enum core_kind kind, void *row)
{
	struct ordered_key key;
	for (enum memory_index i = 0; i < MEM_INDEXES; i++) {
		if (indexes[i].kind != kind || !memory_index_key(i, row, &key))
			continue;
		if (!ordered_put(&s->index[i], key, row)) {
			index_take(s, kind, row, i);
			return false;
		}
	}
	return true;
}

/* ---- opening and closing ---- */

static const enum memory_index id_index[CORE_ID_KINDS] = {
    [CORE_ID_USER] = MEM_USER,      [CORE_ID_RESERVATION] = MEM_RESERVATION,
    [CORE_ID_ENTRY] = MEM_ENTRY_ID, [CORE_ID_AUDIT] = MEM_AUDIT,
    [CORE_ID_QUEUE] = MEM_QUEUE,    [CORE_ID_CONCERT] = MEM_CONCERT,
    [CORE_ID_SHOW] = MEM_SHOW,
};

void memory_clear(struct memory_store *s)
{
	for (enum memory_index i = 0; i < MEM_INDEXES; i++) {
		if (i == memory_primary(indexes[i].kind))
			for (const struct ordered_node *node = s->index[i].first[0]; node; node = node->next[0])
				free(node->row);
	}
	for (enum memory_index i = 0; i < MEM_INDEXES; i++)
		ordered_free(&s->index[i]);
}

static void memory_close(struct store *base)
{
	struct memory_store *s = of(base);
	memory_settle(base, s->kept_n);
	free(s->kept);
	memory_clear(s);
	free(s->put_away);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static const char *memory_path(const struct store *base)
{
	(void)base;
	return NULL;
}

static int64_t memory_clock(struct store *base)
{
	return of(base)->clock;
}

static enum store_result memory_realm(struct store *base, int64_t *realm, bool *used)
{
	*realm = of(base)->realm;
	*used = of(base)->index[MEM_USER].n > 0;
	return STORE_OK;
}

static enum store_result memory_set_realm(struct store *base, int64_t realm)
{
	of(base)->realm = realm;
	return STORE_OK;
}

/* ---- a batch ---- */

static enum store_result memory_begin(struct store *base, int64_t *now)
{
	if (*now < of(base)->clock)
		*now = of(base)->clock;
	return STORE_OK;
}

static enum store_result memory_ids(struct store *base, enum core_id_kind kind, int64_t count, struct core_ids *out)
{
	struct memory_store *s = of(base);
	int64_t end;
	if (count < 0 || __builtin_add_overflow(s->next_id[kind], count, &end))
		return STORE_BROKEN;
	*out = (struct core_ids){s->next_id[kind], end};
	s->next_id[kind] = end;
	return STORE_OK;
}

static struct core_row *put_loaded(struct core_rows *rows, enum core_kind kind, const void *stored)
{
	union core_any_row loaded;
	memory_row_load(kind, stored, rows->arena, &loaded);
	return core_rows_put(rows, core_id_of(kind, &loaded), &loaded);
}

static void load_row(struct memory_store *s, struct core_rows *rows, struct core_id id)
{
	const void *stored = ordered_get(&s->index[memory_primary(id.kind)], (struct ordered_key){id.a, id.b, 0, 0, id.s});
	if (stored)
		(void)put_loaded(rows, id.kind, stored);
	else
		core_rows_put_absent(rows, id);
}

/* Where a list begins in which index, and how to tell that a row is no longer of it. */
struct range {
	enum memory_index index;
	struct ordered_key from;
	enum { LIKE_A, LIKE_AB, LIKE_S, UNTIL_B } while_;
};

static bool list_range(const struct core_id *id, struct range *out)
{
	struct ordered_key a = {.a = id->a}, ab = {.a = id->a, .b = id->b}, s = {.s = id->s};
	struct ordered_key lowest = {.a = INT64_MIN, .b = INT64_MIN, .c = INT64_MIN, .d = INT64_MIN};
	switch (id->kind) {
	case CORE_LIST_USER_NAMED:
		*out = (struct range){MEM_USER_NAME, s, LIKE_S};
		return true;
	case CORE_LIST_QUEUE_NAMED:
		*out = (struct range){MEM_QUEUE_NAME, s, LIKE_S};
		return true;
	case CORE_LIST_LIVE_TICKET:
		*out = (struct range){MEM_TICKET_LIVE, ab, LIKE_AB};
		return true;
	case CORE_LIST_LINE:
		*out = (struct range){MEM_TICKET_LINE, a, LIKE_A};
		return true;
	case CORE_LIST_SHOWS_ON:
		ab.c = INT64_MIN;
		*out = (struct range){MEM_SHOW_ON, ab, LIKE_AB};
		return true;
	case CORE_LIST_SHOW_SEATS:
		*out = (struct range){MEM_SEAT, a, LIKE_A};
		return true;
	case CORE_LIST_USER_SEATS:
		*out = (struct range){MEM_SEAT_USER, ab, LIKE_AB};
		return true;
	case CORE_LIST_DUE_HOLDS:
		*out = (struct range){MEM_RESERVATION_DUE, lowest, UNTIL_B};
		return true;
	case CORE_LIST_DUE_TICKETS:
		*out = (struct range){MEM_TICKET_DUE, lowest, UNTIL_B};
		return true;
	case CORE_LIST_DUE_KEYS:
		*out = (struct range){MEM_KEY_DUE, lowest, UNTIL_B};
		return true;
	default:
		return false;
	}
}

static bool in_range(const struct range *range, const struct core_id *id, const struct ordered_key *key)
{
	switch (range->while_) {
	case LIKE_A:
		return key->a == id->a;
	case LIKE_AB:
		return key->a == id->a && key->b == id->b;
	case LIKE_S:
		return text_equal(key->s, id->s);
	case UNTIL_B:
		return key->a <= id->b;
	}
	return false;
}

static bool load_list(struct memory_store *s, struct core_rows *rows, struct core_list *list)
{
	struct range range;
	if (!list_range(&list->id, &range))
		return false;
	list->complete = true;
	int64_t left = list->limit > 0 ? list->limit : INT64_MAX;
	const struct ordered_node *node = ordered_from(&s->index[range.index], range.from);
	for (; node && in_range(&range, &list->id, &node->key); node = node->next[0]) {
		if (left-- == 0) {
			list->complete = false;
			break;
		}
		core_list_add(rows, list, put_loaded(rows, indexes[range.index].kind, node->row));
	}
	return true;
}

static enum store_result memory_load(struct store *base, struct core_rows *rows)
{
	struct memory_store *s = of(base);
	for (size_t i = 0; i < rows->need_row_count; i++)
		load_row(s, rows, rows->need_rows[i]);
	for (struct core_list *list = rows->need_lists; list; list = list->next_need)
		if (!load_list(s, rows, list))
			return STORE_BROKEN;
	core_rows_loaded(rows);
	return STORE_OK;
}

/* ---- commit ---- */

static void note_step(struct memory_steps *steps, struct memory_step step)
{
	if (steps->n == steps->cap) {
		steps->cap = steps->cap ? steps->cap * 2 : 64;
		steps->p = mem_grow(steps->p, steps->cap * sizeof *steps->p);
	}
	steps->p[steps->n++] = step;
}

static void undo_steps(struct memory_store *s, struct memory_steps *steps)
{
	while (steps->n > 0) {
		struct memory_step *step = &steps->p[--steps->n];
		if (step->came)
			index_take(s, step->kind, step->came, MEM_INDEXES);
		if (step->gone)
			(void)memory_put(s, step->kind, step->gone);
		free(step->came);
	}
}

static bool append_only(enum core_kind kind)
{
	return kind == CORE_ROW_ENTRY || kind == CORE_ROW_AUDIT;
}

static bool save_row(struct memory_store *s, const struct core_row *row, struct memory_steps *steps)
{
	enum core_kind kind = row->id.kind;
	struct memory_step step = {.kind = kind};
	if (!row->was && !row->now)
		return true;
	if (row->was) {
		struct core_id id = core_id_of(kind, row->was);
		step.gone = ordered_get(&s->index[memory_primary(kind)], (struct ordered_key){id.a, id.b, 0, 0, id.s});
		if (append_only(kind) || !step.gone || !memory_row_same(kind, step.gone, row->was))
			return false;
	}
	if (row->now && !memory_row_valid(kind, row->now))
		return false;
	if (step.gone)
		index_take(s, kind, step.gone, MEM_INDEXES);
	if (row->now) {
		step.came = memory_row_copy(kind, row->now);
		if (!memory_put(s, kind, step.came)) {
			free(step.came);
			if (step.gone)
				(void)memory_put(s, kind, step.gone);
			return false;
		}
	}
	note_step(steps, step);
	return true;
}

void memory_raise_ids(struct memory_store *s)
{
	for (enum core_id_kind kind = 0; kind < CORE_ID_KINDS; kind++) {
		const struct ordered_node *last =
		    ordered_from(&s->index[id_index[kind]], (struct ordered_key){.a = s->next_id[kind]});
		while (last && last->next[0])
			last = last->next[0];
		if (last)
			s->next_id[kind] = last->key.a + 1;
	}
}

static void free_gone(struct memory_steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		free(steps->p[i].gone);
	free(steps->p);
}

static void keep_steps(struct memory_store *s, const struct memory_steps *steps)
{
	if (s->kept_n == s->kept_cap) {
		s->kept_cap = s->kept_cap ? s->kept_cap * 2 : 16;
		s->kept = mem_grow(s->kept, s->kept_cap * sizeof *s->kept);
	}
	s->kept[s->kept_n++] = *steps;
}

void memory_keep(struct store *base)
{
	of(base)->keeps = true;
}

void memory_undo(struct store *base, size_t n)
{
	struct memory_store *s = of(base);
	for (; n > 0 && s->kept_n > 0; n--) {
		struct memory_steps *steps = &s->kept[--s->kept_n];
		undo_steps(s, steps);
		free(steps->p);
		s->clock = steps->clock;
	}
}

void memory_settle(struct store *base, size_t n)
{
	struct memory_store *s = of(base);
	n = n < s->kept_n ? n : s->kept_n;
	for (size_t i = 0; i < n; i++)
		free_gone(&s->kept[i]);
	s->kept_n -= n;
	if (s->kept_n > 0)
		memmove(s->kept, s->kept + n, s->kept_n * sizeof *s->kept);
}

static enum store_result memory_commit(struct store *base, const struct core_rows *rows, int64_t now)
{
	struct memory_store *s = of(base);
	struct memory_steps steps = {.clock = s->clock};
	enum store_result result = STORE_OK;
	(void)pthread_mutex_lock(&s->lock);
	for (const struct core_row *row = core_rows_dirty(rows); row && result == STORE_OK; row = row->next_dirty)
		if (!save_row(s, row, &steps))
			result = STORE_CONFLICT;
	if (result == STORE_OK) {
		memory_raise_ids(s);
		if (now > s->clock)
			s->clock = now;
	} else {
		undo_steps(s, &steps);
	}
	if (result == STORE_OK && s->keeps)
		keep_steps(s, &steps);
	else
		free_gone(&steps); /* none after an undo */
	(void)pthread_mutex_unlock(&s->lock);
	return result;
}

static void memory_rollback(struct store *base)
{
	memory_import_undo(base); /* a batch changes nothing before its commit */
}

static void memory_maintain(struct store *base)
{
	(void)base;
}

static enum store_result memory_backup(struct store *base, const char *destination, void (*progress)(void *, int64_t, int64_t),
                                       void *arg, char error[STORE_ERROR_SIZE])
{
	(void)base;
	(void)destination;
	(void)progress;
	(void)arg;
	snprintf(error, STORE_ERROR_SIZE, "a store in memory has no file to copy");
	return STORE_BROKEN;
}

static const struct store_ops memory_ops = {
    .close = memory_close,
    .path = memory_path,
    .clock = memory_clock,
    .realm = memory_realm,
    .set_realm = memory_set_realm,
    .begin = memory_begin,
    .load = memory_load,
    .ids = memory_ids,
    .commit = memory_commit,
    .rollback = memory_rollback,
    .maintain = memory_maintain,
    .scan = memory_scan,
    .reader_open = memory_reader_open,
    .reader_close = memory_reader_close,
    .reservation = memory_reservation,
    .reservations = memory_reservations,
    .entries = memory_entries,
    .audits = memory_audits,
    .sales = memory_sales,
    .audit = memory_audit,
    .backup = memory_backup,
    .count = memory_count,
    .export_rows = memory_export,
    .import_begin = memory_import_begin,
    .import_row = memory_import_row,
    .import_finish = memory_import_finish,
};

enum store_result store_memory_open(const struct store_options *options, struct store **out, char error[STORE_ERROR_SIZE])
{
	struct memory_store *s = mem_zero(sizeof *s);
	s->base.ops = &memory_ops;
	if (pthread_mutex_init(&s->lock, NULL) != 0) {
		snprintf(error, STORE_ERROR_SIZE, "a store in memory can't be made: the system has no lock left");
		free(s);
		return STORE_BROKEN;
	}
	for (enum core_id_kind kind = 0; kind < CORE_ID_KINDS; kind++)
		s->next_id[kind] = 1;
	struct core_queue first = {
	    .queue_id = 1, .name = TEXT("main"), .capacity = options->queue_capacity, .ceiling = options->queue_capacity};
	(void)memory_put(s, CORE_ROW_QUEUE, memory_row_copy(CORE_ROW_QUEUE, &first));
	s->next_id[CORE_ID_QUEUE] = 2;
	*out = &s->base;
	return STORE_OK;
}
