/* store.c: opens a store by its URL; everything else goes to the implementation. */
#include "store/store.h"

#include <stdio.h>
#include <string.h>

const char *store_result_name(enum store_result r)
{
	switch (r) {
	case STORE_OK:
		return "OK";
	case STORE_NONE:
		return "NONE";
	case STORE_CONFLICT:
		return "CONFLICT";
	case STORE_BUSY:
		return "BUSY";
	case STORE_BROKEN:
		return "BROKEN";
	}
	return "UNKNOWN";
}

const enum core_kind store_kinds[STORE_KINDS] = {
    CORE_ROW_QUEUE,       CORE_ROW_USER, CORE_ROW_TICKET, CORE_ROW_CONCERT, CORE_ROW_SHOW,
    CORE_ROW_RESERVATION, CORE_ROW_SEAT, CORE_ROW_ENTRY,  CORE_ROW_KEY,     CORE_ROW_AUDIT,
};

const char *store_kind_name(enum core_kind kind)
{
	static const char *const names[] = {
	    [CORE_ROW_USER] = "users",
	    [CORE_ROW_QUEUE] = "queues",
	    [CORE_ROW_TICKET] = "tickets",
	    [CORE_ROW_CONCERT] = "concerts",
	    [CORE_ROW_SHOW] = "shows",
	    [CORE_ROW_SEAT] = "seats",
	    [CORE_ROW_RESERVATION] = "reservations",
	    [CORE_ROW_ENTRY] = "ledger entries",
	    [CORE_ROW_KEY] = "idempotency keys",
	    [CORE_ROW_AUDIT] = "audit log lines",
	};
	return names[kind];
}

/* What stands behind `scheme` in `url`, or NULL when it has another scheme. */
static const char *after_scheme(const char *url, const char *scheme)
{
	size_t n = strlen(scheme);
	return strncmp(url, scheme, n) == 0 ? url + n : NULL;
}

static bool is_postgres(const char *url)
{
	return after_scheme(url, "postgresql:") || after_scheme(url, "postgres:");
}

void store_shown(const char *url, char out[STORE_SHOWN_SIZE])
{
	if (is_postgres(url))
		store_postgres_shown(url, out);
	else
		(void)snprintf(out, STORE_SHOWN_SIZE, "%s", url);
}

enum store_result store_open(const struct store_options *options, struct store **out, char error[STORE_ERROR_SIZE])
{
	const char *url = options->url ? options->url : "";
	*out = NULL;
	error[0] = '\0';
	const char *path = after_scheme(url, "sqlite:");
	if (path && path[0] != '\0')
		return store_sqlite_open(options, path, out, error);
	if (path) {
		snprintf(error, STORE_ERROR_SIZE, "the store \"%s\" names no file: write --store sqlite:PATH", url);
		return STORE_BROKEN;
	}
	path = after_scheme(url, "memory:");
	if (path && path[0] == '\0')
		return store_memory_open(options, out, error);
	if (is_postgres(url))
		return store_postgres_open(options, out, error);
	snprintf(error, STORE_ERROR_SIZE, "the store \"%.300s\" is of no known kind: write --store sqlite:PATH or postgresql://…",
	         url);
	return STORE_BROKEN;
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}

const char *store_path(const struct store *s)
{
	return s->ops->path(s);
}

int64_t store_clock(struct store *s)
{
	return s->ops->clock(s);
}

enum store_result store_realm(struct store *s, int64_t *realm, bool *used)
{
	return s->ops->realm(s, realm, used);
}

enum store_result store_set_realm(struct store *s, int64_t realm)
{
	return s->ops->set_realm(s, realm);
}

enum store_result store_begin(struct store *s, int64_t *now)
{
	return s->ops->begin(s, now);
}

enum store_result store_load(struct store *s, struct core_rows *rows)
{
	return s->ops->load(s, rows);
}

void store_want_ids(struct store *s, enum core_id_kind kind, int64_t count)
{
	if (s->ops->want_ids)
		s->ops->want_ids(s, kind, count);
}

enum store_result store_ids(struct store *s, enum core_id_kind kind, int64_t count, struct core_ids *out)
{
	return s->ops->ids(s, kind, count, out);
}

