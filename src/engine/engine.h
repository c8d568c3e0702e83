/* engine.h: commands in, replies out, and what everyone may look at.
 *
 *   submit ─> inbox ─> committer: begin, load, decide each in order, save, commit once
 *                 ─> syncer: make it durable, publish to the read model ─> done()
 *   read   ─> reader thread: one look at the store ─> done()
 *   look   ─> read model, at once, on the caller's thread
 *
 * While one batch is being made durable the next one is decided. A reply is given only after the commit that it reports is durable (I7), and after
 * the read model shows it, so who was told of a change sees it in the next look.
 *
 * Ownership: the engine owns its threads and its read model; jobs and their arenas are the caller's, and the engine's alone between submit and
 * done. Threads: every function here may be called from any thread, engine_open and engine_close excepted. done() runs on a thread of the
 * engine's: it must be quick and must not block. Errors: a batch that the store could not take answers STORE_UNAVAILABLE in every
 * job, with nothing changed. */
#ifndef JARI_ENGINE_ENGINE_H
#define JARI_ENGINE_ENGINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/tally.h"
#include "core/core.h"
#include "store/store.h"

struct engine;
struct engine_job;

/* Writes the body of a successful reply to a command with an idempotency key, and returns its HTTP status. Runs on the committer's thread;
 * pure. */
typedef int (*engine_render_fn)(const struct core_cmd *cmd, const struct core_reply *reply, struct buf *out);

/* What the server in front of the engine has done since it began, for the time series. Latencies by histogram_index(ENGINE_PROBE_BITS, microseconds). */
#define ENGINE_PROBE_BITS 4
#define ENGINE_PROBE_BUCKETS 280
struct engine_probe {
	int64_t requests, refused, errors; /* all; answered with 4xx; with 5xx */
	uint64_t latency[ENGINE_PROBE_BUCKETS];
};

struct engine_config {
	struct store *store; /* stays the caller's, to be closed after the engine */
	struct clock *clock; /* likewise */
	struct core_rules rules;
	int64_t waiting_idle_ms; /* one who waits and is not heard from for this long is passed over; 0: never */
	int64_t poll_budget;     /* polls a second that everybody who waits in a queue makes together; 0: the default */
	int64_t command_wait_ms; /* a command or a read that would wait longer is not taken (overload.h); 0: the default */
	engine_render_fn render;
	void (*probe)(void *arg, struct engine_probe *out); /* called once a second, on the committer's thread; may be NULL */
	void *probe_arg;
};

/* A command on its way. */
struct engine_job {
	struct core_cmd cmd;
	struct core_reply reply; /* texts and arrays in `arena` */
	struct text answer;      /* the body to send when the command had a key and succeeded; in `arena` */
	int answer_status;
	struct arena *arena;
	void (*done)(struct engine_job *job);
	bool
	    more_follow; /* when done() is called: the next call is for the same `done`, at once; waking anybody can wait for it */
	void *owner;
	struct engine_job *next; /* the engine's */
	int64_t came_us;         /* likewise */
};

/* A read of the store on its way. `run` is called on the reader's thread with a reader; it may block there. */
struct engine_read {
	enum store_result (*run)(struct engine_read *read, struct store_reader *reader);
	void (*done)(struct engine_read *read);
	enum store_result result;
	void *owner;
	bool patient;             /* taken as long as there is room at all: what it belongs to has begun, or is the organiser's */
	struct engine_read *next; /* the engine's */
	int64_t came_us;          /* likewise */
};

/* Loads the read model and starts the threads. NULL with a line in `error` when the store can't be read. */
struct engine *engine_open(const struct engine_config *config, char error[STORE_ERROR_SIZE]);
/* Answers everything that was submitted, then stops the threads and frees the engine. */
void engine_close(struct engine *e);

/* False when the inbox is full, or the wait would be too long: the job is still the caller's, to be answered OVERLOADED. */
bool engine_submit(struct engine *e, struct engine_job *job);
/* How many times the bound a command may wait: 1 for who asks for a place in the line, who loses nothing by asking again; 2 for buyers who
 * are on their way and have seats or money at stake; 0 for the organiser, who is never turned away for it. */
int engine_patience(enum core_op op);
bool engine_read(struct engine *e, struct engine_read *read);
int64_t engine_now(struct engine *e);
/* What keeps commands from being taken just now: STORE_WELL when nothing does. At once, without asking the store. */
enum store_trouble engine_trouble(struct engine *e);

/* ---- looking: answered from memory, as of the last commit and the clock ---- */

struct engine_ticket {
	struct core_ticket ticket; /* as it is at `now` */
	char username[JARI_USERNAME_BYTES_MAX + 1];
	size_t username_len;
	int64_t ahead;               /* waiting before this one, exactly; 0 unless WAITING */
	int64_t eta_seconds;         /* -1: unknown; 0 when active */
	int64_t retry_after_seconds; /* jittered; longer further back */
	bool queue_paused;           /* the organiser admits nobody just now */
};
/* The token's ticket, and a sign of life of whoever asks for it: one who waits and is not heard from is passed over. False when there is none of that queue and number in memory (never issued, or ended and past the life of its token). */
bool engine_look_ticket(struct engine *e, int64_t queue_id, int64_t number, int64_t now, struct engine_ticket *out);
/* The same without the place and the name: what authentication needs. */
bool engine_look_auth(struct engine *e, int64_t queue_id, int64_t number, struct core_ticket *out);
/* True when such a ticket, not there yet, may come at any moment because another process has issued it. Asking has what others have committed read
 * soon. */
