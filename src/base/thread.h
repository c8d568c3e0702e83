/* thread.h: what a thread says of itself when it begins.
 *
 * When the processors are busy, threads that answer requests go before those that decide, sync and keep house: somebody who only asks for
 * a place in line is not to wait for everybody's payments, and a request that is taken in sooner joins a larger batch.
 * Errors: none; a system that refuses runs all threads alike. */
#ifndef JARI_BASE_THREAD_H
#define JARI_BASE_THREAD_H

#define THREAD_NICE_BEHIND 5 /* added to the process's nice value */

/* Names the calling thread, in at most 15 characters. */
void thread_is_called(const char *name);
/* Puts the calling thread behind those that answer requests. */
void thread_stands_back(void);

#endif
