/* thread.c: see thread.h. */
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

void thread_is_called(const char *name)
{
	(void)pthread_setname_np(pthread_self(), name);
}

/* On Linux a nice value is a thread's own, not its process's. */
void thread_stands_back(void)
{
	id_t self = (id_t)gettid();
	errno = 0;
	int now = getpriority(PRIO_PROCESS, self);
	if (errno == 0)
		(void)setpriority(PRIO_PROCESS, self, now + THREAD_NICE_BEHIND);
}
