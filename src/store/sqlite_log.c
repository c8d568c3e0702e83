/* sqlite_log.c: the write-ahead log's file. See sqlite_log.h. */
#include "store/sqlite_log.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT_MAX \
	65536 /* bytes kept before they are written, if the commit's end does not come first; SQLite's own limit is 131071 */
#define FRAME_HEADER 24

struct log_file {
	sqlite3_file base;
	struct sqlite_log *log;
	sqlite3_file real; /* the system's; what else it needs follows */
};

struct sqlite_log {
	sqlite3_vfs vfs;
	sqlite3_vfs *under;
	char name[32];
	struct log_file *file; /* NULL while it is not open */
	int fd;                /* of the same file, for syncing; -1 while it is not open */
	sqlite3_int64 at;      /* where what is kept begins */
	int kept;
	bool ends; /* the frame whose header came last is a commit's last one */
	unsigned char bytes[KEPT_MAX];
};

static struct log_file *of(sqlite3_file *file)
{
	return (struct log_file *)(void *)file;
}

/* ---- keeping and writing ---- */

/* A quota that is used up, or a limit on the size of files, is no room either; SQLite knows only of a disk that is full. */
static int no_room_or(int rc)
{
	return rc == SQLITE_IOERR_WRITE && (errno == EDQUOT || errno == EFBIG) ? SQLITE_FULL : rc;
}

static int flush(struct sqlite_log *log)
{
	if (log->kept == 0)
		return SQLITE_OK;
	int n = log->kept;
	log->kept = 0; /* gone either way: when the write fails SQLite takes the commit back */
	return no_room_or(log->file->real.pMethods->xWrite(&log->file->real, log->bytes, n, log->at));
}

static int keep(struct sqlite_log *log, const void *p, int n, sqlite3_int64 at)
{
	if (log->kept == 0)
		log->at = at;
	memcpy(log->bytes + log->kept, p, (size_t)n);
	log->kept += n;
	return SQLITE_OK;
}

/* True for the header of a commit's last frame. */
static bool is_last_header(const unsigned char *p, int n)
{
	return n == FRAME_HEADER && (p[4] | p[5] | p[6] | p[7]) != 0;
}

static int log_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
	struct sqlite_log *log = of(file)->log;
	bool follows = at == log->at + log->kept && n <= KEPT_MAX - log->kept;
	bool was_last = log->ends;
	int rc = log->kept > 0 && !follows ? flush(log) : SQLITE_OK;
	log->ends = is_last_header(p, n);
	if (rc != SQLITE_OK)
		return rc;
	if (n > KEPT_MAX)
		return of(file)->real.pMethods->xWrite(&of(file)->real, p, n, at);
	rc = keep(log, p, n, at);
	return rc == SQLITE_OK && was_last ? flush(log) : rc;
}

/* ---- the rest of the file: what is kept is written first ---- */

static int log_read(sqlite3_file *file, void *p, int n, sqlite3_int64 at)
{
	struct sqlite_log *log = of(file)->log;
	int rc = at < log->at + log->kept && log->at < at + n ? flush(log) : SQLITE_OK;
	return rc == SQLITE_OK ? of(file)->real.pMethods->xRead(&of(file)->real, p, n, at) : rc;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int rc = flush(of(file)->log);
	return rc == SQLITE_OK ? of(file)->real.pMethods->xTruncate(&of(file)->real, size) : rc;
}

static int log_sync(sqlite3_file *file, int flags)
{
	int rc = flush(of(file)->log);
	return rc == SQLITE_OK ? of(file)->real.pMethods->xSync(&of(file)->real, flags) : rc;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size)
{
	int rc = flush(of(file)->log);
	return rc == SQLITE_OK ? of(file)->real.pMethods->xFileSize(&of(file)->real, size) : rc;
}

static int log_file_close(sqlite3_file *file)
{
	struct sqlite_log *log = of(file)->log;
	int rc = flush(log);
	int closed = of(file)->real.pMethods->xClose(&of(file)->real);
	if (log->fd >= 0)
		(void)close(log->fd);
	log->fd = -1;
	log->file = NULL;
	return rc != SQLITE_OK ? rc : closed;
}

