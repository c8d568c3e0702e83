/* options.c: the table of options, and reading them. */
#include "cli/options.h"
#include "base/limits.h"
#include "base/text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define QUOTED(x) #x
#define NUMBER(macro) QUOTED(macro)
#define AT(member) offsetof(struct cli_options, member)
#define SERVE (1u << CLI_SERVE)
#define MIGRATE (1u << CLI_MIGRATE)
#define COPY (1u << CLI_COPY)
#define ALL_BUT_COPY (((1u << CLI_COMMANDS) - 1) & ~COPY)

static const struct cli_option table[] = {
    {"listen", CLI_TYPE_TEXT, AT(listen), "ADDR:PORT", "127.0.0.1:8080", 0, 0, SERVE, false,
     "Where to listen: a numeric address or localhost. Port 0: any free one."},
    {"store", CLI_TYPE_TEXT, AT(store), "URL", "sqlite:data/jari.db", 0, 0, ALL_BUT_COPY, false,
     "Where everything is kept: sqlite:PATH, or postgresql://USER@HOST:PORT/DATABASE, which several servers may share. To try things out, with "
     "serve alone, memory: keeps everything in memory alone; it is gone when the server ends."},
    {"from", CLI_TYPE_TEXT, AT(from), "URL", NULL, 0, 0, COPY, false,
     "The store that is moved: sqlite:PATH or postgresql://USER@HOST:PORT/DATABASE. It is only read. No server may have it open."},
    {"to", CLI_TYPE_TEXT, AT(to), "URL", NULL, 0, 0, COPY, false,
     "The store that it is moved to. It must be new, or as empty as jari migrate leaves it."},
    {"demo", CLI_TYPE_BOOL, AT(demo), NULL, "no", 0, 0, SERVE, false,
     "Load a demo catalogue into a store without concerts and queues."},
    {"hold-seconds", CLI_TYPE_INT, AT(hold_seconds), "N", NUMBER(JARI_HOLD_SECONDS_DEFAULT), 1, JARI_SECONDS_MAX, SERVE, false,
     "How long seats are held for their buyer to pay."},
    {"active-seconds", CLI_TYPE_INT, AT(active_seconds), "N", NUMBER(JARI_ACTIVE_SECONDS_DEFAULT), 1, JARI_SECONDS_MAX, SERVE,
     false, "How long an admitted buyer may book."},
    {"waiting-idle", CLI_TYPE_INT, AT(waiting_idle), "N", NUMBER(JARI_WAITING_IDLE_SECONDS_DEFAULT), 1, JARI_SECONDS_MAX, SERVE,
     false, "Seconds after which one who waits and has not asked is passed over until asking again."},
    {"waiting-grace", CLI_TYPE_INT, AT(waiting_grace), "N", NUMBER(JARI_WAITING_GRACE_SECONDS_DEFAULT), 1, JARI_SECONDS_MAX,
     SERVE, false, "Seconds for which the place of one who was passed over is kept."},
    {"poll-budget", CLI_TYPE_INT, AT(poll_budget), "N", NUMBER(JARI_POLL_BUDGET_DEFAULT), 1, JARI_POLL_BUDGET_MAX, SERVE, false,
     "Requests a second that all who wait in a queue are asked to keep to when they look after their place."},
    {"queue-capacity", CLI_TYPE_INT, AT(queue_capacity), "N", NUMBER(JARI_QUEUE_CAPACITY_DEFAULT), 1, JARI_QUEUE_CAPACITY_MAX,
     SERVE | MIGRATE, false,
     "How many may be active at once in the default queue, when the store is new. Later: PATCH /api/admin/queues/1."},
    {"seats-per-user", CLI_TYPE_INT, AT(seats_per_user), "N", NUMBER(JARI_SEATS_PER_USER_DEFAULT), 1, JARI_SEATS_PER_USER_MAX,
     SERVE, false, "How many seats of a show one person may have, held and paid together."},
    {"admin-key-file", CLI_TYPE_TEXT, AT(admin_key_file), "FILE", NULL, 0, 0, SERVE, false,
     "The file with the organiser's key. Without it, one is made beside the store at the first start."},
    {"token-key-file", CLI_TYPE_TEXT, AT(token_key_file), "FILE", NULL, 0, 0, SERVE, false,
     "The file with the key of the buyers' tokens, 64 hex digits. Without it, one is made beside the store at the first start."},
    {"threads", CLI_TYPE_INT, AT(threads), "N", NULL, 1, JARI_THREADS_MAX, SERVE, false,
     "How many threads answer requests. Without it: one for each processor."},
    {"request-timeout", CLI_TYPE_INT, AT(request_timeout), "N", NUMBER(JARI_REQUEST_SECONDS_DEFAULT), 1, JARI_REQUEST_SECONDS_MAX,
     SERVE, false, "Seconds within which a whole request must arrive, from its first byte; then the connection is closed."},
    {"max-connections", CLI_TYPE_INT, AT(max_connections), "N", NULL, 1, JARI_CONNECTIONS_MAX, SERVE, false,
     "How many connections may be open. Without it: 200000, or what the limit on open files leaves."},
    {"max-connections-per-address", CLI_TYPE_INT, AT(max_connections_each), "N", NUMBER(JARI_CONNECTIONS_EACH_DEFAULT), 0,
     JARI_CONNECTIONS_MAX, SERVE, false,
     "How many of them from one address (IPv6: from one /64); 0: any number. This machine's own and trusted proxies' are not counted."},
    {"command-wait", CLI_TYPE_INT, AT(command_wait), "MS", NUMBER(JARI_COMMAND_WAIT_MS_DEFAULT), 1, JARI_COMMAND_WAIT_MS_MAX,
     SERVE, false,
     "Milliseconds that a request may wait for its turn to be decided; who would wait longer is told to come back: 503."},
    {"drain-seconds", CLI_TYPE_INT, AT(drain_seconds), "N", "0", 0, JARI_DRAIN_SECONDS_MAX, SERVE, false,
     "After SIGTERM: for how long /readyz says 503 and all else is served, so that a proxy turns elsewhere first."},
    {"tls-cert", CLI_TYPE_TEXT, AT(tls_cert), "FILE", NULL, 0, 0, SERVE, false,
     "Speak TLS, with this certificate and its chain (PEM). SIGHUP reads it and its key again."},
    {"tls-key", CLI_TYPE_TEXT, AT(tls_key), "FILE", NULL, 0, 0, SERVE, false, "The key of --tls-cert (PEM, without a password)."},
    {"rate-address", CLI_TYPE_INT, AT(rate_address), "N", NULL, 0, JARI_RATE_MAX, SERVE, false,
     "Requests a minute from one address, which may come all at once; polls with a good token aside. 0: no limit. Without it: none where --listen is "
     "this machine's alone, else " NUMBER(JARI_RATE_ADDRESS_DEFAULT) "."},
    {"rate-tokens", CLI_TYPE_INT, AT(rate_tokens), "N", NULL, 0, JARI_RATE_MAX, SERVE, false,
     "Places in line asked for in a minute from one address. 0: no limit. Without it: none or " NUMBER(
	 JARI_RATE_TOKENS_DEFAULT) ", as for --rate-address."},
    {"rate-user", CLI_TYPE_INT, AT(rate_user), "N", NULL, 0, JARI_RATE_MAX, SERVE, false,
     "Requests a minute with one user's tokens. 0: no limit. Without it: none or " NUMBER(
	 JARI_RATE_USER_DEFAULT) ", as for --rate-address."},
    {"trusted-proxy", CLI_TYPE_TEXT, AT(trusted_proxy), "CIDRS", NULL, 0, 0, SERVE, false,
     "Addresses of your proxies, such as 10.0.0.0/8,2001:db8::1. From them alone X-Forwarded-For and Forwarded are believed. At most " NUMBER(
	 JARI_TRUSTED_PROXIES_MAX) " networks."},
    {"frame-ancestors", CLI_TYPE_TEXT, AT(frame_ancestors), "ORIGINS", NULL, 0, 0, SERVE, false,
     "Sites that may show the pages in a frame of theirs, such as 'https://tickets.example https://example.org'. At most " NUMBER(
	 JARI_FRAME_ANCESTORS_MAX) " characters. Without it: none."},
    {"open-accounts", CLI_TYPE_BOOL, AT(open_accounts), NULL, "no", 0, 0, SERVE, false,
     "Allow an address that other machines can reach, although a name alone opens an account."},
    {"auth", CLI_TYPE_TEXT, AT(auth), "HOW", "name", 0, 0, SERVE, false,
     "How buyers say who they are: name (anyone may say any), or jwt (a signed token of your sign-in)."},
    {"jwks", CLI_TYPE_TEXT, AT(jwks), "FILE", NULL, 0, 0, SERVE, false,
     "With --auth jwt: the sign-in's public keys, a JSON Web Key Set. A change of the file is noticed within a second."},
    {"jwt-issuer", CLI_TYPE_TEXT, AT(jwt_issuer), "NAME", NULL, 0, 0, SERVE, false,
     "With --auth jwt: what the tokens must have as iss, such as https://login.example."},
    {"jwt-audience", CLI_TYPE_TEXT, AT(jwt_audience), "NAME", NULL, 0, 0, SERVE, false,
     "With --auth jwt: what the tokens must have as aud, the name of this site at the sign-in."},
    {"change-auth", CLI_TYPE_BOOL, AT(change_auth), NULL, "no", 0, 0, SERVE, false,
     "Let accounts that were opened with another --auth or --jwt-issuer be those of who has the same name now. Say it once."},
    {"admin-key", CLI_TYPE_TEXT, AT(admin_key), "KEY", NULL, 0, 0, SERVE, true,
     "The organiser's key itself, 16 visible characters or more."},
    {"token-key", CLI_TYPE_TEXT, AT(token_key), "KEY", NULL, 0, 0, SERVE, true,
     "The key of the buyers' tokens itself, 64 hex digits."},
};
#define COUNT (sizeof(table) / sizeof(table[0]))
_Static_assert(COUNT <= 64, "on_command_line has a bit for each option");
_Static_assert(JARI_CONNECTIONS_DEFAULT == 200000, "the help of --max-connections names it");

