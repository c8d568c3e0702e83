/* jari-sim: the real engine and the real rules in a simulated world, from a seed.
 *
 *   jari-sim [--seeds N] [--from S] [--show]     a line of TAP for each hundred seeds; --show prints the course of each run
 *
 * A run is some seconds in which people use servers that crash, on a store that fails, through a network that loses and repeats; then nothing goes
 * wrong any more, and all that is still possible must happen. The same seed makes the same run: the first of each hundred is run twice, and both must
 * come to the same hash. The first thing that is wrong ends the program, and says how to see it again. */
#include "world.h"

#include "base/limits.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EPOCH 1798106400000LL
#define START_US 1000000000LL
#define SECOND_US 1000000LL
#define DAY_MS (24LL * 3600 * 1000)

enum { SEEDS = 1000, CHUNK = 100, CALM_US = 5000000, LATE_MS = 2000, STEPS_MAX = 20000000 };

static struct world *running; /* for an assertion */
static bool show;

/* ---- numbers, time, the trace ---- */

int64_t world_below(struct world *w, int64_t n)
{
	return sim_below(&w->sim, n);
}

bool world_odds(struct world *w, int thousandth)
{
	return w->faults && world_below(w, 1000) < thousandth;
}

int64_t world_ms(const struct world *w)
{
	return w->epoch_ms + (threads_us() - START_US) / 1000;
}

void world_trace(struct world *w, const char *format, ...)
{
	char *line = w->trace[w->lines++ % TRACE_LINES];
	int n = snprintf(line, TRACE_WIDTH, "%10.6f ", (double)(threads_us() - START_US) / 1e6);
	va_list args;
	va_start(args, format);
	(void)vsnprintf(line + n, (size_t)(TRACE_WIDTH - n), format, args);
	va_end(args);
	for (const char *p = line; *p; p++)
		w->hash = (w->hash ^ (unsigned char)*p) * 0x100000001B3ULL;
	if (show)
		printf("# %s\n", line);
}

static void tell_end(const struct world *w)
{
	int64_t first = w->lines > TRACE_LINES ? w->lines - TRACE_LINES : 0;
	printf("# the last steps:\n");
	for (int64_t i = first; i < w->lines && !show; i++)
		printf("# %s\n", w->trace[i % TRACE_LINES]);
	printf("# again: jari-sim --seeds 1 --from %" PRIu64 " --show\n", w->seed);
	(void)fflush(stdout);
}

_Noreturn void world_fail(struct world *w, const char *check, const char *format, ...)
{
	char why[700];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(why, sizeof why, format, args);
	va_end(args);
	printf("not ok - seed %" PRIu64 ": [%s] %s\n", w->seed, check, why);
	tell_end(w);
	_exit(1);
}

/* An assertion of the product's. */
_Noreturn void __wrap___assert_fail(const char *what, const char *file, unsigned line, const char *function);
_Noreturn void __wrap___assert_fail(const char *what, const char *file, unsigned line, const char *function)
{
	world_fail(running, "assertion", "%s, %s:%u, in %s", what, strrchr(file, '/'), line, function);
}

/* Or worse: only what a signal's handler may do. */
static char last_words[160];
static size_t last_words_n;

static void died(int number)
{
	(void)number;
	if (write(STDOUT_FILENO, last_words, last_words_n) < 0)
		_exit(2);
	_exit(1);
}

static void prepare_last_words(uint64_t seed)
{
	int n = snprintf(last_words, sizeof last_words,
	                 "not ok - seed %" PRIu64 ": [assertion] ended by a signal\n# again: jari-sim --seeds 1 --from %" PRIu64
	                 " --show\n",
	                 seed, seed);
	last_words_n = n > 0 ? (size_t)n : 0;
}

/* ---- what happens when ---- */

void world_at(struct world *w, int64_t in_us, event_fn fn, void *arg)
{
	struct event e = {threads_us() + in_us, w->serial++, fn, arg};
	int i = w->event_n;
	if (w->event_n == EVENTS)
		world_fail(w, "world", "too much is to happen");
	for (; i > 0 && w->events[i - 1].at_us <= e.at_us; i--)
		w->events[i] = w->events[i - 1];
	w->events[i] = e;
	w->event_n++;
}

