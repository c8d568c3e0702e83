/* json.h: JSON in (a descriptor table over jansson) and out (a writer that can't write anything but JSON).
 *
 * In: strict. An integer is an integer: no fraction, no exponent, no "-0", no string of digits; a member given twice is refused; depth is bounded;
 * UTF-8 is checked; NUL is refused. Unknown members are ignored.
 * Threads: any, on one's own data. */
#ifndef JARI_HTTP_JSON_H
#define JARI_HTTP_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include <jansson.h>

/* ---- in ---- */

#define JSON_ERROR_SIZE 256
#define JSON_INTS_MAX 1000 /* of one array of integers */
#define JSON_NULL_INSTANT INT64_MIN

/* Parses a whole document. NULL with a sentence in `error` when it is not valid. The caller frees with json_decref. */
json_t *json_read(struct text in, char error[JSON_ERROR_SIZE]);

enum json_type {
	JSON_T_INT,             /* int64_t, in lo .. hi */
	JSON_T_BOOL,            /* bool */
	JSON_T_TEXT,            /* struct text of lo .. hi characters, without control characters; copied into the arena */
	JSON_T_INSTANT,         /* int64_t milliseconds, from RFC 3339 */
	JSON_T_INSTANT_OR_NULL, /* the same; null is JSON_NULL_INSTANT, and counts as there */
	JSON_T_DATE,            /* int32_t yyyymmdd, from YYYY-MM-DD */
	JSON_T_INTS,            /* struct json_ints: an array of 1 .. JSON_INTS_MAX different integers, each in lo .. hi */
	JSON_T_ANY              /* json_t *, borrowed */
};
struct json_ints {
	int64_t *p;
	size_t n;
};
struct json_field {
	const char *name;
	enum json_type type;
	bool required;
	size_t offset; /* of the value in the caller's struct */
	int64_t lo, hi;
};
/* Reads the members that the table names from `object` into `out`. *seen gets a bit for each field that was there (a member that is
 * null counts as absent where it is not required). False with a sentence that names the member, prefixed by `where` ("" or
 * "concerts[0]."), in `error`. At most 32 fields. */
bool json_fields(json_t *object, const struct json_field *fields, size_t count, const char *where, struct arena *arena, void *out,
                 uint32_t *seen, char error[JSON_ERROR_SIZE]);

/* ---- out: commas and quotes are the writer's business ---- */

struct json_out {
	struct buf *b;
	bool comma; /* the next value at this level needs a comma before it */
};
void jo_begin(struct json_out *o, struct buf *b); /* begins writing at the end of b */
void jo_object(struct json_out *o);               /* { as a value */
void jo_end_object(struct json_out *o);
void jo_array(struct json_out *o);
void jo_end_array(struct json_out *o);
void jo_key(struct json_out *o, const char *key); /* "key": then a value; plain ASCII keys */
void jo_text(struct json_out *o, struct text t);  /* escaped; valid UTF-8 in, valid UTF-8 out */
void jo_str(struct json_out *o, const char *terminated);
void jo_int(struct json_out *o, int64_t v);
void jo_bool(struct json_out *o, bool v);
void jo_null(struct json_out *o);
void jo_instant(struct json_out *o, int64_t ms); /* null when 0 */
void jo_date(struct json_out *o, int32_t date);
/* key and value at once */
void jo_kv_text(struct json_out *o, const char *key, struct text t);
void jo_kv_str(struct json_out *o, const char *key, const char *terminated); /* NULL writes null */
void jo_kv_int(struct json_out *o, const char *key, int64_t v);
void jo_kv_bool(struct json_out *o, const char *key, bool v);
void jo_kv_instant(struct json_out *o, const char *key, int64_t ms);

#endif
