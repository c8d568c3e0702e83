/* model.c: the read model's queues, tickets and users. See model.h. */
#include "engine/model.h"

#include "base/arena.h"
#include "base/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define USER_BUCKETS_MIN 1024
#define SILENT_STRETCH 65536 /* numbers that one search for the silent looks at */
#define FORGET_CHUNKS 64     /* chunks of a queue that one step looks at */

/* ---- things by id ---- */

void *model_id_get(const struct model_ids *ids, int64_t id)
{
	return id >= 0 && id < ids->n ? ids->p[id] : NULL;
}

void model_id_put(struct model_ids *ids, int64_t id, void *p)
{
	if (id >= ids->n) {
		int64_t n = ids->n ? ids->n : 16;
		while (n <= id)
			n *= 2;
		ids->p = mem_grow(ids->p, (size_t)n * sizeof *ids->p);
		memset(ids->p + ids->n, 0, (size_t)(n - ids->n) * sizeof *ids->p);
		ids->n = n;
	}
	ids->p[id] = p;
}

struct text model_text(struct text t)
{
	char *p = mem_alloc(t.n + 1);
	if (t.n)
		memcpy(p, t.p, t.n);
	p[t.n] = 0;
	return (struct text){p, t.n};
}

/* ---- users: in memory as long as one of their tickets is ---- */

static struct model_user **user_bucket(const struct model *m, int64_t user_id)
{
	uint64_t h = (uint64_t)user_id * 0x9e3779b97f4a7c15ULL;
	return &m->users[(h >> 32) & (m->user_buckets - 1)];
}

struct model_user *model_user_find(const struct model *m, int64_t user_id)
{
	struct model_user *u = *user_bucket(m, user_id);
	while (u && u->user_id != user_id)
		u = u->chain;
	return u;
}

static void grow_users(struct model *m)
{
	struct model_user **old = m->users;
	size_t buckets = m->user_buckets;
	m->user_buckets *= 2;
	m->users = mem_zero(m->user_buckets * sizeof *m->users);
	for (size_t i = 0; i < buckets; i++) {
		for (struct model_user *u = old[i], *next; u; u = next) {
			next = u->chain;
			struct model_user **to = user_bucket(m, u->user_id);
			u->chain = *to;
			*to = u;
		}
	}
	free(old);
}

static struct model_user *user_put(struct model *m, const struct core_user *row)
{
	struct model_user *u = model_user_find(m, row->user_id);
	if (!u) {
		if (m->user_count >= m->user_buckets)
			grow_users(m);
		u = mem_alloc(sizeof *u + row->name.n);
		*u = (struct model_user){.user_id = row->user_id, .name_len = (uint16_t)row->name.n};
		memcpy(u->name, row->name.p, row->name.n);
		struct model_user **to = user_bucket(m, row->user_id);
		u->chain = *to;
		*to = u;
		m->user_count++;
	}
	u->balance = row->balance;
	return u;
}

static void user_release(struct model *m, struct model_user *u)
{
	if (--u->refs > 0)
		return;
	struct model_user **at = user_bucket(m, u->user_id);
	while (*at != u)
		at = &(*at)->chain;
	*at = u->chain;
	m->user_count--;
	free(u);
}

/* ---- queues and tickets ---- */

static void queue_put(struct model *m, const struct core_queue *row)
{
	struct model_queue *q = model_id_get(&m->queues, row->queue_id);
	if (!q) {
		q = mem_zero(sizeof *q);
		q->row.name = model_text(row->name);
		model_id_put(&m->queues, row->queue_id, q);
	}
	struct text name = q->row.name;
	q->row = *row;
	q->row.name = name;
}

struct model_ticket *model_ticket_at(const struct model_queue *q, int64_t number)
{
	int64_t chunk = (number - 1) / MODEL_CHUNK;
	if (number < 1 || chunk >= q->chunk_count || !q->chunks[chunk])
		return NULL;
	struct model_ticket *t = &q->chunks[chunk][(number - 1) % MODEL_CHUNK];
	return t->user ? t : NULL;
}

/* NULL: it was forgotten. On a shared store a chunk may be forgotten before word has come of the tickets that others have issued in it: one that is
 * not over is taken all the same. */
