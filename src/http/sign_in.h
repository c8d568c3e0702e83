/* sign_in.h: signing in with tokens of the organiser's identity provider (`--auth jwt`): its keys, from a file that may change while the server
 * runs, and the check of a token against them (jwt.h).
 *
 * Ownership: made by sign_in_open, freed by sign_in_close when no thread uses it any more; file, issuer and audience stay the caller's and must
 * outlive it. Threads: sign_in_check from any; the others from one. Errors: one line that a person understands. */
#ifndef JARI_HTTP_SIGN_IN_H
#define JARI_HTTP_SIGN_IN_H

#include "http/jwt.h"
#include <limits.h>

#define SIGN_IN_ERROR_SIZE (PATH_MAX + JWKS_ERROR_SIZE + 64)

struct sign_in;

struct sign_in_config {
	const char *jwks_file;
	struct jwt_rules rules;
};

/* Reads the keys. NULL with a line in `error` when there are none. */
struct sign_in *sign_in_open(const struct sign_in_config *config, char error[SIGN_IN_ERROR_SIZE]);
/* Looks at the file again, and takes its keys when it has changed: tokens checked from then on are checked with those. A file that can't be read
 * or is no key set changes nothing, and the log says so, once for each new content of it. `asked`: somebody wants to know, so the log
 * says how it went in any case. */
void sign_in_look(struct sign_in *s, bool asked);
/* Checks a token at an instant, as jwt_check does. */
enum jwt_verdict sign_in_check(struct sign_in *s, struct text token, int64_t now, struct arena *arena, struct text *subject);
void sign_in_close(struct sign_in *s);

#endif
