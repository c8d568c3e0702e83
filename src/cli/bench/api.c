/* api.c: see api.h. */
#include "cli/bench/api.h"
#include "base/arena.h"
#include "base/clock.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SHOW_DAYS_AHEAD 30
#define DAY_SECONDS 86400
#define ADMIN_TIMEOUT_US 300000000 /* a catalogue of a million seats takes its time */

/* ---- writing ---- */

struct put {
	char *p;
};

static void put_text(struct put *o, const char *s, size_t n)
{
	memcpy(o->p, s, n);
	o->p += n;
}

#define PUT(o, literal) put_text(o, "" literal, sizeof(literal) - 1)

static void put_int(struct put *o, int64_t v)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do {
		digits[--at] = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	if (v < 0)
		digits[--at] = '-';
	put_text(o, digits + at, sizeof(digits) - at);
}

static void put_str(struct put *o, const char *s)
{
	put_text(o, s, strlen(s));
}

/* Ends the request line, and writes Host and Authorization. */
static void put_headers(struct put *o, const struct api *api, const char *bearer)
{
	PUT(o, " HTTP/1.1\r\nHost: ");
	put_text(o, api->host.p, api->host.n);
	if (bearer != NULL) {
		PUT(o, "\r\nAuthorization: Bearer ");
		put_str(o, bearer);
	}
}

static size_t end_without_body(struct put *o, const char *out)
{
	PUT(o, "\r\n\r\n");
	return (size_t)(o->p - out);
}

static size_t end_with_body(struct put *o, const char *out, const char *body, size_t n)
{
	PUT(o, "\r\nContent-Type: application/json\r\nContent-Length: ");
	put_int(o, (int64_t)n);
	PUT(o, "\r\n\r\n");
	put_text(o, body, n);
	return (size_t)(o->p - out);
}

size_t api_name(const struct api *api, int64_t i, char out[API_NAME_SIZE])
{
	struct put o = {out};

	put_str(&o, api->run);
	PUT(&o, "-");
	put_int(&o, i);
	return (size_t)(o.p - out);
}

size_t api_join(const struct api *api, int64_t person, char *out)
{
	char body[128 + API_NAME_SIZE];
	struct put b = {body}, o = {out};

	PUT(&b, "{\"username\":\"");
	b.p += api_name(api, person, b.p);
	PUT(&b, "\",\"concertId\":");
	put_int(&b, api->concert_id);
	PUT(&b, "}");
	PUT(&o, "POST /api/getToken");
	put_headers(&o, api, NULL);
	return end_with_body(&o, out, body, (size_t)(b.p - body));
}

size_t api_check(const struct api *api, const char *token, char *out)
{
	struct put o = {out};

	PUT(&o, "GET /api/check");
	put_headers(&o, api, token);
	return end_without_body(&o, out);
}

size_t api_leave(const struct api *api, const char *token, char *out)
{
	struct put o = {out};

	PUT(&o, "DELETE /api/token");
	put_headers(&o, api, token);
	return end_without_body(&o, out);
}

size_t api_dates(const struct api *api, const char *token, char *out)
{
	struct put o = {out};

	PUT(&o, "GET /api/booking/");
	put_int(&o, api->concert_id);
	PUT(&o, "/list/time");
	put_headers(&o, api, token);
	return end_without_body(&o, out);
}

size_t api_seats(const struct api *api, const char *token, int64_t show, char *out)
{
	struct put o = {out};

	PUT(&o, "GET /api/booking/");
	put_int(&o, api->concert_id);
	PUT(&o, "/list/seats?showId=");
	put_int(&o, show);
	put_headers(&o, api, token);
	return end_without_body(&o, out);
}

static size_t post_hold(const struct api *api, const char *token, const char *body, size_t n, char *out)
{
	struct put o = {out};

	PUT(&o, "POST /api/booking/");
	put_int(&o, api->concert_id);
	PUT(&o, "/seat");
	put_headers(&o, api, token);
	return end_with_body(&o, out, body, n);
}

size_t api_hold(const struct api *api, const char *token, int64_t show, const int64_t *seats, size_t n, char *out)
{
	char body[512];
	struct put b = {body};

	assert(n >= 1 && n <= 16);
	PUT(&b, "{\"showId\":");
	put_int(&b, show);
	PUT(&b, ",\"seatNumbers\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			PUT(&b, ",");
		put_int(&b, seats[i]);
	}
	PUT(&b, "]}");
	return post_hold(api, token, body, (size_t)(b.p - body), out);
}

size_t api_hold_best(const struct api *api, const char *token, int64_t show, int64_t n, char *out)
{
	char body[128];
	struct put b = {body};

	PUT(&b, "{\"showId\":");
	put_int(&b, show);
	PUT(&b, ",\"bestAvailable\":{\"count\":");
	put_int(&b, n);
	PUT(&b, "}}");
	return post_hold(api, token, body, (size_t)(b.p - body), out);
}

