/* sqlite_save.c: saves the changed rows of a batch: an INSERT, a guarded UPDATE or a guarded DELETE each. */
#include "store/sqlite.h"

#include "base/log.h"

#include <string.h>

/* Room for `[1,2,…]` of a reservation's seats; longer arrays come from the arena of the save. */
#define NUMBER_CHARS 20

struct save {
	struct sqlite_conn *c;
	struct arena arena;              /* of texts that are made here */
	struct chain chain;              /* of the batch's entries */
	const struct chain_heads *heads; /* NULL: nothing is known of what the store has */
};

static void put_digits(char **p, int64_t v)
{
	char digits[NUMBER_CHARS];
	size_t n = 0;
	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	while (n > 0)
		*(*p)++ = digits[--n];
}

/* `[1,2,30]`: short, and readable by SQL through json_each. */
static struct text seats_json(struct arena *arena, const struct core_reservation *r)
{
	char *begin = arena_alloc(arena, (size_t)r->seat_count * NUMBER_CHARS + 2);
	char *p = begin;
	*p++ = '[';
	for (int32_t i = 0; i < r->seat_count; i++) {
		if (i)
			*p++ = ',';
		put_digits(&p, r->seats[i]);
	}
	*p++ = ']';
	return (struct text){begin, (size_t)(p - begin)};
}

/* ---- inserts: all columns, in the order of the macros in sqlite.h ---- */

static void insert_user(struct sqlite_binder *b, const struct core_user *u, const struct chain *chain)
{
	sqlite_bind_int(b, u->user_id);
	sqlite_bind_text(b, u->name);
	sqlite_bind_int(b, u->balance);
	sqlite_bind_int(b, u->created_at);
	sqlite_bind_int(b, chain_last(chain, u->user_id));
}

/* What changes of a queue; it is also what guards it. */
static void bind_queue_values(struct sqlite_binder *b, const struct core_queue *q)
{
	sqlite_bind_int(b, q->capacity);
	sqlite_bind_int(b, q->ceiling);
	sqlite_bind_int(b, q->rate_per_second);
	sqlite_bind_int(b, q->rate_free_at_us);
	sqlite_bind_int(b, q->paused);
	sqlite_bind_int(b, q->last_number);
	sqlite_bind_int(b, q->waiting);
	sqlite_bind_int(b, q->active);
	sqlite_bind_int(b, q->admitted);
	sqlite_bind_int(b, q->passed);
}

static void insert_queue(struct sqlite_binder *b, const struct core_queue *q)
{
	sqlite_bind_int(b, q->queue_id);
	sqlite_bind_text(b, q->name);
	bind_queue_values(b, q);
}

static void insert_ticket(struct sqlite_binder *b, const struct core_ticket *t)
{
	sqlite_bind_int(b, t->queue_id);
	sqlite_bind_int(b, t->number);
	sqlite_bind_int(b, t->user_id);
	sqlite_bind_int(b, t->status);
	sqlite_bind_int(b, t->reason);
	sqlite_bind_int(b, t->issued_at);
	sqlite_bind_int(b, t->admitted_at);
	sqlite_bind_int(b, t->expires_at);
	sqlite_bind_int(b, t->ended_at);
	sqlite_bind_int(b, t->returned_at);
}

static void bind_concert_values(struct sqlite_binder *b, const struct core_concert *k)
{
	sqlite_bind_int(b, k->queue_id);
	sqlite_bind_text(b, k->title);
	sqlite_bind_text(b, k->artist);
	sqlite_bind_text(b, k->venue);
	sqlite_bind_int(b, k->sales_open_at);
	sqlite_bind_int(b, k->changed_at);
}

static void insert_concert(struct sqlite_binder *b, const struct core_concert *k)
{
	sqlite_bind_int(b, k->concert_id);
	bind_concert_values(b, k);
}

