/* power_cut.c: see power_cut.h. */
#include "power_cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512
#define FILES_MAX 64
#define NAMES_MAX 8
#define OPS_MAX 64

struct image {
	unsigned char *bytes;
	int64_t size, cap;
};

struct cut_file {
	struct image durable;
	size_t *pending; /* events that were not synced yet, in order */
	size_t n, cap;
};

struct cut_name {
	const char *name;
	int durable;      /* the file; -1: none */
	int ops[OPS_MAX]; /* what it was made to mean since: a file, or -1 */
	int n;
};

struct cut_disk {
	const struct journal_event *events;
	size_t at;
	uint64_t chance;
	struct cut_file files[FILES_MAX];
	struct cut_name names[NAMES_MAX];
	int name_count;
};

/* How a power cut chooses. */
struct choice {
	uint64_t chance;
	unsigned keeps; /* of 256 pieces */
	bool whole;     /* a write is there wholly or not at all */
	bool old_bytes; /* what was not written is not zeros */
};

static uint64_t draw(uint64_t *chance)
{
	uint64_t z = (*chance += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static bool keeps(struct choice *c)
{
	return draw(&c->chance) % 256 < c->keeps;
}

static struct choice choose(uint64_t seed)
{
	static const unsigned shares[] = {16, 64, 128, 192, 240};
	struct choice c = {.chance = seed};
	if (seed == 1)
		c.keeps = 256;
	if (seed > 1) {
		c.keeps = shares[draw(&c.chance) % 5];
		c.whole = draw(&c.chance) % 2 != 0;
		c.old_bytes = draw(&c.chance) % 4 == 0;
	}
	return c;
}

/* ---- images ---- */

static void resize(struct image *image, int64_t size, bool old_bytes)
{
	if (size > image->cap) {
		image->cap = size * 2;
		image->bytes = realloc(image->bytes, (size_t)image->cap);
		if (!image->bytes)
			abort();
	}
	if (size > image->size)
		memset(image->bytes + image->size, old_bytes ? 0x5a : 0, (size_t)(size - image->size));
	image->size = size;
}

static void put(struct image *image, int64_t at, const unsigned char *bytes, int64_t n, bool old_bytes)
{
	if (at + n > image->size)
		resize(image, at + n, old_bytes);
	memcpy(image->bytes + at, bytes, (size_t)n);
}

/* All of a write, or the pieces of it that the choice keeps. */
static void apply(struct image *image, const struct journal_event *e, struct choice *c)
{
	bool whole = c == NULL || c->whole;
	if (whole && c && !keeps(c))
		return;
	if (e->what == JOURNAL_TRUNCATE) {
		if (whole || keeps(c))
			resize(image, e->n, false);
		return;
	}
	for (int64_t at = e->at, end = e->at + e->n; at < end;) {
		int64_t next = (at / SECTOR + 1) * SECTOR, n = (next < end ? next : end) - at;
		if (whole || keeps(c))
			put(image, at, e->bytes + (at - e->at), n, c && c->old_bytes);
		at += n;
	}
}

/* ---- what happens ---- */

static void add_pending(struct cut_file *f, size_t event)
{
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 64;
		f->pending = realloc(f->pending, f->cap * sizeof *f->pending);
		if (!f->pending)
			abort();
	}
	f->pending[f->n++] = event;
}

/* Everything before this event is on the disk, or as much of it as the choice says; nothing of it is pending any more. */
static void settle(struct cut_disk *d, struct cut_file *f, size_t before, struct choice *c)
{
	size_t n = 0, left = 0;
	for (; n < f->n && f->pending[n] < before; n++)
		apply(&f->durable, &d->events[f->pending[n]], c);
	for (; n < f->n; n++)
		f->pending[left++] = f->pending[n];
	f->n = left;
}

static void rename_to(struct cut_disk *d, const char *name, int file)
{
	int i = 0;
	while (i < d->name_count && strcmp(d->names[i].name, name) != 0)
		i++;
	struct cut_name *n = &d->names[i];
	if (i == NAMES_MAX || n->n == OPS_MAX)
		abort();
	if (i == d->name_count) {
		*n = (struct cut_name){.name = name, .durable = -1};
		d->name_count++;
	}
	n->ops[n->n++] = file;
}

struct cut_disk *cut_disk_new(const struct journal_event *events, uint64_t seed)
{
	struct cut_disk *d = calloc(1, sizeof *d);
	if (!d)
		abort();
	d->events = events;
	d->chance = seed;
	return d;
}

void cut_disk_free(struct cut_disk *d)
{
	for (int i = 0; i < FILES_MAX; i++) {
		free(d->files[i].durable.bytes);
		free(d->files[i].pending);
	}
	free(d);
}

static void sync_folder(struct cut_disk *d)
{
	for (int i = 0; i < d->name_count; i++) {
		struct cut_name *n = &d->names[i];
		n->durable = n->n > 0 ? n->ops[n->n - 1] : n->durable;
		n->n = 0;
	}
}

size_t cut_disk_next(struct cut_disk *d)
{
	size_t i = d->at++;
	const struct journal_event *e = &d->events[i];
	struct choice c = choose(d->chance);
	switch (e->what) {
	case JOURNAL_CREATE:
		rename_to(d, e->name, e->file);
		break;
	case JOURNAL_DELETE:
		rename_to(d, e->name, -1);
		break;
	case JOURNAL_WRITE:
	case JOURNAL_TRUNCATE:
		add_pending(&d->files[e->file], i);
		break;
	case JOURNAL_SYNC_END:
		settle(d, &d->files[e->file], (size_t)e->at, NULL);
		break;
	case JOURNAL_SYNC_FAILED:
		settle(d, &d->files[e->file], i, &c);
		(void)draw(&d->chance);
		break;
	case JOURNAL_FOLDER_SYNC:
		sync_folder(d);
		break;
	default:
		break;
	}
	return i;
}

/* ---- the power is cut ---- */

static void write_image(const struct image *image, const char *path)
{
	FILE *file = fopen(path, "w");
	if (!file || (image->size && fwrite(image->bytes, 1, (size_t)image->size, file) != (size_t)image->size) ||
	    fclose(file) != 0)
		abort();
}

static void write_file(const struct cut_disk *d, int file, struct choice *c, const char *path)
{
	const struct cut_file *f = &d->files[file];
	struct image image = {0};
	if (f->durable.size > 0)
		put(&image, 0, f->durable.bytes, f->durable.size, false);
	for (size_t i = 0; i < f->n; i++)
		apply(&image, &d->events[f->pending[i]], c);
	write_image(&image, path);
	free(image.bytes);
}

void cut_disk_write(const struct cut_disk *d, uint64_t seed, const char *folder)
{
	struct choice c = choose(seed);
	char path[512];
	for (int i = 0; i < d->name_count; i++) {
		const struct cut_name *n = &d->names[i];
		int file = n->durable;
		for (int op = 0; op < n->n && keeps(&c); op++)
			file = n->ops[op];
		(void)snprintf(path, sizeof path, "%s/%s", folder, n->name);
		if (file >= 0)
			write_file(d, file, &c, path);
		else
			(void)unlink(path);
	}
}
