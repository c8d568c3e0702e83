/* answers.c: what every answer must be (server.h), by RFC 9110, 9112 and 9457, and the contract. */
#include "server.h"

#include <strings.h>

static bool is_token(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!(t.p[i] >= 'A' && t.p[i] <= 'Z') && !(t.p[i] >= 'a' && t.p[i] <= 'z') && t.p[i] != '-')
			return false;
	return t.n > 0;
}

struct text fuzz_header(const struct fuzz_answer *a, const char *name)
{
	struct text rest = a->head;

	(void)fuzz_until(&rest, '\n');
	while (rest.n > 0) {
		struct text value = fuzz_until(&rest, '\n'), own = fuzz_until(&value, ':');

		if (text_equal_nocase(own, text_of(name)))
			return (struct text){value.p + 1, value.n - 2}; /* without the space and the CR */
	}
	return (struct text){NULL, 0};
}

static void check_lines(const struct fuzz_answer *a)
{
	/* The one that may be there more than once: every policy counts. */
	static const struct text many = {"Content-Security-Policy", 23};
	struct text rest = a->head;

	(void)fuzz_until(&rest, '\n');
	while (rest.n > 2) {
		struct text value = fuzz_until(&rest, '\n'), name = fuzz_until(&value, ':'), others = rest;

		EXPECT(is_token(name) && value.n >= 2 && value.p[0] == ' ' && value.p[value.n - 1] == '\r', "a header: %.*s",
		       SHOWN(a->head));
		for (size_t i = 0; i + 1 < value.n; i++)
			EXPECT((uint8_t)value.p[i] >= ' ' && value.p[i] != 0x7f, "a control character in %.*s", SHOWN(name));
		while (others.n > 2) {
			struct text line = fuzz_until(&others, '\n');

			EXPECT(!text_equal_nocase(fuzz_until(&line, ':'), name) || text_equal_nocase(name, many),
			       "%.*s is there twice", SHOWN(name));
		}
	}
}

static void check_status(const struct fuzz_answer *a)
{
	static const int successes[] = {100, 200, 201, 202, 204, 302, 304, 307, 308};
	bool is_known = false;

	for (size_t i = 0; i < sizeof(successes) / sizeof(successes[0]); i++)
		is_known |= a->status == successes[i];
	for (int code = CORE_OK + 1; code < CORE_CODE_COUNT; code++)
		is_known |= a->status == core_code_status((enum core_code)code);
	EXPECT(is_known && memmem(a->head.p, a->head.n, "Unknown", 7) == NULL, "the status of %.*s", SHOWN(a->head));
	if (a->status == 100)
		return;
	EXPECT(fuzz_header(a, "Date").n == 29, "the date of %.*s", SHOWN(a->head));
	EXPECT(fuzz_header(a, "Cache-Control").n > 0 && text_equal(fuzz_header(a, "X-Content-Type-Options"), TEXT("nosniff")),
	       "%.*s", SHOWN(a->head));
	EXPECT((a->status == 401) == (fuzz_header(a, "WWW-Authenticate").n > 0), "%.*s", SHOWN(a->head));
	EXPECT(a->status != 405 || fuzz_header(a, "Allow").n > 0, "%.*s", SHOWN(a->head));
	EXPECT((a->status != 429 && a->status != 503) || fuzz_header(a, "Retry-After").n > 0, "%.*s", SHOWN(a->head));
}

static size_t take_chunk(struct text *rest, struct text *data)
{
	char digits[17] = {0};
	struct text line = fuzz_until(rest, '\n');

	EXPECT(line.n >= 2 && line.n <= 17 && line.p[line.n - 1] == '\r', "a chunk's size: %.*s", SHOWN(line));
	memcpy(digits, line.p, line.n - 1);
	for (size_t i = 0; i + 1 < line.n; i++)
		EXPECT(fuzz_is_hex(digits[i]), "a chunk's size: %s", digits);
	size_t n = strtoul(digits, NULL, 16);
	EXPECT(rest->n >= n + 2 && memcmp(rest->p + n, "\r\n", 2) == 0, "a chunk of %zu bytes has no end", n);
	*data = (struct text){rest->p, n};
	rest->p += n + 2;
	rest->n -= n + 2;
	return n;
}

static void take_chunks(struct text *rest, struct fuzz_answer *a)
{
	/* A feed is as long as time; it breaks off when the client does. */
	bool endless = text_starts(a->type, TEXT("text/event-stream"));
	struct text data;

	while (!(endless && rest->n == 0) && take_chunk(rest, &data) > 0)
		buf_text(&a->body, data);
}

/* Nothing, or the next answer. */
static bool is_behind_an_answer(struct text rest)
{
	return rest.n == 0 || text_starts(rest, TEXT("HTTP/1.1 "));
}

