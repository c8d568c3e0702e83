/* fault_vfs.c: see fault_vfs.h. */
#include "fault_vfs.h"

#include "store/sqlite_pages.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#define FILES_MAX 64
#define NAME_SIZE 32
#define EVENTS_MAX 65536
#define BYTES_MAX (256LL << 20) /* of all that is written; memory is used only where something is */

/* Thousands of stores are opened and closed: what was freed is not kept back for long. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=4";
}

/* What is armed and what was seen: one piece of memory for the test and its children. */
struct shared {
	struct fault_plan plan;
	_Atomic bool armed, struck, refused_a_sync, full;
	_Atomic int rollbacks; /* open rollback journals */
	_Atomic int64_t seen[FAULT_KINDS];
	_Atomic int64_t syncs_after;
};

struct known_file {
	char name[NAME_SIZE];
	ino_t inode;
	bool there;
};

struct journal {
	_Atomic bool kept;
	struct known_file files[FILES_MAX];
	int file_count;
	size_t n, used;
	struct journal_event events[EVENTS_MAX];
	unsigned char bytes[BYTES_MAX];
};

struct beside {
	void (*fn)(void *);
	void *arg;
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_mem_methods memory;
	struct shared *shared;
	struct journal *journal; /* shared too */
	pthread_mutex_t lock;    /* of the journal and of what follows */
	struct beside sync, move;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct fault_file {
	sqlite3_file base;
	int file;          /* of the journal; -1: it keeps none of it */
	bool moves;        /* a database's that is not made here: the checkpoint's */
	bool rollback;     /* a rollback journal */
	sqlite3_file real; /* the system's; what else it needs follows */
};

static struct fault_file *of(sqlite3_file *file)
{
	return (struct fault_file *)(void *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
	return &of(file)->real;
}

/* ---- what is armed ---- */

const char *fault_name(enum fault_kind kind)
{
	static const char *const names[FAULT_KINDS] = {"read", "write",  "sync", "truncate", "open",
	                                               "size", "delete", "lock", "shared",   "memory"};
	return names[kind];
}

void fault_arm(const struct fault_plan *plan)
{
	struct shared *s = disk.shared;
	s->plan = *plan;
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		s->seen[kind] = 0;
	s->struck = s->refused_a_sync = s->full = false;
	s->syncs_after = 0;
	s->rollbacks = 0;
	s->armed = true;
}

void fault_pause(bool pause)
{
	disk.shared->armed = !pause;
}

int64_t fault_seen(enum fault_kind kind)
{
	return disk.shared->seen[kind];
}

bool fault_struck(void)
{
	return disk.shared->struck;
}

int64_t fault_syncs_after(void)
{
	return disk.shared->syncs_after;
}

#ifdef __SANITIZE_ADDRESS__
bool fault_leaks(void)
{
	return __lsan_do_recoverable_leak_check() != 0;
}
#else
bool fault_leaks(void)
{
	return false;
}
#endif

void fault_disk_full(bool full)
{
	disk.shared->full = full;
}

static bool fails(enum fault_kind kind)
{
	struct shared *s = disk.shared;
	if (!s || !s->armed)
		return false;
	int64_t n = atomic_fetch_add(&s->seen[kind], 1) + 1;
	bool yes = kind == s->plan.kind && s->plan.nth > 0 && (n == s->plan.nth || (s->plan.for_good && n > s->plan.nth));
	if (yes)
		s->struck = true;
	return yes;
}

/* Takes what is to happen beside this, once. */
static void run_beside(struct beside *beside)
{
	(void)pthread_mutex_lock(&disk.lock);
	struct beside now = *beside;
	*beside = (struct beside){0};
	(void)pthread_mutex_unlock(&disk.lock);
	if (now.fn)
		now.fn(now.arg);
}

void fault_beside_sync(void (*fn)(void *), void *arg)
{
	disk.sync = (struct beside){fn, arg};
}

void fault_beside_move(void (*fn)(void *), void *arg)
{
	disk.move = (struct beside){fn, arg};
}

/* ---- the journal ---- */

void journal_begin(void)
{
	disk.journal->n = disk.journal->used = 0;
	disk.journal->file_count = 0;
	disk.journal->kept = true;
}

const struct journal_event *journal_end(size_t *n)
{
	disk.journal->kept = false;
	*n = disk.journal->n;
	return disk.journal->events;
}

/* The lock is held. */
static size_t append(struct journal_event event, const void *bytes)
{
	struct journal *j = disk.journal;
	if (j->n == EVENTS_MAX || event.n > (int64_t)(BYTES_MAX - j->used))
		abort();
	if (bytes) {
		event.bytes = memcpy(j->bytes + j->used, bytes, (size_t)event.n);
		j->used += (size_t)event.n;
	}
	j->events[j->n] = event;
	return j->n++;
}

/* Its place in the journal; 0 when none is kept. */
static size_t note(enum journal_what what, int file, int64_t at, int64_t n, const void *bytes)
{
	size_t place = 0;
	(void)pthread_mutex_lock(&disk.lock);
	if (disk.journal->kept && file >= -1)
		place = append(
		    (struct journal_event){
			.what = what, .file = file, .name = file >= 0 ? disk.journal->files[file].name : "", .at = at, .n = n},
		    bytes);
	(void)pthread_mutex_unlock(&disk.lock);
	return place;
}

void journal_mark(int64_t what)
{
	(void)note(JOURNAL_MARK, -1, 0, what, NULL);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* The lock is held. -1: none. */
static int find_named(const char *path)
{
	for (int i = disk.journal->file_count - 1; i >= 0; i--)
		if (disk.journal->files[i].there && strcmp(disk.journal->files[i].name, last_part(path)) == 0)
			return i;
	return -1;
}

static int find_inode(ino_t inode)
{
	int found = -1;
	(void)pthread_mutex_lock(&disk.lock);
	for (int i = disk.journal->file_count - 1; i >= 0 && found < 0; i--)
		if (disk.journal->files[i].there && disk.journal->files[i].inode == inode)
			found = i;
	(void)pthread_mutex_unlock(&disk.lock);
	return found;
}

/* The file that was opened, as the journal knows it from now on. */
static int note_open(const char *path)
{
	struct stat st;
	(void)pthread_mutex_lock(&disk.lock);
	int file = disk.journal->kept && path ? find_named(path) : -1;
	if (disk.journal->kept && path && file < 0 && stat(path, &st) == 0) {
		if (disk.journal->file_count == FILES_MAX)
			abort();
		file = disk.journal->file_count++;
		struct known_file *known = &disk.journal->files[file];
		*known = (struct known_file){.inode = st.st_ino, .there = true};
		(void)snprintf(known->name, sizeof known->name, "%s", last_part(path));
		(void)append((struct journal_event){.what = JOURNAL_CREATE, .file = file, .name = known->name}, NULL);
	}
	(void)pthread_mutex_unlock(&disk.lock);
	return file;
}

static void note_delete(const char *path)
{
	(void)pthread_mutex_lock(&disk.lock);
	int file = disk.journal->kept ? find_named(path) : -1;
	if (file >= 0) {
		disk.journal->files[file].there = false;
		(void)append((struct journal_event){.what = JOURNAL_DELETE, .file = file, .name = disk.journal->files[file].name},
		             NULL);
	}
	(void)pthread_mutex_unlock(&disk.lock);
}

/* ---- syncs ---- */

static int sync_folder(bool own)
{
	if (own && fails(FAULT_SYNC)) {
		errno = EIO;
		return -1;
	}
	(void)note(JOURNAL_FOLDER_SYNC, -1, 0, 0, NULL);
	return 0;
}

static int sync_file(const struct stat *st)
{
	struct shared *s = disk.shared;
	if (s->refused_a_sync)
		(void)atomic_fetch_add(&s->syncs_after, 1);
	int file = find_inode(st->st_ino);
	if (fails(FAULT_SYNC)) {
		(void)note(JOURNAL_SYNC_FAILED, file >= 0 ? file : -2, 0, 0, NULL);
		s->refused_a_sync = s->rollbacks == 0;
		errno = EIO;
		return -1;
	}
	size_t begin = note(JOURNAL_SYNC_BEGIN, file >= 0 ? file : -2, 0, 0, NULL);
	run_beside(&disk.sync);
	(void)note(JOURNAL_SYNC_END, file >= 0 ? file : -2, (int64_t)begin, 0, NULL);
	return 0;
}

static int sync_fd(int fd, bool own)
{
	struct stat st;
	if (!disk.shared)
		return 0;
	if (fstat(fd, &st) != 0)
		return -1;
	return S_ISDIR(st.st_mode) ? sync_folder(own) : sync_file(&st);
}

/* The C library names its parameters with underscores. NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int fdatasync(int fd)
{
	return sync_fd(fd, false);
}

int fsync(int fd)
{
	return sync_fd(fd, true); /* SQLite calls the other one */
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* ---- a file ---- */

static int file_close(sqlite3_file *file)
{
	disk.shared->rollbacks -= of(file)->rollback;
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *p, int n, sqlite3_int64 at)
{
	return fails(FAULT_READ) ? SQLITE_IOERR_READ : real_of(file)->pMethods->xRead(real_of(file), p, n, at);
}

static int write_through(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
	int rc = real_of(file)->pMethods->xWrite(real_of(file), p, n, at);
	if (rc == SQLITE_OK && of(file)->file >= 0)
		(void)note(JOURNAL_WRITE, of(file)->file, at, n, p);
	return rc;
}

/* True when there is no room for a file of so many bytes. */
static bool no_room(sqlite3_file *file, sqlite3_int64 size)
{
	sqlite3_int64 now = 0;
	if (!disk.shared->full)
		return false;
	(void)real_of(file)->pMethods->xFileSize(real_of(file), &now);
	return size > now;
}

static int file_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
	const struct fault_plan *plan = &disk.shared->plan;
	if (of(file)->moves)
		run_beside(&disk.move);
	if (no_room(file, at + n))
		return SQLITE_FULL;
	if (!fails(FAULT_WRITE))
		return write_through(file, p, n, at);
	if (plan->wrote != WROTE_NOTHING)
		(void)write_through(file, p, plan->wrote == WROTE_ALL ? n : n / 2, at);
	return plan->full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	if (fails(FAULT_TRUNCATE))
		return SQLITE_IOERR_TRUNCATE;
	int rc = real_of(file)->pMethods->xTruncate(real_of(file), size);
	if (rc == SQLITE_OK && of(file)->file >= 0)
		(void)note(JOURNAL_TRUNCATE, of(file)->file, 0, size, NULL);
	return rc;
}

static int file_sync(sqlite3_file *file, int flags)
{
	return real_of(file)->pMethods->xSync(real_of(file), flags); /* and that calls fdatasync */
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return fails(FAULT_SIZE) ? SQLITE_IOERR_FSTAT : real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
	return fails(FAULT_LOCK) ? SQLITE_IOERR_LOCK : real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_reserved(sqlite3_file *file, int *out)
{
	return fails(FAULT_LOCK) ? SQLITE_IOERR_CHECKRESERVEDLOCK
	                         : real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

/* A hint of the size to come would reach the disk unseen. */
static int file_control(sqlite3_file *file, int op, void *arg)
{
	if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_MMAP_SIZE)
		return SQLITE_NOTFOUND;
	return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int file_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_device(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
	if (extend && disk.shared->full) {
		*out = NULL;
		int rc = real_of(file)->pMethods->xShmMap(real_of(file), region, size, 0, out);
		return rc == SQLITE_OK && !*out ? SQLITE_IOERR_SHMSIZE : rc;
	}
	return fails(FAULT_SHARED) ? SQLITE_IOERR_SHMMAP
	                           : real_of(file)->pMethods->xShmMap(real_of(file), region, size, extend, out);
}

static int file_shared_lock(sqlite3_file *file, int offset, int n, int flags)
{
	if ((flags & SQLITE_SHM_LOCK) && fails(FAULT_SHARED))
		return SQLITE_IOERR_SHMLOCK;
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void file_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_unmap(sqlite3_file *file, int delete)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), delete);
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 2, /* shared memory, no mapped reads */
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_map,
    .xShmLock = file_shared_lock,
    .xShmBarrier = file_barrier,
    .xShmUnmap = file_unmap,
};

/* ---- the VFS ---- */

static sqlite3_vfs *under(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
	struct fault_file *file = of(base);
	memset(file, 0, sizeof *file);
	if (fails(FAULT_OPEN))
		return SQLITE_CANTOPEN;
	if (disk.shared->full && (flags & SQLITE_OPEN_CREATE) && name && access(name, F_OK) != 0)
		return SQLITE_CANTOPEN;
	int rc = under(vfs)->xOpen(under(vfs), name, &file->real, flags, out);
	if (file->real.pMethods)
		file->base.pMethods = &file_methods;
	file->moves = (flags & SQLITE_OPEN_MAIN_DB) && !(flags & SQLITE_OPEN_CREATE);
	file->rollback = file->base.pMethods && (flags & SQLITE_OPEN_MAIN_JOURNAL);
	disk.shared->rollbacks += file->rollback;
	file->file = rc == SQLITE_OK ? note_open(name) : -1;
	return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	if (fails(FAULT_DELETE))
		return SQLITE_IOERR_DELETE;
	note_delete(name);
	return under(vfs)->xDelete(under(vfs), name, sync);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	return fails(FAULT_DELETE) ? SQLITE_IOERR_ACCESS : under(vfs)->xAccess(under(vfs), name, flags, out);
}

static int vfs_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
	return under(vfs)->xFullPathname(under(vfs), name, n, out);
}

/* The same in each run: a boundary and a seed name one power cut. */
static int vfs_randomness(sqlite3_vfs *vfs, int n, char *out)
{
	(void)vfs;
	memset(out, 7, (size_t)n);
	return n;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
	return under(vfs)->xSleep(under(vfs), us);
}

static int vfs_time(sqlite3_vfs *vfs, double *out)
{
	return under(vfs)->xCurrentTime(under(vfs), out);
}

static int vfs_time_int64(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	return under(vfs)->xCurrentTimeInt64(under(vfs), out);
}

static int vfs_error(sqlite3_vfs *vfs, int n, char *out)
{
	return under(vfs)->xGetLastError(under(vfs), n, out);
}

/* ---- memory ---- */

static void *memory_alloc(int n)
{
	return fails(FAULT_MEMORY) ? NULL : disk.memory.xMalloc(n);
}

static void *memory_realloc(void *p, int n)
{
	return fails(FAULT_MEMORY) ? NULL : disk.memory.xRealloc(p, n);
}

static void *shared_memory(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		abort();
	return p;
}

void fault_open(void)
{
	disk.shared = shared_memory(sizeof *disk.shared);
	disk.journal = shared_memory(sizeof *disk.journal);
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &disk.memory) != SQLITE_OK)
		abort();
	sqlite3_mem_methods failing = disk.memory;
	failing.xMalloc = memory_alloc;
	failing.xRealloc = memory_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK || sqlite_pages_use() != SQLITE_OK ||
	    sqlite3_initialize() != SQLITE_OK)
		abort();
	sqlite3_vfs *system = sqlite3_vfs_find(NULL);
	disk.vfs = (sqlite3_vfs){
	    .iVersion = 2,
	    .szOsFile = (int)sizeof(struct fault_file) + system->szOsFile,
	    .mxPathname = system->mxPathname,
	    .zName = "fault",
	    .pAppData = system,
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
	if (sqlite3_vfs_register(&disk.vfs, 1) != SQLITE_OK)
		abort();
}
