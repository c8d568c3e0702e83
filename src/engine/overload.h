/* overload.h: when the line in front of a thread is too long for who comes next.
 *
 * The committer takes up to a batch of commands at once, the reader one read. Both note how long such a round took. Who comes is told at once to
 * come back later when the wait would pass a bound: the rounds ahead, each as long as rounds have been lately; or, when the thread stands still,
 * as long as the first in line has waited already. So what is let in is answered within about the bound, and what is not costs next to nothing.
 *
 * What fits into the next round is let in whatever the estimate: a pause of the disk with a short line is no overload, and without
 * rounds nothing would ever correct an estimate that is too high.
 * Not everybody is turned away at the same bound: see engine_patience.
 * Ownership: a struct overload is its thread's, which alone notes. Threads: asking, any; monotonic microseconds. Errors: none. */
#ifndef JARI_ENGINE_OVERLOAD_H
#define JARI_ENGINE_OVERLOAD_H

#include <stdatomic.h>
#include <stdint.h>

struct overload {
	int64_t at_once; /* how much the thread takes in one round */
	int64_t beyond;  /* rounds between what is taken and its answer: a batch is made durable while the next is decided */
	_Atomic int64_t round_us;
};

/* A round took `took_us` for `n` pieces of work. Only full rounds tell how long a full round is, and slow ones of any size. */
void overload_note(struct overload *o, int64_t n, int64_t took_us);
/* How long who comes now would wait for an answer, behind `waiting` others of whom the first has waited `first_us`. 0 when there is room in the next
 * round. */
int64_t overload_wait_us(const struct overload *o, int64_t waiting, int64_t first_us);

#endif