enum store_result store_commit(struct store *s, const struct core_rows *rows, int64_t now)
{
	return s->ops->commit(s, rows, now);
}

void store_sync(struct store *s)
{
	if (s->ops->sync)
		s->ops->sync(s);
}

void store_rollback(struct store *s)
{
	s->ops->rollback(s);
}

enum store_result store_try_writing(struct store *s)
{
	return s->ops->try_writing ? s->ops->try_writing(s) : STORE_OK;
}

void store_maintain(struct store *s)
{
	s->ops->maintain(s);
}

void store_look_figures(struct store *s, struct store_figures *out)
{
	*out = (struct store_figures){0};
	if (s->ops->figures)
		s->ops->figures(s, out);
}

enum store_result store_scan(struct store *s, int64_t since, store_row_fn fn, void *arg)
{
	return s->ops->scan(s, since, fn, arg);
}

enum store_result store_follow(struct store *s, store_row_fn fn, void *arg)
{
	return s->ops->follow ? s->ops->follow(s, fn, arg) : STORE_NONE;
}

enum store_result store_watch(struct store *s, int timeout_ms)
{
	return s->ops->watch ? s->ops->watch(s, timeout_ms) : STORE_NONE;
}

enum store_result store_hear(struct store *s, const struct store_heard *own, size_t n, store_heard_fn fn, void *arg)
{
	return s->ops->hear ? s->ops->hear(s, own, n, fn, arg) : STORE_NONE;
}

enum store_result store_confirm(struct store *s)
{
	store_rollback(s);
	return s->ops->confirm ? s->ops->confirm(s) : STORE_OK;
}

enum store_trouble store_trouble(struct store *s)
{
	return s->ops->trouble ? s->ops->trouble(s) : STORE_REFUSING;
}

enum store_result store_reader_open(struct store *s, struct store_reader **out)
{
	*out = NULL;
	return s->ops->reader_open(s, out);
}

void store_reader_close(struct store_reader *r)
{
	if (r)
		r->ops->reader_close(r);
}

enum store_result store_reservation(struct store_reader *r, int64_t reservation_id, struct arena *arena,
                                    struct core_reservation *out)
{
	return r->ops->reservation(r, reservation_id, arena, out);
}

enum store_result store_reservations(struct store_reader *r, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                                     struct core_reservation **out, size_t *n)
{
	return r->ops->reservations(r, user_id, before, limit, arena, out, n);
}

enum store_result store_entries(struct store_reader *r, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                                struct core_entry **out, size_t *n)
{
	return r->ops->entries(r, user_id, before, limit, arena, out, n);
}

enum store_result store_audits(struct store_reader *r, int64_t before, int64_t limit, struct arena *arena,
                               struct core_audit **out, size_t *n)
{
	return r->ops->audits(r, before, limit, arena, out, n);
}

enum store_result store_sales(struct store_reader *r, int64_t concert_id, int64_t after, int64_t limit, struct arena *arena,
                              struct store_sale **out, size_t *n)
{
	return r->ops->sales(r, concert_id, after, limit, arena, out, n);
}

enum store_result store_audit(struct store *s, store_check_fn fn, void *arg)
{
	return s->ops->audit(s, fn, arg);
}

enum store_result store_backup(struct store *s, const char *destination, void (*progress)(void *arg, int64_t done, int64_t total),
                               void *arg, char error[STORE_ERROR_SIZE])
{
	error[0] = '\0';
	return s->ops->backup(s, destination, progress, arg, error);
}

enum store_result store_count(struct store *s, int64_t *rows)
{
	*rows = 0;
	return s->ops->count(s, rows);
}

enum store_result store_export(struct store *s, store_row_fn fn, void *arg)
{
	return s->ops->export_rows(s, fn, arg);
}

enum store_result store_import_begin(struct store *s, int64_t clock, int64_t realm, char error[STORE_ERROR_SIZE])
{
	error[0] = '\0';
	return s->ops->import_begin(s, clock, realm, error);
}

enum store_result store_import_row(struct store *s, enum core_kind kind, const void *row, char error[STORE_ERROR_SIZE])
{
	return s->ops->import_row(s, kind, row, error);
}

enum store_result store_import_finish(struct store *s, char error[STORE_ERROR_SIZE])
{
	return s->ops->import_finish(s, error);
}
