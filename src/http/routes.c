#include "http/routes.h"
#include "http/openapi.h"
#include "http/res_common.h"

#define LINE "Waiting line"
#define CONCERTS "Concerts and seats"
#define RESERVATIONS "Reservations"
#define WALLET "Wallet and payment"
#define ORGANISER "Organiser"
#define SERVICE "Service"

_Static_assert(JARI_PAGE_MAX == 100 && JARI_PAGE_DEFAULT == 20, "figures below");
#define PAGED                                                                                        \
	{"limit", "{'type':'integer','minimum':1,'maximum':100,'default':20}", "How many at most."}, \
	{                                                                                            \
		"before", "{'type':'integer','format':'int64','minimum':1}",                         \
		    "Only what is older than this id: the `nextBefore` of the page before."          \
	}

/* ---- the waiting line ---- */

static const struct http_route_doc get_token = {
    .id = "takeToken",
    .rate = HTTP_RATE_PLACE,
    .tag = LINE,
    .summary = "Take a place in a queue",
    .says =
	"Without `concertId`: in the default queue. Who waits or is active in that queue already gets the same token and place again.",
    .sign_in_says =
	"For the user whom the sign-in token names by its `sub`. Without `concertId`: in the default queue. Who waits or is active in that queue already gets the same token and place again.",
    .request = "TokenRequest",
    .sign_in_request = "{'type':'object','properties':{'concertId':{'type':['integer','null'],'format':'int64','minimum':1}}}",
    .success = {{201, "A new place.", "Ticket", NULL, OPENAPI_RETRY_AFTER},
                {200, "The place that this user has already.", "Ticket", NULL, OPENAPI_RETRY_AFTER}},
    .codes = {CORE_CONCERT_NOT_FOUND},
};
static const struct http_route_doc sign_in = {
    .id = "getSignIn",
    .tag = LINE,
    .summary = "How one says who one is",
    .success = {{200, "With a name, or with a token of the organiser's sign-in.", "SignIn", NULL, 0}},
};
static const struct http_route_doc check = {
    .id = "checkToken",
    .tag = LINE,
    .summary = "The ticket, now",
    .says = "Works for a ticket in any state. Ask again after `retryAfterSeconds`.",
    .success = {{200, "The ticket.", "Ticket", NULL, OPENAPI_RETRY_AFTER}},
};
static const struct http_route_doc events = {
    .id = "followToken",
    .tag = LINE,
    .summary = "The ticket, now and at every change of it",
    .says =
	"Server-sent events: `event: ticket`, with the ticket as `GET /api/check` gives it as `data`; one at once, and one at every change of "
	"`status`, `reason`, `expiresAt`, `queuePaused` or `ahead` (the last at most about once a second), and when `etaSeconds` has changed by a quarter and ten seconds at least, or has become known or unknown. Every event has the whole ticket, so nothing is missed by "
	"coming back. The stream ends with the event that says `EXPIRED`: do not come back then. Every 15 seconds without an event there is a comment "
	"line. Who has a stream open keeps the place in the line without asking.",
    .success = {{200, "The events.", NULL, "text/event-stream", 0}},
};
static const struct http_route_doc leave = {
    .id = "leaveQueue",
    .tag = LINE,
    .summary = "Leave the queue",
    .says =
	"Gives up a waiting place or an active slot. Live holds stay payable. An ended ticket is left once more without harm.",
    .success = {{204, "Left.", NULL, NULL, 0}},
};

/* ---- concerts, dates, seats ---- */

