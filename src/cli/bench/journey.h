/* journey.h: `jari bench onsale`: a sale rehearsed by many guests (guest.h), and what came of it.
 *
 * Guests share the connections: each request has an instant at which it is due, goes out on a free connection, and is timed from
 * when it was due.
 * Ownership: journey_free frees what the outcome has; *total is the caller's. Threads: --threads workers, each with its part of
 * the guests. Errors: false with a line. */
#ifndef JARI_CLI_BENCH_JOURNEY_H
#define JARI_CLI_BENCH_JOURNEY_H

#include "cli/bench/guest.h"

struct journey_moment {
	int64_t waiting, active, sold, joined;
};

struct journey {
	int64_t users, total_seats, sold, capacity;
	int64_t sold_out_us;     /* when the last seat was paid, from the start; -1: not */
	int64_t nothing_left_us; /* when somebody first found no seat to choose; -1: nobody */
	int64_t longest_wait_us, longest_wait_number;
	int64_t inversions, inverted_number, inverted_frontier;
	int64_t ends[GUEST_ENDS];
	struct histogram wait;
	struct journey_moment *moments; /* one a second */
	size_t moment_count;
	bool stopped; /* at the limit */
};

bool journey_run(const struct bench_options *o, struct api *api, struct stats *total, struct journey *out,
                 char error[CLI_ERROR_SIZE]);
void journey_free(struct journey *j);

#endif
