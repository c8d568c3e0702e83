#include "http/res_common.h"
#include "http/reply.h"

#include "base/rng.h"

#include <openssl/evp.h>
#include <string.h>

/* ---- what came in ---- */

struct text res_document(const struct http_request *req)
{
	return req->body.n == 0 ? TEXT("{}") : req->body;
}

bool res_body(struct http_request *req, const struct json_field *fields, size_t count, void *out, uint32_t *seen, json_t **doc)
{
	char error[JSON_ERROR_SIZE];
	json_t *document = json_read(res_document(req), error);

	if (document == NULL) {
		http_problem(req, CORE_INVALID_REQUEST, "%s", error);
		return false;
	}
	if (!json_fields(document, fields, count, "", req->arena, out, seen, error)) {
		http_problem(req, CORE_INVALID_REQUEST, "%s", error);
		json_decref(document);
		return false;
	}
	if (doc != NULL)
		*doc = document;
	else
		json_decref(document);
	return true;
}

/* Method and target have no line break in them, so two different requests are never the same bytes. */
static bool request_digest(const struct http_request *req, uint8_t out[CORE_DIGEST_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned n = 0;
	bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	          EVP_DigestUpdate(ctx, req->method_name.p, req->method_name.n) == 1 && EVP_DigestUpdate(ctx, "\n", 1) == 1 &&
	          EVP_DigestUpdate(ctx, req->target.p, req->target.n) == 1 && EVP_DigestUpdate(ctx, "\n", 1) == 1 &&
	          (req->body.n == 0 || EVP_DigestUpdate(ctx, req->body.p, req->body.n) == 1) &&
	          EVP_DigestFinal_ex(ctx, out, &n) == 1 && n == CORE_DIGEST_BYTES;

	EVP_MD_CTX_free(ctx);
	return ok;
}

bool res_key(struct http_request *req)
{
	if (!req->has_idempotency_key)
		return true;
	if (!request_digest(req, req->job.cmd.digest)) {
		http_problem(req, CORE_OVERLOADED, "The server could not take the request in. Try again shortly.");
		return false;
	}
	req->job.cmd.key = req->idempotency_key;
	return true;
}

void res_who(struct http_request *req, enum core_op op)
{
	req->job.cmd.op = op;
	req->job.cmd.auth_queue_id = req->ticket.queue_id;
	req->job.cmd.auth_number = req->ticket.number;
	req->job.cmd.auth_user_id = req->ticket.user_id;
}

bool res_admitted(struct http_request *req, int64_t queue_id)
{
	struct core_reply reply = {.code = core_admission(&req->ticket, queue_id, req->now)};

	if (reply.code == CORE_OK)
		return true;
	reply.ticket = core_ticket_at(&req->ticket, req->now);
	http_refuse(req, &reply);
	return false;
}

bool res_own_user(struct http_request *req)
{
	if (req->ids[0] == req->ticket.user_id)
		return true;
	res_refuse(req, CORE_USER_NOT_FOUND);
	return false;
}

/* ---- what goes out ---- */

void res_refuse(struct http_request *req, enum core_code code)
{
	struct core_reply reply = {.code = code};

	http_refuse(req, &reply);
}

void res_decided(struct http_request *req)
{
	const struct engine_job *job = &req->job;

	if (job->reply.code != CORE_OK) {
		http_refuse(req, &job->reply);
		return;
	}
	if (job->reply.replayed) {
		http_header(req, "Idempotent-Replayed", "true");
		http_answer(req, job->reply.replay_status, "application/json", job->reply.replay_body);
		return;
	}
	if (job->cmd.key.n > 0 && job->answer.n > 0) {
		http_answer(req, job->answer_status, "application/json", job->answer);
		return;
	}
	int status = http_render(&job->cmd, &job->reply, &req->answer);
	if (req->answer.n > 0)
		http_json(req, status, &req->answer);
	else
		http_answer(req, status, "", (struct text){0});
}

void res_ticket(struct http_request *req, int status, const struct engine_ticket *view)
{
	const struct core_ticket *t = &view->ticket;
	struct seal_ticket sealed = {t->queue_id, t->number, t->user_id, t->issued_at};
	char token[SEAL_TOKEN_CHARS + 1];
	struct json_out o;

	seal_token(req->seal, &sealed, token);
	jo_begin(&o, &req->answer);
	http_write_ticket(&o, view, token);
	if (t->status == CORE_WAITING)
		http_header_int(req, "Retry-After", view->retry_after_seconds);
	http_json(req, status, &req->answer);
}

bool res_was_read(struct http_request *req, enum core_code missing)
{
	if (req->read.result == STORE_OK)
		return true;
	res_refuse(req, req->read.result == STORE_NONE ? missing : CORE_STORE_UNAVAILABLE);
	return false;
}

void res_next_before(struct json_out *o, bool more, int64_t last)
{
	jo_key(o, "nextBefore");
	if (more)
		jo_int(o, last);
	else
		jo_null(o);
}

bool res_etag_matches(const struct http_request *req, struct text etag)
{
	const char *p = req->if_none_match.p, *end;

	if (!req->has_if_none_match || req->if_none_match.n == 0)
		return false;
	end = p + req->if_none_match.n;
	while (p < end) {
		while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
			p++;
		const char *from = p;
		while (p < end && *p != ',')
			p++;
		struct text one = {from, (size_t)(p - from)};
		while (one.n > 0 && (one.p[one.n - 1] == ' ' || one.p[one.n - 1] == '\t'))
			one.n--;
		if (text_equal(one, TEXT("*")))
			return true;
		/* a GET compares weakly (RFC 9110, 13.1.2) */
		if (text_starts(one, TEXT("W/"))) {
			one.p += 2;
			one.n -= 2;
		}
		if (text_equal(one, etag))
			return true;
	}
	return false;
}

#define HASH_SIZE 17 /* 16 hexadecimal digits and a NUL */

/* FNV-1a over eight bytes at a time, with a last mix. Not for secrets: it tells two versions apart. */
static void hash(struct text bytes, char out[HASH_SIZE])
{
	uint64_t h = 0xcbf29ce484222325u ^ bytes.n;
	uint8_t big[8];

	for (size_t i = 0; i < bytes.n; i += 8) {
		uint64_t word = 0;

		memcpy(&word, bytes.p + i, bytes.n - i < 8 ? bytes.n - i : 8);
		h = (h ^ word) * 0x100000001b3u;
		h ^= h >> 32;
	}
	h = rng_mix(h);
	for (int i = 0; i < 8; i++)
		big[i] = (uint8_t)(h >> (56 - 8 * i));
	text_hex(big, sizeof(big), out);
}

void res_tag(struct buf *out, const char *prefix, struct text body)
{
	char digits[HASH_SIZE];

	hash(body, digits);
	buf_char(out, '"');
	buf_str(out, prefix);
	buf_str(out, digits);
	buf_char(out, '"');
}

void res_answer_tagged(struct http_request *req, const char *content_type, struct text body, struct text tag, bool fixed)
{
	http_header_text(req, "ETag", tag);
	if (res_etag_matches(req, tag))
		http_answer(req, 304, "", (struct text){0});
	else if (fixed)
		http_answer_static(req, 200, content_type, body);
	else
		http_answer(req, 200, content_type, body);
}

void res_tagged(struct http_request *req, const char *content_type, struct text body, const char *tag_prefix, bool fixed)
{
	struct buf tag = {0};

	res_tag(&tag, tag_prefix, body);
	res_answer_tagged(req, content_type, body, buf_view(&tag), fixed);
	buf_free(&tag);
}

const char *res_type_of(struct text name)
{
	static const struct {
		struct text ending;
		const char *type;
	} types[] = {
	    {{".html", 5}, "text/html; charset=utf-8"},
	    {{".js", 3}, "text/javascript; charset=utf-8"},
	    {{".css", 4}, "text/css; charset=utf-8"},
	    {{".svg", 4}, "image/svg+xml"},
	    {{".png", 4}, "image/png"},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (text_ends(name, types[i].ending))
			return types[i].type;
	return NULL;
}
