/* sqlite.h: the inside of the SQLite store, shared by its files.
 *
 * One connection writes, one moves the log into the file beside it (sqlite_checkpoint.h); each reader, audit and backup has a connection
 * of its own that can only read. Every statement stands in one table (sqlite_sql.c), is prepared at its first use and
 * kept.
 * Errors: a failed call is logged where it happens and becomes an enum store_result (sqlite_failed).
 * Not for anything outside src/store/sqlite*.c, audit.c and the tests of them. */
#ifndef JARI_STORE_SQLITE_H
#define JARI_STORE_SQLITE_H

#include "store/sqlite_chain.h"
#include "store/sqlite_checkpoint.h"
#include "store/sqlite_log.h"
#include "store/store.h"

#include "base/buf.h"
#include "base/tally.h"

#include <sqlite3.h>

#define SQLITE_JARI_ID 0x4a617269    /* application_id: "Jari" */
#define SQLITE_PAGE_BYTES 1024       /* of a new file: a sale changes a few bytes in many places, each costs the log a page */
#define SQLITE_STEP_PAGES 16000      /* of the log that are left to move: so many begin a step */
#define SQLITE_LAST_PAGES 1500       /* so few the writing connection moves itself, so that the log begins anew ... */
#define SQLITE_ANEW_PAGES 64000      /* ... when it is at least so long; */
#define SQLITE_LOG_PAGES_MAX 192000  /* and when it is so long it does so whatever is left */
#define SQLITE_WRITER_CACHE "-8192"  /* KiB */
#define SQLITE_READER_CACHE "-16384" /* KiB */
#define SQLITE_MMAP "268435456"      /* bytes */
#define SQLITE_READER_BUSY_MS 2000
#define SQLITE_BACKUP_STEP 1024       /* pages between two calls of progress */
#define SQLITE_IMPORT_CACHE "-262144" /* KiB; an import fills every index at once */

/* Statements. The first five groups are counted by the kind of row or list: SQL_LOAD + CORE_ROW_USER. */
enum sqlite_sql {
	SQL_LOAD = 0,
	SQL_INSERT = SQL_LOAD + CORE_KIND_COUNT,
	SQL_UPDATE = SQL_INSERT + CORE_LIST_USER_NAMED,
	SQL_DELETE = SQL_UPDATE + CORE_LIST_USER_NAMED,
	SQL_EXPORT = SQL_DELETE + CORE_LIST_USER_NAMED,
	SQL_UPDATE_WHOLE_SHOW = SQL_EXPORT + CORE_LIST_USER_NAMED,
	SQL_LAST_ENTRY,
	SQL_BEGIN,
	SQL_BEGIN_READ,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_CLOCK,
	SQL_CLOCK_SAVE,
	SQL_REALM,
	SQL_REALM_SAVE,
	SQL_NEXT_IDS,
	SQL_ROWS,
	SQL_CLEAR_QUEUES,
	SQL_SCAN_HOLDS,
	SQL_SCAN_ISSUED,
	SQL_SCAN_USERS,
	SQL_SCAN_TICKETS,
	SQL_READ_RESERVATIONS,
	SQL_READ_ENTRIES,
	SQL_READ_AUDITS,
	SQL_READ_SALES,
	SQL_COUNT
};

struct sqlite_statement {
	const char *sql;   /* NULL: no such statement */
	const char *binds; /* of loads: what its parameters are, of the id's a, b and s, and l for the limit */
};
extern const struct sqlite_statement sqlite_statements[SQL_COUNT];

#define SQLITE_SAY_AGAIN_US 10000000 /* the same failure over and over is logged so often */

struct sqlite_conn {
	sqlite3 *db;
	const char *path; /* for the log */
	int failed_with;  /* the last result that was no matter of trying again ... */
	int64_t said_us;  /* ... and when it was logged */
	bool full;        /* it was for want of room */
	sqlite3_stmt *stmt[SQL_COUNT];
};

/* When the log is moved into the file, in pages of it: the four numbers above, or less for tests. */
struct sqlite_pace {
	int step, last, anew, max;
};

