/* phase.c: see phase.h. */
#include "cli/bench/phase.h"
#include "base/limits.h"
#include "base/arena.h"
#include "base/clock.h"
#include "cli/bench/progress.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SETUP_CONNECTIONS (JARI_BATCH_MAX / 2)
#define FILL_MAX 64     /* requests that are sent before answers are looked for */
#define SILENT_MAX 200  /* failures in a row without any answer, after which the server counts as gone */
#define FILES_BESIDE 64 /* open files that are no connections */
#define PROGRESS_US 100000

struct phase_worker {
	const struct phase *phase;
	const struct bench_options *options;
	struct phase_crew *crew;
	pthread_t id;
	struct client *client;
	struct stats *stats;
	int64_t k;             /* due so far, as a rate has it */
	int64_t index, stride; /* the next request is index, then index + stride … */
	int64_t rate, quota;   /* of this worker; 0: none */
	int64_t start_us, warm_us, end_us;
	int64_t measured; /* sent that were due since the warm-up */
	int64_t silent;
	bool stopped;
	char error[CLI_ERROR_SIZE]; /* the first */
};

struct phase_crew {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	int running;
	struct phase_worker *workers;
	int count;
};

bool phase_raise_files(int64_t connections, char error[CLI_ERROR_SIZE])
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)connections + FILES_BESIDE;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
			(void)snprintf(error, CLI_ERROR_SIZE,
			               "%lld connections need as many open files, and this system allows %lld; see ulimit -n",
			               (long long)connections, (long long)limit.rlim_cur);
			return false;
		}
	}
	return true;
}

/* ---- a worker ---- */

static bool used_up(const struct phase_worker *w)
{
	return w->phase->limit > 0 && w->index >= w->phase->limit;
}

/* How many a rate has made due before that instant. */
static int64_t due_before(const struct phase_worker *w, int64_t at_us)
{
	return ((at_us - w->start_us) * w->rate + 999999) / 1000000;
}

static bool more(const struct phase_worker *w, int64_t now)
{
	const struct phase *p = w->phase;

	if (w->stopped || used_up(w))
		return false;
	if (w->quota > 0 && w->measured >= w->quota)
		return false;
	return p->duration_us == 0 || now < w->end_us;
}

static void fill(struct phase_worker *w, int64_t now)
{
	const struct phase *p = w->phase;

	/* What the warm-up had no time for would keep what is due now from being sent, for ever if the rate is too high. */
	if (w->rate > 0 && now >= w->warm_us && w->k < due_before(w, w->warm_us))
		w->k = due_before(w, w->warm_us);
	/* Not all that is due at once: what has been sent wants to be looked after, too. */
	for (int i = 0; i < FILL_MAX && more(w, now); i++) {
		int64_t due = w->rate > 0 ? w->start_us + w->k * 1000000 / w->rate : now;
		struct client_conn *c = due <= now ? client_take(w->client) : NULL;
		size_t n;

		if (c == NULL)
			break;
		c->tag = w->index;
		n = p->write(p->arg, w->index, c->out);
		w->index += w->stride;
		if (n == 0) {
			client_give_back(c);
			continue;
		}
		client_send(c, n, due);
		if (w->rate == 0)
			c->due_us = c->sent_us;
		w->k++;
		w->measured += c->due_us >= w->warm_us;
	}
}

static void note_error(struct phase_worker *w, enum step step, enum client_outcome outcome, const struct reply *reply)
{
	static const char *const silent[CLIENT_OUTCOMES] = {[CLIENT_BROKEN] = "the connection broke",
	                                                    [CLIENT_TIMEOUT] = "no answer in time",
	                                                    [CLIENT_GARBLED] = "what came is not HTTP"};
	struct text code = TEXT("");

	if (outcome == CLIENT_ANSWERED) {
		w->silent = 0;
		(void)reply_text(reply->body, TEXT("\"code\":"), &code);
		if (w->error[0] == '\0')
			(void)snprintf(w->error, sizeof(w->error), "%s was answered with %d %.*s", step_name(step), reply->status,
			               (int)code.n, code.p);
	} else {
		w->silent++;
		if (w->error[0] == '\0' || w->silent >= SILENT_MAX)
			(void)snprintf(w->error, sizeof(w->error), "%s: %s%s%s", w->options->url, silent[outcome],
			               outcome == CLIENT_BROKEN ? ": " : "",
			               outcome == CLIENT_BROKEN ? client_trouble(w->client) : "");
	}
	if (w->phase->strict || w->silent >= SILENT_MAX)
		w->stopped = true;
}

static enum stats_counts counts_for(const struct phase_worker *w, const struct client_conn *c)
{
	bool due = c->due_us >= w->warm_us;
	bool within = c->end_us >= w->warm_us && (w->phase->duration_us == 0 || c->end_us < w->end_us);

