/* store.h: where rows are kept. The one interface between the engine and a database.
 *
 * A store is dumb: it loads the rows that a batch asks for and saves the rows that a batch has changed, in one transaction. It has no
 * rules; what guards it has (UNIQUE, CHECK, "the row is as it was loaded") only catch mistakes of the rules.
 *
 * Ownership: a store is freed by store_close, a reader by store_reader_close (before its store). What they load is in the arena given.
 * Threads: a store is used by one thread at a time (the committer), store_sync excepted; each reader by one thread at a time; they do not
 * get in each other's way.
 * Errors: enum store_result; nothing else is thrown, printed or exited. After anything but STORE_OK from begin, load, ids or commit the
 * caller calls store_rollback, and nothing of the batch has happened, STORE_BROKEN from commit excepted (see there). */
#ifndef JARI_STORE_STORE_H
#define JARI_STORE_STORE_H

#include "core/core.h"
#include "core/rows.h"

enum store_result {
	STORE_OK = 0,
	STORE_NONE,     /* there is no such row */
	STORE_CONFLICT, /* a guard said no: the rows are not as they were loaded, or a constraint would be broken */
	STORE_BUSY,     /* not now: try the whole batch again */
	STORE_BROKEN    /* disk full, I/O error, lost connection, corrupt file; the log has the cause */
};
const char *store_result_name(enum store_result r);

struct store;
struct store_reader;

enum store_mode {
	STORE_SERVE,  /* create when missing, migrate, lock against a second server, write */
	STORE_READ,   /* only look, while a server may be running: store_reader_* work, the rest does not */
	STORE_EXPORT, /* only look, and keep every server out meanwhile: what STORE_READ can, and store_export */
	STORE_IMPORT  /* create and migrate as STORE_SERVE does, and keep every server out: store_import_*, store_export */
};

struct store_options {
	const char *url; /* "sqlite:PATH", "postgresql://USER@HOST:PORT/DATABASE" or what else libpq takes, "memory:" */
	enum store_mode mode;
	int64_t queue_capacity; /* of the default queue (queue 1, "main"), when the store is new */
};

#define STORE_ERROR_SIZE 512

/* A store's URL as it may be shown and logged: without a password. */
#define STORE_SHOWN_SIZE 256
void store_shown(const char *url, char out[STORE_SHOWN_SIZE]);

/* Opens a store. On anything but STORE_OK `error` has one line that a person understands (the path, what is wrong, what to do), and
 * nothing was damaged: a missing directory, an unwritable file, no database, a newer version's, one that another server has open. */
enum store_result store_open(const struct store_options *options, struct store **out, char error[STORE_ERROR_SIZE]);
void store_close(struct store *s);

/* The path of the store's file, for what lies beside it; NULL when it has none. Lives as long as the store. */
const char *store_path(const struct store *s);

/* The latest instant that a committed batch was decided at; 0 in a new store. */
int64_t store_clock(struct store *s);

/* Whose the accounts are: a number for the people that names stand for, 0 while nobody has said. `used`: there is an account. Between batches. */
enum store_result store_realm(struct store *s, int64_t *realm, bool *used);
/* Says so; durable when it returns STORE_OK. Between batches. */
enum store_result store_set_realm(struct store *s, int64_t realm);

/* ---- one batch: begin, load and ids as often as need be, then commit or rollback ---- */

/* Begins a batch. `now` comes in as the caller's clock and goes out as the instant to decide at: the same, or later where the store
 * knows better; with a store that several processes share, the store's own clock. Never earlier than any before of this store, nor (or the
 * batch is STORE_BUSY) than what any row that is loaded depends on. */
enum store_result store_begin(struct store *s, int64_t *now);
/* Loads everything that `rows` asks for (rows->need_rows, rows->need_lists) and calls core_rows_loaded. Lists come in the order that
 * core/rows.h gives; list->complete is set to whether nothing was cut off by the limit. */
enum store_result store_load(struct store *s, struct core_rows *rows);
/* Says before the first load that the batch will ask for `count` more ids of a kind, so that a store across a network brings them with it.
 * Only a hint. */
