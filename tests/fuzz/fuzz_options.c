/* fuzz_options.c: the command line and the environment of `jari` and of `jari bench`. Each line is an argument; those that begin with JARI_ and
 * have a '=' are the whole environment instead.
 *
 * What is taken is within the bounds of the table of options; what is refused has one sentence that ends. `--name value` and `--name=value` come
 * to the same, and so does an option that stands in the environment instead. */
#include "fuzz.h"

#include "base/buf.h"
#include "base/limits.h"
#include "cli/bench/options.h"
#include "cli/keys.h"
#include "cli/options.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>

#define WORDS_MAX 40

extern char **environ;

struct line {
	char *words[2 * WORDS_MAX + 1]; /* NULL behind the last */
	int n;
	char *environment[WORDS_MAX + 1]; /* NAME=value; likewise */
	int variables;
};

static char *terminated(struct text t)
{
	char *s = malloc(t.n + 1);

	if (s == NULL)
		abort();
	if (t.n > 0)
		memcpy(s, t.p, t.n);
	s[t.n] = '\0';
	return s;
}

static void read_lines(struct text in, struct line *out)
{
	*out = (struct line){0};
	out->words[out->n++] = terminated(TEXT("jari"));
	while (in.n > 0) {
		struct text one = fuzz_until(&in, '\n');
		bool variable = text_starts(one, TEXT("JARI_")) && memchr(one.p, '=', one.n) != NULL;

		if (variable && out->variables < WORDS_MAX)
			out->environment[out->variables++] = terminated(one);
		else if (!variable && out->n < WORDS_MAX)
			out->words[out->n++] = terminated(one);
	}
}

static void free_lines(struct line *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->words[i]);
	for (int i = 0; i < l->variables; i++)
		free(l->environment[i]);
}

/* ---- keys ---- */

static bool is_all(const char *s, bool (*of)(char))
{
	while (*s != '\0' && of(*s))
		s++;
	return *s == '\0';
}

static bool is_visible(char c)
{
	return c > ' ' && c <= '~';
}

/* A key that is given as itself. */
static void check_key(enum cli_key_kind kind, const char *value)
{
	struct cli_key_source source = {.value = value, .value_name = "JARI_KEY"};
	struct cli_key key;
	char error[CLI_KEYS_ERROR_SIZE] = "", hex[2 * SEAL_KEY_BYTES + 1];
	bool good = kind == CLI_KEY_ADMIN
	                ? strlen(value) >= CLI_KEY_MIN && strlen(value) <= CLI_KEY_MAX && is_all(value, is_visible)
	                : strlen(value) == 2 * SEAL_KEY_BYTES && is_all(value, fuzz_is_hex);
	enum cli_key_found found = cli_key_find(kind, &source, &key, error);

	EXPECT(found == (good ? CLI_KEY_FOUND : CLI_KEY_BAD), "the key %s: %s", value, error);
	EXPECT(good || (error[0] != '\0' && (strlen(value) < 8 || strstr(error, value) == NULL)), "the key is shown: %s", error);
	text_hex(key.bytes, SEAL_KEY_BYTES, hex);
	if (good)
		EXPECT(kind == CLI_KEY_ADMIN ? strcmp(key.text, value) == 0 : strcasecmp(hex, value) == 0, "another key than %s",
		       value);
}

/* ---- what was taken is within bounds ---- */

static int64_t int_at(const void *options, const struct cli_option *row)
{
	int64_t v;

	memcpy(&v, (const char *)options + row->offset, sizeof(v));
	return v;
}

static const char *text_at(const void *options, const struct cli_option *row)
{
	const char *v;

	memcpy(&v, (const char *)options + row->offset, sizeof(v));
	return v;
}

static void check_origins(const char *list)
{
	EXPECT(strlen(list) <= JARI_FRAME_ANCESTORS_MAX, "%zu characters of origins", strlen(list));
	for (const char *p = list; *p != '\0'; p++)
		EXPECT(isalnum((unsigned char)*p) || strchr(" .-:[]/", *p), "origins with a '%c': %s", *p, list);
}

