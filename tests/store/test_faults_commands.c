/* test_faults_commands.c: `jari backup`, `jari copy` and `jari import` on a disk and in a memory that fail: each read, write, sync, allocation and so on
 * by itself, once, and from there on for good, until none is left that has not failed.
 *
 * Each run is a process of its own. Where it ends well, all is there. Where it does not, it says why and ends with status 1 (a sync of a store's log that
 * is refused ends it at once, as it ends a server); the source is as it was, a backup leaves no file, a copy leaves all or nothing, an import has
 * changed nothing. On a disk that is well the same command then does it. */
#include "fixture.h"

#include "cli/cli.h"
#include "base/clock.h"
#include "fault_vfs.h"
#include "sale.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MEMORY_STEP 211
#define OTHER_STEP 4
#define SAID_SIZE 4000
#define LOOK_AGAIN \
	5 /* one in so many: whether memory was lost, and whether the command can be done afterwards, are slow to see */

static const char catalogue[] =
    "{\"concerts\":[{\"title\":\"Late\",\"artist\":\"Cara\",\"venue\":\"Hall\",\"shows\":[{\"startsAt\":\"2031-05-05T20:00:00Z\","
    "\"sections\":[{\"name\":\"A\",\"rows\":[{\"from\":1,\"to\":9}],\"price\":5000}]}]}]}";

struct scene;
struct command {
	const char *name;
	int (*run)(const struct cli_options *options);
	const char *arguments[5]; /* behind the name; FROM, TO … are replaced by paths */
	bool (*is_right)(struct scene *s, bool done);
};

struct scene {
	struct fixture f;
	char from[330], to[330], template[330], said[330], document[330];
	uint64_t whole, empty,
	    small; /* digests: of the source; of a store without anything in it, as `jari copy` makes it; of one that a test makes */
	int64_t rows_before, rows_after;
	int64_t played;
	char why[SALE_WHY_SIZE];
};

/* ---- what must hold afterwards, on a disk that is well ---- */

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool is_same_file(const char *a, const char *b)
{
	char x[4096], y[4096];
	FILE *f = fopen(a, "r"), *g = fopen(b, "r");
	bool same = f && g;
	for (size_t n = 1; same && n > 0;) {
		n = fread(x, 1, sizeof x, f);
		same = n == fread(y, 1, sizeof y, g) && memcmp(x, y, n) == 0;
	}
	if (f)
		fclose(f);
	if (g)
		fclose(g);
	return same;
}

/* The source and its log, byte for byte. */
static bool source_is_untouched(struct scene *s)
{
	char log[340], was[340];
	(void)snprintf(log, sizeof log, "%s-wal", s->from);
	(void)snprintf(was, sizeof was, "%s-wal", s->template);
	return (is_same_file(s->from, s->template) && is_same_file(log, was)) || sale_no(s->why, "the source was changed");
}

/* A copy that is not whole has a name that begins like its destination's. */
static bool is_partial_left(const struct scene *s)
{
	bool left = false;
	DIR *dir = opendir(s->f.folder);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		left = left || strncmp(entry->d_name, "to.db.", strlen("to.db.")) == 0;
	if (dir)
		closedir(dir);
	return left || !dir;
}

static bool backup_is_right(struct scene *s, bool done)
{
	if (!source_is_untouched(s))
		return false;
	if (is_partial_left(s))
		return sale_no(s->why, "half a backup was left");
	if (!done)
		return !exists(s->to) || sale_no(s->why, "a backup that failed was left");
	return sale_is_well(s->to, &s->whole, 1, 0, s->why);
}

static bool copy_is_right(struct scene *s, bool done)
{
	const uint64_t may_be[] = {s->whole, s->empty, s->small};
	if (!source_is_untouched(s))
		return false;
	if (!done && !exists(s->to))
		return true;
	return sale_is_well(s->to, may_be, done ? 1 : 3, 0, s->why);
}

