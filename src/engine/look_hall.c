/* look_hall.c: a show's sections, and its seats by section, for the organiser. See engine.h. */
#include "engine/internal.h"

#include <string.h>

static void count_seat(struct engine_section *section, const struct model_seat *seat, enum core_seat_status status)
{
	if (section->total == 0 || seat->price < section->lowest_price)
		section->lowest_price = seat->price;
	if (section->total == 0 || seat->price > section->highest_price)
		section->highest_price = seat->price;
	section->total++;
	section->held += status == CORE_SEAT_HELD;
	section->sold += status == CORE_SEAT_SOLD;
	if (status == CORE_SEAT_SOLD)
		section->revenue += seat->price;
}

static void count_sections(const struct model_show *s, int64_t now, struct engine_section *sections)
{
	for (uint32_t i = 0; i < s->section_count; i++)
		sections[i] = (struct engine_section){.name = s->sections[i]};
	for (int64_t i = 0; i < s->seat_count; i++) {
		const struct model_seat *seat = &s->seats[i];
		count_seat(&sections[seat->section], seat, core_seat_at(seat->status, seat->held_until, now));
	}
}

/* Each section's seats together, by number. */
static void sort_seats(const struct model_show *s, int64_t now, struct arena *arena, struct engine_section *sections)
{
	struct engine_seat *out = arena_alloc(arena, (size_t)(s->seat_count + 1) * sizeof *out);
	struct engine_seat **next = arena_alloc(arena, (s->section_count + 1) * sizeof(struct engine_seat *));
	struct engine_seat *at = out;
	for (uint32_t i = 0; i < s->section_count; i++) {
		sections[i].seats = next[i] = at;
		at += sections[i].total;
	}
	for (int64_t i = 0; i < s->seat_count; i++) {
		const struct model_seat *seat = &s->seats[i];
		*next[seat->section]++ = (struct engine_seat){
		    .number = seat->number, .price = seat->price, .status = core_seat_at(seat->status, seat->held_until, now)};
	}
}

bool engine_look_hall(struct engine *e, int64_t show_id, int64_t now, bool seats, struct arena *arena, struct engine_hall *out)
{
	*out = (struct engine_hall){0};
	(void)pthread_rwlock_rdlock(&e->model.lock);
	const struct model_show *s = model_id_get(&e->model.shows, show_id);
	if (s) {
		model_show_view(s, now, &out->show);
		out->sections = arena_alloc(arena, (s->section_count + 1) * sizeof *out->sections);
		out->section_count = s->section_count;
		count_sections(s, now, out->sections);
		if (seats)
			sort_seats(s, now, arena, out->sections);
	}
	(void)pthread_rwlock_unlock(&e->model.lock);
	return s != NULL;
}