static void insert_show(struct sqlite_binder *b, const struct core_show *s)
{
	sqlite_bind_int(b, s->show_id);
	sqlite_bind_int(b, s->concert_id);
	sqlite_bind_int(b, s->starts_at);
	sqlite_bind_int(b, s->date);
	sqlite_bind_int(b, s->total_seats);
	sqlite_bind_int(b, s->version);
	sqlite_bind_int(b, s->changed_at);
	sqlite_bind_int(b, s->closed);
}

static void bind_seat_values(struct sqlite_binder *b, const struct core_seat *s)
{
	sqlite_bind_int(b, s->price);
	sqlite_bind_int(b, s->status);
	sqlite_bind_int(b, s->reservation_id);
	sqlite_bind_int(b, s->user_id);
	sqlite_bind_int(b, s->held_until);
}

static void insert_seat(struct sqlite_binder *b, const struct core_seat *s)
{
	sqlite_bind_int(b, s->show_id);
	sqlite_bind_int(b, s->seat_number);
	sqlite_bind_text(b, s->section);
	bind_seat_values(b, s);
}

static void insert_reservation(struct sqlite_binder *b, const struct core_reservation *r, struct arena *arena)
{
	sqlite_bind_int(b, r->reservation_id);
	sqlite_bind_int(b, r->user_id);
	sqlite_bind_int(b, r->concert_id);
	sqlite_bind_int(b, r->show_id);
	sqlite_bind_int(b, r->queue_id);
	sqlite_bind_int(b, r->ticket_number);
	sqlite_bind_int(b, r->date);
	sqlite_bind_int(b, r->total_price);
	sqlite_bind_int(b, r->status);
	sqlite_bind_int(b, r->held_until);
	sqlite_bind_int(b, r->created_at);
	sqlite_bind_int(b, r->paid_at);
	sqlite_bind_int(b, r->payment_id);
	sqlite_bind_text(b, seats_json(arena, r));
}

/* An entry's id; NULL where it is not known here. */
static void bind_known(struct sqlite_binder *b, int64_t entry_id)
{
	if (entry_id > 0)
		sqlite_bind_int(b, entry_id);
	else
		sqlite_bind_null(b);
}

static void bind_previous(struct sqlite_binder *b, const struct save *save, const struct core_entry *e)
{
	int64_t previous = chain_previous(&save->chain, e->user_id, e->entry_id);
	if (previous == 0 && save->heads && chain_heads_find(save->heads, e->user_id, &previous))
		sqlite_bind_int(b, previous); /* also when it is 0: the user has none */
	else
		bind_known(b, previous);
}

static void insert_entry(struct sqlite_binder *b, const struct core_entry *e, const struct save *save)
{
	sqlite_bind_int(b, e->entry_id);
	sqlite_bind_int(b, e->user_id);
	sqlite_bind_int(b, e->type);
	sqlite_bind_int(b, e->debit.kind);
	sqlite_bind_int(b, e->debit.id);
	sqlite_bind_int(b, e->credit.kind);
	sqlite_bind_int(b, e->credit.id);
	sqlite_bind_int(b, e->amount);
	sqlite_bind_int(b, e->balance_after);
	sqlite_bind_int(b, e->reservation_id);
	sqlite_bind_int(b, e->created_at);
	bind_previous(b, save, e);
}

static void bind_key_values(struct sqlite_binder *b, const struct core_key_record *k)
{
	sqlite_bind_blob(b, k->digest, CORE_DIGEST_BYTES);
	sqlite_bind_int(b, k->status);
	sqlite_bind_text(b, k->body);
	sqlite_bind_int(b, k->created_at);
}

static void bind_key_key(struct sqlite_binder *b, const struct core_key_record *k)
{
	sqlite_bind_int(b, k->user_id);
	sqlite_bind_text(b, k->key);
}

static void insert_audit(struct sqlite_binder *b, const struct core_audit *a)
{
	sqlite_bind_int(b, a->audit_id);
	sqlite_bind_int(b, a->created_at);
	sqlite_bind_text(b, a->actor);
	sqlite_bind_text(b, a->action);
	sqlite_bind_text(b, a->target);
	sqlite_bind_text(b, a->detail);
}

