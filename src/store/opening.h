/* opening.h: what opening a store is in every database: migrations by number, refusals in one line.
 *
 * Ownership: nothing is kept. Threads: any. Errors: none.
 * Not for anything outside src/store. */
#ifndef JARI_STORE_OPENING_H
#define JARI_STORE_OPENING_H

#include "base/embedded.h"
#include "store/store.h"

/* The number that a migration's name begins with. */
int64_t store_migration_number(const struct embedded_file *file);
/* That of the last of them; 0 when there is none. */
int64_t store_newest_migration(const struct embedded_file *files, size_t n);
/* What an import says of a store that is not empty; %s is the store. */
#define STORE_NOT_EMPTY "%s is not empty: copy into a new store"
/* Writes the line into `error` (may be NULL, else STORE_ERROR_SIZE bytes) and returns `result`. */
enum store_result store_refuse(enum store_result result, char *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
