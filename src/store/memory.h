/* memory.h: the inside of the memory store, shared by its files.
 *
 * Rows are deep copies, each one block of memory; indexes are ordered maps that point at them. A commit changes the indexes row by row and notes
 * what it did, so that it can be undone; readers on other threads look under the same lock.
 * Not for anything outside src/store/memory*.c and the simulation. */
#ifndef JARI_STORE_MEMORY_H
#define JARI_STORE_MEMORY_H

#include "store/ordered.h"
#include "store/store.h"

#include <pthread.h>

/* Every index is unique; those that are not by nature end with the row's own key. A row kind's first index is its primary one. */
enum memory_index {
	MEM_USER,
	MEM_USER_NAME,
	MEM_QUEUE,
	MEM_QUEUE_NAME,
	MEM_TICKET,
	MEM_TICKET_LIVE, /* queue, user; of those WAITING or ACTIVE */
	MEM_TICKET_LINE, /* queue, number; of those WAITING */
	MEM_TICKET_DUE,  /* expires_at, queue, number; of those ACTIVE */
	MEM_CONCERT,
	MEM_SHOW,
	MEM_SHOW_ON, /* concert, date, starts_at, show */
	MEM_SEAT,
	MEM_SEAT_USER, /* show, user, seat number; of those that name a user */
	MEM_RESERVATION,
	MEM_RESERVATION_DUE,     /* held_until, reservation; of those HELD */
	MEM_RESERVATION_USER,    /* user, minus reservation: newest first */
	MEM_RESERVATION_CONCERT, /* concert, reservation */
	MEM_ENTRY,
	MEM_ENTRY_ID,   /* entry */
	MEM_ENTRY_USER, /* user, minus entry */
	MEM_KEY,
	MEM_KEY_DUE, /* created_at, user, key */
	MEM_AUDIT,
	MEM_AUDIT_NEWEST, /* minus audit */
	MEM_INDEXES
};

/* What a commit did, so that it can be undone: `gone` left the indexes and `came` went in; either may be NULL. */
struct memory_step {
	enum core_kind kind;
	void *gone, *came;
};
struct memory_steps {
	struct memory_step *p;
	size_t n, cap;
	int64_t clock; /* before it */
};

struct memory_store {
	struct store base;
	pthread_mutex_t lock; /* held while the indexes change, and by readers */
	struct ordered index[MEM_INDEXES];
	int64_t clock;
	int64_t next_id[CORE_ID_KINDS];
	void *put_away; /* while it is filled by an import: the main queue that it had */
	int64_t clock_to_be;
	int64_t realm, realm_to_be;
	bool keeps; /* commits can be undone later: the latest of them, oldest first */
	struct memory_steps *kept;
	size_t kept_n, kept_cap;
};

struct memory_reader {
	struct store_reader base;
	struct memory_store *store;
};

/* memory_rows.c: what there is to know about each kind of row */

/* A deep copy in one block; the caller frees it. */
void *memory_row_copy(enum core_kind kind, const void *row);
/* Fills `out`, a struct of the kind, with a copy whose texts and arrays are the arena's. */
void memory_row_load(enum core_kind kind, const void *row, struct arena *arena, void *out);
/* True when a row is as it was loaded, as far as it ever changes. */
bool memory_row_same(enum core_kind kind, const void *stored, const void *was);
/* The CHECK constraints. */
bool memory_row_valid(enum core_kind kind, const void *row);

/* memory.c */

/* The key under which the index has the row; false when the row is not in it. */
bool memory_index_key(enum memory_index index, const void *row, struct ordered_key *out);
enum core_kind memory_index_kind(enum memory_index index);
/* The index of a kind's own key. */
enum memory_index memory_primary(enum core_kind kind);
/* Puts a row into every index of its kind, or into none when one has its key already. */
bool memory_put(struct memory_store *s, enum core_kind kind, void *row);
/* Removes and frees every row. */
void memory_clear(struct memory_store *s);
/* Ids that came from elsewhere are not given out again. */
void memory_raise_ids(struct memory_store *s);

/* For simulations, where the latest commits may not have reached a disk. From here on what commits do is kept. */
void memory_keep(struct store *base);
/* The latest `n` commits that are kept have never happened. */
void memory_undo(struct store *base, size_t n);
/* The oldest `n` that are kept stay for good. */
void memory_settle(struct store *base, size_t n);

/* memory_copy.c: export and import */
enum store_result memory_count(struct store *base, int64_t *rows);
enum store_result memory_export(struct store *base, store_row_fn fn, void *arg);
enum store_result memory_import_begin(struct store *base, int64_t clock, int64_t realm, char error[STORE_ERROR_SIZE]);
enum store_result memory_import_row(struct store *base, enum core_kind kind, const void *row, char error[STORE_ERROR_SIZE]);
enum store_result memory_import_finish(struct store *base, char error[STORE_ERROR_SIZE]);
/* Ends an import without effect. Harmless when none is open. */
void memory_import_undo(struct store *base);

/* memory_read.c: the readers' and the scan's part of the operations */
enum store_result memory_scan(struct store *base, int64_t since, store_row_fn fn, void *arg);
enum store_result memory_reader_open(struct store *base, struct store_reader **out);
void memory_reader_close(struct store_reader *base);
enum store_result memory_reservation(struct store_reader *base, int64_t reservation_id, struct arena *arena,
                                     struct core_reservation *out);
enum store_result memory_reservations(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit,
                                      struct arena *arena, struct core_reservation **out, size_t *n);
enum store_result memory_entries(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                                 struct core_entry **out, size_t *n);
enum store_result memory_audits(struct store_reader *base, int64_t before, int64_t limit, struct arena *arena,
                                struct core_audit **out, size_t *n);
enum store_result memory_sales(struct store_reader *base, int64_t concert_id, int64_t after, int64_t limit, struct arena *arena,
                               struct store_sale **out, size_t *n);

/* memory_audit.c */
enum store_result memory_audit(struct store *base, store_check_fn fn, void *arg);

#endif
