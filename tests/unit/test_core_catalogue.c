/* What a catalogue document is refused for: each member and each limit, at the first value that is too much and the last that is not; where it says so,
 * and that nothing has changed (I10). The world is core_world.h's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core_world.h"

#define NAME64 "0123456789012345678901234567890123456789012345678901234567890123"
#define NAME200 NAME64 NAME64 NAME64 "01234567"

#define FEW JARI_CATALOGUE_QUEUES_MAX
#define SHOWS JARI_CATALOGUE_SHOWS_MAX

/* A document that is right; each row of the table spoils one thing. */
struct doc {
	struct core_catalogue all;
	struct core_new_queue queues[FEW + 1];
	struct core_new_concert concerts[JARI_CATALOGUE_CONCERTS_MAX + 1];
	struct core_new_show shows[SHOWS + 1];
	struct core_new_seats seats[3];
};

static void make_doc(struct doc *d)
{
	*d = (struct doc){
	    .queues = {{TEXT("vip"), 1, 0}, {TEXT("balcony"), JARI_QUEUE_CAPACITY_MAX, JARI_QUEUE_RATE_MAX}},
	    .concerts = {{.title = TEXT("t"), .artist = TEXT("a"), .venue = TEXT("v"), .queue = TEXT("vip"), .show_count = 2}},
	    .seats = {{TEXT("B"), 11, 20, JARI_PRICE_MAX}, {TEXT("A"), 1, 10, 0}, {TEXT("C"), 21, 21, 5}},
	};
	for (size_t i = 0; i <= SHOWS; i++)
		d->shows[i] =
		    (struct core_new_show){.starts_at = NOW + DAY_MS, .date = 20270101, .seats = d->seats, .seats_count = 3};
	d->concerts[0].shows = d->shows;
	d->all = (struct core_catalogue){d->queues, 2, d->concerts, 1};
}

static void decide(struct doc *d, struct world *w, struct core_reply *reply)
{
	struct core_cmd cmd = {.op = CORE_ADD_CATALOGUE};
	cmd.u.catalogue.doc = &d->all;
	cmd.u.catalogue.actor = TEXT("admin");
	assert_true(world_make(w));
	assert_true(world_decide(w, &cmd, NOW, reply));
}

static void refused(struct doc *d, const char *where, const char *why)
{
	struct world w;
	struct core_reply reply;
	decide(d, &w, &reply);
	if (reply.code != CORE_INVALID_REQUEST || !text_equal(reply.where, text_of(where)))
		fail_msg("%s: %s at \"%.*s\"", why, core_code_name(reply.code), (int)reply.where.n, reply.where.p);
	assert_true(reply.what.n > 0);
	assert_false(world_changed(&w));
	world_end(&w);
}

static void taken(struct doc *d, size_t shows)
{
	struct world w;
	struct core_reply reply;
	decide(d, &w, &reply);
	if (reply.code != CORE_OK)
		fail_msg("%s at \"%.*s\"", core_code_name(reply.code), (int)reply.where.n, reply.where.p);
	assert_int_equal(reply.show_id_count, shows);
	assert_true(world_save(&w, NOW));
	world_end(&w);
}

static struct doc d; /* it is large */

