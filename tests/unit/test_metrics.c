/* Counters and histograms with one writer each, and how they stand in the text of GET /metrics. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/tally.h"
#include "http/metrics_inside.h"
#include "http/routes.h"
#include <string.h>

static const struct tally_bounds bounds = {3, {100, 250, 1000000}};

static void a_value_is_in_the_first_bucket_that_holds_it(void **state)
{
	struct tally t = {0};
	struct tally_view v = {0};

	(void)state;
	for (size_t i = 0; i < 6; i++)
		tally_note(&t, &bounds, ((const int64_t[]){0, 100, 101, 250, 251, 1000001})[i]);
	tally_gather(&t, &v);
	assert_memory_equal(v.counts, ((const int64_t[]){2, 2, 1, 1}), 4 * sizeof(int64_t));
	assert_int_equal(v.sum, 1000703);
	tally_gather(&t, &v); /* another thread's, added */
	assert_int_equal(v.counts[0], 4);
}

static void a_histogram_s_lines(void **state)
{
	const struct tally_view v = {{1, 0, 2, 1}, 2500100};
	struct buf out = {0};

	(void)state;
	metrics_histogram(&out, "x_seconds", TEXT("a=\"b\""), &bounds, &v, true);
	const char *seconds = "x_seconds_bucket{a=\"b\",le=\"0.0001\"} 1\n"
			      "x_seconds_bucket{a=\"b\",le=\"0.00025\"} 1\n"
			      "x_seconds_bucket{a=\"b\",le=\"1\"} 3\n"
			      "x_seconds_bucket{a=\"b\",le=\"+Inf\"} 4\n"
			      "x_seconds_sum{a=\"b\"} 2.500100\n"
			      "x_seconds_count{a=\"b\"} 4\n";
	assert_true(text_equal(buf_view(&out), text_of(seconds)));
	buf_reset(&out);
	metrics_histogram(&out, "x", (struct text){0}, &bounds, &v, false);
	const char *plain =
	    "x_bucket{le=\"100\"} 1\nx_bucket{le=\"250\"} 1\nx_bucket{le=\"1000000\"} 3\nx_bucket{le=\"+Inf\"} 4\n"
	    "x_sum 2500100\nx_count 4\n";
	assert_true(text_equal(buf_view(&out), text_of(plain)));
	buf_free(&out);
}

static bool has(const struct buf *out, const char *line)
{
	return memmem(out->p, out->n, line, strlen(line)) != NULL;
}

static const struct http_route *check_route(void)
{
	for (size_t i = 0; i < http_route_count; i++) {
		if (strcmp(http_routes[i].path, "/api/check") == 0)
			return &http_routes[i];
	}
	fail_msg("there is no such route");
	return NULL;
}

static void threads_are_added_up(void **state)
{
	struct http_metrics *m = http_metrics_new(3);
	struct engine_probe probe = {0};
	struct arena arena = {0};
	struct buf out = {0};

	(void)state;
	http_metrics_count(m, 0, check_route(), 200, 80);
	http_metrics_count(m, 1, check_route(), 200, 800);
	http_metrics_count(m, 2, check_route(), 401, 90);
	http_metrics_count(m, 2, NULL, 503, 90);
	http_metrics_count(m, 2, NULL, 299, 90);
	http_metrics_problem(m, 2, CORE_TOKEN_INVALID);
	http_metrics_limited(m, 0, HTTP_LIMIT_TOKENS);
	http_metrics_limited(m, 2, HTTP_LIMIT_TOKENS);
	http_metrics_gauge(m, 0, HTTP_GAUGE_CONNECTIONS, 1);
	http_metrics_gauge(m, 1, HTTP_GAUGE_CONNECTIONS, 1);
	http_metrics_gauge(m, 1, HTTP_GAUGE_CONNECTIONS, -1);
	http_metrics_write(m, NULL, "1", &arena, &out);
	assert_true(has(&out, "\njari_http_requests_total{method=\"GET\",route=\"/api/check\",status=\"200\"} 2\n"));
	assert_true(has(&out, "\njari_http_requests_total{method=\"GET\",route=\"/api/check\",status=\"401\"} 1\n"));
	assert_true(has(&out, "\njari_http_requests_total{method=\"other\",route=\"none\",status=\"503\"} 1\n"));
	assert_true(has(&out, "\njari_http_requests_total{method=\"other\",route=\"none\",status=\"other\"} 1\n"));
	assert_true(has(&out, "\njari_http_request_seconds_bucket{method=\"GET\",route=\"/api/check\",le=\"0.0001\"} 2\n"));
	assert_true(has(&out, "\njari_http_request_seconds_count{method=\"GET\",route=\"/api/check\"} 3\n"));
	assert_true(has(&out, "\njari_http_errors_total{code=\"TOKEN_INVALID\"} 1\n"));
	assert_true(has(&out, "\njari_http_errors_total{code=\"SALES_CLOSED\"} 0\n"));
	assert_true(has(&out, "\njari_rate_limited_total{limit=\"tokens\"} 2\n"));
	assert_true(has(&out, "\njari_rate_limited_total{limit=\"user\"} 0\n"));
	assert_true(has(&out, "\njari_http_open_connections 1\n"));
	assert_false(has(&out, "status=\"0\""));
	http_metrics_probe(m, &probe);
	assert_true(probe.requests == 5 && probe.refused == 1 && probe.errors == 1);
	buf_free(&out);
	arena_free(&arena);
	http_metrics_free(m);
}

static void labels_are_escaped(void **state)
{
	struct buf out = {0};

	(void)state;
	metrics_label(&out, TEXT("a\"b\\c\nd"));
	assert_true(text_equal(buf_view(&out), TEXT("a\\\"b\\\\c\\nd")));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_is_in_the_first_bucket_that_holds_it),
	    cmocka_unit_test(a_histogram_s_lines),
	    cmocka_unit_test(threads_are_added_up),
	    cmocka_unit_test(labels_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
