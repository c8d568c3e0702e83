/* copy.c: `jari copy --from URL --to URL`: moving house. */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/copy_tally.h"
#include "cli/keys.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct move {
	const struct cli_options *options;
	struct store *from, *to;
	char from_shown[STORE_SHOWN_SIZE], to_shown[STORE_SHOWN_SIZE];
	struct cli_progress progress;
	int64_t expected; /* rows, when progress is shown */
	int64_t done;     /* rows that were read from either store */
	struct copy_tally source, copy;
	enum store_result result; /* of the imports */
	char error[STORE_ERROR_SIZE];
};

/* ---- opening ---- */

/* What the store says is about --store; here its option is called otherwise. `jari migrate --store` stays what it is. */
static int fail_with_option(const char *error, const char *option)
{
	static const char store[] = "--store", migrate[] = "jari migrate ";
	char line[2 * STORE_ERROR_SIZE];
	size_t n = 0;

	for (const char *p = error; *p != '\0' && n + sizeof(store) < sizeof(line);) {
		bool other =
		    strncmp(p, store, strlen(store)) == 0 &&
		    !(p - error >= (ptrdiff_t)strlen(migrate) && strncmp(p - strlen(migrate), migrate, strlen(migrate)) == 0);

		if (other) {
			n += (size_t)snprintf(line + n, sizeof(line) - n, "%s", option);
			p += strlen(store);
		} else {
			line[n++] = *p++;
		}
	}
	line[n] = '\0';
	return cli_fail("%s", line);
}

