#include "http/reply.h"

#include <string.h>

/* ---- documents ---- */

void http_write_ticket(struct json_out *o, const struct engine_ticket *view, const char *token)
{
	const struct core_ticket *t = &view->ticket;
	bool waiting = t->status == CORE_WAITING;

	jo_object(o);
	jo_kv_str(o, "token", token);
	jo_kv_int(o, "userId", t->user_id);
	jo_kv_text(o, "username", (struct text){view->username, view->username_len});
	jo_kv_int(o, "queueId", t->queue_id);
	jo_kv_int(o, "number", t->number);
	jo_kv_str(o, "status", core_ticket_status_name(t->status));
	jo_kv_str(o, "reason", core_ticket_reason_name(t->reason));
	jo_kv_int(o, "position", waiting ? view->ahead + 1 : 0);
	jo_kv_int(o, "ahead", waiting ? view->ahead : 0);
	jo_key(o, "etaSeconds");
	if (view->eta_seconds < 0)
		jo_null(o);
	else
		jo_int(o, view->eta_seconds);
	jo_kv_int(o, "retryAfterSeconds", view->retry_after_seconds);
	jo_kv_instant(o, "issuedAt", t->issued_at);
	jo_kv_instant(o, "expiresAt", waiting ? 0 : t->expires_at);
	jo_kv_bool(o, "queuePaused", view->queue_paused);
	jo_end_object(o);
}

void http_write_concert_members(struct json_out *o, const struct core_concert *concert)
{
	jo_kv_int(o, "concertId", concert->concert_id);
	jo_kv_text(o, "title", concert->title);
	jo_kv_text(o, "artist", concert->artist);
	jo_kv_text(o, "venue", concert->venue);
	jo_kv_int(o, "queueId", concert->queue_id);
	jo_kv_instant(o, "salesOpenAt", concert->sales_open_at);
}

void http_write_concert(struct json_out *o, const struct core_concert *concert)
{
	jo_object(o);
	http_write_concert_members(o, concert);
	jo_end_object(o);
}

static void kv_date(struct json_out *o, const char *key, int32_t date)
{
	jo_key(o, key);
	jo_date(o, date);
}

static void kv_ints(struct json_out *o, const char *key, const int64_t *p, size_t n)
{
	jo_key(o, key);
	jo_array(o);
	for (size_t i = 0; i < n; i++)
		jo_int(o, p[i]);
	jo_end_array(o);
}

void http_write_reservation(struct json_out *o, const struct core_reservation *r, int64_t starts_at,
                            enum core_reservation_status status)
{
	jo_object(o);
	jo_kv_int(o, "reservationId", r->reservation_id);
	jo_kv_int(o, "userId", r->user_id);
	jo_kv_int(o, "concertId", r->concert_id);
	jo_kv_int(o, "showId", r->show_id);
	kv_date(o, "date", r->date);
	jo_kv_instant(o, "startsAt", starts_at);
	kv_ints(o, "seatNumbers", r->seats, (size_t)r->seat_count);
	jo_kv_int(o, "totalPrice", r->total_price);
	jo_kv_str(o, "status", core_reservation_status_name(status));
	jo_kv_instant(o, "heldUntil", r->held_until);
	jo_kv_instant(o, "createdAt", r->created_at);
	jo_kv_instant(o, "paidAt", r->paid_at);
	jo_end_object(o);
}

void http_write_queue(struct json_out *o, const struct core_queue *queue)
{
	jo_object(o);
	jo_kv_int(o, "queueId", queue->queue_id);
	jo_kv_text(o, "name", queue->name);
	jo_kv_int(o, "capacity", queue->capacity);
	jo_kv_int(o, "ratePerSecond", queue->rate_per_second);
	jo_kv_bool(o, "paused", queue->paused);
	jo_kv_int(o, "waiting", queue->waiting);
	jo_kv_int(o, "active", queue->active);
	jo_kv_int(o, "admitted", queue->admitted);
	jo_kv_int(o, "lastNumber", queue->last_number);
	jo_end_object(o);
}

