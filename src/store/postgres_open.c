/* postgres_open.c: checks whose database it is, and brings its schema up to date, once, whoever starts first; and whose the accounts are. */
#include "store/opening.h"
#include "store/postgres.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIGRATION_LOCK "1784772201" /* "jari" */

/* 0: there is no schema yet. */
static enum store_result read_version(struct pg_conn *c, int64_t *version)
{
	int64_t there = 0;
	*version = 0;
	enum store_result result = pg_ask_int(c, "SELECT (to_regclass('meta') IS NOT NULL)::int", &there);
	if (result == STORE_OK && there)
		result = pg_ask_int(c, "SELECT value FROM meta WHERE name = 'schema'", version);
	return result;
}

static enum store_result check_encoding(struct pg_conn *c, char *error)
{
	enum store_result result;
	char *encoding = pg_ask(c, "SELECT current_setting('server_encoding')", &result);
	if (result == STORE_OK && encoding && strcmp(encoding, "UTF8") != 0)
		result = store_refuse(STORE_BROKEN, error, "%s is in %s: make the database with ENCODING 'UTF8'",
		                      c->target->shown, encoding);
	free(encoding);
	return result;
}

/* The schema that is meant: the first of the search path, which is jari's own unless the URL says otherwise. */
#define MEANT                                                                        \
	"(SELECT CASE name WHEN '$user' THEN current_user::text ELSE name END FROM " \
	"(SELECT (parse_ident(coalesce(nullif(split_part(current_setting('search_path'), ',', 1), ''), 'jari')))[1] AS name) first)"

/* Why no table was seen, where making them is not the remedy: a schema that this role may not use is as if it were not there, and one that the URL
 * names is not made by itself, since the name may be a slip. */
static enum store_result check_schema(struct pg_conn *c, char *error)
{
	enum store_result result;
	char *remedy = pg_ask(
	    c,
	    "SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, current_user) FROM pg_namespace WHERE nspname = " MEANT
	    " AND NOT has_schema_privilege(oid, 'USAGE')",
	    &result);
	if (remedy) {
		result =
		    store_refuse(STORE_BROKEN, error,
		                 "%s: this role may not use the schema: as its owner, %s, and what its tables and sequences need",
		                 c->target->shown, remedy);
	} else if (result == STORE_OK) {
		remedy = pg_ask(c,
		                "SELECT format('CREATE SCHEMA %I', " MEANT ") WHERE current_schema() IS NULL AND " MEANT
		                " <> 'jari' AND NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = " MEANT ")",
		                &result);
		if (remedy)
			result = store_refuse(STORE_BROKEN, error,
			                      "%s has no schema that the URL's search_path names: %s, or leave search_path out",
			                      c->target->shown, remedy);
	}
	free(remedy);
	return result;
}

/* ---- migrations ---- */

static enum store_result set_version(struct pg_conn *c, int64_t version)
{
	char sql[128];
	(void)snprintf(sql, sizeof sql, "UPDATE meta SET value = %lld WHERE name = 'schema'", (long long)version);
	return pg_do(c, sql);
}

/* The queue that every store has: no catalogue makes it. */
static enum store_result insert_main_queue(struct pg_conn *c, int64_t capacity)
{
	char sql[256];
	(void)snprintf(sql, sizeof sql, "INSERT INTO queue VALUES (1, 'main', %lld, %lld, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
	               (long long)capacity, (long long)capacity);
	return pg_do(c, sql);
}

static enum store_result run_migrations(struct pg_conn *c, int64_t version, int64_t capacity)
{
	enum store_result result = STORE_OK;
	for (size_t i = 0; i < embedded_postgres_migrations_count && result == STORE_OK; i++) {
		const struct embedded_file *file = &embedded_postgres_migrations[i];
		int64_t number = store_migration_number(file);
		if (number <= version)
			continue;
		result = pg_do(c, (const char *)file->bytes);
		if (result == STORE_OK && number == 1)
			result = insert_main_queue(c, capacity);
		if (result == STORE_OK)
			result = set_version(c, number);
		if (result == STORE_OK)
			log_event(LOG_INFO, "store_migrated", "file", "%s", file->name);
	}
	return result;
}

/* All in one transaction, behind a lock that makes a second one wait and then find nothing to do. The transaction begins behind the lock: a
 * statement that was begun before it may not see yet what the first one has made. The lock ends with the connection. */
