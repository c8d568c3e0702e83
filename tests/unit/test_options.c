/* test_options.c: what the command line and the environment come to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "cli/options.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16

struct outcome {
	enum cli_parsed parsed;
	struct cli_options options;
	char error[CLI_ERROR_SIZE];
	char *argv[WORDS_MAX];
	char words[1024];
};

/* Parses a command line written with spaces between its words, as `jari` would get it. */
static struct outcome *parse(const char *line)
{
	static struct outcome o;
	int argc = 0;

	memset(&o, 0, sizeof(o));
	(void)snprintf(o.words, sizeof(o.words), "jari %s", line);
	for (char *rest = o.words, *word = strsep(&rest, " "); word != NULL && argc < WORDS_MAX - 1; word = strsep(&rest, " "))
		if (word[0] != '\0')
			o.argv[argc++] = word;
	o.parsed = cli_options_parse(argc, o.argv, &o.options, o.error);
	return &o;
}

static int clear_environment(void **state)
{
	size_t n;
	const struct cli_option *table = cli_option_table(&n);
	char name[CLI_ENV_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		cli_env_name(table[i].name, name);
		if (unsetenv(name) != 0)
			return -1;
	}
	return 0;
}

static void refused(const char *line, const char *with)
{
	struct outcome *o = parse(line);

	if (o->parsed != CLI_USAGE || strstr(o->error, with) == NULL)
		fail_msg("'jari %s': expected a refusal with \"%s\", got %d \"%s\"", line, with, (int)o->parsed, o->error);
	assert_null(strchr(o->error, '\n'));
}

static void runs(const char *line, enum cli_command command)
{
	struct outcome *o = parse(line);

	if (o->parsed != CLI_RUN || o->options.command != command)
		fail_msg("'jari %s': expected to run, got %d \"%s\"", line, (int)o->parsed, o->error);
}

static void defaults_are_the_contract(void **state)
{
	const struct cli_options *o = &parse("serve")->options;

	(void)state;
	runs("serve", CLI_SERVE);
	assert_string_equal(o->listen, "127.0.0.1:8080");
	assert_string_equal(o->store, "sqlite:data/jari.db");
	assert_int_equal(o->hold_seconds, 300);
	assert_int_equal(o->active_seconds, 600);
	assert_int_equal(o->queue_capacity, 100);
	assert_int_equal(o->seats_per_user, 4);
	assert_int_equal(o->threads, 0);
	assert_false(o->demo);
	assert_false(o->open_accounts);
	assert_null(o->admin_key_file);
	assert_null(o->token_key_file);
	assert_null(o->admin_key);
	assert_int_equal(o->listen_at.port, 8080);
	assert_false(cli_given(o, "store"));
}

static void both_ways_of_writing(void **state)
{
	const struct cli_options *o =
	    &parse("serve --hold-seconds 7 --active-seconds=8 --demo --open-accounts=no --store=sqlite:a=b.db")->options;

	(void)state;
	assert_int_equal(o->hold_seconds, 7);
	assert_int_equal(o->active_seconds, 8);
	assert_true(o->demo);
	assert_false(o->open_accounts);
	assert_string_equal(o->store, "sqlite:a=b.db");
	assert_true(cli_given_on_command_line(o, "store"));
	assert_int_equal(parse("serve --threads 2 --threads 3")->options.threads, 3); /* the last one counts */
}

static void the_command_line_wins(void **state)
{
	(void)state;
	assert_int_equal(setenv("JARI_HOLD_SECONDS", "11", 1), 0);
	assert_int_equal(setenv("JARI_STORE", "sqlite:env.db", 1), 0);
	assert_int_equal(setenv("JARI_DEMO", "on", 1), 0);
	assert_int_equal(setenv("JARI_ADMIN_KEY", "0123456789abcdef", 1), 0);
	assert_int_equal(setenv("JARI_THREADS", "", 1), 0); /* set to nothing: not set */

	assert_int_equal(parse("serve")->options.hold_seconds, 11);
	assert_true(parse("serve")->options.demo);
	assert_string_equal(parse("serve")->options.store, "sqlite:env.db");
	assert_true(cli_given(&parse("serve")->options, "store"));
	assert_false(cli_given_on_command_line(&parse("serve")->options, "store"));
	assert_string_equal(parse("serve")->options.admin_key, "0123456789abcdef");
	assert_int_equal(parse("serve")->options.threads, 0);

	assert_int_equal(parse("serve --hold-seconds 12 --demo=off")->options.hold_seconds, 12);
	assert_false(parse("serve --hold-seconds 12 --demo=off")->options.demo);
}

