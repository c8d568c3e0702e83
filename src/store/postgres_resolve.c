/* postgres_resolve.c: has a commit happened whose answer was lost?
 *
 * Every batch inserts a row under an id of its own. Here the same row is inserted once more, on a new connection, as a fence:
 * - The batch has committed: its row is there, so the fence is not inserted. It has happened.
 * - The batch is being committed still, by a backend that has not noticed that nobody listens (or that waits for a standby): PostgreSQL makes
 *   the fence wait until that transaction has ended one way or the other. A wait that takes too long is not known.
 * - The batch was rolled back, or lies unread in that backend's socket, or never arrived: the fence is inserted. It has not happened, and
 *   can't any more: its own row would break the unique key, and the batch be rolled back as a whole.
 * This holds on whatever server the URL leads to by now: one that has taken over either has the batch's row or never will.
 * Whose row it is, is read off its instant, which a fence has none of: asking may have to be done more than once.
 *
 * A commit can be seen before it is as durable as it should be: when its wait for a standby was broken off (an administrator's doing, of which
 * PostgreSQL tells in a warning), and when the server has crashed during that wait and has come back without its standby. So the fence writes in
 * any case, if only the row as it is: its own commit is behind what it has seen, and waits for the standby as that should have. A connection that is
 * new writes such a fence before it decides, since an answer that is given again, or a ticket that is there already, is told without a commit. */
#include "store/postgres.h"

#include "base/log.h"

#include <time.h>

#define PAUSE_MS 50
#define PAUSE_MAX_MS 1000

static enum store_result fence(struct pg_store *s, const uint8_t batch_id[16])
{
	struct arena arena = {0};
	struct pg_params p = {.arena = &arena}, id = {.arena = &arena};
	bool happened = false;
	enum store_result result = pg_store_connect(s);
	if (result == STORE_OK) {
		pg_bind_bytes(&p, batch_id, 16);
		pg_bind_int(&p, s->process);
		pg_send(&s->conn, PG_FENCE, &p);
		pg_bind_bytes(&id, batch_id, 16);
		pg_send(&s->conn, PG_FENCED, &id);
		s->conn.warned = false;
		result = pg_sync(&s->conn);
		if (result == STORE_OK && (s->conn.warned || PQntuples(s->conn.results[1]) != 1))
			result = STORE_BUSY; /* ask again */
		if (result == STORE_OK)
			s->settled = s->conn.made;
		happened = result == STORE_OK && pg_int(s->conn.results[1], 0, 0) > 0;
		pg_clear(&s->conn);
	}
	arena_free(&arena);
	return result == STORE_OK && !happened ? STORE_NONE : result;
}

enum store_result pg_settle(struct pg_store *s, const uint8_t fresh[16])
{
	if (s->settled == s->conn.made)
		return STORE_OK;
	enum store_result result = fence(s, fresh);
	return result == STORE_NONE ? STORE_OK : result;
}

enum store_result pg_resolve(struct pg_store *s, const uint8_t batch_id[16])
{
	int64_t until = clock_elapsed_us() + PG_RESOLVE_MS * 1000LL;
	int64_t pause_ms = PAUSE_MS;
	for (;;) {
		enum store_result result = fence(s, batch_id);
		if (result == STORE_OK || result == STORE_NONE) {
			log_event(LOG_WARN, "commit_resolved", "outcome", "%s: the answer to a commit was lost; it has %s",
			          s->target.shown, result == STORE_OK ? "happened" : "not happened");
			return result == STORE_OK ? STORE_OK : STORE_BUSY;
		}
		if (clock_elapsed_us() + pause_ms * 1000 > until)
			break;
		(void)nanosleep(&(struct timespec){pause_ms / 1000, pause_ms % 1000 * 1000000}, NULL);
		pause_ms = pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause_ms * 2;
	}
	log_event(LOG_ERROR, "commit_unknown", "cause", "%s: whether a commit has happened could not be learned within %d s",
	          s->target.shown, PG_RESOLVE_MS / 1000);
	return STORE_BROKEN;
}
