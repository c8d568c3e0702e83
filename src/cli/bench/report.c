/* report.c: the table, and what it shares with the other reports; see report.h. */
#include "cli/bench/report.h"
#include <string.h>

#define NAME_WIDTH 10
#define NUMBER_WIDTH 11

void report_grouped(struct buf *out, int64_t v)
{
	char digits[32], grouped[48];
	int n = snprintf(digits, sizeof(digits), "%lld", (long long)v), at = 0;

	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-')
			grouped[at++] = ' ';
		grouped[at++] = digits[i];
	}
	buf_add(out, grouped, (size_t)at);
}

void report_ms(struct buf *out, int64_t us)
{
	if (us < 10000)
		buf_printf(out, "%lld.%03lld", (long long)(us / 1000), (long long)(us % 1000));
	else if (us < 1000000)
		buf_printf(out, "%lld.%01lld", (long long)(us / 1000), (long long)(us % 1000 / 100));
	else
		report_grouped(out, us / 1000);
}

void report_span(struct buf *out, int64_t us)
{
	if (us < 120000000)
		buf_printf(out, "%lld.%01lld s", (long long)(us / 1000000), (long long)(us % 1000000 / 100000));
	else
		buf_printf(out, "%lld min %lld s", (long long)(us / 60000000), (long long)(us / 1000000 % 60));
}

/* Writes what `cell` has, on the right of `width` characters. */
static void right(struct buf *out, struct buf *cell, size_t width)
{
	for (size_t i = cell->n; i < width; i++)
		buf_char(out, ' ');
	buf_text(out, buf_view(cell));
	buf_reset(cell);
}

static void row(struct buf *out, const char *name, const struct histogram *h, int64_t count, int64_t per_second, struct buf *cell)
{
	static const int64_t at[] = {500000, 900000, 990000, 999000};

	buf_printf(out, "%-*s", NAME_WIDTH, name);
	report_grouped(cell, count);
	right(out, cell, NUMBER_WIDTH + 2);
	if (per_second >= 0)
		report_grouped(cell, per_second);
	right(out, cell, NUMBER_WIDTH);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		if (h->total > 0)
			report_ms(cell, histogram_at(h, at[i]));
		right(out, cell, NUMBER_WIDTH);
	}
	if (h->total > 0)
		report_ms(cell, h->highest);
	right(out, cell, NUMBER_WIDTH);
	buf_char(out, '\n');
}

static void steps(const struct report *r, struct buf *out)
{
	static const char *const heads[] = {"a second", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"};
	const struct stats *s = r->stats;
	struct buf cell = {0};

	buf_printf(out, "%-*s%*s", NAME_WIDTH, "step", NUMBER_WIDTH + 2, "answers");
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		buf_printf(out, "%*s", NUMBER_WIDTH, heads[i]);
	buf_char(out, '\n');
	for (int i = 0; i < STEPS; i++) {
		int64_t answers = s->ok[i] + s->refused[i];

		if (stats_has(s, (enum step)i))
			row(out, step_name((enum step)i), &s->latency[i], answers, stats_per_second(s, answers), &cell);
	}
	if (stats_problems(s) > 0)
		row(out, "success", &s->success, stats_answers(s), stats_per_second(s, stats_answers(s)), &cell);
	if (r->journey != NULL && r->journey->wait.total > 0)
		row(out, "wait", &r->journey->wait, r->journey->wait.total, -1, &cell);
	buf_free(&cell);
}

static void errors(const struct stats *s, struct buf *out)
{
	if (stats_problems(s) == 0) {
		buf_str(out, "\nno errors\n");
		return;
	}
	buf_str(out, "\nanswers other than success\n");
	for (size_t i = 0; i < s->error_count; i++) {
		const struct stats_error *e = &s->errors[i];

		buf_printf(out, "  %-8s", step_name(e->step));
		if (e->status != 0)
			buf_printf(out, "%d ", e->status);
		buf_printf(out, "%s: ", e->code);
		report_grouped(out, e->count);
		buf_char(out, '\n');
	}
	if (s->errors_left_out > 0)
		buf_printf(out, "  of more kinds: %lld\n", (long long)s->errors_left_out);
}

static void people(const struct journey *j, struct buf *out)
{
	buf_str(out, "\npeople     ");
	report_grouped(out, j->users);
	for (int i = 0; i < GUEST_ENDS; i++)
		if (j->ends[i] > 0) {
			buf_printf(out, ", %s ", guest_end_name((enum guest_end)i));
			report_grouped(out, j->ends[i]);
		}
	buf_char(out, '\n');
}

static void sale(const struct journey *j, struct buf *out)
{
	buf_str(out, "seats      ");
	report_grouped(out, j->sold);
	if (j->total_seats > 0) {
		buf_str(out, " of ");
		report_grouped(out, j->total_seats);
	}
	buf_str(out, " sold");
	if (j->sold_out_us >= 0) {
		buf_str(out, ", sold out after ");
		report_span(out, j->sold_out_us);
	}
	if (j->nothing_left_us >= 0) {
		buf_str(out, ", nothing left to choose after ");
		report_span(out, j->nothing_left_us);
	}
	buf_str(out, "\nwait       ");
	if (j->longest_wait_us > 0) {
		buf_str(out, "the longest ");
		report_span(out, j->longest_wait_us);
		buf_printf(out, " (number %lld)", (long long)j->longest_wait_number);
	} else {
		buf_str(out, "none");
	}
	buf_str(out, "\norder      ");
	if (j->inversions == 0)
		buf_str(out, "kept: no number was seen to wait after a higher one was let in\n");
	else
		buf_printf(
		    out,
		    "NOT KEPT: %lld answers told somebody to wait after a higher number was let in, such as %lld after %lld\n",
		    (long long)j->inversions, (long long)j->inverted_number, (long long)j->inverted_frontier);
	if (j->stopped)
		buf_str(out, "stopped at --limit-seconds before everybody was done\n");
}

void report_table(const struct report *r, struct buf *out)
{
	const struct stats *s = r->stats;
	int64_t answers = stats_answers(s);

	buf_printf(out, "jari bench %s on %s, %lld connection%s, ", bench_op_name(r->o->op), r->o->url,
	           (long long)r->o->connections, r->o->connections == 1 ? "" : "s");
	if (r->o->rate > 0 && r->journey == NULL)
		buf_printf(out, "%lld requests a second, ", (long long)r->o->rate);
	report_span(out, s->end_us - s->begin_us);
	buf_str(out, ": ");
	report_grouped(out, answers);
	buf_str(out, " answers with success, ");
	report_grouped(out, stats_per_second(s, answers));
	buf_str(out, " a second");
	if (s->cpu_us > 0 && answers > 0)
		buf_printf(out, "; %lld.%lld microseconds of the server's processors for each", (long long)(s->cpu_us / answers),
		           (long long)(s->cpu_us * 10 / answers % 10));
	buf_str(out, "\n\n");
	steps(r, out);
	errors(s, out);
	if (s->unsent > 0) {
		buf_char(out, '\n');
		report_grouped(out, s->unsent);
		buf_str(out, " " REPORT_UNSENT "\n");
	}
	if (r->journey != NULL) {
		people(r->journey, out);
		sale(r->journey, out);
	}
}
