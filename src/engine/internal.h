/* internal.h: the engine's own: what its files share. Nobody else includes this. */
#ifndef JARI_ENGINE_INTERNAL_H
#define JARI_ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "engine/model.h"
#include "engine/overload.h"
#include "engine/series.h"

#include "base/limits.h"

#include <pthread.h>
#include <stdatomic.h>

/* One batch on its way, or rows that other processes have changed: taken, decided and committed by the committer; synced, published and
 * answered by the syncer; then free for the next. While one is being made durable the next is decided. */
struct flight {
	struct engine_job *jobs[JARI_BATCH_MAX];
	size_t n;
	bool tick;
	struct core_cmd tick_cmd;
	struct core_reply tick_reply;
	size_t hear_count;
	struct core_cmd hear_cmd[JARI_HEAR_QUEUES + 1]; /* who is back, who has fallen silent */
	int64_t hear_back[JARI_HEAR_STEP], hear_silent[JARI_HEAR_STEP];

	struct model *fresh; /* NULL, or what takes the place of the read model, on the heap */
	struct arena arena;  /* of its rows and replies */
	struct core_rows rows;
	int64_t now;     /* the instant it was decided at */
	int64_t commits; /* how many commits the store had been asked for, this one's counted */
	bool failed;     /* nothing of it has happened: its jobs are told that the store is unavailable */
	struct flight *next;
};

struct engine {
	struct engine_config config;
	struct model model;
	struct series series;
	struct engine_probe probe; /* the committer's room for a sample */
	pthread_t committer, syncer, reader, follower;
	bool shared; /* other processes write to the store too; the follower runs */

	/* commands for the committer, first in first out */
	pthread_mutex_t inbox_lock;
	pthread_cond_t inbox_filled;
	struct engine_job *inbox_first, **inbox_last;
	int64_t inbox_count;
	int64_t inbox_awaited; /* the committer wants to know when there are so many; 0: it does not */
	bool inbox_closed;
	bool follow_due; /* another process may have committed something */
	struct overload inbox_load;

	/* flights that are free, and those that are to be made durable, first in first out */
	pthread_mutex_t flights_lock;
	pthread_cond_t flight_free, flight_landing;
	struct flight *free_flights, *landing_first, **landing_last;
	bool flights_closed;
	/* A read may have seen any commit that had been asked for when it ended; it is answered once that many are durable. */
	_Atomic int64_t commits_begun;
	int64_t commits_durable; /* under flights_lock */
	pthread_cond_t durable;

	/* reads for the reader */
	pthread_mutex_t reads_lock;
	pthread_cond_t reads_filled;
	struct engine_read *reads_first, **reads_last;
	int64_t reads_count;
	bool reads_closed;
	struct overload reads_load;
	struct store_reader *store_reader;

	/* how the store does, as the committer finds it; the tick asks ten times a second */
	_Atomic int trouble;     /* enum store_trouble */
	_Atomic bool behind;     /* the read model must be read anew */
	_Atomic int64_t beat_us; /* monotonic: when the committer was last between two batches */

	struct {
		_Atomic int64_t commands, batches, commits, failed_batches, commit_us, admitted, holds, payments, charges,
		    tickets, reads, shed[ENGINE_SHED_CAUSES];
		struct tally batch_sizes, commit_times; /* the committer's */
		struct tally sync_times;                /* the syncer's */
	} counters;
};

/* The committer's thread: `arg` is the engine. Ends when the inbox is closed and empty. */
void *committer_run(void *arg);

/* ---- look.c ---- */

/* A show as it is at `now`; the caller holds the model's lock. */
void model_show_view(const struct model_show *s, int64_t now, struct engine_show *out);

/* ---- follower.c ---- */

/* The follower's thread: `arg` is the engine. Ends soon after the inbox is closed. */
void *follower_run(void *arg);
/* There may be something to follow. Any thread. */
void follow_soon(struct engine *e);
/* Puts what other processes have changed into empty rows, as changed rows. */
enum store_result follow_gather(struct engine *e, struct core_rows *rows);
/* What the committer knows of when to follow. */
struct following {
	int64_t at_us, last_us; /* monotonic: when it is due, when it was last done */
	bool anew;              /* the read model must be read anew */
};
/* When that is due, puts what other processes have changed into the empty flight, and returns true. On the committer's thread, between batches. */
bool follow_when_due(struct engine *e, struct following *following, struct flight *f);
/* When it is due next; the caller holds the inbox's lock. */
int64_t follow_wake_us(struct engine *e, struct following *following);

/* ---- sampler.c ---- */

/* Takes a sample for the time series when a second is over. On the committer's thread, between batches. */
void sampler_step(struct engine *e, int64_t now);

/* ---- hearing.c ---- */

struct hearing {
	struct model_place place; /* how far the line was told of in this turn */
	int64_t next_us;          /* monotonic: when the next turn begins */
	int64_t read_us;          /* when it was last read what the others have told; 0: never */
};
/* Tells the other processes of a shared store who was heard from here, and reads what they tell, when it is time. On the committer's thread, between
 * batches. */
void hearing_step(struct engine *e, struct hearing *hearing);
/* False while the others' word is too old for calling anybody silent. */
bool hearing_knows(const struct engine *e, const struct hearing *hearing);

/* ---- syncer.c ---- */

/* The syncer's thread: `arg` is the engine. Ends when the flights are closed and all have landed. */
void *syncer_run(void *arg);
bool flights_init(struct engine *e);
void flights_free(struct engine *e);
/* Nothing is handed over any more. */
void flights_close(struct engine *e);
/* A free flight; waits for one. */
struct flight *flight_take(struct engine *e);
/* Empties one, to be filled. */
void flight_reset(struct flight *f);
/* Hands a flight to the syncer, to be answered after those before it. */
void flight_land(struct engine *e, struct flight *f);
/* Waits until every commit is durable that a read which has just ended may have seen. */
void flights_wait_durable(struct engine *e);

#endif
