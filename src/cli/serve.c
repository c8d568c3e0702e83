/* serve.c: `jari serve`: brings the parts up in order, waits for a signal, and takes them down in the opposite order. */
#include "cli/cli.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/demo.h"
#include "cli/keys.h"
#include "cli/notify.h"
#include "http/catalogue.h"
#include "http/metrics.h"
#include "http/openapi.h"
#include "http/reply.h"
#include "http/routes.h"
#include "http/server.h"
#include "http/sign_in.h"
#include "http/tls.h"
#include "http/throttle.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define DEMO_TRIES 3     /* with what happens beside it in a shared store */
#define DEMO_LOOKS 20    /* after each, for what another server has loaded ... */
#define DEMO_LOOK_MS 100 /* ... so often */

struct serve {
	const struct cli_options *options;
	struct cli_key admin, token;
	bool admin_absent, token_absent; /* to be made when the store is open */
	struct store *store;
	struct clock clock;
	struct engine *engine;
	struct buf openapi;
	struct http_metrics *metrics;
	struct sign_in *sign_in; /* NULL: --auth name */
	struct http_tls *tls;    /* NULL: plain HTTP */
	struct http_throttle *throttle;
	struct http_app app;
	struct http_server *server;
};

/* ---- the process ---- */

/* Blocks SIGTERM, SIGINT and SIGHUP for this thread and all that it makes: the main thread waits for them. */
static bool take_signals(sigset_t *signals)
{
	/* A shell starts what it sends to the background with SIGINT ignored; an ignored signal can't be waited for. */
	if (signal(SIGTERM, SIG_DFL) == SIG_ERR || signal(SIGINT, SIG_DFL) == SIG_ERR || signal(SIGHUP, SIG_DFL) == SIG_ERR ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return false;
	return sigemptyset(signals) == 0 && sigaddset(signals, SIGTERM) == 0 && sigaddset(signals, SIGINT) == 0 &&
	       sigaddset(signals, SIGHUP) == 0 && pthread_sigmask(SIG_BLOCK, signals, NULL) == 0;
}

static void unblock_ends(void)
{
	sigset_t ends;

	if (sigemptyset(&ends) == 0 && sigaddset(&ends, SIGTERM) == 0 && sigaddset(&ends, SIGINT) == 0)
		(void)pthread_sigmask(SIG_UNBLOCK, &ends, NULL);
}

/* Each buyer who waits may have a connection, so as many as the system allows. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_event(LOG_WARN, "file_limit", "error", "%s", strerror(errno));
}

/* What the limit on open files leaves for connections, so that the store can always open what it needs. */
static int64_t connections_max(const struct cli_options *o)
{
	int64_t wanted = o->max_connections > 0 ? o->max_connections : JARI_CONNECTIONS_DEFAULT;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return wanted;
	int64_t files = (int64_t)limit.rlim_cur, spare = JARI_CONNECTIONS_SPARE_FILES;
	int64_t left = files > 2 * spare ? files - spare : files / 2;
	if (wanted <= left)
		return wanted;
	if (o->max_connections > 0)
		log_event(LOG_WARN, "max_connections", "lowered", "to %lld: the limit on open files is %lld", (long long)left,
		          (long long)files);
	return left;
}

static int thread_count(const struct cli_options *options)
{
	cpu_set_t cpus;
	int n;

	if (options->threads > 0)
		return (int)options->threads;
	n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
	return n < 1 ? 1 : n > JARI_THREADS_MAX ? JARI_THREADS_MAX : n;
}

/* ---- keys ---- */

/* The command line wins over the environment; in the environment the key itself wins over the name of its file. */
static struct cli_key_source key_source(const struct cli_options *o, const char *value, const char *value_name, const char *file,
                                        const char *file_option)
{
	struct cli_key_source source = {
	    .value = value, .value_name = value_name, .file = file, .store_path = cli_store_file(o->store)};

	if (file != NULL && cli_given_on_command_line(o, file_option))
		source.value = NULL;
	return source;
}

static bool find_key(enum cli_key_kind kind, const struct cli_key_source *source, struct cli_key *key, bool *absent)
{
	char error[CLI_KEYS_ERROR_SIZE];
	enum cli_key_found found = cli_key_find(kind, source, key, error);

	*absent = found == CLI_KEY_ABSENT;
	if (found != CLI_KEY_BAD)
		return true;
	cli_fail("%s", error);
	return false;
}

static bool find_keys(struct serve *s)
{
	const struct cli_options *o = s->options;
	struct cli_key_source admin = key_source(o, o->admin_key, "JARI_ADMIN_KEY", o->admin_key_file, "admin-key-file");
	struct cli_key_source token = key_source(o, o->token_key, "JARI_TOKEN_KEY", o->token_key_file, "token-key-file");

	return find_key(CLI_KEY_ADMIN, &admin, &s->admin, &s->admin_absent) &&
	       find_key(CLI_KEY_TOKEN, &token, &s->token, &s->token_absent);
}

/* Makes what was absent. Only now, with the store locked against a second server, and before a token can exist. */
static bool make_keys(struct serve *s)
{
	char error[CLI_KEYS_ERROR_SIZE];

	if ((s->admin_absent && !cli_key_make(&s->admin, error)) || (s->token_absent && !cli_key_make(&s->token, error))) {
		cli_fail("%s", error);
		return false;
	}
	return true;
}

/* ---- bringing up ---- */

static bool open_store(struct serve *s)
{
	char error[STORE_ERROR_SIZE];

	if (!cli_make_default_folder(s->options))
		return false;
	if (cli_store_open(s->options, STORE_SERVE, &s->store, error) == STORE_OK)
		return true;
	cli_fail("%s", error);
	return false;
}

static void refuse_realm(const struct cli_options *o, int64_t was)
{
	const char *whose = was == CORE_REALM_OF_NAMES ? "were opened by name (--auth name)"
	                    : o->jwt_issuer == NULL    ? "belong to people who sign in (--auth jwt)"
	                                               : "are those of another --jwt-issuer";
	const char *danger = o->jwt_issuer == NULL ? "whoever says one of their names would have that account"
	                                           : "who has the same name at this one would have that account";

	cli_fail(
	    "the accounts of this store %s: %s; start it as before, begin with a new store, or say --change-auth if the same people are meant",
	    whose, danger);
}

static bool keep_realm(struct serve *s)
{
	const struct cli_options *o = s->options;
	int64_t was, is = core_realm(o->jwt_issuer != NULL ? text_of(o->jwt_issuer) : TEXT(""));
	bool used;

	if (store_realm(s->store, &was, &used) != STORE_OK) {
		cli_fail("the store can't be read; the log has the cause");
		return false;
	}
	if (!core_realm_may(was, is, used, o->change_auth)) {
		refuse_realm(o, was);
		return false;
	}
	if (was == is)
		return true;
	/* Without room it is left to the next start: a full disk must not keep buyers from looking. */
	if (store_set_realm(s->store, is) != STORE_OK)
		log_event(LOG_WARN, "accounts_not_noted", "means", "%s",
		          "how buyers sign in could not be written into the store");
	else if (was != 0 && used)
		log_event(LOG_WARN, "accounts_changed", "means", "%s",
		          "accounts are now those of who has the same name with this --auth and --jwt-issuer");
	return true;
}

/* Tickets that were given out under a key that is gone can't be shown any more. */
static void warn_of_lost_tokens(struct serve *s)
{
	struct arena arena = {0};
	struct core_queue *queues;
	size_t n;
	int64_t tickets = 0;

	engine_look_queues(s->engine, &arena, &queues, &n);
	for (size_t i = 0; i < n; i++)
		tickets += queues[i].last_number;
	if (tickets > 0)
		log_event(LOG_WARN, "token_key_new", "means",
		          "tokens given out with another key are not valid now; tickets so far: %lld", (long long)tickets);
	arena_free(&arena);
}

static bool open_engine(struct serve *s)
{
	struct engine_config config = {
	    .store = s->store,
	    .clock = &s->clock,
	    .rules = cli_rules(s->options),
	    .waiting_idle_ms = s->options->waiting_idle * 1000,
	    .poll_budget = s->options->poll_budget,
	    .command_wait_ms = s->options->command_wait,
	    .render = http_render,
	    .probe = http_metrics_probe,
	};
	char error[STORE_ERROR_SIZE];

	s->metrics = http_metrics_new(thread_count(s->options));
	config.probe_arg = s->metrics;
	clock_init(&s->clock, store_clock(s->store));
	s->engine = engine_open(&config, error);
	if (s->engine == NULL)
		cli_fail("%s", error);
	else if (s->token_absent)
		warn_of_lost_tokens(s);
	return s->engine != NULL;
}

/* A new store has the default queue, and no more. */
static bool has_catalogue(struct serve *s)
{
	struct arena arena = {0};
	struct core_concert *concerts;
	struct core_queue *queues;
	size_t concert_count, queue_count;

	engine_look_concerts(s->engine, &arena, &concerts, &concert_count);
	engine_look_queues(s->engine, &arena, &queues, &queue_count);
	arena_free(&arena);
	return concert_count > 0 || queue_count > 1;
}

/* What another server has committed is shown here a moment later. */
static bool soon_has_catalogue(struct serve *s)
{
	const struct timespec pause = {.tv_nsec = DEMO_LOOK_MS * 1000000L};
	bool has = has_catalogue(s);

	for (int looks = 1; !has && looks < DEMO_LOOKS; looks++) {
		(void)nanosleep(&pause, NULL);
		has = has_catalogue(s);
	}
	return has;
}

static bool add_demo(struct serve *s, struct arena *arena, struct buf *json, struct buf *why)
{
	struct core_catalogue doc;
	struct core_reply reply = {0};
	char filling[CLI_DEMO_ERROR_SIZE], reading[CATALOGUE_ERROR_SIZE];

	if (!cli_demo_catalogue(engine_now(s->engine), json, filling))
		buf_str(why, filling);
	else if (!catalogue_read(buf_view(json), arena, &doc, reading))
		buf_str(why, reading);
	else if (cli_add_catalogue(s->engine, &doc, "demo", true, arena, &reply, why))
		log_event(LOG_INFO, "demo_loaded", "concerts", "%zu", reply.concert_id_count);
	return why->n == 0;
}

/* Of several servers that begin at once on an empty database one loads it, and the database or the core says no to the others: their store is not empty
 * any more. A store in a file is one server's. */
static bool load_demo(struct serve *s)
{
	struct arena arena = {0};
	struct buf json = {0}, why = {0};
	bool shared = cli_store_file(s->options->store) == NULL, loaded = false;

	if (!s->options->demo)
		return true;
	bool there = has_catalogue(s);
	for (int tries = shared ? DEMO_TRIES : 1; tries > 0 && !there && !loaded; tries--) {
		buf_reset(&json);
		buf_reset(&why);
		loaded = add_demo(s, &arena, &json, &why);
		there = !loaded && shared && soon_has_catalogue(s);
	}
	if (there)
		log_event(LOG_INFO, "demo_not_loaded", "why", "%s", "the store has concerts or queues already");
	else if (!loaded)
		cli_fail("the demo catalogue could not be loaded: %.*s", (int)why.n, why.p);
	buf_free(&why);
	buf_free(&json);
	arena_free(&arena);
	return there || loaded;
}

static bool open_sign_in(struct serve *s)
{
	const struct cli_options *o = s->options;
	char error[SIGN_IN_ERROR_SIZE];

	if (o->jwks == NULL)
		return true;
	struct sign_in_config config = {
	    .jwks_file = o->jwks,
	    .rules = {.issuer = text_of(o->jwt_issuer), .audience = text_of(o->jwt_audience)},
	};
	s->sign_in = sign_in_open(&config, error);
	if (s->sign_in == NULL)
		cli_fail("%s", error);
	return s->sign_in != NULL;
}

static bool open_tls(struct serve *s)
{
	char error[HTTP_TLS_ERROR_SIZE];

	if (s->options->tls_cert == NULL)
		return true;
	s->tls = http_tls_open(s->options->tls_cert, s->options->tls_key, error);
	if (s->tls == NULL)
		cli_fail("%s", error);
	return s->tls != NULL;
}

static bool open_throttle(struct serve *s)
{
	struct http_throttle_config config = {.trusted = s->options->proxies};

	cli_rate_limits(s->options, config.limits);
	s->throttle = http_throttle_new(&config);
	if (s->throttle == NULL)
		cli_fail("the system gave no random bits: %s", strerror(errno));
	return s->throttle != NULL;
}

static bool open_server(struct serve *s)
{
	const struct cli_options *o = s->options;
	struct http_server_config config = {
	    .app = &s->app,
	    .host = o->listen_at.host,
	    .port = o->listen_at.port,
	    .threads = thread_count(o),
	    .routes = http_routes,
	    .route_count = http_route_count,
	    .tls = s->tls,
	    .request_ms = o->request_timeout * 1000,
	    .connections_max = connections_max(o),
	    .connections_each = o->max_connections_each,
	};
	char error[HTTP_SERVER_ERROR_SIZE];

	if (!openapi_build(http_routes, http_route_count, JARI_VERSION, s->sign_in != NULL, &s->openapi)) {
		cli_fail("the API's description could not be made: a route has no description");
		return false;
	}
	s->app = (struct http_app){
	    .engine = s->engine,
	    .admin_key = s->admin.text,
	    .rules = cli_rules(o),
	    .active_seconds = o->active_seconds,
	    .hold_seconds = o->hold_seconds,
	    .openapi = buf_view(&s->openapi),
	    .metrics = s->metrics,
	    .throttle = s->throttle,
	    .version = JARI_VERSION,
	    .frame_ancestors = o->frame_ancestors,
	    .sign_in = s->sign_in,
	    .secure = s->tls != NULL,
	};
	memcpy(config.seal_key, s->token.bytes, sizeof(config.seal_key));
	s->server = http_server_open(&config, error);
	explicit_bzero(config.seal_key, sizeof(config.seal_key));
	if (s->server == NULL)
		cli_fail("%s", error);
	return s->server != NULL;
}

/* The one line on standard output: scripts wait for it and read the port from it. What the log has to tell about the start comes
 * only now, so that a start that fails says one thing: why. */
static void say_listening(const struct serve *s)
{
	const struct cli_listen *at = &s->options->listen_at;
	char store[STORE_SHOWN_SIZE];

	(void)printf("listening on %s://%s%s%s:%d\n", s->tls != NULL ? "https" : "http", at->v6 ? "[" : "", at->host,
	             at->v6 ? "]" : "", http_server_port(s->server));
	if (fflush(stdout) != 0)
		log_event(LOG_WARN, "standard_output", "error", "%s", strerror(errno));
	cli_notify_ready();
	log_event(LOG_INFO, "started", "version", "%s", JARI_VERSION);
	store_shown(s->options->store, store);
	log_event(LOG_INFO, "store", "url", "%s", store);
	if (strcmp(s->options->store, "memory:") == 0)
		log_event(LOG_WARN, "store_in_memory", "lasts", "%s",
		          "places in line, seats and money are kept until this server ends; they are written nowhere");
	cli_key_log(&s->admin);
	cli_key_log(&s->token);
	if (s->tls != NULL)
		http_tls_log(s->tls);
	log_event(LOG_INFO, "listening", "address", "%s%s%s:%d", at->v6 ? "[" : "", at->host, at->v6 ? "]" : "",
	          http_server_port(s->server));
}

static bool bring_up(struct serve *s)
{
	return find_keys(s) && open_sign_in(s) && open_tls(s) && open_store(s) && keep_realm(s) && make_keys(s) &&
	       open_engine(s) && load_demo(s) && open_throttle(s) && open_server(s);
}

/* ---- and down ---- */

/* Goes on serving while proxies learn that this server is not ready any more. A second signal ends it at once. */
static void drain(const struct serve *s)
{
	struct timespec left = {.tv_sec = s->options->drain_seconds};

	if (left.tv_sec == 0)
		return;
	log_event(LOG_INFO, "draining", "seconds", "%lld", (long long)left.tv_sec);
	http_server_leave(s->server);
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		continue;
}

/* Reads the files anew that may change while the server runs. `asked`: by SIGHUP; otherwise it is only looked whether they have changed. */
static void look_at_files(const struct serve *s, bool asked)
{
	if (s->sign_in != NULL)
		sign_in_look(s->sign_in, asked);
	if (s->tls != NULL && asked)
		http_tls_reload(s->tls);
}

static void wait_for_end(const struct serve *s, const sigset_t *signals)
{
	const struct timespec second = {.tv_sec = 1};
	int which;

	do {
		which = sigtimedwait(signals, NULL, &second);
		look_at_files(s, which == SIGHUP);
	} while (which != SIGTERM && which != SIGINT);
	log_event(LOG_INFO, "stopping", "signal", "%s", which == SIGTERM ? "SIGTERM" : "SIGINT");
	/* From here on a second signal does what it does by itself: it ends the process at once. What was answered is on disk. */
	unblock_ends();
}

static void take_down(struct serve *s)
{
	if (s->server != NULL)
		http_server_stop(s->server); /* answers what is in flight; that needs the engine */
	if (s->engine != NULL)
		engine_close(s->engine);
	if (s->server != NULL)
		http_server_close(s->server);
	if (s->store != NULL)
		store_close(s->store);
	if (s->metrics != NULL)
		http_metrics_free(s->metrics);
	sign_in_close(s->sign_in);
	http_tls_close(s->tls);
	http_throttle_free(s->throttle);
	buf_free(&s->openapi);
	cli_key_wipe(&s->admin);
	cli_key_wipe(&s->token);
}

int cli_serve(const struct cli_options *options)
{
	struct serve s = {.options = options};
	int status = CLI_EXIT_FAILED;
	sigset_t signals;

	if (!take_signals(&signals))
		return cli_fail("cannot set up signals: %s", strerror(errno));
	raise_file_limit();
	if (bring_up(&s)) {
		say_listening(&s);
		wait_for_end(&s, &signals);
		cli_notify_stopping(options->drain_seconds + JARI_STOP_SECONDS);
		drain(&s);
		status = CLI_EXIT_OK;
	}
	take_down(&s);
	if (status == CLI_EXIT_OK)
		log_event(LOG_INFO, "stopped", "status", "%d", status);
	return status;
}