static const struct {
	const char *name, *argument, *help;
} commands[] = {
    [CLI_SERVE] = {"serve", NULL, "Run the server."},
    [CLI_IMPORT] = {"import", "FILE", "Add queues, concerts, shows and seats from a catalogue file; - reads standard input."},
    [CLI_AUDIT] = {"audit", NULL, "Check every invariant over the whole store, also while a server runs."},
    [CLI_BACKUP] = {"backup", "DEST", "Copy the store into a new file, also while a server runs."},
    [CLI_COPY] = {"copy", NULL, "Move all that a store keeps into another one, such as from SQLite to PostgreSQL."},
    [CLI_MIGRATE] = {"migrate", NULL, "Make the store's schema, or bring it up to date."},
};

const struct cli_option *cli_option_table(size_t *count)
{
	*count = COUNT;
	return table;
}

void cli_env_name(const char *option, char out[CLI_ENV_NAME_SIZE])
{
	size_t n = 0;

	for (const char *p = "JARI_"; *p != '\0'; p++)
		out[n++] = *p;
	for (const char *p = option; *p != '\0' && n + 1 < CLI_ENV_NAME_SIZE; p++)
		out[n++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	out[n] = '\0';
}

const char *cli_command_name(enum cli_command command)
{
	return commands[command].name;
}

const char *cli_command_argument(enum cli_command command)
{
	return commands[command].argument;
}

const char *cli_command_help(enum cli_command command)
{
	return commands[command].help;
}

static bool has_bit(uint64_t bits, const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(table[i].name, name) == 0)
			return (bits >> i & 1) != 0;
	return false;
}