/* Locks are taken on the database's file, not on the log's; SQLite wants the functions there. */
static int log_lock(sqlite3_file *file, int level)
{
	return of(file)->real.pMethods->xLock(&of(file)->real, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
	return of(file)->real.pMethods->xUnlock(&of(file)->real, level);
}

static int log_reserved(sqlite3_file *file, int *out)
{
	return of(file)->real.pMethods->xCheckReservedLock(&of(file)->real, out);
}

static int log_control(sqlite3_file *file, int op, void *arg)
{
	return of(file)->real.pMethods->xFileControl(&of(file)->real, op, arg);
}

static int log_sector(sqlite3_file *file)
{
	return of(file)->real.pMethods->xSectorSize(&of(file)->real);
}

static int log_device(sqlite3_file *file)
{
	return of(file)->real.pMethods->xDeviceCharacteristics(&of(file)->real);
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = log_file_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_reserved,
    .xFileControl = log_control,
    .xSectorSize = log_sector,
    .xDeviceCharacteristics = log_device,
};

/* ---- the VFS ---- */

static struct sqlite_log *log_of(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

static int open_log(struct sqlite_log *log, const char *name, struct log_file *file, int flags, int *out)
{
	memset(file, 0, sizeof *file);
	if (log->file)
		return SQLITE_CANTOPEN; /* one connection writes */
	int rc = log->under->xOpen(log->under, name, &file->real, flags, out);
	if (rc != SQLITE_OK)
		goto fail;
	log->fd = open(name, O_RDONLY | O_CLOEXEC);
	if (log->fd < 0) {
		rc = SQLITE_CANTOPEN;
		goto fail;
	}
	file->base.pMethods = &log_methods;
	file->log = log;
	log->file = file;
	log->kept = 0;
	log->ends = false;
	return SQLITE_OK;
fail:
	if (file->real.pMethods)
		(void)file->real.pMethods->xClose(&file->real);
	file->base.pMethods = NULL;
	return rc;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct sqlite_log *log = log_of(vfs);
	if (flags & SQLITE_OPEN_WAL)
		return open_log(log, name, of(file), flags, out);
	return log->under->xOpen(log->under, name, file, flags, out);
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	return log_of(vfs)->under->xDelete(log_of(vfs)->under, name, sync);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	return log_of(vfs)->under->xAccess(log_of(vfs)->under, name, flags, out);
}

static int vfs_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
	return log_of(vfs)->under->xFullPathname(log_of(vfs)->under, name, n, out);
}

static int vfs_randomness(sqlite3_vfs *vfs, int n, char *out)
{
	return log_of(vfs)->under->xRandomness(log_of(vfs)->under, n, out);
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
	return log_of(vfs)->under->xSleep(log_of(vfs)->under, us);
}

static int vfs_time(sqlite3_vfs *vfs, double *out)
{
	return log_of(vfs)->under->xCurrentTime(log_of(vfs)->under, out);
}

static int vfs_time_int64(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	return log_of(vfs)->under->xCurrentTimeInt64(log_of(vfs)->under, out);
}

static int vfs_error(sqlite3_vfs *vfs, int n, char *out)
{
	return log_of(vfs)->under->xGetLastError(log_of(vfs)->under, n, out);
}

/* ---- the log of an earlier process ---- */

static int write_anew(sqlite3_file *file)
{
	sqlite3_int64 size = 0;
	unsigned char *bytes = mem_alloc(KEPT_MAX);
	int rc = file->pMethods->xFileSize(file, &size);
	for (sqlite3_int64 at = 0; rc == SQLITE_OK && at < size; at += KEPT_MAX) {
		int n = size - at < KEPT_MAX ? (int)(size - at) : KEPT_MAX;
		rc = file->pMethods->xRead(file, bytes, n, at);
		if (rc == SQLITE_OK)
			rc = file->pMethods->xWrite(file, bytes, n, at);
	}
	free(bytes);
	return rc == SQLITE_OK && size > 0 ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : rc;
}

static int open_and_write_anew(sqlite3_vfs *vfs, const char *name)
{
	int there = 0, out = 0, rc = vfs->xAccess(vfs, name, SQLITE_ACCESS_EXISTS, &there);
	if (rc != SQLITE_OK || !there)
		return rc;
	sqlite3_file *file = mem_zero((size_t)vfs->szOsFile);
	rc = vfs->xOpen(vfs, name, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, &out);
	if (rc == SQLITE_OK)
		rc = out & SQLITE_OPEN_READONLY ? SQLITE_READONLY : write_anew(file);
	if (file->pMethods)
		(void)file->pMethods->xClose(file);
	free(file);
	return rc;
}

int sqlite_log_write_anew(const char *path)
{
	sqlite3_vfs *vfs = sqlite3_initialize() == SQLITE_OK ? sqlite3_vfs_find(NULL) : NULL;
	size_t size = strlen(path) + sizeof "-wal";
	char *log = mem_alloc(size);
	(void)snprintf(log, size, "%s-wal", path);
	const char *file = sqlite3_create_filename(path, "", log, 0, NULL); /* the form in which a VFS takes names */
	int rc = !vfs ? SQLITE_ERROR : !file ? SQLITE_NOMEM : open_and_write_anew(vfs, sqlite3_filename_wal(file));
	sqlite3_free_filename((char *)file);
	free(log);
	return rc;
}

struct sqlite_log *sqlite_log_open(void)
{
	sqlite3_vfs *under = sqlite3_vfs_find(NULL);
	if (!under || under->iVersion < 2)
		return NULL;
	struct sqlite_log *log = mem_zero(sizeof *log);
	log->under = under;
	log->fd = -1;
	(void)snprintf(log->name, sizeof log->name, "jari-%p", (void *)log);
	log->vfs = (sqlite3_vfs){
	    .iVersion = 2,
	    .szOsFile = (int)sizeof(struct log_file) + under->szOsFile,
	    .mxPathname = under->mxPathname,
	    .zName = log->name,
	    .pAppData = log,
	    .xOpen = vfs_open,
	    .xDelete = vfs_delete,
	    .xAccess = vfs_access,
	    .xFullPathname = vfs_path,
	    .xRandomness = vfs_randomness,
	    .xSleep = vfs_sleep,
	    .xCurrentTime = vfs_time,
	    .xCurrentTimeInt64 = vfs_time_int64,
	    .xGetLastError = vfs_error,
	};
	if (sqlite3_vfs_register(&log->vfs, 0) == SQLITE_OK)
		return log;
	free(log);
	return NULL;
}

void sqlite_log_close(struct sqlite_log *log)
{
	if (!log)
		return;
	(void)sqlite3_vfs_unregister(&log->vfs);
	free(log);
}

const char *sqlite_log_vfs(const struct sqlite_log *log)
{
	return log->name;
}

bool sqlite_log_is_open(const struct sqlite_log *log)
{
	return log->fd >= 0;
}

bool sqlite_log_flush(struct sqlite_log *log)
{
	return !log->file || flush(log) == SQLITE_OK;
}

bool sqlite_log_sync(const struct sqlite_log *log)
{
	int rc;
	while ((rc = fdatasync(log->fd)) != 0 && errno == EINTR)
		continue;
	return rc == 0;
}
