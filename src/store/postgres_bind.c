/* postgres_bind.c: parameters of statements in PostgreSQL's binary form, arrays above all. */
#include "store/postgres.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* Types' numbers in PostgreSQL's catalogue; they never change. */
#define OID_BYTEA 17
#define OID_INT8 20
#define OID_TEXT 25

static void put4(char **p, uint32_t v)
{
	uint32_t big = htobe32(v);
	memcpy(*p, &big, 4);
	*p += 4;
}

static void put8(char **p, int64_t v)
{
	uint64_t big = htobe64((uint64_t)v);
	memcpy(*p, &big, 8);
	*p += 8;
}

void pg_bind_bytes(struct pg_params *p, const void *bytes, size_t n)
{
	assert(p->n < PG_PARAMS_MAX && n <= INT32_MAX);
	p->values[p->n] = n ? bytes : "";
	p->lengths[p->n] = (int)n;
	p->formats[p->n] = 1;
	p->n++;
}

void pg_bind_int(struct pg_params *p, int64_t v)
{
	char *bytes = arena_alloc(p->arena, 8), *at = bytes;
	put8(&at, v);
	pg_bind_bytes(p, bytes, 8);
}

void pg_bind_text(struct pg_params *p, struct text t)
{
	pg_bind_bytes(p, t.p, t.n);
}

/* Begins an array of n elements that have `size` bytes together; the caller fills it. */
static char *begin_array(struct pg_params *p, uint32_t oid, size_t n, size_t size)
{
	size_t bytes = 20 + 4 * n + size;
	char *begin = arena_alloc(p->arena, bytes), *at = begin;
	put4(&at, 1);
	put4(&at, 0);
	put4(&at, oid);
	put4(&at, (uint32_t)n);
	put4(&at, 1);
	if (n == 0) { /* an empty array has no dimension */
		at = begin;
		put4(&at, 0);
		bytes = 12;
	}
	pg_bind_bytes(p, begin, bytes);
	return begin + 20;
}

static void put_int(char **at, int64_t v)
{
	put4(at, 8);
	put8(at, v);
}

static void put_bytes(char **at, const void *bytes, size_t n)
{
	put4(at, (uint32_t)n);
	if (n)
		memcpy(*at, bytes, n);
	*at += n;
}

void pg_bind_ints(struct pg_params *p, const int64_t *v, size_t n)
{
	char *at = begin_array(p, OID_INT8, n, n * 8);
	for (size_t i = 0; i < n; i++)
		put_int(&at, v[i]);
}

void pg_bind_texts(struct pg_params *p, const struct text *v, size_t n)
{
	size_t size = 0;
	for (size_t i = 0; i < n; i++)
		size += v[i].n;
	char *at = begin_array(p, OID_TEXT, n, size);
	for (size_t i = 0; i < n; i++)
		put_bytes(&at, v[i].p, v[i].n);
}

void pg_bind_pieces(struct pg_params *p, const void *first, size_t size, size_t apart, size_t n)
{
	char *at = begin_array(p, OID_BYTEA, n, n * size);
	for (size_t i = 0; i < n; i++)
		put_bytes(&at, (const char *)first + i * apart, size);
}

/* An array of arrays of different lengths can't be unnested, so a reservation's seats go as text: {1,2,30}. */
static struct text seats_text(struct arena *arena, const struct core_reservation *r)
{
	struct buf b = {0};
	buf_char(&b, '{');
	for (int32_t i = 0; i < r->seat_count; i++) {
		if (i)
			buf_char(&b, ',');
		buf_int(&b, r->seats[i]);
	}
	buf_char(&b, '}');
	struct text text = arena_text(arena, buf_view(&b));
	buf_free(&b);
	return text;
}

static int64_t column_int(const struct pg_column *c, const void *row)
{
	const void *at = (const char *)row + c->offset;
	return c->type == PG_INT ? *(const int64_t *)at : c->type == PG_INT4 ? *(const int32_t *)at : *(const bool *)at;
}

void pg_bind_column(struct pg_params *p, const struct pg_column *c, const void *const *rows, size_t n)
{
	if (c->type == PG_INT || c->type == PG_INT4 || c->type == PG_BOOL) {
		char *at = begin_array(p, OID_INT8, n, n * 8);
		for (size_t i = 0; i < n; i++)
			put_int(&at, column_int(c, rows[i]));
		return;
	}
	if (c->type == PG_DIGEST) {
		char *at = begin_array(p, OID_BYTEA, n, n * CORE_DIGEST_BYTES);
		for (size_t i = 0; i < n; i++)
			put_bytes(&at, (const char *)rows[i] + c->offset, CORE_DIGEST_BYTES);
		return;
	}
	struct text *texts = arena_alloc(p->arena, n * sizeof *texts + 1);
	for (size_t i = 0; i < n; i++)
		texts[i] = c->type == PG_SEATS ? seats_text(p->arena, rows[i])
		                               : *(const struct text *)(const void *)((const char *)rows[i] + c->offset);
	pg_bind_texts(p, texts, n);
}
