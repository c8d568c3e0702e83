/* view.c: what a row is at an instant, and the names of its states. See core.h. */
#include "base/limits.h"
#include "core/core.h"

#include <stddef.h>

struct core_ticket core_ticket_at(const struct core_ticket *t, int64_t now)
{
	struct core_ticket seen = *t;
	bool ends = t->status == CORE_ACTIVE || t->status == CORE_PASSED;
	if (ends && t->expires_at <= now) {
		seen.status = CORE_EXPIRED;
		seen.reason = t->status == CORE_ACTIVE ? CORE_TIMED_OUT : CORE_ABANDONED;
		seen.ended_at = t->expires_at;
		if (t->status == CORE_PASSED)
			seen.expires_at = 0; /* that was the end of the grace, not of an active place */
	} else if (t->status == CORE_PASSED) {
		seen.status = CORE_WAITING;
		seen.expires_at = 0;
	}
	return seen;
}

bool core_token_opens(const struct core_ticket *t, int64_t now)
{
	return core_ticket_at(t, now).status != CORE_EXPIRED || now - t->issued_at < JARI_TOKEN_LIFE_MS;
}

enum core_code core_admission(const struct core_ticket *t, int64_t queue_id, int64_t now)
{
	if (t->queue_id != queue_id)
		return CORE_WRONG_QUEUE;
	return core_ticket_at(t, now).status == CORE_ACTIVE ? CORE_OK : CORE_NOT_ADMITTED;
}

enum core_reservation_status core_reservation_at(const struct core_reservation *r, int64_t now)
{
	return r->status == CORE_RES_HELD && r->held_until <= now ? CORE_RES_EXPIRED : r->status;
}

enum core_seat_status core_seat_at(enum core_seat_status status, int64_t held_until, int64_t now)
{
	return status == CORE_SEAT_HELD && held_until <= now ? CORE_SEAT_FREE : status;
}

bool core_show_bookable(int64_t starts_at, int64_t now)
{
	return now < starts_at;
}

bool core_date_means(struct core_date *date, int64_t starts_at, int64_t now)
{
	if (core_show_bookable(starts_at, now))
		return ++date->coming == 1;
	return ++date->begun == 1 && date->coming == 0;
}

bool core_show_on_sale(const struct core_show *show, int64_t now)
{
	return !show->closed && core_show_bookable(show->starts_at, now);
}

const char *core_ticket_status_name(enum core_ticket_status s)
{
	switch (s) {
	case CORE_WAITING:
	case CORE_PASSED:
		return "WAITING";
	case CORE_ACTIVE:
		return "ACTIVE";
	case CORE_EXPIRED:
		break;
	}
	return "EXPIRED";
}

const char *core_ticket_reason_name(enum core_ticket_reason r)
{
	switch (r) {
	case CORE_PAID:
		return "PAID";
	case CORE_TIMED_OUT:
		return "TIMED_OUT";
	case CORE_LEFT:
		return "LEFT";
	case CORE_ABANDONED:
		return "ABANDONED";
	case CORE_REASON_NONE:
		break;
	}
	return NULL;
}

const char *core_seat_status_name(enum core_seat_status s)
{
	switch (s) {
	case CORE_SEAT_HELD:
		return "HELD";
	case CORE_SEAT_SOLD:
		return "SOLD";
	case CORE_SEAT_FREE:
		break;
	}
	return "AVAILABLE";
}

const char *core_reservation_status_name(enum core_reservation_status s)
{
	switch (s) {
	case CORE_RES_HELD:
		return "HELD";
	case CORE_RES_PAID:
		return "PAID";
	case CORE_RES_CANCELLED:
		return "CANCELLED";
	case CORE_RES_REFUNDED:
		return "REFUNDED";
	case CORE_RES_EXPIRED:
		break;
	}
	return "EXPIRED";
}

const char *core_entry_type_name(enum core_entry_type t)
{
	switch (t) {
	case CORE_PAYMENT:
		return "PAYMENT";
	case CORE_REFUND:
		return "REFUND";
	case CORE_CHARGE:
		break;
	}
	return "CHARGE";
}
