/* Answers that time goes on writing, over real sockets: the ticket's events with their heartbeat, slow readers, clients that go, stopping. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/res_common.h"
#include "server_toy.h"
#include <valgrind/valgrind.h>

#define HEARTBEAT_MS 400
#define WRITE_MS 1500
#define SOON_MS 300                             /* within which a change of more than the place is told */
#define PATIENCE (RUNNING_ON_VALGRIND ? 20 : 1) /* valgrind runs one thread at a time, and each many times slower */
#define ASK(path) "GET " path " HTTP/1.1\r\n" H "\r\n"

/* ---- the ticket that is looked at ---- */

static struct {
	_Atomic int64_t looks, status, reason, ahead, expires_at, eta;
} seen;

bool engine_look_ticket(struct engine *e, int64_t queue_id, int64_t number, int64_t now, struct engine_ticket *out)
{
	(void)e, (void)now;
	seen.looks++;
	*out = (struct engine_ticket){
	    .ticket = {.queue_id = queue_id,
	               .number = number,
	               .user_id = 5,
	               .status = (enum core_ticket_status)seen.status,
	               .reason = (enum core_ticket_reason)seen.reason,
	               .issued_at = 1000,
	               .expires_at = seen.expires_at},
	    .username = "kim",
	    .username_len = 3,
	    .ahead = seen.ahead,
	    .eta_seconds = seen.eta,
	    .retry_after_seconds = 7,
	};
	return number == 9;
}

static void events(struct http_request *req)
{
	req->ticket.queue_id = 1;
	req->ticket.number = req->ids[0];
	res_events(req);
}

/* At every look more than the kernel takes for a client that does not read. */
#define GUSH_SIZE 60000
static _Atomic int64_t gushes;
static bool gush(void *state, struct http_feed_turn *turn)
{
	static const char drop[GUSH_SIZE] = {'d'};
	(void)state;
	gushes++;
	buf_add(turn->out, drop, sizeof(drop));
	return true;
}

static void gushing(struct http_request *req)
{
	http_feed_begin(req, "text/plain", gush, "", 0);
}

static const struct http_route fed_routes[] = {
    {HTTP_GET, "/events/{number}", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, events, NULL},
    {HTTP_GET, "/gush", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, gushing, NULL},
    {HTTP_GET, "/hello", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, hello, NULL},
};

static int set_up_fed(void **state)
{
	struct world *w;
	char error[HTTP_SERVER_ERROR_SIZE] = "";
	set_up(state);
	w = *state;
	http_server_close(w->server);
	w->config.routes = fed_routes;
	w->config.route_count = sizeof(fed_routes) / sizeof(fed_routes[0]);
	w->config.heartbeat_ms = HEARTBEAT_MS;
	w->config.write_ms = WRITE_MS;
	w->server = http_server_open(&w->config, error);
	seen.status = CORE_WAITING;
	seen.reason = CORE_REASON_NONE;
	seen.ahead = 3;
	seen.expires_at = 0;
	seen.eta = -1;
	seen.looks = gushes = 0;
	return w->server ? 0 : -1;
}