static const struct http_route_doc concerts = {
    .id = "listConcerts",
    .tag = CONCERTS,
    .summary = "All concerts",
    .success = {{200, "The concerts, by id.", "Concerts", NULL, 0}},
};
static const struct http_route_doc concert = {
    .id = "getConcert",
    .tag = CONCERTS,
    .summary = "One concert",
    .success = {{200, "The concert.", "Concert", NULL, 0}},
    .codes = {CORE_CONCERT_NOT_FOUND},
};
static const struct http_route_doc dates = {
    .id = "listDates",
    .tag = CONCERTS,
    .summary = "The dates of a concert",
    .says =
	"Soonest first; only shows that have not begun, are not closed and have a free seat. Needs an active ticket of the concert's queue.",
    .query = {{"all", "{'type':'boolean','default':false}", "Also shows that are sold out, closed or have begun."}},
    .success = {{200, "The dates.", "Dates", NULL, 0}},
    .codes = {CORE_CONCERT_NOT_FOUND, CORE_NOT_ADMITTED, CORE_WRONG_QUEUE},
};
static const struct http_route_doc seats = {
    .id = "listSeats",
    .tag = CONCERTS,
    .summary = "The seats of a show",
    .says = "Name the show by exactly one of `date` and `showId`. Needs an active ticket of the concert's queue.",
    .conditional = true,
    .query = {{"date", "{'type':'string','format':'date'}", "The show's local date."},
              {"showId", "{'type':'integer','format':'int64','minimum':1}", "The show, where a date has two."}},
    .success = {{200, "The seats.", "Seats", NULL, OPENAPI_ETAG},
                {304, "The client has this version already.", NULL, NULL, OPENAPI_ETAG}},
    .codes = {CORE_CONCERT_NOT_FOUND, CORE_SHOW_NOT_FOUND, CORE_NOT_ADMITTED, CORE_WRONG_QUEUE, CORE_AMBIGUOUS_DATE},
};
static const struct http_route_doc seat_statuses = {
    .id = "listSeatStatuses",
    .tag = CONCERTS,
    .summary = "The statuses of a show's seats",
    .says =
	"For who has the seats already and looks for what has changed: a letter a seat, in the order of `seats`. Name the show by exactly one of `date` and `showId`. Needs an active ticket of the concert's queue.",
    .conditional = true,
    .query = {{"date", "{'type':'string','format':'date'}", "The show's local date."},
              {"showId", "{'type':'integer','format':'int64','minimum':1}", "The show, where a date has two."}},
    .success = {{200, "The statuses.", "SeatStatuses", NULL, OPENAPI_ETAG},
                {304, "The client has this version already.", NULL, NULL, OPENAPI_ETAG}},
    .codes = {CORE_CONCERT_NOT_FOUND, CORE_SHOW_NOT_FOUND, CORE_NOT_ADMITTED, CORE_WRONG_QUEUE, CORE_AMBIGUOUS_DATE},
};
static const struct http_route_doc hold = {
    .id = "holdSeats",
    .tag = CONCERTS,
    .summary = "Hold seats",
    .says =
	"All or nothing. Needs an active ticket of the concert's queue. The hold can be paid until `heldUntil`, whatever becomes of the "
	"ticket.",
    .request = "HoldRequest",
    .keyed = true,
    .success = {{201, "The seats are held.", "Reservation", NULL, 0}},
    .codes = {CORE_CONCERT_NOT_FOUND, CORE_SHOW_NOT_FOUND, CORE_SEAT_NOT_FOUND, CORE_NOT_ADMITTED, CORE_WRONG_QUEUE,
              CORE_SALES_NOT_OPEN, CORE_SALES_CLOSED, CORE_AMBIGUOUS_DATE, CORE_ALREADY_YOURS, CORE_LIMIT_EXCEEDED,
              CORE_SEAT_TAKEN},
};

/* ---- reservations ---- */

static const struct http_route_doc reservation = {
    .id = "getReservation",
    .tag = RESERVATIONS,
    .summary = "One reservation",
    .says = "Of the token's user. A hold past `heldUntil` reads `EXPIRED` at once.",
    .stored = true,
    .success = {{200, "The reservation.", "Reservation", NULL, 0}},
    .codes = {CORE_RESERVATION_NOT_FOUND},
};
static const struct http_route_doc cancel = {
    .id = "cancelReservation",
    .tag = RESERVATIONS,
    .summary = "Give up a hold",
    .says = "Its seats are free at once.",
    .success = {{204, "Given up.", NULL, NULL, 0}},
    .codes = {CORE_RESERVATION_NOT_FOUND, CORE_NOT_HELD},
};
static const struct http_route_doc reservations = {
    .id = "listReservations",
    .tag = RESERVATIONS,
    .summary = "A user's reservations",
    .says = "Newest first.",
    .stored = true,
    .query = {PAGED},
    .success = {{200, "A page of reservations.", "Reservations", NULL, 0}},
    .codes = {CORE_USER_NOT_FOUND},
};

/* ---- wallet and payment ---- */