void store_want_ids(struct store *s, enum core_id_kind kind, int64_t count);
/* Sets aside `count` ids that nobody has had. Asked for behind the load of a user, they are above all ids of that user's entries. */
enum store_result store_ids(struct store *s, enum core_id_kind kind, int64_t count, struct core_ids *out);
/* Saves every dirty row and commits. Loads of this store and readers see the commit from here on; it is durable once a store_sync that
 * began after it has returned. A row that was loaded is overwritten or removed only while it is as it was loaded; otherwise
 * STORE_CONFLICT. STORE_BROKEN may leave it unknown whether the commit happened. */
enum store_result store_commit(struct store *s, const struct core_rows *rows, int64_t now);
/* Makes every commit durable that had returned when it was called (I7). Runs on a thread of its own beside batches, one call at a time.
 * When the disk refuses, what is on it is unknown: the process is ended, with the cause in the log. */
void store_sync(struct store *s);
/* What was in the way of the last call that gave STORE_BUSY or STORE_BROKEN. */
enum store_trouble {
	STORE_WELL,
	STORE_UNREACHABLE, /* no connection, or it was lost */
	STORE_STARTING,    /* the database is there and takes nobody yet */
	STORE_SILENT,      /* it does not answer */
	STORE_READ_ONLY,   /* a standby, or set so */
	STORE_CONTENDED,   /* it asks to try again: locks, deadlocks, serialization */
	STORE_FULL,        /* there is no room left for it */
	STORE_REFUSING,    /* anything else: the log has the cause */
	STORE_BEHIND,      /* the engine's: what others have done is being read anew */
	STORE_TROUBLE_COUNT
};
/* Called by the thread of the batches. */
enum store_trouble store_trouble(struct store *s);
/* Ends a batch that has changed nothing and has something to tell all the same: STORE_OK once what it has loaded is as durable as an own commit
 * (which with this store's own commits is what store_sync makes sure of). */
enum store_result store_confirm(struct store *s);
/* Ends a batch without effect. Harmless when none is open. */
void store_rollback(struct store *s);
/* After a commit that could not be written, and without one that could be since: writes what nobody sees, to learn whether there is room again.
 * STORE_OK when a commit may be tried; else as store_commit. Between batches. */
enum store_result store_try_writing(struct store *s);
/* Housekeeping between batches (checkpoint). May take milliseconds. */
void store_maintain(struct store *s);

/* ---- at start: everything that the read model keeps ---- */

/* Called with a row struct of the kind, valid during the call. False stops the scan. */
typedef bool (*store_row_fn)(void *arg, enum core_kind kind, const void *row);

/* Every queue, concert, show, seat; every HELD reservation; every ticket that is live or was issued at `since` or later, and before
 * it (at least before its first ticket) its user. Kinds in this order: queues, concerts, shows, seats (by show and number),
 * reservations, users, tickets (by queue and number). STORE_OK also when the function stopped it. */
enum store_result store_scan(struct store *s, int64_t since, store_row_fn fn, void *arg);

/* ---- other processes: what they have committed ---- */

/* Calls `fn` with every row (users, queues, concerts, shows, seats, reservations of any status, tickets; in this order) that commits of other
 * processes have changed since the last call, or since the scan began, as it is now. A row may come again, and one of an own commit too when its
 * outcome could not be learned. Called by the thread of the batches, between them; the function can't stop it.
 * STORE_OK also when there is none. STORE_NONE: the store is not shared, so there never is any. STORE_BUSY: call again later, nothing is lost.
 * STORE_CONFLICT: what was read is not the past of what is there now (another server has taken over, or this process was away for longer than
 * changes are kept): drop everything and scan anew; until then it stays so. */
enum store_result store_follow(struct store *s, store_row_fn fn, void *arg);
/* Waits until another process may have committed something (STORE_OK), or the timeout has passed (STORE_NONE; at once when the store is not
 * shared). STORE_BUSY, after the timeout, when it can't be known. Not every commit is told of at once: follow at least once a second anyway. For a
 * thread of its own, which must have ended before store_close. */
enum store_result store_watch(struct store *s, int timeout_ms);

/* Who of a stretch of a queue's numbers has been heard from: bit i of the bytes, the lowest of each first, is number first + i. */
#define STORE_HEARD_NUMBERS 1024
struct store_heard {
	int64_t queue_id, first;
	uint8_t bits[STORE_HEARD_NUMBERS / 8];
};
typedef void (*store_heard_fn)(void *arg, const struct store_heard *heard);
/* Tells the other processes who has been heard from here, and calls `fn` with what they have told since the last call (a little of it again). Lost
 * when the database crashes. Called by the thread of the batches, between them. STORE_NONE: the store is not shared. */
