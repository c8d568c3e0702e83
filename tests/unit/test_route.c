/* Routes: which one is found, and the checks before a handler, with the answers noted down in place of being sent. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/conn.h"
#include "http/route.h"
#include "http/throttle.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- what the router calls ---- */

static struct {
	int status;
	enum core_code code;
	char headers[256];
	bool known, comes; /* the ticket that engine_look_auth finds; that it does from when it was asked whether it is to come */
	bool expected, full; /* another process may have issued it; too many wait already */
	int waits;
	bool counts, address_full, user_full; /* rate limits */
	int address_asked, user_asked;
	struct core_ticket ticket;
} world;

void http_header(struct http_request *req, const char *name, const char *format, ...)
{
	char value[128];
	va_list args;
	(void)req;
	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	snprintf(world.headers, sizeof(world.headers), "%s: %s", name, value);
}

void http_answer(struct http_request *req, int status, const char *content_type, struct text body)
{
	(void)req, (void)content_type, (void)body;
	world.status = status;
}

void http_problem(struct http_request *req, enum core_code code, const char *detail, ...)
{
	size_t n = strlen(detail);
	(void)req;
	if (strcmp(detail, "%s") != 0 && (islower((unsigned char)detail[0]) || detail[n - 1] != '.'))
		fail_msg("no whole sentence: %s", detail);
	world.code = code;
	world.status = core_code_status(code);
}

bool engine_look_auth(struct engine *e, int64_t queue_id, int64_t number, struct core_ticket *out)
{
	(void)e;
	if (!world.known || world.ticket.queue_id != queue_id || world.ticket.number != number)
		return false;
	*out = world.ticket;
	return true;
}

bool engine_expects_ticket(struct engine *e, int64_t queue_id, int64_t number)
{
	(void)e;
	world.known |= world.comes;
	return world.expected && world.ticket.queue_id == queue_id && world.ticket.number == number;
}

bool http_thread_wait(struct http_request *req)
{
	(void)req;
	world.waits += !world.full;
	return !world.full;
}

bool http_throttle_counts_addresses(const struct http_throttle *t)
{
	(void)t;
	return world.counts;
}

bool http_throttle_address(struct http_request *req)
{
	world.address_asked++;
	if (world.address_full)
		http_problem(req, CORE_RATE_LIMITED, "Too many.");
	return !world.address_full;
}

bool http_throttle_user(struct http_request *req)
{
	world.user_asked++;
	assert_int_equal(req->ticket.user_id, world.ticket.user_id);
	if (world.user_full)
		http_problem(req, CORE_RATE_LIMITED, "Too many.");
	return !world.user_full;
}

/* ---- matching ---- */

static void handle(struct http_request *req)
{
	(void)req;
}

static const struct http_route table[] = {
    {HTTP_GET, "/", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, handle, NULL},
    {HTTP_GET, "/api/{userId}", HTTP_AUTH_TOKEN, HTTP_BODY_NONE, 0, handle, NULL},
    {HTTP_GET, "/api/check", HTTP_AUTH_ANY_TICKET, HTTP_BODY_NONE, 0, handle, NULL},
    {HTTP_POST, "/api/{userId}/charge", HTTP_AUTH_TOKEN, HTTP_BODY_REQUIRED, 0, handle, NULL},
    {HTTP_PATCH, "/api/{id}/charge", HTTP_AUTH_TOKEN, HTTP_BODY_REQUIRED, 0, handle, NULL},
    {HTTP_GET, "/api/concerts/{concertId}", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, handle, NULL},
    {HTTP_GET, "/api/{a}/{b}", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, handle, NULL},
    {HTTP_DELETE, "/api/admin/queues", HTTP_AUTH_ADMIN, HTTP_BODY_OPTIONAL, 0, handle, NULL},
    {HTTP_GET, "/api/{userId}/42", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, handle, NULL},
    {HTTP_GET, "/api/42/{userId}", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, handle, NULL},
    {HTTP_GET, "/assets/{file}", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, handle, NULL},
};
#define ROUTES (sizeof(table) / sizeof(table[0]))