static int count_of(const struct buf *got, const char *what)
{
	int n = 0;
	for (const char *p = got->p; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

/* What is there already. */
static void get_some(int fd, struct buf *out)
{
	buf_reserve(out, 4096);
	ssize_t k = recv(fd, out->p + out->n, 4095, MSG_DONTWAIT);
	if (k > 0)
		out->n += (size_t)k;
	else
		nap(1);
	out->p[out->n] = '\0';
}

static void get_for(int fd, struct buf *out, int64_t ms)
{
	for (int64_t end = now_ms() + ms; now_ms() < end;)
		get_some(fd, out);
}

/* Until it has come, for at most so long: heartbeats would keep get_until waiting for ever. */
static void get_soon(int fd, struct buf *out, const char *what, int64_t ms)
{
	int64_t end = now_ms() + ms * PATIENCE;
	for (get_some(fd, out); !strstr(out->p, what); get_some(fd, out))
		if (now_ms() > end)
			fail_msg("\"%s\" did not come within %lld ms, but: %s", what, (long long)ms, out->p);
}

static int follow(const struct world *w, struct buf *got)
{
	int fd = client(w);
	put_str(fd, ASK("/events/9"));
	get_soon(fd, got, "\n\n\r\n", 1000);
	return fd;
}

/* ---- what is told, and when ---- */

static void test_first_event(void **state)
{
	struct buf got = {0};
	int64_t began = now_ms();
	int fd = follow(*state, &got);
	assert_true(now_ms() - began < HTTP_FEED_STEP_MS * PATIENCE); /* at once, not at the first look */
	assert_in(&got, "HTTP/1.1 200 OK\r\n");
	assert_in(&got, "Content-Type: text/event-stream\r\n");
	assert_in(&got, "Cache-Control: no-store\r\n");
	assert_in(&got, "X-Accel-Buffering: no\r\n");
	assert_in(&got, "Transfer-Encoding: chunked\r\n");
	assert_in(&got, "\r\nretry: ");
	assert_in(&got, "\nevent: ticket\ndata: {\"token\":\"");
	assert_in(&got, "\"status\":\"WAITING\",\"reason\":null,\"position\":4,\"ahead\":3,");
	close(fd);
	buf_free(&got);
}

static void test_heartbeat(void **state)
{
	struct buf got = {0};
	int fd = follow(*state, &got);
	int64_t began = now_ms();
	get_soon(fd, &got, "\r\n3\r\n: \n\r\n3\r\n: \n\r\n", 3000);
	int64_t took = now_ms() - began;
	assert_true(took >= 2 * HEARTBEAT_MS - 50 && took < 2 * (HEARTBEAT_MS + HTTP_FEED_MS + 150));
	assert_int_equal(count_of(&got, "event: ticket"), 1);
	close(fd);
	buf_free(&got);
}

static void test_status_is_told_soon(void **state)
{
	struct buf got = {0};
	int fd = follow(*state, &got);
	seen.expires_at = 1800000000000;
	seen.ahead = 0;
	seen.status = CORE_ACTIVE;
	get_soon(fd, &got, "\"status\":\"ACTIVE\"", SOON_MS);
	seen.expires_at = 1800000060000;
	get_soon(fd, &got, "\"expiresAt\":\"2027-01-15T08:01:00Z\"", SOON_MS);
	int64_t began = now_ms();
	seen.reason = CORE_PAID;
	seen.status = CORE_EXPIRED;
	assert_true(get_all(fd, &got)); /* the last one, and the end of both the answer and the connection */
	assert_true(now_ms() - began < SOON_MS * PATIENCE);
	assert_in(&got, "\"status\":\"EXPIRED\",\"reason\":\"PAID\"");
	assert_true(strcmp(got.p + got.n - 5, "0\r\n\r\n") == 0);
	close(fd);
	buf_free(&got);
}

static void test_place_is_told_once_a_second(void **state)
{
	struct buf got = {0};
	int fd = follow(*state, &got);
	for (int i = 0; i < 60; i++) {
		seen.ahead = 1000 - i;
		get_for(fd, &got, 50);
	}
	int told = count_of(&got, "event: ticket") - 1;
	if (told < 2 || told > 4)
		fail_msg("in 3 s the place was told %d times", told);
	/* What changed last is told, not lost. */
	get_soon(fd, &got, "\"ahead\":941,", 1300);
	close(fd);
	buf_free(&got);
}

/* It changes all the time; told is what makes a difference. */
static void test_eta_is_told_when_it_is_another(void **state)
{
	struct buf got = {0};
	seen.eta = 100;
	int fd = follow(*state, &got);
	for (int i = 0; i < 50; i++) {
		seen.eta = 100 + i % 49 - 24;
		get_for(fd, &got, 50);
	}
	assert_int_equal(count_of(&got, "event: ticket"), 1);
	seen.eta = 125;
	get_soon(fd, &got, "\"etaSeconds\":125,", 1300);
	seen.eta = -1;
	get_soon(fd, &got, "\"etaSeconds\":null,", 1300);
	seen.eta = 5;
	get_soon(fd, &got, "\"etaSeconds\":5,", 1300);
	for (int i = 0; i < 30; i++) {
		seen.eta = 5 + i % 10;
		get_for(fd, &got, 50);
	}
	assert_int_equal(count_of(&got, "event: ticket"), 4);
	close(fd);
	buf_free(&got);
}

static void test_ended_ticket(void **state)
{
	seen.status = CORE_EXPIRED;
	seen.reason = CORE_LEFT;
	struct buf got = exchange(*state, ASK("/events/9"));
	assert_int_equal(count_of(&got, "event: ticket"), 1);
	assert_in(&got, "\"reason\":\"LEFT\"");
	assert_true(strcmp(got.p + got.n - 5, "0\r\n\r\n") == 0);
	buf_free(&got);
	got = exchange(*state, ASK("/events/8"));
	assert_in(&got, "HTTP/1.1 401 ");
	assert_in(&got, "TOKEN_INVALID");
	buf_free(&got);
}

static void test_http_1_0_and_head(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	struct reply r;
	int fd = client(w);
	put_str(fd, "GET /events/9 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	get_soon(fd, &got, "}\n\n", 1000);
	assert_null(strstr(got.p, "chunked"));
	assert_in(&got, "Connection: close\r\n");
	seen.status = CORE_EXPIRED;
	assert_true(get_all(fd, &got));
	assert_true(strcmp(got.p + got.n - 3, "}\n\n") == 0);
	close(fd);
	buf_free(&got);
	got = exchange(w, "HEAD /events/9 HTTP/1.1\r\n" H "\r\n" GET1 H "\r\n");
	struct text rest = buf_view(&got);
	assert_true(next_reply(&rest, &r, true) && r.status == 200 && has(r.head, "text/event-stream"));
	assert_true(next_reply(&rest, &r, false) && r.status == 200 && has(r.body, "world"));
	buf_free(&got);
}

/* Nothing follows on the connection; what the client sends is thrown away. */
static void test_what_comes_behind(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = client(w);
	put_str(fd, ASK("/events/9") GET1 H "\r\n");
	get_soon(fd, &got, "\n\n\r\n", 1000);
	put_str(fd, GET1 H "\r\n");
	get_for(fd, &got, 300);
	seen.status = CORE_EXPIRED;
	shutdown(fd, SHUT_WR);
	get_all(fd, &got);
	assert_null(strstr(got.p, "world"));
	close(fd);
	buf_free(&got);
}

/* ---- clients that are slow, or go ---- */

static void test_slow_reader_is_dropped(void **state)
{
	const struct world *w = *state;
	struct buf got = {0};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(w->server))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), few = 4096;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof(few)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	put_str(fd, ASK("/gush"));
	int64_t before;
	do {
		before = gushes;
		nap(2 * HTTP_FEED_MS + 50);
	} while (gushes != before);
	/* It was asked until the kernel took no more, and not once more, though it is still there: nothing piles up. */
	assert_true(before > 0);
	assert_int_equal(atomic_load(&w->metrics.gauges[HTTP_GAUGE_STREAMS]), 1);
	nap(WRITE_MS);
	assert_int_equal(atomic_load(&w->metrics.gauges[HTTP_GAUGE_STREAMS]), 0);
	assert_int_equal(gushes, before);
	assert_true(get_all(fd, &got) || errno == ECONNRESET);
	close(fd);
	buf_free(&got);
}

