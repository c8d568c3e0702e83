/* The API's description: valid JSON that says of every route what the contract says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/json.h"
#include "http/openapi.h"
#include "http/routes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *doc;

static int build_of(bool sign_in)
{
	struct buf text = {0};
	char error[JSON_ERROR_SIZE] = "";

	json_decref(doc);
	doc = NULL;
	if (!openapi_build(http_routes, http_route_count, "1.2.3", sign_in, &text))
		return -1;
	doc = json_read(buf_view(&text), error);
	if (doc == NULL)
		print_error("%s\n", error);
	buf_free(&text);
	return doc == NULL ? -1 : 0;
}

static int build(void **state)
{
	(void)state;
	return build_of(false);
}

/* The document of a server where users sign in elsewhere. */
static int build_signed_in(void **state)
{
	(void)state;
	return build_of(true);
}

static int drop(void **state)
{
	(void)state;
	json_decref(doc);
	return 0;
}

static json_t *at(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (value == NULL)
		fail_msg("there is no %s", key);
	return value;
}

static json_t *operation(const char *method, const char *path)
{
	return at(at(at(doc, "paths"), path), method);
}

static const char *const methods[] = {[HTTP_GET] = "get", [HTTP_POST] = "post", [HTTP_PATCH] = "patch", [HTTP_DELETE] = "delete"};

static json_t *operation_of(const struct http_route *route)
{
	return operation(methods[route->method], route->path);
}

static void has_every_route(void **state)
{
	size_t operations = 0;
	const char *path, *method;
	json_t *item, *op;

	(void)state;
	assert_string_equal(json_string_value(at(doc, "openapi")), "3.1.0");
	assert_string_equal(json_string_value(at(at(doc, "info"), "version")), "1.2.3");
	for (size_t i = 0; i < http_route_count; i++)
		(void)operation_of(&http_routes[i]);
	json_object_foreach(at(doc, "paths"), path, item) json_object_foreach(item, method, op) operations++;
	assert_int_equal(operations, http_route_count);
}

static void operation_ids_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < http_route_count; i++) {
		const char *id = json_string_value(at(operation_of(&http_routes[i]), "operationId"));

		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(id, json_string_value(at(operation_of(&http_routes[j]), "operationId")));
	}
}

/* ---- references ---- */

static void assert_resolves(const char *ref)
{
	char copy[128], *rest = NULL;
	json_t *here = doc;

	assert_true(strncmp(ref, "#/", 2) == 0 && strlen(ref) < sizeof(copy));
	(void)snprintf(copy, sizeof(copy), "%s", ref + 2);
	for (char *part = strtok_r(copy, "/", &rest); part != NULL; part = strtok_r(NULL, "/", &rest)) {
		here = json_object_get(here, part);
		if (here == NULL)
			fail_msg("%s leads nowhere", ref);
	}
}

static size_t follow(json_t *value)
{
	size_t found = 0, i;
	const char *key;
	json_t *child;

	if (json_is_object(value)) {
		json_object_foreach(value, key, child)
		{
			if (strcmp(key, "$ref") == 0) {
				assert_resolves(json_string_value(child));
				found++;
			}
			found += follow(child);
		}
	}
	json_array_foreach(value, i, child) found += follow(child);
	return found;
}

static void references_resolve(void **state)
{
	(void)state;
	assert_true(follow(doc) > 100);
}

/* True when something in the value refers to the component. */
static bool refers(json_t *value, const char *ref)
{
	bool yes = false;
	const char *key;
	json_t *child;
	size_t i;

	if (json_is_object(value)) {
		json_object_foreach(value, key, child) yes |=
		    (strcmp(key, "$ref") == 0 && strcmp(json_string_value(child), ref) == 0) || refers(child, ref);
	}
	json_array_foreach(value, i, child) yes |= refers(child, ref);
	return yes;
}

static void every_schema_is_used(void **state)
{
	char ref[128];

	(void)state;
	for (size_t i = 0; i < openapi_schema_count; i++) {
		(void)snprintf(ref, sizeof(ref), "#/components/schemas/%s", openapi_schemas[i].name);
		if (!refers(doc, ref))
			fail_msg("nothing uses %s", openapi_schemas[i].name);
	}
}

/* ---- the contract's answers ---- */

struct contract {
	const char *method, *path;
	const char *success; /* statuses and what they are: "201 Ticket" */
	const char *codes;   /* the codes of this route alone */
};

