/* sampler.c: takes a sample of the read model and the counters once a second, on the committer's thread, between batches. See series.h. */
#include "engine/internal.h"

static void sample_model(struct engine *e, int64_t now)
{
	struct model *m = &e->model;
	(void)pthread_rwlock_rdlock(&m->lock);
	for (int64_t i = 0; i < m->queues.n; i++) {
		if (m->queues.p[i])
			series_queue(&e->series, &((const struct model_queue *)m->queues.p[i])->row);
	}
	for (int64_t i = 0; i < m->shows.n; i++) {
		const struct model_show *s = m->shows.p[i];
		int64_t lapsed;
		if (!s)
			continue;
		(void)model_lapsed(s, now, &lapsed);
		series_show(&e->series, s->row.show_id, s->sold, s->held - lapsed, s->revenue);
	}
	(void)pthread_rwlock_unlock(&m->lock);
}

void sampler_step(struct engine *e, int64_t now)
{
	if (!series_begin(&e->series, now))
		return;
	e->probe = (struct engine_probe){0};
	if (e->config.probe)
		e->config.probe(e->config.probe_arg, &e->probe);
	series_server(&e->series, &e->probe, atomic_load(&e->counters.commits), atomic_load(&e->counters.commit_us));
	sample_model(e, now);
	series_end(&e->series);
}

void engine_look_series(struct engine *e, const struct engine_series_ask *ask, struct arena *arena, struct engine_series_view *out)
{
	series_view(&e->series, ask, arena, out);
}
