/* man.c: writes jari(1), the manual page, from the tables that `jari --help` is made from. A program of the build, not of the product.
 *
 * Use: jari-man "November 28, 2026". The language is mdoc(7). */
#include "cli/bench/options.h"
#include "cli/options.h"
#include <ctype.h>
#include <string.h>

#define WIDTH 76 /* of a line of text, so that it can be read as it is too */

/* ---- text that mdoc takes as it is ---- */

/* One character. A lone '-' may become a hyphen that no shell understands. */
static void put_char(char c)
{
	if (c == '\\')
		(void)fputs("\\e", stdout);
	else if (c == '-')
		(void)fputs("\\-", stdout);
	else
		(void)putchar(c);
}

/* n characters that begin a line or (`within`) don't: a dot or an apostrophe at a beginning would make a macro of it. */
static void put(const char *p, size_t n, bool within)
{
	if (!within && n > 0 && (p[0] == '.' || p[0] == '\''))
		(void)fputs("\\&", stdout);
	for (size_t i = 0; i < n; i++)
		put_char(p[i]);
}

/* True where a sentence has ended before the word at p: it begins on a line of its own, as mdoc asks for. */
static bool sentence_ended(char last, const char *p)
{
	return (last == '.' || last == '?' || last == '!') && !islower((unsigned char)p[0]);
}

/* The words of one paragraph, in lines. */
static void paragraph(const char *p, size_t n)
{
	const char *end = p + n;
	size_t column = 0;
	char last = '\0';

	while (p < end) {
		size_t gap = strspn(p, " \n"), word = strcspn(p + gap, " \n");

		p += gap;
		if (p >= end || word == 0)
			break;
		if (column > 0 && (column + 1 + word > WIDTH || sentence_ended(last, p))) {
			(void)putchar('\n');
			column = 0;
		} else if (column > 0) {
			(void)putchar(' ');
			column++;
		}
		put(p, word, column > 0);
		column += word;
		last = p[word - 1];
		p += word;
	}
	(void)putchar('\n');
}

/* Paragraphs with an empty line between. */
static void paragraphs(const char *words)
{
	for (const char *gap; (gap = strstr(words, "\n\n")) != NULL; words = gap + 2) {
		paragraph(words, (size_t)(gap - words));
		(void)puts(".Pp");
	}
	paragraph(words, strlen(words));
}

/* Lines as they stand, without the indent that the help gives them. */
static void literal(const char *lines)
{
	(void)puts(".Bd -literal -offset indent");
	while (*lines != '\0') {
		size_t n;

		lines += strspn(lines, " ");
		n = strcspn(lines, "\n");
		put(lines, n, false);
		(void)putchar('\n');
		lines += n + (lines[n] == '\n');
	}
	(void)puts(".Ed");
}

/* ---- its sections ---- */

static void head(const char *date)
{
	(void)printf(".\\\" Written by src/cli/man/man.c from the table of options; change that.\n"
	             ".Dd %s\n.Dt JARI 1\n.Os\n"
	             ".Sh NAME\n.Nm jari\n.Nd %s\n.Sh SYNOPSIS\n",
	             date, cli_help_part(CLI_HELP_PURPOSE));
	for (int i = 0; i < CLI_COMMANDS; i++) {
		const char *argument = cli_command_argument((enum cli_command)i);

		(void)printf(".Nm jari\n.Cm %s\n", cli_command_name((enum cli_command)i));
		if (argument != NULL)
			(void)printf(".Ar %s\n", argument);
		(void)puts(".Op Ar options");
	}
	(void)puts(".Nm jari\n.Cm bench\n.Ar OPERATION\n.Op Ar options\n"
	           ".Nm jari\n.Op Ar COMMAND\n.Fl -help\n"
	           ".Nm jari\n.Fl -version");
}

static void description(void)
{
	(void)puts(".Sh DESCRIPTION\n"
	           ".Nm\n"
	           "is a ticket server.\n"
	           "Buyers wait in a line that keeps its order, hold seats for some minutes,\n"
	           "and pay from a prepaid wallet.\n"
	           "It is one program with its database inside, or with PostgreSQL behind it,\n"
	           "and speaks HTTP:\n"
	           "pages for buyers at\n.Pa / ,\n"
	           "for organisers at\n.Pa /admin ,\n"
	           "and an API that explains itself at\n.Pa /docs .");
}

