/* test_power.c: the power is cut at each write, each sync and each other thing that the disk is told during a sale on the SQLite store. What was not synced
 * is lost, torn at sectors, or written in another order (power_cut.h). Started again, the store holds every commit that was told of, in their order
 * without a gap, the file is intact, the audit passes, and the sale goes on.
 *
 * Each run takes seeds of its own beside two fixed ones; JARI_FAULTS=all takes more. A failure names the event and the seed, and
 * `test_store_power EVENT SEED` does that one again. */
#include "fixture.h"

#include "base/clock.h"
#include "fault_vfs.h"
#include "power_cut.h"
#include "sale.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SEEDS 3
#define SEEDS_ALL 40

/* Shared with children. */
struct shared {
	struct sale_told told;
	uint64_t digests[SALE_COMMITS_MAX];
};

struct world_of_cuts {
	struct fixture f;
	struct shared *shared;
	char cut[300], path[320]; /* the folder of what a cut leaves, the store in it */
	char why[SALE_WHY_SIZE];
};

static int make(void **state)
{
	struct world_of_cuts *w = test_calloc(1, sizeof *w);
	void *made = NULL;
	(void)make_folder(&made);
	w->f = *(struct fixture *)made;
	test_free(made);
	(void)snprintf(w->cut, sizeof w->cut, "%s-cut", w->f.folder);
	(void)snprintf(w->path, sizeof w->path, "%s/jari.db", w->cut);
	assert_int_equal(mkdir(w->cut, 0700), 0);
	w->shared = mmap(NULL, sizeof *w->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(w->shared != MAP_FAILED);
	*state = w;
	return 0;
}

static int unmake(void **state)
{
	struct world_of_cuts *w = *state;
	remove_folder(w->f.folder);
	remove_folder(w->cut);
	(void)munmap(w->shared, sizeof *w->shared);
	test_free(w);
	return 0;
}

static void remove_files(const char *folder)
{
	remove_folder(folder);
	assert_int_equal(mkdir(folder, 0700), 0);
}

/* A new store; its content is commit 0. */
static void open_new(struct world_of_cuts *w, struct sale *s)
{
	*w->shared = (struct shared){0};
	*s = (struct sale){.marks = true, .digests = w->shared->digests};
	assert_true(sale_open(s, w->f.path, &w->shared->told));
	assert_int_equal(sale_digest(s->store, &w->shared->digests[0]), STORE_OK);
	w->shared->told.committed = w->shared->told.maybe = w->shared->digests[0];
}

static void open_again_to_sell(struct world_of_cuts *w, struct sale *s)
{
	*s = (struct sale){.marks = true, .digests = w->shared->digests};
	assert_true(sale_open(s, w->f.path, &w->shared->told));
}

/* ---- at each event ---- */

struct range {
	int64_t told, begun; /* commits */
};

static void note_mark(struct range *r, const struct journal_event *e)
{
	if (e->what != JOURNAL_MARK)
		return;
	if (e->n == SALE_MARK_TOLD(e->n / 2))
		r->told = e->n / 2;
	else
		r->begun = e->n / 2;
}

static bool cut(struct world_of_cuts *w, const struct cut_disk *d, const struct range *r, uint64_t seed)
{
	char shm[400];
	(void)snprintf(shm, sizeof shm, "%s-shm", w->path);
	(void)unlink(shm);
	cut_disk_write(d, seed, w->cut);
	return sale_is_well(w->path, w->shared->digests + r->told, (size_t)(r->begun - r->told) + 1, 0, w->why);
}

static void cut_at(struct world_of_cuts *w, const struct cut_disk *d, const struct range *r, size_t event, uint64_t seed)
{
	static const char *const names[] = {"create",    "delete",      "write",       "truncate", "sync begins",
	                                    "sync ends", "sync failed", "folder sync", "mark"};
	size_t n;
	const struct journal_event *e = &journal_end(&n)[event];
	if (!cut(w, d, r, seed))
		fail_msg("event %zu (%s %s, %lld bytes at %lld), seed %llu, commits %lld to %lld: %s", event, names[e->what],
		         e->name, (long long)e->n, (long long)e->at, (unsigned long long)seed, (long long)r->told,
		         (long long)r->begun, w->why);
}

static uint64_t seeds(void)
{
	const char *asked = getenv("JARI_FAULTS");
	return asked && strcmp(asked, "all") == 0 ? SEEDS_ALL : SEEDS;
}

static struct {
	bool is_given;
	size_t event;
	uint64_t seed;
} by_hand;

static void cut_everywhere(struct world_of_cuts *w)
{
	size_t n;
	const struct journal_event *events = journal_end(&n);
	uint64_t base = (uint64_t)clock_elapsed_us() % 1000000;
	struct cut_disk *d = cut_disk_new(events, 0);
	struct range r = {0};
	for (size_t i = 0; i < n; i++) {
		(void)cut_disk_next(d);
		note_mark(&r, &events[i]);
		if (events[i].what == JOURNAL_MARK)
			continue;
		for (uint64_t seed = 0; seed < seeds() && !by_hand.is_given; seed++)
			cut_at(w, d, &r, i, seed < 2 ? seed : base + i * SEEDS_ALL + seed);
		if (by_hand.is_given && by_hand.event == i)
			cut_at(w, d, &r, i, by_hand.seed);
	}
	cut_disk_free(d);
	assert_true(n > 300);
}

static void the_power_is_cut_at_every_event(void **state)
{
	struct world_of_cuts *w = *state;
	struct sale s;
	journal_begin();
	open_new(w, &s);
	sale_prepare(&s);
	sale_sell(&s);
	sale_move(&s);
	sale_close(&s);
	open_again_to_sell(w, &s);
	sale_move(&s);
	sale_close(&s);
	assert_int_equal(w->shared->told.refusals, 0);
	cut_everywhere(w);
}

/* ---- a sync that failed ---- */

/* Sells in a process that the nth sync ends. */
_Noreturn static void sell_until_refused(struct world_of_cuts *w, int64_t nth)
{
	struct sale s;
	(void)signal(SIGABRT, SIG_DFL); /* cmocka's handler would report a failed test */
	if (!freopen("/dev/null", "w", stderr))
		_exit(SALE_WRONG);
	open_new(w, &s);
	fault_arm(&(struct fault_plan){.kind = FAULT_SYNC, .nth = nth});
	sale_prepare(&s);
	sale_sell(&s);
	sale_move(&s);
	sale_close(&s);
	_exit(0);
}

/* Started again, what the last process has left is read from the system's memory, whether it is on the disk or not. */
static void go_on(struct world_of_cuts *w, struct sale *s)
{
	struct sale_told *told = &w->shared->told;
	uint64_t digest;
	open_again_to_sell(w, s);
	assert_int_equal(sale_digest(s->store, &digest), STORE_OK);
	assert_true(digest == told->committed || digest == told->maybe);
	if (digest != told->committed)
		told->commits++;
	told->committed = digest;
	s->keeps_log = true;
	s->concert_id = 0; /* the main queue: the concert may not be there */
	sale_meet(s);
	assert_true(told->refusals == 0 && !s->given_up);
}

static void cut_at_the_end(struct world_of_cuts *w, uint64_t left)
{
	size_t n;
	const struct journal_event *events = journal_end(&n);
	struct cut_disk *d = cut_disk_new(events, left);
	struct range r = {0};
	for (size_t i = 0; i < n; i++) {
		(void)cut_disk_next(d);
		note_mark(&r, &events[i]);
	}
	assert_int_equal(r.told, w->shared->told.commits);
	for (uint64_t seed = 0; seed < 2; seed++)
		cut_at(w, d, &r, n - 1, seed);
	cut_disk_free(d);
}

/* The writes of a sync that failed may be lost, and no later sync says so. What is told after the next start does not stand on them. */
static void nothing_stands_on_what_a_refused_sync_has_left(void **state)
{
	struct world_of_cuts *w = *state;
	for (int64_t nth = 1;; nth++) {
		int status;
		struct sale s;
		size_t ignored;
		assert_true(w->f.folder[0]);
		remove_files(w->f.folder);
		journal_begin();
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			sell_until_refused(w, nth);
		assert_int_equal(waitpid(child, &status, 0), child);
		fault_pause(true);
		if (!fault_struck()) {
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0 && nth > 20);
			return;
		}
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		go_on(w, &s);
		(void)journal_end(&ignored);
		sale_close(&s);
		for (uint64_t left = 0; left < 4; left++)
			cut_at_the_end(w, left);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(nothing_stands_on_what_a_refused_sync_has_left, make, unmake),
	    cmocka_unit_test_setup_teardown(the_power_is_cut_at_every_event, make, unmake),
	};
	fault_open();
	if (argc > 2) {
		by_hand.is_given = true;
		by_hand.event = (size_t)strtoull(argv[1], NULL, 10);
		by_hand.seed = strtoull(argv[2], NULL, 10);
	}
	return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