struct sqlite_store {
	struct store base;
	struct sqlite_conn conn;
	struct chain_heads heads; /* of the users that the batch has loaded */
	struct sqlite_log *log;   /* NULL when the store is only read */
	char *path;
	enum store_mode mode;
	int lock_fd; /* -1 when there is none */
	int64_t clock, saved_clock;
	int64_t clock_to_be, realm_to_be; /* while it is filled by an import */
	int64_t next_id[CORE_ID_KINDS];
	struct sqlite_checkpoint *checkpoint; /* NULL when the store is only read */
	const struct sqlite_pace *pace;
	int log_pages;  /* of the write-ahead log after the last commit */
	int moved;      /* of them into the file, at least */
	bool refused;   /* the last commit could not be written */
	int wait_until; /* nothing is moved before the log has so many: a reader is in the way */
	bool stepped;   /* a step has been started whose end was not seen yet */
	struct {
		tally_count log_pages, log_pages_left, checkpoints, checkpoint_us, checkpoint_last_us;
	} figures;
};

struct sqlite_reader {
	struct store_reader base;
	struct sqlite_conn conn;
};

/* ---- sqlite_sql.c ---- */

/* The prepared statement, reset; NULL after logging why not. */
sqlite3_stmt *sqlite_stmt(struct sqlite_conn *c, int which);
/* Runs a statement that gives no rows. */
enum store_result sqlite_run(struct sqlite_conn *c, int which);
/* What a failed call means; logs it unless it is a matter of trying again. */
enum store_result sqlite_failed(struct sqlite_conn *c, int rc, const char *what);
/* A sync that failed may have dropped what it was to write, and the next one would not say so: what is on disk is known only after
 * starting anew from it. */
_Noreturn void sqlite_end_process(const char *path);
/* The same when the call that has just failed did so for that reason. */
void sqlite_end_if_unsynced(struct sqlite_conn *c);
/* Finalizes what is prepared and closes. */
void sqlite_conn_close(struct sqlite_conn *c);

/* Parameters are bound one after the other; the first failure stays in rc. */
struct sqlite_binder {
	sqlite3_stmt *stmt;
	int at, rc;
};
struct sqlite_binder sqlite_binder(sqlite3_stmt *stmt);
void sqlite_bind_int(struct sqlite_binder *b, int64_t v);
void sqlite_bind_null(struct sqlite_binder *b);
void sqlite_bind_text(struct sqlite_binder *b, struct text t); /* the bytes must live until the statement is reset */
void sqlite_bind_blob(struct sqlite_binder *b, const void *p, size_t n);

/* ---- sqlite_rows.c ---- */

/* The columns of every kind, in the order that sqlite_row_read reads and inserts bind. */
#define SQLITE_USER_COLUMNS "user_id, name, balance, created_at"
#define SQLITE_USER_COLUMN_COUNT 4
#define SQLITE_QUEUE_COLUMNS \
	"queue_id, name, capacity, ceiling, rate_per_second, rate_free_at_us, paused, last_number, waiting, active, admitted, passed"
#define SQLITE_TICKET_COLUMNS \
	"queue_id, number, user_id, status, reason, issued_at, admitted_at, expires_at, ended_at, returned_at"
#define SQLITE_CONCERT_COLUMNS "concert_id, queue_id, title, artist, venue, sales_open_at, changed_at"
#define SQLITE_SHOW_COLUMNS "show_id, concert_id, starts_at, date, total_seats, version, changed_at, closed"
#define SQLITE_SEAT_COLUMNS "show_id, seat_number, section, price, status, reservation_id, user_id, held_until"
#define SQLITE_RESERVATION_COLUMNS                                                                                       \
	"reservation_id, user_id, concert_id, show_id, queue_id, ticket_number, date, total_price, status, held_until, " \
	"created_at, paid_at, payment_id, seats"
#define SQLITE_RESERVATION_COLUMN_COUNT 14
#define SQLITE_ENTRY_COLUMNS                                                                                             \
	"entry_id, user_id, type, debit_kind, debit_id, credit_kind, credit_id, amount, balance_after, reservation_id, " \
	"created_at"
#define SQLITE_KEY_COLUMNS "user_id, key, digest, status, body, created_at"
#define SQLITE_AUDIT_COLUMNS "audit_id, created_at, actor, action, target, detail"

/* Fills a struct of the kind from the statement's current row; texts and arrays are copied into the arena. */
void sqlite_row_read(enum core_kind kind, sqlite3_stmt *stmt, struct arena *arena, void *out);

/* ---- sqlite_open.c ---- */

