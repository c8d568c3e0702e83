/* http.h: what a resource sees of the server: a request with its parts checked, and ways to answer it.
 *
 * The server (server.c) reads, the router (route.c) matches and checks in the contract's order (transport limits, route, method, token, body),
 * and then calls the route's handler, on the request's own thread. A handler answers at once, or hands the request on (http_submit,
 * http_read) and answers when it comes back. Handlers have no rules: they turn JSON into a command and a reply into JSON.
 *
 * Ownership: a request and everything in its arena lives until it is answered; each is answered exactly once, by one of the
 * functions below, and must not be touched after. Threads: all of this on the request's thread. */
#ifndef JARI_HTTP_HTTP_H
#define JARI_HTTP_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/seal.h"
#include "core/core.h"
#include "engine/engine.h"

#include <stdatomic.h>

struct http_conn;     /* server.c */
struct http_thread;   /* server.c */
struct http_throttle; /* throttle.h */
struct sign_in;       /* sign_in.h */
struct http_request;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PATCH, HTTP_DELETE, HTTP_PUT, HTTP_OPTIONS, HTTP_OTHER };

enum http_auth {
	HTTP_AUTH_NONE,
	HTTP_AUTH_SIGN_IN,   /* where users sign in elsewhere: a token of that sign-in; else nothing */
	HTTP_AUTH_TOKEN,     /* a token whose ticket is known and opens (core_token_opens) */
	HTTP_AUTH_ADMIN,     /* the admin key */
	HTTP_AUTH_ANY_TICKET /* a token whose ticket is known, in any state */
};

enum http_body {
	HTTP_BODY_NONE,     /* a body is ignored */
	HTTP_BODY_REQUIRED, /* JSON; empty is 400 with a missing member */
	HTTP_BODY_OPTIONAL  /* JSON; empty counts as {} */
};

/* One member of the problem documents and one line of the OpenAPI description: see openapi.h for how a route describes itself. */
struct http_route_doc;

/* One route. Routing, 404, 405 with Allow, authentication, body limits and openapi.json all come from the one table of these. */
struct http_route {
	enum http_method method;
	const char
	    *path; /* "/api/booking/{concertId}/list/time"; a {parameter} is a positive 64-bit integer, {file} any one segment */
	enum http_auth auth;
	enum http_body body;
	size_t body_max; /* bytes */
	void (*handle)(struct http_request *req);
	const struct http_route_doc *doc;
};

#define HTTP_PATH_IDS_MAX 2

struct http_param {
	struct text name, value; /* decoded */
};

struct rendered;

struct http_request {
	/* what came in */
	enum http_method method;
	struct text method_name;
	struct text path;   /* decoded, without the query */
	struct text target; /* the path as sent, without the query: what an idempotency digest covers */
	struct http_param params[JARI_QUERY_PARAMS_MAX];
	size_t param_count;
	struct text authorization, content_type, if_none_match, idempotency_key;
	struct text accept_encoding; /* empty: none */
	bool has_authorization, has_content_type, has_if_none_match, has_idempotency_key;
	struct text body;

	/* what the router found */
	const struct http_route *route;
	int64_t ids[HTTP_PATH_IDS_MAX];     /* the path's parameters in order */
	struct core_ticket ticket;          /* HTTP_AUTH_TOKEN: as stored; core_ticket_at gives it as it is now */
	int64_t now;                        /* the instant that this request is looked at */
	int64_t patience_us;                /* until when its ticket is waited for (route.c); 0: it is not */
	bool early;                         /* its body is not read yet: nothing is waited for, and it is looked at again */
	bool address_counted, user_counted; /* against their limits (throttle.h) */
	struct text subject;                /* HTTP_AUTH_SIGN_IN, where users sign in elsewhere: who it is */

	/* for the handler */
	struct arena *arena;
	struct http_app *app;
	struct seal *seal;         /* this thread's, … */
	struct rendered *rendered; /* … as this (rendered.h) */
	struct buf answer;         /* empty, for what is written into the answer; kept for the next request */
	struct engine_job job;
	struct engine_read read;
	void (*resume)(struct http_request *req); /* called on the request's thread when the job or read is done */
	void *state;                              /* the handler's own */

	/* the server's */
	struct http_conn *conn;
	struct http_thread *thread;
	struct http_request *next_done;
	struct buf extra_headers; /* "Name: value\r\n" lines */
	int64_t began_us;
};

