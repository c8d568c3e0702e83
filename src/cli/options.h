/* options.h: what the command line and the environment say. One table gives the options, their defaults and bounds, their
 * environment variables, the help and the errors.
 *
 * `--name value` and `--name=value` are the same; `--hold-seconds` is also JARI_HOLD_SECONDS. The command line wins over the
 * environment, and the environment over the default. An environment variable that is set to nothing counts as not set.
 * Ownership: texts point into argv, the environment or the table; they live as long as those.
 * Threads: before there are any. Errors: CLI_USAGE with one line that a person understands; only cli_help prints. */
#ifndef JARI_CLI_OPTIONS_H
#define JARI_CLI_OPTIONS_H

#include "cli/listen.h"
#include "http/throttle.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifndef JARI_VERSION
#define JARI_VERSION "0.1.0"
#endif

enum cli_command {
	CLI_SERVE,
	CLI_IMPORT,
	CLI_AUDIT,
	CLI_BACKUP,
	CLI_COPY,
	CLI_MIGRATE,
	CLI_COMMANDS,
	CLI_NO_COMMAND = CLI_COMMANDS
};

struct cli_options {
	enum cli_command command;
	const char *argument; /* FILE of import, DEST of backup */

	const char *store, *listen;
	const char *from, *to; /* of copy */
	bool demo, open_accounts, change_auth;
	const char *auth;                             /* "name" or "jwt" */
	const char *jwks, *jwt_issuer, *jwt_audience; /* NULL unless auth is "jwt" */
	int64_t hold_seconds, active_seconds, waiting_idle, waiting_grace, poll_budget, queue_capacity, seats_per_user;
	int64_t threads; /* 0: one for each processor */
	int64_t drain_seconds, request_timeout;
	int64_t max_connections; /* 0: as many as there may be */
	int64_t max_connections_each, command_wait;
	const char *tls_cert, *tls_key;               /* NULL: plain HTTP */
	int64_t rate_address, rate_user, rate_tokens; /* cli_rate_limits says what holds */
	const char *trusted_proxy;                    /* NULL: none */
	const char *frame_ancestors;                  /* NULL: none */
	const char *admin_key_file, *token_key_file;  /* NULL: none */
	const char *admin_key, *token_key;            /* from the environment alone; NULL: none */

	struct cli_listen listen_at; /* `listen`, taken apart (serve) */
	struct http_proxies proxies; /* `trusted_proxy`, taken apart (serve) */
	uint64_t on_command_line;    /* a bit for each row of the table */
	uint64_t in_environment;
};

enum cli_type { CLI_TYPE_TEXT, CLI_TYPE_INT, CLI_TYPE_BOOL };

/* A row of the table. */
struct cli_option {
	const char *name; /* without the dashes */
	enum cli_type type;
	size_t offset;       /* of the value in struct cli_options */
	const char *value;   /* what the help calls it: FILE, N */
	const char *initial; /* the default, as one would write it; NULL: none */
	int64_t lo, hi;      /* CLI_TYPE_INT */
	unsigned commands;   /* a bit for each command that takes it */
	bool secret;         /* in the environment alone: everyone on a machine can read a command line */
	const char *help;
};

const struct cli_option *cli_option_table(size_t *count);
/* JARI_HOLD_SECONDS of hold-seconds. */
#define CLI_ENV_NAME_SIZE 64
void cli_env_name(const char *option, char out[CLI_ENV_NAME_SIZE]);
const char *cli_command_name(enum cli_command command);
/* "FILE", "DEST", or NULL. */
const char *cli_command_argument(enum cli_command command);
const char *cli_command_help(enum cli_command command);

enum cli_parsed { CLI_RUN, CLI_SHOW_HELP, CLI_SHOW_VERSION, CLI_USAGE };
#define CLI_ERROR_SIZE 512

/* Reads argv and the environment. After CLI_SHOW_HELP and CLI_USAGE out->command says whose help is meant (CLI_NO_COMMAND: all
 * of it). */
enum cli_parsed cli_options_parse(int argc, char *const *argv, struct cli_options *out, char error[CLI_ERROR_SIZE]);

/* True when the option was given, on the command line or in the environment. */
bool cli_given(const struct cli_options *o, const char *name);
bool cli_given_on_command_line(const struct cli_options *o, const char *name);

/* The rate limits that hold (serve): what was given, else none on a loopback address and the defaults elsewhere. */
void cli_rate_limits(const struct cli_options *o, int64_t out[HTTP_LIMITS]);

/* Sets the option of a row in the struct that its offset is of; `called` is how the person called it (--hold-seconds,
 * JARI_HOLD_SECONDS). */
bool cli_option_set(void *options, const struct cli_option *row, const char *called, const char *value,
                    char error[CLI_ERROR_SIZE]);

/* Sets the option of a row that stands at argv[*at]: from behind its `equals` sign, or (NULL: there is none) from the next argument, which is
 * then taken too. */
bool cli_option_take(void *options, const struct cli_option *row, const char *equals, int argc, char *const *argv, int *at,
                     char error[CLI_ERROR_SIZE]);

/* Writes the help of everything, or of one command. */
void cli_help(FILE *out, enum cli_command command);
/* Pieces of it, for `jari bench`, which has a table of its own: a name with its explanation; an option with its facts. */
void cli_help_entry(FILE *out, const char *left, const char *words);
void cli_help_option(FILE *out, const struct cli_option *row, const char *environment);

/* The same words for the manual page (src/cli/man), so that it says what the help says: lines that end with a line feed, except the
 * purpose, which is a piece of a sentence. */
enum cli_help_part { CLI_HELP_PURPOSE, CLI_HELP_RULES, CLI_HELP_EXAMPLES };
const char *cli_help_part(enum cli_help_part part);
/* What a command does, in paragraphs with an empty line between; and how it is used, a line each, indented by two. */
const char *cli_command_story(enum cli_command command);
const char *cli_command_examples(enum cli_command command);

#endif
