/* flow.c: see flow.h. */
#include "engine/flow.h"

static double rate_of(const struct flow *f)
{
	int64_t oldest = f->count > FLOW_SAMPLES ? f->count - FLOW_SAMPLES : 0, last = f->count - 1;
	int64_t took = 0, let_in = 0;
	for (int64_t i = last - 1; i >= oldest && (let_in < FLOW_ENOUGH || took < FLOW_LEAST_MS); i--) {
		took = f->samples[last % FLOW_SAMPLES].at - f->samples[i % FLOW_SAMPLES].at;
		let_in = f->samples[last % FLOW_SAMPLES].let_in - f->samples[i % FLOW_SAMPLES].let_in;
	}
	return took > 0 ? (double)let_in * 1000.0 / (double)took : 0;
}

void flow_note(struct flow *f, int64_t now, int64_t let_in, bool line)
{
	int64_t last = f->count - 1;
	if (!line && (f->count == 0 || f->samples[last % FLOW_SAMPLES].let_in == let_in)) {
		*f = (struct flow){0};
		return;
	}
	if (f->count > 0 && now - f->samples[last % FLOW_SAMPLES].at < FLOW_SAMPLE_MS)
		return;
	f->samples[f->count % FLOW_SAMPLES].at = now;
	f->samples[f->count % FLOW_SAMPLES].let_in = let_in;
	f->count++;
	f->rate = rate_of(f);
}
