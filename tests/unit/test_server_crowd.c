/* The server among too many, too slow and too greedy: what is turned away or closed, and that the others are served. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "server_toy.h"
#include "http/throttle.h"
#include <sys/resource.h>
#include <valgrind/valgrind.h>

static struct world *open_as(void (*change)(struct http_server_config *))
{
	static struct world w;
	world_open_as(&w, 1, change);
	return &w;
}

static void finish(struct world *w)
{
	void *state = w;
	(void)tear_down(&state);
}

/* A client that has been answered and keeps its connection. */
static int kept(const struct world *w)
{
	struct buf got = {0};
	int fd = client(w);
	put_str(fd, GET1 H "\r\n");
	get_until(fd, &got, "world");
	buf_free(&got);
	return fd;
}

/* Everything that comes without asking for anything. */
static struct buf told(const struct world *w)
{
	struct buf got = {0};
	int fd = client(w);
	assert_true(get_all(fd, &got));
	close(fd);
	return got;
}

static bool is_closed(int fd)
{
	char byte;
	return recv(fd, &byte, 1, 0) <= 0;
}

/* ---- connections ---- */

static void three(struct http_server_config *c)
{
	c->connections_max = 3;
	c->idle_ms = c->request_ms = 20000;
}

static void one_too_many_is_told_so(void **state)
{
	struct world *w = open_as(three);
	int fds[3];
	struct reply r;
	(void)state;
	for (int i = 0; i < 3; i++)
		fds[i] = kept(w);
	for (int i = 0; i < 3; i++) {
		struct buf got = told(w);
		struct text rest = buf_view(&got);
		assert_true(next_reply(&rest, &r, false));
		assert_int_equal(r.status, 503);
		check_problem("too many", &r);
		assert_true(has(r.head, "Connection: close\r\n") && has(r.head, "\r\nRetry-After: ") &&
		            has(r.head, "\r\nDate: "));
		assert_true(has(r.body, "\"OVERLOADED\""));
		buf_free(&got);
	}
	/* and who asks at once, mostly hears it too, and does no harm */
	int hasty = client(w);
	put_str(hasty, GET1 H "\r\n");
	while (!is_closed(hasty))
		continue;
	close(hasty);
	assert_int_equal(w->metrics.shed[HTTP_SHED_CONNECTIONS], 4);
	assert_int_equal(w->metrics.gauges[HTTP_GAUGE_CONNECTIONS], 3);
	/* those who are in are served as ever, and who leaves makes room */
	struct buf got = {0};
	put_str(fds[1], GET1 H "\r\n");
	get_until(fds[1], &got, "world");
	buf_free(&got);
	close(fds[0]);
	for (int i = 0; i < 200 && w->metrics.gauges[HTTP_GAUGE_CONNECTIONS] != 2; i++)
		nap(10);
	fds[0] = kept(w);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	finish(w);
}

static void who_has_been_idle_gives_the_place(void **state)
{
	struct world *w = open_as(three);
	int fds[3], busy, late;
	struct buf got = {0};
	(void)state;
	for (int i = 0; i < 3; i++)
		fds[i] = kept(w);
	nap(HTTP_SPARE_MS + 100);
	put_str(fds[0], GET1 H "\r\n"); /* so the second has waited longest */
	get_until(fds[0], &got, "world");
	buf_free(&got);
	late = kept(w);
	assert_true(is_closed(fds[1]));
	busy = kept(w);
	assert_true(is_closed(fds[2]));
	assert_int_equal(w->metrics.shed[HTTP_SHED_IDLE], 2);
	assert_int_equal(w->metrics.shed[HTTP_SHED_CONNECTIONS], 0);
	/* nobody who is left has been idle for long */
	got = told(w);
	assert_in(&got, "HTTP/1.1 503 ");
	buf_free(&got);
	put_str(fds[0], GET1 H "\r\n");
	get_until(fds[0], &got, "world");
	buf_free(&got);
	close(fds[0]);
	close(fds[1]);
	close(fds[2]);
	close(busy);
	close(late);
	finish(w);
}

