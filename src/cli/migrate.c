/* migrate.c: `jari migrate`: the schema, made or brought up to date. */
#include "cli/cli.h"

int cli_migrate(const struct cli_options *options)
{
	struct store *store = NULL;
	char error[STORE_ERROR_SIZE], shown[STORE_SHOWN_SIZE];

	if (!cli_make_default_folder(options))
		return CLI_EXIT_FAILED;
	if (cli_store_open(options, STORE_SERVE, &store, error) != STORE_OK)
		return cli_fail("%s", error);
	store_close(store);
	store_shown(options->store, shown);
	(void)printf("the schema of %s is up to date\n", shown);
	return cli_flush();
}
