#include "http/openapi.h"
#include "http/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Descriptions and schemas are written with ' for ", so that they can be read in C. */
static void add_quoted(struct buf *b, const char *json)
{
	for (const char *p = json; *p != '\0'; p++)
		buf_char(b, *p == '\'' ? '"' : *p);
}

/* A value that is JSON already. */
static void put_json(struct json_out *o, const char *json)
{
	if (o->comma)
		buf_char(o->b, ',');
	add_quoted(o->b, json);
	o->comma = true;
}

static void kv_json(struct json_out *o, const char *key, const char *json)
{
	jo_key(o, key);
	put_json(o, json);
}

static void put_ref(struct json_out *o, const char *kind, const char *name)
{
	char ref[96];

	(void)snprintf(ref, sizeof(ref), "#/components/%s/%s", kind, name);
	jo_object(o);
	jo_kv_str(o, "$ref", ref);
	jo_end_object(o);
}

static void kv_ref(struct json_out *o, const char *key, const char *kind, const char *name)
{
	jo_key(o, key);
	put_ref(o, kind, name);
}

/* ---- which errors an operation can give ---- */

static bool is_change(const struct http_route *route)
{
	return route->method == HTTP_POST || route->method == HTTP_PATCH || route->method == HTTP_DELETE;
}

/* The codes that follow from the table: limits of the transport, token, body, path and store. */
static void common_codes(const struct http_route *route, bool has[CORE_CODE_COUNT])
{
	/* a request that is no HTTP, or that goes past a limit */
	has[CORE_INVALID_REQUEST] = has[CORE_METHOD_NOT_ALLOWED] = has[CORE_HEADERS_TOO_LARGE] = has[CORE_BODY_TOO_LARGE] = true;
	has[CORE_OVERLOADED] = has[CORE_NOT_IMPLEMENTED] = true;
	has[CORE_RATE_LIMITED] = route->doc->rate != HTTP_RATE_FREE;
	if (route->auth != HTTP_AUTH_NONE)
		has[CORE_TOKEN_REQUIRED] = has[CORE_TOKEN_INVALID] = true;
	if (route->body != HTTP_BODY_NONE)
		has[CORE_UNSUPPORTED_MEDIA_TYPE] = true;
	if (strchr(route->path, '{') != NULL)
		has[CORE_NOT_FOUND] = true; /* an id that is none */
	if (is_change(route) || route->doc->stored)
		has[CORE_STORE_UNAVAILABLE] = true;
	if (route->doc->keyed)
		has[CORE_IDEMPOTENCY_KEY_REUSED] = true;
}

static void find_codes(const struct http_route *route, bool has[CORE_CODE_COUNT])
{
	memset(has, 0, CORE_CODE_COUNT * sizeof(*has));
	common_codes(route, has);
	for (size_t i = 0; i < OPENAPI_CODES_MAX && route->doc->codes[i] != CORE_OK; i++)
		has[route->doc->codes[i]] = true;
}

/* ---- responses ---- */

static void key_status(struct json_out *o, int status)
{
	char key[8];

	(void)snprintf(key, sizeof(key), "%d", status);
	jo_key(o, key);
}

static void put_success_headers(struct json_out *o, unsigned headers, bool keyed)
{
	if (headers == 0 && !keyed)
		return;
	jo_key(o, "headers");
	jo_object(o);
	if ((headers & OPENAPI_RETRY_AFTER) != 0)
		kv_ref(o, "Retry-After", "headers", "RetryAfterWaiting");
	if ((headers & OPENAPI_ETAG) != 0)
		kv_ref(o, "ETag", "headers", "ETag");
	if ((headers & OPENAPI_DISPOSITION) != 0)
		kv_ref(o, "Content-Disposition", "headers", "ContentDisposition");
	if (keyed)
		kv_ref(o, "Idempotent-Replayed", "headers", "IdempotentReplayed");
	jo_end_object(o);
}

static void put_content(struct json_out *o, const struct openapi_success *s)
{
	if (s->schema == NULL && s->type == NULL)
		return;
	jo_key(o, "content");
	jo_object(o);
	jo_key(o, s->type != NULL ? s->type : "application/json");
	jo_object(o);
	if (s->schema != NULL)
		kv_ref(o, "schema", "schemas", s->schema);
	else if (s->type != NULL && strncmp(s->type, "text/", 5) == 0)
		kv_json(o, "schema", "{'type':'string'}");
	jo_end_object(o);
	jo_end_object(o);
}

