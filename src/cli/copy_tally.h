/* copy_tally.h: what `jari copy` knows of the rows that went by: how many of each kind, in which states, what they sum up to, and a digest of every
 * field. Two stores that export the same rows in the same order have the same tally.
 *
 * Ownership: everything is in the struct. Threads: one tally, one thread. Errors: none; a sum that is too large stays at the largest number. */
#ifndef JARI_CLI_COPY_TALLY_H
#define JARI_CLI_COPY_TALLY_H

#include "store/store.h"

#define COPY_STATES 6

/* A zeroed one is empty. */
struct copy_tally {
	struct {
		int64_t rows, sum;
		int64_t in_state[COPY_STATES];
		uint64_t digest;
	} of[CORE_LIST_USER_NAMED]; /* by kind */
};

void copy_tally_add(struct copy_tally *t, enum core_kind kind, const void *row);
/* All rows. */
int64_t copy_tally_rows(const struct copy_tally *t);
/* A line for each kind on standard output. */
void copy_tally_print(const struct copy_tally *t);
/* A line on standard output for each kind that differs; how many do. */
int copy_tally_differ(const struct copy_tally *source, const struct copy_tally *copy);

#endif
