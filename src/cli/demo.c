/* demo.c: see demo.h. */
#include "cli/demo.h"
#include "base/embedded.h"
#include <stdio.h>
#include <string.h>

#define KOREA_MS (9LL * 3600 * 1000)
#define DAY_MS (24LL * 3600 * 1000)
#define MINUTE_MS (60LL * 1000)
#define DAYS_MAX 3650 /* ten years either way is more than a demo needs */

static bool two_digits(struct text t, int64_t max, int64_t *out)
{
	if (t.n != 2 || t.p[0] < '0' || t.p[0] > '9' || t.p[1] < '0' || t.p[1] > '9')
		return false;
	*out = (t.p[0] - '0') * 10 + (t.p[1] - '0');
	return *out <= max;
}

/* Reads "+12d 19:30" or "-7d 20:00", without the quotes. */
static bool read_relative(struct text t, int64_t *days, int64_t *minutes)
{
	const char *d = memchr(t.p, 'd', t.n);
	int64_t hour, minute;

	if (d == NULL || t.p + t.n - d != (ptrdiff_t)sizeof("d 19:30") - 1 || d[1] != ' ' || d[4] != ':')
		return false;
	if (!text_to_int((struct text){t.p + 1, (size_t)(d - t.p - 1)}, 0, DAYS_MAX, days))
		return false;
	if (!two_digits((struct text){d + 2, 2}, 23, &hour) || !two_digits((struct text){d + 5, 2}, 59, &minute))
		return false;
	if (t.p[0] == '-')
		*days = -*days;
	*minutes = hour * 60 + minute;
	return true;
}

/* Writes the instant with Korea's offset, so that its date is the show's local date. */
static void write_instant(struct buf *out, int64_t korea_ms)
{
	char text[TEXT_INSTANT_SIZE];
	size_t n = text_instant_format(korea_ms, text);

	buf_add(out, text, n - 1); /* without the Z */
	buf_str(out, "+09:00");
}

bool cli_demo_fill(struct text document, int64_t now, struct buf *out, char error[CLI_DEMO_ERROR_SIZE])
{
	int64_t today = (now + KOREA_MS) / DAY_MS, days, minutes;
	size_t i = 0;

	while (i < document.n) {
		const char *p = document.p + i, *end;

		if (document.n - i < 3 || p[0] != '"' || (p[1] != '+' && p[1] != '-') || p[2] < '0' || p[2] > '9') {
			buf_char(out, *p);
			i++;
			continue;
		}
		end = memchr(p + 1, '"', document.n - i - 1);
		if (end == NULL || !read_relative((struct text){p + 1, (size_t)(end - p - 1)}, &days, &minutes)) {
			(void)snprintf(error, CLI_DEMO_ERROR_SIZE, "byte %zu is no instant such as +12d 19:30", i);
			return false;
		}
		buf_char(out, '"');
		write_instant(out, (today + days) * DAY_MS + minutes * MINUTE_MS);
		buf_char(out, '"');
		i += (size_t)(end - p) + 1;
	}
	return true;
}

bool cli_demo_catalogue(int64_t now, struct buf *out, char error[CLI_DEMO_ERROR_SIZE])
{
	for (size_t i = 0; i < embedded_demo_count; i++)
		if (strcmp(embedded_demo[i].name, "catalogue.json") == 0)
			return cli_demo_fill((struct text){(const char *)embedded_demo[i].bytes, embedded_demo[i].size}, now, out,
			                     error);
	(void)snprintf(error, CLI_DEMO_ERROR_SIZE, "catalogue.json is not built in");
	return false;
}
