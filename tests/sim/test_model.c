/* A seeded random test of the core against a second, naive set of the same rules (model.c).
 *
 *   test_model [seeds] [first]     a line of TAP for each seed; one that fails names itself, the command and what was wrong
 *
 * A seed is a world of a few people, queues and shows with few seats, so that everyone is in everyone's way. Batches of one to
 * eight commands are decided together and committed, or given up; the clock jumps, by preference to the very instant at which
 * something ends. */
#include "base/limits.h"
#include "sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 51, COMMANDS = 2000, ALL_EVERY = 128, RICH_CHARGES = 996 };

/* Where the clock starts, give or take a day. */
#define EPOCH 1798106400000LL

/* Where a failure happened. */
struct place {
	int command;
	enum core_op op;
};

static const char *const op_names[] = {"",      "JOIN",          "LEAVE",      "HOLD",      "CANCEL", "CHARGE", "PAY",
                                       "PATCH", "PATCH_CONCERT", "PATCH_SHOW", "CATALOGUE", "HEAR",   "TICK"};

/* ---- time ---- */

/* The next instant after now at which a hold, an active place or a grace ends; 0 when there is none. */
static int64_t next_end(struct sim *s)
{
	int64_t first = 0;

	for (int i = 0; i < s->m->reservations; i++) {
		struct model_reservation *r = &s->m->reservation[i];

		if (r->status == CORE_RES_HELD && r->held_until > s->now && (!first || r->held_until < first))
			first = r->held_until;
	}
	for (int i = 0; i < s->m->tickets; i++) {
		struct model_ticket *t = &s->m->ticket[i];

		if ((t->status == CORE_ACTIVE || t->status == CORE_PASSED) && t->expires_at > s->now &&
		    (!first || t->expires_at < first))
			first = t->expires_at;
	}
	return first;
}

static int64_t next_instant(struct sim *s)
{
	int64_t r = sim_below(s, 1000), end;

	if (r < 500)
		return s->now + sim_below(s, 20);
	if (r < 750)
		return s->now + sim_below(s, 2000);
	if (r < 900) {
		end = next_end(s);
		end += end ? sim_below(s, 3) - 1 : 0;
		return end > s->now ? end : s->now;
	}
	if (r < 940)
		return s->now + s->m->rules.hold_ms / 2;
	if (r < 950)
		return s->now + s->m->rules.active_ms;
	if (r < 953)
		return s->now + JARI_KEY_LIFE_MS - 1 + sim_below(s, 3);
	return s->now;
}

/* ---- one batch ---- */

static bool load(struct sim *s, struct core_batch *batch, const struct core_cmd *cmds, int n)
{
	int64_t counts[CORE_ID_KINDS] = {0};

	for (int round = 0; round <= CORE_PLAN_ROUNDS; round++) {
		for (int i = 0; i < n; i++)
			core_plan(batch, &cmds[i]);
		if (!core_rows_needy(batch->rows))
			break;
		if (round == CORE_PLAN_ROUNDS)
			return model_fail(s->m, "the plan asks for more after %d loads", CORE_PLAN_ROUNDS);
		if (store_load(s->store, batch->rows) != STORE_OK)
			return model_fail(s->m, "the store can't load");
	}
	for (int i = 0; i < n; i++)
		core_ids_wanted(&cmds[i], counts);
	for (int k = 0; k < CORE_ID_KINDS; k++)
		if (counts[k] > 0 && store_ids(s->store, (enum core_id_kind)k, counts[k], &batch->ids[k]) != STORE_OK)
			return model_fail(s->m, "the store has no ids");
	return true;
}

struct look {
	const struct core_rows *rows;
	struct model *m;
};

static int64_t admitted(void *arg, int64_t queue_id)
{
	struct look *look = arg;
	const struct core_queue *q = core_row_get(look->rows, CORE_ROW_QUEUE, queue_id, 0, (struct text){0});

	return q ? q->admitted : model_queue(look->m, queue_id)->admitted;
}