static bool next_event(struct world *w)
{
	if (w->event_n == 0 || w->events[w->event_n - 1].at_us > threads_us())
		return false;
	struct event e = w->events[--w->event_n];
	e.fn(w, e.arg);
	return true;
}

/* One step. False when nothing will ever happen. */
static bool step(struct world *w)
{
	bool event_first = world_below(w, 2) == 0;
	if ((event_first && next_event(w)) || threads_run_one() || next_event(w))
		return true;
	int64_t next = threads_next_us();
	if (w->event_n > 0 && w->events[w->event_n - 1].at_us < next)
		next = w->events[w->event_n - 1].at_us;
	if (next == INT64_MAX)
		return false;
	threads_set_us(next);
	return true;
}

static void run_until(struct world *w, int64_t until_us)
{
	for (int64_t i = 0; threads_us() < until_us; i++) {
		if (i == STEPS_MAX)
			world_fail(w, "liveness", "time stands still");
		if (!step(w))
			world_fail(w, "liveness", "nothing happens any more");
	}
}

/* ---- what goes wrong ---- */

static int64_t some_jump(struct world *w)
{
	static const int64_t jumps[] = {1000, 5000, -5000, 60000, -3600000, 3600000, DAY_MS - 1000, DAY_MS + 1000};
	int64_t r = world_below(w, 100);
	return jumps[r < 70 ? world_below(w, 3) : world_below(w, 8)];
}

static void jump(struct world *w, struct server *s)
{
	int64_t by = some_jump(w);
	if (w->shared && by > 0 && world_below(w, 2) == 0)
		w->database_ms += by;
	else
		s->wall_ms += by;
	w->count[COUNT_JUMPS]++;
	world_trace(w, "a clock jumps by %lld ms", (long long)by);
}

static void go_wrong(struct world *w, void *arg)
{
	(void)arg;
	if (!w->faults || w->storm)
		return;
	struct server *s = &w->server[world_below(w, w->servers)];
	int64_t r = world_below(w, 100);
	if (r < 25)
		server_crash(s, world_below(w, 2), "at any time");
	else if (r < 40) {
		world_trace(w, "server %d is asked to stop", s->id);
		server_stop(s);
	} else if (r < 55 && w->odds.jump > 0) {
		jump(w, s);
	} else if (r < 65 && w->shared) {
		w->out_until_us = threads_us() + world_below(w, 2000000);
		world_trace(w, "nobody reaches the database");
	}
	world_at(w, 100000 + world_below(w, 1500000), go_wrong, NULL);
}

static void faults_end(struct world *w, void *arg)
{
	(void)arg;
	w->faults = false;
	w->out_until_us = 0;
	world_trace(w, "nothing goes wrong any more");
}

/* At last the store fails most of the time, and no server starts anew after that: what is forgotten then stays so. */
static void storm(struct world *w, void *arg)
{
	(void)arg;
	w->storm = true;
	w->odds.crash = w->odds.away = 0;
	w->odds.broken = 200;
}

void world_faults(struct world *w)
{
	int64_t last_us = 3 * SECOND_US + world_below(w, 5 * SECOND_US);
	w->faults = true;
	w->faults_end_us = threads_us() + last_us;
	world_at(w, last_us, faults_end, NULL);
	if (world_below(w, 3) == 0)
		world_at(w, last_us - SECOND_US, storm, NULL);
	world_at(w, world_below(w, SECOND_US), go_wrong, NULL);
}

/* Each kind of fault is often, seldom or never in a run, so that each is also seen alone. */
static int some_odds(struct world *w, int often)
{
	int64_t r = world_below(w, 3);
	return r == 0 ? 0 : r == 1 ? often / 5 : often;
}

/* People who come and go all the time, and batches that are large and fail. */
static void choose_restless(struct world *w)
{
	w->restless = 25;
	w->idle_ms = 2000;
	w->gap_us = 20000;
	w->latency_us = 7000;
	w->odds.broken = 40;
	w->sim.m->rules.active_ms = 1000;
	w->sim.m->rules.grace_ms = 16000;
}

