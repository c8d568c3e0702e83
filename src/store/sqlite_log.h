/* sqlite_log.h: the file of SQLite's write-ahead log, written a commit at a time and synced beside the next one.
 *
 * Why: SQLite writes each page of a commit with two calls of pwrite, hundreds for a batch, and syncs inside COMMIT, while nothing else
 * can be decided. This VFS lies over the system's, for the log's file alone: it keeps what is appended until the commit's last frame is
 * there, and writes all of it at once. With `synchronous = NORMAL` SQLite leaves the sync of a commit away; sqlite_log_sync makes it, on
 * another thread. SQLite itself still syncs the log before a checkpoint and the file after it, so a crash at any time leaves a prefix of
 * the commits, with all in it that had been synced.
 * Source of the layout: "WAL File Format" in SQLite's documentation (a frame is a header of 24 bytes and a page; bytes 4 to 7 of the
 * header are not zero in a commit's last frame).
 *
 * Ownership: one for a store that serves; open it before the connection, close it after. Threads: everything on the writing
 * connection's thread, sqlite_log_sync on any one other, from when the log is open until the connection closes.
 * Errors: what the disk says goes to SQLite as the result of the write that it belongs to, so a full disk fails the commit. */
#ifndef JARI_STORE_SQLITE_LOG_H
#define JARI_STORE_SQLITE_LOG_H

#include <sqlite3.h>
#include <stdbool.h>

struct sqlite_log;

/* Writes the log that an earlier process has left beside a store's file once more, the same bytes, and syncs it; while
 * nobody else can write to it. Why: a sync
 * that failed has ended that process, what it was to write may be in the system's memory alone, and no later sync would tell. SQLITE_OK also when
 * there is none. */
int sqlite_log_write_anew(const char *path);
/* Registers the VFS. NULL when SQLite has no VFS to lie over. */
struct sqlite_log *sqlite_log_open(void);
void sqlite_log_close(struct sqlite_log *log);
/* The name to give to sqlite3_open_v2. */
const char *sqlite_log_vfs(const struct sqlite_log *log);
/* True while the log's file is open. */
bool sqlite_log_is_open(const struct sqlite_log *log);
/* Writes what is still kept. After a COMMIT there is nothing; false when there was and the disk refused it. */
bool sqlite_log_flush(struct sqlite_log *log);
/* Makes all that was written durable. False when the disk refused: what is on it is then unknown. */
bool sqlite_log_sync(const struct sqlite_log *log);

#endif
