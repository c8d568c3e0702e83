/* route.h: which route a request is for, and the checks that stand before a handler, in the contract's order:
 * (transport limits: receive.c) -> limit of the address (429) -> route (404) -> method (405) -> token (401) -> limit of the user (429) ->
 * body (400, 415) -> handler.
 *
 * The table of routes is compiled once into paths with their methods. Literal segments win over parameters; a parameter matches a
 * positive 64-bit integer and nothing else, but {file} matches any one segment, which the handler takes from req->path; a trailing slash
 * makes another path.
 * Ownership: http_router_free frees; the table stays the caller's. Threads: a router is read-only, any thread.
 * Errors: a wrong table is told when it is compiled. */
#ifndef JARI_HTTP_ROUTE_H
#define JARI_HTTP_ROUTE_H

#include "http/http.h"

#define HTTP_ROUTER_ERROR_SIZE 192
#define HTTP_PATH_SEGMENTS_MAX 8

struct http_router;

/* NULL with a line in `error` when the table is wrong: a path without a leading slash, two routes alike, too many parameters. */
struct http_router *http_router_new(const struct http_route *routes, size_t count, char error[HTTP_ROUTER_ERROR_SIZE]);
void http_router_free(struct http_router *r);

struct http_match {
	const struct http_route *route; /* NULL: none of that path and method */
	const char *allow;              /* the methods of the path; NULL: no such path */
	int64_t ids[HTTP_PATH_IDS_MAX];
};
/* HEAD finds the GET route of a path that has no HEAD of its own. */
struct http_match http_router_match(const struct http_router *r, enum http_method method, struct text path);
/* Every method of the table: what OPTIONS * answers. */
const char *http_router_methods(const struct http_router *r);

/* Limits, route, method, token. False after answering, or when the request waits for its ticket: it comes back through `resume`. */
bool http_route_admit(struct http_request *req, const struct http_match *match);
/* Query, idempotency key, type of the body. False after answering. */
bool http_route_inputs(struct http_request *req, struct text query, int idempotency_keys);

#endif
