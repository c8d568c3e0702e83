/* test_model.c: the read model by itself: what is forgotten and when, the order of shows, what a swap keeps, who has asked again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "engine/model.h"

#include <string.h>

#define START 1800000000000LL
#define NONE ((struct text){NULL, 0})

static int setup(void **state)
{
	struct model *m = test_calloc(1, sizeof *m);
	model_init(m);
	m->began_ms = START;
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	model_free(*state);
	test_free(*state);
	return 0;
}

/* ---- what is published ---- */

struct news {
	struct arena arena;
	struct core_rows rows;
};

static void begin(struct news *n)
{
	*n = (struct news){0};
	core_rows_init(&n->rows, &n->arena, 64);
}

static void end(struct model *m, struct news *n, int64_t now)
{
	model_publish(m, &n->rows, now);
	arena_free(&n->arena);
}

static void publish(struct model *m, enum core_kind kind, const void *row)
{
	struct news n;
	begin(&n);
	(void)core_row_create(&n.rows, kind, row);
	end(m, &n, START);
}

static void put_queue(struct model *m, int64_t queue_id, int64_t last_number)
{
	struct core_queue q = {
	    .queue_id = queue_id, .name = TEXT("main"), .capacity = 1, .ceiling = 1, .last_number = last_number};
	publish(m, CORE_ROW_QUEUE, &q);
}

/* Tickets first .. last of a queue, each of a user of the same number, by a commit at `now`. */
static void put_tickets_at(struct model *m, int64_t queue_id, int64_t first, int64_t last, enum core_ticket_status status,
                           int64_t now)
{
	struct news n;
	begin(&n);
	for (int64_t number = first; number <= last; number++) {
		struct core_user u = {.user_id = number, .name = TEXT("kim"), .balance = number};
		struct core_ticket t = {
		    .queue_id = queue_id, .number = number, .user_id = number, .status = status, .issued_at = START};
		if (!core_row_find(&n.rows, CORE_ROW_USER, number, 0, NONE))
			(void)core_row_create(&n.rows, CORE_ROW_USER, &u);
		(void)core_row_create(&n.rows, CORE_ROW_TICKET, &t);
	}
	end(m, &n, now);
}

static void put_tickets(struct model *m, int64_t queue_id, int64_t first, int64_t last, enum core_ticket_status status)
{
	put_tickets_at(m, queue_id, first, last, status, START);
}

static const struct model_queue *queue(const struct model *m, int64_t queue_id)
{
	return model_id_get(&m->queues, queue_id);
}

#define OVER (START + JARI_TOKEN_LIFE_MS)

/* ---- forgetting ---- */

static void tickets_are_forgotten_when_their_tokens_no_longer_open(void **state)
{
	struct model *m = *state;
	put_queue(m, 1, MODEL_CHUNK + 5);
	put_tickets(m, 1, 1, MODEL_CHUNK + 5, CORE_EXPIRED);
	assert_int_equal(m->user_count, MODEL_CHUNK + 5);
	model_tend(m, OVER - 1);
	assert_non_null(model_ticket_at(queue(m, 1), 1));
	model_tend(m, OVER);
	assert_null(model_ticket_at(queue(m, 1), 1));
	assert_null(model_ticket_at(queue(m, 1), MODEL_CHUNK));
	assert_non_null(model_ticket_at(queue(m, 1), MODEL_CHUNK + 1)); /* its chunk is not full yet */
	assert_int_equal(m->user_count, 5);
	assert_null(model_user_find(m, 1));
	assert_non_null(model_user_find(m, MODEL_CHUNK + 1));
	/* a late word of one that was forgotten does not bring it back */
	put_tickets_at(m, 1, 7, 7, CORE_EXPIRED, OVER);
	assert_null(model_ticket_at(queue(m, 1), 7));
	assert_int_equal(m->user_count, 5);
}

/* On a shared store an own commit shows that others have issued tickets before word of those comes. */
static void what_comes_late_of_others_is_shown(void **state)
{
	struct model *m = *state;
	put_queue(m, 1, 2 * MODEL_CHUNK + 9);
	put_tickets(m, 1, 2 * MODEL_CHUNK + 9, 2 * MODEL_CHUNK + 9, CORE_WAITING);
	model_tend(m, START + 500);
	put_tickets(m, 1, 1, 2 * MODEL_CHUNK + 8, CORE_WAITING);
	assert_non_null(model_ticket_at(queue(m, 1), 1));
	assert_non_null(model_ticket_at(queue(m, 1), MODEL_CHUNK + 1));
	assert_int_equal(rank_below(&queue(m, 1)->waiting, 2 * MODEL_CHUNK + 9), 2 * MODEL_CHUNK + 8);
	put_tickets(m, 1, 1, 2 * MODEL_CHUNK + 8, CORE_EXPIRED);
	model_tend(m, OVER);
	assert_int_equal(m->user_count, 9); /* the last chunk is not full yet */
}

