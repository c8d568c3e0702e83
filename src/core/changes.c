/* changes.c: what an organiser changes of queues, concerts and shows, each with its line in the audit log.
 *
 * What was promised before a change stays: a hold keeps its seats and their price, also of a show that is closed or moved; who is active stays
 * when the capacity is lowered. `changed_at` tells `jari audit` from when on the values that a row has now were the rule. */
#include "core/internal.h"

#include <assert.h>

static bool wrong(struct core_batch *b, struct core_reply *reply, const char *where, struct text what)
{
	reply->code = CORE_INVALID_REQUEST;
	reply->where = arena_text(b->rows->arena, text_of(where));
	reply->what = arena_text(b->rows->arena, what);
	return false;
}

/* ---- the audit log's words: {"capacity":{"from":1,"to":2},"paused":… ---- */

static void say_name(struct core_words *w, const char *name)
{
	core_say(w, w->n ? ",\"" : "{\"");
	core_say(w, name);
	core_say(w, "\":{\"from\":");
}

static void say_ints(struct core_words *w, const char *name, int64_t from, int64_t to)
{
	say_name(w, name);
	core_say_int(w, from);
	core_say(w, ",\"to\":");
	core_say_int(w, to);
	core_say(w, "}");
}

static void say_bools(struct core_words *w, const char *name, bool from, bool to)
{
	say_name(w, name);
	core_say_bool(w, from);
	core_say(w, ",\"to\":");
	core_say_bool(w, to);
	core_say(w, "}");
}

static void say_texts(struct core_words *w, const char *name, struct text from, struct text to)
{
	say_name(w, name);
	core_say_text(w, from);
	core_say(w, ",\"to\":");
	core_say_text(w, to);
	core_say(w, "}");
}

static void say_instants(struct core_words *w, const char *name, int64_t from, int64_t to)
{
	say_name(w, name);
	core_say_instant(w, from);
	core_say(w, ",\"to\":");
	core_say_instant(w, to);
	core_say(w, "}");
}

/* "queue 1" */
static void write_change(struct core_batch *b, struct text actor, struct text action, const char *what, int64_t id,
                         struct core_words *detail)
{
	struct core_words target = {.arena = b->rows->arena};
	core_say(detail, "}");
	core_say(&target, what);
	core_say_int(&target, id);
	core_write_audit(b, actor, action, core_said(&target), core_said(detail));
}

/* ---- a queue ---- */

void core_patch_queue(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	struct core_row *row = find(b, CORE_ROW_QUEUE, cmd->u.patch.queue_id, 0);
	if (!row || !row->now) {
		reply->code = CORE_NOT_FOUND;
		return;
	}
	reply->queue = *(const struct core_queue *)row->now;
	if (!cmd->u.patch.has_capacity && !cmd->u.patch.has_rate && !cmd->u.patch.has_paused)
		return;
	assert(!cmd->u.patch.has_capacity || (cmd->u.patch.capacity >= 1 && cmd->u.patch.capacity <= JARI_QUEUE_CAPACITY_MAX));

	/* nothing fails from here */
	struct core_queue *q = edit(b, row);
	struct core_words detail = {.arena = b->rows->arena};
	if (cmd->u.patch.has_capacity) {
		say_ints(&detail, "capacity", q->capacity, cmd->u.patch.capacity);
		q->capacity = cmd->u.patch.capacity;
		core_set_ceiling(q);
	}
	if (cmd->u.patch.has_rate) {
		say_ints(&detail, "ratePerSecond", q->rate_per_second, cmd->u.patch.rate_per_second);
		q->rate_per_second = cmd->u.patch.rate_per_second;
		q->rate_free_at_us = 0;
	}
	if (cmd->u.patch.has_paused) {
		say_bools(&detail, "paused", q->paused, cmd->u.patch.paused);
		q->paused = cmd->u.patch.paused;
	}
	write_change(b, cmd->u.patch.actor, TEXT("PATCH_QUEUE"), "queue ", q->queue_id, &detail);
	core_assert_queue(q);
	core_admit_next(b, q->queue_id);
	reply->queue = *q;
}

/* ---- a concert ---- */

static bool check_name(struct core_batch *b, struct core_reply *reply, const char *member, bool given, struct text name)
{
	return !given || core_good_name(name, JARI_TITLE_CHARS_MAX) ||
	       wrong(b, reply, member, core_name_rule(b->rows->arena, JARI_TITLE_CHARS_MAX));
}