/* A thread of the server's without its loop, which takes connections from anywhere. */
struct alone {
	struct http_app app;
	struct http_metrics metrics;
	struct http_server server;
	struct http_thread thread;
};

static void alone_open(struct alone *a, int64_t each)
{
	static const uint8_t key[SEAL_KEY_BYTES];
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	memset(a, 0, sizeof(*a));
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	a->app.metrics = &a->metrics;
	a->server = (struct http_server){.app = &a->app,
	                                 .threads = &a->thread,
	                                 .count = 1,
	                                 .idle_us = 1000000,
	                                 .request_us = 1000000,
	                                 .write_us = 1000000,
	                                 .held_max = 1000000,
	                                 .callers = http_callers_new(100, each)};
	assert_true(http_thread_open(&a->thread, &a->server, fd, key));
}

static void alone_close(struct alone *a)
{
	http_thread_close(&a->thread);
	assert_int_equal(http_callers_count(a->server.callers), 0);
	http_callers_free(a->server.callers);
}

/* A connection from there; the client's end. */
static int comes_from(struct alone *a, const char *address)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	if (strchr(address, ':')) {
		assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
		http_door(&a->thread, ends[0], (struct sockaddr *)&v6, sizeof(v6));
	} else {
		assert_int_equal(inet_pton(AF_INET, address, &v4.sin_addr), 1);
		http_door(&a->thread, ends[0], (struct sockaddr *)&v4, sizeof(v4));
	}
	return ends[1];
}

static void an_address_has_its_share(void **state)
{
	struct alone a;
	struct buf got = {0};
	int fds[12], n = 0;
	(void)state;
	alone_open(&a, 2);
	fds[n++] = comes_from(&a, "192.0.2.1");
	fds[n++] = comes_from(&a, "192.0.2.1");
	fds[n++] = comes_from(&a, "192.0.2.2");
	fds[n++] = comes_from(&a, "2001:db8::1");
	fds[n++] = comes_from(&a, "2001:db8::2");
	for (int i = 0; i < 5; i++)
		fds[n++] = comes_from(&a, "127.0.0.1");
	assert_int_equal(a.thread.conns, 10);
	fds[n++] = comes_from(&a, "192.0.2.1");
	assert_int_equal(a.thread.conns, 10);
	assert_true(get_all(fds[n - 1], &got));
	assert_in(&got, "HTTP/1.1 503 ");
	assert_in(&got, "from this address");
	buf_free(&got);
	fds[n++] = comes_from(&a, "2001:db8::3");
	assert_int_equal(a.thread.conns, 10);
	assert_int_equal(a.metrics.shed[HTTP_SHED_ADDRESS], 2);
	http_conn_close(a.thread.lists[HTTP_CONN_IDLE].first); /* the first of 192.0.2.1 */
	close(fds[0]);
	fds[0] = comes_from(&a, "192.0.2.1");
	assert_int_equal(a.thread.conns, 10);
	assert_int_equal(a.metrics.shed[HTTP_SHED_ADDRESS], 2);
	for (int i = 0; i < n; i++)
		close(fds[i]);
	alone_close(&a);
}

/* Behind a trusted proxy there are many. */
static void a_trusted_proxy_is_not_counted(void **state)
{
	struct http_throttle_config config = {.limits = {0}};
	struct alone a;
	struct text wrong;
	int fds[6];
	(void)state;
	assert_true(http_proxies_parse(TEXT("192.0.2.0/24"), &config.trusted, &wrong));
	alone_open(&a, 2);
	a.app.throttle = http_throttle_new(&config);
	for (int i = 0; i < 4; i++)
		fds[i] = comes_from(&a, "192.0.2.1");
	assert_int_equal(a.thread.conns, 4);
	fds[4] = comes_from(&a, "198.51.100.1");
	fds[5] = comes_from(&a, "198.51.100.1");
	close(comes_from(&a, "198.51.100.1"));
	assert_int_equal(a.thread.conns, 6);
	for (int i = 0; i < 6; i++)
		close(fds[i]);
	alone_close(&a);
	http_throttle_free(a.app.throttle);
}

/* ---- descriptors ---- */

