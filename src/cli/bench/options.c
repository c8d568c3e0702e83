/* options.c: see options.h. */
#include "cli/bench/options.h"
#include "base/limits.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

_Static_assert(BENCH_TARGET_ERROR_SIZE <= CLI_ERROR_SIZE, "a line about the target fits");

#define AT(member) offsetof(struct bench_options, member)
#define ONSALE (1u << BENCH_ONSALE)
#define POLL (1u << BENCH_POLL)
#define JOIN (1u << BENCH_JOIN)
#define TURN (1u << BENCH_TURN)
#define SEATS (1u << BENCH_SEATS)
#define HOLD (1u << BENCH_HOLD)
#define CHARGE (1u << BENCH_CHARGE)
#define PAY (1u << BENCH_PAY)
#define REQUEST (1u << BENCH_REQUEST)
#define ALL_OPS "onsale, poll, join, turn, seats, hold, charge, pay, healthz"
#define ALL ((1u << BENCH_OPS) - 1)
#define STEADY (ALL & ~ONSALE)
#define SETUP (ALL & ~REQUEST & ~(1u << BENCH_HEALTHZ))

/* `commands` of a row are operations here. Rows that stand in more than one way are those whose meaning differs. */
static const struct cli_option table[] = {
    {"url", CLI_TYPE_TEXT, AT(url), "URL", "http://127.0.0.1:8080", 0, 0, ALL, false,
     "The server: http:// or https://, a name or an address, and a port where it is not the usual one."},
    {"ca-file", CLI_TYPE_TEXT, AT(ca_file), "FILE", NULL, 0, 0, ALL, false,
     "With https://: the certificates to trust (PEM) instead of the system's. The server's own will do."},
    {"allow-remote", CLI_TYPE_BOOL, AT(allow_remote), NULL, "no", 0, 0, ALL, false,
     "Allow a server on another machine. Only ever your own: this is a load that hurts."},
    {"admin-key-file", CLI_TYPE_TEXT, AT(admin_key_file), "FILE", NULL, 0, 0, SETUP, false,
     "The file with the organiser's key, to add concerts for the measurement. Or JARI_ADMIN_KEY."},
    {"connections", CLI_TYPE_INT, AT(connections), "N", "64", 1, 16000, ALL, false,
     "Connections that are kept, over all threads."},
    {"threads", CLI_TYPE_INT, AT(threads), "N", "1", 1, JARI_THREADS_MAX, ALL, false, "Threads that make the load."},
    {"timeout", CLI_TYPE_INT, AT(timeout), "SECONDS", "30", 1, 3600, ALL, false, "After this a request counts as lost."},
    {"seed", CLI_TYPE_INT, AT(seed), "N", "1", 0, INT64_MAX, ALL, false, "What is drawn by lot is drawn from this."},
    {"rate", CLI_TYPE_INT, AT(rate), "N", "0", 0, 10000000, STEADY, false,
     "Requests a second at fixed times, each timed from when it was due. 0: each connection sends when it has its answer."},
    {"duration", CLI_TYPE_INT, AT(duration), "SECONDS", "10", 1, 86400, STEADY, false, "How long to measure."},
    {"requests", CLI_TYPE_INT, AT(requests), "N", "0", 0, 1000000000, STEADY, false,
     "How many to measure, instead of for how long."},
    {"warmup", CLI_TYPE_INT, AT(warmup), "SECONDS", "1", 0, 3600, STEADY, false, "How long to go before what is measured."},
    {"waiting", CLI_TYPE_INT, AT(waiting), "N", "1000", 0, 100000000, POLL | JOIN | TURN, false,
     "People brought into the line first."},
    {"users", CLI_TYPE_INT, AT(users), "N", "10000", 1, 10000000, HOLD | CHARGE | SEATS, false, "People who do it."},
    {"users", CLI_TYPE_INT, AT(users), "N", "100000", 1, 10000000, PAY, false,
     "People who hold seats first, and then pay. When all have paid it ends."},
    {"users", CLI_TYPE_INT, AT(users), "N", "2000", 1, 10000000, ONSALE, false, "People who come."},
    {"shows", CLI_TYPE_INT, AT(shows), "N", "1000", 1, JARI_CATALOGUE_SHOWS_MAX, HOLD, false,
     "Shows. When all their seats are held it ends."},
    {"shows", CLI_TYPE_INT, AT(shows), "N", "4", 1, JARI_CATALOGUE_SHOWS_MAX, ONSALE | SEATS, false, "Shows."},
    {"seats", CLI_TYPE_INT, AT(seats), "N", "1000", 1, JARI_SEATS_PER_SHOW_MAX, HOLD | PAY, false, "Seats of each show."},
    {"seats", CLI_TYPE_INT, AT(seats), "N", "50", 1, JARI_SEATS_PER_SHOW_MAX, SEATS, false, "Seats of each show."},
    {"seats", CLI_TYPE_INT, AT(seats), "N", "500", 1, JARI_SEATS_PER_SHOW_MAX, ONSALE, false, "Seats of each show."},
    {"seats-per-user", CLI_TYPE_INT, AT(per_user), "N", "4", 1, JARI_SEATS_PER_USER_MAX, HOLD, false,
     "Seats that one person holds in a show; no more than the server's --seats-per-user."},
    {"price", CLI_TYPE_INT, AT(price), "WON", "1000", 0, JARI_PRICE_MAX, ONSALE | HOLD | PAY, false, "Price of a seat."},
    {"concert", CLI_TYPE_INT, AT(concert), "ID", "0", 0, INT64_MAX, ONSALE, false,
     "Rehearse a concert that is there already; 0 adds one, which takes the organiser's key. It sells its seats!"},
    {"capacity", CLI_TYPE_INT, AT(capacity), "N", "0", 0, JARI_QUEUE_CAPACITY_MAX, ONSALE, false,
     "How many may be active at once in the concert's queue; 0: a tenth of the people."},
    {"arrive-seconds", CLI_TYPE_INT, AT(arrive), "N", "10", 0, 86400, ONSALE, false,
     "Within which they come, most of them early."},
    {"give-up", CLI_TYPE_INT, AT(give_up), "PERCENT", "10", 0, 100, ONSALE, false,
     "How many of them give up on the way, half of these by leaving and half by just vanishing."},
    {"impatience", CLI_TYPE_INT, AT(impatience), "N", "1", 1, 1000, ONSALE, false, "Ask N times as often as the server says."},
    {"think-ms", CLI_TYPE_INT, AT(think_ms), "MS", "1000", 0, 3600000, ONSALE, false,
     "How long people look at a page, on average."},
    {"limit-seconds", CLI_TYPE_INT, AT(limit), "N", "600", 1, 7200, ONSALE, false, "When to stop although some are not done."},
    {"pid", CLI_TYPE_INT, AT(pid), "PID", "0", 0, INT64_C(1) << 32, STEADY, false,
     "The server's process on this machine, to tell its processor time for each answer."},
    {"method", CLI_TYPE_TEXT, AT(method), "METHOD", "GET", 0, 0, REQUEST, false, "The request's method."},
    {"path", CLI_TYPE_TEXT, AT(path), "PATH", "/healthz", 0, 0, REQUEST, false, "The request's path and query."},
    {"body", CLI_TYPE_TEXT, AT(body), "JSON", NULL, 0, 0, REQUEST, false, "The request's body."},
    {"json", CLI_TYPE_TEXT, AT(json), "FILE", NULL, 0, 0, ALL, false, "Write the results as JSON; - is standard output."},
    {"html", CLI_TYPE_TEXT, AT(html), "FILE", NULL, 0, 0, ALL, false,
     "Write a report with plots, one file that needs no other; - is standard output."},
    {"quiet", CLI_TYPE_BOOL, AT(quiet), NULL, "no", 0, 0, ALL, false, "No progress, no table."},
    {"admin-key", CLI_TYPE_TEXT, AT(admin_key), "KEY", NULL, 0, 0, SETUP, true, "The organiser's key itself."},
};
#define COUNT (sizeof(table) / sizeof(table[0]))
_Static_assert(COUNT <= 64, "`given` has a bit for each option");

