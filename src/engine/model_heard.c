/* model_heard.c: who was heard from, for and from the other processes of a shared store. See model.h. */
#include "engine/model.h"

#include <string.h>

#define LOOKED_MAX 64 /* chunks that one call looks at: the readers' lock is held for so long */

static bool bit(const struct store_heard *heard, int64_t i)
{
	return heard->bits[i / 8] >> (i % 8) & 1;
}

/* False when nobody of the chunk was heard from. */
static bool take_chunk(const struct model_queue *q, int64_t chunk, struct store_heard *out)
{
	bool any = false;
	*out = (struct store_heard){.queue_id = q->row.queue_id, .first = chunk * MODEL_CHUNK + 1};
	for (int64_t i = 0; q->chunks[chunk] && i < MODEL_CHUNK; i++) {
		struct model_ticket *t = &q->chunks[chunk][i];
		if (!atomic_load_explicit(&t->here, memory_order_relaxed) ||
		    !atomic_exchange_explicit(&t->here, 0, memory_order_relaxed))
			continue;
		out->bits[i / 8] |= (uint8_t)(1U << (i % 8));
		any = true;
	}
	return any;
}

size_t model_heard_here(struct model *m, struct model_place *place, struct store_heard *out, size_t max)
{
	size_t n = 0;
	int64_t looked = 0;
	(void)pthread_rwlock_rdlock(&m->lock);
	for (; place->queue_id < m->queues.n; place->queue_id++, place->chunk = 0) {
		const struct model_queue *q = m->queues.p[place->queue_id];
		if (q && place->chunk < q->chunk_first)
			place->chunk = q->chunk_first;
		for (; q && place->chunk < q->chunk_count && n < max && looked < LOOKED_MAX; place->chunk++, looked++)
			n += take_chunk(q, place->chunk, &out[n]);
		if (q && place->chunk < q->chunk_count)
			break;
	}
	if (place->queue_id >= m->queues.n)
		*place = (struct model_place){0};
	(void)pthread_rwlock_unlock(&m->lock);
	return n;
}

/* The ticket that bit i stands for; NULL when it is not in memory, or the bit is not set. */
static struct model_ticket *ticket_of(const struct model *m, const struct store_heard *heard, int64_t i)
{
	const struct model_queue *q = bit(heard, i) ? model_id_get(&m->queues, heard->queue_id) : NULL;
	return q ? model_ticket_at(q, heard->first + i) : NULL;
}

void model_heard_untold(struct model *m, const struct store_heard *heard, size_t n)
{
	(void)pthread_rwlock_rdlock(&m->lock);
	for (size_t k = 0; k < n; k++) {
		for (int64_t i = 0; i < MODEL_CHUNK; i++) {
			struct model_ticket *t = ticket_of(m, &heard[k], i);
			if (t)
				atomic_store_explicit(&t->here, 1, memory_order_relaxed);
		}
	}
	(void)pthread_rwlock_unlock(&m->lock);
}

void model_heard_elsewhere(struct model *m, const struct store_heard *heard, int64_t now)
{
	uint32_t second = model_second(m, now);
	(void)pthread_rwlock_rdlock(&m->lock);
	for (int64_t i = 0; i < MODEL_CHUNK; i++) {
		struct model_ticket *t = ticket_of(m, heard, i);
		if (t && atomic_load_explicit(&t->heard_s, memory_order_relaxed) < second)
			atomic_store_explicit(&t->heard_s, second, memory_order_relaxed);
	}
	(void)pthread_rwlock_unlock(&m->lock);
}
