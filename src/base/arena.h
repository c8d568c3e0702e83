/* arena.h: memory that is given out in order and given back all at once.
 *
 * A batch and a request each have one. Under AddressSanitizer what has been reset is poisoned, so a pointer that outlives its
 * batch is caught.
 * Threads: one arena, one thread at a time. Errors: when the system has no memory left the process ends with a line on standard
 * error; everything acknowledged is on disk by then, so ending is safe and half-working is not. */
#ifndef JARI_BASE_ARENA_H
#define JARI_BASE_ARENA_H

#include "base/text.h"
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *head; /* the block being filled; older ones behind it */
	size_t used;              /* bytes given out of the head */
};

/* A zeroed struct arena is an empty one; nothing is allocated before the first use. */
void *arena_alloc(struct arena *a, size_t n); /* aligned for any type; zeroed */
void *arena_copy(struct arena *a, const void *from, size_t n);
struct text arena_text(struct arena *a, struct text t); /* a copy, terminated by a NUL behind its end */
/* The bytes that it has of the system's memory. */
size_t arena_size(const struct arena *a);
/* Takes everything back, keeping the first block for the next use. */
void arena_reset(struct arena *a);
/* Takes everything back and frees it. */
void arena_free(struct arena *a);

/* malloc, calloc, realloc that end the process instead of returning NULL. */
void *mem_alloc(size_t n);
void *mem_zero(size_t n);
void *mem_grow(void *p, size_t n);

#endif
