/* fuzz_looks.c: every route that only looks. The first line's letters choose the route, who asks, and the ids of the path; the second line is the
 * query, the third the value of If-None-Match.
 *
 * Each answer is one that the OpenAPI document has for the route, with a body of its schema. HEAD says the same as GET. 304 is answered exactly when
 * a second, simple reading of If-None-Match finds the ETag in it. A list in pages of one is the list. Nothing is changed by looking. */
#include "contract.h"

#include "http/routes.h"

#define PAGES_MAX 8

struct ask {
	const struct http_route *route;
	struct buf path;
	struct text query, token, match;
};

static const struct http_route *choose_route(uint8_t letter)
{
	size_t n = 0, looking = 0;

	for (size_t i = 0; i < http_route_count; i++)
		looking += http_routes[i].method == HTTP_GET;
	for (size_t i = 0; i < http_route_count; i++)
		if (http_routes[i].method == HTTP_GET && n++ == (uint8_t)(letter - 'A') % looking)
			return &http_routes[i];
	return NULL;
}

/* ---- asking ---- */

static void put_request(struct buf *out, const struct ask *ask, const char *method, struct text query, const char *before_match,
                        struct text match)
{
	buf_printf(out, "%s %.*s?", method, (int)ask->path.n, ask->path.p);
	for (size_t i = 0; i < query.n; i++) {
		if (query.p[i] > ' ' && query.p[i] <= '~' && query.p[i] != '#')
			buf_char(out, query.p[i]);
		else
			buf_printf(out, "%%%02x", (uint8_t)query.p[i]);
	}
	buf_str(out, " HTTP/1.1\r\nHost: x\r\n");
	if (ask->token.n > 0)
		buf_printf(out, "Authorization: %.*s\r\n", SHOWN(ask->token));
	if (match.n > 0)
		buf_printf(out, "If-None-Match: %s%.*s\r\n", before_match, SHOWN(match));
	buf_str(out, "\r\n");
}

/* One request on a connection of its own; the answer's texts point into `bytes`. */
static struct fuzz_answer get(const struct ask *ask, const char *method, struct text query, const char *before_match,
                              struct text match, struct buf *bytes)
{
	struct fuzz_answer a;
	struct buf in = {0};
	struct text rest;

	put_request(&in, ask, method, query, before_match, match);
	fuzz_exchange(buf_view(&in), NULL, 0, false, bytes);
	rest = buf_view(bytes);
	EXPECT(fuzz_next_answer(&rest, strcmp(method, "HEAD") == 0, &a) && rest.n == 0, "not one answer to %.*s", (int)in.n,
	       in.p);
	EXPECT(fuzz_server_commands() == 0, "%.*s has changed something", (int)in.n, in.p);
	contract_check_answer(ask->route, &a);
	buf_free(&in);
	return a;
}

/* ---- If-None-Match ---- */

static struct text trimmed(struct text t)
{
	while (t.n > 0 && (t.p[t.n - 1] == ' ' || t.p[t.n - 1] == '\t'))
		t.n--;
	while (t.n > 0 && (t.p[0] == ' ' || t.p[0] == '\t'))
		t.p++, t.n--;
	return t;
}

static bool names(struct text list, struct text etag)
{
	while (list.n > 0) {
		struct text one = trimmed(fuzz_until(&list, ','));

		if (text_equal(one, TEXT("*")))
			return true;
		if (text_starts(one, TEXT("W/")))
			one = (struct text){one.p + 2, one.n - 2};
		if (text_equal(one, etag))
			return true;
	}
	return false;
}

static bool can_be_a_value(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (((uint8_t)t.p[i] < ' ' && t.p[i] != '\t') || t.p[i] == 0x7f)
			return false;
	return trimmed(t).n > 0;
}

/* `first` has an ETag. Written into a list it is found, and {etag} of the fuzzer's bytes stands for it. */
static void check_match(const struct ask *ask, const struct fuzz_answer *first)
{
	struct text etag = fuzz_header(first, "ETag");
	struct buf match = {0}, bytes = {0};

	fuzz_replace(ask->match, &(struct fuzz_word){"{etag}", etag}, 1, &match);
	if (can_be_a_value(buf_view(&match))) {
		struct fuzz_answer a = get(ask, "GET", ask->query, "", buf_view(&match), &bytes);
		bool found = names(buf_view(&match), etag);

		EXPECT(a.status == (found ? 304 : 200), "%d for If-None-Match: %.*s, of %.*s", a.status, (int)match.n, match.p,
		       SHOWN(etag));
		EXPECT(text_equal(fuzz_header(&a, "ETag"), etag), "another ETag, though nothing has changed");
		EXPECT(found || text_equal(buf_view(&a.body), buf_view(&first->body)),
		       "another body, though nothing has changed");
		buf_free(&a.body);
	}
	buf_reset(&bytes);
	struct fuzz_answer again = get(ask, "GET", ask->query, "\"other\" ,W/", etag, &bytes);
	EXPECT(again.status == 304, "%d for an ETag that was given", again.status);
	buf_free(&again.body);
	buf_free(&bytes);
	buf_free(&match);
}

