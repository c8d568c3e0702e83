/* svg.c: see svg.h. */
#include "cli/bench/svg.h"
#include "cli/bench/report.h"

#define WIDTH 860
#define HEIGHT 250
#define LEFT 70
#define RIGHT 16
#define TOP 30
#define BOTTOM 34
#define PLOT_W (WIDTH - LEFT - RIGHT)
#define PLOT_H (HEIGHT - TOP - BOTTOM)
#define POINTS_MAX 800 /* more seconds than this are drawn as the largest of several */

/* Colours that people of every colour vision tell apart (Okabe and Ito). */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
                                      "#56b4e9", "#7f7f7f", "#8c564b", "#000000"};
#define COLOURS (sizeof(colours) / sizeof(colours[0]))

static void begin(struct buf *out)
{
	buf_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" font-size=\"12\" font-family=\"system-ui,sans-serif\">", WIDTH,
	           HEIGHT);
	buf_printf(
	    out,
	    "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\".3\"/>",
	    LEFT, TOP, PLOT_W, PLOT_H);
}

static void legend(struct buf *out, size_t i, const char *name)
{
	int x = LEFT + (int)i * 92;

	buf_printf(
	    out,
	    "<rect x=\"%d\" y=\"8\" width=\"12\" height=\"12\" fill=\"%s\"/><text x=\"%d\" y=\"18\" fill=\"currentColor\">%s</text>",
	    x, colours[i % COLOURS], x + 16, name);
}

static void label_y(struct buf *out, int y, int64_t value, bool microseconds)
{
	buf_printf(out, "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"currentColor\" stroke-opacity=\".12\"/>", LEFT,
	           LEFT + PLOT_W, y, y);
	buf_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"currentColor\">", LEFT - 6, y + 4);
	if (microseconds) {
		report_ms(out, value);
		buf_str(out, " ms");
	} else {
		report_grouped(out, value);
	}
	buf_str(out, "</text>");
}

static void label_x(struct buf *out, int x, const char *text)
{
	buf_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"currentColor\">%s</text>", x, TOP + PLOT_H + 18,
	           text);
}

/* The next 1, 2 or 5 times a power of ten at or above v. */
static int64_t round_up(int64_t v)
{
	int64_t power = 1;

	while (power < v / 10)
		power *= 10;
	for (;;) {
		if (v <= power)
			return power;
		if (v <= 2 * power)
			return 2 * power;
		if (v <= 5 * power)
			return 5 * power;
		power *= 10;
	}
}

static void time_axis(struct buf *out, size_t n)
{
	int64_t step = round_up((int64_t)(n + 9) / 10);
	char text[32];

	for (int64_t s = 0; s < (int64_t)n; s += step) {
		(void)snprintf(text, sizeof(text), "%lld s", (long long)s);
		label_x(out, LEFT + (int)(n > 1 ? s * PLOT_W / (int64_t)(n - 1) : 0), text);
	}
}

static void draw_line(struct buf *out, const int64_t *values, size_t n, int64_t top, size_t colour)
{
	size_t each = (n + POINTS_MAX - 1) / POINTS_MAX;

	buf_printf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\" points=\"", colours[colour % COLOURS]);
	for (size_t i = 0; i < n; i += each) {
		int64_t value = 0;

		for (size_t k = i; k < i + each && k < n; k++)
			value = values[k] > value ? values[k] : value;
		buf_printf(out, "%lld,%lld ", (long long)LEFT + (n > 1 ? (long long)i * PLOT_W / (long long)(n - 1) : 0),
		           (long long)TOP + PLOT_H - (long long)(value * PLOT_H / top));
	}
	buf_str(out, "\"/>");
}

