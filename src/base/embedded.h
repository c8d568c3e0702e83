/* embedded.h: files that are built into the binary (script/embed.py makes the tables).
 *
 * The bytes live as long as the process and are followed by a NUL that does not count. Read-only; any thread. */
#ifndef JARI_BASE_EMBEDDED_H
#define JARI_BASE_EMBEDDED_H

#include "base/text.h"

struct embedded_file {
	const char *name; /* without its folder; tables are in the order of names */
	const uint8_t *bytes;
	size_t size;
};

extern const struct embedded_file embedded_sqlite_migrations[];
extern const size_t embedded_sqlite_migrations_count;
extern const struct embedded_file embedded_postgres_migrations[];
extern const size_t embedded_postgres_migrations_count;
extern const struct embedded_file embedded_demo[];
extern const size_t embedded_demo_count;
extern const struct embedded_file embedded_docs[]; /* Swagger UI */
extern const size_t embedded_docs_count;
extern const struct embedded_file embedded_web[]; /* the pages, as web/build.mjs lays them out */
extern const size_t embedded_web_count;

#endif
