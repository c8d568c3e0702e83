/* follower.c: what other processes have committed to a shared store, into the read model.
 *
 * A thread waits until there may be something, and says so to the committer, which asks for the rows between two batches. So each row is as it was
 * at an instant between own commits, and as rows travel to the read model with the flights (syncer.c), in their order, neither an own row nor
 * another's is ever overwritten by an older one. */
#include "engine/internal.h"

#include "base/log.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

#define WATCH_MS 250   /* how long one wait lasts, and so how long closing waits for the thread */
#define FOLLOW_MS 1000 /* not every commit is told of: look this often anyway */
#define GAP_MS 50      /* between two looks, however much there is; each costs the committer a round trip */
#define RETRY_MS 250   /* after a look that the store could not answer */

/* ---- the thread ---- */

static bool tell(struct engine *e, bool due)
{
	(void)pthread_mutex_lock(&e->inbox_lock);
	bool closed = e->inbox_closed;
	if (due && !e->follow_due) {
		e->follow_due = true;
		(void)pthread_cond_signal(&e->inbox_filled);
	}
	(void)pthread_mutex_unlock(&e->inbox_lock);
	return closed;
}

void follow_soon(struct engine *e)
{
	(void)tell(e, true);
}

void *follower_run(void *arg)
{
	struct engine *e = arg;
	thread_is_called("follower");
	bool due = false;
	while (!tell(e, due))
		due = store_watch(e->config.store, WATCH_MS) == STORE_OK;
	return NULL;
}

/* ---- the committer's side ---- */

static void keep_texts(struct arena *a, enum core_kind kind, void *row)
{
	if (kind == CORE_ROW_USER) {
		struct core_user *u = row;
		u->name = arena_text(a, u->name);
	} else if (kind == CORE_ROW_QUEUE) {
		struct core_queue *q = row;
		q->name = arena_text(a, q->name);
	} else if (kind == CORE_ROW_CONCERT) {
		struct core_concert *c = row;
		c->title = arena_text(a, c->title);
		c->artist = arena_text(a, c->artist);
		c->venue = arena_text(a, c->venue);
	} else if (kind == CORE_ROW_SEAT) {
		struct core_seat *s = row;
		s->section = arena_text(a, s->section);
	} else if (kind == CORE_ROW_RESERVATION) {
		struct core_reservation *r = row;
		r->seats = r->seat_count ? arena_copy(a, r->seats, (size_t)r->seat_count * sizeof *r->seats) : NULL;
	}
}

static bool gather_row(void *arg, enum core_kind kind, const void *row)
{
	struct core_rows *rows = arg;
	struct core_id id = core_id_of(kind, row);
	struct core_row *known = core_row_find(rows, kind, id.a, id.b, id.s);
	if (known)
		memcpy(known->now, row, core_kind_size(kind));
	else
		known = core_row_create(rows, kind, row);
	keep_texts(rows->arena, kind, known->now);
	return true;
}

enum store_result follow_gather(struct engine *e, struct core_rows *rows)
{
	return store_follow(e->config.store, gather_row, rows);
}

static enum store_result read_anew(struct engine *e, struct flight *f)
{
	struct model *fresh = mem_alloc(sizeof *fresh);
	model_init(fresh);
	fresh->began_ms = e->model.began_ms;
	enum store_result r = model_load(fresh, e->config.store, f->now);
	if (r == STORE_OK) {
		f->rows = (struct core_rows){0};
		f->fresh = fresh;
		log_event(LOG_WARN, "store_read_anew", "reason", "%s", "what was seen is not the past of what is there now");
	} else {
		model_free(fresh);
		free(fresh);
	}
	return r;
}

bool follow_when_due(struct engine *e, struct following *following, struct flight *f)
{
	if (!e->shared || clock_elapsed_us() < following->at_us)
		return false;
	arena_reset(&f->arena);
	core_rows_init(&f->rows, &f->arena, 256);
	f->now = clock_now(e->config.clock);
	enum store_result r = following->anew ? STORE_CONFLICT : follow_gather(e, &f->rows);
	if (r == STORE_CONFLICT) {
		atomic_store(&e->behind, true);
		r = read_anew(e, f);
		following->anew = r != STORE_OK; /* a scan that was cut off counts for nothing */
		atomic_store(&e->behind, following->anew);
	}
	following->last_us = clock_elapsed_us();
	following->at_us = following->last_us + (r == STORE_OK ? FOLLOW_MS : RETRY_MS) * 1000;
	return true;
}

int64_t follow_wake_us(struct engine *e, struct following *following)
{
	if (!e->shared)
		return INT64_MAX;
	int64_t soon = following->last_us + GAP_MS * 1000;
	if (e->follow_due && soon < following->at_us)
		following->at_us = soon;
	e->follow_due = false;
	return following->at_us;
}
