#include "server.h"

#include "../unit/core_world.h"
#include "http/conn.h"
#include "http/metrics.h"
#include "http/openapi.h"
#include "http/reply.h"
#include "http/routes.h"
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_US 8000000 /* a connection that takes longer hangs */

static struct {
	bool open, shown;
	struct world world; /* of core_world.h: the store */
	struct clock clock;
	struct engine *engine;
	struct http_metrics *metrics;
	struct http_app app;
	struct http_server server;
	struct http_thread thread;
	struct buf openapi;
	json_t *document;
	char tokens[FUZZ_PEOPLE][SEAL_TOKEN_CHARS + 1];
} fuzz;

static const uint8_t seal_key[SEAL_KEY_BYTES] = {4, 8, 15, 16, 23, 42};

/* ---- who and what is there ---- */

static int64_t stands_still(void *arg)
{
	(void)arg;
	return NOW * 1000;
}

static void do_at(int64_t at, struct core_cmd cmd, struct core_reply *reply)
{
	*reply = (struct core_reply){0};
	EXPECT(world_decide(&fuzz.world, &cmd, at, reply), "command %d could not be decided", (int)cmd.op);
	EXPECT(reply->code == CORE_OK, "command %d: %s", (int)cmd.op, core_code_name(reply->code));
	EXPECT(world_save(&fuzz.world, at), "command %d could not be saved", (int)cmd.op);
}

static void tick(int64_t at)
{
	static const int64_t queues[] = {1, 2};
	struct core_reply reply;

	do_at(at, (struct core_cmd){.op = CORE_TICK, .u.tick = {.queue_ids = queues, .queue_count = 2}}, &reply);
}

static void add_catalogue(void)
{
	static const struct core_new_seats hall[] = {{{"A", 1}, 1, 4, 100}, {{"B", 1}, 5, 8, 5000}},
					   room[] = {{{"C", 1}, 1, 3, 0}};
	static const struct core_new_show shows[] = {
	    {NOW + DAY_MS, 20270116, hall, 2},
	    {NOW + 2 * DAY_MS, 20270117, room, 1},
	    {NOW + 2 * DAY_MS + 1000, 20270117, room, 1},
	    {NOW - 1, 20270115, room, 1},
	};
	static const struct core_new_queue queues[] = {{{"club", 4}, 1, 0}};
	static const struct core_new_concert concerts[] = {
	    {{"Sori", 4}, {"Nuri", 4}, {"Hall", 4}, {"", 0}, 0, shows, 4},
	    {{"Night", 5}, {"DJ", 2}, {"Club", 4}, {"club", 4}, 0, shows, 1},
	    {{"Later", 5}, {"Nuri", 4}, {"Hall", 4}, {"", 0}, NOW + DAY_MS, shows, 1},
	};
	static const struct core_catalogue doc = {queues, 1, concerts, 3};
	struct core_reply reply;

	do_at(NOW - 800000, (struct core_cmd){.op = CORE_ADD_CATALOGUE, .u.catalogue = {.doc = &doc, .actor = TEXT("import")}},
	      &reply);
}

static void join(int64_t at, const char *name, int64_t concert, enum fuzz_person who)
{
	struct core_reply reply;

	do_at(at, (struct core_cmd){.op = CORE_JOIN, .u.join = {.username = text_of(name), .concert_id = concert}}, &reply);
	EXPECT(reply.ticket.user_id == who, "%s is %" PRId64, name, reply.ticket.user_id);
	struct seal_ticket sealed = {reply.ticket.queue_id, reply.ticket.number, who, reply.ticket.issued_at};
	seal_token(fuzz.thread.seal, &sealed, fuzz.tokens[who]);
}

static void hold(int64_t at, enum fuzz_person who, int64_t reservation, const int64_t *seats, size_t n)
{
	struct core_reply reply;

	do_at(at, (struct core_cmd)HOLD(AS(1, who), .concert_id = 1, .show_id = 1, .seats = seats, .seat_count = n), &reply);
	EXPECT(reply.reservation.reservation_id == reservation, "a hold became %" PRId64, reply.reservation.reservation_id);
}

