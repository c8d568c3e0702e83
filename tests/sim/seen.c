/* seen.c: what a read model shows of a row must be what some commit has made of it: one that is durable, none that is older than what the same server has
 * shown before, and none that is older than what it has told somebody of. A show's version is checked apart: with several servers one shows what it knows of the
 * seats, under a version that only grows and names one state of them. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, KINDS = CORE_ROW_RESERVATION };

/* A row as a commit has left it. */
struct version {
	int64_t seq;
	uint64_t hash;
	int server;     /* whose commit it was; -1: nobody's */
	int64_t number; /* of a show: its version; else 0 */
};
struct history {
	struct history *chain, *next;
	enum core_kind kind;
	int64_t a, b;
	struct version *versions;
	int n, cap;
	int64_t floor[SERVERS];  /* the commit that the server has shown at least */
	int64_t number[SERVERS]; /* of a show: the version that the server has shown last, and what the seats were */
	uint64_t seats[SERVERS];
};
struct seen {
	struct history *bucket[BUCKETS], *first, **last;
};

static uint64_t mix(uint64_t h, int64_t v)
{
	h = (h ^ (uint64_t)v) * 0x9E3779B97F4A7C15ULL;
	return h ^ h >> 29;
}

static uint64_t mix_text(uint64_t h, struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		h = mix(h, t.p[i]);
	return h;
}

static uint64_t hash_queue(const struct core_queue *q)
{
	const int64_t all[] = {q->capacity,    q->ceiling, q->rate_per_second, q->rate_free_at_us, q->paused,
	                       q->last_number, q->waiting, q->active,          q->admitted,        q->passed};
	uint64_t h = 2;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		h = mix(h, all[i]);
	return h;
}

static uint64_t hash_ticket(const struct core_ticket *t)
{
	return mix(mix(mix(mix(mix(3, t->user_id), t->status), t->reason), t->issued_at), t->expires_at);
}

static uint64_t hash_show(const struct core_show *s)
{
	return mix(mix(mix(4, s->starts_at), s->closed), s->total_seats);
}

static uint64_t hash_row(enum core_kind kind, const void *row)
{
	switch (kind) {
	case CORE_ROW_USER:
		return mix(1, ((const struct core_user *)row)->balance);
	case CORE_ROW_QUEUE:
		return hash_queue(row);
	case CORE_ROW_TICKET:
		return hash_ticket(row);
	case CORE_ROW_CONCERT:
		return mix_text(mix(5, ((const struct core_concert *)row)->sales_open_at),
		                ((const struct core_concert *)row)->title);
	case CORE_ROW_SHOW:
		return hash_show(row);
	default:
		return mix(mix(6, ((const struct core_seat *)row)->status), ((const struct core_seat *)row)->price);
	}
}

static int64_t number_of(enum core_kind kind, const void *row)
{
	return kind == CORE_ROW_SHOW ? ((const struct core_show *)row)->version : 0;
}

/* ---- what was committed ---- */

static struct history *find(struct world *w, enum core_kind kind, int64_t a, int64_t b, bool make)
{
	struct history **bucket = &w->seen->bucket[mix(mix((uint64_t)kind, a), b) % BUCKETS];
	struct history *h = *bucket;
	while (h && (h->kind != kind || h->a != a || h->b != b))
		h = h->chain;
	if (h || !make)
		return h;
	h = mem_zero(sizeof *h);
	*h = (struct history){.chain = *bucket, .kind = kind, .a = a, .b = b};
	*bucket = h;
	*w->seen->last = h;
	w->seen->last = &h->next;
	return h;
}

static void add(struct world *w, enum core_kind kind, const void *row, int64_t seq, int server)
{
	struct core_id id = core_id_of(kind, row);
	struct history *h = find(w, kind, id.a, id.b, true);
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 4;
		h->versions = mem_grow(h->versions, (size_t)h->cap * sizeof *h->versions);
	}
	h->versions[h->n++] = (struct version){seq, hash_row(kind, row), server, number_of(kind, row)};
}

static bool shown(enum core_kind kind)
{
	return kind <= CORE_ROW_SEAT;
}

void seen_commit(struct world *w, const struct conn *c, int64_t seq, const struct core_rows *rows)
{
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty)
		if (shown(row->id.kind) && row->now)
			add(w, row->id.kind, row->now, seq, c->server->id);
}

void seen_undo(struct world *w, int64_t seq)
{
	for (struct history *h = w->seen->first; h; h = h->next)
		while (h->n > 0 && h->versions[h->n - 1].seq > seq)
			h->n--;
}

void seen_unknown(struct world *w, int64_t seq)
{
	for (struct history *h = w->seen->first; h; h = h->next)
		for (int i = 0; i < h->n; i++)
			if (h->versions[i].seq == seq)
				h->versions[i].server = -1;
}

