/* limits.h: every number with a meaning, in one place.
 *
 * Times are milliseconds unless the name says otherwise; money is won. What an organiser may change at start
 * (see src/cli/options.c) has its default here and its bounds beside it. */
#ifndef JARI_BASE_LIMITS_H
#define JARI_BASE_LIMITS_H

/* ---- the line ---- */
#define JARI_QUEUE_CAPACITY_DEFAULT 100
#define JARI_QUEUE_CAPACITY_MAX 10000000
#define JARI_QUEUE_RATE_MAX 1000000 /* admissions a second; 0 means no limit */
#define JARI_QUEUE_NAME_MAX 64      /* characters */
#define JARI_RATE_BURST_MS 250      /* what a rate may catch up after a late tick */
#define JARI_ACTIVE_SECONDS_DEFAULT 600
#define JARI_WAITING_IDLE_SECONDS_DEFAULT 120   /* not heard from for this long: passed over */
#define JARI_WAITING_GRACE_SECONDS_DEFAULT 1800 /* passed over for this long: the place is lost */
#define JARI_POLL_BUDGET_DEFAULT 20000          /* polls a second that a whole queue is asked to keep to */
#define JARI_POLL_BUDGET_MAX 1000000
#define JARI_HEAR_STEP 2048                     /* tickets that one command may pass over or take back into the line */
#define JARI_HEAR_QUEUES 16                     /* queues that one batch takes tickets back in */
#define JARI_TOKEN_LIFE_MS (24LL * 3600 * 1000) /* a token opens its owner's wallet this long from its issue */

/* ---- users ---- */
#define JARI_USERNAME_CHARS_MAX 64
#define JARI_USERNAME_BYTES_MAX (JARI_USERNAME_CHARS_MAX * 4)

/* ---- sign-in with tokens of an identity provider (--auth jwt) ---- */
#define JARI_JWT_BYTES_MAX 8192          /* a whole token */
#define JARI_JWT_LEEWAY_SECONDS 60       /* by which its times may be off, for clocks that are not in step */
#define JARI_JWT_DATE_MAX 253402300799LL /* seconds: the end of the year 9999 */
#define JARI_JWT_KID_MAX 256             /* bytes of a key's name */
#define JARI_JWT_RSA_BITS_MIN 2048       /* RFC 7518, 3.3 */
#define JARI_JWT_RSA_BITS_MAX 8192       /* a longer one would take a thread's time with each token */
#define JARI_JWT_RSA_EXPONENT_BITS_MAX 64
#define JARI_JWKS_KEYS_MAX 64
#define JARI_JWKS_BYTES_MAX 262144 /* of the file */

/* ---- seats and holds ---- */
#define JARI_HOLD_SECONDS_DEFAULT 300
#define JARI_SECONDS_MAX 86400 /* the longest hold or active place that may be configured */
#define JARI_SEATS_PER_USER_DEFAULT 4
#define JARI_SEATS_PER_USER_MAX 100
#define JARI_SEATS_NAMED_MAX 1000 /* seat numbers that one request may name */
#define JARI_SEATS_PER_SHOW_DEFAULT 50
#define JARI_SEATS_PER_SHOW_MAX 100000
#define JARI_SEAT_NUMBER_MAX 1000000000
#define JARI_PRICE_MAX 1000000000LL
#define JARI_PRICES_NAMED_MAX 100 /* sections whose price one request may set */

/* ---- catalogue documents ---- */
#define JARI_TITLE_CHARS_MAX 200 /* title, artist, venue */
#define JARI_SECTION_CHARS_MAX 64
#define JARI_CATALOGUE_QUEUES_MAX 1000
#define JARI_CATALOGUE_CONCERTS_MAX 1000
#define JARI_CATALOGUE_SHOWS_MAX 5000
#define JARI_CATALOGUE_SEATS_MAX 1000000

/* ---- money ---- */
#define JARI_CHARGE_MAX 1000000000LL
#define JARI_BALANCE_MAX 1000000000000LL

/* ---- idempotency ---- */
#define JARI_KEY_BYTES_MAX 255
#define JARI_KEY_LIFE_MS (24LL * 3600 * 1000)

/* ---- answers kept ---- */
#define JARI_RENDERED_SHOWS 64 /* places for shows whose seats are kept as they were written, for each HTTP thread; … */
#define JARI_RENDERED_BYTES (4 * 1024 * 1024) /* … and all of them together */

