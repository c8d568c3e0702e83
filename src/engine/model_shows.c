/* model_shows.c: the read model's shows and seats. See model.h.
 *
 * A hold that has lapsed is free at that very instant, though the tick that ends it comes a little later. So each show keeps its live
 * holds by their end: what has lapsed at an instant is a prefix of them. The version that is shown is the stored one plus the lapsed
 * holds, which is just what it will be when the tick has ended them; it only grows. */
#include "engine/model.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

/* Keeps a concert's shows soonest first: by start, then by id. */
static void list_show(struct model_concert *c, struct model_show *s)
{
	if (c->show_count == c->show_cap) {
		c->show_cap = c->show_cap ? c->show_cap * 2 : 4;
		c->shows = mem_grow(c->shows, (size_t)c->show_cap * sizeof *c->shows);
	}
	int64_t at = c->show_count++;
	for (; at > 0; at--) {
		const struct core_show *before = &c->shows[at - 1]->row;
		if (before->starts_at < s->row.starts_at ||
		    (before->starts_at == s->row.starts_at && before->show_id < s->row.show_id))
			break;
		c->shows[at] = c->shows[at - 1];
	}
	c->shows[at] = s;
}

/* Takes it from where its old start had put it. */
static void unlist_show(struct model_concert *c, const struct model_show *s)
{
	int64_t at = 0;
	while (c->shows[at] != s)
		at++;
	c->show_count--;
	memmove(&c->shows[at], &c->shows[at + 1], (size_t)(c->show_count - at) * sizeof(struct model_show *));
}

void model_show_changed(struct model *m, struct model_show *s)
{
	s->state = ++m->states;
}

static void show_put(struct model *m, struct model_show *s, const struct core_show *row)
{
	if (s->row.starts_at == row->starts_at) {
		s->row = *row;
		return;
	}
	struct model_concert *c = model_concert_room(m, row->concert_id);
	unlist_show(c, s);
	s->row = *row;
	list_show(c, s);
}

void model_show_put(struct model *m, const struct core_show *row)
{
	struct model_show *s = model_id_get(&m->shows, row->show_id);
	if (s) {
		show_put(m, s, row);
	} else {
		s = mem_zero(sizeof *s);
		s->row = *row;
		model_id_put(&m->shows, row->show_id, s);
		list_show(model_concert_room(m, row->concert_id), s);
	}
	model_show_changed(m, s);
}

void model_show_free(struct model_show *s)
{
	for (uint32_t i = 0; i < s->section_count; i++)
		free((void *)s->sections[i].p);
	free(s->sections);
	free(s->seats);
	free(s->holds);
	free(s);
}

/* ---- live holds ---- */

static struct model_hold *hold_at(const struct model_show *s, int64_t i)
{
	return &s->holds[s->hold_first + i];
}