static bool check_concert(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	if (!cmd->u.patch_concert.has_title && !cmd->u.patch_concert.has_artist && !cmd->u.patch_concert.has_venue &&
	    !cmd->u.patch_concert.has_sales_open_at)
		return wrong(b, reply, "", TEXT("Name at least one of title, artist, venue and salesOpenAt"));
	if (!check_name(b, reply, "title", cmd->u.patch_concert.has_title, cmd->u.patch_concert.title) ||
	    !check_name(b, reply, "artist", cmd->u.patch_concert.has_artist, cmd->u.patch_concert.artist) ||
	    !check_name(b, reply, "venue", cmd->u.patch_concert.has_venue, cmd->u.patch_concert.venue))
		return false;
	if (cmd->u.patch_concert.has_sales_open_at && !cmd->u.patch_concert.no_sales_open_at &&
	    cmd->u.patch_concert.sales_open_at <= 0)
		return wrong(b, reply, "salesOpenAt", TEXT("must be an instant after 1970"));
	if (get(b, CORE_ROW_CONCERT, cmd->u.patch_concert.concert_id, 0))
		return true;
	reply->code = CORE_CONCERT_NOT_FOUND;
	return false;
}

static void change_text(struct core_words *detail, const char *member, bool given, struct text *at, struct text to)
{
	if (!given)
		return;
	say_texts(detail, member, *at, to);
	*at = to;
}

void core_patch_concert(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	if (!check_concert(b, cmd, reply))
		return;

	/* nothing fails from here */
	struct core_concert *c = edit(b, find(b, CORE_ROW_CONCERT, cmd->u.patch_concert.concert_id, 0));
	struct core_words detail = {.arena = b->rows->arena};
	change_text(&detail, "title", cmd->u.patch_concert.has_title, &c->title, cmd->u.patch_concert.title);
	change_text(&detail, "artist", cmd->u.patch_concert.has_artist, &c->artist, cmd->u.patch_concert.artist);
	change_text(&detail, "venue", cmd->u.patch_concert.has_venue, &c->venue, cmd->u.patch_concert.venue);
	if (cmd->u.patch_concert.has_sales_open_at) {
		int64_t to = cmd->u.patch_concert.no_sales_open_at ? 0 : cmd->u.patch_concert.sales_open_at;
		say_instants(&detail, "salesOpenAt", c->sales_open_at, to);
		c->sales_open_at = to;
	}
	c->changed_at = b->now;
	write_change(b, cmd->u.patch_concert.actor, TEXT("PATCH_CONCERT"), "concert ", c->concert_id, &detail);
	reply->concert = *c;
}

/* ---- a show ---- */

static bool wrong_price(struct core_batch *b, struct core_reply *reply, size_t i, const char *member, struct text what)
{
	struct core_words where = {.arena = b->rows->arena};
	core_say(&where, "prices[");
	core_say_int(&where, (int64_t)i);
	core_say(&where, "].");
	core_say(&where, member);
	(void)wrong(b, reply, "", what);
	reply->where = core_said(&where);
	return false;
}

static bool check_prices(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	const struct core_new_price *prices = cmd->u.patch_show.prices;
	size_t n = cmd->u.patch_show.price_count;
	if (n > JARI_PRICES_NAMED_MAX)
		return wrong(
		    b, reply, "prices",
		    core_words_around(b->rows->arena, "names more than ", JARI_PRICES_NAMED_MAX, " sections: send it in parts"));
	for (size_t i = 0; i < n; i++) {
		if (!core_good_name(prices[i].section, JARI_SECTION_CHARS_MAX))
			return wrong_price(b, reply, i, "section", core_name_rule(b->rows->arena, JARI_SECTION_CHARS_MAX));
		if (prices[i].price < 0 || prices[i].price > JARI_PRICE_MAX)
			return wrong_price(b, reply, i, "price", core_number_rule(b->rows->arena, 0, JARI_PRICE_MAX));
		for (size_t j = 0; j < i; j++) {
			if (text_equal(prices[i].section, prices[j].section))
				return wrong_price(b, reply, i, "section", TEXT("is named twice"));
		}
	}
	return true;
}

