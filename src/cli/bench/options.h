/* options.h: the options of `jari bench`: one table gives the values, their bounds, their environment variables and the help.
 *
 * As src/cli/options.h does for the other commands. The environment variables begin with JARI_BENCH_ (--users is
 * JARI_BENCH_USERS), so that what is set for a server (JARI_THREADS) is not taken for this; the organiser's key is JARI_ADMIN_KEY
 * in both. Ownership: texts point into argv, the environment or the table. Threads: before there are any. Errors: one line. */
#ifndef JARI_CLI_BENCH_OPTIONS_H
#define JARI_CLI_BENCH_OPTIONS_H

#include "cli/bench/target.h"
#include "cli/bench/wire.h"
#include "cli/options.h"

enum bench_op {
	BENCH_ONSALE,
	BENCH_POLL,
	BENCH_JOIN,
	BENCH_TURN,
	BENCH_SEATS,
	BENCH_HOLD,
	BENCH_CHARGE,
	BENCH_PAY,
	BENCH_HEALTHZ,
	BENCH_REQUEST,
	BENCH_OPS,
	BENCH_NO_OP = BENCH_OPS
};

struct bench_options {
	enum bench_op op;
	const char *url, *ca_file, *admin_key_file, *admin_key, *json, *html, *method, *path, *body;
	bool allow_remote, quiet;
	int64_t connections, threads, timeout, seed, rate, duration, requests,
	    warmup; /* seconds; rate 0: as fast as answers come */
	int64_t pid, users, waiting, shows, seats, per_user, price, show_seats;
	int64_t concert, capacity, arrive, give_up, impatience, think_ms, limit;
	struct bench_target at;   /* `url`, taken apart; bench_options_find finds it */
	struct wire_trust *trust; /* of an https:// URL, once it is found; not an option */
	uint64_t given;           /* a bit for each row of the table */
	uint64_t in_environment;  /* those of them that the environment gave */
};

enum bench_parsed { BENCH_RUN, BENCH_HELP, BENCH_VERSION, BENCH_WRONG };

/* argv is the whole command line: jari bench …, or jari help bench …. After BENCH_HELP and BENCH_WRONG out->op says whose help is meant (BENCH_NO_OP: all). */
enum bench_parsed bench_options_parse(int argc, char *const *argv, struct bench_options *out, char error[CLI_ERROR_SIZE]);
/* Finds the server, for which the system may be asked what a name means. A server on another machine is refused unless that was allowed; then *wrong is
 * true, since it is the options that are to be changed. False with a line. */
bool bench_options_find(struct bench_options *o, bool *wrong, char error[CLI_ERROR_SIZE]);
bool bench_given(const struct bench_options *o, const char *name);
/* What the person called an option: --url, or JARI_BENCH_URL. */
void bench_option_called(const struct bench_options *o, const char *name, char out[CLI_ENV_NAME_SIZE]);
/* "-" is standard output. */
bool bench_is_standard(const char *file);
const char *bench_op_name(enum bench_op op);
/* One sentence, or two. */
const char *bench_op_help(enum bench_op op);
void bench_help(FILE *out, enum bench_op op);

#endif
