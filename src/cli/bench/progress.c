/* progress.c: see progress.h. */
#include "cli/bench/progress.h"
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define TERMINAL_US 200000
#define PLAIN_US 5000000

void progress_begin(struct progress *p, bool quiet)
{
	*p = (struct progress){.quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1};
}

bool progress_due(struct progress *p, int64_t now_us)
{
	bool first = p->next_us == 0;

	if (p->quiet || now_us < p->next_us)
		return false;
	p->next_us = now_us + (p->terminal ? TERMINAL_US : PLAIN_US);
	return !first || p->terminal;
}

static void show(const struct progress *p, bool stays, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

static void show(const struct progress *p, bool stays, const char *format, va_list args)
{
	if (p->terminal)
		(void)fputs("\r\033[K", stderr);
	(void)vfprintf(stderr, format, args);
	if (!p->terminal || stays)
		(void)fputc('\n', stderr);
	(void)fflush(stderr);
}

void progress_line(struct progress *p, const char *format, ...)
{
	va_list args;

	if (p->quiet)
		return;
	va_start(args, format);
	show(p, false, format, args);
	va_end(args);
	p->drawn = true;
}

void progress_end(struct progress *p, const char *format, ...)
{
	va_list args;

	if (p->quiet)
		return;
	va_start(args, format);
	show(p, true, format, args);
	va_end(args);
	p->drawn = false;
}