static void bind_insert(struct save *save, struct sqlite_binder *b, enum core_kind kind, const void *row)
{
	switch (kind) {
	case CORE_ROW_USER:
		insert_user(b, row, &save->chain);
		break;
	case CORE_ROW_QUEUE:
		insert_queue(b, row);
		break;
	case CORE_ROW_TICKET:
		insert_ticket(b, row);
		break;
	case CORE_ROW_CONCERT:
		insert_concert(b, row);
		break;
	case CORE_ROW_SHOW:
		insert_show(b, row);
		break;
	case CORE_ROW_SEAT:
		insert_seat(b, row);
		break;
	case CORE_ROW_RESERVATION:
		insert_reservation(b, row, &save->arena);
		break;
	case CORE_ROW_ENTRY:
		insert_entry(b, row, save);
		break;
	case CORE_ROW_KEY:
		bind_key_key(b, row);
		bind_key_values(b, row);
		break;
	case CORE_ROW_AUDIT:
		insert_audit(b, row);
		break;
	default:
		b->rc = SQLITE_MISUSE;
	}
}

/* ---- updates: what changes, then key and guard ---- */

static void bind_new_values(struct sqlite_binder *b, enum core_kind kind, const void *row, const struct chain *chain)
{
	switch (kind) {
	case CORE_ROW_USER:
		sqlite_bind_int(b, ((const struct core_user *)row)->balance);
		bind_known(b, chain_last(chain, ((const struct core_user *)row)->user_id));
		break;
	case CORE_ROW_QUEUE:
		bind_queue_values(b, row);
		break;
	case CORE_ROW_TICKET: {
		const struct core_ticket *t = row;
		sqlite_bind_int(b, t->status);
		sqlite_bind_int(b, t->reason);
		sqlite_bind_int(b, t->admitted_at);
		sqlite_bind_int(b, t->expires_at);
		sqlite_bind_int(b, t->ended_at);
		sqlite_bind_int(b, t->returned_at);
		break;
	}
	case CORE_ROW_CONCERT:
		bind_concert_values(b, row);
		break;
	case CORE_ROW_SHOW:
		sqlite_bind_int(b, ((const struct core_show *)row)->total_seats);
		sqlite_bind_int(b, ((const struct core_show *)row)->version);
		break;
	case CORE_ROW_SEAT:
		bind_seat_values(b, row);
		break;
	case CORE_ROW_RESERVATION: {
		const struct core_reservation *r = row;
		sqlite_bind_int(b, r->status);
		sqlite_bind_int(b, r->held_until);
		sqlite_bind_int(b, r->paid_at);
		sqlite_bind_int(b, r->payment_id);
		break;
	}
	case CORE_ROW_KEY:
		bind_key_values(b, row);
		break;
	default:
		b->rc = SQLITE_MISUSE;
	}
}

static void bind_guard(struct sqlite_binder *b, enum core_kind kind, const void *was)
{
	struct core_id id = core_id_of(kind, was);
	sqlite_bind_int(b, id.a);
	switch (kind) {
	case CORE_ROW_USER:
		sqlite_bind_int(b, ((const struct core_user *)was)->balance);
		break;
	case CORE_ROW_QUEUE:
		bind_queue_values(b, was);
		break;
	case CORE_ROW_TICKET:
		sqlite_bind_int(b, id.b);
		sqlite_bind_int(b, ((const struct core_ticket *)was)->status);
		break;
	case CORE_ROW_CONCERT:
		sqlite_bind_int(b, ((const struct core_concert *)was)->queue_id);
		sqlite_bind_int(b, ((const struct core_concert *)was)->sales_open_at);
		sqlite_bind_int(b, ((const struct core_concert *)was)->changed_at);
		break;
	case CORE_ROW_SHOW:
		sqlite_bind_int(b, ((const struct core_show *)was)->version);
		break;
	case CORE_ROW_SEAT:
		sqlite_bind_int(b, id.b);
		sqlite_bind_int(b, ((const struct core_seat *)was)->status);
		sqlite_bind_int(b, ((const struct core_seat *)was)->reservation_id);
		sqlite_bind_int(b, ((const struct core_seat *)was)->price);
		break;
	case CORE_ROW_RESERVATION:
		sqlite_bind_int(b, ((const struct core_reservation *)was)->status);
		break;
	case CORE_ROW_KEY:
		sqlite_bind_text(b, id.s);
		sqlite_bind_int(b, ((const struct core_key_record *)was)->created_at);
		break;
	default:
		b->rc = SQLITE_MISUSE;
	}
}