void svg_over_time(struct buf *out, const struct svg_line *lines, size_t line_count, size_t n, bool microseconds)
{
	int64_t top = 1;

	if (n == 0) {
		buf_str(out, "<p>nothing to draw</p>");
		return;
	}
	for (size_t i = 0; i < line_count; i++)
		for (size_t k = 0; k < n; k++)
			top = lines[i].values[k] > top ? lines[i].values[k] : top;
	top = round_up(top);
	begin(out);
	for (int i = 0; i <= 4; i++)
		label_y(out, TOP + PLOT_H - PLOT_H * i / 4, top * i / 4, microseconds);
	time_axis(out, n);
	for (size_t i = 0; i < line_count; i++) {
		legend(out, i, lines[i].name);
		draw_line(out, lines[i].values, n, top, i);
	}
	buf_str(out, "</svg>");
}

/* Twelve points for each tenfold: how many of a million are above, from all to one in a hundred thousand. */
static const int64_t above[] = {1000000, 900000, 800000, 700000, 600000, 500000, 400000, 300000, 200000, 150000, 100000,
                                80000,   65000,  50000,  40000,  32000,  25000,  20000,  16000,  12600,  10000,  8000,
                                6500,    5000,   4000,   3200,   2500,   2000,   1600,   1260,   1000,   800,    650,
                                500,     400,    320,    250,    200,    160,    126,    100,    80,     65,     50,
                                40,      32,     25,     20,     16,     13,     10};
#define ABOVE (sizeof(above) / sizeof(above[0]))

/* log2 in 1/64, by the leading bit and a straight line between powers of two. */
static int64_t log2_64(int64_t v)
{
	int bit = v > 0 ? 63 - __builtin_clzll((uint64_t)v) : 0;
	int64_t rest = v > 0 ? v - (INT64_C(1) << bit) : 0;

	return bit * 64 + (bit > 6 ? rest >> (bit - 6) : rest << (6 - bit));
}

static int x_of(int64_t per_million_above)
{
	/* from log2(1000000) down to log2(10): 16.6 doublings */
	return LEFT + (int)((log2_64(1000000) - log2_64(per_million_above)) * PLOT_W / (log2_64(1000000) - log2_64(10)));
}

void svg_percentiles(struct buf *out, const struct svg_curve *curves, size_t n)
{
	static const struct {
		int64_t above;
		const char *name;
	} ticks[] = {{500000, "50 %"}, {100000, "90 %"}, {10000, "99 %"}, {1000, "99.9 %"}, {100, "99.99 %"}, {14, "99.999 %"}};
	int64_t low = INT64_MAX, high = 10, power = 1;

	for (size_t i = 0; i < n; i++) {
		int64_t least = histogram_at(curves[i].h, 0);

		low = least < low ? least : low;
		high = curves[i].h->highest > high ? curves[i].h->highest : high;
	}
	if (n == 0) {
		buf_str(out, "<p>nothing to draw</p>");
		return;
	}
	low = low < 1 ? 1 : low;
	begin(out);
	while (power * 10 <= low)
		power *= 10;
	low = power;
	while (power < high)
		power *= 10;
	high = power;
	for (power = low; power <= high; power *= 10)
		label_y(out, TOP + PLOT_H - (int)((log2_64(power) - log2_64(low)) * PLOT_H / (log2_64(high) - log2_64(low) + 1)),
		        power, true);
	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++)
		label_x(out, x_of(ticks[i].above), ticks[i].name);
	for (size_t i = 0; i < n; i++) {
		legend(out, i, curves[i].name);
		buf_printf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\" points=\"", colours[i % COLOURS]);
		for (size_t k = 0; k < ABOVE; k++) {
			int64_t v = histogram_at(curves[i].h, 1000000 - above[k]);

			buf_printf(out, "%d,%lld ", x_of(above[k]),
			           (long long)TOP + PLOT_H -
			               (long long)((log2_64(v < 1 ? 1 : v) - log2_64(low)) * PLOT_H /
			                           (log2_64(high) - log2_64(low) + 1)));
		}
		buf_str(out, "\"/>");
	}
	buf_str(out, "</svg>");
}
