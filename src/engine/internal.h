/* internal.h: the engine's own: what its files share. Nobody else includes this. */
#ifndef JARI_ENGINE_INTERNAL_H
#define JARI_ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "engine/model.h"

#include "base/limits.h"

#include <pthread.h>
#include <stdatomic.h>

struct engine {
	struct engine_config config;
	struct model model;
	pthread_t committer, reader;

	/* commands for the committer, first in first out */
	pthread_mutex_t inbox_lock;
	pthread_cond_t inbox_filled;
	struct engine_job *inbox_first, **inbox_last;
	int64_t inbox_count;
	bool inbox_closed;

	/* reads for the reader */
	pthread_mutex_t reads_lock;
	pthread_cond_t reads_filled;
	struct engine_read *reads_first, **reads_last;
	int64_t reads_count;
	bool reads_closed;
	struct store_reader *store_reader;

	struct {
		_Atomic int64_t commands, batches, commits, failed_batches, commit_us, admitted, holds, payments, tickets, reads;
	} counters;
};

/* The committer's thread: `arg` is the engine. Ends when the inbox is closed and empty. */
void *committer_run(void *arg);

#endif
