#include "base/log.h"

#include "base/buf.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VALUE_MAX 2048 /* bytes of one value; a longer one is cut */

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_DEBUG:
		return "debug";
	case LOG_INFO:
		return "info";
	case LOG_WARN:
		return "warn";
	case LOG_ERROR:
		return "error";
	}
	return "error";
}

static void add_escaped(struct buf *line, unsigned char c)
{
	switch (c) {
	case '\n':
		buf_str(line, "\\n");
		break;
	case '\r':
		buf_str(line, "\\r");
		break;
	case '\t':
		buf_str(line, "\\t");
		break;
	default:
		buf_printf(line, "\\x%02x", c);
	}
}

/* The length of a character that a reader of lines could take for a control: U+0080..009F, U+2028, U+2029. 0 for any other. */
static size_t control_length(const char *p, size_t n)
{
	if (n >= 2 && memcmp(p, "\xC2", 1) == 0 && (unsigned char)p[1] <= 0x9F)
		return 2;
	if (n >= 3 && (memcmp(p, "\xE2\x80\xA8", 3) == 0 || memcmp(p, "\xE2\x80\xA9", 3) == 0))
		return 3;
	return 0;
}

static void add_quoted(struct buf *line, struct text v)
{
	bool utf8 = text_utf8_chars(v) >= 0;

	buf_char(line, '"');
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];
		size_t control = utf8 ? control_length(v.p + i, v.n - i) : 0;

		if (control > 0) {
			for (size_t end = i + control; i < end; i++)
				add_escaped(line, (unsigned char)v.p[i]);
			i--;
		} else if (c < 0x20 || c == 0x7F || (c >= 0x80 && !utf8)) {
			add_escaped(line, c);
		} else {
			if (c == '"' || c == '\\')
				buf_char(line, '\\');
			buf_char(line, (char)c);
		}
	}
	buf_char(line, '"');
}

static void add_value(struct buf *line, struct text v)
{
	bool plain = v.n > 0 && !text_has_control(v);

	for (size_t i = 0; plain && i < v.n; i++)
		plain = v.p[i] != ' ' && v.p[i] != '"' && v.p[i] != '\\';
	if (plain)
		buf_text(line, v);
	else
		add_quoted(line, v);
}

static void add_now(struct buf *line)
{
	struct timespec t;
	char out[TEXT_INSTANT_SIZE];

	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		t = (struct timespec){0};
	/* always with milliseconds, so that columns line up */
	size_t n = text_instant_format((int64_t)t.tv_sec * 1000, out);
	buf_add(line, out, n - 1);
	buf_printf(line, ".%03dZ", (int)(t.tv_nsec / 1000000));
}

void log_event(enum log_level level, const char *event, const char *key, const char *format, ...)
{
	int saved_errno = errno;
	struct buf line = {0};
	char value[VALUE_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	if (n < 0)
		n = 0;
	if ((size_t)n >= sizeof(value))
		n = sizeof(value) - 1;

	add_now(&line);
	buf_printf(&line, " %s %s %s=", level_name(level), event, key);
	add_value(&line, (struct text){value, (size_t)n});
	buf_char(&line, '\n');
	/* One write, so that lines of several threads do not mix. What can't be written is lost: there is nowhere to say so. */
	while (write(STDERR_FILENO, line.p, line.n) < 0 && errno == EINTR)
		;
	buf_free(&line);
	errno = saved_errno;
}
