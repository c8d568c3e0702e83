/* routes.h: the one table of routes.
 *
 * Routing, 404, 405 with Allow, authentication, body limits, metrics and openapi.json all come from it.
 * Constants; any thread. */
#ifndef JARI_HTTP_ROUTES_H
#define JARI_HTTP_ROUTES_H

#include "http/http.h"

extern const struct http_route http_routes[];
extern const size_t http_route_count;

#endif
