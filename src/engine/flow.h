/* flow.h: how fast a line moves: how many of those who waited are let in a second.
 *
 * Let in are sometimes a hundred a second and sometimes one a minute. So the rate is that of the shortest stretch of the past in which enough were
 * let in for it to mean something, and of all the past there is, ten minutes at most, where there were few. Who came and did not have to wait is
 * nothing that a line could move by: at an opening it says nothing of when the next will have their turn. While nobody waits, or a queue is
 * paused, nothing is measured, and the line that forms afterwards is measured from its beginning.
 *
 * Ownership: the caller's; all zeros begins. Thread: one at a time. Milliseconds. Errors: none. */
#ifndef JARI_ENGINE_FLOW_H
#define JARI_ENGINE_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#define FLOW_SAMPLE_MS 5000
#define FLOW_SAMPLES 121                   /* with the one at each end: ten minutes */
#define FLOW_ENOUGH 20                     /* let in … */
#define FLOW_LEAST_MS (2 * FLOW_SAMPLE_MS) /* … and so long a stretch are enough */

struct flow {
	struct {
		int64_t at, let_in;
	} samples[FLOW_SAMPLES]; /* a ring */
	int64_t count;           /* taken since it was begun; sample i is at i % FLOW_SAMPLES */
	double rate;             /* a second; 0: unknown */
};

/* Takes a sample when it is time for one. `let_in`: how many of those who waited have been let in, ever. `line`: somebody waits and may be let in. */
void flow_note(struct flow *f, int64_t now, int64_t let_in, bool line);

#endif