static void add_people(void)
{
	static const int64_t one = 1, two_and_three[] = {2, 3}, four = 4, five = 5;
	struct core_reply reply;

	join(NOW - 700000, "fay", 0, FUZZ_FAY);
	do_at(NOW - 700000, (struct core_cmd)CHARGE(AS(1, FUZZ_FAY), FUZZ_FAY, 1000), &reply);
	hold(NOW - 700000, FUZZ_FAY, 1, &one, 1);
	hold(NOW - 700000, FUZZ_FAY, 2, two_and_three, 2);
	do_at(NOW - 700000, (struct core_cmd)PAY(AS(1, FUZZ_FAY), 2), &reply);
	join(NOW - 1000, "ada", 0, FUZZ_ADA);
	join(NOW - 1000, "bob", 0, FUZZ_BOB);
	join(NOW - 1000, "cho", 0, FUZZ_CHO);
	join(NOW - 1000, "dan", 0, FUZZ_DAN);
	join(NOW - 1000, "eve", 2, FUZZ_EVE);
	do_at(NOW - 1000, (struct core_cmd)CHARGE(AS(1, FUZZ_ADA), FUZZ_ADA, 100000), &reply);
	hold(NOW - 1000, FUZZ_ADA, 3, &four, 1);
	hold(NOW - 1000, FUZZ_BOB, 4, &five, 1);
	do_at(NOW - 1000, (struct core_cmd)CANCEL(AS(1, FUZZ_BOB), 4), &reply);
	hold(NOW - 1000, FUZZ_BOB, 5, &five, 1);
	tick(NOW); /* ends fay's hold; nothing is left for the engine's */
}

static void open_engine(void)
{
	/* However slow this machine is, nothing is turned away for it. */
	struct engine_config config = {.clock = &fuzz.clock,
	                               .render = http_render,
	                               .probe = http_metrics_probe,
	                               .probe_arg = fuzz.metrics,
	                               .command_wait_ms = PATIENCE_US};
	char error[STORE_ERROR_SIZE];

	EXPECT(world_open(&fuzz.world), "no store");
	store_rollback(fuzz.world.store);
	add_catalogue();
	add_people();
	clock_init_simulated(&fuzz.clock, store_clock(fuzz.world.store), stands_still, stands_still, NULL);
	config.store = fuzz.world.store;
	config.rules = fuzz.world.rules;
	fuzz.engine = engine_open(&config, error);
	EXPECT(fuzz.engine != NULL, "%s", error);
	fuzz.app.engine = fuzz.engine;
}

/* ---- the server around it ---- */

/* A thread wants a listener; this one is of a name that nobody knows. */
static int listener(void)
{
	struct sockaddr_un nowhere = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	EXPECT(fd >= 0 && bind(fd, (struct sockaddr *)&nowhere, sizeof(sa_family_t)) == 0, "%s", strerror(errno));
	return fd;
}

/* Its threads end before the leak checker looks: what only a running thread knows of would seem lost. */
static void close_engine(void)
{
	engine_close(fuzz.engine);
}

static void open_server(void)
{
	char error[HTTP_ROUTER_ERROR_SIZE];

	fuzz.open = true;
	fuzz.shown = getenv("FUZZ_SHOW") != NULL;
	EXPECT(signal(SIGPIPE, SIG_IGN) != SIG_ERR, "%s", strerror(errno));
	EXPECT(openapi_build(http_routes, http_route_count, "fuzz", false, &fuzz.openapi), "no OpenAPI document");
	fuzz.document = json_loadb(fuzz.openapi.p, fuzz.openapi.n, 0, NULL);
	EXPECT(fuzz.document != NULL, "the OpenAPI document is no JSON");
	fuzz.metrics = http_metrics_new(1);
	fuzz.app = (struct http_app){.admin_key = FUZZ_ADMIN_KEY,
	                             .rules = {.hold_ms = 300000, .active_ms = 600000, .seats_per_user = 4},
	                             .active_seconds = 600,
	                             .hold_seconds = 300,
	                             .openapi = buf_view(&fuzz.openapi),
	                             .metrics = fuzz.metrics,
	                             .version = "fuzz"};
	fuzz.server = (struct http_server){.app = &fuzz.app,
	                                   .router = http_router_new(http_routes, http_route_count, error),
	                                   .threads = &fuzz.thread,
	                                   .count = 1,
	                                   .idle_us = HTTP_IDLE_MS * INT64_C(1000),
	                                   .request_us = HTTP_REQUEST_MS * INT64_C(1000),
	                                   .write_us = HTTP_WRITE_MS * INT64_C(1000),
	                                   .heartbeat_us = HTTP_HEARTBEAT_MS * INT64_C(1000),
	                                   .callers = http_callers_new(0, 0),
	                                   .held_max = JARI_HELD_MAX,
	                                   .send_rate_min = JARI_SEND_RATE_MIN};
	EXPECT(fuzz.server.router != NULL, "%s", error);
	EXPECT(http_thread_open(&fuzz.thread, &fuzz.server, listener(), seal_key), "no HTTP thread");
	open_engine();
	EXPECT(atexit(close_engine) == 0, "no memory");
}