void http_write_entry(struct json_out *o, const struct core_entry *entry)
{
	jo_object(o);
	jo_kv_int(o, "historyId", entry->entry_id);
	jo_kv_str(o, "type", core_entry_type_name(entry->type));
	/* signed as the wallet sees it */
	jo_kv_int(o, "amount", entry->debit.kind == CORE_WALLET ? -entry->amount : entry->amount);
	jo_kv_int(o, "balanceAfter", entry->balance_after);
	jo_key(o, "reservationId");
	if (entry->reservation_id == 0)
		jo_null(o);
	else
		jo_int(o, entry->reservation_id);
	jo_kv_instant(o, "createdAt", entry->created_at);
	jo_end_object(o);
}

/* The detail is JSON already; should it ever not be, it is shown as a text. */
static void write_detail(struct json_out *o, struct text detail)
{
	char error[JSON_ERROR_SIZE];

	jo_key(o, "detail");
	if (detail.n == 0) {
		jo_null(o);
		return;
	}
	json_t *parsed = json_read(detail, error);
	if (parsed == NULL) {
		jo_text(o, detail);
		return;
	}
	json_decref(parsed);
	buf_text(o->b, detail);
	o->comma = true;
}

void http_write_audit(struct json_out *o, const struct core_audit *audit)
{
	jo_object(o);
	jo_kv_int(o, "auditId", audit->audit_id);
	jo_kv_instant(o, "at", audit->created_at);
	jo_kv_text(o, "actor", audit->actor);
	jo_kv_text(o, "action", audit->action);
	jo_kv_text(o, "target", audit->target);
	write_detail(o, audit->detail);
	jo_end_object(o);
}

void http_write_dates(struct json_out *o, int64_t concert_id, const struct engine_show *shows, size_t n, bool all, int64_t now)
{
	jo_object(o);
	jo_kv_int(o, "concertId", concert_id);
	jo_key(o, "dates");
	jo_array(o);
	for (size_t i = 0; i < n; i++) {
		const struct core_show *show = &shows[i].show;

		if (!all && (shows[i].available <= 0 || !core_show_on_sale(show, now)))
			continue;
		jo_object(o);
		kv_date(o, "date", show->date);
		jo_kv_int(o, "showId", show->show_id);
		jo_kv_instant(o, "startsAt", show->starts_at);
		jo_kv_int(o, "totalSeats", show->total_seats);
		jo_kv_int(o, "availableSeats", shows[i].available);
		jo_kv_bool(o, "closed", show->closed);
		jo_end_object(o);
	}
	jo_end_array(o);
	jo_end_object(o);
}

/* What seats of one section, price and status have in common: `,"section":"A","price":50000,"status":"HELD"}`. A hall of 100 000 seats
 * has a handful of these, so a text is escaped once and not 100 000 times. */
static void seat_tail(struct buf *tail, const struct core_seat *seat)
{
	struct json_out o;

	buf_reset(tail);
	buf_char(tail, ',');
	jo_begin(&o, tail);
	jo_kv_text(&o, "section", seat->section);
	jo_kv_int(&o, "price", seat->price);
	jo_kv_str(&o, "status", core_seat_status_name(seat->status));
	buf_char(tail, '}');
}

static bool same_tail(const struct core_seat *a, const struct core_seat *b)
{
	return a->price == b->price && a->status == b->status &&
	       (a->section.p == b->section.p ? a->section.n == b->section.n : text_equal(a->section, b->section));
}

