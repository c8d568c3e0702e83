/* guest.c: see guest.h. */
#include "cli/bench/guest.h"
#include "base/rng.h"
#include <assert.h>
#include <string.h>

#define TRIES_MAX 30     /* for seats that others had */
#define ERRORS_MAX 30    /* answers that failed, in a row */
#define RETRY_US 1000000 /* after an error that does not say when */
#define RETRY_LEAST_US 50000
#define THINK_CAP 8     /* times the average */
#define BEST_PERCENT 25 /* who let the server choose */

static const enum step step_of[] = {
    [GUEST_JOIN] = STEP_JOIN, [GUEST_POLL] = STEP_POLL,     [GUEST_DATES] = STEP_DATES, [GUEST_SEATS] = STEP_SEATS,
    [GUEST_HOLD] = STEP_HOLD, [GUEST_CHARGE] = STEP_CHARGE, [GUEST_PAY] = STEP_PAY,     [GUEST_LEAVE] = STEP_LEAVE,
};

const char *guest_end_name(enum guest_end end)
{
	static const char *const names[GUEST_ENDS] = {
	    [GUEST_ON_THE_WAY] = "on the way",      [GUEST_PAID] = "paid",
	    [GUEST_SOLD_OUT] = "found it sold out", [GUEST_LEFT] = "gave up and left",
	    [GUEST_VANISHED] = "gave up silently",  [GUEST_UNLUCKY] = "got no seats",
	    [GUEST_LOST] = "lost the place",        [GUEST_FAILED] = "failed",
	};

	return names[end];
}

static int64_t draw(struct guest *g, int64_t below)
{
	return rng_below(rng_next(&g->rng), below);
}

/* A number below n, small ones likelier: of n * u * u. */
static int64_t draw_low(struct guest *g, int64_t n)
{
	int64_t u = draw(g, INT64_C(1) << 20);

	return (((n * u) >> 20) * u) >> 20;
}

/* An exponentially distributed time of that average: the logarithm base 2 is taken from the leading one, between powers of two as
 * a straight line. */
static int64_t draw_think(struct guest *g, int64_t average_us)
{
	uint64_t bits = rng_next(&g->rng) | 1;
	int zeros = __builtin_clzll(bits);
	uint64_t rest = zeros == 63 ? 0 : bits << (zeros + 1);
	int64_t log2_16 = ((int64_t)(zeros + 1) << 16) - (int64_t)(rest >> 48); /* 16 bits behind the point */
	int64_t us = (((average_us * log2_16) >> 16) * 45426) >> 16;            /* ln 2 */

	return us < average_us * THINK_CAP ? us : average_us * THINK_CAP;
}

int64_t guest_init(struct guest *g, const struct guest_world *w, int64_t index)
{
	static const enum guest_action ways_out[] = {GUEST_POLL, GUEST_SEATS, GUEST_HOLD, GUEST_CHARGE, GUEST_PAY};
	int64_t who, which;

	*g = (struct guest){.index = index, .gives_up = GUEST_DONE, .rng = rng_at((uint64_t)w->o->seed, (uint64_t)index)};
	who = draw(g, 100);
	which = draw(g, 5);
	if (who < w->o->give_up)
		g->gives_up = ways_out[which];
	g->vanishes = draw(g, 2) == 0;
	g->best = draw(g, 100) < BEST_PERCENT;
	g->want = 1 + draw_low(g, GUEST_SEATS_MAX + 1); /* 1 or 2 as a rule */
	if (g->want > GUEST_SEATS_MAX)
		g->want = GUEST_SEATS_MAX;
	return w->start_us + draw_low(g, w->o->arrive * 1000000 + 1);
}

