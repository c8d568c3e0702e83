/* stats.c: see stats.h. */
#include "cli/bench/stats.h"
#include "base/arena.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *step_name(enum step step)
{
	static const char *const names[STEPS] = {
	    [STEP_JOIN] = "join",   [STEP_POLL] = "poll",   [STEP_DATES] = "dates",
	    [STEP_SEATS] = "seats", [STEP_HOLD] = "hold",   [STEP_CHARGE] = "charge",
	    [STEP_PAY] = "pay",     [STEP_LEAVE] = "leave", [STEP_REQUEST] = "request",
	};

	return names[step];
}

struct stats *stats_new(void)
{
	struct stats *s = mem_zero(sizeof(*s));

	for (int i = 0; i < STEPS; i++)
		histogram_init(&s->latency[i], HISTOGRAM_FINE);
	histogram_init(&s->success, HISTOGRAM_FINE);
	return s;
}

void stats_free(struct stats *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < STEPS; i++)
		histogram_free(&s->latency[i]);
	histogram_free(&s->success);
	for (size_t i = 0; i < STATS_SECONDS_MAX; i++)
		if (s->seconds[i] != NULL) {
			histogram_free(&s->seconds[i]->latency);
			free(s->seconds[i]);
		}
	free(s);
}

struct stats_second *stats_second(struct stats *s, int64_t now_us)
{
	int64_t at = (now_us - s->begin_us) / 1000000;

	if (at < 0 || at >= STATS_SECONDS_MAX)
		return NULL;
	if (s->seconds[at] == NULL) { /* once a second, not once a request */
		s->seconds[at] = mem_zero(sizeof(*s->seconds[at]));
		histogram_init(&s->seconds[at]->latency, HISTOGRAM_COARSE);
	}
	return s->seconds[at];
}

void stats_ok(struct stats *s, enum step step, enum stats_counts counts, int64_t now_us, int64_t latency_us)
{
	bool in_rate = (counts & STATS_RATE) != 0;
	struct stats_second *second = in_rate ? stats_second(s, now_us) : NULL;

	s->ok[step] += in_rate;
	if ((counts & STATS_LATENCY) != 0) {
		histogram_add(&s->latency[step], latency_us);
		histogram_add(&s->success, latency_us);
	}
	if (second != NULL) {
		second->done[step]++;
		histogram_add(&second->latency, latency_us);
	}
	atomic_fetch_add_explicit(&s->done, 1, memory_order_relaxed);
}

static void count_error(struct stats *s, enum step step, int status, struct text code, int64_t count)
{
	struct stats_error *e;

	if (code.n >= STATS_CODE_SIZE)
		code.n = STATS_CODE_SIZE - 1;
	for (size_t i = 0; i < s->error_count; i++) {
		e = &s->errors[i];
		if (e->step == step && e->status == status && text_equal(text_of(e->code), code)) {
			e->count += count;
			return;
		}
	}
	if (s->error_count == STATS_ERRORS_MAX) {
		s->errors_left_out += count;
		return;
	}
	e = &s->errors[s->error_count++];
	*e = (struct stats_error){.step = step, .status = status, .count = count};
	memcpy(e->code, code.p, code.n);
}

void stats_error(struct stats *s, enum step step, enum stats_counts counts, int64_t now_us, int64_t latency_us,
                 enum client_outcome outcome, const struct reply *reply)
{
	static const struct text codes[CLIENT_OUTCOMES] = {
	    [CLIENT_ANSWERED] = {"HTTP", 4},
	    [CLIENT_BROKEN] = {"CONNECTION", 10},
	    [CLIENT_TIMEOUT] = {"TIMEOUT", 7},
	    [CLIENT_GARBLED] = {"NOT_HTTP", 8},
	};
	bool in_rate = (counts & STATS_RATE) != 0;
	struct stats_second *second = in_rate ? stats_second(s, now_us) : NULL;
	struct text code = codes[outcome];

	if (outcome == CLIENT_ANSWERED) {
		(void)reply_text(reply->body, TEXT("\"code\":"), &code);
		s->refused[step] += in_rate;
		if ((counts & STATS_LATENCY) != 0)
			histogram_add(&s->latency[step], latency_us);
	}
	if (counts != STATS_WARMUP)
		count_error(s, step, outcome == CLIENT_ANSWERED ? reply->status : 0, code, 1);
	if (second != NULL)
		second->errors++;
	atomic_fetch_add_explicit(&s->problems, 1, memory_order_relaxed);
}

static void merge_seconds(struct stats *into, const struct stats *from)
{
	for (size_t i = 0; i < STATS_SECONDS_MAX; i++) {
		const struct stats_second *f = from->seconds[i];
		struct stats_second *t;

		if (f == NULL)
			continue;
		t = stats_second(into, into->begin_us + (int64_t)i * 1000000);
		for (int k = 0; k < STEPS; k++)
			t->done[k] += f->done[k];
		t->errors += f->errors;
		t->admitted += f->admitted;
		histogram_merge(&t->latency, &f->latency);
	}
}

void stats_merge(struct stats *into, const struct stats *from)
{
	if (into->begin_us == 0 || from->begin_us < into->begin_us)
		into->begin_us = from->begin_us;
	if (from->end_us > into->end_us)
		into->end_us = from->end_us;
	for (int i = 0; i < STEPS; i++) {
		histogram_merge(&into->latency[i], &from->latency[i]);
		into->ok[i] += from->ok[i];
		into->refused[i] += from->refused[i];
	}
	histogram_merge(&into->success, &from->success);
	into->unsent += from->unsent;
	into->used_up = into->used_up || from->used_up;
	for (size_t i = 0; i < from->error_count; i++)
		count_error(into, from->errors[i].step, from->errors[i].status, text_of(from->errors[i].code),
		            from->errors[i].count);
	into->errors_left_out += from->errors_left_out;
	merge_seconds(into, from);
	into->done += from->done;
	into->problems += from->problems;
	into->joined += from->joined;
	into->waiting += from->waiting;
	into->active += from->active;
	into->sold += from->sold;
	into->left += from->left;
}

int64_t stats_answers(const struct stats *s)
{
	int64_t n = 0;

	for (int i = 0; i < STEPS; i++)
		n += s->ok[i];
	return n;
}

int64_t stats_problems(const struct stats *s)
{
	int64_t n = s->errors_left_out;

	for (size_t i = 0; i < s->error_count; i++)
		n += s->errors[i].count;
	return n;
}

bool stats_has(const struct stats *s, enum step step)
{
	return s->ok[step] + s->refused[step] + s->latency[step].total > 0;
}

size_t stats_second_count(const struct stats *s)
{
	size_t n = STATS_SECONDS_MAX;

	while (n > 0 && s->seconds[n - 1] == NULL)
		n--;
	return n;
}

int64_t stats_per_second(const struct stats *s, int64_t count)
{
	int64_t us = s->end_us - s->begin_us;
	int64_t scaled;

	if (us <= 0)
		return 0;
	return __builtin_mul_overflow(count, 1000000, &scaled) ? count / us * 1000000 : scaled / us;
}