static void log_stale(struct sqlite_conn *c, const struct core_row *row)
{
	static const char *const names[] = {
	    [CORE_ROW_USER] = "user",     [CORE_ROW_QUEUE] = "queue",
	    [CORE_ROW_TICKET] = "ticket", [CORE_ROW_CONCERT] = "concert",
	    [CORE_ROW_SHOW] = "show",     [CORE_ROW_SEAT] = "seat",
	    [CORE_ROW_KEY] = "key",       [CORE_ROW_RESERVATION] = "reservation",
	};
	log_event(LOG_WARN, "store_conflict", "cause", "%s: %s %lld/%lld is not as it was loaded", c->path, names[row->id.kind],
	          (long long)row->id.a, (long long)row->id.b);
}

/* The newest entry of a user whose row is not written otherwise. */
static enum store_result save_last_entry(struct sqlite_conn *c, int64_t user_id, int64_t entry_id)
{
	sqlite3_stmt *stmt = sqlite_stmt(c, SQL_LAST_ENTRY);
	if (!stmt)
		return STORE_BROKEN;
	struct sqlite_binder b = sqlite_binder(stmt);
	sqlite_bind_int(&b, entry_id);
	sqlite_bind_int(&b, user_id);
	int rc = b.rc == SQLITE_OK ? sqlite3_step(stmt) : b.rc;
	(void)sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? STORE_OK : sqlite_failed(c, rc, "save");
}

enum store_result sqlite_insert(struct sqlite_conn *c, enum core_kind kind, const void *row)
{
	struct save save = {.c = c};
	sqlite3_stmt *stmt = sqlite_stmt(c, SQL_INSERT + (int)kind);
	if (!stmt)
		return STORE_BROKEN;
	struct sqlite_binder b = sqlite_binder(stmt);
	bind_insert(&save, &b, kind, row);
	int rc = b.rc == SQLITE_OK ? sqlite3_step(stmt) : b.rc;
	enum store_result result = rc == SQLITE_DONE ? STORE_OK : sqlite_failed(c, rc, "save");
	(void)sqlite3_reset(stmt);
	arena_free(&save.arena);
	if (result == STORE_OK && kind == CORE_ROW_ENTRY)
		result =
		    save_last_entry(c, ((const struct core_entry *)row)->user_id, ((const struct core_entry *)row)->entry_id);
	return result;
}

/* An organiser's change: all of the show is written then. When it was made does not tell, since two may be of the same millisecond. */
static bool is_whole_show(const struct core_row *row)
{
	if (row->id.kind != CORE_ROW_SHOW || !row->was || !row->now)
		return false;
	const struct core_show *was = row->was, *now = row->now;
	return was->starts_at != now->starts_at || was->date != now->date || was->closed != now->closed ||
	       was->changed_at != now->changed_at;
}

static void bind_whole_show(struct sqlite_binder *b, const struct core_show *s)
{
	sqlite_bind_int(b, s->starts_at);
	sqlite_bind_int(b, s->date);
	sqlite_bind_int(b, s->changed_at);
	sqlite_bind_int(b, s->closed);
}