static void one_that_still_waits_keeps_its_neighbours(void **state)
{
	struct model *m = *state;
	put_queue(m, 1, 2 * MODEL_CHUNK);
	put_tickets(m, 1, 1, 2 * MODEL_CHUNK, CORE_EXPIRED);
	put_tickets(m, 1, 600, 600, CORE_WAITING);
	model_tend(m, OVER);
	assert_int_equal(m->user_count, 2 * MODEL_CHUNK);
	put_tickets(m, 1, 600, 600, CORE_EXPIRED);
	model_tend(m, OVER);
	assert_int_equal(m->user_count, 0);
}

/* A restart loads nothing of what was over; that must not keep what comes behind it for ever. */
static void what_was_over_at_the_start_keeps_nothing(void **state)
{
	struct model *m = *state;
	put_queue(m, 1, 3 * MODEL_CHUNK);
	put_tickets(m, 1, MODEL_CHUNK + 1000, 3 * MODEL_CHUNK,
	            CORE_EXPIRED); /* the first chunk is not there, the second is in part */
	model_tend(m, OVER - 1);
	assert_int_equal(m->user_count, 2 * MODEL_CHUNK - 999);
	model_tend(m, OVER);
	assert_int_equal(m->user_count, 0);
	assert_int_equal(queue(m, 1)->chunk_first, 3);
}

static void a_user_of_two_queues_stays_while_one_ticket_does(void **state)
{
	struct model *m = *state;
	put_queue(m, 1, MODEL_CHUNK);
	put_queue(m, 2, 9);
	put_tickets(m, 1, 1, MODEL_CHUNK, CORE_EXPIRED);
	put_tickets(m, 2, 9, 9, CORE_WAITING);
	model_tend(m, OVER);
	assert_int_equal(m->user_count, 1);
	assert_int_equal(model_user_find(m, 9)->balance, 9);
}

static void what_is_of_nobody_known_is_passed_over(void **state)
{
	struct model *m = *state;
	struct core_ticket of_nobody = {.queue_id = 1, .number = 3, .user_id = 77, .status = CORE_WAITING};
	struct core_ticket of_no_queue = {.queue_id = 5, .number = 3, .user_id = 1, .status = CORE_WAITING};
	struct core_seat of_no_show = {.show_id = 9, .seat_number = 1, .section = TEXT("A")};
	struct core_reservation held = {.reservation_id = 4, .show_id = 9, .status = CORE_RES_HELD, .held_until = START + 1};
	put_queue(m, 1, 3);
	publish(m, CORE_ROW_TICKET, &of_nobody);
	assert_null(model_ticket_at(queue(m, 1), 3));
	publish(m, CORE_ROW_TICKET, &of_no_queue);
	assert_null(queue(m, 5));
	publish(m, CORE_ROW_SEAT, &of_no_show);
	publish(m, CORE_ROW_RESERVATION, &held);
	assert_null(model_id_get(&m->shows, 9));
	assert_null(model_ticket_at(queue(m, 1), 0));
	assert_null(model_id_get(&m->queues, -1));
}

/* Many users, many tickets far up: the tables grow and lose nobody. */
static void everybody_is_found_among_many(void **state)
{
	enum { MANY = 40 * MODEL_CHUNK };
	struct model *m = *state;
	put_queue(m, 1, MANY);
	put_tickets(m, 1, MANY, MANY, CORE_WAITING); /* the first that is heard of is far up */
	put_tickets(m, 1, 1, MANY - 1, CORE_WAITING);
	assert_int_equal(m->user_count, MANY);
	for (int64_t number = 1; number <= MANY; number += 97) {
		assert_int_equal(model_ticket_at(queue(m, 1), number)->user->user_id, number);
		assert_int_equal(model_user_find(m, number)->balance, number);
	}
	assert_null(model_ticket_at(queue(m, 1), MANY + MODEL_CHUNK * 40));
}

/* ---- shows ---- */

