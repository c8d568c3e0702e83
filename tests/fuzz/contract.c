#include "contract.h"

#include "schema.h"

static const struct {
	const char *name, *key;
} methods[HTTP_OTHER] = {
    [HTTP_GET] = {"GET", "get"},          [HTTP_POST] = {"POST", "post"}, [HTTP_PATCH] = {"PATCH", "patch"},
    [HTTP_DELETE] = {"DELETE", "delete"}, [HTTP_PUT] = {"PUT", "put"},    [HTTP_HEAD] = {"HEAD", "head"},
};

const char *contract_method(const struct http_route *route)
{
	return methods[route->method].name;
}

static json_t *operation_of(const struct http_route *route)
{
	json_t *path = json_object_get(json_object_get(fuzz_openapi(), "paths"), route->path);
	json_t *operation = json_object_get(path, methods[route->method].key);

	EXPECT(operation != NULL, "%s is not in the document", route->path);
	return operation;
}

/* What the document has for a media type, whose parameters do not count; NULL: nothing. */
static json_t *media_of(json_t *response, struct text type)
{
	json_t *content = json_object_get(response, "content");
	struct text bare = fuzz_until(&type, ';');
	json_t *media = bare.n > 0 ? json_object_getn(content, bare.p, bare.n) : NULL;

	return media != NULL ? media : json_object_get(content, "*/*");
}

void contract_check_answer(const struct http_route *route, const struct fuzz_answer *a)
{
	char status[8];
	json_t *response, *media, *schema, *body;

	(void)snprintf(status, sizeof(status), "%d", a->status);
	response = json_object_get(json_object_get(operation_of(route), "responses"), status);
	EXPECT(response != NULL, "%s answers %d (%s), which the document does not say: %.*s", route->path, a->status,
	       core_code_name(a->code), (int)a->body.n, a->body.p);
	media = media_of(response, a->type);
	EXPECT(media != NULL || a->type.n == 0, "%d of %s as %.*s", a->status, route->path, SHOWN(a->type));
	EXPECT(a->type.n > 0 || json_object_get(response, "content") == NULL, "%d of %s is of no type", a->status, route->path);
	schema = json_object_get(media, "schema");
	if (schema == NULL || a->body.n == 0 || !memmem(a->type.p, a->type.n, "json", 4))
		return;
	body = json_loadb(a->body.p, a->body.n, 0, NULL);
	EXPECT(schema_admits(fuzz_openapi(), schema, body, false), "%d of %s is not of its schema: %.*s", a->status, route->path,
	       (int)a->body.n, a->body.p);
	json_decref(body);
}

void contract_check_taken(const struct http_route *route, struct text body)
{
	json_t *media = media_of(json_object_get(operation_of(route), "requestBody"), TEXT("application/json"));
	json_t *doc = body.n > 0 ? json_loadb(body.p, body.n, 0, NULL) : json_object();

	/* A number that jansson takes for none may stand in a member that nobody asks for. */
	EXPECT(doc == NULL || schema_admits(fuzz_openapi(), json_object_get(media, "schema"), doc, true),
	       "%s took a body that is not of its schema: %.*s", route->path, SHOWN(body));
	json_decref(doc);
}

void contract_path(const struct http_route *route, struct text *letters, const char *file, struct buf *out)
{
	for (const char *p = route->path; *p != '\0'; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;

		if (end == NULL) {
			buf_char(out, *p);
			continue;
		}
		if (strncmp(p, "{file}", 6) == 0)
			buf_str(out, file);
		else
			buf_int(out, 1 + (uint8_t)(fuzz_byte(letters) - '1') % 8);
		p = end;
	}
}