static void a_bad_environment_is_refused_by_its_name(void **state)
{
	(void)state;
	assert_int_equal(setenv("JARI_HOLD_SECONDS", "soon", 1), 0);
	refused("serve", "JARI_HOLD_SECONDS needs a whole number from 1 to 86400, not 'soon'");
	runs("serve --hold-seconds 5", CLI_SERVE); /* what is overridden does not matter */
	runs("audit", CLI_AUDIT);                  /* nor what the command does not take */
	assert_int_equal(parse("serve --help")->parsed, CLI_SHOW_HELP);
	assert_int_equal(unsetenv("JARI_HOLD_SECONDS"), 0);
	assert_int_equal(setenv("JARI_LISTEN", "nowhere", 1), 0);
	refused("serve", "JARI_LISTEN needs");
}

static void frames_are_named_by_origins(void **state)
{
	(void)state;
	assert_null(parse("serve")->options.frame_ancestors);
	runs("serve --frame-ancestors https://tickets.example", CLI_SERVE);
	assert_int_equal(setenv("JARI_FRAME_ANCESTORS", "https://tickets.example  http://[::1]:8000 ", 1), 0);
	runs("serve", CLI_SERVE);
	assert_int_equal(setenv("JARI_FRAME_ANCESTORS", "https://tickets.example; script-src *", 1), 0);
	refused("serve", "JARI_FRAME_ANCESTORS needs origins");
	runs("audit", CLI_AUDIT);
	assert_int_equal(unsetenv("JARI_FRAME_ANCESTORS"), 0);
	refused("serve --frame-ancestors https://", "--frame-ancestors needs origins");
	refused("serve --frame-ancestors *", "--frame-ancestors needs origins");
	refused("serve --frame-ancestors https://tickets.example/path", "--frame-ancestors needs origins");
	refused("serve --frame-ancestors https://a,https://b", "--frame-ancestors needs origins");
}

static void limits_are(const char *line, int64_t address, int64_t tokens, int64_t user)
{
	int64_t limits[HTTP_LIMITS];
	struct outcome *o = parse(line);
	if (o->parsed != CLI_RUN)
		fail_msg("'jari %s': %s", line, o->error);
	cli_rate_limits(&o->options, limits);
	assert_int_equal(limits[HTTP_LIMIT_ADDRESS], address);
	assert_int_equal(limits[HTTP_LIMIT_TOKENS], tokens);
	assert_int_equal(limits[HTTP_LIMIT_USER], user);
}

static void rate_limits_depend_on_the_address(void **state)
{
	(void)state;
	limits_are("serve", 0, 0, 0);
	limits_are("serve --listen [::1]:8080", 0, 0, 0);
	limits_are("serve --listen 127.3.2.1:8080 --rate-user 7", 0, 0, 7);
	limits_are("serve --listen 192.0.2.1:8080 --open-accounts", 30000, 3000, 600);
	limits_are("serve --listen [::]:8080 --open-accounts --rate-address=0 --rate-tokens=9", 0, 9, 600);
	assert_int_equal(setenv("JARI_RATE_ADDRESS", "6000000", 1), 0);
	limits_are("serve", JARI_RATE_MAX, 0, 0);
	limits_are("serve --rate-address 0", 0, 0, 0);
	assert_int_equal(unsetenv("JARI_RATE_ADDRESS"), 0);
	refused("serve --rate-address 6000001", "--rate-address needs a whole number from 0 to 6000000");
	refused("audit --rate-address 1", "'--rate-address' is an option of 'jari serve'");
}