void seen_restart(struct world *w, const struct server *s)
{
	for (struct history *h = w->seen->first; h; h = h->next)
		h->floor[s->id] = 0;
}

static bool note_first(void *arg, enum core_kind kind, const void *row)
{
	if (shown(kind))
		add(arg, kind, row, 0, -1);
	return true;
}

void seen_begin(struct world *w)
{
	w->seen = mem_zero(sizeof *w->seen);
	w->seen->last = &w->seen->first;
	(void)store_scan(w->sim.store, 0, note_first, w);
}

void seen_end(struct world *w)
{
	for (struct history *h = w->seen->first, *next; h; h = next) {
		next = h->next;
		free(h->versions);
		free(h);
	}
	free(w->seen);
}

/* ---- what is shown ---- */

static const char *kind_name(enum core_kind kind)
{
	static const char *const names[] = {"", "user", "queue", "ticket", "concert", "show", "seat"};
	return names[kind];
}

/* The least commit that the server must show of the row. */
static int64_t least(const struct server *s, const struct history *h)
{
	int64_t floor = h->floor[s->id];
	for (int i = 0; i < h->n; i++)
		if ((h->versions[i].server == s->id || !s->w->shared) && h->versions[i].seq <= s->told &&
		    h->versions[i].seq > floor)
			floor = h->versions[i].seq;
	return floor;
}

static void check(struct world *w, struct server *s, enum core_kind kind, int64_t a, int64_t b, const void *row, bool latest)
{
	struct history *h = find(w, kind, a, b, false);
	uint64_t hash = hash_row(kind, row);
	int64_t floor = h ? least(s, h) : 0;
	int64_t number = number_of(kind, row);
	bool exact = latest || !w->shared; /* else others' changes of the seats may be missing */
	bool older = false, later = false;
	for (int i = 0; h && i < h->n; i++) {
		bool over = i + 1 < h->n && h->versions[i + 1].seq <= floor;
		if (h->versions[i].hash != hash || h->versions[i].number < number || (exact && h->versions[i].number != number))
			continue;
		if (h->versions[i].seq > w->durable) {
			later = true;
		} else if (over || (latest && i + 1 < h->n)) {
			older = true;
		} else {
			if (h->versions[i].seq > h->floor[s->id])
				h->floor[s->id] = h->versions[i].seq;
			return;
		}
	}
	world_fail(w, later ? "I7" : "shown", "server %d shows %s %lld/%lld %s", s->id, kind_name(kind), (long long)a,
	           (long long)b,
	           later   ? "as a commit leaves it that is not durable"
	           : older ? "as it was before"
	                   : "as no commit has left it");
}

static void missing(struct world *w, struct server *s, enum core_kind kind, int64_t a, int64_t b, bool latest)
{
	struct history *h = find(w, kind, a, b, false);
	if (h && h->n > 0 && (latest || least(s, h) > 0))
		world_fail(w, "shown", "server %d does not show %s %lld/%lld", s->id, kind_name(kind), (long long)a,
		           (long long)b);
}

static void look_queues(struct world *w, struct server *s, bool latest)
{
	struct arena arena = {0};
	struct core_queue *q;
	size_t n;
	engine_look_queues(s->engine, &arena, &q, &n);
	for (size_t i = 0; i < n; i++)
		check(w, s, CORE_ROW_QUEUE, q[i].queue_id, 0, &q[i], latest);
	arena_free(&arena);
}

/* An ended ticket is forgotten once its token no longer opens. Of another server's a change may be known before its user is. */
static bool must_show(struct world *w, struct server *s, int64_t queue_id, int64_t number, bool latest)
{
	const struct model_ticket *t = model_ticket(w->sim.m, queue_id, number);
	return t && (latest || !w->shared) &&
	       (t->status != CORE_EXPIRED || engine_now(s->engine) - t->issued_at < JARI_TOKEN_LIFE_MS);
}

static void look_ticket(struct world *w, struct server *s, int64_t queue_id, int64_t number, bool latest)
{
	struct core_ticket t;
	if (engine_look_auth(s->engine, queue_id, number, &t))
		check(w, s, CORE_ROW_TICKET, queue_id, number, &t, latest);
	else if (must_show(w, s, queue_id, number, latest))
		missing(w, s, CORE_ROW_TICKET, queue_id, number, latest);
}

static void look_user(struct world *w, struct server *s, int64_t user_id, bool latest)
{
	struct arena arena = {0};
	struct core_user u;
	if (engine_look_user(s->engine, user_id, &arena, &u)) /* in memory as long as a ticket is */
		check(w, s, CORE_ROW_USER, user_id, 0, &u, latest);
	arena_free(&arena);
}

