/* report_json.c: the results as JSON; see report.h. */
#include "cli/bench/report.h"
#include "http/json.h"
#include <string.h>

static const struct {
	const char *name;
	int64_t at;
} percentiles[] = {{"p50", 500000}, {"p90", 900000}, {"p99", 990000}, {"p999", 999000}, {"p9999", 999900}};

static void latency(struct json_out *o, const struct histogram *h)
{
	jo_object(o);
	jo_kv_int(o, "count", h->total);
	jo_kv_int(o, "min", h->lowest);
	jo_kv_int(o, "mean", histogram_mean(h));
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		jo_kv_int(o, percentiles[i].name, histogram_at(h, percentiles[i].at));
	jo_kv_int(o, "max", h->highest);
	jo_end_object(o);
}

static void options(struct json_out *o, const struct bench_options *b, const struct journey *j)
{
	jo_key(o, "options");
	jo_object(o);
	jo_kv_str(o, "url", b->url);
	jo_kv_int(o, "connections", b->connections);
	jo_kv_int(o, "threads", b->threads);
	jo_kv_int(o, "seed", b->seed);
	jo_kv_int(o, "rate", b->rate);
	jo_kv_int(o, "requests", b->requests);
	jo_kv_int(o, "duration", b->duration);
	jo_kv_int(o, "waiting", b->waiting);
	jo_kv_int(o, "users", b->users);
	jo_kv_int(o, "shows", b->shows);
	jo_kv_int(o, "seats", b->seats);
	if (j != NULL) {
		jo_kv_int(o, "capacity", j->capacity);
		jo_kv_int(o, "arriveSeconds", b->arrive);
		jo_kv_int(o, "giveUpPercent", b->give_up);
		jo_kv_int(o, "impatience", b->impatience);
		jo_kv_int(o, "thinkMs", b->think_ms);
	}
	jo_end_object(o);
}

static void steps(struct json_out *o, const struct stats *s)
{
	jo_key(o, "steps");
	jo_object(o);
	for (int i = 0; i < STEPS; i++) {
		if (!stats_has(s, (enum step)i))
			continue;
		jo_key(o, step_name((enum step)i));
		jo_object(o);
		jo_kv_int(o, "ok", s->ok[i]);
		jo_kv_int(o, "refused", s->refused[i]);
		jo_kv_int(o, "perSecond", stats_per_second(s, s->ok[i] + s->refused[i]));
		jo_kv_int(o, "okPerSecond", stats_per_second(s, s->ok[i]));
		jo_key(o, "latencyUs");
		latency(o, &s->latency[i]);
		jo_end_object(o);
	}
	jo_end_object(o);
	jo_key(o, "successLatencyUs");
	latency(o, &s->success);
}

static void errors(struct json_out *o, const struct stats *s)
{
	jo_key(o, "errors");
	jo_array(o);
	for (size_t i = 0; i < s->error_count; i++) {
		jo_object(o);
		jo_kv_str(o, "step", step_name(s->errors[i].step));
		jo_kv_int(o, "status", s->errors[i].status);
		/* a code comes from the wire; what is not plain ASCII is not one */
		jo_kv_str(o, "code", text_utf8_chars(text_of(s->errors[i].code)) < 0 ? "?" : s->errors[i].code);
		jo_kv_int(o, "count", s->errors[i].count);
		jo_end_object(o);
	}
	jo_end_array(o);
	jo_kv_int(o, "errorsOfMoreKinds", s->errors_left_out);
}

static void seconds(struct json_out *o, const struct report *r)
{
	size_t n = stats_second_count(r->stats);

	jo_key(o, "seconds");
	jo_array(o);
	for (size_t i = 0; i < n; i++) {
		const struct stats_second *second = r->stats->seconds[i];
		int64_t done = 0;

		jo_object(o);
		for (int k = 0; second != NULL && k < STEPS; k++) {
			done += second->done[k];
			if (second->done[k] > 0)
				jo_kv_int(o, step_name((enum step)k), second->done[k]);
		}
		jo_kv_int(o, "done", done);
		jo_kv_int(o, "errors", second != NULL ? second->errors : 0);
		jo_kv_int(o, "p50Us", second != NULL ? histogram_at(&second->latency, 500000) : 0);
		jo_kv_int(o, "p99Us", second != NULL ? histogram_at(&second->latency, 990000) : 0);
		jo_kv_int(o, "maxUs", second != NULL ? second->latency.highest : 0);
		if (r->journey != NULL && i < r->journey->moment_count) {
			jo_kv_int(o, "admitted", second != NULL ? second->admitted : 0);
			jo_kv_int(o, "waiting", r->journey->moments[i].waiting);
			jo_kv_int(o, "active", r->journey->moments[i].active);
			jo_kv_int(o, "sold", r->journey->moments[i].sold);
		}
		jo_end_object(o);
	}
	jo_end_array(o);
}

static const char *const end_members[GUEST_ENDS] = {
    [GUEST_ON_THE_WAY] = "onTheWay", [GUEST_PAID] = "paid",         [GUEST_SOLD_OUT] = "foundItSoldOut",
    [GUEST_LEFT] = "gaveUpAndLeft",  [GUEST_VANISHED] = "vanished", [GUEST_UNLUCKY] = "gotNoSeats",
    [GUEST_LOST] = "lostThePlace",   [GUEST_FAILED] = "failed",
};

static void time_or_null(struct json_out *o, const char *name, int64_t us)
{
	jo_key(o, name);
	if (us >= 0)
		jo_int(o, us);
	else
		jo_null(o);
}

static void sale(struct json_out *o, const struct journey *j)
{
	jo_key(o, "sale");
	jo_object(o);
	jo_kv_int(o, "people", j->users);
	for (int i = 0; i < GUEST_ENDS; i++)
		jo_kv_int(o, end_members[i], j->ends[i]);
	jo_kv_int(o, "totalSeats", j->total_seats);
	jo_kv_int(o, "seatsSold", j->sold);
	time_or_null(o, "soldOutUs", j->sold_out_us);
	time_or_null(o, "nothingLeftUs", j->nothing_left_us);
	jo_key(o, "waitUs");
	latency(o, &j->wait);
	jo_kv_int(o, "longestWaitUs", j->longest_wait_us);
	jo_kv_int(o, "longestWaitNumber", j->longest_wait_number);
	jo_kv_int(o, "orderInversions", j->inversions);
	jo_kv_bool(o, "stoppedAtLimit", j->stopped);
	jo_end_object(o);
}

void report_json(const struct report *r, struct buf *out)
{
	struct json_out o;
	int64_t answers = stats_answers(r->stats);

	jo_begin(&o, out);
	jo_object(&o);
	jo_kv_str(&o, "operation", bench_op_name(r->o->op));
	jo_kv_str(&o, "version", JARI_VERSION);
	jo_kv_instant(&o, "began", r->began_ms);
	jo_kv_int(&o, "elapsedUs", r->stats->end_us - r->stats->begin_us);
	jo_kv_int(&o, "answers", answers);
	jo_kv_int(&o, "perSecond", stats_per_second(r->stats, answers));
	jo_kv_int(&o, "serverCpuNsPerAnswer", answers > 0 ? r->stats->cpu_us * 1000 / answers : 0);
	jo_kv_int(&o, "problems", stats_problems(r->stats));
	jo_kv_int(&o, "notSent", r->stats->unsent);
	options(&o, r->o, r->journey);
	steps(&o, r->stats);
	errors(&o, r->stats);
	if (r->journey != NULL)
		sale(&o, r->journey);
	seconds(&o, r);
	jo_end_object(&o);
	buf_char(out, '\n');
}
