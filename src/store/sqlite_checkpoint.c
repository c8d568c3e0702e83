/* sqlite_checkpoint.c: see sqlite_checkpoint.h. */
#include "store/sqlite_checkpoint.h"

#include "store/opening.h"
#include "store/sqlite.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct sqlite_checkpoint {
	struct sqlite_conn conn; /* the thread's own */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wanted, over;
	/* under the lock */
	bool step, closing;
	int moved;
	int64_t took_us;
};

int sqlite_checkpoint_now(struct sqlite_conn *c)
{
	int moved = 0;
	int rc = sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, &moved);
	if (rc == SQLITE_OK)
		return moved > 0 ? moved : 0;
	(void)sqlite_failed(c, rc, "checkpoint");
	sqlite_end_if_unsynced(c);
	return 0;
}

static void *run(void *arg)
{
	struct sqlite_checkpoint *c = arg;
	thread_is_called("checkpoint");
	thread_stands_back();
	(void)pthread_mutex_lock(&c->lock);
	for (;;) {
		while (!c->step && !c->closing)
			(void)pthread_cond_wait(&c->wanted, &c->lock);
		if (c->closing)
			break;
		(void)pthread_mutex_unlock(&c->lock);
		int64_t began = clock_elapsed_us();
		int moved = sqlite_checkpoint_now(&c->conn);
		(void)pthread_mutex_lock(&c->lock);
		c->moved = moved;
		c->took_us = clock_elapsed_us() - began;
		c->step = false;
		(void)pthread_cond_signal(&c->over);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

struct sqlite_checkpoint *sqlite_checkpoint_open(const char *path, char error[STORE_ERROR_SIZE])
{
	struct sqlite_checkpoint *c = mem_zero(sizeof *c);
	if (sqlite_open_checkpoint(&c->conn, path, error) != STORE_OK) {
		free(c);
		return NULL;
	}
	int rc = pthread_mutex_init(&c->lock, NULL);
	rc |= pthread_cond_init(&c->wanted, NULL);
	rc |= pthread_cond_init(&c->over, NULL);
	if (rc == 0)
		rc = pthread_create(&c->thread, NULL, run, c);
	if (rc == 0)
		return c;
	(void)store_refuse(STORE_BROKEN, error, "no thread for the checkpoints of %s: %s", path, strerror(rc));
	sqlite_conn_close(&c->conn);
	free(c);
	return NULL;
}

void sqlite_checkpoint_close(struct sqlite_checkpoint *c)
{
	if (!c)
		return;
	(void)pthread_mutex_lock(&c->lock);
	c->closing = true;
	(void)pthread_cond_signal(&c->wanted);
	(void)pthread_mutex_unlock(&c->lock);
	(void)pthread_join(c->thread, NULL);
	(void)pthread_cond_destroy(&c->over);
	(void)pthread_cond_destroy(&c->wanted);
	(void)pthread_mutex_destroy(&c->lock);
	sqlite_conn_close(&c->conn);
	free(c);
}

bool sqlite_checkpoint_idle(struct sqlite_checkpoint *c, bool wait)
{
	(void)pthread_mutex_lock(&c->lock);
	while (wait && c->step)
		(void)pthread_cond_wait(&c->over, &c->lock);
	bool idle = !c->step;
	(void)pthread_mutex_unlock(&c->lock);
	return idle;
}

void sqlite_checkpoint_step(struct sqlite_checkpoint *c)
{
	(void)pthread_mutex_lock(&c->lock);
	c->step = true;
	(void)pthread_cond_signal(&c->wanted);
	(void)pthread_mutex_unlock(&c->lock);
}

int sqlite_checkpoint_moved(struct sqlite_checkpoint *c, int64_t *took_us)
{
	(void)pthread_mutex_lock(&c->lock);
	int moved = c->moved;
	*took_us = c->took_us;
	(void)pthread_mutex_unlock(&c->lock);
	return moved;
}
