#include "http/route.h"
#include "http/conn.h"
#include "http/openapi.h"
#include "http/parse.h"
#include "http/sign_in.h"
#include "http/throttle.h"
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the compiled table ---- */

struct segment {
	struct text text;
	bool parameter, file;
};

struct path {
	struct segment segments[HTTP_PATH_SEGMENTS_MAX];
	size_t count;
	const struct http_route *routes[HTTP_OTHER]; /* by method */
	char allow[64];
};

struct http_router {
	struct path *paths; /* literal segments before parameters, so the first match is the right one */
	size_t count;
	char methods[64];
};

static const char *const method_names[HTTP_OTHER] = {
    [HTTP_GET] = "GET",       [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST",       [HTTP_PATCH] = "PATCH",
    [HTTP_DELETE] = "DELETE", [HTTP_PUT] = "PUT",   [HTTP_OPTIONS] = "OPTIONS",
};

/* Cuts "/a/b" into "a" and "b"; "/" is one empty segment. Too many: HTTP_PATH_SEGMENTS_MAX + 1. */
static size_t cut(struct text path, struct text out[HTTP_PATH_SEGMENTS_MAX])
{
	size_t n = 0;
	const char *p = path.p + 1, *end = path.p + path.n;
	for (;;) {
		if (n == HTTP_PATH_SEGMENTS_MAX)
			return n + 1;
		const char *slash = p < end ? memchr(p, '/', (size_t)(end - p)) : NULL;
		out[n++] = (struct text){p, (size_t)((slash ? slash : end) - p)};
		if (!slash)
			return n;
		p = slash + 1;
	}
}

static bool compile_path(struct path *out, const char *path, const char **error)
{
	struct text pieces[HTTP_PATH_SEGMENTS_MAX];
	size_t parameters = 0;
	if (path[0] != '/') {
		*error = "a path must begin with a slash";
		return false;
	}
	out->count = cut(text_of(path), pieces);
	if (out->count > HTTP_PATH_SEGMENTS_MAX) {
		*error = "the path has too many segments";
		return false;
	}
	for (size_t i = 0; i < out->count; i++) {
		struct text t = pieces[i];
		bool parameter = t.n > 2 && t.p[0] == '{' && t.p[t.n - 1] == '}', file = text_equal(t, TEXT("{file}"));
		out->segments[i] = (struct segment){t, parameter, file};
		parameters += parameter && !file;
	}
	if (parameters > HTTP_PATH_IDS_MAX) {
		*error = "the path has too many parameters";
		return false;
	}
	return true;
}

/* Literals first; equal when the two match the same paths. */
static int compare_paths(const void *a, const void *b)
{
	const struct path *x = a, *y = b;
	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	for (size_t i = 0; i < x->count; i++)
		if (x->segments[i].parameter != y->segments[i].parameter)
			return x->segments[i].parameter ? 1 : -1;
	for (size_t i = 0; i < x->count; i++) {
		struct text s = x->segments[i].text, t = y->segments[i].text;
		if (x->segments[i].parameter)
			continue;
		int order = memcmp(s.p, t.p, s.n < t.n ? s.n : t.n);
		if (order || s.n != t.n)
			return order ? order : s.n < t.n ? -1 : 1;
	}
	return 0;
}

/* "GET, HEAD, OPTIONS" */
static void write_allow(const bool has[HTTP_OTHER], char *out, size_t size)
{
	size_t n = 0;
	out[0] = '\0';
	for (int m = 0; m < HTTP_OTHER; m++) {
		if (has[m] || m == HTTP_OPTIONS || (m == HTTP_HEAD && has[HTTP_GET])) {
			int k = snprintf(out + n, size - n, "%s%s", n ? ", " : "", method_names[m]);
			n += k > 0 ? (size_t)k : 0;
		}
	}
}

static bool add_route(struct http_router *r, const struct http_route *route, const char **error)
{
	struct path path = {0};
	if (route->method >= HTTP_OTHER || !route->handle) {
		*error = "the route has no method or no handler";
		return false;
	}
	if (!compile_path(&path, route->path, error))
		return false;
	size_t at = 0;
	while (at < r->count && compare_paths(&r->paths[at], &path))
		at++;
	struct path *p = &r->paths[at];
	if (at == r->count) {
		*p = path;
		r->count++;
	}
	if (p->routes[route->method]) {
		*error = "another route has the same method and path";
		return false;
	}
	p->routes[route->method] = route;
	return true;
}

struct http_router *http_router_new(const struct http_route *routes, size_t count, char error[HTTP_ROUTER_ERROR_SIZE])
{
	struct http_router *r = mem_zero(sizeof(*r));
	bool any[HTTP_OTHER] = {false};
	r->paths = mem_zero(count * sizeof(*r->paths));
	for (size_t i = 0; i < count; i++) {
		const char *why = "";
		if (!add_route(r, &routes[i], &why)) {
			snprintf(error, HTTP_ROUTER_ERROR_SIZE, "route %zu (%s): %s", i, routes[i].path, why);
			http_router_free(r);
			return NULL;
		}
	}
	qsort(r->paths, r->count, sizeof(*r->paths), compare_paths);
	for (size_t i = 0; i < r->count; i++) {
		bool has[HTTP_OTHER];
		for (int m = 0; m < HTTP_OTHER; m++) {
			has[m] = r->paths[i].routes[m] != NULL;
			any[m] |= has[m];
		}
		write_allow(has, r->paths[i].allow, sizeof(r->paths[i].allow));
	}
	write_allow(any, r->methods, sizeof(r->methods));
	return r;
}

void http_router_free(struct http_router *r)
{
	if (!r)
		return;
	free(r->paths);
	free(r);
}

const char *http_router_methods(const struct http_router *r)
{
	return r->methods;
}

/* ---- matching ---- */

static bool path_matches(const struct path *p, const struct text *pieces, int64_t ids[HTTP_PATH_IDS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < p->count; i++) {
		if (p->segments[i].file) {
			continue;
		} else if (p->segments[i].parameter) {
			if (!text_to_int(pieces[i], 1, INT64_MAX, &ids[n++]))
				return false;
		} else if (!text_equal(p->segments[i].text, pieces[i])) {
			return false;
		}
	}
	return true;
}

struct http_match http_router_match(const struct http_router *r, enum http_method method, struct text path)
{
	struct http_match m = {0};
	struct text pieces[HTTP_PATH_SEGMENTS_MAX];
	if (!path.n || path.p[0] != '/')
		return m;
	size_t count = cut(path, pieces);
	for (size_t i = 0; i < r->count; i++) {
		const struct path *p = &r->paths[i];
		if (p->count != count || !path_matches(p, pieces, m.ids))
			continue;
		m.allow = p->allow;
		if (method < HTTP_OTHER)
			m.route = p->routes[method];
		if (!m.route && method == HTTP_HEAD)
			m.route = p->routes[HTTP_GET];
		break;
	}
	return m;
}

/* ---- the token ---- */

/* The credentials behind an optional "Bearer". */
static struct text credentials(struct text t)
{
	static const struct text scheme = {"Bearer", 6};
	if (t.n < scheme.n || !text_equal_nocase((struct text){t.p, scheme.n}, scheme))
		return t;
	if (t.n > scheme.n && t.p[scheme.n] != ' ')
		return t;
	t.p += scheme.n;
	t.n -= scheme.n;
	while (t.n && t.p[0] == ' ')
		t.p++, t.n--;
	return t;
}

static bool admin_key_is(const char *key, struct text given)
{
	uint8_t a[SHA256_DIGEST_LENGTH], b[SHA256_DIGEST_LENGTH];
	if (!key || !key[0])
		return false;
	/* Digests are of one length, so how long the comparison takes says nothing of the key. */
	if (!SHA256((const uint8_t *)key, strlen(key), a) || !SHA256((const uint8_t *)given.p, given.n, b))
		return false;
	return CRYPTO_memcmp(a, b, sizeof(a)) == 0;
}

/* I9: the ticket that the token is of, when it is one of ours. */
static bool ticket_of(struct http_request *req, struct text token)
{
	int64_t queue_id, number;
	struct core_ticket *t = &req->ticket;
	if (!seal_claims(req->seal, token, &queue_id, &number) || !engine_look_auth(req->app->engine, queue_id, number, t))
		return false;
	struct seal_ticket sealed = {t->queue_id, t->number, t->user_id, t->issued_at};
	return seal_opens(req->seal, token, &sealed);
}

/* Another process may have issued the ticket a moment ago: then it shows here within a second. */
static bool expects_ticket(const struct http_request *req, struct text token)
{
	int64_t queue_id, number;
	return seal_claims(req->seal, token, &queue_id, &number) && engine_expects_ticket(req->app->engine, queue_id, number);
}

bool http_await_ticket(struct http_request *req)
{
	int64_t now_us = clock_elapsed_us();
	if (req->patience_us == 0)
		req->patience_us = now_us + HTTP_TICKET_MS * INT64_C(1000);
	return now_us < req->patience_us && http_thread_wait(req);
}

static const char *what_to_send(enum http_auth auth)
{
	if (auth == HTTP_AUTH_ADMIN)
		return "Send the organiser's key in the header \"Authorization: Bearer <key>\".";
	if (auth == HTTP_AUTH_SIGN_IN)
		return "Send the token of the organiser's sign-in in the header \"Authorization: Bearer <token>\".";
	return "Send the token of POST /api/getToken in the header \"Authorization: Bearer <token>\".";
}

static bool signed_in(struct http_request *req, struct text given)
{
	enum jwt_verdict verdict = sign_in_check(req->app->sign_in, given, req->now, req->arena, &req->subject);
	if (verdict == JWT_GOOD)
		return true;
	http_problem(req, CORE_TOKEN_INVALID, "%s", jwt_sentence(verdict));
	return false;
}

/* Whether a request proves who sends it so well that its address does not count: throttle.h. The ticket is then known. */
static bool is_proven(struct http_request *req)
{
	const struct http_route *route = req->route;
	if (!route)
		return false;
	if (route->auth == HTTP_AUTH_ADMIN || (route->doc && route->doc->rate == HTTP_RATE_KEY))
		return admin_key_is(req->app->admin_key, credentials(req->authorization));
	return route->auth == HTTP_AUTH_ANY_TICKET && ticket_of(req, credentials(req->authorization));
}

/* `proven`: is_proven has said so. */
static bool authenticate(struct http_request *req, bool proven)
{
	enum http_auth auth = req->route->auth;
	if (auth == HTTP_AUTH_NONE || proven || (auth == HTTP_AUTH_SIGN_IN && !req->app->sign_in))
		return true;
	struct text given = credentials(req->authorization);
	if (!given.n) {
		http_problem(req, CORE_TOKEN_REQUIRED, "%s", what_to_send(auth));
		return false;
	}
	if (auth == HTTP_AUTH_SIGN_IN)
		return signed_in(req, given);
	if (auth == HTTP_AUTH_ADMIN) {
		if (admin_key_is(req->app->admin_key, given))
			return true;
		http_problem(req, CORE_TOKEN_INVALID, "This is not the organiser's key.");
		return false;
	}
	if (!ticket_of(req, given)) {
		bool expected = expects_ticket(req, given);
		if (expected && req->early)
			return true; /* it may send its body */
		if (expected && http_await_ticket(req))
			return false;
		/* word of it may have come between the two looks */
		if (expected || !ticket_of(req, given)) {
			http_problem(req, CORE_TOKEN_INVALID, "No ticket has this token. Take a place with POST /api/getToken.");
			return false;
		}
	}
	if (auth == HTTP_AUTH_TOKEN && !core_token_opens(&req->ticket, req->now)) {
		http_problem(req, CORE_TOKEN_INVALID, "The token is too old. Take a new place with POST /api/getToken.");
		return false;
	}
	return true;
}

bool http_route_admit(struct http_request *req, const struct http_match *match)
{
	req->route = match->route;
	memcpy(req->ids, match->ids, sizeof(req->ids));
	bool proven = http_throttle_counts_addresses(req->app->throttle) && is_proven(req);
	if (!proven && !http_throttle_address(req))
		return false;
	if (!match->allow) {
		http_problem(req, CORE_NOT_FOUND, "There is nothing at this path. GET /openapi.json lists what there is.");
		return false;
	}
	if (!match->route) {
		http_header(req, "Allow", "%s", match->allow);
		if (req->method == HTTP_OPTIONS)
			http_answer(req, 204, "", (struct text){NULL, 0});
		else
			http_problem(req, CORE_METHOD_NOT_ALLOWED, "This path has the methods %s.", match->allow);
		return false;
	}
	if (!authenticate(req, proven))
		return false;
	bool of_user = req->subject.n || req->ticket.number > 0; /* not while its ticket is expected */
	return !of_user || http_throttle_user(req);
}

/* ---- the body ---- */

static bool is_json(struct text type)
{
	const char *semicolon = type.n ? memchr(type.p, ';', type.n) : NULL;
	if (semicolon)
		type.n = (size_t)(semicolon - type.p);
	while (type.n && (type.p[type.n - 1] == ' ' || type.p[type.n - 1] == '\t'))
		type.n--;
	return text_equal_nocase(type, TEXT("application/json"));
}

static bool key_is_good(struct text key)
{
	if (!key.n || key.n > JARI_KEY_BYTES_MAX)
		return false;
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] < '!' || key.p[i] > '~')
			return false;
	return true;
}
_Static_assert(JARI_KEY_BYTES_MAX == 255, "a sentence below names the limit");