	if (w->quota > 0) /* so many requests are the window */
		within = due;
	return (within ? STATS_RATE : STATS_WARMUP) | (due ? STATS_LATENCY : STATS_WARMUP);
}

static void answered(struct client_conn *c, enum client_outcome outcome, void *arg)
{
	struct phase_worker *w = arg;
	const struct phase *p = w->phase;
	enum step step = p->step_of != NULL ? p->step_of(p->arg, c->tag) : p->step;
	enum stats_counts counts = counts_for(w, c);
	bool ok = outcome == CLIENT_ANSWERED && c->reply.status >= 200 && c->reply.status < 300;
	int64_t latency = c->end_us - c->due_us;

	if (ok && p->take != NULL && !p->take(p->arg, c->tag, &c->reply))
		ok = false;
	if ((counts & STATS_RATE) != 0)
		w->stats->end_us = c->end_us;
	if (ok) {
		stats_ok(w->stats, step, counts, c->end_us, latency);
		w->silent = 0;
	} else {
		stats_error(w->stats, step, counts, c->end_us, latency, outcome, &c->reply);
		note_error(w, step, outcome, &c->reply);
	}
	fill(w, c->end_us);
}

/* A window of so many seconds is as long as it was meant to be, unless there was nothing more to ask for. */
static void end_window(struct phase_worker *w)
{
	struct stats *s = w->stats;

	if (w->phase->duration_us == 0 || w->quota > 0 || w->stopped)
		return;
	s->used_up = used_up(w);
	if (s->used_up)
		return;
	s->end_us = w->end_us;
	if (w->rate > 0) {
		int64_t first = due_before(w, w->warm_us);

		s->unsent = due_before(w, w->end_us) - (w->k > first ? w->k : first);
	}
}

static void *work(void *arg)
{
	struct phase_worker *w = arg;

	w->stats->begin_us = w->stats->end_us = w->warm_us;
	/* What is sent before the start would count as warm-up, also where there is none. */
	while (clock_elapsed_us() < w->start_us && client_turn(w->client, w->start_us))
		continue;
	for (;;) {
		int64_t now = clock_elapsed_us(), until = INT64_MAX;

		fill(w, now);
		if (client_busy(w->client) == 0 && !more(w, now))
			break;
		if (w->rate > 0 && more(w, now) && client_busy(w->client) < w->options->connections)
			until = w->start_us + w->k * 1000000 / w->rate;
		if (!client_turn(w->client, until)) {
			(void)snprintf(w->error, sizeof(w->error), "waiting for answers: %s", strerror(errno));
			w->stopped = true;
			break;
		}
	}
	end_window(w);
	(void)pthread_mutex_lock(&w->crew->lock);
	w->crew->running--;
	(void)pthread_cond_signal(&w->crew->ended);
	(void)pthread_mutex_unlock(&w->crew->lock);
	return NULL;
}

/* ---- the crew ---- */

/* The part of `whole` that worker i of n has. */
static int64_t share(int64_t whole, int64_t i, int64_t n)
{
	return whole / n + (i < whole % n ? 1 : 0);
}

static bool hire(struct phase_crew *crew, const struct bench_options *o, const struct phase *p, char error[CLI_ERROR_SIZE])
{
	int64_t start = clock_elapsed_us() + 1000, n = crew->count;
	/* What must not fail asks for less at once than a server ever turns away. */
	int64_t connections = p->strict && o->connections > SETUP_CONNECTIONS ? SETUP_CONNECTIONS : o->connections;

	for (int64_t i = 0; i < n; i++) {
		struct phase_worker *w = &crew->workers[i];
		struct client_config config = {.target = &o->at,
		                               .trust = o->trust,
		                               .connections = (int)share(connections, i, n),
		                               .timeout_us = o->timeout * 1000000,
		                               .done = answered,
		                               .arg = w};

		*w = (struct phase_worker){.phase = p,
		                           .options = o,
		                           .crew = crew,
		                           .index = i,
		                           .stride = n,
		                           .rate = p->rate > 0 && share(p->rate, i, n) == 0 ? 1 : share(p->rate, i, n),
		                           .quota = p->requests > 0 ? share(p->requests, i, n) : 0,
		                           .start_us = start,
		                           .warm_us = start + p->warmup_us,
		                           .end_us = start + p->warmup_us + p->duration_us};
		w->stopped = p->requests > 0 && w->quota == 0; /* fewer requests than threads */
		w->stats = stats_new();
		w->client = client_open(&config, error);
		if (w->client == NULL)
			return false;
	}
	return true;
}

static int64_t count_done(const struct phase_crew *crew)
{
	int64_t done = 0;

	for (int i = 0; i < crew->count; i++)
		done += atomic_load_explicit(&crew->workers[i].stats->done, memory_order_relaxed);
	return done;
}