static void proxies_are_named_by_networks(void **state)
{
	(void)state;
	assert_int_equal(parse("serve")->options.proxies.count, 0);
	assert_int_equal(parse("serve --trusted-proxy 10.0.0.0/8,::1")->options.proxies.count, 2);
	assert_int_equal(setenv("JARI_TRUSTED_PROXY", "10.0.0.0/8, 2001:db8::/32", 1), 0);
	assert_int_equal(parse("serve")->options.proxies.count, 2);
	assert_int_equal(setenv("JARI_TRUSTED_PROXY", "proxy.example", 1), 0);
	refused("serve", "JARI_TRUSTED_PROXY needs addresses or networks");
	runs("audit", CLI_AUDIT);
	assert_int_equal(unsetenv("JARI_TRUSTED_PROXY"), 0);
	refused("serve --trusted-proxy 10.0.0.0/8,nonsense,::1", "not 'nonsense'");
	refused("serve --trusted-proxy 10.0.0.1/8", "with nothing behind the prefix, not '10.0.0.1/8'");
	refused("serve --trusted-proxy 10.0.0.0/8,", "--trusted-proxy needs addresses");
}

static void booleans(void **state)
{
	static const struct {
		const char *value;
		int is; /* -1: refused */
	} cases[] = {{"1", 1},     {"true", 1}, {"yes", 1}, {"on", 1}, {"ON", 1}, {"0", 0},
	             {"false", 0}, {"no", 0},   {"off", 0}, {"2", -1}, {"y", -1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct outcome *o;

		assert_int_equal(setenv("JARI_DEMO", cases[i].value, 1), 0);
		o = parse("serve");
		assert_int_equal(o->parsed, cases[i].is < 0 ? CLI_USAGE : CLI_RUN);
		if (cases[i].is >= 0)
			assert_int_equal(o->options.demo, cases[i].is);
	}
}

/* Each number takes its bounds and nothing past them, and its default lies within. */
static void every_number_has_its_bounds(void **state)
{
	size_t n;
	const struct cli_option *table = cli_option_table(&n);
	char line[128], wrong[128];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		if (table[i].type != CLI_TYPE_INT)
			continue;
		(void)snprintf(wrong, sizeof(wrong), "--%s needs a whole number from %lld to %lld", table[i].name,
		               (long long)table[i].lo, (long long)table[i].hi);
		(void)snprintf(line, sizeof(line), "serve --%s %lld", table[i].name, (long long)table[i].lo);
		runs(line, CLI_SERVE);
		(void)snprintf(line, sizeof(line), "serve --%s %lld", table[i].name, (long long)table[i].hi);
		runs(line, CLI_SERVE);
		(void)snprintf(line, sizeof(line), "serve --%s %lld", table[i].name, (long long)table[i].lo - 1);
		refused(line, wrong);
		(void)snprintf(line, sizeof(line), "serve --%s %lld", table[i].name, (long long)table[i].hi + 1);
		refused(line, wrong);
		(void)snprintf(line, sizeof(line), "serve --%s 1.5", table[i].name);
		refused(line, wrong);
		(void)snprintf(line, sizeof(line), "serve --%s=", table[i].name);
		refused(line, wrong);
	}
}

