#include "http/http.h"
#include "http/reply.h"

#include <inttypes.h>

/* A sentence names this many seats; the members beside it have them all. */
#define SEATS_NAMED 10

/* "Seat 7", "Seats 7 and 8", "Seats 1, 2, 3 and 40 more". */
static void name_seats(struct buf *s, const int64_t *seats, size_t n)
{
	size_t named = n > SEATS_NAMED ? SEATS_NAMED : n;

	buf_str(s, n == 1 ? "Seat " : "Seats ");
	for (size_t i = 0; i < named; i++) {
		if (i > 0)
			buf_str(s, i + 1 == n ? " and " : ", ");
		buf_int(s, seats[i]);
	}
	if (n > named)
		buf_printf(s, " and %zu more", n - named);
}

static void refuse_taken(const struct core_cmd *cmd, const struct core_reply *reply, struct json_out *o, struct buf *s)
{
	jo_key(o, "conflicts");
	jo_array(o);
	for (size_t i = 0; i < reply->seat_count; i++)
		jo_int(o, reply->seats[i]);
	jo_end_array(o);
	if (reply->seat_count == 1) {
		name_seats(s, reply->seats, 1);
		buf_str(s, " has just been taken by somebody else. Choose another one.");
	} else if (reply->seat_count > 1) {
		name_seats(s, reply->seats, reply->seat_count);
		buf_str(s, " have just been taken by somebody else. Choose others.");
	} else if (cmd->op == CORE_HOLD && cmd->u.hold.best_section.n > 0) {
		buf_printf(s, "Section %.*s has fewer than %" PRId64 " free seats. Ask for fewer, or for another section.",
		           (int)cmd->u.hold.best_section.n, cmd->u.hold.best_section.p, cmd->u.hold.best_count);
	} else {
		buf_str(s, "There are not that many free seats. Ask for fewer, or for another show.");
	}
}

static void refuse_no_seat(const struct core_cmd *cmd, const struct core_reply *reply, struct buf *s)
{
	if (reply->seat_count > 0) {
		name_seats(s, reply->seats, reply->seat_count);
		buf_str(s, reply->seat_count == 1 ? " is" : " are");
		buf_str(s, " not among the seats of this show. The list of seats shows which there are.");
	} else if (cmd->op == CORE_HOLD && cmd->u.hold.best_section.n > 0) {
		buf_printf(s, "The show has no section %.*s. The list of seats shows which there are.",
		           (int)cmd->u.hold.best_section.n, cmd->u.hold.best_section.p);
	} else {
		buf_str(s, "The show has no such seat. The list of seats shows which there are.");
	}
}

static void refuse_balance(const struct core_reply *reply, struct json_out *o, struct buf *s)
{
	jo_kv_int(o, "balance", reply->user.balance);
	jo_kv_int(o, "required", reply->required);
	buf_printf(s,
	           "The wallet has %" PRId64 " won and the seats cost %" PRId64
	           " won. Charge the wallet and pay again; the seats stay held "
	           "until the hold ends.",
	           reply->user.balance, reply->required);
}

static void refuse_sales(const struct core_reply *reply, struct json_out *o, struct buf *s)
{
	char at[TEXT_INSTANT_SIZE];

	jo_kv_instant(o, "salesOpenAt", reply->sales_open_at);
	(void)text_instant_format(reply->sales_open_at, at);
	buf_printf(s, "Sales open at %s. Until then seats can be seen, and not held.", at);
}

static void refuse_invalid(const struct core_reply *reply, struct buf *s)
{
	if (reply->where.n > 0)
		buf_printf(s, "\"%.*s\" ", (int)reply->where.n, reply->where.p);
	buf_text(s, reply->what);
	if (s->n == 0)
		buf_str(s, "The request asks for something that cannot be.");
	else if (s->p[s->n - 1] != '.')
		buf_char(s, '.');
}

void http_refusal_admission(const struct core_ticket *ticket, int64_t position, struct buf *members, struct buf *sentence)
{
	struct json_out o;

	jo_begin(&o, members);
	jo_kv_str(&o, "ticketStatus", core_ticket_status_name(ticket->status));
	jo_kv_int(&o, "position", ticket->status == CORE_WAITING ? position : 0);
	if (ticket->status == CORE_WAITING)
		buf_printf(sentence, "The ticket is at position %" PRId64 " of the line. Wait until GET /api/check says ACTIVE.",
		           position);
	else
		buf_str(sentence, "The ticket's place has ended. Take a new one with POST /api/getToken.");
}