static struct http_router *router(void)
{
	char error[HTTP_ROUTER_ERROR_SIZE] = "";
	struct http_router *r = http_router_new(table, ROUTES, error);
	if (!r)
		fail_msg("%s", error);
	return r;
}

static void test_matching(void **state)
{
	static const struct {
		enum http_method method;
		const char *path;
		int route; /* index in the table; -1: none of that method; -2: no such path */
		int64_t id;
	} cases[] = {
	    {HTTP_GET, "/", 0, 0},
	    {HTTP_HEAD, "/", 0, 0},
	    {HTTP_POST, "/", -1, 0},
	    {HTTP_OTHER, "/", -1, 0},
	    {HTTP_GET, "/api/7", 1, 7},
	    {HTTP_GET, "/api/9223372036854775807", 1, INT64_MAX},
	    {HTTP_GET, "/api/9223372036854775808", -2, 0},
	    {HTTP_GET, "/api/0", -2, 0},
	    {HTTP_GET, "/api/-1", -2, 0},
	    {HTTP_GET, "/api/07", -2, 0},
	    {HTTP_GET, "/api/+7", -2, 0},
	    {HTTP_GET, "/api/7x", -2, 0},
	    {HTTP_GET, "/api/7.0", -2, 0},
	    {HTTP_GET, "/api/", -2, 0},
	    {HTTP_GET, "/api", -2, 0},
	    {HTTP_GET, "/api/7/", -2, 0},
	    {HTTP_GET, "//api/7", -2, 0},
	    {HTTP_GET, "/API/7", -2, 0},
	    {HTTP_GET, "/api/check", 2, 0},
	    {HTTP_POST, "/api/check", -1, 0},
	    {HTTP_POST, "/api/7/charge", 3, 7},
	    {HTTP_PATCH, "/api/7/charge", 4, 7},
	    {HTTP_HEAD, "/api/7/charge", -1, 0},
	    {HTTP_GET, "/api/concerts/3", 5, 3},
	    {HTTP_GET, "/api/concerts/x", -2, 0},
	    {HTTP_GET, "/api/4/3", 6, 4},
	    {HTTP_GET, "/api/4/42", 8, 4},
	    {HTTP_GET, "/api/42/4", 9, 4},
	    {HTTP_GET, "/api/42/42", 9, 42},
	    {HTTP_GET, "/a/b/c/d/e/f/g/h", -2, 0},
	    {HTTP_GET, "/a/b/c/d/e/f/g/h/i/j", -2, 0},
	    {HTTP_GET, "/assets/a-1.js", 10, 0},
	    {HTTP_GET, "/assets/7", 10, 0},
	    {HTTP_GET, "/assets/", 10, 0},
	    {HTTP_GET, "/assets", -2, 0},
	    {HTTP_GET, "/assets/a/b", -2, 0},
	    {HTTP_OPTIONS, "*", -2, 0},
	};
	struct http_router *r = router();
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_match m = http_router_match(r, cases[i].method, text_of(cases[i].path));
		int got = !m.allow ? -2 : !m.route ? -1 : (int)(m.route - table);
		if (got != cases[i].route)
			fail_msg("%s: wanted %d, got %d", cases[i].path, cases[i].route, got);
		if (cases[i].id)
			assert_true(m.ids[0] == cases[i].id);
	}
	http_router_free(r);
}

static void test_allow(void **state)
{
	struct http_router *r = router();
	(void)state;
	assert_string_equal(http_router_match(r, HTTP_PUT, TEXT("/api/check")).allow, "GET, HEAD, OPTIONS");
	assert_string_equal(http_router_match(r, HTTP_PUT, TEXT("/api/7/charge")).allow, "POST, PATCH, OPTIONS");
	assert_string_equal(http_router_match(r, HTTP_PUT, TEXT("/api/admin/queues")).allow, "DELETE, OPTIONS");
	assert_string_equal(http_router_methods(r), "GET, HEAD, POST, PATCH, DELETE, OPTIONS");
	http_router_free(r);
}

