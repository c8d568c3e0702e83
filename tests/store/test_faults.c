/* test_faults.c: the SQLite store on a disk and in a memory that fail: each read, write, sync, allocation and so on by itself, once, and from there on
 * for good, until none is left that has not failed.
 *
 * Each run is a process of its own. A refusal is told as one, and nothing of it has happened; what failed once is done at the second try; nothing that
 * was committed is lost; the file is intact, and the audit passes. A sync that fails ends the process, and is not asked for again. */
#include "fixture.h"

#include "fault_vfs.h"
#include "sale.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define MEMORY_STEP 149

/* ---- what is done, and on what ---- */

struct scenario {
	const char *name;
	const char *template; /* of the store that it begins with; NULL: there is none yet */
	void (*run)(struct sale *s);
};

static void create(struct sale *s)
{
	sale_prepare(s);
}

static const struct scenario scenarios[] = {
    {"create", NULL, create},
    {"sell", "prepared", sale_sell},
    {"move", "prepared", sale_move},
    {"look", "crashed", sale_look}, /* begins with a log that a crash has left */
};

/* Shared with children. */
struct shared {
	struct sale_told told;
	int64_t nth;
	int64_t played; /* faults, in all */
};

struct stores {
	struct fixture f;
	struct shared *shared;
	uint64_t empty, prepared, crashed; /* digests of the templates */
	char said[300];
	char why[SALE_WHY_SIZE];
	bool looked, was_well; /* at what a process that ends right after the failure leaves */
};

static void template_path(const struct stores *t, const char *name, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/%s.db", t->f.folder, name);
}

