/* model_seats.h: which show and which seats a hold means, and what the best ones must be like. A part of model.c.
 *
 * Everything is found by going through all there is. Pure but for m->why. */
#ifndef JARI_TESTS_MODEL_SEATS_H
#define JARI_TESTS_MODEL_SEATS_H

#include "model.h"

/* The bookable show, or how many there are: *n 0 none, 2 more than one. */
static inline struct model_show *find_show(struct model *m, const struct core_cmd *cmd, int64_t now, int *n)
{
	struct model_show *found = NULL;

	*n = 0;
	for (int i = 0; i < m->shows; i++) {
		struct model_show *s = &m->show[i];
		bool asked = cmd->u.hold.show_id ? s->id == cmd->u.hold.show_id : s->date == cmd->u.hold.date;

		if (s->concert_id != cmd->u.hold.concert_id || !asked || now >= s->starts_at)
			continue;
		found = s;
		*n = *n ? 2 : 1;
	}
	return found;
}

static inline bool seats_exist(struct model_show *s, const struct core_cmd *cmd)
{
	struct text section = cmd->u.hold.best_section;

	for (size_t i = 0; i < cmd->u.hold.seat_count; i++)
		if (!model_seat(s, cmd->u.hold.seats[i]))
			return false;
	if (section.n == 0)
		return true;
	for (int i = 0; i < s->seat_count; i++)
		if (text_equal(section, (struct text){&s->seats[i].section, 1}))
			return true;
	return false;
}

static inline bool free_in(struct model *m, struct model_show *s, int64_t number, struct text section, int64_t now)
{
	struct model_seat *seat = model_seat(s, number);

	return seat && (section.n == 0 || section.p[0] == seat->section) && !model_owner(m, s->id, number, now);
}

static inline bool together(struct model_show *s, int64_t a, int64_t b)
{
	struct model_seat *left = model_seat(s, a), *right = model_seat(s, b);

	return left && right && left->section == right->section;
}

/* True when `count` free seats from `first` on stand side by side in one section. */
static inline bool fits(struct model *m, struct model_show *s, int64_t first, int64_t count, struct text section, int64_t now)
{
	for (int64_t n = first; n < first + count; n++)
		if (!free_in(m, s, n, section, now) || (n > first && !together(s, n - 1, n)))
			return false;
	return true;
}

/* True when taking them leaves a free seat alone that had a free neighbour. */
static inline bool strands(struct model *m, struct model_show *s, int64_t first, int64_t count, int64_t now)
{
	struct text any = {0};
	int64_t last = first + count - 1;
	bool left = together(s, first - 1, first) && free_in(m, s, first - 1, any, now);
	bool right = together(s, last, last + 1) && free_in(m, s, last + 1, any, now);

	if (left && !(together(s, first - 2, first - 1) && free_in(m, s, first - 2, any, now)))
		return true;
	return right && !(together(s, last + 1, last + 2) && free_in(m, s, last + 2, any, now));
}

static inline bool check_best(struct model *m, struct model_show *s, const struct core_cmd *cmd, int64_t now,
                              const struct core_reservation *r)
{
	int64_t count = cmd->u.hold.best_count;
	struct text section = cmd->u.hold.best_section;
	bool adjacent = false, gentle = false;

	if (r->seat_count != count)
		return model_fail(m, "%d best seats, not %lld", (int)r->seat_count, (long long)count);
	for (int i = 0; i < r->seat_count; i++)
		if (!free_in(m, s, r->seats[i], section, now))
			return model_fail(m, "best seat %lld is not free, or of another section", (long long)r->seats[i]);
	for (int i = 0; i < s->seat_count; i++)
		if (fits(m, s, s->seats[i].number, count, section, now)) {
			adjacent = true;
			gentle |= !strands(m, s, s->seats[i].number, count, now);
		}
	if (adjacent && !fits(m, s, r->seats[0], count, section, now))
		return model_fail(m, "best seats are apart, though %lld together were free", (long long)count);
	if (gentle && strands(m, s, r->seats[0], count, now))
		return model_fail(m, "best seats from %lld leave a seat alone without need", (long long)r->seats[0]);
	return true;
}

#endif
