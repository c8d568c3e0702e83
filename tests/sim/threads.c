/* threads.c: see threads.h. */
#include "threads.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

enum { LATE_US = 60000, THREADS_MAX = 64, STACK_BYTES = 256 << 10, GUARD_BYTES = 4096 };

struct thread {
	ucontext_t context;
	char *stack; /* kept for the next one */
	void *(*fn)(void *);
	void *arg, *owner;
	const void *on;   /* what it waits for */
	int64_t until_us; /* and until when */
	int held;
	bool used, ready, done, joined;
};

static struct {
	struct thread thread[THREADS_MAX];
	struct thread *running;
	ucontext_t driver;
	uint64_t random;
	int64_t now_us;
	int stop_percent, late_percent;
} all;

static _Noreturn void give_up(const char *why)
{
	fprintf(stderr, "threads: %s\n", why);
	abort();
}

/* SplitMix64, apart from the world's numbers. */
static int64_t below(int64_t n)
{
	uint64_t z = all.random += 0x9E3779B97F4A7C15ULL;
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
	return (int64_t)((z ^ z >> 31) % (uint64_t)n);
}

void threads_begin(uint64_t random, int64_t now_us, int stop_percent, int late_percent)
{
	for (int i = 0; i < THREADS_MAX; i++)
		all.thread[i].used = false;
	all.running = NULL;
	all.random = random;
	all.now_us = now_us;
	all.stop_percent = stop_percent;
	all.late_percent = late_percent;
}

/* ---- starting and ending ---- */

static void body(void)
{
	struct thread *t = all.running;
	(void)t->fn(t->arg);
	t->done = true;
	t->used = t->joined;
	threads_wake(t);
	(void)setcontext(&all.driver);
	give_up("there is no way back");
}

static char *new_stack(void)
{
	char *p = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || mprotect(p, GUARD_BYTES, PROT_NONE) != 0)
		give_up("no memory for a stack");
	return p + GUARD_BYTES;
}

static int start(void *(*fn)(void *), void *arg, void *owner, bool joined)
{
	int i = 0;
	while (i < THREADS_MAX && all.thread[i].used)
		i++;
	if (i == THREADS_MAX)
		give_up("too many");
	struct thread *t = &all.thread[i];
	char *stack = t->stack ? t->stack : new_stack();
	*t = (struct thread){.stack = stack, .fn = fn, .arg = arg, .owner = owner, .used = true, .ready = true, .joined = joined};
	if (getcontext(&t->context) != 0)
		give_up("no context");
	t->context.uc_stack.ss_sp = stack;
	t->context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&t->context, body, 0);
	return i;
}

void threads_start(void *(*fn)(void *), void *arg, void *owner)
{
	(void)start(fn, arg, owner, false);
}

void *threads_owner(void)
{
	return all.running ? all.running->owner : NULL;
}

int threads_alive(void)
{
	int n = 0;
	for (int i = 0; i < THREADS_MAX; i++)
		n += all.thread[i].used && !all.thread[i].done;
	return n;
}

/* ---- time ---- */

int64_t threads_us(void)
{
	return all.now_us;
}

void threads_set_us(int64_t us)
{
	if (us > all.now_us)
		all.now_us = us;
}

/* ---- driving ---- */

static bool can_run(const struct thread *t)
{
	return t->used && !t->done && (t->ready || t->until_us <= all.now_us);
}

bool threads_run_one(void)
{
	int64_t n = 0;
	for (int i = 0; i < THREADS_MAX; i++)
		n += can_run(&all.thread[i]);
	if (n == 0)
		return false;
	int64_t pick = below(n);
	for (int i = 0; i < THREADS_MAX; i++) {
		struct thread *t = &all.thread[i];
		if (!can_run(t) || pick-- > 0)
			continue;
		all.running = t;
		(void)swapcontext(&all.driver, &t->context);
		all.running = NULL;
		return true;
	}
	return false;
}

int64_t threads_next_us(void)
{
	int64_t next = INT64_MAX;
	for (int i = 0; i < THREADS_MAX; i++) {
		const struct thread *t = &all.thread[i];
		if (t->used && !t->done && !t->ready && t->until_us < next)
			next = t->until_us;
	}
	return next;
}