static void put_successes(struct json_out *o, const struct http_route_doc *doc)
{
	for (size_t i = 0; i < OPENAPI_SUCCESS_MAX && doc->success[i].status != 0; i++) {
		key_status(o, doc->success[i].status);
		jo_object(o);
		jo_kv_str(o, "description", doc->success[i].says);
		put_success_headers(o, doc->success[i].headers, doc->keyed);
		put_content(o, &doc->success[i]);
		jo_end_object(o);
	}
}

/* What goes with a status of errors. */
static void put_error_headers(struct json_out *o, int status, const bool has[CORE_CODE_COUNT])
{
	const char *name = NULL, *ref = NULL;

	if (status == 401) {
		name = "WWW-Authenticate";
		ref = "WwwAuthenticate";
	} else if (status == 405) {
		name = ref = "Allow";
	} else if (status == 429 || status == 503) {
		name = "Retry-After";
		ref = "RetryAfter";
	} else if (status == 403 && has[CORE_NOT_ADMITTED]) {
		name = "Retry-After";
		ref = "RetryAfterWaiting";
	}
	if (name == NULL)
		return;
	jo_key(o, "headers");
	jo_object(o);
	kv_ref(o, name, "headers", ref);
	if (status == 429) {
		kv_ref(o, "RateLimit", "headers", "RateLimit");
		kv_ref(o, "RateLimit-Policy", "headers", "RateLimitPolicy");
	}
	jo_end_object(o);
}

static bool says(const bool has[CORE_CODE_COUNT], int code, int status)
{
	return has[code] && core_code_status((enum core_code)code) == status;
}

/* How many codes of that status bring members of their own, or bring none. */
static size_t count_codes(int status, const bool has[CORE_CODE_COUNT], bool with_members)
{
	size_t n = 0;

	for (int c = 1; c < CORE_CODE_COUNT; c++)
		n += says(has, c, status) && (openapi_code_members((enum core_code)c) != NULL) == with_members;
	return n;
}

/* "code": one of those of that status, or of those of them that bring no members. */
static void put_codes(struct json_out *o, int status, const bool has[CORE_CODE_COUNT], bool without_members)
{
	jo_key(o, "code");
	jo_object(o);
	jo_key(o, "enum");
	jo_array(o);
	for (int c = 1; c < CORE_CODE_COUNT; c++) {
		if (says(has, c, status) && !(without_members && openapi_code_members((enum core_code)c) != NULL))
			jo_str(o, core_code_name((enum core_code)c));
	}
	jo_end_array(o);
	jo_end_object(o);
}

/* The part of a problem that this operation narrows down: its codes, and the members that they bring. */
static void put_problem_part(struct json_out *o, int status, const bool has[CORE_CODE_COUNT])
{
	jo_object(o);
	jo_kv_str(o, "type", "object");
	jo_key(o, "properties");
	jo_object(o);
	put_codes(o, status, has, false);
	for (int c = 1; c < CORE_CODE_COUNT; c++) {
		const struct openapi_members *members = openapi_code_members((enum core_code)c);

		if (says(has, c, status) && members != NULL)
			put_json(o, members->properties);
	}
	jo_end_object(o);
	jo_end_object(o);
}

/* Which code has which of these members: each of them is an alternative that has to have its own. */
static void put_alternatives(struct json_out *o, int status, const bool has[CORE_CODE_COUNT])
{
	char required[96];

	jo_object(o);
	jo_key(o, "oneOf");
	jo_array(o);
	for (int c = 1; c < CORE_CODE_COUNT; c++) {
		const struct openapi_members *members = openapi_code_members((enum core_code)c);

		if (!says(has, c, status) || members == NULL)
			continue;
		jo_object(o);
		jo_kv_str(o, "title", core_code_name((enum core_code)c));
		jo_key(o, "properties");
		jo_object(o);
		jo_key(o, "code");
		jo_object(o);
		jo_kv_str(o, "const", core_code_name((enum core_code)c));
		jo_end_object(o);
		jo_end_object(o);
		(void)snprintf(required, sizeof(required), "[%s]", members->names);
		kv_json(o, "required", required);
		jo_end_object(o);
	}
	if (count_codes(status, has, false) > 0) {
		jo_object(o);
		jo_kv_str(o, "title", "without members of its own");
		jo_key(o, "properties");
		jo_object(o);
		put_codes(o, status, has, true);
		jo_end_object(o);
		jo_end_object(o);
	}
	jo_end_array(o);
	jo_end_object(o);
}

