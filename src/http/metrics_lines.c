/* metrics_lines.c: lines of Prometheus' text format. See metrics_inside.h. */
#include "http/metrics_inside.h"

#include <inttypes.h>

void metrics_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_simple(struct buf *out, const char *name, const char *type, const char *help, int64_t v)
{
	metrics_head(out, name, type, help);
	buf_printf(out, "%s %" PRId64 "\n", name, v);
}

/* Microseconds as seconds, without a float. */
static void seconds(struct buf *out, int64_t us)
{
	buf_printf(out, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
}

void metrics_seconds(struct buf *out, const char *name, const char *type, const char *help, int64_t us)
{
	metrics_head(out, name, type, help);
	buf_printf(out, "%s ", name);
	seconds(out, us);
	buf_char(out, '\n');
}

/* Backslash, quote and line break escaped. */
void metrics_label(struct buf *out, struct text t)
{
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '\\' || t.p[i] == '"')
			buf_char(out, '\\');
		if (t.p[i] == '\n')
			buf_str(out, "\\n");
		else
			buf_char(out, t.p[i]);
	}
}

/* A bound of a bucket as Prometheus writes it: 0.0005, 1. */
static void bound(struct buf *out, int64_t v, bool is_us)
{
	if (!is_us) {
		buf_int(out, v);
		return;
	}
	seconds(out, v);
	while (out->p[out->n - 1] == '0')
		out->n--;
	if (out->p[out->n - 1] == '.')
		out->n--;
}

/* "name_count" or "name_count{a="b"}", and a space. */
static void series_name(struct buf *out, const char *name, const char *ending, struct text labels)
{
	buf_printf(out, "%s_%s", name, ending);
	if (labels.n > 0) {
		buf_char(out, '{');
		buf_text(out, labels);
		buf_char(out, '}');
	}
	buf_char(out, ' ');
}

/* Buckets are cumulative, and the count is their sum, so a reader never sees them disagree. */
void metrics_histogram(struct buf *out, const char *name, struct text labels, const struct tally_bounds *bounds,
                       const struct tally_view *view, bool is_us)
{
	int64_t below = 0;

	for (size_t b = 0; b <= bounds->n; b++) {
		below += view->counts[b];
		buf_printf(out, "%s_bucket{", name);
		buf_text(out, labels);
		buf_str(out, labels.n > 0 ? ",le=\"" : "le=\"");
		if (b < bounds->n)
			bound(out, bounds->at[b], is_us);
		else
			buf_str(out, "+Inf");
		buf_printf(out, "\"} %" PRId64 "\n", below);
	}
	series_name(out, name, "sum", labels);
	if (is_us)
		seconds(out, view->sum);
	else
		buf_int(out, view->sum);
	buf_char(out, '\n');
	series_name(out, name, "count", labels);
	buf_printf(out, "%" PRId64 "\n", below);
}