#define REFUSED(member, value, where)                     \
	do {                                              \
		make_doc(&d);                             \
		d.member = value;                         \
		refused(&d, where, #member " = " #value); \
	} while (0)

static void what_is_right_is_taken(void **state)
{
	(void)state;
	make_doc(&d);
	taken(&d, 2);
	make_doc(&d);
	d.queues[0].name = d.concerts[0].queue = TEXT(NAME64);
	d.concerts[0].title = d.concerts[0].artist = d.concerts[0].venue = TEXT(NAME200);
	d.seats[0].section = TEXT(NAME64);
	d.seats[2].from = d.seats[2].to = JARI_SEAT_NUMBER_MAX;
	taken(&d, 2);
	make_doc(&d);
	d.concerts[0].queue = (struct text){0}; /* the default queue */
	taken(&d, 2);
	make_doc(&d);
	d.concerts[0].queue = TEXT("club"); /* one that is there already */
	taken(&d, 2);
}

/* Whoever takes them up goes by number: stores append, and the read model does not make room before what it has. */
static void seats_are_made_by_number(void **state)
{
	struct world w;
	struct core_reply reply;
	int64_t show_id = 0, last = 0, n = 0;
	(void)state;
	make_doc(&d);
	decide(&d, &w, &reply);
	assert_int_equal(reply.code, CORE_OK);
	for (const struct core_row *row = core_rows_dirty(&w.rows); row; row = row->next_dirty) {
		if (row->id.kind != CORE_ROW_SEAT)
			continue;
		assert_true(row->id.a != show_id || row->id.b > last);
		show_id = row->id.a;
		last = row->id.b;
		n++;
	}
	assert_int_equal(n, 2 * 21);
	world_end(&w);
}

static void queues(void **state)
{
	(void)state;
	REFUSED(queues[1].name, TEXT(""), "queues[1].name");
	REFUSED(queues[1].name, TEXT(NAME64 "0"), "queues[1].name");
	REFUSED(queues[1].name, TEXT("a\nb"), "queues[1].name");
	REFUSED(queues[1].name, TEXT("vip"), "queues[1].name");
	REFUSED(queues[1].name, TEXT("club"), "queues[1].name");
	REFUSED(queues[1].capacity, 0, "queues[1].capacity");
	REFUSED(queues[1].capacity, JARI_QUEUE_CAPACITY_MAX + 1, "queues[1].capacity");
	REFUSED(queues[1].rate_per_second, -1, "queues[1].ratePerSecond");
	REFUSED(queues[1].rate_per_second, JARI_QUEUE_RATE_MAX + 1, "queues[1].ratePerSecond");
}

static void concerts(void **state)
{
	(void)state;
	REFUSED(concerts[0].title, TEXT(""), "concerts[0].title");
	REFUSED(concerts[0].title, TEXT(NAME200 "0"), "concerts[0].title");
	REFUSED(concerts[0].artist, TEXT(""), "concerts[0].artist");
	REFUSED(concerts[0].venue, TEXT("a\tb"), "concerts[0].venue");
	REFUSED(concerts[0].queue, TEXT("nowhere"), "concerts[0].queue");
}

static void seats(void **state)
{
	(void)state;
	REFUSED(shows[1].seats_count, 0, "concerts[0].shows[1].seats");
	REFUSED(seats[1].section, TEXT(""), "concerts[0].shows[0].seats[1].section");
	REFUSED(seats[1].from, 0, "concerts[0].shows[0].seats[1].from");
	REFUSED(seats[1].from, JARI_SEAT_NUMBER_MAX + 1, "concerts[0].shows[0].seats[1].from");
	REFUSED(seats[1].to, 0, "concerts[0].shows[0].seats[1].to");
	REFUSED(seats[1].to, JARI_SEAT_NUMBER_MAX + 1, "concerts[0].shows[0].seats[1].to");
	REFUSED(seats[1].price, -1, "concerts[0].shows[0].seats[1].price");
	REFUSED(seats[1].price, JARI_PRICE_MAX + 1, "concerts[0].shows[0].seats[1].price");
	REFUSED(seats[1].to, 11, "concerts[0].shows[0].seats"); /* twice, whatever their order */
	REFUSED(seats[2].to, 20 + JARI_SEATS_PER_SHOW_MAX, "concerts[0].shows[0].seats[2].to");
}

/* Of the whole document: one more than there may be. */
static void too_much(void **state)
{
	(void)state;
	REFUSED(all.queue_count, FEW + 1, "queues");
	REFUSED(all.concert_count, JARI_CATALOGUE_CONCERTS_MAX + 1, "concerts");
	REFUSED(concerts[0].show_count, SHOWS + 1, "concerts[0].shows");
	make_doc(&d);
	d.seats[2].to = JARI_SEATS_PER_SHOW_MAX; /* ten shows of so many are a million seats */
	d.concerts[0].show_count = JARI_CATALOGUE_SEATS_MAX / JARI_SEATS_PER_SHOW_MAX + 1;
	refused(&d, "concerts[0].shows[10].seats", "a seat too many");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_right_is_taken),
	    cmocka_unit_test(seats_are_made_by_number),
	    cmocka_unit_test(queues),
	    cmocka_unit_test(concerts),
	    cmocka_unit_test(seats),
	    cmocka_unit_test(too_much),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