size_t api_charge(const struct api *api, const char *token, int64_t user_id, int64_t amount, char *out)
{
	char body[64];
	struct put b = {body}, o = {out};

	PUT(&b, "{\"amount\":");
	put_int(&b, amount);
	PUT(&b, "}");
	PUT(&o, "POST /api/");
	put_int(&o, user_id);
	PUT(&o, "/charge");
	put_headers(&o, api, token);
	return end_with_body(&o, out, body, (size_t)(b.p - body));
}

size_t api_pay(const struct api *api, const char *token, int64_t reservation, char *out)
{
	struct put o = {out};

	PUT(&o, "POST /api/");
	put_int(&o, reservation);
	PUT(&o, "/payment");
	put_headers(&o, api, token);
	return end_with_body(&o, out, "{}", 2);
}

size_t api_request(const struct api *api, const char *method, const char *path, const char *bearer, const char *json,
                   size_t json_n, char *out, size_t room)
{
	struct put o = {out};

	assert(strlen(method) + strlen(path) + (bearer != NULL ? strlen(bearer) : 0) + json_n + API_HEAD_ROOM <= room);
	put_str(&o, method);
	PUT(&o, " ");
	put_str(&o, path);
	put_headers(&o, api, bearer);
	return json == NULL ? end_without_body(&o, out) : end_with_body(&o, out, json, json_n);
}

bool api_person(const struct reply *reply, struct api_person *out)
{
	struct text token, status;

	if (!reply_text(reply->body, TEXT("\"token\":"), &token) || token.n != SEAL_TOKEN_CHARS ||
	    !reply_text(reply->body, TEXT("\"status\":"), &status) ||
	    !reply_int(reply->body, TEXT("\"userId\":"), &out->user_id) ||
	    !reply_int(reply->body, TEXT("\"number\":"), &out->number))
		return false;
	memcpy(out->token, token.p, token.n);
	out->token[token.n] = '\0';
	out->active = text_equal(status, TEXT("ACTIVE"));
	return true;
}

/* ---- setting up ---- */

