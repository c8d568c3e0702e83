/* fuzz_catalogue.c: an organiser's document, from its bytes into a store.
 *
 * What catalogue_read takes is written as JSON and read again: the same. Its limits are checked a second time, simply; the core takes a
 * document exactly when they hold, and then as many queues, concerts and shows are there as it names, and the store's audit finds nothing.
 * Documents of more seats than SEATS_MAX are checked, not added: that is slow and no other code. */
#include "fuzz.h"

#include "../unit/core_world.h"
#include "http/catalogue.h"
#include "mutate.h"

#define SEATS_MAX 2000
#define AUDIT_ONE_OF 16 /* the audit is slow: only that many are followed by one */

/* ---- the limits, a second time ---- */

static bool good_text(struct text t, int64_t chars_max)
{
	int64_t chars = text_utf8_chars(t);

	return chars >= 1 && chars <= chars_max && !text_has_control(t);
}

static bool good_queues(const struct core_catalogue *doc)
{
	if (doc->queue_count > 1000)
		return false;
	for (size_t i = 0; i < doc->queue_count; i++) {
		const struct core_new_queue *q = &doc->queues[i];

		if (!good_text(q->name, 64) || text_equal(q->name, TEXT("main")) || q->capacity < 1 || q->capacity > 10000000 ||
		    q->rate_per_second < 0 || q->rate_per_second > 1000000)
			return false;
		for (size_t j = 0; j < i; j++)
			if (text_equal(q->name, doc->queues[j].name))
				return false;
	}
	return true;
}

static bool good_show(const struct core_new_show *show, int64_t *seats)
{
	int64_t all = 0;

	for (size_t i = 0; i < show->seats_count; i++) {
		const struct core_new_seats *r = &show->seats[i];

		if (!good_text(r->section, 64) || r->from < 1 || r->to < r->from || r->to > 1000000000 || r->price < 0 ||
		    r->price > 1000000000)
			return false;
		all += r->to - r->from + 1;
		for (size_t j = 0; j < i; j++)
			if (r->from <= show->seats[j].to && show->seats[j].from <= r->to)
				return false;
	}
	*seats += all;
	return all >= 1 && all <= 100000;
}

static bool good_concert(const struct core_catalogue *doc, const struct core_new_concert *c, int64_t *shows, int64_t *seats)
{
	bool queue = c->queue.n == 0 || text_equal(c->queue, TEXT("main"));

	for (size_t i = 0; i < doc->queue_count; i++)
		queue |= text_equal(c->queue, doc->queues[i].name);
	if (!queue || !good_text(c->title, 200) || !good_text(c->artist, 200) || !good_text(c->venue, 200))
		return false;
	*shows += (int64_t)c->show_count;
	for (size_t i = 0; i < c->show_count; i++)
		if (!good_show(&c->shows[i], seats))
			return false;
	return true;
}

static bool within_limits(const struct core_catalogue *doc, int64_t *shows, int64_t *seats)
{
	bool good = good_queues(doc) && doc->concert_count <= 1000;

	for (size_t i = 0; i < doc->concert_count && good; i++)
		good = good_concert(doc, &doc->concerts[i], shows, seats);
	return good && *shows <= 5000 && *seats <= 1000000;
}

/* ---- written and read again ---- */

static void put_show(struct json_out *o, const struct core_new_show *show)
{
	jo_object(o);
	jo_key(o, "startsAt");
	/* jo_instant writes null for the first instant of 1970, which is one here. */
	char at[TEXT_INSTANT_SIZE];
	jo_text(o, (struct text){at, text_instant_format(show->starts_at, at)});
	jo_key(o, "seats");
	jo_array(o);
	for (size_t i = 0; i < show->seats_count; i++) {
		jo_object(o);
		jo_kv_text(o, "section", show->seats[i].section);
		jo_kv_int(o, "from", show->seats[i].from);
		jo_kv_int(o, "to", show->seats[i].to);
		jo_kv_int(o, "price", show->seats[i].price);
		jo_end_object(o);
	}
	jo_end_array(o);
	jo_end_object(o);
}

static void put_concert(struct json_out *o, const struct core_new_concert *c)
{
	jo_object(o);
	jo_kv_text(o, "title", c->title);
	jo_kv_text(o, "artist", c->artist);
	jo_kv_text(o, "venue", c->venue);
	if (c->queue.n > 0)
		jo_kv_text(o, "queue", c->queue);
	jo_kv_instant(o, "salesOpenAt", c->sales_open_at);
	jo_key(o, "shows");
	jo_array(o);
	for (size_t i = 0; i < c->show_count; i++)
		put_show(o, &c->shows[i]);
	jo_end_array(o);
	jo_end_object(o);
}

