/* test_copy.c: moving house: what is exported, and that an import of it is the same store, from each kind of store into each. */
#include "fixture.h"

#include "base/buf.h"

enum where { MEMORY, SQLITE, POSTGRES };
static const char *const where_name[] = {"memory", "sqlite", "postgres"};

/* A store, empty at first. */
struct house {
	enum where where;
	struct store *s;
	char folder[256], url[400];
};

static const struct pg_server *server(void **state)
{
	return *state;
}

static struct store *open_as(const char *url, enum store_mode mode)
{
	char error[STORE_ERROR_SIZE];
	struct store *s;
	if (open_url(url, mode, &s, error) != STORE_OK)
		fail_msg("%s", error);
	return s;
}

/* A store in memory ends when it is closed, so it stays open. */
static void open_house(struct house *h, enum store_mode mode)
{
	if (h->where == MEMORY && h->s)
		return;
	store_close(h->s);
	h->s = open_as(h->url, mode);
}

/* `second`: two stores in one PostgreSQL are two schemas. */
static void build(struct house *h, enum where where, bool second, const struct pg_server *p)
{
	*h = (struct house){.where = where};
	const char *tmp = getenv("TMPDIR"), *schema = second ? "jari_two" : "jari";
	if (where == MEMORY) {
		snprintf(h->url, sizeof h->url, "memory:");
	} else if (where == SQLITE) {
		snprintf(h->folder, sizeof h->folder, "%s/jari-copy-XXXXXX", tmp ? tmp : "/tmp");
		assert_non_null(mkdtemp(h->folder));
		snprintf(h->url, sizeof h->url, "sqlite:%s/jari.db", h->folder);
	} else {
		assert_true(pg_sql(p, "DROP SCHEMA IF EXISTS %s CASCADE; CREATE SCHEMA %s", schema, schema));
		snprintf(h->url, sizeof h->url, "postgresql://postgres@127.0.0.1:%d/postgres?options=-c%%20search_path%%3D%s",
		         p->port, schema);
	}
}

static void tear_down(struct house *h)
{
	store_close(h->s);
	remove_folder(h->folder);
}

/* ---- rows in words ---- */

static void put(struct buf *b, int64_t v)
{
	buf_printf(b, " %lld", (long long)v);
}

/* Hexadecimal, so that no byte can hide. */
static void put_bytes(struct buf *b, const void *p, size_t n)
{
	buf_str(b, " x");
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%02x", ((const unsigned char *)p)[i]);
}

static void put_text(struct buf *b, struct text t)
{
	put_bytes(b, t.p, t.n);
}

static void put_ints(struct buf *b, const int64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(b, v[i]);
}

#define INTS(...) put_ints(b, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void put_people(struct buf *b, enum core_kind kind, const union core_any_row *r)
{
	if (kind == CORE_ROW_USER) {
		INTS(r->user.user_id, r->user.balance, r->user.created_at);
		put_text(b, r->user.name);
	} else if (kind == CORE_ROW_QUEUE) {
		const struct core_queue *q = &r->queue;
		INTS(q->queue_id, q->capacity, q->ceiling, q->rate_per_second, q->rate_free_at_us, q->paused, q->last_number,
		     q->waiting, q->active, q->admitted, q->passed);
		put_text(b, q->name);
	} else if (kind == CORE_ROW_TICKET) {
		const struct core_ticket *t = &r->ticket;
		INTS(t->queue_id, t->number, t->user_id, t->status, t->reason, t->issued_at, t->admitted_at, t->expires_at,
		     t->ended_at, t->returned_at);
	}
}

static void put_places(struct buf *b, enum core_kind kind, const union core_any_row *r)
{
	if (kind == CORE_ROW_CONCERT) {
		INTS(r->concert.concert_id, r->concert.queue_id, r->concert.sales_open_at);
		put_text(b, r->concert.title);
		put_text(b, r->concert.artist);
		put_text(b, r->concert.venue);
	} else if (kind == CORE_ROW_SHOW) {
		INTS(r->show.show_id, r->show.concert_id, r->show.starts_at, r->show.date, r->show.total_seats, r->show.version);
	} else if (kind == CORE_ROW_SEAT) {
		INTS(r->seat.show_id, r->seat.seat_number, r->seat.price, r->seat.status, r->seat.reservation_id, r->seat.user_id,
		     r->seat.held_until);
		put_text(b, r->seat.section);
	} else if (kind == CORE_ROW_RESERVATION) {
		const struct core_reservation *v = &r->reservation;
		INTS(v->reservation_id, v->user_id, v->concert_id, v->show_id, v->queue_id, v->ticket_number, v->date,
		     v->total_price, v->status, v->held_until, v->created_at, v->paid_at, v->payment_id, v->seat_count);
		put_ints(b, v->seats, (size_t)v->seat_count);
	}
}