bool cli_given(const struct cli_options *o, const char *name)
{
	return has_bit(o->on_command_line | o->in_environment, name);
}

bool cli_given_on_command_line(const struct cli_options *o, const char *name)
{
	return has_bit(o->on_command_line, name);
}

static bool read_bool(const char *value, bool *out)
{
	static const char *const yes[] = {"1", "true", "yes", "on"}, *const no[] = {"0", "false", "no", "off"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (strcasecmp(value, yes[i]) == 0 || strcasecmp(value, no[i]) == 0) {
			*out = strcasecmp(value, yes[i]) == 0;
			return true;
		}
	return false;
}

bool cli_option_set(void *options, const struct cli_option *row, const char *called, const char *value,
                    char error[CLI_ERROR_SIZE])
{
	void *at = (char *)options + row->offset;

	switch (row->type) {
	case CLI_TYPE_TEXT:
		if (value[0] == '\0') {
			(void)snprintf(error, CLI_ERROR_SIZE, "%s needs a value, not an empty one", called);
			return false;
		}
		*(const char **)at = value;
		return true;
	case CLI_TYPE_INT:
		if (!text_to_int(text_of(value), row->lo, row->hi, (int64_t *)at)) {
			(void)snprintf(error, CLI_ERROR_SIZE, "%s needs a whole number from %lld to %lld, not '%.100s'", called,
			               (long long)row->lo, (long long)row->hi, value);
			return false;
		}
		return true;
	case CLI_TYPE_BOOL:
		if (!read_bool(value, at)) {
			(void)snprintf(error, CLI_ERROR_SIZE, "%s needs 1, true, yes, on or 0, false, no, off, not '%.100s'",
			               called, value);
			return false;
		}
		return true;
	}
	return false;
}

static bool set_defaults(struct cli_options *o, char error[CLI_ERROR_SIZE])
{
	for (size_t i = 0; i < COUNT; i++)
		if (table[i].initial != NULL && !cli_option_set(o, &table[i], table[i].name, table[i].initial, error))
			return false;
	return true;
}

static bool set_from_environment(struct cli_options *o, char error[CLI_ERROR_SIZE])
{
	char name[CLI_ENV_NAME_SIZE];

	for (size_t i = 0; i < COUNT; i++) {
		const char *value;

		if ((table[i].commands >> o->command & 1) == 0 || (o->on_command_line >> i & 1) != 0)
			continue;
		cli_env_name(table[i].name, name);
		value = getenv(name);
		if (value == NULL || value[0] == '\0')
			continue;
		if (!cli_option_set(o, &table[i], name, value, error))
			return false;
		o->in_environment |= UINT64_C(1) << i;
	}
	return true;
}

/* How many single-character changes lead from a to b, or `limit` when it is that many or more. */
static size_t edits(const char *a, const char *b, size_t limit)
{
	size_t row[64], n = strlen(b);

	if (n >= sizeof(row) / sizeof(row[0]) || strlen(a) >= 64)
		return limit;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n] < limit ? row[n] : limit;
}