static void check_listen(const struct cli_options *o)
{
	const struct cli_listen *at = &o->listen_at;
	struct in6_addr v6;
	struct in_addr v4;

	EXPECT(at->v6 ? inet_pton(AF_INET6, at->host, &v6) == 1 : inet_pton(AF_INET, at->host, &v4) == 1, "the host is %s",
	       at->host);
	char written[INET6_ADDRSTRLEN] = "";
	EXPECT(inet_ntop(at->v6 ? AF_INET6 : AF_INET, at->v6 ? (void *)&v6 : (void *)&v4, written, sizeof(written)) != NULL, "%s",
	       at->host);
	EXPECT(at->loopback ==
	           (strcmp(written, "::1") == 0 || strncmp(written, "::ffff:127.", 11) == 0 || strncmp(written, "127.", 4) == 0),
	       "%s is %staken for loopback", written, at->loopback ? "" : "not ");
	EXPECT(at->loopback || o->open_accounts || strcmp(o->auth, "jwt") == 0, "%s can be reached by all", o->listen);
}

static void check_sign_in(const struct cli_options *o)
{
	bool jwt = strcmp(o->auth, "jwt") == 0;

	EXPECT(jwt || strcmp(o->auth, "name") == 0, "the sign-in is %s", o->auth);
	EXPECT(jwt == (o->jwks != NULL) && jwt == (o->jwt_issuer != NULL) && jwt == (o->jwt_audience != NULL), "what %s needs",
	       o->auth);
	EXPECT((o->tls_cert != NULL) == (o->tls_key != NULL), "a certificate without its key, or a key without its certificate");
}

static void check_proxies(const struct cli_options *o)
{
	size_t networks = o->trusted_proxy != NULL;

	for (const char *p = o->trusted_proxy; p != NULL && *p != '\0'; p++)
		networks += *p == ',';
	EXPECT(o->proxies.count == networks, "%zu networks of %s", o->proxies.count, o->trusted_proxy);
}

static void check_url(const struct cli_options *o, const char *url)
{
	bool sqlite = strncmp(url, "sqlite:", 7) == 0 && url[7] != '\0', memory = strcmp(url, "memory:") == 0;
	bool postgres = strncmp(url, "postgresql:", 11) == 0 || strncmp(url, "postgres:", 9) == 0;

	EXPECT(sqlite || postgres || (memory && o->command == CLI_SERVE), "the store is %s", url);
	if (postgres && o->command == CLI_SERVE)
		EXPECT((o->admin_key || o->admin_key_file) && (o->token_key || o->token_key_file), "no keys for a shared store");
	EXPECT(!postgres || o->command != CLI_BACKUP, "a backup of %s", url);
}

static void check_run(const struct cli_options *o)
{
	size_t n;
	const struct cli_option *table = cli_option_table(&n);

	EXPECT(o->command < CLI_COMMANDS, "the command is %d", (int)o->command);
	EXPECT((cli_command_argument(o->command) != NULL) == (o->argument != NULL), "the argument of %s",
	       cli_command_name(o->command));
	EXPECT((o->on_command_line & o->in_environment) == 0, "an option is from both");
	for (size_t i = 0; i < n; i++) {
		bool given = cli_given(o, table[i].name);

		EXPECT(!given || (table[i].commands >> o->command & 1), "%s is not one of %s", table[i].name,
		       cli_command_name(o->command));
		EXPECT(!table[i].secret || !cli_given_on_command_line(o, table[i].name), "%s came on the command line",
		       table[i].name);
		if (table[i].type == CLI_TYPE_INT && (given || table[i].initial))
			EXPECT(int_at(o, &table[i]) >= table[i].lo && int_at(o, &table[i]) <= table[i].hi, "%s is %" PRId64,
			       table[i].name, int_at(o, &table[i]));
		if (table[i].type == CLI_TYPE_TEXT && (given || table[i].initial))
			EXPECT(text_at(o, &table[i]) && text_at(o, &table[i])[0], "%s is empty", table[i].name);
	}
	if (o->command == CLI_SERVE) {
		check_listen(o);
		check_sign_in(o);
		check_proxies(o);
	}
	if (o->command == CLI_SERVE && o->frame_ancestors)
		check_origins(o->frame_ancestors);
	if (o->command == CLI_COPY) {
		check_url(o, o->from);
		check_url(o, o->to);
	} else {
		check_url(o, o->store);
	}
	if (o->admin_key != NULL)
		check_key(CLI_KEY_ADMIN, o->admin_key);
	if (o->token_key != NULL)
		check_key(CLI_KEY_TOKEN, o->token_key);
}