/* The index of the first hold that is not before (held_until, reservation_id). */
static int64_t hold_index(const struct model_show *s, int64_t held_until, int64_t reservation_id)
{
	int64_t lo = 0;
	int64_t hi = s->hold_count;
	while (lo < hi) {
		int64_t mid = (lo + hi) / 2;
		const struct model_hold *h = hold_at(s, mid);
		if (h->held_until < held_until || (h->held_until == held_until && h->reservation_id < reservation_id))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct model_hold *hold_find(const struct model_show *s, int64_t held_until, int64_t reservation_id)
{
	int64_t at = hold_index(s, held_until, reservation_id);
	return at < s->hold_count && hold_at(s, at)->reservation_id == reservation_id ? hold_at(s, at) : NULL;
}

/* Room for one more behind the last. What is free in front is used again once it is the greater part. */
static void hold_room(struct model_show *s)
{
	if (s->hold_first + s->hold_count < s->hold_cap)
		return;
	if (s->hold_first <= s->hold_cap / 2) {
		s->hold_cap = s->hold_cap ? s->hold_cap * 2 : 16;
		s->holds = mem_grow(s->holds, (size_t)s->hold_cap * sizeof *s->holds);
		return;
	}
	memmove(s->holds, hold_at(s, 0), (size_t)s->hold_count * sizeof *s->holds);
	s->hold_first = 0;
}

static struct model_hold *hold_make(struct model_show *s, int64_t held_until, int64_t reservation_id)
{
	struct model_hold *known = hold_find(s, held_until, reservation_id);
	if (known)
		return known;
	hold_room(s);
	int64_t at = hold_index(s, held_until, reservation_id);
	memmove(hold_at(s, at + 1), hold_at(s, at), (size_t)(s->hold_count - at) * sizeof *s->holds);
	*hold_at(s, at) = (struct model_hold){held_until, reservation_id, 0};
	s->hold_count++;
	return hold_at(s, at);
}

/* Those on the shorter side move up: it is mostly the oldest or the newest that goes, and there may be a hundred thousand. */
static void hold_remove(struct model_show *s, int64_t held_until, int64_t reservation_id)
{
	if (!hold_find(s, held_until, reservation_id))
		return;
	int64_t at = hold_index(s, held_until, reservation_id), behind = s->hold_count - at - 1;
	if (at < behind)
		memmove(hold_at(s, 1), hold_at(s, 0), (size_t)at * sizeof *s->holds);
	else
		memmove(hold_at(s, at), hold_at(s, at + 1), (size_t)behind * sizeof *s->holds);
	s->hold_first += at < behind;
	s->hold_count--;
}

void model_reservation_put(struct model *m, const struct core_reservation *row)
{
	struct model_show *s = model_id_get(&m->shows, row->show_id);
	if (!s)
		return;
	if (row->status == CORE_RES_HELD)
		(void)hold_make(s, row->held_until, row->reservation_id);
	else
		hold_remove(s, row->held_until, row->reservation_id);
	model_show_changed(m, s);
}

int64_t model_lapsed(const struct model_show *s, int64_t now, int64_t *seats)
{
	int64_t n = 0;
	*seats = 0;
	while (n < s->hold_count && hold_at(s, n)->held_until <= now)
		*seats += hold_at(s, n++)->seats;
	return n;
}

/* ---- seats ---- */

static uint32_t section_index(struct model_show *s, struct text section)
{
	for (uint32_t i = s->section_count; i > 0; i--) { /* the last one is the likeliest */
		if (text_equal(s->sections[i - 1], section))
			return i - 1;
	}
	s->sections = mem_grow(s->sections, (s->section_count + 1) * sizeof *s->sections);
	s->sections[s->section_count] = model_text(section);
	return s->section_count++;
}

/* The seat of that number; made when it is not there. Seats come by number when a show is new, so they are added at the end. */
static struct model_seat *seat_room(struct model_show *s, const struct core_seat *row)
{
	int64_t lo = 0;
	int64_t hi = s->seat_count;
	while (lo < hi) {
		int64_t mid = (lo + hi) / 2;
		if (s->seats[mid].number < row->seat_number)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < s->seat_count && s->seats[lo].number == row->seat_number)
		return &s->seats[lo];
	if (s->seat_count == s->seat_cap) {
		int64_t cap = s->seat_cap ? s->seat_cap * 2 : s->row.total_seats;
		s->seat_cap = cap > 0 ? cap : 16;
		s->seats = mem_grow(s->seats, (size_t)s->seat_cap * sizeof *s->seats);
	}
	memmove(&s->seats[lo + 1], &s->seats[lo], (size_t)(s->seat_count - lo) * sizeof *s->seats);
	s->seat_count++;
	s->seats[lo] = (struct model_seat){.number = row->seat_number, .section = section_index(s, row->section)};
	return &s->seats[lo];
}

static void uncount(struct model_show *s, const struct model_seat *seat)
{
	if (seat->status == CORE_SEAT_SOLD) {
		s->sold--;
		s->revenue -= seat->price;
	}
	if (seat->status != CORE_SEAT_HELD)
		return;
	s->held--;
	struct model_hold *h = hold_find(s, seat->held_until, seat->reservation_id);
	if (h)
		h->seats--;
}

static void count(struct model_show *s, const struct model_seat *seat)
{
	if (seat->status == CORE_SEAT_SOLD) {
		s->sold++;
		s->revenue += seat->price;
	}
	if (seat->status != CORE_SEAT_HELD)
		return;
	s->held++;
	hold_make(s, seat->held_until, seat->reservation_id)->seats++;
}

void model_seat_put(struct model *m, const struct core_seat *row)
{
	struct model_show *s = model_id_get(&m->shows, row->show_id);
	if (!s)
		return;
	struct model_seat *seat = seat_room(s, row);
	uncount(s, seat);
	seat->price = row->price;
	seat->reservation_id = row->reservation_id;
	seat->held_until = row->held_until;
	seat->status = (uint8_t)row->status;
	count(s, seat);
	model_show_changed(m, s);
}
