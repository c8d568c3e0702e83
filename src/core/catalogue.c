/* catalogue.c: what an organiser adds, with its line in the audit log.
 *
 * A catalogue is all or nothing: it is checked whole, naming the first place that is wrong, before the first row is made. */
#include "core/internal.h"

#include <assert.h>
#include <string.h>

/* ---- checking a document ---- */

struct check {
	struct core_batch *b;
	const struct core_catalogue *doc;
	struct core_reply *reply;
	struct core_words where; /* the place that is being looked at */
};

static bool wrong(struct check *c, const char *member, struct text what)
{
	core_say(&c->where, member);
	c->reply->code = CORE_INVALID_REQUEST;
	c->reply->where = core_said(&c->where);
	c->reply->what = arena_text(c->b->rows->arena, what);
	return false;
}

static bool check_name(struct check *c, const char *member, struct text name, int64_t max)
{
	return core_good_name(name, max) || wrong(c, member, core_name_rule(c->b->rows->arena, max));
}

static bool check_number(struct check *c, const char *member, int64_t v, int64_t lo, int64_t hi)
{
	return (v >= lo && v <= hi) || wrong(c, member, core_number_rule(c->b->rows->arena, lo, hi));
}

static bool check_count(struct check *c, const char *member, int64_t n, int64_t max, const char *before, const char *after)
{
	return n <= max || wrong(c, member, core_words_around(c->b->rows->arena, before, max, after));
}

static bool queue_exists(struct check *c, struct text name)
{
	const struct core_list *named = core_list_find(c->b->rows, CORE_LIST_QUEUE_NAMED, 0, 0, name);
	return named && named->n > 0;
}

static bool check_queue(struct check *c, size_t i)
{
	const struct core_new_queue *q = &c->doc->queues[i];
	c->where.n = 0;
	core_say(&c->where, "queues[");
	core_say_int(&c->where, (int64_t)i);
	core_say(&c->where, "].");
	if (!check_name(c, "name", q->name, JARI_QUEUE_NAME_MAX) ||
	    !check_number(c, "capacity", q->capacity, 1, JARI_QUEUE_CAPACITY_MAX) ||
	    !check_number(c, "ratePerSecond", q->rate_per_second, 0, JARI_QUEUE_RATE_MAX))
		return false;
	if (queue_exists(c, q->name))
		return wrong(c, "name", TEXT("is the name of a queue that is already there"));
	for (size_t j = 0; j < i; j++) {
		if (text_equal(c->doc->queues[j].name, q->name))
			return wrong(c, "name", TEXT("is used twice in this document"));
	}
	return true;
}

/* Sorts by `from` (Shell's method with the gaps of Ciura 2001, extended by 2.25), so that overlaps are neighbours. */
static void sort_ranges(struct core_new_seats *p, size_t n)
{
	static const size_t gaps[] = {90927, 40412, 17961, 7983, 3548, 1577, 701, 301, 132, 57, 23, 10, 4, 1};
	for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++) {
		size_t gap = gaps[g];
		for (size_t i = gap; i < n; i++) {
			struct core_new_seats v = p[i];
			size_t j = i;
			for (; j >= gap && p[j - gap].from > v.from; j -= gap)
				p[j] = p[j - gap];
			p[j] = v;
		}
	}
}

static struct core_new_seats *sorted_ranges(const struct core_batch *b, const struct core_new_show *show)
{
	struct core_new_seats *sorted = arena_copy(b->rows->arena, show->seats, show->seats_count * sizeof *sorted);
	sort_ranges(sorted, show->seats_count);
	return sorted;
}

static bool check_range(struct check *c, const struct core_new_seats *r)
{
	return check_name(c, "section", r->section, JARI_SECTION_CHARS_MAX) &&
	       check_number(c, "from", r->from, 1, JARI_SEAT_NUMBER_MAX) &&
	       check_number(c, "to", r->to, r->from, JARI_SEAT_NUMBER_MAX) &&
	       check_number(c, "price", r->price, 0, JARI_PRICE_MAX);
}

