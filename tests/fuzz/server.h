/* server.h: the whole server in this process, without a port: the real HTTP thread, engine and rules over a store in memory, and connections that
 * are socket pairs. The fuzzer's own thread is the HTTP thread, so whatever breaks there breaks under its eyes.
 *
 * Its clock stands still, so what an answer says follows from the bytes. In it (queue 1 has room for 2, queue 2 "club" for 1):
 *   fay (1) has paid seats 2 and 3 of show 1 (reservation 2), which ended her place; her hold of seat 1 (reservation 1) has lapsed
 *   ada (2) is active, has money, and holds seat 4 (reservation 3)
 *   bob (3) is active, has no money, has cancelled reservation 4 and holds seat 5 (reservation 5)
 *   cho (4) and dan (5) wait; eve (6) is active in the club
 *   concert 1: shows 1 (eight seats), 2 and 3 (on one day), 4 (has begun); concert 2 is the club's, with show 5; concert 3 with show 6 opens
 *   sales tomorrow
 *
 * Ownership: one server, which lives as long as the process. Threads: the fuzzer's one. Errors: EXPECT's. */
#ifndef JARI_TESTS_FUZZ_SERVER_H
#define JARI_TESTS_FUZZ_SERVER_H

#include "fuzz.h"

#include "base/buf.h"
#include "core/errors.h"
#include <jansson.h>

enum fuzz_person { FUZZ_FAY = 1, FUZZ_ADA, FUZZ_BOB, FUZZ_CHO, FUZZ_DAN, FUZZ_EVE, FUZZ_PEOPLE };
#define FUZZ_ADMIN_KEY "the-organisers-key"

/* Makes it as it was at the beginning, if a command has been taken since; before that, with `audit`, the store's audit must find nothing. */
void fuzz_server_renew(bool audit);
/* Commands that the engine has taken since. */
int64_t fuzz_server_commands(void);
/* The token of a person's ticket. */
struct text fuzz_token(enum fuzz_person who);
/* Copies `in` with {ada}, {bob}, … replaced by their tokens, {key} by the organiser's key and {pad} by fuzz_pad's. */
void fuzz_fill_in(struct text in, struct buf *out);
/* The OpenAPI document; the server's. */
json_t *fuzz_openapi(void);

/* Sends bytes on a connection of their own, cut at the places given, and adds everything that comes back to `out`. With `hasty` the next piece is
 * sent while the last one is still being worked on. */
void fuzz_exchange(struct text in, const size_t *cuts, size_t count, bool hasty, struct buf *out);

/* ---- answers ---- */

struct fuzz_answer {
	int status;
	struct text head;    /* all of its lines */
	struct text type;    /* Content-Type; empty: none */
	struct buf body;     /* without chunks; to be freed */
	enum core_code code; /* of a problem; CORE_OK */
	bool last;           /* it says that the connection ends */
};

/* Takes the next answer off the front, and holds it against what HTTP and the contract ask of every answer. `heads`: answers to HEAD may be among
 * them. False at the end. */
bool fuzz_next_answer(struct text *rest, bool heads, struct fuzz_answer *out);
/* The value of an answer's header; empty when it has none. */
struct text fuzz_header(const struct fuzz_answer *a, const char *name);

#endif