static const struct http_route_doc charge = {
    .id = "chargeWallet",
    .tag = WALLET,
    .summary = "Charge the wallet",
    .request = "ChargeRequest",
    .keyed = true,
    .success = {{200, "The new balance.", "Balance", NULL, 0}},
    .codes = {CORE_USER_NOT_FOUND, CORE_BALANCE_LIMIT},
};
static const struct http_route_doc charge_patch = {
    .id = "chargeWalletByPatch",
    .tag = WALLET,
    .summary = "Charge the wallet",
    .says = "The same as `POST`.",
    .request = "ChargeRequest",
    .keyed = true,
    .success = {{200, "The new balance.", "Balance", NULL, 0}},
    .codes = {CORE_USER_NOT_FOUND, CORE_BALANCE_LIMIT},
};
static const struct http_route_doc user = {
    .id = "getUser",
    .tag = WALLET,
    .summary = "A user and the wallet",
    .success = {{200, "The user.", "User", NULL, 0}},
    .codes = {CORE_USER_NOT_FOUND},
};
static const struct http_route_doc histories = {
    .id = "listHistories",
    .tag = WALLET,
    .summary = "What went in and out of the wallet",
    .says = "Newest first.",
    .stored = true,
    .query = {PAGED},
    .success = {{200, "A page of the wallet's history.", "Histories", NULL, 0}},
    .codes = {CORE_USER_NOT_FOUND},
};
static const struct http_route_doc pay = {
    .id = "payReservation",
    .tag = WALLET,
    .summary = "Pay a hold",
    .says =
	"One atomic step: the wallet is debited, the seats are sold, the reservation is paid, the ticket ends and its slot goes to the next "
	"in line. Needs a live hold, not an active place.",
    .request = "PaymentRequest",
    .keyed = true,
    .success = {{200, "Paid.", "Payment", NULL, 0}},
    .codes = {CORE_RESERVATION_NOT_FOUND, CORE_ALREADY_PAID, CORE_HOLD_EXPIRED, CORE_NOT_HELD, CORE_AMOUNT_MISMATCH,
              CORE_INSUFFICIENT_BALANCE},
};

/* ---- organiser ---- */