/* The sections exist: some seat of the show is in each. */
static bool check_sections(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	const struct core_list *all = list_of(b, CORE_LIST_SHOW_SEATS, cmd->u.patch_show.show_id, 0);
	for (size_t i = 0; i < cmd->u.patch_show.price_count; i++) {
		bool found = false;
		for (size_t k = 0; k < all->n && !found; k++) {
			const struct core_seat *s = all->rows[k]->now;
			found = text_equal(s->section, cmd->u.patch_show.prices[i].section);
		}
		if (!found)
			return wrong_price(b, reply, i, "section", TEXT("names a section that the show does not have"));
	}
	return true;
}

static bool check_show(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	if (!cmd->u.patch_show.has_starts_at && !cmd->u.patch_show.has_closed && cmd->u.patch_show.price_count == 0)
		return wrong(b, reply, "", TEXT("Name at least one of startsAt, closed and prices"));
	if (cmd->u.patch_show.has_starts_at && cmd->u.patch_show.starts_at <= 0)
		return wrong(b, reply, "startsAt", TEXT("must be an instant after 1970"));
	if (!check_prices(b, cmd, reply))
		return false;
	if (get(b, CORE_ROW_SHOW, cmd->u.patch_show.show_id, 0))
		return check_sections(b, cmd, reply);
	reply->code = CORE_SHOW_NOT_FOUND;
	return false;
}

static const struct core_new_price *price_of(const struct core_cmd *cmd, struct text section)
{
	for (size_t i = 0; i < cmd->u.patch_show.price_count; i++) {
		if (text_equal(cmd->u.patch_show.prices[i].section, section))
			return &cmd->u.patch_show.prices[i];
	}
	return NULL;
}

/* A hold is a promise, of the price too; a seat that is sold was paid for at its price. */
static void set_prices(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	const struct core_list *all = list_of(b, CORE_LIST_SHOW_SEATS, cmd->u.patch_show.show_id, 0);
	for (size_t i = 0; i < all->n; i++) {
		const struct core_seat *seen = all->rows[i]->now;
		const struct core_new_price *to = price_of(cmd, seen->section);
		enum core_seat_status status = core_seat_at(seen->status, seen->held_until, b->now);
		if (!to || status == CORE_SEAT_SOLD)
			continue;
		if (status == CORE_SEAT_HELD) {
			reply->prices_kept += seen->price != to->price;
			continue;
		}
		reply->repriced++;
		if (seen->price == to->price)
			continue;
		struct core_seat *s = edit(b, all->rows[i]);
		s->price = to->price;
		core_assert_seat(s);
	}
}

static void say_prices(struct core_words *w, const struct core_cmd *cmd, const struct core_reply *reply)
{
	core_say(w, w->n ? ",\"prices\":[" : "{\"prices\":[");
	for (size_t i = 0; i < cmd->u.patch_show.price_count; i++) {
		core_say(w, i ? ",{\"section\":" : "{\"section\":");
		core_say_text(w, cmd->u.patch_show.prices[i].section);
		core_say(w, ",\"price\":");
		core_say_int(w, cmd->u.patch_show.prices[i].price);
		core_say(w, "}");
	}
	core_say(w, "],\"repriced\":");
	core_say_int(w, reply->repriced);
	core_say(w, ",\"pricesKept\":");
	core_say_int(w, reply->prices_kept);
}

void core_patch_show(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	if (!check_show(b, cmd, reply))
		return;

	/* nothing fails from here */
	struct core_show *s = edit(b, find(b, CORE_ROW_SHOW, cmd->u.patch_show.show_id, 0));
	struct core_words detail = {.arena = b->rows->arena};
	if (cmd->u.patch_show.has_starts_at) {
		say_instants(&detail, "startsAt", s->starts_at, cmd->u.patch_show.starts_at);
		s->starts_at = cmd->u.patch_show.starts_at;
		s->date = cmd->u.patch_show.date;
	}
	if (cmd->u.patch_show.has_closed) {
		say_bools(&detail, "closed", s->closed, cmd->u.patch_show.closed);
		s->closed = cmd->u.patch_show.closed;
	}
	if (cmd->u.patch_show.price_count > 0) {
		set_prices(b, cmd, reply);
		say_prices(&detail, cmd, reply);
	}
	s->changed_at = b->now;
	core_show_changed(b, s->show_id);
	write_change(b, cmd->u.patch_show.actor, TEXT("PATCH_SHOW"), "show ", s->show_id, &detail);
	reply->show = *s;
}