enum store_result store_hear(struct store *s, const struct store_heard *own, size_t n, store_heard_fn fn, void *arg);

/* ---- how the store is doing ---- */

struct store_figures {
	bool has_log;                      /* else there are none */
	int64_t log_pages, log_pages_left; /* of the write-ahead log: in all, and not yet moved into the file */
	int64_t checkpoints, checkpoint_us,
	    checkpoint_last_us; /* how many have moved pages, how long all and the last one took */
};
/* As of the last housekeeping. Any thread, at any time before store_close. */
void store_look_figures(struct store *s, struct store_figures *out);

/* ---- readers: what the read model does not keep ---- */

enum store_result store_reader_open(struct store *s, struct store_reader **out);
void store_reader_close(struct store_reader *r);

/* A committed row as the last commit left it (synced or not), or STORE_NONE. */
enum store_result store_reservation(struct store_reader *r, int64_t reservation_id, struct arena *arena,
                                    struct core_reservation *out);
/* Pages, newest first: at most `limit` rows with an id below `before` (0: from the newest). STORE_OK with *n 0 when there is none. */
enum store_result store_reservations(struct store_reader *r, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                                     struct core_reservation **out, size_t *n);
enum store_result store_entries(struct store_reader *r, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                                struct core_entry **out, size_t *n);
enum store_result store_audits(struct store_reader *r, int64_t before, int64_t limit, struct arena *arena,
                               struct core_audit **out, size_t *n);
/* A concert's reservations with their users' names, oldest first: at most `limit` with an id above `after`. */
struct store_sale {
	struct core_reservation reservation;
	struct text username;
};
enum store_result store_sales(struct store_reader *r, int64_t concert_id, int64_t after, int64_t limit, struct arena *arena,
                              struct store_sale **out, size_t *n);

/* ---- an organiser's tools ---- */

/* One check of `jari audit`: how many rows break it, and the first of them in words ("" when none). */
typedef void (*store_check_fn)(void *arg, const char *invariant, const char *what, int64_t violations, const char *example);
/* Checks I1 to I10 over every row as far as a store shows them, in one consistent view, with code that shares nothing with the rules. `s` may
 * be open in any mode; a server may be running. */
enum store_result store_audit(struct store *s, store_check_fn fn, void *arg);
/* A consistent copy in a new file, while a server may be running. Fails with a line in `error` when `destination` exists. STORE_NONE, with a
 * line, for a store that other tools back up.
 * `progress` may be NULL; it gets pages done and pages in all. */
enum store_result store_backup(struct store *s, const char *destination, void (*progress)(void *arg, int64_t done, int64_t total),
                               void *arg, char error[STORE_ERROR_SIZE]);

/* ---- moving house: everything that a store keeps, out of one and into another ---- */

/* The kinds of rows in the order in which they are exported: what a row refers to comes before it, as far as that can be. */
#define STORE_KINDS 10
extern const enum core_kind store_kinds[STORE_KINDS];
/* "users", "ledger entries", … */
const char *store_kind_name(enum core_kind kind);

/* How many rows store_export would give. */
enum store_result store_count(struct store *s, int64_t *rows);
/* Calls `fn` with every row that the store keeps, in one consistent view: the kinds in the order of store_kinds, the rows of each by their key, entries
 * by their id alone. Two stores with the same content give the same rows in the same order. STORE_OK also when the function stopped it. What is
 * no row: store_clock and store_realm. Ids go on behind the highest of their kind; nothing is ever removed that had one. */
enum store_result store_export(struct store *s, store_row_fn fn, void *arg);

/* Fills a store that is empty: begin, every row of an export, finish. All of it or nothing: before store_import_finish has returned nobody sees any of
 * it, and it is durable when that returns STORE_OK. When the process ends before, the store is as empty as it was. The rows of a kind come
 * together. After anything but STORE_OK, `error` has a line, and the caller calls store_rollback (also to give up) and store_close; then the store
 * is empty.
 * `clock` and `realm` are those of where the rows come from. STORE_CONFLICT: the store is not empty; a row breaks a constraint. STORE_BROKEN: also when
 * the database can't keep a row (PostgreSQL: a text with a NUL). */