static struct model_ticket *ticket_room(struct model_queue *q, int64_t number, bool over)
{
	int64_t chunk = (number - 1) / MODEL_CHUNK;
	if (chunk < q->chunk_first && over)
		return NULL;
	if (chunk < q->chunk_first)
		q->chunk_first = chunk;
	if (chunk >= q->chunk_count) {
		int64_t n = q->chunk_count ? q->chunk_count : 16;
		while (n <= chunk)
			n *= 2;
		q->chunks = mem_grow(q->chunks, (size_t)n * sizeof *q->chunks);
		memset(q->chunks + q->chunk_count, 0, (size_t)(n - q->chunk_count) * sizeof *q->chunks);
		q->chunk_count = n;
	}
	if (!q->chunks[chunk])
		q->chunks[chunk] = mem_zero(MODEL_CHUNK * sizeof **q->chunks);
	return &q->chunks[chunk][(number - 1) % MODEL_CHUNK];
}

uint32_t model_second(const struct model *m, int64_t now)
{
	return now > m->began_ms ? (uint32_t)((now - m->began_ms) / 1000) : 0;
}

/* The user of a ticket that is new here: known, or loaded with it. */
static struct model_user *ticket_user(struct model *m, const struct core_ticket *row, const struct core_rows *rows)
{
	struct model_user *user = model_user_find(m, row->user_id);
	const struct core_user *loaded =
	    rows && !user ? core_row_get(rows, CORE_ROW_USER, row->user_id, 0, (struct text){0}) : NULL;
	return loaded ? user_put(m, loaded) : user;
}

/* No token of it opens any more. */
static bool ticket_over(const struct core_ticket *row, int64_t now)
{
	return row->status == CORE_EXPIRED && !core_token_opens(row, now);
}

static void ticket_put(struct model *m, const struct core_ticket *row, const struct core_rows *rows)
{
	struct model_queue *q = model_id_get(&m->queues, row->queue_id);
	struct model_ticket *t = q ? ticket_room(q, row->number, ticket_over(row, m->now_ms)) : NULL;
	if (t && !t->user) {
		t->user = ticket_user(m, row, rows);
		if (t->user)
			t->user->refs++;
	}
	if (!t || !t->user)
		return;
	t->issued_at = row->issued_at;
	t->expires_at = row->expires_at;
	/* Who need not wait is let in at the instant of asking. */
	if (row->admitted_at > row->issued_at && (t->status == CORE_WAITING || t->status == CORE_PASSED) &&
	    row->status != CORE_WAITING && row->status != CORE_PASSED)
		q->let_in++;
	if (t->status != (uint8_t)row->status) /* new, admitted, back: it starts afresh */
		atomic_store_explicit(&t->heard_s, model_second(m, m->now_ms), memory_order_relaxed);
	/* Also when it is as it was: another process may have taken it back and passed it over anew before word of either came here, and what was
	 * asked came to nothing. Once too often does no harm. */
	atomic_store_explicit(&t->asked, MODEL_NOT_ASKED, memory_order_relaxed);
	t->status = (uint8_t)row->status;
	t->reason = (uint8_t)row->reason;
	if (row->status == CORE_WAITING)
		rank_set(&q->waiting, row->number);
	else
		rank_clear(&q->waiting, row->number);
}

/* The row of a queue says how many wait, as of the commit that it is of. When that is how many are in the line here, word has come of all. */
static void note_read(struct model_queue *q)
{
	if (q->row.waiting == q->waiting.members)
		q->read_to = q->row.last_number;
}

/* Those whom others have given a place, and of whom word has not come yet, are behind everybody of whom it has come without a gap, and before who has
 * just been given one. Who is among them may be told too many for a moment, never too few. */
int64_t model_ahead(const struct model_queue *q, int64_t number)
{
	int64_t ahead = rank_below(&q->waiting, number), missing = q->row.waiting - q->waiting.members;
	return number > q->read_to && missing > 0 ? ahead + missing : ahead;
}

struct model_concert *model_concert_room(struct model *m, int64_t concert_id)
{
	struct model_concert *c = model_id_get(&m->concerts, concert_id);
	if (!c) {
		c = mem_zero(sizeof *c);
		model_id_put(&m->concerts, concert_id, c);
	}
	return c;
}

