/* res_pages.c: the buyers' and the organisers' pages: files built into the binary (web/build.mjs), with their forms for gzip and brotli beside
 * them. A page is asked for again each time and told apart by its ETag; what it loads is named by its content, and stays for good. */
#include "base/embedded.h"
#include "http/res_common.h"

#include <stdio.h>
#include <string.h>

/* Scripts and styles are files of ours, and no text becomes markup: with trusted types, a script that tries fails. */
#define PAGE_POLICY                                                                                                      \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " \
	"form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
#define ASSET_NAME_SIZE 96 /* with the ending of its form */

static const struct embedded_file *find_file(struct text name)
{
	for (size_t i = 0; i < embedded_web_count; i++) {
		if (text_equal(text_of(embedded_web[i].name), name))
			return &embedded_web[i];
	}
	return NULL;
}

/* The text before the first `end`; *rest is what comes after it. */
static struct text cut(struct text t, char end, struct text *rest)
{
	const char *at = t.n > 0 ? memchr(t.p, end, t.n) : NULL;
	size_t n = at != NULL ? (size_t)(at - t.p) : t.n;

	*rest = at != NULL ? (struct text){at + 1, t.n - n - 1} : (struct text){t.p + t.n, 0};
	return (struct text){t.p, n};
}

/* "q=0", "q=0.000": not wanted. */
static bool is_refused(struct text parameter)
{
	if (!text_starts(parameter, TEXT("q=0")))
		return false;
	for (size_t i = 3; i < parameter.n; i++)
		if (parameter.p[i] != '0' && parameter.p[i] != '.')
			return false;
	return true;
}

/* Whether Accept-Encoding names this coding and wants it. A star is passed over: who wants brotli says so. */
static bool accepts(struct text header, struct text coding)
{
	while (header.n > 0) {
		struct text parameters, one = cut(header, ',', &header);
		struct text name = text_trim(cut(one, ';', &parameters));

		if (text_equal_nocase(name, coding))
			return !is_refused(text_trim(parameters));
	}
	return false;
}

/* The smallest form of a file that the client takes. */
static const struct embedded_file *choose_form(struct http_request *req, const struct embedded_file *file)
{
	static const struct {
		struct text coding;
		const char *name, *ending;
	} forms[] = {{{"br", 2}, "br", ".br"}, {{"gzip", 4}, "gzip", ".gz"}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char name[ASSET_NAME_SIZE];
		int n = snprintf(name, sizeof(name), "%s%s", file->name, forms[i].ending);

		if (n <= 0 || (size_t)n >= sizeof(name) || !accepts(req->accept_encoding, forms[i].coding))
			continue;
		const struct embedded_file *form = find_file((struct text){name, (size_t)n});
		if (form != NULL) {
			http_header(req, "Content-Encoding", "%s", forms[i].name);
			return form;
		}
	}
	return file;
}

static void answer_file(struct http_request *req, struct text name, const char *cache)
{
	const struct embedded_file *file = find_file(name);
	const char *type = res_type_of(name);

	if (file == NULL || type == NULL) {
		http_problem(req, CORE_NOT_FOUND,
		             "There is no such file here. Load the page again: it may be of an older build.");
		return;
	}
	http_header(req, "Cache-Control", "%s", cache);
	http_header(req, "Vary", "Accept-Encoding");
	http_header(req, "Referrer-Policy", "no-referrer");
	http_header(req, "Cross-Origin-Resource-Policy", "same-origin");
	const struct embedded_file *form = choose_form(req, file);
	res_tagged(req, type, (struct text){(const char *)form->bytes, form->size}, "", true);
}

void res_page(struct http_request *req)
{
	struct text path = text_of(req->route->path);
	const char *ancestors = req->app->frame_ancestors;
	struct text name = text_equal(path, TEXT("/admin"))        ? TEXT("admin.html")
	                   : text_equal(path, TEXT("/admin/live")) ? TEXT("live.html")
	                                                           : TEXT("index.html");

	http_header(req, "Content-Security-Policy", "%s", PAGE_POLICY);
	/* A second policy, so that a long list can't cut the first one short: both hold. */
	http_header(req, "Content-Security-Policy", "frame-ancestors %s", ancestors != NULL ? ancestors : "'none'");
	/* Once a browser was here over TLS, nobody on its way can send it here without. On the pages alone: programs have no use for it. */
	if (req->app->secure)
		http_header(req, "Strict-Transport-Security", "max-age=%d", JARI_HSTS_SECONDS);
	http_header(req, "Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()");
	answer_file(req, name, "no-cache");
}

void res_asset(struct http_request *req)
{
	struct text folder = TEXT("/assets/");

	struct text name = {req->path.p + folder.n, req->path.n - folder.n};

	/* A page is not an asset: it would come without its policy. */
	if (text_ends(name, TEXT(".html")))
		name.n = 0;
	answer_file(req, name, "public, max-age=31536000, immutable");
}
