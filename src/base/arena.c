#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define ALIGNMENT 16
#define BLOCK_FIRST ((size_t)4 << 10)
#define BLOCK_LARGEST ((size_t)1 << 20) /* blocks grow up to this, and a block kept by arena_reset is no larger */

struct arena_block {
	struct arena_block *older;
	size_t size; /* of `bytes` */
	_Alignas(ALIGNMENT) unsigned char bytes[];
};

static _Noreturn void out_of_memory(size_t n)
{
	fprintf(stderr, "jari: out of memory (%zu bytes more were needed); everything acknowledged is saved\n", n);
	abort();
}

void *mem_alloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		out_of_memory(n);
	return p;
}

void *mem_zero(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		out_of_memory(n);
	return p;
}

void *mem_grow(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		out_of_memory(n);
	return p;
}

/* Puts a new block in front that has room for n bytes. */
static void add_block(struct arena *a, size_t n)
{
	size_t size = a->head ? a->head->size * 2 : BLOCK_FIRST;

	if (size > BLOCK_LARGEST)
		size = BLOCK_LARGEST;
	if (size < n)
		size = n;

	struct arena_block *block = mem_alloc(sizeof(*block) + size);

	block->older = a->head;
	block->size = size;
	POISON(block->bytes, size);
	a->head = block;
	a->used = 0;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n > PTRDIFF_MAX - BLOCK_LARGEST)
		out_of_memory(n);

	/* An empty piece has an address of its own too. */
	size_t step = ((n ? n : 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

	if (!a->head || a->head->size - a->used < step)
		add_block(a, step);

	unsigned char *p = a->head->bytes + a->used;

	a->used += step;
	UNPOISON(p, n); /* the bytes up to the next piece stay poisoned: a guard */
	memset(p, 0, n);
	return p;
}

void *arena_copy(struct arena *a, const void *from, size_t n)
{
	void *p = arena_alloc(a, n);

	if (n)
		memcpy(p, from, n);
	return p;
}

struct text arena_text(struct arena *a, struct text t)
{
	char *p = arena_alloc(a, t.n + 1);

	if (t.n)
		memcpy(p, t.p, t.n);
	return (struct text){p, t.n};
}

size_t arena_size(const struct arena *a)
{
	size_t n = 0;

	for (const struct arena_block *block = a->head; block; block = block->older)
		n += sizeof(*block) + block->size;
	return n;
}

static void free_block(struct arena_block *block)
{
	UNPOISON(block->bytes, block->size);
	free(block);
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = NULL;

	for (struct arena_block *block = a->head, *older; block; block = older) {
		older = block->older;
		if (block->size > BLOCK_LARGEST || (keep && keep->size >= block->size)) {
			free_block(block);
			continue;
		}
		if (keep)
			free_block(keep);
		keep = block;
	}
	if (keep) {
		keep->older = NULL;
		POISON(keep->bytes, keep->size);
	}
	a->head = keep;
	a->used = 0;
}

void arena_free(struct arena *a)
{
	for (struct arena_block *block = a->head, *older; block; block = older) {
		older = block->older;
		free_block(block);
	}
	a->head = NULL;
	a->used = 0;
}