/* Says that there is no such option, and what was perhaps meant. */
static void unknown_option(const struct cli_options *o, struct text name, char error[CLI_ERROR_SIZE])
{
	char typed[64];
	const char *near = NULL;
	size_t best = 4;

	(void)snprintf(typed, sizeof(typed), "%.*s", (int)(name.n < 63 ? name.n : 63), name.p);
	for (size_t i = 0; i < COUNT; i++) {
		size_t d = edits(typed, table[i].name, best);

		if (d < best && !table[i].secret && (table[i].commands >> o->command & 1) != 0) {
			best = d;
			near = table[i].name;
		}
	}
	if (near != NULL)
		(void)snprintf(error, CLI_ERROR_SIZE, "unknown option '--%s'; did you mean '--%s'?", typed, near);
	else
		(void)snprintf(error, CLI_ERROR_SIZE, "unknown option '--%s'", typed);
}

/* The row of a name that this command takes, or NULL with an error. */
static const struct cli_option *find(const struct cli_options *o, struct text name, char error[CLI_ERROR_SIZE])
{
	char env[CLI_ENV_NAME_SIZE];

	for (size_t i = 0; i < COUNT; i++) {
		const struct cli_option *row = &table[i];

		if (!text_equal(text_of(row->name), name))
			continue;
		if (row->secret) {
			cli_env_name(row->name, env);
			(void)snprintf(error, CLI_ERROR_SIZE,
			               "a key does not belong on the command line, where others can read it; use --%s-file or %s",
			               row->name, env);
			return NULL;
		}
		if ((row->commands >> o->command & 1) == 0) {
			(void)snprintf(error, CLI_ERROR_SIZE, "'--%s' is an option of 'jari %s', not of 'jari %s'", row->name,
			               commands[__builtin_ctz(row->commands)].name, commands[o->command].name);
			return NULL;
		}
		return row;
	}
	unknown_option(o, name, error);
	return NULL;
}