static void choose(struct world *w)
{
	w->shared = world_below(w, 5) < 3;
	w->servers = w->shared ? 2 + (int)world_below(w, SERVERS - 1) : 1;
	w->epoch_ms = EPOCH + world_below(w, DAY_MS);
	static const int64_t latencies[] = {400, 4000, 10000};
	w->latency_us = latencies[world_below(w, 3)];
	w->gap_us = 10000 << (2 * world_below(w, 3));
	w->restless = some_odds(w, 15);
	w->idle_ms = (2 + world_below(w, 3)) * 1000;
	w->odds = (struct odds){.busy = some_odds(w, 60),
	                        .broken = some_odds(w, 30),
	                        .conflict = some_odds(w, 40),
	                        .unknown = some_odds(w, 60),
	                        .crash = some_odds(w, 15),
	                        .slow = some_odds(w, 30),
	                        .lost = some_odds(w, 150),
	                        .twice = some_odds(w, 200),
	                        .away = some_odds(w, 100),
	                        .jump = some_odds(w, 10)};
	w->sim.m->rules = (struct core_rules){.hold_ms = 700 + world_below(w, 3000),
	                                      .active_ms = 1000 + world_below(w, 4000),
	                                      .grace_ms = 1000LL << world_below(w, 5),
	                                      .seats_per_user = 2 + world_below(w, 3)};
	if (world_below(w, 6) == 0)
		choose_restless(w);
}

/* ---- when the faults are over ---- */

/* The lowest number that waits though there is room for it; 0: none. */
static int64_t kept_out(const struct world *w, const struct model_queue *q, int64_t now)
{
	const struct model *m = w->sim.m;
	bool room = !q->paused && q->waiting > 0 && q->active < q->capacity && (q->rate == 0 || q->free_at_us <= now * 1000);
	for (int i = 0; room && i < m->tickets; i++)
		if (m->ticket[i].queue_id == q->id && m->ticket[i].status == CORE_WAITING)
			return m->ticket[i].number;
	return 0;
}

static int64_t stored_now(struct world *w)
{
	return w->shared ? world_ms(w) + w->database_ms : engine_now(w->server[0].engine);
}

/* Whoever could be let in all through a second, in which nobody else was, has been forgotten. Looked at often: within a second one can be passed over
 * and taken back, or somebody with a lower number can come back and take the room. */
static void check_line(struct world *w)
{
	enum { LOOKS = 20 };
	struct model *m = w->sim.m;
	int64_t first[MODEL_QUEUES], admitted[MODEL_QUEUES];
	int n = m->queues;
	for (int i = 0; i < n; i++) {
		first[i] = kept_out(w, &m->queue[i], stored_now(w));
		admitted[i] = m->queue[i].admitted;
	}
	for (int look = 0; look < LOOKS; look++) {
		run_until(w, threads_us() + SECOND_US / LOOKS);
		for (int i = 0; i < n; i++)
			if (kept_out(w, &m->queue[i], stored_now(w)) != first[i] || m->queue[i].admitted != admitted[i])
				first[i] = 0;
	}
	for (int i = 0; i < n; i++)
		if (first[i] > 0)
			world_fail(w, "liveness", "queue %lld has room, and nobody lets in number %lld",
			           (long long)m->queue[i].id, (long long)first[i]);
}

static void check_ended(struct world *w, int64_t now)
{
	const struct model *m = w->sim.m;
	for (int i = 0; i < m->tickets; i++) {
		const struct model_ticket *t = &m->ticket[i];
		if ((t->status == CORE_ACTIVE || t->status == CORE_PASSED) && t->expires_at < now - LATE_MS)
			world_fail(w, "liveness", "ticket %lld/%lld has not ended in time", (long long)t->queue_id,
			           (long long)t->number);
	}
}

static bool overdue_hold(void *arg, enum core_kind kind, const void *row)
{
	const struct core_reservation *r = row;
	struct world *w = arg;
	if (kind == CORE_ROW_RESERVATION && r->status == CORE_RES_HELD && r->held_until < stored_now(w) - LATE_MS)
		world_fail(w, "liveness", "hold %lld has not ended in time", (long long)r->reservation_id);
	return true;
}