static const struct {
	const char *name, *help, *story;
} ops[BENCH_OPS] = {
    [BENCH_ONSALE] =
	{"onsale", "Rehearse a sale: whole journeys, from the line to the payment.",
         "People come within a window, most of them early. Each joins, asks for the place in line as often as the server says, looks\n"
         "at dates and seats once admitted, chooses (low numbers are popular; some let the server choose), tries again when the seat is\n"
         "taken, charges the wallet and pays, and thinks in between. Some give up. The table at the end has every step, what was\n"
         "sold and when, the longest wait, and any ticket that was admitted before a lower number that still waited."},
    [BENCH_POLL] = {"poll", "GET /api/check of people who wait.",
                    "Brings --waiting people into a line of its own first, then asks for places at random."},
    [BENCH_JOIN] = {"join", "POST /api/getToken, each by somebody new.",
                    "Into a line of its own, in which --waiting people wait already."},
    [BENCH_TURN] = {"turn", "DELETE /api/token by who is in, which lets the next in; and as many join.",
                    "The line stays as long as it is. In a line of its own, in which --waiting people wait."},
    [BENCH_SEATS] = {"seats", "GET the seats of a show.", "By people who are admitted, of shows at random."},
    [BENCH_HOLD] = {"hold", "POST a hold of one seat, each of another seat.", "Each succeeds: no seat is asked for twice."},
    [BENCH_CHARGE] = {"charge", "POST a charge of a wallet.", "Wallets at random."},
    [BENCH_PAY] = {"pay", "POST a payment of a hold.",
                   "People join, charge and hold first, which is not measured; then each pays."},
    [BENCH_HEALTHZ] = {"healthz", "GET /healthz: what the HTTP server does without the rest.", ""},
    [BENCH_REQUEST] = {"request", "One request, again and again.", "Success is any 2xx."},
};

