/* An organiser's document: what it becomes, and what is said of a wrong one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "http/catalogue.h"
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static int empty_arena(void **state)
{
	(void)state;
	arena_free(&arena);
	arena = (struct arena){0};
	return 0;
}

static struct core_catalogue read_good(const char *json)
{
	struct core_catalogue doc;
	char error[CATALOGUE_ERROR_SIZE] = "";

	if (!catalogue_read(text_of(json), &arena, &doc, error))
		fail_msg("refused: %s", error);
	return doc;
}

static void assert_text(struct text got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

#define CONCERT(more) "{\"concerts\":[{\"title\":\"T\",\"artist\":\"A\",\"venue\":\"V\"" more "}]}"
#define SHOW(more) CONCERT(",\"shows\":[{\"startsAt\":\"2026-12-24T19:00:00+09:00\"" more "}]")

static void reads_queues(void **state)
{
	(void)state;
	struct core_catalogue doc = read_good(
	    "{\"queues\":[{\"name\":\"vip\",\"capacity\":7,\"ratePerSecond\":3},{\"name\":\"q\",\"capacity\":1,\"colour\":\"red\"}]}");

	assert_int_equal(doc.queue_count, 2);
	assert_int_equal(doc.concert_count, 0);
	assert_text(doc.queues[0].name, "vip");
	assert_int_equal(doc.queues[0].capacity, 7);
	assert_int_equal(doc.queues[0].rate_per_second, 3);
	assert_text(doc.queues[1].name, "q");
	assert_int_equal(doc.queues[1].rate_per_second, 0);
}

static void reads_concerts(void **state)
{
	(void)state;
	struct core_catalogue doc = read_good(
	    "{\"concerts\":[{\"title\":\"\xec\x9e\x90\xeb\xa6\xac\",\"artist\":\"A\",\"venue\":\"V\",\"queue\":\"vip\",\"salesOpenAt\":\"1970-01-01T00:00:01Z\","
	    "\"shows\":[{\"startsAt\":\"1970-01-02T01:00:00+09:00\",\"seats\":[{\"section\":\"R\",\"from\":1,\"to\":20,\"price\":150000},"
	    "{\"section\":\"S\",\"from\":21,\"to\":30,\"price\":0}]},{\"startsAt\":\"1970-01-02T01:00:00Z\"}]},"
	    "{\"title\":\"U\",\"artist\":\"B\",\"venue\":\"W\",\"queue\":null,\"salesOpenAt\":null,\"shows\":[]}]}");
	const struct core_new_concert *c = &doc.concerts[0];

	assert_int_equal(doc.concert_count, 2);
	assert_text(c->title, "\xec\x9e\x90\xeb\xa6\xac");
	assert_text(c->artist, "A");
	assert_text(c->venue, "V");
	assert_text(c->queue, "vip");
	assert_int_equal(c->sales_open_at, 1000);
	assert_int_equal(c->show_count, 2);
	/* one and the same hour is the 2nd in Seoul, and 16:00 of the 1st in UTC */
	assert_int_equal(c->shows[0].starts_at, 16LL * 3600 * 1000);
	assert_int_equal(c->shows[0].date, 19700102);
	assert_int_equal(c->shows[1].starts_at, 25LL * 3600 * 1000);
	assert_int_equal(c->shows[0].seats_count, 2);
	assert_text(c->shows[0].seats[1].section, "S");
	assert_int_equal(c->shows[0].seats[1].from, 21);
	assert_int_equal(c->shows[0].seats[1].to, 30);
	assert_int_equal(c->shows[0].seats[0].price, 150000);
	assert_int_equal(doc.concerts[1].queue.n, 0);
	assert_int_equal(doc.concerts[1].sales_open_at, 0);
	assert_int_equal(doc.concerts[1].show_count, 0);
}

/* A show without seats has the default ones. */
static void assert_default_seats(const char *json, int64_t price)
{
	struct core_catalogue doc = read_good(json);
	const struct core_new_show *show = &doc.concerts[0].shows[0];

	assert_int_equal(show->seats_count, 1);
	assert_text(show->seats[0].section, CATALOGUE_SECTION_DEFAULT);
	assert_int_equal(show->seats[0].from, 1);
	assert_int_equal(show->seats[0].to, JARI_SEATS_PER_SHOW_DEFAULT);
	assert_int_equal(show->seats[0].price, price);
}

static void fills_in_seats(void **state)
{
	(void)state;
	assert_default_seats(SHOW(""), CATALOGUE_PRICE_DEFAULT);
	assert_default_seats(SHOW(",\"seats\":[]"), CATALOGUE_PRICE_DEFAULT);
	assert_default_seats(SHOW(",\"seats\":null,\"price\":12"), 12);
	assert_default_seats(SHOW(",\"price\":0"), 0);
}

static void leaves_values_to_the_core(void **state)
{
	(void)state;
	(void)read_good("{\"queues\":[{\"name\":\"\",\"capacity\":0},{\"name\":\"\",\"capacity\":9000000000000}]}");
	(void)read_good(SHOW(
	    ",\"seats\":[{\"section\":\"S\",\"from\":9,\"to\":1,\"price\":9000000000000},{\"section\":\"S\",\"from\":9,\"to\":9,\"price\":1}]"));
	(void)read_good("{}");
	(void)read_good("{\"queues\":null,\"concerts\":null}");
}

