/* report.h: what was measured, told three ways: a table for people, JSON for programs, one HTML file with plots.
 *
 * Times are microseconds in JSON, milliseconds in the table. All numbers are integers or decimals written from integers.
 * Ownership: buffers are the caller's. Threads: any. Errors: none; writing files is the caller's. */
#ifndef JARI_CLI_BENCH_REPORT_H
#define JARI_CLI_BENCH_REPORT_H

#include "base/buf.h"
#include "cli/bench/journey.h"

struct report {
	const struct bench_options *o;
	const struct stats *stats;
	const struct journey *journey; /* NULL: a steady measurement */
	int64_t began_ms;              /* since 1970 */
};

/* What is told of requests that were due and never sent; nothing where there are none. */
#define REPORT_UNSENT \
	"requests were due and never sent: no connection was free. The rate is more than the server, or this load, can do"

void report_table(const struct report *r, struct buf *out);
void report_json(const struct report *r, struct buf *out);
void report_html(const struct report *r, struct buf *out);

/* 1234567 as "1 234 567". */
void report_grouped(struct buf *out, int64_t v);
/* Microseconds as milliseconds with as many decimals as mean something: "0.123", "12.3", "1234". */
void report_ms(struct buf *out, int64_t us);
/* Microseconds as "12.3 s" or "4 min 5 s". */
void report_span(struct buf *out, int64_t us);

#endif