/* " With `balance` and `required`." */
static void say_members(struct buf *text, enum core_code code)
{
	const struct openapi_members *members = openapi_code_members(code);

	if (members == NULL)
		return;
	buf_str(text, " With ");
	for (const char *p = members->names; *p != '\0'; p++) {
		if (*p == ',')
			buf_str(text, " and ");
		else
			buf_char(text, *p == '\'' ? '`' : *p);
	}
	buf_char(text, '.');
}

static void put_problem_text(struct json_out *o, int status, const bool has[CORE_CODE_COUNT])
{
	struct buf text = {0};

	for (int c = 1; c < CORE_CODE_COUNT; c++) {
		if (!says(has, c, status))
			continue;
		buf_printf(&text, "%s`%s`: %s.", text.n > 0 ? " " : "", core_code_name((enum core_code)c),
		           core_code_title((enum core_code)c));
		say_members(&text, (enum core_code)c);
	}
	jo_kv_text(o, "description", buf_view(&text));
	buf_free(&text);
}

static void put_error(struct json_out *o, int status, const bool has[CORE_CODE_COUNT])
{
	key_status(o, status);
	jo_object(o);
	put_problem_text(o, status, has);
	put_error_headers(o, status, has);
	jo_key(o, "content");
	jo_object(o);
	jo_key(o, "application/problem+json");
	jo_object(o);
	jo_key(o, "schema");
	jo_object(o);
	jo_key(o, "allOf");
	jo_array(o);
	put_ref(o, "schemas", "Problem");
	put_problem_part(o, status, has);
	if (count_codes(status, has, true) > 0)
		put_alternatives(o, status, has);
	jo_end_array(o);
	jo_end_object(o);
	jo_end_object(o);
	jo_end_object(o);
	jo_end_object(o);
}

static void put_responses(struct json_out *o, const struct http_route *route)
{
	bool has[CORE_CODE_COUNT];

	find_codes(route, has);
	jo_key(o, "responses");
	jo_object(o);
	put_successes(o, route->doc);
	for (int status = 400; status < 600; status++) {
		bool any = false;

		for (int c = 1; c < CORE_CODE_COUNT; c++)
			any |= says(has, c, status);
		if (any)
			put_error(o, status, has);
	}
	jo_end_object(o);
}

/* ---- what goes in ---- */

static void put_parameter(struct json_out *o, const char *in, struct text name, bool required, const char *schema,
                          const char *says)
{
	jo_object(o);
	jo_kv_text(o, "name", name);
	jo_kv_str(o, "in", in);
	jo_kv_bool(o, "required", required);
	if (says != NULL)
		jo_kv_str(o, "description", says);
	kv_json(o, "schema", schema);
	jo_end_object(o);
}

static void put_path_parameters(struct json_out *o, const char *path)
{
	for (const char *open = strchr(path, '{'); open != NULL; open = strchr(open + 1, '{')) {
		const char *close = strchr(open, '}');

		if (close == NULL)
			return;
		struct text name = {open + 1, (size_t)(close - open - 1)};
		put_parameter(o, "path", name, true,
		              text_equal(name, TEXT("file")) ? "{'type':'string'}"
		                                             : "{'type':'integer','format':'int64','minimum':1}",
		              NULL);
	}
}

static void put_parameters(struct json_out *o, const struct http_route *route)
{
	const struct http_route_doc *doc = route->doc;

	if (strchr(route->path, '{') == NULL && doc->query[0].name == NULL && !doc->keyed && !doc->conditional)
		return;
	jo_key(o, "parameters");
	jo_array(o);
	put_path_parameters(o, route->path);
	for (size_t i = 0; i < OPENAPI_QUERY_MAX && doc->query[i].name != NULL; i++)
		put_parameter(o, "query", text_of(doc->query[i].name), false, doc->query[i].schema, doc->query[i].says);
	if (doc->keyed)
		put_ref(o, "parameters", "IdempotencyKey");
	if (doc->conditional)
		put_ref(o, "parameters", "IfNoneMatch");
	jo_end_array(o);
}