static void write_seat_list(struct buf *out, const struct core_seat *seats, size_t n)
{
	struct buf tail[CORE_SEAT_SOLD + 1] = {{0}};
	const struct core_seat *of[CORE_SEAT_SOLD + 1] = {0};

	for (size_t i = 0; i < n; i++) {
		const struct core_seat *seat = &seats[i];
		unsigned s = (unsigned)seat->status % (CORE_SEAT_SOLD + 1);

		if (of[s] == NULL || !same_tail(of[s], seat)) {
			seat_tail(&tail[s], seat);
			of[s] = seat;
		}
		buf_text(out, i == 0 ? TEXT("{\"seatNumber\":") : TEXT(",{\"seatNumber\":"));
		buf_int(out, seat->seat_number);
		buf_text(out, buf_view(&tail[s]));
	}
	for (size_t s = 0; s <= CORE_SEAT_SOLD; s++)
		buf_free(&tail[s]);
}

/* What both forms of a show's seats begin with. */
static void begin_seats(struct json_out *o, struct buf *out, const struct core_show *show)
{
	jo_begin(o, out);
	jo_object(o);
	jo_kv_int(o, "concertId", show->concert_id);
	jo_kv_int(o, "showId", show->show_id);
	kv_date(o, "date", show->date);
	jo_kv_instant(o, "startsAt", show->starts_at);
	jo_kv_int(o, "version", show->version);
	jo_kv_bool(o, "closed", show->closed);
}

void http_write_seats(struct buf *out, const struct core_show *show, const struct core_seat *seats, size_t n)
{
	struct json_out o;

	buf_reserve(out, 256 + n * 80);
	begin_seats(&o, out, show);
	jo_key(&o, "availableSeats");
	jo_array(&o);
	for (size_t i = 0; i < n; i++) {
		if (seats[i].status == CORE_SEAT_FREE)
			jo_int(&o, seats[i].seat_number);
	}
	jo_end_array(&o);
	buf_text(out, TEXT(",\"seats\":["));
	write_seat_list(out, seats, n);
	buf_text(out, TEXT("]}"));
}

void http_write_seat_statuses(struct buf *out, const struct core_show *show, const struct core_seat *seats, size_t n)
{
	struct json_out o;

	buf_reserve(out, 256 + n);
	begin_seats(&o, out, show);
	buf_text(out, TEXT(",\"statuses\":\""));
	for (size_t i = 0; i < n; i++)
		buf_char(out, core_seat_status_name(seats[i].status)[0]);
	buf_text(out, TEXT("\"}"));
}

void http_write_show_stats(struct json_out *o, const struct engine_show *show, struct text title)
{
	jo_object(o);
	jo_kv_int(o, "showId", show->show.show_id);
	jo_kv_int(o, "concertId", show->show.concert_id);
	jo_kv_text(o, "title", title);
	kv_date(o, "date", show->show.date);
	jo_kv_instant(o, "startsAt", show->show.starts_at);
	jo_kv_bool(o, "closed", show->show.closed);
	jo_kv_int(o, "totalSeats", show->show.total_seats);
	jo_kv_int(o, "available", show->available);
	jo_kv_int(o, "held", show->held);
	jo_kv_int(o, "sold", show->sold);
	jo_kv_int(o, "revenue", show->revenue);
	jo_end_object(o);
}

/* ---- sales as CSV ---- */

void http_write_sales_header(struct buf *out)
{
	buf_str(out, "reservationId,userId,username,showId,date,seatNumbers,totalPrice,status,createdAt,heldUntil,paidAt\r\n");
}

/* A field of somebody else's making: quoted where RFC 4180 wants it, and with an apostrophe before what a spreadsheet would run as a
 * formula. */
static void csv_text(struct buf *out, struct text t)
{
	bool formula = t.n > 0 && memchr("=+-@\t\r", t.p[0], 6) != NULL;
	bool quote = false;

	for (size_t i = 0; i < t.n && !quote; i++)
		quote = memchr("\",\r\n", t.p[i], 4) != NULL;
	if (quote)
		buf_char(out, '"');
	if (formula)
		buf_char(out, '\'');
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '"')
			buf_char(out, '"');
		buf_char(out, t.p[i]);
	}
	if (quote)
		buf_char(out, '"');
}

