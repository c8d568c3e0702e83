/* sqlite_backup.c: a consistent copy in a new file, while a server may be writing. */
#include "store/sqlite.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct copy {
	struct sqlite_conn from, to;
	const char *destination;
	char *partial; /* what the copy is called until it is whole */
	void (*progress)(void *arg, int64_t done, int64_t total);
	void *arg;
};

static int copy_pages(struct copy *copy)
{
	sqlite3_backup *backup = sqlite3_backup_init(copy->to.db, "main", copy->from.db, "main");
	if (!backup)
		return sqlite3_errcode(copy->to.db);
	int rc;
	do {
		rc = sqlite3_backup_step(backup, SQLITE_BACKUP_STEP);
		int64_t total = sqlite3_backup_pagecount(backup);
		if (copy->progress)
			copy->progress(copy->arg, total - sqlite3_backup_remaining(backup), total);
	} while (rc == SQLITE_OK);
	int finish = sqlite3_backup_finish(backup);
	return rc == SQLITE_DONE ? finish : rc;
}

/* The open transaction keeps one view of the source for the whole copy, so that a busy server does not make it start again. */
static enum store_result copy_all(struct copy *copy, char *error)
{
	int rc = sqlite3_exec(copy->from.db, "BEGIN; SELECT count(*) FROM meta", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		(void)snprintf(error, STORE_ERROR_SIZE, "%s can't be read: %s", copy->from.path, sqlite3_errmsg(copy->from.db));
		return sqlite_failed(&copy->from, rc, "backup");
	}
	rc = sqlite3_open_v2(copy->partial, &copy->to.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	copy->to.path = copy->partial;
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(copy->to.db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = copy_pages(copy);
	(void)sqlite3_exec(copy->from.db, "ROLLBACK", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return STORE_OK;
	(void)snprintf(error, STORE_ERROR_SIZE, "%s can't be written: %s", copy->partial, sqlite3_errstr(rc));
	return sqlite_failed(&copy->to, rc, "backup");
}

static int sync_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int failed = fsync(fd);
	int cause = errno;
	(void)close(fd);
	errno = cause;
	return failed;
}

static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 1;
	char *folder = mem_zero(n + 1);
	memcpy(folder, slash ? path : ".", n);
	int failed = sync_path(folder, O_RDONLY | O_DIRECTORY);
	int cause = errno;
	free(folder);
	errno = cause;
	return failed;
}

/* Makes the copy durable, then gives it its name, unless something has that name by now. */
static enum store_result finish(const struct copy *copy, char *error)
{
	int failed = sync_path(copy->partial, O_RDWR);
	if (!failed)
		failed = renameat2(AT_FDCWD, copy->partial, AT_FDCWD, copy->destination, RENAME_NOREPLACE);
	if (failed && errno == EINVAL) /* a file system without that flag; the name was free a moment ago */
		failed = rename(copy->partial, copy->destination);
	bool named = !failed;
	if (!failed)
		failed = sync_folder(copy->destination);
	if (!failed)
		return STORE_OK;
	(void)snprintf(error, STORE_ERROR_SIZE, "%s can't be finished: %s", copy->destination, strerror(errno));
	if (named) /* a name that a power cut may take away is not left to be counted on */
		(void)unlink(copy->destination);
	return STORE_BROKEN;
}

enum store_result sqlite_backup(struct store *base, const char *destination,
                                void (*progress)(void *arg, int64_t done, int64_t total), void *arg, char error[STORE_ERROR_SIZE])
{
	struct sqlite_store *s = (struct sqlite_store *)(void *)base;
	struct copy copy = {.destination = destination, .progress = progress, .arg = arg};
	if (access(destination, F_OK) == 0) {
		(void)snprintf(error, STORE_ERROR_SIZE, "%s exists already: name a new file", destination);
		return STORE_CONFLICT;
	}
	size_t size = strlen(destination) + sizeof ".partial";
	copy.partial = mem_alloc(size);
	(void)snprintf(copy.partial, size, "%s.partial", destination);
	(void)unlink(copy.partial); /* of a backup that was cut short */
	enum store_result result = sqlite_open_read(&copy.from, s->path, error);
	if (result == STORE_OK)
		result = copy_all(&copy, error);
	sqlite_conn_close(&copy.to);
	sqlite_conn_close(&copy.from);
	if (result == STORE_OK)
		result = finish(&copy, error);
	if (result != STORE_OK)
		(void)unlink(copy.partial);
	free(copy.partial);
	return result;
}
