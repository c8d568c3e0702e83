/* errors.h: every way in which Jari says no, in one table.
 *
 * The table gives the stable name that clients switch on, the HTTP status and the short title. The names are the contract.
 * Pure; any thread. */
#ifndef JARI_CORE_ERRORS_H
#define JARI_CORE_ERRORS_H

/* X(name, status, title). The order is that of the contract's table. */
/* clang-format off */
#define CORE_CODES(X)                                                                        \
	X(INVALID_REQUEST, 400, "The request is not valid")                                  \
	X(TOKEN_REQUIRED, 401, "A token is required")                                        \
	X(TOKEN_INVALID, 401, "The token is not valid")                                      \
	X(INSUFFICIENT_BALANCE, 402, "The wallet has too little money")                      \
	X(NOT_ADMITTED, 403, "Not admitted yet")                                             \
	X(WRONG_QUEUE, 403, "The ticket is of another queue")                                \
	X(SALES_NOT_OPEN, 403, "Sales have not opened")                                      \
	X(SALES_CLOSED, 403, "Sales of this show are closed")                                \
	X(NOT_FOUND, 404, "There is nothing here")                                           \
	X(CONCERT_NOT_FOUND, 404, "No such concert")                                         \
	X(SHOW_NOT_FOUND, 404, "No such show")                                               \
	X(SEAT_NOT_FOUND, 404, "No such seat")                                               \
	X(USER_NOT_FOUND, 404, "No such user")                                               \
	X(RESERVATION_NOT_FOUND, 404, "No such reservation")                                 \
	X(METHOD_NOT_ALLOWED, 405, "The method is not allowed here")                         \
	X(BODY_TOO_LARGE, 413, "The body is too large")                                      \
	X(UNSUPPORTED_MEDIA_TYPE, 415, "The body must be application/json")                  \
	X(HEADERS_TOO_LARGE, 431, "The headers are too large")                               \
	X(SEAT_TAKEN, 409, "The seat is taken")                                              \
	X(ALREADY_YOURS, 409, "The seat is yours already")                                   \
	X(LIMIT_EXCEEDED, 409, "Too many seats for one person")                              \
	X(ALREADY_PAID, 409, "The reservation is paid already")                              \
	X(AMOUNT_MISMATCH, 409, "The amount is not the price")                               \
	X(NOT_HELD, 409, "The reservation is not held")                                      \
	X(AMBIGUOUS_DATE, 409, "The date has more than one show")                            \
	X(BALANCE_LIMIT, 409, "The wallet is full")                                          \
	X(HOLD_EXPIRED, 410, "The hold has ended")                                           \
	X(IDEMPOTENCY_KEY_REUSED, 422, "The idempotency key was used for another request")   \
	X(RATE_LIMITED, 429, "Too many requests")                                            \
	X(NOT_IMPLEMENTED, 501, "The server has not learned this")                           \
	X(OVERLOADED, 503, "Too busy just now")                                              \
	X(STORE_UNAVAILABLE, 503, "The store is not reachable just now")                     \
	X(STOPPING, 503, "The server is about to stop")
/* clang-format on */

enum core_code {
	CORE_OK = 0,
#define X(name, status, title) CORE_##name,
	CORE_CODES(X)
#undef X
	    CORE_CODE_COUNT
};

/* "SEAT_TAKEN"; "OK" for CORE_OK. */
const char *core_code_name(enum core_code code);
/* 409; 200 for CORE_OK. */
int core_code_status(enum core_code code);
/* "The seat is taken". */
const char *core_code_title(enum core_code code);

#endif
