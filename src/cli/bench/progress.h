/* progress.h: how far it is: one line that is redrawn on a terminal, a line now and then elsewhere. On standard error.
 *
 * Ownership: a plain struct. Threads: one. Errors: what can't be shown is not. */
#ifndef JARI_CLI_BENCH_PROGRESS_H
#define JARI_CLI_BENCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool quiet, terminal, drawn;
	int64_t next_us; /* when to show it again */
};

void progress_begin(struct progress *p, bool quiet);
/* True when it is time for a line. */
bool progress_due(struct progress *p, int64_t now_us);
void progress_line(struct progress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line that stays. */
void progress_end(struct progress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
