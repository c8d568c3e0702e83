/* look.c: what anyone may look at, answered from the read model. See engine.h. */
#include "engine/internal.h"

#include "base/rng.h"

#include <string.h>

#define RETRY_MIN_S 1
#define RETRY_MAX_S 60     /* and at most half of the time after which the silent are passed over */
#define RETRY_PLACES 100   /* places in line for each further second between two polls ... */
#define RETRY_PATIENT_S 10 /* ... up to this */
#define RETRY_ACTIVE_S 10
#define RETRY_ENDED_S 60
#define ETA_MAX_S 86400
#define EXPECTED_AHEAD 100000 /* numbers above the last known one that other processes may have issued meanwhile */

/* A quarter up or down, different for each ticket and each second, so that pollers do not march in step. */
static int64_t jitter(int64_t seconds, int64_t number, int64_t now)
{
	int64_t spread = seconds / 2 + 1;
	int64_t jittered = seconds - spread / 2 + rng_below(rng_at((uint64_t)(now / 1000), (uint64_t)number), spread + 1);
	return jittered < RETRY_MIN_S ? RETRY_MIN_S : jittered;
}

/* The integer square root, by Newton's method. */
static int64_t root(int64_t v)
{
	int64_t r = v;
	for (int64_t next = v / 2 + 1; next < r; next = (r + v / r) / 2)
		r = next;
	return r;
}

/* With N waiting and a budget of B polls a second, who is at place p asks every 2 sqrt(pN) / B seconds: the front often, the back seldom, and
 * all together B times a second, since the sum of B / (2 sqrt(pN)) over p = 1 .. N is B. */
static int64_t poll_interval(const struct engine *e, int64_t ahead, int64_t waiting)
{
	int64_t budget = e->config.poll_budget > 0 ? e->config.poll_budget : JARI_POLL_BUDGET_DEFAULT;
	int64_t most = e->config.waiting_idle_ms > 0 ? e->config.waiting_idle_ms / 2000 : RETRY_MAX_S;
	int64_t s = 2 * root((ahead + 1) * waiting) / budget;
	int64_t patience =
	    RETRY_MIN_S + ahead / RETRY_PLACES; /* nobody far back needs to look every second, however few they are */
	if (patience > RETRY_PATIENT_S)
		patience = RETRY_PATIENT_S;
	if (s < patience)
		s = patience;
	most = most > RETRY_MAX_S ? RETRY_MAX_S : most;
	s = s > most ? most : s;
	return s < RETRY_MIN_S ? RETRY_MIN_S : s;
}

static int64_t retry_after(const struct engine *e, const struct model_queue *q, const struct engine_ticket *t, int64_t now)
{
	if (t->ticket.status == CORE_EXPIRED)
		return RETRY_ENDED_S;
	if (t->ticket.status == CORE_ACTIVE)
		return RETRY_ACTIVE_S;
	int64_t s = jitter(poll_interval(e, t->ahead, q->row.waiting + q->row.passed), t->ticket.number, now);
	int64_t idle_s = e->config.waiting_idle_ms / 1000;
	if (idle_s > 0 && s >= idle_s) /* the jitter of a short interval must not reach it */
		s = idle_s - 1;
	return s < RETRY_MIN_S ? RETRY_MIN_S : s;
}

static int64_t eta(const struct model_queue *q, const struct engine_ticket *t)
{
	if (t->ticket.status != CORE_WAITING)
		return 0;
	if (q->flow.rate <= 0 || q->row.paused)
		return -1;
	double s = (double)(t->ahead + 1) / q->flow.rate;
	return s > ETA_MAX_S ? ETA_MAX_S : (int64_t)s + 1;
}

static void ticket_row(const struct model_queue *q, int64_t number, const struct model_ticket *t, struct core_ticket *out)
{
	*out = (struct core_ticket){
	    .queue_id = q->row.queue_id,
	    .number = number,
	    .user_id = t->user->user_id,
	    .status = t->status,
	    .reason = t->reason,
	    .issued_at = t->issued_at,
	    .expires_at = t->expires_at,
	};
}

bool engine_look_ticket(struct engine *e, int64_t queue_id, int64_t number, int64_t now, struct engine_ticket *out)
{
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_queue *q = model_id_get(&e->model.queues, queue_id);
	struct model_ticket *t = q ? model_ticket_at(q, number) : NULL;
	if (t) {
		struct core_ticket row;
		ticket_row(q, number, t, &row);
		out->ticket = core_ticket_at(&row, now);
		if (out->ticket.status == CORE_WAITING)
			model_hear(&e->model, q, t, number, now);
		out->username_len = t->user->name_len;
		memcpy(out->username, t->user->name, t->user->name_len);
		out->username[t->user->name_len] = 0;
		out->ahead = out->ticket.status == CORE_WAITING ? model_ahead(q, number) : 0;
		out->queue_paused = q->row.paused;
		out->eta_seconds = eta(q, out);
		out->retry_after_seconds = retry_after(e, q, out, now);
	}
	(void)pthread_rwlock_unlock(&e->model.lock);
	return t != NULL;
}

bool engine_look_auth(struct engine *e, int64_t queue_id, int64_t number, struct core_ticket *out)
{
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_queue *q = model_id_get(&e->model.queues, queue_id);
	const struct model_ticket *t = q ? model_ticket_at(q, number) : NULL;
	if (t)
		ticket_row(q, number, t, out);
	(void)pthread_rwlock_unlock(&e->model.lock);
	return t != NULL;
}

