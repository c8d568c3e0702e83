/* fuzz_query.c: what stands in a request target: a query, and a path with ids. The first line is the query, the second the path.
 *
 * Both are read a second time, simply; what one takes the other takes, with the same outcome. Parameters come out the same when they are written
 * with every byte escaped and read again. */
#include "fuzz.h"

#include "base/arena.h"
#include "base/buf.h"
#include "http/parse.h"
#include "http/route.h"
#include "http/routes.h"
#include <jansson.h>

#define SEGMENTS_MAX 16

/* ---- the query ---- */

static bool is_utf8(struct text t)
{
	/* jansson has a check of its own. */
	json_t *s = json_stringn(t.n ? t.p : "", t.n);
	bool good = s != NULL;

	json_decref(s);
	return good;
}

/* False when an escape is wrong or stands for NUL. */
static bool decoded(struct text t, struct buf *out)
{
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '%') {
			char two[3] = {0};

			if (t.n - i < 3 || !fuzz_is_hex(t.p[i + 1]) || !fuzz_is_hex(t.p[i + 2]))
				return false;
			memcpy(two, t.p + i + 1, 2);
			if (strtoul(two, NULL, 16) == 0)
				return false;
			buf_char(out, (char)strtoul(two, NULL, 16));
			i += 2;
		} else {
			buf_char(out, t.p[i] == '+' ? ' ' : t.p[i]);
		}
	}
	return is_utf8(buf_view(out));
}

struct pairs {
	struct buf name[JARI_QUERY_PARAMS_MAX], value[JARI_QUERY_PARAMS_MAX];
	size_t n;
};

static bool read_pairs(struct text query, struct pairs *out)
{
	while (query.n > 0) {
		struct text value = fuzz_until(&query, '&');

		if (value.n == 0)
			continue;
		struct text name = fuzz_until(&value, '=');
		if (out->n == JARI_QUERY_PARAMS_MAX)
			return false;
		size_t i = out->n++;
		if (!decoded(name, &out->name[i]) || !decoded(value, &out->value[i]))
			return false;
		for (size_t j = 0; j < i; j++)
			if (text_equal(buf_view(&out->name[j]), buf_view(&out->name[i])))
				return false;
	}
	return true;
}

static void put_escaped(struct buf *out, struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		buf_printf(out, i % 2 ? "%%%02x" : "%%%02X", (uint8_t)t.p[i]);
}

static void check_written_again(const struct http_param *params, size_t n, struct arena *arena)
{
	struct http_param again[JARI_QUERY_PARAMS_MAX];
	const char *detail = NULL;
	struct buf b = {0};
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		put_escaped(&b, params[i].name);
		buf_char(&b, '=');
		put_escaped(&b, params[i].value);
		buf_char(&b, '&');
	}
	EXPECT(http_query_parse(buf_view(&b), arena, again, &count, &detail), "%s: %.*s", detail, (int)b.n, b.p);
	EXPECT(count == n, "%zu parameters became %zu: %.*s", n, count, (int)b.n, b.p);
	for (size_t i = 0; i < n; i++)
		EXPECT(text_equal(params[i].name, again[i].name) && text_equal(params[i].value, again[i].value),
		       "parameter %zu is another: %.*s", i, (int)b.n, b.p);
	buf_free(&b);
}

static void check_query(struct text in)
{
	struct http_param params[JARI_QUERY_PARAMS_MAX];
	char *copy = fuzz_exact(in.p, in.n);
	struct text query = {copy, in.n};
	struct arena arena = {0};
	struct pairs want = {0};
	const char *detail = NULL;
	size_t count = 0;
	bool good = http_query_parse(query, &arena, params, &count, &detail), expected = read_pairs(query, &want);

	EXPECT(good == expected, "taken %d, by the second reading %d: %.*s", good, expected, SHOWN(in));
	EXPECT(good || (detail != NULL && detail[0] != '\0'), "refused without a sentence: %.*s", SHOWN(in));
	if (good) {
		EXPECT(count == want.n, "%zu parameters, not %zu: %.*s", count, want.n, SHOWN(in));
		for (size_t i = 0; i < count; i++)
			EXPECT(text_equal(params[i].name, buf_view(&want.name[i])) &&
			           text_equal(params[i].value, buf_view(&want.value[i])),
			       "parameter %zu of %.*s", i, SHOWN(in));
		check_written_again(params, count, &arena);
	}
	for (size_t i = 0; i < want.n; i++) {
		buf_free(&want.name[i]);
		buf_free(&want.value[i]);
	}
	arena_free(&arena);
	free(copy);
}

