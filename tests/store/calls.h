/* calls.h: everything that a store can be asked for, one call after another, for the tests in which some of it fails. The store has the world of
 * fixture.h. */
#ifndef JARI_TESTS_STORE_CALLS_H
#define JARI_TESTS_STORE_CALLS_H

#include "fixture.h"

/* Is told what each call came to. */
typedef void (*call_fn)(void *arg, const char *what, enum store_result result);

/* A batch that adds to ann's balance, with ids that were announced and ids that were not. */
MAYBE enum store_result try_charge(struct store *s, int64_t amount)
{
	struct batch b = {.store = s, .now = store_clock(s) + 1};
	struct core_ids ids;
	core_rows_init(&b.rows, &b.arena, 64);
	enum store_result result = store_begin(s, &b.now);
	store_want_ids(s, CORE_ID_ENTRY, 1);
	core_need_row(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_QUEUE, 1, 0, NONE);
	if (result == STORE_OK)
		result = store_load(s, &b.rows);
	if (result == STORE_OK)
		result = store_ids(s, CORE_ID_ENTRY, 1, &ids);
	if (result == STORE_OK)
		result = store_ids(s, CORE_ID_AUDIT, 1, &ids);
	if (result == STORE_OK) {
		struct core_row *row = core_row_find(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
		assert_true(row && row->now);
		((struct core_user *)core_row_edit(&b.rows, row))->balance += amount;
		result = store_commit(s, &b.rows, b.now);
	}
	if (result != STORE_OK)
		store_rollback(s);
	arena_free(&b.arena);
	return result;
}

/* A batch that loads what it names, of every kind and list, and changes nothing. */
MAYBE enum store_result try_load(struct store *s)
{
	struct batch b = {.store = s, .now = T0};
	core_rows_init(&b.rows, &b.arena, 64);
	enum store_result result = store_begin(s, &b.now);
	for (int kind = CORE_ROW_USER; kind < CORE_LIST_USER_NAMED; kind++)
		if (kind != CORE_ROW_ENTRY && kind != CORE_ROW_AUDIT) /* which no rule asks for */
			core_need_row(&b.rows, (enum core_kind)kind, 1, 1, TEXT("k1"));
	core_need_list(&b.rows, CORE_LIST_USER_NAMED, 0, 0, TEXT("ann"), 0);
	core_need_list(&b.rows, CORE_LIST_LIVE_TICKET, 1, CID, NONE, 0);
	core_need_list(&b.rows, CORE_LIST_QUEUE_NAMED, 0, 0, TEXT("main"), 0);
	core_need_list(&b.rows, CORE_LIST_LINE, 1, 0, NONE, 5);
	core_need_list(&b.rows, CORE_LIST_SHOWS_ON, 1, 20261224, NONE, 0);
	core_need_list(&b.rows, CORE_LIST_SHOW_SEATS, 1, 0, NONE, 0);
	core_need_list(&b.rows, CORE_LIST_USER_SEATS, 1, BOB, NONE, 0);
	for (enum core_kind due = CORE_LIST_DUE_HOLDS; due <= CORE_LIST_DUE_KEYS; due++)
		core_need_list(&b.rows, due, 0, T0, NONE, 5);
	if (result == STORE_OK)
		result = store_load(s, &b.rows);
	store_rollback(s);
	arena_free(&b.arena);
	return result;
}

MAYBE bool any_row(void *arg, enum core_kind kind, const void *row)
{
	(void)kind, (void)row;
	++*(int64_t *)arg;
	return true;
}

MAYBE void any_heard(void *arg, const struct store_heard *heard)
{
	(void)arg, (void)heard;
}

MAYBE void any_check(void *arg, const char *invariant, const char *what, int64_t violations, const char *example)
{
	(void)arg, (void)invariant, (void)what, (void)violations, (void)example;
}

/* What comes at all is right. */
MAYBE void every_read(struct store *s, call_fn fn, void *arg)
{
	struct store_reader *r = NULL;
	struct arena arena = {0};
	struct core_reservation one, *reservations;
	struct core_entry *entries;
	struct core_audit *audits;
	struct store_sale *sales;
	size_t n = 0;
	enum store_result result = store_reader_open(s, &r);
	fn(arg, "reader", result);
	if (result != STORE_OK)
		return;
	fn(arg, "reservation", result = store_reservation(r, 1, &arena, &one));
	if (result == STORE_OK)
		assert_int_equal(one.user_id, ANN);
	fn(arg, "reservations", result = store_reservations(r, BOB, 0, 10, &arena, &reservations, &n));
	if (result == STORE_OK)
		assert_int_equal(n, 2);
	fn(arg, "entries", result = store_entries(r, ANN, 0, 10, &arena, &entries, &n));
	if (result == STORE_OK)
		assert_int_equal(n, 2);
	fn(arg, "audits", result = store_audits(r, 0, 10, &arena, &audits, &n));
	if (result == STORE_OK)
		assert_int_equal(n, 1);
	fn(arg, "sales", result = store_sales(r, 1, 0, 10, &arena, &sales, &n));
	if (result == STORE_OK)
		assert_int_equal(n, 3);
	arena_free(&arena);
	store_reader_close(r);
}

/* Returns what was charged and told as committed. */
MAYBE int64_t every_call(struct store *s, int64_t amount, call_fn fn, void *arg)
{
	struct store_heard own = {.queue_id = 1, .first = 1, .bits = {1}};
	int64_t rows = 0, charged = 0;
	enum store_result result = store_scan(s, 0, any_row, &rows);
	fn(arg, "scan", result);
	bool scanned = result == STORE_OK;
	fn(arg, "load", try_load(s));
	fn(arg, "charge", result = try_charge(s, amount));
	if (result == STORE_OK)
		charged = amount;
	fn(arg, "confirm", store_confirm(s));
	int64_t realm = -1;
	bool used = false;
	fn(arg, "realm", result = store_realm(s, &realm, &used));
	if (result == STORE_OK)
		assert_true(used && (realm == 0 || realm == 7));
	fn(arg, "set realm", store_set_realm(s, 7));
	fn(arg, "hear", store_hear(s, &own, 1, any_heard, NULL));
	if (scanned) /* else it is to be scanned anew first */
		fn(arg, "follow", store_follow(s, any_row, &rows));
	fn(arg, "watch", store_watch(s, 1));
	store_maintain(s);
	every_read(s, fn, arg);
	fn(arg, "audit", store_audit(s, any_check, NULL));
	return charged;
}

/* ---- moving house ---- */

struct moving {
	struct store *to;
	enum store_result result;
	char error[STORE_ERROR_SIZE];
};

MAYBE bool move_row(void *arg, enum core_kind kind, const void *row)
{
	struct moving *moving = arg;
	moving->result = store_import_row(moving->to, kind, row, moving->error);
	return moving->result == STORE_OK;
}

/* All rows of one into the other, which is closed afterwards by the caller. What the import came to goes to *in, what the export did to *out. */
MAYBE void export_to_import(struct store *from, struct store *to, enum store_result *out, enum store_result *in)
{
	struct moving moving = {.to = to};
	*out = STORE_OK;
	*in = store_import_begin(to, store_clock(from), 0, moving.error);
	if (*in == STORE_OK) {
		*out = store_export(from, move_row, &moving);
		*in = moving.result;
	}
	if (*in == STORE_OK && *out == STORE_OK)
		*in = store_import_finish(to, moving.error);
	if (*in != STORE_OK)
		assert_true(moving.error[0] != '\0'); /* in words */
	store_rollback(to);
}

#endif