/* ---- stopping ---- */

static void stop(struct thread *t)
{
	if (t->held > 0)
		give_up("one waits with a lock held");
	(void)swapcontext(&t->context, &all.driver);
}

bool threads_wait(const void *on, int64_t until_us)
{
	struct thread *t = all.running;
	if (!t)
		give_up("nobody runs who could wait");
	t->on = on;
	t->until_us = until_us;
	t->ready = false;
	stop(t);
	bool woken = t->ready;
	if (below(100) < all.late_percent) {
		t->ready = false;
		t->on = NULL;
		t->until_us = all.now_us + below(LATE_US);
		stop(t);
	}
	t->on = NULL;
	t->ready = true;
	return woken;
}

void threads_sleep(int64_t us)
{
	if (all.running)
		(void)threads_wait(NULL, all.now_us + us);
}

static void wake(const void *on, int64_t most)
{
	for (; most > 0; most--) {
		int64_t n = 0;
		for (int i = 0; i < THREADS_MAX; i++)
			n += all.thread[i].used && !all.thread[i].ready && all.thread[i].on == on;
		if (n == 0)
			return;
		int64_t pick = below(n);
		for (int i = 0; i < THREADS_MAX; i++) {
			struct thread *t = &all.thread[i];
			if (t->used && !t->ready && t->on == on && pick-- == 0) {
				t->ready = true;
				break;
			}
		}
	}
}

void threads_wake(const void *on)
{
	wake(on, THREADS_MAX);
}

void threads_hold(void)
{
	if (all.running)
		all.running->held++;
}

void threads_release(void)
{
	if (all.running)
		all.running->held--;
}

/* What a lock divides, another thread may see from here on. */
static void given_back(void)
{
	threads_release();
	if (all.running && all.running->held == 0 && below(100) < all.stop_percent)
		stop(all.running);
}

/* ---- what the product calls ---- */

int64_t __wrap_clock_elapsed_us(void);
int64_t __wrap_clock_elapsed_us(void)
{
	return all.now_us;
}

int __wrap_nanosleep(const struct timespec *t, struct timespec *left);
int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
	(void)left;
	threads_sleep((int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000);
	return 0;
}

/* The program's own thread keeps its name and its place. */
void __wrap_thread_is_called(const char *name);
void __wrap_thread_is_called(const char *name)
{
	(void)name;
}
void __wrap_thread_stands_back(void);
void __wrap_thread_stands_back(void)
{
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	(void)attr;
	*t = (pthread_t)start(fn, arg, threads_owner(), true);
	return 0;
}

int __wrap_pthread_join(pthread_t id, void **out);
int __wrap_pthread_join(pthread_t id, void **out)
{
	struct thread *t = &all.thread[id];
	(void)out;
	while (!t->done)
		(void)threads_wait(t, INT64_MAX);
	t->used = false;
	return 0;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
	(void)m;
	threads_hold();
	return 0;
}
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
	(void)m;
	given_back();
	return 0;
}
int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t *l);
int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	(void)l;
	threads_hold();
	return 0;
}
int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t *l);
int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	(void)l;
	threads_hold();
	return 0;
}
int __wrap_pthread_rwlock_unlock(pthread_rwlock_t *l);
int __wrap_pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	(void)l;
	given_back();
	return 0;
}

int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	(void)m;
	threads_release();
	(void)threads_wait(c, INT64_MAX);
	threads_hold();
	return 0;
}
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
	(void)m;
	threads_release();
	bool woken = threads_wait(c, (int64_t)until->tv_sec * 1000000 + until->tv_nsec / 1000);
	threads_hold();
	return woken ? 0 : ETIMEDOUT;
}
int __wrap_pthread_cond_signal(pthread_cond_t *c);
int __wrap_pthread_cond_signal(pthread_cond_t *c)
{
	wake(c, 1);
	return 0;
}
int __wrap_pthread_cond_broadcast(pthread_cond_t *c);
int __wrap_pthread_cond_broadcast(pthread_cond_t *c)
{
	threads_wake(c);
	return 0;
}