static void concert_texts_free(struct model_concert *c)
{
	free((void *)c->row.title.p);
	free((void *)c->row.artist.p);
	free((void *)c->row.venue.p);
}

static void concert_put(struct model *m, const struct core_concert *row)
{
	struct model_concert *c = model_concert_room(m, row->concert_id);
	concert_texts_free(c);
	c->row = *row;
	c->row.title = model_text(row->title);
	c->row.artist = model_text(row->artist);
	c->row.venue = model_text(row->venue);
}

/* ---- as a whole ---- */

void model_init(struct model *m)
{
	*m = (struct model){.user_buckets = USER_BUCKETS_MIN};
	m->users = mem_zero(m->user_buckets * sizeof *m->users);
	pthread_rwlockattr_t attr;
	int rc = pthread_rwlockattr_init(&attr);
	/* a commit must not wait behind an endless stream of readers */
	rc |= pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	rc |= pthread_rwlock_init(&m->lock, &attr);
	rc |= pthread_rwlockattr_destroy(&attr);
	rc |= pthread_mutex_init(&m->back_lock, NULL);
	if (rc != 0)
		abort();
}

static void queue_free(struct model_queue *q)
{
	for (int64_t i = 0; i < q->chunk_count; i++)
		free(q->chunks[i]);
	free(q->chunks);
	rank_free(&q->waiting);
	free((void *)q->row.name.p);
	free(q);
}

void model_free(struct model *m)
{
	for (int64_t i = 0; i < m->queues.n; i++) {
		if (m->queues.p[i])
			queue_free(m->queues.p[i]);
	}
	for (int64_t i = 0; i < m->concerts.n; i++) {
		struct model_concert *c = m->concerts.p[i];
		if (!c)
			continue;
		concert_texts_free(c);
		free(c->shows);
		free(c);
	}
	for (int64_t i = 0; i < m->shows.n; i++) {
		if (m->shows.p[i])
			model_show_free(m->shows.p[i]);
	}
	for (size_t i = 0; i < m->user_buckets; i++) {
		for (struct model_user *u = m->users[i], *next; u; u = next) {
			next = u->chain;
			free(u);
		}
	}
	free(m->queues.p);
	free(m->concerts.p);
	free(m->shows.p);
	free(m->users);
	free(m->back);
	for (size_t i = 0; i < m->kept_count; i++)
		free((void *)m->kept[i].p);
	free(m->kept);
	(void)pthread_rwlock_destroy(&m->lock);
	(void)pthread_mutex_destroy(&m->back_lock);
}

static void row_put(struct model *m, enum core_kind kind, const void *row, const struct core_rows *rows)
{
	switch (kind) {
	case CORE_ROW_QUEUE:
		queue_put(m, row);
		break;
	case CORE_ROW_CONCERT:
		concert_put(m, row);
		break;
	case CORE_ROW_SHOW:
		model_show_put(m, row);
		break;
	case CORE_ROW_SEAT:
		model_seat_put(m, row);
		break;
	case CORE_ROW_RESERVATION:
		model_reservation_put(m, row);
		break;
	case CORE_ROW_USER:
		if (!rows || model_user_find(m, ((const struct core_user *)row)->user_id))
			(void)user_put(m, row);
		break;
	case CORE_ROW_TICKET:
		ticket_put(m, row, rows);
		break;
	default: /* the ledger, keys and the audit log are read from the store */
		break;
	}
}

/* A change of a show that another process has added, and that is not known here yet. It would be shown without its other seats and its concert: the
 * feed brings all of it. */
static bool is_part(const struct model *m, const struct core_row *row)
{
	return row->id.kind == CORE_ROW_SHOW && row->was && !model_id_get(&m->shows, row->id.a);
}

/* Between the last look at what others have committed and this commit others may have changed the same show. What they did is not known yet, so the
 * version that is shown grows by what this commit has changed alone: it names what is shown here. The feed brings theirs with the stored one. */
static void publish_show(struct model *m, const struct core_row *row)
{
	struct core_show shown = *(const struct core_show *)row->now;
	const struct core_show *was = row->was;
	const struct model_show *s = model_id_get(&m->shows, shown.show_id);
	if (s && was)
		shown.version = s->row.version + (shown.version - was->version);
	model_show_put(m, &shown);
}

