/* rendered.h: the seats of shows as they were last written out, kept while they are current. On an evening of sales thousands look at the same few shows
 * between two changes. A show's version names one state of it (decision 0006), so the version decides whether what is kept still holds; no rule is here.
 *
 * Ownership: a struct rendered is its thread's, with what it keeps: at most JARI_RENDERED_BYTES. Threads: its own alone. Errors: none; what does not fit is not
 * kept. */
#ifndef JARI_HTTP_RENDERED_H
#define JARI_HTTP_RENDERED_H

#include "base/text.h"

enum rendered_form { RENDERED_SEATS, RENDERED_STATUSES, RENDERED_FORMS };

struct rendered;

struct rendered *rendered_new(void);
void rendered_free(struct rendered *r);
/* The body and its ETag (quotes included), when they are kept; valid until the next rendered_put. */
bool rendered_get(const struct rendered *r, enum rendered_form form, int64_t show_id, int64_t version, struct text *body,
                  struct text *tag);
/* Keeps copies, in the place of what was kept of an earlier version, or of another show. */
void rendered_put(struct rendered *r, enum rendered_form form, int64_t show_id, int64_t version, struct text body,
                  struct text tag);

#endif
