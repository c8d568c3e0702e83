/* bench.h: `jari bench`: a load generator over HTTP, which ships with the product so that an organiser can rehearse.
 *
 *   bench.c         entry: options, the key, what to run, what to write
 *   options.c       its table of options            histogram.c  latencies
 *   http_client.c   connections on epoll            reply.c      reading answers
 *   phase.c         one kind of request, steadily   steady.c     what `jari bench poll|join|hold|…` measures
 *   journey.c       whole journeys (onsale)         api.c        requests of the contract, and setting things up
 *   stats.c         counting                        report.c, report_json.c, html.c, svg.c  telling
 *
 * Ownership: cli_bench owns everything that it makes. Threads: --threads workers, and the caller's, which shows the progress.
 * Errors: exit status 0 fine, 1 something failed and one line on standard error said what, 2 the command line was wrong. */
#ifndef JARI_CLI_BENCH_BENCH_H
#define JARI_CLI_BENCH_BENCH_H

/* argv is the whole command line: jari bench …, or jari help bench …. */
int cli_bench(int argc, char **argv);

#endif