static void look_concert(struct world *w, struct server *s, int64_t concert_id, bool latest)
{
	struct arena arena = {0};
	struct core_concert c;
	if (engine_look_concert(s->engine, concert_id, &arena, &c))
		check(w, s, CORE_ROW_CONCERT, concert_id, 0, &c, latest);
	else
		missing(w, s, CORE_ROW_CONCERT, concert_id, 0, latest);
	arena_free(&arena);
}

static void check_number(struct world *w, struct server *s, int64_t show_id, int64_t number, uint64_t seats)
{
	struct history *h = find(w, CORE_ROW_SHOW, show_id, 0, false);
	if (!h)
		return;
	if (number < h->number[s->id] || (number == h->number[s->id] && seats != h->seats[s->id]))
		world_fail(w, "shown", "server %d shows version %lld of show %lld %s", s->id, (long long)number,
		           (long long)show_id, number < h->number[s->id] ? "after a later one" : "with other seats than before");
	h->number[s->id] = number;
	h->seats[s->id] = seats;
}

/* At the instant 0 nothing has lapsed: what is shown is what is kept. */
static void look_show(struct world *w, struct server *s, int64_t show_id, bool latest)
{
	struct arena arena = {0};
	struct engine_show view;
	struct core_seat *seats = NULL;
	size_t n = 0;
	int64_t held = 0, sold = 0;
	if (!engine_look_show(s->engine, show_id, 0, &view)) {
		if (latest || !w->shared) /* another server's is shown when all of it is known */
			missing(w, s, CORE_ROW_SHOW, show_id, 0, latest);
		return;
	}
	check(w, s, CORE_ROW_SHOW, show_id, 0, &view.show, latest);
	(void)engine_look_seats(s->engine, show_id, 0, &arena, &view, &seats, &n);
	uint64_t state = 7;
	for (size_t i = 0; i < n; i++) {
		check(w, s, CORE_ROW_SEAT, show_id, seats[i].seat_number, &seats[i], latest);
		state = mix(mix(state, seats[i].status), seats[i].price);
		held += seats[i].status == CORE_SEAT_HELD;
		sold += seats[i].status == CORE_SEAT_SOLD;
	}
	check_number(w, s, show_id, view.show.version, state);
	if ((int64_t)n != view.show.total_seats)
		world_fail(w, "shown", "server %d shows %lld of the %lld seats of show %lld", s->id, (long long)n,
		           (long long)view.show.total_seats, (long long)show_id);
	if (held != view.held || sold != view.sold)
		world_fail(w, "shown", "server %d counts %lld held and %lld sold seats of show %lld, and shows %lld and %lld",
		           s->id, (long long)view.held, (long long)view.sold, (long long)show_id, (long long)held,
		           (long long)sold);
	arena_free(&arena);
}

void seen_sample(struct world *w, struct server *s)
{
	const struct model *m = w->sim.m;
	threads_hold();
	look_queues(w, s, false);
	if (m->tickets > 0) {
		const struct model_ticket *t = &m->ticket[world_below(w, m->tickets)];
		look_ticket(w, s, t->queue_id, t->number, false);
	}
	if (m->users > 0)
		look_user(w, s, m->user[world_below(w, m->users)].id, false);
	if (m->concerts > 0)
		look_concert(w, s, m->concert[world_below(w, m->concerts)].id, false);
	if (m->shows > 0)
		look_show(w, s, m->show[world_below(w, m->shows)].id, false);
	threads_release();
}

void seen_all(struct world *w, struct server *s)
{
	const struct model *m = w->sim.m;
	threads_hold();
	look_queues(w, s, true);
	for (int i = 0; i < m->tickets; i++)
		look_ticket(w, s, m->ticket[i].queue_id, m->ticket[i].number, true);
	for (int i = 0; i < m->users; i++)
		look_user(w, s, m->user[i].id, true);
	for (int i = 0; i < m->concerts; i++)
		look_concert(w, s, m->concert[i].id, true);
	for (int i = 0; i < m->shows; i++)
		look_show(w, s, m->show[i].id, true);
	threads_release();
}

static void look_one(struct world *w, struct server *s, const struct history *h)
{
	if (h->kind == CORE_ROW_QUEUE)
		look_queues(w, s, false);
	else if (h->kind == CORE_ROW_TICKET)
		look_ticket(w, s, h->a, h->b, false);
	else if (h->kind == CORE_ROW_USER)
		look_user(w, s, h->a, false);
	else if (h->kind == CORE_ROW_CONCERT)
		look_concert(w, s, h->a, false);
	else if (h->kind == CORE_ROW_SHOW)
		look_show(w, s, h->a, false);
}

void seen_own(struct world *w, struct server *s, int64_t seq)
{
	threads_hold();
	for (const struct core_id *id = w->changed + w->commits[seq].first, *end = id + w->commits[seq].n; id < end; id++) {
		const struct history *h = shown(id->kind) ? find(w, id->kind, id->a, id->b, false) : NULL;
		if (h)
			look_one(w, s, h);
	}
	threads_release();
}