static void test_wrong_tables(void **state)
{
	static const struct http_route wrong[][2] = {
	    {{HTTP_GET, "a", 0, 0, 0, handle, NULL}, {HTTP_GET, "/b", 0, 0, 0, handle, NULL}},
	    {{HTTP_GET, "/a", 0, 0, 0, handle, NULL}, {HTTP_GET, "/a", 0, 0, 0, handle, NULL}},
	    {{HTTP_GET, "/{a}", 0, 0, 0, handle, NULL}, {HTTP_GET, "/{b}", 0, 0, 0, handle, NULL}},
	    {{HTTP_GET, "/{a}/{b}/{c}", 0, 0, 0, handle, NULL}, {HTTP_GET, "/b", 0, 0, 0, handle, NULL}},
	    {{HTTP_GET, "/1/2/3/4/5/6/7/8/9", 0, 0, 0, handle, NULL}, {HTTP_GET, "/b", 0, 0, 0, handle, NULL}},
	    {{HTTP_OTHER, "/a", 0, 0, 0, handle, NULL}, {HTTP_GET, "/b", 0, 0, 0, handle, NULL}},
	    {{HTTP_GET, "/a", 0, 0, 0, NULL, NULL}, {HTTP_GET, "/b", 0, 0, 0, handle, NULL}},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char error[HTTP_ROUTER_ERROR_SIZE] = "";
		assert_null(http_router_new(wrong[i], 2, error));
		assert_true(strlen(error) > 10);
	}
}

/* ---- the checks ---- */

#define NOW INT64_C(1800000000000)
#define ADMIN_KEY "an-admin-key"

struct fixture {
	struct http_router *router;
	struct http_app app;
	struct seal *seal;
	struct arena arena;
	char token[SEAL_TOKEN_CHARS + 1];
};

static int set_up(void **state)
{
	static struct fixture f;
	uint8_t key[SEAL_KEY_BYTES] = {1, 2, 3};
	f = (struct fixture){.router = router(), .app.admin_key = ADMIN_KEY, .seal = seal_new(key)};
	memset(&world, 0, sizeof(world));
	world.known = true;
	world.ticket =
	    (struct core_ticket){.queue_id = 1, .number = 5, .user_id = 7, .status = CORE_WAITING, .issued_at = NOW - 1000};
	struct seal_ticket sealed = {1, 5, 7, NOW - 1000};
	seal_token(f.seal, &sealed, f.token);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	http_router_free(f->router);
	seal_free(f->seal);
	arena_free(&f->arena);
	return 0;
}

/* The status that the request is refused with, 0 when it is admitted. */
static int admit(struct fixture *f, enum http_method method, const char *path, const char *authorization)
{
	struct http_request req = {.method = method, .arena = &f->arena, .app = &f->app, .seal = f->seal, .now = NOW};
	if (authorization) {
		req.has_authorization = true;
		req.authorization = text_of(authorization);
	}
	struct http_match m = http_router_match(f->router, method, text_of(path));
	world.status = 0;
	world.code = CORE_OK;
	world.headers[0] = '\0';
	bool admitted = http_route_admit(&req, &m);
	assert_int_equal(admitted, world.status == 0);
	if (admitted && m.route->auth != HTTP_AUTH_NONE && m.route->auth != HTTP_AUTH_ADMIN)
		assert_int_equal(req.ticket.user_id, 7);
	return world.status;
}

