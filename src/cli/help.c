/* help.c: the help, made from the table of options. */
#include "cli/options.h"
#include <string.h>

#define COLUMN 28 /* where the explanations begin */
#define WIDTH 100

static bool takes(const struct cli_option *row, enum cli_command command)
{
	return command != CLI_NO_COMMAND && (row->commands >> command & 1) != 0;
}

/* What the option may be, what it is when not given, and its environment variable, on a line of its own. */
static void option_facts(FILE *out, const struct cli_option *row, const char *env)
{
	(void)fprintf(out, "%*s[", COLUMN, "");
	if (row->type == CLI_TYPE_INT)
		(void)fprintf(out, "%lld to %lld, ", (long long)row->lo, (long long)row->hi);
	if (row->initial != NULL && row->type != CLI_TYPE_BOOL)
		(void)fprintf(out, "default %s, ", row->initial);
	(void)fprintf(out, "%s%s]\n", env, row->type == CLI_TYPE_BOOL ? "=yes" : "");
}

/* Writes `words` in lines that begin at COLUMN and end before WIDTH. The first line is begun already. */
static void wrapped(FILE *out, const char *words)
{
	size_t column = COLUMN;

	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		if (column > COLUMN && column + 1 + n > WIDTH) {
			(void)fprintf(out, "\n%*s", COLUMN, "");
			column = COLUMN;
		}
		(void)fprintf(out, "%s%.*s", column > COLUMN ? " " : "", (int)n, words);
		column += n + (column > COLUMN);
		words += n + strspn(words + n, " ");
	}
	(void)fputc('\n', out);
}

void cli_help_entry(FILE *out, const char *left, const char *words)
{
	(void)fprintf(out, "  %-*s", COLUMN - 2, left);
	if (strlen(left) >= COLUMN - 2)
		(void)fprintf(out, "\n%*s", COLUMN, "");
	wrapped(out, words);
}

void cli_help_option(FILE *out, const struct cli_option *row, const char *environment)
{
	char left[CLI_ENV_NAME_SIZE];

	if (row->secret)
		(void)snprintf(left, sizeof(left), "%s", environment);
	else
		(void)snprintf(left, sizeof(left), "--%s%s%s", row->name, row->value != NULL ? " " : "",
		               row->value != NULL ? row->value : "");
	cli_help_entry(out, left, row->help);
	if (!row->secret)
		option_facts(out, row, environment);
}

/* The options that `command` takes and `but` does not (CLI_NO_COMMAND: whatever that one takes). */
static void options_help(FILE *out, enum cli_command command, enum cli_command but, bool secret)
{
	size_t n;
	const struct cli_option *table = cli_option_table(&n);
	char env[CLI_ENV_NAME_SIZE];

	for (size_t i = 0; i < n; i++)
		if (takes(&table[i], command) && !takes(&table[i], but) && table[i].secret == secret) {
			cli_env_name(table[i].name, env);
			cli_help_option(out, &table[i], env);
		}
}

static void usage_line(FILE *out, enum cli_command command, const char *indent)
{
	const char *argument = cli_command_argument(command);

	(void)fprintf(out, "%sjari %s%s%s [options]", indent, cli_command_name(command), argument != NULL ? " " : "",
	              argument != NULL ? argument : "");
}

static const char rules[] =
    "--name value and --name=value are the same. Each option is also the environment variable in brackets;\n"
    "the command line wins. Switches take 1, true, yes, on or 0, false, no, off there.\n";

static void rules_help(FILE *out)
{
	(void)fprintf(out, "\n%s", rules);
}

static void environment_help(FILE *out)
{
	(void)fputs("\nIn the environment alone, because others can read a command line:\n", out);
	options_help(out, CLI_SERVE, CLI_NO_COMMAND, true);
}

static const char purpose[] = "sells seats for concerts that everyone wants at the same minute";
static const char all_examples[] = "  jari serve --demo                                     try it: http://127.0.0.1:8080\n"
				   "  jari serve --store sqlite:/var/lib/jari/jari.db --hold-seconds 420\n"
				   "  jari import spring.json                               add concerts while no server runs\n"
				   "  jari audit && jari backup /backup/jari.db             check, then copy\n"
				   "  jari copy --from sqlite:data/jari.db --to postgresql://jari@db1/jari\n";

