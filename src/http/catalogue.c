#include "http/catalogue.h"
#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>

/* Room for a place in words: concerts[999].shows[4999].seats[99999]. */
#define WHERE_SIZE 96

/* Where we are, where it goes, and what is wrong. */
struct reading {
	struct arena *arena;
	char *error;
};

static bool wrong(struct reading *r, const char *where, const char *member, const char *what)
{
	(void)snprintf(r->error, CATALOGUE_ERROR_SIZE, "\"%s%s\" %s.", where, member, what);
	return false;
}

/* The members of one object of the document; `where` is its place with a dot behind it. */
static bool members(struct reading *r, json_t *object, const struct json_field *fields, size_t count, const char *where,
                    void *out, uint32_t *seen)
{
	return json_fields(object, fields, count, where, r->arena, out, seen, r->error);
}

/* How many there are in an array; NULL stands for one that is absent. */
static bool array_of(struct reading *r, json_t *value, const char *where, const char *member, size_t *n)
{
	*n = json_array_size(value);
	return value == NULL || json_is_array(value) || wrong(r, where, member, "must be an array");
}

/* Which numbers are right is the core's to say, which has the bounds. */
#define NUMBER INT64_MIN, INT64_MAX
#define ANY_TEXT 0, INT64_MAX

static bool read_queues(struct reading *r, json_t *array, struct core_catalogue *out)
{
	static const struct json_field fields[] = {
	    {"name", JSON_T_TEXT, true, offsetof(struct core_new_queue, name), ANY_TEXT},
	    {"capacity", JSON_T_INT, true, offsetof(struct core_new_queue, capacity), NUMBER},
	    {"ratePerSecond", JSON_T_INT, false, offsetof(struct core_new_queue, rate_per_second), NUMBER},
	};
	size_t n;

	if (!array_of(r, array, "", "queues", &n))
		return false;
	struct core_new_queue *queues = arena_alloc(r->arena, (n + 1) * sizeof(*queues));
	for (size_t i = 0; i < n; i++) {
		char where[WHERE_SIZE];
		uint32_t seen;

		(void)snprintf(where, sizeof(where), "queues[%zu].", i);
		if (!members(r, json_array_get(array, i), fields, sizeof(fields) / sizeof(fields[0]), where, &queues[i], &seen))
			return false;
	}
	out->queues = queues;
	out->queue_count = n;
	return true;
}

static bool read_seats(struct reading *r, json_t *array, int64_t price, const char *where, struct core_new_show *show)
{
	static const struct json_field fields[] = {
	    {"section", JSON_T_TEXT, true, offsetof(struct core_new_seats, section), ANY_TEXT},
	    {"from", JSON_T_INT, true, offsetof(struct core_new_seats, from), NUMBER},
	    {"to", JSON_T_INT, true, offsetof(struct core_new_seats, to), NUMBER},
	    {"price", JSON_T_INT, true, offsetof(struct core_new_seats, price), NUMBER},
	};
	size_t n;

	if (!array_of(r, array, where, "seats", &n))
		return false;
	struct core_new_seats *seats = arena_alloc(r->arena, (n + 1) * sizeof(*seats));
	for (size_t i = 0; i < n; i++) {
		char place[WHERE_SIZE];
		uint32_t seen;

		(void)snprintf(place, sizeof(place), "%sseats[%zu].", where, i);
		if (!members(r, json_array_get(array, i), fields, sizeof(fields) / sizeof(fields[0]), place, &seats[i], &seen))
			return false;
	}
	if (n == 0) {
		seats[0] = (struct core_new_seats){TEXT(CATALOGUE_SECTION_DEFAULT), 1, JARI_SEATS_PER_SHOW_DEFAULT, price};
		n = 1;
	}
	show->seats = seats;
	show->seats_count = n;
	return true;
}

struct show_members {
	struct text starts_at;
	json_t *seats;
	int64_t price;
};

