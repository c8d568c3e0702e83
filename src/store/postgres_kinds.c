/* postgres_kinds.c: the tables' columns, and reading them into the structs of their kinds. */
#include "store/postgres.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

#define I(type, member, role)                                        \
	{                                                            \
#member, PG_INT, role, offsetof(struct type, member) \
	}
#define W(type, member, role)                                         \
	{                                                             \
#member, PG_INT4, role, offsetof(struct type, member) \
	}
#define B(type, member, role)                                         \
	{                                                             \
#member, PG_BOOL, role, offsetof(struct type, member) \
	}
#define T(type, member, role)                                         \
	{                                                             \
#member, PG_TEXT, role, offsetof(struct type, member) \
	}
#define AS(name, kind, type, member)                         \
	{                                                    \
		name, kind, 0, offsetof(struct type, member) \
	}

/* What never changes has no role: it is written once. */
const struct pg_table pg_tables[CORE_LIST_USER_NAMED] = {
    [CORE_ROW_USER] = {"users",
                       4,
                       true,
                       {I(core_user, user_id, PG_KEY), T(core_user, name, 0), I(core_user, balance, PG_SET | PG_WAS),
                        I(core_user, created_at, 0)}},
    [CORE_ROW_QUEUE] = {"queue",
                        12,
                        true,
                        {I(core_queue, queue_id, PG_KEY), T(core_queue, name, 0), I(core_queue, capacity, PG_SET | PG_WAS),
                         I(core_queue, ceiling, PG_SET | PG_WAS), I(core_queue, rate_per_second, PG_SET | PG_WAS),
                         I(core_queue, rate_free_at_us, PG_SET | PG_WAS), B(core_queue, paused, PG_SET | PG_WAS),
                         I(core_queue, last_number, PG_SET | PG_WAS), I(core_queue, waiting, PG_SET | PG_WAS),
                         I(core_queue, active, PG_SET | PG_WAS), I(core_queue, admitted, PG_SET | PG_WAS),
                         I(core_queue, passed, PG_SET | PG_WAS)}},
    [CORE_ROW_TICKET] = {"ticket",
                         10,
                         false,
                         {I(core_ticket, queue_id, PG_KEY), I(core_ticket, number, PG_KEY), I(core_ticket, user_id, 0),
                          W(core_ticket, status, PG_SET | PG_WAS), W(core_ticket, reason, PG_SET), I(core_ticket, issued_at, 0),
                          I(core_ticket, admitted_at, PG_SET), I(core_ticket, expires_at, PG_SET),
                          I(core_ticket, ended_at, PG_SET), I(core_ticket, returned_at, PG_SET)}},
    [CORE_ROW_CONCERT] = {"concert",
                          7,
                          false,
                          {I(core_concert, concert_id, PG_KEY), I(core_concert, queue_id, PG_SET | PG_WAS),
                           T(core_concert, title, PG_SET), T(core_concert, artist, PG_SET), T(core_concert, venue, PG_SET),
                           I(core_concert, sales_open_at, PG_SET | PG_WAS), I(core_concert, changed_at, PG_SET | PG_WAS)}},
    [CORE_ROW_SHOW] = {"show",
                       8,
                       true,
                       {I(core_show, show_id, PG_KEY), I(core_show, concert_id, 0), I(core_show, starts_at, PG_SET),
                        W(core_show, date, PG_SET), I(core_show, total_seats, PG_SET),
                        I(core_show, version, PG_SET | PG_WAS), I(core_show, changed_at, PG_SET),
                        B(core_show, closed, PG_SET)}},
    [CORE_ROW_SEAT] = {"seat",
                       8,
                       false,
                       {I(core_seat, show_id, PG_KEY), I(core_seat, seat_number, PG_KEY), T(core_seat, section, 0),
                        I(core_seat, price, PG_SET | PG_WAS), W(core_seat, status, PG_SET | PG_WAS),
                        I(core_seat, reservation_id, PG_SET | PG_WAS), I(core_seat, user_id, PG_SET),
                        I(core_seat, held_until, PG_SET)}},
    [CORE_ROW_RESERVATION] = {"reservation",
                              14,
                              false,
                              {I(core_reservation, reservation_id, PG_KEY), I(core_reservation, user_id, 0),
                               I(core_reservation, concert_id, 0), I(core_reservation, show_id, 0),
                               I(core_reservation, queue_id, 0), I(core_reservation, ticket_number, 0),
                               W(core_reservation, date, 0), I(core_reservation, total_price, 0),
                               W(core_reservation, status, PG_SET | PG_WAS), I(core_reservation, held_until, PG_SET),
                               I(core_reservation, created_at, 0), I(core_reservation, paid_at, PG_SET),
                               I(core_reservation, payment_id, PG_SET), AS("seats", PG_SEATS, core_reservation, seats)}},
    [CORE_ROW_ENTRY] = {"ledger",
                        11,
                        false,
                        {I(core_entry, user_id, 0), I(core_entry, entry_id, 0), W(core_entry, type, 0),
                         AS("debit_kind", PG_INT4, core_entry, debit.kind), AS("debit_id", PG_INT, core_entry, debit.id),
                         AS("credit_kind", PG_INT4, core_entry, credit.kind), AS("credit_id", PG_INT, core_entry, credit.id),
                         I(core_entry, amount, 0), I(core_entry, balance_after, 0), I(core_entry, reservation_id, 0),
                         I(core_entry, created_at, 0)}},
    [CORE_ROW_KEY] = {"idempotency",
                      6,
                      false,
                      {I(core_key_record, user_id, PG_KEY),
                       T(core_key_record, key, PG_KEY),
                       {"digest", PG_DIGEST, PG_SET, offsetof(struct core_key_record, digest)},
                       W(core_key_record, status, PG_SET),
                       T(core_key_record, body, PG_SET),
                       I(core_key_record, created_at, PG_SET | PG_WAS)}},
    [CORE_ROW_AUDIT] =
	{"audit_log",
         6,
         false,
         {I(core_audit, audit_id, 0), I(core_audit, created_at, 0), T(core_audit, actor, 0), T(core_audit, action, 0),
          T(core_audit, target, 0), T(core_audit, detail, 0)}},
};

