/* log.h: one line an event on standard error: `2026-12-24T10:00:00.123Z level event key=value …`.
 *
 * Values with spaces or quotes are quoted; control characters are escaped, so an event is always one line.
 * Tokens and keys never go in. Threads: any; a line is written with one write(2). */
#ifndef JARI_BASE_LOG_H
#define JARI_BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* log_event(LOG_INFO, "listening", "address", "%s:%d", host, port): an event with one pair; the value is formatted. */
void log_event(enum log_level level, const char *event, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
