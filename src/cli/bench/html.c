/* html.c: one HTML file with the table and plots, that needs nothing beside it: no scripts, no fonts, no other files; see
 * report.h. */
#include "cli/bench/report.h"
#include "base/arena.h"
#include "cli/bench/svg.h"
#include <stdlib.h>

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid #8884}"
    "th:first-child,td:first-child{text-align:left}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}svg{width:100%;height:auto}"
    ".bad{color:#d55e00;font-weight:600}dt{float:left;clear:left;width:9rem;opacity:.7}dd{margin-left:9rem}</style>\n";

static void escaped(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '<')
			buf_str(out, "&lt;");
		else if (*s == '&')
			buf_str(out, "&amp;");
		else if (*s == '"')
			buf_str(out, "&quot;");
		else
			buf_char(out, *s);
	}
}

static void row(struct buf *out, const char *name, const struct histogram *h, int64_t count, int64_t per_second)
{
	static const int64_t at[] = {500000, 900000, 990000, 999000};

	buf_printf(out, "<tr><td>%s</td><td>", name);
	report_grouped(out, count);
	buf_str(out, "</td><td>");
	if (per_second >= 0)
		report_grouped(out, per_second);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		buf_str(out, "</td><td>");
		if (h->total > 0)
			report_ms(out, histogram_at(h, at[i]));
	}
	buf_str(out, "</td><td>");
	if (h->total > 0)
		report_ms(out, h->highest);
	buf_str(out, "</td></tr>\n");
}

static void table(const struct report *r, struct buf *out)
{
	const struct stats *s = r->stats;

	buf_str(
	    out,
	    "<h2>Steps</h2><table><tr><th>step</th><th>answers</th><th>a second</th><th>p50 ms</th><th>p90 ms</th><th>p99 ms</th><th>p99.9 ms</th>"
	    "<th>max ms</th></tr>\n");
	for (int i = 0; i < STEPS; i++) {
		int64_t answers = s->ok[i] + s->refused[i];

		if (stats_has(s, (enum step)i))
			row(out, step_name((enum step)i), &s->latency[i], answers, stats_per_second(s, answers));
	}
	if (stats_problems(s) > 0)
		row(out, "success", &s->success, stats_answers(s), stats_per_second(s, stats_answers(s)));
	if (r->journey != NULL && r->journey->wait.total > 0)
		row(out, "wait in line", &r->journey->wait, r->journey->wait.total, -1);
	buf_str(out, "</table>\n");
}

static void errors(const struct stats *s, struct buf *out)
{
	if (stats_problems(s) == 0) {
		buf_str(out, "<p>No errors.</p>\n");
		return;
	}
	buf_str(out,
	        "<h2>Answers other than success</h2><table><tr><th>step</th><th>status</th><th>code</th><th>count</th></tr>\n");
	for (size_t i = 0; i < s->error_count; i++) {
		buf_printf(out, "<tr><td>%s</td><td>%d</td><td>", step_name(s->errors[i].step), s->errors[i].status);
		escaped(out, s->errors[i].code);
		buf_str(out, "</td><td>");
		report_grouped(out, s->errors[i].count);
		buf_str(out, "</td></tr>\n");
	}
	buf_str(out, "</table>\n");
}

static void sale(const struct journey *j, struct buf *out)
{
	buf_str(out, "<h2>The sale</h2><dl><dt>people</dt><dd>");
	report_grouped(out, j->users);
	for (int i = 0; i < GUEST_ENDS; i++)
		if (j->ends[i] > 0) {
			buf_printf(out, "; %s ", guest_end_name((enum guest_end)i));
			report_grouped(out, j->ends[i]);
		}
	buf_str(out, "</dd><dt>seats sold</dt><dd>");
	report_grouped(out, j->sold);
	if (j->total_seats > 0) {
		buf_str(out, " of ");
		report_grouped(out, j->total_seats);
	}
	if (j->sold_out_us >= 0) {
		buf_str(out, ", sold out after ");
		report_span(out, j->sold_out_us);
	}
	if (j->nothing_left_us >= 0) {
		buf_str(out, ", nothing left to choose after ");
		report_span(out, j->nothing_left_us);
	}
	buf_str(out, "</dd><dt>longest wait</dt><dd>");
	report_span(out, j->longest_wait_us);
	if (j->inversions == 0)
		buf_str(out, "</dd><dt>order</dt><dd>kept: no number was seen to wait after a higher one was let in</dd></dl>\n");
	else
		buf_printf(
		    out,
		    "</dd><dt>order</dt><dd class=\"bad\">not kept: %lld answers told somebody to wait after a higher number was let in, such as "
		    "%lld after %lld</dd></dl>\n",
		    (long long)j->inversions, (long long)j->inverted_number, (long long)j->inverted_frontier);
	if (j->stopped)
		buf_str(out, "<p class=\"bad\">Stopped at --limit-seconds before everybody was done.</p>\n");
}