static enum store_result save_row(struct save *save, const struct core_row *row)
{
	enum core_kind kind = row->id.kind;
	bool whole_show = is_whole_show(row);
	int which = whole_show ? SQL_UPDATE_WHOLE_SHOW : (row->was ? row->now ? SQL_UPDATE : SQL_DELETE : SQL_INSERT) + (int)kind;
	if (!sqlite_statements[which].sql) {
		log_event(LOG_ERROR, "store_conflict", "cause", "%s: the ledger and the audit log are append-only",
		          save->c->path);
		return STORE_CONFLICT;
	}
	sqlite3_stmt *stmt = sqlite_stmt(save->c, which);
	if (!stmt)
		return STORE_BROKEN;
	struct sqlite_binder b = sqlite_binder(stmt);
	if (whole_show)
		bind_whole_show(&b, row->now);
	if (!row->was)
		bind_insert(save, &b, kind, row->now);
	else if (row->now)
		bind_new_values(&b, kind, row->now, &save->chain);
	if (row->was)
		bind_guard(&b, kind, row->was);
	int rc = b.rc == SQLITE_OK ? sqlite3_step(stmt) : b.rc;
	enum store_result result = rc == SQLITE_DONE ? STORE_OK : sqlite_failed(save->c, rc, "save");
	if (result == STORE_OK && row->was && sqlite3_changes(save->c->db) != 1) {
		log_stale(save->c, row);
		result = STORE_CONFLICT;
	}
	(void)sqlite3_reset(stmt);
	return result;
}

static bool is_entry(const struct core_row *row)
{
	return row->id.kind == CORE_ROW_ENTRY;
}

/* Of the dirty rows, the entries or the others. */
static enum store_result save_rows(struct save *save, const struct core_rows *rows, bool entries, bool *changed)
{
	enum store_result result = STORE_OK;
	for (const struct core_row *row = core_rows_dirty(rows); row && result == STORE_OK; row = row->next_dirty) {
		if (is_entry(row) != entries || (!row->was && !row->now))
			continue;
		*changed = true;
		result = save_row(save, row);
	}
	return result;
}

/* The users' newest entries. A user's row that is written has it already: all but those of entries alone, which no rule makes. */
static enum store_result save_last_entries(struct save *save, const struct core_rows *rows)
{
	enum store_result result = STORE_OK;
	for (size_t i = 0; i < save->chain.n && result == STORE_OK; i++) {
		const struct chain_link *link = &save->chain.links[i];
		if (i + 1 < save->chain.n && link[1].user_id == link->user_id)
			continue;
		const struct core_row *user = core_row_find(rows, CORE_ROW_USER, link->user_id, 0, (struct text){0});
		if (!user || !user->dirty)
			result = save_last_entry(save->c, link->user_id, link->entry_id);
	}
	return result;
}

/* Entries first: each may ask the user's row for the one before it. */
enum store_result sqlite_save(struct sqlite_conn *c, const struct chain_heads *heads, const struct core_rows *rows, bool *changed)
{
	struct save save = {.c = c, .heads = heads};
	*changed = false;
	save.chain = chain_of(rows, &save.arena);
	enum store_result result = save_rows(&save, rows, true, changed);
	if (result == STORE_OK)
		result = save_rows(&save, rows, false, changed);
	if (result == STORE_OK)
		result = save_last_entries(&save, rows);
	arena_free(&save.arena);
	return result;
}

static enum store_result save_number(struct sqlite_conn *c, int which, int64_t number, const char *what)
{
	sqlite3_stmt *stmt = sqlite_stmt(c, which);
	if (!stmt)
		return STORE_BROKEN;
	struct sqlite_binder b = sqlite_binder(stmt);
	sqlite_bind_int(&b, number);
	int rc = b.rc == SQLITE_OK ? sqlite3_step(stmt) : b.rc;
	(void)sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? STORE_OK : sqlite_failed(c, rc, what);
}

enum store_result sqlite_save_clock(struct sqlite_conn *c, int64_t now)
{
	return save_number(c, SQL_CLOCK_SAVE, now, "clock");
}

enum store_result sqlite_save_realm(struct sqlite_conn *c, int64_t realm)
{
	return save_number(c, SQL_REALM_SAVE, realm, "realm");
}
