/* rows.h: the working set of one batch: the rows that were loaded, as they are now and as they were.
 *
 * The engine asks core_plan what a command needs, the store loads it in here, core_decide changes it, the store saves what has
 * changed. One hash table holds rows and lists by key; nothing is removed before the batch ends.
 *
 * Ownership: all memory is the arena's that core_rows_init was given; it lives as long as the batch.
 * Threads: one batch, one thread. Errors: none; an arena ends the process when memory does (base/arena.h). */
#ifndef JARI_CORE_ROWS_H
#define JARI_CORE_ROWS_H

#include "base/arena.h"
#include "core/types.h"

/* What a row or a list is keyed by. */
enum core_kind {
	/* rows: one struct each */
	CORE_ROW_USER = 1,    /* a: user */
	CORE_ROW_QUEUE,       /* a: queue */
	CORE_ROW_TICKET,      /* a: queue, b: number */
	CORE_ROW_CONCERT,     /* a: concert */
	CORE_ROW_SHOW,        /* a: show */
	CORE_ROW_SEAT,        /* a: show, b: seat number */
	CORE_ROW_RESERVATION, /* a: reservation */
	CORE_ROW_ENTRY,       /* a: user, b: entry; written only, never loaded */
	CORE_ROW_KEY,         /* a: user, s: idempotency key */
	CORE_ROW_AUDIT,       /* a: audit; written only, never loaded */
	/* lists: rows of one kind that a question finds */
	CORE_LIST_USER_NAMED,  /* s: name; the user, or empty */
	CORE_LIST_QUEUE_NAMED, /* s: name; the queue, or empty */
	CORE_LIST_LIVE_TICKET, /* a: queue, b: user; the ticket that is WAITING, PASSED or ACTIVE, or empty */
	CORE_LIST_LINE,        /* a: queue; the first `limit` waiting tickets by number */
	CORE_LIST_SHOWS_ON,    /* a: concert, b: date; by starts_at, then id */
	CORE_LIST_SHOW_SEATS,  /* a: show; every seat, by number */
	CORE_LIST_USER_SEATS,  /* a: show, b: user; the seats whose user_id is this user (lapsed holds too) */
	CORE_LIST_DUE_HOLDS,   /* b: an instant; the first `limit` HELD reservations with held_until <= b, the earliest first */
	CORE_LIST_DUE_TICKETS, /* b: an instant; the first `limit` ACTIVE or PASSED tickets with expires_at <= b, the earliest first */
	CORE_LIST_DUE_KEYS, /* b: an instant; the first `limit` key records with created_at <= b, the earliest first */
	CORE_KIND_COUNT
};

struct core_id {
	enum core_kind kind;
	int64_t a, b;
	struct text s;
};

struct core_row {
	struct core_id id;
	struct core_row *chain;      /* of the hash table */
	struct core_row *next_dirty; /* in the order in which they were first changed */
	void *now;                   /* the struct of the kind; NULL: no such row (any more) */
	const void *was;             /* as loaded; NULL: not in the store */
	bool dirty;
	bool known; /* false while it is only asked for */
};

struct core_list {
	struct core_id id;
	struct core_list *chain;
	struct core_list *next_need; /* while it waits to be loaded */
	int64_t limit;               /* how many rows to load at most; 0: all there are */
	bool loaded;
	bool complete; /* no row was left out by the limit */
	struct core_row **rows;
	size_t n, cap;
};

struct core_rows {
	struct arena *arena;
	struct core_row **row_buckets;
	struct core_list **list_buckets;
	size_t buckets; /* a power of two */
	size_t row_count;
	struct core_row *dirty_first, **dirty_last;
	/* what is to be loaded: rows and lists asked for and not yet there, in the order of asking */
	struct core_id *need_rows;
	size_t need_row_count, need_row_cap;
	struct core_list *need_lists, **need_lists_last;
};

/* `expected` is about how many rows the batch will have. */
void core_rows_init(struct core_rows *rows, struct arena *arena, size_t expected);

/* ---- asking (core_plan) ---- */

/* Asks for a row unless it is known. */
void core_need_row(struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s);
/* Asks for a list unless it is loaded. `more` adds to its limit while it is not (0: no limit). */
void core_need_list(struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s, int64_t more);
/* True while something asked for is not loaded. */
bool core_rows_needy(const struct core_rows *rows);

/* ---- loading (the store) ---- */

/* Puts a row that is in the store. The struct is copied, its texts and arrays are not: they must be the arena's. When the row is known
 * already, the known one stays (it may be newer). Returns the row. */
struct core_row *core_rows_put(struct core_rows *rows, struct core_id id, const void *row);
/* Notes that the store has no such row. */
void core_rows_put_absent(struct core_rows *rows, struct core_id id);
void core_list_add(struct core_rows *rows, struct core_list *list, struct core_row *row);
/* Ends a load: what was asked for is answered. Lists that the store did not mark stay as they are: loaded. */
void core_rows_loaded(struct core_rows *rows);

/* Room for a row of any kind. */
union core_any_row {
	struct core_user user;
	struct core_queue queue;
	struct core_ticket ticket;
	struct core_concert concert;
	struct core_show show;
	struct core_seat seat;
	struct core_reservation reservation;
	struct core_entry entry;
	struct core_key_record key;
	struct core_audit audit;
};

/* The kind of the rows that a list holds; a row kind's own. */
enum core_kind core_row_kind(enum core_kind kind);
/* The key of a row struct, for the store's use. */
struct core_id core_id_of(enum core_kind kind, const void *row);
/* The size of the struct of a row kind. */
size_t core_kind_size(enum core_kind kind);

/* ---- deciding (the rules) ---- */

/* The row as it is now, or NULL when there is none. Valid until the batch ends. */
void *core_row_get(const struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s);
/* The handle of a row that was loaded, put or made; NULL when unknown. */
struct core_row *core_row_find(const struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s);
/* The row to be changed: marks it dirty. The row must exist. */
void *core_row_edit(struct core_rows *rows, struct core_row *row);
/* A new row with a copy of `fresh`; there must be none of that key now. */
struct core_row *core_row_create(struct core_rows *rows, enum core_kind kind, const void *fresh);
/* Removes the row. */
void core_row_delete(struct core_rows *rows, struct core_row *row);
/* The list, loaded; NULL when it was not asked for. */
struct core_list *core_list_find(const struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s);
/* The list; when it was not asked for, an empty and complete one. Only for keys that the store can't have anything of (a user made in
 * this batch). */
struct core_list *core_list_make(struct core_rows *rows, enum core_kind kind, int64_t a, int64_t b, struct text s);

/* ---- saving (the store), publishing (the read model) ---- */

/* The first changed row; go on with ->next_dirty. A row made and removed in one batch has neither now nor was. */
const struct core_row *core_rows_dirty(const struct core_rows *rows);

#endif