static void commands(void)
{
	(void)puts(".Sh COMMANDS");
	for (int i = 0; i < CLI_COMMANDS; i++) {
		const char *argument = cli_command_argument((enum cli_command)i);

		(void)printf(".Ss jari %s%s%s\n", cli_command_name((enum cli_command)i), argument != NULL ? " " : "",
		             argument != NULL ? argument : "");
		paragraphs(cli_command_help((enum cli_command)i));
		(void)puts(".Pp");
		paragraphs(cli_command_story((enum cli_command)i));
		literal(cli_command_examples((enum cli_command)i));
	}
	(void)puts(".Ss jari bench OPERATION\n"
	           "Make a load on a server, and measure what it does.\n"
	           "It has options of its own, which\n"
	           ".Nm\n.Cm bench Ar OPERATION Fl -help\n"
	           "explains.\n"
	           "The operations are:\n"
	           ".Bl -tag -width request");
	for (int i = 0; i < BENCH_OPS; i++) {
		(void)printf(".It Cm %s\n", bench_op_name((enum bench_op)i));
		paragraphs(bench_op_help((enum bench_op)i));
	}
	(void)puts(".El");
}

/* What an option may be, what it is when not given, the commands that take it, and its environment variable. */
static void facts(const struct cli_option *row, const char *variable)
{
	const char *between = "";

	(void)puts(".Pp");
	if (row->type == CLI_TYPE_INT)
		(void)printf("%lld to %lld; ", (long long)row->lo, (long long)row->hi);
	if (row->initial != NULL && row->type != CLI_TYPE_BOOL) {
		(void)fputs("default ", stdout);
		put(row->initial, strlen(row->initial), true);
		(void)fputs("; ", stdout);
	}
	(void)fputs("of ", stdout);
	for (int i = 0; i < CLI_COMMANDS; i++)
		if ((row->commands >> i & 1) != 0) {
			(void)printf("%s%s", between, cli_command_name((enum cli_command)i));
			between = ", ";
		}
	(void)printf("\n.Bq Ev %s%s\n", variable, row->type == CLI_TYPE_BOOL ? "=yes" : "");
}

/* The options, or those that are in the environment alone. */
static void options(bool secret)
{
	size_t n;
	const struct cli_option *table = cli_option_table(&n);
	char variable[CLI_ENV_NAME_SIZE];

	(void)puts(".Bl -tag -width Ds");
	for (size_t i = 0; i < n; i++) {
		if (table[i].secret != secret)
			continue;
		cli_env_name(table[i].name, variable);
		if (secret)
			(void)printf(".It Ev %s\n", variable);
		else
			(void)printf(".It Fl -%s%s%s\n", table[i].name, table[i].value != NULL ? " Ar " : "",
			             table[i].value != NULL ? table[i].value : "");
		paragraphs(table[i].help);
		if (!secret)
			facts(&table[i], variable);
	}
	(void)puts(".El");
}

static void rest(void)
{
	(void)puts(".Sh ENVIRONMENT\n"
	           "What each option may be set with stands beside it.\n"
	           "In the environment alone, because others can read a command line:");
	options(true);
	(void)puts(".Sh FILES\n"
	           ".Bl -tag -width Ds\n"
	           ".It Pa /etc/jari/jari.conf\n"
	           "The service's environment, in the Debian package: a line\n"
	           ".Ev JARI_NAME Ns = Ns Ar value\n"
	           "for each option that is to be other than its default.\n"
	           ".It Pa /var/lib/jari/jari.db\n"
	           "The store of the service, with\n"
	           ".Pa jari.db\\-wal\nand\n.Pa jari.db\\-shm\n"
	           "beside it while it is open.\n"
	           ".It Pa /var/lib/jari/jari.db.admin\\-key , /var/lib/jari/jari.db.token\\-key\n"
	           "The keys, made at the first start unless others are given.\n"
	           ".El\n"
	           ".Sh EXIT STATUS\n"
	           "0 fine, 1 something failed and a line on standard error said what,\n"
	           "2 the command line is wrong.\n"
	           ".Sh EXAMPLES");
	literal(cli_help_part(CLI_HELP_EXAMPLES));
	(void)puts("What is done to the service's store is done as its user:\n"
	           ".Bd -literal -offset indent\n"
	           "runuser \\-u jari \\-\\- jari audit \\-\\-store sqlite:/var/lib/jari/jari.db\n"
	           ".Ed\n"
	           ".Sh SEE ALSO\n"
	           ".Xr journalctl 1 ,\n.Xr systemctl 1\n"
	           ".Pp\n"
	           "How it is run:\n.Pa /usr/share/doc/jari/operations.md");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fputs("use: jari-man DATE\n", stderr);
		return 2;
	}
	head(argv[1]);
	description();
	commands();
	(void)puts(".Sh OPTIONS");
	paragraphs(cli_help_part(CLI_HELP_RULES));
	options(false);
	rest();
	return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