/* Who asks has a place in the line, who does not has none. */
static void check_heard(struct world *w, int64_t now)
{
	for (int i = 0; i < w->known_n; i++) {
		const struct known *k = &w->known[i];
		const struct model_ticket *t = model_ticket(w->sim.m, k->queue_id, k->number);
		if (!t)
			world_fail(w, "I7", "ticket %lld/%lld was told of, and is gone", (long long)k->queue_id,
			           (long long)k->number);
		bool asks = k->gone_until_us < threads_us() - 3 * SECOND_US;
		if (t->status == CORE_WAITING && k->polled_us < threads_us() - (w->idle_ms + 3500) * 1000 && !asks)
			world_fail(w, "liveness", "ticket %lld/%lld has long been silent, and is not passed over",
			           (long long)k->queue_id, (long long)k->number);
		if (t->status == CORE_PASSED && asks && now < t->expires_at - 500)
			world_fail(w, "liveness", "ticket %lld/%lld asks, and is passed over", (long long)k->queue_id,
			           (long long)k->number);
	}
}

static void check_calm(struct world *w)
{
	check_line(w);
	check_ended(w, stored_now(w));
	(void)store_scan(w->sim.store, 0, overdue_hold, w);
	if (clients_waiting(w) > 0)
		world_fail(w, "liveness", "%d people still wait for an answer", clients_waiting(w));
	for (int i = 0; i < w->servers; i++)
		if (engine_trouble(w->server[i].engine) != STORE_WELL)
			world_fail(w, "liveness", "server %d says that it takes no commands", i);
}

static void check_up(struct world *w)
{
	for (int i = 0; i < w->servers; i++)
		if (!w->server[i].up)
			world_fail(w, "liveness", "server %d is not up", i);
}

/* A moment at which nothing is on its way: what every server shows is what is stored. */
static void check_shown(struct world *w)
{
	int64_t since = w->seq, until = threads_us() + 3 * SECOND_US;
	for (int64_t quiet_us = threads_us() + 1100000; threads_us() < until && threads_us() < quiet_us;) {
		if (!step(w))
			world_fail(w, "liveness", "nothing happens any more");
		if (w->seq != since)
			quiet_us = threads_us() + 1100000;
		since = w->seq;
	}
	for (int i = 0; i < w->servers && threads_us() < until; i++)
		seen_all(w, &w->server[i]);
}

/* ---- a run ---- */

static void end(struct world *w)
{
	w->over = true;
	for (int i = 0; i < w->servers; i++)
		server_stop(&w->server[i]);
	for (int64_t i = 0; threads_alive() > 0; i++)
		if (i == STEPS_MAX || !step(w))
			world_fail(w, "liveness", "a server does not stop");
}

static void course(struct world *w)
{
	run_until(w, START_US + 2 * SECOND_US);
	while (w->faults || w->faults_end_us == 0)
		run_until(w, threads_us() + SECOND_US / 10);
	run_until(w, threads_us() + CALM_US);
	check_up(w);
	check_calm(w);
	run_until(w, threads_us() + (w->idle_ms + 4000) * 1000);
	check_calm(w);
	check_heard(w, stored_now(w));
	check_shown(w);
}

static const char *const count_names[COUNTS] = {"commits",
                                                "commits lost with the power",
                                                "commits whose answer was lost",
                                                "crashes",
                                                "stops",
                                                "servers that were away",
                                                "answers",
                                                "answers that the store is unavailable",
                                                "kept answers",
                                                "places taken",
                                                "holds",
                                                "holds given up",
                                                "charges",
                                                "payments",
                                                "refusals",
                                                "places passed over",
                                                "places taken back",
                                                "reads of the store",
                                                "clocks that jumped"};

struct totals {
	int64_t count[COUNTS];
};

