/* fuzz_token.c: tokens, and the header that carries them. The bytes are a header's value, with {ada} and the others for tokens (server.h), and,
 * for the seal alone, the numbers of a ticket.
 *
 * A header opens what it should by a second, simple reading of it, and nothing else does: neither a ticket nor the organiser's routes. A token
 * comes back to its ticket, in small letters and in capitals, and to no other; with one digit changed it is nobody's. */
#include "server.h"

#include "base/seal.h"
#include "http/http.h"
#include <strings.h>

static const uint8_t key[SEAL_KEY_BYTES] = {1, 2, 3};

/* ---- the seal ---- */

static int64_t number_of(struct text *in, int64_t most)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | fuzz_byte(in);
	return (int64_t)(v % (uint64_t)most) + 1;
}

static void check_ticket(struct seal *seal, struct text in)
{
	struct seal_ticket t = {number_of(&in, SEAL_QUEUE_MAX), number_of(&in, SEAL_NUMBER_MAX), number_of(&in, INT64_MAX),
	                        number_of(&in, INT64_MAX)};
	char token[SEAL_TOKEN_CHARS + 1], again[SEAL_TOKEN_CHARS + 1];
	int64_t queue = 0, number = 0;
	size_t digit = fuzz_byte(&in) % SEAL_TOKEN_CHARS;

	seal_token(seal, &t, token);
	EXPECT(strlen(token) == SEAL_TOKEN_CHARS && token[14] == '4' && strchr("89ab", token[19]), "the token is %s", token);
	seal_token(seal, &t, again);
	EXPECT(strcmp(token, again) == 0, "%s, then %s", token, again);
	for (size_t i = 0; i < SEAL_TOKEN_CHARS; i++)
		again[i] = token[i] >= 'a' && (i & 1) ? (char)(token[i] - 32) : token[i];
	EXPECT(seal_claims(seal, text_of(again), &queue, &number) && queue == t.queue_id && number == t.number,
	       "%s claims %" PRId64 " of %" PRId64, again, number, queue);
	EXPECT(seal_opens(seal, text_of(again), &t), "%s does not open its ticket", again);
	again[digit] = again[digit] == '0' ? '1' : '0';
	EXPECT(!seal_opens(seal, text_of(again), &t), "%s is taken for %s", again, token);
	struct seal_ticket others[] = {t, t, t, t};
	others[0].queue_id ^= 1, others[1].number ^= 1, others[2].user_id ^= 1, others[3].issued_at ^= 1;
	for (int i = 0; i < 4; i++)
		EXPECT(!seal_opens(seal, text_of(token), &others[i]), "%s opens another's ticket", token);
}

static bool is_uuid(struct text t)
{
	if (t.n != 36)
		return false;
	for (size_t i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? t.p[i] != '-' : !fuzz_is_hex(t.p[i]))
			return false;
	return t.p[14] == '4' && strchr("89abAB", t.p[19]) != NULL;
}

/* Anybody's bytes as a token. */
static void check_claim(struct seal *seal, struct text in)
{
	char token[SEAL_TOKEN_CHARS + 1];
	int64_t queue = 0, number = 0;

	if (!seal_claims(seal, in, &queue, &number)) {
		EXPECT(queue == 0 && number == 0, "a claim was refused and written");
		return;
	}
	EXPECT(is_uuid(in), "a claim of %.*s", SHOWN(in));
	EXPECT(queue >= 1 && queue <= SEAL_QUEUE_MAX && number >= 1 && number <= SEAL_NUMBER_MAX,
	       "it claims %" PRId64 " of %" PRId64, number, queue);
	struct seal_ticket t = {queue, number, 7, 1};
	seal_token(seal, &t, token);
	EXPECT(seal_opens(seal, in, &t) == (strncasecmp(token, in.p, SEAL_TOKEN_CHARS) == 0), "%.*s opens a ticket of %s",
	       SHOWN(in), token);
}

/* ---- the header ---- */

static struct text trimmed(struct text t, const char *of)
{
	while (t.n > 0 && t.p[t.n - 1] && strchr(of, t.p[t.n - 1]))
		t.n--;
	while (t.n > 0 && t.p[0] && strchr(of, t.p[0]))
		t.p++, t.n--;
	return t;
}

/* What stands behind an optional "Bearer". */
static struct text credentials(struct text value)
{
	struct text t = trimmed(value, " \t");

	if (t.n < 6 || strncasecmp(t.p, "Bearer", 6) != 0 || (t.n > 6 && t.p[6] != ' '))
		return t;
	t.p += 6, t.n -= 6;
	while (t.n > 0 && t.p[0] == ' ')
		t.p++, t.n--;
	return t;
}

static bool can_be_a_value(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (((uint8_t)t.p[i] < ' ' && t.p[i] != '\t') || t.p[i] == 0x7f)
			return false;
	return true;
}

static int expected(struct text given, bool opens)
{
	return opens ? 200 : given.n == 0 ? -CORE_TOKEN_REQUIRED : -CORE_TOKEN_INVALID;
}

static void check_header(struct text value)
{
	struct text given = credentials(value);
	struct buf in = {0}, out = {0};
	bool is_token = false;

	for (int who = 1; who < FUZZ_PEOPLE; who++)
		is_token |= text_equal_nocase(given, fuzz_token((enum fuzz_person)who));
	const int want[] = {expected(given, is_token), expected(given, text_equal(given, TEXT(FUZZ_ADMIN_KEY)))};
	buf_str(&in, "GET /api/check HTTP/1.1\r\nHost: x\r\nAuthorization:");
	buf_text(&in, value);
	buf_str(&in, "\r\n\r\nGET /api/admin/queues HTTP/1.1\r\nAuthorization:");
	buf_text(&in, value);
	buf_str(&in, "\r\nHost: x\r\n\r\n");
	fuzz_exchange(buf_view(&in), NULL, 0, false, &out);
	struct text rest = buf_view(&out);
	for (int i = 0; i < 2; i++) {
		struct fuzz_answer a;

		EXPECT(fuzz_next_answer(&rest, false, &a), "answer %d is missing", i);
		EXPECT((a.code == CORE_OK ? a.status : -(int)a.code) == want[i], "\"%.*s\" gives %d %s for %s", SHOWN(value),
		       a.status, core_code_name(a.code), i ? "the organiser" : "a buyer");
		buf_free(&a.body);
	}
	EXPECT(rest.n == 0 && fuzz_server_commands() == 0, "more has come of it");
	buf_free(&in);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text in = {(const char *)data, size};
	struct buf value = {0};
	struct seal *seal = seal_new(key);
	char *copy;

	EXPECT(seal != NULL, "no seal");
	check_ticket(seal, in);
	fuzz_server_renew(false);
	fuzz_fill_in(in, &value);
	struct text given = credentials(buf_view(&value));
	copy = fuzz_exact(given.p, given.n);
	check_claim(seal, (struct text){copy, given.n});
	free(copy);
	seal_free(seal);
	if (can_be_a_value(buf_view(&value)) && value.n < 8192)
		check_header(buf_view(&value));
	buf_free(&value);
	return 0;
}