bool http_route_inputs(struct http_request *req, struct text query, int idempotency_keys)
{
	const char *detail = NULL;
	bool any_query = req->route->doc && req->route->doc->any_query;
	if (!any_query && !http_query_parse(query, req->arena, req->params, &req->param_count, &detail)) {
		http_problem(req, CORE_INVALID_REQUEST, "%s", detail);
		return false;
	}
	if (req->route->body == HTTP_BODY_NONE) {
		req->body = (struct text){NULL, 0};
		return true;
	}
	if (req->body.n && !(req->has_content_type && is_json(req->content_type))) {
		http_problem(req, CORE_UNSUPPORTED_MEDIA_TYPE,
		             "Send the body with the header \"Content-Type: application/json\".");
		return false;
	}
	if (idempotency_keys > 1) {
		http_problem(req, CORE_INVALID_REQUEST, "There are two Idempotency-Key headers. Send one.");
		return false;
	}
	if (idempotency_keys && !key_is_good(req->idempotency_key)) {
		http_problem(req, CORE_INVALID_REQUEST, "Idempotency-Key must be 1 to 255 visible ASCII characters.");
		return false;
	}
	return true;
}

/* ---- for handlers ---- */

bool http_param(const struct http_request *req, const char *name, struct text *value)
{
	struct text wanted = text_of(name);
	for (size_t i = 0; i < req->param_count; i++) {
		if (text_equal(req->params[i].name, wanted)) {
			*value = req->params[i].value;
			return true;
		}
	}
	return false;
}

bool http_page(struct http_request *req, int64_t *limit, int64_t *before)
{
	struct text value;
	*limit = JARI_PAGE_DEFAULT;
	*before = 0;
	if (http_param(req, "limit", &value) && !text_to_int(value, 1, JARI_PAGE_MAX, limit)) {
		http_problem(req, CORE_INVALID_REQUEST, "\"limit\" must be an integer from 1 to %d.", JARI_PAGE_MAX);
		return false;
	}
	if (http_param(req, "before", &value) && !text_to_int(value, 1, INT64_MAX, before)) {
		http_problem(req, CORE_INVALID_REQUEST, "\"before\" must be the id of an entry, as \"nextBefore\" gave it.");
		return false;
	}
	return true;
}
