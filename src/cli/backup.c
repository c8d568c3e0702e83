/* backup.c: `jari backup DEST`: a consistent copy of the store, also while a server runs. */
#include "cli/cli.h"
#include "cli/keys.h"
#include <unistd.h>

/* The keys are no part of the store: a copy without them opens, but old tokens don't. */
static void name_keys(const struct cli_options *options)
{
	char admin[PATH_MAX], token[PATH_MAX];
	const char *file = cli_store_file(options->store);

	if (file == NULL || !cli_key_path(CLI_KEY_ADMIN, file, admin) || !cli_key_path(CLI_KEY_TOKEN, file, token))
		return;
	if (access(admin, F_OK) == 0)
		(void)printf("the organiser's key is not in it; it belongs in your backup too: %s\n", admin);
	if (access(token, F_OK) == 0)
		(void)printf("the key of the buyers' tokens is not in it; it belongs in your backup too: %s\n", token);
}

int cli_backup(const struct cli_options *options)
{
	struct cli_progress p = cli_progress_begin();
	struct store *store = NULL;
	char error[STORE_ERROR_SIZE];
	enum store_result result = cli_store_open(options, STORE_READ, &store, error);

	if (result != STORE_OK)
		return cli_fail("%s", error);
	result = store_backup(store, options->argument, cli_progress_show, &p, error);
	store_close(store);
	cli_progress_end(&p);
	if (result != STORE_OK)
		return cli_fail("%s", error[0] != '\0' ? error : store_result_name(result));
	name_keys(options);
	(void)printf("backup written to %s (%lld pages)\n", options->argument, (long long)p.total);
	return cli_flush();
}
