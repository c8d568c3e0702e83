/* best.c: which seats are the best available.
 *
 * A run is a stretch of free seats with consecutive numbers in one section. A group that fits into one run sits together. Taking
 * a group from the start of a run leaves the rest of it in one piece, so the only way to leave a single seat alone is a run that is longer by
 * exactly one; such runs are the last choice. Among equals the lowest numbers win: the catalogue puts the best seats first.
 * A group that fits into no run is split into as few pieces as can be: the longest runs whole, then the rest by the rule above; within one
 * section where one section has enough. */
#include "core/internal.h"

#include <string.h>

struct run {
	struct text section;
	int64_t from, length;
};

struct runs {
	struct run *p;
	size_t n;
};

static struct runs find_runs(const struct core_list *seats, struct text section, int64_t now, struct arena *arena)
{
	struct runs runs = {arena_alloc(arena, (seats->n + 1) * sizeof(struct run)), 0};
	for (size_t i = 0; i < seats->n; i++) {
		const struct core_seat *s = seats->rows[i]->now;
		if (core_seat_at(s->status, s->held_until, now) != CORE_SEAT_FREE ||
		    (section.n > 0 && !text_equal(s->section, section)))
			continue;
		struct run *last = runs.n ? &runs.p[runs.n - 1] : NULL;
		if (last && last->from + last->length == s->seat_number && text_equal(last->section, s->section))
			last->length++;
		else
			runs.p[runs.n++] = (struct run){s->section, s->seat_number, 1};
	}
	return runs;
}

/* The run to take all of `count` from: NULL when none is long enough. */
static struct run *together(struct runs *runs, int64_t count)
{
	struct run *alone = NULL;
	for (size_t i = 0; i < runs->n; i++) {
		struct run *r = &runs->p[i];
		if (r->length < count)
			continue;
		if (r->length != count + 1)
			return r;
		if (!alone)
			alone = r;
	}
	return alone;
}

static struct run *longest(struct runs *runs)
{
	struct run *best = NULL;
	for (size_t i = 0; i < runs->n; i++) {
		if (runs->p[i].length > 0 && (!best || runs->p[i].length > best->length))
			best = &runs->p[i];
	}
	return best;
}

/* Takes `count` seats out of the runs in as few pieces as can be; false when there are too few. Returns the pieces in *pieces. */
static bool take(struct runs *runs, int64_t count, int64_t *out, size_t *pieces)
{
	*pieces = 0;
	while (count > 0) {
		struct run *r = together(runs, count);
		if (!r)
			r = longest(runs);
		if (!r)
			return false;
		for (; count > 0 && r->length > 0; count--) {
			*out++ = r->from++;
			r->length--;
		}
		++*pieces;
	}
	return true;
}

/* The runs of the section that run `i` begins, where it is the first of its section. */
static bool section_runs(const struct runs *all, size_t i, struct runs *one)
{
	for (size_t j = 0; j < i; j++) {
		if (text_equal(all->p[j].section, all->p[i].section))
			return false;
	}
	one->n = 0;
	for (size_t j = i; j < all->n; j++) {
		if (text_equal(all->p[j].section, all->p[i].section))
			one->p[one->n++] = all->p[j];
	}
	return true;
}

void core_sort_seats(int64_t *seats, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		int64_t s = seats[i];
		size_t j = i;
		for (; j > 0 && seats[j - 1] > s; j--)
			seats[j] = seats[j - 1];
		seats[j] = s;
	}
}

bool core_best_seats(const struct core_list *seats, struct text section, int64_t count, int64_t now, struct arena *arena,
                     int64_t *out)
{
	struct runs runs = find_runs(seats, section, now, arena);
	size_t pieces;
	if (together(&runs, count))
		return take(&runs, count, out, &pieces);

	/* no run is long enough: within one section if one has enough, in the fewest pieces */
	struct runs one = {arena_alloc(arena, (runs.n + 1) * sizeof(struct run)), 0};
	int64_t *candidate = arena_alloc(arena, (size_t)count * sizeof *candidate);
	size_t fewest = 0;
	for (size_t i = 0; i < runs.n; i++) {
		if (!section_runs(&runs, i, &one) || !take(&one, count, candidate, &pieces))
			continue;
		if (fewest == 0 || pieces < fewest) {
			fewest = pieces;
			memcpy(out, candidate, (size_t)count * sizeof *out);
		}
	}
	if (fewest == 0 && !take(&runs, count, out, &pieces))
		return false;
	core_sort_seats(out, (size_t)count);
	return true;
}