/* Processor time of a process so far, in microseconds; -1 when it can't be told. */
static int64_t cpu_of(int64_t pid)
{
	char path[64], line[1024];
	FILE *f;
	const char *at;
	int64_t ticks[2], hertz = sysconf(_SC_CLK_TCK);
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	f = pid > 0 ? fopen(path, "re") : NULL;
	if (f == NULL)
		return -1;
	n = fread(line, 1, sizeof(line) - 1, f);
	(void)fclose(f);
	line[n] = '\0';
	at = strrchr(line, ')'); /* the name may have anything in it */
	for (int field = 3; at != NULL && field <= 14; field++)
		at = strchr(at + 1, ' ');
	for (int i = 0; i < 2; i++) {
		size_t digits = at != NULL ? strspn(at + 1, "0123456789") : 0;

		if (digits == 0 || !text_to_int((struct text){at + 1, digits}, 0, INT64_MAX / 1000000, &ticks[i]))
			return -1;
		at += 1 + digits;
	}
	return hertz > 0 ? (ticks[0] + ticks[1]) * 1000000 / hertz : -1;
}

static void watch(struct phase_crew *crew, const struct phase *p, bool quiet, int64_t *cpu_us)
{
	struct progress progress;
	int64_t before = 0, before_us = clock_elapsed_us(), start = before_us;
	int64_t cpu = p->warmup_us == 0 ? cpu_of(p->pid) : -1;
	int64_t all = p->requests > 0 ? p->requests : p->duration_us > 0 ? 0 : p->limit;

	progress_begin(&progress, quiet);
	(void)pthread_mutex_lock(&crew->lock);
	while (crew->running > 0) {
		struct timespec until;
		int64_t now, done;

		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PROGRESS_US * 1000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		(void)pthread_cond_timedwait(&crew->ended, &crew->lock, &until);
		now = clock_elapsed_us();
		if (cpu < 0 && now - start >= p->warmup_us)
			cpu = cpu_of(p->pid);
		if (crew->running == 0 || !progress_due(&progress, now))
			continue;
		done = count_done(crew);
		progress_line(&progress, all > 0 ? "%s: %lld s, %lld a second, %lld of %lld" : "%s: %lld s, %lld a second, %lld",
		              p->title, (long long)((now - start) / 1000000),
		              (long long)((done - before) * 1000000 / (now - before_us + 1)), (long long)done, (long long)all);
		before = done;
		before_us = now;
	}
	(void)pthread_mutex_unlock(&crew->lock);
	*cpu_us = cpu >= 0 ? cpu_of(p->pid) - cpu : 0;
	if (progress.drawn || clock_elapsed_us() - start > 1000000)
		progress_end(&progress, "%s: %lld in %lld ms", p->title, (long long)count_done(crew),
		             (long long)((clock_elapsed_us() - start) / 1000));
}

static bool start_all(struct phase_crew *crew, char error[CLI_ERROR_SIZE])
{
	crew->running = crew->count;
	for (int i = 0; i < crew->count; i++) {
		int failed = pthread_create(&crew->workers[i].id, NULL, work, &crew->workers[i]);

		if (failed == 0)
			continue;
		(void)snprintf(error, CLI_ERROR_SIZE, "cannot start a thread: %s", strerror(failed));
		(void)pthread_mutex_lock(&crew->lock);
		crew->running -= crew->count - i;
		(void)pthread_mutex_unlock(&crew->lock);
		crew->count = i; /* the others end by themselves */
		return false;
	}
	return true;
}

bool phase_run(const struct bench_options *o, const struct phase *p, struct stats *total, char error[CLI_ERROR_SIZE])
{
	struct phase_crew crew = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER, .count = (int)o->threads};
	int hired = crew.count;
	int64_t cpu_us = 0;
	bool ok;

	crew.workers = mem_zero((size_t)crew.count * sizeof(*crew.workers));
	ok = hire(&crew, o, p, error);
	if (ok) {
		ok = start_all(&crew, error);
		watch(&crew, p, o->quiet, &cpu_us);
		for (int i = 0; i < crew.count; i++)
			(void)pthread_join(crew.workers[i].id, NULL); /* fails for no thread that was started */
	}
	for (int i = 0; i < hired; i++) {
		struct phase_worker *w = &crew.workers[i];

		if (ok && total != NULL)
			stats_merge(total, w->stats);
		if (ok && w->stopped && w->error[0] != '\0') {
			(void)snprintf(error, CLI_ERROR_SIZE, "%s", w->error);
			ok = false;
		}
		client_close(w->client);
		stats_free(w->stats);
	}
	if (total != NULL)
		total->cpu_us = cpu_us;
	free(crew.workers);
	return ok;
}