static void patient(struct http_server_config *c)
{
	c->idle_ms = c->request_ms = 20000;
}

/* There is no descriptor left, and whoever comes takes that of who has been idle. */
static void without_descriptors_the_idle_give_theirs(void **state)
{
	struct world *w = open_as(patient);
	struct rlimit before, few;
	struct buf got = {0};
	int fds[4];
	(void)state;
	for (int i = 0; i < 4; i++)
		fds[i] = kept(w);
	nap(HTTP_SPARE_MS + 100);
	int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)late + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(w->server))};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(late, (struct sockaddr *)&to, sizeof(to)), 0);
	put_str(late, GET1 H "\r\n");
	get_until(late, &got, "world");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	/* looking for a next one that is not there takes a descriptor too */
	assert_in_range(w->metrics.shed[HTTP_SHED_IDLE], 1, 2);
	assert_true(is_closed(fds[0]));
	put_str(fds[3], GET1 H "\r\n");
	buf_free(&got);
	get_until(fds[3], &got, "world");
	buf_free(&got);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	close(late);
	finish(w);
}

/* ---- slow readers ---- */

static void fast_readers_only(struct http_server_config *c)
{
	patient(c);
	c->write_ms = 500;
	c->send_rate_min = 100000000;
}

static void any_reader(struct http_server_config *c)
{
	patient(c);
	c->write_ms = 500;
}

/* Takes a little of a long answer again and again; how many bytes in all before the end, or `most`. */
static size_t read_slowly(const struct world *w, size_t most)
{
	static char room[100000];
	size_t n = 0;
	int fd = client(w), small = 65536;
	int64_t began = now_ms();
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	put_str(fd, "GET /huge HTTP/1.1\r\n" H "\r\n");
	while (n < most && now_ms() - began < 20000) {
		ssize_t k = recv(fd, room, sizeof(room), 0);
		if (k <= 0)
			break;
		n += (size_t)k;
		nap(10);
	}
	close(fd);
	return n;
}

static void who_takes_an_answer_too_slowly_is_dropped(void **state)
{
	enum { MOST = HUGE_SIZE - 5000000 }; /* the kernel has the rest */
	struct world *w = open_as(fast_readers_only);
	(void)state;
	assert_true(read_slowly(w, MOST) < MOST);
	assert_int_equal(w->metrics.shed[HTTP_SHED_SLOW_READER], 1);
	finish(w);
	w = open_as(any_reader);
	assert_true(read_slowly(w, MOST) >= MOST);
	assert_int_equal(w->metrics.shed[HTTP_SHED_SLOW_READER], 0);
	finish(w);
}

/* ---- memory ---- */

#define HELD_MAX (1 << 20)

static void little_memory(struct http_server_config *c)
{
	patient(c);
	c->held_max = HELD_MAX;
}

static void half_bodies_are_bounded_together(void **state)
{
	enum { GREEDY = 60, PIECE = 50000 };
	struct world *w = open_as(little_memory);
	int fds[GREEDY], closed = 0, honest = kept(w);
	struct buf piece = {0}, got = {0};
	(void)state;
	buf_str(&piece, "POST /echo HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n");
	while (piece.n < PIECE)
		buf_char(&piece, 'x');
	for (int i = 0; i < GREEDY; i++) {
		fds[i] = client(w);
		assert_true(put(fds[i], piece.p, piece.n));
		nap(2);
		/* somebody else is served all the while */
		put_str(honest, GET1 H "\r\n");
		get_until(honest, &got, "world");
		buf_free(&got);
		assert_true(tally_value(&w->server->threads[0].held) <= HELD_MAX);
	}
	for (int i = 0; i < 200 && w->metrics.shed[HTTP_SHED_MEMORY] == 0; i++)
		nap(10);
	/* the oldest went, the newest are there */
	closed = (int)w->metrics.shed[HTTP_SHED_MEMORY];
	assert_true(closed >= GREEDY * PIECE / HELD_MAX && closed < GREEDY);
	assert_true(is_closed(fds[0]));
	put_str(fds[GREEDY - 1], "y");
	while (piece.n < PIECE + 20000)
		buf_char(&piece, 'x');
	assert_true(put(fds[GREEDY - 1], piece.p, 60000));
	get_until(fds[GREEDY - 1], &got, "HTTP/1.1 200 ");
	for (int i = 0; i < GREEDY; i++)
		close(fds[i]);
	close(honest);
	buf_free(&piece);
	buf_free(&got);
	for (int i = 0; i < 500 && tally_value(&w->server->threads[0].held); i++)
		nap(10);
	assert_int_equal(tally_value(&w->server->threads[0].held), 0);
	finish(w);
}