static void put_show(struct model *m, int64_t show_id, int64_t starts_at)
{
	struct core_show s = {.show_id = show_id, .concert_id = 1, .starts_at = starts_at};
	publish(m, CORE_ROW_SHOW, &s);
}

static void assert_order(const struct model *m, const int64_t *ids, int64_t n)
{
	const struct model_concert *c = model_id_get(&m->concerts, 1);
	assert_int_equal(c->show_count, n);
	for (int64_t i = 0; i < n; i++)
		assert_int_equal(c->shows[i]->row.show_id, ids[i]);
}

static void shows_are_listed_soonest_first(void **state)
{
	struct model *m = *state;
	put_show(m, 3, START + 20);
	put_show(m, 1, START + 20); /* the same start: by id */
	put_show(m, 5, START + 10);
	put_show(m, 4, START + 30);
	put_show(m, 2, START + 20);
	assert_order(m, (const int64_t[]){5, 1, 2, 3, 4}, 5);
	put_show(m, 2, START + 40); /* moved to the end, then to the front */
	assert_order(m, (const int64_t[]){5, 1, 3, 4, 2}, 5);
	put_show(m, 2, START + 1);
	assert_order(m, (const int64_t[]){2, 5, 1, 3, 4}, 5);
}

static void a_show_that_says_it_has_no_seats_takes_them_all_the_same(void **state)
{
	struct model *m = *state;
	put_show(m, 1, START);
	for (int64_t number = 1; number <= 40; number++) {
		struct core_seat seat = {.show_id = 1, .seat_number = 41 - number, .section = TEXT("A"), .price = number};
		publish(m, CORE_ROW_SEAT, &seat);
	}
	const struct model_show *s = model_id_get(&m->shows, 1);
	assert_int_equal(s->seat_count, 40);
	for (int64_t i = 0; i < 40; i++)
		assert_int_equal(s->seats[i].number, i + 1);
	assert_int_equal(s->section_count, 1);
}

/* ---- who is silent, who is back ---- */

static void a_stretch_of_the_line_is_looked_through_at_a_time(void **state)
{
	struct model *m = *state;
	int64_t silent[10];
	put_queue(m, 1, 15);
	put_tickets(m, 1, 1, 15, CORE_WAITING);
	assert_int_equal(model_silent(m, 1, START + 1000, 2000, silent, 10), 0);
	assert_int_equal(model_silent(m, 1, START + 9000, 2000, silent, 10), 10); /* no more than fit */
	assert_int_equal(silent[9], 10);
	assert_int_equal(model_silent(m, 1, START + 9000, 2000, silent, 10), 5);
	assert_int_equal(silent[4], 15);
	assert_int_equal(model_silent(m, 1, START + 9000, 2000, silent, 10), 10); /* from the front again */
	assert_int_equal(model_silent(m, 2, START + 9000, 2000, silent, 10), 0);  /* no such queue */
}

static void who_is_back_is_given_queue_by_queue(void **state)
{
	enum { MANY = 100 };
	struct model *m = *state;
	int64_t numbers[MANY], out[MANY], queue_id = 0;
	for (int64_t i = 0; i < MANY; i++)
		numbers[i] = i + 1;
	model_put_back(m, 3, numbers, MANY);
	model_put_back(m, 7, numbers, 2);
	assert_int_equal(model_take_back(m, &queue_id, out, 60), 60);
	assert_int_equal(queue_id, 3);
	assert_int_equal(out[59], 60);
	assert_int_equal(model_take_back(m, &queue_id, out, 60), 40);
	assert_int_equal(out[39], 100);
	assert_int_equal(model_take_back(m, &queue_id, out, 60), 2);
	assert_int_equal(queue_id, 7);
	assert_int_equal(model_take_back(m, &queue_id, out, 60), 0);
}

static size_t asks(struct model *m, int64_t number)
{
	int64_t out[4], queue_id = 0;
	model_hear(m, queue(m, 1), model_ticket_at(queue(m, 1), number), number, START);
	return model_take_back(m, &queue_id, out, 4);
}

/* Another process may have taken one back and passed it over anew before word of either came: what was asked was for the first time. */
static void who_is_passed_over_anew_asks_anew(void **state)
{
	struct model *m = *state;
	put_queue(m, 1, 1);
	put_tickets(m, 1, 1, 1, CORE_PASSED);
	assert_int_equal(asks(m, 1), 1);
	assert_int_equal(asks(m, 1), 0); /* is noted once */
	put_tickets(m, 1, 1, 1, CORE_PASSED);
	assert_int_equal(asks(m, 1), 1);
	assert_int_equal(asks(m, 1), 0);
}