static bool check_show(struct check *c, const struct core_new_show *show, int64_t *all_seats)
{
	size_t place = c->where.n;
	int64_t total = 0;
	if (show->seats_count == 0)
		return wrong(c, "seats", TEXT("must name at least one seat"));
	for (size_t i = 0; i < show->seats_count; i++) {
		core_say(&c->where, "seats[");
		core_say_int(&c->where, (int64_t)i);
		core_say(&c->where, "].");
		if (!check_range(c, &show->seats[i]))
			return false;
		total += show->seats[i].to - show->seats[i].from + 1;
		if (!check_count(c, "to", total, JARI_SEATS_PER_SHOW_MAX, "gives the show more than ", " seats"))
			return false;
		c->where.n = place;
	}
	const struct core_new_seats *sorted = sorted_ranges(c->b, show);
	for (size_t i = 1; i < show->seats_count; i++) {
		if (sorted[i].from <= sorted[i - 1].to)
			return wrong(c, "seats", core_words_around(c->b->rows->arena, "names seat ", sorted[i].from, " twice"));
	}
	*all_seats += total;
	return check_count(c, "seats", *all_seats, JARI_CATALOGUE_SEATS_MAX, "gives the document more than ",
	                   " seats: send it in parts");
}

static bool check_concert_queue(struct check *c, struct text name)
{
	if (name.n == 0 || queue_exists(c, name))
		return true;
	for (size_t i = 0; i < c->doc->queue_count; i++) {
		if (text_equal(c->doc->queues[i].name, name))
			return true;
	}
	return wrong(c, "queue", TEXT("names a queue that is neither in this document nor already there"));
}

static bool check_concert(struct check *c, size_t i, int64_t *all_shows, int64_t *all_seats)
{
	const struct core_new_concert *concert = &c->doc->concerts[i];
	c->where.n = 0;
	core_say(&c->where, "concerts[");
	core_say_int(&c->where, (int64_t)i);
	core_say(&c->where, "].");
	if (!check_name(c, "title", concert->title, JARI_TITLE_CHARS_MAX) ||
	    !check_name(c, "artist", concert->artist, JARI_TITLE_CHARS_MAX) ||
	    !check_name(c, "venue", concert->venue, JARI_TITLE_CHARS_MAX) || !check_concert_queue(c, concert->queue))
		return false;
	*all_shows += (int64_t)concert->show_count;
	if (!check_count(c, "shows", *all_shows, JARI_CATALOGUE_SHOWS_MAX, "gives the document more than ",
	                 " shows: send it in parts"))
		return false;
	size_t place = c->where.n;
	for (size_t j = 0; j < concert->show_count; j++) {
		core_say(&c->where, "shows[");
		core_say_int(&c->where, (int64_t)j);
		core_say(&c->where, "].");
		if (!check_show(c, &concert->shows[j], all_seats))
			return false;
		c->where.n = place;
	}
	return true;
}

static bool check_document(struct check *c)
{
	int64_t shows = 0;
	int64_t seats = 0;
	if (!check_count(c, "queues", (int64_t)c->doc->queue_count, JARI_CATALOGUE_QUEUES_MAX, "has more than ",
	                 " queues: send it in parts") ||
	    !check_count(c, "concerts", (int64_t)c->doc->concert_count, JARI_CATALOGUE_CONCERTS_MAX, "has more than ",
	                 " concerts: send it in parts"))
		return false;
	for (size_t i = 0; i < c->doc->queue_count; i++) {
		if (!check_queue(c, i))
			return false;
	}
	for (size_t i = 0; i < c->doc->concert_count; i++) {
		if (!check_concert(c, i, &shows, &seats))
			return false;
	}
	return true;
}

/* ---- adding it ---- */

static int64_t add_queue(struct core_batch *b, const struct core_new_queue *from)
{
	struct core_queue q = {
	    .queue_id = draw_id(b, CORE_ID_QUEUE),
	    .name = from->name,
	    .capacity = from->capacity,
	    .ceiling = from->capacity,
	    .rate_per_second = from->rate_per_second,
	};
	core_assert_queue(&q);
	struct core_row *row = core_row_create(b->rows, CORE_ROW_QUEUE, &q);
	core_list_add(b->rows, core_list_find(b->rows, CORE_LIST_QUEUE_NAMED, 0, 0, q.name), row);
	return q.queue_id;
}

static void add_seats(struct core_batch *b, int64_t show_id, const struct core_new_seats *range)
{
	for (int64_t n = range->from; n <= range->to; n++) {
		struct core_seat s = {.show_id = show_id, .seat_number = n, .section = range->section, .price = range->price};
		core_assert_seat(&s);
		(void)core_row_create(b->rows, CORE_ROW_SEAT, &s);
	}
}

