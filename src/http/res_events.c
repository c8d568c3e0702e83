/* res_events.c: the ticket as server-sent events. Each event has the whole ticket, so who comes back has missed nothing and Last-Event-ID has
 * nothing to say. */
#include "http/reply.h"
#include "http/res_common.h"

#include "base/rng.h"

#include <inttypes.h>

#define PLACE_US 1000000   /* a change of the place alone is told once in this time */
#define ETA_LEAST_S 10     /* the time that it will take is told anew when it differs by so much, … */
#define ETA_PART 4         /* … and by a quarter; or when it was or is unknown */
#define RETRY_MS 2000      /* when to come back after a stream broke off, … */
#define RETRY_MORE_MS 3000 /* … and up to this much later, not all at once */

/* What was told last. */
struct events {
	int64_t queue_id, number;
	int64_t expires_at, ahead, eta_seconds;
	int64_t place_us; /* when a change of the place alone may be told again */
	enum core_ticket_status status;
	enum core_ticket_reason reason;
	bool queue_paused, begun;
};

/* Of no meaning but different for neighbours: 0 .. below - 1. */
static int64_t scattered(int64_t number, int64_t below)
{
	return rng_below(rng_at(0, (uint64_t)number), below);
}

/* Each stream has moments of its own, a second apart, so that when a whole line moves not everybody is told at once. */
static bool place_may_be_told(struct events *s, int64_t elapsed_us)
{
	if (elapsed_us < s->place_us)
		return false;
	s->place_us += ((elapsed_us - s->place_us) / PLACE_US + 1) * PLACE_US;
	return true;
}

static bool eta_is_another(int64_t told, int64_t now)
{
	int64_t change = now > told ? now - told : told - now;

	return (told < 0) != (now < 0) || (change >= ETA_LEAST_S && change >= told / ETA_PART);
}

static bool has_news(struct events *s, const struct engine_ticket *view, int64_t elapsed_us)
{
	const struct core_ticket *t = &view->ticket;
	bool may_tell_place = place_may_be_told(s, elapsed_us);

	return !s->begun || t->status != s->status || view->queue_paused != s->queue_paused || t->reason != s->reason ||
	       t->expires_at != s->expires_at ||
	       (may_tell_place && (view->ahead != s->ahead || eta_is_another(s->eta_seconds, view->eta_seconds)));
}

static void write_event(struct events *s, const struct engine_ticket *view, struct http_feed_turn *turn)
{
	const struct core_ticket *t = &view->ticket;
	const struct seal_ticket sealed = {t->queue_id, t->number, t->user_id, t->issued_at};
	char token[SEAL_TOKEN_CHARS + 1];
	struct json_out o;

	if (!s->begun)
		buf_printf(turn->out, "retry: %" PRId64 "\n", RETRY_MS + scattered(t->number, RETRY_MORE_MS));
	seal_token(turn->seal, &sealed, token);
	buf_text(turn->out, TEXT("event: ticket\ndata: "));
	jo_begin(&o, turn->out);
	http_write_ticket(&o, view, token); /* one line: JSON escapes what would break it */
	buf_text(turn->out, TEXT("\n\n"));
	s->status = t->status;
	s->reason = t->reason;
	s->expires_at = t->expires_at;
	s->ahead = view->ahead;
	s->eta_seconds = view->eta_seconds;
	s->queue_paused = view->queue_paused;
	s->begun = true;
}

static bool more(void *state, struct http_feed_turn *turn)
{
	struct events *s = state;
	struct engine_ticket view;

	/* Looking is a sign of life: who has a stream open is not passed over. */
	if (!engine_look_ticket(turn->app->engine, s->queue_id, s->number, turn->now, &view))
		return false;
	if (has_news(s, &view, turn->elapsed_us))
		write_event(s, &view, turn);
	else if (turn->quiet_us >= turn->heartbeat_us)
		buf_text(turn->out, TEXT(": \n"));
	return s->status != CORE_EXPIRED;
}

void res_events(struct http_request *req)
{
	struct engine_ticket view;
	const struct events first = {
	    .queue_id = req->ticket.queue_id,
	    .number = req->ticket.number,
	    .place_us = clock_elapsed_us() + scattered(req->ticket.number, PLACE_US),
	};

	if (!engine_look_ticket(req->app->engine, first.queue_id, first.number, req->now, &view)) {
		res_refuse(req, CORE_TOKEN_INVALID);
		return;
	}
	if (!http_feed_room(req))
		return;
	http_header(req, "X-Accel-Buffering", "no"); /* a proxy must not keep events back */
	http_feed_begin(req, "text/event-stream", more, &first, sizeof(first));
}