bool engine_expects_ticket(struct engine *e, int64_t queue_id, int64_t number);
/* A user who has a ticket in memory. `name` is copied into the arena. */
bool engine_look_user(struct engine *e, int64_t user_id, struct arena *arena, struct core_user *out);

/* Concerts by id; texts copied into the arena. */
void engine_look_concerts(struct engine *e, struct arena *arena, struct core_concert **out, size_t *n);
bool engine_look_concert(struct engine *e, int64_t concert_id, struct arena *arena, struct core_concert *out);

struct engine_show {
	struct core_show show; /* version: as of `now`, lapsed holds counted */
	int64_t available, held, sold;
	int64_t revenue; /* of the sold seats */
	uint64_t state;  /* of this process: while it and the version stay, so does everything that is shown of the show */
};
/* All shows, by id. */
void engine_look_all_shows(struct engine *e, int64_t now, struct arena *arena, struct engine_show **out, size_t *n);
/* The shows of a concert, soonest first. */
void engine_look_shows(struct engine *e, int64_t concert_id, int64_t now, struct arena *arena, struct engine_show **out,
                       size_t *n);
bool engine_look_show(struct engine *e, int64_t show_id, int64_t now, struct engine_show *out);
/* A show's seats by number, with the status as of `now`; section texts live as long as the engine. The show as of the same look goes to *show. */
bool engine_look_seats(struct engine *e, int64_t show_id, int64_t now, struct arena *arena, struct engine_show *show,
                       struct core_seat **out, size_t *n);

/* A show by its sections, for the organiser. Names live as long as the engine. */
struct engine_seat {
	int64_t number, price;
	enum core_seat_status status; /* as of `now` */
};
struct engine_section {
	struct text name;
	int64_t total, held, sold, revenue, lowest_price, highest_price;
	const struct engine_seat *seats; /* `total` of them, by number; NULL when they were not asked for */
};
struct engine_hall {
	struct engine_show show;
	struct engine_section *sections; /* in the order of their first seats, as a rule */
	size_t section_count;
};
/* All of it as of one commit. False when there is no such show. */
bool engine_look_hall(struct engine *e, int64_t show_id, int64_t now, bool seats, struct arena *arena, struct engine_hall *out);

/* Queues by id, names copied into the arena. */
void engine_look_queues(struct engine *e, struct arena *arena, struct core_queue **out, size_t *n);

/* ---- time series (series.h) ---- */

enum {
	ENGINE_SERVER_REQUESTS,
	ENGINE_SERVER_REFUSED,
	ENGINE_SERVER_ERRORS,
	ENGINE_SERVER_P50_US,
	ENGINE_SERVER_P99_US,
	ENGINE_SERVER_COMMITS,
	ENGINE_SERVER_COMMIT_US,
	ENGINE_SERVER_COLUMNS
};
enum { ENGINE_QUEUE_WAITING, ENGINE_QUEUE_ACTIVE, ENGINE_QUEUE_ADMITTED, ENGINE_QUEUE_JOINED, ENGINE_QUEUE_COLUMNS };
enum { ENGINE_SHOW_SOLD, ENGINE_SHOW_HELD, ENGINE_SHOW_REVENUE, ENGINE_SHOW_COLUMNS };
#define ENGINE_SERIES_COLUMNS_MAX 4 /* of a queue or a show */
#define ENGINE_SERIES_GAP INT64_MIN /* nothing is known of that step */

struct engine_series_ask {
	bool minutes; /* else seconds */
	int64_t now;
	int64_t since; /* only steps that begin at this instant or later; 0: all */
	int64_t queues[JARI_SERIES_NAMED_MAX], shows[JARI_SERIES_NAMED_MAX];
	size_t queue_count, show_count;
};
struct engine_series_view {
	int64_t first, count, step_s; /* steps first .. first + count - 1; step i begins at second i * step_s since 1970 */
	/* column by column, `count` values each; in the order asked for */
	const int64_t *server, *queues[JARI_SERIES_NAMED_MAX], *shows[JARI_SERIES_NAMED_MAX];
};
void engine_look_series(struct engine *e, const struct engine_series_ask *ask, struct arena *arena,
                        struct engine_series_view *out);

/* Why a command or a read was not taken. */
enum engine_shed {
	ENGINE_SHED_COMMAND_WAIT, /* the estimate is past the bound */
	ENGINE_SHED_INBOX_FULL,
	ENGINE_SHED_READ_WAIT,
	ENGINE_SHED_READS_FULL,
	ENGINE_SHED_CAUSES
};

/* Counters since the start, for metrics. */
struct engine_counters {
	int64_t commands, batches, commits, failed_batches, commit_us; /* commit_us: microseconds spent in commits */
	int64_t admitted, holds, payments, charges, tickets;
	int64_t inbox; /* commands waiting now */
	int64_t reads;
	int64_t inbox_wait_us, reads_wait_us; /* how long who comes now would wait, by estimate; 0 while there is no line */
	int64_t shed[ENGINE_SHED_CAUSES];     /* turned away */
	struct tally_view batch_sizes, commit_times, sync_times; /* commands (batches without any are left out); microseconds */
	struct store_figures store;
};
extern const struct tally_bounds engine_batch_bounds, engine_time_bounds;
void engine_look_counters(struct engine *e, struct engine_counters *out);

#endif
