#include "http/conn.h"
#include "http/json.h"
#include "http/metrics.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define DETAIL_SIZE 512
#define TYPE_SIZE 96

/* "urn:jari:error:seat-taken" */
static void write_type(enum core_code code, char out[TYPE_SIZE])
{
	size_t n = (size_t)snprintf(out, TYPE_SIZE, "urn:jari:error:");
	for (const char *p = core_code_name(code); *p && n < TYPE_SIZE - 1; p++)
		out[n++] = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
	out[n] = '\0';
}

void http_problem_body(struct buf *out, enum core_code code, struct text members, const char *detail)
{
	struct json_out o;
	char type[TYPE_SIZE];
	write_type(code, type);
	jo_begin(&o, out);
	jo_object(&o);
	jo_kv_str(&o, "type", type);
	jo_kv_str(&o, "title", core_code_title(code));
	jo_kv_int(&o, "status", core_code_status(code));
	jo_kv_str(&o, "detail", detail);
	jo_kv_str(&o, "code", core_code_name(code));
	if (members.n) {
		buf_char(out, ',');
		buf_text(out, members);
	}
	jo_end_object(&o);
}

/* RFC 6750, 3: who sent no token is told no error, only how to come in. */
static void add_headers(struct http_request *req, enum core_code code)
{
	int status = core_code_status(code);
	if (status == 401)
		http_header(req, "WWW-Authenticate", "Bearer realm=\"jari\"%s",
		            code == CORE_TOKEN_INVALID ? ", error=\"invalid_token\"" : "");
	if ((status == 429 || status == 503) && !http_slot_of(req)->has_retry_after)
		http_header(req, "Retry-After", "1");
}

/* snprintf may cut a character in two; what is left of it goes. */
static void end_on_a_character(char *s)
{
	struct text t = text_of(s);
	while (t.n && text_utf8_chars(t) < 0)
		s[--t.n] = '\0';
}

static void answer_problem(struct http_request *req, enum core_code code, struct text members, char *detail)
{
	struct buf body = {0};
	http_metrics_problem(req->app->metrics, req->thread->index, code);
	end_on_a_character(detail);
	http_problem_body(&body, code, members, detail);
	add_headers(req, code);
	http_answer(req, core_code_status(code), "application/problem+json", buf_view(&body));
	buf_free(&body);
}

void http_problem(struct http_request *req, enum core_code code, const char *detail, ...)
{
	char text[DETAIL_SIZE];
	va_list args;
	va_start(args, detail);
	vsnprintf(text, sizeof(text), detail, args);
	va_end(args);
	answer_problem(req, code, (struct text){NULL, 0}, text);
}

void http_problem_with(struct http_request *req, enum core_code code, struct text members, const char *detail, ...)
{
	char text[DETAIL_SIZE];
	va_list args;
	va_start(args, detail);
	vsnprintf(text, sizeof(text), detail, args);
	va_end(args);
	answer_problem(req, code, members, text);
}
