#include "http/rendered.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

#include <stdlib.h>

struct kept {
	struct rendered_key key; /* of show 0: nothing is kept */
	size_t body_n;
	struct buf bytes; /* the body, then the tag */
};

struct rendered {
	struct kept kept[JARI_RENDERED_SHOWS][RENDERED_FORMS]; /* a show's place: its id modulo their number */
	size_t total;                                          /* of all the buffers */
};

struct rendered *rendered_new(void)
{
	return mem_zero(sizeof(struct rendered));
}

static void empty(struct rendered *r)
{
	for (size_t i = 0; i < JARI_RENDERED_SHOWS; i++) {
		for (size_t form = 0; form < RENDERED_FORMS; form++) {
			buf_free(&r->kept[i][form].bytes);
			r->kept[i][form] = (struct kept){0};
		}
	}
	r->total = 0;
}

void rendered_free(struct rendered *r)
{
	if (!r)
		return;
	empty(r);
	free(r);
}

bool rendered_get(const struct rendered *r, const struct rendered_key *key, struct text *body, struct text *tag)
{
	const struct kept *k = &r->kept[(uint64_t)key->show_id % JARI_RENDERED_SHOWS][key->form];

	if (k->key.show_id != key->show_id || k->key.version != key->version || k->key.state != key->state || key->show_id == 0)
		return false;
	*body = (struct text){k->bytes.p, k->body_n};
	*tag = (struct text){k->bytes.p + k->body_n, k->bytes.n - k->body_n};
	return true;
}

void rendered_put(struct rendered *r, const struct rendered_key *key, struct text body, struct text tag)
{
	struct kept *k = &r->kept[(uint64_t)key->show_id % JARI_RENDERED_SHOWS][key->form];
	size_t need = body.n + tag.n, had = k->bytes.cap;

	if (need > JARI_RENDERED_BYTES / 4)
		return;
	/* A buffer at most doubles. Shows that grow into the limit are rare; all is rendered anew then. */
	if (need > had && r->total - had + need * 2 > JARI_RENDERED_BYTES)
		empty(r);
	had = k->bytes.cap;
	buf_reset(&k->bytes);
	buf_text(&k->bytes, body);
	buf_text(&k->bytes, tag);
	r->total += k->bytes.cap - had;
	k->key = *key;
	k->body_n = body.n;
}