static const struct http_route_doc catalogue = {
    .id = "addCatalogue",
    .tag = ORGANISER,
    .summary = "Add queues, concerts, shows and seats",
    .says = "All or nothing. `jari import` takes the same document.",
    .request = "Catalogue",
    .success = {{201, "The new ids, in the document's order.", "NewIds", NULL, 0}},
};
static const struct http_route_doc queues = {
    .id = "listQueues",
    .tag = ORGANISER,
    .summary = "All queues",
    .success = {{200, "The queues, by id.", "Queues", NULL, 0}},
};
static const struct http_route_doc patch_queue = {
    .id = "patchQueue",
    .tag = ORGANISER,
    .summary = "Change a queue",
    .says = "At least one member. A lower capacity sends nobody away: nobody is admitted until enough have left.",
    .request = "QueueChange",
    .success = {{200, "The queue, changed.", "Queue", NULL, 0}},
};
static const struct http_route_doc stats = {
    .id = "getStats",
    .tag = ORGANISER,
    .summary = "Figures of every queue and show",
    .success = {{200, "The figures.", "Stats", NULL, 0}},
};
_Static_assert(JARI_SERIES_SECONDS == 3600 && JARI_SERIES_MINUTES == 1440 && JARI_SERIES_NAMED_MAX == 8, "figures below");
static const struct http_route_doc series = {
    .id = "getSeries",
    .tag = ORGANISER,
    .summary = "Time series for plots",
    .says =
	"An hour at one second, a day at one minute, in memory. Value `i` of each array is that of the step which begins at `t0` + `i` * `step` seconds; "
	"`null` is a gap. Only steps that are over are told: ask again with `since` = `next`. Counts go up, so what happened in a step is the difference "
	"to the one before. At most 8 queues and shows together.",
    .query = {{"resolution", "{'type':'string','enum':['second','minute'],'default':'second'}", "How long a step is."},
              {"since", "{'type':'string','format':'date-time'}",
               "Only steps that begin then or later: the `next` of the reply before."},
              {"queueId", "{'type':'string','pattern':'^[0-9]+(,[0-9]+)*$'}", "Ids of queues, separated by commas."},
              {"showId", "{'type':'string','pattern':'^[0-9]+(,[0-9]+)*$'}", "Ids of shows, separated by commas."}},
    .success = {{200, "The series.", "Series", NULL, 0}},
};
static const struct http_route_doc admin_concert = {
    .id = "getConcertAsOrganiser",
    .tag = ORGANISER,
    .summary = "A concert with its shows and their sections",
    .says = "Shows soonest first, also those that are closed or have begun.",
    .success = {{200, "The concert.", "OrganiserConcert", NULL, 0}},
    .codes = {CORE_CONCERT_NOT_FOUND},
};
static const struct http_route_doc patch_concert = {
    .id = "patchConcert",
    .tag = ORGANISER,
    .summary = "Change a concert",
    .says =
	"At least one member. A `salesOpenAt` that is past opens sales at once; one to come ends new holds until then. Holds that are alive may still be paid.",
    .request = "ConcertChange",
    .success = {{200, "The concert, changed.", "Concert", NULL, 0}},
    .codes = {CORE_CONCERT_NOT_FOUND},
};
static const struct http_route_doc admin_show = {
    .id = "getShowAsOrganiser",
    .tag = ORGANISER,
    .summary = "A show with every seat by section, for a map",
    .conditional = true,
    .success = {{200, "The show.", "OrganiserHall", NULL, OPENAPI_ETAG},
                {304, "The client has this version already.", NULL, NULL, OPENAPI_ETAG}},
    .codes = {CORE_SHOW_NOT_FOUND},
};
static const struct http_route_doc patch_show = {
    .id = "patchShow",
    .tag = ORGANISER,
    .summary = "Change a show",
    .says =
	"At least one member. `closed` ends new holds (403 `SALES_CLOSED`), and holds that are alive may still be paid. `prices` are those of seats that are "
	"free: seats that are held or sold keep theirs. Whoever looks at the seats sees a new `version`.",
    .request = "ShowChange",
    .success = {{200, "The show, changed.", "OrganiserShowChanged", NULL, 0}},
    .codes = {CORE_SHOW_NOT_FOUND},
};
static const struct http_route_doc sales = {
    .id = "getSales",
    .tag = ORGANISER,
    .summary = "Every reservation of a concert, as CSV",
    .says =
	"Oldest first, with a header line (RFC 4180). A username that a spreadsheet would take for a formula has an apostrophe before it.",
    .stored = true,
    .success = {{200, "The file.", NULL, "text/csv", OPENAPI_DISPOSITION}},
    .codes = {CORE_CONCERT_NOT_FOUND},
};
static const struct http_route_doc audit_log = {
    .id = "listAuditLog",
    .tag = ORGANISER,
    .summary = "Who changed what, and when",
    .says = "Newest first.",
    .stored = true,
    .query = {PAGED},
    .success = {{200, "A page of the audit log.", "AuditLog", NULL, 0}},
};

/* ---- service ---- */

static const struct http_route_doc healthz = {
    .id = "isAlive",
    .rate = HTTP_RATE_FREE,
    .tag = SERVICE,
    .summary = "Is the server alive?",
    .success = {{200, "It is.", "Health", NULL, 0}},
};
static const struct http_route_doc readyz = {
    .id = "isReady",
    .rate = HTTP_RATE_FREE,
    .tag = SERVICE,
    .summary = "Can changes be taken, and is the server to stay? If not, the problem says why",
    .stored = true,
    .codes = {CORE_STOPPING},
    .success = {{200, "It can.", "Health", NULL, 0}},
};
static const struct http_route_doc metrics = {
    .id = "getMetrics",
    .rate = HTTP_RATE_KEY,
    .tag = SERVICE,
    .summary = "Metrics in Prometheus' text format",
    .success = {{200, "The metrics.", NULL, "text/plain", 0}},
};
static const struct http_route_doc openapi = {
    .id = "getOpenapi",
    .tag = SERVICE,
    .summary = "This document",
    .conditional = true,
    .success = {{200, "The document.", NULL, "application/json", OPENAPI_ETAG},
                {304, "The client has this version already.", NULL, NULL, OPENAPI_ETAG}},
};

