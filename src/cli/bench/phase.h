/* phase.h: one kind of request, again and again, at a steady load: what sets a measurement up, and the measurement itself.
 *
 * Requests are numbered from 0. Closed loop: each connection sends its next request when it has its answer. Open loop (a rate):
 * request k is due at a fixed time and its latency counts from then, whether or not a connection was free, so a server that
 * stalls does not look fast for being asked less (coordinated omission). What is measured is a window, from the end of the warm-up for the duration, or
 * until the last of so many requests is answered. How many a second is what was answered in it; how long it took is told of the requests that were due in
 * it. A rate that is too high makes both tell of one load: what was due in the warm-up and could not be sent in it is not sent any more, and what was due
 * in the window and never sent is counted. Ownership: everything stays the caller's; *total gets
 * what was counted. Threads: write and take are called from the workers, each number once. Errors: false with a line. */
#ifndef JARI_CLI_BENCH_PHASE_H
#define JARI_CLI_BENCH_PHASE_H

#include "cli/bench/options.h"
#include "cli/bench/stats.h"

struct phase {
	const char *title; /* for the progress line */
	enum step step;
	enum step (*step_of)(const void *arg, int64_t number); /* NULL: each is a `step` */
	int64_t requests;                                      /* to measure; 0: by duration */
	int64_t warmup_us, duration_us;                        /* duration 0: until the requests or the limit are used up */
	int64_t rate;                                          /* a second; 0: closed loop */
	int64_t limit;                                         /* requests that there are; 0: any number */
	bool strict;                                           /* an error ends it */
	int64_t pid; /* whose processor time is taken over the measurement; 0: nobody's */
	/* 0: that one is left out. */
	size_t (*write)(const void *arg, int64_t number, char *out);
	/* False: the answer is not what it should be. May be NULL. */
	bool (*take)(void *arg, int64_t number, const struct reply *reply);
	void *arg;
};

bool phase_run(const struct bench_options *o, const struct phase *p, struct stats *total, char error[CLI_ERROR_SIZE]);
/* Lets the process have as many open files as the connections need. */
bool phase_raise_files(int64_t connections, char error[CLI_ERROR_SIZE]);

#endif