void model_publish(struct model *m, const struct core_rows *rows, int64_t now)
{
	(void)pthread_rwlock_wrlock(&m->lock);
	m->now_ms = now;
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty) {
		if (!row->now || is_part(m, row))
			continue;
		if (row->id.kind == CORE_ROW_SHOW)
			publish_show(m, row);
		else
			row_put(m, row->id.kind, row->now, rows);
	}
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty)
		if (row->now && row->id.kind == CORE_ROW_QUEUE)
			note_read(model_id_get(&m->queues, row->id.a));
	(void)pthread_rwlock_unlock(&m->lock);
}

static bool load_row(void *arg, enum core_kind kind, const void *row)
{
	row_put(arg, kind, row, NULL);
	return true;
}

enum store_result model_load(struct model *m, struct store *store, int64_t now)
{
	m->now_ms = now;
	if (m->began_ms == 0)
		m->began_ms = now; /* everyone gets the whole idle time anew */
	enum store_result result = store_scan(store, now - JARI_TOKEN_LIFE_MS, load_row, m);
	for (int64_t i = 0; i < m->queues.n; i++)
		if (m->queues.p[i])
			note_read(m->queues.p[i]);
	return result;
}

/* ---- tending ---- */

/* A chunk can be forgotten when no token of it opens any more. What is not in memory and has been issued was over before this process began, or
 * another process has issued it a moment ago (ticket_room). */
static bool chunk_over(const struct model_queue *q, const struct model_ticket *chunk, int64_t now)
{
	if (q->row.last_number < (q->chunk_first + 1) * MODEL_CHUNK)
		return false;
	for (int64_t i = 0; i < MODEL_CHUNK; i++) {
		const struct model_ticket *t = &chunk[i];
		struct core_ticket row = {.status = t->status, .issued_at = t->issued_at, .expires_at = t->expires_at};
		if (t->user && !ticket_over(&row, now))
			return false;
	}
	return true;
}

static void forget_chunks(struct model *m, struct model_queue *q, int64_t now)
{
	for (int step = 0; step < FORGET_CHUNKS && q->chunk_first < q->chunk_count; step++) {
		struct model_ticket *chunk = q->chunks[q->chunk_first];
		if (!chunk && q->row.last_number <= (q->chunk_first + 1) * MODEL_CHUNK)
			return; /* not begun */
		if (chunk) {
			if (!chunk_over(q, chunk, now))
				return;
			for (int64_t i = 0; i < MODEL_CHUNK; i++) {
				if (chunk[i].user)
					user_release(m, chunk[i].user);
			}
			free(chunk);
			q->chunks[q->chunk_first] = NULL;
		}
		q->chunk_first++;
	}
}

void model_tend(struct model *m, int64_t now)
{
	(void)pthread_rwlock_wrlock(&m->lock);
	for (int64_t i = 0; i < m->queues.n; i++) {
		struct model_queue *q = m->queues.p[i];
		if (!q)
			continue;
		flow_note(&q->flow, now, q->let_in, q->row.waiting > 0 && !q->row.paused);
		forget_chunks(m, q, now);
	}
	(void)pthread_rwlock_unlock(&m->lock);
}

/* ---- who is heard from ---- */

/* Whoever asks while a batch passes it over is told its place as well, so it is put back with the next one; `asked` is looked at behind heard_s here, and
 * the other way round in calls_silent, so that one of the two sees the other. */
void model_hear(struct model *m, const struct model_queue *q, struct model_ticket *t, int64_t number, int64_t now)
{
	uint32_t second = model_second(m, now);
	bool back = false;
	if (atomic_load_explicit(&t->heard_s, memory_order_relaxed) != second) {
		atomic_store(&t->heard_s, second);
		uint8_t silent = MODEL_SILENT;
		back = atomic_compare_exchange_strong(&t->asked, &silent, MODEL_NOT_ASKED);
	}
	if (!atomic_load_explicit(&t->here, memory_order_relaxed)) /* also when others have told of this second */
		atomic_store_explicit(&t->here, 1, memory_order_relaxed);
	if (t->status == CORE_PASSED && atomic_exchange_explicit(&t->asked, MODEL_ASKED, memory_order_relaxed) != MODEL_ASKED)
		back = true;
	if (back)
		model_put_back(m, q->row.queue_id, &number, 1);
}

