/* steady.c: see steady.h. Each operation is set up through the API itself, and measured as one phase. */
#include "cli/bench/steady.h"
#include "base/arena.h"
#include "base/limits.h"
#include "cli/bench/phase.h"
#include "base/rng.h"
#include <stdlib.h>
#include <string.h>

#define CHARGE_AMOUNT 1000
#define TURN_ACTIVE 1000          /* people who are in while others take turns */
#define TURN_REQUESTS_MAX 8000000 /* half of them join, and need room */

struct steady {
	const struct bench_options *o;
	struct api *api;
	struct api_person *people;
	int64_t *reservations;
	int64_t count;  /* people */
	int64_t joined; /* people that are in line before the measurement: the number of the next one (join) */
	int64_t amount; /* of a charge */
	int64_t seats;  /* of each show */
};

/* ---- the requests ---- */

static size_t write_join(const void *arg, int64_t number, char *out)
{
	const struct steady *s = arg;

	return api_join(s->api, s->joined + number, out);
}

static bool take_join(void *arg, int64_t number, const struct reply *reply)
{
	struct steady *s = arg;

	return api_person(reply, &s->people[number]);
}

static const struct api_person *anyone(const struct steady *s, int64_t number)
{
	return &s->people[rng_below(rng_at((uint64_t)s->o->seed, (uint64_t)number), s->count)];
}

static size_t write_poll(const void *arg, int64_t number, char *out)
{
	const struct steady *s = arg;

	return api_check(s->api, anyone(s, number)->token, out);
}

static size_t write_seats(const void *arg, int64_t number, char *out)
{
	const struct steady *s = arg;
	int64_t show = rng_below(rng_at((uint64_t)s->o->seed + 1, (uint64_t)number), (int64_t)s->api->show_count);

	return api_seats(s->api, anyone(s, number)->token, s->api->shows[show], out);
}

static size_t write_charge_anyone(const void *arg, int64_t number, char *out)
{
	const struct steady *s = arg;
	const struct api_person *p = anyone(s, number);

	return api_charge(s->api, p->token, p->user_id, s->amount, out);
}

static size_t write_charge_each(const void *arg, int64_t number, char *out)
{
	const struct steady *s = arg;

	return api_charge(s->api, s->people[number].token, s->people[number].user_id, s->amount, out);
}

/* Request n is for show n mod shows, and there for the next seat; per_user seats in a row of a show go to one person. */
static size_t write_hold(const void *arg, int64_t number, char *out)
{
	const struct steady *s = arg;
	int64_t shows = (int64_t)s->api->show_count, show = number % shows, seat = number / shows + 1;
	int64_t blocks = (s->seats + s->o->per_user - 1) / s->o->per_user;
	const struct api_person *p = &s->people[(show * blocks + (seat - 1) / s->o->per_user) % s->count];

	return api_hold(s->api, p->token, s->api->shows[show], &seat, 1, out);
}

/* Each person holds one seat. */
static size_t write_hold_each(const void *arg, int64_t number, char *out)
{
	const struct steady *s = arg;
	int64_t shows = (int64_t)s->api->show_count, seat = number / shows + 1;

	return api_hold(s->api, s->people[number].token, s->api->shows[number % shows], &seat, 1, out);
}

static bool take_hold(void *arg, int64_t number, const struct reply *reply)
{
	struct steady *s = arg;

	return reply_int(reply->body, TEXT("\"reservationId\":"), &s->reservations[number]);
}

static size_t write_pay(const void *arg, int64_t number, char *out)
{
	const struct steady *s = arg;

	return api_pay(s->api, s->people[number].token, s->reservations[number], out);
}

/* Every other request of a thread is somebody who joins; the others leave, the next in order, and the first of the line comes in. */
static enum step turn_step(const void *arg, int64_t number)
{
	const struct steady *s = arg;

	return number / s->o->threads % 2 == 0 ? STEP_LEAVE : STEP_JOIN;
}

/* Each person is one thread's, which sees them join and leave: person i is that of thread i mod threads. */
static int64_t turn_person(const struct steady *s, int64_t number)
{
	int64_t threads = s->o->threads, thread = number % threads, turn = number / threads / 2;
	int64_t first = s->joined + (thread + threads - s->joined % threads) % threads; /* of those who come */

	return (turn_step(s, number) == STEP_LEAVE ? thread : first) + turn * threads;
}