/* ---- reading; results are binary ---- */

static int64_t big_endian(const char *p, int n)
{
	int16_t v2;
	int32_t v4;
	int64_t v8;
	switch (n) {
	case 2:
		memcpy(&v2, p, 2);
		return (int16_t)be16toh((uint16_t)v2);
	case 4:
		memcpy(&v4, p, 4);
		return (int32_t)be32toh((uint32_t)v4);
	case 8:
		memcpy(&v8, p, 8);
		return (int64_t)be64toh((uint64_t)v8);
	default:
		return 0;
	}
}

int64_t pg_int(const PGresult *res, int row, int column)
{
	return PQgetisnull(res, row, column) ? 0 : big_endian(PQgetvalue(res, row, column), PQgetlength(res, row, column));
}

struct text pg_text(const PGresult *res, int row, int column)
{
	return (struct text){PQgetvalue(res, row, column), (size_t)PQgetlength(res, row, column)};
}

#define ARRAY_HEAD 20 /* dimensions, whether there are NULLs, type, length, lower bound: four bytes each */

const int64_t *pg_ints(const PGresult *res, int row, int column, struct arena *arena, size_t *n)
{
	const char *p = PQgetvalue(res, row, column);
	int length = PQgetlength(res, row, column);
	*n = 0;
	if (length < ARRAY_HEAD || big_endian(p, 4) != 1) /* an empty array has no dimension */
		return NULL;
	size_t count = (size_t)big_endian(p + 12, 4);
	if ((size_t)length != ARRAY_HEAD + count * 12)
		return NULL;
	int64_t *out = arena_alloc(arena, count * sizeof *out);
	for (size_t i = 0; i < count; i++)
		out[i] = big_endian(p + ARRAY_HEAD + i * 12 + 4, 8);
	*n = count;
	return out;
}

static void read_column(const struct pg_column *c, const PGresult *res, int row, int at, struct arena *arena, char *out)
{
	void *to = out + c->offset;
	switch (c->type) {
	case PG_INT:
		*(int64_t *)to = pg_int(res, row, at);
		break;
	case PG_INT4:
		*(int32_t *)to = (int32_t)pg_int(res, row, at);
		break;
	case PG_BOOL:
		*(bool *)to = pg_int(res, row, at) != 0;
		break;
	case PG_TEXT:
		*(struct text *)to = arena_text(arena, pg_text(res, row, at));
		break;
	case PG_DIGEST:
		if (PQgetlength(res, row, at) == CORE_DIGEST_BYTES)
			memcpy(to, PQgetvalue(res, row, at), CORE_DIGEST_BYTES);
		break;
	case PG_SEATS: {
		struct core_reservation *r = (struct core_reservation *)(void *)out;
		size_t n;
		r->seats = pg_ints(res, row, at, arena, &n);
		r->seat_count = (int32_t)n;
		break;
	}
	}
}

void pg_row_read(enum core_kind kind, const PGresult *res, int row, int first, struct arena *arena, void *out)
{
	const struct pg_table *t = &pg_tables[kind];
	memset(out, 0, core_kind_size(kind));
	for (size_t i = 0; i < t->columns; i++)
		read_column(&t->column[i], res, row, first + (int)i, arena, out);
}
