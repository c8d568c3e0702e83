/* hearing.c: being heard from at one process of a shared store counts at all of them.
 *
 * Each process tells who was heard from, a stretch of the line at a tick, all of it once in an eighth of the idle time, and reads what the others
 * have told. So nobody is known later than a quarter of the idle time after asking; who asks as told (at least once in half of it) is silent nowhere.
 * While a process can't read what the others tell, it calls nobody silent. */
#include "engine/internal.h"

#define PERIODS 8        /* of telling, in one idle time */
#define TRUSTED 4        /* what was read counts for this part of the idle time */
#define STRETCHES_MAX 64 /* told at once */

static void hear_other(void *arg, const struct store_heard *heard)
{
	struct engine *e = arg;
	model_heard_elsewhere(&e->model, heard, clock_now(e->config.clock));
}

void hearing_step(struct engine *e, struct hearing *hearing)
{
	struct store_heard own[STRETCHES_MAX];
	int64_t now_us = clock_elapsed_us();
	bool going = hearing->place.queue_id > 0 || hearing->place.chunk > 0;
	if (!e->shared || (!going && now_us < hearing->next_us))
		return;
	if (!going)
		hearing->next_us = now_us + e->config.waiting_idle_ms * 1000 / PERIODS;
	size_t n = model_heard_here(&e->model, &hearing->place, own, STRETCHES_MAX);
	if (store_hear(e->config.store, own, n, hear_other, e) == STORE_OK)
		hearing->read_us = now_us;
	else
		model_heard_untold(&e->model, own, n);
}

bool hearing_knows(const struct engine *e, const struct hearing *hearing)
{
	return !e->shared ||
	       (hearing->read_us > 0 && clock_elapsed_us() - hearing->read_us < e->config.waiting_idle_ms * 1000 / TRUSTED);
}