/* A batch is passing somebody over; whoever asks before that shows is told a place. */
static void who_asks_while_it_is_passed_over_is_back(void **state)
{
	enum { IDLE_MS = 120000 };
	struct model *m = *state;
	const int64_t now = START + 2 * IDLE_MS;
	int64_t silent[4], queue_id = 0;
	put_queue(m, 1, 2);
	put_tickets(m, 1, 1, 2, CORE_WAITING);
	assert_int_equal(model_silent(m, 1, now, IDLE_MS, silent, 4), 2);
	model_hear(m, queue(m, 1), model_ticket_at(queue(m, 1), 2), 2, now);
	assert_int_equal(model_take_back(m, &queue_id, silent, 4),
	                 1); /* at once: the next batch may be decided before this one shows */
	assert_int_equal(silent[0], 2);
	model_hear(m, queue(m, 1), model_ticket_at(queue(m, 1), 2), 2, now + 1000);
	assert_int_equal(model_take_back(m, &queue_id, silent, 4), 0);
	/* who was heard from is silent no more, and who asks then is noted no more */
	assert_int_equal(model_silent(m, 1, now, IDLE_MS, silent, 4), 1);
	assert_int_equal(silent[0], 1);
	put_tickets(m, 1, 1, 1, CORE_PASSED);
	assert_int_equal(asks(m, 1), 1);
}

static void put_waiting(struct model *m, int64_t queue_id)
{
	struct core_queue q = {
	    .queue_id = queue_id, .name = TEXT("q"), .capacity = 5, .ceiling = 5, .waiting = 1, .last_number = 1};
	publish(m, CORE_ROW_QUEUE, &q);
	put_tickets(m, queue_id, 1, 1, CORE_WAITING);
}

/* Of more queues than fit, each has its turn. */
static void only_as_many_queues_as_fit_are_named(void **state)
{
	struct model *m = *state;
	int64_t ids[2], after = 0;
	assert_int_equal(model_queues_with_room(m, &after, ids, 2), 0);
	for (int64_t id = 1; id <= 3; id++)
		put_waiting(m, id);
	assert_int_equal(model_queues_with_room(m, &after, ids, 2), 2);
	assert_int_equal(ids[0] * 10 + ids[1], 12);
	assert_int_equal(model_queues_with_room(m, &after, ids, 2), 2);
	assert_int_equal(ids[0] * 10 + ids[1], 31);
	assert_int_equal(model_queues_with_room(m, &after, ids, 2), 2);
	assert_int_equal(ids[0] * 10 + ids[1], 23);
	int64_t more[9];
	assert_int_equal(model_queues_with_room(m, &after, more, 9), 3); /* none twice */
}

static void queues_in_which_somebody_waits_come_in_turn(void **state)
{
	struct model *m = *state;
	assert_int_equal(model_next_waiting(m, 0), 0);
	put_queue(m, 1, 0);
	put_waiting(m, 2);
	put_queue(m, 3, 0);
	put_waiting(m, 5);
	assert_int_equal(model_next_waiting(m, 0), 2);
	assert_int_equal(model_next_waiting(m, 2), 5);
	assert_int_equal(model_next_waiting(m, 5), 2);
	assert_int_equal(model_next_waiting(m, 99), 2);
}

/* Told to the others once, again when it could not be told, and from behind what was forgotten. */
static void who_was_heard_from_is_told_once(void **state)
{
	struct model *m = *state;
	struct store_heard told[4];
	struct model_place place = {0};
	put_queue(m, 1, 2 * MODEL_CHUNK);
	put_tickets(m, 1, 1, MODEL_CHUNK, CORE_EXPIRED);
	put_tickets(m, 1, MODEL_CHUNK + 1, 2 * MODEL_CHUNK, CORE_WAITING);
	model_tend(m, OVER);
	model_hear(m, queue(m, 1), model_ticket_at(queue(m, 1), MODEL_CHUNK + 3), MODEL_CHUNK + 3, START + 5000);
	assert_int_equal(model_heard_here(m, &place, told, 4), 1);
	assert_int_equal(place.queue_id + place.chunk, 0);
	assert_int_equal(told[0].first, MODEL_CHUNK + 1);
	assert_int_equal(told[0].bits[0], 4);
	assert_int_equal(model_heard_here(m, &place, &told[1], 3), 0);
	model_heard_untold(m, told, 1);
	assert_int_equal(model_heard_here(m, &place, &told[1], 3), 1);
	assert_memory_equal(told[0].bits, told[1].bits, sizeof told[0].bits);
}