static bool decide(struct sim *s, struct core_batch *batch, const struct core_cmd *cmd)
{
	struct core_reply reply = {0};
	uint64_t before = sim_fingerprint(batch->rows);
	struct look look = {batch->rows, s->m};
	char body[MODEL_NAME];

	core_decide(batch, cmd, &reply);
	if (!model_check(s->m, cmd, s->now, &reply, admitted, &look))
		return false;
	if ((reply.code != CORE_OK || reply.replayed) && sim_fingerprint(batch->rows) != before)
		return model_fail(s->m, "I10: %s has changed rows", core_code_name(reply.code));
	s->seen[cmd->op][reply.code]++;
	s->replays += reply.replayed;
	if (cmd->key.n == 0 || reply.code != CORE_OK || reply.replayed)
		return true;
	int64_t number = s->m->answers - 1;
	struct text answer = {body, model_answer(number, body)};
	core_keep_answer(batch, cmd, MODEL_ANSWER_STATUS(number), arena_text(&s->arena, answer));
	return true;
}

static bool decide_all(struct sim *s, const struct core_cmd *cmds, int n, bool give_up, struct place *at)
{
	struct core_rows rows;
	struct core_batch batch = {.rows = &rows, .rules = &s->m->rules, .now = s->now};

	core_rows_init(&rows, &s->arena, 64);
	s->m->alone = n == 1;
	if (!load(s, &batch, cmds, n))
		return false;
	for (int i = 0; i < n; i++) {
		at->command++;
		at->op = cmds[i].op;
		if (!decide(s, &batch, &cmds[i]))
			return false;
	}
	at->op = 0;
	if (give_up)
		return true;
	if (store_commit(s->store, &rows, s->now) != STORE_OK)
		return model_fail(s->m, "the store refuses the commit");
	return true;
}

static bool run_batch(struct sim *s, const struct core_cmd *cmds, int n, struct place *at)
{
	bool give_up = sim_chance(s, 6), ok;
	struct model *snapshot = NULL;
	int64_t now = s->now - (sim_chance(s, 3) ? 500 : 0);

	/* the caller's clock may lag: the store knows better */
	if (store_begin(s->store, &now) != STORE_OK)
		return model_fail(s->m, "the store can't begin");
	if (now < store_clock(s->store))
		return model_fail(s->m, "time runs backwards");
	if (now > s->now)
		return model_fail(s->m, "time runs ahead");
	s->now = now;
	if (give_up) {
		snapshot = malloc(sizeof(*snapshot));
		if (!snapshot)
			abort();
		model_copy(snapshot, s->m);
	}
	ok = decide_all(s, cmds, n, give_up, at);
	if (give_up || !ok)
		store_rollback(s->store);
	if (ok && give_up)
		model_copy(s->m, snapshot);
	free(snapshot);
	return ok && sim_compare(s);
}

/* ---- one seed ---- */

static bool add_catalogue(struct sim *s, int queues, int concerts, bool may_be_wrong, struct place *at)
{
	struct core_cmd cmd;
	int made = s->queues_made, before = s->m->concerts;
	bool ok;

	arena_reset(&s->arena);
	sim_catalogue(s, &cmd, queues, concerts, may_be_wrong);
	ok = run_batch(s, &cmd, 1, at);
	if (s->m->concerts == before)
		s->queues_made = made; /* refused or given up */
	return ok;
}

/* Somebody so rich that the wallet is nearly full. */
static bool make_rich(struct sim *s, struct place *at)
{
	struct core_cmd cmds[SIM_BATCH_MAX] = {{.op = CORE_JOIN, .u.join.username = TEXT("ada")}};

	while (s->m->tickets == 0) {
		arena_reset(&s->arena);
		if (!run_batch(s, cmds, 1, at))
			return false;
	}
	for (int i = 0; i < SIM_BATCH_MAX; i++) {
		cmds[i] = (struct core_cmd){.op = CORE_CHARGE_WALLET, .auth_queue_id = 1, .auth_number = 1};
		cmds[i].auth_user_id = cmds[i].u.charge.user_id = s->m->user[0].id;
		cmds[i].u.charge.amount = JARI_CHARGE_MAX;
	}
	while (s->m->user[0].balance < RICH_CHARGES * JARI_CHARGE_MAX) {
		arena_reset(&s->arena);
		if (!run_batch(s, cmds, SIM_BATCH_MAX, at))
			return false;
	}
	return true;
}