static void test_order_of_checks(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(admit(f, HTTP_GET, "/nothing", NULL), 404);
	assert_int_equal(admit(f, HTTP_PUT, "/api/7", NULL), 405);
	assert_string_equal(world.headers, "Allow: GET, HEAD, OPTIONS");
	assert_int_equal(admit(f, HTTP_OPTIONS, "/api/7", NULL), 204);
	assert_string_equal(world.headers, "Allow: GET, HEAD, OPTIONS");
	assert_int_equal(admit(f, HTTP_GET, "/api/7", NULL), 401);
	assert_int_equal(world.code, CORE_TOKEN_REQUIRED);
	assert_int_equal(admit(f, HTTP_GET, "/api/concerts/1", NULL), 0);
}

/* The limit of the address stands before all, but for who has proved who it is where that counts; the user's behind the token. */
static void test_rate_limits(void **state)
{
	struct fixture *f = *state;
	world.counts = world.address_full = true;
	assert_int_equal(admit(f, HTTP_GET, "/nothing", NULL), 429);
	assert_int_equal(admit(f, HTTP_PUT, "/api/7", NULL), 429);
	assert_int_equal(admit(f, HTTP_OPTIONS, "/api/7", NULL), 429);
	assert_int_equal(admit(f, HTTP_GET, "/api/7", NULL), 429);
	assert_int_equal(admit(f, HTTP_GET, "/api/7", f->token), 429);
	assert_int_equal(admit(f, HTTP_GET, "/api/concerts/1", f->token), 429);
	assert_int_equal(admit(f, HTTP_GET, "/api/check", NULL), 429);
	assert_int_equal(admit(f, HTTP_GET, "/api/check", "Bearer x"), 429);
	assert_int_equal(admit(f, HTTP_PUT, "/api/check", f->token), 429);
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", NULL), 429);
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", "Bearer " ADMIN_KEY "x"), 429);
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", f->token), 429);
	assert_int_equal(world.user_asked, 0);
	assert_int_equal(world.address_asked, 12);
	assert_int_equal(admit(f, HTTP_GET, "/api/check", f->token), 0);
	assert_int_equal(world.user_asked, 1);
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", "Bearer " ADMIN_KEY), 0);
	assert_int_equal(world.address_asked, 12);
	assert_int_equal(world.user_asked, 1);
	world.address_full = false;
	world.user_full = true;
	assert_int_equal(admit(f, HTTP_GET, "/nothing", f->token), 404);
	assert_int_equal(admit(f, HTTP_PUT, "/api/7", f->token), 405);
	assert_int_equal(admit(f, HTTP_GET, "/api/7", "Bearer x"), 401);
	assert_int_equal(admit(f, HTTP_GET, "/api/concerts/1", f->token), 0);
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", "Bearer " ADMIN_KEY), 0);
	assert_int_equal(world.user_asked, 1);
	assert_int_equal(admit(f, HTTP_GET, "/api/7", f->token), 429);
	assert_int_equal(admit(f, HTTP_GET, "/api/check", f->token), 429);
}

static void test_tokens(void **state)
{
	struct fixture *f = *state;
	char value[96], upper[SEAL_TOKEN_CHARS + 1];
	struct {
		const char *before, *token;
		int code;
	} cases[] = {
	    {"Bearer ", f->token, CORE_OK},
	    {"bearer ", f->token, CORE_OK},
	    {"BEARER   ", f->token, CORE_OK},
	    {"", f->token, CORE_OK},
	    {"", "", CORE_TOKEN_REQUIRED},
	    {"Bearer", "", CORE_TOKEN_REQUIRED},
	    {"Basic ", f->token, CORE_TOKEN_INVALID},
	    {"Bearer", f->token, CORE_TOKEN_INVALID},
	    {"Bearer ", "x", CORE_TOKEN_INVALID},
	    {"Bearer ", "123e4567-e89b-42d3-a456-426614174000", CORE_TOKEN_INVALID},
	    {"Bearer x", f->token, CORE_TOKEN_INVALID},
	    {"Bearer ", ADMIN_KEY, CORE_TOKEN_INVALID},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(value, sizeof(value), "%s%s", cases[i].before, cases[i].token);
		admit(f, HTTP_GET, "/api/7", value);
		if ((int)world.code != cases[i].code)
			fail_msg("\"%s\": got %s", value, core_code_name(world.code));
	}
	for (size_t i = 0; i <= SEAL_TOKEN_CHARS; i++)
		upper[i] = f->token[i] >= 'a' && f->token[i] <= 'f' ? (char)(f->token[i] - 32) : f->token[i];
	assert_int_equal(admit(f, HTTP_GET, "/api/7", upper), 0);
	/* A token with one digit changed is nobody's. */
	for (size_t i = 0; i < SEAL_TOKEN_CHARS; i++) {
		char other[SEAL_TOKEN_CHARS + 1];
		memcpy(other, f->token, sizeof(other));
		other[i] = other[i] == '0' ? '1' : '0';
		assert_int_equal(admit(f, HTTP_GET, "/api/7", other), 401);
	}
}

