/* world.h: one seeded run of the real engine: servers, their store, their clients, and what goes wrong.
 *
 *   jari_sim.c   the seeds, the course of a run, what must have happened when the faults are over
 *   threads.c    the engine's threads as fibers on simulated time
 *   database.c   the store of all servers, with faults at every boundary; each commit is held against the model as it happens
 *   servers.c    servers that start, crash and stop
 *   clients.c    requests that are lost, late, sent twice and again; polls; every answer checked
 *   seen.c       what the read models show, held against what was committed and when
 *   model.c, generate.c, compare.c   the rules a second time, shared with test_model.c
 *
 * Everything random comes from the seed. The first thing that is wrong ends the program, with the seed and how it came to it (world_fail).
 * Threads of the system: one. Memory: a world's own, given back by the end of its run. */
#ifndef JARI_TESTS_WORLD_H
#define JARI_TESTS_WORLD_H

#include "engine/engine.h"
#include "sim.h"
#include "threads.h"

enum {
	SERVERS = 3,
	DECISIONS = 1100, /* of a batch */
	UNSYNCED = 24,    /* commits that are not on the disk yet */
	COMMITS = 6000,
	EVENTS = 16384,
	OPS = 1500,
	REQUESTS = 6000,
	KNOWN = 600, /* tickets that somebody was told of */
	HEARD = 256,
	TRACE_LINES = 60,
	TRACE_WIDTH = 200
};

/* What must come up in a thousand runs, or they have tested less than they say. */
enum count {
	COUNT_COMMITS,
	COUNT_LOST,    /* commits that went with the power */
	COUNT_UNKNOWN, /* commits whose answer was lost */
	COUNT_CRASHES,
	COUNT_STOPS,
	COUNT_ANEW, /* servers that were away for too long */
	COUNT_ANSWERS,
	COUNT_FAILED, /* answers that the store is unavailable */
	COUNT_AGAIN,  /* kept answers */
	COUNT_TICKETS,
	COUNT_HOLDS,
	COUNT_CANCELS,
	COUNT_CHARGES,
	COUNT_PAYMENTS,
	COUNT_REFUSALS,
	COUNT_SILENT, /* tickets passed over */
	COUNT_BACK,   /* and taken back into the line */
	COUNT_READS,
	COUNT_JUMPS,
	COUNTS
};

struct world;
struct server;

/* What was decided in a batch that has not been committed yet. */
struct decision {
	const struct core_cmd *cmd;
	struct model *m;
	struct core_reply reply;
	int64_t admitted[MODEL_QUEUES]; /* by the model's queues; -1: not loaded */
	bool changed;                   /* rows, though it is refused or only told again */
};

/* A server's connection to the database: the store that the engine is given. */
struct conn {
	struct store base;
	struct world *w;
	struct server *server;
	bool dead;         /* the server has crashed: nothing that it does has an effect any more */
	bool open, failed; /* a batch is; something of it has failed */
	bool busy;         /* and so the same batch may be tried again */
	bool
	    refused; /* a guard has said no, and what was taken back into the line with that batch waits for the next whole one */
	int64_t ended_us; /* when the last batch was over: what the next one is made of is taken behind it */
	bool locked;      /* it has the database to itself */
	bool loaded;      /* it has seen something of it */
	int64_t now, high, offset_ms;
	int64_t process; /* under which its commits are known */
	int64_t seen;    /* the commit up to which it has followed */
	int64_t heard;   /* the word of others up to which it has read */
	bool away;       /* must scan before it can follow */
	enum store_trouble trouble;
	struct decision *decisions;
	int decided;
	int64_t answers; /* kept in the batch */
};

struct server {
	struct world *w;
	int id;
	struct conn *conn; /* NULL while it is down */
	struct engine *engine;
	struct clock clock;
	int64_t wall_ms; /* how wrong its clock is */
	bool up, stopping;
	int64_t life; /* counts its starts */
	int64_t told; /* the latest commit of its own that somebody was told of, by this life of it */
};

/* What somebody wants; it may take several requests. */
struct op {
	struct core_cmd cmd;
	struct arena arena;
	int tries, on_the_way;
	bool over;
};

struct request {
	struct engine_job job;
	struct arena arena;
	struct op *op;
	struct server *server;
	int64_t life; /* of the server */
	int64_t waits_until_us;
	bool sent, answered, timed_out;
	bool decided, effect; /* committed, or refused for good; has changed something */
	bool unknown;         /* the server can't know */
	int64_t seq;          /* the commit that it is, or has seen */
	uint64_t hash;        /* of the reply that was decided */
};

struct known {
	int64_t queue_id, number, user_id;
	int64_t gone_until_us, every_us;
	int server;                /* the one that is asked; -1: any */
	int64_t polled_us;         /* last, at any server that was up; 0: never */
	int64_t asks_us;           /* since when it asks, passed over, and nothing goes wrong; 0: it does not */
	int64_t heard_ms[SERVERS]; /* by the server's clock; 0: never in its present life */
	int64_t heard_life[SERVERS];
	int64_t back_us, back_life; /* passed over it has asked for its place, of that life of the one server; 0: it has not */
};