static int64_t rows_of(struct scene *s, uint64_t *digest)
{
	char url[340], error[STORE_ERROR_SIZE] = "";
	struct store *store;
	int64_t rows = -1;
	(void)snprintf(url, sizeof url, "sqlite:%s", s->to);
	if (open_url(url, STORE_READ, &store, error) != STORE_OK)
		return sale_no(s->why, "%s", error) - 1;
	if (store_count(store, &rows) != STORE_OK || sale_digest(store, digest) != STORE_OK)
		rows = -1;
	store_close(store);
	return rows;
}

/* Its store is its own source: all of the document or nothing. */
static bool import_is_right(struct scene *s, bool done)
{
	uint64_t digest = 0;
	int64_t rows = rows_of(s, &digest);
	if (rows != (done ? s->rows_after : s->rows_before))
		return sale_no(s->why, "%s, and there are %lld rows", done ? "done" : "not done", (long long)rows);
	return sale_is_well(s->to, &digest, 1, 0, s->why);
}

static const struct command commands[] = {
    {"backup", cli_backup, {"--store", "FROM", "TO"}, backup_is_right},
    {"copy", cli_copy, {"--from", "FROM", "--to", "INTO"}, copy_is_right},
    {"import", cli_import, {"--store", "INTO", "DOCUMENT"}, import_is_right},
};

/* ---- a run ---- */

static const struct fault_plan well = {.kind = FAULT_READ, .step = 1}; /* nothing fails */

static void begin(struct scene *s, const struct command *c)
{
	char path[400];
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", "-lock"};
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		(void)snprintf(path, sizeof path, "%s%s", s->to, suffixes[i]);
		(void)unlink(path);
	}
	copy_store(s->template, c->run == cli_import ? s->to : s->from);
}

/* In a child. */
static int run_command(const struct scene *s, const struct command *c)
{
	char from[340], into[340], error[CLI_ERROR_SIZE], name[16];
	char *argv[8] = {(char[]){"jari"}, name};
	struct cli_options options;
	int argc = 2;
	(void)snprintf(name, sizeof name, "%s", c->name);
	(void)snprintf(from, sizeof from, "sqlite:%s", s->from);
	(void)snprintf(into, sizeof into, "sqlite:%s", s->to);
	for (size_t i = 0; i < 5 && c->arguments[i]; i++) {
		const char *a = c->arguments[i];
		const char *meant = strcmp(a, "FROM") == 0       ? from
		                    : strcmp(a, "INTO") == 0     ? into
		                    : strcmp(a, "TO") == 0       ? s->to
		                    : strcmp(a, "DOCUMENT") == 0 ? s->document
		                                                 : a;
		argv[argc++] = (char *)(uintptr_t)meant;
	}
	if (cli_options_parse(argc, argv, &options, error) != CLI_RUN) {
		(void)fprintf(stderr, "%s\n", error);
		return CLI_EXIT_USAGE;
	}
	return c->run(&options);
}

