/* sale.h: a short sale on a SQLite store whose disk may fail: every kind of command, one at a time, each made durable before it counts as told.
 *
 * What a store must hold is known at each moment as the sum of a digest of every row. It is kept in memory that is shared with the parent, so that
 * it is known when the process has been ended in the middle.
 *
 * A failure that is the store's own fault ends the process with SALE_WRONG and a line on standard error. */
#ifndef JARI_TESTS_STORE_SALE_H
#define JARI_TESTS_STORE_SALE_H

#include "core/core.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SALE_WRONG 3
#define SALE_LEAKS 4

/* How far it came. The digests are those of all rows. */
struct sale_told {
	uint64_t committed; /* what the store holds: as the last commit that it took has left it */
	uint64_t
	    maybe; /* or this: a commit is under way, or the disk has refused the last one, which may be there all the same */
	uint64_t durable; /* what had been told when it was last made durable */
	int64_t clock;    /* the instant of that */
	int64_t commits, refusals;
	bool opened, finished;
};

struct sale {
	struct store *store;
	struct world *world; /* what commands are decided in (unit/core_world.h) */
	struct sale_told *told;
	char url[340];
	int64_t at, committed_at;        /* the last instant that something was tried at, and that something was committed at */
	struct core_reply ann, bob, cid; /* their tickets */
	int64_t concert_id, show_id;
	int tries;                /* how often a command is tried before everything is given up */
	bool keeps_log;           /* it is not moved into the file */
	bool given_up;            /* the store takes nothing any more */
	void (*after)(void *arg); /* called when something was told, before the log is moved; may be NULL */
	void *after_arg;
	bool marks;        /* the journal gets a mark for each commit begun, and for each that was told */
	uint64_t *digests; /* of each commit, when it marks; room for SALE_COMMITS_MAX */
};
#define SALE_COMMITS_MAX 128

/* Marks in the journal: 2 k when commit k begins, 2 k + 1 when it was told. The empty store is commit 0. */
#define SALE_MARK_BEGUN(k) (2 * (int64_t)(k))
#define SALE_MARK_TOLD(k) (2 * (int64_t)(k) + 1)

/* The sum of the digests of all rows of an open store. */
enum store_result sale_digest(struct store *s, uint64_t *out);

/* Opens the store; false when the disk does not let it. */
bool sale_open(struct sale *s, const char *path, struct sale_told *told);
void sale_close(struct sale *s);
/* The store must hold what was committed, and nothing else. */
void sale_check(struct sale *s);

/* Opens a store again that has been closed or cut off, on a disk that is well: it holds exactly one of the given contents, its clock has not run
 * backwards, the audit passes, the file is intact, and it takes one more command. Else false, with a line in `why`. */
#define SALE_WHY_SIZE 700
/* Writes why something is not as it must be. Always false. */
bool sale_no(char why[SALE_WHY_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));
bool sale_is_well(const char *path, const uint64_t *may_hold, size_t n, int64_t clock, char why[SALE_WHY_SIZE]);

/* Parts of the sale, in this order. Each goes on with what the others have left, also in another process. */
void sale_prepare(struct sale *s); /* a concert, three people, money */
void sale_sell(struct sale *s);    /* holds, payments, what lapses, changes; commits beside syncs */
void sale_move(struct sale *s); /* as much as moves the log into the file, with commits beside that, and begins it anew, twice */
void sale_meet(struct sale *s); /* three more people come, each told before the next */
void sale_look(struct sale *s); /* the scan, and a reader's pages */

#endif