static void refusals(void **state)
{
	static const struct {
		const char *line, *with;
	} cases[] = {
	    {"", "a command is missing"},
	    {"sell", "unknown command 'sell'"},
	    {"--store sqlite:x serve", "the command comes first"},
	    {"serve --bogus", "unknown option '--bogus'"},
	    {"serve --hold-second 3", "did you mean '--hold-seconds'?"},
	    {"serve -x", "unknown option '-x'"},
	    {"serve --hold-seconds", "--hold-seconds needs a value"},
	    {"serve extra", "unexpected argument 'extra'"},
	    {"serve --demo yes", "unexpected argument 'yes'"},
	    {"audit --demo", "'--demo' is an option of 'jari serve'"},
	    {"import", "jari import FILE"},
	    {"import a b", "unexpected argument 'b'"},
	    {"backup", "jari backup DEST"},
	    {"serve --admin-key 0123456789abcdef", "--admin-key-file or JARI_ADMIN_KEY"},
	    {"serve --store postgresql://db/jari", "missing is the organiser\'s key: --admin-key-file or JARI_ADMIN_KEY"},
	    {"serve --store postgres://db/jari --admin-key-file a", "--token-key-file or JARI_TOKEN_KEY"},
	    {"backup --store postgres://db/jari out", "pg_dump"},
	    {"serve --store jari.db", "needs sqlite:PATH"},
	    {"copy --to sqlite:b", "an option is missing: jari copy --from URL --to URL"},
	    {"copy --from sqlite:a", "an option is missing: jari copy --from URL --to URL"},
	    {"copy --from a --to sqlite:b", "--from needs sqlite:PATH"},
	    {"copy --from sqlite:a --to sqlite:", "--to needs sqlite:PATH"},
	    {"copy --from memory: --to sqlite:b", "--from: memory: ends with its server"},
	    {"copy --store sqlite:a", "'--store' is an option of 'jari serve', not of 'jari copy'"},
	    {"audit --from sqlite:a", "'--from' is an option of 'jari copy', not of 'jari audit'"},
	    {"serve --store sqlite:", "needs sqlite:PATH"},
	    {"serve --store=", "--store needs a value"},
	    {"audit --store memory:", "nothing to work on"},
	    {"serve --listen 8080", "--listen needs an address and a port"},
	    {"serve --listen :8080", "--listen needs an address and a port"},
	    {"serve --listen ::1:8080", "[::1]:8080"},
	    {"serve --listen 127.0.0.1:65536", "a port from 0 to 65535"},
	    {"serve --listen 127.0.0.1:", "a port from 0 to 65535"},
	    {"serve --listen example.com:80", "a numeric address or localhost"},
	    {"serve --listen 127.0.0.256:80", "a numeric address or localhost"},
	    {"serve --listen [127.0.0.1]:80", "a numeric address or localhost"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(cases[i].line, cases[i].with);
	assert_null(strstr(parse("serve --admin-key=topsecret-topsecret")->error, "topsecret")); /* a key is not repeated */
}

static void only_this_machine_unless_accounts_are_open(void **state)
{
	static const char *const here[] = {"127.0.0.1:1", "127.8.9.10:1", "[::1]:1",
	                                   "localhost:1", "LocalHost:1",  "[::ffff:127.0.0.1]:1"};
	static const char *const open[] = {"0.0.0.0:1",       "192.0.2.7:1",          "[::]:1",
	                                   "[2001:db8::1]:1", "[::ffff:192.0.2.7]:1", "128.0.0.1:1"};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++) {
		(void)snprintf(line, sizeof(line), "serve --listen %s", here[i]);
		runs(line, CLI_SERVE);
	}
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		(void)snprintf(line, sizeof(line), "serve --listen %s", open[i]);
		refused(line, "--open-accounts");
		(void)snprintf(line, sizeof(line), "serve --open-accounts --listen %s", open[i]);
		runs(line, CLI_SERVE);
	}
	assert_string_equal(parse("serve --listen [::1]:9")->options.listen_at.host, "::1");
	assert_string_equal(parse("serve --listen localhost:9")->options.listen_at.host, "127.0.0.1");
}

static void help_and_version(void **state)
{
	(void)state;
	assert_int_equal(parse("--help")->parsed, CLI_SHOW_HELP);
	assert_int_equal(parse("--help")->options.command, CLI_NO_COMMAND);
	assert_int_equal(parse("help")->parsed, CLI_SHOW_HELP);
	assert_int_equal(parse("help audit")->options.command, CLI_AUDIT);
	assert_int_equal(parse("import --help")->parsed, CLI_SHOW_HELP);
	assert_int_equal(parse("import --help")->options.command, CLI_IMPORT);
	assert_int_equal(parse("--version")->parsed, CLI_SHOW_VERSION);
}

static void arguments(void **state)
{
	(void)state;
	assert_string_equal(parse("import x.json")->options.argument, "x.json");
	assert_string_equal(parse("import -")->options.argument, "-");
	assert_string_equal(parse("import --store sqlite:a.db x.json")->options.argument, "x.json");
	assert_string_equal(parse("backup -- --odd")->options.argument, "--odd");
	runs("copy --from sqlite:a.db --to postgres://db/jari", CLI_COPY);
	assert_string_equal(parse("copy --to sqlite:b.db --from postgresql:dbname=jari")->options.to, "sqlite:b.db");
}

