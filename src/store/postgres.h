/* postgres.h: the inside of the PostgreSQL store, shared by its files.
 *
 * One connection decides: it is in pipeline mode all the time, so that a load, and a save with its commit, are one round trip each, whatever
 * the batch's size. Readers, scans, audits and the watcher have plain connections of their own. A connection that breaks is dropped and
 * made anew at its next use.
 *
 * Locks. A batch takes them in one order, so that two processes do not wait for each other in a ring: with its first load the queues of
 * everything that it asks for, by id; then users, by id; then what belongs to those queues (reservations, tickets, shows, seats). Whoever changes a
 * ticket, a reservation or a seat has its queue locked. What the rules ask for and a guess could not foresee may still break the order;
 * then PostgreSQL ends one of the two, and the engine runs that batch again.
 *
 * Time. The instant to decide at is the database's clock, as an offset to this machine's monotonic clock that every answer of the database
 * corrects. Queues, shows and users keep the latest instant that they were decided at; a batch that locks one that is ahead of it begins
 * again at that instant or later (STORE_BUSY). So nothing is decided at an instant before something that it depends on, whatever the
 * processes' clocks say, and no process's own instants run backwards. Processes that touch nothing in common may be apart by what their
 * offsets are wrong: less than a round trip.
 *
 * Ids. They are set aside with the load that takes the locks, behind them: an entry's id is above that of every earlier entry of its wallet, a
 * reservation's above every earlier one of its queue, whichever process made them.
 *
 * Alone. Each deciding connection holds a shared advisory lock as long as it lives; who moves a whole store out or in (STORE_EXPORT, STORE_IMPORT)
 * holds the exclusive one, on the connection that all of it goes through. So neither begins while the other is there, whatever ends first.
 *
 * Errors: a failed call is logged where it happens and becomes an enum store_result (pg_failed).
 * Not for anything outside src/store/postgres*.c and the tests of them. */
#ifndef JARI_STORE_POSTGRES_H
#define JARI_STORE_POSTGRES_H

#include "base/buf.h"
#include "base/clock.h"
#include "store/store.h"

#include <libpq-fe.h>
#include <stdatomic.h>

#define PG_CHANNEL "jari_batch"
#define PG_NOTIFY_MS 40             /* a process tells of its commits at most this often; who listens looks now and then anyway */
#define PG_MAINTAIN_MS 10000        /* how often old rows of `batch` are looked for */
#define PG_BATCH_KEPT "10 minutes"  /* and how old they are then */
#define PG_BATCH_STEP 5000          /* and how many go at once, … */
#define PG_BATCH_STEP_MS 200        /* … and how soon the next, while there are more */
#define PG_ANSWER_MS 4000           /* an answer that has not begun by then is lost; more than a wait for a lock takes */
#define PG_SCAN_MS 30000            /* the same for statements that go through whole tables */
#define PG_BYTES_A_MS 1000          /* what is sent gives the answer more time */
#define PG_CONNECT_SLOW_MS 1000     /* a try to connect that fails after this long is not made again */
#define PG_CONNECT_PAUSE_MS 1000    /* before this has passed: those who wait get their answer */
#define PG_TELL_MS 1000             /* how often the log is told that there is no connection */
#define PG_RESOLVE_MS 8000          /* how long a lost answer to a commit is asked after */
#define PG_HEARD_OVERLAP_US 2000000 /* what is told shows when its transaction ends, so a little is read again */
#define PG_HEARD_KEPT_US 60000000
#define PG_PARAMS_MAX 32
#define PG_COPY_PIECE 65536 /* bytes of an import that are sent at once */
/* One for each schema: a database may have several stores. */
#define PG_ALONE_KEY "1784772202, hashtext(coalesce(current_schema()::text, 'jari'))"
#define PG_COLUMNS_MAX 16

/* ---- postgres_kinds.c: the tables ---- */

enum pg_type {
	PG_INT,    /* int64_t; bigint */
	PG_INT4,   /* int32_t or an enum; integer or smallint */
	PG_BOOL,   /* bool; smallint */
	PG_TEXT,   /* struct text */
	PG_DIGEST, /* uint8_t[CORE_DIGEST_BYTES] */
	PG_SEATS   /* a reservation's seats; bigint[] */
};
enum { PG_KEY = 1, PG_SET = 2, PG_WAS = 4 }; /* part of the key; what an update writes; what guards it */

struct pg_column {
	const char *name;
	enum pg_type type;
	int role;
	size_t offset;
};
struct pg_table {
	const char *name;
	size_t columns;
	bool clocked; /* has decided_at, behind the columns */
	struct pg_column column[PG_COLUMNS_MAX];
};
extern const struct pg_table pg_tables[CORE_LIST_USER_NAMED]; /* by row kind */