void api_init(struct api *api, const struct bench_options *o)
{
	struct timespec now = {0};

	*api = (struct api){.host = text_of(o->at.authority)};
	(void)clock_gettime(CLOCK_REALTIME, &now); /* fails for no clock that there is */
	/* two that begin in the same millisecond are two processes */
	(void)snprintf(api->run, sizeof(api->run), "b%llx-%x",
	               (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000, (unsigned)getpid());
	api->concert_id = o->concert;
}

struct answer {
	bool done;
	enum client_outcome outcome;
	int status;
	struct buf *body;
};

static void take_answer(struct client_conn *c, enum client_outcome outcome, void *arg)
{
	struct answer *a = arg;

	a->done = true;
	a->outcome = outcome;
	a->status = c->reply.status;
	if (outcome == CLIENT_ANSWERED)
		buf_text(a->body, c->reply.body);
}

int api_call(const struct api *api, const struct bench_options *o, const char *method, const char *path, const struct buf *json,
             struct buf *body, char error[CLI_ERROR_SIZE])
{
	struct answer answer = {.body = body};
	struct client_config config = {.target = &o->at,
	                               .trust = o->trust,
	                               .connections = 1,
	                               .timeout_us = ADMIN_TIMEOUT_US,
	                               .done = take_answer,
	                               .arg = &answer};
	struct client *client = client_open(&config, error);
	size_t json_n = json != NULL ? json->n : 0, room = json_n + strlen(path) + 1024;
	struct client_conn *c;

	if (client == NULL)
		return -1;
	c = client_take(client);
	client_room(c, room);
	client_send(c, api_request(api, method, path, api->admin_key, json != NULL ? json->p : NULL, json_n, c->out, room),
	            clock_elapsed_us());
	while (!answer.done)
		if (!client_turn(client, INT64_MAX))
			break;
	if (!answer.done || answer.outcome != CLIENT_ANSWERED) {
		(void)snprintf(error, CLI_ERROR_SIZE, "no answer from %.100s to %s %.100s: %s", o->url, method, path,
		               answer.outcome == CLIENT_GARBLED ? "what came is not HTTP" : client_trouble(client));
		answer.status = -1;
	}
	client_close(client);
	return answer.status;
}

/* An answer that is no success, as a line. */
static bool refused(const char *what, int status, const struct buf *body, char error[CLI_ERROR_SIZE])
{
	struct text detail = TEXT(""), code = TEXT("");

	if (status < 0)
		return false;
	(void)reply_text(buf_view(body), TEXT("\"code\":"), &code);
	(void)reply_text(buf_view(body), TEXT("\"detail\":"), &detail);
	if (status == 401)
		(void)snprintf(
		    error, CLI_ERROR_SIZE,
		    "%s takes the organiser's key, and the server does not know this one; give the one that it uses with "
		    "--admin-key-file or JARI_ADMIN_KEY",
		    what);
	else
		(void)snprintf(error, CLI_ERROR_SIZE, "%s was refused with %d %.*s: %.*s", what, status, (int)code.n, code.p,
		               (int)(detail.n < 200 ? detail.n : 200), detail.p);
	return false;
}

static void write_catalogue(const struct api *api, const struct bench_options *o, int64_t capacity, int64_t shows, int64_t seats,
                            struct buf *out)
{
	struct timespec now = {0};
	char instant[TEXT_INSTANT_SIZE];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	buf_printf(
	    out,
	    "{\"queues\":[{\"name\":\"%s\",\"capacity\":%lld}],\"concerts\":[{\"title\":\"Rehearsal %s\",\"artist\":\"jari bench\","
	    "\"venue\":\"nowhere\",\"queue\":\"%s\",\"shows\":[",
	    api->run, (long long)capacity, api->run, api->run);
	for (int64_t i = 0; i < shows; i++) {
		(void)text_instant_format(((int64_t)now.tv_sec + (SHOW_DAYS_AHEAD + i) * DAY_SECONDS) * 1000, instant);
		buf_printf(out, "%s{\"startsAt\":\"%s\",\"seats\":[{\"section\":\"A\",\"from\":1,\"to\":%lld,\"price\":%lld}]}",
		           i > 0 ? "," : "", instant, (long long)seats, (long long)o->price);
	}
	buf_str(out, "]}]}");
}

/* Reads the ids of an array such as "showIds":[1,2,3]. */
static size_t read_ids(const struct buf *body, struct text name, int64_t *out, size_t room)
{
	struct text rest;
	size_t n = 0, at = 1;

	if (!reply_find(buf_view(body), name, &rest) || rest.n == 0 || rest.p[0] != '[')
		return 0;
	while (n < room && at < rest.n && rest.p[at] != ']') {
		size_t from = at;

		while (at < rest.n && rest.p[at] >= '0' && rest.p[at] <= '9')
			at++;
		if (!text_to_int((struct text){rest.p + from, at - from}, 1, INT64_MAX, &out[n]))
			return 0;
		n++;
		while (at < rest.n && (rest.p[at] == ',' || rest.p[at] == ' '))
			at++;
	}
	return n;
}

bool api_set_up(struct api *api, const struct bench_options *o, int64_t capacity, int64_t shows, int64_t seats,
                char error[CLI_ERROR_SIZE])
{
	struct buf json = {0}, body = {0};
	int64_t *ids = mem_alloc((size_t)shows * sizeof(*ids));
	bool ok = false;
	int status;

	if (api->admin_key == NULL) {
		(void)snprintf(
		    error, CLI_ERROR_SIZE,
		    "this adds a concert, which takes the organiser's key; give it with --admin-key-file or JARI_ADMIN_KEY "
		    "(beside the server's store there is a file STORE.admin-key)");
		goto done;
	}
	write_catalogue(api, o, capacity, shows, seats, &json);
	status = api_call(api, o, "POST", "/api/admin/catalogue", &json, &body, error);
	if (status != 201) {
		(void)refused("adding a concert", status, &body, error);
		goto done;
	}
	if (read_ids(&body, TEXT("\"queueIds\":"), &api->queue_id, 1) != 1 ||
	    read_ids(&body, TEXT("\"concertIds\":"), &api->concert_id, 1) != 1 ||
	    read_ids(&body, TEXT("\"showIds\":"), ids, (size_t)shows) != (size_t)shows) {
		(void)snprintf(error, CLI_ERROR_SIZE, "the server's answer to the new concert does not name its ids");
		goto done;
	}
	api->shows = ids;
	api->show_count = (size_t)shows;
	ids = NULL;
	ok = true;
done:
	free(ids);
	buf_free(&json);
	buf_free(&body);
	return ok;
}

static bool patch(const struct api *api, const struct bench_options *o, const char *json, char error[CLI_ERROR_SIZE])
{
	struct buf text = {0}, body = {0};
	char path[64];
	int status;

	(void)snprintf(path, sizeof(path), "/api/admin/queues/%lld", (long long)api->queue_id);
	buf_str(&text, json);
	status = api_call(api, o, "PATCH", path, &text, &body, error);
	if (status != 200)
		(void)refused("changing the queue", status, &body, error);
	buf_free(&text);
	buf_free(&body);
	return status == 200;
}

bool api_pause(const struct api *api, const struct bench_options *o, char error[CLI_ERROR_SIZE])
{
	return patch(api, o, "{\"paused\":true}", error);
}

bool api_capacity(const struct api *api, const struct bench_options *o, int64_t capacity, char error[CLI_ERROR_SIZE])
{
	char json[64];

	(void)snprintf(json, sizeof(json), "{\"capacity\":%lld,\"paused\":false}", (long long)capacity);
	return patch(api, o, json, error);
}
