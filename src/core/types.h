/* types.h: the rows that the rules read and change. The same words stand in SQL, in JSON and on the pages.
 *
 * Every instant is milliseconds since 1970 in UTC, 0 when there is none; every amount is won; every id is positive, 0 when there
 * is none. Texts point into memory that belongs to whoever filled the row (a batch's arena, as a rule).
 * Enum values are what the stores keep: never renumber them. */
#ifndef JARI_CORE_TYPES_H
#define JARI_CORE_TYPES_H

#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

struct core_user {
	int64_t user_id;
	struct text name; /* unique */
	int64_t balance;  /* I3: the sum of the wallet's ledger entries, 0 .. JARI_BALANCE_MAX */
	int64_t created_at;
};

struct core_queue {
	int64_t queue_id;
	struct text name; /* unique */
	int64_t capacity; /* how many may be active */
	int64_t ceiling;  /* I6: active <= ceiling. The capacity, or what was active when it was lowered, until those left */
	int64_t rate_per_second; /* admissions a second at most; 0: no limit */
	int64_t rate_free_at_us; /* microseconds: when the rate lets the next one in (GCRA's theoretical arrival time) */
	bool paused;
	int64_t last_number; /* I5: numbers 1 .. last_number are issued */
	int64_t waiting, active, admitted;
	int64_t passed; /* wait too, but are passed over until they are heard from; not among `waiting` */
};

/* PASSED waits as well, but has not been heard from: admission passes it over until it asks again. To the world it is WAITING. */
enum core_ticket_status { CORE_WAITING = 1, CORE_ACTIVE = 2, CORE_EXPIRED = 3, CORE_PASSED = 4 };
enum core_ticket_reason { CORE_REASON_NONE = 0, CORE_PAID = 1, CORE_TIMED_OUT = 2, CORE_LEFT = 3, CORE_ABANDONED = 4 };

struct core_ticket {
	int64_t queue_id, number; /* the key */
	int64_t user_id;
	enum core_ticket_status status;
	enum core_ticket_reason reason;
	int64_t issued_at, admitted_at;
	int64_t expires_at; /* of the active place, kept after the end; of a PASSED one: when its place in the line is lost */
	int64_t ended_at;
	int64_t returned_at; /* when it last came back into the line after having been passed over */
};

struct core_concert {
	int64_t concert_id, queue_id;
	struct text title, artist, venue;
	int64_t sales_open_at;
	int64_t changed_at; /* when an organiser last changed it; 0: never */
};

struct core_show {
	int64_t show_id, concert_id;
	int64_t starts_at;
	int32_t date; /* yyyymmdd, the local date of the venue */
	int64_t total_seats;
	int64_t version;    /* grows with every change of it or its seats: by 1 when a hold lapses, by 2 at everything else */
	int64_t changed_at; /* when an organiser last changed it; 0: never */
	bool closed;        /* no new holds */
};

enum core_seat_status { CORE_SEAT_FREE = 0, CORE_SEAT_HELD = 1, CORE_SEAT_SOLD = 2 };

struct core_seat {
	int64_t show_id, seat_number; /* the key. I1: a seat is one row, and names at most one reservation */
	struct text section;
	int64_t price;
	enum core_seat_status status;
	int64_t reservation_id, user_id; /* 0 when free */
	int64_t held_until;              /* 0 unless HELD */
};

enum core_reservation_status {
	CORE_RES_HELD = 1,
	CORE_RES_PAID = 2,
	CORE_RES_EXPIRED = 3,
	CORE_RES_CANCELLED = 4,
	CORE_RES_REFUNDED = 5
};

struct core_reservation {
	int64_t reservation_id, user_id, concert_id, show_id;
	int64_t queue_id, ticket_number; /* the ticket that held the seats */
	int32_t date; /* the show's when it was held; the show may have been moved since */
	int64_t total_price;
	enum core_reservation_status status;
	int64_t held_until, created_at;
	int64_t paid_at, payment_id; /* 0 until paid; the payment is the ledger entry of that id */
	int32_t seat_count;
	const int64_t *seats; /* ascending */
};

/* The ledger's accounts (I3): money outside, a user's wallet, a concert's revenue. */
enum core_account_kind { CORE_OUTSIDE = 0, CORE_WALLET = 1, CORE_REVENUE = 2 };
struct core_account {
	enum core_account_kind kind;
	int64_t id; /* 0 for money outside, a user id, a concert id */
};

enum core_entry_type { CORE_CHARGE = 1, CORE_PAYMENT = 2, CORE_REFUND = 3 };

/* One entry moves `amount` from the debited to the credited account. Append-only. */
struct core_entry {
	int64_t user_id, entry_id; /* the key: the user whose wallet is on one side, and an id that grows */
	enum core_entry_type type;
	struct core_account debit, credit;
	int64_t amount;         /* 0 or more */
	int64_t balance_after;  /* of the wallet */
	int64_t reservation_id; /* 0 for a charge */
	int64_t created_at;
};

#define CORE_DIGEST_BYTES 32

/* I8: the answer that an idempotency key has had. */
struct core_key_record {
	int64_t user_id; /* the key: user and key */
	struct text key;
	uint8_t digest[CORE_DIGEST_BYTES]; /* of the request's method, path and body */
	int32_t status;                    /* HTTP status of the answer */
	struct text body;                  /* its bytes */
	int64_t created_at;
};

/* One line of the organisers' audit log. */
struct core_audit {
	int64_t audit_id;
	int64_t created_at;
	struct text actor, action, target;
	struct text detail; /* JSON */
};

#endif