/* Fills a struct of the kind from the columns of a result's row, beginning at `first`; texts and arrays are copied into the arena. */
void pg_row_read(enum core_kind kind, const PGresult *res, int row, int first, struct arena *arena, void *out);
int64_t pg_int(const PGresult *res, int row, int column);
struct text pg_text(const PGresult *res, int row, int column);
/* The numbers of a bigint[]. */
const int64_t *pg_ints(const PGresult *res, int row, int column, struct arena *arena, size_t *n);

/* ---- postgres_sql.c: the statements ---- */

/* The first groups are counted by the kind of row or list: PG_LOAD + CORE_ROW_USER. PG_LOOK is PG_LOAD without locks. */
enum pg_sql {
	PG_LOAD = 0,
	PG_LOOK = PG_LOAD + CORE_KIND_COUNT,
	PG_INSERT = PG_LOOK + CORE_KIND_COUNT,
	PG_UPDATE = PG_INSERT + CORE_LIST_USER_NAMED,
	PG_DELETE = PG_UPDATE + CORE_LIST_USER_NAMED,
	PG_BEGIN = PG_DELETE + CORE_LIST_USER_NAMED,
	PG_VIEW,
	PG_UNTIMED,
	PG_COMMIT,
	PG_ROLLBACK,
	PG_LOCK_QUEUES,
	PG_TAKE_IDS,
	PG_NOW,
	PG_SHARE,
	PG_NOTE_BATCH,
	PG_NOTIFY,
	PG_FENCE,
	PG_FENCED,
	PG_CLOCK,
	PG_ADOPT,
	PG_SWEEP,
	PG_FEED,
	PG_HISTORY,
	PG_HEARD_TELL,
	PG_HEARD_ASK,
	PG_HEARD_SWEEP,
	PG_READ_RESERVATION,
	PG_READ_RESERVATIONS,
	PG_READ_ENTRIES,
	PG_READ_AUDITS,
	PG_READ_SALES,
	PG_SQL_COUNT
};
/* The text of a statement, NULL when there is none. `scratch` holds what is put together. */
const char *pg_sql_text(int which, struct buf *scratch);
/* "user_id, name, …" of a kind, each behind `prefix`. */
void pg_columns(struct buf *b, enum core_kind kind, const char *prefix);

/* ---- postgres_bind.c: parameters ---- */

