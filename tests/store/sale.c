/* sale.c: see sale.h. */
#include "sale.h"

#include "../unit/core_world.h"
#include "cli/copy_tally.h"
#include "fault_vfs.h"
#include "store/sqlite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HALL_SEATS 12
#define BIG_ANSWER 70000 /* bytes; more than the log's layer keeps at once */
#define STEP_MS 10
#define AUDITED_MAX 256
#define LOG_MOVES 2
#define MOVE_ROUNDS 40

/* A log that is moved after some commits of this sale. */
static const struct sqlite_pace quick = {.step = 12, .last = 6, .anew = 40, .max = 400};

__attribute__((format(printf, 1, 2))) _Noreturn static void wrong(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)fprintf(stderr, "sale: ");
	(void)vfprintf(stderr, format, args);
	(void)fprintf(stderr, "\n");
	va_end(args);
	_exit(SALE_WRONG);
}

/* ---- digests ---- */

static uint64_t digest_of(enum core_kind kind, const void *row)
{
	struct copy_tally t = {0};
	copy_tally_add(&t, kind, row);
	return t.of[kind].digest * 0x9e3779b97f4a7c15u + (uint64_t)kind;
}

static bool add_digest(void *arg, enum core_kind kind, const void *row)
{
	*(uint64_t *)arg += digest_of(kind, row);
	return true;
}

enum store_result sale_digest(struct store *s, uint64_t *out)
{
	*out = 0;
	return store_export(s, add_digest, out);
}

/* What the batch's changes make of the digest of all rows. */
static uint64_t digest_after(uint64_t before, const struct core_rows *rows)
{
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty) {
		if (row->was)
			before -= digest_of(row->id.kind, row->was);
		if (row->now)
			before += digest_of(row->id.kind, row->now);
	}
	return before;
}

/* ---- one command ---- */

static void mark(const struct sale *s, int64_t what)
{
	if (s->marks)
		journal_mark(what);
}

static void keep_answer(struct sale *s, const struct core_cmd *cmd, const struct core_reply *reply)
{
	static char big[BIG_ANSWER];
	struct core_batch batch = {.rows = &s->world->rows, .rules = &s->world->rules, .now = s->at};
	bool is_big = cmd->op == CORE_CHARGE_WALLET && cmd->u.charge.amount % 10 == 7;
	if (cmd->key.n == 0 || reply->code != CORE_OK)
		return;
	memset(big, ' ', sizeof big);
	memcpy(big, "{}", 2);
	core_keep_answer(&batch, cmd, 200, is_big ? (struct text){big, sizeof big} : TEXT("{}"));
}

/* Decides and commits; what it has made durable is not told yet. False when the store refuses, and then nothing has happened. */
static bool commit_once(struct sale *s, const struct core_cmd *cmd, struct core_reply *reply)
{
	struct sale_told *t = s->told;
	s->at += STEP_MS;
	if (!world_decide(s->world, cmd, s->at, reply)) {
		store_rollback(s->store);
		t->refusals++;
		return false;
	}
	if (reply->code != CORE_OK || reply->replayed || (cmd->op == CORE_JOIN && !reply->created))
		wrong("command %d at commit %lld: code %d%s", (int)cmd->op, (long long)t->commits, (int)reply->code,
		      reply->replayed ? ", a replay: a refused commit has happened" : "");
	keep_answer(s, cmd, reply);
	if (!world_changed(s->world)) {
		store_rollback(s->store);
		return true;
	}
	t->maybe = digest_after(t->committed, &s->world->rows);
	if (s->marks)
		s->digests[t->commits + 1] = t->maybe;
	mark(s, SALE_MARK_BEGUN(t->commits + 1));
	if (store_commit(s->store, &s->world->rows, s->at) != STORE_OK) {
		store_rollback(s->store);
		t->refusals++;
		return false;
	}
	t->committed = t->maybe;
	t->commits++;
	s->committed_at = s->at;
	return true;
}

/* The log of SQLite's housekeeping; the next command must not meet a step that is under way, so that each run is the same. */
static void maintain(struct sale *s)
{
	if (s->after)
		s->after(s->after_arg);
	if (s->keeps_log)
		return;
	store_maintain(s->store);
	(void)sqlite_checkpoint_idle(((struct sqlite_store *)(void *)s->store)->checkpoint, true);
}

static bool commit(struct sale *s, const struct core_cmd *cmd, struct core_reply *reply)
{
	for (int i = 0; i < s->tries && !s->given_up; i++)
		if (commit_once(s, cmd, reply))
			return true;
	s->given_up = true;
	*reply = (struct core_reply){0};
	return false;
}

