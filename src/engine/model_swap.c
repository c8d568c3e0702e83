/* model_swap.c: a read model that was read anew takes the place of the one that can't be trusted any more. See model.h. */
#include "engine/model.h"

#include "base/arena.h"

#include <stdlib.h>

/* Who was heard from stays so; who is not known by the same number gets the whole idle time anew. */
static void keep_heard(const struct model_queue *old, struct model_queue *fresh)
{
	for (int64_t chunk = 0; chunk < old->chunk_count && chunk < fresh->chunk_count; chunk++) {
		if (!old->chunks[chunk] || !fresh->chunks[chunk])
			continue;
		for (int64_t i = 0; i < MODEL_CHUNK; i++) {
			struct model_ticket *was = &old->chunks[chunk][i], *now = &fresh->chunks[chunk][i];
			if (was->user && now->user && was->user->user_id == now->user->user_id && was->status == now->status)
				atomic_store_explicit(&now->heard_s, atomic_load_explicit(&was->heard_s, memory_order_relaxed),
				                      memory_order_relaxed);
		}
	}
}

static void keep_queue(const struct model_queue *old, struct model_queue *fresh)
{
	fresh->flow = old->flow;
	fresh->let_in = old->let_in;
	fresh->silent_from = old->silent_from;
	keep_heard(old, fresh);
}

static struct text *find_section(const struct model_show *s, struct text section)
{
	for (uint32_t i = 0; s && i < s->section_count; i++) {
		if (text_equal(s->sections[i], section))
			return &s->sections[i];
	}
	return NULL;
}

/* Somebody may be looking at a section's text after the lock is given back (engine_look_seats): texts live as long as the model. */
static void keep_sections(struct model *m, struct model_show *old, struct model_show *fresh)
{
	for (uint32_t i = 0; i < old->section_count; i++) {
		struct text *same = find_section(fresh, old->sections[i]);
		if (same) {
			free((void *)same->p);
			*same = old->sections[i];
		} else {
			m->kept = mem_grow(m->kept, (m->kept_count + 1) * sizeof *m->kept);
			m->kept[m->kept_count++] = old->sections[i];
		}
		old->sections[i] = (struct text){0};
	}
}

static void swap_ids(struct model_ids *a, struct model_ids *b)
{
	struct model_ids was = *a;
	*a = *b;
	*b = was;
}

static void swap_users(struct model *a, struct model *b)
{
	struct model_user **users = a->users;
	size_t buckets = a->user_buckets, count = a->user_count;
	a->users = b->users;
	a->user_buckets = b->user_buckets;
	a->user_count = b->user_count;
	b->users = users;
	b->user_buckets = buckets;
	b->user_count = count;
}

void model_swap(struct model *m, struct model *fresh)
{
	(void)pthread_rwlock_wrlock(&m->lock);
	for (int64_t i = 0; i < m->queues.n; i++) {
		struct model_queue *q = m->queues.p[i], *to = model_id_get(&fresh->queues, i);
		if (q && to)
			keep_queue(q, to);
	}
	for (int64_t i = 0; i < m->shows.n; i++) {
		if (m->shows.p[i])
			keep_sections(m, m->shows.p[i], model_id_get(&fresh->shows, i));
	}
	swap_ids(&m->queues, &fresh->queues);
	swap_ids(&m->concerts, &fresh->concerts);
	swap_ids(&m->shows, &fresh->shows);
	swap_users(m, fresh);
	for (int64_t i = 0; i < m->shows.n; i++) {
		if (m->shows.p[i])
			model_show_changed(m, m->shows.p[i]);
	}
	m->now_ms = fresh->now_ms;
	(void)pthread_rwlock_unlock(&m->lock);
}