/* Whoever asks here in the second in which others have told of it is told of all the same: the next report of theirs may be long in coming. */
static void who_asks_at_both_is_told_by_both(void **state)
{
	struct model *m = *state;
	struct store_heard told[2];
	struct model_place place = {0};
	put_queue(m, 1, 5);
	put_tickets(m, 1, 1, 5, CORE_WAITING);
	const struct store_heard theirs = {.queue_id = 1, .first = 1, .bits = {1U << 3}};
	model_heard_elsewhere(m, &theirs, START + 5000);
	model_hear(m, queue(m, 1), model_ticket_at(queue(m, 1), 4), 4, START + 5100);
	assert_int_equal(model_heard_here(m, &place, told, 2), 1);
	assert_int_equal(told[0].bits[0], 1U << 3);
}

static void put_line(struct model *m, int64_t last_number, int64_t waiting)
{
	struct core_queue q = {
	    .queue_id = 1, .name = TEXT("main"), .capacity = 1, .ceiling = 1, .last_number = last_number, .waiting = waiting};
	publish(m, CORE_ROW_QUEUE, &q);
}

/* On a shared store the own commit shows how many wait before word has come of those whom others have given a place. */
static void those_of_whom_no_word_has_come_are_ahead(void **state)
{
	struct model *m = *state;
	put_line(m, 0, 0);
	put_line(m, 10, 10);
	put_tickets(m, 1, 1, 10, CORE_WAITING);
	put_line(m, 10, 10);
	assert_int_equal(model_ahead(queue(m, 1), 10), 9);
	/* 11 to 40 are another's, 41 is this one's */
	put_line(m, 41, 41);
	put_tickets(m, 1, 41, 41, CORE_WAITING);
	assert_int_equal(model_ahead(queue(m, 1), 41), 40);
	assert_int_equal(model_ahead(queue(m, 1), 10), 9); /* they are all behind this one */
	/* word comes of some, then of all */
	put_tickets(m, 1, 11, 20, CORE_WAITING);
	assert_int_equal(model_ahead(queue(m, 1), 41), 40);
	put_tickets(m, 1, 21, 40, CORE_WAITING);
	assert_int_equal(model_ahead(queue(m, 1), 41), 40);
	assert_int_equal(model_ahead(queue(m, 1), 30), 29);
	/* one that has left counts no more, whoever has told of it first */
	put_tickets(m, 1, 5, 5, CORE_EXPIRED);
	put_line(m, 41, 40);
	assert_int_equal(model_ahead(queue(m, 1), 41), 39);
	assert_int_equal(model_ahead(queue(m, 1), 5), 4);
}

static void what_others_heard_counts_and_never_less(void **state)
{
	struct model *m = *state;
	struct store_heard elsewhere = {.queue_id = 1, .first = 1, .bits = {1 | 4}};
	struct store_heard of_no_queue = {.queue_id = 8, .first = 1, .bits = {1}};
	int64_t silent[4];
	put_queue(m, 1, 2);
	put_tickets(m, 1, 1, 2, CORE_WAITING);
	model_heard_elsewhere(m, &elsewhere, START + 5000);
	model_heard_elsewhere(m, &elsewhere, START + 1000); /* older news, later */
	model_heard_elsewhere(m, &of_no_queue, START + 5000);
	assert_int_equal(model_silent(m, 1, START + 6000, 2000, silent, 4), 1);
	assert_int_equal(silent[0], 2);
}

/* ---- a swap ---- */