static size_t write_turn(const void *arg, int64_t number, char *out)
{
	const struct steady *s = arg;
	int64_t person = turn_person(s, number);

	if (turn_step(s, number) == STEP_JOIN)
		return api_join(s->api, person, out);
	/* who did not get in, or was not answered yet, can't leave */
	return s->people[person].token[0] != '\0' ? api_leave(s->api, s->people[person].token, out) : 0;
}

static bool take_turn(void *arg, int64_t number, const struct reply *reply)
{
	struct steady *s = arg;

	return turn_step(s, number) == STEP_LEAVE || api_person(reply, &s->people[turn_person(s, number)]);
}

static size_t write_request(const void *arg, int64_t number, char *out)
{
	const struct steady *s = arg;
	const struct bench_options *o = s->o;
	const char *body = o->op == BENCH_REQUEST ? o->body : NULL;

	(void)number;
	return api_request(s->api, o->op == BENCH_REQUEST ? o->method : "GET", o->op == BENCH_REQUEST ? o->path : "/healthz",
	                   NULL, body, body != NULL ? strlen(body) : 0, out, CLIENT_REQUEST_ROOM);
}

/* ---- setting up ---- */

static bool prepare(struct steady *s, const char *title, enum step step, int64_t n,
                    size_t (*write)(const void *, int64_t, char *), bool (*take)(void *, int64_t, const struct reply *),
                    char error[CLI_ERROR_SIZE])
{
	struct phase p = {.title = title, .step = step, .limit = n, .strict = true, .write = write, .take = take, .arg = s};
	char why[CLI_ERROR_SIZE];

	if (n == 0)
		return true;
	if (phase_run(s->o, &p, NULL, why))
		return true;
	(void)snprintf(error, CLI_ERROR_SIZE, "setting up (%s) failed: %.400s", title, why);
	return false;
}

static bool join_all(struct steady *s, int64_t n, char error[CLI_ERROR_SIZE])
{
	s->count = n;
	s->people = mem_zero((size_t)(n > 0 ? n : 1) * sizeof(*s->people));
	if (!prepare(s, "joining", STEP_JOIN, n, write_join, take_join, error))
		return false;
	s->joined = n;
	return true;
}

static bool set_up_line(struct steady *s, char error[CLI_ERROR_SIZE])
{
	const struct bench_options *o = s->o;

	if (o->op == BENCH_POLL && o->waiting == 0) {
		char called[CLI_ENV_NAME_SIZE];

		bench_option_called(o, "waiting", called);
		(void)snprintf(error, CLI_ERROR_SIZE, "%s must be 1 or more: somebody has to ask", called);
		return false;
	}
	return api_set_up(s->api, o, 1, 1, 1, error) && api_pause(s->api, o, error) && join_all(s, o->waiting, error);
}