/* As the syncer does it: durable is what had been committed when it began. */
static void make_durable(struct sale *s)
{
	uint64_t digest = s->told->committed;
	int64_t commits = s->told->commits, clock = s->committed_at;
	store_sync(s->store);
	s->told->durable = digest;
	s->told->clock = clock;
	mark(s, SALE_MARK_TOLD(commits));
}

static struct core_reply act(struct sale *s, const struct core_cmd *cmd)
{
	struct core_reply reply;
	if (commit(s, cmd, &reply)) {
		make_durable(s);
		maintain(s);
	}
	return reply;
}

/* ---- commits beside something else ---- */

struct beside {
	struct sale *s;
	const struct core_cmd *cmd;
	struct core_reply reply;
	bool happened;
};

static void commit_beside(void *arg)
{
	struct beside *b = arg;
	b->happened = true;
	(void)commit(b->s, b->cmd, &b->reply);
}

/* The second is committed while the first is being made durable, and told after a sync of its own. */
static void act_beside_sync(struct sale *s, const struct core_cmd *cmd, const struct core_cmd *second,
                            struct core_reply replies[2])
{
	struct beside b = {.s = s, .cmd = second};
	if (commit(s, cmd, &replies[0])) {
		fault_beside_sync(commit_beside, &b);
		make_durable(s);
		if (!b.happened)
			wrong("no sync");
		make_durable(s);
		maintain(s);
	}
	replies[1] = b.reply;
}

/* ---- the parts ---- */

/* Somebody that an earlier process has made: ids are numbers where nothing was refused. */
static struct core_reply person(int64_t number)
{
	return (struct core_reply){.ticket = {.queue_id = 1, .number = number}, .user = {.user_id = number}};
}

bool sale_open(struct sale *s, const char *path, struct sale_told *told)
{
	struct store_options options = {.url = s->url, .mode = STORE_SERVE, .queue_capacity = 2};
	char error[STORE_ERROR_SIZE];
	(void)snprintf(s->url, sizeof s->url, "sqlite:%s", path);
	s->told = told;
	s->world = mem_zero(sizeof *s->world);
	s->world->rules = (struct core_rules){.hold_ms = 300000, .active_ms = 600000, .grace_ms = 1000000, .seats_per_user = 4};
	if (s->tries == 0)
		s->tries = 1;
	if (store_open(&options, &s->store, error) != STORE_OK) {
		(void)fprintf(stderr, "sale: %s\n", error);
		free(s->world);
		return false;
	}
	s->world->store = s->store;
	((struct sqlite_store *)(void *)s->store)->pace = &quick;
	s->at = store_clock(s->store) > NOW ? store_clock(s->store) : NOW;
	s->ann = person(1);
	s->bob = person(2);
	s->cid = person(3);
	s->concert_id = s->show_id = 1;
	told->opened = true;
	return true;
}

void sale_close(struct sale *s)
{
	store_close(s->store);
	arena_free(&s->world->arena);
	free(s->world);
}

void sale_check(struct sale *s)
{
	uint64_t digest;
	if (sale_digest(s->store, &digest) != STORE_OK)
		wrong("what is there can't be read");
	if (digest != s->told->committed)
		wrong("after commit %lld the store does not hold what it has taken", (long long)s->told->commits);
}

static struct core_reply join(struct sale *s, const char *name)
{
	return act(s, &(struct core_cmd){.op = CORE_JOIN, .u.join = {.username = text_of(name), .concert_id = s->concert_id}});
}

static struct core_cmd as(enum core_op op, const struct core_reply *who, const char *key)
{
	return (struct core_cmd){.op = op,
	                         .auth_queue_id = who->ticket.queue_id,
	                         .auth_number = who->ticket.number,
	                         .auth_user_id = who->user.user_id,
	                         .key = text_of(key)};
}

static struct core_cmd a_charge(const struct core_reply *who, int64_t amount, const char *key)
{
	struct core_cmd cmd = as(CORE_CHARGE_WALLET, who, key);
	cmd.u.charge.user_id = who->user.user_id;
	cmd.u.charge.amount = amount;
	return cmd;
}

static struct core_cmd a_booking(const struct sale *s, const struct core_reply *who, int64_t count, const char *key)
{
	struct core_cmd cmd = as(CORE_HOLD, who, key);
	cmd.u.hold.concert_id = s->concert_id;
	cmd.u.hold.show_id = s->show_id;
	cmd.u.hold.best_count = count;
	return cmd;
}