static int64_t add_show(struct core_batch *b, int64_t concert_id, const struct core_new_show *from)
{
	struct core_show s = {
	    .show_id = draw_id(b, CORE_ID_SHOW),
	    .concert_id = concert_id,
	    .starts_at = from->starts_at,
	    .date = from->date,
	    .version = 1,
	};
	for (size_t i = 0; i < from->seats_count; i++)
		s.total_seats += from->seats[i].to - from->seats[i].from + 1;
	(void)core_row_create(b->rows, CORE_ROW_SHOW, &s);
	const struct core_new_seats *sorted = sorted_ranges(b, from);
	for (size_t i = 0; i < from->seats_count; i++)
		add_seats(b, s.show_id, &sorted[i]);
	return s.show_id;
}

static int64_t add_concert(struct core_batch *b, const struct core_new_concert *from)
{
	int64_t queue_id = CORE_DEFAULT_QUEUE;
	if (from->queue.n > 0)
		queue_id = core_list_find(b->rows, CORE_LIST_QUEUE_NAMED, 0, 0, from->queue)->rows[0]->id.a;
	struct core_concert c = {
	    .concert_id = draw_id(b, CORE_ID_CONCERT),
	    .queue_id = queue_id,
	    .title = from->title,
	    .artist = from->artist,
	    .venue = from->venue,
	    .sales_open_at = from->sales_open_at,
	};
	(void)core_row_create(b->rows, CORE_ROW_CONCERT, &c);
	return c.concert_id;
}

static void audit_catalogue(struct core_batch *b, const struct core_cmd *cmd, const struct core_reply *reply)
{
	struct core_words detail = {.arena = b->rows->arena};
	const int64_t *ids[] = {reply->queue_ids, reply->concert_ids, reply->show_ids};
	const size_t counts[] = {reply->queue_id_count, reply->concert_id_count, reply->show_id_count};
	const char *names[] = {"{\"queues\":", ",\"concerts\":", ",\"shows\":"};
	const char *firsts[] = {",\"firstQueueId\":", ",\"firstConcertId\":", ",\"firstShowId\":"};
	for (size_t i = 0; i < 3; i++) {
		core_say(&detail, names[i]);
		core_say_int(&detail, (int64_t)counts[i]);
	}
	for (size_t i = 0; i < 3; i++) {
		if (counts[i] == 0)
			continue;
		core_say(&detail, firsts[i]);
		core_say_int(&detail, ids[i][0]);
	}
	core_say(&detail, "}");
	core_write_audit(b, cmd->u.catalogue.actor, TEXT("ADD_CATALOGUE"), TEXT("catalogue"), core_said(&detail));
}

void core_add_catalogue(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	const struct core_catalogue *doc = cmd->u.catalogue.doc;
	struct check c = {.b = b, .doc = doc, .reply = reply, .where.arena = b->rows->arena};
	if (!check_document(&c))
		return;

	/* nothing fails from here */
	struct arena *arena = b->rows->arena;
	size_t shows = 0;
	for (size_t i = 0; i < doc->concert_count; i++)
		shows += doc->concerts[i].show_count;
	int64_t *queue_ids = arena_alloc(arena, (doc->queue_count + 1) * sizeof *queue_ids);
	int64_t *concert_ids = arena_alloc(arena, (doc->concert_count + 1) * sizeof *concert_ids);
	int64_t *show_ids = arena_alloc(arena, (shows + 1) * sizeof *show_ids);
	for (size_t i = 0; i < doc->queue_count; i++)
		queue_ids[i] = add_queue(b, &doc->queues[i]);
	size_t at = 0;
	for (size_t i = 0; i < doc->concert_count; i++) {
		concert_ids[i] = add_concert(b, &doc->concerts[i]);
		for (size_t j = 0; j < doc->concerts[i].show_count; j++)
			show_ids[at++] = add_show(b, concert_ids[i], &doc->concerts[i].shows[j]);
	}
	reply->queue_ids = queue_ids;
	reply->queue_id_count = doc->queue_count;
	reply->concert_ids = concert_ids;
	reply->concert_id_count = doc->concert_count;
	reply->show_ids = show_ids;
	reply->show_id_count = shows;
	audit_catalogue(b, cmd, reply);
}
