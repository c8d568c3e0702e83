/* api.h: the requests of the contract, as bytes, and what a measurement sets up with the organiser's key.
 *
 * The writers put a whole request where `out` points and return its length; CLIENT_REQUEST_ROOM is enough for each (api_catalogue
 * writes into a buffer of its own). They allocate nothing.
 * Ownership: texts stay the caller's. Threads: pure, on one's own data; api_call runs the client's loop. Errors: a line. */
#ifndef JARI_CLI_BENCH_API_H
#define JARI_CLI_BENCH_API_H

#include "base/buf.h"
#include "base/seal.h"
#include "cli/bench/http_client.h"
#include "cli/bench/options.h"

#define API_TOKEN_SIZE (SEAL_TOKEN_CHARS + 1)
#define API_NAME_SIZE 48
#define API_HEAD_ROOM (BENCH_AUTHORITY_SIZE + 192) /* what a request has around its texts */

/* Somebody in line. */
struct api_person {
	char token[API_TOKEN_SIZE];
	bool active;
	int64_t user_id, number;
};

/* What every request has in common. */
struct api {
	struct text host; /* of the Host header */
	char run[24];     /* in every name, so that runs on one store do not meet */
	int64_t concert_id, queue_id;
	int64_t *shows;
	size_t show_count;
	const char *admin_key; /* NULL: none */
};

void api_init(struct api *api, const struct bench_options *o);
/* The name of the person number `i`, as it is in JSON. */
size_t api_name(const struct api *api, int64_t i, char out[API_NAME_SIZE]);

size_t api_join(const struct api *api, int64_t person, char *out);
size_t api_check(const struct api *api, const char *token, char *out);
size_t api_leave(const struct api *api, const char *token, char *out);
size_t api_dates(const struct api *api, const char *token, char *out);
size_t api_seats(const struct api *api, const char *token, int64_t show, char *out);
size_t api_hold(const struct api *api, const char *token, int64_t show, const int64_t *seats, size_t n, char *out);
size_t api_hold_best(const struct api *api, const char *token, int64_t show, int64_t n, char *out);
size_t api_charge(const struct api *api, const char *token, int64_t user_id, int64_t amount, char *out);
size_t api_pay(const struct api *api, const char *token, int64_t reservation, char *out);
/* Any request; `json` NULL: without a body. `bearer` NULL: without a token. `room` bytes must do: API_HEAD_ROOM more than the texts. */
size_t api_request(const struct api *api, const char *method, const char *path, const char *bearer, const char *json,
                   size_t json_n, char *out, size_t room);

/* Reads a ticket. */
bool api_person(const struct reply *reply, struct api_person *out);

/* Sends one request and waits for the answer, which is copied to `body`. Returns the status; -1 with a line in `error`. */
int api_call(const struct api *api, const struct bench_options *o, const char *method, const char *path, const struct buf *json,
             struct buf *body, char error[CLI_ERROR_SIZE]);
/* Adds a queue with that capacity, a concert of it, and shows with seats; sets api's ids. The ids of the shows are allocated; the
 * caller frees api->shows. */
bool api_set_up(struct api *api, const struct bench_options *o, int64_t capacity, int64_t shows, int64_t seats,
                char error[CLI_ERROR_SIZE]);
/* Nobody is admitted any more. */
bool api_pause(const struct api *api, const struct bench_options *o, char error[CLI_ERROR_SIZE]);
bool api_capacity(const struct api *api, const struct bench_options *o, int64_t capacity, char error[CLI_ERROR_SIZE]);

#endif