static void take_body(struct text *rest, bool heads, struct fuzz_answer *a)
{
	struct text length = fuzz_header(a, "Content-Length"), coding = fuzz_header(a, "Transfer-Encoding");
	int64_t n = 0;

	if (a->status == 100 || a->status == 204 || a->status == 304) {
		EXPECT(length.n == 0 && coding.n == 0, "a body for %d", a->status);
	} else if (coding.n > 0) {
		EXPECT(text_equal(coding, TEXT("chunked")) && length.n == 0, "%.*s", SHOWN(a->head));
		if (!heads || !is_behind_an_answer(*rest))
			take_chunks(rest, a);
	} else if (length.n > 0) {
		EXPECT(text_to_int(length, 0, INT64_MAX, &n), "the length of %.*s", SHOWN(a->head));
		if (n > 0 && heads && is_behind_an_answer(*rest))
			return;
		EXPECT((int64_t)rest->n >= n, "%zu of %" PRId64 " bytes have come: %.*s", rest->n, n, SHOWN(a->head));
		buf_add(&a->body, rest->p, (size_t)n);
		rest->p += n;
		rest->n -= (size_t)n;
	} else {
		/* To HTTP/1.0, whose end is the connection's. */
		EXPECT(a->last, "no length and no end: %.*s", SHOWN(a->head));
		buf_text(&a->body, *rest);
		rest->n = 0;
	}
}

static const char *string_of(json_t *doc, const char *member)
{
	const char *s = json_string_value(json_object_get(doc, member));

	EXPECT(s != NULL && s[0] != '\0', "a problem without %s", member);
	return s;
}

static void check_problem(struct fuzz_answer *a, json_t *doc)
{
	const char *name = string_of(doc, "code"), *detail = string_of(doc, "detail"), *type = string_of(doc, "type");
	size_t prefix = strlen("urn:jari:error:");

	for (int c = CORE_OK + 1; c < CORE_CODE_COUNT; c++)
		if (strcmp(core_code_name((enum core_code)c), name) == 0)
			a->code = (enum core_code)c;
	EXPECT(a->code != CORE_OK, "the code %s is not in the table", name);
	EXPECT(core_code_status(a->code) == a->status && json_integer_value(json_object_get(doc, "status")) == a->status,
	       "%s with %d", name, a->status);
	EXPECT(strcmp(string_of(doc, "title"), core_code_title(a->code)) == 0, "the title of %s", name);
	EXPECT(strncmp(type, "urn:jari:error:", prefix) == 0 && strlen(type + prefix) == strlen(name), "the type of %s", name);
	for (size_t i = 0; name[i] != '\0'; i++)
		EXPECT(name[i] == '_' ? type[prefix + i] == '-' : (name[i] | 0x20) == type[prefix + i], "%s for %s", type, name);
	EXPECT(!(detail[0] >= 'a' && detail[0] <= 'z') && detail[strlen(detail) - 1] == '.', "no whole sentence: %s", detail);
}

static void check_body(struct fuzz_answer *a)
{
	bool problem = text_equal(a->type, TEXT("application/problem+json"));
	json_t *doc = NULL;

	EXPECT(problem == (a->status >= 400), "%d is of the type %.*s", a->status, SHOWN(a->type));
	if (a->body.n == 0)
		return;
	EXPECT(a->type.n > 0, "a body of no type");
	if (!problem && !text_equal(a->type, TEXT("application/json")))
		return;
	doc = json_loadb(a->body.p, a->body.n, JSON_REJECT_DUPLICATES, NULL);
	EXPECT(doc != NULL, "no JSON: %.*s", (int)a->body.n, a->body.p);
	if (problem)
		check_problem(a, doc);
	json_decref(doc);
}

bool fuzz_next_answer(struct text *rest, bool heads, struct fuzz_answer *out)
{
	const char *end = rest->n > 0 ? memmem(rest->p, rest->n, "\r\n\r\n", 4) : NULL;
	char digits[4] = {0};

	*out = (struct fuzz_answer){0};
	if (rest->n == 0)
		return false;
	EXPECT(end != NULL && text_starts(*rest, TEXT("HTTP/1.1 ")) && end - rest->p > 13, "no answer: %.*s", SHOWN(*rest));
	out->head = (struct text){rest->p, (size_t)(end - rest->p) + 4};
	memcpy(digits, rest->p + 9, 3);
	out->status = (int)strtol(digits, NULL, 10);
	rest->p += out->head.n;
	rest->n -= out->head.n;
	out->type = fuzz_header(out, "Content-Type");
	out->last = text_equal(fuzz_header(out, "Connection"), TEXT("close"));
	check_lines(out);
	check_status(out);
	take_body(rest, heads, out);
	check_body(out);
	EXPECT(!out->last || rest->n == 0, "%zu bytes behind the last answer: %.*s", rest->n, SHOWN(out->head));
	return true;
}