/* What is kept of a head counts too: the body, one byte, is missing. The path is decoded into a copy of its own. */
static void the_heads_of_half_requests_count(void **state)
{
	enum { GREEDY = 60, PATH = 30000 };
	struct world *w = open_as(little_memory);
	int fds[GREEDY];
	struct buf head = {0};
	(void)state;
	buf_str(&head, "POST /%61");
	while (head.n < PATH)
		buf_char(&head, 'a');
	buf_str(&head, " HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n");
	for (int i = 0; i < GREEDY; i++) {
		fds[i] = client(w);
		assert_true(put(fds[i], head.p, head.n));
		nap(10); /* one after the other: what is read and no whole head counts anyhow */
	}
	for (int i = 0; i < 200 && w->metrics.shed[HTTP_SHED_MEMORY] < 2L * GREEDY * PATH / HELD_MAX; i++)
		nap(10);
	assert_true(w->metrics.shed[HTTP_SHED_MEMORY] >= 2L * GREEDY * PATH / HELD_MAX);
	assert_true(is_closed(fds[0]));
	for (int i = 0; i < GREEDY; i++)
		close(fds[i]);
	buf_free(&head);
	for (int i = 0; i < 500 && tally_value(&w->server->threads[0].held); i++)
		nap(10);
	assert_int_equal(tally_value(&w->server->threads[0].held), 0);
	finish(w);
}

/* ---- too late ---- */

/* While the loop is kept, requests lie in their sockets: then who polls is answered all the same, and who wants to change something is told to
 * come back, who asks for a place first. */
static void what_has_lain_too_long_is_not_taken(void **state)
{
	struct world *w = open_as(patient);
	struct buf got = {0};
	int slow = client(w), join = client(w), charge = client(w), poll = kept(w);
	(void)state;
	put_str(slow, "GET /slow HTTP/1.1\r\n" H "\r\n");
	nap(100);
	put_str(join, "POST /submit-first HTTP/1.1\r\n" H "\r\n");
	put_str(charge, "POST /charge HTTP/1.1\r\n" H "\r\n");
	put_str(poll, GET1 H "\r\n");
	get_until(join, &got, "\"OVERLOADED\"");
	buf_free(&got);
	get_until(charge, &got, "done");
	buf_free(&got);
	get_until(poll, &got, "world");
	buf_free(&got);
	get_until(slow, &got, "slow");
	buf_free(&got);
	assert_int_equal(w->metrics.shed[HTTP_SHED_LATE], 1);
	put_str(join, "POST /submit-first HTTP/1.1\r\n" H "\r\n");
	get_until(join, &got, "done");
	buf_free(&got);
	close(slow);
	close(join);
	close(charge);
	close(poll);
	finish(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_too_many_is_told_so),
	    cmocka_unit_test(who_has_been_idle_gives_the_place),
	    cmocka_unit_test(an_address_has_its_share),
	    cmocka_unit_test(a_trusted_proxy_is_not_counted),
	    cmocka_unit_test(who_takes_an_answer_too_slowly_is_dropped),
	    cmocka_unit_test(half_bodies_are_bounded_together),
	    cmocka_unit_test(the_heads_of_half_requests_count),
	    cmocka_unit_test(what_has_lain_too_long_is_not_taken),
	};
	const struct CMUnitTest limited[] = {cmocka_unit_test(without_descriptors_the_idle_give_theirs)};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	/* valgrind plays the limit of descriptors itself, and closes a connection that is accepted beyond it */
	return RUNNING_ON_VALGRIND ? failed : failed + cmocka_run_group_tests(limited, NULL, NULL);
}