/* ---- HEAD ---- */

static void check_head(const struct ask *ask, const struct fuzz_answer *get_answer)
{
	static const char *const alike[] = {"Content-Type", "Content-Length", "ETag", "Cache-Control", "Transfer-Encoding"};
	struct buf bytes = {0};
	struct fuzz_answer head = get(ask, "HEAD", ask->query, "", (struct text){NULL, 0}, &bytes);

	EXPECT(head.status == get_answer->status && head.body.n == 0, "HEAD gives %d and %zu bytes, GET %d", head.status,
	       head.body.n, get_answer->status);
	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++)
		EXPECT(text_equal(fuzz_header(&head, alike[i]), fuzz_header(get_answer, alike[i])), "%s is another for HEAD",
		       alike[i]);
	buf_free(&head.body);
	buf_free(&bytes);
}

/* ---- pages ---- */

/* The one array of a paged document. */
static json_t *list_of(json_t *doc)
{
	json_t *member;
	const char *key;

	json_object_foreach(doc, key, member)
	{
		if (json_is_array(member))
			return member;
	}
	EXPECT(false, "a page without a list");
}

static json_t *page(const struct ask *ask, const char *query)
{
	struct buf bytes = {0};
	struct fuzz_answer a = get(ask, "GET", text_of(query), "", (struct text){NULL, 0}, &bytes);
	json_t *doc = json_loadb(a.body.p, a.body.n, 0, NULL);

	EXPECT(a.status == 200 && doc != NULL, "%d for %s", a.status, query);
	buf_free(&a.body);
	buf_free(&bytes);
	return doc;
}

static void check_pages(const struct ask *ask)
{
	json_t *all = page(ask, "limit=100"), *pages = json_array();
	int64_t before = 0;

	for (int i = 0; i < PAGES_MAX && (i == 0 || before > 0); i++) {
		char query[64];
		json_t *one;

		(void)snprintf(query, sizeof(query), before > 0 ? "limit=1&before=%" PRId64 : "limit=1", before);
		one = page(ask, query);
		EXPECT(json_array_size(list_of(one)) <= 1, "a page of more than was asked for");
		(void)json_array_extend(pages, list_of(one));
		before = json_integer_value(json_object_get(one, "nextBefore"));
		json_decref(one);
	}
	EXPECT(json_equal(pages, list_of(all)), "%zu entries in pages of one, %zu in one page", json_array_size(pages),
	       json_array_size(list_of(all)));
	json_decref(pages);
	json_decref(all);
}

/* True when what it answers is another each time: it counts, or goes on. */
static bool changes_by_itself(const struct http_route *route)
{
	return strcmp(route->path, "/metrics") == 0 || strcmp(route->path, "/api/admin/series") == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text in = {(const char *)data, size}, letters = fuzz_until(&in, '\n');
	struct ask ask = {.route = choose_route(fuzz_byte(&letters))};
	uint8_t who = fuzz_byte(&letters) % 8;
	struct buf bytes = {0};

	EXPECT(ask.route != NULL && size < JARI_BODY_MAX / 8, "no route, or too long an input");
	fuzz_server_renew(false);
	if (who > 0)
		ask.token = ask.route->auth == HTTP_AUTH_ADMIN ? TEXT(FUZZ_ADMIN_KEY)
		                                               : fuzz_token(who == 7 ? FUZZ_ADA : (enum fuzz_person)who);
	contract_path(ask.route, &letters, "none.js", &ask.path);
	ask.query = fuzz_until(&in, '\n');
	ask.match = in;
	struct fuzz_answer a = get(&ask, "GET", ask.query, "", (struct text){NULL, 0}, &bytes);
	if (!changes_by_itself(ask.route))
		check_head(&ask, &a);
	if (a.status == 200 && fuzz_header(&a, "ETag").n > 0)
		check_match(&ask, &a);
	if (a.status == 200 && ask.route->doc->query[0].name != NULL && strcmp(ask.route->doc->query[0].name, "limit") == 0)
		check_pages(&ask);
	buf_free(&a.body);
	buf_free(&bytes);
	buf_free(&ask.path);
	return 0;
}
