/* threads.h: the product's threads as fibers: one runs at a time, and the seed says which one goes on and where it stops.
 *
 * jari-sim is linked with --wrap (meson.build), so that what the engine calls of pthreads, its clock and its naps comes here. The product's source
 * knows nothing of it. A thread stops where it waits, where it sleeps, and by chance where it gives a lock back; so no lock is ever held by one that has
 * stopped, and everything that threads share is seen in the orders that real threads could see it in, as far as locks divide it.
 * Time stands still while a thread runs. Threads of the system: one. Errors: a wait with a lock held, or too many threads, end the program. */
#ifndef JARI_TESTS_THREADS_H
#define JARI_TESTS_THREADS_H

#include <stdbool.h>
#include <stdint.h>

/* Begins with no thread. `stop_percent`: how often a thread stops where it gives a lock back; `late_percent`: how often one that could go on waits all the
 * same, as on a busy machine. */
void threads_begin(uint64_t random, int64_t now_us, int stop_percent, int late_percent);
/* A thread of `owner`; the threads that it starts are the owner's too. Nobody need join it. */
void threads_start(void *(*fn)(void *arg), void *arg, void *owner);
/* Whose thread runs; NULL outside of all. */
void *threads_owner(void);
/* How many have not ended. */
int threads_alive(void);

/* The monotonic clock, microseconds. */
int64_t threads_us(void);
void threads_set_us(int64_t us);

/* ---- for whoever drives ---- */

/* Lets one that can go on run until it stops; false when none can. */
bool threads_run_one(void);
/* When the next one wakes by itself; INT64_MAX: never. */
int64_t threads_next_us(void);

/* ---- for what threads call ---- */

void threads_sleep(int64_t us);
/* Waits until threads_wake(on), or until then (INT64_MAX: for ever). False when the time has come first. */
bool threads_wait(const void *on, int64_t until_us);
void threads_wake(const void *on);
/* Between the two the running thread does not stop. */
void threads_hold(void);
void threads_release(void);

#endif
