/* The form of a log line, read back through a pipe in the place of standard error. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct capture {
	int saved, reader;
	char line[8192];
	size_t n;
};

/* A packet pipe: one read gives what one write gave. */
static void begin(struct capture *c)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_DIRECT), 0);
	c->saved = dup(STDERR_FILENO);
	assert_true(c->saved >= 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	c->reader = ends[0];
}

static void end(struct capture *c)
{
	assert_true(dup2(c->saved, STDERR_FILENO) >= 0);
	close(c->saved);
	ssize_t n = read(c->reader, c->line, sizeof(c->line) - 1);
	assert_true(n > 0);
	c->n = (size_t)n;
	c->line[n] = 0;
	char more;
	assert_int_equal(read(c->reader, &more, 1), 0); /* nothing was written but that one line */
	close(c->reader);
}

/* What follows the instant. */
static const char *rest(const struct capture *c)
{
	int64_t ms;

	assert_true(c->n > 25);
	assert_int_equal(c->line[24], ' ');
	assert_int_equal(c->line[19], '.'); /* milliseconds always */
	assert_true(text_instant_parse((struct text){c->line, 24}, &ms, NULL));
	return c->line + 25;
}

static void values(void **state)
{
	static const struct {
		const char *value, *written;
	} rows[] = {
	    {"127.0.0.1:8080", "127.0.0.1:8080"},
	    {"", "\"\""},
	    {"two words", "\"two words\""},
	    {"say \"hi\"", "\"say \\\"hi\\\"\""},
	    {"back\\slash", "\"back\\\\slash\""},
	    {"a\nb\r\tc", "\"a\\nb\\r\\tc\""},
	    {"\x1b[31m", "\"\\x1b[31m\""},
	    {"\x7f", "\"\\x7f\""},
	    {"자리", "자리"},
	    {"\xC2\x85", "\"\\xc2\\x85\""},
	    {"x\xE2\x80\xA8y", "\"x\\xe2\\x80\\xa8y\""},
	    {"bad \xFF\xC2", "\"bad \\xff\\xc2\""},
	    {"\xC3\xA9 \xC2\xA9", "\"\xC3\xA9 \xC2\xA9\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct capture c;
		char right[256] = "info event key=";

		begin(&c);
		log_event(LOG_INFO, "event", "key", "%s", rows[i].value);
		end(&c);
		strncat(right, rows[i].written, 128);
		strncat(right, "\n", 2);
		assert_string_equal(rest(&c), right);
	}
}

static void levels_and_formats(void **state)
{
	static const struct {
		enum log_level level;
		const char *line;
	} rows[] = {
	    {LOG_DEBUG, "debug listening address=h:1\n"},
	    {LOG_INFO, "info listening address=h:1\n"},
	    {LOG_WARN, "warn listening address=h:1\n"},
	    {LOG_ERROR, "error listening address=h:1\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct capture c;

		begin(&c);
		errno = EDOM;
		log_event(rows[i].level, "listening", "address", "%s:%d", "h", 1);
		assert_int_equal(errno, EDOM);
		end(&c);
		assert_string_equal(rest(&c), rows[i].line);
	}
}

static void a_long_value_is_cut_and_still_one_line(void **state)
{
	struct capture c;
	char value[5000];

	(void)state;
	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	begin(&c);
	log_event(LOG_INFO, "event", "key", "%s", value);
	end(&c);
	assert_true(c.n > 2000 && c.n < 4096);
	assert_ptr_equal(strchr(c.line, '\n'), c.line + c.n - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values),
	    cmocka_unit_test(levels_and_formats),
	    cmocka_unit_test(a_long_value_is_cut_and_still_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
