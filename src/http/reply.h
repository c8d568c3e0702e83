/* reply.h: what the core and the read model say, as the contract's JSON.
 *
 * One function a document, so that a reservation or a ticket looks the same from every route.
 * Ownership: everything is written at the end of the caller's buffer. Threads: any, on one's own data; http_render runs on the
 * committer's thread. Errors: none. */
#ifndef JARI_HTTP_REPLY_H
#define JARI_HTTP_REPLY_H

#include "base/limits.h"
#include "engine/engine.h"
#include "http/json.h"

/* The body of a successful reply and its HTTP status; the engine's engine_render_fn. LEAVE and CANCEL are 204 without a body. A JOIN
 * has a status alone: its ticket carries a token and a place in the line, which the caller adds from the read model. */
int http_render(const struct core_cmd *cmd, const struct core_reply *reply, struct buf *out);

/* An error in words: the members that its code has besides those of every problem (`"conflicts":[7]`, without braces), and a sentence for
 * a person. `position` is the ticket's place in the line, 0 when it does not wait. */
void http_refusal(const struct core_cmd *cmd, const struct core_reply *reply, int64_t position, struct buf *members,
                  struct buf *sentence);
/* The same for a ticket that does not admit (NOT_ADMITTED). */
void http_refusal_admission(const struct core_ticket *ticket, int64_t position, struct buf *members, struct buf *sentence);

/* Documents. */
void http_write_ticket(struct json_out *o, const struct engine_ticket *view, const char *token);
void http_write_concert(struct json_out *o, const struct core_concert *concert);
/* `starts_at`: of the show, as it is now. */
void http_write_reservation(struct json_out *o, const struct core_reservation *r, int64_t starts_at,
                            enum core_reservation_status status);
void http_write_queue(struct json_out *o, const struct core_queue *queue);
void http_write_entry(struct json_out *o, const struct core_entry *entry);
void http_write_audit(struct json_out *o, const struct core_audit *audit);

/* The dates and the seats of a concert. */
void http_write_dates(struct json_out *o, int64_t concert_id, const struct engine_show *shows, size_t n, bool all, int64_t now);
void http_write_seats(struct buf *out, const struct core_show *show, const struct core_seat *seats, size_t n);
/* The same without what never changes: a letter a seat. */
void http_write_seat_statuses(struct buf *out, const struct core_show *show, const struct core_seat *seats, size_t n);

/* A show as the organiser sees it, with its sections; with every seat when the hall has them. The _open form leaves the object open for more
 * members. */
void http_write_hall_open(struct json_out *o, const struct engine_hall *hall);
void http_write_hall(struct json_out *o, const struct engine_hall *hall);
/* The members of a concert, without the braces. */
void http_write_concert_members(struct json_out *o, const struct core_concert *concert);

/* One show of the organiser's statistics. */
void http_write_show_stats(struct json_out *o, const struct engine_show *show, struct text title);

/* Sales as CSV (RFC 4180): the header line, and one line a reservation. */
void http_write_sales_header(struct buf *out);
void http_write_sale(struct buf *out, const struct store_sale *sale, int64_t now);

#endif
