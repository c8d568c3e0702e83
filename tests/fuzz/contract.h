/* contract.h: whether an answer of a route is one that the server's own OpenAPI document describes.
 *
 * Threads: one. Errors: EXPECT's. */
#ifndef JARI_TESTS_FUZZ_CONTRACT_H
#define JARI_TESTS_FUZZ_CONTRACT_H

#include "http/openapi.h"
#include "server.h"

/* The method's name, as it stands in a request line. */
const char *contract_method(const struct http_route *route);
/* Status, code and media type are among those that the document has for the route, and JSON is of the schema that it has for them. */
void contract_check_answer(const struct http_route *route, const struct fuzz_answer *a);
/* A body that the route has taken is of its schema. */
void contract_check_taken(const struct http_route *route, struct text body);
/* Adds the route's path with the ids that the letters choose: '1' is 1, and so on to 8. A {file} becomes `file`. */
void contract_path(const struct http_route *route, struct text *letters, const char *file, struct buf *out);

#endif