/* ---- other ways of saying it ---- */

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_same(const struct cli_options *a, const struct cli_options *b, const char *how)
{
	size_t n;
	const struct cli_option *table = cli_option_table(&n);

	EXPECT(a->command == b->command && same_text(a->argument, b->argument), "%s: another command or argument", how);
	for (size_t i = 0; i < n; i++) {
		bool same = table[i].type == CLI_TYPE_TEXT  ? same_text(text_at(a, &table[i]), text_at(b, &table[i]))
		            : table[i].type == CLI_TYPE_INT ? int_at(a, &table[i]) == int_at(b, &table[i])
		                                            : *((const bool *)((const char *)a + table[i].offset)) ==
		                                                  *((const bool *)((const char *)b + table[i].offset));

		EXPECT(same, "%s: %s is another", how, table[i].name);
		EXPECT(cli_given(a, table[i].name) == cli_given(b, table[i].name), "%s: %s is given", how, table[i].name);
	}
}

/* The row of "--name=value" before a "--"; NULL when the word is none. */
static const struct cli_option *row_of(const char *word, const char **value)
{
	size_t n;
	const struct cli_option *table = cli_option_table(&n);
	const char *equals = strchr(word, '=');

	for (size_t i = 0; i < n && equals != NULL && strncmp(word, "--", 2) == 0; i++) {
		if (strlen(table[i].name) == (size_t)(equals - word - 2) &&
		    strncmp(word + 2, table[i].name, (size_t)(equals - word - 2)) == 0) {
			*value = equals + 1;
			return &table[i];
		}
	}
	return NULL;
}

/* Every --name=value as two words, where that is another way of saying it (no switch takes a second word). */
static void check_in_two_words(const struct line *l, const struct cli_options *o)
{
	struct line two = {0};
	struct cli_options again;
	char error[CLI_ERROR_SIZE];
	bool options_end = false;

	for (int i = 0; i < l->n; i++) {
		const char *value = NULL;
		const struct cli_option *row = i > 1 && !options_end ? row_of(l->words[i], &value) : NULL;

		/* A word like --name=value may be another option's value already, which then is cut in two: leave such lines alone. */
		if (i > 0 && strncmp(l->words[i - 1], "--", 2) == 0 && strchr(l->words[i - 1], '=') == NULL && row != NULL)
			goto done;
		options_end |= i > 1 && strcmp(l->words[i], "--") == 0;
		if (row == NULL || row->type == CLI_TYPE_BOOL) {
			two.words[two.n++] = terminated(text_of(l->words[i]));
			continue;
		}
		two.words[two.n++] = terminated((struct text){l->words[i], (size_t)(value - 1 - l->words[i])});
		two.words[two.n++] = terminated(text_of(value));
	}
	EXPECT(cli_options_parse(two.n, two.words, &again, error) == CLI_RUN, "in two words: %s", error);
	check_same(o, &again, "in two words");
done:
	free_lines(&two);
}

