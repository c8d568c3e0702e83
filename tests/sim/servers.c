/* servers.c: each simulated server is a thread that opens the engine, waits, and closes it.
 *
 * A crash cuts the server off: from that instant on nothing of it reaches the database or a client. What is left of it is then closed as usual, only
 * to have its memory back. */
#include "world.h"

#include "base/limits.h"

#include <stdlib.h>

enum { RETRY_US = 200000, DOWN_US = 1500000 };

static int64_t wall_now(void *arg)
{
	struct server *s = arg;
	return (world_ms(s->w) + s->wall_ms) * 1000;
}

static int64_t monotonic_now(void *arg)
{
	(void)arg;
	return threads_us() / 1000 * 1000;
}

int server_render(const struct core_cmd *cmd, const struct core_reply *reply, struct buf *out)
{
	struct server *s = threads_owner();
	char body[MODEL_NAME];
	int64_t number = s->w->sim.m->answers + s->conn->answers++;
	(void)cmd;
	(void)reply;
	buf_text(out, (struct text){body, model_answer(number, body)});
	return MODEL_ANSWER_STATUS(number);
}

/* A live server has answered everything when it is closed. */
static void close_engine(struct server *s)
{
	bool crashed = s->conn->dead;
	engine_close(s->engine);
	s->engine = NULL;
	if (crashed || s->conn->dead)
		return;
	for (int i = 0; i < s->w->request_n; i++) {
		struct request *r = &s->w->requests[i];
		if (r->sent && !r->answered && r->server == s && r->life == s->life)
			world_fail(s->w, "close", "server %d has closed without an answer to request %d", s->id, i);
	}
}

static void *server_run(void *arg)
{
	struct server *s = arg;
	struct world *w = s->w;
	char error[STORE_ERROR_SIZE];
	s->conn = database_connect(s);
	if (s->conn) {
		clock_init_simulated(&s->clock, store_clock(&s->conn->base), wall_now, monotonic_now, s);
		struct engine_config config = {
		    .store = &s->conn->base,
		    .clock = &s->clock,
		    .rules = w->sim.m->rules,
		    .waiting_idle_ms = w->idle_ms,
		    .render = server_render,
		};
		s->engine = engine_open(&config, error);
	}
	if (s->engine && !s->stopping) {
		world_trace(w, "server %d is up", s->id);
		seen_restart(w, s);
		s->up = true;
		while (!s->stopping)
			(void)threads_wait(s, INT64_MAX);
		s->up = false;
	}
	if (s->engine)
		close_engine(s);
	if (s->conn)
		store_close(&s->conn->base);
	s->conn = NULL;
	s->stopping = false;
	world_trace(w, "server %d is down", s->id);
	if (!w->over)
		world_at(w, RETRY_US + (w->faults ? world_below(w, DOWN_US) : 0), server_start, s);
	s->life++;
	return NULL;
}

void server_start(struct world *w, void *server)
{
	struct server *s = server;
	if (s->conn || w->over)
		return;
	s->told = 0;
	threads_start(server_run, s, s);
}

void server_stop(struct server *s)
{
	s->stopping = s->conn != NULL;
	s->w->count[COUNT_STOPS] += s->up;
	threads_wake(s);
}

void server_crash(struct server *s, bool power, const char *when)
{
	if (!s->conn || s->conn->dead)
		return;
	world_trace(s->w, "server %d %s %s", s->id, power ? "loses power" : "is killed", when);
	s->w->count[COUNT_CRASHES]++;
	s->up = false;
	database_lose(s->conn, power);
	clients_server_lost(s->w, s);
	server_stop(s);
}

void servers_begin(struct world *w)
{
	for (int i = 0; i < w->servers; i++) {
		w->server[i] = (struct server){.w = w, .id = i, .life = 1};
		server_start(w, &w->server[i]);
	}
}