static const struct contract contract[] = {
    {"post", "/api/getToken", "201 Ticket,200 Ticket", "CONCERT_NOT_FOUND"},
    {"get", "/api/check", "200 Ticket", ""},
    {"get", "/api/check/events", "200 text/event-stream", ""},
    {"delete", "/api/token", "204 ", ""},
    {"get", "/api/concerts", "200 Concerts", ""},
    {"get", "/api/concerts/{concertId}", "200 Concert", "CONCERT_NOT_FOUND"},
    {"get", "/api/booking/{concertId}/list/time", "200 Dates", "CONCERT_NOT_FOUND,NOT_ADMITTED,WRONG_QUEUE"},
    {"get", "/api/booking/{concertId}/list/seats", "200 Seats,304 ",
     "CONCERT_NOT_FOUND,SHOW_NOT_FOUND,NOT_ADMITTED,WRONG_QUEUE,AMBIGUOUS_DATE"},
    {"get", "/api/booking/{concertId}/list/statuses", "200 SeatStatuses,304 ",
     "CONCERT_NOT_FOUND,SHOW_NOT_FOUND,NOT_ADMITTED,WRONG_QUEUE,AMBIGUOUS_DATE"},
    {"post", "/api/booking/{concertId}/seat", "201 Reservation",
     "CONCERT_NOT_FOUND,SHOW_NOT_FOUND,SEAT_NOT_FOUND,NOT_ADMITTED,WRONG_QUEUE,SALES_NOT_OPEN,SEAT_TAKEN,ALREADY_YOURS,LIMIT_EXCEEDED,"
     "AMBIGUOUS_DATE,IDEMPOTENCY_KEY_REUSED"},
    {"get", "/api/reservations/{reservationId}", "200 Reservation", "RESERVATION_NOT_FOUND"},
    {"delete", "/api/reservations/{reservationId}", "204 ", "RESERVATION_NOT_FOUND,NOT_HELD"},
    {"get", "/api/{userId}/reservations", "200 Reservations", "USER_NOT_FOUND"},
    {"post", "/api/{userId}/charge", "200 Balance", "USER_NOT_FOUND,BALANCE_LIMIT,IDEMPOTENCY_KEY_REUSED"},
    {"patch", "/api/{userId}/charge", "200 Balance", "USER_NOT_FOUND,BALANCE_LIMIT,IDEMPOTENCY_KEY_REUSED"},
    {"get", "/api/{userId}", "200 User", "USER_NOT_FOUND"},
    {"get", "/api/{userId}/histories", "200 Histories", "USER_NOT_FOUND"},
    {"post", "/api/{reservationId}/payment", "200 Payment",
     "RESERVATION_NOT_FOUND,ALREADY_PAID,HOLD_EXPIRED,NOT_HELD,AMOUNT_MISMATCH,INSUFFICIENT_BALANCE,IDEMPOTENCY_KEY_REUSED"},
    {"post", "/api/admin/catalogue", "201 NewIds", ""},
    {"get", "/api/admin/queues", "200 Queues", ""},
    {"patch", "/api/admin/queues/{queueId}", "200 Queue", "NOT_FOUND"},
    {"get", "/api/admin/stats", "200 Stats", ""},
    {"get", "/api/admin/concerts/{concertId}/sales.csv", "200 text/csv", "CONCERT_NOT_FOUND"},
    {"get", "/api/admin/audit-log", "200 AuditLog", ""},
    {"get", "/healthz", "200 Health", ""},
    {"get", "/readyz", "200 Health", "STORE_UNAVAILABLE,STOPPING"},
    {"get", "/metrics", "200 text/plain", ""},
    {"get", "/openapi.json", "200 application/json,304 ", ""},
    {"get", "/docs", "200 text/html,304 ", ""},
};

static void assert_success(const struct contract *c, const char *status, const char *what)
{
	json_t *response = at(at(operation(c->method, c->path), "responses"), status);
	char ref[96];

	if (what[0] == '\0') {
		assert_null(json_object_get(response, "content"));
	} else if (strchr(what, '/') != NULL) {
		(void)at(at(response, "content"), what);
	} else {
		(void)snprintf(ref, sizeof(ref), "#/components/schemas/%s", what);
		if (!refers(at(at(response, "content"), "application/json"), ref))
			fail_msg("%s %s: %s is no %s", c->method, c->path, status, what);
	}
}

