/* res_service.c: what keeps the service looked after: is it alive, is it ready, what does it do, how is it used. */
#include "base/embedded.h"
#include "http/metrics.h"
#include "http/res_common.h"

#include <string.h>

/* Swagger UI is one script and one style sheet of ours, and draws its icons from data: addresses. */
#define DOCS_POLICY                                                                                                              \
	"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

void res_healthz(struct http_request *req)
{
	http_answer_static(req, 200, "application/json", TEXT("{\"status\":\"ok\"}"));
}

static const char *const troubles[STORE_TROUBLE_COUNT] = {
    [STORE_UNREACHABLE] = "The database cannot be reached.",
    [STORE_STARTING] = "The database is starting up, or is shutting down.",
    [STORE_SILENT] = "The database does not answer.",
    [STORE_READ_ONLY] = "The database can only be read: it is a standby, or was set read-only.",
    [STORE_CONTENDED] = "The database asks to try again, time after time: locks, deadlocks or serialization failures.",
    [STORE_FULL] = "There is no room left on the disk of the store. When there is, changes are taken again by themselves.",
    [STORE_REFUSING] = "The store has refused the last change. The log has the cause.",
    [STORE_BEHIND] = "Another database server has taken over, and everything is being read anew.",
};

/* What the last batch has met is known at once, also when the store answers nobody; the tick makes one ten times a second. */
void res_readyz(struct http_request *req)
{
	enum store_trouble trouble = engine_trouble(req->app->engine);

	if (atomic_load(&req->app->leaving)) {
		res_refuse(req, CORE_STOPPING);
		return;
	}
	if (trouble == STORE_WELL)
		http_answer_static(req, 200, "application/json", TEXT("{\"status\":\"ready\"}"));
	else
		http_problem(req, CORE_STORE_UNAVAILABLE, "%s", troubles[trouble]);
}

void res_metrics(struct http_request *req)
{
	struct buf body = {0};

	http_metrics_write(req->app->metrics, req->app->engine, req->app->version, req->arena, &body);
	http_answer(req, 200, "text/plain; version=0.0.4; charset=utf-8", buf_view(&body));
	buf_free(&body);
}

void res_openapi(struct http_request *req)
{
	http_header(req, "Cache-Control", "no-cache");
	res_tagged(req, "application/json", req->app->openapi, "", true);
}

/* ---- the documentation ---- */

static const struct embedded_file *find_doc(struct text name)
{
	for (size_t i = 0; i < embedded_docs_count; i++) {
		if (text_equal(text_of(embedded_docs[i].name), name))
			return &embedded_docs[i];
	}
	return NULL;
}

/* /docs is the page, /docs/NAME one of its files. */
void res_docs(struct http_request *req)
{
	struct text name = text_of(req->route->path);
	struct text folder = TEXT("/docs/");

	if (text_starts(name, folder)) {
		name.p += folder.n;
		name.n -= folder.n;
	} else {
		name = TEXT("index.html");
	}
	const struct embedded_file *file = find_doc(name);
	if (file == NULL) {
		http_problem(req, CORE_NOT_FOUND,
		             "This build has no documentation page. GET /openapi.json has the same in JSON.");
		return;
	}
	http_header(req, "Cache-Control", "public, max-age=3600");
	http_header(req, "Content-Security-Policy", "%s", DOCS_POLICY);
	res_tagged(req, res_type_of(name), (struct text){(const char *)file->bytes, file->size}, "", true);
}