/* Everything that was given by the environment instead. */
static void check_in_environment(const struct cli_options *o)
{
	size_t n;
	const struct cli_option *table = cli_option_table(&n);
	struct line bare = {0};
	struct cli_options again;
	char error[CLI_ERROR_SIZE], name[CLI_ENV_NAME_SIZE];

	for (size_t i = 0; i < n; i++) {
		struct buf b = {0};

		if (!cli_given(o, table[i].name))
			continue;
		cli_env_name(table[i].name, name);
		buf_str(&b, name);
		buf_char(&b, '=');
		if (table[i].type == CLI_TYPE_BOOL)
			buf_str(&b, *((const bool *)((const char *)o + table[i].offset)) ? "On" : "FALSE");
		else if (table[i].type == CLI_TYPE_INT)
			buf_int(&b, int_at(o, &table[i]));
		else
			buf_str(&b, text_at(o, &table[i]));
		bare.environment[bare.variables++] = terminated(buf_view(&b));
		buf_free(&b);
	}
	environ = bare.environment;
	bare.words[bare.n++] = terminated(TEXT("jari"));
	bare.words[bare.n++] = terminated(text_of(cli_command_name(o->command)));
	bare.words[bare.n++] = terminated(TEXT("--"));
	if (o->argument != NULL)
		bare.words[bare.n++] = terminated(text_of(o->argument));
	EXPECT(cli_options_parse(bare.n, bare.words, &again, error) == CLI_RUN, "by the environment: %s", error);
	check_same(o, &again, "by the environment");
	free_lines(&bare);
}

static void check_refusal(const char *error)
{
	EXPECT(error[0] != '\0' && strnlen(error, CLI_ERROR_SIZE) < CLI_ERROR_SIZE, "refused without a sentence");
}

/* What a name means is the system's to say, and not asked here; localhost is this machine. */
static void check_server(struct bench_options *o)
{
	char error[CLI_ERROR_SIZE];
	bool wrong;

	EXPECT(o->at.name[0] != '\0' && o->at.authority[0] != '\0' && o->at.port > 0, "%s is no server", o->url);
	EXPECT(!text_has_control(text_of(o->at.authority)), "%s puts a control character into Host", o->url);
	EXPECT(o->ca_file == NULL || o->at.tls, "--ca-file with %s", o->url);
	if (!o->at.numeric && !text_equal_nocase(text_of(o->at.name), TEXT("localhost")))
		return;
	memset(error, 'x', sizeof(error));
	if (bench_options_find(o, &wrong, error)) {
		EXPECT(o->at.loopback || o->allow_remote, "%s is not this machine", o->url);
	} else {
		EXPECT(wrong && !o->at.loopback && !o->allow_remote, "%s is refused: %s", o->url, error);
		check_refusal(error);
	}
}

static void check_bench(const struct line *l)
{
	struct bench_options o;
	char error[CLI_ERROR_SIZE];

	memset(error, 'x', sizeof(error));
	switch (bench_options_parse(l->n, l->words, &o, error)) {
	case BENCH_RUN:
		EXPECT(o.op < BENCH_OPS && o.threads >= 1 && o.threads <= o.connections, "%s with %" PRId64 " threads",
		       bench_op_name(o.op), o.threads);
		check_server(&o);
		break;
	case BENCH_WRONG:
		check_refusal(error);
		break;
	case BENCH_HELP:
	case BENCH_VERSION:
		break;
	}
}

static void check_jari(struct line *l)
{
	struct cli_options o;
	char error[CLI_ERROR_SIZE];

	memset(error, 'x', sizeof(error));
	switch (cli_options_parse(l->n, l->words, &o, error)) {
	case CLI_RUN:
		check_run(&o);
		check_in_two_words(l, &o);
		check_in_environment(&o);
		break;
	case CLI_USAGE:
		check_refusal(error);
		break;
	case CLI_SHOW_HELP:
	case CLI_SHOW_VERSION:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char **before = environ;
	struct line l;

	if (size > 0 && memchr(data, '\0', size)) /* no argument has one */
		return 0;
	read_lines((struct text){(const char *)data, size}, &l);
	environ = l.environment;
	check_bench(&l);
	check_jari(&l);
	environ = before;
	free_lines(&l);
	return 0;
}