/* The sentences that are the same whatever was asked. */
static const char *plain_sentence(enum core_code code)
{
	switch (code) {
	case CORE_TOKEN_REQUIRED:
		return "Send the header Authorization: Bearer, with the token of POST /api/getToken.";
	case CORE_TOKEN_INVALID:
		return "The token is not of a ticket here, or is too old. Take a new one with POST /api/getToken.";
	case CORE_WRONG_QUEUE:
		return "The ticket is of another queue than this concert's. Take a place with POST /api/getToken and this concertId.";
	case CORE_SALES_CLOSED:
		return "The organiser has closed the sale of this show. Seats that are held can still be paid.";
	case CORE_NOT_FOUND:
		return "There is nothing of this id.";
	case CORE_CONCERT_NOT_FOUND:
		return "There is no concert of this id. GET /api/concerts lists those there are.";
	case CORE_SHOW_NOT_FOUND:
		return "The concert has no such show that can still be booked. The list of dates shows those there are.";
	case CORE_USER_NOT_FOUND:
		return "The token's user has another id than the path. A token opens its own user's wallet alone.";
	case CORE_RESERVATION_NOT_FOUND:
		return "The token's user has no reservation of this id.";
	case CORE_ALREADY_PAID:
		return "The reservation is paid already; nothing was taken from the wallet again.";
	case CORE_AMOUNT_MISMATCH:
		return "The amount is not the reservation's total price. Leave it out, or send totalPrice.";
	case CORE_NOT_HELD:
		return "The reservation is no live hold any more: it has been paid, given up or refunded, or its time is over.";
	case CORE_AMBIGUOUS_DATE:
		return "The concert has more than one show on this date. Name one by its showId.";
	case CORE_HOLD_EXPIRED:
		return "The hold has ended and its seats are free again. Hold seats anew and pay within the time given.";
	case CORE_IDEMPOTENCY_KEY_REUSED:
		return "This Idempotency-Key was sent before with another request. Use a new key for each new request.";
	case CORE_RATE_LIMITED:
		return "Too many requests in a short time. Ask again after the seconds that Retry-After names.";
	case CORE_OVERLOADED:
		return "The server has more to do than it can take in just now. Nothing was changed; try again shortly.";
	case CORE_STORE_UNAVAILABLE:
		return "The store cannot be reached just now. Try again shortly, with the same Idempotency-Key where there is one.";
	case CORE_STOPPING:
		return "This server is about to stop. What is asked of it is still answered; ask another one.";
	default:
		return core_code_title(code);
	}
}

void http_refusal(const struct core_cmd *cmd, const struct core_reply *reply, int64_t position, struct buf *members,
                  struct buf *sentence)
{
	struct json_out o;

	jo_begin(&o, members);
	switch (reply->code) {
	case CORE_INVALID_REQUEST:
		refuse_invalid(reply, sentence);
		break;
	case CORE_INSUFFICIENT_BALANCE:
		refuse_balance(reply, &o, sentence);
		break;
	case CORE_NOT_ADMITTED:
		http_refusal_admission(&reply->ticket, position, members, sentence);
		break;
	case CORE_SALES_NOT_OPEN:
		refuse_sales(reply, &o, sentence);
		break;
	case CORE_SEAT_NOT_FOUND:
		refuse_no_seat(cmd, reply, sentence);
		break;
	case CORE_SEAT_TAKEN:
		refuse_taken(cmd, reply, &o, sentence);
		break;
	case CORE_ALREADY_YOURS:
		jo_kv_int(&o, "reservationId", reply->reservation_id);
		buf_printf(sentence, "You have a seat of these already, in reservation %" PRId64 ".", reply->reservation_id);
		break;
	case CORE_LIMIT_EXCEEDED:
		jo_kv_int(&o, "limit", reply->limit);
		buf_printf(sentence, "One person may have at most %" PRId64 " seats of a show, held and paid ones together.",
		           reply->limit);
		break;
	case CORE_BALANCE_LIMIT:
		buf_printf(sentence, "A wallet holds at most %lld won. Charge less.", JARI_BALANCE_MAX);
		break;
	default:
		buf_str(sentence, plain_sentence(reply->code));
	}
}

void http_refuse(struct http_request *req, const struct core_reply *reply)
{
	struct buf members = {0}, sentence = {0};
	struct engine_ticket view;
	int64_t position = 0;

	if (reply->code == CORE_NOT_ADMITTED && reply->ticket.status == CORE_WAITING) {
		int64_t now = engine_now(req->app->engine);

		position = 1;
		if (engine_look_ticket(req->app->engine, reply->ticket.queue_id, reply->ticket.number, now, &view)) {
			position = view.ahead + 1;
			http_header(req, "Retry-After", "%" PRId64, view.retry_after_seconds);
		}
	}
	http_refusal(&req->job.cmd, reply, position, &members, &sentence);
	http_problem_with(req, reply->code, buf_view(&members), "%.*s", (int)sentence.n, sentence.p);
	buf_free(&members);
	buf_free(&sentence);
}
