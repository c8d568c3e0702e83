/* common.c: what the commands share; see cli.h. */
#include "cli/cli.h"
#include "http/reply.h"
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_FOLDER "data"
#define BAR_WIDTH 40

int cli_fail(const char *format, ...)
{
	char line[2048];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (char *p = line; *p != '\0'; p++) /* a name with a line feed in it must not make two lines */
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	(void)fprintf(stderr, "jari: %s\n", line);
	return CLI_EXIT_FAILED;
}

int cli_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CLI_EXIT_OK;
	return cli_fail("cannot write to standard output: %s", strerror(errno));
}

const char *cli_store_file(const char *url)
{
	return strncmp(url, "sqlite:", 7) == 0 ? url + 7 : NULL;
}

struct cli_progress cli_progress_begin(void)
{
	return (struct cli_progress){.shown = isatty(STDERR_FILENO) == 1, .percent = -1};
}

void cli_progress_show(void *progress, int64_t done, int64_t total)
{
	struct cli_progress *p = progress;
	int64_t percent = total > 0 ? done * 100 / total : 100, full = percent * BAR_WIDTH / 100;

	p->total = total;
	if (!p->shown || percent == p->percent)
		return;
	p->percent = percent;
	(void)fputs("\r[", stderr);
	for (int64_t i = 0; i < BAR_WIDTH; i++)
		(void)fputc(i < full ? '#' : '.', stderr);
	(void)fprintf(stderr, "] %3lld%%", (long long)percent);
	if (percent == 100)
		(void)fputc('\n', stderr);
}

void cli_progress_end(const struct cli_progress *p)
{
	if (p->shown && p->percent >= 0 && p->percent < 100)
		(void)fputc('\n', stderr);
}

bool cli_make_default_folder(const struct cli_options *options)
{
	if (cli_given(options, "store") || mkdir(DEFAULT_FOLDER, 0750) == 0 || errno == EEXIST)
		return true;
	cli_fail("cannot make the folder '%s' for the default store: %s; name another with --store sqlite:PATH", DEFAULT_FOLDER,
	         strerror(errno));
	return false;
}

enum store_result cli_store_open(const struct cli_options *options, enum store_mode mode, struct store **out,
                                 char error[STORE_ERROR_SIZE])
{
	struct store_options how = {.url = options->store, .mode = mode, .queue_capacity = options->queue_capacity};

	return store_open(&how, out, error);
}

struct core_rules cli_rules(const struct cli_options *options)
{
	return (struct core_rules){
	    .hold_ms = options->hold_seconds * 1000,
	    .active_ms = options->active_seconds * 1000,
	    .grace_ms = options->waiting_grace * 1000,
	    .seats_per_user = options->seats_per_user,
	};
}

/* ---- one command, waited for ---- */

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t decided;
	bool done;
};

static void job_done(struct engine_job *job)
{
	struct waiter *w = job->owner;

	(void)pthread_mutex_lock(&w->lock);
	w->done = true;
	(void)pthread_cond_signal(&w->decided);
	(void)pthread_mutex_unlock(&w->lock);
}

static bool submit_and_wait(struct engine *engine, struct engine_job *job)
{
	struct waiter w = {.lock = PTHREAD_MUTEX_INITIALIZER, .decided = PTHREAD_COND_INITIALIZER};

	job->owner = &w;
	job->done = job_done;
	if (!engine_submit(engine, job))
		return false;
	(void)pthread_mutex_lock(&w.lock);
	while (!w.done)
		(void)pthread_cond_wait(&w.decided, &w.lock);
	(void)pthread_mutex_unlock(&w.lock);
	return true;
}

bool cli_add_catalogue(struct engine *engine, const struct core_catalogue *doc, const char *actor, bool only_if_empty,
                       struct arena *arena, struct core_reply *reply, struct buf *why)
{
	struct engine_job job = {.arena = arena};
	struct buf members = {0};

	job.cmd.op = CORE_ADD_CATALOGUE;
	job.cmd.u.catalogue.doc = doc;
	job.cmd.u.catalogue.actor = text_of(actor);
	job.cmd.u.catalogue.only_if_empty = only_if_empty;
	if (!submit_and_wait(engine, &job)) {
		buf_str(why, "the engine takes no more commands just now");
		return false;
	}
	*reply = job.reply;
	if (reply->code == CORE_OK)
		return true;
	if (reply->code == CORE_STORE_UNAVAILABLE)
		buf_str(why, "the store could not be written; the log has the cause");
	else
		http_refusal(&job.cmd, reply, 0, &members, why);
	buf_free(&members);
	return false;
}
