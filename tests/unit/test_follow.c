/* test_follow.c: what other processes commit reaches the read model: in order with own commits, after a busy store, and after another
 * server has taken over. On the memory store, behind a store that says what others have done. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "engine/engine.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define START 1800000000000LL
#define FED_MAX 8

/* ---- a store in front of the memory store ---- */

struct fed {
	enum core_kind kind;
	union {
		struct core_user user;
		struct core_queue queue;
		struct core_ticket ticket;
		struct core_show show;
		struct core_seat seat;
	} row;
};

struct gate {
	struct store base;
	struct store *inner;
	struct fed fed[FED_MAX]; /* what the next follow gives, once `told` */
	size_t fed_count;
	_Atomic bool told;            /* others have committed: fed */
	_Atomic bool conflict;        /* until a scan has gone through */
	_Atomic int busy, fail_scans; /* so many follows, or scans, still fail */
	_Atomic int64_t capacity;     /* what another process sets it to, before the next scan; 0: nothing */
	_Atomic int follows, scans;
	_Atomic bool hold_syncs;   /* no sync returns */
	_Atomic int64_t elsewhere; /* a number of queue 1 that others keep telling of; 0: none */
	_Atomic int64_t told_here; /* the lowest number of queue 1 that was told last; 0: none */
	_Atomic bool deaf;         /* nothing can be told or heard */
	_Atomic int64_t now;       /* the database's clock; 0: the engine's */
};

static struct gate *gate_of(struct store *s)
{
	return (struct gate *)s;
}

