/* svg.h: plots as inline SVG: lines over time, and latency by percentile. Drawn from integers, so the same numbers give the same
 * bytes.
 *
 * Ownership: everything is the caller's. Threads: pure. Errors: none; a plot of nothing says so. */
#ifndef JARI_CLI_BENCH_SVG_H
#define JARI_CLI_BENCH_SVG_H

#include "base/buf.h"
#include "base/histogram.h"

struct svg_line {
	const char *name;      /* plain text without <, > or & */
	const int64_t *values; /* one a second */
};

#define SVG_LINES_MAX 4

/* Values over seconds. `microseconds`: the axis is told in milliseconds. */
void svg_over_time(struct buf *out, const struct svg_line *lines, size_t line_count, size_t n, bool microseconds);

struct svg_curve {
	const char *name;
	const struct histogram *h;
};
/* Latency, on a logarithmic axis, by percentile: 0, 90, 99, 99.9, 99.99, 99.999. */
void svg_percentiles(struct buf *out, const struct svg_curve *curves, size_t n);

#endif
