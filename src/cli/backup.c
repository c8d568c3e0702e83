/* backup.c: `jari backup DEST`: a consistent copy of the store, also while a server runs. */
#include "cli/cli.h"
#include "cli/keys.h"
#include <unistd.h>

#define BAR_WIDTH 40

struct progress {
	bool shown; /* standard error is a terminal */
	int64_t total, percent;
};

static void show_progress(void *arg, int64_t done, int64_t total)
{
	struct progress *p = arg;
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

/* The keys are no part of the store: a copy without them opens, but old tokens don't. */
static void name_keys(const struct cli_options *options)
{
	char admin[PATH_MAX], token[PATH_MAX];
	const char *file = cli_store_file(options);

	if (file == NULL || !cli_key_path(CLI_KEY_ADMIN, file, admin) || !cli_key_path(CLI_KEY_TOKEN, file, token))
		return;
	if (access(admin, F_OK) == 0)
		(void)printf("the organiser's key is not in it; it belongs in your backup too: %s\n", admin);
	if (access(token, F_OK) == 0)
		(void)printf("the key of the buyers' tokens is not in it; it belongs in your backup too: %s\n", token);
}

int cli_backup(const struct cli_options *options)
{
	struct progress p = {.shown = isatty(STDERR_FILENO) == 1, .percent = -1};
	struct store *store = NULL;
	char error[STORE_ERROR_SIZE];
	enum store_result result = cli_store_open(options, STORE_READ, &store, error);

	if (result != STORE_OK)
		return cli_fail("%s", error);
	result = store_backup(store, options->argument, show_progress, &p, error);
	store_close(store);
	if (p.shown && p.percent >= 0 && p.percent < 100)
		(void)fputc('\n', stderr);
	if (result != STORE_OK)
		return cli_fail("%s", error[0] != '\0' ? error : store_result_name(result));
	name_keys(options);
	(void)printf("backup written to %s (%lld pages)\n", options->argument, (long long)p.total);
	return cli_flush();
}
