/* fault_vfs.h: a disk and a memory that fail, for the tests of the SQLite store under faults.
 *
 * A VFS lies over the system's as SQLite's default, so every connection of the store goes through it, also below the store's own VFS for the
 * log (store/sqlite_log.h). fdatasync and fsync of the program stand before the C library's: the store's own sync of the log comes through here,
 * and so does each that SQLite's VFS makes. Nothing is really synced: what a power cut would leave is known from the journal (power_cut.h).
 * Files are read with read, never through a mapping, so that a read can fail.
 *
 * What is armed, and what was seen of it, is shared with child processes: a test arms, forks, and looks when the child has ended.
 * Threads: any. */
#ifndef JARI_TESTS_STORE_FAULT_VFS_H
#define JARI_TESTS_STORE_FAULT_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_kind {
	FAULT_READ,
	FAULT_WRITE,
	FAULT_SYNC, /* of a file, or of a folder by the store itself; SQLite does not look at what becomes of a folder's */
	FAULT_TRUNCATE,
	FAULT_OPEN,
	FAULT_SIZE,   /* asking how large a file is */
	FAULT_DELETE, /* and asking whether a file is there */
	FAULT_LOCK,
	FAULT_SHARED, /* memory shared between connections: mapping and locking it */
	FAULT_MEMORY, /* SQLite's allocations */
	FAULT_KINDS
};
const char *fault_name(enum fault_kind kind);

/* What a write that fails has done all the same. */
enum fault_write { WROTE_NOTHING, WROTE_HALF, WROTE_ALL };

struct fault_plan {
	enum fault_kind kind;
	int64_t nth; /* counted from 1; 0: none fails, all are counted */
	bool for_good;
	enum fault_write wrote;
	bool full;    /* a write fails as on a full disk */
	int64_t step; /* the test's: to the next one; */
	bool alone;   /* there is no next one */
};

/* Once in a program, before SQLite is used. */
void fault_open(void);
void fault_arm(const struct fault_plan *plan);
/* While paused nothing fails, and nothing is counted. Nothing is armed at first. */
void fault_pause(bool pause);
/* Since it was armed: how many there were of a kind; whether one has failed; how many syncs were asked for after one was refused
 * (with a rollback journal, as at the first start, SQLite takes the transaction back and syncs that). */
int64_t fault_seen(enum fault_kind kind);
bool fault_struck(void);
int64_t fault_syncs_after(void);
/* Whether this process has lost memory until now; false where AddressSanitizer is not there to tell. */
bool fault_leaks(void);

/* A disk without room: files can be written where they have blocks, and can't grow; no new file can be made. Apart from what is armed. */
void fault_disk_full(bool full);

/* Calls `fn` once, from within the next sync of a log, or from within the next write of a checkpoint to the database's file:
 * what happens beside it. */
void fault_beside_sync(void (*fn)(void *), void *arg);
void fault_beside_move(void (*fn)(void *), void *arg);

/* ---- the journal: what the disk was told, in order ---- */

enum journal_what {
	JOURNAL_CREATE, /* a name for a new file */
	JOURNAL_DELETE, /* a name goes */
	JOURNAL_WRITE,
	JOURNAL_TRUNCATE,
	JOURNAL_SYNC_BEGIN,
	JOURNAL_SYNC_END,    /* of the file; at: the index of its beginning */
	JOURNAL_SYNC_FAILED, /* what was to be written may be written or not, and no later sync will tell */
	JOURNAL_FOLDER_SYNC,
	JOURNAL_MARK /* of the test: n is what it said */
};
struct journal_event {
	enum journal_what what;
	int file;         /* counted from 0; a file that is made anew under an old name is another one */
	const char *name; /* without the folder */
	int64_t at, n;    /* where, and how many bytes; a new size */
	const unsigned char *bytes;
};
/* Keeps a journal from here on, of files of one folder that are not there yet; in child processes too, one after the other. */
void journal_begin(void);
void journal_mark(int64_t what);
/* Ends it. The events are there until the next one begins. */
const struct journal_event *journal_end(size_t *n);

#endif
