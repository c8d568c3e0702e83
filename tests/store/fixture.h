/* fixture.h: what the store tests share: a batch to work with, and a small world that every invariant holds in.
 *
 * The world: ann has paid for seat 1, bob holds seats 2 and 3 and once held seat 4, cid waits, dan left the line.
 * Each test has a store of its own; a SQLite store lives in a fresh folder that the teardown removes. */
#ifndef JARI_TESTS_STORE_FIXTURE_H
#define JARI_TESTS_STORE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"

#include "pg_server.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define T0 1700000000000LL
#define NONE ((struct text){NULL, 0})
#define MAYBE __attribute__((unused)) static

struct fixture {
	struct store *store;
	char folder[256]; /* empty for the memory store */
	char path[320], url[340];
	bool shared; /* PostgreSQL: the clock is the database's, ids come from sequences */
};

MAYBE enum store_result open_url(const char *url, enum store_mode mode, struct store **out, char error[STORE_ERROR_SIZE])
{
	struct store_options options = {.url = url, .mode = mode, .queue_capacity = 2};
	return store_open(&options, out, error);
}

MAYBE void open_again(struct fixture *f)
{
	char error[STORE_ERROR_SIZE];
	if (open_url(f->url, STORE_SERVE, &f->store, error) != STORE_OK)
		fail_msg("%s", error);
}

MAYBE int open_memory(void **state)
{
	struct fixture *f = test_calloc(1, sizeof *f);
	snprintf(f->url, sizeof f->url, "memory:");
	open_again(f);
	*state = f;
	return 0;
}

MAYBE int make_folder(void **state)
{
	struct fixture *f = test_calloc(1, sizeof *f);
	const char *tmp = getenv("TMPDIR");
	snprintf(f->folder, sizeof f->folder, "%s/jari-store-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/jari.db", f->folder);
	snprintf(f->url, sizeof f->url, "sqlite:%s", f->path);
	*state = f;
	return 0;
}

MAYBE int open_sqlite(void **state)
{
	(void)make_folder(state);
	open_again(*state);
	return 0;
}

/* The server of this program; group_state of cmocka. */
MAYBE int start_postgres(void **state)
{
	struct pg_server *p = calloc(1, sizeof *p);
	*state = p;
	if (p && pg_make(p))
		return 0;
	print_error("PostgreSQL does not start; is the package postgresql installed? (%s/log)\n", p ? p->folder : "");
	return -1;
}

MAYBE int end_postgres(void **state)
{
	struct pg_server *p = *state;
	pg_remove(p);
	free(p);
	return 0;
}

MAYBE struct fixture *fresh_postgres(const struct pg_server *p)
{
	struct fixture *f = test_calloc(1, sizeof *f);
	f->shared = true;
	snprintf(f->url, sizeof f->url, "postgresql://postgres@127.0.0.1:%d/postgres", p->port);
	assert_true(pg_sql(p, "DROP SCHEMA IF EXISTS jari CASCADE"));
	return f;
}

MAYBE int open_postgres(void **state)
{
	struct fixture *f = fresh_postgres(*state);
	open_again(f);
	*state = f;
	return 0;
}

/* With the files in it; nothing when the name is empty. */
MAYBE void remove_folder(const char *folder)
{
	DIR *dir = folder[0] ? opendir(folder) : NULL;
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir) {
		closedir(dir);
		(void)rmdir(folder);
	}
}