static int make_templates(void **state)
{
	struct stores *t = test_calloc(1, sizeof *t);
	void *made = NULL;
	char prepared[320], crashed[320];
	struct sale s = {0};
	(void)make_folder(&made);
	t->f = *(struct fixture *)made;
	test_free(made);
	(void)snprintf(t->said, sizeof t->said, "%s/said", t->f.folder);
	template_path(t, "prepared", prepared, sizeof prepared);
	template_path(t, "crashed", crashed, sizeof crashed);
	t->shared = mmap(NULL, sizeof *t->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(t->shared != MAP_FAILED);
	struct sale_told *told = &t->shared->told;
	assert_true(sale_open(&s, t->f.path, told));
	assert_int_equal(sale_digest(s.store, &t->empty), STORE_OK);
	told->committed = t->empty;
	sale_prepare(&s);
	sale_check(&s);
	t->prepared = told->committed;
	sale_close(&s);
	copy_store(t->f.path, prepared);
	assert_true(sale_open(&s, t->f.path, told));
	sale_sell(&s);
	sale_check(&s);
	t->crashed = told->committed;
	copy_store(t->f.path, crashed);
	sale_close(&s);
	assert_int_equal(told->refusals, 0);
	*state = t;
	return 0;
}

static int remove_templates(void **state)
{
	struct stores *t = *state;
	print_message("# %lld faults were played\n", (long long)t->shared->played);
	remove_folder(t->f.folder);
	test_free(t);
	return 0;
}

/* Afterwards, on a disk that is well. */
static bool store_is_well(struct stores *t)
{
	const struct sale_told *told = &t->shared->told;
	const uint64_t may_be[] = {told->committed, told->maybe};
	return sale_is_well(t->f.path, may_be, 2, told->clock, t->why);
}

/* ---- a run ---- */

static void begin(struct stores *t, const struct scenario *sc)
{
	char path[320];
	template_path(t, sc->template ? sc->template : "none", path, sizeof path);
	copy_store(path, t->f.path);
	struct sale_told *told = &t->shared->told;
	*told = (struct sale_told){.committed = t->empty};
	if (sc->template)
		told->committed = strcmp(sc->template, "prepared") == 0 ? t->prepared : t->crashed;
	told->maybe = told->committed;
}

/* The next that is told after a failure is there also when the process ends right then: a write that was not made can't hide behind later ones. */
static void look_once(void *arg)
{
	struct stores *t = arg;
	const struct sale_told *told = &t->shared->told;
	const uint64_t may_be[] = {told->committed, told->maybe};
	char path[340];
	if (t->looked || !fault_struck())
		return;
	template_path(t, "ended", path, sizeof path);
	fault_pause(true);
	copy_store(t->f.path, path);
	t->looked = true;
	t->was_well = sale_is_well(path, may_be, 2, told->clock, t->why);
	fault_pause(false);
}

/* In a process that may be ended by it. */
static bool run_sale(struct stores *t, const struct scenario *sc, const struct fault_plan *plan)
{
	struct sale s = {.tries = plan->for_good ? 1 : 2};
	bool writes = plan->kind == FAULT_WRITE || plan->kind == FAULT_TRUNCATE;
	bool must_go_on = !plan->for_good && plan->kind != FAULT_SYNC;
	s.after = writes ? look_once : NULL;
	s.after_arg = t;
	t->looked = false;
	fault_arm(plan);
	bool open = sale_open(&s, t->f.path, &t->shared->told);
	if (!open && must_go_on)
		open = sale_open(&s, t->f.path, &t->shared->told); /* started again */
	if (open) {
		sc->run(&s);
		fault_pause(true);
		sale_check(&s);
		fault_pause(false);
		sale_close(&s);
	}
	fault_pause(true);
	if (t->looked && !t->was_well)
		return false;
	if (must_go_on && (!open || s.given_up))
		return sale_no(t->why, "it did not go on by itself");
	if (plan->kind == FAULT_SYNC && fault_struck() && open)
		return sale_no(t->why, "a refused sync has not ended the process");
	return fault_syncs_after() == 0 || sale_no(t->why, "after a refused sync another was asked for");
}

/* Runs from `plan` on until nothing fails any more. What is said goes to a file, from the beginning with each run. */
_Noreturn static void work(struct stores *t, const struct scenario *sc, struct fault_plan plan)
{
	int said = open(t->said, O_RDWR | O_CREAT | O_TRUNC, 0644);
	(void)signal(SIGABRT, SIG_DFL); /* cmocka's handler would report a failed test */
	(void)dup2(said, STDERR_FILENO);
	for (bool more = true; more; plan.nth += plan.step) {
		if (ftruncate(said, 0) != 0)
			_exit(SALE_WRONG);
		(void)lseek(said, 0, SEEK_SET);
		t->shared->nth = plan.nth;
		begin(t, sc);
		if (!run_sale(t, sc, &plan) || !store_is_well(t)) {
			(void)fprintf(stderr, "%s\n", t->why);
			_exit(SALE_WRONG);
		}
		t->shared->played += fault_struck();
		more = fault_struck() && !plan.alone;
	}
	_exit(fault_leaks() ? SALE_LEAKS : 0);
}

static void tell_said(const struct stores *t)
{
	char line[600];
	FILE *file = fopen(t->said, "r");
	while (file && fgets(line, sizeof line, file))
		print_error("  %s", line);
	if (file)
		fclose(file);
}

static void fail_run(const struct stores *t, const struct scenario *sc, const struct fault_plan *plan, const char *why)
{
	static const char *const wrote[] = {"", ", half written", ", written all the same"};
	tell_said(t);
	fail_msg("%s: %s %lld fails%s%s%s: %s", sc->name, fault_name(plan->kind), (long long)t->shared->nth,
	         plan->for_good ? " and all after it" : "", wrote[plan->wrote], plan->full ? ", full" : "", why);
}

/* True when the process was ended as it must be after a refused sync; then the store is looked at from here. */
static bool ended_by_a_sync(struct stores *t, const struct fault_plan *plan, int status)
{
	fault_pause(true);
	return plan->kind == FAULT_SYNC && fault_struck() && fault_syncs_after() == 0 && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGABRT && store_is_well(t);
}

/* How many runs there were. */
static int64_t run_all(struct stores *t, const struct scenario *sc, struct fault_plan plan)
{
	for (;;) {
		int status;
		t->why[0] = '\0';
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			work(t, sc, plan);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return t->shared->nth;
		if (!ended_by_a_sync(t, &plan, status))
			fail_run(t, sc, &plan, t->why[0] ? t->why : "see above");
		t->shared->played++;
		if (plan.alone)
			return t->shared->nth;
		plan.nth = t->shared->nth + plan.step;
	}
}

/* There are some twenty thousand allocations, and a write can fail in three ways: each run takes others of these. JARI_FAULTS=all takes every one. */
static void choose(struct fault_plan *plan)
{
	const char *asked = getenv("JARI_FAULTS");
	plan->step = 1;
	if (!asked || strcmp(asked, "all") != 0)
		plan->step = plan->kind == FAULT_MEMORY ? MEMORY_STEP : plan->wrote != WROTE_NOTHING && !plan->for_good ? 4 : 1;
	plan->nth = 1 + clock_elapsed_us() % plan->step;
}

static void run_kind(void **state, struct fault_plan plan)
{
	for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
		choose(&plan);
		(void)run_all(*state, &scenarios[i], plan);
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
EVERY(each_write_fails_though_all_was_written, .kind = FAULT_WRITE, .wrote = WROTE_ALL)
EVERY(each_write_fails_for_good, .kind = FAULT_WRITE, .for_good = true, .wrote = WROTE_HALF, .full = true)
EVERY(each_sync_fails_once, .kind = FAULT_SYNC)
EVERY(each_sync_fails_for_good, .kind = FAULT_SYNC, .for_good = true)
EVERY(each_truncation_fails_once, .kind = FAULT_TRUNCATE)
EVERY(each_truncation_fails_for_good, .kind = FAULT_TRUNCATE, .for_good = true)
EVERY(each_opening_fails_once, .kind = FAULT_OPEN)
EVERY(each_opening_fails_for_good, .kind = FAULT_OPEN, .for_good = true)
EVERY(each_look_at_a_size_fails_once, .kind = FAULT_SIZE)
EVERY(each_look_at_a_size_fails_for_good, .kind = FAULT_SIZE, .for_good = true)
EVERY(each_deletion_fails_once, .kind = FAULT_DELETE)
EVERY(each_deletion_fails_for_good, .kind = FAULT_DELETE, .for_good = true)
EVERY(each_lock_fails_once, .kind = FAULT_LOCK)
EVERY(each_lock_fails_for_good, .kind = FAULT_LOCK, .for_good = true)
EVERY(each_use_of_shared_memory_fails_once, .kind = FAULT_SHARED)
EVERY(each_use_of_shared_memory_fails_for_good, .kind = FAULT_SHARED, .for_good = true)
EVERY(each_allocation_fails_once, .kind = FAULT_MEMORY)
EVERY(each_allocation_fails_for_good, .kind = FAULT_MEMORY, .for_good = true)

/* ---- one by hand: test_store_faults SCENARIO KIND NTH [good] ---- */

static struct {
	const struct scenario *scenario;
	struct fault_plan plan;
} by_hand;

static void one_by_hand(void **state)
{
	struct stores *t = *state;
	(void)run_all(t, by_hand.scenario, by_hand.plan);
	tell_said(t);
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		print_message("# %s: %lld\n", fault_name(kind), (long long)fault_seen(kind));
}

static int run_by_hand(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(one_by_hand)};
	for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
		if (strcmp(scenarios[i].name, argv[1]) == 0)
			by_hand.scenario = &scenarios[i];
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		if (strcmp(fault_name(kind), argv[2]) == 0)
			by_hand.plan.kind = kind;
	by_hand.plan.nth = strtol(argv[3], NULL, 10);
	by_hand.plan.for_good = argc > 4;
	by_hand.plan.alone = true;
	return by_hand.scenario ? cmocka_run_group_tests_name("one fault", tests, make_templates, remove_templates) : 2;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_read_fails_once),
	    cmocka_unit_test(each_read_fails_for_good),
	    cmocka_unit_test(each_write_fails_once),
	    cmocka_unit_test(each_write_fails_half_way),
	    cmocka_unit_test(each_write_fails_though_all_was_written),
	    cmocka_unit_test(each_write_fails_for_good),
	    cmocka_unit_test(each_sync_fails_once),
	    cmocka_unit_test(each_sync_fails_for_good),
	    cmocka_unit_test(each_truncation_fails_once),
	    cmocka_unit_test(each_truncation_fails_for_good),
	    cmocka_unit_test(each_opening_fails_once),
	    cmocka_unit_test(each_opening_fails_for_good),
	    cmocka_unit_test(each_look_at_a_size_fails_once),
	    cmocka_unit_test(each_look_at_a_size_fails_for_good),
	    cmocka_unit_test(each_deletion_fails_once),
	    cmocka_unit_test(each_deletion_fails_for_good),
	    cmocka_unit_test(each_lock_fails_once),
	    cmocka_unit_test(each_lock_fails_for_good),
	    cmocka_unit_test(each_use_of_shared_memory_fails_once),
	    cmocka_unit_test(each_use_of_shared_memory_fails_for_good),
	    cmocka_unit_test(each_allocation_fails_once),
	    cmocka_unit_test(each_allocation_fails_for_good),
	};
	fault_open();
	if (argc > 3)
		return run_by_hand(argc, argv);
	return cmocka_run_group_tests_name("faults", tests, make_templates, remove_templates);
}
