/* constant.c: a server on the product's own HTTP library that answers the same bytes whatever is asked: what there is to reach.
 *
 *   constant [THREADS]     writes one line, "listening on http://127.0.0.1:PORT", and runs until SIGTERM or SIGINT
 *
 * GET and POST /constant answer a body of a ticket's size. POST takes JSON, as the routes that it stands for do. */
#include "http/metrics.h"
#include "http/server.h"
#include "http/reply.h"
#include <signal.h>
#include <stdio.h>

static const char body[] =
    "{\"token\":\"00000000-0000-4000-8000-000000000000\",\"userId\":123456,\"username\":\"b19abcdef012-123456\","
    "\"queueId\":2,\"number\":123456,\"status\":\"WAITING\",\"reason\":null,\"position\":123456,\"ahead\":123455,"
    "\"etaSeconds\":null,\"retryAfterSeconds\":30,\"issuedAt\":\"2026-12-24T10:00:00.123Z\",\"expiresAt\":null}";

static void answer(struct http_request *req)
{
	http_answer(req, 200, "application/json", (struct text){body, sizeof(body) - 1});
}

static const struct http_route routes[] = {
    {HTTP_GET, "/constant", HTTP_AUTH_NONE, HTTP_BODY_NONE, 0, answer, NULL},
    {HTTP_POST, "/constant", HTTP_AUTH_NONE, HTTP_BODY_REQUIRED, JARI_BODY_MAX, answer, NULL},
};

/* Serves until a signal comes. */
static int run(struct http_app *app, int threads, const sigset_t *ends)
{
	char error[HTTP_SERVER_ERROR_SIZE];
	struct http_server_config config = {.app = app,
	                                    .host = "127.0.0.1",
	                                    .threads = threads,
	                                    .routes = routes,
	                                    .route_count = sizeof(routes) / sizeof(routes[0])};
	struct http_server *server = http_server_open(&config, error);
	int got, status = 0;

	if (server == NULL) {
		(void)fprintf(stderr, "constant: %s\n", error);
		return 1;
	}
	if (printf("listening on http://127.0.0.1:%d\n", http_server_port(server)) < 0 || fflush(stdout) != 0 ||
	    sigwait(ends, &got) != 0)
		status = 1;
	http_server_close(server);
	return status;
}

int main(int argc, char **argv)
{
	char error[STORE_ERROR_SIZE] = "signals";
	struct store_options where = {.url = "memory:", .mode = STORE_SERVE, .queue_capacity = 1};
	struct store *store = NULL;
	struct clock clock;
	struct http_app app = {.version = "constant"};
	int64_t threads = 2;
	sigset_t ends;
	int status = 1;

	if (argc > 1 && !text_to_int(text_of(argv[1]), 1, JARI_THREADS_MAX, &threads)) {
		(void)fprintf(stderr, "Usage: constant [THREADS]\n");
		return 2;
	}
	app.metrics = http_metrics_new((int)threads);
	/* The library asks an engine what time it is; this one is otherwise idle. */
	if (sigemptyset(&ends) != 0 || sigaddset(&ends, SIGTERM) != 0 || sigaddset(&ends, SIGINT) != 0 ||
	    sigprocmask(SIG_BLOCK, &ends, NULL) != 0 || store_open(&where, &store, error) != STORE_OK)
		goto done;
	clock_init(&clock, store_clock(store));
	app.engine = engine_open(&(struct engine_config){.store = store, .clock = &clock, .render = http_render}, error);
	if (app.engine == NULL)
		goto done;
	status = run(&app, (int)threads, &ends);
	engine_close(app.engine);
	error[0] = '\0';
done:
	if (status != 0 && error[0] != '\0')
		(void)fprintf(stderr, "constant: %s\n", error);
	if (store != NULL)
		store_close(store);
	http_metrics_free(app.metrics);
	return status;
}