static void put_catalogue(struct buf *out, const struct core_catalogue *doc)
{
	struct json_out o;

	jo_begin(&o, out);
	jo_object(&o);
	jo_key(&o, "queues");
	jo_array(&o);
	for (size_t i = 0; i < doc->queue_count; i++) {
		jo_object(&o);
		jo_kv_text(&o, "name", doc->queues[i].name);
		jo_kv_int(&o, "capacity", doc->queues[i].capacity);
		jo_kv_int(&o, "ratePerSecond", doc->queues[i].rate_per_second);
		jo_end_object(&o);
	}
	jo_end_array(&o);
	jo_key(&o, "concerts");
	jo_array(&o);
	for (size_t i = 0; i < doc->concert_count; i++)
		put_concert(&o, &doc->concerts[i]);
	jo_end_array(&o);
	jo_end_object(&o);
}

static void check_written_again(const struct core_catalogue *doc)
{
	struct buf first = {0}, second = {0};
	struct arena arena = {0};
	struct core_catalogue again;
	char error[CATALOGUE_ERROR_SIZE] = "";

	put_catalogue(&first, doc);
	EXPECT(catalogue_read(buf_view(&first), &arena, &again, error), "%s\n%.*s", error, (int)first.n, first.p);
	put_catalogue(&second, &again);
	EXPECT(text_equal(buf_view(&first), buf_view(&second)), "%.*s\nbecame\n%.*s", (int)first.n, first.p, (int)second.n,
	       second.p);
	arena_free(&arena);
	buf_free(&first);
	buf_free(&second);
}

/* A show's local date is that of its instant at an offset of less than a day. */
static void check_dates(const struct core_catalogue *doc)
{
	for (size_t i = 0; i < doc->concert_count; i++) {
		for (size_t j = 0; j < doc->concerts[i].show_count; j++) {
			const struct core_new_show *show = &doc->concerts[i].shows[j];
			char day[TEXT_DATE_SIZE + 10];
			int64_t midnight;

			text_date_format(show->date, day);
			memcpy(day + TEXT_DATE_SIZE - 1, "T00:00:00Z", 11 - 1);
			if (show->date >= 19700101)
				EXPECT(text_instant_parse((struct text){day, sizeof(day) - 1}, &midnight, NULL) &&
				           show->starts_at > midnight - DAY_MS && show->starts_at < midnight + 2 * DAY_MS,
				       "%.*s of %" PRId64, (int)sizeof(day) - 1, day, show->starts_at);
		}
	}
}

/* ---- in a store ---- */

static void found(void *arg, const char *invariant, const char *what, int64_t violations, const char *example)
{
	(void)arg;
	EXPECT(violations == 0, "%s: %s: %s", invariant, what, example);
}

static void add(const struct core_catalogue *doc, bool wanted, int64_t shows, int64_t seats, bool audit)
{
	struct core_cmd cmd = {.op = CORE_ADD_CATALOGUE, .u.catalogue = {.doc = doc, .actor = TEXT("import")}};
	struct core_reply reply = {0};
	struct world w;

	EXPECT(world_open(&w), "no store");
	store_rollback(w.store);
	EXPECT(world_decide(&w, &cmd, NOW, &reply), "it could not be decided");
	EXPECT((reply.code == CORE_OK) == wanted, "%s \"%.*s\" %.*s", core_code_name(reply.code), SHOWN(reply.where),
	       SHOWN(reply.what));
	if (wanted) {
		EXPECT(reply.queue_id_count == doc->queue_count && reply.concert_id_count == doc->concert_count &&
		           (int64_t)reply.show_id_count == shows,
		       "%zu queues, %zu concerts, %zu shows", reply.queue_id_count, reply.concert_id_count, reply.show_id_count);
		int64_t rows = 0, before = 0;
		EXPECT(store_count(w.store, &before) == STORE_OK && world_save(&w, NOW) &&
		           store_count(w.store, &rows) == STORE_OK,
		       "it could not be saved");
		EXPECT(rows - before == (int64_t)(doc->queue_count + doc->concert_count) + shows + seats + 1,
		       "%" PRId64 " rows have come of it", rows - before);
		if (audit)
			EXPECT(store_audit(w.store, found, NULL) == STORE_OK, "the audit failed");
	} else {
		EXPECT(reply.code == CORE_INVALID_REQUEST && reply.where.n > 0 && reply.what.n > 0 && !world_changed(&w),
		       "it was refused with %s", core_code_name(reply.code));
	}
	world_end(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_dice dice = fuzz_dice_of(data, size);
	char error[CATALOGUE_ERROR_SIZE] = "", *copy = fuzz_exact((const char *)data, size);
	struct core_catalogue doc;
	struct arena arena = {0};
	int64_t shows = 0, seats = 0;
	bool taken = catalogue_read((struct text){copy, size}, &arena, &doc, error);

	free(copy); /* everything in the document is the arena's */
	if (!taken) {
		EXPECT(error[0] != '\0' && error[strlen(error) - 1] == '.' && text_utf8_chars(text_of(error)) > 0,
		       "the sentence is \"%s\"", error);
	} else {
		check_written_again(&doc);
		check_dates(&doc);
		bool good = within_limits(&doc, &shows, &seats);
		if (!good || seats <= SEATS_MAX)
			add(&doc, good, shows, seats, fuzz_roll(&dice, AUDIT_ONE_OF) == 0);
	}
	arena_free(&arena);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
	return fuzz_mutate_json(data, size, size_max, seed, 0);
}