static void csv_instant(struct buf *out, int64_t ms)
{
	char text[TEXT_INSTANT_SIZE];

	if (ms != 0)
		buf_add(out, text, text_instant_format(ms, text));
}

void http_write_sale(struct buf *out, const struct store_sale *sale, int64_t now)
{
	const struct core_reservation *r = &sale->reservation;
	char date[TEXT_DATE_SIZE];

	text_date_format(r->date, date);
	buf_int(out, r->reservation_id);
	buf_char(out, ',');
	buf_int(out, r->user_id);
	buf_char(out, ',');
	csv_text(out, sale->username);
	buf_char(out, ',');
	buf_int(out, r->show_id);
	buf_char(out, ',');
	buf_str(out, date);
	buf_char(out, ',');
	for (int32_t i = 0; i < r->seat_count; i++) {
		if (i > 0)
			buf_char(out, ' ');
		buf_int(out, r->seats[i]);
	}
	buf_char(out, ',');
	buf_int(out, r->total_price);
	buf_char(out, ',');
	buf_str(out, core_reservation_status_name(core_reservation_at(r, now)));
	buf_char(out, ',');
	csv_instant(out, r->created_at);
	buf_char(out, ',');
	csv_instant(out, r->held_until);
	buf_char(out, ',');
	csv_instant(out, r->paid_at);
	buf_str(out, "\r\n");
}

/* ---- replies ---- */

static void write_payment(struct json_out *o, const struct core_reply *reply)
{
	const struct core_reservation *r = &reply->reservation;

	jo_object(o);
	jo_kv_int(o, "paymentId", r->payment_id);
	jo_kv_int(o, "reservationId", r->reservation_id);
	jo_kv_int(o, "amount", r->total_price);
	jo_kv_int(o, "balance", reply->user.balance);
	jo_kv_instant(o, "paidAt", r->paid_at);
	kv_ints(o, "seatNumbers", r->seats, (size_t)r->seat_count);
	jo_kv_str(o, "status", core_reservation_status_name(r->status));
	jo_end_object(o);
}

static void write_balance(struct json_out *o, const struct core_user *user)
{
	jo_object(o);
	jo_kv_int(o, "userId", user->user_id);
	jo_kv_int(o, "balance", user->balance);
	jo_end_object(o);
}

static void write_new_ids(struct json_out *o, const struct core_reply *reply)
{
	jo_object(o);
	kv_ints(o, "queueIds", reply->queue_ids, reply->queue_id_count);
	kv_ints(o, "concertIds", reply->concert_ids, reply->concert_id_count);
	kv_ints(o, "showIds", reply->show_ids, reply->show_id_count);
	jo_end_object(o);
}

int http_render(const struct core_cmd *cmd, const struct core_reply *reply, struct buf *out)
{
	struct json_out o;

	jo_begin(&o, out);
	switch (cmd->op) {
	case CORE_JOIN:
		return reply->created ? 201 : 200;
	case CORE_HOLD:
		http_write_reservation(&o, &reply->reservation, reply->show.starts_at, reply->reservation.status);
		return 201;
	case CORE_CHARGE_WALLET:
		write_balance(&o, &reply->user);
		return 200;
	case CORE_PAY:
		write_payment(&o, reply);
		return 200;
	case CORE_PATCH_QUEUE:
		http_write_queue(&o, &reply->queue);
		return 200;
	case CORE_PATCH_CONCERT:
		http_write_concert(&o, &reply->concert);
		return 200;
	case CORE_PATCH_SHOW: /* the caller writes it, from the read model */
		return 200;
	case CORE_ADD_CATALOGUE:
		write_new_ids(&o, reply);
		return 201;
	case CORE_LEAVE:
	case CORE_CANCEL:
	case CORE_HEAR:
	case CORE_TICK:
		break;
	}
	return 204;
}
