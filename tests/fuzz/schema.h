/* schema.h: whether a JSON value is what a schema of the OpenAPI document says: as much of JSON Schema (2020-12) as that document uses.
 *
 * Threads: one. Errors: none; a keyword that it does not know is EXPECT's. */
#ifndef JARI_TESTS_FUZZ_SCHEMA_H
#define JARI_TESTS_FUZZ_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

/* `document` is what a "$ref" points into. `nulls_are_absent`: of a request, where a member that is null counts as one that is not there. */
bool schema_admits(json_t *document, json_t *schema, json_t *value, bool nulls_are_absent);

#endif