struct pg_params {
	struct arena *arena;
	int n;
	const char *values[PG_PARAMS_MAX];
	int lengths[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
};
void pg_bind_int(struct pg_params *p, int64_t v);
void pg_bind_text(struct pg_params *p, struct text t);
void pg_bind_bytes(struct pg_params *p, const void *bytes, size_t n); /* not copied */
void pg_bind_ints(struct pg_params *p, const int64_t *v, size_t n);
void pg_bind_texts(struct pg_params *p, const struct text *v, size_t n);
/* n pieces of `size` bytes, `apart` bytes from one to the next. */
void pg_bind_pieces(struct pg_params *p, const void *first, size_t size, size_t apart, size_t n);
/* One column of n rows as an array. */
void pg_bind_column(struct pg_params *p, const struct pg_column *c, const void *const *rows, size_t n);

/* ---- postgres_schema.c: what the migrations make ---- */

extern const char pg_schema_made[]; /* each thing in a line: what it is, a colon, and its definition */
/* A query, whose $1 is pg_schema_made, for the lines that are made and not there (true), and those that are there and not made (false). */
extern const char pg_schema_differs[];

/* ---- postgres_conn.c: connections ---- */

/* How to connect: libpq's keywords and values, ended by NULL. */
struct pg_target {
	const char **keywords, **values;
	char **owned;
	size_t n;
	char shown[STORE_SHOWN_SIZE]; /* user, host, port and database, for people and the log; never a password */
};

struct pg_conn {
	const struct pg_target *target;
	PGconn *pg; /* NULL while there is none */
	bool pipeline;
	bool prepared[PG_SQL_COUNT];
	int64_t trips; /* round trips so far */
	int64_t made;  /* how often it was connected */
	/* the pipeline being sent: what each result will be of */
	struct pg_sent *sent;
	size_t sent_n, sent_cap;
	PGresult **results; /* of the statements that were asked for, in their order */
	size_t results_n, results_cap;
	enum store_result failed;   /* of the statements since the last sync */
	char said[512];             /* what the server or libpq said about it */
	int64_t after_us;           /* monotonic: no new try to connect before; the last took long and failed */
	int64_t tell_after_us;      /* monotonic: the log is not told again before of a failure to connect */
	bool quiet;                 /* failures are not logged */
	bool reads;                 /* it need not be able to write */
	int answer_ms;              /* how long an answer may be in coming; 0: as long as it takes */
	int64_t sent_bytes;         /* of the statements since the last sync */
	bool warned;                /* a warning has come since this was last set to false */
	bool late;                  /* an answer has not come in time: the connection is of no more use */
	enum store_trouble trouble; /* what the last failure was */
};
struct pg_sent {
	int which;
	bool prepares;
};

/* False with a line in `error` when the URL can't be understood. */
bool pg_target_read(const char *url, struct pg_target *out, char error[STORE_ERROR_SIZE]);
void pg_target_free(struct pg_target *t);
/* Connects unless connected. Of a failure the log has the cause, and c->said a line. */
enum store_result pg_connect(struct pg_conn *c, const struct pg_target *target, bool pipeline);
void pg_drop(struct pg_conn *c); /* closes the connection */
void pg_conn_free(struct pg_conn *c);
/* What a failed result means. The connection is dropped when it is of no more use. */
enum store_result pg_failed(struct pg_conn *c, const PGresult *res, const char *what);

/* postgres_wait.c: the next result of what was sent, as PQgetResult gives it; NULL with c->late when it does not come in time. */
PGresult *pg_next(struct pg_conn *c);
/* The last result of one plain query; what follows an error does not come. */
PGresult *pg_last(struct pg_conn *c);

/* Pipeline: statements are sent, then answered together; results stay until the next pg_clear. */
void pg_send(struct pg_conn *c, int which, const struct pg_params *params);
enum store_result pg_sync(struct pg_conn *c);
void pg_clear(struct pg_conn *c);
/* Plain: one statement, one result, NULL after a failure that is in *result. The caller clears it. */
PGresult *pg_run(struct pg_conn *c, int which, const struct pg_params *params, enum store_result *result);
/* Some SQL without parameters that gives no rows. */
enum store_result pg_do(struct pg_conn *c, const char *sql);
/* SQL that gives one row of one text; NULL after a failure or when it is NULL. The caller frees it. */
char *pg_ask(struct pg_conn *c, const char *sql, enum store_result *result);
/* The same of one number; 0 when it is NULL. */
enum store_result pg_ask_int(struct pg_conn *c, const char *sql, int64_t *out);

/* ---- the store ---- */

struct pg_store {
	struct store base;
	enum store_mode mode;
	struct pg_target target;
	struct pg_conn conn;     /* decides */
	struct pg_conn watch;    /* listens; used by the thread that calls store_watch */
	_Atomic int64_t process; /* a number of this process's own, by which it knows its commits again */
	/* time; see above */
	bool has_offset;
	int64_t offset_us;           /* of the database's clock from the monotonic one */
	int64_t asked_us, slewed_us; /* when the statement that the clock is read by was sent; when the offset last went down */
	int64_t high;                /* the latest instant given out or seen */
	int64_t decided;             /* the latest instant that was committed here, or known at the start */
	/* the batch */
	bool open, begun; /* store_begin was called; BEGIN was sent */
	int64_t now;
	int64_t *locked; /* queues */
	size_t locked_n, locked_cap;
	int64_t wanted[CORE_ID_KINDS];
	struct core_ids ids[CORE_ID_KINDS];
	int64_t notified_us, maintained_us;
	bool notify_owed; /* commits have been made since that were not told of */
	/* moving house */
	struct pg_conn alone; /* has the exclusive lock; what is exported or imported goes through it */
	bool importing;
	enum core_kind filling; /* whose COPY is open; 0: none */
	int64_t clock_to_be, realm_to_be;
	struct buf lines; /* of it, not sent yet */
	bool standbys;    /* commits wait for a standby */
	int64_t settled;  /* conn.made when all that it sees was last known to be durable */
	/* the feed */
	char *seen;      /* the last snapshot that it has told of; NULL before the first */
	char *server;    /* which history that snapshot is of */
	int64_t checked; /* conn.made when that was last looked at */
	/* who was heard from */
	int64_t heard_us; /* up to when, on the database's clock, it has been read what others have told; 0: not yet */
};

struct pg_reader {
	struct store_reader base;
	struct pg_conn conn;
	struct pg_target *target;
};

struct pg_store *pg_store_of(struct store *base);
/* Connects the deciding connection, and sets the offset of the clock. */
enum store_result pg_store_connect(struct pg_store *s);
/* postgres_time.c: takes in that the database's clock was `db_us` between `sent_us` and now. */
void pg_clock_heard(struct pg_store *s, int64_t sent_us, int64_t db_us);
int64_t pg_clock_now(struct pg_store *s);
/* The same from an answer to PG_NOW that was asked for at s->asked_us; and whether commits wait for a standby. */
void pg_now_heard(struct pg_store *s, const PGresult *res);
/* postgres_open.c: checks whose database it is, brings its schema up to date. */
enum store_result pg_open_schema(struct pg_store *s, int64_t capacity, char error[STORE_ERROR_SIZE]);

enum store_result pg_realm(struct store *base, int64_t *realm, bool *used);
enum store_result pg_set_realm(struct store *base, int64_t realm);
enum store_result pg_save_realm(struct pg_conn *c, int64_t realm);

/* ---- the operations ---- */

enum store_result pg_load(struct store *base, struct core_rows *rows);
/* Loads without locks, outside a batch and inside a view (PG_VIEW), which ends with it when it succeeds. */
enum store_result pg_look(struct pg_conn *c, struct core_rows *rows);
/* postgres_save.c: sends every dirty row, the row of `batch`, and COMMIT. *changed: whether there was anything. */
void pg_send_save(struct pg_store *s, const struct core_rows *rows, int64_t now, const uint8_t batch_id[16], struct arena *arena,
                  bool *changed);
/* postgres_resolve.c: whether the batch has happened, when the answer to its COMMIT was lost. */
enum store_result pg_resolve(struct pg_store *s, const uint8_t batch_id[16]);
/* STORE_OK once everything that the connection sees is durable. `fresh` is an id that nobody has. */
enum store_result pg_settle(struct pg_store *s, const uint8_t fresh[16]);
enum store_result pg_scan(struct store *base, int64_t since, store_row_fn fn, void *arg);
enum store_result pg_follow(struct store *base, store_row_fn fn, void *arg);
enum store_result pg_watch(struct store *base, int timeout_ms);
enum store_result pg_hear(struct store *base, const struct store_heard *own, size_t n, store_heard_fn fn, void *arg);
/* Which history a server's transactions are of: changes when another server takes over, or a backup does. */
#define PG_HISTORY_SQL \
	"SELECT system_identifier::text || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()"
/* What a plain connection sets for statements that go through whole tables. */
#define PG_WIDE                                                                                                                                 \
	"SET enable_seqscan = on; SET enable_bitmapscan = on; SET enable_hashjoin = on; SET enable_mergejoin = on; SET plan_cache_mode = auto;" \
	" SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET work_mem = '64MB'"
enum store_result pg_reader_open(struct store *base, struct store_reader **out);
void pg_reader_close(struct store_reader *base);
enum store_result pg_reservation(struct store_reader *base, int64_t reservation_id, struct arena *arena,
                                 struct core_reservation *out);
enum store_result pg_reservations(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                                  struct core_reservation **out, size_t *n);
enum store_result pg_entries(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                             struct core_entry **out, size_t *n);
enum store_result pg_audits(struct store_reader *base, int64_t before, int64_t limit, struct arena *arena,
                            struct core_audit **out, size_t *n);
enum store_result pg_sales(struct store_reader *base, int64_t concert_id, int64_t after, int64_t limit, struct arena *arena,
                           struct store_sale **out, size_t *n);
enum store_result pg_audit(struct store *base, store_check_fn fn, void *arg);
/* postgres_scan.c: sends one query and gives its rows to the function as they come, until it says false: *stopped. */
enum store_result pg_give_rows(struct pg_conn *c, enum core_kind kind, const char *sql, store_row_fn fn, void *arg,
                               bool *stopped);
/* postgres_copy.c: takes the exclusive lock; STORE_BUSY, with a line, when a server has the store open. */
enum store_result pg_stay_alone(struct pg_store *s, char error[STORE_ERROR_SIZE]);
/* Gives it back, when it is there, at once: closed without, the server would have it until it notices. */
void pg_end_alone(struct pg_store *s);
enum store_result pg_count(struct store *base, int64_t *rows);
enum store_result pg_export(struct store *base, store_row_fn fn, void *arg);
enum store_result pg_import_begin(struct store *base, int64_t clock, int64_t realm, char error[STORE_ERROR_SIZE]);
enum store_result pg_import_row(struct store *base, enum core_kind kind, const void *row, char error[STORE_ERROR_SIZE]);
enum store_result pg_import_finish(struct store *base, char error[STORE_ERROR_SIZE]);
/* Ends an import without effect, and with it the lock. Harmless when none is open. */
void pg_import_undo(struct pg_store *s);

#endif