/* ---- engine ---- */
#define JARI_BATCH_MAX 1024  /* commands decided and committed together */
#define JARI_INBOX_MAX 65536 /* commands waiting for the committer; past it 503 OVERLOADED */
#define JARI_READS_MAX 65536 /* reads of the store waiting for the reader */
/* Who would wait longer for the committer or the reader is told to come back (engine/overload.h). */
#define JARI_COMMAND_WAIT_MS_DEFAULT 500
#define JARI_COMMAND_WAIT_MS_MAX 60000
#define JARI_TICK_MS 100   /* how often the tick looks for what has lapsed */
#define JARI_TICK_STEP 256 /* rows of one kind that one tick may end or admit */

/* ---- stopping ---- */
#define JARI_DRAIN_SECONDS_MAX 3600 /* how long a server that is to stop may go on while proxies turn away from it */
#define JARI_STOP_SECONDS 60 /* what a service manager is asked to wait for the rest: answers (HTTP_STOP_MS), the last sync */

/* ---- time series for the organiser's plots ---- */
#define JARI_SERIES_SECONDS 3600 /* kept at one second */
#define JARI_SERIES_MINUTES 1440 /* kept at one minute */
#define JARI_SERIES_QUEUES_MAX 64
#define JARI_SERIES_SHOWS_MAX 128
#define JARI_SERIES_IDLE_S 3600 /* what has not changed for so long gives its place to what changes */
#define JARI_SERIES_NAMED_MAX 8 /* queues and shows that one request may name */

/* ---- paging ---- */
#define JARI_PAGE_MAX 100
#define JARI_PAGE_DEFAULT 20
#define JARI_SALES_PAGE 1000 /* rows of a sales file read at a time */

/* ---- HTTP ---- */
#define JARI_BODY_MAX 65536
#define JARI_CATALOGUE_BODY_MAX 1048576
#define JARI_HEADERS_MAX 32768 /* request line and headers together; more is 431 */
#define JARI_QUERY_PARAMS_MAX 16
#define JARI_JSON_DEPTH_MAX 32
#define JARI_FRAME_ANCESTORS_MAX 400 /* characters; with the rest of its line well below a header's limit */
#define JARI_LISTEN_BACKLOG 4096
#define JARI_RATE_MAX 6000000           /* the largest rate limit, in requests a minute */
#define JARI_RATE_ADDRESS_DEFAULT 30000 /* from one address; polls with a good token aside (http/throttle.h) */
#define JARI_RATE_USER_DEFAULT 600      /* with one user's tokens */
#define JARI_RATE_TOKENS_DEFAULT 3000   /* places in line, from one address */
#define JARI_TRUSTED_PROXIES_MAX 64     /* networks that --trusted-proxy may name */
#define JARI_REQUEST_SECONDS_DEFAULT 10 /* within which a whole request must arrive, however it drips */
#define JARI_REQUEST_SECONDS_MAX 3600
#define JARI_CONNECTIONS_DEFAULT 200000 /* or what the limit on open files leaves, when that is less */
#define JARI_CONNECTIONS_MAX 10000000
#define JARI_CONNECTIONS_SPARE_FILES 128   /* that are not for connections: the store, listeners, a backup */
#define JARI_CONNECTIONS_EACH_DEFAULT 1000 /* of one address: a campus behind one, and not half a server's memory */
#define JARI_STREAMS_PERCENT 75            /* of the connections may be event streams, so that who only polls gets in */
#define JARI_HELD_MAX (INT64_C(512) << 20) /* bytes that connections hold of half requests and of answers that are not taken */
#define JARI_SEND_RATE_MIN 1024            /* bytes a second; who takes an answer more slowly than this is dropped */
#define JARI_LATE_MS 1000                  /* commands that have lain in their sockets for so long are turned away */
#define JARI_RETRY_SECONDS_MAX 4           /* who is turned away is told to come back within this */
#define JARI_THREADS_MAX 64
#define JARI_TLS_TICKET_SECONDS 3600       /* for which a TLS session may be resumed */
#define JARI_HSTS_SECONDS (30 * 24 * 3600) /* for which a browser that was here over TLS comes no other way */

#endif