bool cli_option_take(void *options, const struct cli_option *row, const char *equals, int argc, char *const *argv, int *at,
                     char error[CLI_ERROR_SIZE])
{
	char called[CLI_ENV_NAME_SIZE];
	const char *value;

	(void)snprintf(called, sizeof(called), "--%s", row->name);
	if (equals != NULL) {
		value = equals + 1;
	} else if (row->type == CLI_TYPE_BOOL) {
		value = "yes";
	} else if (*at + 1 < argc) {
		value = argv[++*at];
	} else {
		(void)snprintf(error, CLI_ERROR_SIZE, "%s needs a value: %s %s", called, called, row->value);
		return false;
	}
	return cli_option_set(options, row, called, value, error);
}

/* Reads the option at argv[*at], and moves *at to its last word. */
static bool read_option(int argc, char *const *argv, int *at, struct cli_options *o, char error[CLI_ERROR_SIZE])
{
	const char *word = argv[*at], *equals = strchr(word, '=');
	struct text name = {word + 2, equals != NULL ? (size_t)(equals - word - 2) : strlen(word + 2)};
	const struct cli_option *row;

	if (word[1] != '-') {
		(void)snprintf(error, CLI_ERROR_SIZE, "unknown option '%.100s'", word);
		return false;
	}
	row = find(o, name, error);
	if (row == NULL)
		return false;
	o->on_command_line |= UINT64_C(1) << (row - table);
	return cli_option_take(o, row, equals, argc, argv, at, error);
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool is_version(const char *word)
{
	return strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

/* Reads what comes after the command. */
static enum cli_parsed read_words(int argc, char *const *argv, struct cli_options *o, char error[CLI_ERROR_SIZE])
{
	bool options_end = false;

	for (int i = 2; i < argc; i++) {
		const char *word = argv[i];

		if (!options_end && strcmp(word, "--") == 0) {
			options_end = true;
		} else if (!options_end && is_help(word)) {
			return CLI_SHOW_HELP;
		} else if (!options_end && is_version(word)) {
			return CLI_SHOW_VERSION;
		} else if (!options_end && word[0] == '-' && word[1] != '\0') {
			if (!read_option(argc, argv, &i, o, error))
				return CLI_USAGE;
		} else if (commands[o->command].argument == NULL || o->argument != NULL || word[0] == '\0') {
			(void)snprintf(error, CLI_ERROR_SIZE, "unexpected argument '%.100s'", word);
			return CLI_USAGE;
		} else {
			o->argument = word;
		}
	}
	return CLI_RUN;
}

/* What the person called an option that has been given. */
static void called_name(const struct cli_options *o, const char *name, char out[CLI_ENV_NAME_SIZE])
{
	if (cli_given(o, name) && !cli_given_on_command_line(o, name))
		cli_env_name(name, out);
	else
		(void)snprintf(out, CLI_ENV_NAME_SIZE, "--%s", name);
}

/* Servers that share a store must share its keys, or one would not know the other's tokens; and a database has no file that keys could lie beside. */
static bool check_shared(const struct cli_options *o, const char *called, char error[CLI_ERROR_SIZE])
{
	const char *missing = o->admin_key == NULL && o->admin_key_file == NULL
	                          ? "the organiser's key: --admin-key-file or JARI_ADMIN_KEY"
	                      : o->token_key == NULL && o->token_key_file == NULL
	                          ? "the key of the buyers' tokens: --token-key-file or JARI_TOKEN_KEY"
	                          : NULL;

	if (o->command == CLI_BACKUP)
		(void)snprintf(
		    error, CLI_ERROR_SIZE,
		    "%s: a store in PostgreSQL is backed up with PostgreSQL's own tools, pg_dump --format=custom or pg_basebackup",
		    called);
	else if (o->command == CLI_SERVE && missing != NULL)
		(void)snprintf(error, CLI_ERROR_SIZE,
		               "%s: every server on a store in PostgreSQL must be given the same keys; missing is %s", called,
		               missing);
	else
		return true;
	return false;
}

static bool check_url(const struct cli_options *o, const char *name, const char *value, char error[CLI_ERROR_SIZE])
{
	char called[CLI_ENV_NAME_SIZE];
	struct text url = text_of(value);

	called_name(o, name, called);
	if (text_starts(url, TEXT("postgresql:")) || text_starts(url, TEXT("postgres:")))
		return check_shared(o, called, error);
	if (text_equal(url, TEXT("memory:"))) {
		if (o->command == CLI_SERVE)
			return true;
		(void)snprintf(error, CLI_ERROR_SIZE,
		               "%s: memory: ends with its server, so 'jari %s' has nothing to work on; give sqlite:PATH", called,
		               commands[o->command].name);
		return false;
	}
	if (!text_starts(url, TEXT("sqlite:")) || url.n == strlen("sqlite:")) {
		(void)snprintf(error, CLI_ERROR_SIZE,
		               "%s needs sqlite:PATH, such as sqlite:data/jari.db, or postgresql://…, not '%.200s'", called,
		               value);
		return false;
	}
	return true;
}

static bool check_store(const struct cli_options *o, char error[CLI_ERROR_SIZE])
{
	if (o->command != CLI_COPY)
		return check_url(o, "store", o->store, error);
	if (o->from == NULL || o->to == NULL) {
		(void)snprintf(error, CLI_ERROR_SIZE, "an option is missing: jari copy --from URL --to URL");
		return false;
	}
	return check_url(o, "from", o->from, error) && check_url(o, "to", o->to, error);
}

static bool signs_in(const struct cli_options *o)
{
	return strcmp(o->auth, "jwt") == 0;
}

/* Who thinks that buyers sign in must not be mistaken: what is of no use without --auth jwt is refused without it. */
static bool check_auth(const struct cli_options *o, char error[CLI_ERROR_SIZE])
{
	const struct {
		const char *name, *value, *what;
	} needs[] = {{"jwks", o->jwks, "the sign-in's public keys: --jwks FILE"},
	             {"jwt-issuer", o->jwt_issuer, "who issues the tokens: --jwt-issuer NAME"},
	             {"jwt-audience", o->jwt_audience, "whom they are made for: --jwt-audience NAME"}};
	char called[CLI_ENV_NAME_SIZE];

	if (o->command != CLI_SERVE)
		return true;
	called_name(o, "auth", called);
	if (!signs_in(o) && strcmp(o->auth, "name") != 0) {
		(void)snprintf(error, CLI_ERROR_SIZE, "%s needs name or jwt, not '%.100s'", called, o->auth);
		return false;
	}
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		if ((needs[i].value != NULL) == signs_in(o))
			continue;
		if (needs[i].value == NULL) {
			(void)snprintf(error, CLI_ERROR_SIZE, "%s jwt also needs %s", called, needs[i].what);
		} else {
			called_name(o, needs[i].name, called);
			(void)snprintf(error, CLI_ERROR_SIZE, "%s is of no use without --auth jwt", called);
		}
		return false;
	}
	return true;
}

static bool check_listen(struct cli_options *o, char error[CLI_ERROR_SIZE])
{
	char called[CLI_ENV_NAME_SIZE], why[CLI_ERROR_SIZE - CLI_ENV_NAME_SIZE - 8];

	if (o->command != CLI_SERVE)
		return true;
	called_name(o, "listen", called);
	if (!cli_listen_parse(o->listen, &o->listen_at, why, sizeof(why))) {
		(void)snprintf(error, CLI_ERROR_SIZE, "%s %s", called, why);
		return false;
	}
	if (!o->listen_at.loopback && !o->open_accounts && !signs_in(o)) {
		(void)snprintf(
		    error, CLI_ERROR_SIZE,
		    "%s %.100s can be reached from other machines, and a name alone opens an account here; let buyers sign in "
		    "(--auth jwt), put a site with a sign-in of its own before it, or say --open-accounts",
		    called, o->listen);
		return false;
	}
	return true;
}

static bool check_tls(const struct cli_options *o, char error[CLI_ERROR_SIZE])
{
	bool cert = o->tls_cert != NULL, key = o->tls_key != NULL;
	char called[CLI_ENV_NAME_SIZE];

	if (o->command != CLI_SERVE || cert == key)
		return true;
	called_name(o, cert ? "tls-cert" : "tls-key", called);
	(void)snprintf(error, CLI_ERROR_SIZE, "%s also needs %s", called,
	               cert ? "its key: --tls-key FILE" : "its certificate: --tls-cert FILE");
	return false;
}

static bool check_proxies(struct cli_options *o, char error[CLI_ERROR_SIZE])
{
	char called[CLI_ENV_NAME_SIZE];
	struct text wrong;

	if (o->trusted_proxy == NULL || o->command != CLI_SERVE ||
	    http_proxies_parse(text_of(o->trusted_proxy), &o->proxies, &wrong))
		return true;
	called_name(o, "trusted-proxy", called);
	if (o->proxies.count == JARI_TRUSTED_PROXIES_MAX && wrong.n == 0)
		(void)snprintf(error, CLI_ERROR_SIZE, "%s takes at most %d networks", called, JARI_TRUSTED_PROXIES_MAX);
	else
		(void)snprintf(
		    error, CLI_ERROR_SIZE,
		    "%s needs addresses or networks such as 10.0.0.0/8,2001:db8::1, with nothing behind the prefix, not '%.*s'",
		    called, (int)(wrong.n < 100 ? wrong.n : 100), wrong.n > 0 ? wrong.p : "");
	return false;
}

void cli_rate_limits(const struct cli_options *o, int64_t out[HTTP_LIMITS])
{
	bool here = o->listen_at.loopback;

	out[HTTP_LIMIT_ADDRESS] = here ? 0 : JARI_RATE_ADDRESS_DEFAULT;
	out[HTTP_LIMIT_TOKENS] = here ? 0 : JARI_RATE_TOKENS_DEFAULT;
	out[HTTP_LIMIT_USER] = here ? 0 : JARI_RATE_USER_DEFAULT;
	if (cli_given(o, "rate-address"))
		out[HTTP_LIMIT_ADDRESS] = o->rate_address;
	if (cli_given(o, "rate-tokens"))
		out[HTTP_LIMIT_TOKENS] = o->rate_tokens;
	if (cli_given(o, "rate-user"))
		out[HTTP_LIMIT_USER] = o->rate_user;
}

static bool is_host_char(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
}

/* "https://tickets.example:8443"; no path, and nothing that could end the policy it is put into. */
static bool is_origin(struct text t)
{
	struct text https = TEXT("https://"), http = TEXT("http://");
	size_t from = text_starts(t, https) ? https.n : text_starts(t, http) ? http.n : 0;

	for (size_t i = from; from > 0 && i < t.n; i++)
		if (!is_host_char(t.p[i]))
			return false;
	return from > 0 && t.n > from;
}

static bool check_frames(const struct cli_options *o, char error[CLI_ERROR_SIZE])
{
	char called[CLI_ENV_NAME_SIZE];
	bool good = true;

	if (o->frame_ancestors == NULL || o->command != CLI_SERVE)
		return true;
	for (const char *p = o->frame_ancestors; good && *p != '\0'; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		good = n == 0 || is_origin((struct text){p, n});
		p += n;
	}
	called_name(o, "frame-ancestors", called);
	if (strlen(o->frame_ancestors) > JARI_FRAME_ANCESTORS_MAX)
		(void)snprintf(error, CLI_ERROR_SIZE, "%s takes at most %d characters", called, JARI_FRAME_ANCESTORS_MAX);
	else if (!good)
		(void)snprintf(
		    error, CLI_ERROR_SIZE,
		    "%s needs origins such as https://tickets.example, without a path, with spaces between them, not '%.200s'",
		    called, o->frame_ancestors);
	else
		return true;
	return false;
}

/* The command that argv[1] names. */
static enum cli_parsed read_command(int argc, char *const *argv, struct cli_options *o, char error[CLI_ERROR_SIZE])
{
	const char *word = argc > 1 ? argv[1] : NULL;
	bool help = word != NULL && strcmp(word, "help") == 0;

	if (word == NULL) {
		(void)snprintf(error, CLI_ERROR_SIZE,
		               "a command is missing: serve, import, audit, backup, copy, migrate or bench");
		return CLI_USAGE;
	}
	if (is_help(word) || (help && argc == 2))
		return CLI_SHOW_HELP;
	if (is_version(word))
		return CLI_SHOW_VERSION;
	if (help)
		word = argv[2];
	for (int i = 0; i < CLI_COMMANDS; i++)
		if (strcmp(word, commands[i].name) == 0) {
			o->command = (enum cli_command)i;
			return help ? CLI_SHOW_HELP : CLI_RUN;
		}
	if (word[0] == '-')
		(void)snprintf(error, CLI_ERROR_SIZE, "the command comes first: jari serve %.100s", word);
	else
		(void)snprintf(error, CLI_ERROR_SIZE,
		               "unknown command '%.100s'; there are serve, import, audit, backup, copy, migrate and bench", word);
	return CLI_USAGE;
}

enum cli_parsed cli_options_parse(int argc, char *const *argv, struct cli_options *out, char error[CLI_ERROR_SIZE])
{
	enum cli_parsed parsed;

	*out = (struct cli_options){.command = CLI_NO_COMMAND};
	error[0] = '\0';
	if (!set_defaults(out, error))
		return CLI_USAGE;
	parsed = read_command(argc, argv, out, error);
	if (parsed == CLI_RUN)
		parsed = read_words(argc, argv, out, error);
	if (parsed != CLI_RUN)
		return parsed;
	if (!set_from_environment(out, error))
		return CLI_USAGE;
	if (commands[out->command].argument != NULL && out->argument == NULL) {
		(void)snprintf(error, CLI_ERROR_SIZE, "an argument is missing: jari %s %s", commands[out->command].name,
		               commands[out->command].argument);
		return CLI_USAGE;
	}
	return check_store(out, error) && check_auth(out, error) && check_listen(out, error) && check_tls(out, error) &&
	               check_proxies(out, error) && check_frames(out, error)
	           ? CLI_RUN
	           : CLI_USAGE;
}
