/* rendered.h: the seats of shows as they were last written out, kept while they are current. On an evening of sales thousands look at the same few shows
 * between two changes. What is kept holds as long as the show's state in this process and its version do (engine.h); no rule is here. The version alone would
 * not do: after a failover it may come to stand for something else.
 *
 * Ownership: a struct rendered is its thread's, with what it keeps: at most JARI_RENDERED_BYTES. Threads: its own alone. Errors: none; what does not fit is not
 * kept. */
#ifndef JARI_HTTP_RENDERED_H
#define JARI_HTTP_RENDERED_H

#include "base/text.h"

enum rendered_form { RENDERED_SEATS, RENDERED_STATUSES, RENDERED_FORMS };

struct rendered;

struct rendered_key {
	int64_t show_id, version;
	uint64_t state;
	enum rendered_form form;
};

struct rendered *rendered_new(void);
void rendered_free(struct rendered *r);
/* The body and its ETag (quotes included), when they are kept; valid until the next rendered_put. */
bool rendered_get(const struct rendered *r, const struct rendered_key *key, struct text *body, struct text *tag);
/* Keeps copies, in the place of what was kept of an earlier state, or of another show. */
void rendered_put(struct rendered *r, const struct rendered_key *key, struct text body, struct text tag);

#endif
