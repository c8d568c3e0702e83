#include "mutate.h"

#include "fuzz.h"
#include <jansson.h>

#define CHANGES_MAX 3
#define TEXT_MAX 300

/* A place in the document: a member of an object, or an item of an array. */
struct place {
	json_t *in;
	char key[64];
	size_t index;
};

struct walk {
	size_t left; /* places to pass by */
	struct place *out;
};

/* Finds the place that `left` counts down to, in the order of the document. */
static bool find(json_t *v, struct walk *w)
{
	const char *key;
	json_t *inner;
	size_t i;

	json_object_foreach(v, key, inner)
	{
		if (w->left-- == 0) {
			w->out->in = v;
			(void)snprintf(w->out->key, sizeof(w->out->key), "%s", key);
			return true;
		}
		if (find(inner, w))
			return true;
	}
	json_array_foreach(v, i, inner)
	{
		if (w->left-- == 0) {
			w->out->in = v;
			w->out->index = i;
			return true;
		}
		if (find(inner, w))
			return true;
	}
	return false;
}

static size_t count(json_t *v)
{
	const char *key;
	json_t *inner;
	size_t i, n = 0;

	json_object_foreach(v, key, inner) n += 1 + count(inner);
	json_array_foreach(v, i, inner) n += 1 + count(inner);
	return n;
}

static bool choose(json_t *doc, struct fuzz_dice *dice, struct place *out)
{
	size_t n = count(doc);
	struct walk w = {.out = out};

	if (n == 0)
		return false;
	w.left = fuzz_roll(dice, n);
	return find(doc, &w);
}

static json_t *at(const struct place *p)
{
	return json_is_object(p->in) ? json_object_get(p->in, p->key) : json_array_get(p->in, p->index);
}

/* Takes over the reference. */
static void put(const struct place *p, json_t *v)
{
	if (json_is_object(p->in))
		(void)json_object_set_new(p->in, p->key, v);
	else
		(void)json_array_set_new(p->in, p->index, v);
}

static json_t *other_number(json_t *v, struct fuzz_dice *dice)
{
	static const int64_t some[] = {0,     1,      -1,      2,        64,         100,           1000,     5000,
	                               86400, 100000, 1000000, 10000000, 1000000000, 1000000000000, INT64_MAX};
	uint64_t n = (uint64_t)json_integer_value(v), one = (uint64_t)some[fuzz_roll(dice, sizeof(some) / sizeof(some[0]))];

	switch (fuzz_roll(dice, 4)) {
	case 0:
		return json_integer((json_int_t)(n + 1));
	case 1:
		return json_integer((json_int_t)(n - 1));
	case 2:
		return json_integer((json_int_t)(one + fuzz_roll(dice, 3) - 1));
	default:
		return json_integer((json_int_t)(n * 10));
	}
}

static json_t *other_text(json_t *v, struct fuzz_dice *dice)
{
	static const char *const some[] = {
	    "", "A", "main", "club", "\xec\x9e\x90\xeb\xa6\xac", "2026-12-24", "2026-12-24T19:00:00+09:00", "\xe2\x80\xa8"};
	uint8_t bytes[TEXT_MAX] = {0};
	size_t n = json_string_length(v);
	json_t *changed = NULL;

	if (fuzz_roll(dice, 2) == 0)
		return json_string(some[fuzz_roll(dice, sizeof(some) / sizeof(some[0]))]);
	if (n > 0 && n < TEXT_MAX && fuzz_roll(dice, 4) > 0) {
		memcpy(bytes, json_string_value(v), n);
		changed = json_stringn((const char *)bytes, LLVMFuzzerMutate(bytes, n, TEXT_MAX)); /* NULL when it is not UTF-8 */
	} else {
		memset(bytes, 'x', TEXT_MAX);
		changed = json_stringn((const char *)bytes, 63 + fuzz_roll(dice, 3) + 136 * fuzz_roll(dice, 2));
	}
	return changed != NULL ? changed : json_string("?");
}

static void change(json_t *doc, struct fuzz_dice *dice)
{
	struct place here, there;
	json_t *v;

	if (!choose(doc, dice, &here) || (v = at(&here)) == NULL)
		return;
	switch (fuzz_roll(dice, 8)) {
	case 0: /* one less */
		if (json_is_object(here.in))
			(void)json_object_del(here.in, here.key);
		else
			(void)json_array_remove(here.in, here.index);
		break;
	case 1:
	case 2: /* one more, or one more of what is in it */
		if (json_is_array(here.in))
			(void)json_array_insert_new(here.in, fuzz_roll(dice, json_array_size(here.in) + 1), json_deep_copy(v));
		else if (json_array_size(v) > 0)
			(void)json_array_append_new(v, json_deep_copy(json_array_get(v, fuzz_roll(dice, json_array_size(v)))));
		break;
	case 3: /* what stands elsewhere */
		if (choose(doc, dice, &there) && at(&there) != NULL)
			put(&here, json_deep_copy(at(&there)));
		break;
	case 4:
		put(&here, fuzz_roll(dice, 3) == 0 ? json_null() : json_boolean(fuzz_roll(dice, 2)));
		break;
	default:
		if (json_is_integer(v))
			put(&here, other_number(v, dice));
		else if (json_is_string(v))
			put(&here, other_text(v, dice));
		else if (json_is_boolean(v))
			put(&here, json_boolean(!json_is_true(v)));
		break;
	}
}

size_t fuzz_mutate_json(uint8_t *data, size_t size, size_t size_max, unsigned seed, size_t head)
{
	struct fuzz_dice dice = {seed};
	json_t *doc = NULL;
	char *dump = NULL;
	size_t n = 0;

	if (fuzz_roll(&dice, 3) > 0 && head < size)
		doc = json_loadb((const char *)data + head, size - head, 0, NULL);
	for (size_t i = 1 + fuzz_roll(&dice, CHANGES_MAX); doc != NULL && i > 0; i--)
		change(doc, &dice);
	if (doc != NULL)
		dump = json_dumps(doc, JSON_COMPACT);
	if (dump != NULL)
		n = strlen(dump);
	if (n > 0 && head + n <= size_max)
		memcpy(data + head, dump, n);
	free(dump);
	json_decref(doc);
	return n > 0 && head + n <= size_max ? head + n : LLVMFuzzerMutate(data, size, size_max);
}
