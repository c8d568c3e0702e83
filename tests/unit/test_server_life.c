/* The server over real sockets: the order of answers, streams, clients that go or are slow, time, starting and stopping. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "server_toy.h"
#include <sys/resource.h>
#include <valgrind/valgrind.h>

/* ---- order ---- */

/* An answer that is as much as may wait to be sent, and is taken at once, is no end: the next request has come already. */
static void test_pipelining_behind_a_long_answer(void **state)
{
	struct world *w = *state;
	for (size_t n = HTTP_WRITE_AHEAD - 600; n < HTTP_WRITE_AHEAD + 600; n += 300) {
		struct buf in = {0}, got = {0};
		int fd = client(w);
		buf_printf(&in, "POST /big HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", n);
		for (size_t i = 0; i < n; i++)
			buf_char(&in, 'x');
		buf_str(&in, GET1 H "\r\n");
		assert_true(put(fd, in.p, in.n));
		get_until(fd, &got, "{\"hello\":\"world\"}");
		close(fd);
		buf_free(&in);
		buf_free(&got);
	}
}

static void test_pipelining(void **state)
{
	enum { EACH = 300 };
	struct world *w = *state;
	struct buf in = {0}, got = {0};
	struct reply r;
	set_delay(w, 0);
	for (int i = 0; i < EACH; i++) {
		buf_printf(&in, "GET /things/%d HTTP/1.1\r\n" H "\r\n", i + 1);
		if (i % 3 == 0)
			buf_printf(
			    &in, "POST /submit HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: 4\r\n\r\n%04d",
			    i);
	}
	int fd = client(w);
	assert_true(put(fd, in.p, in.n));
	shutdown(fd, SHUT_WR);
	assert_true(get_all(fd, &got));
	struct text rest = buf_view(&got);
	for (int i = 0; i < EACH; i++) {
		assert_true(next_reply(&rest, &r, false));
		assert_int_equal(r.status, 200);
		assert_int_equal(atoll(r.body.p), i + 1);
		if (i % 3 == 0) {
			assert_true(next_reply(&rest, &r, false));
			assert_int_equal(r.status, 201);
			assert_int_equal(atoll(r.body.p), i);
		}
	}
	assert_int_equal(rest.n, 0);
	close(fd);
	buf_free(&in);
	buf_free(&got);
}

/* While a request is being answered, more comes than is read ahead: it stays in the socket, costs nothing, and is answered afterwards. */
static void test_more_than_is_read_ahead(void **state)
{
	struct world *w = *state;
	struct buf in = {0}, got = {0};
	int fd = client(w);
	int64_t n = 2 * HTTP_READ_AHEAD / (int64_t)sizeof(GET1 H), answers = 0;
	struct reply r;

	set_holding(w, true);
	buf_str(&in, "POST /submit HTTP/1.1\r\n" H "\r\n");
	for (int64_t i = 0; i < n; i++)
		buf_str(&in, i + 1 < n ? GET1 H "\r\n" : GET1 H "Connection: close\r\n\r\n");
	assert_true(put(fd, in.p, in.n));
	/* Each time the server goes round it also reads what there is, 4 KiB at least. */
	for (int i = 0; i < HTTP_READ_AHEAD / 4096 + 2; i++) {
		struct buf other = exchange(w, GET1 H "\r\n");
		buf_free(&other);
	}
	assert_true(is_at_rest(w));
	set_holding(w, false);
	assert_true(get_all(fd, &got));
	for (struct text rest = buf_view(&got); next_reply(&rest, &r, false); answers++)
		assert_int_equal(r.status, answers ? 200 : 201);
	assert_int_equal(answers, n + 1);
	close(fd);
	buf_free(&in);
	buf_free(&got);
}