static int by_number(const void *a, const void *b)
{
	const struct api_person *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static bool set_up_turn(struct steady *s, char error[CLI_ERROR_SIZE])
{
	int64_t n = TURN_ACTIVE + s->o->waiting;

	if (!api_set_up(s->api, s->o, TURN_ACTIVE, 1, 1, error))
		return false;
	s->count = n;
	s->people = mem_zero((size_t)(n + TURN_REQUESTS_MAX / 2 + 2 * s->o->threads) * sizeof(*s->people));
	if (!prepare(s, "joining", STEP_JOIN, n, write_join, take_join, error))
		return false;
	s->joined = n;
	qsort(s->people, (size_t)n, sizeof(*s->people), by_number);
	return true;
}

static bool set_up_people(struct steady *s, int64_t shows, int64_t seats, char error[CLI_ERROR_SIZE])
{
	s->seats = seats;
	return api_set_up(s->api, s->o, JARI_QUEUE_CAPACITY_MAX, shows, seats, error) && join_all(s, s->o->users, error);
}

/* Shows for so many seats, no more than a catalogue takes. */
static int64_t shows_for(const struct bench_options *o, int64_t seats)
{
	int64_t shows = (seats + o->seats - 1) / o->seats;

	return shows < 1 ? 1 : shows;
}

static bool check_seats(int64_t shows, int64_t seats, char error[CLI_ERROR_SIZE])
{
	if (shows <= JARI_CATALOGUE_SHOWS_MAX && shows * seats <= JARI_CATALOGUE_SEATS_MAX)
		return true;
	(void)snprintf(error, CLI_ERROR_SIZE,
	               "this takes %lld shows of %lld seats; a catalogue has at most %d shows and %d seats", (long long)shows,
	               (long long)seats, JARI_CATALOGUE_SHOWS_MAX, JARI_CATALOGUE_SEATS_MAX);
	return false;
}

static bool set_up_pay(struct steady *s, char error[CLI_ERROR_SIZE])
{
	const struct bench_options *o = s->o;
	int64_t shows = shows_for(o, o->users);

	if (!check_seats(shows, o->seats, error) || !set_up_people(s, shows, o->seats, error))
		return false;
	s->reservations = mem_zero((size_t)s->count * sizeof(*s->reservations));
	s->amount = o->price > 0 ? o->price : 1;
	return prepare(s, "charging", STEP_CHARGE, s->count, write_charge_each, NULL, error) &&
	       prepare(s, "holding", STEP_HOLD, s->count, write_hold_each, take_hold, error);
}

static bool set_up_hold(struct steady *s, char error[CLI_ERROR_SIZE])
{
	const struct bench_options *o = s->o;

	/* The blocks of a show go to different people: else one would hold more than per_user of them. */
	if (o->users * o->per_user < o->seats) {
		(void)snprintf(
		    error, CLI_ERROR_SIZE,
		    "%lld people with %lld seats each cannot hold the %lld seats of a show; more --users or fewer --seats",
		    (long long)o->users, (long long)o->per_user, (long long)o->seats);
		return false;
	}
	return check_seats(o->shows, o->seats, error) && set_up_people(s, o->shows, o->seats, error);
}

static bool set_up(struct steady *s, struct phase *p, char error[CLI_ERROR_SIZE])
{
	const struct bench_options *o = s->o;

	switch (o->op) {
	case BENCH_POLL:
		*p = (struct phase){.step = STEP_POLL, .write = write_poll};
		return set_up_line(s, error);
	case BENCH_JOIN:
		*p = (struct phase){.step = STEP_JOIN, .write = write_join};
		return set_up_line(s, error);
	case BENCH_TURN:
		*p = (struct phase){.step_of = turn_step, .write = write_turn, .take = take_turn, .limit = TURN_REQUESTS_MAX};
		return set_up_turn(s, error);
	case BENCH_SEATS:
		*p = (struct phase){.step = STEP_SEATS, .write = write_seats};
		return check_seats(o->shows, o->seats, error) && set_up_people(s, o->shows, o->seats, error);
	case BENCH_HOLD:
		*p = (struct phase){.step = STEP_HOLD, .write = write_hold, .limit = o->shows * o->seats};
		return set_up_hold(s, error);
	case BENCH_CHARGE:
		*p = (struct phase){.step = STEP_CHARGE, .write = write_charge_anyone};
		s->amount = CHARGE_AMOUNT;
		return set_up_people(s, 1, 1, error);
	case BENCH_PAY:
		*p = (struct phase){.step = STEP_PAY, .write = write_pay, .limit = o->users};
		return set_up_pay(s, error);
	case BENCH_HEALTHZ:
	case BENCH_REQUEST:
		*p = (struct phase){.step = STEP_REQUEST, .write = write_request};
		return true;
	case BENCH_ONSALE:
	case BENCH_OPS:
		break;
	}
	(void)snprintf(error, CLI_ERROR_SIZE, "no steady operation");
	return false;
}

bool steady_run(const struct bench_options *o, struct api *api, struct stats *total, char error[CLI_ERROR_SIZE])
{
	struct steady s = {.o = o, .api = api};
	struct phase p = {0};
	bool ok = false;

	if (o->op == BENCH_REQUEST && o->body != NULL &&
	    strlen(o->body) + strlen(o->path) + strlen(o->method) + API_HEAD_ROOM > CLIENT_REQUEST_ROOM) {
		(void)snprintf(error, CLI_ERROR_SIZE, "--body is too long; %d bytes fit with the path",
		               CLIENT_REQUEST_ROOM - API_HEAD_ROOM);
		return false;
	}
	if (!set_up(&s, &p, error))
		goto done;
	p.title = bench_op_name(o->op);
	p.requests = o->requests;
	p.duration_us = o->requests > 0 ? 0 : o->duration * 1000000;
	p.warmup_us = o->warmup * 1000000;
	p.rate = o->rate;
	p.arg = &s;
	p.pid = o->pid;
	ok = phase_run(o, &p, total, error);
	if (ok && stats_answers(total) + stats_problems(total) + total->success.total == 0) {
		(void)snprintf(
		    error, CLI_ERROR_SIZE, "%s",
		    total->used_up
			? "nothing was left to measure after the warm-up; a shorter --warmup, or more --users or --shows"
			: "nothing was answered in the time that was measured; a longer --duration");
		ok = false;
	}
done:
	free(s.people);
	free(s.reservations);
	return ok;
}