static enum store_result migrate_locked(struct pg_conn *c, int64_t capacity)
{
	int64_t version = 0;
	enum store_result result = pg_do(c, "SET lock_timeout = 0");
	if (result == STORE_OK)
		result = pg_do(c, "SET statement_timeout = 0");
	if (result == STORE_OK)
		result = pg_do(c, "SELECT pg_advisory_lock(" MIGRATION_LOCK ")");
	if (result == STORE_OK)
		result = pg_do(c, "BEGIN");
	if (result == STORE_OK)
		result = read_version(c, &version);
	if (result != STORE_OK)
		return result;
	enum store_result asked;
	char *schema = pg_ask(c, "SELECT current_schema()", &asked);
	if (asked == STORE_OK && !schema)
		asked = pg_do(c, "CREATE SCHEMA jari");
	free(schema);
	result = asked == STORE_OK ? run_migrations(c, version, capacity) : asked;
	return result == STORE_OK ? pg_do(c, "COMMIT") : result;
}

static enum store_result migrate(struct pg_conn *c, int64_t version, int64_t capacity, char *error)
{
	c->quiet = true; /* what goes wrong is told in `error` */
	enum store_result result = migrate_locked(c, capacity);
	c->quiet = false;
	if (result == STORE_OK)
		return STORE_OK;
	char said[sizeof c->said];
	(void)snprintf(said, sizeof said, "%s", c->said);
	if (c->pg)
		(void)pg_do(c, "ROLLBACK");
	if (strstr(said, "permission denied"))
		return store_refuse(
		    STORE_BROKEN, error,
		    "%s %s, and this role may not change that: run jari migrate --store URL once, with the URL of the "
		    "database's owner",
		    c->target->shown, version ? "has the schema of an older version of jari" : "has no schema of jari yet");
	return store_refuse(result, error, "the schema of %s can't be made or brought up to date: %s", c->target->shown, said);
}

static enum store_result check(struct pg_conn *c, enum store_mode mode, int64_t capacity, char *error)
{
	int64_t version = 0;
	enum store_result result = check_encoding(c, error);
	if (result == STORE_OK)
		result = read_version(c, &version);
	if (result == STORE_OK && version == 0)
		result = check_schema(c, error);
	if (result != STORE_OK)
		return result;
	if (version > store_newest_migration(embedded_postgres_migrations, embedded_postgres_migrations_count))
		return store_refuse(
		    STORE_BROKEN, error,
		    "%s was made by a newer version of jari (schema %lld, this one knows %lld): use that version",
		    c->target->shown, (long long)version,
		    (long long)store_newest_migration(embedded_postgres_migrations, embedded_postgres_migrations_count));
	if (version == store_newest_migration(embedded_postgres_migrations, embedded_postgres_migrations_count))
		return STORE_OK;
	if (mode == STORE_READ || mode == STORE_EXPORT)
		return store_refuse(STORE_BROKEN, error, "%s %s: run jari migrate, or start jari serve with it once",
		                    c->target->shown,
		                    version ? "has the schema of an older version of jari" : "has no schema of jari");
	return migrate(c, version, capacity, error);
}

enum store_result pg_open_schema(struct pg_store *s, int64_t capacity, char error[STORE_ERROR_SIZE])
{
	struct pg_conn c = {.quiet = true};
	error[0] = '\0';
	enum store_result result = pg_connect(&c, &s->target, false);
	if (result != STORE_OK)
		result = store_refuse(STORE_BROKEN, error, "the store can't be reached: %s", c.said);
	else
		result = check(&c, s->mode, capacity, error);
	if (result != STORE_OK && error[0] == '\0')
		(void)store_refuse(result, error, "%s can't be read: %s", s->target.shown, c.said);
	pg_conn_free(&c);
	return result;
}

/* ---- whose the accounts are ---- */

enum store_result pg_save_realm(struct pg_conn *c, int64_t realm)
{
	char sql[160];
	(void)snprintf(
	    sql, sizeof sql,
	    "INSERT INTO meta (name, value) VALUES ('realm', %lld) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	    (long long)realm);
	return pg_do(c, sql);
}

enum store_result pg_realm(struct store *base, int64_t *realm, bool *used)
{
	struct pg_conn c = {.answer_ms = PG_ANSWER_MS};
	int64_t any = 0;
	enum store_result result = pg_connect(&c, &pg_store_of(base)->target, false);
	if (result == STORE_OK)
		result = pg_ask_int(&c, "SELECT coalesce((SELECT value FROM meta WHERE name = 'realm'), 0)", realm);
	if (result == STORE_OK)
		result = pg_ask_int(&c, "SELECT EXISTS (SELECT 1 FROM users)::int", &any);
	*used = any != 0;
	pg_conn_free(&c);
	return result;
}

enum store_result pg_set_realm(struct store *base, int64_t realm)
{
	struct pg_conn c = {.answer_ms = PG_ANSWER_MS};
	if (pg_store_of(base)->mode != STORE_SERVE)
		return STORE_BROKEN;
	enum store_result result = pg_connect(&c, &pg_store_of(base)->target, false);
	if (result == STORE_OK)
		result = pg_save_realm(&c, realm);
	pg_conn_free(&c);
	return result;
}