enum store_result store_import_begin(struct store *s, int64_t clock, int64_t realm, char error[STORE_ERROR_SIZE]);
enum store_result store_import_row(struct store *s, enum core_kind kind, const void *row, char error[STORE_ERROR_SIZE]);
enum store_result store_import_finish(struct store *s, char error[STORE_ERROR_SIZE]);

/* ---- for the implementations ---- */

struct store_ops {
	void (*close)(struct store *);
	const char *(*path)(const struct store *);
	int64_t (*clock)(struct store *);
	enum store_result (*realm)(struct store *, int64_t *, bool *);
	enum store_result (*set_realm)(struct store *, int64_t);
	enum store_result (*begin)(struct store *, int64_t *now);
	enum store_result (*load)(struct store *, struct core_rows *);
	void (*want_ids)(struct store *, enum core_id_kind, int64_t); /* may be NULL, as follow and watch */
	enum store_result (*ids)(struct store *, enum core_id_kind, int64_t, struct core_ids *);
	enum store_result (*commit)(struct store *, const struct core_rows *, int64_t now);
	void (*sync)(struct store *);                 /* NULL: a commit is durable when it returns */
	enum store_result (*confirm)(struct store *); /* NULL: what can be loaded is durable after store_sync */
	void (*rollback)(struct store *);
	enum store_trouble (*trouble)(struct store *);    /* NULL: always STORE_REFUSING */
	enum store_result (*try_writing)(struct store *); /* NULL: a batch that could be begun tells it */
	void (*maintain)(struct store *);
	void (*figures)(struct store *, struct store_figures *); /* may be NULL */
	enum store_result (*scan)(struct store *, int64_t, store_row_fn, void *);
	enum store_result (*follow)(struct store *, store_row_fn, void *);
	enum store_result (*watch)(struct store *, int);
	enum store_result (*hear)(struct store *, const struct store_heard *, size_t, store_heard_fn,
	                          void *); /* may be NULL too */
	enum store_result (*reader_open)(struct store *, struct store_reader **);
	void (*reader_close)(struct store_reader *);
	enum store_result (*reservation)(struct store_reader *, int64_t, struct arena *, struct core_reservation *);
	enum store_result (*reservations)(struct store_reader *, int64_t, int64_t, int64_t, struct arena *,
	                                  struct core_reservation **, size_t *);
	enum store_result (*entries)(struct store_reader *, int64_t, int64_t, int64_t, struct arena *, struct core_entry **,
	                             size_t *);
	enum store_result (*audits)(struct store_reader *, int64_t, int64_t, struct arena *, struct core_audit **, size_t *);
	enum store_result (*sales)(struct store_reader *, int64_t, int64_t, int64_t, struct arena *, struct store_sale **,
	                           size_t *);
	enum store_result (*audit)(struct store *, store_check_fn, void *);
	enum store_result (*backup)(struct store *, const char *, void (*)(void *, int64_t, int64_t), void *,
	                            char[STORE_ERROR_SIZE]);
	enum store_result (*count)(struct store *, int64_t *);
	enum store_result (*export_rows)(struct store *, store_row_fn, void *);
	enum store_result (*import_begin)(struct store *, int64_t, int64_t, char[STORE_ERROR_SIZE]);
	enum store_result (*import_row)(struct store *, enum core_kind, const void *, char[STORE_ERROR_SIZE]);
	enum store_result (*import_finish)(struct store *, char[STORE_ERROR_SIZE]);
};

/* The first member of every implementation's store and reader. */
struct store {
	const struct store_ops *ops;
};
struct store_reader {
	const struct store_ops *ops;
};

enum store_result store_sqlite_open(const struct store_options *options, const char *path, struct store **out,
                                    char error[STORE_ERROR_SIZE]);
enum store_result store_postgres_open(const struct store_options *options, struct store **out, char error[STORE_ERROR_SIZE]);
void store_postgres_shown(const char *url, char out[STORE_SHOWN_SIZE]);
enum store_result store_memory_open(const struct store_options *options, struct store **out, char error[STORE_ERROR_SIZE]);

#endif
