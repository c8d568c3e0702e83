/* res_common.h: what the resources share, and every handler by name (routes.c puts them into the table).
 *
 * A handler reads what came in, hands a command or a read on, and writes what came back. It has no rules.
 * Ownership, threads: http.h's. Errors: the functions that return bool have answered the request when they return false. */
#ifndef JARI_HTTP_RES_COMMON_H
#define JARI_HTTP_RES_COMMON_H

#include "http/http.h"
#include "http/json.h"

/* ---- what came in ---- */

/* The body's JSON: an empty one counts as {}. Its bytes are the request's. */
struct text res_document(const struct http_request *req);
/* Reads the body's members into `out`. *doc, where a caller wants it, gets the whole document, which the caller then frees with
 * json_decref; otherwise pass NULL. */
bool res_body(struct http_request *req, const struct json_field *fields, size_t count, void *out, uint32_t *seen, json_t **doc);
/* Puts the idempotency key (its form was checked by the router) and the request's digest into the command. */
bool res_key(struct http_request *req);
/* Puts the ticket of the request's token into the command. */
void res_who(struct http_request *req, enum core_op op);
/* Refuses a ticket that does not admit to the queue. */
bool res_admitted(struct http_request *req, int64_t queue_id);
/* Refuses a path whose first id is not the token's user. */
bool res_own_user(struct http_request *req);

/* ---- what goes out ---- */

/* Refuses with a code that needs no more than its name. */
void res_refuse(struct http_request *req, enum core_code code);
/* Answers a decided command: the kept answer, the refusal, or the rendered reply. A `resume` for http_submit. */
void res_decided(struct http_request *req);
/* Answers a ticket, with Retry-After while it waits. */
void res_ticket(struct http_request *req, int status, const struct engine_ticket *view);
/* Refuses where a read of the store did not come to anything: `missing` is the code for STORE_NONE. */
bool res_was_read(struct http_request *req, enum core_code missing);
/* When the reservation's show begins, and its date in r, as they are now: the show may have been moved since it was held. 0 for a show that
 * this process does not know. */
int64_t res_show_now(struct engine *engine, struct core_reservation *r);
/* Writes `nextBefore` of a paged list: the last id shown when there is more, null at the end. */
void res_next_before(struct json_out *o, bool more, int64_t last);
/* True when the request's If-None-Match names this ETag (quotes included). */
bool res_etag_matches(const struct http_request *req, struct text etag);
/* Writes an ETag with a hash of the body, quotes included. */
void res_tag(struct buf *out, const char *prefix, struct text body);
/* Answers with this ETag, or 304 when the client has this version already. `fixed`: the bytes live as long as the process. */
void res_answer_tagged(struct http_request *req, const char *content_type, struct text body, struct text tag, bool fixed);
/* The same with the ETag that the body has. */
void res_tagged(struct http_request *req, const char *content_type, struct text body, const char *tag_prefix, bool fixed);

/* The media type of a file that is built in, by the ending of its name; NULL when it has none of ours. */
const char *res_type_of(struct text name);

/* ---- handlers ---- */

void res_get_token(struct http_request *req);
void res_sign_in(struct http_request *req);
void res_check(struct http_request *req);
void res_leave(struct http_request *req);
void res_events(struct http_request *req);

void res_concerts(struct http_request *req);
void res_concert(struct http_request *req);

void res_dates(struct http_request *req);
void res_seats(struct http_request *req);
void res_seat_statuses(struct http_request *req);
void res_hold(struct http_request *req);

void res_reservation(struct http_request *req);
void res_cancel(struct http_request *req);
void res_reservations(struct http_request *req);

void res_charge(struct http_request *req);
void res_user(struct http_request *req);
void res_histories(struct http_request *req);

void res_pay(struct http_request *req);

void res_catalogue(struct http_request *req);
void res_queues(struct http_request *req);
void res_patch_queue(struct http_request *req);
void res_stats(struct http_request *req);
void res_audit_log(struct http_request *req);
void res_sales(struct http_request *req);

void res_series(struct http_request *req);
void res_admin_concert(struct http_request *req);
void res_patch_concert(struct http_request *req);
void res_admin_show(struct http_request *req);
void res_patch_show(struct http_request *req);

void res_healthz(struct http_request *req);
void res_readyz(struct http_request *req);
void res_metrics(struct http_request *req);
void res_openapi(struct http_request *req);
void res_docs(struct http_request *req);

void res_page(struct http_request *req);
void res_asset(struct http_request *req);

#endif