const char *bench_op_name(enum bench_op op)
{
	return ops[op].name;
}

const char *bench_op_help(enum bench_op op)
{
	return ops[op].help;
}

static bool has_bit(uint64_t bits, const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if ((bits >> i & 1) != 0 && strcmp(table[i].name, name) == 0)
			return true;
	return false;
}

bool bench_given(const struct bench_options *o, const char *name)
{
	return has_bit(o->given, name);
}

bool bench_is_standard(const char *file)
{
	return file != NULL && strcmp(file, "-") == 0;
}

static bool takes(const struct cli_option *row, enum bench_op op)
{
	return op != BENCH_NO_OP && (row->commands >> op & 1) != 0;
}

/* JARI_BENCH_USERS; the organiser's key is called as it is for the server. */
static void env_name(const struct cli_option *row, char out[CLI_ENV_NAME_SIZE])
{
	char name[CLI_ENV_NAME_SIZE];
	bool shared = strncmp(row->name, "admin-key", strlen("admin-key")) == 0;

	(void)snprintf(name, sizeof(name), "%s%s", shared ? "" : "bench-", row->name);
	cli_env_name(name, out);
}

void bench_option_called(const struct bench_options *o, const char *name, char out[CLI_ENV_NAME_SIZE])
{
	struct cli_option row = {.name = name};

	if (has_bit(o->in_environment, name))
		env_name(&row, out);
	else
		(void)snprintf(out, CLI_ENV_NAME_SIZE, "--%s", name);
}

/* ---- reading ---- */

static bool set_defaults(struct bench_options *o, char error[CLI_ERROR_SIZE])
{
	for (size_t i = 0; i < COUNT; i++)
		if (takes(&table[i], o->op) && table[i].initial != NULL &&
		    !cli_option_set(o, &table[i], table[i].name, table[i].initial, error))
			return false;
	return true;
}

static bool set_from_environment(struct bench_options *o, char error[CLI_ERROR_SIZE])
{
	char name[CLI_ENV_NAME_SIZE];

	for (size_t i = 0; i < COUNT; i++) {
		const char *value;

		if (!takes(&table[i], o->op) || (o->given >> i & 1) != 0)
			continue;
		env_name(&table[i], name);
		value = getenv(name);
		if (value == NULL || value[0] == '\0')
			continue;
		if (!cli_option_set(o, &table[i], name, value, error))
			return false;
		o->given |= UINT64_C(1) << i;
		o->in_environment |= UINT64_C(1) << i;
	}
	return true;
}