/* What else stands in a target is refused before (http_head_parse). */
static bool can_be_sent(struct text query)
{
	for (size_t i = 0; i < query.n; i++)
		if (query.p[i] <= ' ' || query.p[i] > '~' || query.p[i] == '#')
			return false;
	return true;
}

/* ---- the path ---- */

static size_t cut(struct text path, struct text out[SEGMENTS_MAX])
{
	size_t n = 0;

	(void)fuzz_until(&path, '/'); /* what is before the first slash: nothing */
	while (n < SEGMENTS_MAX) {
		const char *slash = path.n ? memchr(path.p, '/', path.n) : NULL;

		out[n++] = fuzz_until(&path, '/');
		if (slash == NULL)
			return n;
	}
	return SEGMENTS_MAX;
}

/* An id as it must be written: no sign, no leading zero, 1 to the largest of 63 bits. */
static bool is_id(struct text t, int64_t *id)
{
	char digits[20] = {0};

	if (t.n == 0 || t.n > 19 || t.p[0] == '0')
		return false;
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		digits[i] = t.p[i];
	}
	uint64_t v = strtoull(digits, NULL, 10);
	*id = (int64_t)v;
	return v <= INT64_MAX;
}

/* How a route's path takes a request's: one letter a segment, of which the lowest wins; "" when it does not. */
static bool takes(const char *pattern, const struct text *segments, size_t n, char rank[SEGMENTS_MAX + 1],
                  int64_t ids[HTTP_PATH_IDS_MAX])
{
	struct text own[SEGMENTS_MAX];
	size_t count = cut(text_of(pattern), own), found = 0;

	memset(rank, 0, SEGMENTS_MAX + 1);
	if (count != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int64_t id;
		bool parameter = own[i].n > 0 && own[i].p[0] == '{';

		rank[i] = parameter ? 'b' : 'a';
		if (parameter && text_equal(own[i], TEXT("{file}")))
			continue;
		if (parameter ? !is_id(segments[i], &id) : !text_equal(own[i], segments[i]))
			return false;
		if (parameter)
			ids[found++] = id;
	}
	return true;
}

static void check_path(const struct http_router *router, struct text path)
{
	struct text segments[SEGMENTS_MAX];
	size_t n = path.n > 0 && path.p[0] == '/' ? cut(path, segments) : 0;
	char best[SEGMENTS_MAX + 1] = "c";
	int64_t ids[HTTP_PATH_IDS_MAX] = {0};
	const char *pattern = NULL;

	for (size_t i = 0; i < http_route_count && n > 0; i++) {
		char rank[SEGMENTS_MAX + 1];
		int64_t found[HTTP_PATH_IDS_MAX] = {0};

		if (!takes(http_routes[i].path, segments, n, rank, found) || strcmp(rank, best) >= 0)
			continue;
		memcpy(best, rank, sizeof(best));
		memcpy(ids, found, sizeof(ids));
		pattern = http_routes[i].path;
	}
	for (int method = 0; method <= HTTP_OTHER; method++) {
		struct http_match m = http_router_match(router, (enum http_method)method, path);
		const struct http_route *want = NULL;

		EXPECT((m.allow != NULL) == (pattern != NULL), "the path %.*s is taken by %s", SHOWN(path),
		       pattern ? pattern : "none");
		for (size_t i = 0; i < http_route_count && pattern != NULL; i++)
			if (strcmp(http_routes[i].path, pattern) == 0 &&
			    (http_routes[i].method == (enum http_method)method ||
			     (method == HTTP_HEAD && http_routes[i].method == HTTP_GET)))
				want = &http_routes[i];
		EXPECT(m.route == want, "method %d of %.*s is %s, not %s", method, SHOWN(path), m.route ? m.route->path : "none",
		       want ? want->path : "none");
		if (want != NULL)
			EXPECT(memcmp(m.ids, ids, sizeof(ids)) == 0, "the ids of %.*s", SHOWN(path));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text in = {(const char *)data, size}, query = fuzz_until(&in, '\n');
	char error[HTTP_ROUTER_ERROR_SIZE], *path = fuzz_exact(in.p, in.n);
	static struct http_router *router;

	if (router == NULL)
		router = http_router_new(http_routes, http_route_count, error);
	EXPECT(router != NULL, "%s", error);
	if (can_be_sent(query))
		check_query(query);
	check_path(router, (struct text){path, in.n});
	free(path);
	return 0;
}