void model_put_back(struct model *m, int64_t queue_id, const int64_t *numbers, size_t n)
{
	(void)pthread_mutex_lock(&m->back_lock);
	for (size_t i = 0; i < n; i++) {
		if (m->back_count == m->back_cap) {
			m->back_cap = m->back_cap ? m->back_cap * 2 : 64;
			m->back = mem_grow(m->back, m->back_cap * sizeof *m->back);
		}
		m->back[m->back_count++] = (struct model_back){queue_id, numbers[i]};
	}
	(void)pthread_mutex_unlock(&m->back_lock);
}

static bool is_silent(const struct model *m, const struct model_ticket *t, int64_t now, int64_t idle_ms)
{
	return (int64_t)model_second(m, now) - atomic_load(&t->heard_s) > idle_ms / 1000;
}

static bool calls_silent(const struct model *m, const struct model_queue *q, int64_t number, int64_t now, int64_t idle_ms)
{
	struct model_ticket *t = rank_has(&q->waiting, number) ? model_ticket_at(q, number) : NULL;
	if (!t || !is_silent(m, t, now, idle_ms))
		return false;
	atomic_store(&t->asked, MODEL_SILENT);
	return is_silent(m, t, now, idle_ms);
}

size_t model_silent(struct model *m, int64_t queue_id, int64_t now, int64_t idle_ms, int64_t *out, size_t max)
{
	size_t n = 0;
	(void)pthread_rwlock_rdlock(&m->lock);
	struct model_queue *q = model_id_get(&m->queues, queue_id);
	if (q && q->waiting.members > 0) {
		int64_t from = q->silent_from > 0 ? q->silent_from : 1;
		int64_t end = from + SILENT_STRETCH < q->row.last_number + 1 ? from + SILENT_STRETCH : q->row.last_number + 1;
		int64_t number = from;
		for (; number < end && n < max; number++) {
			if (calls_silent(m, q, number, now, idle_ms))
				out[n++] = number;
		}
		q->silent_from = number > q->row.last_number ? 0 : number; /* the committer's alone */
	}
	(void)pthread_rwlock_unlock(&m->lock);
	return n;
}

size_t model_take_back(struct model *m, int64_t *queue_id, int64_t *out, size_t max)
{
	size_t n = 0;
	size_t kept = 0;
	(void)pthread_mutex_lock(&m->back_lock);
	for (size_t i = 0; i < m->back_count; i++) {
		if (i == 0)
			*queue_id = m->back[0].queue_id;
		if (m->back[i].queue_id == *queue_id && n < max)
			out[n++] = m->back[i].number;
		else
			m->back[kept++] = m->back[i];
	}
	m->back_count = kept;
	(void)pthread_mutex_unlock(&m->back_lock);
	return n;
}

/* The step-th queue behind that one, round and round; NULL where there is none of that id. The caller holds the lock. */
static const struct model_queue *queue_behind(const struct model *m, int64_t queue_id, int64_t step)
{
	int64_t from = queue_id >= 0 && queue_id < m->queues.n ? queue_id : 0;
	return m->queues.p[(from + step) % m->queues.n];
}

int64_t model_next_waiting(struct model *m, int64_t queue_id)
{
	int64_t next = 0;
	(void)pthread_rwlock_rdlock(&m->lock);
	for (int64_t step = 1; step <= m->queues.n && next == 0; step++) {
		const struct model_queue *q = queue_behind(m, queue_id, step);
		if (q && q->waiting.members > 0)
			next = q->row.queue_id;
	}
	(void)pthread_rwlock_unlock(&m->lock);
	return next;
}

size_t model_queues_with_room(struct model *m, int64_t *after, int64_t *out, size_t max)
{
	size_t n = 0;
	(void)pthread_rwlock_rdlock(&m->lock);
	for (int64_t step = 1, from = *after; step <= m->queues.n && n < max; step++) {
		const struct model_queue *q = queue_behind(m, from, step);
		if (q && core_queue_has_room(&q->row))
			*after = out[n++] = q->row.queue_id;
	}
	(void)pthread_rwlock_unlock(&m->lock);
	return n;
}