static const struct cli_option *find(const struct bench_options *o, struct text name, char error[CLI_ERROR_SIZE])
{
	bool known = false;

	for (size_t i = 0; i < COUNT; i++) {
		if (!text_equal(text_of(table[i].name), name))
			continue;
		known = true;
		if (table[i].secret) {
			(void)snprintf(
			    error, CLI_ERROR_SIZE,
			    "a key does not belong on the command line, where others can read it; use --admin-key-file or "
			    "JARI_ADMIN_KEY");
			return NULL;
		}
		if (takes(&table[i], o->op))
			return &table[i];
	}
	(void)snprintf(error, CLI_ERROR_SIZE,
	               known ? "'--%.*s' is no option of 'jari bench %s'" : "unknown option '--%.*s' of 'jari bench %s'",
	               (int)(name.n < 60 ? name.n : 60), name.p, ops[o->op].name);
	return NULL;
}

static bool read_option(int argc, char *const *argv, int *at, struct bench_options *o, char error[CLI_ERROR_SIZE])
{
	const char *word = argv[*at], *equals = strchr(word, '=');
	const struct cli_option *row;

	if (word[0] != '-' || word[1] != '-') {
		(void)snprintf(error, CLI_ERROR_SIZE, "unexpected argument '%.100s'", word);
		return false;
	}
	row = find(o, (struct text){word + 2, equals != NULL ? (size_t)(equals - word - 2) : strlen(word + 2)}, error);
	if (row == NULL)
		return false;
	o->given |= UINT64_C(1) << (row - table);
	return cli_option_take(o, row, equals, argc, argv, at, error);
}

static bool check_url(struct bench_options *o, char error[CLI_ERROR_SIZE])
{
	char why[BENCH_TARGET_ERROR_SIZE], called[CLI_ENV_NAME_SIZE];

	if (!bench_target_parse(o->url, &o->at, why)) {
		bench_option_called(o, "url", called);
		(void)snprintf(error, CLI_ERROR_SIZE, "%s %.200s, not '%.200s'", called, why, o->url);
		return false;
	}
	if (o->ca_file != NULL && !o->at.tls) {
		bench_option_called(o, "ca-file", called);
		(void)snprintf(error, CLI_ERROR_SIZE, "%s is for a server with https://, not '%.200s'", called, o->url);
		return false;
	}
	return true;
}

bool bench_options_find(struct bench_options *o, bool *wrong, char error[CLI_ERROR_SIZE])
{
	*wrong = false;
	if (!bench_target_find(&o->at, error))
		return false;
	*wrong = !o->at.loopback && !o->allow_remote;
	if (*wrong)
		(void)snprintf(error, CLI_ERROR_SIZE,
		               "%.100s is another machine, and this load could bring it down; if it is yours, say --allow-remote",
		               o->url);
	return !*wrong;
}

static bool check_request(const struct bench_options *o, char error[CLI_ERROR_SIZE])
{
	char called[CLI_ENV_NAME_SIZE];

	if (o->op != BENCH_REQUEST)
		return true;
	if (o->path[0] != '/' || strpbrk(o->path, " \r\n") != NULL || strlen(o->path) > 1024) {
		bench_option_called(o, "path", called);
		(void)snprintf(error, CLI_ERROR_SIZE, "%s needs a path such as /healthz, without spaces, 1024 characters at most",
		               called);
		return false;
	}
	if (strpbrk(o->method, " \r\n") != NULL || strlen(o->method) > 32) {
		bench_option_called(o, "method", called);
		(void)snprintf(error, CLI_ERROR_SIZE, "%s needs a word, 32 characters at most", called);
		return false;
	}
	return true;
}

/* Each report has a place of its own. */
static bool check_reports(const struct bench_options *o, char error[CLI_ERROR_SIZE])
{
	char json[CLI_ENV_NAME_SIZE], html[CLI_ENV_NAME_SIZE];

	if (o->json == NULL || o->html == NULL || strcmp(o->json, o->html) != 0)
		return true;
	bench_option_called(o, "json", json);
	bench_option_called(o, "html", html);
	(void)snprintf(error, CLI_ERROR_SIZE, "%s and %s cannot both go to %.200s", json, html,
	               bench_is_standard(o->json) ? "standard output" : o->json);
	return false;
}

