/* callers.h: how many connections are open, in all and from each address, over all threads of a server.
 *
 * An address counts as limits count it (http_address_bucket). This machine's own are not counted by address: there a reverse proxy or a test
 * stands for many. There is an entry for each address that has a connection, so memory is bounded by the connections.
 * Ownership: http_callers_free frees, when nobody is in any more. Threads: any; a lock, held for a moment at the beginning and the end of a
 * connection. Errors: none but what http_callers_enter says. */
#ifndef JARI_HTTP_CALLERS_H
#define JARI_HTTP_CALLERS_H

#include "http/address.h"

struct http_callers;
struct http_caller; /* an address that has connections */

/* At most `all` connections together and `each` of one address; 0: any number. */
struct http_callers *http_callers_new(int64_t all, int64_t each);
void http_callers_free(struct http_callers *c);

enum http_callers_answer { HTTP_CALLER_IN, HTTP_CALLERS_FULL, HTTP_CALLER_HAS_ENOUGH };
/* One more connection, of `from` (NULL: it has none that counts). IN: *caller is to be given back by http_callers_leave. */
enum http_callers_answer http_callers_enter(struct http_callers *c, const struct http_address *from, struct http_caller **caller);
void http_callers_leave(struct http_callers *c, struct http_caller *caller);
/* Connections that are in now. */
int64_t http_callers_count(struct http_callers *c);

#endif
