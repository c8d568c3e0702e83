/* reply_organiser.c: shows as the organiser sees them. See reply.h. */
#include "http/reply.h"

/* Ranges of numbers: [[1,50],[60,60]]. */
static void write_numbers(struct json_out *o, const struct engine_section *s)
{
	jo_key(o, "numbers");
	jo_array(o);
	for (int64_t i = 0, next; i < s->total; i = next) {
		for (next = i + 1; next < s->total && s->seats[next].number == s->seats[next - 1].number + 1;)
			next++;
		jo_array(o);
		jo_int(o, s->seats[i].number);
		jo_int(o, s->seats[next - 1].number);
		jo_end_array(o);
	}
	jo_end_array(o);
}

/* A letter a seat. */
static void write_states(struct json_out *o, const struct engine_section *s)
{
	static const char letters[] = {[CORE_SEAT_FREE] = 'A', [CORE_SEAT_HELD] = 'H', [CORE_SEAT_SOLD] = 'S'};
	jo_key(o, "states");
	buf_reserve(o->b, (size_t)s->total + 2);
	buf_char(o->b, '"');
	for (int64_t i = 0; i < s->total; i++)
		buf_char(o->b, letters[s->seats[i].status]);
	buf_char(o->b, '"');
	o->comma = true;
}

/* How many seats in a row cost the same: [[48,50000],[2,45000]]. */
static void write_price_runs(struct json_out *o, const struct engine_section *s)
{
	jo_key(o, "priceRuns");
	jo_array(o);
	for (int64_t i = 0, next; i < s->total; i = next) {
		for (next = i + 1; next < s->total && s->seats[next].price == s->seats[i].price;)
			next++;
		jo_array(o);
		jo_int(o, next - i);
		jo_int(o, s->seats[i].price);
		jo_end_array(o);
	}
	jo_end_array(o);
}

static void write_section(struct json_out *o, const struct engine_section *s)
{
	jo_object(o);
	jo_kv_text(o, "section", s->name);
	jo_kv_int(o, "totalSeats", s->total);
	jo_kv_int(o, "available", s->total - s->held - s->sold);
	jo_kv_int(o, "held", s->held);
	jo_kv_int(o, "sold", s->sold);
	jo_kv_int(o, "revenue", s->revenue);
	jo_kv_int(o, "lowestPrice", s->lowest_price);
	jo_kv_int(o, "highestPrice", s->highest_price);
	if (s->seats) {
		write_numbers(o, s);
		write_states(o, s);
		write_price_runs(o, s);
	}
	jo_end_object(o);
}

void http_write_hall_open(struct json_out *o, const struct engine_hall *hall)
{
	const struct core_show *show = &hall->show.show;
	jo_object(o);
	jo_kv_int(o, "showId", show->show_id);
	jo_kv_int(o, "concertId", show->concert_id);
	jo_key(o, "date");
	jo_date(o, show->date);
	jo_kv_instant(o, "startsAt", show->starts_at);
	jo_kv_bool(o, "closed", show->closed);
	jo_kv_int(o, "version", show->version);
	jo_kv_int(o, "totalSeats", show->total_seats);
	jo_kv_int(o, "available", hall->show.available);
	jo_kv_int(o, "held", hall->show.held);
	jo_kv_int(o, "sold", hall->show.sold);
	jo_kv_int(o, "revenue", hall->show.revenue);
	jo_key(o, "sections");
	jo_array(o);
	for (size_t i = 0; i < hall->section_count; i++)
		write_section(o, &hall->sections[i]);
	jo_end_array(o);
}

void http_write_hall(struct json_out *o, const struct engine_hall *hall)
{
	http_write_hall_open(o, hall);
	jo_end_object(o);
}