static void plot_seconds(const struct report *r, struct buf *out)
{
	size_t n = stats_second_count(r->stats);
	int64_t *v = mem_zero((n + 1) * 4 * sizeof(*v));
	struct svg_line rates[] = {{"requests", v}, {"errors", v + n}}, times[] = {{"p50", v + 2 * n}, {"p99", v + 3 * n}};

	for (size_t i = 0; i < n; i++) {
		const struct stats_second *s = r->stats->seconds[i];

		if (s == NULL)
			continue;
		for (int k = 0; k < STEPS; k++)
			v[i] += s->done[k];
		v[n + i] = s->errors;
		v[2 * n + i] = histogram_at(&s->latency, 500000);
		v[3 * n + i] = histogram_at(&s->latency, 990000);
	}
	buf_str(out, "<h2>Requests a second</h2>");
	svg_over_time(out, rates, 2, n, false);
	buf_str(out, "<h2>Latency over time</h2>");
	svg_over_time(out, times, 2, n, true);
	free(v);
}

static void plot_people(const struct journey *j, struct buf *out)
{
	size_t n = j->moment_count;
	int64_t *v = mem_zero((n + 1) * 4 * sizeof(*v));
	struct svg_line people[] = {{"joined", v}, {"waiting", v + n}, {"active", v + 2 * n}},
			seats[] = {{"seats sold", v + 3 * n}};

	for (size_t i = 0; i < n; i++) {
		v[i] = j->moments[i].joined;
		v[n + i] = j->moments[i].waiting;
		v[2 * n + i] = j->moments[i].active;
		v[3 * n + i] = j->moments[i].sold;
	}
	buf_str(out, "<h2>People</h2>");
	svg_over_time(out, people, 3, n, false);
	buf_str(out, "<h2>Seats sold</h2>");
	svg_over_time(out, seats, 1, n, false);
	free(v);
}

static void plot_percentiles(const struct report *r, struct buf *out)
{
	struct svg_curve curves[STEPS];
	size_t n = 0;

	for (int i = 0; i < STEPS; i++)
		if (r->stats->latency[i].total > 0)
			curves[n++] = (struct svg_curve){step_name((enum step)i), &r->stats->latency[i]};
	buf_str(out, "<h2>Latency by percentile</h2>");
	svg_percentiles(out, curves, n);
}

void report_html(const struct report *r, struct buf *out)
{
	char when[TEXT_INSTANT_SIZE];
	int64_t answers = stats_answers(r->stats);

	(void)text_instant_format(r->began_ms / 1000 * 1000, when);
	buf_str(out, head);
	buf_printf(out, "<title>jari bench %s</title></head><body>\n<h1>jari bench %s</h1><p>", bench_op_name(r->o->op),
	           bench_op_name(r->o->op));
	buf_printf(out, "%s, on ", when);
	escaped(out, r->o->url);
	buf_printf(out, ", jari %s, %lld connections", JARI_VERSION, (long long)r->o->connections);
	if (r->o->rate > 0 && r->journey == NULL)
		buf_printf(out, ", %lld requests a second at fixed times", (long long)r->o->rate);
	buf_str(out, ".<br><b>");
	report_grouped(out, answers);
	buf_str(out, "</b> answers with success in ");
	report_span(out, r->stats->end_us - r->stats->begin_us);
	buf_str(out, ": <b>");
	report_grouped(out, stats_per_second(r->stats, answers));
	buf_str(out, "</b> a second.</p>\n");
	if (r->journey != NULL)
		sale(r->journey, out);
	table(r, out);
	errors(r->stats, out);
	if (r->stats->unsent > 0) {
		buf_str(out, "<p class=\"bad\">");
		report_grouped(out, r->stats->unsent);
		buf_str(out, " " REPORT_UNSENT ".</p>\n");
	}
	if (r->journey != NULL)
		plot_people(r->journey, out);
	plot_seconds(r, out);
	plot_percentiles(r, out);
	buf_str(
	    out,
	    "<p>How many a second is what was answered while it was measured. Latencies are those of requests that were due in that time, and each is counted "
	    "from the moment at which its request was due.</p></body></html>\n");
}
