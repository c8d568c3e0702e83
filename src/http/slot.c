/* slot.c: the requests of a thread: taken, given back, and back from the engine. */
#include "http/conn.h"
#include <stdlib.h>
#include <string.h>

static struct http_slot *slot_new(struct http_thread *t)
{
	struct http_slot *slot = mem_zero(sizeof(*slot));
	slot->all_next = t->all;
	if (t->all)
		t->all->all_prev = slot;
	t->all = slot;
	return slot;
}

struct http_slot *http_slot_take(struct http_thread *t)
{
	struct http_slot *slot = t->free;
	if (slot) {
		t->free = slot->free_next;
		slot->free_next = NULL;
		t->free_count--;
	} else {
		slot = slot_new(t);
	}
	struct http_request *req = &slot->req;
	req->arena = &slot->arena;
	req->app = t->server->app;
	req->seal = t->seal;
	req->rendered = t->rendered;
	req->thread = t;
	req->began_us = t->now_us;
	return slot;
}

static void slot_free(struct http_thread *t, struct http_slot *slot)
{
	if (slot->all_prev)
		slot->all_prev->all_next = slot->all_next;
	else
		t->all = slot->all_next;
	if (slot->all_next)
		slot->all_next->all_prev = slot->all_prev;
	arena_free(&slot->arena);
	buf_free(&slot->body);
	buf_free(&slot->req.extra_headers);
	buf_free(&slot->req.answer);
	free(slot);
}

/* A buffer for the next use: empty, and freed when it grew beyond what is worth keeping. */
static struct buf emptied(struct buf b)
{
	if (b.cap > HTTP_KEEP_BYTES)
		buf_free(&b);
	buf_reset(&b);
	return b;
}

void http_slot_release(struct http_thread *t, struct http_slot *slot)
{
	if (t->free_count >= HTTP_SLOTS_KEPT) {
		slot_free(t, slot);
		return;
	}
	struct arena arena = slot->arena;
	struct buf body = emptied(slot->body), headers = emptied(slot->req.extra_headers), answer = emptied(slot->req.answer);
	struct http_slot *next = slot->all_next, *prev = slot->all_prev;
	arena_reset(&arena);
	memset(slot, 0, sizeof(*slot));
	slot->arena = arena;
	slot->body = body;
	slot->req.extra_headers = headers;
	slot->req.answer = answer;
	slot->all_next = next;
	slot->all_prev = prev;
	slot->free_next = t->free;
	t->free = slot;
	t->free_count++;
}

void http_slots_free(struct http_thread *t)
{
	struct http_slot *next;
	for (struct http_slot *slot = t->all; slot; slot = next) {
		next = slot->all_next;
		slot_free(t, slot);
	}
	t->free = NULL;
	t->free_count = 0;
}

void http_slot_settle(struct http_slot *slot)
{
	struct http_conn *c = slot->req.conn;
	if (slot->held)
		return;
	if (!c) {
		if (slot->answered || (slot->streaming && !slot->in_engine))
			http_slot_release(slot->req.thread, slot);
		return;
	}
	if (!c->entered) {
		http_conn_enter(c);
		http_conn_run(c);
		http_conn_leave(c);
	}
}

void http_slot_back(struct http_request *req)
{
	struct http_slot *slot = http_slot_of(req);
	struct http_conn *c = req->conn;
	struct http_thread *t = req->thread;
	slot->in_engine = false;
	t->in_engine--;
	if (c)
		http_conn_enter(c);
	/* A stream without a listener ends here; a plain request is taken to its end, which the handler can't tell from any other. */
	if (!slot->muted && (c || !slot->streaming)) {
		slot->held = true;
		req->resume(req);
		slot->held = false;
	}
	if (c) {
		http_conn_run(c);
		http_conn_leave(c);
	} else {
		http_slot_settle(slot);
	}
	http_thread_check_drained(t);
}