/* A refusal ends the connection: what stands behind it is not answered. */
static void test_nothing_after_a_refusal(void **state)
{
	struct buf got = exchange(*state, GET1 H "\r\n"
	                                         "GET /hello HTTP/1.1\r\n\r\n" GET1 H "\r\n");
	struct text rest = buf_view(&got);
	struct reply r;
	assert_true(next_reply(&rest, &r, false) && r.status == 200);
	assert_true(next_reply(&rest, &r, false) && r.status == 400);
	assert_int_equal(rest.n, 0);
	buf_free(&got);
	got = exchange(*state, GET1 H "Connection: close\r\n\r\n" GET1 H "\r\n");
	rest = buf_view(&got);
	assert_true(next_reply(&rest, &r, false) && r.status == 200);
	assert_int_equal(rest.n, 0);
	buf_free(&got);
}

/* A client that asks and does not read: the answers wait, and all come when it reads. */
static void test_slow_reader(void **state)
{
	enum { ASKED = 200 };
	struct world *w = *state;
	struct buf got = {0};
	struct reply r;
	int fd = client(w), fast = client(w);
	for (int i = 0; i < ASKED; i++)
		put_str(fd, "GET /large HTTP/1.1\r\n" H "\r\n");
	shutdown(fd, SHUT_WR);
	/* Another client is served meanwhile. */
	put_str(fast, GET1 H "\r\n");
	get_until(fast, &got, "world");
	buf_free(&got);
	nap(100);
	assert_true(w->metrics.counted < ASKED / 2);
	assert_true(get_all(fd, &got));
	struct text rest = buf_view(&got);
	for (int i = 0; i < ASKED; i++)
		assert_true(next_reply(&rest, &r, false) && r.body.n == LARGE_SIZE);
	assert_int_equal(rest.n, 0);
	buf_free(&got);
	close(fd);
	close(fast);
}

/* ---- streams ---- */

static size_t unchunked(struct text t)
{
	size_t n = 0;
	for (;;) {
		char *end;
		size_t size = strtoul(t.p, &end, 16);
		size_t step = (size_t)(end - t.p) + 2 + size + 2;
		n += size;
		if (!size || step > t.n)
			return step == t.n ? n : SIZE_MAX;
		t.p += step;
		t.n -= step;
	}
}

static void test_streams(void **state)
{
	static const char *const paths[] = {"/stream", "/reads", "/ahead"};
	struct world *w = *state;
	struct reply r;
	set_delay(w, 3);
	for (size_t i = 0; i < 3; i++) {
		char in[256];
		snprintf(in, sizeof(in), "GET %s HTTP/1.1\r\n" H "\r\n" GET1 H "\r\n", paths[i]);
		struct buf got = exchange(w, in);
		char *next = memmem(got.p + 1, got.n - 1, "HTTP/1.1 200", 12);
		assert_non_null(next);
		struct text rest = {got.p, (size_t)(next - got.p)};
		assert_true(next_reply(&rest, &r, false));
		assert_true(has(r.head, "Transfer-Encoding: chunked\r\n"));
		assert_int_equal(unchunked(rest), PIECES * PIECE_SIZE);
		buf_free(&got);
		snprintf(in, sizeof(in), "GET %s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", paths[i]);
		got = exchange(w, in);
		rest = buf_view(&got);
		assert_true(next_reply(&rest, &r, false));
		assert_true(has(r.head, "Connection: close\r\n") && !has(r.head, "chunked"));
		assert_int_equal(rest.n, PIECES * PIECE_SIZE);
		buf_free(&got);
	}
}

/* ---- clients that go ---- */

static void test_client_gone_in_flight(void **state)
{
	static const char *const asks[] = {
	    "POST /submit HTTP/1.1\r\n" H "\r\n",
	    "GET /reads HTTP/1.1\r\n" H "\r\n",
	    "GET /stream HTTP/1.1\r\n" H "\r\n",
	    "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhe",
	    "GET /hel",
	};
	struct world *w = *state;
	struct linger reset = {1, 0};
	set_delay(w, 20);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
			int fd = client(w);
			put_str(fd, asks[i]);
			nap(5);
			if (round)
				setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
			close(fd);
		}
	}
	nap(100);
	struct buf got = exchange(w, GET1 H "\r\n");
	assert_in(&got, "world");
	buf_free(&got);
}