static void put_records(struct buf *b, enum core_kind kind, const union core_any_row *r)
{
	if (kind == CORE_ROW_ENTRY) {
		const struct core_entry *e = &r->entry;
		INTS(e->user_id, e->entry_id, e->type, e->debit.kind, e->debit.id, e->credit.kind, e->credit.id, e->amount,
		     e->balance_after, e->reservation_id, e->created_at);
	} else if (kind == CORE_ROW_KEY) {
		INTS(r->key.user_id, r->key.status, r->key.created_at);
		put_text(b, r->key.key);
		put_bytes(b, r->key.digest, sizeof r->key.digest);
		put_text(b, r->key.body);
	} else if (kind == CORE_ROW_AUDIT) {
		INTS(r->audit.audit_id, r->audit.created_at);
		put_text(b, r->audit.actor);
		put_text(b, r->audit.action);
		put_text(b, r->audit.target);
		put_text(b, r->audit.detail);
	}
}

static bool print_row(void *arg, enum core_kind kind, const void *row)
{
	struct buf *b = arg;
	buf_str(b, store_kind_name(kind));
	put_people(b, kind, row);
	put_places(b, kind, row);
	put_records(b, kind, row);
	buf_char(b, '\n');
	return true;
}

/* The whole store, and its clock. */
static struct buf in_words(struct house *h)
{
	struct buf b = {0};
	open_house(h, STORE_EXPORT);
	assert_int_equal(store_export(h->s, print_row, &b), STORE_OK);
	buf_printf(&b, "clock %lld\n", (long long)store_clock(h->s));
	return b;
}

static void check_same(const struct buf *a, const struct buf *b)
{
	size_t i = 0, line = 0;
	while (i < a->n && i < b->n && a->p[i] == b->p[i])
		if (a->p[i++] == '\n')
			line = i;
	if (i < a->n || i < b->n)
		fail_msg("first difference:\n%.*s\n%.*s", (int)(a->n - line < 300 ? a->n - line : 300), a->p + line,
		         (int)(b->n - line < 300 ? b->n - line : 300), b->p + line);
}

/* ---- content: the world of fixture.h, and rows at the edges of what columns hold ---- */