/* The problem that an operation has for a code: the narrowed part of its schema, or NULL. */
static json_t *problem_with(json_t *op, const char *code)
{
	const char *status;
	json_t *response, *name;
	size_t i;

	json_object_foreach(at(op, "responses"), status, response)
	{
		json_t *all = json_object_get(
		    json_object_get(json_object_get(json_object_get(response, "content"), "application/problem+json"), "schema"),
		    "allOf");
		json_t *part = json_object_get(json_array_get(all, 1), "properties");

		json_array_foreach(json_object_get(json_object_get(part, "code"), "enum"), i, name)
		{
			if (strcmp(json_string_value(name), code) != 0)
				continue;
			for (int c = 1; c < CORE_CODE_COUNT; c++) {
				if (strcmp(core_code_name((enum core_code)c), code) == 0)
					assert_int_equal(atoi(status), core_code_status((enum core_code)c));
			}
			return part;
		}
	}
	return NULL;
}

/* Calls `look` with each piece of a list. */
static void each(const struct contract *c, const char *list, void (*look)(const struct contract *, char *piece))
{
	char copy[512], *rest = NULL;

	assert_true(strlen(list) < sizeof(copy));
	(void)snprintf(copy, sizeof(copy), "%s", list);
	for (char *piece = strtok_r(copy, ",", &rest); piece != NULL; piece = strtok_r(NULL, ",", &rest))
		look(c, piece);
}

static void look_success(const struct contract *c, char *piece)
{
	char *what = strchr(piece, ' ');

	*what = '\0';
	assert_success(c, piece, what + 1);
}

static void look_code(const struct contract *c, char *piece)
{
	if (problem_with(operation(c->method, c->path), piece) == NULL)
		fail_msg("%s %s does not say %s", c->method, c->path, piece);
}

static void says_the_contract(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(contract) / sizeof(contract[0]); i++) {
		each(&contract[i], contract[i].success, look_success);
		each(&contract[i], contract[i].codes, look_code);
	}
}

static void every_code_appears(void **state)
{
	(void)state;
	for (int c = 1; c < CORE_CODE_COUNT; c++) {
		const char *code = core_code_name((enum core_code)c);
		bool found = false;

		for (size_t i = 0; i < http_route_count; i++) {
			json_t *part = problem_with(operation_of(&http_routes[i]), code);

			found |= part != NULL;
			if (part != NULL && openapi_code_members((enum core_code)c) != NULL)
				assert_true(json_object_size(part) > 1);
		}
		if (!found)
			fail_msg("no route says %s", code);
	}
}

