/* openapi_schemas.c: the documents of the contract as JSON Schema, written with ' for ". See openapi.h. */
#include "http/openapi.h"

#include "http/json.h"

/* The schemas name these limits in figures. */
_Static_assert(JARI_USERNAME_CHARS_MAX == 64 && JARI_SECTION_CHARS_MAX == 64 && JARI_QUEUE_NAME_MAX == 64, "lengths of names");
_Static_assert(JARI_TITLE_CHARS_MAX == 200 && JARI_SEATS_PER_SHOW_DEFAULT == 50, "a concert and its shows");
_Static_assert(JARI_CHARGE_MAX == 1000000000 && JARI_PRICE_MAX == 1000000000, "money");
_Static_assert(JARI_SEAT_NUMBER_MAX == 1000000000 && JARI_CATALOGUE_QUEUES_MAX == 1000 && JARI_CATALOGUE_CONCERTS_MAX == 1000,
               "a catalogue");
_Static_assert(JARI_CATALOGUE_SHOWS_MAX == 5000 && JARI_CATALOGUE_SEATS_MAX == 1000000 && JARI_SEATS_PER_SHOW_MAX == 100000 &&
                   JARI_CATALOGUE_BODY_MAX == 1048576,
               "a whole catalogue");
_Static_assert(JSON_INTS_MAX == 1000, "seats of one hold");
_Static_assert(JARI_QUEUE_CAPACITY_MAX == 10000000 && JARI_QUEUE_RATE_MAX == 1000000, "a queue");

#define ID "{'type':'integer','format':'int64','minimum':1}"
#define SEAT_NUMBER "{'type':'integer','format':'int64','minimum':1,'maximum':1000000000}"
#define COUNT "{'type':'integer','format':'int64','minimum':0}"
#define WON "{'type':'integer','format':'int64','minimum':0,'description':'won'}"
#define AT "{'type':'string','format':'date-time'}"
#define AT_OR_NULL "{'type':['string','null'],'format':'date-time'}"
#define DATE "{'type':'string','format':'date'}"
#define IDS "{'type':'array','items':" ID "}"
#define TEXTS "{'type':'string'}"
#define SEAT_STATUS "{'type':'string','enum':['AVAILABLE','HELD','SOLD']}"
#define RESERVATION_STATUS "{'type':'string','enum':['HELD','PAID','EXPIRED','CANCELLED','REFUNDED']}"
#define TICKET_STATUS "{'type':'string','enum':['WAITING','ACTIVE','EXPIRED']}"
#define NEXT_BEFORE "{'type':['integer','null'],'format':'int64','description':'the `before` of the next page; null at the end'}"
#define REF(name) "{'$ref':'#/components/schemas/" name "'}"
#define LIST_OF(name) "{'type':'array','items':" REF(name) "}"
#define OBJECT(required, properties) "{'type':'object','required':[" required "],'properties':{" properties "}}"

#define NAME "{'type':'string','minLength':1,'maxLength':200}"
#define COUNTS "{'type':'array','items':{'type':['integer','null'],'format':'int64'}}"
#define PAIR "{'type':'array','minItems':2,'maxItems':2,'items':" COUNT "}"
#define SECTION_REQUIRED "'section','totalSeats','available','held','sold','revenue','lowestPrice','highestPrice'"
#define SECTION_PROPERTIES                                                                                                      \
	"'section':" TEXTS ",'totalSeats':" COUNT ",'available':" COUNT ",'held':" COUNT ",'sold':" COUNT ",'revenue':" WON "," \
	"'lowestPrice':" WON ",'highestPrice':" WON
#define HALL_REQUIRED \
	"'showId','concertId','date','startsAt','closed','version','totalSeats','available','held','sold','revenue','sections'"
#define HALL_PROPERTIES                                                                                                         \
	"'showId':" ID ",'concertId':" ID ",'date':" DATE ",'startsAt':" AT ",'closed':{'type':'boolean'},'version':" COUNT "," \
	"'totalSeats':" COUNT ",'available':" COUNT ",'held':" COUNT ",'sold':" COUNT ",'revenue':" WON