static bool run_commands(struct sim *s, struct place *at)
{
	struct core_cmd cmds[SIM_BATCH_MAX];

	for (int batch = 1; at->command < COMMANDS; batch++) {
		int n = 1 + (int)sim_below(s, SIM_BATCH_MAX);

		s->now = next_instant(s);
		arena_reset(&s->arena);
		for (int i = 0; i < n; i++) {
			sim_command(s, &cmds[i]);
			if (core_alone(&cmds[i])) {
				cmds[0] = cmds[i];
				n = 1;
			}
		}
		if (!run_batch(s, cmds, n, at))
			return false;
		if (sim_chance(s, 4) && s->m->concerts < MODEL_CONCERTS - 10 &&
		    !add_catalogue(s, s->m->queues < MODEL_QUEUES - 3 && sim_chance(s, 10), 1, true, at))
			return false;
		arena_reset(&s->arena);
		if (batch % ALL_EVERY == 0 && !sim_compare_all(s))
			return false;
	}
	arena_reset(&s->arena);
	return sim_compare_all(s);
}

static bool open_world(struct sim *s, uint64_t seed)
{
	struct store_options options = {.url = "memory:", .mode = STORE_SERVE, .queue_capacity = 1 + sim_below(s, 3)};
	char error[STORE_ERROR_SIZE] = "";

	s->now = EPOCH + sim_below(s, JARI_KEY_LIFE_MS);
	s->m->rules = (struct core_rules){.hold_ms = 20000 + sim_below(s, 60000),
	                                  .active_ms = 60000 + sim_below(s, 60000),
	                                  .grace_ms = 10000 + sim_below(s, 60000),
	                                  .seats_per_user = 2 + sim_below(s, 3)};
	s->m->queue[s->m->queues++] = (struct model_queue){.id = 1, .capacity = options.queue_capacity, .name = "main"};
	if (store_open(&options, &s->store, error) != STORE_OK)
		return model_fail(s->m, "seed %llu: %s", (unsigned long long)seed, error);
	return store_reader_open(s->store, &s->reader) == STORE_OK || model_fail(s->m, "no reader");
}

static bool run_seed(struct sim *s, uint64_t seed, struct place *at)
{
	bool ok = open_world(s, seed);

	while (ok && s->m->concerts == 0)
		ok = add_catalogue(s, 3, 4, false, at);
	if (ok && seed % 16 == 0)
		ok = make_rich(s, at);
	if (at->command > 50)
		at->command = 0;
	if (ok)
		ok = run_commands(s, at);
	if (s->reader)
		store_reader_close(s->reader);
	if (s->store)
		store_close(s->store);
	arena_free(&s->arena);
	return ok;
}

/* ---- all seeds ---- */

/* What must have come up, or the test has tested less than it says. */
static const struct {
	enum core_op op;
	enum core_code code;
} expected[] = {
    {CORE_JOIN, CORE_OK},
    {CORE_JOIN, CORE_CONCERT_NOT_FOUND},
    {CORE_LEAVE, CORE_OK},
    {CORE_HOLD, CORE_OK},
    {CORE_HOLD, CORE_IDEMPOTENCY_KEY_REUSED},
    {CORE_HOLD, CORE_CONCERT_NOT_FOUND},
    {CORE_HOLD, CORE_SHOW_NOT_FOUND},
    {CORE_HOLD, CORE_SEAT_NOT_FOUND},
    {CORE_HOLD, CORE_WRONG_QUEUE},
    {CORE_HOLD, CORE_NOT_ADMITTED},
    {CORE_HOLD, CORE_SALES_NOT_OPEN},
    {CORE_HOLD, CORE_AMBIGUOUS_DATE},
    {CORE_HOLD, CORE_SALES_CLOSED},
    {CORE_HOLD, CORE_ALREADY_YOURS},
    {CORE_HOLD, CORE_LIMIT_EXCEEDED},
    {CORE_HOLD, CORE_SEAT_TAKEN},
    {CORE_CANCEL, CORE_OK},
    {CORE_CANCEL, CORE_RESERVATION_NOT_FOUND},
    {CORE_CANCEL, CORE_NOT_HELD},
    {CORE_CHARGE_WALLET, CORE_OK},
    {CORE_CHARGE_WALLET, CORE_USER_NOT_FOUND},
    {CORE_CHARGE_WALLET, CORE_BALANCE_LIMIT},
    {CORE_CHARGE_WALLET, CORE_IDEMPOTENCY_KEY_REUSED},
    {CORE_PAY, CORE_OK},
    {CORE_PAY, CORE_RESERVATION_NOT_FOUND},
    {CORE_PAY, CORE_ALREADY_PAID},
    {CORE_PAY, CORE_HOLD_EXPIRED},
    {CORE_PAY, CORE_NOT_HELD},
    {CORE_PAY, CORE_AMOUNT_MISMATCH},
    {CORE_PAY, CORE_INSUFFICIENT_BALANCE},
    {CORE_PAY, CORE_IDEMPOTENCY_KEY_REUSED},
    {CORE_PATCH_QUEUE, CORE_OK},
    {CORE_PATCH_QUEUE, CORE_NOT_FOUND},
    {CORE_PATCH_CONCERT, CORE_OK},
    {CORE_PATCH_CONCERT, CORE_INVALID_REQUEST},
    {CORE_PATCH_CONCERT, CORE_CONCERT_NOT_FOUND},
    {CORE_PATCH_SHOW, CORE_OK},
    {CORE_PATCH_SHOW, CORE_INVALID_REQUEST},
    {CORE_PATCH_SHOW, CORE_SHOW_NOT_FOUND},
    {CORE_ADD_CATALOGUE, CORE_OK},
    {CORE_ADD_CATALOGUE, CORE_INVALID_REQUEST},
    {CORE_HEAR, CORE_OK},
    {CORE_TICK, CORE_OK},
};