/* A ticket that another process may have issued a moment ago is waited for, for a while. */
static void test_tickets_to_come(void **state)
{
	struct fixture *f = *state;
	struct http_request req = {.arena = &f->arena,
	                           .app = &f->app,
	                           .seal = f->seal,
	                           .now = NOW,
	                           .authorization = text_of(f->token),
	                           .has_authorization = true};
	struct http_match m = http_router_match(f->router, HTTP_GET, TEXT("/api/7"));
	world.known = false;
	world.expected = true;
	for (int i = 1; i <= 3; i++) {
		assert_false(http_route_admit(&req, &m));
		assert_int_equal(world.status, 0); /* not answered */
		assert_int_equal(world.waits, i);
	}
	assert_true(req.patience_us > clock_elapsed_us());
	world.full = true;
	assert_false(http_route_admit(&req, &m));
	assert_int_equal(world.code, CORE_TOKEN_INVALID);
	world.full = false;
	req.patience_us = clock_elapsed_us() - 1;
	world.status = 0;
	assert_false(http_route_admit(&req, &m));
	assert_int_equal(world.status, 401);
	assert_int_equal(world.waits, 3);
	world.known = true;
	assert_true(http_route_admit(&req, &m));
	assert_int_equal(req.ticket.user_id, 7);
}

/* Word of it comes between the look for it and the question whether it is to come. */
static void test_tickets_that_come_meanwhile(void **state)
{
	struct fixture *f = *state;
	world.known = world.expected = false;
	world.comes = true;
	assert_int_equal(admit(f, HTTP_GET, "/api/7", f->token), 0);
	assert_int_equal(world.waits, 0);
}

static void test_ended_tickets(void **state)
{
	struct fixture *f = *state;
	world.ticket.status = CORE_EXPIRED;
	world.ticket.reason = CORE_LEFT;
	assert_int_equal(admit(f, HTTP_GET, "/api/7", f->token), 0);
	world.ticket.issued_at = NOW - JARI_TOKEN_LIFE_MS - 1000;
	struct seal_ticket sealed = {1, 5, 7, world.ticket.issued_at};
	seal_token(f->seal, &sealed, f->token);
	assert_int_equal(admit(f, HTTP_GET, "/api/7", f->token), 401);
	assert_int_equal(world.code, CORE_TOKEN_INVALID);
	assert_int_equal(admit(f, HTTP_GET, "/api/check", f->token), 0);
	world.known = false;
	assert_int_equal(admit(f, HTTP_GET, "/api/check", f->token), 401);
}

static void test_admin(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", NULL), 401);
	assert_int_equal(world.code, CORE_TOKEN_REQUIRED);
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", "Bearer " ADMIN_KEY), 0);
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", "Bearer " ADMIN_KEY "x"), 401);
	assert_int_equal(world.code, CORE_TOKEN_INVALID);
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", "Bearer an-admin-ke"), 401);
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", f->token), 401);
	f->app.admin_key = "";
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", "Bearer " ADMIN_KEY), 401);
	f->app.admin_key = NULL;
	assert_int_equal(admit(f, HTTP_DELETE, "/api/admin/queues", "Bearer " ADMIN_KEY), 401);
}

