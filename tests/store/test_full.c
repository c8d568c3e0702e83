/* test_full.c: the engine on a SQLite store whose disk has no room left, or refuses every write, and has room again: changes are refused meanwhile,
 * all that is there can be read, what is in the way is told all the time, and it goes on by itself. */
#include "fixture.h"

#include "base/clock.h"
#include "engine/engine.h"
#include "fault_vfs.h"
#include "sale.h"

#include <pthread.h>
#include <time.h>

#define BACK_MS 20000  /* a busy machine may take its time; it is asked every 10 ms */
#define ROOM_MAX 20000 /* commands for which the log has room at most */
#define REFUSALS_MAX 100

struct scene {
	struct fixture f;
	struct store *store;
	struct clock clock;
	struct engine *engine;
	int64_t balance, keys; /* ann's */
};

static int render(const struct core_cmd *cmd, const struct core_reply *reply, struct buf *out)
{
	(void)cmd;
	buf_printf(out, "{\"balance\":%lld}", (long long)reply->user.balance);
	return 200;
}

/* ---- commands ---- */

struct call {
	struct engine_job job;
	struct arena arena;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
};

static void call_done(struct engine_job *job)
{
	struct call *call = job->owner;
	(void)pthread_mutex_lock(&call->lock);
	call->done = true;
	(void)pthread_cond_signal(&call->cond);
	(void)pthread_mutex_unlock(&call->lock);
}

static struct core_reply ask(struct scene *s, const struct core_cmd *cmd)
{
	struct call call = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
	call.job = (struct engine_job){.cmd = *cmd, .arena = &call.arena, .done = call_done, .owner = &call};
	assert_true(engine_submit(s->engine, &call.job));
	(void)pthread_mutex_lock(&call.lock);
	while (!call.done)
		(void)pthread_cond_wait(&call.cond, &call.lock);
	(void)pthread_mutex_unlock(&call.lock);
	arena_free(&call.arena);
	return call.job.reply;
}

static struct core_reply charge(struct scene *s, int64_t amount, const char *key)
{
	struct core_cmd cmd = {
	    .op = CORE_CHARGE_WALLET, .auth_queue_id = 1, .auth_number = 1, .auth_user_id = 1, .key = text_of(key)};
	cmd.u.charge.user_id = 1;
	cmd.u.charge.amount = amount;
	struct core_reply reply = ask(s, &cmd);
	if (reply.code == CORE_OK && !reply.replayed) {
		s->balance += amount;
		assert_int_equal(reply.user.balance, s->balance);
	}
	return reply;
}

static bool is_refused(struct scene *s)
{
	char key[32];
	(void)snprintf(key, sizeof key, "key %lld", (long long)++s->keys);
	enum core_code code = charge(s, 1, key).code;
	assert_true(code == CORE_OK || code == CORE_STORE_UNAVAILABLE);
	return code == CORE_STORE_UNAVAILABLE;
}

