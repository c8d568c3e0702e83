/* sqlite_backup.c: a consistent copy in a new file, while a server may be writing.
 *
 * Until it is whole it lies in a file of its own beside the destination, with a name that no other backup and no other program has. It gets its
 * name in one step, and only while nothing else has that: of several at once the first is kept, and the others are refused. */
#include "store/sqlite.h"

#include "base/arena.h"
#include "store/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARTIAL ".partial-XXXXXX"

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
	rc = sqlite3_open_v2(copy->partial, &copy->to.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	copy->to.path = copy->partial;
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(copy->to.db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = copy_pages(copy);
	(void)sqlite3_exec(copy->from.db, "ROLLBACK", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return STORE_OK;
	(void)snprintf(error, STORE_ERROR_SIZE, "%s can't be written: %s", copy->destination, sqlite3_errstr(rc));
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

static enum store_result refuse_name(const char *destination, char *error)
{
	return store_refuse(STORE_CONFLICT, error, "%s exists already: name a new file", destination);
}

/* Whether something has the name, or a name by which SQLite would take it for a part of the copy. */
static enum store_result check_names(const char *destination, char *error)
{
	static const char *const parts[] = {"", "-wal", "-shm", "-journal"};
	enum store_result result = STORE_OK;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && result == STORE_OK; i++) {
		struct stat st;
		size_t size = strlen(destination) + strlen(parts[i]) + 1;
		char *name = mem_alloc(size);
		(void)snprintf(name, size, "%s%s", destination, parts[i]);
		if (lstat(name, &st) == 0) /* a link that leads nowhere is there, too */
			result = i == 0
			             ? refuse_name(destination, error)
			             : store_refuse(STORE_CONFLICT, error,
			                            "%s is there, of an earlier store, and would be read as a part of the copy: "
			                            "move it away, or name another file",
			                            name);
		free(name);
	}
	return result;
}

static enum store_result make_partial(struct copy *copy, char *error)
{
	size_t size = strlen(copy->destination) + sizeof PARTIAL;
	copy->partial = mem_alloc(size);
	(void)snprintf(copy->partial, size, "%s" PARTIAL, copy->destination);
	int fd = mkostemp(copy->partial, O_CLOEXEC);
	if (fd >= 0) {
		(void)close(fd); /* before SQLite locks the file: closing it later would take the locks away */
		return STORE_OK;
	}
	(void)store_refuse(STORE_BROKEN, error, "%s can't be written: %s", copy->destination, strerror(errno));
	free(copy->partial);
	copy->partial = NULL; /* nothing to remove */
	return STORE_BROKEN;
}

/* Gives the copy its name, unless something has that by now. */
static int take_name(const struct copy *copy)
{
	int failed = renameat2(AT_FDCWD, copy->partial, AT_FDCWD, copy->destination, RENAME_NOREPLACE);
	if (!failed || errno != EINVAL)
		return failed;
	/* A file system without that flag: the name is taken with an empty file, which the copy then replaces. */
	int fd = open(copy->destination, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	(void)close(fd);
	failed = rename(copy->partial, copy->destination);
	int cause = errno;
	if (failed)
		(void)unlink(copy->destination);
	errno = cause;
	return failed;
}

/* Makes the copy durable, then gives it its name. */
static enum store_result finish(const struct copy *copy, char *error)
{
	int failed = sync_path(copy->partial, O_RDWR);
	if (!failed)
		failed = take_name(copy);
	bool named = !failed;
	if (failed && errno == EEXIST)
		return refuse_name(copy->destination, error);
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
	enum store_result result = check_names(destination, error);
	if (result == STORE_OK)
		result = make_partial(&copy, error);
	if (result == STORE_OK)
		result = sqlite_open_read(&copy.from, s->path, error);
	if (result == STORE_OK)
		result = copy_all(&copy, error);
	sqlite_conn_close(&copy.to);
	sqlite_conn_close(&copy.from);
	if (result == STORE_OK)
		result = finish(&copy, error);
	if (result != STORE_OK && copy.partial)
		(void)unlink(copy.partial);
	free(copy.partial);
	return result;
}