static bool read_show(struct reading *r, json_t *object, const char *where, struct core_new_show *show)
{
	static const struct json_field fields[] = {
	    {"startsAt", JSON_T_TEXT, true, offsetof(struct show_members, starts_at), ANY_TEXT},
	    {"seats", JSON_T_ANY, false, offsetof(struct show_members, seats), 0, 0},
	    /* of a show without seats of its own; the core does not see it of another, where it is as wrong */
	    {"price", JSON_T_INT, false, offsetof(struct show_members, price), 0, JARI_PRICE_MAX},
	};
	struct show_members in = {.price = CATALOGUE_PRICE_DEFAULT};
	uint32_t seen;

	if (!members(r, object, fields, sizeof(fields) / sizeof(fields[0]), where, &in, &seen))
		return false;
	if (!text_instant_parse(in.starts_at, &show->starts_at, &show->date))
		return wrong(r, where, "startsAt",
		             "must be an instant with the offset of the venue, such as \"2026-12-24T19:00:00+09:00\"");
	return read_seats(r, json_is_null(in.seats) ? NULL : in.seats, in.price, where, show);
}

struct concert_members {
	struct text title, artist, venue, queue;
	int64_t sales_open_at;
	json_t *shows;
};

static bool read_concert(struct reading *r, json_t *object, const char *where, struct core_new_concert *concert)
{
	static const struct json_field fields[] = {
	    {"title", JSON_T_TEXT, true, offsetof(struct concert_members, title), ANY_TEXT},
	    {"artist", JSON_T_TEXT, true, offsetof(struct concert_members, artist), ANY_TEXT},
	    {"venue", JSON_T_TEXT, true, offsetof(struct concert_members, venue), ANY_TEXT},
	    /* an empty name would mean the default queue to the core, and is a mistake here */
	    {"queue", JSON_T_TEXT, false, offsetof(struct concert_members, queue), 1, JARI_QUEUE_NAME_MAX},
	    {"salesOpenAt", JSON_T_INSTANT, false, offsetof(struct concert_members, sales_open_at), 0, 0},
	    {"shows", JSON_T_ANY, true, offsetof(struct concert_members, shows), 0, 0},
	};
	struct concert_members in = {0};
	uint32_t seen;
	size_t n;

	if (!members(r, object, fields, sizeof(fields) / sizeof(fields[0]), where, &in, &seen) ||
	    !array_of(r, in.shows, where, "shows", &n))
		return false;
	struct core_new_show *shows = arena_alloc(r->arena, (n + 1) * sizeof(*shows));
	for (size_t i = 0; i < n; i++) {
		char place[WHERE_SIZE];

		(void)snprintf(place, sizeof(place), "%sshows[%zu].", where, i);
		if (!read_show(r, json_array_get(in.shows, i), place, &shows[i]))
			return false;
	}
	*concert = (struct core_new_concert){in.title, in.artist, in.venue, in.queue, in.sales_open_at, shows, n};
	return true;
}

static bool read_concerts(struct reading *r, json_t *array, struct core_catalogue *out)
{
	size_t n;

	if (!array_of(r, array, "", "concerts", &n))
		return false;
	struct core_new_concert *concerts = arena_alloc(r->arena, (n + 1) * sizeof(*concerts));
	for (size_t i = 0; i < n; i++) {
		char where[WHERE_SIZE];

		(void)snprintf(where, sizeof(where), "concerts[%zu].", i);
		if (!read_concert(r, json_array_get(array, i), where, &concerts[i]))
			return false;
	}
	out->concerts = concerts;
	out->concert_count = n;
	return true;
}

/* A member that is null counts as absent, as everywhere. */
static json_t *optional(json_t *document, const char *name)
{
	json_t *value = json_object_get(document, name);

	return json_is_null(value) ? NULL : value;
}

bool catalogue_read(struct text json, struct arena *arena, struct core_catalogue *out, char error[CATALOGUE_ERROR_SIZE])
{
	struct reading r = {arena, error};
	json_t *document = json_read(json, error);
	bool ok = false;

	if (document == NULL)
		return false;
	*out = (struct core_catalogue){0};
	if (!json_is_object(document))
		(void)snprintf(error, CATALOGUE_ERROR_SIZE, "The catalogue must be a JSON object with queues and concerts.");
	else
		ok = read_queues(&r, optional(document, "queues"), out) && read_concerts(&r, optional(document, "concerts"), out);
	json_decref(document);
	return ok;
}