/* What every thread shares. */
struct http_app {
	struct engine *engine;
	const char *admin_key; /* terminated */
	struct core_rules rules;
	int64_t active_seconds, hold_seconds;
	struct text openapi;            /* the document, made at start */
	struct http_metrics *metrics;   /* metrics.h */
	struct http_throttle *throttle; /* throttle.h; NULL: nothing is limited */
	const char *version;
	_Atomic bool leaving;        /* http_server_leave */
	const char *frame_ancestors; /* who may show the pages in a frame: a list for the policy; NULL: nobody */
	bool secure;                 /* TLS is spoken here */
	struct sign_in *sign_in;     /* sign_in.h; NULL: a name is all that is asked for */
};

/* ---- answering ---- */

/* Adds a header line to the answer. */
void http_header(struct http_request *req, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with a value as it is. */
void http_header_text(struct http_request *req, const char *name, struct text value);
void http_header_int(struct http_request *req, const char *name, int64_t value);
/* Answers; the bytes are copied. An empty type sends no Content-Type. 204 and 304 send no body. HEAD sends the length alone. */
void http_answer(struct http_request *req, int status, const char *content_type, struct text body);
/* Answers with bytes that live as long as the process (files built in), without copying. */
void http_answer_static(struct http_request *req, int status, const char *content_type, struct text body);
/* Answers with a JSON buffer; frees nothing. */
void http_json(struct http_request *req, int status, const struct buf *body);

/* Answers with a problem document (RFC 9457): type, title, status, detail, code. */
void http_problem(struct http_request *req, enum core_code code, const char *detail, ...) __attribute__((format(printf, 3, 4)));
/* The same with members of its own: `members` is JSON such as `"conflicts":[1,2]`. */
void http_problem_with(struct http_request *req, enum core_code code, struct text members, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
/* The body of a problem document alone, for the server's own errors. */
void http_problem_body(struct buf *out, enum core_code code, struct text members, const char *detail);
/* Answers 503 OVERLOADED: come back in some seconds, which are drawn by lot. */
void http_overloaded(struct http_request *req, const char *detail);
/* Answers a command's error with its code, its members and a sentence (reply.c). */
void http_refuse(struct http_request *req, const struct core_reply *reply);

/* Long answers: chunked. Begin, then pieces; `more` is called on the request's thread whenever what was sent has drained, and
 * answers with another piece or the end. When the client is gone the server calls `more` no more and frees the request. */
void http_stream_begin(struct http_request *req, int status, const char *content_type, void (*more)(struct http_request *req));
void http_stream_piece(struct http_request *req, struct text bytes);
void http_stream_end(struct http_request *req);

/* Answers that time goes on writing (server-sent events): chunked, and the connection's last. The request is given back at once; what stays is
 * the connection and a copy of the handler's `state`, so thousands of them cost little. `more` is called now, and from then on every
 * HTTP_FEED_MS, on the connection's thread, unless what it wrote before has not been sent yet: nothing piles up for a slow reader. It adds what
 * is new at the end of turn->out, as a rule nothing, and must be quick. False: that was the last. The server ends it when the client is
 * gone, has taken nothing for the time that it has for that, or when it stops. */
struct http_feed_turn {
	struct http_app *app;
	struct seal *seal;         /* this thread's, … */
	struct rendered *rendered; /* … as this (rendered.h) */
	struct buf answer;         /* empty, for what is written into the answer; kept for the next request */
	int64_t now;
	int64_t elapsed_us;             /* of the monotonic clock */
	int64_t quiet_us, heartbeat_us; /* for how long nothing has been written; after how long something should be */
	struct buf *out;
};
/* False after answering 503: there are as many as there may be. Ask before anything else of the answer is written. */
bool http_feed_room(struct http_request *req);
typedef bool http_feed_fn(void *state, struct http_feed_turn *turn);
void http_feed_begin(struct http_request *req, const char *content_type, http_feed_fn *more, const void *state, size_t size);

/* ---- handing on ---- */

/* Submits req->job (cmd filled in; the rest is done here). `resume` runs when it is decided and durable. Answers 503 OVERLOADED itself
 * when the inbox is full. */
void http_submit(struct http_request *req, void (*resume)(struct http_request *req));
/* Runs req->read.run on the reader's thread. */
void http_read(struct http_request *req, enum store_result (*run)(struct engine_read *read, struct store_reader *reader),
               void (*resume)(struct http_request *req));
/* Has `resume` called a little later: the request's ticket is one that another process has just issued, and does not show here yet. False when it has
 * waited long enough, or too many wait. */
bool http_await_ticket(struct http_request *req);
/* The request that a job or a read is of. */
struct http_request *http_request_of_read(struct engine_read *read);

/* ---- reading what came in ---- */

/* A query parameter: false when it is absent. */
bool http_param(const struct http_request *req, const char *name, struct text *value);
/* `limit` and `before` of a paged route; false after answering 400. *before is 0 when absent. */
bool http_page(struct http_request *req, int64_t *limit, int64_t *before);

#endif
