/* postgres_time.c: the database's clock, read without asking for it. See postgres.h.
 *
 * Each answer with the database's clock in it says between which bounds this machine's monotonic clock is behind it: the database looked at its clock
 * after the question was sent and before the answer came. */
#include "store/postgres.h"

#include "base/clock.h"

#define SLEW 1000 /* an offset that is too large shrinks by a thousandth of the time that goes by */

void pg_clock_heard(struct pg_store *s, int64_t sent_us, int64_t db_us)
{
	int64_t now_us = clock_elapsed_us(), least = db_us - now_us, most = db_us - sent_us;
	if (!s->has_offset || s->offset_us < least) {
		s->offset_us = s->has_offset ? least : least + (most - least) / 2;
		s->has_offset = true;
	} else if (s->offset_us > most) {
		/* The database's clock was set back, or runs slower: time goes on, a little slower too. */
		int64_t step = (now_us - s->slewed_us) / SLEW;
		s->offset_us = s->offset_us - most < step ? most : s->offset_us - step;
	}
	s->slewed_us = now_us;
}

void pg_now_heard(struct pg_store *s, const PGresult *res)
{
	pg_clock_heard(s, s->asked_us, pg_int(res, 0, 0));
	s->standbys = pg_int(res, 0, 1) != 0;
}

/* What was decided already may be ahead of the database's clock, which was set back while no server ran, or is another machine's now: time goes on
 * from there at the pace of the monotonic clock. */
int64_t pg_clock_now(struct pg_store *s)
{
	int64_t elapsed_us = clock_elapsed_us(), least_us = s->high * 1000 - elapsed_us;
	if (s->offset_us < least_us)
		s->offset_us = least_us;
	s->high = (s->offset_us + elapsed_us) / 1000;
	return s->high;
}