/* No file where there is none. */
MAYBE void copy_file(const char *from, const char *to)
{
	char buffer[65536];
	FILE *in = fopen(from, "r");
	if (!in) {
		(void)unlink(to);
		return;
	}
	FILE *out = fopen(to, "w");
	assert_non_null(out);
	for (size_t n; (n = fread(buffer, 1, sizeof buffer, in)) > 0;)
		assert_int_equal(fwrite(buffer, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* A SQLite store's file with its log. */
MAYBE void copy_store(const char *from, const char *to)
{
	static const char *const suffixes[] = {"", "-wal", "-journal", "-shm"};
	char a[400], b[400];
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		(void)snprintf(a, sizeof a, "%s%s", from, suffixes[i]);
		(void)snprintf(b, sizeof b, "%s%s", to, suffixes[i]);
		if (strcmp(suffixes[i], "-shm") == 0)
			(void)unlink(b);
		else
			copy_file(a, b);
	}
}

MAYBE int close_fixture(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	remove_folder(f->folder);
	test_free(f);
	return 0;
}

/* ---- a batch ---- */

struct batch {
	struct store *store;
	struct arena arena;
	struct core_rows rows;
	int64_t now;
};

MAYBE void batch_begin(struct batch *b, struct store *s)
{
	*b = (struct batch){.store = s, .now = T0};
	core_rows_init(&b->rows, &b->arena, 64);
	assert_int_equal(store_begin(s, &b->now), STORE_OK);
}

MAYBE void batch_load(struct batch *b)
{
	assert_int_equal(store_load(b->store, &b->rows), STORE_OK);
	assert_false(core_rows_needy(&b->rows));
}

/* Commits (or rolls back on a failure) and forgets the batch. */
MAYBE enum store_result batch_commit(struct batch *b)
{
	enum store_result result = store_commit(b->store, &b->rows, b->now);
	if (result != STORE_OK)
		store_rollback(b->store);
	arena_free(&b->arena);
	return result;
}

MAYBE void batch_drop(struct batch *b)
{
	store_rollback(b->store);
	arena_free(&b->arena);
}

/* Loads one row into the batch; NULL when the store has none. */
MAYBE struct core_row *load_one(struct batch *b, enum core_kind kind, int64_t a, int64_t b_, struct text s)
{
	core_need_row(&b->rows, kind, a, b_, s);
	batch_load(b);
	struct core_row *row = core_row_find(&b->rows, kind, a, b_, s);
	return row && row->now ? row : NULL;
}

/* A batch that does nothing but make one row. */
MAYBE enum store_result commit_new(struct store *s, enum core_kind kind, const void *fresh)
{
	struct batch b;
	batch_begin(&b, s);
	(void)core_row_create(&b.rows, kind, fresh);
	return batch_commit(&b);
}

/* ---- the world ---- */

#define ANN 1
#define BOB 2
#define CID 3
#define DAN 4

MAYBE struct core_user a_user(int64_t id, const char *name, int64_t balance)
{
	return (struct core_user){.user_id = id, .name = text_of(name), .balance = balance, .created_at = T0};
}

MAYBE struct core_ticket a_ticket(int64_t number, int64_t user_id)
{
	return (struct core_ticket){
	    .queue_id = 1, .number = number, .user_id = user_id, .status = CORE_WAITING, .issued_at = T0 + number};
}

MAYBE struct core_seat a_seat(int64_t number, int64_t price)
{
	return (struct core_seat){.show_id = 1, .seat_number = number, .section = TEXT("A"), .price = price};
}

MAYBE struct core_entry a_charge(int64_t user_id, int64_t entry_id, int64_t amount, int64_t balance_after)
{
	return (struct core_entry){.user_id = user_id,
	                           .entry_id = entry_id,
	                           .type = CORE_CHARGE,
	                           .credit = {CORE_WALLET, user_id},
	                           .amount = amount,
	                           .balance_after = balance_after,
	                           .created_at = T0};
}

MAYBE struct core_reservation a_hold(int64_t id, int64_t user_id, int64_t ticket, const int64_t *seats, int32_t n, int64_t price)
{
	return (struct core_reservation){.reservation_id = id,
	                                 .user_id = user_id,
	                                 .concert_id = 1,
	                                 .show_id = 1,
	                                 .queue_id = 1,
	                                 .ticket_number = ticket,
	                                 .date = 20261224,
	                                 .total_price = price,
	                                 .status = CORE_RES_HELD,
	                                 .held_until = T0 + 300000 + id,
	                                 .created_at = T0 + 100 + id,
	                                 .seats = seats,
	                                 .seat_count = n};
}

MAYBE struct core_key_record a_key(int64_t user_id, const char *key, int64_t created_at)
{
	return (struct core_key_record){.user_id = user_id,
	                                .key = text_of(key),
	                                .digest = {1, 2, 3},
	                                .status = 200,
	                                .body = TEXT("{\"userId\":1}"),
	                                .created_at = created_at};
}

MAYBE void make_people(struct core_rows *rows)
{
	static const char *const names[] = {"ann", "bob", "cid", "dan"};
	for (int64_t i = 0; i < 4; i++) {
		struct core_user u = a_user(i + 1, names[i], i == 0 ? 70000 : 0);
		(void)core_row_create(rows, CORE_ROW_USER, &u);
		struct core_ticket t = a_ticket(i + 1, i + 1);
		if (t.number <= 2) {
			t.status = CORE_ACTIVE;
			t.admitted_at = t.issued_at;
			t.expires_at = t.issued_at + 600000;
		}
		if (t.number == 1 || t.number == 4) {
			t.status = CORE_EXPIRED;
			t.reason = t.number == 1 ? CORE_PAID : CORE_LEFT;
			t.ended_at = T0 + 5000;
		}
		(void)core_row_create(rows, CORE_ROW_TICKET, &t);
	}
	struct core_queue *q = core_row_edit(rows, core_row_find(rows, CORE_ROW_QUEUE, 1, 0, NONE));
	q->last_number = 4;
	q->waiting = 1;
	q->active = 1;
	q->admitted = 2;
	q->paused = true;
}

MAYBE void make_seats(struct core_rows *rows)
{
	static const int64_t prices[] = {30000, 20000, 20000, 10000};
	for (int64_t i = 0; i < 4; i++) {
		struct core_seat seat = a_seat(i + 1, prices[i]);
		seat.status = i == 0 ? CORE_SEAT_SOLD : i < 3 ? CORE_SEAT_HELD : CORE_SEAT_FREE;
		seat.reservation_id = seat.user_id = i == 0 ? 1 : i < 3 ? 2 : 0;
		seat.held_until = seat.status == CORE_SEAT_HELD ? T0 + 300002 : 0;
		(void)core_row_create(rows, CORE_ROW_SEAT, &seat);
	}
}

MAYBE void make_sales(struct core_rows *rows)
{
	static const int64_t one[] = {1}, two[] = {2, 3}, four[] = {4};
	struct core_reservation paid = a_hold(1, ANN, 1, one, 1, 30000);
	paid.status = CORE_RES_PAID;
	paid.paid_at = T0 + 5000;
	paid.payment_id = 2;
	struct core_reservation held = a_hold(2, BOB, 2, two, 2, 40000);
	struct core_reservation lapsed = a_hold(3, BOB, 2, four, 1, 10000);
	lapsed.status = CORE_RES_EXPIRED;
	(void)core_row_create(rows, CORE_ROW_RESERVATION, &paid);
	(void)core_row_create(rows, CORE_ROW_RESERVATION, &held);
	(void)core_row_create(rows, CORE_ROW_RESERVATION, &lapsed);
	struct core_entry charge = a_charge(ANN, 1, 100000, 100000);
	struct core_entry payment = {.user_id = ANN,
	                             .entry_id = 2,
	                             .type = CORE_PAYMENT,
	                             .debit = {CORE_WALLET, ANN},
	                             .credit = {CORE_REVENUE, 1},
	                             .amount = 30000,
	                             .balance_after = 70000,
	                             .reservation_id = 1,
	                             .created_at = T0 + 5000};
	(void)core_row_create(rows, CORE_ROW_ENTRY, &charge);
	(void)core_row_create(rows, CORE_ROW_ENTRY, &payment);
}

/* A file of the source, terminated; test_free frees it. */
MAYBE char *read_source(const char *name)
{
	enum { MOST = 262144 };
	char path[512];
	snprintf(path, sizeof path, "%s/%s", TESTS_SOURCE_ROOT, name);
	FILE *f = fopen(path, "re");
	char *text = test_calloc(1, MOST);
	size_t n = f ? fread(text, 1, MOST - 1, f) : 0;
	if (f)
		(void)fclose(f);
	if (n == 0 || n == MOST - 1)
		fail_msg("%s can't be read, or is too long", path);
	return text;
}

/* ---- what an audit says ---- */

struct audit_findings {
	const char *wanted; /* part of the check that should fail, if one should */
	int64_t checks, violations, of_wanted;
	char first[400];
};

/* A store_check_fn. */
MAYBE void note_finding(void *arg, const char *invariant, const char *what, int64_t violations, const char *example)
{
	struct audit_findings *found = arg;
	found->checks++;
	if (violations > 0 && found->violations == 0)
		snprintf(found->first, sizeof found->first, "%s %s: %s", invariant, what, example);
	found->violations += violations;
	if (found->wanted && strstr(what, found->wanted))
		found->of_wanted += violations;
}

/* Takes as many ids as the tests choose by themselves, so that the next one is behind those where it comes from a sequence. */
MAYBE void take_ids(struct store *s)
{
	struct batch b;
	struct core_ids ids;
	batch_begin(&b, s);
	for (enum core_id_kind kind = 0; kind < CORE_ID_KINDS; kind++)
		assert_int_equal(store_ids(s, kind, kind == CORE_ID_USER ? 5000 : 40, &ids), STORE_OK);
	batch_drop(&b);
}

MAYBE void make_world(struct store *s)
{
	struct batch b;
	batch_begin(&b, s);
	b.now = T0 + 6000;
	assert_non_null(load_one(&b, CORE_ROW_QUEUE, 1, 0, NONE));
	struct core_concert concert = {.concert_id = 1,
	                               .queue_id = 1,
	                               .title = TEXT("Night"),
	                               .artist = TEXT("IU"),
	                               .venue = TEXT("올림픽홀"),
	                               .sales_open_at = T0};
	struct core_show show = {
	    .show_id = 1, .concert_id = 1, .starts_at = T0 + 86400000, .date = 20261224, .total_seats = 4, .version = 3};
	struct core_key_record key = a_key(ANN, "k1", T0 + 10);
	struct core_audit audit = {.audit_id = 1,
	                           .created_at = T0,
	                           .actor = TEXT("admin"),
	                           .action = TEXT("catalogue"),
	                           .target = TEXT("concert 1"),
	                           .detail = TEXT("{\"concerts\":1}")};
	(void)core_row_create(&b.rows, CORE_ROW_CONCERT, &concert);
	(void)core_row_create(&b.rows, CORE_ROW_SHOW, &show);
	make_people(&b.rows);
	make_seats(&b.rows);
	make_sales(&b.rows);
	(void)core_row_create(&b.rows, CORE_ROW_KEY, &key);
	(void)core_row_create(&b.rows, CORE_ROW_AUDIT, &audit);
	assert_int_equal(batch_commit(&b), STORE_OK);
}

#endif
