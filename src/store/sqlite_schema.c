/* sqlite_schema.c: what the migrations make, for the audit, which compares a store with it: the same migrations, run on a database in memory. */
#include "store/sqlite.h"

#include "base/embedded.h"

#include <string.h>

int sqlite_make_tables(sqlite3 *db)
{
	int rc = SQLITE_OK;
	for (size_t i = 0; i < embedded_sqlite_migrations_count && rc == SQLITE_OK; i++)
		rc = sqlite3_exec(db, (const char *)embedded_sqlite_migrations[i].bytes, NULL, NULL, NULL);
	return rc;
}

/* plain(sql): a definition without comments, white space and double quotes. SQLite keeps the words of a migration as they were, and some of a later
 * ALTER as the library of that day wrote them; neither is a difference. */
static void plain(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	const char *p = n > 0 ? (const char *)sqlite3_value_text(args[0]) : NULL;
	struct buf out = {0};
	bool quoted = false;
	for (; p && *p; p++) {
		if (!quoted && p[0] == '-' && p[1] == '-') {
			p += strcspn(p, "\n");
			if (*p == '\0')
				break;
		}
		quoted ^= *p == '\'';
		if (quoted || !strchr(" \t\r\n\"", *p))
			buf_char(&out, *p);
	}
	sqlite3_result_text(ctx, out.n ? out.p : "", (int)out.n, SQLITE_TRANSIENT);
	buf_free(&out);
}

int sqlite_know_plain(sqlite3 *db)
{
	return sqlite3_create_function(db, "plain", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, plain, NULL, NULL);
}

static int list_schema(sqlite3 *db, struct buf *out)
{
	sqlite3_stmt *stmt = NULL;
	/* what SQLite makes by itself, for a key, is part of its table */
	int rc = sqlite3_prepare_v2(db,
	                            "SELECT json_group_array(json_array(type, name, tbl_name, plain(sql))) FROM sqlite_schema"
	                            " WHERE name NOT GLOB 'sqlite_*'",
	                            -1, &stmt, NULL);
	if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		buf_add(out, sqlite3_column_text(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
		rc = SQLITE_OK;
	}
	(void)sqlite3_finalize(stmt);
	return rc;
}

int sqlite_schema_made(struct buf *out)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open(":memory:", &db);
	if (rc == SQLITE_OK)
		rc = sqlite_make_tables(db);
	if (rc == SQLITE_OK)
		rc = sqlite_know_plain(db);
	if (rc == SQLITE_OK)
		rc = list_schema(db, out);
	(void)sqlite3_close(db);
	return rc;
}
