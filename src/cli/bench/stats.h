/* stats.h: what a load generator counts: for each step a histogram of latencies, errors by code, and a row for each second.
 *
 * Ownership: stats_free frees. Threads: each worker counts in its own; `done` and `problems` may be read by another thread for
 * the progress line; stats_merge when the workers have ended. Errors: none; what there is no room for (codes, seconds) is counted
 * together. */
#ifndef JARI_CLI_BENCH_STATS_H
#define JARI_CLI_BENCH_STATS_H

#include "base/text.h"
#include "base/histogram.h"
#include "cli/bench/http_client.h"
#include <stdatomic.h>
#include <stdbool.h>

enum step {
	STEP_JOIN,
	STEP_POLL,
	STEP_DATES,
	STEP_SEATS,
	STEP_HOLD,
	STEP_CHARGE,
	STEP_PAY,
	STEP_LEAVE,
	STEP_REQUEST, /* any other request */
	STEPS
};
const char *step_name(enum step step);

#define STATS_CODE_SIZE 32
#define STATS_ERRORS_MAX 64
#define STATS_SECONDS_MAX 7200

/* One kind of error: the code of the problem document, "CONNECTION", "TIMEOUT", "NOT_HTTP", or "HTTP". */
struct stats_error {
	enum step step;
	int status; /* 0: no answer */
	char code[STATS_CODE_SIZE];
	int64_t count;
};

struct stats_second {
	int64_t done[STEPS]; /* answers with success */
	int64_t errors;
	int64_t admitted;         /* people */
	struct histogram latency; /* of all steps, coarse */
};

/* What an answer counts for. A measurement has a window: how many a second is what was answered in it; how long it took is told of what was due in
 * it, also where the answer came later: leaving that out would leave out the slowest. */
enum stats_counts { STATS_WARMUP = 0, STATS_RATE = 1, STATS_LATENCY = 2, STATS_ALL = STATS_RATE | STATS_LATENCY };

struct stats {
	int64_t begin_us, end_us; /* the window */
	struct histogram latency[STEPS],
	    success; /* of answers that were due in the window; `success`: of all steps, without those refused */
	int64_t ok[STEPS], refused[STEPS]; /* answers in the window; what was never answered is in errors alone */
	int64_t unsent; /* requests of a rate that were due in the window, and found no connection free in it */
	bool used_up;   /* there was nothing more to ask for before the window was over */
	struct stats_error errors[STATS_ERRORS_MAX];
	size_t error_count;
	int64_t errors_left_out;
	struct stats_second *seconds[STATS_SECONDS_MAX];
	int64_t cpu_us;                                      /* processor time of the server over the measurement; 0: not known */
	_Atomic int64_t done, problems;                      /* so far, the warm-up included */
	_Atomic int64_t joined, waiting, active, sold, left; /* people and seats, of a rehearsal */
};

struct stats *stats_new(void);
void stats_free(struct stats *s);
/* An answer with success; `latency_us` from when it was due. */
void stats_ok(struct stats *s, enum step step, enum stats_counts counts, int64_t now_us, int64_t latency_us);
/* An answer that is an error, or none: then `reply` is NULL. It is told whatever it counts for, the warm-up's aside. */
void stats_error(struct stats *s, enum step step, enum stats_counts counts, int64_t now_us, int64_t latency_us,
                 enum client_outcome outcome, const struct reply *reply);
/* The row of that second; NULL past the last. */
struct stats_second *stats_second(struct stats *s, int64_t now_us);
void stats_merge(struct stats *into, const struct stats *from);
int64_t stats_answers(const struct stats *s); /* with success, of all steps */
int64_t stats_problems(const struct stats *s);
/* Whether anything is to be told of a step. */
bool stats_has(const struct stats *s, enum step step);
/* Measured seconds that have a row. */
size_t stats_second_count(const struct stats *s);
/* `count` a second over what was measured. */
int64_t stats_per_second(const struct stats *s, int64_t count);

#endif
