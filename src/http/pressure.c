/* pressure.c: what connections may hold of the server's memory, and how slowly an answer may be taken.
 *
 * Counted is what clients decide about: bytes that were received and are not a whole request yet (with what is made of its head), or wait behind
 * one, and answers that are not taken. A thread that has more than its share closes connections while all threads together have more than there
 * is, the oldest of the state that holds most: there those stand who have been slow for longest. */
#include "http/conn.h"
#include "http/metrics.h"

static const enum http_conn_state holding[] = {HTTP_CONN_RECEIVING, HTTP_CONN_SENDING, HTTP_CONN_BUSY};

static void count(struct http_conn *c, int64_t change)
{
	struct http_thread *t = c->thread;
	c->held += change;
	t->held_in[c->state] += change;
	tally_add(&t->held, change);
}

void http_pressure_forget(struct http_conn *c)
{
	count(c, -c->held);
}

/* Files that are built in wait without being copied. */
static int64_t unsent_copies(struct http_conn *c)
{
	size_t unsent = http_conn_unsent(c);
	if (!unsent)
		c->fixed = 0;
	return unsent > c->fixed ? (int64_t)(unsent - c->fixed) : 0;
}

void http_pressure_note(struct http_conn *c)
{
	int64_t held = (int64_t)evbuffer_get_length(bufferevent_get_input(c->bev)) + unsent_copies(c);
	if (c->slot)
		held += (int64_t)c->slot->body.cap;
	if (c->slot && !c->serving) /* the head is there, the body is not */
		held += (int64_t)(sizeof(*c->slot) + arena_size(&c->slot->arena));
	count(c, held - c->held);
}

void http_pressure_moved(struct http_conn *c, enum http_conn_state from)
{
	c->thread->held_in[from] -= c->held;
	c->thread->held_in[c->state] += c->held;
	c->unsent_before = http_conn_unsent(c);
}

static int64_t held_by_all(const struct http_server *s)
{
	int64_t sum = 0;
	for (int i = 0; i < s->count; i++)
		sum += tally_value(&s->threads[i].held);
	return sum;
}

static struct http_conn *heaviest(const struct http_thread *t)
{
	enum http_conn_state most = holding[0];
	for (size_t i = 1; i < sizeof(holding) / sizeof(holding[0]); i++)
		if (t->held_in[holding[i]] > t->held_in[most])
			most = holding[i];
	return t->lists[most].first;
}

void http_pressure_relieve(struct http_thread *t)
{
	const struct http_server *s = t->server;
	while (tally_value(&t->held) > s->held_max / s->count && held_by_all(s) > s->held_max) {
		struct http_conn *c = heaviest(t);
		if (!c)
			return;
		http_metrics_shed(s->app->metrics, t->index, HTTP_SHED_MEMORY);
		http_conn_close(c);
	}
}

bool http_pressure_is_taken(const struct http_conn *c)
{
	size_t unsent = http_conn_unsent(c);
	int64_t taken = (int64_t)c->unsent_before - (int64_t)unsent;
	const struct http_server *s = c->thread->server;
	return taken >= s->send_rate_min * s->write_us / 1000000;
}