size_t guest_ask(struct guest *g, struct guest_world *w, char *out)
{
	const struct api *api = w->api;

	g->frontier = atomic_load_explicit(&w->frontier, memory_order_relaxed);
	switch (g->action) {
	case GUEST_JOIN:
		return api_join(api, g->index, out);
	case GUEST_POLL:
		return api_check(api, g->me.token, out);
	case GUEST_DATES:
		return api_dates(api, g->me.token, out);
	case GUEST_SEATS:
		return api_seats(api, g->me.token, g->show, out);
	case GUEST_HOLD:
		if (g->best)
			return api_hold_best(api, g->me.token, g->show, g->want, out);
		return api_hold(api, g->me.token, g->show, g->seats, (size_t)g->want, out);
	case GUEST_CHARGE:
		return api_charge(api, g->me.token, g->me.user_id, g->price > 0 ? g->price : 1, out);
	case GUEST_PAY:
		return api_pay(api, g->me.token, g->reservation, out);
	case GUEST_LEAVE:
		return api_leave(api, g->me.token, out);
	case GUEST_DONE:
		break;
	}
	assert(g->action != GUEST_DONE);
	return 0;
}

/* ---- ends ---- */

static void end(struct guest *g, struct guest_book *book, enum guest_end how)
{
	if (how != GUEST_LEFT || g->end == GUEST_ON_THE_WAY)
		g->end = how;
	g->action = GUEST_DONE;
	book->ends[g->end]++;
	if (g->admitted)
		atomic_fetch_sub_explicit(&book->stats->active, 1, memory_order_relaxed);
	else if (g->joined_us != 0)
		atomic_fetch_sub_explicit(&book->stats->waiting, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&book->stats->left, 1, memory_order_relaxed);
}

/* Says goodbye, for that reason. */
static int64_t leave(struct guest *g, int64_t now, enum guest_end why)
{
	g->end = why;
	g->action = GUEST_LEAVE;
	return now;
}

/* Goes on with `next` after thinking about `part` of four of the average; or gives up there. */
static int64_t go_on(struct guest *g, const struct guest_world *w, struct guest_book *book, int64_t now, enum guest_action next,
                     int64_t part)
{
	g->errors = 0;
	if (next == g->gives_up) {
		if (!g->vanishes)
			return leave(g, now + draw_think(g, w->o->think_ms * 1000), GUEST_LEFT);
		end(g, book, GUEST_VANISHED);
		return now;
	}
	g->action = next;
	return now + draw_think(g, w->o->think_ms * 1000 * part / 4);
}

/* ---- answers ---- */

static void admitted(struct guest *g, struct guest_world *w, struct guest_book *book, int64_t now)
{
	int64_t highest = atomic_load_explicit(&w->frontier, memory_order_relaxed), wait = now - g->joined_us;
	struct stats_second *second = stats_second(book->stats, now);

	while (highest < g->me.number && !atomic_compare_exchange_weak_explicit(&w->frontier, &highest, g->me.number,
	                                                                        memory_order_relaxed, memory_order_relaxed))
		;
	g->admitted = true;
	histogram_add(&book->wait, wait);
	if (wait > book->longest_wait_us) {
		book->longest_wait_us = wait;
		book->longest_wait_number = g->me.number;
	}
	if (second != NULL)
		second->admitted++;
	atomic_fetch_sub_explicit(&book->stats->waiting, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&book->stats->active, 1, memory_order_relaxed);
}

/* Somebody with a higher number was seen inside before this question was sent, and the answer still is to wait. */
static void check_order(const struct guest *g, struct guest_world *w)
{
	if (g->me.number >= g->frontier)
		return;
	if (atomic_fetch_add(&w->inversions, 1) == 0) {
		atomic_store(&w->inverted_number, g->me.number);
		atomic_store(&w->inverted_frontier, g->frontier);
	}
}