/* Two names of one file, or one name twice. That two URLs are of one database is found out by its lock. */
static bool is_same_store(const struct cli_options *o)
{
	const char *from = cli_store_file(o->from), *to = cli_store_file(o->to);
	struct stat a, b;

	if (strcmp(o->from, o->to) == 0)
		return true;
	return from != NULL && to != NULL && stat(from, &a) == 0 && stat(to, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int open_one(const char *url, enum store_mode mode, const char *option, struct store **out)
{
	struct store_options how = {.url = url, .mode = mode, .queue_capacity = JARI_QUEUE_CAPACITY_DEFAULT};
	char error[STORE_ERROR_SIZE];

	return store_open(&how, out, error) == STORE_OK ? CLI_EXIT_OK : fail_with_option(error, option);
}

static int open_both(struct move *m)
{
	const struct cli_options *o = m->options;

	store_shown(o->from, m->from_shown);
	store_shown(o->to, m->to_shown);
	if (is_same_store(o))
		return cli_fail("--from and --to are the same store: %s", m->from_shown);
	if (open_one(o->from, STORE_EXPORT, "--from", &m->from) != CLI_EXIT_OK)
		return CLI_EXIT_FAILED;
	return open_one(o->to, STORE_IMPORT, "--to", &m->to);
}

/* ---- the rows ---- */

static void note_row(struct move *m)
{
	m->done++;
	if (m->progress.shown)
		cli_progress_show(&m->progress, m->done, 2 * m->expected);
}

static bool move_row(void *arg, enum core_kind kind, const void *row)
{
	struct move *m = arg;

	copy_tally_add(&m->source, kind, row);
	note_row(m);
	m->result = store_import_row(m->to, kind, row, m->error);
	return m->result == STORE_OK;
}

static int fail_to_read(const char *shown)
{
	return cli_fail("%s could not be read to its end; the log has the cause", shown);
}

/* Every row of a store. A bar that stops on the way is ended, so that what is said next has a line of its own. */
static enum store_result go_through(struct move *m, struct store *s, store_row_fn fn)
{
	enum store_result result = store_export(s, fn, m);

	if (result != STORE_OK || m->result != STORE_OK)
		cli_progress_end(&m->progress);
	return result;
}

static int move_rows(struct move *m)
{
	int64_t realm;
	bool used;

	if (m->progress.shown && store_count(m->from, &m->expected) != STORE_OK)
		return fail_to_read(m->from_shown);
	if (store_realm(m->from, &realm, &used) != STORE_OK)
		return fail_to_read(m->from_shown);
	if (store_import_begin(m->to, store_clock(m->from), realm, m->error) != STORE_OK)
		return fail_with_option(m->error, "--to");
	if (go_through(m, m->from, move_row) != STORE_OK)
		return fail_to_read(m->from_shown);
	if (m->result == STORE_OK && (m->result = store_import_finish(m->to, m->error)) != STORE_OK)
		cli_progress_end(&m->progress);
	return m->result == STORE_OK ? CLI_EXIT_OK : cli_fail("%s", m->error);
}

/* ---- and what has become of them ---- */

static bool compare_row(void *arg, enum core_kind kind, const void *row)
{
	struct move *m = arg;

	copy_tally_add(&m->copy, kind, row);
	note_row(m);
	return true;
}

static int fail_to_use(const char *why, const struct move *m)
{
	return cli_fail("%s: don't serve %s; empty it and copy again", why, m->to_shown);
}

static int check_books(const struct move *m)
{
	struct cli_audit_sum audit = {.failures_only = true};

	if (cli_audit_run(m->to, &audit) != STORE_OK)
		return cli_fail("all is copied, but the audit of %s could not be finished: run jari audit", m->to_shown);
	if (audit.failed > 0) {
		(void)cli_flush();
		return cli_fail(
		    "all is copied as it was, but %lld of %lld checks fail: look whether jari audit says so of %s too",
		    (long long)audit.failed, (long long)audit.checks, m->from_shown);
	}
	(void)printf("every row was read again and is the same, and all %lld checks of the audit hold\n",
	             (long long)audit.checks);
	return CLI_EXIT_OK;
}

static int check_rows(struct move *m)
{
	if (go_through(m, m->to, compare_row) != STORE_OK)
		return fail_to_read(m->to_shown);
	if (copy_tally_differ(&m->source, &m->copy) > 0) {
		(void)cli_flush();
		return fail_to_use("the copy is not the same", m);
	}
	return store_clock(m->to) < store_clock(m->from) ? fail_to_use("the copy's clock is behind", m) : CLI_EXIT_OK;
}

/* Tokens open nothing with other keys. */
static void name_keys(const struct cli_options *o)
{
	char admin[PATH_MAX], token[PATH_MAX];
	const char *file = cli_store_file(o->from);

	if (file != NULL && cli_key_path(CLI_KEY_ADMIN, file, admin) && cli_key_path(CLI_KEY_TOKEN, file, token) &&
	    access(admin, F_OK) == 0 && access(token, F_OK) == 0)
		(void)printf("the keys are no part of it; serve it with --admin-key-file %s --token-key-file %s\n", admin, token);
	else
		(void)printf(
		    "the keys are no part of it; serve it with the same --admin-key-file and --token-key-file as before\n");
}

static void print_summary(const struct move *m, int64_t us)
{
	int64_t rows = copy_tally_rows(&m->source);

	(void)printf("copied %s to %s: %lld rows in %lld.%02lld s, %lld a second\n", m->from_shown, m->to_shown, (long long)rows,
	             (long long)(us / 1000000), (long long)(us % 1000000 / 10000), (long long)(us > 0 ? rows * 1000000 / us : 0));
	copy_tally_print(&m->source);
}

static int move_all(struct move *m)
{
	int64_t began_us = clock_elapsed_us(), took_us;
	int status = move_rows(m);

	if (status != CLI_EXIT_OK) {
		store_rollback(m->to);
		return status;
	}
	took_us = clock_elapsed_us() - began_us;
	status = check_rows(m);
	if (status != CLI_EXIT_OK)
		return status;
	print_summary(m, took_us);
	status = check_books(m);
	if (status != CLI_EXIT_OK)
		return status;
	name_keys(m->options);
	return cli_flush();
}

int cli_copy(const struct cli_options *options)
{
	struct move m = {.options = options, .progress = cli_progress_begin()};
	int status = open_both(&m);

	if (status == CLI_EXIT_OK)
		status = move_all(&m);
	store_close(m.to);
	store_close(m.from);
	return status;
}
