/* reply.h: an HTTP/1.1 response, read from the bytes that have come so far, and the few members of its JSON that a load generator
 * needs.
 *
 * reply_parse is called with all the bytes of the response so far, each time that more have come; it goes on from where it was,
 * so the pieces may be cut anywhere. A chunked body is put together in place. The JSON scanning is no parser: it finds the first
 * member of a name in what this project's own server wrote. Ownership: texts point into the caller's bytes. Threads: pure
 * functions on one's own data. Errors: REPLY_BAD. */
#ifndef JARI_CLI_BENCH_REPLY_H
#define JARI_CLI_BENCH_REPLY_H

#include "base/text.h"

enum reply_parsed { REPLY_MORE, REPLY_DONE, REPLY_BAD };

struct reply {
	int status;
	bool keep;           /* the connection may be used again */
	int64_t retry_after; /* seconds; -1: none said */
	struct text body;    /* when done */
	size_t used;         /* bytes of the response, when done */

	/* how far reading has come */
	bool head_done, chunked, has_length;
	size_t scanned; /* bytes in which the end of the head was looked for */
	size_t head_n;  /* bytes of the head, its empty line included */
	size_t length;
	size_t raw, put; /* chunked: bytes looked at; where the body's next byte goes */
	size_t chunk_left;
	int chunk_part;
};

/* A zeroed struct reply is one of which nothing has come. `eof`: nothing will follow. */
enum reply_parsed reply_parse(struct reply *r, char *bytes, size_t n, bool eof);

/* The integer, or the text without its quotes, of the first member of that name; false when there is none. Texts with escapes are
 * returned as they stand. `name` with its quotes and colon: "\"userId\":". */
bool reply_int(struct text json, struct text name, int64_t *out);
bool reply_text(struct text json, struct text name, struct text *out);
/* What follows the first member of that name; false when there is none. */
bool reply_find(struct text json, struct text name, struct text *rest);

#endif