static int wait_for(pid_t child)
{
	int status;
	assert_true(child >= 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* Its wait status. What it says goes to a file. */
static int play(struct scene *s, const struct command *c, const struct fault_plan *plan)
{
	pid_t child = fork();
	if (child == 0) {
		int said = open(s->said, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0644);
		(void)signal(SIGABRT, SIG_DFL); /* cmocka's handler would report a failed test */
		if (said < 0 || dup2(said, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
			_exit(SALE_WRONG);
		fault_arm(plan);
		int status = run_command(s, c);
		fault_pause(true);
		(void)fflush(stdout);
		_exit(plan->nth / plan->step % LOOK_AGAIN == 0 && fault_leaks() ? SALE_LEAKS : status);
	}
	int status = wait_for(child);
	fault_pause(true);
	return status;
}

static void read_said(const struct scene *s, char out[SAID_SIZE])
{
	FILE *file = fopen(s->said, "r");
	size_t n = file ? fread(out, 1, SAID_SIZE - 1, file) : 0;
	out[n] = '\0';
	if (file)
		fclose(file);
}

/* In one line of its own, with a reason. */
static bool says_why(struct scene *s)
{
	char said[SAID_SIZE];
	read_said(s, said);
	const char *line = strncmp(said, "jari: ", 6) == 0 ? said : strstr(said, "\njari: ");
	return (line && strcspn(line + 7, "\n") > 20) || sale_no(s->why, "it does not say why");
}

static bool ended_by_a_sync(const struct fault_plan *plan, int status)
{
	return plan->kind == FAULT_SYNC && fault_struck() && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static bool went_as_it_must(struct scene *s, const struct command *c, const struct fault_plan *plan, int status)
{
	bool struck = fault_struck(), done = WIFEXITED(status) && WEXITSTATUS(status) == CLI_EXIT_OK;
	if (done)
		return c->is_right(s, true);
	if (!struck)
		return sale_no(s->why, "it failed by itself");
	if (ended_by_a_sync(plan, status)) /* whether it was done nobody knows */
		return c->is_right(s, false) || c->is_right(s, true);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != CLI_EXIT_FAILED)
		return sale_no(s->why, "it ended with wait status %d", status);
	return says_why(s) && c->is_right(s, false);
}

/* What a command has left when it failed is no obstacle to the same command. A copy that had been written before it failed is refused as one. */
static bool can_be_done_again(struct scene *s, const struct command *c)
{
	char said[SAID_SIZE];
	int status = play(s, c, &well);
	read_said(s, said);
	if (c->run == cli_copy && status != 0 && strstr(said, "is not empty"))
		return true;
	return (status == 0 || sale_no(s->why, "it can't be done afterwards")) && c->is_right(s, true);
}

static void tell(struct scene *s, const struct command *c, const struct fault_plan *plan)
{
	char said[SAID_SIZE];
	static const char *const wrote[] = {"", ", half written", ", written all the same"};
	read_said(s, said);
	fail_msg("jari %s: %s %lld fails%s%s%s: %s\n%s", c->name, fault_name(plan->kind), (long long)plan->nth,
	         plan->for_good ? " and all after it" : "", wrote[plan->wrote], plan->full ? ", full" : "", s->why, said);
}

static void run_all(struct scene *s, const struct command *c, struct fault_plan plan)
{
	for (bool more = true; more; plan.nth += plan.step) {
		begin(s, c);
		s->why[0] = '\0';
		int status = play(s, c, &plan);
		bool struck = more = fault_struck();
		s->played += struck;
		if (!went_as_it_must(s, c, &plan, status))
			tell(s, c, &plan);
		if (struck && status != 0 && plan.nth / plan.step % LOOK_AGAIN == 0) {
			begin(s, c);
			status = play(s, c, &plan);
			/* The engine's threads read too, so another may have been the nth, and all went well; what a sync has ended may have been done. */
			bool failed = status != 0 && (c->run != cli_import || WIFEXITED(status));
			if (failed && !can_be_done_again(s, c))
				tell(s, c, &plan);
		}
		more = more && !plan.alone;
	}
}

/* There are thousands of allocations and some hundred reads, writes and locks: each run takes others of these. JARI_FAULTS=all takes every one. */
static int64_t step_of(enum fault_kind kind)
{
	const char *asked = getenv("JARI_FAULTS");
	if (asked && strcmp(asked, "all") == 0)
		return 1;
	return kind == FAULT_MEMORY ? MEMORY_STEP : kind == FAULT_SYNC || kind == FAULT_OPEN ? 1 : OTHER_STEP;
}

static void run_kind(void **state, struct fault_plan plan)
{
	plan.step = step_of(plan.kind);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		plan.nth = 1 + clock_elapsed_us() % plan.step;
		run_all(*state, &commands[i], plan);
	}
}

#define EVERY(name, ...)                                           \
	static void name(void **state)                             \
	{                                                          \
		run_kind(state, (struct fault_plan){__VA_ARGS__}); \
	}

EVERY(each_read_fails_once, .kind = FAULT_READ)
EVERY(each_read_fails_for_good, .kind = FAULT_READ, .for_good = true)
EVERY(each_write_fails_once, .kind = FAULT_WRITE)
EVERY(each_write_fails_half_way, .kind = FAULT_WRITE, .wrote = WROTE_HALF)
EVERY(each_write_meets_a_full_disk, .kind = FAULT_WRITE, .for_good = true, .wrote = WROTE_HALF, .full = true)
EVERY(each_sync_fails_once, .kind = FAULT_SYNC)
EVERY(each_truncation_fails_once, .kind = FAULT_TRUNCATE)
EVERY(each_opening_fails_once, .kind = FAULT_OPEN)
EVERY(each_look_at_a_size_fails_once, .kind = FAULT_SIZE)
EVERY(each_deletion_fails_once, .kind = FAULT_DELETE)
EVERY(each_lock_fails_once, .kind = FAULT_LOCK)
EVERY(each_use_of_shared_memory_fails_once, .kind = FAULT_SHARED)
EVERY(each_allocation_fails_once, .kind = FAULT_MEMORY)
EVERY(each_allocation_fails_for_good, .kind = FAULT_MEMORY, .for_good = true)

/* ---- the scene ---- */

static void make_sources(struct scene *s)
{
	struct sale sale = {0};
	struct sale_told told = {0};
	struct store *store;
	char error[STORE_ERROR_SIZE];
	struct store_options as_copied = {.url = s->f.url, .mode = STORE_SERVE, .queue_capacity = JARI_QUEUE_CAPACITY_DEFAULT};
	assert_int_equal(store_open(&as_copied, &store, error), STORE_OK);
	assert_int_equal(sale_digest(store, &s->empty), STORE_OK);
	store_close(store);
	assert_int_equal(unlink(s->f.path), 0);
	assert_true(sale_open(&sale, s->f.path, &told));
	assert_int_equal(sale_digest(sale.store, &s->small), STORE_OK);
	told.committed = s->small;
	sale_prepare(&sale);
	sale_sell(&sale);
	sale_check(&sale);
	copy_store(s->f.path, s->template); /* with its log, as a crash leaves it */
	s->whole = told.committed;
	sale_close(&sale);
	FILE *file = fopen(s->document, "w");
	assert_true(file && fputs(catalogue, file) >= 0 && fclose(file) == 0);
}

/* What an import makes is seen from one that nothing goes wrong with. */
static void import_once(struct scene *s)
{
	uint64_t digest;
	const struct command *import = &commands[2];
	begin(s, import);
	s->rows_before = rows_of(s, &digest);
	if (play(s, import, &well) != 0)
		tell(s, import, &well);
	s->rows_after = rows_of(s, &digest);
	assert_true(s->rows_before > 10 && s->rows_after >= s->rows_before + 11);
}

static int set_up(void **state)
{
	struct scene *s = test_calloc(1, sizeof *s);
	void *made = NULL;
	(void)make_folder(&made);
	s->f = *(struct fixture *)made;
	test_free(made);
	(void)snprintf(s->from, sizeof s->from, "%s/from.db", s->f.folder);
	(void)snprintf(s->to, sizeof s->to, "%s/to.db", s->f.folder);
	(void)snprintf(s->template, sizeof s->template, "%s/template.db", s->f.folder);
	(void)snprintf(s->said, sizeof s->said, "%s/said", s->f.folder);
	(void)snprintf(s->document, sizeof s->document, "%s/catalogue.json", s->f.folder);
	*state = s;
	make_sources(s);
	import_once(s);
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	print_message("# %lld faults were played\n", (long long)s->played);
	remove_folder(s->f.folder);
	test_free(s);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_read_fails_once),           cmocka_unit_test(each_read_fails_for_good),
	    cmocka_unit_test(each_write_fails_once),          cmocka_unit_test(each_write_fails_half_way),
	    cmocka_unit_test(each_write_meets_a_full_disk),   cmocka_unit_test(each_sync_fails_once),
	    cmocka_unit_test(each_truncation_fails_once),     cmocka_unit_test(each_opening_fails_once),
	    cmocka_unit_test(each_look_at_a_size_fails_once), cmocka_unit_test(each_deletion_fails_once),
	    cmocka_unit_test(each_lock_fails_once),           cmocka_unit_test(each_use_of_shared_memory_fails_once),
	    cmocka_unit_test(each_allocation_fails_once),     cmocka_unit_test(each_allocation_fails_for_good),
	};
	fault_open();
	return cmocka_run_group_tests_name("faults of commands", tests, set_up, tear_down);
}