struct wrong_case {
	const char *json, *says; /* the beginning of the sentence */
};

static const struct wrong_case wrong_cases[] = {
    {"", "The body is not valid JSON"},
    {"{", "The body is not valid JSON"},
    {"[]", "The catalogue must be a JSON object"},
    {"7", "The catalogue must be a JSON object"},
    {"{\"queues\":{}}", "\"queues\" must be an array"},
    {"{\"concerts\":\"\"}", "\"concerts\" must be an array"},
    {"{\"queues\":[1]}", "\"queues[0]\" must be an object"},
    {"{\"queues\":[{\"name\":\"q\",\"capacity\":1},{\"capacity\":1}]}", "\"queues[1].name\" is missing"},
    {"{\"queues\":[{\"name\":\"q\"}]}", "\"queues[0].capacity\" is missing"},
    {"{\"queues\":[{\"name\":\"q\",\"capacity\":1.0}]}", "\"queues[0].capacity\" must be "},
    {"{\"queues\":[{\"name\":\"q\",\"capacity\":\"1\"}]}", "\"queues[0].capacity\" must be "},
    {"{\"queues\":[{\"name\":\"q\",\"capacity\":1,\"ratePerSecond\":true}]}", "\"queues[0].ratePerSecond\" must be "},
    {"{\"queues\":[{\"name\":\"q\\n\",\"capacity\":1}]}", "\"queues[0].name\" must be "},
    {"{\"queues\":[],\"queues\":[]}", "The body names a member twice"},
    {"{\"concerts\":[null]}", "\"concerts[0]\" must be an object"},
    {CONCERT(""), "\"concerts[0].shows\" is missing"},
    {CONCERT(",\"shows\":null"), "\"concerts[0].shows\" must be an array"},
    {CONCERT(",\"queue\":\"\",\"shows\":[]"), "\"concerts[0].queue\" must be "},
    {CONCERT(",\"queue\":1,\"shows\":[]"), "\"concerts[0].queue\" must be "},
    {CONCERT(",\"salesOpenAt\":\"soon\",\"shows\":[]"), "\"concerts[0].salesOpenAt\" must be an instant"},
    {CONCERT(",\"shows\":[[]]"), "\"concerts[0].shows[0]\" must be an object"},
    {CONCERT(",\"shows\":[{}]"), "\"concerts[0].shows[0].startsAt\" is missing"},
    {CONCERT(",\"shows\":[{\"startsAt\":\"2026-12-24T19:00:00Z\"},{\"startsAt\":\"2026-12-24T19:00:00\"}]"),
     "\"concerts[0].shows[1].startsAt\" must be an instant"},
    {SHOW(",\"seats\":7"), "\"concerts[0].shows[0].seats\" must be an array"},
    {SHOW(",\"price\":-1"), "\"concerts[0].shows[0].price\" must be "},
    {SHOW(",\"seats\":[{\"section\":\"S\",\"from\":1,\"to\":2,\"price\":3},{\"section\":\"S\",\"from\":1,\"to\":2}]"),
     "\"concerts[0].shows[0].seats[1].price\" is missing"},
};

static void names_the_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong_cases) / sizeof(wrong_cases[0]); i++) {
		struct core_catalogue doc;
		char error[CATALOGUE_ERROR_SIZE] = "";

		if (catalogue_read(text_of(wrong_cases[i].json), &arena, &doc, error))
			fail_msg("taken: %s", wrong_cases[i].json);
		if (strncmp(error, wrong_cases[i].says, strlen(wrong_cases[i].says)) != 0)
			fail_msg("%s\n gave: %s\n wanted: %s", wrong_cases[i].json, error, wrong_cases[i].says);
		size_t n = strlen(error);
		if (error[n - 1] != '.' || error[n - 2] == '.')
			fail_msg("%s\n gave no sentence with one full stop: %s", wrong_cases[i].json, error);
	}
}

/* Whatever is cut off a document, nothing is read beyond its end. */
static void stands_any_cut(void **state)
{
	static const char whole[] = SHOW(",\"seats\":[{\"section\":\"S\",\"from\":1,\"to\":2,\"price\":3}]");

	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		struct core_catalogue doc;
		char error[CATALOGUE_ERROR_SIZE] = "";
		char *copy = mem_alloc(n + 1); /* of its very size, so that a byte too many is seen */

		memcpy(copy, whole, n);
		assert_false(catalogue_read((struct text){copy, n}, &arena, &doc, error));
		assert_true(error[0] != '\0');
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(reads_queues, empty_arena),
	    cmocka_unit_test_teardown(reads_concerts, empty_arena),
	    cmocka_unit_test_teardown(fills_in_seats, empty_arena),
	    cmocka_unit_test_teardown(leaves_values_to_the_core, empty_arena),
	    cmocka_unit_test_teardown(names_the_place, empty_arena),
	    cmocka_unit_test_teardown(stands_any_cut, empty_arena),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