static bool check_threads(const struct bench_options *o, char error[CLI_ERROR_SIZE])
{
	char threads[CLI_ENV_NAME_SIZE], connections[CLI_ENV_NAME_SIZE];

	if (o->threads <= o->connections)
		return true;
	bench_option_called(o, "threads", threads);
	bench_option_called(o, "connections", connections);
	(void)snprintf(error, CLI_ERROR_SIZE, "%s may not be more than %s: each thread needs one", threads, connections);
	return false;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static bool is_version(const char *word)
{
	return strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

/* `jari bench poll …`, `jari bench --help`, `jari help bench`, `jari help bench poll`. */
static enum bench_parsed read_op(int argc, char *const *argv, struct bench_options *o, char error[CLI_ERROR_SIZE])
{
	bool help = argc > 2 && strcmp(argv[1], "help") == 0;
	const char *word = help ? (argc > 3 ? argv[3] : "help") : argc > 2 ? argv[2] : NULL;

	if (word == NULL) {
		(void)snprintf(error, CLI_ERROR_SIZE, "what to measure is missing: " ALL_OPS " or request");
		return BENCH_WRONG;
	}
	if (is_help(word))
		return BENCH_HELP;
	if (!help && is_version(word))
		return BENCH_VERSION;
	for (int i = 0; i < BENCH_OPS; i++)
		if (strcmp(word, ops[i].name) == 0) {
			o->op = (enum bench_op)i;
			return help ? BENCH_HELP : BENCH_RUN;
		}
	(void)snprintf(error, CLI_ERROR_SIZE, "'%.60s' cannot be measured; there are " ALL_OPS " and request", word);
	return BENCH_WRONG;
}

enum bench_parsed bench_options_parse(int argc, char *const *argv, struct bench_options *out, char error[CLI_ERROR_SIZE])
{
	enum bench_parsed parsed;

	*out = (struct bench_options){.op = BENCH_NO_OP};
	error[0] = '\0';
	parsed = read_op(argc, argv, out, error);
	if (parsed != BENCH_RUN)
		return parsed;
	if (!set_defaults(out, error))
		return BENCH_WRONG;
	for (int i = 3; i < argc; i++) {
		if (is_help(argv[i]))
			return BENCH_HELP;
		if (is_version(argv[i]))
			return BENCH_VERSION;
		if (!read_option(argc, argv, &i, out, error))
			return BENCH_WRONG;
	}
	return set_from_environment(out, error) && check_url(out, error) && check_request(out, error) &&
	               check_reports(out, error) && check_threads(out, error)
	           ? BENCH_RUN
	           : BENCH_WRONG;
}

/* ---- helping ---- */

static void all_help(FILE *out)
{
	(void)fputs(
	    "Usage: jari bench OPERATION [options]\n\nMakes a load on a server, and measures what it does.\n\nOperations:\n",
	    out);
	for (int i = 0; i < BENCH_OPS; i++)
		cli_help_entry(out, ops[i].name, ops[i].help);
	(void)fputs(
	    "\n'jari bench OPERATION --help' explains one and its options.\n"
	    "\nHow many a second is what was answered while it was measured. How long it took is told of the requests that were due in that\n"
	    "time, each from when it was due: at a --rate, also for the time in which no connection was free.\n"
	    "\nExamples:\n"
	    "  jari bench onsale --admin-key-file data/jari.db.admin-key --users 20000 --html rehearsal.html\n"
	    "  jari bench onsale --admin-key-file data/jari.db.admin-key --url https://staging.tickets.example --allow-remote\n"
	    "  jari bench poll --admin-key-file data/jari.db.admin-key --waiting 100000 --rate 20000\n"
	    "\nAll of it writes into the server's store: people, concerts, sales. Rehearse on a store of its own.\n",
	    out);
}

void bench_help(FILE *out, enum bench_op op)
{
	char env[CLI_ENV_NAME_SIZE];

	if (op == BENCH_NO_OP) {
		all_help(out);
		return;
	}
	(void)fprintf(out, "Usage: jari bench %s [options]\n\n%s\n", ops[op].name, ops[op].help);
	if (ops[op].story[0] != '\0')
		(void)fprintf(out, "\n%s\n", ops[op].story);
	(void)fputs("\nOptions:\n", out);
	for (size_t i = 0; i < COUNT; i++)
		if (takes(&table[i], op)) {
			env_name(&table[i], env);
			cli_help_option(out, &table[i], env);
		}
	(void)fputs(
	    "\n--name value and --name=value are the same. Each option is also the environment variable in brackets; the command\n"
	    "line wins.\n",
	    out);
}
