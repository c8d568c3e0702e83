/* parse.h: reads HTTP/1.1 requests off bytes (RFC 9112, RFC 9110), strictly: what two readers could take in two ways is refused.
 *
 *   scan  finds the end of a head in bytes that come piece by piece, and refuses one that is too long or has bare line feeds
 *   parse reads a whole head; its texts point into it
 *   chunks takes the frame off a chunked body, at whatever bytes it was cut
 *   query reads the query of a target into names and values
 *
 * Ownership: nothing is kept; decoded texts are the arena's. Pure; any thread on its own data.
 * Errors: a refusal has the code and a sentence for the client; after it the connection can't be trusted to be in step. */
#ifndef JARI_HTTP_PARSE_H
#define JARI_HTTP_PARSE_H

#include "http/client.h"
#include "http/http.h"

#define HTTP_BLANK_LINES_MAX 2         /* empty lines before a request line */
#define HTTP_CHUNK_EXTENSIONS_MAX 4096 /* bytes of chunk extensions in one body */
#define HTTP_CHUNK_DIGITS_MAX 16       /* of one chunk size */
#define HTTP_TRAILERS_MAX 8192         /* bytes of trailers after a chunked body */

struct http_refusal {
	enum core_code code;
	const char *detail; /* a literal */
};

/* Zeroed before the first bytes of a head. */
struct http_scanner {
	size_t seen;  /* bytes looked at */
	size_t line;  /* where the current line starts */
	size_t start; /* where the request line starts */
	int blanks;
};
enum http_scan { HTTP_SCAN_MORE, HTTP_SCAN_WHOLE, HTTP_SCAN_REFUSED };
/* Looks on in the bytes from the connection's first unread one, of which there are now `n`. WHOLE: the head is p[s->start] and
 * *length bytes on. */
enum http_scan http_head_scan(struct http_scanner *s, const char *p, size_t n, size_t *length, struct http_refusal *why);

struct http_head {
	enum http_method method;
	struct text method_name;
	struct text target; /* the path as sent */
	struct text path;   /* decoded */
	struct text query;  /* as sent, without the '?' */
	bool asterisk;      /* OPTIONS * */
	bool hidden_slash;  /* the path has an escaped '/': it names nothing of ours */
	int minor;          /* HTTP/1.0 or HTTP/1.1 */
	bool keep_alive, chunked, expect_continue;
	int64_t content_length; /* -1: none was given */
	struct text authorization, content_type, if_none_match, idempotency_key;
	struct text accept_encoding; /* the first one; empty: none */
	bool has_authorization, has_content_type, has_if_none_match, has_idempotency_key;
	int idempotency_keys;                              /* how many came */
	struct http_forwarding x_forwarded_for, forwarded; /* as they came: client.h says what they are worth */
};
/* Reads a head that http_head_scan found whole. False: refused. */
bool http_head_parse(const char *p, size_t n, struct arena *arena, struct http_head *head, struct http_refusal *why);

enum http_chunk_state {
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_EXTENSION,
	HTTP_CHUNK_SIZE_LF,
	HTTP_CHUNK_BYTES,
	HTTP_CHUNK_BYTES_CR,
	HTTP_CHUNK_BYTES_LF,
	HTTP_CHUNK_TRAILER,
	HTTP_CHUNK_TRAILER_NAME,
	HTTP_CHUNK_TRAILER_LINE,
	HTTP_CHUNK_TRAILER_LF,
	HTTP_CHUNK_LAST_LF,
	HTTP_CHUNK_OVER
};
/* Zeroed before the first byte of a body. */
struct http_chunks {
	enum http_chunk_state state;
	uint64_t left; /* of the size being read, then of the chunk */
	int digits;
	size_t extensions, trailers;
};
enum http_chunk { HTTP_CHUNK_MORE, HTTP_CHUNK_DATA, HTTP_CHUNK_END, HTTP_CHUNK_REFUSED };
/* Goes on in `n` more bytes. *used says how many were taken. DATA: `data` is a piece of the body in them, call again with the rest;
 * MORE: all were taken; END: the body is whole. */
enum http_chunk http_chunks_next(struct http_chunks *c, const char *p, size_t n, size_t *used, struct text *data,
                                 struct http_refusal *why);

/* Reads a query: percent escapes and '+' decoded. False with a sentence: a bad escape, no UTF-8, a name given twice, too many. */
bool http_query_parse(struct text query, struct arena *arena, struct http_param params[JARI_QUERY_PARAMS_MAX], size_t *count,
                      const char **detail);

#endif