static void test_half_closed_client_is_answered(void **state)
{
	struct world *w = *state;
	set_delay(w, 50);
	struct buf got = exchange(w, "POST /submit HTTP/1.1\r\n" H "\r\n");
	assert_in(&got, "HTTP/1.1 201 ");
	buf_free(&got);
}

static void test_full_engine(void **state)
{
	struct world *w = *state;
	pthread_mutex_lock(&w->engine.lock);
	w->engine.full = true;
	pthread_mutex_unlock(&w->engine.lock);
	/* when to come back is drawn by lot */
	int told[JARI_RETRY_SECONDS_MAX + 1] = {0}, different = 0;
	for (int i = 0; i < 60; i++) {
		struct buf got = exchange(w, "POST /submit-first HTTP/1.1\r\n" H "\r\n");
		assert_in(&got, "HTTP/1.1 503 ");
		assert_in(&got, "\r\nRetry-After: ");
		long seconds = strtol(strstr(got.p, "Retry-After: ") + 13, NULL, 10);
		assert_in_range(seconds, 1, JARI_RETRY_SECONDS_MAX);
		different += !told[seconds]++;
		buf_free(&got);
	}
	assert_true(different > 1);
}

/* ---- time ---- */

static int64_t time_to_end(const struct world *w, const char *in)
{
	struct buf got = {0};
	int64_t began = now_ms();
	int fd = client(w);
	put_str(fd, in);
	assert_true(get_all(fd, &got));
	close(fd);
	buf_free(&got);
	return now_ms() - began;
}

static void test_timeouts(void **state)
{
	static const char *const waits[] = {
	    "", "GET /hel", "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhe", GET1 H "\r\n", GET1 H "\r\nGET",
	};
	struct world *w = *state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		int64_t took = time_to_end(w, waits[i]);
		if (took < 550 || took > 1500)
			fail_msg("\"%s\" took %lld ms", waits[i], (long long)took);
	}
	/* Dribbling does not help. */
	int64_t began = now_ms();
	int fd = client(w);
	while (send(fd, "G", 1, MSG_NOSIGNAL) == 1 && now_ms() - began < 3000)
		nap(50);
	assert_true(now_ms() - began < 1500);
	close(fd);
}

static void test_slow_answer_is_waited_for(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = client(w);
	set_delay(w, 900); /* longer than the idle time */
	put_str(fd, "POST /submit HTTP/1.1\r\n" H "\r\n");
	get_until(fd, &got, "done");
	close(fd);
	buf_free(&got);
}

static void test_no_descriptors(void **state)
{
	struct world *w = *state;
	struct rlimit before, few;
	int fd = client(w), other = client(w);
	struct buf got = {0};
	put_str(fd, GET1 H "\r\n");
	get_until(fd, &got, "world");
	put_str(other, GET1 H "\r\n");
	buf_free(&got);
	get_until(other, &got, "world");
	buf_free(&got);
	int late = socket(AF_INET, SOCK_STREAM, 0);
	getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = (rlim_t)late + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(w->server))};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(late, (struct sockaddr *)&to, sizeof(to)), 0);
	put_str(late, GET1 H "\r\n");
	struct timespec cpu0, cpu1;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu0);
	nap(300);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu1);
	int64_t spent = (cpu1.tv_sec - cpu0.tv_sec) * 1000 + (cpu1.tv_nsec - cpu0.tv_nsec) / 1000000;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(spent < 100); /* it did not spin */
	struct timeval limit = {5, 0};
	setsockopt(late, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	get_until(late, &got, "world");
	buf_free(&got);
	close(late);
	close(fd);
	close(other);
}

/* ---- starting and stopping ---- */