static void pause_ms(int ms)
{
	(void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static void g_close(struct store *s)
{
	store_close(gate_of(s)->inner);
	free(s);
}

static int64_t g_clock(struct store *s)
{
	return store_clock(gate_of(s)->inner);
}

static enum store_result g_begin(struct store *s, int64_t *now)
{
	if (gate_of(s)->now)
		*now = gate_of(s)->now;
	return store_begin(gate_of(s)->inner, now);
}

static enum store_result g_load(struct store *s, struct core_rows *rows)
{
	return store_load(gate_of(s)->inner, rows);
}

static enum store_result g_ids(struct store *s, enum core_id_kind kind, int64_t n, struct core_ids *out)
{
	return store_ids(gate_of(s)->inner, kind, n, out);
}

static enum store_result g_commit(struct store *s, const struct core_rows *rows, int64_t now)
{
	return store_commit(gate_of(s)->inner, rows, now);
}

static void g_sync(struct store *s)
{
	while (gate_of(s)->hold_syncs)
		pause_ms(1);
	store_sync(gate_of(s)->inner);
}

static void g_rollback(struct store *s)
{
	store_rollback(gate_of(s)->inner);
}

static void g_maintain(struct store *s)
{
	store_maintain(gate_of(s)->inner);
}

/* As another process would do it. */
static void set_capacity(struct store *inner, int64_t capacity)
{
	struct arena arena = {0};
	struct core_rows rows;
	int64_t now = START;
	core_rows_init(&rows, &arena, 8);
	assert_int_equal(store_begin(inner, &now), STORE_OK);
	core_need_row(&rows, CORE_ROW_QUEUE, 1, 0, (struct text){0});
	assert_int_equal(store_load(inner, &rows), STORE_OK);
	struct core_queue *q = core_row_edit(&rows, core_row_find(&rows, CORE_ROW_QUEUE, 1, 0, (struct text){0}));
	q->capacity = q->ceiling = capacity;
	assert_int_equal(store_commit(inner, &rows, now), STORE_OK);
	arena_free(&arena);
}

static enum store_result g_scan(struct store *s, int64_t since, store_row_fn fn, void *arg)
{
	struct gate *g = gate_of(s);
	g->scans++;
	if (g->fail_scans > 0) {
		g->fail_scans--;
		g->conflict = false; /* the place is kept before the scan breaks off */
		return STORE_BROKEN;
	}
	if (g->capacity)
		set_capacity(g->inner, g->capacity);
	g->capacity = 0;
	g->conflict = false;
	return store_scan(g->inner, since, fn, arg);
}

static enum store_result g_follow(struct store *s, store_row_fn fn, void *arg)
{
	struct gate *g = gate_of(s);
	g->follows++;
	if (g->conflict)
		return STORE_CONFLICT;
	if (g->busy > 0) {
		g->busy--;
		return STORE_BUSY;
	}
	if (!g->told)
		return STORE_OK;
	for (size_t i = 0; i < g->fed_count; i++) {
		struct fed copy = g->fed[i];
		char name[] = "other";
		if (copy.kind == CORE_ROW_USER)
			copy.row.user.name = (struct text){name, 5};
		(void)fn(arg, copy.kind, &copy.row);
		memset(name, '#', sizeof name); /* valid during the call only */
	}
	g->told = false;
	return STORE_OK;
}

static enum store_result g_watch(struct store *s, int timeout_ms)
{
	for (int ms = 0; ms < timeout_ms; ms += 5) {
		if (gate_of(s)->told)
			return STORE_OK;
		pause_ms(5);
	}
	return STORE_NONE;
}

static enum store_result g_hear(struct store *s, const struct store_heard *own, size_t n, store_heard_fn fn, void *arg)
{
	struct gate *g = gate_of(s);
	int64_t number = g->elsewhere;
	if (g->deaf)
		return STORE_BUSY;
	for (size_t k = 0; k < n; k++)
		for (int64_t i = STORE_HEARD_NUMBERS - 1; i >= 0; i--)
			if (own[k].queue_id == 1 && own[k].bits[i / 8] >> (i % 8) & 1)
				g->told_here = own[k].first + i;
	if (number) {
		struct store_heard heard = {.queue_id = 1, .first = (number - 1) / STORE_HEARD_NUMBERS * STORE_HEARD_NUMBERS + 1};
		int64_t i = number - heard.first;
		heard.bits[i / 8] = (uint8_t)(1U << (i % 8));
		fn(arg, &heard);
	}
	return STORE_OK;
}

static enum store_result g_reader_open(struct store *s, struct store_reader **out)
{
	return store_reader_open(gate_of(s)->inner, out);
}

static const struct store_ops gate_ops = {
    .close = g_close,
    .clock = g_clock,
    .begin = g_begin,
    .load = g_load,
    .ids = g_ids,
    .commit = g_commit,
    .sync = g_sync,
    .rollback = g_rollback,
    .maintain = g_maintain,
    .scan = g_scan,
    .follow = g_follow,
    .watch = g_watch,
    .hear = g_hear,
    .reader_open = g_reader_open,
};

/* ---- a world ---- */

struct world {
	struct gate *gate;
	struct clock clock;
	_Atomic int64_t wall;
	struct engine *engine;
};

static int64_t wall_now(void *arg)
{
	return ((struct world *)arg)->wall * 1000;
}

static int render(const struct core_cmd *cmd, const struct core_reply *reply, struct buf *out)
{
	(void)cmd;
	(void)reply;
	(void)out;
	return 200;
}

struct call {
	struct engine_job job;
	struct arena arena;
	_Atomic bool done;
};

static void call_done(struct engine_job *job)
{
	((struct call *)job->owner)->done = true;
}

static void call_begin(struct world *w, struct call *call, const struct core_cmd *cmd)
{
	*call = (struct call){.arena = {0}};
	call->job = (struct engine_job){.cmd = *cmd, .arena = &call->arena, .done = call_done, .owner = call};
	assert_true(engine_submit(w->engine, &call->job));
}

static struct core_reply call_end(struct call *call)
{
	for (int i = 0; i < 5000 && !call->done; i++)
		pause_ms(1);
	assert_true(call->done);
	arena_free(&call->arena);
	return call->job.reply;
}

static struct core_reply run(struct world *w, const struct core_cmd *cmd)
{
	struct call call;
	call_begin(w, &call, cmd);
	return call_end(&call);
}

static struct core_cmd join_cmd(const char *name)
{
	struct core_cmd cmd = {.op = CORE_JOIN};
	cmd.u.join.username = text_of(name);
	return cmd;
}

static int setup_world(void **state, int64_t waiting_idle_ms, int64_t database_now)
{
	struct world *w = calloc(1, sizeof *w);
	struct gate *g = calloc(1, sizeof *g);
	if (!w || !g)
		return -1;
	char error[STORE_ERROR_SIZE] = "";
	struct store_options options = {.url = "memory:", .mode = STORE_SERVE, .queue_capacity = 2};
	g->base.ops = &gate_ops;
	if (store_open(&options, &g->inner, error) != STORE_OK)
		return -1;
	w->gate = g;
	g->now = database_now;
	w->wall = START;
	clock_init_simulated(&w->clock, 0, wall_now, wall_now, w);
	struct engine_config config = {
	    .store = &g->base,
	    .clock = &w->clock,
	    .rules = {.hold_ms = 300000, .active_ms = 600000, .grace_ms = 60000, .seats_per_user = 4},
	    .waiting_idle_ms = waiting_idle_ms,
	    .render = render,
	};
	w->engine = engine_open(&config, error);
	*state = w;
	return w->engine ? 0 : -1;
}

static int setup_idle(void **state, int64_t waiting_idle_ms)
{
	return setup_world(state, waiting_idle_ms, 0);
}

static int setup(void **state)
{
	return setup_idle(state, 20000);
}

#define BEHIND_MS 3600000

/* This machine's clock is an hour ahead of the database's. */
static int setup_ahead(void **state)
{
	return setup_world(state, 20000, START - BEHIND_MS);
}

#define IDLE_MS 2000

static int setup_hasty(void **state)
{
	return setup_idle(state, IDLE_MS);
}

static int teardown(void **state)
{
	struct world *w = *state;
	w->gate->hold_syncs = false;
	engine_close(w->engine);
	store_close(&w->gate->base);
	free(w);
	return 0;
}

static void feed(struct gate *g, const struct fed *fed)
{
	assert_false(g->told);
	assert_true(g->fed_count < FED_MAX);
	g->fed[g->fed_count++] = *fed;
}

static void feed_ticket(struct gate *g, int64_t number, int64_t user_id, enum core_ticket_status status)
{
	struct fed fed = {.kind = CORE_ROW_TICKET};
	fed.row.ticket =
	    (struct core_ticket){.queue_id = 1, .number = number, .user_id = user_id, .status = status, .issued_at = START};
	fed.row.ticket.reason = status == CORE_EXPIRED ? CORE_LEFT : 0;
	feed(g, &fed);
}

static int64_t shown_capacity(struct world *w)
{
	struct arena arena = {0};
	struct core_queue *queues;
	size_t n;
	engine_look_queues(w->engine, &arena, &queues, &n);
	int64_t capacity = n ? queues[0].capacity : 0;
	arena_free(&arena);
	return capacity;
}

static bool shown(struct world *w, int64_t number, struct engine_ticket *out)
{
	return engine_look_ticket(w->engine, 1, number, START, out);
}

/* Waits, a second at most (and what a sanitizer takes). */
#define WITHIN_A_SECOND(condition)                                        \
	do {                                                              \
		for (int tries = 0; tries < 300 && !(condition); tries++) \
			pause_ms(5);                                      \
		assert_true(condition);                                   \
	} while (0)

/* ---- the tests ---- */

static void rows_of_others_are_shown(void **state)
{
	struct world *w = *state;
	struct fed user = {.kind = CORE_ROW_USER};
	user.row.user = (struct core_user){.user_id = 77, .balance = 5};
	feed(w->gate, &user);
	feed_ticket(w->gate, 9, 77, CORE_WAITING);
	w->gate->told = true;
	struct engine_ticket seen;
	WITHIN_A_SECOND(shown(w, 9, &seen));
	assert_string_equal(seen.username, "other");
	assert_int_equal(seen.ticket.user_id, 77);
	assert_int_equal(seen.ticket.status, CORE_WAITING);
}

static void what_is_told_of_late_is_looked_for_anyway(void **state)
{
	struct world *w = *state;
	int follows = w->gate->follows;
	WITHIN_A_SECOND(w->gate->follows > follows);
}

/* The own join waits for its sync when the follow sees the ticket ended. Shown out of order it would be back. */
static void a_followed_row_is_shown_after_the_own_commits_before_it(void **state)
{
	struct world *w = *state;
	struct core_cmd cmd = join_cmd("ann");
	struct call call;
	w->gate->hold_syncs = true;
	call_begin(w, &call, &cmd);
	pause_ms(150); /* committed, and the flight waits */
	assert_false(call.done);
	feed_ticket(w->gate, 1, 1, CORE_EXPIRED);
	w->gate->told = true;
	WITHIN_A_SECOND(!w->gate->told);
	w->gate->hold_syncs = false;
	assert_int_equal(call_end(&call).code, CORE_OK);
	struct engine_ticket seen;
	WITHIN_A_SECOND(shown(w, 1, &seen) && seen.ticket.status == CORE_EXPIRED);
	pause_ms(50);
	assert_true(shown(w, 1, &seen));
	assert_int_equal(seen.ticket.status, CORE_EXPIRED);
}

static void an_own_commit_is_shown_after_the_followed_rows_before_it(void **state)
{
	struct world *w = *state;
	struct fed queue = {.kind = CORE_ROW_QUEUE};
	queue.row.queue = (struct core_queue){.queue_id = 1, .name = TEXT("main"), .capacity = 7, .ceiling = 7};
	feed(w->gate, &queue);
	w->gate->told = true;
	WITHIN_A_SECOND(shown_capacity(w) == 7);
	struct core_cmd cmd = join_cmd("ann"); /* changes the queue's row, whose capacity is 2 in the store */
	assert_int_equal(run(w, &cmd).code, CORE_OK);
	assert_int_equal(shown_capacity(w), 2);
}

static void a_busy_store_is_asked_again(void **state)
{
	struct world *w = *state;
	struct fed queue = {.kind = CORE_ROW_QUEUE};
	queue.row.queue = (struct core_queue){.queue_id = 1, .name = TEXT("main"), .capacity = 7, .ceiling = 7};
	feed(w->gate, &queue);
	w->gate->busy = 2;
	w->gate->told = true;
	WITHIN_A_SECOND(shown_capacity(w) == 7);
}

static void add_concert(struct world *w)
{
	struct core_new_seats seats = {TEXT("Stalls"), 1, 10, 1000};
	struct core_new_show show = {.starts_at = START + 86400000, .date = 20270116, .seats = &seats, .seats_count = 1};
	struct core_new_concert concert = {
	    .title = TEXT("T"), .artist = TEXT("B"), .venue = TEXT("V"), .shows = &show, .show_count = 1};
	struct core_catalogue doc = {.concerts = &concert, .concert_count = 1};
	struct core_cmd cmd = {.op = CORE_ADD_CATALOGUE};
	cmd.u.catalogue.doc = &doc;
	cmd.u.catalogue.actor = TEXT("test");
	assert_int_equal(run(w, &cmd).code, CORE_OK);
}

/* Another server has taken over: what it has counts, what it does not have is gone. What was looked at before stays readable. */
static void after_a_conflict_everything_is_read_anew(void **state)
{
	struct world *w = *state;
	struct arena arena = {0};
	struct core_seat *seats;
	size_t n;
	struct engine_show show;
	add_concert(w);
	for (int i = 0; i < 3; i++) {
		struct core_cmd cmd = join_cmd(i == 0 ? "ann" : i == 1 ? "bob" : "cho");
		assert_int_equal(run(w, &cmd).code, CORE_OK);
	}
	struct fed user = {.kind = CORE_ROW_USER};
	user.row.user = (struct core_user){.user_id = 77};
	feed(w->gate, &user);
	feed_ticket(w->gate, 9, 77, CORE_WAITING); /* which the other server never got */
	w->gate->told = true;
	struct engine_ticket seen;
	WITHIN_A_SECOND(shown(w, 9, &seen));
	assert_true(engine_look_seats(w->engine, 1, START, &arena, &show, &seats, &n));
	int scans = w->gate->scans;
	w->gate->fail_scans = 1;
	w->gate->capacity = 30;
	w->gate->conflict = true;
	WITHIN_A_SECOND(shown_capacity(w) == 30);
	assert_int_equal(w->gate->scans, scans + 2);
	assert_false(shown(w, 9, &seen));
	WITHIN_A_SECOND(shown(w, 3, &seen) && seen.ticket.status == CORE_ACTIVE); /* there is room now */
	assert_string_equal(seen.username, "cho");
	for (size_t i = 0; i < n; i++)
		assert_true(text_equal(seats[i].section, TEXT("Stalls")));
	struct core_seat *again;
	assert_true(engine_look_seats(w->engine, 1, START, &arena, &show, &again, &n));
	assert_int_equal(n, 10);
	assert_true(text_equal(again[9].section, TEXT("Stalls")));
	struct core_cmd cmd = join_cmd("dan");
	assert_int_equal(run(w, &cmd).code, CORE_OK);
	arena_free(&arena);
}

/* Another process has added a show; here a seat of it is sold before anything was heard of it. */
static void part_of_a_show_that_others_have_added_is_not_shown(void **state)
{
	struct world *w = *state;
	struct arena arena = {0};
	struct core_rows rows;
	int64_t now = START;
	struct core_cmd cmd = join_cmd("ann");
	assert_int_equal(run(w, &cmd).code, CORE_OK);
	core_rows_init(&rows, &arena, 8);
	assert_int_equal(store_begin(w->gate->inner, &now), STORE_OK);
	(void)core_row_create(&rows, CORE_ROW_CONCERT,
	                      &(struct core_concert){.concert_id = 1, .queue_id = 1, .title = TEXT("T")});
	(void)core_row_create(
	    &rows, CORE_ROW_SHOW,
	    &(struct core_show){
		.show_id = 1, .concert_id = 1, .starts_at = START + 86400000, .date = 20270116, .total_seats = 2, .version = 1});
	for (int64_t n = 1; n <= 2; n++)
		(void)core_row_create(&rows, CORE_ROW_SEAT,
		                      &(struct core_seat){.show_id = 1, .seat_number = n, .section = TEXT("A"), .price = 5});
	assert_int_equal(store_commit(w->gate->inner, &rows, now), STORE_OK);
	cmd = (struct core_cmd){.op = CORE_HOLD, .auth_queue_id = 1, .auth_number = 1, .auth_user_id = 1};
	cmd.u.hold.concert_id = cmd.u.hold.show_id = 1;
	cmd.u.hold.seats = (const int64_t[]){2};
	cmd.u.hold.seat_count = 1;
	assert_int_equal(run(w, &cmd).code, CORE_OK);
	struct engine_show show;
	struct core_concert *concerts;
	struct core_seat *seats;
	size_t n;
	assert_false(engine_look_show(w->engine, 1, START, &show));
	engine_look_concerts(w->engine, &arena, &concerts, &n);
	assert_int_equal(n, 0);
	w->gate->conflict = true; /* everything is read anew: now all of it is known */
	WITHIN_A_SECOND(engine_look_show(w->engine, 1, START, &show));
	assert_int_equal(show.held, 1);
	assert_true(engine_look_seats(w->engine, 1, START, &arena, &show, &seats, &n));
	assert_int_equal(n, 2);
	assert_int_equal(show.show.show_id, 1);
	arena_free(&arena);
}

static void as_committed(struct gate *g, const struct core_show *show, const struct core_seat *seat)
{
	struct fed fed = {.kind = CORE_ROW_SHOW};
	fed.row.show = *show;
	feed(g, &fed);
	fed = (struct fed){.kind = CORE_ROW_SEAT};
	fed.row.seat = *seat;
	feed(g, &fed);
}

/* As another process would do it: the seat is sold. What it leaves is to be fed. */
static void sell_elsewhere(struct gate *g, int64_t number)
{
	struct arena arena = {0};
	struct core_rows rows;
	int64_t now = START;
	core_rows_init(&rows, &arena, 8);
	assert_int_equal(store_begin(g->inner, &now), STORE_OK);
	core_need_row(&rows, CORE_ROW_SHOW, 1, 0, (struct text){0});
	core_need_row(&rows, CORE_ROW_SEAT, 1, number, (struct text){0});
	assert_int_equal(store_load(g->inner, &rows), STORE_OK);
	struct core_show *show = core_row_edit(&rows, core_row_find(&rows, CORE_ROW_SHOW, 1, 0, (struct text){0}));
	struct core_seat *seat = core_row_edit(&rows, core_row_find(&rows, CORE_ROW_SEAT, 1, number, (struct text){0}));
	show->version += 2;
	seat->status = CORE_SEAT_SOLD;
	seat->reservation_id = seat->user_id = 99;
	assert_int_equal(store_commit(g->inner, &rows, now), STORE_OK);
	seat->section = TEXT("Stalls");
	as_committed(g, show, seat);
	arena_free(&arena);
}

/* A version speaks of what is shown here: not of what others have sold and nothing was heard of yet. */
static void a_version_names_what_is_shown(void **state)
{
	struct world *w = *state;
	struct arena arena = {0};
	struct engine_show before, partly, whole;
	struct core_seat *seats;
	size_t n;
	struct core_cmd cmd = join_cmd("ann");
	add_concert(w);
	assert_int_equal(run(w, &cmd).code, CORE_OK);
	assert_true(engine_look_show(w->engine, 1, START, &before));
	sell_elsewhere(w->gate, 3);
	cmd = (struct core_cmd){.op = CORE_HOLD, .auth_queue_id = 1, .auth_number = 1, .auth_user_id = 1};
	cmd.u.hold.concert_id = cmd.u.hold.show_id = 1;
	cmd.u.hold.seats = (const int64_t[]){2};
	cmd.u.hold.seat_count = 1;
	assert_int_equal(run(w, &cmd).code, CORE_OK);
	assert_true(engine_look_seats(w->engine, 1, START, &arena, &partly, &seats, &n));
	assert_int_equal(partly.held, 1);
	assert_int_equal(partly.sold, 0);
	assert_int_equal(partly.show.version, before.show.version + 2);
	assert_true(partly.state != before.state);
	w->gate->fed[0].row.show.version += 2; /* the own hold is in what is followed */
	w->gate->told = true;
	WITHIN_A_SECOND(engine_look_show(w->engine, 1, START, &whole) && whole.sold == 1);
	assert_int_equal(whole.held, 1);
	assert_int_equal(whole.show.version, before.show.version + 4);
	assert_true(whole.state != partly.state);
	w->gate->conflict = true; /* read anew: all as it was, in a state that nobody has kept anything of */
	WITHIN_A_SECOND(engine_look_show(w->engine, 1, START, &partly) && partly.state != whole.state);
	assert_int_equal(partly.show.version, whole.show.version);
	arena_free(&arena);
}

/* Decisions are made at the database's clock. What is looked at is of the same time, however wrong this machine's is. */
static void the_clock_is_the_databases(void **state)
{
	struct world *w = *state;
	assert_int_equal(engine_now(w->engine), START - BEHIND_MS);
	struct core_cmd cmd = join_cmd("ann");
	struct engine_ticket seen;
	assert_int_equal(run(w, &cmd).ticket.expires_at, START - BEHIND_MS + 600000);
	assert_true(engine_look_ticket(w->engine, 1, 1, engine_now(w->engine), &seen));
	assert_int_equal(seen.ticket.status, CORE_ACTIVE);
	w->gate->now = START + 5; /* and where that goes on, so does this one */
	WITHIN_A_SECOND(engine_now(w->engine) == START + 5);
}

static int64_t passed(struct world *w)
{
	struct arena arena = {0};
	struct core_queue *queues;
	size_t n;
	engine_look_queues(w->engine, &arena, &queues, &n);
	int64_t count = queues[0].passed;
	arena_free(&arena);
	return count;
}

/* Two are in, and the third waits. */
static void three_join(struct world *w)
{
	for (int i = 0; i < 3; i++) {
		struct core_cmd cmd = join_cmd(i == 0 ? "ann" : i == 1 ? "bob" : "cho");
		assert_int_equal(run(w, &cmd).code, CORE_OK);
	}
}

static void who_asks_elsewhere_is_not_silent(void **state)
{
	struct world *w = *state;
	three_join(w);
	w->gate->elsewhere = 3;
	for (int i = 0; i < 10; i++) {
		w->wall += IDLE_MS / 2;
		pause_ms(IDLE_MS / 4);
		assert_int_equal(passed(w), 0);
	}
	w->gate->elsewhere = 0;
	w->wall += 2 * IDLE_MS;
	WITHIN_A_SECOND(passed(w) == 1);
}

static void who_asks_here_is_told_of(void **state)
{
	struct world *w = *state;
	struct engine_ticket seen;
	three_join(w);
	w->wall += 1000;
	assert_int_equal(w->gate->told_here, 0);
	assert_true(engine_look_ticket(w->engine, 1, 3, w->wall, &seen));
	WITHIN_A_SECOND(w->gate->told_here == 3);
}

/* What could not be told is told later, and nobody is called silent by one who does not hear. */
static void a_process_that_does_not_hear_calls_nobody_silent(void **state)
{
	struct world *w = *state;
	struct engine_ticket seen;
	three_join(w);
	w->gate->deaf = true;
	pause_ms(IDLE_MS / 2);
	w->wall += 1000;
	assert_true(engine_look_ticket(w->engine, 1, 3, w->wall, &seen));
	pause_ms(IDLE_MS / 2);
	w->wall += 10 * IDLE_MS;
	pause_ms(IDLE_MS / 2);
	assert_int_equal(passed(w), 0);
	w->gate->deaf = false;
	WITHIN_A_SECOND(passed(w) == 1);
	assert_int_equal(w->gate->told_here, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(rows_of_others_are_shown, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_told_of_late_is_looked_for_anyway, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_followed_row_is_shown_after_the_own_commits_before_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_own_commit_is_shown_after_the_followed_rows_before_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_busy_store_is_asked_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(after_a_conflict_everything_is_read_anew, setup, teardown),
	    cmocka_unit_test_setup_teardown(part_of_a_show_that_others_have_added_is_not_shown, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_version_names_what_is_shown, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_clock_is_the_databases, setup_ahead, teardown),
	    cmocka_unit_test_setup_teardown(who_asks_elsewhere_is_not_silent, setup_hasty, teardown),
	    cmocka_unit_test_setup_teardown(who_asks_here_is_told_of, setup_hasty, teardown),
	    cmocka_unit_test_setup_teardown(a_process_that_does_not_hear_calls_nobody_silent, setup_hasty, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