typedef void (*event_fn)(struct world *w, void *arg);
struct event {
	int64_t at_us, serial;
	event_fn fn;
	void *arg;
};

/* How much goes wrong in this run, in thousandths. */
struct odds {
	int busy, broken, conflict, unknown, crash, slow;
	int lost, twice, away, jump;
};

struct world {
	struct sim sim; /* the model, the seed's numbers, the stored rows */
	uint64_t seed;
	bool shared; /* several servers, as with PostgreSQL; else one, as with SQLite */
	int servers;
	bool faults, storm, over;
	struct odds odds;
	int64_t latency_us, idle_ms;
	int restless;                  /* how often, in hundredths, who has just asked goes away for a while */
	int64_t gap_us;                /* between two people who want something, at most */
	int64_t epoch_ms, database_ms; /* true time when the run began; how far the database's clock was set */
	int64_t faults_end_us;
	struct server server[SERVERS];

	/* the database */
	struct conn *holder;
	int64_t seq, durable, decided_ms;
	int64_t out_until_us; /* nobody reaches it before */
	struct {
		int64_t process;
		size_t first, n; /* of `changed` */
	} * commits;             /* by seq */
	struct core_id *changed;
	size_t changed_n, changed_cap;
	struct {
		int64_t seq;
		struct model *before;
	} unsynced[UNSYNCED];
	int unsynced_n;
	struct {
		int64_t process;
		struct store_heard heard;
	} heard[HEARD];
	int64_t heard_n, processes;

	struct op *ops;
	int op_n;
	struct request *requests;
	int request_n;
	struct known known[KNOWN];
	int known_n;
	struct event *events; /* the latest first */
	int event_n;
	int64_t serial;

	struct seen *seen;
	uint64_t hash;
	int64_t lines;
	char trace[TRACE_LINES][TRACE_WIDTH];
	int64_t count[COUNTS];
};

/* ---- jari_sim.c ---- */

int64_t world_below(struct world *w, int64_t n);
bool world_odds(struct world *w, int thousandth); /* false when the faults are over */
int64_t world_ms(const struct world *w);          /* true time */
void world_at(struct world *w, int64_t in_us, event_fn fn, void *arg);
void world_trace(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* From here on things go wrong, for some seconds. */
void world_faults(struct world *w);
/* Says what is wrong, by which check, and how to see it again; ends the program. */
_Noreturn void world_fail(struct world *w, const char *check, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- database.c ---- */

void database_open(struct world *w, int64_t capacity);
void database_close(struct world *w);
/* A connection, or NULL when there is none to be had just now. */
struct conn *database_connect(struct server *s);
/* The server is no more. `power`: what was not synced is lost, from some commit on. */
void database_lose(struct conn *c, bool power);

/* ---- servers.c ---- */

void servers_begin(struct world *w);
/* Starts it unless it is up. */
void server_start(struct world *w, void *server);
void server_crash(struct server *s, bool power, const char *when);
void server_stop(struct server *s);
int server_render(const struct core_cmd *cmd, const struct core_reply *reply, struct buf *out);

/* ---- clients.c ---- */

void clients_begin(struct world *w);
void clients_end(struct world *w);
/* What a decision of the connection's batch came to, when it is for good. */
void clients_decided(struct world *w, const struct decision *d, bool committed);
/* The commit has happened, and its server will never know. */
void clients_unknown(struct world *w, struct conn *c, int64_t seq);
/* Commits from there on have never happened. */
void clients_undo(struct world *w, int64_t seq);
void clients_server_lost(struct world *w, struct server *s);
/* How many requests wait for an answer. */
int clients_waiting(const struct world *w);
/* It stands in the line again. */
void clients_taken_back(struct world *w, int64_t queue_id, int64_t number);
/* A commit lets in the ticket of that number: nobody before it who has been told a place may be left behind. */
void clients_let_in(struct world *w, const struct conn *c, int64_t queue_id, int64_t number);
/* NULL: nobody was told of it. */
struct known *clients_known(struct world *w, int64_t queue_id, int64_t number);

/* ---- seen.c ---- */

void seen_begin(struct world *w);
void seen_end(struct world *w);
/* Notes what a commit changes. */
void seen_commit(struct world *w, const struct conn *c, int64_t seq, const struct core_rows *rows);
/* Commits above `seq` have never happened. */
void seen_undo(struct world *w, int64_t seq);
/* The server that has made commit `seq` does not know of it. */
void seen_unknown(struct world *w, int64_t seq);
/* A server begins anew, and may show what is durable. */
void seen_restart(struct world *w, const struct server *s);
/* Holds some of what a server shows against what was committed. */
void seen_sample(struct world *w, struct server *s);
/* Everything, and it must be up to date. */
void seen_all(struct world *w, struct server *s);
/* What commit `seq` of the server has changed. */
void seen_own(struct world *w, struct server *s, int64_t seq);

#endif
