/* fuzz_http.c: the bytes of a connection, through the whole server. {ada} and the others stand for tokens, {key} for the organiser's key
 * (server.h).
 *
 * Every answer is one by HTTP and the contract. As many answers come as there are requests by the parser alone, and the connection ends for a reason
 * that can be seen in them. However the bytes are cut and however fast they come, the same answers are given, from the same
 * beginning; and what was changed by them leaves the invariants whole. */
#include "server.h"

#include "http/parse.h"

#define CUTS_MAX 6
#define REQUESTS_MAX 64
#define TRIES 3        /* the engine's tick comes when it comes; what it does in the midst of a request is no broken promise */
#define AUDIT_ONE_OF 8 /* the audit is slow: only that many are followed by one */

/* What the bytes ask for whose answer depends on when they come: whether a body was there already, how long things took, and counters that go on
 * from connection to connection. */
static bool has_own_time(struct text in)
{
	static const char *const words[] = {"expect", "metrics", "series"};

	for (size_t i = 0; i + 1 <= in.n; i++)
		for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
			if (text_equal_nocase((struct text){in.p + i, in.n - i < strlen(words[j]) ? in.n - i : strlen(words[j])},
			                      text_of(words[j])))
				return true;
	return false;
}

/* ---- as many answers as requests ---- */

struct requests {
	size_t n;                   /* whole ones */
	bool refused;               /* what is behind them is none */
	bool ends[REQUESTS_MAX];    /* it asks for the connection's end */
	bool old[REQUESTS_MAX];     /* HTTP/1.0 */
	bool expects[REQUESTS_MAX]; /* it asks before it sends a body, */
	bool large[REQUESTS_MAX];   /* … or may be too much to be taken of everybody */
};

/* Passes by a body; false when it is not whole. */
static bool pass_body(const struct http_head *head, struct text *in, bool *refused)
{
	struct http_chunks chunks = {0};
	struct http_refusal why;

	if (!head->chunked) {
		size_t n = head->content_length > 0 ? (size_t)head->content_length : 0;

		if (n > in->n)
			return false;
		in->p += n;
		in->n -= n;
		return true;
	}
	while (in->n > 0) {
		struct text data;
		size_t used = 0;
		enum http_chunk got = http_chunks_next(&chunks, in->p, in->n, &used, &data, &why);

		*refused = got == HTTP_CHUNK_REFUSED;
		if (*refused)
			return false;
		in->p += used;
		in->n -= used;
		if (got == HTTP_CHUNK_END)
			return true;
	}
	return false;
}

static void read_requests(struct text in, struct requests *out)
{
	struct arena arena = {0};

	*out = (struct requests){0};
	while (in.n > 0 && !out->refused && out->n < REQUESTS_MAX) {
		struct http_scanner scan = {0};
		struct http_refusal why;
		struct http_head head;
		size_t length = 0;
		enum http_scan got = http_head_scan(&scan, in.p, in.n, &length, &why);

		if (got == HTTP_SCAN_MORE)
			break;
		out->refused = got == HTTP_SCAN_REFUSED || !http_head_parse(in.p + scan.start, length, &arena, &head, &why);
		if (out->refused)
			break;
		in.p += scan.start + length;
		in.n -= scan.start + length;
		out->ends[out->n] = !head.keep_alive;
		out->old[out->n] = head.minor == 0;
		out->expects[out->n] = head.expect_continue;
		out->large[out->n] = head.chunked || head.content_length > JARI_BODY_MAX;
		if (!pass_body(&head, &in, &out->refused))
			break;
		out->n++;
	}
	arena_free(&arena);
}

