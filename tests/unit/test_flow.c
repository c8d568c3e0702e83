/* test_flow.c: how fast a line moves. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/flow.h"

#define STEP FLOW_SAMPLE_MS

/* A stretch of a line's life: so many let in at each step, for so many steps. */
struct stretch {
	int64_t let_in;
	int steps;
	bool line;
};

struct row {
	const char *what;
	struct stretch stretches[5];
	double rate; /* a second, at the end */
};

static const struct row rows[] = {
    {"nothing is known before a sample has passed", {{0, 1, true}}, 0},
    {"nobody let in: unknown, not never", {{0, 100, true}}, 0},
    {"ten a step", {{10, 10, true}}, 2},
    {"one in twelve steps, which is one a minute", {{0, 11, true}, {1, 1, true}, {0, 11, true}, {1, 1, true}}, 2 / 115.0},
    {"a long time without any, and then one", {{0, 60, true}, {1, 1, true}}, 1 / 300.0},
    {"enough in the last two steps count alone", {{1, 50, true}, {50, 2, true}}, 10},
    {"one step is too short to count alone", {{0, 10, true}, {50, 1, true}}, 50 / 10.0},
    {"what was ten minutes ago does not count", {{5, 60, true}, {0, 120, true}}, 0},
    {"and what was just within them does", {{5, 60, true}, {0, 119, true}}, 5 / 600.0},
    {"slower: seen when enough have been let in at the new rate", {{100, 20, true}, {1, 20, true}}, 20 / 100.0},
    {"slower: before that not at once, and not without a bound", {{100, 20, true}, {0, 10, true}}, 100 / 55.0},
    {"without a line it begins anew", {{10, 20, true}, {0, 5, false}, {0, 1, true}}, 0},
    {"and the time without one does not count", {{10, 20, true}, {0, 50, false}, {0, 1, true}, {10, 4, true}}, 2},
    {"a line that ends and moved counts", {{10, 10, true}, {10, 1, false}}, 2},
};

static void the_rate_is_that_of_the_past_that_tells(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct flow f = {0};
		int64_t now = 1700000000000, let_in = 1234;
		for (size_t k = 0; k < 5; k++) {
			const struct stretch *s = &rows[i].stretches[k];
			for (int step = 0; step < s->steps; step++) {
				now += STEP;
				let_in += s->let_in;
				flow_note(&f, now, let_in, s->line);
				flow_note(&f, now + STEP - 1, let_in + 1, s->line); /* too soon: no sample */
			}
		}
		if (f.rate < rows[i].rate * 0.999 || f.rate > rows[i].rate * 1.001)
			fail_msg("%s: %f, not %f", rows[i].what, f.rate, rows[i].rate);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_rate_is_that_of_the_past_that_tells),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