static uint64_t run_seed(uint64_t seed, struct totals *totals)
{
	struct world *w = calloc(1, sizeof *w);
	if (!w || !(w->sim.m = calloc(1, sizeof *w->sim.m)) || !(w->events = calloc(EVENTS, sizeof *w->events)))
		abort();
	running = w;
	w->seed = seed;
	prepare_last_words(seed);
	w->sim.random = seed * 0x9E3779B97F4A7C15ULL + 1;
	w->hash = 0xCBF29CE484222325ULL;
	choose(w);
	threads_begin(w->sim.random ^ 0x5EEDULL, START_US, world_below(w, 2) ? 0 : 10, some_odds(w, 15));
	database_open(w, 1 + world_below(w, 3));
	seen_begin(w);
	servers_begin(w);
	clients_begin(w);
	world_trace(w, "%d servers, %s", w->servers, w->shared ? "shared" : "alone");
	course(w);
	end(w);
	if (!sim_compare_all(&w->sim))
		world_fail(w, "rows", "%s", w->sim.m->why);
	uint64_t hash = w->hash;
	for (int i = 0; i < COUNTS; i++)
		totals->count[i] += w->count[i];
	clients_end(w);
	seen_end(w);
	database_close(w);
	arena_free(&w->sim.arena);
	free(w->events);
	free(w->sim.m);
	free(w);
	return hash;
}

static void run_chunk(int64_t first, int64_t n, int64_t line, struct totals *totals)
{
	for (int64_t seed = first; seed < first + n; seed++) {
		uint64_t hash = run_seed((uint64_t)seed, totals);
		if (n == 1)
			printf("# seed %" PRId64 " comes to %016" PRIx64 "\n", seed, hash);
		if (seed != first || n == 1)
			continue;
		uint64_t again = run_seed((uint64_t)seed, totals);
		if (again != hash) {
			printf("not ok - seed %" PRId64 ": [again] comes to %016" PRIx64 ", and to %016" PRIx64
			       " the second time\n",
			       seed, hash, again);
			exit(1);
		}
	}
	printf("ok %" PRId64 " - seeds %" PRId64 " to %" PRId64 "\n", line, first, first + n - 1);
	(void)fflush(stdout);
}

/* A few seeds by hand need not have met with everything. */
static bool tell_counts(const struct totals *totals, bool whole, int64_t line)
{
	bool ok = true;
	for (int i = 0; i < COUNTS; i++) {
		printf("# %10" PRId64 " %s\n", totals->count[i], count_names[i]);
		ok = ok && totals->count[i] > 0;
	}
	if (whole)
		printf("%s %" PRId64 " - everything came up\n", ok ? "ok" : "not ok", line);
	return ok || !whole;
}

static bool number(int argc, char **argv, int i, int64_t *out)
{
	return i + 1 < argc && text_to_int(text_of(argv[i + 1]), 1, INT64_MAX / 2, out);
}

int main(int argc, char **argv)
{
	static struct totals totals;
	int64_t seeds = SEEDS, from = 1;
	bool ok = true;
	for (int i = 1; i < argc && ok; i++) {
		if (strcmp(argv[i], "--show") == 0)
			show = true;
		else if (strcmp(argv[i], "--seeds") == 0)
			ok = number(argc, argv, i++, &seeds);
		else if (strcmp(argv[i], "--from") == 0)
			ok = number(argc, argv, i++, &from);
		else
			ok = false;
	}
	if (!ok) {
		fprintf(stderr, "usage: jari-sim [--seeds N] [--from S] [--show]\n");
		return 2;
	}
	if (show)
		(void)setvbuf(stdout, NULL, _IOLBF, 0);
	static const int signals[] = {SIGABRT, SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGTRAP};
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)signal(signals[i], died);
	printf("1..%" PRId64 "\n", (seeds + CHUNK - 1) / CHUNK + (seeds >= SEEDS));
	for (int64_t done = 0, line = 1; done < seeds; done += CHUNK, line++)
		run_chunk(from + done, seeds - done < CHUNK ? seeds - done : CHUNK, line, &totals);
	return tell_counts(&totals, seeds >= SEEDS, (seeds + CHUNK - 1) / CHUNK + 1) ? 0 : 1;
}
