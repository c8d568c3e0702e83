/* metrics_process.c: the process as the system sees it. */
#include "http/metrics_inside.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The second number of /proc/self/statm is the pages in RAM. */
static int64_t resident_bytes(void)
{
	char line[128], *rest = NULL;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return -1;
	bool read = fgets(line, sizeof(line), f) != NULL;
	(void)fclose(f);
	char *second = read ? strchr(line, ' ') : NULL;
	if (second == NULL)
		return -1;
	int64_t pages = strtoll(second + 1, &rest, 10);
	return rest == second + 1 || pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE);
}

static int64_t open_files(void)
{
	int64_t n = 0;
	DIR *d = opendir("/proc/self/fd");

	if (d == NULL)
		return -1;
	for (const struct dirent *entry = readdir(d); entry != NULL; entry = readdir(d))
		n += entry->d_name[0] != '.';
	(void)closedir(d);
	return n - 1; /* the one that was looking */
}

void metrics_process(const struct http_metrics *m, struct buf *out)
{
	int64_t rss = resident_bytes(), fds = open_files();
	struct rusage usage;
	struct rlimit limit;

	if (rss >= 0)
		metrics_simple(out, "process_resident_memory_bytes", "gauge", "Memory of the process in RAM.", rss);
	if (fds >= 0)
		metrics_simple(out, "process_open_fds", "gauge", "Open file descriptors.", fds);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= INT64_MAX)
		metrics_simple(out, "process_max_fds", "gauge", "File descriptors that may be open.", (int64_t)limit.rlim_cur);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		metrics_seconds(out, "process_cpu_seconds_total", "counter", "Processor time used, user and system together.",
		                (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
		                    usage.ru_stime.tv_usec);
	metrics_simple(out, "process_start_time_seconds", "gauge", "When the process began, in seconds since 1970.", m->started_s);
}