static void found(void *arg, const char *invariant, const char *what, int64_t violations, const char *example)
{
	(void)arg;
	EXPECT(violations == 0, "%s: %s: %s", invariant, what, example);
}

int64_t fuzz_server_commands(void)
{
	struct engine_counters counters;

	engine_look_counters(fuzz.engine, &counters);
	return counters.commands;
}

void fuzz_server_renew(bool audit)
{
	if (!fuzz.open) {
		open_server();
		return;
	}
	if (fuzz_server_commands() == 0)
		return;
	engine_close(fuzz.engine);
	if (audit)
		EXPECT(store_audit(fuzz.world.store, found, NULL) == STORE_OK, "the audit failed");
	world_end(&fuzz.world);
	open_engine();
}

struct text fuzz_token(enum fuzz_person who)
{
	return text_of(fuzz.tokens[who]);
}

json_t *fuzz_openapi(void)
{
	return fuzz.document;
}

void fuzz_fill_in(struct text in, struct buf *out)
{
	const struct fuzz_word words[] = {{"{key}", TEXT(FUZZ_ADMIN_KEY)}, {"{fay}", fuzz_token(FUZZ_FAY)},
	                                  {"{ada}", fuzz_token(FUZZ_ADA)}, {"{bob}", fuzz_token(FUZZ_BOB)},
	                                  {"{cho}", fuzz_token(FUZZ_CHO)}, {"{dan}", fuzz_token(FUZZ_DAN)},
	                                  {"{eve}", fuzz_token(FUZZ_EVE)}, fuzz_pad()};

	fuzz_replace(in, words, sizeof(words) / sizeof(words[0]), out);
}

/* ---- a connection ---- */

/* What has come is put into `out`; then the loop turns once, and waits only for what is on its way from the engine. */
static void turn(int fd, struct buf *out)
{
	for (;;) {
		buf_reserve(out, 65536);
		ssize_t k = recv(fd, out->p + out->n, 65535, MSG_DONTWAIT);
		if (k <= 0)
			break;
		out->n += (size_t)k;
	}
	EXPECT(event_base_loop(fuzz.thread.base, EVLOOP_ONCE | (fuzz.thread.in_engine > 0 ? 0 : EVLOOP_NONBLOCK)) >= 0,
	       "the loop failed");
}

/* False when the server wants no more. */
static bool put(int fd, struct text piece, struct buf *out)
{
	while (piece.n > 0) {
		ssize_t k = send(fd, piece.p, piece.n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (k < 0 && errno != EAGAIN)
			return false;
		if (k < 0 && fuzz.thread.conns == 0)
			return false;
		piece.p += k > 0 ? k : 0;
		piece.n -= k > 0 ? (size_t)k : 0;
		turn(fd, out);
	}
	return true;
}

static bool all_slots_back(void)
{
	int64_t all = 0;

	for (const struct http_slot *slot = fuzz.thread.all; slot; slot = slot->all_next)
		all++;
	return all == fuzz.thread.free_count;
}

void fuzz_exchange(struct text in, const size_t *cuts, size_t count, bool hasty, struct buf *out)
{
	int64_t until = clock_elapsed_us() + PATIENCE_US;
	struct http_address from = {{[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1}}; /* 192.0.2.1 */
	struct http_caller *caller = NULL;
	size_t at = 0;
	int pair[2];

	EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0, "%s", strerror(errno));
	EXPECT(http_callers_enter(fuzz.server.callers, NULL, &caller) == HTTP_CALLER_IN, "the server is full");
	http_conn_new(&fuzz.thread, pair[1], &from, caller);
	for (size_t i = 0; i <= count && in.n > 0; i++) {
		size_t to = i < count ? cuts[i] : in.n;

		if (!put(pair[0], (struct text){in.p + at, to - at}, out))
			break;
		at = to;
		while (!hasty && fuzz.thread.in_engine > 0)
			turn(pair[0], out);
	}
	(void)shutdown(pair[0], SHUT_WR); /* it may be gone already */
	while (fuzz.thread.conns > 0) {
		turn(pair[0], out);
		EXPECT(clock_elapsed_us() < until, "the connection hangs, after %zu bytes of answers", out->n);
	}
	while (fuzz.thread.in_engine > 0) /* a request whose connection is gone */
		turn(pair[0], out);
	turn(pair[0], out);
	(void)close(pair[0]);
	if (fuzz.shown)
		(void)fprintf(stderr, "---- sent in %zu ----\n%.*s\n---- answered ----\n%.*s\n", count + 1, SHOWN(in),
		              (int)out->n, out->p);
	EXPECT(all_slots_back(), "a request was not given back");
	EXPECT(fuzz.thread.fed_count == 0, "a feed is left");
}