static bool report_seen(const struct sim *s, long seeds)
{
	bool ok = s->replays > 0 && s->passed > 0 && s->returned > 0 && s->abandoned > 0;
	int64_t commands = 0;

	for (int op = CORE_JOIN; op <= CORE_TICK; op++)
		for (int code = 0; code < CORE_CODE_COUNT; code++) {
			commands += s->seen[op][code];
			if (s->seen[op][code])
				printf("# %8lld %s %s\n", (long long)s->seen[op][code], op_names[op],
				       core_code_name((enum core_code)code));
		}
	printf("# %8lld replayed; %lld commands in all\n", (long long)s->replays, (long long)commands);
	printf("# %8lld passed over, %lld came back and %lld lost their place in the end\n", (long long)s->passed,
	       (long long)s->returned, (long long)s->abandoned);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (!s->seen[expected[i].op][expected[i].code]) {
			printf("# never: %s %s\n", op_names[expected[i].op], core_code_name(expected[i].code));
			ok = false;
		}
	printf("%s %ld - every answer came up\n", ok ? "ok" : "not ok", seeds + 1);
	return ok;
}

static bool run_one(struct sim *s, uint64_t seed, long line)
{
	struct place at = {0};
	bool ok;

	/* what was seen is kept from seed to seed; the rest begins anew */
	s->m = calloc(1, sizeof(*s->m));
	if (!s->m)
		abort();
	s->random = seed;
	s->store = NULL;
	s->reader = NULL;
	s->queues_made = s->sent_count = 0;
	ok = run_seed(s, seed, &at);
	if (ok)
		printf("ok %ld - seed %llu\n", line, (unsigned long long)seed);
	else
		printf("not ok %ld - seed %llu, command %d %s: %s\n# again: test_model 1 %llu\n", line, (unsigned long long)seed,
		       at.command, op_names[at.op], s->m->why, (unsigned long long)seed);
	fflush(stdout);
	for (int i = 0; i < s->m->tickets; i++) {
		s->passed += s->m->ticket[i].status == CORE_PASSED;
		s->returned += s->m->ticket[i].returned;
		s->abandoned += s->m->ticket[i].reason == CORE_ABANDONED;
	}
	free(s->m);
	return ok;
}

/* A whole number from 1 on; `otherwise` when the argument is not there. */
static bool number(int argc, char **argv, int i, int64_t otherwise, int64_t *out)
{
	*out = otherwise;
	return i >= argc || text_to_int(text_of(argv[i]), 1, INT32_MAX, out);
}

int main(int argc, char **argv)
{
	static struct sim s;
	int64_t seeds, first;
	bool ok = true;

	if (argc > 3 || !number(argc, argv, 1, SEEDS, &seeds) || !number(argc, argv, 2, 1, &first)) {
		fprintf(stderr, "usage: test_model [seeds] [first]\n");
		return 2;
	}
	/* a few seeds by hand need not meet every answer */
	bool whole = seeds >= SEEDS;

	printf("1..%lld\n", (long long)(seeds + whole));
	for (int64_t i = 0; i < seeds; i++)
		ok &= run_one(&s, (uint64_t)(first + i), (long)(i + 1));
	if (whole)
		ok &= report_seen(&s, (long)seeds);
	return ok ? 0 : 1;
}
