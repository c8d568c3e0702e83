/* main.c: `jari`: reads the command line and runs the command that it names. */
#include "cli/bench/bench.h"
#include "cli/cli.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Stores, keys and backups hold people's names and money: what is made here is its owner's alone. */
#define PRIVATE_UMASK 077

static int usage(const struct cli_options *options, const char *error)
{
	cli_fail("%s", error);
	if (options->command == CLI_NO_COMMAND)
		(void)fputs("try 'jari --help'\n", stderr);
	else
		(void)fprintf(stderr, "try 'jari %s --help'\n", cli_command_name(options->command));
	return CLI_EXIT_USAGE;
}

static int run(const struct cli_options *options)
{
	switch (options->command) {
	case CLI_SERVE:
		return cli_serve(options);
	case CLI_IMPORT:
		return cli_import(options);
	case CLI_AUDIT:
		return cli_audit(options);
	case CLI_BACKUP:
		return cli_backup(options);
	case CLI_COPY:
		return cli_copy(options);
	case CLI_MIGRATE:
		return cli_migrate(options);
	case CLI_NO_COMMAND:
		break;
	}
	return CLI_EXIT_USAGE;
}

/* A store's or a connection's descriptor must not be one that answers or the log are written to. What stands in its place refuses that, as a closed
 * one does. */
static bool occupy_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct cli_options options;
	char error[CLI_ERROR_SIZE];

	if (!occupy_standard())
		return CLI_EXIT_FAILED;
	(void)umask(PRIVATE_UMASK);
	/* Past a limit on the size of files a write fails, as on a full disk; it is not the end of the process. */
	(void)signal(SIGXFSZ, SIG_IGN);
	/* It opens no store, and has options of its own. */
	if (argc > 1 && strcmp(argv[strcmp(argv[1], "help") == 0 && argc > 2 ? 2 : 1], "bench") == 0)
		return cli_bench(argc, argv);
	switch (cli_options_parse(argc, argv, &options, error)) {
	case CLI_RUN:
		return run(&options);
	case CLI_SHOW_HELP:
		cli_help(stdout, options.command);
		return cli_flush();
	case CLI_SHOW_VERSION:
		(void)printf("jari %s\n", JARI_VERSION);
		return cli_flush();
	case CLI_USAGE:
		break;
	}
	return usage(&options, error);
}