#define DOC_FILE(name, operation, title, media)                                                   \
	static const struct http_route_doc name = {                                               \
	    .id = operation,                                                                      \
	    .tag = SERVICE,                                                                       \
	    .summary = title,                                                                     \
	    .conditional = true,                                                                  \
	    .any_query = true,                                                                    \
	    .success = {{200, "The file.", NULL, media, OPENAPI_ETAG},                            \
	                {304, "The client has this version already.", NULL, NULL, OPENAPI_ETAG}}, \
	    .codes = {CORE_NOT_FOUND},                                                            \
	}
DOC_FILE(docs, "getDocs", "This document as a page", "text/html");
DOC_FILE(docs_init, "getDocsInit", "A file of the documentation page", "text/javascript");
DOC_FILE(docs_script, "getDocsScript", "A file of the documentation page", "text/javascript");
DOC_FILE(docs_style, "getDocsStyle", "A file of the documentation page", "text/css");
DOC_FILE(page_buyers, "getPage", "The buyers' page", "text/html");
DOC_FILE(page_admin, "getAdminPage", "The organisers' page", "text/html");
DOC_FILE(page_live, "getLivePage", "The organisers' page for a wall", "text/html");
DOC_FILE(asset, "getAsset", "A file of a page, named by its content", "*/*");
DOC_FILE(docs_icon, "getDocsIcon", "A file of the documentation page", "image/png");

/* ---- the table ---- */

#define NO_BODY HTTP_BODY_NONE, JARI_BODY_MAX
#define BODY HTTP_BODY_REQUIRED, JARI_BODY_MAX
#define BODY_OR_NOT HTTP_BODY_OPTIONAL, JARI_BODY_MAX
#define CATALOGUE_BODY HTTP_BODY_OPTIONAL, JARI_CATALOGUE_BODY_MAX