/* The i-th answer; 413 comes before the body, and so may what is told to one who asks first, or has no key for a large one. */
static void check_place(const struct requests *r, size_t i, const struct fuzz_answer *a)
{
	bool whole = i < r->n, early = a->status == 413 || r->expects[i] || (r->large[i] && a->status == 401);

	if (i >= REQUESTS_MAX - 1)
		return;
	EXPECT(whole || early || (i == r->n && r->refused), "%d answers to %zu requests; the last is %d %s", (int)i + 1, r->n,
	       a->status, core_code_name(a->code));
	EXPECT(!whole || early || a->last == r->ends[i] ||
	           (a->last && (r->old[i] || text_equal(a->type, TEXT("text/event-stream")))),
	       "request %zu, answered %d %s, %s the connection", i, a->status, core_code_name(a->code),
	       a->last ? "ends" : "does not end");
	EXPECT(whole || a->last, "answer %zu, %d %s, to what is no whole request, does not end the connection", i, a->status,
	       core_code_name(a->code));
}

/* What must not depend on the way that the bytes took. */
static void say(const struct fuzz_answer *a, struct buf *said)
{
	buf_printf(said, "%d %.*s", a->status, SHOWN(a->type));
	if (a->code != CORE_OK) {
		buf_printf(said, " %s", core_code_name(a->code));
	} else if (!text_starts(a->type, TEXT("text/event-stream"))) {
		buf_printf(said, " %.*s ", SHOWN(fuzz_header(a, "ETag")));
		buf_text(said, buf_view(&a->body));
	}
	buf_str(said, "\n");
}

static void answers(struct text in, const size_t *cuts, size_t count, bool hasty, struct buf *said)
{
	bool heads = in.n > 0 && memmem(in.p, in.n, "HEAD", 4) != NULL;
	struct buf out = {0};
	struct fuzz_answer a;

	struct requests requests;
	bool last = false;
	size_t n = 0;

	read_requests(in, &requests);
	fuzz_exchange(in, cuts, count, hasty, &out);
	struct text rest = buf_view(&out);
	while (fuzz_next_answer(&rest, heads, &a)) {
		say(&a, said);
		if (a.status != 100)
			check_place(&requests, n++, &a);
		last = a.last;
		buf_free(&a.body);
	}
	EXPECT(last || n >= requests.n, "%zu answers to %zu requests", n, requests.n);
	EXPECT(last || !requests.refused, "what is no request was not answered");
	buf_free(&out);
}

static int ascending(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

static void compare(struct text in, struct fuzz_dice *dice, struct buf *whole)
{
	size_t cuts[CUTS_MAX], count = 1 + fuzz_roll(dice, CUTS_MAX);
	bool hasty = fuzz_roll(dice, 2) == 0, same = false;
	struct buf said = {0};

	for (size_t i = 0; i < count; i++)
		cuts[i] = fuzz_roll(dice, in.n);
	qsort(cuts, count, sizeof(cuts[0]), ascending);
	for (int i = 0; i < TRIES && !same; i++) {
		if (i > 0) {
			fuzz_server_renew(false);
			buf_reset(whole);
			answers(in, NULL, 0, false, whole);
		}
		fuzz_server_renew(false);
		buf_reset(&said);
		answers(in, cuts, count, hasty, &said);
		same = text_equal(buf_view(whole), buf_view(&said));
	}
	EXPECT(same, "in one piece:\n%.*s\nin %zu, the first of %zu bytes:\n%.*s", (int)whole->n, whole->p, count + 1, cuts[0],
	       (int)said.n, said.p);
	buf_free(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_dice dice = fuzz_dice_of(data, size);
	struct buf in = {0}, said = {0};

	fuzz_server_renew(false);
	fuzz_fill_in((struct text){(const char *)data, size}, &in);
	answers(buf_view(&in), NULL, 0, false, &said);
	if (in.n > 0 && !has_own_time(buf_view(&in)))
		compare(buf_view(&in), &dice, &said);
	fuzz_server_renew(fuzz_roll(&dice, AUDIT_ONE_OF) == 0);
	buf_free(&in);
	buf_free(&said);
	return 0;
}