static void test_stop_finishes_what_is_in_flight(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	struct reply r;
	int busy = client(w), idle = client(w);
	set_delay(w, 200);
	put_str(idle, GET1 H "\r\n");
	get_until(idle, &got, "world");
	buf_free(&got);
	put_str(busy, "POST /submit HTTP/1.1\r\n" H "\r\n" GET1 H "\r\n"
	              "GET /things/9 HTTP/1.1\r\n" H "\r\n");
	while (!w->engine.taken)
		nap(1);
	int64_t began = now_ms();
	http_server_stop(w->server);
	int64_t took = now_ms() - began;
	assert_true(took > 100 && took < 1500);
	assert_true(get_all(busy, &got));
	struct text rest = buf_view(&got);
	assert_true(next_reply(&rest, &r, false) && r.status == 201 && !has(r.head, "Connection: close"));
	assert_true(next_reply(&rest, &r, false) && r.status == 200 && !has(r.head, "Connection: close"));
	assert_true(next_reply(&rest, &r, false) && r.status == 200 && has(r.head, "Connection: close"));
	buf_free(&got);
	assert_true(get_all(idle, &got));
	assert_int_equal(got.n, 0);
	buf_free(&got);
	close(busy);
	close(idle);
}

static void test_stop_with_nothing_to_do_is_quick(void **state)
{
	struct world *w = *state;
	int64_t began = now_ms();
	http_server_stop(w->server);
	http_server_stop(w->server);
	assert_true(now_ms() - began < 500);
}

static void test_stop_gives_up_on_half_a_request(void **state)
{
	struct world *w = *state;
	int fd = client(w);
	put_str(fd, "GET /he");
	nap(20);
	int64_t began = now_ms();
	http_server_stop(w->server);
	assert_true(now_ms() - began < 2500);
	close(fd);
}

static void test_taken_port(void **state)
{
	struct world *w = *state;
	char error[HTTP_SERVER_ERROR_SIZE] = "";
	struct http_server_config config = w->config;
	config.port = (uint16_t)http_server_port(w->server);
	assert_null(http_server_open(&config, error));
	assert_non_null(strstr(error, "in use already"));
	config.port = 0;
	config.host = "192.0.2.1";
	assert_null(http_server_open(&config, error));
	assert_non_null(strstr(error, "no such address"));
}

static void test_threads_share_a_port(void **state)
{
	static struct world w;
	(void)state;
	world_open(&w, 4);
	for (int i = 0; i < 40; i++) {
		struct buf got = exchange(&w, i % 2 ? GET1 H "\r\n" : "POST /submit HTTP/1.1\r\n" H "\r\n");
		assert_in(&got, i % 2 ? "world" : "done");
		buf_free(&got);
	}
	http_server_stop(w.server);
	engine_end(&w);
	http_server_close(w.server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_pipelining),
	    TEST(test_pipelining_behind_a_long_answer),
	    TEST(test_more_than_is_read_ahead),
	    TEST(test_nothing_after_a_refusal),
	    TEST(test_slow_reader),
	    TEST(test_streams),
	    TEST(test_client_gone_in_flight),
	    TEST(test_half_closed_client_is_answered),
	    TEST(test_full_engine),
	    TEST(test_timeouts),
	    TEST(test_slow_answer_is_waited_for),
	    TEST(test_stop_finishes_what_is_in_flight),
	    TEST(test_stop_with_nothing_to_do_is_quick),
	    TEST(test_stop_gives_up_on_half_a_request),
	    TEST(test_taken_port),
	    cmocka_unit_test(test_threads_share_a_port),
	};
	const struct CMUnitTest limited[] = {TEST(test_no_descriptors)};
	memset(large_file, 'L', sizeof(large_file));
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	/* valgrind plays the limit of descriptors itself, and closes a connection that is accepted beyond it */
	return RUNNING_ON_VALGRIND ? failed : failed + cmocka_run_group_tests(limited, NULL, NULL);
}
