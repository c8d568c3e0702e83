/* postgres_hear.c: who has been heard from, told among the processes. One round trip; a table that is not logged, so nothing waits for a disk. */
#include "store/postgres.h"

#include <string.h>

static void send_own(struct pg_store *s, const struct store_heard *own, size_t n, struct arena *arena)
{
	struct pg_params p = {.arena = arena};
	int64_t *queues = arena_alloc(arena, n * sizeof *queues), *firsts = arena_alloc(arena, n * sizeof *firsts);
	for (size_t i = 0; i < n; i++) {
		queues[i] = own[i].queue_id;
		firsts[i] = own[i].first;
	}
	pg_bind_int(&p, s->process);
	pg_bind_ints(&p, queues, n);
	pg_bind_ints(&p, firsts, n);
	pg_bind_pieces(&p, own[0].bits, sizeof own[0].bits, sizeof own[0], n);
	pg_send(&s->conn, PG_HEARD_TELL, &p);
}

static void give_others(const PGresult *res, store_heard_fn fn, void *arg)
{
	int n = PQntuples(res);
	for (int i = 0; i < n; i++) {
		struct store_heard heard = {.queue_id = pg_int(res, i, 0), .first = pg_int(res, i, 1)};
		struct text bits = pg_text(res, i, 2);
		if (bits.n != sizeof heard.bits)
			continue;
		memcpy(heard.bits, bits.p, bits.n);
		fn(arg, &heard);
	}
}

enum store_result pg_hear(struct store *base, const struct store_heard *own, size_t n, store_heard_fn fn, void *arg)
{
	struct pg_store *s = pg_store_of(base);
	struct arena arena = {0};
	struct pg_params p = {.arena = &arena};
	enum store_result result = pg_store_connect(s);
	if (result == STORE_OK) {
		pg_send(&s->conn, PG_NOW, NULL);
		if (n > 0)
			send_own(s, own, n, &arena);
		pg_bind_int(&p, s->heard_us - PG_HEARD_OVERLAP_US);
		pg_bind_int(&p, s->process);
		pg_send(&s->conn, PG_HEARD_ASK, &p);
		result = pg_sync(&s->conn);
	}
	if (result == STORE_OK) {
		s->heard_us = pg_int(s->conn.results[0], 0, 0);
		give_others(s->conn.results[s->conn.results_n - 1], fn, arg);
	}
	pg_clear(&s->conn);
	arena_free(&arena);
	return result;
}