static int64_t ticket(struct guest *g, struct guest_world *w, struct guest_book *book, const struct reply *reply, int64_t now)
{
	int64_t seconds = 1, pause;
	struct text status;
	bool first = g->joined_us == 0;

	if (!api_person(reply, &g->me) || !reply_text(reply->body, TEXT("\"status\":"), &status)) {
		end(g, book, GUEST_FAILED);
		return now;
	}
	if (first) {
		g->joined_us = now;
		atomic_fetch_add_explicit(&book->stats->joined, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&book->stats->waiting, 1, memory_order_relaxed);
	}
	if (g->me.active) {
		admitted(g, w, book, now);
		return go_on(g, w, book, now, GUEST_DATES, 1);
	}
	if (!text_equal(status, TEXT("WAITING"))) {
		end(g, book, GUEST_LOST);
		return now;
	}
	check_order(g, w);
	(void)reply_int(reply->body, TEXT("\"retryAfterSeconds\":"), &seconds);
	pause = seconds * 1000000 / w->o->impatience;
	pause = now + (pause > RETRY_LEAST_US ? pause : RETRY_LEAST_US);
	(void)go_on(g, w, book, now, GUEST_POLL, 0);
	return pause;
}

/* Chooses among the shows that have seats, the earlier ones likelier. */
static int64_t dates(struct guest *g, struct guest_world *w, struct guest_book *book, const struct reply *reply, int64_t now)
{
	struct text rest = reply->body;
	int64_t shows = 0, chosen, left, id = 0;

	while (reply_find(rest, TEXT("\"showId\":"), &rest))
		shows += reply_int(rest, TEXT("\"availableSeats\":"), &left) && left > 0;
	if (shows == 0) {
		int64_t never = 0;

		(void)atomic_compare_exchange_strong(&w->nothing_left_us, &never, now);
		return leave(g, now, GUEST_SOLD_OUT);
	}
	chosen = draw_low(g, shows);
	rest = reply->body;
	while (chosen >= 0 && reply_find(rest, TEXT("\"showId\":"), &rest)) {
		if (!reply_int(rest, TEXT("\"availableSeats\":"), &left) || left <= 0 || chosen-- > 0)
			continue;
		for (size_t i = 0; i < rest.n && rest.p[i] >= '0' && rest.p[i] <= '9'; i++)
			id = id * 10 + (rest.p[i] - '0');
	}
	g->show = id;
	return go_on(g, w, book, now, GUEST_SEATS, 2);
}

/* Reads seat numbers from place `from` of the array, up to `n`; returns how many. n 0: counts all. */
static int64_t read_seats(struct text array, int64_t from, int64_t *out, int64_t n)
{
	int64_t place = 0, got = 0, number = 0;
	bool in = false;

	for (size_t i = 1; i < array.n; i++) {
		char c = array.p[i];

		if (c >= '0' && c <= '9') {
			number = number * 10 + (c - '0');
			in = true;
			continue;
		}
		if (in && place >= from && got < n)
			out[got++] = number;
		place += in;
		in = false;
		number = 0;
		if (c == ']' || (n > 0 && got == n))
			break;
	}
	return n == 0 ? place : got;
}

/* Chooses seats beside each other in the list, low numbers likelier. */
static int64_t seats(struct guest *g, struct guest_world *w, struct guest_book *book, const struct reply *reply, int64_t now)
{
	struct text array;
	int64_t free_seats, from;

	if (!reply_find(reply->body, TEXT("\"availableSeats\":"), &array) || array.n == 0 || array.p[0] != '[') {
		end(g, book, GUEST_FAILED);
		return now;
	}
	free_seats = read_seats(array, 0, NULL, 0);
	if (free_seats == 0)
		return ++g->tries > TRIES_MAX ? leave(g, now, GUEST_UNLUCKY) : go_on(g, w, book, now, GUEST_DATES, 1);
	if (g->want > free_seats)
		g->want = free_seats;
	from = draw_low(g, free_seats);
	if (from > free_seats - g->want)
		from = free_seats - g->want;
	if (read_seats(array, from, g->seats, g->want) != g->want) {
		end(g, book, GUEST_FAILED);
		return now;
	}
	return go_on(g, w, book, now, GUEST_HOLD, 4);
}

static int64_t paid(struct guest *g, struct guest_world *w, struct guest_book *book, int64_t now)
{
	int64_t sold = atomic_fetch_add(&w->sold, g->want) + g->want, never = 0;

	if (sold == w->total_seats)
		(void)atomic_compare_exchange_strong(&w->sold_out_us, &never, now);
	atomic_fetch_add_explicit(&book->stats->sold, g->want, memory_order_relaxed);
	end(g, book, GUEST_PAID);
	return now;
}

