/* server_toy.h: a real server with toy routes, an engine that only hands things back, and a raw client; for the tests of src/http.
 *
 * Included by one program each; everything is static. A test's struct world is the server and all that it stands on.
 * Threads: the client's side is the test's own thread. Errors: cmocka's. */
#ifndef JARI_TESTS_SERVER_TOY_H
#define JARI_TESTS_SERVER_TOY_H

#include "http/conn.h"
#include "http/json.h"
#include "http/metrics.h"
#include "http/server.h"
#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define H "Host: x\r\n"
#define GET1 "GET /hello HTTP/1.1\r\n"

/* ---- an engine that hands back, after a while, on a thread of its own ---- */

struct engine {
	pthread_t id;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct engine_job *jobs;
	struct engine_read *reads;
	bool ending;
	bool full;        /* takes nothing */
	bool holding;     /* hands nothing back */
	int64_t delay_ms; /* before each */
	_Atomic int64_t taken;
};

struct http_metrics {
	_Atomic int64_t counted, unmatched;
	_Atomic int64_t gauges[HTTP_GAUGES];
	_Atomic int64_t shed[HTTP_SHED_CAUSES];
};

static inline void nap(int64_t ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

static inline void *engine_run(void *arg)
{
	struct engine *e = arg;
	pthread_mutex_lock(&e->lock);
	while (!e->ending || e->jobs || e->reads) {
		struct engine_job *job = e->jobs;
		struct engine_read *read = e->reads;
		if ((!job && !read) || (e->holding && !e->ending)) {
			pthread_cond_wait(&e->more, &e->lock);
			continue;
		}
		if (job)
			e->jobs = job->next;
		else
			e->reads = read->next;
		int64_t delay = e->delay_ms;
		pthread_mutex_unlock(&e->lock);
		nap(delay);
		if (job) {
			job->reply.code = CORE_OK;
			job->done(job);
		} else {
			read->result = read->run(read, NULL);
			read->done(read);
		}
		pthread_mutex_lock(&e->lock);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

bool engine_submit(struct engine *e, struct engine_job *job)
{
	pthread_mutex_lock(&e->lock);
	bool full = e->full;
	if (!full) {
		job->next = e->jobs;
		e->jobs = job;
		e->taken++;
		pthread_cond_signal(&e->more);
	}
	pthread_mutex_unlock(&e->lock);
	return !full;
}

bool engine_read(struct engine *e, struct engine_read *read)
{
	pthread_mutex_lock(&e->lock);
	read->next = e->reads;
	e->reads = read;
	pthread_cond_signal(&e->more);
	pthread_mutex_unlock(&e->lock);
	return true;
}

int64_t engine_now(struct engine *e)
{
	(void)e;
	return INT64_C(1800000000000);
}

bool engine_look_auth(struct engine *e, int64_t queue_id, int64_t number, struct core_ticket *out)
{
	(void)e, (void)queue_id, (void)number, (void)out;
	return false;
}

bool engine_expects_ticket(struct engine *e, int64_t queue_id, int64_t number)
{
	(void)e, (void)queue_id, (void)number;
	return false;
}

void http_metrics_count(struct http_metrics *m, int thread, const struct http_route *route, int status, int64_t elapsed_us)
{
	(void)status, (void)thread;
	assert(elapsed_us >= 0);
	m->counted++;
	m->unmatched += route == NULL;
}

void http_metrics_problem(struct http_metrics *m, int thread, enum core_code code)
{
	(void)m, (void)thread, (void)code;
}

void http_metrics_limited(struct http_metrics *m, int thread, enum http_limit limit)
{
	(void)m, (void)thread, (void)limit;
}

void http_metrics_gauge(struct http_metrics *m, int thread, enum http_gauge gauge, int64_t change)
{
	(void)thread;
	m->gauges[gauge] += change;
}

void http_metrics_shed(struct http_metrics *m, int thread, enum http_shed why)
{
	(void)thread;
	m->shed[why]++;
}

/* ---- toy routes ---- */

static inline void hello(struct http_request *req)
{
	http_answer(req, 200, "application/json", TEXT("{\"hello\":\"world\"}"));
}

static inline void slow(struct http_request *req)
{
	nap(1500);
	http_answer(req, 200, "text/plain", TEXT("slow"));
}

static inline void echo(struct http_request *req)
{
	http_answer(req, 200, "text/plain", req->body);
}

static inline void thing(struct http_request *req)
{
	struct buf b = {0};
	struct text q = TEXT("");
	http_param(req, "q", &q);
	http_header(req, "Cache-Control", "max-age=60");
	http_header(req, "ETag", "\"%s\"", "a\r\nb");
	buf_printf(&b, "%lld %.*s %.*s", (long long)req->ids[0], (int)q.n, q.p, (int)req->target.n, req->target.p);
	http_answer(req, 200, "text/plain", buf_view(&b));
	buf_free(&b);
}

static inline void nothing(struct http_request *req)
{
	http_answer(req, 204, "", TEXT(""));
}

static inline void submitted(struct http_request *req)
{
	if (req->state)
		free(req->state);
	http_answer(req, 201, "text/plain", req->body.n ? req->body : TEXT("done"));
}

static inline void submit(struct http_request *req)
{
	req->state = malloc(1); /* a leak when the request does not come back */
	http_submit(req, submitted);
}

static inline void submit_first(struct http_request *req)
{
	req->job.cmd.op = CORE_JOIN;
	http_submit(req, submitted);
}

static inline void charge(struct http_request *req)
{
	req->job.cmd.op = CORE_CHARGE_WALLET;
	http_submit(req, submitted);
}

static inline void overload(struct http_request *req)
{
	http_problem_with(req, CORE_OVERLOADED, TEXT("\"extra\":[1,2]"), "%s", "a \"quoted\" sentence");
}

/* A stream of ten pieces, each asked for when the one before has drained. */
#define PIECES 10
#define PIECE_SIZE 100000
static inline void stream_more(struct http_request *req)
{
	int64_t *sent = req->state;
	static char piece[PIECE_SIZE];
	if ((*sent)++ == PIECES) {
		http_stream_end(req);
		return;
	}
	memset(piece, 'a' + (int)*sent, sizeof(piece));
	http_stream_piece(req, (struct text){piece, sizeof(piece)});
}

static inline void stream(struct http_request *req)
{
	req->state = arena_alloc(req->arena, sizeof(int64_t));
	http_stream_begin(req, 200, "text/plain", stream_more);
}

/* The same, each piece from a read of the store. */
static inline enum store_result look(struct engine_read *read, struct store_reader *reader)
{
	(void)reader;
	assert_non_null(http_request_of_read(read));
	return STORE_OK;
}

static inline void reads_more(struct http_request *req)
{
	http_read(req, look, stream_more);
}

static inline void reads(struct http_request *req)
{
	req->state = arena_alloc(req->arena, sizeof(int64_t));
	http_stream_begin(req, 200, "text/plain", reads_more);
}

/* The same with the next read on its way while a piece is being sent: coming back, it has nothing to add. */
static inline void nothing_more(struct http_request *req)
{
	(void)req;
}

static inline void ahead_more(struct http_request *req)
{
	bool last = *(int64_t *)req->state == PIECES;
	stream_more(req);
	if (!last)
		http_read(req, look, nothing_more);
}

static inline void ahead(struct http_request *req)
{
	req->state = arena_alloc(req->arena, sizeof(int64_t));
	http_stream_begin(req, 200, "text/plain", ahead_more);
}

#define LARGE_SIZE 300000
static char large_file[LARGE_SIZE];
static inline void large(struct http_request *req)
{
	http_answer_static(req, 200, "text/plain", (struct text){large_file, sizeof(large_file)});
}

#define HUGE_SIZE 20000000
static char huge_file[HUGE_SIZE];
static inline void huge(struct http_request *req)
{
	http_answer_static(req, 200, "text/plain", (struct text){huge_file, sizeof(huge_file)});
}

static const struct http_route routes[] = {
    {HTTP_GET, "/hello", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, hello, NULL},
    {HTTP_GET, "/slow", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, slow, NULL},
    {HTTP_GET, "/things/{id}", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, thing, NULL},
    {HTTP_POST, "/echo", HTTP_AUTH_NONE, HTTP_BODY_OPTIONAL, JARI_BODY_MAX, echo, NULL},
    {HTTP_POST, "/big", HTTP_AUTH_NONE, HTTP_BODY_OPTIONAL, JARI_CATALOGUE_BODY_MAX, echo, NULL},
    {HTTP_POST, "/tiny", HTTP_AUTH_NONE, HTTP_BODY_OPTIONAL, 10, echo, NULL},
    {HTTP_DELETE, "/nothing", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, nothing, NULL},
    {HTTP_POST, "/submit", HTTP_AUTH_NONE, HTTP_BODY_OPTIONAL, JARI_BODY_MAX, submit, NULL},
    {HTTP_POST, "/submit-first", HTTP_AUTH_NONE, HTTP_BODY_OPTIONAL, JARI_BODY_MAX, submit_first, NULL},
    {HTTP_POST, "/charge", HTTP_AUTH_NONE, HTTP_BODY_OPTIONAL, JARI_BODY_MAX, charge, NULL},
    {HTTP_GET, "/overload", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, overload, NULL},
    {HTTP_GET, "/stream", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, stream, NULL},
    {HTTP_GET, "/reads", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, reads, NULL},
    {HTTP_GET, "/ahead", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, ahead, NULL},
    {HTTP_GET, "/large", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, large, NULL},
    {HTTP_GET, "/huge", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, huge, NULL},
    {HTTP_POST, "/secret", HTTP_AUTH_TOKEN, HTTP_BODY_REQUIRED, JARI_BODY_MAX, echo, NULL},
};

/* ---- a server ---- */

struct world {
	struct http_app app;
	struct engine engine;
	struct http_metrics metrics;
	struct http_server *server;
	struct http_server_config config;
};

/* `change`, unless NULL, is called with the configuration before the server opens. */
static inline void world_open_as(struct world *w, int threads, void (*change)(struct http_server_config *))
{
	char error[HTTP_SERVER_ERROR_SIZE] = "";
	memset(w, 0, sizeof(*w));
	pthread_mutex_init(&w->engine.lock, NULL);
	pthread_cond_init(&w->engine.more, NULL);
	if (pthread_create(&w->engine.id, NULL, engine_run, &w->engine))
		fail_msg("no thread");
	w->app = (struct http_app){.engine = &w->engine, .metrics = &w->metrics};
	w->config = (struct http_server_config){
	    .app = &w->app,
	    .host = "127.0.0.1",
	    .threads = threads,
	    .routes = routes,
	    .route_count = sizeof(routes) / sizeof(routes[0]),
	    .idle_ms = 600,
	    .request_ms = 600,
	};
	if (change)
		change(&w->config);
	w->server = http_server_open(&w->config, error);
	if (!w->server)
		fail_msg("%s", error);
}

static inline void world_open(struct world *w, int threads)
{
	world_open_as(w, threads, NULL);
}

static inline void engine_end(struct world *w)
{
	pthread_mutex_lock(&w->engine.lock);
	w->engine.ending = true;
	pthread_cond_signal(&w->engine.more);
	pthread_mutex_unlock(&w->engine.lock);
	pthread_join(w->engine.id, NULL);
}

static inline int set_up(void **state)
{
	static struct world w;
	world_open(&w, 1);
	*state = &w;
	return 0;
}

/* Every request that was lent out has come back. */
static inline bool all_slots_back(const struct http_thread *t)
{
	int64_t all = 0;
	for (const struct http_slot *slot = t->all; slot; slot = slot->all_next)
		all++;
	return all == t->free_count;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;
	http_server_stop(w->server);
	bool back = all_slots_back(&w->server->threads[0]);
	engine_end(w);
	http_server_close(w->server);
	assert_true(back);
	return 0;
}

static inline void set_delay(struct world *w, int64_t ms)
{
	pthread_mutex_lock(&w->engine.lock);
	w->engine.delay_ms = ms;
	pthread_mutex_unlock(&w->engine.lock);
}

static inline void set_holding(struct world *w, bool holding)
{
	pthread_mutex_lock(&w->engine.lock);
	w->engine.holding = holding;
	pthread_cond_signal(&w->engine.more);
	pthread_mutex_unlock(&w->engine.lock);
}

/* Whether the server's thread leaves the processor alone for a while. One that turns in circles uses all it gets, on a busy machine too. */
static inline bool is_at_rest(const struct world *w)
{
	struct timespec before, after;
	clockid_t clock;
	assert_int_equal(pthread_getcpuclockid(w->server->threads[0].id, &clock), 0);
	assert_int_equal(clock_gettime(clock, &before), 0);
	nap(400);
	assert_int_equal(clock_gettime(clock, &after), 0);
	return (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 < 80;
}

/* ---- a client ---- */

static inline int64_t now_ms(void)
{
	return clock_elapsed_us() / 1000;
}

static inline int client(const struct world *w)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(w->server))};
	struct timeval limit = {8, 0};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		fail_msg("connect: %s", strerror(errno));
	return fd;
}

static inline bool put(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
		if (k < 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static inline void put_str(int fd, const char *s)
{
	assert_true(put(fd, s, strlen(s)));
}

/* Everything up to the end. False when it ended with an error (a reset, no end in time). */
static inline bool get_all(int fd, struct buf *out)
{
	for (;;) {
		buf_reserve(out, 65536);
		ssize_t k = recv(fd, out->p + out->n, 65535, 0);
		if (k <= 0) {
			out->p[out->n] = '\0';
			return k == 0;
		}
		out->n += (size_t)k;
	}
}

/* Until the bytes so far contain `what`. */
static inline void get_until(int fd, struct buf *out, const char *what)
{
	for (;;) {
		buf_reserve(out, 4096);
		out->p[out->n] = '\0';
		if (strstr(out->p, what))
			return;
		ssize_t k = recv(fd, out->p + out->n, 4095, 0);
		if (k <= 0)
			fail_msg("\"%s\" did not come, but: %s", what, out->p);
		out->n += (size_t)k;
	}
}

struct reply {
	int status;
	struct text head, body;
};

/* Takes one answer off the front; `no_body` for answers to HEAD. */
static inline bool next_reply(struct text *rest, struct reply *r, bool no_body)
{
	const char *end = rest->n ? memmem(rest->p, rest->n, "\r\n\r\n", 4) : NULL;
	if (!end || sscanf(rest->p, "HTTP/1.1 %d ", &r->status) != 1)
		return false;
	r->head = (struct text){rest->p, (size_t)(end + 4 - rest->p)};
	const char *length = memmem(r->head.p, r->head.n, "Content-Length: ", 16);
	size_t n = length && !no_body ? (size_t)strtoll(length + 16, NULL, 10) : 0;
	rest->p += r->head.n;
	rest->n -= r->head.n;
	if (n > rest->n)
		return false;
	r->body = (struct text){rest->p, n};
	rest->p += n;
	rest->n -= n;
	return true;
}

static inline bool has(struct text where, const char *what)
{
	return memmem(where.p, where.n, what, strlen(what)) != NULL;
}

/* A problem document says what the contract promises. */
static inline void check_problem(const char *what, const struct reply *r)
{
	char error[JSON_ERROR_SIZE];
	json_t *doc = json_read(r->body, error);
	if (!doc || !has(r->head, "Content-Type: application/problem+json\r\n"))
		fail_msg("%s: no problem document: %.*s%.*s", what, (int)r->head.n, r->head.p, (int)r->body.n, r->body.p);
	assert_int_equal(json_integer_value(json_object_get(doc, "status")), r->status);
	const char *members[] = {"type", "title", "detail", "code"};
	for (size_t i = 0; i < 4; i++)
		if (!json_string_length(json_object_get(doc, members[i])))
			fail_msg("%s: no %s", what, members[i]);
	assert_int_equal(strncmp(json_string_value(json_object_get(doc, "type")), "urn:jari:error:", 15), 0);
	const char *detail = json_string_value(json_object_get(doc, "detail"));
	if (islower((unsigned char)detail[0]) || detail[strlen(detail) - 1] != '.')
		fail_msg("%s: no whole sentence: %s", what, detail);
	json_decref(doc);
}

/* One request on a connection of its own, to its end. */
static inline struct buf exchange(const struct world *w, const char *in)
{
	struct buf got = {0};
	int fd = client(w);
	put_str(fd, in);
	shutdown(fd, SHUT_WR);
	assert_true(get_all(fd, &got));
	close(fd);
	return got;
}

static inline void assert_in(const struct buf *got, const char *what)
{
	if (!strstr(got->p, what))
		fail_msg("\"%s\" is not in: %s", what, got->p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
