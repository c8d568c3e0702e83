/* demo.h: the demo catalogue, with dates that are never past.
 *
 * The document built in (demo/catalogue.json) writes an instant as "+12d 19:30": so many days from today, at that time of day,
 * in Korea (UTC+9, no summer time). Here it becomes an RFC 3339 instant, and the document one that POST /api/admin/catalogue
 * would take.
 * Ownership: the buffer is the caller's. Threads: pure. Errors: false with a sentence; only a broken document has one. */
#ifndef JARI_CLI_DEMO_H
#define JARI_CLI_DEMO_H

#include "base/buf.h"
#include "base/text.h"

#define CLI_DEMO_ERROR_SIZE 128

/* Writes `document` to `out` with every such instant filled in, as of `now` (milliseconds since 1970). */
bool cli_demo_fill(struct text document, int64_t now, struct buf *out, char error[CLI_DEMO_ERROR_SIZE]);
/* The demo catalogue that is built in, as of `now`. */
bool cli_demo_catalogue(int64_t now, struct buf *out, char error[CLI_DEMO_ERROR_SIZE]);

#endif