/* ---- what came in ---- */

static int inputs(struct fixture *f, const struct http_route *route, const char *query, const char *type, const char *body,
                  int keys, struct text key)
{
	struct http_request req = {
	    .arena = &f->arena, .app = &f->app, .route = route, .body = text_of(body), .idempotency_key = key};
	req.has_content_type = type != NULL;
	if (type)
		req.content_type = text_of(type);
	world.status = 0;
	bool good = http_route_inputs(&req, text_of(query), keys);
	assert_int_equal(good, world.status == 0);
	return world.status;
}

static void test_inputs(void **state)
{
	struct fixture *f = *state;
	const struct http_route *post = &table[3], *get = &table[0];
	static const struct text none = {NULL, 0};
	char key[JARI_KEY_BYTES_MAX + 2];
	memset(key, 'k', sizeof(key));
	assert_int_equal(inputs(f, post, "", NULL, "", 0, none), 0);
	assert_int_equal(inputs(f, post, "", NULL, "{}", 0, none), 415);
	assert_int_equal(inputs(f, post, "", "", "{}", 0, none), 415);
	assert_int_equal(inputs(f, post, "", "text/plain", "{}", 0, none), 415);
	assert_int_equal(inputs(f, post, "", "application/jsonx", "{}", 0, none), 415);
	assert_int_equal(inputs(f, post, "", "application/json", "{}", 0, none), 0);
	assert_int_equal(inputs(f, post, "", "Application/JSON ; charset=utf-8", "{}", 0, none), 0);
	assert_int_equal(inputs(f, get, "", NULL, "{}", 0, none), 0);
	assert_int_equal(inputs(f, get, "a=1&a=1", NULL, "", 0, none), 400);
	assert_int_equal(inputs(f, get, "a=%", NULL, "", 0, none), 400);
	assert_int_equal(inputs(f, post, "", NULL, "", 1, TEXT("k")), 0);
	assert_int_equal(inputs(f, post, "", NULL, "", 1, TEXT("")), 400);
	assert_int_equal(inputs(f, post, "", NULL, "", 1, TEXT("a b")), 400);
	assert_int_equal(inputs(f, post, "", NULL, "", 1, TEXT("a\xc3\xa9")), 400);
	assert_int_equal(inputs(f, post, "", NULL, "", 2, TEXT("k")), 400);
	assert_int_equal(inputs(f, post, "", NULL, "", 1, (struct text){key, JARI_KEY_BYTES_MAX}), 0);
	assert_int_equal(inputs(f, post, "", NULL, "", 1, (struct text){key, JARI_KEY_BYTES_MAX + 1}), 400);
}

static void test_pages(void **state)
{
	static const struct {
		const char *limit, *before;
		bool good;
	} cases[] = {
	    {NULL, NULL, true}, {"1", NULL, true},   {"100", NULL, true}, {"101", NULL, false},
	    {"0", NULL, false}, {"-1", NULL, false}, {"", NULL, false},   {"x", NULL, false},
	    {NULL, "1", true},  {NULL, "0", false},  {NULL, "x", false},  {NULL, "9223372036854775808", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_request req = {0};
		int64_t limit, before;
		if (cases[i].limit)
			req.params[req.param_count++] = (struct http_param){TEXT("limit"), text_of(cases[i].limit)};
		if (cases[i].before)
			req.params[req.param_count++] = (struct http_param){TEXT("before"), text_of(cases[i].before)};
		assert_int_equal(http_page(&req, &limit, &before), cases[i].good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_matching),
	    cmocka_unit_test(test_allow),
	    cmocka_unit_test(test_wrong_tables),
	    cmocka_unit_test_setup_teardown(test_order_of_checks, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_rate_limits, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_tokens, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_tickets_to_come, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_tickets_that_come_meanwhile, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_ended_tickets, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_admin, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_inputs, set_up, tear_down),
	    cmocka_unit_test(test_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