/* The help names every option with its environment variable, in lines that fit a terminal. */
static void the_help_names_everything(void **state)
{
	char *text = NULL, name[CLI_ENV_NAME_SIZE];
	size_t size = 0, n;
	const struct cli_option *table = cli_option_table(&n);

	(void)state;
	for (int command = 0; command <= CLI_NO_COMMAND; command++) {
		FILE *out = open_memstream(&text, &size);

		assert_non_null(out);
		cli_help(out, (enum cli_command)command);
		assert_int_equal(fclose(out), 0);
		for (size_t i = 0; i < n; i++) {
			if (command != CLI_NO_COMMAND && (table[i].commands >> command & 1) == 0)
				continue;
			cli_env_name(table[i].name, name);
			if (strstr(text, name) == NULL || (!table[i].secret && strstr(text, table[i].name) == NULL))
				fail_msg("the help of command %d does not name %s", command, name);
		}
		for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
			if (strcspn(line, "\n") > 120)
				fail_msg("too long a line: %.*s", (int)strcspn(line, "\n"), line);
		free(text);
		text = NULL;
	}
}

static void environment_names(void **state)
{
	size_t n;
	const struct cli_option *table = cli_option_table(&n);
	char name[CLI_ENV_NAME_SIZE];

	(void)state;
	cli_env_name("hold-seconds", name);
	assert_string_equal(name, "JARI_HOLD_SECONDS");
	for (size_t i = 0; i < n; i++) {
		cli_env_name(table[i].name, name);
		assert_int_equal(strlen(name), strlen("JARI_") + strlen(table[i].name));
		for (const char *p = name; *p != '\0'; p++)
			assert_true(isupper((unsigned char)*p) || *p == '_');
	}
}

#define SIGN_IN "--auth jwt --jwks keys.json --jwt-issuer https://id.example --jwt-audience jari"

static void sign_in_is_whole_or_not_at_all(void **state)
{
	const struct cli_options *o = &parse("serve " SIGN_IN)->options;

	(void)state;
	runs("serve " SIGN_IN, CLI_SERVE);
	assert_string_equal(o->jwks, "keys.json");
	assert_string_equal(o->jwt_issuer, "https://id.example");
	assert_string_equal(o->jwt_audience, "jari");
	assert_string_equal(parse("serve")->options.auth, "name");
	refused("serve --auth oauth", "--auth needs name or jwt, not 'oauth'");
	refused("serve --auth jwt", "--jwks FILE");
	refused("serve --auth jwt --jwks f --jwt-audience a", "--jwt-issuer NAME");
	refused("serve --auth jwt --jwks f --jwt-issuer i", "--jwt-audience NAME");
	refused("serve --jwks f", "--jwks is of no use without --auth jwt");
	refused("serve --auth name --jwt-issuer i", "--jwt-issuer is of no use without --auth jwt");
	refused("audit --auth jwt", "option of 'jari serve'");
	/* Who signs in has an account of one's own, so other machines may reach it. */
	runs("serve --listen 0.0.0.0:8080 " SIGN_IN, CLI_SERVE);
	refused("serve --listen 0.0.0.0:8080", "--auth jwt");
	assert_int_equal(setenv("JARI_JWKS", "f", 1), 0);
	refused("serve", "JARI_JWKS is of no use without --auth jwt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(defaults_are_the_contract, clear_environment),
	    cmocka_unit_test_setup(both_ways_of_writing, clear_environment),
	    cmocka_unit_test_setup(the_command_line_wins, clear_environment),
	    cmocka_unit_test_setup(a_bad_environment_is_refused_by_its_name, clear_environment),
	    cmocka_unit_test_setup(frames_are_named_by_origins, clear_environment),
	    cmocka_unit_test_setup(rate_limits_depend_on_the_address, clear_environment),
	    cmocka_unit_test_setup(proxies_are_named_by_networks, clear_environment),
	    cmocka_unit_test_setup(booleans, clear_environment),
	    cmocka_unit_test_setup(every_number_has_its_bounds, clear_environment),
	    cmocka_unit_test_setup(refusals, clear_environment),
	    cmocka_unit_test_setup(only_this_machine_unless_accounts_are_open, clear_environment),
	    cmocka_unit_test_setup(help_and_version, clear_environment),
	    cmocka_unit_test_setup(arguments, clear_environment),
	    cmocka_unit_test_setup(the_help_names_everything, clear_environment),
	    cmocka_unit_test_setup(environment_names, clear_environment),
	    cmocka_unit_test_setup(sign_in_is_whole_or_not_at_all, clear_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
