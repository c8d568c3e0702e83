/* phase.h: one kind of request, again and again, at a steady load: what sets a measurement up, and the measurement itself.
 *
 * Requests are numbered from 0. Closed loop: each connection sends its next request when it has its answer. Open loop (a rate):
 * request k is due at a fixed time and its latency counts from then, whether or not a connection was free, so a server that
 * stalls does not look fast for being asked less (coordinated omission). Ownership: everything stays the caller's; *total gets
 * what was counted. Threads: write and take are called from the workers, each number once. Errors: false with a line. */
#ifndef JARI_CLI_BENCH_PHASE_H
#define JARI_CLI_BENCH_PHASE_H

#include "cli/bench/options.h"
#include "cli/bench/stats.h"

struct phase {
	const char *title; /* for the progress line */
	enum step step;
	int64_t requests;               /* to measure; 0: by duration */
	int64_t warmup_us, duration_us; /* duration 0: until the requests or the limit are used up */
	int64_t rate;                   /* a second; 0: closed loop */
	int64_t limit;                  /* requests that there are; 0: any number */
	bool strict;                    /* an error ends it */
	int64_t pid;                    /* whose processor time is taken over the measurement; 0: nobody's */
	size_t (*write)(const void *arg, int64_t number, char *out);
	/* False: the answer is not what it should be. May be NULL. */
	bool (*take)(void *arg, int64_t number, const struct reply *reply);
	void *arg;
};

bool phase_run(const struct bench_options *o, const struct phase *p, struct stats *total, char error[CLI_ERROR_SIZE]);
/* Lets the process have as many open files as the connections need. */
bool phase_raise_files(int64_t connections, char error[CLI_ERROR_SIZE]);

#endif