static void test_client_gone(void **state)
{
	struct world *w = *state;
	struct linger reset = {1, 0};
	for (int how = 0; how < 3; how++) {
		struct buf got = {0};
		int fd = follow(w, &got);
		if (how == 1)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (how == 2)
			shutdown(fd, SHUT_WR);
		else
			close(fd);
		nap(50);
		int64_t looks = seen.looks;
		nap(3 * HTTP_FEED_MS);
		assert_int_equal(seen.looks, looks); /* nobody is looked after any more */
		if (how == 2)
			close(fd);
		buf_free(&got);
	}
}

/* ---- many, and the end ---- */

static void test_many(void **state)
{
	enum { MANY = 300 };
	struct world *w = *state;
	int fds[MANY];
	for (int i = 0; i < MANY; i++) {
		struct buf got = {0};
		fds[i] = follow(w, &got);
		buf_free(&got);
	}
	/* Each is looked at every HTTP_FEED_MS. */
	int64_t looks = seen.looks, began = now_ms();
	nap(1000);
	double each = (double)(seen.looks - looks) / MANY * (double)HTTP_FEED_MS / (double)(now_ms() - began);
	if (each < 0.6 / PATIENCE || each > 1.1)
		fail_msg("a stream is looked at %.2f times in %d ms", each, HTTP_FEED_MS);
	began = now_ms();
	seen.status = CORE_ACTIVE;
	for (int i = 0; i < MANY; i++) {
		struct buf got = {0};
		get_soon(fds[i], &got, "\"status\":\"ACTIVE\"", 500);
		buf_free(&got);
	}
	assert_true(now_ms() - began < 500 * PATIENCE);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
}

static void test_stop_ends_feeds(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = follow(w, &got), stuck = client(w);
	put_str(stuck, ASK("/gush"));
	nap(50);
	int64_t began = now_ms();
	http_server_stop(w->server);
	assert_true(now_ms() - began < 200 * PATIENCE);
	assert_true(get_all(fd, &got));
	assert_true(strcmp(got.p + got.n - 5, "0\r\n\r\n") == 0);
	assert_int_equal(w->server->threads[0].fed_count, 0);
	close(fd);
	close(stuck);
	buf_free(&got);
}

#define FED(name) cmocka_unit_test_setup_teardown(name, set_up_fed, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FED(test_first_event),
	    FED(test_heartbeat),
	    FED(test_status_is_told_soon),
	    FED(test_place_is_told_once_a_second),
	    FED(test_eta_is_told_when_it_is_another),
	    FED(test_ended_ticket),
	    FED(test_http_1_0_and_head),
	    FED(test_what_comes_behind),
	    FED(test_slow_reader_is_dropped),
	    FED(test_client_gone),
	    FED(test_many),
	    FED(test_stop_ends_feeds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
