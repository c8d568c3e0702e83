/* listen.c: see listen.h. */
#include "cli/listen.h"
#include "base/text.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* The host and the port of "host:port" or "[host]:port"; false when it has not that form. */
static bool split(const char *value, struct text *host, struct text *port)
{
	const char *end;

	if (value[0] == '[') {
		end = strchr(value, ']');
		if (end == NULL || end[1] != ':')
			return false;
		*host = (struct text){value + 1, (size_t)(end - value - 1)};
		*port = text_of(end + 2);
		return true;
	}
	end = strchr(value, ':');
	if (end == NULL || strchr(end + 1, ':') != NULL) /* an IPv6 address without brackets is ambiguous */
		return false;
	*host = (struct text){value, (size_t)(end - value)};
	*port = text_of(end + 1);
	return true;
}

bool cli_v4_is_loopback(struct in_addr a)
{
	return ntohl(a.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool cli_v6_is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a) ? a->s6_addr[12] == IN_LOOPBACKNET : IN6_IS_ADDR_LOOPBACK(a);
}

bool cli_listen_parse(const char *value, struct cli_listen *out, char *error, size_t error_size)
{
	struct text host, port;
	struct in_addr v4;
	struct in6_addr v6;
	int64_t number;

	if (!split(value, &host, &port) || host.n == 0) {
		(void)snprintf(error, error_size, "needs an address and a port such as 127.0.0.1:8080 or [::1]:8080, not '%s'",
		               value);
		return false;
	}
	if (!text_to_int(port, 0, 65535, &number)) {
		(void)snprintf(error, error_size, "needs a port from 0 to 65535 after the last colon, not '%.*s'", (int)port.n,
		               port.p);
		return false;
	}
	*out = (struct cli_listen){.port = (uint16_t)number, .v6 = value[0] == '['};
	if (!out->v6 && text_equal_nocase(host, TEXT("localhost")))
		host = TEXT("127.0.0.1");
	if (host.n < sizeof(out->host)) {
		memcpy(out->host, host.p, host.n);
		if (out->v6 && inet_pton(AF_INET6, out->host, &v6) == 1) {
			out->loopback = cli_v6_is_loopback(&v6);
			return true;
		}
		if (!out->v6 && inet_pton(AF_INET, out->host, &v4) == 1) {
			out->loopback = cli_v4_is_loopback(v4);
			return true;
		}
	}
	(void)snprintf(error, error_size, "needs a numeric address or localhost before the port, not '%.*s'", (int)host.n,
	               host.p);
	return false;
}
