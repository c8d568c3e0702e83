/* openapi.h: how a route describes itself, and the OpenAPI 3.1 document that comes of all of them.
 *
 * A description names what only the route knows. What follows from the table (path parameters, security, the errors of every body or
 * token) is added by openapi_build, so it is written once.
 * Ownership: descriptions are constants; the document is the caller's buffer. Threads: any. Errors: openapi_build is false when a route
 * has no description, or names a schema that there is none of. */
#ifndef JARI_HTTP_OPENAPI_H
#define JARI_HTTP_OPENAPI_H

#include "base/buf.h"
#include "core/errors.h"
#include "http/http.h"

#define OPENAPI_QUERY_MAX 5
#define OPENAPI_SUCCESS_MAX 3
#define OPENAPI_CODES_MAX 12

struct openapi_query {
	const char *name;
	const char *schema; /* JSON, with ' for " */
	const char *says;
};

/* Headers that a success may carry; bits. */
enum openapi_header { OPENAPI_RETRY_AFTER = 1, OPENAPI_ETAG = 2, OPENAPI_DISPOSITION = 4 };

struct openapi_success {
	int status;
	const char *says;
	const char *schema; /* a component's name; NULL: not JSON */
	const char *type;   /* the media type when it is not application/json; NULL with a NULL schema: no body */
	unsigned headers;
};

/* How a route's requests are counted for the limits of their address (throttle.h). */
enum http_rate {
	HTTP_RATE_COUNTED,
	HTTP_RATE_FREE, /* not at all */
	HTTP_RATE_KEY,  /* not with the organiser's key */
	HTTP_RATE_PLACE /* and for the limit of places in line */
};

struct http_route_doc {
	const char *id, *tag, *summary;
	const char *says;    /* more, in Markdown; may be NULL */
	const char *request; /* the component that the body is; NULL: none */
	/* HTTP_AUTH_SIGN_IN, of a server where users sign in elsewhere: what then is said, and the schema of the body as JSON with ' for " */
	const char *sign_in_says, *sign_in_request;
	bool keyed;       /* takes an Idempotency-Key */
	bool conditional; /* takes If-None-Match */
	enum http_rate rate;
	bool any_query; /* its query is not looked at: links are passed on with what others add to them */
	bool stored;    /* a GET that asks the store (a change always does) */
	struct openapi_query query[OPENAPI_QUERY_MAX];       /* ended by one without a name */
	struct openapi_success success[OPENAPI_SUCCESS_MAX]; /* ended by one without a status */
	enum core_code codes[OPENAPI_CODES_MAX];             /* the route's own; ended by CORE_OK */
};

/* The component schemas (openapi_schemas.c): a name and JSON with ' for ". */
struct openapi_schema {
	const char *name, *json;
};
extern const struct openapi_schema openapi_schemas[];
extern const size_t openapi_schema_count;

/* The members that a code's problem has of its own, always; NULL when it has none. */
struct openapi_members {
	const char *names;      /* JSON texts with ' for ", separated by commas */
	const char *properties; /* as JSON Schema, likewise */
};
const struct openapi_members *openapi_code_members(enum core_code code);

/* Writes the document; `sign_in`: of a server where users sign in elsewhere. */
bool openapi_build(const struct http_route *routes, size_t count, const char *version, bool sign_in, struct buf *out);

#endif