static void all_help(FILE *out)
{
	(void)fprintf(out, "jari " JARI_VERSION ": %s.\n\nUsage:\n", purpose);
	for (int i = 0; i < CLI_COMMANDS; i++) {
		const char *argument = cli_command_argument((enum cli_command)i);
		char left[64];

		(void)snprintf(left, sizeof(left), "jari %s %s", cli_command_name((enum cli_command)i),
		               argument != NULL ? argument : "");
		cli_help_entry(out, left, cli_command_help((enum cli_command)i));
	}
	cli_help_entry(out, "jari bench OPERATION", "Make a load on a server, and measure what it does.");
	cli_help_entry(out, "jari COMMAND --help", "Explain one command.");
	cli_help_entry(out, "jari --version", "Print the version.");
	(void)fputs("\nOptions of every command but copy:\n", out);
	options_help(out, CLI_AUDIT, CLI_NO_COMMAND, false);
	(void)fputs("\nOptions of copy:\n", out);
	options_help(out, CLI_COPY, CLI_NO_COMMAND, false);
	(void)fputs("\nOptions of serve:\n", out);
	options_help(out, CLI_SERVE, CLI_AUDIT, false);
	environment_help(out);
	rules_help(out);
	(void)fprintf(out, "\nExamples:\n%s\nExit status: 0 fine, 1 something failed, 2 the command line is wrong.\n",
	              all_examples);
}

static const char *const stories[] = {
    [CLI_SERVE] =
	"Writes one line to standard output when it takes connections, `listening on http://ADDR:PORT` (https with TLS);\n"
	"everything else goes to standard error. SIGTERM and SIGINT finish what is in flight and exit; a second one ends at\n"
	"once. SIGHUP has the certificate and the keys of the sign-in read again.\n"
	"\nThe organiser's key opens /api/admin. Unless one is given, it is made at the first start, in the file\n"
	"STORE.admin-key beside the store, which only its owner can read; STORE.token-key likewise.\n",
    [CLI_IMPORT] = "Takes the same document as POST /api/admin/catalogue, all of it or nothing, and prints the new ids. A store\n"
		   "in a file it needs to itself: while a server has it open, use POST /api/admin/catalogue.\n",
    [CLI_AUDIT] = "Prints a line for each check, and exits 1 if any fails. It changes nothing.\n",
    [CLI_BACKUP] =
	"DEST must not exist yet, nor DEST-wal, DEST-shm or DEST-journal of an earlier store. The copy is one consistent moment\n"
	"of the store. Until it is whole it is called DEST.partial-XXXXXX; one that is killed leaves that file. The key files\n"
	"beside the store are no part of it: they belong in your backup too.\n",
    [CLI_COPY] =
	"Moves house: queues, concerts, seats, people, tickets, reservations, money, idempotency keys and the audit log, with\n"
	"every id and every instant, so that tokens go on to work with the same keys and holds lapse when they would have.\n"
	"Stop the servers of both stores first; while it runs none can start. All of it is one transaction of the new store: a\n"
	"copy that fails or is killed leaves that empty, and can be made again. At the end every row is read from the new store\n"
	"and compared, and all checks of jari audit are made there; exit status 1 when anything is not as it should be.\n"
	"The keys are no part of a store: give the new servers the same ones (--admin-key-file, --token-key-file).\n",
    [CLI_MIGRATE] =
	"`jari serve` does the same at its start where it may. For a database whose servers run under a role that may not change\n"
	"the schema, run this once before the first start and after each update, with the URL of the database's owner.\n"
	"It changes nothing when there is nothing to do, and several at once do it once.\n",
};

static const char *const examples[] = {
    [CLI_SERVE] = "  jari serve --demo\n"
		  "  jari serve --listen 127.0.0.1:0 --store sqlite:/tmp/try.db --hold-seconds 30\n"
		  "  JARI_ADMIN_KEY=\"$(cat key)\" jari serve --listen [::1]:8080\n",
    [CLI_IMPORT] = "  jari import spring.json\n"
		   "  make-catalogue | jari import -\n",
    [CLI_AUDIT] = "  jari audit --store sqlite:/var/lib/jari/jari.db\n",
    [CLI_BACKUP] = "  jari backup /backup/jari-2026-12-24.db\n",
    [CLI_COPY] = "  jari copy --from sqlite:/var/lib/jari/jari.db --to postgresql://jari_app@db1/jari\n"
		 "  jari copy --from postgresql://jari_app@db1/jari --to sqlite:/var/lib/jari/back.db\n",
    [CLI_MIGRATE] = "  jari migrate --store postgresql://jari_owner@db1/jari\n",
};

void cli_help(FILE *out, enum cli_command command)
{
	if (command == CLI_NO_COMMAND) {
		all_help(out);
		return;
	}
	usage_line(out, command, "Usage: ");
	(void)fprintf(out, "\n\n%s\n\n%s\nOptions:\n", cli_command_help(command), stories[command]);
	options_help(out, command, CLI_NO_COMMAND, false);
	if (command == CLI_SERVE)
		environment_help(out);
	rules_help(out);
	(void)fprintf(out, "\nExamples:\n%s", examples[command]);
}

const char *cli_help_part(enum cli_help_part part)
{
	switch (part) {
	case CLI_HELP_PURPOSE:
		return purpose;
	case CLI_HELP_RULES:
		return rules;
	case CLI_HELP_EXAMPLES:
		break;
	}
	return all_examples;
}

const char *cli_command_story(enum cli_command command)
{
	return stories[command];
}

const char *cli_command_examples(enum cli_command command)
{
	return examples[command];
}
