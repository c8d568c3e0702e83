/* gather.h: whether a batch for a shared store waits for more commands.
 *
 * With a shared store a batch costs its round trips and its commit whatever its size, and the processes' commits wait for each other. Who has just
 * been answered asks again soon. The first of them would get a batch of its own, and the others would wait for that. So a batch waits until
 * there are as many as were answered last and as were there then; but not when nobody comes, and not for long.
 * Who asks alone never waits, nor does who comes after a pause.
 *
 * Ownership: the caller's. Thread: the committer's. Monotonic microseconds. Errors: none. */
#ifndef JARI_ENGINE_GATHER_H
#define JARI_ENGINE_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#define GATHER_US 600         /* how long a batch waits at most */
#define GATHER_STEP_US 50     /* it goes on only while at least one more has come in a step */
#define GATHER_RECENT_US 3000 /* who was answered longer ago is not waited for */

struct gather {
	int64_t awaited; /* when there are so many, the wait is over; at most JARI_BATCH_MAX */
	int64_t ended_us;
	int64_t had;
	int64_t until_us;
};

/* A batch has ended in which `answered` commands were, and `waiting` have come meanwhile. */
struct gather gather_after(int64_t answered, int64_t waiting, int64_t ended_us);
/* The first command of the next batch is there. */
void gather_begin(struct gather *g, int64_t now_us);
/* Whether to wait another step, now that there are `count` commands; asked again after each step. */
bool gather_goes_on(struct gather *g, int64_t count, int64_t now_us);

#endif
