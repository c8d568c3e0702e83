#include "store/sqlite_pages.h"

#include <stddef.h>

/* SQLite hands its caches no pointer of their maker's, so what lies below is the one thing in the process that is kept without an owner. It is written
 * before SQLite is used, and never again. */
static sqlite3_pcache_methods2 sqlite_cache;

/* Every page has a number of at most `highest`, or is one of the `beyond`: at most so many have been given a higher number and not taken it back. */
struct pages {
	sqlite3_pcache *cache;
	unsigned highest;
	unsigned beyond;
};

static sqlite3_pcache *pages_create(int page_bytes, int extra_bytes, int purgeable)
{
	struct pages *p = sqlite3_malloc(sizeof *p);
	if (!p)
		return NULL;
	*p = (struct pages){.cache = sqlite_cache.xCreate(page_bytes, extra_bytes, purgeable)};
	if (!p->cache) {
		sqlite3_free(p);
		return NULL;
	}
	return (sqlite3_pcache *)p;
}

static void pages_destroy(sqlite3_pcache *cache)
{
	struct pages *p = (struct pages *)cache;
	sqlite_cache.xDestroy(p->cache);
	sqlite3_free(p);
}

static void pages_size(sqlite3_pcache *cache, int pages)
{
	sqlite_cache.xCachesize(((struct pages *)cache)->cache, pages);
}

static int pages_count(sqlite3_pcache *cache)
{
	return sqlite_cache.xPagecount(((struct pages *)cache)->cache);
}

static sqlite3_pcache_page *pages_fetch(sqlite3_pcache *cache, unsigned number, int create)
{
	struct pages *p = (struct pages *)cache;
	sqlite3_pcache_page *page = sqlite_cache.xFetch(p->cache, number, create);
	if (page && create && number > p->highest)
		p->highest = number;
	return page;
}

static void pages_unpin(sqlite3_pcache *cache, sqlite3_pcache_page *page, int discard)
{
	sqlite_cache.xUnpin(((struct pages *)cache)->cache, page, discard);
}

static void pages_rekey(sqlite3_pcache *cache, sqlite3_pcache_page *page, unsigned from, unsigned to)
{
	struct pages *p = (struct pages *)cache;
	sqlite_cache.xRekey(p->cache, page, from, to);
	if (from > p->highest && p->beyond > 0)
		p->beyond--;
	if (to > p->highest)
		p->beyond++;
}

static void pages_truncate(sqlite3_pcache *cache, unsigned limit)
{
	struct pages *p = (struct pages *)cache;
	if (limit > p->highest && p->beyond == 0)
		return;
	sqlite_cache.xTruncate(p->cache, limit);
	if (limit <= p->highest)
		p->highest = limit > 0 ? limit - 1 : 0;
	p->beyond = 0;
}

static void pages_shrink(sqlite3_pcache *cache)
{
	sqlite_cache.xShrink(((struct pages *)cache)->cache);
}

int sqlite_pages_use(void)
{
	sqlite3_pcache_methods2 found;
	int rc = sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &found);
	if (rc != SQLITE_OK)
		return rc;
	if (found.xTruncate == pages_truncate)
		return SQLITE_OK;
	sqlite3_pcache_methods2 over = found;
	over.xCreate = pages_create;
	over.xCachesize = pages_size;
	over.xPagecount = pages_count;
	over.xFetch = pages_fetch;
	over.xUnpin = pages_unpin;
	over.xRekey = pages_rekey;
	over.xTruncate = pages_truncate;
	over.xDestroy = pages_destroy;
	over.xShrink = pages_shrink;
	rc = sqlite3_config(SQLITE_CONFIG_PCACHE2, &over);
	if (rc == SQLITE_OK)
		sqlite_cache = found;
	return rc;
}