static struct core_cmd a_payment(const struct core_reply *who, const struct core_reply *hold, const char *key)
{
	struct core_cmd cmd = as(CORE_PAY, who, key);
	cmd.u.pay.reservation_id = hold->reservation.reservation_id;
	return cmd;
}

static void add_concert(struct sale *s)
{
	const struct core_new_seats seats = {.section = TEXT("A"), .from = 1, .to = HALL_SEATS, .price = 1000};
	const struct core_new_show show = {.starts_at = NOW + DAY_MS, .date = 20270101, .seats = &seats, .seats_count = 1};
	const struct core_new_concert concert = {
	    .title = TEXT("t"), .artist = TEXT("a"), .venue = TEXT("v"), .shows = &show, .show_count = 1};
	const struct core_catalogue doc = {.concerts = &concert, .concert_count = 1};
	const struct core_reply made =
	    act(s, &(struct core_cmd){.op = CORE_ADD_CATALOGUE, .u.catalogue = {.doc = &doc, .actor = TEXT("admin")}});
	if (s->given_up)
		return;
	s->concert_id = made.concert_ids[0];
	s->show_id = made.show_ids[0];
}

void sale_prepare(struct sale *s)
{
	add_concert(s);
	s->ann = join(s, "ann");
	s->bob = join(s, "bob");
	s->cid = join(s, "cid"); /* waits */
	struct core_cmd charge = a_charge(&s->ann, 10000, "first");
	(void)act(s, &charge);
	charge = a_charge(&s->bob, 5000, "first");
	(void)act(s, &charge);
}

static void change_things(struct sale *s)
{
	const struct core_new_price price = {.section = TEXT("A"), .price = 700};
	struct core_cmd patch = {.op = CORE_PATCH_QUEUE}, show = {.op = CORE_PATCH_SHOW};
	patch.u.patch.queue_id = 1;
	patch.u.patch.has_capacity = true;
	patch.u.patch.capacity = 5;
	patch.u.patch.actor = TEXT("admin");
	(void)act(s, &patch);
	show.u.patch_show.show_id = s->show_id;
	show.u.patch_show.prices = &price;
	show.u.patch_show.price_count = 1;
	show.u.patch_show.actor = TEXT("admin");
	(void)act(s, &show);
}

static void let_lapse(struct sale *s)
{
	static const int64_t queues[] = {1};
	s->at += s->world->rules.hold_ms;
	(void)act(s, &(struct core_cmd){.op = CORE_TICK, .u.tick = {.queue_ids = queues, .queue_count = 1}});
}

void sale_sell(struct sale *s)
{
	struct core_reply holds[2], paid[2];
	struct core_cmd first = a_booking(s, &s->ann, 2, "hold"), second = a_booking(s, &s->bob, 3, "hold");
	act_beside_sync(s, &first, &second, holds);
	struct core_cmd cancel = as(CORE_CANCEL, &s->bob, "");
	cancel.u.cancel.reservation_id = holds[1].reservation.reservation_id;
	(void)act(s, &cancel);
	first = a_charge(&s->ann, 57, "big");
	second = a_payment(&s->ann, &holds[0], "pay");
	act_beside_sync(s, &first, &second, paid); /* and cid is admitted */
	change_things(s);
	second = a_booking(s, &s->bob, 1, "again");
	(void)act(s, &second);
	let_lapse(s);
	struct core_cmd leave = as(CORE_LEAVE, &s->cid, "");
	(void)act(s, &leave);
}

void sale_move(struct sale *s)
{
	struct sqlite_store *store = (struct sqlite_store *)(void *)s->store;
	char keys[2][32];
	int anew = 0;
	for (int i = 0; i < MOVE_ROUNDS && anew < LOG_MOVES && !s->given_up; i++) {
		(void)snprintf(keys[0], sizeof keys[0], "move %lld", (long long)s->at);
		(void)snprintf(keys[1], sizeof keys[1], "beside %lld", (long long)s->at);
		struct core_cmd cmd = a_charge(&s->bob, 10, keys[0]), second = a_charge(&s->bob, 20, keys[1]);
		struct beside b = {.s = s, .cmd = &second};
		int before = store->log_pages;
		if (i % 2 == 0)
			fault_beside_move(commit_beside, &b);
		(void)act(s, &cmd);
		fault_beside_move(NULL, NULL);
		if (b.happened)
			make_durable(s);
		anew += store->log_pages < before;
	}
	if (anew < LOG_MOVES && !s->given_up && s->tries > 1)
		wrong("the log does not begin anew");
}

void sale_meet(struct sale *s)
{
	(void)join(s, "dan");
	(void)join(s, "eve");
	(void)join(s, "fay");
}

