/* fuzz_bodies.c: bodies of every route that takes one. The first line's letters choose the route, who asks, the ids of the path, and whether there
 * is an idempotency key (an even fifth letter); the rest is the body.
 *
 * The request is sent twice, and a third time with a space behind the body (with {} for none). Each answer is one that the OpenAPI document has for the route, with a
 * body of its schema; a body that was taken is of the schema that the document has for it. What was refused has changed nothing, so it is refused
 * alike again; what succeeded with a key is answered alike again, and another body under the same key is refused. */
#include "contract.h"

#include "http/routes.h"
#include "mutate.h"

#define AUDIT_ONE_OF 8 /* the audit is slow: only that many are followed by one */

struct ask {
	const struct http_route *route;
	struct text body;
	bool keyed;
	struct buf path;
	struct text token;
};

/* ---- asking ---- */

static const struct http_route *choose_route(uint8_t letter)
{
	size_t n = 0, taking = 0;

	for (size_t i = 0; i < http_route_count; i++)
		taking += http_routes[i].body != HTTP_BODY_NONE;
	for (size_t i = 0; i < http_route_count; i++)
		if (http_routes[i].body != HTTP_BODY_NONE && n++ == (uint8_t)(letter - 'a') % taking)
			return &http_routes[i];
	return NULL;
}

static void put_request(struct buf *out, const struct ask *ask, const char *behind)
{
	buf_printf(out, "%s %.*s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n",
	           contract_method(ask->route), (int)ask->path.n, ask->path.p, ask->body.n + strlen(behind));
	if (ask->token.n > 0)
		buf_printf(out, "Authorization: Bearer %.*s\r\n", SHOWN(ask->token));
	if (ask->keyed)
		buf_str(out, "Idempotency-Key: the-key\r\n");
	buf_str(out, "\r\n");
	buf_text(out, ask->body);
	buf_str(out, behind);
}

/* ---- the three answers ---- */

static bool is_success(const struct fuzz_answer *a)
{
	return a->status >= 200 && a->status < 300;
}

static void check_again(const struct ask *ask, const struct fuzz_answer *first, const struct fuzz_answer *second,
                        const struct fuzz_answer *third)
{
	bool same = first->status == second->status && text_equal(buf_view(&first->body), buf_view(&second->body));

	if (!is_success(first))
		EXPECT(same, "%s was refused with %.*s and then answered %d %.*s", ask->route->path, (int)first->body.n,
		       first->body.p, second->status, (int)second->body.n, second->body.p);
	if (!is_success(first) || !ask->keyed || !ask->route->doc->keyed)
		return;
	EXPECT(same && text_equal(fuzz_header(second, "Idempotent-Replayed"), TEXT("true")),
	       "%s with a key was answered %d %.*s and then %d %.*s", ask->route->path, first->status, (int)first->body.n,
	       first->body.p, second->status, (int)second->body.n, second->body.p);
	EXPECT(third->code == CORE_IDEMPOTENCY_KEY_REUSED, "another body under the same key was answered %d %.*s", third->status,
	       (int)third->body.n, third->body.p);
}

static void send_thrice(const struct ask *ask)
{
	struct fuzz_answer answers[3] = {0};
	struct buf in = {0}, out = {0};

	put_request(&in, ask, "");
	put_request(&in, ask, "");
	put_request(&in, ask, ask->body.n > 0 ? " " : "{}");
	fuzz_exchange(buf_view(&in), NULL, 0, false, &out);
	struct text rest = buf_view(&out);
	for (int i = 0; i < 3; i++) {
		EXPECT(fuzz_next_answer(&rest, false, &answers[i]), "answer %d is missing", i);
		contract_check_answer(ask->route, &answers[i]);
	}
	EXPECT(rest.n == 0, "%zu bytes behind the answers", rest.n);
	if (is_success(&answers[0]))
		contract_check_taken(ask->route, ask->body);
	check_again(ask, &answers[0], &answers[1], &answers[2]);
	for (int i = 0; i < 3; i++)
		buf_free(&answers[i].body);
	buf_free(&in);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_dice dice = fuzz_dice_of(data, size);
	struct text in = {(const char *)data, size}, letters = fuzz_until(&in, '\n');
	struct ask ask = {.body = in, .route = choose_route(fuzz_byte(&letters))};
	uint8_t who = fuzz_byte(&letters) % 8;

	EXPECT(ask.route != NULL && in.n < JARI_BODY_MAX, "no route, or too long an input");
	fuzz_server_renew(false);
	if (who > 0)
		ask.token = ask.route->auth == HTTP_AUTH_ADMIN ? TEXT(FUZZ_ADMIN_KEY)
		                                               : fuzz_token(who == 7 ? FUZZ_ADA : (enum fuzz_person)who);
	contract_path(ask.route, &letters, "", &ask.path);
	ask.keyed = fuzz_byte(&letters) % 2 == 0;
	send_thrice(&ask);
	buf_free(&ask.path);
	fuzz_server_renew(fuzz_roll(&dice, AUDIT_ONE_OF) == 0);
	return 0;
}

/* The first line stays as often as not. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
	struct text body = {(const char *)data, size};

	(void)fuzz_until(&body, '\n');
	return fuzz_mutate_json(data, size, size_max, seed, size - body.n);
}
