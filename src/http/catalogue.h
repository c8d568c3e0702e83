/* catalogue.h: an organiser's document of queues, concerts, shows and seats: from JSON to what the core decides on.
 *
 * Types and shapes are checked here, and nothing else: whether a price is too high, a seat is there twice or a queue's name exists
 * is the core's to say. `jari import`, `--demo` and POST /api/admin/catalogue all come through here.
 * Ownership: everything in *out is the arena's; `json` may go as soon as the call is over.
 * Threads: any, on one's own arena. Errors: false, with one sentence that names the place, such as
 * `"concerts[0].shows[1].startsAt" must be an instant …`. */
#ifndef JARI_HTTP_CATALOGUE_H
#define JARI_HTTP_CATALOGUE_H

#include "base/arena.h"
#include "core/core.h"
#include "http/json.h"

#define CATALOGUE_ERROR_SIZE JSON_ERROR_SIZE

/* What a show has that names no seats: JARI_SEATS_PER_SHOW_DEFAULT seats of one section, at the show's `price` or this one. */
#define CATALOGUE_SECTION_DEFAULT "A"
#define CATALOGUE_PRICE_DEFAULT 50000

bool catalogue_read(struct text json, struct arena *arena, struct core_catalogue *out, char error[CATALOGUE_ERROR_SIZE]);

#endif
