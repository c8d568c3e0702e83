/* postgres_wait.c: waiting for the database's answers, but not for ever.
 *
 * TCP tells of a peer that is gone, not of one that takes bytes and does not answer: a server that is stopped, a proxy whose other side is cut off.
 * So an answer has a time by which something of it must have come. When that has passed, the connection counts as lost. */
#include "store/postgres.h"

#include <poll.h>

/* Flushes what is to be sent, takes what has come. True when PQgetResult will not block, also because the connection is broken; false when the
 * time has passed. */
static bool await(struct pg_conn *c)
{
	int64_t wait_us = (c->answer_ms + c->sent_bytes / PG_BYTES_A_MS) * 1000LL;
	int64_t until = clock_elapsed_us() + wait_us;
	for (;;) {
		int unsent = PQflush(c->pg);
		if (unsent < 0 || !PQisBusy(c->pg))
			return true;
		int64_t left_ms = (until - clock_elapsed_us()) / 1000;
		struct pollfd fd = {.fd = PQsocket(c->pg), .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};
		if (left_ms <= 0)
			return false;
		if (poll(&fd, 1, (int)left_ms) <= 0)
			continue;
		if ((fd.revents & ~POLLOUT) && !PQconsumeInput(c->pg))
			return true;
		until = clock_elapsed_us() + wait_us;
	}
}

PGresult *pg_next(struct pg_conn *c)
{
	if (c->answer_ms > 0 && !await(c)) {
		c->late = true;
		return NULL;
	}
	return PQgetResult(c->pg);
}

PGresult *pg_last(struct pg_conn *c)
{
	PGresult *last = NULL;
	for (PGresult *res; (res = pg_next(c)); last = res)
		PQclear(last);
	if (!c->late)
		return last;
	PQclear(last);
	return NULL;
}