/* clang-format off */
const struct openapi_schema openapi_schemas[] = {
	{"TokenRequest", OBJECT("'username'",
		"'username':{'type':'string','minLength':1,'maxLength':64,'description':'without control characters'},"
		"'concertId':{'type':['integer','null'],'format':'int64','minimum':1}")},
	{"SignIn", OBJECT("'auth'", "'auth':{'type':'string','enum':['name','jwt'],"
		"'description':'name: whoever asks for a place says a name. jwt: with a signed token of the organiser\xe2\x80\x99" "s sign-in.'}")},
	{"Ticket", OBJECT("'token','userId','username','queueId','number','status','reason','position','ahead','etaSeconds','retryAfterSeconds',"
		"'issuedAt','expiresAt','queuePaused'",
		"'token':{'type':'string','format':'uuid'},'userId':" ID ",'username':" TEXTS ",'queueId':" ID ","
		"'number':{'type':'integer','format':'int64','minimum':1,'description':'the place in the queue\xe2\x80\x99s history, in the exact order of issue, without gaps'},"
		"'status':" TICKET_STATUS ","
		"'reason':{'type':['string','null'],'enum':['PAID','TIMED_OUT','LEFT','ABANDONED',null],'description':'why it is EXPIRED'},"
		"'position':{'type':'integer','format':'int64','minimum':0,'description':'`ahead` + 1 while waiting, 0 otherwise'},"
		"'ahead':{'type':'integer','format':'int64','minimum':0,'description':'how many are waiting before this ticket, exactly'},"
		"'etaSeconds':{'type':['integer','null'],'format':'int64','minimum':0,'description':'from the measured flow; null while unknown, 0 when active'},"
		"'retryAfterSeconds':{'type':'integer','format':'int64','minimum':0,'description':'when to ask again'},"
		"'issuedAt':" AT ",'expiresAt':{'type':['string','null'],'format':'date-time','description':'of the active place; null while waiting'},"
		"'queuePaused':{'type':'boolean','description':'true while the organiser admits nobody'}")},

	{"Concert", OBJECT("'concertId','title','artist','venue','queueId','salesOpenAt'",
		"'concertId':" ID ",'title':" TEXTS ",'artist':" TEXTS ",'venue':" TEXTS ",'queueId':" ID ",'salesOpenAt':" AT_OR_NULL)},
	{"Concerts", OBJECT("'concerts'", "'concerts':" LIST_OF("Concert"))},
	{"Dates", OBJECT("'concertId','dates'", "'concertId':" ID ",'dates':{'type':'array','items':"
		OBJECT("'date','showId','startsAt','totalSeats','availableSeats','closed'",
			"'date':" DATE ",'showId':" ID ",'startsAt':" AT ",'totalSeats':" COUNT ",'availableSeats':" COUNT ","
			"'closed':{'type':'boolean','description':'takes no new holds'}") "}")},
	{"Seats", OBJECT("'concertId','showId','date','startsAt','version','closed','availableSeats','seats'",
		"'concertId':" ID ",'showId':" ID ",'date':" DATE ",'startsAt':" AT ","
		"'version':{'type':'integer','format':'int64','minimum':0,'description':'grows with every change of the show\xe2\x80\x99s seats'},"
		"'closed':{'type':'boolean','description':'takes no new holds'},"
		"'availableSeats':" IDS ",'seats':{'type':'array','items':"
		OBJECT("'seatNumber','section','price','status'",
			"'seatNumber':" ID ",'section':" TEXTS ",'price':" WON ",'status':" SEAT_STATUS) "}")},
	{"SeatStatuses", OBJECT("'concertId','showId','date','startsAt','version','closed','statuses'",
		"'concertId':" ID ",'showId':" ID ",'date':" DATE ",'startsAt':" AT ","
		"'version':{'type':'integer','format':'int64','minimum':0,'description':'that of the seats'},"
		"'closed':{'type':'boolean','description':'takes no new holds'},"
		"'statuses':{'type':'string','pattern':'^[AHS]*$','description':'for each seat, by its number, the first letter of its status'}")},
	{"HoldRequest", "{'type':'object','description':'Exactly one of `date` and `showId`, and exactly one of `seatNumber`, `seatNumbers` and `bestAvailable`.',"
		"'properties':{'date':" DATE ",'showId':" ID ",'seatNumber':" ID ","
		"'seatNumbers':{'type':'array','minItems':1,'maxItems':1000,'uniqueItems':true,'items':" ID "},"
		"'bestAvailable':" OBJECT("'count'", "'count':" ID ",'section':{'type':'string','minLength':1,'maxLength':64}") "},"
		"'allOf':[{'oneOf':[{'required':['date']},{'required':['showId']}]},"
		"{'oneOf':[{'required':['seatNumber']},{'required':['seatNumbers']},{'required':['bestAvailable']}]}]}"},

	{"Reservation", OBJECT("'reservationId','userId','concertId','showId','date','startsAt','seatNumbers','totalPrice','status','heldUntil','createdAt','paidAt'",
		"'reservationId':" ID ",'userId':" ID ",'concertId':" ID ",'showId':" ID ",'date':" DATE ",'startsAt':" AT ",'seatNumbers':" IDS ",'totalPrice':" WON ","
		"'status':" RESERVATION_STATUS ",'heldUntil':" AT ",'createdAt':" AT ",'paidAt':" AT_OR_NULL)},
	{"Reservations", OBJECT("'reservations','nextBefore'", "'reservations':" LIST_OF("Reservation") ",'nextBefore':" NEXT_BEFORE)},

	{"ChargeRequest", OBJECT("'amount'", "'amount':{'type':'integer','format':'int64','minimum':1,'maximum':1000000000,'description':'won'}")},
	{"Balance", OBJECT("'userId','balance'", "'userId':" ID ",'balance':" WON)},
	{"User", OBJECT("'userId','username','balance'", "'userId':" ID ",'username':" TEXTS ",'balance':" WON)},
	{"Histories", OBJECT("'histories','nextBefore'", "'histories':{'type':'array','items':"
		OBJECT("'historyId','type','amount','balanceAfter','reservationId','createdAt'",
			"'historyId':" ID ",'type':{'type':'string','enum':['CHARGE','PAYMENT','REFUND']},"
			"'amount':{'type':'integer','format':'int64','description':'won; below 0 for a payment'},'balanceAfter':" WON ","
			"'reservationId':{'type':['integer','null'],'format':'int64'},'createdAt':" AT) "},'nextBefore':" NEXT_BEFORE)},
	{"PaymentRequest", "{'type':'object','properties':{'amount':{'type':['integer','null'],'format':'int64','minimum':0,"
		"'description':'must be the total price when it is given'}}}"},
	{"Payment", OBJECT("'paymentId','reservationId','amount','balance','paidAt','seatNumbers','status'",
		"'paymentId':" ID ",'reservationId':" ID ",'amount':" WON ",'balance':" WON ",'paidAt':" AT ",'seatNumbers':" IDS ","
		"'status':{'type':'string','const':'PAID'}")},

	{"Catalogue", "{'type':'object','description':'A document of 1 MiB at most, with at most 5000 shows and 1000000 seats. A show has at most 100000 seats, "
		"none twice. A queueâs name is taken only once.','properties':{"
		"'queues':{'type':'array','maxItems':1000,'items':" OBJECT("'name','capacity'", "'name':{'type':'string','minLength':1,'maxLength':64},"
			"'capacity':{'type':'integer','minimum':1,'maximum':10000000},"
			"'ratePerSecond':{'type':'integer','minimum':0,'maximum':1000000,'default':0,'description':'admissions a second at most; 0: no limit'}") "},"
		"'concerts':{'type':'array','maxItems':1000,'items':" OBJECT("'title','artist','venue','shows'",
			"'title':{'type':'string','minLength':1,'maxLength':200},'artist':{'type':'string','minLength':1,'maxLength':200},"
			"'venue':{'type':'string','minLength':1,'maxLength':200},"
			"'queue':{'type':'string','description':'the name of a queue, in this document or there already; the default queue when absent'},"
			"'salesOpenAt':" AT_OR_NULL ","
			"'shows':{'type':'array','maxItems':5000,'items':" OBJECT("'startsAt'",
				"'startsAt':{'type':'string','format':'date-time','description':'with the offset of the venue: its date there is the show\xe2\x80\x99s date'},"
				"'price':{'type':'integer','minimum':0,'maximum':1000000000,'default':50000,'description':'of a show without `seats`'},"
				"'seats':{'type':'array','description':'without any: seats 1 to 50 of section A','items':" OBJECT("'section','from','to','price'",
					"'section':{'type':'string','minLength':1,'maxLength':64},'from':" SEAT_NUMBER ",'to':" SEAT_NUMBER ","
					"'price':{'type':'integer','minimum':0,'maximum':1000000000}") "}") "}") "}}}"},
	{"NewIds", OBJECT("'queueIds','concertIds','showIds'", "'queueIds':" IDS ",'concertIds':" IDS ",'showIds':" IDS)},
	{"Queue", OBJECT("'queueId','name','capacity','ratePerSecond','paused','waiting','active','admitted','lastNumber'",
		"'queueId':" ID ",'name':" TEXTS ",'capacity':" ID ",'ratePerSecond':" COUNT ",'paused':{'type':'boolean'},"
		"'waiting':" COUNT ",'active':" COUNT ",'admitted':" COUNT ",'lastNumber':" COUNT)},
	{"Queues", OBJECT("'queues'", "'queues':" LIST_OF("Queue"))},
	{"QueueChange", "{'type':'object','minProperties':1,'properties':{'capacity':{'type':'integer','minimum':1,'maximum':10000000},"
		"'ratePerSecond':{'type':'integer','minimum':0,'maximum':1000000,'description':'0: no limit'},'paused':{'type':'boolean'}}}"},
	{"Stats", OBJECT("'queues','shows'", "'queues':" LIST_OF("Queue") ",'shows':{'type':'array','items':"
		OBJECT("'showId','concertId','title','date','startsAt','closed','totalSeats','available','held','sold','revenue'",
			"'showId':" ID ",'concertId':" ID ",'title':" TEXTS ",'date':" DATE ",'startsAt':" AT ",'closed':{'type':'boolean'},'totalSeats':" COUNT ",'available':" COUNT ","
			"'held':" COUNT ",'sold':" COUNT ",'revenue':" WON) "}")},
	{"Series", OBJECT("'resolution','step','t0','count','next','server','queues','shows'",
		"'resolution':{'type':'string','enum':['second','minute']},'step':{'type':'integer','description':'seconds'},'t0':" AT ",'count':" COUNT ","
		"'next':{'type':'string','format':'date-time','description':'the `since` of the next request'},"
		"'server':" OBJECT("'requests','refused','errors','p50Us','p99Us','commits','commitUs'",
			"'requests':" COUNTS ",'refused':" COUNTS ",'errors':" COUNTS ",'p50Us':" COUNTS ",'p99Us':" COUNTS ",'commits':" COUNTS ",'commitUs':" COUNTS) ","
		"'queues':{'type':'array','items':" OBJECT("'queueId','waiting','active','admitted','joined'",
			"'queueId':" ID ",'waiting':" COUNTS ",'active':" COUNTS ",'admitted':" COUNTS ",'joined':" COUNTS) "},"
		"'shows':{'type':'array','items':" OBJECT("'showId','sold','held','revenue'",
			"'showId':" ID ",'sold':" COUNTS ",'held':" COUNTS ",'revenue':" COUNTS) "}")},
	{"ConcertChange", "{'type':'object','minProperties':1,'properties':{'title':" NAME ",'artist':" NAME ",'venue':" NAME ","
		"'salesOpenAt':{'type':['string','null'],'format':'date-time','description':'null: sales are open'}}}"},
	{"ShowChange", "{'type':'object','minProperties':1,'properties':{"
		"'startsAt':{'type':'string','format':'date-time','description':'with the offset of the venue: its date there is the show\xe2\x80\x99s date'},"
		"'closed':{'type':'boolean','description':'true: no new holds'},"
		"'prices':{'type':'array','maxItems':100,'description':'of the free seats of these sections; each section once','items':"
		OBJECT("'section','price'", "'section':{'type':'string','minLength':1,'maxLength':64},"
			"'price':{'type':'integer','minimum':0,'maximum':1000000000}") "}}}"},
	{"OrganiserShow", OBJECT(HALL_REQUIRED, HALL_PROPERTIES ",'sections':{'type':'array','items':" OBJECT(SECTION_REQUIRED, SECTION_PROPERTIES) "}")},
	{"OrganiserShowChanged", OBJECT(HALL_REQUIRED ",'repriced','pricesKept'", HALL_PROPERTIES ",'sections':{'type':'array','items':"
		OBJECT(SECTION_REQUIRED, SECTION_PROPERTIES) "},"
		"'repriced':{'type':'integer','format':'int64','minimum':0,'description':'seats whose price was set'},"
		"'pricesKept':{'type':'integer','format':'int64','minimum':0,'description':'held seats that kept another price'}")},
	{"OrganiserHall", OBJECT(HALL_REQUIRED, HALL_PROPERTIES ",'sections':{'type':'array','items':"
		OBJECT(SECTION_REQUIRED ",'numbers','states','priceRuns'", SECTION_PROPERTIES ","
			"'numbers':{'type':'array','description':'ranges of seat numbers, ascending','items':" PAIR "},"
			"'states':{'type':'string','description':'a letter a seat, by number: A available, H held, S sold'},"
			"'priceRuns':{'type':'array','description':'how many seats in a row, and their price','items':" PAIR "}") "}")},
	{"OrganiserConcert", OBJECT("'concertId','title','artist','venue','queueId','salesOpenAt','shows'",
		"'concertId':" ID ",'title':" TEXTS ",'artist':" TEXTS ",'venue':" TEXTS ",'queueId':" ID ",'salesOpenAt':" AT_OR_NULL ","
		"'shows':" LIST_OF("OrganiserShow"))},
	{"AuditLog", OBJECT("'entries','nextBefore'", "'entries':{'type':'array','items':"
		OBJECT("'auditId','at','actor','action','target','detail'",
			"'auditId':" ID ",'at':" AT ",'actor':" TEXTS ",'action':" TEXTS ",'target':" TEXTS ",'detail':{'description':'what was changed'}")
		"},'nextBefore':" NEXT_BEFORE)},

	{"Health", OBJECT("'status'", "'status':{'type':'string','enum':['ok','ready']}")},
	{"Problem", OBJECT("'type','title','status','detail','code'",
		"'type':{'type':'string'},'title':" TEXTS ",'status':{'type':'integer','minimum':400,'maximum':599},"
		"'detail':{'type':'string','description':'a sentence for a person'},"
		"'code':{'type':'string','description':'stable; switch on it'}")},
};
/* clang-format on */
const size_t openapi_schema_count = sizeof(openapi_schemas) / sizeof(openapi_schemas[0]);

const struct openapi_members *openapi_code_members(enum core_code code)
{
	static const struct openapi_members members[CORE_CODE_COUNT] = {
	    [CORE_INSUFFICIENT_BALANCE] = {"'balance','required'", "'balance':" WON ",'required':" WON},
	    [CORE_NOT_ADMITTED] = {"'ticketStatus','position'", "'ticketStatus':" TICKET_STATUS ",'position':" COUNT},
	    [CORE_SALES_NOT_OPEN] = {"'salesOpenAt'", "'salesOpenAt':" AT},
	    [CORE_SEAT_TAKEN] = {"'conflicts'", "'conflicts':" IDS},
	    [CORE_ALREADY_YOURS] = {"'reservationId'", "'reservationId':" ID},
	    [CORE_LIMIT_EXCEEDED] = {"'limit'", "'limit':" COUNT},
	};

	return members[code].names != NULL ? &members[code] : NULL;
}