/* clang-format off */
const struct http_route http_routes[] = {
	{HTTP_GET,    "/api/sign-in",                         HTTP_AUTH_NONE,       NO_BODY,        res_sign_in,      &sign_in},
	{HTTP_POST,   "/api/getToken",                        HTTP_AUTH_SIGN_IN,    BODY,           res_get_token,    &get_token},
	{HTTP_GET,    "/api/check",                           HTTP_AUTH_ANY_TICKET, NO_BODY,        res_check,        &check},
	{HTTP_GET,    "/api/check/events",                    HTTP_AUTH_ANY_TICKET, NO_BODY,        res_events,       &events},
	{HTTP_DELETE, "/api/token",                           HTTP_AUTH_ANY_TICKET, NO_BODY,        res_leave,        &leave},

	{HTTP_GET,    "/api/concerts",                        HTTP_AUTH_NONE,       NO_BODY,        res_concerts,     &concerts},
	{HTTP_GET,    "/api/concerts/{concertId}",            HTTP_AUTH_NONE,       NO_BODY,        res_concert,      &concert},
	{HTTP_GET,    "/api/booking/{concertId}/list/time",   HTTP_AUTH_TOKEN,      NO_BODY,        res_dates,        &dates},
	{HTTP_GET,    "/api/booking/{concertId}/list/seats",  HTTP_AUTH_TOKEN,      NO_BODY,        res_seats,        &seats},
	{HTTP_GET,    "/api/booking/{concertId}/list/statuses", HTTP_AUTH_TOKEN,    NO_BODY,        res_seat_statuses, &seat_statuses},
	{HTTP_POST,   "/api/booking/{concertId}/seat",        HTTP_AUTH_TOKEN,      BODY,           res_hold,         &hold},

	{HTTP_GET,    "/api/reservations/{reservationId}",    HTTP_AUTH_TOKEN,      NO_BODY,        res_reservation,  &reservation},
	{HTTP_DELETE, "/api/reservations/{reservationId}",    HTTP_AUTH_TOKEN,      NO_BODY,        res_cancel,       &cancel},
	{HTTP_GET,    "/api/{userId}/reservations",           HTTP_AUTH_TOKEN,      NO_BODY,        res_reservations, &reservations},

	{HTTP_POST,   "/api/{userId}/charge",                 HTTP_AUTH_TOKEN,      BODY,           res_charge,       &charge},
	{HTTP_PATCH,  "/api/{userId}/charge",                 HTTP_AUTH_TOKEN,      BODY,           res_charge,       &charge_patch},
	{HTTP_GET,    "/api/{userId}",                        HTTP_AUTH_TOKEN,      NO_BODY,        res_user,         &user},
	{HTTP_GET,    "/api/{userId}/histories",              HTTP_AUTH_TOKEN,      NO_BODY,        res_histories,    &histories},
	{HTTP_POST,   "/api/{reservationId}/payment",         HTTP_AUTH_TOKEN,      BODY_OR_NOT,    res_pay,          &pay},

	{HTTP_POST,   "/api/admin/catalogue",                 HTTP_AUTH_ADMIN,      CATALOGUE_BODY, res_catalogue,    &catalogue},
	{HTTP_GET,    "/api/admin/queues",                    HTTP_AUTH_ADMIN,      NO_BODY,        res_queues,       &queues},
	{HTTP_PATCH,  "/api/admin/queues/{queueId}",          HTTP_AUTH_ADMIN,      BODY,           res_patch_queue,  &patch_queue},
	{HTTP_GET,    "/api/admin/stats",                     HTTP_AUTH_ADMIN,      NO_BODY,        res_stats,        &stats},
	{HTTP_GET,    "/api/admin/series",                    HTTP_AUTH_ADMIN,      NO_BODY,        res_series,       &series},
	{HTTP_GET,    "/api/admin/concerts/{concertId}",      HTTP_AUTH_ADMIN,      NO_BODY,        res_admin_concert, &admin_concert},
	{HTTP_PATCH,  "/api/admin/concerts/{concertId}",      HTTP_AUTH_ADMIN,      BODY,           res_patch_concert, &patch_concert},
	{HTTP_GET,    "/api/admin/shows/{showId}",            HTTP_AUTH_ADMIN,      NO_BODY,        res_admin_show,   &admin_show},
	{HTTP_PATCH,  "/api/admin/shows/{showId}",            HTTP_AUTH_ADMIN,      BODY,           res_patch_show,   &patch_show},
	{HTTP_GET,    "/api/admin/concerts/{concertId}/sales.csv", HTTP_AUTH_ADMIN, NO_BODY,        res_sales,        &sales},
	{HTTP_GET,    "/api/admin/audit-log",                 HTTP_AUTH_ADMIN,      NO_BODY,        res_audit_log,    &audit_log},

	{HTTP_GET,    "/healthz",                             HTTP_AUTH_NONE,       NO_BODY,        res_healthz,      &healthz},
	{HTTP_GET,    "/readyz",                              HTTP_AUTH_NONE,       NO_BODY,        res_readyz,       &readyz},
	{HTTP_GET,    "/metrics",                             HTTP_AUTH_NONE,       NO_BODY,        res_metrics,      &metrics},
	{HTTP_GET,    "/openapi.json",                        HTTP_AUTH_NONE,       NO_BODY,        res_openapi,      &openapi},
	{HTTP_GET,    "/",                                    HTTP_AUTH_NONE,       NO_BODY,        res_page,         &page_buyers},
	{HTTP_GET,    "/admin",                               HTTP_AUTH_NONE,       NO_BODY,        res_page,         &page_admin},
	{HTTP_GET,    "/admin/live",                          HTTP_AUTH_NONE,       NO_BODY,        res_page,         &page_live},
	{HTTP_GET,    "/assets/{file}",                       HTTP_AUTH_NONE,       NO_BODY,        res_asset,        &asset},
	{HTTP_GET,    "/docs",                                HTTP_AUTH_NONE,       NO_BODY,        res_docs,         &docs},
	{HTTP_GET,    "/docs/init.js",                        HTTP_AUTH_NONE,       NO_BODY,        res_docs,         &docs_init},
	{HTTP_GET,    "/docs/swagger-ui-bundle.js",           HTTP_AUTH_NONE,       NO_BODY,        res_docs,         &docs_script},
	{HTTP_GET,    "/docs/swagger-ui.css",                 HTTP_AUTH_NONE,       NO_BODY,        res_docs,         &docs_style},
	{HTTP_GET,    "/docs/favicon-32x32.png",              HTTP_AUTH_NONE,       NO_BODY,        res_docs,         &docs_icon},
};
/* clang-format on */
const size_t http_route_count = sizeof(http_routes) / sizeof(http_routes[0]);