static bool look_at_row(void *arg, enum core_kind kind, const void *row)
{
	(void)kind;
	(void)row;
	++*(int64_t *)arg;
	return true;
}

void sale_look(struct sale *s)
{
	struct store_reader *r;
	struct arena arena = {0};
	struct core_reservation *reservations, one;
	struct core_entry *entries;
	struct core_audit *audits;
	struct store_sale *sales;
	size_t n;
	int64_t rows = 0;
	for (int i = 0; i < s->tries; i++)
		if (store_scan(s->store, 0, look_at_row, &rows) == STORE_OK)
			break;
	if (store_reader_open(s->store, &r) != STORE_OK && (s->tries < 2 || store_reader_open(s->store, &r) != STORE_OK))
		return;
	for (int i = 0; i < s->tries; i++) {
		enum store_result results[] = {
		    store_reservation(r, 1, &arena, &one), store_reservations(r, 1, 0, 10, &arena, &reservations, &n),
		    store_entries(r, 1, 0, 10, &arena, &entries, &n), store_audits(r, 0, 10, &arena, &audits, &n),
		    store_sales(r, s->concert_id, 0, 10, &arena, &sales, &n)};
		bool all = true;
		for (size_t k = 0; k < sizeof results / sizeof results[0]; k++)
			all = all && (results[k] == STORE_OK || results[k] == STORE_NONE);
		if (all)
			break;
	}
	store_reader_close(r);
	arena_free(&arena);
}

/* ---- afterwards ---- */

bool sale_no(char why[SALE_WHY_SIZE], const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(why, SALE_WHY_SIZE, format, args);
	va_end(args);
	return false;
}

struct findings {
	int checks;
	char first[400];
};

static void collect(void *arg, const char *invariant, const char *what, int64_t violations, const char *example)
{
	struct findings *found = arg;
	found->checks++;
	if (violations > 0 && !found->first[0])
		(void)snprintf(found->first, sizeof found->first, "%s %s: %s", invariant, what, example);
}

/* The audit looks at rows, and the digest is of all of them: what passed once with the same digest passes again. (Indexes that are not as their tables
 * are found by the look at the file.) */
static bool was_audited(uint64_t digest, bool note)
{
	static uint64_t passed[AUDITED_MAX];
	static size_t n;
	for (size_t i = 0; i < AUDITED_MAX && !note; i++)
		if (passed[i] == digest)
			return true;
	if (note)
		passed[n++ % AUDITED_MAX] = digest;
	return false;
}

static bool audit_passes(struct store *s, uint64_t digest, char *why)
{
	struct findings found = {0};
	if (was_audited(digest, false))
		return true;
	if (store_audit(s, collect, &found) != STORE_OK || found.checks < 20)
		return sale_no(why, "the audit can't run");
	if (found.first[0])
		return sale_no(why, "%s", found.first);
	(void)was_audited(digest, true);
	return true;
}

static bool file_is_intact(const char *path, char *why)
{
	sqlite3 *db;
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : sqlite3_errmsg(db);
	bool ok = strcmp(said, "ok") == 0 || sale_no(why, "the file: %s", said);
	(void)sqlite3_finalize(stmt);
	return sqlite3_close(db) == SQLITE_OK && ok;
}

static bool holds_one_of(struct sale *s, const uint64_t *may_hold, size_t n, uint64_t *digest, char *why)
{
	if (sale_digest(s->store, digest) != STORE_OK)
		return sale_no(why, "it can't be read");
	for (size_t i = 0; i < n; i++)
		if (*digest == may_hold[i])
			return true;
	return sale_no(why, "it does not hold what it should");
}

static bool goes_on(struct sale *s, char *why)
{
	struct core_reply reply;
	const struct core_cmd cmd = {.op = CORE_JOIN, .u.join = {.username = TEXT("somebody")}};
	return commit_once(s, &cmd, &reply) || sale_no(why, "it takes nothing");
}

bool sale_is_well(const char *path, const uint64_t *may_hold, size_t n, int64_t clock, char why[SALE_WHY_SIZE])
{
	struct sale_told told = {0};
	struct sale s = {0};
	uint64_t digest = 0;
	if (!sale_open(&s, path, &told))
		return sale_no(why, "it can't be opened");
	bool ok = holds_one_of(&s, may_hold, n, &digest, why) &&
	          (store_clock(s.store) >= clock || sale_no(why, "the clock has run backwards")) &&
	          audit_passes(s.store, digest, why) && file_is_intact(path, why) && goes_on(&s, why);
	sale_close(&s);
	return ok;
}