static void put_request(struct json_out *o, const struct http_route *route)
{
	if (route->body == HTTP_BODY_NONE || route->doc->request == NULL)
		return;
	jo_key(o, "requestBody");
	jo_object(o);
	jo_kv_bool(o, "required", route->body == HTTP_BODY_REQUIRED);
	jo_key(o, "content");
	jo_object(o);
	jo_key(o, "application/json");
	jo_object(o);
	if (route->auth == HTTP_AUTH_SIGN_IN)
		kv_json(o, "schema", route->doc->sign_in_request);
	else
		kv_ref(o, "schema", "schemas", route->doc->request);
	jo_end_object(o);
	jo_end_object(o);
	jo_end_object(o);
}

static void put_security(struct json_out *o, enum http_auth auth)
{
	jo_key(o, "security");
	jo_array(o);
	if (auth != HTTP_AUTH_NONE) {
		jo_object(o);
		jo_key(o, auth == HTTP_AUTH_ADMIN ? "adminKey" : auth == HTTP_AUTH_SIGN_IN ? "signIn" : "token");
		jo_array(o);
		jo_end_array(o);
		jo_end_object(o);
	}
	jo_end_array(o);
}

/* ---- paths ---- */

/* A route as this server has it. */
struct shown {
	struct http_route route;
	struct http_route_doc doc;
};

static void show(struct shown *out, const struct http_route *route, bool sign_in)
{
	out->route = *route;
	out->doc = *route->doc;
	out->route.doc = &out->doc;
	if (route->auth != HTTP_AUTH_SIGN_IN)
		return;
	if (!sign_in) {
		out->route.auth = HTTP_AUTH_NONE;
		return;
	}
	out->doc.says = route->doc->sign_in_says;
	out->route.body = HTTP_BODY_OPTIONAL;
}

static const char *method_key(enum http_method method)
{
	switch (method) {
	case HTTP_GET:
		return "get";
	case HTTP_POST:
		return "post";
	case HTTP_PATCH:
		return "patch";
	case HTTP_DELETE:
		return "delete";
	case HTTP_PUT:
		return "put";
	case HTTP_HEAD:
		return "head";
	case HTTP_OPTIONS:
	case HTTP_OTHER:
		break;
	}
	return "options";
}

static void put_operation(struct json_out *o, const struct http_route *route)
{
	const struct http_route_doc *doc = route->doc;

	jo_key(o, method_key(route->method));
	jo_object(o);
	jo_kv_str(o, "operationId", doc->id);
	jo_key(o, "tags");
	jo_array(o);
	jo_str(o, doc->tag);
	jo_end_array(o);
	jo_kv_str(o, "summary", doc->summary);
	if (doc->says != NULL)
		jo_kv_str(o, "description", doc->says);
	put_security(o, route->auth);
	put_parameters(o, route);
	put_request(o, route);
	put_responses(o, route);
	jo_end_object(o);
}

static bool path_seen(const struct shown *routes, size_t before, const char *path)
{
	for (size_t i = 0; i < before; i++) {
		if (strcmp(routes[i].route.path, path) == 0)
			return true;
	}
	return false;
}

/* One object a path, with every method that the table has for it. */
static void put_paths(struct json_out *o, const struct shown *routes, size_t count)
{
	jo_key(o, "paths");
	jo_object(o);
	for (size_t i = 0; i < count; i++) {
		const char *path = routes[i].route.path;

		if (path_seen(routes, i, path))
			continue;
		jo_key(o, path);
		jo_object(o);
		for (size_t j = i; j < count; j++) {
			if (strcmp(routes[j].route.path, path) == 0)
				put_operation(o, &routes[j].route);
		}
		jo_end_object(o);
	}
	jo_end_object(o);
}

/* ---- components ---- */

static void put_security_schemes(struct json_out *o, bool sign_in)
{
	jo_key(o, "securitySchemes");
	jo_object(o);
	kv_json(o, "token",
	        "{'type':'http','scheme':'bearer','bearerFormat':'UUID','description':'The `token` of `POST /api/getToken`.'}");
	kv_json(o, "adminKey", "{'type':'http','scheme':'bearer','description':'The key that the server was started with.'}");
	if (sign_in)
		kv_json(
		    o, "signIn",
		    "{'type':'http','scheme':'bearer','bearerFormat':'JWT','description':'A signed token of the organiser\xe2\x80\x99"
		    "s sign-in.'}");
	jo_end_object(o);
}

