/* power_cut.h: what a power cut leaves on a disk, from the journal of what it was told (fault_vfs.h).
 *
 * What was synced is there. Of what was not, any may be there and any not, in pieces of a sector, whatever the order it was written in; a name that was
 * made or removed counts when its folder was synced. A file that was made longer and not written has zeros there, or what lay on the disk before.
 *
 * Ownership: a disk is made by cut_disk_new and freed by cut_disk_free; the events are the caller's. Threads: one. */
#ifndef JARI_TESTS_STORE_POWER_CUT_H
#define JARI_TESTS_STORE_POWER_CUT_H

#include "fault_vfs.h"

struct cut_disk;

/* With nothing told yet. The seed is that of what syncs that failed have written. */
struct cut_disk *cut_disk_new(const struct journal_event *events, uint64_t seed);
void cut_disk_free(struct cut_disk *d);
/* The next event happens; its index. */
size_t cut_disk_next(struct cut_disk *d);
/* Writes the files as a power cut now would leave them into the folder, and removes those of these names that would not be there.
 * Seed 0: nothing that was not synced is there; 1: all of it is (as when only the process ends); others: some of it. */
void cut_disk_write(const struct cut_disk *d, uint64_t seed, const char *folder);

#endif
