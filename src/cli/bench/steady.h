/* steady.h: `jari bench poll|join|seats|hold|charge|pay|healthz|request`: one operation at a steady load, and what it needs
 * before.
 *
 * Ownership: *total is the caller's. Threads: the caller's, and phase.h's. Errors: false with a line. */
#ifndef JARI_CLI_BENCH_STEADY_H
#define JARI_CLI_BENCH_STEADY_H

#include "cli/bench/api.h"
#include "cli/bench/stats.h"

bool steady_run(const struct bench_options *o, struct api *api, struct stats *total, char error[CLI_ERROR_SIZE]);

#endif
