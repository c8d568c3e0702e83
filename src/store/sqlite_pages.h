/* sqlite_pages.h: SQLite's own page cache, without its walk through every page at the end of a commit.
 *
 * Why: where a commit has rebalanced a tree, SQLite has used the number of a page far beyond the end of the file for a moment, to put pages into another
 * order. At the end of each commit it asks its cache to forget what is beyond the end; the cache remembers only that there once was such a number, and so
 * looks at all of its pages, tens of thousands, again and again. This layer knows whether there is such a page, and asks only then.
 * Source: "Application Defined Page Cache" in SQLite's documentation (sqlite3_pcache_methods2).
 *
 * Ownership: of the process, as SQLite's configuration is. Threads: any; what SQLite does with a cache it does on the connection's. */
#ifndef JARI_STORE_SQLITE_PAGES_H
#define JARI_STORE_SQLITE_PAGES_H

#include <sqlite3.h>

/* Lays it over the cache that SQLite has. Once for the process, before SQLite is used; SQLITE_MISUSE when that is too late, and all stays as it was. */
int sqlite_pages_use(void);

#endif