static void pause_ms(int ms)
{
	(void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* ---- reads ---- */

struct look {
	struct engine_read read;
	struct call call;
	size_t entries;
};

static enum store_result look_at_entries(struct engine_read *read, struct store_reader *reader)
{
	struct look *look = read->owner;
	struct core_entry *entries;
	return store_entries(reader, 1, 0, 100, &look->call.arena, &entries, &look->entries);
}

static void look_done(struct engine_read *read)
{
	call_done(&(struct engine_job){.owner = &((struct look *)read->owner)->call});
}

static void all_can_be_read(struct scene *s)
{
	struct look look = {.call = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER}};
	struct engine_ticket ticket;
	struct core_user user;
	int64_t now = engine_now(s->engine);
	struct engine_show show;
	struct core_seat *seats;
	size_t n;
	look.read = (struct engine_read){.run = look_at_entries, .done = look_done, .owner = &look};
	assert_true(engine_look_ticket(s->engine, 1, 1, now, &ticket));
	assert_true(engine_look_user(s->engine, 1, &look.call.arena, &user));
	assert_int_equal(user.balance, s->balance);
	assert_true(engine_look_seats(s->engine, 1, now, &look.call.arena, &show, &seats, &n));
	assert_int_equal(n, 12);
	assert_true(engine_read(s->engine, &look.read));
	(void)pthread_mutex_lock(&look.call.lock);
	while (!look.call.done)
		(void)pthread_cond_wait(&look.call.cond, &look.call.lock);
	(void)pthread_mutex_unlock(&look.call.lock);
	assert_int_equal(look.read.result, STORE_OK);
	assert_true(look.entries >= 1);
	arena_free(&look.call.arena);
}

/* ---- a store that cannot be written for a while ---- */

static int open_scene(void **state)
{
	struct scene *s = test_calloc(1, sizeof *s);
	struct sale_told told = {0};
	struct sale sale = {0};
	void *made = NULL;
	char error[STORE_ERROR_SIZE];
	(void)make_folder(&made);
	s->f = *(struct fixture *)made;
	test_free(made);
	assert_true(sale_open(&sale, s->f.path, &told));
	sale_prepare(&sale);
	sale_close(&sale);
	assert_int_equal(open_url(s->f.url, STORE_SERVE, &s->store, error), STORE_OK);
	clock_init(&s->clock, store_clock(s->store));
	struct engine_config config = {
	    .store = s->store, .clock = &s->clock, .rules = {300000, 600000, 1000000, 4}, .render = render};
	s->engine = engine_open(&config, error);
	assert_non_null(s->engine);
	s->balance = 10000;
	*state = s;
	return 0;
}

static int close_scene(void **state)
{
	struct scene *s = *state;
	char why[SALE_WHY_SIZE];
	uint64_t digest;
	fault_pause(true);
	fault_disk_full(false);
	engine_close(s->engine);
	assert_int_equal(sale_digest(s->store, &digest), STORE_OK);
	store_close(s->store);
	bool well = sale_is_well(s->f.path, &digest, 1, 0, why);
	if (!well)
		print_error("%s\n", why);
	remove_folder(s->f.folder);
	test_free(s);
	return well ? 0 : -1;
}

/* True when for some ticks it is told that the store can't be written. */
static bool stays_in_trouble(struct scene *s, enum store_trouble trouble)
{
	for (int asked = 0; asked < 50; asked++) {
		if (engine_trouble(s->engine) != trouble)
			return false;
		pause_ms(10);
	}
	return true;
}

/* Until then there is room for some in the log, which is begun anew for want of room, as long as the file need not grow. A batch that writes nothing does
 * not make it well. */
static void refuse_until_mended(struct scene *s, enum store_trouble trouble)
{
	int64_t refusals = 0;
	for (int64_t i = 0; refusals == 0 || !stays_in_trouble(s, trouble); i++) {
		refusals += is_refused(s);
		assert_true(i < ROOM_MAX && refusals < REFUSALS_MAX);
	}
	all_can_be_read(s);
	assert_true(is_refused(s));
	assert_int_equal(charge(s, 70, "kept").code, CORE_OK); /* has its answer from before */
	all_can_be_read(s);
	assert_int_equal(engine_trouble(s->engine), trouble);
}

/* Without anybody asking for anything. */
static void comes_back_by_itself(struct scene *s)
{
	int64_t until = clock_elapsed_us() + BACK_MS * 1000LL;
	while (engine_trouble(s->engine) != STORE_WELL) {
		assert_true(clock_elapsed_us() < until);
		pause_ms(10);
	}
	int64_t before = s->balance;
	assert_false(is_refused(s));
	assert_int_equal(s->balance, before + 1);
	all_can_be_read(s);
}

static void a_full_disk_refuses_changes_and_nothing_else(void **state)
{
	struct scene *s = *state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(charge(s, 70, "kept").code, CORE_OK);
		fault_disk_full(true);
		refuse_until_mended(s, STORE_FULL);
		fault_disk_full(false);
		comes_back_by_itself(s);
	}
}

static void a_disk_that_refuses_writes_for_a_while_does_the_same(void **state)
{
	struct scene *s = *state;
	assert_int_equal(charge(s, 70, "kept").code, CORE_OK);
	fault_arm(&(struct fault_plan){.kind = FAULT_WRITE, .nth = 1, .for_good = true, .wrote = WROTE_HALF});
	refuse_until_mended(s, STORE_REFUSING);
	fault_pause(true);
	comes_back_by_itself(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_full_disk_refuses_changes_and_nothing_else, open_scene, close_scene),
	    cmocka_unit_test_setup_teardown(a_disk_that_refuses_writes_for_a_while_does_the_same, open_scene, close_scene),
	};
	fault_open();
	return cmocka_run_group_tests_name("full", tests, NULL, NULL);
}