static void put_components(struct json_out *o, bool sign_in)
{
	jo_key(o, "components");
	jo_object(o);
	put_security_schemes(o, sign_in);
	kv_json(
	    o, "parameters",
	    "{'IdempotencyKey':{'name':'Idempotency-Key','in':'header','required':false,"
	    "'description':'The same key with the same request gives the first answer again and has no second effect. Keys live for 24 hours.',"
	    "'schema':{'type':'string','minLength':1,'maxLength':255,'pattern':'^[!-~]+$'}},"
	    "'IfNoneMatch':{'name':'If-None-Match','in':'header','required':false,"
	    "'description':'The ETag of the version that the client has.','schema':{'type':'string'}}}");
	kv_json(
	    o, "headers",
	    "{'RetryAfter':{'description':'Seconds after which to try again.','schema':{'type':'integer','minimum':0}},"
	    "'RateLimit':{'description':'`\\\"LIMIT\\\";r=LEFT;t=SECONDS`: what is left of the limit, and after how many seconds there is more. LIMIT is "
	    "`address`, `tokens` or `user`. As in draft-ietf-httpapi-ratelimit-headers-10.','schema':{'type':'string'}},"
	    "'RateLimitPolicy':{'description':'`\\\"LIMIT\\\";q=REQUESTS;w=SECONDS`: how many requests are allowed in how many seconds, which may also come all "
	    "at once. From the same draft.','schema':{'type':'string'}},"
	    "'RetryAfterWaiting':{'description':'Seconds after which to ask again; only while the ticket waits.','schema':{'type':'integer','minimum':0}},"
	    "'ETag':{'description':'Names this version.','schema':{'type':'string'}},"
	    "'ContentDisposition':{'description':'`attachment`, with a name for the file.','schema':{'type':'string'}},"
	    "'IdempotentReplayed':{'description':'`true` when this is the answer of an earlier request with the same key.',"
	    "'schema':{'type':'string','const':'true'}},"
	    "'WwwAuthenticate':{'description':'`Bearer realm=\\\"jari\\\"`; of a token that is not good also `error=\\\"invalid_token\\\"` (RFC 6750).','schema':{'type':'string'}},"
	    "'Allow':{'description':'The methods that the path has.','schema':{'type':'string'}}}");
	jo_key(o, "schemas");
	jo_object(o);
	for (size_t i = 0; i < openapi_schema_count; i++)
		kv_json(o, openapi_schemas[i].name, openapi_schemas[i].json);
	jo_end_object(o);
	jo_end_object(o);
}

_Static_assert(JARI_QUERY_PARAMS_MAX == 16, "the description names the limit");

static void put_info(struct json_out *o, const char *version)
{
	jo_kv_str(o, "openapi", "3.1.0");
	jo_key(o, "info");
	jo_object(o);
	jo_kv_str(o, "title", "Jari");
	jo_kv_str(o, "version", version);
	jo_kv_str(
	    o, "description",
	    "Concert tickets: a waiting line that keeps its order, seats held for some minutes, a prepaid wallet, payment.\n\n"
	    "Ids are positive integers. Money is an integer number of won. Instants are RFC 3339 in UTC. A `date` is the show's local date. "
	    "Unknown members are ignored. A query has at most 16 parameters. Every error is a problem document (RFC 9457) with a stable `code`.");
	jo_end_object(o);
}

/* ---- the document ---- */

static bool schema_known(const char *name)
{
	for (size_t i = 0; i < openapi_schema_count; i++) {
		if (name == NULL || strcmp(openapi_schemas[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool doc_complete(const struct http_route_doc *doc)
{
	if (doc == NULL || doc->id == NULL || doc->tag == NULL || doc->summary == NULL || doc->success[0].status == 0)
		return false;
	for (size_t i = 0; i < OPENAPI_SUCCESS_MAX && doc->success[i].status != 0; i++) {
		if (!schema_known(doc->success[i].schema))
			return false;
	}
	return schema_known(doc->request);
}

bool openapi_build(const struct http_route *routes, size_t count, const char *version, bool sign_in, struct buf *out)
{
	struct json_out o;

	for (size_t i = 0; i < count; i++) {
		if (!doc_complete(routes[i].doc))
			return false;
	}
	struct shown *shown = mem_zero(count * sizeof(*shown));
	for (size_t i = 0; i < count; i++)
		show(&shown[i], &routes[i], sign_in);
	jo_begin(&o, out);
	jo_object(&o);
	put_info(&o, version);
	put_paths(&o, shown, count);
	put_components(&o, sign_in);
	jo_end_object(&o);
	free(shown);
	return true;
}