static int64_t succeeded(struct guest *g, struct guest_world *w, struct guest_book *book, const struct reply *reply, int64_t now)
{
	switch (g->action) {
	case GUEST_JOIN:
	case GUEST_POLL:
		return ticket(g, w, book, reply, now);
	case GUEST_DATES:
		return dates(g, w, book, reply, now);
	case GUEST_SEATS:
		return seats(g, w, book, reply, now);
	case GUEST_HOLD:
		if (reply_int(reply->body, TEXT("\"reservationId\":"), &g->reservation) &&
		    reply_int(reply->body, TEXT("\"totalPrice\":"), &g->price))
			return go_on(g, w, book, now, GUEST_CHARGE, 4);
		break;
	case GUEST_CHARGE:
		return go_on(g, w, book, now, GUEST_PAY, 2);
	case GUEST_PAY:
		return paid(g, w, book, now);
	case GUEST_LEAVE:
		end(g, book, GUEST_LEFT);
		return now;
	case GUEST_DONE:
		break;
	}
	end(g, book, GUEST_FAILED);
	return now;
}

/* An error answer that a person understands; false when it is none of these. */
static bool understood(struct guest *g, struct guest_world *w, struct guest_book *book, const struct reply *reply, int64_t now,
                       int64_t *next)
{
	struct text code = TEXT("");

	(void)reply_text(reply->body, TEXT("\"code\":"), &code);
	if (text_equal(code, TEXT("SEAT_TAKEN")))
		*next = ++g->tries > TRIES_MAX ? leave(g, now, GUEST_UNLUCKY) : go_on(g, w, book, now, GUEST_SEATS, 1);
	else if (text_equal(code, TEXT("SHOW_NOT_FOUND")) || text_equal(code, TEXT("HOLD_EXPIRED")))
		*next = ++g->tries > TRIES_MAX ? leave(g, now, GUEST_UNLUCKY) : go_on(g, w, book, now, GUEST_DATES, 1);
	else if (text_equal(code, TEXT("ALREADY_PAID"))) /* the first answer got lost */
		*next = paid(g, w, book, now);
	else if (text_equal(code, TEXT("NOT_ADMITTED"))) {
		end(g, book, GUEST_LOST);
		*next = now;
	} else
		return false;
	return true;
}

static int64_t failed(struct guest *g, struct guest_world *w, struct guest_book *book, enum client_outcome outcome,
                      const struct reply *reply, int64_t now)
{
	bool passing = outcome != CLIENT_ANSWERED || reply->status == 429 || reply->status >= 500;
	int64_t next = now;

	if (outcome == CLIENT_ANSWERED && understood(g, w, book, reply, now, &next))
		return next;
	if (!passing || ++g->errors > ERRORS_MAX) {
		end(g, book, g->action == GUEST_LEAVE ? g->end : GUEST_FAILED);
		return now;
	}
	if (outcome == CLIENT_ANSWERED && reply->retry_after > 0)
		return now + reply->retry_after * 1000000;
	return now + RETRY_US / 2 + draw(g, RETRY_US); /* not all at the same moment */
}

int64_t guest_answer(struct guest *g, struct guest_world *w, struct guest_book *book, const struct client_conn *c,
                     enum client_outcome outcome)
{
	enum step step = step_of[g->action];
	int64_t latency = c->end_us - c->due_us;

	if (outcome == CLIENT_ANSWERED && c->reply.status >= 200 && c->reply.status < 300) {
		stats_ok(book->stats, step, STATS_ALL, c->end_us, latency);
		return succeeded(g, w, book, &c->reply, c->end_us);
	}
	stats_error(book->stats, step, STATS_ALL, c->end_us, latency, outcome, &c->reply);
	return failed(g, w, book, outcome, &c->reply, c->end_us);
}
