/* cli.h: the commands, and what they share.
 *
 * Each command is a function from the options to the exit status: 0 fine, 1 something failed and one line on standard error
 * said what, 2 the command line was wrong.
 * Ownership: options stay the caller's. Threads: the main thread. Errors: printed here, once, by cli_fail. */
#ifndef JARI_CLI_CLI_H
#define JARI_CLI_CLI_H

#include "base/limits.h"
#include "cli/options.h"
#include "engine/engine.h"
#include "store/store.h"

enum { CLI_EXIT_OK = 0, CLI_EXIT_FAILED = 1, CLI_EXIT_USAGE = 2 };

int cli_serve(const struct cli_options *options);
int cli_import(const struct cli_options *options);
int cli_audit(const struct cli_options *options);
int cli_backup(const struct cli_options *options);
int cli_copy(const struct cli_options *options);
int cli_migrate(const struct cli_options *options);

/* Prints `jari: …` as one line on standard error, and returns CLI_EXIT_FAILED. */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Flushes standard output: CLI_EXIT_OK, or CLI_EXIT_FAILED after saying that what was printed did not arrive. */
int cli_flush(void);

/* A bar on standard error, when that is a terminal. */
struct cli_progress {
	bool shown;
	int64_t total, percent;
};
struct cli_progress cli_progress_begin(void);
void cli_progress_show(void *progress, int64_t done, int64_t total);
/* Ends a bar that did not come to its end. */
void cli_progress_end(const struct cli_progress *p);

/* Every check of the audit over an open store, each printed on a line. */
struct cli_audit_sum {
	bool failures_only; /* print no others */
	int64_t checks, failed;
};
enum store_result cli_audit_run(struct store *store, struct cli_audit_sum *sum);

/* The path of a store's file, NULL when it has none. */
const char *cli_store_file(const char *url);
/* Makes the folder of the default store when no other was asked for. False after saying why not. */
bool cli_make_default_folder(const struct cli_options *options);
/* Opens the store that the options name; the caller closes it. `error` has a line when the result is not STORE_OK. */
enum store_result cli_store_open(const struct cli_options *options, enum store_mode mode, struct store **out,
                                 char error[STORE_ERROR_SIZE]);

/* What the engine is to do when the server's options do not matter (import) or do (serve). */
struct core_rules cli_rules(const struct cli_options *options);

/* Decides a catalogue through the engine, and waits. The reply's texts and ids are in `arena`. True when it was taken; otherwise
 * `why` has a sentence. */
bool cli_add_catalogue(struct engine *engine, const struct core_catalogue *doc, const char *actor, bool only_if_empty,
                       struct arena *arena, struct core_reply *reply, struct buf *why);

#endif