/* Holds come and go in any order, mostly the oldest first; those that have lapsed are counted out. */
static void lapsed_holds_are_counted_whatever_went_before(void **state)
{
	enum { ROUNDS = 4000, LIVE = 100 };
	struct model *m = *state;
	int64_t live[LIVE], n = 0, seats;
	uint64_t chance = 7;
	put_show(m, 1, START);
	const struct model_show *s = model_id_get(&m->shows, 1);
	for (int64_t id = 1; id <= ROUNDS; id++) {
		chance = chance * 6364136223846793005ULL + 1442695040888963407ULL;
		int64_t at = n == 0 ? 0 : (int64_t)(chance >> 33) % ((chance >> 60) < 12 ? (n + 9) / 10 : n);
		bool goes = n == LIVE || (n > 0 && (id / 300 % 2 ? (chance >> 40) % 3 != 0 : (chance >> 40) % 3 == 0));
		/* the instants of two neighbours are the same */
		struct core_reservation r = {
		    .reservation_id = goes ? live[at] : id, .show_id = 1, .status = goes ? CORE_RES_CANCELLED : CORE_RES_HELD};
		r.held_until = START + r.reservation_id / 2;
		if (goes)
			memmove(&live[at], &live[at + 1], (size_t)(--n - at) * sizeof live[0]);
		else
			live[n++] = id;
		publish(m, CORE_ROW_RESERVATION, &r);
		for (int64_t now = START; now <= START + id; now += 1 + id / 5) {
			int64_t lapsed = 0;
			for (int64_t i = 0; i < n; i++)
				lapsed += START + live[i] / 2 <= now;
			assert_int_equal(model_lapsed(s, now, &seats), lapsed);
		}
	}
}

static void put_seat(struct model *m, int64_t number, const char *section)
{
	struct core_seat seat = {.show_id = 1, .seat_number = number, .section = text_of(section), .price = 5};
	publish(m, CORE_ROW_SEAT, &seat);
}

static void a_swap_keeps_who_was_heard_and_the_texts_that_somebody_reads(void **state)
{
	struct model *m = *state;
	struct model fresh;
	int64_t silent[4];
	put_queue(m, 1, 3);
	put_queue(m, 2, 1); /* is gone in what was read anew */
	put_tickets(m, 1, 1, 3, CORE_WAITING);
	put_show(m, 1, START);
	put_seat(m, 1, "gone");
	put_seat(m, 2, "stays");
	const struct model_show *old = model_id_get(&m->shows, 1);
	struct text gone = old->sections[0], stays = old->sections[1];
	model_hear(m, queue(m, 1), model_ticket_at(queue(m, 1), 1), 1, START + 5000);
	model_hear(m, queue(m, 1), model_ticket_at(queue(m, 1), 3), 3, START + 5000);

	model_init(&fresh);
	fresh.began_ms = START;
	put_queue(&fresh, 1, MODEL_CHUNK + 1);
	put_tickets(&fresh, 1, 1, 2, CORE_WAITING);
	put_tickets(&fresh, 1, 3, 3, CORE_EXPIRED); /* has ended meanwhile */
	put_show(&fresh, 1, START);
	put_seat(&fresh, 2, "stays");
	put_seat(&fresh, 3, "new");
	model_swap(m, &fresh);
	model_free(&fresh);

	assert_int_equal(model_silent(m, 1, START + 6000, 2000, silent, 4), 1);
	assert_int_equal(silent[0], 2);
	assert_null(queue(m, 2));
	const struct model_show *now = model_id_get(&m->shows, 1);
	assert_int_equal(now->seat_count, 2);
	assert_ptr_equal(now->sections[0].p, stays.p);
	assert_memory_equal(gone.p, "gone", 4); /* still there: AddressSanitizer and valgrind look on */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(tickets_are_forgotten_when_their_tokens_no_longer_open),
	    TEST(what_comes_late_of_others_is_shown),
	    TEST(one_that_still_waits_keeps_its_neighbours),
	    TEST(what_was_over_at_the_start_keeps_nothing),
	    TEST(a_user_of_two_queues_stays_while_one_ticket_does),
	    TEST(what_is_of_nobody_known_is_passed_over),
	    TEST(everybody_is_found_among_many),
	    TEST(shows_are_listed_soonest_first),
	    TEST(a_show_that_says_it_has_no_seats_takes_them_all_the_same),
	    TEST(a_stretch_of_the_line_is_looked_through_at_a_time),
	    TEST(who_is_back_is_given_queue_by_queue),
	    TEST(who_is_passed_over_anew_asks_anew),
	    TEST(who_asks_while_it_is_passed_over_is_back),
	    TEST(only_as_many_queues_as_fit_are_named),
	    TEST(queues_in_which_somebody_waits_come_in_turn),
	    TEST(who_was_heard_from_is_told_once),
	    TEST(who_asks_at_both_is_told_by_both),
	    TEST(those_of_whom_no_word_has_come_are_ahead),
	    TEST(what_others_heard_counts_and_never_less),
	    TEST(lapsed_holds_are_counted_whatever_went_before),
	    TEST(a_swap_keeps_who_was_heard_and_the_texts_that_somebody_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