bool engine_expects_ticket(struct engine *e, int64_t queue_id, int64_t number)
{
	if (!e->shared)
		return false;
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_queue *q = model_id_get(&e->model.queues, queue_id);
	/* also of the chunk that was forgotten last: others may have issued it (model.c) */
	bool expected = q && !model_ticket_at(q, number) && number > (q->chunk_first - 1) * MODEL_CHUNK &&
	                number <= q->row.last_number + EXPECTED_AHEAD;
	(void)pthread_rwlock_unlock(&e->model.lock);
	if (expected)
		follow_soon(e);
	return expected;
}

bool engine_look_user(struct engine *e, int64_t user_id, struct arena *arena, struct core_user *out)
{
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_user *u = model_user_find(&e->model, user_id);
	if (u) {
		*out = (struct core_user){
		    .user_id = u->user_id,
		    .name = arena_text(arena, (struct text){u->name, u->name_len}),
		    .balance = u->balance,
		};
	}
	(void)pthread_rwlock_unlock(&e->model.lock);
	return u != NULL;
}

static void copy_concert(struct arena *arena, const struct core_concert *from, struct core_concert *to)
{
	*to = *from;
	to->title = arena_text(arena, from->title);
	to->artist = arena_text(arena, from->artist);
	to->venue = arena_text(arena, from->venue);
}

void engine_look_concerts(struct engine *e, struct arena *arena, struct core_concert **out, size_t *n)
{
	*n = 0;
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_ids *ids = &e->model.concerts;
	*out = arena_alloc(arena, (size_t)(ids->n + 1) * sizeof **out);
	for (int64_t i = 0; i < ids->n; i++) {
		if (ids->p[i])
			copy_concert(arena, &((const struct model_concert *)ids->p[i])->row, &(*out)[(*n)++]);
	}
	(void)pthread_rwlock_unlock(&e->model.lock);
}

bool engine_look_concert(struct engine *e, int64_t concert_id, struct arena *arena, struct core_concert *out)
{
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_concert *c = model_id_get(&e->model.concerts, concert_id);
	if (c)
		copy_concert(arena, &c->row, out);
	(void)pthread_rwlock_unlock(&e->model.lock);
	return c != NULL;
}

void model_show_view(const struct model_show *s, int64_t now, struct engine_show *out)
{
	int64_t lapsed_seats;
	out->show = s->row;
	out->state = s->state;
	out->show.version += model_lapsed(s, now, &lapsed_seats);
	out->held = s->held - lapsed_seats;
	out->sold = s->sold;
	out->available = s->row.total_seats - out->held - out->sold;
	out->revenue = s->revenue;
}

void engine_look_shows(struct engine *e, int64_t concert_id, int64_t now, struct arena *arena, struct engine_show **out,
                       size_t *n)
{
	*n = 0;
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_concert *c = model_id_get(&e->model.concerts, concert_id);
	*out = arena_alloc(arena, (size_t)(c ? c->show_count + 1 : 1) * sizeof **out);
	for (int64_t i = 0; c && i < c->show_count; i++)
		model_show_view(c->shows[i], now, &(*out)[(*n)++]);
	(void)pthread_rwlock_unlock(&e->model.lock);
}

void engine_look_all_shows(struct engine *e, int64_t now, struct arena *arena, struct engine_show **out, size_t *n)
{
	*n = 0;
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_ids *ids = &e->model.shows;
	*out = arena_alloc(arena, (size_t)(ids->n + 1) * sizeof **out);
	for (int64_t i = 0; i < ids->n; i++) {
		if (ids->p[i])
			model_show_view(ids->p[i], now, &(*out)[(*n)++]);
	}
	(void)pthread_rwlock_unlock(&e->model.lock);
}

bool engine_look_show(struct engine *e, int64_t show_id, int64_t now, struct engine_show *out)
{
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_show *s = model_id_get(&e->model.shows, show_id);
	if (s)
		model_show_view(s, now, out);
	(void)pthread_rwlock_unlock(&e->model.lock);
	return s != NULL;
}

bool engine_look_seats(struct engine *e, int64_t show_id, int64_t now, struct arena *arena, struct engine_show *show,
                       struct core_seat **out, size_t *n)
{
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_show *s = model_id_get(&e->model.shows, show_id);
	if (s) {
		model_show_view(s, now, show);
		*n = (size_t)s->seat_count;
		*out = arena_alloc(arena, (*n + 1) * sizeof **out);
		for (size_t i = 0; i < *n; i++) {
			const struct model_seat *seat = &s->seats[i];
			(*out)[i] = (struct core_seat){
			    .show_id = show_id,
			    .seat_number = seat->number,
			    .section = s->sections[seat->section],
			    .price = seat->price,
			    .status = core_seat_at(seat->status, seat->held_until, now),
			};
		}
	}
	(void)pthread_rwlock_unlock(&e->model.lock);
	return s != NULL;
}

void engine_look_queues(struct engine *e, struct arena *arena, struct core_queue **out, size_t *n)
{
	*n = 0;
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_ids *ids = &e->model.queues;
	*out = arena_alloc(arena, (size_t)(ids->n + 1) * sizeof **out);
	for (int64_t i = 0; i < ids->n; i++) {
		const struct model_queue *q = ids->p[i];
		if (!q)
			continue;
		(*out)[*n] = q->row;
		(*out)[*n].name = arena_text(arena, q->row.name);
		++*n;
	}
	(void)pthread_rwlock_unlock(&e->model.lock);
}