/* A number with a seed (splitmix64). */
static uint64_t draw(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int64_t edge(uint64_t *seed)
{
	static const int64_t edges[] = {INT64_MIN, INT64_MAX, 0, -1, 1, INT32_MAX + 1LL, T0, -T0};
	uint64_t i = draw(seed) % 12;
	return i < 8 ? edges[i] : (int64_t)draw(seed);
}

static int64_t edge_up(uint64_t *seed) /* 0 or more */
{
	int64_t v = edge(seed);
	return v < 0 ? -(v + 1) : v;
}

/* Whatever a text form of rows could stumble over. */
static struct text odd_text(uint64_t *seed)
{
	static const char *const texts[] = {"",      "\t",    "\n",  "\r\n",   "\\",   "\\N", "\\.",
	                                    "\\\\t", "{1,2}", "\"'", "공연 🎫", "NULL", " a ", "\x01\x7f"};
	return text_of(texts[draw(seed) % (sizeof texts / sizeof texts[0])]);
}

static void make_odd_places(struct core_rows *rows, uint64_t *seed, int64_t i)
{
	struct core_queue q = {.queue_id = i, .capacity = edge_up(seed), .rate_free_at_us = edge(seed), .paused = i % 2};
	char name[32];
	snprintf(name, sizeof name, "queue\t%lld", (long long)i);
	q.name = arena_text(rows->arena, text_of(name));
	q.ceiling = INT64_MAX;
	q.rate_per_second = edge_up(seed);
	q.active = edge_up(seed);
	q.last_number = INT64_MAX;
	q.admitted = edge_up(seed);
	q.passed = edge_up(seed);
	q.waiting = edge_up(seed);
	struct core_concert c = {
	    .concert_id = i, .queue_id = edge(seed), .title = odd_text(seed), .artist = odd_text(seed), .venue = odd_text(seed)};
	c.sales_open_at = edge(seed);
	struct core_show s = {.show_id = i,
	                      .concert_id = edge(seed),
	                      .starts_at = edge(seed),
	                      .date = (int32_t)draw(seed),
	                      .total_seats = edge_up(seed),
	                      .version = edge(seed)};
	struct core_seat seat = {.show_id = i, .seat_number = 1, .section = odd_text(seed), .price = edge_up(seed)};
	if (i % 2) {
		seat.status = CORE_SEAT_HELD;
		seat.reservation_id = seat.user_id = seat.held_until = INT64_MAX;
	}
	(void)core_row_create(rows, CORE_ROW_QUEUE, &q);
	(void)core_row_create(rows, CORE_ROW_CONCERT, &c);
	(void)core_row_create(rows, CORE_ROW_SHOW, &s);
	(void)core_row_create(rows, CORE_ROW_SEAT, &seat);
}

static void make_odd_people(struct core_rows *rows, uint64_t *seed, int64_t i)
{
	char name[64];
	snprintf(name, sizeof name, "%lld\\ \t\n'%c", (long long)i, (char)('a' + draw(seed) % 26));
	struct core_user u = {.user_id = i, .name = arena_text(rows->arena, text_of(name)), .created_at = edge(seed)};
	struct core_ticket t = {.queue_id = edge(seed),
	                        .number = i,
	                        .user_id = i,
	                        .status = CORE_EXPIRED,
	                        .reason = (enum core_ticket_reason)(1 + draw(seed) % 4),
	                        .issued_at = edge(seed),
	                        .admitted_at = edge(seed),
	                        .expires_at = edge(seed),
	                        .ended_at = INT64_MIN,
	                        .returned_at = edge(seed)};
	if (i % 3 == 0) {
		t.status = CORE_PASSED;
		t.reason = CORE_REASON_NONE;
		t.admitted_at = t.ended_at = 0;
		t.expires_at = INT64_MAX;
	}
	u.balance = (int64_t)(draw(seed) % 1000000000001u);
	(void)core_row_create(rows, CORE_ROW_USER, &u);
	(void)core_row_create(rows, CORE_ROW_TICKET, &t);
}

static void make_odd_records(struct core_rows *rows, uint64_t *seed, int64_t i)
{
	size_t n = 1 + draw(seed) % 5;
	int64_t *seats = arena_alloc(rows->arena, n * sizeof *seats);
	for (size_t k = 0; k < n; k++)
		seats[k] = k + 1 == n ? INT64_MAX : (int64_t)k + 1;
	struct core_reservation r = a_hold(i, edge(seed), edge(seed), seats, (int32_t)n, edge_up(seed));
	r.status = (enum core_reservation_status)(1 + draw(seed) % 5);
	r.paid_at = r.payment_id = r.status == CORE_RES_PAID || r.status == CORE_RES_REFUNDED ? INT64_MAX : 0;
	r.created_at = edge(seed);
	r.date = (int32_t)draw(seed);
	struct core_entry e = a_charge(1 + (int64_t)(draw(seed) % 9), i, edge_up(seed), (int64_t)(draw(seed) % 1000000000001u));
	e.created_at = edge(seed);
	struct core_key_record k = {
	    .user_id = edge(seed), .status = 200 + (int32_t)(draw(seed) % 100), .body = odd_text(seed), .created_at = edge(seed)};
	char key[32];
	snprintf(key, sizeof key, "%c%lld\\", (char)('!' + draw(seed) % 90), (long long)i);
	k.key = arena_text(rows->arena, text_of(key));
	for (size_t at = 0; at < sizeof k.digest; at++)
		k.digest[at] = (uint8_t)draw(seed);
	struct core_audit a = {.audit_id = i,
	                       .created_at = edge(seed),
	                       .actor = odd_text(seed),
	                       .action = odd_text(seed),
	                       .target = odd_text(seed),
	                       .detail = odd_text(seed)};
	(void)core_row_create(rows, CORE_ROW_RESERVATION, &r);
	(void)core_row_create(rows, CORE_ROW_ENTRY, &e);
	(void)core_row_create(rows, CORE_ROW_KEY, &k);
	(void)core_row_create(rows, CORE_ROW_AUDIT, &a);
}

/* More than one piece of PostgreSQL's COPY, and a row that is larger than one. */
#define ODD_ROWS 300
static void make_content(struct house *h, uint64_t seed)
{
	struct batch b;
	open_house(h, STORE_SERVE);
	make_world(h->s);
	batch_begin(&b, h->s);
	b.now = T0 + 7000;
	for (int64_t i = 100; i < 100 + ODD_ROWS; i++) {
		make_odd_places(&b.rows, &seed, i);
		make_odd_people(&b.rows, &seed, i);
		make_odd_records(&b.rows, &seed, i);
	}
	struct core_audit large = {.audit_id = 1000, .created_at = T0};
	char *text = arena_alloc(&b.arena, 200001);
	memset(text, '\n', 200000);
	large.detail = large.actor = large.action = large.target = (struct text){text, 200000};
	(void)core_row_create(&b.rows, CORE_ROW_AUDIT, &large);
	assert_int_equal(batch_commit(&b), STORE_OK);
}

/* ---- moving ---- */

struct van {
	struct store *to;
	enum store_result result;
	int64_t rows, most; /* as many are taken; 0: all */
	char error[STORE_ERROR_SIZE];
};

static bool carry(void *arg, enum core_kind kind, const void *row)
{
	struct van *v = arg;
	v->rows++;
	v->result = store_import_row(v->to, kind, row, v->error);
	return v->result == STORE_OK && v->rows != v->most;
}

static struct van begin_move(struct house *from, struct house *to, int64_t most)
{
	open_house(from, STORE_EXPORT);
	open_house(to, STORE_IMPORT);
	struct van v = {.to = to->s, .most = most};
	v.result = store_import_begin(to->s, store_clock(from->s), 77, v.error);
	if (v.result == STORE_OK)
		assert_int_equal(store_export(from->s, carry, &v), STORE_OK);
	return v;
}

static void move(struct house *from, struct house *to)
{
	struct van v = begin_move(from, to, 0);
	if (v.result == STORE_OK)
		v.result = store_import_finish(to->s, v.error);
	if (v.result != STORE_OK)
		fail_msg("%s to %s: %s", where_name[from->where], where_name[to->where], v.error);
}

#define EACH_PAIR(from, to)                                      \
	for (enum where from = MEMORY; from <= POSTGRES; from++) \
		for (enum where to = MEMORY; to <= POSTGRES; to++)

static void an_import_of_an_export_exports_the_same(void **state)
{
	EACH_PAIR(from, to)
	{
		struct house a, b;
		int64_t rows_a, rows_b;
		build(&a, from, false, server(state));
		build(&b, to, true, server(state));
		make_content(&a, (uint64_t)(from * 3 + to + 1));
		move(&a, &b);
		struct buf x = in_words(&a), y = in_words(&b);
		check_same(&x, &y);
		assert_int_equal(store_count(a.s, &rows_a), STORE_OK);
		assert_int_equal(store_count(b.s, &rows_b), STORE_OK);
		assert_int_equal(rows_a, rows_b);
		assert_int_equal(rows_a, ODD_ROWS * 10 + 1 + 4 + 4 + 1 + 1 + 1 + 3 + 4 + 2 + 1 + 1);
		buf_free(&x);
		buf_free(&y);
		tear_down(&a);
		tear_down(&b);
	}
}

struct order {
	size_t kind;
	struct core_id last;
	int64_t rows;
};

static bool check_order(void *arg, enum core_kind kind, const void *row)
{
	struct order *o = arg;
	struct core_id id = core_id_of(kind, row);
	if (kind == CORE_ROW_ENTRY)
		id = (struct core_id){.kind = kind, .a = id.b};
	if (o->rows > 0 && kind == store_kinds[o->kind]) {
		bool later = id.a > o->last.a || (id.a == o->last.a && id.b > o->last.b);
		assert_true(later);
	}
	while (kind != store_kinds[o->kind])
		assert_true(++o->kind < STORE_KINDS);
	o->last = (struct core_id){kind, id.a, id.b, {NULL, 0}};
	o->rows++;
	return kind != CORE_ROW_KEY; /* its key's text does not outlive this */
}

static void exports_are_in_order(void **state)
{
	for (enum where where = MEMORY; where <= POSTGRES; where++) {
		struct house h;
		struct order o = {0};
		build(&h, where, false, server(state));
		make_content(&h, 7);
		open_house(&h, STORE_EXPORT);
		assert_int_equal(store_export(h.s, check_order, &o), STORE_OK);
		assert_int_equal(store_kinds[o.kind], CORE_ROW_KEY); /* stopped there */
		tear_down(&h);
	}
}

/* The moved store goes on where the old one was: ids, clock, what is due, the key's answer; and its books are right. */
static void fail_check(void *arg, const char *invariant, const char *what, int64_t violations, const char *example)
{
	(void)arg;
	if (violations)
		fail_msg("%s %s: %lld, %s", invariant, what, (long long)violations, example);
}

static void check_ids(struct store *s)
{
	static const int64_t next[CORE_ID_KINDS] = {
	    [CORE_ID_USER] = 5,  [CORE_ID_RESERVATION] = 4, [CORE_ID_ENTRY] = 3, [CORE_ID_AUDIT] = 2,
	    [CORE_ID_QUEUE] = 2, [CORE_ID_CONCERT] = 2,     [CORE_ID_SHOW] = 2};
	for (enum core_id_kind kind = 0; kind < CORE_ID_KINDS; kind++) {
		struct batch b;
		struct core_ids ids;
		batch_begin(&b, s);
		assert_true(b.now >= T0 + 6000);
		assert_int_equal(store_ids(s, kind, 2, &ids), STORE_OK);
		assert_int_equal(ids.next, next[kind]);
		assert_int_equal(ids.end, next[kind] + 2);
		batch_drop(&b);
	}
}

static void check_realm(struct store *s)
{
	int64_t realm = 0;
	bool used = false;
	assert_int_equal(store_realm(s, &realm, &used), STORE_OK);
	assert_true(realm == 77 && used);
}

static void a_moved_store_goes_on(void **state)
{
	EACH_PAIR(from, to)
	{
		struct house a, b;
		struct batch batch;
		build(&a, from, false, server(state));
		build(&b, to, true, server(state));
		open_house(&a, STORE_SERVE);
		make_world(a.s);
		move(&a, &b);
		assert_int_equal(store_audit(b.s, fail_check, NULL), STORE_OK);
		open_house(&b, STORE_SERVE);
		assert_int_equal(store_clock(b.s), T0 + 6000);
		check_realm(b.s);
		check_ids(b.s);
		batch_begin(&batch, b.s);
		core_need_list(&batch.rows, CORE_LIST_DUE_HOLDS, 0, T0 + 400000, NONE, 10);
		core_need_list(&batch.rows, CORE_LIST_USER_NAMED, 0, 0, TEXT("cid"), 0);
		core_need_list(&batch.rows, CORE_LIST_LINE, 1, 0, NONE, 10);
		core_need_row(&batch.rows, CORE_ROW_KEY, ANN, 0, TEXT("k1"));
		batch_load(&batch);
		assert_int_equal(core_list_find(&batch.rows, CORE_LIST_DUE_HOLDS, 0, T0 + 400000, NONE)->n, 1);
		assert_int_equal(core_list_find(&batch.rows, CORE_LIST_USER_NAMED, 0, 0, TEXT("cid"))->n, 1);
		assert_int_equal(core_list_find(&batch.rows, CORE_LIST_LINE, 1, 0, NONE)->n, 1);
		assert_non_null(core_row_get(&batch.rows, CORE_ROW_KEY, ANN, 0, TEXT("k1")));
		batch_drop(&batch);
		struct core_user fresh = a_user(5, "eve", 0);
		assert_int_equal(commit_new(b.s, CORE_ROW_USER, &fresh), STORE_OK);
		tear_down(&a);
		tear_down(&b);
	}
}

static void what_is_not_empty_is_left_alone(void **state)
{
	for (enum where to = MEMORY; to <= POSTGRES; to++) {
		struct house a, b;
		struct core_audit only = {.audit_id = 1, .created_at = T0, .actor = TEXT("admin")};
		build(&a, SQLITE, false, server(state));
		build(&b, to, true, server(state));
		open_house(&a, STORE_SERVE);
		make_world(a.s);
		open_house(&b, STORE_SERVE);
		assert_int_equal(commit_new(b.s, CORE_ROW_AUDIT, &only), STORE_OK);
		struct buf before = in_words(&b);
		struct van v = begin_move(&a, &b, 0);
		assert_int_equal(v.result, STORE_CONFLICT);
		assert_non_null(strstr(v.error, "is not empty"));
		store_rollback(b.s);
		struct buf after = in_words(&b);
		check_same(&before, &after);
		buf_free(&before);
		buf_free(&after);
		tear_down(&a);
		tear_down(&b);
	}
}

/* Given up after some rows, the store is as empty as it was; and then it can be filled. */
static void half_an_import_is_none(void **state)
{
	for (enum where to = MEMORY; to <= POSTGRES; to++) {
		struct house a, b;
		build(&a, SQLITE, false, server(state));
		build(&b, to, true, server(state));
		make_content(&a, 3);
		open_house(&b, STORE_SERVE);
		struct buf empty = in_words(&b);
		struct van v = begin_move(&a, &b, 9 * ODD_ROWS);
		assert_int_equal(v.result, STORE_OK);
		assert_int_equal(v.rows, 9 * ODD_ROWS);
		store_rollback(b.s);
		struct buf after = in_words(&b);
		check_same(&empty, &after);
		v = begin_move(&a, &b, 6 * ODD_ROWS); /* closed in the middle of it */
		open_house(&b, STORE_IMPORT);
		if (to == MEMORY)
			store_rollback(b.s);
		move(&a, &b);
		struct buf x = in_words(&a), y = in_words(&b);
		check_same(&x, &y);
		buf_free(&x);
		buf_free(&y);
		buf_free(&empty);
		buf_free(&after);
		tear_down(&a);
		tear_down(&b);
	}
}

/* What the target's guards refuse is told, and leaves nothing. */
static void rows_that_break_a_rule_are_refused(void **state)
{
	for (enum where to = MEMORY; to <= POSTGRES; to++) {
		struct house b;
		struct core_user one = a_user(1, "same", 0), two = a_user(2, "same", 0);
		char error[STORE_ERROR_SIZE];
		build(&b, to, true, server(state));
		open_house(&b, STORE_SERVE);
		struct buf empty = in_words(&b);
		open_house(&b, STORE_IMPORT);
		assert_int_equal(store_import_begin(b.s, T0, 0, error), STORE_OK);
		assert_int_equal(store_import_row(b.s, CORE_ROW_USER, &one, error), STORE_OK);
		enum store_result result = store_import_row(b.s, CORE_ROW_USER, &two, error);
		if (result == STORE_OK)
			result = store_import_finish(b.s, error);
		assert_int_equal(result, STORE_CONFLICT);
		assert_true(error[0] != '\0' && !strchr(error, '\n'));
		store_rollback(b.s);
		struct buf after = in_words(&b);
		check_same(&empty, &after);
		buf_free(&empty);
		buf_free(&after);
		tear_down(&b);
	}
}

/* A NUL is kept where it can be, and refused in PostgreSQL, not cut off. */
static void a_nul_is_kept_or_refused(void **state)
{
	for (enum where to = MEMORY; to <= POSTGRES; to++) {
		struct house a, b;
		struct core_audit odd = {.audit_id = 1, .created_at = T0, .detail = {"a\0b", 3}};
		build(&a, SQLITE, false, server(state));
		build(&b, to, true, server(state));
		open_house(&a, STORE_SERVE);
		assert_int_equal(commit_new(a.s, CORE_ROW_AUDIT, &odd), STORE_OK);
		if (to == POSTGRES) {
			struct van v = begin_move(&a, &b, 0);
			assert_int_equal(store_import_finish(b.s, v.error), STORE_BROKEN);
			assert_non_null(strstr(v.error, "0x00"));
		} else {
			move(&a, &b);
			struct buf x = in_words(&a), y = in_words(&b);
			check_same(&x, &y);
			buf_free(&x);
			buf_free(&y);
		}
		tear_down(&a);
		tear_down(&b);
	}
}

/* ---- alone ---- */

static void is_busy(const char *url, enum store_mode mode)
{
	char error[STORE_ERROR_SIZE];
	struct store *s;
	assert_int_equal(open_url(url, mode, &s, error), STORE_BUSY);
	assert_true(error[0] != '\0' && !strchr(error, '\n'));
}

static void servers_and_movers_keep_each_other_out(void **state)
{
	static const enum store_mode movers[] = {STORE_EXPORT, STORE_IMPORT};
	for (enum where where = SQLITE; where <= POSTGRES; where++) {
		struct house h;
		build(&h, where, false, server(state));
		open_house(&h, STORE_SERVE);
		for (size_t i = 0; i < 2; i++)
			is_busy(h.url, movers[i]);
		for (size_t i = 0; i < 2; i++) {
			open_house(&h, movers[i]);
			is_busy(h.url, STORE_SERVE);
			is_busy(h.url, STORE_EXPORT);
			is_busy(h.url, STORE_IMPORT);
			store_close(open_as(h.url, STORE_READ));
		}
		open_house(&h, STORE_SERVE);
		tear_down(&h);
	}
}

/* A server whose connection is lost during a move does not come back before that has ended. */
static void a_server_that_lost_its_connection_waits(void **state)
{
	struct house h;
	struct batch b;
	build(&h, POSTGRES, false, server(state));
	open_house(&h, STORE_SERVE);
	assert_true(
	    pg_sql(server(state), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jari'"));
	struct store *mover = NULL;
	char error[STORE_ERROR_SIZE];
	for (int i = 0; i < 100 && open_url(h.url, STORE_EXPORT, &mover, error) != STORE_OK; i++)
		pg_pause(50);
	assert_non_null(mover);
	b = (struct batch){.store = h.s, .now = T0};
	core_rows_init(&b.rows, &b.arena, 64);
	core_need_row(&b.rows, CORE_ROW_QUEUE, 1, 0, NONE);
	enum store_result result = store_begin(h.s, &b.now);
	if (result == STORE_OK) /* it does not know of its loss yet */
		result = store_load(h.s, &b.rows);
	assert_int_equal(result, STORE_BUSY);
	store_rollback(h.s);
	assert_int_equal(store_begin(h.s, &b.now), STORE_BUSY);
	store_close(mover);
	for (int i = 0; i < 100 && (result = store_begin(h.s, &b.now)) != STORE_OK; i++)
		pg_pause(50);
	assert_int_equal(result, STORE_OK);
	batch_drop(&b);
	tear_down(&h);
}

static void a_missing_store_is_not_made_by_looking(void **state)
{
	struct house h;
	char error[STORE_ERROR_SIZE], name[400];
	struct store *s;
	build(&h, SQLITE, false, server(state));
	assert_int_equal(open_url(h.url, STORE_EXPORT, &s, error), STORE_BROKEN);
	assert_non_null(strstr(error, "there is no store at"));
	snprintf(name, sizeof name, "%s/jari.db", h.folder);
	assert_int_equal(access(name, F_OK), -1);
	snprintf(name, sizeof name, "%s/jari.db-lock", h.folder);
	assert_int_equal(access(name, F_OK), -1);
	tear_down(&h);
	build(&h, POSTGRES, false, server(state));
	assert_int_equal(open_url(h.url, STORE_EXPORT, &s, error), STORE_BROKEN);
	assert_non_null(strstr(error, "has no schema of jari"));
	tear_down(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_import_of_an_export_exports_the_same),
	    cmocka_unit_test(exports_are_in_order),
	    cmocka_unit_test(a_moved_store_goes_on),
	    cmocka_unit_test(what_is_not_empty_is_left_alone),
	    cmocka_unit_test(half_an_import_is_none),
	    cmocka_unit_test(rows_that_break_a_rule_are_refused),
	    cmocka_unit_test(a_nul_is_kept_or_refused),
	    cmocka_unit_test(servers_and_movers_keep_each_other_out),
	    cmocka_unit_test(a_server_that_lost_its_connection_waits),
	    cmocka_unit_test(a_missing_store_is_not_made_by_looking),
	};
	return cmocka_run_group_tests_name("copy", tests, start_postgres, end_postgres);
}