/* Opens a connection that can only read. NULL in c->db when it fails; the log has the cause, and `error` (may be NULL) a line. */
enum store_result sqlite_open_read(struct sqlite_conn *c, const char *path, char error[STORE_ERROR_SIZE]);
/* Opens a connection for checkpoints of a store that is open to serve. */
enum store_result sqlite_open_checkpoint(struct sqlite_conn *c, const char *path, char error[STORE_ERROR_SIZE]);
/* Locks, opens, checks and migrates for mode STORE_SERVE; checks alone for STORE_READ. */
enum store_result sqlite_open_store(struct sqlite_store *s, const struct store_options *options, char error[STORE_ERROR_SIZE]);

/* ---- sqlite_schema.c ---- */

/* Runs every migration on a database that is empty. */
int sqlite_make_tables(sqlite3 *db);
/* Makes plain(sql) known to the connection: a definition without what is no difference. */
int sqlite_know_plain(sqlite3 *db);
/* Adds what the migrations make to `out`, as JSON: [[type, name, table, plain(sql)], ...]. */
int sqlite_schema_made(struct buf *out);

/* ---- sqlite.c ---- */

/* Reads the clock and where the ids go on. */
enum store_result sqlite_read_start(struct sqlite_store *s);
/* Commits what is open. */
enum store_result sqlite_end(struct sqlite_store *s);

/* ---- the operations ---- */

enum store_result sqlite_load(struct store *base, struct core_rows *rows); /* sqlite_load.c */
/* sqlite_save.c: the dirty rows, and whether there were any; the clock's mark. `heads`: what is known of the wallets' chains; may be NULL */
enum store_result sqlite_save(struct sqlite_conn *c, const struct chain_heads *heads, const struct core_rows *rows,
                              bool *changed);
enum store_result sqlite_save_clock(struct sqlite_conn *c, int64_t now);
enum store_result sqlite_save_realm(struct sqlite_conn *c, int64_t realm);
/* One row that is new. */
enum store_result sqlite_insert(struct sqlite_conn *c, enum core_kind kind, const void *row);
/* Gives every row of a bound statement to the function, until it says false: *stopped. */
enum store_result sqlite_give_rows(struct sqlite_conn *c, enum core_kind kind, sqlite3_stmt *stmt, store_row_fn fn, void *arg,
                                   bool *stopped);
enum store_result sqlite_scan(struct store *base, int64_t since, store_row_fn fn, void *arg); /* sqlite_read.c, as all below */
enum store_result sqlite_reader_open(struct store *base, struct store_reader **out);
void sqlite_reader_close(struct store_reader *base);
enum store_result sqlite_reservation(struct store_reader *base, int64_t reservation_id, struct arena *arena,
                                     struct core_reservation *out);
enum store_result sqlite_reservations(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit,
                                      struct arena *arena, struct core_reservation **out, size_t *n);
enum store_result sqlite_entries(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                                 struct core_entry **out, size_t *n);
enum store_result sqlite_audits(struct store_reader *base, int64_t before, int64_t limit, struct arena *arena,
                                struct core_audit **out, size_t *n);
enum store_result sqlite_sales(struct store_reader *base, int64_t concert_id, int64_t after, int64_t limit, struct arena *arena,
                               struct store_sale **out, size_t *n);
enum store_result sqlite_audit(struct store *base, store_check_fn fn, void *arg); /* audit.c */
/* The same on a connection that is open: for the memory store's copy. */
enum store_result sqlite_audit_conn(struct sqlite_conn *c, store_check_fn fn, void *arg);
/* sqlite_backup.c */
enum store_result sqlite_backup(struct store *base, const char *destination,
                                void (*progress)(void *arg, int64_t done, int64_t total), void *arg,
                                char error[STORE_ERROR_SIZE]);
enum store_result sqlite_count(struct store *base, int64_t *rows); /* sqlite_copy.c, as all below */
enum store_result sqlite_export(struct store *base, store_row_fn fn, void *arg);
enum store_result sqlite_import_begin(struct store *base, int64_t clock, int64_t realm, char error[STORE_ERROR_SIZE]);
enum store_result sqlite_import_row(struct store *base, enum core_kind kind, const void *row, char error[STORE_ERROR_SIZE]);
enum store_result sqlite_import_finish(struct store *base, char error[STORE_ERROR_SIZE]);

#endif