/* What the contract's table puts beside a code. */
static void codes_have_their_members(void **state)
{
	static const struct {
		const char *code, *member;
	} cases[] = {
	    {"NOT_ADMITTED", "ticketStatus"}, {"NOT_ADMITTED", "position"},       {"SALES_NOT_OPEN", "salesOpenAt"},
	    {"SEAT_TAKEN", "conflicts"},      {"ALREADY_YOURS", "reservationId"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		(void)at(problem_with(operation("post", "/api/booking/{concertId}/seat"), cases[i].code), cases[i].member);
	(void)at(problem_with(operation("post", "/api/{reservationId}/payment"), "INSUFFICIENT_BALANCE"), "balance");
	(void)at(problem_with(operation("post", "/api/{reservationId}/payment"), "INSUFFICIENT_BALANCE"), "required");
}

static bool lists(json_t *list, const char *word)
{
	json_t *item;
	size_t i;
	bool yes = false;

	json_array_foreach(list, i, item) yes |= strcmp(json_string_value(item), word) == 0;
	return yes;
}

/* A problem of that code is of one alternative alone, which has to have the code's members. */
static void assert_alternative(json_t *problem, const char *code, const char *const *members, size_t count)
{
	json_t *one, *alternatives = at(json_array_get(at(problem, "allOf"), 2), "oneOf");
	size_t i, found = 0;

	json_array_foreach(alternatives, i, one)
	{
		json_t *of = at(at(one, "properties"), "code"), *is = json_object_get(of, "const");

		if (is != NULL ? strcmp(json_string_value(is), code) != 0 : !lists(at(of, "enum"), code))
			continue;
		found++;
		assert_int_equal(json_array_size(json_object_get(one, "required")), count);
		for (size_t k = 0; k < count; k++)
			assert_true(lists(at(one, "required"), members[k]));
	}
	assert_int_equal(found, 1);
}

static void a_code_says_which_members_it_has(void **state)
{
	static const struct {
		const char *path, *status, *code, *members[2];
		size_t count;
	} cases[] = {
	    {"/api/booking/{concertId}/seat", "403", "NOT_ADMITTED", {"ticketStatus", "position"}, 2},
	    {"/api/booking/{concertId}/seat", "403", "SALES_NOT_OPEN", {"salesOpenAt"}, 1},
	    {"/api/booking/{concertId}/seat", "403", "WRONG_QUEUE", {NULL}, 0},
	    {"/api/booking/{concertId}/seat", "409", "SEAT_TAKEN", {"conflicts"}, 1},
	    {"/api/booking/{concertId}/seat", "409", "ALREADY_YOURS", {"reservationId"}, 1},
	    {"/api/booking/{concertId}/seat", "409", "LIMIT_EXCEEDED", {"limit"}, 1},
	    {"/api/booking/{concertId}/seat", "409", "AMBIGUOUS_DATE", {NULL}, 0},
	    {"/api/{reservationId}/payment", "402", "INSUFFICIENT_BALANCE", {"balance", "required"}, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *response = at(at(operation("post", cases[i].path), "responses"), cases[i].status);
		const char *says = json_string_value(at(response, "description"));

		assert_alternative(at(at(at(response, "content"), "application/problem+json"), "schema"), cases[i].code,
		                   cases[i].members, cases[i].count);
		assert_non_null(strstr(says, cases[i].code));
		for (size_t k = 0; k < cases[i].count; k++)
			assert_non_null(strstr(says, cases[i].members[k]));
	}
}

static json_t *schema_of(const char *name)
{
	return at(at(at(doc, "components"), "schemas"), name);
}

static void says_the_limits(void **state)
{
	json_t *catalogue = schema_of("Catalogue");
	const char *says = json_string_value(at(catalogue, "description"));
	json_t *amount = at(at(schema_of("PaymentRequest"), "properties"), "amount");

	(void)state;
	assert_non_null(strstr(json_string_value(at(at(doc, "info"), "description")), "at most 16 parameters"));
	assert_non_null(strstr(says, "5000 shows"));
	assert_non_null(strstr(says, "1000000 seats"));
	assert_non_null(strstr(says, "100000 seats"));
	assert_int_equal(json_integer_value(at(amount, "minimum")), 0);
	assert_null(json_object_get(amount, "maximum")); /* what is not the price is 409 AMOUNT_MISMATCH */
}

/* ---- what follows from the table ---- */

static void assert_common(const struct http_route *route)
{
	json_t *op = operation_of(route), *security = at(op, "security");
	bool token = route->auth != HTTP_AUTH_NONE &&
	             route->auth != HTTP_AUTH_SIGN_IN; /* the document is of a server that asks for a name */

	assert_int_equal(problem_with(op, "TOKEN_REQUIRED") != NULL, token);
	assert_int_equal(problem_with(op, "TOKEN_INVALID") != NULL, token);
	assert_int_equal(json_array_size(security), token);
	if (token)
		(void)at(json_array_get(security, 0), route->auth == HTTP_AUTH_ADMIN ? "adminKey" : "token");
	assert_int_equal(json_object_get(op, "requestBody") != NULL, route->body != HTTP_BODY_NONE);
	assert_int_equal(problem_with(op, "UNSUPPORTED_MEDIA_TYPE") != NULL, route->body != HTTP_BODY_NONE);
	if (route->body != HTTP_BODY_NONE)
		assert_int_equal(json_is_true(at(at(op, "requestBody"), "required")), route->body == HTTP_BODY_REQUIRED);
	if (route->method != HTTP_GET)
		assert_non_null(problem_with(op, "STORE_UNAVAILABLE"));
}

/* Each {parameter} of the path is described, and nothing that it does not have. */
static void assert_path_parameters(const struct http_route *route)
{
	json_t *parameter, *list = json_object_get(operation_of(route), "parameters");
	size_t described = 0, braces = 0, i;
	char name[64];

	for (const char *p = route->path; *p != '\0'; p++)
		braces += *p == '{';
	json_array_foreach(list, i, parameter)
	{
		const char *in = json_string_value(json_object_get(parameter, "in"));

		if (in == NULL || strcmp(in, "path") != 0)
			continue;
		(void)snprintf(name, sizeof(name), "{%s}", json_string_value(at(parameter, "name")));
		assert_non_null(strstr(route->path, name));
		assert_true(json_is_true(at(parameter, "required")));
		described++;
	}
	assert_int_equal(described, braces);
}

static void follows_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < http_route_count; i++) {
		assert_common(&http_routes[i]);
		assert_path_parameters(&http_routes[i]);
	}
}

static void says_how_to_come_in(void)
{
	const char *says = json_string_value(at(at(at(at(doc, "components"), "headers"), "WwwAuthenticate"), "description"));

	assert_non_null(strstr(says, "Bearer realm=\"jari\""));
	assert_non_null(strstr(says, "error=\"invalid_token\""));
}

static void says_headers(void **state)
{
	static const char key[] = "#/components/parameters/IdempotencyKey";
	static const char *const keyed[] = {"/api/booking/{concertId}/seat", "/api/{userId}/charge",
	                                    "/api/{reservationId}/payment"};
	json_t *seats = operation("get", "/api/booking/{concertId}/list/seats");

	(void)state;
	for (size_t i = 0; i < sizeof(keyed) / sizeof(keyed[0]); i++) {
		assert_true(refers(at(operation("post", keyed[i]), "parameters"), key));
		assert_true(refers(operation("post", keyed[i]), "#/components/headers/IdempotentReplayed"));
	}
	assert_false(refers(operation("post", "/api/getToken"), key));
	(void)at(at(at(at(seats, "responses"), "200"), "headers"), "ETag");
	(void)at(at(at(at(seats, "responses"), "304"), "headers"), "ETag");
	(void)at(at(at(at(seats, "responses"), "403"), "headers"), "Retry-After");
	(void)at(at(at(at(seats, "responses"), "401"), "headers"), "WWW-Authenticate");
	(void)at(at(at(at(seats, "responses"), "405"), "headers"), "Allow");
	(void)at(at(at(at(operation("get", "/api/check"), "responses"), "200"), "headers"), "Retry-After");
	(void)at(at(at(at(operation("post", "/api/getToken"), "responses"), "503"), "headers"), "Retry-After");
	for (size_t i = 0; i < 3; i++) {
		static const char *const limits[] = {"Retry-After", "RateLimit", "RateLimit-Policy"};
		(void)at(at(at(at(operation("get", "/api/check"), "responses"), "429"), "headers"), limits[i]);
	}
	assert_null(json_object_get(at(operation("get", "/readyz"), "responses"), "429"));
	(void)at(at(at(at(operation("get", "/api/admin/concerts/{concertId}/sales.csv"), "responses"), "200"), "headers"),
	         "Content-Disposition");
	says_how_to_come_in();
}

static void signed_in_users_send_a_token(void **state)
{
	json_t *op = operation("post", "/api/getToken");

	has_every_route(state);
	references_resolve(state);
	says_how_to_come_in();
	assert_int_equal(json_array_size(at(op, "security")), 1);
	(void)at(json_array_get(at(op, "security"), 0), "signIn");
	assert_string_equal(json_string_value(at(at(at(at(doc, "components"), "securitySchemes"), "signIn"), "bearerFormat")),
	                    "JWT");
	assert_non_null(problem_with(op, "TOKEN_REQUIRED"));
	assert_non_null(problem_with(op, "TOKEN_INVALID"));
	assert_true(json_is_false(at(at(op, "requestBody"), "required")));
	json_t *body = at(at(at(at(op, "requestBody"), "content"), "application/json"), "schema");
	(void)at(at(body, "properties"), "concertId");
	assert_null(json_object_get(at(body, "properties"), "username"));
}

static void refuses_what_is_not_described(void **state)
{
	static const struct http_route_doc no_success = {.id = "a", .tag = "b", .summary = "c"};
	static const struct http_route_doc no_schema = {
	    .id = "a", .tag = "b", .summary = "c", .success = {{200, "d", "Nothing", NULL, 0}}};
	struct http_route route = http_routes[0];
	struct buf text = {0};

	(void)state;
	route.doc = NULL;
	assert_false(openapi_build(&route, 1, "1", false, &text));
	route.doc = &no_success;
	assert_false(openapi_build(&route, 1, "1", false, &text));
	route.doc = &no_schema;
	assert_false(openapi_build(&route, 1, "1", false, &text));
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(has_every_route),
	    cmocka_unit_test(operation_ids_are_unique),
	    cmocka_unit_test(references_resolve),
	    cmocka_unit_test(every_schema_is_used),
	    cmocka_unit_test(says_the_contract),
	    cmocka_unit_test(every_code_appears),
	    cmocka_unit_test(codes_have_their_members),
	    cmocka_unit_test(a_code_says_which_members_it_has),
	    cmocka_unit_test(says_the_limits),
	    cmocka_unit_test(follows_the_table),
	    cmocka_unit_test(says_headers),
	    cmocka_unit_test(refuses_what_is_not_described),
	    cmocka_unit_test_setup_teardown(signed_in_users_send_a_token, build_signed_in, build),
	};
	return cmocka_run_group_tests(tests, build, drop);
}
