/* sqlite_checkpoint.h: moves the write-ahead log into the database's file, on a thread and a connection of its own.
 *
 * Why: a checkpoint takes tens of milliseconds, half of them waiting for the disk, and on the writing connection nothing is decided
 * meanwhile. Here batches go on beside it. What they append meanwhile is left for the next step; when little is left the writing
 * connection moves that itself, and its next commit begins the log anew (sqlite.c).
 *
 * Two connections and the log: releases of SQLite before 3.51.3 can lose pages when a commit begins the log anew while a checkpoint is
 * starting ("WAL-reset bug" in SQLite's documentation of WAL). Here that can't be: a log is begun anew only when all of it has been
 * moved, a step is only started while something is left to move, and only it moves anything until it is over.
 *
 * Ownership: one for a store that serves; opened after the writing connection, closed before it. Threads: all functions on the writing
 * connection's thread.
 * Errors: a step that fails is logged and moves nothing; the next one tries again, but a refused sync ends the process, since what is on
 * the disk is then unknown. */
#ifndef JARI_STORE_SQLITE_CHECKPOINT_H
#define JARI_STORE_SQLITE_CHECKPOINT_H

#include "store/store.h"

struct sqlite_checkpoint;
struct sqlite_conn;

/* Opens the connection and starts the thread; `path` must outlive it. NULL, with a line in `error`, when either can't be had. */
struct sqlite_checkpoint *sqlite_checkpoint_open(const char *path, char error[STORE_ERROR_SIZE]);
/* Waits for a step that is under way. NULL is allowed. */
void sqlite_checkpoint_close(struct sqlite_checkpoint *c);
/* True when no step is under way; with `wait`, once that is so. */
bool sqlite_checkpoint_idle(struct sqlite_checkpoint *c, bool wait);
/* Starts a step; none may be under way, and something must be left to move. */
void sqlite_checkpoint_step(struct sqlite_checkpoint *c);
/* How many of the log's pages had been moved when the last step ended, 0 when it came to nothing, and how long that step took. None may be under
 * way. */
int sqlite_checkpoint_moved(struct sqlite_checkpoint *c, int64_t *took_us);
/* The same on the writing connection, which waits for it: how many of the log's pages have been moved then, or 0. */
int sqlite_checkpoint_now(struct sqlite_conn *c);

#endif
